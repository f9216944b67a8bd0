//! What time alone does, in bounded slices: frees what was not confirmed, drops stale replies, forgets old answers.

use super::command::Outcome;
use super::context::Context;
use super::record::PurchaseStatus;
use super::refusal::Result;
use super::state::{Key, Span, Write};
use super::table::{Deadlines, Idempotency, IdempotencyAges};
use super::time::Time;
use super::{endpoint, explain, link, notice, purchase, reply, waiting};

/// Answers to keyed requests are kept for 72 hours.
const ANSWER_SECONDS: i64 = 72 * 3600;

/// One tick. `expire_until` is the latest moment whose holds may be freed; `None`: none may. Replies, and what explains
/// posts, are kept for `keep_seconds`.
pub fn run<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    expire_until: Option<Time>,
    slice: usize,
    keep_seconds: u32,
) -> Result<Outcome> {
    let mut freed = 0;
    if let Some(until) = expire_until {
        let due = Span::all().before(&until.plus_ms(1).encode());
        for ((_, id), ()) in state.first::<Deadlines>(&due, slice)? {
            purchase::close(state, cx, id, PurchaseStatus::Expired)?;
            freed += 1;
        }
    }
    let mut most = freed;
    most = most.max(waiting::look(state, cx, slice)?);
    most = most.max(reply::drop_stale(state, cx, slice)?);
    most = most.max(reply::forget_old(state, cx, slice)?);
    most = most.max(forget_answers(state, cx, slice)?);
    most = most.max(endpoint::forget(state, cx.now.plus_seconds(-i64::from(keep_seconds)), slice)?);
    most = most.max(link::forget(state, cx.now, slice)?);
    most = most.max(notice::clean(state, cx.now, slice)?);
    most = most.max(explain::forget(state, cx.now.plus_seconds(-i64::from(keep_seconds)), slice)?);
    Ok(Outcome::Ticked { freed, more: most >= slice })
}

