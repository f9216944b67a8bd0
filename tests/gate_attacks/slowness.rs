//! Clients that take their time: the places that they take are taken back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::fort::{Fort, Siege};
use crate::raw::{Raw, head, post_with};

const SLOTS: usize = 32;
/// Of each of the attackers; together more than there are slots.
const CONNECTIONS: usize = 40;
const ATTACKERS: usize = 3;

/// Connections that begin like this and go on with a byte each, as often as said; whoever is shown out begins
/// again.
fn drip(siege: &Siege<'_>, begin: &str, every: Duration) {
    let mut crowd: Vec<Raw> = Vec::new();
    siege.repeat(|| {
        for _ in 0..3 {
            crowd.resize_with(CONNECTIONS, || begun(siege, begin));
            std::thread::sleep(every);
            crowd.retain_mut(|raw| raw.send("a"));
        }
    });
}

fn begun(siege: &Siege<'_>, begin: &str) -> Raw {
    let mut raw = Raw::connect(siege.addr);
    raw.send(begin);
    raw
}

fn head_begun() -> String {
    format!("{}X-Slow: ", head("GET", "/v1/events"))
}

fn body_begun() -> String {
    post_with("Content-Length: 100000\r\n", "{")
}

#[test]
fn slow_heads() {
    let begin = head_begun();
    Fort::new(SLOTS).stands(ATTACKERS, |siege| drip(siege, &begin, Duration::from_millis(100)));
}

#[test]
fn slow_bodies() {
    let begin = body_begun();
    Fort::new(SLOTS).stands(ATTACKERS, |siege| drip(siege, &begin, Duration::from_millis(100)));
}

#[test]
fn one_byte_a_second() {
    let begins = [head_begun(), body_begun(), "G".to_owned(), String::new()];
    let next = AtomicUsize::new(0);
    Fort::new(SLOTS).stands(begins.len(), |siege| {
        let begin = &begins[next.fetch_add(1, Ordering::Relaxed)];
        drip(siege, begin, Duration::from_secs(1));
    });
}
