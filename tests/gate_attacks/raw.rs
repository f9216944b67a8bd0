//! A client that sends whatever bytes it is told to, and reads what comes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::support::ADMIN;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Raw {
    pub stream: TcpStream,
    seen: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub closes: bool,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn connect(addr: SocketAddr) -> Raw {
        let stream = TcpStream::connect(addr).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream, seen: Vec::new() }
    }

    /// Sends; that the other side may stop listening in the middle of it is what many attacks are about.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// The next answer; `None` if the connection ends first.
    pub fn answer(&mut self) -> Option<Seen> {
        loop {
            if let Some((seen, length)) = parse(&self.seen) {
                self.seen.drain(..length);
                return Some(seen);
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.seen.extend_from_slice(&buffer[..count]),
                Err(error) => {
                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer in time");
                    return None;
                }
            }
        }
    }

    /// All answers until the connection ends, interim ones included.
    pub fn answers(mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.answer()).collect()
    }

    /// Closes with a reset.
    pub fn reset(self) {
        set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }
}

fn parse(bytes: &[u8]) -> Option<(Seen, usize)> {
    let mut room = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut room);
    let httparse::Status::Complete(head) = parsed.parse(bytes).expect("an answer in HTTP") else {
        return None;
    };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        found.map(|it| std::str::from_utf8(it.value).unwrap())
    };
    let length = header("content-length").map_or(0, |text| text.parse().unwrap());
    let body = bytes.get(head..head + length)?.to_vec();
    let closes = header("connection") == Some("close");
    Some((Seen { status: parsed.code.unwrap(), closes, body }, head + length))
}

/// The answer to these bytes, after which the connection must end without another.
#[track_caller]
pub fn refused(addr: SocketAddr, bytes: impl AsRef<[u8]>, status: u16) {
    let shown = || String::from_utf8_lossy(&bytes.as_ref()[..bytes.as_ref().len().min(300)]).into_owned();
    let mut raw = Raw::connect(addr);
    raw.send(&bytes);
    let answers = raw.answers();
    let statuses: Vec<u16> = answers.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [status], "{:?}", shown());
    assert!(answers[0].closes, "{:?}", shown());
    assert!(String::from_utf8_lossy(&answers[0].body).contains("request_id"), "a problem document");
}

/// A request's head, up to the last header's line.
pub fn head(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n")
}

/// A post that nobody has sent before and that matches nothing.
pub fn news() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        r#"{{"network":"sandbox","id":"n{number}","author":{{"user_id":"u","handle":"u"}},"text":"just saying"}}"#
    )
}

/// A whole request that says it.
pub fn post(body: &str) -> String {
    let head = head("POST", "/v1/posts");
    format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The same with these headers in place of a length.
pub fn post_with(headers: &str, body: &str) -> String {
    format!("{}Content-Type: application/json\r\n{headers}\r\n{body}", head("POST", "/v1/posts"))
}
