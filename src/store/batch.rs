//! Writing: a batch of commands on top of one snapshot, and within it a buffer for each command.
//!
//! redb cannot roll back one command of a transaction. So a command writes to a buffer of its own, which its reads
//! see, and is kept or dropped whole; the batch holds what was kept and goes into one redb transaction, sorted.
//! A sealed batch takes no more commands. While it is being committed, the next one is applied on top of it.

use super::codec;
use super::layer::{Layer, Slot};
use super::snapshot::{Bytes, Snapshot, failed, scan_sources};
use crate::till::state::{Direction, Key, Read, Span, StateError, Table, Write};
use redb::{Database, Durability};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a batch of commands has written so far.
pub struct Batch {
    below: Snapshot,
    /// What may not be in the snapshot yet.
    under: Option<Sealed>,
    kept: Layer,
}

/// What a batch has written in the end.
#[derive(Clone)]
pub struct Sealed {
    writes: Arc<Layer>,
}

impl Batch {
    /// A batch on top of `below`, and of `under` where that may not be in it yet.
    ///
    /// Whether it is makes no difference: what it wrote is the same in both.
    pub(super) fn new(below: Snapshot, under: Option<Sealed>) -> Self {
        Self { below, under, kept: Layer::default() }
    }

    /// A buffer for the next command.
    pub fn begin(&mut self) -> Tx<'_> {
        Tx { batch: self, buffer: Layer::default() }
    }

    /// Whether any command of the batch wrote anything.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Ends the batch; its snapshot is let go.
    pub fn seal(self) -> Sealed {
        Sealed { writes: Arc::new(self.kept) }
    }

    fn under(&self) -> Option<&Layer> {
        self.under.as_ref().map(|sealed| &*sealed.writes)
    }
}

impl Sealed {
    /// Whether any command of the batch wrote to a table.
    pub fn touches<T: Table>(&self) -> bool {
        self.writes.touches::<T>()
    }

    /// Whether no command of the batch wrote anything.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Both as one: what this batch wrote, and on top of it what `later` did.
    #[must_use]
    pub fn followed_by(self, later: Self) -> Self {
        let take = |sealed: Self| Arc::try_unwrap(sealed.writes).unwrap_or_else(|shared| (*shared).clone());
        let mut writes = take(self);
        writes.absorb(take(later));
        Self { writes: Arc::new(writes) }
    }

    /// Writes the batch to the file, durably, in one transaction.
    ///
    /// # Errors
    /// When redb fails: nothing of the batch is in the file, or nobody knows.
    pub(super) fn commit(&self, database: &Database) -> Result<(), StateError> {
        let mut transaction = database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        transaction.set_quick_repair(true);
        for (name, writes) in self.writes.by_table()? {
            let mut table = transaction.open_table(Bytes::new(name)).map_err(failed)?;
            for (slot, write) in writes {
                match write {
                    Some(value) => table.insert(slot.key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => table.remove(slot.key.as_slice()).map_err(failed)?,
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
        if !self.buffer.touches::<T>() {
            return Ok(written);
        }
        let own = self.buffer.range(T::PLACE, &Span::all(), Direction::Up);
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
        let slot = Slot { place: T::PLACE, key: key.encode() };
        let written = self
            .buffer
            .get(&slot)
            .or_else(|| self.batch.kept.get(&slot))
            .or_else(|| self.batch.under().and_then(|under| under.get(&slot)));
        match written {
            Some(write) => write.as_deref().map(codec::decode::<T>).transpose(),
            None => self.batch.below.get_at::<T>(&slot.key),
        }
    }

    fn scan<T: Table>(
        &self,
        span: &Span,
        direction: Direction,
        visit: impl FnMut(T::Key, T::Record) -> ControlFlow<()>,
    ) -> Result<(), StateError> {
        let mut sources = vec![
            self.buffer.range(T::PLACE, span, direction),
            self.batch.kept.range(T::PLACE, span, direction),
        ];
        if let Some(under) = self.batch.under() {
            sources.push(under.range(T::PLACE, span, direction));
        }
        sources.push(self.batch.below.range(T::PLACE, span, direction)?);
        scan_sources::<T>(sources, direction, visit)
    }
}

impl Write for Tx<'_> {
    fn put<T: Table>(&mut self, key: &T::Key, record: &T::Record) -> Result<(), StateError> {
        let value = codec::encode::<T>(record)?;
        self.buffer.set(Slot { place: T::PLACE, key: key.encode() }, Some(value));
        Ok(())
    }

    fn delete<T: Table>(&mut self, key: &T::Key) {
        self.buffer.set(Slot { place: T::PLACE, key: key.encode() }, None);
    }
}
