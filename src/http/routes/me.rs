//! `/v1/me`: whose token this is, and which till it is for.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::id::{MerchantId, TokenId};
use crate::till::record::MerchantRecord;
use crate::till::role::Role;
use crate::till::state::Read as _;
use crate::till::table::Merchants;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

pub const ROUTES: &[Route] =
    &[Route::get("/v1/me", "getMe", "Whose token this is, and how the till is run.", me)
        .also(&[Kind::Network, Kind::Merchant, Kind::Processor])
        .gives::<Me>()];

/// Who calls.
#[derive(Serialize, JsonSchema)]
struct Me {
    role: Role,
    /// Which token it is; null: one that the till was given at its start.
    token: Option<TokenId>,
    /// Which merchant the token is limited to.
    merchant: Option<MerchantId>,
    /// That merchant's name.
    name: Option<String>,
    /// Whether the till plays with play money.
    sandbox: bool,
    /// What the till's clock shows.
    now: Time,
    /// The till's version.
    version: &'static str,
    /// Where buyers reach the pages, as in `https://till.example.com`.
    public_url: String,
}

fn me(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let caller = call.caller.as_ref().ok_or_else(|| Problem::internal("a call without a token"))?;
    let merchant = call.merchant();
    let named = |id| shared.handle.snapshot().and_then(|snapshot| snapshot.get::<Merchants>(&id));
    let record: Option<MerchantRecord> = merchant.map(named).transpose()?.flatten();
    Answer::ok(&Me {
        role: caller.role.clone(),
        token: caller.id,
        merchant,
        name: record.map(|record| record.name),
        sandbox: shared.sandbox,
        now: shared.handle.now(),
        version: env!("CARGO_PKG_VERSION"),
        public_url: shared.base_url().to_owned(),
    })
}
