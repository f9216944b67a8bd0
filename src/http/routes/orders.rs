//! `/v1/orders`: what merchants have to ship, and where to.

use super::purchases::Nothing;
use super::search::{self, Sought};
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, FROM, LIMIT, Page, TO, page_among, page_in, span_of_time};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::store::Snapshot;
use crate::till::command::{Command, Outcome};
use crate::till::id::{AccountId, MerchantId, OfferId, OrderId, PurchaseId};
use crate::till::money::Money;
use crate::till::order;
use crate::till::record::{Address, OrderRecord, OrderStatus, ShipmentRecord};
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::Orders;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

const MERCHANT: &[Kind] = &[Kind::Merchant];

const STATUS: Param = Param::new::<OrderStatus>("status", "Only these.");
const OFFER: Param = Param::new::<OfferId>("offer", "Only of this offer.");
const BY_MERCHANT: Param = Param::new::<MerchantId>("merchant", "Only this merchant's.");
const SEARCH: Param = Param::new::<String>(
    "q",
    "Only what this finds: the id of an order or a purchase, a name or a part of one, or how a postal code begins.",
);

/// What orders are asked for by.
pub const FILTERS: &[Param] = &[STATUS, OFFER, BY_MERCHANT, FROM, TO, SEARCH];

pub const ROUTES: &[Route] = &[
    Route::get("/v1/orders", "listOrders", "All orders, or a merchant's own.", list)
        .also(MERCHANT)
        .query(&[LIMIT, CURSOR, STATUS, OFFER, BY_MERCHANT, FROM, TO, SEARCH])
        .gives::<Page<OrderView>>(),
    Route::get("/v1/orders/{id}", "getOrder", "An order.", get).also(MERCHANT).gives::<OrderView>(),
    Route::post("/v1/orders/{id}/ship", "shipOrder", "Say that an order is on its way.", ship)
        .also(MERCHANT)
        .may_take::<ShipBody>()
        .gives::<OrderView>(),
    Route::post("/v1/orders/{id}/deliver", "deliverOrder", "Say that an order has arrived.", deliver)
        .also(MERCHANT)
        .may_take::<Nothing>()
        .gives::<OrderView>(),
    Route::post(
        "/v1/orders/{id}/cancel",
        "cancelOrder",
        "Cancel an order that has not been shipped: all that was paid is given back.",
        cancel,
    )
    .also(MERCHANT)
    .may_take::<CancelBody>()
    .gives::<OrderView>(),
];

/// How it was shipped.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "ShipBody")]
struct ShipBody {
    /// How many units are in this parcel; all that are left unless given.
    units: Option<u32>,
    carrier: Option<String>,
    tracking_number: Option<String>,
}

/// How to cancel.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "CancelOrderBody")]
struct CancelBody {
    /// Whether its units go back into stock.
    restock: bool,
}

/// A parcel.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shipment")]
struct ShipmentView {
    units: u32,
    carrier: Option<String>,
    tracking_number: Option<String>,
    shipped_at: Time,
}

/// An order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Order")]
struct OrderView {
    id: OrderId,
    status: OrderStatus,
    purchase: PurchaseId,
    offer: OfferId,
    /// For admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    merchant: MerchantId,
    title: String,
    price: Money,
    /// How many units; `price` is for all of them.
    units: u32,
    /// Which variant of the offer; null: it has none.
    variant: Option<String>,
    /// Which version of the offer was bought.
    offer_version: u32,
    /// Where to; null once erased.
    ship_to: Option<Address>,
    /// Whether its charge is disputed: then it must not be shipped.
    disputed: bool,
    created_at: Time,
    /// When all of it was shipped.
    shipped_at: Option<Time>,
    /// Of the newest parcel.
    carrier: Option<String>,
    /// Of the newest parcel.
    tracking_number: Option<String>,
    /// Every parcel, oldest first.
    shipments: Vec<ShipmentView>,
    delivered_at: Option<Time>,
}

fn shipment_view(shipment: &ShipmentRecord) -> ShipmentView {
    let ShipmentRecord { units, carrier, tracking_number, at } = shipment.clone();
    ShipmentView { units, carrier, tracking_number, shipped_at: at }
}

fn view(id: OrderId, order: &OrderRecord, admin: bool) -> OrderView {
    let newest = order.shipments.last();
    OrderView {
        id,
        status: order.status,
        purchase: order.purchase,
        offer: order.offer,
        account: admin.then_some(order.account),
        merchant: order.merchant,
        title: order.title.clone(),
        price: order.price,
        units: order.units,
        variant: order.variant.clone(),
        offer_version: order.offer_version,
        ship_to: order.ship_to.clone(),
        disputed: order.disputed,
        created_at: order.created_at,
        shipped_at: order.shipped_at,
        carrier: newest.and_then(|one| one.carrier.clone()),
        tracking_number: newest.and_then(|one| one.tracking_number.clone()),
        shipments: order.shipments.iter().map(shipment_view).collect(),
        delivered_at: order.delivered_at,
    }
}

