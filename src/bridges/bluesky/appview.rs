//! The AppView as a source: notifications for whoever speaks to us, search for hashtags. Asked through our own PDS.
//!
//! Both lists are sorted by what authors say of the time, unless that is in the future. A post that is backdated by more
//! than [`OVERLAP_MS`] is therefore not found here; one that is by less is found, and its time is not believed.

use super::Bluesky;
use super::looks::Looks;
use super::view::{post_of_view, repost_of_notification, time_of, uri_of};
use crate::bridges::{Desk, Kind, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// Mentions, replies, quotes and reposts.
pub const NOTIFICATIONS: &str = "notifications";
/// Hashtags.
pub const HASHTAGS: &str = "hashtags";

/// From one look at all hashtags to the next, at least; with many of them, longer.
const HASHTAGS_EVERY: Duration = Duration::from_secs(3);
/// What comes with an author's clock that is slow is sorted in behind what was read already.
const OVERLAP_MS: i64 = 600_000;
/// At the very first start, what is not older than this is read: the till acts on nothing that is older.
const FIRST_MS: i64 = 3_600_000;
/// The most pages at one look.
const PAGES_MAX: usize = 50;
/// Posts asked for at once, as `app.bsky.feed.getPosts` takes them.
const POSTS_AT_ONCE: usize = 25;
/// Looks at the notifications from one look at watched posts to the next.
const WATCH_EVERY: u32 = 4;
/// Of the posts under watch, so many at one look; the others have their turn.
const WATCHED_AT_ONCE: usize = 4 * POSTS_AT_ONCE;
/// Where more posts are asked for at once and none of them is there, the AppView is what is wrong.
const GONE_TOGETHER_MAX: usize = 2;

/// Reads notifications again and again.
pub fn read_notifications(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let kept = desk.cursor(NOTIFICATIONS)?.and_then(|cursor| Time::parse(&cursor).ok());
    let (mut looks, mut rounds) = (Looks::since(kept), 0_u32);
    let mut watched = Watched::default();
    loop {
        let begun = now();
        let list = |cursor: Option<&str>| bridge.notifications(cursor);
        let found = look(bridge, desk, &looks, rounds == 0 || looks.is_due(begun), list)?;
        let posts = bridge.posts_of(desk, &found.fresh, &looks)?;
        hand_in(bridge, desk, &found.fresh, posts)?;
        looks.note(begun, found.reach);
        desk.move_cursor(NOTIFICATIONS, &begun.to_string())?;
        desk.read_to(NOTIFICATIONS, begun);
        if rounds % WATCH_EVERY == 0 {
            watched.look_for_deleted(bridge, desk)?;
        }
        rounds = rounds.wrapping_add(1);
        desk.nap(bridge.session.pace.look_pause(Instant::now()))?;
    }
}

/// Searches for each hashtag again and again.
pub fn read_hashtags(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let kept = desk.cursor(HASHTAGS)?.and_then(|cursor| Time::parse(&cursor).ok());
    // A new offer's hashtag begins where we do.
    let mut all: BTreeMap<String, Looks> = BTreeMap::new();
    loop {
        let (begun, round) = (now(), Instant::now());
        let tags = desk.hashtags();
        let offered: HashSet<&String> = tags.iter().collect();
        all.retain(|tag, _| offered.contains(tag));
        let mut ended = None;
        for tag in &tags {
            let known = all.get(tag).copied();
            let looked = search_for(bridge, desk, tag, known, known.unwrap_or_else(|| Looks::since(kept)));
            match looked {
                Ok(looks) => {
                    all.insert(tag.clone(), looks);
                }
                // One hashtag's trouble is not the others'.
                Err(trouble) if trouble.kind == Kind::Refused => {
                    desk.trouble(Kind::Refused);
                    log::warn!("bluesky: the search for #{tag} is refused: {trouble}");
                }
                Err(trouble) if matches!(trouble.kind, Kind::Server | Kind::Protocol) => {
                    ended.get_or_insert(trouble);
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if let Some(trouble) = ended {
            return Err(trouble);
        }
        desk.move_cursor(HASHTAGS, &begun.to_string())?;
        desk.read_to(HASHTAGS, begun);
        desk.nap(HASHTAGS_EVERY.saturating_sub(round.elapsed()))?;
    }
}

/// Searches for a hashtag and hands in what is found.
fn search_for(
    bridge: &Bluesky,
    desk: &Desk,
    tag: &str,
    known: Option<Looks>,
    mut looks: Looks,
) -> Result<Looks, Trouble> {
    let looked = now();
    let list = |cursor: Option<&str>| {
        desk.nap(bridge.session.pace.search_pause(Instant::now()))?;
        bridge.search(tag, cursor)
    };
    let found = look(bridge, desk, &looks, known.is_none() || looks.is_due(looked), list)?;
    let posts = found.fresh.iter().filter_map(|view| post_of_view(view, desk, &looks)).collect();
    hand_in(bridge, desk, &found.fresh, posts)?;
    looks.note(looked, found.reach);
    Ok(looks)
}

/// Hands in the posts that were made of what is fresh; whose author has no handle yet stays so.
fn hand_in(bridge: &Bluesky, desk: &Desk, fresh: &[Value], mut posts: Vec<Post>) -> Result<(), Trouble> {
    let mut later = HashSet::new();
    posts.retain_mut(|post| {
        let named = bridge.name(post);
        if !named {
            later.insert(post.id.clone());
        }
        named
    });
    let answers = if posts.is_empty() { Vec::new() } else { desk.hand_in(&posts)? };
    for (post, answer) in posts.iter().zip(answers) {
        if let Some(answer) = answer {
            bridge.watch.consider(&post.id, &answer);
        }
    }
    for uri in fresh.iter().map(uri_of).filter(|uri| !later.contains(*uri)) {
        bridge.seen.note(uri);
    }
    Ok(())
}

/// What a look found.
struct Found {
    /// What was not seen before, the oldest first.
    fresh: Vec<Value>,
    /// Down to what it went, if not as far as a slow clock may have put something.
    reach: Option<Time>,
}

/// A page of a list that has the newest first, and where the next one is.
struct Page {
    items: Vec<Value>,
    cursor: Option<String>,
}

impl Page {
    fn read(mut said: Value, list: &str) -> Self {
        let cursor = said.get("cursor").and_then(Value::as_str).map(str::to_owned);
        let items = match said.get_mut(list).map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        Self { items, cursor }
    }
}

/// Looks at a list, page by page: at the whole of it that may hold something new, or no further than to a page that holds
/// nothing new.
fn look(
    bridge: &Bluesky,
    desk: &Desk,
    looks: &Looks,
    whole: bool,
    list: impl Fn(Option<&str>) -> Result<Page, Trouble>,
) -> Result<Found, Trouble> {
    let since = looks.whole().unwrap_or_else(|| now().plus_ms(OVERLAP_MS - FIRST_MS)).plus_ms(-OVERLAP_MS);
    let (mut fresh, mut cursor, mut reach) = (Vec::new(), None::<String>, None);
    for page in 0..PAGES_MAX {
        let Page { items, cursor: next } = list(cursor.as_deref())?;
        let oldest = items.iter().filter_map(time_of).min();
        let ends = items.is_empty() || next.is_none() || oldest.is_none_or(|at| at < since);
        let new =
            |item: &Value| time_of(item).is_some_and(|at| at >= since) && !bridge.seen.has(uri_of(item));
        let before = fresh.len();
        fresh.extend(items.into_iter().filter(new));
        if ends {
            break;
        }
        if !whole && fresh.len() == before {
            reach = oldest;
            break;
        }
        if page + 1 == PAGES_MAX {
            desk.trouble(Kind::Protocol);
            log::error!("bluesky: a list is longer than {PAGES_MAX} pages: older posts in it are not read");
        }
        cursor = next;
    }
    fresh.reverse();
    Ok(Found { fresh, reach })
}

/// The posts under watch, as far as they were looked at.
#[derive(Default)]
struct Watched {
    /// Where the next look begins.
    after: String,
    /// What was not there at its last look: it is gone once it is not there at the next either.
    missing: HashSet<String>,
}

impl Watched {
    /// Tells the till which of the posts under watch are gone. Whoever blocks us takes theirs from our sight as well.
    fn look_for_deleted(&mut self, bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
        let all = bridge.watch.posts();
        self.missing.retain(|uri| all.binary_search(uri).is_ok());
        let split = all.partition_point(|uri| *uri <= self.after);
        let (before, behind) = all.split_at_checked(split).unwrap_or_default();
        let turn: Vec<&str> = behind.iter().chain(before).take(WATCHED_AT_ONCE).map(String::as_str).collect();
        for some in turn.chunks(POSTS_AT_ONCE) {
            let views = bridge.views(some)?;
            let there: HashSet<&str> = views.iter().map(uri_of).collect();
            let Some(gone) = self.gone(some, &there) else {
                desk.trouble(Kind::Server);
                log::error!("bluesky: the AppView shows none of {} posts: that is no deletion", some.len());
                continue;
            };
            for uri in gone {
                desk.delete(uri)?;
                bridge.watch.forget(uri);
            }
        }
        self.after = turn.last().map(|uri| (*uri).to_owned()).unwrap_or_default();
        Ok(())
    }

    /// Those of some posts that are gone, by what is there; `None` where so many are missing that it is something else.
    fn gone<'u>(&mut self, some: &[&'u str], there: &HashSet<&str>) -> Option<Vec<&'u str>> {
        if some.len() > GONE_TOGETHER_MAX && !some.iter().any(|uri| there.contains(uri)) {
            return None;
        }
        let mut gone = Vec::new();
        for uri in some {
            if there.contains(uri) {
                self.missing.remove(*uri);
            } else if !self.missing.insert((*uri).to_owned()) {
                gone.push(*uri);
            }
        }
        Some(gone)
    }
}

impl Bluesky {
    fn notifications(&self, cursor: Option<&str>) -> Result<Page, Trouble> {
        let mut params = vec![
            ("limit", "100"),
            ("reasons", "mention"),
            ("reasons", "reply"),
            ("reasons", "quote"),
            ("reasons", "repost"),
        ];
        params.extend(cursor.map(|cursor| ("cursor", cursor)));
        let said = self.session.query("app.bsky.notification.listNotifications", &params)?;
        Ok(Page::read(said, "notifications"))
    }

    fn search(&self, tag: &str, cursor: Option<&str>) -> Result<Page, Trouble> {
        let query = format!("#{tag}");
        let mut params = vec![("q", query.as_str()), ("sort", "latest"), ("limit", "100")];
        params.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.session.pace.searches(Instant::now());
        Ok(Page::read(self.session.query("app.bsky.feed.searchPosts", &params)?, "posts"))
    }

    /// Notifications as posts. A notification's time is what its author says, unless that is in the future; the post's own
    /// view may know better.
    fn posts_of(&self, desk: &Desk, items: &[Value], looks: &Looks) -> Result<Vec<Post>, Trouble> {
        let is_repost = |item: &&Value| item.get("reason").and_then(Value::as_str) == Some("repost");
        let asked: Vec<&str> = items.iter().filter(|item| !is_repost(item)).map(uri_of).collect();
        let mut views = HashMap::new();
        for some in asked.chunks(POSTS_AT_ONCE) {
            for view in self.views(some)? {
                views.insert(uri_of(&view).to_owned(), view);
            }
        }
        let post = |item: &Value| {
            if is_repost(&item) {
                return repost_of_notification(item, looks);
            }
            // A notification has what a view has.
            post_of_view(views.get(uri_of(item)).unwrap_or(item), desk, looks)
        };
        Ok(items.iter().filter_map(post).collect())
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

    /// Whether somebody and we cannot see each other, because one of us blocks the other.
    pub(super) fn are_apart(&self, did: &str) -> Result<bool, Trouble> {
        let said = self.session.query("app.bsky.actor.getProfile", &[("actor", did)])?;
        let blocked = said.pointer("/viewer/blockedBy").and_then(Value::as_bool) == Some(true);
        Ok(blocked || said.pointer("/viewer/blocking").is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::bluesky::naming::tests::bridge;
    use crate::bridges::bluesky::session::tests::{Pds, tokens};
    use crate::client::Client;
    use serde_json::json;

    #[test]
    fn a_hashtag_that_is_refused_does_not_stop_those_behind_it() {
        // The network and the till in one.
        let pds = Pds::new(|what, _, _| match what {
            "createSession" => (200, "", tokens(0)),
            _ if what.starts_with("searchPosts?q=%23bad") => (400, "", json!({"error": "InvalidRequest"})),
            _ if what.ends_with("/bridge") => {
                let orders = json!({"now": now().to_string(), "sandbox": false, "hashtags": ["bad", "good"]});
                (200, "", orders)
            }
            _ => (200, "", json!({"posts": [], "cursor": null})),
        });
        let bridge = bridge(&pds.url);
        let desk = Desk::new(Client::new(&pds.url, "a token"), ("bluesky", false), true);
        desk.announce().unwrap();
        let searched = |tag: &str| {
            let query = format!("searchPosts?q=%23{tag}");
            pds.asked().iter().filter(|line| line.starts_with(&query)).count()
        };
        let ended = std::thread::scope(|scope| {
            let reads = scope.spawn(|| read_hashtags(&bridge, &desk));
            let begun = Instant::now();
            while searched("good") < 2 && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
            }
            desk.stop();
            reads.join().unwrap()
        });
        assert_eq!(ended.unwrap_err().kind, Kind::Stopped);
        assert!(searched("bad") >= 2 && searched("good") >= 2, "{:?}", pds.asked());
        assert!(desk.counts.figures().errors.get("refused") >= Some(&2));
    }

    #[test]
    fn a_post_is_gone_when_two_looks_miss_it_and_never_with_all_the_others() {
        let mut watched = Watched::default();
        let there = |uris: &[&'static str]| uris.iter().copied().collect::<HashSet<&str>>();
        assert_eq!(watched.gone(&["a", "b", "c"], &there(&["a", "b"])), Some(vec![]));
        assert_eq!(watched.gone(&["a", "b", "c"], &there(&[])), None, "an AppView that has lost its memory");
        assert_eq!(watched.gone(&["a", "b", "c"], &there(&["a"])), Some(vec!["c"]));
        assert_eq!(watched.gone(&["a", "b", "c"], &there(&["b", "c"])), Some(vec![]), "b was missed once");
        assert_eq!(watched.gone(&["a", "b"], &there(&[])), Some(vec!["a"]), "few may be gone together");
    }
}
