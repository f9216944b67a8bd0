//! A card that asks for its owner: the same intent is confirmed on-session, on a page of the provider's.

use super::{ASKS, PAYS, World, charge};
use crate::support::wait_for;
use serde_json::{Value, json};
use tagtill::payments::{Authentication, Gateway as _, Standing};

/// The buyer's private page would stand here.
const RETURN: &str = "http://127.0.0.1:9/p/secret?from=bank";

impl World {
    /// The purchase waits for its card's owner.
    #[track_caller]
    pub fn waits(&self, id: &str) -> Value {
        wait_for(&format!("{id} to wait for its owner"), || {
            let purchase = self.purchase(id);
            (purchase["attempts"][0]["status"] == "authentication_required").then_some(purchase)
        })
    }

    #[track_caller]
    pub fn refunded(&self, id: &str, amount: i64) {
        wait_for(&format!("{id} refunded"), || {
            (self.purchase(id)["refunded"]["amount"] == amount).then_some(())
        });
    }

    /// Where the owner of a purchase's card goes, as the private page asks for it.
    fn owner_goes_to(&self, id: &str, customer: &str) -> Authentication {
        let methods =
            self.provider.call("GET", &format!("/v1/payment_methods?customer={customer}&type=card"), "");
        let method = methods.unwrap()["data"][0]["id"].as_str().unwrap().to_owned();
        let charge = charge(&format!("{id}-1"), customer, &method);
        self.provider.stripe().authenticate(&self.intent(id), &charge, RETURN)
    }

    #[track_caller]
    fn page_of(&self, id: &str, customer: &str) -> String {
        match self.owner_goes_to(id, customer) {
            Authentication::Page(url) => url,
            other @ Authentication::Standing(_) => panic!("no page: {other:?}"),
        }
    }

    fn stock(&self) -> (Value, Value) {
        let offer = self.till().client.all("/v1/offers").remove(0);
        (offer["held"].clone(), offer["sold"].clone())
    }
}

#[test]
fn the_owner_allows_it_on_the_providers_page() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", ASKS);
    let id = world.buy("ann");
    let purchase = world.waits(&id);
    assert_eq!((&purchase["status"], world.stock()), (&json!("capturing"), (json!(1), json!(0))));
    assert!(purchase["authenticate_by"].is_string(), "{purchase}");
    let told = world.till().client.get("/v1/replies?network=sandbox").to_string();
    assert!(told.contains("One step is left") && !told.contains("http"), "{told}");
    let page = world.page_of(&id, &customer);
    assert_eq!(world.page_of(&id, &customer), page, "in two tabs");
    assert!(world.provider.page(&page).1.contains("is this you?"));
    // However often the till looks meanwhile, it confirms nothing.
    let confirmed = world.provider.calls("executed", "POST", "/confirm");
    let looked = world.provider.calls("executed", "GET", &world.intent(&id));
    world.pass(31);
    wait_for("a look", || {
        (world.provider.calls("executed", "GET", &world.intent(&id)) > looked).then_some(())
    });
    assert_eq!(world.provider.calls("executed", "POST", "/confirm"), confirmed);
    let (status, place) = world.provider.submit(&page, "answer=approve");
    assert_eq!(status, 303);
    assert!(place.starts_with(RETURN) && place.contains("redirect_status=succeeded"), "{place}");
    assert_eq!(world.owner_goes_to(&id, &customer), Authentication::Standing(Standing::Paid));
    world.pass(31);
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
    world.books_agree();
    assert_eq!(world.stock(), (json!(0), json!(1)));
}

