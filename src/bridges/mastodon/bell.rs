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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use std::sync::Arc;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_stream_that_tells_is_waited_for_and_one_that_does_not_is_not_trusted() {
        let desk = Desk::new(Client::new("http://127.0.0.1:1", ""), ("mastodon", true), false);
        let bell = Arc::new(Bell::default());
        let wait = || {
            let begun = Instant::now();
            (bell.wait(&desk, SHORT, LONG).unwrap(), begun.elapsed() >= SHORT)
        };
        assert_eq!(wait(), (false, true), "no stream");
        bell.open();
        assert!(wait().0, "what came before the stream is read");
        let ringer = Arc::clone(&bell);
        let rings = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            ringer.ring();
        });
        assert_eq!(wait(), (true, true), "it waits for the stream");
        rings.join().unwrap();
        bell.found_without();
        assert_eq!(wait(), (false, true), "a stream that did not tell");
        bell.close();
        assert_eq!(wait(), (false, true));
        desk.stop();
        assert_eq!(bell.wait(&desk, SHORT, LONG), Err(Trouble::stopped()));
    }
}
