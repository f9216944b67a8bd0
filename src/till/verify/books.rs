//! The books: every entry balances, the balances are what the entries come to, and both are what the purchases,
//! refunds, disputes and credits say.

use super::Walk;
use crate::till::id::{MerchantId, NoticeId, OfferId};
use crate::till::money::Money;
use crate::till::record::{
    AttemptState, BalanceRecord, CreditRecord, DisputeRecord, DisputeStatus, EntryKind, EntryRecord,
    PurchaseRecord, RefundRecord, RefundStatus, WorkKind,
};
use crate::till::state::{Read, StateError};
use crate::till::table::{
    Balances, Counter, Counters, Disputes, Endpoints, Journal, Merchants, Notices, NoticesSeen, Offers,
    Orders, Refunds, Resends, Text, Work,
};
use std::collections::BTreeMap;

/// Amounts by whose, in which currency, about what.
#[derive(Debug, Default)]
pub struct Sums(BTreeMap<(OfferId, String, EntryKind), i64>);

impl Sums {
    fn add(&mut self, offer: OfferId, money: Money, kind: EntryKind) {
        let sum = self.0.entry((offer, money.currency.code().to_owned(), kind)).or_default();
        *sum = sum.saturating_add(money.amount);
    }

    /// What a purchase's charges came to.
    pub fn add_purchase<S: Read>(&mut self, state: &S, purchase: &PurchaseRecord) -> Result<(), StateError> {
        let mut given_back = Vec::new();
        for id in &purchase.refunds {
            let refund = state.get::<Refunds>(id)?;
            given_back.extend(refund.filter(|refund| refund.automatic).map(|refund| refund.attempt));
        }
        for attempt in purchase.attempts.iter().filter(|attempt| attempt.state == AttemptState::Paid) {
            let late = given_back.contains(&attempt.number);
            let kind = if late { EntryKind::LateCharge } else { EntryKind::Charge };
            self.add(purchase.offer, purchase.price, kind);
        }
        Ok(())
    }

    /// What was given back.
    pub fn add_refund(&mut self, offer: OfferId, refund: &RefundRecord) {
        let (there, back) = if refund.automatic {
            (EntryKind::LateRefund, EntryKind::LateRefundReturned)
        } else {
            (EntryKind::Refund, EntryKind::RefundReturned)
        };
        if refund.status == RefundStatus::Succeeded || refund.returned {
            self.add(offer, refund.amount, there);
        }
        if refund.returned {
            self.add(offer, refund.amount, back);
        }
    }

    /// What went to a card, and came back from it.
    pub fn add_credit(&mut self, credit: &CreditRecord) {
        for _ in credit.attempts.iter().filter(|attempt| attempt.state == AttemptState::Paid) {
            self.add(credit.offer, credit.amount, EntryKind::Credit);
        }
        for reversal in credit.reversals.iter().filter(|one| one.status == RefundStatus::Succeeded) {
            let amount = Money { amount: reversal.amount, ..credit.amount };
            self.add(credit.offer, amount, EntryKind::CreditReversal);
        }
    }

    fn add_dispute(&mut self, offer: OfferId, dispute: &DisputeRecord) {
        // What was won without ever having been withdrawn left no trace in the books.
        if dispute.withdrawn {
            self.add(offer, dispute.amount, EntryKind::Dispute);
        }
    }
}

