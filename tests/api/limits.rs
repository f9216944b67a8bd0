//! Limits, and replies in several languages, as an operator and a merchant's developer meet them.

use super::till::{ADMIN, Till, account, offer, post, till};
use crate::support;
use serde_json::{Value, json};

fn put(till: &Till, change: &Value) -> super::till::Answer {
    till.call(ADMIN, "PUT", "/v1/limits", change)
}

fn say(till: &Till, user: &str, text: &str, lang: &str) -> Value {
    let mut body = post(&format!("l{}", till.unique()), user, text);
    (body["network"], body["lang"]) = (json!("sandbox"), json!(lang));
    till.post("/v1/posts", &body).expect(200)
}

fn join(till: &Till, user: &str) {
    let mut body = account(user);
    body["identities"][0]["network"] = json!("sandbox");
    till.post("/v1/accounts", &body).expect(201);
}

#[test]
fn limits_are_on_and_change_one_by_one() {
    let till = till();
    let fresh = till.get("/v1/limits").expect(200);
    assert_eq!(fresh["per_account"]["open_holds"], 10);
    assert_eq!(fresh["per_card"]["purchases_per_day"], 20);
    assert_eq!(fresh["per_card"]["spending_per_day"][0], json!({"amount": 200_000, "currency": "USD"}));
    assert_eq!((&fresh["pause_after_expired_holds"], &fresh["pause_seconds"]), (&json!(2), &json!(900)));
    assert_eq!(
        (&fresh["new_account_wait_seconds"], &fresh["captures_per_hour"]),
        (&json!(0), &json!(10_000))
    );
    assert_eq!(fresh["captures_paused"], json!([]));
    let change =
        json!({"per_card": {"open_holds": null}, "per_account": {"open_holds": 3}, "pause_seconds": 60});
    let changed = put(&till, &change).expect(200);
    assert_eq!(changed["per_card"]["open_holds"], Value::Null);
    assert_eq!(changed["per_account"]["open_holds"], 3);
    assert_eq!(changed["per_account"]["purchases_per_day"], 20, "the rest stays");
    assert_eq!(till.get("/v1/limits").expect(200), changed);
}

