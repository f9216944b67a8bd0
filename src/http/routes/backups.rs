//! `/v1/backups`: a consistent copy of the data file, made beside the running till and streamed.

use super::purchases::Nothing;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::message::{Body, Response};
use crate::http::problem::{Code, Problem};
use crate::http::route::Route;
use crate::store::{self, Scratch};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub const ROUTES: &[Route] =
    &[Route::post("/v1/backups", "makeBackup", "Stream a consistent copy of the data file.", make)
        .unkeyed()
        .may_take::<Nothing>()
        .produces("application/octet-stream")];

/// What the folders are called that copies are made in, beside the data file.
pub const COPIES: &str = "tagtill-backup";
/// Room that a copy leaves on the disk for the data file to grow: 16 MiB.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;

/// Clears the mark that a backup is being written, whatever happens.
struct Writing(Arc<Shared>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.backing_up.store(false, Ordering::Release);
    }
}

fn make(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let Nothing {} = call.body_or_default()?;
    if shared.backing_up.swap(true, Ordering::AcqRel) {
        return Err(Problem::new(Code::Conflict, "Another backup is being written; wait for it."));
    }
    let writing = Writing(Arc::clone(shared));
    Answer::later(move |_, out| {
        let copying = std::thread::Builder::new().name("backup".to_owned()).spawn(move || {
            let copied = copy(&writing.0);
            drop(writing);
            out.finish(copied);
        });
        if let Err(error) = copying {
            log::error!("no thread to write a backup with: {error}");
        }
    })
}

fn copy(shared: &Shared) -> Result<Response, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        let detail =
            "The copy could not be written beside the data file; the log says why. The till runs on.";
        let problem = Problem::new(Code::Unavailable, detail).with_header("Retry-After", "60");
        Problem { inner: Some(format!("the backup failed: {error}")), ..problem }
    };
    room_for_copy(shared).map_err(|error| failed(&error))?;
    // The copy holds everything, so nobody else may look at it while it has a name.
    let folder = Scratch::new(&shared.work_dir, COPIES).map_err(|error| failed(&error))?;
    let copied = copy_into(shared, &folder.path().join("copy.redb"));
    drop(folder);
    let (file, length) = copied.map_err(|error| failed(&error))?;
    let response = Response { status: 200, headers: Vec::new(), body: Body::File { file, length } };
    Ok(response
        .with_header("Content-Type", "application/octet-stream")
        .with_header("Content-Disposition", "attachment; filename=\"tagtill-backup.redb\"")
        .with_header("Cache-Control", "no-store"))
}

/// A copy must not take the room from the data file that it stands beside: a full disk would end the till.
fn room_for_copy(shared: &Shared) -> Result<(), String> {
    let Some(path) = shared.handle.store().path() else { return Ok(()) };
    let bytes = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    let disk = rustix::fs::statvfs(&shared.work_dir).map_err(|error| error.to_string())?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let wanted = bytes.saturating_add(SPARE_BYTES);
    if free < wanted {
        let folder = shared.work_dir.display();
        return Err(format!("{folder} has {free} bytes free, and a backup wants {wanted}: make room there"));
    }
    Ok(())
}

fn copy_into(shared: &Shared, path: &Path) -> Result<(File, u64), Box<dyn std::error::Error>> {
    let records = store::copy_to(&shared.handle.snapshot()?, path)?;
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    log::info!("a backup of {records} records, {length} bytes");
    Ok((file, length))
}
