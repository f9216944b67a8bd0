//! From what was counted and what is in the file to an answer.

use super::needs::{Look, Watch};
use super::shelf::Shelf;
use super::tally::{self, Tally};
use super::view::{
    ConfirmingsView, CountedView, FunnelsView, LineView, MinuteView, OverviewView, PostsView, SalesView,
    TodayView,
};
use super::{Made, Scope, holds, log};
use crate::engine::wall_ms;
use crate::http::api::Shared;
use crate::http::problem::Problem;
use crate::store::Snapshot;
use crate::till::id::EventId;
use crate::till::record::{EventKind, EventRecord};
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::{Events, Only, Settings};
use crate::till::time::Time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// Tallies that are kept: the operator's and those of merchants who asked last.
const TALLIES_MAX: usize = 64;
/// The newest events that are shown, and how many are looked at to find them.
const LINES: usize = 15;
const LINES_LOOKED: usize = 600;

/// What is counted so far.
#[derive(Debug, Default)]
pub struct State {
    shelf: Option<Shelf>,
    tallies: Vec<Tally>,
    asked: HashMap<Scope, Instant>,
    watch: Watch,
    /// The last event that was there when disputes were read.
    disputes: u64,
}

impl State {
    /// Reads on and makes the answers of these; whether nothing is left to be read.
    pub fn round(
        &mut self,
        shared: &Arc<Shared>,
        scopes: &[Scope],
    ) -> Result<(bool, HashMap<Scope, Made>), Problem> {
        let (snapshot, now) = (shared.handle.snapshot()?, shared.handle.now());
        self.make_room(&snapshot, now, scopes)?;
        let Some(offers) = &mut self.shelf else { return Err(Problem::internal("no shelf was loaded")) };
        let all = log::follow(&snapshot, now, offers, &mut self.tallies)?;
        offers.refresh(&snapshot, now)?;
        self.look_for_disputes(&snapshot)?;
        let mut made = HashMap::new();
        for tally in &mut self.tallies {
            tally.forget(now);
        }
        for scope in scopes {
            let view = self.view(shared, &snapshot, now, *scope)?;
            made.insert(*scope, finish(view)?);
        }
        Ok((all, made))
    }

    /// A tally for each that asks; of too many, those are dropped whose reader has not asked for longest.
    fn make_room(&mut self, snapshot: &Snapshot, now: Time, scopes: &[Scope]) -> Result<(), StateError> {
        if self.shelf.is_none() {
            let hour_ago = log::last_before(snapshot, now.plus_seconds(-3600))?;
            self.shelf = Some(Shelf::load(snapshot, hour_ago)?);
        }
        for scope in scopes {
            self.asked.insert(*scope, Instant::now());
            if !self.tallies.iter().any(|tally| tally.scope == *scope) {
                let since = tally::since(now);
                self.tallies.push(Tally::new(*scope, since, log::last_before(snapshot, since)?));
            }
        }
        while self.tallies.len() > TALLIES_MAX.max(scopes.len()) {
            let oldest = self.asked.iter().min_by_key(|(_, asked)| **asked).map(|(scope, _)| *scope);
            let Some(oldest) = oldest else { break };
            self.asked.remove(&oldest);
            self.tallies.retain(|tally| tally.scope != oldest);
        }
        Ok(())
    }

    /// Has disputes read anew where the log speaks of one.
    fn look_for_disputes(&mut self, snapshot: &Snapshot) -> Result<(), StateError> {
        let last = log::last(snapshot)?;
        let mut changed = last.saturating_sub(self.disputes) > LINES_LOOKED as u64;
        if !changed {
            let span = Span { start: self.disputes.saturating_add(1).to_be_bytes().to_vec(), end: None };
            snapshot.scan::<Events>(&span, Direction::Up, |_, event| {
                changed |= matches!(event.kind, EventKind::PurchaseDisputed | EventKind::DisputeClosed);
                ControlFlow::Continue(())
            })?;
        }
        if changed {
            self.watch.disputes_changed();
        }
        self.disputes = last;
        Ok(())
    }

