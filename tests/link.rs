//! Linking as a buyer does it: the real binary, a browser without scripts, posts on the sandbox network.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::{ADDRESS, Browser, Page};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use support::{Site, Till, buyer, post, shop, wait_for};
use tagtill::till::time::Time;

fn start(site: &Site, more: &[&str]) -> (Till, Browser) {
    let till = site.start(&[&["--tick-ms", "50"], more].concat());
    let browser = Browser::new(&till.client.url);
    (till, browser)
}

/// From the first page to the agreement.
fn to_the_card(browser: &Browser, handle: &str) -> Page {
    let country = browser.submit("/link", &[("network", "sandbox"), ("handle", handle)]);
    assert_eq!((country.status, country.path().as_str()), (200, "/link/address"), "{}", country.text);
    browser.get("/link/address?country=US").says("ZIP code").says("State");
    browser.submit("/link/address", ADDRESS).says("What you agree to").says("Version 1");
    browser.submit("/link/agreement", &[("version", "1"), ("agree", "yes")])
}

/// From there to the hashtag.
fn to_the_code(browser: &Browser, handle: &str, card: &str) -> String {
    let page = to_the_card(browser, handle);
    let cards = browser.get(&page.link("Go to the sandbox"));
    let back = browser.submit(&cards.path(), &[("card", card)]);
    back.says("Get the hashtag");
    browser.submit("/link/code", &[]).says("Waiting for your post").code()
}

fn say(till: &Till, id: &str, user_id: &str, text: &str) -> Value {
    till.client.post("/v1/posts", &post(id, user_id, text))
}

#[test]
fn a_buyer_links_buys_and_sees_it_on_their_own_page() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    shop(&till.client, "#BuyThing", Some(3));
    let begun = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let begun = Time::from_ms(i64::try_from(begun).unwrap());
    let code = to_the_code(&browser, "@ann", "tok_visa");
    let proof = say(&till, "p1", "ann", &format!("Hello {code}"));
    assert_eq!((&proof["verdict"], &proof["reply"]), (&json!("no_offer"), &Value::Null), "{proof}");
    browser.get("/link/proof").says("Is this you?").says("@ann");
    let page = browser.submit("/link/confirm", &[]);
    assert_eq!(page.header("referrer-policy"), "strict-origin", "no site and no log learns the address");
    page.says("Linked.").says("visa").says("Nothing bought yet").says("@an…").says("version 1");
    assert!(page.path().starts_with("/p/tt_"), "{}", page.url);

    let account = &till.client.all("/v1/accounts")[0];
    assert_eq!(account["identities"][0]["user_id"], "ann");
    assert_eq!(account["billing_address"]["region"], "IL");
    assert_eq!(account["email"], "ada@example.com");
    assert_eq!(account["mandate"]["version"], 1, "{account}");
    let time = |value: &Value| Time::parse(value.as_str().unwrap()).unwrap();
    let agreed = time(&account["mandate"]["accepted_at"]);
    assert!(begun <= agreed && agreed <= time(&account["created_at"]), "{account}");

    assert_eq!(say(&till, "p2", "ann", "#BuyThing")["verdict"], "pending");
    let own = page.path().split('?').next().unwrap().to_owned();
    browser.get(&own).says("Held for you").says("#ConfirmThing");
    assert_eq!(say(&till, "p3", "ann", "#ConfirmThing")["verdict"], "confirmed");
    wait_for("paid", || {
        Some(browser.get(&own)).filter(|page| page.text.contains("Paid; it is being packed"))
    });
    let order = &till.client.all("/v1/orders")[0];
    assert_eq!(order["ship_to"]["line1"], "1 Elm Street");
    let shown = browser.get(&own);
    for private in ["Elm", "Byrne", "example.com", "62701", "@ann"] {
        assert!(!shown.text.contains(private), "the page shows {private}");
    }
}

#[test]
fn every_page_forbids_what_it_does_not_need() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    to_the_code(&browser, "ann", "tok_visa");
    for path in [
        "/link",
        "/unlink",
        "/link/address",
        "/link/agreement",
        "/link/proof",
        "/link/mandates/1",
        "/p/no",
        "/link/x",
    ] {
        let page = browser.get(path);
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path} {policy}"
        );
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        // A script of the till's own does what a form cannot; none is written into a page.
        let scripts = page.text.matches("<script").count();
        let own = page.text.matches("<script type=\"module\" src=\"/assets/").count();
        assert!(scripts == own && !page.text.contains(" onclick"), "{path}: {}", page.text);
        assert_eq!(policy.contains("script-src 'self'"), own == 1, "{path} {policy}");
        assert!(!policy.contains("unsafe"), "{path} {policy}");
        assert!(
            !page.text.contains("http://") && !page.text.contains("https://"),
            "{path} asks somebody else"
        );
    }
    let begun = browser.once("POST", "/link", Some("network=sandbox&handle=bob".to_owned()));
    let cookie = begun.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    drop(till);
}

