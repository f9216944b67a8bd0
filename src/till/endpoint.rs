//! Webhook endpoints: one ordered cursor each over the log, at least once, retried for three days.
//!
//! An event that does not arrive holds back those after it, at its own endpoint only. Nothing is ever skipped: an
//! endpoint that fails for too long is disabled, and goes on where it stopped once somebody enables it.

use super::command::Outcome;
use super::context::Context;
use super::id::{DeliveryId, EndpointId, MerchantId};
use super::record::{DeliveryRecord, EndpointRecord, EndpointStatus};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Key as _, Read, Span, StateError, Write};
use super::table::{Counter, Counters, Deliveries, Endpoints, Events, Merchants, Only, Resends, Settings};
use super::time::Time;
use std::ops::ControlFlow;

/// Pauses before the second try, the third, and so on, in seconds (Standard Webhooks, operational considerations).
const PAUSES_SECONDS: [i64; 9] =
    [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// A receiver may ask for no longer a pause than this.
const RETRY_AFTER_SECONDS_MAX: u32 = 24 * 3600;
/// So long deliveries are signed with the old secret, too, once it was rotated.
const ROTATION_SECONDS: i64 = 24 * 3600;
/// Endpoints of one merchant, or of the operator.
const ENDPOINTS_MAX: usize = 20;
/// So many events are looked at to find one that an endpoint was not sent yet.
const UNSENT_LOOKS: u32 = 100;
/// The longest address.
const URL_BYTES_MAX: usize = 2048;
/// The type of a test.
pub const TEST: &str = "webhook.test";

/// A change to an endpoint; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Where.
    pub url: Option<String>,
    /// Which types.
    pub events: Option<Vec<String>>,
    /// Whether it is sent anything.
    pub status: Option<EndpointStatus>,
    /// A new secret; the old one signs on for a day.
    pub secret: Option<String>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The event's sequence; 0: a test.
    pub event: u64,
    /// Whether somebody asked for it.
    pub resent: bool,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: u32,
    /// How long the receiver asked to wait.
    pub retry_after_seconds: Option<u32>,
    /// Chance, from 0 to 999: retries of many endpoints do not come at the same moment.
    pub jitter: u32,
}

/// What events an endpoint may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// A test.
    Test,
    /// What one delivery was about, once.
    Delivery(DeliveryId),
    /// Everything since a time, in order.
    Since(Time),
}

/// Makes an endpoint: it is sent what happens from now on.
pub fn create<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    merchant: Option<MerchantId>,
    url: &str,
    events: &[String],
    secret: &str,
) -> Result<Outcome> {
    if let Some(merchant) = merchant
        && state.get::<Merchants>(&merchant)?.is_none()
    {
        return Err(Refusal::invalid("merchant", "is no merchant of this till").into());
    }
    check_url(state, url)?;
    check_events(events)?;
    let mut own = 0;
    state.scan::<Endpoints>(&Span::all(), Direction::Up, |_, endpoint| {
        own += usize::from(endpoint.merchant == merchant);
        ControlFlow::Continue(())
    })?;
    if own >= ENDPOINTS_MAX {
        let detail = format!("There are {ENDPOINTS_MAX} endpoints already; delete one first.");
        return Err(Refusal::conflict(detail).into());
    }
    let id = EndpointId(cx.id());
    let record = EndpointRecord {
        merchant,
        url: url.to_owned(),
        events: events.to_vec(),
        secret: secret.to_owned(),
        old_secret: None,
        status: EndpointStatus::Enabled,
        reason: None,
        created_at: cx.now,
        cursor: state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0),
        failures: 0,
        due_at: cx.now,
    };
    state.put::<Endpoints>(&id, &record)?;
    Ok(Outcome::Endpoint(id))
}

/// Changes an endpoint. Enabling it begins its tries anew.
pub fn update<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: EndpointId,
    merchant: Option<MerchantId>,
    change: &EndpointChange,
) -> Result<Outcome> {
    let mut record = must_find(state, id, merchant)?;
    if let Some(url) = &change.url {
        check_url(state, url)?;
        record.url.clone_from(url);
    }
    if let Some(events) = &change.events {
        check_events(events)?;
        record.events.clone_from(events);
    }
    if let Some(secret) = &change.secret {
        let old = std::mem::replace(&mut record.secret, secret.clone());
        record.old_secret = Some((old, cx.now.plus_seconds(ROTATION_SECONDS)));
    }
    if let Some(status) = change.status {
        record.status = status;
        record.reason = None;
    }
    (record.failures, record.due_at) = (0, cx.now);
    state.put::<Endpoints>(&id, &record)?;
    Ok(Outcome::Endpoint(id))
}

