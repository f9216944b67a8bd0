//! A till of a user who may not do everything: run by root, these tests run it as nobody.

use crate::support::{Client, Site, post, shop};
use serde_json::json;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// A user without rights, by the custom of every Unix.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A site that belongs to whoever runs the commands of [`tagtill`], with a data file in it and the binary.
fn site() -> Site {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(3));
    till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    till.stop();
    site.ok(&["backup", site.path("backup.redb").to_str().unwrap()]);
    // The user may not be allowed where the binary was built.
    std::fs::copy(env!("CARGO_BIN_EXE_tagtill"), site.path("tagtill")).unwrap();
    // A process that another test was just starting may have the copy open for writing still: then nobody can run it.
    crate::support::wait_for("the copied binary to be free", || {
        let tried = Command::new(site.path("tagtill")).arg("--version").output();
        tried.ok().filter(|output| output.status.success())
    });
    if is_root() {
        for entry in std::fs::read_dir(site.folder.path()).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(site.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    site
}

/// The binary with a user's rights, and no more.
fn tagtill(site: &Site) -> Command {
    let mut command = Command::new(site.path("tagtill"));
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir(site.folder.path()).env("TAGTILL_LOG", "error");
    command.env("TAGTILL_DATA", site.data()).env("TAGTILL_TOKEN_FILE", site.path("token"));
    command
}

fn run(site: &Site, args: &[&str]) -> Output {
    tagtill(site).args(args).output().unwrap()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Everything that lies in the site's folder: names, sizes, times of the last change. Whoever takes the lease touches it.
fn state(site: &Site) -> Vec<(String, u64, (i64, i64))> {
    let entries = std::fs::read_dir(site.folder.path()).unwrap();
    let mut all: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let (name, meta) = (entry.file_name().into_string().unwrap(), entry.metadata().unwrap());
            let leased = name == "till.redb.lock";
            let changed = if leased { (0, 0) } else { (meta.mtime(), meta.mtime_nsec()) };
            (name, meta.size(), changed)
        })
        .collect();
    all.sort();
    all
}

/// Runs a command that must fail with all of `parts` in what it says, and change nothing.
#[track_caller]
fn refused(site: &Site, args: &[&str], parts: &[&str]) {
    let before = state(site);
    let output = run(site, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{args:?}: {part}: {said}");
    }
    assert_eq!(state(site), before, "{args:?} changed something");
}

#[track_caller]
fn works(site: &Site, args: &[&str]) {
    let output = run(site, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

const SERVE: &[&str] = &["serve", "--sandbox", "--listen", "127.0.0.1:0"];
const RESTORE: &[&str] = &["restore", "backup.redb", "--force"];
const WHAT_TO_DO: &str = "must be able to read and write";

#[test]
fn a_file_that_cannot_be_written_is_read_and_not_run() {
    let site = site();
    mode(&site.data(), 0o444);
    for args in [&["verify"][..], &["export"], &["token", "list"], &["verify", "till.redb"]] {
        let before = state(&site);
        works(&site, args);
        assert_eq!(state(&site), before, "{args:?}");
    }
    for args in [SERVE, &["token", "create", "--role", "admin"], &["resume"]] {
        refused(&site, args, &["till.redb", "ermission denied", WHAT_TO_DO]);
    }
    works(&site, &["backup", "copy.redb"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named_by_every_command() {
    let site = site();
    mode(&site.data(), 0o000);
    for args in [
        &["verify"][..],
        &["verify", "till.redb"],
        &["export"],
        &["backup", "copy.redb"],
        &["token", "list"],
        &["token", "create", "--role", "admin"],
        &["resume"],
        SERVE,
    ] {
        refused(&site, args, &["till.redb", "ermission denied", WHAT_TO_DO]);
    }
    mode(&site.path("backup.redb"), 0o000);
    refused(&site, RESTORE, &["backup.redb", "ermission denied"]);
}

#[test]
fn in_a_folder_that_cannot_be_written_a_file_is_read_and_nothing_made() {
    let site = site();
    // Without them, the lease and the gateway's ledger would have to be made.
    std::fs::remove_file(site.path("till.redb.lock")).unwrap();
    std::fs::remove_file(site.path("till.redb.sandbox-ledger")).unwrap();
    mode(site.folder.path(), 0o555);
    works(&site, &["verify"]);
    works(&site, &["export"]);
    refused(&site, SERVE, &["till.redb", "ermission denied", WHAT_TO_DO]);
    refused(&site, RESTORE, &["till.redb", "ermission denied"]);
    refused(&site, &["backup", "copy.redb"], &["copy.redb", "ermission denied"]);
    refused(&site, &[SERVE, &["--data", "fresh.redb"]].concat(), &["fresh.redb", "ermission denied"]);
    refused(&site, &[SERVE, &["--data", "deep/fresh.redb"]].concat(), &["deep", "ermission denied"]);
    mode(site.folder.path(), 0o755);
}

#[test]
fn a_till_whose_folder_cannot_be_written_sells_and_makes_no_backup() {
    let site = site();
    mode(site.folder.path(), 0o555);
    let till = site.start_as(tagtill(&site), &["--sandbox"], &[]);
    let refused = till.client.call("POST", "/v1/backups", &json!({}));
    assert_eq!(refused.status, 503, "{}", String::from_utf8_lossy(&refused.body));
    assert_eq!(refused.json()["code"], "unavailable");
    assert!(refused.json()["detail"].as_str().unwrap().contains("The till runs on"));
    sells(&till.client);
    mode(site.folder.path(), 0o755);
    assert_eq!(till.client.call("POST", "/v1/backups", &json!({})).status, 200);
    till.stop();
}

fn sells(client: &Client) {
    crate::support::buyer(client, "bob", "tok_visa");
    assert_eq!(client.post("/v1/posts", &post("b1", "bob", "#BuyThing"))["verdict"], "pending");
}
