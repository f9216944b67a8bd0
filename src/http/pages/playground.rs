//! `/playground`: the little network of a sandbox. Only for who sits at the till's own machine: what is done there needs
//! no token.

use super::call::PageCall;
use super::{PageRoute, app, html};
use crate::http::answer::{json, json_bytes};
use crate::http::api::{PlaygroundPage, Shared};
use crate::http::auth;
use crate::http::message::Response;
use crate::http::problem::Problem;
use crate::web::app::App;
use crate::web::message;
use serde_json::json as value;
use std::net::IpAddr;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/playground", page),
    PageRoute::get("/playground/state", state),
    PageRoute::post("/playground/{deed}", act),
];

const PLAYGROUND: App = App {
    title: "Playground · tagtill",
    about: "This is the playground of a till: a little social network to buy on.",
    styles: &["base.css", "playground.css"],
    script: "playground.js",
    modules: &["dom.js", "format.js", "playground-bits.js", "playground-feed.js", "playground-side.js"],
};

/// Why there is no playground for somebody: a status, a title, a sentence.
type Closed = (u16, &'static str, &'static str);

const NO_SANDBOX: Closed = (
    404,
    "The playground is closed",
    "This till takes real money. To play, start one with play money beside it, by “tagtill demo” or by “tagtill serve \
     --sandbox”, and open the address that it prints.",
);
const NOT_HERE: Closed = (
    403,
    "The playground is for the till's own machine",
    "What is done there needs no token, so it takes only requests that were made on that machine and that nobody has \
     forwarded. Open it there, at the address that the till has printed, or start a till of your own with \
     “tagtill demo”.",
);

fn playground<'s>(shared: &'s Shared, call: &PageCall) -> Result<&'s dyn PlaygroundPage, Closed> {
    let open = shared.playground.get().ok_or(NO_SANDBOX)?;
    let here = auth::is_local(&call.request, shared.trusted_proxies()) && names_this_machine(call);
    if here { Ok(&**open) } else { Err(NOT_HERE) }
}

/// Whether the browser believes to talk to this machine: another site may give its own name this machine's address, and
/// its scripts would come from here as well.
fn names_this_machine(call: &PageCall) -> bool {
    let Some(host) = call.request.header("host") else { return false };
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok()
}

#[allow(clippy::unnecessary_wraps, reason = "as a handler must")]
fn page(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    Ok(match playground(shared, call) {
        Ok(_) => app::page(&PLAYGROUND),
        Err((status, title, text)) => html(status, &message(title, text, None)),
    })
}

fn closed((status, _, why): Closed) -> Result<Response, Problem> {
    json(status, &value!({"detail": why}))
}

/// What is new since the state of the name that stands behind `after`, and what the clock shows.
fn state(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    match playground(shared, call) {
        Ok(open) => Ok(seen(shared, open, call.field("after"))),
        Err(why) => closed(why),
    }
}

fn seen(shared: &Shared, open: &dyn PlaygroundPage, known: &str) -> Response {
    let (name, state) = open.look(known);
    let (now, state) = (shared.handle.now(), state.as_deref().unwrap_or("null").to_owned());
    json_bytes(200, format!(r#"{{"now":"{now}","version":"{name}","state":{state}}}"#).into_bytes())
}

fn act(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let open = match playground(shared, call) {
        Ok(open) => open,
        Err(why) => return closed(why),
    };
    if let Some((field, why)) = call.card_numbers().into_iter().find(|(field, _)| !is_id(field)) {
        return json(422, &value!({"detail": format!("What you wrote {why}."), "field": field}));
    }
    match open.act(call.param(0), &|name| call.field(name).to_owned()) {
        Ok(()) => Ok(seen(shared, open, "")),
        Err((status, why)) => json(status, &value!({"detail": why})),
    }
}

/// Ids of posts are digits on some networks, and a tenth of all such ids could be card numbers.
fn is_id(field: &str) -> bool {
    matches!(field, "of" | "post")
}
