//! A slot: one thread that serves one connection after the other, and on each one request after the other.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Dial;
use super::body::{self, Received};
use super::conn::{Conn, Stop};
use super::head::{self, Framing, Head, Scan};
use super::refusal::Refusal;
use super::relay::{Backend, Exchange, Failed, write_all};
use super::slots::{Phase, Shared, Slot};

/// How long and how much a client may go on sending after its answer, so that it comes to reading it: closing
/// a socket with bytes unread resets it, and a reset can overtake the answer.
const DRAIN: Duration = Duration::from_secs(2);
const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Empty lines that may precede a request, in bytes.
const BLANK_BYTES_MAX: usize = 4;
/// A pause before the next try to reach the backend.
const BACK_OFF: Duration = Duration::from_millis(20);

const LATE: Refusal = Refusal::timeout("The request's head was not complete in time.");
const SHED: Refusal = Refusal::overloaded("The place was needed for others before the request was complete.");

/// The thread of a slot, until the gate closes.
pub fn run(index: usize, shared: &Arc<Shared>, backend: UnixStream, dial: &dyn Dial) {
    let Some(slot) = shared.slot(index) else { return };
    let mut thread = Thread {
        index,
        shared,
        slot,
        backend: Backend::new(backend).ok(),
        exchanges: 0,
        ids: Ids::default(),
        buffer: Vec::new(),
    };
    slot.set_backend(thread.backend.as_ref().map(Backend::stream));
    loop {
        if !thread.reach_backend(dial) {
            return;
        }
        let Some((stream, peer)) = shared.next_client() else { return };
        if catch_unwind(AssertUnwindSafe(|| thread.serve(stream, peer))).is_err() {
            log::error!("slot {index} panicked; its connection is closed");
            thread.backend = None;
        }
        slot.end();
        slot.close();
    }
}

struct Thread<'a> {
    index: usize,
    shared: &'a Shared,
    slot: &'a Slot,
    backend: Option<Backend>,
    exchanges: u64,
    ids: Ids,
    buffer: Vec<u8>,
}

/// A request that was read and checked.
struct Complete {
    head: Head,
    received: Received,
}

