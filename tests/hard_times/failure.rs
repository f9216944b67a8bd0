//! A disk that fails altogether, under a till in this process: who still asks is told to come again.

use crate::support::{ADMIN, Client};
use serde_json::json;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tagtill::engine::{Engine, EngineConfig};
use tagtill::http::{Api, ApiConfig, GateConfig, MethodResolver, Server, hash_token};
use tagtill::payments::Gateways;
use tagtill::store::{Disk, Store};
use tagtill::till::record::{PaymentMethod, SettingsRecord};
use tagtill::till::role::Role;

/// A mock: a disk in memory that fails when it is told to, because no real one does.
#[derive(Debug, Clone, Default)]
struct Frail {
    bytes: Arc<Mutex<Vec<u8>>>,
    broken: Arc<AtomicBool>,
}

impl Frail {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> io::Result<T> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(work(&mut self.bytes.lock().unwrap()))
    }
}

impl Disk for Frail {
    fn len(&self) -> io::Result<u64> {
        self.with(|all| all.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        self.with(|all| out.copy_from_slice(&all[from..from + out.len()]))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|all| all.resize(usize::try_from(len).unwrap(), 0))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        self.with(|all| all[from..from + bytes.len()].copy_from_slice(bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|_| ())
    }
}

struct NoGateways;

impl MethodResolver for NoGateways {
    fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)> {
        Gateways::default().resolve(gateway, token)
    }
}

#[test]
fn once_the_disk_has_failed_everybody_is_told_to_come_again() {
    let disk = Frail::default();
    let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
    // Nothing is kept in memory, so that reading fails like writing.
    let store = Store::on_disk(disk.clone(), 0, &fresh).unwrap();
    let config =
        EngineConfig { given_tokens: vec![(hash_token(ADMIN), Role::Admin)], ..EngineConfig::default() };
    let engine = Engine::start(store, &config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let api = Api::new(ApiConfig {
        handle: engine.handle(),
        gateways: Arc::new(NoGateways),
        sandbox: true,
        trusted_proxies: Vec::new(),
        work_dir: folder.path().to_owned(),
        public_url: None,
        rehearsals: None,
    });
    let server = Server::start(GateConfig { slots: 16, ..GateConfig::default() }, Arc::new(api)).unwrap();
    let client = Client::new(&format!("http://{}", server.local_addr()), ADMIN);
    let shop = client.post("/v1/merchants", &json!({"name": "Shop"}));
    let path = format!("/v1/merchants/{}", shop["id"].as_str().unwrap());
    client.get(&path);
    disk.broken.store(true, Ordering::Relaxed);
    let asked = [
        client.call("POST", "/v1/merchants", &json!({"name": "Late"})),
        client.send("GET", &path, "application/json", b"").unwrap(),
        client.send("GET", "/v1/offers", "application/json", b"").unwrap(),
        client.send("GET", "/readyz", "application/json", b"").unwrap(),
    ];
    for answer in asked {
        assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.json()["code"], "unavailable");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(engine.handle().failure().unwrap().contains("the disk is gone"));
    server.shutdown();
    engine.stop();
}
