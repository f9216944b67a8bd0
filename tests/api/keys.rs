//! Idempotency keys.

use super::till::{ADMIN, account, offer, post, till, till_with_slow_gateway};
use serde_json::{Value, json};

#[test]
fn the_same_request_is_carried_out_once() {
    let till = till();
    let body = json!({"name": "Tea & Co"});
    let first = till.call_keyed(ADMIN, "POST", "/v1/merchants", &body, Some("k1"));
    let again = till.call_keyed(ADMIN, "POST", "/v1/merchants", &body, Some("k1"));
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(first.headers["location"], format!("/v1/merchants/{}", first.json()["id"].as_str().unwrap()));
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_ne!(first.headers["x-request-id"], again.headers["x-request-id"]);
    assert_eq!(till.get("/v1/merchants").json()["data"].as_array().unwrap().len(), 1);
    // Another body, another path, another token.
    let other = json!({"name": "Coffee & Co"});
    let reused = till.call_keyed(ADMIN, "POST", "/v1/merchants", &other, Some("k1"));
    reused.problem(422, "idempotency_key_reused", "");
    let offer = offer(first.json()["id"].as_str().unwrap(), "Tea");
    assert_eq!(till.call_keyed(ADMIN, "POST", "/v1/offers", &offer, Some("k1")).status, 201);
    let admin = till.token("admin");
    assert_eq!(till.call_keyed(&admin, "POST", "/v1/merchants", &other, Some("k1")).status, 201);
}

#[test]
fn a_refusal_is_kept_too() {
    let till = till();
    let merchant = till.merchant();
    let first = till.offer(&merchant, "Tea");
    let taken = offer(&merchant, "Tea");
    let refused = till.call_keyed(ADMIN, "POST", "/v1/offers", &taken, Some("k1"));
    assert_eq!(refused.status, 409);
    let again = till.call_keyed(ADMIN, "POST", "/v1/offers", &taken, Some("k1"));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    assert_eq!(refused.bytes, again.bytes, "{first}");
}

#[test]
fn secrets_are_not_given_twice() {
    let till = till();
    let body = json!({"role": "admin"});
    assert_eq!(till.call_keyed(ADMIN, "POST", "/v1/tokens", &body, Some("k1")).status, 201);
    let again = till.call_keyed(ADMIN, "POST", "/v1/tokens", &body, Some("k1"));
    again.problem(409, "idempotency_not_replayable", "");
    assert_eq!(till.get("/v1/tokens").json()["data"].as_array().unwrap().len(), 1);
}

#[test]
fn whoever_is_too_quick_is_told_so() {
    let (till, is_asked, go) = till_with_slow_gateway();
    let slow = account("ann");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| till.call_keyed(ADMIN, "POST", "/v1/accounts", &slow, Some("k1")));
        is_asked.recv().unwrap();
        let second = till.call_keyed(ADMIN, "POST", "/v1/accounts", &slow, Some("k1"));
        second.problem(409, "idempotency_in_flight", "");
        go.send(()).unwrap();
        assert_eq!(first.join().unwrap().status, 201);
    });
    let third = till.call_keyed(ADMIN, "POST", "/v1/accounts", &slow, Some("k1"));
    assert_eq!((third.status, third.headers["idempotent-replayed"].as_str()), (201, "true"));
}

#[test]
fn an_erased_account_leaves_no_kept_answer() {
    let till = till();
    let made = till.call_keyed(ADMIN, "POST", "/v1/accounts", &account("ann"), Some("k1"));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let erased = till.call(ADMIN, "DELETE", &format!("/v1/accounts/{id}"), &Value::Null).expect(200);
    assert_eq!((&erased["status"], &erased["billing_address"]), (&json!("erased"), &Value::Null));
    let again = till.call_keyed(ADMIN, "POST", "/v1/accounts", &account("ann"), Some("k1"));
    again.problem(409, "idempotency_not_replayable", "");
}

#[test]
fn posts_need_no_key_and_bad_keys_are_refused() {
    let till = till();
    let one = till.call_keyed(ADMIN, "POST", "/v1/posts", &post("1", "ann", "a"), Some("k1"));
    let two = till.call_keyed(ADMIN, "POST", "/v1/posts", &post("2", "bob", "b"), Some("k1"));
    assert_eq!((one.status, two.status), (200, 200));
    let name = json!({"name": "Tea"});
    for key in ["", "a b", &"k".repeat(256)] {
        let answer = till.call_keyed(ADMIN, "POST", "/v1/merchants", &name, Some(key));
        answer.problem(400, "invalid_request", "Idempotency-Key");
    }
    let longest = "k".repeat(255);
    assert_eq!(till.call_keyed(ADMIN, "POST", "/v1/merchants", &name, Some(&longest)).status, 201);
}
