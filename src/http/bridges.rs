//! What bridges said of themselves last: kept in memory for operators, and gone with the process.

use crate::till::time::Time;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How the bridge of a network stands, by its own word.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// When it said so, by the till's clock.
    pub seen_at: Time,
    /// The same moment, to measure from.
    pub heard: Instant,
    /// How far it is behind its network.
    pub lag_seconds: Option<u64>,
    /// Posts that it delivered since it started.
    pub posts: Option<u64>,
    /// Replies that it posted since it started.
    pub replies: Option<u64>,
    /// What went wrong since it started, by kind.
    pub errors: BTreeMap<String, u64>,
}

/// What was counted, as a bridge says it: what is left out stays as it was.
#[derive(Debug, Default)]
pub struct Counts {
    /// See [`Heartbeat`].
    pub lag_seconds: Option<u64>,
    /// See [`Heartbeat`].
    pub posts: Option<u64>,
    /// See [`Heartbeat`].
    pub replies: Option<u64>,
    /// See [`Heartbeat`].
    pub errors: Option<BTreeMap<String, u64>>,
}

/// The bridges that were heard of since the start, by network.
#[derive(Debug, Default)]
pub struct Bridges(Mutex<BTreeMap<String, Heartbeat>>);

impl Bridges {
    /// The bridge of a network that the till knows was heard.
    pub fn heard(&self, slug: &str, now: Time, counts: Counts) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(slug);
        let heartbeat = Heartbeat {
            seen_at: now,
            heard: Instant::now(),
            lag_seconds: counts.lag_seconds.or(before.and_then(|last| last.lag_seconds)),
            posts: counts.posts.or(before.and_then(|last| last.posts)),
            replies: counts.replies.or(before.and_then(|last| last.replies)),
            errors: counts.errors.or(before.map(|last| last.errors.clone())).unwrap_or_default(),
        };
        all.insert(slug.to_owned(), heartbeat);
    }

    /// What the bridge of a network said last.
    pub fn find(&self, slug: &str) -> Option<Heartbeat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(slug).cloned()
    }

    /// The same of every network.
    pub fn all(&self) -> Vec<(String, Heartbeat)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(slug, heartbeat)| (slug.clone(), heartbeat.clone())).collect()
    }
}
