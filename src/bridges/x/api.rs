//! Calls of X's API v2: as our account (OAuth 1.0a) or as the app (bearer token), and what its refusals mean.

use super::budget::Budget;
use super::oauth::{Keys, query};
use super::tweet::Us;
use crate::bridges::{Ask, Exchange, Kind, Payload, Trouble, Web, now};
use serde_json::Value;
use std::time::Duration;

/// How long we wait where X has no credit for us, or a cap is reached: somebody has to pay first.
const UNPAID_WAIT: Duration = Duration::from_secs(900);
/// How long we wait where X says that it was too much, and not until when.
const RATE_WAIT: Duration = Duration::from_secs(60);

/// What is asked for with every post.
pub const FIELDS: &[(&str, &str)] = &[
    (
        "tweet.fields",
        "created_at,author_id,referenced_tweets,lang,conversation_id,in_reply_to_user_id,entities,\
         edit_history_tweet_ids,note_tweet",
    ),
    ("expansions", "author_id,referenced_tweets.id.author_id"),
    ("user.fields", "username"),
];

/// What X says about us.
#[derive(Clone, Debug)]
pub struct Me {
    /// Our account.
    pub us: Us,
    /// What our token may do: `read`, `read-write`, …
    pub access: Option<String>,
}

/// X's API, with our credentials.
#[derive(Debug)]
pub struct Api {
    web: Web,
    /// Where it is, without a slash at the end.
    pub base: String,
    /// The app's and our account's.
    pub keys: Keys,
    /// The app's bearer token.
    pub bearer: String,
    /// What may be spent.
    pub budget: Budget,
}

impl Api {
    /// X's API at `base`.
    pub fn new(base: &str, keys: Keys, bearer: &str, budget: Budget) -> Self {
        Self { web: Web::new(), base: base.to_owned(), keys, bearer: bearer.to_owned(), budget }
    }

    /// Gets something as our account; the bucket is what X counts together.
    pub fn get(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        bucket: &'static str,
    ) -> Result<Exchange, Trouble> {
        self.as_us("GET", path, parameters, None, bucket)
    }

    /// Posts something as our account.
    pub fn post(&self, path: &str, body: &Value, bucket: &'static str) -> Result<Exchange, Trouble> {
        self.as_us("POST", path, &[], Some(body), bucket)
    }

    fn as_us(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
        bucket: &'static str,
    ) -> Result<Exchange, Trouble> {
        let url = format!("{}{path}", self.base);
        let authorization = self.keys.authorization(method, &url, parameters).map_err(Trouble::protocol)?;
        self.ask(method, &url, parameters, body, authorization, bucket)
    }

    /// Asks for something as the app.
    pub fn as_app(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        bucket: &'static str,
    ) -> Result<Exchange, Trouble> {
        let url = format!("{}{path}", self.base);
        self.ask(method, &url, &[], body, format!("Bearer {}", self.bearer), bucket)
    }

    fn ask(
        &self,
        method: &str,
        url: &str,
        parameters: &[(&str, &str)],
        body: Option<&Value>,
        authorization: String,
        bucket: &'static str,
    ) -> Result<Exchange, Trouble> {
        let with_query = format!("{url}?{}", query(parameters));
        self.web.exchange(&Ask {
            method,
            url: if parameters.is_empty() { url } else { &with_query },
            headers: &[("Authorization", authorization)],
            payload: body.map_or(Payload::Empty, Payload::Json),
            bucket,
        })
    }

    /// Who we are, and whether our token may write.
    pub fn me(&self) -> Result<Me, Trouble> {
        let said = success(self.get("/2/users/me", &[("user.fields", "username")], "users/me")?)?;
        let text = |name: &str| said.body.get("data").and_then(|data| data.get(name)?.as_str());
        let (Some(id), Some(handle)) = (text("id"), text("username")) else {
            return Err(Trouble::protocol("X does not say who we are"));
        };
        self.budget.read([].into_iter(), [id].into_iter());
        let access = said.headers.get("x-access-level").and_then(|value| value.to_str().ok());
        let us = Us { id: id.to_owned(), handle: handle.to_owned() };
        Ok(Me { us, access: access.map(str::to_owned) })
    }

    /// Counts the posts and people that an answer holds; X bills each of them.
    pub fn count(&self, body: &Value) {
        let list = |path: &str| body.pointer(path).and_then(Value::as_array).into_iter().flatten();
        let posts = list("/includes/tweets").chain(match body.get("data") {
            Some(Value::Array(posts)) => posts.iter(),
            Some(post) => std::slice::from_ref(post).iter(),
            None => [].iter(),
        });
        self.budget.read(posts.filter_map(id), list("/includes/users").filter_map(id));
    }
}

