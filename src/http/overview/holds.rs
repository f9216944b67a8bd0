//! Who holds what, and until when: the first to end, first.

use super::shelf::Shelf;
use super::view::{HoldView, HoldsView};
use crate::store::Snapshot;
use crate::till::id::{MerchantId, PurchaseId};
use crate::till::record::PurchaseRecord;
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::{Accounts, Deadlines, Offers, Purchases};
use crate::till::time::Time;
use std::ops::ControlFlow;

/// Holds that are shown.
const SHOWN_MAX: usize = 50;
/// Holds that are looked at for a merchant, whosever they are.
const LOOKED_MAX: usize = 500;

/// The holds of everybody, or of a merchant's offers.
pub fn view(snapshot: &Snapshot, shelf: &Shelf, scope: Option<MerchantId>) -> Result<HoldsView, StateError> {
    let Some(own) = scope else {
        let count = snapshot.count::<Deadlines>()?;
        let data = read(snapshot, shelf, SHOWN_MAX, None)?;
        return Ok(HoldsView { count: Some(count), data });
    };
    if shelf.held(scope) == 0 {
        return Ok(HoldsView { count: Some(0), data: Vec::new() });
    }
    let whole = snapshot.count::<Deadlines>()? <= u64::try_from(LOOKED_MAX).unwrap_or(u64::MAX);
    let mut data = read(snapshot, shelf, LOOKED_MAX, Some(own))?;
    let count = whole.then(|| u64::try_from(data.len()).unwrap_or(u64::MAX));
    data.truncate(SHOWN_MAX);
    Ok(HoldsView { count, data })
}

/// The first `most` holds, those of one merchant's offers only.
fn read(
    snapshot: &Snapshot,
    shelf: &Shelf,
    most: usize,
    own: Option<MerchantId>,
) -> Result<Vec<HoldView>, StateError> {
    let mut due = Vec::new();
    snapshot.scan::<Deadlines>(&Span::all(), Direction::Up, |key, ()| {
        due.push(key);
        if due.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut holds = Vec::new();
    for (release_at, id) in due {
        let purchase = snapshot.must::<Purchases>(&id)?;
        let Some(title) = title(snapshot, shelf, &purchase, own)? else { continue };
        let handle = if own.is_none() { handle(snapshot, &purchase)? } else { None };
        holds.push(hold(id, purchase, release_at, title, handle));
    }
    Ok(holds)
}

/// What is held; `None`: it is another merchant's.
fn title(
    snapshot: &Snapshot,
    shelf: &Shelf,
    purchase: &PurchaseRecord,
    own: Option<MerchantId>,
) -> Result<Option<String>, StateError> {
    if let (Some(title), Some(merchant)) = (shelf.title(purchase.offer), shelf.merchant(purchase.offer)) {
        return Ok(own.is_none_or(|own| own == merchant).then(|| title.to_owned()));
    }
    let offer = snapshot.must::<Offers>(&purchase.offer)?;
    Ok(own.is_none_or(|own| own == offer.merchant).then_some(offer.title))
}

/// What the buyer is called where the purchase was begun.
fn handle(snapshot: &Snapshot, purchase: &PurchaseRecord) -> Result<Option<String>, StateError> {
    let account = snapshot.get::<Accounts>(&purchase.account)?;
    let identities = account.and_then(|account| account.person).map(|person| person.identities);
    let mut identities = identities.unwrap_or_default().into_iter();
    Ok(identities.find(|identity| identity.network == purchase.network).map(|identity| identity.handle))
}

fn hold(
    id: PurchaseId,
    purchase: PurchaseRecord,
    release_at: Time,
    title: String,
    handle: Option<String>,
) -> HoldView {
    HoldView {
        purchase: id,
        offer: purchase.offer,
        title,
        units: purchase.units,
        variant: purchase.variant,
        price: purchase.price,
        expires_at: purchase.expires_at,
        release_at,
        told: purchase.window_set,
        network: purchase.network,
        handle,
    }
}
