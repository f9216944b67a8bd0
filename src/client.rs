//! A small blocking client of a till's HTTP API, for whatever talks to a running one: subcommands and bridges.
//!
//! Plain HTTP only: it is for this machine or a private network. Whoever needs TLS has a reverse proxy in between.

use serde_json::Value;
use std::fmt;
use std::io::{Read, Write};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};

/// The largest answer read into memory; backups are streamed instead.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Longer than any long poll.
const ANSWER_WAIT: Duration = Duration::from_secs(120);

/// A till's address and a token for it.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Why a call did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The problem's code, where the answer carries one.
    pub code: Option<String>,
    /// What is wrong, for people: title, detail, each field.
    pub sentence: String,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for ClientError {}

impl ClientError {
    fn without_answer(sentence: String) -> Self {
        Self { status: None, code: None, sentence }
    }

    /// Reads an answer that is no success: `application/problem+json`, or whatever a proxy in between says.
    fn from_answer(status: u16, body: &[u8]) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| problem.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(title) = text("title") else {
            let shown: String = String::from_utf8_lossy(body).chars().take(200).collect();
            let sentence = match shown.trim() {
                "" => format!("the answer was {status}, without a word why"),
                shown => format!("the answer was {status}: {shown}"),
            };
            return Self { status: Some(status), code: None, sentence };
        };
        let mut sentence = format!("{title} ({status})");
        if let Some(detail) = text("detail").filter(|detail| *detail != title) {
            sentence.push_str(": ");
            sentence.push_str(detail);
        }
        for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let part = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("?");
            sentence.push_str("\n  ");
            sentence.push_str(part("field"));
            sentence.push(' ');
            sentence.push_str(part("detail"));
        }
        Self { status: Some(status), code: text("code").map(str::to_owned), sentence }
    }
}

impl Client {
    /// A client of the till at `url`, for example `http://127.0.0.1:8080`.
    pub fn new(url: &str, token: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The token goes where it was meant to go, and nowhere else.
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(ANSWER_WAIT))
            .build();
        Self {
            agent: config.into(),
            base: url.trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
        }
    }

    /// The same till with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.trim().to_owned(), ..self.clone() }
    }

    /// Where the till is.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Result<Value, ClientError> {
        json(self.send("GET", path, None)?)
    }

    /// `GET` of something that is text, as `/metrics` is.
    pub fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let body = read(&mut self.send("GET", path, None)?)?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// `POST`.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        json(self.send("POST", path, Some(body))?)
    }

    /// `POST` of lines of JSON; one line comes back for each.
    pub fn post_lines(&self, path: &str, lines: &str) -> Result<String, ClientError> {
        let body = read(&mut self.send_as("POST", path, Some(("application/x-ndjson", lines)))?)?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// `PUT`.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        json(self.send("PUT", path, Some(body))?)
    }

    /// `PATCH`.
    pub fn patch(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        json(self.send("PATCH", path, Some(body))?)
    }

    /// `DELETE`; `Null` where the answer has no body.
    pub fn delete(&self, path: &str) -> Result<Value, ClientError> {
        json(self.send("DELETE", path, None)?)
    }

    /// Every object of a list, page by page.
    pub fn all(&self, path: &str) -> Result<Vec<Value>, ClientError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{joint}limit=200");
        let mut next = first.clone();
        let mut found = Vec::new();
        loop {
            let mut page = self.get(&next)?;
            if let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) {
                found.extend(data);
            }
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => next = format!("{first}&cursor={cursor}"),
                None => return Ok(found),
            }
        }
    }

    /// Streams what `POST path` answers to `out`; returns the number of bytes. A copy cut short is an error.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> Result<u64, ClientError> {
        let response = self.send("POST", path, Some(&Value::Object(serde_json::Map::new())))?;
        let length = response.body().content_length();
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; 256 * 1024];
        let mut copied: u64 = 0;
        loop {
            let read = reader.read(&mut buffer).map_err(|error| {
                ClientError::without_answer(format!("the download broke off after {copied} bytes: {error}"))
            })?;
            let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
            out.write_all(piece).map_err(|error| {
                ClientError::without_answer(format!("cannot write the download: {error}"))
            })?;
            copied = copied.saturating_add(piece.len() as u64);
        }
        match length {
            Some(length) if length != copied => Err(ClientError::without_answer(format!(
                "the download broke off: {copied} of {length} bytes came"
            ))),
            _ => Ok(copied),
        }
    }

    /// Sends a request; only an answer that is a success comes back.
    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<ureq::Body>, ClientError> {
        let body = body.map(Value::to_string);
        self.send_as(method, path, body.as_deref().map(|body| ("application/json", body)))
    }

    fn send_as(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &str)>,
    ) -> Result<Response<ureq::Body>, ClientError> {
        if !self.base.starts_with("http://") {
            return Err(ClientError::without_answer(format!(
                "{} must begin with http://; there is no TLS here, so talk to the till from its own machine",
                self.base
            )));
        }
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Accept", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        let answer = match body {
            Some((kind, body)) => request
                .header("Content-Type", kind)
                .body(body.to_owned())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
            None => request.body(()).map_err(ureq::Error::from).and_then(|request| self.agent.run(request)),
        };
        let mut response = answer.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = read(&mut response).unwrap_or_default();
        Err(ClientError::from_answer(status.as_u16(), &body))
    }

    fn unreachable(&self, error: &ureq::Error) -> ClientError {
        let sentence = match error {
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
                format!("{} is not an address with a token that can be sent: {error}", self.base)
            }
            ureq::Error::Timeout(_) => format!("the till at {} did not answer in time", self.base),
            _ => format!("no till answers at {}: {error}", self.base),
        };
        ClientError::without_answer(sentence)
    }
}

