//! The bytes of every kind of record, frozen: a change here is a new version of that record and a migration.
//!
//! After a change that is meant, `GOLDEN=write cargo test --test golden_records` writes the bytes anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::path::Path;
use tagtill::store::codec::{decode, encode};
use tagtill::till::id::{
    AccountId, CreditId, DisputeId, EndpointId, EnrolmentId, LinkId, MerchantId, NoticeId, OfferId, OrderId,
    PurchaseId, RefundId, ReplyId,
};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::*;
use tagtill::till::role::Role;
use tagtill::till::state::Table;
use tagtill::till::table::*;
use tagtill::till::text::Counting;
use tagtill::till::time::Time;
use tagtill::till::verdict::Verdict;

type Golden = (&'static str, Vec<u8>);

/// Encodes a record and sees that nothing but its own bytes reads as it.
fn golden<T: Table>(record: &T::Record) -> Golden
where
    T::Record: PartialEq + std::fmt::Debug,
{
    let bytes = encode::<T>(record).unwrap();
    assert_eq!(&decode::<T>(&bytes).unwrap(), record, "{}", T::NAME);
    for end in 0..bytes.len() {
        assert!(decode::<T>(&bytes[..end]).is_err(), "{} reads from {end} of {} bytes", T::NAME, bytes.len());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode::<T>(&longer).is_err(), "{} reads with a byte too many", T::NAME);
    for version in (0..=u8::MAX).filter(|version| *version != T::VERSION) {
        let mut other = bytes.clone();
        other[0] = version;
        assert!(decode::<T>(&other).is_err(), "{} reads version {version}", T::NAME);
    }
    garbage::<T>(&bytes);
    (T::NAME, bytes)
}

/// Whatever the bytes are, decoding returns: it never panics and never asks for absurd amounts of memory.
fn garbage<T: Table>(bytes: &[u8]) {
    let mut seed = 7_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    };
    for round in 0..2000 {
        let noise: Vec<u8> = (0..round % 90).map(|_| random()).collect();
        let _ = decode::<T>(&[&[T::VERSION], noise.as_slice()].concat());
        let mut damaged = bytes.to_vec();
        let at = usize::from(random()) % damaged.len();
        damaged[at] ^= random();
        let _ = decode::<T>(&damaged);
    }
}

const AT: i64 = 1_360_677_600_000;

fn at(seconds: i64) -> Time {
    Time::from_ms(AT).plus_seconds(seconds)
}

fn usd(amount: i64) -> Money {
    Money { amount, currency: Currency::USD }
}

fn person() -> Recipient {
    Recipient { user_id: "12".to_owned(), handle: "alice".to_owned() }
}

fn address() -> Address {
    Address {
        name: "Alice".to_owned(),
        line1: "1 Main Street".to_owned(),
        line2: None,
        city: "New York".to_owned(),
        region: Some("NY".to_owned()),
        postal_code: "10001".to_owned(),
        country: "US".to_owned(),
    }
}

fn purchase() -> PurchaseRecord {
    let attempt = |number, state, reference| Attempt { number, state, reference, created_at: at(60) };
    PurchaseRecord {
        offer: OfferId(3),
        account: AccountId(2),
        network: "x".to_owned(),
        post: "p1".to_owned(),
        price: usd(1500),
        offer_version: 1,
        window_seconds: 900,
        status: PurchaseStatus::Paid,
        created_at: at(0),
        arrived_at: at(1),
        expires_at: at(901),
        release_at: at(931),
        window_set: true,
        reminded: false,
        reply: Some(ReplyId(7)),
        previous: None,
        confirmation: Some(Confirmation {
            made_at: at(50),
            arrived_at: at(51),
            network: "x".to_owned(),
            post: "p2".to_owned(),
            author: Some(person()),
            answerable: true,
            gateway: "sandbox".to_owned(),
            customer: "cus_1".to_owned(),
            method: "tok_visa".to_owned(),
        }),
        attempts: vec![
            attempt(1, AttemptState::Lost, None),
            attempt(2, AttemptState::Declined("no".to_owned()), Some("pay_2".to_owned())),
            attempt(3, AttemptState::Paid, Some("pay_3".to_owned())),
            attempt(4, AttemptState::Waiting, Some("pay_4".to_owned())),
        ],
        refunds: vec![RefundId(6)],
        order: Some(OrderId(5)),
        settled_at: Some(at(70)),
        units: 2,
        variant: Some("Blue L".to_owned()),
        language: Some("de".to_owned()),
        disputes: vec![DisputeId(5)],
        authenticate_by: Some(at(3660)),
    }
}

