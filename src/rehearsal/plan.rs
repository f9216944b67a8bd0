//! Who does what, and when: every buyer is of one kind, and everything is drawn from the seed.

use crate::till::role::is_slug;
use serde::{Deserialize, Serialize};

/// More buyers than this are no rehearsal any more, but a bench.
pub const BUYERS_MAX: u32 = 100_000;
/// The first so many shares are of kinds of buyers.
const KINDS: usize = 8;
/// How steep the wave is: with 5, half of everybody comes in the first thirteenth of it.
const STEEPNESS: f64 = 5.0;
/// Nobody answers faster than this, in milliseconds.
const REACTION_MS_MIN: u64 = 4000;
/// Hardly anybody in time takes longer than this, in milliseconds.
const REACTION_MS_MAX: u64 = 300_000;

/// What a rehearsal is asked for. Shares are percent of the buyers; who is left confirms in time, by hashtag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How many people want one.
    pub buyers: u32,
    /// How many units there are; `None`: as many as the offer has.
    pub units: Option<u64>,
    /// How many one account may buy; `None`: as many as the offer says.
    pub limit: Option<u32>,
    /// How long a buyer has to confirm; `None`: as long as the offer says.
    pub window_seconds: Option<u32>,
    /// Whether there is a waiting list; `None`: as the offer has it.
    pub waitlist: Option<bool>,
    /// The network of all posts.
    pub network: String,
    /// Everything is drawn from this.
    pub seed: u64,
    /// From the first wish to the last; half of all come in the first thirteenth of it.
    pub spread_seconds: u32,
    /// Confirm after their window.
    pub late_percent: u32,
    /// Never confirm.
    pub undecided_percent: u32,
    /// Post their wish twice.
    pub twice_percent: u32,
    /// Confirm by reposting the reply.
    pub repost_percent: u32,
    /// Let it go again before they confirm: by the hashtag for that, or by deleting their post.
    pub changed_percent: u32,
    /// Have a card that is declined.
    pub declined_percent: u32,
    /// Have a card whose first charge is answered by nobody.
    pub slow_cards_percent: u32,
    /// Have linked no account.
    pub unlinked_percent: u32,
    /// Replies that never get out.
    pub lost_replies_percent: u32,
    /// Replies that are out, but of which the till hears a minute or two later.
    pub late_answers_percent: u32,
    /// Posts that the network delivers a second time.
    pub redelivered_percent: u32,
    /// How long a reply takes to get out, about.
    pub reply_seconds: u32,
    /// How many replies the network takes in 15 minutes; `None`: as many as the till knows of it; 0: no limit.
    pub replies_per_15_minutes: Option<u32>,
    /// How many it takes in a day; `None`: as many as the till knows of it; 0: no limit.
    pub replies_per_day: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            buyers: 1000,
            units: None,
            limit: None,
            window_seconds: None,
            waitlist: None,
            network: "sandbox".to_owned(),
            seed: 1,
            spread_seconds: 600,
            late_percent: 8,
            undecided_percent: 12,
            twice_percent: 5,
            repost_percent: 15,
            changed_percent: 3,
            declined_percent: 3,
            slow_cards_percent: 1,
            unlinked_percent: 5,
            lost_replies_percent: 1,
            late_answers_percent: 3,
            redelivered_percent: 2,
            reply_seconds: 3,
            replies_per_15_minutes: None,
            replies_per_day: None,
        }
    }
}

/// A setting that cannot be: which, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its name in [`Settings`].
    pub field: &'static str,
    /// What is wrong.
    pub detail: String,
}

impl Wrong {
    /// What is wrong with a field.
    pub fn new(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field, detail: detail.into() }
    }
}

