//! One admitted request, as handlers see it; and how its change goes to the writer.

use super::answer::{Answer, Out, Shelf};
use super::api::Shared;
use super::body;
use super::idempotency;
use super::message::Request;
use super::problem::Problem;
use super::query::Query;
use super::route::Route;
use crate::engine::{Job, Keyed, Render, Rendered, TokenEntry};
use crate::store::Tx;
use crate::till::command::{Command, Outcome};
use crate::till::id::{AccountId, MerchantId};
use crate::till::role::Role;
use crate::till::state::StateError;
use crate::till::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One admitted request.
pub struct Call {
    /// What is called.
    pub route: &'static Route,
    /// As it came.
    pub request: Request,
    /// The path's parameters, decoded.
    pub params: Vec<String>,
    /// The query's.
    pub query: Query,
    /// Whose token; `None` for an open call from this machine.
    pub caller: Option<TokenEntry>,
    /// Its idempotency key.
    pub keyed: Option<Keyed>,
}

impl Call {
    /// The path's parameter at `index`.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// The id in the path; what is no such id is not found.
    pub fn id<T>(&self, parse: impl Fn(&str) -> Option<T>, what: &str) -> Result<T, Problem> {
        parse(self.param(0)).ok_or_else(|| Problem::not_found(what))
    }

    /// Whether an admin calls.
    pub fn is_admin(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.role == Role::Admin)
    }

    /// The merchant that the caller is limited to.
    pub fn merchant(&self) -> Option<MerchantId> {
        match &self.caller {
            Some(TokenEntry { role: Role::Merchant(id), .. }) => Some(*id),
            _ => None,
        }
    }

    /// The network that the caller is limited to.
    pub fn network(&self) -> Option<&str> {
        match &self.caller {
            Some(TokenEntry { role: Role::Network(slug), .. }) => Some(slug),
            _ => None,
        }
    }

    /// The body.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        body::read(&self.request)
    }

    /// The body, or what stands for none.
    pub fn body_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.request.body.is_empty() { Ok(T::default()) } else { self.body() }
    }

    /// Has the writer carry out `command` and answers with what `view` makes of it, in the same transaction.
    pub fn change<V: Serialize>(
        &self,
        command: Command,
        account: Option<AccountId>,
        view: impl FnOnce(&Tx<'_>, Time, &Outcome) -> Result<V, StateError> + Send + 'static,
    ) -> Change {
        let fresh = Arc::new(AtomicBool::new(false));
        let (made, status, request_id) = (Arc::clone(&fresh), self.route.status, self.request.id.clone());
        let render: Render = Box::new(move |tx, now, verdicted| {
            made.store(true, Ordering::Relaxed);
            match verdicted {
                Ok(outcome) => rendered(status, &view(tx, now, outcome)?),
                Err(refusal) => {
                    let problem = Problem::from(refusal.clone());
                    rendered(problem.code.status(), &problem.document(&request_id))
                }
            }
        });
        Change { command, render, keyed: self.keyed.clone(), account, path: self.request.path.clone(), fresh }
    }
}

fn rendered(status: u16, value: &impl Serialize) -> Result<Rendered, StateError> {
    let body = serde_json::to_vec(value).map_err(|error| StateError(error.to_string()))?;
    Ok(Rendered { status, body: Some(body) })
}

/// A change on its way to the writer.
pub struct Change {
    command: Command,
    render: Render,
    keyed: Option<Keyed>,
    account: Option<AccountId>,
    path: String,
    fresh: Arc<AtomicBool>,
}

impl Change {
    /// The same way for another command.
    #[must_use]
    pub fn with_command(self, command: Command) -> Self {
        Self { command, ..self }
    }

    /// As a handler's answer.
    pub fn answer(self) -> Result<Answer, Problem> {
        Answer::later(move |shared, out| self.submit(shared, out))
    }

    /// Queues it; the answer follows the commit.
    pub fn submit(self, shared: &Shared, out: Out) {
        let Self { command, render, keyed, account, path, fresh } = self;
        let kept = Shelf::new(out);
        let later = kept.clone();
        let done = Box::new(move |result: Result<_, crate::engine::Unavailable>| {
            let Some(out) = later.take() else { return };
            let answer = result.map_err(Problem::from);
            out.finish(
                answer.and_then(|reply| idempotency::response(reply, &path, fresh.load(Ordering::Relaxed))),
            );
        });
        let job = Job::Call { command, render, keyed, account, done };
        if let Err(overloaded) = shared.handle.submit(job)
            && let Some(out) = kept.take()
        {
            out.fail(&overloaded.into());
        }
    }
}
