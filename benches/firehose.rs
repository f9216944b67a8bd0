//! What the firehose costs: messages of a whole network, read and filtered on one thread.
//!
//! The messages are made of recorded ones (`tests/bridges/frames`), with other authors and texts, mixed as on the network.
//! A second is one of a core's time, not of a clock: machines are never quiet for long. Run it with
//! `cargo bench --bench firehose`; `SECONDS_PER_ROUND` and `ROUNDS` may be set in the environment.

#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tagtill::bridges::bluesky::frame::Frame;
use tagtill::bridges::bluesky::{Found, Wanted, filter};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Different messages, more than fit into a processor's cache: 120 MB.
const MESSAGES: u64 = 40_000;
/// Who posted what was recorded.
const AUTHOR: &[u8] = b"did:plc:iag7zzjemjqoc2g6y4ui5pxu";
/// A recorded text of 84 bytes: long enough that lengths need the same number of bytes whatever replaces it.
const TEXT: &str = "The quick brown fox jumps over the lazy dog and then sleeps for the rest of the day.";

macro_rules! frame {
    ($name:literal) => {
        include_bytes!(concat!("../tests/bridges/frames/", $name, ".cbor"))
    };
}

/// Words of a few languages; what is posted is made of them.
const WORDS: &[&str] = &[
    "the",
    "a",
    "and",
    "today",
    "morning",
    "coffee",
    "people",
    "think",
    "really",
    "schön",
    "não",
    "でも",
    "猫がいる",
    "with",
    "my",
    "new",
    "picture",
    "this",
    "was",
    "never",
    "game",
    "🙂",
    "it's",
    "for",
    "love",
    "election",
    "said",
];

