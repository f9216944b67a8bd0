//! Tokens, kept answers, settings: the file itself.

use crate::till::id::AccountId;
use crate::till::role::Role;
use crate::till::time::Time;
use serde::{Deserialize, Serialize};

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Time,
}

/// An answer kept for whoever repeats the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// SHA-256 of the request's body.
    pub body_hash: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The answer; `None` where it held a secret or was too large to keep.
    pub body: Option<Vec<u8>>,
    /// Whose personal data is in it: it goes with the account.
    pub account: Option<AccountId>,
}

/// What the file as a whole remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRecord {
    /// Counts the restores, from 1.
    pub epoch: u32,
    /// Whether this is a sandbox's file.
    pub sandbox: bool,
    /// Added to the wall clock under `sandbox`; only grows after the first start.
    pub clock_offset_ms: i64,
    /// Restored and not yet resumed: captures, replies and webhooks wait.
    pub paused: bool,
}
