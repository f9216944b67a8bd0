//! The till's clock: wall time, plus the offset of a sandbox; never backwards, and watched for jumps.

use crate::till::time::Time;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Instant, UNIX_EPOCH};

/// A wall clock that runs ahead of the monotonic one by more than this has jumped: a minute.
const JUMP_MS: i64 = 60_000;

/// Where time comes from.
pub trait TimeSource: Send + Sync {
    /// The wall clock, in milliseconds since 1970; it may be set, and jump.
    fn wall_ms(&self) -> i64;

    /// Milliseconds since the source was made; never set.
    fn elapsed_ms(&self) -> i64;
}

/// The machine's own clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemTime {
    started: Instant,
}

impl Default for SystemTime {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl TimeSource for SystemTime {
    fn wall_ms(&self) -> i64 {
        wall_ms()
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Time that stands still: only a sandbox's moves of its clock let any pass.
#[derive(Clone, Copy, Debug)]
pub struct StandingTime {
    /// What its wall clock shows, in milliseconds since 1970.
    pub wall_ms: i64,
}

impl TimeSource for StandingTime {
    fn wall_ms(&self) -> i64 {
        self.wall_ms
    }

    fn elapsed_ms(&self) -> i64 {
        0
    }
}

/// Tells the time of commands.
pub struct Clock {
    source: Box<dyn TimeSource>,
    offset_ms: AtomicI64,
    last_ms: AtomicI64,
    jumped: AtomicBool,
    /// Wall milliseconds when the source was made; grows when an operator accepts a jump.
    base_ms: AtomicI64,
}

/// The wall clock, in milliseconds since 1970.
pub fn wall_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

impl Clock {
    /// A clock that never shows less than `last`.
    pub fn new(source: Box<dyn TimeSource>, offset_ms: i64, last: Time) -> Self {
        let base_ms = source.wall_ms().saturating_sub(source.elapsed_ms());
        Self {
            source,
            offset_ms: AtomicI64::new(offset_ms),
            last_ms: AtomicI64::new(last.ms()),
            jumped: AtomicBool::new(false),
            base_ms: AtomicI64::new(base_ms),
        }
    }

    /// The time of the next command: max(last committed time, wall clock and offset).
    pub fn now(&self) -> Time {
        let shown = self.source.wall_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed));
        Time::from_ms(shown.max(self.last_ms.load(Ordering::Relaxed)))
    }

    /// What it shows with another offset.
    pub fn with_offset(&self, offset_ms: i64) -> Time {
        Time::from_ms(self.source.wall_ms().saturating_add(offset_ms))
    }

    /// A command was committed at `time`.
    pub fn committed(&self, time: Time) {
        self.last_ms.fetch_max(time.ms(), Ordering::Relaxed);
    }

    /// The offset of a sandbox has grown.
    pub fn set_offset(&self, offset_ms: i64) {
        self.offset_ms.fetch_max(offset_ms, Ordering::Relaxed);
    }

    /// Compares wall and monotonic clock; true while a forward jump is not accepted.
    pub fn check_jump(&self) -> bool {
        let expected = self.base_ms.load(Ordering::Relaxed).saturating_add(self.source.elapsed_ms());
        let ahead = self.source.wall_ms().saturating_sub(expected);
        let jumped = ahead > JUMP_MS;
        if jumped && !self.jumped.swap(true, Ordering::Relaxed) {
            log::error!(
                "the wall clock jumped {} s ahead: nothing expires until an operator calls resume",
                ahead / 1000
            );
        }
        if !jumped {
            self.jumped.store(false, Ordering::Relaxed);
            // Slow drift and steps back are followed, so that they do not add up to a jump.
            self.base_ms.fetch_add(ahead, Ordering::Relaxed);
        }
        jumped
    }

    /// Whether a forward jump waits for an operator.
    pub fn is_jumped(&self) -> bool {
        self.jumped.load(Ordering::Relaxed)
    }

    /// An operator says that the wall clock is right.
    pub fn accept_jump(&self) {
        let base_ms = self.source.wall_ms().saturating_sub(self.source.elapsed_ms());
        self.base_ms.store(base_ms, Ordering::Relaxed);
        self.jumped.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_runs_backwards() {
        let future = Time::from_ms(wall_ms() + 3_600_000);
        let clock = Clock::new(Box::new(SystemTime::default()), 0, future);
        assert_eq!(clock.now(), future);
        clock.committed(future.plus_seconds(5));
        assert_eq!(clock.now(), future.plus_seconds(5));
    }

    #[test]
    fn time_that_stands_passes_by_moves_of_the_offset_only() {
        let clock = Clock::new(Box::new(StandingTime { wall_ms: 5000 }), 1000, Time::from_ms(0));
        assert_eq!(clock.now(), Time::from_ms(6000));
        assert_eq!(clock.with_offset(4000), Time::from_ms(9000));
        clock.set_offset(4000);
        assert_eq!(clock.now(), Time::from_ms(9000));
        assert!(!clock.check_jump());
    }

    #[test]
    fn a_forward_jump_stays_until_it_is_accepted() {
        let clock = Clock::new(Box::new(SystemTime::default()), 0, Time::from_ms(0));
        assert!(!clock.check_jump());
        clock.base_ms.fetch_sub(JUMP_MS * 2, Ordering::Relaxed);
        assert!(clock.check_jump());
        assert!(clock.is_jumped());
        clock.accept_jump();
        assert!(!clock.check_jump());
    }
}
