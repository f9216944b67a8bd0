//! What the till knows of networks: settings by slug. Nothing here is about one network in particular but its defaults.

use super::check;
use super::command::{NetworkChange, Outcome};
use super::record::{NetworkRecord, OwnIdentity};
use super::refusal::{Refusal, Result};
use super::role::is_slug;
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{Networks, Text};
use super::text::{Counting, contains_card_number};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The least that a network has to take: a reply has to fit its confirmation hashtag, its price and its deadline.
pub const TEXT_LIMIT_MIN: usize = 140;

/// The networks that have defaults.
pub const KNOWN_NETWORKS: &[&str] = &["bluesky", "mastodon", "sandbox", "x"];

/// The settings of a network that nobody has changed; `None` for a slug without defaults.
///
/// Replies: X takes 100 posts of one user in 15 minutes and 2,400 a day, Bluesky 1,666 an hour and 11,666 a day,
/// Mastodon's servers 300 in three hours (a burst of a third of that is let through here).
/// Lengths: X counts 280 as twitter-text weighs them, Bluesky 300 graphemes, Mastodon 500 characters.
pub fn defaults(slug: &str) -> Option<NetworkRecord> {
    KNOWN_NETWORKS.contains(&slug).then(|| fresh(slug))
}

/// The settings that a network starts with: those of a Mastodon server unless its slug says otherwise.
fn fresh(slug: &str) -> NetworkRecord {
    let (text_limit, counting) = match slug {
        "x" => (280, Counting::X),
        "bluesky" => (300, Counting::Graphemes),
        _ => (500, Counting::Characters),
    };
    let (replies_per_15_minutes, replies_per_day) = match slug {
        "x" => (Some(100), Some(2400)),
        "bluesky" => (Some(400), Some(11_000)),
        "mastodon" => (Some(100), None),
        _ => (None, None),
    };
    NetworkRecord {
        own: None,
        text_limit,
        counting,
        max_post_age_seconds: 3600,
        grace_seconds: 30,
        reply_wait_seconds: 600,
        one_reply_per_post: slug == "x",
        links_in_replies: slug != "x",
        mention_needed: slug == "x",
        replies_per_15_minutes,
        replies_per_day,
    }
}

/// The settings of a network; `None` for one that the till does not know.
pub fn find<S: Read>(state: &S, slug: &str) -> Result<Option<NetworkRecord>, StateError> {
    let stored = state.get::<Networks>(&Text(slug.to_owned()))?;
    Ok(stored.or_else(|| defaults(slug)))
}

/// Every network that the till knows, by slug.
pub fn all<S: Read>(state: &S) -> Result<BTreeMap<String, NetworkRecord>, StateError> {
    let known = KNOWN_NETWORKS.iter().map(|slug| ((*slug).to_owned(), fresh(slug)));
    let mut found: BTreeMap<_, _> = known.collect();
    state.scan::<Networks>(&Span::all(), Direction::Up, |Text(slug), settings| {
        found.insert(slug, settings);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The settings of a network that a call names.
pub fn must_find<S: Read>(state: &S, slug: &str) -> Result<NetworkRecord> {
    find(state, slug)?.ok_or_else(|| {
        let mut refusal = Refusal::not_found("network");
        refusal.detail =
            format!("This till knows no network called {slug:?}: PUT /v1/networks/{{slug}} adds one.");
        refusal.into()
    })
}

/// Adds a network or changes its settings.
pub fn put<S: Write>(state: &mut S, slug: &str, change: &NetworkChange) -> Result<Outcome> {
    if !is_slug(slug) {
        let detail = "must be 1 to 32 of a-z, 0-9, - and _, beginning with a letter";
        return Err(Refusal::invalid("slug", detail).into());
    }
    let mut network = find(state, slug)?.unwrap_or_else(|| fresh(slug));
    if contains_card_number(slug) {
        return Err(Refusal::invalid("slug", "looks like a card number").into());
    }
    check_change(change)?;
    if let Some(own) = &change.own {
        network.own.clone_from(own);
    }
    if let Some(counting) = change.counting {
        network.counting = counting;
    }
    let numbers = [
        (change.text_limit, &mut network.text_limit),
        (change.max_post_age_seconds, &mut network.max_post_age_seconds),
        (change.grace_seconds, &mut network.grace_seconds),
        (change.reply_wait_seconds, &mut network.reply_wait_seconds),
    ];
    for (new, old) in numbers {
        *old = new.unwrap_or(*old);
    }
    network.one_reply_per_post = change.one_reply_per_post.unwrap_or(network.one_reply_per_post);
    network.links_in_replies = change.links_in_replies.unwrap_or(network.links_in_replies);
    network.mention_needed = change.mention_needed.unwrap_or(network.mention_needed);
    network.replies_per_15_minutes = change.replies_per_15_minutes.unwrap_or(network.replies_per_15_minutes);
    network.replies_per_day = change.replies_per_day.unwrap_or(network.replies_per_day);
    state.put::<Networks>(&Text(slug.to_owned()), &network)?;
    Ok(Outcome::Network(slug.to_owned()))
}

/// Whether that can be the till's own identity.
pub fn check_own(own: &OwnIdentity) -> Result<()> {
    check::foreign_id("own.user_id", &own.user_id)?;
    check::text("own.handle", &own.handle, 256)
}

fn check_change(change: &NetworkChange) -> Result<()> {
    if let Some(Some(own)) = &change.own {
        check_own(own)?;
    }
    let bounds = [
        ("text_limit", change.text_limit, TEXT_LIMIT_MIN as u64, 100_000),
        ("max_post_age_seconds", change.max_post_age_seconds, 1, 10 * 366 * 86_400),
        ("grace_seconds", change.grace_seconds, 0, 3600),
        ("reply_wait_seconds", change.reply_wait_seconds, 0, 86_400),
        ("replies_per_15_minutes", change.replies_per_15_minutes.flatten(), 1, 1_000_000),
        ("replies_per_day", change.replies_per_day.flatten(), 1, 100_000_000),
    ];
    for (field, value, min, max) in bounds {
        if let Some(value) = value {
            check::within(field, u64::from(value), min, max)?;
        }
    }
    Ok(())
}
