//! A list of a server's that grows at its newer end, read so that nothing is missed.
//!
//! A cursor alone would miss something: what another server delivers late is sorted in by the time that server says,
//! below what was read long ago. So the newest page is swept over now and then, and what is new in it is taken, wherever
//! it stands.
//!
//! Ids are compared for being the same and nothing else: only Mastodon's are numbers.

use super::api::Api;
use super::status::text;
use crate::bridges::{Desk, Trouble};
use crate::till::time::Time;
use serde_json::Value;

/// How much is asked for at once: what all servers give.
const PAGE: usize = 40;
/// A page of so many may not be all: some servers give less than they are asked for.
const FULL: usize = 20;
/// How many pages are read before anything is handed in.
const PAGES_MAX: usize = 50;

/// What lists are read from.
pub trait Pages {
    /// One page, the newest first.
    fn page(&self, path: &str) -> Result<Vec<Value>, Trouble>;
}

impl Pages for Api {
    fn page(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        match self.get(path)? {
            Value::Array(items) => Ok(items),
            _ => Err(Trouble::protocol("a list of the server's is no list")),
        }
    }
}

/// Where cursors are kept.
pub trait Cursors {
    /// As [`Desk::cursor`].
    fn cursor(&self, stream: &str) -> Result<Option<String>, Trouble>;
    /// As [`Desk::move_cursor`].
    fn move_cursor(&self, stream: &str, cursor: &str) -> Result<(), Trouble>;
}

impl Cursors for Desk {
    fn cursor(&self, stream: &str) -> Result<Option<String>, Trouble> {
        Self::cursor(self, stream)
    }

    fn move_cursor(&self, stream: &str, cursor: &str) -> Result<(), Trouble> {
        Self::move_cursor(self, stream, cursor)
    }
}

/// Takes what was read, the oldest first; how much of it was new.
pub type Take<'t> = &'t mut dyn FnMut(&[Value]) -> Result<usize, Trouble>;

/// A list and how far it was read.
pub struct Feed {
    path: String,
    stream: String,
    cursor: Option<String>,
}

impl Feed {
    /// The list at `path`, a path with a query; its cursor is `stream`.
    pub fn open(cursors: &dyn Cursors, path: String, stream: String) -> Result<Self, Trouble> {
        let cursor = cursors.cursor(&stream)?;
        Ok(Self { path, stream, cursor })
    }

    /// Whether it was ever read.
    pub fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// Takes all that is newer than the cursor; how much was new.
    pub fn climb(
        &mut self,
        pages: &dyn Pages,
        cursors: &dyn Cursors,
        take: Take<'_>,
    ) -> Result<usize, Trouble> {
        let mut fresh = 0;
        while let Some(cursor) = self.cursor.clone() {
            let above = bounds(&cursor);
            let mut page = pages.page(&format!("{}&limit={PAGE}{above}", self.path))?;
            if let Some(place) = page.iter().position(|item| id(item) == Some(&cursor)) {
                page.truncate(place);
            }
            if page.is_empty() {
                break;
            }
            // A server that does not page upward has sent the newest: what is between comes first.
            let all = self.descend(pages, page, &above, |item| id(item) == Some(&cursor))?;
            fresh += self.take(cursors, &all, take)?;
        }
        Ok(fresh)
    }

    /// Looks through the newest page, too: takes all that is newer than the cursor and whatever else is not older than
    /// `since`.
    pub fn sweep(
        &mut self,
        pages: &dyn Pages,
        cursors: &dyn Cursors,
        since: Time,
        take: Take<'_>,
    ) -> Result<usize, Trouble> {
        let page = pages.page(&format!("{}&limit={PAGE}", self.path))?;
        let is_young = |item: &Value| made_at(item).is_none_or(|at| at >= since);
        let Some(cursor) = self.cursor.clone() else {
            let mut all = self.descend(pages, page, "", |item| !is_young(item))?;
            all.retain(is_young);
            return self.take(cursors, &all, take);
        };
        if let Some(place) = page.iter().position(|item| id(item) == Some(&cursor)) {
            let numbered = page.iter().enumerate();
            let all: Vec<Value> = numbered
                .filter(|(i, item)| *i < place || is_young(item))
                .map(|(_, item)| item.clone())
                .collect();
            return self.take(cursors, &all, take);
        }
        // What the cursor stood at is further down, or gone.
        let fresh = self.climb(pages, cursors, take)?;
        let young: Vec<Value> = page.into_iter().filter(is_young).rev().collect();
        Ok(fresh + take(&young)?)
    }

