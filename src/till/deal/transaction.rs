//! What was spent with a linked card: matched with the deals that its account is enrolled in, once an id.

use super::super::check;
use super::super::command::{NewTransaction, Outcome};
use super::super::context::Context;
use super::super::id::{AccountId, EnrolmentId, MerchantId};
use super::super::record::{
    AccountStatus, CreditRecord, DealTerms, EnrolmentRecord, OfferKind, OfferRecord, TransactionKind,
    TransactionRecord,
};
use super::super::refusal::{Refusal, Result};
use super::super::state::{Direction, Key as _, Read, Span, StateError, Write};
use super::super::table::{
    Credits, Enrolled, Enrolments, Merchants, OfferVersions, Offers, Text, Transactions,
};
use super::super::time::Time;
use super::{credit, must_find_account};
use std::ops::ControlFlow;

/// A credit can be taken back until so long after its deal's end: 180 days.
const TAKE_BACK_SECONDS: i64 = 180 * 86_400;
/// How far a processor's clock may be ahead.
const AHEAD_SECONDS: i64 = 300;

/// Takes in a transaction; the same one once more changes nothing.
pub fn take<S: Write>(state: &mut S, cx: &mut Context<'_>, new: &NewTransaction) -> Result<Outcome> {
    check::foreign_id("id", &new.id)?;
    let key = Text(new.id.clone());
    if let Some(known) = state.get::<Transactions>(&key)? {
        let same = known.kind == new.kind
            && known.original == new.original
            && known.account == new.account
            && known.merchant == new.merchant
            && known.amount == new.amount
            && known.occurred_at == new.occurred_at;
        if same {
            return Ok(Outcome::Transaction { id: new.id.clone(), repeated: true });
        }
        return Err(Refusal::taken("id", "was told before with other contents").into());
    }
    check::money("amount", new.amount)?;
    if new.occurred_at > cx.now.plus_seconds(AHEAD_SECONDS) {
        return Err(Refusal::invalid("occurred_at", format!("must not lie after now, {}", cx.now)).into());
    }
    let account = must_find_account(state, new.account)?;
    if state.get::<Merchants>(&new.merchant)?.is_none() {
        return Err(Refusal::invalid("merchant", "is not a merchant of this till").into());
    }
    let mut record = TransactionRecord {
        kind: new.kind,
        original: new.original.clone(),
        account: new.account,
        merchant: new.merchant,
        amount: new.amount,
        occurred_at: new.occurred_at,
        arrived_at: cx.now,
        returned: 0,
        credits: Vec::new(),
    };
    match (new.kind, &new.original) {
        (TransactionKind::Purchase, Some(_)) => {
            return Err(Refusal::invalid("original", "goes only with a refund or a reversal").into());
        }
        (TransactionKind::Purchase, None) => {
            if !matches!(account.status, AccountStatus::Active | AccountStatus::Suspended) {
                return Err(Refusal::invalid("account", "is erased").into());
            }
            record.credits = spent(state, cx, &new.id, &record)?;
        }
        (_, None) => {
            return Err(Refusal::invalid("original", "must name the purchase that this is about").into());
        }
        (_, Some(original)) => record.credits = returned(state, cx, original, &record)?,
    }
    state.put::<Transactions>(&key, &record)?;
    Ok(Outcome::Transaction { id: new.id.clone(), repeated: false })
}

/// Something was bought: every deal that it fits gives a credit.
fn spent<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: &str,
    spent: &TransactionRecord,
) -> Result<Vec<super::super::id::CreditId>> {
    let mut earned = Vec::new();
    for (enrolment_id, enrolment) in enrolments(state, spent.account)? {
        let now = state.must::<Offers>(&enrolment.offer)?;
        let Some(terms) = terms_of(state, &enrolment)? else { continue };
        if !fits(&now, &enrolment, spent.merchant, spent.occurred_at)
            || enrolment.credits >= now.per_account_limit
        {
            continue;
        }
        if spent.amount.currency != terms.min_spend.currency {
            continue;
        }
        let amount = terms.earned(spent.amount.amount);
        if amount > 0
            && let Some(credit) =
                credit::begin(state, cx, (enrolment_id, enrolment), (id, spent.amount), amount)?
        {
            earned.push(credit);
        }
    }
    Ok(earned)
}

