//! The rules of the filtered stream: posts that mention us, quote us or natively repost us.

use super::X;
use super::api::{problem, success, trouble};
use crate::bridges::{Exchange, Trouble};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rules with this tag are ours to change; others are left alone.
const TAG: &str = "tagtill";
const PATH: &str = "/2/tweets/search/stream/rules";
const BUCKET: &str = "rules";

/// Why there is no stream.
#[derive(Debug)]
pub enum NoStream {
    /// X does not let this app have one.
    NotPermitted(String),
    /// Something else went wrong.
    Trouble(Trouble),
}

impl From<Trouble> for NoStream {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// An answer about the stream, where it is a success.
pub fn permitted(said: Exchange) -> Result<Exchange, NoStream> {
    match trouble(&said) {
        Some(trouble) if said.status == 403 => Err(NoStream::NotPermitted(trouble.why)),
        Some(trouble) => Err(trouble.into()),
        None => Ok(said),
    }
}

/// What is wanted, in X's words for rules.
fn wanted(handle: &str) -> [String; 3] {
    [
        format!("@{handle} -is:retweet"),
        format!(
            "(url:\"twitter.com/{handle}/status\" OR url:\"x.com/{handle}/status\") is:quote -is:retweet"
        ),
        format!("retweets_of:{handle}"),
    ]
}

fn text<'v>(rule: &'v Value, name: &str) -> &'v str {
    rule.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Gets the rules in step with what is wanted; their ids.
pub fn set(x: &X) -> Result<BTreeSet<String>, NoStream> {
    let wanted = wanted(&x.us().handle);
    let there = permitted(x.api.as_app("GET", PATH, None, BUCKET)?)?;
    let rules = there.body.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_wanted = |rule: &&Value| wanted.iter().any(|value| value == text(rule, "value"));
    let old = |rule: &&Value| text(rule, "tag") == TAG && !is_wanted(rule);
    let old: Vec<&str> = rules.iter().filter(old).map(|rule| text(rule, "id")).collect();
    if !old.is_empty() {
        let body = json!({"delete": {"ids": old}});
        permitted(x.api.as_app("POST", PATH, Some(&body), BUCKET)?)?;
    }
    let mut ids: BTreeSet<String> =
        rules.iter().filter(is_wanted).map(|rule| text(rule, "id").to_owned()).collect();
    let is_missing = |value: &&String| !rules.iter().any(|rule| text(rule, "value") == value.as_str());
    let add: Vec<Value> =
        wanted.iter().filter(is_missing).map(|value| json!({"value": value, "tag": TAG})).collect();
    if !add.is_empty() {
        let body = json!({"add": add});
        let said = permitted(x.api.as_app("POST", PATH, Some(&body), BUCKET)?)?;
        let added = said.body.get("data").and_then(Value::as_array).into_iter().flatten();
        ids.extend(added.map(|rule| text(rule, "id").to_owned()));
        let wrong = said.body.get("errors").and_then(Value::as_array).into_iter().flatten();
        for error in wrong {
            log::warn!("x: a rule of the stream was not taken: {} {}", text(error, "title"), problem(error));
        }
    }
    if ids.is_empty() {
        return Err(Trouble::protocol("X takes none of the stream's rules").into());
    }
    Ok(ids)
}

/// Whether X lets us have a stream, without changing anything.
pub fn look(x: &X) -> Result<(), Trouble> {
    success(x.api.as_app("GET", PATH, None, BUCKET)?).map(|_| ())
}
