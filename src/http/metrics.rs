//! What is counted here, for `/metrics`.

use crate::till::verdict::Verdict;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only grow.
#[derive(Debug)]
pub struct Metrics {
    /// Answers by the first digit of their status.
    classes: [AtomicU64; 6],
    /// Judged posts, in the order of [`Verdict::ALL`].
    verdicts: Vec<AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            classes: Default::default(),
            verdicts: Verdict::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, status: u16) {
        if let Some(class) = self.classes.get(usize::from(status / 100)) {
            class.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A post was judged.
    pub fn judged(&self, verdict: Verdict) {
        if let Some(count) = self.verdicts.get(verdict as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers by class of status, from `2xx`.
    pub fn classes(&self) -> impl Iterator<Item = (usize, u64)> {
        self.classes.iter().enumerate().skip(2).map(|(class, count)| (class, count.load(Ordering::Relaxed)))
    }

    /// Judged posts by verdict.
    pub fn verdicts(&self) -> impl Iterator<Item = (Verdict, u64)> {
        let counts = self.verdicts.iter().map(|count| count.load(Ordering::Relaxed));
        Verdict::ALL.iter().copied().zip(counts)
    }
}
