//! A purchase hashtag: who may buy what, in the order of the rules, and the hold that comes of it.

use super::command::PostAnswer;
use super::context::Context;
use super::id::{AccountId, OfferId, PurchaseId, ReplyId};
use super::limit::Reached;
use super::post::Arrival;
use super::purchase::{self, History, Origin, Wanted};
use super::record::{
    AccountRecord, AccountStatus, OfferKind, OfferRecord, OfferStatus, PurchaseRecord, PurchaseStatus,
    ReplyKind, Shortage, StockRecord, WaitingRecord,
};
use super::refusal::Result;
use super::state::Write;
use super::table::{Offers, Purchases, Stocks, Waiting, WaitingKey};
use super::verdict::Verdict;
use super::wording::Speaker;
use super::{account, deal, limit, reply, waiting};

/// Judges a purchase post.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    offer_id: OfferId,
) -> Result<PostAnswer> {
    let post = arrival.post;
    let offer = state.must::<Offers>(&offer_id)?;
    let Some((buyer, mut record)) = account::of_identity(state, &post.network, &post.author.user_id)? else {
        return reply::answer_not_linked(state, cx, arrival, offer_id);
    };
    if record.status == AccountStatus::Suspended {
        return answer(state, cx, arrival, buyer, (offer_id, &offer), Verdict::AccountSuspended, None);
    }
    if account::is_frozen(state, cx, post, (buyer, &mut record))? {
        return answer(state, cx, arrival, buyer, (offer_id, &offer), Verdict::IdentityFrozen, None);
    }
    if offer.kind == OfferKind::Deal {
        return deal::enrol(state, cx, arrival, (buyer, &record), (offer_id, &offer));
    }
    let mut history = purchase::history(state, buyer, offer_id)?;
    while let Some((id, newest)) = history.newest.take_if(|(_, held)| held.status == PurchaseStatus::Pending)
    {
        if arrival.made_at <= newest.expires_at {
            return already_pending(state, cx, arrival, (offer_id, &offer), (id, newest));
        }
        purchase::close(state, cx, id, PurchaseStatus::Expired)?;
        // What it had held may have gone to this same buyer, who waited for more.
        history = purchase::history(state, buyer, offer_id)?;
    }
    let counted = history.counted();
    if let Some(verdict) = obstacle(cx, &record, &offer, counted) {
        let mut given = answer(state, cx, arrival, buyer, (offer_id, &offer), verdict, None)?;
        given.by = match verdict {
            Verdict::NotStarted => offer.starts_at.map(|start| start.ms_since(cx.now)),
            Verdict::Ended => offer.over_since().map(|end| cx.now.ms_since(end)),
            Verdict::LimitReached => Some(i64::from(counted)),
            _ => None,
        };
        return Ok(given);
    }
    let choice = offer.choice(&post.text);
    let most = choice.as_ref().map_or(1, |choice| most(&offer, choice.asked, counted));
    let unit_price = offer.unit_price(choice.as_ref().and_then(|choice| choice.variant));
    let price = unit_price.times(most).unwrap_or(unit_price);
    let stock = state.must::<Stocks>(&offer_id)?;
    if let Some(reached) = limit::reached(state, cx.now, (buyer, &record), price, history.newest.as_ref())? {
        return limited(state, cx, arrival, buyer, (offer_id, &offer), reached);
    }
    if stock.all.waiting > 0
        && let Some(place) = waiting::find(state, buyer, offer_id)?
    {
        return still_waiting(state, cx, arrival, (offer_id, &offer), place);
    }
    let Some(choice) = choice else {
        return ask_which(state, cx, arrival, buyer, (offer_id, &offer), &stock);
    };
    let free = stock.for_newcomers(choice.variant.map(|variant| variant.name.as_str()));
    let units = free.map_or(most, |free| u64::from(most).min(free).try_into().unwrap_or(most));
    let rest = Wanted { variant: choice.variant, units: most - units };
    if units == 0 {
        if offer.waitlist {
            return wait(state, cx, arrival, buyer, (offer_id, &offer), rest);
        }
        let mut given = answer(state, cx, arrival, buyer, (offer_id, &offer), Verdict::SoldOut, None)?;
        given.by = Some(i64::from(rest.units));
        return Ok(given);
    }
    let wanted = Wanted { variant: choice.variant, units };
    let mut answer = hold(state, cx, arrival, (buyer, &history), (offer_id, &offer), wanted, choice.asked)?;
    answer.by = (units < choice.asked).then(|| i64::from(choice.asked - units));
    // Where a post may be answered once, nobody could be told when it is the rest's turn.
    let rest_waits = offer.waitlist && offer.shortage == Shortage::Waitlist;
    if rest.units > 0 && rest_waits && !arrival.network.one_reply_per_post {
        let place = waiting::join(state, cx, arrival, buyer, (offer_id, &offer), rest)?;
        answer.waits = Some((buyer, place));
    }
    Ok(answer)
}

