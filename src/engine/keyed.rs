//! Idempotency keys: the answer to a keyed request is kept in the same transaction as its effect.

use super::job::{Keyed, Rendered, Reply};
use crate::till::id::AccountId;
use crate::till::record::IdempotencyRecord;
use crate::till::state::{Read, StateError, Write};
use crate::till::table::{Hash, Idempotency, IdempotencyAges};
use crate::till::time::Time;

/// Larger answers are not kept: a repetition is refused instead.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// The answer to a key that was used before.
pub fn find<S: Read>(state: &S, keyed: &Keyed) -> Result<Option<Reply>, StateError> {
    let Some(record) = state.get::<Idempotency>(&Hash(keyed.scope))? else {
        return Ok(None);
    };
    Ok(Some(if record.body_hash != keyed.body_hash {
        Reply::KeyReused
    } else if let Some(body) = record.body {
        Reply::Rendered(Rendered { status: record.status, body: Some(body) })
    } else {
        Reply::NotReplayable
    }))
}

/// Keeps an answer, unless it is one that must be given anew each time.
pub fn keep<S: Write>(
    state: &mut S,
    now: Time,
    keyed: &Keyed,
    rendered: &Rendered,
    account: Option<AccountId>,
) -> Result<(), StateError> {
    if matches!(rendered.status, 401 | 403 | 429 | 500..) {
        return Ok(());
    }
    let body = rendered.body.as_ref().filter(|body| !keyed.secret && body.len() <= BODY_BYTES_MAX).cloned();
    let record = IdempotencyRecord { body_hash: keyed.body_hash, status: rendered.status, body, account };
    state.put::<Idempotency>(&Hash(keyed.scope), &record)?;
    state.put::<IdempotencyAges>(&(now, Hash(keyed.scope)), &())
}
