//! What lists find for a text: ids are looked up, of a thing itself or of its neighbours; whatever is no id is compared
//! with names, row by row, within the bounds of a page.

use crate::http::call::Call;
use crate::http::paging::SCAN_MAX;
use crate::http::problem::Problem;
use crate::store::Snapshot;
use crate::till::account;
use crate::till::id::{AccountId, OrderId, PurchaseId, RefundId};
use crate::till::network::KNOWN_NETWORKS;
use crate::till::record::{AccountRecord, Address};
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::{
    Accounts, Identities, Networks, OnNetwork, Orders, Posts, Purchases, Refunds, Replies, ReplyPosts,
};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// The longest text, in characters.
const TEXT_MAX: usize = 200;

/// What a text means.
pub enum Sought<K> {
    /// Exactly these, newest first.
    Keys(Vec<K>),
    /// Whatever has these words in its names; plain, as [`plain`] makes them.
    Words(String),
}

/// The text that is looked for, if any.
pub fn text<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>, Problem> {
    let text = call.query.get(name).map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > TEXT_MAX => {
            Err(Problem::unreadable(name, format!("must be at most {TEXT_MAX} characters")))
        }
        text => Ok(text),
    }
}

/// A name as it is compared: a handle with or without its `@`, in whatever case.
pub fn plain(text: &str) -> String {
    text.trim().trim_start_matches('@').to_lowercase()
}

fn one<K>(key: Option<K>) -> Sought<K> {
    Sought::Keys(key.into_iter().collect())
}

/// The slugs of all networks.
fn slugs(state: &Snapshot) -> Result<BTreeSet<String>, StateError> {
    let mut all: BTreeSet<_> = KNOWN_NETWORKS.iter().map(|&slug| slug.to_owned()).collect();
    state.scan::<Networks>(&Span::all(), Direction::Up, |slug, _| {
        all.insert(slug.0);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// Purchases by their own id, their order's, a refund's, one of their posts', our reply's, their account's, their buyer's
/// on a network; else by a handle.
pub fn purchases(state: &Snapshot, text: &str) -> Result<Sought<PurchaseId>, StateError> {
    if let Some(id) = PurchaseId::parse(text) {
        return Ok(one(Some(id)));
    }
    if let Some(id) = OrderId::parse(text) {
        return Ok(one(state.get::<Orders>(&id)?.map(|order| order.purchase)));
    }
    if let Some(id) = RefundId::parse(text) {
        return Ok(one(state.get::<Refunds>(&id)?.map(|refund| refund.purchase)));
    }
    let mut account = AccountId::parse(text);
    for slug in slugs(state)? {
        let key = OnNetwork::new(&slug, text);
        if let Some(found) = state.get::<Posts>(&key)?.and_then(|post| post.purchase) {
            return Ok(one(Some(found)));
        }
        let reply = state.get::<ReplyPosts>(&key)?.map(|reply| state.get::<Replies>(&reply)).transpose()?;
        if let Some(found) = reply.flatten().and_then(|reply| reply.purchase) {
            return Ok(one(Some(found)));
        }
        account = account.or(state.get::<Identities>(&key)?.map(|identity| identity.account));
    }
    match account {
        Some(account) => Ok(of_account(state, account)?.map_or_else(|| words(text), Sought::Keys)),
        None => Ok(words(text)),
    }
}

fn words<K>(text: &str) -> Sought<K> {
    Sought::Words(plain(text))
}

/// The purchases of an account, newest first; `None`: more than one request looks at.
pub fn of_account(state: &Snapshot, account: AccountId) -> Result<Option<Vec<PurchaseId>>, StateError> {
    let mut ids = Vec::new();
    for (_, buyer) in account::newest_purchases(state, account)? {
        let mut next = Some(buyer.newest);
        while let Some(id) = next {
            if ids.len() >= SCAN_MAX {
                return Ok(None);
            }
            ids.push(id);
            next = state.get::<Purchases>(&id)?.and_then(|purchase| purchase.previous);
        }
    }
    ids.sort_unstable_by(|one, other| other.cmp(one));
    Ok(Some(ids))
}

/// Orders by their own id or their purchase's; else by what is on the parcel.
pub fn orders(state: &Snapshot, text: &str) -> Result<Sought<OrderId>, StateError> {
    if let Some(id) = OrderId::parse(text) {
        return Ok(one(Some(id)));
    }
    if let Some(id) = PurchaseId::parse(text) {
        return Ok(one(state.get::<Purchases>(&id)?.and_then(|purchase| purchase.order)));
    }
    Ok(words(text))
}

/// Accounts by their own id or the network's id of one of theirs; else by handle, email or name.
pub fn accounts(state: &Snapshot, text: &str) -> Result<Sought<AccountId>, StateError> {
    if let Some(id) = AccountId::parse(text) {
        return Ok(one(Some(id)));
    }
    let mut found = BTreeSet::new();
    for slug in slugs(state)? {
        found.extend(state.get::<Identities>(&OnNetwork::new(&slug, text))?.map(|one| one.account));
    }
    Ok(if found.is_empty() { words(text) } else { Sought::Keys(found.into_iter().rev().collect()) })
}

/// Whether an address is somebody's of that name, or lies at that postal code.
pub fn is_to(to: &Address, words: &str) -> bool {
    let close = |text: &str| text.to_lowercase().split_whitespace().collect::<String>();
    to.name.to_lowercase().contains(words) || close(&to.postal_code).starts_with(&close(words))
}

/// Whether an account has a handle, an email or a name with those words in it.
pub fn is_called(account: &AccountRecord, words: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(words);
    account.person.as_ref().is_some_and(|person| {
        person.identities.iter().any(|one| has(&one.handle))
            || person.email.as_deref().is_some_and(has)
            || has(&person.billing_address.name)
    })
}

/// Which accounts have a handle with those words in it; each is looked at once.
pub struct Handles<'a> {
    state: &'a Snapshot,
    words: String,
    known: RefCell<HashMap<AccountId, bool>>,
}

impl<'a> Handles<'a> {
    /// Looks for `words`, plain.
    pub fn new(state: &'a Snapshot, words: String) -> Self {
        Self { state, words, known: RefCell::default() }
    }

    /// Whether this account has one. What cannot be read has none here: whoever shows it says so.
    pub fn fit(&self, id: AccountId) -> bool {
        let look = || {
            let account = self.state.get::<Accounts>(&id).ok().flatten();
            let identities = account.and_then(|account| account.person).map(|person| person.identities);
            identities
                .is_some_and(|all| all.iter().any(|one| one.handle.to_lowercase().contains(&self.words)))
        };
        *self.known.borrow_mut().entry(id).or_insert_with(look)
    }
}

/// The handle of an account on a network, as last seen; `None` once that is gone.
pub fn handle_on(state: &Snapshot, id: AccountId, network: &str) -> Result<Option<String>, StateError> {
    let person = state.get::<Accounts>(&id)?.and_then(|account| account.person);
    let mut identities = person.map(|person| person.identities).unwrap_or_default();
    let place = identities.iter().position(|one| one.network == network).unwrap_or(0);
    Ok((place < identities.len()).then(|| identities.swap_remove(place).handle))
}
