//! Replies as a budget: how many a network lets the till post in 15 minutes and in a day.
//!
//! What was sent is counted in the slice of time under way and the one before it; of the latter as much counts as still
//! lies within the span, rounded up: no burst gets through at a border.

use super::record::{NetworkRecord, RateRecord, Spent};
use super::state::{Read, StateError, Write};
use super::table::{Rates, Text};
use super::time::Time;

/// A quarter of an hour.
const QUARTER_MS: i64 = 900_000;
/// An hour.
pub const HOUR_MS: i64 = 3_600_000;
/// A day.
const DAY_MS: i64 = 86_400_000;

impl Spent {
    /// The slices as they stand at `now`.
    fn at(self, now: Time, span_ms: i64) -> Self {
        let slice = now.ms().div_euclid(span_ms);
        match slice.saturating_sub(self.slice) {
            // A clock that is behind counts on in its latest slice.
            i64::MIN..=0 => self,
            1 => Self { slice, now: 0, before: self.now },
            _ => Self { slice, now: 0, before: 0 },
        }
    }

    /// How many were spent within the span that ends now.
    pub fn within(self, now: Time, span_ms: i64) -> u32 {
        let spent = self.at(now, span_ms);
        let behind = now.ms().div_euclid(span_ms) < spent.slice;
        let left_ms = if behind { span_ms } else { span_ms - now.ms().rem_euclid(span_ms) };
        let before = (i64::from(spent.before) * left_ms + span_ms - 1).div_euclid(span_ms);
        spent.now.saturating_add(u32::try_from(before).unwrap_or(u32::MAX))
    }

    /// So many more are spent.
    #[must_use]
    pub fn more(self, count: u32, now: Time, span_ms: i64) -> Self {
        let spent = self.at(now, span_ms);
        Self { now: spent.now.saturating_add(count), ..spent }
    }
}

/// How many replies a network still takes now; `None`: it has no such limit.
pub fn left<S: Read>(
    state: &S,
    now: Time,
    slug: &str,
    network: &NetworkRecord,
) -> Result<Option<usize>, StateError> {
    if network.replies_per_15_minutes.is_none() && network.replies_per_day.is_none() {
        return Ok(None);
    }
    let spent = state.get::<Rates>(&Text(slug.to_owned()))?.unwrap_or_default();
    let left = |limit: Option<u32>, spent: Spent, span_ms| {
        limit.map(|limit| limit.saturating_sub(spent.within(now, span_ms)))
    };
    let quarter = left(network.replies_per_15_minutes, spent.quarter, QUARTER_MS);
    let day = left(network.replies_per_day, spent.day, DAY_MS);
    let least = quarter.into_iter().chain(day).min();
    Ok(least.map(|left| usize::try_from(left).unwrap_or(usize::MAX)))
}

/// A reply is out.
pub fn count<S: Write>(
    state: &mut S,
    now: Time,
    slug: &str,
    network: &NetworkRecord,
) -> Result<(), StateError> {
    if network.replies_per_15_minutes.is_none() && network.replies_per_day.is_none() {
        return Ok(());
    }
    let key = Text(slug.to_owned());
    let spent = state.get::<Rates>(&key)?.unwrap_or_default();
    let next =
        RateRecord { quarter: spent.quarter.more(1, now, QUARTER_MS), day: spent.day.more(1, now, DAY_MS) };
    state.put::<Rates>(&key, &next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_fades_as_its_span_passes() {
        let at = |seconds: i64| Time::from_ms(1_360_677_600_000).plus_seconds(seconds);
        let mut spent = Spent::default();
        for _ in 0..100 {
            spent = spent.more(1, at(0), QUARTER_MS);
        }
        // The slice began at 14:00:00 exactly.
        for (seconds, wanted) in
            [(0, 100), (899, 100), (900, 100), (1350, 50), (1791, 1), (1800, 0), (9000, 0)]
        {
            assert_eq!(spent.within(at(seconds), QUARTER_MS), wanted, "{seconds}");
        }
        spent = spent.more(1, at(1350), QUARTER_MS);
        assert_eq!(spent.within(at(1350), QUARTER_MS), 51);
        assert_eq!(spent.within(at(-5000), QUARTER_MS), 1 + 100, "a clock that was set back");
    }
}
