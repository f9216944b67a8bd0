//! When a list of Stripe's is believed that lacks something.
//!
//! Stripe does not promise that a list shows at once what was just made. So where a call may have made something and
//! its key only says the same error again, a list that lacks it proves nothing, at first: it is believed once
//! [`LIST_DELAY`] has passed since the error was first said *again*, for whatever was made was made before that. A till
//! that is started anew begins to wait anew. Money never moves on a younger list's word: not to the card, where a second
//! refund would be one too many; and not from it, where another attempt would take the place of the first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long a list may lack what was made: ten minutes. Seconds would be usual; a purchase that runs into this keeps its
/// units meanwhile.
pub const LIST_DELAY: Duration = Duration::from_secs(600);

/// Keys under which something may have been made that is on no list.
#[derive(Debug)]
pub struct Doubts {
    since: Mutex<HashMap<String, Instant>>,
    started: Instant,
    delay: Duration,
}

impl Doubts {
    /// For lists that are late by `delay` at most.
    pub fn new(delay: Duration) -> Self {
        Self { since: Mutex::default(), started: Instant::now(), delay }
    }

    /// Something may have been made under this key before now, and a list lacks it: whether that is believed.
    pub fn are_over(&self, key: &str) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let over = since.entry(key.to_owned()).or_insert_with(Instant::now).elapsed() >= self.delay;
        // What nobody asks about any more.
        let old = self.delay.saturating_mul(100);
        since.retain(|_, begun| begun.elapsed() < old);
        over
    }

    /// It is on the list.
    pub fn forget(&self, key: &str) {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Whether a list shows everything that was made before this till was started: what another life of it has made,
    /// before a restore, say.
    pub fn about_former_lives_are_over(&self) -> bool {
        self.started.elapsed() >= self.delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_believed_after_a_while() {
        let doubts = Doubts::new(Duration::from_mins(10));
        assert!(!doubts.are_over("a") && !doubts.are_over("a") && !doubts.about_former_lives_are_over());
        let none = Doubts::new(Duration::ZERO);
        assert!(none.are_over("a") && none.about_former_lives_are_over());
    }
}
