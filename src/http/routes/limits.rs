//! `/v1/limits`: how much one buyer may hold, buy and spend, and how fast captures may go.

use super::patch::given;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::till::command::{BuyerLimitsChange, Command, LimitsChange};
use crate::till::money::Money;
use crate::till::record::{BuyerLimits, LimitsRecord};
use crate::till::state::{Read, StateError};
use crate::till::time::Time;
use crate::till::{limit, pace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::get("/v1/limits", "getLimits", "The limits that keep the shop safe.", get).gives::<LimitsView>(),
    Route::put("/v1/limits", "putLimits", "Change limits.", put).takes::<LimitsPut>().gives::<LimitsView>(),
];

/// What one buyer may have. What is left out stays as it is; null: no limit.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BuyerLimitsPut")]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct BuyerPut {
    /// Holds that wait for their confirmation.
    #[serde(default, deserialize_with = "given")]
    open_holds: Option<Option<u32>>,
    /// Purchases in 24 hours; expired, cancelled and declined ones do not count.
    #[serde(default, deserialize_with = "given")]
    purchases_per_day: Option<Option<u32>>,
    /// What they may come to in 24 hours, by currency; a currency that is not named has no limit.
    spending_per_day: Option<Vec<Money>>,
}

impl From<BuyerPut> for BuyerLimitsChange {
    fn from(put: BuyerPut) -> Self {
        let BuyerPut { open_holds, purchases_per_day, spending_per_day } = put;
        Self { open_holds, purchases_per_day, spending_per_day }
    }
}

/// Limits. What is left out stays as it is; null: no limit.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LimitsPut")]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct LimitsPut {
    /// Of each account.
    #[serde(default)]
    per_account: BuyerPut,
    /// Of each card, whoever has linked it.
    #[serde(default)]
    per_card: BuyerPut,
    /// After so many holds that nobody confirmed, of those begun within 24 hours, an account has to pause.
    #[serde(default, deserialize_with = "given")]
    pause_after_expired_holds: Option<Option<u32>>,
    /// For how long, from the end of the last one.
    pause_seconds: Option<u32>,
    /// How long a new account has to wait before it can buy.
    new_account_wait_seconds: Option<u32>,
    /// More captures of one network in an hour than this wait until `POST /v1/resume`; `/readyz` says so.
    #[serde(default, deserialize_with = "given")]
    captures_per_hour: Option<Option<u32>>,
}

/// The limits that keep the shop safe; null: none.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limits")]
struct LimitsView {
    per_account: BuyerLimits,
    per_card: BuyerLimits,
    pause_after_expired_holds: Option<u32>,
    pause_seconds: u32,
    new_account_wait_seconds: u32,
    captures_per_hour: Option<u32>,
    /// Networks whose captures wait for `POST /v1/resume`.
    captures_paused: Vec<PausedView>,
}

/// A network whose captures wait for an operator.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PausedCaptures")]
struct PausedView {
    network: String,
    since: Time,
}

fn view<S: Read>(state: &S) -> Result<LimitsView, StateError> {
    let LimitsRecord {
        per_account,
        per_card,
        pause_after_expired_holds,
        pause_seconds,
        new_account_wait_seconds,
        captures_per_hour,
    } = limit::current(state)?;
    let paused = pace::paused(state)?.into_iter();
    Ok(LimitsView {
        per_account,
        per_card,
        pause_after_expired_holds,
        pause_seconds,
        new_account_wait_seconds,
        captures_per_hour,
        captures_paused: paused.map(|(network, since)| PausedView { network, since }).collect(),
    })
}

/// The limits as their call shows them.
///
/// # Errors
/// When the file cannot be read.
pub fn shown<S: Read>(state: &S) -> Result<Value, StateError> {
    serde_json::to_value(view(state)?).map_err(|error| StateError(error.to_string()))
}

fn get(shared: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    Answer::ok(&view(&shared.handle.snapshot()?)?)
}

fn put(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let put: LimitsPut = call.body()?;
    let change = LimitsChange {
        per_account: put.per_account.into(),
        per_card: put.per_card.into(),
        pause_after_expired_holds: put.pause_after_expired_holds,
        pause_seconds: put.pause_seconds,
        new_account_wait_seconds: put.new_account_wait_seconds,
        captures_per_hour: put.captures_per_hour,
    };
    call.change(Command::PutLimits(Box::new(change)), None, |tx, _, _| view(tx)).answer()
}
