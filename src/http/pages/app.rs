//! The console and the other pages that scripts fill, and the files that they are made of. They hold nothing that is
//! anybody's: all they show comes from calls that need a token.

use super::call::PageCall;
use super::{PageRoute, secured};
use crate::http::api::Shared;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::web::app::{self, App};
use crate::web::assets;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] =
    &[PageRoute::get("/", console), PageRoute::get("/assets/{version}/{name}", asset)];

/// What such a page may do: its own scripts, styles and pictures, calls to its own till, and nothing else. Scripts make
/// no markup out of texts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const CONSOLE: App = App {
    title: "tagtill",
    about: "This is the console of a till.",
    styles: &["base.css", "console.css", "charts.css", "now.css", "list.css", "desk.css", "rehearsal.css"],
    script: "console.js",
    modules: &["dom.js", "api.js", "format.js", "live.js"],
};

/// A page that scripts fill.
pub fn page(app: &App) -> Response {
    secured(Response::new(200, "text/html; charset=utf-8", app::render(app)), POLICY)
}

#[allow(clippy::unnecessary_wraps, reason = "as a handler must")]
fn console(_: &Arc<Shared>, _: &PageCall) -> Result<Response, Problem> {
    Ok(page(&CONSOLE))
}

fn asset(_: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let found = assets::find(call.param(1));
    let found = found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such file."))?;
    // Under another version's name it may be kept for no longer than it takes to show it.
    let kept = call.param(0) == assets::version() && !cfg!(debug_assertions);
    let keep = if kept { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::new(200, found.content_type, found.bytes().into_owned());
    response.headers.push(("Cache-Control".to_owned(), keep.to_owned()));
    Ok(response.with_header("X-Content-Type-Options", "nosniff"))
}
