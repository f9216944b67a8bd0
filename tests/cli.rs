//! The command line, as a user meets it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use support::{Client, Site, binary, buyer, post, shop, wait_for};

#[test]
fn the_first_start_prints_an_admin_token_once() {
    let site = Site::new();
    let start = || {
        let mut child = binary()
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"])
            .arg(site.data())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    };
    let (mut child, lines) = start();
    let shown: Vec<String> = lines.take(4).map(Result::unwrap).collect();
    let url = shown[0].strip_prefix("tagtill listens on ").unwrap();
    let token = shown[3].strip_prefix("admin token, shown this once: ").unwrap();
    assert_eq!(Client::new(url, token).get("/v1/merchants")["data"], json!([]));
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, mut lines) = start();
    let again: Vec<String> = lines.by_ref().take(6).map(Result::unwrap).collect();
    let ends = ["/", "/link", "/playground"];
    assert!(again[3..].iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{again:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(rest, Vec::<String>::new(), "no second token");
}

#[test]
fn tokens_are_made_listed_and_revoked_with_and_without_a_running_till() {
    let site = Site::new();
    let till = site.start(&[]);
    let made = site.ok(&["token", "create", "--role", "network:sandbox"]);
    let secret = made.lines().find_map(|line| line.strip_prefix("token: ")).unwrap().to_owned();
    let id = made.lines().find_map(|line| line.strip_prefix("id:    ")).unwrap().to_owned();
    let bot = till.client.with_token(&secret);
    assert_eq!(bot.get("/v1/replies")["data"], json!([]));
    assert!(site.ok(&["token", "list"]).contains(&id));
    till.stop();
    let other = site.ok(&["token", "create", "--role", "admin"]);
    assert!(site.ok(&["token", "list"]).contains("admin"));
    site.ok(&["token", "revoke", &id]);
    let till = site.start(&[]);
    assert_eq!(till.client.with_token(&secret).call("GET", "/v1/replies", &json!(null)).status, 401);
    let admin = other.lines().find_map(|line| line.strip_prefix("token: ")).unwrap();
    assert_eq!(till.client.with_token(admin).get("/v1/merchants")["data"], json!([]));
    till.stop();
}

#[test]
fn a_sandbox_file_opens_only_with_sandbox_and_any_other_only_without() {
    let site = Site::new();
    site.start(&[]).stop();
    let serve = |mode: &[&str]| {
        let mut command = binary();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(site.data()).args(mode);
        command.output().unwrap()
    };
    let refused = serve(&[]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--sandbox"));
    let refused = serve(&["--sandbox", "--clock-start", "2013-02-12T14:00:00Z"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("fresh file"));
    std::fs::remove_file(site.data()).unwrap();
    let till = site.start_with(&[], &[]);
    let gateway = till.client.call("POST", "/v1/accounts", &support::account("ann", "tok_visa"));
    assert_eq!(gateway.status, 422);
    assert_eq!(gateway.json()["errors"][0]["field"], "payment_method.gateway");
    let clock = till.client.call("POST", "/v1/sandbox/clock", &json!({"advance_seconds": 1}));
    assert!(matches!(clock.status, 403 | 404), "only under --sandbox");
    till.stop();
    assert!(!serve(&["--sandbox"]).status.success());
}

#[test]
fn a_live_key_is_refused_in_a_sandbox() {
    let site = Site::new();
    std::fs::write(site.path("key"), "sk_live_of_the_tests").unwrap();
    let output = binary()
        .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--payments", "stripe", "--stripe-key-file"])
        .arg(site.path("key"))
        .arg("--data")
        .arg(site.data())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("refused under --sandbox") && !said.contains("sk_live"), "{said}");
    assert!(!site.data().exists());
}

#[test]
fn export_writes_every_table_and_no_secret() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "#BuyThing", Some(3));
    buyer(&till.client, "ann", "tok_visa");
    till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    let made = site.ok(&["token", "create", "--role", "processor"]);
    let live = site.ok(&["export"]);
    till.stop();
    let file = site.ok(&["export"]);
    for text in [&live, &file] {
        for line in text.lines() {
            let _: serde_json::Value = serde_json::from_str(line).unwrap();
        }
        for table in ["settings", "merchants", "accounts", "offers", "stocks", "posts", "purchases", "events"]
        {
            assert!(text.contains(&format!("\"table\":\"{table}\"")), "{table}");
        }
        assert!(!text.contains("\"tokens\""));
        assert!(!text.contains(made.lines().last().unwrap().trim_start_matches("token: ")));
    }
}

