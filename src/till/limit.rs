//! Limits that keep a shop safe: how much one account and one card may hold, buy and spend, and who has to wait.
//!
//! What counts is read from the purchases themselves: there is no second book that could differ. Captures by network
//! are in `pace`.

use super::account;
use super::check;
use super::command::{BuyerLimitsChange, LimitsChange, Outcome};
use super::id::{AccountId, PurchaseId};
use super::money::{Currency, Money};
use super::record::{
    AccountRecord, BuyerLimits, Limit, LimitsRecord, PurchaseRecord, PurchaseStatus, ReplyStatus,
};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Key as _, Read, Span, StateError, Write};
use super::table::{Cards, Limits, Only, Purchases, Replies};
use super::time::Time;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// What "in 24 hours" means.
const DAY_SECONDS: i64 = 86_400;
/// Purchases that one account may begin in 24 hours, whatever became of them: looking at them must not take for ever.
const BEGUN_MAX: u32 = 1000;
/// Accounts of one card that are added up.
const CARD_ACCOUNTS_MAX: usize = 100;
/// Currencies that can have a limit.
const CURRENCIES_MAX: usize = 50;

/// A limit that stands in the way, and by how much: units, minor units, or milliseconds left to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub limit: Limit,
    /// What there is already, or how long to wait yet.
    pub by: i64,
}

/// The limits of a till that nobody has changed: more than an honest buyer needs, less than a thief would like.
pub fn defaults() -> LimitsRecord {
    let of = |amount, code: &str| Currency::parse(code).map(|currency| Money { amount, currency });
    let spending = [
        of(200_000, "USD"),
        of(200_000, "EUR"),
        of(200_000, "GBP"),
        of(200_000, "CHF"),
        of(300_000, "CAD"),
        of(300_000, "AUD"),
        of(300_000, "JPY"),
    ];
    let buyer = BuyerLimits {
        open_holds: Some(10),
        purchases_per_day: Some(20),
        spending_per_day: spending.into_iter().flatten().collect(),
    };
    LimitsRecord {
        per_account: buyer.clone(),
        per_card: buyer,
        pause_after_expired_holds: Some(2),
        pause_seconds: 900,
        new_account_wait_seconds: 0,
        captures_per_hour: Some(10_000),
    }
}

/// The limits as they stand.
pub fn current<S: Read>(state: &S) -> Result<LimitsRecord, StateError> {
    static DEFAULTS: LazyLock<LimitsRecord> = LazyLock::new(defaults);
    Ok(state.get::<Limits>(&Only)?.unwrap_or_else(|| DEFAULTS.clone()))
}

/// Changes what `change` names.
pub fn put<S: Write>(state: &mut S, change: &LimitsChange) -> Result<Outcome> {
    let mut limits = current(state)?;
    change_buyer(&mut limits.per_account, "per_account", &change.per_account)?;
    change_buyer(&mut limits.per_card, "per_card", &change.per_card)?;
    let counts = [
        (
            "pause_after_expired_holds",
            change.pause_after_expired_holds,
            &mut limits.pause_after_expired_holds,
            1000,
        ),
        ("captures_per_hour", change.captures_per_hour, &mut limits.captures_per_hour, 100_000_000),
    ];
    for (field, new, old, max) in counts {
        set_count(field, new, old, max)?;
    }
    let waits = [
        ("pause_seconds", change.pause_seconds, &mut limits.pause_seconds),
        ("new_account_wait_seconds", change.new_account_wait_seconds, &mut limits.new_account_wait_seconds),
    ];
    for (field, new, old) in waits {
        if let Some(new) = new {
            check::within(field, u64::from(new), 0, 366 * 86_400)?;
            *old = new;
        }
    }
    state.put::<Limits>(&Only, &limits)?;
    Ok(Outcome::Done)
}

#[allow(clippy::option_option, reason = "missing and null are two things")]
fn set_count(field: &str, new: Option<Option<u32>>, old: &mut Option<u32>, max: u64) -> Result<()> {
    if let Some(new) = new {
        if let Some(count) = new {
            check::within(field, u64::from(count), 1, max)?;
        }
        *old = new;
    }
    Ok(())
}

fn change_buyer(limits: &mut BuyerLimits, name: &str, change: &BuyerLimitsChange) -> Result<()> {
    set_count(&format!("{name}.open_holds"), change.open_holds, &mut limits.open_holds, 1_000_000)?;
    let field = format!("{name}.purchases_per_day");
    set_count(&field, change.purchases_per_day, &mut limits.purchases_per_day, 1_000_000)?;
    if let Some(spending) = &change.spending_per_day {
        let field = format!("{name}.spending_per_day");
        if spending.len() > CURRENCIES_MAX {
            let detail = format!("must name {CURRENCIES_MAX} currencies at most");
            return Err(Refusal::invalid(field, detail).into());
        }
        for (i, money) in spending.iter().enumerate() {
            if let Err(reason) = money.check() {
                return Err(Refusal::invalid(format!("{field}[{i}].amount"), reason).into());
            }
            if spending.iter().take(i).any(|other| other.currency == money.currency) {
                let detail = "is named before; each currency has one limit";
                return Err(Refusal::invalid(format!("{field}[{i}].currency"), detail).into());
            }
        }
        limits.spending_per_day.clone_from(spending);
    }
    Ok(())
}

/// What an account has of late.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    begun: u32,
    open: u32,
    bought: u32,
    spent: i64,
    expired: u32,
    last_expired: Option<Time>,
}

