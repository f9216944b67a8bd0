//! The head of a request: where it ends, what is taken from it, and what is passed on.

use std::collections::BTreeSet;
use tagtill::http::wire::{
    Framing, HEAD_BYTES_MAX, HEADERS_MAX, Head, Scan, TARGET_BYTES_MAX, TICKET_HEADER, parse, scan,
};

/// The input is what a client sends.
pub fn request_head(data: &[u8]) {
    let whole = delimit(&[data]);
    let cuts: BTreeSet<usize> = (0..data.len().min(64)).chain([data.len() / 2, data.len()]).collect();
    for cut in cuts {
        let (first, second) = data.split_at(cut);
        assert_eq!(delimit(&[first, second]), whole, "however it arrives, cut at {cut}");
    }
    let bytes: Vec<&[u8]> = data.chunks(1).collect();
    assert_eq!(delimit(&bytes), whole, "byte by byte");
    let Ok(Some(length)) = whole else { return };
    assert!(length <= HEAD_BYTES_MAX);
    let head = &data[..length];
    if let Ok(parsed) = parse(head) {
        accepted(head, &parsed);
    }
}

/// Where the head ends, if it does, as a slot finds out: with each piece that arrives, from where it stood.
fn delimit(pieces: &[&[u8]]) -> Result<Option<usize>, &'static str> {
    let (mut seen, mut from) = (Vec::new(), 0);
    for piece in pieces {
        seen.extend_from_slice(piece);
        match scan(&seen, from).map_err(|refusal| refusal.detail)? {
            Scan::Complete(length) => return Ok(Some(length)),
            Scan::Partial(upto) => from = upto,
        }
    }
    Ok(None)
}

fn accepted(bytes: &[u8], head: &Head) {
    let text = std::str::from_utf8(bytes).unwrap();
    // Read in the plainest way there is: lines, and names before colons.
    let mut lines = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n");
    let request_line = lines.next().unwrap();
    assert!(request_line.starts_with(&format!("{} ", head.method)), "{request_line}");
    let named = |name: &str| {
        let of = |line: &&str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        let value = |line: &str| line.split_once(':').unwrap().1.trim_matches([' ', '\t']).to_owned();
        text.split("\r\n").skip(1).filter(of).map(value).collect::<Vec<String>>()
    };
    let (lengths, codings) = (named("content-length"), named("transfer-encoding"));
    match head.framing {
        Framing::None => assert!(codings.is_empty() && lengths.iter().all(|one| one.parse() == Ok(0_u64))),
        Framing::Length(length) => {
            assert!(codings.is_empty());
            assert!(length > 0);
            let said = lengths[0].trim_start_matches('0');
            assert!(said == length.to_string() || length == u64::MAX && said.len() >= 20, "{said}");
        }
        Framing::Chunked => {
            assert!(lengths.is_empty() && codings.len() == 1);
            assert!(codings[0].eq_ignore_ascii_case("chunked"));
        }
    }
    assert!(lengths.len() <= 1);
    assert!(head.headers.len() <= HEADERS_MAX);
    assert!(head.target.is_ascii() && head.target.starts_with('/'));
    assert!(head.target.len() <= 3 * TARGET_BYTES_MAX);
    relayed(head, 0);
    relayed(head, 17);
}

/// What is passed on reads as the same request, with one plain length, and says nothing that only the gate may say.
fn relayed(head: &Head, body_bytes: usize) {
    let text = head.relayed("0 1 req 127.0.0.1:1", body_bytes);
    assert_eq!(text.to_ascii_lowercase().matches(&format!("\r\n{TICKET_HEADER}:")).count(), 1);
    assert_eq!(text.matches("\r\n\r\n").count(), 1);
    let mut room = [httparse::EMPTY_HEADER; HEADERS_MAX + 2];
    let mut again = httparse::Request::new(&mut room);
    assert_eq!(again.parse(text.as_bytes()), Ok(httparse::Status::Complete(text.len())));
    assert_eq!((again.method, again.path), (Some(&*head.method), Some(&*head.target)));
    let mut expected = vec![(TICKET_HEADER.to_owned(), "0 1 req 127.0.0.1:1".to_owned())];
    expected.extend(head.headers.iter().cloned());
    if body_bytes > 0 {
        expected.push(("Content-Length".to_owned(), body_bytes.to_string()));
    }
    let seen: Vec<(String, String)> = again
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8(header.value.to_vec()).unwrap()))
        .collect();
    assert_eq!(seen, expected);
    let forbidden = ["transfer-encoding", "connection", "te", "trailer", "upgrade", "content-length"];
    assert!(head.headers.iter().all(|(name, _)| !forbidden.contains(&name.as_str())));
}
