//! What is there before the story begins: the network, the merchant, the offers, the buyers, the bot's token.

use super::script::{NETWORK, SHOP_HANDLE, SHOP_USER_ID, Script};
use super::style::{Ink, Style, pad};
use super::timeline::Stock;
use crate::client::Client;
use crate::till::money::Money;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A buyer, as the operator's console knows one.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// On the story's network, without `@`.
    pub handle: String,
    /// Brand and last four digits.
    pub card: String,
    /// Their stable id on the network.
    pub user_id: String,
}

/// What the story plays on.
#[derive(Debug)]
pub struct Stage {
    /// With the bot's token: posts and replies of its network, nothing else.
    pub bot: Client,
    /// With the processor's token: card transactions, nothing else.
    pub processor: Client,
    /// What is for sale, in the order of the script.
    pub offers: Vec<String>,
    /// Ids by name.
    pub merchants: BTreeMap<String, String>,
    /// By account id.
    pub buyers: BTreeMap<String, Buyer>,
}

impl Stage {
    /// Sets everything up through the API.
    pub fn set(admin: &Client, script: &Script) -> Result<Self, String> {
        let call = |path: &str, body: &Value| {
            admin.post(path, body).map_err(|error| format!("POST {path}: {error}"))
        };
        // In 2013 everybody could be answered who posted the hashtag.
        let own = json!({"own": {"user_id": SHOP_USER_ID, "handle": SHOP_HANDLE}, "mention_needed": false});
        let path = format!("/v1/networks/{NETWORK}");
        admin.put(&path, &own).map_err(|error| format!("PUT {path}: {error}"))?;
        let mut merchants: BTreeMap<String, String> = BTreeMap::new();
        let mut offers = Vec::new();
        for offer in &script.offers {
            let name = text(offer, "merchant")?;
            if !merchants.contains_key(&name) {
                let made = call("/v1/merchants", &json!({"name": name}))?;
                merchants.insert(name.clone(), text(&made, "id")?);
            }
            let mut body = offer.clone();
            set(&mut body, "merchant", json!(merchants.get(&name)));
            let made = text(&call("/v1/offers", &body)?, "id")?;
            if !is_deal(offer) {
                offers.push(made);
            }
        }
        let mut buyers = BTreeMap::new();
        for account in &script.accounts {
            let made = call("/v1/accounts", account)?;
            let handle = account.pointer("/identities/0/handle").and_then(Value::as_str).unwrap_or("?");
            let user_id = account.pointer("/identities/0/user_id").and_then(Value::as_str).unwrap_or("?");
            let card = card_words(made.get("payment_method").unwrap_or(&Value::Null));
            let (handle, user_id) = (handle.to_owned(), user_id.to_owned());
            buyers.insert(text(&made, "id")?, Buyer { handle, card, user_id });
        }
        let token = call("/v1/tokens", &json!({"role": format!("network:{NETWORK}")}))?;
        let processor = call("/v1/tokens", &json!({"role": "processor"}))?;
        Ok(Self {
            bot: admin.with_token(&text(&token, "token")?),
            processor: admin.with_token(&text(&processor, "token")?),
            offers,
            merchants,
            buyers,
        })
    }
}

/// Whether an offer of the script is a deal.
fn is_deal(offer: &Value) -> bool {
    offer.get("kind").and_then(Value::as_str) == Some("deal")
}

/// What is for sale, before the first post.
pub fn opening(style: Style, script: &Script) -> String {
    let mut out = String::new();
    let title = format!("tagtill · 12 February 2013 · @{SHOP_HANDLE} on {NETWORK}");
    let _ = writeln!(out, "{}", style.paint(Ink::Bold, &title));
    let _ = writeln!(out, "{}\n", style.paint(Ink::Dim, &"─".repeat(style.width)));
    let word = |value: &Value, name: &str| text(value, name).unwrap_or_default();
    let widest = script.offers.iter().map(|offer| word(offer, "title").chars().count()).max().unwrap_or(0);
    for offer in &script.offers {
        let price = offer.get("price").map_or("deal".to_owned(), money);
        let units = offer.get("quantity").and_then(Value::as_u64).unwrap_or(0);
        let what = if is_deal(offer) { "places" } else { "units " };
        let tag = style.paint(Ink::Tag, &format!("#{}", word(offer, "hashtag")));
        let gap = if style.width < 84 { "\n    " } else { "  " };
        let _ = writeln!(
            out,
            "  {}  {price:>8}  {units:>3} {what}{gap}{tag}",
            pad(&word(offer, "title"), widest)
        );
    }
    let buyers = script.accounts.len();
    let _ = writeln!(out, "\n  {buyers} people have linked a card. Times are UTC.");
    out
}

/// A text field of an answer.
pub fn text(value: &Value, name: &str) -> Result<String, String> {
    match value.get(name).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("the till's answer has no {name}: {value}")),
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// Money as a reply writes it.
pub fn money(value: &Value) -> String {
    serde_json::from_value::<Money>(value.clone()).map(|money| money.to_string()).unwrap_or_default()
}

/// `Visa ···· 4242`
fn card_words(method: &Value) -> String {
    let brand = match method.get("brand").and_then(Value::as_str) {
        Some("visa") => "Visa",
        Some("mastercard") => "Mastercard",
        Some("amex") => "American Express",
        _ => "card",
    };
    let last4 = method.get("last4").and_then(Value::as_str).unwrap_or("????");
    format!("{brand} ···· {last4}")
}

/// Name and address on one line.
pub fn address_words(address: &Value) -> String {
    let part = |name: &str| address.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = format!("{} {}", part("region"), part("postal_code"));
    let parts = [part("name"), part("line1"), part("line2"), part("city"), place, part("country")];
    let filled: Vec<String> =
        parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
    filled.join(", ")
}

/// The stock of an offer, now.
pub fn stock(admin: &Client, offer: &str) -> Result<Stock, String> {
    let found = admin.get(&format!("/v1/offers/{offer}")).map_err(|error| error.to_string())?;
    let count = |name: &str| found.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(Stock {
        title: text(&found, "title")?,
        available: count("available"),
        held: count("held"),
        sold: count("sold"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_skips_what_is_not_there() {
        let address = json!({"name": "Nora", "line1": "1 Elm", "line2": null, "city": "Portland",
                             "region": "OR", "postal_code": "97205", "country": "US"});
        assert_eq!(address_words(&address), "Nora, 1 Elm, Portland, OR 97205, US");
    }

    #[test]
    fn a_card_is_its_brand_and_four_digits() {
        assert_eq!(card_words(&json!({"brand": "amex", "last4": "0005"})), "American Express ···· 0005");
    }

    #[test]
    fn the_opening_lists_every_offer() {
        let opening = opening(Style::plain(), &Script::load().unwrap());
        assert!(opening.contains("$149.99    6 units   #BuyKindleFireHD"), "{opening}");
        assert!(opening.contains("    deal  400 places  #AmexGroceries"), "{opening}");
        assert_eq!(opening.matches(" units ").count(), 5);
    }
}
