//! A provider that loses requests and answers, answers late, and keeps books that show whether money was taken twice.
//!
//! Its books are outside the till: they outlive every crash, and a restore.

use super::chance::Chance;
use super::clocks::Clocks;
use super::disk::{Fault, SimDisk};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use tagtill::engine::TimeSource as _;
use tagtill::payments::{Charge, Created, Direction, Found, Gateway, Refunded, Standing};
use tagtill::till::money::Money;
use tagtill::till::record::PaymentMethod;

/// A provider forgets keys after a day.
const KEY_MS: i64 = 24 * 3_600_000;

/// A charge in the provider's books.
#[derive(Clone, Debug)]
pub struct Booked {
    pub key: String,
    pub amount: i64,
    pub customer: String,
    pub standing: Standing,
    /// Not known before then, and what it is then.
    settles: Option<(i64, bool)>,
    created_ms: i64,
    /// When its card's owner comes, and whether the owner allows it.
    owner: Option<(i64, bool)>,
    /// Refunds by their keys.
    pub refunds: BTreeMap<String, Option<i64>>,
    /// Refused first, then paid after all.
    pub late: bool,
}

impl Booked {
    /// The purchase that it is for: its key without the attempt's number.
    pub fn purchase(&self) -> &str {
        self.key.rsplit_once('-').map_or("", |(purchase, _)| purchase)
    }

    pub fn given_back(&self) -> i64 {
        self.refunds.values().flatten().sum()
    }
}

struct Books {
    chance: Chance,
    charges: Vec<Booked>,
    problems: Vec<String>,
    /// Loses nothing and decides at once.
    calm: bool,
    /// Ends the process within one of the next calls.
    calls_left: Option<u64>,
    disk: SimDisk,
}

pub struct Provider {
    books: Mutex<Books>,
    clocks: Clocks,
}

impl Provider {
    pub fn new(seed: u64, clocks: Clocks, disk: SimDisk) -> Self {
        let books = Books {
            chance: Chance::new(seed),
            charges: Vec::new(),
            problems: Vec::new(),
            calm: false,
            calls_left: None,
            disk,
        };
        Self { books: Mutex::new(books), clocks }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Its books as they are now: a card's owner comes whether somebody asks or not.
    pub fn charges(&self) -> Vec<Booked> {
        let now = self.clocks.elapsed_ms();
        let mut books = self.books();
        for n in 0..books.charges.len() {
            books.hear_owner(n, now);
        }
        books.charges.clone()
    }

    pub fn problems(&self) -> Vec<String> {
        self.books().problems.clone()
    }

    pub fn calm_down(&self) {
        self.books().calm = true;
    }

    /// The till runs on this disk now.
    pub fn follow(&self, disk: &SimDisk) {
        self.books().disk = disk.clone();
    }

    /// Has the process end within one of the next calls.
    pub fn arm(&self, calls: u64) {
        self.books().calls_left = Some(calls);
    }

    pub fn disarm(&self) {
        self.books().calls_left = None;
    }

    /// A charge that was refused turns out paid; returns its key.
    pub fn succeed_late(&self) -> Option<String> {
        let mut books = self.books();
        let refused: Vec<usize> = (0..books.charges.len())
            .filter(|&n| books.charges[n].standing == Standing::Declined("card_declined".to_owned()))
            .collect();
        let n = *books.chance.pick(&refused)?;
        let charge = &mut books.charges[n];
        charge.standing = Standing::Paid;
        charge.late = true;
        Some(charge.key.clone())
    }
}

impl Books {
    /// Whether a request or an answer gets lost.
    fn lost(&mut self) -> bool {
        if let Some(left) = self.calls_left {
            self.calls_left = left.checked_sub(1);
            if left == 0 {
                let fault = if self.chance.percent(50) { Fault::PowerCut } else { Fault::Kill };
                self.disk.end(fault);
            }
        }
        !self.calm && self.chance.percent(8)
    }

    fn position(&self, reference: &str) -> Option<usize> {
        let n: usize = reference.strip_prefix("ch_")?.parse().ok()?;
        (n < self.charges.len()).then_some(n)
    }

    fn charge(&mut self, n: usize, now: i64) {
        if !self.calm && self.charges[n].key.starts_with("pur_") && self.chance.percent(15) {
            self.charges[n].standing = Standing::NeedsOwner;
            // In time, about at the end, or never.
            let span = *self.chance.pick(&[1_200_000, 7_200_000, 7_200_000, i64::MAX / 4]).unwrap_or(&1);
            self.charges[n].owner =
                Some((now.saturating_add(self.chance.within(1, span)), self.chance.percent(70)));
            return;
        }
        let paid = !self.chance.percent(20);
        if !self.calm && self.chance.percent(15) {
            let at = now + self.chance.within(1_000, 3 * 3_600_000);
            self.charges[n].settles = Some((at, paid));
        } else {
            self.settle(n, paid);
        }
    }

    fn settle(&mut self, n: usize, paid: bool) {
        self.charges[n].settles = None;
        if !paid {
            self.charges[n].standing = Standing::Declined("card_declined".to_owned());
            return;
        }
        let purchase = self.charges[n].purchase().to_owned();
        let twice = self.charges.iter().any(|other| {
            other.purchase() == purchase
                && other.standing == Standing::Paid
                && other.given_back() < other.amount
        });
        if twice {
            self.problems.push(format!("{purchase} is charged twice"));
        }
        self.charges[n].standing = Standing::Paid;
    }