/// Removes an endpoint and what was to be sent again. What came of its deliveries stays for a while.
pub fn delete<S: Write>(state: &mut S, id: EndpointId, merchant: Option<MerchantId>) -> Result<Outcome> {
    must_find(state, id, merchant)?;
    for (key, ()) in state.first::<Resends>(&Span::prefix(id.encode()), usize::MAX)? {
        state.delete::<Resends>(&key);
    }
    state.delete::<Endpoints>(&id);
    Ok(Outcome::Endpoint(id))
}

/// Has something sent again, or a test.
pub fn again<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: EndpointId,
    merchant: Option<MerchantId>,
    what: Again,
) -> Result<Outcome> {
    let mut record = must_find(state, id, merchant)?;
    if record.status == EndpointStatus::Disabled {
        return Err(Refusal::conflict("This endpoint is disabled; enable it first.").into());
    }
    let event = match what {
        Again::Test => 0,
        Again::Delivery(delivery) => match state.get::<Deliveries>(&delivery)? {
            Some(found) if found.endpoint == id => found.event,
            _ => return Err(Refusal::not_found("delivery").into()),
        },
        Again::Since(since) => {
            // Only back: what was not delivered yet is not skipped.
            record.cursor = record.cursor.min(last_before(state, since)?);
            (record.failures, record.due_at) = (0, cx.now);
            state.put::<Endpoints>(&id, &record)?;
            return Ok(Outcome::Endpoint(id));
        }
    };
    state.put::<Resends>(&(id, event), &())?;
    Ok(Outcome::Endpoint(id))
}

