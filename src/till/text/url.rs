//! Finding web addresses, as twitter-text 3.1.0 does (`extractUrl.js`, `extractUrlsWithIndices.js`), in linear time.
//!
//! Works on UTF-16 code units, because the original does and shows it: an emoji's second half may begin a domain. The
//! original backtracks; here one pass from the right knows for each position where a domain that starts there ends.
//! No address is ever opened, resolved or judged here.

use super::class::within;
use super::domain::{domain_ends, is_valid_domain, next_ascii_domain, tld_len};
use super::tables;
use super::units::{is, is_ascii, lower, run_end};

/// The longest address (`MAX_URL_LENGTH`). The original counts a protocol twice, and one that is missing once.
const LENGTH_MAX: usize = 4096;
/// The longest name after `t.co/` (`MAX_TCO_SLUG_LENGTH`).
const SLUG_LENGTH_MAX: usize = 40;

/// An address, by positions in UTF-16 code units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Url {
    pub start: usize,
    pub end: usize,
    /// The length of the text that twitter-text reports, which can be shorter than `end - start`: without a protocol,
    /// it leaves out what stands between the part of the domain that it links and the path.
    pub length: usize,
    pub has_protocol: bool,
}

/// A match of the expression, before it is checked.
struct Match {
    start: usize,
    domain: usize,
    domain_end: usize,
    path: bool,
    end: usize,
}

/// Whether `text` can hold an address at all: a dot with a top-level domain behind. Cheap, for texts that have none.
pub(super) fn possible(text: &str) -> bool {
    text.match_indices('.').any(|(at, _)| {
        let after = text.get(at + 1..).unwrap_or_default();
        after.starts_with(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric())
            && tld_len(after.encode_utf16()) > 0
    })
}

/// The same for text that is already taken apart.
pub(super) fn possible_in(chars: &[char]) -> bool {
    chars.contains(&'.')
}

/// The addresses in a text of UTF-16 code units, in order. They never overlap.
pub(super) fn urls(units: &[u16]) -> Vec<Url> {
    let ends = domain_ends(units);
    let mut urls = Vec::new();
    let mut from = 0;
    while let Some(found) = next_match(units, &ends, from) {
        from = found.end;
        check(units, &found, &mut urls);
    }
    urls
}

fn next_match(units: &[u16], ends: &[usize], from: usize) -> Option<Match> {
    (from..units.len()).find_map(|at| {
        let preceded = !within(tables::NEVER_BEFORE_URL, units.get(at).copied()?.into());
        let after = if preceded { match_at(units, ends, at + 1) } else { None };
        after.or_else(|| if at == 0 { match_at(units, ends, 0) } else { None })
    })
}

fn match_at(units: &[u16], ends: &[usize], start: usize) -> Option<Match> {
    let protocol = units.get(start..).map_or(0, protocol_len);
    let domain = start + protocol;
    let domain_end = ends.get(domain).copied().filter(|&end| end > 0)?;
    let after_port = port_end(units, domain_end);
    let after_path = if is(units, after_port, b'/') { path_end(units, after_port) } else { after_port };
    let end = query_end(units, after_path);
    Some(Match { start, domain, domain_end, path: after_path > after_port, end })
}

/// `http://` or `https://` in any case; else 0. A domain cannot start with either, so there is no way back.
fn protocol_len(units: &[u16]) -> usize {
    let starts = |with: &str| {
        units.len() >= with.len()
            && units.iter().zip(with.bytes()).all(|(&unit, byte)| lower(unit) == u16::from(byte))
    };
    ["http://", "https://"].into_iter().find(|protocol| starts(protocol)).map_or(0, str::len)
}

fn port_end(units: &[u16], at: usize) -> usize {
    let digits = run_end(units, at + 1, |unit| is_ascii(unit, |byte| byte.is_ascii_digit()));
    if is(units, at, b':') && digits > at + 1 { digits } else { at }
}

/// The path from its slash on: to the last character with which a path may end, among all that it may hold, and the
/// parentheses right behind. (In the original a missing group around `validUrlPathEndingChars` has it so that
/// parentheses behind any other character are left out.)
fn path_end(units: &[u16], slash: usize) -> usize {
    let mut at = slash + 1;
    let mut end = at;
    while let Some(&unit) = units.get(at) {
        if is_path(unit) {
            at += 1;
            if within(tables::PATH_END, unit.into()) {
                end = at;
            }
        } else if let Some(closed) = parentheses_end(units, at) {
            if end == at {
                end = closed;
            }
            at = closed;
        } else {
            break;
        }
    }
    end
}

fn is_path(unit: u16) -> bool {
    within(tables::PATH, unit.into())
}

/// Balanced parentheses around path characters, one pair within another at most.
fn parentheses_end(units: &[u16], open: usize) -> Option<usize> {
    if !is(units, open, b'(') {
        return None;
    }
    let first = run_end(units, open + 1, is_path);
    if first > open + 1 && is(units, first, b')') {
        return Some(first + 1);
    }
    let inner = run_end(units, first + 1, is_path);
    if !is(units, first, b'(') || inner == first + 1 || !is(units, inner, b')') {
        return None;
    }
    let last = run_end(units, inner + 1, is_path);
    is(units, last, b')').then_some(last + 1)
}

fn query_end(units: &[u16], at: usize) -> usize {
    if !is(units, at, b'?') {
        return at;
    }
    let run = run_end(units, at + 1, |unit| {
        is_ascii(unit, |byte| byte.is_ascii_alphanumeric() || b"!?*'@();:&=+$/%#[]-_.,~|".contains(&byte))
    });
    let query = units.get(at + 1..run).unwrap_or_default();
    let last = query
        .iter()
        .rposition(|&unit| is_ascii(unit, |byte| byte.is_ascii_alphanumeric() || b"-_&=#/".contains(&byte)));
    last.map_or(at, |last| at + 1 + last + 1)
}