fn forget_answers<S: Write>(state: &mut S, cx: &Context<'_>, slice: usize) -> Result<usize> {
    let old = Span::all().before(&cx.now.plus_seconds(-ANSWER_SECONDS).encode());
    let due = state.first::<IdempotencyAges>(&old, slice)?;
    for (key, ()) in &due {
        state.delete::<IdempotencyAges>(key);
        state.delete::<Idempotency>(&key.1);
    }
    Ok(due.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, Tx};
    use crate::till::apply::apply;
    use crate::till::command::{Command, NewOffer};
    use crate::till::id::IdSource;
    use crate::till::money::{Currency, Money};
    use crate::till::record::{IdempotencyRecord, ReplyStatus, SettingsRecord};
    use crate::till::samples;
    use crate::till::state::Read as _;
    use crate::till::table::{Hash, Purchases, Replies, Stocks};
    use crate::till::words::Words;

    fn start() -> Time {
        Time::from_ms(1_360_677_600_000)
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn store() -> Store {
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        Store::in_memory(&fresh).unwrap()
    }

    fn tick(tx: &mut Tx<'_>, now: Time, expire_until: Option<Time>, slice: usize) -> (usize, bool) {
        let mut ids = IdSource::new([5, 6]);
        match run(
            tx,
            &mut Context { now, words: Words::built_in(), ids: &mut ids },
            expire_until,
            slice,
            7_776_000,
        )
        .unwrap()
        {
            Outcome::Ticked { freed, more } => (freed, more),
            other => panic!("{other:?}"),
        }
    }

    /// So many holds on one offer, each a second after the one before.
    fn hold(tx: &mut Tx<'_>, count: i64) {
        let mut ids = IdSource::new([1, 2]);
        let mut act = |now, command| {
            apply(tx, &mut Context { now, words: Words::built_in(), ids: &mut ids }, &command).unwrap()
        };
        let Outcome::Merchant(merchant) = act(start(), Command::CreateMerchant { name: text("Shop") }) else {
            panic!()
        };
        let offer = NewOffer {
            quantity: Some(100),
            per_account_limit: 100,
            ..NewOffer::new(merchant, "#BuyTea", "Tea", Money { amount: 900, currency: Currency::USD })
        };
        act(start(), Command::CreateOffer(Box::new(offer)));
        for n in 0..count {
            let user = format!("u{n}");
            act(start(), Command::CreateAccount(Box::new(samples::buyer("sandbox", &user))));
            let post = samples::post("sandbox", &user, &format!("p{n}"), "buytea");
            act(start().plus_seconds(n), Command::JudgePost(post));
        }
    }

    fn held(tx: &Tx<'_>) -> u64 {
        tx.first::<Stocks>(&Span::all(), 1).unwrap()[0].1.all.held
    }

    #[test]
    fn holds_are_freed_in_slices_and_the_last_says_that_no_more_is_due() {
        let store = store();
        let mut batch = store.batch().unwrap();
        let mut tx = batch.begin();
        hold(&mut tx, 5);
        let late = start().plus_seconds(100_000);
        assert_eq!(tick(&mut tx, late, Some(late), 2).0, 2);
        assert_eq!(held(&tx), 3);
        assert_eq!(tick(&mut tx, late, Some(late), 2), (2, true));
        assert_eq!(tick(&mut tx, late, Some(late), 2), (1, false));
        assert_eq!(tick(&mut tx, late, Some(late), 2), (0, false));
        assert_eq!(held(&tx), 0);
        let all = tx.first::<Purchases>(&Span::all(), 10).unwrap();
        assert!(all.iter().all(|(_, purchase)| purchase.status == PurchaseStatus::Expired));
    }

    #[test]
    fn a_hold_is_freed_at_its_moment_and_not_before_and_never_while_nothing_may_expire() {
        let store = store();
        let mut batch = store.batch().unwrap();
        let mut tx = batch.begin();
        hold(&mut tx, 2);
        let first = tx.first::<Deadlines>(&Span::all(), 1).unwrap()[0].0.0;
        // reply_wait 600, window 900, grace 30
        assert_eq!(first, start().plus_seconds(1530));
        assert_eq!(tick(&mut tx, first, Some(first.plus_ms(-1)), 10).0, 0);
        assert_eq!(tick(&mut tx, first.plus_seconds(1000), None, 10).0, 0, "a clock that jumped");
        assert_eq!(tick(&mut tx, first, Some(first), 10).0, 1, "the other one is due a second later");
        assert_eq!(held(&tx), 1);
    }

    #[test]
    fn stale_replies_are_dropped_in_slices() {
        let store = store();
        let mut batch = store.batch().unwrap();
        let mut tx = batch.begin();
        hold(&mut tx, 5);
        let queued = |tx: &Tx<'_>| {
            let all = tx.first::<Replies>(&Span::all(), 10).unwrap();
            all.iter().filter(|(_, reply)| reply.status == ReplyStatus::Queued).count()
        };
        assert_eq!((queued(&tx), tick(&mut tx, start(), None, 2)), (5, (0, false)));
        let late = start().plus_seconds(100_000);
        for (left, more) in [(3, true), (1, true), (0, false)] {
            assert_eq!((tick(&mut tx, late, None, 2), queued(&tx)), ((0, more), left));
        }
    }

    #[test]
    fn kept_answers_are_forgotten_after_72_hours_in_slices() {
        let store = store();
        let mut batch = store.batch().unwrap();
        let mut tx = batch.begin();
        for n in 0..5 {
            let record = IdempotencyRecord { body_hash: [0; 32], status: 200, body: None, account: None };
            tx.put::<Idempotency>(&Hash([n; 32]), &record).unwrap();
            tx.put::<IdempotencyAges>(&(start().plus_seconds(n.into()), Hash([n; 32])), &()).unwrap();
        }
        let left = |tx: &Tx<'_>| {
            let answers = tx.first::<Idempotency>(&Span::all(), 10).unwrap().len();
            assert_eq!(tx.first::<IdempotencyAges>(&Span::all(), 10).unwrap().len(), answers);
            answers
        };
        let old = start().plus_seconds(72 * 3600);
        assert_eq!((tick(&mut tx, old, None, 2), left(&tx)), ((0, false), 5));
        assert_eq!((tick(&mut tx, old.plus_seconds(4), None, 2), left(&tx)), ((0, true), 3));
        assert_eq!((tick(&mut tx, old.plus_seconds(4), None, 2), left(&tx)), ((0, true), 1));
        assert_eq!(
            (tick(&mut tx, old.plus_seconds(4), None, 2), left(&tx)),
            ((0, false), 1),
            "its last moment"
        );
        assert_eq!((tick(&mut tx, old.plus_seconds(5), None, 2), left(&tx)), ((0, false), 0));
    }
}
