//! The story's world as the playground begins with it: whom a visitor can be, and what is for sale still.

use super::script::{NETWORK, SHOP_HANDLE, Script};
use super::stage::Stage;
use crate::playground::{Person, Ready, Stocked};
use serde_json::Value;

/// Whom a visitor can be, in this order; the others are there, too.
const PLAYS: &[&str] = &["miathornq", "juneabby", "norawhitfield", "gretasews", "kitlowry"];

/// What is there when the story is over.
pub fn ready(stage: &Stage, script: &Script) -> Ready {
    let mut people: Vec<Person> = stage
        .buyers
        .iter()
        .map(|(id, buyer)| {
            let account = script.accounts.iter().find(|one| {
                one.pointer("/identities/0/user_id").and_then(Value::as_str) == Some(&buyer.user_id)
            });
            let word = |path: &str| account.and_then(|one| one.pointer(path)).and_then(Value::as_str);
            let (about, hint) = match word("/payment_method/token") {
                Some("tok_declined") => ("has linked a card that is declined", "declined"),
                _ if buyer.handle == "norawhitfield" => {
                    ("has linked a card, and bought the gift card already", "has one")
                }
                _ => ("has linked a card", "pays"),
            };
            Person {
                user_id: buyer.user_id.clone(),
                handle: buyer.handle.clone(),
                name: word("/billing_address/name").unwrap_or(&buyer.handle).to_owned(),
                card: Some(buyer.card.clone()),
                about: about.to_owned(),
                hint: hint.to_owned(),
                plays: PLAYS.contains(&buyer.handle.as_str()),
                account: Some(id.clone()),
            }
        })
        .collect();
    let strangers = script.entries.iter().filter_map(|entry| entry.post.as_ref());
    for post in strangers.filter(|post| post.network == NETWORK && post.author.handle != SHOP_HANDLE) {
        let author = &post.author;
        if !people.iter().any(|person| person.user_id == author.user_id) {
            people.push(Person {
                user_id: author.user_id.clone(),
                handle: author.handle.clone(),
                name: if author.handle == "kitlowry" {
                    "Kit Lowry".to_owned()
                } else {
                    author.handle.clone()
                },
                card: None,
                about: "has not linked a card".to_owned(),
                hint: "no card".to_owned(),
                plays: PLAYS.contains(&author.handle.as_str()),
                account: None,
            });
        }
    }
    people.sort_by_key(|person| {
        PLAYS.iter().position(|handle| *handle == person.handle).unwrap_or(PLAYS.len())
    });
    let stocked = |offer: &String| Stocked { offer: offer.clone(), units: None };
    Ready {
        shop_handle: SHOP_HANDLE.to_owned(),
        shop_name: "American Express Sync".to_owned(),
        people,
        merchants: stage.merchants.values().cloned().collect(),
        offers: stage.offers.iter().map(stocked).collect(),
    }
}
