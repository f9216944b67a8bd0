//! Writing: a batch of commands on top of one snapshot, and within it a buffer for each command.
//!
//! redb cannot roll back one command of a transaction. So a command writes to a buffer of its own, which its reads
//! see, and is kept or dropped whole; the batch holds what was kept and goes into one redb transaction, sorted.

use super::codec;
use super::layer::Layer;
use super::snapshot::{Bytes, Snapshot, failed, scan_sources};
use crate::till::state::{Direction, Key, Read, Span, StateError, Table, Write};
use redb::{Database, Durability};
use std::ops::ControlFlow;

/// What a batch of commands has written so far.
pub struct Batch {
    below: Snapshot,
    kept: Layer,
}

impl Batch {
    pub(super) fn new(below: Snapshot) -> Self {
        Self { below, kept: Layer::default() }
    }

    /// A buffer for the next command.
    pub fn begin(&mut self) -> Tx<'_> {
        Tx { batch: self, buffer: Layer::default() }
    }

    /// Whether any command of the batch wrote anything.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether any command of the batch wrote to `table`.
    pub fn touches(&self, table: &str) -> bool {
        self.kept.touches(table)
    }

    /// Writes the batch to the file, durably, in one transaction.
    ///
    /// # Errors
    /// When redb fails: nothing of the batch is in the file, or nobody knows.
    pub(super) fn commit(self, database: &Database) -> Result<(), StateError> {
        let Self { below, kept } = self;
        drop(below);
        if kept.is_empty() {
            return Ok(());
        }
        let mut transaction = database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        transaction.set_quick_repair(true);
        for (name, writes) in kept.into_tables() {
            let mut table = transaction.open_table(Bytes::new(name)).map_err(failed)?;
            for (key, write) in writes {
                match write {
                    Some(value) => table.insert(key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => table.remove(key.as_slice()).map_err(failed)?,
                };
            }
        }
        transaction.commit().map_err(failed)
    }
}

/// One command's view: the snapshot, what the batch has kept, and its own writes on top.
pub struct Tx<'b> {
    batch: &'b mut Batch,
    buffer: Layer,
}

impl Tx<'_> {
    /// Keeps everything that the command wrote.
    pub fn keep(self) {
        self.batch.kept.absorb(self.buffer);
    }

    /// What the command wrote to a table so far.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn written<T: Table>(&self) -> Result<Vec<(T::Key, T::Record)>, StateError> {
        let mut written = Vec::new();
        let own = self.buffer.range(T::NAME, &Span::all(), Direction::Up);
        scan_sources::<T>(vec![own], Direction::Up, |key, record| {
            written.push((key, record));
            ControlFlow::Continue(())
        })?;
        Ok(written)
    }

    /// Drops everything that the command wrote so far; it may go on.
    pub fn reset(&mut self) {
        self.buffer = Layer::default();
    }
}

impl Read for Tx<'_> {
    fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Record>, StateError> {
        let bytes = key.encode();
        let written = self.buffer.get(T::NAME, &bytes).or_else(|| self.batch.kept.get(T::NAME, &bytes));
        match written {
            Some(write) => write.as_deref().map(codec::decode::<T>).transpose(),
            None => {
                let below = self.batch.below.get_bytes(T::NAME, &bytes)?;
                below.as_deref().map(codec::decode::<T>).transpose()
            }
        }
    }

    fn scan<T: Table>(
        &self,
        span: &Span,
        direction: Direction,
        visit: impl FnMut(T::Key, T::Record) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let sources = vec![
            self.buffer.range(T::NAME, span, direction),
            self.batch.kept.range(T::NAME, span, direction),
            self.batch.below.range(T::NAME, span, direction)?,
        ];
        scan_sources::<T>(sources, direction, visit)
    }
}

impl Write for Tx<'_> {
    fn put<T: Table>(&mut self, key: &T::Key, record: &T::Record) -> Result<(), StateError> {
        let value = codec::encode::<T>(record)?;
        self.buffer.set(T::NAME, key.encode(), Some(value));
        Ok(())
    }

    fn delete<T: Table>(&mut self, key: &T::Key) {
        self.buffer.set(T::NAME, key.encode(), None);
    }
}
