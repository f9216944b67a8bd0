//! Which till or file a command is about: a running till by its address, or a data file that none runs.

use super::{Failure, failure};
use crate::client::Client;
use crate::store::{Store, StoreError, lease};
use std::path::{Path, PathBuf};

/// How much of a file a short command keeps in memory.
pub const SMALL_CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Where the data is.
#[derive(Debug, Clone, clap::Args)]
pub struct Target {
    /// The data file
    #[arg(long, value_name = "FILE", env = "TAGTILL_DATA", default_value = "data/tagtill.redb")]
    pub data: PathBuf,
    /// Address of a running till; without it, the one that runs the data file, if any
    #[arg(long, value_name = "URL", env = "TAGTILL_URL")]
    pub url: Option<String>,
    /// File with an admin token, for a running till (or the token itself in `TAGTILL_TOKEN`)
    #[arg(long, value_name = "FILE", env = "TAGTILL_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
}

/// What a target turned out to be.
pub enum Place {
    /// A till that runs.
    Running(Client),
    /// A file that no till runs.
    File(Box<Store>),
}

impl Target {
    /// Finds the running till, or opens the file to change it.
    pub fn find(&self) -> Result<Place, Failure> {
        self.find_with(|path| Store::open_existing(path, SMALL_CACHE_BYTES))
    }

    /// Finds the running till, or opens the file to look at it: nothing that is done then changes it.
    pub fn find_to_read(&self) -> Result<Place, Failure> {
        self.find_with(|path| Store::open_unchanged(path, SMALL_CACHE_BYTES))
    }

    /// The running till, if there is one; a data file that none runs is left alone.
    pub fn running(&self) -> Result<Option<Client>, Failure> {
        let url = self.url.clone().or_else(|| lease::running_at(&self.data));
        url.map(|url| Ok(Client::new(&url, &self.token()?))).transpose()
    }

    fn find_with(&self, open: impl Fn(&Path) -> Result<Store, StoreError>) -> Result<Place, Failure> {
        let url = self.url.clone().or_else(|| lease::running_at(&self.data));
        match url {
            Some(url) => Ok(Place::Running(Client::new(&url, &self.token()?))),
            None if self.data.exists() => Ok(Place::File(Box::new(open(&self.data).map_err(failure)?))),
            None => Err(Failure::from(format!(
                "There is no data file {}. Name one with --data, or a running till with --url.",
                self.data.display()
            ))),
        }
    }

    fn token(&self) -> Result<String, Failure> {
        if let Some(path) = &self.token_file {
            return super::serve::read_secret(path);
        }
        std::env::var("TAGTILL_TOKEN").map_err(|_| {
            Failure::from(
                "A running till wants an admin token: name its file with --token-file, or set TAGTILL_TOKEN.",
            )
        })
    }
}
