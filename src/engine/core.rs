//! What the writer does, without its thread: applies jobs on one snapshot, commits once, and makes the tick.
//!
//! No thread, no queue and no pause in here, so that whoever drives it decides what happens when: `writer` from a
//! queue, `stepper` by hand.

use super::applied::{Applied, Delivery, Pending, Ready};
use super::clock::Clock;
use super::clock::TimeSource;
use super::handle::{Counts, Shared};
use super::job::{Job, Keyed, Render, Rendered, Reply, Unavailable, Verdicted};
use super::keyed;
use super::memory::Memory;
use super::waiters::Waiters;
use super::writer::EngineConfig;
use crate::store::{Batch, Sealed, Store, Tx, erased};
use crate::till::apply::apply;
use crate::till::command::{Command, Outcome};
use crate::till::context::Context;
use crate::till::id::{AccountId, IdSource};
use crate::till::network::{self, KNOWN_NETWORKS};
use crate::till::pace;
use crate::till::record::AccountStatus;
use crate::till::refusal::Fault;
use crate::till::state::{Direction, Read as _, Span, StateError, Write as _};
use crate::till::table::{Accounts, Counter, Counters, Events, Networks, Outbox, Settings, Tokens, Work};
use crate::till::time::Time;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// The writer's work on one store.
pub(super) struct Core {
    pub shared: Arc<Shared>,
    ids: IdSource,
    tick_slice: usize,
    keep_seconds: u32,
    /// Networks whose captures wait, as an operator was told.
    paused_captures: Vec<(String, Time)>,
}

impl Core {
    /// Reads from the store what has to be in memory.
    pub fn new(store: Store, config: &EngineConfig, source: Box<dyn TimeSource>) -> Result<Self, StateError> {
        let snapshot = store.snapshot()?;
        let settings = store.settings()?;
        let last = snapshot.get::<Counters>(&Counter::LastTime)?.and_then(|ms| i64::try_from(ms).ok());
        let clock = Clock::new(source, settings.clock_offset_ms, Time::from_ms(last.unwrap_or(0)));
        let memory = Memory::new(config.given_tokens.clone());
        memory.load_tokens(&snapshot)?;
        drop(snapshot);
        let ready_at = clock.now();
        let shared = Arc::new(Shared {
            store,
            clock,
            memory,
            waiters: Waiters::default(),
            counts: Counts::default(),
            failed: OnceLock::new(),
            work: Mutex::default(),
            ready_at,
            words: config.words,
        });
        Ok(Self {
            shared,
            ids: IdSource::new(config.seed),
            tick_slice: config.tick_slice,
            keep_seconds: config.keep_seconds,
            paused_captures: Vec::new(),
        })
    }

    /// Applies jobs and commits them; what comes back with the result are their answers, to be handed out now.
    ///
    /// The later half is applied on top of the earlier one, which is not in the file yet, as the writer's thread does
    /// it while a batch is being committed.
    pub fn work_off(&mut self, mut jobs: Vec<Job>) -> (Vec<Delivery>, Result<(), StateError>) {
        let later = jobs.split_off(jobs.len() / 2);
        let (mut first, mut second) = (Applied::default(), Applied::default());
        let mut result = Ok(());
        if !jobs.is_empty() {
            result = self.apply_on(None, Time::from_ms(0), &mut first, jobs);
        }
        let mut ready = first.seal();
        match result {
            Ok(()) => result = self.apply_on(ready.sealed.as_ref(), ready.now, &mut second, later),
            Err(_) => second.pending.extend(later.into_iter().map(Job::into_pending)),
        }
        ready.follow(second.seal());
        if result.is_ok() {
            result = self.finish(&mut ready);
        }
        let answer = result.clone().map_err(|error| Unavailable(error.to_string()));
        (ready.answer(&answer), result)
    }

    /// Applies more jobs in a batch on top of the file, and of `under` where that may not be in it yet. Their time is
    /// not before `since`, that of what lies under them.
    ///
    /// # Errors
    /// When the store fails: nothing of the batch may be committed then.
    pub fn apply_on(
        &mut self,
        under: Option<&Sealed>,
        since: Time,
        applied: &mut Applied,
        jobs: Vec<Job>,
    ) -> Result<(), StateError> {
        applied.now = applied.time().max(self.shared.clock.now()).max(since);
        let mut failure = applied.on(&self.shared.store, under).err();
        for job in jobs {
            applied.commands += job.len();
            let done = match (&mut applied.batch, &failure) {
                (Some(batch), None) => self.apply_job(batch, applied.now, job, &mut applied.clock_moved),
                _ => Err((job.into_pending(), StateError(String::new()))),
            };
            match done {
                Ok(done) => applied.pending.push(done),
                Err((done, error)) => {
                    failure.get_or_insert(error);
                    applied.pending.push(done);
                }
            }
        }
        match (failure, &mut applied.batch) {
            (Some(error), _) => Err(error),
            (None, Some(batch)) => stamp(batch, applied.now),
            (None, None) => Ok(()),
        }
    }

