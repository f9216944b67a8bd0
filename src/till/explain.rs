//! "I posted and nothing happened": why a post was judged as it was, by how much, and what followed, in time order.
//!
//! Read from what is kept: ids, amounts and times, never a text or a person.

use super::id::{DisputeId, OrderId, PurchaseId, RefundId, ReplyId};
use super::owner;
use super::record::{
    Attempt, AttemptState, DisputeStatus, Limit, PostRecord, PurchaseRecord, PurchaseStatus, RefundStatus,
    ReplyKind, ReplyStatus,
};
use super::state::{Key as _, Read, Span, StateError, Write};
use super::table::{Disputes, OnNetwork, Orders, Posts, Purchases, Refunds, Replies, ReplyPosts};
use super::time::Time;
use super::verdict::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// By how much a verdict was what it was; only what applies is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Margin {
    /// How long after the hold's end the confirmation was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_late: Option<f64>,
    /// How long the hold had to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// How long before the offer's start the post arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_early: Option<f64>,
    /// How long after the offer's end the post arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_over: Option<f64>,
    /// How many units fewer there were than the post asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units_short: Option<i64>,
    /// How many units of the offer the account had already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units_had: Option<i64>,
    /// How many holds or purchases there were already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub had: Option<i64>,
    /// What was spent in 24 hours already, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent: Option<i64>,
    /// How long the account had to wait yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_wait: Option<f64>,
}

/// Something that followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// What, in a sentence.
    pub what: String,
    /// What kind of thing it was.
    pub kind: MomentKind,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MomentKind {
    /// Somebody posted.
    Post,
    /// The till decided about a post.
    Verdict,
    /// A post was deleted.
    Deleted,
    /// Units were held.
    Hold,
    /// A reply was queued, or is out.
    Reply,
    /// A reply never came out.
    ReplyLost,
    /// The purchase was confirmed.
    Confirmed,
    /// A charge was begun.
    Charge,
    /// The card's owner has a step left.
    Authentication,
    /// It is charged.
    Charged,
    /// The gateway said no.
    Declined,
    /// Nobody confirmed it in time.
    Expired,
    /// It was cancelled.
    Cancelled,
    /// There is an order.
    Order,
    /// A parcel left the shop.
    Shipped,
    /// It arrived.
    Delivered,
    /// Money goes back.
    Refund,
    /// Money did not go back.
    RefundFailed,
    /// The buyer disputes the charge at the bank.
    Dispute,
}

impl Margin {
    /// What the number kept with a post means.
    pub fn of(post: &PostRecord) -> Self {
        let (Some(by), Some(verdict)) = (post.by, post.verdict) else { return Self::default() };
        #[allow(clippy::cast_precision_loss, reason = "spans of days in milliseconds")]
        let seconds = Some(by as f64 / 1000.0);
        let none = Self::default();
        match verdict {
            Verdict::TooLate => Self { seconds_late: seconds, ..none },
            Verdict::Confirmed | Verdict::AlreadyPending => Self { seconds_left: seconds, ..none },
            Verdict::NotStarted => Self { seconds_early: seconds, ..none },
            Verdict::Ended => Self { seconds_over: seconds, ..none },
            Verdict::SoldOut | Verdict::Waitlisted | Verdict::Pending => {
                Self { units_short: Some(by), ..none }
            }
            Verdict::LimitReached => match post.limit {
                None => Self { units_had: Some(by), ..none },
                Some(Limit::NewAccount | Limit::ExpiredHolds) => Self { seconds_to_wait: seconds, ..none },
                Some(Limit::AccountSpending | Limit::CardSpending) => Self { spent: Some(by), ..none },
                Some(_) => Self { had: Some(by), ..none },
            },
            _ => none,
        }
    }
}

