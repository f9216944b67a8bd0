//! A drop, rehearsed: simulated buyers and a simulated network against a copy of an offer on a sandbox till of its own.
//!
//! `plan` says who does what and when, drawn from a seed; `sale` what is sold; `run` drives the till over its API, with
//! the network (`bot`) and the buyers (`crowd`) played here; `books` holds what everybody saw against the till and
//! the gateway's ledger; `result` is what it came to and `report` the page of it.
//!
//! It knows a till by its API only, and the sandbox gateway's ledger as a file. It must never know a rule, the data
//! file, or who wants to know the result. The till it plays with is made for it and goes with it.

mod books;
mod bot;
mod charts;
mod crowd;
mod plan;
mod report;
mod result;
mod run;
mod sale;

pub use plan::{BUYERS_MAX, Kind, Settings, Wrong};
pub use report::page;
pub use result::{Check, Counted, Group, Latency, Moment, Outcome, Rehearsal};
pub use run::{Place, Progress, Watch, rehearse};
pub use sale::{Copied, Sale};

/// Why a rehearsal ended without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Somebody wanted it to end.
    Stopped,
    /// The till did not do what was asked, in a sentence.
    Failed(String),
}

impl From<crate::client::ClientError> for Broken {
    fn from(error: crate::client::ClientError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<String> for Broken {
    fn from(sentence: String) -> Self {
        Self::Failed(sentence)
    }
}
