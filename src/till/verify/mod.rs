//! What must hold in every committed state, checked over all tables, with what was counted on the way.
//!
//! Each table is walked once in key order, and what a record names is looked up. Only the sums of each offer's stock
//! and money are kept in memory.

mod books;
mod deals;
mod money;
mod names;
mod sales;
#[cfg(test)]
mod tests;

use super::id::{OfferId, PurchaseId};
use super::record::PurchaseRecord;
use super::state::{Direction, Read, Span, StateError, Table};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::ControlFlow;

/// No more problems than these are told one by one.
const PROBLEMS_MAX: usize = 100;

/// What was counted and what does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records by table.
    pub counts: BTreeMap<&'static str, u64>,
    /// What does not hold, a sentence each; the first hundred.
    pub problems: Vec<String>,
    /// How many problems there are in all.
    pub problems_total: u64,
}

impl Report {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.problems_total == 0
    }
}

/// Checks a whole state.
///
/// # Errors
/// When the store fails or a record cannot be read.
pub fn check<S: Read>(state: &S) -> Result<Report, StateError> {
    let mut walk =
        Walk { state, report: Report::default(), stocks: BTreeMap::new(), books: books::Sums::default() };
    deals::check(&mut walk)?;
    sales::check(&mut walk)?;
    money::check(&mut walk)?;
    books::check(&mut walk)?;
    names::check(&mut walk)?;
    Ok(walk.report)
}

/// Units of one offer or one of its variants, counted from its purchases, and who waits for them.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    held: u64,
    sold: u64,
    waiting: u64,
}

/// A walk over one state.
struct Walk<'s, S> {
    state: &'s S,
    report: Report,
    stocks: BTreeMap<(OfferId, Option<String>), Counted>,
    books: books::Sums,
}

impl<S: Read> Walk<'_, S> {
    /// Notes a problem unless `fine`.
    fn expect(&mut self, fine: bool, problem: impl FnOnce() -> String) {
        if fine {
            return;
        }
        self.report.problems_total += 1;
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(problem());
        }
    }

    /// Shows every record of a table and counts them.
    fn each<T: Table>(
        &mut self,
        mut visit: impl FnMut(&mut Self, T::Key, T::Record) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let state = self.state;
        let (mut count, mut failed) = (0_u64, None);
        state.scan::<T>(&Span::all(), Direction::Up, |key, record| {
            count += 1;
            match visit(self, key, record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        self.report.counts.insert(T::NAME, count);
        failed.map_or(Ok(()), Err)
    }

    /// How many records a table had, once it was walked.
    fn count<T: Table>(&self) -> u64 {
        self.report.counts.get(T::NAME).copied().unwrap_or(0)
    }

    fn has<T: Table>(&self, key: &T::Key) -> Result<bool, StateError> {
        Ok(self.state.get::<T>(key)?.is_some())
    }

    /// Expects that a record which `who` names is there.
    fn names<T: Table>(&mut self, who: impl Display, key: Option<&T::Key>) -> Result<(), StateError> {
        if let Some(key) = key
            && !self.has::<T>(key)?
        {
            self.expect(false, || format!("{who} names a record of {} that is missing", T::NAME));
        }
        Ok(())
    }

    /// The purchase that `who` names; a problem where there is none.
    fn purchase(&mut self, who: impl Display, id: PurchaseId) -> Result<Option<PurchaseRecord>, StateError> {
        let found = self.state.get::<super::table::Purchases>(&id)?;
        self.expect(found.is_some(), || format!("{who} names the purchase {id}, which is missing"));
        Ok(found)
    }
}
