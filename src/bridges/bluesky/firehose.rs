//! The firehose as a source: every commit of a PDS or of the whole network, most of which are passed over here.

use self::shore::Shore;
use self::waiting::{For, PATIENCE, Waiting};
use super::Bluesky;
use super::frame::{Commit, Frame};
use super::naming::{Claim, look_at_claims, proves};
use super::record::parts;
use crate::bridges::{Desk, Heard, Kind, Post, Socket, Trouble, now};
use crate::till::text::{fold, hashtags};
use crate::till::time::Time;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

mod filter;
mod shore;
#[cfg(test)]
mod tests;
mod waiting;

pub use filter::{Found, Wanted, filter};

/// The stream's name; each server's cursor has one of its own.
pub const SOURCE: &str = "firehose";
/// Posts that match are handed in together where they come faster than this.
const GATHER: Duration = Duration::from_millis(5);
/// And never later than this.
const GATHER_MAX: Duration = Duration::from_millis(50);
/// At most so many at once.
const GATHERED_MAX: usize = 200;
/// Posts that wait for a handle are looked at as often.
const WAITING_EVERY: Duration = Duration::from_millis(100);
/// The most handles that are to be looked at.
const CLAIMS_MAX: usize = 200;
/// The cursor is kept as often.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Posts with hashtags that nobody looks for are kept for so long: their offer may be coming.
const SECOND_LOOK: Duration = Duration::from_secs(10);
/// The most of them.
const SECOND_LOOK_MAX: usize = 20_000;

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
    waiting: Waiting,
    waiting_looked: Instant,
    /// Where handles are looked at, and what was found.
    claims: SyncSender<Claim>,
    words: Receiver<(String, bool)>,
    cursor: String,
    seq: Option<i64>,
    kept: Instant,
    shore: Shore,
}

