//! The network's bot: fetches replies, gets them out or loses them, and tells the till, at once or later.

use super::Broken;
use super::crowd::{Crowd, Seen, buyer_of};
use super::plan::Settings;
use super::result::Replies;
use crate::client::Client;
use crate::till::time::Time;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Replies that the bot has in hand at once, at most.
const IN_HAND_MAX: usize = 200;
/// Calls made at once.
const CALLS: usize = 8;

/// A reply on its way.
struct InHand {
    number: u64,
    buyer: Option<usize>,
    purchase: Option<String>,
    in_reply_to: String,
    out_ms: i64,
    told_ms: i64,
    lost: bool,
    seen: bool,
}

/// What the bot has to do.
pub struct Bot {
    client: Client,
    network: String,
    /// When the drop began.
    start: Time,
    in_hand: BTreeMap<String, InHand>,
    taken: u64,
    /// Whether the till had no reply that is not in hand.
    pub idle: bool,
    /// What became of replies so far.
    pub replies: Replies,
    /// From each wish that was answered to the reply, in milliseconds of the till's clock.
    pub waits_ms: Vec<i64>,
    /// Which wishes were answered.
    answered: BTreeSet<String>,
}

impl Bot {
    /// A bot with a network's token.
    pub fn new(client: Client, network: &str, start: Time) -> Self {
        Self {
            client,
            network: network.to_owned(),
            start,
            in_hand: BTreeMap::new(),
            taken: 0,
            idle: true,
            replies: Replies::default(),
            waits_ms: Vec::new(),
            answered: BTreeSet::new(),
        }
    }

    /// When something is to do next.
    pub fn next_ms(&self) -> Option<i64> {
        let next = |reply: &InHand| if reply.seen || reply.lost { reply.told_ms } else { reply.out_ms };
        self.in_hand.values().map(next).min()
    }

    /// Gets out what is due, tells the till, fetches more. `wishes`: when the post of this id was made, and whether it
    /// is its author's first.
    pub fn work(
        &mut self,
        settings: &Settings,
        crowd: &mut Crowd,
        now_ms: i64,
        wishes: &BTreeMap<String, (i64, bool)>,
    ) -> Result<(), Broken> {
        self.show(crowd, now_ms, wishes);
        self.tell(now_ms)?;
        self.fetch(settings, now_ms)
    }

    /// Buyers see what got out.
    fn show(&mut self, crowd: &mut Crowd, now_ms: i64, wishes: &BTreeMap<String, (i64, bool)>) {
        let mut out: Vec<&mut InHand> = self
            .in_hand
            .values_mut()
            .filter(|reply| !reply.seen && !reply.lost && reply.out_ms <= now_ms)
            .collect();
        out.sort_by_key(|reply| (reply.out_ms, reply.number));
        for reply in out {
            reply.seen = true;
            self.replies.out += 1;
            self.replies.told_late += u64::from(reply.told_ms > reply.out_ms);
            let wish = wishes.get(&reply.in_reply_to);
            if let Some((made_ms, _)) = wish
                && self.answered.insert(reply.in_reply_to.clone())
            {
                self.waits_ms.push(reply.out_ms.saturating_sub(*made_ms));
            }
            if let Some(buyer) = reply.buyer {
                let first = wish.is_some_and(|(_, first)| *first);
                let (purchase, id) = (reply.purchase.as_deref(), post_id(reply.number));
                let (out_ms, told_ms) = (reply.out_ms, reply.told_ms);
                crowd.sees(buyer, &Seen { purchase, reply: &id, out_ms, told_ms, first });
            }
        }
    }

    /// Tells the till what became of replies.
    fn tell(&mut self, now_ms: i64) -> Result<(), Broken> {
        let due: Vec<String> = self
            .in_hand
            .iter()
            .filter(|(_, reply)| reply.told_ms <= now_ms)
            .map(|(id, _)| id.clone())
            .collect();
        let mut calls = Vec::new();
        for id in due {
            let Some(reply) = self.in_hand.remove(&id) else { continue };
            calls.push(if reply.lost {
                self.replies.lost += 1;
                let body = json!({"reason": "the network did not take it", "retry": false});
                (format!("/v1/replies/{id}/failed"), body)
            } else {
                let sent_at = self.start.plus_ms(reply.out_ms);
                let body = json!({"post_id": post_id(reply.number), "sent_at": sent_at});
                (format!("/v1/replies/{id}/sent"), body)
            });
        }
        at_once(&calls, |(path, body)| Ok(self.client.post(path, body).map(drop)?))
    }

    /// Takes what the till has to say, and no more than the network takes.
    fn fetch(&mut self, settings: &Settings, now_ms: i64) -> Result<(), Broken> {
        let path = format!("/v1/replies?network={}&limit={IN_HAND_MAX}", self.network);
        let page = self.client.get(&path)?;
        let listed = page.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |reply: &Value, pointer: &str| {
            reply.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        self.idle = true;
        for reply in &listed {
            let id = text(reply, "/id");
            if self.in_hand.contains_key(&id) {
                continue;
            }
            // What is in hand counts as sent: the list is as long as the network's budget allows.
            if self.in_hand.len() >= listed.len() {
                self.idle = false;
                break;
            }
            self.taken += 1;
            let way = settings.way_out(self.taken);
            let out_ms = now_ms.saturating_add(i64::try_from(way.takes_ms).unwrap_or(0));
            let later_ms = i64::try_from(way.told_late_ms.unwrap_or(0)).unwrap_or(0);
            let in_hand = InHand {
                number: self.taken,
                buyer: buyer_of(&text(reply, "/to/user_id")),
                purchase: reply.get("purchase").and_then(Value::as_str).map(str::to_owned),
                in_reply_to: text(reply, "/in_reply_to"),
                out_ms,
                told_ms: out_ms.saturating_add(later_ms),
                lost: way.lost,
                seen: false,
            };
            self.in_hand.insert(id, in_hand);
        }
        Ok(())
    }
}

/// The network's id of a reply.
fn post_id(number: u64) -> String {
    format!("r{number}")
}

/// Makes calls, some at once; the first error counts.
pub fn at_once<T: Sync>(all: &[T], call: impl Fn(&T) -> Result<(), Broken> + Sync) -> Result<(), Broken> {
    if all.len() < CALLS {
        return all.iter().try_for_each(call);
    }
    let share = all.len().div_ceil(CALLS);
    let ended = || Broken::Failed("a thread of the rehearsal ended before its time".to_owned());
    std::thread::scope(|scope| {
        let call = &call;
        let workers: Vec<_> =
            all.chunks(share).map(|part| scope.spawn(move || part.iter().try_for_each(call))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(ended())))
    })
}
