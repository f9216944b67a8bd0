//! The way to one server: its address, the token, and what it says of itself.

use super::status::text;
use crate::bridges::{Ask, Kind, Payload, Trouble, Web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What Mastodon and GoToSocial take from one account …
const REQUESTS_MAX: usize = 300;
/// … within this time.
const REQUESTS_WITHIN: Duration = Duration::from_secs(300);
/// The length of a post where a server does not say.
const CHARACTERS: u64 = 500;
/// As what all requests but new posts are counted.
const REQUESTS: &str = "requests";
/// As what new posts are counted.
pub const POSTS: &str = "posts";
/// The first version of Mastodon's API (4.5) that tells of quotes.
const QUOTES_SINCE: u64 = 7;

/// A server, as an account of it.
pub struct Api {
    web: Web,
    base: String,
    token: String,
    /// When something was asked lately.
    asked: Mutex<VecDeque<Instant>>,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// The domain in its people's handles.
    pub domain: String,
    /// What runs there.
    pub version: String,
    /// The longest post.
    pub characters: u64,
    /// What any link counts as.
    pub characters_per_link: u64,
    /// Where its streams are.
    pub streaming: String,
    /// Whether it tells whose post was quoted.
    pub tells_of_quotes: bool,
}

impl Api {
    /// `base` was checked before.
    pub fn new(base: String, token: String) -> Self {
        Self { web: Web::new(), base, token, asked: Mutex::default() }
    }

    /// The address of the server.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The token, for streams.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Asks for what has to be there.
    pub fn get(&self, path: &str) -> Result<Value, Trouble> {
        let named = path.split('?').next().unwrap_or_default();
        self.find(path)?.ok_or_else(|| Trouble::refused(format!("the server knows no {named}")))
    }

    /// Asks for what may not be there.
    pub fn find(&self, path: &str) -> Result<Option<Value>, Trouble> {
        self.exchange("GET", path, Payload::Empty, &[], REQUESTS)
    }

    /// Sends JSON; `None` where what it is about is not there.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, String)],
        bucket: &'static str,
    ) -> Result<Option<Value>, Trouble> {
        self.exchange(method, path, Payload::Json(body), headers, bucket)
    }

    /// Changes something that is not counted with new posts.
    pub fn change(&self, method: &str, path: &str, body: &Value) -> Result<Option<Value>, Trouble> {
        self.send(method, path, body, &[], REQUESTS)
    }

    /// Sends a form, as one who is not signed in.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, Trouble> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = format!("{}{path}", self.base);
        let ask =
            Ask { method: "POST", url: &url, headers: &[], payload: Payload::Form(form), bucket: REQUESTS };
        Ok(self.web.ask(&ask)?.body)
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        payload: Payload<'_>,
        headers: &[(&str, String)],
        bucket: &'static str,
    ) -> Result<Option<Value>, Trouble> {
        self.count();
        let mut all = vec![("Authorization", format!("Bearer {}", self.token))];
        all.extend_from_slice(headers);
        let url = format!("{}{path}", self.base);
        let ask = Ask { method, url: &url, headers: &all, payload, bucket };
        let found = self.web.find(&ask).map_err(of_the_token)?;
        Ok(found.map(|answered| answered.body))
    }

    fn count(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now());
    }

    /// Whether a request leaves room for `others` within the server's usual limit. Replies are always sent; whoever
    /// only reads leaves room for them.
    pub fn has_room(&self, others: usize) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        while asked.front().is_some_and(|at| at.elapsed() >= REQUESTS_WITHIN) {
            asked.pop_front();
        }
        asked.len() + others < REQUESTS_MAX
    }

    /// What the server says of itself, in the new way or the old one.
    pub fn instance(&self) -> Result<Instance, Trouble> {
        if let Some(said) = self.find("/api/v2/instance")? {
            let instance = instance_of(&said, &self.base);
            if !instance.domain.is_empty() {
                return Ok(instance);
            }
        }
        let said = self.find("/api/v1/instance")?;
        let instance = said.map(|said| instance_of(&said, &self.base)).unwrap_or_default();
        if instance.domain.is_empty() {
            let why = format!("{} has no Mastodon API: is it the server's address?", self.base);
            return Err(Trouble::refused(why));
        }
        Ok(instance)
    }
}

