//! Who wants no replies: their posts are judged as ever, and nothing is posted to them on that network.
//!
//! The wish belongs to the person on the network, linked or not. It outlives an account that is erased: to forget it
//! would be to write to them again.

use super::command::Outcome;
use super::context::Context;
use super::id::ReplyId;
use super::record::OptOutRecord;
use super::refusal::Result;
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{OnNetwork, OptOuts, Outbox, OutboxKey, Replies};
use super::{check, network, reply};
use std::ops::ControlFlow;

/// Whether somebody wants no replies on a network.
pub fn is_out<S: Read>(state: &S, network: &str, user_id: &str) -> Result<bool, StateError> {
    Ok(state.get::<OptOuts>(&OnNetwork::new(network, user_id))?.is_some())
}

/// Somebody wants no replies: what is queued for them is dropped. Said again, it changes nothing.
pub fn put<S: Write>(state: &mut S, cx: &Context<'_>, network: &str, user_id: &str) -> Result<Outcome> {
    let key = checked(state, network, user_id)?;
    if state.get::<OptOuts>(&key)?.is_some() {
        return Ok(Outcome::Done);
    }
    state.put::<OptOuts>(&key, &OptOutRecord { since: cx.now })?;
    for id in queued_for(state, network, user_id)? {
        reply::drop_queued(state, cx, id, "opted out")?;
    }
    Ok(Outcome::Done)
}

/// Somebody wants replies again.
pub fn delete<S: Write>(state: &mut S, network: &str, user_id: &str) -> Result<Outcome> {
    let key = checked(state, network, user_id)?;
    state.delete::<OptOuts>(&key);
    Ok(Outcome::Done)
}

fn checked<S: Read>(state: &S, network: &str, user_id: &str) -> Result<OnNetwork> {
    network::must_find(state, network)?;
    check::foreign_id("user_id", user_id)?;
    Ok(OnNetwork::new(network, user_id))
}

fn queued_for<S: Read>(state: &S, network: &str, user_id: &str) -> Result<Vec<ReplyId>, StateError> {
    let mut queued = Vec::new();
    let span = Span::prefix(OutboxKey::prefix(network));
    state.scan::<Outbox>(&span, Direction::Up, |key, ()| {
        queued.push(key.reply);
        ControlFlow::Continue(())
    })?;
    let mut theirs = Vec::new();
    for id in queued {
        let to = state.must::<Replies>(&id)?.to;
        theirs.extend(to.is_some_and(|to| to.user_id == user_id).then_some(id));
    }
    Ok(theirs)
}
