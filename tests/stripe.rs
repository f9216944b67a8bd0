//! Payments through Stripe's API: the real binary against localstripe behind a proxy that adds what it lacks, and the
//! faults. Every case ends with the provider's own list: one charge for each paid purchase, and none else.
//!
//! It needs Python with localstripe: `TAGTILL_PEERS` names its virtual environment. `tests/run` makes one; without it
//! nothing is tested here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "stripe/authenticating.rs"]
mod authenticating;
#[path = "support/browser.rs"]
mod browser;
#[path = "stripe/credits.rs"]
mod credits;
#[path = "stripe/events.rs"]
mod events;
#[path = "stripe/faults.rs"]
mod faults;
#[path = "stripe/kills.rs"]
mod kills;
#[path = "stripe/link.rs"]
mod link;
#[path = "stripe/lists.rs"]
mod lists;
#[path = "stripe/setups.rs"]
mod setups;
mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{Site, Till, post, shop, wait_for};
use tagtill::payments::{Charge, Direction, Stripe};
use tagtill::till::money::{Currency, Money};
use tagtill::till::time::Time;

const KEY: &str = "sk_test_tagtill";
/// Pays; asks its owner; is declined when it is charged.
const PAYS: &str = "4242424242424242";
const ASKS: &str = "4000002500003155";
const DECLINED: &str = "4000000000000341";

/// Stripe's stand-in.
struct Provider {
    children: Vec<Child>,
    url: String,
    agent: ureq::Agent,
}

