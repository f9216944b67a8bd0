//! The rules told as stories: `tests/stories/*.story`, one line an action and what it must lead to.
//!
//! `STORY=words cargo test --test stories` plays only the stories whose name or file holds these words. The language is
//! described in `tests/stories/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "stories/actions.rs"]
mod actions;
#[path = "stories/books.rs"]
mod books;
#[path = "stories/checks.rs"]
mod checks;
#[path = "stories/links.rs"]
mod links;
#[path = "stories/things.rs"]
mod things;
#[path = "stories/words.rs"]
mod words;
#[path = "stories/world.rs"]
mod world;

use std::path::Path;
use world::World;

/// Plays every story of a file and says which line of which story went wrong.
fn play(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let wanted = std::env::var("STORY").unwrap_or_default().to_lowercase();
    let mut failures = Vec::new();
    let lines: Vec<(usize, &str)> = text.lines().enumerate().collect();
    let starts: Vec<usize> =
        (0..lines.len()).filter(|&i| lines[i].1.starts_with("story:")).chain([lines.len()]).collect();
    for pair in starts.windows(2) {
        let story = &lines[pair[0]..pair[1]];
        if format!("{file} {}", story[0].1).to_lowercase().contains(&wanted)
            && let Err(failure) = play_one(file, story)
        {
            failures.push(failure);
        }
    }
    assert!(failures.is_empty(), "{} stories went wrong:\n\n{}", failures.len(), failures.join("\n\n"));
}

fn play_one(file: &str, story: &[(usize, &str)]) -> Result<(), String> {
    let mut world = World::new();
    for (at, (number, line)) in story.iter().enumerate().skip(1) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(why) = world.line(line) {
            let so_far: Vec<&str> = story[..=at].iter().map(|(_, line)| *line).collect();
            return Err(format!(
                "tests/stories/{file}:{}\n{}\n  ^^^ {why}\nAlone: STORY={:?} cargo test --test stories",
                number + 1,
                so_far.join("\n"),
                story[0].1.trim_start_matches("story:").trim(),
            ));
        }
    }
    Ok(())
}

macro_rules! files {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { play(concat!(stringify!($name), ".story")); })*
        const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

files!(
    judging,
    confirming,
    buying,
    passing,
    variants,
    waiting,
    edits,
    deleting,
    timing,
    stock,
    money,
    replies,
    hashtags,
    batches,
    erasure,
    deals,
    nearby,
    explaining,
    frozen,
    limits,
    languages,
    books,
    linking,
    orders,
    authenticating,
    opt_outs,
    mentions,
    networks,
);

#[test]
fn every_story_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut stories = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "story") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(FILES.contains(&name), "{name}.story is not in the list of tests/stories.rs");
            let text = std::fs::read_to_string(&path).unwrap();
            stories += text.lines().filter(|line| line.starts_with("story:")).count();
        }
    }
    assert!(stories >= 90, "only {stories} stories");
}
