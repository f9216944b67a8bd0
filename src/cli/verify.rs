//! `tagtill verify`: checks a file's pages and everything that must hold in it, and says what it counted.

use super::target::{Place, SMALL_CACHE_BYTES, Target};
use super::{Failure, Outcome, create, failure, say};
use crate::store::{Store, beside, guarded};
use crate::till::state::StateError;
use crate::till::verify;
use std::path::{Path, PathBuf};

/// Check a data file or a backup: its pages, and everything that must hold in it.
///
/// Checks that stock adds up, that every open purchase is in the deadline index, that every paid one has an order and
/// exactly one confirmed attempt, and that nothing is orphaned. Without FILE it checks the data of the till that runs,
/// through a fresh backup, or the data file where none runs. Exit code 3: something does not hold.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A data file or backup that no till runs
    file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args) -> Outcome {
    let counted = match &args.file {
        Some(file) if !file.exists() => {
            return Err(Failure::from(format!("There is no file {}.", file.display())));
        }
        Some(file) => check_file(file)?,
        None => match args.target.find_to_read()? {
            Place::File(store) => check_pages_and_rules(*store)?,
            Place::Running(client) => {
                let copy = beside(&args.target.data, "verifying");
                let mut file = create(&copy)?;
                let loaded = client.download("/v1/backups", &mut file).map_err(failure);
                let checked = loaded.and_then(|_| check_file(&copy));
                let _ = std::fs::remove_file(&copy);
                checked?
            }
        },
    };
    say(format_args!("verify holds: {counted}"))?;
    Ok(())
}

/// Checks a file that no till runs.
pub fn check_file(file: &Path) -> Result<String, Failure> {
    check_pages_and_rules(Store::open_unchanged(file, SMALL_CACHE_BYTES).map_err(failure)?)
}

/// Checks the pages of a file, then what must hold in it.
pub fn check_pages_and_rules(store: Store) -> Result<String, Failure> {
    let name = store.path().map_or_else(String::new, |path| path.display().to_string());
    let store = store.check_pages().map_err(|error| damaged(&name, &error))?;
    check_store(&store)
}

fn damaged(name: &str, error: &StateError) -> Failure {
    let sentence = format!(
        "{name} is damaged: {error}. Nothing was changed. Put the last backup back with `tagtill restore`."
    );
    Failure { sentence, code: 3 }
}

/// Checks everything that must hold; returns what was counted.
pub fn check_store(store: &Store) -> Result<String, Failure> {
    let name = store.path().map_or_else(String::new, |path| path.display().to_string());
    let checked = guarded(|| verify::check(&store.snapshot()?), |error| error);
    let report = checked.map_err(|error| damaged(&name, &error))?;
    if report.holds() {
        let counted: Vec<_> = report
            .counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(table, count)| format!("{} {count}", table.replace('_', " ")))
            .collect();
        return Ok(if counted.is_empty() { "nothing in it yet".to_owned() } else { counted.join(", ") });
    }
    let sentence = format!("verify does not hold:\n  {}", report.problems.join("\n  "));
    Err(Failure { sentence, code: 3 })
}
