//! The real till on a simulated disk, driven step by step, beside the model of what it must do.
//!
//! After a crash whose command was not answered, both are right: that it happened, and that it did not. Whatever was
//! answered has happened.

use super::chance::Chance;
use super::clocks::Clocks;
use super::disk::{Fault, SimDisk};
use super::model::{GRACE_MS, Model};
use std::cell::RefCell;
use std::sync::mpsc::channel;
use tagtill::engine::{
    EngineConfig, Job, Keyed, Rendered, Reply, Stepper, TimeSource as _, Unavailable, Verdicted,
};
use tagtill::payments::Desk;
use tagtill::store::{Snapshot, Store};
use tagtill::till::command::{Command, Outcome};
use tagtill::till::record::SettingsRecord;
use tagtill::till::state::{Read as _, StateError};
use tagtill::till::table::{Counter, Counters};
use tagtill::till::time::Time;

/// What one tick frees at most: few, so that slices matter.
pub const TICK_SLICE: usize = 3;
/// How long replies are kept: a day, which lives outlast.
pub const KEEP_SECONDS: u32 = 86_400;
/// Answers to keyed requests are kept for 72 hours; nobody relies on the last of them here.
const KEPT_MS: i64 = 71 * 3_600_000;
const CACHE_BYTES: usize = 1024 * 1024;

/// A job for the writer.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Plan {
    Many(Vec<Command>),
    /// A request with an idempotency key and a body, both numbered.
    Keyed {
        key: u64,
        body: u8,
        command: Command,
    },
}

enum Answer {
    Many(Result<Vec<Verdicted>, Unavailable>),
    Keyed(Result<Reply, Unavailable>),
}

pub struct Till {
    pub disk: SimDisk,
    pub clocks: Clocks,
    pub model: Model,
    pub chance: Chance,
    stepper: Option<Stepper>,
    /// What may be so after an answer that never came, in the order of their likelihood.
    candidates: Vec<Model>,
    base_ms: i64,
    ready_at: i64,
    /// What went wrong where no result can say so.
    pub wrong: Option<String>,
}

impl Till {
    /// A fresh till.
    pub fn new(seed: u64, clocks: Clocks) -> Result<Self, String> {
        let model = Model { epoch: 1, ..Model::default() };
        let mut till = Self {
            disk: SimDisk::default(),
            clocks,
            candidates: vec![model.clone()],
            model,
            chance: Chance::new(seed),
            stepper: None,
            base_ms: 0,
            ready_at: 0,
            wrong: None,
        };
        till.boot()?;
        Ok(till)
    }

    fn stepper(&mut self) -> Result<&mut Stepper, String> {
        self.stepper.as_mut().ok_or_else(|| "the till does not run".to_owned())
    }

    pub fn snapshot(&self) -> Result<Snapshot, StateError> {
        match &self.stepper {
            Some(stepper) => stepper.snapshot(),
            None => Err(StateError("the till does not run".to_owned())),
        }
    }

    /// Whether the till believes its clock.
    fn deadlines_count(&self) -> bool {
        self.stepper.as_ref().is_none_or(|stepper| !stepper.clock().is_jumped())
    }

    /// The time of the next command, which must be max(last committed time, wall clock and offset).
    pub fn now(&self) -> Result<i64, String> {
        let stepper = self.stepper.as_ref().ok_or("the till does not run")?;
        let last = self.last_time()?;
        let now = stepper.now().ms();
        let due = last.max(self.clocks.wall_ms() + self.model.offset_ms);
        if now == due { Ok(now) } else { Err(format!("the clock shows {now}, it must show {due}")) }
    }

    fn last_time(&self) -> Result<i64, String> {
        let snapshot = self.snapshot().map_err(|error| error.to_string())?;
        let last = snapshot.get::<Counters>(&Counter::LastTime).map_err(|error| error.to_string())?;
        Ok(i64::try_from(last.unwrap_or(0)).unwrap())
    }

    /// Starts on the disk as it is, after whatever happened to it.
    pub fn boot(&mut self) -> Result<(), String> {
        self.stepper = None;
        for attempt in 0.. {
            self.disk.restart(&mut self.chance);
            if attempt < 2 && self.disk.operations() > 0 && self.chance.percent(10) {
                let fault = *self.chance.pick(&[Fault::PowerCut, Fault::Kill]).unwrap();
                let after = self.chance.below(12);
                self.disk.arm(after, fault);
            }
            match self.start() {
                Ok(stepper) => {
                    self.disk.disarm();
                    self.stepper = Some(stepper);
                    break;
                }
                Err(_) if self.disk.struck().is_some() => {}
                Err(error) => return Err(format!("the data file cannot be opened: {error}")),
            }
        }
        self.reconcile()?;
        self.base_ms = self.clocks.wall_ms() - self.clocks.elapsed_ms();
        self.ready_at = self.now()?;
        Ok(())
    }

