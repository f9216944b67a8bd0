//! The lanes: few private connections to the backend, on which all clients' requests go one behind the other.
//!
//! Answers do not come back on a lane, so that none waits for another's. A lane carries what the gate has
//! checked and written anew, under a secret that only the backend knows; should one break all the same, they
//! are all given up together, and opened again.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::SendFlags;

use super::head::Head;
use super::slots::Shared;
use super::{Dial, lock};

/// Requests are joined up to this many bytes.
const JOINED_BYTES: usize = 64 * 1024;
/// Bodies up to this many bytes are copied behind their heads.
const COPIED_BYTES_MAX: usize = 16 * 1024;
/// A pause before the next try to reach the backend.
const BACK_OFF: Duration = Duration::from_millis(20);

/// One lane.
pub struct Lane {
    /// The private connection.
    pub stream: UnixStream,
    /// Whether the poll is asked for room.
    pub wants_room: bool,
    out: VecDeque<Vec<u8>>,
    sent: usize,
}

/// All of them.
pub struct Lanes {
    /// Open ones; none while the backend cannot be reached.
    pub open: Vec<Lane>,
    turn: usize,
    dial: Arc<dyn Dial>,
    dialling: Option<JoinHandle<()>>,
    reached: Arc<Mutex<Option<Vec<UnixStream>>>>,
}

/// Whose request goes out.
pub struct Passage<'a> {
    /// The slot.
    pub slot: usize,
    /// The exchange in it.
    pub exchange: u64,
    /// The request's id.
    pub id: &'a str,
    /// The client.
    pub peer: SocketAddr,
}

impl Lane {
    fn new(stream: UnixStream) -> Lane {
        Lane { stream, wants_room: false, out: VecDeque::new(), sent: 0 }
    }

    /// Whether it has something to send.
    pub fn has_more(&self) -> bool {
        !self.out.is_empty()
    }

    /// Puts bytes behind what is there; large ones are not copied.
    fn push(&mut self, head: String, body: Vec<u8>) {
        match self.out.back_mut().filter(|last| last.len() < JOINED_BYTES) {
            Some(last) => last.extend_from_slice(head.as_bytes()),
            None => self.out.push_back(head.into_bytes()),
        }
        match self.out.back_mut().filter(|_| body.len() <= COPIED_BYTES_MAX) {
            Some(last) => last.extend_from_slice(&body),
            None => self.out.push_back(body),
        }
    }

    /// Sends as much as there is room for; `false` if it is broken.
    pub fn flush(&mut self) -> bool {
        while let Some(front) = self.out.front() {
            let rest = front.get(self.sent..).unwrap_or_default();
            match rustix::net::send(&self.stream, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) if count == rest.len() => {
                    self.out.pop_front();
                    self.sent = 0;
                }
                Ok(count) => self.sent += count,
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }
}

impl Lanes {
    /// Opens them.
    pub fn open(dial: &Arc<dyn Dial>) -> std::io::Result<Lanes> {
        let open = dial.dial()?.into_iter().map(Lane::new).collect();
        Ok(Lanes { open, turn: 0, dial: dial.clone(), dialling: None, reached: Arc::default() })
    }

    /// Puts a request on a lane; `false` if there is none. It leaves with the next flush.
    pub fn pass(&mut self, secret: u64, passage: &Passage<'_>, head: &Head, body: Vec<u8>) -> bool {
        let count = self.open.len();
        // All requests of a round leave together, so that one wakeup serves them all; a lane that is stuck is
        // passed by.
        let at = |step| (self.turn + step) % count.max(1);
        let clear = (0..count).map(at).find(|at| self.open.get(*at).is_some_and(|lane| !lane.wants_room));
        let Some(lane) = self.open.get_mut(clear.unwrap_or(at(0))) else { return false };
        let large = body.len() > COPIED_BYTES_MAX;
        lane.push(text(secret, passage, head, body.len()), body);
        if large {
            self.next_turn();
        }
        true
    }

    /// Has the next requests go on another lane.
    pub fn next_turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// Gives all up, and opens new ones beside the gate's thread: that may take a while.
    pub fn reopen(&mut self, shared: &Arc<Shared>) {
        self.open.clear();
        if self.dialling.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let (shared, dial, reached) = (shared.clone(), self.dial.clone(), self.reached.clone());
        let thread = thread::Builder::new().name("gate-dial".to_owned());
        let spawned = thread.spawn(move || {
            while !shared.is_stopping() {
                match dial.dial() {
                    Ok(streams) => {
                        *lock(&reached) = Some(streams);
                        return shared.ring();
                    }
                    Err(error) => log::warn!("cannot reach the server, trying again: {error}"),
                }
                thread::sleep(BACK_OFF);
            }
        });
        self.dialling = spawned.ok();
    }

    /// New lanes that were opened meanwhile.
    pub fn take_reached(&mut self) -> bool {
        let Some(streams) = lock(&self.reached).take() else { return false };
        self.open = streams.into_iter().map(Lane::new).collect();
        true
    }

    /// Whether somebody opens new ones.
    pub fn is_dialling(&self) -> bool {
        self.dialling.as_ref().is_some_and(|thread| !thread.is_finished()) || lock(&self.reached).is_some()
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let _ = self.dialling.take().map(JoinHandle::join);
    }
}

/// A request, written anew.
fn text(secret: u64, passage: &Passage<'_>, head: &Head, length: usize) -> String {
    let Passage { slot, exchange, id, peer } = passage;
    head.relayed(&format!("{secret:016x} {slot} {exchange} {id} {peer}"), length)
}
