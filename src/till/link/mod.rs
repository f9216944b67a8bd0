//! Linking: how somebody shows which identity on a network is theirs, and what of theirs goes with it.
//!
//! A session belongs to one browser. It names a network and a handle first, then gathers an address, an agreement and
//! a card, then a code that the very owner of that handle has to post, and ends with a last yes in the same browser.
//! Nothing here tells whether somebody is linked before they have shown that it is them.

mod finish;
mod proof;
mod setup;
mod step;

pub use proof::{CODE_LETTERS, Proven, code_hash, has_form, judge, meant};
pub use setup::{Setup, SetupBegun, SetupStanding};
pub use step::{LinkStep, NewLink};

use super::command::Outcome;
use super::context::Context;
use super::id::{AccountId, LinkId};
use super::record::{
    AccountStatus, Address, CardSetup, LinkCode, LinkPurpose, LinkRecord, LinkStatus, Mandate, PaymentMethod,
};
use super::refusal::{Refusal, Result};
use super::state::{Read, Span, Write};
use super::table::{Accounts, Hash, LinkCodes, LinkSessions, Pages};
use super::time::Time;
use super::{account, check, country, network};
use crate::till::state::Key as _;

/// How long a session lives.
pub const SESSION_SECONDS: i64 = 3600;
/// How long a code can be posted.
pub const CODE_SECONDS: i64 = 600;

/// Begins a session.
pub fn begin<S: Write>(state: &mut S, cx: &mut Context<'_>, new: &NewLink) -> Result<Outcome> {
    if network::find(state, &new.network)?.is_none() {
        return Err(Refusal::invalid("network", "is not a network that this till knows").into());
    }
    let handle = new.handle.trim().trim_start_matches('@');
    check::text("handle", handle, 256)?;
    if handle.contains(char::is_whitespace) {
        return Err(Refusal::invalid("handle", "must be one handle, without spaces").into());
    }
    if let Some(id) = new.account {
        must_be_active(state, id)?;
    }
    let id = LinkId(cx.id());
    let record = LinkRecord {
        purpose: new.purpose,
        network: new.network.clone(),
        handle: handle.to_owned(),
        opening: new.opening,
        browser: new.browser,
        account: new.account,
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
        created_at: cx.now,
        expires_at: cx.now.plus_seconds(SESSION_SECONDS),
    };
    state.put::<LinkSessions>(&id, &record)?;
    Ok(Outcome::Link(id))
}

fn must_be_active<S: Read>(state: &S, id: AccountId) -> Result<()> {
    let account = account::must_find(state, id)?;
    if matches!(account.status, AccountStatus::Active | AccountStatus::Suspended) {
        return Ok(());
    }
    Err(Refusal::conflict("This account is erased.").into())
}

/// Binds a session to the browser that opened its link; it can be opened once.
pub fn open<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: LinkId,
    opening: [u8; 32],
    browser: [u8; 32],
) -> Result<Outcome> {
    let mut record = state.get::<LinkSessions>(&id)?.ok_or_else(|| Refusal::not_found("link session"))?;
    if record.opening != Some(opening) {
        return Err(Refusal::not_found("link session").into());
    }
    must_go_on(cx.now, &record)?;
    record.opening = None;
    record.browser = Some(browser);
    state.put::<LinkSessions>(&id, &record)?;
    Ok(Outcome::Link(id))
}

/// The session of a browser; another browser's is not found.
///
/// # Errors
/// When there is none, or the store fails.
pub fn of_browser<S: Read>(state: &S, id: LinkId, browser: &[u8; 32]) -> Result<LinkRecord> {
    match state.get::<LinkSessions>(&id)? {
        Some(record) if record.browser.as_ref() == Some(browser) => Ok(record),
        _ => Err(Refusal::not_found("link session").into()),
    }
}

fn must_go_on(now: Time, record: &LinkRecord) -> Result<()> {
    match record.status {
        LinkStatus::Open if now < record.expires_at => Ok(()),
        LinkStatus::Open => Err(Refusal::conflict("This took too long; please begin again.").into()),
        LinkStatus::Done => Err(Refusal::conflict("This is done already.").into()),
        LinkStatus::Cancelled => Err(Refusal::conflict("This was cancelled; please begin again.").into()),
    }
}

/// Takes a session one step on.
pub fn step<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: LinkId,
    browser: &[u8; 32],
    step: &LinkStep,
) -> Result<Outcome> {
    let mut record = of_browser(state, id, browser)?;
    if let LinkStep::Confirm { page } = step {
        return finish::confirm(state, cx, id, record, *page);
    }
    must_go_on(cx.now, &record)?;
    match step {
        LinkStep::Address { address, email } => take_address(&mut record, address, email.as_ref())?,
        LinkStep::Mandate { version } => {
            record.mandate = Some(Mandate { version: *version, accepted_at: cx.now });
        }
        LinkStep::CardBegun(setup) => {
            // Begun twice at once it is the same one, under the same key.
            if record.setup.is_none() {
                record.setups = record.setups.saturating_add(1);
            }
            record.setup = Some(setup.clone());
        }
        LinkStep::CardEnded { reference } => {
            record.setup.take_if(|setup| setup.reference == *reference);
        }
        LinkStep::CardStored { reference, method } => take_card(&mut record, reference, method)?,
        LinkStep::Code { hash } => new_code(state, cx, id, &mut record, *hash)?,
        LinkStep::Cancel => {
            drop_code(state, &mut record);
            record.close(LinkStatus::Cancelled);
        }
        LinkStep::Confirm { .. } => {}
    }
    state.put::<LinkSessions>(&id, &record)?;
    Ok(Outcome::Link(id))
}

