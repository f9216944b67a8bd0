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
