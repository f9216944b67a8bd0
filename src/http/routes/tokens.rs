//! `/v1/tokens`: who may call. A token is shown once; the till keeps its hash.

use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::auth::hash_token;
use crate::http::call::Call;
use crate::http::paging::{CURSOR, LIMIT, Page, page};
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::till::command::{Command, Outcome};
use crate::till::id::TokenId;
use crate::till::role::Role;
use crate::till::state::StateError;
use crate::till::table::Tokens;
use crate::till::time::Time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::post("/v1/tokens", "createToken", "Make a token. It is shown once.", create)
        .takes::<TokenCreate>()
        .gives::<TokenMade>()
        .creates()
        .secret(),
    Route::get("/v1/tokens", "listTokens", "All tokens, without their secrets.", list)
        .query(&[LIMIT, CURSOR])
        .gives::<Page<TokenView>>(),
    Route::delete("/v1/tokens/{id}", "revokeToken", "Revoke a token, at once.", revoke)
        .gives::<TokenRevoked>(),
];

/// A new token's role.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TokenCreate {
    role: Role,
}

/// A new token, this once.
#[derive(Serialize, JsonSchema)]
struct TokenMade {
    id: TokenId,
    role: Role,
    token: String,
}

/// A token without its secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Token")]
struct TokenView {
    id: TokenId,
    role: Role,
    created_at: Time,
}

/// A token that may no longer be used.
#[derive(Serialize, JsonSchema)]
struct TokenRevoked {
    id: TokenId,
    /// Always true.
    revoked: bool,
}

/// A new secret: 256 random bits.
///
/// # Errors
/// When the system has no randomness.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("tt_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn id_of(outcome: &Outcome) -> Result<TokenId, StateError> {
    match outcome {
        Outcome::Token(id) => Ok(*id),
        other => Err(StateError(format!("not a token: {other:?}"))),
    }
}

fn create(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let TokenCreate { role } = call.body()?;
    let token = new_secret().map_err(|error| Problem::internal(error.to_string()))?;
    let command = Command::CreateToken { role: role.clone(), hash: hash_token(&token) };
    call.change(command, None, move |_, _, outcome| Ok(TokenMade { id: id_of(outcome)?, role, token }))
        .answer()
}

fn revoke(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(TokenId::parse, "token")?;
    let show = |_: &crate::store::Tx<'_>, _, outcome: &Outcome| {
        Ok(TokenRevoked { id: id_of(outcome)?, revoked: true })
    };
    call.change(Command::RevokeToken { id }, None, show).answer()
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    let view = |_: &_, id, token: &crate::till::record::TokenRecord| {
        Ok(TokenView { id, role: token.role.clone(), created_at: token.created_at })
    };
    Answer::ok(&page::<Tokens, _>(&snapshot, call, |_| true, view)?)
}
