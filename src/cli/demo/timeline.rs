//! The timeline as a person reads it: who posted what, what the till answered, what followed. Pure text, no calls.

use super::style::{Ink, Style, pad, wrap};
use crate::till::money::Money;
use crate::till::time::Time;
use std::fmt::Write as _;

/// Where the text of a moment begins: after the time.
const INDENT: usize = 10;
/// How wide the names of facts are.
const LABEL: usize = 9;
/// The longest stock bar, in units.
const BAR_MAX: u64 = 12;

/// One thing that happened, with all that followed from it.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When.
    pub at: Time,
    /// Whose doing: a handle, without `@`; `None`: the clock's.
    pub who: Option<String>,
    /// What was done, where it is more than posting: "reposts the shop's reply".
    pub how: Option<String>,
    /// The text posted.
    pub text: Option<String>,
    /// What followed, in order.
    pub facts: Vec<Fact>,
    /// What the shop's bot posted in reply.
    pub replies: Vec<Said>,
}

/// A reply of the shop.
#[derive(Clone, Debug)]
pub struct Said {
    /// When it was out.
    pub at: Time,
    /// By whom.
    pub from: String,
    /// The words.
    pub text: String,
}

/// What followed from something that happened.
#[derive(Clone, Debug)]
pub enum Fact {
    /// What the till decided.
    Verdict {
        /// The code.
        code: String,
        /// The sentence.
        sentence: String,
        /// Whether it was decided before.
        repeated: bool,
    },
    /// A card was charged.
    Charged {
        /// How much.
        price: Money,
        /// Which card, as the operator sees it.
        card: String,
    },
    /// A deal has credited a card.
    Credited {
        /// How much.
        amount: Money,
        /// Which card.
        card: String,
    },
    /// A card was not charged.
    Declined {
        /// Which card.
        card: String,
    },
    /// The merchant has to ship something.
    Ship {
        /// The order's id.
        order: String,
        /// Name and address.
        to: String,
    },
    /// A hold ended.
    Freed(String),
    /// What is left.
    Stock(Stock),
}

/// The stock of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// What is sold.
    pub title: String,
    /// Free.
    pub available: u64,
    /// Held.
    pub held: u64,
    /// Sold.
    pub sold: u64,
}

/// A time of day, as the timeline shows it.
pub fn clock(at: Time) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// What the narrator says.
pub fn note(style: Style, text: &str) -> String {
    let mut out = String::from("\n");
    for line in wrap(text, style.width.saturating_sub(2)) {
        let _ = writeln!(out, "{} {}", style.paint(Ink::Tag, "▌"), style.paint(Ink::Bold, &line));
    }
    out
}

/// A moment of the timeline.
pub fn moment(style: Style, moment: &Moment) -> String {
    let mut out = String::from("\n");
    let time = style.paint(Ink::Dim, &pad(&clock(moment.at), INDENT));
    let who = moment.who.as_ref().map(|who| style.paint(Ink::Bold, &format!("@{who}")));
    let how = moment.how.as_ref().map(|how| style.paint(Ink::Dim, how));
    let head: Vec<String> = who.into_iter().chain(how).collect();
    let glyph = if moment.who.is_some() { "●" } else { "○" };
    let _ = writeln!(out, "{time}{} {}", style.paint(Ink::Tag, glyph), head.join(" "));
    let gap = " ".repeat(INDENT);
    let stem = style.paint(Ink::Dim, "│");
    for line in moment.text.iter().flat_map(|text| wrap(text, style.width.saturating_sub(INDENT + 2))) {
        let _ = writeln!(out, "{gap}{stem} {}", style.tags(&line));
    }
    for (i, fact) in moment.facts.iter().enumerate() {
        let last = i + 1 == moment.facts.len() && moment.replies.is_empty();
        write_fact(&mut out, style, fact, last);
    }
    for (i, said) in moment.replies.iter().enumerate() {
        write_reply(&mut out, style, said, i + 1 == moment.replies.len());
    }
    out
}

fn write_fact(out: &mut String, style: Style, fact: &Fact, last: bool) {
    let gap = " ".repeat(INDENT);
    let (branch, stem) = if last { ("╰", " ") } else { ("├", "│") };
    let room = style.width.saturating_sub(INDENT + 2 + LABEL);
    let (label, ink, lines) = words(style, fact, room);
    for (i, line) in lines.iter().enumerate() {
        let lead = if i == 0 { branch } else { stem };
        let label = if i == 0 { label } else { "" };
        let label = style.paint(ink, &pad(label, LABEL));
        let _ = writeln!(out, "{gap}{} {label}{line}", style.paint(Ink::Dim, lead));
    }
}

