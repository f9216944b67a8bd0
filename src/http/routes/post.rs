//! One post as it comes in and the answer to it, alone or as a line among many.

use crate::http::body::{card_in, unreadable};
use crate::http::problem::{Code, Problem};
use crate::till::check;
use crate::till::command::{Post, PostAnswer};
use crate::till::id::{OfferId, PurchaseId, ReplyId};
use crate::till::record::Recipient;
use crate::till::text::{contains_card_number, fold, hashtags};
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use crate::till::words::language_of;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The largest post with all around it: 256 KiB.
pub const POST_BYTES_MAX: usize = 256 * 1024;
/// The longest text of a post: 64 KiB.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Hashtags beyond this many are not looked up.
const HASHTAGS_MAX: usize = 100;

/// A post as a network delivered it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Post")]
pub struct PostBody<'a> {
    /// The network's slug.
    #[serde(borrow)]
    network: Cow<'a, str>,
    /// The network's id of it: the same id is the same post, however often it comes.
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Who made it.
    #[serde(borrow)]
    author: AuthorBody<'a>,
    /// Its text, without what it quotes. Read for hashtags, never stored.
    #[serde(borrow)]
    text: Cow<'a, str>,
    /// Its language (BCP 47).
    lang: Option<String>,
    /// When it was made; without it, its arrival counts.
    created_at: Option<Time>,
    /// The post that this one natively reposts.
    repost_of: Option<String>,
    /// The post that this one quotes: it counts by its own words.
    quote_of: Option<String>,
    /// Whether the network itself says that this post mentions or quotes the shop; without it the text decides.
    to_us: Option<bool>,
    /// The post that this one answers.
    in_reply_to: Option<String>,
}

/// Who made a post.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Author")]
struct AuthorBody<'a> {
    /// The network's stable id of the person.
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    /// As shown to people.
    #[serde(borrow)]
    handle: Cow<'a, str>,
}

/// The answer to a post.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PostAnswer")]
pub struct AnswerView {
    verdict: Verdict,
    /// The verdict in a sentence.
    explanation: &'static str,
    /// Whether this post was judged before: then this is the first answer again.
    repeated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purchase: Option<PurchaseId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ReplyBrief>,
    /// The place on the waiting list, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u64>,
}

/// A reply to be posted.
#[derive(Serialize, JsonSchema)]
struct ReplyBrief {
    id: ReplyId,
    text: String,
}

impl AnswerView {
    /// As an admin sees it, or as a network does: then nothing about the account.
    pub fn new(answer: PostAnswer, admin: bool) -> Self {
        let PostAnswer { verdict, repeated, offer, purchase, reply, by: _, waits, limit: _ } = answer;
        let explanation = if admin { verdict.sentence() } else { verdict.neutral_sentence() };
        let reply = reply.map(|(id, text)| ReplyBrief { id, text });
        let place = waits.map(|(_, place)| place);
        Self { verdict, explanation, repeated, offer, purchase, reply, place }
    }
}

/// Reads and checks one post; `network` is the one that its sender is limited to.
pub fn read(network: Option<&str>, bytes: &[u8]) -> Result<Post, Problem> {
    let body: PostBody<'_> = serde_json::from_slice(bytes).map_err(|_| diagnose(bytes))?;
    if network.is_some_and(|own| own != body.network) {
        return Err(foreign());
    }
    check_body(&body)?;
    let tags: Vec<String> = hashtags(&body.text).into_iter().take(HASHTAGS_MAX).map(fold).collect();
    let language = body.lang.as_deref().filter(|_| !tags.is_empty()).and_then(language_of);
    Ok(Post {
        network: body.network.into_owned(),
        id: body.id.into_owned(),
        author: Recipient {
            user_id: body.author.user_id.into_owned(),
            handle: body.author.handle.into_owned(),
        },
        text: if tags.is_empty() && !body.text.contains(['@', '＠']) {
            String::new()
        } else {
            body.text.into_owned()
        },
        hashtags: tags,
        created_at: body.created_at,
        repost_of: body.repost_of,
        quote_of: body.quote_of,
        to_us: body.to_us,
        language,
    })
}

/// A network's token says nothing about other networks.
pub fn foreign() -> Problem {
    Problem::on(Code::Forbidden, "network", "is not the network of this token")
}

/// Reads once more, slowly, to say which field is at fault.
fn diagnose(bytes: &[u8]) -> Problem {
    if let Err(error) = std::str::from_utf8(bytes) {
        let detail = format!("The body is not UTF-8 at byte {}.", error.valid_up_to());
        return Problem::new(Code::InvalidRequest, detail);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read: Result<PostBody<'_>, _> = serde_path_to_error::deserialize(&mut reader);
    match read {
        Err(error) if error.inner().is_data() => unreadable(&error),
        Err(error) => Problem::new(Code::InvalidRequest, format!("The body is not JSON: {}.", error.inner())),
        Ok(_) => Problem::new(Code::InvalidRequest, "The body goes on behind the end of its JSON."),
    }
}

fn check_body(body: &PostBody<'_>) -> Result<(), Problem> {
    if body.text.len() > TEXT_BYTES_MAX {
        let detail = format!("must have at most {TEXT_BYTES_MAX} bytes");
        return Err(Problem::on(Code::Invalid, "text", detail));
    }
    check::foreign_id("id", &body.id)?;
    check::foreign_id("author.user_id", &body.author.user_id)?;
    check::text("author.handle", &body.author.handle, 256)?;
    let ids =
        [("repost_of", &body.repost_of), ("quote_of", &body.quote_of), ("in_reply_to", &body.in_reply_to)];
    for (field, id) in ids {
        if let Some(id) = id {
            check::foreign_id(field, id)?;
        }
    }
    check::optional_text("lang", body.lang.as_ref(), 64)?;
    let lang = body.lang.as_deref().unwrap_or_default();
    for (field, value) in
        [("network", &*body.network), ("author.handle", &*body.author.handle), ("lang", lang)]
    {
        if contains_card_number(value) {
            return Err(card_in(field));
        }
    }
    Ok(())
}
