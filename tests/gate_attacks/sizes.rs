//! Too much, too fast, and nobody who reads it.

use std::io::Write;
use std::thread;

use crate::fort::Fort;
use crate::raw::{Raw, head, news, post};

/// Bytes of an endless head.
const HEAD_BYTES: usize = 200 * 1024 * 1024;
/// More memory than an attack may take even for a moment, in KiB.
const PEAK_MARGIN_KIB: usize = 48 * 1024;

/// Sends a head without end; the answer has to come long before all is sent.
fn endless(addr: std::net::SocketAddr, begin: &str, more: &str, status: u16) {
    let mut raw = Raw::connect(addr);
    let mut writer = raw.stream.try_clone().unwrap();
    let block = more.repeat(64 * 1024 / more.len());
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut sent = 0;
            if writer.write_all(begin.as_bytes()).is_ok() {
                while sent < HEAD_BYTES && writer.write_all(block.as_bytes()).is_ok() {
                    sent += block.len();
                }
            }
        });
        let answer = raw.answer().expect("an answer while the head goes on");
        assert!(answer.closes);
        assert_eq!(answer.status, status);
        assert!(raw.answer().is_none());
    });
}

#[test]
fn heads_of_200_mb() {
    let begin = head("GET", "/v1/events");
    let header = format!("X-Long: {}\r\n", "y".repeat(1000));
    let peak = Fort::new(16).stands(3, |siege| {
        siege.repeat(|| {
            endless(siege.addr, "GET /", "a", 414);
            endless(siege.addr, &begin, &header, 431);
            endless(siege.addr, &begin, "X-Longer: ", 431);
        });
    });
    assert!(peak < PEAK_MARGIN_KIB, "{peak} KiB more than before");
}

#[test]
fn pipelining_without_reading() {
    let document = format!("{}\r\n", head("GET", "/v1/openapi.json"));
    let peak = Fort::new(16).stands(8, |siege| {
        siege.repeat(|| {
            let crowd: Vec<Raw> = (0..8)
                .map(|turn| {
                    let mut raw = Raw::connect(siege.addr);
                    // Ended by us or not, at once or in pieces.
                    raw.stream.set_write_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
                    let request = if turn % 2 == 0 { document.clone() } else { post(&news()) };
                    for _ in 0..10 {
                        raw.send(request.repeat(100));
                    }
                    raw
                })
                .collect();
            drop(crowd);
        });
    });
    assert!(peak < PEAK_MARGIN_KIB, "{peak} KiB more than before");
}
