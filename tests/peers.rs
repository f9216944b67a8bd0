//! The networks' own servers do what tests of the bridges rely on, and the network between can be cut.
//!
//! `TAGTILL_BLUESKY`, `TAGTILL_MASTODON` and `TAGTILL_BLUESKY_NETWORK` name where they were set up. `tests/run` does it,
//! the last in its long form; without them, only the cut is tested here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/peers/mod.rs"]
mod peers;
mod support;

use peers::{BlueskyPeer, Cut, MastodonPeer};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use support::{Client, wait_for};

fn texts(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["value"]["text"].as_str().unwrap()).collect()
}

/// Opens a websocket, by hand, and waits until it is one.
fn stream(address: &str, path: &str, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}"
    );
    stream.write_all(format!("{head}\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes()).unwrap();
    hears(&mut stream, "HTTP/1.1 101");
    stream
}

/// Waits until a stream has said this.
#[track_caller]
fn hears(stream: &mut TcpStream, what: &str) {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(what.as_bytes()) {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("never said: {what}: {error}"));
        heard.extend(byte);
    }
}

#[test]
fn people_post_on_bluesky() {
    let Some(mut peer) = BlueskyPeer::start() else { return };
    let bot = peer.person("teashop");
    let [ada, ben, mut cyd] = ["ada", "ben", "cyd"].map(|name| peer.person(name));
    let mut firehose = stream(&peer.cut.address(), "/xrpc/com.atproto.sync.subscribeRepos?cursor=0", "");
    let wish = ada.post("Grüße, @teashop.test: #BuyTea!");
    hears(&mut firehose, "Grüße, @teashop.test: #BuyTea!");
    let marked = &ada.record(&wish.uri)["value"]["facets"];
    assert_eq!(marked[0]["index"], json!({"byteStart": 9, "byteEnd": 22}), "{marked}");
    assert_eq!(marked[0]["features"][0]["did"], bot.did, "{marked}");
    assert_eq!(marked[1]["features"][0]["tag"], "BuyTea", "{marked}");
    let answer = bot.reply("Yours. Repost this to confirm", &wish);
    let repost = ada.repost(&answer);
    assert_eq!(bot.list(&ada.did, "app.bsky.feed.repost")[0]["value"]["subject"]["uri"], *answer.uri);
    ada.delete(&repost.uri);
    assert!(bot.list(&ada.did, "app.bsky.feed.repost").is_empty());
    let second = ben.reply("I too", &answer);
    let reply = ben.record(&second.uri)["value"]["reply"].clone();
    assert_eq!((&reply["root"]["uri"], &reply["parent"]["uri"]), (&json!(wish.uri), &json!(answer.uri)));
    ben.quote("Look", &wish);
    ben.block(&cyd.did);
    cyd.update_handle("cid.test");
    assert_eq!(ada.did_of("cid.test").as_ref(), Some(&cyd.did));

    let password = bot.app_password();
    let login = json!({"identifier": bot.handle, "password": password});
    let login = Client::new(&peer.url(), "").post("/xrpc/com.atproto.server.createSession", &login);
    assert_eq!(login["did"], bot.did);
    let service = &login["didDoc"]["service"][0]["serviceEndpoint"];
    assert_eq!(service, &json!(peer.url()), "accounts are where the cut is");

    // Many pages, and a crash.
    for number in 0..120 {
        cyd.post(&format!("Post {number}"));
    }
    peer.restart();
    let posts = ada.list_posts(&cyd.did);
    assert_eq!((posts.len(), texts(&posts)[0], texts(&posts)[119]), (120, "Post 0", "Post 119"));
    assert_eq!(ada.did_of("cid.test").as_ref(), Some(&cyd.did));
    assert_eq!(texts(&ada.list_posts(&bot.did)), ["Yours. Repost this to confirm"]);
    let document = Client::new(&peer.plc(), "").get(&format!("/{}", cyd.did));
    assert_eq!(document["alsoKnownAs"][0], "at://cid.test", "{document}");
    peer.person("dee").post("New here");
}

#[test]
fn all_of_bluesky_tells_and_finds() {
    let Some(peer) = BlueskyPeer::start_whole() else { return };
    let [bot, ada] = ["teashop", "ada"].map(|name| peer.person(name));
    // A client's way: through the cut, with a password for apps.
    let login = json!({"identifier": bot.did, "password": bot.app_password()});
    let client = Client::new(&peer.url(), "");
    let login = client.post("/xrpc/com.atproto.server.createSession", &login);
    let client = client.with_token(login["accessJwt"].as_str().unwrap());
    let told = |reason: &str| {
        let page = client.get("/xrpc/app.bsky.notification.listNotifications?limit=100");
        let all = page["notifications"].as_array().unwrap().clone();
        all.into_iter().filter(|one| one["reason"] == reason).collect::<Vec<_>>()
    };
    let wish = ada.post("@teashop.test #BuyTea");
    let mention = wait_for("a mention", || told("mention").pop());
    assert_eq!((&mention["uri"], &mention["author"]["did"]), (&json!(wish.uri), &json!(ada.did)));
    let found = client.get("/xrpc/app.bsky.feed.searchPosts?q=%23BuyTea&sort=latest");
    assert_eq!(found["posts"][0]["uri"], *wish.uri, "{found}");
    let answer = bot.reply("Repost this to confirm", &wish);
    let repost = ada.repost(&answer);
    let told_of = wait_for("a repost", || told("repost").pop());
    assert_eq!((&told_of["uri"], &told_of["reasonSubject"]), (&json!(repost.uri), &json!(answer.uri)));
    ada.delete(&wish.uri);
    wait_for("what is deleted to be forgotten", || told("mention").is_empty().then_some(()));
}

