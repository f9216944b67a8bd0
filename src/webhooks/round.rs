//! One endpoint's turn: what it is to be sent next, and sending it. From committed rows only.

use super::post::{Came, Parcel, Sender};
use super::sign::sign;
use crate::engine::Handle;
use crate::store::Snapshot;
use crate::till::command::Command;
use crate::till::endpoint::{TEST, Tried, wants};
use crate::till::id::{EndpointId, EventId, MerchantId};
use crate::till::record::{EndpointRecord, EndpointStatus, EventRecord};
use crate::till::state::{Direction, Key as _, Read as _, Span, StateError};
use crate::till::table::{Endpoints, Events, Only, Resends, Settings};
use crate::till::time::Time;
use serde_json::json;
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes an event as JSON, as whoever may see it: a merchant, or the operator.
pub type Render = fn(&Snapshot, EventId, &EventRecord, Option<MerchantId>) -> Result<Vec<u8>, StateError>;

/// Events that are looked at in one go for one that an endpoint wants.
const LOOK_MAX: usize = 2000;

/// What an endpoint is to be sent.
struct Next {
    event: u64,
    resent: bool,
    id: String,
    body: Vec<u8>,
}

/// Endpoints that may have something to be sent now.
pub fn due(snapshot: &Snapshot, now: Time) -> Result<Vec<EndpointId>, StateError> {
    if snapshot.must::<Settings>(&Only)?.paused {
        return Ok(Vec::new());
    }
    let mut due = Vec::new();
    snapshot.scan::<Endpoints>(&Span::all(), Direction::Up, |id, endpoint| {
        if endpoint.status == EndpointStatus::Enabled {
            due.push((id, endpoint));
        }
        ControlFlow::Continue(())
    })?;
    let mut ids = Vec::new();
    for (id, endpoint) in due {
        let asked = !snapshot.first::<Resends>(&Span::prefix(id.encode()), 1)?.is_empty();
        let behind = || {
            let span = Span::all().after(&endpoint.cursor.encode());
            snapshot.first::<Events>(&span, 1).map(|events| !events.is_empty())
        };
        if asked || endpoint.due_at <= now && behind()? {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Sends an endpoint what comes next; returns whether there was anything.
pub fn turn(handle: &Handle, sender: &Sender, render: Render, id: EndpointId) -> Result<bool, StateError> {
    let snapshot = handle.snapshot()?;
    let Some(endpoint) = snapshot.get::<Endpoints>(&id)? else { return Ok(false) };
    let next = match asked_for(&snapshot, id, &endpoint, render)? {
        Some(next) => next,
        None if endpoint.due_at > handle.now() => return Ok(false),
        None => match following(&snapshot, &endpoint, render)? {
            Ok(next) => next,
            Err(cursor) if cursor > endpoint.cursor => {
                tell(handle, Command::EndpointPassed { endpoint: id, from: endpoint.cursor, cursor });
                return Ok(true);
            }
            Err(_) => return Ok(false),
        },
    };
    drop(snapshot);
    let came = send(sender, &endpoint, handle.now(), &next);
    let (status, error) = match came.status {
        Ok(status) => (Some(status), None),
        Err(why) => (None, Some(why)),
    };
    let tried = Tried {
        event: next.event,
        resent: next.resent,
        status,
        error,
        duration_ms: u32::try_from(came.duration.as_millis()).unwrap_or(u32::MAX),
        retry_after_seconds: came.retry_after_seconds,
        jitter: getrandom::u32().unwrap_or(0) % 1000,
    };
    tell(handle, Command::EndpointTried { endpoint: id, tried });
    Ok(true)
}

fn tell(handle: &Handle, command: Command) {
    if let Err(unavailable) = handle.call(command) {
        log::error!("what came of a webhook could not be kept, and it is sent again: {}", unavailable.0);
    }
}

/// What somebody asked to be sent again, or a test.
fn asked_for(
    snapshot: &Snapshot,
    id: EndpointId,
    endpoint: &EndpointRecord,
    render: Render,
) -> Result<Option<Next>, StateError> {
    let Some(((_, event), ())) = snapshot.first::<Resends>(&Span::prefix(id.encode()), 1)?.pop() else {
        return Ok(None);
    };
    let found = if event == 0 { None } else { snapshot.get::<Events>(&event)? };
    Ok(Some(match found {
        Some(record) => written(snapshot, endpoint, event, &record, render, true)?,
        None => test(event),
    }))
}

/// A message that is about nothing. Its id says so, and is new each time.
fn test(event: u64) -> Next {
    let id = format!("evt_test_{:016x}", getrandom::u64().unwrap_or(0));
    let created_at = Time::from_ms(wall_seconds() * 1000);
    let body = json!({"id": id, "type": TEST, "created_at": created_at, "data": {}});
    Next { event, resent: true, id, body: body.to_string().into_bytes() }
}

/// The next event that an endpoint wants; or how far there is none.
fn following(
    snapshot: &Snapshot,
    endpoint: &EndpointRecord,
    render: Render,
) -> Result<Result<Next, u64>, StateError> {
    let (mut found, mut last, mut seen) = (None, endpoint.cursor, 0);
    let span = Span::all().after(&endpoint.cursor.encode());
    snapshot.scan::<Events>(&span, Direction::Up, |sequence, event| {
        let own = endpoint.merchant.is_none() || endpoint.merchant == event.merchant;
        if own && wants(&endpoint.events, event.kind.code()) {
            found = Some((sequence, event));
            return ControlFlow::Break(());
        }
        (last, seen) = (sequence, seen + 1);
        if seen < LOOK_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    match found {
        Some((sequence, event)) => Ok(Ok(written(snapshot, endpoint, sequence, &event, render, false)?)),
        None => Ok(Err(last)),
    }
}

fn written(
    snapshot: &Snapshot,
    endpoint: &EndpointRecord,
    sequence: u64,
    event: &EventRecord,
    render: Render,
    resent: bool,
) -> Result<Next, StateError> {
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let id = EventId { epoch, sequence };
    let body = render(snapshot, id, event, endpoint.merchant)?;
    Ok(Next { event: sequence, resent, id: id.to_string(), body })
}

fn send(sender: &Sender, endpoint: &EndpointRecord, now: Time, next: &Next) -> Came {
    let old = endpoint.old_secret.as_ref().filter(|(_, until)| *until > now);
    let secrets: Vec<&str> =
        std::iter::once(&endpoint.secret).chain(old.map(|(old, _)| old)).map(String::as_str).collect();
    // By the wall: receivers know nothing of a sandbox's clock.
    let timestamp = wall_seconds();
    let signature = sign(&secrets, &next.id, timestamp, &next.body);
    let parcel =
        Parcel { url: &endpoint.url, id: &next.id, timestamp, signature: &signature, body: &next.body };
    sender.send(&parcel)
}

fn wall_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
