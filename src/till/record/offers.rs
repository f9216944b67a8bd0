//! Offers, their stock and their hashtags: what.

use crate::till::id::{MerchantId, OfferId};
use crate::till::money::Money;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
