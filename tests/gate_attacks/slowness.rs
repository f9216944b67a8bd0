//! Clients that take their time: the places that they take are taken back.

use std::time::{Duration, Instant};

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
    let mut turns = 0;
    siege.repeat(|| {
        crowd.resize_with(CONNECTIONS, || begun(siege, begin));
        // At least some bytes of each.
        let until = Instant::now() + every;
        while Instant::now() < until && (turns < 3 || !siege.is_over()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        crowd.retain_mut(|raw| raw.send("a"));
        turns += 1;
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
    Fort::new(SLOTS).stands(begins.len(), |siege| {
        let mut crowd: Vec<Raw> = Vec::new();
        let mut rounds = 0;
        siege.repeat(|| {
            for begin in &begins {
                crowd.extend((0..SLOTS / 2).map(|_| begun(siege, begin)));
            }
            let wanted = if rounds == 0 { 3 } else { 1 };
            for _ in 0..wanted {
                std::thread::sleep(Duration::from_secs(1));
                crowd.retain_mut(|raw| raw.send("a"));
            }
            crowd.clear();
            rounds += 1;
        });
    });
}
