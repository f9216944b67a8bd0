//! `tagtill resume`: an operator says that the till may go on.

use super::target::{Place, Target};
use super::{Outcome, failure, say};
use crate::store::Store;
use crate::till::apply;
use crate::till::refusal::Fault;
use crate::till::state::Read as _;
use crate::till::table::{Counter, Counters};
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
        Place::File(store) => resume_file(&store).map_err(|fault| match fault {
            Fault::Refused(refusal) => failure(refusal.detail),
            Fault::State(error) => failure(error),
        })?,
    }
    say(format_args!("The till goes on."))?;
    Ok(())
}

/// The same where no till runs.
fn resume_file(store: &Store) -> Result<(), Fault> {
    let mut batch = store.batch()?;
    let mut tx = batch.begin();
    let last = tx.get::<Counters>(&Counter::LastTime)?.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
    apply::resume(&mut tx, Time::from_ms(last))?;
    tx.keep();
    Ok(store.commit(batch)?)
}
