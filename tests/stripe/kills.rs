//! The till is killed before, while and after each of its calls is carried out. Money moves once.

use super::{ASKS, PAYS, World};
use crate::support::wait_for;
use serde_json::json;

/// How a call ends that the till is killed over: it never arrives; it is carried out after the till's end; it was carried
/// out, and nobody hears of it.
const MOMENTS: [(&str, &str); 3] =
    [("drop_request", "begun"), ("slow", "begun"), ("slow_answer", "executed")];
const INTENTS: &str = "/v1/payment_intents";

impl World {
    /// Kills the till at its next call that fits, which `cause` brings about, and starts it again.
    fn kill_at<T>(
        &mut self,
        (kind, seen): (&str, &str),
        (begins, ends): (&str, &str),
        cause: impl FnOnce(&Self) -> T,
    ) -> T {
        let (method, path) = begins.split_once(' ').unwrap();
        // The till asks again until it is killed; none of that may arrive where nothing is to arrive.
        let times = if kind == "drop_request" { 99 } else { 1 };
        let before = self.provider.calls(seen, begins, ends);
        self.provider
            .fault(&json!({"kind": kind, "method": method, "path": path, "ends": ends, "times": times}));
        let told = cause(self);
        wait_for("the call", || (self.provider.calls(seen, begins, ends) > before).then_some(()));
        self.till.take().unwrap().kill_9();
        self.provider.post("/_calm", "");
        self.start();
        told
    }
}

#[test]
fn over_creating_confirming_and_fetching() {
    let Some(mut world) = World::new() else { return };
    world.provider.settings(&json!({"slow_seconds": 1}));
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        for (call, ends) in [("POST", INTENTS), ("POST", "/confirm"), ("GET", "")] {
            let user =
                format!("u{n}{}", if ends == INTENTS { "create" } else { ends.trim_start_matches('/') });
            let customer = world.buyer(&user, PAYS);
            if call == "GET" {
                let lost =
                    json!({"kind": "drop_response", "method": "POST", "path": INTENTS, "ends": "/confirm"});
                world.provider.fault(&lost);
            }
            let begins = format!("{call} {INTENTS}");
            let id = world.kill_at(moment, (&begins, ends), |world| world.buy(&user));
            world.until(&id, "paid");
            world.charged_once(&customer, &id);
        }
    }
    world.books_agree();
}

#[test]
fn over_refunding_and_cancelling() {
    let Some(mut world) = World::new() else { return };
    world.provider.settings(&json!({"slow_seconds": 1}));
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        let user = format!("back{n}");
        world.buyer(&user, PAYS);
        let id = world.buy(&user);
        world.until(&id, "paid");
        world.kill_at(moment, ("POST /v1/refunds", ""), |world| {
            world.till().client.post(&format!("/v1/purchases/{id}/refund"), &json!({"amount": 700}))
        });
        world.refunded(&id, 700);
        assert_eq!(world.provider.refunds(&world.intent(&id)).len(), 1, "{moment:?}");

        let user = format!("never{n}");
        let customer = world.buyer(&user, ASKS);
        let id = world.buy(&user);
        world.waits(&id);
        world.kill_at(moment, (&format!("POST {INTENTS}"), "/cancel"), |world| world.pass(3600));
        world.until(&id, "declined");
        assert_eq!(world.provider.intents(&customer)[0].1, "canceled", "{moment:?}");
    }
    world.books_agree();
}
