//! How the story looks: colours where a terminal shows them, lines as wide as it is.

use std::io::IsTerminal as _;

/// The widest line: longer ones are hard to read.
const WIDTH_MAX: usize = 100;
/// Narrower than this nothing is laid out well, so lines may run over.
const WIDTH_MIN: usize = 56;

/// Whether to use colours, and how wide lines may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub colors: bool,
    /// Columns.
    pub width: usize,
}

/// What a piece of text is, as colours show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Times, rules, what can be skipped.
    Dim,
    /// Headings and names.
    Bold,
    /// It went well.
    Good,
    /// Nothing came of it.
    Calm,
    /// It was refused.
    Bad,
    /// Hashtags.
    Tag,
}

impl Style {
    /// For whatever standard output is: colours only on a terminal, and not where `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let columns = match rustix::termios::tcgetwinsize(&stdout) {
            Ok(size) if terminal && size.ws_col > 0 => usize::from(size.ws_col),
            _ => WIDTH_MAX,
        };
        Self { colors: terminal && !quiet, width: columns.clamp(WIDTH_MIN, WIDTH_MAX) }
    }

    /// Without colours, 100 columns wide.
    pub fn plain() -> Self {
        Self { colors: false, width: WIDTH_MAX }
    }

    /// `text` in a colour.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colors || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Dim => "2",
            Ink::Bold => "1",
            Ink::Good => "32",
            Ink::Calm => "33",
            Ink::Bad => "31",
            Ink::Tag => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// `text` with its hashtags and mentions in their colour.
    pub fn tags(self, text: &str) -> String {
        if !self.colors {
            return text.to_owned();
        }
        let words = text.split(' ').map(|word| match word.chars().next() {
            Some('#' | '@') => {
                let bare = word.trim_end_matches(['.', ',', ':', '!', '?']);
                let rest = word.get(bare.len()..).unwrap_or_default();
                format!("{}{rest}", self.paint(Ink::Tag, bare))
            }
            _ => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Breaks `text` into lines of at most `width` characters, between words where it can.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let taken = line.chars().count();
        if taken > 0 && taken + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` filled up to `width` characters.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_between_words_and_never_loses_any() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert_eq!(Style::plain().paint(Ink::Good, "paid"), "paid");
        let style = Style { colors: true, width: 100 };
        assert_eq!(style.tags("post #BuyTea, now"), "post \u{1b}[36m#BuyTea\u{1b}[0m, now");
    }
}
