//! The data file: tables, record codec, transactions, backup. The only room that knows redb and bincode.
//!
//! It keeps what the rules hand it and knows none of them.

mod backup;
mod batch;
pub mod codec;
mod disk;
pub mod erased;
mod error;
mod guard;
mod layer;
pub mod lease;
mod overlay;
mod scratch;
mod snapshot;
mod sparing;

pub use backup::{beside, copy_onto, copy_to, publish};
pub use batch::{Batch, Sealed, Tx};
pub use disk::Disk;
pub use error::StoreError;
pub use guard::guarded;
pub use scratch::{Scratch, sweep};
pub use snapshot::Snapshot;

use crate::till::record::SettingsRecord;
use crate::till::state::{Read as _, StateError, Write as _};
use crate::till::table::{Only, Settings, TABLE_NAMES};
use guard::Opened;
use overlay::Overlay;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, DatabaseError, ReadableDatabase as _, TableDefinition};
use snapshot::{Bytes, failed};
use sparing::Sparing;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The layout of tables and records that this version writes.
pub const SCHEMA_VERSION: u64 = 1;
/// How much of the file is kept in memory, unless told otherwise: 256 MiB.
pub const CACHE_BYTES_DEFAULT: usize = 256 * 1024 * 1024;

const META: TableDefinition<'static, &'static str, u64> = TableDefinition::new("meta");

/// An open data file.
#[derive(Clone)]
pub struct Store {
    database: Arc<Opened>,
    path: Option<PathBuf>,
}

impl Store {
    /// Opens the file at `path`, or makes a fresh one there.
    ///
    /// `fresh` is what a fresh file begins with. `cache_bytes` is how much of it is kept in memory.
    ///
    /// # Errors
    /// With a sentence that says what to do: locked, damaged, of a newer version, of the other kind, I/O.
    pub fn open(path: &Path, cache_bytes: usize, fresh: &SettingsRecord) -> Result<Self, StoreError> {
        if path.exists() {
            Self::open_existing(path, cache_bytes)
        } else {
            Self::create(path, cache_bytes, fresh)
        }
    }

    /// Opens a file that must be there already.
    ///
    /// # Errors
    /// As [`Store::open`], and where there is none.
    pub fn open_existing(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        // redb mends a file as it opens it, and may find only then that it cannot: first it has to open unchanged.
        let looked = Self::open_unchanged(path, cache_bytes)?;
        Self::opened(path, false, || {
            drop(looked);
            let file = File::options().read(true).write(true).open(path)?;
            builder(cache_bytes).create_with_backend(Sparing::new(FileBackend::new(file)?))
        })
    }

    /// Opens a file that must be there already, to look at it: whatever is done with the store, and whatever redb has
    /// to mend on the way, the file is not changed. It may be one that cannot be written.
    ///
    /// # Errors
    /// As [`Store::open`], and where there is none.
    pub fn open_unchanged(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        let overlay = File::open(path).and_then(Overlay::new).map_err(|error| StoreError::io(path, error))?;
        Self::opened(path, true, || builder(cache_bytes).create_with_backend(overlay))
    }

    /// What `open` opens, if it is a file of ours that this version knows.
    fn opened(
        path: &Path,
        unchanged: bool,
        open: impl FnOnce() -> Result<Database, DatabaseError>,
    ) -> Result<Self, StoreError> {
        let damaged = |error: StateError| StoreError::NotOurs { path: path.to_owned(), why: error.0 };
        guarded(
            || {
                let database = open().map_err(|error| StoreError::opening(path, error))?;
                let database = Arc::new(Opened::new(database, unchanged));
                let store = Self { database, path: Some(path.to_owned()) };
                store.check_version(path)?;
                Ok(store)
            },
            damaged,
        )
    }

    /// A store that is gone with the process: for stories and simulations.
    ///
    /// # Errors
    /// When redb fails.
    pub fn in_memory(fresh: &SettingsRecord) -> Result<Self, StoreError> {
        let database = builder(64 * 1024 * 1024)
            .create_with_backend(InMemoryBackend::new())
            .map_err(|error| StoreError::opening(Path::new("memory"), error))?;
        initialise(&database, fresh)?;
        Ok(Self { database: Arc::new(Opened::new(database, false)), path: None })
    }