#[test]
fn another_browser_another_author_another_time_link_nothing() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    let code = to_the_code(&browser, "ann", "tok_visa");
    say(&till, "p1", "mallory", &code);
    browser.get("/link/proof").says("Waiting for your post");
    browser.submit("/link/confirm", &[]).says("First comes the post with the code");
    let stranger = Browser::new(&till.client.url);
    assert_eq!(stranger.get("/link/proof").status, 404);
    let quote = json!({"network": "sandbox", "id": "p2", "author": {"user_id": "ann", "handle": "ann"},
                       "text": code, "quote_of": "p0"});
    till.client.post("/v1/posts", &quote);
    browser.get("/link/proof").says("Waiting for your post");
    till.client.post("/v1/sandbox/clock", &json!({"advance_seconds": 601}));
    say(&till, "p3", "ann", &code);
    browser.get("/link/proof").says("The time for that code is over");
    let again = browser.submit("/link/code", &[]).code();
    assert_ne!(again, code);
    say(&till, "p4", "ann", &again);
    browser.get("/link/proof").says("Is this you?");
    assert_eq!(stranger.submit("/link/confirm", &[]).status, 404);
    assert!(till.client.all("/v1/accounts").is_empty());
    browser.submit("/link/confirm", &[]).says("Linked.");
    assert_eq!(till.client.all("/v1/accounts").len(), 1);
    assert_eq!(browser.submit("/link/confirm", &[]).status, 404, "the browser has let the session go");
}

#[test]
fn a_link_for_somebody_opens_once() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    let bridge = till.client.post("/v1/tokens", &json!({"role": "network:sandbox"}));
    let bridge = till.client.with_token(bridge["token"].as_str().unwrap());
    let made = bridge.call("POST", "/v1/link-sessions", &json!({"network": "sandbox", "handle": "ann"}));
    assert_eq!(made.status, 201, "{:?}", made.json());
    let (id, url) = (made.json()["id"].clone(), made.json()["url"].as_str().unwrap().to_owned());
    let foreign = bridge.call("POST", "/v1/link-sessions", &json!({"network": "x", "handle": "ann"}));
    assert_eq!(foreign.status, 403);
    // Whoever only looks does not use it up.
    for _ in 0..2 {
        Browser::new(&till.client.url).get(&url).says("That is me").says("@ann");
    }
    browser.submit(&url, &[]).says("Where is your parcel to go?");
    assert_eq!(Browser::new(&till.client.url).submit(&url, &[]).status, 404);
    let view = till.client.get(&format!("/v1/link-sessions/{}", id.as_str().unwrap()));
    assert_eq!((&view["status"], &view["opened"]), (&json!("open"), &json!(true)), "{view}");
    assert_eq!(
        bridge.call("GET", &format!("/v1/link-sessions/{}", id.as_str().unwrap()), &Value::Null).status,
        403
    );
}

#[test]
fn what_is_typed_wrong_is_said_beside_its_field_and_nothing_is_kept() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    browser.submit("/link", &[("network", "sandbox"), ("handle", "two words")]).says("must be one handle");
    browser.submit("/link", &[("network", "nowhere"), ("handle", "ann")]).says("is not a network");
    let card = browser.submit("/link", &[("network", "sandbox"), ("handle", "4242 4242 4242 4242")]);
    card.says("looks like a card number");
    assert!(!card.text.contains("4242"), "{}", card.text);
    browser.submit("/link", &[("network", "sandbox"), ("handle", "ann")]);
    let with = |name: &str, value: &'static str| -> Page {
        let fields: Vec<_> =
            ADDRESS.iter().map(|&(field, old)| (field, if field == name { value } else { old })).collect();
        browser.submit("/link/address", &fields)
    };
    let zip = with("postal_code", "SW1A 1AA");
    zip.says("does not look like one of United States")
        .says("value=\"Ada Byrne\"")
        .says("aria-invalid=\"true\"");
    assert_eq!(zip.status, 422);
    with("region", "").says("must not be empty");
    with("email", "nobody").says("must be an email address");
    with("name", "<b>").says("What you agree to");
    assert_eq!(with("line1", "5500 0000 0000 0004").status, 422);
    browser.submit("/link/agreement", &[("version", "1")]).says("Please tick the box");
    browser.submit("/link/agreement", &[("version", "0"), ("agree", "yes")]).says("Please tick the box");
    browser.submit("/link/cancel", &[]).says("what you typed is forgotten");
    assert!(till.client.all("/v1/accounts").is_empty());
}

