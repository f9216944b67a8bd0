//! What a page gets to see, as JSON: people, threads, stock, holds, orders.

use super::World;
use super::deeds::waiting_charge;
use super::feed::{Author, Post};
use super::people::Person;
use super::shop::Shop;
use super::stage::{Ready, word};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many orders are shown.
const ORDERS_MAX: usize = 50;

/// The world as it is now; written once for each version.
pub fn render(world: &mut World, network: &str) -> Arc<str> {
    if let Some((version, rendered)) = &world.rendered
        && *version == world.version
    {
        return Arc::clone(rendered);
    }
    let rendered: Arc<str> = view(world, network).to_string().into();
    world.rendered = Some((world.version, Arc::clone(&rendered)));
    rendered
}

fn view(world: &World, network: &str) -> Value {
    let Some(ready) = world.ready.as_ref().filter(|_| world.shop.is_known()) else {
        return json!({"ready": false, "network": network, "trouble": world.trouble});
    };
    let shop = &world.shop;
    let threads = world.feed.threads().into_iter().map(|(id, posts)| {
        let posts = posts.into_iter().map(|one| post(ready, shop, one));
        json!({"id": id, "posts": posts.collect::<Vec<_>>()})
    });
    let holds = shop.purchases.iter().filter(|one| shop.shows(word(one, "id")));
    let orders = shop.orders.iter().filter(|one| shop.shows(word(one, "purchase")));
    json!({
        "ready": true,
        "network": network,
        "trouble": world.trouble,
        "shop": {"handle": ready.shop_handle, "name": ready.shop_name},
        "people": ready.people.iter().map(person).collect::<Vec<_>>(),
        "threads": threads.collect::<Vec<_>>(),
        "offers": shop.offers.iter().map(offer).collect::<Vec<_>>(),
        "holds": holds.filter_map(|one| hold(ready, shop, one)).collect::<Vec<_>>(),
        "orders": orders.take(ORDERS_MAX).map(|one| order(ready, one)).collect::<Vec<_>>(),
    })
}

fn person(person: &Person) -> Value {
    json!({
        "id": person.user_id, "handle": person.handle, "name": person.name, "card": person.card,
        "about": person.about, "hint": person.hint, "plays": person.plays,
    })
}

fn post(ready: &Ready, shop: &Shop, post: &Post) -> Value {
    let purchase = post.purchase.as_deref().and_then(|id| shop.purchase(id));
    let offer = purchase.and_then(|purchase| shop.offer(word(purchase, "offer")));
    let confirm = purchase
        .filter(|purchase| post.to.is_some() && word(purchase, "status") == "pending")
        .and(offer)
        .map(|offer| hashtag(offer, "confirm_hashtag"));
    let author = match &post.author {
        Author::Shop => None,
        Author::Person(user_id) => Some(user_id),
    };
    json!({
        "id": post.id,
        "author": author,
        "handle": author.map_or(&ready.shop_handle, |id| ready.person(id).map_or(id, |person| &person.handle)),
        "name": author.map_or(&ready.shop_name, |id| ready.person(id).map_or(id, |person| &person.name)),
        "to": post.to,
        "text": post.text,
        "at": post.at,
        "repost_of": post.repost_of,
        "verdict": post.verdict.as_ref().map(|(code, _)| code),
        "why": post.verdict.as_ref().map(|(_, why)| why),
        "purchase": purchase.map(|purchase| json!({
            "id": word(purchase, "id"), "status": word(purchase, "status"),
            "began_here": word(purchase, "post") == post.id,
        })),
        "confirm": confirm,
        "deleted": post.deleted,
        "story": post.story,
    })
}

/// With its `#`.
fn hashtag(offer: &Value, name: &str) -> String {
    let bare = word(offer, name).trim_start_matches('#');
    if bare.is_empty() { String::new() } else { format!("#{bare}") }
}

fn offer(offer: &Value) -> Value {
    let field = |name: &str| offer.get(name).cloned().unwrap_or_default();
    json!({
        "id": field("id"), "title": field("title"), "price": field("price"),
        "hashtag": hashtag(offer, "hashtag"), "confirm_hashtag": hashtag(offer, "confirm_hashtag"),
        "cancel_hashtag": hashtag(offer, "cancel_hashtag"), "status": field("status"),
        "quantity": field("quantity"), "available": field("available"), "held": field("held"),
        "sold": field("sold"), "window_seconds": field("confirm_window_seconds"),
    })
}

/// A purchase that is under way; `None` for any other.
fn hold(ready: &Ready, shop: &Shop, purchase: &Value) -> Option<Value> {
    let status = word(purchase, "status");
    if status != "pending" && status != "capturing" {
        return None;
    }
    let holder = ready.holder(word(purchase, "account"))?;
    let offer = shop.offer(word(purchase, "offer"))?;
    let field = |name: &str| purchase.get(name).cloned().unwrap_or_default();
    let until = if status == "pending" { field("expires_at") } else { field("authenticate_by") };
    Some(json!({
        "id": field("id"), "status": status, "person": holder.user_id, "title": word(offer, "title"),
        "price": field("price"), "until": until, "bank_asks": waiting_charge(purchase).is_some(),
        "confirm": hashtag(offer, "confirm_hashtag"), "window_seconds": offer.get("confirm_window_seconds"),
    }))
}

fn order(ready: &Ready, order: &Value) -> Value {
    let field = |name: &str| order.get(name).cloned().unwrap_or_default();
    json!({
        "id": field("id"), "purchase": field("purchase"), "status": field("status"), "title": field("title"),
        "price": field("price"), "at": field("created_at"), "ship_to": address(order.get("ship_to")),
        "person": ready.holder(word(order, "account")).map(|person| &person.user_id),
    })
}

/// The lines of an address.
fn address(ship_to: Option<&Value>) -> Vec<String> {
    let Some(to) = ship_to.filter(|to| to.is_object()) else { return Vec::new() };
    let place = format!("{}, {} {}", word(to, "city"), word(to, "region"), word(to, "postal_code"));
    let lines = [word(to, "name"), word(to, "line1"), word(to, "line2"), &place, word(to, "country")];
    lines.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
