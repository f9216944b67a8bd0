//! What a handler gives back, and the way out to the client: every answer passes [`Out::send`], which counts and
//! logs it.

use super::api::Shared;
use super::idempotency::Place;
use super::message::{Method, Response};
use super::problem::Problem;
use super::server::Responder;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What a handler gives back.
pub enum Answer {
    /// This.
    Now(Response),
    /// Somebody who takes the way out and will answer.
    Later(Box<dyn FnOnce(&Arc<Shared>, Out) + Send>),
}

impl Answer {
    /// 200 and this value.
    pub fn ok(value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::Now(json(200, value)?))
    }

    /// Whoever takes the way out.
    #[allow(clippy::unnecessary_wraps, reason = "as handlers return it")]
    pub fn later(with: impl FnOnce(&Arc<Shared>, Out) + Send + 'static) -> Result<Self, Problem> {
        Ok(Self::Later(Box::new(with)))
    }
}

/// An answer in JSON.
pub fn json(status: u16, value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(json_bytes(status, body))
}

/// An answer that is JSON already.
pub fn json_bytes(status: u16, body: Vec<u8>) -> Response {
    Response::new(status, "application/json", body).with_header("Cache-Control", "no-store")
}

/// The way out to the client of one request.
pub struct Out {
    responder: Responder,
    /// Frees the request's idempotency key once it is answered.
    pub place: Option<Place>,
    shared: Arc<Shared>,
    method: Method,
    path: String,
    started: Instant,
}

impl Out {
    /// The way out of a request for `path`, which stands in the log.
    pub fn new(responder: Responder, shared: &Arc<Shared>, method: &Method, path: &str) -> Self {
        let (method, path) = (method.clone(), path.to_owned());
        Self { responder, place: None, shared: Arc::clone(shared), method, path, started: Instant::now() }
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        self.responder.request_id()
    }

    /// Marks the request as a long poll; an error where no more can wait.
    pub fn park(&mut self) -> Result<(), Problem> {
        if self.responder.park() {
            return Ok(());
        }
        Err(Problem::overloaded(
            "As many requests wait for news as this till bears. Ask without wait_seconds.",
        ))
    }

    /// Whether the client has left.
    pub fn is_abandoned(&self) -> bool {
        self.responder.is_abandoned()
    }

    /// Answers.
    pub fn send(self, response: Response) {
        let Self { responder, place, shared, method, path, started } = self;
        // First: whoever has its answer may use the key again.
        drop(place);
        shared.metrics.answered(response.status);
        let (id, status) = (responder.request_id(), response.status);
        let ms = started.elapsed().as_micros() / 1000;
        if status >= 500 {
            log::warn!("{id} {method} {path} {status} {ms} ms");
        } else {
            log::debug!("{id} {method} {path} {status} {ms} ms");
        }
        responder.send(response);
    }

    /// Answers with a problem.
    pub fn fail(self, problem: &Problem) {
        let response = problem.response(self.request_id());
        self.send(response);
    }

    /// Answers with what a handler came to.
    pub fn finish(self, result: Result<Response, Problem>) {
        match result {
            Ok(response) => self.send(response),
            Err(problem) => self.fail(&problem),
        }
    }
}

/// A way out that two may reach: whoever takes it first answers.
#[derive(Clone)]
pub struct Shelf(Arc<Mutex<Option<Out>>>);

impl Shelf {
    /// Puts a way out on the shelf.
    pub fn new(out: Out) -> Self {
        Self(Arc::new(Mutex::new(Some(out))))
    }

    /// Takes it, if nobody has.
    pub fn take(&self) -> Option<Out> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
