//! What the hot paths cost in instructions: under callgrind, which counts the same on a busy machine and a quiet one.
//!
//! `benches/instructions/run` runs each path by its name and compares the counts with those that are kept. A path's
//! setting is made first; only what [`measured`] calls is counted.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::ops::ControlFlow;
use tagtill::engine::{EngineConfig, Stepper, TimeSource};
use tagtill::http::posts_in;
use tagtill::http::wire::{Scan, parse, scan};
use tagtill::store::{Batch, Store};
use tagtill::till::apply::apply;
use tagtill::till::command::{ChargeAnswer, Command, NewAccount, NewOffer, Outcome, Post, PostAnswer};
use tagtill::till::context::Context;
use tagtill::till::id::{IdSource, MerchantId, PurchaseId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::post::triage;
use tagtill::till::record::{Address, Identity, PaymentMethod, Recipient, SettingsRecord};
use tagtill::till::state::{Direction, Read as _, Span};
use tagtill::till::table::Replies;
use tagtill::till::text::fold;
use tagtill::till::time::Time;
use tagtill::till::words::Words;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Buyers in the file.
const ACCOUNTS: u64 = 2000;
/// Flows in a batch: what a busy till has in one.
const FLOWS: u64 = 32;
const START_MS: i64 = 1_360_677_600_000;
const FRESH: SettingsRecord = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };

/// A path: its name, what is counted, and what does it. It returns how many it did.
type Path = (&'static str, &'static str, fn() -> u64);

const PATHS: &[Path] = &[
    ("request-head", "reading the head of a request", request_head),
    ("read-line", "reading a post from a line of JSON", read_line),
    ("triage", "a post of a firehose that matches nothing", triage_post),
    ("purchase", "judging a purchase post", || flows(Step::Purchase)),
    ("confirmation", "judging a confirmation", || flows(Step::Confirmation)),
    ("charge", "taking in what a gateway says of a charge, twice", || flows(Step::Charge)),
    ("commit", "committing a flow, 32 to a batch", || flows(Step::Commit)),
    ("scan-replies", "reading a record in order", scan_replies),
    ("tick", "a tick with nothing due", tick),
    ("expiry", "freeing a hold, 500 to a slice, with its commit", expiry),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match PATHS.iter().find(|(known, _, _)| *known == name) {
        Some((_, about, run)) => println!("{} {about}", run()),
        // Asked for nothing, or by `cargo bench` for everything: the names.
        None => PATHS.iter().for_each(|(name, _, _)| println!("{name}")),
    }
}

/// What is counted. Its name is what callgrind is told to look for.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn request_head() -> u64 {
    let head = b"POST /v1/posts HTTP/1.1\r\nHost: 127.0.0.1:7878\r\nUser-Agent: bridge/1.0\r\n\
        Authorization: Bearer tt_0123456789abcdef0123456789abcdef\r\nContent-Type: application/json\r\n\
        Accept: */*\r\nContent-Length: 214\r\n\r\n";
    measured(|| {
        for _ in 0..FLOWS {
            let Ok(Scan::Complete(length)) = scan(black_box(head), 0) else { panic!("the head has no end") };
            black_box(parse(head.get(..length).unwrap_or_default()).expect("a head"));
        }
    });
    FLOWS
}

/// Lines of a firehose, none of which matches an offer.
fn lines(count: u64) -> Vec<u8> {
    let line = |n: u64| {
        format!(
            "{{\"network\":\"sandbox\",\"id\":\"{}\",\"author\":{{\"user_id\":\"{n}\",\"handle\":\"reader{n}\"}},\
             \"text\":\"What a day by the sea, number {n} #sunset #holiday\"}}\n",
            1_700_000_000_000_000_000 + n
        )
    };
    (0..count).map(line).collect::<String>().into_bytes()
}

fn read_line() -> u64 {
    let body = lines(FLOWS);
    measured(|| posts_in(None, &body).flatten().count() as u64)
}

fn triage_post() -> u64 {
    let shop = Shop::open();
    let snapshot = shop.store.snapshot().unwrap();
    let posts: Vec<Post> = posts_in(None, &lines(FLOWS)).map(|post| post.expect("a post")).collect();
    measured(|| {
        for post in &posts {
            triage(&snapshot, shop.now, post).unwrap().expect("an answer");
        }
    });
    FLOWS
}

/// Where a flow is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Purchase,
    Confirmation,
    Charge,
    Commit,
}

/// Sells to 1,000 buyers, then counts one step of the next batch.
fn flows(step: Step) -> u64 {
    let mut shop = Shop::open();
    for batch in 0..1000 / FLOWS {
        let first = batch * FLOWS;
        let mut batch = shop.store.batch().unwrap();
        let held = shop.hold(&mut batch, first..first + FLOWS);
        shop.confirm(&mut batch, first..first + FLOWS);
        shop.charge(&mut batch, &held);
        shop.store.commit(batch).unwrap();
    }
    let buyers = 1500..1500 + FLOWS;
    let mut batch = shop.store.batch().unwrap();
    let held = count(step == Step::Purchase, || shop.hold(&mut batch, buyers.clone()));
    count(step == Step::Confirmation, || shop.confirm(&mut batch, buyers.clone()));
    count(step == Step::Charge, || shop.charge(&mut batch, &held));
    count(step == Step::Commit, || shop.store.commit(batch).unwrap());
    FLOWS
}

