//! The real binary on a free port, and a client that speaks to it.

use super::support::{self, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use tagtill::engine::{Engine, EngineConfig};
use tagtill::http::{Api, ApiConfig, GateConfig, MethodResolver, Server, hash_token};
use tagtill::store::Store;
use tagtill::till::record::{PaymentMethod, SettingsRecord};
use tagtill::till::role::Role;

pub use super::support::ADMIN;

/// What keeps a till running; dropped last.
enum Running {
    Binary { _till: support::Till, _site: Site },
    InProcess { _server: Server, engine: Option<Engine>, _folder: tempfile::TempDir },
}

pub struct Till {
    pub url: String,
    agent: ureq::Agent,
    running: Running,
    next: AtomicU64,
}

pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// A problem with this status, code and field (`""`: none in particular).
    #[track_caller]
    pub fn problem(self, status: u16, code: &str, field: &str) -> Value {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text());
        let id = self.headers["x-request-id"].clone();
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["request_id"], id, "{body}");
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        if !field.is_empty() {
            assert_eq!(body["errors"][0]["field"], field, "{body}");
            assert!(!body["errors"][0]["detail"].as_str().unwrap().is_empty(), "{body}");
        }
        body
    }
}

/// A sandbox.
pub fn till() -> Till {
    till_with(true, &[])
}

/// A till with further flags of `serve`.
pub fn till_with(sandbox: bool, flags: &[&str]) -> Till {
    till_of(&SettingsRecord { epoch: 1, sandbox, clock_offset_ms: 0, paused: false }, flags)
}

/// A till on a file that begins with these settings.
pub fn till_of(settings: &SettingsRecord, flags: &[&str]) -> Till {
    let site = Site::new();
    drop(Store::open(&site.data(), 16 << 20, settings).unwrap());
    let mode: &[&str] = if settings.sandbox { &["--sandbox"] } else { &[] };
    let mut all = vec!["--tick-ms", "100"];
    if !flags.contains(&"--slots") {
        all.extend(["--slots", "16"]);
    }
    all.extend(flags);
    let till = site.start_with(mode, &all);
    let url = till.client.url.clone();
    Till::new(url, Running::Binary { _till: till, _site: site })
}

/// A mock: the sandbox gateway answers at once, and one test needs a gateway that takes its time.
struct SlowGateway {
    asked: Mutex<Sender<()>>,
    answer: Mutex<Receiver<()>>,
}

impl MethodResolver for SlowGateway {
    fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)> {
        self.asked.lock().unwrap().send(()).unwrap();
        self.answer.lock().unwrap().recv().unwrap();
        let (customer, brand, last4) = ("cus_1".to_owned(), "visa".to_owned(), "4242".to_owned());
        Ok(PaymentMethod {
            gateway: gateway.to_owned(),
            customer,
            token: token.to_owned(),
            brand,
            last4,
            fingerprint: String::new(),
        })
    }
}

/// A till in this process whose gateway tells when it is asked, and answers when it is told to.
pub fn till_with_slow_gateway() -> (Till, Receiver<()>, Sender<()>) {
    let ((asked, is_asked), (go, answer)) = (channel(), channel());
    let gateway = SlowGateway { asked: Mutex::new(asked), answer: Mutex::new(answer) };
    let settings = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
    let config =
        EngineConfig { given_tokens: vec![(hash_token(ADMIN), Role::Admin)], ..EngineConfig::default() };
    let engine = Engine::start(Store::in_memory(&settings).unwrap(), &config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let api = Arc::new(Api::new(ApiConfig {
        handle: engine.handle(),
        gateways: Arc::new(gateway),
        sandbox: true,
        trusted_proxies: Vec::new(),
        work_dir: folder.path().to_owned(),
        public_url: None,
        rehearsals: None,
    }));
    let server = Server::start(GateConfig { slots: 16, ..GateConfig::default() }, api).unwrap();
    let url = format!("http://{}", server.local_addr());
    let running = Running::InProcess { _server: server, engine: Some(engine), _folder: folder };
    (Till::new(url, running), is_asked, go)
}

impl Drop for Till {
    fn drop(&mut self) {
        if let Running::InProcess { engine, .. } = &mut self.running
            && let Some(engine) = engine.take()
        {
            engine.stop();
        }
    }
}

impl Till {
    fn new(url: String, running: Running) -> Self {
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        Self { url, agent: agent.build().into(), running, next: AtomicU64::new(1) }
    }

    /// Any request.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        let bytes = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        Answer { status, headers, bytes }
    }

    /// A request with a token (`""`: none) and a body of JSON (null: none).
    pub fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.call_keyed(token, method, path, body, None)
    }

    pub fn call_keyed(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = Vec::new();
        if !token.is_empty() {
            headers.push(("Authorization", bearer.as_str()));
        }
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        if !body.is_null() {
            headers.push(("Content-Type", "application/json"));
        }
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        self.send(method, path, &headers, &bytes)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call(ADMIN, "GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(ADMIN, "POST", path, body)
    }

    /// Lines of posts.
    pub fn lines(&self, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/x-ndjson")];
        self.send("POST", "/v1/posts", &headers, body.as_bytes())
    }

    pub fn unique(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    #[track_caller]
    fn make(&self, path: &str, body: &Value) -> String {
        self.post(path, body).expect(201)["id"].as_str().unwrap().to_owned()
    }

    pub fn merchant(&self) -> String {
        self.make("/v1/merchants", &json!({"name": "Tea & Co"}))
    }

    pub fn account(&self, user: &str) -> String {
        self.make("/v1/accounts", &account(user))
    }

    /// An offer under `#Buy<name>`.
    pub fn offer(&self, merchant: &str, name: &str) -> String {
        self.make("/v1/offers", &offer(merchant, name))
    }

    pub fn token(&self, role: &str) -> String {
        self.post("/v1/tokens", &json!({ "role": role })).expect(201)["token"].as_str().unwrap().to_owned()
    }

    /// Waits until this many long polls wait.
    pub fn until_waiting(&self, count: usize) {
        let line = format!("tagtill_waiting {count}");
        support::wait_for(&line, || {
            self.get("/metrics").text().lines().any(|found| found == line).then_some(())
        });
    }

    /// How many events there are: what is refused adds none.
    pub fn events(&self) -> usize {
        self.get("/v1/events?limit=200").expect(200)["data"].as_array().unwrap().len()
    }

    /// A post by `user` that says `text`, judged.
    #[track_caller]
    pub fn say(&self, user: &str, text: &str) -> Value {
        self.post("/v1/posts", &post(&format!("p{}", self.unique()), user, text)).expect(200)
    }
}

pub fn account(user: &str) -> Value {
    json!({
        "identities": [{"network": "x", "user_id": user, "handle": user}],
        "email": "someone@example.com",
        "billing_address": {
            "name": "Jo Doe", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"
        },
        "payment_method": {"gateway": "sandbox", "token": "tok_visa"}
    })
}

pub fn offer(merchant: &str, name: &str) -> Value {
    json!({
        "merchant": merchant, "kind": "purchase", "hashtag": format!("#Buy{name}"), "title": "Green tea",
        "price": {"amount": 1999, "currency": "USD"}, "quantity": 5
    })
}

pub fn post(id: &str, user: &str, text: &str) -> Value {
    json!({"network": "x", "id": id, "author": {"user_id": user, "handle": user}, "text": text})
}
