//! Requests to a network's servers: limits on what is read and how long it takes, and what an answer means.

use super::{Kind, Trouble, now};
use crate::till::time::Time;
use crate::webhooks::Checked;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::config::Config;
use ureq::http::{HeaderMap, Request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

/// The largest answer read.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long one of a stranger's server may take.
const STRANGER_TIMEOUT: Duration = Duration::from_secs(5);
/// No server is left alone for longer, whatever it asks for.
const HELD_MAX: Duration = Duration::from_secs(3600);
/// How we call ourselves: some servers refuse who does not say.
pub const USER_AGENT: &str = concat!("tagtill-bridge/", env!("CARGO_PKG_VERSION"));

/// An answer that is a success.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// The body; `Null` where there is none.
    pub body: Value,
    /// Where the next page is (`Link`, RFC 8288), by relation.
    pub links: BTreeMap<String, String>,
}

/// An answer, whatever it says.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body; `Null` where it is empty, or where it is no JSON and no success either.
    pub body: Value,
}

impl Exchange {
    /// Its header of that name, as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        number(&self.headers, &[name])
    }

    /// The trouble that it is, where it is no success.
    pub fn trouble(&self) -> Option<Trouble> {
        let success = (200..300).contains(&self.status);
        (!success).then(|| refusal(self.status, &self.headers, &self.body))
    }
}

/// A way to a network's servers.
#[derive(Debug)]
pub struct Web {
    agent: Agent,
    /// Whether the servers' wishes about limits count: not where anybody can be one.
    obeys: bool,
    /// Until when no more is asked, by what the network counts together.
    held: Mutex<BTreeMap<&'static str, Instant>>,
}

/// What to send along.
#[derive(Clone, Debug)]
pub enum Payload<'p> {
    /// Nothing.
    Empty,
    /// JSON.
    Json(&'p Value),
    /// A form, URL-encoded already.
    Form(String),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Where, with its query.
    pub url: &'a str,
    /// Headers besides the usual ones.
    pub headers: &'a [(&'a str, String)],
    /// The body.
    pub payload: Payload<'a>,
    /// What the network counts together with it, for its limits.
    pub bucket: &'static str,
}

impl Default for Web {
    fn default() -> Self {
        Self::new()
    }
}

impl Web {
    /// No proxy, no redirects: credentials go where they were meant to go and nowhere else.
    pub fn new() -> Self {
        Self { agent: config(TIMEOUT).into(), obeys: true, held: Mutex::default() }
    }

    /// For addresses that people on the network choose: only the open internet, and this machine where `loopback` says
    /// so, because the whole network is a test on it. They are given little time, and no say in when they are asked.
    pub fn careful(loopback: bool) -> Self {
        let resolver = Checked::new(DefaultResolver::default(), loopback);
        let agent = Agent::with_parts(config(STRANGER_TIMEOUT), DefaultConnector::default(), resolver);
        Self { agent, obeys: false, held: Mutex::default() }
    }

    /// Asks; only an answer that is a success comes back.
    pub fn ask(&self, ask: &Ask<'_>) -> Result<Answered, Trouble> {
        let said = self.exchange(ask)?;
        match said.trouble() {
            Some(trouble) => Err(trouble),
            None => Ok(Answered { links: links(&said.headers), body: said.body }),
        }
    }

    /// Asks for what may not be there: `None` where the network says 404 or 410, and not a proxy on the way.
    pub fn find(&self, ask: &Ask<'_>) -> Result<Option<Answered>, Trouble> {
        let said = self.exchange(ask)?;
        match (said.status, said.trouble()) {
            (404 | 410, _) if said.body.is_object() => Ok(None),
            (_, Some(trouble)) => Err(trouble),
            (_, None) => Ok(Some(Answered { links: links(&said.headers), body: said.body })),
        }
    }

