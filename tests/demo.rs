//! The demo, as a newcomer runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

mod support;

#[test]
fn the_story_of_2013_plays_to_its_end_and_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let output = support::binary().args(["demo", "--once"]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for verdict in [
        "pending",
        "confirmed",
        "already_pending",
        "not_linked",
        "too_late",
        "sold_out",
        "repost_ignored",
        "no_offer",
        "own_post",
        "passed",
        "enrolled",
    ] {
        assert!(said.contains(verdict), "the story shows {verdict}:\n{said}");
    }
    for tag in ["#BuyAmexGiftCard25", "#ConfirmAmexGiftCard25", "#BuyKindleFireHD", "#ConfirmKindleFireHD"] {
        assert!(said.contains(tag), "{tag}");
    }
    assert!(said.contains("credited $25.00 to "), "the deal gives its credit:\n{said}");
    let last = said.lines().rev().take(15).collect::<Vec<_>>().join("\n");
    for word in ["posts", "paid", "declined", "expired", "cancelled", "orders", "verify holds"] {
        assert!(last.contains(word), "the last lines count {word}:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours where nobody sees them");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "--once leaves nothing behind: {left:?}");
}

#[test]
fn a_demo_that_was_killed_leaves_its_folder_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let demo = || {
        let mut command = support::binary();
        command.arg("demo").env("TMPDIR", folder.path());
        command
    };
    let left = || std::fs::read_dir(folder.path()).unwrap().count();
    let mut killed = demo().stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(killed.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("stays at")));
    assert!(demo().arg("--once").output().unwrap().status.success());
    assert_eq!(left(), 1, "one that runs keeps its folder, and the other has removed its own");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(left(), 1);
    assert!(demo().arg("--once").output().unwrap().status.success());
    assert_eq!(left(), 0);
}
