//! The end of a rehearsal: what the till holds, what the gateway's ledger says and what the buyers saw, each on its
//! own, and whether they agree.

use super::Broken;
use super::crowd::{Crowd, Person};
use super::result::{Check, Counted, Money, Outcome, Stock};
use crate::client::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the till holds in the end, read through its API.
pub struct Found {
    purchases: Vec<Value>,
    orders: Vec<Value>,
    /// Accounts that wait in line.
    waiting: BTreeSet<String>,
    offer: Value,
}

/// A charge in the gateway's ledger.
#[derive(Default)]
struct Charge {
    card: String,
    amount: i64,
    currency: String,
    charged: u64,
    declined: u64,
    refunded: u64,
}

/// The gateway's ledger, by purchase.
pub struct Ledger(BTreeMap<String, Vec<Charge>>);

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// The stock as an offer shows it.
pub fn stock(offer: &Value) -> Stock {
    Stock {
        quantity: offer.get("quantity").and_then(Value::as_u64),
        sold: number(offer, "sold"),
        held: number(offer, "held"),
        available: offer.get("available").and_then(Value::as_u64),
        waiting: number(offer, "waiting"),
    }
}

impl Found {
    /// Reads it.
    pub fn read(admin: &Client, offer: &str) -> Result<Self, Broken> {
        let waiting = admin.all(&format!("/v1/offers/{offer}/waiting"))?;
        Ok(Self {
            purchases: admin.all(&format!("/v1/purchases?offer={offer}"))?,
            orders: admin.all(&format!("/v1/orders?offer={offer}"))?,
            waiting: waiting.iter().map(|place| text(place, "account").to_owned()).collect(),
            offer: admin.get(&format!("/v1/offers/{offer}"))?,
        })
    }

    /// The till's stock.
    pub fn stock(&self) -> Stock {
        stock(&self.offer)
    }

    /// What became of everybody, by number.
    pub fn outcomes(&self, crowd: &Crowd) -> Vec<Outcome> {
        let mut purchases: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for purchase in &self.purchases {
            purchases.entry(text(purchase, "account")).or_default().push(purchase);
        }
        let of = |person: &Person| {
            let own = person.account.as_deref().and_then(|account| purchases.get(account));
            let waits = person.account.as_ref().is_some_and(|account| self.waiting.contains(account));
            outcome(person, own.map_or(&[], Vec::as_slice), waits)
        };
        crowd.people.iter().map(of).collect()
    }

    /// Holds it against the ledger and against itself.
    pub fn checks(&self, ledger: &Ledger, outcomes: &[Outcome], crowd: &Crowd) -> Vec<Check> {
        let ordered: BTreeSet<&str> = self.orders.iter().map(|order| text(order, "purchase")).collect();
        let charged = |id: &str| ledger.0.get(id).map_or(0, |all| all.iter().map(|one| one.charged).sum());
        let kept = |charge: &Charge| charge.charged > charge.refunded;
        let without_unit =
            ledger.0.iter().filter(|(id, all)| all.iter().any(kept) && !ordered.contains(id.as_str()));
        let unpaid = self.orders.iter().filter(|order| charged(text(order, "purchase")) == 0);
        let twice = ledger.0.keys().map(|id| charged(id).saturating_sub(1)).sum::<u64>()
            + self.cards_charged_too_often(ledger);
        let bought = outcomes.iter().filter(|one| **one == Outcome::Bought).count() as u64;
        let owners: BTreeSet<&str> = self.orders.iter().map(|order| text(order, "account")).collect();
        let unaccounted = bought.abs_diff(owners.len() as u64);
        // A reply that the till heard of later may have been confirmed before: then the buyer has one in the end.
        let none =
            |outcome: &Outcome| !matches!(outcome, Outcome::Bought | Outcome::Held | Outcome::Declined);
        let in_time =
            crowd.people.iter().zip(outcomes).filter(|(one, outcome)| one.was_in_time && none(outcome));
        vec![
            Check::none("oversold", "units ordered or held beyond those that there are", self.oversold()),
            Check::none("charged_twice", "charges beyond one a purchase, in the gateway's own ledger", twice),
            Check::none(
                "paid_without_unit",
                "charges in that ledger without an order",
                without_unit.count() as u64,
            ),
            Check::none(
                "unit_without_payment",
                "orders without a charge in that ledger",
                unpaid.count() as u64,
            ),
            Check::none(
                "stock_differs",
                "units by which the till's stock differs from its orders and holds",
                self.differs(),
            ),
            Check::none("buyers_unaccounted", "buyers whose outcome is not what the till holds", unaccounted),
            Check::none(
                "refused_in_time",
                "buyers who confirmed in time, as their reply promised, and were refused",
                in_time.count() as u64,
            ),
        ]
    }

