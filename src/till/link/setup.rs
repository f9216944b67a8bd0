//! Storing a card on a page of its gateway's: what a till asks, and what it is told. Card numbers never come here.

use crate::till::record::PaymentMethod;

/// A card that its owner is to store on a page of the gateway's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The key under which it is begun at most once; the gateway keeps it with what is stored.
    pub key: String,
    /// Where the gateway sends the browser when it is done.
    pub return_url: String,
    /// Where the gateway sends the browser that wants to go back.
    pub cancel_url: String,
}

/// What a gateway says about beginning to store a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupBegun {
    /// Under this reference; the owner goes to this address.
    At {
        /// The gateway's name for it.
        reference: String,
        /// Where the owner goes.
        url: String,
    },
    /// This gateway has no page for it.
    NotHere,
    /// Nobody knows: it may be asked again under the same key.
    Unknown,
}

/// How storing a card stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupStanding {
    /// The owner has not finished.
    Open,
    /// It is over and nothing was stored.
    Ended,
    /// This is stored.
    Stored(PaymentMethod),
    /// Nobody knows.
    Unknown,
}
