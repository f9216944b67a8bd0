//! The description, probes, figures, backups, the clock; and what is said to calls that do not exist.

use super::till::{ADMIN, till, till_of, till_with};
use serde_json::{Value, json};
use tagtill::store::Store;
use tagtill::till::record::SettingsRecord;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openapi.json");

#[test]
fn the_api_is_described_as_it_was() {
    let now = serde_json::to_string_pretty(&tagtill::http::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &now).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        golden == now,
        "The API has changed. If that is meant, run `UPDATE_GOLDEN=1 cargo test --test api described`, read the \
         difference of tests/golden/openapi.json as your users will, and commit it."
    );
}

#[test]
fn the_description_is_whole() {
    let till = till();
    let document = till.call("", "GET", "/v1/openapi.json", &Value::Null).expect(200);
    assert_eq!(document, tagtill::http::openapi());
    let text = document.to_string();
    for (i, _) in text.match_indices("\"#/components/") {
        let pointer: String = text[i + 2..].chars().take_while(|&c| c != '"').collect();
        assert!(document.pointer(&pointer).is_some(), "{pointer}");
    }
    for route in tagtill::http::routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        assert_eq!(operation["operationId"], route.id);
    }
}

#[test]
fn unknown_paths_and_methods() {
    let till = till();
    till.get("/v1/nothing").problem(404, "not_found", "");
    till.get("/v1/offers/").problem(404, "not_found", "");
    let refused = till.call(ADMIN, "DELETE", "/v1/offers", &Value::Null);
    assert_eq!(refused.headers["allow"], "POST, GET, HEAD");
    refused.problem(405, "method_not_allowed", "");
    let head = till.call(ADMIN, "HEAD", "/v1/offers", &Value::Null);
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}

#[test]
fn a_sandbox_has_a_clock_of_its_own() {
    let till = till();
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    let bought = till.say("ann", "#BuyTea");
    let before = tagtill::till::time::Time::from_ms(tagtill::engine::wall_ms());
    let moved = till.post("/v1/sandbox/clock", &json!({"advance_seconds": 7200})).expect(200);
    let now = tagtill::till::time::Time::parse(moved["now"].as_str().unwrap()).unwrap();
    assert!((7_200_000..7_260_000).contains(&now.ms_since(before)), "{moved}");
    let purchase = till.get(&format!("/v1/purchases/{}", bought["purchase"].as_str().unwrap())).expect(200);
    assert_eq!(purchase["status"], "expired");
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": -1})).problem(
        400,
        "invalid_request",
        "advance_seconds",
    );
    till.post("/v1/sandbox/clock", &json!({"advance_seconds": 0})).problem(422, "invalid", "advance_seconds");
    let real = till_with(false, &[]);
    real.post("/v1/sandbox/clock", &json!({"advance_seconds": 1})).problem(404, "not_found", "");
}

#[test]
fn probes_and_figures() {
    let till = till();
    till.say("ann", "hello");
    assert_eq!(till.get("/healthz").expect(200), json!({"status": "ok"}));
    assert_eq!(till.get("/readyz").expect(200), json!({"status": "ready"}));
    let text = till.get("/metrics").text();
    for line in [
        "tagtill_ready 1",
        "tagtill_posts_total{verdict=\"no_offer\"} 1",
        "tagtill_requests_total{status=\"2xx\"} 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
        line.trim().parse::<f64>().unwrap()
    };
    for name in ["tick", "commit"] {
        // A tick comes with the start; what it counts is in one bucket or another.
        let count = figure(&format!("tagtill_{name}_seconds_count"));
        assert!(
            count.to_bits() == figure(&format!("tagtill_{name}_seconds_bucket{{le=\"+Inf\"}}")).to_bits()
        );
        assert!((figure(&format!("tagtill_{name}_seconds_sum")) > 0.0) == (count > 0.0), "{name}");
    }
    assert_eq!(till.post("/v1/resume", &Value::Null).expect(200), json!({"resumed": true}));
}

#[test]
fn a_backup_opens_and_holds_everything() {
    let till = till();
    let merchant = till.merchant();
    let answer = till.post("/v1/backups", &Value::Null);
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/octet-stream"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    std::fs::write(&path, &answer.bytes).unwrap();
    let store = Store::open_existing(&path, 1 << 20).unwrap();
    let id = tagtill::till::id::MerchantId::parse(&merchant).unwrap();
    let found =
        tagtill::till::state::Read::get::<tagtill::till::table::Merchants>(&store.snapshot().unwrap(), &id);
    assert_eq!(found.unwrap().unwrap().name, "Tea & Co");
}

#[test]
fn after_a_restore_nothing_goes_out_until_it_is_resumed() {
    let settings = SettingsRecord { epoch: 2, sandbox: true, clock_offset_ms: 0, paused: true };
    let till = till_of(&settings, &[]);
    till.offer(&till.merchant(), "Tea");
    till.account("ann");
    assert_eq!(till.say("ann", "#BuyTea")["verdict"], "pending");
    let replies = || till.get("/v1/replies?network=x").expect(200)["data"].as_array().unwrap().len();
    assert_eq!(replies(), 0);
    till.get("/readyz").problem(503, "unavailable", "");
    till.post("/v1/resume", &Value::Null).expect(200);
    assert_eq!(replies(), 1);
    till.get("/readyz").expect(200);
    // An event's id of the time before the restore.
    let old = "evt_0000000000000g000000000001";
    let refused = till.get(&format!("/v1/events?after={old}")).problem(400, "invalid_request", "after");
    assert!(refused["detail"].as_str().unwrap().contains("restored"), "{refused}");
}