/// Adds what twitter-text reports of a match: all of it, its ASCII domains, or nothing.
fn check(units: &[u16], found: &Match, urls: &mut Vec<Url>) {
    let domain = units.get(found.domain..found.domain_end).unwrap_or_default();
    let protocol = found.domain - found.start;
    let assumed = if protocol == 0 { "https://".len() } else { protocol };
    if !is_valid_domain(domain) || assumed + found.end - found.start > LENGTH_MAX {
        return;
    }
    if protocol == 0 {
        let before = found.start.checked_sub(1).and_then(|at| units.get(at));
        if !before.is_some_and(|&unit| is_ascii(unit, |byte| b"-_./".contains(&byte))) {
            ascii_domains(domain, found, urls);
        }
    } else if let Some(end) = tco_end(units, found, protocol) {
        urls.push(Url { start: found.start, end, length: end - found.start, has_protocol: true });
    }
}

/// Where an address with a protocol ends: t.co's links never hold more than one short name and a query, which is why
/// nothing else is taken from them; `None` if the name is too long.
fn tco_end(units: &[u16], found: &Match, protocol: usize) -> Option<usize> {
    let url = units.get(..found.end).unwrap_or_default();
    let slug = found.start + protocol + "t.co/".len();
    let host = url.get(found.start + protocol..slug).unwrap_or_default();
    let end = run_end(url, slug, |unit| is_ascii(unit, |byte| byte.is_ascii_alphanumeric()));
    if end <= slug || !host.iter().copied().map(lower).eq("t.co/".encode_utf16()) {
        return Some(found.end);
    }
    (end - slug <= SLUG_LENGTH_MAX).then(|| query_end(url, end))
}

/// Without a protocol only the ASCII (and accented Latin) parts of a domain are linked; the last one takes the path.
fn ascii_domains(domain: &[u16], found: &Match, urls: &mut Vec<Url>) {
    let mut linked = 0;
    let mut last = None;
    let mut from = 0;
    while let Some((start, end, next)) = next_ascii_domain(domain, from) {
        from = next;
        // The original looks the text up again and finds an equal one that stands before it.
        let text = domain.get(start..end).unwrap_or_default();
        let start = (linked..start)
            .find(|&at| domain.get(at..).is_some_and(|rest| rest.starts_with(text)))
            .unwrap_or(start);
        linked = start + text.len();
        last = Some(text.len());
        let at = found.start + start;
        urls.push(Url { start: at, end: at + text.len(), length: text.len(), has_protocol: false });
    }
    if let (true, Some(length), Some(url)) = (found.path, last, urls.last_mut()) {
        url.length = found.end - found.start - domain.len() + length;
        url.end = found.end;
    }
}

#[cfg(test)]
mod tests {
    use super::{possible, urls};

    fn found(text: &str) -> Vec<String> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let found = urls(&units);
        assert!(found.is_empty() || possible(text), "{text}");
        found.iter().map(|url| String::from_utf16(&units[url.start..url.end]).unwrap()).collect()
    }

    #[test]
    fn addresses_with_a_protocol() {
        assert_eq!(found("see HTTPS://shop.com:8080/a/b?q=1."), ["HTTPS://shop.com:8080/a/b?q=1"]);
        assert_eq!(found("(http://お茶.みんな)"), ["http://お茶.みんな"]);
        assert!(found("ftp://nothing http://localhost xhttp://").is_empty());
    }

    #[test]
    fn addresses_without_one_are_latin() {
        assert_eq!(found("a.com, b.co.jp/x? お茶c.de"), ["a.com", "b.co.jp/x", "c.de"]);
        assert!(found("お茶.みんな @a.com $b.com x_.c.com").is_empty());
        assert!(found("..a.com").is_empty());
        assert_eq!(found("é.com 😀a.com/é"), ["é.com", "a.com/é"]);
        assert_eq!(found("a.com?q=1"), ["a.com"], "a query needs a path or a protocol");
    }

    #[test]
    fn paths_end_with_something_that_ends_paths() {
        for (text, url) in [
            ("a.co/b.", "a.co/b"),
            ("a.co/b(c)!", "a.co/b(c)"),
            ("a.co/b(c(d)e)f,", "a.co/b(c(d)e)f"),
            ("a.co/b(c(d(e)))", "a.co/b"),
            ("a.co/!!", "a.co/"),
            ("a.co/(b)(c)!", "a.co/(b)(c)"),
            ("a.co/!(b)", "a.co/"),
            ("a.co/!(b)c(d)!(e)", "a.co/!(b)c(d)"),
            ("a.co/@b/c", "a.co/@b/c"),
            ("a.co/b)?x=1!!", "a.co/b"),
            ("a.co/b?x=(1)&!", "a.co/b?x=(1)&"),
        ] {
            assert_eq!(found(text), [url], "{text}");
        }
    }

    #[test]
    fn links_of_t_co_are_short() {
        assert_eq!(found("https://t.co/abc/def"), ["https://t.co/abc"]);
        assert_eq!(found("https://t.co/abc?a=b!"), ["https://t.co/abc?a=b"]);
        assert!(found(&format!("https://t.co/{}", "x".repeat(41))).is_empty());
    }

    #[test]
    fn the_length_of_an_address_is_bounded() {
        let path = |length| format!("http://a.co/{}", "x".repeat(length - "http://a.co/".len()));
        assert_eq!(found(&path(4096 - 7)).len(), 1);
        assert!(found(&path(4097 - 7)).is_empty());
    }
}
