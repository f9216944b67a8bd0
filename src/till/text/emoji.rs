//! Finding emoji, as twemoji-parser 11.0.2 does, by which X counts each emoji sequence as one. Its expression has ten
//! alternatives, tried in order; each has its line here. Newer emoji are unknown to it, and so they must be here.

use super::class::within;
use super::tables;

const JOINER: char = '\u{200D}';
const EMOJI_STYLE: char = '\u{FE0F}';
const TEXT_STYLE: char = '\u{FE0E}';

/// The number of characters of the emoji at the start of `text`, 0 if there is none.
pub(super) fn len(text: &[char]) -> usize {
    let Some((&first, rest)) = text.split_first() else {
        return 0;
    };
    if first.is_ascii() && !matches!(first, '#' | '*' | '0'..='9') {
        return 0;
    }
    let alternatives = [with_tool, athlete, gendered, family, keycap, mark, symbol, hand, flag_or_single];
    alternatives
        .iter()
        .find_map(|alternative| alternative(first, rest))
        .unwrap_or(usize::from(first == EMOJI_STYLE))
}

fn is(ranges: &[(u32, u32)], c: char) -> bool {
    within(ranges, c.into())
}

fn is_skin(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// `rest` behind an optional skin tone, and how many characters that took.
fn past_skin(rest: &[char]) -> (usize, &[char]) {
    match rest {
        [skin, rest @ ..] if is_skin(*skin) => (1, rest),
        _ => (0, rest),
    }
}

fn with_tool(first: char, rest: &[char]) -> Option<usize> {
    let (skin, rest) = past_skin(rest);
    match rest {
        _ if !matches!(first, '\u{1F468}' | '\u{1F469}') => None,
        [JOINER, tool, EMOJI_STYLE, ..] if is(tables::EMOJI_STYLED_TOOLS, *tool) => Some(skin + 4),
        [JOINER, tool, ..] if is(tables::EMOJI_TOOLS, *tool) => Some(skin + 3),
        _ => None,
    }
}

fn athlete(first: char, rest: &[char]) -> Option<usize> {
    match rest {
        [style, JOINER, '\u{2640}' | '\u{2642}', EMOJI_STYLE, ..]
            if is_skin(*style) || *style == EMOJI_STYLE =>
        {
            is(tables::EMOJI_ATHLETES, first).then_some(5)
        }
        _ => None,
    }
}

fn gendered(first: char, rest: &[char]) -> Option<usize> {
    match past_skin(rest) {
        (skin, [JOINER, '\u{2640}' | '\u{2642}', EMOJI_STYLE, ..]) => {
            is(tables::EMOJI_PEOPLE, first).then_some(skin + 4)
        }
        _ => None,
    }
}

fn family(first: char, rest: &[char]) -> Option<usize> {
    sequence(tables::EMOJI_FAMILIES, first, rest)
}

/// The first of `sequences` with which the text starts.
fn sequence(sequences: &[&str], first: char, rest: &[char]) -> Option<usize> {
    let starts = |sequence: &&&str| {
        let mut wanted = sequence.chars();
        wanted.next() == Some(first) && {
            let mut rest = rest.iter();
            wanted.all(|c| rest.next() == Some(&c))
        }
    };
    sequences.iter().find(starts).map(|sequence| sequence.chars().count())
}

fn keycap(first: char, rest: &[char]) -> Option<usize> {
    match rest {
        _ if !first.is_ascii() => None,
        ['\u{20E3}', ..] => Some(2),
        [EMOJI_STYLE, '\u{20E3}', ..] => Some(3),
        _ => None,
    }
}

fn mark(first: char, rest: &[char]) -> Option<usize> {
    (rest.first() == Some(&EMOJI_STYLE) && is(tables::EMOJI_MARKS, first)).then_some(2)
}

/// What may follow a sign that is text or emoji: nothing if the author wants text.
fn style(rest: &[char]) -> Option<usize> {
    match rest.first() {
        Some(&TEXT_STYLE) => None,
        Some(&EMOJI_STYLE) => Some(1),
        _ => Some(0),
    }
}

fn symbol(first: char, rest: &[char]) -> Option<usize> {
    is(tables::EMOJI_SYMBOLS, first).then(|| style(rest)).flatten().map(|style| 1 + style)
}

fn hand(first: char, rest: &[char]) -> Option<usize> {
    let style = if is(tables::EMOJI_STYLED_HANDS, first) {
        style(rest)?
    } else if is(tables::EMOJI_HANDS, first) {
        0
    } else {
        return None;
    };
    let (skin, _) = past_skin(rest.get(style..)?);
    Some(1 + style + skin)
}

fn flag_or_single(first: char, rest: &[char]) -> Option<usize> {
    let flag = || {
        let seconds = tables::EMOJI_FLAGS.get(usize::try_from(regional(first)?).ok()?)?;
        (seconds >> regional(*rest.first()?)? & 1 == 1).then_some(2)
    };
    let single = || is(tables::EMOJI, first).then_some(1);
    sequence(tables::EMOJI_REGIONS, first, rest).or_else(flag).or_else(single)
}

/// The number of a regional indicator, A being 0.
fn regional(c: char) -> Option<u32> {
    u32::from(c).checked_sub(0x1F1E6).filter(|&letter| letter < 26)
}

#[cfg(test)]
mod tests {
    fn len(text: &str) -> usize {
        super::len(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn whole_sequences_are_found() {
        for whole in ["🍵", "👍🏽", "👩‍🚀", "👨🏿‍⚕️", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇨🇭", "1️⃣", "#⃣", "©️", "☕️", "☝🏻", "🤷‍♀️", "🏋️‍♂️"]
        {
            assert_eq!(len(whole), whole.chars().count(), "{whole}");
            assert_eq!(len(&format!("{whole}!")), whole.chars().count(), "{whole}!");
        }
    }

    #[test]
    fn other_text_is_no_emoji() {
        for text in ["", "a", "1", "#", "茶", "©", "☕\u{FE0E}", "☝\u{FE0E}", "\u{200D}"] {
            assert_eq!(len(text), 0, "{text}");
        }
    }

    #[test]
    fn what_does_not_belong_together_is_taken_apart() {
        assert_eq!(len("🍵🍵"), 1);
        assert_eq!(len("🇨🇪"), 1, "no country has the code CE");
        assert_eq!(len("👩‍🍵"), 1);
    }
}
