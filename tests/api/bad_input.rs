//! Bad input: each a problem that names the field, and nothing changed.

use super::till::{ADMIN, Till, account, offer, post, till};
use serde_json::{Value, json};

/// `value` with `change` at `pointer`; the last part may be new.
fn with(mut value: Value, pointer: &str, change: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = change;
    value
}

struct Shop {
    till: Till,
    merchant: String,
    offer: String,
    account: String,
}

fn shop() -> Shop {
    let till = till();
    let merchant = till.merchant();
    let offer = till.offer(&merchant, "Tea");
    let account = till.account("ann");
    Shop { till, merchant, offer, account }
}

#[test]
fn offers() {
    let Shop { till, merchant, .. } = shop();
    let fresh = || offer(&merchant, "Milk");
    till.offer(&merchant, "Silk");
    let events = till.events();
    for (pointer, change, status, code, field) in [
        ("/title", json!(7), 400, "invalid_request", "title"),
        ("/title", json!("a #tag"), 422, "invalid", "title"),
        ("/colour", json!("red"), 400, "invalid_request", "colour"),
        ("/price/colour", json!("red"), 400, "invalid_request", "price.colour"),
        ("/price/amount", json!("1"), 400, "invalid_request", "price.amount"),
        ("/price/amount", json!(1.5), 400, "invalid_request", "price.amount"),
        ("/price/amount", json!(-1), 422, "invalid", "price.amount"),
        ("/price/amount", json!(0), 422, "invalid", "price.amount"),
        ("/price/amount", json!(100_000_000), 422, "invalid", "price.amount"),
        ("/price/amount", json!(1e30), 400, "invalid_request", "price.amount"),
        ("/price/currency", json!("QQQ"), 400, "invalid_request", "price.currency"),
        ("/list_price", json!({"amount": 1, "currency": "EUR"}), 422, "invalid", "list_price.currency"),
        ("/quantity", json!(-1), 400, "invalid_request", "quantity"),
        ("/quantity", json!(0), 422, "invalid", "quantity"),
        ("/per_account_limit", json!(0), 422, "invalid", "per_account_limit"),
        ("/confirm_window_seconds", json!(0), 422, "invalid", "confirm_window_seconds"),
        ("/confirm_window_seconds", json!(604_801), 422, "invalid", "confirm_window_seconds"),
        ("/hashtag", json!("#BuyTea"), 409, "conflict", "hashtag"),
        ("/hashtag", json!("#buytea"), 409, "conflict", "hashtag"),
        ("/hashtag", json!("#BuyTéa "), 422, "invalid", "hashtag"),
        ("/hashtag", json!("#BuySi1k"), 409, "conflict", "hashtag"),
        ("/hashtag", json!("12"), 422, "invalid", "hashtag"),
        ("/hashtag", json!("#Bu y"), 422, "invalid", "hashtag"),
        ("/hashtag", json!("#LinkTea"), 422, "invalid", "hashtag"),
        ("/hashtag", json!("#BuуTea"), 422, "invalid", "hashtag"),
        ("/hashtag", json!("#ＢｕｙＴｅａ"), 409, "conflict", "hashtag"),
        ("/confirm_hashtag", json!("#BuyMilk"), 422, "invalid", "confirm_hashtag"),
        ("/starts_at", json!("yesterday"), 400, "invalid_request", "starts_at"),
        ("/ends_at", json!("2001-01-01T00:00:00Z"), 422, "invalid", "ends_at"),
        ("/terms_url", json!("javascript:1"), 422, "invalid", "terms_url"),
        ("/ships_to", json!(["US", "XX"]), 422, "invalid", "ships_to[1]"),
        ("/kind", json!("gift"), 400, "invalid_request", "kind"),
        ("/merchant", json!("mer_1"), 400, "invalid_request", "merchant"),
        ("/merchant", json!("mer_00000000000000000000000001"), 422, "invalid", "merchant"),
    ] {
        till.post("/v1/offers", &with(fresh(), pointer, change)).problem(status, code, field);
    }
    let mut reserved = with(fresh(), "/hashtag", json!("#LinkMe"));
    reserved["confirm_hashtag"] = json!("#ConfirmMe");
    till.post("/v1/offers", &reserved).problem(422, "invalid", "hashtag");
    let mut dates = with(fresh(), "/starts_at", json!("2999-01-02T00:00:00Z"));
    dates["ends_at"] = json!("2999-01-01T00:00:00Z");
    till.post("/v1/offers", &dates).problem(422, "invalid", "ends_at");
    let mut gone = fresh();
    gone.as_object_mut().unwrap().remove("price");
    till.post("/v1/offers", &gone).problem(400, "invalid_request", "price");
    assert_eq!(till.events(), events);
    till.post("/v1/offers", &fresh()).expect(201);
}

