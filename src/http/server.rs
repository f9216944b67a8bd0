//! The server behind the gate: the only file that knows `tiny_http`.
//!
//! It listens on a Unix socket in a directory that only this user may enter, and that is gone as soon as the
//! gate's lanes are open, so that whatever arrives has passed the gate. `tiny_http` reads the requests off the
//! lanes and hands them to worker threads, which turn them into ours and call the handler. It prints the heads
//! of the answers, too, which go straight to the client through a [`Responder`], at once or later, from any
//! thread; on the lane, a request is over as soon as it was read.

use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::gate::{Answer, Dial, Gate, GateConfig, GateStats, Refusal, Shared, TICKET_HEADER, lock};
use super::message::{Method, Request, Response};

/// The library's name in the log. It calls it an error when its listener is closed, which is how we end it.
pub const LIBRARY: &str = "tiny_http";

/// The ticket of the first request on a lane, which only shows that somebody answers.
const PRIME: &str = "prime";
/// How long that may take.
const PRIME_TIMEOUT: Duration = Duration::from_secs(10);
/// Lanes for requests. More of them help with large bodies only.
const LANES: usize = 4;
/// Fewer slots than this would leave none for others when half of them are parked.
const SLOTS_MIN: usize = 8;

/// What answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request, or hands the responder to somebody who will. Runs on one of few workers: it must
    /// not wait for anything that may take long. A panic is answered with 500.
    fn handle(&self, request: Request, responder: Responder);
}

/// A running server. Dropping it shuts it down.
pub struct Server {
    gate: Option<Gate>,
    addr: SocketAddr,
    inner: Arc<Inner>,
}

impl Server {
    /// Listens and serves.
    pub fn start(mut config: GateConfig, handler: Arc<dyn Handler>) -> io::Result<Server> {
        config.slots = config.slots.max(SLOTS_MIN);
        config.workers = config.workers.max(1);
        let listener = TcpListener::bind(config.addr)?;
        let shared = Arc::new(Shared::new(config)?);
        let inner = Arc::new(Inner {
            shared: shared.clone(),
            handler,
            current: Mutex::default(),
            instances: AtomicUsize::new(0),
        });
        // From here on, an error drops the server, and that undoes what was begun.
        let mut server = Server { gate: None, addr: listener.local_addr()?, inner };
        let dial: Arc<dyn Dial> = server.inner.clone();
        server.gate = Some(Gate::open(listener, &shared, &dial)?);
        Ok(server)
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.gate.as_ref().map_or(self.addr, Gate::local_addr)
    }

    /// How it stands.
    pub fn stats(&self) -> GateStats {
        self.inner.shared.stats()
    }

    /// Asks how it stands, for as long as it runs, without keeping it alive.
    pub fn gauge(&self) -> impl Fn() -> Option<GateStats> + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.inner.shared);
        move || shared.upgrade().map(|shared| shared.stats())
    }

    /// Stops accepting, lets requests being handled finish within the grace, closes everything, and waits for
    /// all threads of ours. Those of `tiny_http` leave by themselves within some seconds.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut gate) = self.gate.take() {
            gate.close();
        }
        self.inner.close();
    }
}

struct Inner {
    shared: Arc<Shared>,
    handler: Arc<dyn Handler>,
    current: Mutex<Option<Instance>>,
    instances: AtomicUsize,
}

/// One `tiny_http` server and the workers that serve what it reads.
struct Instance {
    server: Arc<tiny_http::Server>,
    /// Closing this ends its accept.
    listener: UnixListener,
    workers: Vec<JoinHandle<()>>,
}

impl Dial for Inner {
    fn dial(&self) -> io::Result<Vec<UnixStream>> {
        let mut current = lock(&self.current);
        if let Some(old) = current.take() {
            old.retire();
        }
        let dir = private_dir()?;
        let path = dir.join("gate");
        let opened = self.instantiate(&path).and_then(|instance| {
            // One after the other, each with an answer: `tiny_http` gives each a thread of its own only then.
            let lanes = (0..LANES).map(|_| connect(&path)).collect::<io::Result<Vec<_>>>();
            lanes.map(|lanes| (lanes, current.insert(instance))).map(|(lanes, _)| lanes)
        });
        if let Err(error) = fs::remove_dir_all(&dir) {
            log::warn!("cannot remove {}: {error}", dir.display());
        }
        opened
    }
}

