//! Purchases, the stock they add up to, their deadlines, their buyers and their orders.

use super::Walk;
use crate::till::id::{OfferId, PurchaseId};
use crate::till::record::{
    BuyerRecord, OrderStatus, PurchaseRecord, PurchaseStatus, RefundRecord, RefundStatus, StockRecord, Units,
};
use crate::till::state::{Read, StateError};
use crate::till::table::{
    Accounts, Buyers, Deadlines, OfferVersions, Offers, Orders, Purchases, Refunds, Replies, Stocks, Waiters,
    Waiting, WaitingDue,
};

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Purchases>(|walk, id, purchase| {
        let who = format!("purchase {id}");
        walk.names::<Offers>(&who, Some(&purchase.offer))?;
        walk.names::<Accounts>(&who, Some(&purchase.account))?;
        walk.names::<Replies>(&who, purchase.reply.as_ref())?;
        walk.names::<OfferVersions>(&who, Some(&(purchase.offer, purchase.offer_version)))?;
        let pending = purchase.status == PurchaseStatus::Pending;
        let due = walk.has::<Deadlines>(&(purchase.release_at, id))?;
        walk.expect(due || !pending, || format!("{who} is pending and has no deadline"));
        order_of(walk, id, &purchase)?;
        count_units(walk, &purchase)
    })?;
    deadlines(walk)?;
    lines(walk)?;
    orders(walk)?;
    buyers(walk)?;
    walk.each::<Offers>(|walk, id, offer| {
        let who = format!("offer {id}");
        walk.names::<Stocks>(&who, Some(&id))?;
        let version = walk.state.get::<OfferVersions>(&(id, offer.version))?;
        walk.expect(version.as_ref() == Some(&offer), || format!("{who} differs from its own last version"));
        Ok(())
    })?;
    walk.each::<OfferVersions>(|walk, (id, version), offer| {
        let who = format!("version {version} of offer {id}");
        walk.expect(offer.version == version, || format!("{who} is another one"));
        walk.names::<Offers>(who, Some(&id))
    })?;
    walk.each::<Stocks>(|walk, id, stock| {
        stock_adds_up(walk, id, &stock);
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
        PurchaseStatus::Paid | PurchaseStatus::Refunded => !restocked(walk, purchase)?,
        _ => false,
    };
    let wanted = u64::from(purchase.units);
    for units in [Some(None), purchase.variant.clone().map(Some)].into_iter().flatten() {
        let units = walk.stocks.entry((purchase.offer, units)).or_default();
        units.held += if purchase.status.holds() { wanted } else { 0 };
        units.sold += if sold { wanted } else { 0 };
    }
    Ok(())
}

