//! Deals: who takes part, what is credited, and what that comes to.

use super::Walk;
use crate::till::id::{CreditId, OfferId};
use crate::till::record::{AttemptState, CreditRecord, CreditStatus, RefundStatus, WorkKind};
use crate::till::state::{Read, StateError};
use crate::till::table::{
    AccountCredits, Accounts, Credits, Deals, Enrolled, EnrolledCards, Enrolments, Offers, Text,
    Transactions, Work,
};
use std::collections::BTreeMap;

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Enrolments>(|walk, id, enrolment| {
        let who = format!("enrolment {id}");
        walk.names::<Accounts>(&who, Some(&enrolment.account))?;
        walk.names::<Offers>(&who, Some(&enrolment.offer))?;
        let found = walk.state.get::<Enrolled>(&(enrolment.account, enrolment.offer))?;
        walk.expect(found == Some(id), || format!("{who} is not the one of its account and deal"));
        // Every enrolment takes one place.
        walk.stocks.entry((enrolment.offer, None)).or_default().sold += 1;
        Ok(())
    })?;
    walk.each::<Enrolled>(|walk, (account, _), id| {
        walk.names::<Enrolments>(format!("account {account}"), Some(&id))
    })?;
    walk.each::<EnrolledCards>(|walk, _, id| walk.names::<Enrolments>("a card", Some(&id)))?;
    let mut sums: BTreeMap<OfferId, (u64, i64)> = BTreeMap::new();
    walk.each::<Credits>(|walk, id, credit| {
        let sum = sums.entry(credit.offer).or_default();
        sum.0 += u64::from(credit.due > 0);
        sum.1 = sum.1.saturating_add(credit.due);
        walk.books.add_credit(&credit);
        one_credit(walk, id, &credit)
    })?;
    walk.each::<AccountCredits>(|walk, (account, id), ()| {
        let credit = walk.state.get::<Credits>(&id)?;
        walk.expect(credit.is_some_and(|credit| credit.account == account), || {
            format!("account {account} has the credit {id} of another")
        });
        Ok(())
    })?;
    walk.each::<Deals>(|walk, id, deal| {
        let (credits, amount) = sums.remove(&id).unwrap_or_default();
        walk.expect((deal.credits, deal.amount) == (credits, amount), || {
            format!(
                "deal {id} has credited {} in {}, but its credits are {amount} in {credits}",
                deal.amount, deal.credits
            )
        });
        let offer = walk.state.get::<Offers>(&id)?;
        let budget = offer.and_then(|offer| offer.deal).and_then(|terms| terms.budget);
        walk.expect(budget.is_none_or(|budget| amount <= budget.amount), || {
            format!("deal {id} has credited {amount}, more than its budget")
        });
        Ok(())
    })?;
    walk.expect(sums.is_empty(), || "credits belong to offers that are no deals".to_owned());
    walk.each::<Transactions>(|walk, Text(_), transaction| {
        walk.names::<Accounts>("a transaction", Some(&transaction.account))?;
        for id in &transaction.credits {
            walk.names::<Credits>("a transaction", Some(id))?;
        }
        Ok(())
    })
}

fn one_credit<S: Read>(
    walk: &mut Walk<'_, S>,
    id: CreditId,
    credit: &CreditRecord,
) -> Result<(), StateError> {
    let who = format!("credit {id}");
    walk.names::<Enrolments>(&who, Some(&credit.enrolment))?;
    walk.names::<AccountCredits>(&who, Some(&(credit.account, id)))?;
    walk.names::<Transactions>(&who, Some(&Text(credit.transaction.clone())))?;
    let open = |kind| walk.state.get::<Work>(&(kind, id.0)).map(|work| work.is_some());
    let asked = (open(WorkKind::Credit)?, open(WorkKind::Reversal)?);
    let wanted =
        (in_flight(walk.state, WorkKind::Credit, id)?, in_flight(walk.state, WorkKind::Reversal, id)?);
    walk.expect(asked == wanted, || format!("{who} does not fit what the gateway is asked"));
    let paid: i64 = credit
        .attempts
        .iter()
        .filter(|attempt| attempt.state == AttemptState::Paid)
        .map(|_| credit.amount.amount)
        .sum();
    let back: i64 = credit
        .reversals
        .iter()
        .filter(|reversal| reversal.status != RefundStatus::Failed)
        .map(|reversal| reversal.amount)
        .sum();
    let failed = credit.reversals.iter().any(|reversal| reversal.status == RefundStatus::Failed);
    let settled = matches!(credit.status, CreditStatus::Credited | CreditStatus::Reversed);
    walk.expect(failed || !settled || paid - back == credit.due, || {
        format!("{who}: {paid} credited and {back} taken back, but {} is due", credit.due)
    });
    let fits = (0..=credit.amount.amount).contains(&credit.due)
        && (credit.status != CreditStatus::Failed && credit.status != CreditStatus::Reversed
            || credit.due == 0);
    walk.expect(fits, || format!("{who} is {:?}, and {} is due", credit.status, credit.due));
    Ok(())
}

/// Whether a gateway is asked about a credit, or about taking some of it back.
pub fn in_flight<S: Read>(state: &S, kind: WorkKind, id: CreditId) -> Result<bool, StateError> {
    let credit = state.get::<Credits>(&id)?;
    Ok(credit.is_some_and(|credit| match kind {
        WorkKind::Credit => credit.status == CreditStatus::Pending,
        _ => credit.reversals.iter().any(|reversal| reversal.status == RefundStatus::Pending),
    }))
}
