//! Posts as the till takes them: lines of JSON, in portions that one request can carry.

use super::Post;
use serde::Serialize;

/// Posts handed in with one request.
const POSTS_AT_ONCE: usize = 500;
/// Bytes of such a request: the till takes 16 MiB.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// What surrounds a text, generously.
const POST_BYTES_AROUND: usize = 4096;
/// The longest text handed in; the till takes 64 KiB.
const TEXT_BYTES_MAX: usize = 60 * 1024;

/// A post as the till takes it.
#[derive(Serialize)]
struct Line<'p> {
    network: &'static str,
    #[serde(flatten)]
    post: &'p Post,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_us: Option<bool>,
}

/// Posts as lines; `exact` says whether the network knows whom a post is to, `offset_ms` how far a sandbox's clock is
/// ahead.
pub fn lines<'p>(
    (network, exact): (&'static str, bool),
    offset_ms: i64,
    posts: impl Iterator<Item = &'p Post>,
) -> String {
    let mut body = String::new();
    for post in posts {
        let mut post = post.clone();
        // A sandbox's clock can be moved; what networks say is moved along.
        post.created_at = post.created_at.map(|at| at.plus_ms(offset_ms));
        trim(&mut post);
        let to_us = (exact || post.to_us).then_some(post.to_us);
        body.push_str(&serde_json::to_string(&Line { network, post: &post, to_us }).unwrap_or_default());
        body.push('\n');
    }
    body
}

/// Posts in portions that one request can carry.
pub fn portions(posts: &[Post]) -> impl Iterator<Item = &[Post]> {
    let mut rest = posts;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(POSTS_AT_ONCE).take_while(|post| {
            bytes += post.text.len() + POST_BYTES_AROUND;
            bytes <= BYTES_AT_ONCE
        });
        let count = fits.count().max(1).min(rest.len());
        let (some, others) = rest.split_at_checked(count)?;
        rest = others;
        (!some.is_empty()).then_some(some)
    })
}

/// Makes a post one that the till takes: what it does not need and cannot take is left out.
fn trim(post: &mut Post) {
    if post.text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|&at| post.text.is_char_boundary(at));
        post.text.truncate(end.unwrap_or(0));
    }
    let is_language = |lang: &String| {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=35).contains(&lang.len()) && lang.bytes().all(fine)
    };
    post.lang = post.lang.take().filter(is_language);
    for id in [&mut post.quote_of, &mut post.in_reply_to] {
        let is_id = |id: &String| {
            (1..=512).contains(&id.len()) && !id.chars().any(|c| c.is_control() || c.is_whitespace())
        };
        *id = id.take().filter(is_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridges::Person;

    fn post(text: String) -> Post {
        Post::new("1", Person { user_id: "u".to_owned(), handle: "h".to_owned() }, text)
    }

    #[test]
    fn portions_are_what_a_request_can_carry() {
        let posts: Vec<Post> = (0..1200).map(|_| post("x".to_owned())).collect();
        assert_eq!(portions(&posts).map(<[Post]>::len).collect::<Vec<_>>(), [500, 500, 200]);
        let posts: Vec<Post> = (0..3).map(|_| post("x".repeat(3 * 1024 * 1024))).collect();
        assert_eq!(portions(&posts).map(<[Post]>::len).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(portions(&[]).count(), 0);
    }

    #[test]
    fn whom_a_post_is_to_is_said_where_it_is_known() {
        let said = |exact, to_us| {
            let post = Post { to_us, ..post("x".to_owned()) };
            let line: serde_json::Value =
                serde_json::from_str(lines(("x", exact), 0, [&post].into_iter()).trim_end()).unwrap();
            line.get("to_us").and_then(serde_json::Value::as_bool)
        };
        assert_eq!(said(false, false), None);
        assert_eq!(said(false, true), Some(true));
        assert_eq!(said(true, false), Some(false));
    }

    #[test]
    fn what_the_till_could_not_take_is_left_out() {
        let mut odd = post("ü".repeat(40_000));
        odd.lang = Some("a language".to_owned());
        odd.quote_of = Some("x".repeat(513));
        odd.in_reply_to = Some("two words".to_owned());
        trim(&mut odd);
        assert!(odd.text.len() <= TEXT_BYTES_MAX && odd.text.ends_with('ü'));
        assert_eq!((odd.lang, odd.quote_of, odd.in_reply_to), (None, None, None));
        let mut fine = post("x".to_owned());
        (fine.lang, fine.quote_of) = (Some("zh-Hant".to_owned()), Some("at://a/b/c".to_owned()));
        let before = fine.clone();
        trim(&mut fine);
        assert_eq!(fine, before);
    }
}
