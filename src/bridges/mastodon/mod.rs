//! Mastodon, GoToSocial, Akkoma: servers that speak Mastodon's API.

mod api;
mod bell;
mod check;
mod feed;
mod hashtags;
mod html;
pub mod login;
mod notifications;
mod replies;
mod status;
mod streaming;

use super::{Desk, Finding, Network, Own, Person, Post, Posted, Reply, Seen, Trouble, Watch};
use crate::till::network::TEXT_LIMIT_MIN;
use api::{Api, Instance};
use bell::Bell;
use serde_json::{Value, json};
use status::{Us, text};
use std::sync::{Mutex, PoisonError};

/// The source of mentions and reposts.
const NOTIFICATIONS: &str = "notifications";
/// The source of posts with the till's hashtags that mention nobody.
const HASHTAGS: &str = "hashtags";
/// The source of deletions; it also says when there are notifications.
const STREAMING: &str = "streaming";
/// At the first start, and where a list was not read to its end, what is older is left alone.
const YOUNG_SECONDS: i64 = 3600;
/// Room for the mention that every reply begins with: GoToSocial and Akkoma count all of it.
const MENTION_CHARACTERS: u64 = 60;
/// The shortest link that a reply may hold, `https://a.bc/x`.
const LINK_CHARACTERS_MIN: u64 = 14;

/// Who sees replies to public posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Visibility {
    /// Everybody who looks at the thread; no timeline shows them
    #[default]
    Unlisted,
    /// Everybody, in timelines too
    Public,
}

/// What was learned by signing in.
#[derive(Clone, Debug)]
struct Signed {
    us: Us,
    instance: Instance,
    /// Whether the account is marked as a bot.
    bot: bool,
}

/// A bridge to one account on one server.
pub struct Mastodon {
    api: Api,
    visibility: Visibility,
    signed: Mutex<Option<Signed>>,
    seen: Seen,
    watch: Watch,
    looks: Mutex<notifications::Looks>,
    bell: Bell,
}

impl Mastodon {
    /// A bridge to the account that `token` is for. `server` is as [`super::check_base`] gives it.
    pub fn new(server: String, token: String, visibility: Visibility) -> Self {
        Self {
            api: Api::new(server, token),
            visibility,
            signed: Mutex::default(),
            seen: Seen::default(),
            watch: Watch::default(),
            looks: Mutex::default(),
            bell: Bell::default(),
        }
    }

    fn signed(&self) -> Result<Signed, Trouble> {
        let signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        signed.ok_or_else(|| Trouble::protocol("the bridge is not signed in"))
    }

    /// Our account, as the server has it.
    fn account(&self) -> Result<Value, Trouble> {
        self.api.get("/api/v1/accounts/verify_credentials")
    }

    /// Hands in what was not handed in before, by what tells each from others; how much that was.
    fn hand_in(&self, desk: &Desk, posts: Vec<(String, Post)>) -> Result<usize, Trouble> {
        let mut keys = Vec::new();
        let mut fresh = Vec::new();
        for (key, post) in posts {
            if !self.seen.has(&key) && !keys.contains(&key) {
                keys.push(key);
                fresh.push(post);
            }
        }
        let answers = desk.hand_in(&fresh)?;
        for ((key, post), answer) in keys.iter().zip(&fresh).zip(&answers) {
            self.seen.note(key);
            if let Some(answer) = answer.as_ref().filter(|_| !status::is_repost(&post.id)) {
                self.watch.consider(&post.id, answer);
            }
        }
        Ok(fresh.len())
    }
}

impl Network for Mastodon {
    fn slug(&self) -> &'static str {
        "mastodon"
    }

    fn sign_in(&self) -> Result<Own, Trouble> {
        let instance = self.api.instance()?;
        let account = self.account()?;
        let id = text(&account, "/id").unwrap_or_default().to_owned();
        let us = Us { id, domain: instance.domain.clone() };
        let handle = us.handle(&account).filter(|_| !us.id.is_empty());
        let handle = handle.ok_or_else(|| Trouble::protocol("the server does not say whose token it is"))?;
        let own = Own {
            person: Person { user_id: us.id.clone(), handle },
            text_limit: Some(text_limit(&instance)),
        };
        let bot = account.get("bot").and_then(Value::as_bool).unwrap_or(false);
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Signed { us, instance, bot });
        Ok(own)
    }

    fn mark_as_bot(&self) -> Result<(), Trouble> {
        if self.signed()?.bot {
            return Ok(());
        }
        let said = self.api.change("PATCH", "/api/v1/accounts/update_credentials", &json!({"bot": true}))?;
        match said.and_then(|account| account.get("bot")?.as_bool()) {
            Some(true) => Ok(()),
            _ => Err(Trouble::refused("the server did not set the mark: set it in the profile")),
        }
    }

    fn check(&self) -> Vec<Finding> {
        check::check(self)
    }

    fn knows_to_whom(&self) -> bool {
        true
    }

    fn watch(&self) -> Option<&Watch> {
        Some(&self.watch)
    }

    fn sources(&self) -> Vec<&'static str> {
        vec![NOTIFICATIONS, HASHTAGS, STREAMING]
    }

    fn read(&self, source: &'static str, desk: &Desk) -> Result<(), Trouble> {
        match source {
            NOTIFICATIONS => self.read_notifications(desk),
            HASHTAGS => self.read_hashtags(desk),
            _ => self.listen(desk),
        }
    }

    fn post(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
        self.post_reply(reply, maybe_out)
    }
}

/// The longest reply: there is the mention in front of it, and any link counts as so much.
fn text_limit(instance: &Instance) -> u32 {
    let around = MENTION_CHARACTERS + instance.characters_per_link.saturating_sub(LINK_CHARACTERS_MIN);
    let limit = instance.characters.saturating_sub(around).clamp(TEXT_LIMIT_MIN as u64, 100_000);
    u32::try_from(limit).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_leaves_room_for_a_mention_and_for_how_links_are_counted() {
        let limit = |characters, characters_per_link| {
            text_limit(&Instance { characters, characters_per_link, ..Instance::default() })
        };
        assert_eq!(limit(500, 23), 431);
        assert_eq!(limit(5000, 0), 4940);
        assert_eq!(limit(100, 23), 140);
        assert_eq!(limit(u64::MAX, 23), 100_000);
    }
}
