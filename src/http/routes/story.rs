//! `/v1/purchases/{id}/story`: everything about one purchase, from its post to its parcels, for who has to explain it.

use super::ledger::{self, ReplyBrief};
use super::purchases::{self, PurchaseView};
use super::search;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::store::Snapshot;
use crate::till::explain::{self, Moment};
use crate::till::id::PurchaseId;
use crate::till::money::Money;
use crate::till::record::{PostRecord, PurchaseRecord, RefundStatus};
use crate::till::state::{Read as _, StateError};
use crate::till::table::{OfferVersions, OnNetwork};
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use crate::till::{charge, purchase};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub const ROUTES: &[Route] = &[Route::get(
    "/v1/purchases/{id}/story",
    "getPurchaseStory",
    "A purchase from its post to its parcels: what was decided, why, and what followed.",
    get,
)
.gives::<Story>()];

/// A purchase's whole story.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PurchaseStory")]
struct Story {
    purchase: PurchaseView,
    /// What was bought, as it was called then.
    title: String,
    /// Who bought, as last seen on the network of the post; null once erased.
    handle: Option<String>,
    /// What can still be given back.
    refundable: Money,
    /// The post that began it and the one that confirmed it, where they are remembered.
    posts: Vec<StoryPost>,
    /// The replies to them, oldest first, where they are remembered.
    replies: Vec<ReplyBrief>,
    /// What happened, in time order.
    moments: Vec<Moment>,
}

/// What was decided about a post.
#[derive(Serialize, JsonSchema)]
struct StoryPost {
    network: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// The rule in a sentence, with by how much.
    why: String,
    /// When it was made, as judged.
    created_at: Time,
    arrived_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Time>,
}

fn post(key: &OnNetwork, post: &PostRecord) -> StoryPost {
    StoryPost {
        network: key.network.clone(),
        id: key.id.clone(),
        verdict: post.verdict,
        why: explain::why(post),
        created_at: post.made_at,
        arrived_at: post.arrived_at,
        deleted_at: post.deleted_at,
    }
}

/// What was charged and was not given back, nor is on its way back.
fn refundable(state: &Snapshot, purchase: &PurchaseRecord) -> Result<Money, StateError> {
    let charged = if charge::order_attempt(state, purchase)?.is_some() { purchase.price.amount } else { 0 };
    let back = charge::refunded_amount(state, purchase, |status| status != RefundStatus::Failed)?;
    Ok(Money { amount: charged.saturating_sub(back).max(0), ..purchase.price })
}

fn story(state: &Snapshot, id: PurchaseId, purchase: &PurchaseRecord) -> Result<Story, StateError> {
    let posts = explain::posts(state, purchase)?;
    let mut replies = Vec::new();
    for reply in explain::replies(purchase, &posts) {
        replies.extend(ledger::reply(state, Some(reply))?);
    }
    Ok(Story {
        title: state.must::<OfferVersions>(&(purchase.offer, purchase.offer_version))?.title,
        handle: search::handle_on(state, purchase.account, &purchase.network)?,
        refundable: refundable(state, purchase)?,
        posts: posts.iter().map(|(key, record)| post(key, record)).collect(),
        replies,
        moments: explain::story(state, id, purchase)?,
        purchase: purchases::view(state, id, purchase)?,
    })
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(PurchaseId::parse, "purchase")?;
    let snapshot = shared.handle.snapshot()?;
    let found = purchase::must_find(&snapshot, id)?;
    Answer::ok(&story(&snapshot, id, &found)?)
}
