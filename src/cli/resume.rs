//! `tagtill resume`: an operator says that the till may go on.

use super::target::{Place, Target};
use super::{Outcome, failure, say};
use serde_json::json;

/// Go on after a restore, or after the wall clock has jumped ahead.
///
/// After a restore, captures and replies wait for this; after a jump of the clock, expiring does.
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
        Place::File(store) => store.change_settings(|settings| settings.paused = false).map_err(failure)?,
    }
    say(format_args!("The till goes on."))?;
    Ok(())
}
