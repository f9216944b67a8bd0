//! Damage that redb answers with a panic becomes an error here.
//!
//! redb refuses most damaged files with an error, but asserts what only damage can break: fuzzing found files on which
//! opening, checking and reading panic. Its locks are poisoned then, so the store must not be used any more.

use crate::till::state::StateError;
use redb::Database;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Does something with a file that may be damaged.
///
/// # Errors
/// Those of `work`, and one for a panic.
pub fn guarded<T, E>(
    work: impl FnOnce() -> Result<T, E>,
    damaged: impl FnOnce(StateError) -> E,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(damaged(StateError(told(&*panic)))))
}

/// An open file; where it is only looked at, it is closed without redb's writing to it once more.
///
/// On a damaged file that last writing can panic, and panic again while it unwinds, which ends the process. redb
/// leaves it out while a thread panics: so the file is closed as if one did, without anybody's being told.
pub struct Opened {
    database: Option<Database>,
    unchanged: bool,
}

impl Opened {
    /// `unchanged` is for a file that is only looked at.
    pub fn new(database: Database, unchanged: bool) -> Self {
        Self { database: Some(database), unchanged }
    }

    /// The database.
    pub fn get(&self) -> Result<&Database, StateError> {
        self.database.as_ref().ok_or_else(closed)
    }

    /// The database, to have it checked.
    pub fn get_mut(&mut self) -> Result<&mut Database, StateError> {
        self.database.as_mut().ok_or_else(closed)
    }
}

fn closed() -> StateError {
    StateError("the data file is closed".to_owned())
}

impl Drop for Opened {
    fn drop(&mut self) {
        let database = self.database.take();
        if self.unchanged && database.is_some() {
            let _ = catch_unwind(AssertUnwindSafe(move || {
                let _gone = database;
                resume_unwind(Box::new(()));
            }));
        }
    }
}

/// What a panic says, in one line.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
    format!("it made no sense: {}", text.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_of_one_line() {
        let number = 7;
        let said = guarded(|| -> Result<(), StateError> { panic!("page {number}\nis odd") }, |error| error);
        assert_eq!(said.unwrap_err().0, "it made no sense: page 7");
        assert_eq!(guarded(|| Ok::<_, StateError>(1), |error| error), Ok(1));
    }
}
