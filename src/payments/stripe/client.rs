//! Stripe's API over HTTP: one call, its answer, and what kind of failure it was. Nothing here is repeated.
//!
//! Of what Stripe says only codes are kept: its messages can quote a card or a person.

use super::AUTHENTICATION;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use ureq::http::header::AUTHORIZATION;

/// The version of the API that this is written for (Stripe's `Stripe-Version`).
const VERSION: &str = "2024-06-20";
/// How long Stripe may take over one call.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// What stays as it is in a form (RFC 3986, unreserved) and in its names.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'[').remove(b']');

/// Codes of what can never be charged.
const NEVER: &[&str] = &["amount_too_small", "amount_too_large"];
/// Codes that say that something does not stand so.
const STATES: [&str; 3] = ["payment_intent_unexpected_state", "charge_already_refunded", "charge_disputed"];

/// A form's fields.
pub type Form<'f> = [(&'f str, String)];

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The card: final, with Stripe's code, or the bank's where there is one.
    Card(String),
    /// What is named is not there.
    NotFound,
    /// What is named does not stand as the call would have it.
    State,
    /// The request or the key is wrong: nothing will come of it until somebody looks.
    Refused(String),
    /// Nobody knows whether it happened: no answer, or one that says so.
    Unknown(String),
    /// The same, said again under the same key: asking once more under that key leads nowhere.
    Replayed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(code) => write!(f, "the card was refused ({code})"),
            Self::NotFound => f.write_str("Stripe knows no such thing"),
            Self::State => f.write_str("it does not stand so that this can be done"),
            Self::Refused(why) => write!(f, "Stripe refused the request: {why}"),
            Self::Unknown(why) | Self::Replayed(why) => {
                write!(f, "Stripe did not say what came of it: {why}")
            }
        }
    }
}

/// A way to Stripe, or to something of its shape.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    bearer: String,
}

impl fmt::Debug for Client {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.base)
    }
}

impl Client {
    /// Calls `base` (without a slash at its end) with a secret key.
    pub fn new(base: &str, key: &str) -> Self {
        Self::patient(base, key, TIMEOUT)
    }

    /// The same, waiting so long for an answer.
    pub fn patient(base: &str, key: &str, timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(timeout))
            .user_agent(concat!("tagtill/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: agent.into(),
            base: base.trim_end_matches('/').to_owned(),
            bearer: format!("Bearer {key}"),
        }
    }

    /// Reads something.
    ///
    /// # Errors
    /// What kind of failure it was.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header(AUTHORIZATION, &self.bearer).header("Stripe-Version", VERSION);
        answer(request.call())
    }

    /// Does something; with a key, once.
    ///
    /// # Errors
    /// What kind of failure it was.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Form<'_>,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.base));
        request = request
            .header(AUTHORIZATION, &self.bearer)
            .header("Stripe-Version", VERSION)
            .header("Content-Type", "application/x-www-form-urlencoded");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        answer(request.send(encode(form)))
    }
}

/// Writes a form.
pub fn encode(form: &Form<'_>) -> String {
    let part = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let fields: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect();
    fields.join("&")
}

