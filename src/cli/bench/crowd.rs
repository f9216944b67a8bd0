//! The buyers of a bench and their posts: who they are, what they write, which number comes next.
//!
//! Buyers come in an order that jumps through all accounts, as strangers do, and posts have numbers that grow, as a
//! network's do. The file is filled with the same buyers and offers (`fill`).

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The network of every post.
pub const NETWORK: &str = "sandbox";
/// Posts' ids are those of a network of today: 19 digits that grow.
const FIRST_POST: u64 = 1_900_000_000_000_000_000;
/// Buyers' ids on their network begin here.
const FIRST_USER: u64 = 4_000_000_000;
/// From one buyer to the next: a prime that divides no number of accounts used here.
const STRIDE: u64 = 7_368_787;

/// Everybody who buys from one till.
#[derive(Clone, Debug)]
pub struct Crowd {
    accounts: u64,
    first_offer: u64,
    offers: u64,
    flows: Arc<AtomicU64>,
    posts: Arc<AtomicU64>,
}

/// One buyer with one wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// Which account.
    pub account: u64,
    /// Which offer.
    pub offer: u64,
}

impl Crowd {
    /// Buyers with `accounts` accounts who want one of `offers` offers each.
    pub fn new(accounts: u64, offers: u64) -> Self {
        Self {
            accounts: accounts.max(1),
            first_offer: 0,
            offers: offers.max(1),
            flows: Arc::default(),
            posts: Arc::default(),
        }
    }

    /// The same people, order and post numbers, but only this offer is wanted.
    #[must_use]
    pub fn at_offer(&self, offer: u64) -> Self {
        Self { first_offer: offer, offers: 1, ..self.clone() }
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> u64 {
        self.accounts
    }

    /// Who buys next.
    pub fn next(&self) -> Buyer {
        let flow = self.flows.fetch_add(1, Ordering::Relaxed);
        let (lap, turn) = (flow / self.accounts, flow % self.accounts);
        // With each lap everybody moves on to another offer.
        let offer = self.first_offer + (turn + lap) % self.offers;
        Buyer { account: turn.wrapping_mul(STRIDE) % self.accounts, offer }
    }

    /// The id of the next post.
    pub fn post_id(&self) -> u64 {
        FIRST_POST + self.posts.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes a post of a buyer as one line of JSON, without the line's end.
    pub fn write_post(&self, out: &mut Vec<u8>, buyer: Buyer, text: impl std::fmt::Display) {
        let (id, user) = (self.post_id(), user_id(buyer.account));
        // Writing to memory does not fail.
        let _ = write!(
            out,
            r#"{{"network":"{NETWORK}","id":"{id}","author":{{"user_id":"{user}","handle":"{}"}},"text":"{text}"}}"#,
            handle(buyer.account)
        );
    }
}

/// The network's id of an account's owner.
pub fn user_id(account: u64) -> u64 {
    FIRST_USER + account
}

/// The handle of an account's owner.
pub fn handle(account: u64) -> String {
    format!("buyer{account}")
}

/// The purchase hashtag of an offer, without `#`.
pub fn hashtag(offer: u64) -> String {
    format!("BuyThing{offer:04}")
}

/// What a buyer writes to buy.
pub fn wish(offer: u64) -> String {
    format!("Just what I was looking for! #{}", hashtag(offer))
}

/// The confirmation hashtag that an answer's reply names.
pub fn confirmation(answer: &[u8]) -> Option<&str> {
    let start = find(answer, b"#Confirm")?;
    let tag = answer.get(start..)?;
    let length = 1 + tag.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    std::str::from_utf8(tag.get(..length)?).ok()
}

/// Whether an answer gives this verdict.
pub fn gives(answer: &[u8], verdict: &str) -> bool {
    find(answer, format!("\"verdict\":\"{verdict}\"").as_bytes()).is_some()
}

/// How many lines of an answer give this verdict.
pub fn count(answer: &[u8], verdict: &str) -> usize {
    let wanted = format!("\"verdict\":\"{verdict}\"");
    answer.split(|&byte| byte == b'\n').filter(|line| find(line, wanted.as_bytes()).is_some()).count()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn everybody_has_a_turn_before_anybody_has_a_second() {
        for accounts in [100, 999, 50_000] {
            let crowd = Crowd::new(accounts, 10);
            let turns: HashSet<u64> = (0..accounts).map(|_| crowd.next().account).collect();
            assert_eq!(turns.len() as u64, accounts);
            let rest = (accounts..accounts * 10).map(|_| crowd.next());
            let wishes: HashSet<_> = rest.map(|buyer| (buyer.account, buyer.offer)).collect();
            assert_eq!(
                wishes.len() as u64,
                accounts * 9,
                "nobody wants the same offer again before all others"
            );
        }
    }

    #[test]
    fn reads_what_the_till_answers() {
        let answer = br#"{"verdict":"pending","reply":{"text":"A thing: post #ConfirmThing0007 or repost"}}"#;
        assert_eq!(confirmation(answer), Some("#ConfirmThing0007"));
        assert!(gives(answer, "pending") && !gives(answer, "confirmed"));
        assert_eq!(confirmation(b"{}"), None);
        assert_eq!(count(b"{\"verdict\":\"pending\"}\n{}\n{\"verdict\":\"pending\"}\n", "pending"), 2);
    }
}
