//! Linking: what a person is asked on the way to an account, until they have shown who they are.

use super::{Address, PaymentMethod, Recipient};
use crate::till::id::AccountId;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// To link an identity: to a new account, or to one that is there.
    Link,
    /// To unlink an identity; an account without any is erased.
    Unlink,
    /// To erase the account that an identity is linked to.
    Erase,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkStatus {
    /// It goes on.
    Open,
    /// It did what it was for.
    Done,
    /// Whoever began it gave it up.
    Cancelled,
}

/// What a buyer agreed to: that the stored card is charged when they confirm by post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mandate {
    /// Which version of its text was shown.
    pub version: u32,
    /// When they agreed.
    pub accepted_at: Time,
}

/// A card that is being stored on a page of its gateway's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSetup {
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's name for it.
    pub reference: String,
}

/// A code to be posted, as a hashtag. It is kept as a hash only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCode {
    /// SHA-256 of the folded hashtag.
    pub hash: [u8; 32],
    /// A post of after that is none.
    pub expires_at: Time,
}

/// Who posted the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkProof {
    /// The author, as the network named them.
    pub author: Recipient,
    /// The network's id of the post.
    pub post: String,
    /// When it arrived.
    pub at: Time,
}

/// A session of linking, bound to one browser.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// What for.
    pub purpose: LinkPurpose,
    /// The network's slug.
    pub network: String,
    /// The handle that its owner named.
    pub handle: String,
    /// SHA-256 of what opens it, once, in some browser; `None`: it was opened.
    pub opening: Option<[u8; 32]>,
    /// SHA-256 of what its browser holds; `None`: it was not opened yet.
    pub browser: Option<[u8; 32]>,
    /// The account that the identity goes to; `None`: a new one. Once it is done: where it went.
    pub account: Option<AccountId>,
    /// Where to ship to; gone once it is over.
    pub address: Option<Address>,
    /// For the merchant's own mail; gone once it is over.
    pub email: Option<String>,
    /// What was agreed to.
    pub mandate: Option<Mandate>,
    /// The card that is being stored; gone once it is stored.
    pub setup: Option<CardSetup>,
    /// How many cards were begun to be stored: each has its own key at the gateway.
    pub setups: u32,
    /// The card; gone once it is over.
    pub card: Option<PaymentMethod>,
    /// How many codes were made.
    pub codes: u32,
    /// The newest, unless it was posted.
    pub code: Option<LinkCode>,
    /// Who posted it.
    pub proof: Option<LinkProof>,
    /// Where it stands.
    pub status: LinkStatus,
    /// When it was begun: a post of before proves nothing.
    pub created_at: Time,
    /// When it is over, whatever came of it.
    pub expires_at: Time,
}

impl std::fmt::Debug for LinkRecord {
    /// Without anything personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkRecord")
            .field("purpose", &self.purpose)
            .field("network", &self.network)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