/// The rule that decided, in a sentence, with by how much.
pub fn why(post: &PostRecord) -> String {
    let Some(verdict) = post.verdict else {
        return Verdict::Deleted.sentence().to_owned();
    };
    let margin = Margin::of(post);
    let rule = post.limit.map_or(verdict.sentence(), Limit::sentence).trim_end_matches('.');
    let more = match (&margin, post.waits) {
        (_, Some((_, place))) => Some(format!("at place {place}")),
        (Margin { seconds_late: Some(late), .. }, _) => Some(format!("by {}", span(*late))),
        (Margin { seconds_left: Some(left), .. }, _) => Some(format!("with {} to go", span(*left))),
        (Margin { seconds_early: Some(early), .. }, _) => Some(format!("it starts {} later", span(*early))),
        (Margin { seconds_over: Some(over), .. }, _) => Some(format!("{} before", span(*over))),
        (Margin { units_short: Some(short), .. }, _) => Some(format!("{short} fewer than asked for")),
        (Margin { units_had: Some(had), .. } | Margin { had: Some(had), .. }, _) => {
            Some(format!("it had {had}"))
        }
        (Margin { spent: Some(spent), .. }, _) => Some(format!("{spent} in minor units before")),
        (Margin { seconds_to_wait: Some(wait), .. }, _) => Some(format!("for {} more", span(*wait))),
        _ => None,
    };
    more.map_or_else(|| format!("{rule}."), |more| format!("{rule} ({more})."))
}

/// `12.5 seconds`, `3 minutes`, `2 hours`, `4 days`.
fn span(seconds: f64) -> String {
    match seconds.abs() {
        s if s >= 172_800.0 => format!("{:.0} days", s / 86_400.0),
        s if s >= 7200.0 => format!("{:.0} hours", s / 3600.0),
        s if s >= 120.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{s} seconds"),
    }
}

/// Everything that followed from a post, in time order.
///
/// # Errors
/// When the store fails.
pub fn history<S: Read>(state: &S, key: &OnNetwork, post: &PostRecord) -> Result<Vec<Moment>, StateError> {
    let mut told = Telling::default();
    told.post(post, "The post was made.");
    for id in [post.reply, post.followed_by].into_iter().flatten() {
        told.reply(state, id)?;
    }
    if let Some(id) = post.purchase {
        let purchase = state.must::<Purchases>(&id)?;
        let own = purchase.network == key.network && purchase.post == key.id;
        told.hold((id, &purchase), own);
        told.sale(state, &purchase)?;
    }
    Ok(told.in_order())
}

/// The posts of a purchase that are remembered: the one that began it, and the one that confirmed it.
///
/// # Errors
/// When the store fails.
pub fn posts<S: Read>(
    state: &S,
    purchase: &PurchaseRecord,
) -> Result<Vec<(OnNetwork, PostRecord)>, StateError> {
    let confirming = purchase.confirmation.as_ref().map(|one| OnNetwork::new(&one.network, &one.post));
    let mut found = Vec::new();
    for key in [Some(OnNetwork::new(&purchase.network, &purchase.post)), confirming].into_iter().flatten() {
        if let Some(post) = state.get::<Posts>(&key)? {
            found.push((key, post));
        }
    }
    Ok(found)
}

/// The replies to the posts of a purchase, oldest first.
pub fn replies(purchase: &PurchaseRecord, posts: &[(OnNetwork, PostRecord)]) -> Vec<ReplyId> {
    let of_posts = posts.iter().flat_map(|(_, post)| [post.reply, post.followed_by]);
    let all: BTreeSet<_> = of_posts.chain([purchase.reply]).flatten().collect();
    all.into_iter().collect()
}

/// A purchase's whole story, in time order: both its posts, their replies, and what came of them.
///
/// # Errors
/// When the store fails.
pub fn story<S: Read>(
    state: &S,
    id: PurchaseId,
    purchase: &PurchaseRecord,
) -> Result<Vec<Moment>, StateError> {
    let mut told = Telling::default();
    let posts = posts(state, purchase)?;
    for (key, post) in &posts {
        let began = purchase.network == key.network && purchase.post == key.id;
        if began {
            told.post(post, &format!("The purchase post was made ({}).", key.id));
            told.hold((id, purchase), true);
        } else {
            told.post(post, "The confirming post was made.");
        }
    }
    if posts.is_empty() {
        told.hold((id, purchase), true);
    }
    for reply in replies(purchase, &posts) {
        told.reply(state, reply)?;
    }
    told.sale(state, purchase)?;
    Ok(told.in_order())
}

