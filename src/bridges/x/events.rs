//! What X sends to a webhook, as things to do: the X Activity API's events, whose posts have API v2's shape, and the
//! Account Activity API's, whose posts have that of version 1.1.

use super::snowflake;
use super::tweet::{Tweet, Us, language, read as read_v2, unescaped};
use crate::bridges::{Person, Post};
use crate::till::time::Time;
use serde_json::Value;

/// The months, as version 1.1 writes them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Something that X sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody posted.
    Posted(Tweet),
    /// A post was deleted.
    Deleted(String),
    /// Somebody blocks us.
    Blocked(Person),
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Reads what X sent; what is about others than us, or not known here, is left out.
pub fn read(sent: &Value, us: &Us) -> Vec<Event> {
    match sent.get("data") {
        Some(data) => activity(data, us).into_iter().collect(),
        None => account(sent, us),
    }
}

/// An event of the X Activity API.
fn activity(data: &Value, us: &Us) -> Option<Event> {
    if text(data, "/filter/user_id") != Some(&us.id) {
        return None;
    }
    let kind = text(data, "/event_type")?;
    let payload = data.get("payload")?;
    if kind == "post.delete" {
        return text(payload, "/id").map(|id| Event::Deleted(id.to_owned()));
    }
    if !matches!(
        kind,
        "post.mention.create" | "post.reply.create" | "post.quote.create" | "post.repost.create"
    ) {
        return None;
    }
    let mut tweet = read_v2(payload, data.get("includes").unwrap_or(&Value::Null), us)?;
    tweet.post.to_us |= matches!(kind, "post.mention.create" | "post.quote.create");
    Some(Event::Posted(tweet))
}

/// The events of the Account Activity API in one delivery.
fn account(sent: &Value, us: &Us) -> Vec<Event> {
    if text(sent, "/for_user_id") != Some(&us.id) {
        return Vec::new();
    }
    let posted = list(sent, "/tweet_create_events").filter_map(|it| read_v1(it, us)).map(Event::Posted);
    let deleted = list(sent, "/tweet_delete_events")
        .filter_map(|it| text(it, "/status/id"))
        .map(|id| Event::Deleted(id.to_owned()));
    let blocked = list(sent, "/block_events")
        .filter(|it| text(it, "/type") == Some("block") && user_id(it, "/target") == Some(us.id.clone()));
    let blocked = blocked.filter_map(|it| person(it.get("source")?)).map(Event::Blocked);
    posted.chain(deleted).chain(blocked).collect()
}

/// A user's id, as a text or as a number.
fn user_id(value: &Value, pointer: &str) -> Option<String> {
    let user = value.pointer(pointer)?;
    let number = || user.get("id").and_then(Value::as_u64).map(|id| id.to_string());
    text(user, "/id_str").or_else(|| text(user, "/id")).map(str::to_owned).or_else(number)
}

fn person(user: &Value) -> Option<Person> {
    let handle = text(user, "/screen_name").or_else(|| text(user, "/username"))?;
    Some(Person { user_id: user_id(user, "")?, handle: handle.to_owned() })
}

/// Reads a post of version 1.1.
fn read_v1(tweet: &Value, us: &Us) -> Option<Tweet> {
    let version = text(tweet, "/id_str")?;
    let id = text(tweet, "/edit_history/initial_tweet_id").unwrap_or(version);
    let said = ["/extended_tweet/full_text", "/full_text", "/text"].iter().find_map(|it| text(tweet, it));
    let mut post = Post::new(id, person(tweet.get("user")?)?, unescaped(said.unwrap_or_default()));
    post.lang = text(tweet, "/lang").and_then(language);
    post.created_at = text(tweet, "/created_at").and_then(created_at).or_else(|| snowflake::time(version));
    post.repost_of = text(tweet, "/retweeted_status/id_str").map(str::to_owned);
    post.in_reply_to = text(tweet, "/in_reply_to_status_id_str").map(str::to_owned);
    if post.repost_of.is_some() {
        post.text.clear();
    } else {
        post.quote_of = text(tweet, "/quoted_status_id_str").map(str::to_owned);
        let mentions = list(tweet, "/entities/user_mentions")
            .chain(list(tweet, "/extended_tweet/entities/user_mentions"));
        let mentioned = mentions.into_iter().any(|it| text(it, "/id_str") == Some(&us.id));
        let quoted = post.quote_of.is_some() && text(tweet, "/quoted_status/user/id_str") == Some(&us.id);
        post.to_us = mentioned || quoted;
    }
    Some(Tweet { post, version: version.to_owned() })
}

