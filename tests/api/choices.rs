//! Sizes, amounts, waiting lists, changes of mind and versions, as a merchant's developer meets them.

use super::till::{ADMIN, Till, offer, post, till};
use serde_json::{Value, json};

/// `offer` with what `more` says.
fn with(merchant: &str, name: &str, more: &Value) -> Value {
    let mut body = offer(merchant, name);
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    if body["variants"].is_array() {
        body.as_object_mut().unwrap().remove("quantity");
    }
    body
}

fn put_up(till: &Till, merchant: &str, name: &str, more: &Value) -> Value {
    till.post("/v1/offers", &with(merchant, name, more)).expect(201)
}

fn edit(till: &Till, offer: &Value, change: &Value) -> super::till::Answer {
    till.call(ADMIN, "PATCH", &format!("/v1/offers/{}", offer["id"].as_str().unwrap()), change)
}

/// A post on a network that takes more than one reply.
fn say(till: &Till, user: &str, text: &str) -> Value {
    let mut body = post(&format!("s{}", till.unique()), user, text);
    body["network"] = json!("sandbox");
    till.post("/v1/posts", &body).expect(200)
}

fn join(till: &Till, user: &str) -> String {
    let mut body = super::till::account(user);
    body["identities"][0]["network"] = json!("sandbox");
    till.post("/v1/accounts", &body).expect(201)["id"].as_str().unwrap().to_owned()
}

#[test]
fn sizes_have_their_own_stock_and_price() {
    let till = till();
    let merchant = till.merchant();
    let shirt = put_up(
        &till,
        &merchant,
        "Shirt",
        &json!({
            "per_account_limit": 4, "max_per_purchase": 3,
            "variants": [
                {"name": "M", "synonyms": ["medium"], "quantity": 2},
                {"name": "Blue L", "synonyms": ["blue large"], "price": {"amount": 2500, "currency": "USD"}},
            ],
        }),
    );
    assert_eq!(
        (&shirt["quantity"], &shirt["available"]),
        (&Value::Null, &Value::Null),
        "one size has no limit"
    );
    assert_eq!(shirt["variants"][0]["price"], json!({"amount": 1999, "currency": "USD"}));
    assert_eq!((&shirt["cancel_hashtag"], &shirt["max_per_purchase"]), (&json!("#PassShirt"), &json!(3)));
    assert_eq!((&shirt["shortage"], &shirt["waitlist"]), (&json!("partial"), &json!(false)));
    join(&till, "ann");
    let asked = say(&till, "ann", "#BuyShirt");
    assert_eq!(asked["verdict"], "unknown_variant");
    assert!(asked["reply"]["text"].as_str().unwrap().contains("one of: M, Blue L."), "{asked}");
    let held = say(&till, "ann", "x2 in LARGE and blue! #BuyShirt");
    let purchase = till.get(&format!("/v1/purchases/{}", held["purchase"].as_str().unwrap())).expect(200);
    assert_eq!(
        (&purchase["units"], &purchase["variant"], &purchase["price"]["amount"], &purchase["offer_version"]),
        (&json!(2), &json!("Blue L"), &json!(5000), &json!(1))
    );
    let shown = till.get(&format!("/v1/offers/{}", shirt["id"].as_str().unwrap())).expect(200);
    assert_eq!((&shown["held"], &shown["variants"][1]["held"]), (&json!(2), &json!(2)));
    // The version that it was made on stays readable, whatever is changed later.
    edit(&till, &shirt, &json!({"title": "Another shirt", "price": {"amount": 900, "currency": "USD"}}))
        .expect(200);
    let version =
        |number: &str| till.get(&format!("/v1/offers/{}/versions/{number}", shirt["id"].as_str().unwrap()));
    let first = version("1").expect(200);
    assert_eq!((&first["title"], &first["price"]["amount"]), (&json!("Green tea"), &json!(1999)));
    assert_eq!(first["variants"][1]["price"]["amount"], 2500);
    assert_eq!(version("2").expect(200)["variants"][0]["price"]["amount"], 900);
    version("3").problem(404, "not_found", "");
    version("one").problem(404, "not_found", "");
    say(&till, "ann", "#ConfirmShirt");
    let order = super::support::wait_for("an order", || {
        till.get("/v1/orders").expect(200)["data"].as_array().unwrap().first().cloned()
    });
    assert_eq!(
        (&order["title"], &order["units"], &order["variant"], &order["offer_version"]),
        (&json!("Green tea"), &json!(2), &json!("Blue L"), &json!(1))
    );
}

