//! Bluesky as a stage: a PDS with its directory, whose firehose the bridge reads through the cut; or all of it, and the
//! bridge asks the AppView through the PDS.

use crate::peers::{BlueskyPeer, BlueskyPerson, Cut, Post};
use crate::stage::{Network, Stage};
use crate::support::wait_for;
use serde_json::json;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Mutex;

pub struct Bluesky {
    peer: BlueskyPeer,
    source: &'static str,
    bot: BlueskyPerson,
    password: String,
    people: Vec<BlueskyPerson>,
    /// What was posted, for whoever reposts or answers it.
    posts: Mutex<HashMap<String, Post>>,
}

impl Bluesky {
    pub fn start() -> Option<Self> {
        Some(Self::of(BlueskyPeer::start()?, "firehose"))
    }

    /// All of the network, with an AppView.
    pub fn start_whole() -> Option<Self> {
        Some(Self::of(BlueskyPeer::start_whole()?, "appview"))
    }

    fn of(peer: BlueskyPeer, source: &'static str) -> Self {
        let bot = peer.person("teashop");
        let people = ["ada", "ben", "cyd"].map(|name| peer.person(name)).into();
        let password = bot.app_password();
        Self { peer, source, bot, password, people, posts: Mutex::default() }
    }

    fn keep(&self, post: Post) -> String {
        let uri = post.uri.clone();
        self.posts.lock().unwrap().insert(uri.clone(), post);
        uri
    }

    fn kept(&self, uri: &str) -> Post {
        self.posts.lock().unwrap().get(uri).cloned().unwrap()
    }
}

impl Network for Bluesky {
    fn slug(&self) -> &'static str {
        "bluesky"
    }

    fn cut(&self) -> &Cut {
        &self.peer.cut
    }

    fn posting_path(&self) -> &'static str {
        "com.atproto.repo.putRecord"
    }

    fn person(&self, who: usize) -> (String, String) {
        (self.people[who].did.clone(), self.people[who].handle.clone())
    }

    fn bot_handle(&self) -> String {
        self.bot.handle.clone()
    }

    fn warm_up(&self) {
        self.bot.post("We are open");
    }

    fn set_up(&self, command: &mut Command) {
        command.args(["--source", self.source, "--handle", &self.bot.handle, "--service", &self.peer.url()]);
        command.args(["--firehose", &self.peer.url().replace("http:", "ws:"), "--plc", &self.peer.plc()]);
        command.env("TAGTILL_BLUESKY_PASSWORD", &self.password);
    }

    fn set_up_inside(&self, command: &mut Command) {
        command.env("TAGTILL_BLUESKY_SOURCE", self.source).env("TAGTILL_BLUESKY_HANDLE", &self.bot.handle);
        command.env("TAGTILL_BLUESKY_SERVICE", self.peer.url()).env("TAGTILL_BLUESKY_PLC", self.peer.plc());
        command.env("TAGTILL_BLUESKY_FIREHOSE", self.peer.url().replace("http:", "ws:"));
        command.env("TAGTILL_BLUESKY_PASSWORD", &self.password);
    }

    fn post(&self, who: usize, text: &str) -> String {
        self.keep(self.people[who].post(text))
    }

    fn post_as_bot(&self, text: &str) -> String {
        self.keep(self.bot.post(text))
    }

    fn repost(&self, who: usize, post: &str) -> String {
        self.people[who].repost(&self.kept(post)).uri
    }

    fn delete(&self, who: usize, post: &str) {
        self.people[who].delete(post);
    }

    fn is_marked_as_bot(&self) -> bool {
        let profile = self.bot.record(&format!("at://{}/app.bsky.actor.profile/self", self.bot.did));
        profile["value"]["labels"]["values"][0]["val"] == "bot"
    }

    fn replies(&self) -> Vec<(String, String, String)> {
        let posts = self.bot.list_posts(&self.bot.did);
        let reply = |post: &serde_json::Value| {
            let text = |pointer: &str| post.pointer(pointer)?.as_str().map(str::to_owned);
            let parent = text("/value/reply/parent/uri")?;
            taps_what_it_says(&post["value"]);
            self.keep(Post { uri: text("/uri")?, cid: text("/cid")? });
            Some((text("/uri")?, parent, text("/value/text")?))
        };
        posts.iter().filter_map(reply).collect()
    }
}

/// Somebody takes another handle after it was linked: that may be somebody else by now.
pub fn changed_handle(network: Bluesky) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let wish = stage.network.post(0, "@teashop.test #BuyPot");
    stage.reply_to(&wish);
    stage.network.people[0].update_handle("lovelace.test");
    let again = stage.network.post(0, "@teashop.test #ConfirmPot");
    stage.wait_for_verdict(&again, "identity_frozen");
    let other = stage.network.post(1, "@teashop.test #BuyPot");
    stage.wait_for_verdict(&other, "pending");
    stage.settle();
    assert_eq!(stage.paid_once_each(), 0);
}

