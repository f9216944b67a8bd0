//! Gateways: who charges cards and gives money back, behind one trait; and the worker that asks them.
//!
//! A gateway knows charges and keys, never offers, posts or buyers' names. It is asked outside the till's
//! transactions, so its answer may be lost at any moment; the worker then asks again and never guesses.

mod owner;
mod play;
mod round;
mod sandbox;
mod stripe;
mod worker;

pub use owner::authenticate;
pub use play::{CARDS, PlayPage};
pub use round::{Desk, Round};
pub use sandbox::{LedgerTotals, Sandbox};
pub use stripe::{API_BASE as STRIPE_API_BASE, Stripe};
pub use worker::Worker;

pub use crate::till::link::{Setup, SetupBegun, SetupStanding};
use crate::till::money::Money;
use crate::till::notice::NoticeAnswer;
use crate::till::record::PaymentMethod;
use crate::till::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which way money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the card.
    Charge,
    /// To the card: what a deal gives.
    Credit,
}

/// What is to be charged or credited, as it was stored when it was confirmed or earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The key under which the gateway creates it at most once.
    pub key: String,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Money,
    /// The gateway's customer.
    pub customer: String,
    /// The gateway's token of the card.
    pub method: String,
    /// When the attempt began.
    pub begun_at: Time,
    /// The card transaction that a credit is for, by its processor's id.
    pub transaction: Option<String>,
}

/// What a gateway says about creating a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there, under this reference; nothing is charged yet.
    Reference(String),
    /// It will never be charged, with the gateway's code.
    Declined(String),
    /// It is not there and cannot be made under this key any more: another attempt may be.
    Lost,
    /// Nobody knows.
    Unknown,
}

/// How a charge stands at its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Created, not confirmed: nothing is charged.
    Unconfirmed,
    /// Confirmed, and its card's owner has a step left on a page of the gateway's: nothing is charged.
    NeedsOwner,
    /// Charged.
    Paid,
    /// Refused for good, with the gateway's code.
    Declined(String),
    /// Nobody knows.
    Unknown,
}

/// Where a card's owner does the step that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// On this page.
    Page(String),
    /// There is no page: the charge stands so.
    Standing(Standing),
}

/// What a gateway finds under a key that it may have forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The charge is there, under this reference.
    Reference(String),
    /// There is none.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// What a gateway says about a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// Given back, under this reference.
    Succeeded(String),
    /// Refused for good, with the gateway's code.
    Failed(String),
    /// Nobody knows.
    Unknown,
}

/// A gateway says that something happened to a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The gateway's id of it.
    pub event: String,
    /// The gateway's name for the charge.
    pub about: String,
}

/// Why a notice is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// This till takes none of that gateway.
    NotHere,
    /// It is not shown to be the gateway's, in a sentence.
    Unproven(&'static str),
}

/// A payment service provider.
pub trait Gateway: Send + Sync {
    /// Its name in the API.
    fn slug(&self) -> &'static str;

    /// What keeps it from doing anything, in a sentence for its operator; nothing is lost meanwhile.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Whether it is not worth asking for a moment, because it refuses everything.
    fn rests(&self) -> bool {
        false
    }

    /// How many charges it may be asked about in one go, between two commits.
    fn chunk(&self) -> usize;

    /// Looks a payment method up.
    ///
    /// # Errors
    /// A sentence for people where there is no such token.
    fn resolve(&self, token: &str) -> Result<PaymentMethod, String>;

    /// Creates a charge without charging; the same key gives the same charge.
    fn create(&self, charge: &Charge) -> Created;

    /// Charges what was created.
    fn confirm(&self, reference: &str, charge: &Charge) -> Standing;

    /// Asks how a charge stands.
    fn fetch(&self, reference: &str, charge: &Charge) -> Standing;

    /// Looks for a charge by key, customer and time, where the gateway may have forgotten the key.
    fn find(&self, charge: &Charge) -> Found;

    /// Confirms a charge that waits for its card's owner, with the owner there; afterwards the gateway sends the browser
    /// to `return_url`. It is the same charge, however often its owner comes.
    fn authenticate(&self, _reference: &str, _charge: &Charge, _return_url: &str) -> Authentication {
        Authentication::Standing(Standing::Unknown)
    }

    /// Ends a charge that was not confirmed, or waits for its card's owner; what it says is how the charge stands now:
    /// `Declined("canceled")` where it has ended so.
    fn cancel(&self, reference: &str, charge: &Charge) -> Standing;

    /// Asks for all that happened to a charge.
    fn look(&self, _reference: &str) -> NoticeAnswer {
        NoticeAnswer::Nothing
    }

    /// Reads a notice, at a Unix time in seconds. `header` gives the request's headers by name. `None`: it is the
    /// gateway's, and there is nothing to do about it.
    ///
    /// # Errors
    /// Where it is not shown to be the gateway's.
    fn notice<'h>(
        &self,
        _header: &dyn Fn(&str) -> Option<&'h str>,
        _body: &[u8],
        _now_seconds: i64,
    ) -> Result<Option<Notice>, NotTaken> {
        Err(NotTaken::NotHere)
    }

    /// Begins to store a card on a page of the gateway's; the same key begins it once.
    fn begin_setup(&self, _setup: &Setup) -> SetupBegun {
        SetupBegun::NotHere
    }

    /// Asks how storing a card stands that was begun under this key.
    fn setup(&self, _reference: &str, _key: &str) -> SetupStanding {
        SetupStanding::Unknown
    }

    /// Gives back what was charged, or takes back what was credited; the same key does it once.
    fn refund(&self, key: &str, reference: &str, amount: Money) -> Refunded;
}

/// The gateways of this till, by slug.
#[derive(Clone, Default)]
pub struct Gateways {
    all: BTreeMap<&'static str, Arc<dyn Gateway>>,
}

impl Gateways {
    /// With one more gateway.
    #[must_use]
    pub fn with(mut self, gateway: Arc<dyn Gateway>) -> Self {
        self.all.insert(gateway.slug(), gateway);
        self
    }

    /// The gateway of this slug.
    pub fn get(&self, slug: &str) -> Option<&Arc<dyn Gateway>> {
        self.all.get(slug)
    }

    /// The gateway on whose page buyers store their cards: a real one before the sandbox.
    pub fn storing(&self) -> Option<&'static str> {
        let mut all: Vec<_> = self.all.keys().copied().collect();
        all.sort_by_key(|slug| *slug == "sandbox");
        all.first().copied()
    }

    /// What keeps a gateway from doing anything.
    pub fn trouble(&self) -> Option<String> {
        self.all.values().find_map(|gateway| gateway.trouble())
    }

    /// Looks a payment method up.
    ///
    /// # Errors
    /// The field at fault and a sentence for people.
    pub fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)> {
        let Some(found) = self.all.get(gateway) else {
            let known: Vec<_> = self.all.keys().copied().collect();
            let why = if known.is_empty() {
                "this till has no gateway; start it with --payments stripe, or with --sandbox to try it out"
                    .to_owned()
            } else {
                format!("must be a gateway of this till: {}", known.join(", "))
            };
            return Err(("payment_method.gateway", why));
        };
        found.resolve(token).map_err(|why| ("payment_method.token", why))
    }
}
