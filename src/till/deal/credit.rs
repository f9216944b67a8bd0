//! A credit's way through the gateway, in the same steps as a charge: created, its reference committed, confirmed; what
//! is unknown is asked about. What is no longer due is taken back once it was credited.

use super::super::charge::postpone;
use super::super::command::{ChargeAnswer, Outcome, RefundAnswer};
use super::super::context::Context;
use super::super::id::{AccountId, CreditId, EnrolmentId};
use super::super::journal::{self, Subject};
use super::super::money::Money;
use super::super::record::{
    Attempt, AttemptState, CreditRecord, CreditStatus, EnrolmentRecord, EntryKind, EventKind, EventRecord,
    OfferStatus, RefundStatus, ReversalRecord, WorkKind, WorkRecord,
};
use super::super::refusal::{Refusal, Result};
use super::super::state::{Direction, Key as _, Read, Span, StateError, Write};
use super::super::table::{
    AccountCredits, Accounts, Credits, Deals, Enrolments, OfferVersions, Offers, Work,
};
use super::super::{account, event};
use std::ops::ControlFlow;

/// Begins a credit of `amount` minor units, if the budget covers it; without enough of it the deal is over.
pub fn begin<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    (enrolment_id, mut enrolment): (EnrolmentId, EnrolmentRecord),
    (transaction, spent): (&str, Money),
    amount: i64,
) -> Result<Option<CreditId>> {
    let mut offer = state.must::<Offers>(&enrolment.offer)?;
    let mut deal = state.must::<Deals>(&enrolment.offer)?;
    let total = deal.amount.saturating_add(amount);
    let budget = offer.deal.and_then(|terms| terms.budget).map(|budget| budget.amount);
    let covered = budget.is_none_or(|budget| total <= budget);
    let least = offer.deal.map_or(1, |terms| terms.least());
    let left = budget.map(|budget| budget.saturating_sub(if covered { total } else { deal.amount }));
    if (!covered || left.is_some_and(|left| left < least)) && offer.status != OfferStatus::Ended {
        offer.status = OfferStatus::Ended;
        offer.ended_at = Some(cx.now);
        offer.version = offer.version.saturating_add(1);
        state.put::<Offers>(&enrolment.offer, &offer)?;
        state.put::<OfferVersions>(&(enrolment.offer, offer.version), &offer)?;
        let event = EventRecord {
            merchant: Some(offer.merchant),
            offer: Some(enrolment.offer),
            ..EventRecord::new(EventKind::OfferEnded, cx.now)
        };
        event::log(state, &event)?;
    }
    if !covered {
        return Ok(None);
    }
    deal.amount = total;
    deal.credits = deal.credits.saturating_add(1);
    state.put::<Deals>(&enrolment.offer, &deal)?;
    enrolment.credits = enrolment.credits.saturating_add(1);
    state.put::<Enrolments>(&enrolment_id, &enrolment)?;
    let Some(person) = state.must::<Accounts>(&enrolment.account)?.person else {
        return Err(StateError("a linked account has no person".to_owned()).into());
    };
    let id = CreditId(cx.id());
    let credit = CreditRecord {
        offer: enrolment.offer,
        enrolment: enrolment_id,
        account: enrolment.account,
        transaction: transaction.to_owned(),
        amount: Money { amount, currency: spent.currency },
        due: amount,
        status: CreditStatus::Pending,
        gateway: person.payment_method.gateway,
        customer: person.payment_method.customer,
        method: person.payment_method.token,
        attempts: vec![attempt(cx, 1)],
        reversals: Vec::new(),
        created_at: cx.now,
        settled_at: None,
    };
    state.put::<Credits>(&id, &credit)?;
    state.put::<AccountCredits>(&(credit.account, id), &())?;
    ask(state, cx, WorkKind::Credit, id)?;
    Ok(Some(id))
}

fn attempt(cx: &Context<'_>, number: u32) -> Attempt {
    Attempt { number, state: AttemptState::New, reference: None, created_at: cx.now }
}

fn ask<S: Write>(state: &mut S, cx: &Context<'_>, kind: WorkKind, id: CreditId) -> Result<()> {
    Ok(state.put::<Work>(&(kind, id.0), &WorkRecord { due_at: cx.now, unknowns: 0 })?)
}

