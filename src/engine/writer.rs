//! The writer's thread: takes what is queued, applies it, and hands it over to be committed and answered.
//!
//! While one batch is being committed, the next is applied on top of it, and grows until its turn comes.

use super::applied::{Applied, Delivery, Ready};
use super::clock::{StandingTime, SystemTime, TimeSource};
use super::committer::Committer;
use super::core::Core;
use super::handle::{Handle, Message};
use super::job::{Job, Unavailable};
use crate::store::{Sealed, Store, guarded};
use crate::till::role::Role;
use crate::till::state::StateError;
use crate::till::time::Time;
use crate::till::words::Words;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Room in the queue, beside that for jobs, for what the committer tells the writer.
const COMMITTED_MAX: usize = 8;

/// How the writer works.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Jobs that may wait; beyond that callers are told to come again.
    pub queue_jobs_max: usize,
    /// Commands in one commit, at most (a larger job goes alone).
    pub batch_commands_max: usize,
    /// From one tick to the next.
    pub tick: Duration,
    /// What one tick frees or cleans in one commit, at most.
    pub tick_slice: usize,
    /// How long replies, and what explains posts, are kept.
    pub keep_seconds: u32,
    /// What replies say.
    pub words: &'static Words,
    /// Seeds the ids.
    pub seed: [u64; 2],
    /// The hashes of tokens that are not in the store, and what they may do.
    pub given_tokens: Vec<([u8; 32], Role)>,
    /// Threads that hand out answers.
    pub responders: usize,
    /// Where the wall clock stands still, in milliseconds since 1970; `None`: time passes.
    pub standing_ms: Option<i64>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_jobs_max: 4096,
            batch_commands_max: 1000,
            tick: Duration::from_secs(1),
            tick_slice: 1000,
            keep_seconds: 90 * 86_400,
            words: Words::built_in(),
            seed: [0x7461_6774, 0x696c_6c00],
            given_tokens: Vec::new(),
            responders: 1,
            standing_ms: None,
        }
    }
}

/// The running writer.
pub struct Engine {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Starts the writer on a store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn start(store: Store, config: &EngineConfig) -> Result<Self, StateError> {
        let time: Box<dyn TimeSource> = match config.standing_ms {
            Some(wall_ms) => Box::new(StandingTime { wall_ms }),
            None => Box::new(SystemTime::default()),
        };
        let core = Core::new(store, config, time)?;
        let shared = Arc::clone(&core.shared);
        let (queue, jobs) = sync_channel(config.queue_jobs_max.saturating_add(COMMITTED_MAX));
        let (answers, deliveries) = channel::<Vec<Delivery>>();
        let deliveries = Arc::new(Mutex::new(deliveries));
        let mut threads = Vec::new();
        for _ in 0..config.responders.max(1) {
            let deliveries = Arc::clone(&deliveries);
            threads.push(std::thread::spawn(move || respond(&deliveries)));
        }
        let waiting = Arc::clone(&shared);
        threads.push(std::thread::spawn(move || waiting.waiters.run(&waiting.store)));
        let queue = Arc::new(queue);
        let queue_jobs_max = u64::try_from(config.queue_jobs_max).unwrap_or(u64::MAX);
        let committer = Committer::start(Arc::clone(&shared), answers.clone(), Arc::downgrade(&queue));
        let (under, since) = (None, Time::from_ms(0));
        let writer = Writer { core, config: config.clone(), answers, committer, under, since };
        threads.push(std::thread::spawn(move || writer.work(&jobs)));
        Ok(Self { handle: Handle { shared, queue, queue_jobs_max }, threads })
    }

    /// A way to the writer.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Finishes what is queued, answers it, and ends.
    pub fn stop(self) {
        drop(self.handle.queue.send(Message::Stop));
        self.handle.shared.waiters.close();
        self.handle.shared.work.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a thread of the engine panicked");
            }
        }
    }
}

fn respond(deliveries: &Mutex<Receiver<Vec<Delivery>>>) {
    loop {
        let next = deliveries.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(batch) = next else { return };
        for deliver in batch {
            if catch_unwind(AssertUnwindSafe(deliver)).is_err() {
                log::error!("an answer could not be handed out");
            }
        }
    }
}

struct Writer {
    core: Core,
    config: EngineConfig,
    answers: Sender<Vec<Delivery>>,
    committer: Committer,
    /// The batch that was handed over last, and its time.
    under: Option<Sealed>,
    since: Time,
}

impl Writer {
    /// Works until it is told to stop, or until the data file fails.
    fn work(mut self, jobs: &Receiver<Message>) {
        // Damage that is met while the till runs can be a panic.
        if let Err(error) = guarded(|| self.run(jobs), |error| error) {
            self.fail(jobs, &error);
        }
    }

