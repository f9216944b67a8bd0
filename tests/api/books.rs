//! Orders and the books, as a merchant's developer and an accountant meet them.

use super::support::wait_for;
use super::till::{ADMIN, Till, offer, till};
use serde_json::{Value, json};

/// A paid purchase of `units`; returns its order.
fn sold(till: &Till, user: &str, tag: &str, units: u32) -> Value {
    till.account(user);
    till.say(user, &format!("x{units} #Buy{tag}"));
    let purchase = till.say(user, &format!("#Confirm{tag}"))["purchase"].as_str().unwrap().to_owned();
    wait_for("an order", || {
        let all = till.get("/v1/orders?limit=200").expect(200);
        all["data"].as_array().unwrap().iter().find(|order| order["purchase"] == purchase).cloned()
    })
}

/// A shop with one offer, of which three can be bought at once.
fn shop(till: &Till, tag: &str) -> String {
    let merchant = till.merchant();
    let mut new = offer(&merchant, tag);
    new["quantity"] = json!(20);
    new["per_account_limit"] = json!(3);
    new["max_per_purchase"] = json!(3);
    till.post("/v1/offers", &new).expect(201);
    merchant
}

#[test]
fn an_order_is_shipped_in_parcels() {
    let till = till();
    let merchant = shop(&till, "Tea");
    let order = sold(&till, "ann", "Tea", 3);
    let own = till.token(&format!("merchant:{merchant}"));
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let ship = |body: &Value| till.call(&own, "POST", &format!("{path}/ship"), body);
    ship(&json!({"units": 0})).problem(422, "invalid", "units");
    ship(&json!({"units": 4})).problem(422, "invalid", "units");
    ship(&json!({"units": "two"})).problem(400, "invalid_request", "units");
    let first =
        ship(&json!({"units": 2, "carrier": "DHL", "tracking_number": "4242424242424242"})).expect(200);
    assert_eq!((&first["status"], &first["shipped_at"]), (&json!("unfulfilled"), &Value::Null), "{first}");
    till.call(&own, "POST", &format!("{path}/cancel"), &Value::Null).problem(409, "conflict", "");
    let second = ship(&json!({"carrier": "UPS"})).expect(200);
    assert_eq!((&second["status"], &second["carrier"]), (&json!("shipped"), &json!("UPS")), "{second}");
    let units: Vec<_> =
        second["shipments"].as_array().unwrap().iter().map(|one| one["units"].clone()).collect();
    assert_eq!(units, [json!(2), json!(1)], "{second}");
    ship(&json!({})).problem(409, "conflict", "");
}

#[test]
fn a_merchant_cancels_an_order_and_the_money_goes_back() {
    let till = till();
    let merchant = shop(&till, "Tea");
    let order = sold(&till, "ann", "Tea", 1);
    let own = till.token(&format!("merchant:{merchant}"));
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    till.call(&own, "POST", &format!("{path}/cancel"), &json!({"restock": true})).expect(200);
    let cancelled = wait_for("the refund", || {
        let order = till.call(&own, "GET", &path, &Value::Null).expect(200);
        (order["status"] == "cancelled").then_some(order)
    });
    assert!(cancelled["shipped_at"].is_null());
    let offers = till.get("/v1/offers").expect(200);
    assert_eq!(offers["data"][0]["available"], 20, "{offers}");
    till.call(&own, "POST", &format!("{path}/cancel"), &Value::Null).problem(409, "conflict", "");
}

#[test]
fn orders_go_into_spreadsheets_and_formulas_do_not() {
    let till = till();
    let merchant = shop(&till, "Tea");
    let mut wicked = super::till::account("eve");
    wicked["billing_address"]["name"] = json!("=HYPERLINK(\"http://x\")");
    wicked["billing_address"]["line1"] = json!("@SUM(A1), \"quoted\"");
    till.post("/v1/accounts", &wicked).expect(201);
    till.say("eve", "#BuyTea");
    till.say("eve", "#ConfirmTea");
    wait_for("an order", || {
        (!till.get("/v1/orders").expect(200)["data"].as_array().unwrap().is_empty()).then_some(())
    });
    let own = till.token(&format!("merchant:{merchant}"));
    let other = till.token(&format!("merchant:{}", till.merchant()));
    let table =
        |token: &str, query: &str| till.call(token, "GET", &format!("/v1/orders.csv{query}"), &Value::Null);
    let answer = table(&own, "");
    assert!(answer.headers["content-type"].starts_with("text/csv"), "{:?}", answer.headers);
    let text = answer.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains(",\"'=HYPERLINK(\"\"http://x\"\")\",\"'@SUM(A1), \"\"quoted\"\"\","), "{text}");
    assert!(text.contains(",19.99,USD,"), "{text}");
    assert_eq!(table(&other, "").text().lines().count(), 1);
    assert_eq!(table(&own, "?status=shipped").text().lines().count(), 1);
    table(&own, "?status=lost").problem(400, "invalid_request", "status");

    let id = till.get("/v1/orders").expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let slip = |token: &str| till.call(token, "GET", &format!("/v1/orders/{id}/packing-slip"), &Value::Null);
    let page = slip(&own);
    assert!(page.headers["content-type"].starts_with("text/html"));
    assert!(page.headers["content-security-policy"].starts_with("default-src 'none'; style-src 'sha256-"));
    let text = page.text();
    assert!(text.contains("Tea &amp; Co") && text.contains("Green tea") && text.contains(&id), "{text}");
    assert!(text.contains("=HYPERLINK(&quot;http://x&quot;)") && !text.contains("19.99"), "{text}");
    slip(&other).problem(404, "not_found", "");
}

