//! The model's word on what a bridge may post now: what matters most first, nothing stale, no more than the rate allows.

use super::deeds::NETWORKS;
use super::model::Model;
use std::collections::BTreeSet;
use tagtill::store::Snapshot;
use tagtill::till::id::ReplyId;
use tagtill::till::record::{ReplyKind, ReplyStatus};
use tagtill::till::reply;
use tagtill::till::time::Time;

const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;
/// What a bridge asks for at once.
const LIMIT: usize = 20;

/// What a network takes, and when replies went out there.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    pub quarter: Option<u32>,
    pub day: Option<u32>,
    pub sent: Vec<i64>,
}

impl Budget {
    /// How many of a span are left: of the slice before, as much counts as still lies within, rounded up.
    fn left(&self, now: i64, limit: Option<u32>, span: i64) -> usize {
        let Some(limit) = limit else { return usize::MAX };
        let slice = now.div_euclid(span);
        let sent_in =
            |n: i64| i64::try_from(self.sent.iter().filter(|at| at.div_euclid(span) == n).count()).unwrap();
        let rest = span - now.rem_euclid(span);
        let spent = sent_in(slice) + (sent_in(slice - 1) * rest + span - 1) / span;
        usize::try_from(i64::from(limit) - spent).unwrap_or(0)
    }
}

/// The place of a kind in the queue, written down once more.
fn rank(kind: ReplyKind) -> usize {
    use ReplyKind as K;
    let order = [
        K::Pending,
        K::AlreadyPending,
        K::OneStepLeft,
        K::Choose,
        K::DidYouMean,
        K::Confirmed,
        K::Paid,
        K::Enrolled,
        K::Refused,
        K::TooLate,
        K::Passed,
        K::Waitlisted,
        K::Unavailable,
        K::NotLinked,
        K::Shipped,
        K::Cancelled,
    ];
    order.iter().position(|other| *other == kind).unwrap()
}

impl Model {
    /// A reply is out: it counts where its network has a rate.
    pub fn spend_reply(&mut self, network: &str) {
        let now = self.now;
        if let Some(budget) = self.budgets.get_mut(network) {
            budget.sent.push(now);
        }
    }

    /// Whether bridges are given what they should.
    pub fn outbox(&self, snapshot: &Snapshot) -> Result<(), String> {
        for network in NETWORKS {
            let mut due = BTreeSet::new();
            for (id, reply) in &self.replies {
                if reply.network == *network
                    && reply.status == ReplyStatus::Queued
                    && reply.not_after >= self.now
                {
                    due.insert((rank(reply.kind), *id));
                }
            }
            let budget = self.budgets.get(*network);
            let left = budget.map_or(usize::MAX, |budget| {
                let quarter = budget.left(self.now, budget.quarter, QUARTER_MS);
                quarter.min(budget.left(self.now, budget.day, DAY_MS))
            });
            let wanted: Vec<ReplyId> = due.into_iter().map(|(_, id)| id).take(left.min(LIMIT)).collect();
            let given = reply::queued(snapshot, Time::from_ms(self.now), network, LIMIT);
            let given: Vec<_> =
                given.map_err(|error| error.to_string())?.into_iter().map(|(id, _)| id).collect();
            if wanted != given {
                return Err(format!("{network} may post {given:?}, the model says {wanted:?}"));
            }
        }
        Ok(())
    }
}
