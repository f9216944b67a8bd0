//! The writer: batches, buffers, keyed answers, long polls, the tick; over the real store in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tagtill::engine::{Engine, EngineConfig, Handle, Job, Keyed, News, Rendered, Reply};
use tagtill::payments::{Charge, Created, Found, Gateway, Gateways, Refunded, Sandbox, Standing, Worker};
use tagtill::store::Store;
use tagtill::till::command::{Command, NewAccount, NewOffer, Outcome, Post, PostAnswer};
use tagtill::till::id::{MerchantId, OfferId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{Address, Identity, PaymentMethod, PurchaseStatus, Recipient, SettingsRecord};
use tagtill::till::refusal::RefusalCode;
use tagtill::till::state::{Direction, Read, Span};
use tagtill::till::table::{Counter, Counters, Idempotency, Merchants, Purchases, Stocks};
use tagtill::till::verdict::Verdict;

fn store() -> Store {
    Store::in_memory(&SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false }).unwrap()
}

fn engine(tick: Duration) -> Engine {
    Engine::start(store(), &EngineConfig { tick, ..EngineConfig::default() }).unwrap()
}

fn merchant(handle: &Handle) -> MerchantId {
    match handle.call(Command::CreateMerchant { name: "Shop".to_owned() }).unwrap().unwrap() {
        Outcome::Merchant(id) => id,
        other => panic!("{other:?}"),
    }
}

fn offer(handle: &Handle, quantity: u64) -> OfferId {
    let new = NewOffer {
        quantity: Some(quantity),
        ..NewOffer::new(
            merchant(handle),
            "#BuyThing",
            "A thing",
            Money { amount: 1500, currency: Currency::USD },
        )
    };
    match handle.call(Command::CreateOffer(Box::new(new))).unwrap().unwrap() {
        Outcome::Offer(id) => id,
        other => panic!("{other:?}"),
    }
}

fn buyer(handle: &Handle, user: &str) {
    buyer_with(handle, user, "tok_visa");
}

fn buyer_with(handle: &Handle, user: &str, card: &str) {
    let new = NewAccount {
        identities: vec![Identity {
            network: "sandbox".to_owned(),
            user_id: user.to_owned(),
            handle: user.to_owned(),
        }],
        email: None,
        billing_address: Address {
            name: "Jo Doe".to_owned(),
            line1: "1 Main St".to_owned(),
            line2: None,
            city: "Springfield".to_owned(),
            region: None,
            postal_code: "62701".to_owned(),
            country: "US".to_owned(),
        },
        payment_method: PaymentMethod {
            gateway: "sandbox".to_owned(),
            customer: "sandbox".to_owned(),
            token: card.to_owned(),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
            fingerprint: String::new(),
        },
    };
    handle.call(Command::CreateAccount(Box::new(new))).unwrap().unwrap();
}

fn post(id: &str, user: &str, tag: &str) -> Command {
    Command::JudgePost(Post {
        network: "sandbox".to_owned(),
        id: id.to_owned(),
        author: Recipient { user_id: user.to_owned(), handle: user.to_owned() },
        hashtags: vec![tag.to_owned()],
        text: String::new(),
        created_at: None,
        repost_of: None,
        quote_of: None,
        to_us: None,
        language: None,
    })
}

