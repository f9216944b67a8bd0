//! Finding and masking payment card numbers, so that none is ever kept. Nothing here knows issuers, and nothing here
//! may keep, log or return a number.

use super::tables;
use std::borrow::Cow;

/// The lengths of card numbers (ISO/IEC 7812-1).
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
/// How many digits at its end a masked number keeps.
const DIGITS_KEPT: usize = 4;

/// Whether `text` holds what may be a card number: 13 to 19 digits that pass the Luhn check, with single spaces or
/// hyphens between them.
///
/// Digits are those of any script. A number starts and ends where a group of digits does: a card number within more
/// than 19 digits in a row is none, but one in groups is found behind other groups. About a tenth of all numbers of
/// such lengths pass by chance.
///
/// ```
/// use tagtill::till::text::contains_card_number;
///
/// assert!(contains_card_number("my card is 4111 1111 1111 1111"));
/// assert!(!contains_card_number("my card is 4111 1111 1111 1112"));
/// ```
pub fn contains_card_number(text: &str) -> bool {
    let (digits, groups) = digits_and_groups(text);
    (0..groups.len()).any(|first| !windows(&digits, &groups, first).is_empty())
}

/// `text` with `*` for all but the last four digits of what may be card numbers; the rest stays as it was.
///
/// What it returns holds no card number in the sense of [`contains_card_number`].
///
/// ```
/// use tagtill::till::text::mask_card_numbers;
///
/// assert_eq!(mask_card_numbers("4111-1111-1111-1111, thanks"), "****-****-****-1111, thanks");
/// ```
pub fn mask_card_numbers(text: &str) -> Cow<'_, str> {
    let Some(masked) = mask(text, DIGITS_KEPT) else {
        return Cow::Borrowed(text);
    };
    // The digits that were kept may make a number with those behind them. Masking those whole leaves no new group.
    Cow::Owned(mask(&masked, 0).unwrap_or(masked))
}

/// A decimal digit of the text, at a byte position.
struct Digit {
    at: usize,
    value: u32,
}

/// Digits in a row, by their positions among all digits. `joined` says whether one space or hyphen parts it from the
/// group before.
struct Group {
    start: usize,
    end: usize,
    joined: bool,
}

fn digits_and_groups(text: &str) -> (Vec<Digit>, Vec<Group>) {
    let (mut digits, mut groups) = (Vec::new(), Vec::<Group>::new());
    // How many characters were read since the last digit, and whether they were a separator.
    let (mut since, mut separated) = (usize::MAX, false);
    for (at, c) in text.char_indices() {
        let Some(value) = digit_value(c) else {
            separated = since == 0 && is_separator(c);
            since = since.saturating_add(1);
            continue;
        };
        let start = digits.len();
        digits.push(Digit { at, value });
        match groups.last_mut() {
            Some(group) if since == 0 => group.end = digits.len(),
            _ => groups.push(Group { start, end: digits.len(), joined: separated }),
        }
        (since, separated) = (0, false);
    }
    (digits, groups)
}

fn digit_value(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let point = u32::from(c);
    let after = tables::DECIMAL_ZEROS.partition_point(|&zero| zero <= point);
    let zero = tables::DECIMAL_ZEROS.get(after.checked_sub(1)?)?;
    Some(point - zero).filter(|&value| value < 10)
}

/// Spaces that do not end a line, hyphens, dashes and the minus sign.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
            | '-' | '\u{AD}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// The ends, among all digits, of the card numbers that start with the group `first`. There are at most 19 to try.
fn windows(digits: &[Digit], groups: &[Group], first: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let Some(start) = groups.get(first).map(|group| group.start) else {
        return ends;
    };
    // The sums of the Luhn check for a number that ends here, and for one that goes on by one digit more.
    let (mut sum, mut sum_if_longer) = (0, 0);
    for (place, group) in groups.iter().skip(first).enumerate() {
        if (place > 0 && !group.joined) || group.end - start > DIGITS_MAX {
            break;
        }
        for digit in digits.get(group.start..group.end).unwrap_or_default() {
            (sum, sum_if_longer) = (sum_if_longer + digit.value, sum + doubled(digit.value));
        }
        if group.end - start >= DIGITS_MIN && sum % 10 == 0 {
            ends.push(group.end);
        }
    }
    ends
}