#[test]
fn accounts() {
    let Shop { till, account: ann, .. } = shop();
    let events = till.events();
    let fresh = || account("bob");
    for (pointer, change, status, code, field) in [
        ("/identities/0/user_id", json!("ann"), 409, "conflict", "identities[0].user_id"),
        ("/identities/0/user_id", json!(""), 422, "invalid", "identities[0].user_id"),
        ("/identities/0/user_id", json!(12), 400, "invalid_request", "identities[0].user_id"),
        ("/identities/0/network", json!("nowhere"), 422, "invalid", "identities[0].network"),
        ("/identities", json!([]), 422, "invalid", "identities"),
        ("/billing_address/country", json!("USA"), 422, "invalid", "billing_address.country"),
        ("/billing_address/line9", json!("x"), 400, "invalid_request", "billing_address.line9"),
        ("/email", json!("nobody"), 422, "invalid", "email"),
        ("/payment_method/gateway", json!("bank"), 422, "invalid", "payment_method.gateway"),
        ("/payment_method/token", json!("tok_x"), 422, "invalid", "payment_method.token"),
        ("/payment_method/token", json!("4111111111111111"), 422, "invalid", "payment_method.token"),
        ("/payment_method/cvc", json!("123"), 400, "invalid_request", "payment_method.cvc"),
    ] {
        till.post("/v1/accounts", &with(fresh(), pointer, change)).problem(status, code, field);
    }
    let mut twice = fresh();
    let same = twice["identities"][0].clone();
    twice["identities"].as_array_mut().unwrap().push(same);
    till.post("/v1/accounts", &twice).problem(409, "conflict", "identities[1].user_id");
    let path = format!("/v1/accounts/{ann}");
    let edit = |body: Value| till.call(ADMIN, "PATCH", &path, &body);
    edit(json!({"status": "erased"})).problem(422, "invalid", "status");
    edit(json!({"status": null})).problem(400, "invalid_request", "status");
    edit(json!({"identities": null})).problem(400, "invalid_request", "identities");
    assert_eq!(till.events(), events);
    assert_eq!(edit(json!({"email": null})).expect(200)["email"], Value::Null);
}

#[test]
fn bodies_that_are_no_requests() {
    let Shop { till, .. } = shop();
    let bearer = format!("Bearer {ADMIN}");
    let send = |path: &str, kind: &str, body: &[u8]| {
        till.send("POST", path, &[("Authorization", bearer.as_str()), ("Content-Type", kind)], body)
    };
    let json = "application/json";
    let events = till.events();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for path in ["/v1/merchants", "/v1/posts", "/v1/offers", "/v1/accounts", "/v1/tokens"] {
        let bodies: &[&[u8]] = &[
            b"",
            b"{",
            b"{\"name\": \"\xff\"}",
            b"[]",
            b"{} {}",
            b"{\"a\":1,\"a\":2}",
            deep.as_bytes(),
            b"null",
        ];
        for body in bodies {
            send(path, json, body).problem(400, "invalid_request", "");
        }
        send(path, "text/plain", b"{}").problem(415, "unsupported_media_type", "");
        send(path, "application/json; charset=latin1", b"{}").problem(415, "unsupported_media_type", "");
        let long = json!({"name": "x".repeat(300_000)}).to_string();
        send(path, json, long.as_bytes()).problem(413, "body_too_large", "");
    }
    send("/v1/merchants", "application/x-ndjson", b"{}").problem(415, "unsupported_media_type", "");
    send("/v1/merchants", json, b"{\"name\":\"a\",\"name\":\"b\"}").problem(400, "invalid_request", "");
    assert_eq!(send("/v1/merchants", "Application/JSON; charset=UTF-8", b"{\"name\":\"a\"}").status, 201);
    assert_eq!(till.events(), events);
}

#[test]
fn posts() {
    let Shop { till, .. } = shop();
    let events = till.events();
    for (pointer, change, status, code, field) in [
        ("/text", json!(1), 400, "invalid_request", "text"),
        ("/text", json!("x".repeat(65_537)), 422, "invalid", "text"),
        ("/id", json!(""), 422, "invalid", "id"),
        ("/id", json!("a b"), 422, "invalid", "id"),
        ("/id", json!(17), 400, "invalid_request", "id"),
        ("/author/user_id", json!("x".repeat(513)), 422, "invalid", "author.user_id"),
        ("/author/handle", json!("x".repeat(257)), 422, "invalid", "author.handle"),
        ("/author/name", json!("x"), 400, "invalid_request", "author.name"),
        ("/author/handle", json!("4111-1111-1111-1111"), 422, "invalid", "author.handle"),
        ("/lang", json!("4111111111111111"), 422, "invalid", "lang"),
        ("/created_at", json!("noon"), 400, "invalid_request", "created_at"),
        ("/colour", json!("red"), 400, "invalid_request", "colour"),
        ("/repost_of", json!("\n"), 422, "invalid", "repost_of"),
    ] {
        till.post("/v1/posts", &with(post("1", "ann", "#BuyTea"), pointer, change))
            .problem(status, code, field);
    }
    let nowhere = with(post("1", "ann", "#BuyTea"), "/network", json!("nowhere"));
    till.post("/v1/posts", &nowhere).problem(404, "not_found", "");
    assert_eq!(till.events(), events);
    // Ids of 19 digits pass for card numbers by chance.
    let digits = "4111111111111111";
    let mut by_chance = with(post(digits, "ann", "x"), "/quote_of", json!(digits));
    by_chance["author"]["user_id"] = json!(digits);
    till.post("/v1/posts", &by_chance).expect(200);
}

