//! One delivery over HTTP: where it may go, how long it may take, what of the answer is looked at.

use super::address::Checked;
use std::io::Read as _;
use std::time::{Duration, Instant, SystemTime};
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::DefaultConnector;

/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What is read of an answer before the connection is closed: nobody looks at it.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// The way out.
#[derive(Debug)]
pub struct Sender {
    agent: ureq::Agent,
}

/// What goes out.
#[derive(Debug)]
pub struct Parcel<'p> {
    /// Where to.
    pub url: &'p str,
    /// The event's id, the same in every try.
    pub id: &'p str,
    /// Unix time of this try, in seconds.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: &'p str,
    /// JSON.
    pub body: &'p [u8],
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// The status, or why there is none.
    pub status: Result<u16, String>,
    /// `Retry-After`, in seconds from now.
    pub retry_after_seconds: Option<u32>,
    /// How long it took.
    pub duration: Duration,
}

impl Sender {
    /// `loopback`: a sandbox may send to its own machine. No proxy, whatever the environment says; no redirects.
    pub fn new(loopback: bool) -> Self {
        Self::with(Checked::new(DefaultResolver::default(), loopback), TIMEOUT)
    }

    fn with(resolver: impl Resolver, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(0)
            .timeout_global(Some(timeout))
            .user_agent(concat!("tagtill-webhooks/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver) }
    }

    /// Sends.
    pub fn send(&self, parcel: &Parcel<'_>) -> Came {
        let begun = Instant::now();
        let request = self
            .agent
            .post(parcel.url)
            .header("Content-Type", "application/json")
            .header("webhook-id", parcel.id)
            .header("webhook-timestamp", parcel.timestamp.to_string())
            .header("webhook-signature", parcel.signature);
        match request.send(parcel.body) {
            Ok(mut response) => {
                let asked = response.headers().get("Retry-After").and_then(|value| value.to_str().ok());
                let retry_after_seconds = asked.and_then(|asked| retry_after(asked, SystemTime::now()));
                let mut rest = response.body_mut().as_reader().take(ANSWER_BYTES_MAX);
                // Whatever it is: the status has been read.
                let _ = std::io::copy(&mut rest, &mut std::io::sink());
                let status = Ok(response.status().as_u16());
                Came { status, retry_after_seconds, duration: begun.elapsed() }
            }
            Err(error) => {
                Came { status: Err(why(&error)), retry_after_seconds: None, duration: begun.elapsed() }
            }
        }
    }
}

/// `Retry-After` as it may be written: a number of seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(asked: &str, now: SystemTime) -> Option<u32> {
    let asked = asked.trim();
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(asked.parse().unwrap_or(u32::MAX));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let wait = until.duration_since(now).unwrap_or_default();
    Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
}

/// In a few words: an address that was refused says so, nothing says more than a receiver should know.
fn why(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::Timeout(_) => "no answer within 20 seconds".to_owned(),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests;
