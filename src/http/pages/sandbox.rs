//! The sandbox's stand-ins for a gateway's pages. They exist under `--sandbox` only.

use super::call::PageCall;
use super::{PageRoute, html, see};
use crate::http::api::Shared;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::web::sandbox as pages;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/sandbox/cards/{reference}", cards),
    PageRoute::post("/sandbox/cards/{reference}", chosen),
    PageRoute::get("/sandbox/authenticate/{reference}", owner),
    PageRoute::post("/sandbox/authenticate/{reference}", owner_answered),
];

fn gone() -> Problem {
    Problem::new(Code::NotFound, "This page was used, or is too old.")
}

fn cards(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let play = shared.gateways.play().ok_or_else(gone)?;
    let page = play.page(call.param(0)).ok_or_else(gone)?;
    let cards = play.cards();
    let cards: Vec<_> =
        cards.iter().map(|(token, brand, last4, about)| pages::Card { token, brand, last4, about }).collect();
    Ok(html(200, &pages::cards(&cards, &call.request.path, &page)))
}

fn chosen(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let play = shared.gateways.play().ok_or_else(gone)?;
    let back = play.choose(call.param(0), call.field("card")).ok_or_else(gone)?;
    Ok(see(&back))
}

/// Where the bank of a test card asks its owner.
fn owner(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let money = shared.gateways.sandbox_waits(call.param(0)).ok_or_else(gone)?;
    Ok(html(200, &pages::owner(&money.to_string(), &call.request.path)))
}

fn owner_answered(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    if !shared.gateways.sandbox_answers(call.param(0), call.field("answer") == "allow") {
        return Err(gone());
    }
    Ok(see("/p/back"))
}
