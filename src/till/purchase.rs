//! One buyer's way through one offer: held, confirmed, closed. What the gateway says is in `charge`.

use super::command::Outcome;
use super::context::Context;
use super::id::{MerchantId, OfferId, PurchaseId};
use super::record::{
    Attempt, AttemptState, BuyerRecord, Confirmation, EventKind, EventRecord, OfferRecord, PurchaseRecord,
    PurchaseStatus, VariantRecord, WorkKind, WorkRecord,
};
use super::refusal::{Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Buyers, Deadlines, Purchases, Work};
use super::time::Time;
use super::{event, pace, stock, waiting};
use super::{id::AccountId, network};

/// Which post begins a purchase.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The network's slug.
    pub network: &'a str,
    /// The post's id there.
    pub post: &'a str,
    /// t of the post.
    pub made_at: Time,
    /// Its language, as the network says.
    pub language: Option<&'a str>,
}

/// What a purchase is of.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Which variant, where the offer has any.
    pub variant: Option<&'a VariantRecord>,
    /// How many units.
    pub units: u32,
}

/// What an account has had of an offer.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its newest purchase, the only one that can be pending.
    pub newest: Option<(PurchaseId, PurchaseRecord)>,
    /// Units of the purchases before that one which count towards the limit.
    pub earlier: u32,
}

impl History {
    /// How many units count towards the limit.
    pub fn counted(&self) -> u32 {
        let newest = self.newest.as_ref().filter(|(_, purchase)| purchase.status.counts());
        self.earlier.saturating_add(newest.map_or(0, |(_, purchase)| purchase.units))
    }
}

/// What an account has had of an offer so far.
pub fn history<S: Read>(state: &S, account: AccountId, offer: OfferId) -> Result<History, StateError> {
    match state.get::<Buyers>(&(account, offer))? {
        None => Ok(History::default()),
        Some(BuyerRecord { newest, earlier }) => {
            Ok(History { newest: Some((newest, state.must::<Purchases>(&newest)?)), earlier })
        }
    }
}

/// Holds units for a buyer with such a history: the hold lasts until its reply is out and the window after that is over.
pub fn begin<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    (account, history): (AccountId, &History),
    (offer_id, offer): (OfferId, &OfferRecord),
    origin: Origin<'_>,
    wanted: Wanted<'_>,
) -> Result<(PurchaseId, PurchaseRecord)> {
    let price = offer.unit_price(wanted.variant).times(wanted.units);
    let price = price.ok_or_else(|| StateError(format!("{offer_id} costs more than can be charged")))?;
    let id = PurchaseId(cx.id());
    let network = network::must_find(state, origin.network)?;
    let wait_seconds = i64::from(network.reply_wait_seconds) + i64::from(offer.confirm_window_seconds);
    let expires_at = cx.now.plus_seconds(wait_seconds);
    let purchase = PurchaseRecord {
        offer: offer_id,
        account,
        network: origin.network.to_owned(),
        post: origin.post.to_owned(),
        price,
        offer_version: offer.version,
        window_seconds: offer.confirm_window_seconds,
        status: PurchaseStatus::Pending,
        created_at: origin.made_at,
        arrived_at: cx.now,
        expires_at,
        release_at: expires_at.plus_seconds(i64::from(network.grace_seconds)),
        window_set: false,
        reminded: false,
        reply: None,
        previous: history.newest.as_ref().map(|(id, _)| *id),
        confirmation: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
        order: None,
        settled_at: None,
        units: wanted.units,
        variant: wanted.variant.map(|variant| variant.name.clone()),
        language: origin.language.map(str::to_owned),
        disputes: Vec::new(),
        authenticate_by: None,
    };
    stock::hold(state, purchase.piece())?;
    state.put::<Deadlines>(&(purchase.release_at, id), &())?;
    let buyer = BuyerRecord { newest: id, earlier: history.counted() };
    state.put::<Buyers>(&(account, offer_id), &buyer)?;
    let pending = EventKind::PurchasePending;
    event::log(state, &EventRecord::of_purchase(pending, cx.now, offer.merchant, id, &purchase))?;
    Ok((id, purchase))
}

/// Confirms a purchase from a merchant that is pending, or expired with a unit free: from now on the gateway is asked.
pub fn confirm<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    (id, mut purchase): (PurchaseId, PurchaseRecord),
    merchant: MerchantId,
    confirmation: Confirmation,
) -> Result<PurchaseRecord> {
    if purchase.status == PurchaseStatus::Pending {
        state.delete::<Deadlines>(&(purchase.release_at, id));
    } else {
        stock::hold(state, purchase.piece())?;
        count(state, (id, &purchase), true)?;
    }
    purchase.status = PurchaseStatus::Capturing;
    purchase.settled_at = None;
    let confirmed_on = confirmation.network.clone();
    purchase.confirmation = Some(confirmation);
    purchase.attempts.push(Attempt {
        number: 1,
        state: AttemptState::New,
        reference: None,
        created_at: cx.now,
    });
    state.put::<Purchases>(&id, &purchase)?;
    let due_at = pace::begin(state, cx, &confirmed_on, id)?;
    state.put::<Work>(&(WorkKind::Capture, id.0), &WorkRecord { due_at, unknowns: 0 })?;
    let confirmed = EventKind::PurchaseConfirmed;
    event::log(state, &EventRecord::of_purchase(confirmed, cx.now, merchant, id, &purchase))?;
    Ok(purchase)
}

