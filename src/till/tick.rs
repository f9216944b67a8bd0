//! What time alone does, in bounded slices: frees what was not confirmed, drops stale replies, forgets old answers.

use super::command::Outcome;
use super::context::Context;
use super::record::PurchaseStatus;
use super::refusal::Result;
use super::state::{Key, Span, Write};
use super::table::{Deadlines, Idempotency, IdempotencyAges};
use super::time::Time;
use super::{purchase, reply};

/// Answers to keyed requests are kept for 72 hours.
const ANSWER_SECONDS: i64 = 72 * 3600;

/// One tick. `expire_until` is the latest moment whose holds may be freed; `None`: none may.
pub fn run<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    expire_until: Option<Time>,
    slice: usize,
) -> Result<Outcome> {
    let mut freed = 0;
    if let Some(until) = expire_until {
        let due = Span::all().before(&until.plus_ms(1).encode());
        for ((_, id), ()) in state.first::<Deadlines>(&due, slice)? {
            purchase::close(state, cx, id, PurchaseStatus::Expired)?;
            freed += 1;
        }
    }
    let mut most = freed;
    most = most.max(reply::drop_stale(state, cx, slice)?);
    most = most.max(reply::forget_old(state, cx, slice)?);
    most = most.max(forget_answers(state, cx, slice)?);
    Ok(Outcome::Ticked { freed, more: most >= slice })
}

fn forget_answers<S: Write>(state: &mut S, cx: &Context<'_>, slice: usize) -> Result<usize> {
    let old = Span::all().before(&cx.now.plus_seconds(-ANSWER_SECONDS).encode());
    let due = state.first::<IdempotencyAges>(&old, slice)?;
    for (key, ()) in &due {
        state.delete::<IdempotencyAges>(key);
        state.delete::<Idempotency>(&key.1);
    }
    Ok(due.len())
}