impl Settings {
    /// Looks whether it can be played.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self) -> Result<(), Wrong> {
        let range = |field, value: u64, least: u64, most: u64| {
            let fine = (least..=most).contains(&value);
            if fine { Ok(()) } else { Err(Wrong::new(field, format!("must be from {least} to {most}"))) }
        };
        range("buyers", self.buyers.into(), 1, BUYERS_MAX.into())?;
        range("units", self.units.unwrap_or(1), 1, 1_000_000_000)?;
        range("limit", self.limit.unwrap_or(1).into(), 1, 1000)?;
        range("window_seconds", self.window_seconds.unwrap_or(900).into(), 60, 86_400)?;
        range("spread_seconds", self.spread_seconds.into(), 1, 86_400)?;
        range("reply_seconds", self.reply_seconds.into(), 1, 600)?;
        for (field, percent) in self.percents() {
            range(field, percent.into(), 0, 100)?;
        }
        if !is_slug(&self.network) {
            return Err(Wrong::new(
                "network",
                "must be a network's name, as in x, bluesky, mastodon or sandbox",
            ));
        }
        self.check_kinds()
    }

    /// A buyer is of one kind.
    fn check_kinds(&self) -> Result<(), Wrong> {
        let kinds = self.percents().into_iter().take(KINDS).collect::<Vec<_>>();
        let sum: u32 = kinds.iter().map(|(_, percent)| percent).sum();
        let Some((largest, _)) = kinds.iter().max_by_key(|(_, percent)| *percent).filter(|_| sum > 100)
        else {
            return Ok(());
        };
        let some = kinds.iter().filter(|(_, percent)| *percent > 0);
        let names: Vec<_> = some
            .map(|(name, percent)| {
                format!("{} {percent}", name.trim_end_matches("_percent").replace('_', "-"))
            })
            .collect();
        let detail = format!(
            "is too much: a buyer is of one kind, and the kinds come to {sum} percent ({}). Those that are left out have \
             their defaults; 0 is none",
            names.join(", ")
        );
        Err(Wrong::new(largest, detail))
    }

    /// Every share, by its name; those of kinds of buyers first.
    pub fn percents(&self) -> [(&'static str, u32); 11] {
        [
            ("late_percent", self.late_percent),
            ("undecided_percent", self.undecided_percent),
            ("twice_percent", self.twice_percent),
            ("repost_percent", self.repost_percent),
            ("changed_percent", self.changed_percent),
            ("declined_percent", self.declined_percent),
            ("slow_cards_percent", self.slow_cards_percent),
            ("unlinked_percent", self.unlinked_percent),
            ("lost_replies_percent", self.lost_replies_percent),
            ("late_answers_percent", self.late_answers_percent),
            ("redelivered_percent", self.redelivered_percent),
        ]
    }

    /// The shares of the kinds of buyers, all but the first.
    fn kinds(&self) -> [(Kind, u32); 8] {
        [
            (Kind::Late, self.late_percent),
            (Kind::Undecided, self.undecided_percent),
            (Kind::Twice, self.twice_percent),
            (Kind::Reposts, self.repost_percent),
            (Kind::Changes, self.changed_percent),
            (Kind::Declined, self.declined_percent),
            (Kind::SlowCard, self.slow_cards_percent),
            (Kind::Unlinked, self.unlinked_percent),
        ]
    }

    /// Everybody who comes, in the order of their numbers.
    pub fn people(&self) -> Vec<Buyer> {
        let mut kinds = Vec::new();
        for (kind, percent) in self.kinds() {
            let count = (u64::from(self.buyers) * u64::from(percent) + 50) / 100;
            kinds.extend((0..count).map(|_| kind));
        }
        let buyers = usize::try_from(self.buyers).unwrap_or(0);
        kinds.resize(buyers, Kind::OnTime);
        let mut chance = Chance::new(self.seed, 0);
        // Everybody's place in the list is as likely as any other.
        for last in (1..kinds.len()).rev() {
            let other = usize::try_from(chance.below(last as u64 + 1)).unwrap_or(0);
            kinds.swap(last, other);
        }
        (1..).zip(kinds).map(|(number, kind)| self.buyer(number, kind)).collect()
    }

    fn buyer(&self, number: u64, kind: Kind) -> Buyer {
        let mut chance = Chance::new(self.seed, number);
        let reaction_ms = chance.skewed(REACTION_MS_MIN, REACTION_MS_MAX);
        Buyer {
            kind,
            comes_ms: wave(chance.part(), u64::from(self.spread_seconds) * 1000),
            reaction_ms,
            late_ms: chance.between(5000, 600_000),
            again_ms: chance.between(3000, 90_000),
            deletes: chance.percent(50),
            wants: chance.next(),
            redelivered: chance.percent(self.redelivered_percent),
        }
    }

    /// What becomes of the reply with this number on its way out.
    pub fn way_out(&self, number: u64) -> WayOut {
        let mut chance = Chance::new(self.seed ^ 0x7265_706c, number);
        let about_ms = u64::from(self.reply_seconds) * 1000;
        let takes_ms = chance.between(about_ms / 2, about_ms.saturating_mul(3) / 2).max(500);
        let lost = chance.percent(self.lost_replies_percent);
        let told_late_ms = chance.between(30_000, 150_000);
        let late = chance.percent(self.late_answers_percent);
        WayOut { takes_ms, lost, told_late_ms: (late && !lost).then_some(told_late_ms) }
    }
}

/// What a buyer is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Confirms in time.
    OnTime,
    /// Confirms after the window.
    Late,
    /// Never confirms.
    Undecided,
    /// Posts the wish twice.
    Twice,
    /// Confirms by reposting the reply.
    Reposts,
    /// Lets it go again.
    Changes,
    /// The card is declined.
    Declined,
    /// The card's first charge is answered by nobody.
    SlowCard,
    /// Has linked no account.
    Unlinked,
}

