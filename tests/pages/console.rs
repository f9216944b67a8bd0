//! The console's frame: signing in, the menu, a token that ends, a till that is away.

use crate::chromium;
use crate::support::{ADMIN, Site};
use crate::webdriver::Keys;
use serde_json::{Value, json};

#[test]
fn one_signs_in_and_out_by_keyboard() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    browser.open(&till.client.url);
    browser.says("Sign in");
    browser.check_page("sign-in");
    browser.expect_error("401");
    assert_eq!(browser.focused(), "Token", "one can type at once");
    browser.keys(&format!("wrong{}", Keys::ENTER));
    browser.says("The till does not know this token.");
    assert_eq!(browser.focused(), "Token");
    browser.check_look("sign-in-wrong");
    browser.fill("Token", "");
    browser.keys(&format!("{ADMIN}{}", Keys::ENTER));
    browser.says("Signed in as admin");
    browser.tab_to("Sign out");
    browser.keys(Keys::ENTER);
    browser.says("Sign in");
    assert!(browser.run("return sessionStorage.length + localStorage.length", &[]) == 0);
    let told = browser.requests().into_iter().find(|url| url.contains(ADMIN));
    assert_eq!(told, None, "the token is in no address");
}

#[test]
fn a_token_that_ends_and_a_till_that_is_away_are_said() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let made = till.client.post("/v1/tokens", &json!({"role": "admin"}));
    browser.open(&till.client.url);
    browser.fill("Token", made["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.says("Signed in as admin");
    till.client.call("DELETE", &format!("/v1/tokens/{}", made["id"].as_str().unwrap()), &Value::Null).ok();
    browser.expect_error("401");
    // The page asks every two seconds, and learns it by itself.
    browser.says("it expired or was revoked");
    browser.check_look("sign-in-expired");
    browser.expect_error("ERR_INTERNET_DISCONNECTED");
    browser.offline(true);
    browser.fill("Token", ADMIN);
    browser.press("Sign in");
    browser.says("The till does not answer.");
    browser.offline(false);
    browser.press("Sign in");
    browser.says("Signed in as admin");
}
