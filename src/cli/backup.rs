//! `tagtill backup`: a consistent copy, complete and checked before it gets its name.

use super::target::{Place, SMALL_CACHE_BYTES, Target};
use super::verify::check_store;
use super::{Failure, Outcome, create, failure, say, unwritable};
use crate::store::{Store, beside, copy_to, publish};
use std::path::{Path, PathBuf};

/// Write a consistent copy of the data to FILE, while the till runs or not.
///
/// The copy is written to FILE.tmp, checked, synced and only then given its name. Never copy the file of a running
/// till by other means: such copies cannot be opened.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to; must not be there yet
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args) -> Outcome {
    if args.file.exists() {
        return Err(Failure::from(format!("{} is there already; name another file.", args.file.display())));
    }
    let temporary = beside(&args.file, "tmp");
    let made = make(args, &temporary);
    if made.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    let counted = made?;
    let bytes = std::fs::metadata(&args.file).map_or(0, |meta| meta.len());
    say(format_args!("{}: {bytes} bytes; {counted}", args.file.display()))?;
    Ok(())
}

fn make(args: &Args, temporary: &Path) -> Result<String, Failure> {
    let _ = std::fs::remove_file(temporary);
    match args.target.find_to_read()? {
        Place::Running(client) => {
            let mut file = create(temporary)?;
            client.download("/v1/backups", &mut file).map_err(failure)?;
            file.sync_all().map_err(|error| unwritable(temporary, &error))?;
        }
        Place::File(store) => {
            copy_to(&store.snapshot().map_err(failure)?, temporary).map_err(failure)?;
        }
    }
    let store = Store::open_unchanged(temporary, SMALL_CACHE_BYTES).map_err(failure)?;
    let counted = check_store(&store)?;
    drop(store);
    publish(temporary, &args.file).map_err(failure)?;
    Ok(counted)
}
