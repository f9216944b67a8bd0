//! Many at once, those who vanish, and a process without descriptors to spare.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::fort::{Fort, Siege};
use crate::raw::{Raw, head, news, post, post_with};
use crate::support::{Site, Till, wait_for};

/// Descriptors that a test may need.
const DESCRIPTORS: u64 = 6_000;

fn raise_descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < DESCRIPTORS) {
        assert!(
            maximum.is_none_or(|maximum| maximum >= DESCRIPTORS),
            "this test needs {DESCRIPTORS} descriptors: raise the hard limit (ulimit -Hn)"
        );
        setrlimit(Resource::Nofile, Rlimit { current: Some(DESCRIPTORS), maximum }).unwrap();
    }
}

/// Opens all connections, then sends on all, then reads from all.
fn all_at_once(siege: &Siege<'_>, count: usize) {
    let mut crowd: Vec<Raw> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut raw = Raw::connect(siege.addr);
        raw.send(post(&news()));
        crowd.push(raw);
    }
    for mut raw in crowd {
        assert_eq!(raw.answer().map(|answer| answer.status), Some(200));
    }
}

#[test]
fn connections_64_at_once() {
    Fort::new(16).stands(1, |siege| siege.repeat(|| all_at_once(siege, 64)));
}

#[test]
fn connections_512_at_once() {
    Fort::new(16).stands(1, |siege| siege.repeat(|| all_at_once(siege, 512)));
}

#[test]
fn connections_5000_at_once() {
    raise_descriptors();
    Fort::new(128).stands(1, |siege| siege.repeat(|| all_at_once(siege, 5_000)));
}

#[test]
fn resets_half_way() {
    let half_head = head("POST", "/v1/posts");
    let half_body = post_with("Content-Length: 50000\r\n", &"h".repeat(20_000));
    let half_chunk = post_with("Transfer-Encoding: chunked\r\n", "ff\r\nhalf");
    let waits = format!("{}\r\n", head("GET", "/v1/replies?network=sandbox&wait_seconds=20"));
    let document = format!("{}\r\n", head("GET", "/v1/openapi.json"));
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            let whole = post(&news());
            for bytes in ["", "G", &half_head, &half_body, &half_chunk, &waits, &document, &whole] {
                let mut raw = Raw::connect(siege.addr);
                raw.send(bytes);
                raw.reset();
            }
            // In the middle of the answer.
            let mut raw = Raw::connect(siege.addr);
            raw.send(&document);
            let _ = raw.stream.peek(&mut [0]);
            raw.reset();
        });
    });
}

/// A till that may open few descriptors, and what it logs.
fn poor(limit: usize, slots: usize) -> (Fort, std::path::PathBuf) {
    let site = Site::new();
    let log = site.path("log");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -n {limit}; exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_tagtill"));
    shell.env("TAGTILL_LOG", "warn").stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let till: Till = site.start_as(shell, &["--sandbox"], &["--slots", &slots.to_string()]);
    (Fort::of(site, till), log)
}

#[test]
fn emfile() {
    let (fort, log) = poor(200, 400);
    fort.stands(2, |siege| {
        let crowd = Mutex::new(Vec::new());
        siege.repeat(|| {
            let mut crowd = crowd.lock().unwrap();
            crowd.clear();
            for turn in 0..300 {
                let mut raw = Raw::connect(siege.addr);
                raw.send(["", "GET /", &post(&news())][turn % 3]);
                crowd.push(raw);
            }
            drop(crowd);
            wait_for("the end of the descriptors", || {
                let said = std::fs::read_to_string(&log).unwrap();
                said.contains("cannot accept a connection").then_some(())
            });
            thread::yield_now();
        });
    });
}