/// Whether an account is too new to buy or to take part in a deal.
pub fn too_new<S: Read>(
    state: &S,
    now: Time,
    account: &AccountRecord,
) -> Result<Option<Reached>, StateError> {
    Ok(wait_of(&current(state)?, now, account))
}

fn wait_of(limits: &LimitsRecord, now: Time, account: &AccountRecord) -> Option<Reached> {
    let old_enough = account.created_at.plus_seconds(i64::from(limits.new_account_wait_seconds));
    (now < old_enough).then(|| Reached { limit: Limit::NewAccount, by: old_enough.ms_since(now) })
}

/// The limit that a purchase for `price` would run into, if any. `known`: a purchase of the account that was read.
pub fn reached<S: Read>(
    state: &S,
    now: Time,
    (id, account): (AccountId, &AccountRecord),
    price: Money,
    known: Option<&(PurchaseId, PurchaseRecord)>,
) -> Result<Option<Reached>, StateError> {
    let limits = current(state)?;
    if let Some(reached) = wait_of(&limits, now, account) {
        return Ok(Some(reached));
    }
    let mut own = Recent::default();
    own.add(state, now, id, price.currency, known)?;
    if let (Some(most), Some(last)) = (limits.pause_after_expired_holds, own.last_expired) {
        let over = last.plus_seconds(i64::from(limits.pause_seconds));
        if own.expired >= most && now < over {
            return Ok(Some(Reached { limit: Limit::ExpiredHolds, by: over.ms_since(now) }));
        }
    }
    let which = [Limit::AccountOpenHolds, Limit::AccountPurchases, Limit::AccountSpending];
    if let Some(reached) = own.over(&limits.per_account, price, which) {
        return Ok(Some(reached));
    }
    for other in others_of_card(state, id, account)? {
        own.add(state, now, other, price.currency, None)?;
    }
    let which = [Limit::CardOpenHolds, Limit::CardPurchases, Limit::CardSpending];
    Ok(own.over(&limits.per_card, price, which))
}

/// The other accounts that are linked with the same card.
fn others_of_card<S: Read>(
    state: &S,
    id: AccountId,
    account: &AccountRecord,
) -> Result<Vec<AccountId>, StateError> {
    let card = account.person.as_ref().and_then(|person| account::card_key(&person.payment_method));
    let Some(card) = card else { return Ok(Vec::new()) };
    let accounts = state.first::<Cards>(&Span::prefix(card.encode()), CARD_ACCOUNTS_MAX)?;
    Ok(accounts.into_iter().map(|((_, other), ())| other).filter(|other| *other != id).collect())
}

impl Recent {
    /// Adds what an account has. Of purchases older than a day, only the newest of an offer is read: it may be open.
    fn add<S: Read>(
        &mut self,
        state: &S,
        now: Time,
        account: AccountId,
        currency: Currency,
        known: Option<&(PurchaseId, PurchaseRecord)>,
    ) -> Result<(), StateError> {
        let since = PurchaseId::first_at(now.plus_seconds(-DAY_SECONDS));
        let mut newest = Vec::new();
        state.scan::<super::table::Buyers>(&Span::prefix(account.encode()), Direction::Up, |_, buyer| {
            newest.push(buyer.newest);
            ControlFlow::Continue(())
        })?;
        for id in newest {
            let mut next = Some(id);
            let mut first = true;
            while let Some(id) = next.filter(|id| first || *id >= since) {
                if self.begun >= BEGUN_MAX {
                    return Ok(());
                }
                let purchase = match known {
                    Some((same, purchase)) if *same == id => Cow::Borrowed(purchase),
                    _ => Cow::Owned(state.must::<Purchases>(&id)?),
                };
                next = purchase.previous;
                first = false;
                self.open += u32::from(purchase.status == PurchaseStatus::Pending);
                if id >= since {
                    self.begun += 1;
                    self.count(state, &purchase, currency)?;
                }
            }
        }
        Ok(())
    }

    /// Counts a purchase of the last 24 hours.
    fn count<S: Read>(
        &mut self,
        state: &S,
        purchase: &PurchaseRecord,
        currency: Currency,
    ) -> Result<(), StateError> {
        match purchase.status {
            PurchaseStatus::Cancelled | PurchaseStatus::Declined => {}
            PurchaseStatus::Expired => {
                // Nobody can confirm what they were never told of.
                let told = match purchase.reply {
                    Some(reply) => state.get::<Replies>(&reply)?,
                    None => None,
                };
                if told.is_some_and(|reply| reply.status == ReplyStatus::Sent) {
                    self.expired += 1;
                    self.last_expired = self.last_expired.max(purchase.settled_at);
                }
            }
            _ => {
                self.bought += 1;
                if purchase.price.currency == currency {
                    self.spent = self.spent.saturating_add(purchase.price.amount);
                }
            }
        }
        Ok(())
    }

    /// The limit that one more purchase for `price` would run into: `which` are those on holds, purchases, spending.
    fn over(&self, limits: &BuyerLimits, price: Money, which: [Limit; 3]) -> Option<Reached> {
        let [open_holds, purchases, spending] = which;
        if limits.open_holds.is_some_and(|most| self.open >= most) {
            return Some(Reached { limit: open_holds, by: i64::from(self.open) });
        }
        if limits.purchases_per_day.is_some_and(|most| self.bought >= most || self.begun >= BEGUN_MAX) {
            return Some(Reached { limit: purchases, by: i64::from(self.bought) });
        }
        let most = limits.spending_per_day.iter().find(|most| most.currency == price.currency)?;
        let too_much = self.spent > 0 && self.spent.saturating_add(price.amount) > most.amount;
        too_much.then_some(Reached { limit: spending, by: self.spent })
    }
}
