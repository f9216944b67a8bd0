//! Limits that keep a shop safe, and how close things are to them.

use super::Spent;
use crate::till::money::Money;
use crate::till::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one buyer may have at once and in 24 hours; `None`: as much as they like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BuyerLimits")]
pub struct BuyerLimits {
    /// Holds that wait for their confirmation.
    pub open_holds: Option<u32>,
    /// Purchases in 24 hours; expired, cancelled and declined ones do not count.
    pub purchases_per_day: Option<u32>,
    /// What they may come to in 24 hours, by currency; others have no limit. A day's first purchase is always let through.
    pub spending_per_day: Vec<Money>,
}

/// The limits of a till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsRecord {
    /// Of each account.
    pub per_account: BuyerLimits,
    /// Of each card, whoever has linked it.
    pub per_card: BuyerLimits,
    /// After so many holds that nobody confirmed, of those begun within 24 hours, an account has to pause.
    pub pause_after_expired_holds: Option<u32>,
    /// For how long.
    pub pause_seconds: u32,
    /// How long a new account has to wait before it can buy.
    pub new_account_wait_seconds: u32,
    /// More captures of one network in an hour than this are not begun before an operator has looked.
    pub captures_per_hour: Option<u32>,
}

/// The captures of one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// By hours.
    pub hour: Spent,
    /// Since when captures wait for an operator.
    pub paused_at: Option<Time>,
}

macro_rules! limits {
    ($($name:ident $code:literal $sentence:literal),* $(,)?) => {
        /// Which limit a post ran into.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Limit { $(#[doc = $sentence] $name),* }

        impl Limit {
            /// Every limit there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code, as programs read it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The rule in a sentence, as an operator reads it.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence),* }
            }
        }
    };
}

limits! {
    NewAccount "new_account" "The account is too new to buy.",
    ExpiredHolds "expired_holds" "Too many of the account's holds were not confirmed; it has to pause.",
    AccountOpenHolds "account_open_holds" "The account has as many holds open as one may have.",
    AccountPurchases "account_purchases" "The account has bought as often as one may in 24 hours.",
    AccountSpending "account_spending" "The account would spend more than one may in 24 hours.",
    CardOpenHolds "card_open_holds" "The accounts of this card have as many holds open as one card may have.",
    CardPurchases "card_purchases" "The accounts of this card have bought as often as one card may in 24 hours.",
    CardSpending "card_spending" "The accounts of this card would spend more than one card may in 24 hours.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_code_and_a_sentence() {
        for limit in Limit::ALL {
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.code());
            assert!(limit.sentence().ends_with('.'));
        }
    }
}
