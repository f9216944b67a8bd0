//! Offers: made, edited, ended. What their hashtags take is in `hashtag`, their units are in `stock`.

use super::command::{NewOffer, OfferChange, Outcome, Variant};
use super::context::Context;
use super::id::{MerchantId, OfferId};
use super::money::Money;
use super::record::{
    DealRecord, DealTerms, EventKind, EventRecord, OfferKind, OfferRecord, OfferStatus, PurchaseRecord,
    Shortage, StockRecord, TagRole, VariantRecord,
};
use super::refusal::{Fault, Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{Deals, Merchants, OfferVersions, Offers, Stocks};
use super::time::Time;
use super::{check, event, hashtag, offer_words, variant, waiting};
use std::borrow::Cow;

/// The longest window to confirm: a week.
pub const WINDOW_SECONDS_MAX: u32 = 7 * 86_400;

/// Puts something up for sale.
pub fn create<S: Write>(state: &mut S, cx: &mut Context<'_>, new: &NewOffer) -> Result<Outcome> {
    let id = OfferId(cx.id());
    if state.get::<Merchants>(&new.merchant)?.is_none() {
        return Err(Refusal::invalid("merchant", "is not a merchant of this till").into());
    }
    hashtag::check_form("hashtag", &new.hashtag)?;
    let confirm_hashtag = match (&new.confirm_hashtag, &new.deal) {
        (None, Some(_)) => String::new(),
        (Some(given), None) => given.clone(),
        (None, None) => hashtag::default_confirm(&new.hashtag)?,
        (Some(_), Some(_)) => return Err(not_of_a_deal("confirm_hashtag")),
    };
    let cancel_hashtag = match &new.deal {
        None => new.cancel_hashtag.clone().or_else(|| hashtag::default_cancel(&new.hashtag)),
        Some(_) if new.cancel_hashtag.is_some() => return Err(not_of_a_deal("cancel_hashtag")),
        Some(_) => None,
    };
    let mut offer = OfferRecord {
        merchant: new.merchant,
        kind: if new.deal.is_some() { OfferKind::Deal } else { OfferKind::Purchase },
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
        cancel_hashtag,
        variants: new.variants.iter().map(VariantRecord::of).collect(),
        max_per_purchase: new.max_per_purchase,
        shortage: new.shortage,
        waitlist: new.waitlist,
        deal: new.deal,
        language: new.language.clone(),
        texts: new.texts.clone(),
    };
    check_offer(&offer)?;
    offer_words::check(state, cx.words, &offer)?;
    check_shortage(offer.shortage, offer.waitlist)?;
    variant::check_all(&new.variants, offer.price, offer.max_per_purchase)?;
    if let Some(ends_at) = offer.ends_at
        && ends_at <= cx.now
    {
        return Err(Refusal::invalid("ends_at", format!("must lie after now, {}", cx.now)).into());
    }
    let stock = StockRecord::default().with(new.quantity, &new.variants)?;
    hashtag::take(state, cx.now, id, &mut offer, new.cancel_hashtag.is_some())?;
    state.put::<Stocks>(&id, &stock)?;
    if offer.kind == OfferKind::Deal {
        state.put::<Deals>(&id, &DealRecord::default())?;
    }
    keep(state, id, &offer)?;
    log(state, cx, EventKind::OfferCreated, id, offer.merchant)?;
    Ok(Outcome::Offer(id))
}

/// The rest of a wish can wait only where there is a list; closing the list later stops both.
fn check_shortage(shortage: Shortage, waitlist: bool) -> Result<()> {
    if shortage == Shortage::Waitlist && !waitlist {
        let detail = "can be waitlist only where waitlist is true";
        return Err(Refusal::invalid("shortage", detail).into());
    }
    Ok(())
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
    if offer.deal.is_some() && change.price.is_some() {
        return Err(not_of_a_deal("price"));
    }
    apply_change(&mut offer, change);
    if let Some(terms) = &mut offer.deal {
        terms.min_spend = change.min_spend.unwrap_or(terms.min_spend);
        terms.reward = change.reward.unwrap_or(terms.reward);
        terms.budget = change.budget.unwrap_or(terms.budget);
        offer.price = terms.min_spend;
        check_budget(state, id, terms)?;
    } else if let Some(field) = of_a_deal(change) {
        return Err(Refusal::invalid(field, "has a meaning only for a deal").into());
    }
    check_offer(&offer)?;
    if change.language.is_some() || change.texts.is_some() {
        offer_words::check(state, cx.words, &offer)?;
    }
    if let Some(shortage) = change.shortage {
        check_shortage(shortage, offer.waitlist)?;
    }
    if offer.price.currency != currency {
        return Err(Refusal::invalid(
            if offer.deal.is_some() { "min_spend.currency" } else { "price.currency" },
            "cannot change; end this offer and make a new one",
        )
        .into());
    }
    edit_stock(state, id, &mut offer, change)?;
    if was_over && !offer.is_over(cx.now) && !hashtag::owns(state, id, &offer)? {
        let detail = "cannot move: another offer has taken a hashtag of this one since it ended";
        return Err(Refusal::taken("ends_at", detail).into());
    }
    let ended = offer.status == OfferStatus::Ended;
    if ended {
        offer.ended_at = Some(cx.now);
    }
    offer.version = offer.version.saturating_add(1);
    keep(state, id, &offer)?;
    let kind = if ended { EventKind::OfferEnded } else { EventKind::OfferUpdated };
    log(state, cx, kind, id, offer.merchant)?;
    waiting::offer_changed(state, cx, id, &offer)?;
    Ok(Outcome::Offer(id))
}

/// A budget cannot be less than what was credited already.
fn check_budget<S: Read>(state: &S, id: OfferId, terms: &DealTerms) -> Result<()> {
    let Some(deal) = state.get::<Deals>(&id)? else { return Ok(()) };
    match terms.budget {
        Some(budget) if budget.amount < deal.amount => {
            let detail =
                format!("must be at least {}: so much is credited in {} credits", deal.amount, deal.credits);
            Err(Refusal::invalid("budget.amount", detail).into())
        }
        _ => Ok(()),
    }
}

/// Keeps an offer, and this version of it for those who bought it so.
fn keep<S: Write>(state: &mut S, id: OfferId, offer: &OfferRecord) -> Result<()> {
    state.put::<Offers>(&id, offer)?;
    state.put::<OfferVersions>(&(id, offer.version), offer)?;
    Ok(())
}

/// The offer as it was when a purchase of it began.
pub fn as_held<'a, S: Read>(
    state: &S,
    offer: &'a OfferRecord,
    purchase: &PurchaseRecord,
) -> Result<Cow<'a, OfferRecord>, StateError> {
    if purchase.offer_version == offer.version {
        return Ok(Cow::Borrowed(offer));
    }
    state.must::<OfferVersions>(&(purchase.offer, purchase.offer_version)).map(Cow::Owned)
}

