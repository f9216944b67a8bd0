//! What the log and the journal come to for one reader: everything, or what is one merchant's. Counts by hour and day
//! only, so that its size does not follow the log's.

use super::view::{AmountView, BucketView, ConfirmingView, FunnelView, SliceView, SumView, TakingsView};
use crate::till::id::{EntryId, MerchantId, OrderId};
use crate::till::money::Currency;
use crate::till::record::{EntryKind, EntryRecord, EventKind, EventRecord, OrderRecord, OrderStatus};
use crate::till::time::Time;
use std::collections::BTreeMap;

/// Days that are counted: today is the last.
pub const DAYS: i64 = 30;
/// Hours that are shown: the one under way is the last.
const HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Orders are to be shipped within two days.
const LATE_HOURS: i64 = 48;
/// Random bits below the time in an id.
const RANDOM_BITS: u32 = 80;

/// Up to how many seconds each bucket of the time to confirm goes; what is longer falls into one more.
const BOUNDS_SECONDS: [u32; 11] = [15, 30, 60, 120, 180, 300, 450, 600, 900, 1800, 3600];

/// An event, with what its record does not say.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// What the log says.
    pub event: EventRecord,
    /// Of a parcel: whether it was the order's last.
    pub last_parcel: bool,
    /// Of what was paid: how many units.
    pub units: u32,
}

/// Counts of an hour or a day.
#[derive(Clone, Debug, Default)]
struct Slot {
    pending: u64,
    confirmed: u64,
    paid: u64,
    shipped: u64,
    declined: u64,
    refunds_failed: u64,
    confirming: [u64; BOUNDS_SECONDS.len() + 1],
    money: Vec<TakingsView>,
}

/// What one reader may know.
#[derive(Debug)]
pub struct Tally {
    /// Whose; `None`: everything.
    pub scope: Option<MerchantId>,
    /// The sequence of the last event that is counted.
    pub events: u64,
    /// The last entry of the journal that is counted.
    pub entries: EntryId,
    /// From when on it counts.
    pub since: Time,
    /// The last event before that.
    pub first: u64,
    hours: BTreeMap<i64, Slot>,
    days: BTreeMap<i64, Slot>,
    /// Orders that are not shipped, by the hour of their payment.
    unshipped: BTreeMap<i64, u64>,
    /// The last order from before the counting that was looked at, and the last there can be.
    old: (OrderId, OrderId),
}

/// When the thing of an id was made, in milliseconds.
fn made_ms(id: u128) -> i64 {
    i64::try_from(id >> RANDOM_BITS).unwrap_or(0)
}

/// When the counting begins: with the first of thirty days.
pub fn since(now: Time) -> Time {
    Time::from_ms((i64::from(now.day()) - DAYS + 1) * DAY_MS)
}

impl Tally {
    /// One that has counted nothing yet: it goes on after the event `before`.
    pub fn new(scope: Option<MerchantId>, since: Time, before: u64) -> Self {
        let entries = EntryId(EntryId::first_at(since).0.saturating_sub(1));
        let old = (OrderId(0), OrderId(OrderId::first_at(since).0.saturating_sub(1)));
        let (hours, days, unshipped) = Default::default();
        Self { scope, events: before, entries, since, first: before, hours, days, unshipped, old }
    }

    /// Where orders from before the counting are still to be looked at: after this one, up to that one.
    pub fn old_orders(&self) -> Option<(OrderId, OrderId)> {
        Some(self.old).filter(|(read, end)| read < end)
    }

    /// All orders from before the counting up to this one were looked at.
    pub fn old_orders_until(&mut self, last: OrderId) {
        self.old.0 = last;
    }

    /// Counts an order from before the counting, as it is now: all events so far have to be counted.
    pub fn take_old(&mut self, id: OrderId, order: &OrderRecord) {
        if order.status == OrderStatus::Unfulfilled && self.is_mine(Some(order.merchant)) {
            *self.unshipped.entry(hour_of(id)).or_default() += 1;
        }
    }

