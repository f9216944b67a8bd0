//! Buyers' accounts and their linked identities, from linking to erasure.

use super::command::{AccountChange, NewAccount, Outcome, Post};
use super::context::Context;
use super::id::{AccountId, OfferId, OrderId, PurchaseId};
use super::record::{
    AccountRecord, AccountStatus, BuyerRecord, EventKind, EventRecord, Identity, IdentityRecord, OrderStatus,
    PaymentMethod, Person, PurchaseStatus, RefundStatus,
};
use super::refusal::{Refusal, Result};
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{
    Accounts, Buyers, Cards, Hash, Idempotency, Identities, OnNetwork, Orders, Pages, Purchases, Refunds,
};
use super::{check, deal, event, network, purchase, reply, waiting};
use sha2::{Digest as _, Sha256};
use std::ops::ControlFlow;

/// The most identities that one account can have.
const IDENTITIES_MAX: usize = 20;

/// Makes an account and links its identities.
pub fn create<S: Write>(state: &mut S, cx: &mut Context<'_>, new: &NewAccount) -> Result<Outcome> {
    let id = AccountId(cx.id());
    check::address("billing_address", &new.billing_address)?;
    if let Some(email) = &new.email {
        check::email("email", email)?;
    }
    link(state, id, &[], &new.identities)?;
    let person = Person {
        identities: new.identities.clone(),
        email: new.email.clone(),
        billing_address: new.billing_address.clone(),
        payment_method: new.payment_method.clone(),
    };
    let account = AccountRecord {
        status: AccountStatus::Active,
        person: Some(person),
        created_at: cx.now,
        frozen: Vec::new(),
        mandate: None,
        page: None,
    };
    state.put::<Accounts>(&id, &account)?;
    index_card(state, id, None, Some(&new.payment_method))?;
    log(state, cx, EventKind::AccountCreated, id)?;
    Ok(Outcome::Account(id))
}

/// Changes an account; purchases that are confirmed keep what they were confirmed with.
pub fn update<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: AccountId,
    change: &AccountChange,
) -> Result<Outcome> {
    let mut account = must_find(state, id)?;
    let Some(mut person) = account.person.take() else {
        return Err(Refusal::conflict("This account is erased.").into());
    };
    if account.status == AccountStatus::Erasing {
        return Err(Refusal::conflict("This account is being erased.").into());
    }
    if let Some(status) = change.status {
        if !matches!(status, AccountStatus::Active | AccountStatus::Suspended) {
            let detail = "must be active or suspended; DELETE erases an account";
            return Err(Refusal::invalid("status", detail).into());
        }
        account.status = status;
    }
    if let Some(address) = &change.billing_address {
        check::address("billing_address", address)?;
        person.billing_address = address.clone();
    }
    if let Some(email) = &change.email {
        if let Some(email) = email {
            check::email("email", email)?;
        }
        person.email.clone_from(email);
    }
    if let Some(method) = &change.payment_method {
        index_card(state, id, Some(&person.payment_method), Some(method))?;
        person.payment_method = method.clone();
    }
    if let Some(identities) = &change.identities {
        link(state, id, &person.identities, identities)?;
        person.identities.clone_from(identities);
        account.frozen.clear();
    }
    account.person = Some(person);
    state.put::<Accounts>(&id, &account)?;
    log(state, cx, EventKind::AccountUpdated, id)?;
    Ok(Outcome::Account(id))
}

/// Replaces the identities `old` of an account by `new`.
fn link<S: Write>(state: &mut S, id: AccountId, old: &[Identity], new: &[Identity]) -> Result<()> {
    if new.is_empty() || new.len() > IDENTITIES_MAX {
        return Err(
            Refusal::invalid("identities", format!("must name 1 to {IDENTITIES_MAX} identities")).into()
        );
    }
    for identity in old {
        state.delete::<Identities>(&OnNetwork::new(&identity.network, &identity.user_id));
    }
    for (i, identity) in new.iter().enumerate() {
        let field = |name: &str| format!("identities[{i}].{name}");
        if network::find(state, &identity.network)?.is_none() {
            return Err(Refusal::invalid(field("network"), "is not a network that this till knows").into());
        }
        check::foreign_id(&field("user_id"), &identity.user_id)?;
        check::text(&field("handle"), &identity.handle, 256)?;
        let key = OnNetwork::new(&identity.network, &identity.user_id);
        if state.get::<Identities>(&key)?.is_some() {
            let detail = "is linked already; an identity belongs to one account";
            return Err(Refusal::taken(field("user_id"), detail).into());
        }
        state.put::<Identities>(&key, &IdentityRecord { account: id })?;
    }
    Ok(())
}

