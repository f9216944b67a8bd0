//! What was handed in lately: lists that are read again and again show the same posts again and again.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many are remembered.
const SEEN_MAX: usize = 20_000;

/// Keys that were seen lately.
#[derive(Debug, Default)]
pub struct Seen {
    inner: Mutex<(HashSet<String>, VecDeque<String>)>,
}

impl Seen {
    /// Whether a key was noted lately.
    pub fn has(&self, key: &str) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).0.contains(key)
    }

    /// Notes a key, once what it stands for was handed in.
    pub fn note(&self, key: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, order) = &mut *inner;
        if keys.insert(key.to_owned()) {
            order.push_back(key.to_owned());
        }
        if order.len() > SEEN_MAX
            && let Some(oldest) = order.pop_front()
        {
            keys.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let seen = Seen::default();
        for number in 0..=SEEN_MAX {
            seen.note(&number.to_string());
            seen.note(&number.to_string());
        }
        assert!(!seen.has("0"));
        assert!(seen.has("1"));
        assert!(seen.has(&SEEN_MAX.to_string()));
    }
}