impl Drop for Provider {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Provider {
    /// Starts one; `None` where the machine has none.
    fn start() -> Option<Self> {
        let Some(peers) = std::env::var_os("TAGTILL_PEERS") else {
            eprintln!("TAGTILL_PEERS is not set: nothing is tested here");
            return None;
        };
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let python = PathBuf::from(peers).join("bin/python");
        let (upstream, front) = (free_port(), free_port());
        let run = |script: &str, args: &[String]| {
            let mut command = Command::new(&python);
            command.arg(folder.join(script)).args(args).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let children = vec![
            run("localstripe_here.py", &[upstream.to_string()]),
            run("stripe_front.py", &[front.to_string(), format!("http://127.0.0.1:{upstream}")]),
        ];
        let agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        let provider = Self { children, url: format!("http://127.0.0.1:{front}"), agent };
        wait_for("the provider", || provider.call("GET", "/v1/payment_intents?customer=cus_0", "").ok());
        Some(provider)
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, ureq::Error> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = request.header("Authorization", format!("Bearer {KEY}"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let mut response = self.agent.run(request.body(body.to_owned()).unwrap())?;
        let body = response.body_mut().read_json()?;
        if response.status() == 200 {
            Ok(body)
        } else {
            Err(ureq::Error::StatusCode(response.status().as_u16()))
        }
    }

    fn post(&self, path: &str, form: &str) -> Value {
        self.call("POST", path, form).unwrap()
    }

    /// A customer with a card: (customer, payment method).
    fn card(&self, number: &str) -> (String, String) {
        let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let customer = text(&self.post("/v1/customers", "email=jo%40example.com"));
        let card =
            format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123");
        let method = text(&self.post("/v1/payment_methods", &card));
        self.post(&format!("/v1/payment_methods/{method}/attach"), &format!("customer={customer}"));
        (customer, method)
    }

    /// Sends a form of one of the provider's pages as a browser does; where it leads.
    fn submit(&self, url: &str, form: &str) -> (u16, String) {
        let request = ureq::http::Request::builder().method("POST").uri(url);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = self.agent.run(request.body(form.to_owned()).unwrap()).unwrap();
        let place = answer.headers().get("Location").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), place.unwrap_or_default())
    }

    /// A page as a browser gets it: its status and text.
    fn page(&self, url: &str) -> (u16, String) {
        let mut answer = self.agent.get(url).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    fn settings(&self, settings: &Value) {
        self.post("/_settings", &settings.to_string());
    }

    /// Calls so far that begin and end so, of those that were `begun` or `executed`.
    fn calls(&self, which: &str, begins: &str, ends: &str) -> usize {
        let calls = self.call("GET", "/_calls", "").unwrap()[which].clone();
        let calls = calls.as_array().unwrap().iter().map(|call| call.as_str().unwrap().to_owned());
        calls.filter(|call| call.starts_with(begins) && call.ends_with(ends)).count()
    }

    /// What was given back of an intent, with the key that each carries.
    fn refunds(&self, intent: &str) -> Vec<(String, i64)> {
        let list = self.call("GET", &format!("/v1/refunds?payment_intent={intent}&limit=99"), "").unwrap();
        let key = |one: &Value| one["metadata"]["tagtill_key"].as_str().unwrap_or_default().to_owned();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (key(one), one["amount"].as_i64().unwrap()))
            .collect()
    }

    /// A way to this provider as the till has one.
    fn stripe(&self) -> Stripe {
        Stripe::new(&self.url, KEY).unwrap()
    }

    /// Does something wrong with the next calls that fit.
    fn fault(&self, fault: &Value) {
        self.post("/_fault", &fault.to_string());
    }

    /// A customer's intents, each with its key and how it stands.
    fn intents(&self, customer: &str) -> Vec<(String, String, i64)> {
        let list = self.call("GET", &format!("/v1/payment_intents?customer={customer}"), "").unwrap();
        let one = |intent: &Value| {
            (
                intent["metadata"]["tagtill_key"].as_str().unwrap_or_default().to_owned(),
                intent["status"].as_str().unwrap().to_owned(),
                intent["amount_received"].as_i64().unwrap(),
            )
        };
        list["data"].as_array().unwrap().iter().map(one).collect()
    }

    fn paid(&self, customer: &str) -> Vec<(String, i64)> {
        let intents = self.intents(customer).into_iter();
        intents.filter(|(_, status, _)| status == "succeeded").map(|(key, _, amount)| (key, amount)).collect()
    }
}

/// What the till charges for its only offer, under this key.
fn charge(key: &str, customer: &str, method: &str) -> Charge {
    Charge {
        key: key.to_owned(),
        direction: Direction::Charge,
        amount: Money { amount: 1500, currency: Currency::USD },
        customer: customer.to_owned(),
        method: method.to_owned(),
        begun_at: Time::from_ms(0),
        transaction: None,
    }
}

struct World {
    provider: Provider,
    site: Site,
    till: Option<Till>,
    /// Further flags of `serve`.
    more: Vec<String>,
}

impl World {
    fn new() -> Option<Self> {
        let provider = Provider::start()?;
        let site = Site::new();
        std::fs::write(site.path("stripe-key"), KEY).unwrap();
        let mut world = Self { provider, site, till: None, more: Vec::new() };
        world.start();
        shop(&world.till().client, "#BuyThing", None);
        Some(world)
    }

    fn start(&mut self) {
        let key = self.site.path("stripe-key");
        let flags = ["--payments", "stripe", "--stripe-base", &self.provider.url, "--tick-ms", "100"];
        let key = ["--stripe-key-file", key.to_str().unwrap()];
        let more: Vec<&str> = self.more.iter().map(String::as_str).collect();
        self.till = Some(self.site.start(&[&flags[..], &key[..], &more[..]].concat()));
    }

    fn till(&self) -> &Till {
        self.till.as_ref().unwrap()
    }

    /// Links a buyer with a card; returns the provider's customer.
    fn buyer(&self, user: &str, number: &str) -> String {
        let (customer, method) = self.provider.card(number);
        let mut account = support::account(user, "");
        account["payment_method"] = json!({"gateway": "stripe", "token": method});
        let linked = self.till().client.post("/v1/accounts", &account);
        assert_eq!(linked["payment_method"]["brand"], "visa", "{linked}");
        customer
    }

    /// Buys and confirms; returns the purchase.
    fn buy(&self, user: &str) -> String {
        let client = &self.till().client;
        let bought = client.post("/v1/posts", &post(&format!("b-{user}"), user, "#BuyThing"));
        let confirmed = client.post("/v1/posts", &post(&format!("c-{user}"), user, "#ConfirmThing"));
        assert_eq!(confirmed["verdict"], "confirmed", "{bought} {confirmed}");
        confirmed["purchase"].as_str().unwrap().to_owned()
    }

