//! What buyers post and delete in a drop, and what the till makes of it.

use super::{Charging, Play, encoded, text};
use crate::rehearsal::Broken;
use crate::rehearsal::crowd::{Deed, Due, user_id};
use crate::rehearsal::plan::Kind;
use crate::till::time::Time;
use serde_json::{Value, json};
use std::time::Instant;

/// Posts in one delivery.
const DELIVERY_POSTS: usize = 100;

impl Play<'_> {
    /// Delivers what people did since the last moment, in order.
    pub(super) fn deliver(&mut self) -> Result<(), Broken> {
        let mut batch: Vec<Due> = Vec::new();
        for due in self.crowd.until(self.now_ms) {
            if due.deed == Deed::Delete {
                self.post(&std::mem::take(&mut batch))?;
                self.delete(&due)?;
                continue;
            }
            batch.push(due);
            if batch.len() >= DELIVERY_POSTS {
                self.post(&std::mem::take(&mut batch))?;
            }
        }
        self.post(&batch)
    }

    fn delete(&mut self, due: &Due) -> Result<(), Broken> {
        let path = format!("/v1/posts/{}/{}", encoded(&self.settings.network), wish_id(due.buyer));
        self.delivers.delete(&path)?;
        if let Some(person) = self.crowd.people.get_mut(due.buyer) {
            person.let_go = true;
        }
        Ok(())
    }

    /// Delivers posts as lines, and takes the answers.
    fn post(&mut self, batch: &[Due]) -> Result<(), Broken> {
        if batch.is_empty() {
            return Ok(());
        }
        let confirms = |due: &Due| matches!(due.deed, Deed::Confirm | Deed::Repost(_));
        let log = if batch.iter().any(confirms) { Some(self.log()?) } else { None };
        let lines: Vec<String> = batch.iter().map(|due| self.line(due).to_string()).collect();
        let since = Instant::now();
        let answers = self.delivers.post_lines("/v1/posts", &lines.join("\n"))?;
        let took = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut answered = 0;
        for (due, answer) in batch.iter().zip(answers.lines()) {
            let answer: Value = serde_json::from_str(answer).map_err(|error| error.to_string())?;
            self.told.answer_micros.push(took);
            self.take(due, &answer, since)?;
            answered += 1;
        }
        if answered != batch.len() {
            return Err(Broken::Failed(format!("{answered} answers came to {} posts", batch.len())));
        }
        self.posts += batch.len() as u64;
        match log {
            Some(log) => self.wait_for_charges(log),
            None => Ok(()),
        }
    }

    /// A post as the network delivers it.
    fn line(&self, due: &Due) -> Value {
        let at_shop = format!("@{}", self.handle);
        let (id, text) = match &due.deed {
            Deed::Confirm => (format!("c{}", due.number()), format!("{at_shop} #{}", self.tags.confirm)),
            Deed::Repost(_) => (format!("c{}", due.number()), String::new()),
            Deed::LetGo => {
                let tag = self.tags.pass.as_deref().unwrap_or_default();
                (format!("l{}", due.buyer), format!("{at_shop} #{tag}"))
            }
            Deed::WishAgain => (format!("a{}", due.buyer), self.wish_text(due.buyer)),
            Deed::Wish | Deed::Redelivered | Deed::Delete => (wish_id(due.buyer), self.wish_text(due.buyer)),
        };
        let mut post = json!({
            "network": self.settings.network, "id": id, "text": text,
            "author": {"user_id": user_id(due.buyer), "handle": format!("buyer{}", due.buyer)},
            "created_at": self.start.plus_ms(due.at_ms),
        });
        if let (Deed::Repost(reply), Some(fields)) = (&due.deed, post.as_object_mut()) {
            fields.insert("repost_of".to_owned(), json!(reply));
        }
        post
    }

    fn wish_text(&self, buyer: usize) -> String {
        let wants = self.crowd.people.get(buyer).map_or(0, |person| person.is.wants);
        let count = self.variants.len().max(1) as u64;
        let which = usize::try_from(wants % count).ok().and_then(|at| self.variants.get(at));
        let variant = which.map_or_else(String::new, |name| format!("{name} "));
        format!("@{} {variant}#{}", self.handle, self.tags.buy)
    }

    /// Takes the answer to a post.
    fn take(&mut self, due: &Due, answer: &Value, since: Instant) -> Result<(), Broken> {
        let verdict = text(answer, "verdict")?;
        let repeated = answer.get("repeated").and_then(Value::as_bool).unwrap_or(false);
        *self.told.verdicts.entry(verdict.clone()).or_default() += 1;
        let Some(person) = self.crowd.people.get_mut(due.buyer) else { return Ok(()) };
        let accepted = verdict == "confirmed" || verdict == "already_confirmed";
        match due.deed {
            Deed::Redelivered => self.told.answered_otherwise += u64::from(!repeated),
            Deed::Wish | Deed::WishAgain => {
                let id = if due.deed == Deed::Wish { wish_id(due.buyer) } else { format!("a{}", due.buyer) };
                self.wishes.insert(id, (due.at_ms, verdict != "already_pending"));
                self.come += u64::from(due.deed == Deed::Wish);
                person.wish = Some(verdict);
            }
            Deed::LetGo | Deed::Delete => person.let_go = true,
            Deed::Confirm | Deed::Repost(_) if accepted => {
                let comes_ms = i64::try_from(person.is.comes_ms).unwrap_or(0);
                self.told.purchase_ms.push(due.at_ms - comes_ms);
                let slow = person.is.kind == Kind::SlowCard;
                if let Some(id) = answer.get("purchase").and_then(Value::as_str) {
                    let charging = Charging { since, moment_ms: self.now_ms, slow };
                    self.charging.insert(id.to_owned(), charging);
                }
            }
            Deed::Confirm | Deed::Repost(_) => {
                let lost = ["too_late", "sold_out", "nothing_to_confirm", "repost_ignored"];
                let in_time = person.until_ms.is_some_and(|until| due.at_ms <= until);
                person.refused = Some(verdict.clone());
                if in_time && lost.contains(&verdict.as_str()) {
                    self.refused_in_time(due)?;
                }
            }
        }
        Ok(())
    }

    /// Somebody was refused in time. The till keeps a repost of a reply that it has not heard of for later; and where it
    /// hears of a reply only after its hold is over, the unit may be gone.
    fn refused_in_time(&mut self, due: &Due) -> Result<(), Broken> {
        let Some(person) = self.crowd.people.get_mut(due.buyer) else { return Ok(()) };
        let Some(asked) = person.asked.clone() else { return Ok(()) };
        let purchase = self.place.admin.get(&format!("/v1/purchases/{asked}"))?;
        let arrived_ms = Time::parse(&text(&purchase, "arrived_at")?)?.ms_since(self.start);
        let over_ms = arrived_ms.saturating_add(self.wait_ms);
        // A repost says nothing until the till knows what was reposted.
        let reposts = matches!(due.deed, Deed::Repost(_));
        let known_ms = if reposts { person.told_ms } else { person.told_ms.min(due.at_ms) };
        person.was_in_time = known_ms <= over_ms;
        person.was_unheard = known_ms > over_ms;
        if reposts && person.told_ms > self.now_ms {
            self.early.insert(asked, person.told_ms);
        }
        Ok(())
    }
}

/// The network's id of a buyer's first wish.
fn wish_id(buyer: usize) -> String {
    format!("w{buyer}")
}
