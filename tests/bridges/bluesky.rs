//! Bluesky as a stage: a PDS with its directory; the bridge reads the firehose through the cut.

use crate::peers::{BlueskyPeer, BlueskyPerson, Cut, Post};
use crate::stage::Network;
use std::collections::HashMap;
use std::process::Command;
use std::sync::Mutex;

pub struct Bluesky {
    peer: BlueskyPeer,
    bot: BlueskyPerson,
    password: String,
    people: Vec<BlueskyPerson>,
    /// What was posted, for whoever reposts or answers it.
    posts: Mutex<HashMap<String, Post>>,
}

impl Bluesky {
    pub fn start() -> Option<Self> {
        let peer = BlueskyPeer::start()?;
        let bot = peer.person("teashop");
        let people = ["ada", "ben", "cyd"].map(|name| peer.person(name)).into();
        let password = bot.app_password();
        Some(Self { peer, bot, password, people, posts: Mutex::default() })
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
        command.args(["--source", "firehose", "--handle", &self.bot.handle, "--service", &self.peer.url()]);
        command.args(["--firehose", &self.peer.url().replace("http:", "ws:"), "--plc", &self.peer.plc()]);
        command.env("TAGTILL_BLUESKY_PASSWORD", &self.password);
    }

    fn set_up_inside(&self, command: &mut Command) {
        command.env("TAGTILL_BLUESKY_SOURCE", "firehose").env("TAGTILL_BLUESKY_HANDLE", &self.bot.handle);
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

    fn replies(&self) -> Vec<(String, String, String)> {
        let posts = self.bot.list_posts(&self.bot.did);
        let reply = |post: &serde_json::Value| {
            let text = |pointer: &str| post.pointer(pointer)?.as_str().map(str::to_owned);
            let parent = text("/value/reply/parent/uri")?;
            self.keep(Post { uri: text("/uri")?, cid: text("/cid")? });
            Some((text("/uri")?, parent, text("/value/text")?))
        };
        posts.iter().filter_map(reply).collect()
    }
}