#[test]
fn bad_limits_are_refused_with_their_field() {
    let till = till();
    let before = till.get("/v1/limits").expect(200);
    let money = |amount| json!({"amount": amount, "currency": "USD"});
    for (change, field) in [
        (json!({"per_account": {"open_holds": 0}}), "per_account.open_holds"),
        (json!({"per_card": {"purchases_per_day": 2_000_000}}), "per_card.purchases_per_day"),
        (json!({"per_card": {"spending_per_day": [money(0)]}}), "per_card.spending_per_day[0].amount"),
        (
            json!({"per_card": {"spending_per_day": [money(1), money(2)]}}),
            "per_card.spending_per_day[1].currency",
        ),
        (json!({"pause_after_expired_holds": 0}), "pause_after_expired_holds"),
        (json!({"pause_seconds": 100_000_000}), "pause_seconds"),
        (json!({"captures_per_hour": 0}), "captures_per_hour"),
    ] {
        let problem = put(&till, &change).expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    put(&till, &json!({"new_account_wait_seconds": -1})).problem(
        400,
        "invalid_request",
        "new_account_wait_seconds",
    );
    put(&till, &json!({"captures": 5})).problem(400, "invalid_request", "captures");
    assert_eq!(till.get("/v1/limits").expect(200), before);
}

#[test]
fn a_limit_is_explained_to_the_operator_and_not_to_the_network() {
    let till = till();
    let merchant = till.merchant();
    for name in ["Shirt", "Mug"] {
        till.post("/v1/offers", &offer(&merchant, name)).expect(201);
    }
    join(&till, "alice");
    put(&till, &json!({"per_account": {"open_holds": 1}})).expect(200);
    assert_eq!(say(&till, "alice", "#BuyShirt", "en")["verdict"], "pending");
    let mut body = post("limited", "alice", "#BuyMug");
    body["network"] = json!("sandbox");
    let answer = till.post("/v1/posts", &body).expect(200);
    assert_eq!(answer["verdict"], "limit_reached");
    assert!(answer["reply"]["text"].as_str().unwrap().contains("as much as one buyer may order for now"));
    let told = till.get("/v1/posts/sandbox/limited").expect(200);
    assert_eq!((&told["limit"], &told["by"]["had"]), (&json!("account_open_holds"), &json!(1)));
    assert!(
        told["why"].as_str().unwrap().contains("as many holds open as one may have (it had 1)"),
        "{told}"
    );
}

#[test]
fn captures_beyond_the_limit_wait_for_an_operator_who_is_told() {
    let till = till();
    let merchant = till.merchant();
    till.post("/v1/offers", &offer(&merchant, "Shirt")).expect(201);
    put(&till, &json!({"captures_per_hour": 1})).expect(200);
    let mut purchases = Vec::new();
    for user in ["alice", "bob"] {
        join(&till, user);
        assert_eq!(say(&till, user, "#BuyShirt", "en")["verdict"], "pending");
        let confirmed = say(&till, user, "#ConfirmShirt", "en");
        assert_eq!(confirmed["verdict"], "confirmed");
        purchases.push(confirmed["purchase"].as_str().unwrap().to_owned());
    }
    let status = |id: &str| till.get(&format!("/v1/purchases/{id}")).expect(200)["status"].clone();
    support::wait_for("the first is paid", || (status(&purchases[0]) == "paid").then_some(()));
    assert_eq!(status(&purchases[1]), "capturing");
    let ready = till.get("/readyz").expect(503);
    assert!(ready["detail"].as_str().unwrap().contains("captures on sandbox wait since"), "{ready}");
    assert_eq!(till.get("/v1/limits").expect(200)["captures_paused"][0]["network"], "sandbox");
    till.post("/v1/resume", &json!({})).expect(200);
    till.get("/readyz").expect(200);
    support::wait_for("the second is paid", || (status(&purchases[1]) == "paid").then_some(()));
}

#[test]
fn replies_are_in_the_language_of_the_post() {
    let till = till();
    let merchant = till.merchant();
    let mut shirt = offer(&merchant, "Shirt");
    shirt["lang"] = json!("fr");
    shirt["texts"] = json!({"de": {"already_confirmed": ["Schon bestellt, keine Sorge."]}});
    let shirt = till.post("/v1/offers", &shirt).expect(201);
    assert_eq!(shirt["texts"]["de"]["already_confirmed"][0], "Schon bestellt, keine Sorge.");
    for (user, lang, part) in [
        ("anna", "de-AT", "19,99\u{a0}$"),
        ("juan", "es", "19,99\u{a0}US$"),
        ("jean", "pt-BR", "19,99\u{a0}$US"),
        ("yuki", "ja", "登録カード"),
        ("john", "en", "linked card"),
    ] {
        join(&till, user);
        let answer = say(&till, user, "#BuyShirt", lang);
        let text = answer["reply"]["text"].as_str().unwrap();
        assert!(text.contains(part) && text.contains("#ConfirmShirt"), "{lang}: {text}");
    }
    assert_eq!(say(&till, "anna", "#ConfirmShirt", "de")["verdict"], "confirmed");
    let again = say(&till, "anna", "#ConfirmShirt", "de");
    assert_eq!(again["reply"]["text"], "Green tea: Schon bestellt, keine Sorge.");
}

#[test]
fn an_offers_own_words_are_checked() {
    let till = till();
    let merchant = till.merchant();
    for (change, field) in [
        (json!({"lang": "pt"}), "lang"),
        (json!({"texts": {"pt": {}}}), "texts.pt"),
        (json!({"texts": {"en": {"hello": ["x"]}}}), "texts.en.hello"),
        (json!({"texts": {"en": {"held": ["For {price}"]}}}), "texts.en.held[0]"),
        (json!({"texts": {"en": {"sold_out": []}}}), "texts.en.sold_out"),
        (json!({"texts": {"en": {"sold_out": ["ok", "x".repeat(281)]}}}), "texts.en.sold_out[1]"),
        (json!({"texts": {"en": {"sold_out": ["4242 4242 4242 4242"]}}}), "texts.en.sold_out[0]"),
    ] {
        let mut body = offer(&merchant, "Shirt");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let problem = till.post("/v1/offers", &body).expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let shirt = till.post("/v1/offers", &offer(&merchant, "Shirt")).expect(201);
    let path = format!("/v1/offers/{}", shirt["id"].as_str().unwrap());
    let texts = json!({"en": {"sold_out": ["No more."]}});
    let edited = till.call(ADMIN, "PATCH", &path, &json!({"texts": texts, "lang": "de"})).expect(200);
    assert_eq!((&edited["texts"], &edited["lang"]), (&texts, &json!("de")));
    let edited = till.call(ADMIN, "PATCH", &path, &json!({"texts": {}, "lang": null})).expect(200);
    assert_eq!((&edited["texts"], &edited["lang"]), (&json!({}), &Value::Null));
}
