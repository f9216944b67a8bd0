//! Purchases, orders, accounts and webhooks: found, opened, and done with what is to be done.

use super::offers::{merchant, open};
use crate::chromium;
use crate::support::{ADMIN, Client, Site, account, buyer, post, wait_for};
use crate::webdriver::{Chromium, Keys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A kettle that is for sale, any number of it.
fn kettle(client: &Client) -> String {
    let merchant = merchant(client, "Harbour Tea Company");
    let offer = json!({
        "merchant": merchant, "kind": "purchase", "hashtag": "#BuyKettle", "title": "Enamel kettle",
        "price": {"amount": 8900, "currency": "USD"}, "quantity": 100, "per_account_limit": 10, "max_per_purchase": 5,
    });
    client.post("/v1/offers", &offer);
    merchant
}

/// Somebody links a card and buys; returns the purchase, once it is paid.
fn sold(client: &Client, user: &str, name: &str, units: u32) -> Value {
    let mut body = account(user, "tok_visa");
    body["billing_address"]["name"] = json!(name);
    client.post("/v1/accounts", &body);
    let judged =
        client.post("/v1/posts", &post(&format!("buy-{user}"), user, &format!("#BuyKettle x{units}")));
    assert_eq!(judged["verdict"], "pending", "{judged}");
    client.post("/v1/posts", &post(&format!("confirm-{user}"), user, "#ConfirmKettle"));
    let path = format!("/v1/purchases/{}", judged["purchase"].as_str().unwrap());
    wait_for("the charge", || Some(client.get(&path)).filter(|purchase| purchase["order"].is_string()))
}

fn order_of(client: &Client, purchase: &Value) -> Value {
    client.get(&format!("/v1/orders/{}", purchase["order"].as_str().unwrap()))
}

/// How many rows of a list there are in the page.
fn rows(browser: &Chromium) -> u64 {
    browser.run("return document.querySelectorAll('.chunk .row').length", &[]).as_u64().unwrap()
}

/// How many pages the page that is open would have on paper.
fn pages_on_paper(browser: &Chromium) -> usize {
    let printed = browser.cdp("Page.printToPDF", &json!({}));
    let pdf = STANDARD.decode(printed["data"].as_str().unwrap()).unwrap();
    let pdf = String::from_utf8_lossy(&pdf);
    pdf.matches("/Type /Page").count() - pdf.matches("/Type /Pages").count()
}

#[test]
fn an_order_is_found_opened_and_shipped_by_keyboard_alone() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    kettle(client);
    sold(client, "ann", "Ann Okafor", 1);
    let purchase = sold(client, "ben", "Ben Lindqvist", 3);
    open(&browser, &client.url, "orders");
    browser.says("Ben Lindqvist").says("Ann Okafor");
    browser.check_page("orders");
    browser.keys("/");
    assert_eq!(browser.focused(), "Search");
    browser.keys("lindq");
    browser.says_no_more("Ann Okafor");
    browser.wait("the address", || browser.url().ends_with("#/orders?q=lindq").then_some(()));
    assert_eq!(browser.focused(), "Search", "one can go on typing");
    browser.tab_to("3 × Enamel kettle");
    browser.keys(Keys::ENTER);
    browser.says("Nothing was shipped yet.").says("1 Main St");
    browser.check_page("order");
    browser.tab_to("Mark shipped…");
    browser.keys(Keys::ENTER);
    browser.wait("the dialog", || (browser.focused() == "Units in this parcel").then_some(()));
    browser.check_look("order-ship");
    // More than there is stands beside the field, and nothing is shipped.
    browser.fill("Units in this parcel", "2");
    browser.keys(Keys::TAB);
    browser.keys(&format!("UPS{}", Keys::TAB));
    browser.keys(&format!("1Z999{}", Keys::ENTER));
    browser.says("Partly shipped").says("1Z999");
    assert_eq!(order_of(client, &purchase)["shipments"][0]["units"], 2);
    browser.tab_to("Mark shipped…");
    browser.keys(Keys::ENTER);
    browser.says("1 unit is left to ship.");
    assert_eq!(browser.focused(), "Carrier (optional)");
    browser.keys(Keys::ENTER);
    browser.says("The order is marked as shipped.");
    assert_eq!(order_of(client, &purchase)["status"], "shipped");
    browser.tab_to("Mark delivered");
    browser.keys(Keys::ENTER);
    browser.says("It was delivered.");
    assert_eq!(order_of(client, &purchase)["status"], "delivered");
    browser.back();
    browser.wait("what was looked for", || browser.url().ends_with("#/orders?q=lindq").then_some(()));
    browser.says("Delivered").says_no_more("Ann Okafor");
    browser.reload();
    browser.says("Ben Lindqvist");
    assert!(!browser.text().contains("Ann Okafor"));
    // By way of another list and back, each shows its own.
    browser.follow("Purchases");
    browser.says("@ann");
    browser.back();
    browser.says("Ben Lindqvist").says_no_more("@ann");
    assert!(!browser.text().contains("Ann Okafor"));
    browser.run("history.forward()", &[]);
    browser.says("@ann").says_no_more("62701");
}

