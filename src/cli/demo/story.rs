//! Plays the script: moves the clock, sends the posts, plays the network's bot, and tells what followed.

use super::say;
use super::script::{
    CardUse, Deleted, Entry, NETWORK, Reposted, SHOP_HANDLE, SHOP_USER_ID, Script, ScriptPost,
};
use super::stage::{Stage, address_words, stock, text};
use super::style::Style;
use super::timeline::{self, Fact, Moment, Said};
use crate::client::{Client, ClientError};
use crate::playground::Told;
use crate::till::time::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long the bot of the story takes to post a reply.
const BOT_SECONDS: i64 = 4;
/// How long a reply may take to appear before the story gives up: real time, not the till's.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many posts were sent, and how often each verdict was given.
type Count = (u64, BTreeMap<String, u64>);

/// A hold that is not confirmed yet.
struct Hold {
    purchase: String,
    offer: String,
    handle: String,
}

/// The story while it plays.
struct Story<'a> {
    admin: &'a Client,
    stage: &'a Stage,
    out: &'a mut dyn Write,
    style: Style,
    /// What the till's clock showed, and when that was.
    clock: (Time, Instant),
    /// The ids under which replies went out, by the post that they answer.
    sent: BTreeMap<String, String>,
    holds: Vec<Hold>,
    count: Count,
    told: Vec<Told>,
}

/// Plays every entry of the script; returns the posts, too, as they were made and answered.
pub fn tell(
    admin: &Client,
    stage: &Stage,
    script: &Script,
    out: &mut dyn Write,
    style: Style,
) -> Result<(Count, Vec<Told>), String> {
    let start = move_clock(admin, 1)?;
    let mut story = Story {
        admin,
        stage,
        out,
        style,
        clock: (start, Instant::now()),
        sent: BTreeMap::new(),
        holds: Vec::new(),
        count: Count::default(),
        told: Vec::new(),
    };
    for entry in &script.entries {
        if let Some(note) = &entry.note {
            say(story.out, &timeline::note(style, note))?;
        }
        story.move_to(entry.at)?;
        story.tell_expired()?;
        match (&entry.post, &entry.delete, &entry.transaction) {
            (Some(post), ..) => story.post(entry, post)?,
            (None, Some(deleted), _) => story.delete(entry.at, deleted)?,
            (None, None, Some(used)) => story.card_use(entry.at, used)?,
            (None, None, None) => {}
        }
    }
    Ok((story.count, story.told))
}

/// Moves the till's clock forward; returns what it shows then.
fn move_clock(admin: &Client, seconds: i64) -> Result<Time, String> {
    let answer =
        admin.post("/v1/sandbox/clock", &json!({"advance_seconds": seconds})).map_err(|e| e.to_string())?;
    Time::parse(&text(&answer, "now")?)
}

