//! Kill -9 in the middle of a load: what was acknowledged is there, nothing is charged twice, everything adds up.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use support::{Client, Site, buyer, charges, post, shop, wait_for};

const BUYERS: usize = 8;

/// What one client was told: post → (verdict, purchase).
type Told = HashMap<String, (String, Option<String>)>;

fn load(client: &Client, who: usize, round: usize, stop: &AtomicBool, told: &Mutex<Told>, count: &AtomicU64) {
    let user = format!("u{who}");
    for n in 0.. {
        for (suffix, text) in [("buy", "#BuyThing"), ("confirm", "#ConfirmThing")] {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let id = format!("r{round}-{user}-{n}-{suffix}");
            // No answer: nobody knows whether it happened, and nothing was promised.
            let Ok(answer) = client.send(
                "POST",
                "/v1/posts",
                "application/json",
                post(&id, &user, text).to_string().as_bytes(),
            ) else {
                return;
            };
            if answer.status != 200 {
                return;
            }
            let answer = answer.json();
            let purchase = answer["purchase"].as_str().map(str::to_owned);
            told.lock().unwrap().insert(id, (answer["verdict"].as_str().unwrap().to_owned(), purchase));
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn check(client: &Client, site: &Site, told: &Told) {
    for (id, (verdict, purchase)) in told {
        let seen = client.get(&format!("/v1/posts/sandbox/{id}"));
        assert_eq!(seen["verdict"], verdict.as_str(), "{id} was acknowledged");
        assert_eq!(seen["purchase"]["id"].as_str(), purchase.as_deref(), "{id}");
    }
    let settled = |purchase: &Value| purchase["status"] != "capturing";
    let purchases = wait_for("the captures that the crash left", || {
        let all = client.all("/v1/purchases");
        all.iter().all(settled).then_some(all)
    });
    let charged = charges(&site.path("till.redb.sandbox-ledger"));
    let paid: Vec<_> =
        purchases.iter().filter(|p| p["status"] == "paid").map(|p| p["id"].as_str().unwrap()).collect();
    for id in &paid {
        assert_eq!(charged.get(*id), Some(&1), "{id} is paid and charged once");
    }
    assert_eq!(charged.len(), paid.len(), "nothing is charged that is not paid");
    for (verdict, purchase) in told.values() {
        if verdict == "confirmed" {
            let id = purchase.as_deref().unwrap();
            assert!(paid.contains(&id), "{id} was confirmed, and it is paid");
        }
    }
}

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let rounds: usize =
        std::env::var("TAGTILL_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let site = Site::new();
    let mut till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(1_000_000));
    for who in 0..BUYERS {
        buyer(&till.client, &format!("u{who}"), if who == 7 { "tok_timeout" } else { "tok_visa" });
    }
    for round in 0..rounds {
        let told = Arc::new(Mutex::new(Told::new()));
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads: Vec<_> = (0..BUYERS)
            .map(|who| {
                let (client, told) = (till.client.clone(), Arc::clone(&told));
                let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
                std::thread::spawn(move || load(&client, who, round, &stop, &told, &count))
            })
            .collect();
        // A different moment in each round.
        let enough = 40 + u64::try_from(round * 7 % 50).unwrap();
        wait_for("a load under way", || (count.load(Ordering::Relaxed) >= enough).then_some(()));
        till.kill_9();
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
        till = site.start(&[]);
        let told = told.lock().unwrap();
        assert!(told.len() >= usize::try_from(enough).unwrap());
        check(&till.client, &site, &told);
    }
    till.stop();
    let said = site.ok(&["verify"]);
    assert!(said.starts_with("verify holds"), "{said}");
    println!("{rounds} rounds: {said}");
}
