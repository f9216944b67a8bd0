//! The load generator: few threads, each with a share of the connections, every one with one request under way.
//!
//! A thread waits for all of its connections at once (poll), so that it takes little of the machine from the till. It
//! speaks HTTP/1.1 over kept connections. What is counted belongs to a phase, which whoever measures moves on.

use super::histogram::Histogram;
use super::traffic::Traffic;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Phases that are counted apart.
pub const PHASES: usize = 4;
/// A till that takes longer for an answer does not answer.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// What is read from a socket in one go.
const READ_BYTES: usize = 256 * 1024;

/// What was answered in one phase.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Posts judged.
    pub posts: u64,
    /// Flows ended.
    pub flows: u64,
    /// From sending a request to the end of its answer.
    pub answers: Histogram,
    /// From sending a purchase post to the end of the answer to its confirmation.
    pub whole_flows: Histogram,
}

type Phases = [Counted; PHASES];

/// The running load.
pub struct Load {
    threads: Vec<JoinHandle<Result<Phases, String>>>,
    shared: Arc<Shared>,
}

struct Shared {
    phase: AtomicUsize,
    /// Flows ended so far, in any phase.
    flows: AtomicU64,
    stop: AtomicBool,
    failed: AtomicBool,
}

impl Load {
    /// Opens a connection to `to` for each of `talks`, spread over `threads` threads, and begins in phase 0.
    ///
    /// # Errors
    /// When a connection cannot be made.
    pub fn start(
        to: SocketAddr,
        token: &str,
        threads: usize,
        talks: Vec<Box<dyn Traffic>>,
    ) -> Result<Self, String> {
        let shared = Arc::new(Shared {
            phase: AtomicUsize::new(0),
            flows: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        });
        let share = talks.len().div_ceil(threads.max(1)).max(1);
        let mut connections = Vec::new();
        for talk in talks {
            connections.push(Connection::open(to, token, talk)?);
        }
        let mut running = Vec::new();
        while !connections.is_empty() {
            let rest = connections.split_off(share.min(connections.len()));
            let mine = std::mem::replace(&mut connections, rest);
            let shared = Arc::clone(&shared);
            running.push(std::thread::spawn(move || {
                let driven = drive(mine, &shared);
                if driven.is_err() {
                    shared.failed.store(true, Ordering::Relaxed);
                }
                driven
            }));
        }
        Ok(Self { threads: running, shared })
    }

    /// From now on, what is answered counts for this phase.
    pub fn phase(&self, phase: usize) {
        self.shared.phase.store(phase.min(PHASES - 1), Ordering::Relaxed);
    }

    /// Flows ended so far.
    pub fn flows(&self) -> u64 {
        self.shared.flows.load(Ordering::Relaxed)
    }

    /// Whether a thread has given up.
    pub fn failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Lets every connection end its flow, and returns what was counted.
    ///
    /// # Errors
    /// What went wrong first.
    pub fn finish(self) -> Result<Phases, String> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut all = Phases::default();
        let mut failure = None;
        for thread in self.threads {
            match thread.join() {
                Ok(Ok(phases)) => {
                    for (sum, part) in all.iter_mut().zip(&phases) {
                        sum.posts += part.posts;
                        sum.flows += part.flows;
                        sum.answers.add(&part.answers);
                        sum.whole_flows.add(&part.whole_flows);
                    }
                }
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(_) => failure = failure.or(Some("a load thread panicked".to_owned())),
            }
        }
        failure.map_or(Ok(all), Err)
    }
}

/// One kept connection with at most one request under way.
struct Connection {
    stream: TcpStream,
    head: String,
    talk: Box<dyn Traffic>,
    out: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
    /// Where the answer's body begins and ends, once its head is there.
    body: Option<(usize, usize)>,
    asked_at: Instant,
    flow_began: Instant,
    open: bool,
}

impl Connection {
    fn open(to: SocketAddr, token: &str, talk: Box<dyn Traffic>) -> Result<Self, String> {
        let broken = |error: std::io::Error| format!("cannot connect to the till: {error}");
        let stream = TcpStream::connect(to).map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        stream.set_nonblocking(true).map_err(broken)?;
        let head = format!(
            "POST /v1/posts HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {token}\r\nContent-Type: {}\r\n",
            talk.kind()
        );
        let now = Instant::now();
        Ok(Self {
            stream,
            head,
            talk,
            out: Vec::new(),
            sent: 0,
            answer: Vec::new(),
            body: None,
            asked_at: now,
            flow_began: now,
            open: true,
        })
    }

