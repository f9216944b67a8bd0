//! What X's API costs: every read and post is counted, and a cap is kept.
//!
//! X bills each post and each person that an answer holds, once a UTC day, and each reply posted. Counted is in
//! micro-dollars, rather too much than too little: what X gives away is not known here.

use crate::bridges::{Desk, Kind, Trouble, now};
use crate::till::time::Time;
use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Under this name the till keeps what was spent.
pub const CURSOR: &str = "spent";
/// Nobody waits longer for the next day at a time.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// How long a reply waits until it is known what was spent.
const LOADED_MAX: Duration = Duration::from_secs(10);
/// Micro-dollars in a cent.
const CENT: u64 = 10_000;

/// What X asks for, in micro-dollars.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// A post that is read.
    pub post: u64,
    /// A person that is read: the author of a post.
    pub person: u64,
    /// A reply that is posted.
    pub reply: u64,
}

/// What may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In a UTC day.
    pub cents_per_day: u32,
    /// In a calendar month (UTC).
    pub cents_per_month: Option<u32>,
    /// What part of them is kept for replies, in percent.
    pub reserve_percent: u8,
}

/// What was spent.
#[derive(Debug, Default)]
struct Spent {
    loaded: bool,
    day: String,
    today: u64,
    month: String,
    this_month: u64,
    /// What was paid for today, and is not paid for again.
    paid: HashSet<String>,
}

/// The budget of one bridge.
#[derive(Debug)]
pub struct Budget {
    prices: Prices,
    limits: Limits,
    spent: Mutex<Spent>,
    loaded: Condvar,
}

impl Spent {
    /// Begins a new day or month where one has begun; a clock that was set back begins none.
    fn roll(&mut self, now: Time) {
        let now = now.to_string();
        let (day, month) = (now.get(..10).unwrap_or_default(), now.get(..7).unwrap_or_default());
        if day > self.day.as_str() {
            day.clone_into(&mut self.day);
            self.today = 0;
            self.paid.clear();
        }
        if month > self.month.as_str() {
            month.clone_into(&mut self.month);
            self.this_month = 0;
        }
    }

    fn add(&mut self, cost: u64) {
        self.today = self.today.saturating_add(cost);
        self.this_month = self.this_month.saturating_add(cost);
    }
}

impl Budget {
    /// A budget of which nothing is known to be spent yet.
    pub fn new(prices: Prices, limits: Limits) -> Self {
        Self { prices, limits, spent: Mutex::default(), loaded: Condvar::new() }
    }