/// Takes in what the gateway said about an attempt to credit.
pub fn answered<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: CreditId,
    number: u32,
    answer: &ChargeAnswer,
) -> Result<Outcome> {
    let mut credit = must_find(state, id)?;
    let Some(attempt) = credit.attempts.iter_mut().find(|attempt| attempt.number == number) else {
        return Err(Refusal::not_found("attempt").into());
    };
    if attempt.is_settled_for(answer) {
        return Ok(Outcome::Credit(id));
    }
    match answer {
        ChargeAnswer::Created(reference) => {
            attempt.reference = Some(reference.clone());
            attempt.state = AttemptState::Created;
            state.put::<Credits>(&id, &credit)?;
        }
        // Nobody is asked to allow what they are given.
        ChargeAnswer::Unknown | ChargeAnswer::NeedsOwner => postpone(state, cx, WorkKind::Credit, id.0)?,
        ChargeAnswer::Lost => {
            attempt.state = AttemptState::Lost;
            credit.attempts.push(self::attempt(cx, number.saturating_add(1)));
            state.put::<Credits>(&id, &credit)?;
            ask(state, cx, WorkKind::Credit, id)?;
        }
        ChargeAnswer::Declined(code) => {
            attempt.state = AttemptState::Declined(code.clone());
            state.put::<Credits>(&id, &credit)?;
            declined(state, cx, id, credit)?;
        }
        ChargeAnswer::Paid => {
            attempt.state = AttemptState::Paid;
            let (reference, amount) = (attempt.reference.clone().unwrap_or_default(), credit.amount);
            enter(state, cx, EntryKind::Credit, id, &credit, amount, &reference)?;
            paid(state, cx, id, credit, number)?;
        }
    }
    Ok(Outcome::Credit(id))
}

/// What went to a card, or came back from it, goes into the books.
fn enter<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    kind: EntryKind,
    id: CreditId,
    credit: &CreditRecord,
    amount: Money,
    reference: &str,
) -> Result<()> {
    let about = Subject::new(credit.offer, amount, &credit.gateway, reference);
    journal::write(state, cx, kind, Subject { credit: Some(id), ..about })
}

fn paid<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: CreditId,
    mut credit: CreditRecord,
    number: u32,
) -> Result<()> {
    if credit.status != CreditStatus::Pending {
        // It came after the end, or twice: all of that attempt is taken back.
        let amount = credit.amount.amount;
        return take_back(state, cx, id, credit, number, amount);
    }
    credit.status = CreditStatus::Credited;
    credit.settled_at = Some(cx.now);
    state.put::<Credits>(&id, &credit)?;
    state.delete::<Work>(&(WorkKind::Credit, id.0));
    let merchant = state.must::<Offers>(&credit.offer)?.merchant;
    let event = EventRecord {
        merchant: Some(merchant),
        offer: Some(credit.offer),
        account: Some(credit.account),
        enrolment: Some(credit.enrolment),
        credit: Some(id),
        ..EventRecord::new(EventKind::DealCredited, cx.now)
    };
    event::log(state, &event)?;
    let (account, too_much) = (credit.account, credit.amount.amount.saturating_sub(credit.due));
    if too_much > 0 {
        take_back(state, cx, id, credit, number, too_much)?;
    }
    account::finish_erasing(state, cx, account)
}

fn declined<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: CreditId,
    mut credit: CreditRecord,
) -> Result<()> {
    if credit.status != CreditStatus::Pending {
        return Ok(());
    }
    state.delete::<Work>(&(WorkKind::Credit, id.0));
    release(state, &credit, credit.due, credit.due > 0)?;
    credit.status = CreditStatus::Failed;
    credit.due = 0;
    credit.settled_at = Some(cx.now);
    state.put::<Credits>(&id, &credit)?;
    account::finish_erasing(state, cx, credit.account)
}

/// Gives an amount back to the budget; and where nothing stays due, the credit to its enrolment: it may be earned anew.
fn release<S: Write>(state: &mut S, credit: &CreditRecord, amount: i64, whole: bool) -> Result<()> {
    let mut deal = state.must::<Deals>(&credit.offer)?;
    deal.amount = deal.amount.saturating_sub(amount);
    deal.credits = deal.credits.saturating_sub(u64::from(whole));
    state.put::<Deals>(&credit.offer, &deal)?;
    if whole {
        let mut enrolment = state.must::<Enrolments>(&credit.enrolment)?;
        enrolment.credits = enrolment.credits.saturating_sub(1);
        state.put::<Enrolments>(&credit.enrolment, &enrolment)?;
    }
    Ok(())
}

