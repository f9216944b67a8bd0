//! Passing a checked request to the backend, and its answer to the client.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};

use super::body::Received;
use super::conn::{Conn, is_wait};
use super::head::Head;
use super::refusal::reason;
use super::slots::{Peek, Shared, Slot, peek};

/// How often a slot that waits for an answer looks after its client.
const LOOK_AROUND_NANOSECONDS: i64 = 100_000_000;
/// Bytes of an answer under way.
const BUFFER_BYTES: usize = 64 * 1024;
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Bodies up to this many bytes go out with their head, in one system call.
const JOINED_BYTES_MAX: usize = 16 * 1024;
/// The slowest client that gets a long answer to its end, in bytes per second.
const SLOWEST_BYTES_PER_SECOND: u64 = 16 * 1024;

/// How an exchange failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// The backend gave no answer; the client has seen nothing of one.
    NoAnswer,
    /// The client is gone, did not read, or has half an answer that cannot be continued.
    Cut,
}

/// A slot's private connection.
pub struct Backend {
    stream: Arc<UnixStream>,
    buffer: Vec<u8>,
    /// A whole answer was taken from it, so that the next byte begins another.
    pub clean: bool,
    /// Bytes of the last answer that were looked at, relayed, and not yet taken. Taking them wakes the thread
    /// at the other end for nothing, unless it has a request to come: so they are taken just before that.
    owed: usize,
}

/// One exchange, from the slot's view.
pub struct Exchange<'a> {
    pub shared: &'a Shared,
    pub slot: &'a Slot,
    pub index: usize,
    pub number: u64,
    pub id: &'a str,
    pub head: &'a Head,
}

/// An answer's head.
struct Answer {
    status: u16,
    headers: String,
    length: u64,
    /// Bytes of the backend's head.
    head_bytes: usize,
}

impl Backend {
    pub fn new(stream: UnixStream) -> io::Result<Backend> {
        stream.set_read_timeout(None)?;
        Ok(Backend { stream: Arc::new(stream), buffer: vec![0; BUFFER_BYTES], clean: true, owed: 0 })
    }

    pub fn stream(&self) -> Arc<UnixStream> {
        self.stream.clone()
    }

    /// Passes a request on and the answer back. Says whether the connection is kept, as the answer did:
    /// if `may_keep`, and if nobody else wants the slot when the answer is there.
    pub fn exchange(
        &mut self,
        exchange: &Exchange<'_>,
        conn: &Conn,
        received: &mut Received,
        may_keep: bool,
    ) -> Result<bool, Failed> {
        self.clean = false;
        self.settle()?;
        self.send(exchange, conn, received)?;
        let (answer, filled) = self.wait(exchange, conn)?;
        let bodiless = exchange.head.method == "HEAD" || matches!(answer.status, 204 | 304);
        let mut left = if bodiless { 0 } else { answer.length };
        let keep = may_keep && !exchange.shared.wants_slots_back();
        let mut first = answer.text(exchange, keep);
        let begun = self.buffer.get(answer.head_bytes..filled).unwrap_or_default();
        left = left.saturating_sub(begun.len() as u64);
        first.extend_from_slice(begun);
        self.clean = left == 0;
        if !self.clean {
            self.settle()?;
        }
        let allowed = exchange.shared.config.request_deadline
            + Duration::from_secs(answer.length / SLOWEST_BYTES_PER_SECOND);
        let deadline = Instant::now() + allowed;
        if left > 0 && left <= JOINED_BYTES_MAX as u64 {
            left = self.append(exchange, &mut first, left)?;
        }
        write_all(&conn.stream, &first, deadline)?;
        while left > 0 {
            let count = self.read_some(exchange, left)?;
            left -= count as u64;
            self.clean = left == 0;
            write_all(&conn.stream, self.buffer.get(..count).unwrap_or_default(), deadline)?;
        }
        Ok(keep)
    }

    fn send(&self, exchange: &Exchange<'_>, conn: &Conn, received: &mut Received) -> Result<(), Failed> {
        let Exchange { head, index, number, id, .. } = exchange;
        let ticket = format!("{index} {number} {id} {}", conn.peer);
        let mut bytes = head.relayed(&ticket, received.bytes.len()).into_bytes();
        let mut backend = &*self.stream;
        if received.bytes.len() <= JOINED_BYTES_MAX {
            bytes.extend_from_slice(&received.bytes);
            backend.write_all(&bytes).map_err(|_| Failed::NoAnswer)?;
        } else {
            let sent = backend.write_all(&bytes).and_then(|()| backend.write_all(&received.bytes));
            sent.map_err(|_| Failed::NoAnswer)?;
        }
        received.forget_bytes();
        Ok(())
    }

