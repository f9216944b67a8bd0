//! A change of mind before confirming: by the offer's cancel hashtag, or by deleting the post that asked.

use super::command::PostAnswer;
use super::context::Context;
use super::id::{OfferId, PurchaseId};
use super::post::Arrival;
use super::record::{PostRecord, PurchaseStatus, ReplyKind};
use super::refusal::Result;
use super::state::Write;
use super::table::{Offers, Purchases};
use super::verdict::Verdict;
use super::{account, purchase, reply, waiting};

/// Judges a post with a cancel hashtag: the newest purchase ends if it is pending, and so does waiting.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    offer_id: OfferId,
) -> Result<PostAnswer> {
    let post = arrival.post;
    let Some((buyer, _)) = account::of_identity(state, &post.network, &post.author.user_id)? else {
        return reply::answer_not_linked(state, cx, arrival, offer_id);
    };
    // What is older than the wish that it would take back belongs to an earlier one.
    let waits = waiting::find(state, buyer, offer_id)?;
    let left = waits.is_some_and(|(_, entry)| arrival.made_at >= entry.joined_at)
        && waiting::leave(state, buyer, offer_id)?;
    let newest = purchase::newest(state, buyer, offer_id)?;
    let held = newest
        .as_ref()
        .filter(|(_, one)| one.status == PurchaseStatus::Pending && arrival.made_at >= one.created_at);
    let (verdict, about) = match (held, &newest) {
        (Some((id, _)), _) => {
            purchase::close(state, cx, *id, PurchaseStatus::Cancelled)?;
            (Verdict::Passed, Some(*id))
        }
        _ if left => (Verdict::Passed, None),
        (None, Some((id, one))) if matches!(one.status, PurchaseStatus::Capturing | PurchaseStatus::Paid) => {
            (Verdict::AlreadyConfirmed, Some(*id))
        }
        _ => (Verdict::NothingToConfirm, None),
    };
    let offer = state.must::<Offers>(&offer_id)?;
    let kind = if verdict == Verdict::Passed { ReplyKind::Passed } else { ReplyKind::Unavailable };
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: about,
        kind,
        text: arrival.speaker(cx, &offer).passed(verdict),
        not_after: reply::not_after(cx.now, kind),
    };
    let reply = reply::queue(state, cx, arrival, draft)?;
    Ok(PostAnswer { offer: Some(offer_id), purchase: about, reply, ..PostAnswer::bare(verdict) })
}

/// The post that began a purchase or joined a waiting list was deleted: both end, unless it is confirmed. Whether
/// anything did.
pub fn deleted<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    (network, id): (&str, &str),
    record: &PostRecord,
) -> Result<bool> {
    let (Some(Verdict::Pending | Verdict::Waitlisted), Some(offer)) = (record.verdict, record.offer) else {
        return Ok(false);
    };
    let mut passed = false;
    if let Some((account, _)) = record.waits {
        let here = waiting::find(state, account, offer)?
            .is_some_and(|(_, entry)| entry.network == network && entry.post == id);
        passed = here && waiting::leave(state, account, offer)?;
    }
    if let Some(purchase) = record.purchase {
        passed |= let_go(state, cx, purchase)?;
    }
    Ok(passed)
}

fn let_go<S: Write>(state: &mut S, cx: &mut Context<'_>, id: PurchaseId) -> Result<bool> {
    let pending = state.must::<Purchases>(&id)?.status == PurchaseStatus::Pending;
    if pending {
        purchase::close(state, cx, id, PurchaseStatus::Cancelled)?;
    }
    Ok(pending)
}
