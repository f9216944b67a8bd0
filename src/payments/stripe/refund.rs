//! Giving money back: once a key, also where Stripe has forgotten the key, has an error saved under it, or its list is
//! behind.

use super::super::Refunded;
use super::client::Failure;
use super::{KEY_FIELD, Refund, Stripe};
use crate::till::money::Money;

/// What money is given back of: a payment intent or a charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'s>(pub &'s str);

impl Source<'_> {
    /// Under which name Stripe takes it.
    fn field(self) -> &'static str {
        if self.0.starts_with("ch_") { "charge" } else { "payment_intent" }
    }

    /// The list of what was given back of it.
    pub fn list(self) -> String {
        format!("/v1/refunds?{}={}", self.field(), self.0)
    }
}

impl Stripe {
    /// Gives back a part of a purchase.
    pub(super) fn give_back(&self, key: &str, reference: &str, amount: Money) -> Refunded {
        match self.refund_once(key, Source(reference), amount) {
            Ok(refund) => match refund.status.as_deref() {
                Some("succeeded") => Refunded::Succeeded(refund.id),
                Some("failed" | "canceled") => {
                    Refunded::Failed(refund.failure_reason.unwrap_or_else(|| "failed".to_owned()))
                }
                _ => Refunded::Unknown,
            },
            Err(Failure::Card(code)) => Refunded::Failed(code),
            // Somebody gave it back already: had it been the till, the same key would have said so.
            Err(Failure::State) => Refunded::Failed("refund_not_possible".to_owned()),
            Err(failure) => {
                log::warn!("{key}: {failure}");
                Refunded::Unknown
            }
        }
    }

    /// Makes a refund, or finds the one that was made under this key.
    pub(super) fn refund_once(
        &self,
        key: &str,
        source: Source<'_>,
        amount: Money,
    ) -> Result<Refund, Failure> {
        // What was begun before is looked for first: its key may be forgotten, or have an error saved under it.
        if let Some(refund) = self.search::<Refund>(&source.list(), key)? {
            self.doubts.forget(key);
            return Ok(refund);
        }
        let metadata = format!("metadata[{KEY_FIELD}]");
        let form = [
            (source.field(), source.0.to_owned()),
            ("amount", amount.amount.to_string()),
            (metadata.as_str(), key.to_owned()),
        ];
        let post = |key: &str| self.ask(|client| client.post::<Refund>("/v1/refunds", &form, Some(key)));
        match post(key) {
            // It may have been made all the same, and be on no list yet. Once a list is believed that lacks it, it was
            // not, and its key says the same error for ever.
            Err(Failure::Replayed(_)) if self.doubts.are_over(key) => post(&format!("{key}-again")),
            other => other,
        }
    }
}
