//! What lies in its place already is not written again.
//!
//! So that a file opens at once after a crash, redb notes with every commit which of its pages are free: three
//! megabytes for a file of 20 GB, in one of a few places that take turns. Few of these bytes have changed since they
//! were written there last, two or three commits ago. What was written to such places is kept here, and of the next
//! write to the same place only the blocks that differ go to the disk. What the disk holds in the end is the same.

use redb::{BackendError, StorageBackend};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blocks are compared in this size, that of redb's pages.
const BLOCK_BYTES: usize = 4096;
/// Only writes of more than one block are kept.
const KEPT_BYTES_MIN: usize = 2 * BLOCK_BYTES;
/// All that is kept: 48 MiB, enough for a file of about 100 GB.
const KEPT_BYTES_MAX: usize = 48 * 1024 * 1024;

/// A disk below, and what was written to some of its places.
#[derive(Debug)]
pub struct Sparing<B> {
    below: B,
    kept: Mutex<Kept>,
    kept_bytes_max: usize,
}

/// What was written last to places that do not overlap.
#[derive(Debug, Default)]
struct Kept {
    /// By offset: when it was written, and what.
    places: BTreeMap<u64, (u64, Vec<u8>)>,
    /// Offsets by when they were written.
    order: BTreeMap<u64, u64>,
    bytes: usize,
    writes: u64,
}

impl<B> Sparing<B> {
    /// On top of a disk that nobody else writes to.
    pub fn new(below: B) -> Self {
        Self { below, kept: Mutex::default(), kept_bytes_max: KEPT_BYTES_MAX }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Forgets what begins at an offset; returns it.
    fn take(&mut self, offset: u64) -> Option<Vec<u8>> {
        let (written, bytes) = self.places.remove(&offset)?;
        self.order.remove(&written);
        self.bytes -= bytes.len();
        Some(bytes)
    }

    /// Forgets all that any of the bytes from `start` to before `end` belong to.
    fn forget(&mut self, start: u64, end: u64) {
        let before = self.places.range(..start).next_back();
        let reaches = before.filter(|(offset, (_, bytes))| offset.saturating_add(bytes.len() as u64) > start);
        let mut hit: Vec<u64> = reaches.map(|(offset, _)| *offset).into_iter().collect();
        hit.extend(self.places.range(start..end).map(|(offset, _)| *offset));
        for offset in hit {
            self.take(offset);
        }
    }

    /// Keeps what was written at an offset, which nothing else that is kept overlaps.
    fn keep(&mut self, offset: u64, bytes: Vec<u8>, max: usize) {
        self.writes += 1;
        self.bytes += bytes.len();
        self.order.insert(self.writes, offset);
        self.places.insert(offset, (self.writes, bytes));
        while self.bytes > max {
            let Some((_, oldest)) = self.order.first_key_value() else { return };
            let oldest = *oldest;
            self.take(oldest);
        }
    }
}

/// Where the blocks lie that differ, neighbours together.
fn differing(old: &[u8], new: &[u8]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (n, (old, new)) in old.chunks(BLOCK_BYTES).zip(new.chunks(BLOCK_BYTES)).enumerate() {
        if old == new {
            continue;
        }
        let (start, end) = (n * BLOCK_BYTES, n * BLOCK_BYTES + new.len());
        match runs.last_mut() {
            Some((_, last)) if *last == start => *last = end,
            _ => runs.push((start, end)),
        }
    }
    runs
}

impl<B: StorageBackend> StorageBackend for Sparing<B> {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut kept = self.kept();
        kept.forget(len, u64::MAX);
        self.below.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let synced = self.below.sync_data();
        if synced.is_err() {
            // Nobody knows what is safe.
            *self.kept() = Kept::default();
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        // Held until it is written: what is kept is what lies below, in this order.
        let mut kept = self.kept();
        let old = kept.take(offset).filter(|old| old.len() == data.len());
        kept.forget(offset, offset.saturating_add(data.len() as u64));
        if data.len() < KEPT_BYTES_MIN {
            return self.below.write(offset, data);
        }
        // Where writing fails, nobody knows what lies there: it is not kept.
        match old {
            None => {
                self.below.write(offset, data)?;
                kept.keep(offset, data.to_vec(), self.kept_bytes_max);
            }
            Some(mut old) => {
                for (start, end) in differing(&old, data) {
                    if let (Some(old), Some(new)) = (old.get_mut(start..end), data.get(start..end)) {
                        self.below.write(offset + start as u64, new)?;
                        old.copy_from_slice(new);
                    }
                }
                kept.keep(offset, old, self.kept_bytes_max);
            }
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.below.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.below.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.below.unlock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A mock: a disk in memory that counts what is written to it, because a real one does not tell.
    #[derive(Clone, Debug, Default)]
    struct Counting {
        bytes: Arc<Mutex<Vec<u8>>>,
        written: Arc<Mutex<Vec<(u64, usize)>>>,
        /// What begins here cannot be written; 0: everything can.
        broken: Arc<AtomicU64>,
    }

    impl Counting {
        fn written(&self) -> Vec<(u64, usize)> {
            std::mem::take(&mut self.written.lock().unwrap())
        }
    }

    impl StorageBackend for Counting {
        fn len(&self) -> io::Result<u64> {
            Ok(self.bytes.lock().unwrap().len() as u64)
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let from = usize::try_from(offset).unwrap();
            out.copy_from_slice(&self.bytes.lock().unwrap()[from..from + out.len()]);
            Ok(())
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.bytes.lock().unwrap().resize(usize::try_from(len).unwrap(), 0);
            Ok(())
        }
        fn sync_data(&self) -> io::Result<()> {
            if self.broken.load(Ordering::Relaxed) == 0 { Ok(()) } else { Err(io::Error::other("no sync")) }
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            if offset == self.broken.load(Ordering::Relaxed) && offset > 0 {
                return Err(io::Error::other("no write"));
            }
            let from = usize::try_from(offset).unwrap();
            self.bytes.lock().unwrap()[from..from + data.len()].copy_from_slice(data);
            self.written.lock().unwrap().push((offset, data.len()));
            Ok(())
        }
    }

    const BLOCK: u64 = BLOCK_BYTES as u64;

    fn filled(blocks: usize, byte: u8) -> Vec<u8> {
        vec![byte; blocks * BLOCK_BYTES]
    }

    #[test]
    fn only_the_blocks_that_differ_are_written_again() {
        let disk = Counting::default();
        let sparing = Sparing::new(disk.clone());
        sparing.set_len(100 * BLOCK).unwrap();
        let mut data = filled(8, 1);
        sparing.write(16 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), [(16 * BLOCK, 8 * BLOCK_BYTES)]);
        sparing.write(16 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), []);
        data[2 * BLOCK_BYTES] = 2;
        data[3 * BLOCK_BYTES + 7] = 2;
        data[8 * BLOCK_BYTES - 1] = 2;
        sparing.write(16 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), [(18 * BLOCK, 2 * BLOCK_BYTES), (23 * BLOCK, BLOCK_BYTES)]);
        // A page is written each time: nothing is kept of it.
        for _ in 0..2 {
            sparing.write(0, &filled(1, 1)).unwrap();
            assert_eq!(disk.written(), [(0, BLOCK_BYTES)]);
        }
    }

