//! The bridge to X, against a stand-in server that answers in the shapes of X's public documentation (`tests/x/`;
//! `not_mentioned`, `duplicate` and `client_not_enrolled` are written after what developers report of them).
//!
//! It could not be run against X itself; what is proven here is that it follows those documents. The till is real.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "x/outages.rs"]
mod outages;
#[path = "x/stand_in.rs"]
mod stand_in;
mod support;

use serde_json::{Value, json};
use stand_in::{ACCESS_TOKEN, ACCESS_TOKEN_SECRET, API_KEY, API_KEY_SECRET, BEARER, Say, StandIn, recorded};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{Client, Site, Till, shop, wait_for};
use tagtill::bridges::x::{Keys, Limits, Prices, Settings, X};
use tagtill::bridges::{Bridge, Settings as Run};
use tagtill::till::time::Time;

const MENTIONS: &str = "GET /2/users/1111111111111111111/mentions";
const TIMELINE: &str = "GET /2/users/1111111111111111111/tweets";
const STREAM: &str = "GET /2/tweets/search/stream";
const POST: &str = "POST /2/tweets";
const WISH: &str = "#BuyThing please, @ExampleUser";

/// A till with an offer and a buyer on X, and a stand-in for X.
struct Stage {
    x: StandIn,
    till: Till,
    token: String,
    limits: Limits,
    webhook: Option<SocketAddr>,
    site: Site,
}

impl Stage {
    fn new() -> Self {
        let site = Site::new();
        let till = site.start(&["--tick-ms", "20"]);
        shop(&till.client, "#BuyThing", Some(5));
        let mut account = support::account("2222222222222222222", "tok_visa");
        account["identities"] =
            json!([{"network": "x", "user_id": "2222222222222222222", "handle": "OtherUser"}]);
        till.client.post("/v1/accounts", &account);
        let token = till.client.post("/v1/tokens", &json!({"role": "network:x"}))["token"].clone();
        let limits = Limits { cents_per_day: 1000, cents_per_month: None, reserve_percent: 20 };
        let token = token.as_str().unwrap().to_owned();
        Self { x: StandIn::start(), till, token, limits, webhook: None, site }
    }

    fn bridge(&self) -> Bridge {
        let keys = Keys {
            api_key: API_KEY.to_owned(),
            api_key_secret: API_KEY_SECRET.to_owned(),
            access_token: ACCESS_TOKEN.to_owned(),
            access_token_secret: ACCESS_TOKEN_SECRET.to_owned(),
        };
        let x = X::new(Settings {
            base: self.x.url.clone(),
            keys,
            bearer: BEARER.to_owned(),
            prices: Prices { post: 5000, person: 10_000, reply: 15_000 },
            limits: Some(self.limits),
            poll: Duration::from_millis(50),
            webhook: self.webhook,
        });
        let till = tagtill::client::Client::new(&self.till.client.url, &self.token);
        Bridge::start(Arc::new(x), &Run { till, dry_run: false })
    }

    fn client(&self) -> &Client {
        &self.till.client
    }

    fn cursor(&self, stream: &str) -> Option<String> {
        let cursor = &self.client().get(&format!("/v1/networks/x/cursors/{stream}"))["cursor"];
        cursor.as_str().map(str::to_owned)
    }

    fn verdict(&self, post: &str) -> Option<String> {
        let path = format!("/v1/posts/x/{post}");
        let answer = self.client().send("GET", &path, "application/json", b"").unwrap();
        (answer.status == 200).then(|| answer.json()["verdict"].as_str().unwrap().to_owned())
    }

    fn wait_for_verdict(&self, post: &str, wanted: &str) {
        wait_for(&format!("{wanted} for {post}"), || self.verdict(post).filter(|it| it == wanted));
    }

    fn wait_for_replies(&self, count: usize) -> Vec<(String, String, String)> {
        wait_for("replies", || Some(self.x.posted()).filter(|posted| posted.len() >= count))
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let all = self.client().get("/v1/events?limit=200")["data"].as_array().unwrap().clone();
        all.into_iter().filter(|event| event["type"] == kind).collect()
    }

