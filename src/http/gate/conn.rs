//! A client's connection, as the gate's thread sees it: how far the request under way has come.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::GateConfig;
use super::answer::Outgoing;
use super::body::{self, Budget, Upload};
use super::head::{self, Framing, Head, Scan};
use super::refusal::Refusal;

/// Which of a socket's events the gate's thread wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// None.
    Off,
    /// Bytes, or their end.
    Bytes,
    /// Room for bytes.
    Room,
}

/// One client.
pub struct Conn {
    /// The socket.
    pub stream: Arc<TcpStream>,
    /// Who it is.
    pub peer: SocketAddr,
    /// What was asked of the poll.
    pub watch: Watch,
    /// What it is about.
    pub stage: Stage,
    /// What has come and was not used yet.
    pub rest: Vec<u8>,
    /// When the first byte of the request under way came.
    pub begun: Option<Instant>,
}

/// What a connection is about.
pub enum Stage {
    /// A head is expected; so many bytes of it were looked at.
    Head {
        /// Where to look on.
        scanned: usize,
    },
    /// A body is expected.
    Body {
        /// Its request.
        head: Box<Head>,
        /// As much of it as there is.
        upload: Upload,
    },
    /// The backend has the request.
    Handled,
    /// An answer is on its way out.
    Writing {
        /// It.
        outgoing: Outgoing,
        /// The client may still be sending, and is heard out afterwards.
        drain: bool,
    },
    /// What still comes is thrown away.
    Draining {
        /// Until then.
        until: Instant,
        /// Bytes so far.
        drained: usize,
    },
}

/// A complete request.
pub struct Complete {
    /// Its head.
    pub head: Head,
    /// Its body, undone of chunks.
    pub upload: Upload,
    /// More bytes came than it has.
    pub early: bool,
}

/// What came of some bytes.
pub enum Step {
    /// More are needed.
    More,
    /// More are needed, and the client waits for being told to send them.
    GoOn,
    /// A request.
    Complete(Box<Complete>),
}

/// What the end of a request's reading depends on.
pub struct Reading<'a> {
    /// Limits.
    pub config: &'a GateConfig,
    /// What large bodies may still take.
    pub budget: &'a Arc<Budget>,
}

impl Conn {
    /// A new client.
    pub fn new(stream: TcpStream, peer: SocketAddr) -> Conn {
        Conn {
            stream: Arc::new(stream),
            peer,
            watch: Watch::Off,
            stage: Stage::Head { scanned: 0 },
            rest: Vec::new(),
            begun: None,
        }
    }

    /// The answer is out: what comes now is another request.
    pub fn next_request(&mut self) {
        self.stage = Stage::Head { scanned: 0 };
        self.begun = None;
    }

    /// Whether the client has sent more than one request, or may have.
    pub fn may_still_send(&self) -> bool {
        !self.rest.is_empty() || self.watch == Watch::Off
    }

    /// Whether the answer to the request at hand is to have no body.
    pub fn is_head_only(&self) -> bool {
        matches!(&self.stage, Stage::Body { head, .. } if head.method == "HEAD")
    }

    /// Goes on reading with these bytes, which follow all that came before.
    pub fn feed(&mut self, input: &[u8], reading: &Reading<'_>) -> Result<Step, Refusal> {
        let kept = std::mem::take(&mut self.rest);
        if kept.is_empty() {
            return self.advance(input, reading);
        }
        let mut joined = kept;
        joined.extend_from_slice(input);
        self.advance(&joined, reading)
    }

    fn advance(&mut self, mut input: &[u8], reading: &Reading<'_>) -> Result<Step, Refusal> {
        let mut go_on = false;
        if let Stage::Head { scanned } = self.stage {
            let blank = if scanned == 0 { head::blank(input) } else { Some(0) };
            let Some(blank) = blank else {
                self.rest.extend_from_slice(input);
                return Ok(Step::More);
            };
            input = input.get(blank..).unwrap_or_default();
            match head::scan(input, scanned)? {
                Scan::Partial(scanned) => {
                    self.stage = Stage::Head { scanned };
                    self.rest.extend_from_slice(input);
                    return Ok(Step::More);
                }
                Scan::Complete(length) => {
                    let (bytes, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
                    input = rest;
                    let head = Box::new(head::parse(bytes)?);
                    go_on = head.expects_continue && head.framing != Framing::None && input.is_empty();
                    let admitted = body::admit(head.framing, reading.config.body_max_bytes, reading.budget);
                    let upload = Upload::new(head.framing, reading.config.body_max_bytes, reading.budget);
                    self.stage = Stage::Body { head, upload };
                    admitted?;
                }
            }
        }
        let Stage::Body { upload, .. } = &mut self.stage else { return Ok(Step::More) };
        let used = upload.feed(input)?;
        if !upload.done() {
            return Ok(if go_on { Step::GoOn } else { Step::More });
        }
        let mut rest = input.get(used..).unwrap_or_default();
        while let Some(more) = rest.strip_prefix(b"\r\n") {
            rest = more;
        }
        self.rest.extend_from_slice(rest);
        let early = !self.rest.is_empty();
        match std::mem::replace(&mut self.stage, Stage::Handled) {
            Stage::Body { head, upload } => {
                Ok(Step::Complete(Box::new(Complete { head: *head, upload, early })))
            }
            other => {
                self.stage = other;
                Ok(Step::More)
            }
        }
    }
}

/// What a look at a socket shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Peek {
    /// Nothing new.
    Nothing,
    /// Bytes.
    Bytes,
    /// Their end, or the socket's.
    Gone,
}

/// Looks whether bytes have arrived, without taking them and without waiting.
pub fn peek(client: &TcpStream) -> Peek {
    match recv(client, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, 0)) => Peek::Gone,
        Ok(_) => Peek::Bytes,
        Err(Errno::AGAIN | Errno::INTR) => Peek::Nothing,
        Err(_) => Peek::Gone,
    }
}
