//! A confirmation, by hashtag or by repost: in time by t, it is honoured even when it arrives late.

use super::account;
use super::buy::{answer, ships_to};
use super::command::PostAnswer;
use super::context::Context;
use super::id::{OfferId, PurchaseId};
use super::post::Arrival;
use super::purchase;
use super::record::{
    AccountRecord, AccountStatus, Confirmation, OfferRecord, PurchaseRecord, PurchaseStatus, StockRecord,
};
use super::refusal::Result;
use super::state::{Read, StateError, Write};
use super::table::{Offers, Purchases, Stocks};
use super::time::Time;
use super::verdict::Verdict;
use super::{offer, reply};

/// What a confirmation is aimed at.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// The account's newest purchase of the offer: a confirm hashtag.
    Newest(OfferId),
    /// This purchase only: a repost of its reply.
    This(PurchaseId),
}

/// Judges a confirmation.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    aim: Aim,
) -> Result<PostAnswer> {
    let post = arrival.post;
    let linked = account::of_identity(state, &post.network, &post.author.user_id)?;
    let offer_id = match aim {
        Aim::Newest(offer) => offer,
        Aim::This(id) => state.must::<Purchases>(&id)?.offer,
    };
    let Some((buyer, mut record)) = linked else {
        return reply::answer_not_linked(state, cx, arrival, offer_id);
    };
    let offer = state.must::<Offers>(&offer_id)?;
    let mut aimed = match aim {
        Aim::Newest(offer) => purchase::newest(state, buyer, offer)?,
        Aim::This(id) => Some((id, state.must::<Purchases>(&id)?)),
    };
    let suspended = record.status == AccountStatus::Suspended;
    let frozen = !suspended && account::is_frozen(state, cx, post, (buyer, &mut record))?;
    let verdict = if frozen {
        Verdict::IdentityFrozen
    } else {
        decide(state, arrival.made_at, &record, &offer, aimed.as_ref().map(|(_, purchase)| purchase))?
    };
    let by = aimed
        .as_ref()
        .filter(|_| matches!(verdict, Verdict::TooLate | Verdict::Confirmed))
        .map(|(_, purchase)| arrival.made_at.ms_since(purchase.expires_at).abs());
    match (verdict, aimed.take()) {
        (Verdict::Confirmed, Some((id, mut held))) => {
            if post.language.is_some() {
                held.language.clone_from(&post.language);
            }
            let confirmation = confirmation(cx, arrival, &record)?;
            aimed = Some((id, purchase::confirm(state, cx, (id, held), offer.merchant, confirmation)?));
            // Where one post may be answered only once, the answer waits for the capture.
            if arrival.network.one_reply_per_post {
                let (offer, purchase) = (Some(offer_id), Some(id));
                return Ok(PostAnswer { offer, purchase, by, ..PostAnswer::bare(verdict) });
            }
        }
        (Verdict::TooLate, Some((id, purchase))) if purchase.status == PurchaseStatus::Pending => {
            aimed = Some((id, purchase::close(state, cx, id, PurchaseStatus::Expired)?));
        }
        (_, other) => aimed = other,
    }
    let about = aimed.as_ref().map(|(id, purchase)| (*id, purchase));
    let mut given = answer(state, cx, arrival, buyer, (offer_id, &offer), verdict, about)?;
    given.by = by;
    Ok(given)
}

/// The verdict, from t, the account, the offer and the purchase aimed at.
fn decide<S: Read>(
    state: &S,
    made_at: Time,
    account: &AccountRecord,
    offer: &OfferRecord,
    aimed: Option<&PurchaseRecord>,
) -> Result<Verdict, StateError> {
    if account.status == AccountStatus::Suspended {
        return Ok(Verdict::AccountSuspended);
    }
    let Some(purchase) = aimed else { return Ok(Verdict::NothingToConfirm) };
    match purchase.status {
        PurchaseStatus::Capturing | PurchaseStatus::Paid => return Ok(Verdict::AlreadyConfirmed),
        PurchaseStatus::Cancelled | PurchaseStatus::Declined | PurchaseStatus::Refunded => {
            return Ok(Verdict::NothingToConfirm);
        }
        PurchaseStatus::Pending | PurchaseStatus::Expired => {}
    }
    if made_at < purchase.created_at {
        // It belongs to an earlier hold.
        return Ok(Verdict::NothingToConfirm);
    }
    if made_at > purchase.expires_at {
        return Ok(Verdict::TooLate);
    }
    // As the offer was then: a hold keeps its terms. The account may have moved.
    let then = offer::as_held(state, offer, purchase)?;
    if !ships_to(&then, account) {
        return Ok(Verdict::CannotShip);
    }
    let free = |stock: StockRecord| {
        let units = stock.of(purchase.variant.as_deref()).and_then(|units| units.available());
        units.is_none_or(|free| free >= u64::from(purchase.units))
    };
    if purchase.status == PurchaseStatus::Expired && !free(state.must::<Stocks>(&purchase.offer)?) {
        return Ok(Verdict::SoldOut);
    }
    Ok(Verdict::Confirmed)
}

/// What is charged, as it stands now: later edits never touch it.
fn confirmation(cx: &Context<'_>, arrival: Arrival<'_>, account: &AccountRecord) -> Result<Confirmation> {
    let Some(person) = &account.person else {
        return Err(StateError("a linked account has no person".to_owned()).into());
    };
    let method = &person.payment_method;
    Ok(Confirmation {
        made_at: arrival.made_at,
        arrived_at: cx.now,
        network: arrival.post.network.clone(),
        post: arrival.post.id.clone(),
        author: arrival.is_answerable().then(|| arrival.post.author.clone()),
        answerable: arrival.is_answerable(),
        gateway: method.gateway.clone(),
        customer: method.customer.clone(),
        method: method.token.clone(),
    })
}