    /// A page and, if it is full, those below it, until one is empty or holds what `is_end` knows, which is left out
    /// with all that is below.
    fn descend(
        &self,
        pages: &dyn Pages,
        first: Vec<Value>,
        bounds: &str,
        is_end: impl Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, Trouble> {
        let mut all = first;
        let mut full = all.len() >= FULL;
        for _ in 1..PAGES_MAX {
            if let Some(place) = all.iter().position(&is_end) {
                all.truncate(place);
                break;
            }
            let Some(lowest) = all.last().and_then(id).filter(|_| full) else { break };
            let below = format!("{}&limit={PAGE}&max_id={lowest}{bounds}", self.path);
            let below = pages.page(&below)?;
            // A server that knows no `max_id` would send the same for ever.
            full = below.len() >= FULL && below.last().and_then(id) != Some(lowest);
            all.extend(below);
        }
        Ok(all)
    }

    /// Takes what was read, the newest first; the cursor is then at the newest.
    fn take(&mut self, cursors: &dyn Cursors, all: &[Value], take: Take<'_>) -> Result<usize, Trouble> {
        let oldest_first: Vec<Value> = all.iter().rev().cloned().collect();
        let fresh = take(&oldest_first)?;
        if let Some(newest) = all.first().and_then(id) {
            cursors.move_cursor(&self.stream, newest)?;
            self.cursor = Some(newest.to_owned());
        }
        Ok(fresh)
    }
}

/// Upward from the cursor (`min_id`); `since_id` is for servers that only know that.
fn bounds(cursor: &str) -> String {
    let cursor = super::api::encoded(cursor);
    format!("&min_id={cursor}&since_id={cursor}")
}

fn id(item: &Value) -> Option<&str> {
    text(item, "/id")
        .filter(|id| !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'))
}

fn made_at(item: &Value) -> Option<Time> {
    super::status::changed_at(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    /// How a server reads `min_id` and `since_id`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Way {
        /// Mastodon: `min_id` pages upward, and nothing else counts then.
        Upward,
        /// Both bound the list; `min_id` pages upward.
        Both,
        /// Only `since_id` is known, and pages from the top.
        Since,
    }

    /// A list whose ids are in no order that could be compared.
    struct Server {
        way: Way,
        /// The oldest first.
        items: RefCell<Vec<Value>>,
        asked: RefCell<usize>,
        cap: usize,
        cursor: RefCell<Option<String>>,
    }

    fn name(number: usize) -> String {
        format!("{:x}", (number + 1) * 7919 % 10007)
    }

    fn item(number: usize, minute: i64) -> Value {
        json!({"id": name(number), "created_at": Time::from_ms(minute * 60_000)})
    }

    impl Server {
        fn new(way: Way, count: usize) -> Self {
            let items = (0..count).map(|number| item(number, 100)).collect();
            Self {
                way,
                items: RefCell::new(items),
                asked: RefCell::default(),
                cap: 40,
                cursor: RefCell::default(),
            }
        }
    }

    impl Pages for Server {
        fn page(&self, path: &str) -> Result<Vec<Value>, Trouble> {
            *self.asked.borrow_mut() += 1;
            let query: BTreeMap<&str, &str> =
                path.split(['?', '&']).filter_map(|pair| pair.split_once('=')).collect();
            let items = self.items.borrow();
            let place =
                |key| query.get(key).map(|id| items.iter().position(|one| one["id"] == **id).unwrap());
            let limit = query["limit"].parse::<usize>().unwrap().min(self.cap);
            let end = place("max_id").unwrap_or(items.len());
            let min = place("min_id").filter(|_| self.way != Way::Since).map(|place| place + 1);
            let since = place("since_id").map(|place| place + 1);
            let begin = min.or(since).unwrap_or(0).min(end);
            let within = &items[begin..end];
            let some = match min {
                Some(_) => &within[..within.len().min(limit)],
                None => &within[within.len().saturating_sub(limit)..],
            };
            Ok(some.iter().rev().cloned().collect())
        }
    }

    impl Cursors for Server {
        fn cursor(&self, _: &str) -> Result<Option<String>, Trouble> {
            Ok(self.cursor.borrow().clone())
        }

        fn move_cursor(&self, _: &str, cursor: &str) -> Result<(), Trouble> {
            *self.cursor.borrow_mut() = Some(cursor.to_owned());
            Ok(())
        }
    }

    fn open(server: &Server) -> Feed {
        Feed::open(server, "/list?a=b".into(), "list".into()).unwrap()
    }

    fn names(taken: &[Value]) -> Vec<&str> {
        taken.iter().map(|one| one["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn everything_above_the_cursor_is_taken_in_order_on_every_kind_of_server() {
        for way in [Way::Upward, Way::Both, Way::Since] {
            for (count, cap) in [(3, 40), (20, 40), (40, 40), (41, 40), (300, 40), (300, 20)] {
                let mut server = Server::new(way, count + 5);
                server.cap = cap;
                *server.cursor.borrow_mut() = Some(name(4));
                let mut taken = Vec::new();
                let mut take = |items: &[Value]| {
                    taken.extend_from_slice(items);
                    Ok(items.len())
                };
                let mut feed = open(&server);
                assert_eq!(feed.climb(&server, &server, &mut take).unwrap(), count, "{way:?}, {count}");
                assert_eq!(feed.climb(&server, &server, &mut take).unwrap(), 0);
                assert_eq!(names(&taken), (5..count + 5).map(name).collect::<Vec<_>>(), "{way:?}, {count}");
                assert_eq!(*server.cursor.borrow(), Some(name(count + 4)));
                assert!(*server.asked.borrow() < 50, "{way:?}, {count}: {}", server.asked.borrow());
            }
        }
    }

    #[test]
    fn the_first_look_goes_back_as_far_as_it_may() {
        let server = Server::new(Way::Upward, 0);
        let items = (0..100).map(|number| item(number, i64::try_from(number).unwrap())).collect();
        *server.items.borrow_mut() = items;
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend_from_slice(items);
            Ok(items.len())
        };
        let since = Time::from_ms(40 * 60_000);
        assert_eq!(open(&server).sweep(&server, &server, since, &mut take).unwrap(), 60);
        assert_eq!(names(&taken), (40..100).map(name).collect::<Vec<_>>());
        assert_eq!(*server.cursor.borrow(), Some(name(99)));
    }

    #[test]
    fn what_is_sorted_in_below_the_cursor_is_found_by_sweeping() {
        let server = Server::new(Way::Both, 10);
        *server.cursor.borrow_mut() = Some(name(9));
        let mut feed = open(&server);
        server.items.borrow_mut().insert(5, item(50, 200));
        server.items.borrow_mut().push(item(51, 10));
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend_from_slice(items);
            Ok(items.len())
        };
        feed.sweep(&server, &server, Time::from_ms(150 * 60_000), &mut take).unwrap();
        assert_eq!(
            names(&taken),
            [name(50), name(51)],
            "the late one, and what is above the cursor however old"
        );
        assert_eq!(*server.cursor.borrow(), Some(name(51)));
    }

    #[test]
    fn a_sweep_misses_nothing_between_the_cursor_and_the_newest_page() {
        let server = Server::new(Way::Upward, 200);
        *server.cursor.borrow_mut() = Some(name(9));
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend(items.iter().filter(|item| !taken.contains(*item)).cloned().collect::<Vec<_>>());
            Ok(items.len())
        };
        open(&server).sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
        assert_eq!(names(&taken), (10..200).map(name).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_list_has_no_cursor_and_what_comes_then_is_taken() {
        let server = Server::new(Way::Upward, 0);
        let mut feed = open(&server);
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend_from_slice(items);
            Ok(items.len())
        };
        feed.climb(&server, &server, &mut take).unwrap();
        feed.sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
        assert_eq!(*server.cursor.borrow(), None);
        *server.items.borrow_mut() = (0..90).map(|number| item(number, 100)).collect();
        feed.climb(&server, &server, &mut take).unwrap();
        feed.sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
        assert_eq!(names(&taken), (0..90).map(name).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_not_taken_is_read_again() {
        let server = Server::new(Way::Upward, 5);
        *server.cursor.borrow_mut() = Some(name(1));
        let mut feed = open(&server);
        let refused = feed.climb(&server, &server, &mut |_| Err(Trouble::stopped()));
        assert_eq!(refused, Err(Trouble::stopped()));
        assert_eq!(*server.cursor.borrow(), Some(name(1)));
        assert_eq!(feed.climb(&server, &server, &mut |items| Ok(items.len())), Ok(3));
    }
}
