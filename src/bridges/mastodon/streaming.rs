//! The stream of our account: it rings where there is something to read, and tells of deletions.
//!
//! Nothing depends on it. Without one, notifications are read more often, and posts that matter are asked for.

use super::status::text;
use super::{Mastodon, STREAMING, api};
use crate::bridges::{Backoff, Desk, Heard, Kind, Socket, Trouble, check_base, now};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A stream that has lived so long was a good one.
const GOOD: Duration = Duration::from_secs(30);
/// Naps between two tries are cut into such pieces.
const NAP: Duration = Duration::from_secs(2);

/// What a message of a stream tells.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    /// There is something to read.
    News,
    /// A post was deleted.
    Deleted(String),
}

impl Mastodon {
    /// Listens until the bridge ends. Trouble with the stream is no trouble: it is tried again.
    pub(super) fn listen(&self, desk: &Desk) -> Result<(), Trouble> {
        let mut backoff = Backoff::default();
        let mut told = false;
        loop {
            let begun = Instant::now();
            let heard = self.hear(desk);
            self.bell.close();
            let trouble = match heard {
                Err(trouble) if matches!(trouble.kind, Kind::Stopped | Kind::Till) => return Err(trouble),
                Err(trouble) => trouble,
                Ok(()) => return Ok(()),
            };
            if begun.elapsed() >= GOOD {
                backoff.reset();
                told = false;
            }
            if !told {
                told = true;
                log::info!("mastodon: no stream ({trouble}); notifications are read every few seconds");
            }
            let mut left = backoff.next(trouble.wait);
            while !left.is_zero() {
                desk.read_to(STREAMING, now());
                let nap = left.min(NAP);
                desk.nap(nap)?;
                left -= nap;
            }
        }
    }

    fn hear(&self, desk: &Desk) -> Result<(), Trouble> {
        let mut socket = self.stream()?;
        self.bell.open();
        while !desk.stopping() {
            desk.read_to(STREAMING, now());
            let Heard::Text(message) = socket.read()? else { continue };
            match event_of(&message) {
                Some(Event::News) => self.bell.ring(),
                Some(Event::Deleted(post)) => {
                    desk.delete(&post)?;
                    self.watch.forget(&post);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Opens the stream. The token goes into a header; servers that only take it in the address, and so say 401, get it
    /// there. No other refusal is worth a token in their logs.
    pub(super) fn stream(&self) -> Result<Socket, Trouble> {
        let (url, token) = (self.stream_url()?, self.api.token());
        match Socket::connect(&url, Some(token)) {
            Err(trouble) if is_401(&trouble) => {
                Socket::connect(&format!("{url}&access_token={}", api::encoded(token)), None)
            }
            other => other,
        }
    }

    /// Where the stream is, without the token.
    pub(super) fn stream_url(&self) -> Result<String, Trouble> {
        let base = check_base(&self.signed()?.instance.streaming)
            .map_err(|why| Trouble::refused(format!("streams: {why}")))?;
        Ok(format!("{base}/api/v1/streaming?stream=user"))
    }
}

/// Whether a stream was refused for want of a token.
fn is_401(trouble: &Trouble) -> bool {
    trouble.kind == Kind::Credentials && trouble.why.contains(" answered 401")
}

fn event_of(message: &str) -> Option<Event> {
    let message: Value = serde_json::from_str(message).ok()?;
    match text(&message, "/event")? {
        "notification" | "status.update" | "notifications_merged" | "conversation" => Some(Event::News),
        "delete" => {
            let payload = message.get("payload")?;
            let id = payload.as_str().map(str::to_owned).or_else(|| Some(payload.as_u64()?.to_string()))?;
            (!id.is_empty()).then_some(Event::Deleted(id))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::mastodon::api::Instance;
    use crate::bridges::mastodon::status::Us;
    use crate::bridges::mastodon::{Signed, Visibility};
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn only_who_wants_a_token_gets_one_in_the_address() {
        for (status, wanted) in [("401 Unauthorized", 2), ("403 Forbidden", 1), ("404 Not Found", 1)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let server = std::thread::spawn(move || {
                let mut lines = Vec::new();
                for stream in listener.incoming().map_while(Result::ok) {
                    let mut reader = BufReader::new(&stream);
                    let mut head = String::new();
                    reader.read_line(&mut head).unwrap();
                    let mut line = String::new();
                    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                        line.clear();
                    }
                    if head.contains("/end") {
                        break;
                    }
                    lines.push(head);
                    write!(&stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
                }
                lines
            });
            let bridge = Mastodon::new(base.clone(), "token".into(), Visibility::Unlisted);
            let instance = Instance { streaming: base.replace("http", "ws"), ..Instance::default() };
            *bridge.signed.lock().unwrap() = Some(Signed { us: Us::default(), instance, bot: true });
            assert!(bridge.stream().is_err());
            let mut last = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
            last.write_all(b"GET /end HTTP/1.1\r\n\r\n").unwrap();
            let asked = server.join().unwrap();
            assert_eq!(asked.len(), wanted, "{status}");
            assert!(!asked[0].contains("token"), "{status}: {}", asked[0]);
        }
    }

    #[test]
    fn messages_of_a_stream_ring_or_tell_of_deletions() {
        for (message, wanted) in [
            (r#"{"stream":["user"],"event":"notification","payload":"{\"id\":\"1\"}"}"#, Some(Event::News)),
            (r#"{"stream":["user"],"event":"status.update","payload":"{}"}"#, Some(Event::News)),
            (r#"{"stream":["user"],"event":"update","payload":"{}"}"#, None),
            (r#"{"stream":["user"],"event":"delete","payload":"116"}"#, Some(Event::Deleted("116".into()))),
            (r#"{"event":"delete","payload":116}"#, Some(Event::Deleted("116".into()))),
            (r#"{"event":"delete","payload":""}"#, None),
            (r#"{"event":"delete"}"#, None),
            (r#"{"error":"Unknown stream type"}"#, None),
            ("", None),
            ("[]", None),
        ] {
            assert_eq!(event_of(message), wanted, "{message}");
        }
    }
}
