//! The rest of the desk: merchants, tokens, networks, backups, the log, a sandbox's clock.

use super::offers::{merchant, open, tea};
use crate::chromium;
use crate::support::Site;
use crate::webdriver::Keys;
use serde_json::json;

#[test]
fn a_token_is_made_shown_once_and_revoked() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    open(&browser, &client.url, "tokens");
    browser.says("No tokens yet.");
    browser.choose("Role", "Admin");
    browser.press("Make a token");
    browser.says("Copy it now: it is not shown again.");
    let token = browser.one(".new-token code").text();
    assert!(token.starts_with("tt_"), "{token}");
    browser.check_page("tokens");
    assert!(!browser.one(".tokens").text().contains(&token));
    // Signed in with it, revoking it ends the session.
    browser.press("Sign out");
    browser.says("Sign in");
    browser.open("about:blank");
    browser.open(&format!("{}/#/tokens", client.url));
    browser.fill("Token", &token);
    browser.press("Sign in");
    browser.says("yours");
    assert!(!browser.text().contains(&token), "it is not shown again");
    browser.press("Revoke");
    browser.says("you will be signed out");
    browser.keys(Keys::ESCAPE);
    assert_eq!(client.get("/v1/tokens")["data"].as_array().unwrap().len(), 1);
    browser.press("Revoke the token");
    browser.press("Revoke it");
    browser.says("Your token is revoked. Sign in with another one.");
    assert_eq!(client.get("/v1/tokens")["data"], json!([]));
}

#[test]
fn a_backup_is_downloaded_and_holds_everything() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    tea(client, &merchant(client, "Tea & Co"));
    open(&browser, &client.url, "backups");
    browser.says("Captures, replies and webhooks go out.");
    browser.check_page("backups");
    let folder = site.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    browser.cdp("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": folder}));
    // No test answers the browser's own dialog: as where a browser has none.
    browser.run("window.showSaveFilePicker = undefined", &[]);
    browser.press("Back up now");
    browser.says("Done: tagtill-");
    let file = browser.wait("the file", || {
        let found = std::fs::read_dir(&folder).unwrap().filter_map(Result::ok);
        found.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|kind| kind == "redb"))
    });
    let bytes = std::fs::metadata(&file).unwrap().len();
    let told = browser.text().chars().filter(char::is_ascii_digit).collect::<String>();
    assert!(told.contains(&bytes.to_string()), "{bytes} in {}", browser.text());
    let said = site.ok(&["verify", file.to_str().unwrap()]);
    assert!(said.contains("offers 1,"), "{said}");
}

#[test]
fn a_restored_till_waits_until_it_is_told_to_go_on() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    site.ok(&["backup", site.path("copy.redb").to_str().unwrap(), "--url", &till.client.url]);
    drop(till);
    site.ok(&["restore", site.path("copy.redb").to_str().unwrap(), "--force"]);
    let till = site.start(&[]);
    browser.expect_error("503");
    open(&browser, &till.client.url, "backups");
    browser.says("Restored from a backup: captures and replies wait");
    browser.check_look("backups-waiting");
    browser.press("Go on…");
    browser.says("Let the till go on?");
    browser.press("Go on");
    browser.says("Captures, replies and webhooks go out.");
}

#[test]
fn the_log_follows_pauses_and_stays_short() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let seller = merchant(client, "Tea & Co");
    open(&browser, &client.url, "log");
    browser.says("Nothing has happened yet.");
    let id = tea(client, &seller);
    browser.says("An offer was made");
    browser.says("Green tea");
    browser.check_page("log");
    browser.press("Pause");
    browser.says("Paused");
    let edit =
        |title: String| client.call("PATCH", &format!("/v1/offers/{id}"), &json!({"title": title})).ok();
    edit("Black tea".to_owned());
    browser.press("Follow");
    browser.says("An offer was changed");
    for n in 0..150 {
        edit(format!("Tea {n}"));
    }
    let rows = || browser.run("return document.querySelectorAll('.log li').length", &[]);
    browser.wait("a full page", || (rows() == 100).then_some(()));
    browser.press("Older");
    browser.says("Page 2");
    browser.says("An offer was made");
    assert_eq!(rows(), 52);
    browser.press("Newer");
    browser.wait("the first page", || (rows() == 100).then_some(()));
    browser.choose("Show", "– An offer was made");
    browser.wait("one row", || (rows() == 1).then_some(()));
    browser.follow("Tea 149");
    browser.says("Word for word what the till will say.");
}

#[test]
fn networks_and_limits_are_read_and_changed() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let heard = json!({"own": {"user_id": "did:plc:tea", "handle": "tea.example"}, "lag_seconds": 2, "errors": {"rate_limited": 3}});
    client.call("PUT", "/v1/networks/bluesky/bridge", &heard).ok();
    open(&browser, &client.url, "bridges");
    browser.says("Its bridge is up to date, 2 s behind the network.");
    browser.says("Limits that keep the shop safe");
    browser.check_page("networks");
    browser.fill("Captures of one network in an hour", "500");
    browser.press("Save the limits");
    browser.says("The limits are saved.");
    assert_eq!(client.get("/v1/limits")["captures_per_hour"], 500);
    browser.follow("Bluesky");
    browser.says("It posts as tea.example.");
    browser.says("Rate limited: 3");
    browser.check_page("network");
    browser.expect_error("422");
    browser.fill("Longest reply", "10");
    browser.press("Save");
    browser.says("Must be from 140");
    browser.fill("Longest reply", "250");
    browser.press("Save");
    browser.says("Saved.");
    assert_eq!(client.get("/v1/networks/bluesky")["text_limit"], 250);
    browser.fill("Id on the network", "did:plc:quiet");
    browser.press("Post nothing to them");
    browser.says("They get no replies any more");
    browser.press("Post to did:plc:quiet again");
    browser.press("Post again");
    browser.says("Nobody has asked for that.");
    assert_eq!(client.get("/v1/networks/bluesky/opt-outs")["data"], json!([]));
}

#[test]
fn merchants_are_added_renamed_and_settled() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    open(&browser, &client.url, "merchants");
    browser.says("Nobody sells yet.");
    browser.fill("Name", "Tea & Co");
    browser.press("Add");
    browser.says("Tea & Co may sell now.");
    browser.press("Rename Tea & Co");
    browser.keys("Harbour Tea");
    browser.keys(Keys::ENTER);
    browser.says("Renamed.");
    assert_eq!(client.get("/v1/merchants")["data"][0]["name"], "Harbour Tea");
    browser.press("Settlement");
    browser.says("Nothing was sold yet.");
    browser.check_page("merchants");
}

#[test]
fn a_sandbox_s_clock_is_moved_in_the_console() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let before = till.client.get("/v1/me")["now"].as_str().unwrap().to_owned();
    open(&browser, &till.client.url, "sandbox");
    browser.says("The playground");
    browser.press("+ 1 day");
    browser.says("What was due by then has happened.");
    browser.check_page("sandbox");
    let after = till.client.get("/v1/me")["now"].as_str().unwrap().to_owned();
    assert_ne!(before[..10], after[..10]);
}
