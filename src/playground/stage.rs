//! What is there before anybody posts: a merchant, a few offers, people with accounts. Set through the API, as an
//! operator would.

use super::Setup;
use super::people::{Invented, PEOPLE, Person, card_words};
use crate::client::{Client, ClientError};
use serde_json::{Value, json};

/// Who sells.
const MERCHANT: &str = "Honey & Clay";

/// What it sells: hashtag, title, price and former price in cents, units. The hashtags are none of those that the
/// documents sell tea with.
const OFFERS: &[(&str, &str, u64, u64, u64)] = &[
    ("BuyHoney", "Wildflower honey, 500 g", 1200, 1600, 24),
    ("BuyMug", "Stoneware mug", 2800, 3400, 3),
    ("BuyPrint", "Signed print", 4500, 6000, 1),
];

/// An offer, and how much of it there has to be when one starts over.
#[derive(Clone, Debug)]
pub struct Stocked {
    /// Its id.
    pub offer: String,
    /// Units that can be sold then; `None`: whatever there is.
    pub units: Option<u64>,
}

/// A stage that is set.
#[derive(Clone, Debug)]
pub struct Ready {
    /// What the shop is called on the network, without `@`.
    pub shop_handle: String,
    /// What it is called.
    pub shop_name: String,
    /// Everybody.
    pub people: Vec<Person>,
    /// Who sells.
    pub merchants: Vec<String>,
    /// What is for sale, in order.
    pub offers: Vec<Stocked>,
}

impl Ready {
    /// Somebody by their id on the network.
    pub fn person(&self, user_id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.user_id == user_id)
    }

    /// Somebody by their account.
    pub fn holder(&self, account: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.account.as_deref() == Some(account))
    }
}

impl Ready {
    /// Gives an account to whoever on this network has linked it and had none; whether that was anybody.
    pub fn welcome(&mut self, network: &str, account: &Value) -> bool {
        let mut any = false;
        let identities = account.get("identities").and_then(Value::as_array);
        for identity in identities.into_iter().flatten().filter(|one| word(one, "network") == network) {
            let linked = word(identity, "user_id");
            let person = self.people.iter_mut().find(|one| one.user_id == linked && one.account.is_none());
            if let Some(person) = person {
                person.account = Some(word(account, "id").to_owned());
                person.card = account.get("payment_method").and_then(card_words);
                "has linked a card just now".clone_into(&mut person.about);
                "linked".clone_into(&mut person.hint);
                any = true;
            }
        }
        any
    }
}

/// Sets the stage. What an earlier process has set of it is used again.
pub fn set(setup: &Setup) -> Result<Ready, String> {
    let till = &setup.admin;
    let said = |error: ClientError| format!("the playground could not be set up: {error}");
    let own = till.get(&format!("/v1/networks/{}", setup.network)).map_err(said)?;
    let handle = own.pointer("/own/handle").and_then(Value::as_str).unwrap_or("honeyandclay");
    let merchant = merchant(till).map_err(said)?;
    let mut offers = Vec::new();
    let known = till.all(&format!("/v1/offers?merchant={merchant}&status=live")).map_err(said)?;
    for (hashtag, title, price, list_price, units) in OFFERS {
        let found = known.iter().find(|offer| word(offer, "hashtag").trim_start_matches('#') == *hashtag);
        let made = match found {
            Some(found) => Ok(found.clone()),
            None => till.post(
                "/v1/offers",
                &json!({"merchant": merchant, "kind": "purchase", "hashtag": hashtag, "title": title,
                        "price": {"amount": price, "currency": "USD"},
                        "list_price": {"amount": list_price, "currency": "USD"},
                        "quantity": units, "per_account_limit": 1000}),
            ),
        };
        match made {
            Ok(offer) => {
                let stocked = Stocked { offer: word(&offer, "id").to_owned(), units: Some(*units) };
                restock(till, &stocked).map_err(said)?;
                offers.push(stocked);
            }
            // Somebody else sells under that hashtag here.
            Err(error) if error.status == Some(409) => log::info!("the playground goes without #{hashtag}"),
            Err(error) => return Err(said(error)),
        }
    }
    if offers.is_empty() {
        return Err(
            "the playground has nothing to sell: all of its hashtags are taken in this sandbox".to_owned()
        );
    }
    let people = PEOPLE.iter().map(|one| person(setup, one)).collect::<Result<_, _>>().map_err(said)?;
    Ok(Ready {
        shop_handle: handle.to_owned(),
        shop_name: MERCHANT.to_owned(),
        people,
        merchants: vec![merchant],
        offers,
    })
}

fn merchant(till: &Client) -> Result<String, ClientError> {
    let known = till.all("/v1/merchants")?;
    let found = known.into_iter().find(|one| word(one, "name") == MERCHANT);
    let merchant = found.map_or_else(|| till.post("/v1/merchants", &json!({"name": MERCHANT})), Ok)?;
    Ok(word(&merchant, "id").to_owned())
}

fn person(setup: &Setup, invented: &Invented) -> Result<Person, ClientError> {
    // New ones in every process: their posts are gone with the last.
    let user_id = format!("pg-{}-{}", setup.run, invented.handle);
    let body = invented.account(setup.network, &user_id);
    let made = body.map(|body| setup.admin.post("/v1/accounts", &body)).transpose()?;
    Ok(Person {
        user_id,
        handle: invented.handle.to_owned(),
        name: invented.name.to_owned(),
        card: made.as_ref().and_then(|account| card_words(account.get("payment_method")?)),
        about: invented.about.to_owned(),
        hint: invented.hint.to_owned(),
        plays: true,
        account: made.map(|account| word(&account, "id").to_owned()),
    })
}

/// Makes sure that there is as much to sell as in the beginning.
pub fn restock(till: &Client, stocked: &Stocked) -> Result<(), ClientError> {
    let Some(units) = stocked.units else { return Ok(()) };
    let path = format!("/v1/offers/{}", stocked.offer);
    let offer = till.get(&path)?;
    let count = |name: &str| offer.get(name).and_then(Value::as_u64);
    if let (Some(quantity), Some(available)) = (count("quantity"), count("available"))
        && available < units
    {
        till.patch(&path, &json!({"quantity": quantity + (units - available)}))?;
    }
    Ok(())
}

/// A text of an object; empty where there is none.
pub fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
