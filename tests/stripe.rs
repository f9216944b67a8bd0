//! Payments through Stripe's API: the real binary against localstripe behind a proxy that adds what it lacks, and the
//! faults. Every case ends with the provider's own list: one charge for each paid purchase, and none else.
//!
//! It needs Python with localstripe: `TAGTILL_PEERS` names its virtual environment. `tests/run` makes one; without it
//! nothing is tested here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/browser.rs"]
mod browser;
#[path = "stripe/events.rs"]
mod events;
#[path = "stripe/link.rs"]
mod link;
mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{Site, Till, post, shop, wait_for};

const KEY: &str = "sk_test_tagtill";

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
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
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
    let customer = world.buyer("ann", "4242424242424242");
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
    let customer = world.buyer("ann", "4000000000000341");
    let id = world.buy("ann");
    world.until(&id, "declined");
    assert!(world.provider.paid(&customer).is_empty());
    let purchase = world.purchase(&id);
    assert_eq!(purchase["attempts"][0]["code"], "generic_decline", "{purchase}");
}

#[test]
fn whatever_goes_wrong_at_the_provider_a_purchase_is_charged_once() {
    let Some(world) = World::new() else { return };
    let (create, confirm) = ("/v1/payment_intents", "/confirm");
    let mut n = 0;
    for kind in ["drop_request", "drop_response", "500", "503", "429", "slow"] {
        for ends in [create, confirm] {
            n += 1;
            let user = format!("u{n}");
            let customer = world.buyer(&user, "4242424242424242");
            world
                .provider
                .fault(&json!({"kind": kind, "method": "POST", "path": create, "ends": ends, "times": 2}));
            let id = world.buy(&user);
            world.until(&id, "paid");
            world.charged_once(&customer, &id);
        }
    }
}

#[test]
fn a_refund_whose_answer_is_lost_is_made_once() {
    let Some(world) = World::new() else { return };
    for (n, kind) in ["drop_request", "drop_response", "500"].into_iter().enumerate() {
        let user = format!("u{n}");
        world.buyer(&user, "4242424242424242");
        let id = world.buy(&user);
        world.until(&id, "paid");
        world.provider.fault(&json!({"kind": kind, "method": "POST", "path": "/v1/refunds"}));
        world.till().client.post(&format!("/v1/purchases/{id}/refund"), &json!({}));
        world.until(&id, "refunded");
    }
    let refunds = world.provider.call("GET", "/v1/refunds?limit=99", "").unwrap();
    assert_eq!(refunds["data"].as_array().unwrap().len(), 3, "{refunds}");
}

#[test]
fn a_till_that_is_killed_in_the_middle_charges_once() {
    let Some(mut world) = World::new() else { return };
    for (n, ends) in ["/v1/payment_intents", "/confirm"].into_iter().enumerate() {
        let user = format!("u{n}");
        let customer = world.buyer(&user, "4242424242424242");
        world
            .provider
            .fault(&json!({"kind": "slow", "method": "POST", "path": "/v1/payment_intents", "ends": ends}));
        let id = world.buy(&user);
        let begun = || {
            let calls = world.provider.call("GET", "/_calls", "").unwrap()["begun"].clone();
            calls
                .as_array()
                .unwrap()
                .iter()
                .any(|call| call.as_str().unwrap_or_default().ends_with(ends))
                .then_some(())
        };
        wait_for("the call", begun);
        world.till.take().unwrap().kill_9();
        world.start();
        world.until(&id, "paid");
        world.charged_once(&customer, &id);
    }
}

#[test]
fn a_key_that_is_refused_stops_captures_and_loses_nothing() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", "4242424242424242");
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
