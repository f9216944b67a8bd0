//! How long something takes, counted by size: what Prometheus calls a histogram.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds; whatever took longer is in the last one.
pub const BOUNDS_MICROS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000];

/// Durations so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// How many there were in each bucket, not added up; the last one has no bound.
    pub buckets: [u64; BOUNDS_MICROS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

impl Timings {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Counts durations; one thread writes, others read.
#[derive(Debug, Default)]
pub(super) struct Timer {
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Timer {
    pub fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS_MICROS.partition_point(|&bound| bound < micros);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub fn read(&self) -> Timings {
        let mut timings = Timings::default();
        for (to, from) in timings.buckets.iter_mut().zip(&self.buckets) {
            *to = from.load(Ordering::Relaxed);
        }
        timings.sum = Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed));
        timings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_first_bucket_that_holds_it() {
        let timer = Timer::default();
        for micros in [0, 50, 51, 1_000, 1_000_001] {
            timer.note(Duration::from_micros(micros));
        }
        let read = timer.read();
        assert_eq!(read.buckets, [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((read.count(), read.sum), (5, Duration::from_micros(1_001_102)));
    }
}
