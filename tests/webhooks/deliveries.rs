//! Deliveries: when they are tried again, what is told of them, which way they take.

use super::support::{self, Site, Till, wait_for};
use super::{World, types};
use serde_json::{Value, json};

fn deliveries(world: &World, id: &str) -> Vec<Value> {
    world.client().all(&format!("/v1/webhook-endpoints/{id}/deliveries"))
}

fn ms(till: &Till) -> i64 {
    let offer = till.client.post("/v1/merchants", &json!({"name": "Clock"}));
    moment(&offer["created_at"])
}

fn moment(at: &Value) -> i64 {
    tagtill::till::time::Time::parse(at.as_str().unwrap()).unwrap().ms()
}

#[test]
fn a_receiver_that_is_busy_is_left_alone_as_long_as_it_asks() {
    let Some(world) = World::new() else { return };
    let plans = [
        ("seconds", json!({"answers": [429, 429], "retry_after": 900}), 900),
        ("dated", json!({"answers": [429, 429], "retry_after": 900, "dated": true}), 900),
        ("days", json!({"answers": [429, 429], "retry_after": 900_000}), 86_400),
        ("plain", json!({"answers": [429, 429]}), 5),
    ];
    let ids = plans.each_ref().map(|(path, plan, _)| world.endpoint(path, &["order.created"], plan));
    world.sell("ann");
    let now = ms(world.till.as_ref().unwrap());
    for ((path, _, pause), id) in plans.iter().zip(&ids) {
        world.receiver.until(path, 1);
        let next = wait_for("the next try", || Some(world.show(id)).filter(|one| one["failures"] == 1));
        let wait = moment(&next["next_try_at"]) - now;
        assert!((pause * 1000 - 3000..pause * 1100 + 5000).contains(&wait), "{path}: {wait} ms of {pause} s");
    }
    // What it asks for is a least: never sooner, also where the plan would have tried again.
    world.advance(600);
    world.receiver.until("plain", 2);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!([world.receiver.seen("seconds").len(), world.receiver.seen("dated").len()], [1, 1]);
    world.advance(305);
    world.receiver.until("seconds", 2);
    world.receiver.until("dated", 2);
}

#[test]
fn deliveries_say_what_was_answered_and_how_long_it_took() {
    let Some(world) = World::new() else { return };
    let id = world.endpoint("slow", &["order.created"], &json!({"answers": [418], "slow": 1}));
    world.sell("ann");
    let first = wait_for("a delivery", || deliveries(&world, &id).pop());
    let took = first["duration_ms"].as_u64().unwrap();
    assert!((1000..5000).contains(&took), "{first}");
    let told = (&first["status"], &first["delivered"], &first["error"], &first["resent"], &first["attempt"]);
    assert_eq!(told, (&json!(418), &json!(false), &Value::Null, &json!(false), &json!(1)));
    // Nobody there: no status, but why.
    let dead = world.endpoint("dead", &["order.created"], &json!({}));
    let body = json!({"url": "http://127.0.0.1:1/"});
    world.client().call("PATCH", &format!("/v1/webhook-endpoints/{dead}"), &body).ok();
    world.client().post(&format!("/v1/webhook-endpoints/{dead}/test"), &json!({}));
    let test = wait_for("a test", || deliveries(&world, &dead).pop());
    assert_eq!(
        (&test["status"], &test["event"], &test["resent"]),
        (&Value::Null, &Value::Null, &json!(true))
    );
    assert!(!test["error"].as_str().unwrap().is_empty(), "{test}");
}

