//! What goes wrong between a bridge and its network or till, in the few kinds that a bridge treats differently.

use std::fmt;
use std::time::Duration;

/// The kinds of trouble; their codes name the counts of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No answer, or none in time: what was asked may have been done.
    Unreachable,
    /// The network asks to wait.
    RateLimited,
    /// An error of the network's server: what was asked may have been done.
    Server,
    /// The network does not know us, or no longer.
    Credentials,
    /// The network refuses this one thing, and will refuse it again.
    Refused,
    /// What came is not what the network's documents say.
    Protocol,
    /// The till is away, or refuses.
    Till,
    /// What the operator allows to be spent is spent.
    Budget,
    /// Somebody else moves this network's cursors.
    Another,
    /// The bridge is to end.
    Stopped,
}

impl Kind {
    /// As it is counted and logged.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::Credentials => "credentials",
            Self::Refused => "refused",
            Self::Protocol => "protocol",
            Self::Till => "till",
            Self::Budget => "budget",
            Self::Another => "another_bridge",
            Self::Stopped => "stopped",
        }
    }

    /// Whether what was asked may have been done all the same.
    pub fn leaves_doubt(self) -> bool {
        matches!(self, Self::Unreachable | Self::Server | Self::Protocol)
    }
}

/// Something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Of which kind.
    pub kind: Kind,
    /// For the operator: what, and what to do where that is known. Holds no secrets and no texts of people.
    pub why: String,
    /// How long the other side asks to wait.
    pub wait: Option<Duration>,
    /// The network's own name for it.
    pub code: Option<String>,
}

impl Trouble {
    /// Trouble of a kind.
    pub fn new(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), wait: None, code: None }
    }

    /// What came is not what the documents say.
    pub fn protocol(why: impl Into<String>) -> Self {
        Self::new(Kind::Protocol, why)
    }

    /// The network refuses this one thing.
    pub fn refused(why: impl Into<String>) -> Self {
        Self::new(Kind::Refused, why)
    }

    /// Whether the network calls it so.
    pub fn is_called(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// The bridge is to end.
    pub fn stopped() -> Self {
        Self::new(Kind::Stopped, "the bridge is ending")
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Trouble {}
