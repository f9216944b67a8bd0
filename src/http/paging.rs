//! Lists: newest first, a bounded page at a time, with an opaque cursor to the next.
//!
//! A cursor holds the epoch of the file, the table and the last key shown. A restore begins a new epoch: what a
//! client has read of the old one need not be what this file holds, so an old cursor is refused, not continued.

use super::call::Call;
use super::problem::Problem;
use super::route::Param;
use crate::store::Snapshot;
use crate::till::state::{Direction, Key as _, Read as _, Span, StateError, Table};
use crate::till::table::{Only, Settings};
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
    let span = match call.query.get("cursor").filter(|cursor| !cursor.is_empty()) {
        None => span,
        Some(text) => {
            let last = read_cursor::<T>(epoch, text)?;
            if direction == Direction::Up { span.after(&last) } else { span.before(&last) }
        }
    };
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
