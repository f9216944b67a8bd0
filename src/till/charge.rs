//! What the gateway said about charging a purchase, and what follows from it.
//!
//! An attempt is created, its reference committed, then confirmed; whatever is unknown is asked about, never
//! repeated blindly. All attempts are kept, at most one is ever paid.

use super::command::{ChargeAnswer, Outcome};
use super::context::Context;
use super::id::{OrderId, PurchaseId, RefundId};
use super::journal::Subject;
use super::record::{
    AccountStatus, Attempt, AttemptState, EntryKind, EventKind, EventRecord, NetworkRecord, OrderRecord,
    OrderStatus, PurchaseRecord, PurchaseStatus, RefundRecord, RefundStatus, ReplyKind, WorkKind, WorkRecord,
};
use super::refusal::{Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Accounts, Offers, OnNetwork, Orders, Posts, Purchases, Refunds, Work};
use super::wording::Speaker;
use super::{account, event, journal, network, offer, owner, purchase, reply, stock, waiting};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The longest pause before the gateway is asked again: five minutes.
const BACKOFF_SECONDS_MAX: i64 = 300;

/// The pause before the gateway is asked again: a second, then twice as long each time, and up to a fifth less or more,
/// so that what has failed together is not asked about together.
pub fn backoff_ms(id: u128, unknowns: u32) -> i64 {
    let seconds = 1_i64.checked_shl(unknowns.min(20)).unwrap_or(BACKOFF_SECONDS_MAX).min(BACKOFF_SECONDS_MAX);
    let mut hasher = DefaultHasher::new();
    (id, unknowns).hash(&mut hasher);
    let permille = 800 + i64::try_from(hasher.finish() % 401).unwrap_or(200);
    seconds.saturating_mul(permille).min(BACKOFF_SECONDS_MAX * 1000)
}

impl Attempt {
    /// Whether an answer changes nothing any more: it is over, or another attempt has taken its place. Only money that
    /// has moved after all still matters then.
    pub fn is_settled_for(&self, answer: &ChargeAnswer) -> bool {
        match self.state {
            AttemptState::Paid => true,
            AttemptState::Declined(_) | AttemptState::Lost => *answer != ChargeAnswer::Paid,
            // It is there: neither found anew nor lost any more.
            AttemptState::Waiting => matches!(answer, ChargeAnswer::Created(_) | ChargeAnswer::Lost),
            AttemptState::New | AttemptState::Created => false,
        }
    }
}

/// Takes in what the gateway said about an attempt.
pub fn answered<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    number: u32,
    answer: &ChargeAnswer,
) -> Result<Outcome> {
    let mut record = purchase::must_find(state, id)?;
    let waiting_until = record.authenticate_by;
    let Some(attempt) = record.attempts.iter_mut().find(|attempt| attempt.number == number) else {
        return Err(Refusal::not_found("attempt").into());
    };
    if attempt.is_settled_for(answer) {
        return Ok(Outcome::Purchase(id));
    }
    match answer {
        ChargeAnswer::Created(reference) => {
            attempt.reference = Some(reference.clone());
            attempt.state = AttemptState::Created;
            state.put::<Purchases>(&id, &record)?;
        }
        ChargeAnswer::Unknown => postpone(state, cx, WorkKind::Capture, id.0)?,
        ChargeAnswer::NeedsOwner => owner::needed(state, cx, id, record, number)?,
        ChargeAnswer::Lost => {
            attempt.state = AttemptState::Lost;
            let next = Attempt {
                number: number.saturating_add(1),
                state: AttemptState::New,
                reference: None,
                created_at: cx.now,
            };
            record.attempts.push(next);
            state.put::<Purchases>(&id, &record)?;
            state.put::<Work>(&(WorkKind::Capture, id.0), &WorkRecord { due_at: cx.now, unknowns: 0 })?;
        }
        ChargeAnswer::Declined(code) => {
            let code = owner::decline_code(cx, waiting_until, attempt, code).to_owned();
            attempt.state = AttemptState::Declined(code);
            state.put::<Purchases>(&id, &record)?;
            declined(state, cx, id, &record)?;
        }
        ChargeAnswer::Paid => {
            attempt.state = AttemptState::Paid;
            let reference = attempt.reference.clone().unwrap_or_default();
            enter(state, cx, id, &record, &reference)?;
            if record.status == PurchaseStatus::Capturing {
                paid(state, cx, id, record)?;
            } else {
                give_back(state, cx, id, record, number)?;
            }
        }
    }
    Ok(Outcome::Purchase(id))
}

