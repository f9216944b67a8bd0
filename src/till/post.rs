//! Judging a post, in the order of the rules: seen, our own, a repost, a hashtag. Buying and confirming are beside.

use super::command::{Outcome, Post, PostAnswer};
use super::context::Context;
use super::id::OfferId;
use super::record::{NetworkRecord, OfferRecord, PostRecord, PurchaseStatus, ReplyKind, TagRole};
use super::refusal::{Refusal, Result};
use super::state::{Read, StateError, Write};
use super::table::{OnNetwork, Posts, Replies, ReplyPosts};
use super::text::mentions;
use super::time::Time;
use super::verdict::Verdict;
use super::wording::Speaker;
use super::{account, buy, confirm, hashtag, link, near, network, pass, purchase, repost};
use sha2::{Digest, Sha256};

/// A post, its network and the times that judge it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The post.
    pub post: &'a Post,
    /// Its network's settings.
    pub network: &'a NetworkRecord,
    /// t: when it was made, not later than its arrival.
    pub made_at: Time,
}

impl Arrival<'_> {
    /// Whether the network lets its author be answered.
    pub fn is_answerable(&self) -> bool {
        is_answerable(self.network, self.post)
    }

    /// Who answers this post about an offer.
    pub fn speaker<'s>(&'s self, cx: &Context<'s>, offer: &'s OfferRecord) -> Speaker<'s> {
        let post = self.post;
        Speaker::new(cx.words, self.network, offer, post.language.as_deref(), (&post.network, &post.id))
    }
}

/// What a post asks for.
enum Wish {
    Buy(OfferId),
    Confirm(OfferId),
    Pass(OfferId),
    ConfirmReply(super::id::PurchaseId),
}

/// What a first look at a post shows.
enum Sight {
    /// Its answer: nothing has to be written for it.
    Answered(PostAnswer),
    /// The rest of the rules has to judge it.
    ToJudge {
        network: NetworkRecord,
        made_at: Time,
        /// The session of linking whose code it holds.
        proven: Option<link::Proven>,
    },
}

/// Judges a post that needs no writing; `None` where the writer has to judge it.
///
/// Most of a firehose ends here: nothing is stored for it.
pub fn triage<S: Read>(state: &S, now: Time, post: &Post) -> Result<Option<PostAnswer>> {
    match look(state, now, post)? {
        Sight::Answered(answer) => Ok(Some(answer)),
        Sight::ToJudge { .. } => Ok(None),
    }
}

fn look<S: Read>(state: &S, now: Time, post: &Post) -> Result<Sight> {
    let network = network::must_find(state, &post.network)?;
    if let Some(answer) = seen(state, post)? {
        return Ok(Sight::Answered(answer));
    }
    let made_at = post.created_at.map_or(now, |at| at.min(now));
    let bare = |verdict| Ok(Sight::Answered(PostAnswer::bare(verdict)));
    if now.ms_since(made_at) > i64::from(network.max_post_age_seconds) * 1000 {
        return bare(Verdict::StalePost);
    }
    if network.own.as_ref().is_some_and(|own| own.user_id == post.author.user_id) {
        return bare(Verdict::OwnPost);
    }
    if post.repost_of.is_some() {
        return match account::id_of_identity(state, &post.network, &post.author.user_id)? {
            None => bare(Verdict::RepostIgnored),
            Some(_) => Ok(Sight::ToJudge { network, made_at, proven: None }),
        };
    }
    let proven = link::meant(state, post)?;
    // What mentions the shop is looked at once more, and remembered.
    if proven.is_some() || mentions_us(&network, post) {
        return Ok(Sight::ToJudge { network, made_at, proven });
    }
    if !is_answerable(&network, post) {
        return Ok(match wish_of(state, post)? {
            None => Sight::Answered(PostAnswer::bare(Verdict::NoOffer)),
            Some(Wish::Buy(offer) | Wish::Pass(offer)) => Sight::Answered(mention_needed(offer)),
            Some(_) => Sight::ToJudge { network, made_at, proven },
        });
    }
    for tag in &post.hashtags {
        if hashtag::find(state, tag)?.is_some() {
            return Ok(Sight::ToJudge { network, made_at, proven });
        }
    }
    bare(Verdict::NoOffer)
}

