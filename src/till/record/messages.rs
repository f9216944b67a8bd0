//! Posts, replies, events: what was said and what happened.

use super::Limit;
use crate::till::id::{
    AccountId, CreditId, DisputeId, EnrolmentId, MerchantId, OfferId, OrderId, PurchaseId, RefundId, ReplyId,
};
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// The newest reply that came later: how the capture that it confirmed has ended, or what became of the order.
    pub followed_by: Option<ReplyId>,
    /// When its deletion was told.
    pub deleted_at: Option<Time>,
    /// By how much: late, left, short, in milliseconds or units; `explain` says which.
    pub by: Option<i64>,
    /// Who joined a waiting list by it, and the place then.
    pub waits: Option<(AccountId, u64)>,
    /// Which limit of the till it ran into.
    pub limit: Option<Limit>,
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
    /// A step is left at the provider.
    OneStepLeft,
    /// What there is to choose from.
    Choose,
    /// The hashtag that was probably meant.
    DidYouMean,
    /// Confirmed.
    Confirmed,
    /// Paid.
    Paid,
    /// Takes part in a deal.
    Enrolled,
    /// Not paid, not shipped, not said why.
    Refused,
    /// Too late.
    TooLate,
    /// Let go, as the buyer wished.
    Passed,
    /// On the waiting list.
    Waitlisted,
    /// Nothing to buy or confirm.
    Unavailable,
    /// Not linked.
    NotLinked,
    /// On its way.
    Shipped,
    /// Cancelled by the shop, and given back.
    Cancelled,
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

/// How far a bridge has read one of its network's streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRecord {
    /// What the bridge goes on from, in the network's own terms.
    pub cursor: String,
    /// When it was kept.
    pub updated_at: Time,
}

/// Somebody wants no replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOutRecord {
    /// Since when.
    pub since: Time,
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
    DealEnrolled,
    DealCredited,
    PurchaseDisputed,
    DisputeClosed,
    RefundFailed,
    PurchaseAuthenticationRequired,
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
    /// About which enrolment.
    pub enrolment: Option<EnrolmentId>,
    /// About which credit.
    pub credit: Option<CreditId>,
    /// About which dispute.
    pub dispute: Option<DisputeId>,
}
