//! The firehose as a source: every commit of a PDS or of the whole network, most of which are passed over here.

use super::Bluesky;
use super::frame::{Commit, Frame, Op, Record};
use super::record::{BLOCK, POST, REPOST};
use crate::bridges::{Desk, Heard, Kind, Person, Post, Socket, Trouble, now};
use crate::till::text::{fold, hashtags, mentions};
use crate::till::time::Time;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// The stream's name, and the name of its cursor.
pub const SOURCE: &str = "firehose";
/// Posts that match are handed in together where they come faster than this.
const GATHER: Duration = Duration::from_millis(5);
/// And never later than this.
const GATHER_MAX: Duration = Duration::from_millis(50);
/// At most so many at once.
const GATHERED_MAX: usize = 200;
/// The cursor is kept as often.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Who is that close behind reads live.
const LIVE_MS: i64 = 10_000;
/// Read live, a post is not older than this, whatever its server says.
const LATE_MS: i64 = 60_000;
/// Posts with hashtags that nobody looks for are kept for so long: their offer may be coming.
const SECOND_LOOK: Duration = Duration::from_secs(10);
/// The most of them.
const SECOND_LOOK_MAX: usize = 20_000;
/// The longest text that a post may have, as the network's specification says; anybody can write a longer one.
const TEXT_BYTES_MAX: usize = 3000;
/// No address is longer: a DID, a collection and a key.
const URI_BYTES_MAX: usize = 1024;
/// What is reserved for proving who one is.
const PROOF_TAGS: &[&str] = &["link", "unlink"];

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
        if self.is_to_us(record)
            || record.reply.is_some_and(|(_, parent)| parent.starts_with(&self.own_prefix))
        {
            return Some(true);
        }
        let tags = hashtags(record.text);
        if tags.is_empty() {
            return Some(false);
        }
        let wanted = tags
            .into_iter()
            .map(fold)
            .any(|tag| self.hashtags.contains(&tag) || PROOF_TAGS.iter().any(|proof| tag.starts_with(proof)));
        wanted.then_some(true)
    }

    /// Whether a post mentions or quotes us.
    fn is_to_us(&self, record: &Record<'_>) -> bool {
        record.mentions.contains(&self.own.as_str())
            || record.quotes.is_some_and(|uri| uri.starts_with(&self.own_prefix))
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
fn is_sound(record: &Record<'_>) -> bool {
    let addresses = [record.lang, record.quotes, record.reply.map(|(_, parent)| parent)];
    record.text.len() <= TEXT_BYTES_MAX
        && addresses.into_iter().flatten().all(|address| address.len() <= URI_BYTES_MAX)
}

fn nameless(did: &str) -> Person {
    Person { user_id: did.to_owned(), handle: String::new() }
}

/// One reading of the stream.
struct Reading<'d> {
    bridge: &'d Bluesky,
    desk: &'d Desk,
    wanted: Wanted,
    /// Hashtags as the till named them last.
    named: Vec<String>,
    posts: Vec<Post>,
    gathered: Option<Instant>,
    perhaps: VecDeque<(Instant, Post)>,
    blocks: BTreeMap<String, Person>,
    seq: Option<i64>,
    kept: Instant,
    live: bool,
}

/// Reads the firehose from where it was left.
pub fn read(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let cursor = desk.cursor(SOURCE)?;
    let mut url = format!("{}/xrpc/com.atproto.sync.subscribeRepos", bridge.settings.firehose);
    if let Some(cursor) = &cursor {
        url.push_str("?cursor=");
        url.push_str(cursor);
    }
    let mut socket = Socket::connect(&url, None)?;
    let mut reading = Reading {
        bridge,
        desk,
        wanted: Wanted::default(),
        named: Vec::new(),
        posts: Vec::new(),
        gathered: None,
        perhaps: VecDeque::new(),
        blocks: BTreeMap::new(),
        seq: None,
        kept: Instant::now(),
        live: cursor.is_none(),
    };
    reading.look_again()?;
    let ended = loop {
        if desk.stopping() {
            break Trouble::stopped();
        }
        if let Err(trouble) = reading.step(&mut socket) {
            break trouble;
        }
    };
    // What was read and not handed in is read again: the cursor is behind it.
    Err(ended)
}

