//! The buyers: what each has posted and seen, and what each does next. All times are milliseconds from the start of
//! the drop.

use super::plan::{Buyer, Kind, Settings};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Buyers' ids on their network begin here.
const FIRST_USER: u64 = 4_000_000_000;

/// What a buyer does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Posts the purchase hashtag.
    Wish,
    /// Posts it once more.
    WishAgain,
    /// The network delivers the wish a second time.
    Redelivered,
    /// Posts the confirmation hashtag.
    Confirm,
    /// Reposts the reply with this id on the network.
    Repost(String),
    /// Posts the hashtag that lets it go.
    LetGo,
    /// Deletes the wish.
    Delete,
}

/// A deed and its time. The earliest comes first; of one time, the one that was planned first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at_ms: i64,
    order: u64,
    /// Whose, by number from 0.
    pub buyer: usize,
    /// What.
    pub deed: Deed,
}

impl Due {
    /// A number that no other deed has.
    pub fn number(&self) -> u64 {
        self.order
    }
}

/// A reply as a buyer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'r> {
    /// The purchase that it is about.
    pub purchase: Option<&'r str>,
    /// The network's id of it.
    pub reply: &'r str,
    /// When it got out.
    pub out_ms: i64,
    /// When the till hears of that.
    pub told_ms: i64,
    /// Whether it answers the wish, and does not remind of it.
    pub first: bool,
}

/// What a buyer has done and seen so far.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each says another thing of a buyer")]
pub struct Person {
    /// What this one is like.
    pub is: Buyer,
    /// The id of the account, where there is one.
    pub account: Option<String>,
    /// The last verdict about a wish.
    pub wish: Option<String>,
    /// The last verdict about a confirmation that was not accepted.
    pub refused: Option<String>,
    /// Whether a reply was seen.
    pub answered: bool,
    /// The purchase that the buyer was asked to confirm.
    pub asked: Option<String>,
    /// Until when a confirmation counts, as the reply promised.
    pub until_ms: Option<i64>,
    /// When the till heard that this reply was out.
    pub told_ms: i64,
    /// Whether a confirmation in time was not accepted.
    pub was_in_time: bool,
    /// Whether one was not because the till heard of the reply only after the hold was over.
    pub was_unheard: bool,
    /// Whether the buyer has let it go.
    pub let_go: bool,
}

/// All buyers.
pub struct Crowd {
    /// By number.
    pub people: Vec<Person>,
    due: BinaryHeap<Reverse<Due>>,
    planned: u64,
    window_ms: i64,
    passes: bool,
}

/// The network's id of a buyer.
pub fn user_id(buyer: usize) -> String {
    (FIRST_USER + buyer as u64).to_string()
}

/// Which buyer that is.
pub fn buyer_of(user_id: &str) -> Option<usize> {
    usize::try_from(user_id.parse::<u64>().ok()?.checked_sub(FIRST_USER)?).ok()
}

impl Crowd {
    /// Everybody, with the first wish planned. `passes`: whether there is a hashtag that lets a purchase go.
    pub fn new(settings: &Settings, window_seconds: u64, passes: bool) -> Self {
        let people = settings.people().into_iter().map(|is| Person {
            is,
            account: None,
            wish: None,
            refused: None,
            answered: false,
            asked: None,
            until_ms: None,
            told_ms: 0,
            was_in_time: false,
            was_unheard: false,
            let_go: false,
        });
        let mut crowd = Self {
            people: people.collect(),
            due: BinaryHeap::new(),
            planned: 0,
            window_ms: ms(window_seconds.saturating_mul(1000)),
            passes,
        };
        let wishes: Vec<_> = crowd.people.iter().map(|person| person.is).enumerate().collect();
        for (buyer, is) in wishes {
            let at_ms = ms(is.comes_ms);
            crowd.plan(at_ms, buyer, Deed::Wish);
            if is.kind == Kind::Twice {
                crowd.plan(at_ms.saturating_add(ms(is.again_ms)), buyer, Deed::WishAgain);
            }
            if is.redelivered {
                crowd.plan(at_ms.saturating_add(1500), buyer, Deed::Redelivered);
            }
        }
        crowd
    }

    fn plan(&mut self, at_ms: i64, buyer: usize, deed: Deed) {
        self.planned += 1;
        self.due.push(Reverse(Due { at_ms, order: self.planned, buyer, deed }));
    }

    /// When somebody does something next.
    pub fn next_ms(&self) -> Option<i64> {
        self.due.peek().map(|Reverse(due)| due.at_ms)
    }

