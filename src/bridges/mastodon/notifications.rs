//! Mentions of us and reposts of ours, and whether posts that still matter were deleted.

use super::feed::Feed;
use super::status::{Us, changed_at, text, time, version_of};
use super::{Mastodon, NOTIFICATIONS, YOUNG_SECONDS};
use crate::bridges::{Desk, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// From one look to the next, without a stream.
const POLL: Duration = Duration::from_secs(3);
/// From one look to the next while a stream tells of news, and from one sweep to the next.
const SWEEP: Duration = Duration::from_secs(30);
/// From a look that misses a post to the next: a server that restarts misses everything for a while.
const LOOK_AGAIN: Duration = Duration::from_secs(12);
/// How many posts are looked at, each time, for having been deleted.
const WATCHED_AT_ONCE: usize = 5;
/// Requests left to others, of those that a server takes from us in five minutes.
const ROOM: usize = 30;
/// The same for what matters less.
const ROOM_WATCH: usize = 60;

/// The looks at posts that are watched.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The post that was looked at last.
    last: String,
    /// Those that the last look at them did not find.
    missing: BTreeSet<String>,
}

impl Looks {
    /// Those to look at now: the missing ones first, then the next few after the last one, beginning anew at the end.
    fn next_of(&mut self, watched: &[String], count: usize) -> Vec<String> {
        self.missing.retain(|id| watched.contains(id));
        let begin = watched.partition_point(|id| *id <= self.last);
        let turns = watched.iter().cycle().skip(begin).take(watched.len());
        let others = turns.filter(|id| !self.missing.contains(*id));
        self.missing.iter().chain(others).take(count).cloned().collect()
    }

    /// What a look has found; whether the post is gone, which takes two looks: a proxy says 404, too, while the server
    /// behind it restarts.
    fn note(&mut self, id: &str, found: bool) -> bool {
        id.clone_into(&mut self.last);
        if self.missing.remove(id) {
            return !found;
        }
        if !found {
            self.missing.insert(id.to_owned());
        }
        false
    }
}

impl Mastodon {
    /// Reads notifications until the bridge ends or there is trouble.
    pub(super) fn read_notifications(&self, desk: &Desk) -> Result<(), Trouble> {
        let signed = self.signed()?;
        let quotes = if signed.instance.tells_of_quotes { "&types%5B%5D=quote" } else { "" };
        // Those that a server's owner filters out are asked for, too: most are of people we do not follow.
        let path = format!(
            "/api/v1/notifications?types%5B%5D=mention&types%5B%5D=reblog{quotes}&include_filtered=true"
        );
        let mut feed = Feed::open(desk, path, NOTIFICATIONS.to_owned())?;
        let mut looked: Option<Time> = None;
        let mut swept: Option<Instant> = None;
        let mut watched: Option<Instant> = None;
        let mut rang = true;
        loop {
            let begun = now();
            let mut take = |items: &[Value]| {
                let posts = items.iter().filter_map(|item| post_of(&signed.us, item, looked));
                self.hand_in(desk, posts.collect())
            };
            let mut fresh = feed.climb(&self.api, desk, &mut take)?;
            // Without a cursor, only a sweep finds anything.
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) || !feed.has_cursor() {
                let first = swept.is_none();
                let since = begun.plus_seconds(-YOUNG_SECONDS);
                let more = feed.sweep(&self.api, desk, since, &mut take)?;
                fresh += if first { 0 } else { more };
                swept = Some(Instant::now());
            }
            let again = if self.misses_posts() { LOOK_AGAIN } else { SWEEP };
            if watched.is_none_or(|at| at.elapsed() >= again) {
                watched = Some(Instant::now());
                self.look_at_watched(desk)?;
            }
            if fresh > 0 && !rang {
                self.bell.found_without();
            }
            desk.read_to(NOTIFICATIONS, begun);
            looked = Some(begun);
            let long = if self.misses_posts() { LOOK_AGAIN } else { SWEEP };
            rang = self.bell.wait(desk, POLL, long)?;
            while !self.api.has_room(ROOM) {
                desk.nap(POLL)?;
            }
        }
    }

    /// Whether the last look missed a post.
    fn misses_posts(&self) -> bool {
        !self.looks.lock().unwrap_or_else(PoisonError::into_inner).missing.is_empty()
    }

    /// Asks for some of the posts that would be given up if they were deleted.
    fn look_at_watched(&self, desk: &Desk) -> Result<(), Trouble> {
        let looks = || self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let posts = looks().next_of(&self.watch.posts(), WATCHED_AT_ONCE);
        for id in &posts {
            if !self.api.has_room(ROOM_WATCH) {
                break;
            }
            let found = self.api.find(&format!("/api/v1/statuses/{}", super::api::encoded(id)))?.is_some();
            if looks().note(id, found) {
                desk.delete(id)?;
                self.watch.forget(id);
            }
        }
        Ok(())
    }
}

