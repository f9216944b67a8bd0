//! Rung by the stream when there is something to read.

use crate::bridges::{Desk, Trouble, now};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever waits looks as often whether the bridge is to end.
const SLICE: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
struct State {
    /// A stream is open.
    up: bool,
    /// What it should have told was found without it.
    deaf: bool,
    rung: bool,
}

/// The bell.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

impl Bell {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream is open: what came before it was is to be read.
    pub fn open(&self) {
        *self.state() = State { up: true, deaf: false, rung: true };
        self.changed.notify_all();
    }

    /// The stream is gone.
    pub fn close(&self) {
        self.state().up = false;
        self.changed.notify_all();
    }

    /// There is something to read.
    pub fn ring(&self) {
        let mut state = self.state();
        state.deaf = false;
        state.rung = true;
        self.changed.notify_all();
    }

    /// Something was found that the stream had not told of.
    pub fn found_without(&self) {
        self.state().deaf = true;
    }

    /// Waits until it rings; without a stream `short`, with one `long`. Whether it rang.
    pub fn wait(&self, desk: &Desk, short: Duration, long: Duration) -> Result<bool, Trouble> {
        let begun = Instant::now();
        loop {
            if desk.stopping() {
                return Err(Trouble::stopped());
            }
            let mut state = self.state();
            if state.rung {
                state.rung = false;
                return Ok(true);
            }
            let heard = state.up && !state.deaf;
            let left = (if heard { long } else { short }).saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            drop(self.changed.wait_timeout(state, left.min(SLICE)));
            if heard {
                desk.read_to(super::NOTIFICATIONS, now());
            }
        }
    }
}