/// Forgets up to `slice` replies from before `until`, and what explains the posts that they answered; returns how many.
/// That those posts were seen, and what was decided, stays.
pub fn forget<S: Write>(state: &mut S, until: Time, slice: usize) -> Result<usize, StateError> {
    let old = Span::all().before(&ReplyId::first_at(until).encode());
    let replies = state.first::<Replies>(&old, slice)?;
    for (id, reply) in &replies {
        if reply.status == ReplyStatus::Queued {
            continue;
        }
        if let Some(post_id) = &reply.post_id {
            let key = OnNetwork::new(&reply.network, post_id);
            if state.get::<ReplyPosts>(&key)? == Some(*id) {
                state.delete::<ReplyPosts>(&key);
            }
        }
        let key = OnNetwork::new(&reply.network, &reply.in_reply_to);
        if let Some(mut post) = state.get::<Posts>(&key)? {
            post.reply = post.reply.filter(|other| other != id);
            post.followed_by = post.followed_by.filter(|other| other != id);
            state.put::<Posts>(&key, &post)?;
        }
        if let Some(bought) = reply.purchase {
            let mut purchase = state.must::<Purchases>(&bought)?;
            if purchase.reply == Some(*id) {
                purchase.reply = None;
                state.put::<Purchases>(&bought, &purchase)?;
            }
        }
        state.delete::<Replies>(id);
    }
    Ok(replies.len())
}

#[derive(Default)]
struct Telling(Vec<Moment>);

impl Telling {
    fn add(&mut self, at: Time, kind: MomentKind, what: impl Into<String>) {
        self.0.push(Moment { at, what: what.into(), kind });
    }

    fn in_order(mut self) -> Vec<Moment> {
        self.0.sort_by_key(|moment| moment.at);
        self.0
    }

    fn post(&mut self, post: &PostRecord, made: &str) {
        if let Some(verdict) = post.verdict {
            self.add(post.made_at, MomentKind::Post, made);
            let judged = format!("It arrived and was judged: {}.", verdict.code());
            self.add(post.arrived_at, MomentKind::Verdict, judged);
        }
        if let Some(at) = post.deleted_at {
            self.add(at, MomentKind::Deleted, "The network said that it was deleted.");
        }
    }

    fn reply<S: Read>(&mut self, state: &S, id: ReplyId) -> Result<(), StateError> {
        // Replies are kept for a while only.
        let Some(reply) = state.get::<Replies>(&id)? else { return Ok(()) };
        let what = match reply.kind {
            ReplyKind::Pending | ReplyKind::AlreadyPending => "the confirmation hashtag",
            ReplyKind::OneStepLeft => "that one step is left",
            ReplyKind::Choose => "what there is to choose from",
            ReplyKind::DidYouMean => "the hashtag that was probably meant",
            ReplyKind::Confirmed => "that it is ordered",
            ReplyKind::Paid => "that it is paid",
            ReplyKind::Enrolled => "that the deal is loaded",
            ReplyKind::Refused => "that it could not be completed",
            ReplyKind::TooLate => "that it was too late",
            ReplyKind::Passed => "that it was let go",
            ReplyKind::Waitlisted => "the place in line",
            ReplyKind::Unavailable => "why there is nothing to buy or confirm",
            ReplyKind::NotLinked => "how to link a card",
            ReplyKind::Shipped => "that it is on its way",
            ReplyKind::Cancelled => "that the shop has cancelled it",
        };
        self.add(reply.queued_at, MomentKind::Reply, format!("A reply was queued: {what} ({id})."));
        let Some(at) = reply.ended_at else { return Ok(()) };
        let because = reply.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let posted = reply.post_id.map(|post| format!(" as {post}")).unwrap_or_default();
        let (kind, fate) = match reply.status {
            ReplyStatus::Queued => return Ok(()),
            ReplyStatus::Sent => (MomentKind::Reply, format!("was out{posted}")),
            ReplyStatus::Failed => (MomentKind::ReplyLost, format!("could not be posted{because}")),
            ReplyStatus::Dropped => (MomentKind::ReplyLost, format!("was dropped{because}")),
        };
        self.add(at, kind, format!("The reply {fate} ({id})."));
        Ok(())
    }

    fn hold(&mut self, (id, purchase): (PurchaseId, &PurchaseRecord), began_here: bool) {
        let units = if purchase.units == 1 {
            "A unit was".to_owned()
        } else {
            format!("{} units were", purchase.units)
        };
        let what = if began_here {
            format!("{units} held for {}, until {} ({id}).", purchase.price, purchase.expires_at)
        } else {
            format!("{units} held by the post {} ({id}).", purchase.post)
        };
        self.add(purchase.arrived_at, MomentKind::Hold, what);
    }