/// What a notification tells of, and what tells it from others. `looked`: all that was there then was read.
fn post_of(us: &Us, notification: &Value, looked: Option<Time>) -> Option<(String, Post)> {
    if text(notification, "/type") == Some("reblog") {
        let post = us.repost(notification)?;
        return Some((post.id.clone(), post));
    }
    if !matches!(text(notification, "/type"), Some("mention" | "quote")) {
        return None;
    }
    let status = notification.get("status").filter(|status| !status.is_null())?;
    let told = time(notification, "/created_at");
    // What was edited came after the last look, or it would have been seen then.
    let edited = text(status, "/edited_at").is_some();
    let post = us.post(status, if edited { told.max(looked) } else { told })?;
    // Not every server shows the post that is quoted; the notification says that it is ours.
    let to_us = post.to_us || text(notification, "/type") == Some("quote");
    Some((version_of(status)?, Post { created_at: post.created_at.or(changed_at(status)), to_us, ..post }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn those_that_are_watched_take_turns() {
        let posts: Vec<String> = ["1", "2", "3"].map(str::to_owned).to_vec();
        let mut looks = Looks::default();
        assert_eq!(looks.next_of(&posts, 2), ["1", "2"]);
        assert!(!looks.note("1", true) && !looks.note("2", true));
        assert_eq!(looks.next_of(&posts, 2), ["3", "1"]);
        assert!(!looks.note("9", true));
        assert_eq!(looks.next_of(&posts, 5), ["1", "2", "3"]);
        assert!(looks.next_of(&[], 5).is_empty());
    }

    #[test]
    fn only_what_two_looks_miss_is_gone() {
        let posts: Vec<String> = ["1", "2", "3", "4"].map(str::to_owned).to_vec();
        let mut looks = Looks::default();
        assert!(!looks.note("2", false) && !looks.note("3", false), "the server may be restarting");
        assert_eq!(looks.next_of(&posts, 3), ["2", "3", "4"], "they are looked at again first");
        assert!(!looks.note("2", true), "it was");
        assert!(looks.note("3", false));
        assert!(looks.missing.is_empty());
        assert!(!looks.note("2", false), "it counts anew");
        assert_eq!(looks.next_of(&posts[2..], 1), ["3"], "what is no longer watched is not looked at");
        assert!(looks.missing.is_empty());
    }

    #[test]
    fn notifications_tell_of_posts() {
        let us = Us { id: "7".into(), domain: "a.example".into() };
        let at = |minute: i64| Time::from_ms(minute * 60_000);
        let told = |kind: &str, acct: &str, edited: Option<Time>| {
            json!({
                "id": "1", "type": kind, "created_at": at(10), "account": {"id": "8", "acct": acct},
                "status": {
                    "id": "100", "account": {"id": "8", "acct": acct}, "created_at": at(5), "edited_at": edited,
                    "content": "#BuyTea",
                },
            })
        };
        let (key, post) = post_of(&us, &told("mention", "eve@far.example", None), Some(at(20))).unwrap();
        assert_eq!((key.as_str(), post.created_at), ("100 ", Some(at(9))));
        let (edited, post) =
            post_of(&us, &told("mention", "eve@far.example", Some(at(6))), Some(at(20))).unwrap();
        assert_ne!(edited, key);
        assert_eq!(
            post.created_at,
            Some(at(19)),
            "an edit that was not there at the last look is of after it"
        );
        let (_, post) = post_of(&us, &told("quote", "ada", None), None).unwrap();
        assert_eq!((post.created_at, post.to_us), (Some(at(5)), true));
        assert_eq!(post_of(&us, &told("favourite", "ada", None), None), None);
        assert_eq!(post_of(&us, &told("reblog", "ada", None), None), None, "not a post of ours");
        let mut gone = told("mention", "ada", None);
        gone["status"] = Value::Null;
        assert_eq!(post_of(&us, &gone, None), None);
        let mut ours = told("reblog", "ada", None);
        ours["status"]["account"]["id"] = json!("7");
        let (key, post) = post_of(&us, &ours, None).unwrap();
        assert_eq!((key.as_str(), post.created_at), ("reblog-100-8", Some(at(10))));
    }
}
