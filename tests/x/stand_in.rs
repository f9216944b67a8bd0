//! A stand-in for X's API v2: answers as the public documentation says, checks signatures, and does what it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use sha1::Sha1;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

pub const API_KEY: &str = "xvz1evFS4wEEPTGEFPHBog";
pub const API_KEY_SECRET: &str = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw";
pub const ACCESS_TOKEN: &str = "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb";
pub const ACCESS_TOKEN_SECRET: &str = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE";
pub const BEARER: &str = "AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0tagtill";

/// A recorded shape from the documentation, with what a test puts into it.
pub fn recorded(name: &str, parts: &[(&str, &str)]) -> Value {
    let path = format!("{}/tests/x/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let text = parts.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    serde_json::from_str(&text).unwrap()
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

/// What it answers.
pub enum Say {
    /// This.
    Answer(u16, Vec<(String, String)>, Value),
    /// It does what was asked, and answers with this.
    Do(u16, Value),
    /// It does what was asked, and the answer is lost.
    Lost,
    /// It does what was asked, and answers once it is told to; the answer is lost if nobody is left to tell it.
    Later(Receiver<()>),
    /// It streams what it is told.
    Stream(Receiver<String>),
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    script: HashMap<String, VecDeque<Say>>,
    /// Replies that were posted: id, what they answer, text.
    posted: Vec<(String, String, String)>,
    rules: Vec<Value>,
}

#[derive(Clone)]
pub struct StandIn {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self { url, state: Arc::default() };
        let server = this.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        this
    }

    /// Tells what to say the next time to `GET /path`.
    pub fn script(&self, what: &str, say: Say) {
        self.state.lock().unwrap().script.entry(what.to_owned()).or_default().push_back(say);
    }

    /// Everything that was asked of `GET /path`.
    pub fn asked(&self, what: &str) -> Vec<Asked> {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|it| format!("{} {}", it.method, it.path) == what).cloned().collect()
    }

    /// The replies that are out: id, what they answer, text.
    pub fn posted(&self) -> Vec<(String, String, String)> {
        self.state.lock().unwrap().posted.clone()
    }

    pub fn rules(&self) -> Vec<Value> {
        self.state.lock().unwrap().rules.clone()
    }

    pub fn add_rule(&self, rule: Value) {
        self.state.lock().unwrap().rules.push(rule);
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let asked = Asked {
            method,
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        self.answer(stream, &asked)
    }

    fn answer(&self, mut stream: TcpStream, asked: &Asked) -> Option<()> {
        let (status, headers, body) = if self.is_authorized(asked) {
            let what = format!("{} {}", asked.method, asked.path);
            let mut state = self.state.lock().unwrap();
            state.asked.push(asked.clone());
            let said = state.script.get_mut(&what).and_then(VecDeque::pop_front);
            match said {
                Some(Say::Answer(status, headers, body)) => (status, headers, body),
                Some(Say::Do(status, body)) => {
                    usual(&mut state, asked);
                    (status, Vec::new(), body)
                }
                Some(Say::Lost) => {
                    usual(&mut state, asked);
                    return None;
                }
                Some(Say::Later(told)) => {
                    let said = usual(&mut state, asked);
                    drop(state);
                    told.recv().ok()?;
                    said
                }
                Some(Say::Stream(lines)) => {
                    drop(state);
                    write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").ok()?;
                    for line in lines {
                        let line = format!("{line}\r\n");
                        write!(stream, "{:x}\r\n{line}\r\n", line.len()).ok()?;
                        stream.flush().ok()?;
                    }
                    return None;
                }
                None => usual(&mut state, asked),
            }
        } else {
            (401, Vec::new(), json!({"title": "Unauthorized", "detail": "Unauthorized", "status": 401}))
        };
        let body = body.to_string();
        write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n", body.len())
            .ok()?;
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n").ok()?;
        }
        write!(stream, "\r\n{body}").ok()
    }

    /// Whether a request carries the app's bearer token, or is signed with the four keys.
    fn is_authorized(&self, asked: &Asked) -> bool {
        let given = asked.headers.get("authorization").cloned().unwrap_or_default();
        let app = asked.path.contains("/search/stream") || asked.path == "/2/webhooks";
        if app {
            return given == format!("Bearer {BEARER}");
        }
        let Some(given) = given.strip_prefix("OAuth ") else { return false };
        let decode =
            |text: &str| percent_decode_str(text.trim_matches('"')).decode_utf8().unwrap().into_owned();
        let given: BTreeMap<String, String> = given
            .split(", ")
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let mut signed: Vec<(String, String)> = asked.query.clone().into_iter().collect();
        signed.extend(given.clone().into_iter().filter(|(name, _)| name != "oauth_signature"));
        let mut signed: Vec<String> =
            signed.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        signed.sort();
        let url = format!("{}{}", self.url, asked.path);
        let base = format!("{}&{}&{}", asked.method, encode(&url), encode(&signed.join("&")));
        let key = format!("{API_KEY_SECRET}&{ACCESS_TOKEN_SECRET}");
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(base.as_bytes());
        given["oauth_consumer_key"] == API_KEY
            && given["oauth_token"] == ACCESS_TOKEN
            && given["oauth_signature"] == STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn encode(text: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}

/// What X does where nothing goes wrong.
fn usual(state: &mut State, asked: &Asked) -> (u16, Vec<(String, String)>, Value) {
    let fine = |body| (200, Vec::new(), body);
    let what = format!("{} {}", asked.method, asked.path);
    match what.as_str() {
        "GET /2/users/me" => {
            (200, vec![("x-access-level".to_owned(), "read-write".to_owned())], recorded("me", &[]))
        }
        "GET /2/users/1111111111111111111/mentions" => fine(recorded("no_mentions", &[])),
        "GET /2/users/2222222222222222222" => fine(recorded("user", &[])),
        "POST /2/tweets" => {
            let id = (9_000_000_000_000_000_000_u64 + state.posted.len() as u64).to_string();
            let text = asked.body["text"].as_str().unwrap().to_owned();
            let to = asked.body["reply"]["in_reply_to_tweet_id"].as_str().unwrap().to_owned();
            state.posted.push((id.clone(), to, text.clone()));
            (201, Vec::new(), json!({"data": {"id": id, "text": text, "edit_history_tweet_ids": [id]}}))
        }
        "GET /2/users/1111111111111111111/tweets" => {
            let posted = state.posted.iter().map(|(id, to, text)| {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                json!({
                    "id": id, "text": format!("@OtherUser {text}"), "created_at": super::now(),
                    "edit_history_tweet_ids": [id],
                    "referenced_tweets": [{"type": "replied_to", "id": to}]
                })
            });
            let posted: Vec<Value> = posted.rev().collect();
            fine(json!({"data": posted, "meta": {"result_count": posted.len()}}))
        }
        _ if asked.path.ends_with("/retweeted_by") => fine(json!({"meta": {"result_count": 0}})),
        "GET /2/tweets" => fine(json!({"data": []})),
        "GET /2/tweets/search/stream/rules" => fine(json!({"data": state.rules})),
        "POST /2/tweets/search/stream/rules" => {
            let none = Vec::new();
            let gone = asked.body.pointer("/delete/ids").and_then(Value::as_array).unwrap_or(&none);
            state.rules.retain(|rule| !gone.contains(&rule["id"]));
            let mut added = Vec::new();
            for rule in asked.body["add"].as_array().unwrap_or(&none) {
                let mut rule = rule.clone();
                rule["id"] = json!(format!("12730264806923223{:02}", state.rules.len()));
                state.rules.push(rule.clone());
                added.push(rule);
            }
            (201, Vec::new(), json!({"data": added, "meta": {"summary": {"created": added.len()}}}))
        }
        "GET /2/webhooks" => fine(recorded("webhooks", &[])),
        "GET /2/tweets/search/stream" => (403, Vec::new(), recorded("client_not_enrolled", &[])),
        _ => (404, Vec::new(), json!({"title": "Not Found", "status": 404})),
    }
}
