//! Deleted posts: X tells nobody of them but their authors, so that those which hold something are asked for.
//!
//! X bills a post once a UTC day, however often it is asked for: asking again costs nothing.

use super::api::success;
use super::{DELETIONS, X};
use crate::bridges::{Desk, Kind, Trouble, now};
use serde_json::Value;

/// Posts asked for at once, as X takes them.
const POSTS_AT_ONCE: usize = 100;
/// What X calls a post that is not there; one that may only not be seen has another name.
const NOT_FOUND: &str = "resource-not-found";

/// Looks again and again whether posts under watch are still there.
pub fn read(x: &X, desk: &Desk) -> Result<(), Trouble> {
    loop {
        let begun = now();
        let watched = x.watch.posts().into_iter().map(|post| (x.known.version(&post), post));
        let (paid, unpaid): (Vec<_>, Vec<_>) =
            watched.partition(|(version, _)| x.api.budget.is_paid(version));
        for some in paid.chunks(POSTS_AT_ONCE) {
            look(x, desk, some)?;
        }
        for some in unpaid.chunks(POSTS_AT_ONCE) {
            match x.api.budget.may_read() {
                // Those that were paid for are looked at all the same.
                Err(trouble) if trouble.kind == Kind::Budget => break,
                left => drop(left?),
            }
            look(x, desk, some)?;
        }
        desk.read_to(DELETIONS, begun);
        desk.nap(x.poll)?;
    }
}

/// Looks at some posts, each with the version that it is asked for by.
fn look(x: &X, desk: &Desk, posts: &[(String, String)]) -> Result<(), Trouble> {
    let versions: Vec<&str> = posts.iter().map(|(version, _)| version.as_str()).collect();
    let ids = versions.join(",");
    let said = success(x.api.get("/2/tweets", &[("ids", ids.as_str())], DELETIONS)?)?;
    x.api.count(&said.body);
    for gone in gone(&said.body) {
        if let Some((_, post)) = posts.iter().find(|(version, _)| version == gone) {
            desk.delete(post)?;
            x.watch.forget(post);
        }
    }
    Ok(())
}

/// The ids of posts that X says are not there.
fn gone(body: &Value) -> Vec<&str> {
    let text = |error: &'_ Value, name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    errors
        .filter(|error| text(error, "type").is_some_and(|kind| kind.ends_with(NOT_FOUND)))
        .filter_map(|error| error.get("value").or_else(|| error.get("resource_id"))?.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_only_not_be_seen_is_not_gone() {
        let body = json!({"data": [{"id": "1"}], "errors": [
            {"value": "2", "title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"},
            {"value": "3", "title": "Authorization Error",
             "type": "https://api.x.com/2/problems/not-authorized-for-resource"},
        ]});
        assert_eq!(gone(&body), ["2"]);
        assert!(gone(&json!({})).is_empty());
    }
}
