//! The gate of the real binary under attack. While each attack runs, two well-behaved clients are answered, one
//! that keeps its connection and one that comes anew each time; afterwards no thread, descriptor or memory of
//! the attack is left in the till's process.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod support;

#[path = "gate_attacks/crowds.rs"]
mod crowds;
#[path = "gate_attacks/fort.rs"]
mod fort;
#[path = "gate_attacks/framing.rs"]
mod framing;
#[path = "gate_attacks/protocols.rs"]
mod protocols;
#[path = "gate_attacks/raw.rs"]
mod raw;
#[path = "gate_attacks/sizes.rs"]
mod sizes;
#[path = "gate_attacks/slowness.rs"]
mod slowness;
