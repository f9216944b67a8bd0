//! Who and what has which name: identities, hashtags, posts, replies; and the logs.

use super::Walk;
use crate::till::account::card_key;
use crate::till::hashtag::bare;
use crate::till::id::{AccountId, OfferId, ReplyId};
use crate::till::record::{
    AccountRecord, AccountStatus, EventRecord, HashtagRecord, LinkStatus, OfferRecord, OfferStatus,
    ReplyRecord, ReplyStatus,
};
use crate::till::reply::place;
use crate::till::role::Role;
use crate::till::state::{Read, StateError};
use crate::till::table::{
    Accounts, Captures, Cards, Counter, Counters, Cursors, Events, Hash, Hashtags, Hints, Idempotency,
    IdempotencyAges, Identities, Limits, LinkCodes, LinkSessions, Lookalikes, Merchants, Offers, OnNetwork,
    OptOuts, Orders, Outbox, Pages, Posts, Purchases, Rates, Refunds, Replies, ReplyPosts, Text, Tokens,
};
use crate::till::text::{fold, skeleton};

pub fn check<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Merchants>(|_, _, _| Ok(()))?;
    walk.each::<Accounts>(account)?;
    walk.each::<Identities>(|walk, key, link| {
        let account = walk.state.get::<Accounts>(&link.account)?;
        let theirs = account.and_then(|account| account.person).is_some_and(|person| {
            person.identities.iter().any(|one| one.network == key.network && one.user_id == key.id)
        });
        // No id of a person in a sentence that may end up in a log.
        walk.expect(theirs, || format!("an identity is linked to {}, which does not name it", link.account));
        Ok(())
    })?;
    links(walk)?;
    hashtags(walk)?;
    walk.each::<Rates>(|_, _, _| Ok(()))?;
    walk.each::<Limits>(|_, _, _| Ok(()))?;
    walk.each::<Captures>(|_, _, _| Ok(()))?;
    walk.each::<Cursors>(|_, _, _| Ok(()))?;
    walk.each::<OptOuts>(|_, _, _| Ok(()))?;
    walk.each::<Cards>(|walk, (card, id), ()| {
        let person = walk.state.get::<Accounts>(&id)?.and_then(|account| account.person);
        let theirs = person.is_some_and(|person| card_key(&person.payment_method) == Some(card));
        walk.expect(theirs, || format!("a card is linked to {id}, which does not name it"));
        Ok(())
    })?;
    walk.each::<Hints>(|walk, (_, offer), ()| walk.names::<Offers>("a question", Some(&offer)))?;
    replies(walk)?;
    walk.each::<Posts>(|walk, key, post| {
        let who = format!("the post {} on {}", key.id, key.network);
        walk.names::<Offers>(&who, post.offer.as_ref())?;
        walk.names::<Purchases>(&who, post.purchase.as_ref())?;
        walk.names::<Replies>(&who, post.reply.as_ref())
    })?;
    events(walk)?;
    walk.each::<Tokens>(|walk, id, token| match token.role {
        Role::Merchant(merchant) => walk.names::<Merchants>(format!("token {id}"), Some(&merchant)),
        _ => Ok(()),
    })?;
    walk.each::<Idempotency>(|_, _, _| Ok(()))?;
    walk.each::<IdempotencyAges>(|walk, (_, hash), ()| {
        walk.names::<Idempotency>("an answer's age", Some(&hash))
    })?;
    let (answers, ages) = (walk.count::<Idempotency>(), walk.count::<IdempotencyAges>());
    walk.expect(answers == ages, || format!("{answers} answers are kept, but {ages} have an age"));
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of a visitor")]
fn account<S: Read>(walk: &mut Walk<'_, S>, id: AccountId, account: AccountRecord) -> Result<(), StateError> {
    let erased = account.status == AccountStatus::Erased;
    walk.expect(erased == account.person.is_none(), || {
        format!("account {id} is {:?}, which does not fit the person behind it", account.status)
    });
    if let Some(card) = account.person.as_ref().and_then(|person| card_key(&person.payment_method)) {
        let found = walk.has::<Cards>(&(card, id))?;
        walk.expect(found, || format!("account {id} is not found by its card"));
    }
    if let Some(page) = account.page {
        let found = walk.state.get::<Pages>(&Hash(page))? == Some(id);
        walk.expect(found, || format!("account {id} is not found by its private page"));
    }
    let linked = matches!(account.status, AccountStatus::Active | AccountStatus::Suspended);
    for identity in account.person.iter().flat_map(|person| &person.identities) {
        let link = walk.state.get::<Identities>(&OnNetwork::new(&identity.network, &identity.user_id))?;
        let here = link.is_some_and(|link| link.account == id);
        walk.expect(here == linked, || {
            format!("account {id} is {:?}, which does not fit the link of its identity", account.status)
        });
    }
    Ok(())
}

