//! Keys that are forgotten, and lists that are behind: neither makes the till do anything twice.

use super::{DECLINED, PAYS, Provider, World, charge};
use crate::support::wait_for;
use serde_json::json;
use std::time::Duration;
use tagtill::payments::{Charge, Created, Found, Gateway as _, Refunded, Standing};
use tagtill::till::money::{Currency, Money};
use tagtill::till::time::Time;

/// Lists are late by so much; and so late the till takes them to be at most.
const LAG_SECONDS: f64 = 1.5;
const DELAY: Duration = Duration::from_secs(3);

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_ms(i64::try_from(since.as_millis()).unwrap())
}

/// A customer's charge, begun now.
fn begun(provider: &Provider, key: &str, number: &str) -> Charge {
    let (customer, method) = provider.card(number);
    Charge { begun_at: now(), ..charge(key, &customer, &method) }
}

#[test]
fn an_intent_that_no_list_shows_yet_is_not_made_again() {
    let Some(provider) = Provider::start() else { return };
    provider.settings(&json!({"lag_seconds": LAG_SECONDS}));
    let stripe = provider.stripe().with_list_delay(DELAY);
    let charge = begun(&provider, "pur_1-1", PAYS);
    // Made, and the error is saved under its key.
    provider.fault(&json!({"kind": "500", "method": "POST", "path": "/v1/payment_intents"}));
    assert_eq!(stripe.create(&charge), Created::Unknown);
    assert_eq!(stripe.create(&charge), Created::Unknown, "it may be there: it is not lost");
    let reference = wait_for("the list", || match stripe.create(&charge) {
        Created::Reference(reference) => Some(reference),
        Created::Unknown => None,
        other => panic!("{other:?}"),
    });
    assert_eq!(stripe.confirm(&reference, &charge), Standing::Paid);
    assert_eq!(provider.paid(&charge.customer).len(), 1);
    assert_eq!(provider.intents(&charge.customer).len(), 1);
}

#[test]
fn an_intent_that_was_never_made_is_lost_once_the_list_is_believed() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe().with_list_delay(DELAY);
    let charge = begun(&provider, "pur_1-1", PAYS);
    // The key has an error saved under it, and there is nothing under its name.
    provider.fault(&json!({"kind": "500_undone", "method": "POST", "path": "/v1/payment_intents"}));
    assert_eq!(stripe.create(&charge), Created::Unknown);
    assert_eq!(stripe.create(&charge), Created::Unknown);
    wait_for("the end of doubt", || (stripe.create(&charge) == Created::Lost).then_some(()));
    assert!(provider.intents(&charge.customer).is_empty());
}

#[test]
fn a_refund_that_no_list_shows_yet_is_not_made_again() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe().with_list_delay(DELAY);
    let charge = begun(&provider, "pur_1-1", PAYS);
    let Created::Reference(reference) = stripe.create(&charge) else { panic!("not created") };
    assert_eq!(stripe.confirm(&reference, &charge), Standing::Paid);
    provider.settings(&json!({"lag_seconds": LAG_SECONDS}));
    let some = Money { amount: 300, currency: Currency::USD };
    provider.fault(&json!({"kind": "500", "method": "POST", "path": "/v1/refunds"}));
    assert_eq!(stripe.refund("ref_1", &reference, some), Refunded::Unknown);
    assert_eq!(stripe.refund("ref_1", &reference, some), Refunded::Unknown);
    let done = || match stripe.refund("ref_1", &reference, some) {
        Refunded::Succeeded(_) => Some(()),
        Refunded::Unknown => None,
        other @ Refunded::Failed(_) => panic!("{other:?}"),
    };
    wait_for("the list", done);
    assert_eq!(provider.refunds(&reference), [("ref_1".to_owned(), 300)]);
    // One that was not made is made in the end.
    provider.fault(&json!({"kind": "500_undone", "method": "POST", "path": "/v1/refunds"}));
    assert_eq!(stripe.refund("ref_2", &reference, some), Refunded::Unknown);
    wait_for("the other refund", || {
        matches!(stripe.refund("ref_2", &reference, some), Refunded::Succeeded(_)).then_some(())
    });
    let all = wait_for("both", || Some(provider.refunds(&reference)).filter(|all| all.len() > 1));
    assert_eq!(all.len(), 2, "{all:?}");
    // Somebody gave the rest back: that is no trouble of the key's, and final.
    provider.post("/v1/refunds", &format!("payment_intent={reference}&amount=900"));
    assert_eq!(stripe.refund("ref_3", &reference, some), Refunded::Failed("refund_not_possible".to_owned()));
    assert_eq!(stripe.trouble(), None);
}

