//! Refusing characters in titles and variants. What a reply says is put together from such texts, so none of them may
//! bring along a tag, a mention, an address or a way to turn the text around. Lengths are no concern of this file.

use super::url;
use std::fmt;

/// What is wrong with a text that should be plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPlain {
    /// `#` or `＃`, which starts a hashtag.
    HashSign,
    /// `@` or `＠`, which starts a mention.
    AtSign,
    /// A web address, with or without its protocol.
    Url,
    /// The end of a line or a paragraph.
    LineBreak,
    /// Any other control character.
    Control(char),
    /// A character that changes the direction of writing (Unicode's `Bidi_Control`).
    Direction(char),
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HashSign => {
                write!(f, "holds a #, which would be read as a hashtag: write the word without it")
            }
            Self::AtSign => {
                write!(f, "holds an @, which would be read as a mention: write the name without it")
            }
            Self::Url => write!(f, "holds a web address: leave it out, or put a space after its dots"),
            Self::LineBreak => write!(f, "holds a line break: write it on one line"),
            Self::Control(c) => write!(f, "holds the control character U+{:04X}: remove it", u32::from(*c)),
            Self::Direction(c) => {
                write!(f, "holds U+{:04X}, which changes the direction of writing: remove it", u32::from(*c))
            }
        }
    }
}

impl std::error::Error for NotPlain {}

/// Whether `text` may be used as a title: no hashtag or mention sign, address, control or bidirectional character.
/// Says what is wrong with the first character that is, and only then looks for addresses.
///
/// ```
/// use tagtill::till::text::{NotPlain, check_plain};
///
/// assert_eq!(check_plain("Gyokuro, 100 g (2026)"), Ok(()));
/// assert_eq!(check_plain("Tea from example.com"), Err(NotPlain::Url));
/// ```
pub fn check_plain(text: &str) -> Result<(), NotPlain> {
    if let Some(wrong) = text.chars().find_map(wrong_char) {
        return Err(wrong);
    }
    let units = || text.encode_utf16().collect::<Vec<_>>();
    if text.contains("://") || (url::possible(text) && !url::urls(&units()).is_empty()) {
        return Err(NotPlain::Url);
    }
    Ok(())
}

fn wrong_char(c: char) -> Option<NotPlain> {
    match c {
        '#' | '＃' => Some(NotPlain::HashSign),
        '@' | '＠' => Some(NotPlain::AtSign),
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(NotPlain::LineBreak),
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some(NotPlain::Direction(c))
        }
        _ => c.is_control().then_some(NotPlain::Control(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::{NotPlain, check_plain};

    #[test]
    fn plain_texts_pass() {
        for text in
            ["", "Tea", "Tee für 2, 3.50 €", "茶 – お茶", "Nr. 5 and/or 7", "a.b", "קפה", "👩🏽‍🚀", "می‌خواهم"]
        {
            assert_eq!(check_plain(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn each_kind_is_refused() {
        for (text, wrong) in [
            ("Tea #1", NotPlain::HashSign),
            ("Tea ＃1", NotPlain::HashSign),
            ("Tea @ home", NotPlain::AtSign),
            ("＠", NotPlain::AtSign),
            ("from shop.com", NotPlain::Url),
            ("http://localhost", NotPlain::Url),
            ("HTTPS://Example.Com/x", NotPlain::Url),
            ("a\nb", NotPlain::LineBreak),
            ("a\r", NotPlain::LineBreak),
            ("a\u{2028}b", NotPlain::LineBreak),
            ("a\tb", NotPlain::Control('\t')),
            ("a\u{0}", NotPlain::Control('\u{0}')),
            ("a\u{9F}", NotPlain::Control('\u{9F}')),
        ] {
            assert_eq!(check_plain(text), Err(wrong), "{text:?}");
        }
        for c in
            "\u{61C}\u{200E}\u{200F}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}"
                .chars()
        {
            assert_eq!(check_plain(&format!("a{c}b")), Err(NotPlain::Direction(c)));
        }
    }

    #[test]
    fn the_message_says_what_to_do() {
        let message = NotPlain::Direction('\u{202E}').to_string();
        assert_eq!(message, "holds U+202E, which changes the direction of writing: remove it");
    }
}
