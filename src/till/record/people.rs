//! Networks, merchants, accounts: who.

use super::Mandate;
use crate::till::id::AccountId;
use crate::till::text::Counting;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The till's own identity on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnIdentity {
    /// The network's stable id.
    pub user_id: String,
    /// As shown to people, without the `@`.
    pub handle: String,
}

/// What the till knows of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct NetworkRecord {
    /// Who the till is there; its own posts are never judged.
    pub own: Option<OwnIdentity>,
    /// The longest reply, counted as `counting` says.
    pub text_limit: u32,
    /// How the network counts a text.
    pub counting: Counting,
    /// Posts older than this at arrival are never acted on.
    pub max_post_age_seconds: u32,
    /// How long after its deadline the scan leaves a hold alone.
    pub grace_seconds: u32,
    /// How long a hold waits for its reply to go out, before its window.
    pub reply_wait_seconds: u32,
    /// Whether a post may be answered only once: then the answer to a confirmation waits for the capture.
    pub one_reply_per_post: bool,
    /// Whether replies may carry links.
    pub links_in_replies: bool,
    /// Whether it lets only those be answered who mention or quote the till's own identity.
    pub mention_needed: bool,
    /// How many replies the network takes in a quarter of an hour; `None`: no limit.
    pub replies_per_15_minutes: Option<u32>,
    /// How many replies the network takes in a day; `None`: no limit.
    pub replies_per_day: Option<u32>,
}

/// What was spent in a slice of time and in the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Which slice, counted from 1970.
    pub slice: i64,
    /// In this slice.
    pub now: u32,
    /// In the one before.
    pub before: u32,
}

/// What of a network's budget of replies was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateRecord {
    /// By quarters of an hour.
    pub quarter: Spent,
    /// By days.
    pub day: Spent,
}

/// Who sells and ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantRecord {
    /// As buyers know it.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
}

/// A buyer on one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The network's slug.
    pub network: String,
    /// The network's stable id of the person.
    pub user_id: String,
    /// The handle last seen; for display only, because handles change hands.
    pub handle: String,
}

/// Where to ship to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who lives there.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, building.
    #[schemars(default)]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State, province, county.
    #[schemars(default)]
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// A gateway's token for a card; never a card number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The gateway's slug.
    pub gateway: String,
    /// The gateway's customer.
    pub customer: String,
    /// The gateway's token.
    pub token: String,
    /// `visa`, `mastercard`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The same for the same card, whoever has linked it; empty where the gateway cannot tell.
    pub fingerprint: String,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// May buy.
    Active,
    /// May not buy.
    Suspended,
    /// Unlinked; personal data goes once its last capture or refund has ended.
    Erasing,
    /// Unlinked and without personal data.
    Erased,
}

/// What of an account is personal: gone once it is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Linked identities.
    pub identities: Vec<Identity>,
    /// For the merchant's own mail.
    pub email: Option<String>,
    /// Where to ship to.
    pub billing_address: Address,
    /// What is charged.
    pub payment_method: PaymentMethod,
}

/// A buyer's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Where it stands.
    pub status: AccountStatus,
    /// The person behind it; `None` once erased.
    pub person: Option<Person>,
    /// When it was made.
    pub created_at: Time,
    /// Linked identities whose handle has changed, as (network, user's id): they wait until somebody confirms them.
    pub frozen: Vec<(String, String)>,
    /// That the card may be charged, where its owner agreed to it here.
    pub mandate: Option<Mandate>,
    /// SHA-256 of what opens its private page, if it has one.
    pub page: Option<[u8; 32]>,
}

/// An identity's link to its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// Whose it is.
    pub account: AccountId,
}