    fn standing(&mut self, n: usize, now: i64) -> Standing {
        match self.charges[n].settles {
            Some((at, paid)) if now >= at || self.calm => self.settle(n, paid),
            Some(_) => return Standing::Unknown,
            None => {}
        }
        self.hear_owner(n, now);
        self.charges[n].standing.clone()
    }

    fn hear_owner(&mut self, n: usize, now: i64) {
        if let Some((at, allows)) = self.charges[n].owner
            && now >= at
            && self.charges[n].standing == Standing::NeedsOwner
        {
            self.settle(n, allows);
        }
    }
}

impl Gateway for Provider {
    fn slug(&self) -> &'static str {
        "sim"
    }

    fn chunk(&self) -> usize {
        3
    }

    fn resolve(&self, _: &str) -> Result<PaymentMethod, String> {
        Err("not asked in a simulation".to_owned())
    }

    fn create(&self, charge: &Charge) -> Created {
        let now = self.clocks.elapsed_ms();
        let mut books = self.books();
        if books.lost() {
            return Created::Unknown;
        }
        if charge.key.starts_with("cre_") != (charge.direction == Direction::Credit) {
            books.problems.push(format!("{}: the money goes the wrong way", charge.key));
        }
        let known =
            books.charges.iter().position(|one| one.key == charge.key && now - one.created_ms < KEY_MS);
        let n = known.unwrap_or_else(|| {
            let refused = !books.calm && books.chance.percent(5);
            let standing =
                if refused { Standing::Declined("do_not_honor".to_owned()) } else { Standing::Unconfirmed };
            books.charges.push(Booked {
                key: charge.key.clone(),
                amount: charge.amount.amount,
                customer: charge.customer.clone(),
                standing,
                settles: None,
                created_ms: now,
                owner: None,
                refunds: BTreeMap::new(),
                late: false,
            });
            books.charges.len() - 1
        });
        if books.charges[n].amount != charge.amount.amount || books.charges[n].customer != charge.customer {
            let problem = format!("{} came back with another amount or customer", charge.key);
            books.problems.push(problem);
        }
        if books.lost() {
            return Created::Unknown;
        }
        // A saved error is replayed under its key.
        match &books.charges[n].standing {
            Standing::Declined(code) if code == "do_not_honor" => Created::Declined(code.clone()),
            _ => Created::Reference(format!("ch_{n}")),
        }
    }

    fn confirm(&self, reference: &str, _: &Charge) -> Standing {
        let now = self.clocks.elapsed_ms();
        let mut books = self.books();
        if books.lost() {
            return Standing::Unknown;
        }
        let Some(n) = books.position(reference) else { return Standing::Unknown };
        if books.charges[n].standing == Standing::NeedsOwner {
            let problem =
                format!("{}: confirmed once more while its owner is waited for", books.charges[n].key);
            books.problems.push(problem);
        }
        if books.charges[n].standing == Standing::Unconfirmed && books.charges[n].settles.is_none() {
            books.charge(n, now);
        }
        let standing = books.standing(n, now);
        if books.lost() { Standing::Unknown } else { standing }
    }

    fn fetch(&self, reference: &str, _: &Charge) -> Standing {
        let now = self.clocks.elapsed_ms();
        let mut books = self.books();
        if books.lost() {
            return Standing::Unknown;
        }
        match books.position(reference) {
            Some(n) => books.standing(n, now),
            None => Standing::Unknown,
        }
    }

    fn find(&self, charge: &Charge) -> Found {
        let mut books = self.books();
        if books.lost() {
            return Found::Unknown;
        }
        // The newest under this key: where there are two, the older was never confirmed.
        match books.charges.iter().rposition(|one| one.key == charge.key) {
            Some(n) => Found::Reference(format!("ch_{n}")),
            None => Found::Nothing,
        }
    }

    fn cancel(&self, reference: &str, _: &Charge) -> Standing {
        let now = self.clocks.elapsed_ms();
        let mut books = self.books();
        if books.lost() {
            return Standing::Unknown;
        }
        let Some(n) = books.position(reference) else { return Standing::Unknown };
        let open = matches!(books.standing(n, now), Standing::Unconfirmed | Standing::NeedsOwner);
        if open && books.charges[n].settles.is_none() {
            books.charges[n].standing = Standing::Declined("canceled".to_owned());
        }
        let standing = books.standing(n, now);
        if books.lost() { Standing::Unknown } else { standing }
    }

    fn refund(&self, key: &str, reference: &str, amount: Money) -> Refunded {
        let mut books = self.books();
        if books.lost() {
            return Refunded::Unknown;
        }
        let Some(n) = books.position(reference) else { return Refunded::Unknown };
        let answer = match books.charges[n].refunds.get(key) {
            Some(answer) => *answer,
            None => {
                let left = books.charges[n].amount - books.charges[n].given_back();
                let refused = !books.calm && books.chance.percent(6);
                let given = (amount.amount <= left && !refused).then_some(amount.amount);
                books.charges[n].refunds.insert(key.to_owned(), given);
                given
            }
        };
        if books.lost() {
            return Refunded::Unknown;
        }
        match answer {
            Some(_) => Refunded::Succeeded(format!("re_{key}")),
            None => Refunded::Failed("refund_refused".to_owned()),
        }
    }
}
