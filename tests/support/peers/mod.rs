//! The networks' own servers, on this machine: a Bluesky PDS with its directory, and a server with Mastodon's API. In
//! front of each is a [`Cut`], so that a client keeps one address while the network fails.
//!
//! `tests/run` sets them up and says where they are: `TAGTILL_BLUESKY`, `TAGTILL_MASTODON` and, in its long form,
//! `TAGTILL_BLUESKY_NETWORK`.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod bluesky;
mod cut;
mod mastodon;

pub use bluesky::{BlueskyPeer, BlueskyPerson, Post};
pub use cut::Cut;
pub use mastodon::{MastodonPeer, MastodonPerson};

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Where a peer was set up; `None` where it was not.
fn place(variable: &str) -> Option<PathBuf> {
    let place = std::env::var_os(variable).map(PathBuf::from);
    if place.is_none() {
        eprintln!("{variable} is not set: nothing is tested here");
    }
    place
}

/// A script of a peer.
fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// A server that was started and says where it answers; it ends when it is dropped.
struct Server {
    child: Child,
    /// Whether it has servers of its own to end.
    parent: bool,
    /// What it said of itself.
    ready: Value,
}

impl Server {
    /// Starts it and waits until it is ready; what it complains of goes to a file.
    fn start(mut command: Command, parent: bool, log: &Path) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (said, heard) = channel();
        std::thread::spawn(move || {
            let line = lines.find_map(|line| line.ok()?.strip_prefix("READY ").map(str::to_owned));
            let _ = said.send(line);
            // What it says later is read too, so that it never waits for a reader.
            lines.for_each(drop);
        });
        let mut server = Self { child, parent, ready: Value::Null };
        let line = heard.recv_timeout(Duration::from_secs(120)).ok().flatten().unwrap_or_else(|| {
            panic!("{command:?} is not ready: {}", std::fs::read_to_string(log).unwrap_or_default())
        });
        server.ready = serde_json::from_str(&line).unwrap();
        server
    }

    /// The port of one of its addresses.
    fn port(&self, name: &str) -> u16 {
        self.ready[name].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input; it is waited for where others have to end first.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.parent && Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
