//! What a reply says: which texts go together, and what is left out where they do not fit. Never a word about the account.
//!
//! The texts themselves are in `words`, by language; an offer may bring its own.

use super::hashtag::bare;
use super::money::Money;
use super::record::{NetworkRecord, OfferRecord, PurchaseRecord, ReplyKind, Reward};
use super::text::{Counting, length};
use super::verdict::Verdict;
use super::words::{Key, Language, Slot, Template, Words};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Says things about an offer, on a network, in a language.
#[derive(Clone, Copy, Debug)]
pub struct Speaker<'a> {
    network: &'a NetworkRecord,
    offer: &'a OfferRecord,
    language: &'a Language,
    /// Which of several texts; the same post gets the same.
    choice: u64,
}

/// Values to fill in.
type Values<'v> = [(Slot, &'v str)];

impl<'a> Speaker<'a> {
    /// Answers the post `post` on the network `slug`, whose author writes in `language`, as far as anybody knows.
    pub fn new(
        words: &'a Words,
        network: &'a NetworkRecord,
        offer: &'a OfferRecord,
        language: Option<&str>,
        (slug, post): (&str, &str),
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        (slug, post).hash(&mut hasher);
        let language = words.pick([language, offer.language.as_deref()]);
        Self { network, offer, language, choice: hasher.finish() }
    }

    /// The same with another choice among several texts.
    #[must_use]
    pub fn choosing(self, choice: u64) -> Self {
        Self { choice, ..self }
    }

