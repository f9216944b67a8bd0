//! Finding hashtags, as twitter-text 3.1.0 does: `extractHashtags` with its default check for web addresses.
//!
//! Which characters a tag may hold comes from `tables.rs`, addresses come from `url.rs`. Whether a tag is one of ours,
//! and tags that differ only in case, are no concern of this file: it never changes what the author wrote.

use super::class::within;
use super::tables;
use super::units::utf16_len;
use super::url::{self, Url};

/// The hashtags of `text` in order of appearance, without their `#`.
///
/// The rules are those of twitter-text 3.1.0 (`validHashtag.js`, `extractHashtagsWithIndices.js`): `#` or `＃` after
/// anything that is neither part of a tag nor `&`, or after an emoji's variation selector; then letters, marks,
/// digits and a few signs, at least one of them a letter or mark; no `#`, `＃` or `://` behind; and not within a web
/// address. The time taken grows linearly with the text.
///
/// ```
/// use tagtill::till::text::hashtags;
///
/// assert_eq!(hashtags("Now #BuyTea, not example.com/#BuyCoffee or #1"), ["BuyTea"]);
/// ```
pub fn hashtags(text: &str) -> Vec<&str> {
    if !text.contains('#') && !text.contains('＃') {
        return Vec::new();
    }
    let tags = candidates(text);
    if !tags.is_empty() && url::possible(text) {
        return outside_urls(text, tags);
    }
    tags.into_iter().map(|tag| tag.name).collect()
}

/// A tag before addresses are looked at.
struct Tag<'a> {
    name: &'a str,
    /// Byte positions of the sign and of the end of the name.
    start: usize,
    end: usize,
}

fn candidates(text: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut consumed = 0;
    let mut from = 0;
    while let Some((start, sign)) = next_sign(text, from) {
        from = start + sign;
        let Some(rest) = text.get(from..) else { break };
        if !may_start(text, start, consumed) || rest.starts_with(['\u{FE0F}', '\u{20E3}']) {
            continue;
        }
        let Some(length) = name_len(rest) else {
            continue;
        };
        from += length;
        consumed = from;
        let (name, after) = rest.split_at(length);
        if !after.starts_with(['#', '＃']) && !after.starts_with("://") {
            tags.push(Tag { name, start, end: from });
        }
    }
    tags
}

/// The byte position and length of the next `#` or `＃`.
fn next_sign(text: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes().get(from..)?;
    bytes.iter().enumerate().find_map(|(at, &byte)| match byte {
        b'#' => Some((from + at, 1)),
        // U+FF03 begins with EF, as do U+F000 to U+FFFF; 0xEF is never a later byte of a character.
        0xEF if bytes.get(at..)?.starts_with("＃".as_bytes()) => Some((from + at, '＃'.len_utf8())),
        _ => None,
    })
}

/// Whether a sign at `start` may begin a tag. What an earlier match consumed cannot stand before it (`consumed`).
fn may_start(text: &str, start: usize, consumed: usize) -> bool {
    if start == 0 {
        return true;
    }
    if start == consumed {
        return false;
    }
    match text.get(..start).and_then(|before| before.chars().next_back()) {
        Some('\u{FE0E}' | '\u{FE0F}') => true,
        Some(before) => before != '&' && !is_letter(before) && !is_other(before),
        None => false,
    }
}

/// The length in bytes of the name at the start of `rest`, if it is one.
fn name_len(rest: &str) -> Option<usize> {
    let mut has_letter = false;
    let end = rest.char_indices().find(|&(_, c)| {
        let letter = is_letter(c);
        has_letter |= letter;
        !letter && !is_other(c)
    });
    has_letter.then(|| end.map_or(rest.len(), |(at, _)| at))
}

fn is_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { within(tables::HASHTAG_LETTERS, c.into()) }
}

fn is_other(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() || c == '_' } else { within(tables::HASHTAG_OTHERS, c.into()) }
}

