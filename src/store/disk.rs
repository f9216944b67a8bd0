//! A place for the data that is not a file: whoever brings one decides what it loses and when it fails.

use redb::StorageBackend;
use std::fmt::Debug;
use std::io;

/// Bytes that can be read, written and synced. What was written is safe only after the next sync.
pub trait Disk: Debug + Send + Sync + 'static {
    /// How many bytes there are.
    ///
    /// # Errors
    /// As the system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing yet.
    ///
    /// # Errors
    /// As the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// As the system says, and where there are not as many.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Makes it longer, with zeros, or shorter.
    ///
    /// # Errors
    /// As the system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Writes `bytes` from `offset` on.
    ///
    /// # Errors
    /// As the system says.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything that was written is safe.
    ///
    /// # Errors
    /// As the system says; then nobody knows what is safe.
    fn sync(&self) -> io::Result<()>;
}

/// A disk as redb wants it.
#[derive(Debug)]
pub(super) struct Backend<D>(pub D);

impl<D: Disk> StorageBackend for Backend<D> {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