fn main() {
    let time = Duration::from_secs(setting("SECONDS_PER_ROUND", 2));
    let rounds = setting("ROUNDS", 5);
    let messages = Messages::new();
    let bytes: usize = messages.all.iter().map(Vec::len).sum();
    println!(
        "{} messages, {} of them posts, {} bytes each on average",
        messages.all.len(),
        messages.posts,
        bytes / messages.all.len()
    );
    let tags = |count: usize| (1..count).map(|n| format!("buyhashtag{n}")).chain(["buytea".to_owned()]);
    let settings = [1, 1000].map(|count| (count, Wanted::new("did:plc:own", "teashop.test", tags(count))));
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); settings.len()];
    for round in 1..=rounds {
        for ((count, wanted), figures) in settings.iter().zip(&mut figures) {
            let (rate, found) = run(&messages.all, wanted, time);
            figures.push(rate);
            println!("round {round}, {count} hashtags: {rate:>9.0} messages/s ({found})");
        }
    }
    let share = messages.posts as f64 / messages.all.len() as f64;
    let size = bytes as f64 / messages.all.len() as f64 / 1e6;
    for ((count, _), mut figures) in settings.iter().zip(figures) {
        figures.sort_by(f64::total_cmp);
        let rate = figures.get(figures.len() / 2).copied().unwrap();
        let (least, most) = (figures.first().unwrap(), figures.last().unwrap());
        println!(
            "{count} hashtags: {rate:.0} messages/s ({least:.0}-{most:.0}), {:.0} posts/s, {:.0} MB/s",
            rate * share,
            rate * size
        );
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Messages a second, and what was found in all of them once.
fn run(messages: &[Vec<u8>], wanted: &Wanted, time: Duration) -> (f64, String) {
    let begun = core_time();
    let (mut done, mut posts, mut perhaps, mut other) = (0, 0, 0, 0);
    let mut found = Vec::new();
    while core_time().saturating_sub(begun) < time {
        (posts, perhaps, other) = (0, 0, 0);
        for message in messages {
            let Ok(Frame::Commit(commit)) = Frame::read(black_box(message)) else { unreachable!() };
            filter(&commit, wanted, &mut found);
            for found in found.drain(..) {
                match black_box(found) {
                    Found::Post(_) => posts += 1,
                    Found::Perhaps(_) => perhaps += 1,
                    _ => other += 1,
                }
            }
        }
        done += messages.len();
    }
    let rate = done as f64 / core_time().saturating_sub(begun).as_secs_f64();
    (rate, format!("{posts} taken, {perhaps} perhaps, {other} deleted"))
}

/// How long this thread has run; where no file says so, how long it is that it has been asked first.
fn core_time() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = said.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

struct Messages {
    all: Vec<Vec<u8>>,
    posts: u64,
}

impl Messages {
    /// 60 % likes and follows, 25 % posts, 10 % reposts, 5 % deletions; 15 % of the posts have a hashtag, and one post in
    /// 10,000 a wanted one.
    fn new() -> Self {
        let mut chance = Chance(20_130_212);
        let mut made = Self { all: Vec::new(), posts: 0 };
        for _ in 0..MESSAGES {
            let message: &[u8] = match chance.below(100) {
                0..48 => frame!("large_like"),
                48..60 => frame!("large_follow"),
                60..85 => {
                    made.posts += 1;
                    let text = text(&mut chance, made.posts);
                    made.all.push(with_author(with_text(frame!("large_post"), &text), &mut chance));
                    continue;
                }
                85..95 => frame!("large_repost"),
                _ => frame!("large_delete"),
            };
            made.all.push(with_author(message.to_vec(), &mut chance));
        }
        made
    }
}

fn text(chance: &mut Chance, number: u64) -> String {
    let mut text = String::new();
    let length = 10 + chance.below(40) * chance.below(7);
    while text.len() < usize::try_from(length).unwrap() {
        text.push_str(chance.one_of(WORDS));
        text.push(' ');
    }
    match chance.below(100) {
        _ if number % 10_000 == 1 => text.push_str("#BuyTea"),
        0..15 => (0..=chance.below(3)).for_each(|_| text.extend(["#", chance.one_of(WORDS), " "])),
        15..25 => text.push_str("example.com/page"),
        25..30 => text.push_str("@somebody.example"),
        _ => (),
    }
    text
}

/// The same with another author, whose DID is as long.
fn with_author(mut message: Vec<u8>, chance: &mut Chance) -> Vec<u8> {
    let letter = b'a' + u8::try_from(chance.below(26)).unwrap();
    while let Some(at) = message.windows(AUTHOR.len()).position(|some| some == AUTHOR) {
        message.get_mut(at + 8..at + 16).unwrap().fill(letter);
    }
    message
}

/// The recorded post with another text: its own length, that of its section and that of the blocks change.
fn with_text(message: &[u8], text: &str) -> Vec<u8> {
    let place = |what: &[u8]| message.windows(what.len()).position(|some| some == what).unwrap();
    let blocks = place(b"\x66blocks\x59") + 8;
    let old = usize::from(u16::from_be_bytes(message.get(blocks..blocks + 2).unwrap().try_into().unwrap()));
    let said = place(TEXT.as_bytes());
    let mut written = Vec::new();
    minicbor::Encoder::new(&mut written).str(text).unwrap();
    let mut car = Vec::new();
    let mut rest = message.get(blocks + 2..blocks + 2 + old).unwrap();
    while !rest.is_empty() {
        let (length, head) = varint(rest);
        let (section, after) = rest.get(head..).unwrap().split_at(length);
        let at = section.windows(TEXT.len()).position(|some| some == TEXT.as_bytes());
        let section = at.map_or(section.to_vec(), |at| {
            // The text has a byte of its kind and one of its length.
            [section.get(..at - 2).unwrap(), &written, section.get(at + TEXT.len()..).unwrap()].concat()
        });
        car.extend([
            u8::try_from(section.len() & 0x7f).unwrap() | 0x80,
            u8::try_from(section.len() >> 7).unwrap(),
        ]);
        car.extend(section);
        rest = after;
    }
    assert!((blocks..blocks + 2 + old).contains(&said), "the text is in a block");
    let length = u16::try_from(car.len()).unwrap().to_be_bytes();
    let (before, after) = (message.get(..blocks).unwrap(), message.get(blocks + 2 + old..).unwrap());
    [before, &length, &car, after].concat()
}

/// A number of LEB128 and how many bytes it took.
fn varint(bytes: &[u8]) -> (usize, usize) {
    let head = bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let each = bytes.iter().take(head).enumerate();
    (each.map(|(i, byte)| usize::from(byte & 0x7f) << (7 * i)).sum(), head)
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<'t>(&mut self, some: &[&'t str]) -> &'t str {
        some.get(usize::try_from(self.below(some.len() as u64)).unwrap()).unwrap()
    }
}
