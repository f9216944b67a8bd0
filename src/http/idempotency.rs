//! Idempotency keys: a request that carries one may be sent again and is carried out once.
//!
//! The answer is kept by the engine, in the transaction of its effect. Here is the rest: what a key is scoped by,
//! and who is under way with one at this moment.

use super::answer::json_bytes;
use super::message::{Request, Response};
use super::problem::{self, Code, Problem};
use crate::engine::{Keyed, Rendered, Reply, TokenEntry};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The header of a key.
pub const HEADER: &str = "idempotency-key";

/// Scopes of keys whose requests are under way.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<[u8; 32]>>>);

/// The place of one request among those under way; dropped once it is answered.
#[derive(Debug)]
pub struct Place {
    set: InFlight,
    scope: [u8; 32],
}

impl InFlight {
    /// Takes the place of `scope`; an error while another request has it.
    pub fn enter(&self, scope: [u8; 32]) -> Result<Place, Problem> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(scope) {
            return Ok(Place { set: self.clone(), scope });
        }
        let detail = "A request with this Idempotency-Key is under way; its answer is not known yet.";
        Err(Problem::new(Code::KeyInFlight, detail).with_header("Retry-After", "1"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.set.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.scope);
    }
}

/// The key of a request, if it has one: scoped by token, method and path.
pub fn keyed(request: &Request, caller: Option<&TokenEntry>, secret: bool) -> Result<Option<Keyed>, Problem> {
    let mut values = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    let Some((_, key)) = values.next() else { return Ok(None) };
    let fine = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !fine || values.next().is_some() {
        let detail = "must be given once, with 1 to 255 visible ASCII characters";
        return Err(Problem::unreadable("Idempotency-Key", detail));
    }
    let token = caller.and_then(|caller| caller.id).map_or_else(|| "given".to_owned(), |id| id.to_string());
    let mut hash = Sha256::new();
    // The key comes last, and nothing before it can hold a zero byte: no two requests read the same.
    for part in [token.as_str(), request.method.as_str(), request.path.as_str()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(key);
    Ok(Some(Keyed { scope: hash.finalize().into(), body_hash: Sha256::digest(&request.body).into(), secret }))
}

/// The answer that a call came to. `fresh` says whether it was made just now.
pub fn response(reply: Reply, path: &str, fresh: bool) -> Result<Response, Problem> {
    let Rendered { status, body } = match reply {
        Reply::Rendered(rendered) => rendered,
        Reply::KeyReused => {
            let detail = "This Idempotency-Key was used with another body; use a new key for a new request.";
            return Err(Problem::new(Code::KeyReused, detail));
        }
        Reply::NotReplayable => {
            let detail = "This request was carried out before, but its answer held a secret or personal data that \
                          is gone, or was too large to keep. Look up what it made.";
            return Err(Problem::new(Code::KeyNotReplayable, detail));
        }
    };
    let body = body.unwrap_or_default();
    let made = if status == 201 { made_id(&body) } else { None };
    let mut response = json_bytes(status, body);
    if status >= 400 {
        response.headers.retain(|(name, _)| name != "Content-Type");
        response.headers.push(("Content-Type".to_owned(), problem::CONTENT_TYPE.to_owned()));
    }
    if let Some(id) = made {
        response = response.with_header("Location", &format!("{path}/{id}"));
    }
    Ok(if fresh { response } else { response.with_header("Idempotent-Replayed", "true") })
}

/// The id of what was made.
fn made_id(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Made {
        id: String,
    }
    serde_json::from_slice(body).ok().map(|Made { id }| id)
}
