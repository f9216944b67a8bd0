//! X (API v2): mentions, the filtered stream, webhooks, and replies to those who mentioned or quoted us.
//!
//! - `oauth`, `api`: signed requests, and what refusals mean; `budget`: what they cost
//! - `mentions`, `stream` (over a `wire`, after its `rules`), `webhook`: where posts come from
//!   (and `deletions`: whether they are still there; `reposts`: those that nobody told of)
//! - `tweet`, `events`: X's shapes as the till's; `snowflake`: its ids; `known`: names and versions seen lately
//! - `replies`: posting one, and finding one that may be out; `check`: what `--check` looks at

mod api;
mod budget;
mod check;
mod deletions;
mod events;
mod known;
mod mentions;
mod oauth;
mod replies;
mod reposts;
mod rules;
mod snowflake;
mod stream;
mod tweet;
mod webhook;
mod wire;

pub use budget::{Limits, Prices};
pub use oauth::Keys;

use super::{Desk, Finding, Network, Own, Person, Post, Posted, Reply, Seen, Trouble, Watch, now};
use crate::till::time::Time;
use api::Api;
use budget::Budget;
use known::Known;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tweet::{Tweet, Us};

/// The source that keeps what is spent.
const BUDGET: &str = "budget";
/// The source that asks for mentions.
const MENTIONS: &str = "mentions";
/// The source that listens to the filtered stream.
const STREAM: &str = "stream";
/// The source that looks whether posts are still there.
const DELETIONS: &str = "deletions";
/// The source that asks for native reposts of our replies, where the stream is away.
const REPOSTS: &str = "reposts";
/// The source that takes what X sends.
const WEBHOOK: &str = "webhook";

/// How to reach X, and what may be spent there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where X's API is.
    pub base: String,
    /// The app's and our account's keys.
    pub keys: Keys,
    /// The app's bearer token.
    pub bearer: String,
    /// What X asks for.
    pub prices: Prices,
    /// What may be spent; without it, nothing is done but a check.
    pub limits: Option<Limits>,
    /// From one question for mentions to the next, while no stream is heard.
    pub poll: Duration,
    /// Where X's webhooks are listened for.
    pub webhook: Option<SocketAddr>,
}

/// X.
#[derive(Debug)]
pub struct X {
    api: Api,
    has_budget: bool,
    poll: Duration,
    webhook: Option<SocketAddr>,
    us: Mutex<Us>,
    known: Known,
    seen: Seen,
    watch: Watch,
    /// Our latest replies.
    replies: reposts::Replies,
    /// Since when the stream is heard, where it is.
    streaming: Mutex<Option<Time>>,
}

impl X {
    /// X, with these settings.
    pub fn new(settings: Settings) -> Self {
        let Settings { base, keys, bearer, prices, limits, poll, webhook } = settings;
        let nothing = Limits { cents_per_day: 0, cents_per_month: None, reserve_percent: 0 };
        let budget = Budget::new(prices, limits.unwrap_or(nothing));
        Self {
            api: Api::new(&base, keys, &bearer, budget),
            has_budget: limits.is_some(),
            poll,
            webhook,
            us: Mutex::default(),
            known: Known::default(),
            seen: Seen::default(),
            watch: Watch::default(),
            replies: reposts::Replies::default(),
            streaming: Mutex::default(),
        }
    }

    fn us(&self) -> Us {
        self.us.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who we are, as X says.
    fn me(&self) -> Result<api::Me, Trouble> {
        let me = self.api.me()?;
        *self.us.lock().unwrap_or_else(PoisonError::into_inner) = me.us.clone();
        Ok(me)
    }

    /// Reads a post and remembers the names that came with it.
    fn tweet(&self, tweet: &Value, includes: &Value) -> Option<Tweet> {
        self.known.learn(includes);
        tweet::read(tweet, includes, &self.us())
    }

    /// Hands in posts that were not handed in lately, in their order.
    fn deliver(&self, desk: &Desk, tweets: Vec<Tweet>) -> Result<(), Trouble> {
        let mut posts: Vec<Post> = Vec::new();
        let mut versions = Vec::new();
        for Tweet { mut post, version } in tweets {
            if self.seen.has(&version) {
                continue;
            }
            if post.author.handle.is_empty() {
                let Some(handle) = self.known.name(&self.api, &post.author.user_id)? else {
                    log::warn!("x: {version} is left out: nobody knows its author's handle");
                    continue;
                };
                post.author.handle = handle;
            }
            self.known.note_version(&post.id, &version);
            posts.push(post);
            versions.push(version);
        }
        let answers = desk.hand_in(&posts)?;
        for (post, answer) in posts.iter().zip(answers) {
            if let Some(answer) = answer {
                self.watch.consider(&post.id, &answer);
            }
        }
        for version in &versions {
            self.seen.note(version);
        }
        Ok(())
    }

    fn is_streaming(&self) -> bool {
        self.streaming_since().is_some()
    }

    fn streaming_since(&self) -> Option<Time> {
        *self.streaming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_streaming(&self, streaming: bool) {
        *self.streaming.lock().unwrap_or_else(PoisonError::into_inner) = streaming.then(now);
    }
}

impl Network for X {
    fn slug(&self) -> &'static str {
        "x"
    }

    fn sign_in(&self) -> Result<Own, Trouble> {
        if !self.has_budget {
            return Err(Trouble::refused("X's API costs money: say how much with --budget-cents-per-day"));
        }
        let Us { id, handle } = self.me()?.us;
        Ok(Own { person: Person { user_id: id, handle }, text_limit: None })
    }

    fn check(&self) -> Vec<Finding> {
        check::findings(self)
    }

    fn knows_to_whom(&self) -> bool {
        true
    }

    fn watch(&self) -> Option<&Watch> {
        Some(&self.watch)
    }

    fn sources(&self) -> Vec<&'static str> {
        let always = [BUDGET, MENTIONS, STREAM, DELETIONS, REPOSTS];
        always.into_iter().chain(self.webhook.map(|_| WEBHOOK)).collect()
    }

    fn read(&self, source: &'static str, desk: &Desk) -> Result<(), Trouble> {
        match source {
            BUDGET => self.api.budget.keep(BUDGET, desk),
            STREAM => stream::read(self, desk),
            DELETIONS => deletions::read(self, desk),
            REPOSTS => reposts::read(self, desk),
            WEBHOOK => webhook::read(self, desk),
            _ => mentions::read(self, desk),
        }
    }

    fn post(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
        let posted = replies::post(self, reply, maybe_out)?;
        self.replies.note(&posted.post_id, posted.sent_at);
        Ok(posted)
    }
}
