//! Reading a request's head: pure functions from bytes to a checked head or a refusal.
//!
//! Stricter than the standard wherever leniency has let two parsers disagree on where a request ends:
//! lines end in CR LF and nothing else, no folded headers, one plain `Content-Length` or one `chunked`.

use super::refusal::Refusal;
use crate::http::problem::Code;
use std::fmt::Write as _;

/// Bytes of request line and headers, the empty line included.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers in one request.
pub const HEADERS_MAX: usize = 64;
/// Bytes of the request target.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;
/// Bytes of the method's name.
const METHOD_BYTES_MAX: usize = 32;

/// Empty lines that may precede a request.
const BLANK_LINES_MAX: usize = 2;

/// How the end of the body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body.
    None,
    /// This many bytes, at least one.
    Length(u64),
    /// Chunks, up to an empty one.
    Chunked,
}

/// A head that may be passed on.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// As it was sent.
    pub method: String,
    /// In ASCII: what was sent as UTF-8 is percent-encoded here.
    pub target: String,
    /// Lower-case names; those that concern only this connection are gone.
    pub headers: Vec<(String, String)>,
    /// How the end of the body is found.
    pub framing: Framing,
    /// Whether the client can keep the connection after this request.
    pub keep_alive: bool,
    /// HTTP/1.0, which has to be told so when a connection is kept.
    pub old: bool,
    /// The client waits for a `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

impl Head {
    /// The head as it is passed on, with `ticket` in front and a body of so many bytes behind: whatever framing
    /// the client chose, one plain length.
    pub fn relayed(&self, ticket: &str, body_bytes: usize) -> String {
        let mut text = String::with_capacity(1024);
        let _ = write!(text, "{} {} HTTP/1.1\r\n", self.method, self.target);
        let _ = write!(text, "{}: {ticket}\r\n", super::TICKET_HEADER);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        if body_bytes > 0 {
            let _ = write!(text, "Content-Length: {body_bytes}\r\n");
        }
        text.push_str("\r\n");
        text
    }
}

/// How many of the first bytes are empty lines that old clients send after a request; `None` while the next
/// byte decides.
pub fn blank(bytes: &[u8]) -> Option<usize> {
    let lines = bytes.chunks(2).take(BLANK_LINES_MAX).take_while(|line| *line == b"\r\n").count();
    let rest = bytes.get(lines * 2..).unwrap_or_default();
    if rest.is_empty() || (rest == b"\r" && lines < BLANK_LINES_MAX) { None } else { Some(lines * 2) }
}

/// What a scan of the first bytes found.
#[derive(Debug, PartialEq, Eq)]
pub enum Scan {
    /// A head of this many bytes, the empty line included.
    Complete(usize),
    /// Nothing wrong so far. The next scan may begin at this byte.
    Partial(usize),
}

/// Looks for the end of the head, and for what can never become one.
pub fn scan(bytes: &[u8], from: usize) -> Result<Scan, Refusal> {
    if let Some(first) = bytes.first() {
        if *first == 0x16 {
            return Err(Refusal::malformed("This port speaks plain HTTP, not TLS."));
        }
        if !first.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(first) {
            return Err(Refusal::malformed("A request begins with a method."));
        }
    }
    // What lies behind the largest head is not looked at: the answer must not depend on how the bytes arrive.
    let bytes = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes);
    let mut at = from;
    while let Some(found) = bytes.iter().skip(at).position(|byte| *byte == b'\n') {
        let end = at + found;
        if end == 0 || bytes.get(end - 1) != Some(&b'\r') {
            return Err(Refusal::malformed("Lines end in CR LF."));
        }
        if end >= 3 && bytes.get(end - 3..end) == Some(b"\r\n\r") {
            return Ok(Scan::Complete(end + 1));
        }
        at = end + 1;
    }
    if bytes.len() >= HEAD_BYTES_MAX {
        return Err(too_large(bytes));
    }
    Ok(Scan::Partial(bytes.len()))
}

fn too_large(bytes: &[u8]) -> Refusal {
    let line_max = TARGET_BYTES_MAX + METHOD_BYTES_MAX;
    if bytes.iter().take(line_max).any(|byte| *byte == b'\n') {
        Refusal::HEAD_TOO_LARGE
    } else {
        Refusal::TARGET_TOO_LONG
    }
}

