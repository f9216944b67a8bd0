//! Domains and the top-level domains by which they are known, as twitter-text 3.1.0 sees them (`validDomain.js`,
//! `validAsciiDomain.js`, `idna.js`). Protocols, paths and queries are left to `url.rs`.

use super::class::within;
use super::units::{is, is_ascii, lower, run_end, utf16_len};
use super::{punycode, tables, tlds};

/// The longest part of a domain between two dots, in Punycode (RFC 1034).
const LABEL_LENGTH_MAX: usize = 63;

/// The domain's label to the right while `domain_ends` walks left.
struct Label {
    /// Where a domain ends that goes on behind the label's dot, or else the top-level domain behind it; 0 for neither.
    further: usize,
    tld: usize,
    has_underscore: bool,
}

/// For each position, where a domain that starts there ends; 0 if none does.
///
/// A domain is labels with dots behind, then a top-level domain, and takes as many labels as it can. The last label
/// has no underscore; labels start and end with neither `-` nor `_`.
pub(super) fn domain_ends(units: &[u16]) -> Vec<usize> {
    let mut ends = vec![0; units.len() + 1];
    let mut label: Option<Label> = None;
    for (at, &unit) in units.iter().enumerate().rev() {
        if unit == u16::from(b'.') {
            let ended = at
                .checked_sub(1)
                .and_then(|before| units.get(before))
                .is_some_and(|&last| is_domain_char(last));
            label = ended.then(|| Label {
                further: ends.get(at + 1).copied().unwrap_or(0),
                tld: tld_end(units, at + 1),
                has_underscore: false,
            });
        } else if unit == u16::from(b'_') {
            if let Some(label) = &mut label {
                label.has_underscore = true;
            }
        } else if unit != u16::from(b'-') {
            if !is_domain_char(unit) {
                label = None;
            }
            if let (Some(label), Some(end)) = (&label, ends.get_mut(at)) {
                *end = match label {
                    Label { further: 0, has_underscore: true, .. } => 0,
                    Label { further: 0, tld, .. } => *tld,
                    Label { further, .. } => *further,
                };
            }
        }
    }
    ends
}

fn is_domain_char(unit: u16) -> bool {
    match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii_alphanumeric() => true,
        Ok(b'.' | b'-' | b'_') => false,
        _ => !within(tables::DOMAIN_BREAKS, unit.into()),
    }
}

pub(super) fn tld_end(units: &[u16], at: usize) -> usize {
    match tld_len(units.get(at..).unwrap_or_default().iter().copied()) {
        0 => 0,
        length => at + length,
    }
}

/// The length of the top-level domain at the start of `units`, 0 if there is none.
pub(super) fn tld_len(units: impl Iterator<Item = u16> + Clone) -> usize {
    let mut name = [0; tlds::LONGEST];
    let mut length = 0;
    let mut rest = units.clone();
    let after = loop {
        let unit = rest.next();
        let Some(byte) = unit.filter(|&unit| is_ascii(unit, |byte| byte.is_ascii_alphanumeric())) else {
            break unit;
        };
        let Some(slot) = name.get_mut(length) else {
            return 0;
        };
        *slot = u8::try_from(lower(byte)).unwrap_or_default();
        length += 1;
    };
    let name = name.get(..length).unwrap_or_default();
    if ends_tld(after) && tlds::ASCII.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok() {
        return length;
    }
    match after {
        Some(0x80..) => international_len(&units),
        Some(0x2D) if name == b"xn" => punycode_len(units),
        _ => 0,
    }
}

/// What may follow a top-level domain.
fn ends_tld(after: Option<u16>) -> bool {
    after.is_none_or(|unit| !is_ascii(unit, |byte| byte.is_ascii_alphanumeric() || b"@+-".contains(&byte)))
}

fn international_len(units: &(impl Iterator<Item = u16> + Clone)) -> usize {
    let matches = |name: &&&str| {
        let mut units = units.clone();
        name.encode_utf16().all(|wanted| units.next().map(upper) == Some(wanted)) && ends_tld(units.next())
    };
    tlds::INTERNATIONAL.iter().find(matches).map_or(0, |name| utf16_len(name))
}

/// A code unit as JavaScript compares it when case is ignored (ECMA-262, `Canonicalize`).
fn upper(unit: u16) -> u16 {
    let Some(c) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut uppers = c.to_uppercase();
    match (uppers.next(), uppers.next()) {
        (Some(upper), None) if c.is_ascii() || !upper.is_ascii() => {
            u16::try_from(u32::from(upper)).unwrap_or(unit)
        }
        _ => unit,
    }
}

