//! Posts with the till's hashtags, whether they mention us or not.
//!
//! Only public posts are in a hashtag's timeline, and of other servers' only what this one has got. One hashtag is read
//! at a time, the one that has waited longest, so that requests stay within the server's limit.

use super::feed::Feed;
use super::status::{Us, version_of, wants_no_bots};
use super::{HASHTAGS, Mastodon, YOUNG_SECONDS, api};
use crate::bridges::{Desk, Kind, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// From one hashtag to the next.
const PACE: Duration = Duration::from_secs(2);
/// From one sweep of a hashtag's newest page to the next.
const SWEEP: Duration = Duration::from_secs(60);
/// Who has no hashtags looks for new ones as often.
const IDLE: Duration = Duration::from_secs(1);
/// A hashtag that is met so soon after the start was there before.
const START: Duration = Duration::from_secs(60);
/// How far back a hashtag is read that came later.
const NEW_SECONDS: i64 = 300;
/// Requests left to others, of those that a server takes from us in five minutes.
const ROOM: usize = 90;

/// A hashtag under way.
struct Tag {
    feed: Feed,
    looked: Option<Time>,
    swept: Option<Instant>,
    /// How far back its newest page is looked through.
    young_seconds: i64,
}

impl Mastodon {
    /// Reads hashtags until the bridge ends or there is trouble.
    pub(super) fn read_hashtags(&self, desk: &Desk) -> Result<(), Trouble> {
        let us = self.signed()?.us;
        let begun = Instant::now();
        let mut tags: BTreeMap<String, Tag> = BTreeMap::new();
        while !desk.stopping() {
            let wanted = desk.hashtags();
            tags.retain(|name, _| wanted.contains(name));
            for name in wanted {
                if let Entry::Vacant(place) = tags.entry(name) {
                    let young = if begun.elapsed() < START { YOUNG_SECONDS } else { NEW_SECONDS };
                    let tag = Tag::open(desk, place.key(), young)?;
                    place.insert(tag);
                }
            }
            let Some(tag) = tags.values_mut().min_by_key(|tag| tag.looked) else {
                desk.read_to(HASHTAGS, now());
                desk.nap(IDLE)?;
                continue;
            };
            if self.api.has_room(ROOM) {
                match self.look_at(tag, &us, desk) {
                    Err(trouble) if trouble.kind == Kind::Refused => {
                        log::warn!("mastodon: a hashtag cannot be read: {trouble}");
                        tag.looked = Some(now());
                    }
                    other => other?,
                }
            }
            if let Some(Some(oldest)) = tags.values().map(|tag| tag.looked).min() {
                desk.read_to(HASHTAGS, oldest);
            }
            desk.nap(PACE)?;
        }
        Ok(())
    }

    fn look_at(&self, tag: &mut Tag, us: &Us, desk: &Desk) -> Result<(), Trouble> {
        let at = now();
        let looked = tag.looked;
        let mut take = |items: &[Value]| {
            let posts = items.iter().filter_map(|item| post_of(us, item, looked));
            self.hand_in(desk, posts.collect())
        };
        if tag.swept.is_none_or(|swept| swept.elapsed() >= SWEEP) || !tag.feed.has_cursor() {
            tag.feed.sweep(&self.api, desk, at.plus_seconds(-tag.young_seconds), &mut take)?;
            tag.swept = Some(Instant::now());
        } else {
            tag.feed.climb(&self.api, desk, &mut take)?;
        }
        tag.looked = Some(at);
        Ok(())
    }
}

impl Tag {
    fn open(desk: &Desk, name: &str, young_seconds: i64) -> Result<Self, Trouble> {
        let path = format!("/api/v1/timelines/tag/{}?local=false", api::encoded(name));
        let feed = Feed::open(desk, path, stream_of(name))?;
        Ok(Self { feed, looked: None, swept: None, young_seconds })
    }
}

/// The name of a hashtag's cursor: hashtags may be of any letters.
fn stream_of(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    hash.iter().take(16).fold("tag.".to_owned(), |mut stream, byte| {
        let _ = write!(stream, "{byte:02x}");
        stream
    })
}

/// A post of a hashtag's timeline, and what tells it from others; none of those who want no bots and do not ask for us.
fn post_of(us: &Us, status: &Value, looked: Option<Time>) -> Option<(String, Post)> {
    let post = us.post(status, looked)?;
    if !post.to_us && wants_no_bots(status.get("account")?) {
        return None;
    }
    Some((version_of(status)?, post))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cursors_have_names_of_plain_letters() {
        let name = stream_of("кофе");
        assert_eq!(name.len(), 36);
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'.'), "{name}");
        assert_ne!(name, stream_of("кофе1"));
    }

    #[test]
    fn who_wants_no_bots_is_left_alone_unless_they_ask() {
        let us = Us { id: "7".into(), domain: "a.example".into() };
        let mut status = json!({
            "id": "100", "content": "#BuyTea", "mentions": [],
            "account": {"id": "8", "acct": "ada", "note": "<p>#NoBot</p>"},
        });
        assert_eq!(post_of(&us, &status, None), None);
        status["mentions"] = json!([{"id": "7"}]);
        assert!(post_of(&us, &status, None).is_some());
        status["mentions"] = json!([]);
        status["account"]["note"] = json!("<p>Bots welcome</p>");
        assert!(post_of(&us, &status, None).is_some());
    }
}