#[test]
fn several_orders_are_printed_a_slip_each_and_shipped_together() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let own = kettle(client);
    let bought = ["ann", "ben", "carl"].map(|user| sold(client, user, &format!("{user} of Old Street"), 1));
    // What a merchant does; the same is there for an admin.
    let token = client.post("/v1/tokens", &json!({"role": format!("merchant:{own}")}));
    browser.open(&format!("{}/#/orders", client.url));
    browser.fill("Token", token["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.says("carl of Old Street").says("Download CSV");
    for name in ["ann", "ben"] {
        browser.named("field", &format!("Pick Enamel kettle for {name} of Old Street")).click();
    }
    browser.says("2 orders picked");
    browser.check_look("orders-picked");
    browser.run("window.print = () => { window.printed = true; }", &[]);
    browser.press("Print packing slips");
    browser.wait("paper", || (browser.run("return window.printed === true", &[]) == true).then_some(()));
    let slips = browser.run("return document.getElementById('slips').textContent", &[]);
    let slips = slips.as_str().unwrap();
    for words in ["Harbour Tea Company", "ann of Old Street", "ben of Old Street", "62701 Springfield"] {
        assert!(slips.contains(words), "{words}: {slips}");
    }
    assert!(!slips.contains("carl") && !slips.contains("89"), "no price, nobody else's: {slips}");
    assert_eq!(pages_on_paper(&browser), 2);
    browser.press("Mark shipped…");
    browser.says("Mark 2 orders as shipped");
    browser.fill("Carrier", "DHL");
    browser.fill("Tracking number for Enamel kettle for ben of Old Street", "JD0146");
    browser.press("Mark as shipped");
    browser.says("2 orders marked as shipped.").says_no_more("orders picked");
    let ben = order_of(client, &bought[1]);
    assert_eq!(
        (&ben["status"], &ben["carrier"], &ben["tracking_number"]),
        (&json!("shipped"), &json!("DHL"), &json!("JD0146"))
    );
    browser.named("field", "Pick Enamel kettle for carl of Old Street").click();
    browser.press("Cancel…");
    browser.says("$89.00 is given back to the buyer");
    browser.press("Cancel the order");
    browser.says("1 order cancelled, their money is on its way back.");
    wait_for("the money", || (order_of(client, &bought[2])["status"] == "cancelled").then_some(()));
    browser.follow("Enamel kettle");
    browser.says("What happened");
    assert!(
        !browser.text().contains("acc_") && !browser.text().contains("The whole story"),
        "{}",
        browser.text()
    );
}

#[test]
fn money_is_given_back_in_parts_and_never_more_than_there_is() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    kettle(client);
    let purchase = sold(client, "ann", "Ann Okafor", 1);
    open(&browser, &client.url, "purchases?q=buy-ann");
    browser.says("@ann");
    browser.check_page("purchases");
    browser.follow("Enamel kettle");
    browser.says("A unit was held for $89.00").says("#ConfirmKettle").says("An order was made");
    browser.check_page("purchase");
    browser.press("Refund…");
    browser.says("US$89.00 of US$89.00 can be given back.");
    browser.fill("Amount in USD", "90");
    browser.press("Give it back");
    browser.says("That is more than the US$89.00 that are left.");
    browser.check_look("purchase-refund");
    browser.fill("Amount in USD", "9.50");
    browser.press("Give it back");
    browser.says("Left to refund").says("$79.50");
    let path = format!("/v1/purchases/{}", purchase["id"].as_str().unwrap());
    wait_for("the first part", || (client.get(&path)["refunded"]["amount"] == 950).then_some(()));
    browser.press("Refund…");
    browser.says("US$79.50 of US$89.00 can be given back.");
    browser.named("field", "Put the units back into stock").click();
    browser.press("Give it back");
    browser.says("Paid, and all of it was given back.").says("Back into stock");
    let now = client.get(&path);
    assert_eq!((&now["status"], &now["refunded"]["amount"]), (&json!("refunded"), &json!(8900)));
    assert_eq!(order_of(client, &purchase)["status"], "cancelled");
}