impl Reading<'_> {
    fn step(&mut self, socket: &mut Socket) -> Result<(), Trouble> {
        let heard = match self.gathered {
            Some(_) => socket.read_within(GATHER)?,
            None => socket.read()?,
        };
        match heard {
            Heard::Binary(bytes) => self.take(&bytes)?,
            Heard::Text(_) => return Err(Trouble::protocol("the firehose sent a text")),
            Heard::Nothing => {
                self.flush()?;
                self.live = true;
                self.desk.read_to(SOURCE, now());
            }
        }
        let full = self.posts.len() >= GATHERED_MAX;
        if full || self.gathered.is_some_and(|since| since.elapsed() >= GATHER_MAX) {
            self.flush()?;
        }
        if self.kept.elapsed() >= KEEP_EVERY {
            self.flush()?;
            self.look_again()?;
            self.keep()?;
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let frame = match Frame::read(bytes) {
            Ok(frame) => frame,
            Err(error) => {
                // One frame that cannot be read must not stop all that follow.
                self.desk.trouble(Kind::Protocol);
                log::warn!("bluesky: a frame of the firehose cannot be read: {error}");
                return Ok(());
            }
        };
        match frame {
            Frame::Commit(commit) => {
                self.seq = Some(commit.seq);
                self.commit(&commit)
            }
            Frame::Identity { seq, did } => {
                self.seq = Some(seq);
                self.bridge.people.forget(did);
                Ok(())
            }
            Frame::Info(name) => {
                if name == "OutdatedCursor" {
                    self.desk.trouble(Kind::Protocol);
                    log::error!(
                        "bluesky: we were away for longer than the firehose remembers: posts are missing"
                    );
                }
                Ok(())
            }
            Frame::Error(error) => {
                Err(Trouble::new(Kind::Unreachable, format!("the firehose ended: {error}")))
            }
            Frame::Other(seq) => {
                self.seq = seq.or(self.seq);
                Ok(())
            }
        }
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<(), Trouble> {
        let now = now();
        let said = Time::parse(commit.time).unwrap_or(now).min(now);
        self.live |= now.ms_since(said) < LIVE_MS;
        let made_at = if self.live { said.max(now.plus_ms(-LATE_MS)) } else { said };
        let mut found = Vec::new();
        filter(commit, &self.wanted, &mut found);
        for found in found {
            match found {
                Found::Post(post) => self.gather(Post { created_at: Some(made_at), ..post })?,
                Found::Perhaps(post) => {
                    self.perhaps.push_back((Instant::now(), Post { created_at: Some(made_at), ..post }));
                    if self.perhaps.len() > SECOND_LOOK_MAX {
                        self.perhaps.pop_front();
                    }
                }
                Found::Deleted(uri) => {
                    self.flush()?;
                    self.desk.delete(&uri)?;
                }
                Found::Blocked(key) => {
                    let person = Person { user_id: commit.repo.to_owned(), handle: String::new() };
                    self.desk.opt_out(&person, true)?;
                    self.blocks.insert(key, person);
                }
                Found::Unblocked(key) => {
                    if let Some(person) = self.blocks.remove(&key) {
                        self.desk.opt_out(&person, false)?;
                    }
                }
            }
        }
        self.desk.read_to(SOURCE, said);
        Ok(())
    }

    fn gather(&mut self, mut post: Post) -> Result<(), Trouble> {
        post.author.handle = self.bridge.people.who(&post.author.user_id)?.handle;
        self.posts.push(post);
        self.gathered.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.gathered = None;
        if self.posts.is_empty() {
            return Ok(());
        }
        let posts = std::mem::take(&mut self.posts);
        self.desk.hand_in(&posts).map(|_| ())
    }

    /// Looks for hashtags that are new, in what passed by just before, too.
    fn look_again(&mut self) -> Result<(), Trouble> {
        while self.perhaps.front().is_some_and(|(at, _)| at.elapsed() > SECOND_LOOK) {
            self.perhaps.pop_front();
        }
        let named = self.desk.hashtags();
        let own_handle = self.desk.own_handle();
        if named == self.named && own_handle == self.wanted.own_handle {
            return Ok(());
        }
        self.wanted = Wanted::new(&self.desk.own_id(), &own_handle, named.iter().cloned());
        self.named = named;
        let wanted = self.wanted.clone();
        let is_wanted = |post: &Post| {
            hashtags(&post.text).into_iter().map(fold).any(|tag| wanted.hashtags.contains(&tag))
        };
        for (at, post) in std::mem::take(&mut self.perhaps) {
            if is_wanted(&post) {
                self.gather(post)?;
            } else {
                self.perhaps.push_back((at, post));
            }
        }
        self.flush()
    }

    fn keep(&mut self) -> Result<(), Trouble> {
        self.kept = Instant::now();
        match self.seq {
            Some(seq) => self.desk.move_cursor(SOURCE, &seq.to_string()),
            None => Ok(()),
        }
    }
}
