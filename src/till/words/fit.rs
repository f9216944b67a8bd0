//! Whether a language's texts fit every network, with the longest values that there can be.

use super::key::Key;
use super::language::Language;
use super::template::{Slot, Template};
use crate::till::hashtag::LETTERS_MAX;
use crate::till::money::{AMOUNT_MAX, Currency, Money};
use crate::till::network::TEXT_LIMIT_MIN;
use crate::till::offer::WINDOW_SECONDS_MAX;
use crate::till::text::{Counting, length};
use crate::till::time::Time;

/// Ways to count a text.
const COUNTINGS: [Counting; 3] = [Counting::X, Counting::Graphemes, Counting::Characters];

/// Checks what is said last, where nothing longer fits: it has to fit alone on the network of the shortest posts.
///
/// # Errors
/// Which text is too long, and by how much.
pub fn check(language: &Language) -> Result<(), String> {
    let tags = ["買", "w"].map(|letter| letter.repeat(LETTERS_MAX));
    let tags = tags.each_ref().map(String::as_str);
    let mut too_long = Vec::new();
    let last = Key::ALL.iter().copied().filter(|key| key.brief().is_none() && !key.is_extra());
    for key in last.chain([Key::NothingCharged]) {
        for (i, template) in language.texts(key).iter().enumerate() {
            let long = longest(language, template, &COUNTINGS, &tags);
            if long > TEXT_LIMIT_MIN {
                too_long.push(format!("reply.{}[{i}]: comes to {long}", key.name()));
            }
        }
    }
    if too_long.is_empty() {
        return Ok(());
    }
    let all = too_long.join("; ");
    Err(format!("{all} with the longest values, and some networks take {TEXT_LIMIT_MIN} only"))
}

/// How long a text can come to be with the longest values, and one of `tags` for a hashtag, however it is counted.
pub fn longest(language: &Language, template: &Template, countings: &[Counting], tags: &[&str]) -> usize {
    let most = |values: Vec<String>| {
        let count = |text: &String| length(text, Counting::X).max(length(text, Counting::Characters));
        values.into_iter().max_by_key(count).unwrap_or_default()
    };
    let currencies = ["USD", "EUR", "GBP", "JPY", "KWD", "CHF"];
    let money = currencies.iter().filter_map(|code| Currency::parse(code));
    let money = most(money.map(|currency| language.money(Money { amount: AMOUNT_MAX, currency })).collect());
    let spans = [WINDOW_SECONDS_MAX, WINDOW_SECONDS_MAX - 1, WINDOW_SECONDS_MAX - 60];
    let window = most(spans.into_iter().map(|seconds| language.span(seconds)).collect());
    let date = language.day(Time::MAX);
    let count = language.number(u64::MAX);
    let mut longest = 0;
    for tag in tags {
        let values: Vec<(Slot, &str)> = Slot::ALL
            .iter()
            .map(|slot| match slot {
                Slot::Price | Slot::Spend | Slot::Credit | Slot::Cap => (*slot, money.as_str()),
                Slot::Confirm | Slot::Buy | Slot::Cancel | Slot::Tag => (*slot, *tag),
                Slot::Window => (*slot, window.as_str()),
                Slot::Date => (*slot, date.as_str()),
                Slot::Place => (*slot, count.as_str()),
                Slot::Percent => (*slot, "100"),
                _ => (*slot, ""),
            })
            .collect();
        let text = template.fill(&values);
        longest = countings.iter().map(|counting| length(&text, *counting)).fold(longest, usize::max);
    }
    longest
}
