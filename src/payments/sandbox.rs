//! The built-in gateway of play money: test cards, and a ledger file of its own.
//!
//! The ledger is one JSON line an entry, appended before the answer is given and never part of the till's
//! transactions: what it says can be compared with what the till believes, after any crash of the till.

use super::play::{CARDS, Chosen, Pages, PlayPage};
use super::{
    Authentication, Charge, Created, Direction, Found, Gateway, Refunded, Setup, SetupBegun, SetupStanding,
    Standing,
};
use crate::till::money::{Currency, Money};
use crate::till::owner::CANCELED;
use crate::till::record::PaymentMethod;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A line of the ledger.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    Created {
        reference: String,
        key: String,
        amount: i64,
        currency: String,
        method: String,
        /// Whether money goes to the card.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        credit: bool,
    },
    Charged {
        reference: String,
    },
    Declined {
        reference: String,
        code: String,
    },
    Cancelled {
        reference: String,
    },
    /// Its card's owner has to allow it.
    OwnerNeeded {
        reference: String,
    },
    Refunded {
        reference: String,
        refund: String,
        key: String,
        amount: i64,
    },
}

#[derive(Debug)]
struct Account {
    method: String,
    credit: bool,
    money: Money,
    standing: Standing,
    refunded: i64,
}

#[derive(Debug, Default)]
struct Books {
    charges: HashMap<String, Account>,
    refunds: HashMap<String, String>,
    ledger: Option<Ledger>,
}

/// The file. Whatever cannot be written whole is cut off again, so that the next entry begins a line of its own.
#[derive(Debug)]
struct Ledger {
    file: File,
    path: PathBuf,
    good_bytes: u64,
    failing: bool,
}

/// What the ledger adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Charges that were made.
    pub charged: u64,
    /// Charges that were refused.
    pub declined: u64,
    /// Refunds, and credits that were taken back.
    pub refunds: u64,
    /// Credits that were given.
    pub credited: u64,
}

/// The sandbox gateway.
#[derive(Debug, Default)]
pub struct Sandbox {
    books: Mutex<Books>,
    pages: Pages,
}

impl Sandbox {
    /// With its ledger at `path`; what is in there already counts.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut books = Books::default();
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let mut good_bytes = 0_u64;
        let mut reader = BufReader::new(&file);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            if !line.ends_with('\n') {
                // A last line that was cut off, if only by its end: its answer was never given.
                break;
            }
            let Ok(entry) = serde_json::from_str(line.trim_end()) else {
                let text = format!("{} is no sandbox ledger, or is damaged", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            };
            good_bytes += u64::try_from(line.len()).unwrap_or(0);
            books.book(&entry);
            line.clear();
        }
        file.set_len(good_bytes)?;
        books.ledger = Some(Ledger { file, path: path.to_owned(), good_bytes, failing: false });
        Ok(Self { books: Mutex::new(books), pages: Pages::default() })
    }

    /// What the ledger adds up to.
    pub fn totals(&self) -> LedgerTotals {
        let books = self.books();
        let count_of = |credit: bool, wanted: fn(&Standing) -> bool| {
            let these = books.charges.values().filter(|one| one.credit == credit && wanted(&one.standing));
            u64::try_from(these.count()).unwrap_or(0)
        };
        let count = |wanted| count_of(false, wanted);
        LedgerTotals {
            charged: count(|standing| *standing == Standing::Paid),
            declined: count(|standing| matches!(standing, Standing::Declined(_))),
            refunds: u64::try_from(books.refunds.len()).unwrap_or(0),
            credited: count_of(true, |standing| *standing == Standing::Paid),
        }
    }

    /// The page of a card that is being stored here.
    pub fn page(&self, reference: &str) -> Option<PlayPage> {
        self.pages.find(reference)
    }

    /// Somebody has chosen a test card on that page; returns where the browser goes. One card a page.
    pub fn choose(&self, reference: &str, token: &str) -> Option<String> {
        self.resolve(token).ok()?;
        self.pages.choose(reference, token)
    }

    /// A card's owner allows a charge, or does not; false where none waits for that, or it could not be written down.
    pub fn answer_authentication(&self, reference: &str, approve: bool) -> bool {
        let mut books = self.books();
        if books.charges.get(reference).map(|charge| &charge.standing) != Some(&Standing::NeedsOwner) {
            return false;
        }
        let reference = reference.to_owned();
        books.enter(&if approve {
            Entry::Charged { reference }
        } else {
            Entry::Declined { reference, code: "authentication_failed".to_owned() }
        })
    }

    /// What a charge that waits for its card's owner comes to; `None` where none does.
    pub fn waits_for_owner(&self, reference: &str) -> Option<Money> {
        let books = self.books();
        let charge = books.charges.get(reference)?;
        (charge.standing == Standing::NeedsOwner).then_some(charge.money)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Writes a line, or nothing of it; false where it could not. The log is told when that begins and when it is over.
    fn append(&mut self, line: &[u8]) -> bool {
        // One write, into the page cache: it outlives the process, as a provider's word would.
        let written = self.cut().and_then(|()| self.file.write_all(line));
        let path = self.path.display();
        match written {
            Ok(()) => {
                self.good_bytes += u64::try_from(line.len()).unwrap_or(0);
                if std::mem::take(&mut self.failing) {
                    log::info!("the sandbox ledger {path} can be written again");
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!(
                        "the sandbox ledger {path} cannot be written, so captures and refunds wait: {error}. Make room \
                         there; they go on by themselves."
                    );
                }
                // Where this fails, too, it is done before the next line.
                drop(self.cut());
            }
        }
        !self.failing
    }

    /// Cuts off what a failure has left.
    fn cut(&self) -> io::Result<()> {
        if self.failing { self.file.set_len(self.good_bytes) } else { Ok(()) }
    }
}