impl Thread<'_> {
    /// Opens a private connection if there is none. `false` when the gate closes.
    fn reach_backend(&mut self, dial: &dyn Dial) -> bool {
        let mut complained = false;
        while self.backend.is_none() {
            if self.shared.is_stopping() {
                return false;
            }
            match dial.dial().and_then(Backend::new) {
                Ok(backend) => {
                    self.slot.set_backend(Some(backend.stream()));
                    self.backend = Some(backend);
                }
                Err(error) => {
                    if !complained {
                        log::warn!("slot {} cannot reach the server, trying again: {error}", self.index);
                        complained = true;
                    }
                    thread::sleep(BACK_OFF);
                }
            }
        }
        true
    }

    /// Serves a connection to its end.
    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        let config = &self.shared.config;
        let ready =
            stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(config.write_timeout)));
        if ready.is_err() {
            return;
        }
        let stream = Arc::new(stream);
        if !self.shared.seat(self.slot, stream.clone()) {
            return;
        }
        let mut conn = Conn::new(stream, peer, std::mem::take(&mut self.buffer));
        let mut patience = config.head_deadline;
        while self.serve_one(&mut conn, patience) {
            patience = config.idle_timeout;
        }
        // A socket that others still hold for a moment would keep the client waiting for its end.
        let _ = conn.stream.shutdown(Shutdown::Both);
        self.buffer = conn.into_buffer();
    }

    /// Serves the next request. `false` ends the connection.
    fn serve_one(&mut self, conn: &mut Conn, patience: Duration) -> bool {
        let mut head_only = false;
        match self.read_request(conn, patience, &mut head_only) {
            Ok(complete) => self.pass_on(conn, complete),
            Err(Stop::Refuse(refusal)) => {
                self.refuse(conn, &refusal, head_only);
                false
            }
            Err(Stop::Gone) => {
                if self.slot.is_shed() && !conn.buffered().is_empty() {
                    self.refuse(conn, &SHED, head_only);
                }
                false
            }
        }
    }

    fn read_request(
        &mut self,
        conn: &mut Conn,
        patience: Duration,
        head_only: &mut bool,
    ) -> Result<Complete, Stop> {
        let config = &self.shared.config;
        if conn.buffered().is_empty() && !conn.fill(Instant::now() + patience)? {
            return Err(Stop::Gone);
        }
        let begun = Instant::now();
        let head = self.read_head(conn, begun + config.head_deadline)?;
        *head_only = head.method == "HEAD";
        body::admit(head.framing, config.body_max_bytes, &self.shared.budget).map_err(Stop::Refuse)?;
        let deadline = begun + config.request_deadline;
        if head.framing != Framing::None {
            if head.expects_continue && conn.buffered().is_empty() {
                let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
                write_all(&conn.stream, go_on, deadline).map_err(|_| Stop::Gone)?;
            }
            if needs_more(head.framing, conn) && !self.shared.enter(self.slot, Phase::Reading) {
                return Err(Stop::Gone);
            }
        }
        let limit = config.body_max_bytes;
        let received = body::read(conn, head.framing, limit, &self.shared.budget, deadline)?;
        // From here on the connection is not shed any more; if it already was, nobody acts on the request.
        if self.shared.enter(self.slot, Phase::Busy) {
            Ok(Complete { head, received })
        } else {
            Err(Stop::Refuse(SHED))
        }
    }

    fn read_head(&self, conn: &mut Conn, deadline: Instant) -> Result<Head, Stop> {
        let (mut scanned, mut blank, mut waited) = (0, 0, false);
        loop {
            while scanned == 0 && conn.buffered().starts_with(b"\r\n") && blank < BLANK_BYTES_MAX {
                conn.consume(2);
                blank += 2;
            }
            let lone = conn.buffered() == b"\r" && blank < BLANK_BYTES_MAX;
            if !lone {
                match head::scan(conn.buffered(), scanned).map_err(Stop::Refuse)? {
                    Scan::Complete(length) => {
                        let head = head::parse(conn.buffered().get(..length).unwrap_or_default());
                        conn.consume(length);
                        return head.map_err(Stop::Refuse);
                    }
                    Scan::Partial(upto) => scanned = upto,
                }
            }
            if !waited && !self.shared.enter(self.slot, Phase::Reading) {
                return Err(Stop::Gone);
            }
            waited = true;
            if !conn.fill(deadline)? {
                return Err(Stop::Refuse(LATE));
            }
        }
    }

    /// Has a request handled and its answer sent.
    fn pass_on(&mut self, conn: &mut Conn, complete: Complete) -> bool {
        let Complete { head, mut received } = complete;
        while conn.buffered().starts_with(b"\r\n") {
            conn.consume(2);
        }
        // Who sends the next request before he has read this answer gets no more than this answer.
        let early = !conn.buffered().is_empty();
        let may_keep = head.keep_alive && !early;
        self.exchanges += 1;
        let id = self.ids.next();
        let Some(backend) = self.backend.as_mut() else { return false };
        self.slot.begin(self.exchanges);
        let exchange = Exchange {
            shared: self.shared,
            slot: self.slot,
            index: self.index,
            number: self.exchanges,
            id: &id,
            head: &head,
        };
        let result = backend.exchange(&exchange, conn, &mut received, may_keep);
        self.slot.end();
        if !backend.clean {
            self.slot.set_backend(None);
            self.backend = None;
        }
        match result {
            Ok(true) => self.shared.enter(self.slot, Phase::Idle),
            Ok(false) => {
                if early {
                    self.drain(conn);
                }
                false
            }
            Err(Failed::NoAnswer) => {
                log::error!("request {id} was given no answer");
                self.answer(conn, &Refusal::internal(), &id, head.method == "HEAD");
                false
            }
            Err(Failed::Cut) => false,
        }
    }

    fn refuse(&mut self, conn: &mut Conn, refusal: &Refusal, head_only: bool) {
        let id = self.ids.next();
        log::debug!("request {id} of {} refused: {} {}", conn.peer, refusal.status(), refusal.detail);
        self.answer(conn, refusal, &id, head_only);
    }

    fn answer(&self, conn: &mut Conn, refusal: &Refusal, id: &str, head_only: bool) {
        self.shared.count_refusal(refusal.status());
        let deadline = Instant::now() + self.shared.config.write_timeout;
        if write_all(&conn.stream, &refusal.answer(id, head_only), deadline).is_ok() {
            self.drain(conn);
        }
    }

    fn drain(&self, conn: &mut Conn) {
        if !self.shared.enter(self.slot, Phase::Draining) || conn.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + DRAIN;
        let mut drained = 0;
        while drained < DRAIN_BYTES_MAX {
            let count = conn.buffered().len();
            conn.consume(count);
            drained += count;
            if !matches!(conn.fill(deadline), Ok(true)) {
                return;
            }
        }
    }
}

/// Whether a body has to be waited for, and the connection may be shed meanwhile.
fn needs_more(framing: Framing, conn: &Conn) -> bool {
    match framing {
        Framing::None => false,
        Framing::Length(length) => length > conn.buffered().len() as u64,
        Framing::Chunked => true,
    }
}

/// Request ids: 130 random bits each, taken from the system some dozens at a time.
#[derive(Default)]
struct Ids {
    random: Vec<u8>,
}

impl Ids {
    const CHARACTERS: usize = 26;
    const AT_ONCE: usize = 32;

    fn next(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        if self.random.len() < Ids::CHARACTERS {
            self.random.resize(Ids::CHARACTERS * Ids::AT_ONCE, 0);
            if let Err(error) = getrandom::fill(&mut self.random) {
                // Ids are for finding lines in the log: better weak ones than none.
                log::error!("no random bytes for request ids: {error}");
            }
        }
        let mut id = String::with_capacity(4 + Ids::CHARACTERS);
        id.push_str("req_");
        for byte in self.random.drain(self.random.len() - Ids::CHARACTERS..) {
            id.push(char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0')));
        }
        id
    }
}
