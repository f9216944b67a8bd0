//! The documents say what the program does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use tagtill::till::verdict::Verdict;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_rules_page_lists_every_verdict_with_its_sentence() {
    let page = read("docs/rules.md");
    for verdict in Verdict::ALL {
        let row = page.lines().find(|line| line.contains(&format!("`{}`", verdict.code())));
        let row = row.unwrap_or_else(|| panic!("docs/rules.md does not list {}", verdict.code()));
        assert!(row.contains(verdict.sentence()), "{row}\nshould say: {}", verdict.sentence());
    }
}

#[test]
fn the_operators_page_names_every_command_and_every_flag_of_serve() {
    let page = read("docs/operating.md");
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tagtill")).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let overview = help(&["--help"]);
    let commands = overview.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            assert!(page.contains(&format!("tagtill {name}")), "docs/operating.md does not name {name}");
        }
    }
    for word in help(&["serve", "--help"]).split_whitespace() {
        let flag = word.trim_end_matches([',', ';', '.', ':']);
        if flag.starts_with("--") && flag != "--help" && flag != "--version" {
            assert!(page.contains(flag), "docs/operating.md does not name {flag}");
        }
    }
}

/// Every page there is.
const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/rules.md",
    "docs/playground.md",
    "docs/operating.md",
    "docs/performance.md",
    "docs/webhooks.md",
    "docs/linking.md",
    "docs/orders.md",
    "docs/rehearsal.md",
    "docs/bridges.md",
    "docs/bluesky.md",
    "docs/mastodon.md",
    "docs/x.md",
    "docs/console.md",
];

#[test]
fn every_command_of_the_documents_has_the_flags_that_they_give_it() {
    let mut commands = 0;
    for page in PAGES {
        for line in read(page).lines().map(str::trim_start).filter(|line| line.starts_with("tagtill ")) {
            let command =
                line.split(['#', '|', '>', '`', '<', '&']).next().unwrap().trim().trim_end_matches('\\');
            let words = command.split_whitespace().skip(1).filter(|word| !word.contains('$'));
            // What comes before is read first: a flag that is not known is an error all the same.
            let output =
                Command::new(env!("CARGO_BIN_EXE_tagtill")).args(words).arg("--help").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{page}: {command}\n{said}");
            commands += 1;
        }
    }
    assert!(commands > 20, "{commands}");
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in PAGES {
        let text = read(page);
        let folder = root.join(page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") {
                assert!(folder.join(target).exists(), "{page}: {link}");
            }
        }
    }
}

#[test]
fn the_first_two_commands_of_the_readme_are_the_two() {
    let readme = read("README.md");
    let demo = readme.find("cargo run --release -- demo").expect("the demo's command");
    let tests = readme.find("./tests/run").expect("the tests' command");
    let first_block = readme.find("```").expect("a block of commands");
    assert!(first_block < demo && demo < tests, "the two commands come first");
}