/// Whether a post mentions or quotes the shop, by the network's word or else by its text.
fn mentions_us(network: &NetworkRecord, post: &Post) -> bool {
    let by_text = || network.own.as_ref().is_some_and(|own| mentions(&post.text, &own.handle));
    post.to_us.unwrap_or_else(by_text)
}

/// Whether the network lets the author of a post be answered: where one has to mention or quote the shop for that, a
/// native repost is neither.
fn is_answerable(network: &NetworkRecord, post: &Post) -> bool {
    let free = !network.mention_needed || network.own.is_none();
    free || post.repost_of.is_none() && mentions_us(network, post)
}

/// The answer to a wish that nobody may answer: nothing is held, nothing is kept.
fn mention_needed(offer: OfferId) -> PostAnswer {
    PostAnswer { offer: Some(offer), ..PostAnswer::bare(Verdict::MentionNeeded) }
}

/// Judges a post and does what it asks for.
pub fn judge<S: Write>(state: &mut S, cx: &mut Context<'_>, post: &Post) -> Result<Outcome> {
    let (network, made_at, proven) = match look(state, cx.now, post)? {
        Sight::Answered(answer) => return Ok(Outcome::Post(answer)),
        Sight::ToJudge { network, made_at, proven } => (network, made_at, proven),
    };
    let arrival = Arrival { post, network: &network, made_at };
    if let Some(proven) = proven
        && let Some(answer) = link::judge(state, cx, arrival, proven)?
    {
        return Ok(Outcome::Post(answer));
    }
    let wish = match &post.repost_of {
        Some(original) => match reposted_purchase(state, post, original)? {
            Some(purchase) => Some(Wish::ConfirmReply(purchase)),
            None => {
                repost::remember_early(state, cx, arrival, original)?;
                return Ok(Outcome::Post(PostAnswer::bare(Verdict::RepostIgnored)));
            }
        },
        None => wish_of(state, post)?,
    };
    let answer = match wish {
        None if mentions_us(&network, post) => {
            let near = near::judge(state, cx, arrival)?;
            near.unwrap_or_else(|| PostAnswer::bare(Verdict::NoOffer))
        }
        None => return Ok(Outcome::Post(PostAnswer::bare(Verdict::NoOffer))),
        Some(Wish::Buy(offer) | Wish::Pass(offer)) if !arrival.is_answerable() => {
            return Ok(Outcome::Post(mention_needed(offer)));
        }
        Some(Wish::Buy(offer)) => buy::judge(state, cx, arrival, offer)?,
        Some(Wish::Pass(offer)) => pass::judge(state, cx, arrival, offer)?,
        Some(Wish::Confirm(offer)) => confirm::judge(state, cx, arrival, confirm::Aim::Newest(offer))?,
        Some(Wish::ConfirmReply(id)) => confirm::judge(state, cx, arrival, confirm::Aim::This(id))?,
    };
    remember(state, cx, arrival, &answer)?;
    Ok(Outcome::Post(answer))
}

/// The first answer to a post that was acted on before.
fn seen<S: Read>(state: &S, post: &Post) -> Result<Option<PostAnswer>> {
    let Some(record) = state.get::<Posts>(&OnNetwork::new(&post.network, &post.id))? else {
        return Ok(None);
    };
    if record.author.is_some_and(|author| author != author_hash(&post.network, &post.author.user_id)) {
        return Err(Refusal::taken("id", "was delivered before as another author's post").into());
    }
    let Some(verdict) = record.verdict else {
        return Ok(Some(PostAnswer::bare(Verdict::Deleted)));
    };
    let reply = match record.reply {
        None => None,
        Some(id) => state.get::<Replies>(&id)?.map(|reply| (id, reply.text)),
    };
    // A purchase that came of waiting came later.
    let purchase = record.purchase.filter(|_| verdict != Verdict::Waitlisted);
    let PostRecord { offer, by, waits, limit, .. } = record;
    Ok(Some(PostAnswer { verdict, repeated: true, offer, purchase, reply, by, waits, limit }))
}

