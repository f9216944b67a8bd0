//! The playground, as its page talks to it: the real binary, over HTTP.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use browser::{ADDRESS, Browser};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use support::{Answer, Client, Site, Till, wait_for};

#[path = "support/browser.rs"]
mod browser;
mod support;

/// Somebody at the page of a playground.
struct Page {
    client: Client,
}

impl Page {
    fn of(till: &Till) -> Self {
        Self::at(&till.client.url)
    }

    /// Opens it and waits until the stage is set.
    fn at(url: &str) -> Self {
        let page = Self { client: Client::new(url, "") };
        wait_for("the stage", || (page.look()["ready"] == true).then_some(()));
        page
    }

    fn ask(&self, after: &str) -> Value {
        self.client.get(&format!("/playground/state?after={after}"))
    }

    fn look(&self) -> Value {
        self.ask("")["state"].clone()
    }

    fn send(&self, deed: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = "application/x-www-form-urlencoded";
        self.client.send("POST", &format!("/playground/{deed}"), kind, form.finish().as_bytes()).unwrap()
    }

    /// Does something; what there is to see then.
    #[track_caller]
    fn act(&self, deed: &str, fields: &[(&str, &str)]) -> Value {
        self.send(deed, fields).ok()["state"].clone()
    }

    fn person(&self, handle: &str) -> String {
        let people = self.look()["people"].as_array().unwrap().clone();
        let found = people.iter().find(|person| person["handle"] == handle);
        found.unwrap_or_else(|| panic!("nobody is called {handle}"))["id"].as_str().unwrap().to_owned()
    }

    /// Posts as somebody; their post.
    #[track_caller]
    fn post(&self, handle: &str, text: &str) -> Value {
        let state = self.act("post", &[("person", &self.person(handle)), ("text", text)]);
        posts(&state).into_iter().rfind(|post| post["handle"] == handle && post["text"] == text).unwrap()
    }

    fn find(&self, id: &Value) -> Value {
        posts(&self.look()).into_iter().find(|post| post["id"] == *id).unwrap()
    }

    /// The shop's replies to somebody, oldest first.
    fn replies(&self, handle: &str) -> Vec<Value> {
        let person = self.person(handle);
        posts(&self.look()).into_iter().filter(|post| post["to"] == person.as_str()).collect()
    }

    fn offer(&self, hashtag: &str) -> Value {
        let offers = self.look()["offers"].as_array().unwrap().clone();
        offers.into_iter().find(|offer| offer["hashtag"] == hashtag).unwrap()
    }

    /// Available, held, sold.
    fn stock(&self, hashtag: &str) -> [u64; 3] {
        let offer = self.offer(hashtag);
        ["available", "held", "sold"].map(|name| offer[name].as_u64().unwrap())
    }

    fn ends_as(&self, post: &Value, status: &str) {
        wait_for(status, || (self.find(&post["id"])["purchase"]["status"] == status).then_some(()));
    }
}

/// Every post of every thread.
fn posts(state: &Value) -> Vec<Value> {
    let threads = state["threads"].as_array().unwrap();
    threads.iter().flat_map(|thread| thread["posts"].as_array().unwrap().clone()).collect()
}