/// A charge goes into the books: the merchant's, or, where the purchase is closed, the buyer's.
fn enter<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    record: &PurchaseRecord,
    reference: &str,
) -> Result<()> {
    let late = record.status != PurchaseStatus::Capturing;
    let kind = if late { EntryKind::LateCharge } else { EntryKind::Charge };
    let gateway = record.confirmation.as_ref().map_or("", |confirmation| confirmation.gateway.as_str());
    let about = Subject::new(record.offer, record.price, gateway, reference);
    journal::write(state, cx, kind, Subject { purchase: Some(id), ..about })
}

/// The gateway's answer is unknown: it is asked again after a pause.
pub fn postpone<S: Write>(state: &mut S, cx: &Context<'_>, kind: WorkKind, id: u128) -> Result<()> {
    if let Some(mut work) = state.get::<Work>(&(kind, id))? {
        work.due_at = cx.now.plus_ms(backoff_ms(id, work.unknowns));
        work.unknowns = work.unknowns.saturating_add(1);
        state.put::<Work>(&(kind, id), &work)?;
    }
    Ok(())
}

fn declined<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    record: &PurchaseRecord,
) -> Result<()> {
    if record.status != PurchaseStatus::Capturing {
        return Ok(());
    }
    state.delete::<Work>(&(WorkKind::Capture, id.0));
    let record = purchase::close(state, cx, id, PurchaseStatus::Declined)?;
    let buyer = record.account;
    tell(state, cx, id, record, ReplyKind::Refused)?;
    account::finish_erasing(state, cx, buyer)
}

fn paid<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    mut record: PurchaseRecord,
) -> Result<()> {
    let order_id = OrderId(cx.id());
    let offer = state.must::<Offers>(&record.offer)?;
    let sold = offer::as_held(state, &offer, &record)?;
    let account = state.must::<Accounts>(&record.account)?;
    let order = OrderRecord {
        purchase: id,
        offer: record.offer,
        merchant: sold.merchant,
        account: record.account,
        title: sold.title.clone(),
        price: record.price,
        ship_to: account.person.map(|person| person.billing_address),
        status: OrderStatus::Unfulfilled,
        created_at: cx.now,
        shipped_at: None,
        shipments: Vec::new(),
        delivered_at: None,
        offer_version: record.offer_version,
        units: record.units,
        variant: record.variant.clone(),
        disputed: false,
    };
    record.status = PurchaseStatus::Paid;
    record.order = Some(order_id);
    record.settled_at = Some(cx.now);
    state.put::<Orders>(&order_id, &order)?;
    state.delete::<Work>(&(WorkKind::Capture, id.0));
    let waited_for = stock::sell(state, cx, record.piece())?;
    let event = EventRecord::of_purchase(EventKind::PurchasePaid, cx.now, order.merchant, id, &record);
    event::log(state, &event)?;
    event::log(state, &EventRecord { kind: EventKind::OrderCreated, ..event })?;
    let buyer = record.account;
    let line = (record.offer, record.variant.clone());
    tell(state, cx, id, record, ReplyKind::Paid)?;
    if account.status == AccountStatus::Erasing {
        account::finish_erasing(state, cx, buyer)?;
    }
    if waited_for {
        waiting::serve(state, cx, line.0, line.1.as_deref())?;
    }
    Ok(())
}

/// The charge came after the purchase was closed: the till gives it back by itself, and it never becomes an order.
fn give_back<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    mut record: PurchaseRecord,
    attempt: u32,
) -> Result<()> {
    let refund_id = RefundId(cx.id());
    let refund = RefundRecord {
        purchase: id,
        attempt,
        amount: record.price,
        restock: false,
        automatic: true,
        status: RefundStatus::Pending,
        reference: None,
        created_at: cx.now,
        external: false,
        returned: false,
    };
    record.refunds.push(refund_id);
    state.put::<Purchases>(&id, &record)?;
    state.put::<Refunds>(&refund_id, &refund)?;
    state.delete::<Work>(&(WorkKind::Capture, id.0));
    state.put::<Work>(&(WorkKind::Refund, refund_id.0), &WorkRecord { due_at: cx.now, unknowns: 0 })?;
    Ok(())
}

