//! How often strangers may begin things, so that nobody can fill the file or plague somebody with codes. Counted in
//! memory, by slices of ten minutes; a restart forgets it.

use super::call::PageCall;
use crate::http::problem::{Code, Problem};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The slice of time that is counted.
const SLICE_SECONDS: u64 = 600;
/// Sessions that one address may begin in a slice.
const BY_ADDRESS: u32 = 20;
/// Sessions about one handle in a slice, whoever begins them.
const BY_HANDLE: u32 = 10;
/// Sessions in all.
const IN_ALL: u32 = 3000;
/// Forms and calls to a gateway by one address.
const STEPS_BY_ADDRESS: u32 = 200;

#[derive(Debug, Default)]
struct Counts {
    slice: u64,
    /// By a keyed hash of what is counted: the memory of whom it was about is not kept.
    now: HashMap<u64, u32>,
}

/// The counts.
#[derive(Debug)]
pub struct Limits {
    begun_at: Instant,
    keys: RandomState,
    counts: Mutex<Counts>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { begun_at: Instant::now(), keys: RandomState::new(), counts: Mutex::default() }
    }
}

impl Limits {
    /// Somebody begins a session about a handle.
    ///
    /// # Errors
    /// 429 where that is too often.
    pub fn begin(&self, call: &PageCall, network: &str, handle: &str) -> Result<(), Problem> {
        let handle = handle.trim_start_matches('@').to_lowercase();
        let passed = [
            self.count(self.keys.hash_one("all"), IN_ALL),
            self.count(self.keys.hash_one(("begin", area(call.client))), BY_ADDRESS),
            self.count(self.keys.hash_one(("handle", network, handle)), BY_HANDLE),
        ];
        check(passed.into_iter().all(|one| one))
    }

    /// Somebody takes a step.
    ///
    /// # Errors
    /// 429 where that is too often.
    pub fn step(&self, call: &PageCall) -> Result<(), Problem> {
        check(self.count(self.keys.hash_one(("step", area(call.client))), STEPS_BY_ADDRESS))
    }

    fn count(&self, key: u64, max: u32) -> bool {
        let slice = self.begun_at.elapsed().as_secs() / SLICE_SECONDS;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.slice != slice {
            *counts = Counts { slice, ..Counts::default() };
        }
        let count = counts.now.entry(key).or_default();
        *count = count.saturating_add(1);
        *count <= max
    }
}

fn check(passed: bool) -> Result<(), Problem> {
    if passed {
        return Ok(());
    }
    let detail = "That was tried very often in a short time. Please come back in ten minutes.";
    Err(Problem::new(Code::TooManyRequests, detail).with_header("Retry-After", SLICE_SECONDS.to_string()))
}

/// Whose address it is: a household has a whole /64.
fn area(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => u64::try_from(u128::from(address) >> 64).unwrap_or(0),
    }
}
