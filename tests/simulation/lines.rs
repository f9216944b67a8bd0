//! The model's word on units and on who waits for them: sizes, amounts, and strict lines.

use super::model::{Model, Offer, Purchase, REPLY_WAIT_MS, Waiter};
use tagtill::till::record::{AccountStatus, OfferStatus, PurchaseStatus};

impl Model {
    /// What of an offer, or of one of its variants, is held and sold.
    pub fn taken(&self, offer: usize, variant: Option<&str>) -> (u64, u64) {
        let of = |which: fn(&Purchase) -> bool| {
            let these = self.purchases.iter().filter(|one| {
                one.offer == offer && (variant.is_none() || one.variant.as_deref() == variant) && which(one)
            });
            these.map(|one| u64::from(one.units)).sum()
        };
        let sold = |one: &Purchase| {
            matches!(one.status, PurchaseStatus::Paid | PurchaseStatus::Refunded) && !one.restocked
        };
        (of(Purchase::holds), of(sold))
    }

    /// How many are left; `u64::MAX`: no limit.
    pub fn left(&self, offer: usize, variant: Option<&str>) -> u64 {
        let is = &self.offers[offer];
        let quantity = match variant {
            None => is.quantity,
            Some(name) => is.variants.iter().find(|one| one.name == name).and_then(|one| one.quantity),
        };
        let (held, sold) = self.taken(offer, variant);
        quantity.map_or(u64::MAX, |quantity| quantity - held - sold)
    }

    /// Who waits for an offer, in line for one variant.
    pub fn line(&self, offer: usize, variant: Option<&str>) -> Vec<Waiter> {
        let here = |one: &&Waiter| one.offer == offer && one.variant.as_deref() == variant;
        self.waiting.iter().filter(here).cloned().collect()
    }

    pub fn waits(&self, account: usize, offer: usize) -> Option<usize> {
        self.waiting.iter().position(|one| one.account == account && one.offer == offer)
    }

    /// A purchase that was never charged ends, and whoever waits for its units gets them.
    pub fn close(&mut self, n: usize, status: PurchaseStatus) {
        self.purchases[n].status = status;
        self.purchases[n].settled_at = Some(self.now);
        self.freed(n);
    }

    /// Units of a purchase may be free now, or its account may buy again.
    pub fn freed(&mut self, n: usize) {
        let (offer, variant) = (self.purchases[n].offer, self.purchases[n].variant.clone());
        if !self.line(offer, variant.as_deref()).is_empty() {
            self.serve(offer, variant.as_deref());
        }
    }

    /// Free units go to the next in line who may still buy.
    pub fn serve(&mut self, offer: usize, variant: Option<&str>) {
        let is = self.offers[offer].clone();
        if is.status != OfferStatus::Live || is.ends_at.is_some_and(|end| self.now >= end) {
            return;
        }
        for waiter in self.line(offer, variant) {
            let left = self.left(offer, variant);
            if left == 0 {
                return;
            }
            let here = self.waiting.iter().position(|one| one.number == waiter.number).unwrap();
            let account = self.accounts[waiter.account].clone();
            let same = self.linked(&waiter.post.0, &waiter.user) == Some(waiter.account);
            let ships = is.ships_to.as_ref().is_none_or(|country| *country == account.country);
            let frozen = account.frozen.contains(&(waiter.post.0.clone(), waiter.user.clone()));
            if !same || frozen || account.status != AccountStatus::Active || !ships {
                self.waiting.remove(here);
                continue;
            }
            let newest = self.newest(waiter.account, offer);
            if newest.is_some_and(|n| self.purchases[n].status == PurchaseStatus::Pending) {
                continue;
            }
            let may = is.limit.saturating_sub(self.counted(waiter.account, offer)) as u64;
            let mut units = u64::from(waiter.units.min(is.most)).min(may).min(left) as u32;
            let own = variant.and_then(|name| is.variants.iter().find(|one| one.name == name)?.price);
            if self.is_limited(waiter.account, own.unwrap_or(is.price) * i64::from(units)) {
                units = 0;
            }
            if units > 0 && units < waiter.units && is.rest_waits && waiter.post.0 != "x" {
                self.waiting[here].units -= units;
            } else {
                self.waiting.remove(here);
            }
            if units > 0 {
                let n =
                    self.hold(&is, offer, (waiter.account, waiter.post.clone()), variant, units, self.now);
                if let Some(seen) = self.posts.get_mut(&waiter.post) {
                    seen.purchase = Some(n);
                }
            }
        }
    }

