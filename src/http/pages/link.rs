//! `/link` and `/unlink`: beginning, the address, the agreement.

use super::call::{PageCall, carry_out, must_carry_out};
use super::session::{Session, remember, secret};
use super::{PageRoute, html, see};
use crate::http::api::Shared;
use crate::http::auth::hash_token;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::till::command::{Command, LinkStep, NewLink, Outcome};
use crate::till::country;
use crate::till::id::{AccountId, LinkId};
use crate::till::network::KNOWN_NETWORKS;
use crate::till::record::{Address, LinkPurpose, LinkRecord, LinkStatus};
use crate::till::state::{Direction, Read as _, Span};
use crate::till::table::{LinkSessions, Networks, Text};
use crate::web::link::{self as pages, Form};
use crate::web::{mandate, message};
use std::ops::ControlFlow;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/link", begin_linking),
    PageRoute::post("/link", linking_begun),
    PageRoute::get("/unlink", begin_unlinking),
    PageRoute::post("/unlink", unlinking_begun),
    PageRoute::get("/link/open/{session}/{secret}", opening),
    PageRoute::post("/link/open/{session}/{secret}", opened),
    PageRoute::get("/link/next", next),
    PageRoute::get("/link/address", address),
    PageRoute::post("/link/address", address_typed),
    PageRoute::get("/link/agreement", agreement),
    PageRoute::post("/link/agreement", agreed),
    PageRoute::get("/link/mandates/{version}", mandate_text),
    PageRoute::post("/link/cancel", cancel),
];

fn begin_linking(shared: &Arc<Shared>, _: &PageCall) -> Result<Response, Problem> {
    begin(shared, LinkPurpose::Link, "/link", &Form::default())
}

fn begin_unlinking(shared: &Arc<Shared>, _: &PageCall) -> Result<Response, Problem> {
    begin(shared, LinkPurpose::Unlink, "/unlink", &Form::default())
}

fn begin(shared: &Arc<Shared>, purpose: LinkPurpose, action: &str, form: &Form) -> Result<Response, Problem> {
    Ok(html(200, &pages::who(purpose, &networks(shared)?, action, form)))
}

/// Networks on which something is sold: those where the till is somebody, the sandbox in a sandbox; all, where that is
/// not known.
pub fn networks(shared: &Arc<Shared>) -> Result<Vec<String>, Problem> {
    let mut own = Vec::new();
    shared.handle.snapshot()?.scan::<Networks>(&Span::all(), Direction::Up, |Text(slug), network| {
        if network.own.is_some() {
            own.push(slug);
        }
        ControlFlow::Continue(())
    })?;
    if shared.sandbox && !own.iter().any(|slug| slug == "sandbox") {
        own.push("sandbox".to_owned());
    }
    if own.is_empty() {
        own.extend(KNOWN_NETWORKS.iter().filter(|slug| **slug != "sandbox").map(|slug| (*slug).to_owned()));
    }
    Ok(own)
}

fn linking_begun(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    begun(shared, call, LinkPurpose::Link, None, "/link")
}

fn unlinking_begun(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let purpose = if call.field("purpose") == "erase" { LinkPurpose::Erase } else { LinkPurpose::Unlink };
    begun(shared, call, purpose, None, "/unlink")
}

/// Begins a session in this browser; what was typed wrong is shown again.
pub fn begun(
    shared: &Arc<Shared>,
    call: &PageCall,
    purpose: LinkPurpose,
    account: Option<AccountId>,
    action: &str,
) -> Result<Response, Problem> {
    let (network, handle) = (call.field("network"), call.field("handle"));
    let mut errors = call.card_numbers();
    if network.is_empty() {
        errors.push(("network".to_owned(), "has to be chosen".to_owned()));
    }
    if !errors.is_empty() {
        let kept =
            call.fields.iter().filter(|(name, _)| errors.iter().all(|(wrong, _)| wrong != name)).cloned();
        let form = Form::new(kept.collect(), errors);
        return Ok(html(422, &pages::who(purpose, &networks(shared)?, action, &form)));
    }
    shared.limits.begin(call, network, handle)?;
    let (secret, hash) = secret()?;
    let new = NewLink {
        purpose,
        network: network.to_owned(),
        handle: handle.to_owned(),
        opening: None,
        browser: Some(hash),
        account,
    };
    match carry_out(shared, Command::BeginLink(Box::new(new)))? {
        Ok(Outcome::Link(id)) => Ok(remember(shared, see("/link/next"), id, &secret)),
        Ok(other) => Err(Problem::internal(format!("not a session: {other:?}"))),
        Err(refusal) => {
            let form = refused(call, &refusal.errors, &refusal.detail);
            Ok(html(422, &pages::who(purpose, &networks(shared)?, action, &form)))
        }
    }
}

/// The form again, with what was typed and what is wrong.
fn refused(call: &PageCall, errors: &[crate::till::refusal::FieldError], detail: &str) -> Form {
    let mut wrong: Vec<_> = errors.iter().map(|error| (error.field.clone(), error.detail.clone())).collect();
    if wrong.is_empty() {
        wrong.push((String::new(), detail.to_owned()));
    }
    Form::new(call.fields.clone(), wrong)
}

