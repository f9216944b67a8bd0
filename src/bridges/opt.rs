//! Whether somebody asks not to be answered any more, or to be answered again.

/// Words that end answers; those that carriers make every sender of text messages honour (CTIA's guidelines).
const OUT: &[&str] = &["stop", "stopall", "unsubscribe", "opt out", "optout"];
/// Words that begin them again.
const IN: &[&str] = &["start", "unstop", "opt in", "optin"];

/// What a post to us asks for: `Some(true)` to be left alone, `Some(false)` to be answered again. Only a post that says
/// nothing else, besides mentioning people, asks for it.
///
/// ```
/// use tagtill::bridges::opt_wish;
///
/// assert_eq!(opt_wish("@shop STOP"), Some(true));
/// assert_eq!(opt_wish("@shop please opt-in."), None);
/// assert_eq!(opt_wish("Opt-in, @shop@shop.example!"), Some(false));
/// assert_eq!(opt_wish("Don't stop, @shop"), None);
/// ```
pub fn opt_wish(text: &str) -> Option<bool> {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | ',' | '!'))
        .filter(|word| !word.starts_with(['@', '＠']))
        .map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let said = words.join(" ");
    if OUT.contains(&said.as_str()) {
        return Some(true);
    }
    IN.contains(&said.as_str()).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_asks() {
        for (text, wanted) in [
            ("stop", Some(true)),
            ("@shop.example.com stop.", Some(true)),
            ("@shop\nUNSUBSCRIBE", Some(true)),
            ("opt out @shop", Some(true)),
            ("start", Some(false)),
            ("#BuyTea stop", None),
            ("stop it", None),
            ("", None),
            ("@shop", None),
        ] {
            assert_eq!(opt_wish(text), wanted, "{text}");
        }
    }
}
