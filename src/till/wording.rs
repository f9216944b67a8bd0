//! What replies say: what is needed first, the end date and the terms where they fit, never a word about the account.

use super::hashtag::bare;
use super::money::Money;
use super::record::{NetworkRecord, OfferRecord, PurchaseRecord, ReplyKind, Reward};
use super::text::length;
use super::verdict::Verdict;

/// The reply with the confirmation hashtag; `asked`: how many units the buyer wanted.
pub fn pending(network: &NetworkRecord, offer: &OfferRecord, held: &PurchaseRecord, asked: u32) -> String {
    let few =
        if held.units < asked { format!("You can have {} of {asked}. ", held.units) } else { String::new() };
    confirmable(network, offer, held, &few)
}

/// The same for the next on the waiting list.
pub fn your_turn(network: &NetworkRecord, offer: &OfferRecord, held: &PurchaseRecord, asked: u32) -> String {
    let few =
        if held.units < asked { format!(" You can have {} of {asked}.", held.units) } else { String::new() };
    confirmable(network, offer, held, &format!("It is your turn.{few} "))
}

fn confirmable(network: &NetworkRecord, offer: &OfferRecord, held: &PurchaseRecord, first: &str) -> String {
    let (tag, window, price) = (bare(&offer.confirm_hashtag), span(held.window_seconds), held.price);
    let it = if held.units == 1 { "it" } else { "them" };
    let how = format!(
        "{first}To buy {it} for {price}, post #{tag} or repost this within {window}: that orders {it} and charges \
         your linked card."
    );
    let mut extras = extras(network, offer);
    extras.extend(offer.cancel_hashtag.as_ref().map(|tag| format!("#{} lets {it} go.", bare(tag))));
    fit(network, &thing(&offer.title, held), &[&how, &briefly(tag, price, &window)], &extras)
}

/// The same once more, for somebody who posted the purchase hashtag again.
pub fn already_pending(network: &NetworkRecord, offer: &OfferRecord, held: &PurchaseRecord) -> String {
    let (tag, window) = (bare(&offer.confirm_hashtag), span(held.window_seconds));
    let how = format!(
        "It is held for you already. To buy it for {}, post #{tag} or repost this within {window} of our first reply: \
         that orders it and charges your linked card.",
        held.price,
    );
    compose(network, &thing(&offer.title, held), &[&how, &briefly(tag, held.price, &window)], offer)
}

/// What is bought: `Shirt`, `Shirt, blue L`, `Shirt ×2`.
pub fn thing(title: &str, held: &PurchaseRecord) -> String {
    let variant = held.variant.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    let units = if held.units > 1 { format!(" ×{}", held.units) } else { String::new() };
    format!("{title}{variant}{units}")
}

/// The reply to a post that does not say which variant it means: as many as fit are named.
pub fn choose(network: &NetworkRecord, offer: &OfferRecord, choices: &[&str]) -> String {
    let buy = bare(&offer.hashtag);
    let mut hows: Vec<String> = (1..=choices.len())
        .rev()
        .map(|count| {
            let more = if count < choices.len() { ", …" } else { "" };
            let some: Vec<&str> = choices.iter().take(count).copied().collect();
            format!("Which one? Post #{buy} with one of: {}{more}.", some.join(", "))
        })
        .collect();
    hows.push(format!("Which one? Post #{buy} and say which."));
    let hows: Vec<&str> = hows.iter().map(String::as_str).collect();
    fit(network, &offer.title, &hows, &[NOTHING_CHARGED.to_owned()])
}

/// The reply to somebody who waits now.
pub fn waitlisted(network: &NetworkRecord, offer: &OfferRecord, place: u64) -> String {
    let how = format!("Sold out. You are number {place} in line; we reply here when it is your turn.");
    let leave = offer.cancel_hashtag.as_ref().map(|tag| format!("Post #{} to leave.", bare(tag)));
    let extras: Vec<String> = std::iter::once(NOTHING_CHARGED.to_owned()).chain(leave).collect();
    fit(network, &offer.title, &[&how], &extras)
}

