//! The outbox: texts for networks to post, until their bridge says that they are out or cannot be.

use super::command::{Outcome, PostAnswer};
use super::context::Context;
use super::id::{AccountId, OfferId, PurchaseId, ReplyId};
use super::post::Arrival;
use super::record::{EventKind, EventRecord, Recipient, ReplyKind, ReplyRecord, ReplyStatus};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{EarlyReposts, Offers, OnNetwork, Outbox, OutboxKey, Replies, ReplyPosts, Told};
use super::time::Time;
use super::verdict::Verdict;
use super::{check, event, network, opt_out, owner, purchase, rate, repost};
use std::ops::ControlFlow;

/// A reply to be queued.
#[derive(Clone, Debug)]
pub struct Draft {
    /// For which account.
    pub account: Option<AccountId>,
    /// About which purchase.
    pub purchase: Option<PurchaseId>,
    /// About what.
    pub kind: ReplyKind,
    /// What to post.
    pub text: String,
    /// Not worth posting after.
    pub not_after: Time,
}

/// Until when a reply is worth posting: a day for what was ordered, an hour for the rest.
pub fn not_after(now: Time, kind: ReplyKind) -> Time {
    use ReplyKind::{Cancelled, Confirmed, OneStepLeft, Paid, Refused, Shipped};
    now.plus_seconds(match kind {
        Confirmed | Paid | Refused | Shipped | Cancelled => 86_400,
        OneStepLeft => owner::WINDOW_SECONDS.into(),
        _ => 3600,
    })
}

/// Queues the answer to a post; `None` where its author wants none, or may not be answered.
pub fn queue<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    draft: Draft,
) -> Result<Option<(ReplyId, String)>> {
    if !arrival.is_answerable() {
        return Ok(None);
    }
    let post = arrival.post;
    queue_to(state, cx, &post.network, &post.id, post.author.clone(), draft)
}

/// Queues an answer to a post that was judged before; `None` where its author wants none.
pub fn queue_to<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    network: &str,
    in_reply_to: &str,
    to: Recipient,
    draft: Draft,
) -> Result<Option<(ReplyId, String)>> {
    if opt_out::is_out(state, network, &to.user_id)? {
        return Ok(None);
    }
    let id = ReplyId(cx.id());
    let record = ReplyRecord {
        network: network.to_owned(),
        to: Some(to),
        in_reply_to: in_reply_to.to_owned(),
        account: draft.account,
        purchase: draft.purchase,
        kind: draft.kind,
        text: draft.text,
        status: ReplyStatus::Queued,
        queued_at: cx.now,
        not_after: draft.not_after,
        post_id: None,
        reason: None,
        ended_at: None,
    };
    state.put::<Replies>(&id, &record)?;
    state.put::<Outbox>(&place(id, &record), &())?;
    Ok(Some((id, record.text)))
}

/// Where a reply stands in its queue.
pub fn place(id: ReplyId, reply: &ReplyRecord) -> OutboxKey {
    OutboxKey { network: reply.network.clone(), rank: reply.kind.rank(), reply: id }
}

impl ReplyKind {
    /// What matters most has the smallest rank.
    pub fn rank(self) -> u8 {
        self as u8
    }
}

/// Tells somebody who is not linked so: once an identity and day.
pub fn answer_not_linked<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    offer: OfferId,
) -> Result<PostAnswer> {
    let mut answer = PostAnswer { offer: Some(offer), ..PostAnswer::bare(Verdict::NotLinked) };
    let post = arrival.post;
    let key = (cx.now.day(), OnNetwork::new(&post.network, &post.author.user_id));
    if state.get::<Told>(&key)?.is_none() {
        let title = state.must::<Offers>(&offer)?;
        let draft = Draft {
            account: None,
            purchase: None,
            kind: ReplyKind::NotLinked,
            text: arrival.speaker(cx, &title).not_linked(),
            not_after: not_after(cx.now, ReplyKind::NotLinked),
        };
        answer.reply = queue(state, cx, arrival, draft)?;
        if answer.reply.is_some() {
            state.put::<Told>(&key, &())?;
        }
    }
    Ok(answer)
}