    /// Hands in a wish as a bridge that is gone has, and gives its id.
    fn wish(&self) -> String {
        let id = fresh();
        let own = json!({"own": {"user_id": "1111111111111111111", "handle": "ExampleUser"}});
        self.client().call("PUT", "/v1/networks/x", &own).ok();
        assert_eq!(self.hand_in(&id), "pending");
        id
    }

    /// Hands in a wish; gives its verdict.
    fn hand_in(&self, id: &str) -> String {
        let author = json!({"user_id": "2222222222222222222", "handle": "OtherUser"});
        let wish = json!({"network": "x", "id": id, "author": author, "text": WISH, "to_us": true});
        self.client().post("/v1/posts", &wish)["verdict"].as_str().unwrap().to_owned()
    }

    /// Lets X stream what comes through the channel.
    fn stream(&self) -> Sender<String> {
        let (sender, receiver) = channel();
        self.x.script(STREAM, Say::Stream(receiver));
        sender
    }

    fn rule(&self) -> String {
        wait_for("rules", || {
            let rules = self.x.rules();
            let last = rules.last().filter(|rule| rule["value"] == "retweets_of:ExampleUser");
            last.and_then(|rule| rule["id"].as_str()).map(str::to_owned)
        })
    }
}

/// An id as X makes one now.
fn fresh() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let since = u64::try_from(ms).unwrap() - 1_288_834_974_657;
    ((since << 22) + NUMBER.fetch_add(1, Ordering::Relaxed)).to_string()
}

fn now() -> String {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Time::from_ms(i64::try_from(ms).unwrap()).to_string()
}

fn mention(id: &str, text: &str) -> Value {
    recorded("mentions", &[("ID", id), ("TEXT", text), ("NOW", &now())])
}

fn answer(status: u16, body: Value) -> Say {
    Say::Answer(status, Vec::new(), body)
}

#[test]
fn mentions_are_read_page_by_page_oldest_first_and_the_cursor_is_kept() {
    let stage = Stage::new();
    let (older, newer) = (fresh(), fresh());
    let mut first = mention(&newer, "#BuyThing once more, @ExampleUser");
    first["meta"]["next_token"] = json!("t3buvdr5pujq9g7bggsnf3ep2ha28");
    stage.x.script(MENTIONS, answer(200, first));
    stage.x.script(MENTIONS, answer(200, mention(&older, WISH)));
    let bridge = stage.bridge();
    stage.wait_for_verdict(&newer, "already_pending");
    assert_eq!(stage.verdict(&older).as_deref(), Some("pending"), "the older one came first");
    wait_for("the cursor", || stage.cursor("mentions").filter(|cursor| *cursor == newer));
    let asked =
        wait_for("a third question", || Some(stage.x.asked(MENTIONS)).filter(|asked| asked.len() >= 3));
    assert_eq!(asked[0].query["since_id"], asked[1].query["since_id"]);
    assert!(!asked[0].query.contains_key("pagination_token"));
    assert_eq!(asked[1].query["pagination_token"], "t3buvdr5pujq9g7bggsnf3ep2ha28");
    let since = |asked: &stand_in::Asked| asked.query["since_id"].parse::<u64>().unwrap();
    let before = newer.parse::<u64>().unwrap() - since(&asked[2]);
    assert_eq!(before >> 22, 60_000, "a minute earlier: X may show a mention late");
    let replies = stage.wait_for_replies(2);
    assert_eq!(replies[0].1, older);
    assert!(replies[0].2.contains("#ConfirmThing"), "{}", replies[0].2);
    bridge.stop();
    let before = stage.x.asked(MENTIONS).len();
    let bridge = stage.bridge();
    let asked = wait_for("a question after the restart", || stage.x.asked(MENTIONS).get(before).cloned());
    assert_eq!((newer.parse::<u64>().unwrap() - since(&asked)) >> 22, 60_000);
    bridge.stop();
    assert_eq!(stage.x.posted().len(), 2, "nobody is answered twice");
}