/// Drops tags that overlap an address that starts before them. As in twitter-text, an address that starts within a
/// tag is itself dropped and removes nothing.
fn outside_urls<'a>(text: &'a str, tags: Vec<Tag<'a>>) -> Vec<&'a str> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut urls = url::urls(&units).into_iter().peekable();
    let mut kept = Vec::with_capacity(tags.len());
    let mut taken_to = 0;
    let (mut bytes, mut start) = (0, 0);
    for tag in tags {
        start += text.get(bytes..tag.start).map_or(0, utf16_len);
        let end = start + text.get(tag.start..tag.end).map_or(0, utf16_len);
        while let Some(url) = urls.next_if(|url: &Url| url.start < start) {
            if url.start >= taken_to {
                taken_to = url.end;
            }
        }
        if start >= taken_to {
            taken_to = end;
            kept.push(tag.name);
        }
        (bytes, start) = (tag.end, end);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::hashtags;
    use std::time::{Duration, Instant};

    #[test]
    fn a_text_without_a_sign_has_no_tags() {
        assert!(hashtags("").is_empty());
        assert!(hashtags("BuyTea, please. example.com").is_empty());
    }

    #[test]
    fn tags_come_in_order_and_keep_their_case() {
        assert_eq!(hashtags("#BuyTea and ＃buytea, #BUYTEA!"), ["BuyTea", "buytea", "BUYTEA"]);
    }

    #[test]
    fn a_tag_needs_a_letter() {
        assert!(hashtags("#2013 #_ #· #4_5").is_empty());
        assert_eq!(hashtags("#2013x #_a #٤x"), ["2013x", "_a", "٤x"]);
    }

    #[test]
    fn what_may_stand_before() {
        assert_eq!(
            hashtags("(#a \"#b ##c 🍵#d ☕\u{FE0F}#e ☕\u{FE0E}#f ©#g"),
            ["a", "b", "c", "d", "e", "f", "g"]
        );
        assert!(hashtags("x#a 1#a _#a é#a 茶#a &#a &#39;").is_empty());
        assert_eq!(hashtags("&#x27;#Buy"), ["Buy"], "the tag after an entity is one, the entity is none");
        assert!(hashtags("&amp#x27").is_empty());
    }

    #[test]
    fn what_may_stand_behind() {
        assert!(hashtags("#a#b #c＃d #http://e").is_empty());
        assert_eq!(hashtags("#a/b #c:d #e-f #g's"), ["a", "c", "e", "g"]);
    }

    #[test]
    fn a_keycap_is_no_tag() {
        assert!(hashtags("#\u{FE0F}\u{20E3} #\u{20E3}a #\u{FE0F}a").is_empty());
    }

    #[test]
    fn a_variation_selector_belongs_to_the_tag_before_it() {
        assert_eq!(hashtags("#tea\u{FE0F} #x"), ["tea\u{FE0F}", "x"]);
        assert!(hashtags("#tea\u{FE0F}#x").is_empty(), "the selector cannot end one tag and begin the next");
    }

    #[test]
    fn tags_of_many_scripts() {
        assert_eq!(
            hashtags("#お茶を買う #купить_чай #buy𝕋ea #𐐀𐐨 #चाय२"),
            ["お茶を買う", "купить_чай", "buy𝕋ea", "𐐀𐐨", "चाय२"]
        );
    }

    #[test]
    fn addresses_swallow_their_fragments() {
        assert!(
            hashtags("https://shop.example.com/a/#BuyTea shop.com/#BuyTea shop.com/?q=#BuyTea").is_empty()
        );
        assert!(hashtags("茶shop.com/x/#BuyTea").is_empty());
        assert_eq!(hashtags("shop.example/#BuyTea"), ["BuyTea"], "no such top-level domain");
        assert_eq!(hashtags("shop.com #BuyTea"), ["BuyTea"]);
        assert_eq!(hashtags("@shop.com/#BuyTea"), ["BuyTea"], "a handle is no address");
        assert_eq!(
            hashtags("🍵🍵 #Buy🍵 shop.com/#x #Tea.com"),
            ["Buy", "Tea"],
            "positions survive astral characters"
        );
    }

    #[test]
    fn an_address_within_a_tag_does_not_remove_it() {
        assert_eq!(hashtags("#お茶shop.com"), ["お茶shop"]);
    }

    /// Texts on which a backtracking matcher would take quadratic time or worse.
    #[test]
    fn hostile_texts_take_linear_time() {
        let long = 1 << 16;
        let units = [
            "#",
            "＃",
            "#a",
            "a.",
            "#a.com",
            "a.com/(",
            "a.co/((",
            "#a.a-",
            "a_",
            "茶",
            "茶.",
            "#a\u{FE0F}",
            "a.com?!",
            "a.com/–",
            "a.co/&(a.co/&)",
            "a.co/&(",
            "http://",
            "https://t.co/",
            "#x http://a.com/@",
            "xn--",
            ".xn--a",
            "-",
            "é.com",
            "a.comé",
            "。",
            ".日",
        ];
        let start = Instant::now();
        for unit in units {
            for (head, tail) in [
                ("", ""),
                ("#a ", ".com"),
                ("#a .com ", "/#b"),
                ("#a http://", "_.com"),
                ("#a .com a.com/(", ")"),
            ] {
                let text = format!("{head}{}{tail}", unit.repeat(long / unit.len()));
                assert!(hashtags(&text).len() <= long);
            }
        }
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(30), "{taken:?} for some 150 texts of 64 KB");
    }
}