    /// The language that it speaks.
    pub fn language(&self) -> &'a Language {
        self.language
    }

    /// With how many choices, counted from 0, each of several texts has come up beside each of the others.
    pub fn choices(&self) -> u64 {
        let own = self.offer.texts.get(self.language.code());
        let own = own.into_iter().flat_map(|texts| texts.values()).map(Vec::len);
        let plain = Key::ALL.iter().map(|key| self.language.texts(*key).len());
        own.chain(plain).filter(|count| *count > 0).fold(1, |all, count| {
            let count = u64::try_from(count).unwrap_or(1);
            let both = (1..=count).map(|times| all.saturating_mul(times)).find(|many| many % count == 0);
            both.unwrap_or(all)
        })
    }

    /// The reply with the confirmation hashtag; `asked`: how many units the buyer wanted.
    pub fn pending(&self, held: &PurchaseRecord, asked: u32) -> String {
        self.confirmable(held, self.few(held, asked))
    }

    /// The same for the next on the waiting list.
    pub fn your_turn(&self, held: &PurchaseRecord, asked: u32) -> String {
        let turn = self.say(Key::Turn, &[]);
        self.confirmable(held, turn.into_iter().chain(self.few(held, asked)))
    }

    fn few(&self, held: &PurchaseRecord, asked: u32) -> Option<String> {
        if held.units >= asked {
            return None;
        }
        let (units, asked) = (self.language.number(held.units.into()), self.language.number(asked.into()));
        self.say(Key::Few, &[(Slot::Units, &units), (Slot::Asked, &asked)])
    }

    fn confirmable(&self, held: &PurchaseRecord, first: impl IntoIterator<Item = String>) -> String {
        let (price, window) = (self.language.money(held.price), self.language.span(held.window_seconds));
        let values = [
            (Slot::Price, price.as_str()),
            (Slot::Confirm, bare(&self.offer.confirm_hashtag)),
            (Slot::Window, window.as_str()),
        ];
        let first: Vec<String> = first.into_iter().collect();
        let ways = self.ways(Key::Held, &values);
        let with_first = |way: &String| {
            let all: Vec<&str> = first.iter().chain([way]).map(String::as_str).collect();
            all.join(&self.language.form().join)
        };
        let mut hows: Vec<String> = ways.iter().map(with_first).collect();
        if !first.is_empty() {
            hows.extend(ways);
        }
        let mut extras = self.extras();
        extras.extend(self.with_tag(Key::LetGo));
        self.fit(&self.thing(held), &hows, &extras)
    }

    /// The same once more, for somebody who posted the purchase hashtag again.
    pub fn already_pending(&self, held: &PurchaseRecord) -> String {
        let (price, window) = (self.language.money(held.price), self.language.span(held.window_seconds));
        let values = [
            (Slot::Price, price.as_str()),
            (Slot::Confirm, bare(&self.offer.confirm_hashtag)),
            (Slot::Window, window.as_str()),
        ];
        self.fit(&self.thing(held), &self.ways(Key::HeldAgain, &values), &self.extras())
    }

    /// What is bought: `Shirt`, `Shirt, blue L`, `Shirt ×2`.
    fn thing(&self, held: &PurchaseRecord) -> String {
        let form = self.language.form();
        let mut thing = self.offer.title.clone();
        if let Some(variant) = &held.variant {
            thing = form.variant.fill(&[(Slot::Title, &thing), (Slot::Variant, variant)]);
        }
        if held.units > 1 {
            let units = self.language.number(held.units.into());
            thing = form.units.fill(&[(Slot::Title, &thing), (Slot::Units, &units)]);
        }
        thing
    }

    /// The reply to a post that does not say which variant it means: as many as fit are named.
    pub fn choose(&self, choices: &[&str]) -> String {
        let buy = bare(&self.offer.hashtag);
        let list = &self.language.form().list;
        let naming = |count: usize| {
            let some: Vec<&str> = choices.iter().take(count).copied().collect();
            let more = if count < choices.len() { format!("{list}…") } else { String::new() };
            let named = format!("{}{more}", some.join(list));
            self.texts(Key::Choose, &[(Slot::Buy, buy), (Slot::Choices, &named)])
        };
        // The more are named, the longer: the most that fit are found by halving.
        let (mut fitting, mut too_many) = (0, choices.len() + 1);
        while too_many - fitting > 1 {
            let middle = usize::midpoint(fitting, too_many);
            if naming(middle).iter().any(|how| self.fits(how)) {
                fitting = middle;
            } else {
                too_many = middle;
            }
        }
        let mut hows = if fitting > 0 { naming(fitting) } else { Vec::new() };
        hows.extend(self.texts(Key::ChooseBrief, &[(Slot::Buy, buy)]));
        self.fit(&self.offer.title, &hows, &self.nothing_charged())
    }

    /// The reply to somebody who waits now.
    pub fn waitlisted(&self, place: u64) -> String {
        let place = self.language.number(place);
        let hows = self.ways(Key::Waitlisted, &[(Slot::Place, &place)]);
        let mut extras = self.nothing_charged();
        extras.extend(self.with_tag(Key::Leave));
        self.fit(&self.offer.title, &hows, &extras)
    }

    /// The reply to a change of mind.
    pub fn passed(&self, verdict: Verdict) -> String {
        match verdict {
            Verdict::Passed => self.plainly(Key::Passed, &[]),
            Verdict::AlreadyConfirmed => self.plainly(Key::AskRefund, &[]),
            _ => self.fit(&self.offer.title, &self.ways(Key::NothingToPass, &[]), &self.nothing_charged()),
        }
    }

    /// The question to somebody who missed a hashtag by one typing error.
    pub fn did_you_mean(&self, tag: &str) -> String {
        let hows = self.ways(Key::DidYouMean, &[(Slot::Tag, bare(tag))]);
        self.fit(&self.offer.title, &hows, &self.nothing_charged())
    }

    /// The reply to somebody who takes part in a deal now.
    pub fn enrolled(&self) -> String {
        let Some(terms) = &self.offer.deal else { return self.refused() };
        let spend = self.language.money(terms.min_spend);
        let hows = match terms.reward {
            Reward::Fixed(credit) => {
                let credit = self.language.money(credit);
                self.ways(Key::Enrolled, &[(Slot::Spend, &spend), (Slot::Credit, &credit)])
            }
            Reward::Percent { percent, cap } => {
                let (percent, cap) = (self.language.number(percent.into()), self.language.money(cap));
                let values = [
                    (Slot::Spend, spend.as_str()),
                    (Slot::Percent, percent.as_str()),
                    (Slot::Cap, cap.as_str()),
                ];
                self.ways(Key::EnrolledPercent, &values)
            }
        };
        self.fit(&self.offer.title, &hows, &self.extras())
    }

    /// The reply to somebody who is not linked.
    pub fn not_linked(&self) -> String {
        self.fit(&self.offer.title, &self.ways(Key::NotLinked, &[]), &self.extras())
    }

    /// The reply to somebody who runs into a limit of the till.
    pub fn limit_for_now(&self) -> String {
        self.fit(&self.offer.title, &self.ways(Key::LimitForNow, &[]), &self.nothing_charged())
    }

    /// The reply once the card is charged.
    pub fn paid(&self, purchase: &PurchaseRecord) -> String {
        let price = self.language.money(purchase.price);
        self.fit(&self.thing(purchase), &self.ways(Key::Paid, &[(Slot::Price, &price)]), &[])
    }

    /// What became of an order: its title, and nothing else about it.
    pub fn follow_up(&self, kind: ReplyKind) -> String {
        let key = if kind == ReplyKind::Shipped { Key::Shipped } else { Key::Cancelled };
        self.plainly(key, &[])
    }

    /// The reply where the card's owner has a step left at the provider.
    pub fn one_step_left(&self, window_seconds: u32) -> String {
        let window = self.language.span(window_seconds);
        self.plainly(Key::OneStepLeft, &[(Slot::Window, &window)])
    }

    /// The reply where nothing can be said but that nothing was charged.
    pub fn refused(&self) -> String {
        self.plainly(Key::Refused, &[])
    }

    /// The reply for a verdict that changes nothing or confirms; `None` where none is due.
    pub fn for_verdict(&self, price: Money, verdict: Verdict) -> Option<(ReplyKind, String)> {
        let buy = [(Slot::Buy, bare(&self.offer.hashtag))];
        let say = |kind, key, values: &Values<'_>| Some((kind, self.plainly(key, values)));
        match verdict {
            Verdict::Confirmed => {
                let price = self.language.money(price);
                say(ReplyKind::Confirmed, Key::Confirmed, &[(Slot::Price, &price)])
            }
            Verdict::AccountSuspended | Verdict::IdentityFrozen | Verdict::CannotShip => {
                say(ReplyKind::Refused, Key::Refused, &[])
            }
            Verdict::TooLate => say(ReplyKind::TooLate, Key::TooLate, &buy),
            Verdict::SoldOut => say(ReplyKind::Unavailable, Key::SoldOut, &[]),
            Verdict::NotStarted => match self.offer.starts_at {
                Some(start) => {
                    say(ReplyKind::Unavailable, Key::NotStartedOn, &[(Slot::Date, &self.language.day(start))])
                }
                None => say(ReplyKind::Unavailable, Key::NotStarted, &[]),
            },
            Verdict::Ended => say(ReplyKind::Unavailable, Key::Ended, &[]),
            Verdict::Paused => say(ReplyKind::Unavailable, Key::Paused, &[]),
            Verdict::AlreadyEnrolled => say(ReplyKind::Unavailable, Key::AlreadyEnrolled, &[]),
            Verdict::DealFull => say(ReplyKind::Unavailable, Key::DealFull, &[]),
            Verdict::LimitReached => say(ReplyKind::Unavailable, Key::LimitReached, &[]),
            Verdict::AlreadyConfirmed => say(ReplyKind::Unavailable, Key::AlreadyConfirmed, &[]),
            Verdict::NothingToConfirm => say(ReplyKind::Unavailable, Key::NothingToConfirm, &buy),
            _ => None,
        }
    }

    /// When it ends and on which terms.
    fn extras(&self) -> Vec<String> {
        let ends = self.offer.ends_at.and_then(|end| {
            let date = self.language.day(end);
            self.say(Key::Ends, &[(Slot::Date, &date)])
        });
        let terms = self.offer.terms_url.as_ref().and_then(|link| {
            if self.network.links_in_replies {
                self.say(Key::Terms, &[(Slot::Link, link)])
            } else {
                self.say(Key::TermsApply, &[])
            }
        });
        ends.into_iter().chain(terms).collect()
    }

    /// Something about the offer's hashtag that lets it go, where it has one.
    fn with_tag(&self, key: Key) -> Option<String> {
        let tag = self.offer.cancel_hashtag.as_ref()?;
        self.say(key, &[(Slot::Cancel, bare(tag))])
    }

    fn nothing_charged(&self) -> Vec<String> {
        self.say(Key::NothingCharged, &[]).into_iter().collect()
    }

    fn plainly(&self, key: Key, values: &Values<'_>) -> String {
        self.fit(&self.offer.title, &self.ways(key, values), &[])
    }

    /// The ways to say something: what is best first, then what is said where that does not fit.
    fn ways(&self, key: Key, values: &Values<'_>) -> Vec<String> {
        let brief = key.brief().map(|brief| self.texts(brief, values)).unwrap_or_default();
        self.texts(key, values).into_iter().chain(brief).collect()
    }

    fn say(&self, key: Key, values: &Values<'_>) -> Option<String> {
        self.texts(key, values).into_iter().next()
    }

    /// The offer's own text, then the language's; of several the post decides.
    fn texts(&self, key: Key, values: &Values<'_>) -> Vec<String> {
        let own = self.offer.texts.get(self.language.code()).and_then(|texts| texts.get(key.name()));
        let own = own.and_then(|texts| self.one_of(texts));
        let own = own.and_then(|text| Template::parse(text, key.slots()).ok());
        let plain = self.one_of(self.language.texts(key));
        own.iter().chain(plain).map(|template| template.fill(values)).collect()
    }

    fn one_of<'t, T>(&self, texts: &'t [T]) -> Option<&'t T> {
        let count = u64::try_from(texts.len()).ok().filter(|count| *count > 0)?;
        texts.get(usize::try_from(self.choice % count).unwrap_or(0))
    }

    fn fits(&self, text: &str) -> bool {
        let limit = usize::try_from(self.network.text_limit).unwrap_or(usize::MAX);
        // Most replies are short. No text has more graphemes than bytes; only addresses count for more than they are.
        let plain = match self.network.counting {
            Counting::X => false,
            Counting::Graphemes => true,
            Counting::Characters => !text.contains("://"),
        };
        (plain && text.len() <= limit) || length(text, self.network.counting) <= limit
    }

    /// The first of `hows` that fits, with as much of the title as fits, then each extra that still does.
    fn fit(&self, title: &str, hows: &[String], extras: &[String]) -> String {
        let form = self.language.form();
        let fits = |text: &str| self.fits(text);
        let how = hows.iter().find(|how| fits(how)).or(hows.last()).map_or("", String::as_str);
        let line = |title: &str| form.line.fill(&[(Slot::Title, title), (Slot::Text, how)]);
        let mut text = line(title);
        let mut kept: Vec<char> = title.chars().collect();
        while !fits(&text) && !kept.is_empty() {
            kept.truncate(kept.len().saturating_sub(4));
            let short: String = kept.iter().collect();
            text = line(&format!("{}…", short.trim_end()));
        }
        if !fits(&text) || kept.is_empty() {
            how.clone_into(&mut text);
        }
        for extra in extras {
            let longer = [text.as_str(), extra].join(&form.join);
            if fits(&longer) {
                text = longer;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::id::{AccountId, MerchantId, OfferId};
    use crate::till::money::{AMOUNT_MAX, Currency};
    use crate::till::network;
    use crate::till::record::{DealTerms, OfferKind, OfferStatus, PurchaseStatus, Shortage};
    use crate::till::text::hashtags;
    use crate::till::time::Time;
    use std::collections::BTreeMap;

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
            language: None,
            disputes: Vec::new(),
            authenticate_by: None,
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
            language: None,
            texts: BTreeMap::new(),
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
        let words = Words::built_in();
        for settings in known.flat_map(|slug| [network::defaults(slug).unwrap(), shortest(slug)]) {
            for (language, post) in
                words.all().flat_map(|one| (0..4).map(|post| (one.code(), post.to_string())))
            {
                let speaker = Speaker::new(words, &settings, &offer, Some(language), ("x", &post));
                let mut texts = vec![
                    speaker.pending(&held, 1_000_000),
                    speaker.your_turn(&held, 1_000_000),
                    speaker.already_pending(&held),
                    speaker.enrolled(),
                    speaker.did_you_mean(&offer.hashtag),
                    speaker.choose(&names),
                    speaker.waitlisted(u64::MAX),
                    speaker.limit_for_now(),
                    speaker.passed(Verdict::Passed),
                    speaker.passed(Verdict::AlreadyConfirmed),
                    speaker.passed(Verdict::NothingToConfirm),
                    speaker.not_linked(),
                    speaker.paid(&held),
                    speaker.one_step_left(3600),
                    speaker.refused(),
                    speaker.follow_up(ReplyKind::Shipped),
                    speaker.follow_up(ReplyKind::Cancelled),
                ];
                for text in &texts[..3] {
                    assert!(text.contains(&offer.confirm_hashtag), "{text}");
                    assert!(hashtags(text).contains(&tag.as_str()), "{text}");
                }
                for verdict in Verdict::ALL {
                    texts.extend(speaker.for_verdict(price, *verdict).map(|(_, text)| text));
                }
                for text in texts {
                    let long = length(&text, settings.counting);
                    assert!(long <= settings.text_limit as usize, "{language} {settings:?}: {long}: {text}");
                }
            }
        }
    }
}
