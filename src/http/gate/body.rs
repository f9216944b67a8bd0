//! Reading a request's body, whole, before anybody acts on the request: functions from bytes to bytes.
//!
//! Memory follows the bytes that arrived, not those that were announced, and what goes beyond a small body is
//! taken from a budget that all connections share. No sockets here, and no clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::head::Framing;
use super::refusal::Refusal;

/// Bodies up to this many bytes need no budget: the number of slots bounds them.
pub const SMALL_BODY_BYTES: usize = 64 * 1024;
/// Bytes of one line with a chunk's size, extensions included.
const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Hexadecimal digits of a chunk's size.
const CHUNK_DIGITS_MAX: u32 = 8;

const TOO_MUCH: Refusal = Refusal::overloaded("Too many large bodies are on their way in. Try again soon.");

/// Bytes that large bodies may still take, over all connections.
#[derive(Debug)]
pub struct Budget(AtomicUsize);

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Budget {
        Budget(AtomicUsize::new(bytes))
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// A body's share of the budget, which goes back when this is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    taken: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.taken, Ordering::Relaxed);
    }
}

/// Whether a body so announced can be taken at all; asked before the client is told to go on.
pub fn admit(framing: Framing, body_bytes_max: usize, budget: &Budget) -> Result<(), Refusal> {
    let Framing::Length(length) = framing else { return Ok(()) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > body_bytes_max {
        return Err(Refusal::BODY_TOO_LARGE);
    }
    if length > SMALL_BODY_BYTES && length > budget.left() {
        return Err(TOO_MUCH);
    }
    Ok(())
}

/// A body on its way in. How its bytes are split makes no difference to what comes of them.
pub struct Upload {
    bytes: Vec<u8>,
    share: Share,
    bytes_max: usize,
    chunks: Option<Chunks>,
}

impl Upload {
    /// The body of an admitted head.
    pub fn new(framing: Framing, body_bytes_max: usize, budget: &Arc<Budget>) -> Upload {
        let (bytes_max, chunks) = match framing {
            Framing::None => (0, None),
            Framing::Length(length) => (usize::try_from(length).unwrap_or(usize::MAX), None),
            Framing::Chunked => (body_bytes_max, Some(Chunks::new(body_bytes_max))),
        };
        Upload { bytes: Vec::new(), share: Share { budget: budget.clone(), taken: 0 }, bytes_max, chunks }
    }

    /// Whether all of it is there.
    pub fn done(&self) -> bool {
        self.chunks.as_ref().map_or(self.bytes.len() == self.bytes_max, Chunks::done)
    }

    /// Takes in bytes; returns how many were used, all unless it is done.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        if self.done() {
            return Ok(0);
        }
        let left = self.bytes_max - self.bytes.len();
        self.reserve(input.len().min(left))?;
        match &mut self.chunks {
            Some(chunks) => chunks.feed(input, &mut self.bytes),
            None => {
                let run = input.get(..left).unwrap_or(input);
                self.bytes.extend_from_slice(run);
                Ok(run.len())
            }
        }
    }

    /// The body, and the share of the budget that its memory takes.
    pub fn into_parts(self) -> (Vec<u8>, Share) {
        (self.bytes, self.share)
    }

    /// Makes room for so many bytes more, doubling as it goes.
    fn reserve(&mut self, more: usize) -> Result<(), Refusal> {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let room = needed.max(self.bytes.capacity() * 2).min(self.bytes_max);
            if room > SMALL_BODY_BYTES {
                let missing = room.saturating_sub(self.share.taken);
                if !self.share.budget.take(missing) {
                    return Err(TOO_MUCH);
                }
                self.share.taken += missing;
            }
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        Ok(())
    }
}

/// Undoes the chunked coding, byte by byte at the edges and in runs within a chunk.
#[derive(Debug)]
pub struct Chunks {
    state: State,
    body_bytes_max: usize,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Within the line that tells the size.
    Size {
        size: usize,
        digits: u32,
        line: usize,
    },
    /// Within an extension, which is skipped.
    Extension {
        size: usize,
        line: usize,
    },
    /// After the CR of that line.
    SizeEnd {
        size: usize,
    },
    /// So many bytes of the chunk to come.
    Data {
        left: usize,
    },
    /// The CR LF after a chunk: how much of it was seen.
    DataEnd {
        seen: u8,
    },
    /// The empty line after the last chunk, where trailers would be.
    Last {
        seen: u8,
    },
    Done,
}

impl Chunks {
    /// A decoder of at most so many bytes of body.
    pub fn new(body_bytes_max: usize) -> Chunks {
        Chunks { state: Chunks::START, body_bytes_max }
    }

    const START: State = State::Size { size: 0, digits: 0, line: 0 };

