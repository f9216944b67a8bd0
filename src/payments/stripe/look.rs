//! All that happened to one payment intent: how it stands, its refunds and its disputes, whoever made them.

use super::client::Failure;
use super::{Intent, KEY_FIELD, List, PAGE, PAGES_MAX, Refund, Standing, Stripe};
use crate::till::charge::parse_attempt_key;
use crate::till::command::ChargeAnswer;
use crate::till::dispute::DisputeReport;
use crate::till::id::{CreditId, RefundId};
use crate::till::money::{Currency, Money};
use crate::till::notice::{ChargeReport, NoticeAnswer};
use crate::till::record::{DisputeStatus, RefundStatus};
use crate::till::refund::RefundReport;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A dispute, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Dispute {
    id: String,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
}

impl Stripe {
    /// Looks at an intent that an event named.
    pub(super) fn look_at(&self, reference: &str) -> NoticeAnswer {
        match self.report(reference) {
            Ok(Some(report)) => NoticeAnswer::Charge(Box::new(report)),
            Ok(None) | Err(Failure::NotFound) => NoticeAnswer::Nothing,
            Err(failure) => {
                log::warn!("an event about {reference} waits: {failure}");
                NoticeAnswer::Unknown
            }
        }
    }

    /// `None`: it is none of this till's.
    fn report(&self, reference: &str) -> Result<Option<ChargeReport>, Failure> {
        let intent: Intent = self.ask(|client| client.get(&format!("/v1/payment_intents/{reference}")))?;
        let key = intent.metadata.get(KEY_FIELD).and_then(|key| parse_attempt_key(key));
        let (Some((purchase, attempt)), Some(currency)) = (key, currency(&intent.currency)) else {
            return Ok(None);
        };
        if intent.livemode != self.live || intent.id != reference {
            return Ok(None);
        }
        let answer = match Self::standing_of(&intent) {
            Standing::Paid => ChargeAnswer::Paid,
            Standing::Declined(code) => ChargeAnswer::Declined(code),
            Standing::Unconfirmed | Standing::NeedsOwner | Standing::Unknown => ChargeAnswer::Unknown,
        };
        let mut report = ChargeReport {
            purchase,
            attempt,
            reference: intent.id,
            money: Money { amount: intent.amount, currency },
            answer,
            refunds: Vec::new(),
            disputes: Vec::new(),
        };
        for refund in self.all::<Refund>(&format!("/v1/refunds?payment_intent={reference}"), |one| &one.id)? {
            // What a deal gave of this charge is money of the deal's.
            if !is_credit(&refund) {
                report.refunds.push(refund_report(refund, currency));
            }
        }
        for dispute in
            self.all::<Dispute>(&format!("/v1/disputes?payment_intent={reference}"), |one| &one.id)?
        {
            report.disputes.extend(dispute_report(dispute));
        }
        Ok(Some(report))
    }

    /// Everything on a list.
    pub(super) fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        id: impl Fn(&T) -> &String,
    ) -> Result<Vec<T>, Failure> {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page = format!("{path}&limit={PAGE}{after}");
            let List { data, has_more } = self.ask(|client| client.get::<List<T>>(&page))?;
            let last = data.last().map(|one| id(one).clone());
            all.extend(data);
            match last.filter(|_| has_more) {
                Some(last) => after = format!("&starting_after={last}"),
                None => return Ok(all),
            }
        }
        Err(Failure::Unknown("the list is too long to look through".to_owned()))
    }
}

/// Stripe writes currencies in small letters.
fn currency(code: &str) -> Option<Currency> {
    Currency::parse(&code.to_ascii_uppercase())
}

/// Whether it is what a deal gives: a refund under the key of an attempt to credit.
fn is_credit(refund: &Refund) -> bool {
    let key = refund.metadata.get(KEY_FIELD).and_then(|key| key.rsplit_once('-'));
    key.is_some_and(|(id, _)| CreditId::parse(id).is_some())
}

fn refund_report(refund: Refund, currency: Currency) -> RefundReport {
    let status = match refund.status.as_deref() {
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed" | "canceled") => RefundStatus::Failed,
        _ => RefundStatus::Pending,
    };
    let own = refund.metadata.get(KEY_FIELD).and_then(|key| RefundId::parse(key));
    RefundReport { reference: refund.id, own, amount: Money { amount: refund.amount, currency }, status }
}

/// Stripe's states (API reference, Dispute object, `status`); `None` for one that is not known here.
fn dispute_report(dispute: Dispute) -> Option<DisputeReport> {
    let status = match dispute.status.as_str() {
        "warning_needs_response" | "warning_under_review" => DisputeStatus::Inquiry,
        "needs_response" | "under_review" => DisputeStatus::Open,
        "won" | "warning_closed" | "prevented" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        _ => return None,
    };
    let reason = dispute.reason.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(80).collect();
    let money = Money { amount: dispute.amount, currency: currency(&dispute.currency)? };
    Some(DisputeReport { reference: dispute.id, amount: money, reason, status })
}