/// Adds an identity to an account; one that is linked to another account moves here.
pub fn add_identity<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: AccountId,
    identity: Identity,
) -> Result<()> {
    let linked = of_identity(state, &identity.network, &identity.user_id)?;
    if linked.is_none_or(|(other, _)| other != id) {
        unlink(state, cx, &identity.network, &identity.user_id)?;
    }
    let mut account = must_find(state, id)?;
    let Some(person) = &mut account.person else {
        return Err(Refusal::conflict("This account is erased.").into());
    };
    let old = person.identities.clone();
    // With the handle that was just seen, where it was linked here before.
    person.identities.retain(|one| one.network != identity.network || one.user_id != identity.user_id);
    account.frozen.retain(|(network, user)| *network != identity.network || *user != identity.user_id);
    person.identities.push(identity);
    link(state, id, &old, &person.identities)?;
    state.put::<Accounts>(&id, &account)?;
    log(state, cx, EventKind::AccountUpdated, id)
}

/// Unlinks an identity; returns whose it was. An account that is left without any is erased: nobody can use it.
pub fn unlink<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    network: &str,
    user_id: &str,
) -> Result<Option<AccountId>> {
    let Some((id, mut account)) = of_identity(state, network, user_id)? else { return Ok(None) };
    let last = account.person.as_ref().is_none_or(|person| person.identities.len() <= 1);
    if last {
        erase(state, cx, id)?;
        return Ok(Some(id));
    }
    state.delete::<Identities>(&OnNetwork::new(network, user_id));
    if let Some(person) = &mut account.person {
        person.identities.retain(|one| one.network != network || one.user_id != user_id);
    }
    account.frozen.retain(|(frozen, user)| frozen != network || user != user_id);
    state.put::<Accounts>(&id, &account)?;
    log(state, cx, EventKind::AccountUpdated, id)?;
    Ok(Some(id))
}

/// Which card this is, whoever has linked it; `None` where its gateway cannot tell.
pub fn card_key(method: &PaymentMethod) -> Option<Hash> {
    if method.fingerprint.is_empty() {
        return None;
    }
    let digest =
        Sha256::new().chain_update(&method.gateway).chain_update([0]).chain_update(&method.fingerprint);
    Some(Hash(digest.finalize().into()))
}

/// Moves an account from the index of one card to that of another.
fn index_card<S: Write>(
    state: &mut S,
    id: AccountId,
    old: Option<&PaymentMethod>,
    new: Option<&PaymentMethod>,
) -> Result<()> {
    if let Some(card) = old.and_then(card_key) {
        state.delete::<Cards>(&(card, id));
    }
    if let Some(card) = new.and_then(card_key) {
        state.put::<Cards>(&(card, id), &())?;
    }
    Ok(())
}

/// The account that a call names.
pub fn must_find<S: Read>(state: &S, id: AccountId) -> Result<AccountRecord> {
    state.get::<Accounts>(&id)?.ok_or_else(|| Refusal::not_found("account").into())
}

/// The account that an identity is linked to, if any.
pub fn of_identity<S: Read>(
    state: &S,
    network: &str,
    user_id: &str,
) -> Result<Option<(AccountId, AccountRecord)>, StateError> {
    match id_of_identity(state, network, user_id)? {
        None => Ok(None),
        Some(id) => Ok(Some((id, state.must::<Accounts>(&id)?))),
    }
}

/// The account that an identity is linked to, where it matters only which.
pub fn id_of_identity<S: Read>(
    state: &S,
    network: &str,
    user_id: &str,
) -> Result<Option<AccountId>, StateError> {
    let link = state.get::<Identities>(&OnNetwork::new(network, user_id))?;
    Ok(link.map(|link| link.account))
}

/// Whether the identity that made a post is frozen. One whose handle has changed since it was linked is, from now on:
/// a handle that somebody gave up can be taken by anybody.
pub fn is_frozen<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    post: &Post,
    (id, account): (AccountId, &mut AccountRecord),
) -> Result<bool> {
    let author = &post.author;
    if account.frozen.iter().any(|(network, user)| *network == post.network && *user == author.user_id) {
        return Ok(true);
    }
    let mut identities = account.person.iter().flat_map(|person| &person.identities);
    let linked = identities.find(|one| one.network == post.network && one.user_id == author.user_id);
    if linked.is_none_or(|linked| same_handle(&linked.handle, &author.handle)) {
        return Ok(false);
    }
    account.frozen.push((post.network.clone(), author.user_id.clone()));
    state.put::<Accounts>(&id, account)?;
    log(state, cx, EventKind::AccountUpdated, id)?;
    Ok(true)
}

/// Handles are the same in any case, with or without `@`, and with or without their server.
fn same_handle(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let plain = |handle: &str| handle.trim_start_matches('@').to_lowercase();
    let (one, other) = (plain(one), plain(other));
    let name = |handle: &str| handle.split('@').next().unwrap_or_default().to_owned();
    one == other || (one.contains('@') != other.contains('@') && name(&one) == name(&other))
}

