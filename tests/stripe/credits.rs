//! Credits of a deal: partial refunds of the card transactions that earned them.

use super::{ASKS, PAYS, World};
use crate::support::{Client, post, wait_for};
use serde_json::{Value, json};

fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// A world with a deal: spend 75.00, get 25.00 back.
struct Club {
    world: World,
    merchant: String,
    account: String,
    customer: String,
    method: String,
}

impl Club {
    fn new() -> Option<Self> {
        let world = World::with_events()?;
        let client = &world.till().client;
        let merchant = client.all("/v1/merchants")[0]["id"].as_str().unwrap().to_owned();
        let deal = json!({
            "merchant": merchant, "kind": "deal", "hashtag": "#AmexShop", "title": "Spend 75, get 25 back",
            "min_spend": usd(7500), "credit": usd(2500), "per_account_limit": 99,
        });
        client.post("/v1/offers", &deal);
        let (customer, method) = world.provider.card(PAYS);
        let mut account = crate::support::account("ann", "");
        account["payment_method"] = json!({"gateway": "stripe", "token": method});
        let account = client.post("/v1/accounts", &account)["id"].as_str().unwrap().to_owned();
        let enrolled = client.post("/v1/posts", &post("e1", "ann", "#AmexShop"));
        assert_eq!(enrolled["verdict"], "enrolled", "{enrolled}");
        Some(Self { world, merchant, account, customer, method })
    }

    fn client(&self) -> &Client {
        &self.world.till().client
    }

    /// The card is used at the merchant's, by no doing of the till's: a payment intent.
    fn card_is_used(&self, amount: i64) -> String {
        let form = format!(
            "amount={amount}&currency=usd&customer={}&payment_method={}&payment_method_types[]=card",
            self.customer, self.method
        );
        let intent = self.world.provider.post("/v1/payment_intents", &form);
        let intent = intent["id"].as_str().unwrap().to_owned();
        self.world.provider.post(&format!("/v1/payment_intents/{intent}/confirm"), "off_session=true");
        intent
    }

    /// Its processor tells the till.
    fn tell(&self, id: &str, kind: &str, original: Option<&str>, amount: i64) -> Value {
        let made = self.client().post("/v1/merchants", &json!({"name": "Clock"}));
        let mut body = json!({
            "id": id, "type": kind, "account": self.account, "merchant": self.merchant, "amount": usd(amount),
            "occurred_at": made["created_at"],
        });
        if let Some(original) = original {
            body["original"] = json!(original);
        }
        self.client().post("/v1/card-transactions", &body)
    }

    fn credit(&self, transaction: &str) -> Value {
        let all = self.client().all("/v1/credits");
        all.into_iter().find(|one| one["transaction"] == transaction).unwrap_or_default()
    }

    #[track_caller]
    fn until(&self, transaction: &str, status: &str) -> Value {
        wait_for(&format!("{transaction} {status}"), || {
            Some(self.credit(transaction)).filter(|credit| credit["status"] == status)
        })
    }

    /// The provider gave 25.00 of it back, once, under the credit's key.
    #[track_caller]
    fn given_once(&self, transaction: &str) {
        let credit = self.credit(transaction)["id"].as_str().unwrap().to_owned();
        assert_eq!(self.world.provider.refunds(transaction), [(format!("{credit}-1"), 2500)]);
    }
}

#[test]
fn a_credit_is_a_refund_of_the_transaction_that_earned_it() {
    let Some(club) = Club::new() else { return };
    let intent = club.card_is_used(8000);
    club.tell(&intent, "purchase", None, 8000);
    club.until(&intent, "credited");
    club.given_once(&intent);
    // By its charge's name, too.
    let other = club.card_is_used(8000);
    let charge = club.world.provider.call("GET", &format!("/v1/payment_intents/{other}"), "").unwrap();
    let charge = charge["latest_charge"].as_str().unwrap().to_owned();
    club.tell(&charge, "purchase", None, 8000);
    club.until(&charge, "credited");
    assert_eq!(club.world.provider.refunds(&other).len(), 1);
    // What was given cannot be taken back, and the operator can see why.
    club.tell("back", "refund", Some(&intent), 8000);
    let kept = wait_for("the refusal", || {
        Some(club.credit(&intent)).filter(|credit| credit["code"] == "stripe_takes_nothing_back")
    });
    assert_eq!((&kept["status"], &kept["due"]), (&json!("credited"), &usd(0)), "{kept}");
    club.given_once(&intent);
    assert_eq!(club.client().call("GET", "/readyz", &Value::Null).status, 200);
    // The books tell of money that went to the card.
    let export = format!(
        "balance_transaction_id,created_utc,currency,gross,reporting_category,source_id,payment_intent_id,charge_id\n\
         txn_1,,usd,-25.00,refund,re_1,{intent},ch_1\ntxn_2,,usd,-25.00,refund,re_2,{other},{charge}\n"
    );
    std::fs::write(club.world.site.path("export.csv"), export).unwrap();
    let file = club.world.site.path("export.csv");
    let same = club.world.site.run(&["reconcile", file.to_str().unwrap(), "--url", &club.client().url]);
    assert!(String::from_utf8_lossy(&same.stdout).starts_with("2 matched, 0 not"), "{same:?}");
}

