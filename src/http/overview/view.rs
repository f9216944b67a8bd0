//! What the answer holds, as the API writes it.

use crate::till::id::{DisputeId, MerchantId, OfferId, OrderId, PurchaseId, RefundId};
use crate::till::money::{Currency, Money};
use crate::till::record::{OfferKind, OfferStatus};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// How the shop stands. Days and hours are those of UTC.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Overview")]
pub struct OverviewView {
    /// What the till's clock showed when this was made, at most a second ago. The answer's tag does not cover it.
    pub now: Time,
    /// The till's version.
    pub version: &'static str,
    /// Whether the till plays with play money.
    pub sandbox: bool,
    /// Whether the till sells.
    pub ready: bool,
    /// Why it does not, in a sentence; null where it does, and for merchants.
    pub reason: Option<String>,
    /// How much of the log is counted in what follows.
    pub counted: CountedView,
    /// What a person has to look at, what matters most first.
    pub needs: Vec<NeedView>,
    /// What is for sale, what sells most first.
    pub offers: OffersView,
    /// What is held for buyers.
    pub holds: HoldsView,
    /// Orders of the last 30 days that are not shipped.
    pub orders_unshipped: u64,
    /// Posts that were judged; null for merchants.
    pub posts: Option<PostsView>,
    /// The UTC day under way.
    pub today: TodayView,
    /// What was sold when.
    pub sales: SalesView,
    /// From a post to a parcel.
    pub funnel: FunnelsView,
    /// How long buyers take to confirm, from the arrival of the purchase post to that of the confirmation.
    pub confirming: ConfirmingsView,
    /// The newest things that happened, newest first.
    pub events: Vec<LineView>,
}

/// How much of the log is counted: the till reads 30 days of it when it is first asked.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(rename = "OverviewCounted")]
pub struct CountedView {
    /// 0 to 100.
    pub percent: u8,
    /// Whether nothing is left to count.
    pub complete: bool,
    /// From when on.
    pub since: Time,
}

/// How much something matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Severity")]
pub enum Severity {
    /// Sales, money or parcels wait for it.
    High,
    /// It should be looked at today.
    Medium,
    /// Good to know.
    Low,
}

/// Something that a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Need")]
pub struct NeedView {
    /// What, as programs read it.
    pub code: &'static str,
    pub severity: Severity,
    /// How many; null where there is nothing to count.
    pub count: Option<u64>,
    /// Since when; null where that is not known.
    pub since: Option<Time>,
    /// What is the matter, and what to do.
    pub text: String,
    /// The place of the console that shows it; null: there is none.
    pub link: Option<&'static str>,
}

/// What is for sale.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewOffers")]
pub struct OffersView {
    /// Live ones first, then what sells most; at most 50.
    pub data: Vec<OfferLineView>,
    /// How many more there are.
    pub more: u64,
}

/// An offer in a line.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewOffer")]
pub struct OfferLineView {
    pub id: OfferId,
    pub merchant: MerchantId,
    pub title: String,
    pub kind: OfferKind,
    pub hashtag: String,
    /// Its dates included.
    pub status: OfferStatus,
    /// Null for a deal.
    pub price: Option<Money>,
    /// Not before; null: at once.
    pub starts_at: Option<Time>,
    /// Not from then on; null: no end.
    pub ends_at: Option<Time>,
    /// All there ever was; null: no limit.
    pub quantity: Option<u64>,
    /// Can be sold now; null: no limit.
    pub available: Option<u64>,
    /// Kept by purchases that are pending or being charged.
    pub held: u64,
    /// Paid.
    pub sold: u64,
    /// How many wait in line.
    pub waiting: u64,
    /// Units that were paid in the last hour, by slices of five minutes.
    pub sold_last_hour: u64,
}

/// What is held for buyers who have not confirmed yet.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewHolds")]
pub struct HoldsView {
    /// All there are; null: more than can be counted for a merchant at once.
    pub count: Option<u64>,
    /// The first to end, first; at most 50.
    pub data: Vec<HoldView>,
}

