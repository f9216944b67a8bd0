//! A till in this process and a client that speaks to it.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tagtill::engine::{Engine, EngineConfig, Handle};
use tagtill::http::{Api, ApiConfig, GateConfig, MethodResolver, Server, hash_token};
use tagtill::store::Store;
use tagtill::till::record::{PaymentMethod, SettingsRecord};

pub const ADMIN: &str = "an-admin-token-of-32-characters-or-more";

struct Cards;

impl MethodResolver for Cards {
    fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)> {
        if gateway != "sandbox" {
            return Err(("payment_method.gateway", "is not known".to_owned()));
        }
        if token == "tok_slow" {
            std::thread::sleep(Duration::from_millis(700));
        } else if token != "tok_visa" {
            return Err(("payment_method.token", "is not known".to_owned()));
        }
        Ok(PaymentMethod {
            gateway: gateway.to_owned(),
            customer: "cus_1".to_owned(),
            token: token.to_owned(),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
        })
    }
}

pub struct Till {
    pub url: String,
    pub handle: Handle,
    agent: ureq::Agent,
    _server: Server,
    engine: Option<Engine>,
    _work_dir: tempfile::TempDir,
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

pub fn till() -> Till {
    till_with(true, |_| {}, Vec::new())
}

pub fn till_with(
    sandbox: bool,
    change: impl FnOnce(&mut GateConfig),
    trusted: Vec<std::net::IpAddr>,
) -> Till {
    till_of(&SettingsRecord { epoch: 1, sandbox, clock_offset_ms: 0, paused: false }, change, trusted)
}

pub fn till_of(
    settings: &SettingsRecord,
    change: impl FnOnce(&mut GateConfig),
    trusted: Vec<std::net::IpAddr>,
) -> Till {
    let store = Store::in_memory(settings).unwrap();
    let config = EngineConfig { given_token: Some(hash_token(ADMIN)), ..EngineConfig::default() };
    let engine = Engine::start(store, &config).unwrap();
    let work_dir = tempfile::tempdir().unwrap();
    let api = Arc::new(Api::new(ApiConfig {
        handle: engine.handle(),
        gateways: Arc::new(Cards),
        sandbox: settings.sandbox,
        trusted_proxies: trusted,
        work_dir: work_dir.path().to_owned(),
    }));
    let mut gate = GateConfig { slots: 16, shutdown_grace: Duration::from_secs(1), ..GateConfig::default() };
    change(&mut gate);
    let server = Server::start(gate, api).unwrap();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
    Till {
        url: format!("http://{}", server.local_addr()),
        handle: engine.handle(),
        agent: agent.build().into(),
        _server: server,
        engine: Some(engine),
        _work_dir: work_dir,
        next: AtomicU64::new(1),
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.stop();
        }
    }
}

impl Till {
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