    #[test]
    fn what_was_written_over_or_cut_off_meanwhile_is_written_again() {
        let disk = Counting::default();
        let sparing = Sparing::new(disk.clone());
        sparing.set_len(100 * BLOCK).unwrap();
        let data = filled(4, 1);
        let others: [&dyn Fn(); 5] = [
            &|| sparing.write(10 * BLOCK, &filled(1, 2)).unwrap(),
            &|| sparing.write(13 * BLOCK, &filled(1, 2)).unwrap(),
            &|| sparing.write(8 * BLOCK, &filled(3, 2)).unwrap(),
            &|| sparing.write(12 * BLOCK, &filled(8, 2)).unwrap(),
            &|| {
                sparing.set_len(13 * BLOCK).unwrap();
                sparing.set_len(100 * BLOCK).unwrap();
            },
        ];
        for other in others {
            sparing.write(10 * BLOCK, &data).unwrap();
            other();
            disk.written();
            sparing.write(10 * BLOCK, &data).unwrap();
            assert_eq!(disk.written(), [(10 * BLOCK, 4 * BLOCK_BYTES)]);
        }
        // Its neighbours do not matter.
        sparing.write(9 * BLOCK, &filled(1, 2)).unwrap();
        sparing.write(14 * BLOCK, &filled(2, 2)).unwrap();
        disk.written();
        sparing.write(10 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), []);
    }

    #[test]
    fn after_a_failure_everything_is_written_again() {
        let disk = Counting::default();
        let sparing = Sparing::new(disk.clone());
        sparing.set_len(100 * BLOCK).unwrap();
        let mut data = filled(8, 1);
        sparing.write(16 * BLOCK, &data).unwrap();
        // The first of two runs is written, the second fails.
        data[0] = 2;
        data[4 * BLOCK_BYTES] = 2;
        disk.broken.store(20 * BLOCK, Ordering::Relaxed);
        sparing.write(16 * BLOCK, &data).unwrap_err();
        disk.broken.store(0, Ordering::Relaxed);
        disk.written();
        sparing.write(16 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), [(16 * BLOCK, 8 * BLOCK_BYTES)]);
        disk.broken.store(1, Ordering::Relaxed);
        sparing.sync_data().unwrap_err();
        sparing.write(16 * BLOCK, &data).unwrap();
        assert_eq!(disk.written(), [(16 * BLOCK, 8 * BLOCK_BYTES)]);
    }

    #[test]
    fn it_holds_what_a_disk_holds_and_keeps_no_more_than_it_may() {
        let (plain, disk) = (Counting::default(), Counting::default());
        let sparing = Sparing { kept_bytes_max: 40 * BLOCK_BYTES, ..Sparing::new(disk.clone()) };
        let both: [&dyn StorageBackend; 2] = [&plain, &sparing];
        let mut random = 7_u64;
        let mut below = |most: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % most
        };
        for disk in both {
            disk.set_len(64 * BLOCK).unwrap();
        }
        for _ in 0..5000 {
            let len = usize::try_from(1 + below(12)).unwrap();
            let offset = below(64 - len as u64) * BLOCK;
            let mut data = filled(len, u8::try_from(below(2)).unwrap());
            data[usize::try_from(below(len as u64)).unwrap() * BLOCK_BYTES] = 9;
            for disk in both {
                disk.write(offset, &data).unwrap();
            }
            if below(50) == 0 {
                let len = (32 + below(32)) * BLOCK;
                for disk in both {
                    disk.set_len(len).unwrap();
                    disk.set_len(64 * BLOCK).unwrap();
                }
            }
            assert_eq!(*plain.bytes.lock().unwrap(), *disk.bytes.lock().unwrap());
            let kept = sparing.kept();
            assert_eq!(kept.bytes, kept.places.values().map(|(_, bytes)| bytes.len()).sum::<usize>());
            assert!(kept.bytes <= 40 * BLOCK_BYTES && kept.order.len() == kept.places.len());
        }
        let (all, spared) = (plain.written(), disk.written());
        let sum = |writes: Vec<(u64, usize)>| writes.iter().map(|(_, len)| len).sum::<usize>();
        assert!(sum(spared) < sum(all));
    }
}
