//! Damage that redb answers with a panic becomes an error here.
//!
//! redb refuses most damaged files with an error, but asserts what only damage can break: fuzzing found files on which
//! opening, checking and reading panic. Its locks are poisoned then, so the store must not be used any more.

use crate::till::state::StateError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
