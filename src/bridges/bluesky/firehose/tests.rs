//! What is taken from the firehose and what is passed over, on frames that a real PDS sent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::filter::{is_sound, nameless};
use super::*;
use crate::bridges::bluesky::frame::Record;
use crate::bridges::bluesky::record::POST;

macro_rules! found {
    ($name:literal, $wanted:expr) => {
        found(include_bytes!(concat!("../../../../tests/bridges/frames/", $name, ".cbor")), $wanted)
    };
}

const SHOP: &str = "did:plc:mwf364wbapg7qpc6rlcmgsrt";
const ADA: &str = "did:plc:zggojzdzpham6f6ytyrljhgt";

/// What the shop wants.
fn shop() -> Wanted {
    Wanted::new(SHOP, "teashop.test", ["buytea".to_owned()])
}

/// What somebody else would want.
fn stranger() -> Wanted {
    Wanted::new("did:plc:stranger", "stranger.test", ["buyrum".to_owned()])
}

fn found(bytes: &[u8], wanted: &Wanted) -> Vec<Found> {
    let Ok(Frame::Commit(commit)) = Frame::read(bytes) else { panic!("not a commit") };
    let mut found = Vec::new();
    filter(&commit, wanted, &mut found);
    found
}

/// The only thing that was found, a post to hand in.
#[track_caller]
fn one(found: Vec<Found>) -> Post {
    match <[Found; 1]>::try_from(found) {
        Ok([Found::Post(post)]) => {
            assert!(post.id.starts_with(&format!("at://{ADA}/")), "{}", post.id);
            assert_eq!(post.author, nameless(ADA));
            post
        }
        other => panic!("not one post: {other:?}"),
    }
}

/// Whether the only thing that was found could become interesting.
fn is_perhaps(found: &[Found]) -> bool {
    matches!(found, [Found::Perhaps(_)])
}

#[test]
fn a_hashtag_is_taken_in_any_case_and_width() {
    let post = one(found!("hashtag", &shop()));
    assert_eq!(post.text, "Zwei bitte, schöner Tag! #BuyTea");
    assert_eq!((post.lang.as_deref(), post.to_us, post.created_at), (Some("de"), false, None));
    assert_eq!(one(found!("hashtag_wide", &shop())).text, "＃ＢＵＹｔｅａ please");
    assert_eq!(
        one(found!("update", &shop())).text,
        "Now with #BuyTea",
        "the till knows what an edit is worth"
    );
}

#[test]
fn a_hashtag_that_nobody_looks_for_may_be_looked_for_later() {
    assert!(is_perhaps(&found!("hashtag_other", &shop())));
    assert!(is_perhaps(&found!("hashtag", &stranger())));
    assert!(is_perhaps(&found!("hashtag_wide", &stranger())));
    assert!(is_perhaps(&found!("update", &stranger())));
}

#[test]
fn what_concerns_nobody_is_passed_over() {
    for wanted in [shop(), stranger()] {
        assert_eq!(found!("plain", &wanted), []);
        assert_eq!(found!("like", &wanted), []);
        assert_eq!(found!("follow", &wanted), []);
        assert_eq!(found!("empty", &wanted), []);
        assert_eq!(found!("large_post", &wanted), []);
        assert_eq!(found!("large_repost", &wanted), [], "of somebody else's post");
        assert_eq!(found!("quote_other", &wanted), []);
        assert_eq!(found!("reply_other", &wanted), [], "in our thread, but not to us");
        assert_eq!(found!("repost_other", &wanted), []);
        assert_eq!(found!("block_other", &wanted), []);
    }
}

#[test]
fn our_own_posts_are_never_ours_to_hand_in() {
    let ada = Wanted::new(ADA, "ada.test", ["buytea".to_owned()]);
    assert_eq!(found!("hashtag", &ada), []);
    assert_eq!(found!("several", &ada), []);
    assert_eq!(found!("delete", &ada), []);
}

#[test]
fn a_code_that_proves_who_one_is_is_always_taken() {
    for wanted in [shop(), stranger()] {
        assert!(is_perhaps(&found!("link", &wanted)), "a hashtag that only begins like one");
        let text = "mine is #Link no #Link4711ABCDEFGHI";
        let mut code = include_bytes!("../../../../tests/bridges/frames/link.cbor").to_vec();
        let at = code.windows(8).position(|some| some == b"mine is ").unwrap();
        code.splice(at..at + text.len(), text.bytes());
        assert_eq!(one(found(&code, &wanted)).text, text);
    }
}

