//! What a rehearsal came to: every buyer with exactly one outcome, what must hold, how long things took.

use super::plan::Settings;
use crate::till::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What became of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What was sold.
    pub offer: Offered,
    /// What was asked for.
    pub settings: Settings,
    /// What became of everybody, and of how many: each buyer is counted once.
    pub outcomes: Vec<Counted>,
    /// The till's stock in the end.
    pub stock: Stock,
    /// What the gateway's ledger says.
    pub money: Money,
    /// What must hold.
    pub checks: Vec<Check>,
    /// How often each verdict was given.
    pub verdicts: BTreeMap<String, u64>,
    /// What became of replies.
    pub replies: Replies,
    /// How long things took.
    pub latencies: Vec<Latency>,
    /// The drop as it went, from its start.
    pub timeline: Vec<Moment>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// When the drop began, by the clock of its till.
    pub began_at: Time,
    /// How long it lasted by that clock.
    pub lasted_seconds: u64,
    /// How long the rehearsal took.
    pub took_ms: u64,
}

/// What was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Its title.
    pub title: String,
    /// The purchase hashtag.
    pub hashtag: String,
    /// How long buyers had to confirm.
    pub window_seconds: u64,
    /// Whether there was a waiting list.
    pub waitlist: bool,
    /// The offer that it is a copy of.
    pub copied_from: Option<String>,
}

/// What became of a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Bought and paid.
    Bought,
    /// Still holds a unit.
    Held,
    /// Still waits in line.
    Waitlisted,
    /// There was none left.
    SoldOut,
    /// No account is linked.
    NotLinked,
    /// The card was declined.
    Declined,
    /// Confirmed too late.
    TooLate,
    /// Held a unit, and no reply ever came.
    NotTold,
    /// A rule or a limit stood in the way.
    Refused,
    /// Never confirmed.
    NotConfirmed,
    /// Let it go again.
    ChangedMind,
}

/// What outcomes have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Has one.
    Sold,
    /// Holds one.
    Held,
    /// Waits for one.
    Waitlisted,
    /// Wanted one and has none.
    TurnedAway,
    /// Did not want one after all.
    WalkedAway,
}

impl Outcome {
    /// Every outcome there is, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Bought,
        Self::Held,
        Self::Waitlisted,
        Self::SoldOut,
        Self::NotLinked,
        Self::Declined,
        Self::TooLate,
        Self::NotTold,
        Self::Refused,
        Self::NotConfirmed,
        Self::ChangedMind,
    ];

    /// What it has in common with others.
    pub fn group(self) -> Group {
        match self {
            Self::Bought => Group::Sold,
            Self::Held => Group::Held,
            Self::Waitlisted => Group::Waitlisted,
            Self::NotConfirmed | Self::ChangedMind => Group::WalkedAway,
            _ => Group::TurnedAway,
        }
    }

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Bought => "bought and paid",
            Self::Held => "still hold a unit",
            Self::Waitlisted => "still wait in line",
            Self::SoldOut => "sold out",
            Self::NotLinked => "no account linked",
            Self::Declined => "card declined",
            Self::TooLate => "confirmed too late",
            Self::NotTold => "no reply reached them",
            Self::Refused => "a rule or a limit",
            Self::NotConfirmed => "never confirmed",
            Self::ChangedMind => "changed their mind",
        }
    }
}

impl Group {
    /// Every group there is, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Sold, Self::Held, Self::Waitlisted, Self::TurnedAway, Self::WalkedAway];

    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Held => "held",
            Self::Waitlisted => "waitlisted",
            Self::TurnedAway => "turned away",
            Self::WalkedAway => "walked away",
        }
    }

    /// The name of its colour in pages.
    pub fn class(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Held => "held",
            Self::Waitlisted => "waits",
            Self::TurnedAway => "away",
            Self::WalkedAway => "left",
        }
    }
}

/// How many buyers an outcome had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Which.
    pub outcome: Outcome,
    /// What it has in common with others.
    pub group: Group,
    /// How many.
    pub buyers: u64,
}

/// The till's stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// All there ever was; `None`: no limit.
    pub quantity: Option<u64>,
    /// Paid.
    pub sold: u64,
    /// Held.
    pub held: u64,
    /// Free; `None`: no limit.
    pub available: Option<u64>,
    /// How many wait in line.
    pub waiting: u64,
}

/// What the gateway's ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How many charges were made.
    pub charges: u64,
    /// How many were declined.
    pub declined: u64,
    /// What the charges come to, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: String,
}

/// Something that must hold, counted by somebody else than the till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What was counted.
    pub about: String,
    /// How many there were; none must be.
    pub found: u64,
    /// Whether there were none.
    pub holds: bool,
}

impl Check {
    /// `found` of what must not be.
    pub fn none(name: &str, about: &str, found: u64) -> Self {
        Self { name: name.to_owned(), about: about.to_owned(), found, holds: found == 0 }
    }
}

/// What became of replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replies {
    /// Out on the network.
    pub out: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Out, but the till heard of it later.
    pub told_late: u64,
    /// Buyers whose confirmation was in time, but whose unit was gone: the till heard of their reply only after it had
    /// given up waiting for that.
    pub heard_too_late: u64,
    /// Buyers who were never answered: their replies waited for the network's budget, or were lost.
    pub buyers_unanswered: u64,
}