/// The label of a fact, its colour, and its lines.
fn words(style: Style, fact: &Fact, room: usize) -> (&'static str, Ink, Vec<String>) {
    match fact {
        Fact::Verdict { code, sentence, repeated } => {
            let ink = ink_of(code);
            let again = if *repeated { ", as before" } else { "" };
            let lines = wrap(&format!("{code}{again} · {sentence}"), room);
            let painted = lines.iter().enumerate().map(|(i, line)| match line.strip_prefix(code.as_str()) {
                Some(rest) if i == 0 => format!("{}{rest}", style.paint(ink, code)),
                _ => line.clone(),
            });
            ("till", Ink::Dim, painted.collect())
        }
        Fact::Charged { price, card } => {
            ("charged", Ink::Good, vec![format!("{} to {card}", style.paint(Ink::Bold, &price.to_string()))])
        }
        Fact::Credited { amount, card } => (
            "credited",
            Ink::Good,
            vec![format!("{} to {card}", style.paint(Ink::Bold, &amount.to_string()))],
        ),
        Fact::Declined { card } => ("declined", Ink::Bad, vec![format!("{card}; nothing was charged")]),
        Fact::Ship { order, to } => {
            let mut lines = vec![order.clone()];
            lines.extend(wrap(&format!("to {to}"), room));
            ("ship", Ink::Good, lines)
        }
        Fact::Freed(what) => ("freed", Ink::Calm, wrap(what, room)),
        Fact::Stock(stock) => ("stock", Ink::Dim, stock_lines(style, stock, room)),
    }
}

/// How a verdict is coloured.
fn ink_of(code: &str) -> Ink {
    match code {
        "pending" | "confirmed" | "enrolled" => Ink::Good,
        "too_late" | "sold_out" | "account_suspended" | "cannot_ship" | "ended" => Ink::Bad,
        _ => Ink::Calm,
    }
}

/// On one line where there is room, the title below where there is not.
fn stock_lines(style: Style, stock: &Stock, room: usize) -> Vec<String> {
    let plain = Style { colors: false, ..style };
    let taken = bar(plain, stock).chars().count() + counts(stock).len() + stock.title.chars().count() + 4;
    let (units, title) =
        (format!("{} {}", bar(style, stock), counts(stock)), style.paint(Ink::Dim, &stock.title));
    if taken <= room { vec![format!("{units} · {title}")] } else { vec![units, title] }
}

/// `9 free, 0 held, 3 sold`
pub fn counts(stock: &Stock) -> String {
    format!("{} free, {} held, {} sold", stock.available, stock.held, stock.sold)
}

/// A bar of one character a unit: sold, held, free.
pub fn bar(style: Style, stock: &Stock) -> String {
    let all = stock.available.saturating_add(stock.held).saturating_add(stock.sold);
    if all > BAR_MAX {
        return String::new();
    }
    let part = |character: &str, count: u64| character.repeat(usize::try_from(count).unwrap_or(0));
    format!(
        "{}{}{}",
        style.paint(Ink::Good, &part("■", stock.sold)),
        style.paint(Ink::Calm, &part("▣", stock.held)),
        style.paint(Ink::Dim, &part("□", stock.available)),
    )
}

fn write_reply(out: &mut String, style: Style, said: &Said, last: bool) {
    let time = style.paint(Ink::Dim, &pad(&clock(said.at), INDENT));
    let (branch, stem) = if last { ("╰─", "  ") } else { ("├─", "│ ") };
    let from = style.paint(Ink::Bold, &format!("@{}", said.from));
    let _ = writeln!(out, "{time}{}{} {from}", style.paint(Ink::Dim, branch), style.paint(Ink::Tag, "●"));
    let gap = " ".repeat(INDENT);
    for line in wrap(&said.text, style.width.saturating_sub(INDENT + 4)) {
        let _ = writeln!(out, "{gap}{}  {}", style.paint(Ink::Dim, stem), style.tags(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::money::Currency;

    fn at(text: &str) -> Time {
        Time::parse(&format!("2013-02-12T{text}Z")).unwrap()
    }

    fn confirmed() -> Moment {
        let sentence = "The purchase is confirmed; the card is being charged.".to_owned();
        Moment {
            at: at("14:01:30"),
            who: Some("nora".to_owned()),
            how: None,
            text: Some("#ConfirmTea".to_owned()),
            facts: vec![
                Fact::Verdict { code: "confirmed".to_owned(), sentence, repeated: false },
                Fact::Charged {
                    price: Money { amount: 1500, currency: Currency::USD },
                    card: "Visa ···· 4242".to_owned(),
                },
                Fact::Ship { order: "ord_1".to_owned(), to: "Nora, 418 Alder Street, Portland".to_owned() },
                Fact::Stock(Stock { title: "Tea".to_owned(), available: 3, held: 1, sold: 2 }),
            ],
            replies: vec![Said {
                at: at("14:01:34"),
                from: "shop".to_owned(),
                text: "Tea: Sold. $15.00 was charged, and it ships to your billing address.".to_owned(),
            }],
        }
    }

    #[test]
    fn a_moment_reads_from_the_post_to_the_reply() {
        let text = moment(Style { colors: false, width: 60 }, &confirmed());
        let expected = "
14:01:30  ● @nora
          │ #ConfirmTea
          ├ till     confirmed · The purchase is confirmed;
          │          the card is being charged.
          ├ charged  $15.00 to Visa ···· 4242
          ├ ship     ord_1
          │          to Nora, 418 Alder Street, Portland
          ├ stock    ■■▣□□□ 3 free, 1 held, 2 sold · Tea
14:01:34  ╰─● @shop
              Tea: Sold. $15.00 was charged, and it ships to
              your billing address.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn without_a_reply_the_last_fact_closes_the_branch() {
        let text = moment(Style::plain(), &Moment { replies: Vec::new(), ..confirmed() });
        assert!(text.ends_with("          ╰ stock    ■■▣□□□ 3 free, 1 held, 2 sold · Tea\n"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [56, 80, 100] {
            for line in moment(Style { colors: false, width }, &confirmed()).lines() {
                assert!(line.chars().count() <= width, "{line}");
            }
        }
    }
}