/// The last event before a time. Events lie in the order of time, so halving finds it.
fn last_before<S: Read>(state: &S, since: Time) -> Result<u64> {
    let (mut low, mut high) = (0, state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        // One that is gone is older than all that are left.
        let earlier = state.get::<Events>(&middle)?.is_none_or(|event| event.at < since);
        if earlier {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// Takes in what came of a try.
pub fn tried<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: EndpointId,
    tried: &Tried,
) -> Result<Outcome> {
    let Some(mut record) = state.get::<Endpoints>(&id)? else { return Ok(Outcome::Done) };
    let attempt = if tried.resent { 1 } else { record.failures.saturating_add(1) };
    let delivery = DeliveryRecord {
        endpoint: id,
        event: tried.event,
        attempt,
        at: cx.now,
        duration_ms: tried.duration_ms,
        status: tried.status,
        error: tried.error.clone(),
        resent: tried.resent,
    };
    let arrived = delivery.arrived();
    state.put::<Deliveries>(&DeliveryId(cx.id()), &delivery)?;
    if tried.resent {
        state.delete::<Resends>(&(id, tried.event));
    } else if arrived {
        record.cursor = record.cursor.max(tried.event);
        (record.failures, record.due_at) = (0, cx.now);
    } else {
        postpone(cx, &mut record, tried);
    }
    if tried.status == Some(410) {
        disable(&mut record, "The receiver answered 410: it wants no more.");
    }
    if record.old_secret.as_ref().is_some_and(|(_, until)| *until <= cx.now) {
        record.old_secret = None;
    }
    state.put::<Endpoints>(&id, &record)?;
    Ok(Outcome::Done)
}

fn postpone(cx: &Context<'_>, record: &mut EndpointRecord, tried: &Tried) {
    let pause = usize::try_from(record.failures).ok().and_then(|failed| PAUSES_SECONDS.get(failed));
    record.failures = record.failures.saturating_add(1);
    let Some(pause) = pause else {
        let reason =
            "An event did not arrive in ten tries over three days. Enable the endpoint to go on with it.";
        disable(record, reason);
        return;
    };
    // Up to a tenth longer.
    let pause_ms = pause * 1000 + pause * i64::from(tried.jitter.min(999)) / 10;
    let asked = tried.retry_after_seconds.unwrap_or(0).min(RETRY_AFTER_SECONDS_MAX);
    record.due_at = cx.now.plus_ms(pause_ms.max(i64::from(asked) * 1000));
}

fn disable(record: &mut EndpointRecord, reason: &str) {
    record.status = EndpointStatus::Disabled;
    record.reason = Some(reason.to_owned());
}

/// None of the events up to `cursor` are an endpoint's.
pub fn passed<S: Write>(state: &mut S, id: EndpointId, from: u64, cursor: u64) -> Result<Outcome> {
    if let Some(mut record) = state.get::<Endpoints>(&id)?
        && record.cursor == from
    {
        record.cursor = cursor.max(from);
        state.put::<Endpoints>(&id, &record)?;
    }
    Ok(Outcome::Done)
}

/// Forgets what came of deliveries before `until`; returns how many.
pub fn forget<S: Write>(state: &mut S, until: Time, slice: usize) -> Result<usize> {
    let old = state.first::<Deliveries>(&Span::all().before(&DeliveryId::first_at(until).encode()), slice)?;
    for (id, _) in &old {
        state.delete::<Deliveries>(id);
    }
    Ok(old.len())
}

/// Whether an endpoint wants events of this type.
pub fn wants(events: &[String], code: &str) -> bool {
    let fits = |wanted: &String| match wanted.strip_suffix('*') {
        Some(group) => code.starts_with(group),
        None => wanted == code,
    };
    events.is_empty() || events.iter().any(fits)
}

/// When the oldest event happened that an endpoint was not sent yet; only the next few are looked at, so that a list
/// of endpoints is quick.
pub fn oldest_unsent<S: Read>(state: &S, record: &EndpointRecord) -> Result<Option<Time>, StateError> {
    let (mut left, mut found) = (UNSENT_LOOKS, None);
    let rest = Span::all().after(&record.cursor.encode());
    state.scan::<Events>(&rest, Direction::Up, |_, event| {
        let own = record.merchant.is_none() || record.merchant == event.merchant;
        if own && wants(&record.events, event.kind.code()) {
            found = Some(event.at);
        }
        left -= 1;
        if found.is_some() || left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// The endpoint that a call names; another merchant's is not found.
pub fn must_find<S: Read>(state: &S, id: EndpointId, merchant: Option<MerchantId>) -> Result<EndpointRecord> {
    match state.get::<Endpoints>(&id)? {
        Some(record) if merchant.is_none() || record.merchant == merchant => Ok(record),
        _ => Err(Refusal::not_found("webhook endpoint").into()),
    }
}

fn check_events(events: &[String]) -> Result<()> {
    match unknown_event(events) {
        Some((field, detail)) => Err(Refusal::invalid(field, detail).into()),
        None => Ok(()),
    }
}

/// The first type of a filter that there is none of: its field, and what is wrong with it.
pub fn unknown_event(events: &[String]) -> Option<(String, String)> {
    let known: Vec<&str> = super::record::EventKind::ALL.iter().map(|kind| kind.code()).collect();
    for (i, wanted) in events.iter().enumerate() {
        let fine = match wanted.strip_suffix(".*") {
            Some(group) => known.iter().any(|code| code.split('.').next() == Some(group)),
            None => known.contains(&wanted.as_str()),
        };
        if !fine {
            let detail = format!("must be one of {}, or a group like order.*", known.join(", "));
            return Some((format!("events[{i}]"), detail));
        }
    }
    (events.len() > known.len()).then(|| ("events".to_owned(), "must name each type once".to_owned()))
}

/// Where webhooks may go: over https; over plain http only to this machine, and only from a sandbox. What the name
/// leads to is checked when it is dialled.
fn check_url<S: Read>(state: &S, url: &str) -> Result<()> {
    let refuse = |why: &str| Err(Refusal::invalid("url", why).into());
    if url.len() > URL_BYTES_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("must be at most 2,048 visible ASCII characters");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return refuse("must be an address like https://shop.example/webhooks");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if authority.contains('@') {
        return refuse("must not hold a user or a password; the signature shows who sends");
    }
    if host.is_empty() || rest.contains('#') {
        return refuse("must name a host, and no fragment");
    }
    match scheme {
        "https" => Ok(()),
        "http" => {
            let settings = state.get::<Settings>(&Only)?;
            let sandbox = settings.ok_or_else(|| StateError("the file has no settings".to_owned()))?.sandbox;
            let local = ["localhost", "127.0.0.1", "::1"].contains(&host);
            if sandbox && local {
                Ok(())
            } else {
                refuse("must begin with https://; http:// is for a sandbox and a receiver on its own machine")
            }
        }
        _ => refuse("must begin with https://"),
    }
}
