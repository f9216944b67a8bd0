//! Frames that a real PDS sent, and frames that nobody should send.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::*;
use minicbor::Encoder;
use minicbor::data::Tag;

macro_rules! recorded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../tests/bridges/frames/", $name, ".cbor")))),*]
    };
}

const RECORDED: &[(&str, &[u8])] = recorded![
    "account",
    "block",
    "block_other",
    "delete",
    "empty",
    "error",
    "follow",
    "hashtag",
    "hashtag_other",
    "hashtag_wide",
    "identity",
    "identity_handle",
    "info",
    "large_delete",
    "large_follow",
    "large_like",
    "large_post",
    "large_repost",
    "like",
    "link",
    "mention",
    "mention_text",
    "plain",
    "quote",
    "quote_media",
    "quote_other",
    "reply",
    "reply_other",
    "repost",
    "repost_other",
    "several",
    "sync",
    "unblock",
    "update",
];
const SHOP: &str = "did:plc:mwf364wbapg7qpc6rlcmgsrt";
const ADA: &str = "did:plc:zggojzdzpham6f6ytyrljhgt";

fn bytes(name: &str) -> &'static [u8] {
    RECORDED.iter().find(|(known, _)| *known == name).unwrap().1
}

fn commit(bytes: &[u8]) -> Commit<'_> {
    match Frame::read(bytes) {
        Ok(Frame::Commit(commit)) => commit,
        other => panic!("not a commit: {other:?}"),
    }
}

/// The only record of a recorded commit.
fn record(name: &str) -> Record<'static> {
    let commit = commit(bytes(name));
    assert_eq!(commit.ops.len(), 1, "{name}");
    commit.record(&commit.ops[0]).unwrap()
}

#[test]
fn a_commit_says_whose_and_when_and_what() {
    let commit = commit(bytes("hashtag"));
    assert_eq!((commit.repo, commit.seq > 0), (ADA, true));
    assert!(commit.time.starts_with("20") && commit.time.ends_with('Z'), "{}", commit.time);
    let [op] = commit.ops[..] else { panic!("{:?}", commit.ops) };
    assert_eq!((op.action, op.path.split_once('/').unwrap().0), ("create", POST));
    let record = commit.record(&op).unwrap();
    assert_eq!(record.text, "Zwei bitte, schöner Tag! #BuyTea");
    assert_eq!(record.lang, Some("de"), "the first of two");
    assert_eq!((record.reply, record.quotes, record.subject), (None, None, None));
    assert!(record.mentions.is_empty(), "a facet of a tag mentions nobody");
}

#[test]
fn records_say_what_they_are_about() {
    assert_eq!(record("mention").mentions, [SHOP]);
    assert!(record("mention_text").mentions.is_empty());
    let ours = format!("at://{SHOP}/{POST}/");
    let (root, parent) = record("reply").reply.unwrap();
    assert!(root == parent && parent.starts_with(&ours), "{root}, {parent}");
    let (root, parent) = record("reply_other").reply.unwrap();
    assert!(root.starts_with(&ours) && parent.starts_with(&format!("at://{ADA}/")), "{root}, {parent}");
    assert_eq!(record("reply").lang, Some("en-GB"));
    assert!(record("quote").quotes.unwrap().starts_with(&ours));
    assert!(record("quote_media").quotes.unwrap().starts_with(&ours), "with a picture beside it");
    assert!(record("quote_other").quotes.unwrap().starts_with(&format!("at://{ADA}/")));
    assert!(record("repost").subject.unwrap().starts_with(&ours));
    assert_eq!(record("block").subject, Some(SHOP));
    assert_eq!(record("update").text, "Now with #BuyTea");
    assert_eq!(record("large_post").lang, Some("en"));
}

#[test]
fn only_what_could_concern_us_is_kept_of_a_commit() {
    for name in ["empty", "like", "follow", "large_like", "large_follow"] {
        assert!(commit(bytes(name)).ops.is_empty(), "{name}");
    }
    let several = commit(bytes("several"));
    let kinds: Vec<_> =
        several.ops.iter().map(|op| (op.action, op.path.split_once('/').unwrap().0)).collect();
    assert_eq!(kinds, [("create", POST), ("create", POST), ("create", REPOST), ("delete", POST)]);
    let texts: Vec<_> = several.ops.iter().map(|op| several.record(op).map(|record| record.text)).collect();
    assert_eq!(texts, [Some("One #BuyTea"), Some("Two, nothing"), Some(""), None], "each its own record");
    let deleted = commit(bytes("delete"));
    assert_eq!(deleted.ops[0].action, "delete");
    assert_eq!(deleted.record(&deleted.ops[0]), None);
}

#[test]
fn what_is_no_commit_is_read_too() {
    assert!(matches!(Frame::read(bytes("identity")), Ok(Frame::Identity { seq: 1.., did: ADA })));
    assert!(matches!(Frame::read(bytes("identity_handle")), Ok(Frame::Identity { seq: 1.., .. })));
    assert!(matches!(Frame::read(bytes("account")), Ok(Frame::Other(Some(1..)))));
    assert!(matches!(Frame::read(bytes("sync")), Ok(Frame::Other(Some(1..)))));
    assert_eq!(Frame::read(bytes("info")).unwrap(), Frame::Info("OutdatedCursor"));
    assert_eq!(Frame::read(bytes("error")).unwrap(), Frame::Error("FutureCursor"));
}