#[test]
fn a_card_is_stored_once_and_by_the_session_that_began_it() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    let page = to_the_card(&browser, "ann");
    page.says("play money");
    browser.get("/link/card/back").says("No card was stored");
    let cards = browser.get("/link/card/go");
    cards.says("Choose a test card");
    assert_eq!(browser.get("/link/card/go").url, cards.url, "the same page until something came of it");
    browser.get("/link/card/back").says("No card was stored");
    assert_eq!(browser.submit(&cards.path(), &[("card", "tok_of_nobody")]).status, 404);
    // Two clicks at once begin the same card.
    let (first, second) = std::thread::scope(|scope| {
        let other = browser.twin();
        let second = scope.spawn(move || other.get("/link/card/go"));
        (browser.get("/link/card/go"), second.join().unwrap())
    });
    assert_eq!(first.url, second.url);
    // The way back is lost: whoever goes again finds the card stored.
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("card", "tok_amex").finish();
    assert_eq!(browser.once("POST", &cards.path(), Some(form)).status, 303);
    browser.get("/link/card").says("Go to the sandbox");
    browser.get("/link/card/go").says("Get the hashtag");
    assert_eq!(browser.get(&cards.path()).status, 404);
    assert_eq!(browser.submit(&cards.path(), &[("card", "tok_visa")]).status, 404);
    drop(till);
}

/// From `/unlink` to the last yes.
fn undo(till: &Till, browser: &Browser, handle: &str, purpose: &str) -> Page {
    let fields = [("network", "sandbox"), ("handle", handle), ("purpose", purpose)];
    browser.submit("/unlink", &fields).says("Get the hashtag");
    let code = browser.submit("/link/code", &[]).code();
    assert!(code.starts_with("#Unlink"), "{code}");
    say(till, &format!("u-{handle}-{purpose}"), handle, &code);
    browser.get("/link/proof").says("Is this you?");
    browser.submit("/link/confirm", &[])
}

#[test]
fn unlinking_looks_the_same_for_everybody_until_they_have_shown_who_they_are() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    buyer(&till.client, "ann", "tok_visa");
    let begin = |handle: &str| {
        let browser = Browser::new(&till.client.url);
        let first = browser.submit("/unlink", &[("network", "sandbox"), ("handle", handle)]);
        let code = browser.submit("/link/code", &[]);
        let plain = |page: &Page| {
            let text = page.text.replace(handle, "…").replace(&code.code(), "#…");
            // Nor the time of day.
            text.replace(|letter: char| letter.is_ascii_digit(), "0")
        };
        (first.status, plain(&first), plain(&code))
    };
    assert_eq!(begin("ann"), begin("nobody"));
    undo(&till, &browser, "nobody", "unlink").says("Nothing was linked");
    undo(&till, &browser, "ann", "unlink").says("Unlinked");
    assert_eq!(till.client.all("/v1/accounts")[0]["status"], "erased");
    buyer(&till.client, "bob", "tok_visa");
    undo(&till, &browser, "bob", "erase").says("Erased");
    assert!(till.client.all("/v1/accounts").iter().all(|account| account["status"] == "erased"));
}

#[test]
fn an_account_whose_last_identity_was_unlinked_stays_erased_in_a_backup_that_is_restored() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    buyer(&till.client, "ann", "tok_visa");
    site.ok(&["backup", site.path("backup.redb").to_str().unwrap()]);
    undo(&till, &browser, "ann", "unlink").says("Unlinked");
    till.stop();
    site.ok(&["restore", site.path("backup.redb").to_str().unwrap(), "--force"]);
    let (till, _) = start(&site, &[]);
    assert_eq!(till.client.all("/v1/accounts")[0]["status"], "erased");
}

