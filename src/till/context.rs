//! What comes in with every command: its time, its words, its source of ids.

use super::id::IdSource;
use super::time::Time;
use super::words::Words;

/// The time of a command, and where its ids come from.
#[derive(Debug)]
pub struct Context<'a> {
    /// The command's time: never before that of any command before it.
    pub now: Time,
    /// What replies say.
    pub words: &'a Words,
    /// Where new ids come from.
    pub ids: &'a mut IdSource,
}

impl Context<'_> {
    /// A new id.
    pub fn id(&mut self) -> u128 {
        self.ids.next(self.now)
    }
}
