//! The books: a journal of double entries, their balances, disputes, and what gateways tell by themselves.

use crate::till::id::{CreditId, DisputeId, MerchantId, PurchaseId, RefundId};
use crate::till::money::{Currency, Money};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account of the books. Debits are positive, credits negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// What buyers owe; negative: what is owed to them.
    BuyerReceivable,
    /// What is owed to the merchant, so negative.
    MerchantPayable,
    /// What the gateway holds for this till.
    GatewayClearing,
    /// What deals gave to buyers, at the merchant's cost.
    Credits,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A purchase was charged.
    Charge,
    /// A charge came after its purchase was closed: it is owed to the buyer.
    LateCharge,
    /// Some of a purchase was given back, or all.
    Refund,
    /// A refund had succeeded, and came back.
    RefundReturned,
    /// A late charge was given back.
    LateRefund,
    /// That came back.
    LateRefundReturned,
    /// A bank took a charge back until it is decided who is right.
    Dispute,
    /// It was decided for the merchant.
    DisputeWon,
    /// A deal's credit went to a card.
    Credit,
    /// Some of it was taken back, or all.
    CreditReversal,
}

/// One side of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posting {
    /// Which account of the books.
    pub book: Book,
    /// In minor units: positive a debit, negative a credit.
    pub amount: i64,
}

/// An entry of the journal: its postings add up to nothing. Never changed once it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// About what.
    pub kind: EntryKind,
    /// When it was committed.
    pub at: Time,
    /// Whose sale.
    pub merchant: MerchantId,
    /// The currency of all postings.
    pub currency: Currency,
    /// Debits and credits.
    pub postings: Vec<Posting>,
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's name for the charge, the refund, the dispute or the credit.
    pub reference: String,
    /// About which purchase.
    pub purchase: Option<PurchaseId>,
    /// About which refund.
    pub refund: Option<RefundId>,
    /// About which dispute.
    pub dispute: Option<DisputeId>,
    /// About which credit.
    pub credit: Option<CreditId>,
}

/// What a merchant's entries in one currency come to, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceRecord {
    /// [`Book::BuyerReceivable`].
    pub buyer_receivable: i64,
    /// [`Book::MerchantPayable`].
    pub merchant_payable: i64,
    /// [`Book::GatewayClearing`].
    pub gateway_clearing: i64,
    /// [`Book::Credits`].
    pub credits: i64,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks; the money is still here.
    Inquiry,
    /// The bank has taken the money until it is decided.
    Open,
    /// Decided for the merchant.
    Won,
    /// Decided for the buyer.
    Lost,
}

impl DisputeStatus {
    /// Whether nothing may be shipped: it is not decided, or the money is gone.
    pub fn stops_shipping(self) -> bool {
        self != Self::Won
    }

    /// Whether nothing may be given back: the bank has the money, or gave it back.
    pub fn stops_refunds(self) -> bool {
        matches!(self, Self::Open | Self::Lost)
    }
}

/// A buyer disputes a charge at the bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeRecord {
    /// Of which purchase.
    pub purchase: PurchaseId,
    /// Which of its attempts.
    pub attempt: u32,
    /// How much.
    pub amount: Money,
    /// The gateway's name for it.
    pub reference: String,
    /// Why, in the gateway's word.
    pub reason: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// Whether the bank has the money.
    pub withdrawn: bool,
    /// When it was first seen.
    pub created_at: Time,
    /// When it was decided.
    pub closed_at: Option<Time>,
}

/// A gateway says that something happened to a charge. It only makes the till ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecord {
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's id of this event.
    pub event: String,
    /// The gateway's name for the charge.
    pub about: String,
    /// When it arrived.
    pub arrived_at: Time,
}
