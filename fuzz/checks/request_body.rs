//! A chunked body: the decoder of the gate against one that is as simple as can be.

use tagtill::http::wire::Chunks;

/// Bytes of body that the decoder takes here.
const BODY_BYTES_MAX: usize = 1000;
/// As the gate has it: bytes of a line with a size, its extension included.
const LINE_BYTES_MAX: usize = 256;

/// What came of some bytes: the body, how many bytes were used, and whether it was complete; or the status.
type Decoded = Result<(Vec<u8>, usize, bool), u16>;

/// The input is what comes behind the head of a request that is sent in chunks.
pub fn request_body(data: &[u8]) {
    let whole = decode([data]);
    for cut in (0..data.len().min(64)).chain([data.len() / 2]) {
        let (first, second) = data.split_at(cut);
        assert_eq!(decode([first, second]), whole, "however it arrives, cut at {cut}");
    }
    assert_eq!(decode(data.chunks(1)), whole, "byte by byte");
    if let Ok((body, used, _)) = &whole {
        assert!(body.len() <= BODY_BYTES_MAX && *used <= data.len());
    }
    assert_eq!(whole, plainly(data));
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut chunks = Chunks::new(BODY_BYTES_MAX);
    let (mut body, mut used) = (Vec::new(), 0);
    for piece in pieces {
        used += chunks.feed(piece, &mut body).map_err(|refusal| refusal.status())?;
    }
    Ok((body, used, chunks.done()))
}

/// The same by the grammar of RFC 9112, 7.1, without trailers.
fn plainly(data: &[u8]) -> Decoded {
    let mut body = Vec::new();
    let mut rest = data;
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 8 {
            return Err(400);
        }
        let Some(behind) = rest.get(digits).copied() else { return Ok((body, data.len(), false)) };
        if digits == 0 || !b";\r \t".contains(&behind) {
            return Err(400);
        }
        let size = std::str::from_utf8(&rest[..digits]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let line = rest.iter().take_while(|byte| matches!(byte, b'\t' | b' '..=b'~')).count();
        if line > LINE_BYTES_MAX {
            return Err(400);
        }
        rest = &rest[line..];
        match expect(rest, b"\r\n") {
            Some(true) => rest = &rest[2..],
            Some(false) => return Err(400),
            None => return Ok((body, data.len(), false)),
        }
        if size == 0 {
            return match expect(rest, b"\r\n") {
                Some(true) => Ok((body, data.len() - rest.len() + 2, true)),
                Some(false) => Err(400),
                None => Ok((body, data.len(), false)),
            };
        }
        if body.len() + size > BODY_BYTES_MAX {
            return Err(413);
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        if rest.len() < size {
            return Ok((body, data.len(), false));
        }
        rest = &rest[size..];
        match expect(rest, b"\r\n") {
            Some(true) => rest = &rest[2..],
            Some(false) => return Err(400),
            None => return Ok((body, data.len(), false)),
        }
    }
}

/// Whether `bytes` begin so; `None` while they may yet.
fn expect(bytes: &[u8], wanted: &[u8]) -> Option<bool> {
    if bytes.starts_with(wanted) {
        Some(true)
    } else if wanted.starts_with(bytes) {
        None
    } else {
        Some(false)
    }
}
