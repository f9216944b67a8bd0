//! No room on the disk: nothing that was acknowledged is lost, and it sells again when there is room.

use crate::support::{ADMIN, Client, Site, account, binary, buyer, charges, post, shop, wait_for};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// A till that does not outlive its test.
struct Limited(Child);

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a till of which no file may grow beyond so many bytes: writing further fails, as on a full disk.
fn start_limited(site: &Site, file_kib: u64) -> (Limited, Client) {
    // The shell sets the limit, has the signal that would come with it ignored, and becomes the till.
    let script = format!("trap '' XFSZ; ulimit -S -f {file_kib}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_tagtill"));
    command.args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"]).arg(site.data());
    command.arg("--admin-token-file").arg(site.path("token")).env("TAGTILL_LOG", "error");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let url = line.strip_prefix("tagtill listens on ").unwrap_or_else(|| panic!("{line}"));
    (Limited(child), Client::new(url, ADMIN))
}

/// Moves the limit of a till that runs; none is room enough.
fn limit(till: &Limited, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let process = Pid::from_raw(i32::try_from(till.0.id()).unwrap());
    prlimit(process, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// Ends a till and returns what it had logged.
fn end(mut till: Limited) -> String {
    let sent = Command::new("kill").args(["-TERM", &till.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let mut said = String::new();
    till.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(till.0.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn on_a_full_disk_it_says_so_and_ends_and_goes_on_when_there_is_room() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(1_000_000));
    buyer(&till.client, "ann", "tok_visa");
    till.stop();
    let file_kib = std::fs::metadata(site.data()).unwrap().len() / 1024;
    let (mut child, client) = start_limited(&site, file_kib + 256);
    let mut acknowledged = Vec::new();
    let refused = wait_for("a full disk", || {
        let first = post(&format!("s{}", acknowledged.len()), "ann", "#BuyThing");
        let answer = client.call("POST", "/v1/posts", &first);
        if answer.status != 200 {
            return Some(answer);
        }
        acknowledged.push((first, answer.json()));
        let linked =
            client.call("POST", "/v1/accounts", &account(&format!("u{}", acknowledged.len()), "tok_visa"));
        (linked.status != 201).then_some(linked)
    });
    assert_eq!(refused.status, 503, "{}", String::from_utf8_lossy(&refused.body));
    assert_eq!(refused.json()["code"], "unavailable");
    assert!(refused.header("retry-after").is_some());
    assert!(refused.json()["detail"].as_str().unwrap().contains("stopping"));
    // Until it ends, whoever looks is shown what there is or told to come again.
    let status = wait_for("the end of the till", || {
        if let Ok(shown) = client.send("GET", "/v1/offers", "application/json", b"") {
            assert!(matches!(shown.status, 200 | 503), "{}", String::from_utf8_lossy(&shown.body));
            assert!(shown.status == 200 || shown.json()["code"] == "unavailable");
        }
        child.0.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(1));
    let mut said = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    for part in ["till.redb", "could not be written", "File too large", "start the till again"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // As it was left, then with room again.
    site.ok(&["verify"]);
    let till = site.start(&[]);
    assert!(!acknowledged.is_empty());
    for (post, first) in &acknowledged {
        let again = till.client.post("/v1/posts", post);
        assert_eq!((&again["verdict"], &again["purchase"]), (&first["verdict"], &first["purchase"]));
        assert_eq!(again["repeated"], true);
    }
    assert_eq!(
        till.client.post("/v1/posts", &post("late", "ann", "#BuyThing"))["verdict"],
        "already_pending"
    );
    till.stop();
    site.ok(&["verify"]);
}

#[test]
fn a_backup_without_room_leaves_nothing_and_the_till_runs_on() {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(10));
    till.stop();
    let bytes = std::fs::metadata(site.data()).unwrap().len();
    let (_till, client) = start_limited(&site, bytes / 1024 + 64);
    // Here it is the command that has no room.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 2048);
    let target = site.path("backup.redb");
    let output = Command::new("bash")
        .args(["-c", &script, env!("CARGO_BIN_EXE_tagtill"), "backup"])
        .arg(&target)
        .env("TAGTILL_DATA", site.data())
        .env("TAGTILL_TOKEN_FILE", site.path("token"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
    assert!(!target.exists() && !site.path("backup.redb.tmp").exists(), "nothing is left behind");
    assert_eq!(client.get("/readyz")["status"], "ready");
}

#[test]
fn a_fresh_file_that_does_not_fit_leaves_nothing() {
    let site = Site::new();
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(binary().get_program())
        .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"])
        .arg(site.data())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("till.redb") && said.contains("Make room"), "{said}");
    assert!(!site.data().exists() && !site.path("till.redb.new").exists());
}

/// The names of what lies beside a data file.
fn beside(site: &Site) -> Vec<String> {
    let entries = std::fs::read_dir(site.folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn assert_no_backup(client: &Client) {
    let refused = client.call("POST", "/v1/backups", &json!({}));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!(refused.header("retry-after"), Some("60"));
    let problem = refused.json();
    assert_eq!(problem["code"], "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("The till runs on"), "{problem}");
}

#[test]
fn a_backup_that_breaks_off_or_finds_no_room_is_told_and_leaves_nothing() {
    let site = Site::new();
    let (child, client) = start_limited(&site, 1 << 30);
    shop(&client, "BuyThing", Some(10));
    let before = beside(&site);
    // Breaks off in the middle: nothing else is written meanwhile, so that only the copy meets the limit.
    limit(&child, Some(64 * 1024));
    assert_no_backup(&client);
    assert_eq!(beside(&site), before);
    limit(&child, None);
    // Is not even begun: behind its end, where the till never looks, the data file seems to fill the disk.
    let data = std::fs::OpenOptions::new().write(true).open(site.data()).unwrap();
    let (bytes, disk) = (data.metadata().unwrap().len(), rustix::fs::fstatvfs(&data).unwrap());
    data.set_len(bytes + disk.f_bavail * disk.f_frsize).unwrap();
    assert_no_backup(&client);
    data.set_len(bytes).unwrap();
    assert_eq!(beside(&site), before);
    let copied = client.call("POST", "/v1/backups", &json!({}));
    assert_eq!(copied.status, 200);
    assert!(copied.body.starts_with(b"redb"));
    assert_eq!(beside(&site), before);
    buyer(&client, "ann", "tok_visa");
    let said = end(child);
    for part in ["the backup failed", "File too large", "bytes free, and a backup wants", "make room there"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    site.ok(&["verify"]);
}

#[test]
fn what_a_killed_till_left_of_a_backup_is_removed_at_the_next_start() {
    let site = Site::new();
    let left = site.path("tagtill-backup-0123456789abcdef");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("copy.redb"), "addresses").unwrap();
    site.start(&[]).stop();
    assert!(!left.exists());
}

#[test]
fn charges_wait_for_room_in_the_ledger_and_none_is_made_twice() {
    let site = Site::new();
    let limit_bytes = 16 * 1024 * 1024;
    let ledger = site.path("till.redb.sandbox-ledger");
    // An entry of no consequence, so that there is room for some charges, and for plenty in the data file.
    let entry = |name: &str| json!({"entry": "cancelled", "reference": name}).to_string() + "\n";
    let room = 1000 + entry("").len();
    std::fs::write(&ledger, entry(&"x".repeat(limit_bytes - room))).unwrap();
    let (child, client) = start_limited(&site, (limit_bytes / 1024) as u64);
    shop(&client, "BuyThing", None);
    let users: Vec<_> = (0..8).map(|n| format!("u{n}")).collect();
    for user in &users {
        buyer(&client, user, "tok_visa");
        client.post("/v1/posts", &post(&format!("{user}-buy"), user, "#BuyThing"));
        let confirmed = client.post("/v1/posts", &post(&format!("{user}-confirm"), user, "#ConfirmThing"));
        assert_eq!(confirmed["verdict"], "confirmed");
    }
    let paid = || client.all("/v1/purchases?status=paid").len();
    let unknowns = || client.all("/v1/purchases?status=capturing").len();
    // As many as there was room for; the others are asked about again and again.
    wait_for("a charge that fits", || (paid() > 0).then_some(()));
    client.post("/v1/sandbox/clock", &json!({"advance_seconds": 60}));
    wait_for("the ledger to be full", || {
        let bytes = std::fs::metadata(&ledger).unwrap().len();
        (bytes + 300 > limit_bytes as u64).then_some(())
    });
    assert!(paid() < users.len() && paid() + unknowns() == users.len());
    assert_eq!(client.get("/readyz")["status"], "ready");
    limit(&child, None);
    wait_for("everybody's charge", || {
        client.post("/v1/sandbox/clock", &json!({"advance_seconds": 60}));
        (paid() == users.len()).then_some(())
    });
    let purchases = client.all("/v1/purchases?status=paid");
    let said = end(child);
    let charged = charges(&ledger);
    assert_eq!(charged.len(), users.len());
    for purchase in &purchases {
        assert_eq!(charged.get(purchase["id"].as_str().unwrap()), Some(&1));
    }
    assert_eq!(said.matches("captures and refunds wait").count(), 1, "told once: {said}");
    for part in ["till.redb.sandbox-ledger", "File too large", "Make room there"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // And what it had to break off does not stand in the way of the next start.
    site.start(&[]).stop();
    site.ok(&["verify"]);
}
