//! Webhooks as merchants receive them: the real binary, and a receiver that verifies each delivery with the official
//! library of Standard Webhooks.
//!
//! It needs Python with standardwebhooks: `TAGTILL_PEERS` names its virtual environment; and for the second library
//! Node.js with the package of that name in `TAGTILL_NODE_PEERS`. `tests/run` makes both; without them nothing is
//! tested here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "webhooks/deliveries.rs"]
mod deliveries;
#[path = "webhooks/developer.rs"]
mod developer;
mod support;

use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{Client, Site, Till, buyer, post, shop, wait_for};

/// The receiver.
struct Receiver {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peers(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(file)
}

/// The second library, on the same deliveries with the secrets that their endpoints had then.
#[track_caller]
fn verified_by_npm(seen: &[Value]) {
    let Some(folder) = std::env::var_os("TAGTILL_NODE_PEERS") else { return };
    let mut node = Command::new("node")
        .arg(peers("webhook_verify.mjs"))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for one in seen {
        writeln!(node.stdin.as_mut().unwrap(), "{one}").unwrap();
    }
    drop(node.stdin.take());
    let output = node.wait_with_output().unwrap();
    let count = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(output.status.success() && count == seen.len().to_string(), "{output:?}");
}

impl Receiver {
    fn start() -> Option<Self> {
        let Some(folder) = std::env::var_os("TAGTILL_PEERS") else {
            eprintln!("TAGTILL_PEERS is not set: nothing is tested here");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(PathBuf::from(folder).join("bin/python"))
            .arg(peers("webhook_receiver.py"))
            .arg(port.to_string())
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let receiver = Self { child, client: Client::new(&url, ""), url };
        wait_for("the receiver", || receiver.client.send("GET", "/seen/x", "application/json", b"").ok());
        Some(receiver)
    }

    fn plan(&self, path: &str, plan: &Value) {
        let body = plan.to_string();
        self.client.send("PUT", &format!("/plan/{path}"), "application/json", body.as_bytes()).unwrap();
    }

    fn seen(&self, path: &str) -> Vec<Value> {
        self.client.get(&format!("/seen/{path}")).as_array().unwrap().clone()
    }

    /// Waits until an endpoint has answered so many deliveries; all of them are verified.
    #[track_caller]
    fn until(&self, path: &str, count: usize) -> Vec<Value> {
        let seen = wait_for(&format!("{count} deliveries to {path}"), || {
            Some(self.seen(path)).filter(|seen| seen.len() >= count)
        });
        assert!(seen.iter().all(|one| one["verified"] == true), "{seen:#?}");
        verified_by_npm(&seen);
        seen
    }
}

struct World {
    receiver: Receiver,
    site: Site,
    till: Option<Till>,
    merchant: String,
}

impl World {
    fn new() -> Option<Self> {
        Self::with(support::binary())
    }

    /// With a till that is started by this command.
    fn with(command: Command) -> Option<Self> {
        let receiver = Receiver::start()?;
        let site = Site::new();
        let till = site.start_as(command, &["--sandbox"], &["--tick-ms", "50"]);
        let (merchant, _) = shop(&till.client, "#BuyThing", None);
        Some(Self { receiver, site, till: Some(till), merchant })
    }

    fn client(&self) -> &Client {
        &self.till.as_ref().unwrap().client
    }

    /// An endpoint of the merchant at a path of the receiver; returns its id.
    fn endpoint(&self, path: &str, events: &[&str], plan: &Value) -> String {
        let body = json!({"merchant": self.merchant, "url": format!("{}/{path}", self.receiver.url), "events": events});
        let made = self.client().post("/v1/webhook-endpoints", &body);
        let mut plan = plan.clone();
        plan["secret"] = made["secret"].clone();
        self.receiver.plan(path, &plan);
        made["id"].as_str().unwrap().to_owned()
    }

    fn sell(&self, user: &str) {
        buyer(self.client(), user, "tok_visa");
        self.client().post("/v1/posts", &post(&format!("b-{user}"), user, "#BuyThing"));
        self.client().post("/v1/posts", &post(&format!("c-{user}"), user, "#ConfirmThing"));
        wait_for("the order", || {
            let count = self.client().all("/v1/purchases?status=capturing").len();
            (count == 0).then_some(())
        });
    }

    fn advance(&self, seconds: u32) {
        self.client().post("/v1/sandbox/clock", &json!({"advance_seconds": seconds}));
    }