#[test]
fn a_post_is_answered_in_its_thread_and_the_confirmation_ships() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let bought = page.post("mara", "For my breakfast #BuyHoney");
    assert_eq!(bought["verdict"], "pending");
    assert_eq!(bought["why"], "A unit is held; the buyer has to confirm.");
    let state = page.look();
    let thread = state["threads"][0]["posts"].as_array().unwrap();
    assert_eq!(thread.len(), 2, "{thread:?}");
    assert_eq!(thread[1]["to"], page.person("mara").as_str());
    assert_eq!(thread[1]["confirm"], "#ConfirmHoney");
    assert_eq!(state["holds"][0]["person"], page.person("mara").as_str());
    assert_eq!(page.stock("#BuyHoney"), [23, 1, 0]);
    let confirmed = page.post("mara", "Yes! #ConfirmHoney");
    assert_eq!(confirmed["verdict"], "confirmed");
    page.ends_as(&bought, "paid");
    let state = page.look();
    assert_eq!(state["threads"].as_array().unwrap().len(), 1, "all of it is one thread");
    let order = state["orders"][0].clone();
    assert_eq!(order["ship_to"][0], "Mara Lindholm");
    assert_eq!(order["title"], "Wildflower honey, 500 g");
    assert_eq!(page.stock("#BuyHoney"), [23, 0, 1]);
    assert!(state["holds"].as_array().unwrap().is_empty());
    page.act("ship", &[("order", order["id"].as_str().unwrap())]);
    wait_for("the news that it is on its way", || (page.replies("mara").len() == 3).then_some(()));
    assert_eq!(page.look()["orders"][0]["status"], "shipped");
    till.stop();
}

#[test]
fn a_repost_of_the_reply_confirms_for_its_buyer_alone() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let bought = page.post("mara", "#BuyMug");
    let reply = page.replies("mara")[0]["id"].as_str().unwrap().to_owned();
    page.act("repost", &[("person", &page.person("tomas")), ("of", &reply)]);
    let by = |handle: &str| posts(&page.look()).into_iter().rfind(|post| post["handle"] == handle).unwrap();
    assert_eq!(by("tomas")["verdict"], "repost_ignored");
    page.act("repost", &[("person", &page.person("mara")), ("of", &reply)]);
    assert_eq!(by("mara")["verdict"], "confirmed");
    page.ends_as(&bought, "paid");
    assert_eq!(page.send("repost", &[("person", &page.person("mara")), ("of", "nothing")]).status, 404);
}

#[test]
fn deleting_the_post_lets_the_purchase_go() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let bought = page.post("mara", "Should I? #BuyMug");
    assert_eq!(page.stock("#BuyMug"), [2, 1, 0]);
    let id = bought["id"].as_str().unwrap();
    assert_eq!(page.send("delete", &[("person", &page.person("tomas")), ("post", id)]).status, 403);
    page.act("delete", &[("person", &page.person("mara")), ("post", id)]);
    assert_eq!(page.stock("#BuyMug"), [3, 0, 0]);
    let gone = page.find(&bought["id"]);
    assert_eq!((&gone["deleted"], &gone["purchase"]["status"]), (&json!(true), &json!("cancelled")));
    assert_eq!(page.send("delete", &[("person", &page.person("mara")), ("post", id)]).status, 404);
}

#[test]
fn fifteen_minutes_later_it_is_too_late() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let bought = page.post("mara", "#BuyPrint");
    assert_eq!(page.post("tomas", "Me! #BuyPrint")["verdict"], "sold_out");
    let before = page.ask("")["now"].as_str().unwrap().to_owned();
    page.act("clock", &[("seconds", "900")]);
    page.act("clock", &[("seconds", "60")]);
    assert!(page.ask("")["now"].as_str().unwrap() > before.as_str());
    page.ends_as(&bought, "expired");
    assert_eq!(page.stock("#BuyPrint"), [1, 0, 0]);
    assert_eq!(page.post("mara", "Sorry, dinner! #ConfirmPrint")["verdict"], "too_late");
    assert_eq!(page.send("clock", &[("seconds", "86400")]).status, 422);
}

#[test]
fn cards_that_do_not_pay_are_declined_asked_about_or_missing() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    assert_eq!(page.post("kit", "#BuyHoney")["verdict"], "not_linked");
    let declined = page.post("ines", "#BuyHoney");
    page.post("ines", "#ConfirmHoney");
    page.ends_as(&declined, "declined");
    for (allow, end) in [("no", "declined"), ("yes", "paid")] {
        let asked = page.post("jonas", &format!("#BuyHoney ({end})"));
        page.post("jonas", "#ConfirmHoney");
        let hold = wait_for("the bank's question", || {
            let holds = page.look()["holds"].as_array().unwrap().clone();
            holds.into_iter().find(|hold| hold["bank_asks"] == true)
        });
        let purchase = hold["id"].as_str().unwrap();
        page.act("bank", &[("purchase", purchase), ("allow", allow)]);
        page.ends_as(&asked, end);
        assert_eq!(page.send("bank", &[("purchase", purchase), ("allow", "yes")]).status, 409);
    }
    assert_eq!(page.look()["orders"].as_array().unwrap().len(), 1);
}