/// One as its call shows it; `None` where it is gone.
///
/// # Errors
/// When the file cannot be read.
pub fn object(snapshot: &Snapshot, id: OrderId, admin: bool) -> Result<Option<Value>, StateError> {
    let Some(order) = snapshot.get::<Orders>(&id)? else { return Ok(None) };
    serde_json::to_value(view(id, &order, admin)).map(Some).map_err(|error| StateError(error.to_string()))
}

/// Has the writer change an order; its answer holds an address, and so is kept with the account.
fn change(shared: &Shared, call: &Call, id: OrderId, command: Command) -> Result<Answer, Problem> {
    let admin = call.is_admin();
    let account = shared.handle.snapshot()?.get::<Orders>(&id)?.map(|order| order.account);
    let show = move |tx: &crate::store::Tx<'_>, _, outcome: &Outcome| match outcome {
        Outcome::Order(id) => Ok(view(*id, &tx.must::<Orders>(id)?, admin)),
        other => Err(StateError(format!("not an order: {other:?}"))),
    };
    call.change(command, account, show).answer()
}

fn ship(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OrderId::parse, "order")?;
    let ShipBody { units, carrier, tracking_number } = call.body_or_default()?;
    let command = Command::ShipOrder { id, merchant: call.merchant(), units, carrier, tracking_number };
    change(shared, call, id, command)
}

fn deliver(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OrderId::parse, "order")?;
    let Nothing {} = call.body_or_default()?;
    change(shared, call, id, Command::DeliverOrder { id, merchant: call.merchant() })
}

fn cancel(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OrderId::parse, "order")?;
    let CancelBody { restock } = call.body_or_default()?;
    change(shared, call, id, Command::CancelOrder { id, merchant: call.merchant(), restock })
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OrderId::parse, "order")?;
    let found = order::must_find(&shared.handle.snapshot()?, id, call.merchant())?;
    Answer::ok(&view(id, &found, call.is_admin()))
}

/// Which orders are asked for.
pub struct Filter {
    status: Option<OrderStatus>,
    offer: Option<OfferId>,
    named: Option<MerchantId>,
    own: Option<MerchantId>,
    words: Option<String>,
    /// Only these, newest first.
    pub keys: Option<Vec<OrderId>>,
    /// Where they lie.
    pub span: Span,
}

impl Filter {
    /// Reads [`FILTERS`]; a merchant's token sees its own.
    pub fn read(snapshot: &Snapshot, call: &Call) -> Result<Self, Problem> {
        let sought = search::text(call, "q")?.map(|text| search::orders(snapshot, text)).transpose()?;
        let (keys, words) = match sought {
            None => (None, None),
            Some(Sought::Keys(keys)) => (Some(keys), None),
            Some(Sought::Words(words)) => (None, Some(words)),
        };
        Ok(Self {
            status: call.query.word::<OrderStatus>("status")?,
            offer: call.query.read("offer", OfferId::parse, "an id that begins with off_")?,
            named: call.query.read("merchant", MerchantId::parse, "an id that begins with mer_")?,
            own: call.merchant(),
            words,
            keys,
            span: span_of_time(call, OrderId::first_at)?,
        })
    }

    /// Whether an order is one of them.
    pub fn fits(&self, order: &OrderRecord) -> bool {
        let is_to = |words: &String| order.ship_to.as_ref().is_some_and(|to| search::is_to(to, words));
        self.own.is_none_or(|own| own == order.merchant)
            && self.named.is_none_or(|named| named == order.merchant)
            && self.offer.is_none_or(|offer| offer == order.offer)
            && self.status.is_none_or(|status| status == order.status)
            && self.words.as_ref().is_none_or(is_to)
    }
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    let mut filter = Filter::read(&snapshot, call)?;
    let (keys, span) = (filter.keys.take(), std::mem::take(&mut filter.span));
    let matches = |order: &OrderRecord| filter.fits(order);
    let show = |_: &Snapshot, id, order: &OrderRecord| Ok(view(id, order, call.is_admin()));
    Answer::ok(&match keys {
        Some(keys) => page_among::<Orders, _>(&snapshot, call, (span, keys), matches, show)?,
        None => page_in::<Orders, _>(&snapshot, call, (span, Direction::Down), matches, show)?,
    })
}
