//! What is sold in a rehearsal: a copy of an offer, with all that its till knows of the network and of limits, or one
//! that is made up.

use super::plan::{Settings, Wrong};
use crate::till::time::Time;
use serde_json::{Map, Value, json};

/// A quarter of an hour: budgets of replies are counted in these, so each rehearsal begins with a fresh one.
const QUARTER_MS: i64 = 900_000;
/// How long before the drop everybody is linked.
const BEFORE_SECONDS: i64 = 60;
/// What an offer shows that is no term of it.
const NO_TERMS: &[&str] = &[
    "id",
    "status",
    "merchant",
    "available",
    "held",
    "sold",
    "waiting",
    "version",
    "created_at",
    "min_spend",
    "credit",
    "budget",
    "budget_left",
    "enrolled",
    "credits",
    "credited",
];

/// An offer and what is around it, as a till's API shows them.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The offer.
    pub offer: Value,
    /// The network that is rehearsed.
    pub network: Value,
    /// The limits.
    pub limits: Value,
}

/// What is sold, as a till takes it.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The offer, without its merchant.
    pub offer: Value,
    /// The network's settings.
    pub network: Value,
    /// The limits.
    pub limits: Value,
    /// Where the clock begins.
    pub clock_start: Time,
    /// When the first may buy.
    pub start: Time,
    /// The offer that this is a copy of.
    pub copied_from: Option<String>,
    /// What is different from the offer, for people.
    pub notes: Vec<String>,
}

impl Sale {
    /// An offer that is made up: `units` (a fifth of the buyers unless given) of something.
    pub fn made_up(settings: &Settings, now: Time) -> Self {
        let units = settings.units.unwrap_or_else(|| u64::from(settings.buyers / 5).max(1));
        let offer = json!({
            "hashtag": "BuyTheDrop",
            "title": "The drop",
            "price": {"amount": 2500, "currency": "USD"},
            "quantity": units,
            "per_account_limit": settings.limit.unwrap_or(1),
            "confirm_window_seconds": settings.window_seconds.unwrap_or(900),
            "waitlist": settings.waitlist.unwrap_or(false),
        });
        let start = next_quarter(now);
        Self {
            offer,
            network: network(&Map::new(), settings),
            limits: json!({}),
            clock_start: start.plus_seconds(-BEFORE_SECONDS),
            start,
            copied_from: None,
            notes: Vec::new(),
        }
    }

    /// A copy of an offer, sold from `now` on, or from its start where that is later.
    ///
    /// # Errors
    /// What cannot be copied so.
    pub fn of(copied: &Copied, settings: &Settings, now: Time) -> Result<Self, Wrong> {
        let text = |name: &str| copied.offer.get(name).and_then(Value::as_str);
        let time = |name: &str| text(name).and_then(|text| Time::parse(text).ok());
        if text("kind") == Some("deal") {
            return Err(Wrong::new(
                "offer",
                "is a deal, which sells nothing: only what is for sale can be rehearsed",
            ));
        }
        let mut notes = Vec::new();
        let mut offer = match &copied.offer {
            Value::Object(fields) => fields.clone(),
            _ => return Err(Wrong::new("offer", "is not there")),
        };
        offer.retain(|name, value| !NO_TERMS.contains(&name.as_str()) && !value.is_null());
        let start = time("starts_at").filter(|start| *start > now).unwrap_or_else(|| next_quarter(now));
        if time("ends_at").is_some_and(|end| end <= start) {
            offer.remove("ends_at");
            notes.push("The offer is over; its copy has no end.".to_owned());
        }
        if text("status") == Some("paused") {
            notes.push("The offer is paused; its copy sells.".to_owned());
        }
        override_terms(&mut offer, settings);
        Ok(Self {
            offer: Value::Object(offer),
            network: network(copied.network.as_object().unwrap_or(&Map::new()), settings),
            limits: limits(&copied.limits),
            clock_start: start.plus_seconds(-BEFORE_SECONDS - account_wait_seconds(&copied.limits)),
            start,
            copied_from: text("id").map(str::to_owned),
            notes,
        })
    }

    /// Which words choose a variant; empty where there is nothing to choose.
    pub fn variants(&self) -> Vec<String> {
        let variants = self.offer.get("variants").and_then(Value::as_array).into_iter().flatten();
        variants.filter_map(|one| one.get("name").and_then(Value::as_str)).map(str::to_owned).collect()
    }

    /// A country that it ships to.
    pub fn country(&self) -> &str {
        self.offer.pointer("/ships_to/0").and_then(Value::as_str).unwrap_or("US")
    }
}

/// Puts the terms in that are asked for in place of the offer's own.
fn override_terms(offer: &mut Map<String, Value>, settings: &Settings) {
    if let Some(limit) = settings.limit {
        offer.insert("per_account_limit".to_owned(), json!(limit));
    }
    if let Some(seconds) = settings.window_seconds {
        offer.insert("confirm_window_seconds".to_owned(), json!(seconds));
    }
    if let Some(waitlist) = settings.waitlist {
        offer.insert("waitlist".to_owned(), json!(waitlist));
    }
    let variants = offer.get_mut("variants").and_then(Value::as_array_mut).filter(|list| !list.is_empty());
    let Some(variants) = variants else {
        offer.remove("variants");
        if let Some(units) = settings.units {
            offer.insert("quantity".to_owned(), json!(units));
        }
        return;
    };
    if let Some(units) = settings.units {
        share_out(variants, units);
    }
    for variant in variants {
        if let Some(fields) = variant.as_object_mut() {
            fields.retain(|name, value| {
                ["name", "synonyms", "quantity", "price"].contains(&name.as_str()) && !value.is_null()
            });
        }
    }
    // It is what its variants come to.
    offer.remove("quantity");
}

