//! What an operator does to the till as a whole: resume it after a restore or a clock jump, move a sandbox's clock.

use super::purchases::Nothing;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::problem::{Code, Problem};
use crate::http::route::Route;
use crate::till::command::{Command, Outcome};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::post(
        "/v1/resume",
        "resume",
        "Go on after a restore, after a jump of the clock that is right, or after more captures than the limits allow.",
        resume,
    )
    .may_take::<Nothing>()
    .gives::<Resumed>(),
    Route::post(
        "/v1/sandbox/clock",
        "advanceClock",
        "Move a sandbox's clock; what is due then has happened.",
        advance,
    )
    .takes::<ClockBody>()
    .gives::<ClockView>(),
];

/// The till goes on.
#[derive(Serialize, JsonSchema)]
struct Resumed {
    /// Always true.
    resumed: bool,
}

/// How far to move the clock.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    /// Forward only.
    advance_seconds: u32,
}

/// The sandbox's time.
#[derive(Serialize, JsonSchema)]
struct ClockView {
    now: Time,
}

fn resume(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let Nothing {} = call.body_or_default()?;
    shared.handle.clock().accept_jump();
    call.change(Command::Resume, None, |_, _, _| Ok(Resumed { resumed: true })).answer()
}

fn advance(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let handle = shared.handle.clone();
    if !shared.sandbox {
        let detail = "Only a sandbox's clock can be moved, and this till runs without --sandbox.";
        return Err(Problem::new(Code::NotFound, detail));
    }
    let ClockBody { advance_seconds: seconds } = call.body()?;
    let view = move |_: &crate::store::Tx<'_>, before: Time, outcome: &Outcome| {
        let Outcome::Clock { offset_ms } = outcome else { return Ok(ClockView { now: before }) };
        Ok(ClockView { now: handle.clock().with_offset(*offset_ms).max(before) })
    };
    call.change(Command::AdvanceClock { seconds }, None, view).answer()
}
