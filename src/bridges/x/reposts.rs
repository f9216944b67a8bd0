//! Native reposts that nobody told of: they are no mentions, and the stream may have been away. Who reposted our latest
//! replies is asked for then.
//!
//! X bills the people it names, once a UTC day. It says neither when they reposted nor under which id: such a repost is
//! known by what was reposted and by whom. Where the stream tells of it too, the till has two of them, and answers none.

use super::api::success;
use super::tweet::Tweet;
use super::{REPOSTS, X, snowflake};
use crate::bridges::{Desk, Kind, Person, Post, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Replies older than this are confirmed no more.
const YOUNG_SECONDS: i64 = 1200;
/// After so long an app that may not ask who reposted tries again.
const NOT_PERMITTED_WAIT: Duration = Duration::from_secs(6 * 3600);

/// A reply of ours.
#[derive(Clone, Copy, Debug)]
struct Looked {
    posted: Time,
    /// When the last look at its reposts began.
    looked: Option<Time>,
}

/// Our latest replies.
#[derive(Debug, Default)]
pub struct Replies(Mutex<BTreeMap<String, Looked>>);

impl Replies {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Looked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reply is out.
    pub fn note(&self, id: &str, posted: Time) {
        self.lock().entry(id.to_owned()).or_insert(Looked { posted, looked: None });
    }

    /// The reply that has waited longest for a look, of those that the stream, heard since then, does not tell of.
    fn next(&self, now: Time, heard_since: Option<Time>) -> Option<(String, Looked)> {
        let mut replies = self.lock();
        replies.retain(|_, it| now.ms_since(it.posted) < YOUNG_SECONDS * 1000);
        let is_due = |it: &Looked| heard_since.is_none_or(|since| it.looked.unwrap_or(it.posted) < since);
        let due = replies.iter().filter(|(_, it)| is_due(it));
        due.min_by_key(|(_, it)| it.looked).map(|(id, it)| (id.clone(), *it))
    }

    fn looked(&self, id: &str, at: Time) {
        if let Some(it) = self.lock().get_mut(id) {
            it.looked = Some(at);
        }
    }

    fn forget(&self, id: &str) {
        self.lock().remove(id);
    }
}

/// Looks for reposts, one reply at a time, until there is trouble.
pub fn read(x: &X, desk: &Desk) -> Result<(), Trouble> {
    recall(x)?;
    loop {
        let begun = now();
        if let Some((id, it)) = x.replies.next(begun, x.streaming_since())
            && !look(x, desk, &id, it)?
        {
            log::warn!("x: this app may not ask who reposted: where the stream is away, reposts are missed");
            let until = Instant::now() + NOT_PERMITTED_WAIT;
            while Instant::now() < until {
                desk.read_to(REPOSTS, now());
                desk.nap(Duration::from_secs(5))?;
            }
        }
        desk.read_to(REPOSTS, begun);
        desk.nap(x.poll)?;
    }
}

/// The replies that an earlier bridge has posted lately.
fn recall(x: &X) -> Result<(), Trouble> {
    x.api.budget.may_read()?;
    let path = format!("/2/users/{}/tweets", x.us().id);
    let since = snowflake::least(now().plus_seconds(-YOUNG_SECONDS));
    let parameters = [
        ("max_results", "100"),
        ("tweet.fields", "referenced_tweets,created_at"),
        ("since_id", since.as_str()),
    ];
    let said = success(x.api.get(&path, &parameters, "timeline")?)?;
    x.api.count(&said.body);
    for tweet in said.body.get("data").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| tweet.get(name).and_then(Value::as_str);
        let Some(id) = text("id") else { continue };
        let said = text("created_at").and_then(|at| Time::parse(at).ok());
        if let Some(posted) = said.or_else(|| snowflake::time(id)) {
            x.replies.note(id, posted);
        }
    }
    Ok(())
}

/// Hands in who reposted a reply; whether X lets us ask.
fn look(x: &X, desk: &Desk, id: &str, it: Looked) -> Result<bool, Trouble> {
    x.api.budget.may_read()?;
    let begun = now();
    let path = format!("/2/tweets/{id}/retweeted_by");
    let said = x.api.get(&path, &[("max_results", "100"), ("user.fields", "username")], REPOSTS)?;
    if said.status == 403 {
        return Ok(false);
    }
    let said = match success(said) {
        Err(trouble) if trouble.kind == Kind::Refused => {
            x.replies.forget(id);
            return Ok(true);
        }
        other => other?,
    };
    let people: Vec<Person> =
        said.body.get("data").and_then(Value::as_array).map(|users| people(users)).unwrap_or_default();
    x.api.budget.read([].into_iter(), people.iter().map(|person| person.user_id.as_str()));
    // It was not there at the last look, and no more is known.
    let at = it.looked.unwrap_or(it.posted);
    x.deliver(desk, people.into_iter().map(|person| repost(id, person, at)).collect())?;
    x.replies.looked(id, begun);
    Ok(true)
}

fn people(users: &[Value]) -> Vec<Person> {
    let person = |user: &Value| {
        let text = |name: &str| user.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Person { user_id: text("id")?, handle: text("username")? })
    };
    users.iter().filter_map(person).collect()
}

fn repost(of: &str, person: Person, at: Time) -> Tweet {
    let id = format!("retweet-{of}-{}", person.user_id);
    let mut post = Post::new(id.clone(), person, "");
    post.repost_of = Some(of.to_owned());
    post.created_at = Some(at);
    Tweet { post, version: id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_are_looked_at_that_the_stream_does_not_tell_of() {
        let at = |seconds| Time::from_ms(1_700_000_000_000).plus_seconds(seconds);
        let replies = Replies::default();
        replies.note("1", at(0));
        replies.note("2", at(10));
        let next = |now, since: Option<i64>| replies.next(at(now), since.map(at)).map(|(id, _)| id);
        assert_eq!(next(20, Some(-5)), None, "the stream was there before them");
        assert_eq!(next(20, Some(5)).as_deref(), Some("1"), "it came after the first");
        replies.looked("1", at(20));
        assert_eq!(next(21, Some(5)), None);
        assert_eq!(next(30, Some(25)).as_deref(), Some("2"), "it was away since");
        replies.looked("2", at(30));
        assert_eq!(next(31, Some(25)).as_deref(), Some("1"));
        assert_eq!(next(31, None).as_deref(), Some("1"), "without a stream they take turns");
        replies.looked("1", at(31));
        assert_eq!(next(32, None).as_deref(), Some("2"));
        assert_eq!(next(1205, None).as_deref(), Some("2"), "the first is too old");
        replies.forget("2");
        assert_eq!(next(1205, None), None);
    }
}
