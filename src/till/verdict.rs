//! What the till decides about a post: one code, one sentence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! verdicts {
    ($($name:ident $code:literal $sentence:literal),* $(,)?) => {
        /// The till's decision about a post.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Verdict { $(#[doc = $sentence] $name),* }

        impl Verdict {
            /// Every verdict there is.
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

verdicts! {
    NoOffer "no_offer" "No hashtag in this post belongs to an offer.",
    OwnPost "own_post" "The till's own posts are never judged.",
    RepostIgnored "repost_ignored" "A repost confirms only if it reposts the reply that the till addressed to that very buyer.",
    Deleted "deleted" "This post was deleted before it arrived.",
    StalePost "stale_post" "This post is too old to act on.",
    NotLinked "not_linked" "No account is linked to this identity.",
    AccountSuspended "account_suspended" "The account is suspended.",
    IdentityFrozen "identity_frozen" "The handle of this identity has changed since it was linked; it waits until the shop confirms it.",
    LimitReached "limit_reached" "The account has as many as one account may have, of this offer or in so short a time.",
    NotStarted "not_started" "The offer has not started yet.",
    Ended "ended" "The offer has ended.",
    Paused "paused" "The offer is paused.",
    CannotShip "cannot_ship" "The offer does not ship to the account's country.",
    SoldOut "sold_out" "No unit is free.",
    Waitlisted "waitlisted" "No unit is free; the buyer waits in line for one.",
    UnknownVariant "unknown_variant" "The post does not say which of the offer's variants it means.",
    Pending "pending" "A unit is held; the buyer has to confirm.",
    NearMiss "near_miss" "A hashtag in this post is one typing error away from an offer's; the buyer was asked.",
    MentionNeeded "mention_needed" "The network lets only those be answered who mention or quote the shop.",
    Passed "passed" "The buyer let the purchase go before confirming; nothing was charged.",
    AlreadyPending "already_pending" "The buyer has a unit on hold already and has to confirm.",
    Enrolled "enrolled" "The account takes part in the deal; spending with its card earns the credit.",
    AlreadyEnrolled "already_enrolled" "The account, or its card, takes part in the deal already.",
    DealFull "deal_full" "All places of the deal are taken.",
    Confirmed "confirmed" "The purchase is confirmed; the card is being charged.",
    AlreadyConfirmed "already_confirmed" "The purchase was confirmed before.",
    TooLate "too_late" "The confirmation was made after the hold had ended.",
    NothingToConfirm "nothing_to_confirm" "There is no purchase that this post could confirm.",
}

/// What a network sees where a verdict would tell something about an account.
pub const NEUTRAL_SENTENCE: &str = "The order could not be completed; nothing was charged.";

impl Verdict {
    /// The sentence as a network may see it: nothing about the account.
    pub fn neutral_sentence(self) -> &'static str {
        match self {
            Self::AccountSuspended | Self::IdentityFrozen | Self::CannotShip => NEUTRAL_SENTENCE,
            other => other.sentence(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_code_and_a_sentence() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.code());
            assert!(verdict.sentence().ends_with('.'));
        }
    }
}