#[test]
fn a_private_page_leads_to_one_more_identity_and_ends_with_its_account() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    let account = buyer(&till.client, "ann", "tok_visa");
    let id = account["id"].as_str().unwrap();
    let made = |client: &support::Client| client.post(&format!("/v1/accounts/{id}/page"), &json!({}));
    let first = made(&till.client)["url"].as_str().unwrap().to_owned();
    browser.get(&first).says("visa");
    let second = made(&till.client)["url"].as_str().unwrap().to_owned();
    assert_eq!(browser.get(&first).status, 404, "a new address ends the one before it");
    browser.get(&format!("{second}/link")).says("where do you post");
    browser
        .submit(&format!("{second}/link"), &[("network", "sandbox"), ("handle", "ann2")])
        .says("Get the hashtag");
    let code = browser.submit("/link/code", &[]).says("Waiting for both posts").code();
    say(&till, "p1", "ann2", &code);
    // The page alone leads nobody to the card: somebody who is linked already has to post the code, too.
    browser.get("/link/proof").says("The post from @ann2 was seen");
    browser.submit("/link/confirm", &[]).says("First comes the post with the code");
    say(&till, "p2", "ann", &code);
    browser.get("/link/proof").says("Is this you?").says("@ann2");
    browser.submit("/link/confirm", &[]).says("Linked");
    let account = till.client.get(&format!("/v1/accounts/{id}"));
    assert_eq!(account["identities"].as_array().unwrap().len(), 2, "{account}");
    browser.get(&second).says("@an…");
    till.client.call("DELETE", &format!("/v1/accounts/{id}"), &Value::Null).ok();
    assert_eq!(browser.get(&second).status, 404);
}

#[test]
fn a_charge_that_its_bank_asks_about_is_allowed_from_the_private_page() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    shop(&till.client, "#BuyThing", Some(3));
    let code = to_the_code(&browser, "ann", "tok_authenticate");
    say(&till, "p1", "ann", &code);
    let own = browser.submit("/link/confirm", &[]).path().split('?').next().unwrap().to_owned();
    for (n, answer, ends) in
        [(1, "refuse", "Your card was declined"), (2, "allow", "Paid; it is being packed")]
    {
        say(&till, &format!("b{n}"), "ann", "#BuyThing");
        say(&till, &format!("c{n}"), "ann", "#ConfirmThing");
        let page = wait_for("the step", || {
            Some(browser.get(&own)).filter(|page| page.text.contains("One step is left"))
        });
        // Nobody else's page leads there.
        let stranger = buyer(&till.client, &format!("stranger{n}"), "tok_visa");
        let id = stranger["id"].as_str().unwrap();
        let other = till.client.post(&format!("/v1/accounts/{id}/page"), &json!({}));
        let allow = page.link("Go to your bank");
        let foreign =
            format!("{}/allow/{}", other["url"].as_str().unwrap(), allow.rsplit('/').next().unwrap());
        assert_eq!(browser.get(&foreign).status, 404);
        let bank = browser.get(&allow);
        bank.says("Allow this charge?").says("$15.00");
        assert!(!bank.url.contains(own.trim_start_matches("/p/")), "the bank learns no secret");
        browser.submit(&bank.path(), &[("answer", answer)]).says("Your purchases by post");
        wait_for(ends, || Some(browser.get(&own)).filter(|page| page.text.contains(ends)));
        assert_eq!(browser.submit(&bank.path(), &[("answer", "allow")]).status, 404);
    }
    assert_eq!(till.client.all("/v1/orders").len(), 1);
}

