//! X's posts (API v2) as the till takes them.
//!
//! An edit has an id of its own at X, and names the ids before it. Here a post is known by its **first** id: the till
//! never judges the same id twice, so that nobody buys twice by correcting a word, and an edit that brings the hashtag
//! is judged as the post itself, made when it was edited.

use super::snowflake;
use crate::bridges::{Person, Post};
use crate::till::time::Time;
use serde_json::Value;

/// Who we are.
#[derive(Clone, Debug, Default)]
pub struct Us {
    /// Our account's id.
    pub id: String,
    /// Our account's handle, without `@`.
    pub handle: String,
}

/// A post, and under which id it is found now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tweet {
    /// The post; its author's handle is empty where X did not say it.
    pub post: Post,
    /// The id of this version of it.
    pub version: String,
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Reads a post with what came along with it; `None` for something that is no post.
pub fn read(tweet: &Value, includes: &Value, us: &Us) -> Option<Tweet> {
    let version = text(tweet, "/id")?;
    let id = text(tweet, "/edit_history_tweet_ids/0").unwrap_or(version);
    let user_id = text(tweet, "/author_id")?;
    let author = list(includes, "/users").find(|user| text(user, "/id") == Some(user_id));
    let handle = author.and_then(|user| text(user, "/username")).unwrap_or_default();
    let said = text(tweet, "/note_tweet/text").or_else(|| text(tweet, "/text")).unwrap_or_default();
    let reference = |kind| {
        let found = list(tweet, "/referenced_tweets").find(|it| text(it, "/type") == Some(kind))?;
        text(found, "/id").map(str::to_owned)
    };
    let person = Person { user_id: user_id.to_owned(), handle: handle.to_owned() };
    let mut post = Post::new(id, person, unescaped(said));
    post.lang = text(tweet, "/lang").and_then(language);
    post.created_at = created_at(text(tweet, "/created_at"), version);
    post.repost_of = reference("retweeted");
    post.quote_of = reference("quoted");
    post.in_reply_to = reference("replied_to");
    post.to_us = mentions(tweet, us) || quotes(&post, tweet, includes, us);
    if post.repost_of.is_some() {
        // "RT @shop: …" is our own text; and who reposts neither mentions nor quotes anybody.
        post.text.clear();
        post.to_us = false;
    }
    Some(Tweet { post, version: version.to_owned() })
}

fn mentions(tweet: &Value, us: &Us) -> bool {
    list(tweet, "/entities/mentions").chain(list(tweet, "/note_tweet/entities/mentions")).any(|mention| {
        // Names change hands; an id says whose it is, where X gives one.
        match text(mention, "/id") {
            Some(id) => id == us.id,
            None => text(mention, "/username").is_some_and(|name| name.eq_ignore_ascii_case(&us.handle)),
        }
    })
}

fn quotes(post: &Post, tweet: &Value, includes: &Value, us: &Us) -> bool {
    let Some(quoted) = &post.quote_of else { return false };
    let shown = list(includes, "/tweets").find(|it| text(it, "/id") == Some(quoted));
    if let Some(author) = shown.and_then(|it| text(it, "/author_id")) {
        return author == us.id;
    }
    let address = format!("/{}/status/{quoted}", us.handle).to_ascii_lowercase();
    let leads_to_us = |url: &Value| {
        let target = text(url, "/expanded_url").unwrap_or_default().to_ascii_lowercase();
        target.split(['?', '#']).next().unwrap_or_default().ends_with(&address)
    };
    list(tweet, "/entities/urls").any(leads_to_us)
}

/// X's texts come with these three characters escaped as in HTML.
pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The language, unless X says that there is none: `und`, or codes of its own such as `qme`.
pub fn language(code: &str) -> Option<String> {
    let none = matches!(code, "und" | "zxx" | "art") || (code.len() == 3 && code.starts_with('q'));
    (!none).then(|| code.to_owned())
}

