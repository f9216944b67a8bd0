//! The private page: a deadline that counts down, and what becomes of a purchase, without loading the page anew.

use super::buyer::{reply_is_out, say, start, with_page};
use crate::chromium;
use crate::support::{Site, Till, buyer, shop};
use crate::webdriver::Chromium;
use serde_json::{Value, json};

/// What the countdown shows, in seconds.
fn clock(browser: &Chromium) -> u32 {
    let text = browser.one(".clock").text();
    let parts =
        text.split(':').map(|part| part.parse::<u32>().unwrap_or_else(|_| panic!("no clock: {text}")));
    parts.fold(0, |sum, part| sum * 60 + part)
}

fn wait_for_clock(browser: &Chromium) -> u32 {
    browser.wait("a clock", || browser.one(".clock").text().contains(':').then(|| clock(browser)))
}

/// As somebody does who was elsewhere to post: the page looks at once.
fn come_back(browser: &Chromium) {
    browser.run("document.dispatchEvent(new Event('visibilitychange'))", &[]);
}

#[test]
fn a_purchase_from_its_hold_to_its_parcel() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    shop(&till.client, "#BuyTea", Some(3));
    let (_, page) = with_page(&till, "ada");
    browser.open(&page);
    browser.says("Nothing bought yet.").says("@ad…");
    browser.check_page("buyer-empty");
    let held = say(&till, "p1", "ada", "#BuyTea");
    reply_is_out(&till, &held);
    browser.reload();
    browser.says("Held for you").says("#ConfirmTea").says("left to confirm");
    let first = wait_for_clock(&browser);
    assert!((600..=900).contains(&first), "{first} s of 15 minutes");
    browser.wait("a second less", || (clock(&browser) < first).then_some(()));
    browser.check_page("buyer-held");
    assert_eq!(browser.title(), "Your purchases by post", "a title that tells nothing");
    browser.press("Copy");
    browser.wait("copied", || browser.find_named("button", "Copied"));

    // From now on nobody loads the page: it follows by itself, and the focus stays where it is.
    browser.run("window.stays = true; document.querySelector('a[href=\"/unlink\"]').focus()", &[]);
    say(&till, "p2", "ada", "#ConfirmTea");
    come_back(&browser);
    browser.says("Paid; it is being packed");
    assert!(browser.run("return window.stays", &[]) == true);
    assert_eq!(browser.focused(), "Unlink, or erase everything");
    let order = till.client.all("/v1/orders")[0]["id"].as_str().unwrap().to_owned();
    let parcel = json!({"carrier": "Royal Mail", "tracking_number": "RM123456785GB"});
    till.client.post(&format!("/v1/orders/{order}/ship"), &parcel);
    browser.reload();
    browser.says("Paid and shipped").says("Royal Mail").says("RM123456785GB");
    browser.check_page("buyer-shipped");
    till.client.post(&format!("/v1/orders/{order}/deliver"), &json!({}));
    browser.reload();
    browser.says("Paid and delivered").says("Nothing is under way.");
    browser.check_look("buyer-before");
}

#[test]
fn a_deadline_that_passes_a_line_and_the_end_of_the_page() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    let (merchant, tea) = shop(&till.client, "#BuyTea", Some(1));
    till.client.call("PATCH", &format!("/v1/offers/{tea}"), &json!({"waitlist": true})).ok();
    let (ada, page) = with_page(&till, "ada");
    buyer(&till.client, "ben", "tok_visa");
    deal(&till, &merchant, &ada);
    say(&till, "b1", "ben", "#BuyTea");
    assert_eq!(say(&till, "p1", "ada", "#BuyTea")["verdict"], "waitlisted");
    browser.open(&page);
    browser.says("In line for it").says("Place 1").says("Credited to your card").says("#PassTea");
    browser.check_page("buyer-waits");
    // Ben lets it go: it is held for Ada, who lets the time pass.
    say(&till, "b2", "ben", "#PassTea");
    browser.reload();
    browser.says("Held for you");
    wait_for_clock(&browser);
    let left = i64::from(clock(&browser));
    till.client.post("/v1/sandbox/clock", &json!({"advance_seconds": left - 2}));
    // What the clock says now, the page learns when it looks; then the last seconds run out in it.
    come_back(&browser);
    browser.says("Not confirmed in time; nothing was charged").says("Post #BuyTea again");
    browser.check_look("buyer-expired");

    browser.expect_error("ERR_INTERNET_DISCONNECTED");
    browser.offline(true);
    come_back(&browser);
    browser.says("The till does not answer right now.");
    browser.offline(false);
    come_back(&browser);
    browser.says_no_more("The till does not answer right now.");
    till.client.call("DELETE", &format!("/v1/accounts/{ada}"), &Value::Null).ok();
    browser.expect_error("404");
    browser.reload();
    browser.says("There is nothing here");
    browser.check_look("buyer-gone");
}