fn people() -> Vec<Golden> {
    let identity = Identity { network: "x".to_owned(), user_id: "12".to_owned(), handle: "alice".to_owned() };
    let method = PaymentMethod {
        gateway: "sandbox".to_owned(),
        customer: "cus_1".to_owned(),
        token: "tok_visa".to_owned(),
        brand: "visa".to_owned(),
        last4: "4242".to_owned(),
        fingerprint: "card_1".to_owned(),
    };
    let own = OwnIdentity { user_id: "1".to_owned(), handle: "shop".to_owned() };
    vec![
        golden::<Settings>(&SettingsRecord {
            epoch: 2,
            sandbox: true,
            clock_offset_ms: -5000,
            paused: false,
        }),
        golden::<Counters>(&300),
        golden::<Networks>(&NetworkRecord {
            own: Some(own),
            text_limit: 280,
            counting: Counting::X,
            max_post_age_seconds: 3600,
            grace_seconds: 30,
            reply_wait_seconds: 600,
            one_reply_per_post: true,
            links_in_replies: false,
            mention_needed: true,
            replies_per_15_minutes: Some(100),
            replies_per_day: None,
        }),
        golden::<Merchants>(&MerchantRecord { name: "Shop".to_owned(), created_at: at(0) }),
        golden::<Accounts>(&AccountRecord {
            status: AccountStatus::Active,
            person: Some(Person {
                identities: vec![identity],
                email: Some("alice@example.com".to_owned()),
                billing_address: address(),
                payment_method: method,
            }),
            created_at: at(0),
            frozen: vec![("x".to_owned(), "12".to_owned())],
            mandate: Some(Mandate { version: 1, accepted_at: at(1) }),
            page: Some([6; 32]),
        }),
        golden::<Identities>(&IdentityRecord { account: AccountId(2) }),
        golden::<Tokens>(&TokenRecord {
            role: Role::Network("x".to_owned()),
            hash: [9; 32],
            created_at: at(0),
        }),
        golden::<Told>(&()),
        golden::<Idempotency>(&IdempotencyRecord {
            body_hash: [8; 32],
            status: 201,
            body: Some(b"{}".to_vec()),
            account: Some(AccountId(2)),
        }),
        golden::<IdempotencyAges>(&()),
    ]
}

fn links() -> Vec<Golden> {
    vec![
        golden::<LinkSessions>(&LinkRecord {
            purpose: LinkPurpose::Link,
            network: "x".to_owned(),
            handle: "alice".to_owned(),
            opening: Some([1; 32]),
            browser: Some([2; 32]),
            account: Some(AccountId(2)),
            address: Some(address()),
            email: Some("alice@example.com".to_owned()),
            mandate: Some(Mandate { version: 1, accepted_at: at(1) }),
            setup: Some(CardSetup { gateway: "stripe".to_owned(), reference: "cs_1".to_owned() }),
            setups: 1,
            card: None,
            codes: 2,
            code: Some(LinkCode { hash: [3; 32], expires_at: at(600) }),
            proof: Some(LinkProof { author: person(), post: "p1".to_owned(), at: at(3) }),
            vouched: true,
            status: LinkStatus::Open,
            created_at: at(0),
            expires_at: at(3600),
        }),
        golden::<LinkCodes>(&LinkId(11)),
        golden::<Pages>(&AccountId(2)),
        golden::<Cursors>(&CursorRecord { cursor: "1360677600000000".to_owned(), updated_at: at(0) }),
        golden::<OptOuts>(&OptOutRecord { since: at(0) }),
    ]
}

fn offer() -> OfferRecord {
    OfferRecord {
        merchant: MerchantId(1),
        kind: OfferKind::Purchase,
        hashtag: "#BuyShirt".to_owned(),
        confirm_hashtag: "#ConfirmShirt".to_owned(),
        title: "Shirt".to_owned(),
        price: usd(1500),
        list_price: Some(usd(2500)),
        per_account_limit: 1,
        confirm_window_seconds: 900,
        starts_at: Some(at(0)),
        ends_at: None,
        terms_url: Some("https://shop.example".to_owned()),
        ships_to: Some(vec!["US".to_owned()]),
        status: OfferStatus::Live,
        version: 1,
        created_at: at(0),
        ended_at: None,
        cancel_hashtag: Some("#PassShirt".to_owned()),
        variants: vec![VariantRecord {
            name: "Blue L".to_owned(),
            synonyms: vec!["blue large".to_owned()],
            price: Some(usd(1600)),
        }],
        max_per_purchase: 2,
        shortage: Shortage::Waitlist,
        waitlist: true,
        deal: Some(DealTerms {
            min_spend: usd(7500),
            reward: Reward::Percent { percent: 10, cap: usd(2500) },
            budget: Some(usd(1_000_000)),
        }),
        language: Some("es".to_owned()),
        texts: [("es".to_owned(), [("sold_out".to_owned(), vec!["Agotado.".to_owned()])].into())].into(),
    }
}

