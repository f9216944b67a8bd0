//! The committer's thread: writes sealed batches to the file, one after the other, and sends their answers off.
//!
//! Meanwhile the writer applies the next batch on top. One batch is being committed at a time, and nothing is answered
//! before it, and all that it was applied on, is on the disk.

use super::applied::{Delivery, Ready};
use super::handle::{Message, Shared};
use super::job::Unavailable;
use crate::store::guarded;
use crate::till::state::StateError;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

/// The writer's side of it.
pub(super) struct Committer {
    work: Option<SyncSender<Ready>>,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    now: Mutex<Now>,
    done: Condvar,
}

#[derive(Default)]
struct Now {
    busy: bool,
    failed: Option<StateError>,
}

impl State {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Committer {
    /// Starts the thread. After each commit it rings in `queue`, so that the writer hands the next batch over.
    pub fn start(
        shared: Arc<Shared>,
        answers: Sender<Vec<Delivery>>,
        queue: Weak<SyncSender<Message>>,
    ) -> Self {
        let (work, batches) = sync_channel(1);
        let state = Arc::new(State::default());
        let own = Arc::clone(&state);
        let thread = std::thread::spawn(move || run(&shared, &own, &batches, &answers, &queue));
        Self { work: Some(work), state, thread: Some(thread) }
    }

    /// Whether a batch is being committed.
    ///
    /// # Errors
    /// When a commit has failed: nothing more may be written.
    pub fn is_busy(&self) -> Result<bool, StateError> {
        let now = self.state.now();
        now.failed.clone().map_or(Ok(now.busy), Err)
    }

    /// Waits until nothing is being committed.
    ///
    /// # Errors
    /// When a commit has failed.
    pub fn settle(&self) -> Result<(), StateError> {
        let mut now = self.state.now();
        while now.busy {
            now = self.state.done.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        now.failed.clone().map_or(Ok(()), Err)
    }

    /// Commits a batch while the caller goes on. Only while nothing is being committed.
    pub fn hand_over(&self, ready: Ready) {
        self.state.now().busy = true;
        let sent = self.work.as_ref().map(|work| work.send(ready));
        if !matches!(sent, Some(Ok(()))) {
            let mut now = self.state.now();
            now.busy = false;
            now.failed = Some(StateError("the thread that commits has ended".to_owned()));
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.work.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that commits panicked");
        }
    }
}

fn run(
    shared: &Shared,
    state: &State,
    batches: &Receiver<Ready>,
    answers: &Sender<Vec<Delivery>>,
    queue: &Weak<SyncSender<Message>>,
) {
    while let Ok(ready) = batches.recv() {
        // Damage that is met while the till runs can be a panic.
        let result = guarded(|| shared.commit(&ready), |error| error);
        if let Err(error) = &result {
            // Before the answers: whoever asks next is told the same.
            drop(shared.failed.set(error.to_string()));
        }
        let failed = result.clone().err();
        let answer = result.map_err(|error| Unavailable(error.to_string()));
        drop(answers.send(ready.answer(&answer)));
        *state.now() = Now { busy: false, failed };
        state.done.notify_all();
        if let Some(queue) = queue.upgrade() {
            // A full queue wakes the writer, too.
            drop(queue.try_send(Message::Committed));
        }
    }
}
