//! Reading the log and the journal, once for all who follow them, a slice at a time.

use super::shelf::Shelf;
use super::tally::{Seen, Tally};
use crate::till::id::{EntryId, OrderId};
use crate::till::record::{EventKind, EventRecord, OrderStatus};
use crate::till::state::{Direction, Key as _, Read, Span, StateError};
use crate::till::table::{Counter, Counters, Events, Journal, Orders, Purchases};
use crate::till::time::Time;
use std::ops::ControlFlow;

/// Rows that are read at a time.
const SLICE_ROWS: usize = 20_000;
/// Only of sales that are as new as this is it looked up how many units they were.
const UNITS_MS: i64 = 3_600_000;

/// The sequence of the last event.
pub fn last<S: Read>(state: &S) -> Result<u64, StateError> {
    Ok(state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0))
}

/// The last event before a time. Events lie in the order of time, so halving finds it.
pub fn last_before<S: Read>(state: &S, since: Time) -> Result<u64, StateError> {
    let (mut low, mut high) = (0, last(state)?);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if state.get::<Events>(&middle)?.is_none_or(|event| event.at < since) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// An event with what else has to be known of it.
fn seen<S: Read>(state: &S, now: Time, event: &EventRecord) -> Result<Seen, StateError> {
    let mut seen = Seen { event: *event, last_parcel: false, units: 1 };
    match (event.kind, event.order, event.purchase) {
        (EventKind::OrderShipped, Some(order), _) => {
            let order = state.get::<Orders>(&order)?;
            seen.last_parcel = order.is_some_and(|order| {
                order.status != OrderStatus::Unfulfilled && order.shipped_at == Some(event.at)
            });
        }
        (EventKind::PurchasePaid, _, Some(purchase)) if now.ms_since(event.at) < UNITS_MS => {
            seen.units = state.get::<Purchases>(&purchase)?.map_or(1, |purchase| purchase.units);
        }
        _ => {}
    }
    Ok(seen)
}

/// Reads on for everybody; whether that was all there is. Who is furthest goes first, and who is behind reads until
/// there: then they read on together.
pub fn follow<S: Read>(
    state: &S,
    now: Time,
    shelf: &mut Shelf,
    tallies: &mut [Tally],
) -> Result<bool, StateError> {
    let end = last(state)?;
    let mut places: Vec<u64> = tallies.iter().map(|tally| tally.events).chain([shelf.events]).collect();
    places.sort_unstable_by(|one, other| other.cmp(one));
    places.dedup();
    let mut until = end;
    for place in places {
        let read = read_events(state, now, place, until, |seen| {
            if shelf.events == place {
                shelf.take(seen);
            }
            tallies.iter_mut().filter(|tally| tally.events == place).for_each(|tally| tally.take(seen));
        })?;
        if shelf.events == place {
            shelf.events = read;
        }
        tallies.iter_mut().filter(|tally| tally.events == place).for_each(|tally| tally.events = read);
        until = read;
    }
    let journal = follow_journal(state, tallies)?;
    let mut orders = true;
    for tally in tallies.iter_mut().filter(|tally| tally.events == end) {
        orders &= read_old_orders(state, tally)?;
    }
    Ok(journal && orders && shelf.events == end && tallies.iter().all(|tally| tally.events == end))
}

/// Looks at a slice of the orders from before the counting; whether that was all.
fn read_old_orders<S: Read>(state: &S, tally: &mut Tally) -> Result<bool, StateError> {
    let Some((read, end)) = tally.old_orders() else { return Ok(true) };
    let span = Span::all().after(&read.encode()).before(&OrderId(end.0.saturating_add(1)).encode());
    let (mut rows, mut last) = (0, end);
    state.scan::<Orders>(&span, Direction::Up, |id, order| {
        tally.take_old(id, &order);
        rows += 1;
        if rows == SLICE_ROWS {
            last = id;
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    tally.old_orders_until(last);
    Ok(last == end)
}

/// Shows the events after `place` up to `until`, a slice of them; the last that was shown, or `until`.
fn read_events<S: Read>(
    state: &S,
    now: Time,
    place: u64,
    until: u64,
    mut show: impl FnMut(&Seen),
) -> Result<u64, StateError> {
    if place >= until {
        return Ok(place);
    }
    let span = Span::all().after(&place.encode()).before(&until.saturating_add(1).encode());
    let (mut rows, mut last, mut wrong) = (0, until, None);
    state.scan::<Events>(&span, Direction::Up, |sequence, event| {
        match seen(state, now, &event) {
            Ok(seen) => show(&seen),
            Err(error) => wrong = Some(error),
        }
        rows += 1;
        let stop = wrong.is_some() || rows == SLICE_ROWS;
        if stop {
            last = sequence;
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    wrong.map_or(Ok(last), Err)
}

/// The same of the journal; whether that was all.
fn follow_journal<S: Read>(state: &S, tallies: &mut [Tally]) -> Result<bool, StateError> {
    let mut places: Vec<EntryId> = tallies.iter().map(|tally| tally.entries).collect();
    places.sort_unstable_by(|one, other| other.cmp(one));
    places.dedup();
    let (mut until, mut all): (Option<EntryId>, bool) = (None, true);
    for place in places {
        let span = Span::all().after(&place.encode());
        let span = match until {
            Some(until) => span.before(&EntryId(until.0.saturating_add(1)).encode()),
            None => span,
        };
        let (mut rows, mut last, mut cut) = (0, place, false);
        state.scan::<Journal>(&span, Direction::Up, |id, entry| {
            tallies.iter_mut().filter(|tally| tally.entries == place).for_each(|tally| tally.enter(&entry));
            (last, rows) = (id, rows + 1);
            cut = rows == SLICE_ROWS;
            if cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        all &= !cut;
        let last = if cut { last } else { until.unwrap_or(last) };
        tallies.iter_mut().filter(|tally| tally.entries == place).for_each(|tally| tally.entries = last);
        until = Some(last);
    }
    Ok(all)
}
