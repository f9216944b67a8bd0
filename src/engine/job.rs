//! What goes to the writer and what comes back.

use crate::store::Tx;
use crate::till::command::{Command, Outcome};
use crate::till::id::AccountId;
use crate::till::refusal::Refusal;
use crate::till::state::StateError;
use crate::till::time::Time;

/// What came of one command: done, or refused without a trace.
pub type Verdicted = Result<Outcome, Refusal>;

/// An answer as it goes out and as it is kept for a repeated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// The body; `None` for an answer that cannot be given again, because it held a secret.
    pub body: Option<Vec<u8>>,
}

/// Turns what came of a command into an answer, inside the command's own view of the store.
pub type Render = Box<dyn FnOnce(&Tx<'_>, Time, &Verdicted) -> Result<Rendered, StateError> + Send>;

/// A request that may be repeated under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// SHA-256 of token, method, path and key.
    pub scope: [u8; 32],
    /// SHA-256 of the raw body.
    pub body_hash: [u8; 32],
    /// Whether the answer holds a secret: then it is not kept, and a repetition is refused.
    pub secret: bool,
}

/// What a call answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This, now or as it was the first time.
    Rendered(Rendered),
    /// The key was used before with another body.
    KeyReused,
    /// The first answer to this key held a secret, or was too large to keep.
    NotReplayable,
}

/// The writer could not commit, or is not taking anything: nobody knows whether the command happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

/// Work for the writer. `done` runs on a responder's thread, after the commit.
#[allow(clippy::large_enum_variant, reason = "lives in the queue's own memory, a few at a time")]
pub enum Job {
    /// Commands whose outcomes are wanted as values: posts, and the steps of workers.
    Many {
        /// The commands, applied in order, each on its own.
        commands: Vec<Command>,
        /// Takes one outcome a command, in order.
        done: Box<dyn FnOnce(Result<Vec<Verdicted>, Unavailable>) + Send>,
    },
    /// One call of the API, rendered in the command's own view, so that its answer can be kept with its effect.
    Call {
        /// The command.
        command: Command,
        /// Makes the answer.
        render: Render,
        /// Set where the request carries an idempotency key.
        keyed: Option<Keyed>,
        /// Whose personal data the answer holds, where that is known before.
        account: Option<AccountId>,
        /// Takes the answer.
        done: Box<dyn FnOnce(Result<Reply, Unavailable>) + Send>,
    },
}

impl Job {
    /// How many commands it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Many { commands, .. } => commands.len(),
            Self::Call { .. } => 1,
        }
    }

    /// Whether it holds no command.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
