//! Long polls.

use super::till::{ADMIN, till, till_with};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn more_wait_than_there_are_workers_and_news_wakes_them() {
    let till = till_with(true, &["--slots", "32"]);
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let last = till.get("/v1/events?limit=200").expect(200)["data"].as_array().unwrap().last().unwrap()["id"]
        .clone();
    let after = format!("/v1/events?wait_seconds=30&after={}", last.as_str().unwrap());
    std::thread::scope(|scope| {
        let events: Vec<_> = (0..6).map(|_| scope.spawn(|| till.get(&after).expect(200))).collect();
        let replies: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| till.get("/v1/replies?network=x&wait_seconds=30").expect(200)))
            .collect();
        till.until_waiting(12);
        assert_eq!(till.say("ann", "#BuyTea")["verdict"], "pending");
        for wait in events {
            assert_eq!(wait.join().unwrap()["data"][0]["type"], "purchase.pending");
        }
        for wait in replies {
            assert_eq!(wait.join().unwrap()["data"].as_array().unwrap().len(), 1);
        }
    });
}

#[test]
fn half_of_the_slots_may_wait_and_the_others_serve() {
    let till = till_with(true, &["--slots", "8"]);
    let path = "/v1/events?wait_seconds=5";
    std::thread::scope(|scope| {
        let waits: Vec<_> = (0..4).map(|_| scope.spawn(|| till.get(path).expect(200))).collect();
        till.until_waiting(4);
        let refused = till.get(path);
        assert_eq!(refused.headers["retry-after"], "1");
        refused.problem(503, "overloaded", "");
        till.get("/v1/events").expect(200);
        for wait in waits {
            assert_eq!(wait.join().unwrap(), json!({"data": [], "next_cursor": null}));
        }
    });
}

#[test]
fn a_wait_ends_at_its_time() {
    let till = till();
    let started = Instant::now();
    let page = till.call(ADMIN, "GET", "/v1/replies?network=x&wait_seconds=1", &Value::Null).expect(200);
    assert_eq!(page, json!({"data": [], "next_cursor": null}));
    assert!(started.elapsed() >= Duration::from_millis(900));
}

#[test]
fn whoever_begins_with_the_latest_learns_where_that_is() {
    let till = till();
    let empty = till.get("/v1/events?after=latest").expect(200);
    let merchant = till.merchant();
    till.offer(&merchant, "Tea");
    let begin = till.get("/v1/events?after=latest").expect(200);
    assert_eq!((&begin["data"], &empty["data"]), (&json!([]), &json!([])));
    till.account("ann");
    let after = |page: &Value| {
        let cursor = page["next_cursor"].as_str().unwrap();
        let found = till.get(&format!("/v1/events?after={cursor}")).expect(200);
        let kinds = found["data"].as_array().unwrap().iter().map(|event| event["type"].clone());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(after(&begin), ["account.created"]);
    assert_eq!(after(&empty), ["offer.created", "account.created"]);
}
