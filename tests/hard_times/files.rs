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
    for (name, output) in outputs.chain([("serve".to_owned(), serve(site))]) {
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

#[test]
fn a_file_that_cannot_be_written_is_read_and_not_run() {
    let site = sold();
    // Nobody may write to it; but root may all the same.
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if root {
        println!("skipped: root may write to everything");
        return;
    }
    let mut permissions = std::fs::metadata(site.data()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(site.data(), permissions).unwrap();
    let before = state(&site.data());
    site.ok(&["verify"]);
    site.ok(&["export"]);
    let output = serve(&site);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("till.redb") && said.contains("must be able to read and write"), "{said}");
    assert!(state(&site.data()) == before);
}
