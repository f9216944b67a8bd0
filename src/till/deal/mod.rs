//! Deals: a hashtag enrols, a card transaction earns a credit. Terms and enrolments are here; what is spent with a card
//! is in `transaction`, what is credited for it in `credit`.

pub mod credit;
pub mod transaction;

use super::account;
use super::buy;
use super::check;
use super::command::PostAnswer;
use super::context::Context;
use super::event;
use super::id::{AccountId, EnrolmentId, OfferId};
use super::limit;
use super::money::Money;
use super::post::Arrival;
use super::record::{
    AccountRecord, DealTerms, EnrolmentRecord, EventKind, EventRecord, OfferRecord, OfferStatus, ReplyKind,
    Reward,
};
use super::refusal::{Refusal, Result};
use super::reply;
use super::state::{StateError, Write};
use super::stock;
use super::table::{Enrolled, EnrolledCards, Enrolments, Stocks};
use super::verdict::Verdict;

impl DealTerms {
    /// Checks the terms of a deal.
    ///
    /// # Errors
    /// A refusal that names the field.
    pub fn check(&self) -> Result<()> {
        let same = |field: &str, money: Money| -> Result<()> {
            check::money(field, money)?;
            if money.currency == self.min_spend.currency {
                return Ok(());
            }
            Err(Refusal::invalid(format!("{field}.currency"), "must be the currency of min_spend").into())
        };
        check::money("min_spend", self.min_spend)?;
        match self.reward {
            Reward::Fixed(credit) => {
                same("credit", credit)?;
                if credit.amount > self.min_spend.amount {
                    let detail = "must be at most min_spend: nobody gets back more than was spent";
                    return Err(Refusal::invalid("credit.amount", detail).into());
                }
            }
            Reward::Percent { percent, cap } => {
                check::within("credit.percent", u64::from(percent), 1, 100)?;
                same("credit.cap", cap)?;
            }
        }
        if let Some(budget) = self.budget {
            // A budget may be more than one charge can be.
            if budget.currency != self.min_spend.currency {
                return Err(Refusal::invalid("budget.currency", "must be the currency of min_spend").into());
            }
            if !(1..=BUDGET_MAX).contains(&budget.amount) {
                return Err(
                    Refusal::invalid("budget.amount", format!("must be from 1 to {BUDGET_MAX}")).into()
                );
            }
            if budget.amount < self.least() {
                let detail = "must cover one credit at least";
                return Err(Refusal::invalid("budget.amount", detail).into());
            }
        }
        Ok(())
    }

    /// What spending `amount` minor units earns: nothing below the least spending.
    pub fn earned(&self, amount: i64) -> i64 {
        if amount < self.min_spend.amount {
            return 0;
        }
        match self.reward {
            Reward::Fixed(credit) => credit.amount,
            Reward::Percent { percent, cap } => {
                let part = i128::from(amount) * i128::from(percent) / 100;
                i64::try_from(part).unwrap_or(i64::MAX).min(cap.amount)
            }
        }
    }

    /// The smallest credit that it can come to.
    pub fn least(&self) -> i64 {
        self.earned(self.min_spend.amount).max(1)
    }
}

/// The largest budget of a deal, in minor units.
pub const BUDGET_MAX: i64 = 1_000_000_000_000;

/// Judges a post with a deal's hashtag, by somebody who may buy: it enrols, once.
pub fn enrol<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    (account, record): (AccountId, &AccountRecord),
    (id, offer): (OfferId, &OfferRecord),
) -> Result<PostAnswer> {
    let say = |state: &mut S, cx: &mut Context<'_>, verdict| {
        buy::answer(state, cx, arrival, account, (id, offer), verdict, None)
    };
    let Some(person) = &record.person else {
        return Err(StateError("a linked account has no person".to_owned()).into());
    };
    let card = account::card_key(&person.payment_method);
    let by_card = match card {
        Some(card) => state.get::<EnrolledCards>(&(id, card))?.is_some(),
        None => false,
    };
    if by_card || state.get::<Enrolled>(&(account, id))?.is_some() {
        return say(state, cx, Verdict::AlreadyEnrolled);
    }
    if offer.starts_at.is_some_and(|start| cx.now < start) {
        return say(state, cx, Verdict::NotStarted);
    }
    if offer.is_over(cx.now) {
        return say(state, cx, Verdict::Ended);
    }
    if offer.status == OfferStatus::Paused {
        return say(state, cx, Verdict::Paused);
    }
    if let Some(reached) = limit::too_new(state, cx.now, record)? {
        return buy::limited(state, cx, arrival, account, (id, offer), reached);
    }
    if !state.must::<Stocks>(&id)?.has_free() {
        return say(state, cx, Verdict::DealFull);
    }
    stock::take_place(state, id)?;
    let enrolment_id = EnrolmentId(cx.id());
    let enrolment = EnrolmentRecord {
        offer: id,
        offer_version: offer.version,
        account,
        network: arrival.post.network.clone(),
        post: arrival.post.id.clone(),
        enrolled_at: arrival.made_at,
        credits: 0,
    };
    state.put::<Enrolments>(&enrolment_id, &enrolment)?;
    state.put::<Enrolled>(&(account, id), &enrolment_id)?;
    if let Some(card) = card {
        state.put::<EnrolledCards>(&(id, card), &enrolment_id)?;
    }
    let event = EventRecord {
        merchant: Some(offer.merchant),
        offer: Some(id),
        account: Some(account),
        enrolment: Some(enrolment_id),
        ..EventRecord::new(EventKind::DealEnrolled, cx.now)
    };
    event::log(state, &event)?;
    let draft = reply::Draft {
        account: Some(account),
        purchase: None,
        kind: ReplyKind::Enrolled,
        text: arrival.speaker(cx, offer).enrolled(),
        not_after: reply::not_after(cx.now, ReplyKind::Enrolled),
    };
    let reply = reply::queue(state, cx, arrival, draft)?;
    Ok(PostAnswer { offer: Some(id), reply, ..PostAnswer::bare(Verdict::Enrolled) })
}

/// Whether anything of an account is under way at a gateway, credits and what is taken back of them.
pub fn in_flight<S: Write>(state: &S, account: AccountId) -> Result<bool> {
    for id in credit::of_account(state, account)? {
        if credit::is_open(&state.must::<super::table::Credits>(&id)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what is personal from an account's credits.
pub fn forget<S: Write>(state: &mut S, account: AccountId) -> Result<()> {
    for id in credit::of_account(state, account)? {
        let mut record = state.must::<super::table::Credits>(&id)?;
        record.customer.clear();
        record.method.clear();
        state.put::<super::table::Credits>(&id, &record)?;
    }
    Ok(())
}

/// The account behind a card transaction.
fn must_find_account<S: Write>(state: &S, id: AccountId) -> Result<AccountRecord> {
    match account::must_find(state, id) {
        Ok(found) => Ok(found),
        Err(_) => Err(Refusal::invalid("account", "is not an account of this till").into()),
    }
}
