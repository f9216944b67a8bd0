//! The pages for buyers: linking and unlinking, the private page, the sandbox's stand-ins for a gateway's pages; and the
//! frames of those for whoever runs the till.
//!
//! Those for buyers are plain forms. A request is read, checked and turned into a command here; what a page looks like is the
//! affair of [`crate::web`]. Whatever waits, for a commit or for a gateway, does so on one of a few threads of its own.
//! An address that holds a secret never comes into the log.

mod app;
mod call;
mod card;
mod limits;
mod link;
mod playground;
mod posting;
mod private;
mod proof;
mod sandbox;
mod session;

pub use limits::Limits;

use super::answer::Out;
use super::api::Shared;
use super::message::{Method, Request, Response};
use super::problem::{Code, Problem};
use super::server::Responder;
use crate::web::{self, Page, STYLE, assets};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use call::PageCall;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Page requests that may wait for a commit or a gateway at once.
const WAITING_MAX: usize = 32;

/// What answers a page's request.
type Handle = fn(&Arc<Shared>, &PageCall) -> Result<Response, Problem>;

/// A page, or a form of one.
pub struct PageRoute {
    method: Method,
    /// With its parameters in braces.
    path: &'static str,
    /// What stands in the log in place of the path, which may hold a secret.
    name: &'static str,
    /// Whether it may wait.
    waits: bool,
    handle: Handle,
}

impl PageRoute {
    /// A page that shows what is there.
    const fn get(path: &'static str, handle: Handle) -> Self {
        Self { method: Method::Get, path, name: path, waits: false, handle }
    }

    /// A form.
    const fn post(path: &'static str, handle: Handle) -> Self {
        Self { method: Method::Post, path, name: path, waits: true, handle }
    }

    /// The same, where it waits for a commit or a gateway.
    const fn waiting(mut self) -> Self {
        self.waits = true;
        self
    }

    fn matches(&self, path: &str) -> Option<Vec<String>> {
        super::route::match_path(self.path, path)
    }
}

fn all() -> impl Iterator<Item = &'static PageRoute> {
    [
        link::ROUTES,
        card::ROUTES,
        proof::ROUTES,
        private::ROUTES,
        sandbox::ROUTES,
        playground::ROUTES,
        app::ROUTES,
    ]
    .into_iter()
    .flatten()
}

fn first_part(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// Whether a path is that of a page.
pub fn is_page(path: &str) -> bool {
    is_public(path) || matches!(first_part(path), "" | "assets" | "playground")
}

/// Whether it is that of a page for buyers, or of what such a page is made of.
pub fn is_public(path: &str) -> bool {
    match first_part(path) {
        "link" | "unlink" | "p" | "sandbox" => true,
        "assets" => path.rsplit('/').next().is_some_and(assets::is_for_buyers),
        _ => false,
    }
}

/// Answers a page's request, here or on a thread of its own.
pub fn answer(shared: &Arc<Shared>, request: Request, responder: Responder) {
    let found = all().find_map(|route| {
        let params = route.matches(&request.path).filter(|_| route.method == request.method)?;
        Some((route, params))
    });
    let Some((route, params)) = found else {
        let out = Out::new(responder, shared, &request.method, "(no page)");
        let known = all().any(|route| route.matches(&request.path).is_some());
        let code = if known { Code::MethodNotAllowed } else { Code::NotFound };
        return fail(out, &Problem::new(code, "There is no such page."));
    };
    let out = Out::new(responder, shared, &request.method, route.name);
    let call = match PageCall::new(shared, request, params) {
        Ok(call) => call,
        Err(problem) => return fail(out, &problem),
    };
    if route.waits {
        wait(shared, route, call, out);
    } else {
        finish(out, (route.handle)(shared, &call));
    }
}

/// Runs a handler that waits, unless too many do already.
fn wait(shared: &Arc<Shared>, route: &'static PageRoute, call: PageCall, out: Out) {
    let places = Place::enter(&shared.pages_waiting);
    let Some(place) = places else {
        return fail(
            out,
            &Problem::overloaded("Many people are here right now; please try again in a moment."),
        );
    };
    let theirs = Arc::clone(shared);
    let working = std::thread::Builder::new().name("page".to_owned()).spawn(move || {
        let answer = (route.handle)(&theirs, &call);
        drop(place);
        finish(out, answer);
    });
    if let Err(error) = working {
        log::error!("no thread to answer a page with: {error}");
    }
}

/// A place among those that wait.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn enter(count: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(count));
        (count.fetch_add(1, Ordering::AcqRel) < WAITING_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn finish(out: Out, answer: Result<Response, Problem>) {
    match answer {
        Ok(response) => out.send(response),
        Err(problem) => fail(out, &problem),
    }
}

fn fail(out: Out, problem: &Problem) {
    if let Some(inner) = &problem.inner {
        log::error!("{}: {inner}", out.request_id());
    }
    let status = problem.code.status();
    let title = match problem.code {
        Code::NotFound => "There is nothing here",
        Code::TooManyRequests => "That was too often",
        Code::Overloaded | Code::Unavailable => "Not right now",
        _ => "That did not work",
    };
    let page = web::error_page(title, &problem.detail, out.request_id(), Some(("/link", "Begin again")));
    let mut response = html(status, &page);
    response.headers.extend(problem.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    out.send(response);
}

/// A page, with what browsers are to hold it to.
fn html(status: u16, page: &Page) -> Response {
    static PLAIN: LazyLock<String> = LazyLock::new(|| policy(STYLE, "'self'"));
    static SCRIPTED: LazyLock<String> = LazyLock::new(|| {
        // The script asks for its own page, and makes no markup out of texts.
        format!(
            "{}; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
            *PLAIN
        )
    });
    let policy = if page.is_scripted() { &SCRIPTED } else { &PLAIN };
    let referrer = if page.is_private() { PRIVATE_REFERRER } else { REFERRER };
    let response = Response::new(status, "text/html; charset=utf-8", page.render());
    secured_with(response, policy, referrer)
}

/// What a page may do, in a Content-Security-Policy: this style, our own pictures, forms to there, and nothing else.
pub fn policy(style: &str, forms_to: &str) -> String {
    let style = STANDARD.encode(Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; form-action {forms_to}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// Not `no-referrer`: browsers would hide from a form where it comes from, from ourselves, too.
const REFERRER: &str = "same-origin";
/// Of a page whose address is a secret, nobody learns more than the site: not a proxy's log of our own pages either.
const PRIVATE_REFERRER: &str = "strict-origin";

/// With the headers of every page.
pub fn secured(response: Response, policy: &str) -> Response {
    secured_with(response, policy, REFERRER)
}

fn secured_with(response: Response, policy: &str, referrer: &str) -> Response {
    response
        .with_header("Content-Security-Policy", policy)
        .with_header("Referrer-Policy", referrer)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Cross-Origin-Opener-Policy", "same-origin")
        .with_header("Cache-Control", "no-store")
}

/// To another page.
fn see(location: &str) -> Response {
    secured(Response::empty(303).with_header("Location", location), "default-src 'none'")
}