    /// Cards that were charged more often than their owners have orders.
    fn cards_charged_too_often(&self, ledger: &Ledger) -> u64 {
        let owner: BTreeMap<&str, &str> =
            self.purchases.iter().map(|purchase| (text(purchase, "id"), text(purchase, "account"))).collect();
        let mut cards: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
        for (id, charges) in &ledger.0 {
            for charge in charges.iter().filter(|charge| charge.charged > charge.refunded) {
                let card = cards.entry(&charge.card).or_default();
                card.0 += charge.charged;
                card.1.extend(owner.get(id.as_str()));
            }
        }
        let orders = |accounts: &BTreeSet<&str>| {
            self.orders.iter().filter(|order| accounts.contains(text(order, "account"))).count() as u64
        };
        cards.values().map(|(charged, accounts)| charged.saturating_sub(orders(accounts))).sum()
    }

    fn holding(&self) -> impl Iterator<Item = &Value> {
        self.purchases.iter().filter(|one| ["pending", "capturing"].contains(&text(one, "status")))
    }

    /// Units ordered or held beyond what there is, of the offer and of each variant.
    fn oversold(&self) -> u64 {
        let taken = |variant: Option<&str>| -> u64 {
            let this = |one: &&Value| variant.is_none_or(|name| text(one, "variant") == name);
            self.orders.iter().chain(self.holding()).filter(this).map(|one| number(one, "units")).sum()
        };
        let over = |of: &Value, variant: Option<&str>| {
            let quantity = of.get("quantity").and_then(Value::as_u64);
            quantity.map_or(0, |quantity| taken(variant).saturating_sub(quantity))
        };
        let variants = self.offer.get("variants").and_then(Value::as_array).into_iter().flatten();
        let of_variants: u64 = variants.map(|one| over(one, Some(text(one, "name")))).sum();
        of_variants.max(over(&self.offer, None))
    }

    fn differs(&self) -> u64 {
        let units = |all: &mut dyn Iterator<Item = &Value>| all.map(|one| number(one, "units")).sum::<u64>();
        let stock = self.stock();
        let sum = stock
            .available
            .zip(stock.quantity)
            .map_or(0, |(available, quantity)| (available + stock.held + stock.sold).abs_diff(quantity));
        stock.sold.abs_diff(units(&mut self.orders.iter()))
            + stock.held.abs_diff(units(&mut self.holding()))
            + sum
    }
}

/// How many buyers had each outcome.
pub fn counted(outcomes: &[Outcome]) -> Vec<Counted> {
    let counted = Outcome::ALL.iter().map(|outcome| {
        let buyers = outcomes.iter().filter(|one| *one == outcome).count() as u64;
        Counted { outcome: *outcome, group: outcome.group(), buyers }
    });
    counted.filter(|counted| counted.buyers > 0).collect()
}

/// What became of one buyer: the first that is so.
fn outcome(person: &Person, purchases: &[&Value], waits: bool) -> Outcome {
    let any = |statuses: &[&str]| purchases.iter().any(|one| statuses.contains(&text(one, "status")));
    let newest = purchases.iter().max_by_key(|one| (text(one, "created_at"), text(one, "id")));
    if any(&["paid", "refunded"]) {
        return Outcome::Bought;
    }
    if any(&["pending", "capturing"]) {
        return Outcome::Held;
    }
    if waits {
        return Outcome::Waitlisted;
    }
    match newest.map(|one| text(one, "status")) {
        Some("declined") => Outcome::Declined,
        Some("cancelled") => Outcome::ChangedMind,
        Some(_) if person.refused.is_some() => Outcome::TooLate,
        Some(_) if person.asked.is_none() => Outcome::NotTold,
        Some(_) => Outcome::NotConfirmed,
        None if person.let_go => Outcome::ChangedMind,
        None => match person.wish.as_deref() {
            Some("not_linked") => Outcome::NotLinked,
            Some("sold_out") => Outcome::SoldOut,
            _ => Outcome::Refused,
        },
    }
}

