//! A list of a server's that grows at its newer end, read so that nothing is missed.
//!
//! A cursor alone would miss something: what another server delivers late is sorted in by the time that server says,
//! below what was read long ago. So the newest page is swept over now and then, and what is new in it is taken, wherever
//! it stands.
//!
//! Ids are compared for being the same and nothing else: only Mastodon's are numbers.

use super::api::Api;
use super::status::text;
use crate::bridges::{Desk, Kind, Trouble};
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
    /// How much is asked for at once: less than a page where posts are huge.
    limit: usize,
    /// It was said that something cannot be read.
    told: bool,
}

/// What was asked for.
struct Page {
    items: Vec<Value>,
    /// There may be more below.
    full: bool,
    /// Its newest item is larger than any answer that is read.
    too_large: bool,
}

impl Feed {
    /// The list at `path`, a path with a query; its cursor is `stream`.
    pub fn open(cursors: &dyn Cursors, path: String, stream: String) -> Result<Self, Trouble> {
        let cursor = cursors.cursor(&stream)?;
        Ok(Self { path, stream, cursor, limit: PAGE, told: false })
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
            let mut above = bounds(&cursor);
            let mut page = self.page(pages, &above)?;
            if page.too_large {
                // What is next cannot be read: whatever is above it is read from the newest downward.
                above = since(&cursor);
                page = self.page(pages, &above)?;
            }
            if let Some(place) = page.items.iter().position(|item| id(item) == Some(&cursor)) {
                page.items.truncate(place);
            }
            if page.items.is_empty() {
                break;
            }
            // A server that does not page upward has sent the newest: what is between comes first.
            let all = self.descend(pages, page, &above, |item| id(item) == Some(&cursor))?;
            fresh += self.take(cursors, &all, take)?;
            // Ids that are none move no cursor: the same would come for ever.
            if self.cursor.as_ref() == Some(&cursor) {
                break;
            }
        }
        Ok(fresh)
    }

    /// One page between bounds, of fewer items if they are too large.
    fn page(&mut self, pages: &dyn Pages, bounds: &str) -> Result<Page, Trouble> {
        loop {
            let limit = self.limit;
            match pages.page(&format!("{}&limit={limit}{bounds}", self.path)) {
                Ok(items) => {
                    self.limit = (limit * 2).min(PAGE);
                    let full = items.len() >= FULL.min(limit);
                    return Ok(Page { items, full, too_large: false });
                }
                Err(trouble) if !is_too_large(&trouble) => return Err(trouble),
                Err(_) if limit > 1 => self.limit = limit / 2,
                Err(trouble) => {
                    if !self.told {
                        self.told = true;
                        let stream = &self.stream;
                        log::warn!(
                            "mastodon: a post in {stream} cannot be read and is passed over: {trouble}"
                        );
                    }
                    return Ok(Page { items: Vec::new(), full: false, too_large: true });
                }
            }
        }
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
        let page = self.page(pages, "")?;
        let is_young = |item: &Value| made_at(item).is_none_or(|at| at >= since);
        let Some(cursor) = self.cursor.clone() else {
            let mut all = self.descend(pages, page, "", |item| !is_young(item))?;
            all.retain(is_young);
            return self.take(cursors, &all, take);
        };
        let page = page.items;
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
        &mut self,
        pages: &dyn Pages,
        first: Page,
        bounds: &str,
        is_end: impl Fn(&Value) -> bool,
    ) -> Result<Vec<Value>, Trouble> {
        let Page { items: mut all, mut full, .. } = first;
        for _ in 1..PAGES_MAX {
            if let Some(place) = all.iter().position(&is_end) {
                all.truncate(place);
                return Ok(all);
            }
            let Some(lowest) = all.last().and_then(id).filter(|_| full) else { return Ok(all) };
            let lowest = lowest.to_owned();
            let below = self.page(pages, &format!("&max_id={lowest}{bounds}"))?;
            // A server that knows no `max_id` would send the same for ever.
            full = below.full && below.items.last().and_then(id) != Some(lowest.as_str());
            all.extend(below.items);
        }
        if full && !all.iter().any(is_end) {
            log::warn!(
                "mastodon: in {}, what is older than the newest {} is not read",
                self.stream,
                all.len()
            );
        }
        Ok(all)
    }

    /// Takes what was read, the newest first; the cursor is then at the newest.
    fn take(&mut self, cursors: &dyn Cursors, all: &[Value], take: Take<'_>) -> Result<usize, Trouble> {
        let oldest_first: Vec<Value> = all.iter().rev().cloned().collect();
        let fresh = take(&oldest_first)?;
        if let Some(newest) = all.iter().find_map(id) {
            cursors.move_cursor(&self.stream, newest)?;
            self.cursor = Some(newest.to_owned());
            self.told = false;
        }
        Ok(fresh)
    }
}

/// Upward from the cursor (`min_id`); `since_id` is for servers that only know that.
fn bounds(cursor: &str) -> String {
    let cursor = super::api::encoded(cursor);
    format!("&min_id={cursor}&since_id={cursor}")
}

/// The newest above the cursor.
fn since(cursor: &str) -> String {
    format!("&since_id={}", super::api::encoded(cursor))
}

/// Whether an answer was larger than what is read of one.
fn is_too_large(trouble: &Trouble) -> bool {
    trouble.kind == Kind::Unreachable && trouble.why.contains("larger than request limit")
}

fn id(item: &Value) -> Option<&str> {
    text(item, "/id")
        .filter(|id| !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'))
}

fn made_at(item: &Value) -> Option<Time> {
    super::status::changed_at(item)
}

#[cfg(test)]
mod tests;
