//! Reposts that arrive before their bridge has said which post our reply became.
//!
//! A buyer can repost a reply within the second, while its `sent` is still on its way. Such a repost is kept for as
//! long as the buyer has a hold whose reply is not out, and judged when `sent` names the post.

use super::command::Post;
use super::context::Context;
use super::id::{AccountId, PurchaseId};
use super::post::Arrival;
use super::record::{EarlyRepostRecord, PurchaseStatus, ReplyRecord};
use super::refusal::Result;
use super::state::Write;
use super::table::{EarlyReposts, OnNetwork, Purchases};
use super::{account, confirm, network, post};

/// The most reposts kept for one account.
const EARLY_MAX: usize = 16;

/// Keeps a repost of `original` where it may be a reply to a hold of that account whose reply is not out yet.
pub fn remember_early<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    arrival: Arrival<'_>,
    original: &str,
) -> Result<()> {
    let post = arrival.post;
    let Some((id, _)) = account::of_identity(state, &post.network, &post.author.user_id)? else {
        return Ok(());
    };
    let mut waits = false;
    for (_, buyer) in account::newest_purchases(state, id)?.into_iter().rev().take(EARLY_MAX) {
        let purchase = state.must::<Purchases>(&buyer.newest)?;
        waits |= purchase.status == PurchaseStatus::Pending && !purchase.window_set;
    }
    if !waits || original.contains('\0') {
        return Ok(());
    }
    let key = (OnNetwork::new(&post.network, original), id);
    let record = EarlyRepostRecord {
        post: post.id.clone(),
        author: post.author.clone(),
        made_at: arrival.made_at,
        arrived_at: cx.now,
    };
    state.put::<EarlyReposts>(&key, &record)?;
    Ok(())
}

/// Our reply turned out to be `post_id`: a repost of it that came before confirms now.
pub fn judge_early<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    reply: &ReplyRecord,
    post_id: &str,
    (buyer, purchase): (AccountId, PurchaseId),
) -> Result<()> {
    let key = (OnNetwork::new(&reply.network, post_id), buyer);
    let Some(early) = state.get::<EarlyReposts>(&key)? else { return Ok(()) };
    state.delete::<EarlyReposts>(&key);
    // An identity that has moved since confirms nothing of the account that it left: its own card would be charged.
    let linked = account::of_identity(state, &reply.network, &early.author.user_id)?;
    if linked.is_none_or(|(id, _)| id != buyer) {
        return Ok(());
    }
    let network = network::must_find(state, &reply.network)?;
    let repost = Post {
        network: reply.network.clone(),
        id: early.post,
        author: early.author,
        hashtags: Vec::new(),
        text: String::new(),
        created_at: Some(early.made_at),
        repost_of: Some(post_id.to_owned()),
        quote_of: None,
        to_us: None,
        language: None,
    };
    let arrival = Arrival { post: &repost, network: &network, made_at: early.made_at };
    let answer = confirm::judge(state, cx, arrival, confirm::Aim::This(purchase))?;
    post::remember(state, cx, arrival, &answer)
}
