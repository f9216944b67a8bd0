//! What the bridge of a network leaves with the till: who it posts as, how far it has read, and what it asks about.

use super::check;
use super::command::Outcome;
use super::id::OfferId;
use super::network::{self, TEXT_LIMIT_MIN};
use super::record::{CursorRecord, NetworkRecord, OwnIdentity};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{
    Cursors, Deadlines, Hashtags, Networks, Offers, OnNetwork, Purchases, Stocks, Text, Waiting,
};
use super::time::Time;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 4096;
/// The longest name of a stream.
const STREAM_BYTES_MAX: usize = 64;
/// Hashtags that a bridge is told at most.
const HASHTAGS_MAX: usize = 10_000;

/// Posts that a bridge is told at most because they hold something.
const HELD_MAX: usize = 1000;
/// Holds and places in line that are looked at for that.
const HELD_LOOK_MAX: usize = 5000;

/// What would change of a network's settings by what its bridge says of itself; `None`: nothing.
///
/// A bridge knows who it posts as, and the longest text that its server takes: that only ever lowers the limit.
pub fn announced<S: Read>(
    state: &S,
    slug: &str,
    own: Option<&OwnIdentity>,
    text_limit: Option<u32>,
) -> Result<Option<NetworkRecord>> {
    let mut settings = network::must_find(state, slug)?;
    if let Some(own) = own {
        network::check_own(own)?;
    }
    if let Some(limit) = text_limit {
        check::within("text_limit", u64::from(limit), TEXT_LIMIT_MIN as u64, u64::from(u32::MAX))?;
    }
    let other = own.filter(|own| settings.own.as_ref() != Some(own));
    let lower = text_limit.filter(|limit| *limit < settings.text_limit);
    if other.is_none() && lower.is_none() {
        return Ok(None);
    }
    settings.own = other.cloned().or(settings.own);
    settings.text_limit = lower.unwrap_or(settings.text_limit);
    Ok(Some(settings))
}

/// Keeps what a bridge says of itself.
pub fn announce<S: Write>(
    state: &mut S,
    slug: &str,
    own: Option<&OwnIdentity>,
    text_limit: Option<u32>,
) -> Result<Outcome> {
    if let Some(settings) = announced(state, slug, own, text_limit)? {
        state.put::<Networks>(&Text(slug.to_owned()), &settings)?;
    }
    Ok(Outcome::Network(slug.to_owned()))
}

/// The hashtags that a network's posts are judged by, folded and in order: those of offers that are there, of those
/// that ended no longer ago than the network's posts may be old, and of those with holds.
pub fn hashtags<S: Read>(state: &S, now: Time, settings: &NetworkRecord) -> Result<Vec<String>, StateError> {
    let (mut taken, mut live, mut failed) = (Vec::new(), HashMap::<OfferId, bool>::new(), None);
    state.scan::<Hashtags>(&Span::all(), Direction::Up, |Text(tag), record| {
        let counts = match live.get(&record.offer) {
            Some(counts) => Ok(*counts),
            None => is_live(state, now, settings, record.offer),
        };
        match counts {
            Ok(counts) => {
                live.insert(record.offer, counts);
                taken.extend(counts.then_some(tag));
            }
            Err(error) => failed = Some(error),
        }
        if failed.is_none() && taken.len() < HASHTAGS_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(taken), Err)
}

fn is_live<S: Read>(state: &S, now: Time, settings: &NetworkRecord, id: OfferId) -> Result<bool, StateError> {
    let offer = state.must::<Offers>(&id)?;
    let age_ms = i64::from(settings.max_post_age_seconds) * 1000;
    let gone = offer.is_over(now) && offer.over_since().is_some_and(|end| now.ms_since(end) > age_ms);
    Ok(!gone || state.must::<Stocks>(&id)?.all.held > 0)
}

/// The posts of a network whose deletion would let something go: those with a hold that nobody has confirmed, what
/// ends first at the front, then those that wait in line. At most [`HELD_MAX`], of at most [`HELD_LOOK_MAX`] looked at.
pub fn held<S: Read>(state: &S, network: &str) -> Result<Vec<String>, StateError> {
    let (mut pending, mut posts) = (Vec::new(), Vec::new());
    state.scan::<Deadlines>(&Span::all(), Direction::Up, |(_, purchase), ()| {
        pending.push(purchase);
        if pending.len() < HELD_LOOK_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for id in pending {
        let purchase = state.must::<Purchases>(&id)?;
        if purchase.network == network && posts.len() < HELD_MAX {
            posts.push(purchase.post);
        }
    }
    let mut looked = 0;
    state.scan::<Waiting>(&Span::all(), Direction::Up, |_, waiting| {
        looked += 1;
        if waiting.network == network && posts.len() < HELD_MAX {
            posts.push(waiting.post);
        }
        if looked < HELD_LOOK_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(posts)
}

/// Where the cursor of a stream is kept.
pub fn cursor_key<S: Read>(state: &S, network: &str, stream: &str) -> Result<OnNetwork> {
    network::must_find(state, network)?;
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:".contains(c);
    if !(1..=STREAM_BYTES_MAX).contains(&stream.len()) || !stream.chars().all(fine) {
        let detail = "must be 1 to 64 of a-z, 0-9, -, _, . and :";
        return Err(Refusal::invalid("stream", detail).into());
    }
    Ok(OnNetwork::new(network, stream))
}

/// Keeps how far a bridge has read. One that says what was kept before loses to another that has moved it since.
pub fn keep<S: Write>(
    state: &mut S,
    now: Time,
    (network, stream): (&str, &str),
    cursor: &str,
    was: Option<Option<&str>>,
) -> Result<Outcome> {
    let key = cursor_key(state, network, stream)?;
    check_cursor("cursor", cursor)?;
    if let Some(Some(was)) = was {
        check_cursor("was", was)?;
    }
    let kept = state.get::<Cursors>(&key)?.map(|record| record.cursor);
    if was.is_some_and(|was| kept.as_deref() != was && kept.as_deref() != Some(cursor)) {
        let detail = "Another bridge has moved this cursor since: two bridges run for this network.";
        return Err(Refusal::conflict(detail).into());
    }
    state.put::<Cursors>(&key, &CursorRecord { cursor: cursor.to_owned(), updated_at: now })?;
    Ok(Outcome::Done)
}

fn check_cursor(field: &str, value: &str) -> Result<()> {
    if (1..=CURSOR_BYTES_MAX).contains(&value.len()) && !value.chars().any(char::is_control) {
        return Ok(());
    }
    let detail = format!("must be 1 to {CURSOR_BYTES_MAX} bytes without control characters");
    Err(Refusal::invalid(field, detail).into())
}
