//! Who is behind a DID: the handle now, and the PDS that has their records, from the PLC directory or, for a few, from
//! a host of their own. Such hosts are strangers: what they do wrong is trouble of theirs alone.

use crate::bridges::{Ask, Kind, Payload, Trouble, Web};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good. The firehose says when it changes; where there is none, this bounds how late we notice.
const GOOD: Duration = Duration::from_secs(600);
/// After a host of somebody's own did not answer, it is left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(2);
/// Who is known is not asked for again so soon after the directory did not answer.
const DIRECTORY_LEFT_ALONE: Duration = Duration::from_secs(30);
/// The most people remembered.
const PEOPLE_MAX: usize = 10_000;
/// So many hosts are asked at once.
const ASKED_AT_ONCE: usize = 16;
/// The handle of whoever has none that can be read, as the AT Protocol writes it.
pub const NO_HANDLE: &str = "handle.invalid";

/// What a DID document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The handle that it claims, or the last that it did.
    pub handle: Option<String>,
    /// Where their records are.
    pub pds: Option<String>,
}

/// What is known of a person.
#[derive(Clone, Debug, Default)]
struct Known {
    who: Who,
    /// Until when that is believed without asking.
    until: Option<Instant>,
}

/// The directory and what was asked of it lately.
#[derive(Clone, Debug)]
pub struct People {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// To the directory.
    web: Web,
    /// To strangers.
    careful: Web,
    plc: String,
    known: Mutex<HashMap<String, Known>>,
    /// Whose own hosts are being asked.
    asked: Mutex<HashSet<String>>,
}

