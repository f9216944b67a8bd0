//! Purchases, the stock they add up to, their deadlines, their buyers and their orders.

use super::Walk;
use crate::till::id::{OfferId, PurchaseId};
use crate::till::record::{
    BuyerRecord, OrderStatus, PurchaseRecord, PurchaseStatus, RefundStatus, StockRecord,
};
use crate::till::state::{Read, StateError};
use crate::till::table::{Accounts, Buyers, Deadlines, Offers, Orders, Purchases, Refunds, Replies, Stocks};

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Purchases>(|walk, id, purchase| {
        let who = format!("purchase {id}");
        walk.names::<Offers>(&who, Some(&purchase.offer))?;
        walk.names::<Accounts>(&who, Some(&purchase.account))?;
        walk.names::<Replies>(&who, purchase.reply.as_ref())?;
        let pending = purchase.status == PurchaseStatus::Pending;
        let due = walk.has::<Deadlines>(&(purchase.release_at, id))?;
        walk.expect(due || !pending, || format!("{who} is pending and has no deadline"));
        order_of(walk, id, &purchase)?;
        count_units(walk, &purchase)
    })?;
    deadlines(walk)?;
    orders(walk)?;
    buyers(walk)?;
    walk.each::<Offers>(|walk, id, _| walk.names::<Stocks>(format!("offer {id}"), Some(&id)))?;
    walk.each::<Stocks>(|walk, id, stock| {
        stock_adds_up(walk, id, stock);
        walk.names::<Offers>(format!("the stock of {id}"), Some(&id))
    })
}

/// A purchase has an order exactly when it was paid.
fn order_of<S: Read>(
    walk: &mut Walk<'_, S>,
    id: PurchaseId,
    purchase: &PurchaseRecord,
) -> Result<(), StateError> {
    let paid = matches!(purchase.status, PurchaseStatus::Paid | PurchaseStatus::Refunded);
    let Some(order_id) = purchase.order else {
        walk.expect(!paid, || format!("purchase {id} was paid and has no order"));
        return Ok(());
    };
    walk.expect(paid, || format!("purchase {id} was not paid and has the order {order_id}"));
    let order = walk.state.get::<Orders>(&order_id)?;
    walk.expect(order.is_some_and(|order| order.purchase == id), || {
        format!("purchase {id} has the order {order_id}, which does not name it back")
    });
    Ok(())
}

/// Adds a purchase to the units of its offer.
fn count_units<S: Read>(walk: &mut Walk<'_, S>, purchase: &PurchaseRecord) -> Result<(), StateError> {
    let sold = match purchase.status {
        PurchaseStatus::Paid => true,
        PurchaseStatus::Refunded => !restocked(walk, purchase)?,
        _ => false,
    };
    let units = walk.stocks.entry(purchase.offer).or_default();
    units.held += u64::from(purchase.status.holds());
    units.sold += u64::from(sold);
    Ok(())
}

/// Whether the unit of a refunded purchase went back: a refund said so and nothing had shipped.
fn restocked<S: Read>(walk: &Walk<'_, S>, purchase: &PurchaseRecord) -> Result<bool, StateError> {
    let order = purchase.order.map(|id| walk.state.get::<Orders>(&id)).transpose()?.flatten();
    if order.is_none_or(|order| order.status != OrderStatus::Cancelled) {
        return Ok(false);
    }
    for id in &purchase.refunds {
        let refund = walk.state.get::<Refunds>(id)?;
        if refund.is_some_and(|refund| refund.restock && refund.status == RefundStatus::Succeeded) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn stock_adds_up<S: Read>(walk: &mut Walk<'_, S>, id: OfferId, stock: StockRecord) {
    let counted = walk.stocks.get(&id).copied().unwrap_or_default();
    walk.expect(stock.held == counted.held, || {
        format!("offer {id} holds {} units, but {} purchases hold one", stock.held, counted.held)
    });
    walk.expect(stock.sold == counted.sold, || {
        format!("offer {id} has sold {} units, but {} purchases bought one", stock.sold, counted.sold)
    });
    let taken = stock.held.saturating_add(stock.sold);
    walk.expect(stock.quantity.is_none_or(|quantity| taken <= quantity), || {
        format!("offer {id} is oversold: {taken} units are held or sold")
    });
}

fn deadlines<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Deadlines>(|walk, (at, id), ()| {
        let purchase = walk.purchase("a deadline", id)?;
        let fine = purchase
            .is_none_or(|purchase| purchase.status == PurchaseStatus::Pending && purchase.release_at == at);
        walk.expect(fine, || format!("purchase {id} has a deadline at {at} that is not its own"));
        Ok(())
    })
}

fn orders<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Orders>(|walk, id, order| {
        let who = format!("order {id}");
        if let Some(purchase) = walk.purchase(&who, order.purchase)? {
            walk.expect(purchase.order == Some(id), || format!("the purchase of {who} names another order"));
            let same = purchase.offer == order.offer && purchase.account == order.account;
            walk.expect(same, || format!("{who} and its purchase differ in offer or account"));
            let unfit = order.status == OrderStatus::Cancelled && purchase.status != PurchaseStatus::Refunded;
            walk.expect(!unfit, || format!("{who} is cancelled, but its purchase is not refunded"));
        }
        let offer = walk.state.get::<Offers>(&order.offer)?;
        walk.expect(offer.is_some_and(|offer| offer.merchant == order.merchant), || {
            format!("{who} and its offer differ in their merchant")
        });
        Ok(())
    })
}

/// Every purchase hangs on exactly one chain from its buyer's newest.
fn buyers<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    let mut chained = 0_u64;
    walk.each::<Buyers>(|walk, (account, offer), buyer: BuyerRecord| {
        let who = format!("the buyer {account} of {offer}");
        let (mut next, mut counted, mut steps) = (Some(buyer.newest), 0, 0);
        while let Some(id) = next {
            let Some(purchase) = walk.purchase(&who, id)? else { break };
            let theirs = purchase.account == account && purchase.offer == offer;
            walk.expect(theirs, || format!("{who} has the purchase {id} of another"));
            // A circle ends here too.
            if !theirs || steps > walk.count::<Purchases>() {
                break;
            }
            steps += 1;
            counted += u32::from(purchase.status.counts());
            let open = purchase.status == PurchaseStatus::Pending && id != buyer.newest;
            walk.expect(!open, || format!("purchase {id} is pending, but not the newest of {who}"));
            next = purchase.previous;
        }
        chained += steps;
        walk.expect(counted == buyer.counted, || {
            format!(
                "{who} is counted {} times towards the limit, but {counted} purchases count",
                buyer.counted
            )
        });
        Ok(())
    })?;
    let all = walk.count::<Purchases>();
    walk.expect(chained == all, || format!("{chained} purchases belong to buyers, but there are {all}"));
    Ok(())
}
