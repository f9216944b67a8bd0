//! Drives the real binary: a till on a free port, a client, and the ways in which it can end.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const ADMIN: &str = "an-admin-token-for-tests-of-32-characters-or-more";

/// A folder of its own with a token file, for one till.
pub struct Site {
    pub folder: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), ADMIN).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("till.redb")
    }

    /// Starts a sandbox till on this folder's file.
    pub fn start(&self, extra: &[&str]) -> Till {
        self.start_with(&["--sandbox"], extra)
    }

    pub fn start_with(&self, mode: &[&str], extra: &[&str]) -> Till {
        self.start_as(binary(), mode, extra)
    }

    /// Starts a sandbox till where one was before.
    pub fn start_at(&self, listen: &str) -> Till {
        self.start_on(listen, binary(), &["--sandbox"], &[])
    }

    /// Starts a till with a command that ends in the binary's name.
    pub fn start_as(&self, command: Command, mode: &[&str], extra: &[&str]) -> Till {
        self.start_on("127.0.0.1:0", command, mode, extra)
    }

    fn start_on(&self, listen: &str, mut command: Command, mode: &[&str], extra: &[&str]) -> Till {
        command.arg("serve").arg("--data").arg(self.data()).args(["--listen", listen]);
        command.arg("--admin-token-file").arg(self.path("token"));
        let mut child = command.args(mode).args(extra).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let Some(url) = first.strip_prefix("tagtill listens on ").map(str::to_owned) else {
            let _ = child.kill();
            panic!("the till did not start: {first:?}");
        };
        Till { child: Some(child), client: Client::new(&url, ADMIN) }
    }

    /// Runs a subcommand with this folder's file and token.
    pub fn run(&self, args: &[&str]) -> Output {
        binary()
            .args(args)
            .env("TAGTILL_DATA", self.data())
            .env("TAGTILL_TOKEN_FILE", self.path("token"))
            .output()
            .unwrap()
    }

    /// Runs a subcommand that must succeed; returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "tagtill {args:?}: {}\n{out}{err}", output.status);
        out.into_owned()
    }
}

pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagtill"));
    command.env("TAGTILL_LOG", "warn");
    command
}

/// A running till.
pub struct Till {
    child: Option<Child>,
    pub client: Client,
}

impl Till {
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// As a crash would: nothing is finished, nothing is closed.
    pub fn kill_9(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; must end with 0.
    pub fn stop(mut self) {
        let mut child = self.child.take().unwrap();
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(child.wait().unwrap().success(), "a clean stop exits 0");
    }

    /// Waits until the process has ended by itself; its exit code.
    pub fn ended(mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let status = wait_for("the end of the till", || child.try_wait().unwrap());
        status.code()
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_none()
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// A blocking client with one token; with an empty one, it says nothing of a token.
#[derive(Clone)]
pub struct Client {
    pub url: String,
    pub token: String,
    agent: ureq::Agent,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(90)))
            .build();
        Self { url: url.to_owned(), token: token.to_owned(), agent: config.into() }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Sends a request; `Err` where no answer came.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        self.run(method, path, &[("Content-Type", kind)], body)
    }

    fn run(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(body.to_vec())?)?;
        let status = response.status().as_u16();
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec()?;
        Ok(Answer { status, headers, body })
    }

    /// Posts JSON under an idempotency key; `Err` where no answer came.
    pub fn send_keyed(&self, path: &str, key: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        self.run("POST", path, &[("Content-Type", "application/json"), ("Idempotency-Key", key)], body)
    }

    /// Posts with further headers.
    pub fn send_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        self.run("POST", path, headers, body)
    }

    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json", body.to_string().as_bytes()).unwrap()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.send("GET", path, "application/json", b"").unwrap().ok()
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, body).ok()
    }

    /// Every object of a list.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut next = format!("{path}{joint}limit=200");
        loop {
            let page = self.get(&next);
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("{path}{joint}limit=200&cursor={cursor}"),
                None => return found,
            }
        }
    }
}

/// Waits until `done` gives something; fails after a minute.
#[track_caller]
pub fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A shop with one merchant and one offer.
pub fn shop(client: &Client, hashtag: &str, quantity: Option<u64>) -> (String, String) {
    let merchant = client.post("/v1/merchants", &json!({"name": "Shop"}))["id"].as_str().unwrap().to_owned();
    let offer = client.post(
        "/v1/offers",
        &json!({
            "merchant": merchant, "kind": "purchase", "hashtag": hashtag, "title": "A thing",
            "price": {"amount": 1500, "currency": "USD"}, "quantity": quantity, "per_account_limit": 1000
        }),
    );
    (merchant, offer["id"].as_str().unwrap().to_owned())
}

/// Links a buyer on the sandbox network.
pub fn buyer(client: &Client, user_id: &str, card: &str) -> Value {
    client.post("/v1/accounts", &account(user_id, card))
}

pub fn account(user_id: &str, card: &str) -> Value {
    json!({
        "identities": [{"network": "sandbox", "user_id": user_id, "handle": user_id}],
        "email": format!("{user_id}@example.com"),
        "billing_address": {"name": "Jo Doe", "line1": "1 Main St", "city": "Springfield", "region": "IL",
                            "postal_code": "62701", "country": "US"},
        "payment_method": {"gateway": "sandbox", "token": card}
    })
}

pub fn post(id: &str, user_id: &str, text: &str) -> Value {
    json!({"network": "sandbox", "id": id, "author": {"user_id": user_id, "handle": user_id}, "text": text})
}

/// How often each purchase was charged, from the sandbox gateway's own ledger.
pub fn charges(ledger: &Path) -> std::collections::HashMap<String, u32> {
    let mut charged = std::collections::HashMap::new();
    for line in std::fs::read_to_string(ledger).unwrap_or_default().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        if entry["entry"] == "charged" {
            // A reference is `sbx_<purchase>-<attempt>`.
            let reference = entry["reference"].as_str().unwrap();
            let purchase = reference.trim_start_matches("sbx_").rsplit_once('-').unwrap().0.to_owned();
            *charged.entry(purchase).or_default() += 1;
        }
    }
    charged
}