/// Reads a time as version 1.1 writes it: `Mon May 19 14:01:46 +0000 2025`.
fn created_at(text: &str) -> Option<Time> {
    let words: Vec<&str> = text.split(' ').collect();
    let [_, month, day, clock, "+0000", year] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    Time::parse(&format!("{year}-{month:02}-{day:0>2}T{clock}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn us() -> Us {
        Us { id: "1111111111111111111".to_owned(), handle: "ExampleUser".to_owned() }
    }

    fn posts(sent: &Value) -> Vec<Post> {
        let events = read(sent, &us()).into_iter();
        events.filter_map(|it| if let Event::Posted(tweet) = it { Some(tweet.post) } else { None }).collect()
    }

    #[test]
    fn times_of_version_1_1_are_read() {
        let read = |text| created_at(text).map(|at| at.to_string());
        let wanted = "2025-05-19T14:01:46.000Z".to_owned();
        assert_eq!(read("Mon May 19 14:01:46 +0000 2025"), Some(wanted));
        assert_eq!(read("Mon May 9 14:01:46 +0000 2025").as_deref(), Some("2025-05-09T14:01:46.000Z"));
        assert_eq!(read("Mon Mai 19 14:01:46 +0000 2025"), None);
        assert_eq!(read("Mon May 19 14:01:46 +0200 2025"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn posts_of_version_1_1_are_read() {
        let user = json!({"id": 2, "id_str": "2", "screen_name": "buyer"});
        let sent = json!({
            "for_user_id": us().id,
            "tweet_create_events": [
                {
                    "id_str": "1924465506158879000", "user": user, "truncated": true, "lang": "en",
                    "created_at": "Mon May 19 14:01:46 +0000 2025", "text": "the beginning…",
                    "extended_tweet": {
                        "full_text": "the beginning &amp; #BuyTea @ExampleUser",
                        "entities": {"user_mentions": [{"id_str": us().id, "screen_name": "ExampleUser"}]}
                    }
                },
                {
                    "id_str": "5", "user": user, "text": "RT @ExampleUser: #ConfirmTea",
                    "retweeted_status": {"id_str": "4", "user": {"id_str": us().id}}
                },
                {
                    "id_str": "6", "user": user, "text": "#BuyTea", "quoted_status_id_str": "4",
                    "in_reply_to_status_id_str": "3", "quoted_status": {"user": {"id_str": us().id}}
                },
                {"id_str": "7"}
            ]
        });
        let [long, repost, quote] = posts(&sent).try_into().unwrap();
        assert_eq!(long.text, "the beginning & #BuyTea @ExampleUser");
        assert_eq!(long.author, Person { user_id: "2".to_owned(), handle: "buyer".to_owned() });
        assert!(long.to_us);
        assert_eq!(long.created_at.unwrap().to_string(), "2025-05-19T14:01:46.000Z");
        assert_eq!((repost.repost_of.as_deref(), repost.text.as_str(), repost.to_us), (Some("4"), "", false));
        assert_eq!((quote.quote_of.as_deref(), quote.in_reply_to.as_deref()), (Some("4"), Some("3")));
        assert!(quote.to_us);
    }

    #[test]
    fn deletions_and_blocks_are_read() {
        let sent = json!({
            "for_user_id": us().id,
            "tweet_delete_events": [
                {"status": {"id": "1045405559317569537", "user_id": "2"}, "timestamp_ms": "1432228155593"}
            ],
            "block_events": [
                {"type": "block", "source": {"id": "2", "screen_name": "tired"}, "target": {"id": us().id}},
                {"type": "unblock", "source": {"id": "3", "screen_name": "back"}, "target": {"id": us().id}},
                {"type": "block", "source": {"id": us().id, "screen_name": "ExampleUser"}, "target": {"id": "4"}}
            ]
        });
        let tired = Person { user_id: "2".to_owned(), handle: "tired".to_owned() };
        let wanted = [Event::Deleted("1045405559317569537".to_owned()), Event::Blocked(tired)];
        assert_eq!(read(&sent, &us()), wanted);
    }

    #[test]
    fn what_is_sent_for_others_is_left_out() {
        let tweet = json!({"id_str": "6", "user": {"id_str": "2", "screen_name": "buyer"}, "text": "hi"});
        assert_eq!(read(&json!({"for_user_id": "9", "tweet_create_events": [tweet]}), &us()), []);
        let event = json!({"data": {
            "filter": {"user_id": "9"}, "event_type": "post.mention.create",
            "payload": {"id": "6", "author_id": "2", "text": "hi"}
        }});
        assert_eq!(read(&event, &us()), []);
        assert_eq!(read(&json!([1, 2]), &us()), []);
    }
}
