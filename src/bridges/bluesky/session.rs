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
            Kind::Credentials | Kind::Refused if is_closed(&trouble) => closed(trouble),
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
        self.with_session(ask).map_err(|trouble| if is_closed(&trouble) { closed(trouble) } else { trouble })
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

/// Whether a PDS says that our own account is closed: what is to be done with it waits until it is open again. (Queries
/// about others are answered in the same words.)
fn is_closed(trouble: &Trouble) -> bool {
    ["AccountDeactivated", "AccountTakedown", "AccountSuspended"].iter().any(|code| trouble.is_called(code))
}

fn closed(trouble: Trouble) -> Trouble {
    let why = format!("our account is closed: {}", trouble.why);
    Trouble { kind: Kind::Credentials, why, ..trouble }
}

/// Whether an access token is no longer good: a PDS says so with 400.
fn is_expired(trouble: &Trouble) -> bool {
    trouble.kind == Kind::Credentials
        || trouble.is_called("ExpiredToken")
        || trouble.is_called("InvalidToken")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Duration;

    /// What a stand-in for a PDS answers to a path under a token: status, further headers, body.
    pub type Says = fn(&str, &str, usize) -> (u16, &'static str, Value);

    /// A stand-in, and what it was asked: the path's end and the token, of each request.
    pub struct Pds {
        /// Where it is.
        pub url: String,
        asked: Arc<Mutex<Vec<String>>>,
    }

    impl Pds {
        /// Starts it.
        pub fn new(says: Says) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let asked = Arc::<Mutex<Vec<String>>>::default();
            let notes = Arc::clone(&asked);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let mut lines = BufReader::new(stream.try_clone().unwrap());
                    let (mut head, mut length, mut token) = (String::new(), 0, "-".to_owned());
                    lines.read_line(&mut head).unwrap();
                    loop {
                        let mut line = String::new();
                        lines.read_line(&mut line).unwrap();
                        let (name, value) = line.split_once(": ").unwrap_or_default();
                        match name.to_ascii_lowercase().as_str() {
                            "content-length" => length = value.trim().parse().unwrap(),
                            "authorization" => {
                                value.trim().trim_start_matches("Bearer ").clone_into(&mut token);
                            }
                            _ if line.trim().is_empty() => break,
                            _ => {}
                        }
                    }
                    lines.read_exact(&mut vec![0; length]).unwrap();
                    let what = head.split(' ').nth(1).unwrap().rsplit('.').next().unwrap().to_owned();
                    let mut notes = notes.lock().unwrap();
                    let before = notes.len();
                    let (status, headers, body) = says(&what, &token, before);
                    notes.push(format!("{what} {token}"));
                    let body = body.to_string();
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
                    );
                    stream.write_all((head + &body).as_bytes()).unwrap();
                }
            });
            Self { url, asked }
        }

        fn session(&self) -> Session {
            Session::new(&self.url, "@teashop.test", "a password")
        }

        /// What it was asked.
        pub fn asked(&self) -> Vec<String> {
            self.asked.lock().unwrap().clone()
        }
    }

    /// The answer to who signs in.
    pub fn tokens(number: usize) -> Value {
        json!({
            "did": "did:plc:bot", "handle": "teashop.test",
            "accessJwt": format!("access{number}"), "refreshJwt": format!("refresh{number}"),
        })
    }

    fn expired() -> (u16, &'static str, Value) {
        (400, "", json!({"error": "ExpiredToken", "message": "Token has expired"}))
    }

    #[test]
    fn an_expired_session_is_renewed_and_the_request_made_again() {
        let pds = Pds::new(|what, token, _| match (what, token) {
            ("createSession", "-") => (200, "", tokens(1)),
            ("refreshSession", "refresh1") => (200, "", tokens(2)),
            ("putRecord" | "getPosts", "access2") => (200, "", json!({"fine": true})),
            _ => expired(),
        });
        let session = pds.session();
        session.sign_in().unwrap();
        let threads: Vec<_> = std::thread::scope(|scope| {
            let ask = || session.procedure("com.atproto.repo.putRecord", &json!({})).unwrap();
            let both = [scope.spawn(ask), scope.spawn(ask)];
            both.map(|thread| thread.join().unwrap()).into()
        });
        assert_eq!(threads, [json!({"fine": true}), json!({"fine": true})]);
        assert_eq!(session.query("app.bsky.feed.getPosts", &[]).unwrap(), json!({"fine": true}));
        let renewed = pds.asked().iter().filter(|line| line.starts_with("refreshSession")).count();
        assert_eq!(renewed, 1, "one renews, the other waits: {:?}", pds.asked());
        assert_eq!(session.pace.lately(), pds.asked().len(), "every request is counted");
    }

    #[test]
    fn a_session_that_cannot_be_renewed_is_begun_anew() {
        let pds = Pds::new(|what, token, before| match (what, token) {
            ("createSession", "-") => (200, "", tokens(before)),
            ("getPosts", "access3") => (200, "", json!({})),
            _ => expired(),
        });
        let session = pds.session();
        assert!(session.query("app.bsky.feed.getPosts", &[]).is_ok());
        let asked = ["createSession -", "getPosts access0", "refreshSession refresh0"];
        assert_eq!(pds.asked(), [&asked[..], &["createSession -", "getPosts access3"]].concat());
        // Where even a new session is not taken, that is said.
        let pds =
            Pds::new(|what, _, _| if what == "createSession" { (200, "", tokens(0)) } else { expired() });
        let trouble = pds.session().query("app.bsky.feed.getPosts", &[]).unwrap_err();
        assert!(trouble.is_called("ExpiredToken"), "{trouble}");
        assert_eq!(pds.asked().len(), 5, "{:?}", pds.asked());
    }

    #[test]
    fn who_is_told_to_wait_does_not_ask() {
        let pds = Pds::new(|what, _, _| match what {
            "createSession" => (200, "", tokens(0)),
            _ => (429, "Retry-After: 120\r\n", json!({"error": "RateLimitExceeded"})),
        });
        let session = pds.session();
        for _ in 0..3 {
            let trouble = session.query("app.bsky.feed.getPosts", &[]).unwrap_err();
            assert_eq!(trouble.kind, Kind::RateLimited);
            assert!(trouble.wait > Some(Duration::from_secs(110)), "{trouble:?}");
        }
        assert_eq!(pds.asked().len(), 2, "{:?}", pds.asked());
    }

    #[test]
    fn a_wrong_password_is_said_and_not_tried_again() {
        let pds = Pds::new(|_, _, _| (401, "", json!({"error": "AuthenticationRequired"})));
        let trouble = pds.session().query("app.bsky.feed.getPosts", &[]).unwrap_err();
        assert_eq!(trouble.kind, Kind::Credentials);
        assert_eq!(pds.asked(), ["createSession -"]);
    }

    #[test]
    fn while_our_account_is_closed_replies_wait() {
        for code in ["AccountDeactivated", "AccountTakedown"] {
            let pds = Pds::new(if code == "AccountDeactivated" {
                |what, _, _| match what {
                    "createSession" => (200, "", tokens(0)),
                    _ => (400, "", json!({"error": "AccountDeactivated", "message": "x"})),
                }
            } else {
                |_, _, _| (401, "", json!({"error": "AccountTakedown", "message": "x"}))
            });
            let trouble = pds.session().procedure("com.atproto.repo.putRecord", &json!({})).unwrap_err();
            assert_eq!(trouble.kind, Kind::Credentials, "{trouble}");
            assert!(trouble.why.contains(code), "{trouble}");
        }
        // Of somebody else's account it is an answer.
        let pds = Pds::new(|what, _, _| match what {
            "createSession" => (200, "", tokens(0)),
            _ => (400, "", json!({"error": "AccountDeactivated", "message": "x"})),
        });
        let trouble = pds.session().query("app.bsky.actor.getProfile", &[]).unwrap_err();
        assert_eq!(trouble.kind, Kind::Refused);
    }

    #[test]
    fn a_handle_is_theirs_if_it_leads_back() {
        use crate::bridges::bluesky::naming::{Claim, look_at_claims};
        let pds = Pds::new(|what, _, before| match what {
            "createSession" => (200, "", tokens(0)),
            // After signing in: fine, somebody else's, nobody's, and trouble that passes.
            _ if before == 1 => (200, "", json!({"did": "did:plc:ada"})),
            _ if before == 2 => (200, "", json!({"did": "did:plc:ben"})),
            _ if before == 3 => (400, "", json!({"error": "InvalidRequest"})),
            _ if before == 4 => (502, "", json!({})),
            _ => (200, "", json!({"did": "did:plc:ada"})),
        });
        let (claims, to_look_at) = std::sync::mpsc::channel();
        let (tell, words) = std::sync::mpsc::channel();
        for name in ["a", "b", "c", "d"] {
            let (post, handle, did) = (name.to_owned(), "ada.test".to_owned(), "did:plc:ada".to_owned());
            claims
                .send(Claim { post, handle, did, until: Instant::now() + Duration::from_secs(20) })
                .unwrap();
        }
        let late = Claim {
            post: "e".to_owned(),
            handle: "x.test".to_owned(),
            did: String::new(),
            until: Instant::now(),
        };
        claims.send(late).unwrap();
        drop(claims);
        look_at_claims(&pds.session(), &to_look_at, &tell);
        drop(tell);
        let words: Vec<bool> = words.iter().map(|(_, fine)| fine).collect();
        assert_eq!(words, [true, false, false, true, false]);
        assert_eq!(pds.asked().len(), 6, "what nobody waits for is not asked: {:?}", pds.asked());
    }
}
