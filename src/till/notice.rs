//! What gateways tell by themselves: late successes, refunds and disputes that nobody here asked for.
//!
//! A notice is believed in nothing but that there is something to ask about. It is kept, so that it is taken once, and
//! the worker asks its gateway how that charge stands; what comes back is taken in here, in any order.

use super::command::{ChargeAnswer, Outcome};
use super::context::Context;
use super::dispute::{self, DisputeReport};
use super::id::{NoticeId, PurchaseId};
use super::money::Money;
use super::record::{AttemptState, NoticeRecord, WorkKind, WorkRecord};
use super::refund::{self, RefundReport};
use super::refusal::Result;
use super::state::{Key as _, Span, Write};
use super::table::{Notices, NoticesSeen, Purchases, Text, Work};
use super::time::Time;
use super::{account, charge, check, owner};

/// So long a notice is remembered: gateways repeat theirs for some days (Stripe for three).
const KEEP_SECONDS: i64 = 30 * 86_400;

/// How a charge stands at its gateway, with all that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeReport {
    /// Of which purchase, by the key that the gateway keeps with it.
    pub purchase: PurchaseId,
    /// Which of its attempts.
    pub attempt: u32,
    /// The gateway's name for it.
    pub reference: String,
    /// How much.
    pub money: Money,
    /// How it stands.
    pub answer: ChargeAnswer,
    /// What was given back of it.
    pub refunds: Vec<RefundReport>,
    /// What is disputed of it.
    pub disputes: Vec<DisputeReport>,
}

/// What came of asking about a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAnswer {
    /// Nobody knows: ask again later.
    Unknown,
    /// The gateway knows no charge of ours under that name.
    Nothing,
    /// It stands so.
    Charge(Box<ChargeReport>),
}

/// Keeps a notice and has the worker ask; one that came before changes nothing.
pub fn take<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    gateway: &str,
    event: &str,
    about: &str,
) -> Result<Outcome> {
    check::text("id", event, 255)?;
    check::text("about", about, 255)?;
    let seen = Text(format!("{gateway} {event}"));
    if state.get::<NoticesSeen>(&seen)?.is_some() {
        return Ok(Outcome::Noticed { repeated: true });
    }
    let id = NoticeId(cx.id());
    let record = NoticeRecord {
        gateway: gateway.to_owned(),
        event: event.to_owned(),
        about: about.to_owned(),
        arrived_at: cx.now,
    };
    state.put::<Notices>(&id, &record)?;
    state.put::<NoticesSeen>(&seen, &id)?;
    state.put::<Work>(&(WorkKind::Notice, id.0), &WorkRecord { due_at: cx.now, unknowns: 0 })?;
    Ok(Outcome::Noticed { repeated: false })
}

/// Takes in what came of asking.
pub fn answered<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: NoticeId,
    answer: &NoticeAnswer,
) -> Result<Outcome> {
    let report = match answer {
        NoticeAnswer::Unknown => {
            charge::postpone(state, cx, WorkKind::Notice, id.0)?;
            return Ok(Outcome::Done);
        }
        NoticeAnswer::Nothing => None,
        NoticeAnswer::Charge(report) => Some(report),
    };
    state.delete::<Work>(&(WorkKind::Notice, id.0));
    if let (Some(report), Some(notice)) = (report, state.get::<Notices>(&id)?) {
        reported(state, cx, &notice.gateway, report)?;
    }
    Ok(Outcome::Done)
}

/// Takes in how a charge stands. One that is not what was asked for here is somebody else's: nothing changes.
fn reported<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    gateway: &str,
    report: &ChargeReport,
) -> Result<()> {
    let id = report.purchase;
    let Some(mut record) = state.get::<Purchases>(&id)? else { return Ok(()) };
    let own = record.confirmation.as_ref().is_some_and(|confirmation| confirmation.gateway == gateway);
    let price = record.price;
    let Some(attempt) = record.attempts.iter_mut().find(|attempt| attempt.number == report.attempt) else {
        return Ok(());
    };
    let same = attempt.reference.as_ref().is_none_or(|reference| *reference == report.reference);
    if !own || !same || price != report.money {
        return Ok(());
    }
    let moved = matches!(report.answer, ChargeAnswer::Paid | ChargeAnswer::Declined(_));
    if moved && attempt.reference.is_none() {
        // Its creation was lost, and it was found after all: without its name it could not be given back.
        attempt.reference = Some(report.reference.clone());
        state.put::<Purchases>(&id, &record)?;
    }
    let waits = record
        .attempts
        .iter()
        .any(|attempt| attempt.number == report.attempt && attempt.state == AttemptState::Waiting);
    if waits && report.answer != ChargeAnswer::Paid {
        // Its owner may still be on the gateway's page: the worker has it cancelled before it counts as refused.
        owner::look(state, cx, id)?;
    } else if moved {
        charge::answered(state, cx, id, report.attempt, &report.answer)?;
    }
    let record = state.must::<Purchases>(&id)?;
    let paid = |number: u32| {
        let mut attempts = record.attempts.iter();
        attempts.any(|attempt| attempt.number == number && attempt.state == AttemptState::Paid)
    };
    if paid(report.attempt) {
        for refund in &report.refunds {
            refund::told(state, cx, id, report.attempt, refund)?;
        }
        for dispute in report.disputes.iter().filter(|dispute| dispute.amount.currency == price.currency) {
            dispute::told(state, cx, id, report.attempt, dispute)?;
        }
    }
    account::finish_erasing(state, cx, record.account)
}

/// Forgets notices that no gateway repeats any more; returns how many.
pub fn clean<S: Write>(state: &mut S, now: Time, slice: usize) -> Result<usize> {
    let until = NoticeId::first_at(now.plus_seconds(-KEEP_SECONDS));
    let old = state.first::<Notices>(&Span::all().before(&until.encode()), slice)?;
    for (id, notice) in &old {
        state.delete::<Notices>(id);
        state.delete::<NoticesSeen>(&Text(format!("{} {}", notice.gateway, notice.event)));
        state.delete::<Work>(&(WorkKind::Notice, id.0));
    }
    Ok(old.len())
}