/// Gives each variant its share of so many units, as it had before, and at least one.
fn share_out(variants: &mut [Value], units: u64) {
    let had = |one: &Value| one.get("quantity").and_then(Value::as_u64).unwrap_or(1).max(1);
    let mut before: u64 = variants.iter().map(had).sum();
    let mut left = units;
    for variant in variants {
        let had = had(variant);
        let share = u128::from(left) * u128::from(had) / u128::from(before.max(1));
        let share = u64::try_from(share).unwrap_or(left).max(1);
        (left, before) = (left.saturating_sub(share), before.saturating_sub(had));
        if let Some(fields) = variant.as_object_mut() {
            fields.insert("quantity".to_owned(), json!(share));
        }
    }
}

/// A network as a till takes it, with somebody who sells there.
fn network(shown: &Map<String, Value>, settings: &Settings) -> Value {
    let mut fields = shown.clone();
    fields.remove("slug");
    if fields.get("own").is_none_or(Value::is_null) {
        fields.insert("own".to_owned(), json!({"user_id": "1", "handle": "shop"}));
    }
    let budgets = [
        ("replies_per_15_minutes", settings.replies_per_15_minutes),
        ("replies_per_day", settings.replies_per_day),
    ];
    for (name, budget) in budgets {
        if let Some(budget) = budget {
            fields.insert(name.to_owned(), if budget == 0 { Value::Null } else { json!(budget) });
        }
    }
    Value::Object(fields)
}

fn limits(shown: &Value) -> Value {
    let mut fields = shown.as_object().cloned().unwrap_or_default();
    fields.remove("captures_paused");
    Value::Object(fields)
}

fn account_wait_seconds(limits: &Value) -> i64 {
    limits.get("new_account_wait_seconds").and_then(Value::as_i64).unwrap_or(0)
}

/// The next full quarter of an hour that leaves time to get ready.
fn next_quarter(now: Time) -> Time {
    let ready = now.plus_seconds(BEFORE_SECONDS).ms();
    Time::from_ms((ready.div_euclid(QUARTER_MS) + 1) * QUARTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        Time::parse("2026-03-01T12:03:00Z").unwrap()
    }

    fn copied(offer: &Value) -> Copied {
        let mut whole = json!({"id": "off_1", "status": "live", "merchant": "mer_1", "kind": "purchase",
            "hashtag": "BuyTea", "title": "Tea", "price": {"amount": 5, "currency": "USD"}, "quantity": 40,
            "available": 3, "held": 2, "sold": 35, "waiting": 9, "version": 4, "list_price": null, "variants": []});
        whole.as_object_mut().unwrap().extend(offer.as_object().unwrap().clone());
        let network = json!({"slug": "x", "own": null, "replies_per_15_minutes": 100, "text_limit": 280});
        let limits = json!({"captures_per_hour": 7, "new_account_wait_seconds": 3600, "captures_paused": []});
        Copied { offer: whole, network, limits }
    }

    #[test]
    fn a_copy_keeps_the_terms_and_nothing_of_the_stock() {
        let settings = Settings { replies_per_15_minutes: Some(0), ..Settings::default() };
        let sale = Sale::of(&copied(&json!({})), &settings, now()).unwrap();
        let wanted = json!({"kind": "purchase", "hashtag": "BuyTea", "title": "Tea", "quantity": 40,
                            "price": {"amount": 5, "currency": "USD"}});
        assert_eq!(sale.offer, wanted);
        assert_eq!(sale.network["replies_per_15_minutes"], Value::Null);
        assert_eq!(sale.network["own"]["handle"], "shop");
        assert_eq!(sale.limits, json!({"captures_per_hour": 7, "new_account_wait_seconds": 3600}));
        assert_eq!(sale.start.to_string(), "2026-03-01T12:15:00.000Z");
        assert_eq!(sale.start.ms_since(sale.clock_start), 3_660_000, "no account is too new");
        assert_eq!(sale.copied_from.as_deref(), Some("off_1"));
    }

    #[test]
    fn units_are_shared_out_among_variants() {
        let variants =
            json!([{"name": "S", "quantity": 30, "sold": 9}, {"name": "M", "quantity": 10, "sold": 0}]);
        let settings = Settings { units: Some(8), ..Settings::default() };
        let sale = Sale::of(&copied(&json!({"variants": variants})), &settings, now()).unwrap();
        let wanted = json!([{"name": "S", "quantity": 6}, {"name": "M", "quantity": 2}]);
        assert_eq!(sale.offer["variants"], wanted);
        assert!(sale.offer.get("quantity").is_none());
        assert_eq!(sale.variants(), ["S", "M"]);
    }

    #[test]
    fn an_offer_that_is_over_sells_once_more_and_a_later_one_waits_for_its_start() {
        let over = copied(&json!({"ends_at": "2026-02-01T00:00:00Z", "status": "ended"}));
        let sale = Sale::of(&over, &Settings::default(), now()).unwrap();
        assert!(sale.offer.get("ends_at").is_none() && sale.notes.len() == 1);
        let later = copied(&json!({"starts_at": "2026-05-01T18:00:00Z"}));
        let sale = Sale::of(&later, &Settings::default(), now()).unwrap();
        assert_eq!(sale.start.to_string(), "2026-05-01T18:00:00.000Z");
        let deal = copied(&json!({"kind": "deal"}));
        assert_eq!(Sale::of(&deal, &Settings::default(), now()).unwrap_err().field, "offer");
    }
}
