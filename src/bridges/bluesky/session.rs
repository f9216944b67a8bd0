//! Our session with our own PDS: signing in with an app password, renewing it, and XRPC calls under it.

use super::pace::Pace;
use crate::bridges::{Answered, Ask, Kind, Payload, Person, Trouble, Web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What reads count against.
const READS: &str = "reads";
/// What writes count against: the PDS gives points for them (create 3, update 2, of 5,000 an hour).
const WRITES: &str = "writes";
/// What sessions count against: 30 in five minutes.
const SESSIONS: &str = "sessions";

/// The tokens of a session.
#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

/// A session with a PDS.
pub struct Session {
    web: Web,
    service: String,
    identifier: String,
    password: String,
    tokens: Mutex<Option<Tokens>>,
    /// Who renews it; the others wait.
    renewing: Mutex<()>,
    /// What was asked lately.
    pub pace: Pace,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Session {
    /// With the PDS at `service`, as `identifier` (a handle or a DID). Nothing is asked yet.
    pub fn new(service: &str, identifier: &str, password: &str) -> Self {
        Self {
            web: Web::new(),
            service: service.to_owned(),
            identifier: identifier.trim_start_matches('@').to_owned(),
            password: password.to_owned(),
            tokens: Mutex::default(),
            renewing: Mutex::default(),
            pace: Pace::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tokens>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, ask: &Ask<'_>) -> Result<Answered, Trouble> {
        self.pace.asks(Instant::now());
        self.web.ask(ask)
    }

    /// Signs in (`com.atproto.server.createSession`) and says who we are.
    pub fn sign_in(&self) -> Result<Person, Trouble> {
        let body = json!({"identifier": self.identifier, "password": self.password});
        let url = format!("{}/xrpc/com.atproto.server.createSession", self.service);
        let ask =
            Ask { method: "POST", url: &url, headers: &[], payload: Payload::Json(&body), bucket: SESSIONS };
        let said = self.ask(&ask).map_err(|trouble| match trouble.kind {
            Kind::Credentials => {
                Trouble { why: "the handle or the app password is wrong".to_owned(), ..trouble }
            }
            _ => trouble,
        })?;
        self.keep(&said.body)?;
        let text = |name| said.body.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("did"), text("handle")) {
            (Some(user_id), Some(handle)) => Ok(Person { user_id, handle }),
            _ => Err(Trouble::protocol("the PDS does not say who we are")),
        }
    }

    fn keep(&self, said: &Value) -> Result<(), Trouble> {
        let text = |name| said.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(access), Some(refresh)) = (text("accessJwt"), text("refreshJwt")) else {
            return Err(Trouble::protocol("the PDS gave no session"));
        };
        *self.lock() = Some(Tokens { access, refresh });
        Ok(())
    }

    /// Renews the session whose access token has expired; signs in anew where that fails, too.
    fn renew(&self, expired: &str) -> Result<(), Trouble> {
        let _only_we = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tokens) = self.lock().clone() else { return self.sign_in().map(|_| ()) };
        if tokens.access != expired {
            // Another thread was faster.
            return Ok(());
        }
        let url = format!("{}/xrpc/com.atproto.server.refreshSession", self.service);
        let headers = [("Authorization", format!("Bearer {}", tokens.refresh))];
        let ask =
            Ask { method: "POST", url: &url, headers: &headers, payload: Payload::Empty, bucket: SESSIONS };
        match self.ask(&ask) {
            Ok(said) => self.keep(&said.body),
            Err(trouble) if matches!(trouble.kind, Kind::Credentials | Kind::Refused) => {
                self.sign_in().map(|_| ())
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// A query (`GET`).
    pub fn query(&self, nsid: &str, params: &[(&str, &str)]) -> Result<Value, Trouble> {
        let mut url = format!("{}/xrpc/{nsid}", self.service);
        for (i, (name, value)) in params.iter().enumerate() {
            url.push(if i == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let ask = |headers: &[(&str, String)]| {
            self.ask(&Ask { method: "GET", url: &url, headers, payload: Payload::Empty, bucket: READS })
        };
        self.with_session(ask)
    }

    /// A procedure (`POST`).
    pub fn procedure(&self, nsid: &str, body: &Value) -> Result<Value, Trouble> {
        let url = format!("{}/xrpc/{nsid}", self.service);
        let ask = |headers: &[(&str, String)]| {
            self.ask(&Ask {
                method: "POST",
                url: &url,
                headers,
                payload: Payload::Json(body),
                bucket: WRITES,
            })
        };
        self.with_session(ask)
    }

    fn with_session(
        &self,
        ask: impl Fn(&[(&str, String)]) -> Result<Answered, Trouble>,
    ) -> Result<Value, Trouble> {
        let mut renewed = false;
        loop {
            let Some(Tokens { access, .. }) = self.lock().clone() else {
                self.sign_in()?;
                continue;
            };
            match ask(&[("Authorization", format!("Bearer {access}"))]) {
                Ok(said) => return Ok(said.body),
                Err(trouble) if !renewed && is_expired(&trouble) => {
                    self.renew(&access)?;
                    renewed = true;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }
}

/// Whether an access token is no longer good: a PDS says so with 400.
fn is_expired(trouble: &Trouble) -> bool {
    trouble.kind == Kind::Credentials
        || trouble.is_called("ExpiredToken")
        || trouble.is_called("InvalidToken")
}