#[test]
fn who_names_us_is_heard() {
    let post = one(found!("mention", &shop()));
    assert_eq!((post.to_us, post.lang.as_deref()), (true, Some("en")));
    assert!(one(found!("mention_text", &shop())).to_us, "as text only");
    assert_eq!(found!("mention", &stranger()), []);
    assert_eq!(found!("mention_text", &stranger()), []);
    // A mark is enough: a handle may have changed since.
    let renamed = Wanted { own_handle: "tea.example".to_owned(), ..shop() };
    assert!(one(found!("mention", &renamed)).to_us);
    assert_eq!(found!("mention_text", &renamed), []);
    assert!(wide_mention().to_us);
}

/// The same, with the sign that goes with wide letters.
fn wide_mention() -> Post {
    let mut wide = include_bytes!("../../../../tests/bridges/frames/mention_text.cbor").to_vec();
    let at = wide.windows(4).position(|some| some == b"ed @").unwrap();
    wide.splice(at..at + 4, " ＠".bytes());
    one(found(&wide, &shop()))
}

#[test]
fn answers_quotes_and_reposts_of_ours_are_taken() {
    let ours = format!("at://{SHOP}/");
    let reply = one(found!("reply", &shop()));
    assert!(reply.in_reply_to.unwrap().starts_with(&ours));
    assert_eq!((reply.to_us, reply.lang.as_deref()), (true, Some("en-GB")), "who answers us speaks to us");
    for quote in [one(found!("quote", &shop())), one(found!("quote_media", &shop()))] {
        assert!(quote.quote_of.unwrap().starts_with(&ours));
        assert!(quote.to_us);
    }
    let repost = one(found!("repost", &shop()));
    assert!(repost.repost_of.unwrap().starts_with(&ours));
    assert!(repost.text.is_empty() && !repost.to_us);
    assert_eq!(found!("reply", &stranger()), []);
    assert_eq!(found!("quote", &stranger()), []);
    assert_eq!(found!("repost", &stranger()), []);
    // A DID that only begins like ours is somebody else.
    let short = Wanted::new(&SHOP[..SHOP.len() - 1], "x.test", []);
    assert_eq!(found!("repost", &short), []);
    assert_eq!(found!("reply", &short), []);
}

#[test]
fn deletions_and_blocks_are_told() {
    let gone = found!("delete", &stranger());
    let [Found::Deleted(uri)] = &gone[..] else { panic!("{gone:?}") };
    assert!(uri.starts_with(&format!("at://{ADA}/{POST}/")), "{uri}");
    let blocked = found!("block", &shop());
    let [Found::Blocked(key)] = &blocked[..] else { panic!("{blocked:?}") };
    let unblocked = found!("unblock", &shop());
    assert_eq!(unblocked, [Found::Unblocked(key.clone())], "under the same key");
    assert_eq!(found!("block", &stranger()), []);
}

#[test]
fn each_operation_of_a_commit_is_judged_by_itself() {
    let found = found!("several", &shop());
    let [Found::Post(post), Found::Post(repost), Found::Deleted(gone)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(post.text, "One #BuyTea");
    assert!(repost.repost_of.is_some());
    assert!(gone.starts_with(&format!("at://{ADA}/")));
}

#[test]
fn what_no_server_of_the_network_would_show_is_passed_over() {
    let long = |text: usize, address: usize| {
        let (text, address) = ("#BuyTea ".repeat(text / 8), "x".repeat(address));
        let reply = Some((address.as_str(), address.as_str()));
        is_sound(&Record { text: &text, reply, ..Record::default() })
    };
    assert!(long(3000, 1024));
    assert!(!long(3008, 0), "a text that is too long");
    assert!(!long(0, 1025), "an address that is too long");
}

#[test]
fn each_server_has_a_cursor_of_its_own() {
    let name = cursor_name("wss://bsky.network");
    assert_eq!(name, "firehose.df1d459397dd3ceb");
    assert_ne!(name, cursor_name("ws://127.0.0.1:2583"));
}
