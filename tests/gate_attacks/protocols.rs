//! Other protocols, other versions, and bytes that are no text.

use crate::fort::Fort;
use crate::raw::{Raw, head, news, post, post_with, refused};
use crate::support::ADMIN;

fn are_refused(cases: &[(Vec<u8>, u16)]) {
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| cases.iter().for_each(|(bytes, status)| refused(siege.addr, bytes, *status)));
    });
}

#[test]
fn expect_100_continue() {
    let expects =
        |length: usize| post_with(&format!("Content-Length: {length}\r\nExpect: 100-continue\r\n"), "");
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            // As it is meant.
            let body = news();
            let mut raw = Raw::connect(siege.addr);
            raw.send(expects(body.len()));
            if let Some(go_on) = raw.answer() {
                assert_eq!(go_on.status, 100);
                raw.send(&body);
                assert!(raw.answer().is_none_or(|answer| answer.status == 200));
            }
            // Too large to go on; not a known expectation; told to go on, and gone.
            refused(siege.addr, expects(100_000_000), 413);
            refused(siege.addr, post_with("Content-Length: 3\r\nExpect: the-inquisition\r\n", ""), 417);
            let mut raw = Raw::connect(siege.addr);
            raw.send(expects(1000));
            assert_eq!(raw.answer().map(|answer| answer.status), Some(100));
            raw.send("half");
        });
    });
}

#[test]
fn http_1_0() {
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            let body = news();
            let head = format!("POST /v1/posts HTTP/1.0\r\nAuthorization: Bearer {ADMIN}\r\n");
            let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            let mut raw = Raw::connect(siege.addr);
            raw.send(format!("{head}\r\n{body}"));
            let answers = raw.answers();
            assert_eq!((answers.len(), answers[0].status, answers[0].closes), (1, 200, true));
            let mut raw = Raw::connect(siege.addr);
            raw.send(format!("{head}Connection: keep-alive\r\n\r\n{body}"));
            assert_eq!(raw.answer().map(|answer| answer.status), Some(200));
            refused(siege.addr, format!("{head}Transfer-Encoding: chunked\r\n\r\n"), 400);
        });
    });
}

#[test]
fn http_2_preface() {
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec();
    let upgrade = format!("{}HTTP2-Settings: AAMAAABk\r\n\r\n", head("PRI", "*")).into_bytes();
    are_refused(&[(settings, 400), (upgrade, 400), (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n".to_vec(), 505)]);
}

#[test]
fn tls_hello() {
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend((0..=255_u8).map(|it| it.wrapping_mul(7)).chain(0..251));
    are_refused(&[(hello.clone(), 400), (hello.repeat(100), 400), (b"\x16".to_vec(), 400)]);
}

#[test]
fn bad_utf8() {
    let with = |place: usize| {
        let mut parts = ["GET /v1/".as_bytes().to_vec(), b" HTTP/1.1\r\nHost: x\r\nX-A: ".to_vec()];
        parts[place].extend_from_slice(b"\xff\xfe\xc3\x28\xed\xa0\x80");
        [parts.concat(), b"\r\n\r\n".to_vec()].concat()
    };
    let (target, value) = (with(0), with(1));
    Fort::new(16).stands(4, |siege| {
        siege.repeat(|| {
            refused(siege.addr, &target, 400);
            refused(siege.addr, &value, 400);
            refused(siege.addr, b"G\xc3\xabT / HTTP/1.1\r\nHost: x\r\n\r\n", 400);
            let mut raw = Raw::connect(siege.addr);
            let mut request = post(&news().replace("just saying", "??????")).into_bytes();
            let at = request.windows(6).position(|it| it == b"??????").unwrap();
            request[at..at + 6].copy_from_slice(b"\xff\xfe\xc3\x28\xed\xa0");
            raw.send(request);
            assert_eq!(raw.answer().map(|answer| answer.status), Some(400));
        });
    });
}
