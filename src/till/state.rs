//! How the rules reach what they remember: tables of records with ordered keys behind one narrow interface.
//!
//! Nothing here knows how or where records are kept. Whoever outgrows one file puts another engine with ordered
//! keys and transactions behind these traits.

use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use std::ops::ControlFlow;

/// A table: its name, its key, its record.
pub trait Table {
    /// The name in the store; never changes.
    const NAME: &'static str;
    /// The place among all tables of this version: nothing that is kept, only quicker to compare than a name.
    const PLACE: u8;
    /// The version that new records are written with.
    const VERSION: u8;
    /// Sorts the table.
    type Key: Key;
    /// What is kept under a key.
    type Record: Serialize + DeserializeOwned;
}

/// A key whose bytes sort as the key does.
pub trait Key: Sized {
    /// The bytes.
    fn encode(&self) -> Vec<u8>;
    /// Reads the bytes back; `None` where they are no such key.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// Where a scan begins and ends: `start` is part of it, `end` is not (`None`: to the end of the table).
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// First key, included.
    pub start: Vec<u8>,
    /// First key that is not part of it.
    pub end: Option<Vec<u8>>,
}

impl Span {
    /// The whole table.
    pub fn all() -> Self {
        Self::default()
    }

    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start = prefix.into();
        let end = after_prefix(&start);
        Self { start, end }
    }

    /// The same without anything up to and including `key`.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        let mut next = key.to_vec();
        next.push(0);
        self.start = self.start.max(next);
        self
    }

    /// The same without `key` and anything after it.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        let key = key.to_vec();
        self.end = Some(self.end.map_or(key.clone(), |end| end.min(key)));
        self
    }
}

/// The first byte string after all that begin with `prefix`; `None` where there is none.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From small keys to large ones.
    Up,
    /// From large keys to small ones.
    Down,
}

/// The store failed: an I/O error, or bytes that are no record. Never the fault of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError(pub String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}

/// Reading.
pub trait Read {
    /// The record under `key`.
    fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Record>, StateError>;

    /// Shows each record of `span` in order until `visit` breaks.
    fn scan<T: Table>(
        &self,
        span: &Span,
        direction: Direction,
        visit: impl FnMut(T::Key, T::Record) -> ControlFlow<()>,
    ) -> Result<(), StateError>;

    /// The first `limit` records of `span`, in order.
    fn first<T: Table>(&self, span: &Span, limit: usize) -> Result<Vec<(T::Key, T::Record)>, StateError> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.scan::<T>(span, Direction::Up, |key, record| {
            found.push((key, record));
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    }

    /// The record under a key that another record names: a missing one is damage.
    fn must<T: Table>(&self, key: &T::Key) -> Result<T::Record, StateError> {
        self.get::<T>(key)?.ok_or_else(|| StateError(format!("a record of {} is missing", T::NAME)))
    }
}

/// Writing: into the command's own buffer, which its reads see.
pub trait Write: Read {
    /// Keeps `record` under `key`, in place of what was there.
    fn put<T: Table>(&mut self, key: &T::Key, record: &T::Record) -> Result<(), StateError>;
    /// Forgets what is under `key`, if anything.
    fn delete<T: Table>(&mut self, key: &T::Key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        assert_eq!(Span::prefix([1, 2]).end, Some(vec![1, 3]));
        assert_eq!(Span::prefix([1, 255]).end, Some(vec![2]));
        assert_eq!(Span::prefix([255, 255]).end, None);
        assert_eq!(Span::prefix(Vec::new()).end, None);
    }
}
