//! The card of a new account: to the gateway's page and back. What is stored is asked for at the gateway, by the name
//! that this session keeps; nothing that the browser brings along counts.

use super::call::{PageCall, must_carry_out};
use super::session::Session;
use super::{PageRoute, html, see};
use crate::http::api::Shared;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::till::command::LinkStep;
use crate::till::link::{Setup, SetupBegun, SetupStanding};
use crate::till::record::{CardSetup, LinkStatus};
use crate::web::link as pages;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/link/card", card),
    PageRoute::get("/link/card/go", go).waiting(),
    PageRoute::get("/link/card/back", back).waiting(),
];

fn gateway(shared: &Shared) -> Result<&'static str, Problem> {
    let none = "This shop takes no cards yet, so nothing can be linked. Please ask it when it will.";
    shared.gateways.storing().ok_or_else(|| Problem::new(Code::Unavailable, none))
}

/// The session, where a card is what comes next.
fn open(shared: &Arc<Shared>, call: &PageCall) -> Result<Option<Session>, Problem> {
    let session = Session::of(shared, call)?;
    let record = &session.record;
    let ready =
        record.gathers() && record.address.is_some() && record.mandate.is_some() && record.card.is_none();
    Ok((ready && record.status == LinkStatus::Open).then_some(session))
}

fn card(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let Some(_) = open(shared, call)? else { return Ok(see("/link/next")) };
    let note = match call.field("again") {
        "" => None,
        "unknown" => Some("The card page cannot be reached right now. Please try again in a moment."),
        _ => Some("No card was stored. Please try again."),
    };
    Ok(html(200, &pages::card(gateway(shared)?, note)))
}

fn go(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let Some(session) = open(shared, call)? else { return Ok(see("/link/next")) };
    shared.limits.step(call)?;
    let gateway = gateway(shared)?;
    // The same page, until something came of it: the gateway begins it once under this key.
    let number =
        session.record.setups.max(1) + u32::from(session.record.setup.is_none() && session.record.setups > 0);
    let base = shared.base_url();
    let setup = Setup {
        key: format!("{}-{number}", session.id),
        return_url: format!("{base}/link/card/back"),
        cancel_url: format!("{base}/link/card"),
    };
    match shared.gateways.begin_setup(gateway, &setup) {
        SetupBegun::At { reference, url } => {
            let known = session.record.setup.as_ref().is_some_and(|setup| setup.reference == reference);
            if !known {
                let begun = CardSetup { gateway: gateway.to_owned(), reference };
                must_carry_out(shared, session.step(LinkStep::CardBegun(begun)))?;
            }
            Ok(see(&url))
        }
        SetupBegun::Unknown => Ok(see("/link/card?again=unknown")),
        SetupBegun::NotHere => {
            Err(Problem::new(Code::Unavailable, "This shop's gateway stores no cards here."))
        }
    }
}

fn back(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let Some(session) = open(shared, call)? else { return Ok(see("/link/next")) };
    shared.limits.step(call)?;
    let Some(CardSetup { gateway, reference }) = session.record.setup.clone() else {
        return Ok(see("/link/card?again=none"));
    };
    let key = format!("{}-{}", session.id, session.record.setups);
    match shared.gateways.setup(&gateway, &reference, &key) {
        SetupStanding::Stored(method) => {
            must_carry_out(shared, session.step(LinkStep::CardStored { reference, method }))?;
            Ok(see("/link/next"))
        }
        SetupStanding::Open => Ok(see("/link/card?again=none")),
        SetupStanding::Ended => {
            must_carry_out(shared, session.step(LinkStep::CardEnded { reference }))?;
            Ok(see("/link/card?again=none"))
        }
        SetupStanding::Unknown => Ok(see("/link/card?again=unknown")),
    }
}