#[test]
fn who_has_no_card_links_one_and_buys() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let browser = Browser::new(&till.client.url);
    browser.submit("/link", &[("network", "sandbox"), ("handle", "kit")]);
    browser.submit("/link/address", ADDRESS);
    let cards = browser.submit("/link/agreement", &[("version", "1"), ("agree", "yes")]);
    let cards = browser.get(&cards.link("Go to the sandbox"));
    browser.submit(&cards.path(), &[("card", "tok_visa")]);
    let code = browser.submit("/link/code", &[]).code();
    page.post("kit", &code);
    browser.submit("/link/confirm", &[]).says("Linked");
    wait_for("the card", || {
        let people = page.look()["people"].as_array().unwrap().clone();
        people.into_iter().find(|person| person["handle"] == "kit" && person["card"] == "Visa ···· 4242")
    });
    let bought = page.post("kit", "Now then: #BuyMug");
    assert_eq!(bought["verdict"], "pending");
    page.post("kit", "#ConfirmMug");
    page.ends_as(&bought, "paid");
    assert_eq!(page.look()["orders"][0]["ship_to"][1], "1 Elm Street");
}

/// The shop, the buyer and the bot of the README's first sale, by curl: on the same network, beside the playground.
#[test]
fn who_plays_buyer_and_bot_by_curl_is_not_disturbed() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let curl = &till.client;
    support::shop(curl, "BuyTea", Some(10));
    support::buyer(curl, "42", "tok_visa");
    curl.post("/v1/posts", &support::post("by-curl", "42", "Out of tea! #BuyTea"));
    page.post("mara", "#BuyHoney");
    page.post("mara", "#ConfirmHoney");
    wait_for("the order", || page.look()["orders"][0].is_object().then_some(()));
    let queue = curl.get("/v1/replies?network=sandbox");
    let rows = queue["data"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "theirs is left, ours are out: {queue}");
    assert_eq!(rows[0]["in_reply_to"], "by-curl");
    let reply = rows[0]["id"].as_str().unwrap();
    curl.post(&format!("/v1/replies/{reply}/sent"), &json!({"post_id": "r1"}));
    assert_eq!(curl.post("/v1/posts", &support::post("p2", "42", "#ConfirmTea"))["verdict"], "confirmed");
    wait_for("their order", || (curl.all("/v1/orders").len() == 2).then_some(()));
    // Who buys what the playground sells is no business of whoever looks at it.
    curl.post("/v1/posts", &support::post("p3", "42", "#BuyMug"));
    wait_for("the stock", || (page.stock("#BuyMug") == [2, 1, 0]).then_some(()));
    let shown = page.look().to_string();
    for word in ["Tea", "by-curl", "\"42\"", "Jo Doe", "1 Main St", "A thing"] {
        assert!(!shown.contains(word), "{word} is shown: {shown}");
    }
    assert!(page.look()["holds"].as_array().unwrap().is_empty());
}

