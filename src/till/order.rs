//! Orders: what the merchant ships.

use super::charge;
use super::command::Outcome;
use super::context::Context;
use super::id::{MerchantId, OrderId};
use super::record::{EventKind, EventRecord, OrderRecord, OrderStatus, RefundStatus};
use super::refusal::{Refusal, Result};
use super::state::{Read, Write};
use super::table::{Orders, Purchases};
use super::{account, check, event};

/// The order that a call names; another merchant's is not found.
pub fn must_find<S: Read>(state: &S, id: OrderId, merchant: Option<MerchantId>) -> Result<OrderRecord> {
    match state.get::<Orders>(&id)? {
        Some(order) if merchant.is_none_or(|own| own == order.merchant) => Ok(order),
        _ => Err(Refusal::not_found("order").into()),
    }
}

/// The merchant has shipped it.
pub fn ship<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OrderId,
    merchant: Option<MerchantId>,
    carrier: Option<&String>,
    tracking_number: Option<&String>,
) -> Result<Outcome> {
    let mut order = must_find(state, id, merchant)?;
    check::optional_text("carrier", carrier, 100)?;
    check::optional_text("tracking_number", tracking_number, 100)?;
    if order.status != OrderStatus::Unfulfilled {
        return Err(Refusal::conflict(format!("This order is {} already.", order.status.word())).into());
    }
    let purchase = state.must::<Purchases>(&order.purchase)?;
    let back = charge::refunded_amount(state, &purchase, |status| status != RefundStatus::Failed)?;
    if back >= purchase.price.amount {
        return Err(Refusal::conflict("This order is being refunded in full; do not ship it.").into());
    }
    order.status = OrderStatus::Shipped;
    order.shipped_at = Some(cx.now);
    order.carrier = carrier.cloned();
    order.tracking_number = tracking_number.cloned();
    state.put::<Orders>(&id, &order)?;
    log(state, cx, EventKind::OrderShipped, id, &order)?;
    account::order_closed(state, order.account, id)?;
    Ok(Outcome::Order(id))
}

/// It has arrived.
pub fn deliver<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OrderId,
    merchant: Option<MerchantId>,
) -> Result<Outcome> {
    let mut order = must_find(state, id, merchant)?;
    match order.status {
        OrderStatus::Shipped => {}
        OrderStatus::Unfulfilled => {
            return Err(Refusal::conflict("This order is not shipped yet; ship it first.").into());
        }
        OrderStatus::Delivered | OrderStatus::Cancelled => {
            let detail = format!("This order is {} already.", order.status.word());
            return Err(Refusal::conflict(detail).into());
        }
    }
    order.status = OrderStatus::Delivered;
    order.delivered_at = Some(cx.now);
    state.put::<Orders>(&id, &order)?;
    log(state, cx, EventKind::OrderDelivered, id, &order)?;
    Ok(Outcome::Order(id))
}

/// Cancels an order that was refunded in full; returns whether nothing of it had shipped.
pub fn cancel_unshipped<S: Write>(state: &mut S, cx: &Context<'_>, id: OrderId) -> Result<bool> {
    let mut order = state.must::<Orders>(&id)?;
    if order.status != OrderStatus::Unfulfilled {
        return Ok(false);
    }
    order.status = OrderStatus::Cancelled;
    state.put::<Orders>(&id, &order)?;
    log(state, cx, EventKind::OrderCancelled, id, &order)?;
    account::order_closed(state, order.account, id)?;
    Ok(true)
}

impl OrderStatus {
    /// As a sentence names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unfulfilled => "unfulfilled",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

fn log<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    kind: EventKind,
    id: OrderId,
    order: &OrderRecord,
) -> Result<()> {
    let event = EventRecord {
        merchant: Some(order.merchant),
        offer: Some(order.offer),
        account: Some(order.account),
        purchase: Some(order.purchase),
        order: Some(id),
        ..EventRecord::new(kind, cx.now)
    };
    event::log(state, &event)
}