    /// Waits for the answer's head, and for as long as it takes.
    fn wait(&mut self, exchange: &Exchange<'_>, conn: &Conn) -> Result<(Answer, usize), Failed> {
        let Exchange { shared, slot, number, .. } = exchange;
        let mut filled = 0;
        loop {
            let Some(room) = self.buffer.get_mut(filled..HEAD_BYTES_MAX).filter(|room| !room.is_empty())
            else {
                return Err(Failed::NoAnswer);
            };
            // The common answer is there whole at the first look.
            let first = filled == 0;
            let result =
                if first { peek_when_ready(&self.stream, room) } else { read_when_ready(&self.stream, room) };
            match result {
                Ok(0) => return Err(Failed::NoAnswer),
                Ok(count) => {
                    filled += count;
                    self.owed = if first { count } else { 0 };
                    if let Some(answer) = Answer::parse(self.buffer.get(..filled).unwrap_or_default())? {
                        return Ok((answer, filled));
                    }
                    self.settle()?;
                }
                Err(error) if is_wait(&error) => {
                    if slot.is_broken(*number) || shared.is_forced() {
                        return Err(Failed::NoAnswer);
                    }
                    // Who only closed his sending half looks gone as well. An answer that comes soon is
                    // still sent to him; a slot is not kept for him.
                    if slot.is_parked(*number) && peek(&conn.stream) == Peek::Gone {
                        shared.orphan(slot, *number);
                        return Err(Failed::Cut);
                    }
                }
                Err(_) => return Err(Failed::NoAnswer),
            }
        }
    }

    /// Takes what was only looked at.
    fn settle(&mut self) -> Result<(), Failed> {
        let owed = std::mem::take(&mut self.owed);
        let room = self.buffer.get_mut(..owed).unwrap_or_default();
        (&*self.stream).read_exact(room).map_err(|_| Failed::NoAnswer)
    }

    /// Reads a short body's rest behind its head.
    fn append(&mut self, exchange: &Exchange<'_>, first: &mut Vec<u8>, mut left: u64) -> Result<u64, Failed> {
        while left > 0 {
            let count = self.read_some(exchange, left)?;
            left -= count as u64;
            first.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
        }
        self.clean = true;
        Ok(left)
    }

    fn read_some(&mut self, exchange: &Exchange<'_>, left: u64) -> Result<usize, Failed> {
        let most = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        loop {
            match read_when_ready(&self.stream, self.buffer.get_mut(..most).unwrap_or_default()) {
                Ok(0) => return Err(Failed::Cut),
                Ok(count) => return Ok(count),
                Err(error) if is_wait(&error) => {
                    if exchange.slot.is_broken(exchange.number) || exchange.shared.is_forced() {
                        return Err(Failed::Cut);
                    }
                }
                Err(_) => return Err(Failed::Cut),
            }
        }
    }
}

/// Waits for bytes, but not for long.
///
/// A thread that waits within a read of a Unix socket is also woken when the other side has taken what was
/// sent, which is one switch more for each request; one that waits in a poll is not.
fn wait_until_ready(stream: &UnixStream) -> io::Result<()> {
    let mut wanted = [PollFd::new(stream, PollFlags::IN)];
    let patience = Timespec { tv_sec: 0, tv_nsec: LOOK_AROUND_NANOSECONDS };
    if poll(&mut wanted, Some(&patience))? == 0 {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(())
}

fn read_when_ready(mut stream: &UnixStream, room: &mut [u8]) -> io::Result<usize> {
    wait_until_ready(stream)?;
    stream.read(room)
}

fn peek_when_ready(stream: &UnixStream, room: &mut [u8]) -> io::Result<usize> {
    wait_until_ready(stream)?;
    Ok(recv(stream, room, RecvFlags::PEEK)?.1)
}

impl Answer {
    fn parse(bytes: &[u8]) -> Result<Option<Answer>, Failed> {
        let mut room = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut room);
        let head_bytes = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Failed::NoAnswer),
        };
        let status = parsed.code.unwrap_or(500);
        let mut answer = Answer { status, headers: String::with_capacity(512), length: 0, head_bytes };
        for header in parsed.headers.iter() {
            let value = std::str::from_utf8(header.value).map_err(|_| Failed::NoAnswer)?;
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                answer.length = value.parse().map_err(|_| Failed::NoAnswer)?;
            } else if is("transfer-encoding") {
                return Err(Failed::NoAnswer);
            } else if !is("server") && !is("connection") && !is("x-request-id") {
                answer.headers.extend([header.name, ": ", value, "\r\n"]);
            }
        }
        Ok(Some(answer))
    }

    fn text(&self, exchange: &Exchange<'_>, keep: bool) -> Vec<u8> {
        let mut text = String::with_capacity(self.headers.len() + JOINED_BYTES_MAX.min(512));
        let _ = write!(text, "HTTP/1.1 {} {}\r\n{}", self.status, reason(self.status), self.headers);
        if self.status != 204 {
            let _ = write!(text, "Content-Length: {}\r\n", self.length);
        }
        let _ = write!(text, "X-Request-Id: {}\r\n", exchange.id);
        if !keep {
            text.push_str("Connection: close\r\n");
        } else if exchange.head.old {
            text.push_str("Connection: keep-alive\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Writes all, unless the client takes nothing for the socket's write timeout or not all until the deadline.
pub fn write_all(stream: &TcpStream, mut bytes: &[u8], deadline: Instant) -> Result<(), Failed> {
    let mut stream = stream;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(Failed::Cut),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Failed::Cut),
        }
        if !bytes.is_empty() && Instant::now() >= deadline {
            return Err(Failed::Cut);
        }
    }
    Ok(())
}
