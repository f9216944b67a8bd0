//! `/v1/purchases`: each buyer's way through an offer; cancelling and giving money back.

use super::search::{self, Handles, Sought};
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, FROM, LIMIT, Page, TO, page_among, page_in, span_of_time};
use crate::http::problem::{Code, Problem};
use crate::http::route::{Param, Route};
use crate::store::Snapshot;
use crate::till::command::{Command, Outcome};
use crate::till::id::{AccountId, DisputeId, OfferId, OrderId, PurchaseId, RefundId};
use crate::till::money::Money;
use crate::till::record::{
    Attempt, AttemptState, DisputeRecord, DisputeStatus, PurchaseRecord, PurchaseStatus, RefundRecord,
    RefundStatus,
};
use crate::till::state::{Direction, Read, StateError};
use crate::till::table::{Disputes, Purchases, Refunds};
use crate::till::time::Time;
use crate::till::{charge, purchase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::get("/v1/purchases", "listPurchases", "All purchases.", list)
        .query(&[
            LIMIT,
            CURSOR,
            Param::new::<AccountId>("account", "Only this account's."),
            Param::new::<OfferId>("offer", "Only of this offer."),
            Param::new::<PurchaseStatus>("status", "Only these."),
            FROM,
            TO,
            Param::new::<String>(
                "q",
                "Only what this finds: a handle or a part of one, or the id of a purchase, an order, a refund, an \
                 account, a post, or a person on a network.",
            ),
        ])
        .gives::<Page<PurchaseView>>(),
    Route::get("/v1/purchases/{id}", "getPurchase", "A purchase.", get).gives::<PurchaseView>(),
    Route::post("/v1/purchases/{id}/cancel", "cancelPurchase", "Cancel a purchase that is pending.", cancel)
        .may_take::<Nothing>()
        .gives::<PurchaseView>(),
    Route::post(
        "/v1/purchases/{id}/refund",
        "refundPurchase",
        "Give money back, all that is left or a part.",
        refund,
    )
    .may_take::<RefundBody>()
    .gives::<PurchaseView>(),
];

/// An empty object.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What to give back.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "RefundBody")]
struct RefundBody {
    /// All that is left unless given.
    amount: Option<RefundAmount>,
    /// Whether the unit goes back into stock; only with a refund of all, before it was shipped.
    restock: bool,
}

/// An amount in minor units, or money in the purchase's currency.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be a whole number of minor units, or {amount, currency}")]
enum RefundAmount {
    Minor(i64),
    Money(Money),
}

/// A purchase.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Purchase")]
pub struct PurchaseView {
    id: PurchaseId,
    status: PurchaseStatus,
    offer: OfferId,
    account: AccountId,
    price: Money,
    /// t of the purchase post.
    created_at: Time,
    /// When that post arrived.
    arrived_at: Time,
    /// The last moment to confirm.
    expires_at: Time,
    /// How many units; `price` is for all of them.
    units: u32,
    /// Which variant of the offer; null: it has none.
    variant: Option<String>,
    /// Which version of the offer it was made on.
    offer_version: u32,
    /// The network of the purchase post.
    network: String,
    /// The purchase post.
    post: String,
    /// In lists: who, as last seen on that network.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// t of the confirmation.
    confirmed_at: Option<Time>,
    /// Until when the buyer can do the step that the card's bank asks for; null: it never asked for one.
    authenticate_by: Option<Time>,
    /// When it ended or was paid.
    settled_at: Option<Time>,
    order: Option<OrderId>,
    /// Every attempt to charge, oldest first; at most one is ever paid.
    attempts: Vec<AttemptView>,
    /// Oldest first.
    refunds: Vec<RefundView>,
    /// Disputes about its charge, oldest first.
    disputes: Vec<DisputeView>,
    /// What was charged.
    captured: Money,
    /// What was given back.
    refunded: Money,
}

/// An attempt to charge.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
struct AttemptView {
    number: u32,
    status: AttemptStatus,
    /// The gateway's code for a decline.
    code: Option<String>,
    /// The gateway's name for it.
    reference: Option<String>,
    created_at: Time,
}