/// Tells the buyer how the capture goes or ended, where the confirmation was not the last word, and keeps the purchase.
pub fn tell<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    mut record: PurchaseRecord,
    kind: ReplyKind,
) -> Result<()> {
    let Some(confirmation) = &mut record.confirmation else {
        return Err(StateError(format!("{id} was charged without a confirmation")).into());
    };
    let (network_slug, post) = (confirmation.network.clone(), confirmation.post.clone());
    let settings: NetworkRecord = network::must_find(state, &network_slug)?;
    // Where one more reply may follow, how the capture ends is still to be said.
    let goes_on = kind == ReplyKind::OneStepLeft && !settings.one_reply_per_post;
    let author = if goes_on { confirmation.author.clone() } else { confirmation.author.take() };
    state.put::<Purchases>(&id, &record)?;
    let due = kind != ReplyKind::Paid || settings.one_reply_per_post;
    if due && let Some(to) = author {
        let offer = state.must::<Offers>(&record.offer)?;
        let sold = offer::as_held(state, &offer, &record)?;
        let language = record.language.as_deref();
        let speaker = Speaker::new(cx.words, &settings, &sold, language, (&network_slug, &post));
        let text = match kind {
            ReplyKind::Paid => speaker.paid(&record),
            ReplyKind::OneStepLeft => speaker.one_step_left(owner::WINDOW_SECONDS),
            _ => speaker.refused(),
        };
        let not_after = reply::not_after(cx.now, kind);
        let draft = reply::Draft { account: Some(record.account), purchase: Some(id), kind, text, not_after };
        let queued = reply::queue_to(state, cx, &network_slug, &post, to, draft)?;
        let key = OnNetwork::new(&network_slug, &post);
        if let Some((queued, _)) = queued
            && let Some(mut seen) = state.get::<Posts>(&key)?
        {
            seen.followed_by = Some(queued);
            state.put::<Posts>(&key, &seen)?;
        }
    }
    Ok(())
}

/// The attempt that paid for the order: not one whose late charge the till gave back by itself.
pub fn order_attempt<S: Read>(state: &S, record: &PurchaseRecord) -> Result<Option<u32>, StateError> {
    let mut given_back = Vec::new();
    for id in &record.refunds {
        let refund = state.must::<Refunds>(id)?;
        if refund.automatic {
            given_back.push(refund.attempt);
        }
    }
    let mut paid = record.attempts.iter().filter(|attempt| attempt.state == AttemptState::Paid);
    Ok(paid.find(|attempt| !given_back.contains(&attempt.number)).map(|attempt| attempt.number))
}

/// The attempt under way, if any.
pub fn open_attempt(attempts: &[Attempt]) -> Option<&Attempt> {
    attempts.iter().find(|attempt| {
        matches!(attempt.state, AttemptState::New | AttemptState::Created | AttemptState::Waiting)
    })
}

/// The key at its gateway of an attempt to charge or credit what `id` names.
pub fn attempt_key(id: impl std::fmt::Display, number: u32) -> String {
    format!("{id}-{number}")
}

/// Reads what [`attempt_key`] wrote for a purchase; `None` for anything else.
pub fn parse_attempt_key(key: &str) -> Option<(PurchaseId, u32)> {
    let (id, number) = key.rsplit_once('-')?;
    Some((PurchaseId::parse(id)?, number.parse().ok()?))
}

/// What of a purchase's price is given back or about to be, in minor units. A late charge that the till gave back by
/// itself is no part of it.
pub fn refunded_amount<S: Read>(
    state: &S,
    record: &PurchaseRecord,
    counts: impl Fn(RefundStatus) -> bool,
) -> Result<i64, StateError> {
    let mut sum: i64 = 0;
    for id in &record.refunds {
        let refund = state.must::<Refunds>(id)?;
        if counts(refund.status) && !refund.automatic {
            sum = sum.saturating_add(refund.amount.amount);
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_five_minutes_and_are_not_all_the_same() {
        for unknowns in 0..40 {
            let plain = if unknowns < 9 { 1000 << unknowns } else { 300_000 };
            let pauses: Vec<i64> = (0..100).map(|id| backoff_ms(id, unknowns)).collect();
            let fine = |ms: &i64| (plain * 8 / 10..=(plain * 12 / 10).min(300_000)).contains(ms);
            assert!(pauses.iter().all(fine), "{unknowns}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{unknowns}: {pauses:?}");
            assert_eq!(backoff_ms(7, unknowns), backoff_ms(7, unknowns));
        }
    }
}
