//! What can be wrong with a data file, in sentences that say what to do.

use crate::till::state::StateError;
use redb::{DatabaseError, StorageError};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data file cannot be opened, copied or restored.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has it open.
    Locked(PathBuf),
    /// A later version of tagtill wrote it.
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        version: u64,
    },
    /// It is damaged, or no file of tagtill.
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The system refused.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// redb failed.
    Failed(StateError),
    /// There is a file already.
    Exists(PathBuf),
}

impl StoreError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }

    pub(super) fn opening(path: &Path, error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::Locked(path.to_owned()),
            // A file that ends too early was cut off.
            DatabaseError::Storage(StorageError::Io(error))
                if !matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                Self::io(path, error)
            }
            other => Self::NotOurs { path: path.to_owned(), why: other.to_string() },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => write!(
                f,
                "{} is open in another process. One till runs on a file at a time: stop the other one, or talk to \
                 it with --url.",
                path.display()
            ),
            Self::Newer { path, version } => write!(
                f,
                "{} was written by a newer tagtill (schema {version}; this one knows up to {}). Nothing was \
                 changed. Install the newer version again.",
                path.display(),
                super::SCHEMA_VERSION
            ),
            Self::NotOurs { path, why } => write!(
                f,
                "{} is damaged, or is no data file of tagtill ({why}). Nothing was changed. Put the last backup \
                 back with `tagtill restore`.",
                path.display()
            ),
            Self::Io { path, error } => write!(f, "{}: {error}.{}", path.display(), advice(error)),
            Self::Failed(error) => write!(f, "the data file failed: {error}"),
            Self::Exists(path) => {
                write!(f, "{} is there already; --force replaces it.", path.display())
            }
        }
    }
}

/// What to do about an error of the system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " The user that runs tagtill must be able to read and write the data file and its folder."
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            " Make room there, then try again."
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::NotFound => {
            " Is it the right path?"
        }
        _ => "",
    }
}

impl std::error::Error for StoreError {}

impl From<StateError> for StoreError {
    fn from(error: StateError) -> Self {
        Self::Failed(error)
    }
}