/// Whether the unit of a refunded purchase went back: a refund said so and nothing had shipped.
fn restocked<S: Read>(walk: &Walk<'_, S>, purchase: &PurchaseRecord) -> Result<bool, StateError> {
    let order = purchase.order.map(|id| walk.state.get::<Orders>(&id)).transpose()?.flatten();
    if order.is_none_or(|order| order.status != OrderStatus::Cancelled || !order.shipments.is_empty()) {
        return Ok(false);
    }
    for id in &purchase.refunds {
        let refund = walk.state.get::<Refunds>(id)?;
        let given_back = |refund: &RefundRecord| refund.status == RefundStatus::Succeeded || refund.returned;
        if refund.is_some_and(|refund| refund.restock && given_back(&refund)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn stock_adds_up<S: Read>(walk: &mut Walk<'_, S>, id: OfferId, stock: &StockRecord) {
    let variants = stock.variants.iter().map(|(name, units)| (Some(name.clone()), *units));
    for (variant, units) in std::iter::once((None, stock.all)).chain(variants) {
        let who =
            variant.as_ref().map_or_else(|| format!("offer {id}"), |name| format!("{name:?} of offer {id}"));
        let counted = walk.stocks.get(&(id, variant)).copied().unwrap_or_default();
        walk.expect(units.held == counted.held, || {
            format!("{who} holds {} units, but purchases hold {}", units.held, counted.held)
        });
        walk.expect(units.sold == counted.sold, || {
            format!("{who} has sold {} units, but purchases bought {}", units.sold, counted.sold)
        });
        walk.expect(units.waiting == counted.waiting, || {
            format!("{} wait for {who}, but {} stand in line", units.waiting, counted.waiting)
        });
        let taken = units.held.saturating_add(units.sold);
        walk.expect(units.quantity.is_none_or(|quantity| taken <= quantity), || {
            format!("{who} is oversold: {taken} units are held or sold")
        });
    }
    if !stock.variants.is_empty() {
        let sum = |of: fn(&Units) -> u64| stock.variants.iter().map(|(_, units)| of(units)).sum::<u64>();
        let same = (sum(|units| units.held), sum(|units| units.sold), sum(|units| units.waiting))
            == (stock.all.held, stock.all.sold, stock.all.waiting);
        walk.expect(same, || format!("the variants of offer {id} do not add up to its stock"));
    }
}

/// Everybody in line has a place, and every place somebody.
fn lines<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Waiting>(|walk, key, entry| {
        let who = format!("place {} in line for offer {}", key.number, key.offer);
        walk.names::<Accounts>(&who, Some(&entry.account))?;
        let waiter = walk.state.get::<Waiters>(&(entry.account, key.offer))?;
        walk.expect(waiter.is_some_and(|waiter| waiter.key(key.offer) == key), || {
            format!("{who} belongs to account {}, which stands elsewhere", entry.account)
        });
        let variant = Some(key.variant.clone()).filter(|name| !name.is_empty());
        for line in [Some(None), variant.map(Some)].into_iter().flatten() {
            walk.stocks.entry((key.offer, line)).or_default().waiting += 1;
        }
        Ok(())
    })?;
    walk.each::<Waiters>(|walk, (account, offer), waiter| {
        let who = format!("account {account}, which waits for offer {offer}");
        walk.names::<Waiting>(who, Some(&waiter.key(offer)))
    })?;
    walk.each::<WaitingDue>(|walk, (_, id), ()| walk.names::<Offers>("a waiting list", Some(&id)))
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
            let given_back = purchase.status == PurchaseStatus::Refunded || came_back(walk, &purchase)?;
            let unfit = order.status == OrderStatus::Cancelled && !given_back;
            walk.expect(!unfit, || format!("{who} is cancelled, but its purchase is not refunded"));
        }
        let offer = walk.state.get::<Offers>(&order.offer)?;
        walk.expect(offer.is_some_and(|offer| offer.merchant == order.merchant), || {
            format!("{who} and its offer differ in their merchant")
        });
        Ok(())
    })
}

/// Whether a refund of a purchase had succeeded, and its money came back.
fn came_back<S: Read>(walk: &Walk<'_, S>, purchase: &PurchaseRecord) -> Result<bool, StateError> {
    for id in &purchase.refunds {
        if walk.state.get::<Refunds>(id)?.is_some_and(|refund| refund.returned) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Every purchase hangs on exactly one chain from its buyer's newest.
fn buyers<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    let mut chained = 0_u64;
    walk.each::<Buyers>(|walk, (account, offer), buyer: BuyerRecord| {
        let who = format!("the buyer {account} of {offer}");
        let (mut next, mut earlier, mut steps) = (Some(buyer.newest), 0, 0);
        while let Some(id) = next {
            let Some(purchase) = walk.purchase(&who, id)? else { break };
            let theirs = purchase.account == account && purchase.offer == offer;
            walk.expect(theirs, || format!("{who} has the purchase {id} of another"));
            // A circle ends here too.
            if !theirs || steps > walk.count::<Purchases>() {
                break;
            }
            steps += 1;
            let before = id != buyer.newest;
            earlier += if before && purchase.status.counts() { purchase.units } else { 0 };
            let open = before && purchase.status == PurchaseStatus::Pending;
            walk.expect(!open, || format!("purchase {id} is pending, but not the newest of {who}"));
            next = purchase.previous;
        }
        chained += steps;
        walk.expect(earlier == buyer.earlier, || {
            format!(
                "{who} is noted with {} earlier units towards the limit, but {earlier} count",
                buyer.earlier
            )
        });
        Ok(())
    })?;
    let all = walk.count::<Purchases>();
    walk.expect(chained == all, || format!("{chained} purchases belong to buyers, but there are {all}"));
    Ok(())
}
