//! What tests of several rooms begin with: a buyer and a post.

use super::command::{NewAccount, Post};
use super::record::{Address, Identity, PaymentMethod, Recipient};

/// A buyer with one identity, who pays with a test card.
pub fn buyer(network: &str, user: &str) -> NewAccount {
    let text = str::to_owned;
    NewAccount {
        identities: vec![Identity { network: text(network), user_id: text(user), handle: text(user) }],
        email: None,
        billing_address: Address {
            name: text(user),
            line1: text("1 Main Street"),
            line2: None,
            city: text("Town"),
            region: None,
            postal_code: text("1"),
            country: text("US"),
        },
        payment_method: PaymentMethod {
            gateway: text("sandbox"),
            customer: text("c"),
            token: text("t"),
            brand: text("visa"),
            last4: text("4242"),
            fingerprint: String::new(),
        },
    }
}

/// A post of that buyer with one hashtag, folded.
pub fn post(network: &str, user: &str, id: &str, tag: &str) -> Post {
    Post {
        network: network.to_owned(),
        id: id.to_owned(),
        author: Recipient { user_id: user.to_owned(), handle: user.to_owned() },
        hashtags: vec![tag.to_owned()],
        text: String::new(),
        created_at: None,
        repost_of: None,
        quote_of: None,
        to_us: None,
        language: None,
    }
}
