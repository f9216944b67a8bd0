//! Waiting lists: one strict line for an offer, or for each of its variants. A unit that is freed or added goes to the
//! next in line who may still buy, in the same command; whoever was passed over has left the line.
//!
//! Only an account whose own hold is still open keeps its place while units pass it by.

use super::account;
use super::buy::ships_to;
use super::command::Outcome;
use super::context::Context;
use super::id::{AccountId, OfferId};
use super::post::Arrival;
use super::purchase::{self, Origin, Wanted};
use super::record::{
    AccountStatus, OfferRecord, OfferStatus, PurchaseStatus, ReplyKind, Shortage, WaiterRecord, WaitingRecord,
};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Key, Read, Span, StateError, Write};
use super::table::{Offers, OnNetwork, Posts, Purchases, Stocks, Waiters, Waiting, WaitingDue, WaitingKey};
use super::time::Time;
use super::wording::Speaker;
use super::{limit, network, offer, reply};
use std::ops::ControlFlow;

/// How many of a line one command looks at; the next tick goes on.
const LOOK_MAX: usize = 256;

/// What becomes of somebody whose turn it is.
enum Turn {
    /// So many units are held.
    Hold(u32),
    /// Passed by, but keeps the place: an own hold is open.
    NotNow,
    /// May not buy any more: leaves the line.
    Never,
}

/// Puts a buyer at the end of a line; returns the place.
pub fn join<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    wanted: Wanted<'_>,
) -> Result<u64> {
    let mut stock = state.must::<Stocks>(&offer_id)?;
    let variant = wanted.variant.map(|variant| variant.name.as_str());
    stock.change(variant, |units| {
        units.waiting = units.waiting.checked_add(1)?;
        Some(())
    })?;
    stock.last_joined = stock.last_joined.saturating_add(1);
    let waiter = WaiterRecord { variant: variant.unwrap_or_default().to_owned(), number: stock.last_joined };
    let entry = WaitingRecord {
        account: buyer,
        network: arrival.post.network.clone(),
        post: arrival.post.id.clone(),
        author: arrival.post.author.clone(),
        units: wanted.units,
        joined_at: cx.now,
        reminded: false,
        language: arrival.post.language.clone(),
    };
    state.put::<Waiting>(&waiter.key(offer_id), &entry)?;
    state.put::<Waiters>(&(buyer, offer_id), &waiter)?;
    state.put::<Stocks>(&offer_id, &stock)?;
    if let Some(ends_at) = offer.ends_at {
        state.put::<WaitingDue>(&(ends_at, offer_id), &())?;
    }
    Ok(stock.of(variant).map_or(0, |units| units.waiting))
}

impl WaiterRecord {
    /// The place itself.
    pub fn key(&self, offer: OfferId) -> WaitingKey {
        WaitingKey { offer, variant: self.variant.clone(), number: self.number }
    }
}

/// Where an account waits for an offer, if it does.
pub fn find<S: Read>(
    state: &S,
    account: AccountId,
    offer: OfferId,
) -> Result<Option<(WaitingKey, WaitingRecord)>, StateError> {
    let Some(waiter) = state.get::<Waiters>(&(account, offer))? else { return Ok(None) };
    let key = waiter.key(offer);
    let entry = state.must::<Waiting>(&key)?;
    Ok(Some((key, entry)))
}

/// How many stand before a place in its line, and itself: from 1.
pub fn place<S: Read>(state: &S, key: &WaitingKey) -> Result<u64, StateError> {
    let line = Span::prefix(WaitingKey::line(key.offer, &key.variant));
    let mut place = 1;
    state.scan::<Waiting>(&line.before(&key.encode()), Direction::Up, |_, _| {
        place += 1;
        ControlFlow::Continue(())
    })?;
    Ok(place)
}

/// Takes somebody out of a line.
fn remove<S: Write>(state: &mut S, key: &WaitingKey, account: AccountId) -> Result<()> {
    state.delete::<Waiting>(key);
    state.delete::<Waiters>(&(account, key.offer));
    let mut stock = state.must::<Stocks>(&key.offer)?;
    stock.change(Some(key.variant.as_str()).filter(|name| !name.is_empty()), |units| {
        units.waiting = units.waiting.checked_sub(1)?;
        Some(())
    })?;
    state.put::<Stocks>(&key.offer, &stock)?;
    Ok(())
}

