//! The proof: a code that the owner of a handle posts as a hashtag, once, within its time.
//!
//! It proves nothing when it is reposted, quoted, posted by somebody else, or in a post that was made before its
//! session began (and edited since). To the network, and to everybody who reads along, nothing happens.

use super::drop_code;
use crate::till::account::same_handle;
use crate::till::command::{Post, PostAnswer};
use crate::till::context::Context;
use crate::till::id::LinkId;
use crate::till::post::{Arrival, remember};
use crate::till::record::{LinkProof, LinkStatus};
use crate::till::refusal::Result;
use crate::till::state::{Read, StateError, Write};
use crate::till::table::{Hash, LinkCodes, LinkSessions};
use crate::till::verdict::Verdict;
use sha2::{Digest as _, Sha256};

/// Letters and digits of a code behind its word: 13 of 32 signs are 65 random bits.
pub const CODE_LETTERS: usize = 13;

/// A session that a post speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Which.
    pub session: LinkId,
    hash: Hash,
}

/// What is kept of a code, from its folded hashtag.
pub fn code_hash(folded: &str) -> [u8; 32] {
    Sha256::digest(folded.as_bytes()).into()
}

/// Whether a folded hashtag has the form of a code.
fn has_form(folded: &str) -> bool {
    let rest = folded.strip_prefix("link").or_else(|| folded.strip_prefix("unlink"));
    rest.is_some_and(|rest| rest.len() == CODE_LETTERS && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The session whose code a post holds, if any. Most hashtags do not have the form of one, and nothing is looked up.
///
/// # Errors
/// When the store fails.
pub fn meant<S: Read>(state: &S, post: &Post) -> Result<Option<Proven>, StateError> {
    for tag in post.hashtags.iter().filter(|tag| has_form(tag)) {
        let hash = Hash(code_hash(tag));
        if let Some(session) = state.get::<LinkCodes>(&hash)? {
            return Ok(Some(Proven { session, hash }));
        }
    }
    Ok(None)
}

/// Judges a post that holds a code. Its answer is that of any post that is about no offer.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    arrival: Arrival<'_>,
    proven: Proven,
) -> Result<PostAnswer> {
    let answer = PostAnswer::bare(Verdict::NoOffer);
    let mut record = state.must::<LinkSessions>(&proven.session)?;
    let post = arrival.post;
    let code = record.code.as_ref().filter(|code| Hash(code.hash) == proven.hash);
    let holds = record.status == LinkStatus::Open
        && cx.now < record.expires_at
        && code.is_some_and(|code| arrival.made_at <= code.expires_at)
        && arrival.made_at >= record.created_at
        && post.repost_of.is_none()
        && post.quote_of.is_none()
        && post.network == record.network
        && same_handle(&record.handle, &post.author.handle);
    if holds {
        drop_code(state, &mut record);
        record.proof = Some(LinkProof { author: post.author.clone(), post: post.id.clone(), at: cx.now });
        state.put::<LinkSessions>(&proven.session, &record)?;
        remember(state, cx, arrival, &answer)?;
    }
    Ok(answer)
}
