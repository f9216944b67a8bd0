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
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
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
