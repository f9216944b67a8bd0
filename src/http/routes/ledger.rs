//! What was decided about one post, and what followed from it.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::{Code, Problem};
use crate::store::Snapshot;
use crate::till::explain::{self, Margin, Moment};
use crate::till::id::{OfferId, OrderId, PurchaseId, ReplyId};
use crate::till::network;
use crate::till::record::{Limit, OrderStatus, PostRecord, PurchaseStatus, ReplyRecord, ReplyStatus};
use crate::till::state::{Read as _, StateError};
use crate::till::table::{OnNetwork, Orders, Posts, Purchases, Replies};
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// A post, its verdict, and what followed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JudgedPost")]
pub struct PostView {
    network: String,
    id: String,
    verdict: Verdict,
    /// The verdict in a sentence.
    explanation: &'static str,
    /// The rule in a sentence, with by how much.
    why: String,
    /// Which limit of the till it ran into.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// By how much; only what applies.
    by: Margin,
    arrived_at: Time,
    /// When it was made, as judged.
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseBrief>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderBrief>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyBrief>,
    /// The reply that came later: how the capture has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    followed_by: Option<ReplyBrief>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Time>,
    /// The place on the waiting list that it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u64>,
    /// What followed, in time order: the hold, replies and their fate, the gateway's answers, the order, refunds.
    history: Vec<Moment>,
}

/// Where the purchase stands now.
#[derive(Serialize, JsonSchema)]
struct PurchaseBrief {
    id: PurchaseId,
    status: PurchaseStatus,
    expires_at: Time,
}

/// Where the order stands now.
#[derive(Serialize, JsonSchema)]
struct OrderBrief {
    id: OrderId,
    status: OrderStatus,
}

/// Where the reply stands now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReplyState")]
pub struct ReplyBrief {
    id: ReplyId,
    status: ReplyStatus,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<String>,
}

pub fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    let (slug, id) = (call.param(0), call.param(1));
    network::must_find(&snapshot, slug)?;
    let Some(post) = snapshot.get::<Posts>(&OnNetwork::new(slug, id))? else {
        let detail = "No such post is remembered. Posts that match no offer and do not mention the shop leave no trace.";
        return Err(Problem::new(Code::NotFound, detail));
    };
    Answer::ok(&view(&snapshot, slug, id, &post)?)
}

/// What [`get`] answers, from a file that no till runs; `None`: no such post is remembered.
pub fn explain_post(state: &Snapshot, slug: &str, id: &str) -> Result<Option<serde_json::Value>, StateError> {
    let Some(post) = state.get::<Posts>(&OnNetwork::new(slug, id))? else { return Ok(None) };
    let view = view(state, slug, id, &post)?;
    serde_json::to_value(view).map(Some).map_err(|error| StateError(error.to_string()))
}

fn view(state: &Snapshot, slug: &str, id: &str, post: &PostRecord) -> Result<PostView, StateError> {
    let purchase =
        post.purchase.map(|id| state.must::<Purchases>(&id).map(|found| (id, found))).transpose()?;
    let order = purchase.as_ref().and_then(|(_, purchase)| purchase.order);
    let order =
        order.map(|id| state.must::<Orders>(&id).map(|found| OrderBrief { id, status: found.status }));
    let verdict = post.verdict.unwrap_or(Verdict::Deleted);
    Ok(PostView {
        network: slug.to_owned(),
        id: id.to_owned(),
        verdict,
        explanation: verdict.sentence(),
        why: explain::why(post),
        limit: post.limit,
        by: Margin::of(post),
        arrived_at: post.arrived_at,
        created_at: post.made_at,
        offer: post.offer,
        purchase: purchase.map(|(id, found)| PurchaseBrief {
            id,
            status: found.status,
            expires_at: found.expires_at,
        }),
        order: order.transpose()?,
        reply: reply(state, post.reply)?,
        followed_by: reply(state, post.followed_by)?,
        deleted_at: post.deleted_at,
        place: post.waits.map(|(_, place)| place),
        history: explain::history(state, &OnNetwork::new(slug, id), post)?,
    })
}

/// A reply as it stands now; `None` where it is remembered no more.
///
/// # Errors
/// When the file cannot be read.
pub fn reply(state: &Snapshot, id: Option<ReplyId>) -> Result<Option<ReplyBrief>, StateError> {
    let Some(id) = id else { return Ok(None) };
    let brief = |found: ReplyRecord| {
        let ReplyRecord { status, text, post_id, .. } = found;
        ReplyBrief { id, status, text, post_id }
    };
    Ok(state.get::<Replies>(&id)?.map(brief))
}
