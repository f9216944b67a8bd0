//! The connection of the filtered stream: one answer that never ends, read line by line, with a pause after each half
//! second in which nothing came.

use super::rules::{NoStream, permitted};
use crate::bridges::{Exchange, Kind, Trouble};
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport, time,
};
use ureq::{Agent, BodyReader};

/// How long one read waits.
const READ_MAX: Duration = Duration::from_millis(500);
/// X sends a line every 20 seconds; who is silent for longer is gone.
const SILENCE_MAX: Duration = Duration::from_secs(25);
/// How long an answer may take to begin.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The longest line.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The longest refusal that is read.
const REFUSAL_BYTES_MAX: u64 = 64 * 1024;

/// Makes connections whose reads are short once they stream.
#[derive(Debug)]
struct Patience(Arc<AtomicBool>);

/// Such a connection.
#[derive(Debug)]
struct Patient<T> {
    inner: T,
    streams: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Patience {
    type Out = Patient<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| Patient { inner, streams: Arc::clone(&self.0) }))
    }
}

impl<T: Transport> Transport for Patient<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, ureq::Error> {
        if self.streams.load(Ordering::Relaxed) {
            timeout.after = time::Duration::from_millis(u64::try_from(READ_MAX.as_millis()).unwrap_or(500));
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line with something in it.
    Line(Vec<u8>),
    /// An empty line, which only says that the stream is alive.
    Alive,
    /// Nothing for now.
    Nothing,
}

/// The stream.
pub struct Wire {
    reader: BodyReader<'static>,
    buffer: Vec<u8>,
    heard: Instant,
}

impl Wire {
    /// Connects.
    pub fn open(url: &str, bearer: &str) -> Result<Self, NoStream> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(ANSWER_MAX))
            .user_agent(concat!("tagtill-bridge/", env!("CARGO_PKG_VERSION")))
            .build();
        let streams = Arc::new(AtomicBool::new(false));
        let connector = DefaultConnector::new().chain(Patience(Arc::clone(&streams)));
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        let gone = |error: &dyn std::fmt::Display| {
            NoStream::from(Trouble::new(Kind::Unreachable, format!("X's stream cannot be reached: {error}")))
        };
        let sent = agent.get(url).header("Authorization", format!("Bearer {bearer}")).call();
        let mut answer = sent.map_err(|error| gone(&error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let headers = answer.headers().clone();
            let read = answer.body_mut().with_config().limit(REFUSAL_BYTES_MAX).read_to_vec();
            let body = serde_json::from_slice(&read.unwrap_or_default()).unwrap_or_default();
            let said = Exchange { status, headers, body };
            let _ = permitted(said)?;
            return Err(Trouble::protocol(format!("the stream began with {status}")).into());
        }
        streams.store(true, Ordering::Relaxed);
        Ok(Self { reader: answer.into_body().into_reader(), buffer: Vec::new(), heard: Instant::now() })
    }

    /// The next line, or nothing after half a second without one.
    pub fn next(&mut self) -> Result<Heard, Trouble> {
        let gone = |why: &str| Trouble::new(Kind::Unreachable, format!("the stream {why}"));
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                while line.last().is_some_and(u8::is_ascii_whitespace) {
                    line.pop();
                }
                return Ok(if line.is_empty() { Heard::Alive } else { Heard::Line(line) });
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(Trouble::protocol("the stream holds a line that is too long"));
            }
            let mut some = [0; 16 * 1024];
            match self.reader.read(&mut some) {
                Ok(0) => return Err(gone("has ended")),
                Ok(read) => {
                    self.heard = Instant::now();
                    self.buffer.extend_from_slice(some.get(..read).unwrap_or_default());
                }
                Err(error) if is_timeout(&error) => {
                    if self.heard.elapsed() > SILENCE_MAX {
                        return Err(gone("fell silent"));
                    }
                    return Ok(Heard::Nothing);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(gone(&format!("broke: {error}"))),
            }
        }
    }
}

/// Whether a read only took too long: ureq wraps that, and goes on from there with the next read.
fn is_timeout(error: &std::io::Error) -> bool {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    matches!(wrapped, Some(ureq::Error::Timeout(_)))
        || matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::{Sender, channel};

    /// A server that sends what it is told to one client, until nobody tells it anything.
    fn server(head: &'static str) -> (String, Sender<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/stream", listener.local_addr().unwrap());
        let (sender, receiver) = channel::<String>();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            write!(stream, "{head}").unwrap();
            for piece in receiver {
                write!(stream, "{:x}\r\n{piece}\r\n", piece.len()).unwrap();
            }
        });
        (url, sender)
    }

    const STREAMS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    fn next_but_nothing(wire: &mut Wire) -> Result<Heard, Trouble> {
        loop {
            match wire.next() {
                Ok(Heard::Nothing) => {}
                other => return other,
            }
        }
    }

    #[test]
    fn lines_come_whole_however_long_they_take() {
        let (url, server) = server(STREAMS);
        let mut wire = Wire::open(&url, "token").unwrap();
        assert_eq!(wire.next(), Ok(Heard::Nothing), "reads are short");
        server.send("\r\n{\"da".to_owned()).unwrap();
        assert_eq!(next_but_nothing(&mut wire), Ok(Heard::Alive));
        assert_eq!(wire.next(), Ok(Heard::Nothing), "half a line is none");
        assert_eq!(wire.next(), Ok(Heard::Nothing));
        server.send("ta\":1}\r\n\r\n{}\r".to_owned()).unwrap();
        assert_eq!(next_but_nothing(&mut wire), Ok(Heard::Line(b"{\"data\":1}".to_vec())));
        assert_eq!(next_but_nothing(&mut wire), Ok(Heard::Alive));
        server.send("\n".to_owned()).unwrap();
        assert_eq!(next_but_nothing(&mut wire), Ok(Heard::Line(b"{}".to_vec())));
        drop(server);
        assert_eq!(next_but_nothing(&mut wire).unwrap_err().kind, Kind::Unreachable);
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let (url, server) = server(STREAMS);
        let mut wire = Wire::open(&url, "token").unwrap();
        server.send("x".repeat(LINE_BYTES_MAX + 1)).unwrap();
        assert_eq!(next_but_nothing(&mut wire).unwrap_err().kind, Kind::Protocol);
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |head| {
            let (url, server) = server(head);
            drop(server);
            match Wire::open(&url, "token").err().unwrap() {
                NoStream::NotPermitted(_) => None,
                NoStream::Trouble(trouble) => Some(trouble.kind),
            }
        };
        assert_eq!(kind("HTTP/1.1 403 x\r\nContent-Length: 2\r\n\r\n{}"), None);
        assert_eq!(kind("HTTP/1.1 429 x\r\nContent-Length: 2\r\n\r\n{}"), Some(Kind::RateLimited));
        assert_eq!(kind("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"), Some(Kind::Server));
        assert_eq!(kind("HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n"), Some(Kind::Credentials));
        let gone = Wire::open("http://127.0.0.1:1/", "token").err().unwrap();
        assert!(matches!(gone, NoStream::Trouble(trouble) if trouble.kind == Kind::Unreachable));
    }
}
