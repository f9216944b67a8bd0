//! Fills a data file through the till's own rules, without HTTP and without waiting for a gateway.
//!
//! Each record comes from the command that makes it in service: posts are judged, replies reported as sent, charges
//! answered. Only two things are missing: the sandbox gateway's ledger, which keeps all its charges in memory, knows
//! nothing of purchases filled in; and thousands of commands share one commit.

use super::crowd::{Buyer, Crowd, NETWORK, handle, hashtag, user_id};
use super::progress::Progress;
use crate::cli::{Failure, failure};
use crate::engine::wall_ms;
use crate::payments::Gateway as _;
use crate::payments::Sandbox;
use crate::store::{Batch, Store};
use crate::till::apply::apply;
use crate::till::charge::attempt_key;
use crate::till::command::{
    BuyerLimitsChange, ChargeAnswer, Command, LimitsChange, NewAccount, NewOffer, OfferChange, Outcome, Post,
    PostAnswer,
};
use crate::till::context::Context;
use crate::till::id::{IdSource, MerchantId, OfferId};
use crate::till::money::{AMOUNT_MAX, Currency, Money};
use crate::till::record::{Address, Identity, PaymentMethod, Recipient, SettingsRecord};
use crate::till::state::{Direction, Read as _, Span, Write as _};
use crate::till::table::{Counter, Counters, Offers};
use crate::till::text::fold;
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use crate::till::words::Words;
use std::ops::ControlFlow;
use std::path::Path;

/// Records that go into one commit, in accounts or purchases.
const PER_COMMIT: u64 = 4000;
/// How much of the file is kept in memory while it is filled.
const CACHE_BYTES: usize = 512 * 1024 * 1024;
/// Enough that no bench sells out.
const QUANTITY: u64 = 1_000_000_000;
/// Enough that no buyer of a bench reaches it.
const LIMIT: u32 = 1_000_000;

/// The limits of a till are looked at, but stop nobody: the same few buyers come again and again.
fn wide_limits() -> LimitsChange {
    let wide = BuyerLimitsChange {
        open_holds: Some(Some(LIMIT)),
        purchases_per_day: Some(Some(LIMIT)),
        spending_per_day: Some(vec![Money { amount: AMOUNT_MAX, currency: Currency::USD }]),
    };
    LimitsChange {
        per_account: wide.clone(),
        per_card: wide,
        pause_after_expired_holds: Some(Some(1000)),
        captures_per_hour: Some(Some(100_000_000)),
        ..LimitsChange::default()
    }
}

/// A data file that is being filled.
pub struct Filler {
    store: Store,
    ids: IdSource,
    now: Time,
    crowd: Crowd,
    offers: Vec<OfferId>,
}

impl Filler {
    /// Opens a sandbox's file, or makes a fresh one, to fill it with the doings of `crowd`.
    pub fn open(data: &Path, crowd: &Crowd) -> Result<Self, Failure> {
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store = Store::open(data, CACHE_BYTES, &fresh).map_err(failure)?;
        let snapshot = store.snapshot().map_err(failure)?;
        let last = snapshot.get::<Counters>(&Counter::LastTime).map_err(failure)?.unwrap_or(0);
        let now = Time::from_ms(wall_ms().max(i64::try_from(last).unwrap_or(0)));
        let mut offers = Vec::new();
        let all = Span::all();
        snapshot
            .scan::<Offers>(&all, Direction::Up, |id, _| {
                offers.push(id);
                ControlFlow::Continue(())
            })
            .map_err(failure)?;
        drop(snapshot);
        let seed = [getrandom::u64().map_err(failure)?, getrandom::u64().map_err(failure)?];
        Ok(Self { store, ids: IdSource::new(seed), now, crowd: crowd.clone(), offers })
    }

    /// A merchant with `offers` offers, and every account of the crowd.
    pub fn shop(&mut self, offers: u64, progress: &Progress) -> Result<(), Failure> {
        let mut batch = self.store.batch().map_err(failure)?;
        let made = self.apply(&mut batch, &Command::CreateMerchant { name: "Shop".to_owned() })?;
        let Outcome::Merchant(merchant) = made else { return Err(unexpected(&made)) };
        self.apply(&mut batch, &Command::PutLimits(Box::new(wide_limits())))?;
        for number in 0..offers {
            let offer = Command::CreateOffer(Box::new(offer(merchant, number)));
            let Outcome::Offer(id) = self.apply(&mut batch, &offer)? else { return Err("no offer".into()) };
            self.offers.push(id);
        }
        self.commit(batch)?;
        let method = Sandbox::default().resolve("tok_visa").map_err(Failure::from)?;
        let accounts = self.crowd.accounts();
        self.in_commits(accounts, &progress.of("accounts", accounts), |filler, batch, number| {
            filler.apply(batch, &Command::CreateAccount(Box::new(account(number, &method)))).map(drop)
        })
    }

    /// How long the confirmation window of every offer is from now on.
    pub fn window(&mut self, seconds: u32) -> Result<(), Failure> {
        let mut batch = self.store.batch().map_err(failure)?;
        for id in self.offers.clone() {
            let change = OfferChange { confirm_window_seconds: Some(seconds), ..OfferChange::default() };
            let command = Command::UpdateOffer { id, merchant: None, change: Box::new(change) };
            self.apply(&mut batch, &command)?;
        }
        self.commit(batch)
    }

    /// `count` holds of as many buyers, whose replies are all out at this same moment; returns that moment. Each
    /// account holds one unit of an offer at most, so the crowd has to be large enough.
    pub fn holds(&mut self, count: u64, progress: &Progress) -> Result<Time, Failure> {
        self.in_commits(count, &progress.of("holds", count), |filler, batch, _| {
            let buyer = filler.crowd.next();
            filler.hold(batch, buyer).map(drop)
        })?;
        Ok(self.now)
    }

