//! A Bluesky PDS with its directory, alone or with an AppView, and people on it.

use super::{Cut, Server, place, script};
use crate::support::Client;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The servers. A client under test goes through the cut; people do not.
pub struct BlueskyPeer {
    pub cut: Cut,
    server: Option<Server>,
    /// Of the PDS and of the directory; 0 until they were chosen.
    ports: [u16; 2],
    installed: PathBuf,
    /// Whether there is an AppView: then nothing is kept.
    whole: bool,
    data: tempfile::TempDir,
}

impl BlueskyPeer {
    /// Starts a PDS and its directory; `None` where the machine has none. There is no AppView: what needs one is answered
    /// with 502.
    pub fn start() -> Option<Self> {
        Some(Self::of(place("TAGTILL_BLUESKY")?, false))
    }

    /// Starts all of the network, for notifications, search and timelines; `None` where the machine has none.
    pub fn start_whole() -> Option<Self> {
        Some(Self::of(place("TAGTILL_BLUESKY_NETWORK")?, true))
    }

    fn of(installed: PathBuf, whole: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut peer = Self { cut: Cut::new(), server: None, ports: [0; 2], installed, whole, data };
        peer.run();
        peer
    }

    fn run(&mut self) {
        let mut command = Command::new(self.installed.join("node"));
        command.env("NODE_PATH", self.installed.join("node_modules"));
        command.arg("-r").arg(script("bluesky/loopback.cjs"));
        if self.whole {
            command.arg(script("bluesky_network/start.js"));
        } else {
            command.arg(script("bluesky/start.js")).arg(self.data.path().join("data"));
            command.args(self.ports.map(|port| port.to_string()));
        }
        command.arg(self.cut.url());
        let server = Server::start(command, self.whole, &self.data.path().join("log"));
        self.ports = [server.port("pds"), server.port("plc")];
        self.cut.lead_to(self.ports[0]);
        self.server = Some(server);
    }

    /// Ends the servers as a crash would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts them again, with all that they had.
    pub fn restart(&mut self) {
        assert!(!self.whole, "the whole network keeps nothing");
        self.kill();
        self.run();
    }

    /// The PDS for a client under test.
    pub fn url(&self) -> String {
        self.cut.url()
    }

    /// The PDS around the cut.
    pub fn direct(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// The directory.
    pub fn plc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[1])
    }

    /// Somebody new, called `name.test`. A few names, `shop` among them, are reserved.
    pub fn person(&self, name: &str) -> BlueskyPerson {
        let client = Client::new(&self.direct(), "");
        let password = format!("the password of {name}");
        let wish = json!({
            "handle": format!("{name}.test"), "email": format!("{name}@example.com"), "password": password
        });
        let made = client.post("/xrpc/com.atproto.server.createAccount", &wish);
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        let client = client.with_token(&text("accessJwt"));
        BlueskyPerson { did: text("did"), handle: text("handle"), password, client }
    }
}

/// A record's address and the hash of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub uri: String,
    pub cid: String,
}

impl Post {
    fn of(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned();
        Self { uri: text("uri"), cid: text("cid") }
    }

    fn json(&self) -> Value {
        json!({"uri": self.uri, "cid": self.cid})
    }
}

/// Somebody with an account.
pub struct BlueskyPerson {
    pub did: String,
    pub handle: String,
    pub password: String,
    /// Speaks as this person, around the cut.
    pub client: Client,
}

impl BlueskyPerson {
    /// A password for an app of theirs.
    pub fn app_password(&self) -> String {
        let made = self.client.post("/xrpc/com.atproto.server.createAppPassword", &json!({"name": "till"}));
        made["password"].as_str().unwrap().to_owned()
    }

    /// Writes a record of a collection.
    #[track_caller]
    pub fn create(&self, collection: &str, record: &Value) -> Post {
        let wish = json!({"repo": self.did, "collection": collection, "record": record});
        Post::of(&self.client.post("/xrpc/com.atproto.repo.createRecord", &wish))
    }

    /// Posts, marking tags and mentions as the network's own apps do.
    #[track_caller]
    pub fn post(&self, text: &str) -> Post {
        self.create("app.bsky.feed.post", &self.says(text))
    }

    /// Answers a post.
    #[track_caller]
    pub fn reply(&self, text: &str, parent: &Post) -> Post {
        let mut record = self.says(text);
        let answered = self.record(&parent.uri)["value"]["reply"]["root"].clone();
        let root = if answered.is_null() { parent.json() } else { answered };
        record["reply"] = json!({"root": root, "parent": parent.json()});
        self.create("app.bsky.feed.post", &record)
    }