/// A deal that has given something.
fn deal(till: &Till, merchant: &str, account: &str) {
    till.client.post(
        "/v1/offers",
        &json!({
            "merchant": merchant, "kind": "deal", "hashtag": "#TeaDeal", "title": "Tea house",
            "min_spend": {"amount": 2000, "currency": "USD"}, "credit": {"amount": 500, "currency": "USD"}
        }),
    );
    assert_eq!(say(till, "d1", "ada", "#TeaDeal")["verdict"], "enrolled");
    let now = till.client.all("/v1/enrolments")[0]["enrolled_at"].clone();
    let spent = json!({"id": "t1", "type": "purchase", "account": account, "merchant": merchant,
                       "amount": {"amount": 2500, "currency": "USD"}, "occurred_at": now});
    till.client.post("/v1/card-transactions", &spent);
    crate::support::wait_for("a credit", || {
        till.client.all("/v1/credits").iter().any(|credit| credit["status"] == "credited").then_some(())
    });
}

#[test]
fn without_scripts_the_page_says_the_same() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    shop(&till.client, "#BuyTea", Some(3));
    let (_, page) = with_page(&till, "ada");
    let held = say(&till, "p1", "ada", "#BuyTea");
    reply_is_out(&till, &held);
    browser.scripts(false);
    browser.open(&page);
    browser.says("15 minutes").says("UTC").says("#ConfirmTea");
    browser.screenshot("buyer-held-without-scripts");
    // It loads itself anew.
    say(&till, "p2", "ada", "#ConfirmTea");
    browser.says("Paid; it is being packed");
}

#[test]
fn a_post_is_prepared_where_the_buyer_is_and_the_bank_is_a_step_away() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    for (network, handle) in [("x", "teashop"), ("mastodon", "teashop@social.example")] {
        let own = json!({"own": {"user_id": "1", "handle": handle}});
        till.client.call("PUT", &format!("/v1/networks/{network}"), &own).ok();
    }
    let (_, offer) = shop(&till.client, "#BuyTea", Some(9));
    let more = json!({"title": "Gyokuro, first harvest", "max_per_purchase": 3, "per_account_limit": 3,
                      "variants": [{"name": "50g"}, {"name": "100g"}]});
    till.client.call("PATCH", &format!("/v1/offers/{offer}"), &more).ok();
    let mut account = crate::support::account("ada", "tok_authenticate");
    account["identities"] = json!([
        {"network": "mastodon", "user_id": "7", "handle": "ada@home.example"},
        {"network": "x", "user_id": "8", "handle": "ada"}
    ]);
    let id = till.client.post("/v1/accounts", &account)["id"].as_str().unwrap().to_owned();
    let page = till.client.post(&format!("/v1/accounts/{id}/page"), &json!({}));
    let post = json!({"network": "x", "id": "1", "author": {"user_id": "8", "handle": "ada"}, "text": "x2 @teashop #BuyTea 100g"});
    assert_eq!(till.client.post("/v1/posts", &post)["verdict"], "pending");
    browser.open(page["url"].as_str().unwrap());
    browser
        .says("2 × 100g")
        .says("@teashop #ConfirmTea")
        .says("Our reply is on its way")
        .says("@teashop #PassTea");
    let on = |name: &str| browser.named("link", name).property("href");
    assert_eq!(on("Post it on X"), "https://x.com/intent/post?text=%40teashop+%23ConfirmTea");
    assert_eq!(on("Post it on Mastodon"), "https://home.example/share?text=%23ConfirmTea");
    browser.check_page("buyer-held-on-x");
    let confirm = json!({"network": "x", "id": "2", "author": {"user_id": "8", "handle": "ada"},
                         "text": "@teashop #ConfirmTea"});
    assert_eq!(till.client.post("/v1/posts", &confirm)["verdict"], "confirmed");
    browser.says("One step is left").says("left to allow it");
    wait_for_clock(&browser);
    browser.check_look("buyer-one-step");
    browser.follow("Go to your bank");
    browser.says("Allow this charge?");
    browser.check_look("buyer-bank");
    browser.press("Allow it");
    browser.says("Paid; it is being packed");
}