/// How many units a buyer who asks for so many can have at most.
fn most(offer: &OfferRecord, asked: u32, counted: u32) -> u32 {
    asked.min(offer.max_per_purchase).min(offer.per_account_limit.saturating_sub(counted))
}

/// A limit of the till stands in the way.
pub fn limited<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    reached: Reached,
) -> Result<PostAnswer> {
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: None,
        kind: ReplyKind::Unavailable,
        text: arrival.speaker(cx, offer).limit_for_now(),
        not_after: reply::not_after(cx.now, ReplyKind::Unavailable),
    };
    let reply = reply::queue(state, cx, arrival, draft)?;
    let (limit, by) = (Some(reached.limit), Some(reached.by));
    Ok(PostAnswer { offer: Some(offer_id), reply, limit, by, ..PostAnswer::bare(Verdict::LimitReached) })
}

/// Holds units and says how to confirm.
fn hold<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    (buyer, history): (AccountId, &History),
    (offer_id, offer): (OfferId, &OfferRecord),
    wanted: Wanted<'_>,
    asked: u32,
) -> Result<PostAnswer> {
    let post = arrival.post;
    let origin = Origin {
        network: &post.network,
        post: &post.id,
        made_at: arrival.made_at,
        language: post.language.as_deref(),
    };
    let (id, mut held) = purchase::begin(state, cx, (buyer, history), (offer_id, offer), origin, wanted)?;
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: Some(id),
        kind: ReplyKind::Pending,
        text: arrival.speaker(cx, offer).pending(&held, asked),
        not_after: held.expires_at,
    };
    let reply = reply::queue(state, cx, arrival, draft)?;
    held.reply = reply.as_ref().map(|(id, _)| *id);
    state.put::<Purchases>(&id, &held)?;
    let (offer, purchase) = (Some(offer_id), Some(id));
    Ok(PostAnswer { offer, purchase, reply, ..PostAnswer::bare(Verdict::Pending) })
}

/// Puts a buyer on the waiting list and says at which place, unless the one reply to this post is kept for the turn.
fn wait<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    wanted: Wanted<'_>,
) -> Result<PostAnswer> {
    let place = waiting::join(state, cx, arrival, buyer, (offer_id, offer), wanted)?;
    let mut answer = PostAnswer {
        offer: Some(offer_id),
        by: Some(i64::from(wanted.units)),
        waits: Some((buyer, place)),
        ..PostAnswer::bare(Verdict::Waitlisted)
    };
    if !arrival.network.one_reply_per_post {
        answer.reply = tell_place(state, cx, arrival, buyer, offer, place)?;
    }
    Ok(answer)
}

/// The buyer waits already: is told the place once more, once.
fn still_waiting<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    (offer_id, offer): (OfferId, &OfferRecord),
    (key, mut entry): (WaitingKey, WaitingRecord),
) -> Result<PostAnswer> {
    let mut answer = PostAnswer { offer: Some(offer_id), ..PostAnswer::bare(Verdict::Waitlisted) };
    if entry.reminded {
        return Ok(answer);
    }
    let place = waiting::place(state, &key)?;
    answer.reply = tell_place(state, cx, arrival, entry.account, offer, place)?;
    if answer.reply.is_some() {
        entry.reminded = true;
        state.put::<Waiting>(&key, &entry)?;
    }
    Ok(answer)
}

fn tell_place<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    offer: &OfferRecord,
    place: u64,
) -> Result<Option<(ReplyId, String)>> {
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: None,
        kind: ReplyKind::Waitlisted,
        text: arrival.speaker(cx, offer).waitlisted(place),
        not_after: reply::not_after(cx.now, ReplyKind::Waitlisted),
    };
    reply::queue(state, cx, arrival, draft)
}