/// The name of a firehose's cursor: another server counts in another way.
fn cursor_name(url: &str) -> String {
    let host = url.split("://").nth(1).unwrap_or(url);
    let mut name = format!("{SOURCE}.");
    for byte in Sha256::digest(host.as_bytes()).iter().take(8) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Reads the firehose from where it was left.
pub fn read(bridge: &Bluesky, desk: &Desk) -> Result<(), Trouble> {
    let name = cursor_name(&bridge.settings.firehose);
    let cursor = desk.cursor(&name)?;
    let mut url = format!("{}/xrpc/com.atproto.sync.subscribeRepos", bridge.settings.firehose);
    if let Some(cursor) = &cursor {
        url.push_str("?cursor=");
        url.push_str(cursor);
    }
    // Without a cursor, what comes is what is new.
    let caught_up = if cursor.is_some() { bridge.memory().caught_up } else { Some(now()) };
    let mut socket = Socket::connect(&url, None)?;
    let (claims, to_look_at) = sync_channel(CLAIMS_MAX);
    let (tell, words) = channel();
    let session = Arc::clone(&bridge.session);
    // It ends once this reading has, or a little later: nobody waits for it.
    std::thread::spawn(move || look_at_claims(&session, &to_look_at, &tell));
    let mut reading = Reading {
        bridge,
        desk,
        wanted: Wanted::default(),
        named: Vec::new(),
        posts: Vec::new(),
        gathered: None,
        perhaps: VecDeque::new(),
        waiting: Waiting::default(),
        waiting_looked: Instant::now(),
        claims,
        words,
        cursor: name,
        seq: None,
        kept: Instant::now(),
        shore: Shore::since(caught_up),
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
    bridge.memory().caught_up = reading.shore.caught_up();
    // What was read and not handed in is read again: the cursor is behind it.
    Err(ended)
}

impl Reading<'_> {
    fn step(&mut self, socket: &mut Socket) -> Result<(), Trouble> {
        let begun = now();
        let heard = match self.gathered {
            Some(_) => socket.read_within(GATHER)?,
            None if !self.waiting.is_empty() => socket.read_within(WAITING_EVERY)?,
            None => socket.read()?,
        };
        match heard {
            Heard::Binary(bytes) => {
                self.shore.something();
                self.take(&bytes)?;
            }
            Heard::Text(_) => return Err(Trouble::protocol("the firehose sent a text")),
            Heard::Nothing => {
                if let Some(at) = self.shore.nothing(begun, now()) {
                    self.desk.read_to(SOURCE, at);
                }
                self.flush()?;
            }
        }
        if !self.waiting.is_empty() && self.waiting_looked.elapsed() >= WAITING_EVERY {
            self.look_at_waiting()?;
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
            Frame::Error("FutureCursor") => Err(Trouble::protocol(format!(
                "the firehose has not got as far as we have read it (FutureCursor): it was set up anew and counts \
                 from the beginning. To read all that it remembers: PUT /v1/networks/bluesky/cursors/{} \
                 {{\"cursor\": \"0\"}}",
                self.cursor
            ))),
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
        self.shore.commit(commit.repo, said, now);
        let made_at = Some(self.shore.made_at(said, now));
        let mut found = Vec::new();
        filter(commit, &self.wanted, &mut found);
        for found in found {
            match found {
                Found::Post(post) => self.gather(Post { created_at: made_at, ..post })?,
                Found::Perhaps(post) => {
                    self.perhaps.push_back((Instant::now(), Post { created_at: made_at, ..post }));
                    if self.perhaps.len() > SECOND_LOOK_MAX {
                        self.perhaps.pop_front();
                    }
                }
                Found::Deleted(uri) => self.deleted(&uri)?,
                Found::Blocked(key) => {
                    self.desk.opt_out(&filter::nameless(commit.repo), true)?;
                    self.bridge.memory().blocked(key, commit.repo);
                }
                Found::Unblocked(key) => {
                    let again = self.bridge.memory().unblocked(&key);
                    if let Some(did) = again {
                        self.desk.opt_out(&filter::nameless(&did), false)?;
                    }
                }
            }
        }
        if let Some(at) = self.shore.read_to() {
            self.desk.read_to(SOURCE, at);
        }
        Ok(())
    }

    /// A post is gone. Most of those of a whole network concern nobody here.
    fn deleted(&mut self, uri: &str) -> Result<(), Trouble> {
        self.perhaps.retain(|(_, post)| post.id != uri);
        self.waiting.forget(uri);
        let author = parts(uri).map_or("", |(did, _, _)| did);
        let gathered = self.posts.iter().any(|post| post.id == uri);
        if !gathered && !self.bridge.memory().may_matter(author, Instant::now()) {
            return Ok(());
        }
        self.flush()?;
        self.desk.delete(uri)
    }

    /// Hands a post in soon, once its author's handle is known.
    fn gather(&mut self, mut post: Post) -> Result<(), Trouble> {
        match self.bridge.people.handle(&post.author.user_id)? {
            Some(handle) => post.author.handle = handle,
            None => {
                self.wait(post, For::Handle);
                return Ok(());
            }
        }
        if proves(&post) {
            let claim = Claim {
                post: post.id.clone(),
                handle: post.author.handle.clone(),
                did: post.author.user_id.clone(),
                until: Instant::now() + PATIENCE,
            };
            // Where there are too many, nobody looks at it, and it proves nothing.
            let _ = self.claims.try_send(claim);
            self.wait(post, For::Word);
        } else {
            self.push(post);
        }
        Ok(())
    }

    fn wait(&mut self, post: Post, what: For) {
        if let Some(oldest) = self.waiting.push(self.seq, post, what, Instant::now()) {
            self.push(oldest);
        }
    }

    fn push(&mut self, post: Post) {
        self.posts.push(post);
        self.gathered.get_or_insert_with(Instant::now);
    }

    fn look_at_waiting(&mut self) -> Result<(), Trouble> {
        self.waiting_looked = Instant::now();
        while let Ok((uri, fine)) = self.words.try_recv() {
            if let Some(post) = self.waiting.word(&uri, fine) {
                self.push(post);
            }
        }
        for (seq, uri) in self.waiting.due(Instant::now()) {
            let Some(did) = self.waiting.author(&uri) else { continue };
            if self.bridge.people.handle(did)?.is_some()
                && let Some(post) = self.waiting.take(&uri)
            {
                // Its place holds the cursor back until it is handed in.
                let latest = std::mem::replace(&mut self.seq, seq);
                let gathered = self.gather(post);
                self.seq = latest;
                gathered?;
            }
        }
        for post in self.waiting.over(Instant::now()) {
            self.push(post);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Trouble> {
        self.gathered = None;
        if self.posts.is_empty() {
            return Ok(());
        }
        let posts = std::mem::take(&mut self.posts);
        self.desk.hand_in(&posts)?;
        self.bridge.memory().handed_in(&posts, Instant::now());
        Ok(())
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
        match self.waiting.before().or(self.seq) {
            Some(seq) => self.desk.move_cursor(&self.cursor, &seq.to_string()),
            None => Ok(()),
        }
    }
}