/// Closes a purchase that was never charged, and frees its unit.
pub fn close<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    status: PurchaseStatus,
) -> Result<PurchaseRecord> {
    let mut purchase = state.must::<Purchases>(&id)?;
    if !purchase.status.holds() {
        return Err(StateError(format!("{id} is closed already")).into());
    }
    if purchase.status == PurchaseStatus::Pending {
        // The newest of its buyer, so that its own status says whether it counts.
        state.delete::<Deadlines>(&(purchase.release_at, id));
    } else {
        count(state, (id, &purchase), false)?;
    }
    purchase.status = status;
    purchase.settled_at = Some(cx.now);
    state.put::<Purchases>(&id, &purchase)?;
    let waited_for = stock::free(state, cx, purchase.piece())?;
    let kind = match status {
        PurchaseStatus::Expired => EventKind::PurchaseExpired,
        PurchaseStatus::Declined => EventKind::PurchaseDeclined,
        _ => EventKind::PurchaseCancelled,
    };
    event::log_purchase(state, kind, cx.now, id, &purchase)?;
    if waited_for {
        waiting::serve(state, cx, purchase.offer, purchase.variant.as_deref())?;
    }
    Ok(purchase)
}

/// Adds the units of a purchase to those that count towards its account's limit, or takes them off.
///
/// Of the newest purchase of a buyer nothing is noted: its status says it, and a hold that is freed costs no more than
/// tables that are ordered by time.
pub fn count<S: Write>(
    state: &mut S,
    (id, purchase): (PurchaseId, &PurchaseRecord),
    add: bool,
) -> Result<()> {
    let key = (purchase.account, purchase.offer);
    let mut buyer = state.must::<Buyers>(&key)?;
    if buyer.newest == id {
        return Ok(());
    }
    let wrong = || StateError(format!("the purchases of {} do not add up", purchase.account));
    let earlier = buyer.earlier;
    let next = if add { earlier.checked_add(purchase.units) } else { earlier.checked_sub(purchase.units) };
    buyer.earlier = next.ok_or_else(wrong)?;
    state.put::<Buyers>(&key, &buyer)?;
    Ok(())
}

/// The account's newest purchase of an offer.
pub fn newest<S: Read>(
    state: &S,
    account: AccountId,
    offer: OfferId,
) -> Result<Option<(PurchaseId, PurchaseRecord)>, StateError> {
    Ok(history(state, account, offer)?.newest)
}

/// Sets the window of a purchase, once: it ends `window_seconds` after `from`.
///
/// Also for a hold that has expired meanwhile: a confirmation in time may still find a unit free.
pub fn set_window<S: Write>(state: &mut S, id: PurchaseId, from: Time) -> Result<()> {
    let mut purchase = state.must::<Purchases>(&id)?;
    let open = matches!(purchase.status, PurchaseStatus::Pending | PurchaseStatus::Expired);
    if purchase.window_set || !open {
        return Ok(());
    }
    let grace_ms = purchase.release_at.ms_since(purchase.expires_at);
    let before = purchase.release_at;
    purchase.window_set = true;
    purchase.expires_at = from.plus_seconds(i64::from(purchase.window_seconds));
    purchase.release_at = purchase.expires_at.plus_ms(grace_ms);
    if purchase.status == PurchaseStatus::Pending {
        state.delete::<Deadlines>(&(before, id));
        state.put::<Deadlines>(&(purchase.release_at, id), &())?;
    }
    state.put::<Purchases>(&id, &purchase)?;
    Ok(())
}

/// Cancels a purchase by an operator's word, before it is confirmed.
pub fn cancel<S: Write>(state: &mut S, cx: &mut Context<'_>, id: PurchaseId) -> Result<Outcome> {
    let purchase = must_find(state, id)?;
    match purchase.status {
        PurchaseStatus::Pending => {
            close(state, cx, id, PurchaseStatus::Cancelled)?;
            Ok(Outcome::Purchase(id))
        }
        PurchaseStatus::Capturing => {
            let detail =
                "The gateway is being asked to charge this purchase; wait for its answer, then refund.";
            Err(Refusal::conflict(detail).into())
        }
        PurchaseStatus::Paid => Err(Refusal::conflict("This purchase is paid; refund it instead.").into()),
        _ => Err(Refusal::conflict("This purchase is closed already.").into()),
    }
}

/// The purchase that a call names.
pub fn must_find<S: Read>(state: &S, id: PurchaseId) -> Result<PurchaseRecord> {
    state.get::<Purchases>(&id)?.ok_or_else(|| Refusal::not_found("purchase").into())
}
