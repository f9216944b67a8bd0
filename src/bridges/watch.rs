//! Posts that may still be deleted with a consequence: those that hold something that nobody has confirmed.

use super::{Answer, Desk, Trouble, now};
use crate::till::time::Time;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a post is watched: longer than a reply and its window usually take.
const WATCH_SECONDS: i64 = 3600;
/// The most posts watched; the oldest go first.
const WATCHED_MAX: usize = 5000;

/// The posts under watch.
#[derive(Debug, Default)]
pub struct Watch {
    posts: Mutex<BTreeMap<String, Time>>,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Time>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a post from now on if what was decided about it makes its deletion matter.
    pub fn consider(&self, post: &str, answer: &Answer) {
        if !matches!(answer.verdict.as_str(), "pending" | "already_pending" | "waitlisted") {
            return;
        }
        let mut posts = self.lock();
        posts.insert(post.to_owned(), now());
        while posts.len() > WATCHED_MAX {
            let oldest = posts.iter().min_by_key(|(_, at)| **at).map(|(id, _)| id.clone());
            oldest.and_then(|id| posts.remove(&id));
        }
    }

    /// Watches what the till says that it holds: an earlier bridge may have handed it in.
    pub fn take_over(&self, desk: &Desk) -> Result<(), Trouble> {
        let held = desk.held()?;
        let mut posts = self.lock();
        for post in held.into_iter().take(WATCHED_MAX) {
            posts.entry(post).or_insert_with(now);
        }
        Ok(())
    }

    /// No longer watched; whether it was.
    pub fn forget(&self, post: &str) -> bool {
        self.lock().remove(post).is_some()
    }

    /// What is under watch now.
    pub fn posts(&self) -> Vec<String> {
        let mut posts = self.lock();
        let now = now();
        posts.retain(|_, at| now.ms_since(*at) < WATCH_SECONDS * 1000);
        posts.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_is_watched() {
        let watch = Watch::default();
        let answer = |verdict: &str| Answer { verdict: verdict.to_owned(), repeated: false };
        watch.consider("a", &answer("pending"));
        watch.consider("b", &answer("no_offer"));
        watch.consider("c", &answer("waitlisted"));
        assert_eq!(watch.posts(), ["a", "c"]);
        assert!(watch.forget("a"));
        assert!(!watch.forget("a"));
    }
}