#[test]
fn people_post_on_mastodon() {
    let Some(mut peer) = MastodonPeer::start() else { return };
    let [bot, ada, ben, cyd, eve] = ["shop", "ada", "ben", "cyd", "eve"].map(|name| peer.person(name));
    let mut told = stream(&peer.cut.address(), "/api/v1/streaming?stream=user", &bot.token);
    let wish = ada.post("Hello @shop, #BuyTea", "public");
    hears(&mut told, "Hello @shop, #BuyTea");
    let status = bot.status(&wish).unwrap();
    assert_eq!((&status["tags"][0]["name"], &status["account"]["id"]), (&json!("buytea"), &json!(ada.id)));
    assert!(status["url"].as_str().unwrap().starts_with(&peer.url()), "{status}");
    let answer = bot.reply("@ada Yours. Repost this to confirm", "unlisted", &wish);
    ada.reblog(&answer);
    eve.post("@shop #BuyTea", "public");
    let told = bot.notifications();
    let told: Vec<_> =
        told.iter().map(|one| (one["type"].as_str(), one["account"]["acct"].as_str())).collect();
    let expected = [("mention", "ada"), ("reblog", "ada"), ("mention", "eve@far.example")];
    assert_eq!(told, expected.map(|(kind, who)| (Some(kind), Some(who))));
    ada.unreblog(&answer);
    let secret = ben.post("@shop", "direct");
    let path = format!("/api/v1/statuses/{secret}/reblog");
    assert_eq!(bot.client.call("POST", &path, &json!({})).status, 403);
    ada.edit(&wish, "Hello @shop, #BuyCoffee");
    let edited = bot.status(&wish).unwrap();
    assert_eq!((&edited["tags"][0]["name"], &edited["tags"][1]), (&json!("buycoffee"), &Value::Null));
    assert_eq!(ada.replies(&wish)[0]["id"], *answer);
    cyd.block(&bot.id);
    cyd.post("@shop are you there", "public");
    let again = bot.post("Tomorrow", "public");
    bot.delete(&again);
    assert_eq!(ada.status(&again), None);

    peer.fault("GET", "/api/v1/notifications", &json!({"type": "ratelimit"}), 1);
    let refused = bot.client.call("GET", "/api/v1/notifications", &Value::Null);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("300")));

    for number in 0..90 {
        ben.post(&format!("@shop {number}"), "unlisted");
    }
    peer.restart();
    assert_eq!(bot.notifications().len(), 3 + 1 + 90, "nothing of who blocks it");
    let statuses = ada.statuses(&bot.id);
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0]["id"], *answer);
}

/// A server that counts: it answers each request with how many it has had, in two parts, and a websocket with what it
/// says.
fn counter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut count = 0;
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut read = Vec::new();
            let mut bytes = [0; 4096];
            while let Ok(got @ 1..) = stream.read(&mut bytes) {
                read.extend(&bytes[..got]);
                if read.windows(11).any(|part| part == b"Upgrade: ws") {
                    let _ = stream.write_all(&bytes[..got]);
                } else if read.ends_with(if read.starts_with(b"POST") { b" end" } else { b"\r\n\r\n" }) {
                    count += 1;
                    read.clear();
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
                    let _ = stream.write_all(format!("{count:>4}").as_bytes());
                }
            }
        }
    });
    port
}

/// What a request is answered; `None` where no answer comes.
fn ask(client: &Client, method: &str, path: &str) -> Option<String> {
    let body: &[u8] = if method == "POST" { b"up to the end" } else { b"" };
    let answer = client.send(method, path, "text/plain", body).ok()?;
    Some(String::from_utf8(answer.body).unwrap().trim().to_owned())
}

#[test]
fn a_network_can_be_cut() {
    let cut = Cut::before(counter());
    let client = Client::new(&cut.url(), "");
    let asks = |method: &str, path: &str| ask(&client, method, path);
    assert_eq!(asks("GET", "/a").as_deref(), Some("1"));
    assert_eq!(asks("POST", "/a").as_deref(), Some("2"));
    cut.down();
    assert_eq!((asks("GET", "/a"), asks("POST", "/a")), (None, None));
    cut.open();
    assert_eq!(asks("POST", "/a").as_deref(), Some("3"));

    // Two answers are lost, of those that are meant; what was asked was done.
    cut.swallow_answers(2, "POST /lost");
    assert_eq!(asks("POST", "/other").as_deref(), Some("4"));
    assert_eq!(asks("POST", "/lost?x=1"), None);
    assert_eq!(asks("GET", "/lost").as_deref(), Some("6"));
    assert_eq!(asks("POST", "/lost"), None);
    assert_eq!(asks("POST", "/lost").as_deref(), Some("8"));
    assert_eq!((cut.swallowed(), cut.requests("POST /lost")), (2, 3));
}

#[test]
fn a_websocket_passes_until_the_network_is_cut() {
    let cut = Cut::before(counter());
    let mut stream = TcpStream::connect(cut.address()).unwrap();
    let hello = b"GET /stream HTTP/1.1\r\nHost: here\r\nUpgrade: ws\r\n\r\n\x81\x02hi";
    stream.write_all(hello).unwrap();
    let mut echo = vec![0; hello.len()];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(echo, hello);
    stream.write_all(b"\x81\x00").unwrap();
    stream.read_exact(&mut echo[..2]).unwrap();
    assert_eq!(&echo[..2], b"\x81\x00");
    cut.down();
    // An end or an error: nothing comes any more.
    assert_eq!(stream.read(&mut echo).unwrap_or(0), 0);
    cut.open();
    wait_for("the network", || TcpStream::connect(cut.address()).ok()?.write_all(hello).ok());
}
