//! The simulated clocks: a wall clock that can be set, and one that only runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tagtill::engine::TimeSource;

#[derive(Debug, Default)]
struct Hands {
    wall_ms: AtomicI64,
    elapsed_ms: AtomicI64,
}

#[derive(Clone, Debug, Default)]
pub struct Clocks(Arc<Hands>);

impl Clocks {
    pub fn starting_at(wall_ms: i64) -> Self {
        let clocks = Self::default();
        clocks.0.wall_ms.store(wall_ms, Ordering::Relaxed);
        clocks
    }

    /// Time passes.
    pub fn pass(&self, ms: i64) {
        self.0.wall_ms.fetch_add(ms, Ordering::Relaxed);
        self.0.elapsed_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock.
    pub fn jump(&self, ms: i64) {
        self.0.wall_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl TimeSource for Clocks {
    fn wall_ms(&self) -> i64 {
        self.0.wall_ms.load(Ordering::Relaxed)
    }

    fn elapsed_ms(&self) -> i64 {
        self.0.elapsed_ms.load(Ordering::Relaxed)
    }
}
