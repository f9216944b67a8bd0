//! Stripe: charges as payment intents that are created first and confirmed off-session once their id is committed.
//!
//! Whatever is unknown is fetched, never repeated blindly: Stripe says a saved error again under the same key, and
//! forgets keys after a day. What is charged is what was stored; an intent of another amount, currency or mode is not ours.

mod authenticate;
mod client;
mod credit;
mod doubts;
mod event;
mod look;
mod refund;
mod setup;

use super::{
    Authentication, Charge, Created, Direction, Found, Gateway, NotTaken, Notice, Refunded, Setup,
    SetupBegun, SetupStanding, Standing,
};
use crate::till::money::Money;
use crate::till::notice::NoticeAnswer;
use crate::till::owner::CANCELED;
use crate::till::record::PaymentMethod;
use client::{Client, Failure};
use doubts::{Doubts, LIST_DELAY};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where Stripe is.
pub const API_BASE: &str = "https://api.stripe.com";
/// Under this name an intent, a refund carries our key.
const KEY_FIELD: &str = "tagtill_key";
/// Things on one page of a list: as many as Stripe gives.
const PAGE: usize = 100;
/// Pages that are looked through for one key.
const PAGES_MAX: usize = 50;
/// An intent is looked for from so long before its attempt began: clocks differ.
const CLOCKS_DIFFER_SECONDS: i64 = 300;
/// The code for a charge that the card's owner has to allow.
const AUTHENTICATION: &str = "authentication_required";
/// While a key or a request is refused, Stripe is asked this often whether that is still so.
const TROUBLE_PAUSE: Duration = Duration::from_secs(30);

/// A payment intent, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Intent {
    id: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    livemode: bool,
    status: String,
    last_payment_error: Option<PaymentError>,
    next_action: Option<NextAction>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct NextAction {
    redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Debug, Deserialize)]
struct RedirectToUrl {
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
}

impl PaymentError {
    /// What it is called here: the bank's word, or Stripe's. That the owner is asked for comes before both.
    fn code(&self) -> Option<String> {
        if self.code.as_deref() == Some(AUTHENTICATION) {
            return self.code.clone();
        }
        self.decline_code.clone().or(self.code.clone())
    }
}

#[derive(Debug, Deserialize)]
struct Refund {
    id: String,
    #[serde(default)]
    amount: i64,
    status: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Method {
    customer: Option<String>,
    card: Option<Card>,
}

#[derive(Debug, Deserialize)]
struct Card {
    brand: String,
    last4: String,
    fingerprint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct List<T> {
    data: Vec<T>,
    has_more: bool,
}

/// Something that carries our key.
trait Keyed: DeserializeOwned {
    fn id(&self) -> &str;
    fn metadata(&self) -> &BTreeMap<String, String>;
    fn has_key(&self, key: &str) -> bool {
        self.metadata().get(KEY_FIELD).is_some_and(|own| own == key)
    }
}

impl Keyed for Intent {
    fn id(&self) -> &str {
        &self.id
    }
    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

impl Keyed for Refund {
    fn id(&self) -> &str {
        &self.id
    }
    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

/// A Stripe account.
#[derive(Debug)]
pub struct Stripe {
    client: Client,
    /// Whether its key is for real money.
    live: bool,
    /// What its events are signed with; `None`: none are taken.
    webhook_secret: Option<String>,
    trouble: Mutex<Option<(String, Instant)>>,
    doubts: Doubts,
}

impl Stripe {
    /// With a secret key (`sk_live_…`, `sk_test_…`, or a restricted `rk_…`), at `base`.
    ///
    /// # Errors
    /// Where the key is none, or real money would go over a connection that can be listened to.
    pub fn new(base: &str, key: &str) -> Result<Self, String> {
        let known = ["sk_live_", "sk_test_", "rk_live_", "rk_test_"];
        if !known.iter().any(|prefix| key.starts_with(prefix)) || key.chars().any(char::is_whitespace) {
            return Err(
                "A secret key of Stripe begins with sk_live_, sk_test_, rk_live_ or rk_test_.".to_owned()
            );
        }
        let live = key.contains("_live_");
        let base_is_safe = base.starts_with("https://") || (!live && is_loopback(base));
        if !base_is_safe {
            return Err(format!(
                "{base} must begin with https://; http:// is for test keys and a server on this machine only."
            ));
        }
        Ok(Self {
            client: Client::new(base, key),
            live,
            webhook_secret: None,
            trouble: Mutex::default(),
            doubts: Doubts::new(LIST_DELAY),
        })
    }

    /// Takes events that are signed with this secret (`whsec_…`).
    ///
    /// # Errors
    /// Where it is no such secret.
    pub fn with_webhook_secret(mut self, secret: &str) -> Result<Self, String> {
        if !secret.starts_with("whsec_") || secret.len() < 16 || secret.chars().any(char::is_whitespace) {
            return Err("A signing secret of a webhook endpoint of Stripe begins with whsec_.".to_owned());
        }
        self.webhook_secret = Some(secret.to_owned());
        Ok(self)
    }