    fn is_mine(&self, merchant: Option<MerchantId>) -> bool {
        self.scope.is_none() || self.scope == merchant
    }

    /// Does the same to the hour and the day of a time.
    fn at(&mut self, time: Time, mut change: impl FnMut(&mut Slot)) {
        change(self.hours.entry(time.ms().div_euclid(HOUR_MS)).or_default());
        change(self.days.entry(time.ms().div_euclid(DAY_MS)).or_default());
    }

    /// Counts an event.
    pub fn take(&mut self, seen: &Seen) {
        let event = &seen.event;
        if !self.is_mine(event.merchant) {
            return;
        }
        match event.kind {
            EventKind::PurchasePending => self.at(event.at, |slot| slot.pending += 1),
            EventKind::PurchaseConfirmed => {
                let begun_ms = event.purchase.map_or(0, |purchase| made_ms(purchase.0));
                let bucket = bucket_of(event.at.ms().saturating_sub(begun_ms));
                self.at(event.at, |slot| {
                    slot.confirmed += 1;
                    if let Some(count) = slot.confirming.get_mut(bucket) {
                        *count += 1;
                    }
                });
            }
            EventKind::PurchasePaid => self.at(event.at, |slot| slot.paid += 1),
            EventKind::PurchaseDeclined => self.at(event.at, |slot| slot.declined += 1),
            EventKind::RefundFailed => self.at(event.at, |slot| slot.refunds_failed += 1),
            EventKind::OrderCreated => {
                if let Some(order) = event.order {
                    *self.unshipped.entry(hour_of(order)).or_default() += 1;
                }
            }
            EventKind::OrderShipped if seen.last_parcel => {
                self.at(event.at, |slot| slot.shipped += 1);
                self.close(event.order);
            }
            EventKind::OrderCancelled => self.close(event.order),
            _ => {}
        }
    }