    /// Posts with another post inside.
    #[track_caller]
    pub fn quote(&self, text: &str, quoted: &Post) -> Post {
        let mut record = self.says(text);
        record["embed"] = json!({"$type": "app.bsky.embed.record", "record": quoted.json()});
        self.create("app.bsky.feed.post", &record)
    }

    #[track_caller]
    pub fn repost(&self, post: &Post) -> Post {
        let record = json!({"$type": "app.bsky.feed.repost", "subject": post.json(), "createdAt": now()});
        self.create("app.bsky.feed.repost", &record)
    }

    #[track_caller]
    pub fn block(&self, did: &str) -> Post {
        let record = json!({"$type": "app.bsky.graph.block", "subject": did, "createdAt": now()});
        self.create("app.bsky.graph.block", &record)
    }

    /// Deletes a record of their own, of whatever collection.
    #[track_caller]
    pub fn delete(&self, uri: &str) {
        let [repo, collection, rkey] = parts(uri);
        let wish = json!({"repo": repo, "collection": collection, "rkey": rkey});
        self.client.post("/xrpc/com.atproto.repo.deleteRecord", &wish);
    }

    /// A record as it stands: its `uri`, `cid` and `value`.
    #[track_caller]
    pub fn record(&self, uri: &str) -> Value {
        let [repo, collection, rkey] = parts(uri);
        let query = format!("repo={repo}&collection={collection}&rkey={rkey}");
        self.client.get(&format!("/xrpc/com.atproto.repo.getRecord?{query}"))
    }

    /// Somebody's posts, the oldest first: `uri`, `cid` and `value` of each.
    #[track_caller]
    pub fn list_posts(&self, did: &str) -> Vec<Value> {
        self.list(did, "app.bsky.feed.post")
    }

    /// Somebody's records of a collection, the oldest first.
    #[track_caller]
    pub fn list(&self, did: &str, collection: &str) -> Vec<Value> {
        let query = format!("repo={did}&collection={collection}&limit=100&reverse=true");
        let path = format!("/xrpc/com.atproto.repo.listRecords?{query}");
        let (mut found, mut next) = (Vec::new(), path.clone());
        loop {
            let page = self.client.get(&next);
            found.extend(page["records"].as_array().unwrap().iter().cloned());
            match page["cursor"].as_str() {
                Some(cursor) => next = format!("{path}&cursor={cursor}"),
                None => return found,
            }
        }
    }

    /// Takes another handle.
    #[track_caller]
    pub fn update_handle(&mut self, handle: &str) {
        let answer =
            self.client.call("POST", "/xrpc/com.atproto.identity.updateHandle", &json!({"handle": handle}));
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        handle.clone_into(&mut self.handle);
    }

    /// A post's record, with what is marked in its text.
    pub fn says(&self, text: &str) -> Value {
        let mut facets = Vec::new();
        let mut start = 0;
        for word in text.split_inclusive(char::is_whitespace) {
            let marked = word.trim_end_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
            let feature = match (marked.strip_prefix('#'), marked.strip_prefix('@')) {
                (Some(tag), _) if !tag.is_empty() => {
                    Some(json!({"$type": "app.bsky.richtext.facet#tag", "tag": tag}))
                }
                (_, Some(handle)) => self
                    .did_of(handle)
                    .map(|did| json!({"$type": "app.bsky.richtext.facet#mention", "did": did})),
                _ => None,
            };
            if let Some(feature) = feature {
                let index = json!({"byteStart": start, "byteEnd": start + marked.len()});
                facets.push(json!({"index": index, "features": [feature]}));
            }
            start += word.len();
        }
        json!({"$type": "app.bsky.feed.post", "text": text, "facets": facets, "langs": ["en"], "createdAt": now()})
    }

    /// Whose handle this is.
    pub fn did_of(&self, handle: &str) -> Option<String> {
        let path = format!("/xrpc/com.atproto.identity.resolveHandle?handle={handle}");
        let answer = self.client.send("GET", &path, "", b"").unwrap();
        (answer.status == 200).then(|| answer.json()["did"].as_str().unwrap().to_owned())
    }
}

/// Repository, collection and key of an `at://` address.
fn parts(uri: &str) -> [&str; 3] {
    let parts: Vec<&str> = uri.strip_prefix("at://").unwrap().split('/').collect();
    parts.try_into().unwrap()
}

fn now() -> String {
    jiff::Timestamp::now().round(jiff::Unit::Millisecond).unwrap().to_string()
}
