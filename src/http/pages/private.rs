//! `/p/<secret>`: an account's private page. The secret is all that it takes; the till keeps a hash of it.

use super::call::{PageCall, must_carry_out};
use super::link::{begun, networks};
use super::session::with_cookie;
use super::{PageRoute, html, see};
use crate::http::api::{Authenticating, Shared};
use crate::http::auth::hash_token;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::till::account::newest_purchases;
use crate::till::command::Command;
use crate::till::hashtag::bare;
use crate::till::id::{AccountId, PurchaseId};
use crate::till::record::{AccountRecord, LinkPurpose, OrderStatus, PurchaseRecord, PurchaseStatus};
use crate::till::state::{Read, StateError};
use crate::till::table::{Accounts, Hash, Offers, Orders, Pages, Purchases};
use crate::till::time::Time;
use crate::web::link::{self as link_pages, Form};
use crate::web::message;
use crate::web::private::{self as pages, Bought, LinkedIdentity, Mood, View};
use std::sync::Arc;

pub const ROUTES: &[PageRoute] = &[
    PageRoute::get("/p/back", back).waiting(),
    PageRoute::get("/p/{secret}", show),
    PageRoute::get("/p/{secret}/allow/{purchase}", allow).waiting(),
    PageRoute::get("/p/{secret}/link", link_more),
    PageRoute::post("/p/{secret}/link", link_begun),
];

/// What brings a browser back from a gateway's page: the page's secret and the purchase. The gateway never sees it.
const COOKIE: &str = "tagtill_page";
/// So long, in seconds.
const COOKIE_SECONDS: i64 = 3600;
/// Purchases that are shown.
const SHOWN_MAX: usize = 20;

fn account(shared: &Arc<Shared>, call: &PageCall) -> Result<(AccountId, AccountRecord), Problem> {
    let gone = || Problem::new(Code::NotFound, "There is no such page, or not any more.");
    let snapshot = shared.handle.snapshot()?;
    let id = snapshot.get::<Pages>(&Hash(hash_token(call.param(0))))?.ok_or_else(gone)?;
    Ok((id, snapshot.must::<Accounts>(&id)?))
}

fn show(shared: &Arc<Shared>, call: &PageCall) -> Result<Response, Problem> {
    let (id, record) = account(shared, call)?;
    let snapshot = shared.handle.snapshot()?;
    let mut newest = Vec::new();
    for (_, buyer) in newest_purchases(&snapshot, id)? {
        let mut next = Some(buyer.newest);
        while let Some(purchase) = next.filter(|_| newest.len() < 1000) {
            let found = snapshot.must::<Purchases>(&purchase)?;
            next = found.previous;
            newest.push((purchase, found));
        }
    }
    newest.sort_by_key(|(purchase, _)| std::cmp::Reverse(*purchase));
    newest.truncate(SHOWN_MAX);
    let now = shared.handle.now();
    let path = format!("/p/{}", call.param(0));
    let purchases =
        newest.iter().map(|(purchase, record)| bought(&snapshot, now, &path, (*purchase, record)));
    let person = record.person.as_ref();
    let view = View {
        path: path.clone(),
        fresh: call.field("new") == "1",
        identities: person
            .iter()
            .flat_map(|person| &person.identities)
            .map(|one| LinkedIdentity { network: one.network.clone(), handle: one.handle.clone() })
            .collect(),
        card: person.map_or_else(String::new, |person| {
            format!("{} …{}", person.payment_method.brand, person.payment_method.last4)
        }),
        mandate: record.mandate.map(|mandate| (mandate.version, day(mandate.accepted_at))),
        purchases: purchases.collect::<Result<_, StateError>>()?,
        live: newest.iter().any(|(_, record)| record.status.holds()),
    };
    Ok(html(200, &pages::page(&view)))
}

fn day(at: Time) -> String {
    let (year, month, day) = at.date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// `14:05 UTC`
fn hour(at: Time) -> String {
    at.to_string().get(11..16).map_or_else(String::new, |time| format!("{time} UTC"))
}

fn bought<S: Read>(
    state: &S,
    now: Time,
    path: &str,
    (id, purchase): (PurchaseId, &PurchaseRecord),
) -> Result<Bought, StateError> {
    let offer = state.must::<Offers>(&purchase.offer)?;
    let left =
        purchase.authenticate_by.filter(|until| purchase.status == PurchaseStatus::Capturing && now < *until);
    if let Some(until) = left {
        return Ok(Bought {
            title: offer.title.clone(),
            price: purchase.price.to_string(),
            state: "One step is left".to_owned(),
            mood: Mood::Open,
            to_do: Some(format!(
                "Your bank wants you to allow this charge, before {}. Nothing is charged until then.",
                hour(until)
            )),
            action: Some((format!("{path}/allow/{id}"), "Go to your bank")),
        });
    }
    let (mood, state_words, to_do) = match purchase.status {
        PurchaseStatus::Pending if now <= purchase.expires_at => (
            Mood::Open,
            "Held for you".to_owned(),
            Some(format!(
                "Post #{} before {} to buy it.",
                bare(&offer.confirm_hashtag),
                hour(purchase.expires_at)
            )),
        ),
        PurchaseStatus::Pending | PurchaseStatus::Expired => {
            (Mood::Bad, "Not confirmed in time; nothing was charged".to_owned(), None)
        }
        PurchaseStatus::Capturing => (Mood::Open, "Ordered; your card is being charged".to_owned(), None),
        PurchaseStatus::Cancelled => (Mood::Bad, "Let go; nothing was charged".to_owned(), None),
        PurchaseStatus::Declined => (
            Mood::Bad,
            "Your card was declined; nothing was charged".to_owned(),
            Some("Ask your bank, or link another card, then post again.".to_owned()),
        ),
        PurchaseStatus::Refunded => (Mood::Open, "Given back to your card".to_owned(), None),
        PurchaseStatus::Paid => (Mood::Good, paid(state, purchase)?, None),
    };
    Ok(Bought {
        title: offer.title.clone(),
        price: purchase.price.to_string(),
        state: state_words,
        mood,
        to_do,
        action: None,
    })
}

fn paid<S: Read>(state: &S, purchase: &PurchaseRecord) -> Result<String, StateError> {
    let Some(order) = purchase.order else { return Ok("Paid".to_owned()) };
    Ok(match state.must::<Orders>(&order)?.status {
        OrderStatus::Unfulfilled => "Paid; it is being packed",
        OrderStatus::Shipped => "Paid and shipped",
        OrderStatus::Delivered => "Paid and delivered",
        OrderStatus::Cancelled => "Cancelled by the shop",
    }
    .to_owned())
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
            with_cookie(shared, see(&url), COOKIE, &value, COOKIE_SECONDS)
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
    let (secret, id) = call.cookie(COOKIE).and_then(|value| value.split_once('.')).ok_or_else(gone)?;
    let purchase = PurchaseId::parse(id).ok_or_else(gone)?;
    let snapshot = shared.handle.snapshot()?;
    let account = snapshot.get::<Pages>(&Hash(hash_token(secret)))?.ok_or_else(gone)?;
    if snapshot.get::<Purchases>(&purchase)?.is_some_and(|found| found.account == account) {
        must_carry_out(shared, Command::LookAtCharge { purchase })?;
    }
    Ok(with_cookie(shared, see(&format!("/p/{secret}")), COOKIE, "", 0))
}

/// One more identity for this account: its address and its card stay.
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