    fn run(&mut self, jobs: &Receiver<Message>) -> Result<(), StateError> {
        let mut open = Applied::default();
        let mut next_tick = Instant::now();
        loop {
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + self.config.tick;
                if open.sliced {
                    // One slice a batch, so that buyers have their share of each.
                    self.wait_for_turn(&mut open)?;
                }
                match self.core.tick_on(self.under.as_ref(), self.since, &mut open) {
                    // More is due: buyers first, then the next slice at once.
                    Ok(true) => next_tick = now,
                    Ok(false) => {}
                    Err(error) => return Err(self.give_up(open, error)),
                }
            }
            let room = self.config.batch_commands_max.saturating_sub(open.commands);
            if room == 0 {
                self.wait_for_turn(&mut open)?;
                continue;
            }
            let (batch, stop) = self.gather(jobs, next_tick, room);
            if !batch.is_empty() {
                let applied = self.core.apply_on(self.under.as_ref(), self.since, &mut open, batch);
                if let Err(error) = applied {
                    return Err(self.give_up(open, error));
                }
            }
            if stop {
                return self.settle(&mut open);
            }
            self.hand_over(&mut open)?;
        }
    }

    /// Hands the open batch over, unless one is being committed.
    fn hand_over(&mut self, open: &mut Applied) -> Result<(), StateError> {
        match self.committer.is_busy() {
            Ok(true) => Ok(()),
            Ok(false) if open.is_empty() => {
                // All that was applied is in the file. What has nothing in it forgets what it lay on, and its time.
                self.under = None;
                *open = Applied::default();
                Ok(())
            }
            Ok(false) => {
                let ready = std::mem::take(open).seal();
                if ready.clock_moved.is_some() {
                    return self.finish(ready);
                }
                self.since = self.since.max(ready.now);
                self.under.clone_from(&ready.sealed);
                self.committer.hand_over(ready);
                Ok(())
            }
            Err(error) => Err(self.give_up(std::mem::take(open), error)),
        }
    }

    /// Waits until everything that was applied is committed.
    fn settle(&mut self, open: &mut Applied) -> Result<(), StateError> {
        self.wait_for_turn(open)?;
        self.wait_for_turn(open)
    }

    /// Waits until nothing is being committed, and hands the open batch over.
    fn wait_for_turn(&mut self, open: &mut Applied) -> Result<(), StateError> {
        match self.committer.settle() {
            Ok(()) => self.hand_over(open),
            Err(error) => Err(self.give_up(std::mem::take(open), error)),
        }
    }

    /// Commits a batch in this thread.
    fn finish(&mut self, mut ready: Ready) -> Result<(), StateError> {
        self.under = None;
        let result = self.core.finish(&mut ready);
        self.answer(ready, &result);
        result
    }

    /// Answers what was applied and cannot be committed any more.
    fn give_up(&mut self, open: Applied, error: StateError) -> StateError {
        // What is being committed has answers of its own.
        drop(self.committer.settle());
        self.answer(open.seal(), &Err(error.clone()));
        error
    }

    fn answer(&self, ready: Ready, result: &Result<(), StateError>) {
        if let Err(error) = result {
            // Before the answers: whoever asks next is told the same.
            drop(self.core.shared.failed.set(error.to_string()));
        }
        let answer = result.clone().map_err(|error| Unavailable(error.to_string()));
        drop(self.answers.send(ready.answer(&answer)));
    }

    /// Takes what is queued, commands up to `room`, without waiting for more than there is.
    fn gather(&self, jobs: &Receiver<Message>, until: Instant, room: usize) -> (Vec<Job>, bool) {
        let mut batch = Vec::new();
        let mut commands = 0;
        let mut stop = false;
        let pause = until.saturating_duration_since(Instant::now());
        let mut next = match jobs.recv_timeout(pause) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
        };
        while let Some(message) = next {
            match message {
                Message::Stop => stop = true,
                Message::Committed => {}
                Message::Job(job) => {
                    self.core.shared.counts.queued.fetch_sub(1, Ordering::Relaxed);
                    commands += job.len();
                    batch.push(job);
                }
            }
            next = if commands < room { jobs.try_recv().ok() } else { None };
        }
        (batch, stop)
    }

    /// The data file has failed: whoever still asks is told so.
    fn fail(&self, jobs: &Receiver<Message>, error: &StateError) {
        log::error!("the data file has failed, and nothing more is written: {error}");
        drop(self.core.shared.failed.set(error.to_string()));
        while let Ok(message) = jobs.recv_timeout(Duration::from_secs(5)) {
            match message {
                Message::Stop => return,
                Message::Committed => {}
                Message::Job(job) => {
                    let done = job.into_pending();
                    done(Err(Unavailable("the data file has failed".to_owned())));
                }
            }
        }
    }
}
