//! Parts of an offer as the API reads and shows them: variants, the terms of a deal, earlier versions.

use crate::till::command::Variant;
use crate::till::id::OfferId;
use crate::till::money::Money;
use crate::till::record::{DealRecord, DealTerms, OfferRecord, Reward, StockRecord, VariantRecord};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a deal credits: money, or a part of what was spent.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be {amount, currency}, or {percent, cap}")]
#[schemars(rename = "DealCredit")]
pub enum RewardBody {
    /// So much.
    Fixed(Money),
    /// So many percent, rounded down, and never more than the cap.
    Percent(PercentBody),
}

/// A part of what was spent.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentBody {
    /// 1 to 100.
    percent: u32,
    /// At most.
    cap: Money,
}

impl RewardBody {
    pub fn read(&self) -> Reward {
        match *self {
            Self::Fixed(money) => Reward::Fixed(money),
            Self::Percent(PercentBody { percent, cap }) => Reward::Percent { percent, cap },
        }
    }

    fn of(reward: Reward) -> Self {
        match reward {
            Reward::Fixed(money) => Self::Fixed(money),
            Reward::Percent { percent, cap } => Self::Percent(PercentBody { percent, cap }),
        }
    }
}

/// The terms of a deal and where it stands.
#[derive(Serialize, JsonSchema)]
pub struct DealView {
    /// Less earns nothing.
    min_spend: Money,
    /// What is credited.
    credit: RewardBody,
    /// What may be credited in all; null: no limit.
    budget: Option<Money>,
    /// What of it is left; null: no limit.
    budget_left: Option<Money>,
    /// How many accounts take part.
    enrolled: u64,
    /// How many credits were given and stay.
    credits: u64,
    /// What they come to.
    credited: Money,
}

pub fn deal_view(terms: &DealTerms, deal: &DealRecord, stock: &StockRecord) -> DealView {
    let left = |budget: Money| Money { amount: budget.amount.saturating_sub(deal.amount), ..budget };
    DealView {
        min_spend: terms.min_spend,
        credit: RewardBody::of(terms.reward),
        budget: terms.budget,
        budget_left: terms.budget.map(left),
        enrolled: stock.all.sold,
        credits: deal.credits,
        credited: Money { amount: deal.amount, ..terms.min_spend },
    }
}

/// A size or a colour.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "VariantBody")]
pub struct VariantBody {
    /// As replies and orders name it.
    name: String,
    /// Other words for it.
    #[serde(default)]
    synonyms: Vec<String>,
    /// How many there are; null: no limit.
    quantity: Option<u64>,
    /// What a unit costs; null: the offer's price.
    price: Option<Money>,
}

impl VariantBody {
    pub fn read(self) -> Variant {
        let Self { name, synonyms, quantity, price } = self;
        Variant { name, synonyms, quantity, price }
    }
}

/// What an offer promised in one of its versions.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OfferVersion")]
pub struct OfferVersionView {
    id: OfferId,
    version: u32,
    title: String,
    price: Money,
    list_price: Option<Money>,
    confirm_window_seconds: u32,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
    terms_url: Option<String>,
    ships_to: Option<Vec<String>>,
    variants: Vec<VariantTerms>,
}

/// What a variant cost then.
#[derive(Serialize, JsonSchema)]
struct VariantTerms {
    name: String,
    price: Money,
}

pub fn version_view(id: OfferId, offer: OfferRecord) -> OfferVersionView {
    let terms =
        |one: &VariantRecord| VariantTerms { name: one.name.clone(), price: offer.unit_price(Some(one)) };
    let variants = offer.variants.iter().map(terms).collect();
    let OfferRecord { version, title, price, list_price, confirm_window_seconds, starts_at, ends_at, .. } =
        offer;
    let OfferRecord { terms_url, ships_to, .. } = offer;
    OfferVersionView {
        id,
        version,
        title,
        price,
        list_price,
        confirm_window_seconds,
        starts_at,
        ends_at,
        terms_url,
        ships_to,
        variants,
    }
}

/// A size or a colour and its stock.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Variant")]
pub struct VariantView {
    name: String,
    synonyms: Vec<String>,
    /// What a unit costs.
    price: Money,
    /// All there ever was; null: no limit.
    quantity: Option<u64>,
    /// Can be sold now; null: no limit.
    available: Option<u64>,
    held: u64,
    sold: u64,
    waiting: u64,
}

pub fn variant_view(offer: &OfferRecord, variant: &VariantRecord, stock: &StockRecord) -> VariantView {
    let units = stock.of(Some(&variant.name)).unwrap_or_default();
    VariantView {
        name: variant.name.clone(),
        synonyms: variant.synonyms.clone(),
        price: offer.unit_price(Some(variant)),
        quantity: units.quantity,
        available: units.available(),
        held: units.held,
        sold: units.sold,
        waiting: units.waiting,
    }
}
