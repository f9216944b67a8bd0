//! The till as a bridge sees it: where posts are handed in, cursors are kept and opt-outs are noted.
//!
//! Whatever a source asks of the till is asked until the till has answered: it may be away for a while, and nothing that
//! was read may be lost.

use super::counts::Counts;
use super::lines::{lines, portions};
use super::opt::opt_wish;
use super::{Backoff, Kind, Own, Person, Post, Posted, Reply, Trouble, now};
use crate::client::{Client, ClientError};
use crate::till::text::{fold, hashtags};
use crate::till::time::Time;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The stream under which a bridge leaves its mark: whoever came last runs.
const MARK: &str = "bridge";
/// The longest wait for a till that is away: it is next door.
const TILL_WAIT_MAX: Duration = Duration::from_secs(4);
/// How long a till that refuses our token is left alone.
const REFUSED_WAIT: Duration = Duration::from_secs(30);
/// A sandbox's clock that differs by less than this is not ahead, only slow to answer.
const OFFSET_MIN_MS: i64 = 2000;

/// What the till decided about a post.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// The verdict's code.
    pub verdict: String,
    /// Whether it had been handed in before.
    pub repeated: bool,
}

/// What the till says about a network when its bridge announces itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct View {
    pub now: Time,
    pub sandbox: bool,
    pub hashtags: Vec<String>,
}

/// What the desk learns while it is open.
#[derive(Debug, Default)]
struct Known {
    own: Option<Own>,
    view: View,
    /// How far a sandbox's clock is ahead of ours.
    offset_ms: i64,
    /// The till's time when this bridge first spoke to it.
    begun: Option<Time>,
    /// This bridge's own mark.
    mark: String,
    /// Cursors as they were last read or written: where they differ, somebody else has moved them.
    cursors: BTreeMap<String, Option<String>>,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    till: Client,
    slug: &'static str,
    /// Whether the network knows whom a post is to.
    exact: bool,
    /// Nothing is changed anywhere.
    dry_run: bool,
    pub(super) counts: Counts,
    known: Mutex<Known>,
    stop: (Mutex<bool>, Condvar),
}

