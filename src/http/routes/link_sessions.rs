//! `/v1/link-sessions`: linking that somebody else begins for a buyer: a shop's own site, or a bridge that can send
//! private messages. The link opens once, in the buyer's browser; from there it goes on as on `/link`.

use super::post::foreign;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::auth::hash_token;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::http::routes::tokens::new_secret;
use crate::till::command::{Command, NewLink, Outcome};
use crate::till::id::{AccountId, LinkId};
use crate::till::record::{LinkPurpose, LinkRecord, LinkStatus};
use crate::till::state::{Read, StateError};
use crate::till::table::LinkSessions;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const NETWORK: &[Kind] = &[Kind::Network];

pub const ROUTES: &[Route] = &[
    Route::post(
        "/v1/link-sessions",
        "createLinkSession",
        "Begin linking for somebody: they go on under the link that this gives.",
        create,
    )
    .also(NETWORK)
    .takes::<LinkSessionCreate>()
    .gives::<LinkSessionMade>()
    .creates()
    .secret(),
    Route::get("/v1/link-sessions/{id}", "getLinkSession", "A link session, for an hour.", get)
        .gives::<LinkSessionView>(),
    Route::post(
        "/v1/accounts/{id}/page",
        "createAccountPage",
        "Give an account a private page with a new address; the one before it is gone.",
        new_page,
    )
    .gives::<AccountPage>()
    .secret(),
];

/// Whom to link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkSessionCreate {
    /// The network's slug.
    network: String,
    /// Their handle there, with or without `@`.
    handle: String,
    /// What for; to link if it is left out.
    #[serde(default = "link")]
    purpose: LinkPurpose,
}

fn link() -> LinkPurpose {
    LinkPurpose::Link
}

/// A link session that was begun.
#[derive(Serialize, JsonSchema)]
struct LinkSessionMade {
    id: LinkId,
    /// Where the buyer goes on, once. For them alone: never post it.
    url: String,
    expires_at: Time,
}

/// A link session; nothing of what was typed in it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LinkSession")]
struct LinkSessionView {
    id: LinkId,
    purpose: LinkPurpose,
    network: String,
    handle: String,
    status: LinkStatus,
    /// Whether its link was opened.
    opened: bool,
    /// Whether the code was posted.
    proven: bool,
    /// Once it is done: the account that was linked or unlinked.
    account: Option<AccountId>,
    created_at: Time,
    expires_at: Time,
}

/// An account's private page.
#[derive(Serialize, JsonSchema)]
struct AccountPage {
    /// For the buyer alone: whoever has it sees what was bought.
    url: String,
}

fn view(id: LinkId, record: &LinkRecord) -> LinkSessionView {
    LinkSessionView {
        id,
        purpose: record.purpose,
        network: record.network.clone(),
        handle: record.handle.clone(),
        status: record.status,
        opened: record.browser.is_some(),
        proven: record.proof.is_some(),
        account: record.account,
        created_at: record.created_at,
        expires_at: record.expires_at,
    }
}

fn create(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let LinkSessionCreate { network, handle, purpose } = call.body()?;
    if call.network().is_some_and(|own| own != network) {
        return Err(foreign());
    }
    let secret = new_secret().map_err(|error| Problem::internal(error.to_string()))?;
    let new = NewLink {
        purpose,
        network,
        handle,
        opening: Some(hash_token(&secret)),
        browser: None,
        account: None,
    };
    let base = shared.base_url().to_owned();
    call.change(Command::BeginLink(Box::new(new)), None, move |tx, _, outcome| match outcome {
        Outcome::Link(id) => Ok(LinkSessionMade {
            id: *id,
            url: format!("{base}/link/open/{id}/{secret}"),
            expires_at: tx.must::<LinkSessions>(id)?.expires_at,
        }),
        other => Err(StateError(format!("not a link session: {other:?}"))),
    })
    .answer()
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(LinkId::parse, "link session")?;
    let found = shared.handle.snapshot()?.get::<LinkSessions>(&id)?;
    Answer::ok(&view(id, &found.ok_or_else(|| Problem::not_found("link session"))?))
}

fn new_page(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let account = call.id(AccountId::parse, "account")?;
    let secret = new_secret().map_err(|error| Problem::internal(error.to_string()))?;
    let url = format!("{}/p/{secret}", shared.base_url());
    let command = Command::NewPage { account, page: hash_token(&secret) };
    call.change(command, Some(account), move |_, _, _| Ok(AccountPage { url })).answer()
}