impl People {
    /// Asks the directory at `plc`; other people's servers are asked with `careful`.
    pub fn new(plc: &str, careful: Web) -> Self {
        let plc = plc.to_owned();
        let inner = Inner { web: Web::new(), careful, plc, known: Mutex::default(), asked: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Something about a person has changed.
    pub fn forget(&self, did: &str) {
        if let Some(known) = self.inner.lock().get_mut(did) {
            known.until = None;
        }
    }

    /// Somebody who can know says that this is their handle.
    pub fn learn(&self, did: &str, handle: &str) {
        let known = self.inner.lock().get(did).cloned().unwrap_or_default();
        if handle != NO_HANDLE && known.who.handle.as_deref() != Some(handle) {
            let who = Who { handle: Some(handle.to_owned()), ..known.who };
            self.inner.keep(did, who, known.until);
        }
    }

    /// The handle behind a DID, or the last that was known; `None` where there is none, as far as we know by now. Never
    /// waits for a stranger's host. A directory that is away is trouble.
    pub fn handle(&self, did: &str) -> Result<Option<String>, Trouble> {
        if let Some(who) = self.inner.fresh(did) {
            return Ok(who.handle);
        }
        if !did.starts_with("did:web:") {
            let last = self.inner.last(did);
            return match self.inner.ask(did) {
                Ok(who) => Ok(who.handle),
                Err(trouble) if trouble.kind == Kind::Refused => Ok(last.handle),
                Err(_) if last.handle.is_some() => {
                    self.inner.keep(did, last.clone(), Some(Instant::now() + DIRECTORY_LEFT_ALONE));
                    Ok(last.handle)
                }
                Err(trouble) => Err(trouble),
            };
        }
        let mut asked = self.inner.asked();
        if asked.len() < ASKED_AT_ONCE && asked.insert(did.to_owned()) {
            let (inner, did) = (Arc::clone(&self.inner), did.to_owned());
            std::thread::spawn(move || {
                if inner.ask(&did).is_err() {
                    inner.keep(&did, inner.last(&did), Some(Instant::now() + LEFT_ALONE));
                }
                inner.asked().remove(&did);
            });
        }
        Ok(self.inner.last(did).handle)
    }

    /// Who is behind a DID; waits for the answer.
    pub fn who(&self, did: &str) -> Result<Who, Trouble> {
        match self.inner.fresh(did).filter(|who| who.pds.is_some()) {
            Some(who) => Ok(who),
            None => self.inner.ask(did),
        }
    }

    /// A record from its owner's PDS (`com.atproto.repo.getRecord`).
    pub fn record(&self, (did, collection, key): (&str, &str, &str)) -> Result<Value, Trouble> {
        let Some(pds) = self.who(did)?.pds else {
            return Err(Trouble::refused("its author has no PDS any more"));
        };
        let encoded = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let url = format!(
            "{pds}/xrpc/com.atproto.repo.getRecord?repo={}&collection={}&rkey={}",
            encoded(did),
            encoded(collection),
            encoded(key)
        );
        get(&self.inner.careful, &url, "records").map_err(strangers)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, HashSet<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, did: &str) -> Option<Who> {
        let known = self.lock().get(did).cloned()?;
        known.until.is_some_and(|until| Instant::now() < until).then_some(known.who)
    }

    fn last(&self, did: &str) -> Who {
        self.lock().get(did).map(|known| known.who.clone()).unwrap_or_default()
    }

    fn keep(&self, did: &str, who: Who, until: Option<Instant>) {
        let mut known = self.lock();
        if known.len() >= PEOPLE_MAX && !known.contains_key(did) {
            // Half of them, whoever that is: the others' last handles are still known.
            let mut even = false;
            known.retain(|_, _| {
                even = !even;
                even
            });
        }
        known.insert(did.to_owned(), Known { who, until });
    }

    /// Asks for a DID's document and keeps what it says. A document without a handle leaves the last that was known.
    fn ask(&self, did: &str) -> Result<Who, Trouble> {
        let read = read(&self.document(did)?);
        let who = Who { handle: read.handle.or_else(|| self.last(did).handle), pds: read.pds };
        // Whoever has no handle yet may have one soon.
        let good = if who.handle.is_some() { GOOD } else { LEFT_ALONE };
        self.keep(did, who.clone(), Some(Instant::now() + good));
        Ok(who)
    }

    fn document(&self, did: &str) -> Result<Value, Trouble> {
        let fine = did.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-_%".contains(&byte));
        match (did.strip_prefix("did:web:"), did.strip_prefix("did:plc:")) {
            _ if !fine => Err(Trouble::refused("a DID with odd characters")),
            (Some(host), _) if !host.contains([':', '%']) => {
                let url = format!("https://{host}/.well-known/did.json");
                get(&self.careful, &url, "people").map_err(strangers)
            }
            (Some(_), _) => Err(Trouble::refused("a did:web with a path")),
            (_, Some(rest))
                if rest.len() == PLC_LETTERS && rest.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                get(&self.web, &format!("{}/{did}", self.plc), "plc")
            }
            _ => Err(Trouble::refused("a DID of no kind that we know")),
        }
    }
}

/// What follows `did:plc:`.
const PLC_LETTERS: usize = 24;

fn get(web: &Web, url: &str, bucket: &'static str) -> Result<Value, Trouble> {
    web.ask(&Ask { method: "GET", url, headers: &[], payload: Payload::Empty, bucket }).map(|said| said.body)
}

/// A stranger's trouble: it stops nothing but what is about them, and nobody waits as long as they ask for.
fn strangers(trouble: Trouble) -> Trouble {
    let kind = match trouble.kind {
        Kind::Refused | Kind::Credentials => Kind::Refused,
        _ => Kind::Server,
    };
    Trouble { kind, wait: None, ..trouble }
}

/// Reads a DID document: the first handle that it claims, and its PDS.
fn read(document: &Value) -> Who {
    let list = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
    let handle = list("alsoKnownAs").find_map(|name| name.as_str()?.strip_prefix("at://"));
    let is_pds = |service: &&Value| {
        service.get("id").and_then(Value::as_str).is_some_and(|id| id.ends_with("#atproto_pds"))
    };
    let pds = list("service").find(is_pds).and_then(|service| service.get("serviceEndpoint")?.as_str());
    let fine =
        |handle: &&str| !handle.is_empty() && handle.len() <= 253 && !handle.contains(char::is_whitespace);
    Who {
        handle: handle.filter(fine).filter(|handle| *handle != NO_HANDLE).map(str::to_owned),
        pds: pds.map(|pds| pds.trim_end_matches('/').to_owned()).filter(|pds| pds.starts_with("http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    const ADA: &str = "did:plc:zggojzdzpham6f6ytyrljhgt";

    /// A server that gives these answers, one after the other, and the last for ever.
    fn server(answers: Vec<(u16, &'static str, String)>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (i, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                lines.map_while(Result::ok).find(String::is_empty);
                let (status, headers, body) = &answers[i.min(answers.len() - 1)];
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
                );
                let _ = stream.write_all((head + body).as_bytes());
            }
        });
        url
    }

    fn document(handle: &str, pds: &str) -> String {
        json!({
            "alsoKnownAs": [handle],
            "service": [{"id": "#atproto_pds", "serviceEndpoint": pds}],
        })
        .to_string()
    }

    #[test]
    fn a_document_says_handle_and_pds() {
        let document = json!({
            "id": "did:plc:a",
            "alsoKnownAs": ["https://a.example", "at://ada.test"],
            "service": [{"id": "#other", "serviceEndpoint": "https://no.example"},
                        {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://pds.example/"}],
        });
        let who = Who { handle: Some("ada.test".to_owned()), pds: Some("https://pds.example".to_owned()) };
        assert_eq!(read(&document), who);
        assert_eq!(read(&json!({"alsoKnownAs": ["at://"]})), Who::default());
    }

    #[test]
    fn odd_names_are_not_asked_for() {
        let people = People::new("http://127.0.0.1:1", Web::careful(true));
        for did in [
            "did:web:a.example:8080",
            "did:web:a%3A1",
            "did:plc:a/../b",
            "did:plc:a?b",
            "did:plc:a",
            "did:key:z",
        ] {
            assert_eq!(people.who(did).unwrap_err().kind, Kind::Refused, "{did}");
        }
        assert_eq!(people.handle(ADA).unwrap_err().kind, Kind::Unreachable);
    }

    #[test]
    fn a_strangers_server_troubles_nobody_else() {
        for (status, headers, kind) in [
            (401, "", Kind::Refused),
            (400, "", Kind::Refused),
            (429, "Retry-After: 86400\r\n", Kind::Server),
            (503, "Retry-After: 86400\r\n", Kind::Server),
        ] {
            let pds = server(vec![(status, headers, "{\"error\": \"Nope\"}".to_owned())]);
            let plc = server(vec![(200, "", document("at://ada.test", &pds))]);
            let people = People::new(&plc, Web::careful(true));
            for _ in 0..2 {
                let trouble = people.record((ADA, "app.bsky.feed.post", "3k")).unwrap_err();
                assert_eq!((trouble.kind, trouble.wait), (kind, None), "{status}: {trouble}");
            }
            assert_eq!(people.handle(ADA), Ok(Some("ada.test".to_owned())));
        }
        let plc = server(vec![(200, "", document("at://ada.test", "http://127.0.0.1:1"))]);
        let people = People::new(&plc, Web::careful(true));
        assert_eq!(people.record((ADA, "app.bsky.feed.post", "3k")).unwrap_err().kind, Kind::Server);
    }

    #[test]
    fn the_last_handle_is_used_while_none_can_be_read() {
        let plc = server(vec![
            (200, "", document("at://ada.test", "https://pds.example")),
            (200, "", document("https://ada.example", "https://pds.example")),
            (404, "", "{\"message\": \"DID not registered\"}".to_owned()),
            (500, "", String::new()),
            (200, "", document("at://lovelace.test", "https://pds.example")),
        ]);
        let people = People::new(&plc, Web::careful(true));
        for handle in ["ada.test", "ada.test", "ada.test", "ada.test", "lovelace.test"] {
            assert_eq!(people.handle(ADA), Ok(Some(handle.to_owned())));
            people.forget(ADA);
        }
        people.learn(ADA, NO_HANDLE);
        people.learn("did:web:none.invalid", "ben.test");
        assert_eq!(people.handle("did:web:none.invalid"), Ok(Some("ben.test".to_owned())));
    }

    #[test]
    fn nobody_waits_for_a_host_of_somebodys_own() {
        let people = People::new("http://127.0.0.1:1", Web::careful(true));
        let begun = Instant::now();
        for number in 0..100 {
            assert_eq!(people.handle(&format!("did:web:h{number}.invalid")), Ok(None));
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(people.inner.asked().len() <= ASKED_AT_ONCE);
    }
}