fn sales() -> Vec<Golden> {
    let units = Units { quantity: Some(300), held: 2, sold: 1, waiting: 1 };
    vec![
        golden::<Offers>(&offer()),
        golden::<OfferVersions>(&offer()),
        golden::<Stocks>(&StockRecord {
            all: units,
            variants: vec![("Blue L".to_owned(), units)],
            last_closed_at: Some(at(9)),
            last_joined: 4,
        }),
        golden::<Waiting>(&WaitingRecord {
            account: AccountId(2),
            network: "x".to_owned(),
            post: "p1".to_owned(),
            author: person(),
            units: 2,
            joined_at: at(5),
            reminded: true,
            language: Some("ja".to_owned()),
        }),
        golden::<Waiters>(&WaiterRecord { variant: "Blue L".to_owned(), number: 4 }),
        golden::<WaitingDue>(&()),
        golden::<Hashtags>(&HashtagRecord { offer: OfferId(3), role: TagRole::Confirm }),
        golden::<Lookalikes>(&"confirmshirt".to_owned()),
        golden::<Purchases>(&purchase()),
        golden::<Buyers>(&BuyerRecord { newest: PurchaseId(4), earlier: 1 }),
        golden::<Deadlines>(&()),
        golden::<Work>(&WorkRecord { due_at: at(3), unknowns: 2 }),
        golden::<Orders>(&OrderRecord {
            purchase: PurchaseId(4),
            offer: OfferId(3),
            merchant: MerchantId(1),
            account: AccountId(2),
            title: "Shirt".to_owned(),
            price: usd(1500),
            ship_to: Some(address()),
            status: OrderStatus::Shipped,
            created_at: at(70),
            shipped_at: Some(at(80)),
            shipments: vec![ShipmentRecord {
                units: 2,
                carrier: Some("Post".to_owned()),
                tracking_number: Some("T1".to_owned()),
                at: at(80),
            }],
            delivered_at: None,
            offer_version: 1,
            units: 2,
            variant: Some("Blue L".to_owned()),
            disputed: true,
        }),
        golden::<Refunds>(&RefundRecord {
            purchase: PurchaseId(4),
            attempt: 3,
            amount: usd(500),
            restock: false,
            automatic: false,
            status: RefundStatus::Succeeded,
            reference: Some("re_1".to_owned()),
            created_at: at(90),
            external: false,
            returned: true,
        }),
    ]
}

fn deals() -> Vec<Golden> {
    vec![
        golden::<Deals>(&DealRecord { credits: 2, amount: 1750 }),
        golden::<Enrolments>(&EnrolmentRecord {
            offer: OfferId(3),
            offer_version: 1,
            account: AccountId(2),
            network: "x".to_owned(),
            post: "p1".to_owned(),
            enrolled_at: at(1),
            credits: 1,
        }),
        golden::<Enrolled>(&EnrolmentId(9)),
        golden::<EnrolledCards>(&EnrolmentId(9)),
        golden::<Transactions>(&TransactionRecord {
            kind: TransactionKind::Refund,
            original: Some("t1".to_owned()),
            account: AccountId(2),
            merchant: MerchantId(1),
            amount: usd(7500),
            occurred_at: at(2),
            arrived_at: at(3),
            returned: 500,
            credits: vec![CreditId(8)],
        }),
        golden::<Credits>(&CreditRecord {
            offer: OfferId(3),
            enrolment: EnrolmentId(9),
            account: AccountId(2),
            transaction: "t1".to_owned(),
            amount: usd(750),
            due: 700,
            status: CreditStatus::Credited,
            gateway: "sandbox".to_owned(),
            customer: "cus_1".to_owned(),
            method: "tok_visa".to_owned(),
            attempts: vec![Attempt {
                number: 1,
                state: AttemptState::Paid,
                reference: Some("pay_1".to_owned()),
                created_at: at(4),
            }],
            reversals: vec![ReversalRecord {
                number: 1,
                attempt: 1,
                amount: 50,
                status: RefundStatus::Pending,
                reference: None,
            }],
            created_at: at(4),
            settled_at: Some(at(5)),
        }),
        golden::<AccountCredits>(&()),
        golden::<Hints>(&()),
        golden::<Rates>(&RateRecord {
            quarter: Spent { slice: 1_511_864, now: 3, before: 97 },
            day: Spent { slice: 15_748, now: 100, before: 0 },
        }),
        golden::<Limits>(&LimitsRecord {
            per_account: buyer_limits(Some(10)),
            per_card: buyer_limits(None),
            pause_after_expired_holds: Some(2),
            pause_seconds: 900,
            new_account_wait_seconds: 0,
            captures_per_hour: Some(10_000),
        }),
        golden::<Captures>(&CaptureRecord {
            hour: Spent { slice: 377_966, now: 3, before: 97 },
            paused_at: Some(at(7)),
        }),
        golden::<Cards>(&()),
    ]
}

