//! Websockets of networks: a connection that is dead is noticed, and a message has a largest size.

use super::web::USER_AGENT;
use super::{Kind, Trouble};
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Bytes, Error, HandshakeError, Message, WebSocket, client_tls_with_config};

/// How long connecting and the handshake may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long one read waits.
const READ_MAX: Duration = Duration::from_millis(500);
/// Who has not said a word for so long is asked whether they live.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Who does not answer within so long after that is gone.
const GONE_AFTER: Duration = Duration::from_secs(60);
/// The largest message: a firehose's commits have 2 MB at most.
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A websocket that we read from.
pub struct Socket {
    inner: WebSocket<MaybeTlsStream<TcpStream>>,
    heard: Instant,
    asked: bool,
    wait: Duration,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Bytes.
    Binary(Bytes),
    /// A text.
    Text(String),
    /// Nothing for now.
    Nothing,
}

impl Socket {
    /// Connects to `url` (`wss://` or, on this machine, `ws://`), with a bearer token where there is one.
    pub fn connect(url: &str, bearer: Option<&str>) -> Result<Self, Trouble> {
        let unusable =
            |why: String| Trouble::protocol(format!("{} cannot be used: {why}", without_query(url)));
        let mut request = url.into_client_request().map_err(|error| unusable(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert("User-Agent", HeaderValue::from_static(USER_AGENT));
        if let Some(bearer) = bearer {
            let value = HeaderValue::from_str(&format!("Bearer {bearer}"));
            headers.insert(
                "Authorization",
                value.map_err(|_| unusable("its token has odd characters".to_owned()))?,
            );
        }
        let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let plain = request.uri().scheme_str() == Some("ws");
        let port = request.uri().port_u16().unwrap_or(if plain { 80 } else { 443 });
        let away = |why: String| Trouble::new(Kind::Unreachable, format!("{host}: {why}"));
        let stream = dial(&host, port).map_err(|error| away(error.to_string()))?;
        let timeouts =
            stream.set_read_timeout(Some(CONNECT_MAX)).and(stream.set_write_timeout(Some(CONNECT_MAX)));
        timeouts.and(stream.set_nodelay(true)).map_err(|error| away(error.to_string()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let (inner, _) =
            client_tls_with_config(request, stream, Some(config), None).map_err(|error| match error {
                HandshakeError::Failure(Error::Http(answer)) => {
                    let kind = match answer.status().as_u16() {
                        401 | 403 => Kind::Credentials,
                        429 => Kind::RateLimited,
                        500.. => Kind::Server,
                        _ => Kind::Refused,
                    };
                    Trouble::new(kind, format!("{host} answered {} to a websocket", answer.status()))
                }
                HandshakeError::Failure(error) => away(error.to_string()),
                HandshakeError::Interrupted(_) => away("no answer in time".to_owned()),
            })?;
        let mut socket = Self { inner, heard: Instant::now(), asked: false, wait: CONNECT_MAX };
        socket.set_wait(READ_MAX)?;
        Ok(socket)
    }

    fn set_wait(&mut self, wait: Duration) -> Result<(), Trouble> {
        if wait == self.wait {
            return Ok(());
        }
        self.wait = wait;
        let set = match self.inner.get_ref() {
            MaybeTlsStream::Plain(stream) => stream.set_read_timeout(Some(wait)),
            MaybeTlsStream::Rustls(stream) => stream.sock.set_read_timeout(Some(wait)),
            _ => Ok(()),
        };
        set.map_err(|error| Trouble::new(Kind::Unreachable, format!("the stream broke: {error}")))
    }

    /// The next message, or nothing after half a second without one.
    pub fn read(&mut self) -> Result<Heard, Trouble> {
        self.read_within(READ_MAX)
    }

    /// The next message, or nothing after `wait` without one.
    pub fn read_within(&mut self, wait: Duration) -> Result<Heard, Trouble> {
        self.set_wait(wait)?;
        let heard = match self.inner.read() {
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes),
            Ok(Message::Text(text)) => Heard::Text(text.as_str().to_owned()),
            Ok(Message::Close(frame)) => {
                let why = frame.map(|frame| frame.reason.as_str().to_owned()).unwrap_or_default();
                return Err(Trouble::new(Kind::Unreachable, format!("the stream was closed {why}")));
            }
            Ok(_) => {
                self.alive();
                return Ok(Heard::Nothing);
            }
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.silent()?;
                return Ok(Heard::Nothing);
            }
            Err(error @ (Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_))) => {
                return Err(Trouble::protocol(format!("the stream broke: {error}")));
            }
            Err(error) => return Err(Trouble::new(Kind::Unreachable, format!("the stream broke: {error}"))),
        };
        self.alive();
        Ok(heard)
    }

    fn alive(&mut self) {
        self.heard = Instant::now();
        self.asked = false;
    }

    /// Nothing came for a while.
    fn silent(&mut self) -> Result<(), Trouble> {
        let silence = self.heard.elapsed();
        if silence > GONE_AFTER {
            return Err(Trouble::new(Kind::Unreachable, "the stream fell silent"));
        }
        if silence > SILENCE_MAX && !self.asked {
            self.asked = true;
            let asked = self.inner.send(Message::Ping(Bytes::new()));
            asked.map_err(|error| Trouble::new(Kind::Unreachable, format!("the stream broke: {error}")))?;
        }
        Ok(())
    }
}

/// Dials a host's addresses, one after the other.
fn dial(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::new(ErrorKind::NotFound, "its name is not known");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An address as it may be shown: some networks take tokens in the query.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}