/// Edits how many there are, as a whole or of each variant.
fn edit_stock<S: Write>(
    state: &mut S,
    id: OfferId,
    offer: &mut OfferRecord,
    change: &OfferChange,
) -> Result<()> {
    let stock = state.must::<Stocks>(&id)?;
    let variants = match &change.variants {
        Some(variants) => variants.clone(),
        None => {
            let units = |name: &str| stock.of(Some(name)).and_then(|units| units.quantity);
            let same = offer.variants.iter().map(|one| Variant {
                name: one.name.clone(),
                synonyms: one.synonyms.clone(),
                quantity: units(&one.name),
                price: one.price,
            });
            same.collect()
        }
    };
    variant::check_all(&variants, offer.price, offer.max_per_purchase)?;
    offer.variants = variants.iter().map(VariantRecord::of).collect();
    let kept = if variants.is_empty() { stock.all.quantity } else { None };
    let edited = stock.with(change.quantity.unwrap_or(kept), &variants)?;
    if edited != stock {
        state.put::<Stocks>(&id, &edited)?;
    }
    Ok(())
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
    set(&mut offer.max_per_purchase, change.max_per_purchase.as_ref());
    set(&mut offer.shortage, change.shortage.as_ref());
    set(&mut offer.waitlist, change.waitlist.as_ref());
    set(&mut offer.language, change.language.as_ref());
    set(&mut offer.texts, change.texts.as_ref());
}

fn not_of_a_deal(field: &str) -> Fault {
    Refusal::invalid(field, "has no meaning for a deal; leave it out").into()
}

/// The first field that only a deal can have.
fn of_a_deal(change: &OfferChange) -> Option<&'static str> {
    let fields = [
        ("min_spend", change.min_spend.is_some()),
        ("credit", change.reward.is_some()),
        ("budget", change.budget.is_some()),
    ];
    fields.into_iter().find(|(_, given)| *given).map(|(field, _)| field)
}

/// What only something for sale can have, or only a deal.
fn check_kind(offer: &OfferRecord) -> Result<()> {
    let Some(terms) = &offer.deal else {
        return if offer.kind == OfferKind::Deal {
            Err(StateError("a deal has no terms".to_owned()).into())
        } else {
            Ok(())
        };
    };
    if offer.kind == OfferKind::Purchase {
        return Err(Refusal::invalid("min_spend", "has a meaning only for a deal").into());
    }
    for (field, given) in [
        ("list_price", offer.list_price.is_some()),
        ("ships_to", offer.ships_to.is_some()),
        ("variants", !offer.variants.is_empty()),
        ("max_per_purchase", offer.max_per_purchase != 1),
        ("waitlist", offer.waitlist),
    ] {
        if given {
            return Err(not_of_a_deal(field));
        }
    }
    terms.check()
}

fn check_offer(offer: &OfferRecord) -> Result<()> {
    check::title("title", &offer.title)?;
    check_kind(offer)?;
    check::money(if offer.deal.is_some() { "min_spend" } else { "price" }, offer.price)?;
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
    pub fn tags(&self) -> impl Iterator<Item = (&str, TagRole)> {
        let cancel = self.cancel_hashtag.as_deref().map(|tag| (tag, TagRole::Cancel));
        let confirm = (self.deal.is_none()).then_some((&*self.confirm_hashtag, TagRole::Confirm));
        std::iter::once((&*self.hashtag, TagRole::Buy)).chain(confirm).chain(cancel)
    }
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
