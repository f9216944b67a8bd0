//! `/v1/events`: the log of everything that happened, oldest first.
//!
//! To follow it: ask with `after` the id of the last event in hand. `next_cursor` is set while more is there already,
//! and goes in as `after`, too; null means that this is all for now, and `wait_seconds` waits for more.

use super::replies::{WAIT, WAIT_SECONDS_MAX, wait};
use super::{orders, purchases};
use crate::engine::News;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::paging::{LIMIT, Page, SCAN_MAX, limit};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Param, Route};
use crate::store::Snapshot;
use crate::till::id::{
    AccountId, CreditId, DisputeId, EnrolmentId, EventId, MerchantId, OfferId, OrderId, PurchaseId, RefundId,
    ReplyId,
};
use crate::till::record::{EventKind, EventRecord};
use crate::till::state::{Direction, Key as _, Read as _, Span, StateError};
use crate::till::table::{Counter, Counters, Events, Only, Settings};
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

pub const ROUTES: &[Route] = &[Route::get("/v1/events", "listEvents", "What happened, oldest first.", list)
    .also(&[Kind::Merchant])
    .query(&[
        Param::new::<String>(
            "after",
            "Only what came after this event; latest: only what is yet to come, and without wait_seconds the answer's \
             next_cursor is where that begins.",
        ),
        Param::new::<Expand>(
            "expand",
            "object: with the thing that each event is about, as webhooks carry it.",
        ),
        Param::new::<String>("cursor", "The same as after: takes a next_cursor."),
        Param::new::<Order>("order", "desc: newest first; next_cursor goes on to what came before."),
        Param::new::<String>("type", "Only these: a type such as purchase.paid, or a family such as purchase."),
        WAIT,
        LIMIT,
    ])
    .gives::<Page<EventView>>()];

/// In the place of an event's id: what has happened so far is left out.
const LATEST: &str = "latest";

/// What of an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Expand {
    Object,
}

/// Which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    Asc,
    Desc,
}

/// Which events are asked for.
#[derive(Clone)]
struct Wanted {
    limit: usize,
    merchant: Option<MerchantId>,
    /// A type, or the part of one before its dot.
    kind: Option<String>,
    expand: bool,
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Problem> {
        let kind = call.query.get("type").map(str::to_owned);
        if let Some(kind) = &kind
            && !EventKind::ALL.iter().any(|known| is_of(*known, kind))
        {
            return Err(Problem::unreadable("type", "is no type of an event, and no family of types"));
        }
        let expand = call.query.word::<Expand>("expand")?.is_some();
        Ok(Self { limit: limit(call)?, merchant: call.merchant(), kind, expand })
    }

    fn holds(&self, event: &EventRecord) -> bool {
        (self.merchant.is_none() || event.merchant == self.merchant)
            && self.kind.as_ref().is_none_or(|kind| is_of(event.kind, kind))
    }
}

/// Whether a type is this one, or of this family.
fn is_of(kind: EventKind, name: &str) -> bool {
    kind.code() == name || kind.code().split_once('.').is_some_and(|(family, _)| family == name)
}

/// One thing that happened.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventView {
    #[schemars(with = "String")]
    id: String,
    /// What: `purchase.paid`, `order.shipped`, …
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: Time,
    /// What it is about.
    data: EventData,
}

/// Ids of what an event is about.
#[derive(Serialize, JsonSchema)]
struct EventData {
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment: Option<EnrolmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<CreditId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispute: Option<DisputeId>,
    /// The thing itself, as it is now: an order with its address, a purchase for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
}

fn view(id: EventId, event: &EventRecord, merchant: Option<MerchantId>) -> EventView {
    let admin = merchant.is_none();
    let data = EventData {
        offer: event.offer,
        account: event.account.filter(|_| admin),
        purchase: event.purchase,
        order: event.order,
        refund: event.refund,
        reply: event.reply.filter(|_| admin),
        enrolment: event.enrolment.filter(|_| admin),
        credit: event.credit.filter(|_| admin),
        dispute: event.dispute,
        object: None,
    };
    EventView { id: id.to_string(), kind: event.kind.code(), created_at: event.at, data }
}

/// An event with the thing that it is about, as it is now.
fn whole(
    snapshot: &Snapshot,
    id: EventId,
    event: &EventRecord,
    merchant: Option<MerchantId>,
) -> Result<EventView, StateError> {
    let admin = merchant.is_none();
    let mut shown = view(id, event, merchant);
    shown.data.object = match (event.order, event.purchase) {
        (Some(order), _) if event.kind.code().starts_with("order.") => {
            orders::object(snapshot, order, admin)?
        }
        (_, Some(purchase)) if admin => purchases::object(snapshot, purchase)?,
        _ => None,
    };
    Ok(shown)
}