/// The reply to a change of mind.
pub fn passed(network: &NetworkRecord, offer: &OfferRecord, verdict: Verdict) -> String {
    match verdict {
        Verdict::Passed => fit(network, &offer.title, &["Let go, as you wished. Nothing was charged."], &[]),
        Verdict::AlreadyConfirmed => {
            let how = "You have ordered this already. To give it back, please ask the shop for a refund.";
            fit(network, &offer.title, &[how], &[])
        }
        _ => fit(
            network,
            &offer.title,
            &["There is nothing of yours to let go."],
            &[NOTHING_CHARGED.to_owned()],
        ),
    }
}

/// The question to somebody who missed a hashtag by one typing error.
pub fn did_you_mean(network: &NetworkRecord, offer: &OfferRecord, tag: &str) -> String {
    let how = format!("Did you mean #{}? Nothing is held yet: post it to go on.", bare(tag));
    fit(network, &offer.title, &[&how], &[NOTHING_CHARGED.to_owned()])
}

/// The reply to somebody who takes part in a deal now.
pub fn enrolled(network: &NetworkRecord, offer: &OfferRecord) -> String {
    let Some(terms) = &offer.deal else { return refused(network, &offer.title) };
    let spend = terms.min_spend;
    let (long, short) = match terms.reward {
        Reward::Fixed(credit) => (
            format!(
                "You are in. Spend {spend} or more with your linked card and get {credit} back on your statement."
            ),
            format!("You are in: spend {spend}, get {credit} back."),
        ),
        Reward::Percent { percent, cap } => (
            format!(
                "You are in. Spend {spend} or more with your linked card and get {percent} % back on your statement, \
                 up to {cap}."
            ),
            format!("You are in: spend {spend}, get {percent} % back, up to {cap}."),
        ),
    };
    compose(network, &offer.title, &[&long, &short], offer)
}

/// The reply to somebody who runs into a limit of the till.
pub fn not_so_soon(network: &NetworkRecord, offer: &OfferRecord) -> String {
    let how = "That is as much as one buyer may order for now. Please try again later.";
    fit(network, &offer.title, &[how], &[NOTHING_CHARGED.to_owned()])
}

const NOTHING_CHARGED: &str = "Nothing was charged.";

/// What has to be said in any case, on a network of very short posts.
fn briefly(tag: &str, price: Money, window: &str) -> String {
    format!("#{tag} orders and pays {price} within {window}.")
}

/// The reply to somebody who is not linked.
pub fn not_linked(network: &NetworkRecord, offer: &OfferRecord) -> String {
    let how = "To buy with a post, first link a card with the shop, then post the hashtag again.";
    compose(network, &offer.title, &[how], offer)
}

/// The reply once the card is charged.
pub fn paid(network: &NetworkRecord, title: &str, price: Money) -> String {
    fit(network, title, &[&format!("Sold. {price} was charged, and it ships to your billing address.")], &[])
}

/// The reply where nothing can be said but that nothing was charged.
pub fn refused(network: &NetworkRecord, title: &str) -> String {
    let how =
        "This order could not be completed and nothing was charged. Please check with your shop account.";
    fit(network, title, &[how], &[])
}

