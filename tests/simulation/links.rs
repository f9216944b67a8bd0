//! The model's word on who is who: accounts, sessions of linking, the proof, and private pages.

use super::model::{Account, Model, Name, Seen};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use tagtill::till::command::{AccountChange, LinkStep, NewAccount, NewLink, Post};
use tagtill::till::id::{AccountId, LinkId};
use tagtill::till::record::{
    AccountStatus, LinkCode, LinkProof, LinkPurpose, LinkRecord, LinkStatus, Mandate, PaymentMethod,
    Recipient,
};
use tagtill::till::time::Time;
use tagtill::till::verdict::Verdict;

const HOUR_MS: i64 = 3_600_000;
/// How long a code can be posted.
const CODE_MS: i64 = 600_000;
/// What is over is forgotten a second after its hour.
const FORGET_MS: i64 = HOUR_MS + 1_000;

/// A session of linking.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Option<LinkId>,
    /// Where the identity goes to, or went to.
    pub account: Option<usize>,
    /// Everything else: its account is always `None` here.
    pub is: LinkRecord,
}

impl Session {
    fn goes_on(&self, now: i64) -> bool {
        self.is.status == LinkStatus::Open && now < self.is.expires_at.ms()
    }

    /// Only a new account is asked for an address, an agreement and a card.
    pub fn gathers(&self) -> bool {
        self.is.purpose == LinkPurpose::Link && self.account.is_none()
    }

    /// Somebody who is linked to the account has to vouch for whom is added to it.
    pub fn is_proven(&self) -> bool {
        let alone = self.account.is_none() || self.is.purpose != LinkPurpose::Link;
        self.is.proof.is_some() && (alone || self.is.vouched)
    }

    pub fn is_ready(&self) -> bool {
        let is = &self.is;
        !self.gathers() || is.address.is_some() && is.mandate.is_some() && is.card.is_some()
    }

    /// What was typed is forgotten.
    fn close(&mut self, status: LinkStatus) {
        self.is =
            LinkRecord { status, address: None, email: None, card: None, setup: None, ..self.is.clone() };
    }
}

impl Account {
    fn new(now: i64, identities: Vec<Name>, country: &str, card: &PaymentMethod) -> Self {
        Self {
            id: None,
            identities,
            status: AccountStatus::Active,
            country: country.to_owned(),
            customer: card.customer.clone(),
            created_at: now,
            card: card.fingerprint.clone(),
            frozen: BTreeSet::new(),
            called: BTreeMap::new(),
            page: None,
            mandate: None,
        }
    }
}

/// Handles are the same in any case, with or without `@`, and with or without their server.
pub fn alike(one: &str, other: &str) -> bool {
    let parts = |handle: &str| {
        let plain = handle.trim_start_matches('@').to_lowercase();
        let (name, server) = plain.split_once('@').unwrap_or((&plain, ""));
        (name.to_owned(), server.to_owned())
    };
    let ((name, server), (other_name, other_server)) = (parts(one), parts(other));
    name == other_name && (server == other_server || server.is_empty() != other_server.is_empty())
}

/// The very handle, in any case and with or without `@`. The shop's own handle has no server here, so that one without
/// is never the same as one with it.
fn very(one: &str, other: &str) -> bool {
    let plain = |handle: &str| handle.trim_start_matches('@').to_lowercase();
    plain(one) == plain(other)
}

impl Model {
    /// A session begins, for a known network and one word that is a handle.
    pub fn begin_link(&mut self, now: i64, new: &NewLink) -> bool {
        let handle = new.handle.trim().trim_start_matches('@');
        let account = new.account.map(|id| self.account(id).filter(|&n| self.accounts[n].linked()));
        if handle.is_empty() || handle.contains(' ') || account == Some(None) {
            return false;
        }
        let is = LinkRecord {
            purpose: new.purpose,
            network: new.network.clone(),
            handle: handle.to_owned(),
            opening: new.opening,
            browser: new.browser,
            account: None,
            address: None,
            email: None,
            mandate: None,
            setup: None,
            setups: 0,
            card: None,
            codes: 0,
            code: None,
            proof: None,
            vouched: false,
            status: LinkStatus::Open,
            created_at: Time::from_ms(now),
            expires_at: Time::from_ms(now + HOUR_MS),
        };
        self.sessions.push(Session { id: None, account: account.flatten(), is });
        true
    }

