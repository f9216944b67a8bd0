//! What one connection says: the next request, and what its answer must be.

use super::crowd::{Buyer, Crowd, confirmation, count, gives, wish};

/// What an answer came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Posts judged.
    pub posts: u64,
    /// Flows that ended with it: confirmed purchases.
    pub flows: u64,
}

/// One connection's side of the talk.
pub trait Traffic: Send {
    /// The content type of its requests.
    fn kind(&self) -> &'static str;
    /// Writes the next request's body behind what is in `body`.
    fn next(&mut self, body: &mut Vec<u8>);
    /// Takes in an answer that is a success.
    ///
    /// # Errors
    /// Where it is not the one that must come.
    fn answered(&mut self, answer: &[u8]) -> Result<Done, String>;
    /// Whether it could stop here: no purchase of its waits for its confirmation.
    fn resting(&self) -> bool;
}

/// One post a request: a buyer's purchase post, then the confirmation that the reply to it asks for.
pub struct OneByOne {
    crowd: Crowd,
    buyer: Option<Buyer>,
    tag: String,
}

impl OneByOne {
    /// A connection for buyers of this crowd.
    pub fn new(crowd: Crowd) -> Self {
        Self { crowd, buyer: None, tag: String::new() }
    }
}

impl Traffic for OneByOne {
    fn kind(&self) -> &'static str {
        "application/json"
    }

    fn next(&mut self, body: &mut Vec<u8>) {
        match self.buyer {
            Some(buyer) if !self.tag.is_empty() => self.crowd.write_post(body, buyer, &self.tag),
            _ => {
                let buyer = self.crowd.next();
                self.buyer = Some(buyer);
                self.crowd.write_post(body, buyer, wish(buyer.offer));
            }
        }
    }

    fn answered(&mut self, answer: &[u8]) -> Result<Done, String> {
        if !self.tag.is_empty() {
            self.tag.clear();
            self.buyer = None;
            return expect(answer, "confirmed").map(|()| Done { posts: 1, flows: 1 });
        }
        expect(answer, "pending")?;
        let tag = confirmation(answer).ok_or("the till's reply names no confirmation hashtag")?;
        tag.clone_into(&mut self.tag);
        Ok(Done { posts: 1, flows: 0 })
    }

    fn resting(&self) -> bool {
        self.buyer.is_none()
    }
}

fn expect(answer: &[u8], verdict: &str) -> Result<(), String> {
    if gives(answer, verdict) {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(answer).chars().take(300).collect();
    Err(format!("the till should have answered {verdict}, and said: {shown}"))
}

/// Many posts a request, one a line: purchase posts of as many buyers, then all their confirmations.
pub struct Lines {
    crowd: Crowd,
    per_request: usize,
    bought: Vec<Buyer>,
    tags: Vec<String>,
}

impl Lines {
    /// A connection that sends this many posts a request.
    pub fn new(crowd: Crowd, per_request: usize) -> Self {
        Self { crowd, per_request, bought: Vec::new(), tags: Vec::new() }
    }
}

impl Traffic for Lines {
    fn kind(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn next(&mut self, body: &mut Vec<u8>) {
        if self.tags.is_empty() {
            self.bought = (0..self.per_request).map(|_| self.crowd.next()).collect();
            for buyer in &self.bought {
                self.crowd.write_post(body, *buyer, wish(buyer.offer));
                body.push(b'\n');
            }
            return;
        }
        for (buyer, tag) in self.bought.iter().zip(&self.tags) {
            self.crowd.write_post(body, *buyer, tag);
            body.push(b'\n');
        }
    }

    fn answered(&mut self, answer: &[u8]) -> Result<Done, String> {
        let posts = self.per_request as u64;
        if !self.tags.is_empty() {
            let confirmed = count(answer, "confirmed");
            self.tags.clear();
            self.bought.clear();
            if confirmed != self.per_request {
                return Err(format!(
                    "{confirmed} of {} lines were answered with confirmed",
                    self.per_request
                ));
            }
            return Ok(Done { posts, flows: posts });
        }
        for line in answer.split(|&byte| byte == b'\n').take(self.per_request) {
            expect(line, "pending")?;
            let tag = confirmation(line).ok_or("the till's reply names no confirmation hashtag")?;
            self.tags.push(tag.to_owned());
        }
        if self.tags.len() != self.per_request {
            return Err(format!("{} of {} lines were answered", self.tags.len(), self.per_request));
        }
        Ok(Done { posts, flows: 0 })
    }

    fn resting(&self) -> bool {
        self.bought.is_empty()
    }
}