#[test]
fn the_owner_refuses_and_no_page_can_charge_it_any_more() {
    let Some(world) = World::with_events() else { return };
    let customer = world.buyer("ann", ASKS);
    let id = world.buy("ann");
    world.waits(&id);
    let page = world.page_of(&id, &customer);
    let (_, place) = world.provider.submit(&page, "answer=refuse");
    assert!(place.contains("redirect_status=failed"), "{place}");
    // The provider tells by itself; the till has it cancelled before it counts as refused.
    world.event("evt_1", &json!({"id": world.intent(&id), "object": "payment_intent"}));
    world.until(&id, "declined");
    let purchase = world.purchase(&id);
    assert_eq!(purchase["attempts"][0]["code"], "payment_intent_authentication_failure", "{purchase}");
    assert_eq!(world.provider.intents(&customer)[0].1, "canceled");
    assert!(matches!(world.owner_goes_to(&id, &customer), Authentication::Standing(Standing::Declined(_))));
    assert_eq!(world.stock(), (json!(0), json!(0)));
    world.books_agree();
}

#[test]
fn the_deadline_passes_across_kill_9_and_the_owner_comes_too_late() {
    let Some(mut world) = World::new() else { return };
    let customer = world.buyer("ann", ASKS);
    let id = world.buy("ann");
    let by = world.waits(&id)["authenticate_by"].clone();
    let page = world.page_of(&id, &customer);
    world.till.take().unwrap().kill_9();
    world.start();
    assert_eq!(world.waits(&id)["authenticate_by"], by);
    // Until the provider says so, the unit stays held.
    world.provider.fault(&json!({"kind": "503", "path": "/v1/payment_intents", "times": 99}));
    world.pass(3600);
    let begun = world.provider.calls("begun", "GET", &world.intent(&id));
    wait_for("a look", || (world.provider.calls("begun", "GET", &world.intent(&id)) > begun).then_some(()));
    assert_eq!((world.purchase(&id)["status"].clone(), world.stock().0), (json!("capturing"), json!(1)));
    world.provider.post("/_calm", "");
    world.pass(600);
    world.until(&id, "declined");
    assert_eq!(world.purchase(&id)["attempts"][0]["code"], "authentication_expired");
    let (_, place) = world.provider.submit(&page, "answer=approve");
    assert!(place.contains("redirect_status=failed"), "{place}");
    assert!(world.provider.paid(&customer).is_empty());
    world.books_agree();
}

#[test]
fn the_owner_is_faster_than_the_deadline() {
    let Some(world) = World::new() else { return };
    let customer = world.buyer("ann", ASKS);
    let id = world.buy("ann");
    world.waits(&id);
    let page = world.page_of(&id, &customer);
    // The till knows nothing of it before the time is over.
    world.provider.fault(&json!({"kind": "503", "path": "/v1/payment_intents", "times": 99}));
    assert_eq!(world.provider.submit(&page, "answer=approve").0, 303);
    world.pass(3600);
    world.provider.post("/_calm", "");
    world.pass(600);
    world.until(&id, "paid");
    world.charged_once(&customer, &id);
    world.books_agree();
}

#[test]
fn a_lost_answer_leads_to_the_page_all_the_same() {
    let Some(world) = World::new() else { return };
    for (n, kind) in ["drop_response", "500"].into_iter().enumerate() {
        let user = format!("u{n}");
        let customer = world.buyer(&user, ASKS);
        let fault =
            json!({"kind": kind, "method": "POST", "path": "/v1/payment_intents", "ends": "/confirm"});
        world.provider.fault(&fault);
        let id = world.buy(&user);
        world.waits(&id);
        world.provider.fault(&fault);
        assert_eq!(world.owner_goes_to(&id, &customer), Authentication::Standing(Standing::Unknown));
        let page = world.page_of(&id, &customer);
        world.provider.submit(&page, "answer=approve");
        world.pass(31);
        world.until(&id, "paid");
        world.charged_once(&customer, &id);
    }
    // Who pays without a word is never asked.
    world.buyer("bob", PAYS);
    let id = world.buy("bob");
    world.until(&id, "paid");
    assert_eq!(world.purchase(&id)["authenticate_by"], Value::Null);
    world.books_agree();
}
