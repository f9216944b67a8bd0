//! What of a firehose concerns us: most commits do not.

use crate::bridges::bluesky::frame::{Commit, Op, Record};
use crate::bridges::bluesky::record::{BLOCK, POST, REPOST};
use crate::bridges::{Person, Post};
use crate::till::link::has_form;
use crate::till::text::{fold, hashtags, mentions};
use std::collections::HashSet;

/// The longest text that a post may have, as the network's specification says; anybody can write a longer one.
const TEXT_BYTES_MAX: usize = 3000;
/// No address is longer: a DID, a collection and a key.
const URI_BYTES_MAX: usize = 1024;

/// What a post has to be for us to want it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Our DID.
    pub own: String,
    /// Our handle.
    pub own_handle: String,
    /// `at://` and our DID and a slash.
    pub own_prefix: String,
    /// Folded hashtags that the till looks for.
    pub hashtags: HashSet<String>,
}

impl Wanted {
    /// What we want as things stand.
    pub fn new(own: &str, own_handle: &str, hashtags: impl IntoIterator<Item = String>) -> Self {
        Self {
            own: own.to_owned(),
            own_handle: own_handle.to_owned(),
            own_prefix: format!("at://{own}/"),
            hashtags: hashtags.into_iter().collect(),
        }
    }

    /// Whether a post's own words or its place in a thread concern us; `None` where only its hashtags could, later.
    fn takes(&self, record: &Record<'_>) -> Option<bool> {
        if self.is_to_us(record) {
            return Some(true);
        }
        let tags = hashtags(record.text);
        if tags.is_empty() {
            return Some(false);
        }
        let wanted = tags.into_iter().map(fold).any(|tag| self.hashtags.contains(&tag) || has_form(&tag));
        wanted.then_some(true)
    }

    /// Whether a post mentions, quotes or answers us.
    fn is_to_us(&self, record: &Record<'_>) -> bool {
        record.mentions.contains(&self.own.as_str())
            || record.quotes.is_some_and(|uri| uri.starts_with(&self.own_prefix))
            || record.reply.is_some_and(|(_, parent)| parent.starts_with(&self.own_prefix))
            || mentions(record.text, &self.own_handle)
    }
}

/// What the filter made of an operation.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Something to hand in; its author's handle is not known yet.
    Post(Post),
    /// Only if its hashtag turns out to be an offer's.
    Perhaps(Post),
    /// A post is gone.
    Deleted(String),
    /// Somebody blocks us, under this key.
    Blocked(String),
    /// A block, of anybody, is gone.
    Unblocked(String),
}

/// What a commit holds for us.
pub fn filter(commit: &Commit<'_>, wanted: &Wanted, found: &mut Vec<Found>) {
    if commit.repo == wanted.own {
        return;
    }
    for op in &commit.ops {
        if let Some(one) = filter_op(commit, op, wanted) {
            found.push(one);
        }
    }
}

fn filter_op(commit: &Commit<'_>, op: &Op<'_>, wanted: &Wanted) -> Option<Found> {
    let (collection, key) = op.path.split_once('/')?;
    if commit.repo.len() + op.path.len() > URI_BYTES_MAX {
        return None;
    }
    let uri = || format!("at://{}/{}", commit.repo, op.path);
    match (collection, op.action) {
        (POST, "delete") => Some(Found::Deleted(uri())),
        (BLOCK, "delete") => Some(Found::Unblocked(format!("{} {key}", commit.repo))),
        (POST, _) => {
            let record = commit.record(op).filter(is_sound)?;
            let takes = wanted.takes(&record);
            if takes == Some(false) {
                return None;
            }
            let post = Post {
                lang: record.lang.map(str::to_owned),
                quote_of: record.quotes.map(str::to_owned),
                in_reply_to: record.reply.map(|(_, parent)| parent.to_owned()),
                to_us: wanted.is_to_us(&record),
                ..Post::new(uri(), nameless(commit.repo), record.text)
            };
            Some(if takes.is_some() { Found::Post(post) } else { Found::Perhaps(post) })
        }
        (REPOST, "create") => {
            let subject = commit.record(op)?.subject.filter(|uri| uri.starts_with(&wanted.own_prefix))?;
            let repost_of = Some(subject.to_owned());
            Some(Found::Post(Post { repost_of, ..Post::new(uri(), nameless(commit.repo), "") }))
        }
        (BLOCK, "create") => {
            let subject = commit.record(op)?.subject?;
            (subject == wanted.own).then(|| Found::Blocked(format!("{} {key}", commit.repo)))
        }
        _ => None,
    }
}

/// Whether a post is one for its network, too. What is kept for a second look must not fill the memory.
pub(super) fn is_sound(record: &Record<'_>) -> bool {
    let addresses = [record.lang, record.quotes, record.reply.map(|(_, parent)| parent)];
    record.text.len() <= TEXT_BYTES_MAX
        && addresses.into_iter().flatten().all(|address| address.len() <= URI_BYTES_MAX)
}

pub(super) fn nameless(did: &str) -> Person {
    Person { user_id: did.to_owned(), handle: String::new() }
}
