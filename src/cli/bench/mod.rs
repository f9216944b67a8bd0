//! `tagtill bench`: what a till does on this machine and this disk, to size a server by.
//!
//! A till is started as a process of its own on a fresh file and driven over HTTP, as a bridge would. `scenario` says
//! what is measured, `fill` puts it into the file before, `traffic` and `firehose` are what the connections say,
//! `load` says it, `measure` and `report` make rows of it. Nothing here may know the inside of the till but through
//! its commands and its API.

mod crowd;
mod engine;
mod expiry;
mod fill;
mod firehose;
mod histogram;
mod load;
mod machine;
mod measure;
mod progress;
mod report;
mod scenario;
mod site;
mod traffic;
mod usage;

use super::{Failure, Outcome, failure, say};
use measure::Setup;
use progress::Progress;
use report::Row;
use scenario::{SCENARIOS, Scenario, Wanted};
use site::Site;
use std::path::PathBuf;
use std::time::Duration;

/// Measure what a till does on this machine, to size a server.
///
/// Starts a till on a fresh file in a folder of its own, drives it over HTTP, and prints what it did: flows per second
/// (a flow is a purchase post and its confirmation, each answered after its durable commit), how long answers took,
/// and what it used. Beside it stands what the disk does alone, because everything hangs on that. Give --dir a folder
/// on the disk that the till will use.
///
/// Without a scenario, all of them run, in about two minutes. An example, for the sizes that docs/performance.md
/// shows:
///
///   tagtill bench --dir /srv --rounds 3 --holds 1M --growth 10k,1M,10M
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[allow(clippy::struct_excessive_bools, reason = "flags")]
pub struct Args {
    /// What to measure; --list shows what there is
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Where the data file is made; it is removed in the end
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=2048))]
    connections: u16,
    /// How long each round of a scenario is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=3600))]
    seconds: u16,
    /// Rounds of each scenario; the table shows the one in the middle
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9))]
    rounds: u32,
    /// Threads of the load generator
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Accounts that buy, where the connections do not need more
    #[arg(long, value_name = "SIZE", default_value = "50k", value_parser = scenario::size)]
    accounts: u64,
    /// Holds in the file, for `idle` and `expiry`
    #[arg(long, value_name = "SIZE", default_value = "100k", value_parser = scenario::size)]
    holds: u64,
    /// Purchases in the file, for `growth`, from few to many
    #[arg(long, value_name = "SIZES", default_value = "10k,100k", value_parser = scenario::size, value_delimiter = ',')]
    growth: Vec<u64>,
    /// Print one JSON object for each scenario and round
    #[arg(long)]
    json: bool,
    /// Print the table for a Markdown page
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Say which scenarios there are
    #[arg(long)]
    list: bool,
    /// Leave the data files where they are
    #[arg(long)]
    keep: bool,
}

pub fn run(args: &Args) -> Outcome {
    if args.list {
        return SCENARIOS.iter().try_for_each(|one| say(format_args!("{:<12} {}", one.name, one.about)));
    }
    let chosen = chosen(&args.scenarios)?;
    // The figures are what should be read here, not the log of what fills the file.
    log::set_max_level(log::LevelFilter::Warn);
    let mut growth = args.growth.clone();
    growth.sort_unstable();
    let wanted = Wanted {
        connections: usize::from(args.connections),
        rounds: args.rounds,
        accounts: args.accounts,
        holds: args.holds,
        growth,
    };
    let progress = Progress::new()?;
    let site = Site::new(&args.dir, scenario::bytes_needed(&wanted), args.keep)?;
    let setup = Setup {
        site: &site,
        progress: &progress,
        time: Duration::from_secs(u64::from(args.seconds)),
        threads: usize::from(args.threads),
    };
    let mut rows = Vec::new();
    // What was measured is told, also when something later goes wrong.
    let done =
        chosen.iter().try_for_each(|scenario| run_scenario(scenario, &setup, &wanted, args.json, &mut rows));
    if !args.json && !rows.is_empty() {
        tell(args, &rows)?;
    }
    done
}

fn run_scenario(
    scenario: &Scenario,
    setup: &Setup<'_>,
    wanted: &Wanted,
    json: bool,
    rows: &mut Vec<Row>,
) -> Outcome {
    let told = rows.len();
    let done = (scenario.run)(setup, wanted, rows);
    for row in rows.iter().skip(told).filter(|_| json) {
        say(serde_json::to_string(row).map_err(failure)?)?;
    }
    done
}

fn tell(args: &Args, rows: &[Row]) -> Outcome {
    let head = format!(
        "tagtill {}, {}; {} round{} of {} s",
        env!("CARGO_PKG_VERSION"),
        machine::describe(),
        args.rounds,
        if args.rounds == 1 { "" } else { "s" },
        args.seconds
    );
    let table = if args.markdown { report::markdown(rows) } else { report::table(rows) };
    say(format_args!("{head}\n\n{}", table.trim_end()))
}

/// The scenarios of these names; all of them without a name.
fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>, Failure> {
    if names.is_empty() {
        return Ok(SCENARIOS.iter().collect());
    }
    let find = |name: &String| {
        SCENARIOS.iter().find(|one| one.name == name).ok_or_else(|| {
            let known: Vec<_> = SCENARIOS.iter().map(|one| one.name).collect();
            let sentence = format!("There is no scenario {name}. There are: {}.", known.join(", "));
            Failure { sentence, code: 2 }
        })
    };
    names.iter().map(find).collect()
}
