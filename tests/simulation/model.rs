//! The rules once more, as simply as they can be written: plain lists, no store, no ids but those it is told.
//!
//! It is written from the rules' text and shares no code with the till. Judging posts is in `judge`, comparing it
//! with the data file in `compare`.

use super::deals::{Credit, Deal, Enrolment, Spent};
use super::limits::{Captures, Limits};
use super::links::Session;
use super::outbox::Budget;
use std::collections::{BTreeMap, BTreeSet};
use tagtill::till::id::{AccountId, OfferId, OrderId, PurchaseId, RefundId, ReplyId};
use tagtill::till::record::{
    AccountStatus, AttemptState, Mandate, OfferStatus, OrderStatus, PurchaseStatus, RefundStatus, ReplyKind,
    ReplyStatus,
};
use tagtill::till::verdict::Verdict;

/// From the arrival of a purchase post to the sending of its reply, at most.
pub const REPLY_WAIT_MS: i64 = 600_000;
/// From the end of a hold to the scan that frees it.
pub const GRACE_MS: i64 = 30_000;
/// Older posts are never acted on.
pub const POST_AGE_MS: i64 = 3_600_000;
/// Early reposts are kept for this long.
pub const EARLY_MS: i64 = 3_600_000;

/// How long a card's owner has to allow a charge.
pub const OWNER_MS: i64 = 3_600_000;

/// A network's id of a person or a post.
pub type Name = (String, String);

#[derive(Clone, Debug)]
pub struct Account {
    pub id: Option<AccountId>,
    pub identities: Vec<Name>,
    pub status: AccountStatus,
    pub country: String,
    pub customer: String,
    pub created_at: i64,
    /// The same for the same card; empty: nobody can tell.
    pub card: String,
    /// Identities whose handle has changed.
    pub frozen: BTreeSet<Name>,
    /// The handles of those that are not called by their id.
    pub called: BTreeMap<Name, String>,
    /// What opens its private page.
    pub page: Option<[u8; 32]>,
    pub mandate: Option<Mandate>,
}

impl Account {
    pub fn linked(&self) -> bool {
        matches!(self.status, AccountStatus::Active | AccountStatus::Suspended)
    }
}

#[derive(Clone, Debug)]
pub struct Offer {
    pub id: OfferId,
    pub buy: String,
    pub confirm: String,
    pub price: i64,
    pub quantity: Option<u64>,
    pub limit: usize,
    pub window_ms: i64,
    pub ends_at: Option<i64>,
    pub ships_to: Option<String>,
    pub status: OfferStatus,
    pub cancel: String,
    pub variants: Vec<Size>,
    pub most: u32,
    pub rest_waits: bool,
    pub waitlist: bool,
}

/// A variant of an offer; every one has a name of one word.
#[derive(Clone, Debug)]
pub struct Size {
    pub name: String,
    pub quantity: Option<u64>,
    pub price: Option<i64>,
}

/// Somebody in line.
#[derive(Clone, Debug)]
pub struct Waiter {
    pub offer: usize,
    pub account: usize,
    pub post: Name,
    pub user: String,
    pub variant: Option<String>,
    pub units: u32,
    pub joined_at: i64,
    pub number: u64,
}

#[derive(Clone, Debug)]
pub struct Attempt {
    pub state: AttemptState,
    /// Whether the provider's name for it is known: only then can it be charged, and only then does it tell of it.
    pub referenced: bool,
}

impl Attempt {
    pub fn new() -> Self {
        Self { state: AttemptState::New, referenced: false }
    }
}

#[derive(Clone, Debug)]
pub struct Refund {
    pub id: Option<RefundId>,
    pub amount: i64,
    pub restock: bool,
    pub automatic: bool,
    pub attempt: usize,
    pub status: RefundStatus,
}

#[derive(Clone, Debug)]
pub struct Purchase {
    pub id: Option<PurchaseId>,
    pub post: Name,
    pub account: usize,
    pub offer: usize,
    pub price: i64,
    pub units: u32,
    pub variant: Option<String>,
    pub status: PurchaseStatus,
    pub created_at: i64,
    pub arrived_at: i64,
    pub settled_at: Option<i64>,
    /// Confirmed, but its capture waits for an operator.
    pub waits: bool,
    pub expires_at: i64,
    pub window_ms: i64,
    pub window_set: bool,
    pub customer: Option<String>,
    pub attempts: Vec<Attempt>,
    pub refunds: Vec<Refund>,
    pub order: Option<OrderStatus>,
    pub order_id: Option<OrderId>,
    /// The post that confirmed, and who made it.
    pub confirmed: Option<(Name, String)>,
    pub restocked: bool,
    /// Until when the card's owner has time.
    pub authenticate_by: Option<i64>,
}

