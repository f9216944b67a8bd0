//! Bridges that `serve` starts: set up by the environment alone, each with a token of its own that dies with the process.

use super::{bluesky, mastodon, x};
use crate::bridges::{Bridge, Network, Settings};
use crate::cli::running::Running;
use crate::cli::{Failure, failure};
use crate::client::Client;
use crate::http::new_secret;
use clap::Parser;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a bridge that has ended by itself rests.
const REST: Duration = Duration::from_secs(60);

/// The networks that have bridges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// Bluesky, set up by `TAGTILL_BLUESKY_…`
    Bluesky,
    /// Mastodon, GoToSocial or Akkoma, set up by `TAGTILL_MASTODON_…`
    Mastodon,
    /// X, set up by `TAGTILL_X_…`
    X,
}

/// The settings of a bridge, read from the environment.
#[derive(Debug, Parser)]
struct FromEnvironment<S: clap::Args> {
    #[command(flatten)]
    setup: S,
}

fn setup<S: clap::Args>(which: Which) -> Result<S, Failure> {
    let read = FromEnvironment::<S>::try_parse_from(["tagtill"]);
    read.map(|read| read.setup).map_err(|error| {
        let why = error.render().to_string();
        let why = why.split("Usage:").next().unwrap_or_default().trim().trim_start_matches("error: ");
        let name = format!("{which:?}").to_lowercase();
        let sentence = format!(
            "--bridge {name}: {why}\nGive each as the variable that `tagtill bridge {name} --help` names."
        );
        Failure { sentence, code: 2 }
    })
}

/// A bridge that is to be started.
pub struct Prepared {
    network: Arc<dyn Network>,
    token: String,
}

/// Sets the bridges up; nothing is asked of their networks yet.
pub fn prepare(networks: &[Which]) -> Result<Vec<Prepared>, Failure> {
    let one = |which: &Which| {
        let network = match which {
            Which::Bluesky => bluesky::network(&setup(*which)?)?,
            Which::Mastodon => mastodon::network(&setup(*which)?)?,
            Which::X => x::network(&setup(*which)?)?,
        };
        Ok(Prepared { network, token: new_secret().map_err(failure)? })
    };
    networks.iter().map(one).collect()
}

impl Prepared {
    /// Its network, and the token that it will use.
    pub fn token(&self) -> (&'static str, String) {
        (self.network.slug(), self.token.clone())
    }
}

/// The bridges of a till in this process.
pub struct Started {
    bridges: Vec<(Prepared, Option<Bridge>, Instant)>,
    url: String,
}

impl Started {
    /// Starts them.
    pub fn start(prepared: Vec<Prepared>, running: &Running) -> Self {
        let url = running.url.clone();
        let start = |one: Prepared| {
            let bridge = begin(&one, &url);
            (one, Some(bridge), Instant::now())
        };
        Self { bridges: prepared.into_iter().map(start).collect(), url: url.clone() }
    }

    /// Starts again whatever has ended by itself, after a rest: a password may have been mended meanwhile.
    pub fn look_after(&mut self) {
        for (prepared, bridge, since) in &mut self.bridges {
            if let Some(ended) = bridge.as_ref().and_then(Bridge::ended) {
                log::error!("the bridge to {} has ended: {ended}; again in 60 s", prepared.network.slug());
                if let Some(bridge) = bridge.take() {
                    bridge.stop();
                }
                *since = Instant::now();
            }
            if bridge.is_none() && since.elapsed() >= REST {
                *bridge = Some(begin(prepared, &self.url));
            }
        }
    }

    /// Ends them, before the till: what is under way is reported still.
    pub fn stop(self, running: &Running) {
        let bridges: Vec<Bridge> = self.bridges.into_iter().filter_map(|(_, bridge, _)| bridge).collect();
        if bridges.is_empty() {
            return;
        }
        bridges.iter().for_each(Bridge::tell_to_end);
        // Whoever waits for replies is answered at once.
        running.handle().waiters().close();
        bridges.into_iter().for_each(Bridge::stop);
    }
}

fn begin(prepared: &Prepared, url: &str) -> Bridge {
    let till = Client::new(url, &prepared.token);
    Bridge::start(Arc::clone(&prepared.network), &Settings { till, dry_run: false })
}