/// An event as webhooks carry it.
///
/// # Errors
/// When the file cannot be read.
pub fn render(
    snapshot: &Snapshot,
    id: EventId,
    event: &EventRecord,
    merchant: Option<MerchantId>,
) -> Result<Vec<u8>, StateError> {
    let shown = whole(snapshot, id, event, merchant)?;
    serde_json::to_vec(&shown).map_err(|error| StateError(error.to_string()))
}

/// Where a request begins: behind the event that it names.
fn start(snapshot: &Snapshot, call: &Call) -> Result<u64, Problem> {
    let (name, text) = match (call.query.get("after"), call.query.get("cursor")) {
        (None, None) => return Ok(0),
        (Some(_), Some(_)) => return Err(Problem::unreadable("cursor", "goes only without after")),
        (Some(text), None) => ("after", text),
        (None, Some(text)) => ("cursor", text),
    };
    if text == LATEST {
        return Ok(snapshot.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0));
    }
    let id = EventId::parse(text);
    let id = id.ok_or_else(|| Problem::unreadable(name, "must be an event's id, which begins with evt_"))?;
    if id.epoch != snapshot.must::<Settings>(&Only)?.epoch {
        let detail = "is from before this till was restored from a backup: the log may have gone on differently. \
                      Begin again without it and skip what you know";
        return Err(Problem::unreadable(name, detail));
    }
    Ok(id.sequence)
}

fn page(
    snapshot: &Snapshot,
    wanted: &Wanted,
    (span, direction): (&Span, Direction),
) -> Result<Page<EventView>, StateError> {
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let (mut found, mut seen, mut last, mut more) = (Vec::new(), 0, 0, false);
    snapshot.scan::<Events>(span, direction, |sequence, event| {
        let matches = wanted.holds(&event);
        if seen >= SCAN_MAX || (found.len() >= wanted.limit && matches) {
            more = true;
            return ControlFlow::Break(());
        }
        seen += 1;
        last = sequence;
        if matches {
            found.push((EventId { epoch, sequence }, event));
        }
        ControlFlow::Continue(())
    })?;
    let next_cursor = more.then(|| EventId { epoch, sequence: last }.to_string());
    let show = |(id, event): (EventId, EventRecord)| {
        let merchant = wanted.merchant;
        if wanted.expand { whole(snapshot, id, &event, merchant) } else { Ok(view(id, &event, merchant)) }
    };
    let data = found.into_iter().map(show).collect::<Result<_, _>>()?;
    Ok(Page { data, next_cursor })
}

/// Newest first: nothing to wait for.
fn backwards(snapshot: &Snapshot, call: &Call, wanted: &Wanted) -> Result<Page<EventView>, Problem> {
    for name in ["after", "wait_seconds"] {
        if call.query.get(name).is_some() {
            return Err(Problem::unreadable(name, "goes only with what comes in order; leave order out"));
        }
    }
    let span = match call.query.get("cursor") {
        None => Span::all(),
        Some(_) => Span::all().before(&start(snapshot, call)?.encode()),
    };
    Ok(page(snapshot, wanted, (&span, Direction::Down))?)
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let wanted = Wanted::read(call)?;
    let snapshot = shared.handle.snapshot()?;
    if call.query.word::<Order>("order")?.unwrap_or_default() == Order::Desc {
        return Answer::ok(&backwards(&snapshot, call, &wanted)?);
    }
    let wait_seconds = call.query.capped("wait_seconds", 0, WAIT_SECONDS_MAX, 0)?;
    let after = start(&snapshot, call)?;
    let span = Span::all().after(&after.encode());
    let mut found = page(&snapshot, &wanted, (&span, Direction::Up))?;
    if wait_seconds == 0 && call.query.get("after") == Some(LATEST) {
        let epoch = snapshot.must::<Settings>(&Only)?.epoch;
        found.next_cursor = Some(EventId { epoch, sequence: after }.to_string());
    }
    if !found.data.is_empty() || found.next_cursor.is_some() || wait_seconds == 0 {
        return Answer::ok(&found);
    }
    Answer::later(move |shared, out| {
        let ask = move |snapshot: &Snapshot| {
            let found = page(snapshot, &wanted, (&span, Direction::Up))?;
            Ok((!found.data.is_empty() || found.next_cursor.is_some(), found))
        };
        wait(shared, out, News::Events, wait_seconds, ask);
    })
}