/// The account's newest purchase of each offer that it ever began to buy.
pub fn newest_purchases<S: Read>(
    state: &S,
    id: AccountId,
) -> Result<Vec<(OfferId, BuyerRecord)>, StateError> {
    let mut found = Vec::new();
    state.scan::<Buyers>(&Span::prefix(id.0.to_be_bytes()), Direction::Up, |(_, offer), buyer| {
        found.push((offer, buyer));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Unlinks an account at once, ends its holds, and erases what is personal once nothing of it is in flight.
pub fn erase<S: Write>(state: &mut S, cx: &mut Context<'_>, id: AccountId) -> Result<Outcome> {
    let mut account = must_find(state, id)?;
    // Once more while it waits: its identities may be somebody's new account by now.
    if matches!(account.status, AccountStatus::Erasing | AccountStatus::Erased) {
        return Ok(Outcome::Account(id));
    }
    if let Some(person) = &account.person {
        for identity in &person.identities {
            state.delete::<Identities>(&OnNetwork::new(&identity.network, &identity.user_id));
        }
    }
    account.status = AccountStatus::Erasing;
    account.frozen.clear();
    if let Some(page) = account.page.take() {
        state.delete::<Pages>(&Hash(page));
    }
    state.put::<Accounts>(&id, &account)?;
    waiting::leave_all(state, id)?;
    for (_, buyer) in newest_purchases(state, id)? {
        if state.must::<Purchases>(&buyer.newest)?.status == PurchaseStatus::Pending {
            purchase::close(state, cx, buyer.newest, PurchaseStatus::Cancelled)?;
        }
    }
    finish_erasing(state, cx, id)?;
    Ok(Outcome::Account(id))
}

/// Erases what is personal of an account that is being erased, unless a capture or a refund is under way. The address
/// of an order that is not shipped yet stays with the order until it is.
pub fn finish_erasing<S: Write>(state: &mut S, cx: &mut Context<'_>, id: AccountId) -> Result<()> {
    let mut account = state.must::<Accounts>(&id)?;
    if account.status != AccountStatus::Erasing {
        return Ok(());
    }
    let mut purchases = Vec::new();
    for (_, buyer) in newest_purchases(state, id)? {
        let mut next = Some(buyer.newest);
        while let Some(purchase) = next {
            let record = state.must::<Purchases>(&purchase)?;
            next = record.previous;
            purchases.push((purchase, record));
        }
    }
    for (_, purchase) in &purchases {
        let refunding = purchase.refunds.iter().try_fold(false, |any, refund| {
            Ok::<_, StateError>(any || state.must::<Refunds>(refund)?.status == RefundStatus::Pending)
        })?;
        if purchase.status.holds() || refunding {
            return Ok(());
        }
    }
    if deal::in_flight(state, id)? {
        return Ok(());
    }
    for (purchase, _) in purchases {
        forget_purchase(state, purchase)?;
    }
    deal::forget(state, id)?;
    reply::drop_of_account(state, cx, id)?;
    forget_answers(state, id)?;
    let person = account.person.take();
    index_card(state, id, person.as_ref().map(|person| &person.payment_method), None)?;
    account.status = AccountStatus::Erased;
    state.put::<Accounts>(&id, &account)?;
    log(state, cx, EventKind::AccountErased, id)
}

/// Removes what is personal from a purchase and its order.
fn forget_purchase<S: Write>(state: &mut S, id: PurchaseId) -> Result<()> {
    let mut purchase = state.must::<Purchases>(&id)?;
    if let Some(confirmation) = &mut purchase.confirmation {
        confirmation.author = None;
        confirmation.customer.clear();
        confirmation.method.clear();
    }
    state.put::<Purchases>(&id, &purchase)?;
    match purchase.order {
        Some(order) => forget_address(state, order),
        None => Ok(()),
    }
}

/// Removes the address from an order of an erased account, once nobody has to ship to it any more.
fn forget_address<S: Write>(state: &mut S, id: OrderId) -> Result<()> {
    let mut order = state.must::<Orders>(&id)?;
    if order.status != OrderStatus::Unfulfilled {
        order.ship_to = None;
        state.put::<Orders>(&id, &order)?;
    }
    Ok(())
}

/// An order was shipped or cancelled: if its account is erased, its address goes now.
pub fn order_closed<S: Write>(state: &mut S, account: AccountId, order: OrderId) -> Result<()> {
    if state.must::<Accounts>(&account)?.status == AccountStatus::Erased {
        forget_address(state, order)?;
    }
    Ok(())
}

/// Removes kept answers that name the person.
fn forget_answers<S: Write>(state: &mut S, id: AccountId) -> Result<()> {
    let mut personal = Vec::new();
    state.scan::<Idempotency>(&Span::all(), Direction::Up, |key, record| {
        if record.account == Some(id) {
            personal.push((key, record));
        }
        ControlFlow::Continue(())
    })?;
    for (key, mut record) in personal {
        record.body = None;
        state.put::<Idempotency>(&key, &record)?;
    }
    Ok(())
}

fn log<S: Write>(state: &mut S, cx: &Context<'_>, kind: EventKind, id: AccountId) -> Result<()> {
    event::log(state, &EventRecord { account: Some(id), ..EventRecord::new(kind, cx.now) })
}
