//! What bridges leave with the till and are told: cursors, who they post as, how they stand, who opted out.

use super::support::{Client, Site};
use super::till::{ADMIN, Answer, Till, post, till};
use serde_json::{Value, json};

const CURSOR: &str = "/v1/networks/bluesky/cursors/jetstream";

fn put(till: &Till, token: &str, path: &str, body: &Value) -> Answer {
    till.call(token, "PUT", path, body)
}

#[test]
fn a_cursor_is_kept_and_two_bridges_are_noticed() {
    let till = till();
    let bridge = till.token("network:bluesky");
    let put = |body: &Value| put(&till, &bridge, CURSOR, body);
    let get = || till.call(&bridge, "GET", CURSOR, &Value::Null).expect(200);
    let none = json!({"network": "bluesky", "stream": "jetstream", "cursor": null, "updated_at": null});
    assert_eq!(get(), none);
    // Microseconds look like a card number often enough.
    let first = "4111111111111111";
    let kept = put(&json!({"cursor": first, "was": null})).expect(200);
    assert_eq!((&kept["cursor"], &kept), (&json!(first), &get()));
    assert!(kept["updated_at"].is_string());
    put(&json!({"cursor": "two", "was": first})).expect(200);
    // The same once more: its answer was lost.
    put(&json!({"cursor": "two", "was": first})).expect(200);
    for was in [json!(first), json!(null)] {
        let problem = put(&json!({"cursor": "three", "was": was})).problem(409, "conflict", "");
        assert!(problem["detail"].as_str().unwrap().contains("two bridges"), "{problem}");
    }
    assert_eq!(get()["cursor"], "two");
    put(&json!({"cursor": "one"})).expect(200);
    let list = till.get("/v1/networks/bluesky/cursors").expect(200);
    assert_eq!((&list["data"][0], &list["next_cursor"]), (&get(), &Value::Null));
    assert_eq!(till.get("/v1/networks/x/cursors").expect(200)["data"], json!([]));
}

#[test]
fn bad_cursors_are_refused() {
    let till = till();
    let put = |path: &str, body: &Value| put(&till, ADMIN, path, body);
    for stream in ["Big", "a%20b", &"s".repeat(65)] {
        let path = format!("/v1/networks/bluesky/cursors/{stream}");
        put(&path, &json!({"cursor": "1"})).problem(422, "invalid", "stream");
        till.get(&path).problem(422, "invalid", "stream");
    }
    for (body, field) in [
        (json!({"cursor": ""}), "cursor"),
        (json!({"cursor": "a\nb"}), "cursor"),
        (json!({"cursor": "x".repeat(4097)}), "cursor"),
        (json!({"cursor": "x", "was": ""}), "was"),
    ] {
        put(CURSOR, &body).problem(422, "invalid", field);
    }
    put(CURSOR, &json!({"cursor": "x".repeat(4096)})).expect(200);
    for path in
        ["/v1/networks/nowhere/cursors", "/v1/networks/nowhere/cursors/a", "/v1/networks/nowhere/bridge"]
    {
        till.get(path).problem(404, "not_found", "");
    }
    let other = till.token("network:x");
    for path in ["/v1/networks/bluesky", "/v1/networks/bluesky/bridge", CURSOR] {
        till.call(&other, "GET", path, &Value::Null).problem(403, "forbidden", "network");
    }
}

#[test]
fn a_restart_keeps_cursors() {
    let site = Site::new();
    let say = |client: &Client| client.get("/v1/networks/bluesky/cursors/jetstream")["cursor"].clone();
    let till = site.start(&[]);
    till.client.call("PUT", CURSOR, &json!({"cursor": "42"})).ok();
    till.kill_9();
    assert_eq!(say(&site.start(&[]).client), "42");
}

#[test]
fn a_bridge_says_who_it_is_and_how_it_stands() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    let bridge = till.token("network:bluesky");
    let path = "/v1/networks/bluesky/bridge";
    let silent = till.get(path).expect(200);
    assert_eq!(
        (&silent["seen_at"], &silent["posts"], &silent["errors"]),
        (&Value::Null, &Value::Null, &json!({}))
    );
    let own = json!({"user_id": "did:plc:shop", "handle": "shop.example"});
    let body = json!({
        "own": own, "text_limit": 280, "lag_seconds": 3, "posts": 7, "replies": 2, "errors": {"rate_limit": 4}
    });
    let told = put(&till, &bridge, path, &body).expect(200);
    for (field, wanted) in [
        ("slug", json!("bluesky")),
        ("own", own.clone()),
        ("text_limit", json!(280)),
        ("counting", json!("graphemes")),
        ("links_in_replies", json!(true)),
        ("mention_needed", json!(false)),
        ("max_post_age_seconds", json!(3600)),
        ("paused", json!(false)),
        ("hashtags", json!(["buytea", "confirmtea", "passtea"])),
    ] {
        assert_eq!(told[field], wanted, "{field}");
    }
    assert!(told["now"].is_string());
    // The limit is only ever lowered, and what is left out stays.
    let told = put(&till, &bridge, path, &json!({"text_limit": 3000, "posts": 8})).expect(200);
    assert_eq!((&told["text_limit"], &told["own"]), (&json!(280), &own));
    put(&till, &bridge, path, &json!({"text_limit": 100})).problem(422, "invalid", "text_limit");
    let network = till.call(&bridge, "GET", "/v1/networks/bluesky", &Value::Null).expect(200);
    assert_eq!((&network["text_limit"], &network["own"]), (&json!(280), &own));
    let stands = till.call(&bridge, "GET", path, &Value::Null).expect(200);
    assert!(stands["seen_at"].is_string());
    assert_eq!(
        (&stands["lag_seconds"], &stands["posts"], &stands["replies"], &stands["errors"], &stands["own"]),
        (&json!(3), &json!(8), &json!(2), &json!({"rate_limit": 4}), &own)
    );
    let figures = till.get("/metrics").text();
    for line in [
        "tagtill_bridge_lag_seconds{network=\"bluesky\"} 3",
        "tagtill_bridge_posts_total{network=\"bluesky\"} 8",
        "tagtill_bridge_replies_total{network=\"bluesky\"} 2",
        "tagtill_bridge_errors_total{network=\"bluesky\",kind=\"rate_limit\"} 4",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line}\n{figures}");
    }
    assert!(figures.contains("\ntagtill_bridge_seen_seconds{network=\"bluesky\"} "), "{figures}");
    for errors in [json!({"Big": 1}), json!({"": 1}), json!({"x".repeat(33): 1})] {
        put(&till, &bridge, path, &json!({"errors": errors})).problem(422, "invalid", "errors");
    }
}

