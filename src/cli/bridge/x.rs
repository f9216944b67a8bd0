//! `tagtill bridge x`: sells on X.

use super::super::{Failure, Outcome};
use super::{Common, run_one, secret};
use crate::bridges::x::{Keys, Limits, Prices, Settings, X};
use crate::bridges::{Network, check_base};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Connect X (formerly Twitter), through its API v2.
///
/// X's API costs money: a budget must be given. Its four keys and the bearer token come from files or from the
/// environment (`TAGTILL_X_API_KEY`, `TAGTILL_X_API_KEY_SECRET`, `TAGTILL_X_ACCESS_TOKEN`,
/// `TAGTILL_X_ACCESS_TOKEN_SECRET`, `TAGTILL_X_BEARER_TOKEN`). docs/x.md tells more.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    options: Options,
}

/// How to reach X, and what may be spent there.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// File with the app's API key
    #[arg(long, value_name = "FILE", env = "TAGTILL_X_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// File with the app's API key secret, which also signs webhooks
    #[arg(long, value_name = "FILE", env = "TAGTILL_X_API_KEY_SECRET_FILE")]
    api_key_secret_file: Option<PathBuf>,
    /// File with the account's access token, made with the right to read and write
    #[arg(long, value_name = "FILE", env = "TAGTILL_X_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
    /// File with the account's access token secret
    #[arg(long, value_name = "FILE", env = "TAGTILL_X_ACCESS_TOKEN_SECRET_FILE")]
    access_token_secret_file: Option<PathBuf>,
    /// File with the app's bearer token
    #[arg(long, value_name = "FILE", env = "TAGTILL_X_BEARER_TOKEN_FILE")]
    bearer_token_file: Option<PathBuf>,
    /// What may be spent in a UTC day, in US cents; there is no default
    #[arg(long, value_name = "CENTS", env = "TAGTILL_X_BUDGET_CENTS_PER_DAY")]
    budget_cents_per_day: Option<u32>,
    /// What may be spent in a calendar month (UTC), in US cents
    #[arg(long, value_name = "CENTS", env = "TAGTILL_X_BUDGET_CENTS_PER_MONTH")]
    budget_cents_per_month: Option<u32>,
    /// What part of the budget is kept for replies: reading stops before
    #[arg(long, value_name = "PERCENT", env = "TAGTILL_X_RESERVE_PERCENT", default_value_t = 20,
          value_parser = clap::value_parser!(u8).range(0..=90))]
    reserve_percent: u8,
    /// What X asks for a post that is read, in millionths of a dollar
    #[arg(long, value_name = "MICROUSD", env = "TAGTILL_X_READ_COST_MICROUSD", default_value_t = 5000)]
    read_cost_microusd: u32,
    /// What X asks for a person that is read along with a post
    #[arg(long, value_name = "MICROUSD", env = "TAGTILL_X_PERSON_COST_MICROUSD", default_value_t = 10_000)]
    person_cost_microusd: u32,
    /// What X asks for a reply
    #[arg(long, value_name = "MICROUSD", env = "TAGTILL_X_POST_COST_MICROUSD", default_value_t = 15_000)]
    post_cost_microusd: u32,
    /// From one question for mentions to the next, in seconds; beside the stream at least 60
    #[arg(long, value_name = "SECONDS", env = "TAGTILL_X_POLL_SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(5..=900))]
    poll_seconds: u32,
    /// Listen here for X's webhooks, behind a reverse proxy that does TLS
    #[arg(long, value_name = "ADDR", env = "TAGTILL_X_WEBHOOK_LISTEN")]
    webhook_listen: Option<SocketAddr>,
    /// Where X's API is; another one for tests
    #[arg(long, value_name = "URL", env = "TAGTILL_X_API_BASE", default_value = "https://api.x.com",
          value_parser = check_base)]
    api_base: String,
}

pub fn run(args: &Args) -> Outcome {
    let x = if args.common.check { Arc::new(x(&args.options)?) } else { network(&args.options)? };
    run_one(x, &args.common)
}

const NO_BUDGET: &str = "X's API costs money: say how many US cents a day may be spent with --budget-cents-per-day, \
                         or TAGTILL_X_BUDGET_CENTS_PER_DAY.";

/// X, for whoever runs its bridge.
///
/// # Errors
/// A sentence that says what is missing.
pub fn network(options: &Options) -> Result<Arc<dyn Network>, Failure> {
    if options.budget_cents_per_day.is_none() {
        return Err(Failure::from(NO_BUDGET));
    }
    Ok(Arc::new(x(options)?))
}

fn x(options: &Options) -> Result<X, Failure> {
    let one = |file: &Option<PathBuf>, variable, what, flag| secret(file.as_deref(), variable, what, flag);
    let keys = Keys {
        api_key: one(&options.api_key_file, "TAGTILL_X_API_KEY", "X's API key", "--api-key-file")?,
        api_key_secret: one(
            &options.api_key_secret_file,
            "TAGTILL_X_API_KEY_SECRET",
            "X's API key secret",
            "--api-key-secret-file",
        )?,
        access_token: one(
            &options.access_token_file,
            "TAGTILL_X_ACCESS_TOKEN",
            "X's access token",
            "--access-token-file",
        )?,
        access_token_secret: one(
            &options.access_token_secret_file,
            "TAGTILL_X_ACCESS_TOKEN_SECRET",
            "X's access token secret",
            "--access-token-secret-file",
        )?,
    };
    let bearer =
        one(&options.bearer_token_file, "TAGTILL_X_BEARER_TOKEN", "X's bearer token", "--bearer-token-file")?;
    Ok(X::new(Settings {
        base: options.api_base.clone(),
        keys,
        bearer,
        prices: Prices {
            post: options.read_cost_microusd.into(),
            person: options.person_cost_microusd.into(),
            reply: options.post_cost_microusd.into(),
        },
        limits: options.budget_cents_per_day.map(|cents_per_day| Limits {
            cents_per_day,
            cents_per_month: options.budget_cents_per_month,
            reserve_percent: options.reserve_percent,
        }),
        poll: Duration::from_secs(options.poll_seconds.into()),
        webhook: options.webhook_listen,
    }))
}
