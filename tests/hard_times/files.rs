//! Files that cannot be used: what is said names the file and what to do, and nothing is changed.

use crate::support::{Site, binary, post, shop};
use std::path::Path;
use std::process::Output;
use std::time::SystemTime;

/// A file's bytes and the time of its last change.
fn state(path: &Path) -> Option<(Vec<u8>, SystemTime)> {
    let changed = std::fs::metadata(path).ok()?.modified().unwrap();
    Some((std::fs::read(path).unwrap_or_default(), changed))
}

/// Runs every command that opens the data file, and sees that each fails with a sentence that holds all of `parts`.
#[track_caller]
fn all_refuse(site: &Site, parts: &[&str]) {
    let (data, target) = (site.data(), site.path("out.redb"));
    let before = state(&site.data());
    let commands: [&[&str]; 6] = [
        &["verify"],
        &["verify", data.to_str().unwrap()],
        &["backup", target.to_str().unwrap()],
        &["export"],
        &["token", "list"],
        &["token", "create", "--role", "admin"],
    ];
    let outputs = commands.into_iter().map(|args| (format!("{args:?}"), site.run(args)));
    for (name, output) in outputs.chain(std::iter::once_with(|| ("serve".to_owned(), serve(site)))) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(1 | 3)), "{name}: {:?} {said}", output.status);
        for part in parts {
            assert!(said.contains(part), "{name}: {part}: {said}");
        }
        assert!(state(&site.data()) == before, "{name} changed the file");
        assert!(!target.exists() && !site.path("out.redb.tmp").exists(), "{name}");
    }
}

fn serve(site: &Site) -> Output {
    let mut command = binary();
    command.args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"]).arg(site.data());
    command.output().unwrap()
}

/// A file with something in it.
fn sold() -> Site {
    let site = Site::new();
    let till = site.start(&[]);
    shop(&till.client, "BuyThing", Some(3));
    till.client.post("/v1/posts", &post("p1", "ann", "#BuyThing"));
    till.stop();
    site
}

#[test]
fn damaged_and_truncated_files_are_refused_by_every_command() {
    let site = sold();
    let whole = std::fs::read(site.data()).unwrap();
    for length in [0, 1, 64, 320, 4096, 8192, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(site.data(), &whole[..length]).unwrap();
        all_refuse(&site, &["till.redb", "tagtill restore"]);
    }
    std::fs::write(site.data(), vec![b'x'; 100_000]).unwrap();
    all_refuse(&site, &["till.redb", "damaged", "Nothing was changed", "tagtill restore"]);
    let mut header = whole.clone();
    header[..512].fill(0);
    std::fs::write(site.data(), &header).unwrap();
    all_refuse(&site, &["till.redb", "tagtill restore"]);
}

#[test]
fn a_damaged_backup_is_not_restored_and_stays_as_it_is() {
    let site = sold();
    let backup = site.path("backup.redb");
    site.ok(&["backup", backup.to_str().unwrap()]);
    let whole = std::fs::read(&backup).unwrap();
    let mut damaged = whole.clone();
    // Within the pages, behind the header: it opens, and only checking finds it.
    for page in damaged.chunks_mut(4096).skip(2) {
        page[100] ^= 0xFF;
    }
    for bytes in [damaged, whole[..whole.len() / 2].to_vec(), Vec::new()] {
        std::fs::write(&backup, &bytes).unwrap();
        let before = (state(&backup), state(&site.data()));
        for args in [
            &["restore", backup.to_str().unwrap(), "--force"][..],
            &["restore", backup.to_str().unwrap(), "--dry-run"],
            &["verify", backup.to_str().unwrap()],
        ] {
            let output = site.run(args);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(output.status.code(), Some(1 | 3)), "{args:?}: {said}");
            assert!(said.contains("backup.redb") && said.contains("damaged"), "{args:?}: {said}");
            assert!((state(&backup), state(&site.data())) == before, "{args:?} changes nothing");
        }
        assert!(!site.path("till.redb.restoring").exists());
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_and_a_file_in_the_place_of_a_folder_are_told() {
    let site = Site::new();
    std::fs::create_dir(site.data()).unwrap();
    all_refuse(&site, &["till.redb", "Is it the right path?"]);
    let nowhere = site.path("token").join("till.redb");
    let output = binary().args(["serve", "--sandbox", "--data"]).arg(&nowhere).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("token"));
}

#[test]
fn what_is_not_there_is_named_and_not_made() {
    let site = Site::new();
    let missing = site.path("missing/deep.redb");
    for args in [
        &["verify"][..],
        &["export"],
        &["token", "list"],
        &["resume"],
        &["verify", missing.to_str().unwrap()],
    ] {
        let output = site.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(".redb"), "{args:?}");
    }
    let sold = sold();
    let output = sold.run(&["backup", sold.path("missing/copy.redb").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("missing/copy.redb") && said.contains("right path"), "{said}");
    assert!(!site.data().exists() && !sold.path("missing").exists());
}

/// Writes into a file that a later version wrote it.
fn make_newer(path: &Path) {
    let database = redb::Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    let meta: redb::TableDefinition<&str, u64> = redb::TableDefinition::new("meta");
    write.open_table(meta).unwrap().insert("schema_version", 99).unwrap();
    write.commit().unwrap();
}

#[test]
fn a_file_of_a_newer_version_is_refused_by_every_command() {
    let site = sold();
    let backup = site.path("backup.redb");
    site.ok(&["backup", backup.to_str().unwrap()]);
    make_newer(&site.data());
    all_refuse(&site, &["till.redb", "newer tagtill (schema 99", "Nothing was changed", "newer version"]);
    // An older backup may take its place; a newer one takes nobody's.
    site.ok(&["restore", backup.to_str().unwrap(), "--force"]);
    site.ok(&["verify"]);
    make_newer(&backup);
    let before = (state(&backup), state(&site.data()));
    for last in ["--force", "--dry-run"] {
        let output = site.run(&["restore", backup.to_str().unwrap(), last]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("backup.redb") && said.contains("newer tagtill"), "{said}");
        assert!((state(&backup), state(&site.data())) == before);
        assert!(!site.path("till.redb.restoring").exists());
    }
}

#[test]
fn a_file_that_is_open_elsewhere_is_refused_by_every_command_that_opens_it() {
    let site = sold();
    let backup = site.path("backup.redb");
    site.ok(&["backup", backup.to_str().unwrap()]);
    // By a till: who can, talks to it; the others leave its file alone.
    let till = site.start(&[]);
    let before = state(&site.data());
    let refused = |args: &[&str]| {
        let output = site.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        for part in ["till.redb", "open in another process", "stop the other one"] {
            assert!(said.contains(part), "{args:?}: {part}: {said}");
        }
        assert!(state(&site.data()) == before, "{args:?} changed the file");
    };
    refused(&["verify", site.data().to_str().unwrap()]);
    refused(&["restore", backup.to_str().unwrap(), "--force"]);
    refused(&["restore", backup.to_str().unwrap(), "--dry-run"]);
    refused(&["serve", "--sandbox", "--listen", "127.0.0.1:0"]);
    site.ok(&["verify"]);
    site.ok(&["export"]);
    assert_eq!(till.client.get("/readyz")["status"], "ready");
    till.stop();
    // By something else, which nobody can talk to.
    let open = redb::Database::open(site.data()).unwrap();
    all_refuse(&site, &["till.redb", "open in another process", "stop the other one"]);
    drop(open);
    site.ok(&["verify"]);
}
