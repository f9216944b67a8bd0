//! Disputes: a buyer asks the bank to take a charge back. Until that is decided nothing is shipped, and nothing given
//! back a second time.

use super::context::Context;
use super::id::{DisputeId, PurchaseId};
use super::journal::{self, Subject};
use super::money::Money;
use super::record::{DisputeRecord, DisputeStatus, EntryKind, EventKind, EventRecord, PurchaseRecord};
use super::refusal::Result;
use super::state::{Read, StateError, Write};
use super::table::{Disputes, Offers, Orders, Purchases};
use super::{event, purchase};

/// How a dispute stands at its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeReport {
    /// The gateway's name for it.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// Why, in the gateway's word.
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
}

/// Takes in how a dispute stands. What was decided stays so: news may arrive in any order.
pub fn told<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: PurchaseId,
    attempt: u32,
    report: &DisputeReport,
) -> Result<()> {
    let mut record = purchase::must_find(state, id)?;
    let known = find(state, &record, &report.reference)?;
    let fresh = known.is_none();
    let (dispute_id, mut dispute) =
        known.unwrap_or_else(|| (DisputeId(cx.id()), new(cx, id, attempt, report)));
    let before = dispute.status;
    let decided = matches!(before, DisputeStatus::Won | DisputeStatus::Lost);
    if !fresh && (before == report.status || decided) {
        return Ok(());
    }
    dispute.status = report.status;
    let gateway = record.confirmation.as_ref().map_or("", |confirmation| confirmation.gateway.as_str());
    let entry = Subject {
        purchase: Some(id),
        dispute: Some(dispute_id),
        ..Subject::new(record.offer, dispute.amount, gateway, &dispute.reference)
    };
    let gone = report.status.stops_refunds();
    if gone != dispute.withdrawn {
        let kind = if gone { EntryKind::Dispute } else { EntryKind::DisputeWon };
        journal::write(state, cx, kind, entry)?;
        dispute.withdrawn = gone;
    }
    let over = matches!(report.status, DisputeStatus::Won | DisputeStatus::Lost);
    dispute.closed_at = over.then_some(cx.now);
    state.put::<Disputes>(&dispute_id, &dispute)?;
    if fresh {
        record.disputes.push(dispute_id);
        state.put::<Purchases>(&id, &record)?;
        log(state, cx, EventKind::PurchaseDisputed, id, &record, dispute_id)?;
    }
    if over {
        log(state, cx, EventKind::DisputeClosed, id, &record, dispute_id)?;
    }
    mark_order(state, &record)
}

fn new(cx: &Context<'_>, purchase: PurchaseId, attempt: u32, report: &DisputeReport) -> DisputeRecord {
    DisputeRecord {
        purchase,
        attempt,
        amount: report.amount,
        reference: report.reference.clone(),
        reason: report.reason.clone(),
        status: report.status,
        withdrawn: false,
        created_at: cx.now,
        closed_at: None,
    }
}

fn find<S: Read>(
    state: &S,
    record: &PurchaseRecord,
    reference: &str,
) -> Result<Option<(DisputeId, DisputeRecord)>, StateError> {
    for id in &record.disputes {
        let dispute = state.must::<Disputes>(id)?;
        if dispute.reference == reference {
            return Ok(Some((*id, dispute)));
        }
    }
    Ok(None)
}

/// Whether any dispute of a purchase stands so.
pub fn any<S: Read>(
    state: &S,
    record: &PurchaseRecord,
    stands: impl Fn(DisputeStatus) -> bool,
) -> Result<bool, StateError> {
    for id in &record.disputes {
        if stands(state.must::<Disputes>(id)?.status) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The merchant sees on the order whether it may be shipped.
fn mark_order<S: Write>(state: &mut S, record: &PurchaseRecord) -> Result<()> {
    let Some(id) = record.order else { return Ok(()) };
    let disputed = any(state, record, DisputeStatus::stops_shipping)?;
    let mut order = state.must::<Orders>(&id)?;
    if order.disputed != disputed {
        order.disputed = disputed;
        state.put::<Orders>(&id, &order)?;
    }
    Ok(())
}

fn log<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    kind: EventKind,
    id: PurchaseId,
    record: &PurchaseRecord,
    dispute: DisputeId,
) -> Result<()> {
    let merchant = state.must::<Offers>(&record.offer)?.merchant;
    let event = EventRecord::of_purchase(kind, cx.now, merchant, id, record);
    event::log(state, &EventRecord { dispute: Some(dispute), ..event })
}
