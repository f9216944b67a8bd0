//! From a post to its reply, over a real bridge, on each network's own server: what a buyer waits for.
//!
//! `cargo bench --bench bridges`; needs the variables that `tests/run` sets (`TAGTILL_BLUESKY`, `TAGTILL_MASTODON`), and
//! measures where they are. Each wish is posted when the one before it has been answered.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a benchmark"
)]
#![allow(missing_docs, dead_code, reason = "a benchmark that uses a part of the tests' stage")]

#[path = "../tests/bridges/bluesky.rs"]
mod bluesky;
#[path = "../tests/bridges/mastodon.rs"]
mod mastodon;
#[path = "../tests/support/peers/mod.rs"]
mod peers;
#[path = "../tests/bridges/stage.rs"]
mod stage;
#[path = "../tests/support/mod.rs"]
mod support;

use stage::{Network, Stage};
use std::time::{Duration, Instant};

/// Wishes of one run: fewer than the network lets be answered at once. Mastodon's servers take 300 requests in five
/// minutes, and a reply needs three.
fn measure(what: &str, wishes: usize, network: impl Network) {
    let mut stage = Stage::new(network);
    stage.start_bridge();
    let shop = stage.network.mention();
    let first = stage.network.post(0, &format!("{shop} #BuyTea"));
    stage.reply_to(&first);
    let yes = stage.network.post(0, &format!("{shop} #ConfirmTea"));
    stage.reply_to(&yes);
    let mut waits: Vec<Duration> = Vec::new();
    for number in 0..wishes {
        let begun = Instant::now();
        let wish = stage.network.post(0, &format!("{shop} #BuyTea {number}"));
        let posted = begun.elapsed();
        stage.reply_to(&wish);
        waits.push(begun.elapsed().saturating_sub(posted / 2));
    }
    waits.sort();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100].as_millis();
    println!(
        "{what}: from post to reply, {wishes} wishes: median {} ms, p99 {} ms, most {} ms",
        at(50),
        at(99),
        at(100)
    );
    stage.take_bridge().stop();
}

fn main() {
    if let Some(network) = bluesky::Bluesky::start() {
        measure("Bluesky, a PDS's firehose", 80, network);
    }
    if let Some(network) = bluesky::Bluesky::start_whole() {
        measure("Bluesky, all of it, notifications", 80, network);
    }
    if let Some(network) = mastodon::Mastodon::start() {
        measure("Mastodon's API, streaming", 40, network);
    }
}
