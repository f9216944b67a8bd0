//! `/v1/rehearsals`: drops that are rehearsed beside this till, on a sandbox till of their own. Whoever plays them is
//! given to the API; here is what is asked for and how it is shown.

use super::{limits, networks, offers};
use crate::http::answer::{Answer, json};
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::message::Response;
use crate::http::paging::Page;
use crate::http::problem::{Code, Problem};
use crate::http::route::Route;
use crate::store::Snapshot;
use crate::till::id::OfferId;
use crate::till::state::StateError;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::post(
        "/v1/rehearsals",
        "startRehearsal",
        "Rehearse a drop on a sandbox till of its own; one at a time.",
        start,
    )
    .unkeyed()
    .takes::<RehearsalWish>()
    .gives::<RehearsalView>()
    .creates(),
    Route::get(
        "/v1/rehearsals",
        "listRehearsals",
        "The last rehearsals since the till was started, newest first, without their results.",
        list,
    )
    .gives::<Page<RehearsalView>>(),
    Route::get("/v1/rehearsals/{id}", "getRehearsal", "How far a rehearsal is, and what it came to.", get)
        .gives::<RehearsalView>(),
    Route::get(
        "/v1/rehearsals/{id}/report",
        "getRehearsalReport",
        "What a rehearsal came to, as a page to keep or to print.",
        report,
    )
    .produces("text/html; charset=utf-8"),
    Route::delete("/v1/rehearsals/{id}", "cancelRehearsal", "End a rehearsal that is under way.", cancel)
        .unkeyed()
        .gives::<RehearsalView>(),
];

/// Plays rehearsals, beside the till.
pub trait Rehearsals: Send + Sync {
    /// Begins one. `now`: what the till's clock shows; `sale`: what is copied.
    ///
    /// # Errors
    /// Why not.
    fn start(
        &self,
        wish: RehearsalWish,
        sale: Option<SaleShown>,
        now: Time,
    ) -> Result<RehearsalView, NotBegun>;

    /// The last ones, newest first, without their results.
    fn list(&self) -> Vec<RehearsalView>;

    /// One with its result, if it has one.
    fn get(&self, id: &str) -> Option<RehearsalView>;

    /// The page of its result.
    fn report(&self, id: &str) -> Option<String>;

    /// Ends one that is under way.
    fn cancel(&self, id: &str) -> Option<RehearsalView>;
}

/// Why a rehearsal was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotBegun {
    /// This one is under way.
    Busy(String),
    /// A setting cannot be: its name, and what it must be.
    Wrong(&'static str, String),
    /// It cannot be played now, in a sentence.
    Failed(String),
}

/// What of an offer and around it is copied, each as its call shows it.
#[derive(Clone, Debug)]
pub struct SaleShown {
    /// The offer.
    pub offer: Value,
    /// The network's settings.
    pub network: Value,
    /// The limits.
    pub limits: Value,
}

/// A drop to rehearse. Shares are whole percent of the buyers, and a buyer is of one kind; who is left confirms in time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "RehearsalCreate")]
pub struct RehearsalWish {
    /// The offer to copy; without it, one is made up.
    pub offer: Option<OfferId>,
    /// How many people want one: 1 to 20,000, 1,000 unless given.
    pub buyers: Option<u32>,
    /// How many units there are; without it, as many as the offer has.
    pub units: Option<u64>,
    /// How many one account may buy; without it, as many as the offer says.
    pub limit: Option<u32>,
    /// How long a buyer has to confirm; without it, as long as the offer says.
    pub window_seconds: Option<u32>,
    /// Whether there is a waiting list; without it, as the offer has it.
    pub waitlist: Option<bool>,
    /// The network of all posts, with what the till knows of it; `sandbox` unless given.
    pub network: Option<String>,
    /// Everything is drawn from this; the same comes to the same.
    pub seed: Option<u64>,
    /// From the first wish to the last; half of all come in the first thirteenth of it.
    pub spread_seconds: Option<u32>,
    /// Confirm after their window.
    pub late_percent: Option<u32>,
    /// Never confirm.
    pub undecided_percent: Option<u32>,
    /// Post their wish twice.
    pub twice_percent: Option<u32>,
    /// Confirm by reposting the reply.
    pub repost_percent: Option<u32>,
    /// Let it go again before they confirm.
    pub changed_percent: Option<u32>,
    /// Have a card that is declined.
    pub declined_percent: Option<u32>,
    /// Have a card whose first charge is answered by nobody.
    pub slow_cards_percent: Option<u32>,
    /// Have linked no account.
    pub unlinked_percent: Option<u32>,
    /// Replies that never get out.
    pub lost_replies_percent: Option<u32>,
    /// Replies that are out, but of which the till hears a minute or two later.
    pub late_answers_percent: Option<u32>,
    /// Posts that the network delivers a second time.
    pub redelivered_percent: Option<u32>,
    /// How long a reply takes to get out, about.
    pub reply_seconds: Option<u32>,
    /// How many replies the network takes in 15 minutes; without it, as many as the till knows of it; 0: no limit.
    pub replies_per_15_minutes: Option<u32>,
    /// How many it takes in a day; without it, as many as the till knows of it; 0: no limit.
    pub replies_per_day: Option<u32>,
}

