//! The gate's own answers: what it says when a request goes no further.

use crate::http::problem::{self, Code};
use std::fmt::Write as _;

pub use crate::http::problem::reason;

/// Why a request is refused: one row of the table below and a sentence for whoever wrote the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Status and machine-readable code.
    pub code: Code,
    /// What to change.
    pub detail: &'static str,
}

impl Refusal {
    /// What was sent cannot be read.
    pub const fn malformed(detail: &'static str) -> Refusal {
        Refusal { code: Code::MalformedRequest, detail }
    }

    /// It took too long.
    pub const fn timeout(detail: &'static str) -> Refusal {
        Refusal { code: Code::RequestTimeout, detail }
    }

    /// There is no room for it now.
    pub const fn overloaded(detail: &'static str) -> Refusal {
        Refusal { code: Code::Overloaded, detail }
    }

    /// A fault of ours.
    pub const fn internal() -> Refusal {
        let detail = "Something went wrong on our side. The log has more under the request id.";
        Refusal { code: Code::Internal, detail }
    }

    /// A body above the limit.
    pub const BODY_TOO_LARGE: Refusal =
        Refusal { code: Code::BodyTooLarge, detail: "The body is larger than this server takes." };

    /// A target above the limit.
    pub const TARGET_TOO_LONG: Refusal =
        Refusal { code: Code::TargetTooLong, detail: "The request target is longer than 8192 bytes." };

    /// A head above the limit.
    pub const HEAD_TOO_LARGE: Refusal = Refusal {
        code: Code::HeadTooLarge,
        detail: "Request line and headers may have 16384 bytes and 64 headers in all.",
    };

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The body, as RFC 9457 wants it.
    pub fn problem(&self, request_id: &str) -> String {
        let document = problem::document(self.code, self.detail, request_id, &[]);
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// The whole answer, after which the connection is closed.
    pub fn answer(&self, request_id: &str, head_only: bool) -> Vec<u8> {
        let body = self.problem(request_id);
        let mut text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
             X-Request-Id: {request_id}\r\nCache-Control: no-store\r\nConnection: close\r\n",
            self.status(),
            reason(self.status()),
            body.len(),
        );
        if self.status() == 503 {
            let _ = write!(text, "Retry-After: 1\r\n");
        }
        text.push_str("\r\n");
        if !head_only {
            text.push_str(&body);
        }
        text.into_bytes()
    }
}
