//! The thread that keeps the playground up to date while somebody looks: it waits for news of the till's log, and reads
//! again what the news are about.

use super::stage::{Ready, word};
use super::{ATTENTION, Inner, lock};
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;

/// How long it waits for news before it looks whether anybody is there still.
const WAIT_SECONDS: u32 = 20;
/// Events that are read at once.
const EVENTS_MAX: usize = 200;
/// From one reading to the next, where much happens.
const REST: Duration = Duration::from_millis(50);
/// After something went wrong.
const REST_LONG: Duration = Duration::from_secs(2);

/// Follows the till until it is told to end.
pub fn run(inner: &Inner) {
    while wait_for_attention(inner) {
        if let Err(error) = follow(inner) {
            log::warn!("the playground: {error}");
            inner.change(|world| world.trouble = Some(error));
            rest(inner, REST_LONG);
        }
    }
}

/// Waits until somebody looks; false: it is time to end.
fn wait_for_attention(inner: &Inner) -> bool {
    let looked_at = lock(&inner.looked_at);
    let unseen = inner.noticed.wait_while(looked_at, |looked_at| {
        !inner.is_ending() && looked_at.is_none_or(|at| at.elapsed() > ATTENTION)
    });
    drop(unseen.unwrap_or_else(PoisonError::into_inner));
    !inner.is_ending()
}

fn is_watched(inner: &Inner) -> bool {
    !inner.is_ending() && lock(&inner.looked_at).is_some_and(|at| at.elapsed() <= ATTENTION)
}

fn rest(inner: &Inner, time: Duration) {
    let looked_at = lock(&inner.looked_at);
    drop(inner.noticed.wait_timeout_while(looked_at, time, |_| !inner.is_ending()));
}

/// Follows the till as long as somebody looks.
fn follow(inner: &Inner) -> Result<(), String> {
    let events = |query: &str| {
        let path = format!("/v1/events?limit={EVENTS_MAX}&{query}");
        inner.setup.admin.get(&path).map_err(|error| error.to_string())
    };
    let mut after = word(&events("after=latest")?, "next_cursor").to_owned();
    let mut ready = refresh(inner)?;
    while is_watched(inner) {
        let news = events(&format!("after={after}&wait_seconds={WAIT_SECONDS}"))?;
        let rows = news.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let Some(last) = rows.last() else {
            rest(inner, REST);
            continue;
        };
        if rows.len() >= EVENTS_MAX {
            // Much more happens here than on the playground: what was missed shows in how things stand.
            word(&events("after=latest")?, "next_cursor").clone_into(&mut after);
            ready = refresh(inner)?;
        } else {
            word(last, "id").clone_into(&mut after);
            for account in rows.iter().filter_map(|event| newcomer(&ready, event)) {
                welcome(inner, account)?;
            }
            ready = lock(&inner.world).ready.clone().unwrap_or(ready);
            if rows.iter().any(|event| concerns(&ready, event)) {
                ready = refresh(inner)?;
            }
        }
        rest(inner, REST);
    }
    Ok(())
}

fn refresh(inner: &Inner) -> Result<Ready, String> {
    let deeds = lock(&inner.deeds);
    inner.refresh()?;
    let ready = inner.ready();
    drop(deeds);
    ready
}

/// An account that somebody of the playground may have linked.
fn newcomer<'e>(ready: &Ready, event: &'e Value) -> Option<&'e str> {
    let waits = ready.people.iter().any(|person| person.account.is_none());
    let account = event.pointer("/data/account").and_then(Value::as_str)?;
    let news = matches!(word(event, "type"), "account.created" | "account.updated");
    (waits && news && ready.holder(account).is_none()).then_some(account)
}

fn welcome(inner: &Inner, account: &str) -> Result<(), String> {
    let _one_at_a_time = lock(&inner.deeds);
    inner.welcome(account)
}

fn concerns(ready: &Ready, event: &Value) -> bool {
    let about = |name: &str| event.pointer(&format!("/data/{name}")).and_then(Value::as_str);
    let offer = about("offer").is_some_and(|id| ready.offers.iter().any(|stocked| stocked.offer == id));
    offer || about("account").is_some_and(|id| ready.holder(id).is_some())
}