impl Books {
    /// Writes an entry and books it; false where it could not be written, and so did not happen.
    fn enter(&mut self, entry: &Entry) -> bool {
        if let Some(ledger) = &mut self.ledger {
            let Ok(mut line) = serde_json::to_vec(entry) else { return false };
            line.push(b'\n');
            if !ledger.append(&line) {
                return false;
            }
        }
        self.book(entry);
        true
    }

    fn book(&mut self, entry: &Entry) {
        let mut stand = |reference: &String, standing| {
            if let Some(charge) = self.charges.get_mut(reference) {
                charge.standing = standing;
            }
        };
        match entry {
            Entry::Created { reference, amount, currency, method, credit, .. } => {
                let currency = Currency::parse(currency).unwrap_or(Currency::USD);
                let charge = Account {
                    method: method.clone(),
                    credit: *credit,
                    money: Money { amount: *amount, currency },
                    standing: Standing::Unconfirmed,
                    refunded: 0,
                };
                self.charges.insert(reference.clone(), charge);
            }
            Entry::Charged { reference } => stand(reference, Standing::Paid),
            Entry::Declined { reference, code } => stand(reference, Standing::Declined(code.clone())),
            Entry::Cancelled { reference } => stand(reference, Standing::Declined(CANCELED.to_owned())),
            Entry::OwnerNeeded { reference } => stand(reference, Standing::NeedsOwner),
            Entry::Refunded { reference, refund, key, amount } => {
                if let Some(charge) = self.charges.get_mut(reference) {
                    charge.refunded += amount;
                }
                self.refunds.insert(key.clone(), refund.clone());
            }
        }
    }
}

