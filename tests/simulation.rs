//! The simulation: one seed drives the real rules, writer, store and payment round through a life of bad luck.
//!
//! The disk loses what was not synced, tears, fails and fills up; the provider loses requests and answers; posts come
//! late, twice, backdated and after their own deletion; clocks jump; the process ends at any write. After every step
//! a simple model must agree with the data file, and `verify` must hold.
//!
//! `TAGTILL_SIMULATION_SECONDS=60` runs fresh seeds for a minute, `TAGTILL_SIMULATION_SEED=…` replays one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::trivially_copy_pass_by_ref,
    reason = "a test fails by panicking"
)]

#[path = "simulation/browsers.rs"]
mod browsers;
#[path = "simulation/chance.rs"]
mod chance;
#[path = "simulation/clocks.rs"]
mod clocks;
#[path = "simulation/compare.rs"]
mod compare;
#[path = "simulation/deals.rs"]
mod deals;
#[path = "simulation/deeds.rs"]
mod deeds;
#[path = "simulation/disk.rs"]
mod disk;
#[path = "simulation/gateway.rs"]
mod gateway;
#[path = "simulation/judge.rs"]
mod judge;
#[path = "simulation/limits.rs"]
mod limits;
#[path = "simulation/lines.rs"]
mod lines;
#[path = "simulation/links.rs"]
mod links;
#[path = "simulation/model.rs"]
mod model;
#[path = "simulation/nearby.rs"]
mod nearby;
#[path = "simulation/outbox.rs"]
mod outbox;
#[path = "simulation/people.rs"]
mod people;
#[path = "simulation/settle.rs"]
mod settle;
#[path = "simulation/shop.rs"]
mod shop;
#[path = "simulation/till.rs"]
mod till;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use world::World;

/// Steps of one life.
const STEPS: u64 = 150;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One life; `Err` with what went wrong and how it came to that.
fn live(seed: u64) -> Result<World, String> {
    let mut world = World::new(seed).map_err(|wrong| format!("seed {seed}: at the start: {wrong}"))?;
    match world.run(STEPS) {
        Ok(()) => Ok(world),
        Err(wrong) => {
            let from = world.trace.len().saturating_sub(60);
            Err(format!(
                "{}\n\nseed {seed}: {wrong}\nreplay it with: TAGTILL_SIMULATION_SEED={seed} cargo test --test simulation replay",
                world.trace[from..].join("\n")
            ))
        }
    }
}

/// Lives on every core, until one goes wrong.
fn live_all(seeds: impl Iterator<Item = u64> + Send, until: Option<Instant>) {
    let seeds = Mutex::new(seeds);
    let told: Mutex<(u64, BTreeMap<String, u64>)> = Mutex::default();
    let wrong: OnceLock<String> = OnceLock::new();
    let worker = || {
        while wrong.get().is_none() && until.is_none_or(|until| Instant::now() < until) {
            let Some(seed) = seeds.lock().unwrap().next() else { return };
            match live(seed) {
                Ok(world) => {
                    let mut told = told.lock().unwrap();
                    told.0 += 1;
                    for (what, count) in world.counts {
                        *told.1.entry(what).or_default() += count;
                    }
                }
                Err(story) => drop(wrong.set(story)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    if let Some(story) = wrong.get() {
        panic!("{story}");
    }
    let (lives, counts) = told.into_inner().unwrap();
    println!("{lives} lives of {STEPS} steps: {counts:?}");
}

#[test]
fn fixed_seeds() {
    let first = number("TAGTILL_SIMULATION_FIRST");
    live_all(first.into_iter().chain(0..number("TAGTILL_SIMULATION_LIVES").unwrap_or(40)), None);
}

#[test]
fn fresh_seeds() {
    let seconds = number("TAGTILL_SIMULATION_SECONDS").unwrap_or(2);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut chance = chance::Chance::new(now.as_nanos() as u64);
    let seeds = std::iter::repeat_with(|| chance.next() >> 16);
    live_all(seeds, Some(Instant::now() + Duration::from_secs(seconds)));
}

#[test]
fn replay() {
    let Some(seed) = number("TAGTILL_SIMULATION_SEED") else { return };
    match live(seed) {
        Ok(world) => println!("{}\nseed {seed}: nothing went wrong", world.trace.join("\n")),
        Err(story) => panic!("{story}"),
    }
}

#[test]
fn the_same_seed_is_the_same_life() {
    for seed in [7, 8] {
        assert_eq!(live(seed).map(|world| world.digest()), live(seed).map(|world| world.digest()));
    }
}
