//! The gate's own answers: what it says when a request goes no further.

use std::fmt::Write as _;

/// Why a request is refused: one row of the table below and a sentence for whoever wrote the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The machine-readable code.
    pub code: &'static str,
    /// What to change.
    pub detail: &'static str,
}

impl Refusal {
    pub const fn malformed(detail: &'static str) -> Refusal {
        Refusal { status: 400, code: "malformed_request", detail }
    }

    pub const fn timeout(detail: &'static str) -> Refusal {
        Refusal { status: 408, code: "request_timeout", detail }
    }

    pub const fn overloaded(detail: &'static str) -> Refusal {
        Refusal { status: 503, code: "overloaded", detail }
    }

    pub const fn internal() -> Refusal {
        let detail = "Something went wrong on our side. The log has more under the request id.";
        Refusal { status: 500, code: "internal_error", detail }
    }

    pub const BODY_TOO_LARGE: Refusal =
        Refusal { status: 413, code: "body_too_large", detail: "The body is larger than this server takes." };

    pub const TARGET_TOO_LONG: Refusal = Refusal {
        status: 414,
        code: "target_too_long",
        detail: "The request target is longer than 8192 bytes.",
    };

    pub const HEAD_TOO_LARGE: Refusal = Refusal {
        status: 431,
        code: "head_too_large",
        detail: "Request line and headers may have 16384 bytes and 64 headers in all.",
    };

    /// The body, as RFC 9457 wants it. All texts are ours and need no escaping.
    pub fn problem(&self, request_id: &str) -> String {
        format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"detail":"{}","code":"{}","request_id":"{request_id}"}}"#,
            reason(self.status),
            self.status,
            self.detail,
            self.code,
        )
    }

    /// The whole answer, after which the connection is closed.
    pub fn answer(&self, request_id: &str, head_only: bool) -> Vec<u8> {
        let body = self.problem(request_id);
        let mut text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
             X-Request-Id: {request_id}\r\nCache-Control: no-store\r\nConnection: close\r\n",
            self.status,
            reason(self.status),
            body.len(),
        );
        if self.status == 503 {
            let _ = write!(text, "Retry-After: 1\r\n");
        }
        text.push_str("\r\n");
        if !head_only {
            text.push_str(&body);
        }
        text.into_bytes()
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
