//! The demo, as a newcomer runs it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

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
    ] {
        assert!(said.contains(verdict), "the story shows {verdict}:\n{said}");
    }
    for tag in ["#BuyAmexGiftCard25", "#ConfirmAmexGiftCard25", "#BuyKindleFireHD", "#ConfirmKindleFireHD"] {
        assert!(said.contains(tag), "{tag}");
    }
    let last = said.lines().rev().take(15).collect::<Vec<_>>().join("\n");
    for word in ["posts", "paid", "declined", "expired", "cancelled", "orders", "verify holds"] {
        assert!(last.contains(word), "the last lines count {word}:\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours where nobody sees them");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "--once leaves nothing behind: {left:?}");
}
