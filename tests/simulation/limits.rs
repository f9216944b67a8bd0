//! The model's word on limits: what counts is counted from the plain list of purchases.

use super::model::{Model, Purchase};
use super::world::World;
use std::collections::BTreeMap;
use tagtill::store::Snapshot;
use tagtill::till::command::{BuyerLimitsChange, Command, LimitsChange};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{AccountStatus, BuyerLimits, PurchaseStatus, ReplyKind, ReplyStatus};
use tagtill::till::state::Read as _;
use tagtill::till::table;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// What one account or one card may have; `None`: as much as it likes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buyer {
    open: Option<u32>,
    bought: Option<u32>,
    spent: Option<i64>,
}

impl Buyer {
    fn change(&mut self, change: &BuyerLimitsChange) {
        self.open = change.open_holds.unwrap_or(self.open);
        self.bought = change.purchases_per_day.unwrap_or(self.bought);
        if let Some(spending) = &change.spending_per_day {
            self.spent = spending.first().map(|money| money.amount);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    account: Buyer,
    card: Buyer,
    expired: Option<u32>,
    pause_ms: i64,
    wait_ms: i64,
    captures: Option<u32>,
}

impl Default for Limits {
    /// None of the till's, which the first command of every life turns off; a pause, if any, is a quarter of an hour.
    fn default() -> Self {
        let (account, card) = (Buyer::default(), Buyer::default());
        Self { account, card, expired: None, pause_ms: 900_000, wait_ms: 0, captures: None }
    }
}

/// The captures of one network: when each was begun, and whether further ones wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captures {
    begun: Vec<i64>,
    pub paused: bool,
}

impl Model {
    pub fn put_limits(&mut self, change: &LimitsChange) {
        let limits = &mut self.limits;
        limits.account.change(&change.per_account);
        limits.card.change(&change.per_card);
        limits.expired = change.pause_after_expired_holds.unwrap_or(limits.expired);
        limits.captures = change.captures_per_hour.unwrap_or(limits.captures);
        limits.pause_ms = change.pause_seconds.map_or(limits.pause_ms, |s| i64::from(s) * 1000);
        limits.wait_ms = change.new_account_wait_seconds.map_or(limits.wait_ms, |s| i64::from(s) * 1000);
    }

    /// Whether the limits are those of the data file: where two futures fit after a crash, they tell them apart.
    pub fn limits_agree(&self, snapshot: &Snapshot) -> Result<(), String> {
        let till = snapshot.get::<table::Limits>(&table::Only).map_err(|error| error.to_string())?;
        // Nobody has set any yet.
        let Some(till) = till else { return Ok(()) };
        let buyer = |till: &BuyerLimits| Buyer {
            open: till.open_holds,
            bought: till.purchases_per_day,
            spent: till.spending_per_day.first().map(|money| money.amount),
        };
        let till = Limits {
            account: buyer(&till.per_account),
            card: buyer(&till.per_card),
            expired: till.pause_after_expired_holds,
            pause_ms: i64::from(till.pause_seconds) * 1000,
            wait_ms: i64::from(till.new_account_wait_seconds) * 1000,
            captures: till.captures_per_hour,
        };
        if till == self.limits {
            Ok(())
        } else {
            Err(format!("limits: the model says {:?}, the till {till:?}", self.limits))
        }
    }

    pub fn is_too_new(&self, account: usize) -> bool {
        self.now < self.accounts[account].created_at + self.limits.wait_ms
    }

    /// Whether a limit of the till stands in the way of buying for `price`.
    pub fn is_limited(&self, buyer: usize, price: i64) -> bool {
        if self.is_too_new(buyer) {
            return true;
        }
        let own: Vec<_> = self.purchases.iter().filter(|one| one.account == buyer).collect();
        let expired: Vec<_> = own.iter().filter(|one| self.is_missed(one)).collect();
        let last = expired.iter().filter_map(|one| one.settled_at).max();
        let many = self.limits.expired.is_some_and(|most| expired.len() >= most as usize);
        if many && last.is_some_and(|last| self.now < last + self.limits.pause_ms) {
            return true;
        }
        let card = &self.accounts[buyer].card;
        let with_card = |account: usize| {
            let is = &self.accounts[account];
            account == buyer || !card.is_empty() && is.card == *card && is.status != AccountStatus::Erased
        };
        let all: Vec<_> = self.purchases.iter().filter(|one| with_card(one.account)).collect();
        self.is_over(&own, &self.limits.account, price) || self.is_over(&all, &self.limits.card, price)
    }

