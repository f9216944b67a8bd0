//! The server behind the gate: the only file that knows `tiny_http`.
//!
//! It listens on a Unix socket in a directory that only this user may enter, so that whatever arrives has
//! passed the gate. Worker threads turn its requests into ours and call the handler, which answers through a
//! [`Responder`], at once or later, from any thread.
//!
//! `tiny_http` stops accepting for good after one failed `accept`, as when descriptors run out. Connections
//! that are open live on; for new ones another instance is started beside the old.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::gate::{Dial, Gate, GateConfig, GateStats, Refusal, Shared, TICKET_HEADER, lock};
use super::message::{Body, Method, Request, Response};

/// The ticket of the first request on a private connection, which only shows that somebody answers.
const PRIME: &str = "prime";
/// How long that may take, with all workers busy.
const PRIME_TIMEOUT: Duration = Duration::from_secs(10);
/// Bodies up to this many bytes fit a socket's buffer: whoever sends one never waits for a client.
const AT_ONCE_BYTES_MAX: u64 = 32 * 1024;
/// Fewer slots than this, and `tiny_http` could keep a thread for ever.
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
        let shared = Arc::new(Shared::new(config));
        let inner = Arc::new(Inner {
            shared: shared.clone(),
            handler,
            dir: private_dir()?,
            current: Mutex::new(None),
            instances: AtomicUsize::new(0),
            workers: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        // From here on, an error drops the server, and that undoes what was begun.
        let mut server = Server { gate: None, addr: listener.local_addr()?, inner };
        let slots = shared.config.slots;
        let backends = (0..slots).map(|_| server.inner.dial()).collect::<io::Result<Vec<_>>>()?;
        let dial: Arc<dyn Dial> = server.inner.clone();
        server.gate = Some(Gate::open(listener, &shared, backends, &dial)?);
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
    dir: PathBuf,
    /// The instance for new connections. Its lock is held while one is opened: `tiny_http` gives each
    /// connection a thread of its own only if they come one after the other.
    current: Mutex<Option<Instance>>,
    instances: AtomicUsize,
    workers: Mutex<Vec<Worker>>,
    closing: AtomicBool,
}

struct Instance {
    path: PathBuf,
    /// Cleared when `tiny_http` says that it has stopped accepting.
    accepts: Arc<AtomicBool>,
}

struct Worker {
    thread: JoinHandle<()>,
    server: Arc<tiny_http::Server>,
}

impl Dial for Inner {
    fn dial(&self) -> io::Result<UnixStream> {
        let mut current = lock(&self.current);
        if let Some(instance) = current.as_ref().filter(|it| it.accepts.load(Ordering::Acquire)) {
            match connect(instance) {
                Err(error) if is_dead(&error) => log::warn!("the server stopped accepting: {error}"),
                result => return result,
            }
        }
        let instance = self.instantiate()?;
        let result = connect(&instance);
        *current = Some(instance);
        result
    }
}

/// Whether an error says that nobody accepts any more; being late does not.
fn is_dead(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotFound | UnexpectedEof)
}

/// Opens a connection and has one request answered on it.
fn connect(instance: &Instance) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(&instance.path)?;
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
    fn instantiate(self: &Inner) -> io::Result<Instance> {
        let number = self.instances.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{number}"));
        let server = tiny_http::Server::http_unix(&path).map_err(io::Error::other)?;
        let server = Arc::new(server);
        let accepts = Arc::new(AtomicBool::new(true));
        for index in 0..self.shared.config.workers {
            let context = Context {
                server: server.clone(),
                shared: self.shared.clone(),
                handler: self.handler.clone(),
                accepts: accepts.clone(),
            };
            let thread = thread::Builder::new().name(format!("http-{number}-{index}"));
            let thread = thread.spawn(move || context.work())?;
            lock(&self.workers).push(Worker { thread, server: server.clone() });
        }
        Ok(Instance { path, accepts })
    }

    fn close(&self) {
        if self.closing.swap(true, Ordering::SeqCst) {
            return;
        }
        self.shared.stop();
        let workers = std::mem::take(&mut *lock(&self.workers));
        for worker in &workers {
            worker.server.unblock();
        }
        let deadline = Instant::now() + self.shared.config.shutdown_grace;
        for Worker { thread, .. } in workers {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            } else {
                log::warn!("a handler has not returned and is left behind");
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            log::warn!("cannot remove {}: {error}", self.dir.display());
        }
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
    accepts: Arc<AtomicBool>,
}