fn take_address(record: &mut LinkRecord, address: &Address, email: Option<&String>) -> Result<()> {
    must_gather(record)?;
    country::check_typed(address)?;
    if let Some(email) = email {
        check::email("email", email)?;
    }
    record.address = Some(address.clone());
    record.email = email.cloned();
    Ok(())
}

/// Only a new account is asked for an address and a card.
fn must_gather(record: &LinkRecord) -> Result<()> {
    if record.gathers() { Ok(()) } else { Err(Refusal::conflict("Nothing is asked for here.").into()) }
}

fn take_card(record: &mut LinkRecord, reference: &str, method: &PaymentMethod) -> Result<()> {
    must_gather(record)?;
    // Stored once: a page that was opened twice brings nothing new.
    if record.setup.take_if(|setup: &mut CardSetup| setup.reference == reference).is_none() {
        return Err(Refusal::conflict("This card was taken in already, or another one was begun.").into());
    }
    record.card = Some(method.clone());
    Ok(())
}

/// Makes the code that has to be posted; one that was made before is worth nothing any more.
fn new_code<S: Write>(
    state: &mut S,
    cx: &Context<'_>,
    id: LinkId,
    record: &mut LinkRecord,
    hash: [u8; 32],
) -> Result<()> {
    if let Some(missing) = record.missing() {
        return Err(Refusal::conflict(format!("First comes {missing}.")).into());
    }
    drop_code(state, record);
    record.proof = None;
    record.vouched = false;
    record.codes = record.codes.saturating_add(1);
    let expires_at = cx.now.plus_seconds(CODE_SECONDS).min(record.expires_at);
    record.code = Some(LinkCode { hash, expires_at });
    state.put::<LinkCodes>(&Hash(hash), &id)?;
    Ok(())
}

fn drop_code<S: Write>(state: &mut S, record: &mut LinkRecord) {
    if let Some(code) = record.code.take() {
        state.delete::<LinkCodes>(&Hash(code.hash));
    }
}

impl LinkRecord {
    /// Whether it gathers what a new account needs.
    pub fn gathers(&self) -> bool {
        self.purpose == LinkPurpose::Link && self.account.is_none()
    }

    /// Whether it needs somebody who is linked to the account already.
    pub fn needs_voucher(&self) -> bool {
        self.purpose == LinkPurpose::Link && self.account.is_some()
    }

    /// Whether the code was posted by everybody who has to.
    pub fn is_proven(&self) -> bool {
        self.proof.is_some() && (self.vouched || !self.needs_voucher())
    }

    /// What comes before the code, where that is missing.
    pub fn missing(&self) -> Option<&'static str> {
        if !self.gathers() {
            return None;
        }
        match (&self.address, &self.mandate, &self.card) {
            (None, _, _) => Some("the address"),
            (_, None, _) => Some("your agreement"),
            (_, _, None) => Some("the card"),
            _ => None,
        }
    }

    /// It is over: what was typed is forgotten.
    fn close(&mut self, status: LinkStatus) {
        self.status = status;
        self.address = None;
        self.email = None;
        self.card = None;
        self.setup = None;
    }
}

/// Gives an account a private page that this secret opens, in place of the one it had.
pub fn new_page<S: Write>(state: &mut S, id: AccountId, page: [u8; 32]) -> Result<Outcome> {
    must_be_active(state, id)?;
    let mut record = account::must_find(state, id)?;
    if let Some(old) = record.page.replace(page) {
        state.delete::<Pages>(&Hash(old));
    }
    state.put::<Accounts>(&id, &record)?;
    state.put::<Pages>(&Hash(page), &id)?;
    Ok(Outcome::Account(id))
}

/// Forgets up to `slice` sessions that are over by time; returns how many.
pub fn forget<S: Write>(state: &mut S, now: Time, slice: usize) -> Result<usize> {
    // A second more: an id's time is that of its command, in whole milliseconds.
    let old = Span::all().before(&LinkId::first_at(now.plus_seconds(-SESSION_SECONDS - 1)).encode());
    let sessions = state.first::<LinkSessions>(&old, slice)?;
    for (id, record) in &sessions {
        let mut record = record.clone();
        drop_code(state, &mut record);
        state.delete::<LinkSessions>(id);
    }
    Ok(sessions.len())
}
