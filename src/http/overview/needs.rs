//! What needs a person: looked for in what is in memory and in tables that are short, never by reading a long one.

use super::tally::Tally;
use super::view::{NeedView, Severity};
use crate::http::api::Shared;
use crate::http::bridges::Heartbeat;
use crate::store::Snapshot;
use crate::till::id::{DisputeId, MerchantId, PurchaseId};
use crate::till::record::{EndpointStatus, NetworkRecord, WorkKind};
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::{Disputes, Endpoints, Networks, Outbox, OutboxKey, Purchases, Text, Work};
use crate::till::time::Time;
use crate::till::{id::ReplyId, network, pace, rate};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Rows of a short table that are looked at, should it be a long one.
const ROWS_MAX: usize = 1000;
/// After this time without an answer a charge is long unknown.
const UNKNOWN_MS: i64 = 120_000;
/// A bridge says every half minute or so how it stands.
const SILENT: Duration = Duration::from_secs(120);
/// A bridge that is behind by more than this loses sales.
const LAG_SECONDS: u64 = 60;
/// Errors that are as new as this are shown.
const ERRORS_SHOWN: Duration = Duration::from_secs(600);
/// Failures of an endpoint in a row that are more than a hiccup.
const FAILURES: u32 = 3;
/// Ranks of replies in the outbox.
const RANKS: u8 = 16;

/// What has to be remembered from one look to the next.
#[derive(Debug, Default)]
pub struct Watch {
    /// How many errors each bridge had told of, and when that number last grew.
    errors: HashMap<String, (u64, Instant)>,
    /// Disputes that are not decided, and whose they are; `None`: to be read.
    disputes: Option<Vec<(DisputeId, Option<MerchantId>)>>,
}

impl Watch {
    /// A dispute began or was decided.
    pub fn disputes_changed(&mut self) {
        self.disputes = None;
    }
}

/// Where needs come from.
pub struct Look<'a> {
    pub shared: &'a Shared,
    pub snapshot: &'a Snapshot,
    pub now: Time,
    pub tally: &'a Tally,
}

fn need(
    code: &'static str,
    severity: Severity,
    count: Option<u64>,
    text: impl Into<String>,
    link: Option<&'static str>,
) -> NeedView {
    NeedView { code, severity, count, since: None, text: text.into(), link }
}

/// `1 order`, `2 orders`.
fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

