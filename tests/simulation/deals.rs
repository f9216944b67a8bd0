//! The model's word on deals: who takes part, what was spent with a card, and what is credited for it.

use super::model::{Attempt, Model};
use tagtill::till::command::{ChargeAnswer, NewTransaction, Post, RefundAnswer};
use tagtill::till::id::{CreditId, OfferId};
use tagtill::till::record::{
    AccountStatus, AttemptState, CreditStatus, OfferStatus, RefundStatus, TransactionKind,
};
use tagtill::till::verdict::Verdict;

/// A credit can be taken back until so long after its deal's end.
const TAKE_BACK_MS: i64 = 180 * 86_400_000;

#[derive(Clone, Debug)]
pub struct Deal {
    pub id: OfferId,
    pub tag: String,
    pub least: i64,
    /// A fixed credit, or a percentage and its cap.
    pub credit: Result<i64, (i64, i64)>,
    pub places: Option<usize>,
    pub budget: Option<i64>,
    pub limit: u32,
    pub ends_at: Option<i64>,
    pub status: OfferStatus,
    pub ended_at: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Enrolment {
    pub deal: usize,
    pub account: usize,
    pub since: i64,
    pub credits: u32,
    /// The card then.
    pub card: String,
}

#[derive(Clone, Debug)]
pub struct Spent {
    pub told: NewTransaction,
    pub returned: i64,
    pub credits: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct Credit {
    pub id: Option<CreditId>,
    pub transaction: String,
    pub enrolment: usize,
    pub customer: String,
    pub amount: i64,
    pub due: i64,
    pub status: CreditStatus,
    pub attempts: Vec<Attempt>,
    /// Attempt, amount, and where it stands.
    pub reversals: Vec<(usize, i64, RefundStatus)>,
}

impl Credit {
    pub fn is_open(&self) -> bool {
        self.status == CreditStatus::Pending
            || self.reversals.iter().any(|(_, _, status)| *status == RefundStatus::Pending)
    }
}

impl Deal {
    fn over_since(&self) -> Option<i64> {
        match (self.ended_at, self.ends_at) {
            (Some(word), Some(date)) => Some(word.min(date)),
            (word, date) => word.or(date),
        }
    }

    fn earned(&self, amount: i64) -> i64 {
        match self.credit {
            _ if amount < self.least => 0,
            Ok(fixed) => fixed,
            Err((percent, cap)) => (amount * percent / 100).min(cap),
        }
    }
}

impl Model {
    pub fn enrol(&mut self, now: i64, t: i64, post: &Post, n: usize) -> Verdict {
        let Some(account) = self.linked(&post.network, &post.author.user_id) else {
            return Verdict::NotLinked;
        };
        if self.accounts[account].status == AccountStatus::Suspended {
            return Verdict::AccountSuspended;
        }
        if self.is_frozen(account, post) {
            return Verdict::IdentityFrozen;
        }
        let deal = &self.deals[n];
        let card = self.accounts[account].card.clone();
        let same = |one: &Enrolment| one.account == account || !card.is_empty() && one.card == card;
        if self.enrolments.iter().any(|one| one.deal == n && same(one)) {
            return Verdict::AlreadyEnrolled;
        }
        if deal.status == OfferStatus::Ended || deal.ends_at.is_some_and(|end| now >= end) {
            return Verdict::Ended;
        }
        if self.is_too_new(account) {
            return Verdict::LimitReached;
        }
        let enrolled = self.enrolments.iter().filter(|one| one.deal == n).count();
        if deal.places.is_some_and(|places| enrolled >= places) {
            return Verdict::DealFull;
        }
        self.enrolments.push(Enrolment { deal: n, account, since: t, credits: 0, card });
        Verdict::Enrolled
    }

    /// How many credits of a deal stay, and what they come to.
    pub fn credited(&self, deal: usize) -> (u64, i64) {
        let these =
            self.credits.iter().filter(|one| self.enrolments[one.enrolment].deal == deal && one.due > 0);
        these.fold((0, 0), |(count, sum), one| (count + 1, sum + one.due))
    }

    pub fn spend(&mut self, new: &NewTransaction) -> bool {
        if let Some(known) = self.spent.get(&new.id) {
            return known.told == *new;
        }
        let Some(account) = self.accounts.iter().position(|one| one.id == Some(new.account)) else {
            return false;
        };
        let credits = match (new.kind, &new.original) {
            (TransactionKind::Purchase, None) if self.accounts[account].linked() => self.earn(account, new),
            (TransactionKind::Refund | TransactionKind::Reversal, Some(original)) => {
                let Some(credits) = self.give_back(original, new) else { return false };
                credits
            }
            _ => return false,
        };
        self.spent.insert(new.id.clone(), Spent { told: new.clone(), returned: 0, credits });
        true
    }

