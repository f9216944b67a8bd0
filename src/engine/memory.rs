//! What is looked up on every request and so kept in memory: tokens. Brought up to date after each commit.

use crate::store::Snapshot;
use crate::till::id::TokenId;
use crate::till::role::Role;
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::Tokens;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock};
use subtle::ConstantTimeEq as _;

/// A token that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its id; `None` for one that was given at the start.
    pub id: Option<TokenId>,
    /// What it may do.
    pub role: Role,
}

/// What is kept in memory.
#[derive(Debug, Default)]
pub struct Memory {
    tokens: RwLock<HashMap<[u8; 32], TokenEntry>>,
    given: Vec<([u8; 32], Role)>,
}

impl Memory {
    /// With the hashes of tokens that are not in the store, because they were given at the start.
    pub fn new(given: Vec<([u8; 32], Role)>) -> Self {
        Self { tokens: RwLock::default(), given }
    }

    /// The token with this SHA-256, if it may be used.
    pub fn token(&self, hash: &[u8; 32]) -> Option<TokenEntry> {
        if let Some((_, role)) = self.given.iter().find(|(given, _)| bool::from(given.ct_eq(hash))) {
            return Some(TokenEntry { id: None, role: role.clone() });
        }
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        // The map finds by hash; the comparison that decides takes the same time for every hash.
        tokens
            .get_key_value(hash)
            .filter(|(kept, _)| bool::from(kept.ct_eq(hash)))
            .map(|(_, entry)| entry.clone())
    }

    /// Reads the tokens anew.
    pub fn load_tokens(&self, snapshot: &Snapshot) -> Result<(), StateError> {
        let mut tokens = HashMap::new();
        snapshot.scan::<Tokens>(&Span::all(), Direction::Up, |id, token| {
            tokens.insert(token.hash, TokenEntry { id: Some(id), role: token.role });
            ControlFlow::Continue(())
        })?;
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }
}