    fn start(&mut self) -> Result<Stepper, String> {
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store =
            Store::on_disk(self.disk.clone(), CACHE_BYTES, &fresh).map_err(|error| error.to_string())?;
        let seed = [self.chance.next(), self.chance.next()];
        let config = EngineConfig {
            seed,
            tick_slice: TICK_SLICE,
            keep_seconds: KEEP_SECONDS,
            ..EngineConfig::default()
        };
        Stepper::new(store, &config, Box::new(self.clocks.clone())).map_err(|error| error.to_string())
    }

    /// What was not answered has happened as a whole, or not at all.
    fn reconcile(&mut self) -> Result<(), String> {
        let snapshot = self.snapshot().map_err(|error| error.to_string())?;
        let mut reasons = Vec::new();
        for mut candidate in std::mem::take(&mut self.candidates) {
            match candidate.agree(&snapshot) {
                Ok(()) => {
                    self.model = candidate;
                    return Ok(());
                }
                Err(reason) => reasons.push(reason),
            }
        }
        Err(format!("after the restart nothing fits:\n  {}", reasons.join("\n  ")))
    }

    /// Another disk takes the place of this one: a restored backup.
    pub fn replace(&mut self, disk: SimDisk, model: Model) -> Result<(), String> {
        self.stepper = None;
        self.disk = disk;
        self.model = model.clone();
        self.candidates = vec![model];
        self.boot()
    }

    /// Ends the process in good order and starts it again.
    pub fn restart(&mut self) -> Result<(), String> {
        self.candidates = vec![self.model.clone()];
        self.boot()
    }

    /// Whether the process has ended.
    pub fn is_down(&self) -> bool {
        self.stepper.is_none() || self.disk.struck().is_some()
    }

    /// An operator says that the wall clock is right.
    pub fn accept_jump(&mut self) -> Result<(), String> {
        self.stepper()?.clock().accept_jump();
        self.base_ms = self.clocks.wall_ms() - self.clocks.elapsed_ms();
        Ok(())
    }

    /// Has the till do some jobs in one batch, and compares.
    pub fn batch(&mut self, plans: Vec<Plan>) -> Result<(), String> {
        self.batch_answers(plans).map(drop)
    }

    fn batch_answers(&mut self, plans: Vec<Plan>) -> Result<Vec<Verdicted>, String> {
        let now = self.now()?;
        let (jobs, waits): (Vec<_>, Vec<_>) = plans.iter().map(job).unzip();
        let result = self.stepper()?.work_off(jobs);
        let (mut after, mut acknowledged, mut all) = (self.model.clone(), false, Vec::new());
        for (plan, wait) in plans.iter().zip(waits) {
            let answer = wait();
            acknowledged |= matches!(answer, Some(Answer::Many(Ok(_)) | Answer::Keyed(Ok(_))));
            all.extend(follow(&mut after, now, plan, answer.as_ref(), result.is_ok())?);
        }
        let clock_moved = after.offset_ms != self.model.offset_ms;
        let mut candidates = if acknowledged { vec![] } else { vec![self.model.clone()] };
        candidates.push(after);
        if clock_moved {
            self.expect_ticks(&mut candidates, result.is_ok());
        }
        self.conclude(result, candidates)?;
        Ok(all)
    }

    /// A command that the model does not follow, while nothing goes wrong.
    pub fn outside(&mut self, command: Command) -> Result<Outcome, String> {
        match self.stepper()?.call(command) {
            Ok(Ok(outcome)) => Ok(outcome),
            other => Err(format!("{other:?}")),
        }
    }

    /// One tick.
    pub fn tick(&mut self) -> Result<bool, String> {
        let now = self.now()?;
        let expires = self.expires(now);
        let result = self.stepper()?.tick();
        let mut after = self.model.clone();
        after.tick(now, expires, TICK_SLICE);
        let more = matches!(result, Ok(true));
        self.conclude(result.map(drop), vec![self.model.clone(), after])?;
        Ok(more)
    }

    /// Whether a tick now may free holds: not while the wall clock stands where nobody expects it, and not before the
    /// till has run for the longest grace.
    fn expires(&mut self, now: i64) -> bool {
        let ahead = self.clocks.wall_ms() - (self.base_ms + self.clocks.elapsed_ms());
        if ahead > 60_000 {
            return false;
        }
        self.base_ms += ahead;
        now - self.ready_at >= GRACE_MS
    }

    /// The clock of a sandbox was moved: its answer waits for what is due by then.
    fn expect_ticks(&mut self, candidates: &mut Vec<Model>, done: bool) {
        let Some(mut last) = candidates.last().cloned() else { return };
        let now = self.clocks.wall_ms() + last.offset_ms;
        let now = now.max(self.last_time().unwrap_or(now));
        let expires = self.expires(now);
        for _ in 0..=last.purchases.len() + last.sessions.len() {
            last.tick(now, expires, TICK_SLICE);
            candidates.push(last.clone());
        }
        if done {
            candidates.drain(..candidates.len() - 1);
        }
    }

