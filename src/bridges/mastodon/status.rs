//! What a server says of posts and people, in the words of the till.

use super::html::text_of;
use crate::bridges::{Person, Post};
use crate::till::text::hashtags;
use crate::till::time::Time;
use serde_json::Value;

/// A remote server may date a post back by this much: it may have taken so long to get here.
const DELIVERY_MS: i64 = 60_000;
/// Before a reposted post and its reposter, in the id that a repost of ours is handed in with.
const REPOST: &str = "reblog-";

/// Who reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Us {
    /// Our account's id.
    pub id: String,
    /// The domain in the handles of our server's people.
    pub domain: String,
}

impl Us {
    /// The handle of an account with its domain: our own server leaves its own out.
    pub fn handle(&self, account: &Value) -> Option<String> {
        let acct = text(account, "/acct").filter(|acct| !acct.is_empty())?;
        Some(if acct.contains('@') { acct.to_owned() } else { format!("{acct}@{}", self.domain) })
    }

    fn person(&self, account: &Value) -> Option<Person> {
        Some(Person { user_id: text(account, "/id")?.to_owned(), handle: self.handle(account)? })
    }

    /// A handle as it is mentioned: people of our own server are known by their name.
    pub fn mention(&self, handle: &str) -> String {
        match handle.rsplit_once('@') {
            Some((name, domain)) if domain.eq_ignore_ascii_case(&self.domain) => format!("@{name}"),
            _ => format!("@{handle}"),
        }
    }

    /// A post; `None` for what is none, or somebody else's that was reposted. Where another server tells of it, it is
    /// not older than `not_before` less the time that it may have taken to get here.
    pub fn post(&self, status: &Value, not_before: Option<Time>) -> Option<Post> {
        if status.get("reblog").is_some_and(|reblog| !reblog.is_null()) {
            return None;
        }
        let account = status.get("account")?;
        let mut post = Post::new(text(status, "/id")?, self.person(account)?, words(status));
        post.lang = text(status, "/language").filter(|lang| is_language(lang)).map(str::to_owned);
        let here = text(account, "/acct").is_some_and(|acct| !acct.contains('@'));
        post.created_at = changed_at(status).map(|at| match not_before {
            Some(not_before) if !here => at.max(not_before.plus_ms(-DELIVERY_MS)),
            _ => at,
        });
        post.quote_of = QUOTES.iter().find_map(|path| text(status, path)).map(str::to_owned);
        post.in_reply_to = text(status, "/in_reply_to_id").map(str::to_owned);
        post.to_us = self.is_mentioned(status) || self.is_quoted(status);
        Some(post)
    }

    fn is_mentioned(&self, status: &Value) -> bool {
        let mentions = status.get("mentions").and_then(Value::as_array);
        mentions.into_iter().flatten().any(|mention| text(mention, "/id") == Some(self.id.as_str()))
    }

    fn is_quoted(&self, status: &Value) -> bool {
        ["/quote/quoted_status/account/id", "/quote/account/id", "/pleroma/quote/account/id"]
            .iter()
            .any(|path| text(status, path) == Some(self.id.as_str()))
    }

    /// A repost of a post of ours, from the notification of it.
    pub fn repost(&self, notification: &Value) -> Option<Post> {
        let inner = notification.pointer("/status/reblog").filter(|inner| !inner.is_null());
        let status = inner.or_else(|| notification.get("status"))?;
        if text(status, "/account/id") != Some(self.id.as_str()) {
            return None;
        }
        let reposter = self.person(notification.get("account")?)?;
        let of = text(status, "/id")?;
        let mut post = Post::new(format!("{REPOST}{of}-{}", reposter.user_id), reposter, "");
        post.repost_of = Some(of.to_owned());
        post.created_at = time(notification, "/created_at");
        Some(post)
    }
}

/// Where servers say what a post quotes.
const QUOTES: &[&str] = &[
    "/quote/quoted_status/id",
    "/quote/quoted_status_id",
    "/quote/id",
    "/quote_id",
    "/pleroma/quote/id",
    "/pleroma/quote_id",
];

/// The post that a reply to a post handed in is threaded under: under a repost, which cannot be answered, under what
/// was reposted.
pub fn thread_of(post: &str) -> &str {
    let repost = post.strip_prefix(REPOST).and_then(|rest| rest.split_once('-'));
    repost.map_or(post, |(status, _)| status)
}

/// Whether an id is that of a repost as it is handed in.
pub fn is_repost(post: &str) -> bool {
    thread_of(post) != post
}

