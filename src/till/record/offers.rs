//! Offers, their stock and their hashtags: what.

use super::{DealTerms, Recipient};
use crate::till::id::{AccountId, MerchantId, OfferId};
use crate::till::money::Money;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An offer's own texts: by language, then by what they say (`held`, `sold_out`, …), one or more.
pub type OwnTexts = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// What an offer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferKind {
    /// Something for sale.
    Purchase,
    /// A statement credit for spending with a linked card.
    Deal,
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
    /// The confirmation hashtag, in the form it was given in; empty for a deal.
    pub confirm_hashtag: String,
    /// What is sold, in a few words.
    pub title: String,
    /// Tax and shipping included; the least spending of a deal.
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
    /// The hashtag that lets a pending purchase go, in the form it was given in; `None`: it has none.
    pub cancel_hashtag: Option<String>,
    /// Sizes, colours: what a buyer has to choose from; empty: nothing.
    pub variants: Vec<VariantRecord>,
    /// How many units one purchase may have.
    pub max_per_purchase: u32,
    /// What becomes of a wish for more than there is.
    pub shortage: Shortage,
    /// Whether those who come too late may wait for what is freed.
    pub waitlist: bool,
    /// The terms of a deal; `None`: it is for sale.
    pub deal: Option<DealTerms>,
    /// Which language replies are in where the post does not say one that the till speaks.
    pub language: Option<String>,
    /// Texts that take the place of the till's: by language, then by what they say.
    pub texts: OwnTexts,
}

/// One size or colour of what is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// As replies and orders name it; it stays as long as anybody holds, bought or waits for it.
    pub name: String,
    /// Other words for it.
    pub synonyms: Vec<String>,
    /// What a unit of it costs; `None`: the offer's price.
    pub price: Option<Money>,
}

/// What becomes of a wish for more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// What is left is held, and the reply says so.
    #[default]
    Partial,
    /// What is left is held; the rest goes on the waiting list.
    Waitlist,
}

/// Units of an offer, or of one of its variants: available = quantity − held − sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// All there ever was; `None`: no limit.
    pub quantity: Option<u64>,
    /// Kept by purchases that are pending or capturing.
    pub held: u64,
    /// Paid.
    pub sold: u64,
    /// How many buyers wait for one.
    pub waiting: u64,
}

/// An offer's stock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    /// The offer's units; with variants, the sums of theirs.
    pub all: Units,
    /// Each variant's units, under its name, in the offer's order.
    pub variants: Vec<(String, Units)>,
    /// When the last hold was closed.
    pub last_closed_at: Option<Time>,
    /// The number of the last buyer who joined the waiting list.
    pub last_joined: u64,
}

/// A buyer on an offer's waiting list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRecord {
    /// Who.
    pub account: AccountId,
    /// The network of the post that asked.
    pub network: String,
    /// The post that asked: the reply goes there.
    pub post: String,
    /// Who made it.
    pub author: Recipient,
    /// How many units are wanted.
    pub units: u32,
    /// Since when.
    pub joined_at: Time,
    /// Whether the buyer was told the place once more.
    pub reminded: bool,
    /// The language of the post, as its network says.
    pub language: Option<String>,
}

/// Where an account waits for an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiterRecord {
    /// For which variant; empty: the offer has none.
    pub variant: String,
    /// The number in that line: smaller came first.
    pub number: u64,
}

/// What a hashtag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TagRole {
    /// Starts a purchase.
    Buy,
    /// Confirms one.
    Confirm,
    /// Lets one go.
    Cancel,
}

/// A hashtag that is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashtagRecord {
    /// By which offer.
    pub offer: OfferId,
    /// What it does there.
    pub role: TagRole,
}