/// What a server refuses to this token at all is no refusal of the one thing that was asked for.
fn of_the_token(mut trouble: Trouble) -> Trouble {
    let why = trouble.why.to_lowercase();
    let signs = ["scope", "insufficient permission", "your login "];
    if trouble.kind == Kind::Refused && why.contains("403") && signs.iter().any(|sign| why.contains(sign)) {
        trouble.kind = Kind::Credentials;
    }
    trouble
}

fn instance_of(said: &Value, base: &str) -> Instance {
    let number = |paths: &[&str]| paths.iter().find_map(|path| said.pointer(path)?.as_u64());
    let words =
        |paths: &[&str]| paths.iter().find_map(|path| text(said, path)).unwrap_or_default().to_owned();
    let domain = words(&["/domain", "/uri"]);
    let domain = domain.split("://").last().unwrap_or_default().trim_end_matches('/').to_owned();
    let streaming = words(&["/configuration/urls/streaming", "/urls/streaming", "/urls/streaming_api"]);
    let streaming = if streaming.is_empty() { base } else { streaming.trim_end_matches('/') };
    Instance {
        domain,
        version: words(&["/version"]),
        characters: number(&["/configuration/statuses/max_characters", "/max_toot_chars"])
            .unwrap_or(CHARACTERS),
        characters_per_link: number(&["/configuration/statuses/characters_reserved_per_url"]).unwrap_or(0),
        // `https://` becomes `wss://`, and `http://` becomes `ws://`.
        streaming: streaming
            .strip_prefix("http")
            .map_or_else(|| streaming.to_owned(), |rest| format!("ws{rest}")),
        tells_of_quotes: number(&["/api_versions/mastodon"]).is_some_and(|version| version >= QUOTES_SINCE),
    }
}

/// A part of a path or query.
pub fn encoded(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn servers_of_all_kinds_say_what_they_are() {
        let mastodon = json!({
            "domain": "a.example", "version": "4.5.0", "api_versions": {"mastodon": 7},
            "configuration": {
                "urls": {"streaming": "wss://streaming.a.example"},
                "statuses": {"max_characters": 500, "characters_reserved_per_url": 23},
            },
        });
        let wanted = Instance {
            domain: "a.example".into(),
            version: "4.5.0".into(),
            characters: 500,
            characters_per_link: 23,
            streaming: "wss://streaming.a.example".into(),
            tells_of_quotes: true,
        };
        assert_eq!(instance_of(&mastodon, "https://www.a.example"), wanted);
        let akkoma = json!({
            "uri": "https://b.example/", "version": "2.7.2 (compatible; Akkoma 3.15.2)", "max_toot_chars": 5000,
            "urls": {"streaming_api": "https://b.example/"},
        });
        let instance = instance_of(&akkoma, "https://b.example");
        assert_eq!((instance.domain.as_str(), instance.characters), ("b.example", 5000));
        assert_eq!((instance.streaming.as_str(), instance.tells_of_quotes), ("wss://b.example", false));
        let little = instance_of(&json!({"uri": "c.example"}), "http://127.0.0.1:1");
        assert_eq!((little.streaming.as_str(), little.characters), ("ws://127.0.0.1:1", 500));
        assert_eq!(instance_of(&json!([]), "https://d.example").domain, "");
    }

    #[test]
    fn a_token_without_rights_is_told_from_a_refusal() {
        for (kind, why, wanted) in [
            (
                Kind::Refused,
                "the answer was 403: This action is outside the authorized scopes",
                Kind::Credentials,
            ),
            (
                Kind::Refused,
                "the answer was 403: Insufficient permissions: write:statuses.",
                Kind::Credentials,
            ),
            (Kind::Refused, "the answer was 403: Your login is currently disabled", Kind::Credentials),
            (Kind::Refused, "the answer was 403: This action is not allowed", Kind::Refused),
            (Kind::Refused, "the answer was 422: the scope of #Tea", Kind::Refused),
            (Kind::Server, "the answer was 500: scope", Kind::Server),
        ] {
            assert_eq!(of_the_token(Trouble::new(kind, why)).kind, wanted, "{why}");
        }
    }

    #[test]
    fn readers_leave_room_for_replies() {
        let api = Api::new("http://127.0.0.1:1".into(), String::new());
        (0..250).for_each(|_| api.count());
        assert!(api.has_room(49));
        assert!(!api.has_room(50));
    }
}
