//! Lists: newest first, a bounded page at a time, with an opaque cursor to the next.
//!
//! A cursor holds the epoch of the file, the table and the last key shown. A restore begins a new epoch: what a
//! client has read of the old one need not be what this file holds, so an old cursor is refused, not continued.

use super::call::Call;
use super::problem::Problem;
use super::route::Param;
use crate::store::Snapshot;
use crate::till::state::{Direction, Key, Read as _, Span, StateError, Table};
use crate::till::table::{Only, Settings};
use crate::till::time::Time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::ControlFlow;

/// The longest page.
pub const LIMIT_MAX: u32 = 200;
/// A page's length, unless asked otherwise.
pub const LIMIT_DEFAULT: u32 = 50;
/// Rows that one request looks at, however few of them match.
pub const SCAN_MAX: usize = 10_000;

/// `limit`, on every list.
pub const LIMIT: Param =
    Param::new::<u32>("limit", "How many to show: 1 to 200, 50 unless given; more is taken as 200.");
/// `cursor`, on every list.
pub const CURSOR: Param =
    Param::new::<String>("cursor", "Where to go on: the next_cursor of the page before.");

/// `from`, on lists in the order of time.
pub const FROM: Param = Param::new::<Time>("from", "Only what is from then or later; RFC 3339.");
/// `to`, on lists in the order of time.
pub const TO: Param = Param::new::<Time>("to", "Only what is from before that; RFC 3339.");

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{V}Page")]
pub struct Page<V> {
    /// Newest first, unless said otherwise.
    pub data: Vec<V>,
    /// Where the next page begins; null at the end. A page with filters may be short, even empty, and go on.
    pub next_cursor: Option<String>,
}

/// How many to show.
pub fn limit(call: &Call) -> Result<usize, Problem> {
    let limit = call.query.capped("limit", 1, LIMIT_MAX, LIMIT_DEFAULT)?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Which time is asked for.
pub fn times(call: &Call) -> Result<(Option<Time>, Option<Time>), Problem> {
    let read =
        |name| call.query.read(name, |text| Time::parse(text).ok(), "a time like 2013-02-12T14:00:00Z");
    let (from, to) = (read("from")?, read("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(Problem::unreadable("to", "must come after from"));
    }
    Ok((from, to))
}

/// Where what was made in that time lies: `first_at` is the smallest key of a moment.
pub fn span_of_time<K: Key>(call: &Call, first_at: impl Fn(Time) -> K) -> Result<Span, Problem> {
    let (from, to) = times(call)?;
    let start = from.map_or_else(Vec::new, |from| first_at(from).encode());
    Ok(Span { start, end: to.map(|to| first_at(to).encode()) })
}

/// A page of the records of `T` that `matches`, shown as `view` does.
pub fn page<T: Table, V>(
    snapshot: &Snapshot,
    call: &Call,
    matches: impl Fn(&T::Record) -> bool,
    view: impl FnMut(&Snapshot, T::Key, &T::Record) -> Result<V, StateError>,
) -> Result<Page<V>, Problem> {
    page_in::<T, V>(snapshot, call, (Span::all(), Direction::Down), matches, view)
}

/// The same of a part of the table, in either direction.
pub fn page_in<T: Table, V>(
    snapshot: &Snapshot,
    call: &Call,
    (span, direction): (Span, Direction),
    matches: impl Fn(&T::Record) -> bool,
    mut view: impl FnMut(&Snapshot, T::Key, &T::Record) -> Result<V, StateError>,
) -> Result<Page<V>, Problem> {
    let limit = limit(call)?;
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let span = rest::<T>(call, epoch, (span, direction))?;
    let mut rows = Vec::new();
    let (mut seen, mut last, mut more) = (0, None, false);
    snapshot.scan::<T>(&span, direction, |key, record| {
        if seen >= SCAN_MAX || (rows.len() >= limit && matches(&record)) {
            more = true;
            return ControlFlow::Break(());
        }
        seen += 1;
        last = Some(key.encode());
        if matches(&record) {
            rows.push((key, record));
        }
        ControlFlow::Continue(())
    })?;
    let data =
        rows.into_iter().map(|(key, record)| view(snapshot, key, &record)).collect::<Result<_, _>>()?;
    let next_cursor = last.filter(|_| more).map(|key| write_cursor::<T>(epoch, &key));
    Ok(Page { data, next_cursor })
}

/// The same of the records under `keys` alone, which come newest first, as the page shows them.
pub fn page_among<T: Table, V>(
    snapshot: &Snapshot,
    call: &Call,
    (span, keys): (Span, Vec<T::Key>),
    matches: impl Fn(&T::Record) -> bool,
    mut view: impl FnMut(&Snapshot, T::Key, &T::Record) -> Result<V, StateError>,
) -> Result<Page<V>, Problem> {
    let limit = limit(call)?;
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let span = rest::<T>(call, epoch, (span, Direction::Down))?;
    let (mut data, mut last, mut more) = (Vec::new(), None, false);
    for key in keys {
        let bytes = key.encode();
        if bytes < span.start || span.end.as_ref().is_some_and(|end| bytes >= *end) {
            continue;
        }
        let Some(record) = snapshot.get::<T>(&key)?.filter(|record| matches(record)) else { continue };
        if data.len() >= limit {
            more = true;
            break;
        }
        last = Some(bytes);
        data.push(view(snapshot, key, &record)?);
    }
    let next_cursor = last.filter(|_| more).map(|key| write_cursor::<T>(epoch, &key));
    Ok(Page { data, next_cursor })
}

/// What of a span is left to show, by the cursor that came.
fn rest<T: Table>(call: &Call, epoch: u32, (span, direction): (Span, Direction)) -> Result<Span, Problem> {
    let Some(text) = call.query.get("cursor").filter(|cursor| !cursor.is_empty()) else { return Ok(span) };
    let last = read_cursor::<T>(epoch, text)?;
    Ok(if direction == Direction::Up { span.after(&last) } else { span.before(&last) })
}

fn write_cursor<T: Table>(epoch: u32, key: &[u8]) -> String {
    let mut bytes = epoch.to_be_bytes().to_vec();
    bytes.extend_from_slice(T::NAME.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(key);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor<T: Table>(epoch: u32, text: &str) -> Result<Vec<u8>, Problem> {
    let wrong = || Problem::unreadable("cursor", "is not a next_cursor of this list");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let (of, rest) = bytes.split_at_checked(4).ok_or_else(wrong)?;
    let rest =
        rest.strip_prefix(T::NAME.as_bytes()).and_then(|rest| rest.strip_prefix(&[0])).ok_or_else(wrong)?;
    if T::Key::decode(rest).is_none() {
        return Err(wrong());
    }
    if of != epoch.to_be_bytes() {
        let detail = "is from before this till was restored from a backup; begin again without it";
        return Err(Problem::unreadable("cursor", detail));
    }
    Ok(rest.to_vec())
}
