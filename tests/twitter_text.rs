//! Holds hashtags and lengths to twitter-text 3.1.0: every text in a file of its answers must give the same ones here.

use serde::Deserialize;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use tagtill::till::text::{Counting, hashtags, length};

const VARIABLE: &str = "TAGTILL_TWITTER_TEXT_CASES";
const CASES_MIN: usize = 10_000;
const SHOWN_MAX: usize = 10;

#[derive(Deserialize)]
struct Case {
    text: String,
    hashtags: Vec<String>,
    /// Missing where only tags are compared, as in a conformance suite; such files may be short.
    weighted_length: Option<usize>,
}

#[test]
fn agrees_with_twitter_text() {
    let Some(path) = std::env::var_os(VARIABLE) else {
        println!("skipped: {VARIABLE} names no file. In tests/twitter_text, run");
        println!("  npm install && node generate.js 200000 1 > cases.ndjson");
        println!("and then {VARIABLE}=$PWD/cases.ndjson cargo test --test twitter_text");
        return;
    };
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut read, mut measured, mut tags, mut differing, mut shown) = (0, 0, 0, 0, String::new());
    for line in BufReader::new(file).lines() {
        let case: Case = serde_json::from_str(&line.unwrap()).unwrap();
        read += 1;
        tags += case.hashtags.len();
        measured += usize::from(case.weighted_length.is_some());
        if let Some(difference) = difference(&case) {
            differing += 1;
            if differing <= SHOWN_MAX {
                shown += &difference;
            }
        }
    }
    assert_eq!(differing, 0, "{differing} of {read} texts differ:\n{shown}");
    assert!(read > 0 && (read >= CASES_MIN || measured == 0), "{read} texts are too few to say anything");
    println!("{read} texts agree: {tags} hashtags, {measured} lengths");
}

fn difference(case: &Case) -> Option<String> {
    let found = hashtags(&case.text);
    let counted = case.weighted_length.map(|_| length(&case.text, Counting::X));
    if found == case.hashtags && counted == case.weighted_length {
        return None;
    }
    let mut report = format!("\"{}\"\n", escaped(&case.text));
    if found != case.hashtags {
        let (here, there) =
            (found.iter().map(|tag| escaped(tag)), case.hashtags.iter().map(|tag| escaped(tag)));
        let _ = writeln!(
            report,
            "  hashtags {:?}, twitter-text {:?}",
            here.collect::<Vec<_>>(),
            there.collect::<Vec<_>>()
        );
    }
    if counted != case.weighted_length {
        let _ = writeln!(report, "  length {counted:?}, twitter-text {:?}", case.weighted_length);
    }
    Some(report)
}

/// `text` in ASCII, ready to be pasted into a test.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| if (' '..='~').contains(&c) { c.to_string() } else { c.escape_unicode().to_string() })
        .collect()
}
