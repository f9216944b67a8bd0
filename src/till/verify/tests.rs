//! States with one thing broken each: every damage is named.

use super::check;
use crate::store::{Store, Tx};
use crate::till::apply::apply;
use crate::till::command::{ChargeAnswer, Command, NewOffer, Outcome};
use crate::till::context::Context;
use crate::till::id::{IdSource, OfferId, PurchaseId, ReplyId};
use crate::till::money::{Currency, Money};
use crate::till::record::{AttemptState, SettingsRecord, WorkKind, WorkRecord};
use crate::till::samples;
use crate::till::state::{Read, Span, Write};
use crate::till::table::{
    Buyers, Counter, Counters, Deadlines, Events, Hashtags, Identities, Lookalikes, Orders, Outbox,
    Purchases, Replies, Stocks, Text, Work,
};
use crate::till::time::Time;
use crate::till::words::Words;

struct Sale {
    paid: PurchaseId,
    capturing: PurchaseId,
    pending: PurchaseId,
    offer: OfferId,
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// One purchase paid, one capturing, one pending.
fn sale(tx: &mut Tx<'_>) -> Sale {
    let mut ids = IdSource::new([3, 4]);
    let mut cx = Context { now: Time::from_ms(1_360_677_600_000), words: Words::built_in(), ids: &mut ids };
    let Outcome::Merchant(merchant) =
        apply(tx, &mut cx, &Command::CreateMerchant { name: text("Shop") }).unwrap()
    else {
        unreachable!()
    };
    let offer = NewOffer {
        quantity: Some(3),
        ..NewOffer::new(merchant, "#BuyShirt", "Shirt", Money { amount: 1500, currency: Currency::USD })
    };
    let Outcome::Offer(offer) = apply(tx, &mut cx, &Command::CreateOffer(Box::new(offer))).unwrap() else {
        unreachable!()
    };
    let mut purchases = Vec::new();
    for name in ["alice", "bob", "carl"] {
        let account = samples::buyer("x", name);
        apply(tx, &mut cx, &Command::CreateAccount(Box::new(account))).unwrap();
        for tag in ["buyshirt", "confirmshirt"] {
            if tag == "confirmshirt" && name == "carl" {
                continue;
            }
            let post = samples::post("x", name, &format!("{name}-{tag}"), tag);
            let Outcome::Post(answer) = apply(tx, &mut cx, &Command::JudgePost(post)).unwrap() else {
                unreachable!()
            };
            purchases.push(answer.purchase.unwrap());
        }
    }
    let (paid, capturing, pending) = (purchases[0], purchases[2], purchases[4]);
    let charged = Command::Charged { purchase: paid, attempt: 1, answer: ChargeAnswer::Paid };
    apply(tx, &mut cx, &charged).unwrap();
    Sale { paid, capturing, pending, offer }
}

/// Breaks a sound state and expects a problem that says `named`.
fn damage(named: &str, breaks: impl FnOnce(&mut Tx<'_>, &Sale)) {
    let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
    let store = Store::in_memory(&fresh).unwrap();
    let mut batch = store.batch().unwrap();
    let mut tx = batch.begin();
    let sale = sale(&mut tx);
    let sound = check(&tx).unwrap();
    assert!(sound.holds(), "{:?}", sound.problems);
    assert_eq!(sound.counts["purchases"], 3);
    breaks(&mut tx, &sale);
    let report = check(&tx).unwrap();
    assert!(!report.holds(), "nobody noticed: {named}");
    assert!(report.problems.iter().any(|problem| problem.contains(named)), "{named}: {:?}", report.problems);
}

#[test]
fn wrong_stock() {
    let change = |held: u64, sold: u64, quantity| {
        move |tx: &mut Tx<'_>, sale: &Sale| {
            let mut stock = tx.must::<Stocks>(&sale.offer).unwrap();
            stock.all.held += held;
            stock.all.sold += sold;
            stock.all.quantity = Some(quantity);
            tx.put::<Stocks>(&sale.offer, &stock).unwrap();
        }
    };
    damage("holds 3 units, but purchases hold 2", change(1, 0, 9));
    damage("has sold 2 units, but purchases bought 1", change(0, 1, 9));
    damage("oversold", change(0, 0, 2));
    damage("stocks", |tx, sale| tx.delete::<Stocks>(&sale.offer));
}

#[test]
fn wrong_deadlines() {
    damage("has no deadline", |tx, sale| {
        let at = tx.must::<Purchases>(&sale.pending).unwrap().release_at;
        tx.delete::<Deadlines>(&(at, sale.pending));
    });
    damage("that is not its own", |tx, sale| {
        tx.put::<Deadlines>(&(Time::from_ms(5), sale.paid), &()).unwrap();
    });
    damage("which is missing", |tx, _| {
        tx.put::<Deadlines>(&(Time::from_ms(5), PurchaseId(1)), &()).unwrap();
    });
}

#[test]
fn wrong_money() {
    damage("nobody asks the gateway", |tx, sale| tx.delete::<Work>(&(WorkKind::Capture, sale.capturing.0)));
    damage("has work, but is not in flight", |tx, sale| {
        let work = WorkRecord { due_at: Time::from_ms(5), unknowns: 0 };
        tx.put::<Work>(&(WorkKind::Capture, sale.paid.0), &work).unwrap();
    });
    damage("was charged 2 times", |tx, sale| {
        let mut record = tx.must::<Purchases>(&sale.paid).unwrap();
        let mut again = record.attempts[0].clone();
        again.number = 2;
        record.attempts.push(again);
        tx.put::<Purchases>(&sale.paid, &record).unwrap();
    });
    damage("without an attempt under way", |tx, sale| {
        let mut record = tx.must::<Purchases>(&sale.capturing).unwrap();
        record.attempts[0].state = AttemptState::Lost;
        tx.put::<Purchases>(&sale.capturing, &record).unwrap();
    });
}

#[test]
fn wrong_orders_and_buyers() {
    damage("does not name it back", |tx, sale| {
        let order = tx.must::<Purchases>(&sale.paid).unwrap().order.unwrap();
        tx.delete::<Orders>(&order);
    });
    damage("was paid and has no order", |tx, sale| {
        let mut record = tx.must::<Purchases>(&sale.paid).unwrap();
        record.order = None;
        tx.put::<Purchases>(&sale.paid, &record).unwrap();
    });
    damage("towards the limit", |tx, _| {
        let (key, mut buyer) = tx.first::<Buyers>(&Span::all(), 1).unwrap().remove(0);
        buyer.earlier += 1;
        tx.put::<Buyers>(&key, &buyer).unwrap();
    });
    damage("belong to buyers, but there are 3", |tx, _| {
        let (key, _) = tx.first::<Buyers>(&Span::all(), 1).unwrap().remove(0);
        tx.delete::<Buyers>(&key);
    });
}

#[test]
fn wrong_names_and_logs() {
    damage("the link of its identity", |tx, _| {
        let (key, _) = tx.first::<Identities>(&Span::all(), 1).unwrap().remove(0);
        tx.delete::<Identities>(&key);
    });
    damage("without its hashtag", |tx, _| tx.delete::<Hashtags>(&Text(text("buyshirt"))));
    damage("not found by its look", |tx, _| {
        let (key, _) = tx.first::<Lookalikes>(&Span::all(), 1).unwrap().remove(0);
        tx.delete::<Lookalikes>(&key);
    });
    damage("which does not fit its queue", |tx, _| {
        let (key, ()) = tx.first::<Outbox>(&Span::all(), 1).unwrap().remove(0);
        tx.delete::<Outbox>(&key);
    });
    damage("names a record of replies", |tx, _| {
        let (id, _): (ReplyId, _) = tx.first::<Replies>(&Span::all(), 1).unwrap().remove(0);
        tx.delete::<Replies>(&id);
    });
    damage("stands where 2 should", |tx, _| tx.delete::<Events>(&2));
    damage("the last event is", |tx, _| tx.put::<Counters>(&Counter::LastEvent, &99).unwrap());
}