#[test]
fn a_line_has_places_and_moves_on() {
    let till = till();
    let tea = put_up(&till, &till.merchant(), "Tea", &json!({"quantity": 1, "waitlist": true}));
    let path = format!("/v1/offers/{}/waiting", tea["id"].as_str().unwrap());
    let people: Vec<String> = ["ann", "bob", "carl", "dora"].map(|name| join(&till, name)).to_vec();
    let held = say(&till, "ann", "#BuyTea");
    assert_eq!((&held["verdict"], &held["place"]), (&json!("pending"), &Value::Null));
    let waits = say(&till, "bob", "#BuyTea");
    assert_eq!((&waits["verdict"], &waits["place"]), (&json!("waitlisted"), &json!(1)));
    assert_eq!(say(&till, "carl", "#BuyTea")["place"], 2);
    assert_eq!(say(&till, "dora", "#BuyTea")["place"], 3);
    let first = till.get(&format!("{path}?limit=2")).expect(200);
    let places = |page: &Value| -> Vec<(u64, String)> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| (row["place"].as_u64().unwrap(), row["account"].as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(places(&first), [(1, people[1].clone()), (2, people[2].clone())]);
    let rest =
        till.get(&format!("{path}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).expect(200);
    assert_eq!((places(&rest), &rest["next_cursor"]), (vec![(3, people[3].clone())], &Value::Null));
    let left = till.call(ADMIN, "DELETE", &format!("{path}/{}", people[2]), &Value::Null).expect(200);
    assert_eq!(left, json!({"offer": tea["id"], "account": people[2], "left": true}));
    till.call(ADMIN, "DELETE", &format!("{path}/{}", people[2]), &Value::Null).problem(404, "not_found", "");
    till.get(&format!("{path}/{}", people[2])).problem(404, "not_found", "");
    till.get(&format!("{path}/nobody")).problem(404, "not_found", "");
    assert_eq!(till.get(&format!("{path}/{}", people[3])).expect(200)["place"], 2);
    // A merchant sees how long the line is, not who stands in it.
    let shop = till.token(&format!("merchant:{}", tea["merchant"].as_str().unwrap()));
    let seen = till.call(&shop, "GET", &path, &Value::Null).expect(200);
    let row = &seen["data"][0];
    assert_eq!((&row["place"], &row["account"], &row["post"]), (&json!(1), &Value::Null, &Value::Null));
    let stranger = till.token(&format!("merchant:{}", till.merchant()));
    till.call(&stranger, "GET", &path, &Value::Null).problem(404, "not_found", "");

    assert_eq!(say(&till, "ann", "#PassTea")["verdict"], "passed");
    let shown = till.get(&format!("/v1/offers/{}", tea["id"].as_str().unwrap())).expect(200);
    assert_eq!((&shown["held"], &shown["waiting"]), (&json!(1), &json!(1)));
    let purchases = till.get(&format!("/v1/purchases?account={}", people[1])).expect(200);
    assert_eq!(purchases["data"][0]["status"], "pending");
}

#[test]
fn deleting_says_what_it_let_go() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    join(&till, "ann");
    let mut body = post("1", "ann", "#BuyTea");
    body["network"] = json!("sandbox");
    let held = till.post("/v1/posts", &body).expect(200);
    let deleted = till.call(ADMIN, "DELETE", "/v1/posts/sandbox/1", &Value::Null).expect(200);
    assert_eq!(deleted, json!({"deleted": true, "purchase": held["purchase"], "verdict": "passed"}));
    let again = till.call(ADMIN, "DELETE", "/v1/posts/sandbox/1", &Value::Null).expect(200);
    assert_eq!(again, json!({"deleted": true, "purchase": held["purchase"]}));
}

#[test]
fn what_cannot_be_chosen_is_refused_by_its_name() {
    let till = till();
    let merchant = till.merchant();
    let events = till.events();
    let many: Vec<_> = (0..101).map(|n| json!({"name": format!("n{n}")})).collect();
    for (more, status, code, field) in [
        (json!({"variants": [{}]}), 400, "invalid_request", "variants[0].name"),
        (json!({"variants": [{"name": "M", "size": 1}]}), 400, "invalid_request", "variants[0].size"),
        (json!({"variants": [{"name": ""}]}), 422, "invalid", "variants[0].name"),
        (json!({"variants": [{"name": "!!"}]}), 422, "invalid", "variants[0].name"),
        (json!({"variants": [{"name": "#M"}]}), 422, "invalid", "variants[0].name"),
        (json!({"variants": [{"name": " M"}]}), 422, "invalid", "variants[0].name"),
        (json!({"variants": [{"name": "M".repeat(41)}]}), 422, "invalid", "variants[0].name"),
        (json!({"variants": [{"name": "M"}, {"name": "m"}]}), 422, "invalid", "variants[1].name"),
        (
            json!({"variants": [{"name": "Blue L"}, {"name": "X", "synonyms": ["l BLUE"]}]}),
            422,
            "invalid",
            "variants[1].synonyms[0]",
        ),
        (json!({"variants": [{"name": "M", "quantity": 0}]}), 422, "invalid", "variants[0].quantity"),
        (
            json!({"variants": [{"name": "M", "price": {"amount": 0, "currency": "USD"}}]}),
            422,
            "invalid",
            "variants[0].price.amount",
        ),
        (
            json!({"variants": [{"name": "M", "price": {"amount": 1, "currency": "EUR"}}]}),
            422,
            "invalid",
            "variants[0].price.currency",
        ),
        (json!({"variants": many}), 422, "invalid", "variants"),
        (json!({"max_per_purchase": 0}), 422, "invalid", "max_per_purchase"),
        (json!({"max_per_purchase": 1001}), 422, "invalid", "max_per_purchase"),
        (
            json!({"max_per_purchase": 1000, "price": {"amount": 100_000, "currency": "USD"}}),
            422,
            "invalid",
            "price.amount",
        ),
        (json!({"shortage": "waitlist"}), 422, "invalid", "shortage"),
        (json!({"shortage": "none"}), 400, "invalid_request", "shortage"),
        (json!({"waitlist": "yes"}), 400, "invalid_request", "waitlist"),
        (json!({"cancel_hashtag": "#BuyTea"}), 422, "invalid", "cancel_hashtag"),
        (json!({"cancel_hashtag": "no tag"}), 422, "invalid", "cancel_hashtag"),
    ] {
        till.post("/v1/offers", &with(&merchant, "Tea", &more)).problem(status, code, field);
    }
    let mut both = offer(&merchant, "Tea");
    both["variants"] = json!([{"name": "M"}]);
    till.post("/v1/offers", &both).problem(422, "invalid", "quantity");
    assert_eq!(till.events(), events, "nothing came of any of them");

    let tea = put_up(&till, &merchant, "Tea", &json!({"variants": [{"name": "M", "quantity": 1}]}));
    join(&till, "ann");
    say(&till, "ann", "#BuyTea M");
    edit(&till, &tea, &json!({"variants": [{"name": "L"}]})).problem(422, "invalid", "variants");
    edit(&till, &tea, &json!({"variants": null})).problem(400, "invalid_request", "variants");
    edit(&till, &tea, &json!({"quantity": 3})).problem(422, "invalid", "quantity");
    edit(&till, &tea, &json!({"shortage": "waitlist"})).problem(422, "invalid", "shortage");
    let taken = with(&merchant, "Milk", &json!({"cancel_hashtag": "#PassTea"}));
    till.post("/v1/offers", &taken).problem(409, "conflict", "cancel_hashtag");
}
