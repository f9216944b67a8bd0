//! How fast a network's captures may go: beyond the limit of an hour they wait until an operator says so.
//!
//! What waits is confirmed and keeps its units; nothing is lost, nothing is charged twice.

use super::context::Context;
use super::id::PurchaseId;
use super::limit;
use super::rate::HOUR_MS;
use super::record::{WorkKind, WorkRecord};
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{Captures, Text, Work};
use super::time::Time;
use std::ops::ControlFlow;

/// When work is due that waits for an operator.
pub const NEVER: Time = Time::MAX;

/// Up to this limit every capture is counted; of more, a share of them, chosen by chance, counts for all: at a thousand
/// counted the error is a few percent, and a busy till does not write the same number again and again.
const COUNTED_ALL: u32 = 1000;

/// Counts a capture of a network that begins; says when the gateway may be asked.
pub fn begin<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    network: &str,
    purchase: PurchaseId,
) -> Result<Time, StateError> {
    let Some(most) = limit::current(state)?.captures_per_hour else { return Ok(cx.now) };
    let key = Text(network.to_owned());
    let mut record = state.get::<Captures>(&key)?.unwrap_or_default();
    if record.paused_at.is_some() {
        return Ok(NEVER);
    }
    let share = (most / COUNTED_ALL).max(1);
    if !purchase.0.is_multiple_of(u128::from(share)) {
        return Ok(cx.now);
    }
    if record.hour.within(cx.now, HOUR_MS) >= most {
        record.paused_at = Some(cx.now);
        state.put::<Captures>(&key, &record)?;
        return Ok(NEVER);
    }
    record.hour = record.hour.more(share, cx.now, HOUR_MS);
    state.put::<Captures>(&key, &record)?;
    Ok(cx.now)
}

/// The networks whose captures wait for an operator, and since when.
pub fn paused<S: Read>(state: &S) -> Result<Vec<(String, Time)>, StateError> {
    let mut found = Vec::new();
    state.scan::<Captures>(&Span::all(), Direction::Up, |Text(network), record| {
        found.extend(record.paused_at.map(|since| (network, since)));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// An operator has looked: what waits goes on, and the hour begins anew.
pub fn resume<S: Write>(state: &mut S, now: Time) -> Result<(), StateError> {
    for (network, _) in paused(state)? {
        state.delete::<Captures>(&Text(network));
    }
    let mut waiting = Vec::new();
    state.scan::<Work>(&Span::all(), Direction::Up, |key, work| {
        if key.0 == WorkKind::Capture && work.due_at == NEVER {
            waiting.push((key, work));
        }
        ControlFlow::Continue(())
    })?;
    for (key, work) in waiting {
        state.put::<Work>(&key, &WorkRecord { due_at: now, ..work })?;
    }
    Ok(())
}