fn read(response: &mut Response<ureq::Body>) -> Result<Vec<u8>, ClientError> {
    response
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_vec()
        .map_err(|error| ClientError::without_answer(format!("the till's answer broke off: {error}")))
}

fn json(mut response: Response<ureq::Body>) -> Result<Value, ClientError> {
    let body = read(&mut response)?;
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|error| {
        ClientError::without_answer(format!("the answer is no JSON; is that a till? ({error})"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    /// Answers one connection with `answer`, whatever it is asked; returns its address.
    fn one_answer(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_problem_becomes_a_sentence_with_its_fields() {
        let problem = json!({"title": "Invalid request", "status": 422, "detail": "Two fields are wrong.",
            "code": "invalid", "errors": [{"field": "price.amount", "detail": "must be from 1 to 99999999"},
                                          {"field": "hashtag", "detail": "is taken"}]});
        let error = ClientError::from_answer(422, problem.to_string().as_bytes());
        assert_eq!(
            error.to_string(),
            "Invalid request (422): Two fields are wrong.\n  price.amount must be from 1 to 99999999\n  \
             hashtag is taken"
        );
        assert_eq!(error.code.as_deref(), Some("invalid"));
    }

    #[test]
    fn what_is_no_problem_document_is_shown_as_it_is() {
        assert_eq!(
            ClientError::from_answer(502, b"Bad Gateway\n").to_string(),
            "the answer was 502: Bad Gateway"
        );
        assert_eq!(ClientError::from_answer(500, b"").to_string(), "the answer was 500, without a word why");
    }

    #[test]
    fn the_token_is_never_shown() {
        let client = Client::new("http://127.0.0.1:1/", "secret-token");
        assert!(!format!("{client:?}").contains("secret"));
        assert_eq!(client.url(), "http://127.0.0.1:1");
        assert!(client.get("/v1/offers").unwrap_err().to_string().starts_with("no till answers at"));
    }

    #[test]
    fn tls_is_refused_with_a_reason() {
        let error = Client::new("https://till.example.com", "t").get("/healthz").unwrap_err();
        assert!(error.to_string().contains("must begin with http://"), "{error}");
    }

    #[test]
    fn a_redirect_is_not_followed() {
        let url =
            one_answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(Client::new(&url, "t").get("/").unwrap_err().status, Some(302));
    }

    #[test]
    fn a_download_cut_short_is_an_error() {
        let whole = one_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nredb");
        let mut copy = Vec::new();
        assert_eq!(Client::new(&whole, "t").download("/v1/backups", &mut copy), Ok(4));
        assert_eq!(copy, b"redb");
        let cut = one_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nredb");
        assert!(Client::new(&cut, "t").download("/v1/backups", &mut Vec::new()).is_err());
    }
}