/// When X had the post: what it says, or else what the id says.
fn created_at(said: Option<&str>, id: &str) -> Option<Time> {
    said.and_then(|said| Time::parse(said).ok()).or_else(|| snowflake::time(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn us() -> Us {
        Us { id: "1111111111111111111".to_owned(), handle: "ExampleUser".to_owned() }
    }

    fn one(tweet: &Value) -> Post {
        read(tweet, &Value::Null, &us()).unwrap().post
    }

    #[test]
    fn a_mention_is_read_with_its_author() {
        let tweet = json!({
            "id": "2080765813578191303", "author_id": "2222222222222222222", "lang": "en",
            "created_at": "2026-07-24T21:23:23.000Z", "edit_history_tweet_ids": ["2080765813578191303"],
            "text": "Tom &amp; Jerry &lt;3 #BuyTea @exampleuser &amp;lt;",
            "entities": {"mentions": [{"start": 4, "end": 16, "username": "exampleuser"}]}
        });
        let includes = json!({"users": [{"id": "2222222222222222222", "username": "OtherUser"}]});
        let Tweet { post, version } = read(&tweet, &includes, &us()).unwrap();
        assert_eq!(post.text, "Tom & Jerry <3 #BuyTea @exampleuser &lt;");
        assert_eq!(post.author.handle, "OtherUser");
        assert_eq!((post.lang.as_deref(), post.to_us), (Some("en"), true));
        assert_eq!(post.created_at.unwrap().to_string(), "2026-07-24T21:23:23.000Z");
        assert_eq!(version, post.id);
    }

    #[test]
    fn a_native_repost_has_no_words_of_its_own() {
        let post = one(&json!({
            "id": "3", "author_id": "2", "text": "RT @ExampleUser: #ConfirmTea orders and pays",
            "referenced_tweets": [{"type": "retweeted", "id": "9"}],
            "entities": {"mentions": [{"username": "ExampleUser", "id": "1111111111111111111"}]}
        }));
        assert_eq!((post.repost_of.as_deref(), post.text.as_str(), post.to_us), (Some("9"), "", false));
    }

    #[test]
    fn a_quote_is_to_us_where_we_wrote_what_it_quotes() {
        let tweet = |url: &str| {
            json!({
                "id": "3", "author_id": "2", "text": "#BuyTea https://t.co/x", "lang": "und",
                "referenced_tweets": [{"type": "quoted", "id": "9"}],
                "entities": {"urls": [{"expanded_url": url}]}
            })
        };
        let ours = one(&tweet("https://twitter.com/exampleUSER/status/9?s=20"));
        assert_eq!((ours.quote_of.as_deref(), ours.to_us, ours.lang), (Some("9"), true, None));
        assert!(!one(&tweet("https://x.com/NotExampleUser/status/99")).to_us);
        assert!(!one(&tweet("https://x.com/other/status/9")).to_us);
        let includes = json!({"tweets": [{"id": "9", "author_id": "1111111111111111111"}]});
        assert!(read(&tweet("https://x.com/other/status/9"), &includes, &us()).unwrap().post.to_us);
        let theirs = json!({"tweets": [{"id": "9", "author_id": "5"}]});
        let forged = tweet("https://x.com/exampleuser/status/9");
        assert!(!read(&forged, &theirs, &us()).unwrap().post.to_us, "the address may say any name");
    }

    #[test]
    fn who_is_mentioned_is_known_by_their_id() {
        let to_us = |mention: Value| {
            let entities = json!({"mentions": [mention]});
            one(&json!({"id": "3", "author_id": "2", "text": "@ExampleUser", "entities": entities})).to_us
        };
        assert!(to_us(json!({"username": "OldName", "id": "1111111111111111111"})), "we were renamed since");
        assert!(!to_us(json!({"username": "ExampleUser", "id": "5"})), "somebody had our name before us");
        assert!(to_us(json!({"username": "exampleuser"})));
    }

    #[test]
    fn an_edit_is_the_post_that_it_edits() {
        let Tweet { post, version } = read(
            &json!({
                "id": "1234567893", "author_id": "2", "text": "#BuyTea @ExampleUser",
                "created_at": "2026-01-15T10:35:00.000Z",
                "edit_history_tweet_ids": ["1234567890", "1234567891", "1234567893"]
            }),
            &Value::Null,
            &us(),
        )
        .unwrap();
        assert_eq!((post.id.as_str(), version.as_str()), ("1234567890", "1234567893"));
        assert_eq!(post.created_at.unwrap().to_string(), "2026-01-15T10:35:00.000Z");
    }

    #[test]
    fn long_posts_are_read_whole() {
        let post = one(&json!({
            "id": "3", "author_id": "2", "text": "the beginning…",
            "note_tweet": {
                "text": "the beginning and the end, @ExampleUser",
                "entities": {"mentions": [{"username": "ExampleUser"}]}
            }
        }));
        assert_eq!((post.text.as_str(), post.to_us), ("the beginning and the end, @ExampleUser", true));
    }

    #[test]
    fn what_is_no_post_is_none() {
        assert_eq!(read(&json!({"id": "3"}), &Value::Null, &us()), None);
        assert_eq!(read(&Value::Null, &Value::Null, &us()), None);
    }
}
