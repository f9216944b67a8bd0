//! The load: posts alone and in lines, confirmations, reposts, deletions, cancels, refunds, parcels, new accounts,
//! and somebody who follows the log; each on a connection of its own, all at once.

use crate::memory::{Memory, keep};
use crate::support::{Client, account, post};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Who posts one by one.
const SINGLE: usize = 6;
/// Who posts within lines, and in how many bodies at once.
const IN_LINES: usize = 40;
const BODIES: usize = 2;
pub const BUYERS: usize = SINGLE + IN_LINES;

pub fn user(who: usize) -> String {
    format!("u{who}")
}

/// Most cards pay; one answers too late, one declines.
pub fn card(who: usize) -> &'static str {
    match who {
        1 | 8 => "tok_timeout",
        2 | 9 => "tok_declined",
        _ => "tok_visa",
    }
}

/// What is sold in a round: few of one thing, many of the other.
pub struct Offers {
    pub few: String,
    pub many: String,
    /// The last event before the round.
    pub event: Option<String>,
}

impl Offers {
    /// `since` is an event of the round before, from which on the last one is looked for.
    pub fn make(client: &Client, round: usize, since: Option<String>) -> Self {
        let merchant = client.post("/v1/merchants", &json!({"name": "Shop"}));
        let offer = |name: &str, quantity: u64| {
            let body = json!({
                "merchant": merchant["id"], "kind": "purchase", "hashtag": format!("#Buy{name}{round}"),
                "title": name, "price": {"amount": 1500, "currency": "USD"}, "quantity": quantity,
                "per_account_limit": 1000
            });
            client.post("/v1/offers", &body)["id"].as_str().unwrap().to_owned()
        };
        let (few, many) = (offer("Few", 30), offer("Many", 100_000));
        Self { few, many, event: last_event(client, since) }
    }
}

fn last_event(client: &Client, since: Option<String>) -> Option<String> {
    let mut last = since;
    loop {
        let after = last.as_ref().map(|id| format!("&after={id}")).unwrap_or_default();
        let page = client.get(&format!("/v1/events?limit=200{after}"));
        match page["data"].as_array().unwrap().last() {
            Some(event) => last = event["id"].as_str().map(str::to_owned),
            None => return last,
        }
    }
}

/// What all threads share.
struct Shared {
    client: Client,
    round: usize,
    few: String,
    many: String,
    event: Option<String>,
    memory: Memory,
    /// Purchases that were confirmed: somebody may give their money back.
    confirmed: Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// What a thread does, until it is told to stop or gets no answer.
type Work = Box<dyn Fn(&Shared) -> Option<()> + Send>;

pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<bool>>,
}

