//! Money given back: objects with their own key and state; together never more than was captured.

use super::charge;
use super::command::{Outcome, RefundAnswer};
use super::context::Context;
use super::id::{PurchaseId, RefundId};
use super::journal::Subject;
use super::money::Money;
use super::record::{
    DisputeStatus, EntryKind, EventKind, EventRecord, PurchaseRecord, PurchaseStatus, RefundRecord,
    RefundStatus, WorkKind, WorkRecord,
};
use super::refusal::{Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Offers, Orders, Purchases, Refunds, Work};
use super::{account, dispute, event, journal, order, purchase, stock, waiting};

/// Asks for money to be given back: all that is left of it without an amount.
pub fn begin<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    amount: Option<i64>,
    restock: bool,
) -> Result<Outcome> {
    let mut record = purchase::must_find(state, id)?;
    if record.status != PurchaseStatus::Paid {
        let detail = match record.status {
            PurchaseStatus::Refunded => "This purchase is refunded in full already.",
            PurchaseStatus::Capturing => "This purchase is not charged yet; wait for the gateway's answer.",
            _ => "This purchase was never charged.",
        };
        return Err(Refusal::conflict(detail).into());
    }
    if dispute::any(state, &record, DisputeStatus::stops_refunds)? {
        let detail = "This purchase is disputed: its bank has the money, or gives it back itself. Answer the dispute \
                      at the gateway.";
        return Err(Refusal::conflict(detail).into());
    }
    let taken = charge::refunded_amount(state, &record, |status| status != RefundStatus::Failed)?;
    let left = record.price.amount.saturating_sub(taken);
    if left == 0 {
        return Err(Refusal::conflict("All of this purchase is being refunded already.").into());
    }
    let amount = amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        return Err(
            Refusal::invalid("amount", format!("must be from 1 to {left}, what is left of it")).into()
        );
    }
    check_restock(state, &record, restock, amount == left)?;
    let Some(attempt) = charge::order_attempt(state, &record)? else {
        return Err(Refusal::conflict("No charge of this purchase succeeded.").into());
    };
    let refund_id = RefundId(cx.id());
    let refund = RefundRecord {
        purchase: id,
        attempt,
        amount: Money { amount, currency: record.price.currency },
        restock,
        automatic: false,
        status: RefundStatus::Pending,
        reference: None,
        created_at: cx.now,
        external: false,
        returned: false,
    };
    record.refunds.push(refund_id);
    state.put::<Refunds>(&refund_id, &refund)?;
    state.put::<Purchases>(&id, &record)?;
    state.put::<Work>(&(WorkKind::Refund, refund_id.0), &WorkRecord { due_at: cx.now, unknowns: 0 })?;
    Ok(Outcome::Purchase(id))
}

fn check_restock<S: Write>(state: &S, record: &PurchaseRecord, restock: bool, all: bool) -> Result<()> {
    if !restock {
        return Ok(());
    }
    if !all {
        return Err(Refusal::invalid("restock", "goes only with a refund of all that is left").into());
    }
    if let Some(order) = record.order
        && !order::is_untouched(&state.must::<Orders>(&order)?)
    {
        return Err(Refusal::invalid("restock", "is not possible: the order was shipped").into());
    }
    Ok(())
}

/// Whether a refund that succeeded says that the unit goes back: refunds may be answered in any order.
fn restocks<S: Write>(state: &S, record: &PurchaseRecord) -> Result<bool> {
    for id in &record.refunds {
        let refund = state.must::<Refunds>(id)?;
        if refund.restock && refund.status == RefundStatus::Succeeded {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes in what the gateway said about a refund.
pub fn answered<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: RefundId,
    answer: &RefundAnswer,
) -> Result<Outcome> {
    let Some(mut refund) = state.get::<Refunds>(&id)? else {
        return Err(Refusal::not_found("refund").into());
    };
    if refund.status != RefundStatus::Pending {
        return Ok(Outcome::Purchase(refund.purchase));
    }
    let work = (WorkKind::Refund, id.0);
    match answer {
        RefundAnswer::Unknown => charge::postpone(state, cx, work.0, work.1)?,
        RefundAnswer::Failed(code) => {
            refund.status = RefundStatus::Failed;
            refund.reference = Some(code.clone());
            state.put::<Refunds>(&id, &refund)?;
            state.delete::<Work>(&work);
            failed(state, cx, id, &refund)?;
        }
        RefundAnswer::Succeeded(reference) => {
            refund.status = RefundStatus::Succeeded;
            refund.reference = Some(reference.clone());
            state.put::<Refunds>(&id, &refund)?;
            state.delete::<Work>(&work);
            succeeded(state, cx, id, &refund)?;
        }
    }
    let account = state.must::<Purchases>(&refund.purchase)?.account;
    account::finish_erasing(state, cx, account)?;
    Ok(Outcome::Purchase(refund.purchase))
}

fn succeeded<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: RefundId,
    refund: &RefundRecord,
) -> Result<()> {
    let mut record = state.must::<Purchases>(&refund.purchase)?;
    let kind = if refund.automatic { EntryKind::LateRefund } else { EntryKind::Refund };
    enter(state, cx, kind, id, refund, &record)?;
    if refund.automatic {
        return Ok(());
    }
    let back = charge::refunded_amount(state, &record, |status| status == RefundStatus::Succeeded)?;
    let merchant = state.must::<Offers>(&record.offer)?.merchant;
    let event =
        EventRecord::of_purchase(EventKind::PurchaseRefunded, cx.now, merchant, refund.purchase, &record);
    event::log(state, &EventRecord { refund: Some(id), ..event })?;
    if back < record.price.amount {
        return Ok(());
    }
    purchase::count(state, (refund.purchase, &record), false)?;
    record.status = PurchaseStatus::Refunded;
    state.put::<Purchases>(&refund.purchase, &record)?;
    let unshipped = match record.order {
        Some(order) => order::cancel_unshipped(state, cx, order)?,
        None => false,
    };
    if unshipped && restocks(state, &record)? && stock::restock(state, record.piece())? {
        waiting::serve(state, cx, record.offer, record.variant.as_deref())?;
    }
    Ok(())
}

/// It came to nothing: a person has to look.
fn failed<S: Write>(state: &mut S, cx: &Context<'_>, id: RefundId, refund: &RefundRecord) -> Result<()> {
    let record = state.must::<Purchases>(&refund.purchase)?;
    let merchant = state.must::<Offers>(&record.offer)?.merchant;
    let event = EventRecord::of_purchase(EventKind::RefundFailed, cx.now, merchant, refund.purchase, &record);
    event::log(state, &EventRecord { refund: Some(id), ..event })
}

fn enter<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    kind: EntryKind,
    id: RefundId,
    refund: &RefundRecord,
    record: &PurchaseRecord,
) -> Result<()> {
    let gateway = record.confirmation.as_ref().map_or("", |confirmation| confirmation.gateway.as_str());
    let reference = refund.reference.as_deref().unwrap_or_default();
    let about = Subject::new(record.offer, refund.amount, gateway, reference);
    journal::write(state, cx, kind, Subject { purchase: Some(refund.purchase), refund: Some(id), ..about })
}

