//! Whose session a browser has: a cookie holds its id and a secret, the till a hash of that. The codes to be posted are
//! made of the secret, so that the till need not keep them.

use super::call::PageCall;
use crate::http::api::Shared;
use crate::http::auth::hash_token;
use crate::http::message::Response;
use crate::http::problem::{Code, Problem};
use crate::http::routes::tokens::new_secret;
use crate::till::command::{Command, LinkStep};
use crate::till::id::LinkId;
use crate::till::link::{self, CODE_LETTERS, SESSION_SECONDS};
use crate::till::record::{LinkPurpose, LinkRecord};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::Arc;

/// A session, and the browser that has it.
pub struct Session {
    /// Which.
    pub id: LinkId,
    /// How it stands.
    pub record: LinkRecord,
    secret: String,
}

impl Session {
    /// The session of this browser.
    pub fn of(shared: &Arc<Shared>, call: &PageCall) -> Result<Self, Problem> {
        let lost = || Problem::new(Code::NotFound, "This took too long, or was begun in another browser.");
        let cookie = call.cookie(cookie_name(shared)).and_then(|value| value.split_once('.'));
        let (id, secret) = cookie.ok_or_else(lost)?;
        let id = LinkId::parse(id).ok_or_else(lost)?;
        let record =
            link::of_browser(&shared.handle.snapshot()?, id, &hash_token(secret)).map_err(|_| lost())?;
        Ok(Self { id, record, secret: secret.to_owned() })
    }

    /// A step of this session.
    pub fn step(&self, step: LinkStep) -> Command {
        Command::StepLink { id: self.id, browser: hash_token(&self.secret), step: Box::new(step) }
    }

    /// The hashtag to be posted, without its `#`, for the code of this number.
    pub fn code(&self, number: u32) -> Result<String, Problem> {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        let mut mac = mac.map_err(|error| Problem::internal(error.to_string()))?;
        mac.update(format!("{} {number}", self.id).as_bytes());
        let bits = mac
            .finalize()
            .into_bytes()
            .iter()
            .take(16)
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let letters = crate::till::id::encode_base32(bits);
        let word = if self.record.purpose == LinkPurpose::Link { "Link" } else { "Unlink" };
        // The last letters: the first of 26 says less than the others.
        let tail = letters.get(letters.len().saturating_sub(CODE_LETTERS)..).unwrap_or_default();
        Ok(format!("{word}{tail}"))
    }
}

/// A new secret and its hash.
pub fn secret() -> Result<(String, [u8; 32]), Problem> {
    let secret = new_secret().map_err(|error| Problem::internal(error.to_string()))?;
    let hash = hash_token(&secret);
    Ok((secret, hash))
}

fn cookie_name(shared: &Shared) -> &'static str {
    if shared.is_secure() { "__Host-tagtill_link" } else { "tagtill_link" }
}

/// Gives the browser its session.
pub fn remember(shared: &Shared, response: Response, id: LinkId, secret: &str) -> Response {
    with_cookie(shared, response, cookie_name(shared), &format!("{id}.{secret}"), SESSION_SECONDS)
}

/// Sets a cookie that no script reads and that other sites' forms do not send.
pub fn with_cookie(shared: &Shared, response: Response, name: &str, value: &str, seconds: i64) -> Response {
    let secure = if shared.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    response.with_header("Set-Cookie", &cookie)
}