#[test]
fn a_short_admin_token_and_a_busy_port_are_told_plainly() {
    let site = Site::new();
    std::fs::write(site.path("short"), "too short").unwrap();
    let output = binary()
        .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--admin-token-file"])
        .arg(site.path("short"))
        .arg("--data")
        .arg(site.data())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("32 characters"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = binary()
        .args(["serve", "--sandbox", "--listen", &taken.local_addr().unwrap().to_string(), "--data"])
        .arg(site.data())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--listen"));
}

#[test]
fn help_says_what_each_command_does() {
    for command in [
        "",
        "demo",
        "serve",
        "backup",
        "restore",
        "verify",
        "explain",
        "export",
        "token",
        "bench",
        "resume",
        "words",
        "completions",
    ] {
        let args: Vec<&str> = [command, "--help"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let output = binary().args(args).output().unwrap();
        assert!(output.status.success());
        assert!(output.stdout.len() > 200, "{command}: {}", String::from_utf8_lossy(&output.stdout));
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = binary().args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty());
    }
}

#[test]
fn words_of_ones_own_are_printed_checked_and_spoken() {
    let site = Site::new();
    let folder = site.path("words");
    std::fs::create_dir(&folder).unwrap();
    let words = |args: &[&str]| binary().arg("words").args(args).output().unwrap();
    let check = || words(&["--check", folder.to_str().unwrap()]);
    let wrong = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(wrong(&check()).contains("`tagtill words --show en` prints one"));
    let listed = String::from_utf8(words(&[]).stdout).unwrap();
    assert!(listed.contains("held [{price}, {confirm} and {window}]"), "{listed}");
    let english = String::from_utf8(words(&["--show", "en"]).stdout).unwrap();
    assert!(wrong(&words(&["--show", "pt"])).contains("there are en, de, es, fr, ja"));
    let dutch = english.replace("language = \"en\"", "language = \"nl\"").replace("Sold out", "Uitverkocht");
    std::fs::write(folder.join("nl.toml"), &dutch).unwrap();
    let output = check();
    assert!(String::from_utf8_lossy(&output.stdout).contains("The till speaks en, de, es, fr, ja, nl."));
    std::fs::write(folder.join("nl.toml"), dutch.replace("{price}", "{prijs}")).unwrap();
    let refused = wrong(&check());
    assert!(refused.contains("nl.toml: reply.confirmed[0]: has {prijs}, but takes {price}"), "{refused}");
    std::fs::write(folder.join("nl.toml"), &dutch).unwrap();
    let till = site.start(&["--words", folder.to_str().unwrap(), "--lang", "nl"]);
    shop(&till.client, "BuyThing", Some(1));
    for user in ["ann", "bob"] {
        buyer(&till.client, user, "tok_visa");
    }
    till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    let answer = till.client.post("/v1/posts", &post("p2", "bob", "#BuyThing"));
    assert!(answer["reply"]["text"].as_str().unwrap().contains("Uitverkocht"), "{answer}");
    till.stop();
}

#[test]
fn the_sandbox_clock_moves_and_what_is_due_has_happened_when_it_answers() {
    let site = Site::new();
    let till = site.start(&["--clock-start", "2013-02-12T14:00:00Z"]);
    shop(&till.client, "BuyThing", Some(1));
    buyer(&till.client, "ann", "tok_visa");
    let bought = till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    let id = bought["purchase"].as_str().unwrap();
    let pending = till.client.get(&format!("/v1/purchases/{id}"));
    assert!(pending["created_at"].as_str().unwrap().starts_with("2013-02-12T14:0"), "{pending}");
    // reply_wait 600 + window 900 + grace 30
    let moved = till.client.post("/v1/sandbox/clock", &json!({"advance_seconds": 1535}));
    assert!(moved["now"].as_str().unwrap().starts_with("2013-02-12T14:2"), "{moved}");
    assert_eq!(till.client.get(&format!("/v1/purchases/{id}"))["status"], "expired");
    till.stop();
    // The offset is kept with the file.
    let till = site.start(&[]);
    let moved = till.client.post("/v1/sandbox/clock", &json!({"advance_seconds": 60}));
    assert!(moved["now"].as_str().unwrap().starts_with("2013-02-12T14:2"), "{moved}");
    till.stop();
}

#[test]
fn the_declined_card_frees_its_unit_and_the_slow_one_is_asked_about() {
    let site = Site::new();
    let till = site.start(&[]);
    let (_, offer) = shop(&till.client, "BuyThing", Some(5));
    let cards =
        [("ann", "tok_declined", "declined"), ("bob", "tok_timeout", "paid"), ("cy", "tok_amex", "paid")];
    for (user, card, status) in cards {
        buyer(&till.client, user, card);
        till.client.post("/v1/posts", &post(&format!("{user}-b"), user, "#BuyThing"));
        let confirmed = till.client.post("/v1/posts", &post(&format!("{user}-c"), user, "#ConfirmThing"));
        let id = confirmed["purchase"].as_str().unwrap().to_owned();
        wait_for(status, || {
            (till.client.get(&format!("/v1/purchases/{id}"))["status"] == status).then_some(())
        });
    }
    let offer = till.client.get(&format!("/v1/offers/{offer}"));
    assert_eq!((&offer["available"], &offer["held"], &offer["sold"]), (&json!(3), &json!(0), &json!(2)));
    till.stop();
}

#[cfg(unix)]
#[test]
fn what_is_written_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new();
    let till = site.start(&[]);
    let gone = buyer(&till.client, "ann", "tok_visa")["id"].as_str().unwrap().to_owned();
    site.ok(&["backup", site.path("backup.redb").to_str().unwrap()]);
    till.client.call("DELETE", &format!("/v1/accounts/{gone}"), &json!(null)).ok();
    till.stop();
    site.ok(&["restore", site.path("backup.redb").to_str().unwrap(), "--force"]);
    for name in
        ["till.redb", "till.redb.erased", "till.redb.replaced", "till.redb.sandbox-ledger", "backup.redb"]
    {
        let mode = std::fs::metadata(site.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn nobody_reading_is_no_failure() {
    let site = Site::new();
    let till = site.start(&[]);
    (0..2000).for_each(|_| drop(till.client.post("/v1/merchants", &json!({"name": "Shop with a name"}))));
    till.stop();
    let mut child =
        binary().arg("export").env("TAGTILL_DATA", site.data()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_post_shows_what_followed_from_it() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(5));
    buyer(&till.client, "ann", "tok_declined");
    till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    let first = till.client.post("/v1/posts", &post("p2", "ann", "#ConfirmThing"));
    let followed = wait_for("the reply about the decline", || {
        let seen = till.client.get("/v1/posts/sandbox/p2");
        seen.get("followed_by").cloned()
    });
    assert!(followed["text"].as_str().unwrap().contains("nothing was charged"), "{followed}");
    let again = till.client.post("/v1/posts", &post("p2", "ann", "#ConfirmThing"));
    assert_eq!(again["reply"], first["reply"], "a repeated delivery gets the first answer");
    // The same from the till that runs, and from its file afterwards.
    let running = site.run(&["explain", "sandbox", "p2"]);
    till.stop();
    let stopped = site.run(&["explain", "sandbox", "p2"]);
    assert_eq!(running, stopped);
    let said = String::from_utf8(stopped.stdout).unwrap();
    for part in ["confirmed · ", "declined (card_declined)", "A reply was queued", "purchase  pur_"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = site.run(&["explain", "sandbox", "p2", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["verdict"], "confirmed");
    let none = site.run(&["explain", "sandbox", "p9"]);
    assert!(!none.status.success());
    assert!(String::from_utf8(none.stderr).unwrap().contains("leave no trace"));
}
