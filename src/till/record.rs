//! What the till remembers, one struct a table. Stored as they stand here: a change is a new version of a record.
//!
//! No `flatten`, `untagged`, `default` or `skip_serializing_if`: the codec is not self-describing.

use super::id::{AccountId, MerchantId, OfferId, OrderId, PurchaseId, RefundId, ReplyId};
use super::money::Money;
use super::role::Role;
use super::text::Counting;
use super::time::Time;
use super::verdict::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The till's own identity on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnIdentity {
    /// The network's stable id.
    pub user_id: String,
    /// As shown to people, without the `@`.
    pub handle: String,
}

/// What the till knows of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRecord {
    /// Who the till is there; its own posts are never judged.
    pub own: Option<OwnIdentity>,
    /// The longest reply, counted as `counting` says.
    pub text_limit: u32,
    /// How the network counts a text.
    pub counting: Counting,
    /// Posts older than this at arrival are never acted on.
    pub max_post_age_seconds: u32,
    /// How long after its deadline the scan leaves a hold alone.
    pub grace_seconds: u32,
    /// How long a hold waits for its reply to go out, before its window.
    pub reply_wait_seconds: u32,
    /// Whether a post may be answered only once: then the answer to a confirmation waits for the capture.
    pub one_reply_per_post: bool,
    /// Whether replies may carry links.
    pub links_in_replies: bool,
}

/// Who sells and ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantRecord {
    /// As buyers know it.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
}

/// A buyer on one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The network's slug.
    pub network: String,
    /// The network's stable id of the person.
    pub user_id: String,
    /// The handle last seen; for display only, because handles change hands.
    pub handle: String,
}

/// Where to ship to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, building.
    #[schemars(default)]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State, province, county.
    #[schemars(default)]
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// A gateway's token for a card; never a card number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's customer.
    pub customer: String,
    /// The gateway's token.
    pub token: String,
    /// `visa`, `mastercard`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// May buy.
    Active,
    /// May not buy.
    Suspended,
    /// Unlinked; personal data goes once its last capture or refund has ended.
    Erasing,
    /// Unlinked and without personal data.
    Erased,
}

/// What of an account is personal: gone once it is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Linked identities.
    pub identities: Vec<Identity>,
    /// For the merchant's own mail.
    pub email: Option<String>,
    /// Where to ship to.
    pub billing_address: Address,
    /// What is charged.
    pub payment_method: PaymentMethod,
}

/// A buyer's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Where it stands.
    pub status: AccountStatus,
    /// The person behind it; `None` once erased.
    pub person: Option<Person>,
    /// When it was made.
    pub created_at: Time,
}

/// An identity's link to its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// Whose it is.
    pub account: AccountId,
}

/// What an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// Something for sale.
    Purchase,
}

/// Where an offer stands by its merchant's word; its dates come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferStatus {
    /// On sale within its dates.
    Live,
    /// Sells nothing new; honours its holds.
    Paused,
    /// Over for good; honours its holds.
    Ended,
}

/// Something for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    /// Whose it is.
    pub merchant: MerchantId,
    /// What it is.
    pub kind: OfferKind,
    /// The purchase hashtag, in the form it was given in.
    pub hashtag: String,
    /// The confirmation hashtag, in the form it was given in.
    pub confirm_hashtag: String,
    /// What is sold, in a few words.
    pub title: String,
    /// Tax and shipping included.
    pub price: Money,
    /// What it costs elsewhere.
    pub list_price: Option<Money>,
    /// How many one account may buy.
    pub per_account_limit: u32,
    /// From the reply to the end of the hold.
    pub confirm_window_seconds: u32,
    /// Not before.
    pub starts_at: Option<Time>,
    /// Not from then on.
    pub ends_at: Option<Time>,
    /// The terms.
    pub terms_url: Option<String>,
    /// ISO 3166-1 alpha-2 codes; `None`: anywhere.
    pub ships_to: Option<Vec<String>>,
    /// By the merchant's word.
    pub status: OfferStatus,
    /// Counts its edits, from 1.
    pub version: u32,
    /// When it was made.
    pub created_at: Time,
    /// When the merchant ended it.
    pub ended_at: Option<Time>,
}

/// An offer's stock: available = quantity − held − sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    /// All there ever was; `None`: no limit.
    pub quantity: Option<u64>,
    /// Kept by purchases that are pending or capturing.
    pub held: u64,
    /// Paid.
    pub sold: u64,
    /// When the last hold was closed.
    pub last_closed_at: Option<Time>,
}

/// What a hashtag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TagRole {
    /// Starts a purchase.
    Buy,
    /// Confirms one.
    Confirm,
}

/// A hashtag that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashtagRecord {
    /// By which offer.
    pub offer: OfferId,
    /// What it does there.
    pub role: TagRole,
}

