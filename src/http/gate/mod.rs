//! The gate: an own listener in front of the HTTP library.
//!
//! It has a fixed number of **slots**, each a place for one client. One thread polls them all: it reads one
//! complete request under absolute deadlines, checks it, and passes it on to the backend over one of few
//! private connections, the **lanes**. Whatever is wrong with a request ends here. Whoever answers writes to
//! the client himself. When slots run out, connections that wait for their client are shed, oldest first; one
//! whose request is being handled never is.
//!
//! - `listener`: opens and closes
//! - `keeper`: the thread: polls, accepts, sheds
//! - `serve`: what it does for one client; `conn`: how far that client's request has come
//! - `head`, `body`: parsing, without sockets or clocks; [`wire`] shows them to whoever tests them
//! - `lanes`: passing requests on
//! - `slots`: who is where, parking, answering: all that threads share; `answer`: bytes on their way out
//! - `refusal`: what the gate itself answers
//!
//! Nothing here knows what speaks at the other end of a lane, nor what a request means.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod answer;
mod body;
mod conn;
mod head;
mod ids;
mod keeper;
mod lanes;
mod listener;
mod refusal;
mod serve;
mod slots;

/// Reading a request, as pure functions: for whoever feeds them anything at all, as the fuzz targets do.
pub mod wire {
    pub use super::TICKET_HEADER;
    pub use super::body::{Budget, Chunks, Share, Upload};
    pub use super::head::{
        Framing, HEAD_BYTES_MAX, HEADERS_MAX, Head, Scan, TARGET_BYTES_MAX, blank, parse, scan,
    };
}

pub use answer::Answer;
pub use listener::Gate;
pub use refusal::Refusal;
pub use slots::Shared;

/// The header by which the gate tells the backend whose request it passes on: the gate's secret, slot,
/// exchange, request id and peer, separated by blanks. Clients cannot send it: the gate drops it.
pub const TICKET_HEADER: &str = "x-tagtill-gate";

/// Opens private connections to the backend, each ready to serve.
pub trait Dial: Send + Sync {
    /// A new set of lanes. Those given before are no longer used.
    fn dial(&self) -> io::Result<Vec<UnixStream>>;
}

/// How the gate listens, and what it bears.
#[derive(Debug, Clone)]
pub struct GateConfig {
    /// Where to listen; port 0 takes any free port.
    pub addr: SocketAddr,
    /// Connections served at once; at least 8.
    pub slots: usize,
    /// Threads that run handlers; at least 1. More than 4 were slower where it was measured.
    pub workers: usize,
    /// Bytes of one body.
    pub body_max_bytes: usize,
    /// Bytes of all bodies above 64 KiB that are being read or handled at once.
    pub body_budget_bytes: usize,
    /// From a request's first byte to the end of its head.
    pub head_deadline: Duration,
    /// From a request's first byte to the end of its body.
    pub request_deadline: Duration,
    /// How long a connection may rest between two requests.
    pub idle_timeout: Duration,
    /// How long a client may take none of an answer.
    pub write_timeout: Duration,
    /// How long an incomplete request is safe from being shed; less when many connections press.
    pub shed_grace: Duration,
    /// How long a shutdown waits for requests that are being handled.
    pub shutdown_grace: Duration,
}

impl Default for GateConfig {
    fn default() -> GateConfig {
        GateConfig {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            slots: 128,
            workers: 4,
            body_max_bytes: 16 * 1024 * 1024,
            body_budget_bytes: 64 * 1024 * 1024,
            head_deadline: Duration::from_secs(10),
            request_deadline: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(10),
            shed_grace: Duration::from_millis(500),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// How the gate stands at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateStats {
    /// Slots in all.
    pub slots: usize,
    /// Slots whose request is being handled or answered, parked ones included.
    pub busy: usize,
    /// Slots with a client that has no request under way.
    pub idle: usize,
    /// Slots with a request that is not complete yet, or a connection about to close.
    pub reading: usize,
    /// Requests that wait for something to happen.
    pub parked: usize,
    /// Connections shed so far.
    pub shed_total: u64,
    /// Requests that the gate itself refused so far, by status.
    pub refused_total: BTreeMap<u16, u64>,
}

/// Locks, and takes the value as it is should a thread have panicked with it: no lock here guards more than
/// single assignments.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
