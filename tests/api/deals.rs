//! Deals, as a merchant's developer and a card processor meet them.

use super::till::{ADMIN, Till, account, till};
use serde_json::{Value, json};

fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn deal(merchant: &str, more: &Value) -> Value {
    let mut body = json!({
        "merchant": merchant, "kind": "deal", "hashtag": "#AmexShop", "title": "Spend 75, get 25 back",
        "min_spend": usd(7500), "credit": usd(2500), "quantity": 10,
    });
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

fn spends(id: &str, account: &str, merchant: &str, amount: i64) -> Value {
    json!({
        "id": id, "type": "purchase", "account": account, "merchant": merchant, "amount": usd(amount),
        "occurred_at": "2999-01-01T00:00:00Z",
    })
}

/// A transaction that happens now.
fn now(till: &Till, mut body: Value) -> Value {
    let status = till.get("/readyz").text();
    assert!(!status.is_empty());
    let made = till.post("/v1/merchants", &json!({"name": "Clock"})).expect(201);
    body["occurred_at"] = made["created_at"].clone();
    body
}

#[test]
fn from_a_post_to_a_credit_and_back() {
    let till = till();
    let merchant = till.merchant();
    let made = till.post("/v1/offers", &deal(&merchant, &json!({"budget": usd(100_000)}))).expect(201);
    assert_eq!(
        (&made["kind"], &made["price"], &made["confirm_hashtag"]),
        (&json!("deal"), &Value::Null, &Value::Null)
    );
    assert_eq!((&made["budget_left"], &made["enrolled"]), (&usd(100_000), &json!(0)));
    let ann = till.account("ann");
    let enrolled = till.say("ann", "Yes! #AmexShop");
    assert_eq!(enrolled["verdict"], "enrolled");
    assert!(enrolled["reply"]["text"].as_str().unwrap().contains("get $25.00 back"), "{enrolled}");
    assert_eq!(till.say("ann", "#AmexShop")["verdict"], "already_enrolled");
    let enrolments = till.get(&format!("/v1/enrolments?account={ann}")).expect(200);
    assert_eq!(enrolments["data"][0]["offer"], made["id"]);

    let processor = till.token("processor");
    let bought = now(&till, spends("t/1", &ann, &merchant, 8000));
    let told = |body: &Value| till.call(&processor, "POST", "/v1/card-transactions", body);
    let taken = told(&bought).expect(200);
    assert_eq!((&taken["repeated"], &taken["credits"][0]["amount"]), (&json!(false), &usd(2500)));
    let again = told(&bought).expect(200);
    assert_eq!((&again["repeated"], &again["credits"][0]["id"]), (&json!(true), &taken["credits"][0]["id"]));
    let mut other = bought.clone();
    other["amount"] = usd(9000);
    told(&other).problem(409, "conflict", "id");
    let credit = super::support::wait_for("the credit", || {
        let all = till.get("/v1/credits?status=credited").expect(200);
        all["data"].as_array().unwrap().first().cloned()
    });
    assert_eq!((&credit["id"], &credit["transaction"]), (&taken["credits"][0]["id"], &json!("t/1")));
    let shown = till.get(&format!("/v1/offers/{}", made["id"].as_str().unwrap())).expect(200);
    let figures =
        ["enrolled", "credits", "credited", "budget_left", "available"].map(|name| shown[name].clone());
    assert_eq!(figures, [json!(1), json!(1), usd(2500), usd(97_500), json!(9)]);

    let mut back = now(&till, spends("t/2", &ann, &merchant, 8000));
    (back["type"], back["original"]) = (json!("refund"), json!("t/1"));
    assert_eq!(told(&back).expect(200)["credits"][0]["due"], usd(0));
    let reversed = super::support::wait_for("the credit to go back", || {
        let all = till.get("/v1/credits?status=reversed").expect(200);
        all["data"].as_array().unwrap().first().cloned()
    });
    assert_eq!((&reversed["id"], &reversed["reversed"]), (&credit["id"], &usd(2500)));
    let events = till.get("/v1/events?limit=200").expect(200).to_string();
    assert!(events.contains("deal.enrolled") && events.contains("deal.credited"), "{events}");
    // A processor posts transactions and nothing else.
    till.call(&processor, "GET", "/v1/credits", &Value::Null).problem(403, "forbidden", "");
}

#[test]
fn one_card_enrols_once_whoever_links_it() {
    let till = till();
    till.post("/v1/offers", &deal(&till.merchant(), &json!({}))).expect(201);
    for user in ["ann", "bob"] {
        let mut body = account(user);
        body["payment_method"]["token"] = json!("tok_visa.ours");
        till.post("/v1/accounts", &body).expect(201);
    }
    let mut odd = account("eve");
    odd["payment_method"]["token"] = json!("tok_visa.");
    till.post("/v1/accounts", &odd).problem(422, "invalid", "payment_method.token");
    assert_eq!(till.say("ann", "#AmexShop")["verdict"], "enrolled");
    assert_eq!(till.say("bob", "#AmexShop")["verdict"], "already_enrolled");
}

#[test]
fn what_cannot_be_a_deal_or_a_transaction_is_refused_by_its_field() {
    let till = till();
    let merchant = till.merchant();
    let ann = till.account("ann");
    let events = till.events();
    for (more, status, code, field) in [
        (json!({"price": usd(100)}), 422, "invalid", "price"),
        (json!({"min_spend": null}), 400, "invalid_request", "min_spend"),
        (json!({"credit": null}), 400, "invalid_request", "credit"),
        (json!({"credit": 5}), 400, "invalid_request", "credit"),
        (json!({"credit": {"percent": 0, "cap": usd(100)}}), 422, "invalid", "credit.percent"),
        (json!({"credit": {"percent": 101, "cap": usd(100)}}), 422, "invalid", "credit.percent"),
        (json!({"credit": usd(7501)}), 422, "invalid", "credit.amount"),
        (json!({"credit": {"amount": 5, "currency": "EUR"}}), 422, "invalid", "credit.currency"),
        (json!({"budget": usd(2499)}), 422, "invalid", "budget.amount"),
        (json!({"budget": {"amount": 2500, "currency": "EUR"}}), 422, "invalid", "budget.currency"),
        (json!({"min_spend": usd(0)}), 422, "invalid", "min_spend.amount"),
        (json!({"confirm_hashtag": "#YesShop"}), 422, "invalid", "confirm_hashtag"),
        (json!({"cancel_hashtag": "#NoShop"}), 422, "invalid", "cancel_hashtag"),
        (json!({"waitlist": true}), 422, "invalid", "waitlist"),
        (json!({"ships_to": ["US"]}), 422, "invalid", "ships_to"),
        (json!({"list_price": usd(1)}), 422, "invalid", "list_price"),
        (json!({"variants": [{"name": "M"}], "quantity": null}), 422, "invalid", "variants"),
        (json!({"max_per_purchase": 2}), 422, "invalid", "max_per_purchase"),
    ] {
        till.post("/v1/offers", &deal(&merchant, &more)).problem(status, code, field);
    }
    let mut sale = super::till::offer(&merchant, "Tea");
    sale["budget"] = usd(5000);
    till.post("/v1/offers", &sale).problem(422, "invalid", "budget");
    let fresh = || spends("t1", &ann, &merchant, 8000);
    for (field, value, status, code, named) in [
        ("id", json!(""), 422, "invalid", "id"),
        ("id", json!("a b"), 422, "invalid", "id"),
        ("type", json!("gift"), 400, "invalid_request", "type"),
        ("original", json!("t0"), 422, "invalid", "occurred_at"),
        ("account", json!("acc_1"), 400, "invalid_request", "account"),
        ("account", json!("acc_00000000000000000000000001"), 422, "invalid", "occurred_at"),
        ("amount", usd(0), 422, "invalid", "amount.amount"),
        ("amount", json!({"amount": 1, "currency": "QQQ"}), 400, "invalid_request", "amount.currency"),
        ("occurred_at", json!("yesterday"), 400, "invalid_request", "occurred_at"),
        ("colour", json!("red"), 400, "invalid_request", "colour"),
    ] {
        let mut body = fresh();
        body[field] = value;
        till.post("/v1/card-transactions", &body).problem(status, code, named);
    }
    let mut body = now(&till, fresh());
    body["account"] = json!("acc_00000000000000000000000001");
    till.post("/v1/card-transactions", &body).problem(422, "invalid", "account");
    let mut body = now(&till, fresh());
    body["merchant"] = json!("mer_00000000000000000000000001");
    till.post("/v1/card-transactions", &body).problem(422, "invalid", "merchant");
    assert_eq!(till.events(), events, "nothing came of any of them");

    let made = till.post("/v1/offers", &deal(&merchant, &json!({"budget": usd(5000)}))).expect(201);
    let path = format!("/v1/offers/{}", made["id"].as_str().unwrap());
    let edit = |body: Value| till.call(ADMIN, "PATCH", &path, &body);
    edit(json!({"price": usd(5)})).problem(422, "invalid", "price");
    edit(json!({"min_spend": null})).problem(400, "invalid_request", "min_spend");
    edit(json!({"budget": usd(1)})).problem(422, "invalid", "budget.amount");
    assert_eq!(edit(json!({"budget": null})).expect(200)["budget_left"], Value::Null);
    assert_eq!(
        edit(json!({"credit": {"percent": 10, "cap": usd(900)}})).expect(200)["credit"]["percent"],
        10
    );
    let tea = till.offer(&merchant, "Tea");
    till.call(ADMIN, "PATCH", &format!("/v1/offers/{tea}"), &json!({"budget": usd(5)}))
        .problem(422, "invalid", "budget");
}
