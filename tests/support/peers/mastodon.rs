//! A server with Mastodon's API, and people on it. `tests/peers/mastodon/start.py` says what is wrong about it.

use super::{Cut, Server, place, script};
use crate::support::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The server. A client under test goes through the cut; people do not.
pub struct MastodonPeer {
    pub cut: Cut,
    server: Option<Server>,
    /// 0 until it was chosen.
    port: u16,
    installed: PathBuf,
    data: tempfile::TempDir,
}

impl MastodonPeer {
    /// Starts it; `None` where the machine has none.
    pub fn start() -> Option<Self> {
        let installed = place("TAGTILL_MASTODON")?;
        let data = tempfile::tempdir().unwrap();
        let mut peer = Self { cut: Cut::new(), server: None, port: 0, installed, data };
        peer.run();
        Some(peer)
    }

    fn run(&mut self) {
        let mut command = Command::new(self.installed.join("bin/python"));
        command.arg(script("mastodon/start.py")).arg(self.data.path().join("data"));
        command.arg(self.port.to_string()).arg(self.cut.address());
        let server = Server::start(command, false, &self.data.path().join("log"));
        self.port = server.port("url");
        self.cut.lead_to(self.port);
        self.server = Some(server);
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it again, with all that it had.
    pub fn restart(&mut self) {
        self.kill();
        self.run();
    }

    /// The server for a client under test.
    pub fn url(&self) -> String {
        self.cut.url()
    }

    /// The server around the cut.
    pub fn direct(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One of those who have an account: the bot `shop`; `ada`, `ben`, `cyd`, `dee`; `eve` of another server.
    pub fn person(&self, name: &str) -> MastodonPerson {
        let token = format!("token-of-{name}");
        let client = Client::new(&self.direct(), &token);
        let account = client.get("/api/v1/accounts/verify_credentials");
        let text = |key: &str| account[key].as_str().unwrap().to_owned();
        MastodonPerson { id: text("id"), acct: text("acct"), token, client }
    }

    /// Does something wrong with the next requests to a path (`*` stands for anything), as its server can:
    /// `{"type": "status", "status": 503}`, `ratelimit`, `latency` with `delay_ms`, `malformed`, `timeout`.
    pub fn fault(&self, method: &str, path: &str, effect: &Value, times: usize) {
        let fault = json!({"match": {"methods": [method], "path": path}, "effect": effect, "count": times});
        Client::new(&self.direct(), "").post("/api/v1/_mock/faults", &fault);
    }
}

/// Somebody with an account.
pub struct MastodonPerson {
    pub id: String,
    /// `ada`, or `eve@far.example`.
    pub acct: String,
    pub token: String,
    /// Speaks as this person, around the cut.
    pub client: Client,
}

impl MastodonPerson {
    #[track_caller]
    fn publish(&self, status: &Value) -> String {
        self.client.post("/api/v1/statuses", status)["id"].as_str().unwrap().to_owned()
    }

    /// Posts `public`, `unlisted`, `private` or `direct`; the post's id.
    #[track_caller]
    pub fn post(&self, text: &str, visibility: &str) -> String {
        self.publish(&json!({"status": text, "visibility": visibility}))
    }

    /// Answers a post.
    #[track_caller]
    pub fn reply(&self, text: &str, visibility: &str, parent: &str) -> String {
        self.publish(&json!({"status": text, "visibility": visibility, "in_reply_to_id": parent}))
    }

    #[track_caller]
    fn act(&self, id: &str, verb: &str) -> Value {
        self.client.post(&format!("/api/v1/statuses/{id}/{verb}"), &json!({}))
    }

    /// Reposts; the repost's id.
    #[track_caller]
    pub fn reblog(&self, id: &str) -> String {
        self.act(id, "reblog")["id"].as_str().unwrap().to_owned()
    }

    /// Takes a repost of this post back.
    #[track_caller]
    pub fn unreblog(&self, id: &str) {
        self.act(id, "unreblog");
    }

    #[track_caller]
    pub fn delete(&self, id: &str) {
        self.client.send("DELETE", &format!("/api/v1/statuses/{id}"), "", b"").unwrap().ok();
    }

    #[track_caller]
    pub fn edit(&self, id: &str, text: &str) {
        self.client.call("PUT", &format!("/api/v1/statuses/{id}"), &json!({"status": text})).ok();
    }

    /// A post as it stands; `None` where it is gone.
    #[track_caller]
    pub fn status(&self, id: &str) -> Option<Value> {
        let answer = self.client.send("GET", &format!("/api/v1/statuses/{id}"), "", b"").unwrap();
        (answer.status != 404).then(|| answer.ok())
    }

    /// What somebody posted and reposted, the oldest first.
    #[track_caller]
    pub fn statuses(&self, account: &str) -> Vec<Value> {
        self.pages(&format!("/api/v1/accounts/{account}/statuses"))
    }

    /// What this person was told, the oldest first.
    #[track_caller]
    pub fn notifications(&self) -> Vec<Value> {
        self.pages("/api/v1/notifications")
    }

    /// What answers a post, at whatever depth.
    #[track_caller]
    pub fn replies(&self, id: &str) -> Vec<Value> {
        self.context(id)["descendants"].as_array().unwrap().clone()
    }

    /// A post's `ancestors` and `descendants`.
    #[track_caller]
    pub fn context(&self, id: &str) -> Value {
        self.client.get(&format!("/api/v1/statuses/{id}/context"))
    }

    #[track_caller]
    pub fn block(&self, account: &str) {
        self.client.post(&format!("/api/v1/accounts/{account}/block"), &json!({}));
    }

    /// Everything of a list, the oldest first.
    #[track_caller]
    fn pages(&self, path: &str) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        loop {
            let last = found.last().map_or("0", |one| one["id"].as_str().unwrap());
            let page = self.client.get(&format!("{path}?limit=40&min_id={last}"));
            let page = page.as_array().unwrap();
            if page.is_empty() {
                return found;
            }
            found.extend(page.iter().rev().cloned());
        }
    }
}