/// Opens a connection and has one request answered on it.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PRIME_TIMEOUT))?;
    write!(stream, "GET / HTTP/1.1\r\n{TICKET_HEADER}: {PRIME}\r\n\r\n")?;
    let mut seen = Vec::with_capacity(256);
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        seen.extend_from_slice(&byte);
    }
    Ok(stream)
}

impl Inner {
    fn instantiate(&self, path: &Path) -> io::Result<Instance> {
        let number = self.instances.fetch_add(1, Ordering::Relaxed);
        let listener = UnixListener::bind(path)?;
        let ours = listener.try_clone()?;
        let server = tiny_http::Server::from_listener(listener, None).map_err(io::Error::other)?;
        let mut instance = Instance { server: Arc::new(server), listener: ours, workers: Vec::new() };
        for index in 0..self.shared.config.workers {
            let context = Context {
                server: instance.server.clone(),
                shared: self.shared.clone(),
                handler: self.handler.clone(),
            };
            let thread = thread::Builder::new().name(format!("http-{number}-{index}"));
            match thread.spawn(move || context.work()) {
                Ok(worker) => instance.workers.push(worker),
                Err(error) => {
                    instance.retire();
                    return Err(error);
                }
            }
        }
        Ok(instance)
    }

    fn close(&self) {
        self.shared.stop();
        let Some(instance) = lock(&self.current).take() else { return };
        let deadline = Instant::now() + self.shared.config.shutdown_grace;
        for thread in instance.retire() {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                log::warn!("a handler has not returned and is left behind");
            }
        }
    }
}

impl Instance {
    /// Has its workers leave when they have done what is queued, and its thread that accepts.
    fn retire(self) -> Vec<JoinHandle<()>> {
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        for _ in &self.workers {
            self.server.unblock();
        }
        self.workers
    }
}

/// A new directory that only this user may enter.
fn private_dir() -> io::Result<PathBuf> {
    // The path of a Unix socket may have some hundred bytes, and temporary directories can be deep.
    let base = std::env::temp_dir();
    let base = if base.as_os_str().len() > 60 { PathBuf::from("/tmp") } else { base };
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let dir = base.join(format!("tagtill-{:016x}", u64::from_ne_bytes(random)));
    DirBuilder::new().mode(0o700).create(&dir)?;
    Ok(dir)
}

/// What a worker needs.
struct Context {
    server: Arc<tiny_http::Server>,
    shared: Arc<Shared>,
    handler: Arc<dyn Handler>,
}

impl Context {
    fn work(&self) {
        // Its only errors are that it stopped accepting, which it does not have to go on with, and that this
        // worker is to leave; both come when the instance is retired.
        while let Ok(request) = self.server.recv() {
            if catch_unwind(AssertUnwindSafe(|| self.take(request))).is_err() {
                log::error!("a handler panicked");
            }
        }
    }

    fn take(&self, mut raw: tiny_http::Request) {
        let ticket = raw.headers().iter().find(|header| header.field.equiv(TICKET_HEADER));
        let ticket = ticket.map(|header| header.value.as_str()).unwrap_or_default();
        if ticket == PRIME {
            let _ = raw.respond(tiny_http::Response::empty(204));
            return;
        }
        let Some(ticket) = Ticket::parse(ticket, self.shared.secret) else {
            log::error!("a request did not come through the gate");
            return;
        };
        let mut body = Vec::new();
        if let Some(length) = raw.body_length().filter(|length| *length > 0) {
            body.reserve_exact(length);
            if raw.as_reader().read_to_end(&mut body).is_err() || body.len() != length {
                // The lane broke off in the middle of it.
                return;
            }
        }
        let (path, query) = raw.url().split_once('?').unwrap_or((raw.url(), ""));
        let headers = raw.headers().iter().filter(|header| !header.field.equiv(TICKET_HEADER));
        let request = Request {
            id: ticket.id.clone(),
            method: Method::parse(raw.method().as_str()),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.map(|it| (it.field.as_str().to_string(), it.value.to_string())).collect(),
            body,
            peer: ticket.peer,
        };
        // The answer does not go back on the lane. The writer for one, dropped unused, makes way for the next.
        drop(raw.into_writer());
        if !self.shared.take(ticket.slot, ticket.exchange) {
            return;
        }
        let answer = Pending { ticket, shared: self.shared.clone(), parked: false };
        self.handler.handle(request, Responder { pending: Some(answer) });
    }
}