/// A post that the till acted on, or whose deletion came first. Its text is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRecord {
    /// A hash of the author's id, to tell another author's post of the same id; `None`: only its deletion was seen.
    pub author: Option<u64>,
    /// The first answer; `None`: only its deletion was seen.
    pub verdict: Option<Verdict>,
    /// When it arrived.
    pub arrived_at: Time,
    /// When it was made, as judged.
    pub made_at: Time,
    /// The offer it was about.
    pub offer: Option<OfferId>,
    /// The purchase that it started or confirmed, or was about.
    pub purchase: Option<PurchaseId>,
    /// The answer to it.
    pub reply: Option<ReplyId>,
    /// The reply that came later: how the capture that it confirmed has ended.
    pub followed_by: Option<ReplyId>,
    /// When its deletion was told.
    pub deleted_at: Option<Time>,
}

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
    /// Who made that post: the reply about the capture goes there. Empty once that reply is out.
    pub author: Option<Recipient>,
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
}

/// What the till knows of one account and one offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyerRecord {
    /// The newest purchase; each names the one before.
    pub newest: PurchaseId,
    /// How many of them count towards the limit.
    pub counted: u32,
}

/// What calls for the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkKind {
    /// Charge a purchase.
    Capture,
    /// Give money back.
    Refund,
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
    /// When it was shipped.
    pub shipped_at: Option<Time>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number.
    pub tracking_number: Option<String>,
    /// When it was there.
    pub delivered_at: Option<Time>,
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
}

/// Whom a reply is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    /// The network's stable id.
    pub user_id: String,
    /// As the post named it.
    pub handle: String,
}

/// What a reply is about; also what matters most, first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReplyKind {
    /// The confirmation hashtag.
    Pending,
    /// The confirmation hashtag once more.
    AlreadyPending,
    /// Confirmed.
    Confirmed,
    /// Paid.
    Paid,
    /// Not paid, not shipped, not said why.
    Refused,
    /// Too late.
    TooLate,
    /// Nothing to buy or confirm.
    Unavailable,
    /// Not linked.
    NotLinked,
}

/// Where a reply stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplyStatus {
    /// Waits for its bridge.
    Queued,
    /// Posted.
    Sent,
    /// Could not be posted.
    Failed,
    /// Stale before its turn came.
    Dropped,
}

/// A text for a network to post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyRecord {
    /// Where.
    pub network: String,
    /// For whom; `None` once it left the queue.
    pub to: Option<Recipient>,
    /// The post it answers.
    pub in_reply_to: String,
    /// For which account, where it is linked.
    pub account: Option<AccountId>,
    /// About which purchase.
    pub purchase: Option<PurchaseId>,
    /// About what.
    pub kind: ReplyKind,
    /// What to post.
    pub text: String,
    /// Where it stands.
    pub status: ReplyStatus,
    /// When it was queued.
    pub queued_at: Time,
    /// Not worth posting after.
    pub not_after: Time,
    /// The network's id of what was posted.
    pub post_id: Option<String>,
    /// Why it could not be posted.
    pub reason: Option<String>,
    /// When it left the queue.
    pub ended_at: Option<Time>,
}

/// A repost of what may be our reply, before its bridge said which post that reply is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyRepostRecord {
    /// The repost's own id.
    pub post: String,
    /// Who reposted.
    pub author: Recipient,
    /// t of the repost.
    pub made_at: Time,
    /// When it arrived.
    pub arrived_at: Time,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is named as its code in the events' table of codes")]
pub enum EventKind {
    OfferCreated,
    OfferUpdated,
    OfferEnded,
    AccountCreated,
    AccountUpdated,
    AccountErased,
    PurchasePending,
    PurchaseConfirmed,
    PurchasePaid,
    PurchaseDeclined,
    PurchaseExpired,
    PurchaseCancelled,
    PurchaseRefunded,
    OrderCreated,
    OrderShipped,
    OrderDelivered,
    OrderCancelled,
    ReplySent,
    ReplyFailed,
}

/// One line of the log: ids only, no personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Time,
    /// Which merchant may see it.
    pub merchant: Option<MerchantId>,
    /// About which offer.
    pub offer: Option<OfferId>,
    /// About which account.
    pub account: Option<AccountId>,
    /// About which purchase.
    pub purchase: Option<PurchaseId>,
    /// About which order.
    pub order: Option<OrderId>,
    /// About which refund.
    pub refund: Option<RefundId>,
    /// About which reply.
    pub reply: Option<ReplyId>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Time,
}

/// An answer kept for whoever repeats the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request's body.
    pub body_hash: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The answer; `None` where it held a secret or was too large to keep.
    pub body: Option<Vec<u8>>,
    /// Whose personal data is in it: it goes with the account.
    pub account: Option<AccountId>,
}

/// What the file as a whole remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRecord {
    /// Counts the restores, from 1.
    pub epoch: u32,
    /// Whether this is a sandbox's file.
    pub sandbox: bool,
    /// Added to the wall clock under `sandbox`; only grows after the first start.
    pub clock_offset_ms: i64,
    /// Restored and not yet resumed: captures, replies and webhooks wait.
    pub paused: bool,
}
