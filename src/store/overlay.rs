//! A data file that is only looked at: what redb writes, to repair it or to mark it as open, stays in memory.
//!
//! So a backup is verified without a byte of it being changed, on a medium that nobody can write to as well.

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is written is kept in blocks of this many bytes.
const BLOCK_BYTES: usize = 4096;

/// A file below, and what was written on top of it.
#[derive(Debug)]
pub struct Overlay {
    file: FileBackend,
    upper: Mutex<Upper>,
}

#[derive(Debug)]
struct Upper {
    len: u64,
    /// Bytes of the file that still count: less than it has once it was cut.
    below: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// On top of a file that may be open for reading only.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        let upper = Mutex::new(Upper { len, below: len, blocks: BTreeMap::new() });
        Ok(Self { file, upper })
    }

    fn upper(&self) -> MutexGuard<'_, Upper> {
        self.upper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a block as they are now.
    fn block(&self, upper: &Upper, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = upper.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK_BYTES];
        let start = number.saturating_mul(BLOCK_BYTES as u64);
        let there = usize::try_from(upper.below.saturating_sub(start)).unwrap_or(BLOCK_BYTES);
        if let Some(part) = block.get_mut(..there.min(BLOCK_BYTES)).filter(|part| !part.is_empty()) {
            self.file.read(start, part)?;
        }
        Ok(block)
    }
}

/// The blocks that `length` bytes from `offset` on touch: number, where in the block, how many bytes.
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset.saturating_add(done as u64);
        let within = usize::try_from(at % BLOCK_BYTES as u64).unwrap_or(0);
        let bytes = (BLOCK_BYTES - within).min(length - done);
        done += bytes;
        (bytes > 0).then_some((at / BLOCK_BYTES as u64, within, bytes))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.upper().len)
    }

    fn read(&self, offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        let upper = self.upper();
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= upper.len);
        if end.is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, bytes) in pieces(offset, out.len()) {
            let block = self.block(&upper, number)?;
            let (now, rest) = out.split_at_mut(bytes);
            now.copy_from_slice(block.get(within..within + bytes).unwrap_or_default());
            out = rest;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut upper = self.upper();
        if len < upper.len {
            let last = len / BLOCK_BYTES as u64;
            let mut block = self.block(&upper, last)?;
            let kept = usize::try_from(len % BLOCK_BYTES as u64).unwrap_or(0);
            block.iter_mut().skip(kept).for_each(|byte| *byte = 0);
            upper.blocks.split_off(&last);
            upper.blocks.insert(last, block);
        }
        upper.below = upper.below.min(len);
        upper.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut upper = self.upper();
        let mut left = data;
        for (number, within, bytes) in pieces(offset, data.len()) {
            let mut block = self.block(&upper, number)?;
            let (now, rest) = left.split_at(bytes);
            if let Some(room) = block.get_mut(within..within + bytes) {
                room.copy_from_slice(now);
            }
            left = rest;
            upper.blocks.insert(number, block);
        }
        upper.len = upper.len.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // Whoever only looks shares the file with others who look, and with nobody who writes.
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut expected: Vec<u8> = (0..10_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&path, &expected).unwrap();
        let before = expected.clone();
        let overlay = Overlay::new(File::open(&path).unwrap()).unwrap();
        let all = |expected: &[u8]| {
            let mut seen = vec![9; expected.len()];
            overlay.read(0, &mut seen).unwrap();
            assert_eq!(seen, expected);
            assert_eq!(overlay.len().unwrap(), expected.len() as u64);
            assert!(overlay.read(1, &mut seen).is_err());
        };
        all(&expected);
        overlay.write(4090, &[255; 20]).unwrap();
        expected[4090..4110].fill(255);
        all(&expected);
        for len in [9000, 12_000, 4100, 20_000, 0, 5000] {
            overlay.set_len(len as u64).unwrap();
            expected.resize(len, 0);
            all(&expected);
        }
        overlay.write(4999, &[7; 4000]).unwrap();
        expected.resize(8999, 0);
        expected[4999..].fill(7);
        all(&expected);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