    /// The link opens once, in one browser.
    pub fn open_link(&mut self, now: i64, id: LinkId, opening: [u8; 32], browser: [u8; 32]) -> bool {
        let own =
            |one: &&mut Session| one.id == Some(id) && one.is.opening == Some(opening) && one.goes_on(now);
        let Some(session) = self.sessions.iter_mut().find(own) else { return false };
        (session.is.opening, session.is.browser) = (None, Some(browser));
        true
    }

    pub fn step_link(&mut self, now: i64, id: LinkId, browser: &[u8; 32], step: &LinkStep) -> bool {
        let own = |one: &Session| one.id == Some(id) && one.is.browser == Some(*browser);
        let Some(n) = self.sessions.iter().position(own) else { return false };
        if let LinkStep::Confirm { page } = step {
            return self.confirm_link(now, n, *page);
        }
        let session = &mut self.sessions[n];
        let (gathers, ready) = (session.gathers(), session.is_ready());
        if !session.goes_on(now) {
            return false;
        }
        let is = &mut session.is;
        match step {
            LinkStep::Address { address, email } => {
                if !gathers || !["US", "CA"].contains(&address.country.as_str()) {
                    return false;
                }
                (is.address, is.email) = (Some(address.clone()), email.clone());
            }
            LinkStep::Mandate { version } => {
                is.mandate = Some(Mandate { version: *version, accepted_at: Time::from_ms(now) });
            }
            LinkStep::CardBegun(setup) => {
                is.setups += u32::from(is.setup.is_none());
                is.setup = Some(setup.clone());
            }
            LinkStep::CardEnded { reference } => drop(is.setup.take_if(|one| one.reference == *reference)),
            LinkStep::CardStored { reference, method } => {
                if !gathers || is.setup.take_if(|one| one.reference == *reference).is_none() {
                    return false;
                }
                is.card = Some(method.clone());
            }
            // It ends with its session at the latest; the one before it, and what that proved, is worth nothing.
            LinkStep::Code { hash } => {
                if !ready {
                    return false;
                }
                let until = (now + CODE_MS).min(is.expires_at.ms());
                (is.proof, is.vouched, is.codes) = (None, false, is.codes + 1);
                is.code = Some(LinkCode { hash: *hash, expires_at: Time::from_ms(until) });
            }
            LinkStep::Cancel => {
                is.code = None;
                session.close(LinkStatus::Cancelled);
            }
            LinkStep::Confirm { .. } => {}
        }
        true
    }

    /// The last yes. Once more, it only gives the private page another secret.
    fn confirm_link(&mut self, now: i64, n: usize, page: [u8; 32]) -> bool {
        let session = self.sessions[n].clone();
        if session.is.status == LinkStatus::Done {
            let linked = session.account.filter(|_| session.is.purpose == LinkPurpose::Link);
            return linked.is_none_or(|account| self.new_page(account, page));
        }
        let shown = session.goes_on(now) && session.is_proven();
        let Some(proof) = session.is.proof.as_ref().filter(|_| shown) else { return false };
        let name = (session.is.network.clone(), proof.author.user_id.clone());
        let account = match (session.is.purpose, session.account) {
            (LinkPurpose::Link, Some(account)) if !self.accounts[account].linked() => return false,
            (LinkPurpose::Link, Some(account)) => {
                self.move_to(account, &name);
                Some(account)
            }
            (LinkPurpose::Link, None) => Some(self.move_to_new(now, &session, name.clone())),
            (LinkPurpose::Unlink, _) => self.unlink(&name),
            (LinkPurpose::Erase, _) => {
                let linked = self.linked(&name.0, &name.1);
                linked.inspect(|&account| self.erase(account))
            }
        };
        if let (LinkPurpose::Link, Some(account)) = (session.is.purpose, account) {
            self.accounts[account].called.insert(name, proof.author.handle.clone());
            // A page that is there already stays.
            self.accounts[account].page.get_or_insert(page);
        }
        self.sessions[n].account = account;
        self.sessions[n].close(LinkStatus::Done);
        true
    }

    /// An identity goes to another account, as it was seen just now.
    fn move_to(&mut self, account: usize, name: &Name) {
        if self.linked(&name.0, &name.1) != Some(account) {
            self.unlink(name);
            self.accounts[account].identities.push(name.clone());
        }
        self.accounts[account].frozen.remove(name);
    }

    /// Nothing but the identity comes along.
    fn move_to_new(&mut self, now: i64, session: &Session, name: Name) -> usize {
        self.unlink(&name);
        let (Some(address), Some(card)) = (&session.is.address, &session.is.card) else { unreachable!() };
        let new = Account::new(now, vec![name], &address.country, card);
        self.accounts.push(Account { mandate: session.is.mandate, ..new });
        self.accounts.len() - 1
    }

