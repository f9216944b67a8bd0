//! Offers in the console: made by keyboard alone, refused beside the field, previewed, changed, paused, ended.

use crate::chromium;
use crate::support::{ADMIN, Client, Site};
use crate::webdriver::{Chromium, Keys};
use serde_json::{Value, json};

/// Signs in and opens a place of the console.
#[track_caller]
pub fn open(browser: &Chromium, url: &str, place: &str) {
    browser.open(&format!("{url}/#/{place}"));
    browser.fill("Token", ADMIN);
    browser.press("Sign in");
    browser.says("Signed in as admin");
}

pub fn merchant(client: &Client, name: &str) -> String {
    client.post("/v1/merchants", &json!({"name": name}))["id"].as_str().unwrap().to_owned()
}

pub fn tea(client: &Client, merchant: &str) -> String {
    let offer = json!({
        "merchant": merchant, "hashtag": "#BuyTea", "title": "Green tea", "quantity": 5,
        "price": {"amount": 1999, "currency": "USD"},
    });
    client.post("/v1/offers", &offer)["id"].as_str().unwrap().to_owned()
}

/// A buyer on X and what the till answers to a post there.
fn buys(client: &Client, user: &str, text: &str) -> Value {
    let account = json!({
        "identities": [{"network": "x", "user_id": user, "handle": user}],
        "billing_address": {"name": "Jo Doe", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"},
        "payment_method": {"gateway": "sandbox", "token": "tok_visa"},
    });
    client.post("/v1/accounts", &account);
    let post = json!({"network": "x", "id": format!("p-{user}"), "author": {"user_id": user, "handle": user}, "text": text});
    client.post("/v1/posts", &post)
}

#[test]
fn an_offer_is_made_by_keyboard_alone_and_says_what_was_previewed() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    tea(client, &seller);
    open(&browser, &client.url, "offers");
    browser.says("#BuyTea");
    browser.tab_to("New offer");
    browser.keys(Keys::ENTER);
    browser.says("to see what buyers will read");
    browser.tab_to("Title");
    browser.keys("Kettle");
    browser.tab_to("Buy hashtag");
    // What another offer has is said beside the field, before anything is sent.
    browser.expect_error("409");
    browser.keys("BuyTea");
    browser.tab_to("Price");
    browser.keys("49.9");
    browser.says("Is taken by an offer");
    browser.says("Left empty, it is #ConfirmTea.");
    browser.check_look("offer-taken");
    browser.fill("Buy hashtag", "BuyKettle");
    browser.says("Left empty, it is #ConfirmKettle.");
    browser.says_no_more("Is taken by an offer");
    browser.says("Kettle – $49.90");
    browser.says("#ConfirmKettle or repost this within 15 minutes");
    browser.tab_to("Put it up for sale");
    browser.keys(Keys::ENTER);
    browser.says("Is missing.");
    assert_eq!(browser.focused(), "How many", "what is wrong has the focus");
    browser.keys("3");
    let previewed = browser.one("aside.preview").text();
    browser.tab_to("Put it up for sale");
    browser.keys(Keys::ENTER);
    browser.says("Kettle is up for sale.");
    browser.says("3 free");
    browser.reload();
    browser.says("#ConfirmKettle or repost this within 15 minutes");
    browser.check_page("offer");
    let wordings: Vec<String> =
        browser.all("[data-kind=pending] .said").iter().map(|one| one.property("textContent")).collect();
    let judged = buys(client, "ann", "#BuyKettle");
    let said = judged["reply"]["text"].as_str().unwrap();
    assert!(wordings.iter().any(|text| text == said), "{said:?} is none of {wordings:?}");
    assert!(previewed.contains(&wordings[0]), "{previewed}");
    browser.says("1 held");
}

#[test]
fn an_offer_is_changed_paused_and_ended() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let id = tea(client, &merchant(client, "Tea & Co"));
    buys(client, "ann", "#BuyTea");
    let now = || client.get(&format!("/v1/offers/{id}"));
    open(&browser, &client.url, &format!("offers/{id}"));
    browser.says("1 held");
    browser.press("Pause");
    browser.says("Paused: nothing new is sold");
    assert_eq!(now()["status"], "paused");
    browser.press("Resume");
    browser.says("On sale again.");
    browser.fill("Title", "Black tea");
    browser.fill("How many", "0");
    browser.expect_error("422");
    browser.press("Save changes");
    browser.says("Must be from 1 to");
    assert_eq!(browser.one("[aria-invalid=true]").property("value"), "0", "nothing that was typed is lost");
    assert_eq!(now()["title"], "Green tea");
    browser.fill("How many", "7");
    browser.press("Save changes");
    browser.says("Saved.");
    browser.says("6 free");
    assert_eq!((now()["title"].clone(), now()["version"].clone()), (json!("Black tea"), json!(4)));
    browser.press("End…");
    browser.says("1 unit is held: those buyers may still confirm");
    browser.check_look("offer-ending");
    browser.keys(Keys::ESCAPE);
    assert_eq!(now()["status"], "live");
    browser.press("End…");
    browser.press("End it");
    browser.says("It has ended for good.");
    assert_eq!(now()["status"], "ended");
}

