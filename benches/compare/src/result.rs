//! What a peer did in one round.

/// A peer's figures of one round.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Flows a second: a purchase and its confirmation, each answered after it was durable.
    pub flows_per_second: f64,
    /// From asking for the purchase to the answer to the confirmation: half of them took no longer.
    pub p50_ms: f64,
    /// The same for 99 of 100.
    pub p99_ms: f64,
}

impl Figures {
    /// Figures of flows that ended within `seconds`, with their latencies in microseconds.
    pub fn of(mut micros: Vec<u64>, seconds: f64) -> Result<Self, String> {
        micros.sort_unstable();
        let at = |share: f64| {
            let place = ((micros.len() as f64 * share) as usize).min(micros.len().saturating_sub(1));
            micros.get(place).map(|&micros| micros as f64 / 1000.0).ok_or("no flow ended in a round")
        };
        Ok(Self { flows_per_second: micros.len() as f64 / seconds, p50_ms: at(0.5)?, p99_ms: at(0.99)? })
    }
}

/// How each round is run.
#[derive(Clone, Debug)]
pub struct Round {
    /// A fresh folder for this peer and round.
    pub folder: std::path::PathBuf,
    /// Connections, or requests under way where there is no connection.
    pub connections: usize,
    /// How long is measured, in seconds; a second before does not count.
    pub seconds: u64,
    /// Accounts that buy.
    pub accounts: u64,
}

/// From one buyer to the next: a prime, so that buyers come as strangers do and everybody once before anybody twice.
pub const STRIDE: u64 = 7_368_787;
/// The first post's id: those of a network have 19 digits.
pub const FIRST_POST: u64 = 1_900_000_000_000_000_000;