impl Desk {
    pub(super) fn new(till: Client, (slug, exact): (&'static str, bool), dry_run: bool) -> Self {
        Self {
            till,
            slug,
            exact,
            dry_run,
            counts: Counts::default(),
            known: Mutex::default(),
            stop: (Mutex::new(false), Condvar::new()),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is to be changed anywhere.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether the bridge is to end.
    pub fn stopping(&self) -> bool {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody end who naps or is about to.
    pub(super) fn stop(&self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
    }

    /// Waits, unless the bridge is to end.
    pub fn nap(&self, wait: Duration) -> Result<(), Trouble> {
        let guard = self.stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stop.1.wait_timeout_while(guard, wait, |stopping| !*stopping);
        let (stopping, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *stopping { Err(Trouble::stopped()) } else { Ok(()) }
    }

    /// Our account's stable id.
    pub fn own_id(&self) -> String {
        self.known().own.as_ref().map(|own| own.person.user_id.clone()).unwrap_or_default()
    }

    /// Our account's handle.
    pub fn own_handle(&self) -> String {
        self.known().own.as_ref().map(|own| own.person.handle.clone()).unwrap_or_default()
    }

    /// The hashtags that the till looks for now, folded, without `#`.
    pub fn hashtags(&self) -> Vec<String> {
        self.known().view.hashtags.clone()
    }

    /// A source has been read up to `at`, a time of the network's.
    pub fn read_to(&self, source: &'static str, at: Time) {
        self.counts.read_to(source, at);
    }

    /// Something went wrong that does not end the reading.
    pub fn trouble(&self, kind: Kind) {
        self.counts.error(kind);
    }

    pub(super) fn sign_in(&self, own: Own) {
        self.known().own = Some(own);
    }

    /// Says who we are and how it goes; learns what the till looks for.
    pub(super) fn announce(&self) -> Result<(), ClientError> {
        let own = self.known().own.clone();
        let body = match own {
            Some(own) if !self.dry_run => {
                let figures = self.counts.figures();
                json!({
                    "own": own.person, "text_limit": own.text_limit, "lag_seconds": figures.lag_seconds(now()),
                    "posts": figures.posts, "replies": figures.replies, "errors": figures.errors,
                })
            }
            _ => json!({}),
        };
        let asked = now();
        let said = self.till.put(&format!("/v1/networks/{}/bridge", self.slug), &body)?;
        let view: View = serde_json::from_value(said).map_err(|error| ClientError {
            status: None,
            code: None,
            sentence: format!("the till's answer cannot be read: {error}"),
        })?;
        let mut known = self.known();
        let ahead = view.now.ms_since(asked);
        known.offset_ms = if view.sandbox && ahead.abs() >= OFFSET_MIN_MS { ahead } else { 0 };
        known.begun.get_or_insert(view.now);
        known.view = view;
        Ok(())
    }

    /// Whether a time of the till's is over.
    pub(super) fn is_over(&self, at: Time) -> bool {
        now().plus_ms(self.known().offset_ms) > at
    }

    /// Whether a reply was queued before this bridge began: an earlier one may have posted it.
    pub(super) fn is_older_than_us(&self, queued_at: Time) -> bool {
        self.known().begun.is_none_or(|begun| queued_at <= begun)
    }

    /// Asks the till until it answers.
    fn insist<T>(
        &self,
        what: &str,
        ask: impl Fn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, ClientOrStop> {
        let mut backoff = Backoff::up_to(TILL_WAIT_MAX);
        loop {
            let error = match ask(&self.till) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let wait = match error.status {
                Some(401 | 403) => Some(REFUSED_WAIT),
                Some(408 | 429 | 500..) | None => None,
                Some(_) => return Err(ClientOrStop::Refused(error)),
            };
            self.counts.error(Kind::Till);
            let wait = backoff.next(wait);
            log::warn!(
                "{}: the till cannot take {what} ({error}); again in {:.1} s",
                self.slug,
                wait.as_secs_f32()
            );
            self.nap(wait).map_err(|_| ClientOrStop::Stop)?;
        }
    }

    /// Hands posts in, in their order; the answers are in the same order, `None` for a post that the till cannot take
    /// and for our own. Waits for a till that is away.
    pub fn hand_in(&self, posts: &[Post]) -> Result<Vec<Option<Answer>>, Trouble> {
        let mut answers = Vec::with_capacity(posts.len());
        for some in portions(posts) {
            for post in some.iter().filter(|post| post.to_us) {
                if let Some(out) = opt_wish(&post.text) {
                    self.opt_out(&post.author, out)?;
                }
            }
            if self.dry_run {
                for post in some {
                    self.show(post);
                }
                answers.resize(answers.len() + some.len(), None);
                continue;
            }
            answers.extend(self.hand_in_some(some)?);
        }
        Ok(answers)
    }

    fn show(&self, post: &Post) {
        // Only offers' hashtags: whatever else people write is theirs.
        let known = self.hashtags();
        let tags: Vec<String> =
            hashtags(&post.text).into_iter().map(fold).filter(|tag| known.contains(tag)).collect();
        let what = if post.repost_of.is_some() { "a repost" } else { "a post" };
        let slug = self.slug;
        log::info!("{slug}: would hand in {what}, {}, offers' hashtags in it: {}", post.id, tags.join(" "));
    }

    fn hand_in_some(&self, posts: &[Post]) -> Result<Vec<Option<Answer>>, Trouble> {
        let own = self.own_id();
        let mut answers: Vec<Option<Answer>> = vec![None; posts.len()];
        let mut open: Vec<usize> = (0..posts.len()).collect();
        open.retain(|&i| posts.get(i).is_some_and(|post| post.author.user_id != own));
        let mut backoff = Backoff::up_to(TILL_WAIT_MAX);
        while !open.is_empty() {
            let body = lines(
                (self.slug, self.exact),
                self.known().offset_ms,
                open.iter().filter_map(|&i| posts.get(i)),
            );
            let said = self
                .insist("posts", |till| till.post_lines("/v1/posts", &body))
                .map_err(ClientOrStop::trouble)?;
            let mut again = Vec::new();
            let mut lines = said.lines();
            for &i in &open {
                let line: Value =
                    lines.next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
                let status =
                    line.get("problem").and_then(|problem| problem.get("status")).and_then(Value::as_u64);
                match (serde_json::from_value(line.clone()), status) {
                    (Ok(answer), _) => answers.get_mut(i).map_or((), |place| *place = Some(answer)),
                    (Err(_), Some(status)) if status < 500 && status != 429 => {
                        self.counts.error(Kind::Refused);
                        let detail = line.pointer("/problem/detail").and_then(Value::as_str).unwrap_or("?");
                        let id = posts.get(i).map(|post| post.id.as_str()).unwrap_or_default();
                        log::warn!("{}: the till does not take post {id}: {detail}", self.slug);
                    }
                    _ => again.push(i),
                }
            }
            self.counts.posts(open.len() - again.len());
            open = again;
            if !open.is_empty() {
                self.counts.error(Kind::Till);
                self.nap(backoff.next(None))?;
            }
        }
        Ok(answers)
    }

    /// The network says that a post was deleted.
    pub fn delete(&self, post: &str) -> Result<(), Trouble> {
        if self.dry_run {
            log::info!("{}: would tell that {post} was deleted", self.slug);
            return Ok(());
        }
        let path = format!("/v1/posts/{}/{}?known=true", self.slug, encoded(post));
        self.tell_once("a deletion", |till| till.delete(&path))
    }

    /// Posts whose deletion would let something go, as the till says.
    pub fn held(&self) -> Result<Vec<String>, Trouble> {
        let path = format!("/v1/networks/{}/held", self.slug);
        let said =
            self.insist("a question for holds", |till| till.get(&path)).map_err(ClientOrStop::trouble)?;
        let posts = said.get("data").and_then(Value::as_array).into_iter().flatten();
        Ok(posts.filter_map(|post| post.as_str().map(str::to_owned)).collect())
    }

    /// Somebody wants to be left alone (`out`), or to be answered again.
    pub fn opt_out(&self, person: &Person, out: bool) -> Result<(), Trouble> {
        if self.dry_run {
            log::info!("{}: would note an opt-{}", self.slug, if out { "out" } else { "in" });
            return Ok(());
        }
        let path = format!("/v1/networks/{}/opt-outs/{}", self.slug, encoded(&person.user_id));
        let ask = |till: &Client| if out { till.put(&path, &json!({})) } else { till.delete(&path) };
        self.tell_once("an opt-out", ask)
    }

    /// Where a stream was left: `None` at the very first start.
    pub fn cursor(&self, stream: &str) -> Result<Option<String>, Trouble> {
        let path = self.cursor_path(stream);
        let said = self
            .insist("a question for its cursor", |till| till.get(&path))
            .map_err(ClientOrStop::trouble)?;
        let cursor = said.get("cursor").and_then(Value::as_str).map(str::to_owned);
        self.known().cursors.insert(stream.to_owned(), cursor.clone());
        Ok(cursor)
    }

    /// This bridge is the network's from now on: one that runs already ends.
    pub(super) fn take_over(&self) -> Result<(), Trouble> {
        let chance = getrandom::u64().unwrap_or(0);
        let mark = format!("{chance:016x}");
        self.cursor(MARK)?;
        self.move_cursor(MARK, &mark)?;
        self.known().mark = mark;
        Ok(())
    }

    /// Whether no other bridge has taken this one's place.
    pub(super) fn is_ours(&self) -> Result<(), Trouble> {
        let mark = self.known().mark.clone();
        if self.dry_run || self.cursor(MARK)?.is_none_or(|kept| kept == mark) {
            return Ok(());
        }
        Err(self.another())
    }

    fn another(&self) -> Trouble {
        let why = format!("another bridge reads {} for this till, and has taken our place", self.slug);
        Trouble::new(Kind::Another, why)
    }

    /// Everything up to `cursor` has been handed in.
    ///
    /// # Errors
    /// Where another bridge has moved it meanwhile: two would answer everybody twice.
    pub fn move_cursor(&self, stream: &str, cursor: &str) -> Result<(), Trouble> {
        let was = self.known().cursors.get(stream).cloned().flatten();
        if self.dry_run || was.as_deref() == Some(cursor) {
            return Ok(());
        }
        let (path, body) = (self.cursor_path(stream), json!({"cursor": cursor, "was": was}));
        match self.insist("a cursor", |till| till.put(&path, &body)) {
            Ok(_) => {
                self.known().cursors.insert(stream.to_owned(), Some(cursor.to_owned()));
                Ok(())
            }
            Err(ClientOrStop::Refused(error)) if error.status == Some(409) => Err(self.another()),
            Err(other) => Err(other.trouble()),
        }
    }

    fn cursor_path(&self, stream: &str) -> String {
        format!("/v1/networks/{}/cursors/{}", self.slug, encoded(stream))
    }

    /// Replies that wait, at most `limit`; waits for some.
    pub(super) fn replies(&self, limit: usize, wait_seconds: u64) -> Result<Vec<Reply>, Trouble> {
        let path = format!("/v1/replies?network={}&limit={limit}&wait_seconds={wait_seconds}", self.slug);
        let said =
            self.insist("a question for replies", |till| till.get(&path)).map_err(ClientOrStop::trouble)?;
        let data = said.get("data").and_then(Value::as_array);
        let read = |value: &Value| serde_json::from_value(value.clone()).ok();
        Ok(data.into_iter().flatten().filter_map(read).collect())
    }

    /// A reply is out.
    pub(super) fn sent(&self, reply: &str, posted: &Posted) -> Result<(), Trouble> {
        let sent_at = posted.sent_at.plus_ms(self.known().offset_ms);
        let body = json!({"post_id": posted.post_id, "sent_at": sent_at});
        self.tell(&format!("/v1/replies/{reply}/sent"), &body)
    }

    /// A reply could not be posted.
    pub(super) fn failed(&self, reply: &str, reason: &str, retry: bool) -> Result<(), Trouble> {
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(400).collect();
        self.tell(&format!("/v1/replies/{reply}/failed"), &json!({"reason": reason, "retry": retry}))
    }

    fn tell(&self, path: &str, body: &Value) -> Result<(), Trouble> {
        self.tell_once("what became of a reply", |till| till.post(path, body))
    }

    /// Tells the till something. What it refuses is over: nothing that follows may wait for that.
    fn tell_once(
        &self,
        what: &str,
        ask: impl Fn(&Client) -> Result<Value, ClientError>,
    ) -> Result<(), Trouble> {
        match self.insist(what, ask) {
            Ok(_) => Ok(()),
            Err(ClientOrStop::Refused(error)) => {
                self.counts.error(Kind::Till);
                log::warn!("{}: the till refuses {what}: {error}", self.slug);
                Ok(())
            }
            Err(ClientOrStop::Stop) => Err(Trouble::stopped()),
        }
    }
}

/// Why the till did not do what was asked, in the end.
enum ClientOrStop {
    Refused(ClientError),
    Stop,
}

impl ClientOrStop {
    fn trouble(self) -> Trouble {
        match self {
            Self::Refused(error) => Trouble::new(Kind::Till, error.to_string()),
            Self::Stop => Trouble::stopped(),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The desk, as threads share it.
pub(super) type SharedDesk = Arc<Desk>;
