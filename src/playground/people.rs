//! Who is there: people with a card that pays, one that does not, one whose bank asks first, and none.

use serde_json::{Value, json};

/// Somebody on the playground.
#[derive(Clone, Debug)]
pub struct Person {
    /// The network's stable id of them.
    pub user_id: String,
    /// Without `@`.
    pub handle: String,
    /// As people call them.
    pub name: String,
    /// Brand and last four digits; `None`: no card is linked.
    pub card: Option<String>,
    /// What to expect of them, in a few words.
    pub about: String,
    /// The same in one or two.
    pub hint: String,
    /// Whether a visitor can be them.
    pub plays: bool,
    /// The till's id of their account.
    pub account: Option<String>,
}

/// Somebody as they are before the stage is set.
pub struct Invented {
    pub handle: &'static str,
    pub name: &'static str,
    pub about: &'static str,
    pub hint: &'static str,
    /// Street, city, region, postal code, country; `None`: no card is linked.
    pub home: Option<[&'static str; 5]>,
    /// The test card.
    pub card: &'static str,
}

/// The playground's own people.
pub const PEOPLE: &[Invented] = &[
    Invented {
        handle: "mara",
        name: "Mara Lindholm",
        about: "has linked a card",
        hint: "pays",
        home: Some(["12 Harbor Street", "Portland", "ME", "04101", "US"]),
        card: "tok_visa",
    },
    Invented {
        handle: "tomas",
        name: "Tomás Rey",
        about: "has linked a card",
        hint: "pays",
        home: Some(["88 Juniper Road", "Santa Fe", "NM", "87501", "US"]),
        card: "tok_amex",
    },
    Invented {
        handle: "ines",
        name: "Ines Okoye",
        about: "has linked a card that is declined",
        hint: "declined",
        home: Some(["5 Orchard Lane", "Ithaca", "NY", "14850", "US"]),
        card: "tok_declined",
    },
    Invented {
        handle: "jonas",
        name: "Jonas Falk",
        about: "has linked a card whose bank asks him first",
        hint: "bank asks",
        home: Some(["Lindenweg 3", "Bremen", "HB", "28195", "DE"]),
        card: "tok_authenticate",
    },
    Invented {
        handle: "kit",
        name: "Kit Lowry",
        about: "has not linked a card yet",
        hint: "no card",
        home: None,
        card: "",
    },
];

impl Invented {
    /// What links them.
    pub fn account(&self, network: &str, user_id: &str) -> Option<Value> {
        let [line1, city, region, postal_code, country] = self.home?;
        Some(json!({
            "identities": [{"network": network, "user_id": user_id, "handle": self.handle}],
            "billing_address": {"name": self.name, "line1": line1, "city": city, "region": region,
                                "postal_code": postal_code, "country": country},
            "payment_method": {"gateway": "sandbox", "token": self.card},
        }))
    }
}

/// `Visa ···· 4242`
pub fn card_words(method: &Value) -> Option<String> {
    let brand = match method.get("brand").and_then(Value::as_str)? {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" => "American Express",
        _ => "Card",
    };
    let last4 = method.get("last4").and_then(Value::as_str)?;
    Some(format!("{brand} ···· {last4}"))
}