#[test]
fn a_settlement_says_what_a_merchant_is_due() {
    let till = till();
    let (merchant, other) = (shop(&till, "Tea"), shop(&till, "Cup"));
    let order = sold(&till, "ann", "Tea", 2);
    sold(&till, "bob", "Tea", 1);
    let before = till.post("/v1/merchants", &json!({"name": "Clock"})).expect(201)["created_at"].clone();
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 60})).expect(200);
    sold(&till, "carl", "Cup", 1);
    let purchase = order["purchase"].as_str().unwrap();
    till.post(&format!("/v1/purchases/{purchase}/refund"), &json!({"amount": 1000})).expect(200);
    let path = format!("/v1/reports/settlement?merchant={merchant}");
    let settled = wait_for("the refund", || {
        let settled = till.get(&path).expect(200);
        (settled["currencies"][0]["refunds"]["count"] == 1).then_some(settled)
    });
    let usd = &settled["currencies"][0];
    assert_eq!(usd["sales"], json!({"count": 2, "amount": 5997}), "{settled}");
    assert_eq!(
        (&usd["refunds"]["amount"], &usd["net"], &usd["closing"]),
        (&json!(1000), &json!(4997), &json!(4997))
    );
    assert_eq!((&usd["opening"], &usd["currency"]), (&json!(0), &json!("USD")));
    // What was before is the opening balance of what came after.
    let before = before.as_str().unwrap();
    let later = till.get(&format!("{path}&from={before}")).expect(200)["currencies"][0].clone();
    assert_eq!(
        (&later["opening"], &later["net"], &later["closing"]),
        (&json!(5997), &json!(-1000), &json!(4997))
    );
    let earlier = till.get(&format!("{path}&to={before}")).expect(200)["currencies"][0].clone();
    assert_eq!((&earlier["opening"], &earlier["closing"]), (&json!(0), &json!(5997)));

    let own = till.token(&format!("merchant:{merchant}"));
    let foreign = till.token(&format!("merchant:{other}"));
    let get = |token: &str, path: &str| till.call(token, "GET", path, &Value::Null);
    assert_eq!(get(&own, "/v1/reports/settlement").expect(200)["currencies"][0]["closing"], 4997);
    get(&foreign, &path).problem(404, "not_found", "");
    get(ADMIN, "/v1/reports/settlement").problem(400, "invalid_request", "merchant");
    get(ADMIN, "/v1/reports/settlement?merchant=mer_00000000000000000000000001").problem(
        404,
        "not_found",
        "",
    );
    get(ADMIN, &format!("{path}&from=yesterday")).problem(400, "invalid_request", "from");
    get(ADMIN, &format!("{path}&from={before}&to={before}")).problem(400, "invalid_request", "to");
    let lines = get(&own, "/v1/reports/settlement?format=csv").text();
    let rows: Vec<_> = lines.lines().map(|line| line.split(',').collect::<Vec<_>>()).collect();
    assert_eq!(rows.len(), 4, "{lines}");
    assert_eq!(rows[3][2..6], ["refund", "", "10.00", "USD"], "{lines}");
    assert!(!lines.contains("sandbox"), "the gateway's names are the operator's: {lines}");
    assert!(get(ADMIN, &format!("{path}&format=csv")).text().contains("sandbox"));

    let journal = till.get("/v1/journal").expect(200);
    let entries = journal["data"].as_array().unwrap();
    assert_eq!(entries.len(), 4, "{journal}");
    for entry in entries {
        let sum: i64 =
            entry["postings"].as_array().unwrap().iter().map(|one| one["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, 0, "{entry}");
    }
    assert_eq!(
        till.get(&format!("/v1/journal?merchant={other}")).expect(200)["data"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn nobody_takes_events_of_a_gateway_that_is_not_there() {
    let till = till();
    for gateway in ["stripe", "sandbox", "x"] {
        let path = format!("/v1/gateway-events/{gateway}");
        till.call("", "POST", &path, &json!({"id": "evt_1"})).problem(404, "not_found", "");
    }
}

#[test]
fn orders_are_listed_by_status_offer_and_merchant() {
    let till = till();
    let (tea, cup) = (shop(&till, "Tea"), shop(&till, "Cup"));
    let first = sold(&till, "ann", "Tea", 1);
    let second = sold(&till, "bob", "Tea", 1);
    let third = sold(&till, "carl", "Cup", 2);
    let id = |order: &Value| order["id"].as_str().unwrap().to_owned();
    till.post(&format!("/v1/orders/{}/ship", id(&first)), &json!({})).expect(200);
    till.post(&format!("/v1/orders/{}/ship", id(&second)), &json!({})).expect(200);
    till.post(&format!("/v1/orders/{}/deliver", id(&second)), &Value::Null).expect(200);
    let listed = |token: &str, query: &str| -> Vec<String> {
        let page = till.call(token, "GET", &format!("/v1/orders?{query}"), &Value::Null).expect(200);
        page["data"].as_array().unwrap().iter().map(id).collect()
    };
    let offer = first["offer"].as_str().unwrap();
    let own = till.token(&format!("merchant:{tea}"));
    let (first, second, third) = (id(&first), id(&second), id(&third));
    for (token, query, wanted) in [
        (ADMIN, String::new(), vec![&third, &second, &first]),
        (ADMIN, "status=unfulfilled".to_owned(), vec![&third]),
        (ADMIN, "status=shipped".to_owned(), vec![&first]),
        (ADMIN, "status=delivered".to_owned(), vec![&second]),
        (ADMIN, "status=cancelled".to_owned(), vec![]),
        (ADMIN, format!("offer={offer}"), vec![&second, &first]),
        (ADMIN, format!("merchant={cup}"), vec![&third]),
        (ADMIN, format!("merchant={tea}&status=shipped&offer={offer}"), vec![&first]),
        (&own, String::new(), vec![&second, &first]),
        // Naming somebody else shows nothing.
        (&own, format!("merchant={cup}"), vec![]),
        (&own, "status=unfulfilled".to_owned(), vec![]),
    ] {
        let mut found = listed(token, &query);
        let mut wanted: Vec<String> = wanted.into_iter().cloned().collect();
        // Of one millisecond any may be the newer.
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{query}");
    }
    till.get("/v1/orders?status=lost").problem(400, "invalid_request", "status");
    till.get("/v1/orders?offer=x").problem(400, "invalid_request", "offer");
    let page = till.get("/v1/orders?limit=2").expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    let rest = till.get(&format!("/v1/orders?limit=2&cursor={}", page["next_cursor"].as_str().unwrap()));
    assert_eq!(rest.expect(200)["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_buyer_is_told_of_the_parcel_and_nothing_about_it() {
    let till = till();
    let merchant = till.merchant();
    till.offer(&merchant, "Tea");
    let mut buyer = super::till::account("ann");
    buyer["identities"][0]["network"] = json!("mastodon");
    till.post("/v1/accounts", &buyer).expect(201);
    for (id, text) in [("p1", "#BuyTea"), ("p2", "#ConfirmTea")] {
        let mut post = super::till::post(id, "ann", text);
        post["network"] = json!("mastodon");
        till.post("/v1/posts", &post).expect(200);
    }
    let order = wait_for("an order", || {
        let orders = till.get("/v1/orders").expect(200);
        orders["data"][0]["id"].as_str().map(str::to_owned)
    });
    let parcel = json!({"carrier": "Pigeon Post", "tracking_number": "PP0042"});
    let own = till.token(&format!("merchant:{merchant}"));
    till.call(&own, "POST", &format!("/v1/orders/{order}/ship"), &parcel).expect(200);
    let bridge = till.token("network:mastodon");
    let replies = till.call(&bridge, "GET", "/v1/replies?network=mastodon", &Value::Null).expect(200);
    let last = replies["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["in_reply_to"], &last["to"]["user_id"]), (&json!("p2"), &json!("ann")), "{replies}");
    let text = last["text"].as_str().unwrap();
    assert!(text.starts_with("Green tea: "), "{text}");
    let secrets = [&order, "Pigeon", "PP0042", "Jo Doe", "Main St", "Springfield", "19.99", "Tea & Co"];
    assert!(!secrets.iter().any(|word| text.contains(word)), "{text}");
}