    /// Asks; for networks whose refusals say more than their status does.
    pub fn exchange(&self, ask: &Ask<'_>) -> Result<Exchange, Trouble> {
        self.may_ask(ask.bucket)?;
        let mut request =
            Request::builder().method(ask.method).uri(ask.url).header("Accept", "application/json");
        for (name, value) in ask.headers {
            request = request.header(*name, value);
        }
        let unsendable = |error| Trouble::protocol(format!("a request that cannot be sent: {error}"));
        let sent = match &ask.payload {
            Payload::Empty => self.agent.run(request.body(()).map_err(unsendable)?),
            Payload::Json(value) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(value.to_string()).map_err(unsendable)?)
            }
            Payload::Form(form) => {
                let request = request.header("Content-Type", "application/x-www-form-urlencoded");
                self.agent.run(request.body(form.clone()).map_err(unsendable)?)
            }
        };
        let mut response = sent.map_err(|error| unreachable(ask.url, &error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.hold(ask.bucket, status, &headers);
        let read = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let bytes = read.map_err(|error| unreachable(ask.url, &error))?;
        let body = match serde_json::from_slice(&bytes) {
            Ok(body) => body,
            Err(_) if bytes.is_empty() || !(200..300).contains(&status) => Value::Null,
            Err(error) => {
                return Err(Trouble::protocol(format!(
                    "{} answered with something else than JSON: {error}",
                    host(ask.url)
                )));
            }
        };
        Ok(Exchange { status, headers, body })
    }

    /// Whether the network's limits let us ask now.
    fn may_ask(&self, bucket: &'static str) -> Result<(), Trouble> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let left = held.get(bucket).and_then(|until| until.checked_duration_since(Instant::now()));
        match left.filter(|left| !left.is_zero()) {
            None => Ok(()),
            Some(left) => {
                let why = format!("the network's limit for {bucket} is used up for {} s", left.as_secs() + 1);
                Err(Trouble { wait: Some(left), ..Trouble::new(Kind::RateLimited, why) })
            }
        }
    }

    /// Remembers what the answer says of the network's limits.
    fn hold(&self, bucket: &'static str, status: u16, headers: &HeaderMap) {
        let used_up =
            number(headers, &["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"])
                == Some(0);
        if self.obeys
            && (used_up || status == 429)
            && let Some(wait) = asked_wait(headers, now())
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.insert(bucket, Instant::now() + wait.min(HELD_MAX));
        }
    }
}

fn config(timeout: Duration) -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_connect(Some(timeout.min(Duration::from_secs(10))))
        .timeout_global(Some(timeout))
        .user_agent(USER_AGENT)
        .build()
}

/// The host of an address, for people.
fn host(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or("the network")
}

fn unreachable(url: &str, error: &ureq::Error) -> Trouble {
    let why = match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "its name is not known".to_owned(),
        other => other.to_string(),
    };
    Trouble::new(Kind::Unreachable, format!("{}: {why}", host(url)))
}

/// What an answer means that is no success.
fn refusal(status: u16, headers: &HeaderMap, body: &Value) -> Trouble {
    let kind = match status {
        401 => Kind::Credentials,
        429 => Kind::RateLimited,
        408 | 425 | 500.. => Kind::Server,
        // A network says what it refuses, and why; a proxy on the way says a page.
        _ if body.is_object() => Kind::Refused,
        _ => Kind::Server,
    };
    let mut why = format!("the answer was {status}");
    let words = ["error", "title", "message", "detail", "error_description"]
        .iter()
        .filter_map(|name| body.get(name)?.as_str());
    for word in words {
        why.push_str(": ");
        why.extend(word.chars().filter(|c| !c.is_control()).take(200));
    }
    let wait = asked_wait(headers, now()).filter(|_| matches!(status, 429 | 503));
    let code = body.get("error").and_then(Value::as_str).map(str::to_owned);
    Trouble { kind, why, wait, code }
}

fn text<'h>(headers: &'h HeaderMap, names: &[&str]) -> Option<&'h str> {
    names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(str::trim)
}

fn number(headers: &HeaderMap, names: &[&str]) -> Option<i64> {
    text(headers, names)?.parse().ok()
}

/// How long the network asks to wait: `Retry-After` (RFC 9110), or when its limit begins anew, in Unix seconds
/// (Bluesky, X) or as a time (Mastodon).
fn asked_wait(headers: &HeaderMap, now: Time) -> Option<Duration> {
    if let Some(asked) = text(headers, &["retry-after"]) {
        if let Ok(seconds) = asked.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(asked).ok()?;
        return Some(until.duration_since(std::time::SystemTime::now()).unwrap_or_default());
    }
    let reset = text(headers, &["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"])?;
    let at = match reset.parse::<i64>() {
        Ok(seconds) => Time::from_ms(seconds.saturating_mul(1000)),
        Err(_) => Time::parse(reset).ok()?,
    };
    Some(Duration::from_millis(u64::try_from(at.ms_since(now)).unwrap_or(0)))
}

