//! What buyers are told once the card is charged: that their order is on its way, or that the shop has cancelled it.
//!
//! One more reply under the post that confirmed, where the network allows that. It names what was ordered and nothing
//! else: no carrier, no number, no address, no name. An order never waits for it.

use super::context::Context;
use super::id::AccountId;
use super::record::{AccountStatus, OrderRecord, PostRecord, Recipient, ReplyKind};
use super::refusal::Result;
use super::state::{Read, StateError, Write};
use super::table::{Accounts, Offers, OnNetwork, Posts, Purchases};
use super::wording::Speaker;
use super::{network, offer, post, reply};

/// Tells the buyer what has become of an order, where somebody is there to be told.
pub fn tell<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    order: &OrderRecord,
    kind: ReplyKind,
) -> Result<()> {
    let purchase = state.must::<Purchases>(&order.purchase)?;
    let Some(confirmation) = purchase.confirmation.as_ref().filter(|it| it.answerable) else {
        return Ok(());
    };
    let slug = confirmation.network.as_str();
    let Some(settings) = network::find(state, slug)?.filter(|network| !network.one_reply_per_post) else {
        return Ok(());
    };
    let key = OnNetwork::new(slug, &confirmation.post);
    let Some(mut seen) = state.get::<Posts>(&key)? else { return Ok(()) };
    let Some(to) = recipient(state, order.account, slug, &seen)? else { return Ok(()) };
    let current = state.must::<Offers>(&purchase.offer)?;
    let sold = offer::as_held(state, &current, &purchase)?;
    let language = purchase.language.as_deref();
    let speaker = Speaker::new(cx.words, &settings, &sold, language, (slug, &confirmation.post));
    let draft = reply::Draft {
        account: Some(order.account),
        purchase: Some(order.purchase),
        kind,
        text: speaker.follow_up(kind),
        not_after: reply::not_after(cx.now, kind),
    };
    let queued = reply::queue_to(state, cx, slug, &confirmation.post, to, draft)?;
    let Some((queued, _)) = queued else { return Ok(()) };
    seen.followed_by = Some(queued);
    state.put::<Posts>(&key, &seen)?;
    Ok(())
}

/// Who confirmed, found again among the identities that are linked now: a purchase does not keep its buyer's name.
/// Nobody where that identity is gone or frozen, the account is not active, or the post is not there any more.
fn recipient<S: Read>(
    state: &S,
    account: AccountId,
    slug: &str,
    confirmed: &PostRecord,
) -> Result<Option<Recipient>, StateError> {
    let account = state.must::<Accounts>(&account)?;
    if account.status != AccountStatus::Active || confirmed.deleted_at.is_some() {
        return Ok(None);
    }
    let mut identities = account.person.iter().flat_map(|person| &person.identities);
    let theirs = identities
        .find(|one| one.network == slug && confirmed.author == Some(post::author_hash(slug, &one.user_id)));
    let frozen = |user_id: &String| account.frozen.iter().any(|(on, user)| on == slug && user == user_id);
    Ok(theirs
        .filter(|one| !frozen(&one.user_id))
        .map(|one| Recipient { user_id: one.user_id.clone(), handle: one.handle.clone() }))
}