fn id(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

/// The last part of a problem's type, which names it: `client-forbidden`, `usage-capped`, …
pub fn problem(body: &Value) -> &str {
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.rsplit('/').next().unwrap_or_default()
}

/// What an answer says that went wrong, in X's words.
pub fn detail(body: &Value) -> &str {
    let said = body.get("detail").or_else(|| body.pointer("/errors/0/message"));
    said.and_then(Value::as_str).unwrap_or_default()
}

/// Only an answer that is a success.
pub fn success(said: Exchange) -> Result<Exchange, Trouble> {
    match trouble(&said) {
        Some(trouble) => Err(trouble),
        None => Ok(said),
    }
}

/// What an answer means that is no success.
pub fn trouble(said: &Exchange) -> Option<Trouble> {
    let mut trouble = said.trouble()?;
    match (said.status, problem(&said.body)) {
        (402, _) | (_, "credits") => {
            trouble.kind = Kind::Budget;
            trouble.why.push_str(" (buy credits in X's developer console)");
            trouble.wait = Some(UNPAID_WAIT);
        }
        (_, "usage-capped") => {
            trouble.kind = Kind::Budget;
            trouble.wait = Some(UNPAID_WAIT);
        }
        (429, _) => {
            let day = day_limit(said);
            trouble.wait = trouble.wait.max(day).or(Some(RATE_WAIT));
        }
        (403, "client-forbidden" | "oauth1-permissions" | "unsupported-authentication") => {
            trouble.kind = Kind::Credentials;
            trouble.why.push_str(" (the app lacks this right: see its settings in X's developer console)");
        }
        (403, _) if ["suspended", "locked"].iter().any(|word| detail(&said.body).contains(word)) => {
            trouble.kind = Kind::Credentials;
        }
        _ => {}
    }
    Some(trouble)
}

/// How long a limit of 24 hours lasts that is used up, of the account's or the app's.
fn day_limit(said: &Exchange) -> Option<Duration> {
    let one = |scope: &str| {
        let name = |part: &str| format!("x-{scope}-limit-24hour-{part}");
        let used_up = said.number(&name("remaining"))? == 0;
        let reset = said.number(&name("reset")).filter(|_| used_up)?;
        let ms = reset.saturating_mul(1000).saturating_sub(now().ms());
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    };
    one("user").max(one("app"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use ureq::http::{HeaderMap, HeaderName, HeaderValue};

    fn said(status: u16, headers: &[(&'static str, String)], body: Value) -> Exchange {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        Exchange { status, headers, body }
    }

    #[test]
    fn refusals_say_whose_they_are() {
        let kind = |status, body| trouble(&said(status, &[], body)).unwrap().kind;
        let problem = |name: &str| json!({"type": format!("https://api.x.com/2/problems/{name}")});
        assert_eq!(kind(402, json!({"title": "CreditsDepleted"})), Kind::Budget);
        assert_eq!(kind(429, problem("usage-capped")), Kind::Budget);
        assert_eq!(kind(429, problem("rate-limit-exceeded")), Kind::RateLimited);
        assert_eq!(kind(403, problem("client-forbidden")), Kind::Credentials);
        assert_eq!(kind(403, problem("oauth1-permissions")), Kind::Credentials);
        assert_eq!(kind(403, json!({"detail": "Your account is suspended."})), Kind::Credentials);
        assert_eq!(kind(403, json!({"detail": "not visible to you"})), Kind::Refused);
        assert_eq!(kind(503, Value::Null), Kind::Server);
        assert!(trouble(&said(200, &[], Value::Null)).is_none());
    }

    #[test]
    fn the_longer_limit_is_waited_for() {
        let soon = (now().ms() / 1000 + 60).to_string();
        let late = (now().ms() / 1000 + 7200).to_string();
        let limited = said(
            429,
            &[
                ("x-rate-limit-reset", soon),
                ("x-user-limit-24hour-remaining", "0".to_owned()),
                ("x-user-limit-24hour-reset", late.clone()),
                ("x-app-limit-24hour-remaining", "5".to_owned()),
                ("x-app-limit-24hour-reset", late),
            ],
            Value::Null,
        );
        let wait = trouble(&limited).unwrap().wait.unwrap();
        assert!(wait > Duration::from_secs(7000), "{wait:?}");
        let silent = trouble(&said(429, &[], Value::Null)).unwrap();
        assert_eq!(silent.wait, Some(RATE_WAIT));
    }
}
