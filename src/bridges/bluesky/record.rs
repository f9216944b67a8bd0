//! What our replies look like as records: keys, facets, threads.

use crate::till::id::ReplyId;
use crate::till::text::hashtags;
use crate::till::time::Time;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The collection of posts.
pub const POST: &str = "app.bsky.feed.post";
/// The collection of reposts.
pub const REPOST: &str = "app.bsky.feed.repost";
/// The collection of blocks.
pub const BLOCK: &str = "app.bsky.graph.block";

/// The digits of a TID: base 32 that sorts.
const TID_ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";

/// A record's address and version (`com.atproto.repo.strongRef`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrongRef {
    /// `at://did/collection/key`.
    pub uri: String,
    /// The hash of its content.
    pub cid: String,
}

impl StrongRef {
    /// Reads `{"uri", "cid"}`.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |name| value.get(name)?.as_str().map(str::to_owned);
        Some(Self { uri: text("uri")?, cid: text("cid")? })
    }

    fn json(&self) -> Value {
        json!({"uri": self.uri, "cid": self.cid})
    }
}

/// Repository, collection and key of `at://repository/collection/key`.
pub fn parts(uri: &str) -> Option<(&str, &str, &str)> {
    let mut parts = uri.strip_prefix("at://")?.splitn(3, '/');
    let found = (parts.next()?, parts.next()?, parts.next()?);
    (!found.0.is_empty() && !found.2.contains('/')).then_some(found)
}

/// The key under which a reply is posted: a TID made of the reply's id, so that a retry is the same record. Where another
/// reply has that key already, the next `attempt` gives another.
///
/// A TID (<https://atproto.com/specs/tid>) has 53 bits of microseconds and 10 bits of a clock's id: the milliseconds of
/// the reply's id, and 20 bits of a hash of it.
pub fn key_of(reply: ReplyId, attempt: u8) -> String {
    let ReplyId(id) = reply;
    let digest = Sha256::new().chain_update(id.to_be_bytes()).chain_update([attempt]).finalize();
    let mixed = digest.iter().take(4).fold(0_u128, |mixed, &byte| mixed << 8 | u128::from(byte));
    let micros = (id >> 80) * 1000 + (mixed >> 10) % 1000;
    let value = (micros & ((1 << 53) - 1)) << 10 | mixed & 0x3ff;
    (0..13)
        .rev()
        .map(|digit| {
            let five = usize::try_from(value >> (digit * 5) & 31).unwrap_or(0);
            char::from(TID_ALPHABET.get(five).copied().unwrap_or(b'2'))
        })
        .collect()
}

/// A reply as a record (`app.bsky.feed.post`).
pub fn reply_record(text: &str, root: &StrongRef, parent: &StrongRef, created_at: Time) -> Value {
    json!({
        "$type": POST,
        "text": text,
        "createdAt": created_at,
        "reply": {"root": root.json(), "parent": parent.json()},
        "facets": facets(text),
    })
}

/// What can be tapped in a text: its hashtags and links, by UTF-8 byte offsets, in their order.
pub fn facets(text: &str) -> Vec<Value> {
    let links = links(text);
    let mut found: Vec<(usize, Value)> = Vec::new();
    let mut from = 0;
    for tag in hashtags(text) {
        let Some(start) = find_tag(text, tag, from) else { continue };
        if links.iter().any(|(at, url)| (*at..at + url.len()).contains(&start)) {
            continue;
        }
        let sign = text.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        from = start + sign + tag.len();
        let feature = json!({"$type": "app.bsky.richtext.facet#tag", "tag": tag});
        found.push((start, facet(start, from, &feature)));
    }
    for (start, url) in links {
        let feature = json!({"$type": "app.bsky.richtext.facet#link", "uri": url});
        found.push((start, facet(start, start + url.len(), &feature)));
    }
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, facet)| facet).collect()
}

fn facet(start: usize, end: usize, feature: &Value) -> Value {
    json!({
        "$type": "app.bsky.richtext.facet",
        "index": {"byteStart": start, "byteEnd": end},
        "features": [feature],
    })
}

/// Where `#tag` begins, from `from` on.
fn find_tag(text: &str, tag: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let at = |sign: &str| {
        rest.match_indices(sign)
            .find(|(at, _)| rest.get(at + sign.len()..).is_some_and(|rest| rest.starts_with(tag)))
    };
    let found = at("#").into_iter().chain(at("＃")).map(|(at, _)| at).min()?;
    Some(from + found)
}

/// The links of a text: from `https://` to the next space, without the punctuation that ends a sentence.
fn links(text: &str) -> Vec<(usize, &str)> {
    let starts = text.match_indices("https://").chain(text.match_indices("http://"));
    let link = |(start, _): (usize, &str)| {
        let rest = text.get(start..)?;
        let url = rest
            .split(char::is_whitespace)
            .next()?
            .trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']);
        Some((start, url))
    };
    starts.filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(text: &str) -> Vec<&str> {
        let offset =
            |facet: &Value, name: &str| usize::try_from(facet["index"][name].as_u64().unwrap()).unwrap();
        facets(text).iter().map(|facet| &text[offset(facet, "byteStart")..offset(facet, "byteEnd")]).collect()
    }

    #[test]
    fn facets_are_bytes_of_what_can_be_tapped() {
        assert_eq!(slices("Für 5 €: post #ConfirmTea, bitte"), ["#ConfirmTea"]);
        assert_eq!(slices("🍵 #Tea and #TeaPot and #Tea"), ["#Tea", "#TeaPot", "#Tea"]);
        assert_eq!(slices("見て ＃お茶 です"), ["＃お茶"]);
        assert_eq!(
            slices("(see https://till.example/p/a_b-c). Post #Confirm."),
            ["https://till.example/p/a_b-c", "#Confirm"]
        );
        assert_eq!(slices("https://x.example/#NoTag"), ["https://x.example/#NoTag"]);
        assert!(facets("nothing here").is_empty());
    }

    #[test]
    fn a_reply_has_one_key_for_ever() {
        let id = ReplyId(1_764_000_000_000 << 80 | 12_345 << 50 | 7);
        let key = key_of(id, 0);
        assert_eq!(key, key_of(id, 0));
        assert_eq!(key.len(), 13);
        assert!(key.starts_with(|c: char| "234567abcdefghij".contains(c)), "{key}");
        // Ids of one millisecond differ in their last bits only.
        assert_ne!(key, key_of(ReplyId(id.0 + 1), 0));
        assert_ne!(key, key_of(id, 1));
        assert!(key < key_of(ReplyId(id.0 + (1 << 80)), 0), "keys sort by time");
    }

    #[test]
    fn addresses_have_three_parts() {
        assert_eq!(parts("at://did:plc:a/app.bsky.feed.post/3k"), Some(("did:plc:a", POST, "3k")));
        for wrong in
            ["", "at://", "at://did:plc:a", "at://did:plc:a/x", "https://a/b/c", "at://a/b/c/d", "at:///b/c"]
        {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
