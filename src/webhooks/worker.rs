//! The threads that deliver: an endpoint is served by one of them at a time, and one that answers slowly keeps only its
//! own thread. Where more are due than there are threads, each has its turn.

use super::post::Sender;
use super::round::{Render, due, turn};
use crate::engine::Handle;
use crate::store::guarded;
use crate::till::id::EndpointId;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// From one look at what is due to the next.
const PAUSE: Duration = Duration::from_millis(100);
/// How many endpoints are served at once.
const THREADS_MAX: usize = 32;
/// How long an endpoint keeps its thread while there is more to send; then it stands behind the others.
const TURN: Duration = Duration::from_secs(5);

/// The running worker.
pub struct Worker {
    chief: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

/// Endpoints that a thread is busy with.
#[derive(Default)]
struct Busy(Mutex<BTreeSet<EndpointId>>);

impl Busy {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<EndpointId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frees an endpoint, whatever happens.
struct Serving {
    busy: Arc<Busy>,
    id: EndpointId,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.id);
    }
}

impl Worker {
    /// Starts it. `loopback`: a sandbox may send to its own machine.
    pub fn start(handle: &Handle, render: Render, loopback: bool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (handle, stopped) = (handle.clone(), Arc::clone(&stop));
        let chief = std::thread::spawn(move || {
            let (sender, busy) = (Arc::new(Sender::new(loopback)), Arc::new(Busy::default()));
            let mut last = None;
            while !stopped.load(Ordering::Relaxed) {
                look(&handle, &sender, &busy, &stopped, render, &mut last);
                std::thread::sleep(PAUSE);
            }
        });
        Self { chief: Some(chief), stop }
    }

    /// Begins nothing any more. What is under way is not waited for: it is sent again after the next start.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.chief.take().is_some_and(|chief| chief.join().is_err()) {
            log::error!("the webhook worker panicked");
        }
    }
}

/// Gives every endpoint that is due a thread, beginning behind the `last` that got one.
fn look(
    handle: &Handle,
    sender: &Arc<Sender>,
    busy: &Arc<Busy>,
    stop: &Arc<AtomicBool>,
    render: Render,
    last: &mut Option<EndpointId>,
) {
    if handle.has_failed() {
        return;
    }
    let ids = guarded(|| due(&handle.snapshot()?, handle.now()), |error| error);
    let mut ids = ids.unwrap_or_else(|error| {
        log::error!("webhooks wait, the data file cannot be read: {error}");
        Vec::new()
    });
    ids.sort_by_key(|id| (*last >= Some(*id), *id));
    for id in ids {
        let mut taken = busy.lock();
        if taken.len() >= THREADS_MAX || !taken.insert(id) {
            continue;
        }
        drop(taken);
        *last = Some(id);
        let serving = Serving { busy: Arc::clone(busy), id };
        let (handle, sender, stop) = (handle.clone(), Arc::clone(sender), Arc::clone(stop));
        let begun = std::thread::Builder::new().name("webhook".to_owned()).spawn(move || {
            // The whole of it: the endpoint stays taken until this thread ends.
            let serving = serving;
            serve(&handle, &sender, render, serving.id, &stop);
        });
        if let Err(error) = begun {
            log::error!("no thread to send a webhook with: {error}");
        }
    }
}

/// As long as there is something to send, and its turn lasts.
fn serve(handle: &Handle, sender: &Sender, render: Render, id: EndpointId, stop: &AtomicBool) {
    let begun = Instant::now();
    while !stop.load(Ordering::Relaxed) && begun.elapsed() < TURN {
        match guarded(|| turn(handle, sender, render, id), |error| error) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                log::error!("the webhooks of {id} wait: {error}");
                std::thread::sleep(PAUSE);
                return;
            }
        }
    }
}
