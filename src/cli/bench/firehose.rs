//! A whole network's posts: a hundredth of them match an offer, the rest are chatter.
//!
//! Rendering that many posts would cost more than judging them. So each connection has one large request made before,
//! in which only the digits change: every post's id, and the buyers of those that match.

use super::crowd::{Buyer, Crowd, NETWORK, count, handle, hashtag, user_id};
use super::traffic::{Done, Traffic};
use std::io::Write as _;

/// One post of so many matches.
const ONE_IN: usize = 100;

/// What people say. Most hashtags of a network are about something else.
const CHATTER: &[&str] = &[
    "Good morning! Coffee first, then the rest of the world.",
    "Watching the game with everybody tonight #matchday #goteam",
    "I cannot believe how this season ended, and now we have to wait a whole year. A whole year!",
    "New song out on Friday, tell your friends #nowplaying #newmusic #friday",
    "The 17:42 is late again. Third time this week, same reason, same announcement.",
    "@friend did you see this? Looks just like your dog, only with better manners",
    "RT @news: Storm warning for the whole coast until tomorrow noon, stay inside #weather",
    "lol",
    "Recipe of the day: lentils, garlic, lemon, and far more butter than you would think #cooking",
    "Breaking: nothing happened. More at eleven.",
    "Two tickets for Saturday left, face value, message me #tickets #saturday",
    "Thank you all for the birthday wishes, I read every single one of them and it took all evening",
    "#throwback to that summer when we built the boat and it sank within the hour",
    "Is anybody else's phone getting warm since the update or is it only mine? #help",
    "The sunset tonight. No picture does it justice, but here is one anyway #nofilter #sunset",
    "Please retweet: grey cat, answers to Miso, last seen near the park",
];

/// A place in the body where digits go.
struct Slot {
    at: usize,
    width: usize,
}

/// A post that matches: where its author's two names go.
struct Match {
    user: Slot,
    handle: Slot,
}

/// One connection's share of the firehose.
pub struct Firehose {
    crowd: Crowd,
    body: Vec<u8>,
    ids: Vec<Slot>,
    purchases: Vec<Match>,
    confirmations: Vec<Match>,
    /// Who bought in the request before and confirms in this one.
    bought: Vec<Buyer>,
    confirming: usize,
}

impl Firehose {
    /// A connection that sends `lines` posts a request; it needs at least two that match.
    pub fn new(crowd: &Crowd, lines: usize) -> Self {
        let crowd = crowd.at_offer(0);
        let mut made = Self {
            body: Vec::new(),
            ids: Vec::new(),
            purchases: Vec::new(),
            confirmations: Vec::new(),
            bought: Vec::new(),
            confirming: 0,
            crowd,
        };
        let lines = lines.max(2 * ONE_IN);
        let (buy, confirm) = (hashtag(0), hashtag(0).replacen("Buy", "Confirm", 1));
        let handle_width = handle(u64::from(u32::MAX)).len();
        for line in 0..lines {
            let text = match (line % ONE_IN, line / ONE_IN % 2) {
                (0, 0) => format!("#{confirm} yes please, and thank you!"),
                (0, _) => format!("Just what I was looking for! #{buy}"),
                _ => CHATTER.get(line % CHATTER.len()).copied().unwrap_or_default().to_owned(),
            };
            made.line(&text, handle_width, (line % ONE_IN == 0).then_some((line / ONE_IN).is_multiple_of(2)));
        }
        made
    }

    /// Adds a line; `confirms` is set for one that matches.
    fn line(&mut self, text: &str, handle_width: usize, confirms: Option<bool>) {
        let _ = write!(self.body, r#"{{"network":"{NETWORK}","id":""#);
        self.ids.push(Slot { at: self.body.len(), width: 19 });
        let _ = write!(self.body, r#"{:019}","author":{{"user_id":""#, 0);
        let user = Slot { at: self.body.len(), width: 10 };
        let _ = write!(self.body, r#"{:010}","handle":""#, self.ids.len());
        // Handles differ in length: what is left of the slot is space behind the closing quote.
        let width = handle_width + 1;
        let handle = Slot { at: self.body.len(), width };
        let _ = writeln!(self.body, r#"{:<width$}}},"text":"{text}"}}"#, "somebody\"");
        match confirms {
            Some(true) => self.confirmations.push(Match { user, handle }),
            Some(false) => self.purchases.push(Match { user, handle }),
            None => {}
        }
    }

    fn name(body: &mut [u8], slot: &Match, buyer: Buyer) {
        put(body, &slot.user, &format!("{:010}", user_id(buyer.account)));
        let handle = format!("{}\"", handle(buyer.account));
        put(body, &slot.handle, &format!("{handle:<width$}", width = slot.handle.width));
    }
}

fn put(body: &mut [u8], slot: &Slot, text: &str) {
    if let Some(place) = body.get_mut(slot.at..slot.at + slot.width)
        && let Some(text) = text.as_bytes().get(..slot.width)
    {
        place.copy_from_slice(text);
    }
}

impl Traffic for Firehose {
    fn kind(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn next(&mut self, body: &mut Vec<u8>) {
        for slot in &self.ids {
            let mut id = self.crowd.post_id();
            if let Some(place) = self.body.get_mut(slot.at..slot.at + slot.width) {
                for digit in place.iter_mut().rev() {
                    *digit = b'0' + u8::try_from(id % 10).unwrap_or(0);
                    id /= 10;
                }
            }
        }
        self.confirming = self.bought.len();
        for (slot, buyer) in self.confirmations.iter().zip(self.bought.drain(..)) {
            Self::name(&mut self.body, slot, buyer);
        }
        for slot in &self.purchases {
            let buyer = self.crowd.next();
            Self::name(&mut self.body, slot, buyer);
            self.bought.push(buyer);
        }
        body.extend_from_slice(&self.body);
    }

    fn answered(&mut self, answer: &[u8]) -> Result<Done, String> {
        // Somebody may hold a unit still from a round before, whose end cut off the confirmation.
        let pending = count(answer, "pending") + count(answer, "already_pending");
        let confirmed = count(answer, "confirmed");
        if pending != self.purchases.len() || confirmed != self.confirming {
            return Err(format!(
                "of {} purchase posts {pending} are held, of {} confirmations {confirmed} were taken",
                self.purchases.len(),
                self.confirming
            ));
        }
        Ok(Done { posts: self.ids.len() as u64, flows: confirmed as u64 })
    }

    fn resting(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundredth_matches_and_every_line_is_json() {
        let mut hose = Firehose::new(&Crowd::new(1000, 5), 1000);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        hose.next(&mut first);
        hose.confirming = 0;
        hose.next(&mut second);
        let mut ids = std::collections::HashSet::new();
        let mut confirmed = Vec::new();
        let mut bought = Vec::new();
        for (body, posts) in [(&first, &mut bought), (&second, &mut confirmed)] {
            for line in body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                let post: serde_json::Value = serde_json::from_slice(line).unwrap();
                assert!(ids.insert(post["id"].as_str().unwrap().to_owned()));
                let wanted = if std::ptr::eq(body, &raw const first) { "#Buy" } else { "#Confirm" };
                if post["text"].as_str().unwrap().contains(wanted) {
                    posts.push(post["author"]["user_id"].as_str().unwrap().to_owned());
                }
            }
        }
        assert_eq!((ids.len(), bought.len()), (2000, 5));
        assert_eq!(bought, confirmed, "who bought in one request confirms in the next");
        assert_eq!((hose.purchases.len() + hose.confirmations.len()) * ONE_IN, 1000);
    }
}