#[test]
fn a_frame_that_is_cut_anywhere_is_no_frame() {
    for (name, bytes) in RECORDED {
        for end in 0..bytes.len() {
            assert!(Frame::read(&bytes[..end]).is_err(), "{name} of {end} bytes");
        }
        let longer = [*bytes, &[0xff; 3]].concat();
        assert_eq!(Frame::read(&longer).is_ok(), Frame::read(bytes).is_ok(), "{name} with something behind");
    }
}

#[test]
fn a_byte_that_is_wrong_anywhere_harms_nobody() {
    for (name, bytes) in RECORDED {
        let mut wrong = bytes.to_vec();
        for at in 0..wrong.len() {
            for byte in
                [0x00, 0x1b, 0x5f, 0x7b, 0x9b, 0xbb, 0xff, bytes[at] ^ 0x20, bytes[at].wrapping_add(1)]
            {
                wrong[at] = byte;
                if let Ok(Frame::Commit(commit)) = Frame::read(&wrong) {
                    assert!(commit.ops.len() <= 5, "{name} at {at}");
                    commit.ops.iter().for_each(|op| drop(commit.record(op)));
                }
            }
            wrong[at] = bytes[at];
        }
    }
}

/// A frame whose body `write` writes.
fn frame(kind: &str, write: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut e = Encoder::new(&mut bytes);
    e.map(2).unwrap().str("op").unwrap().i8(1).unwrap().str("t").unwrap().str(kind).unwrap();
    write(&mut e);
    bytes
}

/// A commit of one post whose hash is `cid`, with these blocks.
fn one_post(cid: &[u8], blocks: &[u8]) -> Vec<u8> {
    frame("#commit", |e| {
        e.map(4).unwrap().str("seq").unwrap().u8(7).unwrap().str("repo").unwrap().str(ADA).unwrap();
        e.str("ops").unwrap().array(1).unwrap().map(3).unwrap();
        e.str("action")
            .unwrap()
            .str("create")
            .unwrap()
            .str("path")
            .unwrap()
            .str("app.bsky.feed.post/1")
            .unwrap();
        e.str("cid").unwrap().tag(Tag::new(42)).unwrap().bytes(&[&[0], cid].concat()).unwrap();
        e.str("blocks").unwrap().bytes(blocks).unwrap();
    })
}

/// A CAR file of these sections.
fn car(sections: &[&[u8]]) -> Vec<u8> {
    let mut car = vec![1, 0xa0];
    for section in sections {
        car.extend([
            u8::try_from(section.len() & 0x7f).unwrap() | 0x80,
            u8::try_from(section.len() >> 7).unwrap(),
        ]);
        car.extend_from_slice(section);
    }
    car
}

fn cid(byte: u8) -> Vec<u8> {
    [CID_PREFIX, &[byte; 32]].concat()
}

/// The record of [`one_post`].
fn read_post(cid: &[u8], blocks: &[u8]) -> Option<String> {
    let bytes = one_post(cid, blocks);
    let commit = commit(&bytes);
    commit.record(&commit.ops[0]).map(|record| record.text.to_owned())
}

const HI: &[u8] = b"\xa1\x64text\x62hi";

#[test]
fn a_block_is_found_by_the_whole_of_its_hash() {
    let (ours, other) = ([&cid(1), HI].concat(), [&cid(2)[..], b"\xa1\x64text\x62no"].concat());
    assert_eq!(read_post(&cid(1), &car(&[&other, &ours])).as_deref(), Some("hi"));
    assert_eq!(read_post(&cid(1), &car(&[&ours, &other])).as_deref(), Some("hi"));
    assert_eq!(read_post(&cid(3), &car(&[&ours, &other])), None, "not there");
    assert_eq!(read_post(&cid(1), &[]), None, "no blocks at all");
    for odd in [
        &cid(1)[..0],
        &cid(1)[..4],
        &cid(1)[..35],
        &[&cid(1)[..], &[0xa1]].concat(),
        &[0x12; 36],
        &[0xff; 36],
    ] {
        assert_eq!(read_post(odd, &car(&[&[odd, HI].concat(), &ours])), None, "{odd:x?}");
    }
}

#[test]
fn sections_that_lie_end_the_search() {
    let ours = [&cid(1), HI].concat();
    let whole = car(&[&ours]);
    for cut in 0..whole.len() {
        assert_eq!(read_post(&cid(1), &whole[..cut]), None, "cut at {cut}");
    }
    let behind = |junk: &[u8]| [&[1, 0xa0], junk, &whole[2..]].concat();
    assert_eq!(read_post(&cid(1), &behind(&[])).as_deref(), Some("hi"));
    assert_eq!(read_post(&cid(1), &behind(&[0])), None, "a section of nothing");
    assert_eq!(read_post(&cid(1), &behind(&[2, 1, 1])), None, "a section without a hash");
    assert_eq!(read_post(&cid(1), &behind(&[0xff; 9])), None, "a number that never ends");
    assert_eq!(read_post(&cid(1), &behind(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])), None);
    assert_eq!(read_post(&cid(1), &[0xff, 0xff, 0xff, 0xff, 0x0f]), None, "a header without an end");
}

