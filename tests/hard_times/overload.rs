//! More than the till can take in: refused at once, within bounded memory, and served again afterwards.

use crate::support::{Client, Site, buyer, post, shop, wait_for};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tagtill::http::{GateConfig, Handler, Request, Responder, Server};

/// Posts that the writer has to judge, from people that it does not know.
fn body(name: &str, lines: usize) -> String {
    (0..lines)
        .map(|n| post(&format!("{name}-{n}"), &format!("{name}{n}"), "#BuyThing").to_string() + "\n")
        .collect()
}

fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_full_queue_is_told_at_once_and_memory_is_bounded_and_it_sells_again() {
    let site = Site::new();
    let till = site.start(&["--queue-max", "1", "--cache-mib", "8"]);
    shop(&till.client, "BuyThing", Some(10));
    buyer(&till.client, "ann", "tok_visa");
    let over = Arc::new(AtomicBool::new(false));
    let flood: Vec<_> = (0..6)
        .map(|n| {
            let (client, over) = (till.client.clone(), Arc::clone(&over));
            std::thread::spawn(move || {
                let mut refused = 0;
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let lines = body(&format!("flood{n}x{round}"), 8000);
                    let answer =
                        client.send("POST", "/v1/posts", "application/x-ndjson", lines.as_bytes()).unwrap();
                    assert_eq!(answer.status, 200);
                    let text = String::from_utf8(answer.body).unwrap();
                    assert_eq!(text.lines().count(), 8000, "one line out per line in, in any weather");
                    refused += text.matches("\"overloaded\"").count();
                }
                refused
            })
        })
        .collect();
    // Each has its own post, so that no answer is a repeated one.
    let mut n = 0;
    let refused = wait_for("a single post that finds no room", || {
        n += 1;
        let answer = till.client.call("POST", "/v1/posts", &post(&format!("single{n}"), "ann", "#BuyThing"));
        (answer.status == 503).then_some(answer)
    });
    assert_eq!(refused.json()["code"], "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    // Who only looks is served all along.
    assert_eq!(till.client.get("/healthz")["status"], "ok");
    over.store(true, Ordering::Relaxed);
    let refused: usize = flood.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(refused > 0, "lines that found no room are told so in their place");
    let peak = peak_memory_kib(till.id());
    assert!(peak < 600 * 1024, "{peak} KiB at the most, for six bodies of 8,000 lines at a time");
    let bought = till.client.post("/v1/posts", &post("after", "ann", "#BuyThing"));
    assert!(matches!(bought["verdict"].as_str(), Some("pending" | "already_pending")), "{bought}");
    till.stop();
    site.ok(&["verify"]);
}

#[test]
fn a_second_backup_at_once_is_a_conflict_and_both_know() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(10));
    let lines = body("many", 3000);
    till.client.send("POST", "/v1/posts", "application/x-ndjson", lines.as_bytes()).unwrap();
    let one = |client: &Client| client.call("POST", "/v1/backups", &json!({}));
    wait_for("two backups at the same time", || {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let client = till.client.clone();
                std::thread::spawn(move || one(&client))
            })
            .collect();
        let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(answers.iter().any(|answer| answer.status == 200), "one of them is made");
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
        for answer in &refused {
            assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("conflict")));
        }
        (!refused.is_empty()).then_some(())
    });
    assert_eq!(one(&till.client).status, 200, "and the next one is made again");
    till.stop();
}

/// Never answers, and never returns.
struct Stuck;

impl Handler for Stuck {
    fn handle(&self, _: Request, responder: Responder) {
        let _kept = responder;
        loop {
            std::thread::park();
        }
    }
}

#[test]
fn a_handler_that_never_returns_does_not_hold_up_the_end() {
    let config = GateConfig { shutdown_grace: Duration::from_millis(200), ..GateConfig::default() };
    let server = Server::start(config, Arc::new(Stuck)).unwrap();
    let client = Client::new(&format!("http://{}", server.local_addr()), "");
    let asking = std::thread::spawn(move || client.send("GET", "/", "text/plain", b""));
    wait_for("a request in the handler", || (server.stats().busy == 1).then_some(()));
    let ending = std::thread::spawn(move || server.shutdown());
    wait_for("the end of the server", || ending.is_finished().then_some(()));
    // Whoever asked gets an answer that says so, or none; he is not left waiting.
    wait_for("the end of the request", || asking.is_finished().then_some(()));
    if let Ok(answer) = asking.join().unwrap() {
        assert!(answer.status >= 500);
    }
}
