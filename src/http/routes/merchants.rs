//! `/v1/merchants`: who sells and ships.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::till::command::{Command, Outcome};
use crate::till::id::MerchantId;
use crate::till::record::MerchantRecord;
use crate::till::state::{Read, StateError};
use crate::till::table::Merchants;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::post("/v1/merchants", "createMerchant", "Add a merchant.", create)
        .takes::<MerchantBody>()
        .gives::<MerchantView>()
        .creates(),
    Route::get("/v1/merchants", "listMerchants", "All merchants.", list)
        .query(&[LIMIT, CURSOR])
        .gives::<Page<MerchantView>>(),
    Route::get("/v1/merchants/{id}", "getMerchant", "A merchant.", get).gives::<MerchantView>(),
    Route::patch("/v1/merchants/{id}", "updateMerchant", "Rename a merchant.", update)
        .takes::<MerchantBody>()
        .gives::<MerchantView>(),
];

/// A merchant's name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MerchantBody")]
struct MerchantBody {
    /// As buyers know it.
    name: String,
}

/// A merchant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Merchant")]
struct MerchantView {
    id: MerchantId,
    name: String,
    created_at: Time,
}

fn view(id: MerchantId, merchant: &MerchantRecord) -> MerchantView {
    MerchantView { id, name: merchant.name.clone(), created_at: merchant.created_at }
}

fn of_outcome<S: Read>(state: &S, outcome: &Outcome) -> Result<MerchantView, StateError> {
    match outcome {
        Outcome::Merchant(id) => Ok(view(*id, &state.must::<Merchants>(id)?)),
        other => Err(StateError(format!("not a merchant: {other:?}"))),
    }
}

fn create(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let MerchantBody { name } = call.body()?;
    call.change(Command::CreateMerchant { name }, None, |tx, _, outcome| of_outcome(tx, outcome)).answer()
}

fn update(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(MerchantId::parse, "merchant")?;
    let MerchantBody { name } = call.body()?;
    call.change(Command::UpdateMerchant { id, name }, None, |tx, _, outcome| of_outcome(tx, outcome)).answer()
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(MerchantId::parse, "merchant")?;
    let found = shared.handle.snapshot()?.get::<Merchants>(&id)?;
    Answer::ok(&view(id, &found.ok_or_else(|| Problem::not_found("merchant"))?))
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    Answer::ok(&page::<Merchants, _>(&snapshot, call, |_| true, |_, id, merchant| Ok(view(id, merchant)))?)
}