    fn show(&self, id: &str) -> Value {
        self.client().get(&format!("/v1/webhook-endpoints/{id}"))
    }
}

fn types(seen: &[Value]) -> Vec<String> {
    let body = |one: &Value| serde_json::from_str::<Value>(one["body"].as_str().unwrap()).unwrap();
    seen.iter().map(|one| body(one)["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn orders_arrive_signed_in_order_and_with_the_address() {
    let Some(world) = World::new() else { return };
    let id = world.endpoint("orders", &["order.*", "purchase.paid"], &json!({}));
    world.sell("ann");
    world.sell("bob");
    let seen = world.receiver.until("orders", 4);
    assert_eq!(types(&seen), ["purchase.paid", "order.created", "purchase.paid", "order.created"]);
    let order: Value = serde_json::from_str(seen[1]["body"].as_str().unwrap()).unwrap();
    assert!(order["data"]["object"]["ship_to"]["line1"].is_string(), "{order}");
    let all = seen.iter().map(|one| one["body"].as_str().unwrap()).collect::<String>();
    assert!(!all.contains("acc_") && !all.contains("\"handle\"") && !all.contains("tok_"), "{all}");
    assert_eq!(seen[1]["headers"]["webhook-id"], order["id"]);
    let deliveries = world.client().all(&format!("/v1/webhook-endpoints/{id}/deliveries"));
    assert_eq!(deliveries.len(), 4);
    assert!(deliveries.iter().all(|one| one["delivered"] == true && one["attempt"] == 1), "{deliveries:?}");
    // A test, and one delivery once more: under the same id.
    world.client().post(&format!("/v1/webhook-endpoints/{id}/test"), &json!({}));
    let seen = world.receiver.until("orders", 5);
    assert_eq!(types(&seen)[4], "webhook.test");
    let again = json!({"delivery": deliveries[0]["id"]});
    world.client().post(&format!("/v1/webhook-endpoints/{id}/resend"), &again);
    let seen = world.receiver.until("orders", 6);
    assert_eq!(seen[5]["headers"]["webhook-id"], deliveries[0]["event"]);
    world
        .client()
        .post(&format!("/v1/webhook-endpoints/{id}/resend"), &json!({"since": "2000-01-01T00:00:00Z"}));
    let seen = world.receiver.until("orders", 10);
    assert_eq!(types(&seen)[6..], types(&seen)[..4]);
}

#[test]
fn a_secret_is_rotated_without_a_gap_and_both_libraries_agree() {
    let Some(world) = World::new() else { return };
    let id = world.endpoint("rotated", &["order.created"], &json!({}));
    let old = world.client().post(&format!("/v1/webhook-endpoints/{id}/rotate"), &json!({}));
    world.sell("ann");
    // The receiver still has the first secret.
    let seen = world.receiver.until("rotated", 1);
    let secret = old["secret"].clone();
    assert_eq!(seen[0]["headers"]["webhook-signature"].as_str().unwrap().split(' ').count(), 2);
    world.receiver.plan("rotated", &json!({"secret": secret}));
    world.advance(86_400);
    world.sell("bob");
    world.receiver.until("rotated", 2);
    world.sell("carl");
    let last = world.receiver.until("rotated", 3);
    assert_eq!(last[2]["headers"]["webhook-signature"].as_str().unwrap().split(' ').count(), 1);
}

#[test]
fn what_fails_is_tried_again_and_holds_nobody_else_up() {
    let Some(world) = World::new() else { return };
    let events = &["order.created"];
    let ids = [
        world.endpoint("fails", events, &json!({"answers": [500, 302, 503], "retry_after": 900})),
        world.endpoint("gone", events, &json!({"answers": [410]})),
        world.endpoint("slow", events, &json!({"slow": 5})),
        world.endpoint("fine", events, &json!({})),
    ];
    world.sell("ann");
    world.sell("bob");
    world.receiver.until("fine", 2);
    assert!(world.receiver.seen("slow").is_empty(), "the slow one is not through yet");
    // 500: five seconds; 302 is not followed: five minutes; 503 asks for fifteen minutes.
    for (seconds, count) in [(0, 1), (6, 2), (331, 3), (3600, 5)] {
        if seconds > 0 {
            world.advance(seconds);
        }
        world.receiver.until("fails", count);
    }
    let seen = world.receiver.until("fails", 5);
    let event = |n: usize| seen[n]["headers"]["webhook-id"].clone();
    assert!((1..4).all(|n| event(n) == event(0)) && event(4) != event(0), "one after the other: {seen:?}");
    assert!(world.receiver.seen("elsewhere").is_empty());
    let tries = world.client().all(&format!("/v1/webhook-endpoints/{}/deliveries", ids[0]));
    let tries: Vec<_> =
        tries.iter().rev().map(|one| (one["attempt"].clone(), one["status"].clone())).collect();
    let wanted = [(1, 500), (2, 302), (3, 503), (4, 200), (1, 200)];
    assert_eq!(tries, wanted.map(|(attempt, status)| (json!(attempt), json!(status))));
    let gone = world.show(&ids[1]);
    assert_eq!((&gone["status"], world.receiver.seen("gone").len()), (&json!("disabled"), 1), "{gone}");
    assert!(gone["reason"].as_str().unwrap().contains("410"));
    world
        .client()
        .call("PATCH", &format!("/v1/webhook-endpoints/{}", ids[1]), &json!({"status": "enabled"}))
        .ok();
    // It goes on where it stopped.
    assert_eq!(world.receiver.until("gone", 3).len(), 3);
}

#[test]
fn after_ten_tries_an_endpoint_is_disabled_and_loses_nothing() {
    let Some(world) = World::new() else { return };
    let answers = [500; 10];
    let id = world.endpoint("dead", &["order.created"], &json!({"answers": answers}));
    world.sell("ann");
    for count in 1..=10 {
        world.receiver.until("dead", count);
        world.advance(27 * 3600);
    }
    let dead = wait_for("the end", || Some(world.show(&id)).filter(|one| one["status"] == "disabled"));
    assert!(dead["reason"].as_str().unwrap().contains("ten tries"), "{dead}");
    world.client().call("PATCH", &format!("/v1/webhook-endpoints/{id}"), &json!({"status": "enabled"})).ok();
    world.receiver.until("dead", 11);
}

#[test]
fn a_till_that_is_killed_sends_what_is_left_in_order() {
    let Some(mut world) = World::new() else { return };
    world.endpoint("kept", &["order.created"], &json!({"slow": 1}));
    for user in ["ann", "bob", "carl"] {
        world.sell(user);
    }
    world.receiver.until("kept", 1);
    world.till.take().unwrap().kill_9();
    world.till = Some(world.site.start(&["--tick-ms", "50"]));
    let orders = world.client().all("/v1/orders");
    let bodies = wait_for("all three", || {
        let seen = world.receiver.until("kept", 1);
        let mut ids: Vec<Value> = seen
            .iter()
            .map(|one| {
                serde_json::from_str::<Value>(one["body"].as_str().unwrap()).unwrap()["data"]["order"].clone()
            })
            .collect();
        ids.dedup();
        (ids.len() == 3).then_some(ids)
    });
    let sold: Vec<Value> = orders.iter().rev().map(|order| order["id"].clone()).collect();
    assert_eq!(bodies, sold, "in order, and none left out");
}

#[test]
fn endpoints_are_checked_and_their_secrets_shown_once() {
    let Some(world) = World::new() else { return };
    let refused = |url: &str| {
        let body = json!({"merchant": world.merchant, "url": url});
        let answer = world.client().call("POST", "/v1/webhook-endpoints", &body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &json!("url")), "{url}");
    };
    for url in [
        "",
        "shop.example",
        "ftp://shop.example",
        "http://shop.example/x",
        "https://",
        "https://user:pw@shop.example/",
        "https://shop.example/#x",
        "https://shop.example/ x",
        "http://127.0.0.1.example/",
        "http://[::2]/",
    ] {
        refused(url);
    }
    let body = json!({"merchant": world.merchant, "url": "https://shop.example/", "events": ["order.lost"]});
    assert_eq!(world.client().call("POST", "/v1/webhook-endpoints", &body).status, 422);
    // A name that leads to this machine's network is not dialled.
    let id = {
        let body =
            json!({"merchant": world.merchant, "url": "https://10.0.0.1/", "events": ["order.created"]});
        let made = world.client().post("/v1/webhook-endpoints", &body);
        assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
        made["id"].as_str().unwrap().to_owned()
    };
    assert!(world.show(&id).get("secret").is_none());
    world.sell("ann");
    let tries = wait_for("a try", || {
        let tries = world.client().all(&format!("/v1/webhook-endpoints/{id}/deliveries"));
        (!tries.is_empty()).then_some(tries)
    });
    assert!(tries[0]["error"].as_str().unwrap().contains("may not be dialled"), "{tries:?}");
    let gone = world.client().call("DELETE", &format!("/v1/webhook-endpoints/{id}"), &json!({})).ok();
    assert_eq!(gone["deleted"], true);
    assert_eq!(world.client().call("GET", &format!("/v1/webhook-endpoints/{id}"), &Value::Null).status, 404);
}
