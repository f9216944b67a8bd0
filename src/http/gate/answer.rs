//! Answers on their way out: bytes that a client's socket takes now, and the rest that it takes later.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::http::message::Body;

/// The slowest client that gets a long answer to its end, in bytes per second.
const SLOWEST_BYTES_PER_SECOND: u64 = 16 * 1024;
/// Bytes of a file that are read at once.
const FILE_BYTES: usize = 64 * 1024;

/// An answer, as the backend gives it.
pub struct Answer {
    /// Status line and headers, each line ended, without the empty line.
    pub head: Vec<u8>,
    /// What follows.
    pub body: Body,
    /// The status allows no body.
    pub bodiless: bool,
}

/// On what terms an answer goes out.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Without its body.
    pub head_only: bool,
    /// To an HTTP/1.0 client, which has to be told when the connection is kept.
    pub old: bool,
    /// The connection is kept, if nobody else wants the slot when the answer is there.
    pub keep: bool,
    /// How long it may take; long answers get more.
    pub patience: Duration,
}

/// Bytes for a client.
#[derive(Debug)]
pub struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// The client may send the next request afterwards.
    pub keep: bool,
    /// By when all has to be taken.
    pub deadline: Instant,
    /// When the client last took some.
    pub moved: Instant,
}

/// How far sending came.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    /// To the end.
    All,
    /// As far as the client takes for now.
    Some,
    /// The client is gone.
    Failed,
}

impl Answer {
    /// Completes the head, and joins the body if it is in memory. A file, with its length, comes apart.
    pub fn begin(self, terms: Terms, now: Instant) -> (Outgoing, Option<(File, u64)>) {
        let Terms { head_only, old, keep, patience } = terms;
        let length = self.body.len();
        let mut bytes = self.head;
        if !keep {
            bytes.extend_from_slice(b"Connection: close\r\n");
        } else if old {
            bytes.extend_from_slice(b"Connection: keep-alive\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        let deadline = now + patience + Duration::from_secs(length / SLOWEST_BYTES_PER_SECOND);
        let mut file = None;
        match self.body {
            _ if head_only || self.bodiless => {}
            Body::Bytes(body) => bytes.extend_from_slice(&body),
            Body::File { file: open, length } => file = Some((open, length)),
        }
        (Outgoing { bytes, sent: 0, keep, deadline, moved: now }, file)
    }
}

impl Outgoing {
    /// Bytes after which the connection ends.
    pub fn last(bytes: Vec<u8>, deadline: Instant, now: Instant) -> Outgoing {
        Outgoing { bytes, sent: 0, keep: false, deadline, moved: now }
    }

    /// Sends what the client takes without anybody waiting.
    pub fn send(&mut self, client: &TcpStream, now: Instant) -> Sent {
        loop {
            let rest = self.bytes.get(self.sent..).unwrap_or_default();
            if rest.is_empty() {
                return Sent::All;
            }
            match rustix::net::send(client, rest, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => {
                    self.sent += count;
                    self.moved = now;
                }
                Err(Errno::AGAIN) => return Sent::Some,
                Err(Errno::INTR) => {}
                Err(_) => return Sent::Failed,
            }
        }
    }
}

/// Sends a head and a file, waiting for the client where it must, for as long as an answer may take. `false`
/// if it broke off.
pub fn send_file(
    client: &TcpStream,
    first: &Outgoing,
    mut file: File,
    length: u64,
    write_timeout: Duration,
) -> bool {
    if client.set_write_timeout(Some(write_timeout)).is_err()
        || !write_all(client, &first.bytes, first.deadline)
    {
        return false;
    }
    let mut buffer = vec![0; FILE_BYTES];
    let mut left = length;
    while left > 0 {
        match (&mut file).take(left).read(&mut buffer) {
            Ok(0) => {
                log::error!("a file is {left} bytes shorter than announced");
                return false;
            }
            Ok(count) => {
                if !write_all(client, buffer.get(..count).unwrap_or_default(), first.deadline) {
                    return false;
                }
                left -= count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                log::error!("a file cannot be read to its end: {error}");
                return false;
            }
        }
    }
    true
}

/// Writes all, unless the client takes nothing for the socket's write timeout or not all until the deadline.
fn write_all(mut client: &TcpStream, mut bytes: &[u8], deadline: Instant) -> bool {
    while !bytes.is_empty() {
        match client.write(bytes) {
            Ok(0) => return false,
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
        if !bytes.is_empty() && Instant::now() >= deadline {
            return false;
        }
    }
    true
}
