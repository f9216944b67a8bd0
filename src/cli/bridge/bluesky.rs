//! `tagtill bridge bluesky`.

use super::{Common, Failure, secret};
use crate::bridges::Network;
use crate::bridges::bluesky::{Bluesky, FIREHOSE, PLC, SERVICE, Settings, Source};
use std::path::PathBuf;
use std::sync::Arc;

/// Connect Bluesky, or another network of the AT Protocol.
///
/// Needs an account for the shop and an app password of it (Settings, Privacy and security, App passwords), in a file
/// or in `TAGTILL_BLUESKY_PASSWORD`. Step by step: docs/bluesky.md.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub setup: Setup,
    #[command(flatten)]
    pub common: Common,
}

/// What is about Bluesky alone.
#[derive(Debug, clap::Args)]
pub struct Setup {
    /// The shop's handle, as in shop.bsky.social
    #[arg(long, value_name = "HANDLE", env = "TAGTILL_BLUESKY_HANDLE")]
    handle: String,
    /// File with the app password
    #[arg(long, value_name = "FILE", env = "TAGTILL_BLUESKY_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// The server that has the account
    #[arg(long, value_name = "URL", env = "TAGTILL_BLUESKY_SERVICE", default_value = SERVICE)]
    service: String,
    /// Where posts are read from
    #[arg(long, env = "TAGTILL_BLUESKY_SOURCE", value_enum, default_value_t = Source::AppView)]
    source: Source,
    /// The firehose's server
    #[arg(long, value_name = "URL", env = "TAGTILL_BLUESKY_FIREHOSE", default_value = FIREHOSE)]
    firehose: String,
    /// The directory that knows who is behind a DID; asked with the firehose only
    #[arg(long, value_name = "URL", env = "TAGTILL_BLUESKY_PLC", default_value = PLC)]
    plc: String,
}

/// The network as it is set up.
pub fn network(setup: &Setup) -> Result<Arc<dyn Network>, Failure> {
    let password = secret(
        setup.password_file.as_deref(),
        "TAGTILL_BLUESKY_PASSWORD",
        "The app password",
        "--password-file",
    )?;
    let settings = Settings {
        service: setup.service.clone(),
        identifier: setup.handle.clone(),
        password,
        source: setup.source,
        firehose: setup.firehose.clone(),
        plc: setup.plc.clone(),
    };
    Ok(Arc::new(Bluesky::new(settings).map_err(Failure::from)?))
}