#[test]
fn after_a_start_a_list_is_not_believed_about_what_came_before() {
    let Some(provider) = Provider::start() else { return };
    provider.settings(&json!({"lag_seconds": LAG_SECONDS}));
    let charge = begun(&provider, "pur_1-2", PAYS);
    // A life of the till that a restore has undone.
    let former = provider.stripe();
    let Created::Reference(reference) = former.create(&charge) else { panic!("not created") };
    assert_eq!(former.confirm(&reference, &charge), Standing::Paid);
    let stripe = provider.stripe().with_list_delay(DELAY);
    assert_eq!(stripe.find(&charge), Found::Unknown);
    let found = wait_for("the list", || Some(stripe.find(&charge)).filter(|found| *found != Found::Unknown));
    assert_eq!(found, Found::Reference(reference));
    let other = Charge { key: "pur_2-1".to_owned(), ..charge };
    wait_for("the end of doubt", || (stripe.find(&other) == Found::Nothing).then_some(()));
}

#[test]
fn a_decline_is_said_again_under_its_key() {
    let Some(provider) = Provider::start() else { return };
    let stripe = provider.stripe();
    let charge = begun(&provider, "pur_1-1", DECLINED);
    let Created::Reference(reference) = stripe.create(&charge) else { panic!("not created") };
    let declined = Standing::Declined("generic_decline".to_owned());
    assert_eq!(stripe.confirm(&reference, &charge), declined);
    assert_eq!(stripe.create(&charge), Created::Reference(reference.clone()), "the key says the same again");
    assert_eq!(stripe.fetch(&reference, &charge), declined);
    assert_eq!(
        stripe.confirm(&reference, &charge),
        declined,
        "it does not stand so that it can be confirmed"
    );
}

#[test]
fn a_day_later_a_charge_whose_answer_was_lost_is_found() {
    let Some(world) = World::new() else { return };
    world.provider.settings(&json!({"key_seconds": 0.2}));
    let customer = world.buyer("ann", PAYS);
    let intents = "/v1/payment_intents";
    world
        .provider
        .fault(&json!({"kind": "drop_response", "method": "POST", "path": intents, "ends": intents}));
    world
        .provider
        .fault(&json!({"kind": "503", "method": "POST", "path": intents, "ends": intents, "times": 999}));
    let id = world.buy("ann");
    wait_for("the intent", || (!world.provider.intents(&customer).is_empty()).then_some(()));
    world.pass(23 * 3600 + 60);
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
    assert_eq!(world.provider.intents(&customer).len(), 1);
    world.books_agree();
}

#[test]
fn a_refund_whose_key_is_forgotten_is_found() {
    let Some(world) = World::new() else { return };
    world.provider.settings(&json!({"key_seconds": 0.1}));
    world.buyer("ann", PAYS);
    let id = world.buy("ann");
    world.until(&id, "paid");
    world.provider.fault(&json!({"kind": "drop_response", "method": "POST", "path": "/v1/refunds"}));
    world.till().client.post(&format!("/v1/purchases/{id}/refund"), &json!({"amount": 400}));
    world.refunded(&id, 400);
    assert_eq!(world.provider.refunds(&world.intent(&id)).len(), 1);
}
