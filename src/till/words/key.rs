//! What there is to say: one name each, with what can be filled in.

use super::template::Slot;

macro_rules! keys {
    ($($name:ident $code:literal [$($must:ident)*] $about:literal),* $(,)?) => {
        /// Something that a reply says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key { $(#[doc = $about] $name),* }

        impl Key {
            /// Everything that there is to say.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in a language's file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What can be filled in.
            pub fn slots(self) -> &'static [Slot] {
                match self { $(Self::$name => &[$(Slot::$must),*]),* }
            }

            /// When it is said.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about),* }
            }
        }
    };
}

keys! {
    Held "held" [Price Confirm Window] "A unit is held, and how to buy it.",
    HeldBrief "held_brief" [Price Confirm Window] "The same where there is little room.",
    HeldAgain "held_again" [Price Confirm Window] "It is held already.",
    Few "few" [Units Asked] "There are fewer than asked for; stands before `held`.",
    Turn "turn" [] "A place on the waiting list has come first; stands before `held`.",
    LetGo "let_go" [Cancel] "How to let it go; stands after `held` where it fits.",
    Choose "choose" [Buy Choices] "The post does not say which variant.",
    ChooseBrief "choose_brief" [Buy] "The same where there is little room.",
    Waitlisted "waitlisted" [Place] "Sold out, but there is a waiting list.",
    Leave "leave" [Cancel] "How to leave it; stands after `waitlisted` where it fits.",
    Passed "passed" [] "Let go before it was confirmed.",
    NothingToPass "nothing_to_pass" [] "There was nothing to let go.",
    AskRefund "ask_refund" [] "Too late to let go: it is ordered.",
    DidYouMean "did_you_mean" [Tag] "A hashtag missed an offer's by one letter.",
    Enrolled "enrolled" [Spend Credit] "Takes part in a deal.",
    EnrolledBrief "enrolled_brief" [Spend Credit] "The same where there is little room.",
    EnrolledPercent "enrolled_percent" [Spend Percent Cap] "Takes part in a deal that gives a percentage.",
    EnrolledPercentBrief "enrolled_percent_brief" [Spend Percent Cap] "The same where there is little room.",
    NotLinked "not_linked" [] "No card is linked yet.",
    Confirmed "confirmed" [Price] "Ordered; the card is being charged.",
    Paid "paid" [Price] "Ordered and charged.",
    OneStepLeft "one_step_left" [Window] "The bank asks the card's owner; what to do is on the buyer's private page.",
    Refused "refused" [] "It went wrong; says nothing about the account.",
    TooLate "too_late" [Buy] "Confirmed after the time was over.",
    SoldOut "sold_out" [] "No unit is left.",
    NotStarted "not_started" [] "Not on sale yet.",
    NotStartedOn "not_started_on" [Date] "The same, and since when.",
    Ended "ended" [] "The offer is over.",
    Paused "paused" [] "The offer is paused.",
    AlreadyEnrolled "already_enrolled" [] "Takes part in the deal already.",
    DealFull "deal_full" [] "No places are left.",
    LimitReached "limit_reached" [] "Has as many of this offer as one buyer may.",
    LimitForNow "limit_for_now" [] "Has as much as one buyer may for now.",
    AlreadyConfirmed "already_confirmed" [] "Ordered before.",
    NothingToConfirm "nothing_to_confirm" [Buy] "There is nothing to confirm.",
    Ends "ends" [Date] "When the offer ends; stands at the end where it fits.",
    Terms "terms" [Link] "Where the terms are; stands at the end where it fits.",
    TermsApply "terms_apply" [] "The same where links are not allowed.",
    NothingCharged "nothing_charged" [] "Stands at the end where it fits.",
    Shipped "shipped" [] "The order is on its way.",
    Cancelled "cancelled" [] "The shop has cancelled the order and given the money back.",
}

impl Key {
    /// The name of something to say.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// What must be filled in: without it a buyer would not know what to do or what it costs.
    pub fn must_have(self) -> &'static [Slot] {
        match self {
            // Where to begin anew is a kindness.
            Self::TooLate | Self::NothingToConfirm => &[],
            _ => self.slots(),
        }
    }

    /// What is said where this does not fit.
    pub fn brief(self) -> Option<Self> {
        match self {
            Self::Held | Self::HeldAgain => Some(Self::HeldBrief),
            Self::Choose => Some(Self::ChooseBrief),
            Self::Enrolled => Some(Self::EnrolledBrief),
            Self::EnrolledPercent => Some(Self::EnrolledPercentBrief),
            Self::TooLate
            | Self::SoldOut
            | Self::NotStarted
            | Self::NotStartedOn
            | Self::Ended
            | Self::Paused
            | Self::LimitReached
            | Self::LimitForNow
            | Self::AlreadyConfirmed
            | Self::NothingToConfirm => Some(Self::NothingCharged),
            _ => None,
        }
    }

    /// Whether it is put before or after something else, and only where it fits.
    pub fn is_extra(self) -> bool {
        matches!(
            self,
            Self::Few
                | Self::Turn
                | Self::LetGo
                | Self::Leave
                | Self::Ends
                | Self::Terms
                | Self::TermsApply
                | Self::NothingCharged
        )
    }
}
