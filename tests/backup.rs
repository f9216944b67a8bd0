//! Backups: under load, after a clean stop, and what a restore does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use support::{Client, Site, Till, binary, buyer, post, shop, wait_for};

/// Posts without end, from a few buyers, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads = (0..4)
            .map(|who| {
                let user = format!("u{who}");
                buyer(client, &user, "tok_visa");
                let (client, stop, count) = (client.clone(), Arc::clone(&stop), Arc::clone(&count));
                std::thread::spawn(move || {
                    for n in 0.. {
                        for (tag, text) in [("b", "#BuyThing"), ("c", "#ConfirmThing")] {
                            if stop.load(Ordering::Relaxed) {
                                return;
                            }
                            client.post("/v1/posts", &post(&format!("{user}-{n}{tag}"), &user, text));
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            })
            .collect();
        Self { stop, count, threads }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

fn verify(site: &Site, name: &str) -> String {
    site.ok(&["verify", site.path(name).to_str().unwrap()])
}

#[test]
fn ten_of_ten_backups_under_load_are_whole() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", None);
    let load = Load::start(&till.client);
    for n in 0..10 {
        let before = load.count.load(Ordering::Relaxed);
        wait_for("some load", || (load.count.load(Ordering::Relaxed) > before + 10).then_some(()));
        let name = format!("backup-{n}.redb");
        site.ok(&["backup", site.path(&name).to_str().unwrap()]);
        let said = verify(&site, &name);
        assert!(said.starts_with("verify holds") && said.contains("purchases"), "{said}");
    }
    load.stop();
    till.stop();
}

#[test]
fn after_a_clean_stop_a_plain_copy_is_a_backup() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(10));
    let load = Load::start(&till.client);
    wait_for("some load", || (load.count.load(Ordering::Relaxed) > 50).then_some(()));
    load.stop();
    till.stop();
    std::fs::copy(site.data(), site.path("copy.redb")).unwrap();
    assert!(verify(&site, "copy.redb").starts_with("verify holds"));
}

fn sell_one(till: &Till, user: &str, tag: &str) -> String {
    let bought = till.client.post("/v1/posts", &post(&format!("{tag}-b"), user, "#BuyThing"));
    assert_eq!(bought["verdict"], "pending", "{bought}");
    let confirmed = till.client.post("/v1/posts", &post(&format!("{tag}-c"), user, "#ConfirmThing"));
    assert_eq!(confirmed["verdict"], "confirmed", "{confirmed}");
    confirmed["purchase"].as_str().unwrap().to_owned()
}

#[test]
fn a_restored_till_waits_for_resume_and_sells_on() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(10));
    buyer(&till.client, "ann", "tok_visa");
    let gone = buyer(&till.client, "bob", "tok_visa")["id"].as_str().unwrap().to_owned();
    let kept = sell_one(&till, "ann", "one");
    wait_for("the capture", || {
        (till.client.get(&format!("/v1/purchases/{kept}"))["status"] == "paid").then_some(())
    });
    let event_before = till.client.get("/v1/events?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    site.ok(&["backup", site.path("backup.redb").to_str().unwrap()]);
    // After the backup: something that is lost, and an erasure that must not be.
    sell_one(&till, "ann", "two");
    till.client.call("DELETE", &format!("/v1/accounts/{gone}"), &json!(null)).ok();
    till.stop();

    let backup = site.path("backup.redb");
    let refused = site.run(&["restore", backup.to_str().unwrap()]);
    assert!(!refused.status.success(), "a restore never overwrites without --force");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    let dry = site.ok(&["restore", backup.to_str().unwrap(), "--dry-run"]);
    assert!(dry.contains("Nothing was changed"), "{dry}");
    site.ok(&["restore", backup.to_str().unwrap(), "--force"]);
    assert!(site.path("till.redb.replaced").exists());

    let till = site.start(&[]);
    assert_eq!(till.client.call("GET", "/readyz", &json!(null)).status, 503, "paused");
    let erased = till.client.get(&format!("/v1/accounts/{gone}"));
    assert_eq!(erased["status"], "erased", "the erasure is applied again: {erased}");
    let purchase = sell_one(&till, "ann", "three");
    assert_eq!(till.client.get(&format!("/v1/purchases/{purchase}"))["status"], "capturing", "captures wait");
    let old = till.client.call("GET", &format!("/v1/events?after={event_before}"), &json!(null));
    assert_eq!(old.status, 400, "an event id of before the restore is told so");
    site.ok(&["resume"]);
    wait_for("the capture after resume", || {
        (till.client.get(&format!("/v1/purchases/{purchase}"))["status"] == "paid").then_some(())
    });
    assert_eq!(till.client.call("GET", "/readyz", &json!(null)).status, 200);
    till.stop();
    assert!(site.ok(&["verify"]).starts_with("verify holds"));
}

#[test]
fn what_is_no_backup_is_refused_and_changes_nothing() {
    let site = Site::new();
    let junk = site.path("junk");
    std::fs::write(&junk, vec![7; 50_000]).unwrap();
    for args in [["verify", junk.to_str().unwrap()], ["restore", junk.to_str().unwrap()]] {
        let output = site.run(&args);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("damaged, or is no data file"), "{said}");
    }
    assert!(!site.data().exists());
    assert_eq!(std::fs::read(&junk).unwrap(), vec![7; 50_000]);
}

#[test]
fn one_till_runs_on_a_file_at_a_time() {
    let site = Site::new();
    let till = site.start(&[]);
    let second = binary()
        .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"])
        .arg(site.data())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("open in another process"), "{said}");
    till.stop();
}