    /// An order has nothing to ship any more. One that is yet to be looked at will be seen as it is then.
    fn close(&mut self, order: Option<OrderId>) {
        let order = order
            .filter(|order| !self.old_orders().is_some_and(|(read, end)| read < *order && *order <= end));
        if let Some(count) = order.and_then(|order| self.unshipped.get_mut(&hour_of(order))) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts an entry of the journal.
    pub fn enter(&mut self, entry: &EntryRecord) {
        if !self.is_mine(Some(entry.merchant)) {
            return;
        }
        let amount = entry.amount();
        self.at(entry.at, |slot| slot.enter(entry.kind, entry.currency, amount));
    }

    /// Forgets what is too long ago to be shown.
    pub fn forget(&mut self, now: Time) {
        let (hour, day) = (now.ms().div_euclid(HOUR_MS), i64::from(now.day()));
        self.hours = self.hours.split_off(&(hour - HOURS + 1));
        self.days = self.days.split_off(&(day - DAYS + 1));
        self.unshipped.retain(|_, count| *count > 0);
    }

    fn today(&self, now: Time) -> Slot {
        self.days.get(&i64::from(now.day())).cloned().unwrap_or_default()
    }

    /// Purchases that were paid today, and the money of today.
    pub fn money(&self, now: Time) -> (u64, Vec<TakingsView>) {
        let Slot { paid, mut money, .. } = self.today(now);
        money.sort_by_key(|takings| std::cmp::Reverse((takings.sales.count, takings.sales.amount)));
        (paid, money)
    }

    /// What was sold in each of the last hours and on each of the last days.
    pub fn sales(&self, now: Time) -> (Vec<SliceView>, Vec<SliceView>) {
        let of = |slots: &BTreeMap<i64, Slot>, count: i64, span_ms: i64| {
            let last = now.ms().div_euclid(span_ms);
            let slice = |slice: i64| Slot::slice(slots.get(&slice), Time::from_ms(slice * span_ms));
            (last - count + 1..=last).map(slice).collect()
        };
        (of(&self.hours, HOURS, HOUR_MS), of(&self.days, DAYS, DAY_MS))
    }

    /// How many came how far today, and on all days.
    pub fn funnels(&self, now: Time, posts: Option<(u64, u64)>) -> (FunnelView, FunnelView) {
        let all = self.days.values().fold(Slot::default(), Slot::plus);
        let (today, days) = (posts.map(|(today, _)| today), posts.map(|(_, days)| days));
        (self.today(now).funnel(today), all.funnel(days))
    }

    /// How long buyers took to confirm today, and on all days.
    pub fn confirming(&self, now: Time) -> (ConfirmingView, ConfirmingView) {
        let all = self.days.values().fold(Slot::default(), Slot::plus);
        (confirming(&self.today(now).confirming), confirming(&all.confirming))
    }

    /// Cards that were declined in the last 24 hours.
    pub fn declined(&self) -> u64 {
        self.hours.values().map(|slot| slot.declined).sum()
    }

    /// Refunds that failed in the last seven days.
    pub fn refunds_failed(&self, now: Time) -> u64 {
        self.days.range(i64::from(now.day()) - 6..).map(|(_, slot)| slot.refunds_failed).sum()
    }

    /// Orders that are not shipped, and how many of them have waited for more than two days.
    pub fn unshipped(&self, now: Time) -> (u64, u64) {
        let late = now.ms().div_euclid(HOUR_MS) - LATE_HOURS;
        (self.unshipped.values().sum(), self.unshipped.range(..late).map(|(_, count)| count).sum())
    }
}

fn hour_of(order: OrderId) -> i64 {
    made_ms(order.0).div_euclid(HOUR_MS)
}

fn bucket_of(ms: i64) -> usize {
    BOUNDS_SECONDS.iter().take_while(|bound| i64::from(**bound) * 1000 < ms).count()
}

impl Slot {
    fn enter(&mut self, kind: EntryKind, currency: Currency, amount: i64) {
        let known = self.money.iter().position(|takings| takings.currency == currency);
        let place = known.unwrap_or(self.money.len());
        if known.is_none() {
            let none = SumView::default();
            self.money.push(TakingsView { currency, sales: none, refunds: none, disputes: none, net: 0 });
        }
        let Some(takings) = self.money.get_mut(place) else { return };
        let (sum, sign) = match kind {
            EntryKind::Charge => (&mut takings.sales, 1),
            EntryKind::Refund => (&mut takings.refunds, 1),
            EntryKind::RefundReturned => (&mut takings.refunds, -1),
            EntryKind::Dispute => (&mut takings.disputes, 1),
            EntryKind::DisputeWon => (&mut takings.disputes, -1),
            // A charge that came too late is the buyer's; deals have no sales.
            _ => return,
        };
        if sign > 0 {
            sum.count += 1;
        }
        sum.amount = sum.amount.saturating_add(amount.saturating_mul(sign));
        let gone = takings.refunds.amount.saturating_add(takings.disputes.amount);
        takings.net = takings.sales.amount.saturating_sub(gone);
    }

    fn slice(slot: Option<&Self>, at: Time) -> SliceView {
        let money = slot.map(|slot| slot.money.as_slice()).unwrap_or_default();
        let sold = || money.iter().filter(|takings| takings.sales.count > 0);
        let amount =
            |takings: &TakingsView| AmountView { currency: takings.currency, amount: takings.sales.amount };
        SliceView {
            at,
            count: sold().map(|takings| takings.sales.count).sum(),
            amounts: sold().map(amount).collect(),
        }
    }

    /// With the counts of another one added; its money is left out.
    fn plus(mut self, other: &Self) -> Self {
        self.pending += other.pending;
        self.confirmed += other.confirmed;
        self.paid += other.paid;
        self.shipped += other.shipped;
        for (sum, count) in self.confirming.iter_mut().zip(other.confirming) {
            *sum += count;
        }
        self
    }