/// Whose request it is, as the gate said.
struct Ticket {
    slot: usize,
    exchange: u64,
    id: String,
    peer: SocketAddr,
}

impl Ticket {
    fn parse(text: &str, secret: u64) -> Option<Ticket> {
        let mut parts = text.split(' ');
        u64::from_str_radix(parts.next()?, 16).ok().filter(|it| *it == secret)?;
        Some(Ticket {
            slot: parts.next()?.parse().ok()?,
            exchange: parts.next()?.parse().ok()?,
            id: parts.next()?.to_owned(),
            peer: parts.next()?.parse().ok()?,
        })
    }
}

/// The right to answer one request, once, from any thread, at any later time. Dropped unused, it answers 500.
pub struct Responder {
    pending: Option<Pending>,
}

struct Pending {
    ticket: Ticket,
    shared: Arc<Shared>,
    parked: bool,
}

impl Responder {
    /// Answers. Never waits for the client: what he does not take at once, others send.
    pub fn send(mut self, response: Response) {
        if let Some(pending) = self.pending.take() {
            pending.send(response);
        }
    }

    /// Marks the request as waiting for something to happen, a long poll. At most half of the slots may wait;
    /// `false` says that no more can, which the caller answers with 503.
    pub fn park(&mut self) -> bool {
        let Some(pending) = self.pending.as_mut() else { return false };
        if !pending.parked {
            pending.parked = pending.shared.park(pending.ticket.slot, pending.ticket.exchange);
        }
        pending.parked
    }

    /// Whether nobody waits for the answer any more: the client of a parked request has left. Whoever keeps
    /// responders may drop such ones.
    pub fn is_abandoned(&self) -> bool {
        let Some(pending) = self.pending.as_ref() else { return true };
        pending.shared.has_left(pending.ticket.slot, pending.ticket.exchange)
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        self.pending.as_ref().map_or("", |pending| &pending.ticket.id)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(pending) = self.pending.take() {
            log::error!("request {} was dropped without an answer", pending.ticket.id);
            let response = internal_error(&pending.ticket.id);
            pending.send(response);
        }
    }
}

fn internal_error(id: &str) -> Response {
    Response::new(500, "application/problem+json", Refusal::internal().problem(id))
}

impl Pending {
    fn send(self, response: Response) {
        let Pending { ticket, shared, parked } = self;
        let response = if (200..=599).contains(&response.status) {
            response
        } else {
            log::error!("request {} was answered with status {}", ticket.id, response.status);
            internal_error(&ticket.id)
        };
        let bodiless = matches!(response.status, 204 | 304);
        let head = print_head(&response, &ticket.id);
        let answer = Answer { head, body: response.body, bodiless };
        shared.answer(ticket.slot, ticket.exchange, parked, answer);
    }
}

/// Status line and headers, without the empty line.
fn print_head(response: &Response, id: &str) -> Vec<u8> {
    let headers = response.headers.iter().filter_map(|it| header(it, id));
    let id = tiny_http::Header::from_bytes("X-Request-Id", id).ok();
    let length = usize::try_from(response.body.len()).ok();
    let status = tiny_http::StatusCode(response.status);
    let answer = tiny_http::Response::new(status, headers.chain(id).collect(), io::empty(), length, None);
    let mut printed = Vec::with_capacity(1024);
    let version = tiny_http::HTTPVersion(1, 1);
    let answer = answer.with_chunked_threshold(usize::MAX);
    if let Err(error) = answer.raw_print(&mut printed, version, &[], true, None) {
        log::error!("an answer's head cannot be printed: {error}");
    }
    let lengthless = response.status == 204;
    let kept = printed.split_inclusive(|byte| *byte == b'\n').filter(|line| {
        let ours = line.starts_with(b"Server:") || (lengthless && line.starts_with(b"Content-Length:"));
        *line != b"\r\n" && !ours
    });
    kept.flatten().copied().collect()
}

/// A header that can be sent. One that could end its line is left out: it may carry what a stranger wrote.
fn header((name, value): &(String, String), id: &str) -> Option<tiny_http::Header> {
    let sound = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let named =
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_');
    let framing = ["content-length", "x-request-id"].iter().any(|it| name.eq_ignore_ascii_case(it));
    if !sound || !named {
        log::error!("request {id} was answered with a bad header, left out: {name:?}");
    }
    if !sound || !named || framing {
        return None;
    }
    tiny_http::Header::from_bytes(name.as_bytes(), value.as_bytes()).ok()
}
