//! Purchases, charges, orders, refunds: from a hold to a parcel.

use super::{Address, Recipient};
use crate::till::id::{AccountId, DisputeId, MerchantId, OfferId, OrderId, PurchaseId, RefundId, ReplyId};
use crate::till::money::Money;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a purchase stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseStatus {
    /// Held, waiting for its confirmation.
    Pending,
    /// Confirmed, waiting for the gateway.
    Capturing,
    /// Paid; there is an order.
    Paid,
    /// Not confirmed in time.
    Expired,
    /// Cancelled before it was confirmed.
    Cancelled,
    /// The gateway said no, for good.
    Declined,
    /// Paid, and all of it given back.
    Refunded,
}

impl PurchaseStatus {
    /// Whether it keeps a unit from others.
    pub fn holds(self) -> bool {
        matches!(self, Self::Pending | Self::Capturing)
    }

    /// Whether it counts towards the limit of its account.
    pub fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Capturing | Self::Paid)
    }
}

/// How a purchase was confirmed, and what is charged for it: later edits of the account never touch this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// t of the confirmation.
    pub made_at: Time,
    /// When it arrived.
    pub arrived_at: Time,
    /// On which network.
    pub network: String,
    /// The post that confirmed.
    pub post: String,
    /// Who made that post: the reply about the capture goes there. Empty once that reply is out, and where there will
    /// be none.
    pub author: Option<Recipient>,
    /// Whether the network lets that post be answered, now or later.
    pub answerable: bool,
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's customer.
    pub customer: String,
    /// The gateway's token.
    pub method: String,
}

/// Where an attempt to charge stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptState {
    /// To be created at the gateway under its key.
    New,
    /// Created: its reference is known; confirmed or to be confirmed.
    Created,
    /// Charged.
    Paid,
    /// Refused for good, with the gateway's code.
    Declined(String),
    /// Lost at the gateway before it had a reference.
    Lost,
    /// Created, and its card's owner has a step left at the provider.
    Waiting,
}

/// One attempt to charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1. Its key at the gateway is the purchase's id, `-` and this number.
    pub number: u32,
    /// Where it stands.
    pub state: AttemptState,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// When it was begun.
    pub created_at: Time,
}

/// One buyer's way through one offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseRecord {
    /// What.
    pub offer: OfferId,
    /// Who.
    pub account: AccountId,
    /// The network of the purchase post.
    pub network: String,
    /// The purchase post.
    pub post: String,
    /// What it costs, as it was then.
    pub price: Money,
    /// Which version of the offer.
    pub offer_version: u32,
    /// From the reply to the end of the hold, as it was then.
    pub window_seconds: u32,
    /// Where it stands.
    pub status: PurchaseStatus,
    /// t of the purchase post.
    pub created_at: Time,
    /// When that post arrived.
    pub arrived_at: Time,
    /// The last moment to confirm.
    pub expires_at: Time,
    /// When the scan may free it.
    pub release_at: Time,
    /// Whether the fate of the reply has set `expires_at`.
    pub window_set: bool,
    /// Whether the buyer was told once that the hold is there already.
    pub reminded: bool,
    /// The reply with the confirmation hashtag.
    pub reply: Option<ReplyId>,
    /// The account's purchase of this offer before this one.
    pub previous: Option<PurchaseId>,
    /// Set when it was confirmed.
    pub confirmation: Option<Confirmation>,
    /// Every attempt to charge, oldest first; at most one is ever paid.
    pub attempts: Vec<Attempt>,
    /// Refunds, oldest first.
    pub refunds: Vec<RefundId>,
    /// Set when it was paid.
    pub order: Option<OrderId>,
    /// When it ended (expired, cancelled, declined) or was paid.
    pub settled_at: Option<Time>,
    /// How many units; `price` is for all of them.
    pub units: u32,
    /// Which variant of the offer, by name.
    pub variant: Option<String>,
    /// The language of the newest of its posts, as the network says.
    pub language: Option<String>,
    /// Disputes about its charges, oldest first.
    pub disputes: Vec<DisputeId>,
    /// Until when the card's owner can allow the charge; set once, when the gateway asked for it.
    pub authenticate_by: Option<Time>,
}

/// What the till knows of one account and one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyerRecord {
    /// The newest purchase; each names the one before.
    pub newest: PurchaseId,
    /// How many units of those before count towards the limit; whether the newest does, says its status.
    pub earlier: u32,
}

/// What calls for the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkKind {
    /// Charge a purchase.
    Capture,
    /// Give money back.
    Refund,
    /// Credit what a deal gives.
    Credit,
    /// Take some of that back.
    Reversal,
    /// Ask about a charge that the gateway said something about.
    Notice,
}

/// Something in flight at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRecord {
    /// Not before.
    pub due_at: Time,
    /// How often the gateway's answer was unknown.
    pub unknowns: u32,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// To be shipped.
    Unfulfilled,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
    /// Given back in full before it was shipped.
    Cancelled,
}

/// A paid purchase that the merchant has to ship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Which purchase.
    pub purchase: PurchaseId,
    /// Which offer.
    pub offer: OfferId,
    /// Who ships.
    pub merchant: MerchantId,
    /// Whose.
    pub account: AccountId,
    /// What, as it was called then.
    pub title: String,
    /// What was paid.
    pub price: Money,
    /// Where to; `None` once erased.
    pub ship_to: Option<Address>,
    /// Where it stands.
    pub status: OrderStatus,
    /// When it was paid.
    pub created_at: Time,
    /// When all of it was shipped.
    pub shipped_at: Option<Time>,
    /// What was shipped so far, oldest first.
    pub shipments: Vec<ShipmentRecord>,
    /// When it was there.
    pub delivered_at: Option<Time>,
    /// Which version of the offer was bought.
    pub offer_version: u32,
    /// How many units; `price` is for all of them.
    pub units: u32,
    /// Which variant of the offer, by name.
    pub variant: Option<String>,
    /// Whether a dispute stops it from being shipped.
    pub disputed: bool,
}

impl OrderRecord {
    /// How many units were shipped so far.
    pub fn shipped_units(&self) -> u32 {
        self.shipments.iter().fold(0, |sum, shipment| sum.saturating_add(shipment.units))
    }
}

/// A parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentRecord {
    /// How many units are in it.
    pub units: u32,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
    /// When it was shipped.
    pub at: Time,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Not answered yet.
    Pending,
    /// Given back.
    Succeeded,
    /// Refused by the gateway.
    Failed,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing of a refund")]
pub struct RefundRecord {
    /// For which purchase.
    pub purchase: PurchaseId,
    /// Which of its attempts.
    pub attempt: u32,
    /// How much.
    pub amount: Money,
    /// Whether the unit goes back into stock.
    pub restock: bool,
    /// Whether the till itself gave it back: a charge that came after the purchase was closed.
    pub automatic: bool,
    /// Where it stands.
    pub status: RefundStatus,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// When it was asked for.
    pub created_at: Time,
    /// Whether it was made at the gateway, by somebody else than the till.
    pub external: bool,
    /// Whether it had succeeded before it failed: the money came back.
    pub returned: bool,
}
