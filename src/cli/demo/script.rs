//! The story of 12 February 2013 as it lies in `data/`: offers, accounts, and the posts in the order of time.

use crate::till::money::Money;
use crate::till::time::Time;
use crate::till::verdict::Verdict;
use serde::Deserialize;
use serde_json::Value;

/// What the shop is called on its network.
pub const SHOP_HANDLE: &str = "AmexSync";
/// The shop's stable id there.
pub const SHOP_USER_ID: &str = "700000001";
/// The network of the story.
pub const NETWORK: &str = "x";

const OFFERS: &str = include_str!("../../../data/2013-02-12/offers.json");
const ACCOUNTS: &str = include_str!("../../../data/2013-02-12/accounts.json");
const POSTS: &str = include_str!("../../../data/2013-02-12/posts.json");

/// Everything that the story needs.
#[derive(Debug)]
pub struct Script {
    /// Bodies for `POST /v1/offers`, with the merchant's name where its id belongs.
    pub offers: Vec<Value>,
    /// Bodies for `POST /v1/accounts`.
    pub accounts: Vec<Value>,
    /// What happens, in the order of time.
    pub entries: Vec<Entry>,
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// What the narrator says before it.
    pub note: Option<String>,
    /// A post is made; without one and without a deletion, only time passes.
    pub post: Option<ScriptPost>,
    /// A post is deleted.
    pub delete: Option<Deleted>,
    /// A linked card is used.
    pub transaction: Option<CardUse>,
    /// What the till must answer.
    pub verdict: Option<Verdict>,
    /// Whether it must say that it has seen this post before.
    #[serde(default)]
    pub repeated: bool,
}

/// A post, as a body for `POST /v1/posts` once its reference is resolved.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of the API's post")]
pub struct ScriptPost {
    pub network: String,
    pub id: String,
    pub author: Author,
    pub text: String,
    pub lang: Option<String>,
    pub repost_of: Option<Reposted>,
}

/// Who made a post.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of the API's author")]
pub struct Author {
    pub user_id: String,
    pub handle: String,
}

/// What is reposted.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Reposted {
    /// The post of that id.
    Post(String),
    /// The shop's reply to a post, whatever id it went out under.
    Reply {
        /// The id of the post that was answered.
        reply_to: String,
    },
}

/// A linked card is used at a merchant's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardUse {
    /// The processor's id of it.
    pub id: String,
    /// Whose card.
    pub handle: String,
    /// The merchant's name.
    pub merchant: String,
    /// How much.
    pub amount: Money,
}

/// Which post is deleted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the parts of the API's path")]
pub struct Deleted {
    pub network: String,
    pub id: String,
}

impl Script {
    /// Reads the story that is built into the binary.
    ///
    /// # Errors
    /// Where a file in `data/` is not what it should be.
    pub fn load() -> Result<Self, String> {
        let script = Self {
            offers: parse("offers.json", OFFERS)?,
            accounts: parse("accounts.json", ACCOUNTS)?,
            entries: parse("posts.json", POSTS)?,
        };
        let ordered = script.entries.is_sorted_by_key(|entry| entry.at);
        if ordered { Ok(script) } else { Err("posts.json: not in the order of time".to_owned()) }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> Result<T, String> {
    let reader = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(reader).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::text;
    use std::collections::HashSet;

    #[test]
    fn the_story_shows_every_case() {
        let script = Script::load().unwrap();
        let told: HashSet<&str> =
            script.entries.iter().filter_map(|entry| entry.verdict).map(Verdict::code).collect();
        for verdict in [
            "own_post",
            "pending",
            "confirmed",
            "repost_ignored",
            "not_linked",
            "no_offer",
            "already_pending",
            "sold_out",
            "too_late",
            "passed",
            "enrolled",
            "already_enrolled",
        ] {
            assert!(told.contains(verdict), "{verdict}");
        }
        assert!(script.entries.iter().any(|entry| entry.repeated));
        assert!(script.entries.iter().any(|entry| entry.delete.is_some()));
        assert!(script.entries.iter().any(|entry| entry.transaction.is_some()));
        let nothing =
            |entry: &Entry| entry.post.is_none() && entry.delete.is_none() && entry.transaction.is_none();
        assert!(script.entries.iter().any(nothing));
        assert!(
            script.entries.iter().filter(|entry| entry.post.is_some()).all(|entry| entry.verdict.is_some())
        );
    }

    #[test]
    fn every_hashtag_belongs_to_an_offer_but_the_misspelt_one() {
        let script = Script::load().unwrap();
        let tags: HashSet<String> = script
            .offers
            .iter()
            .flat_map(|offer| {
                let tag = offer["hashtag"].as_str().unwrap();
                let confirm = offer["confirm_hashtag"].as_str().unwrap_or(tag);
                [tag, confirm, &tag.replace("Buy", "Pass")].map(text::fold)
            })
            .collect();
        for post in script.entries.iter().filter_map(|entry| entry.post.as_ref()) {
            for tag in text::hashtags(&post.text) {
                let folded = text::fold(tag);
                assert_eq!(tags.contains(&folded), folded != "buyamexgiftcrad25", "{tag}");
            }
        }
    }

    #[test]
    fn references_name_posts_that_came_before() {
        let script = Script::load().unwrap();
        let mut seen = HashSet::new();
        for entry in &script.entries {
            if let Some(post) = &entry.post {
                if let Some(Reposted::Post(id) | Reposted::Reply { reply_to: id }) = &post.repost_of {
                    assert!(seen.contains(id), "{id}");
                }
                assert_eq!(seen.insert(post.id.clone()), !entry.repeated, "{}", post.id);
            }
            if let Some(deleted) = &entry.delete {
                assert!(seen.contains(&deleted.id));
            }
        }
    }

    #[test]
    fn buyers_are_invented() {
        for account in Script::load().unwrap().accounts {
            assert!(account["email"].as_str().unwrap().ends_with("@example.com"));
            assert_eq!(account["payment_method"]["gateway"], "sandbox");
        }
    }
}
