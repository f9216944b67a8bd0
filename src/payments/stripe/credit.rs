//! What a deal gives, through Stripe: a partial refund of the very card transaction that earned it.
//!
//! Stripe pays nothing out to cards, but what is refunded is money on that card. Nothing is created beforehand: the
//! reference names the transaction and our key, it is committed, then the refund is made under that key. Whether it was
//! made is read from the transaction's own list. What was given so cannot be taken back, see [`TAKES_NOTHING_BACK`].

use super::super::{Charge, Created, Found, Standing};
use super::client::Failure;
use super::refund::Source;
use super::{Intent, Keyed as _, Refund, Stripe, is_plain};
use serde::Deserialize;

/// Why a credit is not taken back: a refund cannot be undone. It need not be, either: what can be refunded of the
/// transaction is what is left of it, so that both together are never more than was paid.
pub(super) const TAKES_NOTHING_BACK: &str = "stripe_takes_nothing_back";
/// Stands between the transaction and our key.
const JOINT: char = '/';

/// A charge, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Paid {
    id: String,
    amount: i64,
    currency: String,
    livemode: bool,
    status: String,
}

/// The transaction and the key that a credit's reference names; `None` where it is no credit's.
pub(super) fn parse(reference: &str) -> Option<(&str, &str)> {
    reference.split_once(JOINT)
}

impl Stripe {
    /// Looks whether the transaction can be refunded by as much.
    pub(super) fn begin_credit(&self, charge: &Charge) -> Created {
        let no = |code: &str| Created::Declined(code.to_owned());
        let known = |id: &&str| (id.starts_with("pi_") || id.starts_with("ch_")) && is_plain(id);
        let Some(id) = charge.transaction.as_deref().filter(known) else {
            return no("transaction_not_at_stripe");
        };
        let reference = Created::Reference(format!("{id}{JOINT}{}", charge.key));
        let asked = self.transaction(id).and_then(|paid| {
            let same_currency = paid.currency.eq_ignore_ascii_case(charge.amount.currency.code());
            if paid.id != id || paid.livemode != self.live {
                return Ok(Some("transaction_not_at_stripe"));
            }
            if paid.status != "succeeded" {
                return Ok(Some("transaction_not_paid"));
            }
            if !same_currency {
                return Ok(Some("transaction_currency_differs"));
            }
            let refunds = self.all::<Refund>(&Source(id).list(), |one| &one.id)?;
            let begun = refunds.iter().any(|one| one.has_key(&charge.key));
            let enough = begun || left(&paid, &refunds) >= charge.amount.amount;
            Ok((!enough).then_some("transaction_refunded"))
        });
        match asked {
            Ok(None) => reference,
            Ok(Some(code)) => no(code),
            Err(Failure::NotFound) => no("transaction_not_at_stripe"),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Created::Unknown
            }
        }
    }

    fn transaction(&self, id: &str) -> Result<Paid, Failure> {
        if id.starts_with("ch_") {
            return self.ask(|client| client.get(&format!("/v1/charges/{id}")));
        }
        let intent: Intent = self.ask(|client| client.get(&format!("/v1/payment_intents/{id}")))?;
        let Intent { id, amount_received, currency, livemode, status, .. } = intent;
        Ok(Paid { id, amount: amount_received, currency, livemode, status })
    }

    /// Makes the refund, once.
    pub(super) fn give_credit(&self, (id, key): (&str, &str), charge: &Charge) -> Standing {
        match self.refund_once(key, Source(id), charge.amount) {
            Ok(refund) => given(&refund),
            Err(Failure::Card(code)) => Standing::Declined(code),
            // Somebody gave back too much of it meanwhile: had it been the till, the same key would have said so.
            Err(Failure::State) => Standing::Declined("transaction_refunded".to_owned()),
            Err(failure) => {
                log::warn!("{key}: {failure}");
                Standing::Unknown
            }
        }
    }

    /// How a credit stands: as the refund under its key does, or nothing is given yet.
    pub(super) fn fetch_credit(&self, (id, key): (&str, &str)) -> Standing {
        match self.search::<Refund>(&Source(id).list(), key) {
            Ok(found) => found.as_ref().map_or(Standing::Unconfirmed, given),
            Err(failure) => {
                log::warn!("{key}: {failure}");
                Standing::Unknown
            }
        }
    }

    /// Looks whether a credit was given.
    pub(super) fn find_credit(&self, charge: &Charge) -> Found {
        let Some(id) = charge.transaction.as_deref().filter(|id| is_plain(id)) else { return Found::Nothing };
        match self.search::<Refund>(&Source(id).list(), &charge.key) {
            Ok(Some(_)) => Found::Reference(format!("{id}{JOINT}{}", charge.key)),
            Ok(None) | Err(Failure::NotFound) => self.nothing_found(),
            Err(failure) => {
                log::warn!("{}: {failure}", charge.key);
                Found::Unknown
            }
        }
    }
}

/// What can still be refunded of a transaction.
fn left(paid: &Paid, refunds: &[Refund]) -> i64 {
    let given = refunds.iter().filter(|one| !matches!(one.status.as_deref(), Some("failed" | "canceled")));
    given.fold(paid.amount, |left, one| left.saturating_sub(one.amount))
}

fn given(refund: &Refund) -> Standing {
    match refund.status.as_deref() {
        Some("succeeded") => Standing::Paid,
        Some("failed" | "canceled") => {
            Standing::Declined(refund.failure_reason.clone().unwrap_or_else(|| "failed".to_owned()))
        }
        _ => Standing::Unknown,
    }
}