    /// From the confirmation on.
    fn sale<S: Read>(&mut self, state: &S, purchase: &PurchaseRecord) -> Result<(), StateError> {
        if let Some(confirmation) = &purchase.confirmation {
            let what = format!("The post {} confirmed it.", confirmation.post);
            self.add(confirmation.arrived_at, MomentKind::Confirmed, what);
        }
        for attempt in &purchase.attempts {
            self.add(attempt.created_at, MomentKind::Charge, charge(attempt));
        }
        if let Some(until) = purchase.authenticate_by {
            let at = until.plus_seconds(-i64::from(owner::WINDOW_SECONDS));
            let what = format!("The card's owner was asked for one step at the provider, until {until}.");
            self.add(at, MomentKind::Authentication, what);
        }
        if let Some(at) = purchase.settled_at {
            let (kind, what) = settled(purchase.status);
            self.add(at, kind, what);
        }
        if let Some(order) = purchase.order {
            self.order(state, order)?;
        }
        for refund in &purchase.refunds {
            self.refund(state, *refund)?;
        }
        for dispute in &purchase.disputes {
            self.dispute(state, *dispute)?;
        }
        Ok(())
    }

    fn order<S: Read>(&mut self, state: &S, id: OrderId) -> Result<(), StateError> {
        let order = state.must::<Orders>(&id)?;
        self.add(order.created_at, MomentKind::Order, format!("An order was made ({id})."));
        for shipment in &order.shipments {
            let what = match (shipment.units, order.units) {
                (units, all) if units == all => "It was shipped.".to_owned(),
                (1, _) => "A parcel with a unit was shipped.".to_owned(),
                (units, _) => format!("A parcel with {units} units was shipped."),
            };
            self.add(shipment.at, MomentKind::Shipped, what);
        }
        if let Some(at) = order.delivered_at {
            self.add(at, MomentKind::Delivered, "It was delivered.");
        }
        Ok(())
    }

    fn refund<S: Read>(&mut self, state: &S, id: RefundId) -> Result<(), StateError> {
        let refund = state.must::<Refunds>(&id)?;
        let (kind, how) = match refund.status {
            RefundStatus::Pending => (MomentKind::Refund, "the gateway is being asked"),
            RefundStatus::Succeeded => (MomentKind::Refund, "given back"),
            RefundStatus::Failed => (MomentKind::RefundFailed, "refused by the gateway"),
        };
        let whose = if refund.external {
            " at the gateway"
        } else if refund.automatic {
            " by the till itself"
        } else {
            ""
        };
        let what = format!("A refund of {} was begun{whose}: {how} ({id}).", refund.amount);
        self.add(refund.created_at, kind, what);
        Ok(())
    }

    fn dispute<S: Read>(&mut self, state: &S, id: DisputeId) -> Result<(), StateError> {
        let dispute = state.must::<Disputes>(&id)?;
        let what = format!("The buyer disputed {} at the bank ({id}).", dispute.amount);
        self.add(dispute.created_at, MomentKind::Dispute, what);
        if let Some(at) = dispute.closed_at {
            let how = match dispute.status {
                DisputeStatus::Won => "won",
                DisputeStatus::Lost => "lost",
                DisputeStatus::Inquiry | DisputeStatus::Open => "closed",
            };
            self.add(at, MomentKind::Dispute, format!("The dispute was {how} ({id})."));
        }
        Ok(())
    }
}

fn settled(status: PurchaseStatus) -> (MomentKind, &'static str) {
    match status {
        PurchaseStatus::Paid | PurchaseStatus::Refunded => {
            (MomentKind::Charged, "The gateway said that it is charged.")
        }
        PurchaseStatus::Expired => {
            (MomentKind::Expired, "Nobody confirmed it in time; the unit was free again.")
        }
        PurchaseStatus::Cancelled => (MomentKind::Cancelled, "It was cancelled before it was confirmed."),
        PurchaseStatus::Declined => {
            (MomentKind::Declined, "The gateway declined the card; nothing was charged.")
        }
        PurchaseStatus::Pending | PurchaseStatus::Capturing => (MomentKind::Charge, "It was settled."),
    }
}

fn charge(attempt: &Attempt) -> String {
    let how = match &attempt.state {
        AttemptState::New => "not at the gateway yet".to_owned(),
        AttemptState::Created => "created at the gateway, its answer is awaited".to_owned(),
        AttemptState::Waiting => "created at the gateway, its card's owner has a step left".to_owned(),
        AttemptState::Paid => "paid".to_owned(),
        AttemptState::Declined(code) => format!("declined ({code})"),
        AttemptState::Lost => "lost before the gateway had it".to_owned(),
    };
    let reference = attempt.reference.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("Charge {} was begun: {how}{reference}.", attempt.number)
}
