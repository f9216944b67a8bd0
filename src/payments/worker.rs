//! The worker's threads: each makes its rounds whenever a bell rings, and now and then.

use super::Gateways;
use super::round::Round;
use crate::engine::Handle;
use crate::store::guarded;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// From one look at what is due to the next, where no bell rings; and how soon a worker notices that it is to end.
const PAUSE: Duration = Duration::from_millis(200);
/// The pause after a round that failed.
const PAUSE_FAILED: Duration = Duration::from_secs(2);

/// The running worker.
pub struct Worker {
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    /// Starts `count` threads; each looks after its share of what is in flight.
    pub fn start(handle: &Handle, gateways: &Gateways, count: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let shares = count.max(1);
        let threads = (0..shares)
            .map(|share| {
                let crew = Crew {
                    handle: handle.clone(),
                    gateways: gateways.clone(),
                    share: u128::try_from(share).unwrap_or(0),
                    shares: u128::try_from(shares).unwrap_or(1),
                    stop: Arc::clone(&stop),
                };
                let bell = handle.work_bell();
                std::thread::spawn(move || crew.run(&bell))
            })
            .collect();
        Self { threads, stop }
    }

    /// Finishes the question under way and ends. Call it before the engine is stopped.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a payment worker panicked");
            }
        }
    }
}

struct Crew {
    handle: Handle,
    gateways: Gateways,
    share: u128,
    shares: u128,
    stop: Arc<AtomicBool>,
}

impl Crew {
    fn run(&self, bell: &Receiver<()>) {
        while !self.stop.load(Ordering::Relaxed) {
            // Damage that is met while the till runs can be a panic: it must not end the thread without a word.
            let worked = match guarded(|| self.round().run(), |error| error) {
                Ok(0) => wait(bell),
                Ok(_) => true,
                Err(error) => {
                    log::error!("payments wait, the data file cannot be read: {error}");
                    self.rest();
                    true
                }
            };
            if !worked {
                return;
            }
        }
    }

    /// Lets some time pass, unless it is to end.
    fn rest(&self) {
        let until = Instant::now() + PAUSE_FAILED;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
        }
    }

    fn round(&self) -> Round<'_, Handle> {
        let (desk, gateways, stop) = (&self.handle, &self.gateways, &*self.stop);
        Round { desk, gateways, share: self.share, shares: self.shares, stop }
    }
}

/// Waits for the bell; false where it will never ring again.
fn wait(bell: &Receiver<()>) -> bool {
    match bell.recv_timeout(PAUSE) {
        Ok(()) => while bell.try_recv().is_ok() {},
        Err(RecvTimeoutError::Timeout) => {}
        Err(RecvTimeoutError::Disconnected) => return false,
    }
    true
}
