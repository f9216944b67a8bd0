//! Bluesky, and any other network of the AT Protocol: read through the AppView or from the firehose, written to our PDS.
//!
//! A post's id is its address (`at://did/collection/key`), a person's is the DID. Times are the servers', never
//! `createdAt`: that is what the author says, and anybody can say anything.

mod appview;
mod check;
mod firehose;
pub mod frame;
mod looks;
mod memory;
mod naming;
mod pace;
mod people;
mod record;
mod reply;
mod session;
mod view;

pub use firehose::{Found, Wanted, filter};

use super::{Desk, Finding, Kind, Network, Own, Posted, Reply, Seen, Trouble, Watch, Web, check_base};
use memory::Memory;
use people::People;
use session::Session;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bluesky's entryway.
pub const SERVICE: &str = "https://bsky.social";
/// The relay of the whole network.
pub const FIREHOSE: &str = "wss://bsky.network";
/// The directory of DIDs.
pub const PLC: &str = "https://plc.directory";

/// Where posts are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// Notifications and search, through the account's own server
    #[value(name = "appview")]
    AppView,
    /// Every post of the network, filtered here
    Firehose,
}

/// How the bridge is set up.
#[derive(Clone)]
pub struct Settings {
    /// Our PDS.
    pub service: String,
    /// Our handle or DID.
    pub identifier: String,
    /// An app password.
    pub password: String,
    /// Where posts are read from.
    pub source: Source,
    /// The firehose's server.
    pub firehose: String,
    /// The directory's server.
    pub plc: String,
}

/// The bridge's side of Bluesky.
pub struct Bluesky {
    settings: Settings,
    session: Arc<Session>,
    people: People,
    seen: Seen,
    watch: Watch,
    did: Mutex<Option<String>>,
    memory: Mutex<Memory>,
    /// How often posts without a handle were looked at.
    unnamed: Mutex<HashMap<String, u8>>,
}

impl Bluesky {
    /// Set up; nothing is asked yet.
    ///
    /// # Errors
    /// A sentence for the operator where an address cannot be.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let settings = Settings {
            service: check_base(&settings.service)?,
            firehose: check_base(&settings.firehose)?,
            plc: check_base(&settings.plc)?,
            ..settings
        };
        let session = Arc::new(Session::new(&settings.service, &settings.identifier, &settings.password));
        // A directory on this machine is a test's: so are the servers that it names.
        let people = People::new(&settings.plc, Web::careful(settings.plc.starts_with("http://")));
        Ok(Self {
            settings,
            session,
            people,
            seen: Seen::default(),
            watch: Watch::default(),
            did: Mutex::default(),
            memory: Mutex::new(Memory::new(Instant::now())),
            unnamed: Mutex::default(),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, did: &str) {
        *self.did.lock().unwrap_or_else(PoisonError::into_inner) = Some(did.to_owned());
    }

    fn own_did(&self) -> Result<String, Trouble> {
        let did = self.did.lock().unwrap_or_else(PoisonError::into_inner).clone();
        did.ok_or_else(|| Trouble::new(Kind::Credentials, "we have not signed in yet"))
    }
}

impl Network for Bluesky {
    fn slug(&self) -> &'static str {
        "bluesky"
    }

    fn sign_in(&self) -> Result<Own, Trouble> {
        let person = self.session.sign_in()?;
        self.remember(&person.user_id);
        // The network's own limit, 300 graphemes, is the till's default.
        Ok(Own { person, text_limit: None })
    }

    fn mark_as_bot(&self) -> Result<(), Trouble> {
        self.label_as_bot()
    }

    fn check(&self) -> Vec<Finding> {
        self.findings()
    }

    fn watch(&self) -> Option<&Watch> {
        match self.settings.source {
            Source::AppView => Some(&self.watch),
            // It tells of every deletion by itself.
            Source::Firehose => None,
        }
    }

    fn sources(&self) -> Vec<&'static str> {
        match self.settings.source {
            Source::AppView => vec![appview::NOTIFICATIONS, appview::HASHTAGS],
            Source::Firehose => vec![firehose::SOURCE],
        }
    }

    fn read(&self, source: &'static str, desk: &Desk) -> Result<(), Trouble> {
        match source {
            appview::NOTIFICATIONS => appview::read_notifications(self, desk),
            appview::HASHTAGS => appview::read_hashtags(self, desk),
            _ => firehose::read(self, desk),
        }
    }

    fn post(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
        self.post_reply(reply, maybe_out)
    }
}
