//! What a session is asked for: to begin, and its steps.

use crate::till::id::AccountId;
use crate::till::record::{Address, CardSetup, LinkPurpose, PaymentMethod};

/// A session of linking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of LinkRecord")]
pub struct NewLink {
    pub purpose: LinkPurpose,
    pub network: String,
    pub handle: String,
    pub opening: Option<[u8; 32]>,
    pub browser: Option<[u8; 32]>,
    pub account: Option<AccountId>,
}

/// A step of such a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkStep {
    /// Where to ship to.
    Address {
        /// As it was typed.
        address: Address,
        /// For the merchant's own mail.
        email: Option<String>,
    },
    /// The card may be charged.
    Mandate {
        /// Which version of the text was shown.
        version: u32,
    },
    /// The gateway has a page ready for the card.
    CardBegun(CardSetup),
    /// Nothing came of it.
    CardEnded {
        /// The gateway's name for it.
        reference: String,
    },
    /// The gateway has stored it.
    CardStored {
        /// The gateway's name for how it was stored.
        reference: String,
        /// The card.
        method: PaymentMethod,
    },
    /// A code to be posted.
    Code {
        /// SHA-256 of its folded hashtag.
        hash: [u8; 32],
    },
    /// The identity that was seen is the right one.
    Confirm {
        /// SHA-256 of what opens the private page.
        page: [u8; 32],
    },
    /// Enough.
    Cancel,
}
