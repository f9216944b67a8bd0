//! `tagtill restore`: puts a backup in the place of the data file, after checking it, and begins a new epoch.

use super::target::SMALL_CACHE_BYTES;
use super::verify::check_file;
use super::{Failure, Outcome, failure, say};
use crate::engine::{EngineConfig, Stepper, SystemTime};
use crate::store::lease::Lease;
use crate::store::{Store, beside, erased, publish};
use crate::till::command::Command;
use crate::till::state::Read as _;
use crate::till::table::Accounts;
use std::path::{Path, PathBuf};

/// Put a backup in the place of the data file.
///
/// The backup is copied and checked first. The till starts paused after a restore: look around, then `tagtill resume`.
/// Accounts that were erased since the backup are erased again. The file that was there is kept as FILE.replaced.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup
    file: PathBuf,
    /// The data file to put it in place of
    #[arg(long, value_name = "FILE", env = "TAGTILL_DATA", default_value = "data/tagtill.redb")]
    data: PathBuf,
    /// Replace a data file that is there
    #[arg(long)]
    force: bool,
    /// Only check the backup and say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args) -> Outcome {
    if !args.file.exists() {
        return Err(Failure::from(format!("There is no file {}.", args.file.display())));
    }
    if args.data.exists() && !args.force && !args.dry_run {
        return Err(Failure::from(format!(
            "{} is there already. --force replaces it (and keeps it as {}); --dry-run only checks the backup.",
            args.data.display(),
            beside(&args.data, "replaced").display()
        )));
    }
    let lease = Lease::take(&args.data).map_err(failure)?;
    let copy = beside(&args.data, "restoring");
    let prepared = prepare(args, &copy);
    let done = match prepared {
        Ok(counted) if args.dry_run => say(format_args!(
            "{} is sound: {counted}\nNothing was changed. Without --dry-run it becomes {}.",
            args.file.display(),
            args.data.display()
        )),
        Ok(counted) => swap(args, &copy).and_then(|()| {
            say(format_args!(
                "{} restored: {counted}\nCaptures and replies are paused. Start the till, look around, then: tagtill resume",
                args.data.display()
            ))
        }),
        Err(failure) => Err(failure),
    };
    let _ = std::fs::remove_file(&copy);
    drop(lease);
    done
}

/// Copies the backup, checks the copy, and makes it the beginning of a new epoch.
fn prepare(args: &Args, copy: &Path) -> Result<String, Failure> {
    // What is wrong is said of the backup itself; looking does not change it.
    let counted = check_file(&args.file)?;
    if args.dry_run {
        return Ok(counted);
    }
    std::fs::copy(&args.file, copy).map_err(|error| {
        let (from, to) = (args.file.display(), copy.display());
        Failure::from(format!("Cannot copy {from} to {to}: {error}. Nothing was changed."))
    })?;
    let store = Store::open_existing(copy, SMALL_CACHE_BYTES).map_err(failure)?;
    // Ids of events never come again: later than both the backup and the file that it replaces.
    let replaced = Store::open_unchanged(&args.data, SMALL_CACHE_BYTES)
        .ok()
        .and_then(|old| old.settings().ok())
        .map_or(0, |settings| settings.epoch);
    store.begin_epoch(replaced).map_err(failure)?;
    forget_again(&args.data, store)?;
    Ok(counted)
}

/// Erases the accounts that were erased after the backup was made.
fn forget_again(data: &Path, store: Store) -> Outcome {
    let erased = erased::read(data).map_err(failure)?;
    let snapshot = store.snapshot().map_err(failure)?;
    let mut commands = Vec::new();
    for id in erased {
        if snapshot.get::<Accounts>(&id).map_err(failure)?.is_some() {
            commands.push(Command::EraseAccount { id });
        }
    }
    drop(snapshot);
    if commands.is_empty() {
        return Ok(());
    }
    let seed = [getrandom::u64().map_err(failure)?, getrandom::u64().map_err(failure)?];
    let config = EngineConfig { seed, ..EngineConfig::default() };
    let mut writer = Stepper::new(store, &config, Box::new(SystemTime::default())).map_err(failure)?;
    writer.call_many(commands).map_err(|unavailable| Failure::from(unavailable.0))?;
    Ok(())
}

fn swap(args: &Args, copy: &Path) -> Outcome {
    if args.data.exists() {
        std::fs::rename(&args.data, beside(&args.data, "replaced"))
            .map_err(|error| Failure::from(format!("Cannot rename {}: {error}", args.data.display())))?;
    }
    publish(copy, &args.data).map_err(failure)
}