/// The reply that a bridge names; another network's is not found.
fn must_find<S: Read>(state: &S, id: ReplyId, network: Option<&str>) -> Result<ReplyRecord> {
    match state.get::<Replies>(&id)? {
        Some(reply) if network.is_none_or(|own| own == reply.network) => Ok(reply),
        _ => Err(Refusal::not_found("reply").into()),
    }
}

/// A reply is out: the window of its purchase runs from then on.
pub fn sent<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: ReplyId,
    network: Option<&str>,
    post_id: &str,
    sent_at: Option<Time>,
) -> Result<Outcome> {
    check::foreign_id("post_id", post_id)?;
    let mut reply = must_find(state, id, network)?;
    if reply.status == ReplyStatus::Sent {
        if reply.post_id.as_deref() == Some(post_id) {
            return Ok(Outcome::Reply(id));
        }
        return Err(Refusal::taken("post_id", "differs from the post that was reported before").into());
    }
    let key = OnNetwork::new(&reply.network, post_id);
    if state.get::<ReplyPosts>(&key)?.is_some_and(|other| other != id) {
        return Err(Refusal::taken("post_id", "was reported for another reply").into());
    }
    leave_queue(state, cx, id, &mut reply, ReplyStatus::Sent);
    if let Some(settings) = network::find(state, &reply.network)? {
        rate::count(state, cx.now, &reply.network, &settings)?;
    }
    reply.post_id = Some(post_id.to_owned());
    state.put::<Replies>(&id, &reply)?;
    log(state, cx, EventKind::ReplySent, id, &reply)?;
    let confirms = matches!(reply.kind, ReplyKind::Pending | ReplyKind::AlreadyPending);
    if confirms && let Some(bought) = reply.purchase {
        state.put::<ReplyPosts>(&key, &id)?;
        if reply.kind == ReplyKind::Pending {
            // clamp(sent_at, reply queued, arrival of `sent`)
            let at = sent_at.unwrap_or(cx.now).max(reply.queued_at).min(cx.now);
            purchase::set_window(state, bought, at)?;
        }
        if let Some(account) = reply.account {
            repost::judge_early(state, cx, &reply, post_id, (account, bought))?;
        }
    }
    Ok(Outcome::Reply(id))
}

/// A reply could not be posted; without a retry the window of its purchase runs from now on.
pub fn failed<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: ReplyId,
    network: Option<&str>,
    reason: &str,
    retry: bool,
) -> Result<Outcome> {
    check::text("reason", reason, 500)?;
    let mut reply = must_find(state, id, network)?;
    match reply.status {
        ReplyStatus::Sent => return Err(Refusal::conflict("This reply was reported as sent.").into()),
        ReplyStatus::Failed | ReplyStatus::Dropped => return Ok(Outcome::Reply(id)),
        ReplyStatus::Queued => {}
    }
    reply.reason = Some(reason.to_owned());
    if retry {
        state.put::<Replies>(&id, &reply)?;
        return Ok(Outcome::Reply(id));
    }
    leave_queue(state, cx, id, &mut reply, ReplyStatus::Failed);
    state.put::<Replies>(&id, &reply)?;
    log(state, cx, EventKind::ReplyFailed, id, &reply)?;
    if reply.kind == ReplyKind::Pending
        && let Some(bought) = reply.purchase
    {
        purchase::set_window(state, bought, cx.now)?;
    }
    Ok(Outcome::Reply(id))
}

/// Takes a reply out of its queue; whom it was for is forgotten.
fn leave_queue<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: ReplyId,
    reply: &mut ReplyRecord,
    status: ReplyStatus,
) {
    state.delete::<Outbox>(&place(id, reply));
    reply.status = status;
    reply.to = None;
    reply.ended_at = Some(cx.now);
}

/// Drops a reply that still waits in its queue.
pub fn drop_queued<S: Write>(state: &mut S, cx: &Context<'_>, id: ReplyId, reason: &str) -> Result<()> {
    let mut reply = state.must::<Replies>(&id)?;
    if reply.status == ReplyStatus::Queued {
        leave_queue(state, cx, id, &mut reply, ReplyStatus::Dropped);
        reply.reason = Some(reason.to_owned());
        state.put::<Replies>(&id, &reply)?;
    }
    Ok(())
}