impl Ledger {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, Broken> {
        let lines = std::fs::read_to_string(path)
            .map_err(|error| Broken::Failed(format!("cannot read the gateway's ledger: {error}")))?;
        let mut charges: BTreeMap<String, Charge> = BTreeMap::new();
        for line in lines.lines() {
            let entry: Value = serde_json::from_str(line)
                .map_err(|error| Broken::Failed(format!("the gateway's ledger: {error}")))?;
            let charge = charges.entry(text(&entry, "reference").to_owned()).or_default();
            match text(&entry, "entry") {
                "created" => {
                    text(&entry, "method").clone_into(&mut charge.card);
                    text(&entry, "currency").clone_into(&mut charge.currency);
                    charge.amount = entry.get("amount").and_then(Value::as_i64).unwrap_or(0);
                }
                "charged" => charge.charged += 1,
                "declined" => charge.declined += 1,
                "refunded" => charge.refunded += 1,
                _ => {}
            }
        }
        let mut by_purchase: BTreeMap<String, Vec<Charge>> = BTreeMap::new();
        for (reference, charge) in charges {
            // A reference is `sbx_<purchase>-<attempt>`.
            let attempt = reference.strip_prefix("sbx_").unwrap_or(&reference);
            let purchase = attempt.rsplit_once('-').map_or(attempt, |(purchase, _)| purchase);
            by_purchase.entry(purchase.to_owned()).or_default().push(charge);
        }
        Ok(Self(by_purchase))
    }

