//! What the gate costs: small POSTs per second on 64 kept connections, bare `tiny_http` beside the gate.
//!
//! Rounds alternate, and medians are compared, because machines are never quiet for long. Run it with
//! `cargo bench --bench gate`; `SECONDS_PER_ROUND` and `ROUNDS` may be set in the environment.

#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss, clippy::needless_for_each)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use tagtill::http::{GateConfig, Handler, Request, Responder, Response, Server};

const CONNECTIONS: usize = 64;
const WORKERS: usize = 4;
/// Threads of the load generator.
const LOADERS: usize = 2;
const ANSWER: &str = r#"{"verdict":"ignored","explanation":"no hashtag of ours"}"#;

struct Echo;

impl Handler for Echo {
    fn handle(&self, request: Request, responder: Responder) {
        assert!(!request.body.is_empty());
        responder.send(Response::new(200, "application/json", ANSWER));
    }
}

fn main() {
    let seconds = setting("SECONDS_PER_ROUND", 3);
    let rounds = setting("ROUNDS", 3);
    let (mut bare, mut gated) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        bare.push(run_bare(Duration::from_secs(seconds)));
        gated.push(run_gated(Duration::from_secs(seconds)));
        for (name, runs) in [("bare", &bare), ("gate", &gated)] {
            let (rate, p99) = runs.last().unwrap();
            println!("round {round} {name}: {rate:>8.0} requests/s, p99 {:>6.2} ms", p99 * 1e3);
        }
    }
    let (bare_rate, bare_p99) = medians(bare);
    let (gate_rate, gate_p99) = medians(gated);
    println!("bare: {bare_rate:.0} requests/s, p99 {:.2} ms", bare_p99 * 1e3);
    println!("gate: {gate_rate:.0} requests/s, p99 {:.2} ms", gate_p99 * 1e3);
    println!("ratio: {:.2}", gate_rate / bare_rate);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn medians(runs: Vec<(f64, f64)>) -> (f64, f64) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let (rates, p99s) = runs.into_iter().unzip();
    (median(rates), median(p99s))
}

fn run_bare(time: Duration) -> (f64, f64) {
    let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
    let addr = server.server_addr().to_ip().unwrap();
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let server = server.clone();
            thread::spawn(move || {
                while let Ok(mut request) = server.recv() {
                    let mut body = Vec::new();
                    request.as_reader().read_to_end(&mut body).unwrap();
                    let response = tiny_http::Response::from_data(ANSWER).with_header(
                        tiny_http::Header::from_bytes("Content-Type", "application/json").unwrap(),
                    );
                    let _ = request.respond(response);
                }
            })
        })
        .collect();
    let result = load(addr, time);
    for _ in &workers {
        server.unblock();
    }
    for worker in workers {
        worker.join().unwrap();
    }
    result
}

fn run_gated(time: Duration) -> (f64, f64) {
    let config = GateConfig { workers: WORKERS, ..GateConfig::default() };
    let server = Server::start(config, Arc::new(Echo)).unwrap();
    let result = load(server.local_addr(), time);
    server.shutdown();
    result
}

/// Requests per second and the 99th percentile of the latency in seconds.
fn load(addr: SocketAddr, time: Duration) -> (f64, f64) {
    let request = request();
    let stop = Arc::new(AtomicBool::new(false));
    // One after the other, each with an answer: bare `tiny_http` leaves some of those that come at once waiting.
    let mut streams: Vec<TcpStream> = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_nodelay(true).unwrap();
        ask(&mut stream, &request);
        streams.push(stream);
    }
    let begun = Instant::now();
    let mut clients = Vec::new();
    while !streams.is_empty() {
        let share = streams.split_off(streams.len().saturating_sub(CONNECTIONS / LOADERS));
        let (request, stop) = (request.clone(), stop.clone());
        clients.push(thread::spawn(move || drive(share, &request, &stop)));
    }
    thread::sleep(time);
    stop.store(true, Ordering::Relaxed);
    let mut latencies: Vec<f64> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let rate = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    (rate, latencies.get(latencies.len() * 99 / 100).copied().unwrap_or(f64::NAN))
}

/// Keeps one request under way on each connection; returns the latencies in seconds. Few threads that poll
/// take less of the machine from the server than a thread for each connection would.
fn drive(mut streams: Vec<TcpStream>, request: &[u8], stop: &AtomicBool) -> Vec<f64> {
    let mut latencies = Vec::new();
    let mut asked = vec![Instant::now(); streams.len()];
    let mut buffer = [0_u8; 4096];
    streams.iter_mut().for_each(|stream| stream.write_all(request).unwrap());
    while !stop.load(Ordering::Relaxed) {
        let mut wanted: Vec<_> = streams.iter().map(|it| PollFd::new(it, PollFlags::IN)).collect();
        poll(&mut wanted, None).unwrap();
        let ready: Vec<bool> = wanted.iter().map(|it| !it.revents().is_empty()).collect();
        let each = streams.iter_mut().zip(&mut asked).zip(ready);
        for ((stream, asked), _) in each.filter(|(_, ready)| *ready) {
            // An answer is small and comes in one piece, or is cut at its end only.
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the connection was closed");
            if buffer.get(..count).unwrap().ends_with(ANSWER.as_bytes()) {
                latencies.push(asked.elapsed().as_secs_f64());
                *asked = Instant::now();
                stream.write_all(request).unwrap();
            }
        }
    }
    latencies
}

fn request() -> Vec<u8> {
    let body = format!(r#"{{"network":"sandbox","id":"1","text":"{}"}}"#, "x".repeat(160));
    let head = "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn ask(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut seen = Vec::with_capacity(512);
    let mut buffer = [0_u8; 1024];
    while !seen.ends_with(ANSWER.as_bytes()) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection was closed");
        seen.extend(buffer.iter().take(count));
    }
}
