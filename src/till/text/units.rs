//! Small questions about UTF-16 code units, in which twitter-text's expressions see a text. No grammar lives here.

/// Whether the unit at `at` is `byte`.
pub(super) fn is(units: &[u16], at: usize, byte: u8) -> bool {
    units.get(at) == Some(&u16::from(byte))
}

/// `unit` in lower case if it is ASCII.
pub(super) fn lower(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| byte.to_ascii_lowercase().into())
}

/// Where a run of units ends that all fulfil `holds`.
pub(super) fn run_end(units: &[u16], from: usize, holds: impl Fn(u16) -> bool) -> usize {
    let rest = units.get(from..).unwrap_or_default();
    from + rest.iter().position(|&unit| !holds(unit)).unwrap_or(rest.len())
}

/// Whether `unit` is an ASCII character that fulfils `holds`.
pub(super) fn is_ascii(unit: u16, holds: impl Fn(u8) -> bool) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii() && holds(byte))
}

/// The length of `text` in UTF-16 code units.
pub(super) fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