#[test]
fn an_account_is_suspended_reactivated_and_erased() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let path = format!("/v1/accounts/{}", buyer(client, "ann", "tok_visa")["id"].as_str().unwrap());
    buyer(client, "zoe", "tok_visa");
    open(&browser, &client.url, "accounts");
    browser.says("@zoe");
    browser.check_page("accounts");
    browser.fill("Search", "@ann");
    browser.says_no_more("@zoe");
    browser.follow("@ann");
    browser.says("ann@example.com").says("Nothing bought yet.");
    browser.check_page("account");
    browser.press("Suspend…");
    browser.says("It can neither buy nor confirm until it is active again.");
    browser.press("Suspend");
    browser.says("This account is suspended");
    assert_eq!(client.get(&path)["status"], "suspended");
    browser.press("Reactivate");
    browser.says("The account is active again.");
    assert_eq!(client.get(&path)["status"], "active");
    browser.press("New private page…");
    browser.press("Make a new page");
    browser.says("It is shown only now.");
    let address = browser.one("dialog .secret").text();
    assert!(address.contains("/p/"), "{address}");
    browser.press("Done");
    browser.press("Erase…");
    browser.says("What stays");
    browser.fill("Type ERASE to go on", "erase");
    browser.press("Erase for good");
    browser.says("Type ERASE, in capitals.");
    browser.check_look("account-erase");
    assert_eq!(client.get(&path)["status"], "active");
    browser.fill("Type ERASE to go on", "ERASE");
    browser.press("Erase for good");
    browser.says("Erased account");
    assert!(!browser.text().contains("ann@example.com"));
    assert_eq!(client.get(&path)["email"], Value::Null);
}

/// A receiver of webhooks on this machine: answers each with what `status` says then.
fn receiver(status: &Arc<AtomicU16>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let status = Arc::clone(status);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let length = head.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
            let length = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            let _ = stream.read_exact(&mut vec![0; length]);
            let code = status.load(Ordering::SeqCst);
            let answer = format!("HTTP/1.1 {code} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn an_endpoint_is_made_and_what_failed_is_sent_again() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    let status = Arc::new(AtomicU16::new(500));
    let url = receiver(&status);
    open(&browser, &client.url, "webhooks");
    browser.says("No endpoints yet.");
    browser.check_page("webhooks");
    browser.press("New endpoint…");
    browser.fill("Address", "http://shop.example/");
    browser.expect_error("422");
    browser.press("Make it");
    browser.says("must begin with https://");
    browser.check_look("webhook-new");
    browser.fill("Address", &url);
    browser.named("field", "account.created").click();
    browser.press("Make it");
    browser.says("it is shown only this once");
    let secret = browser.one("dialog .secret").text();
    assert!(secret.starts_with("whsec_"), "{secret}");
    browser.press("Done");
    browser.says("No deliveries yet.");
    buyer(client, "ann", "tok_visa");
    wait_for("a try", || {
        let id = client.get("/v1/webhook-endpoints")["data"][0]["id"].clone();
        let tries = client.get(&format!("/v1/webhook-endpoints/{}/deliveries", id.as_str().unwrap()));
        tries["data"][0].is_object().then_some(())
    });
    browser.reload();
    browser.says("Refused, 500").says("Failing");
    assert!(!browser.text().contains(&secret));
    browser.check_page("webhook");
    status.store(200, Ordering::SeqCst);
    browser.press("Send again account.created");
    browser.says("Delivered, 200").says("sent again");
    browser.press("Disable…");
    browser.press("Disable");
    browser.says("The endpoint is disabled.").says("Somebody disabled it.");
    browser.press("Enable");
    browser.says("Up to date");
    browser.press("Delete…");
    browser.press("Delete");
    browser.says("No endpoints yet.");
}

/// Holds of `buyers` accounts on as many offers as it takes, `count` in all.
fn fill(client: &Client, count: usize, buyers: usize) {
    let merchant = merchant(client, "Shop");
    let wide = json!({"open_holds": 100_000, "purchases_per_day": 100_000, "spending_per_day": null});
    client.call("PUT", "/v1/limits", &json!({"per_account": wide, "per_card": wide})).ok();
    for number in 0..count / buyers {
        let offer = json!({
            "merchant": merchant, "hashtag": format!("#BuyThing{number}a"), "title": format!("Thing {number}"),
            "price": {"amount": 500, "currency": "USD"}, "quantity": null,
        });
        client.post("/v1/offers", &offer);
    }
    for number in 0..buyers {
        client.post("/v1/accounts", &account(&format!("buyer{number}a"), "tok_visa"));
    }
    let all: Vec<_> = (0..count).map(|one| (one / buyers, one % buyers)).collect();
    for some in all.chunks(1000) {
        let mut lines = String::new();
        for (number, one) in some {
            let said =
                post(&format!("{number}-{one}"), &format!("buyer{one}a"), &format!("#BuyThing{number}a"));
            writeln!(lines, "{said}").unwrap();
        }
        let answer = client.send("POST", "/v1/posts", "application/x-ndjson", lines.as_bytes()).unwrap();
        let answer = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.matches("\"pending\"").count(), some.len(), "{}", &answer[..500.min(answer.len())]);
    }
}

