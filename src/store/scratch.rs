//! Folders for a while: each goes with whoever made it. What a process that was killed has left goes with the next
//! folder of its kind: each is locked for as long as it is used.

use super::lease::running_at;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// How often another name is tried, where somebody takes the fresh folder for one that was left.
const TRIES: usize = 8;

/// A folder that only this user may enter; removed with this.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes a folder in `within`, called after its `kind`, and removes those of this kind that were left there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(within: &Path, kind: &str) -> io::Result<Self> {
        sweep(within, kind);
        for _ in 0..TRIES {
            let unique = getrandom::u64().map_err(io::Error::other)?;
            let path = within.join(format!("{kind}-{unique:016x}"));
            DirBuilder::new().mode(0o700).create(&path)?;
            if let Some(lock) = hold(&path) {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::Error::other("its folders disappear as soon as they are made"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes the folders of this kind in `within` that this user has left: nobody holds them, and no till runs in them.
pub fn sweep(within: &Path, kind: &str) {
    let Ok(entries) = std::fs::read_dir(within) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let unique = name.to_str().and_then(|name| name.strip_prefix(kind)?.strip_prefix('-'));
        let hex = |unique: &str| {
            unique.len() == 16 && unique.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !unique.is_some_and(hex) {
            continue;
        }
        let path = entry.path();
        let Some(_lock) = hold(&path) else { continue };
        if till_runs_in(&path) {
            continue;
        }
        match std::fs::remove_dir_all(&path) {
            Ok(()) => log::info!("removed {}, which a process that was killed had left", path.display()),
            Err(error) => log::warn!("cannot remove {}: {error}", path.display()),
        }
    }
}

/// Locks a folder of this user; `None` where it is somebody else's, held, gone, or no folder.
fn hold(path: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = File::from(open(path, flags, Mode::empty()).ok()?);
    let opened = folder.metadata().ok()?;
    if opened.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
    }
    // Between opening and locking, whoever held it may have removed it.
    let now = std::fs::symlink_metadata(path).ok()?;
    ((now.dev(), now.ino()) == (opened.dev(), opened.ino())).then_some(folder)
}

/// A bench that was killed may have left its till running.
fn till_runs_in(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    let mut data = entries.flatten().map(|entry| entry.path().with_extension(""));
    data.any(|path| running_at(&path).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lease::Lease;

    /// A folder as a killed process leaves it.
    fn left(within: &Path, name: &str) -> PathBuf {
        let path = within.join(name);
        std::fs::create_dir_all(path.join("deep")).unwrap();
        std::fs::write(path.join("deep/file"), "x").unwrap();
        path
    }

    #[test]
    fn what_was_left_goes_and_what_is_held_or_is_no_such_folder_stays() {
        let place = tempfile::tempdir().unwrap();
        let within = place.path();
        let gone = left(within, "tagtill-x-0123456789abcdef");
        let held = Scratch::new(within, "tagtill-x").unwrap();
        assert!(!gone.exists() && held.path().is_dir());
        let treasure = left(within, "treasure");
        std::os::unix::fs::symlink(&treasure, within.join("tagtill-x-00000000000000aa")).unwrap();
        std::fs::write(within.join("tagtill-x-00000000000000bb"), "a file").unwrap();
        left(within, "tagtill-x-kept-0123456789abcdef");
        left(within, "tagtill-x-0123456789ABCDEF");
        left(within, "tagtill-y-0123456789abcdef");
        let runs = left(within, "tagtill-x-00000000000000cc");
        let lease = Lease::take(&runs.join("till.redb")).unwrap();
        std::os::unix::fs::symlink(&treasure, left(within, "tagtill-x-00000000000000dd").join("link"))
            .unwrap();
        sweep(within, "tagtill-x");
        let count = || std::fs::read_dir(within).unwrap().count();
        assert_eq!(count(), 8, "only the one with the link in it went");
        assert!(treasure.join("deep/file").exists(), "and not what the links point to");
        drop(lease);
        drop(held);
        sweep(within, "tagtill-x");
        assert_eq!(count(), 6);
    }

    #[test]
    fn many_at_once_do_not_take_each_other_for_left_behind() {
        let within = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..400 {
                        let scratch = Scratch::new(within.path(), "tagtill-x").unwrap();
                        std::fs::write(scratch.path().join("file"), "x").unwrap();
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(within.path()).unwrap().count(), 0);
    }
}