/// Where an attempt stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AttemptStatus {
    New,
    Created,
    /// Its card's owner has a step left at the gateway.
    AuthenticationRequired,
    Paid,
    Declined,
    Lost,
}

/// Money given back.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refund")]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing of a refund")]
struct RefundView {
    id: RefundId,
    amount: Money,
    status: RefundStatus,
    restock: bool,
    /// Whether the till itself gave it back: a charge that came after the purchase was closed.
    automatic: bool,
    /// Whether it was made at the gateway, by somebody else than the till.
    external: bool,
    /// Whether it had succeeded before it failed: the money came back.
    returned: bool,
    created_at: Time,
}

/// A buyer disputes a charge at the bank.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Dispute")]
struct DisputeView {
    id: DisputeId,
    amount: Money,
    status: DisputeStatus,
    /// Why, in the gateway's word.
    reason: String,
    /// The gateway's name for it.
    reference: String,
    created_at: Time,
    /// When it was decided.
    closed_at: Option<Time>,
}

fn dispute_view(id: DisputeId, dispute: DisputeRecord) -> DisputeView {
    let DisputeRecord { amount, status, reason, reference, created_at, closed_at, .. } = dispute;
    DisputeView { id, amount, status, reason, reference, created_at, closed_at }
}

fn attempt_view(attempt: &Attempt) -> AttemptView {
    let (status, code) = match &attempt.state {
        AttemptState::New => (AttemptStatus::New, None),
        AttemptState::Created => (AttemptStatus::Created, None),
        AttemptState::Waiting => (AttemptStatus::AuthenticationRequired, None),
        AttemptState::Paid => (AttemptStatus::Paid, None),
        AttemptState::Declined(code) => (AttemptStatus::Declined, Some(code.clone())),
        AttemptState::Lost => (AttemptStatus::Lost, None),
    };
    let (number, created_at) = (attempt.number, attempt.created_at);
    AttemptView { number, status, code, reference: attempt.reference.clone(), created_at }
}

fn refund_view(id: RefundId, refund: &RefundRecord) -> RefundView {
    let RefundRecord { amount, status, restock, automatic, external, returned, created_at, .. } = *refund;
    RefundView { id, amount, status, restock, automatic, external, returned, created_at }
}

/// One as calls show it.
///
/// # Errors
/// When the file cannot be read.
pub fn view<S: Read>(
    state: &S,
    id: PurchaseId,
    purchase: &PurchaseRecord,
) -> Result<PurchaseView, StateError> {
    let refunds: Vec<_> = purchase
        .refunds
        .iter()
        .map(|id| state.must::<Refunds>(id).map(|refund| refund_view(*id, &refund)))
        .collect::<Result<_, _>>()?;
    let disputes: Vec<_> = purchase
        .disputes
        .iter()
        .map(|id| state.must::<Disputes>(id).map(|dispute| dispute_view(*id, dispute)))
        .collect::<Result<_, _>>()?;
    let captured = if charge::order_attempt(state, purchase)?.is_some() { purchase.price.amount } else { 0 };
    let refunded = charge::refunded_amount(state, purchase, |status| status == RefundStatus::Succeeded)?;
    Ok(PurchaseView {
        id,
        status: purchase.status,
        offer: purchase.offer,
        account: purchase.account,
        price: purchase.price,
        created_at: purchase.created_at,
        arrived_at: purchase.arrived_at,
        expires_at: purchase.expires_at,
        units: purchase.units,
        variant: purchase.variant.clone(),
        offer_version: purchase.offer_version,
        network: purchase.network.clone(),
        post: purchase.post.clone(),
        handle: None,
        confirmed_at: purchase.confirmation.as_ref().map(|confirmation| confirmation.made_at),
        authenticate_by: purchase.authenticate_by,
        settled_at: purchase.settled_at,
        order: purchase.order,
        attempts: purchase.attempts.iter().map(attempt_view).collect(),
        refunds,
        disputes,
        captured: Money { amount: captured, ..purchase.price },
        refunded: Money { amount: refunded, ..purchase.price },
    })
}

