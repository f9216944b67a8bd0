//! `/v1/networks/{slug}/opt-outs`: who wants no replies on a network.

use super::networks::slug;
use super::purchases::Nothing;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page_in};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::command::Command;
use crate::till::network;
use crate::till::record::OptOutRecord;
use crate::till::state::{Direction, Read as _, Span};
use crate::till::table::{OnNetwork, OptOuts};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];

pub const ROUTES: &[Route] = &[
    Route::get("/v1/networks/{slug}/opt-outs", "listOptOuts", "Who wants no replies on a network.", list)
        .also(NETWORK)
        .query(&[LIMIT, CURSOR])
        .gives::<Page<OptOutView>>(),
    Route::put(
        "/v1/networks/{slug}/opt-outs/{user_id}",
        "putOptOut",
        "Post nothing to somebody any more; what is queued for them is dropped.",
        put,
    )
    .also(NETWORK)
    .may_take::<Nothing>()
    .gives::<OptOutView>(),
    Route::delete(
        "/v1/networks/{slug}/opt-outs/{user_id}",
        "deleteOptOut",
        "Post to somebody again.",
        delete,
    )
    .also(NETWORK)
    .gives::<OptOutDeleted>(),
];

/// Somebody who wants no replies.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OptOut")]
struct OptOutView {
    network: String,
    user_id: String,
    since: Time,
}

/// Somebody wants replies again.
#[derive(Serialize, JsonSchema)]
struct OptOutDeleted {
    network: String,
    user_id: String,
    /// Always true.
    deleted: bool,
}

fn view(key: OnNetwork, record: OptOutRecord) -> OptOutView {
    OptOutView { network: key.network, user_id: key.id, since: record.since }
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    let snapshot = shared.handle.snapshot()?;
    network::must_find(&snapshot, slug)?;
    let span = Span::prefix(OnNetwork::prefix(slug));
    let all = |_: &_| true;
    Answer::ok(&page_in::<OptOuts, _>(&snapshot, call, (span, Direction::Up), all, |_, key, record| {
        Ok(view(key, *record))
    })?)
}

fn put(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (network, user_id) = (slug(call)?.to_owned(), call.param(1).to_owned());
    let Nothing {} = call.body_or_default()?;
    let key = OnNetwork::new(&network, &user_id);
    call.change(Command::OptOut { network, user_id }, None, move |tx, _, _| {
        let record = tx.must::<OptOuts>(&key)?;
        Ok(view(key, record))
    })
    .answer()
}

fn delete(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (network, user_id) = (slug(call)?.to_owned(), call.param(1).to_owned());
    let view = OptOutDeleted { network: network.clone(), user_id: user_id.clone(), deleted: true };
    call.change(Command::OptIn { network, user_id }, None, move |_, _, _| Ok(view)).answer()
}
