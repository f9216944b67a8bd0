//! What a post's HTML says: the text that a reader sees, with its line breaks.
//!
//! Servers clean what comes from others, each in its own way; nothing here relies on it.

use html5gum::Tokenizer;
use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};

/// Elements whose content nobody reads.
const UNREAD: &[&str] = &[
    "script", "style", "template", "iframe", "noscript", "noembed", "object", "svg", "math", "title", "head",
];
/// Elements with a blank line before and after them.
const PARAGRAPHS: &[&str] =
    &["p", "blockquote", "pre", "ul", "ol", "dl", "table", "h1", "h2", "h3", "h4", "h5", "h6", "figure"];
/// Elements on lines of their own.
const LINES: &[&str] =
    &["div", "li", "dt", "dd", "tr", "hr", "section", "article", "header", "footer", "details", "summary"];

/// The text of a piece of HTML. Links are whole: some servers mark parts of them as invisible.
///
/// Left out is what a server puts there for those that cannot show quotes (`quote-inline`): these are somebody else's
/// words.
pub fn text_of(html: &str) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut page = Page::default();
    for token in Tokenizer::new_with_emitter(html, emitter) {
        // Reading from memory does not fail.
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => page.start(&tag),
            Token::EndTag(tag) => page.end(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => page.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    page.text
}

/// What was read so far.
#[derive(Default)]
struct Page {
    text: String,
    /// Line breaks that come before the next words.
    breaks: usize,
    /// Whether a space comes before the next words.
    space: bool,
    /// The element that is left out now, and how many of its name are open.
    left_out: Option<(String, usize)>,
    /// How many `pre` are open: there, spaces and line breaks are what they are.
    pre: usize,
}

impl Page {
    fn start(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        if let Some((open, depth)) = &mut self.left_out {
            // A paragraph ends where the next one begins.
            if *open != name || tag.self_closing {
                return;
            }
            if name != "p" {
                *depth += 1;
                return;
            }
            self.left_out = None;
        }
        if UNREAD.contains(&name.as_str()) || is_quote(tag) {
            if !tag.self_closing {
                self.left_out = Some((name, 1));
            }
            return;
        }
        if name == "br" {
            self.breaks += 1;
            return;
        }
        self.boundary(&name);
        if name == "pre" {
            self.pre += 1;
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((open, depth)) = &mut self.left_out {
            if open == name {
                *depth -= 1;
                if *depth == 0 {
                    self.left_out = None;
                }
            }
            return;
        }
        match name {
            "br" => self.breaks += 1,
            "pre" => self.pre = self.pre.saturating_sub(1),
            _ => {}
        }
        self.boundary(name);
    }

    fn boundary(&mut self, name: &str) {
        if PARAGRAPHS.contains(&name) {
            self.breaks = self.breaks.max(2);
        } else if LINES.contains(&name) {
            self.breaks = self.breaks.max(1);
        } else if matches!(name, "td" | "th") {
            self.space = true;
        }
    }

    fn text(&mut self, text: &str) {
        if self.left_out.is_some() {
            return;
        }
        for c in text.chars() {
            match c {
                '\n' if self.pre > 0 => self.breaks += 1,
                ' ' | '\t' | '\n' | '\r' | '\u{c}' => self.space = true,
                c if c.is_control() => {}
                c => {
                    self.gap();
                    self.text.push(c);
                }
            }
        }
    }

    /// What comes between the words before and the words after.
    fn gap(&mut self) {
        if !self.text.is_empty() {
            if self.breaks > 0 {
                self.text.extend(std::iter::repeat_n('\n', self.breaks.min(2)));
            } else if self.space {
                self.text.push(' ');
            }
        }
        self.breaks = 0;
        self.space = false;
    }
}

fn is_quote(tag: &StartTag<()>) -> bool {
    let class = tag.attributes.get(b"class".as_slice());
    class.is_some_and(|class| {
        String::from_utf8_lossy(class).split_ascii_whitespace().any(|class| class == "quote-inline")
    })
}

/// The words of a text without the mentions that it begins with, to tell whether two texts say the same: servers show
/// mentions in different ways.
pub fn words_of(text: &str) -> Vec<&str> {
    text.split_whitespace().skip_while(|word| word.starts_with('@')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::text::hashtags;

    #[test]
    fn texts_are_read_as_people_see_them() {
        for (html, wanted) in [
            // Mastodon.
            (
                "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://a.example/@shop\" class=\"u-url mention\">@<span>shop</span></a></span> \
                 <a href=\"https://a.example/tags/BuyTea\" class=\"mention hashtag\" rel=\"tag\">#<span>BuyTea</span></a> please</p>",
                "@shop #BuyTea please",
            ),
            (
                "<p>One<br />Two</p><p>Three &amp; &lt;four&gt; &#x1F375;</p>",
                "One\nTwo\n\nThree & <four> \u{1F375}",
            ),
            (
                "<p>See <a href=\"https://shop.example/a/long/way\"><span class=\"invisible\">https://</span><span \
                 class=\"ellipsis\">shop.example/a</span><span class=\"invisible\">/long/way</span></a></p>",
                "See https://shop.example/a/long/way",
            ),
            (
                "<p class=\"quote-inline\">RE: <a href=\"https://a.example/1\">a.example/1 #BuyTea</a></p><p>No, thanks</p>",
                "No, thanks",
            ),
            // Akkoma.
            (
                "Mine<span class=\"quote-inline\"><br/><br/>RE: <span>#BuyTea</span> <a href=\"x\">x</a></span> too",
                "Mine too",
            ),
            (
                "hi<br/><a class=\"hashtag\" data-tag=\"buytea\" href=\"https://a.example/tag/buytea\">#BuyTea</a>",
                "hi\n#BuyTea",
            ),
            // GoToSocial, with a custom emoji and a list.
            (
                "<p>Two:</p>\n<ul>\n<li>tea</li>\n<li>:cup: <em>#Buy<b>Tea</b></em></li>\n</ul>\n",
                "Two:\n\ntea\n:cup: #BuyTea",
            ),
            ("<blockquote><p>theirs</p></blockquote><p>ours</p>", "theirs\n\nours"),
            ("<pre><code>a  b\nc</code></pre>after", "a b\nc\n\nafter"),
            // No HTML at all.
            ("just #BuyTea", "just #BuyTea"),
            ("", ""),
            ("<p></p>", ""),
            ("<p>  \n </p><br><br>", ""),
            ("a&nbsp;b", "a\u{a0}b"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ] {
            assert_eq!(text_of(html), wanted, "{html}");
        }
    }

    #[test]
    fn hostile_html_says_nothing_that_is_not_read() {
        for (html, wanted) in [
            ("<script>if (a<b) '#BuyTea'</script>no", "no"),
            ("<style>#BuyTea > a</style>no<style>#BuyTea", "no"),
            ("<!-- #BuyTea -->no", "no"),
            ("<img alt=\"#BuyTea\" src=x onerror=alert(1)>no", "no"),
            ("<a title='#BuyTea>' href=\"javascript:x\">no</a>", "no"),
            ("<template><template></template>#BuyTea</template>no", "no"),
            ("<svg><text>#BuyTea</text></svg>no", "no"),
            ("<p class=\"quote-inline\">#BuyTea<p>no", "no"),
            ("<span class='x quote-inline y'><span>#BuyTea</span>#BuyTea</span>no", "no"),
            ("<span class=quote-inline>#BuyTea", ""),
            ("no<", "no<"),
            ("no</", "no</"),
            ("</p></div></pre></span>no", "no"),
            ("n\u{0}o\u{7}", "no"),
            ("&#BuyTea;", "&#BuyTea;"),
            ("<b", ""),
        ] {
            assert_eq!(text_of(html), wanted, "{html}");
        }
    }

    #[test]
    fn hashtags_are_found_in_it_and_not_made_by_it() {
        for (html, wanted) in [
            ("<p>#Buy</p><p>Tea</p>", vec!["Buy"]),
            ("<p>#Buy<br>Tea</p>", vec!["Buy"]),
            ("#Buy<span>Tea</span>", vec!["BuyTea"]),
            ("#Buy<wbr>Tea", vec!["BuyTea"]),
            ("<p>a</p>#BuyTea", vec!["BuyTea"]),
            ("&#35;BuyTea", vec!["BuyTea"]),
            ("<a href=\"https://shop.com/#BuyTea\">https://shop.com/#BuyTea</a>", vec![]),
        ] {
            let text = text_of(html);
            assert_eq!(hashtags(&text), wanted, "{html}: {text}");
        }
    }

    #[test]
    fn much_of_it_takes_little_time() {
        let html = "<div><span class=quote-inline>".repeat(100_000);
        assert_eq!(text_of(&html), "");
        let html = "<blockquote>a".repeat(100_000);
        assert_eq!(text_of(&html).len(), 300_000 - 2);
    }

    #[test]
    fn mentions_in_front_do_not_count() {
        assert_eq!(
            words_of("@ada  Yours.\nPost #ConfirmTea"),
            words_of("@ada@far.example Yours. Post #ConfirmTea")
        );
        assert_ne!(words_of("@ada Yours."), words_of("@ada Yours"));
        assert!(words_of("@ada @ben").is_empty());
    }
}