    fn funnel(&self, posts: Option<u64>) -> FunnelView {
        let Self { pending, confirmed, paid, shipped, .. } = *self;
        FunnelView { posts, pending, confirmed, paid, shipped }
    }
}

fn confirming(counts: &[u64; BOUNDS_SECONDS.len() + 1]) -> ConfirmingView {
    let bounds = BOUNDS_SECONDS.iter().copied().map(Some).chain([None]);
    let buckets =
        bounds.zip(counts).map(|(up_to_seconds, count)| BucketView { up_to_seconds, count: *count });
    ConfirmingView {
        count: counts.iter().sum(),
        p50_seconds: quantile(counts, 50),
        p90_seconds: quantile(counts, 90),
        buckets: buckets.collect(),
    }
}

/// How many seconds so many in a hundred took at most, as if they lay evenly within their bucket.
fn quantile(counts: &[u64], percent: u64) -> Option<u32> {
    let all: u64 = counts.iter().sum();
    let wanted = (all * percent).div_ceil(100);
    let (mut before, mut from) = (0, 0);
    for (place, count) in counts.iter().enumerate() {
        let to = BOUNDS_SECONDS.get(place).copied().unwrap_or(from);
        if *count > 0 && before + count >= wanted {
            let within = u64::from(to - from) * (wanted - before) / count;
            return Some(from.saturating_add(u32::try_from(within).unwrap_or(0)));
        }
        before += count;
        from = to;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::id::{OfferId, PurchaseId};
    use crate::till::record::{Book, Posting};

    const TEA: MerchantId = MerchantId(1);
    const CUP: MerchantId = MerchantId(2);

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    fn seen(kind: EventKind, time: Time, merchant: MerchantId) -> Seen {
        let event = EventRecord {
            merchant: Some(merchant),
            offer: Some(OfferId(7)),
            purchase: Some(PurchaseId::first_at(time.plus_seconds(-100))),
            order: Some(OrderId::first_at(time)),
            ..EventRecord::new(kind, time)
        };
        Seen { event, last_parcel: true, units: 1 }
    }

    fn entry(kind: EntryKind, time: Time, amount: i64) -> EntryRecord {
        let side = |book, amount| Posting { book, amount };
        EntryRecord {
            kind,
            at: time,
            merchant: TEA,
            currency: Currency::USD,
            postings: vec![side(Book::GatewayClearing, amount), side(Book::MerchantPayable, -amount)],
            gateway: "sandbox".to_owned(),
            reference: "r".to_owned(),
            purchase: None,
            refund: None,
            dispute: None,
            credit: None,
        }
    }

    #[test]
    fn counts_what_is_its_own_by_hour_and_day() {
        let now = at("2013-02-12T14:30:00Z");
        let mut tally = Tally::new(Some(TEA), since(now), 0);
        for (kind, time, merchant) in [
            (EventKind::PurchasePending, now, TEA),
            (EventKind::PurchasePending, now, CUP),
            (EventKind::PurchaseConfirmed, now, TEA),
            (EventKind::PurchasePaid, now, TEA),
            (EventKind::PurchasePending, at("2013-02-11T23:59:59Z"), TEA),
            (EventKind::PurchaseDeclined, at("2013-02-11T14:59:59Z"), TEA),
        ] {
            tally.take(&seen(kind, time, merchant));
        }
        tally.forget(now);
        let (today, days) = tally.funnels(now, Some((9, 10)));
        assert_eq!((today.pending, today.confirmed, today.paid, today.posts), (1, 1, 1, Some(9)));
        assert_eq!((days.pending, days.posts), (2, Some(10)));
        assert_eq!(tally.declined(), 0, "more than 24 hours ago");
        let (today, _) = tally.confirming(now);
        assert_eq!((today.count, today.buckets[3].up_to_seconds, today.buckets[3].count), (1, Some(120), 1));
        assert_eq!(today.p50_seconds, Some(120));
        // A month later nothing of it is left.
        let later = at("2013-03-20T00:00:00Z");
        tally.forget(later);
        assert_eq!(tally.funnels(later, None).1.pending, 0);
        assert!(tally.hours.is_empty() && tally.days.is_empty());
    }

    #[test]
    fn money_is_what_came_without_what_went() {
        let now = at("2013-02-12T14:30:00Z");
        let mut tally = Tally::new(None, since(now), 0);
        for (kind, amount) in [
            (EntryKind::Charge, 3000),
            (EntryKind::Charge, 2000),
            (EntryKind::Refund, 700),
            (EntryKind::RefundReturned, 200),
            (EntryKind::Dispute, 2000),
            (EntryKind::LateCharge, 999),
        ] {
            tally.enter(&entry(kind, now, amount));
        }
        tally.enter(&entry(EntryKind::Charge, at("2013-02-11T12:00:00Z"), 50));
        let (_, money) = tally.money(now);
        assert_eq!(money.len(), 1);
        assert_eq!(money[0].sales, SumView { count: 2, amount: 5000 });
        assert_eq!(money[0].refunds, SumView { count: 1, amount: 500 });
        assert_eq!(money[0].net, 2500);
        let (hours, days) = tally.sales(now);
        assert_eq!((hours.len(), days.len()), (24, 30));
        assert_eq!((hours[23].at, hours[23].count), (at("2013-02-12T14:00:00Z"), 2));
        assert_eq!((days[28].count, days[28].amounts[0].amount, days[29].count), (1, 50, 2));
    }

    #[test]
    fn orders_wait_until_their_last_parcel() {
        let now = at("2013-02-12T14:30:00Z");
        let mut tally = Tally::new(None, since(now), 0);
        let (old, new) = (at("2013-02-09T10:00:00Z"), at("2013-02-12T10:00:00Z"));
        for time in [old, old, new] {
            tally.take(&seen(EventKind::OrderCreated, time, TEA));
        }
        assert_eq!(tally.unshipped(now), (3, 2));
        let mut parcel = seen(EventKind::OrderShipped, old, TEA);
        parcel.last_parcel = false;
        tally.take(&parcel);
        assert_eq!(tally.unshipped(now), (3, 2), "more parcels are to come");
        tally.take(&seen(EventKind::OrderShipped, old, TEA));
        tally.take(&seen(EventKind::OrderCancelled, new, TEA));
        assert_eq!(tally.unshipped(now), (1, 1));
    }

    #[test]
    fn orders_from_before_the_counting_are_seen_as_they_are() {
        let now = at("2013-02-12T14:30:00Z");
        let mut tally = Tally::new(None, since(now), 0);
        let (old, older) = (at("2012-11-05T10:00:00Z"), at("2012-11-01T10:00:00Z"));
        // Shipped before anybody looked: it will be seen as shipped.
        tally.take(&seen(EventKind::OrderShipped, older, TEA));
        tally.old_orders_until(OrderId::first_at(older.plus_seconds(60)));
        *tally.unshipped.entry(hour_of(OrderId::first_at(older))).or_default() += 2;
        assert_eq!(tally.unshipped(now), (2, 2));
        tally.take(&seen(EventKind::OrderShipped, older, TEA));
        tally.take(&seen(EventKind::OrderShipped, old, TEA));
        tally.forget(now);
        assert_eq!(tally.unshipped(now), (1, 1), "one was looked at, the other was not yet");
    }

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let mut counts = [0; BOUNDS_SECONDS.len() + 1];
        assert_eq!(quantile(&counts, 50), None);
        counts[2] = 10;
        assert_eq!((quantile(&counts, 50), quantile(&counts, 90)), (Some(45), Some(57)));
        counts[11] = 10;
        assert_eq!(quantile(&counts, 90), Some(3600), "longer than the last bound");
        for (ms, bucket) in [(0, 0), (15_000, 0), (15_001, 1), (3_600_000, 10), (3_600_001, 11)] {
            assert_eq!(bucket_of(ms), bucket, "{ms}");
        }
    }
}
