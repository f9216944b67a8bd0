//! Why a command was not carried out: a code that programs read, a sentence that people read, the fields at fault.

use super::state::StateError;
use schemars::JsonSchema;
use serde::Serialize;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldError {
    /// The path of the field: `price.amount`, `identities[1].user_id`.
    pub field: String,
    /// What is wrong and what to do.
    pub detail: String,
}

/// The kinds of refusal. The HTTP room has the one table from code to status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// A field's value cannot be.
    Invalid,
    /// There is no such thing, or none that the caller may see.
    NotFound,
    /// It would collide with what is there.
    Conflict,
    /// The caller may not.
    Forbidden,
}

/// A command was refused and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub code: RefusalCode,
    /// One sentence for people.
    pub detail: String,
    /// The fields at fault, if any.
    pub errors: Vec<FieldError>,
}

impl Refusal {
    /// A field's value cannot be.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::on_field(RefusalCode::Invalid, field, detail)
    }

    /// A field's value collides with what is there.
    pub fn taken(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::on_field(RefusalCode::Conflict, field, detail)
    }

    /// It would collide with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self { code: RefusalCode::Conflict, detail: detail.into(), errors: Vec::new() }
    }

    /// There is no such `what`.
    pub fn not_found(what: &str) -> Self {
        Self { code: RefusalCode::NotFound, detail: format!("There is no such {what}."), errors: Vec::new() }
    }

    /// The caller may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self { code: RefusalCode::Forbidden, detail: detail.into(), errors: Vec::new() }
    }

    fn on_field(code: RefusalCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { field: field.into(), detail: detail.into() };
        Self { code, detail: format!("{}: {}", error.field, error.detail), errors: vec![error] }
    }
}

/// What ends a command early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The command was refused: its buffer is dropped, the batch goes on.
    Refused(Refusal),
    /// The store failed: the whole batch fails.
    State(StateError),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

/// What a command's steps return.
pub type Result<T, E = Fault> = std::result::Result<T, E>;
