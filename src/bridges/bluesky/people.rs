//! Who is behind a DID: the handle now, and the PDS that has their records, from the PLC directory.

use crate::bridges::{Ask, Kind, Payload, Trouble, Web};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is good. The firehose says when it changes; where there is none, this bounds how late we notice.
const GOOD: Duration = Duration::from_secs(600);
/// The most people remembered.
const PEOPLE_MAX: usize = 10_000;
/// The handle of whoever has none that can be read, as the AT Protocol writes it.
const NO_HANDLE: &str = "handle.invalid";

/// What a DID document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Their handle.
    pub handle: String,
    /// Where their records are.
    pub pds: Option<String>,
}

/// The directory and what was asked of it lately.
#[derive(Debug)]
pub struct People {
    web: Web,
    plc: String,
    known: Mutex<HashMap<String, (Instant, Who)>>,
}

impl People {
    /// Asks the directory at `plc`; other people's servers are asked with `web`, which must be careful.
    pub fn new(plc: &str, web: Web) -> Self {
        Self { web, plc: plc.to_owned(), known: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Who)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something about a person has changed.
    pub fn forget(&self, did: &str) {
        self.lock().remove(did);
    }

    /// Who is behind a DID. Whoever the directory does not know has no handle; a directory that is away is trouble.
    pub fn who(&self, did: &str) -> Result<Who, Trouble> {
        if let Some((at, who)) = self.lock().get(did)
            && at.elapsed() < GOOD
        {
            return Ok(who.clone());
        }
        let who = match self.ask(did) {
            Ok(document) => read(&document),
            Err(trouble) if trouble.kind == Kind::Refused => Who { handle: NO_HANDLE.to_owned(), pds: None },
            Err(trouble) => return Err(trouble),
        };
        let mut known = self.lock();
        if known.len() >= PEOPLE_MAX {
            known.clear();
        }
        known.insert(did.to_owned(), (Instant::now(), who.clone()));
        Ok(who)
    }

    fn ask(&self, did: &str) -> Result<Value, Trouble> {
        let fine = did.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-_%".contains(&byte));
        let url = match did.strip_prefix("did:web:") {
            _ if !fine => return Err(Trouble::refused("a DID with odd characters")),
            Some(host) if !host.contains([':', '%']) => format!("https://{host}/.well-known/did.json"),
            Some(_) => return Err(Trouble::refused("a did:web with a path")),
            None => format!("{}/{did}", self.plc),
        };
        let ask = Ask { method: "GET", url: &url, headers: &[], payload: Payload::Empty, bucket: "people" };
        match self.web.ask(&ask) {
            Ok(said) => Ok(said.body),
            // A person's own server that is away must not stop everybody else's posts.
            Err(trouble) if did.starts_with("did:web:") => Err(Trouble::refused(trouble.why)),
            Err(trouble) => Err(trouble),
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
        let ask = Ask { method: "GET", url: &url, headers: &[], payload: Payload::Empty, bucket: "records" };
        Ok(self.web.ask(&ask)?.body)
    }
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
        handle: handle.filter(fine).unwrap_or(NO_HANDLE).to_owned(),
        pds: pds.map(|pds| pds.trim_end_matches('/').to_owned()).filter(|pds| pds.starts_with("http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_says_handle_and_pds() {
        let document = json!({
            "id": "did:plc:a",
            "alsoKnownAs": ["https://a.example", "at://ada.test"],
            "service": [{"id": "#other", "serviceEndpoint": "https://no.example"},
                        {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "https://pds.example/"}],
        });
        let who = Who { handle: "ada.test".to_owned(), pds: Some("https://pds.example".to_owned()) };
        assert_eq!(read(&document), who);
        assert_eq!(read(&json!({"alsoKnownAs": ["at://"]})), Who { handle: NO_HANDLE.to_owned(), pds: None });
    }

    #[test]
    fn odd_names_are_not_asked_for() {
        let people = People::new("http://127.0.0.1:1", Web::careful(true));
        for did in ["did:web:a.example:8080", "did:web:a%3A1", "did:plc:a/../b", "did:plc:a?b"] {
            assert_eq!(people.ask(did).unwrap_err().kind, Kind::Refused, "{did}");
        }
        assert_eq!(people.who("did:plc:abc").unwrap_err().kind, Kind::Unreachable);
    }
}
