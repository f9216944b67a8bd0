//! Carries out one command. All or nothing is the caller's part: it drops the buffer of a command that was refused.

use super::command::{Command, Outcome};
use super::context::Context;
use super::id::{MerchantId, TokenId};
use super::record::{MerchantRecord, SettingsRecord, TokenRecord};
use super::refusal::{Refusal, Result};
use super::role::Role;
use super::state::{Read, Write};
use super::table::{Merchants, Only, Settings, Tokens};
use super::time::Time;
use super::{
    account, bridge, charge, check, deal, endpoint, limit, link, network, notice, offer, opt_out, order,
    owner, pace, post, purchase, refund, reply, tick, waiting,
};

/// Carries out `command` at `cx.now`.
///
/// # Errors
/// `Refused`: it changed nothing that counts, the caller drops its buffer. `State`: the store failed.
pub fn apply<S: Write>(state: &mut S, cx: &mut Context<'_>, command: &Command) -> Result<Outcome> {
    match command {
        Command::PutNetwork { slug, change } => network::put(state, slug, change),
        Command::AnnounceBridge { slug, own, text_limit } => {
            bridge::announce(state, slug, own.as_ref(), *text_limit)
        }
        Command::KeepCursor { network, stream, cursor, was } => {
            bridge::keep(state, cx.now, (network, stream), cursor, was.as_ref().map(Option::as_deref))
        }
        Command::OptOut { network, user_id } => opt_out::put(state, cx, network, user_id),
        Command::OptIn { network, user_id } => opt_out::delete(state, network, user_id),
        Command::PutLimits(change) => limit::put(state, change),
        Command::CreateMerchant { name } => create_merchant(state, cx, name),
        Command::UpdateMerchant { id, name } => update_merchant(state, *id, name),
        Command::CreateAccount(new) => account::create(state, cx, new),
        Command::UpdateAccount { id, change } => account::update(state, cx, *id, change),
        Command::EraseAccount { id } => account::erase(state, cx, *id),
        Command::CreateOffer(new) => offer::create(state, cx, new),
        Command::UpdateOffer { id, merchant, change } => offer::update(state, cx, *id, *merchant, change),
        Command::JudgePost(post) => post::judge(state, cx, post),
        Command::DeletePost { network, id } => post::delete(state, cx, network, id),
        Command::LeaveWaiting { offer, account } => waiting::strike(state, *offer, *account),
        Command::CancelPurchase { id } => purchase::cancel(state, cx, *id),
        Command::RefundPurchase { id, amount, restock } => refund::begin(state, cx, *id, *amount, *restock),
        Command::ShipOrder { id, merchant, units, carrier, tracking_number } => {
            let parcel = order::Parcel {
                units: *units,
                carrier: carrier.as_ref(),
                tracking_number: tracking_number.as_ref(),
            };
            order::ship(state, cx, *id, *merchant, parcel)
        }
        Command::CancelOrder { id, merchant, restock } => order::cancel(state, cx, *id, *merchant, *restock),
        Command::DeliverOrder { id, merchant } => order::deliver(state, cx, *id, *merchant),
        Command::ReplySent { id, network, post_id, sent_at } => {
            reply::sent(state, cx, *id, network.as_deref(), post_id, *sent_at)
        }
        Command::ReplyFailed { id, network, reason, retry } => {
            reply::failed(state, cx, *id, network.as_deref(), reason, *retry)
        }
        Command::CreateToken { role, hash } => create_token(state, cx, role, hash),
        Command::RevokeToken { id } => revoke_token(state, *id),
        Command::Charged { purchase, attempt, answer } => {
            charge::answered(state, cx, *purchase, *attempt, answer)
        }
        Command::LookAtCharge { purchase } => owner::look(state, cx, *purchase),
        Command::RefundAnswered { refund, answer } => refund::answered(state, cx, *refund, answer),
        Command::CreateEndpoint { merchant, url, events, secret } => {
            endpoint::create(state, cx, *merchant, url, events, secret)
        }
        Command::UpdateEndpoint { id, merchant, change } => {
            endpoint::update(state, cx, *id, *merchant, change)
        }
        Command::DeleteEndpoint { id, merchant } => endpoint::delete(state, *id, *merchant),
        Command::SendAgain { id, merchant, what } => endpoint::again(state, cx, *id, *merchant, *what),
        Command::EndpointTried { endpoint, tried } => endpoint::tried(state, cx, *endpoint, tried),
        Command::EndpointPassed { endpoint, from, cursor } => {
            endpoint::passed(state, *endpoint, *from, *cursor)
        }
        Command::TakeNotice { gateway, event, about } => notice::take(state, cx, gateway, event, about),
        Command::NoticeAnswered { notice, answer } => notice::answered(state, cx, *notice, answer),
        Command::BeginLink(new) => link::begin(state, cx, new),
        Command::OpenLink { id, opening, browser } => link::open(state, cx, *id, *opening, *browser),
        Command::StepLink { id, browser, step } => link::step(state, cx, *id, browser, step),
        Command::NewPage { account, page } => link::new_page(state, *account, *page),
        Command::TakeTransaction(new) => deal::transaction::take(state, cx, new),
        Command::CreditAnswered { credit, attempt, answer } => {
            deal::credit::answered(state, cx, *credit, *attempt, answer)
        }
        Command::ReversalAnswered { credit, number, answer } => {
            deal::credit::reversed(state, cx, *credit, *number, answer)
        }
        Command::Tick { expire_until, slice, keep_seconds } => {
            tick::run(state, cx, *expire_until, *slice, *keep_seconds)
        }
        Command::AdvanceClock { seconds } => advance_clock(state, *seconds),
        Command::Resume => resume(state, cx.now),
    }
}

