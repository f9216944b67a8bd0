//! What the till says of the playground's stock, purchases and orders; nothing of anybody else's.

use super::stage::{Ready, word};
use crate::client::{Client, ClientError};
use serde_json::Value;

/// How many purchases of an offer, and orders of a merchant, are looked at: the newest.
const NEWEST: u32 = 100;

/// How the shop stands.
#[derive(Clone, Debug, Default)]
pub struct Shop {
    /// In the order of the stage.
    pub offers: Vec<Value>,
    /// Of its people, newest first.
    pub purchases: Vec<Value>,
    /// To its people, newest first.
    pub orders: Vec<Value>,
    /// Purchases up to this one were there before anybody looked.
    story_until: Option<String>,
    /// After this one they are shown; those between were before somebody started over.
    shown_after: Option<String>,
}

impl Shop {
    /// Reads it.
    pub fn read(till: &Client, ready: &Ready) -> Result<Self, ClientError> {
        let mut shop = Self::default();
        let own = |value: &Value| ready.holder(word(value, "account")).is_some();
        for stocked in &ready.offers {
            let offer = &stocked.offer;
            shop.offers.push(till.get(&format!("/v1/offers/{offer}"))?);
            let mut page = till.get(&format!("/v1/purchases?offer={offer}&limit={NEWEST}"))?;
            shop.purchases.extend(rows(&mut page).into_iter().filter(own));
        }
        for merchant in &ready.merchants {
            let mut page = till.get(&format!("/v1/orders?merchant={merchant}&limit={NEWEST}"))?;
            shop.orders.extend(rows(&mut page).into_iter().filter(own));
        }
        // Ids sort by time.
        shop.purchases.sort_by(|one, other| word(other, "id").cmp(word(one, "id")));
        shop.orders.sort_by(|one, other| word(other, "id").cmp(word(one, "id")));
        Ok(shop)
    }

    /// Whether it stands as `now` says.
    pub fn shows_as(&self, now: &Self) -> bool {
        self.offers == now.offers && self.purchases == now.purchases && self.orders == now.orders
    }

    /// Takes in how it stands now.
    pub fn take(&mut self, now: Self) {
        let Self { offers, purchases, orders, .. } = now;
        (self.offers, self.purchases, self.orders) = (offers, purchases, orders);
    }

    /// What there was so far is a story.
    pub fn remember_story(&mut self) {
        self.story_until = self.newest();
    }

    /// What there was so far is shown no more, but for a story.
    pub fn start_over(&mut self) {
        self.shown_after = self.newest();
    }

    /// Whether it was ever read.
    pub fn is_known(&self) -> bool {
        !self.offers.is_empty()
    }

    fn newest(&self) -> Option<String> {
        self.purchases.first().map(|purchase| word(purchase, "id").to_owned())
    }

    /// Whether a purchase is shown.
    pub fn shows(&self, purchase: &str) -> bool {
        self.story_until.as_deref().is_some_and(|until| purchase <= until)
            || self.shown_after.as_deref().is_none_or(|after| purchase > after)
    }

    /// A purchase by its id.
    pub fn purchase(&self, id: &str) -> Option<&Value> {
        self.purchases.iter().find(|purchase| word(purchase, "id") == id)
    }

    /// An offer by its id.
    pub fn offer(&self, id: &str) -> Option<&Value> {
        self.offers.iter().find(|offer| word(offer, "id") == id)
    }
}

fn rows(page: &mut Value) -> Vec<Value> {
    match page.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}
