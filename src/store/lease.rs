//! The lease beside the data file: keeps two tills from running the same one, and says where the running one listens.

use super::StoreError;
use super::backup::beside;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

/// Held by the till that runs a data file; given back when it ends, however it ends.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

impl Lease {
    /// Takes the lease of the data file at `path`.
    ///
    /// # Errors
    /// Where another process holds it, or it cannot be written.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let lock = beside(path, "lock");
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| StoreError::io(folder, error))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&lock).map_err(|error| StoreError::io(&lock, error))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(|error| StoreError::io(&lock, error))?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&lock, error)),
        }
    }

    /// Writes down where the till listens, for commands on the same machine.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&mut self, url: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(url.as_bytes())?;
        self.file.flush()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// Where the till that runs the data file at `path` listens; `None` where none runs.
pub fn running_at(path: &Path) -> Option<String> {
    let mut file = File::open(beside(path, "lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        _ => return None,
    }
    let mut url = String::new();
    file.read_to_string(&mut url).ok()?;
    Some(url.trim().to_owned())
}
