//! A charge that its card's owner has to allow at the provider: one step left, with a deadline of its own.
//!
//! The attempt stays the same attempt and the purchase keeps its units. The buyer is told once; where the step is done
//! is a page of the provider's, reached through the buyer's private page. Until the deadline the gateway is only asked
//! how the charge stands. Then it is told to cancel it, and its word decides.

use super::charge;
use super::command::Outcome;
use super::context::Context;
use super::id::PurchaseId;
use super::record::{
    Attempt, AttemptState, EventKind, PurchaseRecord, PurchaseStatus, ReplyKind, WorkKind, WorkRecord,
};
use super::refusal::Result;
use super::state::Write;
use super::table::{Purchases, Work};
use super::time::Time;
use super::{event, purchase};

/// The owner of a card has this long.
pub const WINDOW_SECONDS: u32 = 3600;
/// Meanwhile the gateway is asked this often. Who comes back from its page is not kept waiting: see [`look`].
const PAUSE_SECONDS: i64 = 30;
/// What a gateway says of a charge that it was told to cancel.
pub const CANCELED: &str = "canceled";
/// The code of a decline by the deadline.
pub const EXPIRED: &str = "authentication_expired";

/// The gateway says that an attempt waits for its card's owner.
pub fn needed<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    mut record: PurchaseRecord,
    number: u32,
) -> Result<()> {
    let attempt = record.attempts.iter_mut().find(|attempt| attempt.number == number);
    let known = attempt.filter(|attempt| attempt.reference.is_some());
    let (Some(attempt), PurchaseStatus::Capturing) = (known, record.status) else {
        return charge::postpone(state, cx, WorkKind::Capture, id.0);
    };
    if let (AttemptState::Waiting, Some(until)) = (&attempt.state, record.authenticate_by) {
        if cx.now >= until {
            return charge::postpone(state, cx, WorkKind::Capture, id.0);
        }
        return ask_later(state, cx, id, &record);
    }
    attempt.state = AttemptState::Waiting;
    record.authenticate_by = Some(cx.now.plus_seconds(WINDOW_SECONDS.into()));
    state.put::<Purchases>(&id, &record)?;
    ask_later(state, cx, id, &record)?;
    event::log_purchase(state, EventKind::PurchaseAuthenticationRequired, cx.now, id, &record)?;
    charge::tell(state, cx, id, record, ReplyKind::OneStepLeft)
}

/// The gateway is asked again after a while, and at the deadline at the latest.
fn ask_later<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: PurchaseId,
    record: &PurchaseRecord,
) -> Result<()> {
    let later = cx.now.plus_seconds(PAUSE_SECONDS);
    let due_at = record.authenticate_by.map_or(later, |until| until.min(later));
    Ok(state.put::<Work>(&(WorkKind::Capture, id.0), &WorkRecord { due_at, unknowns: 0 })?)
}

/// What a decline is called: one that the deadline has brought about has a code of its own.
pub fn decline_code<'c>(cx: &Context<'_>, until: Option<Time>, attempt: &Attempt, code: &'c str) -> &'c str {
    let over = until.is_some_and(|until| cx.now >= until);
    if attempt.state == AttemptState::Waiting && over && code == CANCELED { EXPIRED } else { code }
}

/// The buyer is back from the provider's page: the gateway is asked at once.
pub fn look<S: Write>(state: &mut S, cx: &Context<'_>, id: PurchaseId) -> Result<Outcome> {
    let record = purchase::must_find(state, id)?;
    let open = charge::open_attempt(&record.attempts);
    if open.is_some_and(|attempt| attempt.state == AttemptState::Waiting) {
        let key = (WorkKind::Capture, id.0);
        if let Some(work) = state.get::<Work>(&key)? {
            state.put::<Work>(&key, &WorkRecord { due_at: cx.now.min(work.due_at), ..work })?;
        }
    }
    Ok(Outcome::Purchase(id))
}
