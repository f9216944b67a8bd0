//! What a bridge remembers of the firehose from one connection to the next: who blocks us, and whose posts were ours.

use crate::bridges::{Post, opt_wish};
use crate::till::time::Time;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// The most of anything that is remembered.
const MOST: usize = 200_000;
/// Deletions of posts that were handed in before this bridge began matter for so long.
const BEFORE_US: Duration = Duration::from_secs(3600);
/// Whose posts were handed in is remembered for so long, at least.
const HANDED_IN: Duration = Duration::from_secs(24 * 3600);

/// What is remembered.
#[derive(Debug)]
pub struct Memory {
    begun: Instant,
    /// When the firehose was known to be read to its end, last.
    pub caught_up: Option<Time>,
    /// Blocks of us, by author and key, and whether it was the block that opted them out.
    blocks: BTreeMap<String, (String, bool)>,
    /// Who said that they want no answers.
    stopped: Lately,
    /// Whose posts were handed in.
    handed_in: Lately,
}

/// Names that came lately: the older half is forgotten where there are too many, or after a time.
#[derive(Debug)]
struct Lately {
    young: HashSet<String>,
    old: HashSet<String>,
    turned: Instant,
}

impl Lately {
    fn new(now: Instant) -> Self {
        Self { young: HashSet::new(), old: HashSet::new(), turned: now }
    }

    fn note(&mut self, name: &str, now: Instant, keep: Duration) {
        if self.young.len() >= MOST / 2 || now.saturating_duration_since(self.turned) >= keep {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        if !self.young.contains(name) {
            self.young.insert(name.to_owned());
        }
    }

    fn remove(&mut self, name: &str) {
        self.young.remove(name);
        self.old.remove(name);
    }

    fn has(&self, name: &str) -> bool {
        self.young.contains(name) || self.old.contains(name)
    }
}

impl Memory {
    /// Nothing yet.
    pub fn new(now: Instant) -> Self {
        let (stopped, handed_in) = (Lately::new(now), Lately::new(now));
        Self { begun: now, caught_up: None, blocks: BTreeMap::new(), stopped, handed_in }
    }

    /// Posts were handed in.
    pub fn handed_in(&mut self, posts: &[Post], now: Instant) {
        for post in posts {
            let did = post.author.user_id.as_str();
            self.handed_in.note(did, now, HANDED_IN);
            match opt_wish(&post.text).filter(|_| post.to_us) {
                Some(true) => self.stopped.note(did, now, Duration::MAX),
                Some(false) => self.stopped.remove(did),
                None => {}
            }
        }
    }

    /// Whether the till may know a post that somebody deleted.
    pub fn may_matter(&self, did: &str, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) < BEFORE_US || self.handed_in.has(did)
    }

    /// Somebody blocks us.
    pub fn blocked(&mut self, key: String, did: &str) {
        if self.blocks.len() < MOST {
            let by_this = !self.stopped.has(did);
            self.blocks.insert(key, (did.to_owned(), by_this));
        }
    }

    /// A block is gone: who is to be answered again. Not who said that they want no answers, nor who blocks us still.
    pub fn unblocked(&mut self, key: &str) -> Option<String> {
        let (did, by_this) = self.blocks.remove(key)?;
        let still = self.blocks.values().any(|(other, _)| *other == did);
        (by_this && !still && !self.stopped.has(&did)).then_some(did)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::Person;

    fn says(did: &str, text: &str) -> Post {
        let author = Person { user_id: did.to_owned(), handle: "ada.test".to_owned() };
        Post { to_us: true, ..Post::new("at://x", author, text) }
    }

    #[test]
    fn who_said_stop_stays_left_alone_after_a_block() {
        let now = Instant::now();
        let mut memory = Memory::new(now);
        memory.blocked("a 1".to_owned(), "a");
        memory.blocked("a 2".to_owned(), "a");
        assert_eq!(memory.unblocked("a 1"), None, "there is another");
        assert_eq!(memory.unblocked("a 2").as_deref(), Some("a"));
        assert_eq!(memory.unblocked("a 2"), None);
        for before in [true, false] {
            if before {
                memory.handed_in(&[says("b", "@shop stop")], now);
            }
            memory.blocked("b 1".to_owned(), "b");
            if !before {
                memory.handed_in(&[says("b", "stop")], now);
            }
            assert_eq!(memory.unblocked("b 1"), None, "said before: {before}");
            memory.handed_in(&[says("b", "start")], now);
        }
        memory.blocked("b 1".to_owned(), "b");
        assert_eq!(memory.unblocked("b 1").as_deref(), Some("b"));
        memory.handed_in(&[Post { to_us: false, ..says("c", "stop") }], now);
        memory.blocked("c 1".to_owned(), "c");
        assert_eq!(memory.unblocked("c 1").as_deref(), Some("c"), "that was not to us");
    }

    #[test]
    fn deletions_matter_of_whoever_was_heard_within_a_day() {
        let begun = Instant::now();
        let later = |hours: u64| begun + Duration::from_secs(hours * 3600 + 1);
        let mut memory = Memory::new(begun);
        memory.handed_in(&[says("a", "#BuyTea")], begun);
        assert!(memory.may_matter("b", begun), "it may have been handed in before we began");
        assert!(!memory.may_matter("b", later(1)));
        memory.handed_in(&[says("b", "#BuyTea")], later(23));
        memory.handed_in(&[says("c", "#BuyTea")], later(25));
        assert!(memory.may_matter("a", later(25)) && memory.may_matter("b", later(25)));
        memory.handed_in(&[says("c", "#BuyTea")], later(50));
        assert!(!memory.may_matter("a", later(50)) && memory.may_matter("c", later(50)));
    }
}