/// Checks a complete head, as [`scan`] delimited it.
pub fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut room);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Ok(_) => return Err(Refusal::malformed("The head ends before its end.")),
        Err(error) => return Err(refuse(error, bytes)),
    }
    let method = checked_method(parsed.method.unwrap_or_default())?;
    let target = checked_target(parsed.path.unwrap_or_default())?;
    let old = parsed.version == Some(0);
    let mut head = Head {
        method,
        target,
        headers: Vec::with_capacity(parsed.headers.len()),
        framing: Framing::None,
        keep_alive: !old,
        old,
        expects_continue: false,
    };
    let mut found = Found::default();
    for header in parsed.headers.iter() {
        take_header(&mut head, &mut found, header.name, header.value)?;
    }
    if found.hosts != 1 && (!old || found.hosts > 1) {
        return Err(Refusal::malformed("Exactly one Host header is required."));
    }
    head.keep_alive = if old { found.keep_alive && !found.close } else { !found.close };
    head.framing = framing(&found, old)?;
    Ok(head)
}

fn refuse(error: httparse::Error, bytes: &[u8]) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::HEAD_TOO_LARGE,
        httparse::Error::Version if bytes.starts_with(b"PRI * HTTP/2.0") => {
            Refusal::malformed("This port speaks HTTP/1.1, not HTTP/2 without negotiation.")
        }
        httparse::Error::Version if !has_three_parts(bytes) => {
            Refusal::malformed("A request line is a method, a target and a version.")
        }
        httparse::Error::Version => {
            Refusal { code: Code::VersionNotSupported, detail: "This server speaks HTTP/1.0 and HTTP/1.1." }
        }
        httparse::Error::HeaderName => Refusal::malformed("A header's name is not valid."),
        httparse::Error::HeaderValue => Refusal::malformed("A header's value is not valid."),
        _ => Refusal::malformed("The request line is not valid."),
    }
}

fn has_three_parts(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    matches!(parts.as_slice(), [_, _, version] if version.starts_with(b"HTTP/"))
}

fn checked_method(method: &str) -> Result<String, Refusal> {
    if method.len() > METHOD_BYTES_MAX || matches!(method, "TRACE" | "CONNECT") {
        let detail = "This method is not supported here.";
        return Err(Refusal { code: Code::MethodNotSupported, detail });
    }
    Ok(method.to_owned())
}

/// `httparse` has checked that a target is UTF-8 without blanks and controls. Only the form that begins with
/// a path is for servers that are no proxies; `*` would be for `OPTIONS`, which has nothing to say here.
fn checked_target(target: &str) -> Result<String, Refusal> {
    if target.len() > TARGET_BYTES_MAX {
        return Err(Refusal::TARGET_TOO_LONG);
    }
    if !target.starts_with('/') {
        return Err(Refusal::malformed("The request target has to begin with a slash."));
    }
    if target.contains('#') {
        return Err(Refusal::malformed("A fragment is not part of a request target."));
    }
    if target.is_ascii() {
        return Ok(target.to_owned());
    }
    Ok(percent_encoding::utf8_percent_encode(target, percent_encoding::CONTROLS).to_string())
}

/// What decides on framing and connection, counted while the headers pass by.
#[derive(Default)]
struct Found {
    hosts: u32,
    lengths: u32,
    length: Option<u64>,
    codings: u32,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

fn take_header(head: &mut Head, found: &mut Found, name: &str, value: &[u8]) -> Result<(), Refusal> {
    let name = name.to_ascii_lowercase();
    let Some(value) = std::str::from_utf8(value).ok().filter(|value| value.is_ascii()) else {
        return Err(Refusal::malformed("Header values have to be ASCII."));
    };
    match name.as_str() {
        "host" => {
            found.hosts += 1;
            if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte)) {
                return Err(Refusal::malformed("The Host header is not valid."));
            }
        }
        "content-length" => {
            found.lengths += 1;
            found.length = plain_number(value);
            return Ok(());
        }
        "transfer-encoding" => {
            found.codings += 1;
            found.chunked = value.eq_ignore_ascii_case("chunked");
            return Ok(());
        }
        "connection" => {
            for token in value.split(',').map(str::trim) {
                found.close |= token.eq_ignore_ascii_case("close");
                found.keep_alive |= token.eq_ignore_ascii_case("keep-alive");
            }
            return Ok(());
        }
        "expect" => {
            if !value.eq_ignore_ascii_case("100-continue") {
                let detail = "Only the expectation 100-continue can be met.";
                return Err(Refusal { code: Code::ExpectationFailed, detail });
            }
            head.expects_continue = !head.old;
            return Ok(());
        }
        // Of this connection only, our own, or a name that nobody but us may give.
        "keep-alive"
        | "proxy-connection"
        | "te"
        | "trailer"
        | "upgrade"
        | "x-request-id"
        | super::TICKET_HEADER => return Ok(()),
        _ => {}
    }
    head.headers.push((name, value.to_owned()));
    Ok(())
}

