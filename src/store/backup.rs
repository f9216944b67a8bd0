//! Consistent copies: one read transaction, written to a new file that is complete before it gets its name.

use super::disk::{Backend, Disk};
use super::snapshot::{Bytes, Snapshot};
use super::{META, SCHEMA_VERSION, StoreError, builder};
use crate::till::state::{Direction, Span, StateError};
use crate::till::table::TABLE_NAMES;
use redb::Database;
use std::fs::File;
use std::path::{Path, PathBuf};

/// How many records go into one transaction of the copy.
const RECORDS_PER_COMMIT: usize = 20_000;
/// How much of the copy is kept in memory: 16 MiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// `path` with another ending behind it: `tagtill.redb` becomes `tagtill.redb.new`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Gives a complete file its name, durably: sync, rename, sync the folder.
pub fn publish(temporary: &Path, path: &Path) -> Result<(), StoreError> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(temporary).map_err(|error| StoreError::io(temporary, error))?;
    std::fs::rename(temporary, path).map_err(|error| StoreError::io(path, error))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(folder).map_err(|error| StoreError::io(folder, error))
}

/// Writes what `snapshot` shows to a fresh file at `path`; returns how many records it holds.
///
/// # Errors
/// Where the file is there already, and when writing fails; what was written is removed then.
pub fn copy_to(snapshot: &Snapshot, path: &Path) -> Result<u64, StoreError> {
    if path.exists() {
        return Err(StoreError::Exists(path.to_owned()));
    }
    let temporary = beside(path, "tmp");
    let _ = std::fs::remove_file(&temporary);
    let made = builder(CACHE_BYTES).create(&temporary).map_err(|error| StoreError::opening(path, error));
    let copied = made.and_then(|database| write_copy(snapshot, &database));
    let published = copied.and_then(|records| publish(&temporary, path).map(|()| records));
    if published.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    published
}

/// Writes what `snapshot` shows to an empty disk; returns how many records it holds.
///
/// # Errors
/// When writing fails.
pub fn copy_onto(snapshot: &Snapshot, disk: impl Disk) -> Result<u64, StoreError> {
    let database = builder(CACHE_BYTES)
        .create_with_backend(Backend(disk))
        .map_err(|error| StoreError::opening(Path::new("the given disk"), error))?;
    write_copy(snapshot, &database)
}

fn write_copy(snapshot: &Snapshot, database: &Database) -> Result<u64, StoreError> {
    let broken = |error: &dyn std::fmt::Display| StoreError::Failed(StateError(error.to_string()));
    let mut records = 0_u64;
    for (place, name) in (0..).zip(TABLE_NAMES.iter().copied()) {
        let mut source = snapshot.range(place, &Span::all(), Direction::Up)?.peekable();
        let mut first = true;
        while first || source.peek().is_some() {
            first = false;
            let mut transaction = database.begin_write().map_err(|error| broken(&error))?;
            transaction.set_quick_repair(true);
            {
                let mut table = transaction.open_table(Bytes::new(name)).map_err(|error| broken(&error))?;
                for item in source.by_ref().take(RECORDS_PER_COMMIT) {
                    if let (key, Some(value)) = item? {
                        table.insert(key.as_slice(), value.as_slice()).map_err(|error| broken(&error))?;
                        records += 1;
                    }
                }
            }
            transaction.commit().map_err(|error| broken(&error))?;
        }
    }
    let mut transaction = database.begin_write().map_err(|error| broken(&error))?;
    transaction.set_quick_repair(true);
    {
        let mut meta = transaction.open_table(META).map_err(|error| broken(&error))?;
        meta.insert("schema_version", SCHEMA_VERSION).map_err(|error| broken(&error))?;
    }
    transaction.commit().map_err(|error| broken(&error))?;
    Ok(records)
}