    /// Commits a batch, and what is due after it.
    ///
    /// # Errors
    /// When the data file has failed.
    pub fn finish(&mut self, ready: &mut Ready) -> Result<(), StateError> {
        self.shared.commit(ready)?;
        self.follow_clock(ready.clock_moved.take())
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
                        Ok(outcome) => {
                            note_clock(&outcome, clock_moved);
                            outcomes.push(outcome);
                        }
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
        render: Render,
        keyed: Option<&Keyed>,
        account: Option<AccountId>,
        clock_moved: &mut Option<i64>,
    ) -> Result<Reply, StateError> {
        if let Some(keyed) = keyed
            && let Some(reply) = keyed::find(tx, keyed)?
        {
            return Ok(reply);
        }
        let verdicted = self.apply_in(tx, now, command)?;
        note_clock(&verdicted, clock_moved);
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
        let mut context = Context { now, words: self.shared.words, ids: &mut self.ids };
        match apply(tx, &mut context, command) {
            Ok(outcome) => {
                self.note_erased(tx)?;
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

    /// Accounts that are being erased, by whichever command, are noted before the commit: a backup that is restored
    /// later must forget them, too.
    fn note_erased(&self, tx: &Tx<'_>) -> Result<(), StateError> {
        let Some(path) = self.shared.store.path() else { return Ok(()) };
        for (id, account) in tx.written::<Accounts>()? {
            if matches!(account.status, AccountStatus::Erasing | AccountStatus::Erased) {
                erased::note(path, id).map_err(|error| StateError(error.to_string()))?;
            }
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
    pub fn tick(&mut self) -> Result<bool, StateError> {
        let mut ticked = Applied::default();
        let more = self.tick_on(None, Time::from_ms(0), &mut ticked)?;
        self.shared.commit(&ticked.seal())?;
        Ok(more)
    }

    /// One tick, in a batch like [`Self::apply_on`]; returns whether more is due.
    ///
    /// # Errors
    /// When the store fails: nothing of the batch may be committed then.
    pub fn tick_on(
        &mut self,
        under: Option<&Sealed>,
        since: Time,
        applied: &mut Applied,
    ) -> Result<bool, StateError> {
        let begun = Instant::now();
        let jumped = self.shared.clock.check_jump();
        let shown = self.shared.clock.now();
        let now = applied.time().max(shown).max(since);
        applied.now = now;
        let batch = applied.on(&self.shared.store, under)?;
        let mut tx = batch.begin();
        let mut grace_ms = 0;
        if !jumped {
            grace_ms = longest_grace_ms(&tx)?;
        }
        // After a start, buyers whose posts could not come in get their grace.
        let ready = shown.ms_since(self.shared.ready_at) >= grace_ms;
        let expire_until = (!jumped && ready).then_some(shown);
        let command = Command::Tick { expire_until, slice: self.tick_slice, keep_seconds: self.keep_seconds };
        let outcome = self.apply_in(&mut tx, now, &command)?;
        self.tell_of_paused_captures(&tx)?;
        tx.keep();
        stamp(batch, now)?;
        self.shared.counts.ticks.note(begun.elapsed());
        let Ok(Outcome::Ticked { freed, more }) = outcome else { return Ok(false) };
        applied.sliced |= more;
        applied.freed += u64::try_from(freed).unwrap_or(0);
        Ok(more)
    }

    /// An operator is told, once each time.
    fn tell_of_paused_captures(&mut self, tx: &Tx<'_>) -> Result<(), StateError> {
        let paused = pace::paused(tx)?;
        for (network, _) in paused.iter().filter(|one| !self.paused_captures.contains(one)) {
            log::warn!(
                "captures on {network} wait: there were more in an hour than the limits allow; look at its orders, then \
                 call resume"
            );
        }
        self.paused_captures = paused;
        Ok(())
    }
}

impl Shared {
    /// Commits a batch and tells whoever waits for it.
    pub(super) fn commit(&self, ready: &Ready) -> Result<(), StateError> {
        let Some(sealed) = ready.sealed.as_ref().filter(|sealed| !sealed.is_empty()) else { return Ok(()) };
        // A resumed till hands its replies out again.
        let settings = sealed.touches::<Settings>();
        let begun = Instant::now();
        self.store.commit_sealed(sealed)?;
        self.counts.commit_times.note(begun.elapsed());
        self.counts.commits.fetch_add(1, Ordering::Relaxed);
        self.counts.expired.fetch_add(ready.freed, Ordering::Relaxed);
        self.clock.committed(ready.now);
        if sealed.touches::<Tokens>() {
            self.memory.load_tokens(&self.store.snapshot()?)?;
        }
        self.waiters.tell(sealed.touches::<Events>(), settings || sealed.touches::<Outbox>());
        if settings || sealed.touches::<Work>() {
            let mut bells = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            bells.retain(|bell| bell.send(()).is_ok());
        }
        Ok(())
    }
}

impl Job {
    /// A job that was not applied: it can only be answered with a failure.
    pub(super) fn into_pending(self) -> Pending {
        match self {
            Self::Many { done, .. } => Box::new(move |result| only_failure(result, done)),
            Self::Call { done, .. } => Box::new(move |result| only_failure(result, done)),
        }
    }
}

/// Notes the time of a batch that wrote something.
fn stamp(batch: &mut Batch, now: Time) -> Result<(), StateError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut tx = batch.begin();
    tx.put::<Counters>(&Counter::LastTime, &now.key_ms())?;
    tx.keep();
    Ok(())
}

/// Notes that a command has moved the clock of a sandbox.
fn note_clock(verdicted: &Verdicted, clock_moved: &mut Option<i64>) {
    if let Ok(Outcome::Clock { offset_ms }) = verdicted {
        *clock_moved = Some(*offset_ms);
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
