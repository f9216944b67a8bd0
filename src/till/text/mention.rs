//! Whether a text names somebody: `@` and a handle, as X, Mastodon and Bluesky write it.

/// Whether `text` mentions `handle`, in any case. Of a handle with a server (`shop@shop.example`) the part before it is
/// enough, as it is on that server.
///
/// ```
/// use tagtill::till::text::mentions;
///
/// assert!(mentions("Hey @Shop, #BuyTea!", "shop"));
/// assert!(mentions("@shop.bsky.social hello", "shop.bsky.social"));
/// assert!(!mentions("me@shop.example", "shop"));
/// assert!(!mentions("@shopping", "shop"));
/// ```
pub fn mentions(text: &str, handle: &str) -> bool {
    let handle = handle.trim_start_matches(['@', '＠']);
    let short = handle.split_once('@').map_or(handle, |(name, _)| name);
    !short.is_empty() && (names(text, handle) || names(text, short))
}

fn names(text: &str, handle: &str) -> bool {
    text.match_indices(['@', '＠']).any(|(at, sign)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let Some(after) = text.get(at + sign.len()..) else { return false };
        let (Some(named), Some(rest)) = (after.get(..handle.len()), after.get(handle.len()..)) else {
            return false;
        };
        named.eq_ignore_ascii_case(handle) && !before.is_some_and(is_part) && !goes_on(rest)
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether what follows belongs to the handle still: a letter, or a dot, dash or `@` with one behind it. A server may
/// follow a name: that is another person's handle.
fn goes_on(rest: &str) -> bool {
    let mut chars = rest.chars();
    match chars.next() {
        None => false,
        Some('.' | '-' | '@') => chars.next().is_some_and(is_part),
        Some(c) => is_part(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_a_whole_word_behind_an_at() {
        for (text, handle, wanted) in [
            ("@shop", "shop", true),
            ("@SHOP.", "shop", true),
            ("(@shop)", "shop", true),
            ("＠shop さん", "shop", true),
            ("@shop's", "shop", true),
            ("@shop_2", "shop", false),
            ("@shop.other", "shop", false),
            ("@shop-a", "shop", false),
            ("a@shop", "shop", false),
            ("shop", "shop", false),
            ("@", "shop", false),
            ("@sho", "shop", false),
            ("@shop@shop.example", "shop@shop.example", true),
            ("@shop", "@shop@shop.example", true),
            ("@shop@other.example", "shop@shop.example", false),
            ("@é", "shop", false),
            ("@shopé", "shop", false),
            ("@anything", "", false),
        ] {
            assert_eq!(mentions(text, handle), wanted, "{text} {handle}");
        }
    }
}
