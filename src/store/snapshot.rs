//! Reading: the file as it was at one commit, whatever is written meanwhile.

use super::codec;
use super::layer::{Source, merge};
use crate::till::state::{Direction, Key, Read, Span, StateError, Table};
use crate::till::table::TABLE_NAMES;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata as _, TableDefinition};
use std::cell::RefCell;
use std::ops::{Bound, ControlFlow};
use std::rc::Rc;

/// A redb table: bytes to bytes, because keys and records have their own encoding.
pub type Bytes = TableDefinition<'static, &'static [u8], &'static [u8]>;

type OpenTable = Rc<ReadOnlyTable<&'static [u8], &'static [u8]>>;

/// The file as it was at one commit.
pub struct Snapshot {
    transaction: ReadTransaction,
    /// Tables that were read, by place.
    open: RefCell<Vec<Option<OpenTable>>>,
}

impl Snapshot {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self { transaction, open: RefCell::default() }
    }

    fn table(&self, place: u8) -> Result<OpenTable, StateError> {
        let at = usize::from(place);
        if let Some(Some(table)) = self.open.borrow().get(at) {
            return Ok(Rc::clone(table));
        }
        let table = Rc::new(self.transaction.open_table(Bytes::new(name_of(place)?)).map_err(failed)?);
        let mut open = self.open.borrow_mut();
        if open.len() <= at {
            open.resize(TABLE_NAMES.len().max(at + 1), None);
        }
        if let Some(slot) = open.get_mut(at) {
            *slot = Some(Rc::clone(&table));
        }
        Ok(table)
    }

    /// How many records a table has. The file knows: nothing is counted.
    ///
    /// # Errors
    /// When redb fails.
    pub fn count<T: Table>(&self) -> Result<u64, StateError> {
        self.table(T::PLACE)?.len().map_err(failed)
    }

    /// The record under a key's bytes.
    pub(super) fn get_at<T: Table>(&self, key: &[u8]) -> Result<Option<T::Record>, StateError> {
        let found = self.table(T::PLACE)?.get(key).map_err(failed)?;
        found.map(|value| codec::decode::<T>(value.value())).transpose()
    }

    pub(super) fn range(
        &self,
        place: u8,
        span: &Span,
        direction: Direction,
    ) -> Result<Source<'static>, StateError> {
        if span.end.as_ref().is_some_and(|end| *end <= span.start) {
            return Ok(Box::new(std::iter::empty()));
        }
        let end = span.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let bounds = (Bound::Included(span.start.as_slice()), end);
        let range = self.table(place)?.range::<&[u8]>(bounds).map_err(failed)?;
        let read = |item: Result<(redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>), _>| {
            let (key, value) = item.map_err(failed)?;
            Ok((key.value().to_vec(), Some(value.value().to_vec())))
        };
        Ok(match direction {
            Direction::Up => Box::new(range.map(read)),
            Direction::Down => Box::new(range.rev().map(read)),
        })
    }
}

/// The name of the table at a place.
pub fn name_of(place: u8) -> Result<&'static str, StateError> {
    let name = TABLE_NAMES.get(usize::from(place)).copied();
    name.ok_or_else(|| StateError(format!("there is no table at place {place}")))
}

/// A failure of redb, as the rules see it.
pub fn failed(error: impl std::fmt::Display) -> StateError {
    StateError(error.to_string())
}

/// Reads a key of a table back.
pub fn key_of<T: Table>(bytes: &[u8]) -> Result<T::Key, StateError> {
    T::Key::decode(bytes).ok_or_else(|| StateError(format!("a key of {} is damaged", T::NAME)))
}

/// Decodes what a merge shows.
pub fn scan_sources<T: Table>(
    sources: Vec<Source<'_>>,
    direction: Direction,
    mut visit: impl FnMut(T::Key, T::Record) -> ControlFlow<()>,
) -> Result<(), StateError> {
    merge(sources, direction, |key, value| Ok(visit(key_of::<T>(key)?, codec::decode::<T>(value)?)))
}

impl Read for Snapshot {
    fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Record>, StateError> {
        self.get_at::<T>(&key.encode())
    }

    fn scan<T: Table>(
        &self,
        span: &Span,
        direction: Direction,
        visit: impl FnMut(T::Key, T::Record) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        scan_sources::<T>(vec![self.range(T::PLACE, span, direction)?], direction, visit)
    }
}
