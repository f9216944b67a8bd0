//! The client's side of a slot: one socket, one buffer, and reads that respect an absolute deadline.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::refusal::Refusal;

/// Bytes read at once: a whole head and some body.
const BUFFER_BYTES: usize = 32 * 1024;

/// Why no request came of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The client gets this answer, then the connection ends.
    Refuse(Refusal),
    /// The client is gone, or was shed.
    Gone,
}

/// One client.
pub struct Conn {
    pub stream: Arc<TcpStream>,
    pub peer: SocketAddr,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    timeout: Duration,
}

impl Conn {
    /// Takes over an accepted socket; `buffer` is that of the slot's last client, or empty.
    pub fn new(stream: Arc<TcpStream>, peer: SocketAddr, mut buffer: Vec<u8>) -> Conn {
        buffer.resize(BUFFER_BYTES, 0);
        Conn { stream, peer, buffer, start: 0, end: 0, timeout: Duration::MAX }
    }

    /// The buffer, for the next client.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// What was read and not yet consumed.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Forgets so many of the buffered bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Waits for more bytes until the deadline. `Ok(false)` says that it has passed.
    ///
    /// The socket's timeout is left alone where it serves, which saves the common request, complete in one
    /// read, a system call.
    pub fn fill(&mut self, deadline: Instant) -> Result<bool, Stop> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            if self.timeout > left || self.timeout < left / 4 {
                // Somewhat less than what is left, so that it serves the next time as well.
                self.timeout = left.mul_f32(0.9).max(Duration::from_millis(1));
                self.stream.set_read_timeout(Some(self.timeout)).map_err(|_| Stop::Gone)?;
            }
            let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) else {
                return Err(Stop::Gone);
            };
            match (&*self.stream).read(room) {
                Ok(0) => return Err(Stop::Gone),
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if is_wait(&error) => {}
                Err(_) => return Err(Stop::Gone),
            }
        }
    }
}

/// Whether an error only says that a timeout passed or that the call should be repeated.
pub fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
