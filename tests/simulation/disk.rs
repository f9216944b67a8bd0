//! A disk that keeps in mind what was synced, and can lose, tear and refuse the rest.
//!
//! A sector of 512 bytes is what it keeps or loses; the write under way when the power goes is torn at any byte.

use super::chance::{Chance, mix};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tagtill::store::Disk;

const SECTOR: usize = 512;

/// What happens to the disk after some more writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine loses its power: what was not synced may be lost.
    PowerCut,
    /// The process is killed: the system still has all it wrote.
    Kill,
    /// One write fails.
    WriteFails,
    /// One sync fails; what it was to save stays to be saved.
    SyncFails,
    /// One sync fails, and the system forgets that it has something to save.
    SyncForgets,
    /// The disk is full: nothing more can be written until somebody makes room.
    Full,
}

#[derive(Clone, Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Sectors that were written since the last sync, as they were then.
    unsynced: BTreeMap<usize, [u8; SECTOR]>,
    /// Sectors that a failed sync has forgotten, as they are on the disk.
    forgotten: BTreeMap<usize, [u8; SECTOR]>,
    synced_len: usize,
    /// The fault to come, and after how many more writes and syncs.
    fault: Option<(u64, Fault)>,
    dead: Option<Fault>,
    full: bool,
    /// Writes and syncs so far.
    operations: u64,
    /// The fault that has struck since the last look.
    struck: Option<Fault>,
}

#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Another disk with the same bytes.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Has a fault strike after some more writes and syncs.
    pub fn arm(&self, after: u64, fault: Fault) {
        self.state().fault = Some((after, fault));
    }

    /// Takes back a fault that has not struck.
    pub fn disarm(&self) {
        self.state().fault = None;
    }

    /// The process or the machine ends now.
    pub fn end(&self, fault: Fault) {
        let mut state = self.state();
        state.dead = Some(fault);
        state.struck = Some(fault);
    }

    /// The fault that has struck since the last restart.
    pub fn struck(&self) -> Option<Fault> {
        self.state().struck
    }

    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// The machine or the process starts again: what the fault took is gone, and there is room.
    pub fn restart(&self, chance: &mut Chance) {
        let mut state = self.state();
        if state.dead == Some(Fault::PowerCut) {
            state.lose(chance);
        }
        (state.dead, state.struck, state.fault, state.full) = (None, None, None, false);
    }
}

impl State {
    fn sector(&self, index: usize) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        let from = (index * SECTOR).min(self.bytes.len());
        let to = (from + SECTOR).min(self.bytes.len());
        sector[..to - from].copy_from_slice(&self.bytes[from..to]);
        sector
    }

    fn remember(&mut self, from: usize, to: usize) {
        for index in from / SECTOR..to.div_ceil(SECTOR) {
            let on_disk = match self.forgotten.remove(&index) {
                Some(sector) => sector,
                None => self.sector(index),
            };
            self.unsynced.entry(index).or_insert(on_disk);
        }
    }

    /// The power is gone: each sector that was not synced is as before or as written.
    fn lose(&mut self, chance: &mut Chance) {
        let (kind, seed) = (chance.below(4), chance.next());
        let lost = |index: usize| match kind {
            0 => true,
            1 => false,
            _ => mix(seed ^ index as u64).is_multiple_of(2),
        };
        let longest = self.bytes.len().max(self.synced_len);
        if self.bytes.len() != self.synced_len && lost(usize::MAX) {
            let len = self.synced_len;
            self.bytes.resize(longest, 0);
            self.put_back(|index| lost(index) || index * SECTOR >= len);
            self.bytes.truncate(len);
        } else {
            self.put_back(lost);
        }
        self.unsynced.clear();
        self.forgotten.clear();
        self.synced_len = self.bytes.len();
    }

    fn put_back(&mut self, lost: impl Fn(usize) -> bool) {
        let unsynced = std::mem::take(&mut self.unsynced).into_iter().filter(|(index, _)| lost(*index));
        let forgotten = std::mem::take(&mut self.forgotten);
        for (index, sector) in unsynced.chain(forgotten) {
            let from = (index * SECTOR).min(self.bytes.len());
            let to = (from + SECTOR).min(self.bytes.len());
            self.bytes[from..to].copy_from_slice(&sector[..to - from]);
        }
    }

    /// Counts a write or a sync; tells the fault that strikes it.
    fn count(&mut self, sync: bool) -> Option<Fault> {
        self.operations += 1;
        let (after, fault) = self.fault?;
        let waits_for_sync = matches!(fault, Fault::SyncFails | Fault::SyncForgets);
        if after > 0 {
            self.fault = Some((after - 1, fault));
            return None;
        }
        if waits_for_sync && !sync || fault == Fault::WriteFails && sync {
            return None;
        }
        self.fault = None;
        self.struck = Some(fault);
        match fault {
            Fault::PowerCut | Fault::Kill => self.dead = Some(fault),
            Fault::Full => self.full = true,
            _ => {}
        }
        Some(fault)
    }

    fn alive(&self) -> io::Result<()> {
        match self.dead {
            Some(fault) => Err(io::Error::other(format!("simulated: {fault:?}"))),
            None => Ok(()),
        }
    }

    fn room(&self) -> io::Result<()> {
        if self.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk for SimDisk {
    fn len(&self) -> io::Result<u64> {
        let state = self.state();
        state.alive()?;
        Ok(state.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        state.alive()?;
        let from = usize::try_from(offset).unwrap();
        match state.bytes.get(from..from + out.len()) {
            Some(bytes) => out.copy_from_slice(bytes),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.alive()?;
        let (len, now) = (usize::try_from(len).unwrap(), state.bytes.len());
        if let Some(fault) = state.count(false) {
            return Err(io::Error::other(format!("simulated: {fault:?}")));
        }
        if len > now {
            state.room()?;
        } else {
            state.remember(len, now);
        }
        state.bytes.resize(len, 0);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.alive()?;
        let from = usize::try_from(offset).unwrap();
        if from + bytes.len() > state.bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(fault) = state.count(false) {
            // The part of it that was on its way is there, up to any byte.
            let torn = usize::try_from(mix(state.operations) % (bytes.len() as u64 + 1)).unwrap();
            if fault != Fault::Full {
                state.remember(from, from + torn);
                state.bytes[from..from + torn].copy_from_slice(&bytes[..torn]);
            }
            return Err(io::Error::other(format!("simulated: {fault:?}")));
        }
        state.room()?;
        state.remember(from, from + bytes.len());
        state.bytes[from..from + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.alive()?;
        if let Some(fault) = state.count(true) {
            if fault == Fault::SyncForgets {
                let unsynced = std::mem::take(&mut state.unsynced);
                state.forgotten.extend(unsynced);
            }
            return Err(io::Error::other(format!("simulated: {fault:?}")));
        }
        state.unsynced.clear();
        state.synced_len = state.bytes.len();
        Ok(())
    }
}
