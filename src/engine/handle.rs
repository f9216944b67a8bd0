//! The way to the writer for everybody else: queue a job, read the file, ask how things stand.

use super::clock::Clock;
use super::job::{Job, Unavailable, Verdicted};
use super::memory::Memory;
use super::timing::{Timer, Timings};
use super::waiters::Waiters;
use crate::store::{Snapshot, Store};
use crate::till::command::Command;
use crate::till::pace;
use crate::till::state::StateError;
use crate::till::time::Time;
use crate::till::words::Words;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The queue is full: come again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded;

/// What the writer did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Commits that wrote something.
    pub commits: u64,
    /// Commands applied, refused ones included.
    pub commands: u64,
    /// Commands refused.
    pub refused: u64,
    /// Jobs waiting now.
    pub queued_jobs: u64,
    /// Who waits in a long poll now.
    pub waiting: u64,
    /// Holds freed by the tick.
    pub expired: u64,
    /// How long each tick took, its commit included.
    pub ticks: Timings,
    /// How long each commit took.
    pub commit_times: Timings,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub commits: AtomicU64,
    pub commands: AtomicU64,
    pub refused: AtomicU64,
    pub queued: AtomicU64,
    pub expired: AtomicU64,
    pub ticks: Timer,
    pub commit_times: Timer,
}

/// What the writer and everybody with a handle share.
pub(super) struct Shared {
    pub store: Store,
    pub clock: Clock,
    pub memory: Memory,
    pub waiters: Waiters,
    pub counts: Counts,
    /// Why nothing more is written, once that is so.
    pub failed: OnceLock<String>,
    /// Told after each commit that left work for the gateway.
    pub work: Mutex<Vec<Sender<()>>>,
    pub ready_at: Time,
    /// What replies say.
    pub words: &'static Words,
}

/// What comes through the queue.
#[allow(clippy::large_enum_variant, reason = "the rare one is the small one")]
pub(super) enum Message {
    Job(Job),
    /// A batch was committed: the next one may follow.
    Committed,
    Stop,
}

/// A way to the writer; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<SyncSender<Message>>,
    /// Jobs that may wait.
    pub(super) queue_jobs_max: u64,
}

impl Handle {
    /// Queues a job.
    ///
    /// # Errors
    /// When the queue is full; the job is dropped and nothing of it happens.
    pub fn submit(&self, job: Job) -> Result<(), Overloaded> {
        // The queue's own bound is wider: it has room for what the committer tells the writer.
        let queued = &self.shared.counts.queued;
        if queued.fetch_add(1, Ordering::Relaxed) >= self.queue_jobs_max {
            queued.fetch_sub(1, Ordering::Relaxed);
            return Err(Overloaded);
        }
        self.queue.try_send(Message::Job(job)).map_err(|full| {
            queued.fetch_sub(1, Ordering::Relaxed);
            if let TrySendError::Disconnected(_) = full {
                log::warn!("a command came after the writer had ended");
            }
            Overloaded
        })
    }

    /// Carries out commands and waits for the commit: for workers and the command line, not for HTTP.
    ///
    /// # Errors
    /// When the writer has failed or ended.
    pub fn call_many(&self, commands: Vec<Command>) -> Result<Vec<Verdicted>, Unavailable> {
        let (answer, wait) = channel();
        let done = Box::new(move |result| drop(answer.send(result)));
        let ended = || Unavailable("the writer has ended".to_owned());
        self.shared.counts.queued.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Message::Job(Job::Many { commands, done })).map_err(|_| ended())?;
        wait.recv().map_err(|_| ended())?
    }

    /// Carries out one command and waits for the commit.
    ///
    /// # Errors
    /// When the writer has failed or ended.
    pub fn call(&self, command: Command) -> Result<Verdicted, Unavailable> {
        let mut results = self.call_many(vec![command])?;
        results.pop().ok_or_else(|| Unavailable("the writer gave no answer".to_owned()))
    }

    /// The data file.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The data file as it is now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn snapshot(&self) -> Result<Snapshot, StateError> {
        self.shared.store.snapshot()
    }

    /// The time of the next command.
    pub fn now(&self) -> Time {
        self.shared.clock.now()
    }

    /// The till's clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What is kept in memory.
    pub fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    /// What replies say.
    pub fn words(&self) -> &'static Words {
        self.shared.words
    }

    /// Whoever waits for news.
    pub fn waiters(&self) -> &Waiters {
        &self.shared.waiters
    }

    /// A bell that rings after commits that may have left work for the gateway.
    pub fn work_bell(&self) -> Receiver<()> {
        let (ring, bell) = channel();
        self.shared.work.lock().unwrap_or_else(PoisonError::into_inner).push(ring);
        bell
    }

    /// What the writer did so far.
    pub fn stats(&self) -> Stats {
        let counts = &self.shared.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: read(&counts.commits),
            commands: read(&counts.commands),
            refused: read(&counts.refused),
            queued_jobs: read(&counts.queued),
            waiting: u64::try_from(self.shared.waiters.len()).unwrap_or(0),
            expired: read(&counts.expired),
            ticks: counts.ticks.read(),
            commit_times: counts.commit_times.read(),
        }
    }

    /// Whether the data file has failed: the process must end, for its supervisor to start it again.
    pub fn has_failed(&self) -> bool {
        self.shared.failed.get().is_some()
    }

    /// Why the data file has failed, if it has.
    pub fn failure(&self) -> Option<&str> {
        self.shared.failed.get().map(String::as_str)
    }

    /// Whether the till sells.
    ///
    /// # Errors
    /// A sentence that says what is the matter and what to do.
    pub fn ready(&self) -> Result<(), String> {
        if self.has_failed() {
            return Err(
                "the data file could not be written; the till is about to end, see its log".to_owned()
            );
        }
        if self.shared.clock.is_jumped() {
            let sentence = "the wall clock jumped ahead, so nothing expires: check it, then `tagtill resume`";
            return Err(sentence.to_owned());
        }
        match self.shared.store.settings() {
            Ok(settings) if settings.paused => {
                let sentence = "restored from a backup: captures and replies wait for `tagtill resume`";
                Err(sentence.to_owned())
            }
            Ok(_) => self.captures_go_on(),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether no network's captures wait for an operator.
    fn captures_go_on(&self) -> Result<(), String> {
        let paused = self.snapshot().and_then(|snapshot| pace::paused(&snapshot));
        match paused.map_err(|error| error.to_string())?.first() {
            None => Ok(()),
            Some((network, since)) => Err(format!(
                "captures on {network} wait since {since}: there were more in an hour than GET /v1/limits allows; \
                 look at its orders, then `tagtill resume`"
            )),
        }
    }
}