/// How long something took, of all who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// What: `answer`, `charge`, `reply`, `purchase`.
    pub name: String,
    /// What was measured.
    pub about: String,
    /// Whether by this machine's clock; otherwise by the clock of the rehearsal's till.
    pub real: bool,
    /// How often.
    pub count: u64,
    /// Half took no longer, in microseconds.
    pub p50_micros: u64,
    /// 99 of 100 took no longer, in microseconds.
    pub p99_micros: u64,
    /// The longest, in microseconds.
    pub max_micros: u64,
}

impl Latency {
    /// Of what was measured; `None` where nothing was.
    pub fn of(name: &str, about: &str, real: bool, mut micros: Vec<u64>) -> Option<Self> {
        micros.sort_unstable();
        let max_micros = *micros.last()?;
        let at = |percent: usize| {
            let place = (micros.len() * percent).div_ceil(100).saturating_sub(1);
            micros.get(place).copied().unwrap_or(max_micros)
        };
        Some(Self {
            name: name.to_owned(),
            about: about.to_owned(),
            real,
            count: micros.len() as u64,
            p50_micros: at(50),
            p99_micros: at(99),
            max_micros,
        })
    }

    /// `3.2 ms`, `14 s`, `12 min`.
    pub fn words(micros: u64) -> String {
        let of = |unit: u64| format!("{}.{}", micros / unit, micros % unit * 10 / unit);
        match micros {
            0..1000 => "under 1 ms".to_owned(),
            1000..10_000 => format!("{} ms", of(1000)),
            10_000..1_000_000 => format!("{} ms", micros / 1000),
            1_000_000..10_000_000 => format!("{} s", of(1_000_000)),
            10_000_000..120_000_000 => format!("{} s", micros / 1_000_000),
            _ => format!("{} min", micros / 60_000_000),
        }
    }
}

/// How it stood at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// From the start of the drop.
    pub second: u64,
    /// Posts delivered since the moment before.
    pub posts: u64,
    /// Paid.
    pub sold: u64,
    /// Held.
    pub held: u64,
    /// Waiting in line.
    pub waiting: u64,
}

impl Rehearsal {
    /// How many buyers there were.
    pub fn buyers(&self) -> u64 {
        self.outcomes.iter().map(|counted| counted.buyers).sum()
    }

    /// How many buyers of a group.
    pub fn group(&self, group: Group) -> u64 {
        self.outcomes.iter().filter(|counted| counted.group == group).map(|counted| counted.buyers).sum()
    }

    /// How many posts were delivered.
    pub fn posts(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// Whether all that must hold does.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// Notes what can be done better before the drop.
    pub fn learn(&mut self) {
        self.notes.extend(findings(self));
    }

    /// Adds something that must hold.
    pub fn check(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// What the charges come to, as people write it.
    pub fn charged(&self) -> String {
        crate::till::money::Currency::parse(&self.money.currency).map_or_else(String::new, |currency| {
            crate::till::money::Money { amount: self.money.amount, currency }.to_string()
        })
    }
}

/// What the operator can do something about.
fn findings(rehearsal: &Rehearsal) -> Vec<String> {
    let mut found = Vec::new();
    let (stock, replies) = (&rehearsal.stock, &rehearsal.replies);
    let wanted = rehearsal.verdicts.get("sold_out").copied().unwrap_or(0) > 0;
    if let Some(free) = stock.available.filter(|free| *free > 0 && wanted && !rehearsal.offer.waitlist) {
        found.push(format!(
            "{free} of its units were left although buyers had been told that it was sold out: they were held then, and freed \
             later. A waiting list gives them to the next in line."
        ));
    }
    let untold = rehearsal.outcomes.iter().find(|one| one.outcome == Outcome::NotTold);
    if let Some(untold) = untold.filter(|one| one.buyers * 20 > stock.quantity.unwrap_or(0)) {
        found.push(format!(
            "{} of the buyers held a unit and were never told so: their replies were lost, or waited for the network's budget \
             until it was over. A longer reply_wait_seconds of the network, a higher budget, or fewer units at a time help.",
            untold.buyers
        ));
    }
    if replies.heard_too_late > 0 {
        found.push(format!(
            "{} of the buyers confirmed in time and were refused: the network had posted their replies, but the till heard of it \
             after it had given their units away. A longer reply_wait_seconds helps.",
            replies.heard_too_late
        ));
    }
    found
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let latency = Latency::of("answer", "", true, (1..=1000).rev().collect()).unwrap();
        assert_eq!((latency.p50_micros, latency.p99_micros, latency.max_micros), (500, 990, 1000));
        let one = Latency::of("answer", "", true, vec![7]).unwrap();
        assert_eq!((one.p50_micros, one.p99_micros), (7, 7));
        assert_eq!(Latency::of("answer", "", true, Vec::new()), None);
    }

    #[test]
    fn durations_read_well() {
        for (micros, wanted) in [
            (999, "under 1 ms"),
            (3250, "3.2 ms"),
            (14_999, "14 ms"),
            (2_500_000, "2.5 s"),
            (119_000_000, "119 s"),
            (900_000_000, "15 min"),
        ] {
            assert_eq!(Latency::words(micros), wanted);
        }
    }

    #[test]
    fn every_outcome_is_listed_once_and_belongs_to_a_group() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::ALL.iter().filter(|other| **other == outcome).count(), 1);
            assert!(Group::ALL.contains(&outcome.group()));
        }
    }
}
