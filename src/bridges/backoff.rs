//! How long to wait before the next try: twice as long after each failure, with chance in it.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// No wait is longer, unless the other side asks for it.
const LONGEST: Duration = Duration::from_secs(60);
/// No wait that the other side asks for is longer.
const ASKED_MAX: Duration = Duration::from_secs(3600);

/// Waits that grow until something works.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    failures: u32,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { failures: 0, longest: LONGEST }
    }
}

impl Backoff {
    /// For a neighbour, who may be asked often: no wait is longer than this.
    pub fn up_to(longest: Duration) -> Self {
        Self { failures: 0, longest }
    }

    /// The wait after one more failure: between a half and all of the doubled one, never less than was asked for.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let chance = getrandom::u32().unwrap_or(u32::MAX / 2);
        self.wait(chance).max(asked.unwrap_or_default().min(ASKED_MAX))
    }

    fn wait(self, chance: u32) -> Duration {
        let whole = FIRST.saturating_mul(1 << (self.failures - 1).min(10)).min(self.longest);
        whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    /// It works again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_differ_by_chance() {
        let wait = |failures, chance| Backoff { failures, ..Backoff::default() }.wait(chance);
        assert_eq!(wait(1, 0), Duration::from_millis(250));
        assert_eq!(wait(1, u32::MAX), Duration::from_millis(500));
        assert_eq!(wait(4, u32::MAX), Duration::from_secs(4));
        assert_eq!(wait(40, u32::MAX), LONGEST);
    }

    #[test]
    fn what_is_asked_for_is_waited_for_within_reason() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(Some(Duration::from_secs(120))), Duration::from_secs(120));
        assert_eq!(backoff.next(Some(Duration::from_secs(86_400))), ASKED_MAX);
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }
}