fn answer(outcome: &Outcome) -> &PostAnswer {
    match outcome {
        Outcome::Post(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn held_and_sold(handle: &Handle, id: OfferId) -> (u64, u64) {
    let all = handle.snapshot().unwrap().must::<Stocks>(&id).unwrap().all;
    (all.held, all.sold)
}

#[test]
fn a_batch_never_sells_more_than_there_is_and_a_refused_command_leaves_nothing() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let id = offer(&handle, 3);
    (0..10).for_each(|n| buyer(&handle, &format!("u{n}")));
    let mut commands: Vec<_> =
        (0..10).map(|n| post(&format!("p{n}"), &format!("u{n}"), "buything")).collect();
    commands.insert(5, Command::CreateMerchant { name: String::new() });
    let results = handle.call_many(commands).unwrap();
    assert_eq!(results[5].as_ref().unwrap_err().code, RefusalCode::Invalid);
    let held = results.iter().flatten().filter(|outcome| answer(outcome).verdict == Verdict::Pending).count();
    assert_eq!(held, 3);
    assert_eq!(held_and_sold(&handle, id), (3, 0));
    let shops = handle.snapshot().unwrap().first::<Merchants>(&Span::all(), 10).unwrap().len();
    assert_eq!(shops, 1, "the refused merchant is not there");
    engine.stop();
}

#[test]
fn from_a_post_to_a_paid_order() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let sandbox = Arc::new(Sandbox::default());
    let worker = Worker::start(&handle, &Gateways::default().with(sandbox.clone()), 2);
    let id = offer(&handle, 3);
    buyer(&handle, "ann");
    let first = handle.call(post("p1", "ann", "buything")).unwrap().unwrap();
    assert_eq!(answer(&first).verdict, Verdict::Pending);
    let second = handle.call(post("p2", "ann", "confirmthing")).unwrap().unwrap();
    assert_eq!(answer(&second).verdict, Verdict::Confirmed);
    let purchase = answer(&second).purchase.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while handle.snapshot().unwrap().must::<Purchases>(&purchase).unwrap().status != PurchaseStatus::Paid {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(held_and_sold(&handle, id), (0, 1));
    assert_eq!(sandbox.totals().charged, 1);
    let again = handle.call(post("p2", "ann", "confirmthing")).unwrap().unwrap();
    assert!(answer(&again).repeated);
    worker.stop();
    engine.stop();
}

fn keyed_call(handle: &Handle, body: u8, secret: bool) -> Reply {
    let (tell, told) = channel();
    let job = Job::Call {
        command: Command::CreateMerchant { name: "Keyed".to_owned() },
        render: Box::new(|_, _, verdicted| {
            let text = format!("{:?}", verdicted.as_ref().unwrap());
            Ok(Rendered { status: 201, body: Some(text.into_bytes()) })
        }),
        keyed: Some(Keyed { scope: [9; 32], body_hash: [body; 32], secret }),
        account: None,
        done: Box::new(move |reply| tell.send(reply).unwrap()),
    };
    handle.submit(job).unwrap();
    told.recv().unwrap().unwrap()
}

#[test]
fn a_keyed_request_happens_once_and_answers_the_same() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let first = keyed_call(&handle, 1, false);
    assert_eq!(keyed_call(&handle, 1, false), first);
    assert_eq!(keyed_call(&handle, 2, false), Reply::KeyReused);
    let shops = handle.snapshot().unwrap().first::<Merchants>(&Span::all(), 10).unwrap().len();
    assert_eq!(shops, 1);
    engine.stop();
}

#[test]
fn an_answer_with_a_secret_is_not_given_twice() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    assert!(matches!(keyed_call(&handle, 1, true), Reply::Rendered(_)));
    assert_eq!(keyed_call(&handle, 1, true), Reply::NotReplayable);
    let kept = handle.snapshot().unwrap().first::<Idempotency>(&Span::all(), 10).unwrap();
    assert_eq!(kept[0].1.body, None, "the secret is not in the store");
    engine.stop();
}

#[test]
fn whoever_waits_is_told_of_news_and_at_the_deadline() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let (tell, told) = channel();
    for (n, wait) in [(0, Duration::from_secs(60)), (1, Duration::from_millis(1))] {
        let tell = tell.clone();
        let before = handle.snapshot().unwrap().get::<Counters>(&Counter::LastEvent).unwrap();
        let ask = move |snapshot: Option<&tagtill::store::Snapshot>, late: bool| {
            let now = snapshot.unwrap().get::<Counters>(&Counter::LastEvent).unwrap();
            if now == before && !late {
                return false;
            }
            tell.send((n, now != before)).unwrap();
            true
        };
        handle.waiters().wait(News::Events, Instant::now() + wait, Box::new(ask));
    }
    assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), (1, false), "the deadline comes first");
    offer(&handle, 1);
    assert_eq!(told.recv_timeout(Duration::from_secs(30)).unwrap(), (0, true), "then the news");
    engine.stop();
}

#[test]
fn a_full_queue_says_so_at_once() {
    let config = EngineConfig { queue_jobs_max: 1, tick: Duration::from_secs(60), ..EngineConfig::default() };
    let engine = Engine::start(store(), &config).unwrap();
    let handle = engine.handle();
    // The first job's render holds the writer until it is told to go on.
    let (go, wait) = channel::<()>();
    let (busy, is_busy) = channel();
    let blocking = Job::Call {
        command: Command::CreateMerchant { name: "Slow".to_owned() },
        render: Box::new(move |_, _, _| {
            busy.send(()).unwrap();
            wait.recv().unwrap();
            Ok(Rendered { status: 201, body: None })
        }),
        keyed: None,
        account: None,
        done: Box::new(|_| {}),
    };
    handle.submit(blocking).unwrap();
    is_busy.recv().unwrap();
    let quick = || Job::Many { commands: vec![post("x", "y", "z")], done: Box::new(|_| {}) };
    let taken = (0..10).filter(|_| handle.submit(quick()).is_ok()).count();
    assert_eq!(taken, 1, "one fits into the queue");
    go.send(()).unwrap();
    assert!(handle.call(Command::CreateMerchant { name: "After".to_owned() }).unwrap().is_ok());
    engine.stop();
}

