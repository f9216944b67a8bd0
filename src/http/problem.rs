//! What a client is told when a request does not succeed: RFC 9457 problem documents, all made here.
//!
//! A problem has two sides. `code`, `detail` and `errors` are for the client and say nothing internal. `inner`
//! is for the log, where it stands under the request's id.
//!
//! [`Code`] is the one table from error code to status, for the gate's own answers too.

use super::message::Response;
use crate::engine::{Overloaded, Unavailable};
use crate::till::refusal::{Fault, FieldError, Refusal, RefusalCode};
use crate::till::state::StateError;
use schemars::JsonSchema;
use serde::Serialize;

/// The content type of every problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $status:literal $code:literal),* $(,)?) => {
        /// What went wrong, as programs read it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// The code as it is sent.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

codes! {
    /// No well-formed HTTP.
    MalformedRequest 400 "malformed_request",
    /// Not JSON, a wrong type, an unknown field or parameter.
    InvalidRequest 400 "invalid_request",
    /// No token, or none that is known.
    Unauthorized 401 "unauthorized",
    /// The token's role may not.
    Forbidden 403 "forbidden",
    /// No such thing, or none that the caller may see.
    NotFound 404 "not_found",
    /// The path takes other methods.
    MethodNotAllowed 405 "method_not_allowed",
    /// The client was too slow.
    RequestTimeout 408 "request_timeout",
    /// It would collide with what is there.
    Conflict 409 "conflict",
    /// A request with this key is under way.
    KeyInFlight 409 "idempotency_in_flight",
    /// The first answer to this key cannot be given again.
    KeyNotReplayable 409 "idempotency_not_replayable",
    /// Too large a body.
    BodyTooLarge 413 "body_too_large",
    /// Too long a path and query.
    TargetTooLong 414 "target_too_long",
    /// A body of another type.
    UnsupportedMediaType 415 "unsupported_media_type",
    /// An `Expect` that cannot be met.
    ExpectationFailed 417 "expectation_failed",
    /// A field's value cannot be.
    Invalid 422 "invalid",
    /// The key was used with another body.
    KeyReused 422 "idempotency_key_reused",
    /// Tried too often.
    TooManyRequests 429 "too_many_requests",
    /// Too many or too long headers.
    HeadTooLarge 431 "head_too_large",
    /// A bug or a fault of ours.
    Internal 500 "internal_error",
    /// A method that HTTP proxies use.
    MethodNotSupported 501 "method_not_supported",
    /// Another version of HTTP.
    VersionNotSupported 505 "version_not_supported",
    /// Too much to do: come again.
    Overloaded 503 "overloaded",
    /// Not at the moment.
    Unavailable 503 "unavailable",
}

impl From<RefusalCode> for Code {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::Invalid => Self::Invalid,
            RefusalCode::NotFound => Self::NotFound,
            RefusalCode::Conflict => Self::Conflict,
            RefusalCode::Forbidden => Self::Forbidden,
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document<'a> {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The standard phrase of the status.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// A sentence for people.
    detail: &'a str,
    /// What went wrong, as programs read it.
    code: &'a str,
    /// Names the request in the till's log.
    request_id: &'a str,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

/// The one builder of problem documents.
pub fn document<'a>(
    code: Code,
    detail: &'a str,
    request_id: &'a str,
    errors: &'a [FieldError],
) -> Document<'a> {
    let title = reason(code.status());
    Document {
        kind: "about:blank",
        title,
        status: code.status(),
        detail,
        code: code.word(),
        request_id,
        errors,
    }
}

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What programs read.
    pub code: Code,
    /// What people read.
    pub detail: String,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// Further headers of the answer.
    pub headers: Vec<(&'static str, String)>,
    /// For the log only.
    pub inner: Option<String>,
}

impl Problem {
    /// A problem with no field in particular.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), headers: Vec::new(), inner: None }
    }

    /// A problem with one field.
    pub fn on(code: Code, field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { field: field.into(), detail: detail.into() };
        let sentence = if error.field.is_empty() {
            error.detail.clone()
        } else {
            format!("{}: {}", error.field, error.detail)
        };
        Self { errors: vec![error], ..Self::new(code, sentence) }
    }

    /// A field or parameter that cannot be read.
    pub fn unreadable(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::on(Code::InvalidRequest, field, detail)
    }

    /// There is no such `what`.
    pub fn not_found(what: &str) -> Self {
        Refusal::not_found(what).into()
    }

    /// A fault of ours: `inner` goes to the log, the client is told nothing of it.
    pub fn internal(inner: impl Into<String>) -> Self {
        let detail = "Something went wrong on our side. The log has more under the request id.";
        Self { inner: Some(inner.into()), ..Self::new(Code::Internal, detail) }
    }

    /// Come again in a second.
    pub fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(Code::Overloaded, detail).with_header("Retry-After", "1")
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The document, for the request of that id.
    pub fn document<'a>(&'a self, request_id: &'a str) -> Document<'a> {
        document(self.code, &self.detail, request_id, &self.errors)
    }

    /// The answer to the request of that id; what is internal goes to the log.
    pub fn response(&self, request_id: &str) -> Response {
        if let Some(inner) = &self.inner {
            log::error!("request {request_id}: {inner}");
        }
        let body = serde_json::to_vec(&self.document(request_id)).unwrap_or_default();
        let answer =
            Response::new(self.code.status(), CONTENT_TYPE, body).with_header("Cache-Control", "no-store");
        self.headers.iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { errors: refusal.errors, ..Self::new(refusal.code.into(), refusal.detail) }
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        Self::internal(format!("the data file failed: {error}"))
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            Fault::State(error) => error.into(),
        }
    }
}

impl From<Overloaded> for Problem {
    fn from(_: Overloaded) -> Self {
        Self::overloaded("The till has more to do than it can take in. Nothing was changed; try again soon.")
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        let detail = "The till's data file could not be written, so the till is stopping, and nobody knows whether this \
                      was done. Send the same request again once the till is back.";
        let problem = Self::new(Code::Unavailable, detail).with_header("Retry-After", "2");
        Self { inner: Some(error.0), ..problem }
    }
}

/// The standard phrase of a status, or a plain word for one that has none.
pub fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        425 => "Too Early",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_word_with_a_status_that_has_a_phrase() {
        let mut words: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| reason(code.status()) != "Other"));
    }

    #[test]
    fn what_is_internal_stays_inside() {
        let Response { body: super::super::Body::Bytes(bytes), status, .. } =
            Problem::internal("the secret path").response("req_1")
        else {
            panic!("bytes")
        };
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(status, 500);
        assert!(text.contains("req_1") && !text.contains("secret"), "{text}");
    }
}
