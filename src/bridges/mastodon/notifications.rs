//! Mentions of us and reposts of ours, and whether posts that still matter were deleted.

use super::feed::Feed;
use super::status::{Us, changed_at, text, time, version_of};
use super::{Mastodon, NOTIFICATIONS, YOUNG_SECONDS};
use crate::bridges::{Desk, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// From one look to the next, without a stream.
const POLL: Duration = Duration::from_secs(3);
/// From one look to the next while a stream tells of news, and from one sweep to the next.
const SWEEP: Duration = Duration::from_secs(30);
/// How many posts are looked at, each time, for having been deleted.
const WATCHED_AT_ONCE: usize = 5;
/// Requests left to others, of those that a server takes from us in five minutes.
const ROOM: usize = 30;
/// The same for what matters less.
const ROOM_WATCH: usize = 60;

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
        let mut rang = true;
        loop {
            let begun = now();
            let mut take = |items: &[Value]| {
                let posts = items.iter().filter_map(|item| post_of(&signed.us, item, looked));
                self.hand_in(desk, posts.collect())
            };
            let mut fresh = feed.climb(&self.api, desk, &mut take)?;
            if swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                let first = swept.is_none();
                let since = begun.plus_seconds(-YOUNG_SECONDS);
                let more = feed.sweep(&self.api, desk, since, &mut take)?;
                fresh += if first { 0 } else { more };
                swept = Some(Instant::now());
                self.look_at_watched(desk)?;
            }
            if fresh > 0 && !rang {
                self.bell.found_without();
            }
            desk.read_to(NOTIFICATIONS, begun);
            looked = Some(begun);
            rang = self.bell.wait(desk, POLL, SWEEP)?;
            while !self.api.has_room(ROOM) {
                desk.nap(POLL)?;
            }
        }
    }

    /// Asks for some of the posts that would be given up if they were deleted.
    fn look_at_watched(&self, desk: &Desk) -> Result<(), Trouble> {
        let posts = self.watch.posts();
        let last = self.watched_to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for id in next_of(&posts, &last, WATCHED_AT_ONCE) {
            if !self.api.has_room(ROOM_WATCH) {
                break;
            }
            if self.api.find(&format!("/api/v1/statuses/{}", super::api::encoded(id)))?.is_none() {
                desk.delete(id)?;
                self.watch.forget(id);
            }
            id.clone_into(&mut self.watched_to.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }
}

/// The next few after the last one, beginning anew at the end.
fn next_of<'p>(posts: &'p [String], last: &str, count: usize) -> Vec<&'p String> {
    let begin = posts.partition_point(|id| id.as_str() <= last);
    posts.iter().cycle().skip(begin).take(count.min(posts.len())).collect()
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
    Some((version_of(status)?, Post { created_at: post.created_at.or(changed_at(status)), ..post }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn those_that_are_watched_take_turns() {
        let posts: Vec<String> = ["1", "2", "3"].map(str::to_owned).to_vec();
        assert_eq!(next_of(&posts, "", 2), ["1", "2"]);
        assert_eq!(next_of(&posts, "2", 2), ["3", "1"]);
        assert_eq!(next_of(&posts, "9", 5), ["1", "2", "3"]);
        assert!(next_of(&[], "1", 5).is_empty());
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
        assert_eq!(post.created_at, Some(at(5)));
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
