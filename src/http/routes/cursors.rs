//! `/v1/networks/{slug}/cursors`: how far bridges have read their network's streams.

use super::networks::slug;
use super::patch::given;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page_in};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::command::Command;
use crate::till::state::{Direction, Read, Span, StateError};
use crate::till::table::{Cursors, OnNetwork};
use crate::till::time::Time;
use crate::till::{bridge, network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];

pub const ROUTES: &[Route] = &[
    Route::get("/v1/networks/{slug}/cursors", "listCursors", "How far a network's bridge has read.", list)
        .also(NETWORK)
        .query(&[LIMIT, CURSOR])
        .gives::<Page<CursorView>>(),
    Route::get(
        "/v1/networks/{slug}/cursors/{stream}",
        "getCursor",
        "How far a stream was read; null where nothing is kept yet.",
        get,
    )
    .also(NETWORK)
    .gives::<CursorView>(),
    Route::put(
        "/v1/networks/{slug}/cursors/{stream}",
        "putCursor",
        "Keep how far a stream was read; with `was`, only if nobody else has moved it since.",
        put,
    )
    .also(NETWORK)
    .takes::<CursorPut>()
    .gives::<CursorView>(),
];

/// How far a stream was read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CursorPut")]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct CursorPut {
    /// In the network's own terms: 1 to 4096 bytes.
    cursor: String,
    /// What was kept before, null for nothing: a conflict where another bridge has moved it. Without it, it is just set.
    #[serde(default, deserialize_with = "given")]
    was: Option<Option<String>>,
}

/// How far a stream was read.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cursor")]
struct CursorView {
    network: String,
    stream: String,
    cursor: Option<String>,
    updated_at: Option<Time>,
}

fn view<S: Read>(state: &S, key: OnNetwork) -> Result<CursorView, StateError> {
    let (cursor, updated_at) = state.get::<Cursors>(&key)?.map(|it| (it.cursor, it.updated_at)).unzip();
    Ok(CursorView { network: key.network, stream: key.id, cursor, updated_at })
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let slug = slug(call)?;
    let snapshot = shared.handle.snapshot()?;
    network::must_find(&snapshot, slug)?;
    let span = Span::prefix(OnNetwork::prefix(slug));
    let all = |_: &_| true;
    Answer::ok(&page_in::<Cursors, _>(&snapshot, call, (span, Direction::Up), all, |_, key, record| {
        let (cursor, updated_at) = (Some(record.cursor.clone()), Some(record.updated_at));
        Ok(CursorView { network: key.network, stream: key.id, cursor, updated_at })
    })?)
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    Answer::ok(&view(&snapshot, bridge::cursor_key(&snapshot, slug(call)?, call.param(1))?)?)
}

fn put(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (network, stream) = (slug(call)?.to_owned(), call.param(1).to_owned());
    let CursorPut { cursor, was } = call.body()?;
    let key = OnNetwork::new(&network, &stream);
    let command = Command::KeepCursor { network, stream, cursor, was };
    call.change(command, None, move |tx, _, _| view(tx, key)).answer()
}