/// Drops every reply that still waits for an account: whom it is for is personal.
pub fn drop_of_account<S: Write>(state: &mut S, cx: &Context<'_>, account: AccountId) -> Result<()> {
    let mut queued = Vec::new();
    state.scan::<Outbox>(&Span::all(), Direction::Up, |key, ()| {
        queued.push(key.reply);
        ControlFlow::Continue(())
    })?;
    for id in queued {
        if state.must::<Replies>(&id)?.account == Some(account) {
            drop_queued(state, cx, id, "its account was erased")?;
        }
    }
    Ok(())
}

/// Drops up to `slice` replies that are stale; returns how many.
pub fn drop_stale<S: Write>(state: &mut S, cx: &Context<'_>, slice: usize) -> Result<usize> {
    // Each network's queue is ordered by kind and age, so the outdated ones of a kind stand first: skip to the next
    // kind at the first fresh one.
    let mut outdated = Vec::new();
    let mut span = Span::all();
    while outdated.len() < slice {
        let mut fresh: Option<OutboxKey> = None;
        let mut keys = Vec::new();
        state.scan::<Outbox>(&span, Direction::Up, |key, ()| {
            keys.push(key);
            if keys.len() >= 64 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let full = keys.len() >= 64;
        let mut last = None;
        for key in keys {
            if outdated.len() >= slice {
                break;
            }
            if state.must::<Replies>(&key.reply)?.not_after >= cx.now {
                fresh = Some(key);
                break;
            }
            outdated.push(key.reply);
            last = Some(key);
        }
        let next = match (fresh, last) {
            (Some(key), _) => OutboxKey { reply: ReplyId(u128::MAX), ..key },
            (None, Some(key)) if full => key,
            _ => break,
        };
        span = Span::all().after(&super::state::Key::encode(&next));
    }
    for id in &outdated {
        drop_queued(state, cx, *id, "stale before its turn came")?;
    }
    Ok(outdated.len())
}

/// Early reposts are kept for an hour.
const EARLY_MS: i64 = 3_600_000;
/// Early reposts that one tick looks at.
const EARLY_LOOK_MAX: usize = 10_000;

/// Forgets what was kept for a while: who was told yesterday, and early reposts that nobody asked about.
pub fn forget_old<S: Write>(state: &mut S, cx: &Context<'_>, slice: usize) -> Result<usize> {
    let today = cx.now.day().to_be_bytes();
    let told = state.first::<Told>(&Span::all().before(&today), slice)?;
    for (key, ()) in &told {
        state.delete::<Told>(key);
    }
    let (mut seen, mut early) = (0, Vec::new());
    state.scan::<EarlyReposts>(&Span::all(), Direction::Up, |key, record| {
        seen += 1;
        if cx.now.ms_since(record.arrived_at) > EARLY_MS {
            early.push(key);
        }
        if early.len() < slice && seen < EARLY_LOOK_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    for key in &early {
        state.delete::<EarlyReposts>(key);
    }
    Ok(told.len() + early.len())
}

/// Queued replies of a network that are still worth posting, what matters most first, and no more than it takes now.
pub fn queued<S: Read>(
    state: &S,
    now: Time,
    network: &str,
    limit: usize,
) -> Result<Vec<(ReplyId, ReplyRecord)>, StateError> {
    let mut keys = Vec::new();
    let mut found = Vec::new();
    let budget = match network::find(state, network)? {
        Some(settings) => rate::left(state, now, network, &settings)?,
        None => None,
    };
    let limit = budget.map_or(limit, |left| left.min(limit));
    let span = Span::prefix(OutboxKey::prefix(network));
    state.scan::<Outbox>(&span, Direction::Up, |key, ()| {
        keys.push(key.reply);
        // Stale ones are passed over and dropped by the next tick.
        if keys.len() >= limit.saturating_add(1000) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    for id in keys {
        if found.len() >= limit {
            break;
        }
        let reply = state.must::<Replies>(&id)?;
        if reply.not_after >= now {
            found.push((id, reply));
        }
    }
    Ok(found)
}

fn log<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    kind: EventKind,
    id: ReplyId,
    reply: &ReplyRecord,
) -> Result<()> {
    let event = EventRecord {
        purchase: reply.purchase,
        account: reply.account,
        reply: Some(id),
        ..EventRecord::new(kind, cx.now)
    };
    event::log(state, &event)
}