    fn conclude(&mut self, result: Result<(), StateError>, mut candidates: Vec<Model>) -> Result<(), String> {
        match result {
            Ok(()) => {
                self.model = candidates.pop().ok_or("no candidate")?;
                Ok(())
            }
            Err(error) if self.disk.struck().is_none() => Err(format!("the till failed by itself: {error}")),
            Err(_) => {
                self.candidates = candidates;
                self.stepper = None;
                Ok(())
            }
        }
    }

    /// After a step: the data file is what the model says; a till that has ended is started again.
    pub fn settle(&mut self) -> Result<(), String> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        if self.is_down() {
            if self.candidates.is_empty() {
                self.candidates = vec![self.model.clone()];
            }
            return self.boot();
        }
        let snapshot = self.snapshot().map_err(|error| error.to_string())?;
        self.model.agree(&snapshot)
    }
}

/// A job for the writer, and what waits for its answer.
fn job(plan: &Plan) -> (Job, Box<dyn FnOnce() -> Option<Answer>>) {
    match plan {
        Plan::Many(commands) => {
            let (tell, told) = channel();
            let done = Box::new(move |result| drop(tell.send(result)));
            let job = Job::Many { commands: commands.clone(), done };
            (job, Box::new(move || told.try_recv().ok().map(Answer::Many)))
        }
        Plan::Keyed { key, body, command } => {
            let (tell, told) = channel();
            let mut scope = [0; 32];
            scope[..8].copy_from_slice(&key.to_be_bytes());
            let job = Job::Call {
                command: command.clone(),
                render: Box::new(|_, _, verdicted| {
                    let status = if verdicted.is_ok() { 200 } else { 422 };
                    Ok(Rendered { status, body: Some(format!("{verdicted:?}").into_bytes()) })
                }),
                keyed: Some(Keyed { scope, body_hash: [*body; 32], secret: false }),
                account: None,
                done: Box::new(move |result| drop(tell.send(result))),
            };
            (job, Box::new(move || told.try_recv().ok().map(Answer::Keyed)))
        }
    }
}

/// Takes a job's answer into the model.
fn follow(
    model: &mut Model,
    now: i64,
    plan: &Plan,
    answer: Option<&Answer>,
    committed: bool,
) -> Result<Vec<Verdicted>, String> {
    match (plan, answer) {
        (Plan::Many(commands), Some(Answer::Many(Ok(answers)))) => {
            for (command, answer) in commands.iter().zip(answers) {
                model.follow(now, command, Some(answer))?;
            }
            Ok(answers.clone())
        }
        (Plan::Many(commands), Some(Answer::Many(Err(_)))) if !committed => {
            for command in commands {
                model.follow(now, command, None)?;
            }
            Ok(Vec::new())
        }
        (Plan::Keyed { key, body, command }, Some(Answer::Keyed(answer))) if answer.is_ok() || !committed => {
            follow_keyed(model, now, (*key, *body), command, answer.as_ref().ok())?;
            Ok(Vec::new())
        }
        _ => Err("a job of a committed batch has no answer".to_owned()),
    }
}

fn follow_keyed(
    model: &mut Model,
    now: i64,
    (key, body): (u64, u8),
    command: &Command,
    answer: Option<&Reply>,
) -> Result<(), String> {
    let told = match answer {
        Some(Reply::Rendered(rendered)) => rendered.body.clone(),
        _ => None,
    };
    if let Some((first_body, kept, at)) = model.keyed.get_mut(&key) {
        if now - *at > KEPT_MS {
            return Err("this key is too old for a simulation".to_owned());
        }
        return match (answer, told) {
            (None, _) => Ok(()),
            (Some(Reply::KeyReused), _) if *first_body != body => Ok(()),
            (_, Some(told)) if *first_body == body && kept.as_ref().is_none_or(|kept| *kept == told) => {
                *kept = Some(told);
                Ok(())
            }
            (answer, _) => Err(format!("key {key} first said {kept:?}, now {answer:?}")),
        };
    }
    model.follow_word(now, command, told.as_ref().map(|told| told.starts_with(b"Ok")))?;
    model.keyed.insert(key, (body, told, now));
    Ok(())
}

/// How the payment round sees the till.
pub struct AtDesk<'t>(pub RefCell<&'t mut Till>);

impl Desk for AtDesk<'_> {
    fn now(&self) -> Time {
        Time::from_ms(self.0.borrow().now().unwrap_or(0))
    }

    fn deadlines_count(&self) -> bool {
        self.0.borrow().deadlines_count()
    }

    fn snapshot(&self) -> Result<Snapshot, StateError> {
        self.0.borrow().snapshot()
    }

    fn call_many(&self, commands: Vec<Command>) -> Result<Vec<Verdicted>, Unavailable> {
        let mut till = self.0.borrow_mut();
        if till.is_down() {
            return Err(Unavailable("the process has ended".to_owned()));
        }
        match till.batch_answers(vec![Plan::Many(commands)]) {
            Ok(_) if till.is_down() => Err(Unavailable("the process has ended".to_owned())),
            Ok(answers) => Ok(answers),
            Err(wrong) => {
                till.wrong.get_or_insert(wrong);
                Err(Unavailable("the simulation has failed".to_owned()))
            }
        }
    }
}