#[test]
fn what_is_being_written_outlives_a_token() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    merchant(client, "Tea & Co");
    let made = client.post("/v1/tokens", &json!({"role": "admin"}));
    browser.open(&format!("{}/#/offers/new", client.url));
    browser.fill("Token", made["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.fill("Title", "Shirt of the harbour crew");
    client.call("DELETE", &format!("/v1/tokens/{}", made["id"].as_str().unwrap()), &Value::Null).ok();
    browser.expect_error("401");
    browser.fill("Buy hashtag", "BuyShirt");
    browser.fill("Price", "19.99");
    browser.says("it expired or was revoked");
    browser.fill("Token", ADMIN);
    browser.press("Sign in");
    browser.says("Put it up for sale");
    browser.fill("How many", "5");
    browser.says("Shirt of the harbour crew – $19.99");
    browser.press("Put it up for sale");
    browser.says("Shirt of the harbour crew is up for sale.");
    browser.says("Word for word what the till will say.");
}

#[test]
fn everything_of_an_offer_goes_through_its_form() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    merchant(client, "Tea & Co");
    open(&browser, &client.url, "offers/new");
    browser.fill("Title", "Shirt");
    browser.fill("Buy hashtag", "BuyShirt");
    browser.fill("Price", "19.99");
    browser.press("Add a size or colour");
    browser.fill("Name", "S");
    browser.fill("Other words", "small, tiny");
    browser.fill("Own price", "17");
    browser.press("When");
    browser.fill("Minutes to confirm", "30");
    browser.press("Terms, places, language");
    browser.fill("Ships to", "us, ca");
    browser.fill("Terms", "https://shop.example/terms");
    browser.choose("Language of replies", "German");
    browser.press("Own texts");
    browser.press("Add a text");
    browser.fill("Text", "no placeholder");
    browser.expect_error("422");
    browser.says("The preview goes on once the marked fields are right.");
    browser.fill("Text", "#{confirm} kostet {price}, {window}.");
    browser.says("kostet 17,00");
    browser.press("Put it up for sale");
    browser.says("Shirt is up for sale.");
    browser.says("Word for word what the till will say.");
    let made = client.get("/v1/offers")["data"][0].clone();
    let wanted = json!({
        "hashtag": "BuyShirt", "confirm_hashtag": "ConfirmShirt", "confirm_window_seconds": 1800, "ships_to": ["US", "CA"],
        "terms_url": "https://shop.example/terms", "lang": "de", "quantity": null,
        "texts": {"de": {"held": ["#{confirm} kostet {price}, {window}."]}},
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}: {made}");
    }
    assert_eq!(made["variants"][0]["synonyms"], json!(["small", "tiny"]));
    assert_eq!(made["variants"][0]["price"], json!({"amount": 1700, "currency": "USD"}));
}

#[test]
fn a_merchant_makes_a_deal_and_sees_its_own() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let (own, other) = (merchant(client, "Tea & Co"), merchant(client, "Books"));
    tea(client, &other);
    let token = client.post("/v1/tokens", &json!({"role": format!("merchant:{own}")}));
    browser.open(&format!("{}/#/offers", client.url));
    browser.fill("Token", token["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.says("Nothing is for sale yet");
    browser.check_page("offers-none");
    browser.follow("Make the first offer");
    browser.one("input[value=deal]").click();
    browser.fill("Title", "Tea friends");
    browser.fill("Buy hashtag", "TeaFriends");
    browser.fill("Least to spend", "20");
    browser.one("input[value=percent]").click();
    browser.fill("Percent given back", "10");
    browser.fill("At most", "5");
    browser.fill("Places", "100");
    browser.says("get 10 % back, up to $5.00");
    browser.press("Put it up for sale");
    browser.says("Tea friends is up for sale.");
    browser.follow("Offers");
    browser.says("10 % back from US$20.00");
    assert!(!browser.text().contains("Green tea"));
    browser.fill("Search", "nothing like it");
    browser.says("No offer matches.");
}

#[test]
fn an_offers_dates_are_those_of_the_tills_clock() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&["--clock-start", "2013-02-12T14:00:00Z"]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    let id = tea(client, &seller);
    let dates = json!({"starts_at": "2013-02-12T16:00:00Z", "ends_at": "2013-02-13T16:00:00Z"});
    client.call("PATCH", &format!("/v1/offers/{id}"), &dates).ok();
    open(&browser, &client.url, "offers");
    browser.says("Not started");
    client.post("/v1/sandbox/clock", &json!({"advance_seconds": 3 * 3600}));
    browser.reload();
    browser.says("Live");
    client.post("/v1/sandbox/clock", &json!({"advance_seconds": 86_400}));
    browser.open(&format!("{}/#/offers/{id}", client.url));
    browser.says("Its time is over.");
    browser.says("Save changes");
}

#[test]
fn a_question_that_is_open_goes_with_its_token() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    let id = tea(client, &seller);
    let made = client.post("/v1/tokens", &json!({"role": "admin"}));
    browser.open(&format!("{}/#/offers/{id}", client.url));
    browser.fill("Token", made["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.press("End…");
    browser.says("for good?");
    client.call("DELETE", &format!("/v1/tokens/{}", made["id"].as_str().unwrap()), &Value::Null).ok();
    browser.expect_error("401");
    browser.says("it expired or was revoked");
    browser.fill("Token", ADMIN);
    browser.press("Sign in");
    browser.says("Signed in as admin");
    assert_eq!(browser.run("return document.querySelectorAll('dialog').length", &[]), 0);
}
