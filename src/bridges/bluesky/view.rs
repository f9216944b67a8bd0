//! What an AppView shows (views of posts, notifications), read as posts.

use super::looks::Looks;
use super::record::parts;
use crate::bridges::{Desk, Person, Post};
use crate::till::time::Time;
use serde_json::Value;

/// The address of what is shown.
pub fn uri_of(item: &Value) -> &str {
    item.get("uri").and_then(Value::as_str).unwrap_or_default()
}

/// When it was indexed, or what its author says, whichever is earlier; some servers know the first for itself.
pub fn time_of(item: &Value) -> Option<Time> {
    Time::parse(item.get("indexedAt")?.as_str()?).ok()
}

/// When its author says it was made.
fn said_of(item: &Value) -> Option<Time> {
    Time::parse(item.pointer("/record/createdAt")?.as_str()?).ok()
}

fn author_of(item: &Value) -> Option<Person> {
    let text = |name| item.get("author")?.get(name)?.as_str().map(str::to_owned);
    Some(Person { user_id: text("did")?, handle: text("handle")? })
}

/// A repost of ours, from its notification.
pub fn repost_of_notification(item: &Value, looks: &Looks) -> Option<Post> {
    let created_at = looks.came(time_of(item), said_of(item));
    let subject = item.pointer("/record/subject/uri").or_else(|| item.get("reasonSubject"))?.as_str()?;
    let repost_of = Some(subject.to_owned());
    Some(Post { created_at, repost_of, ..Post::new(uri_of(item), author_of(item)?, "") })
}

/// A post from its view (`app.bsky.feed.defs#postView`) or notification.
pub fn post_of_view(view: &Value, desk: &Desk, looks: &Looks) -> Option<Post> {
    post(view, &desk.own_id(), looks)
}

fn post(view: &Value, own: &str, looks: &Looks) -> Option<Post> {
    parts(uri_of(view))?;
    let record = view.get("record")?;
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let quote_of = text("/embed/record/uri").or_else(|| text("/embed/record/record/uri"));
    let mentioned = record
        .get("facets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|facet| facet.get("features")?.as_array())
        .flatten()
        .any(|feature| feature.get("did").and_then(Value::as_str) == Some(own));
    let in_reply_to = text("/reply/parent/uri");
    let is_ours = |uri: &String| parts(uri).is_some_and(|(did, _, _)| did == own);
    let speaks_to_us = quote_of.as_ref().is_some_and(is_ours) || in_reply_to.as_ref().is_some_and(is_ours);
    Some(Post {
        lang: text("/langs/0"),
        created_at: looks.came(time_of(view), said_of(view)),
        to_us: mentioned || speaks_to_us,
        quote_of,
        in_reply_to,
        ..Post::new(uri_of(view), author_of(view)?, text("/text").unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(created_at: &str, indexed_at: &str) -> Value {
        json!({
            "uri": "at://did:plc:ada/app.bsky.feed.post/3k", "indexedAt": indexed_at,
            "author": {"did": "did:plc:ada", "handle": "ada.test"},
            "record": {"text": "Hello", "langs": ["de"], "createdAt": created_at},
        })
    }

    #[test]
    fn a_time_that_the_author_says_gives_way_to_when_we_looked() {
        let mut looks = Looks::default();
        let at = |text: &str| Some(Time::parse(text).unwrap());
        looks.note(at("2026-01-01T10:00:10.000Z").unwrap(), None);
        for (created_at, indexed_at, came) in [
            ("2026-01-01T09:50:00Z", "2026-01-01T09:50:00.000Z", "2026-01-01T10:00:00.000Z"),
            ("2026-01-01T11:50:00.0001+02:00", "2026-01-01T09:50:00.000Z", "2026-01-01T10:00:00.000Z"),
            ("whenever", "2026-01-01T09:50:00.000Z", "2026-01-01T10:00:00.000Z"),
            ("2026-01-01T10:00:11Z", "2026-01-01T10:00:11.000Z", "2026-01-01T10:00:11.000Z"),
            ("2001-01-01T00:00:00Z", "2026-01-01T09:59:00.000Z", "2026-01-01T09:59:00.000Z"),
        ] {
            let post = post(&view(created_at, indexed_at), "did:plc:bot", &looks).unwrap();
            assert_eq!(post.created_at, at(came), "{created_at}, {indexed_at}");
        }
    }

    #[test]
    fn a_post_is_to_us_if_it_mentions_quotes_or_answers_us() {
        let of = |field: &str, value: Value| {
            let mut view = view("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000Z");
            view["record"][field] = value;
            post(&view, "did:plc:bot", &Looks::default()).unwrap()
        };
        let mention =
            |did: &str| json!([{"features": [{"$type": "app.bsky.richtext.facet#mention", "did": did}]}]);
        assert!(of("facets", mention("did:plc:bot")).to_us);
        assert!(!of("facets", mention("did:plc:ben")).to_us);
        let ours = of("embed", json!({"record": {"uri": "at://did:plc:bot/app.bsky.feed.post/3j"}}));
        assert_eq!(
            (ours.to_us, ours.quote_of.as_deref()),
            (true, Some("at://did:plc:bot/app.bsky.feed.post/3j"))
        );
        let theirs =
            of("embed", json!({"record": {"record": {"uri": "at://did:plc:bot2/app.bsky.feed.post/3j"}}}));
        assert!(!theirs.to_us && theirs.quote_of.is_some());
        assert_eq!(theirs.lang.as_deref(), Some("de"));
        let answers = |uri: &str| of("reply", json!({"root": {"uri": uri}, "parent": {"uri": uri}}));
        assert!(answers("at://did:plc:bot/app.bsky.feed.post/3j").to_us);
        assert!(!answers("at://did:plc:bot2/app.bsky.feed.post/3j").to_us);
    }
}