/// The reply for a verdict that changes nothing or confirms; `None` where none is due.
pub fn for_verdict(
    network: &NetworkRecord,
    offer: &OfferRecord,
    price: Money,
    verdict: Verdict,
) -> Option<(ReplyKind, String)> {
    let say = |kind, how: &str| Some((kind, fit(network, &offer.title, &[how, "Nothing was charged."], &[])));
    let buy = bare(&offer.hashtag);
    match verdict {
        Verdict::Confirmed => {
            let how = format!("Ordered. {price} is being charged, and it ships to your billing address.");
            Some((ReplyKind::Confirmed, fit(network, &offer.title, &[&how], &[])))
        }
        Verdict::AccountSuspended | Verdict::IdentityFrozen | Verdict::CannotShip => {
            Some((ReplyKind::Refused, refused(network, &offer.title)))
        }
        Verdict::TooLate => say(
            ReplyKind::TooLate,
            &format!("That came after the time to confirm; nothing was charged. Post #{buy} to try again."),
        ),
        Verdict::SoldOut => say(ReplyKind::Unavailable, "Sold out. Nothing was charged."),
        Verdict::NotStarted => {
            let start = offer.starts_at.map(|start| format!(" It starts on {}.", start.day_for_people()));
            say(ReplyKind::Unavailable, &format!("Not on sale yet.{}", start.unwrap_or_default()))
        }
        Verdict::Ended => say(ReplyKind::Unavailable, "This offer has ended. Nothing was charged."),
        Verdict::Paused => say(ReplyKind::Unavailable, "This offer is paused; please try again later."),
        Verdict::AlreadyEnrolled => {
            let how = "You take part already: spending with your linked card is all it takes.";
            Some((ReplyKind::Unavailable, fit(network, &offer.title, &[how], &[])))
        }
        Verdict::DealFull => {
            let how = "All places are taken, so this card is not part of it.";
            Some((ReplyKind::Unavailable, fit(network, &offer.title, &[how], &[])))
        }
        Verdict::LimitReached => {
            say(ReplyKind::Unavailable, "You have ordered as many of this as one buyer may.")
        }
        Verdict::AlreadyConfirmed => {
            say(ReplyKind::Unavailable, "You have ordered this already; you will not be charged again.")
        }
        Verdict::NothingToConfirm => say(
            ReplyKind::Unavailable,
            &format!("There is nothing of yours to confirm; nothing was charged. Post #{buy} to begin."),
        ),
        _ => None,
    }
}

fn compose(network: &NetworkRecord, title: &str, hows: &[&str], offer: &OfferRecord) -> String {
    fit(network, title, hows, &extras(network, offer))
}

/// When it ends and on which terms.
fn extras(network: &NetworkRecord, offer: &OfferRecord) -> Vec<String> {
    let end = offer.ends_at.map(|end| format!("Ends {}.", end.day_for_people()));
    let terms = offer.terms_url.as_ref().map(|link| {
        if network.links_in_replies { format!("Terms: {link}") } else { "Terms apply.".to_owned() }
    });
    end.into_iter().chain(terms).collect()
}

/// The first of `hows` that fits, with as much of the title as fits, then each extra that still does.
fn fit(network: &NetworkRecord, title: &str, hows: &[&str], extras: &[String]) -> String {
    let limit = usize::try_from(network.text_limit).unwrap_or(usize::MAX);
    let fits = |text: &str| length(text, network.counting) <= limit;
    let how = hows.iter().find(|how| fits(how)).or(hows.last()).copied().unwrap_or_default();
    let mut text = format!("{title}: {how}");
    let mut kept: Vec<char> = title.chars().collect();
    while !fits(&text) && !kept.is_empty() {
        kept.truncate(kept.len().saturating_sub(4));
        let short: String = kept.iter().collect();
        text = format!("{}…: {how}", short.trim_end());
    }
    if !fits(&text) || kept.is_empty() {
        how.clone_into(&mut text);
    }
    for extra in extras {
        let longer = format!("{text} {extra}");
        if fits(&longer) {
            text = longer;
        }
    }
    text
}