    /// Opens what lies on `disk`, or makes a fresh store there where it is empty.
    ///
    /// A crash while a fresh one is made leaves something that cannot be opened: whoever brings a disk of their own
    /// begins again then. A file does not have this problem, because it gets its name only when it is complete.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn on_disk(disk: impl Disk, cache_bytes: usize, fresh: &SettingsRecord) -> Result<Self, StoreError> {
        let place = Path::new("the given disk");
        let empty = disk.len().map_err(|error| StoreError::io(place, error))? == 0;
        let database = builder(cache_bytes)
            .create_with_backend(Sparing::new(disk::Backend(disk)))
            .map_err(|error| StoreError::opening(place, error))?;
        if empty {
            initialise(&database, fresh)?;
        }
        let store = Self { database: Arc::new(Opened::new(database, false)), path: None };
        store.check_version(place)?;
        Ok(store)
    }

    /// Makes a fresh file: complete under a temporary name first, so that a crash leaves none or a whole one.
    fn create(path: &Path, cache_bytes: usize, fresh: &SettingsRecord) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::io(folder, error))?;
        }
        let temporary = beside(path, "new");
        if temporary.exists() {
            std::fs::remove_file(&temporary).map_err(|error| StoreError::io(&temporary, error))?;
        }
        let made = builder(cache_bytes)
            .create(&temporary)
            .map_err(|error| StoreError::opening(&temporary, error))
            .and_then(|database| initialise(&database, fresh));
        if let Err(error) = made {
            drop(std::fs::remove_file(&temporary));
            return Err(error);
        }
        publish(&temporary, path)?;
        Self::open_existing(path, cache_bytes)
    }

    fn check_version(&self, path: &Path) -> Result<(), StoreError> {
        let damaged = |error: &dyn std::fmt::Display| StoreError::NotOurs {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let transaction = self.database.get()?.begin_read().map_err(|error| damaged(&error))?;
        let meta = transaction.open_table(META).map_err(|error| damaged(&error))?;
        let version =
            meta.get("schema_version").map_err(|error| damaged(&error))?.map_or(0, |guard| guard.value());
        if version > SCHEMA_VERSION {
            return Err(StoreError::Newer { path: path.to_owned(), version });
        }
        if version == 0 {
            return Err(damaged(&"it names no schema version"));
        }
        Ok(())
    }

    /// Where the file is; `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// When redb fails.
    pub fn snapshot(&self) -> Result<Snapshot, StateError> {
        Ok(Snapshot::new(self.database.get()?.begin_read().map_err(failed)?))
    }

    /// A batch of commands on top of the file as it is now.
    ///
    /// # Errors
    /// When redb fails.
    pub fn batch(&self) -> Result<Batch, StateError> {
        Ok(Batch::new(self.snapshot()?, None))
    }

    /// A batch of commands on top of one that is sealed, whether that is in the file yet or not. Nothing else may
    /// have been left out of the file: the batch before it has to be committed.
    ///
    /// # Errors
    /// When redb fails.
    pub fn batch_on(&self, sealed: &Sealed) -> Result<Batch, StateError> {
        Ok(Batch::new(self.snapshot()?, Some(sealed.clone())))
    }

    /// Writes a batch to the file: when this returns, it is durable.
    ///
    /// # Errors
    /// When redb fails. The process must not go on writing after that.
    pub fn commit(&self, batch: Batch) -> Result<(), StateError> {
        self.commit_sealed(&batch.seal())
    }

    /// Writes a sealed batch to the file: when this returns, it is durable.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn commit_sealed(&self, sealed: &Sealed) -> Result<(), StateError> {
        if sealed.is_empty() { Ok(()) } else { sealed.commit(self.database.get()?) }
    }

    /// What the file as a whole remembers.
    ///
    /// # Errors
    /// When redb fails.
    pub fn settings(&self) -> Result<SettingsRecord, StateError> {
        self.snapshot()?.must::<Settings>(&Only)
    }

    /// Changes what the file as a whole remembers, durably. Only while no engine runs.
    ///
    /// # Errors
    /// When redb fails.
    pub fn change_settings(&self, change: impl FnOnce(&mut SettingsRecord)) -> Result<(), StateError> {
        let mut batch = self.batch()?;
        let mut tx = batch.begin();
        let mut settings = tx.must::<Settings>(&Only)?;
        change(&mut settings);
        tx.put::<Settings>(&Only, &settings)?;
        tx.keep();
        self.commit(batch)
    }

    /// What a restored file begins with: ids of events that never come again, and captures and replies that wait
    /// until an operator resumes. `replaced` is the epoch of the file in whose place it goes.
    ///
    /// # Errors
    /// When redb fails.
    pub fn begin_epoch(&self, replaced: u32) -> Result<(), StateError> {
        self.change_settings(|settings| {
            settings.epoch = settings.epoch.max(replaced).saturating_add(1);
            settings.paused = true;
        })
    }

    /// Has redb check every page and checksum of the file. Slow; only while nothing else uses the store.
    ///
    /// # Errors
    /// With what is wrong. redb may have repaired the file then, unless it was opened unchanged.
    pub fn check_pages(self) -> Result<Self, StateError> {
        let mut database = Arc::try_unwrap(self.database)
            .map_err(|_| StateError("the file is in use in this process".to_owned()))?;
        let sound = guarded(|| database.get_mut()?.check_integrity().map_err(failed), |error| error)?;
        if sound {
            Ok(Self { database: Arc::new(database), path: self.path })
        } else {
            Err(StateError("its pages do not add up".to_owned()))
        }
    }
}

/// redb counts the bytes of the pages that it keeps. A page of 4 KiB, and what is noted of it, takes a third more.
fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes / 4 * 3);
    builder
}

/// Makes every table and writes what a fresh file begins with.
fn initialise(database: &Database, fresh: &SettingsRecord) -> Result<(), StoreError> {
    let broken = |error: &dyn std::fmt::Display| StoreError::Failed(StateError(error.to_string()));
    let mut transaction = database.begin_write().map_err(|error| broken(&error))?;
    transaction.set_quick_repair(true);
    for name in TABLE_NAMES {
        transaction.open_table(Bytes::new(name)).map_err(|error| broken(&error))?;
    }
    {
        let mut meta = transaction.open_table(META).map_err(|error| broken(&error))?;
        meta.insert("schema_version", SCHEMA_VERSION).map_err(|error| broken(&error))?;
        let mut settings = transaction.open_table(Bytes::new("settings")).map_err(|error| broken(&error))?;
        let record = codec::encode::<Settings>(fresh).map_err(|error| broken(&error))?;
        settings.insert([0].as_slice(), record.as_slice()).map_err(|error| broken(&error))?;
    }
    transaction.commit().map_err(|error| broken(&error))
}