    /// `count` purchases from the first post to the order, paid and with all replies out.
    pub fn purchases(&mut self, count: u64, progress: &Progress) -> Result<(), Failure> {
        self.in_commits(count, &progress.of("purchases", count), |filler, batch, _| {
            let buyer = filler.crowd.next();
            let held = filler.hold(batch, buyer)?;
            let tag = hashtag(buyer.offer).replacen("Buy", "Confirm", 1);
            let confirmed = filler.judge(batch, buyer, &tag, Verdict::Confirmed)?;
            let purchase = held.purchase.ok_or("a hold without a purchase")?;
            filler.sent(batch, &confirmed)?;
            let reference = format!("sbx_{}", attempt_key(purchase, 1));
            for answer in [ChargeAnswer::Created(reference), ChargeAnswer::Paid] {
                filler.apply(batch, &Command::Charged { purchase, attempt: 1, answer })?;
            }
            Ok(())
        })
    }

    /// Does something `count` times, in large commits.
    fn in_commits(
        &mut self,
        count: u64,
        progress: &Progress,
        mut each: impl FnMut(&mut Self, &mut Batch, u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut done = 0;
        while done < count {
            progress.go_on(done)?;
            let until = count.min(done + PER_COMMIT);
            let mut batch = self.store.batch().map_err(failure)?;
            for number in done..until {
                each(self, &mut batch, number)?;
            }
            self.commit(batch)?;
            done = until;
        }
        progress.done();
        Ok(())
    }

    fn hold(&mut self, batch: &mut Batch, buyer: Buyer) -> Result<PostAnswer, Failure> {
        let held = self.judge(batch, buyer, &hashtag(buyer.offer), Verdict::Pending)?;
        self.sent(batch, &held)?;
        Ok(held)
    }

    fn judge(
        &mut self,
        batch: &mut Batch,
        buyer: Buyer,
        tag: &str,
        verdict: Verdict,
    ) -> Result<PostAnswer, Failure> {
        let author = Recipient { user_id: user_id(buyer.account).to_string(), handle: handle(buyer.account) };
        let post = Post {
            network: NETWORK.to_owned(),
            id: self.crowd.post_id().to_string(),
            author,
            hashtags: vec![fold(tag)],
            text: String::new(),
            created_at: None,
            repost_of: None,
            quote_of: None,
            to_us: None,
            language: None,
        };
        match self.apply(batch, &Command::JudgePost(post))? {
            Outcome::Post(answer) if answer.verdict == verdict => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    /// The reply is out.
    fn sent(&mut self, batch: &mut Batch, answer: &PostAnswer) -> Result<(), Failure> {
        let Some((id, _)) = &answer.reply else { return Ok(()) };
        let post_id = id.to_string();
        let command = Command::ReplySent { id: *id, network: None, post_id, sent_at: None };
        self.apply(batch, &command).map(drop)
    }

    fn apply(&mut self, batch: &mut Batch, command: &Command) -> Result<Outcome, Failure> {
        let mut tx = batch.begin();
        let mut context = Context { now: self.now, words: Words::built_in(), ids: &mut self.ids };
        let outcome = apply(&mut tx, &mut context, command)
            .map_err(|fault| Failure::from(format!("the file could not be filled: {fault:?}")))?;
        tx.keep();
        Ok(outcome)
    }

    fn commit(&mut self, mut batch: Batch) -> Result<(), Failure> {
        let mut tx = batch.begin();
        tx.put::<Counters>(&Counter::LastTime, &self.now.key_ms()).map_err(failure)?;
        tx.keep();
        self.store.commit(batch).map_err(failure)
    }
}

fn unexpected(outcome: &Outcome) -> Failure {
    Failure::from(format!("the file could not be filled: a command came to {outcome:?}"))
}

fn offer(merchant: MerchantId, number: u64) -> NewOffer {
    NewOffer {
        quantity: Some(QUANTITY),
        per_account_limit: LIMIT,
        ..NewOffer::new(
            merchant,
            &hashtag(number),
            &format!("Thing number {number}"),
            Money { amount: 1500, currency: Currency::USD },
        )
    }
}

fn account(number: u64, method: &PaymentMethod) -> NewAccount {
    let identity = Identity {
        network: NETWORK.to_owned(),
        user_id: user_id(number).to_string(),
        handle: handle(number),
    };
    NewAccount {
        identities: vec![identity],
        email: Some(format!("buyer{number}@example.com")),
        billing_address: Address {
            name: format!("Buyer Number {number}"),
            line1: "1 Main Street".to_owned(),
            line2: None,
            city: "Springfield".to_owned(),
            region: Some("IL".to_owned()),
            postal_code: "62701".to_owned(),
            country: "US".to_owned(),
        },
        payment_method: method.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::verify;

    #[test]
    fn what_is_filled_in_holds() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("filled.redb");
        let crowd = Crowd::new(50, 3);
        let quiet = Progress::quiet();
        let mut filler = Filler::open(&data, &crowd).unwrap();
        filler.shop(3, &quiet).unwrap();
        filler.purchases(120, &quiet).unwrap();
        drop(filler);
        let mut filler = Filler::open(&data, &crowd).unwrap();
        filler.window(3600).unwrap();
        filler.holds(40, &quiet).unwrap();
        let report = verify::check(&filler.store.snapshot().unwrap()).unwrap();
        assert!(report.holds(), "{:?}", report.problems);
        for (table, count) in
            [("accounts", 50), ("purchases", 160), ("orders", 120), ("deadlines", 40), ("outbox", 0)]
        {
            assert_eq!(report.counts.get(table), Some(&count), "{table}");
        }
    }
}