impl Load {
    pub fn start(client: &Client, offers: &Offers, round: usize) -> Self {
        let shared = Arc::new(Shared {
            client: client.clone(),
            round,
            few: offers.few.clone(),
            many: offers.many.clone(),
            event: offers.event.clone(),
            memory: Memory::default(),
            confirmed: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let mut works: Vec<Work> = Vec::new();
        for who in 0..SINGLE {
            works.push(Box::new(move |shared| one_by_one(shared, who)));
        }
        for body in 0..BODIES {
            works.push(Box::new(move |shared| in_lines(shared, body)));
        }
        works.extend([Box::new(give_back) as Work, Box::new(ship), Box::new(link), Box::new(follow)]);
        let threads = works
            .into_iter()
            .map(|work| {
                let shared = Arc::clone(&shared);
                // Ends at the first request that gets no answer: the till is gone.
                std::thread::spawn(move || work(&shared).is_some())
            })
            .collect();
        Self { shared, threads }
    }

    pub fn answers(&self) -> usize {
        self.shared.memory.answers()
    }

    /// Ends, and hands over what it remembers.
    pub fn end(self) -> Memory {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        Arc::try_unwrap(self.shared).ok().unwrap().memory
    }
}

impl Shared {
    fn goes_on(&self) -> Option<()> {
        (!self.stop.load(Ordering::Relaxed)).then_some(())
    }

    fn tag(&self, what: &str, n: usize) -> String {
        let offers = if n.is_multiple_of(3) { "Few" } else { "Many" };
        format!("#{what}{offers}{}", self.round)
    }

    fn note(&self, answer: &Value) {
        if answer["verdict"] == "confirmed" {
            keep(&self.confirmed, answer["purchase"].as_str().unwrap().to_owned());
        }
    }
}

fn one_by_one(shared: &Shared, who: usize) -> Option<()> {
    let (memory, client, user) = (&shared.memory, &shared.client, user(who));
    for n in who.. {
        shared.goes_on()?;
        let id = format!("r{}-{user}-{n}", shared.round);
        let bought = memory.post(client, &post(&format!("{id}-buy"), &user, &shared.tag("Buy", n)))?;
        let Some(purchase) = bought["purchase"].as_str() else { continue };
        let reply = bought["reply"]["id"].as_str().filter(|_| n % 4 != 0);
        if let Some(reply) = reply {
            memory.sent(client, reply, &format!("{id}-reply"))?;
        }
        match n % 6 {
            1 => {
                let path = format!("/v1/purchases/{purchase}/cancel");
                memory.keyed(client, &path, &format!("{id}-cancel"), &json!({}))?;
            }
            2 => memory.delete(client, &format!("{id}-buy"))?,
            3 if reply.is_some() => {
                let mut repost = post(&format!("{id}-repost"), &user, "");
                repost["repost_of"] = json!(format!("{id}-reply"));
                shared.note(&memory.post(client, &repost)?);
            }
            // Held, and nothing more.
            4 if n % 4 == 0 => {}
            _ => {
                let confirm = post(&format!("{id}-confirm"), &user, &shared.tag("Confirm", n));
                shared.note(&memory.post(client, &confirm)?);
            }
        }
    }
    Some(())
}

fn in_lines(shared: &Shared, body: usize) -> Option<()> {
    for n in 1.. {
        for what in ["Buy", "Confirm"] {
            shared.goes_on()?;
            let buyers = (SINGLE..BUYERS).filter(|who| who % BODIES == body).map(user);
            let posts: Vec<Value> = buyers
                .map(|user| {
                    post(&format!("r{}-{user}-{n}-{what}", shared.round), &user, &shared.tag(what, n))
                })
                .collect();
            for answer in shared.memory.lines(&shared.client, &posts)? {
                shared.note(&answer);
            }
        }
    }
    Some(())
}

/// Gives back a part, or all with the unit going back into stock. Too early, and it is refused, which counts as well.
fn give_back(shared: &Shared) -> Option<()> {
    for n in 0.. {
        shared.goes_on()?;
        let next = shared.confirmed.lock().unwrap().pop();
        let Some(purchase) = next else {
            std::thread::yield_now();
            continue;
        };
        let body = if n % 2 == 0 { json!({"amount": 500}) } else { json!({"restock": true}) };
        let path = format!("/v1/purchases/{purchase}/refund");
        shared.memory.keyed(&shared.client, &path, &format!("r{}-refund-{n}", shared.round), &body)?;
    }
    Some(())
}

fn ship(shared: &Shared) -> Option<()> {
    for n in 0.. {
        shared.goes_on()?;
        let offer = if n % 2 == 0 { &shared.few } else { &shared.many };
        let path = format!("/v1/orders?status=unfulfilled&limit=3&offer={offer}");
        let orders = shared.client.send("GET", &path, "application/json", b"").ok()?.json();
        for order in orders["data"].as_array().unwrap() {
            let id = order["id"].as_str().unwrap();
            let key = format!("r{}-ship-{n}-{id}", shared.round);
            shared.memory.keyed(&shared.client, &format!("/v1/orders/{id}/ship"), &key, &json!({}))?;
        }
    }
    Some(())
}

fn link(shared: &Shared) -> Option<()> {
    for n in 0.. {
        shared.goes_on()?;
        let (name, key) = (format!("r{}-new-{n}", shared.round), format!("r{}-link-{n}", shared.round));
        shared.memory.keyed(&shared.client, "/v1/accounts", &key, &account(&name, "tok_visa"))?;
    }
    Some(())
}

fn follow(shared: &Shared) -> Option<()> {
    let mut last = shared.event.clone();
    loop {
        shared.goes_on()?;
        let after = last.as_ref().map(|id| format!("&after={id}")).unwrap_or_default();
        let path = format!("/v1/events?limit=200&wait_seconds=1{after}");
        let page = shared.client.send("GET", &path, "application/json", b"").ok()?.json();
        for event in page["data"].as_array().unwrap() {
            last = event["id"].as_str().map(str::to_owned);
            keep(&shared.memory.events, event.to_string());
        }
    }
}
