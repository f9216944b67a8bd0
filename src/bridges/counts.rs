//! What a bridge counts, and how far behind it is.

use super::{Kind, now};
use crate::till::time::Time;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    inner: Mutex<Figures>,
}

/// The counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Posts handed in.
    pub posts: u64,
    /// Replies posted.
    pub replies: u64,
    /// Troubles by kind.
    pub errors: BTreeMap<&'static str, u64>,
    /// Up to when each source has been read.
    read_to: BTreeMap<&'static str, Time>,
}

impl Figures {
    /// How far the source that is furthest behind is behind.
    pub fn lag_seconds(&self, now: Time) -> u64 {
        let behind = self.read_to.values().map(|&at| now.ms_since(at).max(0) / 1000).max().unwrap_or(0);
        u64::try_from(behind).unwrap_or(0)
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many posts were handed in.
    pub fn posts(&self, count: usize) {
        self.lock().posts += u64::try_from(count).unwrap_or(0);
    }

    /// A reply is out.
    pub fn reply(&self) {
        self.lock().replies += 1;
    }

    /// Something went wrong.
    pub fn error(&self, kind: Kind) {
        if kind != Kind::Stopped {
            *self.lock().errors.entry(kind.code()).or_default() += 1;
        }
    }

    /// A source begins: it has read nothing yet.
    pub fn begin(&self, source: &'static str) {
        self.lock().read_to.entry(source).or_insert_with(now);
    }

    /// A source has been read up to `at`.
    pub fn read_to(&self, source: &'static str, at: Time) {
        let mut figures = self.lock();
        let read_to = figures.read_to.entry(source).or_insert(at);
        *read_to = at.max(*read_to);
    }

    /// The counts now.
    pub fn figures(&self) -> Figures {
        self.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_that_is_furthest_behind_says_the_lag() {
        let counts = Counts::default();
        let at = |seconds| Time::from_ms(1_000_000_000_000).plus_seconds(seconds);
        counts.read_to("mentions", at(10));
        counts.read_to("hashtags", at(4));
        counts.read_to("hashtags", at(2));
        counts.error(Kind::Server);
        counts.error(Kind::Stopped);
        let figures = counts.figures();
        assert_eq!(figures.lag_seconds(at(11)), 7);
        assert_eq!(figures.lag_seconds(at(-5)), 0);
        assert_eq!(figures.errors, BTreeMap::from([("server", 1)]));
    }
}
