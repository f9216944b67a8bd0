//! The proof and the last yes.

use super::call::{PageCall, must_carry_out};
use super::session::{Session, forget, secret};
use super::{PageRoute, html, posting, see};
use crate::http::api::Shared;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::till::command::LinkStep;
use crate::till::link::code_hash;
use crate::till::record::{LinkPurpose, LinkStatus};
use crate::till::state::Read as _;
use crate::till::table::Accounts;
use crate::till::text::fold;
use crate::web::link::{self as pages, Proof};
use crate::web::message;
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/link/proof", proof),
    PageRoute::post("/link/code", new_code),
    PageRoute::post("/link/confirm", confirm),
    PageRoute::get("/link/done", done),
];

fn proof(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    let record = &session.record;
    if record.status != LinkStatus::Open {
        return Ok(see(if record.status == LinkStatus::Done { "/link/done" } else { "/link/next" }));
    }
    if record.missing().is_some() {
        return Ok(see("/link/next"));
    }
    let hashtag = session.code(record.codes)?;
    let now = shared.handle.now();
    let open = record.code.as_ref().map(|code| code.expires_at).filter(|until| now < *until);
    let (text, href) =
        posting::on(&shared.handle.snapshot()?, &record.network, [record.handle.as_str()], &hashtag)?;
    let stands = match &record.proof {
        Some(seen) if record.is_proven() => {
            Proof::Seen { handle: &seen.author.handle, user_id: &seen.author.user_id }
        }
        seen if let Some(until) = open => Proof::Code {
            text: &text,
            until,
            now,
            prepared: href,
            voucher: record.needs_voucher().then_some((record.vouched, seen.is_some())),
        },
        _ => Proof::None { too_late: record.code.is_some() },
    };
    Ok(html(200, &pages::proof(record.purpose, &record.network, &record.handle, &stands)))
}

fn new_code(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    shared.limits.step(call)?;
    let hashtag = session.code(session.record.codes.saturating_add(1))?;
    must_carry_out(shared, session.step(LinkStep::Code { hash: code_hash(&fold(&hashtag)) }))?;
    Ok(see("/link/proof"))
}

fn confirm(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    shared.limits.step(call)?;
    let (page, hash) = secret()?;
    must_carry_out(shared, session.step(LinkStep::Confirm { page: hash }))?;
    let after = Session::of(shared, call)?;
    // An account that had a page keeps it, unless this was said once more.
    let opens = match after.record.account {
        Some(id) if after.record.purpose == LinkPurpose::Link => {
            shared.handle.snapshot()?.must::<Accounts>(&id)?.page == Some(hash)
        }
        _ => false,
    };
    if !opens {
        return Ok(see("/link/done"));
    }
    Ok(forget(shared, see(&format!("/p/{page}?new=1"))))
}

/// Only whoever has shown that it is theirs comes here: they may know whether anything was linked.
fn done(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let session = Session::of(shared, call)?;
    if session.record.status != LinkStatus::Done {
        return Err(Problem::new(Code::Conflict, "This is not finished yet."));
    }
    let (title, text) = match (session.record.purpose, session.record.account) {
        (LinkPurpose::Link, _) => ("Linked", "From now on you can buy with a post from that account, too."),
        (_, None) => {
            ("Nothing was linked", "There was nothing to unlink: that account was not linked to a card.")
        }
        (LinkPurpose::Unlink, _) => (
            "Unlinked",
            "That account buys nothing any more. What you had ordered before is still on its way.",
        ),
        (LinkPurpose::Erase, _) => (
            "Erased",
            "Your card and your address are erased here, as soon as the last charge or refund under way has ended; \
             what the card's gateway has to keep of past charges stays with it. What you had ordered before is still \
             on its way.",
        ),
    };
    Ok(forget(shared, html(200, &message(title, text, None))))
}
