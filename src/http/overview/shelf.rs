//! The offers in short, kept in memory: what they are called and how much of each there is. Brought up to date for what
//! the log says was touched.

use super::tally::Seen;
use super::view::{OfferLineView, OffersView};
use crate::till::id::{MerchantId, OfferId};
use crate::till::record::{EventKind, OfferKind, OfferRecord, OfferStatus, StockRecord};
use crate::till::state::{Direction, Read, Span, StateError};
use crate::till::table::{Offers, Stocks};
use crate::till::time::Time;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Offers that are kept; of more, the newest.
const OFFERS_MAX: usize = 5000;
/// Offers that are shown.
const SHOWN_MAX: usize = 50;
/// Sales of the last hour are counted in slices of five minutes.
const SLICES: i64 = 12;
const SLICE_MS: i64 = 300_000;

/// An offer in short.
#[derive(Debug)]
struct Card {
    offer: OfferRecord,
    stock: StockRecord,
    /// Units sold by slice of time.
    sold: BTreeMap<i64, u64>,
}

/// The newest offers.
#[derive(Debug, Default)]
pub struct Shelf {
    cards: BTreeMap<OfferId, Card>,
    touched: BTreeSet<OfferId>,
    /// The sequence of the last event that it knows.
    pub events: u64,
}

impl Shelf {
    /// The offers as they are; it goes on after the event `before`.
    pub fn load<S: Read>(state: &S, before: u64) -> Result<Self, StateError> {
        let mut shelf = Self { events: before, ..Self::default() };
        state.scan::<Offers>(&Span::all(), Direction::Down, |id, offer| {
            let (stock, sold) = (StockRecord::default(), BTreeMap::new());
            shelf.cards.insert(id, Card { offer: without_texts(offer), stock, sold });
            if shelf.cards.len() < OFFERS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        for (id, card) in &mut shelf.cards {
            card.stock = state.get::<Stocks>(id)?.unwrap_or_default();
        }
        Ok(shelf)
    }

    /// Notes what an event touched.
    pub fn take(&mut self, seen: &Seen) {
        let Some(id) = seen.event.offer else { return };
        self.touched.insert(id);
        if seen.event.kind == EventKind::PurchasePaid
            && let Some(card) = self.cards.get_mut(&id)
        {
            *card.sold.entry(seen.event.at.ms() / SLICE_MS).or_default() += u64::from(seen.units);
        }
    }

    /// Reads anew what was touched.
    pub fn refresh<S: Read>(&mut self, state: &S, now: Time) -> Result<(), StateError> {
        for id in std::mem::take(&mut self.touched) {
            let fits = self.cards.len() < OFFERS_MAX
                || self.cards.first_key_value().is_some_and(|(old, _)| *old < id);
            if !fits && !self.cards.contains_key(&id) {
                continue;
            }
            let Some(offer) = state.get::<Offers>(&id)? else { continue };
            let stock = state.get::<Stocks>(&id)?.unwrap_or_default();
            let sold = self.cards.remove(&id).map(|card| card.sold).unwrap_or_default();
            self.cards.insert(id, Card { offer: without_texts(offer), stock, sold });
            if self.cards.len() > OFFERS_MAX {
                self.cards.pop_first();
            }
        }
        let oldest = now.ms() / SLICE_MS - SLICES + 1;
        for card in self.cards.values_mut().filter(|card| !card.sold.is_empty()) {
            card.sold = card.sold.split_off(&oldest);
        }
        Ok(())
    }

    /// What an offer is called.
    pub fn title(&self, id: OfferId) -> Option<&str> {
        self.cards.get(&id).map(|card| card.offer.title.as_str())
    }

    /// Whose an offer is.
    pub fn merchant(&self, id: OfferId) -> Option<MerchantId> {
        self.cards.get(&id).map(|card| card.offer.merchant)
    }

    /// Units that are held of what is a merchant's.
    pub fn held(&self, scope: Option<MerchantId>) -> u64 {
        self.of(scope).map(|(_, card)| card.stock.all.held).sum()
    }

    fn of(&self, scope: Option<MerchantId>) -> impl Iterator<Item = (&OfferId, &Card)> {
        self.cards.iter().filter(move |(_, card)| scope.is_none_or(|own| own == card.offer.merchant))
    }

    /// What is for sale. What has ended is shown as long as something of it is held or was sold of late.
    pub fn view<S: Read>(
        &self,
        state: &S,
        scope: Option<MerchantId>,
        now: Time,
    ) -> Result<OffersView, StateError> {
        let mut lines: Vec<_> = self
            .of(scope)
            .map(|(id, card)| (card.rank(*id, now), *id, card))
            .filter(|((place, ..), _, card)| *place < 2 || card.stock.all.held > 0 || !card.sold.is_empty())
            .collect();
        lines.sort_unstable_by_key(|(rank, ..)| *rank);
        let more = u64::try_from(lines.len().saturating_sub(SHOWN_MAX)).unwrap_or(0);
        let shown = lines.iter().take(SHOWN_MAX);
        let data = shown.map(|(_, id, card)| card.view(state, *id, now)).collect::<Result<_, _>>()?;
        Ok(OffersView { data, more })
    }
}

/// Nobody reads its texts here.
fn without_texts(offer: OfferRecord) -> OfferRecord {
    OfferRecord { texts: BTreeMap::new(), ..offer }
}

impl Card {
    fn sold_last_hour(&self) -> u64 {
        self.sold.values().sum()
    }

    /// Small comes first: live, then paused, then ended; what sells most, now and in all; what is new.
    fn rank(&self, id: OfferId, now: Time) -> (u8, Reverse<u64>, Reverse<u64>, Reverse<OfferId>) {
        let place = match self.offer.status_at(now) {
            OfferStatus::Live => 0,
            OfferStatus::Paused => 1,
            OfferStatus::Ended => 2,
        };
        (place, Reverse(self.sold_last_hour()), Reverse(self.stock.all.sold), Reverse(id))
    }

    fn view<S: Read>(&self, state: &S, id: OfferId, now: Time) -> Result<OfferLineView, StateError> {
        // Who joins a waiting list leaves no line in the log.
        let stock = state.get::<Stocks>(&id)?.unwrap_or_default();
        let offer = &self.offer;
        Ok(OfferLineView {
            id,
            merchant: offer.merchant,
            title: offer.title.clone(),
            kind: offer.kind,
            hashtag: offer.hashtag.clone(),
            status: offer.status_at(now),
            price: (offer.kind == OfferKind::Purchase).then_some(offer.price),
            starts_at: offer.starts_at,
            ends_at: offer.ends_at,
            quantity: stock.all.quantity,
            available: stock.available(),
            held: stock.all.held,
            sold: stock.all.sold,
            waiting: stock.all.waiting,
            sold_last_hour: self.sold_last_hour(),
        })
    }
}
