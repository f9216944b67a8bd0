//! The writer driven by hand: no thread, no queue, and a clock that somebody else holds.
//!
//! For simulations, and for commands that work on a file while no till runs. It does what the writer's thread does,
//! in the order it is told to.

use super::clock::TimeSource;
use super::core::Core;
use super::job::{Job, Unavailable, Verdicted};
use super::writer::EngineConfig;
use super::{Clock, Memory};
use crate::store::{Snapshot, Store};
use crate::till::command::Command;
use crate::till::state::StateError;
use crate::till::time::Time;
use std::sync::mpsc::channel;

/// A writer that does one thing when it is told to.
pub struct Stepper {
    core: Core,
}

impl Stepper {
    /// Begins on a store, with the time that `source` tells.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(store: Store, config: &EngineConfig, source: Box<dyn TimeSource>) -> Result<Self, StateError> {
        Ok(Self { core: Core::new(store, config, source)? })
    }

    /// Applies jobs in one batch, commits it, and hands out the answers.
    ///
    /// # Errors
    /// When the data file has failed: nothing more may be written to it.
    pub fn work_off(&mut self, jobs: Vec<Job>) -> Result<(), StateError> {
        let (answers, result) = self.core.work_off(jobs);
        for deliver in answers {
            deliver();
        }
        result
    }

    /// Carries out commands in one batch.
    ///
    /// # Errors
    /// When the data file has failed.
    pub fn call_many(&mut self, commands: Vec<Command>) -> Result<Vec<Verdicted>, Unavailable> {
        let (answer, answered) = channel();
        let job = Job::Many { commands, done: Box::new(move |result| drop(answer.send(result))) };
        self.work_off(vec![job]).map_err(|error| Unavailable(error.to_string()))?;
        answered.recv().map_err(|_| Unavailable("the writer gave no answer".to_owned()))?
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// When the data file has failed.
    pub fn call(&mut self, command: Command) -> Result<Verdicted, Unavailable> {
        let mut results = self.call_many(vec![command])?;
        results.pop().ok_or_else(|| Unavailable("the writer gave no answer".to_owned()))
    }

    /// One tick, in its own commit; returns whether more is due.
    ///
    /// # Errors
    /// When the data file has failed.
    pub fn tick(&mut self) -> Result<bool, StateError> {
        self.core.tick()
    }

    /// The data file as it is now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn snapshot(&self) -> Result<Snapshot, StateError> {
        self.core.shared.store.snapshot()
    }

    /// The time of the next command.
    pub fn now(&self) -> Time {
        self.core.shared.clock.now()
    }

    /// The till's clock.
    pub fn clock(&self) -> &Clock {
        &self.core.shared.clock
    }

    /// What is kept in memory.
    pub fn memory(&self) -> &Memory {
        &self.core.shared.memory
    }
}