    /// Nobody confirmed it, though its buyer was told how.
    fn is_missed(&self, purchase: &Purchase) -> bool {
        purchase.status == PurchaseStatus::Expired
            && purchase.arrived_at >= self.now - DAY_MS
            && self.replies.values().any(|reply| {
                reply.kind == ReplyKind::Pending
                    && reply.status == ReplyStatus::Sent
                    && reply.purchase.is_some()
                    && reply.purchase == purchase.id
            })
    }

    fn is_over(&self, purchases: &[&Purchase], limits: &Buyer, price: i64) -> bool {
        let open = purchases.iter().filter(|one| one.status == PurchaseStatus::Pending).count();
        let not = [PurchaseStatus::Expired, PurchaseStatus::Cancelled, PurchaseStatus::Declined];
        let bought: Vec<_> = purchases
            .iter()
            .filter(|one| one.arrived_at >= self.now - DAY_MS && !not.contains(&one.status))
            .collect();
        let spent: i64 = bought.iter().map(|one| one.price).sum();
        limits.open.is_some_and(|most| open >= most as usize)
            || limits.bought.is_some_and(|most| bought.len() >= most as usize)
            || limits.spent.is_some_and(|most| spent > 0 && spent + price > most)
    }

    /// A capture begins; whether it waits for an operator.
    pub fn begin_capture(&mut self, network: &str) -> bool {
        let Some(most) = self.limits.captures else { return false };
        let now = self.now;
        let captures = self.captures.entry(network.to_owned()).or_default();
        // Of the hour before, as much counts as still lies within 60 minutes, rounded up.
        let hour = now.div_euclid(HOUR_MS);
        let begun_in = |n: i64| captures.begun.iter().filter(|at| at.div_euclid(HOUR_MS) == n).count();
        let in_hour = |n| i64::try_from(begun_in(n)).unwrap();
        let left_ms = HOUR_MS - now.rem_euclid(HOUR_MS);
        let counted = in_hour(hour) + (in_hour(hour - 1) * left_ms + HOUR_MS - 1) / HOUR_MS;
        if captures.paused || counted >= i64::from(most) {
            captures.paused = true;
            return true;
        }
        captures.begun.push(now);
        false
    }

    /// An operator has looked.
    pub fn resume_captures(&mut self) {
        self.captures.retain(|_, captures| !captures.paused);
        for purchase in &mut self.purchases {
            purchase.waits = false;
        }
    }

    /// The networks whose captures wait.
    pub fn paused_networks(&self) -> Vec<String> {
        let paused: BTreeMap<_, _> = self.captures.iter().filter(|(_, captures)| captures.paused).collect();
        paused.into_keys().cloned().collect()
    }
}

impl World {
    /// Limits as some shop may have them: often tight, often none.
    pub fn limits(&mut self) -> Command {
        let mut tight = |most: u64| {
            let is = self.chance.percent(40);
            let n = 1 + u32::try_from(self.chance.below(most)).unwrap();
            Some(is.then_some(n))
        };
        let mut change = LimitsChange {
            per_account: BuyerLimitsChange {
                open_holds: tight(3),
                purchases_per_day: tight(5),
                spending_per_day: None,
            },
            per_card: BuyerLimitsChange {
                open_holds: tight(4),
                purchases_per_day: tight(6),
                spending_per_day: None,
            },
            pause_after_expired_holds: tight(3),
            pause_seconds: None,
            new_account_wait_seconds: None,
            captures_per_hour: tight(2),
        };
        for buyer in [&mut change.per_account, &mut change.per_card] {
            let amount = self.chance.within(500, 20_000);
            let limit = self.chance.percent(40).then_some(Money { amount, currency: Currency::USD });
            buyer.spending_per_day = Some(limit.into_iter().collect());
        }
        change.pause_seconds = Some(u32::try_from(self.chance.within(60, 7_200)).unwrap());
        let wait = if self.chance.percent(10) { self.chance.within(60, 3_600) } else { 0 };
        change.new_account_wait_seconds = Some(u32::try_from(wait).unwrap());
        Command::PutLimits(Box::new(change))
    }
}
