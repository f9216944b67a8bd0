//! Replies: posted once, and looked for in our own timeline where one may be out already.

use super::X;
use super::api::{detail, success, trouble};
use super::tweet::unescaped;
use crate::bridges::{Kind, Posted, Reply, Trouble, now};
use crate::till::text::{NotPlain, check_plain};
use crate::till::time::Time;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization as _;

/// Pages of a hundred posts of ours that are looked through for a reply.
const PAGES_MAX: usize = 5;

/// Posts a reply, unless it is out.
pub fn post(x: &X, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
    if holds_link(&reply.text) {
        return Err(Trouble::refused("a reply with a link costs many times as much on X: it is not posted"));
    }
    x.api.budget.may_post()?;
    if maybe_out && let Some(posted) = find(x, reply)? {
        return Ok(posted);
    }
    let answered = x.known.version(&reply.in_reply_to);
    let body = json!({"text": reply.text, "reply": {"in_reply_to_tweet_id": answered}});
    let said = match x.api.post("/2/tweets", &body, "posts") {
        Ok(said) => said,
        Err(trouble) => {
            if trouble.kind.leaves_doubt() {
                x.api.budget.posted();
            }
            return Err(trouble);
        }
    };
    if let Some(trouble) = trouble(&said) {
        if trouble.kind.leaves_doubt() {
            x.api.budget.posted();
        }
        // Our own, whose answer was lost, is a duplicate, too; a timeline may not show it yet.
        if said.status == 403 && detail(&said.body).contains("duplicate") {
            return find(x, reply)?.ok_or(Trouble { kind: Kind::Server, ..trouble });
        }
        return Err(trouble);
    }
    x.api.budget.posted();
    match said.body.pointer("/data/id").and_then(Value::as_str) {
        Some(id) => Ok(Posted { post_id: id.to_owned(), sent_at: now() }),
        None => Err(Trouble::protocol("X took a reply and does not say under which id")),
    }
}

/// The reply, where it is out.
fn find(x: &X, reply: &Reply) -> Result<Option<Posted>, Trouble> {
    let path = format!("/2/users/{}/tweets", x.us().id);
    let mut parameters =
        vec![("max_results", "100"), ("tweet.fields", "referenced_tweets,created_at,note_tweet")];
    // No reply is older than what it answers.
    if reply.in_reply_to.bytes().all(|byte| byte.is_ascii_digit()) {
        parameters.push(("since_id", &reply.in_reply_to));
    }
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut page = parameters.clone();
        page.extend(token.as_deref().map(|token| ("pagination_token", token)));
        let said = success(x.api.get(&path, &page, "timeline")?)?;
        x.api.count(&said.body);
        let ours = said.body.get("data").and_then(Value::as_array).into_iter().flatten();
        let answered = x.known.version(&reply.in_reply_to);
        let mut found = ours.filter(|tweet| is_it(tweet, reply, &answered));
        if let Some(tweet) = found.next() {
            let text = |name: &str| tweet.get(name).and_then(Value::as_str).unwrap_or_default();
            let sent_at = Time::parse(text("created_at")).unwrap_or_else(|_| now());
            return Ok(Some(Posted { post_id: text("id").to_owned(), sent_at }));
        }
        token = said.body.pointer("/meta/next_token").and_then(Value::as_str).map(str::to_owned);
        if token.is_none() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Whether a post of ours is this reply.
fn is_it(tweet: &Value, reply: &Reply, answered: &str) -> bool {
    let mut references = tweet.get("referenced_tweets").and_then(Value::as_array).into_iter().flatten();
    let answers = references.any(|it| {
        let id = it.get("id").and_then(Value::as_str).unwrap_or_default();
        it.get("type").and_then(Value::as_str) == Some("replied_to")
            && (id == reply.in_reply_to || id == answered)
    });
    let long = tweet.pointer("/note_tweet/text").and_then(Value::as_str);
    let text = long.or_else(|| tweet.get("text").and_then(Value::as_str)).unwrap_or_default();
    answers && words(&unescaped(text)) == words(&reply.text)
}

/// A text without what X puts around it: the names of those who are answered in front, other spaces, other code points
/// for the same letters.
fn words(text: &str) -> Vec<String> {
    let words = text.split_whitespace().skip_while(|word| word.starts_with('@'));
    words.map(|word| word.nfc().collect()).collect()
}

/// Whether X would make a link of some part of a text.
fn holds_link(text: &str) -> bool {
    let harmless = |c: char| if c.is_control() || matches!(c, '#' | '＃' | '@' | '＠') { ' ' } else { c };
    let text: String = text.chars().map(harmless).collect();
    check_plain(&text) == Err(NotPlain::Url) || text.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::Person;

    fn reply(text: &str) -> Reply {
        Reply {
            id: "rep_1".to_owned(),
            to: Person { user_id: "2".to_owned(), handle: "buyer".to_owned() },
            in_reply_to: "7".to_owned(),
            text: text.to_owned(),
            not_after: now(),
        }
    }

    fn tweet(text: &str, id: &str) -> Value {
        json!({"id": "9", "text": text, "referenced_tweets": [{"type": "replied_to", "id": id}]})
    }

    #[test]
    fn a_reply_is_known_in_spite_of_what_x_does_to_it() {
        let reply = reply("Post #ConfirmTea & you order\nfor $5. Cafe\u{301}");
        let found = "@buyer @other Post #ConfirmTea &amp; you order for $5. Café";
        assert!(is_it(&tweet(found, "7"), &reply, "7"));
        assert!(is_it(&tweet(found, "8"), &reply, "8"), "an edit of it");
        assert!(!is_it(&tweet(found, "8"), &reply, "7"), "in reply to another");
        assert!(!is_it(&tweet("@buyer Sold out", "7"), &reply, "7"), "another text");
        let quote = json!({"text": found, "referenced_tweets": [{"type": "quoted", "id": "7"}]});
        assert!(!is_it(&quote, &reply, "7"));
    }

    #[test]
    fn links_are_seen() {
        for (text, link) in [
            ("Terms: https://example.com/x", true),
            ("#Tea, see example.com.", true),
            ("Post #ConfirmTea by 14:05 to order for $1,234.50.", false),
            ("@buyer\nyours for 3.50 €", false),
        ] {
            assert_eq!(holds_link(text), link, "{text}");
        }
    }
}
