//! `/v1/webhook-endpoints`: where events are sent, what came of it, and sending again.

use super::purchases::Nothing;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::store::Tx;
use crate::till::command::{Command, Outcome};
use crate::till::endpoint::{self, Again, EndpointChange};
use crate::till::id::{DeliveryId, EndpointId, EventId, MerchantId};
use crate::till::record::{DeliveryRecord, EndpointRecord, EndpointStatus};
use crate::till::state::{Read, StateError};
use crate::till::table::{Deliveries, Endpoints, Events, Only, Settings};
use crate::till::time::Time;
use crate::webhooks::new_secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const MERCHANT: &[Kind] = &[Kind::Merchant];

pub const ROUTES: &[Route] = &[
    Route::post(
        "/v1/webhook-endpoints",
        "createWebhookEndpoint",
        "Have events sent to an address, from now on. The secret that signs them is shown once.",
        create,
    )
    .also(MERCHANT)
    .takes::<EndpointCreate>()
    .gives::<EndpointWithSecret>()
    .creates()
    .secret(),
    Route::get("/v1/webhook-endpoints", "listWebhookEndpoints", "All endpoints, or a merchant's own.", list)
        .also(MERCHANT)
        .query(&[LIMIT, CURSOR])
        .gives::<Page<EndpointView>>(),
    Route::get("/v1/webhook-endpoints/{id}", "getWebhookEndpoint", "An endpoint.", get)
        .also(MERCHANT)
        .gives::<EndpointView>(),
    Route::patch(
        "/v1/webhook-endpoints/{id}",
        "updateWebhookEndpoint",
        "Change an endpoint; enabled again, it goes on where it stopped.",
        update,
    )
    .also(MERCHANT)
    .takes::<EndpointPatch>()
    .gives::<EndpointView>(),
    Route::delete(
        "/v1/webhook-endpoints/{id}",
        "deleteWebhookEndpoint",
        "Send nothing there any more.",
        delete,
    )
    .also(MERCHANT)
    .gives::<EndpointDeleted>(),
    Route::post(
        "/v1/webhook-endpoints/{id}/rotate",
        "rotateWebhookSecret",
        "Make a new secret. For a day deliveries are signed with both.",
        rotate,
    )
    .also(MERCHANT)
    .may_take::<Nothing>()
    .gives::<EndpointWithSecret>()
    .secret(),
    Route::post("/v1/webhook-endpoints/{id}/test", "testWebhookEndpoint", "Send a webhook.test there.", test)
        .also(MERCHANT)
        .may_take::<Nothing>()
        .gives::<EndpointView>(),
    Route::post(
        "/v1/webhook-endpoints/{id}/resend",
        "resendWebhooks",
        "Send one delivery's event again, or everything since a time, in order.",
        resend,
    )
    .also(MERCHANT)
    .takes::<ResendBody>()
    .gives::<EndpointView>(),
    Route::get(
        "/v1/webhook-endpoints/{id}/deliveries",
        "listWebhookDeliveries",
        "What came of each try, newest first.",
        deliveries,
    )
    .also(MERCHANT)
    .query(&[LIMIT, CURSOR])
    .gives::<Page<DeliveryView>>(),
];

/// A new endpoint.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointCreate {
    /// Whose events; a merchant's token may leave it out, and an admin does for all.
    merchant: Option<MerchantId>,
    /// Over https.
    url: String,
    /// Which types, as order.created or order.*; all unless given.
    #[serde(default)]
    events: Vec<String>,
}

/// What to change.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EndpointPatch {
    url: Option<String>,
    events: Option<Vec<String>>,
    status: Option<EndpointStatus>,
}

/// What to send again: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResendBody {
    delivery: Option<DeliveryId>,
    since: Option<Time>,
}

/// An endpoint, without its secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookEndpoint")]
struct EndpointView {
    id: EndpointId,
    /// Null: all merchants' events.
    merchant: Option<MerchantId>,
    url: String,
    /// Empty: all.
    events: Vec<String>,
    status: EndpointStatus,
    /// Why it was disabled, where the till did that.
    reason: Option<String>,
    /// How often the next event has failed.
    failures: u32,
    /// When it is tried again, where it has failed.
    next_try_at: Option<Time>,
    /// When the oldest event happened that it was not sent yet; null: none of those that come next.
    oldest_unsent_at: Option<Time>,
    created_at: Time,
}

/// An endpoint with its secret, this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookEndpointWithSecret")]
struct EndpointWithSecret {
    #[serde(flatten)]
    endpoint: EndpointView,
    secret: String,
}

/// An endpoint that is gone.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookEndpointDeleted")]
struct EndpointDeleted {
    id: EndpointId,
    /// Always true.
    deleted: bool,
}

/// One try.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookDelivery")]
struct DeliveryView {
    id: DeliveryId,
    /// Null: a test.
    #[schemars(with = "Option<String>")]
    event: Option<String>,
    /// The event's type, as long as that is remembered; null: a test.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    attempt: u32,
    created_at: Time,
    duration_ms: u32,
    /// Whether it arrived: an answer of 200 to 299.
    delivered: bool,
    /// The HTTP status of the answer; null: there was none.
    status: Option<u16>,
    /// Why there was none.
    error: Option<String>,
    /// Whether somebody asked for it.
    resent: bool,
}

