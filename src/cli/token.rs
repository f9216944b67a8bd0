//! `tagtill token`: makes, lists and revokes API tokens, through a running till or on the file.

use super::target::{Place, Target};
use super::{Failure, Outcome, failure, say};
use crate::engine::{EngineConfig, Stepper, SystemTime};
use crate::http::{hash_token, new_secret};
use crate::store::Store;
use crate::till::command::{Command, Outcome as Done};
use crate::till::id::TokenId;
use crate::till::role::Role;
use crate::till::state::{Direction, Read as _, Span};
use crate::till::table::Tokens;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// Make, list and revoke API tokens.
///
/// Roles: `admin` may do everything; `network:<slug>` hands in that network's posts and fetches its replies;
/// `merchant:<id>` sees its own offers and orders; `processor` reports card transactions.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token; it is printed once and cannot be shown again
    Create {
        /// admin, network:<slug>, merchant:<id> or processor
        #[arg(long, value_parser = Role::parse)]
        role: Role,
        #[command(flatten)]
        target: Target,
    },
    /// List tokens: id, role, when it was made
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Revoke a token at once
    Revoke {
        /// The token's id, as `token list` shows it
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

pub fn run(args: &Args) -> Outcome {
    match &args.action {
        Action::Create { role, target } => create(role, target),
        Action::List { target } => list(target),
        Action::Revoke { id, target } => revoke(id, target),
    }
}

fn create(role: &Role, target: &Target) -> Outcome {
    match target.find()? {
        Place::Running(client) => {
            let made = client.post("/v1/tokens", &json!({"role": role})).map_err(failure)?;
            show_new(text(&made, "id"), text(&made, "token"))
        }
        Place::File(store) => {
            let secret = new_secret().map_err(failure)?;
            let hash = hash_token(&secret);
            let Done::Token(id) = on_file(*store, Command::CreateToken { role: role.clone(), hash })? else {
                return Err(Failure::from("the file gave no token"));
            };
            show_new(&id.to_string(), &secret)
        }
    }
}

fn show_new(id: &str, token: &str) -> Outcome {
    say(format_args!("id:    {id}\ntoken: {token}"))
}

/// A text of an answer.
fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or("?")
}

fn list(target: &Target) -> Outcome {
    let mut lines = Vec::new();
    match target.find_to_read()? {
        Place::Running(client) => {
            for token in client.all("/v1/tokens").map_err(failure)? {
                let field = |name| text(&token, name).to_owned();
                lines.push((field("id"), field("role"), field("created_at")));
            }
        }
        Place::File(store) => {
            let snapshot = store.snapshot().map_err(failure)?;
            let visit = |id: TokenId, token: crate::till::record::TokenRecord| {
                lines.push((id.to_string(), token.role.to_string(), token.created_at.to_string()));
                ControlFlow::Continue(())
            };
            snapshot.scan::<Tokens>(&Span::all(), Direction::Down, visit).map_err(failure)?;
        }
    }
    for (id, role, created_at) in &lines {
        say(format_args!("{id}  {created_at}  {role}"))?;
    }
    if lines.is_empty() {
        say(format_args!("There are no tokens yet: tagtill token create --role admin"))?;
    }
    Ok(())
}

fn revoke(id: &str, target: &Target) -> Outcome {
    let token = TokenId::parse(id).ok_or_else(|| Failure {
        sentence: format!("{id} is not a token's id; `tagtill token list` shows them."),
        code: 2,
    })?;
    match target.find()? {
        Place::Running(client) => {
            client.delete(&format!("/v1/tokens/{token}")).map_err(failure)?;
        }
        Place::File(store) => {
            on_file(*store, Command::RevokeToken { id: token })?;
        }
    }
    say(format_args!("{token} is revoked."))?;
    Ok(())
}

/// Carries out one command on a file that no till runs.
fn on_file(store: Store, command: Command) -> Result<Done, Failure> {
    let seed = [getrandom::u64().map_err(failure)?, getrandom::u64().map_err(failure)?];
    let config = EngineConfig { seed, ..EngineConfig::default() };
    let mut writer = Stepper::new(store, &config, Box::new(SystemTime::default())).map_err(failure)?;
    match writer.call(command) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(refusal)) => Err(Failure::from(refusal.detail)),
        Err(unavailable) => Err(Failure::from(unavailable.0)),
    }
}
