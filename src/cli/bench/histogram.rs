//! Latencies by size: exact to 1 in 64, in a few kilobytes, whatever their number.
//!
//! Buckets are linear within each power of two (64 a power), as in HDR histograms.

use std::time::Duration;

/// Steps within a power of two, as a power of two.
const STEP_BITS: u32 = 6;
/// Buckets for microseconds up to 2^40, which is twelve days.
const BUCKETS: usize = (40 - STEP_BITS as usize + 1) << STEP_BITS;

/// Counts durations in microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn note(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get_mut(place(micros).min(BUCKETS - 1)) {
            *bucket += 1;
            self.count += 1;
        }
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
        self.count += other.count;
    }

    /// The duration, in milliseconds, that `share` of all did not exceed: 0.99 for the 99th percentile. `None` where
    /// nothing was counted.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts and microseconds are far below 2^52"
    )]
    pub fn percentile_ms(&self, share: f64) -> Option<f64> {
        let wanted = ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1));
        let mut so_far = 0;
        for (place, bucket) in self.buckets.iter().enumerate() {
            so_far += bucket;
            if so_far >= wanted {
                return Some(upper_bound(place) as f64 / 1000.0);
            }
        }
        None
    }
}

/// The bucket of a duration.
fn place(micros: u64) -> usize {
    let highest = (micros | 1).ilog2();
    let shift = highest.saturating_sub(STEP_BITS);
    let within = micros >> shift;
    let first = u64::from(shift) << STEP_BITS;
    usize::try_from(first + within).unwrap_or(usize::MAX)
}

/// The largest duration of a bucket.
fn upper_bound(place: usize) -> u64 {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    let shift = (place >> STEP_BITS).saturating_sub(1);
    let within = place - (shift << STEP_BITS);
    ((within + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bucket_and_buckets_follow_each_other() {
        let mut last = 0;
        for micros in (0..5000).chain((13..34).map(|bit| (1 << bit) + 7)) {
            let at = place(micros);
            assert!(at >= last && upper_bound(at) >= micros, "{micros}");
            assert!(at == 0 || upper_bound(at - 1) < micros, "{micros}");
            assert!(upper_bound(at) - micros <= micros / 64, "{micros}");
            last = at;
        }
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile_ms(0.5), None);
        for ms in 1..=1000 {
            histogram.note(Duration::from_millis(ms));
        }
        for (share, wanted) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = histogram.percentile_ms(share).unwrap();
            assert!(found >= wanted && found <= wanted * (1.0 + 1.0 / 64.0), "{share}: {found}");
        }
        let mut twice = histogram.clone();
        twice.add(&histogram);
        assert_eq!(twice.percentile_ms(0.5), histogram.percentile_ms(0.5));
    }
}
