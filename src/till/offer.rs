//! Offers and their stock: made, edited, ended. What their hashtags take is in `hashtag`.

use super::command::{NewOffer, OfferChange, Outcome};
use super::context::Context;
use super::id::{MerchantId, OfferId};
use super::money::Money;
use super::record::{EventKind, EventRecord, OfferKind, OfferRecord, OfferStatus, StockRecord, TagRole};
use super::refusal::{Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Merchants, Offers, Stocks};
use super::time::Time;
use super::{check, event, hashtag};

/// The longest window to confirm: a week.
pub const WINDOW_SECONDS_MAX: u32 = 7 * 86_400;
/// The largest stock and limit.
pub const QUANTITY_MAX: u64 = 1_000_000_000;

/// Puts something up for sale.
pub fn create<S: Write>(state: &mut S, cx: &mut Context<'_>, new: &NewOffer) -> Result<Outcome> {
    let id = OfferId(cx.id());
    if state.get::<Merchants>(&new.merchant)?.is_none() {
        return Err(Refusal::invalid("merchant", "is not a merchant of this till").into());
    }
    hashtag::check_form("hashtag", &new.hashtag)?;
    let confirm_hashtag = match &new.confirm_hashtag {
        Some(given) => given.clone(),
        None => hashtag::default_confirm(&new.hashtag)?,
    };
    let offer = OfferRecord {
        merchant: new.merchant,
        kind: OfferKind::Purchase,
        hashtag: new.hashtag.clone(),
        confirm_hashtag,
        title: new.title.clone(),
        price: new.price,
        list_price: new.list_price,
        per_account_limit: new.per_account_limit,
        confirm_window_seconds: new.confirm_window_seconds,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        terms_url: new.terms_url.clone(),
        ships_to: new.ships_to.clone(),
        status: OfferStatus::Live,
        version: 1,
        created_at: cx.now,
        ended_at: None,
    };
    check_offer(&offer)?;
    if let Some(ends_at) = offer.ends_at
        && ends_at <= cx.now
    {
        return Err(Refusal::invalid("ends_at", format!("must lie after now, {}", cx.now)).into());
    }
    let stock = StockRecord { quantity: new.quantity, held: 0, sold: 0, last_closed_at: None };
    check_quantity(&stock)?;
    hashtag::take(state, cx.now, id, &offer)?;
    state.put::<Offers>(&id, &offer)?;
    state.put::<Stocks>(&id, &stock)?;
    log(state, cx, EventKind::OfferCreated, id, offer.merchant)?;
    Ok(Outcome::Offer(id))
}

/// Edits an offer. Purchases that have begun keep price and window of their moment.
pub fn update<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OfferId,
    merchant: Option<MerchantId>,
    change: &OfferChange,
) -> Result<Outcome> {
    let mut offer = must_find(state, id, merchant)?;
    if offer.status == OfferStatus::Ended {
        return Err(Refusal::conflict("This offer has ended for good; make a new one.").into());
    }
    let currency = offer.price.currency;
    let was_over = offer.is_over(cx.now);
    apply_change(&mut offer, change);
    check_offer(&offer)?;
    if offer.price.currency != currency {
        return Err(
            Refusal::invalid("price.currency", "cannot change; end this offer and make a new one").into()
        );
    }
    if let Some(quantity) = change.quantity {
        let mut stock = state.must::<Stocks>(&id)?;
        stock.quantity = quantity;
        check_quantity(&stock)?;
        state.put::<Stocks>(&id, &stock)?;
    }
    if was_over && !offer.is_over(cx.now) && !hashtag::owns(state, id, &offer)? {
        let detail = "cannot move: another offer has taken a hashtag of this one since it ended";
        return Err(Refusal::taken("ends_at", detail).into());
    }
    let ended = offer.status == OfferStatus::Ended;
    if ended {
        offer.ended_at = Some(cx.now);
    }
    offer.version = offer.version.saturating_add(1);
    state.put::<Offers>(&id, &offer)?;
    let kind = if ended { EventKind::OfferEnded } else { EventKind::OfferUpdated };
    log(state, cx, kind, id, offer.merchant)?;
    Ok(Outcome::Offer(id))
}

fn apply_change(offer: &mut OfferRecord, change: &OfferChange) {
    fn set<T: Clone>(field: &mut T, new: Option<&T>) {
        if let Some(new) = new {
            field.clone_from(new);
        }
    }
    set(&mut offer.title, change.title.as_ref());
    set(&mut offer.price, change.price.as_ref());
    set(&mut offer.list_price, change.list_price.as_ref());
    set(&mut offer.per_account_limit, change.per_account_limit.as_ref());
    set(&mut offer.confirm_window_seconds, change.confirm_window_seconds.as_ref());
    set(&mut offer.starts_at, change.starts_at.as_ref());
    set(&mut offer.ends_at, change.ends_at.as_ref());
    set(&mut offer.terms_url, change.terms_url.as_ref());
    set(&mut offer.ships_to, change.ships_to.as_ref());
    set(&mut offer.status, change.status.as_ref());
}

