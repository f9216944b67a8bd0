//! `/v1/gateway-events`: what gateways tell by themselves. Whoever sends it shows by a signature that it is the
//! gateway's; it only makes the till ask that gateway.

use crate::http::answer::Answer;
use crate::http::api::{NotTaken, Shared};
use crate::http::call::Call;
use crate::http::problem::{Code, Problem};
use crate::http::route::Route;
use crate::till::command::{Command, Outcome};
use crate::till::state::StateError;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

pub const ROUTES: &[Route] = &[Route::post(
    "/v1/gateway-events/{gateway}",
    "takeGatewayEvent",
    "Take an event of a payment gateway, as its webhooks send it.",
    take,
)
.signed()
.gives::<EventTaken>()];

/// What came of an event.
#[derive(Serialize, JsonSchema)]
struct EventTaken {
    /// Whether the gateway will be asked about it.
    taken: bool,
    /// Whether it was told before.
    repeated: bool,
}

fn take(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let gateway = call.param(0).to_owned();
    // By the wall: signatures know nothing of a sandbox's clock.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let header = |name: &str| call.request.header(name);
    let notice = shared.gateways.notice(&gateway, &header, &call.request.body, now);
    let notice = notice.map_err(|not_taken| match not_taken {
        NotTaken::NotHere => Problem::new(
            Code::NotFound,
            "This till takes no events of that gateway. For Stripe, start it with --stripe-webhook-secret-file.",
        ),
        NotTaken::Unproven(why) => Problem::new(Code::InvalidRequest, why),
    })?;
    let Some(notice) = notice else {
        return Answer::ok(&EventTaken { taken: false, repeated: false });
    };
    let command = Command::TakeNotice { gateway, event: notice.event, about: notice.about };
    let change = call.change(command, None, |_, _, outcome| match outcome {
        Outcome::Noticed { repeated } => Ok(EventTaken { taken: true, repeated: *repeated }),
        other => Err(StateError(format!("not a notice: {other:?}"))),
    });
    change.answer()
}