    fn earn(&mut self, account: usize, new: &NewTransaction) -> Vec<usize> {
        let at = new.occurred_at.ms();
        let mut mine: Vec<_> =
            (0..self.enrolments.len()).filter(|&n| self.enrolments[n].account == account).collect();
        mine.sort_by_key(|&n| self.deals[self.enrolments[n].deal].id);
        let mut earned = Vec::new();
        for n in mine {
            let enrolment = self.enrolments[n].clone();
            let deal = self.deals[enrolment.deal].clone();
            let amount = deal.earned(new.amount.amount);
            let fits = at >= enrolment.since
                && deal.over_since().is_none_or(|end| at < end)
                && enrolment.credits < deal.limit
                && amount > 0;
            if !fits {
                continue;
            }
            let (_, before) = self.credited(enrolment.deal);
            let covered = deal.budget.is_none_or(|budget| before + amount <= budget);
            let total = if covered { before + amount } else { before };
            let least = deal.earned(deal.least).max(1);
            let over = !covered || deal.budget.is_some_and(|budget| budget - total < least);
            if over && deal.status != OfferStatus::Ended {
                self.deals[enrolment.deal].status = OfferStatus::Ended;
                self.deals[enrolment.deal].ended_at = Some(self.now);
            }
            if !covered {
                continue;
            }
            self.enrolments[n].credits += 1;
            self.credits.push(Credit {
                id: None,
                transaction: new.id.clone(),
                enrolment: n,
                customer: self.accounts[account].customer.clone(),
                amount,
                due: amount,
                status: CreditStatus::Pending,
                attempts: vec![Attempt::new()],
                reversals: Vec::new(),
            });
            earned.push(self.credits.len() - 1);
        }
        earned
    }

    fn give_back(&mut self, original: &str, new: &NewTransaction) -> Option<Vec<usize>> {
        let bought = self.spent.get(original)?.clone();
        let left = bought.told.amount.amount - bought.returned;
        if bought.told.kind != TransactionKind::Purchase
            || bought.told.account != new.account
            || new.amount.amount > left
        {
            return None;
        }
        let kept = left - new.amount.amount;
        self.spent.get_mut(original)?.returned += new.amount.amount;
        let mut touched = Vec::new();
        for n in bought.credits {
            let deal = &self.deals[self.enrolments[self.credits[n].enrolment].deal];
            let over = deal.over_since().filter(|end| *end <= self.now);
            let due = deal.earned(kept);
            if over.is_none_or(|end| self.now <= end + TAKE_BACK_MS) && due < self.credits[n].due {
                let less = self.credits[n].due - due;
                self.lower(n, due);
                let paid = self.credits[n].attempts.iter().position(|one| one.state == AttemptState::Paid);
                if let (CreditStatus::Credited, Some(paid)) = (self.credits[n].status, paid) {
                    self.credits[n].reversals.push((paid, less, RefundStatus::Pending));
                }
                touched.push(n);
            }
        }
        Some(touched)
    }

    fn lower(&mut self, n: usize, due: i64) {
        if due == 0 && self.credits[n].due > 0 {
            self.enrolments[self.credits[n].enrolment].credits -= 1;
        }
        self.credits[n].due = due;
    }

    fn credit(&self, id: CreditId) -> Option<usize> {
        self.credits.iter().position(|one| one.id == Some(id))
    }

    pub fn credit_answered(&mut self, id: CreditId, number: u32, answer: &ChargeAnswer) -> bool {
        let Some(n) = self.credit(id) else { return false };
        let at = number as usize - 1;
        if at >= self.credits[n].attempts.len() {
            return false;
        }
        let over = match self.credits[n].attempts[at].state {
            AttemptState::Paid => true,
            AttemptState::Declined(_) | AttemptState::Lost => *answer != ChargeAnswer::Paid,
            _ => false,
        };
        if over {
            return true;
        }
        let credit = &mut self.credits[n];
        match answer {
            ChargeAnswer::Created(_) => {
                credit.attempts[at] = Attempt { state: AttemptState::Created, referenced: true };
            }
            ChargeAnswer::Unknown | ChargeAnswer::NeedsOwner => {}
            ChargeAnswer::Lost => {
                credit.attempts[at].state = AttemptState::Lost;
                credit.attempts.push(Attempt::new());
            }
            ChargeAnswer::Declined(code) => {
                credit.attempts[at].state = AttemptState::Declined(code.clone());
                if credit.status == CreditStatus::Pending {
                    credit.status = CreditStatus::Failed;
                    self.lower(n, 0);
                }
            }
            ChargeAnswer::Paid => {
                credit.attempts[at].state = AttemptState::Paid;
                let too_much = if credit.status == CreditStatus::Pending {
                    credit.status = CreditStatus::Credited;
                    credit.amount - credit.due
                } else {
                    credit.amount
                };
                if too_much > 0 {
                    credit.reversals.push((at, too_much, RefundStatus::Pending));
                }
            }
        }
        self.finish_erasing(self.enrolments[self.credits[n].enrolment].account);
        true
    }

    pub fn reversal_answered(&mut self, id: CreditId, number: u32, answer: &RefundAnswer) -> bool {
        let Some(n) = self.credit(id) else { return false };
        let credit = &mut self.credits[n];
        let Some(reversal) = credit.reversals.get_mut(number as usize - 1) else { return false };
        if reversal.2 != RefundStatus::Pending || *answer == RefundAnswer::Unknown {
            return true;
        }
        let failed = matches!(answer, RefundAnswer::Failed(_));
        reversal.2 = if failed { RefundStatus::Failed } else { RefundStatus::Succeeded };
        let all = credit.reversals.iter().all(|(_, _, status)| *status == RefundStatus::Succeeded);
        if all && credit.status == CreditStatus::Credited && credit.due == 0 {
            credit.status = CreditStatus::Reversed;
        }
        self.finish_erasing(self.enrolments[self.credits[n].enrolment].account);
        true
    }
}