/// Sessions and their codes name each other, and so do accounts and their pages.
fn links<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<LinkSessions>(|walk, id, session| {
        walk.names::<Accounts>(format!("link session {id}"), session.account.as_ref())?;
        let over = session.status != LinkStatus::Open;
        walk.expect(!over || (session.address.is_none() && session.card.is_none()), || {
            format!("link session {id} is over and still holds what was typed")
        });
        let Some(code) = &session.code else { return Ok(()) };
        let found = walk.state.get::<LinkCodes>(&Hash(code.hash))? == Some(id);
        walk.expect(found && !over, || format!("link session {id} is not found by its code, or is over"));
        Ok(())
    })?;
    walk.each::<LinkCodes>(|walk, hash, id| {
        let session = walk.state.get::<LinkSessions>(&id)?;
        let theirs = session.and_then(|session| session.code).is_some_and(|code| Hash(code.hash) == hash);
        walk.expect(theirs, || format!("a code belongs to link session {id}, which does not name it"));
        Ok(())
    })?;
    walk.each::<Pages>(|walk, hash, id| {
        let account = walk.state.get::<Accounts>(&id)?;
        let theirs = account.and_then(|account| account.page).is_some_and(|page| Hash(page) == hash);
        walk.expect(theirs, || format!("a private page belongs to {id}, which does not name it"));
        Ok(())
    })
}

fn hashtags<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    let last_time = walk.state.get::<Counters>(&Counter::LastTime)?.unwrap_or(0);
    walk.each::<Offers>(|walk, id, offer| {
        // An offer whose end date has passed may have lost its tags since.
        let over = offer.status == OfferStatus::Ended
            || offer.ends_at.is_some_and(|end| last_time == 0 || end.key_ms() <= last_time);
        if over { Ok(()) } else { offer_has_its_tags(walk, id, &offer) }
    })?;
    walk.each::<Hashtags>(|walk, Text(tag), taken| {
        let offer = walk.state.get::<Offers>(&taken.offer)?;
        let theirs = offer.is_some_and(|offer| {
            offer.tags().any(|(name, role)| role == taken.role && fold(bare(name)) == tag)
        });
        walk.expect(theirs, || format!("#{tag} is taken by {}, which does not name it", taken.offer));
        let look = walk.state.get::<Lookalikes>(&Text(skeleton(&tag)))?;
        walk.expect(look.as_ref() == Some(&tag), || format!("#{tag} is not found by its look"));
        Ok(())
    })?;
    walk.each::<Lookalikes>(|walk, Text(look), tag| {
        let fine = skeleton(&tag) == look && walk.has::<Hashtags>(&Text(tag.clone()))?;
        walk.expect(fine, || format!("a look belongs to #{tag}, which is not taken or looks otherwise"));
        Ok(())
    })
}

fn offer_has_its_tags<S: Read>(
    walk: &mut Walk<'_, S>,
    id: OfferId,
    offer: &OfferRecord,
) -> Result<(), StateError> {
    for (tag, role) in offer.tags() {
        let taken = walk.state.get::<Hashtags>(&Text(fold(bare(tag))))?;
        walk.expect(taken == Some(HashtagRecord { offer: id, role }), || {
            format!("offer {id} is on sale without its hashtag {tag}")
        });
    }
    walk.names::<Merchants>(format!("offer {id}"), Some(&offer.merchant))
}

fn replies<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    walk.each::<Replies>(|walk, id, reply| {
        walk.names::<Accounts>(format!("reply {id}"), reply.account.as_ref())?;
        walk.names::<Purchases>(format!("reply {id}"), reply.purchase.as_ref())?;
        reply_in_queue(walk, id, &reply)
    })?;
    walk.each::<Outbox>(|walk, key, ()| {
        let reply = walk.state.get::<Replies>(&key.reply)?;
        let fine =
            reply.is_some_and(|reply| reply.status == ReplyStatus::Queued && place(key.reply, &reply) == key);
        walk.expect(fine, || format!("reply {} stands in a queue where it does not belong", key.reply));
        Ok(())
    })?;
    walk.each::<ReplyPosts>(|walk, key, id| {
        let reply = walk.state.get::<Replies>(&id)?;
        let fine = reply.is_some_and(|reply| {
            reply.status == ReplyStatus::Sent
                && reply.network == key.network
                && reply.post_id.as_ref() == Some(&key.id)
        });
        walk.expect(fine, || format!("the post {} is not what reply {id} was sent as", key.id));
        Ok(())
    })
}

fn reply_in_queue<S: Read>(
    walk: &mut Walk<'_, S>,
    id: ReplyId,
    reply: &ReplyRecord,
) -> Result<(), StateError> {
    let queued = reply.status == ReplyStatus::Queued;
    let found = walk.has::<Outbox>(&place(id, reply))?;
    walk.expect(found == queued, || {
        format!("reply {id} is {:?}, which does not fit its queue", reply.status)
    });
    walk.expect(queued == reply.to.is_some(), || {
        format!("reply {id} is {:?}, which does not fit whom it is for", reply.status)
    });
    Ok(())
}

fn events<S: Read>(walk: &mut Walk<'_, S>) -> Result<(), StateError> {
    let mut next = 1;
    walk.each::<Events>(|walk, sequence, event: EventRecord| {
        walk.expect(sequence == next, || format!("event {sequence} stands where {next} should"));
        next = sequence.saturating_add(1);
        let who = format!("event {sequence}");
        walk.names::<Merchants>(&who, event.merchant.as_ref())?;
        walk.names::<Offers>(&who, event.offer.as_ref())?;
        walk.names::<Accounts>(&who, event.account.as_ref())?;
        walk.names::<Purchases>(&who, event.purchase.as_ref())?;
        walk.names::<Orders>(&who, event.order.as_ref())?;
        // A reply may be forgotten by now.
        walk.names::<Refunds>(&who, event.refund.as_ref())
    })?;
    let last = walk.state.get::<Counters>(&Counter::LastEvent)?.unwrap_or(0);
    walk.expect(next == last.saturating_add(1), || format!("the last event is {}, not {last}", next - 1));
    Ok(())
}