impl Purchase {
    pub fn holds(&self) -> bool {
        matches!(self.status, PurchaseStatus::Pending | PurchaseStatus::Capturing)
    }

    /// What is given back of the order, or about to be.
    pub fn back(&self, counts: impl Fn(RefundStatus) -> bool) -> i64 {
        self.refunds
            .iter()
            .filter(|refund| !refund.automatic && counts(refund.status))
            .map(|refund| refund.amount)
            .sum()
    }
}

#[derive(Clone, Debug)]
pub struct Seen {
    /// `None`: only its deletion was seen.
    pub judged: Option<(String, Verdict)>,
    pub purchase: Option<usize>,
    pub deleted: bool,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub network: String,
    pub kind: ReplyKind,
    pub account: Option<AccountId>,
    pub purchase: Option<PurchaseId>,
    pub queued_at: i64,
    pub not_after: i64,
    pub status: ReplyStatus,
    pub post: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Early {
    pub post: String,
    pub author: String,
    pub handle: String,
    pub made_at: i64,
    pub arrived_at: i64,
}

/// What must be so.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub offset_ms: i64,
    pub epoch: u32,
    pub paused: bool,
    pub accounts: Vec<Account>,
    pub sessions: Vec<Session>,
    pub offers: Vec<Offer>,
    pub purchases: Vec<Purchase>,
    pub posts: BTreeMap<Name, Seen>,
    pub replies: BTreeMap<ReplyId, Reply>,
    /// Purchases whose buyers were told how to confirm.
    pub told: BTreeSet<PurchaseId>,
    pub deals: Vec<Deal>,
    pub enrolments: Vec<Enrolment>,
    pub spent: BTreeMap<String, Spent>,
    pub credits: Vec<Credit>,
    /// What buyers are to be told of their orders, until it is found in the outbox.
    pub news: Vec<(PurchaseId, ReplyKind)>,
    /// In the order of joining.
    pub waiting: Vec<Waiter>,
    pub joined: u64,
    pub limits: Limits,
    /// Of replies, by network.
    pub budgets: BTreeMap<String, Budget>,
    /// By network.
    pub captures: BTreeMap<String, Captures>,
    /// Whether X lets only those be answered who mention the shop.
    pub mention_needed: bool,
    /// Posts that nobody may answer.
    pub unmentioned: BTreeSet<Name>,
    /// When which waiting list has to be looked at.
    pub due: BTreeSet<(i64, OfferId)>,
    /// The time of the command under way.
    pub now: i64,
    /// By network, reposted post and account.
    pub early: BTreeMap<(String, String, AccountId), Early>,
    /// Keyed requests: the body's number, the answer where it is known, and the time of the first.
    pub keyed: BTreeMap<u64, (u8, Option<Vec<u8>>, i64)>,
}

impl Model {
    /// The account that an identity is linked to.
    pub fn linked(&self, network: &str, user: &str) -> Option<usize> {
        self.accounts.iter().position(|account| {
            account.linked() && account.identities.iter().any(|(on, id)| on == network && id == user)
        })
    }

    pub fn newest(&self, account: usize, offer: usize) -> Option<usize> {
        self.purchases.iter().rposition(|purchase| purchase.account == account && purchase.offer == offer)
    }

    pub fn purchase_of(&self, id: PurchaseId) -> Option<usize> {
        self.purchases.iter().position(|purchase| purchase.id == Some(id))
    }

    /// How many units of an account's purchases count towards the limit.
    pub fn counted(&self, account: usize, offer: usize) -> usize {
        let counts = |purchase: &&Purchase| {
            purchase.account == account
                && purchase.offer == offer
                && matches!(
                    purchase.status,
                    PurchaseStatus::Pending | PurchaseStatus::Capturing | PurchaseStatus::Paid
                )
        };
        self.purchases.iter().filter(counts).map(|purchase| purchase.units as usize).sum()
    }

    /// The fate of the reply sets the window, once.
    pub fn set_window(&mut self, purchase: usize, from: i64) {
        let purchase = &mut self.purchases[purchase];
        let open = matches!(purchase.status, PurchaseStatus::Pending | PurchaseStatus::Expired);
        if open && !purchase.window_set {
            purchase.window_set = true;
            purchase.expires_at = from + purchase.window_ms;
        }
    }

