//! Reply texts: whatever an offer and a network are called and count, every text fits.

use std::collections::BTreeMap;
use tagtill::till::id::{MerchantId, OfferId, PurchaseId};
use tagtill::till::money::{AMOUNT_MAX, Currency, Money};
use tagtill::till::record::{
    DealTerms, NetworkRecord, OfferKind, OfferRecord, OfferStatus, PurchaseRecord, PurchaseStatus, Reward,
    Shortage,
};
use tagtill::till::text::{Counting, length};
use tagtill::till::time::Time;
use tagtill::till::verdict::Verdict;
use tagtill::till::{
    check, hashtag, id::AccountId, offer::WINDOW_SECONDS_MAX, wording::Speaker, words::Words,
};

/// The input is lines: a network's limit and counting (`280 x`), an amount and currency, a window in seconds, a start
/// and an end in milliseconds, the hashtag, the confirmation hashtag, the title, the link to the terms, the language. What the till
/// would refuse is passed over; what is missing has a default.
pub fn replies(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let network = network(next());
    let price = price(next());
    let window = 1 + number(next()).unsigned_abs() as u32 % WINDOW_SECONDS_MAX;
    let mut dates = next().split(' ').map(|word| word.parse().ok().map(Time::from_ms));
    let (starts_at, ends_at) = (dates.next().flatten(), dates.next().flatten());
    let (tag, confirm, title, terms, language) = (next(), next(), next(), next(), next());
    let or = |text: &str, default: &str, fine: bool| if fine { text.to_owned() } else { default.to_owned() };
    let offer = OfferRecord {
        merchant: MerchantId(1),
        kind: OfferKind::Purchase,
        hashtag: or(tag, "#BuyTea", hashtag::check_form("hashtag", tag).is_ok()),
        confirm_hashtag: or(confirm, "#ConfirmTea", hashtag::check_form("confirm_hashtag", confirm).is_ok()),
        title: or(title, "Tea", check::title("title", title).is_ok()),
        price,
        list_price: None,
        per_account_limit: 1,
        confirm_window_seconds: window,
        starts_at,
        ends_at,
        terms_url: check::link("terms_url", terms).is_ok().then(|| terms.to_owned()),
        ships_to: None,
        status: OfferStatus::Live,
        version: 1,
        created_at: Time::from_ms(0),
        ended_at: None,
        cancel_hashtag: hashtag::default_cancel(tag),
        variants: Vec::new(),
        max_per_purchase: 1000,
        shortage: Shortage::Partial,
        waitlist: true,
        deal: Some(DealTerms {
            min_spend: price,
            reward: Reward::Percent { percent: 7, cap: price },
            budget: None,
        }),
        language: None,
        texts: BTreeMap::new(),
    };
    // What may be wrong with a title may be wrong with a variant.
    let variant = check::title("variant", terms).is_ok().then(|| terms.chars().take(40).collect());
    let purchase = purchase(price, window, variant);
    // The same text under another name: of several texts, the post decides.
    let speaker = Speaker::new(Words::built_in(), &network, &offer, Some(language), ("x", title));
    let (pending, held) = (speaker.pending(&purchase, 1001), speaker.already_pending(&purchase));
    let spoken = Words::built_in().pick([Some(language), None]);
    for text in [&pending, &held] {
        assert!(text.contains(hashtag::bare(&offer.confirm_hashtag)), "how to confirm is said: {text}");
        assert!(text.contains(&spoken.money(price)), "the price is said: {text}");
    }
    let mut texts = vec![
        pending,
        held,
        speaker.your_turn(&purchase, 1),
        speaker.enrolled(),
        speaker.choose(&[title, terms]),
        speaker.waitlisted(1_000_000),
        speaker.limit_for_now(),
        speaker.passed(Verdict::Passed),
        speaker.not_linked(),
        speaker.paid(&purchase),
        speaker.one_step_left(3600),
        speaker.refused(),
    ];
    let verdicts = Verdict::ALL.iter();
    texts.extend(verdicts.filter_map(|one| speaker.for_verdict(price, *one)).map(|(_, text)| text));
    for text in texts {
        assert!(!text.trim().is_empty());
        let long = length(&text, network.counting);
        assert!(long <= network.text_limit as usize, "{long} of {}: {text}", network.text_limit);
    }
}

fn number(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0)
}

fn network(line: &str) -> NetworkRecord {
    let mut words = line.split(' ');
    // The least and the most that the API takes.
    let limit = number(words.next().unwrap_or_default()).clamp(140, 100_000);
    NetworkRecord {
        own: None,
        text_limit: u32::try_from(limit).unwrap_or(140),
        counting: match words.next() {
            Some("x") => Counting::X,
            Some("graphemes") => Counting::Graphemes,
            _ => Counting::Characters,
        },
        max_post_age_seconds: 3600,
        grace_seconds: 30,
        reply_wait_seconds: 600,
        one_reply_per_post: false,
        links_in_replies: words.next().is_none(),
        mention_needed: false,
        replies_per_15_minutes: None,
        replies_per_day: None,
    }
}

fn price(line: &str) -> Money {
    let (amount, currency) = line.split_once(' ').unwrap_or((line, "USD"));
    Money {
        amount: number(amount).clamp(1, AMOUNT_MAX),
        currency: Currency::parse(currency).unwrap_or(Currency::USD),
    }
}

fn purchase(price: Money, window_seconds: u32, variant: Option<String>) -> PurchaseRecord {
    let at = Time::from_ms(0);
    PurchaseRecord {
        offer: OfferId(1),
        account: AccountId(1),
        network: "sandbox".to_owned(),
        post: "p".to_owned(),
        price,
        offer_version: 1,
        window_seconds,
        status: PurchaseStatus::Pending,
        created_at: at,
        arrived_at: at,
        expires_at: at,
        release_at: at,
        window_set: true,
        reminded: false,
        reply: None,
        previous: Some(PurchaseId(1)),
        confirmation: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
        order: None,
        settled_at: None,
        units: 1,
        variant,
        language: None,
        disputes: Vec::new(),
        authenticate_by: None,
    }
}