/// How a rehearsal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalStatus {
    /// Under way.
    Running,
    /// It has a result.
    Done,
    /// Somebody ended it.
    Cancelled,
    /// It could not be played to its end.
    Failed,
}

/// A rehearsal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rehearsal")]
pub struct RehearsalView {
    /// Until the till is started again.
    pub id: String,
    /// How it stands.
    pub status: RehearsalStatus,
    /// What is sold.
    pub title: String,
    /// The offer that it is a copy of; null: it was made up.
    pub offer: Option<String>,
    /// How many buyers there are.
    pub buyers: u32,
    /// When it was begun, by this till's clock.
    pub created_at: Time,
    /// How far it is.
    pub progress: RehearsalProgress,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Whether all that must hold does; null until it is done.
    pub holds: Option<bool>,
    /// What it came to: outcomes, stock, money, checks, verdicts, replies, latencies, timeline. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Map<String, Value>>,
}

/// How far a rehearsal is.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct RehearsalProgress {
    /// What is being done: `starting`, `linking`, `selling`, `settling`, `ended`.
    pub step: String,
    /// So many of them.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// An offer, a network and the limits as their calls show them.
///
/// # Errors
/// The field at fault, and what is wrong with it.
pub fn sale_shown(
    state: &Snapshot,
    now: Time,
    offer: OfferId,
    network: &str,
) -> Result<Result<SaleShown, (&'static str, String)>, StateError> {
    let Some(found) = offers::shown(state, now, offer)? else {
        return Ok(Err(("offer", "is not an offer of this till".to_owned())));
    };
    let Some(network) = networks::shown(state, network)? else {
        return Ok(Err(("network", "is not a network that this till knows".to_owned())));
    };
    Ok(Ok(SaleShown { offer: found, network, limits: limits::shown(state)? }))
}

fn rehearsals(shared: &Shared) -> Result<&dyn Rehearsals, Problem> {
    let detail = "Nothing is rehearsed here: this till is itself a rehearsal's, or a test's.";
    shared.rehearsals.as_deref().ok_or_else(|| Problem::new(Code::NotFound, detail))
}

fn start(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let wish: RehearsalWish = call.body()?;
    let rehearsals = rehearsals(shared)?;
    let now = shared.handle.now();
    let network = wish.network.as_deref().unwrap_or("sandbox");
    let snapshot = shared.handle.snapshot()?;
    let wrong = |(field, detail): (&'static str, String)| Problem::on(Code::Invalid, field, detail);
    let sale = match wish.offer {
        Some(offer) => Some(sale_shown(&snapshot, now, offer, network)?.map_err(wrong)?),
        None => None,
    };
    match rehearsals.start(wish, sale, now) {
        Ok(view) => Ok(Answer::Now(json(201, &view)?)),
        Err(NotBegun::Busy(id)) => {
            let detail =
                format!("{id} is under way, and one is rehearsed at a time: wait for it, or cancel it.");
            Err(Problem::new(Code::Conflict, detail))
        }
        Err(NotBegun::Wrong(field, detail)) => Err(wrong((field, detail))),
        Err(NotBegun::Failed(sentence)) => Err(Problem::new(Code::Unavailable, sentence)),
    }
}

fn list(shared: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    Answer::ok(&Page { data: rehearsals(shared)?.list(), next_cursor: None })
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let found = rehearsals(shared)?.get(call.param(0));
    Answer::ok(&found.ok_or_else(|| Problem::not_found("rehearsal"))?)
}

fn report(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let found = rehearsals(shared)?.report(call.param(0));
    let page = found.ok_or_else(|| Problem::not_found("rehearsal with a result"))?;
    let response = Response::new(200, "text/html; charset=utf-8", page)
        .with_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        .with_header("Cache-Control", "no-store");
    Ok(Answer::Now(response.with_header("X-Content-Type-Options", "nosniff")))
}

fn cancel(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let found = rehearsals(shared)?.cancel(call.param(0));
    Answer::ok(&found.ok_or_else(|| Problem::not_found("rehearsal"))?)
}