fn framing(found: &Found, old: bool) -> Result<Framing, Refusal> {
    if found.codings > 0 {
        if found.lengths > 0 {
            return Err(Refusal::malformed("Content-Length and Transfer-Encoding exclude each other."));
        }
        if found.codings > 1 || old || !found.chunked {
            return Err(Refusal::malformed("The only Transfer-Encoding here is one chunked, in HTTP/1.1."));
        }
        return Ok(Framing::Chunked);
    }
    match (found.lengths, found.length) {
        (0, _) | (1, Some(0)) => Ok(Framing::None),
        (1, Some(length)) => Ok(Framing::Length(length)),
        (1, None) => Err(Refusal::malformed("Content-Length has to be plain digits.")),
        _ => Err(Refusal::malformed("Content-Length may be given once.")),
    }
}

/// Digits only. More of them than any body could need stand for more than any body could have.
fn plain_number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> u16 {
        parse(head.as_bytes()).map_or_else(|refusal| refusal.status(), |_| 200)
    }

    #[test]
    fn a_plain_head_is_read() {
        let head = parse(b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Y: z\r\n\r\n").unwrap();
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/a?b=c"));
        assert_eq!(head.framing, Framing::Length(5));
        assert!(head.keep_alive && !head.old && !head.expects_continue);
        let names: Vec<&str> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["host", "x-y"]);
    }

    #[test]
    fn what_only_the_gate_may_say_is_dropped() {
        let forged = "X-Tagtill-Gate: 0 1 a b\r\nX-Request-Id: a\r\nTE: chunked\r\nUpgrade: h2c\r\n";
        let head = parse(format!("GET / HTTP/1.1\r\nHost: x\r\n{forged}\r\n").as_bytes()).unwrap();
        assert_eq!(head.headers, [("host".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn lengths_are_plain_and_single() {
        for bad in ["-1", "+1", "1 2", "0x10", "1,1", "", "1e3", "٣"] {
            let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {bad}\r\n\r\n");
            assert_eq!(status(&head), 400, "{bad}");
        }
        let twice = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n";
        assert_eq!(status(twice), 400);
        let endless = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", "9".repeat(40));
        assert_eq!(parse(endless.as_bytes()).unwrap().framing, Framing::Length(u64::MAX));
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for bad in [
            "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(status(bad), 400, "{bad:?}");
        }
        assert_eq!(status("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
        assert_eq!(status("GET / HTTP/1.1\r\nHost: x\r\nExpect: cake\r\n\r\n"), 417);
    }

    #[test]
    fn an_end_is_found_wherever_the_bytes_are_split() {
        let text = b"GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
        for split in 0..27 {
            let Ok(Scan::Partial(from)) = scan(&text[..split], 0) else { panic!("{split}") };
            assert_eq!(scan(text, from), Ok(Scan::Complete(27)), "{split}");
        }
        assert!(scan(b"GET / HTTP/1.1\nHost: x\n\n", 0).is_err());
    }

    #[test]
    fn few_empty_lines_may_come_first() {
        for (bytes, blanks) in [
            ("", None),
            ("\r", None),
            ("\r\n", None),
            ("\r\n\r\n", None),
            ("G", Some(0)),
            ("\rG", Some(0)),
            ("\n", Some(0)),
            ("\r\nG", Some(2)),
            ("\r\n\r\nG", Some(4)),
            ("\r\n\r\n\r", Some(4)),
            ("\r\n\r\n\r\n", Some(4)),
        ] {
            assert_eq!(blank(bytes.as_bytes()), blanks, "{bytes:?}");
        }
    }

    #[test]
    fn what_lies_beyond_the_largest_head_makes_no_difference() {
        let mut bytes = b"GET / HTTP/1.1\r\nA: ".to_vec();
        bytes.resize(HEAD_BYTES_MAX, b'a');
        let alone = scan(&bytes, 0);
        bytes.extend_from_slice(b"\n");
        assert_eq!(scan(&bytes, 0), alone);
        assert_eq!(alone, Err(Refusal::HEAD_TOO_LARGE));
    }

    #[test]
    fn unicode_in_a_target_is_encoded() {
        let head = parse("GET /ü HTTP/1.1\r\nHost: x\r\n\r\n".as_bytes()).unwrap();
        assert_eq!(head.target, "/%C3%BC");
    }
}
