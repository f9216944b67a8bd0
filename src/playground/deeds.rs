//! What can be done on the playground, and that nobody does too much of it.

use super::feed::{Author, Post, Said};
use super::people::Person;
use super::stage::{Ready, restock, word};
use super::{Inner, lock};
use crate::client::ClientError;
use serde_json::{Value, json};
use std::time::Instant;

/// The longest post, in characters.
const TEXT_MAX: usize = 500;
/// So many deeds at once.
const DEEDS_MAX: f64 = 20.0;
/// And so many a second afterwards.
const DEEDS_PER_SECOND: f64 = 8.0;
/// How far the clock can be moved at once, in seconds; and how far it goes then: over the quarter of an hour for which a
/// unit is held, and the half minute for which the till waits longer before it gives it away.
const STEPS: [(&str, u32); 2] = [("60", 60), ("900", 931)];

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDone {
    /// As an HTTP status says it.
    pub status: u16,
    /// In a sentence.
    pub why: String,
}

fn not_done<T>(status: u16, why: &str) -> Result<T, NotDone> {
    Err(NotDone { status, why: why.to_owned() })
}

impl From<String> for NotDone {
    fn from(why: String) -> Self {
        Self { status: 503, why }
    }
}

impl From<ClientError> for NotDone {
    fn from(error: ClientError) -> Self {
        let status = error.status.filter(|status| (400..500).contains(status) && *status != 401);
        Self { status: status.unwrap_or(503), why: error.sentence }
    }
}

/// How much is done.
#[derive(Debug)]
pub struct Pace {
    left: f64,
    since: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self { left: DEEDS_MAX, since: Instant::now() }
    }
}

impl Pace {
    fn spend(&mut self) -> Result<(), NotDone> {
        let now = Instant::now();
        let earned = now.duration_since(self.since).as_secs_f64() * DEEDS_PER_SECOND;
        (self.left, self.since) = ((self.left + earned).min(DEEDS_MAX), now);
        if self.left < 1.0 {
            return not_done(429, "That is a little too fast. Please try again in a second.");
        }
        self.left -= 1.0;
        Ok(())
    }
}

/// What was filled in.
type Fields<'f> = &'f dyn Fn(&str) -> String;

impl Inner {
    /// Does what somebody wants done.
    pub fn act(&self, deed: &str, field: Fields<'_>) -> Result<(), NotDone> {
        lock(&self.pace).spend()?;
        let _one_at_a_time = lock(&self.deeds);
        let ready = self.ready()?;
        if !lock(&self.world).shop.is_known() {
            self.refresh()?;
        }
        match deed {
            "post" => self.post(&ready, field)?,
            "repost" => self.repost(&ready, field)?,
            "delete" => self.delete(&ready, field)?,
            "clock" => self.move_clock(field)?,
            "bank" => self.answer_bank(&ready, field)?,
            "ship" => self.ship(&ready, field)?,
            "reset" => self.start_over()?,
            _ => return not_done(404, "There is nothing of that kind to do here."),
        }
        Ok(self.refresh()?)
    }

    fn post(&self, ready: &Ready, field: Fields<'_>) -> Result<(), NotDone> {
        let author = author(ready, field)?;
        let text = field("text");
        if text.is_empty() {
            return not_done(422, "Write something first.");
        }
        if text.chars().count() > TEXT_MAX {
            return not_done(422, "That is too long: 500 characters are the most.");
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r') {
            return not_done(422, "That holds characters that no network shows.");
        }
        self.deliver(author, text, None)
    }

    fn repost(&self, ready: &Ready, field: Fields<'_>) -> Result<(), NotDone> {
        let author = author(ready, field)?;
        let original = lock(&self.world).feed.find(&field("of")).cloned();
        let Some(original) = original.filter(|post| !post.deleted && post.repost_of.is_none()) else {
            return not_done(404, "That post is not there any more.");
        };
        let handle = match &original.author {
            Author::Shop => &ready.shop_handle,
            Author::Person(user_id) => ready.person(user_id).map_or(user_id, |person| &person.handle),
        };
        let text = format!("RT @{handle}: {}", original.text);
        self.deliver(author, text, Some(original.id))
    }

    /// Delivers a post to the till, and posts what it answers.
    fn deliver(&self, author: &Person, text: String, repost_of: Option<String>) -> Result<(), NotDone> {
        let (network, id) = (self.setup.network, self.new_id());
        let mut body = json!({
            "network": network, "id": id, "text": text,
            "author": {"user_id": author.user_id, "handle": author.handle},
        });
        if let (Some(fields), Some(original)) = (body.as_object_mut(), &repost_of) {
            fields.insert("repost_of".to_owned(), json!(original));
        }
        let answer = self.setup.bot.post("/v1/posts", &body)?;
        // What matches nothing leaves no trace; then the answer has to do.
        let judged = self.setup.admin.get(&format!("/v1/posts/{network}/{id}")).unwrap_or_default();
        let first = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
        let verdict = word(&answer, "verdict").to_owned();
        let why = first(word(&judged, "why"), word(&answer, "explanation"));
        let purchase = answer.get("purchase").and_then(Value::as_str).map(str::to_owned);
        let at = first(word(&judged, "created_at"), &(self.setup.now)());
        let post = Post {
            id: id.clone(),
            thread: String::new(),
            author: Author::Person(author.user_id.clone()),
            to: None,
            text,
            at,
            repost_of,
            verdict: Some((verdict, why)),
            purchase: purchase.clone(),
            deleted: false,
            story: false,
        };
        self.change(|world| world.feed.add(post));
        if let Some(reply) = answer.get("reply").filter(|reply| reply.is_object()) {
            let said = self.send(word(reply, "id"), &id, word(reply, "text"), purchase)?;
            self.change(|world| world.feed.reply(said));
        }
        Ok(())
    }