/// An account leaves a line by its own word; whether it stood there.
pub fn leave<S: Write>(state: &mut S, account: AccountId, offer: OfferId) -> Result<bool> {
    let Some((key, _)) = find(state, account, offer)? else { return Ok(false) };
    remove(state, &key, account)?;
    Ok(true)
}

/// An account leaves every line: it is being erased.
pub fn leave_all<S: Write>(state: &mut S, account: AccountId) -> Result<()> {
    let mut offers = Vec::new();
    state.scan::<Waiters>(&Span::prefix(account.encode()), Direction::Up, |(_, offer), _| {
        offers.push(offer);
        ControlFlow::Continue(())
    })?;
    for offer in offers {
        leave(state, account, offer)?;
    }
    Ok(())
}

/// An operator takes an account off an offer's list.
pub fn strike<S: Write>(state: &mut S, offer_id: OfferId, account: AccountId) -> Result<Outcome> {
    offer::must_find(state, offer_id, None)?;
    if leave(state, account, offer_id)? {
        return Ok(Outcome::Offer(offer_id));
    }
    Err(Refusal::not_found("place on the waiting list").into())
}

/// Units were freed or added: the next in line get them.
pub fn serve<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    offer_id: OfferId,
    variant: Option<&str>,
) -> Result<()> {
    let offer = state.must::<Offers>(&offer_id)?;
    let on_sale = offer.status == OfferStatus::Live
        && !offer.is_over(cx.now)
        && offer.starts_at.is_none_or(|start| start <= cx.now);
    if !on_sale {
        return Ok(());
    }
    let span = Span::prefix(WaitingKey::line(offer_id, variant.unwrap_or_default()));
    let line = state.first::<Waiting>(&span, LOOK_MAX)?;
    let full = line.len() == LOOK_MAX;
    for (key, entry) in line {
        let stock = state.must::<Stocks>(&offer_id)?;
        let free = stock.of(variant).map_or(Some(0), |units| units.available());
        if free == Some(0) {
            return Ok(());
        }
        match turn(state, cx.now, (offer_id, &offer), (&key, &entry), free)? {
            Turn::Hold(units) => hold(state, cx, (offer_id, &offer), &key, entry, units)?,
            Turn::NotNow => {}
            Turn::Never => remove(state, &key, entry.account)?,
        }
    }
    if full {
        state.put::<WaitingDue>(&(cx.now.plus_seconds(1), offer_id), &())?;
    }
    Ok(())
}

/// Whether somebody may buy now, and how many units.
fn turn<S: Read>(
    state: &S,
    now: Time,
    (offer_id, offer): (OfferId, &OfferRecord),
    (key, entry): (&WaitingKey, &WaitingRecord),
    free: Option<u64>,
) -> Result<Turn, StateError> {
    let linked = account::of_identity(state, &entry.network, &entry.author.user_id)?;
    let fine = linked.filter(|(id, account)| {
        let frozen = account
            .frozen
            .iter()
            .any(|(network, user)| *network == entry.network && *user == entry.author.user_id);
        *id == entry.account && account.status == AccountStatus::Active && !frozen && ships_to(offer, account)
    });
    let Some((id, account)) = fine else { return Ok(Turn::Never) };
    let history = purchase::history(state, entry.account, offer_id)?;
    if history.newest.as_ref().is_some_and(|(_, purchase)| purchase.status == PurchaseStatus::Pending) {
        return Ok(Turn::NotNow);
    }
    let left = offer.per_account_limit.saturating_sub(history.counted());
    let free = free.map_or(u32::MAX, |free| u32::try_from(free).unwrap_or(u32::MAX));
    let units = entry.units.min(left).min(free).min(offer.max_per_purchase);
    let variant = offer.variants.iter().find(|variant| variant.name == key.variant);
    let may = match offer.unit_price(variant).times(units) {
        Some(price) if units > 0 => limit::reached(state, now, (id, &account), price, None)?.is_none(),
        _ => false,
    };
    Ok(if may { Turn::Hold(units) } else { Turn::Never })
}