fn answer<T: DeserializeOwned>(
    result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<T, Failure> {
    let mut response = result.map_err(|error| Failure::Unknown(error.to_string()))?;
    let status = response.status().as_u16();
    let replayed = response.headers().get("Idempotent-Replayed").is_some_and(|value| value == "true");
    let bytes = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let bytes = bytes.map_err(|error| Failure::Unknown(error.to_string()))?;
    if status == 200 {
        let strange = |_| Failure::Unknown("an answer that is not as Stripe describes it".to_owned());
        return serde_json::from_slice(&bytes).map_err(strange);
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match failure(status, &body) {
        Failure::Unknown(why) if replayed && status >= 500 => Err(Failure::Replayed(why)),
        other => Err(other),
    }
}

/// What kind of failure an answer is.
fn failure(status: u16, body: &Value) -> Failure {
    let field = |name: &str| body.pointer(&format!("/error/{name}")).and_then(Value::as_str).map(plain);
    let (kind, code) = (field("type").unwrap_or_default(), field("code"));
    let named = || code.clone().unwrap_or_else(|| format!("status {status}"));
    match status {
        // Also what was refused under the same key before, and is said again.
        402 if code.as_deref() == Some(AUTHENTICATION) => Failure::Card(AUTHENTICATION.to_owned()),
        402 => Failure::Card(field("decline_code").or(code).unwrap_or_else(|| "card_declined".to_owned())),
        404 if code.as_deref() == Some("resource_missing") => Failure::NotFound,
        // Not Stripe's own word about a thing: the address is wrong, or something stands in between.
        404 => Failure::Refused("status 404".to_owned()),
        409 | 429 | 500.. => Failure::Unknown(named()),
        400 if kind == "card_error" => Failure::Card(named()),
        400 if code.as_deref().is_some_and(|code| STATES.contains(&code)) => Failure::State,
        // A refund of more than is left has no code of its own.
        400 if code.is_none() && field("param").as_deref() == Some("amount") => Failure::State,
        // No key and no patience mends that: this can never be charged here.
        400 if code.as_deref().is_some_and(|code| NEVER.contains(&code)) => Failure::Card(named()),
        400 if code.is_none() && field("param").as_deref() == Some("currency") => {
            Failure::Card("currency_not_accepted".to_owned())
        }
        400 if code.as_deref() == Some("resource_missing") => Failure::NotFound,
        400 | 401 | 403 => {
            let about = field("param").map(|param| format!(" at {param}")).unwrap_or_default();
            Failure::Refused(format!(
                "{}{about}",
                if kind.is_empty() { named() } else { format!("{kind}, {}", named()) }
            ))
        }
        _ => Failure::Unknown(format!("status {status}")),
    }
}

/// A code as it can be logged: nothing but letters, digits and marks, and not many.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(*c)).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn failures_are_told_apart() {
        let error =
            |kind: &str, code: &str| json!({"error": {"type": kind, "code": code, "message": "4242…"}});
        let declined =
            json!({"error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}});
        for (status, body, wanted) in [
            (402, declined, Failure::Card("lost_card".to_owned())),
            (402, error("card_error", "expired_card"), Failure::Card("expired_card".to_owned())),
            (402, Value::Null, Failure::Card("card_declined".to_owned())),
            (404, error("invalid_request_error", "resource_missing"), Failure::NotFound),
            (404, Value::Null, Failure::Refused("status 404".to_owned())),
            (
                400,
                error("invalid_request_error", "amount_too_small"),
                Failure::Card("amount_too_small".to_owned()),
            ),
            (
                400,
                json!({"error": {"type": "invalid_request_error", "param": "currency"}}),
                Failure::Card("currency_not_accepted".to_owned()),
            ),
            (400, error("invalid_request_error", "resource_missing"), Failure::NotFound),
            (400, error("invalid_request_error", "payment_intent_unexpected_state"), Failure::State),
            (
                401,
                error("invalid_request_error", "api_key_expired"),
                Failure::Refused("invalid_request_error, api_key_expired".to_owned()),
            ),
            (
                409,
                error("idempotency_error", "idempotency_key_in_use"),
                Failure::Unknown("idempotency_key_in_use".to_owned()),
            ),
            (429, error("invalid_request_error", "rate_limit"), Failure::Unknown("rate_limit".to_owned())),
            (500, Value::Null, Failure::Unknown("status 500".to_owned())),
            (302, Value::Null, Failure::Unknown("status 302".to_owned())),
        ] {
            assert_eq!(failure(status, &body), wanted, "{status} {body}");
        }
    }

    #[test]
    fn forms_are_written_as_stripe_reads_them() {
        let form = [("metadata[tagtill_key]", "pur_1-1".to_owned()), ("description", "Tea & Cö".to_owned())];
        assert_eq!(encode(&form), "metadata[tagtill_key]=pur_1-1&description=Tea%20%26%20C%C3%B6");
    }

    #[test]
    fn nobody_sees_the_key() {
        assert!(!format!("{:?}", Client::new("https://stripe.example", "sk_live_1")).contains("sk_live"));
    }
}