/// A hold.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewHold")]
pub struct HoldView {
    pub purchase: PurchaseId,
    pub offer: OfferId,
    /// What is held.
    pub title: String,
    pub units: u32,
    /// Which variant of the offer; null: it has none.
    pub variant: Option<String>,
    /// For all units.
    pub price: Money,
    /// The last moment to confirm. Until the reply is out, it counts the time that the reply may take, too.
    pub expires_at: Time,
    /// When the units go back into stock.
    pub release_at: Time,
    /// Whether the reply is out, so that `expires_at` is final.
    pub told: bool,
    /// The network of the purchase post.
    pub network: String,
    /// Whose, as the network shows it; only for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// Posts that were judged. The till remembers them since it started.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewPosts")]
pub struct PostsView {
    /// The minutes of the last hour that had posts, oldest first.
    pub minutes: Vec<MinuteView>,
}

/// A minute's posts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewMinute")]
pub struct MinuteView {
    /// When it began.
    pub at: Time,
    /// How many, by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
}

/// A day's money.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewToday")]
pub struct TodayView {
    /// When it began.
    pub since: Time,
    /// Purchases that were paid.
    pub orders: u64,
    /// By currency, the one with most sales first.
    pub money: Vec<TakingsView>,
}

/// So many, that come to so much in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OverviewSum")]
pub struct SumView {
    pub count: u64,
    /// In minor units.
    pub amount: i64,
}

/// A day's money in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OverviewTakings")]
pub struct TakingsView {
    pub currency: Currency,
    pub sales: SumView,
    /// What was given back, without what banks sent back.
    pub refunds: SumView,
    /// What banks took back for disputes, without what was won.
    pub disputes: SumView,
    /// Sales without what was given or taken back, in minor units.
    pub net: i64,
}

/// What was sold when.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewSales")]
pub struct SalesView {
    /// The last 24 hours, oldest first; the last is under way.
    pub hours: Vec<SliceView>,
    /// The last 30 days, oldest first; the last is today.
    pub days: Vec<SliceView>,
}

/// What was sold in an hour or on a day.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewSlice")]
pub struct SliceView {
    /// When it began.
    pub at: Time,
    /// How many charges.
    pub count: u64,
    /// What they come to, by currency.
    pub amounts: Vec<AmountView>,
}

/// An amount that may be larger than one charge's.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewAmount")]
pub struct AmountView {
    pub currency: Currency,
    /// In minor units.
    pub amount: i64,
}

/// From a post to a parcel, each counted when it happened.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewFunnels")]
pub struct FunnelsView {
    pub today: FunnelView,
    /// Today and the 29 days before it.
    pub days: FunnelView,
}

/// How many came how far.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewFunnel")]
pub struct FunnelView {
    /// Posts judged since the till started; null for merchants.
    pub posts: Option<u64>,
    /// Holds begun.
    pub pending: u64,
    pub confirmed: u64,
    pub paid: u64,
    /// Orders whose last parcel went out.
    pub shipped: u64,
}

/// How long buyers take to confirm.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewConfirmings")]
pub struct ConfirmingsView {
    pub today: ConfirmingView,
    /// Today and the 29 days before it.
    pub days: ConfirmingView,
}

/// The same of a time.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewConfirming")]
pub struct ConfirmingView {
    pub count: u64,
    /// Half of them were quicker, about; null without any.
    pub p50_seconds: Option<u32>,
    /// Nine in ten were quicker, about.
    pub p90_seconds: Option<u32>,
    /// How many took so long.
    pub buckets: Vec<BucketView>,
}

/// How many took so long.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewBucket")]
pub struct BucketView {
    /// Up to this, and longer than the one before; null: longer than all others.
    pub up_to_seconds: Option<u32>,
    pub count: u64,
}

/// Something that happened, in a line.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OverviewEvent")]
pub struct LineView {
    #[schemars(with = "String")]
    pub id: String,
    /// What: `purchase.paid`, `order.shipped`, …
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub at: Time,
    pub offer: Option<OfferId>,
    /// The offer's title.
    pub title: Option<String>,
    pub purchase: Option<PurchaseId>,
    pub order: Option<OrderId>,
    pub refund: Option<RefundId>,
    pub dispute: Option<DisputeId>,
}