impl Context {
    fn work(&self) {
        loop {
            match self.server.recv() {
                Ok(request) => {
                    if catch_unwind(AssertUnwindSafe(|| self.take(request))).is_err() {
                        log::error!("a handler panicked");
                    }
                }
                Err(_) if self.shared.is_stopping() => return,
                Err(error) => {
                    log::error!("the server accepts no more private connections: {error}");
                    self.accepts.store(false, Ordering::Release);
                }
            }
        }
    }

    fn take(&self, mut raw: tiny_http::Request) {
        let ticket = raw.headers().iter().find(|header| header.field.equiv(TICKET_HEADER));
        let ticket = ticket.map(|header| header.value.as_str().to_owned()).unwrap_or_default();
        if ticket == PRIME {
            let _ = raw.respond(tiny_http::Response::empty(204));
            return;
        }
        let Some(ticket) = Ticket::parse(&ticket) else {
            log::error!("a request did not come through the gate");
            return;
        };
        let mut body = Vec::new();
        if let Some(length) = raw.body_length().filter(|length| *length > 0) {
            body.reserve_exact(length);
            if raw.as_reader().read_to_end(&mut body).is_err() || body.len() != length {
                // The slot has left in the middle of it. Dropping the request ends it.
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
        let answer = Pending { raw, ticket, shared: self.shared.clone(), parked: false };
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
    fn parse(text: &str) -> Option<Ticket> {
        let mut parts = text.split(' ');
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
    raw: tiny_http::Request,
    ticket: Ticket,
    shared: Arc<Shared>,
    parked: bool,
}

impl Responder {
    /// Answers. Never waits for the client: long bodies are sent by a thread of their own, of which there can
    /// be as many as slots.
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
            let slot = pending.shared.slot(pending.ticket.slot);
            pending.parked = slot.is_some_and(|slot| pending.shared.park(slot, pending.ticket.exchange));
        }
        pending.parked
    }

    /// Whether nobody waits for the answer any more: the client of a parked request has left. Whoever keeps
    /// responders may drop such ones.
    pub fn is_abandoned(&self) -> bool {
        let Some(pending) = self.pending.as_ref() else { return true };
        let slot = pending.shared.slot(pending.ticket.slot);
        slot.is_none_or(|slot| slot.has_left(pending.ticket.exchange))
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
        if self.parked
            && let Some(slot) = self.shared.slot(self.ticket.slot)
        {
            self.shared.unpark(slot, self.ticket.exchange);
        }
        if response.body.len() <= AT_ONCE_BYTES_MAX {
            self.write(response);
            return;
        }
        let id = self.ticket.id.clone();
        let sender = thread::Builder::new().name("http-sender".to_owned());
        if let Err(error) = sender.spawn(move || self.write(response)) {
            log::error!("request {id} cannot be answered, no thread to be had: {error}");
        }
    }

    fn write(self, response: Response) {
        let Pending { raw, ticket, shared, .. } = self;
        let response = if (200..=599).contains(&response.status) {
            response
        } else {
            log::error!("request {} was answered with status {}", ticket.id, response.status);
            internal_error(&ticket.id)
        };
        let headers: Vec<_> = response.headers.iter().filter_map(|it| header(it, &ticket.id)).collect();
        let status = tiny_http::StatusCode(response.status);
        let length = usize::try_from(response.body.len()).ok();
        let body: Box<dyn Read + Send> = match response.body {
            Body::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Body::File { file, length } => Box::new(Exactly { file, left: length }),
        };
        let answer = tiny_http::Response::new(status, headers, body, length, None);
        let result = raw.respond(answer.with_chunked_threshold(usize::MAX));
        if let Err(error) = result {
            log::error!("the answer to request {} broke off: {error}", ticket.id);
            if let Some(slot) = shared.slot(ticket.slot) {
                slot.set_broken(ticket.exchange);
            }
        }
    }
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

/// A file of a promised length: less than that is an error, not an end.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&mut self.file).take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the file is shorter than announced"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