#[test]
fn what_is_no_transaction_at_stripe_is_not_credited() {
    let Some(club) = Club::new() else { return };
    let refunded = club.card_is_used(8000);
    club.world.provider.post("/v1/refunds", &format!("payment_intent={refunded}&amount=6000"));
    let form = "amount=8000&currency=eur&payment_method_types[]=card";
    let form = format!("{form}&customer={}&payment_method={}", club.customer, club.method);
    let euros = club.world.provider.post("/v1/payment_intents", &form)["id"].as_str().unwrap().to_owned();
    let unpaid = {
        let (customer, method) = club.world.provider.card(ASKS);
        let form = format!("amount=8000&currency=usd&customer={customer}&payment_method={method}");
        club.world.provider.post("/v1/payment_intents", &form)["id"].as_str().unwrap().to_owned()
    };
    club.world.provider.post(&format!("/v1/payment_intents/{euros}/confirm"), "off_session=true");
    for (id, code) in [
        ("t/1", "transaction_not_at_stripe"),
        ("pi_nobody", "transaction_not_at_stripe"),
        ("ch_1/../../customers", "transaction_not_at_stripe"),
        (refunded.as_str(), "transaction_refunded"),
        (euros.as_str(), "transaction_currency_differs"),
        (unpaid.as_str(), "transaction_not_paid"),
    ] {
        club.tell(id, "purchase", None, 8000);
        assert_eq!(club.until(id, "failed")["code"], code, "{id}");
    }
    assert_eq!(club.client().call("GET", "/readyz", &Value::Null).status, 200);
}

#[test]
fn a_credit_whose_answer_is_lost_is_given_once() {
    let Some(mut club) = Club::new() else { return };
    club.world.provider.settings(&json!({"slow_seconds": 0.5}));
    for kind in ["drop_request", "drop_response", "500", "503", "409", "429", "slow"] {
        for (method, path) in
            [("POST", "/v1/refunds"), ("GET", "/v1/refunds"), ("GET", "/v1/payment_intents/")]
        {
            if method == "GET" && !["drop_response", "503"].contains(&kind) {
                continue;
            }
            let intent = club.card_is_used(8000);
            club.world.provider.fault(&json!({"kind": kind, "method": method, "path": path}));
            club.tell(&intent, "purchase", None, 8000);
            club.until(&intent, "credited");
            club.given_once(&intent);
        }
    }
    // Its key is forgotten, and the till was killed over it.
    club.world.provider.settings(&json!({"key_seconds": 0.1}));
    let intent = club.card_is_used(8000);
    let before = club.world.provider.calls("executed", "POST /v1/refunds", "");
    club.world.provider.fault(&json!({"kind": "slow_answer", "method": "POST", "path": "/v1/refunds"}));
    club.tell(&intent, "purchase", None, 8000);
    let calls = || club.world.provider.calls("executed", "POST /v1/refunds", "");
    wait_for("the refund", || (calls() > before).then_some(()));
    club.world.till.take().unwrap().kill_9();
    club.world.start();
    club.until(&intent, "credited");
    club.given_once(&intent);
}

#[test]
fn a_credit_for_a_purchase_of_ours_is_no_refund_of_it() {
    let Some(club) = Club::new() else { return };
    let id = club.world.buy("ann");
    club.world.until(&id, "paid");
    let intent = club.world.intent(&id);
    club.tell(&intent, "purchase", None, 7500);
    // More than the purchase came to: Stripe has less, and nothing is given.
    assert_eq!(club.until(&intent, "failed")["code"], "transaction_refunded");
    club.world.provider.post(
        "/v1/refunds",
        &format!(
            "payment_intent={intent}&amount=500&metadata[tagtill_key]={}-1",
            club.credit(&intent)["id"].as_str().unwrap()
        ),
    );
    club.world.event("evt_1", &json!({"id": "ch_1", "object": "charge", "payment_intent": intent}));
    club.world.provider.post("/v1/refunds", &format!("payment_intent={intent}&amount=200"));
    club.world.event("evt_2", &json!({"id": "ch_1", "object": "charge", "payment_intent": intent}));
    club.world.refunded(&id, 200);
    assert_eq!(club.world.purchase(&id)["refunds"].as_array().unwrap().len(), 1);
}
