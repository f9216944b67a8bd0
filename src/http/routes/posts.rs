//! `/v1/posts`: what networks deliver, one by one or in lines.
//!
//! Most of a firehose matches nothing: such posts are answered from a snapshot, without the writer.

use super::post::{AnswerView, POST_BYTES_MAX, PostBody, foreign, read};
use super::{ledger, lines};
use crate::engine::Job;
use crate::http::answer::{Answer, Out, Shelf, json};
use crate::http::api::Shared;
use crate::http::body::{ContentType, content_type, too_large};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::till::command::{Command, Outcome, PostAnswer};
use crate::till::id::PurchaseId;
use crate::till::network;
use crate::till::post::triage;
use crate::till::state::Read as _;
use crate::till::table::{OnNetwork, Posts};
use crate::till::verdict::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];

/// `known`: for bridges that hear of every deletion there is.
const KNOWN: Param = Param::new::<bool>(
    "known",
    "true: only if the till knows the post. What it never acted on is not noted then, for the case that the post comes \
     after its deletion.",
);

pub const ROUTES: &[Route] = &[
    Route::post("/v1/posts", "judgePost", "Deliver a post, or many as lines of JSON.", judge)
        .also(NETWORK)
        .unkeyed()
        .takes::<PostBody<'static>>()
        .or_lines()
        .gives::<AnswerView>(),
    Route::delete("/v1/posts/{network}/{id}", "deletePost", "Say that a post was deleted.", delete)
        .also(NETWORK)
        .unkeyed()
        .query(&[KNOWN])
        .gives::<PostDeleted>(),
    Route::get(
        "/v1/posts/{network}/{id}",
        "getPost",
        "What was decided about a post, and what followed.",
        ledger::get,
    )
    .gives::<ledger::PostView>(),
];

fn judge(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    if content_type(&call.request)? == Some(ContentType::Lines) {
        return lines::judge(shared, call);
    }
    if call.request.body.len() > POST_BYTES_MAX {
        return Err(too_large(POST_BYTES_MAX));
    }
    let post = read(call.network(), &call.request.body)?;
    let admin = call.is_admin();
    let now = shared.handle.now();
    if let Some(answer) = triage(&shared.handle.snapshot()?, now, &post)? {
        shared.metrics.judged(answer.verdict, now);
        return Answer::ok(&AnswerView::new(answer, admin));
    }
    Answer::later(move |shared, out| submit(shared, out, Command::JudgePost(post), admin))
}

fn submit(shared: &Arc<Shared>, out: Out, command: Command, admin: bool) {
    let shelf = Shelf::new(out);
    let (later, counting) = (shelf.clone(), Arc::clone(shared));
    let done = Box::new(move |result: Result<Vec<_>, crate::engine::Unavailable>| {
        let Some(out) = later.take() else { return };
        let answer = result.map_err(Problem::from).and_then(|mut outcomes| judged(outcomes.pop()));
        out.finish(answer.and_then(|answer| {
            counting.metrics.judged(answer.verdict, counting.handle.now());
            json(200, &AnswerView::new(answer, admin))
        }));
    });
    if let Err(overloaded) = shared.handle.submit(Job::Many { commands: vec![command], done })
        && let Some(out) = shelf.take()
    {
        out.fail(&overloaded.into());
    }
}

/// The answer to a post that the writer judged.
pub fn judged(outcome: Option<crate::engine::Verdicted>) -> Result<PostAnswer, Problem> {
    match outcome {
        Some(Ok(Outcome::Post(answer))) => Ok(answer),
        Some(Err(refusal)) => Err(refusal.into()),
        other => Err(Problem::internal(format!("a post came to {other:?}"))),
    }
}

/// The till has heard that a post was deleted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deleted")]
struct PostDeleted {
    /// False only where the call was about known posts and this is none.
    deleted: bool,
    /// The purchase that the post had begun or confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    /// `passed` where that let something go: a purchase that was not confirmed, or a place on a waiting list.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

fn delete(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    if call.network().is_some_and(|own| own != call.param(0)) {
        return Err(foreign());
    }
    let only_known = call.query.read("known", |text| text.parse::<bool>().ok(), "true or false")?;
    if only_known == Some(true) {
        let snapshot = shared.handle.snapshot()?;
        network::must_find(&snapshot, call.param(0))?;
        let key = OnNetwork::new(call.param(0), call.param(1));
        if snapshot.get::<Posts>(&key)?.is_none() {
            return Answer::ok(&PostDeleted { deleted: false, purchase: None, verdict: None });
        }
    }
    let command = Command::DeletePost { network: call.param(0).to_owned(), id: call.param(1).to_owned() };
    let view = |_: &crate::store::Tx<'_>, _, outcome: &Outcome| match outcome {
        Outcome::PostDeleted { purchase, passed } => {
            Ok(PostDeleted { deleted: true, purchase: *purchase, verdict: passed.then_some(Verdict::Passed) })
        }
        _ => Ok(PostDeleted { deleted: true, purchase: None, verdict: None }),
    };
    call.change(command, None, view).answer()
}
