//! Bridges between social networks and a till: each reads posts, hands them in, and posts the replies that wait.
//!
//! A bridge is a client of the till's HTTP API like anybody else's: it must never open the data file, and knows no rule.
//! What all of them do lives here (a cursor kept in the till, retries, the outbox, counts); a network's own folder
//! holds what is said to that network and nothing else.

mod backoff;
pub mod bluesky;
mod bridge;
mod counts;
mod desk;
mod lines;
pub mod mastodon;
mod opt;
mod outbox;
mod seen;
mod socket;
mod trouble;
mod watch;
mod web;
pub mod x;

pub use backoff::Backoff;
pub use bridge::{Bridge, Ended, Settings};
pub use desk::{Answer, Desk};
pub use opt::opt_wish;
pub use seen::Seen;
pub use socket::{Heard, Socket};
pub use trouble::{Kind, Trouble};
pub use watch::Watch;
pub use web::{Answered, Ask, Exchange, Payload, Web, check_base};

use crate::till::time::Time;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// A person on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The network's stable id.
    pub user_id: String,
    /// As shown to people.
    pub handle: String,
}

/// A post as a network delivered it, in the words of the till's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Post {
    /// The network's id of it.
    pub id: String,
    /// Who made it.
    pub author: Person,
    /// Its text, without what it quotes.
    pub text: String,
    /// Its language (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// When the network's server had it: never what its author says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    /// The post that it natively reposts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repost_of: Option<String>,
    /// The post that it quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_of: Option<String>,
    /// The post that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// Whether the network says that it mentions or quotes us.
    #[serde(skip)]
    pub to_us: bool,
}

impl Post {
    /// A post of `author` with nothing but a text.
    pub fn new(id: impl Into<String>, author: Person, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            author,
            text: text.into(),
            lang: None,
            created_at: None,
            repost_of: None,
            quote_of: None,
            in_reply_to: None,
            to_us: false,
        }
    }
}

/// A reply that waits to be posted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reply {
    /// The till's id of it: what a retry is known by.
    pub id: String,
    /// Whom it is for.
    pub to: Person,
    /// The post that it answers.
    pub in_reply_to: String,
    /// What to post.
    pub text: String,
    /// Not worth posting after.
    pub not_after: Time,
}

/// A reply that is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The network's id of it.
    pub post_id: String,
    /// When the network took it.
    pub sent_at: Time,
}

/// Who we are on a network, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Our account.
    pub person: Person,
    /// The longest text that the network takes, counted as the till counts for it, less what a bridge puts around it.
    pub text_limit: Option<u32>,
}

/// One thing that `--check` looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What is missing and what to do, where something is.
    pub missing: Option<String>,
}

impl Finding {
    /// It is as it should be.
    pub fn fine(what: impl Into<String>) -> Self {
        Self { what: what.into(), missing: None }
    }

    /// It is not.
    pub fn missing(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), missing: Some(why.into()) }
    }
}

/// What a bridge has to know of one network. Its methods block, and none of them is called before [`Network::sign_in`].
pub trait Network: Send + Sync + 'static {
    /// The network's slug in the till.
    fn slug(&self) -> &'static str;

    /// Signs in and says who we are. Called again after trouble with credentials.
    fn sign_in(&self) -> Result<Own, Trouble>;

    /// Marks our account as a bot where the network has such a mark and it is not set. Never called in a dry run.
    fn mark_as_bot(&self) -> Result<(), Trouble> {
        Ok(())
    }

    /// Tries credentials and rights, one after the other, and changes nothing.
    fn check(&self) -> Vec<Finding>;

    /// Whether a post that is not said to be [to us](Post::to_us) is not: else its text decides.
    fn knows_to_whom(&self) -> bool {
        false
    }

    /// The posts that are asked for again and again, because nobody tells of their deletion.
    fn watch(&self) -> Option<&Watch> {
        None
    }

    /// What posts are read from; each gets a thread of its own, which calls [`Network::read`] with its name.
    fn sources(&self) -> Vec<&'static str>;

    /// Reads from a source and hands in what it finds, until there is trouble or [`Desk::stopping`].
    ///
    /// A source keeps its cursor with [`Desk::move_cursor`], after what it read was handed in.
    fn read(&self, source: &'static str, desk: &Desk) -> Result<(), Trouble>;

    /// Posts a reply once. `maybe_out`: it may be out already, because an answer to its posting was lost or a bridge was
    /// killed; then it must be found before it is posted again.
    fn post(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble>;
}

/// The wall clock.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