    fn purchase(&self, id: &str) -> Value {
        self.till().client.get(&format!("/v1/purchases/{id}"))
    }

    #[track_caller]
    fn until(&self, id: &str, status: &str) {
        wait_for(&format!("{id} {status}"), || (self.purchase(id)["status"] == status).then_some(()));
    }

    /// Moves the till's clock.
    fn pass(&self, seconds: u32) {
        self.till().client.post("/v1/sandbox/clock", &json!({"advance_seconds": seconds}));
    }

    /// The intent of a purchase.
    fn intent(&self, purchase: &str) -> String {
        self.purchase(purchase)["attempts"][0]["reference"].as_str().unwrap_or_default().to_owned()
    }

    /// The provider's own list of everything against the till's: one charge that went through for each purchase that
    /// was paid, of its price and under its reference, and none else.
    #[track_caller]
    fn books_agree(&self) {
        let list = self.provider.call("GET", "/_intents", "").unwrap();
        let list = list["data"].as_array().unwrap();
        assert!(list.len() < 99, "the provider's list is cut off");
        let ours = list.iter().filter(|one| one["metadata"]["tagtill_key"].is_string());
        let mut theirs: Vec<(String, i64)> = ours
            .filter(|one| one["status"] == "succeeded")
            .map(|one| (one["id"].as_str().unwrap().to_owned(), one["amount_received"].as_i64().unwrap()))
            .collect();
        let mut own = Vec::new();
        for purchase in self.till().client.all("/v1/purchases") {
            let attempts = purchase["attempts"].as_array().unwrap().iter();
            for paid in attempts.filter(|attempt| attempt["status"] == "paid") {
                let price = purchase["price"]["amount"].as_i64().unwrap();
                own.push((paid["reference"].as_str().unwrap().to_owned(), price));
            }
            let bought = purchase["status"] == "paid" || purchase["status"] == "refunded";
            assert_eq!(bought, purchase["captured"]["amount"] == 1500, "{purchase}");
        }
        theirs.sort();
        own.sort();
        assert_eq!(theirs, own, "{list:?}");
    }

    /// The provider charged this purchase once, whole, and the customer for nothing else.
    #[track_caller]
    fn charged_once(&self, customer: &str, purchase: &str) {
        let paid = self.provider.paid(customer);
        assert_eq!(paid.len(), 1, "{:?}", self.provider.intents(customer));
        assert!(paid[0].0.starts_with(purchase) && paid[0].1 == 1500, "{paid:?}");
    }
}

#[test]
fn a_confirmed_purchase_is_charged_and_given_back() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", PAYS);
    let id = world.buy("ann");
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
    let refund = |body: &Value| world.till().client.post(&format!("/v1/purchases/{id}/refund"), body);
    refund(&json!({"amount": 500}));
    refund(&json!({}));
    world.until(&id, "refunded");
    let intent = world.purchase(&id);
    assert_eq!(intent["status"], "refunded");
    let orders = world.till().client.all("/v1/orders");
    assert_eq!(orders[0]["status"], "cancelled", "{orders:?}");
}

#[test]
fn a_card_that_is_declined_frees_the_unit_and_tells_the_operator_only() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", DECLINED);
    let id = world.buy("ann");
    world.until(&id, "declined");
    assert!(world.provider.paid(&customer).is_empty());
    let purchase = world.purchase(&id);
    assert_eq!(purchase["attempts"][0]["code"], "generic_decline", "{purchase}");
}

#[test]
fn a_key_that_is_refused_stops_captures_and_loses_nothing() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", PAYS);
    world.provider.fault(&json!({"kind": "401", "path": "/v1/payment_intents", "times": 1}));
    let id = world.buy("ann");
    let ready = || world.till().client.call("GET", "/readyz", &Value::Null);
    let told = wait_for("red", || Some(ready()).filter(|answer| answer.status == 503));
    assert!(told.json()["detail"].as_str().unwrap().contains("Stripe refuses requests"), "{:?}", told.json());
    assert_eq!(world.purchase(&id)["status"], "capturing");
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
    assert_eq!(ready().status, 200);
}
