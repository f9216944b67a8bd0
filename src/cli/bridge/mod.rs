//! `tagtill bridge`: reads a network's posts for a till and posts the till's replies there.

mod bluesky;
mod mastodon;
pub mod started;
mod x;

use super::target::Target;
use super::{Failure, Outcome, say};
use crate::bridges::{Bridge, Finding, Network, Settings};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Connect a social network to a till.
///
/// A bridge reads the network's posts, hands them to the till, and posts the till's replies. It needs a token of the
/// network's: `tagtill token create --role network:bluesky`. Where it was and what it has posted is kept in the till,
/// so that it can be ended and started at any time.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    network: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    Bluesky(bluesky::Args),
    Mastodon(mastodon::Args),
    // What each takes is said at its arguments.
    X(x::Args),
}

/// What every bridge takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    #[command(flatten)]
    target: Target,
    /// Try credentials and rights, say what is missing, and end; exit code 3 where something is
    #[arg(long)]
    check: bool,
    /// Read and say what would be done; post nothing, tell the till nothing
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
}

pub fn run(args: &Args) -> Outcome {
    match &args.network {
        Which::Bluesky(args) => run_one(bluesky::network(&args.setup)?, &args.common),
        Which::Mastodon(args) => mastodon::run(args),
        Which::X(args) => x::run(args),
    }
}

/// Checks or runs one network's bridge until Ctrl-C, SIGTERM, or trouble that no waiting helps against.
pub fn run_one(network: Arc<dyn Network>, common: &Common) -> Outcome {
    if common.check {
        return check(&network.check());
    }
    let Some(till) = common.target.running()? else {
        return Err(Failure::from(
            "No till runs this data file. Start one with `tagtill serve`, or name one with --url.",
        ));
    };
    let (sender, told) = channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(());
    })
    .map_err(super::failure)?;
    let slug = network.slug();
    say(format_args!("tagtill bridges {slug} for {}; Ctrl-C ends it.", till.url()))?;
    let bridge = Bridge::start(network, &Settings { till, dry_run: common.dry_run });
    while matches!(told.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout)) {
        if let Some(ended) = bridge.ended() {
            bridge.stop();
            return Err(Failure::from(format!("The bridge to {slug} has ended: {ended}")));
        }
    }
    bridge.stop();
    Ok(())
}

/// Prints what was looked at, one line each.
fn check(findings: &[Finding]) -> Outcome {
    let mut missing = 0;
    for Finding { what, missing: why } in findings {
        match why {
            None => say(format_args!("ok       {what}"))?,
            Some(why) => {
                missing += 1;
                say(format_args!("MISSING  {what}: {why}"))?;
            }
        }
    }
    if missing == 0 {
        return say("Everything is there.");
    }
    Err(Failure { sentence: format!("{missing} of {} things are missing.", findings.len()), code: 3 })
}

/// A secret from its file, or from the environment.
///
/// # Errors
/// A sentence that names both ways to give it.
pub fn secret(file: Option<&Path>, variable: &str, what: &str, flag: &str) -> Result<String, Failure> {
    match (file, std::env::var(variable)) {
        (Some(file), _) => super::serve::read_secret(file),
        (None, Ok(value)) => Ok(value.trim().to_owned()),
        (None, Err(_)) => {
            Err(Failure::from(format!("{what} is missing: name its file with {flag}, or set {variable}.")))
        }
    }
}