fn check_offer(offer: &OfferRecord) -> Result<()> {
    check::title("title", &offer.title)?;
    check::money("price", offer.price)?;
    if let Some(list_price) = offer.list_price {
        check_list_price(list_price, offer.price)?;
    }
    check::within("per_account_limit", u64::from(offer.per_account_limit), 1, 1_000_000)?;
    let window = u64::from(offer.confirm_window_seconds);
    check::within("confirm_window_seconds", window, 1, u64::from(WINDOW_SECONDS_MAX))?;
    if let (Some(starts_at), Some(ends_at)) = (offer.starts_at, offer.ends_at)
        && ends_at <= starts_at
    {
        return Err(Refusal::invalid("ends_at", "must lie after starts_at").into());
    }
    if let Some(terms_url) = &offer.terms_url {
        check::link("terms_url", terms_url)?;
    }
    if let Some(countries) = &offer.ships_to {
        if countries.is_empty() || countries.len() > 300 {
            let detail = "must name 1 to 300 countries; leave it out to ship anywhere";
            return Err(Refusal::invalid("ships_to", detail).into());
        }
        for (i, code) in countries.iter().enumerate() {
            check::country(&format!("ships_to[{i}]"), code)?;
        }
    }
    Ok(())
}

fn check_list_price(list_price: Money, price: Money) -> Result<()> {
    check::money("list_price", list_price)?;
    if list_price.currency != price.currency {
        return Err(Refusal::invalid("list_price.currency", "must be the currency of price").into());
    }
    Ok(())
}

fn check_quantity(stock: &StockRecord) -> Result<()> {
    let Some(quantity) = stock.quantity else { return Ok(()) };
    check::within("quantity", quantity, 1, QUANTITY_MAX)?;
    let taken = stock.held.saturating_add(stock.sold);
    if quantity < taken {
        let detail = format!("must be at least {taken}: {} are held and {} sold", stock.held, stock.sold);
        return Err(Refusal::invalid("quantity", detail).into());
    }
    Ok(())
}

/// The offer that a call names; another merchant's is not found.
pub fn must_find<S: Read>(state: &S, id: OfferId, merchant: Option<MerchantId>) -> Result<OfferRecord> {
    match state.get::<Offers>(&id)? {
        Some(offer) if merchant.is_none_or(|own| own == offer.merchant) => Ok(offer),
        _ => Err(Refusal::not_found("offer").into()),
    }
}

impl OfferRecord {
    /// Whether it is over at `now`, by its merchant's word or by its date.
    pub fn is_over(&self, now: Time) -> bool {
        self.status == OfferStatus::Ended || self.ends_at.is_some_and(|end| now >= end)
    }

    /// When it was over: by its merchant's word or by its date, whichever came first.
    pub fn over_since(&self) -> Option<Time> {
        match (self.ended_at, self.ends_at) {
            (Some(word), Some(date)) => Some(word.min(date)),
            (word, date) => word.or(date),
        }
    }

    /// Where it stands at `now`, its end date included.
    pub fn status_at(&self, now: Time) -> OfferStatus {
        if self.is_over(now) { OfferStatus::Ended } else { self.status }
    }

    /// Its hashtags, with what they do.
    pub fn tags(&self) -> [(&str, TagRole); 2] {
        [(&self.hashtag, TagRole::Buy), (&self.confirm_hashtag, TagRole::Confirm)]
    }
}

impl StockRecord {
    /// How many can be sold now; `None`: no limit.
    pub fn available(&self) -> Option<u64> {
        self.quantity.map(|quantity| quantity.saturating_sub(self.held).saturating_sub(self.sold))
    }

    /// Whether a unit is free.
    pub fn has_free(&self) -> bool {
        self.available().is_none_or(|free| free > 0)
    }
}

/// Moves one unit: from free to held. The caller has seen that one is free.
pub fn hold_unit<S: Write>(state: &mut S, id: OfferId) -> Result<()> {
    move_unit(state, id, 1, 0, None)
}

/// Moves one unit: from held to free.
pub fn free_unit<S: Write>(state: &mut S, cx: &Context<'_>, id: OfferId) -> Result<()> {
    move_unit(state, id, -1, 0, Some(cx.now))
}

/// Moves one unit: from held to sold.
pub fn sell_unit<S: Write>(state: &mut S, cx: &Context<'_>, id: OfferId) -> Result<()> {
    move_unit(state, id, -1, 1, Some(cx.now))
}

/// Moves one unit: from sold to free.
pub fn restock_unit<S: Write>(state: &mut S, id: OfferId) -> Result<()> {
    move_unit(state, id, 0, -1, None)
}

fn move_unit<S: Write>(
    state: &mut S,
    id: OfferId,
    held: i64,
    sold: i64,
    closed_at: Option<Time>,
) -> Result<()> {
    let mut stock = state.must::<Stocks>(&id)?;
    let wrong = || StateError(format!("the stock of {id} does not add up"));
    stock.held = stock.held.checked_add_signed(held).ok_or_else(wrong)?;
    stock.sold = stock.sold.checked_add_signed(sold).ok_or_else(wrong)?;
    if stock.quantity.is_some_and(|quantity| stock.held.saturating_add(stock.sold) > quantity) {
        return Err(wrong().into());
    }
    stock.last_closed_at = closed_at.or(stock.last_closed_at);
    state.put::<Stocks>(&id, &stock)?;
    Ok(())
}

fn log<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    kind: EventKind,
    id: OfferId,
    merchant: MerchantId,
) -> Result<()> {
    let event = EventRecord { merchant: Some(merchant), offer: Some(id), ..EventRecord::new(kind, cx.now) };
    event::log(state, &event)
}
