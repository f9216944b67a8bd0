//! What Stripe tells by itself: events, signed as Stripe signs them, of things that nobody here asked for.

use super::{KEY, PAYS, Provider, World};
use crate::support::{Answer, Client, wait_for};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "whsec_of_the_tests_0123456789";

impl World {
    /// With a till that takes events.
    pub fn with_events() -> Option<Self> {
        let mut world = Self::new()?;
        world.till.take().unwrap().stop();
        std::fs::write(world.site.path("webhook-secret"), SECRET).unwrap();
        world.more = vec![
            "--stripe-webhook-secret-file".to_owned(),
            world.site.path("webhook-secret").to_str().unwrap().to_owned(),
        ];
        world.start();
        Some(world)
    }

    /// Sends an event about `object`, signed with `secret` some seconds ago.
    fn send(&self, id: &str, object: &Value, secret: &str, seconds_ago: u64) -> Answer {
        let body = json!({"id": id, "livemode": false, "type": "of.no.matter", "data": {"object": object}});
        let body = body.to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - seconds_ago;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{now}.{body}").as_bytes());
        let signature = mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        let path = "/v1/gateway-events/stripe";
        let client: &Client = &self.till().client;
        client
            .send_with(path, &[("Stripe-Signature", &format!("t={now},v1={signature}"))], body.as_bytes())
            .unwrap()
    }

    pub fn event(&self, id: &str, object: &Value) -> Value {
        self.send(id, object, SECRET, 0).ok()
    }
}

fn of_charge(intent: &str) -> Value {
    json!({"id": "ch_1", "object": "charge", "payment_intent": intent})
}

impl Provider {
    /// A dispute as it stands now.
    fn dispute(&self, intent: &str, status: &str) {
        let body = json!({
            "id": "dp_1", "payment_intent": intent, "amount": 1500, "currency": "usd", "reason": "fraudulent",
            "status": status,
        });
        self.post("/_dispute", &body.to_string());
    }
}

#[test]
fn an_event_that_is_not_signed_is_refused_and_a_second_one_changes_nothing() {
    let Some(world) = World::with_events() else { return };
    let intent = json!({"id": "pi_1", "object": "payment_intent"});
    for (secret, seconds_ago) in [("whsec_of_somebody_else_012345", 0), (SECRET, 301)] {
        let refused = world.send("evt_1", &intent, secret, seconds_ago);
        assert_eq!(refused.status, 400, "{:?}", refused.json());
    }
    let unsigned = world.till().client.call("POST", "/v1/gateway-events/stripe", &intent);
    assert_eq!(unsigned.status, 400, "{:?}", unsigned.json());
    assert_eq!(world.event("evt_1", &intent), json!({"taken": true, "repeated": false}));
    assert_eq!(world.event("evt_1", &intent), json!({"taken": true, "repeated": true}));
    let payout = json!({"id": "po_1", "object": "payout"});
    assert_eq!(world.event("evt_2", &payout), json!({"taken": false, "repeated": false}));
}

#[test]
fn a_success_is_told_before_anybody_asks() {
    let Some(world) = World::with_events() else { return };
    let customer = world.buyer("ann", PAYS);
    let fault = json!({"kind": "503", "path": "/v1/payment_intents", "ends": "/confirm", "times": 9});
    world.provider.fault(&fault);
    let id = world.buy("ann");
    let intent = wait_for("an intent", || Some(world.intent(&id)).filter(|intent| !intent.is_empty()));
    // Somebody finishes it elsewhere; by asking alone the till would know a good while later.
    world.provider.post("/_calm", "");
    let path = format!("/v1/payment_intents/{intent}/confirm");
    // Refused where the till itself was quicker, as it may be by then.
    let _ = world.provider.call("POST", &path, "off_session=true");
    world.event("evt_1", &json!({"id": intent, "object": "payment_intent"}));
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
}