#[test]
fn it_is_open_to_local_requests_alone() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let post = |path: &str, headers: &[(&str, &str)]| page.client.send_with(path, headers, b"").unwrap();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for forwarded in [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9")] {
        let refused = post("/playground/reset", &[form, forwarded]);
        assert_eq!(refused.status, 403, "{forwarded:?}");
        assert!(refused.json()["detail"].as_str().unwrap().contains("that machine"), "{refused:?}");
    }
    let foreign = post("/playground/reset", &[form, ("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(foreign.status, 403);
    let foreign = post("/playground/reset", &[form, ("Origin", "https://example.com")]);
    assert_eq!(foreign.status, 403);
    // A site that gives its own name this machine's address.
    let rebound = post("/playground/reset", &[form, ("Host", "example.com:8080")]);
    assert_eq!(rebound.status, 403);
    assert_eq!(post("/playground/reset", &[form, ("Host", "localhost:8080")]).status, 200);
    let mut get = ureq::get(format!("{}/playground", till.client.url))
        .config()
        .http_status_as_error(false)
        .build()
        .header("X-Forwarded-For", "203.0.113.9")
        .call()
        .unwrap();
    assert_eq!(get.status(), 403);
    assert!(get.body_mut().read_to_string().unwrap().contains("own machine"));
    let own = page.client.send("GET", "/playground", "text/html", b"").unwrap();
    assert_eq!(own.status, 200);
    let policy = own.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && policy.contains("require-trusted-types-for"), "{policy}");
}

#[test]
fn a_till_that_takes_real_money_has_none() {
    let site = Site::new();
    let till = site.start_with(&[], &[]);
    let client = Client::new(&till.client.url, "");
    let page = client.send("GET", "/playground", "text/html", b"").unwrap();
    assert_eq!(page.status, 404);
    assert!(String::from_utf8_lossy(&page.body).contains("tagtill demo"), "it says how to start one");
    assert_eq!(client.send("GET", "/playground/state", "text/html", b"").unwrap().status, 404);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(client.send("POST", "/playground/reset", form, b"").unwrap().status, 404);
    assert!(till.client.all("/v1/merchants").is_empty());
}

#[test]
fn the_public_listener_has_none() {
    let site = Site::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let till = site.start(&["--public-listen", &port.to_string()]);
    let public = Client::new(&format!("http://{port}"), "");
    for path in ["/playground", "/playground/state"] {
        assert_eq!(public.send("GET", path, "text/html", b"").unwrap().status, 404, "{path}");
    }
    drop(till);
}

#[test]
fn nothing_is_made_before_somebody_looks_and_one_stage_is_enough() {
    let site = Site::new();
    let till = site.start(&[]);
    assert!(till.client.all("/v1/merchants").is_empty());
    let page = Page::of(&till);
    page.post("mara", "#BuyMug");
    till.stop();
    let till = site.start(&[]);
    let page = Page::of(&till);
    assert_eq!(till.client.all("/v1/merchants").len(), 1);
    assert_eq!(till.client.all("/v1/offers").len(), 3, "the shelves of the last process are used again");
    assert!(posts(&page.look()).is_empty(), "its posts are gone");
    assert_eq!(page.post("mara", "#BuyMug")["verdict"], "pending");
}

#[test]
fn starting_over_takes_the_posts_and_fills_the_shelves() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let sold = page.post("mara", "#BuyPrint");
    page.post("mara", "#ConfirmPrint");
    page.ends_as(&sold, "paid");
    page.post("tomas", "#BuyMug");
    page.post("jonas", "#BuyHoney");
    page.post("jonas", "#ConfirmHoney");
    wait_for("the bank's question", || {
        page.look()["holds"].as_array().unwrap().iter().any(|hold| hold["bank_asks"] == true).then_some(())
    });
    let state = page.act("reset", &[]);
    assert!(posts(&state).is_empty());
    assert!(state["orders"].as_array().unwrap().is_empty());
    wait_for("an end of what is held", || page.look()["holds"].as_array().unwrap().is_empty().then_some(()));
    assert_eq!(page.stock("#BuyPrint")[0], 1);
    assert_eq!(till.client.all("/v1/orders").len(), 1, "the till has sold it all the same");
    assert_eq!(page.post("tomas", "#BuyPrint")["verdict"], "pending");
}

