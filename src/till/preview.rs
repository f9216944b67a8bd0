//! What the till will say about an offer: every reply, on every network, before anybody has posted anything.
//!
//! The texts come from the same speaker as the replies themselves. Nothing is kept here.

use super::id::{AccountId, OfferId};
use super::record::{
    NetworkRecord, OfferKind, OfferRecord, PurchaseRecord, PurchaseStatus, ReplyKind, StockRecord,
};
use super::text::length;
use super::time::Time;
use super::verdict::Verdict;
use super::wording::Speaker;
use super::words::Words;
use std::collections::BTreeMap;

/// Wordings of one reply that are looked for, at most.
const CHOICES_MAX: u64 = 60;

/// A reply that the till may post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// On which network.
    pub network: String,
    /// When: the code of a verdict, or `your_turn`, `paid`, `refused`.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
    /// How long that is, as the network counts.
    pub length: usize,
    /// How long it may be there.
    pub limit: u32,
}

/// Every reply about an offer, by network, what matters most first. Of a reply with several wordings, which the post
/// decides, each is a line of its own.
pub fn lines(
    words: &Words,
    networks: &BTreeMap<String, NetworkRecord>,
    (id, offer): (OfferId, &OfferRecord),
    stock: &StockRecord,
    now: Time,
) -> Vec<Line> {
    let held = sample((id, offer), now);
    let mut lines: Vec<Line> = Vec::new();
    for (slug, network) in networks {
        let speaker = Speaker::new(words, network, offer, None, (slug, ""));
        let first = lines.len();
        for choice in 0..speaker.choices().min(CHOICES_MAX) {
            for (kind, text) in said(&speaker.choosing(choice), network, offer, stock, (&held, now)) {
                let own = lines.get(first..).unwrap_or_default();
                if own.iter().any(|line| line.kind == kind && line.text == text) {
                    continue;
                }
                // Wordings of one kind stand together.
                let after = own.iter().rposition(|line| line.kind == kind).map(|at| first + at + 1);
                let length = length(&text, network.counting);
                let line = Line { network: slug.clone(), kind, text, length, limit: network.text_limit };
                lines.insert(after.unwrap_or(lines.len()), line);
            }
        }
    }
    lines
}

/// What is said, by kind, in one choice of wordings.
fn said(
    speaker: &Speaker<'_>,
    network: &NetworkRecord,
    offer: &OfferRecord,
    stock: &StockRecord,
    (held, now): (&PurchaseRecord, Time),
) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    let mut verdicts = vec![Verdict::LimitReached, Verdict::Paused];
    if offer.kind == OfferKind::Deal {
        said.push((Verdict::Enrolled.code(), speaker.enrolled()));
        said.push((Verdict::NotLinked.code(), speaker.not_linked()));
        verdicts = vec![Verdict::AlreadyEnrolled, Verdict::DealFull, Verdict::Paused];
    } else {
        said.push((Verdict::Pending.code(), speaker.pending(held, held.units)));
        said.push((Verdict::AlreadyPending.code(), speaker.already_pending(held)));
        if offer.variants.len() > 1 {
            said.push((Verdict::UnknownVariant.code(), speaker.choose(&offer.choices(stock))));
        }
        // Where a post may be answered once, that answer waits for the capture.
        if network.one_reply_per_post {
            said.push(("paid", speaker.paid(held)));
        } else {
            said.extend(of_verdict(speaker, held, Verdict::Confirmed));
        }
        said.push(("refused", speaker.refused()));
        said.push((Verdict::NotLinked.code(), speaker.not_linked()));
        if offer.waitlist {
            said.push((Verdict::Waitlisted.code(), speaker.waitlisted(1)));
            said.push(("your_turn", speaker.your_turn(held, held.units)));
        }
        said.extend(of_verdict(speaker, held, Verdict::SoldOut));
        said.extend(of_verdict(speaker, held, Verdict::TooLate));
        said.extend(of_verdict(speaker, held, Verdict::AlreadyConfirmed));
        said.extend(of_verdict(speaker, held, Verdict::NothingToConfirm));
        said.push((Verdict::Passed.code(), speaker.passed(Verdict::Passed)));
    }
    if offer.starts_at.is_some_and(|start| now < start) {
        verdicts.push(Verdict::NotStarted);
    }
    verdicts.push(Verdict::Ended);
    said.extend(verdicts.into_iter().filter_map(|verdict| of_verdict(speaker, held, verdict)));
    said
}

fn of_verdict(
    speaker: &Speaker<'_>,
    held: &PurchaseRecord,
    verdict: Verdict,
) -> Option<(&'static str, String)> {
    let said: Option<(ReplyKind, String)> = speaker.for_verdict(held.price, verdict);
    said.map(|(_, text)| (verdict.code(), text))
}

/// A purchase as most are: one unit, of the first variant.
fn sample((id, offer): (OfferId, &OfferRecord), now: Time) -> PurchaseRecord {
    let variant = offer.variants.first();
    PurchaseRecord {
        offer: id,
        account: AccountId(0),
        network: String::new(),
        post: String::new(),
        price: offer.unit_price(variant),
        offer_version: offer.version,
        window_seconds: offer.confirm_window_seconds,
        status: PurchaseStatus::Pending,
        created_at: now,
        arrived_at: now,
        expires_at: now,
        release_at: now,
        window_set: false,
        reminded: false,
        reply: None,
        previous: None,
        confirmation: None,
        attempts: Vec::new(),
        refunds: Vec::new(),
        order: None,
        settled_at: None,
        units: 1,
        variant: variant.map(|variant| variant.name.clone()),
        language: None,
        disputes: Vec::new(),
        authenticate_by: None,
    }
}
