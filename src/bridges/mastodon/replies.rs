//! Posting replies: each once, to nobody who has deleted the post or blocks us, and never wider than the post was.

use super::api::{POSTS, encoded};
use super::html::{text_of, words_of};
use super::status::{Us, text, thread_of, time};
use super::{Mastodon, Visibility};
use crate::bridges::{Kind, Posted, Reply, Trouble, now};
use serde_json::{Value, json};

/// Pages of our own posts that are looked through for a reply whose thread is gone.
const OWN_PAGES_MAX: usize = 3;

impl Mastodon {
    /// As [`crate::bridges::Network::post`].
    pub(super) fn post_reply(&self, reply: &Reply, maybe_out: bool) -> Result<Posted, Trouble> {
        let us = self.signed()?.us;
        let thread = thread_of(&reply.in_reply_to);
        let parent = format!("/api/v1/statuses/{}", encoded(thread));
        let answered = self.api.find(&parent)?;
        let status = format!("{} {}", us.mention(&reply.to.handle), reply.text);
        if maybe_out {
            let posted = if answered.is_some() {
                let context = self.api.find(&format!("{parent}/context"))?.unwrap_or_default();
                find_reply(&context, &us, thread, &status)
            } else {
                self.find_without_thread(&us, thread, &status)?
            };
            if let Some(posted) = posted {
                return Ok(posted);
            }
        }
        let Some(answered) = answered else { return Err(gone()) };
        if self.is_blocked_by(&reply.to.user_id)? {
            return Err(Trouble::refused("its reader blocks us"));
        }
        let body = json!({
            "status": status,
            "in_reply_to_id": thread,
            "visibility": visibility(&answered, self.visibility),
            // Elsewhere than on Mastodon an account may write Markdown: a hashtag would be a heading there.
            "content_type": "text/plain",
        });
        let headers = [("Idempotency-Key", reply.id.clone())];
        let posted = self.api.send("POST", "/api/v1/statuses", &body, &headers, POSTS)?;
        posted_of(&posted.ok_or_else(gone)?)
            .ok_or_else(|| Trouble::protocol("the server took a reply and does not say which post it became"))
    }

    /// A reply whose thread is gone, among the latest that we have posted.
    fn find_without_thread(&self, us: &Us, thread: &str, status: &str) -> Result<Option<Posted>, Trouble> {
        let path = format!("/api/v1/accounts/{}/statuses?exclude_reblogs=true&limit=40", encoded(&us.id));
        let mut below = String::new();
        for _ in 0..OWN_PAGES_MAX {
            let page = self.api.find(&format!("{path}{below}"))?.unwrap_or_default();
            if let Some(posted) = find_orphan(&page, us, thread, status) {
                return Ok(Some(posted));
            }
            let lowest = page.as_array().and_then(|page| text(page.last()?, "/id"));
            let Some(lowest) = lowest else { break };
            below = format!("&max_id={}", encoded(lowest));
        }
        Ok(None)
    }

    /// Whether somebody blocks us, as far as our server knows.
    fn is_blocked_by(&self, account: &str) -> Result<bool, Trouble> {
        let path = format!("/api/v1/accounts/relationships?id%5B%5D={}", encoded(account));
        match self.api.find(&path) {
            Ok(said) => Ok(said.is_some_and(|said| blocks_us(&said, account))),
            // A token without this right still may post.
            Err(trouble) if matches!(trouble.kind, Kind::Refused | Kind::Credentials) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }
}

fn gone() -> Trouble {
    Trouble::refused("the post that it answers was deleted, or is hidden from us")
}

fn blocks_us(relationships: &Value, account: &str) -> bool {
    relationships.as_array().into_iter().flatten().any(|one| {
        text(one, "/id") == Some(account) && one.get("blocked_by").and_then(Value::as_bool) == Some(true)
    })
}

/// Who may see the reply.
fn visibility(answered: &Value, ours: Visibility) -> &'static str {
    match (text(answered, "/visibility"), ours) {
        (Some("public"), Visibility::Public) => "public",
        (Some("public" | "unlisted"), _) => "unlisted",
        _ => "direct",
    }
}

/// A reply of ours that says the same, among what came after a post.
fn find_reply(context: &Value, us: &Us, thread: &str, status: &str) -> Option<Posted> {
    let descendants = context.get("descendants").and_then(Value::as_array)?;
    let mut ours = descendants.iter().filter(|one| says(one, us, status));
    posted_of(ours.find(|one| text(one, "/in_reply_to_id") == Some(thread))?)
}

