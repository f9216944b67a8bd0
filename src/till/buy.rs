//! A purchase hashtag: who may buy what, in the order of the rules, and the hold that comes of it.

use super::command::PostAnswer;
use super::context::Context;
use super::id::{AccountId, OfferId, PurchaseId};
use super::post::Arrival;
use super::purchase::{self, Origin};
use super::record::{
    AccountRecord, AccountStatus, OfferRecord, OfferStatus, PurchaseRecord, PurchaseStatus, ReplyKind,
};
use super::refusal::Result;
use super::state::{Read, Write};
use super::table::{Buyers, Offers, Purchases, Stocks};
use super::verdict::Verdict;
use super::{account, reply, wording};

/// Judges a purchase post.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    offer_id: OfferId,
) -> Result<PostAnswer> {
    let post = arrival.post;
    let offer = state.must::<Offers>(&offer_id)?;
    let Some((buyer, record)) = account::of_identity(state, &post.network, &post.author.user_id)? else {
        return reply::answer_not_linked(state, cx, arrival, offer_id);
    };
    if record.status == AccountStatus::Suspended {
        return answer(state, cx, arrival, buyer, (offer_id, &offer), Verdict::AccountSuspended, None);
    }
    if let Some((id, newest)) = purchase::newest(state, buyer, offer_id)?
        && newest.status == PurchaseStatus::Pending
    {
        if arrival.made_at <= newest.expires_at {
            return already_pending(state, cx, arrival, (offer_id, &offer), (id, newest));
        }
        purchase::close(state, cx, id, PurchaseStatus::Expired)?;
    }
    if let Some(verdict) = obstacle(state, cx, buyer, &record, (offer_id, &offer))? {
        return answer(state, cx, arrival, buyer, (offer_id, &offer), verdict, None);
    }
    let origin = Origin { network: &post.network, post: &post.id, made_at: arrival.made_at };
    let (id, mut held) = purchase::begin(state, cx, buyer, (offer_id, &offer), origin)?;
    let words = wording::pending(arrival.network, &offer, held.price, held.window_seconds);
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: Some(id),
        kind: ReplyKind::Pending,
        text: words,
        not_after: held.expires_at,
    };
    let queued = reply::queue(state, cx, arrival, draft)?;
    held.reply = Some(queued.0);
    state.put::<Purchases>(&id, &held)?;
    Ok(PostAnswer {
        verdict: Verdict::Pending,
        repeated: false,
        offer: Some(offer_id),
        purchase: Some(id),
        reply: Some(queued),
    })
}

/// What stands in the way of a new hold, the first in the order of the rules.
fn obstacle<S: Read>(
    state: &S,
    cx: &Context<'_>,
    buyer: AccountId,
    account: &AccountRecord,
    (offer_id, offer): (OfferId, &OfferRecord),
) -> Result<Option<Verdict>> {
    if offer.starts_at.is_some_and(|start| cx.now < start) {
        return Ok(Some(Verdict::NotStarted));
    }
    if offer.is_over(cx.now) {
        return Ok(Some(Verdict::Ended));
    }
    if offer.status == OfferStatus::Paused {
        return Ok(Some(Verdict::Paused));
    }
    if !ships_to(offer, account) {
        return Ok(Some(Verdict::CannotShip));
    }
    let counted = state.get::<Buyers>(&(buyer, offer_id))?.map_or(0, |buyer| buyer.counted);
    if counted >= offer.per_account_limit {
        return Ok(Some(Verdict::LimitReached));
    }
    let stock = state.must::<Stocks>(&offer_id)?;
    Ok((!stock.has_free()).then_some(Verdict::SoldOut))
}

/// Whether an offer ships to where the account's address is.
pub fn ships_to(offer: &OfferRecord, account: &AccountRecord) -> bool {
    match (&offer.ships_to, &account.person) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(countries), Some(person)) => countries.contains(&person.billing_address.country),
    }
}

/// The hold is there already: the buyer is told so once.
fn already_pending<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    (offer_id, offer): (OfferId, &OfferRecord),
    (id, mut held): (PurchaseId, PurchaseRecord),
) -> Result<PostAnswer> {
    let mut answer = PostAnswer {
        verdict: Verdict::AlreadyPending,
        repeated: false,
        offer: Some(offer_id),
        purchase: Some(id),
        reply: None,
    };
    if !held.reminded {
        held.reminded = true;
        let draft = reply::Draft {
            account: Some(held.account),
            purchase: Some(id),
            kind: ReplyKind::AlreadyPending,
            text: wording::already_pending(arrival.network, offer, &held),
            not_after: held.expires_at,
        };
        answer.reply = Some(reply::queue(state, cx, arrival, draft)?);
        state.put::<Purchases>(&id, &held)?;
    }
    Ok(answer)
}

/// Answers a linked buyer with a verdict that changes nothing.
pub fn answer<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    verdict: Verdict,
    purchase: Option<PurchaseId>,
) -> Result<PostAnswer> {
    let price = match purchase {
        Some(id) => state.must::<Purchases>(&id)?.price,
        None => offer.price,
    };
    let draft = wording::for_verdict(arrival.network, offer, price, verdict).map(|(kind, text)| {
        reply::Draft { account: Some(buyer), purchase, kind, text, not_after: reply::not_after(cx.now, kind) }
    });
    let reply = match draft {
        Some(draft) => Some(reply::queue(state, cx, arrival, draft)?),
        None => None,
    };
    Ok(PostAnswer { verdict, repeated: false, offer: Some(offer_id), purchase, reply })
}