/// Only `due` minor units of a credit stay: the rest is taken back, now or once it was credited.
pub fn lower<S: Write>(state: &mut S, cx: &mut Context<'_>, id: CreditId, due: i64) -> Result<()> {
    let mut credit = state.must::<Credits>(&id)?;
    let less = credit.due.saturating_sub(due);
    if less <= 0 {
        return Ok(());
    }
    release(state, &credit, less, due == 0)?;
    credit.due = due;
    state.put::<Credits>(&id, &credit)?;
    let paid = credit.attempts.iter().find(|attempt| attempt.state == AttemptState::Paid);
    if credit.status == CreditStatus::Credited
        && let Some(number) = paid.map(|attempt| attempt.number)
    {
        take_back(state, cx, id, credit, number, less)?;
    }
    Ok(())
}

/// Asks the gateway to take something back.
fn take_back<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: CreditId,
    mut credit: CreditRecord,
    attempt: u32,
    amount: i64,
) -> Result<()> {
    let number = u32::try_from(credit.reversals.len()).unwrap_or(u32::MAX).saturating_add(1);
    let status = RefundStatus::Pending;
    credit.reversals.push(ReversalRecord { number, attempt, amount, status, reference: None });
    state.put::<Credits>(&id, &credit)?;
    ask(state, cx, WorkKind::Reversal, id)
}

/// Takes in what the gateway said about taking something back.
pub fn reversed<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: CreditId,
    number: u32,
    answer: &RefundAnswer,
) -> Result<Outcome> {
    let mut credit = must_find(state, id)?;
    let Some(reversal) = credit.reversals.iter_mut().find(|reversal| reversal.number == number) else {
        return Err(Refusal::not_found("reversal").into());
    };
    if reversal.status != RefundStatus::Pending {
        return Ok(Outcome::Credit(id));
    }
    match answer {
        RefundAnswer::Unknown => {
            postpone(state, cx, WorkKind::Reversal, id.0)?;
            return Ok(Outcome::Credit(id));
        }
        RefundAnswer::Succeeded(reference) => {
            reversal.status = RefundStatus::Succeeded;
            reversal.reference = Some(reference.clone());
            let amount = Money { amount: reversal.amount, ..credit.amount };
            enter(state, cx, EntryKind::CreditReversal, id, &credit, amount, reference)?;
        }
        RefundAnswer::Failed(code) => {
            reversal.status = RefundStatus::Failed;
            reversal.reference = Some(code.clone());
        }
    }
    let open = credit.reversals.iter().any(|reversal| reversal.status == RefundStatus::Pending);
    if !open {
        state.delete::<Work>(&(WorkKind::Reversal, id.0));
        let failed = credit.reversals.iter().any(|reversal| reversal.status == RefundStatus::Failed);
        if credit.status == CreditStatus::Credited && credit.due == 0 && !failed {
            credit.status = CreditStatus::Reversed;
        }
    }
    state.put::<Credits>(&id, &credit)?;
    account::finish_erasing(state, cx, credit.account)?;
    Ok(Outcome::Credit(id))
}

/// Whether a gateway still has to say something about a credit.
pub fn is_open(credit: &CreditRecord) -> bool {
    credit.status == CreditStatus::Pending
        || credit.reversals.iter().any(|reversal| reversal.status == RefundStatus::Pending)
}

/// The credits of an account, oldest first.
pub fn of_account<S: Read>(state: &S, account: AccountId) -> Result<Vec<CreditId>, StateError> {
    let mut ids = Vec::new();
    state.scan::<AccountCredits>(&Span::prefix(account.encode()), Direction::Up, |(_, id), ()| {
        ids.push(id);
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

/// The credit that a call names.
pub fn must_find<S: Read>(state: &S, id: CreditId) -> Result<CreditRecord> {
    state.get::<Credits>(&id)?.ok_or_else(|| Refusal::not_found("credit").into())
}