/// Scrolls on until the list says its end; the most rows that were in the page at once.
fn to_the_end(browser: &Chromium, end: &str) -> u64 {
    let (mut most, mut before) = (0, String::new());
    while !before.contains(end) {
        before = browser.wait(&format!("something after {before:?}"), || {
            browser.run("scrollTo(0, document.documentElement.scrollHeight)", &[]);
            most = most.max(rows(browser));
            let foot = browser.run("return document.querySelector('.list-foot').textContent", &[]);
            foot.as_str().filter(|foot| *foot != before).map(str::to_owned)
        });
    }
    most
}

#[test]
fn ten_thousand_rows_scroll_and_are_searched() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    fill(client, 10_000, 100);
    open(&browser, &client.url, "purchases");
    browser.says("Thing 99");
    // Whoever scrolls on comes to the end, and what was passed does not stay in the page.
    let most = to_the_end(&browser, "10,000 purchases, that is all.");
    assert!(most < 1000, "{most} rows at once");
    browser.says("Thing 0");
    browser.run("scrollTo(0, 0)", &[]);
    browser.says("Thing 99");
    assert!(rows(&browser) < 1000, "{} rows at once", rows(&browser));
    browser.follow("Thing 99");
    browser.says("What happened");
    browser.back();
    browser.says("Thing 99").says("10,000 purchases, that is all.");
    browser.fill("Search", "buyer42a");
    browser.says_no_more("@buyer41a");
    to_the_end(&browser, "100 purchases, that is all.");
    browser.fill("Search", "7-42");
    browser.wait("one row", || (rows(&browser) == 1).then_some(()));
    browser.says("@buyer42a");
    browser.fill("Search", "nobody");
    browser.says("No purchases match that.");
    browser.press("Clear");
    browser.says("Thing 99");
    browser.choose("Status", "Paid");
    browser.says("No purchases match that.");
}

#[test]
fn a_token_that_ends_in_the_middle_of_work_leads_back_to_it() {
    let browser = chromium!();
    let site = Site::new();
    let till = site.start(&[]);
    let client = &till.client;
    kettle(client);
    sold(client, "ann", "Ann Okafor", 1);
    let made = client.post("/v1/tokens", &json!({"role": "admin"}));
    browser.open(&format!("{}/#/orders", client.url));
    browser.fill("Token", made["token"].as_str().unwrap());
    browser.press("Sign in");
    browser.follow("Enamel kettle");
    browser.press("Mark shipped…");
    browser.fill("Carrier", "UPS");
    let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
    client.call("DELETE", &path, &Value::Null).ok();
    browser.expect_error("401");
    browser.press("Mark as shipped");
    browser.says("it expired or was revoked").says("Sign in");
    assert!(browser.all("dialog").is_empty(), "nothing lies over the sign-in");
    browser.fill("Token", ADMIN);
    browser.press("Sign in");
    browser.says("Ann Okafor").says("Nothing was shipped yet.");
    browser.press("Mark shipped…");
    browser.press("Mark as shipped");
    browser.says("The order is marked as shipped.");
}
