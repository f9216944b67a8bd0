//! What is counted here, for `/metrics`, and for the console: how many posts came of late, and what they were judged.

use crate::till::time::Time;
use crate::till::verdict::Verdict;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Minutes of which posts are remembered by verdict: the one under way is the last.
pub const MINUTES: i64 = 60;
/// Days of which posts are remembered: today is the last.
pub const DAYS: i64 = 30;
const MINUTE_MS: i64 = 60_000;

/// Counters that only grow.
#[derive(Debug)]
pub struct Metrics {
    /// Answers by the first digit of their status.
    classes: [AtomicU64; 6],
    /// Judged posts, in the order of [`Verdict::ALL`].
    verdicts: Vec<AtomicU64>,
    /// The same of each of the last minutes.
    minutes: Ring,
    /// How many posts were judged on each of the last days.
    days: Ring,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            classes: Default::default(),
            verdicts: Verdict::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            minutes: Ring::new(MINUTES, Verdict::ALL.len()),
            days: Ring::new(DAYS, 1),
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

    /// A post was judged, at a time of the till's clock.
    pub fn judged(&self, verdict: Verdict, now: Time) {
        if let Some(count) = self.verdicts.get(verdict as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.minutes.add(now.ms() / MINUTE_MS, verdict as usize);
        self.days.add(i64::from(now.day()), 0);
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

    /// The minutes of the last hour that had posts, oldest first: when each began, and its posts by verdict.
    pub fn minutes(&self, now: Time) -> Vec<(Time, BTreeMap<&'static str, u64>)> {
        let last = now.ms() / MINUTE_MS;
        let mut found = Vec::new();
        for minute in last - MINUTES + 1..=last {
            let counts = self.minutes.read(minute);
            let posts: BTreeMap<_, _> =
                Verdict::ALL.iter().map(|verdict| verdict.code()).zip(counts).collect();
            let posts: BTreeMap<_, _> = posts.into_iter().filter(|(_, count)| *count > 0).collect();
            if !posts.is_empty() {
                found.push((Time::from_ms(minute * MINUTE_MS), posts));
            }
        }
        found
    }

    /// How many posts were judged today, and in all days that are remembered.
    pub fn days(&self, now: Time) -> (u64, u64) {
        let today = i64::from(now.day());
        let of = |day| self.days.read(day).into_iter().sum::<u64>();
        (of(today), (today - DAYS + 1..=today).map(of).sum())
    }
}

/// Counts of the last slices of time. Where a slice begins anew, a count or two of it may be lost or land in the next.
#[derive(Debug)]
struct Ring {
    slots: Vec<Slot>,
    turning: Mutex<()>,
}

#[derive(Debug)]
struct Slot {
    /// Which slice of time, counted from 1970.
    slice: AtomicI64,
    counts: Vec<AtomicU64>,
}

impl Ring {
    fn new(slices: i64, counts: usize) -> Self {
        let slot = |_| Slot {
            slice: AtomicI64::new(i64::MIN),
            counts: (0..counts).map(|_| AtomicU64::new(0)).collect(),
        };
        Self { slots: (0..slices).map(slot).collect(), turning: Mutex::new(()) }
    }

    fn slot(&self, slice: i64) -> Option<&Slot> {
        let length = i64::try_from(self.slots.len()).ok()?;
        self.slots.get(usize::try_from(slice.checked_rem_euclid(length)?).ok()?)
    }

    fn add(&self, slice: i64, which: usize) {
        let Some(slot) = self.slot(slice) else { return };
        if slot.slice.load(Ordering::Acquire) < slice {
            let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.slice.load(Ordering::Acquire) < slice {
                slot.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
                slot.slice.store(slice, Ordering::Release);
            }
        }
        if let Some(count) = slot.counts.get(which) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts of a slice; none where it is not remembered.
    fn read(&self, slice: i64) -> Vec<u64> {
        let slot = self.slot(slice).filter(|slot| slot.slice.load(Ordering::Acquire) == slice);
        slot.map_or_else(Vec::new, |slot| slot.counts.iter().map(|one| one.load(Ordering::Relaxed)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_remembered_for_an_hour_by_minute_and_for_thirty_days() {
        let metrics = Metrics::default();
        let at = |seconds: i64| Time::parse("2013-02-12T23:58:00Z").unwrap().plus_seconds(seconds);
        for (seconds, verdict) in
            [(0, Verdict::Pending), (59, Verdict::Pending), (60, Verdict::SoldOut), (120, Verdict::Confirmed)]
        {
            metrics.judged(verdict, at(seconds));
        }
        let minutes = metrics.minutes(at(130));
        assert_eq!(minutes.iter().map(|(time, _)| *time).collect::<Vec<_>>(), [at(0), at(60), at(120)]);
        assert_eq!(minutes[0].1, BTreeMap::from([("pending", 2)]));
        assert_eq!(metrics.days(at(130)), (1, 4), "a day later by two seconds");
        assert_eq!(metrics.minutes(at(3600)).len(), 2, "the first minute is over an hour ago");
        assert_eq!(metrics.minutes(at(86_400)).len(), 0);
        assert_eq!(metrics.days(at(29 * 86_400)), (0, 4));
        assert_eq!(metrics.days(at(31 * 86_400)), (0, 0));
        metrics.judged(Verdict::Ended, at(3600));
        let last = metrics.minutes(at(3600));
        assert_eq!((last.len(), &last[2].1), (3, &BTreeMap::from([("ended", 1)])), "the slot began anew");
    }
}