/// A span as people say it: `15 minutes`, `90 seconds`, `2 hours`.
fn span(seconds: u32) -> String {
    let (number, unit) = match seconds {
        s if s >= 7200 && s.is_multiple_of(3600) => (s / 3600, "hour"),
        s if s.is_multiple_of(60) => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::id::{AccountId, MerchantId, OfferId};
    use crate::till::money::{AMOUNT_MAX, Currency};
    use crate::till::network;
    use crate::till::record::{DealTerms, OfferKind, OfferStatus, PurchaseStatus, Shortage};
    use crate::till::time::Time;

    fn held(price: Money, variant: Option<String>) -> PurchaseRecord {
        let at = Time::from_ms(0);
        PurchaseRecord {
            offer: OfferId(1),
            account: AccountId(1),
            network: "x".to_owned(),
            post: "p".to_owned(),
            price,
            offer_version: 1,
            window_seconds: 604_799,
            status: PurchaseStatus::Pending,
            created_at: at,
            arrived_at: at,
            expires_at: at,
            release_at: at,
            window_set: false,
            reminded: false,
            reply: None,
            previous: None,
            confirmation: None,
            attempts: Vec::new(),
            refunds: Vec::new(),
            order: None,
            settled_at: None,
            units: 1000,
            variant,
        }
    }

    #[test]
    fn every_text_fits_its_network_in_the_worst_case() {
        let tag = "買".repeat(40);
        let price = Money { amount: AMOUNT_MAX, currency: Currency::parse("KWD").unwrap() };
        let offer = OfferRecord {
            merchant: MerchantId(1),
            kind: OfferKind::Purchase,
            hashtag: format!("#{tag}"),
            confirm_hashtag: format!("#{tag}"),
            title: "店".repeat(100),
            price,
            list_price: None,
            per_account_limit: 1,
            confirm_window_seconds: 604_799,
            starts_at: Some(Time::from_ms(i64::MAX)),
            ends_at: Some(Time::from_ms(i64::MAX)),
            terms_url: Some(format!("https://shop.example/{}", "a".repeat(450))),
            ships_to: None,
            status: OfferStatus::Live,
            version: 1,
            created_at: Time::from_ms(0),
            ended_at: None,
            cancel_hashtag: Some(format!("#{tag}")),
            variants: Vec::new(),
            max_per_purchase: 1000,
            shortage: Shortage::Partial,
            waitlist: true,
            deal: Some(DealTerms {
                min_spend: price,
                reward: Reward::Percent { percent: 100, cap: price },
                budget: None,
            }),
        };
        let names: Vec<String> = (0..100).map(|n| format!("{}{n}", "店".repeat(37))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let held = held(price, Some(names[0].to_owned()));
        let shortest = |slug: &str| {
            let mut settings = network::defaults(slug).unwrap();
            settings.text_limit = 140;
            settings
        };
        let known = network::KNOWN_NETWORKS.iter();
        for settings in known.flat_map(|slug| [network::defaults(slug).unwrap(), shortest(slug)]) {
            let mut texts = vec![
                pending(&settings, &offer, &held, 1_000_000),
                your_turn(&settings, &offer, &held, 1_000_000),
                already_pending(&settings, &offer, &held),
                enrolled(&settings, &offer),
                did_you_mean(&settings, &offer, &offer.hashtag),
                choose(&settings, &offer, &names),
                waitlisted(&settings, &offer, u64::MAX),
                not_so_soon(&settings, &offer),
                passed(&settings, &offer, Verdict::Passed),
                passed(&settings, &offer, Verdict::AlreadyConfirmed),
                passed(&settings, &offer, Verdict::NothingToConfirm),
                not_linked(&settings, &offer),
                paid(&settings, &offer.title, price),
                refused(&settings, &offer.title),
            ];
            assert!(texts[0].contains(&offer.confirm_hashtag), "{}", texts[0]);
            for verdict in Verdict::ALL {
                texts.extend(for_verdict(&settings, &offer, price, *verdict).map(|(_, text)| text));
            }
            for text in texts {
                let long = length(&text, settings.counting);
                assert!(long <= settings.text_limit as usize, "{settings:?}: {long}: {text}");
            }
        }
    }
}
