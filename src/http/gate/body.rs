//! Reading a request's body, whole, before anybody acts on the request.
//!
//! Memory follows the bytes that arrived, not those that were announced, and what goes beyond a small body is
//! taken from a budget that all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::conn::{Conn, Stop};
use super::head::Framing;
use super::refusal::Refusal;

/// Bodies up to this many bytes need no budget: the number of slots bounds them.
pub const SMALL_BODY_BYTES: usize = 64 * 1024;
/// Bytes of one line with a chunk's size, extensions included.
const CHUNK_LINE_BYTES_MAX: usize = 256;
/// Hexadecimal digits of a chunk's size.
const CHUNK_DIGITS_MAX: u32 = 8;

const TOO_MUCH: Refusal = Refusal::overloaded("Too many large bodies are on their way in. Try again soon.");
const LATE: Refusal = Refusal::timeout("The request was not complete in time.");

/// Bytes that large bodies may still take, over all connections.
pub struct Budget(AtomicUsize);

impl Budget {
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

/// A body and its share of the budget, which goes back when this is dropped.
pub struct Received {
    pub bytes: Vec<u8>,
    budget: Arc<Budget>,
    taken: usize,
}

impl Received {
    fn new(budget: &Arc<Budget>) -> Received {
        Received { bytes: Vec::new(), budget: budget.clone(), taken: 0 }
    }

    /// Makes room for so many bytes more, doubling as it goes, up to `max` in all.
    fn reserve(&mut self, more: usize, max: usize) -> Result<(), Stop> {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let room = needed.max(self.bytes.capacity() * 2).max(1024).min(max.max(needed));
            if room > SMALL_BODY_BYTES {
                let missing = room.saturating_sub(self.taken);
                if !self.budget.take(missing) {
                    return Err(Stop::Refuse(TOO_MUCH));
                }
                self.taken += missing;
            }
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        Ok(())
    }

    /// Frees the bytes, which somebody else has now, but keeps their share of the budget taken.
    pub fn forget_bytes(&mut self) {
        self.bytes = Vec::new();
    }
}

impl Drop for Received {
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

/// Reads the body of an admitted head until the deadline.
pub fn read(
    conn: &mut Conn,
    framing: Framing,
    body_bytes_max: usize,
    budget: &Arc<Budget>,
    deadline: Instant,
) -> Result<Received, Stop> {
    let mut received = Received::new(budget);
    match framing {
        Framing::None => {}
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            while received.bytes.len() < length {
                wait_for_bytes(conn, deadline)?;
                let take = conn.buffered().len().min(length - received.bytes.len());
                received.reserve(take, length)?;
                received.bytes.extend(conn.buffered().iter().take(take));
                conn.consume(take);
            }
        }
        Framing::Chunked => {
            let mut chunks = Chunks::new(body_bytes_max);
            while !chunks.done() {
                wait_for_bytes(conn, deadline)?;
                received.reserve(conn.buffered().len(), body_bytes_max)?;
                let used = chunks.feed(conn.buffered(), &mut received.bytes).map_err(Stop::Refuse)?;
                conn.consume(used);
            }
        }
    }
    Ok(received)
}

fn wait_for_bytes(conn: &mut Conn, deadline: Instant) -> Result<(), Stop> {
    if conn.buffered().is_empty() && !conn.fill(deadline)? {
        return Err(Stop::Refuse(LATE));
    }
    Ok(())
}

/// Undoes the chunked coding, byte by byte at the edges and in runs within a chunk.
pub struct Chunks {
    state: State,
    body_bytes_max: usize,
}

#[derive(Clone, Copy)]
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
    fn the_budget_comes_back() {
        let budget = Arc::new(Budget::new(200_000));
        let mut first = Received::new(&budget);
        first.reserve(SMALL_BODY_BYTES, usize::MAX).unwrap();
        assert_eq!(budget.left(), 200_000);
        first.bytes.resize(SMALL_BODY_BYTES, 0);
        first.reserve(1, 150_000).unwrap();
        assert_eq!(budget.left(), 200_000 - 2 * SMALL_BODY_BYTES);
        assert!(Received::new(&budget).reserve(150_000, 150_000).is_err());
        drop(first);
        assert_eq!(budget.left(), 200_000);
    }
}