/// What its author says: the words of a content warning are theirs, too.
fn words(status: &Value) -> String {
    let warning = text(status, "/spoiler_text").unwrap_or_default().trim();
    let said = text_of(text(status, "/content").unwrap_or_default());
    if warning.is_empty() { said } else { format!("{warning}\n{said}") }
}

/// When a post was made, or edited: an edit must not bring a hashtag into the past.
pub fn changed_at(status: &Value) -> Option<Time> {
    time(status, "/created_at").max(time(status, "/edited_at"))
}

/// What tells a version of a post from those before.
pub fn version_of(status: &Value) -> Option<String> {
    let edited = text(status, "/edited_at").unwrap_or_default();
    Some(format!("{} {edited}", text(status, "/id")?))
}

/// Whether somebody's profile says that bots shall leave them alone.
pub fn wants_no_bots(account: &Value) -> bool {
    let note = text_of(text(account, "/note").unwrap_or_default());
    hashtags(&note).iter().any(|tag| ["nobot", "nobots"].contains(&tag.to_lowercase().as_str()))
}

/// A text by its path.
pub fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path)?.as_str()
}

/// A time by its path.
pub fn time(value: &Value, path: &str) -> Option<Time> {
    Time::parse(text(value, path)?).ok()
}

fn is_language(lang: &str) -> bool {
    (2..=35).contains(&lang.len()) && lang.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn us() -> Us {
        Us { id: "7".into(), domain: "a.example".into() }
    }

    fn at(text: &str) -> Time {
        Time::parse(&format!("2026-01-01T{text}.000Z")).unwrap()
    }

    fn status(acct: &str) -> Value {
        json!({
            "id": "100", "created_at": "2026-01-01T10:00:00.000Z", "edited_at": null, "in_reply_to_id": "99",
            "reblog": null, "spoiler_text": "", "language": "de", "content": "<p>@shop #BuyTea</p>", "quote": null,
            "account": {"id": "8", "acct": acct}, "mentions": [{"id": "7", "acct": "shop"}], "visibility": "public",
        })
    }

    #[test]
    fn a_post_is_told_in_the_tills_words() {
        let post = us().post(&status("ada"), None).unwrap();
        let mut wanted =
            Post::new("100", Person { user_id: "8".into(), handle: "ada@a.example".into() }, "@shop #BuyTea");
        wanted.lang = Some("de".into());
        wanted.created_at = Some(at("10:00:00"));
        wanted.in_reply_to = Some("99".into());
        wanted.to_us = true;
        assert_eq!(post, wanted);
        assert_eq!(us().post(&status("eve@far.example"), None).unwrap().author.handle, "eve@far.example");
    }

    #[test]
    fn what_is_missing_or_odd_does_no_harm() {
        assert_eq!(us().post(&Value::Null, None), None);
        assert_eq!(us().post(&json!({"id": 5, "account": {"id": "1", "acct": "a"}}), None), None);
        assert_eq!(us().post(&json!({"id": "5", "account": {"id": "1", "acct": ""}}), None), None);
        let post = us().post(&json!({"id": "5", "account": {"id": "1", "acct": "a"}}), None).unwrap();
        assert_eq!((post.text.as_str(), post.created_at, post.to_us), ("", None, false));
        let mut odd = status("ada");
        odd["language"] = json!("de'; --");
        odd["mentions"] = json!([{"id": "8"}, 7, "7"]);
        let post = us().post(&odd, None).unwrap();
        assert_eq!((post.lang, post.to_us), (None, false));
    }

    #[test]
    fn somebody_elses_words_that_were_reposted_are_no_post() {
        let mut reposted = status("ada");
        reposted["reblog"] = status("ben");
        assert_eq!(us().post(&reposted, None), None);
    }

    #[test]
    fn a_content_warning_is_part_of_the_text() {
        let mut warned = status("ada");
        warned["spoiler_text"] = json!("#BuyTea ");
        warned["content"] = json!("<p>please</p>");
        assert_eq!(us().post(&warned, None).unwrap().text, "#BuyTea\nplease");
    }

    #[test]
    fn quotes_are_known_in_each_servers_way() {
        for (quote, of, to_us) in [
            (json!({"quote": {"quoted_status": {"id": "3", "account": {"id": "7"}}}}), "3", true),
            (json!({"quote": {"quoted_status": {"id": "3", "account": {"id": "8"}}}}), "3", false),
            (json!({"quote": {"quoted_status": null, "quoted_status_id": "3"}}), "3", false),
            (json!({"quote": {"id": "3", "account": {"id": "7"}}}), "3", true),
            (json!({"quote": null, "quote_id": "3"}), "3", false),
            (json!({"quote": null, "pleroma": {"quote": {"id": "3", "account": {"id": "7"}}}}), "3", true),
        ] {
            let mut quoting = status("ada");
            quoting["mentions"] = json!([]);
            quoting.as_object_mut().unwrap().extend(quote.as_object().unwrap().clone());
            let post = us().post(&quoting, None).unwrap();
            assert_eq!((post.quote_of.as_deref(), post.to_us), (Some(of), to_us), "{quote}");
        }
    }

    #[test]
    fn only_our_own_server_is_believed_what_time_it_was() {
        let of = |acct: &str, edited: Option<&str>, not_before: Option<&str>| {
            let mut status = status(acct);
            status["edited_at"] = edited.map_or(Value::Null, |edited| json!(at(edited)));
            us().post(&status, not_before.map(at)).unwrap().created_at.unwrap()
        };
        assert_eq!(of("ada", None, None), at("10:00:00"));
        assert_eq!(of("ada", None, Some("12:00:00")), at("10:00:00"), "our own server knows");
        assert_eq!(of("ada", Some("10:05:00"), None), at("10:05:00"), "an edit is of its own time");
        assert_eq!(of("ada", Some("09:05:00"), None), at("10:00:00"), "and never brings a post back");
        assert_eq!(of("eve@far.example", None, None), at("10:00:00"));
        assert_eq!(of("eve@far.example", None, Some("10:00:50")), at("10:00:00"), "it took a while");
        assert_eq!(of("eve@far.example", None, Some("10:05:00")), at("10:04:00"), "nothing takes so long");
        assert_eq!(of("eve@far.example", Some("10:06:00"), Some("10:05:00")), at("10:06:00"));
    }

    #[test]
    fn only_reposts_of_ours_are_reposts() {
        let mut told = json!({
            "id": "1", "type": "reblog", "created_at": "2026-01-01T10:07:00.000Z",
            "account": {"id": "9-x", "acct": "ben@far.example"}, "status": {"id": "50", "account": {"id": "7"}},
        });
        let post = us().repost(&told).unwrap();
        assert_eq!((post.id.as_str(), post.repost_of.as_deref()), ("reblog-50-9-x", Some("50")));
        assert_eq!((post.text.as_str(), post.created_at), ("", Some(at("10:07:00"))));
        told["status"]["account"]["id"] = json!("8");
        assert_eq!(us().repost(&told), None);
        told["status"]["reblog"] = json!({"id": "51", "account": {"id": "7"}});
        assert_eq!(us().repost(&told).unwrap().repost_of.as_deref(), Some("51"));
        told["status"] = Value::Null;
        assert_eq!(us().repost(&told), None);
    }

    #[test]
    fn a_reply_to_a_repost_goes_under_what_was_reposted() {
        assert_eq!(thread_of("reblog-50-9"), "50");
        assert_eq!(thread_of("50"), "50");
        assert_eq!(thread_of("AbCd-x"), "AbCd-x");
        assert!(is_repost("reblog-50-9"));
        assert!(!is_repost("50"));
    }

    #[test]
    fn versions_of_a_post_differ() {
        let mut edited = status("ada");
        let first = version_of(&edited);
        edited["edited_at"] = json!("2026-01-01T10:05:00.000Z");
        assert_ne!(version_of(&edited), first);
        assert_eq!(version_of(&json!({})), None);
    }

    #[test]
    fn people_are_mentioned_by_the_shortest_name_that_is_theirs() {
        assert_eq!(us().mention("ada@a.example"), "@ada");
        assert_eq!(us().mention("ada@A.Example"), "@ada");
        assert_eq!(us().mention("ada@b.example"), "@ada@b.example");
        assert_eq!(us().mention("ada"), "@ada");
    }

    #[test]
    fn a_profile_says_that_bots_shall_stay_away() {
        for (note, wanted) in [
            ("<p>Tea. <a href=\"x\" rel=\"tag\">#<span>NoBot</span></a></p>", true),
            ("#nobots", true),
            ("<p>I am nobot</p>", false),
            ("#nobotany", false),
            ("", false),
        ] {
            assert_eq!(wants_no_bots(&json!({"note": note})), wanted, "{note}");
        }
    }
}