    /// Everything that is done until then, in order.
    pub fn until(&mut self, now_ms: i64) -> Vec<Due> {
        let mut done = Vec::new();
        while self.next_ms().is_some_and(|at_ms| at_ms <= now_ms)
            && let Some(Reverse(due)) = self.due.pop()
        {
            done.push(due);
        }
        done
    }

    /// A buyer sees a reply.
    pub fn sees(&mut self, buyer: usize, seen: &Seen<'_>) {
        let Seen { purchase, reply, out_ms, told_ms, first } = *seen;
        let Some(person) = self.people.get_mut(buyer) else { return };
        person.answered = true;
        let Some(purchase) = purchase.filter(|id| person.asked.as_deref() != Some(id)) else { return };
        person.asked = Some(purchase.to_owned());
        person.told_ms = told_ms;
        person.until_ms = first.then(|| out_ms.saturating_add(self.window_ms));
        let is = person.is;
        // Whoever is in time leaves a fifth of it.
        let soon_ms = out_ms.saturating_add(ms(is.reaction_ms).min(self.window_ms / 5 * 4));
        let (at_ms, deed) = match is.kind {
            Kind::OnTime | Kind::Twice | Kind::Declined | Kind::SlowCard => (soon_ms, Deed::Confirm),
            Kind::Reposts => (soon_ms, Deed::Repost(reply.to_owned())),
            Kind::Late => {
                (out_ms.saturating_add(self.window_ms).saturating_add(ms(is.late_ms)), Deed::Confirm)
            }
            Kind::Changes if is.deletes || !self.passes => (soon_ms, Deed::Delete),
            Kind::Changes => (soon_ms, Deed::LetGo),
            Kind::Undecided | Kind::Unlinked => return,
        };
        self.plan(at_ms, buyer, deed);
    }
}

/// Milliseconds that are less than a year.
fn ms(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(kind: Kind) -> Crowd {
        let mut crowd = Crowd::new(&Settings { buyers: 1, ..Settings::default() }, 900, true);
        crowd.due.clear();
        crowd.people[0].is.kind = kind;
        crowd.people[0].is.deletes = false;
        crowd
    }

    #[test]
    fn deeds_come_in_the_order_of_time_and_each_once() {
        let mut crowd = Crowd::new(&Settings { buyers: 200, ..Settings::default() }, 900, false);
        let all: Vec<Due> = std::iter::from_fn(|| {
            let next = crowd.next_ms()?;
            Some(crowd.until(next))
        })
        .flatten()
        .collect();
        assert!(all.windows(2).all(|two| two[0].at_ms <= two[1].at_ms));
        assert_eq!(all.iter().filter(|due| due.deed == Deed::Wish).count(), 200);
    }

    fn seen<'r>(purchase: Option<&'r str>, reply: &'r str, out_ms: i64, first: bool) -> Seen<'r> {
        Seen { purchase, reply, out_ms, told_ms: out_ms, first }
    }

    #[test]
    fn each_kind_acts_on_the_first_reply_about_a_purchase_and_only_once() {
        for (kind, wanted) in [
            (Kind::OnTime, Some(Deed::Confirm)),
            (Kind::Reposts, Some(Deed::Repost("r1".to_owned()))),
            (Kind::Changes, Some(Deed::LetGo)),
            (Kind::Late, Some(Deed::Confirm)),
            (Kind::Undecided, None),
        ] {
            let mut crowd = crowd(kind);
            crowd.sees(0, &seen(None, "r0", 500, true));
            assert!(crowd.next_ms().is_none(), "nothing is to be confirmed yet");
            crowd.sees(0, &seen(Some("pur_1"), "r1", 1000, true));
            crowd.sees(0, &seen(Some("pur_1"), "r2", 2000, false));
            let done = crowd.until(i64::MAX);
            assert_eq!(done.iter().map(|due| due.deed.clone()).collect::<Vec<_>>(), Vec::from_iter(wanted));
            let in_time = done.iter().all(|due| due.at_ms <= 901_000);
            assert_eq!(in_time, kind != Kind::Late);
        }
    }

    #[test]
    fn who_is_asked_again_later_acts_again() {
        let mut crowd = crowd(Kind::OnTime);
        crowd.sees(0, &seen(Some("pur_1"), "r1", 1000, true));
        crowd.sees(0, &seen(Some("pur_2"), "r2", 900_000, true));
        assert_eq!(crowd.until(i64::MAX).len(), 2);
        assert_eq!(crowd.people[0].until_ms, Some(1_800_000));
    }

    #[test]
    fn a_buyer_is_known_by_the_id_on_the_network() {
        assert_eq!(buyer_of(&user_id(41)), Some(41));
        assert_eq!(buyer_of("12"), None);
        assert_eq!(buyer_of("shop"), None);
    }
}