/// A post says that it was made before the hold had ended; it was not.
pub fn backdated(network: Bluesky) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let wish = stage.network.post(0, "@teashop.test #BuyCup");
    stage.reply_to(&wish);
    let client = stage.client();
    let expires_at: jiff::Timestamp = wait_for("the window", || {
        let pending = client.get("/v1/purchases?status=pending");
        let at: jiff::Timestamp = pending["data"][0]["expires_at"].as_str()?.parse().ok()?;
        (at < jiff::Timestamp::now()).then_some(at)
    });
    // An AppView that does not say when it was told is trusted to show everything within ten seconds.
    let long_after = expires_at + jiff::SignedDuration::from_secs(15);
    wait_for("long after the window", || (jiff::Timestamp::now() > long_after).then_some(()));
    let ago = |seconds| (expires_at - jiff::SignedDuration::from_secs(seconds)).to_string();
    for created_at in [ago(1), ago(300)] {
        let mut record = stage.network.people[0].says("@teashop.test #ConfirmCup");
        record["createdAt"] = json!(created_at);
        let late = stage.network.people[0].create("app.bsky.feed.post", &record);
        stage.wait_for_verdict(&late.uri, "too_late");
    }
    stage.settle();
    assert_eq!(stage.paid_once_each(), 0);
}

/// Somebody blocks the shop before it has answered: the answer is given up, and others get theirs.
pub fn blocked(network: Bluesky) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let wish = stage.network.post(1, "@teashop.test #BuyPot");
    stage.reply_to(&wish);
    stage.take_bridge().stop();
    // As if the bridge had ended just after it had handed these in.
    let client = stage.client();
    let wishes = [0, 2].map(|who| {
        let post = stage.network.post(who, "@teashop.test #BuyPot");
        let (user_id, handle) = stage.network.person(who);
        let author = json!({"user_id": user_id, "handle": handle});
        let line =
            json!({"network": "bluesky", "id": post, "author": author, "text": "@teashop.test #BuyPot"});
        assert_eq!(client.post("/v1/posts", &line)["verdict"], "pending");
        post
    });
    stage.network.people[0].block(&stage.network.bot.did);
    stage.start_bridge();
    stage.reply_to(&wishes[1]);
    stage.settle();
    assert_eq!(stage.one_reply_each(), 2);
    wait_for("the refusal to be counted", || {
        let bridge = client.get("/v1/networks/bluesky/bridge");
        (bridge["errors"]["refused"] == 1).then_some(())
    });
}

/// Somebody blocks the shop and takes that back, also across an outage; who has said "stop" stays left alone after that.
/// Who may be the owner of a handle is asked for before a code is handed in.
pub fn blocks_end(network: Bluesky) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let client = stage.client();
    let wish = stage.network.post(1, "@teashop.test #BuyPot #Link4711ABCDEFGHI");
    let (reply, _) = stage.reply_to(&wish);
    stage.wait_for_verdict(&wish, "pending");
    let opt_outs = |count| {
        wait_for("the opt-outs", || {
            (client.all("/v1/networks/bluesky/opt-outs").len() == count).then_some(())
        });
    };
    let bot = stage.network.bot.did.clone();
    let block = stage.network.people[0].block(&bot);
    opt_outs(1);
    stage.network.cut().down();
    stage.network.people[0].delete(&block.uri);
    stage.network.cut().open();
    opt_outs(0);
    let wish = stage.network.post(0, "@teashop.test #BuyPot");
    stage.reply_to(&wish);
    // An answer to us is to us.
    stage.network.people[1].reply("stop", &stage.network.kept(&reply));
    opt_outs(1);
    let block = stage.network.people[1].block(&bot);
    stage.network.people[1].delete(&block.uri);
    let last = stage.network.post(2, "@teashop.test #BuyPot");
    stage.reply_to(&last);
    opt_outs(1);
    stage.settle();
    assert_eq!(stage.one_reply_each(), 3);
}

/// The hashtags that can be tapped in a post are those in its text, by bytes.
fn taps_what_it_says(record: &serde_json::Value) {
    let text = record["text"].as_str().unwrap();
    let facets = record["facets"].as_array().unwrap();
    let at = |facet: &serde_json::Value, end: &str| {
        usize::try_from(facet["index"][end].as_u64().unwrap()).unwrap()
    };
    for facet in facets {
        let tag = facet["features"][0]["tag"].as_str().unwrap();
        assert_eq!(text[at(facet, "byteStart")..at(facet, "byteEnd")], format!("#{tag}"));
    }
    assert_eq!(facets.len(), text.matches('#').count(), "{text}");
}
