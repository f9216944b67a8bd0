//! The AppView as a source: notifications for whoever speaks to us, search for hashtags. Asked through our own PDS.

use super::Bluesky;
use super::record::parts;
use crate::bridges::{Desk, Person, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Mentions, replies, quotes and reposts.
pub const NOTIFICATIONS: &str = "notifications";
/// Hashtags.
pub const HASHTAGS: &str = "hashtags";

/// From one look at the notifications to the next.
const NOTIFICATIONS_EVERY: Duration = Duration::from_secs(2);
/// From one look at a hashtag to the next, at least; with many of them, longer: 3,000 requests in five minutes are
/// allowed, and replies and notifications need some.
const HASHTAGS_EVERY: Duration = Duration::from_secs(3);
/// Between two searches.
const SEARCH_PAUSE: Duration = Duration::from_millis(200);
/// What comes with an author's clock that is slow is sorted in behind what was read already.
const OVERLAP_MS: i64 = 600_000;
/// At the very first start, what is not older than this is read: the till acts on nothing that is older.
const FIRST_MS: i64 = 3_600_000;
/// Whoever was not there at the last look has not been there for longer than this, before it.
const INDEX_MS: i64 = 60_000;
/// The most pages at one look.
const PAGES_MAX: usize = 50;
/// Posts asked for at once, as `app.bsky.feed.getPosts` takes them.
const POSTS_AT_ONCE: usize = 25;
/// Rounds of notifications from one look at watched posts to the next.
const WATCH_EVERY: u32 = 8;

/// Reads notifications again and again.
pub fn read_notifications(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let kept = desk.cursor(NOTIFICATIONS)?.and_then(|cursor| Time::parse(&cursor).ok());
    let mut since = kept.unwrap_or_else(|| now().plus_ms(OVERLAP_MS - FIRST_MS));
    let (mut looked, mut rounds): (Option<Time>, u32) = (None, 0);
    loop {
        let begun = now();
        let items = notifications(bridge, since.plus_ms(-OVERLAP_MS))?;
        let fresh: Vec<Value> = items.into_iter().filter(|item| !bridge.seen.has(uri_of(item))).collect();
        let floor = looked.map(|at| at.plus_ms(-INDEX_MS));
        let posts = bridge.posts_of(desk, &fresh, floor)?;
        hand_in(bridge, desk, &posts)?;
        fresh.iter().for_each(|item| bridge.seen.note(uri_of(item)));
        since = begun;
        desk.move_cursor(NOTIFICATIONS, &begun.to_string())?;
        desk.read_to(NOTIFICATIONS, begun);
        looked = Some(begun);
        if rounds % WATCH_EVERY == 0 {
            bridge.look_for_deleted(desk)?;
        }
        rounds = rounds.wrapping_add(1);
        desk.nap(NOTIFICATIONS_EVERY)?;
    }
}

/// Searches for each hashtag again and again.
pub fn read_hashtags(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let kept = desk.cursor(HASHTAGS)?.and_then(|cursor| Time::parse(&cursor).ok());
    let since = kept.unwrap_or_else(|| now().plus_ms(OVERLAP_MS - FIRST_MS));
    // Up to when each hashtag has been read: a new offer's begins where we do.
    let mut read_to: BTreeMap<String, Time> = BTreeMap::new();
    loop {
        let begun = now();
        for tag in desk.hashtags() {
            let looked = now();
            let before = read_to.get(&tag).copied();
            let items = search(bridge, &tag, before.unwrap_or(since).plus_ms(-OVERLAP_MS))?;
            let fresh: Vec<&Value> = items.iter().filter(|item| !bridge.seen.has(uri_of(item))).collect();
            let floor = before.map(|at| at.plus_ms(-INDEX_MS));
            let posts: Vec<Post> = fresh.iter().filter_map(|view| post_of_view(view, desk, floor)).collect();
            hand_in(bridge, desk, &posts)?;
            fresh.iter().for_each(|item| bridge.seen.note(uri_of(item)));
            read_to.insert(tag, looked);
            desk.nap(SEARCH_PAUSE)?;
        }
        desk.move_cursor(HASHTAGS, &begun.to_string())?;
        desk.read_to(HASHTAGS, begun);
        desk.nap(HASHTAGS_EVERY)?;
    }
}

fn hand_in(bridge: &Bluesky, desk: &Desk, posts: &[Post]) -> Result<(), Trouble> {
    if posts.is_empty() {
        return Ok(());
    }
    let answers = desk.hand_in(posts)?;
    for (post, answer) in posts.iter().zip(answers) {
        if let Some(answer) = answer {
            bridge.watch.consider(&post.id, &answer);
        }
    }
    Ok(())
}

fn uri_of(item: &Value) -> &str {
    item.get("uri").and_then(Value::as_str).unwrap_or_default()
}

fn time_of(item: &Value) -> Option<Time> {
    Time::parse(item.get("indexedAt")?.as_str()?).ok()
}

/// Notifications since `since`, the oldest first.
fn notifications(bridge: &Bluesky, since: Time) -> Result<Vec<Value>, Trouble> {
    let params = [
        ("limit", "100"),
        ("reasons", "mention"),
        ("reasons", "reply"),
        ("reasons", "quote"),
        ("reasons", "repost"),
    ];
    pages(bridge, "app.bsky.notification.listNotifications", &params, "notifications", since)
}

/// Posts with a hashtag since `since`, the oldest first.
fn search(bridge: &Bluesky, tag: &str, since: Time) -> Result<Vec<Value>, Trouble> {
    let query = format!("#{tag}");
    let params = [("q", query.as_str()), ("sort", "latest"), ("limit", "100")];
    pages(bridge, "app.bsky.feed.searchPosts", &params, "posts", since)
}

/// Reads a list that has the newest first, page by page, back to `since`; returns the oldest first.
fn pages(
    bridge: &Bluesky,
    nsid: &str,
    params: &[(&str, &str)],
    list: &str,
    since: Time,
) -> Result<Vec<Value>, Trouble> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut params = params.to_vec();
        if let Some(cursor) = &cursor {
            params.push(("cursor", cursor));
        }
        let page = bridge.session.query(nsid, &params)?;
        let items = page.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let oldest = items.iter().filter_map(time_of).min();
        let empty = items.is_empty();
        found.extend(items.into_iter().filter(|item| time_of(item).is_some_and(|at| at >= since)));
        cursor = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
        if empty || cursor.is_none() || oldest.is_none_or(|at| at < since) {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

impl Bluesky {
    /// Notifications as posts. A notification's time is not always the server's: the post's own view has that.
    fn posts_of(&self, desk: &Desk, items: &[Value], floor: Option<Time>) -> Result<Vec<Post>, Trouble> {
        let reason = |item: &Value| item.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        let asked: Vec<&str> = items.iter().filter(|item| reason(item) != "repost").map(uri_of).collect();
        let mut views = HashMap::new();
        for some in asked.chunks(POSTS_AT_ONCE) {
            for view in self.views(some)? {
                views.insert(uri_of(&view).to_owned(), view);
            }
        }
        let mut posts = Vec::new();
        for item in items {
            if reason(item) == "repost" {
                posts.extend(repost_of_notification(item, floor));
            } else if let Some(view) = views.get(uri_of(item)) {
                posts.extend(post_of_view(view, desk, floor));
            }
        }
        Ok(posts)
    }

    /// The posts under these addresses, as far as they are there and we may see them.
    pub(super) fn views(&self, uris: &[&str]) -> Result<Vec<Value>, Trouble> {
        if uris.is_empty() {
            return Ok(Vec::new());
        }
        let params: Vec<(&str, &str)> = uris.iter().map(|uri| ("uris", *uri)).collect();
        let said = self.session.query("app.bsky.feed.getPosts", &params)?;
        Ok(said.get("posts").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Tells the till which of the posts under watch are gone. Whoever blocks us takes theirs from our sight as well.
    fn look_for_deleted(&self, desk: &Desk) -> Result<(), Trouble> {
        let watched = self.watch.posts();
        let posts: Vec<&str> = watched.iter().map(String::as_str).collect();
        for some in posts.chunks(POSTS_AT_ONCE) {
            let views = self.views(some)?;
            for gone in some.iter().filter(|uri| !views.iter().any(|view| uri_of(view) == **uri)) {
                desk.delete(gone)?;
                self.watch.forget(gone);
            }
        }
        Ok(())
    }
}

fn author_of(item: &Value) -> Option<Person> {
    let text = |name| item.get("author")?.get(name)?.as_str().map(str::to_owned);
    Some(Person { user_id: text("did")?, handle: text("handle")? })
}

/// A repost of ours, from its notification.
fn repost_of_notification(item: &Value, floor: Option<Time>) -> Option<Post> {
    let created_at = time_of(item).max(floor);
    let subject = item.pointer("/record/subject/uri").or_else(|| item.get("reasonSubject"))?.as_str()?;
    let repost_of = Some(subject.to_owned());
    Some(Post { created_at, repost_of, ..Post::new(uri_of(item), author_of(item)?, "") })
}

/// A post from its view (`app.bsky.feed.defs#postView`).
fn post_of_view(view: &Value, desk: &Desk, floor: Option<Time>) -> Option<Post> {
    let record = view.get("record")?;
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let quote_of = text("/embed/record/uri").or_else(|| text("/embed/record/record/uri"));
    let (own, prefix) = (desk.own_id(), format!("at://{}/", desk.own_id()));
    let mentioned = record
        .get("facets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|facet| facet.get("features")?.as_array())
        .flatten()
        .any(|feature| feature.get("did").and_then(Value::as_str) == Some(own.as_str()));
    parts(uri_of(view))?;
    Some(Post {
        lang: text("/langs/0"),
        created_at: time_of(view).max(floor),
        to_us: mentioned || quote_of.as_ref().is_some_and(|uri| uri.starts_with(&prefix)),
        quote_of,
        in_reply_to: text("/reply/parent/uri"),
        ..Post::new(uri_of(view), author_of(view)?, text("/text").unwrap_or_default())
    })
}