#[test]
fn what_was_since_a_time_is_sent_again_and_nothing_before_it() {
    let Some(world) = World::new() else { return };
    let id = world.endpoint("since", &["order.created"], &json!({}));
    for user in ["ann", "bob", "carl"] {
        world.sell(user);
        world.advance(60);
    }
    let seen = world.receiver.until("since", 3);
    let event = |one: &Value| serde_json::from_str::<Value>(one["body"].as_str().unwrap()).unwrap();
    let since = json!({"since": event(&seen[1])["created_at"]});
    let path = format!("/v1/webhook-endpoints/{id}/resend");
    world.client().post(&path, &since);
    let seen = world.receiver.until("since", 5);
    let ids: Vec<_> = seen.iter().map(|one| event(one)["id"].clone()).collect();
    assert_eq!(ids[3..], ids[1..3], "the second and the third again, in order");
    // Later than everything: nothing is sent, and what comes then is not skipped.
    world.client().post(&path, &json!({"since": "2100-01-01T00:00:00Z"}));
    world.sell("dora");
    let seen = world.receiver.until("since", 6);
    assert_eq!(types(&seen)[5], "order.created");
    assert!(!ids.contains(&event(&seen[5])["id"]));
    for body in [
        json!({}),
        json!({"since": "yesterday"}),
        json!({"since": "2100-01-01T00:00:00Z", "delivery": "whd_1"}),
    ] {
        assert_eq!(world.client().call("POST", &path, &body).status, 400, "{body}");
    }
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let mut command = support::binary();
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        // Nobody listens there: whatever took that way would be lost.
        command.env(name, "http://127.0.0.1:1");
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY");
    let Some(world) = World::with(command) else { return };
    let id = world.endpoint("direct", &["order.created"], &json!({}));
    world.sell("ann");
    wait_for("a try", || deliveries(&world, &id).pop());
    let tries = deliveries(&world, &id);
    assert_eq!((&tries[0]["delivered"], tries.len()), (&json!(true), 1), "{tries:?}");
    world.receiver.until("direct", 1);
}

#[test]
fn only_a_sandbox_sends_without_tls_and_only_to_its_own_machine() {
    let site = Site::new();
    let till = site.start_with(&[], &[]);
    let new = |url: &str| till.client.call("POST", "/v1/webhook-endpoints", &json!({ "url": url })).status;
    assert_eq!(["http://127.0.0.1:3000/", "http://localhost/", "http://[::1]/"].map(new), [422; 3]);
    assert_eq!(new("https://shop.example/hooks"), 201);
    // Over TLS to its own machine it may be written down, but is not dialled.
    let made = till.client.post("/v1/webhook-endpoints", &json!({"url": "https://localhost:1/"}));
    let path = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    till.client.post(&format!("{path}/test"), &json!({}));
    let tried = wait_for("a try", || till.client.all(&format!("{path}/deliveries")).pop());
    assert!(tried["error"].as_str().unwrap().contains("may not be dialled"), "{tried}");
    let sandbox = Site::new();
    let till = sandbox.start(&[]);
    let new = |url: &str| till.client.call("POST", "/v1/webhook-endpoints", &json!({ "url": url })).status;
    assert_eq!(["http://127.0.0.1:3000/", "http://localhost/", "http://[::1]/"].map(new), [201; 3]);
    assert_eq!(["http://10.0.0.1/", "http://shop.example/"].map(new), [422; 2]);
}

#[test]
fn many_slow_endpoints_hold_nobody_up() {
    let Some(world) = World::new() else { return };
    // More than there are threads: of the operator and of the merchant, each slow but alive.
    let slow = json!({"slow": 2});
    for n in 0..20 {
        let made = world.client().post(
            "/v1/webhook-endpoints",
            &json!({"url": format!("{}/operator{n}", world.receiver.url), "events": ["order.created"]}),
        );
        world.receiver.plan(&format!("operator{n}"), &json!({"slow": 2, "secret": made["secret"]}));
    }
    for n in 0..15 {
        world.endpoint(&format!("slow{n}"), &["order.created"], &slow);
    }
    world.endpoint("quick", &["order.created"], &json!({}));
    for user in ["ann", "bob", "carl", "dora", "emma", "finn", "gwen", "hugo"] {
        world.sell(user);
    }
    world.receiver.until("quick", 8);
    let first = world.receiver.seen("operator0").len();
    assert!(first < 8, "the quick one has waited until the slow ones were through");
}