/// The targets of a `Link` header by their relation.
fn links(headers: &HeaderMap) -> BTreeMap<String, String> {
    let Some(header) = text(headers, &["link"]) else { return BTreeMap::new() };
    let one = |part: &str| {
        let (target, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        let relation = rest.split("rel=").nth(1)?.trim_matches(['"', ' ', ';']);
        Some((relation.to_owned(), target.to_owned()))
    };
    header
        .split(", <")
        .enumerate()
        .filter_map(|(i, part)| if i == 0 { one(part) } else { one(&format!("<{part}")) })
        .collect()
}

/// Checks the address of a network's server: TLS, but for this machine.
///
/// # Errors
/// A sentence for the operator.
pub fn check_base(url: &str) -> Result<String, String> {
    let url = url.trim().trim_end_matches('/');
    let plain = ["http://", "ws://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let safe = ["https://", "wss://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(rest) = plain.or(safe) else {
        return Err(format!("{url} must be an address that begins with https://"));
    };
    let name = rest.split('/').next().unwrap_or_default();
    let loopback = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|host| name == *host || name.strip_prefix(host).is_some_and(|port| port.starts_with(':')));
    match (name.is_empty(), plain.is_some() && !loopback) {
        (true, _) => Err(format!("{url} names no host")),
        (_, true) => Err(format!("{url} must begin with https://: credentials go there")),
        _ => Ok(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn limits_are_read_in_each_networks_way() {
        let now = Time::parse("2026-01-01T00:00:00.000Z").unwrap();
        for (name, value, wanted) in [
            ("retry-after", "7", Some(7)),
            ("ratelimit-reset", "1767225660", Some(60)),
            ("x-rate-limit-reset", "1767225601", Some(1)),
            ("x-ratelimit-reset", "2026-01-01T00:05:00.000Z", Some(300)),
            ("x-ratelimit-reset", "1767220000", Some(0)),
            ("x-ratelimit-reset", "soon", None),
        ] {
            let wait = asked_wait(&headers(&[(name, value)]), now);
            assert_eq!(wait, wanted.map(Duration::from_secs), "{name}: {value}");
        }
    }

    #[test]
    fn what_is_used_up_is_not_asked_for() {
        let web = Web::new();
        web.hold("posts", 200, &headers(&[("ratelimit-remaining", "0"), ("retry-after", "30")]));
        assert_eq!(web.may_ask("posts").unwrap_err().kind, Kind::RateLimited);
        assert_eq!(web.may_ask("reads"), Ok(()));
        web.hold("reads", 200, &headers(&[("ratelimit-remaining", "5"), ("retry-after", "30")]));
        assert_eq!(web.may_ask("reads"), Ok(()));
        // Whatever is asked for, an hour is the most; strangers are not asked.
        web.hold("posts", 429, &headers(&[("retry-after", "18446744073709551615")]));
        let wait = web.may_ask("posts").unwrap_err().wait.unwrap();
        assert!(wait <= HELD_MAX, "{wait:?}");
        let strangers = Web::careful(false);
        strangers.hold("posts", 429, &headers(&[("retry-after", "30")]));
        assert_eq!(strangers.may_ask("posts"), Ok(()));
    }

    #[test]
    fn refusals_have_kinds_and_words() {
        let of =
            |status| refusal(status, &headers(&[]), &json!({"error": "Nope", "message": "not\u{7} today"}));
        assert_eq!(of(400).why, "the answer was 400: Nope: not today");
        for (status, kind) in [
            (400, Kind::Refused),
            (401, Kind::Credentials),
            (403, Kind::Refused),
            (429, Kind::RateLimited),
            (502, Kind::Server),
            (408, Kind::Server),
        ] {
            assert_eq!(of(status).kind, kind, "{status}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_refuses_nothing_for_good() {
        for status in [403, 404, 413] {
            assert_eq!(refusal(status, &headers(&[]), &Value::Null).kind, Kind::Server, "{status}");
        }
    }

    #[test]
    fn pages_are_found_by_their_relation() {
        let header =
            "<https://a.example/x?max_id=1,2>; rel=\"next\", <https://a.example/x?min_id=9>; rel=\"prev\"";
        let links = links(&headers(&[("link", header)]));
        assert_eq!(links.get("next").map(String::as_str), Some("https://a.example/x?max_id=1,2"));
        assert_eq!(links.get("prev").map(String::as_str), Some("https://a.example/x?min_id=9"));
    }

    #[test]
    fn only_this_machine_is_talked_to_without_tls() {
        for (url, fine) in [
            ("https://bsky.social/", true),
            ("http://localhost:2583", true),
            ("http://127.0.0.1", true),
            ("ws://127.0.0.1:1/", true),
            ("http://bsky.social", false),
            ("http://localhost.example", false),
            ("bsky.social", false),
            ("https://", false),
        ] {
            assert_eq!(check_base(url).is_ok(), fine, "{url}");
        }
    }
}
