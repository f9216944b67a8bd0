//! The same flow on tagtill and on what a shop would otherwise build on, in turns, and the ratios of their medians.
//!
//! A flow is a purchase (a unit is taken from the stock, a pending purchase is kept under its post, with account and
//! deadline, if the account is active and below its limit) and its confirmation (in time, it is set to capturing and
//! put where a worker finds it). Both are idempotent by post, and each is answered after it is durable. Every peer
//! starts on a fresh folder in every round; rounds go around all of them, so that a slow minute hits each alike.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts, milliseconds and ids of a benchmark"
)]

mod postgres;
mod redis;
mod result;
mod sqlite;
mod tagtill;

use clap::Parser;
use postgres::Stock;
use result::{Figures, Round};
use sqlite::Commits;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compare tagtill with PostgreSQL, Redis and SQLite: the same flow, in turns, as a Markdown table.
#[derive(Parser)]
struct Args {
    /// The tagtill to compare
    #[arg(long, value_name = "FILE", default_value = "target/release/tagtill")]
    tagtill: PathBuf,
    /// Where data is kept meanwhile; on the disk that is asked about
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// How long each is measured
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// Accounts that buy
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    accounts: u64,
}

/// What is measured: its name in the table, and how.
const PEERS: &[(&str, Peer)] = &[
    ("tagtill, one post a request", Peer::Tagtill("hot")),
    ("PostgreSQL", Peer::Postgres(Stock::OneRow)),
    ("PostgreSQL, stock on 16 rows", Peer::Postgres(Stock::Split)),
    ("Redis", Peer::Redis),
    ("tagtill, 100 posts a request", Peer::Tagtill("ndjson-100")),
    ("tagtill, 8,000 posts a request", Peer::Tagtill("ndjson-8000")),
    ("tagtill's engine alone", Peer::Tagtill("engine")),
    ("SQLite, group commit", Peer::Sqlite(Commits::Group)),
    ("SQLite, a commit each", Peer::Sqlite(Commits::Each)),
];

/// Which are divided by which.
const RATIOS: &[(&str, &str)] = &[
    ("tagtill, one post a request", "PostgreSQL"),
    ("tagtill, one post a request", "PostgreSQL, stock on 16 rows"),
    ("tagtill, one post a request", "Redis"),
    ("tagtill, 100 posts a request", "Redis"),
    ("tagtill's engine alone", "SQLite, group commit"),
    ("tagtill's engine alone", "SQLite, a commit each"),
];

#[derive(Clone, Copy)]
enum Peer {
    Tagtill(&'static str),
    Postgres(Stock),
    Redis,
    Sqlite(Commits),
}

/// What was measured.
#[derive(Default)]
struct Measured {
    figures: BTreeMap<&'static str, Vec<Figures>>,
    syncs: Vec<f64>,
    loads: Vec<f64>,
}

fn main() -> ExitCode {
    match compare(&Args::parse()) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(args: &Args) -> Result<String, String> {
    let folder = args.dir.join(format!("tagtill-compare-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = fs::canonicalize(&folder).map_err(|error| error.to_string())?;
    let mut measured = Measured::default();
    let done = (1..=args.rounds).try_for_each(|number| round(args, &folder, number, &mut measured));
    let _ = fs::remove_dir_all(&folder);
    done.and_then(|()| report(args, &measured))
}

/// Every peer once.
fn round(args: &Args, folder: &Path, number: usize, measured: &mut Measured) -> Result<(), String> {
    measured.loads.extend(load_average());
    for (name, peer) in PEERS {
        eprintln!("round {number}: {name}");
        let round = Round {
            folder: folder.join("round"),
            connections: args.connections,
            seconds: args.seconds,
            accounts: args.accounts,
        };
        fs::create_dir(&round.folder).map_err(|error| error.to_string())?;
        let figures = match *peer {
            Peer::Tagtill(scenario) => {
                let rows = tagtill::run(&args.tagtill, &round, scenario)?;
                measured.syncs.extend(rows.iter().map(|row| row.syncs_per_second));
                let row = rows.into_iter().next().ok_or("tagtill measured nothing")?;
                eprintln!("  {}", row.scenario);
                row.figures
            }
            Peer::Postgres(stock) => postgres::run(&round, stock)?,
            Peer::Redis => redis::run(&round)?,
            Peer::Sqlite(commits) => sqlite::run(&round, commits)?,
        };
        eprintln!("  {:.0} flows/s", figures.flows_per_second);
        measured.figures.entry(name).or_default().push(figures);
        fs::remove_dir_all(&round.folder).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// The middle, the least and the most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(0), at(values.len().saturating_sub(1)))
}

fn report(args: &Args, measured: &Measured) -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.split('-').next().unwrap_or_default().trim().to_owned();
    let (syncs, fewest, most) = spread(measured.syncs.clone());
    let (load, _, highest) = spread(measured.loads.clone());
    let mut lines = vec![
        format!(
            "{cores} cores, Linux {kernel}; {} rounds of {} s at {} connections; PostgreSQL {}, Redis {}, SQLite {}; \
             disk {syncs:.0} syncs/s ({fewest:.0}–{most:.0}); load average {load:.1} (up to {highest:.1})",
            args.rounds,
            args.seconds,
            args.connections,
            postgres::version()?,
            redis_version(),
            sqlite::version()
        ),
        String::new(),
        "| | flows/s | min–max | p50 of a flow, ms | p99 of a flow, ms |".to_owned(),
        "|---|--:|--:|--:|--:|".to_owned(),
    ];
    let each = |name: &str, value: fn(&Figures) -> f64| -> Vec<f64> {
        measured.figures.get(name).into_iter().flatten().map(value).collect()
    };
    let flows = |name: &str| spread(each(name, |figures| figures.flows_per_second));
    for (name, _) in PEERS {
        let (middle, least, most) = flows(name);
        let (p50, ..) = spread(each(name, |figures| figures.p50_ms));
        let (p99, ..) = spread(each(name, |figures| figures.p99_ms));
        lines.push(format!("| {name} | {middle:.0} | {least:.0}–{most:.0} | {p50:.2} | {p99:.2} |"));
    }
    lines.push(String::new());
    lines.push("| ratio of medians | | min–max of the rounds |".to_owned());
    lines.push("|---|--:|--:|".to_owned());
    for (one, other) in RATIOS {
        let by_round = each(one, |figures| figures.flows_per_second)
            .into_iter()
            .zip(each(other, |figures| figures.flows_per_second))
            .map(|(one, other)| one / other);
        let (_, least, most) = spread(by_round.collect());
        let ratio = flows(one).0 / flows(other).0;
        lines.push(format!("| {one} / {other} | {ratio:.2} | {least:.2}–{most:.2} |"));
    }
    Ok(lines.join("\n"))
}

fn redis_version() -> String {
    let output = std::process::Command::new("redis-server").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("?").to_owned()
}