fn books() -> Vec<Golden> {
    vec![
        golden::<Journal>(&EntryRecord {
            kind: EntryKind::Refund,
            at: at(90),
            merchant: MerchantId(1),
            currency: Currency::USD,
            postings: vec![
                Posting { book: Book::MerchantPayable, amount: 500 },
                Posting { book: Book::GatewayClearing, amount: -500 },
            ],
            gateway: "stripe".to_owned(),
            reference: "re_1".to_owned(),
            purchase: Some(PurchaseId(4)),
            refund: Some(RefundId(6)),
            dispute: None,
            credit: None,
        }),
        golden::<Balances>(&BalanceRecord {
            buyer_receivable: -1,
            merchant_payable: -1000,
            gateway_clearing: 926,
            credits: 75,
        }),
        golden::<Disputes>(&DisputeRecord {
            purchase: PurchaseId(4),
            attempt: 1,
            amount: usd(1500),
            reference: "dp_1".to_owned(),
            reason: "fraudulent".to_owned(),
            status: DisputeStatus::Open,
            withdrawn: true,
            created_at: at(95),
            closed_at: None,
        }),
        golden::<Notices>(&NoticeRecord {
            gateway: "stripe".to_owned(),
            event: "evt_1".to_owned(),
            about: "pi_1".to_owned(),
            arrived_at: at(94),
        }),
        golden::<NoticesSeen>(&NoticeId(10)),
        golden::<Endpoints>(&EndpointRecord {
            merchant: Some(MerchantId(1)),
            url: "https://shop.example/hooks".to_owned(),
            events: vec!["order.*".to_owned()],
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            old_secret: Some(("whsec_AAAA".to_owned(), at(99))),
            status: EndpointStatus::Disabled,
            reason: Some("410".to_owned()),
            created_at: at(5),
            cursor: 7,
            failures: 2,
            due_at: at(6),
        }),
        golden::<Resends>(&()),
        golden::<Deliveries>(&DeliveryRecord {
            endpoint: EndpointId(11),
            event: 8,
            attempt: 2,
            at: at(6),
            duration_ms: 120,
            status: Some(500),
            error: None,
            resent: false,
        }),
    ]
}

fn buyer_limits(count: Option<u32>) -> BuyerLimits {
    BuyerLimits { open_holds: count, purchases_per_day: count, spending_per_day: vec![usd(200_000)] }
}

fn messages() -> Vec<Golden> {
    vec![
        golden::<Posts>(&PostRecord {
            author: Some(77),
            verdict: Some(Verdict::Pending),
            arrived_at: at(1),
            made_at: at(0),
            offer: Some(OfferId(3)),
            purchase: Some(PurchaseId(4)),
            reply: Some(ReplyId(7)),
            followed_by: None,
            deleted_at: None,
            by: Some(-2),
            waits: Some((AccountId(2), 3)),
            limit: Some(Limit::CardSpending),
        }),
        golden::<Replies>(&ReplyRecord {
            network: "x".to_owned(),
            to: Some(person()),
            in_reply_to: "p1".to_owned(),
            account: Some(AccountId(2)),
            purchase: Some(PurchaseId(4)),
            kind: ReplyKind::Pending,
            text: "Shirt: …".to_owned(),
            status: ReplyStatus::Queued,
            queued_at: at(1),
            not_after: at(901),
            post_id: None,
            reason: None,
            ended_at: None,
        }),
        golden::<Outbox>(&()),
        golden::<ReplyPosts>(&ReplyId(7)),
        golden::<EarlyReposts>(&EarlyRepostRecord {
            post: "p9".to_owned(),
            author: person(),
            made_at: at(2),
            arrived_at: at(3),
        }),
        golden::<Events>(&EventRecord {
            merchant: Some(MerchantId(1)),
            offer: Some(OfferId(3)),
            purchase: Some(PurchaseId(4)),
            ..EventRecord::new(EventKind::PurchasePending, at(1))
        }),
    ]
}

#[test]
fn the_bytes_of_every_record_stay() {
    let all: Vec<Golden> = [people(), links(), sales(), deals(), books(), messages()].concat();
    for name in TABLE_NAMES {
        assert!(all.iter().any(|(table, _)| table == name), "{name} has no golden record");
    }
    let mut lines = String::new();
    for (table, bytes) in &all {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        writeln!(lines, "{table} {hex}").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records.txt");
    if std::env::var("GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &lines).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    for (now, before) in lines.lines().zip(kept.lines()) {
        assert_eq!(now, before, "the bytes of a record changed: make a new version of it, and a migration");
    }
    assert_eq!(lines.lines().count(), kept.lines().count());
}