/// The post does not say which variant it means: the reply lists what there is.
fn ask_which<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    stock: &StockRecord,
) -> Result<PostAnswer> {
    let choices = offer.choices(stock);
    if choices.is_empty() {
        return answer(state, cx, arrival, buyer, (offer_id, offer), Verdict::SoldOut, None);
    }
    let draft = reply::Draft {
        account: Some(buyer),
        purchase: None,
        kind: ReplyKind::Choose,
        text: arrival.speaker(cx, offer).choose(&choices),
        not_after: reply::not_after(cx.now, ReplyKind::Choose),
    };
    let reply = reply::queue(state, cx, arrival, draft)?;
    Ok(PostAnswer { offer: Some(offer_id), reply, ..PostAnswer::bare(Verdict::UnknownVariant) })
}

/// What stands in the way of a new hold but the stock, the first in the order of the rules.
fn obstacle(cx: &Context<'_>, account: &AccountRecord, offer: &OfferRecord, counted: u32) -> Option<Verdict> {
    if offer.starts_at.is_some_and(|start| cx.now < start) {
        return Some(Verdict::NotStarted);
    }
    if offer.is_over(cx.now) {
        return Some(Verdict::Ended);
    }
    if offer.status == OfferStatus::Paused {
        return Some(Verdict::Paused);
    }
    if !ships_to(offer, account) {
        return Some(Verdict::CannotShip);
    }
    (counted >= offer.per_account_limit).then_some(Verdict::LimitReached)
}

/// Whether an offer ships to where the account's address is.
pub fn ships_to(offer: &OfferRecord, account: &AccountRecord) -> bool {
    match (&offer.ships_to, &account.person) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(countries), Some(person)) => countries.contains(&person.billing_address.country),
    }
}

/// The hold is there already: the buyer is told so once.
fn already_pending<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    (offer_id, offer): (OfferId, &OfferRecord),
    (id, mut held): (PurchaseId, PurchaseRecord),
) -> Result<PostAnswer> {
    let (offered, purchase) = (Some(offer_id), Some(id));
    let by = Some(held.expires_at.ms_since(arrival.made_at));
    let mut answer = PostAnswer { offer: offered, purchase, by, ..PostAnswer::bare(Verdict::AlreadyPending) };
    if !held.reminded {
        let draft = reply::Draft {
            account: Some(held.account),
            purchase: Some(id),
            kind: ReplyKind::AlreadyPending,
            text: speaker_about(cx, arrival, offer, &held).already_pending(&held),
            not_after: held.expires_at,
        };
        answer.reply = reply::queue(state, cx, arrival, draft)?;
        if answer.reply.is_some() {
            held.reminded = true;
            state.put::<Purchases>(&id, &held)?;
        }
    }
    Ok(answer)
}

/// Who answers about a purchase: in the language of the post, or of the one that began it.
fn speaker_about<'s>(
    cx: &Context<'s>,
    arrival: Arrival<'s>,
    offer: &'s OfferRecord,
    purchase: &'s PurchaseRecord,
) -> Speaker<'s> {
    let post = arrival.post;
    let language = post.language.as_deref().or(purchase.language.as_deref());
    Speaker::new(cx.words, arrival.network, offer, language, (&post.network, &post.id))
}

/// Answers a linked buyer with a verdict that changes nothing.
pub fn answer<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
    buyer: AccountId,
    (offer_id, offer): (OfferId, &OfferRecord),
    verdict: Verdict,
    about: Option<(PurchaseId, &PurchaseRecord)>,
) -> Result<PostAnswer> {
    let price = about.map_or(offer.price, |(_, purchase)| purchase.price);
    let purchase = about.map(|(id, _)| id);
    let speaker = match about {
        Some((_, purchase)) => speaker_about(cx, arrival, offer, purchase),
        None => arrival.speaker(cx, offer),
    };
    let draft = speaker.for_verdict(price, verdict).map(|(kind, text)| reply::Draft {
        account: Some(buyer),
        purchase,
        kind,
        text,
        not_after: reply::not_after(cx.now, kind),
    });
    let reply = match draft {
        Some(draft) => reply::queue(state, cx, arrival, draft)?,
        None => None,
    };
    Ok(PostAnswer { offer: Some(offer_id), purchase, reply, ..PostAnswer::bare(verdict) })
}