type ByMerchant = BTreeMap<(MerchantId, String, EntryKind), i64>;

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    disputes(walk)?;
    let mut wanted = ByMerchant::new();
    for ((offer, currency, kind), sum) in std::mem::take(&mut walk.books.0) {
        if let Some(offer) = walk.state.get::<Offers>(&offer)? {
            let entry = wanted.entry((offer.merchant, currency, kind)).or_default();
            *entry = entry.saturating_add(sum);
        }
    }
    let mut balances: BTreeMap<(MerchantId, String), BalanceRecord> = BTreeMap::new();
    let mut found = ByMerchant::new();
    walk.each::<Journal>(|walk, id, entry: EntryRecord| {
        walk.expect(entry.balances(), || format!("entry {id} does not balance"));
        let (currency, amount) = (entry.currency.code().to_owned(), entry.amount());
        let balance = balances.entry((entry.merchant, currency.clone())).or_default();
        walk.expect(balance.add(&entry, 1).is_some(), || "the books are full".to_owned());
        let (kind, amount) = match entry.kind {
            // A dispute that was won is as if there had been none.
            EntryKind::DisputeWon => (EntryKind::Dispute, -amount),
            kind => (kind, amount),
        };
        let sum = found.entry((entry.merchant, currency, kind)).or_default();
        *sum = sum.saturating_add(amount);
        Ok(())
    })?;
    found.retain(|_, sum| *sum != 0);
    for (key, sum) in &wanted {
        let entered = found.remove(key).unwrap_or_default();
        walk.expect(entered == *sum, || {
            format!("the books of {} have {entered} {} of {}, but it was {sum}", key.0, key.1, key.2.word())
        });
    }
    for ((merchant, currency, kind), sum) in found {
        walk.expect(false, || {
            format!("the books of {merchant} have {sum} {currency} of {}, which never was", kind.word())
        });
    }
    walk.each::<Balances>(|walk, (merchant, Text(currency)), balance| {
        let counted = balances.remove(&(merchant, currency.clone())).unwrap_or_default();
        walk.expect(balance == counted, || {
            format!("the balance of {merchant} in {currency} is not what its entries come to")
        });
        Ok(())
    })?;
    walk.expect(balances.is_empty(), || "entries of the journal are in no balance".to_owned());
    endpoints(walk)?;
    notices(walk)
}

fn disputes<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Disputes>(|walk, id, dispute| {
        let who = format!("dispute {id}");
        let Some(purchase) = walk.purchase(&who, dispute.purchase)? else { return Ok(()) };
        walk.expect(purchase.disputes.contains(&id), || {
            format!("the purchase of {who} does not name it back")
        });
        walk.expect(dispute.withdrawn == dispute.status.stops_refunds(), || {
            format!("{who} is {:?}, which does not fit where its money is", dispute.status)
        });
        walk.books.add_dispute(purchase.offer, &dispute);
        let order = purchase.order.map(|id| walk.state.get::<Orders>(&id)).transpose()?.flatten();
        let unfit = order.is_some_and(|order| dispute.status != DisputeStatus::Won && !order.disputed);
        walk.expect(!unfit, || format!("{who} is not decided, but its order may be shipped"));
        Ok(())
    })
}

/// Endpoints have come no further than the log, and what is to be sent again has somewhere to go.
fn endpoints<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    let last = walk.state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0);
    walk.each::<Endpoints>(|walk, id, endpoint| {
        walk.expect(endpoint.cursor <= last, || format!("endpoint {id} is ahead of the log"));
        walk.names::<Merchants>(format!("endpoint {id}"), endpoint.merchant.as_ref())
    })?;
    walk.each::<Resends>(|walk, (id, _), ()| walk.names::<Endpoints>("what is to be sent again", Some(&id)))
}

fn notices<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Notices>(|walk, id, notice| {
        let seen = Text(format!("{} {}", notice.gateway, notice.event));
        let found = walk.state.get::<NoticesSeen>(&seen)?;
        walk.expect(found == Some(id), || format!("notice {id} is not the one of its event"));
        Ok(())
    })?;
    walk.each::<NoticesSeen>(|walk, _, id| walk.names::<Notices>("an event of a gateway", Some(&id)))
}

/// Whether the till still has to ask about a notice.
pub fn notice_is_there<S: Read>(state: &S, id: u128) -> Result<bool, StateError> {
    Ok(state.get::<Notices>(&NoticeId(id))?.is_some()
        && state.get::<Work>(&(WorkKind::Notice, id))?.is_some())
}
