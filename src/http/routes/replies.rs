//! `/v1/replies`: the outbox, as the networks' bridges see it.

use crate::engine::News;
use crate::http::answer::{Answer, Out, json};
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{LIMIT, Page, limit};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::store::{Snapshot, Tx};
use crate::till::command::{Command, Outcome};
use crate::till::id::{PurchaseId, ReplyId};
use crate::till::record::{Recipient, ReplyRecord, ReplyStatus};
use crate::till::state::{Read as _, StateError};
use crate::till::table::{Only, Replies, Settings};
use crate::till::time::Time;
use crate::till::{network, reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

const NETWORK: &[Kind] = &[Kind::Network];

/// `wait_seconds`, on every long poll.
pub const WAIT: Param = Param::new::<u32>(
    "wait_seconds",
    "How long to wait while there is nothing: 0 to 60; more is taken as 60.",
);
/// The longest wait.
pub const WAIT_SECONDS_MAX: u32 = 60;

pub const ROUTES: &[Route] = &[
    Route::get("/v1/replies", "listReplies", "Replies to be posted, what matters most first.", list)
        .also(NETWORK)
        .query(&[Param::new::<String>("network", "Whose; a network's token has its own."), WAIT, LIMIT])
        .gives::<Page<ReplyView>>(),
    Route::post("/v1/replies/{id}/sent", "replySent", "Say that a reply is out: its window begins.", sent)
        .also(NETWORK)
        .takes::<SentBody>()
        .gives::<OutcomeView>(),
    Route::post("/v1/replies/{id}/failed", "replyFailed", "Say that a reply could not be posted.", failed)
        .also(NETWORK)
        .takes::<FailedBody>()
        .gives::<OutcomeView>(),
];

/// A reply to be posted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reply")]
struct ReplyView {
    id: ReplyId,
    network: String,
    to: Recipient,
    /// The post it answers.
    in_reply_to: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    /// Not worth posting after.
    not_after: Time,
}

/// A reply is out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReplySent")]
struct SentBody {
    /// The network's id of what was posted: a repost of it confirms.
    post_id: String,
    /// When; without it, now.
    sent_at: Option<Time>,
}

/// A reply could not be posted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReplyFailed")]
struct FailedBody {
    /// Why, for the operator.
    reason: String,
    /// Whether to hand it out again.
    retry: bool,
}

/// What became of a reply.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplyOutcome")]
struct OutcomeView {
    id: ReplyId,
    network: String,
    status: ReplyStatus,
    in_reply_to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    post_id: Option<String>,
    reason: Option<String>,
    not_after: Time,
}

/// Whose replies a caller asks for.
fn of_network(call: &Call) -> Result<String, Problem> {
    match (call.network(), call.query.get("network")) {
        (Some(own), Some(named)) if own != named => Err(super::post::foreign()),
        (Some(own), _) => Ok(own.to_owned()),
        (None, Some(named)) => Ok(named.to_owned()),
        (None, None) => Err(Problem::unreadable("network", "is missing: which network's replies?")),
    }
}

fn queued(state: &Snapshot, now: Time, network: &str, limit: usize) -> Result<Page<ReplyView>, StateError> {
    // After a restore nothing goes out until an operator says so: it may be out already.
    let paused = state.must::<Settings>(&Only)?.paused;
    let found = if paused { Vec::new() } else { reply::queued(state, now, network, limit)? };
    let view = |(id, reply): (ReplyId, ReplyRecord)| {
        let ReplyRecord { network, to, in_reply_to, text, purchase, not_after, .. } = reply;
        Some(ReplyView { id, network, to: to?, in_reply_to, text, purchase, not_after })
    };
    Ok(Page { data: found.into_iter().filter_map(view).collect(), next_cursor: None })
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = of_network(call)?;
    let limit = limit(call)?;
    let wait_seconds = call.query.capped("wait_seconds", 0, WAIT_SECONDS_MAX, 0)?;
    let snapshot = shared.handle.snapshot()?;
    network::must_find(&snapshot, &slug)?;
    let page = queued(&snapshot, shared.handle.now(), &slug, limit)?;
    if !page.data.is_empty() || wait_seconds == 0 {
        return Answer::ok(&page);
    }
    Answer::later(move |shared, out| {
        let handle = shared.handle.clone();
        let ask = move |snapshot: &Snapshot| {
            let page = queued(snapshot, handle.now(), &slug, limit)?;
            Ok((!page.data.is_empty(), page))
        };
        wait(shared, out, News::Replies, wait_seconds, ask);
    })
}

/// Waits for news: answers with what `ask` shows as soon as it says that there is something, or at the end.
pub fn wait<V: Serialize>(
    shared: &Arc<Shared>,
    mut out: Out,
    news: News,
    wait_seconds: u32,
    ask: impl Fn(&Snapshot) -> Result<(bool, V), Problem> + Send + 'static,
) {
    if let Err(problem) = out.park() {
        return out.fail(&problem);
    }
    let deadline = Instant::now() + Duration::from_secs(u64::from(wait_seconds));
    let mut waiting = Some(out);
    let answer = move |snapshot: Option<&Snapshot>, late: bool| {
        let asked = snapshot.ok_or_else(|| Problem::internal("no snapshot")).and_then(&ask);
        let abandoned = waiting.as_ref().is_none_or(Out::is_abandoned);
        let due = late || abandoned || !matches!(asked, Ok((false, _)));
        if due && let Some(out) = waiting.take() {
            out.finish(asked.and_then(|(_, view)| json(200, &view)));
        }
        due
    };
    shared.handle.waiters().wait(news, deadline, Box::new(answer));
}

fn outcome_view(tx: &Tx<'_>, _: Time, outcome: &Outcome) -> Result<OutcomeView, StateError> {
    let Outcome::Reply(id) = outcome else {
        return Err(StateError(format!("not a reply: {outcome:?}")));
    };
    let reply = tx.must::<Replies>(id)?;
    Ok(OutcomeView {
        id: *id,
        network: reply.network,
        status: reply.status,
        in_reply_to: reply.in_reply_to,
        purchase: reply.purchase,
        post_id: reply.post_id,
        reason: reply.reason,
        not_after: reply.not_after,
    })
}

fn sent(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(ReplyId::parse, "reply")?;
    let SentBody { post_id, sent_at } = call.body()?;
    let command = Command::ReplySent { id, network: call.network().map(str::to_owned), post_id, sent_at };
    call.change(command, None, outcome_view).answer()
}

fn failed(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(ReplyId::parse, "reply")?;
    let FailedBody { reason, retry } = call.body()?;
    let command = Command::ReplyFailed { id, network: call.network().map(str::to_owned), reason, retry };
    call.change(command, None, outcome_view).answer()
}