impl Story<'_> {
    /// Moves the clock to `at`, or leaves it where it is when that is over.
    fn move_to(&mut self, at: Time) -> Result<(), String> {
        let (shown, seen) = self.clock;
        let now = shown.plus_ms(i64::try_from(seen.elapsed().as_millis()).unwrap_or(0));
        let ahead_ms = at.ms_since(now);
        if ahead_ms > 0 {
            let shown = move_clock(self.admin, (ahead_ms + 999) / 1000)?;
            self.clock = (shown, Instant::now());
        }
        Ok(())
    }

    /// Tells which holds have expired since.
    fn tell_expired(&mut self) -> Result<(), String> {
        let mut kept = Vec::new();
        for hold in std::mem::take(&mut self.holds) {
            let purchase = self.get(&format!("/v1/purchases/{}", hold.purchase))?;
            if text(&purchase, "status")? != "expired" {
                kept.push(hold);
                continue;
            }
            let left = stock(self.admin, &hold.offer)?;
            let moment = Moment {
                at: Time::parse(&text(&purchase, "expires_at")?)?,
                who: None,
                how: Some(format!("The time of @{} to confirm is over.", hold.handle)),
                text: None,
                facts: vec![Fact::Freed("one unit; nothing was charged".to_owned()), Fact::Stock(left)],
                replies: Vec::new(),
            };
            self.show(&moment)?;
        }
        self.holds = kept;
        Ok(())
    }

    /// Sends a post and tells what followed.
    fn post(&mut self, entry: &Entry, post: &ScriptPost) -> Result<(), String> {
        let answer = call(&self.stage.bot, "/v1/posts", &self.body(entry, post)?)?;
        let verdict = text(&answer, "verdict")?;
        let repeated = answer.get("repeated").and_then(Value::as_bool).unwrap_or(false);
        check(entry, post, &verdict, repeated)?;
        self.count.0 += 1;
        *self.count.1.entry(verdict.clone()).or_default() += 1;

        let sentence = text(&answer, "explanation")?;
        let purchase = answer.get("purchase").and_then(Value::as_str).map(str::to_owned);
        if !repeated {
            self.told.push(self.as_told(entry, post, (&verdict, &sentence), purchase.clone())?);
        }
        let mut facts = vec![Fact::Verdict { code: verdict.clone(), sentence, repeated }];
        let confirmed = verdict == "confirmed" && !repeated;
        // Where a post is answered only once, the answer to a confirmation waits for the capture.
        let answered = confirmed || (answer.get("reply").is_some_and(Value::is_object) && !repeated);
        let replies = if answered { self.play_bot(entry.at, &post.id)? } else { Vec::new() };
        if let (true, Some(purchase)) = (confirmed, &purchase) {
            self.holds.retain(|hold| hold.purchase != *purchase);
            self.tell_capture(purchase, &mut facts)?;
        }
        let offer = answer.get("offer").and_then(Value::as_str);
        let unchanged = ["not_linked", "already_pending", "enrolled", "already_enrolled"];
        if let (Some(offer), false) = (offer, repeated || unchanged.contains(&verdict.as_str())) {
            facts.push(Fact::Stock(stock(self.admin, offer)?));
            if let (true, Some(purchase)) = (verdict == "pending", purchase) {
                let (offer, handle) = (offer.to_owned(), post.author.handle.clone());
                self.holds.push(Hold { purchase, offer, handle });
            }
        }
        if verdict == "passed" {
            self.holds.retain(|hold| hold.handle != post.author.handle);
        }
        let native = post.repost_of.is_some();
        let how = match (&post.repost_of, repeated) {
            (Some(Reposted::Reply { .. }), _) => Some("reposts the shop's reply".to_owned()),
            (Some(Reposted::Post(_)), _) => Some("reposts the shop's advert".to_owned()),
            (None, true) => Some("the same post, delivered again".to_owned()),
            (None, false) => None,
        };
        let text = (!native).then(|| post.text.clone());
        let who = Some(post.author.handle.clone());
        self.show(&Moment { at: entry.at, who, how, text, facts, replies })
    }

    /// The post as the playground shows it; its replies are not out yet.
    fn as_told(
        &self,
        entry: &Entry,
        post: &ScriptPost,
        (verdict, sentence): (&str, &str),
        purchase: Option<String>,
    ) -> Result<Told, String> {
        Ok(Told {
            id: post.id.clone(),
            author: Some(post.author.user_id.clone()).filter(|user_id| user_id != SHOP_USER_ID),
            text: post.text.clone(),
            at: entry.at.to_string(),
            repost_of: self.original(post)?.cloned(),
            verdict: (verdict.to_owned(), sentence.to_owned()),
            purchase,
            deleted: false,
            replies: Vec::new(),
        })
    }

    /// What a post reposts, by the id under which that went out.
    fn original<'p>(&'p self, post: &'p ScriptPost) -> Result<Option<&'p String>, String> {
        Ok(match &post.repost_of {
            None => None,
            Some(Reposted::Post(id)) => Some(id),
            Some(Reposted::Reply { reply_to }) => match self.sent.get(reply_to) {
                Some(id) => Some(id),
                None => return Err(format!("no reply to post {reply_to} went out")),
            },
        })
    }

    /// The body of a post; a reference to a reply becomes the id under which that reply went out.
    fn body(&self, entry: &Entry, post: &ScriptPost) -> Result<Value, String> {
        let mut body = json!({
            "network": post.network, "id": post.id, "text": post.text, "created_at": entry.at,
            "author": {"user_id": post.author.user_id, "handle": post.author.handle},
        });
        let original = self.original(post)?;
        let optional = [("lang", post.lang.as_ref()), ("repost_of", original)];
        if let Some(fields) = body.as_object_mut() {
            for (name, value) in optional {
                fields.extend(value.map(|value| (name.to_owned(), json!(value))));
            }
        }
        Ok(body)
    }

    /// Plays the network's bot until the reply to `post` is out; returns what it posted for it.
    fn play_bot(&mut self, at: Time, post: &str) -> Result<Vec<Said>, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        while said.is_empty() {
            if Instant::now() > deadline {
                return Err(format!("no reply to post {post} within {} seconds", PATIENCE.as_secs()));
            }
            let path = format!("/v1/replies?network={NETWORK}&wait_seconds=10");
            let queue = self.stage.bot.get(&path).map_err(|error| explain(&path, &error))?;
            for reply in queue.get("data").and_then(Value::as_array).into_iter().flatten() {
                let out_at = at.plus_seconds(BOT_SECONDS);
                self.move_to(out_at)?;
                let answers = text(reply, "in_reply_to")?;
                let id = self.report_sent(&text(reply, "id")?, out_at)?;
                let words = text(reply, "text")?;
                if let Some(told) = self.told.iter_mut().find(|told| told.id == answers) {
                    told.replies.push(crate::playground::Said {
                        id: id.clone(),
                        in_reply_to: answers.clone(),
                        text: words.clone(),
                        at: out_at.to_string(),
                        purchase: told.purchase.clone(),
                    });
                }
                if answers == post {
                    said.push(Said { at: out_at, from: SHOP_HANDLE.to_owned(), text: words });
                }
                self.sent.insert(answers, id);
            }
        }
        Ok(said)
    }

    /// Says that a reply is out; returns the id that the network gave it.
    fn report_sent(&self, reply: &str, at: Time) -> Result<String, String> {
        let id = format!("3013400000000{:05}", self.sent.len() + 1);
        let path = format!("/v1/replies/{reply}/sent");
        call(&self.stage.bot, &path, &json!({"post_id": id, "sent_at": at}))?;
        Ok(id)
    }

    /// Tells how the charge ended, and what has to be shipped.
    fn tell_capture(&self, id: &str, facts: &mut Vec<Fact>) -> Result<(), String> {
        let purchase = self.get(&format!("/v1/purchases/{id}"))?;
        let buyer = text(&purchase, "account")?;
        let card = self.stage.buyers.get(&buyer).map(|buyer| buyer.card.clone()).unwrap_or_default();
        match text(&purchase, "status")?.as_str() {
            "paid" => {
                let price = purchase.get("price").cloned().unwrap_or_default();
                let price = serde_json::from_value(price).map_err(|error| format!("{id}: price: {error}"))?;
                facts.push(Fact::Charged { price, card });
                let orders = self.admin.all("/v1/orders").map_err(|error| error.to_string())?;
                let mine = |order: &&Value| order.get("purchase").and_then(Value::as_str) == Some(id);
                let order =
                    orders.iter().find(mine).ok_or_else(|| format!("{id} is paid without an order"))?;
                let to = address_words(order.get("ship_to").unwrap_or(&Value::Null));
                facts.push(Fact::Ship { order: text(order, "id")?, to });
                Ok(())
            }
            "declined" => {
                facts.push(Fact::Declined { card });
                Ok(())
            }
            other => Err(format!("{id} is {other} after its reply was queued")),
        }
    }

    /// Reports a deletion and tells what followed.
    fn delete(&mut self, at: Time, deleted: &Deleted) -> Result<(), String> {
        let path = format!("/v1/posts/{}/{}", deleted.network, deleted.id);
        self.stage.bot.delete(&path).map_err(|error| explain(&path, &error))?;
        if let Some(told) = self.told.iter_mut().find(|told| told.id == deleted.id) {
            told.deleted = true;
        }
        let judged = self.get(&path)?;
        let purchase = judged.get("purchase").and_then(|purchase| text(purchase, "id").ok());
        let Some(index) = self.holds.iter().position(|hold| Some(&hold.purchase) == purchase.as_ref()) else {
            return Err(format!("the deletion of post {} ended no hold", deleted.id));
        };
        let hold = self.holds.remove(index);
        let status = text(&self.get(&format!("/v1/purchases/{}", hold.purchase))?, "status")?;
        let facts = vec![
            Fact::Freed(format!("one unit; the purchase is {status}")),
            Fact::Stock(stock(self.admin, &hold.offer)?),
        ];
        let how = Some("deletes the purchase post".to_owned());
        self.show(&Moment { at, who: Some(hold.handle), how, text: None, facts, replies: Vec::new() })
    }

    /// The processor tells that a linked card was used; tells what a deal gave for it.
    fn card_use(&mut self, at: Time, used: &CardUse) -> Result<(), String> {
        let owner = self.stage.buyers.iter().find(|(_, buyer)| buyer.handle == used.handle);
        let (account, buyer) = owner.ok_or_else(|| format!("nobody is called {}", used.handle))?;
        let body = json!({
            "id": used.id, "type": "purchase", "account": account, "amount": used.amount, "occurred_at": at,
            "merchant": self.stage.merchants.get(&used.merchant),
        });
        let taken = call(&self.stage.processor, "/v1/card-transactions", &body)?;
        let mut facts = Vec::new();
        for earned in taken.get("credits").and_then(Value::as_array).into_iter().flatten() {
            self.until_credited(&text(earned, "id")?)?;
            let amount = earned.get("amount").cloned().unwrap_or_default();
            let amount = serde_json::from_value(amount).map_err(|error| format!("a credit: {error}"))?;
            facts.push(Fact::Credited { amount, card: buyer.card.clone() });
        }
        let how = Some(format!("pays {} with the linked card", used.amount));
        let who = Some(used.handle.clone());
        self.show(&Moment { at, who, how, text: None, facts, replies: Vec::new() })
    }

    /// Waits until the gateway has given a credit.
    fn until_credited(&self, id: &str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let credited = self.get("/v1/credits?status=credited")?;
            let mut rows = credited.get("data").and_then(Value::as_array).into_iter().flatten();
            if rows.any(|credit| credit.get("id").and_then(Value::as_str) == Some(id)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{id} was not credited within {} seconds", PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn show(&mut self, moment: &Moment) -> Result<(), String> {
        say(self.out, &timeline::moment(self.style, moment))
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        self.admin.get(path).map_err(|error| explain(path, &error))
    }
}

fn explain(path: &str, error: &ClientError) -> String {
    format!("{path}: {error}")
}

/// The story is also a test: another verdict than the script's ends it.
fn check(entry: &Entry, post: &ScriptPost, verdict: &str, repeated: bool) -> Result<(), String> {
    let expected = entry.verdict.map_or(verdict, |expected| expected.code());
    if verdict == expected && repeated == entry.repeated {
        return Ok(());
    }
    let at = timeline::clock(entry.at);
    let author = &post.author.handle;
    Err(format!("at {at} @{author}'s post was {verdict} (repeated: {repeated}), not {expected}"))
}

fn call(client: &Client, path: &str, body: &Value) -> Result<Value, String> {
    client.post(path, body).map_err(|error| explain(path, &error))
}