#[test]
fn the_stream_is_read_reconnected_and_a_native_repost_confirms() {
    let stage = Stage::new();
    stage.x.add_rule(json!({"id": "1", "value": "@OldName -is:retweet", "tag": "tagtill"}));
    stage.x.add_rule(json!({"id": "2", "value": "cats", "tag": "somebody's"}));
    let first = stage.stream();
    let bridge = stage.bridge();
    let rule = stage.rule();
    let id = fresh();
    let line = |name: &str, id: &str, more: &[(&str, &str)]| {
        let parts = [("ID", id), ("RULE", &rule), ("NOW", &now()), ("TEXT", WISH)];
        recorded(name, &[&parts, more].concat()).to_string()
    };
    first.send(String::new()).unwrap();
    first.send(line("stream", &id, &[])).unwrap();
    stage.wait_for_verdict(&id, "pending");
    let values: Vec<String> =
        stage.x.rules().iter().map(|rule| rule["value"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        values,
        [
            "cats",
            "@ExampleUser -is:retweet",
            "(url:\"twitter.com/ExampleUser/status\" OR url:\"x.com/ExampleUser/status\") is:quote -is:retweet",
            "retweets_of:ExampleUser"
        ]
    );
    let reply = stage.wait_for_replies(1).remove(0);
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    // What others' rules brought is not ours.
    let other = fresh();
    first.send(line("stream", &other, &[]).replace(&rule, "2")).unwrap();
    // X ends the stream, and it is connected to again.
    let second = stage.stream();
    first.send(recorded("operational_disconnect", &[]).to_string()).unwrap();
    wait_for("a second connection", || Some(()).filter(|()| stage.x.asked(STREAM).len() >= 2));
    let repost = fresh();
    second.send(line("stream_repost", &repost, &[("REFERENCE", &reply.0)])).unwrap();
    stage.wait_for_verdict(&repost, "confirmed");
    assert_eq!(stage.verdict(&other), None);
    // The connection breaks, without a word.
    let third = stage.stream();
    drop(second);
    wait_for("a third connection", || Some(()).filter(|()| stage.x.asked(STREAM).len() >= 3));
    bridge.stop();
    drop(third);
}

#[test]
fn without_the_right_to_a_stream_mentions_are_enough() {
    let stage = Stage::new();
    let bridge = stage.bridge();
    wait_for("the stream to be refused", || stage.x.asked(STREAM).pop());
    let id = fresh();
    stage.x.script(MENTIONS, answer(200, mention(&id, WISH)));
    stage.wait_for_verdict(&id, "pending");
    stage.wait_for_replies(1);
    assert_eq!(stage.x.asked(STREAM).len(), 1, "it is not asked for again at once");
    assert!(bridge.ended().is_none());
    bridge.stop();
}

#[test]
fn whom_x_does_not_let_us_answer_is_given_up() {
    let stage = Stage::new();
    stage.x.script(POST, answer(403, recorded("not_mentioned", &[])));
    stage.wish();
    let bridge = stage.bridge();
    let failed = wait_for("the failure", || stage.events("reply.failed").pop());
    assert!(stage.x.posted().is_empty(), "{failed}");
    assert_eq!(stage.x.asked(POST).len(), 1);
    bridge.stop();
}

#[test]
fn a_limit_is_waited_for() {
    let stage = Stage::new();
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 3;
    let headers = [("x-rate-limit-remaining", "0".to_owned()), ("x-rate-limit-reset", reset.to_string())];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    stage.x.script(POST, Say::Answer(429, headers, recorded("too_many_requests", &[])));
    stage.wish();
    let bridge = stage.bridge();
    wait_for("the first try", || stage.x.asked(POST).pop());
    let begun = Instant::now();
    stage.wait_for_replies(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now >= reset, "after {:?}", begun.elapsed());
    assert_eq!(stage.x.asked(POST).len(), 2);
    bridge.stop();
}

#[test]
fn the_budget_stops_reading_keeps_a_reserve_for_replies_and_is_remembered() {
    let mut stage = Stage::new();
    // Of 60,000, 36,000 are for reading: signing in is 10,000, a mention with its author 15,000, a reply 15,000.
    stage.limits = Limits { cents_per_day: 6, cents_per_month: None, reserve_percent: 40 };
    let id = fresh();
    let mut two = mention(&id, WISH);
    let other = fresh();
    let mut second = two["data"][0].clone();
    (second["id"], second["author_id"], second["edit_history_tweet_ids"]) =
        (json!(other), json!("4444444444444444444"), json!([other]));
    two["data"].as_array_mut().unwrap().push(second);
    let user = json!({"id": "4444444444444444444", "username": "FourthUser"});
    two["includes"]["users"].as_array_mut().unwrap().push(user);
    stage.x.script(MENTIONS, answer(200, two));
    let bridge = stage.bridge();
    stage.wait_for_replies(1);
    let spent = wait_for("what was spent", || {
        stage.cursor("spent").filter(|spent| spent.split(' ').nth(1) == Some("55000"))
    });
    bridge.stop();
    let asked = stage.x.asked(MENTIONS);
    assert_eq!((asked.len(), asked[0].query["max_results"].as_str()), (1, "5"), "{spent}");
    assert_eq!(stage.x.asked(STREAM).len(), 1, "as long as there was money");
    // A restart forgets nothing: nothing is read, and nothing posted.
    let bridge = stage.bridge();
    wait_for("the second start", || {
        stage.cursor("spent").filter(|spent| spent.split(' ').nth(1) == Some("65000"))
    });
    assert_eq!(stage.hand_in(&fresh()), "already_pending");
    wait_for("two sources and a reply to be stopped", || {
        let view = stage.client().get("/v1/networks/x/bridge");
        view["errors"]["budget"].as_u64().filter(|count| *count >= 3)
    });
    bridge.stop();
    assert_eq!((stage.x.asked(MENTIONS).len(), stage.x.posted().len()), (1, 1));
}

/// Sends something to the webhook, signed with this secret.
fn deliver(addr: SocketAddr, body: &Value, secret: Option<&str>) -> u16 {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let body = body.to_string();
    let mut request = agent.post(format!("http://{addr}/x")).header("Content-Type", "application/json");
    if let Some(secret) = secret {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let proof = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        request = request.header("x-twitter-webhooks-signature", format!("sha256={proof}"));
    }
    request.send(body).unwrap().status().as_u16()
}

/// A stage with a bridge that listens for webhooks; what it answers to a challenge.
fn with_webhook() -> (Stage, Bridge, SocketAddr, Value) {
    let mut stage = Stage::new();
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.webhook = Some(addr);
    let bridge = stage.bridge();
    let challenged = wait_for("the webhook", || {
        ureq::get(format!("http://{addr}/x?crc_token=challenge_string")).call().ok()
    });
    let answer = challenged.into_body().read_json().unwrap();
    (stage, bridge, addr, answer)
}

#[test]
fn a_deletion_that_x_tells_cancels() {
    let (stage, bridge, addr, _) = with_webhook();
    let wish = stage.wish();
    let deleted = recorded("account_delete", &[("ID", &wish)]);
    assert_eq!(deliver(addr, &deleted, Some(API_KEY_SECRET)), 200);
    wait_for("the cancellation", || stage.events("purchase.cancelled").pop());
    bridge.stop();
}

#[test]
fn a_post_that_is_not_there_any_more_cancels() {
    let stage = Stage::new();
    let id = fresh();
    let mentions = recorded("mentions", &[("ID", id.as_str()), ("TEXT", WISH), ("NOW", &now())]);
    stage.x.script("GET /2/users/1111111111111111111/mentions", Say::Answer(200, vec![], mentions));
    let bridge = stage.bridge();
    wait_for("the wish", || stage.events("purchase.pending").pop());
    let missing = |problem: &str| {
        let kind = format!("https://api.x.com/2/problems/{problem}");
        let error = json!({"value": id, "parameter": "ids", "resource_type": "tweet", "type": kind});
        Say::Answer(200, vec![], json!({"errors": [error]}))
    };
    stage.x.script("GET /2/tweets", missing("not-authorized-for-resource"));
    stage.x.script("GET /2/tweets", missing("resource-not-found"));
    wait_for("the cancellation", || stage.events("purchase.cancelled").pop());
    let asked = stage.x.asked("GET /2/tweets");
    assert!(asked.len() >= 2 && asked.iter().all(|asked| asked.query["ids"] == id), "{asked:?}");
    bridge.stop();
}

#[test]
fn webhooks_are_proven_and_what_they_bring_is_done() {
    let (stage, bridge, addr, answer) = with_webhook();
    assert!(answer["response_token"].as_str().unwrap().starts_with("sha256="), "{answer}");

    let id = fresh();
    let parts = [("ID", id.as_str()), ("TEXT", WISH), ("NOW", &now())];
    let event = recorded("activity_mention", &parts);
    assert_eq!(deliver(addr, &event, None), 401);
    assert_eq!(deliver(addr, &event, Some("another secret")), 401);
    assert_eq!(stage.verdict(&id), None);
    assert_eq!(deliver(addr, &event, Some(API_KEY_SECRET)), 200);
    assert_eq!(stage.verdict(&id).as_deref(), Some("pending"), "the till has it before X has its answer");
    assert_eq!(deliver(addr, &event, Some(API_KEY_SECRET)), 200, "once more changes nothing");

    // A native repost names nobody: its author is known from before.
    let reply = stage.wait_for_replies(1).remove(0);
    wait_for("the reply to be noted", || stage.events("reply.sent").pop());
    let repost = fresh();
    let parts = [("ID", repost.as_str()), ("REFERENCE", &reply.0), ("NOW", &now())];
    assert_eq!(deliver(addr, &recorded("activity_repost", &parts), Some(API_KEY_SECRET)), 200);
    assert_eq!(stage.verdict(&repost).as_deref(), Some("confirmed"));

    assert_eq!(deliver(addr, &recorded("account_block", &[]), Some(API_KEY_SECRET)), 200);
    let opted_out = stage.client().get("/v1/networks/x/opt-outs");
    assert!(opted_out.to_string().contains("3333333333333333333"), "{opted_out}");
    bridge.stop();
}

/// Runs `tagtill bridge x` with the keys in the environment.
fn run(x: &StandIn, args: &[&str]) -> (Option<i32>, String) {
    let mut command = support::binary();
    let secrets = [
        ("TAGTILL_X_API_KEY", API_KEY),
        ("TAGTILL_X_API_KEY_SECRET", API_KEY_SECRET),
        ("TAGTILL_X_ACCESS_TOKEN", ACCESS_TOKEN),
        ("TAGTILL_X_ACCESS_TOKEN_SECRET", ACCESS_TOKEN_SECRET),
        ("TAGTILL_X_BEARER_TOKEN", BEARER),
    ];
    let command = command.args(["bridge", "x"]).args(args).envs(secrets).env("TAGTILL_LOG", "trace");
    let output = command.env("TAGTILL_X_API_BASE", &x.url).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    for secret in [API_KEY_SECRET, ACCESS_TOKEN_SECRET, ACCESS_TOKEN, BEARER] {
        assert!(!text.contains(secret), "a secret is shown: {text}");
    }
    (output.status.code(), text)
}

#[test]
fn check_says_what_is_there_and_what_is_missing() {
    let x = StandIn::start();
    let (code, text) =
        run(&x, &["--check", "--budget-cents-per-day", "100", "--webhook-listen", "127.0.0.1:1"]);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "keys of the account: @ExampleUser",
        "right to post",
        "mentions",
        "filtered stream",
        "budget: 100 cents a day; 20 % of it kept for replies",
        "webhook: https://till.example.com/x",
        "\"Automated\"",
    ] {
        assert!(text.lines().any(|line| line.starts_with("ok ") && line.contains(part)), "{part}: {text}");
    }

    let headers = vec![("x-access-level".to_owned(), "read".to_owned())];
    x.script("GET /2/users/me", Say::Answer(200, headers, recorded("me", &[])));
    x.script("GET /2/tweets/search/stream/rules", answer(403, recorded("client_not_enrolled", &[])));
    let (code, text) = run(&x, &["--check"]);
    assert_eq!(code, Some(3), "{text}");
    for part in ["right to post: the access token may only read", "filtered stream", "budget: say how much"] {
        assert!(
            text.lines().any(|line| line.starts_with("MISSING") && line.contains(part)),
            "{part}: {text}"
        );
    }
    assert!(x.posted().is_empty() && x.rules().is_empty(), "a check changes nothing");
}

#[test]
fn without_a_budget_nothing_begins() {
    let x = StandIn::start();
    let (code, text) = run(&x, &["--url", "http://127.0.0.1:1"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("--budget-cents-per-day"), "{text}");
    assert!(x.asked("GET /2/users/me").is_empty());
}
