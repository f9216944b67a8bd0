//! Orders: what the merchant ships.

use super::command::Outcome;
use super::context::Context;
use super::id::{MerchantId, OrderId};
use super::record::{
    EventKind, EventRecord, OrderRecord, OrderStatus, RefundStatus, ReplyKind, ShipmentRecord,
};
use super::refusal::{Refusal, Result};
use super::state::{Read, Write};
use super::table::{Orders, Purchases};
use super::{account, charge, check, event, follow_up, refund};

/// The order that a call names; another merchant's is not found.
pub fn must_find<S: Read>(state: &S, id: OrderId, merchant: Option<MerchantId>) -> Result<OrderRecord> {
    match state.get::<Orders>(&id)? {
        Some(order) if merchant.is_none_or(|own| own == order.merchant) => Ok(order),
        _ => Err(Refusal::not_found("order").into()),
    }
}

/// What the merchant says of a parcel.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// How many units are in it; `None`: all that are left.
    pub units: Option<u32>,
    /// Who carries it.
    pub carrier: Option<&'a String>,
    /// The carrier's number.
    pub tracking_number: Option<&'a String>,
}

/// Whether nothing has left the shop yet.
pub fn is_untouched(order: &OrderRecord) -> bool {
    order.status == OrderStatus::Unfulfilled && order.shipments.is_empty()
}

/// The merchant has shipped it, or a part of it: with its last unit it is shipped.
pub fn ship<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OrderId,
    merchant: Option<MerchantId>,
    parcel: Parcel<'_>,
) -> Result<Outcome> {
    let mut order = must_find(state, id, merchant)?;
    check::optional_text("carrier", parcel.carrier, 100)?;
    check::optional_text("tracking_number", parcel.tracking_number, 100)?;
    if order.status != OrderStatus::Unfulfilled {
        return Err(Refusal::conflict(format!("This order is {} already.", order.status.word())).into());
    }
    if order.disputed {
        return Err(Refusal::conflict("This order's charge is disputed; do not ship it.").into());
    }
    let left = order.units.saturating_sub(order.shipped_units());
    let units = parcel.units.unwrap_or(left);
    check::within("units", u64::from(units), 1, u64::from(left))?;
    let purchase = state.must::<Purchases>(&order.purchase)?;
    let back = charge::refunded_amount(state, &purchase, |status| status != RefundStatus::Failed)?;
    if back >= purchase.price.amount {
        return Err(Refusal::conflict("This order is being refunded in full; do not ship it.").into());
    }
    order.shipments.push(ShipmentRecord {
        units,
        carrier: parcel.carrier.cloned(),
        tracking_number: parcel.tracking_number.cloned(),
        at: cx.now,
    });
    if units == left {
        order.status = OrderStatus::Shipped;
        order.shipped_at = Some(cx.now);
    }
    state.put::<Orders>(&id, &order)?;
    log(state, cx, EventKind::OrderShipped, id, &order)?;
    if order.status == OrderStatus::Shipped {
        account::order_closed(state, order.account, id)?;
        follow_up::tell(state, cx, &order, ReplyKind::Shipped)?;
    }
    Ok(Outcome::Order(id))
}

/// The merchant cannot or will not ship it: all that is left is given back, and with that it is cancelled.
pub fn cancel<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OrderId,
    merchant: Option<MerchantId>,
    restock: bool,
) -> Result<Outcome> {
    let order = must_find(state, id, merchant)?;
    if !is_untouched(&order) {
        let word =
            if order.status == OrderStatus::Unfulfilled { "partly shipped" } else { order.status.word() };
        let detail = format!("This order is {word} already; refund its purchase instead.");
        return Err(Refusal::conflict(detail).into());
    }
    refund::begin(state, cx, order.purchase, None, restock)?;
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
pub fn cancel_unshipped<S: Write>(state: &mut S, cx: &mut Context<'_>, id: OrderId) -> Result<bool> {
    let mut order = state.must::<Orders>(&id)?;
    if order.status != OrderStatus::Unfulfilled {
        return Ok(false);
    }
    order.status = OrderStatus::Cancelled;
    state.put::<Orders>(&id, &order)?;
    log(state, cx, EventKind::OrderCancelled, id, &order)?;
    account::order_closed(state, order.account, id)?;
    follow_up::tell(state, cx, &order, ReplyKind::Cancelled)?;
    Ok(order.shipments.is_empty())
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
