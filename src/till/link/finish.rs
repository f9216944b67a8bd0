//! The end of a session: what was shown to be somebody's is linked, unlinked or erased.
//!
//! A fresh proof moves an identity. It never brings along the card or the address of the account that it was linked
//! to: handles change hands, and so could accounts on networks.

use super::{must_be_active, must_go_on, new_page};
use crate::till::account::{self, unlink};
use crate::till::command::{NewAccount, Outcome};
use crate::till::context::Context;
use crate::till::id::{AccountId, LinkId};
use crate::till::record::{Identity, LinkProof, LinkPurpose, LinkRecord, LinkStatus};
use crate::till::refusal::{Refusal, Result};
use crate::till::state::Write;
use crate::till::table::{Accounts, LinkSessions};

/// The last yes, in the browser that began. `page` opens the private page from then on. Said once more, after an answer
/// that was lost, it only gives the private page a new secret.
pub fn confirm<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    id: LinkId,
    mut record: LinkRecord,
    page: [u8; 32],
) -> Result<Outcome> {
    if record.status == LinkStatus::Done {
        if let (LinkPurpose::Link, Some(account)) = (record.purpose, record.account) {
            new_page(state, account, page)?;
        }
        return Ok(Outcome::Link(id));
    }
    must_go_on(cx.now, &record)?;
    let Some(proof) = record.proof.clone() else {
        return Err(Refusal::conflict("First comes the post with the code.").into());
    };
    match record.purpose {
        LinkPurpose::Link => {
            let account = link(state, cx, &record, &proof)?;
            if record.account.is_none() || state.must::<Accounts>(&account)?.page.is_none() {
                new_page(state, account, page)?;
            }
            record.account = Some(account);
        }
        LinkPurpose::Unlink => {
            record.account = unlink(state, cx, &record.network, &proof.author.user_id)?;
        }
        LinkPurpose::Erase => {
            let linked = account::of_identity(state, &record.network, &proof.author.user_id)?;
            if let Some((account, _)) = linked {
                account::erase(state, cx, account)?;
            }
            record.account = linked.map(|(account, _)| account);
        }
    }
    record.close(LinkStatus::Done);
    state.put::<LinkSessions>(&id, &record)?;
    Ok(Outcome::Link(id))
}

fn link<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    record: &LinkRecord,
    proof: &LinkProof,
) -> Result<AccountId> {
    let identity = Identity {
        network: record.network.clone(),
        user_id: proof.author.user_id.clone(),
        handle: proof.author.handle.clone(),
    };
    if let Some(account) = record.account {
        must_be_active(state, account)?;
        return account::add_identity(state, cx, account, identity).map(|()| account);
    }
    let (Some(address), Some(mandate), Some(card)) = (&record.address, record.mandate, &record.card) else {
        let missing = record.missing().unwrap_or("what is missing");
        return Err(Refusal::conflict(format!("First comes {missing}.")).into());
    };
    unlink(state, cx, &identity.network, &identity.user_id)?;
    let new = NewAccount {
        identities: vec![identity],
        email: record.email.clone(),
        billing_address: address.clone(),
        payment_method: card.clone(),
    };
    let Outcome::Account(account) = account::create(state, cx, &new)? else {
        return Err(Refusal::conflict("No account was made.").into());
    };
    let mut made = account::must_find(state, account)?;
    made.mandate = Some(mandate);
    state.put::<Accounts>(&account, &made)?;
    Ok(account)
}
