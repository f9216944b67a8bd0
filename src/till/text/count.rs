//! How long a text is, as each network counts it. What the limit is, and what to leave out above it, never lives here.

use super::class::within;
use super::url::{self, Url};
use super::{emoji, tables};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::iter::Peekable;
use std::vec::IntoIter;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// What an address counts, however long it is: `transformedURLLength` in twitter-text, and the length of
/// `URL_PLACEHOLDER` in Mastodon's `StatusLengthValidator`.
const URL_LENGTH: usize = 23;

/// Whose way of counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// X: the weighted length of twitter-text 3.1.0 (configuration version 3). Most scripts count 1 for a character,
    /// Chinese, Japanese, Korean and emoji 2, an address 23.
    X,
    /// Bluesky: grapheme clusters (`maxGraphemes` in the lexicon app.bsky.feed.post).
    Graphemes,
    /// Mastodon: grapheme clusters (`StatusLengthValidator`), an address with its protocol being 23 and a mention of
    /// somebody on another server counting without the server.
    Characters,
}

/// The length of `text` as `counting` has it.
///
/// ```
/// use tagtill::till::text::{Counting, length};
///
/// assert_eq!(length("茶 https://example.com/a-rather-long-path", Counting::X), 2 + 1 + 23);
/// assert_eq!(length("👩‍🚀", Counting::Graphemes), 1);
/// assert_eq!(length("@shop@example.com", Counting::Characters), "@shop".len());
/// ```
pub fn length(text: &str, counting: Counting) -> usize {
    match counting {
        Counting::X => weighted(text),
        Counting::Graphemes => text.graphemes(true).count(),
        Counting::Characters => without_servers(&with_short_urls(text)).graphemes(true).count(),
    }
}

// X ---------------------------------------------------------------------------------------------------------------------

/// twitter-text's `parseTweet(text).weightedLength`. It walks UTF-16 code units, steps over whole addresses and emoji,
/// and weighs a character beyond U+FFFF by its second half, which always weighs 2.
fn weighted(text: &str) -> usize {
    let chars: Vec<char> = text.nfc().collect();
    let units: Vec<u16> = chars.iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()).collect();
    let mut urls =
        if url::possible_in(&chars) { url::urls(&units) } else { Vec::new() }.into_iter().peekable();
    let mut emoji = emoji_at(&chars).into_iter().peekable();
    let (mut at, mut total) = (0, 0);
    while let Some(&unit) = units.get(at) {
        if let Some(url) = starting_at(&mut urls, at, |url: &Url| url.start) {
            total += URL_LENGTH;
            at += url.length;
        } else if let Some((_, length)) = starting_at(&mut emoji, at, |&(start, _)| start) {
            total += 2;
            at += length;
        } else {
            total += weight(unit);
            let pair = matches!(unit, 0xD800..=0xDBFF);
            at += if pair { 2 } else { 1 };
        }
    }
    total
}

/// The element of `found` that starts at `at`; those before it are dropped.
fn starting_at<T>(found: &mut Peekable<IntoIter<T>>, at: usize, start: impl Fn(&T) -> usize) -> Option<T> {
    while found.next_if(|next| start(next) < at).is_some() {}
    found.next_if(|next| start(next) == at)
}

/// Start and length of each emoji, in UTF-16 code units.
fn emoji_at(chars: &[char]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut at, mut start) = (0, 0);
    while let Some(rest) = chars.get(at..).filter(|rest| !rest.is_empty()) {
        let length = emoji::len(rest);
        let width = rest.iter().take(length.max(1)).map(|c| c.len_utf16()).sum();
        if length > 0 {
            found.push((start, width));
        }
        at += length.max(1);
        start += width;
    }
    found
}

/// The ranges of version 3 of twitter-text's configuration that weigh 1; all else weighs 2.
fn weight(unit: u16) -> usize {
    match unit {
        0..=0x10FF | 0x2000..=0x200D | 0x2010..=0x201F | 0x2032..=0x2037 => 1,
        _ => 2,
    }
}

// Mastodon --------------------------------------------------------------------------------------------------------------

/// `text` with a placeholder for each address that has a protocol. Mastodon allows some more characters in a path than
/// twitter-text; such an address counts what is left of it, so that a text is never thought shorter than it is.
fn with_short_urls(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut short = Vec::with_capacity(units.len());
    let mut copied = 0;
    for url in url::urls(&units).into_iter().filter(|url| url.has_protocol) {
        short.extend_from_slice(units.get(copied..url.start).unwrap_or_default());
        short.extend([u16::from(b'x'); URL_LENGTH]);
        copied = url.end;
    }
    short.extend_from_slice(units.get(copied..).unwrap_or_default());
    String::from_utf16_lossy(&short)
}