fn punycode_len(units: impl Iterator<Item = u16>) -> usize {
    let prefix = "xn--".encode_utf16();
    let run = units
        .map(lower)
        .take_while(|&unit| is_ascii(unit, |byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    let (mut prefixed, mut length) = (prefix.clone(), 0);
    for unit in run {
        if prefixed.next().is_some_and(|wanted| wanted != unit) {
            return 0;
        }
        length += 1;
    }
    if length > prefix.count() { length } else { 0 }
}

/// The next ASCII domain, and where to look for the one after it: behind all labels that belong together.
pub(super) fn next_ascii_domain(domain: &[u16], from: usize) -> Option<(usize, usize, usize)> {
    let is_part = |unit: u16| within(tables::ASCII_DOMAIN, unit.into());
    let mut from = from;
    while from < domain.len() {
        let start = run_end(domain, from, |unit| !is_part(unit));
        let mut found = None;
        let mut at = start;
        loop {
            let dot = run_end(domain, at, is_part);
            if dot == at || !is(domain, dot, b'.') {
                from = dot.max(start + 1);
                break;
            }
            at = dot + 1;
            match tld_end(domain, at) {
                0 => {}
                end => found = Some(end),
            }
        }
        if let Some(end) = found {
            return Some((start, end, end.max(at)));
        }
    }
    None
}

/// Whether each label is short enough in Punycode, and a domain in Punycode is ASCII (`idna.js`).
pub(super) fn is_valid_domain(domain: &[u16]) -> bool {
    let punycode: Vec<u16> = "xn--".encode_utf16().collect();
    if domain.starts_with(&punycode) && next_ascii_domain(domain, 0).is_none() {
        return false;
    }
    domain
        .split(|&unit| unit == u16::from(b'.'))
        .all(|label| (1..=LABEL_LENGTH_MAX).contains(&ascii_label_len(label)))
}

/// The length of a label in Punycode; ideographic full stops divide it further, as the punycode package has it.
fn ascii_label_len(label: &[u16]) -> usize {
    if label.len() > 2 * LABEL_LENGTH_MAX {
        return label.len();
    }
    let parts = label.split(|&unit| matches!(unit, 0x3002 | 0xFF0E | 0xFF61));
    parts.map(|part| punycode_label_len(part) + 1).sum::<usize>() - 1
}

fn punycode_label_len(label: &[u16]) -> usize {
    // As in Node's own punycode module, which comes before the package of that name.
    if label.iter().all(|&unit| unit < 0x80) {
        return label.len();
    }
    let points: Vec<u32> = char::decode_utf16(label.iter().copied())
        .map(|c| c.map_or_else(|half| half.unpaired_surrogate().into(), u32::from))
        .collect();
    "xn--".len() + punycode::encoded_len(&points)
}

#[cfg(test)]
mod tests {
    use super::{domain_ends, is_valid_domain, tld_len};

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// What of `text` is a domain that starts with it.
    fn domain(text: &str) -> String {
        let units = units(text);
        String::from_utf16(&units[..domain_ends(&units)[0]]).unwrap()
    }

    #[test]
    fn a_domain_takes_as_many_labels_as_it_can() {
        assert_eq!(domain("a.com.jp.de/x"), "a.com.jp.de");
        assert_eq!(domain("a.com.x.y z"), "a.com");
        assert_eq!(domain("a-b.c_d.shop.com"), "a-b.c_d.shop.com");
        assert_eq!(domain("お茶.みんなです"), "お茶.みんな");
        assert_eq!(domain("a.рф a.РФ"), "a.рф");
    }

    #[test]
    fn labels_have_their_rules() {
        for text in [
            "a_b.com", "-a.com", "_a.com", "a-.com", "a_.b.com", "a b.com", "a..com", ".com", "a.como",
            "a.com-b", "a.",
        ] {
            assert_eq!(domain(text), "", "{text}");
        }
    }

    #[test]
    fn top_level_domains_end_where_they_must() {
        for (text, length) in [
            ("com", 3),
            ("COM/", 3),
            ("comé", 3),
            ("com1", 0),
            ("com@", 0),
            ("com+", 0),
            ("xn--p1ai!", 8),
            ("xn--", 0),
            ("vermögensberater", 16),
            ("嘉里大酒店", 5),
            ("嘉里大", 2),
            ("", 0),
        ] {
            assert_eq!(tld_len(units(text).into_iter()), length, "{text}");
        }
    }

    #[test]
    fn labels_hold_63_characters_in_punycode() {
        assert!(is_valid_domain(&units(&format!("{}.com", "a".repeat(63)))));
        assert!(!is_valid_domain(&units(&format!("{}.com", "a".repeat(64)))));
        assert!(is_valid_domain(&units(&format!("ä{}.com", "a".repeat(54)))));
        assert!(!is_valid_domain(&units(&format!("ä{}.com", "a".repeat(62)))));
        assert!(!is_valid_domain(&units("xn--茶.みんな")), "what calls itself Punycode is ASCII");
    }
}
