//! Mastodon's API as a stage. Its server here is a mock that follows Mastodon's documents: no real one runs without a
//! mail server, a database and a domain.

use crate::peers::{Cut, MastodonPeer, MastodonPerson};
use crate::stage::Network;
use std::process::Command;

pub struct Mastodon {
    peer: MastodonPeer,
    bot: MastodonPerson,
    people: Vec<MastodonPerson>,
}

impl Mastodon {
    pub fn start() -> Option<Self> {
        let peer = MastodonPeer::start()?;
        let bot = peer.person("shop");
        let people = ["ada", "ben", "cyd"].map(|name| peer.person(name)).into();
        Some(Self { peer, bot, people })
    }

    fn full(&self, acct: &str) -> String {
        format!("{acct}@{}", self.peer.cut.address())
    }
}

impl Network for Mastodon {
    fn slug(&self) -> &'static str {
        "mastodon"
    }

    fn cut(&self) -> &Cut {
        &self.peer.cut
    }

    fn posting_path(&self) -> &'static str {
        "POST /api/v1/statuses"
    }

    fn person(&self, who: usize) -> (String, String) {
        (self.people[who].id.clone(), self.full(&self.people[who].acct))
    }

    fn bot_handle(&self) -> String {
        self.full("shop")
    }

    fn mention(&self) -> String {
        "@shop".to_owned()
    }

    fn set_up(&self, command: &mut Command) {
        command.args(["--server", &self.peer.url()]);
        command.env("TAGTILL_MASTODON_TOKEN", &self.bot.token);
    }

    fn set_up_inside(&self, command: &mut Command) {
        command.env("TAGTILL_MASTODON_SERVER", self.peer.url());
        command.env("TAGTILL_MASTODON_TOKEN", &self.bot.token);
    }

    fn warm_up(&self) {
        self.people[2].post("@shop hello", "public");
    }

    fn post(&self, who: usize, text: &str) -> String {
        self.people[who].post(text, "public")
    }

    fn post_as_bot(&self, text: &str) -> String {
        self.bot.post(text, "public")
    }

    fn repost(&self, who: usize, post: &str) -> String {
        self.people[who].reblog(post);
        format!("reblog-{post}-{}", self.people[who].id)
    }

    fn delete(&self, who: usize, post: &str) {
        self.people[who].delete(post);
    }

    fn is_marked_as_bot(&self) -> bool {
        self.bot.client.get("/api/v1/accounts/verify_credentials")["bot"] == true
    }

    fn replies(&self) -> Vec<(String, String, String)> {
        let text = |status: &serde_json::Value, name: &str| status[name].as_str().map(str::to_owned);
        let statuses = self.bot.statuses(&self.bot.id);
        let reply = |status: &serde_json::Value| {
            Some((text(status, "id")?, text(status, "in_reply_to_id")?, text(status, "content")?))
        };
        statuses.iter().filter_map(reply).collect()
    }
}
