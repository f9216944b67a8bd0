//! `/v1/offers/{id}/waiting`: who waits in line for an offer, and at which place.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, SCAN_MAX, page_in};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::command::{Command, Outcome};
use crate::till::id::{AccountId, OfferId};
use crate::till::record::WaitingRecord;
use crate::till::state::{Direction, Key as _, Read as _, Span, StateError};
use crate::till::table::{Waiters, Waiting, WaitingKey};
use crate::till::time::Time;
use crate::till::{account, offer, waiting};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

const PLACE: &str = "/v1/offers/{id}/waiting/{account}";

pub const ROUTES: &[Route] = &[
    Route::get(
        "/v1/offers/{id}/waiting",
        "listWaiting",
        "Who waits for an offer, first in line first.",
        list,
    )
    .also(&[Kind::Merchant])
    .query(&[LIMIT, CURSOR])
    .gives::<Page<WaitingView>>(),
    Route::get(
        "/v1/accounts/{id}/waiting",
        "listAccountWaiting",
        "Every line that an account waits in, and its place there.",
        of_account,
    )
    .gives::<Page<WaitingView>>(),
    Route::get(PLACE, "getWaiting", "An account's place in line for an offer.", get).gives::<WaitingView>(),
    Route::delete(PLACE, "leaveWaiting", "Take an account out of the line for an offer.", leave)
        .gives::<WaitingEnded>(),
];

/// A place in line.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
struct WaitingView {
    /// From 1; each variant has a line of its own.
    place: u64,
    offer: OfferId,
    /// Which variant; null: the offer has none.
    variant: Option<String>,
    /// How many units are wanted.
    units: u32,
    /// For admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    /// The network of the post that asked, for admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    /// The post that asked, for admins only.
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<String>,
    joined_at: Time,
}

/// An account that waits no more.
#[derive(Serialize, JsonSchema)]
struct WaitingEnded {
    offer: OfferId,
    account: AccountId,
    /// Always true.
    left: bool,
}

fn view(place: u64, key: WaitingKey, entry: &WaitingRecord, admin: bool) -> WaitingView {
    WaitingView {
        place,
        offer: key.offer,
        variant: Some(key.variant).filter(|name| !name.is_empty()),
        units: entry.units,
        account: admin.then_some(entry.account),
        network: admin.then(|| entry.network.clone()),
        post: admin.then(|| entry.post.clone()),
        joined_at: entry.joined_at,
    }
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OfferId::parse, "offer")?;
    let snapshot = shared.handle.snapshot()?;
    offer::must_find(&snapshot, id, call.merchant())?;
    let admin = call.is_admin();
    // Only the first of a page, and of each variant's line, is counted from the front.
    let mut last: Option<(String, u64)> = None;
    let show = |state: &_, key: WaitingKey, entry: &WaitingRecord| {
        let place = match &last {
            Some((variant, place)) if *variant == key.variant => place.saturating_add(1),
            _ => waiting::place(state, &key)?,
        };
        last = Some((key.variant.clone(), place));
        Ok(view(place, key, entry, admin))
    };
    let line = Span::prefix(id.encode());
    Answer::ok(&page_in::<Waiting, _>(&snapshot, call, (line, Direction::Up), |_| true, show)?)
}

fn of_account(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(AccountId::parse, "account")?;
    let snapshot = shared.handle.snapshot()?;
    account::must_find(&snapshot, id)?;
    let mut data = Vec::new();
    for ((_, offer), waiter) in snapshot.first::<Waiters>(&Span::prefix(id.encode()), SCAN_MAX)? {
        let key = waiter.key(offer);
        let (place, entry) = (waiting::place(&snapshot, &key)?, snapshot.must::<Waiting>(&key)?);
        data.push(view(place, key, &entry, true));
    }
    Answer::ok(&Page { data, next_cursor: None })
}

/// The account in the path; what is no such id does not wait.
fn account_of(call: &Call) -> Result<AccountId, Problem> {
    AccountId::parse(call.param(1)).ok_or_else(|| Problem::not_found("account"))
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (id, account) = (call.id(OfferId::parse, "offer")?, account_of(call)?);
    let snapshot = shared.handle.snapshot()?;
    offer::must_find(&snapshot, id, None)?;
    let found = waiting::find(&snapshot, account, id)?;
    let (key, entry) = found.ok_or_else(|| Problem::not_found("place on the waiting list"))?;
    let place = waiting::place(&snapshot, &key)?;
    Answer::ok(&view(place, key, &entry, true))
}

fn leave(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let (offer, account) = (call.id(OfferId::parse, "offer")?, account_of(call)?);
    let show = move |_: &crate::store::Tx<'_>, _, outcome: &Outcome| match outcome {
        Outcome::Offer(offer) => Ok(WaitingEnded { offer: *offer, account, left: true }),
        other => Err(StateError(format!("not an offer: {other:?}"))),
    };
    call.change(Command::LeaveWaiting { offer, account }, None, show).answer()
}