#[test]
fn strangers_are_slowed_down_and_other_sites_are_turned_away() {
    let site = Site::new();
    let (till, mut browser) = start(&site, &[]);
    let mut last = 0;
    for i in 0..40 {
        browser.headers = vec![("X-Forwarded-For".to_owned(), format!("203.0.113.{i}"))];
        last = browser.submit("/link", &[("network", "sandbox"), ("handle", "ann")]).status;
    }
    assert_eq!(last, 429, "about one handle");
    browser.headers = vec![("X-Forwarded-For".to_owned(), "198.51.100.1".to_owned())];
    let mut refused = None;
    for i in 0..40 {
        let page = browser.submit("/link", &[("network", "sandbox"), ("handle", &format!("b{i}"))]);
        if page.status == 429 {
            refused = Some(page);
        }
    }
    let refused = refused.expect("by one address");
    assert!(!refused.header("retry-after").is_empty());
    browser.headers = vec![("X-Forwarded-For".to_owned(), "198.51.100.2".to_owned())];
    browser.submit("/link", &[("network", "sandbox"), ("handle", "carl")]).says("Where is your parcel");
    // Refused requests count against nobody else: not the handles that they name, and not all the others.
    browser.headers = vec![("X-Forwarded-For".to_owned(), "198.51.100.3".to_owned())];
    for i in 0..3100 {
        browser.once("POST", "/link", Some(format!("network=sandbox&handle=dora{}", i % 50)));
    }
    browser.headers = vec![("X-Forwarded-For".to_owned(), "198.51.100.4".to_owned())];
    browser.submit("/link", &[("network", "sandbox"), ("handle", "dora49")]).says("Where is your parcel");
    // A header of the client's own invention beside the proxy's is no way around.
    let mut last = 0;
    for i in 0..30 {
        let invented = ("Forwarded".to_owned(), format!("for=203.0.113.{}", 100 + i));
        browser.headers = vec![("X-Forwarded-For".to_owned(), "198.51.100.5".to_owned()), invented];
        last = browser.once("POST", "/link", Some(format!("network=sandbox&handle=e{i}"))).status;
    }
    assert_eq!(last, 429);
    // A browser that says only where the form comes from.
    browser.headers = vec![("Origin".to_owned(), till.client.url.clone())];
    browser.submit("/link/cancel", &[]).says("Stopped");
    for (name, value) in
        [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example"), ("Origin", "null")]
    {
        browser.headers = vec![(name.to_owned(), value.to_owned())];
        assert_eq!(browser.submit("/link/cancel", &[]).status, 403, "{name}");
    }
    drop(till);
}

#[test]
fn a_till_that_is_killed_goes_on_with_a_session_where_it_was() {
    let site = Site::new();
    let (till, browser) = start(&site, &[]);
    let code = to_the_code(&browser, "ann", "tok_visa");
    let cookie = browser.cookie("tagtill_link").unwrap();
    till.kill_9();
    let (till, mut browser) = start(&site, &[]);
    browser.headers = vec![("Cookie".to_owned(), format!("tagtill_link={cookie}"))];
    browser.get("/link/proof").says(&code);
    say(&till, "p1", "ann", &code);
    browser.submit("/link/confirm", &[]);
    assert_eq!(till.client.all("/v1/accounts").len(), 1);
}

#[test]
fn a_listener_of_their_own_shows_the_pages_and_nothing_else() {
    let site = Site::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let (till, _) = start(&site, &["--public-listen", &listen, "--public-url", "https://till.example"]);
    let public = Browser::new(&format!("http://{listen}"));
    public.get("/link").says("Link a card");
    assert_eq!(public.get("/assets/any/buyer.js").status, 200);
    for path in ["/v1/accounts", "/metrics", "/healthz", "/v1/openapi.json", "/", "/assets/any/console.js"] {
        assert_eq!(public.get(path).status, 404, "{path}");
    }
    let events = public.once("POST", "/v1/gateway-events/stripe", Some(String::new()));
    assert_eq!(events.status, 404);
    assert!(events.text.contains("takes no events of that gateway"), "{}", events.text);
    let begun = public.once("POST", "/link", Some("network=sandbox&handle=bob".to_owned()));
    let cookie = begun.header("set-cookie");
    assert!(cookie.starts_with("__Host-tagtill_link=") && cookie.contains("; Secure"), "{cookie}");
    drop(till);
}

#[test]
fn no_secret_of_a_page_comes_into_the_log() {
    let site = Site::new();
    let log = site.path("log");
    let mut command = support::binary();
    command.env("TAGTILL_LOG", "trace").stderr(std::fs::File::create(&log).unwrap());
    let till = site.start_as(command, &["--sandbox"], &[]);
    let browser = Browser::new(&till.client.url);
    let code = to_the_code(&browser, "ann", "tok_visa");
    say(&till, "p1", "ann", &code);
    let cookie = browser.cookie("tagtill_link").unwrap().split('.').nth(1).unwrap().to_owned();
    let page = browser.submit("/link/confirm", &[]);
    let secret = page.path().split("/p/").nth(1).unwrap().split('?').next().unwrap().to_owned();
    browser.get("/p/wrong-secret-of-a-page");
    till.stop();
    // Nor into the file: it keeps hashes.
    let file = std::fs::read(site.data()).unwrap();
    let folded = code.trim_start_matches('#').to_lowercase();
    for secret in [secret.as_str(), cookie.as_str(), code.trim_start_matches('#'), folded.as_str()] {
        let there = file.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!there, "{secret} is in the file");
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("/link/confirm"), "{log}");
    for secret in [&secret, &cookie, code.trim_start_matches('#'), "wrong-secret", "Elm Street", "Byrne"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