    fn view(
        &mut self,
        shared: &Arc<Shared>,
        snapshot: &Snapshot,
        now: Time,
        scope: Scope,
    ) -> Result<OverviewView, StateError> {
        let missing = |what: &str| StateError(format!("the overview has no {what}"));
        let tally = self.tallies.iter().find(|tally| tally.scope == scope).ok_or_else(|| missing("tally"))?;
        let known = self.shelf.as_ref().ok_or_else(|| missing("shelf"))?;
        let admin = scope.is_none();
        let reason = shared.handle.ready().err().or_else(|| shared.gateways.trouble());
        let (orders, money) = tally.money(now);
        let (hours, days) = tally.sales(now);
        let (funnel_today, funnel_days) = tally.funnels(now, admin.then(|| shared.metrics.days(now)));
        let (confirming_today, confirming_days) = tally.confirming(now);
        let minute = |(at, verdicts)| MinuteView { at, verdicts };
        Ok(OverviewView {
            now,
            version: env!("CARGO_PKG_VERSION"),
            sandbox: shared.sandbox,
            ready: reason.is_none(),
            reason: reason.filter(|_| admin),
            counted: counted(tally, log::last(snapshot)?),
            needs: Look { shared, snapshot, now, tally }.needs(&mut self.watch)?,
            offers: known.view(snapshot, scope, now)?,
            holds: holds::view(snapshot, known, scope)?,
            orders_unshipped: tally.unshipped(now).0,
            posts: admin.then(|| PostsView {
                minutes: shared.metrics.minutes(now).into_iter().map(minute).collect(),
            }),
            today: TodayView { since: Time::from_ms(i64::from(now.day()) * 86_400_000), orders, money },
            sales: SalesView { hours, days },
            funnel: FunnelsView { today: funnel_today, days: funnel_days },
            confirming: ConfirmingsView { today: confirming_today, days: confirming_days },
            events: lines(snapshot, known, scope)?,
        })
    }
}

/// How much of the log is counted.
fn counted(tally: &Tally, last: u64) -> CountedView {
    let (all, done) = (last.saturating_sub(tally.first), tally.events.saturating_sub(tally.first));
    let percent = (done * 100).checked_div(all).unwrap_or(100).min(100);
    CountedView {
        percent: u8::try_from(percent).unwrap_or(100),
        complete: tally.events >= last && tally.old_orders().is_none(),
        since: tally.since,
    }
}

/// The newest events that say something to people. Replies that went out, and orders, which come with their payment,
/// are left out.
fn lines(snapshot: &Snapshot, shelf: &Shelf, scope: Scope) -> Result<Vec<LineView>, StateError> {
    let epoch = snapshot.must::<Settings>(&Only)?.epoch;
    let (mut looked, mut found) = (0, Vec::new());
    snapshot.scan::<Events>(&Span::all(), Direction::Down, |sequence, event| {
        looked += 1;
        let quiet =
            matches!(event.kind, EventKind::ReplySent | EventKind::OrderCreated | EventKind::AccountUpdated);
        if !quiet && (scope.is_none() || event.merchant == scope) {
            found.push(line(shelf, EventId { epoch, sequence }, &event));
        }
        if looked < LINES_LOOKED && found.len() < LINES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(found)
}

fn line(shelf: &Shelf, id: EventId, event: &EventRecord) -> LineView {
    LineView {
        id: id.to_string(),
        kind: event.kind.code(),
        at: event.at,
        offer: event.offer,
        title: event.offer.and_then(|offer| shelf.title(offer)).map(str::to_owned),
        purchase: event.purchase,
        order: event.order,
        refund: event.refund,
        dispute: event.dispute,
    }
}

/// The bytes of an answer and its tag, which says how far the till's clock is from the machine's in the place of what
/// it shows.
fn finish(mut view: OverviewView) -> Result<Made, Problem> {
    let broken = |error: serde_json::Error| Problem::internal(error.to_string());
    let now = view.now;
    let ahead_seconds = (now.ms() - wall_ms() + 500).div_euclid(1000);
    view.now = Time::from_ms(0);
    let hash = Sha256::new_with_prefix(serde_json::to_vec(&view).map_err(broken)?);
    let hash = hash.chain_update(ahead_seconds.to_be_bytes()).finalize();
    let tag = URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default());
    view.now = now;
    Ok(Made { tag: format!("\"{tag}\""), bytes: serde_json::to_vec(&view).map_err(broken)?.into() })
}
