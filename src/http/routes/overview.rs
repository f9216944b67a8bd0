//! `/v1/overview`: how the shop stands, for the console's first page. Cheap, however many ask.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::overview::OverviewView;
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[Route::get(
    "/v1/overview",
    "getOverview",
    "How the shop stands: what sells, what is held, what needs a person. Made at most once a second; takes If-None-Match.",
    get,
)
.also(&[Kind::Merchant])
.gives::<OverviewView>()];

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    shared.overview.answer(call)
}