fn create_merchant<S: Write>(state: &mut S, cx: &mut Context<'_>, name: &str) -> Result<Outcome> {
    check::text("name", name, 200)?;
    let id = MerchantId(cx.id());
    state.put::<Merchants>(&id, &MerchantRecord { name: name.to_owned(), created_at: cx.now })?;
    Ok(Outcome::Merchant(id))
}

fn update_merchant<S: Write>(state: &mut S, id: MerchantId, name: &str) -> Result<Outcome> {
    check::text("name", name, 200)?;
    let Some(mut merchant) = state.get::<Merchants>(&id)? else {
        return Err(Refusal::not_found("merchant").into());
    };
    name.clone_into(&mut merchant.name);
    state.put::<Merchants>(&id, &merchant)?;
    Ok(Outcome::Merchant(id))
}

fn create_token<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    role: &Role,
    hash: &[u8; 32],
) -> Result<Outcome> {
    match role {
        Role::Network(slug) if network::find(state, slug)?.is_none() => {
            return Err(Refusal::invalid("role", "names a network that this till does not know").into());
        }
        Role::Merchant(id) if state.get::<Merchants>(id)?.is_none() => {
            return Err(Refusal::invalid("role", "names a merchant that this till does not know").into());
        }
        _ => {}
    }
    let id = TokenId(cx.id());
    state.put::<Tokens>(&id, &TokenRecord { role: role.clone(), hash: *hash, created_at: cx.now })?;
    Ok(Outcome::Token(id))
}

fn revoke_token<S: Write>(state: &mut S, id: TokenId) -> Result<Outcome> {
    if state.get::<Tokens>(&id)?.is_none() {
        return Err(Refusal::not_found("token").into());
    }
    state.delete::<Tokens>(&id);
    Ok(Outcome::Token(id))
}

/// What the file as a whole remembers.
pub fn settings<S: Read>(state: &S) -> Result<SettingsRecord> {
    Ok(state.must::<Settings>(&Only)?)
}

fn advance_clock<S: Write>(state: &mut S, seconds: u32) -> Result<Outcome> {
    let mut record = settings(state)?;
    if !record.sandbox {
        return Err(Refusal::forbidden("Only the clock of a sandbox can be moved.").into());
    }
    // At most ten years at once: a slip of a key must not end every offer for good.
    check::within("advance_seconds", u64::from(seconds), 1, 315_360_000)?;
    record.clock_offset_ms = record.clock_offset_ms.saturating_add(i64::from(seconds) * 1000);
    state.put::<Settings>(&Only, &record)?;
    Ok(Outcome::Clock { offset_ms: record.clock_offset_ms })
}

/// An operator says that the till may go on: after a restore, and where captures wait.
pub fn resume<S: Write>(state: &mut S, now: Time) -> Result<Outcome> {
    let mut record = settings(state)?;
    record.paused = false;
    state.put::<Settings>(&Only, &record)?;
    pace::resume(state, now)?;
    Ok(Outcome::Done)
}