/// `text` with each `@user@server` cut to `@user` (Mastodon's `Account::MENTION_RE`).
fn without_servers(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        short.push_str(before);
        let preceding = short.chars().next_back();
        let user =
            if preceding.is_some_and(|c| is_word(c) || matches!(c, '=' | '/')) { 0 } else { user_len(from) };
        let (kept, after) = from.split_at(1 + user);
        short.push_str(kept);
        rest = if user > 0 { after.get(server_len(after)..).unwrap_or_default() } else { after };
    }
    short + rest
}

/// The length of the user's name behind an `@`.
fn user_len(from: &str) -> usize {
    dotted_len(from.get(1..).unwrap_or_default(), |c| c.is_ascii_alphanumeric() || c == '_')
}

/// The length of `@server` at the start of `after`; 0 if there is none, or if Mastodon sees no mention there.
fn server_len(after: &str) -> usize {
    let Some(server) = after.strip_prefix('@') else {
        return 0;
    };
    let length = dotted_len(server, is_word);
    let behind = server.get(length..).unwrap_or_default();
    if length == 0 || behind.starts_with(['@', '＠']) || behind.starts_with("://") { 0 } else { 1 + length }
}

/// The length of words that dots and hyphens join, at the start of `text`.
fn dotted_len(text: &str, is_word: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if is_word(c) {
            end = at + c.len_utf8();
        } else if end == 0 || !matches!(c, '.' | '-') {
            break;
        }
    }
    end
}

/// Ruby's `[[:word:]]`: letters, marks, decimal digits and connectors.
fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric() || within(tables::HASHTAG_LETTERS, c.into())
}

#[cfg(test)]
mod tests {
    use super::{Counting, length};

    fn x(text: &str) -> usize {
        length(text, Counting::X)
    }

    fn mastodon(text: &str) -> usize {
        length(text, Counting::Characters)
    }

    #[test]
    fn x_weighs_scripts() {
        assert_eq!(x(""), 0);
        assert_eq!(x("Buy tea"), 7);
        assert_eq!(x("купить"), 6);
        assert_eq!(x("買う"), 4);
        assert_eq!(
            x("\u{10FF}\u{1100}\u{200D}\u{200E}\u{2010}\u{2020}\u{2037}\u{2038}"),
            1 + 2 + 1 + 2 + 1 + 2 + 1 + 2
        );
        assert_eq!(x("𝕋"), 2);
    }

    #[test]
    fn x_counts_composed_characters() {
        assert_eq!(x("cafe\u{301}"), 4);
        assert_eq!(x("q\u{301}"), 2);
        assert_eq!(x("\u{1112}\u{1161}\u{11AB}"), 2, "한");
    }

    #[test]
    fn x_counts_an_emoji_sequence_as_two() {
        for emoji in ["🍵", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "🇨🇭", "1️⃣", "☕️"]
        {
            assert_eq!(x(emoji), 2, "{emoji}");
            assert_eq!(x(&format!("a{emoji}{emoji}b")), 6, "{emoji}");
        }
        assert_eq!(x("\u{FE0F}"), 2);
        assert_eq!(x("☕\u{FE0E}"), 4, "text style is no emoji");
    }

    #[test]
    fn x_counts_an_address_as_23() {
        assert_eq!(x("https://example.com/a/very/long/path/to/somewhere?with=a&query=#x"), 23);
        assert_eq!(x("see a.co, b.co."), 4 + 23 + 2 + 23 + 1);
        assert_eq!(x("see a.example."), 14);
        assert_eq!(x("🍵a.com/x 🍵"), 2 + 23 + 1 + 2);
    }

    #[test]
    fn bluesky_counts_graphemes() {
        let graphemes = |text| length(text, Counting::Graphemes);
        assert_eq!(graphemes("cafe\u{301} 👩🏽‍🚀🇨🇭"), 7);
        assert_eq!(graphemes("https://a.co"), 12);
    }

    #[test]
    fn mastodon_counts_addresses_and_mentions_short() {
        assert_eq!(mastodon("https://example.com/a/very/long/path and more"), 23 + 9);
        assert_eq!(mastodon("a.com 🍵👩🏽‍🚀"), 8, "without a protocol an address is only text");
        assert_eq!(mastodon("@shop@mastodon.example, hello @shop"), "@shop, hello @shop".len());
        assert_eq!(mastodon("@a.b@c-d.example. x@y@z @"), "@a.b. x@y@z @".len());
        assert_eq!(mastodon("@shop@mastodon.example@x"), "@shop@mastodon.example@x".len());
        assert_eq!(mastodon("@tea🍵@x.y"), "@tea".len() + 1 + "@x.y".len());
    }
}
