//! `/p/<secret>`: an account's private page. The secret is all that it takes; the till keeps a hash of it.

mod view;

use super::call::{PageCall, must_carry_out};
use super::link::{begun, networks};
use super::session::with_cookie;
use super::{PageRoute, html, see};
use crate::http::api::{Authenticating, Shared};
use crate::http::auth::hash_token;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::till::command::Command;
use crate::till::id::{AccountId, PurchaseId};
use crate::till::record::{AccountRecord, LinkPurpose};
use crate::till::state::Read as _;
use crate::till::table::{Accounts, Hash, Pages, Purchases};
use crate::web::link::{self as link_pages, Form};
use crate::web::message;
use crate::web::private as pages;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/p/back", back).waiting(),
    PageRoute::get("/p/{secret}", show),
    PageRoute::get("/p/{secret}/allow/{purchase}", allow).waiting(),
    PageRoute::get("/p/{secret}/link", link_more),
    PageRoute::post("/p/{secret}/link", link_begun),
];

/// What brings a browser back from a gateway's page: the page's secret and the purchase. The gateway never sees it.
const COOKIE: [&str; 2] = ["tagtill_page", "__Host-tagtill_page"];
/// So long, in seconds.
const COOKIE_SECONDS: i64 = 3600;

fn account(shared: &Arc<Shared>, call: &PageCall) -> Result<(AccountId, AccountRecord), Problem> {
    let gone = || {
        let text = "There is no such page, or not any more: a newer address ends the one before it. The shop can give \
                    you another one, or you link your account anew.";
        Problem::new(Code::NotFound, text)
    };
    let snapshot = shared.handle.snapshot()?;
    let id = snapshot.get::<Pages>(&Hash(hash_token(call.param(0))))?.ok_or_else(gone)?;
    Ok((id, snapshot.must::<Accounts>(&id)?))
}

fn show(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (id, record) = account(shared, call)?;
    let own = (format!("/p/{}", call.param(0)), call.field("new") == "1");
    let view = view::view(&shared.handle.snapshot()?, shared.handle.now(), own, (id, &record))?;
    Ok(html(200, &pages::page(&view)))
}

/// To the page of the gateway's on which the card's owner allows a charge.
fn allow(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (account, _) = account(shared, call)?;
    shared.limits.step(call)?;
    let gone = || Problem::not_found("purchase");
    let id = PurchaseId::parse(call.param(1)).ok_or_else(gone)?;
    let purchase = shared.handle.snapshot()?.get::<Purchases>(&id)?.filter(|found| found.account == account);
    purchase.ok_or_else(gone)?;
    let back = format!("{}/p/back", shared.base_url());
    let asked = shared.gateways.authenticate(id, &back).map_err(Problem::internal)?;
    let own = format!("/p/{}", call.param(0));
    Ok(match asked {
        Authenticating::Page(url) => {
            let value = format!("{}.{id}", call.param(0));
            with_cookie(shared, see(&url), cookie_name(shared), &value, COOKIE_SECONDS)
        }
        Authenticating::Settled | Authenticating::NotNeeded => see(&own),
        Authenticating::Unknown => {
            let text = "The card's bank cannot be reached right now. Nothing was charged; please try again in a moment.";
            html(503, &message("Not right now", text, Some((&own, "Back"))))
        }
    })
}

/// Back from that page: the gateway is asked at once, and the private page shows what it says.
fn back(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let gone = || Problem::new(Code::NotFound, "Please open your private page again, from its address.");
    let (secret, id) =
        call.cookie(cookie_name(shared)).and_then(|value| value.split_once('.')).ok_or_else(gone)?;
    let purchase = PurchaseId::parse(id).ok_or_else(gone)?;
    let snapshot = shared.handle.snapshot()?;
    let account = snapshot.get::<Pages>(&Hash(hash_token(secret)))?.ok_or_else(gone)?;
    if snapshot.get::<Purchases>(&purchase)?.is_some_and(|found| found.account == account) {
        must_carry_out(shared, Command::LookAtCharge { purchase })?;
    }
    Ok(with_cookie(shared, see(&format!("/p/{secret}")), cookie_name(shared), "", 0))
}

fn cookie_name(shared: &Shared) -> &'static str {
    let [plain, secure] = COOKIE;
    if shared.is_secure() { secure } else { plain }
}

/// One more identity for this account: its address and its card stay. One that is linked already has to vouch for it.
fn link_more(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    account(shared, call)?;
    let action = &call.request.path;
    let page = link_pages::who(LinkPurpose::Link, &networks(shared)?, action, &Form::default());
    Ok(html(200, &page))
}

fn link_begun(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (id, _) = account(shared, call)?;
    begun(shared, call, LinkPurpose::Link, Some(id), &call.request.path)
}