fn doubled(digit: u32) -> u32 {
    if digit < 5 { 2 * digit } else { 2 * digit - 9 }
}

/// `text` with all card numbers masked but for their last `kept` digits; `None` if there are none.
fn mask(text: &str, kept: usize) -> Option<String> {
    let (digits, groups) = digits_and_groups(text);
    let mut masked = vec![false; digits.len()];
    for (first, group) in groups.iter().enumerate() {
        for end in windows(&digits, &groups, first) {
            masked.get_mut(group.start..end - kept).into_iter().flatten().for_each(|digit| *digit = true);
        }
    }
    if !masked.contains(&true) {
        return None;
    }
    let mut hidden =
        digits.iter().zip(&masked).filter(|(_, masked)| **masked).map(|(digit, _)| digit.at).peekable();
    let star = |(at, c)| {
        if hidden.next_if_eq(&at).is_some() { '*' } else { c }
    };
    Some(text.char_indices().map(star).collect())
}

#[cfg(test)]
mod tests {
    use super::{contains_card_number, mask_card_numbers};
    use std::borrow::Cow;

    // Numbers that card schemes publish for tests.
    const CARDS: [&str; 5] =
        ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222"];

    #[test]
    fn test_cards_are_found_in_any_grouping() {
        for card in CARDS {
            assert!(contains_card_number(card), "{card}");
            assert!(contains_card_number(&format!("x{card}y")), "{card}");
            let spaced: String = card.chars().flat_map(|c| [c, ' ']).collect();
            assert!(contains_card_number(&spaced), "{spaced}");
        }
        assert!(contains_card_number("3782-822463-10005"));
        assert!(contains_card_number("pay ４１１１　１１１１　１１１１　１１１１ now"));
        assert!(contains_card_number("٤١١١ ١١١١ ١١١١ ١١١١"));
    }

    #[test]
    fn one_wrong_digit_is_no_card() {
        for card in CARDS {
            let wrong = format!("{}{}", &card[..card.len() - 1], if card.ends_with('0') { '1' } else { '0' });
            assert!(!contains_card_number(&wrong), "{wrong}");
        }
    }

    #[test]
    fn lengths_and_separators_are_bounded() {
        assert!(!contains_card_number("000000000000"), "12 digits");
        assert!(contains_card_number("0000000000000000000"), "19 digits");
        assert!(!contains_card_number("00000000000000000000"), "20 digits");
        assert!(!contains_card_number("4111  1111  1111  1111"));
        assert!(!contains_card_number("4111.1111.1111.1111"));
        assert!(!contains_card_number("4111\n1111\n1111\n1111"));
        assert!(!contains_card_number("41111111111111111111"), "within 20 digits in a row");
    }

    #[test]
    fn a_card_is_found_between_other_groups() {
        assert!(contains_card_number("2 teas 12 4111 1111 1111 1111 99"));
        assert!(contains_card_number("1234567 4111111111111111 7654321"));
    }

    #[test]
    fn masks_keep_four_digits_and_all_else() {
        assert!(matches!(mask_card_numbers("no card, 4111 1111"), Cow::Borrowed("no card, 4111 1111")));
        assert_eq!(mask_card_numbers("é4111111111111111é"), "é************1111é");
        assert_eq!(mask_card_numbers("４１１１ １１１１ １１１１ １１１１"), "**** **** **** １１１１");
        assert_eq!(
            mask_card_numbers("4111111111111111 and 378282246310005"),
            "************1111 and ***********0005"
        );
    }

    #[test]
    fn what_is_masked_holds_no_card() {
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let text: String = (0..60)
                .map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ' ', '-', 'x']
                        [(seed >> 40) as usize % 13]
                })
                .collect();
            let masked = mask_card_numbers(&text);
            assert!(!contains_card_number(&masked), "{text} → {masked}");
            assert_eq!(masked.len(), text.len());
        }
        assert!(!contains_card_number(&mask_card_numbers(&"0 ".repeat(1 << 15))));
        assert!(!contains_card_number(&mask_card_numbers(&"0".repeat(1 << 16))));
    }
}