impl Look<'_> {
    /// All of them, what matters most first.
    pub fn needs(&self, watch: &mut Watch) -> Result<Vec<NeedView>, StateError> {
        let mut found = Vec::new();
        if self.tally.scope.is_none() {
            self.standing(&mut found)?;
            self.unknown_charges(&mut found)?;
            self.declines(&mut found);
            self.bridges(watch, &mut found);
            self.replies(&mut found)?;
        }
        self.endpoints(&mut found)?;
        self.orders(&mut found);
        self.disputes(watch, &mut found)?;
        self.refunds(&mut found);
        found.sort_by_key(|need| need.severity);
        Ok(found)
    }

    /// Why the till does not sell.
    fn standing(&self, found: &mut Vec<NeedView>) -> Result<(), StateError> {
        let handle = &self.shared.handle;
        let high = |code, text: String| need(code, Severity::High, None, text, Some("#/backups"));
        if handle.has_failed() {
            let text = "The data file cannot be written, and the till is about to end. Its log says why.";
            found.push(high("data_file_failed", text.to_owned()));
        }
        if handle.clock().is_jumped() {
            let text = "The clock of this machine jumped ahead, so no hold expires. Check it; when it is right, resume \
                        the till.";
            found.push(high("clock_jumped", text.to_owned()));
        }
        if handle.store().settings()?.paused {
            let text = "This till was restored from a backup: charges, replies and webhooks wait. Look at what is \
                        there, then resume the till.";
            found.push(high("restored", text.to_owned()));
        }
        for (network, since) in pace::paused(self.snapshot)? {
            let text = format!(
                "Charges of {network} wait: there were more in an hour than the limits allow. Look at its orders; when \
                 they are real, resume the till."
            );
            found.push(NeedView { since: Some(since), ..high("captures_paused", text) });
        }
        if let Some(trouble) = self.shared.gateways.trouble() {
            found.push(high("gateway", trouble));
        }
        Ok(())
    }

    /// Charges of which nobody knows what came of them.
    fn unknown_charges(&self, found: &mut Vec<NeedView>) -> Result<(), StateError> {
        let (mut rows, mut doubtful) = (0, Vec::new());
        self.snapshot.scan::<Work>(&Span::all(), Direction::Up, |(kind, id), work| {
            rows += 1;
            if work.unknowns > 0 {
                doubtful.push((kind, id));
            }
            if rows < ROWS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut long = 0;
        for (kind, id) in doubtful {
            // Of what is no charge, that it was asked about in vain is enough.
            let since = match kind {
                WorkKind::Capture => self.snapshot.get::<Purchases>(&PurchaseId(id))?,
                _ => None,
            };
            let since = since.and_then(|purchase| purchase.attempts.last().map(|attempt| attempt.created_at));
            long += u64::from(since.is_none_or(|since| self.now.ms_since(since) > UNKNOWN_MS));
        }
        if long > 0 {
            let text = format!(
                "{} with the payment provider without an answer. The till goes on asking, and never charges twice. \
                 Look at the provider's own status page.",
                many(long, "charge or refund is", "charges or refunds are")
            );
            found.push(need(
                "unknown_charges",
                Severity::High,
                Some(long),
                text,
                Some("#/purchases?status=capturing"),
            ));
        }
        Ok(())
    }

    fn declines(&self, found: &mut Vec<NeedView>) {
        let count = self.tally.declined();
        if count > 0 {
            let text = format!(
                "{} declined in the last 24 hours. The buyers were told, and the units are free again. Many at once may \
                 be somebody trying out stolen cards.",
                many(count, "card was", "cards were")
            );
            found.push(need(
                "declines",
                Severity::Low,
                Some(count),
                text,
                Some("#/purchases?status=declined"),
            ));
        }
    }

    fn bridges(&self, watch: &mut Watch, found: &mut Vec<NeedView>) {
        for (slug, last) in self.shared.bridges.all() {
            let link = Some("#/bridges");
            if last.heard.elapsed() > SILENT {
                let text = format!(
                    "The bridge to {slug} has gone silent: posts there are not seen, and replies do not go out. Start it \
                     again."
                );
                let silent = need("bridge_silent", Severity::High, None, text, link);
                found.push(NeedView { since: Some(last.seen_at), ..silent });
                continue;
            }
            if let Some(lag) = last.lag_seconds.filter(|lag| *lag > LAG_SECONDS) {
                let text = format!(
                    "The bridge to {slug} is {lag} seconds behind its network. Buyers in time are still served; they \
                     wait longer for their replies."
                );
                found.push(need("bridge_lags", Severity::Medium, Some(lag), text, link));
            }
            if let Some((total, kinds)) = watch.fresh_errors(&slug, &last) {
                let text =
                    format!("The bridge to {slug} reports errors ({kinds}). Its log says what went wrong.");
                found.push(need("bridge_errors", Severity::Medium, Some(total), text, link));
            }
        }
    }

    /// Replies that wait for too long, or for a budget that is spent.
    fn replies(&self, found: &mut Vec<NeedView>) -> Result<(), StateError> {
        let mut networks: BTreeMap<String, NetworkRecord> = network::KNOWN_NETWORKS
            .iter()
            .filter_map(|slug| Some(((*slug).to_owned(), network::defaults(slug)?)))
            .collect();
        let stored = self.snapshot.first::<Networks>(&Span::all(), ROWS_MAX)?;
        networks.extend(stored.into_iter().map(|(Text(slug), network)| (slug, network)));
        for (slug, network) in networks {
            let Some(oldest) = self.oldest_reply(&slug)? else { continue };
            let waited_ms = self.now.ms_since(oldest);
            if rate::left(self.snapshot, self.now, &slug, &network)? == Some(0) {
                let text = format!(
                    "As many replies went out on {slug} as its budget allows; more wait. Holds wait with them, so no \
                     buyer loses a unit. The network's settings have the budget."
                );
                found.push(need("replies_over_budget", Severity::Medium, None, text, Some("#/bridges")));
            } else if waited_ms > i64::from(network.reply_wait_seconds) * 1000 {
                let text = format!(
                    "Replies on {slug} wait for longer than holds wait for them. Is its bridge running?"
                );
                let waiting = need("replies_waiting", Severity::High, None, text, Some("#/bridges"));
                found.push(NeedView { since: Some(oldest), ..waiting });
            }
        }
        Ok(())
    }

    /// When the reply was queued that has waited longest on a network.
    fn oldest_reply(&self, slug: &str) -> Result<Option<Time>, StateError> {
        let mut oldest: Option<ReplyId> = None;
        for rank in 0..RANKS {
            let mut prefix = OutboxKey::prefix(slug);
            prefix.push(rank);
            let first = self.snapshot.first::<Outbox>(&Span::prefix(prefix), 1)?;
            oldest = first.into_iter().map(|(key, ())| key.reply).chain(oldest).min();
        }
        Ok(oldest.map(|reply| super::time_of(reply.0)))
    }

    fn endpoints(&self, found: &mut Vec<NeedView>) -> Result<(), StateError> {
        let (mut disabled, mut failing) = (0, 0);
        for (_, endpoint) in self.snapshot.first::<Endpoints>(&Span::all(), ROWS_MAX)? {
            let mine = self.tally.scope.is_none() || endpoint.merchant == self.tally.scope;
            let off = endpoint.status == EndpointStatus::Disabled;
            disabled += u64::from(mine && off && endpoint.reason.is_some());
            failing += u64::from(mine && !off && endpoint.failures >= FAILURES);
        }
        if disabled > 0 {
            let text = format!(
                "{} switched off because nothing arrived there. Mend the receiver, then enable it: it goes on where it \
                 stopped.",
                many(disabled, "webhook endpoint was", "webhook endpoints were")
            );
            found.push(need("webhooks_disabled", Severity::High, Some(disabled), text, Some("#/webhooks")));
        }
        if failing > 0 {
            let text = format!(
                "{} several times in a row. The till tries for three days; the deliveries say what went wrong.",
                many(failing, "webhook endpoint has failed", "webhook endpoints have failed")
            );
            found.push(need("webhooks_failing", Severity::Medium, Some(failing), text, Some("#/webhooks")));
        }
        Ok(())
    }

    fn orders(&self, found: &mut Vec<NeedView>) {
        let (_, late) = self.tally.unshipped(self.now);
        if late > 0 {
            let text = format!(
                "{} for more than two days. Ship what can be shipped; cancel what cannot, and the buyer gets the money \
                 back.",
                many(late, "paid order has waited", "paid orders have waited")
            );
            found.push(need(
                "orders_late",
                Severity::Medium,
                Some(late),
                text,
                Some("#/orders?status=unfulfilled"),
            ));
        }
    }

    fn disputes(&self, watch: &mut Watch, found: &mut Vec<NeedView>) -> Result<(), StateError> {
        let all = match &watch.disputes {
            Some(known) => known,
            None => watch.disputes.insert(open_disputes(self.snapshot)?),
        };
        let scope = self.tally.scope;
        let count = all.iter().filter(|(_, merchant)| scope.is_none() || *merchant == scope).count();
        if count > 0 {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let text = format!(
                "{} open. Answer at the payment provider before its deadline, and do not ship meanwhile.",
                many(count, "dispute is", "disputes are")
            );
            let link = Some("#/log?type=purchase.disputed");
            found.push(need("disputes", Severity::High, Some(count), text, link));
        }
        Ok(())
    }

    fn refunds(&self, found: &mut Vec<NeedView>) {
        let count = self.tally.refunds_failed(self.now);
        if count > 0 {
            let text = format!(
                "{} in the last seven days, and the money is still here. Ask the buyer for another way to give it back.",
                many(count, "refund failed", "refunds failed")
            );
            let link = Some("#/log?type=refund.failed");
            found.push(need("refunds_failed", Severity::High, Some(count), text, link));
        }
    }
}

impl Watch {
    /// The errors of a bridge, where there were new ones of late.
    fn fresh_errors(&mut self, slug: &str, last: &Heartbeat) -> Option<(u64, String)> {
        let total: u64 = last.errors.values().sum();
        let known = self.errors.entry(slug.to_owned()).or_insert((0, Instant::now()));
        if total > known.0 {
            known.1 = Instant::now();
        }
        known.0 = total;
        if total == 0 || known.1.elapsed() > ERRORS_SHOWN {
            return None;
        }
        let kinds: Vec<_> = last.errors.iter().map(|(kind, count)| format!("{kind}: {count}")).collect();
        Some((total, kinds.join(", ")))
    }
}

/// Disputes that nobody has decided, among the newest.
fn open_disputes(snapshot: &Snapshot) -> Result<Vec<(DisputeId, Option<MerchantId>)>, StateError> {
    let (mut rows, mut open) = (0, BTreeSet::new());
    snapshot.scan::<Disputes>(&Span::all(), Direction::Down, |id, dispute| {
        rows += 1;
        if dispute.closed_at.is_none() {
            open.insert((id, dispute.purchase));
        }
        if rows < ROWS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut found = Vec::new();
    for (id, purchase) in open {
        let offer = snapshot.must::<Purchases>(&purchase)?.offer;
        found.push((id, snapshot.get::<crate::till::table::Offers>(&offer)?.map(|offer| offer.merchant)));
    }
    Ok(found)
}
