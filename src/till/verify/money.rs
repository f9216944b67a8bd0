//! Attempts, refunds and what is in flight at the gateway.

use super::Walk;
use crate::till::charge;
use crate::till::id::{CreditId, NoticeId, PurchaseId, RefundId};
use crate::till::record::{
    AttemptState, PurchaseRecord, PurchaseStatus, RefundRecord, RefundStatus, WorkKind,
};
use crate::till::state::{Read, StateError};
use crate::till::table::{Purchases, Refunds, Work};

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Purchases>(|walk, id, purchase| {
        let mut sums = Sums::default();
        for refund in &purchase.refunds {
            let found = walk.state.get::<Refunds>(refund)?;
            walk.expect(found.is_some(), || {
                format!("purchase {id} names the refund {refund}, which is missing")
            });
            if let Some(found) = found {
                sums.add(&found);
            }
        }
        let state = walk.state;
        walk.books.add_purchase(state, &purchase)?;
        attempts(walk, id, &purchase, &sums);
        amounts(walk, id, &purchase, &sums);
        let asked = walk.has::<Work>(&(WorkKind::Capture, id.0))?;
        let capturing = purchase.status == PurchaseStatus::Capturing;
        walk.expect(asked || !capturing, || {
            format!("purchase {id} is capturing, but nobody asks the gateway")
        });
        Ok(())
    })?;
    walk.each::<Refunds>(refund)?;
    walk.each::<Work>(|walk, (kind, id), _| {
        let in_flight = match kind {
            WorkKind::Capture => {
                let purchase = walk.state.get::<Purchases>(&PurchaseId(id))?;
                purchase.is_some_and(|purchase| purchase.status == PurchaseStatus::Capturing)
            }
            WorkKind::Notice => super::books::notice_is_there(walk.state, id)?,
            WorkKind::Credit | WorkKind::Reversal => super::deals::in_flight(walk.state, kind, CreditId(id))?,
            WorkKind::Refund => {
                let refund = walk.state.get::<Refunds>(&RefundId(id))?;
                refund.is_some_and(|refund| refund.status == RefundStatus::Pending)
            }
        };
        walk.expect(in_flight, || match kind {
            WorkKind::Capture => format!("purchase {} has work, but is not in flight", PurchaseId(id)),
            WorkKind::Refund => format!("refund {} has work, but is not in flight", RefundId(id)),
            WorkKind::Notice => format!("notice {} has work, but is missing", NoticeId(id)),
            WorkKind::Credit | WorkKind::Reversal => {
                format!("credit {} has work, but is not in flight", CreditId(id))
            }
        });
        Ok(())
    })
}

/// What was given back of one purchase.
#[derive(Default)]
struct Sums {
    asked: i64,
    succeeded: i64,
    /// Whether some of it was given back by somebody else than the till.
    external: bool,
    /// Attempts whose late charge the till gave back by itself.
    given_back: Vec<u32>,
}

impl Sums {
    fn add(&mut self, refund: &RefundRecord) {
        if refund.automatic {
            self.given_back.push(refund.attempt);
            return;
        }
        self.external |= refund.external;
        if refund.status != RefundStatus::Failed {
            self.asked = self.asked.saturating_add(refund.amount.amount);
        }
        if refund.status == RefundStatus::Succeeded {
            self.succeeded = self.succeeded.saturating_add(refund.amount.amount);
        }
    }
}

fn attempts<S: Read>(walk: &mut Walk<'_, S>, id: PurchaseId, purchase: &PurchaseRecord, sums: &Sums) {
    let kept = purchase
        .attempts
        .iter()
        .filter(|attempt| attempt.state == AttemptState::Paid && !sums.given_back.contains(&attempt.number));
    let charges = kept.count();
    let paid = matches!(purchase.status, PurchaseStatus::Paid | PurchaseStatus::Refunded);
    walk.expect(charges == usize::from(paid), || {
        format!("purchase {id} is {:?} and was charged {charges} times", purchase.status)
    });
    let numbered = (1..).zip(&purchase.attempts).all(|(number, attempt)| attempt.number == number);
    walk.expect(numbered, || format!("the attempts of purchase {id} are not numbered from 1"));
    let capturing = purchase.status == PurchaseStatus::Capturing;
    walk.expect(!capturing || charge::open_attempt(&purchase.attempts).is_some(), || {
        format!("purchase {id} is capturing without an attempt under way")
    });
    let waits = purchase.attempts.iter().any(|attempt| attempt.state == AttemptState::Waiting);
    walk.expect(!waits || capturing && purchase.authenticate_by.is_some(), || {
        format!("purchase {id} waits for its card's owner, but is {:?} or has no deadline", purchase.status)
    });
    let confirmed = capturing || paid || purchase.status == PurchaseStatus::Declined;
    walk.expect(confirmed == purchase.confirmation.is_some(), || {
        format!("purchase {id} is {:?}, which does not fit its confirmation", purchase.status)
    });
}

fn amounts<S: Read>(walk: &mut Walk<'_, S>, id: PurchaseId, purchase: &PurchaseRecord, sums: &Sums) {
    let price = purchase.price.amount;
    // What somebody gave back at the gateway may cross what the till asked for: the gateway refuses one of them.
    walk.expect(sums.asked <= price || sums.external && sums.succeeded <= price, || {
        format!("{} of purchase {id} is given back, but only {price} was captured", sums.asked)
    });
    let refunded = purchase.status == PurchaseStatus::Refunded;
    walk.expect(refunded == (sums.succeeded == price), || {
        format!(
            "{} of {price} of purchase {id} is given back, but it is {:?}",
            sums.succeeded, purchase.status
        )
    });
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of a visitor")]
fn refund<S: Read>(walk: &mut Walk<'_, S>, id: RefundId, refund: RefundRecord) -> Result<(), StateError> {
    let who = format!("refund {id}");
    let asked = walk.has::<Work>(&(WorkKind::Refund, id.0))?;
    let pending = refund.status == RefundStatus::Pending;
    walk.expect(asked || !pending, || format!("{who} is pending, but nobody asks the gateway"));
    if let Some(purchase) = walk.purchase(&who, refund.purchase)? {
        walk.books.add_refund(purchase.offer, &refund);
        walk.expect(purchase.refunds.contains(&id), || {
            format!("the purchase of {who} does not name it back")
        });
        let attempt = purchase.attempts.iter().find(|attempt| attempt.number == refund.attempt);
        walk.expect(attempt.is_some_and(|attempt| attempt.state == AttemptState::Paid), || {
            format!("{who} gives back an attempt that was not paid")
        });
    }
    Ok(())
}
