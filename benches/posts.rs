//! Posts per second through the real binary, durable: one by one at 64 connections, and in NDJSON of 1,000 lines.
//!
//! `cargo bench --bench posts` starts a sandbox till on a fresh file and prints a table; every run is taken three times
//! and its median shown. A flow is a purchase post and its confirmation, each answered after its commit. Beside it
//! stands what the disk does on its own: 4 KiB appended and synced, over and over.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{ADMIN, Site, account, shop};

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;
const BUYERS: usize = 20_000;

/// One keep-alive connection.
struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    fn open(url: &str) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader, host }
    }

    fn post(&mut self, path: &str, kind: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {ADMIN}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).unwrap();
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            self.reader.read_line(&mut line).unwrap();
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.reader.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

fn line(id: &str, user: usize, text: &str) -> String {
    format!(
        r#"{{"network":"sandbox","id":"{id}","author":{{"user_id":"u{user}","handle":"u{user}"}},"text":"{text}"}}"#
    )
}

/// Flows per second, one post a request.
fn one_by_one(url: &str, round: usize) -> f64 {
    let (stop, flows) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let next_user = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|c| {
            let (stop, flows, next_user) = (Arc::clone(&stop), Arc::clone(&flows), Arc::clone(&next_user));
            let mut connection = Connection::open(url);
            std::thread::spawn(move || {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let user = next_user.fetch_add(1, Ordering::Relaxed) % BUYERS;
                    n += 1;
                    for (tag, text) in [("b", "#BuyThing"), ("c", "#ConfirmThing")] {
                        let body = line(&format!("o{round}-{c}-{n}{tag}"), user, text);
                        let answer = connection.post("/v1/posts", "application/json", &body);
                        assert!(answer.contains("pending") || answer.contains("confirmed"), "{answer}");
                    }
                    flows.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    std::thread::sleep(ROUND);
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    flows.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// Flows per second, 1,000 lines a request on one connection: half of them purchases, then their confirmations.
fn ndjson(url: &str, round: usize) -> f64 {
    let mut connection = Connection::open(url);
    let (mut flows, mut batch) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < ROUND {
        batch += 1;
        let mut body = String::new();
        for (tag, text) in [("b", "#BuyThing"), ("c", "#ConfirmThing")] {
            for n in 0..500 {
                let user = (batch * 500 + n) % BUYERS;
                writeln!(body, "{}", line(&format!("n{round}-{batch}-{n}{tag}"), user, text)).unwrap();
            }
        }
        let answer = connection.post("/v1/posts", "application/x-ndjson", &body);
        assert_eq!(answer.matches("\"confirmed\"").count(), 500, "{}", &answer[..500]);
        flows += 500;
    }
    f64::from(flows) / started.elapsed().as_secs_f64()
}

/// 4 KiB appended and synced, times a second.
fn sync_probe(site: &Site) -> f64 {
    let mut file = std::fs::File::create(site.path("probe")).unwrap();
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0], figures[figures.len() - 1])
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", None);
    let agents: Vec<_> = (0..8)
        .map(|part| {
            let client = till.client.clone();
            std::thread::spawn(move || {
                for user in (part..BUYERS).step_by(8) {
                    let mut body = account(&format!("u{user}"), "tok_visa");
                    body["email"] = serde_json::Value::Null;
                    client.post("/v1/accounts", &body);
                }
            })
        })
        .collect();
    for agent in agents {
        agent.join().unwrap();
    }
    let (mut single, mut lines, mut probes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        probes.push(sync_probe(&site));
        single.push(2.0 * one_by_one(&till.client.url, round));
        lines.push(2.0 * ndjson(&till.client.url, round));
    }
    println!("{:<44} {:>10} {:>10} {:>10}", "durable posts per second (2 a flow)", "median", "min", "max");
    for (name, figures) in [
        ("one by one, 64 connections", single),
        ("NDJSON of 1,000, one connection", lines),
        ("(disk: 4 KiB append and sync per second)", probes),
    ] {
        let (middle, min, max) = median(figures);
        println!("{name:<44} {middle:>10.0} {min:>10.0} {max:>10.0}");
    }
    till.stop();
}
