//! The table of routes: what there is to call, by whom, with what, for what. Handlers, the check of roles, the
//! answer to a wrong method and `openapi.json` all read the same rows.

use super::answer::Answer;
use super::api::Shared;
use super::call::Call;
use super::message::Method;
use super::problem::Problem;
use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

/// A role that may make a call besides `admin`, which may make every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `network:<slug>`
    Network,
    /// `merchant:<id>`
    Merchant,
    /// `processor`
    Processor,
}

/// The parameters of `path`, decoded, where it has the form of `pattern`.
pub fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut given = path.split('/');
    for part in pattern.split('/') {
        let segment = given.next()?;
        if part.starts_with('{') {
            let decoded = percent_decode_str(segment).decode_utf8().ok().filter(|text| !text.is_empty())?;
            params.push(decoded.into_owned());
        } else if part != segment {
            return None;
        }
    }
    given.next().is_none().then_some(params)
}

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody on this machine; admins from elsewhere.
    Open,
    /// Whoever signs what it sends.
    Signed,
    /// Admins and these.
    Roles(&'static [Kind]),
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its schema.
    pub schema: SchemaOf,
}

impl Param {
    /// A parameter whose value reads as `T`.
    pub const fn new<T: JsonSchema>(name: &'static str, about: &'static str) -> Self {
        Self { name, about, schema: schema_of::<T> }
    }
}

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`, by reference where it has a name.
pub fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What carries out a call. It runs on one of few workers and must not wait.
pub type Handle = fn(&Arc<Shared>, &Call) -> Result<Answer, Problem>;

/// One call of the API.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a row of a table")]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// The name of the operation.
    pub id: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The query parameters.
    pub query: &'static [Param],
    /// The body.
    pub request: Option<SchemaOf>,
    /// Whether the body may be left out.
    pub body_optional: bool,
    /// Whether the body may also be lines of JSON.
    pub lines: bool,
    /// The answer.
    pub response: Option<SchemaOf>,
    /// The answer's content type.
    pub produces: &'static str,
    /// The status of success.
    pub status: u16,
    /// Whether `Idempotency-Key` means something here.
    pub keyed: bool,
    /// Whether the answer holds a secret, and so is never given twice.
    pub secret: bool,
    /// What carries it out.
    pub handle: Handle,
}

impl Route {
    const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handle: Handle,
    ) -> Self {
        let keyed = !matches!(method, Method::Get);
        Self {
            method,
            path,
            access: Access::Roles(&[]),
            id,
            summary,
            query: &[],
            request: None,
            body_optional: false,
            lines: false,
            response: None,
            produces: "application/json",
            status: 200,
            keyed,
            secret: false,
            handle,
        }
    }

    /// A `GET`, for admins until told otherwise.
    pub const fn get(path: &'static str, id: &'static str, summary: &'static str, handle: Handle) -> Self {
        Self::new(Method::Get, path, id, summary, handle)
    }

    /// A `POST`.
    pub const fn post(path: &'static str, id: &'static str, summary: &'static str, handle: Handle) -> Self {
        Self::new(Method::Post, path, id, summary, handle)
    }

    /// A `PUT`.
    pub const fn put(path: &'static str, id: &'static str, summary: &'static str, handle: Handle) -> Self {
        Self::new(Method::Put, path, id, summary, handle)
    }

    /// A `PATCH`.
    pub const fn patch(path: &'static str, id: &'static str, summary: &'static str, handle: Handle) -> Self {
        Self::new(Method::Patch, path, id, summary, handle)
    }

    /// A `DELETE`.
    pub const fn delete(path: &'static str, id: &'static str, summary: &'static str, handle: Handle) -> Self {
        Self::new(Method::Delete, path, id, summary, handle)
    }

    /// Also for these roles.
    #[must_use]
    pub const fn also(mut self, kinds: &'static [Kind]) -> Self {
        self.access = Access::Roles(kinds);
        self
    }

    /// Open on this machine.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.access = Access::Open;
        self
    }

    /// For whoever signs what it sends; without a key, because its own id does that.
    #[must_use]
    pub const fn signed(mut self) -> Self {
        self.access = Access::Signed;
        self.keyed = false;
        self
    }

    /// With these query parameters.
    #[must_use]
    pub const fn query(mut self, params: &'static [Param]) -> Self {
        self.query = params;
        self
    }

    /// With a body.
    #[must_use]
    pub const fn takes<T: JsonSchema>(mut self) -> Self {
        self.request = Some(schema_of::<T>);
        self
    }

    /// With a body that may be left out.
    #[must_use]
    pub const fn may_take<T: JsonSchema>(mut self) -> Self {
        self.request = Some(schema_of::<T>);
        self.body_optional = true;
        self
    }

    /// With lines of JSON in place of one body, if the client likes.
    #[must_use]
    pub const fn or_lines(mut self) -> Self {
        self.lines = true;
        self
    }

    /// Answers with this.
    #[must_use]
    pub const fn gives<T: JsonSchema>(mut self) -> Self {
        self.response = Some(schema_of::<T>);
        self
    }

    /// Answers with something else than JSON.
    #[must_use]
    pub const fn produces(mut self, content_type: &'static str) -> Self {
        self.produces = content_type;
        self
    }

    /// Makes something: 201.
    #[must_use]
    pub const fn creates(mut self) -> Self {
        self.status = 201;
        self
    }

    /// Takes no idempotency key.
    #[must_use]
    pub const fn unkeyed(mut self) -> Self {
        self.keyed = false;
        self
    }

    /// Its answer holds a secret.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The parameters of `path`, decoded, where it is this route's; `None` where it is not.
    pub fn matches(&self, path: &str) -> Option<Vec<String>> {
        match_path(self.path, path)
    }

    /// The names of the path's parameters.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
