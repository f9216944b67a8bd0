//! Lists, page by page.

use super::till::{Till, till};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Every item of a list, in pages of two.
fn all(till: &Till, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = format!("{path}{}limit=2", if path.contains('?') { '&' } else { '?' });
    let first = next.clone();
    for _ in 0..100 {
        let page = till.get(&next).expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        found.extend(data.iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        assert_eq!(data.len(), 2, "only the last page may be short: {page}");
        next = format!("{first}&cursor={cursor}");
    }
    panic!("{path} never ends");
}

fn filled() -> (Till, String) {
    let till = till();
    let merchant = till.merchant();
    for i in 0..4 {
        till.merchant();
        till.token("processor");
        till.account(&format!("u{i}"));
    }
    for name in ["Tea", "Milk", "Sugar", "Bread", "Honey"] {
        till.offer(&merchant, name);
        till.say("u1", &format!("#Buy{name}"));
    }
    (till, merchant)
}

#[test]
fn every_list_pages_newest_first_and_ends() {
    let (till, merchant) = filled();
    for (path, count) in
        [("merchants", 5), ("tokens", 4), ("accounts", 4), ("offers", 5), ("purchases", 5), ("orders", 0)]
    {
        let items = all(&till, &format!("/v1/{path}"));
        let ids: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), count, "{path}");
        assert!(ids.is_sorted_by(|newer, older| newer > older), "{path} {ids:?}");
    }
    let events = all(&till, "/v1/events");
    let ids: Vec<_> = events.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert!(ids.len() >= 14 && ids.is_sorted_by(|older, newer| older < newer), "{ids:?}");
    assert_eq!(all(&till, &format!("/v1/offers?merchant={merchant}&status=live")).len(), 5);
}

#[test]
fn filters_hold_across_pages() {
    let (till, _) = filled();
    let purchases = all(&till, "/v1/purchases");
    let account = purchases[0]["account"].as_str().unwrap();
    let offer = purchases[0]["offer"].as_str().unwrap();
    assert_eq!(all(&till, &format!("/v1/purchases?account={account}")).len(), 5);
    assert_eq!(all(&till, &format!("/v1/purchases?offer={offer}")).len(), 1);
    assert_eq!(all(&till, "/v1/purchases?status=pending").len(), 5);
    assert_eq!(all(&till, "/v1/purchases?status=paid").len(), 0);
}

#[test]
fn bad_parameters_are_named() {
    let (till, _) = filled();
    let cursor = till.get("/v1/accounts?limit=1").json()["next_cursor"].as_str().unwrap().to_owned();
    for (path, field) in [
        ("/v1/accounts?limit=0", "limit"),
        ("/v1/accounts?limit=x", "limit"),
        ("/v1/accounts?limit=1&limit=1", "limit"),
        ("/v1/accounts?cursor=zzz", "cursor"),
        (&format!("/v1/offers?cursor={cursor}"), "cursor"),
        ("/v1/accounts?colour=red", "colour"),
        ("/v1/purchases?status=happy", "status"),
        ("/v1/purchases?account=off_1", "account"),
        ("/v1/purchases?offer=1", "offer"),
        ("/v1/events?after=evt_1", "after"),
        ("/v1/events?after=evt_0000000000000000000000000a", "after"),
        ("/v1/events?wait_seconds=-1", "wait_seconds"),
        ("/v1/replies", "network"),
        ("/v1/merchants/mer_1?a=b", "a"),
    ] {
        till.get(path).problem(400, "invalid_request", field);
    }
}

#[test]
fn more_than_the_most_is_taken_as_the_most() {
    let (till, _) = filled();
    let most = till.get("/v1/accounts?limit=200").expect(200);
    assert_eq!(till.get("/v1/accounts?limit=4000000000&cursor=").expect(200), most);
    let events = till.get("/v1/events?limit=1000&wait_seconds=3600").expect(200);
    assert!(!events["data"].as_array().unwrap().is_empty());
}

#[test]
fn cursors_of_another_epoch_are_refused() {
    let (till, _) = filled();
    let cursor = till.get("/v1/accounts?limit=1").json()["next_cursor"].as_str().unwrap().to_owned();
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    bytes[3] += 1;
    let old = URL_SAFE_NO_PAD.encode(bytes);
    let detail = till.get(&format!("/v1/accounts?cursor={old}")).problem(400, "invalid_request", "cursor");
    assert!(detail["detail"].as_str().unwrap().contains("restored"), "{detail}");
    assert_eq!(till.get("/v1/accounts?limit=200").json()["next_cursor"], json!(null));
}
