//! The writer's thread: takes what is queued, applies it, commits it, hands out the answers.

use super::clock::Clock;
use super::handle::{Counts, Handle, Message, Shared};
use super::job::{Job, Keyed, Rendered, Reply, Unavailable, Verdicted};
use super::keyed;
use super::memory::Memory;
use super::waiters::Waiters;
use crate::store::{Batch, Store, Tx, erased};
use crate::till::apply::apply;
use crate::till::command::{Command, Outcome};
use crate::till::context::Context;
use crate::till::id::IdSource;
use crate::till::network::{self, KNOWN_NETWORKS};
use crate::till::refusal::Fault;
use crate::till::state::{Direction, Read as _, Span, StateError, Write as _};
use crate::till::table::{Counter, Counters, Networks};
use crate::till::time::Time;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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
    /// Seeds the ids.
    pub seed: [u64; 2],
    /// The hash of an admin token that is not in the store.
    pub given_token: Option<[u8; 32]>,
    /// Threads that hand out answers.
    pub responders: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            queue_jobs_max: 4096,
            batch_commands_max: 1000,
            tick: Duration::from_secs(1),
            tick_slice: 1000,
            seed: [0x7461_6774, 0x696c_6c00],
            given_token: None,
            responders: 1,
        }
    }
}

type Delivery = Box<dyn FnOnce() + Send>;

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
        let snapshot = store.snapshot()?;
        let settings = store.settings()?;
        let last = snapshot.get::<Counters>(&Counter::LastTime)?.and_then(|ms| i64::try_from(ms).ok());
        let clock = Clock::new(settings.clock_offset_ms, Time::from_ms(last.unwrap_or(0)));
        let memory = Memory::new(config.given_token);
        memory.load_tokens(&snapshot)?;
        drop(snapshot);
        let ready_at = clock.now();
        let shared = Arc::new(Shared {
            store,
            clock,
            memory,
            waiters: Waiters::default(),
            counts: Counts::default(),
            failed: AtomicBool::new(false),
            work: Mutex::default(),
            ready_at,
        });
        let (queue, jobs) = sync_channel(config.queue_jobs_max);
        let (answers, deliveries) = channel::<Vec<Delivery>>();
        let deliveries = Arc::new(Mutex::new(deliveries));
        let mut threads = Vec::new();
        for _ in 0..config.responders.max(1) {
            let deliveries = Arc::clone(&deliveries);
            threads.push(std::thread::spawn(move || respond(&deliveries)));
        }
        let waiting = Arc::clone(&shared);
        threads.push(std::thread::spawn(move || waiting.waiters.run(&waiting.store)));
        let writer = Writer {
            shared: Arc::clone(&shared),
            ids: IdSource::new(config.seed),
            config: config.clone(),
            answers,
        };
        threads.push(std::thread::spawn(move || writer.run(&jobs)));
        Ok(Self { handle: Handle { shared, queue }, threads })
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
            deliver();
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    ids: IdSource,
    config: EngineConfig,
    answers: Sender<Vec<Delivery>>,
}

/// What a job came to before the commit; delivered after it.
type Pending = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

impl Writer {
    fn run(mut self, jobs: &Receiver<Message>) {
        let mut next_tick = Instant::now();
        loop {
            let now = Instant::now();
            if now >= next_tick {
                next_tick = now + self.config.tick;
                match self.tick() {
                    Ok(false) => {}
                    // More is due: buyers first, then the next slice at once.
                    Ok(true) => next_tick = now,
                    Err(_) => return self.fail(jobs),
                }
            }
            let (batch, stop) = self.gather(jobs, next_tick);
            if !batch.is_empty() && self.work_off(batch).is_err() {
                return self.fail(jobs);
            }
            if stop {
                return;
            }
        }
    }