#[test]
fn what_is_typed_has_bounds() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let mara = page.person("mara");
    let detail = |text: &str| {
        let refused = page.send("post", &[("person", &mara), ("text", text)]);
        assert_eq!(refused.status, 422, "{text}");
        refused.json()["detail"].as_str().unwrap().to_owned()
    };
    assert!(detail("My card is 4242 4242 4242 4242").contains("card number"));
    assert!(detail(&"long ".repeat(120)).contains("500"));
    assert!(detail("a bell: \u{7}").contains("no network shows"));
    assert!(detail(" ").contains("Write something"));
    assert_eq!(page.send("post", &[("person", "42"), ("text", "#BuyHoney")]).status, 422);
    assert_eq!(page.send("dance", &[]).status, 404);
    let hello = "<b>Hello</b> & \"goodbye\"";
    assert_eq!(page.post("mara", hello)["text"], hello);
    let often: Vec<u16> = std::thread::scope(|scope| {
        let post = || page.send("post", &[("person", &mara), ("text", "again")]).status;
        let all: Vec<_> = (0..31).map(|_| scope.spawn(post)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(often.contains(&200) && often.contains(&429), "{often:?}");
}

#[test]
fn the_same_state_is_not_sent_twice() {
    let site = Site::new();
    let till = site.start(&[]);
    let page = Page::of(&till);
    let seen = page.ask("");
    let version = seen["version"].as_str().unwrap();
    let again = page.ask(version);
    assert_eq!((&again["version"], &again["state"]), (&seen["version"], &Value::Null));
    page.post("mara", "Hello");
    assert!(page.ask(version)["state"].is_object());
    // What happens behind its back is seen, too.
    let version = page.ask("")["version"].as_str().unwrap().to_owned();
    let mug = page.offer("#BuyMug");
    let path = format!("/v1/offers/{}", mug["id"].as_str().unwrap());
    till.client.call("PATCH", &path, &json!({"quantity": 7})).ok();
    wait_for("the news", || page.ask(&version)["state"].is_object().then_some(()));
    assert_eq!(page.stock("#BuyMug"), [7, 0, 0]);
}

#[test]
fn hashtags_that_somebody_else_sells_under_are_left_to_them() {
    let site = Site::new();
    let till = site.start(&[]);
    support::shop(&till.client, "BuyMug", Some(1));
    let page = Page::of(&till);
    let tags: Vec<_> =
        page.look()["offers"].as_array().unwrap().iter().map(|offer| offer["hashtag"].clone()).collect();
    assert_eq!(tags, ["#BuyHoney", "#BuyPrint"]);
}

#[test]
fn the_demo_opens_with_its_story_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = support::binary();
    let mut demo = demo.arg("demo").env("TMPDIR", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url = said.find_map(|line| {
        Some(line.strip_prefix("Open ")?.split_once("/playground and buy something")?.0.to_owned())
    });
    let page = Page::at(&url.expect("it says where the playground is"));
    let state = page.look();
    assert_eq!(state["network"], "x");
    let story = posts(&state);
    assert_eq!(story[story.len() - 1]["verdict"], "own_post", "the oldest is the shop's advert");
    for verdict in ["pending", "confirmed", "too_late", "sold_out", "not_linked", "passed", "repost_ignored"]
    {
        assert!(story.iter().any(|post| post["verdict"] == verdict), "{verdict}");
    }
    assert!(story.iter().any(|post| post["deleted"] == true));
    let orders = state["orders"].as_array().unwrap().len();
    assert_eq!(orders, 8, "the story's orders");
    assert_eq!(state["people"][0]["name"], "Mia Thornquist");
    let bought = page.post("miathornq", "A tablet, then. #BuyKindleFireHD");
    assert_eq!(bought["verdict"], "pending");
    page.post("miathornq", "#ConfirmKindleFireHD");
    page.ends_as(&bought, "paid");
    assert_eq!(page.look()["orders"].as_array().unwrap().len(), orders + 1);
    let state = page.act("reset", &[]);
    assert_eq!(posts(&state).len(), story.len(), "the story stays");
    assert_eq!(state["orders"].as_array().unwrap().len(), orders);
    assert_eq!(page.stock("#BuyKindleFireHD")[0], 5, "as many as in the beginning");
    demo.kill().unwrap();
    demo.wait().unwrap();
}
