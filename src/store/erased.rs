//! The side file of erased accounts: ids only, so that a restored backup can forget them again.

use super::StoreError;
use super::backup::beside;
use crate::till::id::AccountId;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// Adds an account to the side file of the data file at `path`, durably.
///
/// # Errors
/// When it cannot be written.
pub fn note(path: &Path, id: AccountId) -> Result<(), StoreError> {
    let side = beside(path, "erased");
    let write = || {
        let mut file = OpenOptions::new().create(true).append(true).open(&side)?;
        file.write_all(format!("{id}\n").as_bytes())?;
        file.sync_data()
    };
    write().map_err(|error| StoreError::io(&side, error))
}

/// The accounts in the side file of the data file at `path`.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<AccountId>, StoreError> {
    let side = beside(path, "erased");
    match std::fs::read_to_string(&side) {
        Ok(text) => Ok(text.lines().filter_map(AccountId::parse).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::io(&side, error)),
    }
}