    /// What it comes to.
    pub fn money(&self) -> Money {
        let mut money = Money::default();
        for charge in self.0.values().flatten() {
            money.charges += charge.charged;
            money.declined += charge.declined;
            let charged = i64::try_from(charge.charged).unwrap_or(0);
            money.amount = money.amount.saturating_add(charge.amount.saturating_mul(charged));
            if charge.charged > 0 {
                money.currency.clone_from(&charge.currency);
            }
        }
        money
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::Settings;
    use serde_json::json;

    fn found(purchases: &Value, orders: &Value, stock: [u64; 4]) -> Found {
        let [quantity, available, held, sold] = stock;
        Found {
            purchases: purchases.as_array().unwrap().clone(),
            orders: orders.as_array().unwrap().clone(),
            waiting: BTreeSet::new(),
            offer: json!({"quantity": quantity, "available": available, "held": held, "sold": sold}),
        }
    }

    fn purchase(id: &str, account: &str, status: &str) -> Value {
        json!({"id": id, "account": account, "status": status, "units": 1, "created_at": id})
    }

    fn order(purchase: &str, account: &str) -> Value {
        json!({"purchase": purchase, "account": account, "units": 1})
    }

    fn ledger(lines: &[(&str, &str, &str)]) -> Ledger {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = String::new();
        for (entry, reference, card) in lines {
            let line = json!({"entry": entry, "reference": reference, "method": card, "amount": 5, "currency": "USD"});
            text.push_str(&line.to_string());
            text.push('\n');
        }
        std::fs::write(file.path(), text).unwrap();
        Ledger::read(file.path()).unwrap()
    }

    fn crowd(accounts: &[&str]) -> Crowd {
        let settings = Settings { buyers: u32::try_from(accounts.len()).unwrap(), ..Settings::default() };
        let mut crowd = Crowd::new(&settings, 900, false);
        for (person, account) in crowd.people.iter_mut().zip(accounts) {
            person.account = Some((*account).to_owned());
            person.wish = Some("sold_out".to_owned());
        }
        crowd
    }

    fn broken(found: &Found, ledger: &Ledger, crowd: &Crowd) -> Vec<(String, u64)> {
        let outcomes = found.outcomes(crowd);
        let checks = found.checks(ledger, &outcomes, crowd);
        checks.into_iter().filter(|check| !check.holds).map(|check| (check.name, check.found)).collect()
    }

    const PAID: &[(&str, &str, &str)] = &[("created", "sbx_p1-1", "card.a"), ("charged", "sbx_p1-1", "")];

    #[test]
    fn what_agrees_holds() {
        let found = found(&json!([purchase("p1", "a", "paid")]), &json!([order("p1", "a")]), [1, 0, 0, 1]);
        let crowd = crowd(&["a", "b"]);
        assert_eq!(broken(&found, &ledger(PAID), &crowd), []);
        let outcomes = found.outcomes(&crowd);
        assert_eq!(outcomes, [Outcome::Bought, Outcome::SoldOut]);
        assert_eq!(counted(&outcomes).iter().map(|one| one.buyers).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(ledger(PAID).money().charges, 1);
    }

    #[test]
    fn each_check_finds_what_it_is_there_for() {
        let both = crowd(&["a", "b"]);
        let sold_twice = found(
            &json!([purchase("p1", "a", "paid"), purchase("p2", "b", "pending")]),
            &json!([order("p1", "a")]),
            [1, 0, 0, 1],
        );
        let wrong = broken(&sold_twice, &ledger(PAID), &both);
        assert_eq!(wrong, [("oversold".to_owned(), 1), ("stock_differs".to_owned(), 1)]);
        let fine = found(&json!([purchase("p1", "a", "paid")]), &json!([order("p1", "a")]), [1, 0, 0, 1]);
        let twice = [PAID, &[("created", "sbx_p1-2", "card.a"), ("charged", "sbx_p1-2", "")]].concat();
        assert_eq!(broken(&fine, &ledger(&twice), &both)[0].0, "charged_twice");
        let other = [PAID, &[("created", "sbx_p9-1", "card.b"), ("charged", "sbx_p9-1", "")]].concat();
        let names: Vec<String> =
            broken(&fine, &ledger(&other), &both).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["charged_twice", "paid_without_unit"]);
        assert_eq!(broken(&fine, &ledger(&[]), &both), [("unit_without_payment".to_owned(), 1)]);
        let lost = found(&json!([purchase("p1", "a", "paid")]), &json!([]), [1, 0, 0, 1]);
        let names: Vec<String> =
            broken(&lost, &ledger(PAID), &both).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["charged_twice", "paid_without_unit", "stock_differs", "buyers_unaccounted"]);
        let mut late = crowd(&["a", "b"]);
        late.people[1].was_in_time = true;
        assert_eq!(broken(&fine, &ledger(PAID), &late), [("refused_in_time".to_owned(), 1)]);
    }

    #[test]
    fn one_outcome_each_the_first_that_is_so() {
        let base = crowd(&["a"]).people.remove(0);
        let of = |statuses: &[&str], change: &dyn Fn(&mut Person)| {
            let mut person = base.clone();
            change(&mut person);
            let own: Vec<Value> =
                (1..).zip(statuses).map(|(n, status)| purchase(&format!("p{n}"), "a", status)).collect();
            outcome(&person, &own.iter().collect::<Vec<_>>(), false)
        };
        assert_eq!(of(&["expired", "paid"], &|_| {}), Outcome::Bought);
        assert_eq!(of(&["expired", "declined"], &|_| {}), Outcome::Declined);
        assert_eq!(of(&["expired"], &|_| {}), Outcome::NotTold);
        assert_eq!(of(&["expired"], &|one| one.asked = Some("p1".to_owned())), Outcome::NotConfirmed);
        assert_eq!(of(&["expired"], &|one| one.refused = Some("too_late".to_owned())), Outcome::TooLate);
        assert_eq!(of(&["cancelled"], &|_| {}), Outcome::ChangedMind);
        assert_eq!(of(&[], &|one| one.wish = Some("limit_reached".to_owned())), Outcome::Refused);
    }
}
