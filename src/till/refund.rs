//! Money given back: objects with their own key and state; together never more than was captured.

use super::charge;
use super::command::{Outcome, RefundAnswer};
use super::context::Context;
use super::id::{PurchaseId, RefundId};
use super::money::Money;
use super::record::{
    EventKind, EventRecord, OrderStatus, PurchaseRecord, PurchaseStatus, RefundRecord, RefundStatus,
    WorkKind, WorkRecord,
};
use super::refusal::{Refusal, Result};
use super::state::Write;
use super::table::{Offers, Orders, Purchases, Refunds, Work};
use super::{account, event, order, purchase, stock, waiting};

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
        && state.must::<Orders>(&order)?.status != OrderStatus::Unfulfilled
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
        }
        RefundAnswer::Succeeded(reference) => {
            refund.status = RefundStatus::Succeeded;
            refund.reference = Some(reference.clone());
            state.put::<Refunds>(&id, &refund)?;
            state.delete::<Work>(&work);
            if !refund.automatic {
                succeeded(state, cx, id, &refund)?;
            }
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
    let back = charge::refunded_amount(state, &record, |status| status == RefundStatus::Succeeded)?;
    let merchant = state.must::<Offers>(&record.offer)?.merchant;
    let event =
        EventRecord::of_purchase(EventKind::PurchaseRefunded, cx.now, merchant, refund.purchase, &record);
    event::log(state, &EventRecord { refund: Some(id), ..event })?;
    if back < record.price.amount {
        return Ok(());
    }
    purchase::count(state, &record, false)?;
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
