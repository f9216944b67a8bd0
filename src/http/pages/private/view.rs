//! What the private page shows, read from what is kept.

use crate::http::pages::posting;
use crate::till::account::newest_purchases;
use crate::till::deal::{credit, transaction};
use crate::till::hashtag::bare;
use crate::till::id::{AccountId, OfferId, PurchaseId};
use crate::till::money::Money;
use crate::till::record::{
    AccountRecord, CreditRecord, CreditStatus, EnrolmentRecord, Identity, OfferRecord, OrderRecord,
    OrderStatus, PurchaseRecord, PurchaseStatus, RefundStatus, Reward,
};
use crate::till::state::{Direction, Key as _, Read, Span, StateError};
use crate::till::table::{Credits, OfferVersions, Offers, Orders, Purchases, Refunds, Waiters};
use crate::till::time::Time;
use crate::till::waiting;
use crate::web::link::network_name;
use crate::web::private::{Bought, Deal, LinkedIdentity, Parcel, Stands, ToPost, View, Wait};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Purchases that are shown.
const SHOWN_MAX: usize = 20;
/// So many are looked at to find them.
const LOOK_MAX: usize = 1000;
/// Credits of a deal that are shown.
const CREDITS_MAX: usize = 10;
/// So long, in milliseconds, it is news that a purchase is over.
const NEWS_MS: i64 = 24 * 3_600_000;

/// Reads one account's page.
pub fn view<S: Read>(
    state: &S,
    now: Time,
    (path, fresh): (String, bool),
    (id, record): (AccountId, &AccountRecord),
) -> Result<View, StateError> {
    let person = record.person.as_ref();
    let identities = person.map_or(&[][..], |person| &person.identities);
    let mut purchases = Vec::new();
    let mut offers = BTreeSet::new();
    for (purchase, found) in newest(state, id)? {
        let is_newest = offers.insert(found.offer);
        purchases.push(bought(state, now, (&path, identities, is_newest), (purchase, &found))?);
    }
    Ok(View {
        now,
        fresh,
        identities: identities
            .iter()
            .map(|one| LinkedIdentity { network: one.network.clone(), handle: one.handle.clone() })
            .collect(),
        card: person.map_or_else(String::new, |person| person.payment_method.brand.clone()),
        mandate: record.mandate.map(|mandate| (mandate.version, mandate.accepted_at)),
        purchases,
        waits: waits(state, id)?,
        deals: deals(state, id)?,
        path,
    })
}

/// The account's newest purchases, newest first.
fn newest<S: Read>(state: &S, id: AccountId) -> Result<Vec<(PurchaseId, PurchaseRecord)>, StateError> {
    let mut newest = Vec::new();
    for (_, buyer) in newest_purchases(state, id)? {
        let mut next = Some(buyer.newest);
        while let Some(purchase) = next.filter(|_| newest.len() < LOOK_MAX) {
            let found = state.must::<Purchases>(&purchase)?;
            next = found.previous;
            newest.push((purchase, found));
        }
    }
    newest.sort_by_key(|(purchase, _)| std::cmp::Reverse(*purchase));
    newest.truncate(SHOWN_MAX);
    Ok(newest)
}

fn bought<S: Read>(
    state: &S,
    now: Time,
    (path, identities, is_newest): (&str, &[Identity], bool),
    (id, purchase): (PurchaseId, &PurchaseRecord),
) -> Result<Bought, StateError> {
    let offer = state.must::<Offers>(&purchase.offer)?;
    let order = purchase.order.map(|order| state.must::<Orders>(&order)).transpose()?;
    let ended_at = purchase.settled_at.unwrap_or(purchase.expires_at);
    let news = is_newest && now.ms_since(ended_at) < NEWS_MS;
    let over = |words, to_do: Option<&str>| Stands::Over { words, to_do: to_do.map(str::to_owned), news };
    let waits_for_bank = purchase.authenticate_by.filter(|until| now < *until);
    let stands = match (purchase.status, waits_for_bank) {
        (PurchaseStatus::Capturing, Some(until)) => {
            Stands::OneStepLeft { until, href: format!("{path}/allow/{id}") }
        }
        (PurchaseStatus::Capturing, None) => Stands::Charging,
        (PurchaseStatus::Pending, _) if now <= purchase.expires_at => Stands::Held {
            until: purchase.expires_at,
            window_seconds: purchase.window_seconds,
            replied: purchase.window_set,
            confirm: to_post(state, &purchase.network, identities, &offer.confirm_hashtag)?,
            cancel: said(state, &purchase.network, offer.cancel_hashtag.as_deref())?,
        },
        (PurchaseStatus::Pending | PurchaseStatus::Expired, _) => {
            let tag = Some(offer.hashtag.as_str()).filter(|_| offer.over_since().is_none_or(|end| now < end));
            let again = said(state, &purchase.network, tag)?;
            let again = again.map(|again| format!("Do you still want it? Post {again} again."));
            over("Not confirmed in time; nothing was charged", again.as_deref())
        }
        (PurchaseStatus::Cancelled, _) => over("Let go; nothing was charged", None),
        (PurchaseStatus::Declined, _) => over(
            "Your card was declined; nothing was charged",
            Some("Ask your bank, or link another card, then post again."),
        ),
        (PurchaseStatus::Refunded, _) => over("Given back to your card", None),
        (PurchaseStatus::Paid, _) => match order.as_ref().map(|order| order.status) {
            Some(OrderStatus::Unfulfilled) => Stands::Packed,
            Some(OrderStatus::Shipped) => Stands::Shipped,
            Some(OrderStatus::Delivered) => Stands::Delivered,
            Some(OrderStatus::Cancelled) => over("Cancelled by the shop", None),
            None => over("Paid", None),
        },
    };
    Ok(Bought {
        title: order.as_ref().map_or(offer.title, |order| order.title.clone()),
        variant: purchase.variant.clone(),
        units: purchase.units,
        price: purchase.price.to_string(),
        at: purchase.created_at,
        given_back: given_back(state, purchase)?,
        parcels: order.map(parcels).unwrap_or_default(),
        stands,
    })
}