/// A reply of ours that says the same, among our own posts: it answers what is gone, or nothing any more, as Mastodon
/// shows it then.
fn find_orphan(page: &Value, us: &Us, thread: &str, status: &str) -> Option<Posted> {
    let page = page.as_array()?;
    let with = |parent: Option<&str>| {
        page.iter().find(|one| says(one, us, status) && text(one, "/in_reply_to_id") == parent)
    };
    posted_of(with(Some(thread)).or_else(|| with(None))?)
}

/// Whether a post is ours and says this.
fn says(post: &Value, us: &Us, status: &str) -> bool {
    text(post, "/account/id") == Some(us.id.as_str())
        && words_of(&text_of(text(post, "/content").unwrap_or_default())) == words_of(status)
}

fn posted_of(status: &Value) -> Option<Posted> {
    let post_id = text(status, "/id")?.to_owned();
    Some(Posted { post_id, sent_at: time(status, "/created_at").unwrap_or_else(now) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::time::Time;

    #[test]
    fn a_reply_is_never_wider_than_the_post() {
        for (post, ours, wanted) in [
            ("public", Visibility::Unlisted, "unlisted"),
            ("public", Visibility::Public, "public"),
            ("unlisted", Visibility::Public, "unlisted"),
            ("private", Visibility::Public, "direct"),
            ("direct", Visibility::Unlisted, "direct"),
            ("local", Visibility::Public, "direct"),
        ] {
            assert_eq!(visibility(&json!({"visibility": post}), ours), wanted, "{post}");
        }
        assert_eq!(visibility(&json!({}), Visibility::Public), "direct");
    }

    #[test]
    fn a_reply_is_found_however_the_server_shows_it() {
        let us = Us { id: "7".into(), domain: "a.example".into() };
        let status =
            "@eve@far.example Yours until 10:15.\nPost #ConfirmTea, or see https://shop.example/terms & more";
        let html = "<p><span class=\"h-card\"><a href=\"x\" class=\"u-url mention\">@<span>eve</span></a></span> Yours until \
                    10:15.<br />Post <a href=\"x\" class=\"mention hashtag\">#<span>ConfirmTea</span></a>, or see <a \
                    href=\"https://shop.example/terms\"><span class=\"invisible\">https://</span><span \
                    class=\"\">shop.example/terms</span></a> &amp; more</p>";
        let one = |id: &str, account: &str, thread: &str, content: &str| {
            json!({
                "id": id, "account": {"id": account}, "in_reply_to_id": thread, "content": content,
                "created_at": "2026-01-01T10:00:00.000Z",
            })
        };
        let mut context = json!({"ancestors": [one("0", "7", "100", html)], "descendants": [
            one("1", "8", "100", html), one("2", "7", "99", html), one("3", "7", "100", "<p>@eve Sold out</p>"),
        ]});
        assert_eq!(find_reply(&context, &us, "100", status), None);
        context["descendants"].as_array_mut().unwrap().push(one("4", "7", "100", html));
        let wanted =
            Posted { post_id: "4".into(), sent_at: Time::parse("2026-01-01T10:00:00.000Z").unwrap() };
        assert_eq!(find_reply(&context, &us, "100", status), Some(wanted));
        assert_eq!(find_reply(&Value::Null, &us, "100", status), None);
    }

    #[test]
    fn a_reply_is_found_among_our_own_posts_where_its_thread_is_gone() {
        let us = Us { id: "7".into(), domain: "a.example".into() };
        let one = |id: &str, account: &str, parent: Option<&str>, content: &str| json!({"id": id, "account": {"id": account}, "in_reply_to_id": parent, "content": content});
        let found = |page: &[Value]| {
            find_orphan(&json!(page), &us, "100", "@eve Sold out").map(|posted| posted.post_id)
        };
        let said = "<p>@eve Sold out</p>";
        let others = [
            one("1", "7", Some("99"), said),
            one("2", "7", None, "<p>@eve Yours</p>"),
            one("3", "8", Some("100"), said),
        ];
        assert_eq!(found(&others), None);
        let orphan = one("4", "7", None, said);
        assert_eq!(found(&[&others[..], std::slice::from_ref(&orphan)].concat()).as_deref(), Some("4"));
        let known = one("5", "7", Some("100"), said);
        assert_eq!(found(&[orphan, known]).as_deref(), Some("5"));
        assert_eq!(find_orphan(&Value::Null, &us, "100", "x"), None);
    }

    #[test]
    fn who_blocks_us_is_known_by_their_id() {
        let said = json!([{"id": "8", "blocked_by": false}, {"id": "9", "blocked_by": true}]);
        assert!(blocks_us(&said, "9"));
        assert!(!blocks_us(&said, "8"));
        assert!(!blocks_us(&Value::Null, "8"));
    }
}
