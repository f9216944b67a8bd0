//! Each thing that can go wrong with a call, at each call that there is. Whatever it is, money moves once.

use super::{ASKS, PAYS, World};
use serde_json::{Value, json};

/// Not executed, executed and not answered, executed with an error that is kept, not executed, somebody else is at it, too
/// many, late.
const KINDS: [&str; 7] = ["drop_request", "drop_response", "500", "503", "409", "429", "slow"];
const INTENTS: &str = "/v1/payment_intents";

fn fault(kind: &str, method: &str, path: &str, ends: &str) -> Value {
    json!({"kind": kind, "method": method, "path": path, "ends": ends})
}

/// Buys once for each kind of fault, and does what `around` says.
fn each_kind(around: impl Fn(&World, &str, &str)) {
    let Some(world) = World::new() else { return };
    world.provider.settings(&json!({"slow_seconds": 0.5}));
    for kind in KINDS {
        around(&world, kind, &format!("u{kind}").replace('_', ""));
        world.provider.post("/_calm", "");
    }
    world.books_agree();
}

#[test]
fn creating() {
    each_kind(|world, kind, user| {
        let customer = world.buyer(user, PAYS);
        world.provider.fault(&fault(kind, "POST", INTENTS, INTENTS));
        let id = world.buy(user);
        world.until(&id, "paid");
        world.charged_once(&customer, &id);
    });
}

#[test]
fn confirming() {
    each_kind(|world, kind, user| {
        let customer = world.buyer(user, PAYS);
        world.provider.fault(&fault(kind, "POST", INTENTS, "/confirm"));
        let id = world.buy(user);
        world.until(&id, "paid");
        world.charged_once(&customer, &id);
    });
}

#[test]
fn fetching() {
    each_kind(|world, kind, user| {
        let customer = world.buyer(user, PAYS);
        // Its answer is lost, so that it has to be asked for.
        world.provider.fault(&fault("drop_response", "POST", INTENTS, "/confirm"));
        world.provider.fault(&fault(kind, "GET", "/v1/payment_intents/", ""));
        let id = world.buy(user);
        world.until(&id, "paid");
        world.charged_once(&customer, &id);
    });
}

#[test]
fn refunding() {
    each_kind(|world, kind, user| {
        world.buyer(user, PAYS);
        let id = world.buy(user);
        world.until(&id, "paid");
        world.provider.fault(&fault(kind, "POST", "/v1/refunds", ""));
        world.till().client.post(&format!("/v1/purchases/{id}/refund"), &json!({"amount": 600}));
        world.refunded(&id, 600);
        world.till().client.post(&format!("/v1/purchases/{id}/refund"), &json!({}));
        world.until(&id, "refunded");
        let given: Vec<i64> = world.provider.refunds(&world.intent(&id)).iter().map(|one| one.1).collect();
        assert_eq!(given.iter().sum::<i64>(), 1500, "{kind}: {given:?}");
    });
}

#[test]
fn cancelling() {
    each_kind(|world, kind, user| {
        let customer = world.buyer(user, ASKS);
        let id = world.buy(user);
        world.waits(&id);
        world.provider.fault(&fault(kind, "POST", INTENTS, "/cancel"));
        world.pass(3600);
        world.until(&id, "declined");
        let purchase = world.purchase(&id);
        assert_eq!(purchase["attempts"][0]["code"], "authentication_expired", "{kind}: {purchase}");
        assert_eq!(world.provider.intents(&customer)[0].1, "canceled", "{kind}");
    });
}