fn parcels(order: OrderRecord) -> Vec<Parcel> {
    let parcels = order.shipments.into_iter().map(|shipment| Parcel {
        units: shipment.units,
        carrier: shipment.carrier,
        number: shipment.tracking_number,
        at: shipment.at,
    });
    parcels.collect()
}

/// What was given back of a purchase that is not given back as a whole.
fn given_back<S: Read>(state: &S, purchase: &PurchaseRecord) -> Result<Option<String>, StateError> {
    if purchase.status == PurchaseStatus::Refunded {
        return Ok(None);
    }
    let mut amount = 0_i64;
    for id in &purchase.refunds {
        let refund = state.must::<Refunds>(id)?;
        if refund.status == RefundStatus::Succeeded {
            amount = amount.saturating_add(refund.amount.amount);
        }
    }
    Ok((amount > 0).then(|| Money { amount, ..purchase.price }.to_string()))
}

/// A hashtag as it has to be posted there, if there is one.
fn said<S: Read>(state: &S, slug: &str, tag: Option<&str>) -> Result<Option<String>, StateError> {
    tag.map(|tag| Ok(posting::on(state, slug, [], bare(tag))?.0)).transpose()
}

/// What to post, and where a post is prepared: first on the network where the purchase began.
fn to_post<S: Read>(
    state: &S,
    began_on: &str,
    identities: &[Identity],
    tag: &str,
) -> Result<ToPost, StateError> {
    let mut networks = vec![began_on];
    for identity in identities {
        if !networks.contains(&identity.network.as_str()) {
            networks.push(&identity.network);
        }
    }
    let mut found = ToPost { text: String::new(), prepared: Vec::new() };
    for (i, slug) in networks.into_iter().enumerate() {
        let own = identities.iter().filter(|identity| identity.network == slug);
        let (text, href) = posting::on(state, slug, own.map(|one| one.handle.as_str()), bare(tag))?;
        if i == 0 {
            found.text = text;
        }
        found.prepared.extend(href.map(|href| (network_name(slug).to_owned(), href)));
    }
    Ok(found)
}

fn waits<S: Read>(state: &S, id: AccountId) -> Result<Vec<Wait>, StateError> {
    let mut offers: Vec<OfferId> = Vec::new();
    state.scan::<Waiters>(&Span::prefix(id.encode()), Direction::Up, |(_, offer), _| {
        offers.push(offer);
        ControlFlow::Continue(())
    })?;
    let mut waits = Vec::new();
    for offer_id in offers.into_iter().take(SHOWN_MAX) {
        let Some((key, entry)) = waiting::find(state, id, offer_id)? else { continue };
        let offer = state.must::<Offers>(&offer_id)?;
        waits.push(Wait {
            title: offer.title,
            place: waiting::place(state, &key)?,
            variant: Some(key.variant).filter(|name| !name.is_empty()),
            units: entry.units,
            cancel: said(state, &entry.network, offer.cancel_hashtag.as_deref())?,
        });
    }
    Ok(waits)
}

fn deals<S: Read>(state: &S, id: AccountId) -> Result<Vec<Deal>, StateError> {
    let mut credits = Vec::new();
    for credit in credit::of_account(state, id)?.iter().rev().take(LOOK_MAX) {
        credits.push(state.must::<Credits>(credit)?);
    }
    let enrolments = transaction::enrolments(state, id)?;
    let newest = enrolments.len().saturating_sub(SHOWN_MAX);
    let mut deals = Vec::new();
    for (enrolment, record) in enrolments.into_iter().skip(newest) {
        let offer = state.must::<OfferVersions>(&(record.offer, record.offer_version))?;
        let own = credits.iter().filter(|credit| credit.enrolment == enrolment);
        deals.push(deal(&offer, &record, own));
    }
    Ok(deals)
}

fn deal<'a>(
    offer: &OfferRecord,
    enrolment: &EnrolmentRecord,
    credits: impl Iterator<Item = &'a CreditRecord>,
) -> Deal {
    let terms = offer.deal.map_or_else(String::new, |terms| match terms.reward {
        Reward::Fixed(credit) => format!("Spend {} or more and get {credit} back.", terms.min_spend),
        Reward::Percent { percent, cap } => {
            format!("Spend {} or more and get {percent} % of it back, {cap} at most.", terms.min_spend)
        }
    });
    let credit = |credit: &CreditRecord| {
        let words = match credit.status {
            CreditStatus::Pending => "On its way to your card",
            CreditStatus::Credited if credit.due < credit.amount.amount => "Credited; a part was taken back",
            CreditStatus::Credited => "Credited to your card",
            CreditStatus::Failed => "Could not be credited; please ask the shop",
            CreditStatus::Reversed => "Taken back with what you gave back",
        };
        (credit.amount.to_string(), words, credit.settled_at.unwrap_or(credit.created_at))
    };
    Deal {
        title: offer.title.clone(),
        terms,
        since: enrolment.enrolled_at,
        credits: credits.take(CREDITS_MAX).map(credit).collect(),
    }
}
