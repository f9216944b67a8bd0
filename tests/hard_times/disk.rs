//! No room on the disk: nothing that was acknowledged is lost, and it sells again when there is room.

use crate::support::{ADMIN, Client, Site, account, binary, buyer, post, shop, wait_for};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// Runs a till of which no file may grow beyond so many bytes: writing further fails, as on a full disk.
fn start_limited(site: &Site, file_kib: u64) -> (std::process::Child, Client) {
    // The shell sets the limit, has the signal that would come with it ignored, and becomes the till.
    let script = format!("trap '' XFSZ; ulimit -f {file_kib}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_tagtill"));
    command.args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"]).arg(site.data());
    command.arg("--admin-token-file").arg(site.path("token")).env("TAGTILL_LOG", "error");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let url = line.strip_prefix("tagtill listens on ").unwrap_or_else(|| panic!("{line}"));
    (child, Client::new(url, ADMIN))
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
    let status = wait_for("the end of the till", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
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
    let (mut child, client) = start_limited(&site, bytes / 1024 + 64);
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
    child.kill().unwrap();
    child.wait().unwrap();
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