/// What a card does: its token without the name behind the dot; no kind at all where that is no name.
fn kind_of(token: &str) -> &str {
    match token.split_once('.') {
        None => token,
        Some((kind, name)) => {
            let fine =
                (1..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if fine { kind } else { "" }
        }
    }
}

/// The reference of a charge: its key, so that the same key is the same charge.
fn reference_of(key: &str) -> String {
    format!("sbx_{key}")
}

impl Gateway for Sandbox {
    fn slug(&self) -> &'static str {
        "sandbox"
    }

    fn chunk(&self) -> usize {
        256
    }

    fn resolve(&self, token: &str) -> Result<PaymentMethod, String> {
        let Some(card) = CARDS.iter().find(|card| card.token == kind_of(token)) else {
            let known: Vec<_> = CARDS.iter().map(|card| card.token).collect();
            return Err(format!(
                "must be one of the sandbox's cards: {}; with a dot and a name behind it, as in tok_visa.jane, it is one \
                 and the same card for everybody who links it",
                known.join(", ")
            ));
        };
        Ok(PaymentMethod {
            gateway: self.slug().to_owned(),
            customer: "sandbox".to_owned(),
            token: token.to_owned(),
            brand: card.brand.to_owned(),
            last4: card.last4.to_owned(),
            // A card without a name is a new one for each who links it.
            fingerprint: if token.contains('.') { token.to_owned() } else { String::new() },
        })
    }

    fn begin_setup(&self, setup: &Setup) -> SetupBegun {
        match self.pages.begin(setup) {
            Some(reference) => {
                let url = format!("/sandbox/cards/{reference}");
                SetupBegun::At { reference, url }
            }
            None => SetupBegun::Unknown,
        }
    }

    fn setup(&self, reference: &str, key: &str) -> SetupStanding {
        match self.pages.chosen(reference, key) {
            Chosen::NoPage => SetupStanding::Ended,
            Chosen::Nothing => SetupStanding::Open,
            Chosen::Card(token) => self.resolve(&token).map_or(SetupStanding::Ended, SetupStanding::Stored),
        }
    }

    fn create(&self, charge: &Charge) -> Created {
        let reference = reference_of(&charge.key);
        let mut books = self.books();
        if books.charges.contains_key(&reference) {
            return Created::Reference(reference);
        }
        let entry = Entry::Created {
            reference: reference.clone(),
            key: charge.key.clone(),
            amount: charge.amount.amount,
            currency: charge.amount.currency.code().to_owned(),
            method: charge.method.clone(),
            credit: charge.direction == Direction::Credit,
        };
        if books.enter(&entry) { Created::Reference(reference) } else { Created::Unknown }
    }

    fn confirm(&self, reference: &str, _: &Charge) -> Standing {
        let mut books = self.books();
        let Some(charge) = books.charges.get(reference) else {
            return Standing::Declined("no_such_charge".to_owned());
        };
        if charge.standing != Standing::Unconfirmed {
            return charge.standing.clone();
        }
        let code = match kind_of(&charge.method) {
            "tok_declined" => Some("card_declined"),
            "tok_insufficient_funds" => Some("insufficient_funds"),
            _ => None,
        };
        // This card's first answer is lost on the way; the charge is made all the same.
        let lost = kind_of(&charge.method) == "tok_timeout";
        let needs_owner = kind_of(&charge.method) == "tok_authenticate" && !charge.credit;
        let reference = reference.to_owned();
        let (entry, standing) = match code {
            None if needs_owner => (Entry::OwnerNeeded { reference }, Standing::NeedsOwner),
            Some(code) => {
                let standing = Standing::Declined(code.to_owned());
                (Entry::Declined { reference, code: code.to_owned() }, standing)
            }
            None => (Entry::Charged { reference }, Standing::Paid),
        };
        if books.enter(&entry) && !lost { standing } else { Standing::Unknown }
    }

    fn fetch(&self, reference: &str, _: &Charge) -> Standing {
        let books = self.books();
        let missing = || Standing::Declined("no_such_charge".to_owned());
        books.charges.get(reference).map_or_else(missing, |charge| charge.standing.clone())
    }

    fn find(&self, charge: &Charge) -> Found {
        let reference = reference_of(&charge.key);
        if self.books().charges.contains_key(&reference) {
            Found::Reference(reference)
        } else {
            Found::Nothing
        }
    }

    /// Its page is one of this till's own: `return_url` is for whoever shows that.
    fn authenticate(&self, reference: &str, charge: &Charge, _: &str) -> Authentication {
        match self.fetch(reference, charge) {
            Standing::NeedsOwner => Authentication::Page(format!("/sandbox/authenticate/{reference}")),
            other => Authentication::Standing(other),
        }
    }

    fn cancel(&self, reference: &str, _: &Charge) -> Standing {
        let mut books = self.books();
        let standing = books.charges.get(reference).map(|charge| charge.standing.clone());
        match standing {
            Some(Standing::Unconfirmed | Standing::NeedsOwner) => {
                if books.enter(&Entry::Cancelled { reference: reference.to_owned() }) {
                    Standing::Declined(CANCELED.to_owned())
                } else {
                    Standing::Unknown
                }
            }
            Some(other) => other,
            None => Standing::Declined("no_such_charge".to_owned()),
        }
    }

    fn refund(&self, key: &str, reference: &str, amount: Money) -> Refunded {
        let mut books = self.books();
        if let Some(refund) = books.refunds.get(key) {
            return Refunded::Succeeded(refund.clone());
        }
        let fine = books.charges.get(reference).is_some_and(|charge| {
            charge.standing == Standing::Paid
                && charge.refunded.saturating_add(amount.amount) <= charge.money.amount
        });
        if !fine {
            return Refunded::Failed("refund_not_possible".to_owned());
        }
        let refund = format!("sbx_{key}");
        let entry = Entry::Refunded {
            reference: reference.to_owned(),
            refund: refund.clone(),
            key: key.to_owned(),
            amount: amount.amount,
        };
        if books.enter(&entry) { Refunded::Succeeded(refund) } else { Refunded::Unknown }
    }
}

#[cfg(test)]
mod tests;
