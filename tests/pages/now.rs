//! The console's first page: it moves by itself, keeps the focus, asks once for all tabs, and says when the till is away.

use super::offers::{merchant, open, tea};
use crate::chromium;
use crate::support::{Client, Site, account, post};
use crate::webdriver::Chromium;
use serde_json::{Value, json};

/// How often this tab has asked the till how the shop stands.
fn asked(browser: &Chromium) -> u64 {
    let count = "return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/v1/overview')).length";
    browser.run(count, &[]).as_u64().unwrap()
}

fn buyer(client: &Client, user: &str, card: &str) {
    client.post("/v1/accounts", &account(user, card));
}

fn say(client: &Client, user: &str, text: &str) -> Value {
    let id = format!("{user}-{}", client.all("/v1/events").len());
    client.post("/v1/posts", &post(&id, user, text))
}

#[test]
fn who_sells_nothing_yet_is_told_what_to_do() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    open(&browser, &till.client.url, "");
    browser.says("Nothing is for sale yet");
    browser.check_page("now-first");
    browser.follow("Make an offer");
    browser.says("First, who sells?");
}

#[test]
fn the_first_page_moves_by_itself_and_keeps_the_focus() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    tea(client, &seller);
    buyer(client, "ann", "tok_visa");
    buyer(client, "bob", "tok_declined");
    open(&browser, &client.url, "");
    browser.says("Nothing needs you");
    browser.says("Nobody has anything on hold");
    browser.tab_to("Green tea");
    say(client, "ann", "#BuyTea");
    browser.says("$19.99 · @ann · Sandbox");
    browser.says("its reply is not out yet");
    let left = || browser.one(".holds .left").text();
    let before = left();
    browser.wait("the countdown", || (left() != before).then_some(()));
    say(client, "ann", "#ConfirmTea");
    say(client, "bob", "#BuyTea");
    say(client, "bob", "#ConfirmTea");
    browser.says("1 card was declined in the last 24 hours.");
    browser.says("Paid Green tea");
    browser.says("1 sold");
    browser.says("1 order to ship");
    assert_eq!(browser.focused(), "Green tea", "the focus stayed where it was");
    browser.one(".choices input[value=days]").click();
    browser.wait("30 days", || {
        (!browser.all("svg[aria-label*='in the last 30 days']").is_empty()).then_some(())
    });
    browser.check_page("now");
}

#[test]
fn one_tab_asks_for_all() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    tea(client, &merchant(client, "Tea & Co"));
    buyer(client, "ann", "tok_visa");
    open(&browser, &client.url, "");
    browser.says("Green tea");
    let first = asked(&browser);
    browser.new_tab();
    open(&browser, &client.url, "");
    browser.says("Green tea");
    let second = asked(&browser);
    // A second ear in the same tab hears what the tab itself says, too.
    let hear = "globalThis.heard = 0; new BroadcastChannel('tagtill-overview-admin').onmessage = () => { heard += 1; }";
    browser.run(hear, &[]);
    say(client, "ann", "#BuyTea");
    browser.says("@ann");
    let heard = || browser.run("return heard", &[]).as_u64().unwrap();
    browser.wait("some more answers", || (heard() >= 5).then_some(()));
    let second = asked(&browser) - second;
    browser.tab(0);
    browser.says("@ann");
    let first = asked(&browser) - first;
    // While tabs change places, each may ask once.
    assert!(first.min(second) <= 1 && first.max(second) >= 3, "{first} {second}");
}

#[test]
fn a_till_that_is_away_is_said_and_what_was_known_stays() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let listen = till.client.url.trim_start_matches("http://").to_owned();
    tea(&till.client, &merchant(&till.client, "Tea & Co"));
    open(&browser, &till.client.url, "");
    browser.says("Green tea");
    browser.tab_to("Green tea");
    browser.expect_error("ERR_");
    till.kill_9();
    browser.says("The till does not answer. Trying again…");
    browser.says("Green tea");
    browser.screenshot("now-away");
    let till = site.start_at(&listen);
    browser.says_no_more("The till does not answer.");
    assert_eq!(browser.focused(), "Green tea");
    buyer(&till.client, "ann", "tok_visa");
    say(&till.client, "ann", "#BuyTea");
    browser.says("@ann");
}

#[test]
fn a_merchant_sees_no_buyer() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    tea(client, &seller);
    buyer(client, "ann", "tok_visa");
    say(client, "ann", "#BuyTea");
    let role = json!({"role": format!("merchant:{seller}")});
    let token = client.post("/v1/tokens", &role)["token"].as_str().unwrap().to_owned();
    browser.open(&client.url);
    browser.fill("Token", &token);
    browser.press("Sign in");
    browser.says("$19.99 · Sandbox");
    assert!(
        !browser.text().contains("@ann") && !browser.text().contains("Posts a minute"),
        "{}",
        browser.text()
    );
    browser.check_look("now-merchant");
}