    /// An account that is left without any identity is erased.
    fn unlink(&mut self, name: &Name) -> Option<usize> {
        let n = self.linked(&name.0, &name.1)?;
        let account = &mut self.accounts[n];
        if account.identities.len() == 1 {
            self.erase(n);
            return Some(n);
        }
        account.identities.retain(|one| one != name);
        account.frozen.remove(name);
        account.called.remove(name);
        Some(n)
    }

    /// An account by an operator's word, for identities that nobody has.
    pub fn create_account(&mut self, now: i64, new: &NewAccount) -> bool {
        let names: Vec<_> =
            new.identities.iter().map(|one| (one.network.clone(), one.user_id.clone())).collect();
        let free = names.iter().all(|(network, user)| self.linked(network, user).is_none());
        if free {
            let country = &new.billing_address.country;
            self.accounts.push(Account::new(now, names, country, &new.payment_method));
        }
        free
    }

    pub fn update_account(&mut self, id: AccountId, change: &AccountChange) -> bool {
        let Some(n) = self.account(id) else { return false };
        if !self.accounts[n].linked() {
            return false;
        }
        if let Some(identities) = &change.identities {
            let names: Vec<_> =
                identities.iter().map(|one| (one.network.clone(), one.user_id.clone())).collect();
            let free =
                |(network, user): &(String, String)| self.linked(network, user).is_none_or(|by| by == n);
            if !names.iter().all(free) {
                return false;
            }
            self.accounts[n].identities = names;
            self.accounts[n].frozen.clear();
            self.accounts[n].called.clear();
        }
        let account = &mut self.accounts[n];
        account.status = change.status.unwrap_or(account.status);
        if let Some(address) = &change.billing_address {
            account.country.clone_from(&address.country);
        }
        if let Some(method) = &change.payment_method {
            account.customer.clone_from(&method.customer);
            account.card.clone_from(&method.fingerprint);
        }
        true
    }

    /// A private page has one address, and the one before it is gone.
    pub fn new_page(&mut self, account: usize, page: [u8; 32]) -> bool {
        let linked = self.accounts[account].linked();
        if linked {
            self.accounts[account].page = Some(page);
        }
        linked
    }

    /// The session whose code a post holds.
    pub fn coded(&self, post: &Post) -> Option<usize> {
        let hash = |tag: &String| -> [u8; 32] { Sha256::digest(tag.as_bytes()).into() };
        post.hashtags.iter().filter(|tag| tag.contains("link")).find_map(|tag| {
            let hash = hash(tag);
            self.sessions.iter().position(|one| one.is.code.as_ref().is_some_and(|code| code.hash == hash))
        })
    }

    /// It proves who made it: by the author that the session names, after the session began, in the code's time, once.
    /// Where an identity is added to an account, one that is linked to it posts the code, too. Whether it proved anything.
    pub fn prove(&mut self, now: i64, t: i64, post: &Post, n: usize) -> bool {
        let linked = self.linked(&post.network, &post.author.user_id);
        let session = &mut self.sessions[n];
        let is = &session.is;
        let in_time = is.code.as_ref().is_some_and(|code| t <= code.expires_at.ms())
            && t >= is.created_at.ms()
            && now < is.expires_at.ms();
        if !in_time || post.quote_of.is_some() {
            return false;
        }
        let vouches = !is.vouched && linked.is_some() && linked == session.account;
        let named = is.proof.is_none() && post.network == is.network && very(&is.handle, &post.author.handle);
        if !vouches && !named {
            return false;
        }
        session.is.vouched |= vouches;
        if named {
            let author: Recipient = post.author.clone();
            session.is.proof = Some(LinkProof { author, post: post.id.clone(), at: Time::from_ms(now) });
        }
        if session.is_proven() {
            session.is.code = None;
        }
        let judged = Some((post.author.user_id.clone(), Verdict::NoOffer));
        let seen = Seen { judged, purchase: None, deleted: false };
        self.posts.insert((post.network.clone(), post.id.clone()), seen);
        true
    }

    /// What is over by time is forgotten, the oldest first.
    pub fn forget_sessions(&mut self, slice: usize) {
        let now = self.now;
        let latest = LinkId(u128::MAX);
        self.sessions.sort_by_key(|one| (one.is.created_at, one.id.unwrap_or(latest)));
        let old = self.sessions.iter().take_while(|one| now - one.is.created_at.ms() > FORGET_MS).count();
        self.sessions.drain(..old.min(slice));
    }
}
