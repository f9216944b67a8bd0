//! The append-only log of everything that happened: sequence = commit order, ids only.

use super::id::MerchantId;
use super::record::{EventKind, EventRecord, PurchaseRecord};
use super::state::Write;
use super::table::{Counter, Counters, Events, Offers};
use super::time::Time;
use super::{id::PurchaseId, refusal::Result};

impl EventKind {
    /// Every type.
    pub const ALL: &'static [Self] = &[
        Self::OfferCreated,
        Self::OfferUpdated,
        Self::OfferEnded,
        Self::AccountCreated,
        Self::AccountUpdated,
        Self::AccountErased,
        Self::PurchasePending,
        Self::PurchaseConfirmed,
        Self::PurchasePaid,
        Self::PurchaseDeclined,
        Self::PurchaseExpired,
        Self::PurchaseCancelled,
        Self::PurchaseRefunded,
        Self::OrderCreated,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::OrderCancelled,
        Self::ReplySent,
        Self::ReplyFailed,
        Self::DealEnrolled,
        Self::DealCredited,
        Self::PurchaseDisputed,
        Self::DisputeClosed,
        Self::RefundFailed,
        Self::PurchaseAuthenticationRequired,
    ];

    /// The type as the API writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::OfferCreated => "offer.created",
            Self::OfferUpdated => "offer.updated",
            Self::OfferEnded => "offer.ended",
            Self::AccountCreated => "account.created",
            Self::AccountUpdated => "account.updated",
            Self::AccountErased => "account.erased",
            Self::PurchasePending => "purchase.pending",
            Self::PurchaseConfirmed => "purchase.confirmed",
            Self::PurchasePaid => "purchase.paid",
            Self::PurchaseDeclined => "purchase.declined",
            Self::PurchaseExpired => "purchase.expired",
            Self::PurchaseCancelled => "purchase.cancelled",
            Self::PurchaseRefunded => "purchase.refunded",
            Self::OrderCreated => "order.created",
            Self::OrderShipped => "order.shipped",
            Self::OrderDelivered => "order.delivered",
            Self::OrderCancelled => "order.cancelled",
            Self::ReplySent => "reply.sent",
            Self::ReplyFailed => "reply.failed",
            Self::DealEnrolled => "deal.enrolled",
            Self::DealCredited => "deal.credited",
            Self::PurchaseDisputed => "purchase.disputed",
            Self::DisputeClosed => "purchase.dispute_closed",
            Self::RefundFailed => "refund.failed",
            Self::PurchaseAuthenticationRequired => "purchase.authentication_required",
        }
    }
}

impl EventRecord {
    /// An event about nothing yet.
    pub fn new(kind: EventKind, at: Time) -> Self {
        Self {
            kind,
            at,
            merchant: None,
            offer: None,
            account: None,
            purchase: None,
            order: None,
            refund: None,
            reply: None,
            enrolment: None,
            credit: None,
            dispute: None,
        }
    }

    /// An event about a purchase; `merchant` is who sells it.
    pub fn of_purchase(
        kind: EventKind,
        at: Time,
        merchant: MerchantId,
        id: PurchaseId,
        purchase: &PurchaseRecord,
    ) -> Self {
        Self {
            merchant: Some(merchant),
            offer: Some(purchase.offer),
            account: Some(purchase.account),
            purchase: Some(id),
            order: purchase.order,
            ..Self::new(kind, at)
        }
    }
}

/// Appends `event` to the log.
pub fn log<S: Write>(state: &mut S, event: &EventRecord) -> Result<()> {
    let sequence = state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0).saturating_add(1);
    state.put::<Counters>(&Counter::LastEvent, &sequence)?;
    state.put::<Events>(&sequence, event)?;
    Ok(())
}

/// Appends an event about a purchase to the log.
pub fn log_purchase<S: Write>(
    state: &mut S,
    kind: EventKind,
    at: Time,
    id: PurchaseId,
    purchase: &PurchaseRecord,
) -> Result<()> {
    let merchant = state.must::<Offers>(&purchase.offer)?.merchant;
    log(state, &EventRecord::of_purchase(kind, at, merchant, id, purchase))
}