#[test]
fn an_offer_that_ended_long_ago_is_no_longer_looked_for() {
    let till = till();
    let offer = till.offer(&till.merchant(), "Tea");
    let told = || put(&till, ADMIN, "/v1/networks/x/bridge", &json!({})).expect(200)["hashtags"].clone();
    till.call(ADMIN, "PATCH", &format!("/v1/offers/{offer}"), &json!({"status": "ended"})).expect(200);
    assert_eq!(told().as_array().unwrap().len(), 3);
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 3700})).expect(200);
    assert_eq!(told(), json!([]));
}

#[test]
fn who_opted_out_is_kept_and_hears_nothing() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bridge = till.token("network:x");
    let path = "/v1/networks/x/opt-outs/ann";
    assert!(till.say("ann", "#BuyTea")["reply"].is_object());
    let out = put(&till, &bridge, path, &Value::Null).expect(200);
    assert_eq!((&out["network"], &out["user_id"]), (&json!("x"), &json!("ann")));
    assert_eq!(put(&till, &bridge, path, &json!({})).expect(200), out, "said again, it changes nothing");
    assert_eq!(till.get("/v1/replies?network=x").expect(200)["data"], json!([]));
    let confirmed = till.say("ann", "#ConfirmTea");
    assert_eq!((&confirmed["verdict"], confirmed.get("reply")), (&json!("confirmed"), None));
    for user in ["https%3A%2F%2Fsocial.example%2Fusers%2Fbob", "did:plc:carl"] {
        put(&till, ADMIN, &format!("/v1/networks/x/opt-outs/{user}"), &Value::Null).expect(200);
    }
    let page = till.call(&bridge, "GET", "/v1/networks/x/opt-outs?limit=2", &Value::Null).expect(200);
    assert_eq!((&page["data"][0], &page["data"][1]["user_id"]), (&out, &json!("did:plc:carl")));
    let next = format!("/v1/networks/x/opt-outs?cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = till.get(&next).expect(200);
    assert_eq!(rest["data"][0]["user_id"], "https://social.example/users/bob");
    assert_eq!(rest["next_cursor"], Value::Null);
    for _ in 0..2 {
        till.call(&bridge, "DELETE", path, &Value::Null).expect(200);
    }
    assert!(till.say("ann", "#ConfirmTea")["reply"].is_object());
    put(&till, ADMIN, "/v1/networks/nowhere/opt-outs/ann", &Value::Null).problem(404, "not_found", "");
    put(&till, ADMIN, "/v1/networks/x/opt-outs/a%20b", &Value::Null).problem(422, "invalid", "user_id");
    till.call(&till.token("network:bluesky"), "DELETE", path, &Value::Null).problem(
        403,
        "forbidden",
        "network",
    );
}

#[test]
fn where_a_mention_is_needed_a_wish_without_one_costs_nothing() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let own = json!({"own": {"user_id": "s", "handle": "shop"}});
    assert_eq!(put(&till, ADMIN, "/v1/networks/x/bridge", &own).expect(200)["mention_needed"], true);
    let events = till.events();
    let mut body = post("m1", "ann", "#BuyTea");
    let answer = till.post("/v1/posts", &body).expect(200);
    assert_eq!((&answer["verdict"], &answer["repeated"]), (&json!("mention_needed"), &json!(false)));
    assert_eq!((answer.get("reply"), answer.get("purchase"), till.events()), (None, None, events));
    till.get("/v1/posts/x/m1").problem(404, "not_found", "");
    body["to_us"] = json!(true);
    assert_eq!(till.post("/v1/posts", &body).expect(200)["verdict"], "pending");
    let free = put(&till, ADMIN, "/v1/networks/x", &json!({"mention_needed": false})).expect(200);
    assert_eq!(free["mention_needed"], false);
    assert_eq!(till.say("ann", "#BuyTea")["verdict"], "already_pending");
}

#[test]
fn a_bridge_is_told_whose_deletion_matters() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bridge = till.token("network:x");
    let held = |token: &str| till.call(token, "GET", "/v1/networks/x/held", &Value::Null);
    assert_eq!(held(&bridge).expect(200), json!({"data": [], "next_cursor": null}));
    assert_eq!(till.post("/v1/posts", &post("wish", "ann", "#BuyTea")).expect(200)["verdict"], "pending");
    assert_eq!(held(&bridge).expect(200)["data"], json!(["wish"]));
    held(&till.token("network:bluesky")).problem(403, "forbidden", "");
    assert_eq!(till.get("/v1/networks/bluesky/held").expect(200)["data"], json!([]));
    till.post("/v1/posts", &post("yes", "ann", "#ConfirmTea")).expect(200);
    assert_eq!(held(ADMIN).expect(200)["data"], json!([]));
    till.get("/v1/networks/nowhere/held").problem(404, "not_found", "");
}
