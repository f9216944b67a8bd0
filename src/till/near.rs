//! Near misses: a hashtag one typing error away from a live one is answered with a question, never with a hold.

use super::account;
use super::command::PostAnswer;
use super::context::Context;
use super::id::OfferId;
use super::post::{Arrival, author_hash};
use super::record::{AccountStatus, HashtagRecord, ReplyKind};
use super::refusal::Result;
use super::reply;
use super::state::{Direction, Read, Span, StateError, Write};
use super::table::{Hashtags, Hints, Offers, Text};
use super::time::Time;
use super::verdict::Verdict;
use std::ops::ControlFlow;

/// Shorter hashtags are too easily something else.
const LETTERS_MIN: usize = 6;
/// Hashtags that are compared, however many there are.
const LOOK_MAX: usize = 10_000;

/// Answers a linked buyer whose post mentions the shop and misses a hashtag by one error: "did you mean", once an
/// identity and offer. `None` where nothing is near, or two offers are.
pub fn judge<S: Write>(
    state: &mut S,
    cx: &mut Context<'_>,
    arrival: Arrival<'_>,
) -> Result<Option<PostAnswer>> {
    let post = arrival.post;
    let linked = account::of_identity(state, &post.network, &post.author.user_id)?;
    let Some((buyer, record)) = linked else { return Ok(None) };
    if record.status != AccountStatus::Active || !record.frozen.is_empty() {
        return Ok(None);
    }
    for tag in &post.hashtags {
        let Some((meant, offer_id)) = nearest(state, cx.now, tag)? else { continue };
        let mut answer = PostAnswer { offer: Some(offer_id), ..PostAnswer::bare(Verdict::NearMiss) };
        let key = (author_hash(&post.network, &post.author.user_id), offer_id);
        if state.get::<Hints>(&key)?.is_none() {
            let offer = state.must::<Offers>(&offer_id)?;
            let draft = reply::Draft {
                account: Some(buyer),
                purchase: None,
                kind: ReplyKind::DidYouMean,
                text: arrival.speaker(cx, &offer).did_you_mean(&meant),
                not_after: reply::not_after(cx.now, ReplyKind::DidYouMean),
            };
            answer.reply = reply::queue(state, cx, arrival, draft)?;
            if answer.reply.is_some() {
                state.put::<Hints>(&key, &())?;
            }
        }
        return Ok(Some(answer));
    }
    Ok(None)
}

/// The one live hashtag that is one error away, in the form that its offer writes it.
fn nearest<S: Read>(state: &S, now: Time, tag: &str) -> Result<Option<(String, OfferId)>, StateError> {
    if tag.chars().count() < LETTERS_MIN {
        return Ok(None);
    }
    let letters: Vec<char> = tag.chars().collect();
    let (mut near, mut seen): (Vec<(String, HashtagRecord)>, usize) = (Vec::new(), 0);
    state.scan::<Hashtags>(&Span::all(), Direction::Up, |Text(name), taken| {
        seen += 1;
        let other: Vec<char> = name.chars().collect();
        if other.len() >= LETTERS_MIN && is_one_error(&letters, &other) {
            near.push((name, taken));
        }
        if seen < LOOK_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut live = Vec::new();
    for (name, taken) in near {
        let offer = state.must::<Offers>(&taken.offer)?;
        if !offer.is_over(now) {
            let written = offer.tags().find(|(_, role)| *role == taken.role).map(|(tag, _)| tag.to_owned());
            live.push((written.unwrap_or(name), taken.offer));
        }
    }
    Ok(if live.len() == 1 { live.pop() } else { None })
}

/// Whether one insertion, deletion, change or swap of neighbours makes one text the other (optimal string alignment).
fn is_one_error(a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (Some(a), Some(b)) = (a.get(same..), b.get(same..)) else { return false };
    match (a, b) {
        ([_, a @ ..], [_, b @ ..]) if a == b => true,
        ([a1, a2, a @ ..], [b1, b2, b @ ..]) if a1 == b2 && a2 == b1 && a == b => true,
        ([_, longer @ ..], b) if longer == b => true,
        (a, [_, longer @ ..]) if longer == a => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_is_one_insertion_deletion_change_or_swap() {
        let near =
            |a: &str, b: &str| is_one_error(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        for (a, b, wanted) in [
            ("buyshirt", "buyshirts", true),
            ("buyshirt", "byshirt", true),
            ("buyshirt", "buyshurt", true),
            ("buyshirt", "buyshrit", true),
            ("xbuyshirt", "buyshirt", true),
            ("buyshirt", "buyshirt", false),
            ("buyshirt", "buyshrti", false),
            ("buyshirt", "bushrit", false),
            ("ab", "ba", true),
            ("a", "", true),
            ("ab", "", false),
        ] {
            assert_eq!((near(a, b), near(b, a)), (wanted, wanted), "{a} {b}");
        }
    }
}
