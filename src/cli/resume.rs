//! `tagtill resume`: an operator says that the till may go on.

use super::target::{Place, Target};
use super::{Outcome, failure, say};
use crate::store::Store;
use crate::till::pace;
use crate::till::state::{Read as _, StateError, Write as _};
use crate::till::table::{Counter, Counters, Only, Settings};
use crate::till::time::Time;
use serde_json::json;

/// Go on after a restore, after the wall clock has jumped ahead, or after more captures than the limits allow.
///
/// After a restore, captures and replies wait for this; after a jump of the clock, expiring does; after more captures
/// of a network in an hour than its limit, further ones do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
}

pub fn run(args: &Args) -> Outcome {
    match args.target.find()? {
        Place::Running(client) => {
            client.post("/v1/resume", &json!({})).map_err(failure)?;
        }
        Place::File(store) => resume_file(&store).map_err(failure)?,
    }
    say(format_args!("The till goes on."))?;
    Ok(())
}

/// The same where no till runs.
fn resume_file(store: &Store) -> Result<(), StateError> {
    let mut batch = store.batch()?;
    let mut tx = batch.begin();
    let mut settings = tx.must::<Settings>(&Only)?;
    settings.paused = false;
    tx.put::<Settings>(&Only, &settings)?;
    let last = tx.get::<Counters>(&Counter::LastTime)?.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
    pace::resume(&mut tx, Time::from_ms(last))?;
    tx.keep();
    store.commit(batch)
}