/// A session that was begun by the API, as its link names it.
fn unopened(shared: &Arc<Shared>, call: &PageCall) -> Result<(LinkId, LinkRecord), Problem> {
    let gone = || Problem::new(Code::NotFound, "This link was used, or is too old.");
    let id = LinkId::parse(call.param(0)).ok_or_else(gone)?;
    let record = shared.handle.snapshot()?.get::<LinkSessions>(&id)?.ok_or_else(gone)?;
    if record.opening != Some(hash_token(call.param(1))) {
        return Err(gone());
    }
    Ok((id, record))
}

/// Shows it only: whatever looks links up in advance must not use them up.
fn opening(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (_, record) = unopened(shared, call)?;
    Ok(html(200, &pages::opening(record.purpose, &record.network, &record.handle, &call.request.path)))
}

fn opened(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (id, _) = unopened(shared, call)?;
    let (secret, browser) = secret()?;
    must_carry_out(shared, Command::OpenLink { id, opening: hash_token(call.param(1)), browser })?;
    Ok(remember(shared, see("/link/next"), id, &secret))
}

/// To the step that comes next.
fn next(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    let record = &session.record;
    if record.status == LinkStatus::Cancelled {
        let (text, on) = match record.purpose {
            LinkPurpose::Link => ("Nothing was linked, and what you typed is forgotten.", "/link"),
            _ => ("Nothing was unlinked and nothing erased.", "/unlink"),
        };
        return Ok(html(200, &message("Stopped", text, Some((on, "Begin again")))));
    }
    let gathers = record.status == LinkStatus::Open && record.gathers();
    Ok(see(match (gathers, &record.address, &record.mandate, &record.card) {
        (true, None, ..) => "/link/address",
        (true, _, None, _) => "/link/agreement",
        (true, _, _, None) => "/link/card",
        _ => "/link/proof",
    }))
}

fn address(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    let chosen = country::find(call.field("country"));
    let page = match chosen {
        Some(chosen) => pages::address(&chosen, &typed(&session.record, chosen.code)),
        None if call.fields.iter().any(|(name, _)| name == "country") => {
            let error = ("country".to_owned(), "has to be chosen".to_owned());
            return Ok(html(422, &pages::country(&Form::new(Vec::new(), vec![error]))));
        }
        None => {
            let known = session.record.address.as_ref().map(|address| address.country.clone());
            let values = vec![("country".to_owned(), known.unwrap_or_default())];
            pages::country(&Form::new(values, Vec::new()))
        }
    };
    Ok(html(200, &page))
}

/// What was typed in this session before, for the same country.
fn typed(record: &LinkRecord, country: &str) -> Form {
    let Some(address) = record.address.as_ref().filter(|address| address.country == country) else {
        return Form::default();
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let values = [
        ("name", address.name.clone()),
        ("line1", address.line1.clone()),
        ("line2", text(&address.line2)),
        ("city", address.city.clone()),
        ("region", text(&address.region)),
        ("postal_code", address.postal_code.clone()),
        ("email", text(&record.email)),
    ];
    Form::new(values.map(|(name, value)| (name.to_owned(), value)).into(), Vec::new())
}

fn address_typed(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    shared.limits.step(call)?;
    let Some(country) = country::find(call.field("country")) else { return Ok(see("/link/address")) };
    let numbers = call.card_numbers();
    if !numbers.is_empty() {
        return Ok(html(422, &pages::address(&country, &Form::new(Vec::new(), numbers))));
    }
    let text = |name: &str| call.field(name).to_owned();
    let address = Address {
        name: text("name"),
        line1: text("line1"),
        line2: call.optional("line2"),
        city: text("city"),
        region: call.optional("region"),
        postal_code: text("postal_code"),
        country: country.code.to_owned(),
    };
    let step = LinkStep::Address { address, email: call.optional("email") };
    match carry_out(shared, session.step(step))? {
        Ok(_) => Ok(see("/link/next")),
        Err(refusal) => {
            let form = refused(call, &refusal.errors, &refusal.detail);
            Ok(html(422, &pages::address(&country, &form)))
        }
    }
}

fn country_of(session: &Session) -> &str {
    session.record.address.as_ref().map_or("", |address| address.country.as_str())
}

fn agreement(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    Ok(html(200, &pages::agreement(country_of(&session), None)))
}

fn agreed(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    let shown = call.field("version").parse::<u32>().ok();
    if call.field("agree") != "yes" || shown != Some(mandate::CURRENT) {
        let error = "Without your agreement no card can be linked. Please tick the box.";
        return Ok(html(422, &pages::agreement(country_of(&session), Some(error))));
    }
    must_carry_out(shared, session.step(LinkStep::Mandate { version: mandate::CURRENT }))?;
    Ok(see("/link/next"))
}

fn mandate_text(_: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let version = call.param(0).parse().unwrap_or(0);
    let text = mandate::text(version).ok_or_else(|| Problem::not_found("agreement"))?;
    Ok(html(200, &pages::mandate_page(version, text)))
}

fn cancel(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    must_carry_out(shared, session.step(LinkStep::Cancel))?;
    Ok(see("/link/next"))
}