/// The enrolments of an account, oldest deal first.
pub fn enrolments<S: Read>(
    state: &S,
    account: AccountId,
) -> Result<Vec<(EnrolmentId, EnrolmentRecord)>, StateError> {
    let mut ids = Vec::new();
    state.scan::<Enrolled>(&Span::prefix(account.encode()), Direction::Up, |_, id| {
        ids.push(id);
        ControlFlow::Continue(())
    })?;
    ids.into_iter().map(|id| Ok((id, state.must::<Enrolments>(&id)?))).collect()
}

/// The terms that an enrolment was made on.
fn terms_of<S: Read>(state: &S, enrolment: &EnrolmentRecord) -> Result<Option<DealTerms>, StateError> {
    Ok(state.must::<OfferVersions>(&(enrolment.offer, enrolment.offer_version))?.deal)
}

/// Whether a transaction is at the deal's merchant, within its dates, and not before the enrolment.
fn fits(offer: &OfferRecord, enrolment: &EnrolmentRecord, merchant: MerchantId, at: Time) -> bool {
    offer.kind == OfferKind::Deal
        && offer.merchant == merchant
        && at >= enrolment.enrolled_at
        && offer.starts_at.is_none_or(|start| at >= start)
        && offer.over_since().is_none_or(|end| at < end)
}

/// Some of a purchase was given back, or all: what it earned is taken back as far as it would not have been earned.
fn returned<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    original: &str,
    back: &TransactionRecord,
) -> Result<Vec<super::super::id::CreditId>> {
    check::foreign_id("original", original)?;
    let key = Text(original.to_owned());
    let bought = state.get::<Transactions>(&key)?.filter(|bought| bought.kind == TransactionKind::Purchase);
    let Some(mut bought) = bought else {
        let detail = "is not a purchase that was told before; tell the purchase first";
        return Err(Refusal::invalid("original", detail).into());
    };
    if bought.account != back.account || bought.merchant != back.merchant {
        return Err(Refusal::invalid("original", "is of another account or merchant").into());
    }
    if bought.amount.currency != back.amount.currency {
        return Err(Refusal::invalid("amount.currency", "must be the currency of the purchase").into());
    }
    let left = bought.amount.amount.saturating_sub(bought.returned);
    if back.amount.amount > left {
        let detail = format!("must be at most {left}: what is left of the purchase");
        return Err(Refusal::invalid("amount.amount", detail).into());
    }
    bought.returned = bought.returned.saturating_add(back.amount.amount);
    let kept = bought.amount.amount.saturating_sub(bought.returned);
    let mut touched = Vec::new();
    for id in &bought.credits {
        let credit = state.must::<Credits>(id)?;
        if !can_take_back(state, cx.now, &credit)? {
            continue;
        }
        let enrolment = state.must::<Enrolments>(&credit.enrolment)?;
        let due = terms_of(state, &enrolment)?.map_or(0, |terms| terms.earned(kept));
        if due < credit.due {
            credit::lower(state, cx, *id, due)?;
            touched.push(*id);
        }
    }
    state.put::<Transactions>(&key, &bought)?;
    Ok(touched)
}

/// A deal that is long over takes nothing back.
fn can_take_back<S: Read>(state: &S, now: Time, credit: &CreditRecord) -> Result<bool, StateError> {
    let over = state.must::<Offers>(&credit.offer)?.over_since().filter(|end| *end <= now);
    Ok(over.is_none_or(|end| now <= end.plus_seconds(TAKE_BACK_SECONDS)))
}