#[test]
fn millions_of_empty_sections_are_not_walked_through_for_each_operation() {
    let blocks = [&[1, 0xa0][..], &vec![0; 4 << 20]].concat();
    let bytes = one_post(&cid(1), &blocks);
    let commit = commit(&bytes);
    let begun = std::time::Instant::now();
    for _ in 0..OPS_MAX {
        assert_eq!(commit.record(&commit.ops[0]), None);
    }
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
}

#[test]
fn a_commit_has_no_more_operations_than_allowed() {
    let many = |count: u64, said: u64| {
        frame("#commit", |e| {
            e.map(3).unwrap().str("seq").unwrap().u8(7).unwrap().str("repo").unwrap().str(ADA).unwrap();
            e.str("ops").unwrap().array(said).unwrap();
            for _ in 0..count {
                e.map(1).unwrap().str("path").unwrap().str("app.bsky.feed.post/1").unwrap();
            }
        })
    };
    assert_eq!(commit(&many(OPS_MAX, OPS_MAX)).ops.len(), 200);
    assert!(Frame::read(&many(OPS_MAX + 1, OPS_MAX + 1)).is_err());
    assert!(Frame::read(&many(3, u64::MAX)).is_err(), "a length that lies");
    assert!(Frame::read(&many(3, 4)).is_err());
}

#[test]
fn a_frame_without_its_place_or_its_person_is_none() {
    let only = |kind: &str, key: &str, value: &str| {
        frame(kind, |e| {
            e.map(1).unwrap().str(key).unwrap().str(value).unwrap();
        })
    };
    assert!(Frame::read(&only("#commit", "repo", ADA)).is_err(), "a cursor of 0 would be kept");
    assert!(Frame::read(&only("#identity", "did", ADA)).is_err());
    let nobody = frame("#commit", |e| {
        e.map(1).unwrap().str("seq").unwrap().u8(7).unwrap();
    });
    assert!(Frame::read(&nobody).is_err());
    assert_eq!(Frame::read(&only("#new", "did", ADA)).unwrap(), Frame::Other(None));
}

#[test]
fn what_is_nested_deeply_is_passed_over() {
    for (opening, depth) in [(&[0x81][..], 1_000_000), (&[0xa1, 0x61, b'k'], 300_000), (&[0xd8, 42], 500_000)]
    {
        let nested = |closed: bool| {
            frame("#commit", |e| {
                e.map(3).unwrap().str("seq").unwrap().u8(7).unwrap().str("repo").unwrap().str(ADA).unwrap();
                let bytes = e.str("prev").unwrap().writer_mut();
                bytes.extend(opening.repeat(depth));
                bytes.extend(closed.then_some(0xf6));
            })
        };
        assert_eq!(commit(&nested(true)).seq, 7);
        assert!(Frame::read(&nested(false)).is_err());
    }
    let mut e = Vec::new();
    e.extend(b"\xa1\x65embed");
    e.extend(b"\xa1\x66record".repeat(100_000));
    e.extend(b"\xa1\x63uri\x68at://x/y");
    let record = Record::read(&e).unwrap();
    assert_eq!(record.quotes, None, "a quote is not that deep");
}

#[test]
fn the_last_of_two_counts_and_odd_kinds_are_passed_over() {
    let read =
        |bytes: &[u8]| Record::read(bytes).map(|record| (record.text.to_owned(), record.mentions.len())).ok();
    assert_eq!(read(b"\xa2\x64text\x61a\x64text\x61b"), Some(("b".to_owned(), 0)));
    assert_eq!(read(b"\xa1\x64text\x07"), Some((String::new(), 0)), "a text that is a number");
    assert_eq!(read(b"\xa1\x64text\xf6"), Some((String::new(), 0)));
    assert_eq!(read(b"\xa2\x65reply\xf6\x65embed\x80"), Some((String::new(), 0)));
    assert_eq!(read(b"\xa1\x66facets\x81\xa0"), Some((String::new(), 0)));
    assert_eq!(read(b"\xa1\x64text\x62\xff\xfe"), None, "not UTF-8");
    assert_eq!(read(b"\xa1\x64text\x63\xed\xa0\x80"), None, "half a surrogate");
    assert_eq!(read(b"\xa1\x07\x07"), None, "a key that is a number");
    assert_eq!(read(b"\xbf\x64text\x61a\xff"), None, "a map without a length");
    assert_eq!(read(b"\xa1\x64text\x7f\x61a\xff"), Some((String::new(), 0)), "a text in pieces is none");
    assert_eq!(read(b"\xa1\x65langs\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), None, "a length that lies");
    assert_eq!(read(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x64text\x61a"), None);
    assert_eq!(read(b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    assert_eq!(read(b""), None);
}