/// Holds units for the next in line and tells them so, under the post that asked.
fn hold<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    (offer_id, offer): (OfferId, &OfferRecord),
    key: &WaitingKey,
    mut entry: WaitingRecord,
    units: u32,
) -> Result<()> {
    let asked = entry.units;
    let settings = network::must_find(state, &entry.network)?;
    // The one reply to the post is about this part.
    if offer.shortage == Shortage::Waitlist && units < asked && !settings.one_reply_per_post {
        entry.units = asked - units;
        state.put::<Waiting>(key, &entry)?;
    } else {
        remove(state, key, entry.account)?;
    }
    let variant = offer.variants.iter().find(|variant| variant.name == key.variant);
    let origin = Origin {
        network: &entry.network,
        post: &entry.post,
        made_at: cx.now,
        language: entry.language.as_deref(),
    };
    let wanted = Wanted { variant, units };
    let history = purchase::history(state, entry.account, offer_id)?;
    let (id, mut held) =
        purchase::begin(state, cx, (entry.account, &history), (offer_id, offer), origin, wanted)?;
    let post = (entry.network.as_str(), entry.post.as_str());
    let speaker = Speaker::new(cx.words, &settings, offer, entry.language.as_deref(), post);
    let draft = reply::Draft {
        account: Some(entry.account),
        purchase: Some(id),
        kind: ReplyKind::Pending,
        text: speaker.your_turn(&held, asked),
        not_after: held.expires_at,
    };
    let queued = reply::queue_to(state, cx, &entry.network, &entry.post, entry.author, draft)?;
    let queued = queued.map(|(id, _)| id);
    held.reply = queued;
    state.put::<Purchases>(&id, &held)?;
    let post = OnNetwork::new(&entry.network, &entry.post);
    if let Some(mut seen) = state.get::<Posts>(&post)? {
        seen.purchase = Some(id);
        seen.followed_by = queued.or(seen.followed_by);
        state.put::<Posts>(&post, &seen)?;
    }
    Ok(())
}

/// An offer was edited: there may be more units, or it may sell again, or end.
pub fn offer_changed<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: OfferId,
    offer: &OfferRecord,
) -> Result<()> {
    let stock = state.must::<Stocks>(&id)?;
    if stock.all.waiting == 0 {
        return Ok(());
    }
    let ended = (offer.status == OfferStatus::Ended).then_some(cx.now);
    for at in ended.into_iter().chain(offer.starts_at).chain(offer.ends_at) {
        state.put::<WaitingDue>(&(at, id), &())?;
    }
    serve_all(state, cx, id)
}

fn serve_all<S: Write>(state: &mut S, cx: &mut Context<'_>, id: OfferId) -> Result<()> {
    let stock = state.must::<Stocks>(&id)?;
    if stock.variants.is_empty() {
        return serve(state, cx, id, None);
    }
    for (name, _) in &stock.variants {
        serve(state, cx, id, Some(name))?;
    }
    Ok(())
}

/// Looks at lists that are due: of an offer that starts, of one that is over, of one with more to serve.
pub fn look<S: Write>(state: &mut S, cx: &mut Context<'_>, slice: usize) -> Result<usize> {
    let until = Span::all().before(&cx.now.plus_ms(1).encode());
    let mut done = 0;
    for (key, ()) in state.first::<WaitingDue>(&until, slice)? {
        state.delete::<WaitingDue>(&key);
        let id = key.1;
        done += 1;
        if !state.must::<Offers>(&id)?.is_over(cx.now) {
            serve_all(state, cx, id)?;
            continue;
        }
        let line = state.first::<Waiting>(&Span::prefix(id.encode()), slice)?;
        done += line.len();
        for (place, entry) in &line {
            remove(state, place, entry.account)?;
        }
        if line.len() >= slice {
            state.put::<WaitingDue>(&(cx.now, id), &())?;
            break;
        }
    }
    Ok(done)
}