/// The purchase that a repost confirms: that of the reply which the till addressed to this very account.
fn reposted_purchase<S: Read>(
    state: &S,
    post: &Post,
    original: &str,
) -> Result<Option<super::id::PurchaseId>, StateError> {
    let Some(id) = state.get::<ReplyPosts>(&OnNetwork::new(&post.network, original))? else {
        return Ok(None);
    };
    let Some(reply) = state.get::<Replies>(&id)? else { return Ok(None) };
    let author = account::id_of_identity(state, &post.network, &post.author.user_id)?;
    let theirs = reply.account.is_some() && reply.account == author;
    let confirms = matches!(reply.kind, ReplyKind::Pending | ReplyKind::AlreadyPending);
    Ok(if theirs && confirms { reply.purchase } else { None })
}

/// The first matching hashtag decides, except that a confirm hashtag with a pending purchase behind it comes before
/// a purchase hashtag.
fn wish_of<S: Read>(state: &S, post: &Post) -> Result<Option<Wish>, StateError> {
    let mut first = None;
    for tag in &post.hashtags {
        let Some(found) = hashtag::find(state, tag)? else { continue };
        match found.role {
            TagRole::Confirm if first.is_none() => return Ok(Some(Wish::Confirm(found.offer))),
            TagRole::Confirm => {
                let newest = match account::id_of_identity(state, &post.network, &post.author.user_id)? {
                    Some(account) => purchase::newest(state, account, found.offer)?,
                    None => None,
                };
                if newest.is_some_and(|(_, purchase)| purchase.status == PurchaseStatus::Pending) {
                    return Ok(Some(Wish::Confirm(found.offer)));
                }
            }
            TagRole::Buy => first = first.or(Some(found.offer)),
            TagRole::Cancel if first.is_none() => return Ok(Some(Wish::Pass(found.offer))),
            TagRole::Cancel => {}
        }
    }
    Ok(first.map(Wish::Buy))
}

/// Keeps the answer to a post that was acted on.
pub fn remember<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    arrival: Arrival<'_>,
    answer: &PostAnswer,
) -> Result<()> {
    let post = arrival.post;
    let record = PostRecord {
        author: Some(author_hash(&post.network, &post.author.user_id)),
        verdict: Some(answer.verdict),
        arrived_at: cx.now,
        made_at: arrival.made_at,
        offer: answer.offer,
        purchase: answer.purchase,
        reply: answer.reply.as_ref().map(|(id, _)| *id),
        followed_by: None,
        deleted_at: None,
        by: answer.by,
        waits: answer.waits,
        limit: answer.limit,
    };
    state.put::<Posts>(&OnNetwork::new(&post.network, &post.id), &record)?;
    Ok(())
}

/// A post was deleted: what it began ends, unless it is confirmed.
pub fn delete<S: Write>(state: &mut S, cx: &mut Context<'_>, network: &str, id: &str) -> Result<Outcome> {
    network::must_find(state, network)?;
    super::check::foreign_id("id", id)?;
    let key = OnNetwork::new(network, id);
    let Some(mut record) = state.get::<Posts>(&key)? else {
        let tombstone = PostRecord {
            author: None,
            verdict: None,
            arrived_at: cx.now,
            made_at: cx.now,
            offer: None,
            purchase: None,
            reply: None,
            followed_by: None,
            deleted_at: Some(cx.now),
            by: None,
            waits: None,
            limit: None,
        };
        state.put::<Posts>(&key, &tombstone)?;
        return Ok(Outcome::PostDeleted { purchase: None, passed: false });
    };
    if record.deleted_at.is_some() {
        return Ok(Outcome::PostDeleted { purchase: record.purchase, passed: false });
    }
    record.deleted_at = Some(cx.now);
    state.put::<Posts>(&key, &record)?;
    let passed = pass::deleted(state, cx, (network, id), &record)?;
    Ok(Outcome::PostDeleted { purchase: record.purchase, passed })
}

/// A hash of a person on a network: enough to tell two authors of one post id apart.
pub fn author_hash(network: &str, user_id: &str) -> u64 {
    let digest = Sha256::new().chain_update(network).chain_update([0]).chain_update(user_id).finalize();
    digest.iter().take(8).fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}