/// One as its call shows it; `None` where it is gone.
///
/// # Errors
/// When the file cannot be read.
pub fn object(snapshot: &Snapshot, id: PurchaseId) -> Result<Option<Value>, StateError> {
    let Some(purchase) = snapshot.get::<Purchases>(&id)? else { return Ok(None) };
    serde_json::to_value(view(snapshot, id, &purchase)?)
        .map(Some)
        .map_err(|error| StateError(error.to_string()))
}

fn of_outcome<S: Read>(state: &S, outcome: &Outcome) -> Result<PurchaseView, StateError> {
    match outcome {
        Outcome::Purchase(id) => view(state, *id, &state.must::<Purchases>(id)?),
        other => Err(StateError(format!("not a purchase: {other:?}"))),
    }
}

fn cancel(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(PurchaseId::parse, "purchase")?;
    let Nothing {} = call.body_or_default()?;
    call.change(Command::CancelPurchase { id }, None, |tx, _, outcome| of_outcome(tx, outcome)).answer()
}

fn refund(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(PurchaseId::parse, "purchase")?;
    let RefundBody { amount, restock } = call.body_or_default()?;
    let amount = match amount {
        None => None,
        Some(RefundAmount::Minor(amount)) => Some(amount),
        Some(RefundAmount::Money(Money { amount, currency })) => {
            // The price of a purchase never changes, so this may be looked up beforehand.
            let price = purchase::must_find(&shared.handle.snapshot()?, id)?.price;
            if price.currency != currency {
                let detail = format!("must be {}, the currency of the purchase", price.currency.code());
                return Err(Problem::on(Code::Invalid, "amount.currency", detail));
            }
            Some(amount)
        }
    };
    let command = Command::RefundPurchase { id, amount, restock };
    call.change(command, None, |tx, _, outcome| of_outcome(tx, outcome)).answer()
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(PurchaseId::parse, "purchase")?;
    let snapshot = shared.handle.snapshot()?;
    let found = purchase::must_find(&snapshot, id)?;
    Answer::ok(&view(&snapshot, id, &found)?)
}

/// One in a list: with who it was.
fn row(snapshot: &Snapshot, id: PurchaseId, purchase: &PurchaseRecord) -> Result<PurchaseView, StateError> {
    let handle = search::handle_on(snapshot, purchase.account, &purchase.network)?;
    Ok(PurchaseView { handle, ..view(snapshot, id, purchase)? })
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let account = call.query.read("account", AccountId::parse, "an id that begins with acc_")?;
    let offer = call.query.read("offer", OfferId::parse, "an id that begins with off_")?;
    let status = call.query.word::<PurchaseStatus>("status")?;
    let span = span_of_time(call, PurchaseId::first_at)?;
    let text = search::text(call, "q")?;
    let snapshot = shared.handle.snapshot()?;
    let (mut keys, mut handles) = (None, None);
    match text.map(|text| search::purchases(&snapshot, text)).transpose()? {
        Some(Sought::Keys(found)) => keys = Some(found),
        Some(Sought::Words(words)) => handles = Some(Handles::new(&snapshot, words)),
        None => {}
    }
    if let (None, Some(account)) = (&keys, account) {
        keys = search::of_account(&snapshot, account)?;
    }
    let matches = |purchase: &PurchaseRecord| {
        account.is_none_or(|account| account == purchase.account)
            && offer.is_none_or(|offer| offer == purchase.offer)
            && status.is_none_or(|status| status == purchase.status)
            && handles.as_ref().is_none_or(|handles| handles.fit(purchase.account))
    };
    Answer::ok(&match keys {
        Some(keys) => page_among::<Purchases, _>(&snapshot, call, (span, keys), matches, row)?,
        None => page_in::<Purchases, _>(&snapshot, call, (span, Direction::Down), matches, row)?,
    })
}