    /// Posts a reply of the till's, as a network's bot does.
    fn send(
        &self,
        reply: &str,
        in_reply_to: &str,
        text: &str,
        purchase: Option<String>,
    ) -> Result<Said, ClientError> {
        let id = self.new_id();
        self.setup.bot.post(&format!("/v1/replies/{reply}/sent"), &json!({"post_id": id}))?;
        let (in_reply_to, text) = (in_reply_to.to_owned(), text.to_owned());
        Ok(Said { id, in_reply_to, text, at: (self.setup.now)(), purchase })
    }

    /// Posts the replies to posts of the playground's; whoever else waits for replies of that network, gets theirs.
    pub fn post_replies(&self) -> Result<Vec<Said>, String> {
        let path = format!("/v1/replies?network={}&limit=200", self.setup.network);
        let queue = self.setup.bot.get(&path).map_err(|error| error.to_string())?;
        let mut said = Vec::new();
        for reply in queue.get("data").and_then(Value::as_array).into_iter().flatten() {
            let in_reply_to = word(reply, "in_reply_to");
            if lock(&self.world).feed.find(in_reply_to).is_none() {
                continue;
            }
            let purchase = reply.get("purchase").and_then(Value::as_str).map(str::to_owned);
            let sent = self.send(word(reply, "id"), in_reply_to, word(reply, "text"), purchase);
            said.push(sent.map_err(|error| error.to_string())?);
        }
        Ok(said)
    }

    fn delete(&self, ready: &Ready, field: Fields<'_>) -> Result<(), NotDone> {
        let author = author(ready, field)?;
        let found = lock(&self.world).feed.find(&field("post")).cloned();
        let Some(post) = found.filter(|post| !post.deleted) else {
            return not_done(404, "That post is not there any more.");
        };
        if post.author != Author::Person(author.user_id.clone()) {
            return not_done(403, "Only whoever made a post can delete it.");
        }
        self.delete_post(&post.id)
    }

    fn delete_post(&self, id: &str) -> Result<(), NotDone> {
        self.setup.bot.delete(&format!("/v1/posts/{}/{id}", self.setup.network))?;
        self.change(|world| world.feed.delete(id));
        Ok(())
    }

    fn move_clock(&self, field: Fields<'_>) -> Result<(), NotDone> {
        let seconds = field("seconds");
        let Some((_, seconds)) = STEPS.into_iter().find(|(step, _)| *step == seconds) else {
            return not_done(422, "The clock moves by 60 or by 900 seconds.");
        };
        self.setup.admin.post("/v1/sandbox/clock", &json!({"advance_seconds": seconds}))?;
        Ok(())
    }

    /// The owner of a card tells its bank.
    fn answer_bank(&self, ready: &Ready, field: Fields<'_>) -> Result<(), NotDone> {
        let asked = lock(&self.world).shop.purchase(&field("purchase")).cloned();
        let known = asked.filter(|purchase| ready.holder(word(purchase, "account")).is_some());
        let waits = known.as_ref().and_then(waiting_charge);
        let (Some(purchase), Some(charge)) = (&known, waits) else {
            return not_done(409, "No bank is asking about that any more.");
        };
        if (self.setup.bank)(word(purchase, "id"), charge, field("allow") == "yes") {
            Ok(())
        } else {
            not_done(409, "No bank is asking about that any more.")
        }
    }

    fn ship(&self, ready: &Ready, field: Fields<'_>) -> Result<(), NotDone> {
        let wanted = field("order");
        let known = lock(&self.world)
            .shop
            .orders
            .iter()
            .any(|order| word(order, "id") == wanted && ready.holder(word(order, "account")).is_some());
        if !known {
            return not_done(404, "There is no such order on the playground.");
        }
        self.setup.admin.post(&format!("/v1/orders/{wanted}/ship"), &json!({}))?;
        Ok(())
    }

    /// Lets go what is held, fills the shelves and forgets the posts. What the till has done stays done.
    fn start_over(&self) -> Result<(), NotDone> {
        let open: Vec<Value> = {
            let world = lock(&self.world);
            let shown = |one: &&Value| world.shop.shows(word(one, "id"));
            world.shop.purchases.iter().filter(shown).cloned().collect()
        };
        for purchase in &open {
            let done = match word(purchase, "status") {
                "pending" => {
                    let path = format!("/v1/purchases/{}/cancel", word(purchase, "id"));
                    self.setup.admin.post(&path, &json!({})).map(drop)
                }
                "capturing" => {
                    if let Some(charge) = waiting_charge(purchase) {
                        (self.setup.bank)(word(purchase, "id"), charge, false);
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
            // It may have ended by itself meanwhile.
            done.or_else(|error| if error.status == Some(409) { Ok(()) } else { Err(error) })?;
        }
        self.refresh()?;
        for stocked in &self.ready()?.offers {
            restock(&self.setup.admin, stocked)?;
        }
        self.change(|world| {
            world.feed.start_over();
            world.shop.start_over();
        });
        Ok(())
    }
}

/// Who it is that does something.
fn author<'r>(ready: &'r Ready, field: Fields<'_>) -> Result<&'r Person, NotDone> {
    let found = ready.person(&field("person")).filter(|person| person.plays);
    found.ok_or_else(|| NotDone { status: 422, why: "Choose who you are first.".to_owned() })
}

/// The gateway's name for the charge of a purchase that waits for its card's owner.
pub fn waiting_charge(purchase: &Value) -> Option<&str> {
    let attempts = purchase.get("attempts")?.as_array()?;
    let waits = attempts.iter().find(|attempt| word(attempt, "status") == "authentication_required")?;
    waits.get("reference")?.as_str()
}
