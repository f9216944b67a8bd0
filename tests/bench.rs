//! `tagtill bench`, as somebody meets it who sizes a server: small numbers, real parts, no opinion about speed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::binary;

/// Runs `tagtill bench` in a fresh folder with few accounts.
fn bench(folder: &Path, args: &[&str]) -> Output {
    let small = ["--seconds", "1", "--connections", "4", "--accounts", "300", "--dir"];
    binary().arg("bench").args(args).args(small).arg(folder).output().unwrap()
}

/// The rows that a scenario prints, which must leave nothing behind.
#[track_caller]
fn rows(args: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &[args, &["--json"]].concat());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "its folder is gone");
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!rows.is_empty());
    for row in &rows {
        assert!(number(row, "disk_syncs_per_second") > 0.0, "{row}");
        assert!(row["scenario"].is_string() && row["round"].is_u64(), "{row}");
    }
    rows
}

#[track_caller]
fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} is no number: {row}"))
}

/// What every scenario has in which somebody buys.
#[track_caller]
fn sells(row: &Value) {
    for name in ["flows_per_second", "posts_per_second", "p50_ms", "p99_ms", "p999_ms"] {
        assert!(number(row, name) > 0.0, "{name}: {row}");
    }
    assert!(number(row, "posts_per_second") >= number(row, "flows_per_second"), "{row}");
    assert!(number(row, "p50_ms") <= number(row, "p99_ms"), "{row}");
    assert!(number(row, "p99_ms") <= number(row, "p999_ms"), "{row}");
    assert!(number(row, "commits_per_second") > 0.0 && number(row, "posts_per_commit") > 0.0, "{row}");
    if cfg!(target_os = "linux") {
        assert!(number(row, "cpu_percent") > 0.0 && number(row, "rss_bytes") > 1e6, "{row}");
    }
}

#[test]
fn selling_one_by_one_and_in_lines_gives_rows() {
    let all = rows(&["hot", "offers", "ndjson-100"]);
    let names: Vec<&str> = all.iter().map(|row| row["scenario"].as_str().unwrap()).collect();
    assert_eq!(names, ["hot", "offers", "ndjson-100"]);
    for row in &all {
        sells(row);
        assert!(number(row, "flow_p50_ms") > 0.0 && number(row, "flow_p99_ms") > 0.0, "{row}");
        assert!(number(row, "captured_percent") >= 0.0, "cards are charged meanwhile: {row}");
        assert!(number(row, "load_cpu_percent") >= 0.0, "{row}");
    }
    assert_eq!(all[2]["posts_per_request"], 100);
}

#[test]
fn a_firehose_is_mostly_chatter() {
    let row = &rows(&["firehose"])[0];
    sells(row);
    let share = number(row, "flows_per_second") / number(row, "posts_per_second");
    // A window may hold a confirmation more than its share, and 0.005 is no exact fraction.
    assert!(share > 0.0 && share < 0.006, "one in 100 matches, half of them confirm: {share}");
}

#[test]
fn the_engine_alone_is_measured_with_two_depths() {
    let all = rows(&["engine", "--rounds", "2"]);
    let told: Vec<_> =
        all.iter().map(|row| (row["scenario"].as_str().unwrap(), row["round"].as_u64())).collect();
    let wanted = [("engine-64", 1), ("engine-64", 2), ("engine-1024", 1), ("engine-1024", 2)];
    assert_eq!(told, wanted.map(|(name, round)| (name, Some(round))));
    all.iter().for_each(sells);
}

#[test]
fn ticks_are_timed_and_due_holds_freed_while_buyers_go_on() {
    let all = rows(&["idle", "expiry", "--holds", "400"]);
    let [idle, expiry] = all.as_slice() else { panic!("{all:?}") };
    assert!(number(idle, "tick_ms") > 0.0 && number(idle, "ticks") >= 10.0, "{idle}");
    assert!(idle["flows_per_second"].is_null(), "nobody buys: {idle}");
    assert_eq!(expiry["freed"], 40);
    assert!(number(expiry, "freed_in_ms") > 0.0, "{expiry}");
}

#[test]
fn growth_counts_what_is_in_the_file_and_kills_the_till() {
    let all = rows(&["growth", "--growth", "50,200"]);
    let [small, large] = all.as_slice() else { panic!("{all:?}") };
    for row in [small, large] {
        sells(row);
        assert!(number(row, "open_ms") > 0.0 && number(row, "file_bytes") > 0.0, "{row}");
    }
    assert_eq!((small["purchases"].as_u64(), small["scenario"].as_str()), (Some(50), Some("growth-50")));
    assert!(number(large, "purchases") >= 200.0, "{large}");
}

#[test]
fn what_a_bench_leaves_with_keep_holds() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["hot", "growth", "--growth", "100", "--keep"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    for name in ["hot.redb", "growth.redb"] {
        let verified = binary().arg("verify").arg(kept.join(name)).output().unwrap();
        assert!(verified.status.success(), "{name}: {}", String::from_utf8_lossy(&verified.stderr));
    }
    let table = String::from_utf8(output.stdout).unwrap();
    for title in [
        "flows/s",
        "p50 ms",
        "p99.9 ms",
        "commits/s",
        "posts/commit",
        "KB/flow",
        "CPU %",
        "RSS MB",
        "syncs/s",
    ] {
        assert!(table.contains(title), "{title}\n{table}");
    }
    assert!(table.lines().any(|line| line.starts_with("hot ")), "{table}");
    assert!(table.contains("open after kill -9"), "{table}");
}

#[test]
fn wrong_names_numbers_and_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["hto"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ndjson-100"), "names what there is");
    assert_eq!(bench(folder.path(), &["growth", "--growth", "many"]).status.code(), Some(2));
    let output = bench(&folder.path().join("missing"), &["hot"]);
    assert_eq!(output.status.code(), Some(1));
    let output = bench(folder.path(), &["growth", "--growth", "100M", "--holds", "100M"]);
    assert_eq!(output.status.code(), Some(1), "no machine of a test has that much room");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--dir"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let list = binary().args(["bench", "--list"]).output().unwrap();
    assert_eq!(String::from_utf8(list.stdout).unwrap().lines().count(), 9);
}

#[test]
fn ctrl_c_ends_a_bench_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = binary()
        .args(["bench", "hot", "--seconds", "600", "--connections", "2", "--accounts", "50", "--dir"])
        .arg(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = lines.find(|line| line.as_ref().unwrap().starts_with("hot, round 1"));
    assert!(begun.is_some());
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(1));
    assert!(lines.any(|line| line.unwrap().contains("Interrupted")));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