/// How a refund stands at its gateway, whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundReport {
    /// The gateway's name for it.
    pub reference: String,
    /// Ours, where the till asked for it.
    pub own: Option<RefundId>,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
}

/// Takes in how a refund stands; one that was made at the gateway by somebody else becomes one of ours.
pub fn told<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    attempt: u32,
    report: &RefundReport,
) -> Result<()> {
    let record = state.must::<Purchases>(&id)?;
    let Some((refund_id, mut refund)) = find(state, &record, report)? else {
        return found(state, cx, id, record, attempt, report);
    };
    match (refund.status, report.status) {
        (RefundStatus::Pending, RefundStatus::Succeeded) => {
            let answer = RefundAnswer::Succeeded(report.reference.clone());
            answered(state, cx, refund_id, &answer).map(drop)
        }
        (RefundStatus::Pending, RefundStatus::Failed) => {
            answered(state, cx, refund_id, &RefundAnswer::Failed(report.reference.clone())).map(drop)
        }
        (RefundStatus::Succeeded, RefundStatus::Failed) => {
            refund.status = RefundStatus::Failed;
            refund.returned = true;
            state.put::<Refunds>(&refund_id, &refund)?;
            came_back(state, cx, refund_id, &refund, record)
        }
        _ => Ok(()),
    }
}

fn find<S: Read>(
    state: &S,
    record: &PurchaseRecord,
    report: &RefundReport,
) -> Result<Option<(RefundId, RefundRecord)>, StateError> {
    for id in &record.refunds {
        let refund = state.must::<Refunds>(id)?;
        let named = refund.status == RefundStatus::Succeeded || refund.external || refund.returned;
        if report.own == Some(*id) || (named && refund.reference.as_ref() == Some(&report.reference)) {
            return Ok(Some((*id, refund)));
        }
    }
    Ok(None)
}

/// Somebody gave money back at the gateway.
fn found<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    mut record: PurchaseRecord,
    attempt: u32,
    report: &RefundReport,
) -> Result<()> {
    let sum = charge::refunded_amount(state, &record, |status| status == RefundStatus::Succeeded)?;
    let fits = report.amount.currency == record.price.currency
        && report.amount.amount > 0
        && sum.saturating_add(report.amount.amount) <= record.price.amount;
    if report.status != RefundStatus::Succeeded || !fits {
        return Ok(());
    }
    let refund = RefundRecord {
        purchase: id,
        attempt,
        amount: report.amount,
        restock: false,
        automatic: charge::order_attempt(state, &record)? != Some(attempt),
        status: RefundStatus::Succeeded,
        reference: Some(report.reference.clone()),
        created_at: cx.now,
        external: true,
        returned: false,
    };
    let refund_id = RefundId(cx.id());
    record.refunds.push(refund_id);
    state.put::<Refunds>(&refund_id, &refund)?;
    state.put::<Purchases>(&id, &record)?;
    succeeded(state, cx, refund_id, &refund)
}

/// A refund had succeeded, and its bank sent it back: the purchase is paid again, and a person has to look. Its order
/// stays as it is, and so does a unit that went back into stock.
fn came_back<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: RefundId,
    refund: &RefundRecord,
    mut record: PurchaseRecord,
) -> Result<()> {
    let kind = if refund.automatic { EntryKind::LateRefundReturned } else { EntryKind::RefundReturned };
    enter(state, cx, kind, id, refund, &record)?;
    if record.status == PurchaseStatus::Refunded && !refund.automatic {
        purchase::count(state, (refund.purchase, &record), true)?;
        record.status = PurchaseStatus::Paid;
        state.put::<Purchases>(&refund.purchase, &record)?;
    }
    failed(state, cx, id, refund)
}