#[test]
fn refunds_of_the_dashboard_and_refunds_that_come_back() {
    let Some(world) = World::with_events() else { return };
    world.buyer("ann", PAYS);
    let id = world.buy("ann");
    world.until(&id, "paid");
    let intent = world.intent(&id);
    world.provider.post("/v1/refunds", &format!("payment_intent={intent}&amount=500"));
    world.event("evt_1", &of_charge(&intent));
    let refunded = wait_for("the dashboard's refund", || {
        let purchase = world.purchase(&id);
        (purchase["refunded"]["amount"] == 500).then_some(purchase)
    });
    assert_eq!(refunded["refunds"][0]["external"], true, "{refunded}");
    let rest = world.provider.post("/v1/refunds", &format!("payment_intent={intent}&amount=1000"));
    world.event("evt_2", &of_charge(&intent));
    world.until(&id, "refunded");
    let body = json!({"id": rest["id"]});
    world.provider.post("/_refund_fails", &body.to_string());
    world.event("evt_3", &of_charge(&intent));
    world.until(&id, "paid");
    let purchase = world.purchase(&id);
    assert_eq!(purchase["refunds"][1]["returned"], true, "{purchase}");
    let settled = world.till().client.all("/v1/journal");
    let kinds: Vec<_> = settled.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["charge", "refund", "refund", "refund_returned"]);
}

#[test]
fn a_dispute_stops_the_parcel_until_it_is_won() {
    let Some(world) = World::with_events() else { return };
    world.buyer("ann", PAYS);
    let id = world.buy("ann");
    world.until(&id, "paid");
    let intent = world.intent(&id);
    let order = world.purchase(&id)["order"].as_str().unwrap().to_owned();
    let dispute = json!({"id": "dp_1", "object": "dispute", "payment_intent": intent});
    let order_is = |disputed: bool| {
        let order = world.till().client.get(&format!("/v1/orders/{order}"));
        (order["disputed"] == disputed).then_some(())
    };
    world.provider.dispute(&intent, "needs_response");
    world.event("evt_1", &dispute);
    wait_for("the dispute", || order_is(true));
    let ship = || world.till().client.call("POST", &format!("/v1/orders/{order}/ship"), &json!({}));
    assert_eq!(ship().status, 409);
    let refund = world.till().client.call("POST", &format!("/v1/purchases/{id}/refund"), &json!({}));
    assert_eq!(refund.status, 409, "{:?}", refund.json());
    world.provider.dispute(&intent, "won");
    world.event("evt_2", &dispute);
    wait_for("the end of the dispute", || order_is(false));
    assert_eq!(ship().status, 200);
}

#[test]
fn the_books_are_compared_with_the_providers_export() {
    let Some(world) = World::with_events() else { return };
    for user in ["ann", "bob"] {
        world.buyer(user, PAYS);
        let id = world.buy(user);
        world.until(&id, "paid");
    }
    let list = world.provider.call("GET", "/_intents", "").unwrap();
    let mut export = "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id\n".to_owned();
    for intent in list["data"].as_array().unwrap() {
        let id = intent["id"].as_str().unwrap();
        writeln!(export, "txn_{id},,usd,15.00,-0.74,14.26,charge,ch_{id},{id}").unwrap();
    }
    export += "txn_fee,,usd,-2.00,0.00,-2.00,fee,,\n";
    let write = |text: &str| std::fs::write(world.site.path("export.csv"), text).unwrap();
    write(&export);
    let file = world.site.path("export.csv");
    let reconcile =
        || world.site.run(&["reconcile", file.to_str().unwrap(), "--url", &world.till().client.url]);
    let same = reconcile();
    assert!(same.status.success(), "{same:?}");
    assert!(String::from_utf8_lossy(&same.stdout).starts_with("2 matched, 0 not; 1 lines"), "{same:?}");
    write(
        &export
            .replacen("15.00", "14.00", 1)
            .replace("txn_fee,,usd,-2.00,0.00,-2.00,fee", "x,,usd,-5.00,0,-5,refund"),
    );
    let open = reconcile();
    assert_eq!(open.status.code(), Some(3), "{open:?}");
    let text = String::from_utf8_lossy(&open.stdout).into_owned();
    assert!(
        text.contains("15.00 USD here, 14.00 USD there") && text.contains("missing here   refund"),
        "{text}"
    );
    assert!(!KEY.is_empty() && !text.contains(KEY));
}