    /// Whether it charges real money.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Asks Stripe, and remembers whether it refuses to be asked.
    fn ask<T>(&self, ask: impl FnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let answer = ask(&self.client);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Err(Failure::Refused(why)) => {
                log::error!("Stripe refuses: {why}; captures wait until that is mended");
                *trouble = Some((why.clone(), Instant::now()));
            }
            Err(Failure::Unknown(_) | Failure::Replayed(_)) => {}
            Ok(_) | Err(_) => *trouble = None,
        }
        answer
    }

    /// How an intent stands, where it is the one that we made.
    fn standing(&self, intent: &Intent, charge: &Charge) -> Standing {
        let ours = intent.amount == charge.amount.amount
            && intent.currency.eq_ignore_ascii_case(charge.amount.currency.code())
            && intent.livemode == self.live;
        if !ours {
            log::error!(
                "{}: what Stripe has under its reference is of another amount, currency or mode",
                charge.key
            );
            return Standing::Unknown;
        }
        Self::standing_of(intent)
    }

    fn standing_of(intent: &Intent) -> Standing {
        let error = intent.last_payment_error.as_ref();
        let code = error.and_then(PaymentError::code);
        match intent.status.as_str() {
            "succeeded" if intent.amount_received == intent.amount => Standing::Paid,
            "requires_confirmation" => Standing::Unconfirmed,
            "requires_action" => Standing::NeedsOwner,
            "requires_payment_method" if code.as_deref() == Some(AUTHENTICATION) => Standing::NeedsOwner,
            "requires_payment_method" => code.map_or(Standing::Unconfirmed, Standing::Declined),
            "canceled" => Standing::Declined(CANCELED.to_owned()),
            _ => Standing::Unknown,
        }
    }

    /// The payment method of this id, or what is wrong with it.
    fn method(&self, token: &str) -> Result<Result<PaymentMethod, String>, Failure> {
        let found: Method = self.ask(|client| client.get(&format!("/v1/payment_methods/{token}")))?;
        let Some(card) = found.card else { return Ok(Err("must be a card".to_owned())) };
        let Some(customer) = found.customer else {
            let why = "belongs to no customer; attach it to one first, so that it can be charged later";
            return Ok(Err(why.to_owned()));
        };
        Ok(Ok(PaymentMethod {
            gateway: self.slug().to_owned(),
            customer,
            token: token.to_owned(),
            brand: card.brand,
            last4: card.last4,
            fingerprint: card.fingerprint.unwrap_or_default(),
        }))
    }

    /// With lists that are late by `delay` at most.
    #[must_use]
    pub fn with_list_delay(mut self, delay: Duration) -> Self {
        self.doubts = Doubts::new(delay);
        self
    }

    /// Creating a charge gives the same error again: whether it was made, the list says, once it is believed.
    fn found_or_lost(&self, charge: &Charge) -> Created {
        let over = self.doubts.are_over(&charge.key);
        match self.find(charge) {
            Found::Reference(reference) => {
                self.doubts.forget(&charge.key);
                Created::Reference(reference)
            }
            Found::Nothing if over => Created::Lost,
            Found::Nothing | Found::Unknown => Created::Unknown,
        }
    }

    /// A list lacks something. What this life of the till has begun it knows itself; what a former one has made is
    /// looked for after a restore, and may not be listed yet.
    fn nothing_found(&self) -> Found {
        if self.doubts.about_former_lives_are_over() { Found::Nothing } else { Found::Unknown }
    }