/// One buyer, and all that this one leaves to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// What this one is like.
    pub kind: Kind,
    /// When the wish is posted, from the start of the drop.
    pub comes_ms: u64,
    /// From seeing a reply to acting on it.
    pub reaction_ms: u64,
    /// Whoever is late is so by this much.
    pub late_ms: u64,
    /// From the first wish to the second.
    pub again_ms: u64,
    /// Whether a change of mind deletes the post.
    pub deletes: bool,
    /// Which of several variants is wanted.
    pub wants: u64,
    /// Whether the network delivers the wish a second time.
    pub redelivered: bool,
}

/// How a reply gets out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// How long it takes.
    pub takes_ms: u64,
    /// Whether it never does.
    pub lost: bool,
    /// How much later the till hears of it, where the network's answer got lost.
    pub told_late_ms: Option<u64>,
}

/// When somebody comes: `part` of everybody before.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "milliseconds of a day"
)]
fn wave(part: f64, spread_ms: u64) -> u64 {
    let share = (part * STEEPNESS).exp_m1() / STEEPNESS.exp_m1();
    ((share * spread_ms as f64) as u64).min(spread_ms.saturating_sub(1))
}

/// Chance, the same for the same seed and number (splitmix64).
struct Chance(u64);

impl Chance {
    fn new(seed: u64, number: u64) -> Self {
        let mut chance = Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // Neighbours must not look alike.
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0, and less than 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what fits")]
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// As `between`, but most are near the least.
    fn skewed(&mut self, least: u64, most: u64) -> u64 {
        least + wave(self.part(), most.saturating_sub(least))
    }

    fn percent(&mut self, share: u32) -> bool {
        self.below(100) < u64::from(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn counted(people: &[Buyer]) -> BTreeMap<Kind, usize> {
        let mut counted = BTreeMap::new();
        for buyer in people {
            *counted.entry(buyer.kind).or_default() += 1;
        }
        counted
    }

    #[test]
    fn every_buyer_is_of_one_kind_and_shares_are_kept() {
        for buyers in [1, 7, 100, 999, 5000] {
            let settings = Settings { buyers, ..Settings::default() };
            let people = settings.people();
            assert_eq!(people.len(), buyers as usize);
            let counted = counted(&people);
            assert_eq!(counted.values().sum::<usize>(), buyers as usize);
            if buyers == 5000 {
                assert_eq!(counted[&Kind::Late], 400);
                assert_eq!(counted[&Kind::Unlinked], 250);
                assert_eq!(counted[&Kind::OnTime], 2400);
            }
        }
        let all = Settings { buyers: 10, late_percent: 100, ..quiet() };
        assert_eq!(counted(&all.people()), [(Kind::Late, 10)].into());
    }

    fn quiet() -> Settings {
        Settings {
            late_percent: 0,
            undecided_percent: 0,
            twice_percent: 0,
            repost_percent: 0,
            changed_percent: 0,
            declined_percent: 0,
            slow_cards_percent: 0,
            unlinked_percent: 0,
            ..Settings::default()
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_people_and_another_others() {
        let settings = Settings::default();
        assert_eq!(settings.people(), settings.people());
        assert_eq!(settings.way_out(7), settings.way_out(7));
        assert_ne!(settings.people(), Settings { seed: 2, ..settings }.people());
    }

    #[test]
    fn half_come_at_once_and_all_within_the_spread() {
        let settings = Settings { buyers: 4000, spread_seconds: 600, ..quiet() };
        let mut comes: Vec<u64> = settings.people().iter().map(|buyer| buyer.comes_ms).collect();
        comes.sort_unstable();
        assert!(comes[2000] < 60_000, "{}", comes[2000]);
        assert!(comes[3999] < 600_000 && comes[3999] > 400_000, "{}", comes[3999]);
    }

    #[test]
    fn what_cannot_be_names_its_field() {
        let field = |settings: Settings| settings.check().unwrap_err().field;
        assert_eq!(Settings::default().check(), Ok(()));
        assert_eq!(field(Settings { buyers: 0, ..Settings::default() }), "buyers");
        assert_eq!(
            field(Settings { lost_replies_percent: 101, ..Settings::default() }),
            "lost_replies_percent"
        );
        assert_eq!(field(Settings { reply_seconds: 0, ..Settings::default() }), "reply_seconds");
        let too_many = Settings { late_percent: 60, undecided_percent: 60, ..Settings::default() };
        assert_eq!(field(too_many), "undecided_percent");
    }

    #[test]
    fn replies_get_lost_as_often_as_asked() {
        let settings = Settings { lost_replies_percent: 10, late_answers_percent: 20, ..Settings::default() };
        let ways: Vec<WayOut> = (0..10_000).map(|number| settings.way_out(number)).collect();
        let lost = ways.iter().filter(|way| way.lost).count();
        let late = ways.iter().filter(|way| way.told_late_ms.is_some()).count();
        assert!((900..1100).contains(&lost) && (1650..1950).contains(&late), "{lost} {late}");
        assert!(ways.iter().all(|way| !(way.lost && way.told_late_ms.is_some())));
        assert!(ways.iter().all(|way| (1500..=4500).contains(&way.takes_ms)));
    }
}
