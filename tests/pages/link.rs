//! Linking in a real browser: by keyboard alone, with scripts and without, with everything typed wrong at first.

use super::buyer::{say, start};
use crate::chromium;
use crate::support::{Site, Till};
use crate::webdriver::{Chromium, Keys};
use serde_json::{Value, json};

/// Types into what has the focus.
fn type_in(browser: &Chromium, label: &str, text: &str) {
    browser.tab_to(label);
    browser.keys(text);
}

/// Goes to the button or link of this name and presses Enter.
fn enter(browser: &Chromium, name: &str) {
    browser.tab_to(name);
    browser.keys(Keys::ENTER);
}

/// The whole way by keyboard, up to the hashtag. `look`: pictures are taken and axe-core looks on the way.
fn to_the_code(browser: &Chromium, till: &Till, handle: &str, look: &dyn Fn(&str)) -> String {
    browser.open(&format!("{}/link", till.client.url));
    look("link-who");
    type_in(browser, "Your handle there", handle);
    browser.keys(Keys::ENTER);
    browser.says("First the country");
    look("link-country");
    browser.tab_to("Country");
    browser.keys("United States");
    enter(browser, "Go on");
    browser.says("ZIP code");
    look("link-address");
    type_in(browser, "Name", "Ada Byrne");
    type_in(browser, "Street and number", "1 Elm Street");
    type_in(browser, "Town", "Springfield");
    type_in(browser, "State", "IL");
    type_in(browser, "ZIP code", "62701");
    browser.keys(Keys::ENTER);
    browser.says("What you agree to");
    look("link-agreement");
    browser.tab_to("I agree");
    browser.keys(Keys::SPACE);
    enter(browser, "Go on");
    browser.says("Your card");
    look("link-card");
    enter(browser, "Go to the sandbox");
    browser.says("Choose a test card");
    look("link-test-cards");
    enter(browser, "Store this card");
    browser.says("Show that it is you");
    look("link-before-code");
    enter(browser, "Get the hashtag");
    browser.says("Waiting for your post");
    look("link-code");
    browser.one(".code").text()
}

#[test]
fn the_whole_way_by_keyboard() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    let code = to_the_code(&browser, &till, "ada", &|name| browser.check_page(name));
    browser.tab_to("Another hashtag");
    let loaded = browser.run("return performance.timeOrigin", &[]);
    browser.run("document.querySelector('main').dataset.waited = 'yes'", &[]);
    // It looks again by itself: nothing is loaded anew, and the focus stays.
    let looks = browser.requests().len();
    browser.wait("a look", || (browser.requests().len() > looks).then_some(()));
    assert_eq!(browser.focused(), "Another hashtag");
    assert_eq!(browser.run("return performance.timeOrigin", &[]), loaded);
    say(&till, "p1", "ada", &code);
    browser.says("Is this you?").says("@ada");
    assert_eq!(browser.title(), "Is this you?");
    browser.check_page("link-seen");
    enter(&browser, "Yes, link it");
    browser.says("Linked.").says("visa");
    browser.check_page("link-done");
    assert!(browser.url().contains("/p/tt_") && !browser.url().contains('?'), "{}", browser.url());
    enter(&browser, "Copy the address");
    browser.wait("copied", || browser.find_named("button", "Copied"));
    // Where it leads to learns nothing of its address.
    enter(&browser, "Unlink, or erase everything");
    browser.says("Which account is it?");
    let referrer = browser.run("return document.referrer", &[]);
    assert_eq!(referrer, format!("{}/", till.client.url), "no path");
    browser.check_page("unlink");
}

#[test]
fn the_same_without_scripts() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    browser.scripts(false);
    let code = to_the_code(&browser, &till, "ada", &|_| {});
    browser.says("10 minutes").says("UTC");
    browser.screenshot("link-code-without-scripts");
    say(&till, "p1", "ada", &code);
    browser.says("Is this you?");
    enter(&browser, "Yes, link it");
    browser.says("Linked.");
}

#[test]
fn what_is_wrong_is_said_beside_its_field_which_has_the_cursor() {
    let browser = chromium!();
    let site = Site::new();
    let till = start(&site);
    let own = json!({"own": {"user_id": "1", "handle": "shop@social.example"}});
    till.client.call("PUT", "/v1/networks/mastodon", &own).ok();
    browser.expect_error("422");
    browser.open(&format!("{}/link", till.client.url));
    browser.press("Go on");
    browser.says("Network has to be chosen.");
    assert!(browser.title().starts_with("Error: "), "{}", browser.title());
    browser.check_look("link-who-wrong");
    browser.keys(&format!("{}{}", Keys::TAB, Keys::SPACE));
    browser.run("document.querySelector('[value=sandbox]').click()", &[]);
    browser.fill("Your handle there", "two words");
    browser.press("Go on");
    browser.says("Your handle there must be one handle");
    assert_eq!(browser.focused(), "Your handle there");
    assert!(browser.run("return document.querySelector('[value=sandbox]').checked", &[]) == true);
    browser.fill("Your handle there", "ada");
    browser.press("Go on");
    browser.says("First the country");
    browser.press("Go on");
    browser.says("Country has to be chosen.");
    assert_eq!(browser.focused(), "Country");
    browser.choose("Country", "GB");
    browser.press("Go on");
    browser.says("Town");
    browser.fill("Name", "Ada Byrne");
    browser.fill("Street and number", "1 Elm Street");
    browser.fill("Postal code", "nonsense");
    browser.press("Go on");
    browser.says("Town must not be empty.");
    assert_eq!(browser.focused(), "Town", "the first of two");
    let about = "const one = document.activeElement.getAttribute('aria-describedby');\
        return document.getElementById(one).textContent";
    assert_eq!(browser.run(about, &[]), "Town must not be empty.");
    browser.check_look("link-address-wrong");
    browser.fill("Town", "London");
    browser.fill("Postal code", "SW1A 1AA");
    browser.press("Go on");
    browser.says("What you agree to");
    browser.press("Go on");
    browser.says("Please tick the box");
    assert_eq!(browser.focused(), "I agree");
    browser.check_look("link-agreement-wrong");
    // Back, and what was typed is still there.
    browser.follow("Back");
    browser.says("Where is your parcel to go?");
    assert_eq!(browser.named("field", "Town").property("value"), "London");
    browser.press("Stop, and forget what I typed");
    browser.says("what you typed is forgotten");
    browser.check_look("link-stopped");
    assert_eq!(till.client.all("/v1/accounts"), Vec::<Value>::new());
}
