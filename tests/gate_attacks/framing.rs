//! Where a request ends: lengths that lie, chunks that are none, and requests hidden in others.

use crate::fort::Fort;
use crate::raw::{Raw, head, news, post, post_with, refused};
use serde_json::Value;
use std::net::SocketAddr;

fn lengths_are_refused(cases: &[(&str, u16)]) {
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            for (headers, status) in cases {
                refused(siege.addr, post_with(headers, "abc"), *status);
            }
        });
    });
}

#[test]
fn huge_content_length() {
    lengths_are_refused(&[
        ("Content-Length: 100000000000\r\n", 413),
        ("Content-Length: 9223372036854775807\r\n", 413),
        ("Content-Length: 18446744073709551615\r\n", 413),
        ("Content-Length: 18446744073709551617\r\n", 413),
        ("Content-Length: 99999999999999999999999999999999\r\n", 413),
    ]);
}

#[test]
fn negative_content_length() {
    lengths_are_refused(&[
        ("Content-Length: -1\r\n", 400),
        ("Content-Length: -9223372036854775808\r\n", 400),
        ("Content-Length: +3\r\n", 400),
        ("Content-Length: 0x3\r\n", 400),
        ("Content-Length: 3.0\r\n", 400),
        ("Content-Length: three\r\n", 400),
        ("Content-Length:\r\n", 400),
    ]);
}

#[test]
fn duplicate_content_length() {
    lengths_are_refused(&[
        ("Content-Length: 3\r\nContent-Length: 3\r\n", 400),
        ("Content-Length: 3\r\ncontent-length: 3\r\n", 400),
        ("Content-Length: 3, 3\r\n", 400),
        ("Content-Length: 0\r\nContent-Length: 0\r\n", 400),
    ]);
}

#[test]
fn conflicting_content_length() {
    lengths_are_refused(&[
        ("Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 3, 4\r\n", 400),
        ("Content-Length: 0\r\nContent-Length: 3\r\n", 400),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
    ]);
}

/// A body in chunks of so many bytes.
fn chunked(body: &str, size: usize) -> String {
    let chunks = body.as_bytes().chunks(size);
    let chunks = chunks.map(|it| format!("{:x};a=b\r\n{}\r\n", it.len(), std::str::from_utf8(it).unwrap()));
    chunks.chain(["0\r\n\r\n".to_owned()]).collect()
}

#[test]
fn chunked_bodies_well_formed() {
    Fort::new(16).stands(4, |siege| {
        let mut raw = Raw::connect(siege.addr);
        siege.repeat(|| {
            for size in [1, 7, 50, 1000] {
                let request = post_with("Transfer-Encoding: chunked\r\n", &chunked(&news(), size));
                // In two pieces, cut somewhere.
                let (first, second) = request.split_at(request.len() - size.min(40));
                raw.send(first);
                raw.send(second);
                let answer = raw.answer();
                if answer.as_ref().is_none_or(|it| it.closes) {
                    raw = Raw::connect(siege.addr);
                }
                assert!(answer.is_none_or(|it| it.status == 200));
            }
        });
    });
}

#[test]
fn chunked_bodies_malformed() {
    let cases = [
        ("zz\r\n", 400),
        ("-5\r\n", 400),
        ("5\nhello\n0\n\n", 400),
        ("1\r\nab\r\n", 400),
        ("0\r\nEvil: 1\r\n\r\n", 400),
        ("fffffffff\r\n", 400),
        ("ffffffffffffffffffffffffffffffffff\r\n", 400),
        ("0x5\r\nhello\r\n0\r\n\r\n", 400),
        ("\r\n5\r\nhello\r\n0\r\n\r\n", 400),
        ("7fffffff\r\n", 413),
        ("1000001\r\n", 413),
    ];
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            for (body, status) in cases {
                refused(siege.addr, post_with("Transfer-Encoding: chunked\r\n", body), status);
            }
            refused(
                siege.addr,
                post_with("Transfer-Encoding: chunked\r\n", &format!("1;{}", "x".repeat(9000))),
                400,
            );
            // Begun and left.
            Raw::connect(siege.addr).send(post_with("Transfer-Encoding: chunked\r\n", "ffff\r\nhalf"));
        });
    });
}

#[test]
fn smuggling_pairs() {
    let body = r#"{"name":"Smuggled"}"#;
    let hidden = format!(
        "{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        head("POST", "/v1/merchants"),
        body.len()
    );
    let fort = Fort::new(16);
    assert_eq!(merchants(fort.addr), Value::Array(Vec::new()));
    let pairs = |hidden: &str| {
        let both = format!("0\r\n\r\n{hidden}");
        [
            // One parser goes by the length, the other by the chunks, either way.
            post_with(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", both.len()), &both),
            post_with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", &format!("5c\r\n{both}")),
            // One of them does not know the coding.
            post_with("Transfer-Encoding: xchunked\r\n", &both),
            post_with("Transfer-Encoding : chunked\r\n", &both),
            post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &both),
            post_with("Transfer-Encoding: identity, chunked\r\n", &both),
            post_with("Transfer-Encoding:\x0bchunked\r\n", &both),
            post_with("X: a\r\n Transfer-Encoding: chunked\r\n", &both),
            post_with("X: a\nTransfer-Encoding: chunked\r\n", &both),
            post_with("X: a\rTransfer-Encoding: chunked\r\n", &both),
            // One takes the first length, the other the last.
            post_with(&format!("Content-Length: 0\r\nContent-Length: {}\r\n", hidden.len()), hidden),
            post_with(&format!("Content-Length: {}\r\nContent-Length: 0\r\n", hidden.len()), hidden),
            post_with(&format!("Content-Length: 0\r\n Content-Length: {}\r\n", hidden.len()), hidden),
            post_with(&format!("Content-Length: 0{}\r\n", ",0"), hidden),
        ]
    };
    fort.stands(2, |siege| {
        siege.repeat(|| {
            for pair in pairs(&hidden) {
                refused(siege.addr, pair, 400);
            }
            // Behind a good request, and within one: answered once, and the hidden one is not acted on.
            for request in [format!("{}{hidden}", post(&news())), post(&hidden), post(&forged(&hidden))] {
                let mut raw = Raw::connect(siege.addr);
                raw.send(request);
                raw.stream.shutdown(std::net::Shutdown::Write).unwrap();
                assert_eq!(raw.answers().len(), 1);
            }
        });
        assert_eq!(merchants(siege.addr), Value::Array(Vec::new()));
    });
}

/// As the gate itself writes requests for the server behind it, but for what it keeps secret.
fn forged(hidden: &str) -> String {
    hidden.replace("Host: x\r\n", "X-Tagtill-Gate: 0000000000000000 0 1 req_evil 127.0.0.1:1\r\n")
}

fn merchants(addr: SocketAddr) -> Value {
    let mut raw = Raw::connect(addr);
    raw.send(format!("{}Connection: close\r\n\r\n", head("GET", "/v1/merchants")));
    let answers = raw.answers();
    serde_json::from_slice::<Value>(&answers[0].body).unwrap()["data"].take()
}
