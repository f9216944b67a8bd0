//! Redis with its append-only file synced before each answer, asked by one thread over kept connections.

use crate::result::{FIRST_POST, Figures, Round, STRIDE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const FUNCTIONS: &str = include_str!("redis.lua");

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One round on a fresh server.
pub fn run(round: &Round) -> Result<Figures, String> {
    let server = start(round).map_err(|error| format!("redis-server: {error}"))?;
    let mut admin = Connection::open(server.port)?;
    admin.call(&["FUNCTION", "LOAD", FUNCTIONS])?;
    // What is there before the sale need not be synced one by one.
    admin.call(&["CONFIG", "SET", "appendfsync", "no"])?;
    for account in 0..round.accounts {
        admin.call(&["SET", &format!("account:{account}"), "active"])?;
    }
    let (from, until) = ((now() - 86_400).to_string(), (now() + 86_400).to_string());
    let offer = ["live", "1", "starts", &from, "ends", &until, "price", "1500", "per_account", "1000000"];
    let stock = ["window", "900", "available", "1000000000"];
    admin.call(&[&["HSET", "offer:1"], &offer[..], &stock[..]].concat())?;
    admin.call(&["CONFIG", "SET", "appendfsync", "always"])?;
    let mut buyers = Vec::new();
    for _ in 0..round.connections {
        let connection = Connection::open(server.port)?;
        let now = Instant::now();
        buyers.push(Buyer { connection, account: 0, confirming: false, began: now });
    }
    let mut crowd = Crowd { flows: 0, posts: 0, accounts: round.accounts };
    for buyer in &mut buyers {
        buyer.begin(&mut crowd)?;
    }
    drive(&mut buyers, &mut crowd, Duration::from_secs(1))?;
    let begun = Instant::now();
    let micros = drive(&mut buyers, &mut crowd, Duration::from_secs(round.seconds))?;
    let figures = Figures::of(micros, begun.elapsed().as_secs_f64())?;
    let captures = admin.call(&["LLEN", "captures"])?;
    let flows = (figures.flows_per_second * begun.elapsed().as_secs_f64()) as u64;
    if captures.trim_start_matches(':').parse::<u64>().unwrap_or(0) < flows {
        return Err(format!("Redis holds {captures} captures after {flows} flows"));
    }
    Ok(figures)
}

fn start(round: &Round) -> std::io::Result<Server> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--daemonize", "no", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no"])
        .arg("--dir")
        .arg(&round.folder)
        .stdout(Stdio::null())
        .spawn()?;
    let server = Server { child, port };
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err(std::io::Error::new(ErrorKind::TimedOut, "does not answer"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

struct Crowd {
    flows: u64,
    posts: u64,
    accounts: u64,
}

/// One connection's buyer: buys, confirms, and makes room for the next.
struct Buyer {
    connection: Connection,
    account: u64,
    confirming: bool,
    began: Instant,
}

impl Buyer {
    fn begin(&mut self, crowd: &mut Crowd) -> Result<(), String> {
        self.account = crowd.flows.wrapping_mul(STRIDE) % crowd.accounts;
        crowd.flows += 1;
        self.confirming = false;
        self.began = Instant::now();
        self.ask("buy", crowd)
    }

    fn ask(&mut self, function: &str, crowd: &mut Crowd) -> Result<(), String> {
        let post = (FIRST_POST + crowd.posts).to_string();
        crowd.posts += 1;
        let arguments = [&post, &self.account.to_string(), "1", &now().to_string()];
        self.connection.send(&[&["FCALL", function, "0"], &arguments[..]].concat())
    }
}

/// Keeps one request under way on each connection; returns how long each flow took.
fn drive(buyers: &mut [Buyer], crowd: &mut Crowd, time: Duration) -> Result<Vec<u64>, String> {
    let deadline = Instant::now() + time;
    let wait = Timespec { tv_sec: 1, tv_nsec: 0 };
    let mut micros = Vec::new();
    while Instant::now() < deadline {
        let ready: Vec<bool> = {
            let mut wanted: Vec<_> =
                buyers.iter().map(|buyer| PollFd::new(&buyer.connection.stream, PollFlags::IN)).collect();
            poll(&mut wanted, Some(&wait)).map_err(|error| error.to_string())?;
            wanted.iter().map(|one| !one.revents().is_empty()).collect()
        };
        for (buyer, _) in buyers.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            let Some(answer) = buyer.connection.receive()? else { continue };
            match (buyer.confirming, answer.as_str()) {
                (false, "pending") => {
                    buyer.confirming = true;
                    buyer.ask("confirm", crowd)?;
                }
                (true, "confirmed") => {
                    micros.push(buyer.began.elapsed().as_micros() as u64);
                    buyer.begin(crowd)?;
                }
                _ => return Err(format!("Redis answered {answer}")),
            }
        }
    }
    Ok(micros)
}

/// A connection that speaks as much of Redis' protocol as is needed: requests of strings, answers of one line or one
/// string.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| format!("Redis: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("Redis: {error}"))?;
        Ok(Self { stream, read: Vec::new() })
    }

    fn send(&mut self, words: &[&str]) -> Result<(), String> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
        self.stream.write_all(&request).map_err(|error| format!("Redis: {error}"))
    }

    /// Reads once; an answer, where one is complete.
    fn receive(&mut self) -> Result<Option<String>, String> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).map_err(|error| format!("Redis: {error}"))?;
        if count == 0 {
            return Err("Redis closed a connection".to_owned());
        }
        self.read.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&self.read).into_owned();
        let Some((head, rest)) = text.split_once("\r\n") else { return Ok(None) };
        let answer = match head.strip_prefix('$') {
            Some(_) => match rest.strip_suffix("\r\n") {
                Some(value) => value.to_owned(),
                None => return Ok(None),
            },
            None => head.trim_start_matches('+').to_owned(),
        };
        self.read.clear();
        if let Some(error) = answer.strip_prefix('-') {
            return Err(format!("Redis answered {error}"));
        }
        Ok(Some(answer))
    }

    fn call(&mut self, words: &[&str]) -> Result<String, String> {
        self.send(words)?;
        loop {
            if let Some(answer) = self.receive()? {
                return Ok(answer);
            }
        }
    }
}
