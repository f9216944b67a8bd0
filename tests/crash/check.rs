//! After the crash: the till is asked about everything that it had said.

use crate::load::{Offers, card};
use crate::memory::Memory;
use crate::support::{Client, Site, wait_for};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Seek as _, SeekFrom};

/// The sandbox gateway's own ledger, over all rounds.
#[derive(Default)]
pub struct Books {
    read_bytes: u64,
    /// How often each purchase was charged.
    charged: HashMap<String, u32>,
    /// What was given back for each purchase, and under which keys.
    given_back: HashMap<String, i64>,
    keys: HashSet<String>,
    /// Every purchase that the till told of.
    known: HashSet<String>,
}

impl Books {
    pub fn charges(&self) -> usize {
        self.charged.len()
    }

    /// Reads what was written since.
    fn read(&mut self, site: &Site) {
        let mut file = std::fs::File::open(site.path("till.redb.sandbox-ledger")).unwrap();
        file.seek(SeekFrom::Start(self.read_bytes)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        self.read_bytes += text.len() as u64;
        for line in text.lines() {
            let entry: Value = serde_json::from_str(line).unwrap();
            // A reference is `sbx_<purchase>-<attempt>`.
            let reference = entry["reference"].as_str().unwrap();
            let purchase = reference.trim_start_matches("sbx_").rsplit_once('-').unwrap().0.to_owned();
            match entry["entry"].as_str().unwrap() {
                "charged" => *self.charged.entry(purchase).or_default() += 1,
                "refunded" => {
                    let key = entry["key"].as_str().unwrap().to_owned();
                    assert!(self.keys.insert(key), "a refund was made twice: {line}");
                    *self.given_back.entry(purchase).or_default() += entry["amount"].as_i64().unwrap();
                }
                _ => {}
            }
        }
    }
}

pub fn round(client: &Client, site: &Site, offers: &Offers, memory: &Memory, books: &mut Books) {
    events(client, offers, memory);
    keyed(client, memory);
    sent(client, memory);
    let answers = posts(client, memory);
    let purchases = settled(client, offers);
    answered(&purchases, &answers, memory);
    books.read(site);
    money(&purchases, books);
    stock(client, offers, &purchases);
}

/// The log begins as it was seen, line by line.
fn events(client: &Client, offers: &Offers, memory: &Memory) {
    let mut last = offers.event.clone();
    let seen = memory.events.lock().unwrap();
    let mut left = seen.as_slice();
    while !left.is_empty() {
        let after = last.as_ref().map(|id| format!("&after={id}")).unwrap_or_default();
        let page = client.get(&format!("/v1/events?limit=200{after}"));
        let now = page["data"].as_array().unwrap();
        assert!(!now.is_empty(), "{} events that were seen are gone", left.len());
        for event in now.iter().take(left.len()) {
            assert_eq!(event.to_string(), left[0]);
            left = &left[1..];
            last = event["id"].as_str().map(str::to_owned);
        }
    }
}

/// Every call under a key is made again: what was answered is answered in the same words, the rest now.
fn keyed(client: &Client, memory: &Memory) {
    for call in memory.keyed.lock().unwrap().iter() {
        let again = client.send_keyed(&call.path, &call.key, call.body.as_bytes()).unwrap();
        assert!(again.status < 500, "{} {}: {}", call.path, call.key, again.status);
        if let Some(first) = &call.answer {
            let (was, is) = (String::from_utf8_lossy(&first.body), String::from_utf8_lossy(&again.body));
            assert!(was == is && first.status == again.status, "{} was {was}, is {is}", call.path);
        }
    }
}

fn sent(client: &Client, memory: &Memory) {
    for (reply, post) in memory.sent.lock().unwrap().iter() {
        let path = format!("/v1/replies/{reply}/sent");
        assert_eq!(client.post(&path, &json!({"post_id": post}))["status"], "sent");
        // Only what was reported before can differ from what is reported now.
        let other = client.call("POST", &path, &json!({"post_id": format!("{post}-other")}));
        assert_eq!(other.status, 409, "{reply} was reported as {post}");
    }
}

/// Every post is delivered again: what was answered is answered as it was, the rest is judged now.
/// Returns the answers, with who posted.
fn posts(client: &Client, memory: &Memory) -> Vec<(String, Value)> {
    let mut answers = Vec::new();
    for posted in memory.posts.lock().unwrap().chunks(2000) {
        let lines: Vec<&str> = posted.iter().map(|one| one.line.as_str()).collect();
        let answer =
            client.send("POST", "/v1/posts", "application/x-ndjson", lines.join("\n").as_bytes()).unwrap();
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(text.lines().count(), posted.len());
        for (one, line) in posted.iter().zip(text.lines()) {
            let now: Value = serde_json::from_str(line).unwrap();
            assert!(now["verdict"].is_string(), "{line}");
            if let Some(first) = &one.answer {
                // Reposts of what the till did not send leave nothing behind.
                assert!(
                    now["repeated"] == true || first["verdict"] == "repost_ignored",
                    "{} {line}",
                    one.line
                );
                for field in ["verdict", "explanation", "offer", "purchase", "reply"] {
                    assert_eq!(now[field], first[field], "{field} of {}: was {first}, is {line}", one.line);
                }
            }
            let post: Value = serde_json::from_str(&one.line).unwrap();
            answers.push((post["author"]["user_id"].as_str().unwrap().to_owned(), now));
        }
    }
    answers
}

/// The round's purchases once nothing is under way at the gateway any more and the holds have ended.
fn settled(client: &Client, offers: &Offers) -> HashMap<String, Value> {
    client.post("/v1/sandbox/clock", &json!({"advance_seconds": 2000}));
    let over = |purchase: &Value| {
        let refunds = purchase["refunds"].as_array().unwrap();
        purchase["status"] != "capturing" && refunds.iter().all(|refund| refund["status"] != "pending")
    };
    let mut all = HashMap::new();
    for offer in [&offers.few, &offers.many] {
        let purchases = wait_for("what the crash left at the gateway", || {
            let purchases = client.all(&format!("/v1/purchases?offer={offer}"));
            purchases.iter().all(over).then_some(purchases)
        });
        all.extend(purchases.into_iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one)));
    }
    all
}

