//! The proof: a code that the owner of a handle posts as a hashtag, once, within its time.
//!
//! It proves nothing when it is reposted, quoted, posted by somebody else, or in a post that was made before its
//! session began (and edited since). To the network, and to everybody who reads along, nothing happens.

use super::drop_code;
use crate::till::account;
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
pub fn has_form(folded: &str) -> bool {
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

/// Judges a post that holds a code; `None` where it proves nothing. Its answer is that of any post that is about no
/// offer.
///
/// Whoever is to be added to an account has to be vouched for by somebody who is linked to it, with the same code: the
/// private page alone must not lead to the card.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    arrival: Arrival<'_>,
    proven: Proven,
) -> Result<Option<PostAnswer>> {
    let mut record = state.must::<LinkSessions>(&proven.session)?;
    let post = arrival.post;
    let code = record.code.as_ref().filter(|code| Hash(code.hash) == proven.hash);
    let in_time = record.status == LinkStatus::Open
        && cx.now < record.expires_at
        && code.is_some_and(|code| arrival.made_at <= code.expires_at)
        && arrival.made_at >= record.created_at;
    if !in_time || post.repost_of.is_some() || post.quote_of.is_some() {
        return Ok(None);
    }
    let linked = account::of_identity(state, &post.network, &post.author.user_id)?.map(|(id, _)| id);
    let vouches = !record.vouched && linked.is_some() && linked == record.account;
    let home = arrival.network.own.as_ref().map_or("", |own| own.handle.as_str());
    let named = record.proof.is_none()
        && post.network == record.network
        && is_handle(&record.handle, &post.author.handle, home);
    if !vouches && !named {
        return Ok(None);
    }
    record.vouched |= vouches;
    if named {
        record.proof = Some(LinkProof { author: post.author.clone(), post: post.id.clone(), at: cx.now });
    }
    if record.is_proven() {
        drop_code(state, &mut record);
    }
    state.put::<LinkSessions>(&proven.session, &record)?;
    let answer = PostAnswer::bare(Verdict::NoOffer);
    remember(state, cx, arrival, &answer)?;
    Ok(Some(answer))
}

/// Whether an author's handle is the one that a session names: in any case, with or without `@`. One without its server
/// is the one with it only on the till's own server, that of `home`: elsewhere it is somebody else.
fn is_handle(named: &str, author: &str, home: &str) -> bool {
    let plain = |handle: &str| handle.trim_start_matches('@').to_lowercase();
    let home = plain(home).split_once('@').map(|(_, server)| server.to_owned());
    let whole = |handle: &str| match (&home, handle.contains('@')) {
        (Some(server), false) => format!("{handle}@{server}"),
        _ => handle.to_owned(),
    };
    whole(&plain(named)) == whole(&plain(author))
}
