//! Mentions of us, asked for again and again; what the stream and the webhooks miss is found here.

use super::api::{FIELDS, success};
use super::tweet::Tweet;
use super::{MENTIONS, X, snowflake};
use crate::bridges::{Desk, Trouble, now};
use crate::till::time::Time;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often is asked at most while the stream is heard.
const POLL_BESIDE_STREAM: Duration = Duration::from_secs(60);
/// The fewest and the most posts that X gives at once.
const PAGE: (u64, u64) = (5, 100);
/// X gives the last 800 mentions.
const PAGES_MAX: usize = 160;
/// A first start looks back so far: what is older the till calls stale.
const FIRST_LOOK_SECONDS: i64 = 3600;
/// After a long rest, so far: what is older is not worth its price.
const LOOK_BACK_SECONDS: i64 = 86_400;
/// X may show a mention so much later than one that was made after it.
const LATE_SECONDS: i64 = 60;

/// Reads mentions until there is trouble.
pub fn read(x: &X, desk: &Desk) -> Result<(), Trouble> {
    let back = |seconds: i64| snowflake::least(now().plus_seconds(-seconds));
    let mut since = match desk.cursor(MENTIONS)? {
        Some(cursor) => snowflake::later(&cursor, &back(LOOK_BACK_SECONDS)).to_owned(),
        None => back(FIRST_LOOK_SECONDS),
    };
    let mut looked: Option<Time> = None;
    loop {
        let begun = now();
        if let Some(newest) = round(x, desk, &asked_from(&since, looked))? {
            newest_of(&mut since, newest);
            desk.move_cursor(MENTIONS, &since)?;
        }
        looked = Some(begun);
        desk.read_to(MENTIONS, begun);
        let asked = Instant::now();
        let due = |x: &X| if x.is_streaming() { x.poll.max(POLL_BESIDE_STREAM) } else { x.poll };
        while asked.elapsed() < due(x) {
            desk.nap(Duration::from_millis(100).min(x.poll))?;
        }
    }
}

/// After which id is asked: a while before the cursor, until all that was made before it must have been shown at the
/// last look. Only what is new is billed: X bills a post once a UTC day, and what was handed in is not handed in again.
fn asked_from(cursor: &str, looked: Option<Time>) -> String {
    let Some(at) = snowflake::time(cursor) else { return cursor.to_owned() };
    match looked {
        Some(looked) if looked.ms_since(at) > 2 * LATE_SECONDS * 1000 => cursor.to_owned(),
        _ => snowflake::least(at.plus_seconds(-LATE_SECONDS)),
    }
}

/// A cursor never goes back.
fn newest_of(cursor: &mut String, newest: String) {
    if snowflake::later(cursor, &newest) == newest {
        *cursor = newest;
    }
}

/// Hands in what came after `since`, oldest first; says how far that was.
fn round(x: &X, desk: &Desk, since: &str) -> Result<Option<String>, Trouble> {
    let mut found: Vec<Tweet> = Vec::new();
    let read = pages(x, desk, since, &mut found);
    // The pages come newest first.
    found.sort_by(|a, b| (a.version.len(), &a.version).cmp(&(b.version.len(), &b.version)));
    let newest = found.last().map(|tweet| tweet.version.clone());
    x.deliver(desk, found)?;
    // Where pages are missing, what was read is handed in, and read again from where it was.
    read.map(|()| newest)
}

fn pages(x: &X, desk: &Desk, since: &str, found: &mut Vec<Tweet>) -> Result<(), Trouble> {
    let path = format!("/2/users/{}/mentions", x.us().id);
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        if desk.stopping() {
            return Err(Trouble::stopped());
        }
        let left = x.api.budget.may_read()?;
        let at_once = left.clamp(PAGE.0, PAGE.1).to_string();
        let mut parameters = FIELDS.to_vec();
        parameters.extend([("since_id", since), ("max_results", at_once.as_str())]);
        parameters.extend(token.as_deref().map(|token| ("pagination_token", token)));
        let said = success(x.api.get(&path, &parameters, MENTIONS)?)?;
        x.api.count(&said.body);
        let includes = said.body.get("includes").unwrap_or(&Value::Null);
        let data = said.body.get("data").and_then(Value::as_array);
        found.extend(data.into_iter().flatten().filter_map(|tweet| x.tweet(tweet, includes)));
        token = said.body.pointer("/meta/next_token").and_then(Value::as_str).map(str::to_owned);
        if token.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_late_is_asked_for_until_it_must_have_been_there() {
        let made = Time::parse("2026-11-25T12:00:00.000Z").unwrap();
        let cursor = snowflake::least(made);
        let before = snowflake::least(made.plus_seconds(-60));
        assert_eq!(asked_from(&cursor, None), before);
        assert_eq!(asked_from(&cursor, Some(made.plus_seconds(120))), before);
        assert_eq!(asked_from(&cursor, Some(made.plus_seconds(121))), cursor);
        assert_eq!(asked_from("0", None), "0");
    }

    #[test]
    fn a_cursor_never_goes_back() {
        let mut cursor = "100".to_owned();
        newest_of(&mut cursor, "99".to_owned());
        assert_eq!(cursor, "100");
        newest_of(&mut cursor, "1000".to_owned());
        assert_eq!(cursor, "1000");
    }
}