    /// Takes what is queued, without waiting for more than there is.
    fn gather(&self, jobs: &Receiver<Message>, until: Instant) -> (Vec<Job>, bool) {
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
                Message::Job(job) => {
                    self.shared.counts.queued.fetch_sub(1, Ordering::Relaxed);
                    commands += job.len();
                    batch.push(job);
                }
            }
            next = if commands < self.config.batch_commands_max { jobs.try_recv().ok() } else { None };
        }
        (batch, stop)
    }

    /// Applies jobs, commits, and hands out their answers.
    fn work_off(&mut self, jobs: Vec<Job>) -> Result<(), StateError> {
        let now = self.shared.clock.now();
        let mut batch = self.shared.store.batch();
        let mut pending = Vec::with_capacity(jobs.len());
        let mut failure = batch.as_ref().err().cloned();
        let mut clock_moved = None;
        for job in jobs {
            let applied = match (&mut batch, &failure) {
                (Ok(batch), None) => self.apply_job(batch, now, job, &mut clock_moved),
                _ => Err((job.into_pending(), StateError(String::new()))),
            };
            match applied {
                Ok(done) => pending.push(done),
                Err((done, error)) => {
                    failure.get_or_insert(error);
                    pending.push(done);
                }
            }
        }
        let result = match (batch, failure) {
            (Ok(batch), None) => self.commit(batch, now),
            (_, Some(error)) | (Err(error), None) => Err(error),
        };
        let result = result.and_then(|()| self.follow_clock(clock_moved));
        let answer = result.clone().map_err(|error| Unavailable(error.to_string()));
        let deliveries: Vec<Delivery> = pending
            .into_iter()
            .map(|done| {
                let answer = answer.clone();
                Box::new(move || done(answer)) as Delivery
            })
            .collect();
        drop(self.answers.send(deliveries));
        result
    }

    fn apply_job(
        &mut self,
        batch: &mut Batch,
        now: Time,
        job: Job,
        clock_moved: &mut Option<i64>,
    ) -> Result<Pending, (Pending, StateError)> {
        match job {
            Job::Many { commands, done } => {
                let mut outcomes = Vec::with_capacity(commands.len());
                for command in &commands {
                    match self.apply_one(batch, now, command) {
                        Ok(outcome) => outcomes.push(outcome),
                        Err(error) => {
                            return Err((Job::Many { commands: vec![], done }.into_pending(), error));
                        }
                    }
                }
                Ok(Box::new(move |result| done(result.map(|()| outcomes))))
            }
            Job::Call { command, render, keyed, account, done } => {
                let mut tx = batch.begin();
                let replied =
                    self.apply_call(&mut tx, now, &command, render, keyed.as_ref(), account, clock_moved);
                match replied {
                    Ok(reply) => {
                        tx.keep();
                        Ok(Box::new(move |result| done(result.map(|()| reply))))
                    }
                    Err(error) => Err((Box::new(move |result| only_failure(result, done)), error)),
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one job")]
    fn apply_call(
        &mut self,
        tx: &mut Tx<'_>,
        now: Time,
        command: &Command,
        render: super::Render,
        keyed: Option<&Keyed>,
        account: Option<crate::till::id::AccountId>,
        clock_moved: &mut Option<i64>,
    ) -> Result<Reply, StateError> {
        if let Some(keyed) = keyed
            && let Some(reply) = keyed::find(tx, keyed)?
        {
            return Ok(reply);
        }
        let verdicted = self.apply_in(tx, now, command)?;
        if let Ok(Outcome::Clock { offset_ms }) = verdicted {
            *clock_moved = Some(offset_ms);
        }
        let rendered: Rendered = render(tx, now, &verdicted)?;
        if let Some(keyed) = keyed {
            let account = match &verdicted {
                Ok(Outcome::Account(id)) => Some(*id),
                _ => account,
            };
            keyed::keep(tx, now, keyed, &rendered, account)?;
        }
        Ok(Reply::Rendered(rendered))
    }

    fn apply_one(
        &mut self,
        batch: &mut Batch,
        now: Time,
        command: &Command,
    ) -> Result<Verdicted, StateError> {
        let mut tx = batch.begin();
        let verdicted = self.apply_in(&mut tx, now, command)?;
        tx.keep();
        Ok(verdicted)
    }

    /// Applies one command in its buffer; a refused one leaves the buffer empty.
    fn apply_in(&mut self, tx: &mut Tx<'_>, now: Time, command: &Command) -> Result<Verdicted, StateError> {
        self.shared.counts.commands.fetch_add(1, Ordering::Relaxed);
        let mut context = Context { now, ids: &mut self.ids };
        match apply(tx, &mut context, command) {
            Ok(outcome) => {
                if let (Command::EraseAccount { id }, Some(path)) = (command, self.shared.store.path()) {
                    // Before the commit: a backup that is restored later must forget this account, too.
                    erased::note(path, *id).map_err(|error| StateError(error.to_string()))?;
                }
                Ok(Ok(outcome))
            }
            Err(Fault::Refused(refusal)) => {
                self.shared.counts.refused.fetch_add(1, Ordering::Relaxed);
                tx.reset();
                Ok(Err(refusal))
            }
            Err(Fault::State(error)) => Err(error),
        }
    }

    fn commit(&mut self, mut batch: Batch, now: Time) -> Result<(), StateError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut tx = batch.begin();
        tx.put::<Counters>(&Counter::LastTime, &now.key_ms())?;
        tx.keep();
        let touched = |table: &str| batch.touches(table);
        // A resumed till hands its replies out again.
        let (events, replies) = (touched("events"), touched("outbox") || touched("settings"));
        let (tokens, work) = (touched("tokens"), touched("work") || touched("settings"));
        let begun = Instant::now();
        self.shared.store.commit(batch)?;
        self.shared.counts.commit_times.note(begun.elapsed());
        self.shared.counts.commits.fetch_add(1, Ordering::Relaxed);
        self.shared.clock.committed(now);
        if tokens {
            self.shared.memory.load_tokens(&self.shared.store.snapshot()?)?;
        }
        self.shared.waiters.tell(events, replies);
        if work {
            let mut bells = self.shared.work.lock().unwrap_or_else(PoisonError::into_inner);
            bells.retain(|bell| bell.send(()).is_ok());
        }
        Ok(())
    }

    /// A sandbox's clock was moved: its answer waits until what is due by then has happened.
    fn follow_clock(&mut self, moved: Option<i64>) -> Result<(), StateError> {
        let Some(offset_ms) = moved else { return Ok(()) };
        self.shared.clock.set_offset(offset_ms);
        while self.tick()? {}
        Ok(())
    }

    /// One tick, in its own commit; returns whether more is due.
    fn tick(&mut self) -> Result<bool, StateError> {
        let begun = Instant::now();
        let jumped = self.shared.clock.check_jump();
        let now = self.shared.clock.now();
        let mut batch = self.shared.store.batch()?;
        let mut tx = batch.begin();
        let mut grace_ms = 0;
        if !jumped {
            grace_ms = longest_grace_ms(&tx)?;
        }
        // After a start, buyers whose posts could not come in get their grace.
        let ready = now.ms_since(self.shared.ready_at) >= grace_ms;
        let expire_until = (!jumped && ready).then_some(now);
        let command = Command::Tick { expire_until, slice: self.config.tick_slice };
        let outcome = self.apply_in(&mut tx, now, &command)?;
        tx.keep();
        self.commit(batch, now)?;
        self.shared.counts.ticks.note(begun.elapsed());
        let Ok(Outcome::Ticked { freed, more }) = outcome else { return Ok(false) };
        self.shared.counts.expired.fetch_add(u64::try_from(freed).unwrap_or(0), Ordering::Relaxed);
        Ok(more)
    }

    /// The data file has failed: whoever still asks is told so.
    fn fail(&self, jobs: &Receiver<Message>) {
        self.shared.failed.store(true, Ordering::Relaxed);
        log::error!("the data file has failed; nothing more is written, the process has to be started again");
        while let Ok(message) = jobs.recv_timeout(Duration::from_secs(5)) {
            match message {
                Message::Stop => return,
                Message::Job(job) => {
                    let done = job.into_pending();
                    done(Err(Unavailable("the data file has failed".to_owned())));
                }
            }
        }
    }
}

impl Job {
    /// A job that was not applied: it can only be answered with a failure.
    fn into_pending(self) -> Pending {
        match self {
            Self::Many { done, .. } => Box::new(move |result| only_failure(result, done)),
            Self::Call { done, .. } => Box::new(move |result| only_failure(result, done)),
        }
    }
}

/// The longest grace of all networks, in milliseconds.
fn longest_grace_ms(tx: &Tx<'_>) -> Result<i64, StateError> {
    let mut longest = KNOWN_NETWORKS
        .iter()
        .filter_map(|slug| network::defaults(slug))
        .map(|network| network.grace_seconds)
        .max()
        .unwrap_or(0);
    tx.scan::<Networks>(&Span::all(), Direction::Up, |_, network| {
        longest = longest.max(network.grace_seconds);
        ControlFlow::Continue(())
    })?;
    Ok(i64::from(longest) * 1000)
}

/// Tells a failure to whoever asked; there is nothing to tell else.
fn only_failure<T>(result: Result<(), Unavailable>, done: Box<dyn FnOnce(Result<T, Unavailable>) + Send>) {
    if let Err(error) = result {
        done(Err(error));
    }
}
