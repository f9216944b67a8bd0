//! What open consoles cost a till: processor seconds a minute with none and with fifty, each in a browser of its own
//! that asks every two seconds and says what it knows, as the page does.
//!
//! Rounds alternate, and medians are compared, because machines are never quiet for long. Run it with
//! `cargo bench --bench console`; `PURCHASES`, `CONSOLES`, `SECONDS_PER_ROUND` and `ROUNDS` may be set in the environment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]
#![allow(missing_docs, dead_code, reason = "a benchmark that uses a part of the tests' support")]

#[path = "../tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{ADMIN, Client, Site, account, wait_for};

const PATH: &str = "/v1/overview";
/// Buyers, and offers: each buyer buys each of them, as often as it takes.
const BUYERS: u64 = 200;
const OFFERS: u64 = 100;
/// From one question of a console to its next.
const EVERY: Duration = Duration::from_secs(2);
/// Sales a second of a till that sells.
const SALES: u64 = 10;

fn main() {
    let (purchases, consoles) = (setting("PURCHASES", 20_000), setting("CONSOLES", 50));
    let (time, rounds) = (Duration::from_secs(setting("SECONDS_PER_ROUND", 20)), setting("ROUNDS", 3));
    let site = Site::new();
    let till = site.start(&["--slots", "256"]);
    fill(&till.client, purchases);
    // What is counted is gone with the process.
    till.stop();
    let till = site.start(&["--slots", "256"]);
    println!("{purchases} purchases, {} MB of memory", memory_mb(till.id()));
    let begun = Instant::now();
    let whole = wait_for("all to be counted", || {
        let found = till.client.get(PATH);
        (found["counted"]["complete"] == true).then_some(found)
    });
    assert_eq!(whole["funnel"]["days"]["paid"], purchases);
    println!(
        "counted after {} ms; an answer has {} bytes",
        begun.elapsed().as_millis(),
        whole.to_string().len()
    );
    let next = AtomicU64::new(0);
    for sales in [0, SALES] {
        let mut found: [Vec<f64>; 2] = Default::default();
        for round in 1..=rounds {
            for (place, open) in [0, consoles].into_iter().enumerate() {
                let (cpu, bytes, known) = measure(&till, open, sales, time, &next);
                println!(
                    "{sales} sales/s, round {round}, {open} consoles: {cpu:.2} s of a processor a minute; {bytes} bytes of \
                     answers, {known} % of them empty"
                );
                found[place].push(cpu);
            }
        }
        let [none, many] = found.map(median);
        println!(
            "{sales} sales/s: {none:.2} s a minute without consoles, {many:.2} s with {consoles}: {:.2} s more, {:.1} % of \
             a core; ratio {:.2}",
            many - none,
            (many - none) / 0.6,
            many / none
        );
    }
    println!("{} MB of memory", memory_mb(till.id()));
    till.stop();
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A shop in which so many purchases were made and paid.
fn fill(client: &Client, purchases: u64) {
    let free = json!({"open_holds": null, "purchases_per_day": null, "spending_per_day": []});
    let limits = json!({"per_account": free, "per_card": free, "captures_per_hour": null});
    client.call("PUT", "/v1/limits", &limits).ok();
    let merchant = client.post("/v1/merchants", &json!({"name": "Shop"}))["id"].clone();
    for number in 0..OFFERS {
        let offer = json!({
            "merchant": merchant, "hashtag": tag("Buy", number), "title": format!("Thing {number}"),
            "price": {"amount": 1500, "currency": "USD"}, "quantity": 1_000_000, "per_account_limit": 100_000
        });
        client.post("/v1/offers", &offer);
    }
    for number in 0..BUYERS {
        client.post("/v1/accounts", &account(&format!("buyer{number}"), "tok_visa"));
    }
    let mut done = 0;
    while done < purchases {
        let part = (purchases - done).min(2000);
        for word in ["Buy", "Confirm"] {
            let mut lines = String::new();
            for number in done..done + part {
                writeln!(lines, "{}", post(word, number)).unwrap();
            }
            let answer = client.send("POST", "/v1/posts", "application/x-ndjson", lines.as_bytes()).unwrap();
            assert_eq!(answer.status, 200);
        }
        done += part;
        wait_for("the payments", || {
            let paid = client.get(PATH)["funnel"]["days"]["paid"].as_u64();
            (paid == Some(done)).then_some(())
        });
    }
    // Nobody posts them here.
    for reply in client.all("/v1/replies?network=sandbox").iter().take(200) {
        let path = format!("/v1/replies/{}/sent", reply["id"].as_str().unwrap());
        client.post(&path, &json!({"post_id": format!("r{}", reply["id"])}));
    }
}

/// `#BuyThing7a`: hashtags that end in a letter are told apart.
fn tag(word: &str, number: u64) -> String {
    format!("#{word}Thing{number}a")
}

/// A post that begins or confirms the purchase of this number.
fn post(word: &str, number: u64) -> Value {
    let (buyer, offer) = (number % BUYERS, number / BUYERS % OFFERS);
    support::post(&format!("{word}{number}"), &format!("buyer{buyer}"), &tag(word, offer))
}

/// Processor seconds of the till by the minute, bytes of answers, and how many in a hundred answers were empty.
fn measure(
    till: &support::Till,
    consoles: u64,
    sales: u64,
    time: Duration,
    next: &AtomicU64,
) -> (f64, u64, u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let open: Vec<_> = (0..consoles)
        .map(|number| {
            let (url, stop) = (till.client.url.clone(), Arc::clone(&stop));
            // Nobody opens theirs at the same moment.
            let wait = EVERY * u32::try_from(number).unwrap() / u32::try_from(consoles).unwrap();
            thread::spawn(move || console(&url, wait, &stop))
        })
        .collect();
    thread::sleep(EVERY);
    let (before, begun) = (cpu_seconds(till.id()), Instant::now());
    while begun.elapsed() < time {
        for _ in 0..sales {
            let number = next.fetch_add(1, Ordering::Relaxed) + 1_000_000_000;
            for word in ["Buy", "Confirm"] {
                till.client.post("/v1/posts", &post(word, number));
            }
        }
        thread::sleep(Duration::from_secs(1));
    }
    let used = (cpu_seconds(till.id()) - before) / begun.elapsed().as_secs_f64() * 60.0;
    stop.store(true, Ordering::Relaxed);
    let answers: Vec<(u64, u64, u64)> = open.into_iter().map(|one| one.join().unwrap()).collect();
    let sum = |of: fn(&(u64, u64, u64)) -> u64| answers.iter().map(of).sum::<u64>();
    (used, sum(|one| one.0), 100 * sum(|one| one.2) / sum(|one| one.1).max(1))
}

/// A console in a browser of its own, until told to stop: bytes, answers, and empty ones of these.
fn console(url: &str, wait: Duration, stop: &AtomicBool) -> (u64, u64, u64) {
    thread::sleep(wait);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let (mut tag, mut bytes, mut answers, mut known) = (String::new(), 0, 0, 0);
    while !stop.load(Ordering::Relaxed) {
        let request = agent.get(format!("{url}{PATH}")).header("Authorization", format!("Bearer {ADMIN}"));
        let mut answer = request.header("If-None-Match", &tag).call().unwrap();
        answer.headers()["etag"].to_str().unwrap().clone_into(&mut tag);
        known += u64::from(answer.status() == 304);
        bytes += answer.body_mut().read_to_vec().unwrap().len() as u64;
        answers += 1;
        thread::sleep(EVERY);
    }
    (bytes, answers, known)
}

/// Time of a process on any core, from the kernel's own books.
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let behind_name = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 =
        behind_name.split_whitespace().skip(11).take(2).map(|one| one.parse::<u64>().unwrap()).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

fn memory_mb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}