/// Every string of every request, with a card number in its place.
#[test]
fn card_numbers_in_every_field() {
    fn strings(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(name, item)| strings(item, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| strings(item, &format!("{at}/{i}"), found));
            }
            _ => found.push(at.to_owned()),
        }
    }
    let Shop { till, merchant, offer: tea, account: ann } = shop();
    let events = till.events();
    let mut full = offer(&merchant, "Milk");
    for (field, value) in [
        ("confirm_hashtag", json!("#YesMilk")),
        ("terms_url", json!("https://example.com/terms")),
        ("ships_to", json!(["US"])),
        ("starts_at", json!("2999-01-01T00:00:00Z")),
    ] {
        full[field] = value;
    }
    let missing = "00000000000000000000000001";
    let mut checked = 0;
    for (method, path, body) in [
        ("POST", "/v1/merchants".to_owned(), json!({"name": "Tea"})),
        ("POST", "/v1/offers".to_owned(), full),
        ("PATCH", format!("/v1/offers/{tea}"), json!({"title": "Tea", "terms_url": "https://example.com"})),
        ("POST", "/v1/accounts".to_owned(), account("bob")),
        ("PATCH", format!("/v1/accounts/{ann}"), json!({"email": "a@example.com"})),
        ("PUT", "/v1/networks/x".to_owned(), json!({"own": {"user_id": "1", "handle": "shop"}})),
        ("POST", format!("/v1/orders/ord_{missing}/ship"), json!({"carrier": "UPS"})),
        ("POST", format!("/v1/replies/rep_{missing}/failed"), json!({"reason": "no", "retry": false})),
        ("POST", format!("/v1/purchases/pur_{missing}/refund"), json!({"amount": 1})),
        ("POST", "/v1/tokens".to_owned(), json!({"role": "admin"})),
    ] {
        let mut pointers = Vec::new();
        strings(&body, "", &mut pointers);
        for pointer in pointers.iter().filter(|pointer| !pointer.ends_with("user_id")) {
            for card in [json!("my 4111 1111-1111 1111"), json!(4_111_111_111_111_111_u64)] {
                let mut bad = body.clone();
                *bad.pointer_mut(pointer).unwrap() = card;
                let problem = till.call(ADMIN, method, &path, &bad).problem(422, "invalid", "");
                let field =
                    problem["errors"][0]["field"].as_str().unwrap().replace(['.', '['], "/").replace(']', "");
                assert_eq!(format!("/{field}"), *pointer);
                assert!(!problem.to_string().contains("4111"), "{problem}");
                checked += 1;
            }
        }
        let problem =
            till.call(ADMIN, method, &path, &json!({"4111111111111111": 1})).problem(422, "invalid", "");
        assert!(!problem.to_string().contains("4111"), "{problem}");
    }
    assert!(checked > 50, "{checked}");
    assert_eq!(till.events(), events);
}

#[test]
fn networks() {
    let Shop { till, .. } = shop();
    let put = |body: Value| till.call(ADMIN, "PUT", "/v1/networks/x", &body);
    let before = till.get("/v1/networks/x").expect(200);
    for (body, status, code, field) in [
        (json!({"text_limit": 139}), 422, "invalid", "text_limit"),
        (json!({"grace_seconds": 3601}), 422, "invalid", "grace_seconds"),
        (json!({"replies_per_15_minutes": 0}), 422, "invalid", "replies_per_15_minutes"),
        (json!({"replies_per_15_minutes": -1}), 400, "invalid_request", "replies_per_15_minutes"),
        (json!({"replies_per_day": 100_000_001}), 422, "invalid", "replies_per_day"),
        (json!({"replies_per_day": "many"}), 400, "invalid_request", "replies_per_day"),
        (json!({"own": {"user_id": "", "handle": "a"}}), 422, "invalid", "own.user_id"),
        (json!({"colour": 1}), 400, "invalid_request", "colour"),
    ] {
        put(body).problem(status, code, field);
    }
    assert_eq!(till.get("/v1/networks/x").expect(200), before);
    assert_eq!(before["replies_per_15_minutes"], 100);
    assert_eq!(
        put(json!({"replies_per_15_minutes": null})).expect(200)["replies_per_15_minutes"],
        Value::Null
    );
}