    /// Every line of an offer.
    pub fn serve_all(&mut self, offer: usize) {
        let names: Vec<_> = self.offers[offer].variants.iter().map(|one| one.name.clone()).collect();
        if names.is_empty() {
            return self.serve(offer, None);
        }
        for name in names {
            self.serve(offer, Some(&name));
        }
    }

    /// A hold begins.
    pub fn hold(
        &mut self,
        is: &Offer,
        offer: usize,
        (account, post): (usize, super::model::Name),
        variant: Option<&str>,
        units: u32,
        created_at: i64,
    ) -> usize {
        let own = variant.and_then(|name| is.variants.iter().find(|one| one.name == name)?.price);
        self.purchases.push(Purchase {
            id: None,
            post,
            account,
            offer,
            price: own.unwrap_or(is.price) * i64::from(units),
            units,
            variant: variant.map(str::to_owned),
            status: PurchaseStatus::Pending,
            created_at,
            arrived_at: self.now,
            settled_at: None,
            waits: false,
            expires_at: self.now + REPLY_WAIT_MS + is.window_ms,
            window_ms: is.window_ms,
            window_set: false,
            customer: None,
            attempts: Vec::new(),
            refunds: Vec::new(),
            order: None,
            order_id: None,
            restocked: false,
            confirmed: None,
            authenticate_by: None,
        });
        self.purchases.len() - 1
    }

    /// Somebody joins the end of a line.
    pub fn join(
        &mut self,
        offer: usize,
        account: usize,
        post: (&str, &str, &str),
        variant: Option<&str>,
        units: u32,
    ) {
        let (network, id, user) = post;
        self.joined += 1;
        self.waiting.push(Waiter {
            offer,
            account,
            post: (network.to_owned(), id.to_owned()),
            user: user.to_owned(),
            variant: variant.map(str::to_owned),
            units,
            joined_at: self.now,
            number: self.joined,
        });
        if let Some(ends_at) = self.offers[offer].ends_at {
            self.due.insert((ends_at, self.offers[offer].id));
        }
    }

    /// Leaves a line, if it stands there.
    pub fn leave(&mut self, account: usize, offer: usize) -> bool {
        let here = self.waits(account, offer);
        if let Some(n) = here {
            self.waiting.remove(n);
        }
        here.is_some()
    }

    /// Lists that are due: of offers that are over, a few places at a time.
    pub fn look(&mut self, slice: usize) {
        let due: Vec<_> = self.due.iter().filter(|(at, _)| *at <= self.now).take(slice).copied().collect();
        for key in due {
            self.due.remove(&key);
            let offer = self.offers.iter().position(|one| one.id == key.1).unwrap();
            let is = &self.offers[offer];
            if is.status != OfferStatus::Ended && is.ends_at.is_none_or(|end| self.now < end) {
                self.serve_all(offer);
                continue;
            }
            let mut line: Vec<_> = self.waiting.iter().filter(|one| one.offer == offer).cloned().collect();
            line.sort_by_key(|one| (one.variant.clone(), one.number));
            for gone in line.iter().take(slice) {
                self.waiting.retain(|one| one.number != gone.number);
            }
            if line.len() >= slice {
                self.due.insert((self.now, key.1));
                break;
            }
        }
    }
}