    /// Whether the last chunk and the line after it were read.
    pub fn done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes in bytes and appends what they carry; returns how many were used, all unless it is done.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
        let mut at = 0;
        while let Some(byte) = input.get(at).copied().filter(|_| !self.done()) {
            if let State::Data { left } = self.state {
                let run = input.get(at..).unwrap_or_default();
                let run = run.get(..left).unwrap_or(run);
                out.extend_from_slice(run);
                at += run.len();
                if run.len() == left {
                    self.state = State::DataEnd { seen: 0 };
                } else {
                    self.state = State::Data { left: left - run.len() };
                }
            } else {
                self.state = self.step(byte, out.len())?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn step(&self, byte: u8, received: usize) -> Result<State, Refusal> {
        const BAD: Refusal = Refusal::malformed("The chunked body is not well-formed.");
        const TRAILERS: Refusal = Refusal::malformed("Trailers are not taken.");
        Ok(match (self.state, byte) {
            (State::Size { digits: 1.., size, .. } | State::Extension { size, .. }, b'\r') => {
                State::SizeEnd { size }
            }
            (State::Size { digits: 1.., size, line }, b';' | b' ' | b'\t') => {
                State::Extension { size, line: line + 1 }
            }
            (State::Size { size, digits, line }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or(BAD)?;
                if digits == CHUNK_DIGITS_MAX {
                    return Err(BAD);
                }
                let size = size * 16 + digit as usize;
                State::Size { size, digits: digits + 1, line: line + 1 }
            }
            (State::Extension { size, line }, b'\t' | b' '..=b'~') if line < CHUNK_LINE_BYTES_MAX => {
                State::Extension { size, line: line + 1 }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::Last { seen: 0 },
            (State::SizeEnd { size }, b'\n') => {
                if size > self.body_bytes_max.saturating_sub(received) {
                    return Err(Refusal::BODY_TOO_LARGE);
                }
                State::Data { left: size }
            }
            (State::DataEnd { seen: 0 }, b'\r') => State::DataEnd { seen: 1 },
            (State::DataEnd { seen: 1 }, b'\n') => Chunks::START,
            (State::Last { seen: 0 }, b'\r') => State::Last { seen: 1 },
            (State::Last { seen: 1 }, b'\n') => State::Done,
            (State::Last { seen: 0 }, _) => return Err(TRAILERS),
            _ => return Err(BAD),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<(Vec<u8>, usize, bool), u16> {
        let mut chunks = Chunks::new(1000);
        let mut out = Vec::new();
        let used = chunks.feed(text.as_bytes(), &mut out).map_err(|refusal| refusal.status())?;
        Ok((out, used, chunks.done()))
    }

    #[test]
    fn good_chunks_are_joined() {
        let text = "5\r\nhello\r\n0006;a=\"b\"\r\n world\r\n0\r\n\r\nGET";
        assert_eq!(decode(text), Ok((b"hello world".to_vec(), text.len() - 3, true)));
    }

    #[test]
    fn chunks_may_be_split_anywhere() {
        let text = b"5\r\nhello\r\na ;x\r\n0123456789\r\n0\r\n\r\n";
        for split in 0..text.len() {
            let mut chunks = Chunks::new(1000);
            let mut out = Vec::new();
            let used = chunks.feed(&text[..split], &mut out).unwrap();
            assert_eq!(used, split);
            chunks.feed(&text[split..], &mut out).unwrap();
            assert!(chunks.done());
            assert_eq!(out, b"hello0123456789");
        }
    }

    #[test]
    fn bad_chunks_are_refused() {
        for bad in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "0x1\r\n",
            ";a\r\n",
            "5\nhello\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "000000001\r\na\r\n",
            "0\r\nA: b\r\n\r\n",
            "0\r\n\n",
            "1;\x01\r\n",
            "5\rhello",
            " 5\r\nhello",
        ] {
            assert_eq!(decode(bad), Err(400), "{bad:?}");
        }
        assert_eq!(decode(&format!("1;{}", "a".repeat(300))), Err(400));
        assert_eq!(decode("3e9\r\n"), Err(413));
        assert_eq!(decode("ffffffff\r\n"), Err(413));
    }

    #[test]
    fn a_body_may_be_split_anywhere() {
        let budget = Arc::new(Budget::new(0));
        let text = b"5\r\nhello\r\n0\r\n\r\nGET";
        for split in 0..text.len() {
            let mut upload = Upload::new(Framing::Chunked, 5, &budget);
            let used = upload.feed(&text[..split]).unwrap();
            let used = used + upload.feed(&text[used..]).unwrap();
            assert!(upload.done());
            assert_eq!((used, upload.into_parts().0), (text.len() - 3, b"hello".to_vec()));
        }
        let mut upload = Upload::new(Framing::Length(3), 5, &budget);
        assert_eq!(upload.feed(b"ab"), Ok(2));
        assert!(!upload.done());
        assert_eq!(upload.feed(b"cGET"), Ok(1));
        assert!(upload.done());
        assert!(Upload::new(Framing::None, 5, &budget).done());
    }

    #[test]
    fn the_budget_comes_back() {
        let budget = Arc::new(Budget::new(200_000));
        let mut first = Upload::new(Framing::Length(150_000), 1_000_000, &budget);
        first.feed(&vec![0; SMALL_BODY_BYTES]).unwrap();
        assert_eq!(budget.left(), 200_000);
        first.feed(&[0]).unwrap();
        assert_eq!(budget.left(), 200_000 - 2 * SMALL_BODY_BYTES);
        let mut second = Upload::new(Framing::Length(150_000), 1_000_000, &budget);
        assert_eq!(second.feed(&vec![0; 150_000]), Err(TOO_MUCH));
        drop(first.into_parts());
        assert_eq!(budget.left(), 200_000);
    }
}