/// What the answers promised has come true.
fn answered(purchases: &HashMap<String, Value>, answers: &[(String, Value)], memory: &Memory) {
    for (user, answer) in answers {
        let Some(id) = answer["purchase"].as_str() else { continue };
        let purchase = &purchases[id];
        if answer["verdict"] == "confirmed" {
            let who = user.trim_start_matches('u').parse().unwrap();
            let declined = card(who) == "tok_declined";
            let fine = if declined { &["declined"][..] } else { &["paid", "refunded"] };
            assert!(fine.contains(&purchase["status"].as_str().unwrap()), "{user} confirmed {purchase}");
        }
    }
    for call in memory.keyed.lock().unwrap().iter() {
        let Some(answer) = call.answer.as_ref().filter(|answer| answer.status == 200) else { continue };
        let made = answer.json();
        if call.path.ends_with("/cancel") {
            assert_eq!(purchases[made["id"].as_str().unwrap()]["status"], "cancelled", "{}", call.path);
        } else if call.path.ends_with("/refund") {
            let now = purchases[made["id"].as_str().unwrap()]["refunds"].as_array().unwrap();
            for refund in made["refunds"].as_array().unwrap() {
                assert!(now.iter().any(|one| one["id"] == refund["id"] && one["status"] == "succeeded"));
            }
        }
    }
    for cancelled in memory.deleted.lock().unwrap().iter().flatten() {
        assert_eq!(purchases[cancelled]["status"], "cancelled", "its post was deleted");
    }
}

/// The gateway's ledger and the till say the same of every purchase.
fn money(purchases: &HashMap<String, Value>, books: &mut Books) {
    for (id, purchase) in purchases {
        books.known.insert(id.clone());
        let charged = books.charged.get(id).copied().unwrap_or(0);
        let given_back = books.given_back.get(id).copied().unwrap_or(0);
        let sold = matches!(purchase["status"].as_str(), Some("paid" | "refunded"));
        if sold {
            assert_eq!(charged, 1, "charged once: {purchase}");
            assert_eq!(purchase["captured"]["amount"], 1500);
            assert_eq!(purchase["refunded"]["amount"], given_back, "{purchase}");
        } else {
            // A charge that came too late is given back, whole.
            assert!(charged <= 1 && given_back == i64::from(charged) * 1500, "not sold: {purchase}");
        }
        assert_eq!(purchase["status"] == "refunded", sold && given_back == 1500, "{purchase}");
    }
    for id in books.charged.keys() {
        assert!(books.known.contains(id), "{id} is charged, and the till does not know it");
    }
}

/// Available, held and sold are what the purchases say.
fn stock(client: &Client, offers: &Offers, purchases: &HashMap<String, Value>) {
    for id in [&offers.few, &offers.many] {
        let offer = client.get(&format!("/v1/offers/{id}"));
        let sold = purchases.values().filter(|purchase| {
            let restocked = purchase["refunds"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["restock"] == true && one["status"] == "succeeded");
            purchase["offer"] == id.as_str()
                && matches!(purchase["status"].as_str(), Some("paid" | "refunded"))
                && !restocked
        });
        assert_eq!(offer["sold"], sold.count(), "{offer}");
        assert_eq!(offer["held"], 0, "every hold has ended: {offer}");
        let all: u64 = ["available", "held", "sold"].iter().map(|part| offer[*part].as_u64().unwrap()).sum();
        assert_eq!(offer["quantity"], all, "{offer}");
    }
}