fn view<S: Read>(state: &S, id: EndpointId, record: &EndpointRecord) -> Result<EndpointView, StateError> {
    Ok(EndpointView {
        id,
        merchant: record.merchant,
        url: record.url.clone(),
        events: record.events.clone(),
        status: record.status,
        reason: record.reason.clone(),
        failures: record.failures,
        next_try_at: (record.failures > 0).then_some(record.due_at),
        oldest_unsent_at: endpoint::oldest_unsent(state, record)?,
        created_at: record.created_at,
    })
}

fn id_of(outcome: &Outcome) -> Result<EndpointId, StateError> {
    match outcome {
        Outcome::Endpoint(id) => Ok(*id),
        other => Err(StateError(format!("not a webhook endpoint: {other:?}"))),
    }
}

fn shown(tx: &Tx<'_>, outcome: &Outcome) -> Result<EndpointView, StateError> {
    let id = id_of(outcome)?;
    view(tx, id, &tx.must::<Endpoints>(&id)?)
}

fn fresh_secret() -> Result<String, Problem> {
    new_secret().map_err(|error| Problem::internal(error.to_string()))
}

fn create(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let EndpointCreate { merchant, url, events } = call.body()?;
    let merchant = match (call.merchant(), merchant) {
        (Some(own), Some(named)) if own != named => return Err(Problem::not_found("merchant")),
        (own, named) => own.or(named),
    };
    let secret = fresh_secret()?;
    let command = Command::CreateEndpoint { merchant, url, events, secret: secret.clone() };
    call.change(command, None, move |tx, _, outcome| {
        Ok(EndpointWithSecret { endpoint: shown(tx, outcome)?, secret })
    })
    .answer()
}

fn change(call: &Call, change: EndpointChange) -> Result<Command, Problem> {
    let id = call.id(EndpointId::parse, "webhook endpoint")?;
    Ok(Command::UpdateEndpoint { id, merchant: call.merchant(), change: Box::new(change) })
}

fn update(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let EndpointPatch { url, events, status } = call.body()?;
    let command = change(call, EndpointChange { url, events, status, secret: None })?;
    call.change(command, None, |tx, _, outcome| shown(tx, outcome)).answer()
}

fn rotate(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let Nothing {} = call.body_or_default()?;
    let secret = fresh_secret()?;
    let command = change(call, EndpointChange { secret: Some(secret.clone()), ..EndpointChange::default() })?;
    call.change(command, None, move |tx, _, outcome| {
        Ok(EndpointWithSecret { endpoint: shown(tx, outcome)?, secret })
    })
    .answer()
}

fn delete(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(EndpointId::parse, "webhook endpoint")?;
    let command = Command::DeleteEndpoint { id, merchant: call.merchant() };
    let deleted =
        |_: &Tx<'_>, _, outcome: &Outcome| Ok(EndpointDeleted { id: id_of(outcome)?, deleted: true });
    call.change(command, None, deleted).answer()
}

fn again(call: &Call, what: Again) -> Result<Answer, Problem> {
    let id = call.id(EndpointId::parse, "webhook endpoint")?;
    let command = Command::SendAgain { id, merchant: call.merchant(), what };
    call.change(command, None, |tx, _, outcome| shown(tx, outcome)).answer()
}

fn test(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let Nothing {} = call.body_or_default()?;
    again(call, Again::Test)
}

fn resend(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    match call.body()? {
        ResendBody { delivery: Some(delivery), since: None } => again(call, Again::Delivery(delivery)),
        ResendBody { delivery: None, since: Some(since) } => again(call, Again::Since(since)),
        _ => Err(Problem::unreadable("delivery", "either delivery or since must be given")),
    }
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(EndpointId::parse, "webhook endpoint")?;
    let snapshot = shared.handle.snapshot()?;
    let found = endpoint::must_find(&snapshot, id, call.merchant())?;
    Answer::ok(&view(&snapshot, id, &found)?)
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let own = call.merchant();
    let snapshot = shared.handle.snapshot()?;
    let matches = |record: &EndpointRecord| own.is_none() || record.merchant == own;
    Answer::ok(&page::<Endpoints, _>(&snapshot, call, matches, view)?)
}

fn deliveries(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(EndpointId::parse, "webhook endpoint")?;
    let snapshot = shared.handle.snapshot()?;
    endpoint::must_find(&snapshot, id, call.merchant())?;
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let matches = |record: &DeliveryRecord| record.endpoint == id;
    Answer::ok(&page::<Deliveries, _>(&snapshot, call, matches, |state, id, record| {
        Ok(DeliveryView {
            kind: state.get::<Events>(&record.event)?.map(|event| event.kind.code()),
            id,
            event: (record.event > 0).then(|| EventId { epoch, sequence: record.event }.to_string()),
            attempt: record.attempt,
            created_at: record.at,
            duration_ms: record.duration_ms,
            delivered: record.arrived(),
            status: record.status,
            error: record.error.clone(),
            resent: record.resent,
        })
    })?)
}