#[test]
fn events_are_numbered_in_commit_order_without_a_gap() {
    let engine = engine(Duration::from_millis(5));
    let handle = engine.handle();
    offer(&handle, 100);
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let handle = handle.clone();
            std::thread::spawn(move || {
                buyer(&handle, &format!("u{n}"));
                handle.call(post(&format!("p{n}"), &format!("u{n}"), "buything")).unwrap().unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut seen = Vec::new();
    let snapshot = handle.snapshot().unwrap();
    snapshot
        .scan::<tagtill::till::table::Events>(&Span::all(), Direction::Up, |sequence, _| {
            seen.push(sequence);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, (1..=u64::try_from(seen.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(snapshot.get::<Counters>(&Counter::LastEvent).unwrap(), seen.last().copied());
    engine.stop();
}

/// A mock: no gateway of ours panics, and one of somebody else's might. It charges like the sandbox's; at one card it
/// panics as long as it is ill, at any other once, after charging.
struct Stumbling {
    sandbox: Sandbox,
    ill: AtomicBool,
    sure: AtomicBool,
}

impl Gateway for Stumbling {
    fn slug(&self) -> &'static str {
        "sandbox"
    }

    fn chunk(&self) -> usize {
        self.sandbox.chunk()
    }

    fn resolve(&self, token: &str) -> Result<PaymentMethod, String> {
        self.sandbox.resolve(token)
    }

    fn create(&self, charge: &Charge) -> Created {
        let ill = charge.method == "tok_amex" && self.ill.load(Ordering::Relaxed);
        assert!(!ill, "this card is too much for the gateway");
        self.sandbox.create(charge)
    }

    fn confirm(&self, reference: &str, charge: &Charge) -> Standing {
        let standing = self.sandbox.confirm(reference, charge);
        assert!(self.sure.swap(true, Ordering::Relaxed), "charged, and stumbled over its own feet");
        standing
    }

    fn fetch(&self, reference: &str, charge: &Charge) -> Standing {
        self.sandbox.fetch(reference, charge)
    }

    fn find(&self, charge: &Charge) -> Found {
        self.sandbox.find(charge)
    }

    fn cancel(&self, reference: &str, charge: &Charge) -> Standing {
        self.sandbox.cancel(reference, charge)
    }

    fn refund(&self, key: &str, reference: &str, amount: Money) -> Refunded {
        self.sandbox.refund(key, reference, amount)
    }
}

#[test]
fn a_gateway_that_panics_holds_up_nobody_but_whom_it_panics_about() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let (ill, sure) = (AtomicBool::new(true), AtomicBool::new(false));
    let gateway = Arc::new(Stumbling { sandbox: Sandbox::default(), ill, sure });
    let id = offer(&handle, 3);
    let mut purchases = Vec::new();
    for (user, card) in [("eve", "tok_amex"), ("ann", "tok_visa"), ("bob", "tok_visa")] {
        buyer_with(&handle, user, card);
        handle.call(post(&format!("{user}1"), user, "buything")).unwrap().unwrap();
        let confirmed = handle.call(post(&format!("{user}2"), user, "confirmthing")).unwrap().unwrap();
        purchases.push(answer(&confirmed).purchase.unwrap());
    }
    // One worker, one round: whom it cannot charge comes first.
    let worker = Worker::start(&handle, &Gateways::default().with(gateway.clone()), 1);
    let status = |index: usize| {
        handle.snapshot().unwrap().must::<Purchases>(&purchases[index]).map(|it| it.status).unwrap()
    };
    let wait_for_paid = |index: usize| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while status(index) != PurchaseStatus::Paid {
            assert!(Instant::now() < deadline, "purchase {index} is never paid");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for_paid(1);
    wait_for_paid(2);
    assert_eq!(status(0), PurchaseStatus::Capturing);
    gateway.ill.store(false, Ordering::Relaxed);
    wait_for_paid(0);
    assert_eq!(held_and_sold(&handle, id), (0, 3));
    assert_eq!(gateway.sandbox.totals().charged, 3);
    worker.stop();
    engine.stop();
}

#[test]
fn a_writer_that_panics_says_why_and_nothing_more_is_written() {
    let engine = engine(Duration::from_secs(60));
    let handle = engine.handle();
    let panics = Job::Call {
        command: Command::CreateMerchant { name: "Lost".to_owned() },
        render: Box::new(|_, _, _| panic!("a view that cannot be made")),
        keyed: None,
        account: None,
        done: Box::new(|_| panic!("there is no answer to give")),
    };
    handle.submit(panics).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !handle.has_failed() {
        assert!(Instant::now() < deadline, "nobody is told");
        std::thread::sleep(Duration::from_millis(2));
    }
    let refused = handle.call(Command::CreateMerchant { name: "Late".to_owned() }).unwrap_err();
    assert!(refused.0.contains("failed"), "{}", refused.0);
    assert!(handle.failure().unwrap().contains("a view that cannot be made"));
    assert!(handle.ready().unwrap_err().contains("about to end"));
    assert!(handle.snapshot().unwrap().first::<Merchants>(&Span::all(), 10).unwrap().is_empty());
    engine.stop();
}