    /// Begins the next request.
    fn ask(&mut self, body: &mut Vec<u8>) -> Result<(), String> {
        body.clear();
        let resting = self.talk.resting();
        self.talk.next(body);
        self.out.clear();
        self.out.extend_from_slice(self.head.as_bytes());
        self.out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        self.out.extend_from_slice(body);
        self.sent = 0;
        self.answer.clear();
        self.body = None;
        self.asked_at = Instant::now();
        if resting {
            self.flow_began = self.asked_at;
        }
        self.send()
    }

    /// Sends as much as the socket takes.
    fn send(&mut self) -> Result<(), String> {
        while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the till broke a connection off: {error}")),
            }
        }
        Ok(())
    }

    fn sending(&self) -> bool {
        self.sent < self.out.len()
    }

    /// Reads what is there; true once the answer is complete.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<bool, String> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err("the till closed a connection".to_owned()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("the till broke a connection off: {error}")),
            };
            self.answer.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if self.body.is_none() {
                self.body = place_of_body(&self.answer)?;
            }
            if self.body.is_some_and(|(_, end)| self.answer.len() >= end) {
                return Ok(true);
            }
        }
    }

    /// Takes the complete answer in.
    fn take(&mut self, counted: &mut Counted, flows: &AtomicU64) -> Result<(), String> {
        let (start, end) = self.body.take().unwrap_or_default();
        let done = self.talk.answered(self.answer.get(start..end).unwrap_or_default())?;
        counted.posts += done.posts;
        counted.flows += done.flows;
        counted.answers.note(self.asked_at.elapsed());
        if done.flows > 0 {
            flows.fetch_add(done.flows, Ordering::Relaxed);
            counted.whole_flows.note(self.flow_began.elapsed());
        }
        Ok(())
    }
}

/// Where the body of an answer begins and ends; `None` while its head is incomplete.
fn place_of_body(answer: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let start = match head.parse(answer) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("the till's answer is no HTTP: {error}")),
    };
    let length = head
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .and_then(|field| std::str::from_utf8(field.value).ok()?.trim().parse::<usize>().ok())
        .ok_or("the till's answer has no length")?;
    match head.code {
        Some(200) => Ok(Some((start, start + length))),
        code => {
            let shown = String::from_utf8_lossy(answer.get(start..).unwrap_or_default()).into_owned();
            Err(format!("the till answered {}: {shown}", code.unwrap_or(0)))
        }
    }
}

/// Drives one thread's connections until they are told to stop, and each is at rest.
fn drive(mut connections: Vec<Connection>, shared: &Shared) -> Result<Phases, String> {
    let mut phases = Phases::default();
    let mut body = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    for connection in &mut connections {
        connection.ask(&mut body)?;
    }
    let wait = Timespec { tv_sec: 1, tv_nsec: 0 };
    while !connections.is_empty() {
        let events: Vec<PollFlags> = {
            let mut wanted: Vec<_> = connections.iter().map(wanted).collect();
            poll(&mut wanted, Some(&wait)).map_err(|error| format!("cannot wait for answers: {error}"))?;
            wanted.iter().map(PollFd::revents).collect()
        };
        let stop = shared.stop.load(Ordering::Relaxed);
        let phase = shared.phase.load(Ordering::Relaxed);
        let Some(counted) = phases.get_mut(phase) else { continue };
        for (connection, events) in connections.iter_mut().zip(events) {
            if events.is_empty() {
                if connection.asked_at.elapsed() > ANSWER_WAIT {
                    return Err(format!("no answer came within {} s", ANSWER_WAIT.as_secs()));
                }
                continue;
            }
            if connection.sending() {
                connection.send()?;
            }
            if connection.receive(&mut buffer)? {
                connection.take(counted, &shared.flows)?;
                if stop && connection.talk.resting() {
                    connection.open = false;
                } else {
                    connection.ask(&mut body)?;
                }
            }
        }
        connections.retain(|connection| connection.open);
    }
    Ok(phases)
}

fn wanted(connection: &Connection) -> PollFd<'_> {
    let flags = if connection.sending() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
    PollFd::new(&connection.stream, flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_body_once_the_head_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(place_of_body(&answer[..20]), Ok(None));
        assert_eq!(place_of_body(answer), Ok(Some((38, 40))));
        assert!(
            place_of_body(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwhy?").unwrap_err().contains("503")
        );
        assert!(place_of_body(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