    /// Time frees what was not confirmed, `slice` at a time and the oldest deadline first.
    pub fn tick(&mut self, now: i64, expires: bool, slice: usize) {
        self.now = now;
        if expires {
            let mut due: Vec<_> = (0..self.purchases.len())
                .filter(|&n| self.purchases[n].status == PurchaseStatus::Pending)
                .map(|n| (self.purchases[n].expires_at + GRACE_MS, self.purchases[n].id, n))
                .filter(|(at, _, _)| *at <= now)
                .collect();
            due.sort_unstable();
            for (_, _, n) in due.into_iter().take(slice) {
                self.close(n, PurchaseStatus::Expired);
            }
        }
        self.look(slice);
        self.forget_sessions(slice);
        let old: Vec<_> = self.early.iter().filter(|(_, early)| now - early.arrived_at > EARLY_MS).collect();
        let old: Vec<_> = old.into_iter().take(slice).map(|(key, _)| key.clone()).collect();
        for key in old {
            self.early.remove(&key);
        }
    }

    /// Unlinks an account at once; what is in flight keeps the rest.
    pub fn erase(&mut self, account: usize) {
        if self.accounts[account].status == AccountStatus::Erased {
            return;
        }
        self.accounts[account].status = AccountStatus::Erasing;
        self.accounts[account].frozen.clear();
        self.accounts[account].page = None;
        self.waiting.retain(|one| one.account != account);
        for n in 0..self.purchases.len() {
            if self.purchases[n].account == account && self.purchases[n].status == PurchaseStatus::Pending {
                self.close(n, PurchaseStatus::Cancelled);
            }
        }
        self.finish_erasing(account);
    }

    pub fn finish_erasing(&mut self, account: usize) {
        let in_flight = self.purchases.iter().any(|purchase| {
            purchase.account == account
                && (purchase.holds()
                    || purchase.refunds.iter().any(|one| one.status == RefundStatus::Pending))
        });
        let credited =
            self.credits.iter().any(|one| self.enrolments[one.enrolment].account == account && one.is_open());
        if self.accounts[account].status == AccountStatus::Erasing && !in_flight && !credited {
            self.accounts[account].status = AccountStatus::Erased;
            let id = self.accounts[account].id;
            for reply in self.replies.values_mut() {
                if reply.account == id && reply.status == ReplyStatus::Queued {
                    reply.status = ReplyStatus::Dropped;
                }
            }
        }
    }

    /// A charge came through: the order is made, unless the purchase is closed; then the money goes back.
    pub fn paid(&mut self, n: usize, attempt: usize) {
        let purchase = &mut self.purchases[n];
        if purchase.status == PurchaseStatus::Capturing {
            purchase.status = PurchaseStatus::Paid;
            purchase.order = Some(OrderStatus::Unfulfilled);
            return self.freed(n);
        }
        let amount = purchase.price;
        let status = RefundStatus::Pending;
        purchase.refunds.push(Refund { id: None, amount, restock: false, automatic: true, attempt, status });
    }

    /// A refund of the order went through.
    pub fn refunded(&mut self, n: usize) {
        let purchase = &mut self.purchases[n];
        if purchase.back(|status| status == RefundStatus::Succeeded) < purchase.price {
            return;
        }
        purchase.status = PurchaseStatus::Refunded;
        if purchase.order == Some(OrderStatus::Unfulfilled) {
            purchase.order = Some(OrderStatus::Cancelled);
            purchase.restocked = purchase
                .refunds
                .iter()
                .any(|refund| refund.restock && refund.status == RefundStatus::Succeeded);
            let restocked = purchase.restocked;
            self.follow_up(n, ReplyKind::Cancelled);
            if restocked {
                self.freed(n);
            }
        }
    }

    /// The buyer is told what became of an order, where somebody is there to be told: not under a post that is deleted,
    /// and not where a post is answered once.
    pub fn follow_up(&mut self, n: usize, kind: ReplyKind) {
        let purchase = &self.purchases[n];
        let (Some((post, user)), Some(id)) = (&purchase.confirmed, purchase.id) else { return };
        let name = (post.0.clone(), user.clone());
        let account = &self.accounts[purchase.account];
        let there = account.status == AccountStatus::Active
            && account.identities.contains(&name)
            && !account.frozen.contains(&name);
        let deleted = self.posts.get(post).is_some_and(|seen| seen.deleted);
        if post.0 != "x" && there && !deleted {
            self.news.push((id, kind));
        }
    }
}
