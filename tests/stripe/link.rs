//! From `/link` to a parcel, through Stripe's own pages: the card is stored on Checkout's page, the bank asks on its own,
//! and no card number ever comes near the till.

use super::World;
use crate::browser::{ADDRESS, Browser, Page};
use crate::support::{post, wait_for};
use serde_json::{Value, json};

impl World {
    fn say(&self, id: &str, user: &str, text: &str) -> Value {
        self.till().client.post("/v1/posts", &post(id, user, text))
    }

    /// To Checkout's page, in a fresh browser.
    fn to_checkout(&self, user: &str) -> (Browser, Page) {
        let browser = Browser::new(&self.till().client.url);
        browser.submit("/link", &[("network", "sandbox"), ("handle", user)]);
        browser.submit("/link/address", ADDRESS);
        let card = browser.submit("/link/agreement", &[("version", "1"), ("agree", "yes")]);
        let checkout = browser.get(&card.says("Its number never comes here").link("Go to Stripe"));
        assert!(checkout.url.starts_with(&self.provider.url), "{}", checkout.url);
        (browser, checkout)
    }

    /// Links somebody with this card; returns their browser and the path of their private page.
    fn link(&self, user: &str, number: &str) -> (Browser, String) {
        let (browser, checkout) = self.to_checkout(user);
        browser.submit(&checkout.url, &[("number", number)]).says("Get the hashtag");
        let code = browser.submit("/link/code", &[]).code();
        self.say(&format!("l-{user}"), user, &code);
        let page = browser.submit("/link/confirm", &[]);
        let own = page.says("Linked.").path().split('?').next().unwrap().to_owned();
        (browser, own)
    }

    /// The provider's customer of the only account of `user`.
    fn customer_of(&self, purchase: &str) -> String {
        let intents = self.provider.call("GET", "/_intents", "").unwrap();
        let theirs = intents["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|intent| intent["metadata"]["tagtill_purchase"] == purchase);
        theirs.unwrap_or_else(|| panic!("{intents}"))["customer"].as_str().unwrap().to_owned()
    }
}

#[test]
fn from_the_link_page_to_a_shipped_order() {
    let Some(world) = World::new() else { return };
    let client = &world.till().client;
    assert_eq!(world.say("p0", "ann", "#BuyThing")["verdict"], "not_linked");
    let (browser, own) = world.link("ann", "4242424242424242");
    let account = &client.all("/v1/accounts")[0];
    assert_eq!(account["payment_method"]["gateway"], "stripe");
    assert_eq!(account["mandate"]["version"], 1, "{account}");
    let id = world.buy("ann");
    world.until(&id, "paid");
    world.charged_once(&world.customer_of(&id), &id);
    browser.get(&own).says("Paid; it is being packed").says("visa");
    let order = client.all("/v1/orders")[0].clone();
    assert_eq!(order["ship_to"]["postal_code"], "62701");
    let parcel = json!({"carrier": "Post", "tracking_number": "4242424242424242"});
    let shipped = client.post(&format!("/v1/orders/{}/ship", order["id"].as_str().unwrap()), &parcel);
    assert_eq!(shipped["status"], "shipped", "{shipped}");
    let replies = client.get("/v1/replies?network=sandbox");
    let to_her = replies["data"].as_array().unwrap().iter().filter(|reply| reply["in_reply_to"] == "c-ann");
    let text: String = to_her.map(|reply| reply["text"].to_string()).collect();
    assert!(text.contains("shipped") || text.contains("on its way"), "{replies}");
    assert!(!text.contains("4242") && !text.contains("Elm"), "{text}");
    browser.get(&own).says("Paid and shipped");
}

#[test]
fn a_bank_that_asks_is_answered_on_its_own_page_and_the_same_intent_is_paid() {
    let Some(world) = World::new() else { return };
    let (browser, own) = world.link("ann", "4000002500003155");
    let id = world.buy("ann");
    let page = wait_for("the step", || {
        Some(browser.get(&own)).filter(|page| page.text.contains("One step is left"))
    });
    let bank = browser.get(&page.link("Go to your bank"));
    assert!(bank.url.starts_with(&world.provider.url), "{}", bank.url);
    bank.says("is this you?");
    browser.submit(&bank.url, &[("answer", "approve")]).says("Your purchases by post");
    world.until(&id, "paid");
    world.charged_once(&world.customer_of(&id), &id);
    let purchase = world.purchase(&id);
    assert_eq!(purchase["attempts"].as_array().unwrap().len(), 1, "{purchase}");
}

#[test]
fn what_goes_wrong_on_the_way_to_a_card_ends_in_a_page_with_a_way_on() {
    let Some(world) = World::new() else { return };
    let (browser, checkout) = world.to_checkout("ann");
    browser.get("/link/card/back").says("No card was stored");
    browser.submit(&checkout.url, &[("number", "4000000000000002")]).says("declined");
    browser.get("/link/card/back").says("No card was stored");
    // Its sessions end, too: then another one is begun.
    let session = checkout.url.rsplit('/').next().unwrap().to_owned();
    world.provider.post(&format!("/v1/checkout/sessions/{session}/expire"), "");
    browser.get("/link/card/back").says("No card was stored");
    let second = browser.get("/link/card/go");
    assert_ne!(second.url, checkout.url);
    // The answer about what was stored is lost: the card is asked for, not the browser believed.
    world
        .provider
        .fault(&json!({"kind": "drop_response", "method": "GET", "path": "/v1/checkout", "times": 1}));
    browser.submit(&second.url, &[("number", "4242424242424242")]).says("cannot be reached right now");
    browser.get("/link/card/back").says("Get the hashtag");
    assert_eq!(browser.get(&second.url).status, 410);
    // Answers about beginning are lost, or an error is saved under the key: there is a way on.
    for (n, kind) in ["drop_response", "500", "503"].into_iter().enumerate() {
        let user = format!("u{n}");
        let browser = Browser::new(&world.till().client.url);
        browser.submit("/link", &[("network", "sandbox"), ("handle", &user)]);
        browser.submit("/link/address", ADDRESS);
        browser.submit("/link/agreement", &[("version", "1"), ("agree", "yes")]);
        world.provider.fault(&json!({"kind": kind, "method": "POST", "path": "/v1/checkout", "times": 1}));
        let first = browser.get("/link/card/go");
        if first.url.starts_with(&world.provider.url) {
            continue;
        }
        first.says("cannot be reached right now");
        browser.get("/link/card/go").says("Store a card");
    }
}