    /// Looks through a list for the thing that carries our key.
    fn search<T: Keyed>(&self, path: &str, key: &str) -> Result<Option<T>, Failure> {
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let page = format!("{path}&limit={PAGE}{after}");
            let List { data, has_more } = self.ask(|client| client.get::<List<T>>(&page))?;
            match data.last().map(|thing| thing.id().to_owned()).filter(|_| has_more) {
                Some(last) => after = format!("&starting_after={last}"),
                None => after.clear(),
            }
            let mut things = data.into_iter();
            if let Some(found) = things.find(|thing| thing.has_key(key)) {
                return Ok(Some(found));
            }
            if after.is_empty() {
                return Ok(None);
            }
        }
        Err(Failure::Unknown("the list is too long to look through".to_owned()))
    }
}

/// Whether an id can go into a path as it stands.
fn is_plain(id: &str) -> bool {
    id.len() <= 255 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether an address is one of this machine, in plain HTTP.
fn is_loopback(base: &str) -> bool {
    let host = base.strip_prefix("http://").unwrap_or_default();
    let host = host.split('/').next().unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|own| host.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

impl Gateway for Stripe {
    fn slug(&self) -> &'static str {
        "stripe"
    }

    fn chunk(&self) -> usize {
        // Each takes two calls over the network, and its reference is committed between them.
        8
    }

    fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble
            .as_ref()
            .map(|(why, _)| format!("Stripe refuses requests ({why}): check its key; captures wait"))
    }

    fn rests(&self) -> bool {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().is_some_and(|(_, since)| since.elapsed() < TROUBLE_PAUSE)
    }

    fn resolve(&self, token: &str) -> Result<PaymentMethod, String> {
        let fine = token.starts_with("pm_") && is_plain(token);
        if !fine {
            return Err("must be a payment method of Stripe that a customer has: pm_…".to_owned());
        }
        self.method(token).unwrap_or_else(|failure| {
            Err(match failure {
                Failure::NotFound => "is no payment method that Stripe knows".to_owned(),
                other => format!("could not be looked up: {other}"),
            })
        })
    }

    fn create(&self, charge: &Charge) -> Created {
        if charge.direction == Direction::Credit {
            return self.begin_credit(charge);
        }
        let form = [
            ("amount", charge.amount.amount.to_string()),
            ("currency", charge.amount.currency.code().to_ascii_lowercase()),
            ("customer", charge.customer.clone()),
            ("payment_method", charge.method.clone()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[tagtill_key]", charge.key.clone()),
            ("metadata[tagtill_purchase]", purchase_of(&charge.key).to_owned()),
        ];
        match self.ask(|client| client.post::<Intent>("/v1/payment_intents", &form, Some(&charge.key))) {
            Ok(intent) => Created::Reference(intent.id),
            Err(Failure::Card(code)) => Created::Declined(code),
            // An error that is saved under the key: whether the intent was made, the list knows.
            Err(Failure::Replayed(_)) => self.found_or_lost(charge),
            Err(Failure::NotFound) => Created::Declined("payment_method_missing".to_owned()),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Created::Unknown
            }
        }
    }

    fn confirm(&self, reference: &str, charge: &Charge) -> Standing {
        if let Some(credit) = credit::parse(reference) {
            return self.give_credit(credit, charge);
        }
        let form = [("off_session", "true".to_owned())];
        let path = format!("/v1/payment_intents/{reference}/confirm");
        // Without a key: an intent is paid once at most, and a saved error would be said for ever.
        match self.ask(|client| client.post(&path, &form, None)) {
            Ok(intent) => self.standing(&intent, charge),
            Err(Failure::Card(code)) if code == AUTHENTICATION => Standing::NeedsOwner,
            Err(Failure::Card(code)) => Standing::Declined(code),
            Err(Failure::State) => self.fetch(reference, charge),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Standing::Unknown
            }
        }
    }

    fn fetch(&self, reference: &str, charge: &Charge) -> Standing {
        if let Some(credit) = credit::parse(reference) {
            return self.fetch_credit(credit);
        }
        match self.ask(|client| client.get(&format!("/v1/payment_intents/{reference}"))) {
            Ok(intent) => self.standing(&intent, charge),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Standing::Unknown
            }
        }
    }

    fn find(&self, charge: &Charge) -> Found {
        if charge.direction == Direction::Credit {
            return self.find_credit(charge);
        }
        let since = charge.begun_at.ms() / 1000 - CLOCKS_DIFFER_SECONDS;
        let path = format!("/v1/payment_intents?customer={}&created[gte]={since}", charge.customer);
        match self.search::<Intent>(&path, &charge.key) {
            Ok(Some(intent)) => Found::Reference(intent.id),
            Ok(None) | Err(Failure::NotFound) => self.nothing_found(),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Found::Unknown
            }
        }
    }

    fn authenticate(&self, reference: &str, charge: &Charge, return_url: &str) -> Authentication {
        self.confirm_on_session(reference, charge, return_url)
    }

    fn begin_setup(&self, setup: &Setup) -> SetupBegun {
        self.begin_checkout(setup)
    }

    fn setup(&self, reference: &str, key: &str) -> SetupStanding {
        self.checkout(reference, key)
    }

    fn cancel(&self, reference: &str, charge: &Charge) -> Standing {
        let path = format!("/v1/payment_intents/{reference}/cancel");
        match self.ask(|client| client.post(&path, &[], None)) {
            Ok(intent) => self.standing(&intent, charge),
            Err(_) => self.fetch(reference, charge),
        }
    }

    fn look(&self, reference: &str) -> NoticeAnswer {
        self.look_at(reference)
    }

    fn notice<'h>(
        &self,
        header: &dyn Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now_seconds: i64,
    ) -> Result<Option<Notice>, NotTaken> {
        let secret = self.webhook_secret.as_ref().ok_or(NotTaken::NotHere)?;
        event::read(secret, self.live, header("stripe-signature"), body, now_seconds)
    }

    fn refund(&self, key: &str, reference: &str, amount: Money) -> Refunded {
        if credit::parse(reference).is_some() {
            return Refunded::Failed(credit::TAKES_NOTHING_BACK.to_owned());
        }
        self.give_back(key, reference, amount)
    }
}

/// The purchase that an attempt's key is about: the key without the attempt's number.
fn purchase_of(key: &str) -> &str {
    key.rsplit_once('-').map_or(key, |(purchase, _)| purchase)
}

#[cfg(test)]
mod tests;