fn count<T>(counted: bool, work: impl FnOnce() -> T) -> T {
    if counted { measured(work) } else { work() }
}

fn scan_replies() -> u64 {
    let mut shop = Shop::open();
    let mut batch = shop.store.batch().unwrap();
    shop.hold(&mut batch, 0..1000);
    shop.store.commit(batch).unwrap();
    let snapshot = shop.store.snapshot().unwrap();
    measured(|| {
        let mut seen = 0;
        snapshot
            .scan::<Replies>(&Span::all(), Direction::Up, |_, reply| {
                black_box(reply);
                seen += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        seen
    })
}

fn tick() -> u64 {
    let mut shop = Shop::open();
    let mut batch = shop.store.batch().unwrap();
    shop.hold(&mut batch, 0..1000);
    shop.store.commit(batch).unwrap();
    let mut till = shop.till(START_MS + 1000);
    measured(|| assert!(!till.tick().unwrap()));
    1
}

fn expiry() -> u64 {
    const SLICE: u64 = 500;
    let mut shop = Shop::open();
    let mut batch = shop.store.batch().unwrap();
    shop.hold(&mut batch, 0..SLICE);
    shop.store.commit(batch).unwrap();
    // Beyond the wait for the reply, the window, the grace, and the grace of a start.
    let mut till = shop.till(START_MS + 2_000_000);
    measured(|| till.tick().unwrap());
    SLICE
}

/// A till with one offer and many buyers.
struct Shop {
    store: Store,
    ids: IdSource,
    now: Time,
    posts: u64,
}

/// A clock that was started long ago and stands still.
struct Still(i64);

impl TimeSource for Still {
    fn wall_ms(&self) -> i64 {
        self.0
    }
    fn elapsed_ms(&self) -> i64 {
        0
    }
}

impl Shop {
    fn open() -> Self {
        let store = Store::in_memory(&FRESH).unwrap();
        let mut shop = Self { store, ids: IdSource::new([1, 2]), now: Time::from_ms(START_MS), posts: 0 };
        let mut batch = shop.store.batch().unwrap();
        let merchant = shop.apply(&mut batch, &Command::CreateMerchant { name: "Shop".to_owned() });
        let Outcome::Merchant(merchant) = merchant else { panic!("{merchant:?}") };
        shop.apply(&mut batch, &Command::CreateOffer(Box::new(offer(merchant))));
        for number in 0..ACCOUNTS {
            shop.apply(&mut batch, &Command::CreateAccount(Box::new(account(number))));
        }
        shop.store.commit(batch).unwrap();
        shop
    }

    /// The writer of this till at some moment.
    fn till(&self, now_ms: i64) -> Stepper {
        let config = EngineConfig::default();
        Stepper::new(self.store.clone(), &config, Box::new(Still(now_ms))).unwrap()
    }

    fn apply(&mut self, batch: &mut Batch, command: &Command) -> Outcome {
        let mut tx = batch.begin();
        let mut context = Context { now: self.now, words: Words::built_in(), ids: &mut self.ids };
        let outcome = apply(&mut tx, &mut context, command).unwrap();
        tx.keep();
        outcome
    }

    fn hold(&mut self, batch: &mut Batch, buyers: std::ops::Range<u64>) -> Vec<PurchaseId> {
        buyers.map(|buyer| self.judge(batch, buyer, "BuyTea")).collect()
    }

    fn confirm(&mut self, batch: &mut Batch, buyers: std::ops::Range<u64>) {
        for buyer in buyers {
            self.judge(batch, buyer, "ConfirmTea");
        }
    }

    fn charge(&mut self, batch: &mut Batch, held: &[PurchaseId]) {
        for &purchase in held {
            for answer in [ChargeAnswer::Created(format!("sbx_{purchase}-1")), ChargeAnswer::Paid] {
                self.apply(batch, &Command::Charged { purchase, attempt: 1, answer });
            }
        }
    }

    fn judge(&mut self, batch: &mut Batch, buyer: u64, tag: &str) -> PurchaseId {
        self.posts += 1;
        let post = Post {
            network: "sandbox".to_owned(),
            id: (1_700_000_000_000_000_000 + self.posts).to_string(),
            author: Recipient { user_id: buyer.to_string(), handle: format!("buyer{buyer}") },
            hashtags: vec![fold(tag)],
            text: String::new(),
            created_at: None,
            repost_of: None,
            quote_of: None,
            to_us: None,
            language: None,
        };
        match self.apply(batch, &Command::JudgePost(post)) {
            Outcome::Post(PostAnswer { purchase: Some(id), .. }) => id,
            other => panic!("buyer {buyer}: {other:?}"),
        }
    }
}

fn offer(merchant: MerchantId) -> NewOffer {
    let price = Money { amount: 1500, currency: Currency::USD };
    NewOffer {
        quantity: Some(1_000_000),
        per_account_limit: 10,
        ..NewOffer::new(merchant, "#BuyTea", "Tea", price)
    }
}

fn account(number: u64) -> NewAccount {
    NewAccount {
        identities: vec![Identity {
            network: "sandbox".to_owned(),
            user_id: number.to_string(),
            handle: format!("buyer{number}"),
        }],
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
        payment_method: PaymentMethod {
            gateway: "sandbox".to_owned(),
            customer: format!("cus_{number}"),
            token: "tok_visa".to_owned(),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
            fingerprint: format!("card{number}"),
        },
    }
}
