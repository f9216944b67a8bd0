//! Deals: their terms, who takes part, what was spent with a card, and what was credited for it.

use super::{Attempt, RefundStatus};
use crate::till::id::{AccountId, CreditId, EnrolmentId, MerchantId, OfferId};
use crate::till::money::Money;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a deal gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reward {
    /// So much.
    Fixed(Money),
    /// A part of what was spent, rounded down, and never more than the cap.
    Percent {
        /// 1 to 100.
        percent: u32,
        /// At most.
        cap: Money,
    },
}

/// The terms of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealTerms {
    /// Less earns nothing.
    pub min_spend: Money,
    /// What is credited.
    pub reward: Reward,
    /// What may be credited in all; `None`: no limit.
    pub budget: Option<Money>,
}

/// What a deal has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealRecord {
    /// Credits that were given and not taken back in full.
    pub credits: u64,
    /// What they come to, in minor units.
    pub amount: i64,
}

/// An account that takes part in a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRecord {
    /// In which deal.
    pub offer: OfferId,
    /// On which of its versions.
    pub offer_version: u32,
    /// Who.
    pub account: AccountId,
    /// The network of the post that enrolled.
    pub network: String,
    /// The post that enrolled.
    pub post: String,
    /// Since when: what was spent before earns nothing.
    pub enrolled_at: Time,
    /// How many credits it has.
    pub credits: u32,
}

/// What happened with a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// Something was bought.
    Purchase,
    /// Some of it, or all, was given back.
    Refund,
    /// It was undone.
    Reversal,
}

/// A transaction of a linked card, as its processor told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// What it is.
    pub kind: TransactionKind,
    /// The purchase that a refund or a reversal is about.
    pub original: Option<String>,
    /// Whose card.
    pub account: AccountId,
    /// At which merchant.
    pub merchant: MerchantId,
    /// How much.
    pub amount: Money,
    /// When.
    pub occurred_at: Time,
    /// When it arrived.
    pub arrived_at: Time,
    /// What of a purchase was given back or undone since, in minor units.
    pub returned: i64,
    /// The credits that it earned, or that it took back.
    pub credits: Vec<CreditId>,
}

/// Where a credit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatus {
    /// The gateway is being asked.
    Pending,
    /// It is on the card's statement.
    Credited,
    /// The gateway said no, for good.
    Failed,
    /// All of it was taken back.
    Reversed,
}

/// A part of a credit that is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReversalRecord {
    /// From 1. Its key at the gateway is the credit's id, `-back-` and this number.
    pub number: u32,
    /// Which of the credit's attempts.
    pub attempt: u32,
    /// How much, in minor units.
    pub amount: i64,
    /// Where it stands.
    pub status: RefundStatus,
    /// The gateway's name for it.
    pub reference: Option<String>,
}

/// Money that a deal gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRecord {
    /// By which deal.
    pub offer: OfferId,
    /// For which enrolment.
    pub enrolment: EnrolmentId,
    /// Whose.
    pub account: AccountId,
    /// For which transaction.
    pub transaction: String,
    /// How much.
    pub amount: Money,
    /// What of it stays due, in minor units: less than the amount once some of the transaction was given back.
    pub due: i64,
    /// Where it stands.
    pub status: CreditStatus,
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's customer; empty once erased.
    pub customer: String,
    /// The gateway's token; empty once erased.
    pub method: String,
    /// Every attempt to credit, oldest first.
    pub attempts: Vec<Attempt>,
    /// What was taken back, oldest first.
    pub reversals: Vec<ReversalRecord>,
    /// When it was earned.
    pub created_at: Time,
    /// When it was credited or has failed.
    pub settled_at: Option<Time>,
}