    fn spent(&self, at: Time) -> MutexGuard<'_, Spent> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.roll(at);
        spent
    }

    /// Takes over what earlier bridges have spent, as [`Budget::text`] wrote it.
    fn load(&self, kept: Option<&str>, at: Time) {
        let mut spent = self.spent(at);
        let words: Vec<&str> = kept.unwrap_or_default().split(' ').collect();
        if let ([day, today, month, this_month], false) = (words.as_slice(), spent.loaded) {
            let number = |text: &str| text.parse::<u64>().unwrap_or(0);
            if *day >= spent.day.as_str() {
                (*day).clone_into(&mut spent.day);
                spent.today = spent.today.saturating_add(number(today));
            }
            if *month >= spent.month.as_str() {
                (*month).clone_into(&mut spent.month);
                spent.this_month = spent.this_month.saturating_add(number(this_month));
            }
        }
        spent.loaded = true;
        self.loaded.notify_all();
    }

    /// What was spent, for the till to keep: `2026-11-25 123456 2026-11 999999`.
    fn text(&self, at: Time) -> String {
        let spent = self.spent(at);
        format!("{} {} {} {}", spent.day, spent.today, spent.month, spent.this_month)
    }

    /// Keeps what is spent in the till, until the bridge is to end.
    pub fn keep(&self, source: &'static str, desk: &Desk) -> Result<(), Trouble> {
        let kept = desk.cursor(CURSOR)?;
        self.load(kept.as_deref(), now());
        loop {
            let napped = desk.nap(Duration::from_secs(1));
            desk.move_cursor(CURSOR, &self.text(now()))?;
            desk.read_to(source, now());
            napped?;
        }
    }

    /// These posts and people were read.
    pub fn read<'i>(&self, posts: impl Iterator<Item = &'i str>, people: impl Iterator<Item = &'i str>) {
        let mut spent = self.spent(now());
        let posts = posts.map(|id| (format!("p{id}"), self.prices.post));
        for (key, price) in posts.chain(people.map(|id| (format!("u{id}"), self.prices.person))) {
            if spent.paid.insert(key) {
                spent.add(price);
            }
        }
    }

    /// Whether a post was paid for today: asking for it again costs nothing.
    pub fn is_paid(&self, post: &str) -> bool {
        self.spent(now()).paid.contains(&format!("p{post}"))
    }

    /// A reply was posted, or may have been.
    pub fn posted(&self) {
        self.spent(now()).add(self.prices.reply);
    }

    /// What is left for reading, as posts with their authors; waits until it is known what was spent.
    ///
    /// # Errors
    /// Where nothing is left; says when there will be.
    pub fn may_read(&self) -> Result<u64, Trouble> {
        drop(self.known()?);
        self.posts_left(now())
    }

    fn posts_left(&self, at: Time) -> Result<u64, Trouble> {
        let part = u64::from(100 - self.limits.reserve_percent.min(100));
        let left = self.left(&self.spent(at), part);
        match left.checked_div(self.prices.post + self.prices.person) {
            Some(0) => Err(self.used_up(at, "reading")),
            Some(posts) => Ok(posts),
            None => Ok(u64::MAX),
        }
    }

    /// Whether one more reply may be posted; waits until it is known what was spent.
    pub fn may_post(&self) -> Result<(), Trouble> {
        let spent = self.known()?;
        let left = self.left(&spent, 100);
        drop(spent);
        if left < self.prices.reply { Err(self.used_up(now(), "replies")) } else { Ok(()) }
    }

    /// What was spent, once the till has said it.
    fn known(&self) -> Result<MutexGuard<'_, Spent>, Trouble> {
        let waited = self.loaded.wait_timeout_while(self.spent(now()), LOADED_MAX, |spent| !spent.loaded);
        let (spent, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if spent.loaded {
            Ok(spent)
        } else {
            Err(Trouble::new(Kind::Till, "the till has not said yet what was spent"))
        }
    }

    fn left(&self, spent: &Spent, part: u64) -> u64 {
        let cap = |cents: u32| u64::from(cents) * CENT * part / 100;
        let today = cap(self.limits.cents_per_day).saturating_sub(spent.today);
        let month = self.limits.cents_per_month.map(|cents| cap(cents).saturating_sub(spent.this_month));
        month.map_or(today, |month| today.min(month))
    }

    fn used_up(&self, at: Time, what: &str) -> Trouble {
        let spent = self.spent(at);
        let dollars = |micro: u64| format!("{}.{:04}", micro / 1_000_000, micro % 1_000_000 / 100);
        let why = format!(
            "the budget for {what} is used up: about ${} today, ${} this month",
            dollars(spent.today),
            dollars(spent.this_month)
        );
        let next_day = (i64::from(at.day()) + 1) * 86_400_000;
        let wait = Duration::from_millis(u64::try_from(next_day - at.ms()).unwrap_or(0));
        Trouble { wait: Some(wait.min(WAIT_MAX)), ..Trouble::new(Kind::Budget, why) }
    }

    /// The budget in words.
    pub fn words(&self) -> String {
        let Limits { cents_per_day, cents_per_month, reserve_percent } = self.limits;
        let month = cents_per_month.map(|cents| format!(", {cents} cents a month")).unwrap_or_default();
        format!("{cents_per_day} cents a day{month}; {reserve_percent} % of it kept for replies")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices { post: 5000, person: 10_000, reply: 15_000 };

    fn budget(cents_per_day: u32, cents_per_month: Option<u32>) -> Budget {
        Budget::new(PRICES, Limits { cents_per_day, cents_per_month, reserve_percent: 20 })
    }

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn reading_stops_before_replies_do() {
        let budget = budget(10, None);
        budget.load(None, now());
        assert_eq!(budget.may_read(), Ok(5));
        budget.read(["1", "2", "3", "4"].into_iter(), ["a", "b", "c", "d", "e"].into_iter());
        let trouble = budget.may_read().unwrap_err();
        assert_eq!(trouble.kind, Kind::Budget);
        assert!(trouble.why.contains("reading is used up: about $0.0700 today"), "{}", trouble.why);
        assert!(trouble.wait.unwrap() <= WAIT_MAX);
        assert_eq!(budget.may_post(), Ok(()));
        budget.posted();
        budget.posted();
        assert_eq!(budget.may_post().unwrap_err().kind, Kind::Budget);
    }

    #[test]
    fn nothing_is_paid_for_twice_a_day() {
        let budget = budget(100, None);
        for _ in 0..3 {
            budget.read(["1"].into_iter(), ["a"].into_iter());
        }
        assert_eq!(budget.spent(now()).today, 15_000);
        assert!(budget.is_paid("1") && !budget.is_paid("2") && !budget.is_paid("a"));
    }

    #[test]
    fn what_was_spent_outlives_the_bridge_and_days_and_months_begin_anew() {
        let budget = budget(100, Some(3000));
        let noon = at("2026-11-25T12:00:00.000Z");
        budget.load(Some("2026-11-25 123456 2026-11 999999"), noon);
        assert_eq!(budget.text(noon), "2026-11-25 123456 2026-11 999999");
        budget.load(Some("2026-11-25 1 2026-11 1"), noon);
        assert_eq!(budget.text(noon), "2026-11-25 123456 2026-11 999999", "once is enough");
        assert_eq!(budget.text(at("2026-11-24T12:00:00.000Z")), "2026-11-25 123456 2026-11 999999");
        assert_eq!(budget.text(at("2026-11-26T00:00:00.000Z")), "2026-11-26 0 2026-11 999999");
        assert_eq!(budget.text(at("2026-12-01T00:00:00.000Z")), "2026-12-01 0 2026-12 0");
    }

    #[test]
    fn what_an_earlier_day_spent_is_the_months_only() {
        let budget = budget(100, None);
        let today = at("2026-11-25T12:00:00.000Z");
        budget.load(Some("2026-11-24 5 2026-11 7"), today);
        assert_eq!(budget.text(today), "2026-11-25 0 2026-11 7");
    }

    #[test]
    fn the_month_has_a_cap_of_its_own() {
        let budget = budget(1000, Some(10));
        budget.load(Some("2026-11-24 5 2026-11 79999"), at("2026-11-25T23:59:00.000Z"));
        let trouble = budget.posts_left(at("2026-11-25T23:59:00.000Z")).unwrap_err();
        assert_eq!(trouble.wait, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_free_has_no_cap() {
        let free = Prices { post: 0, person: 0, reply: 0 };
        let limits = Limits { cents_per_day: 0, cents_per_month: None, reserve_percent: 20 };
        assert_eq!(Budget::new(free, limits).posts_left(now()), Ok(u64::MAX));
    }
}
