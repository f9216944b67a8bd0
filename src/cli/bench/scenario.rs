//! The scenarios: what is in the file, what is asked of the till, what is measured.

use super::crowd::Crowd;
use super::fill::Filler;
use super::firehose::Firehose;
use super::measure::Setup;
use super::report::Row;
use super::site::Till;
use super::traffic::{Lines, OneByOne, Traffic};
use super::{engine, expiry};
use crate::cli::{Failure, failure};
use std::path::Path;
use std::time::Duration;

/// Offers in a scenario with many.
const OFFERS: u64 = 1000;
/// Posts in a request of the firehose.
const FIREHOSE_LINES: usize = 1000;
/// Connections that carry large requests, at most.
const LARGE_CONNECTIONS: usize = 4;
/// From one tick to the next while ticks are measured.
const TICK_MS: u64 = 10;

/// What a bench is asked to do.
pub struct Wanted {
    /// Connections at once.
    pub connections: usize,
    /// Rounds of each scenario.
    pub rounds: u32,
    /// Accounts that buy, where the connections do not need more.
    pub accounts: u64,
    /// Holds in the file, for `idle` and `expiry`.
    pub holds: u64,
    /// Purchases in the file, for `growth`, from few to many.
    pub growth: Vec<u64>,
}

/// One scenario.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Carries it out, round by round.
    pub run: fn(&Setup<'_>, &Wanted, &mut Vec<Row>) -> Result<(), Failure>,
}

/// Every scenario, in the order in which they run.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "hot", about: "everybody buys the same offer, one post a request", run: hot },
    Scenario { name: "offers", about: "the same with 1,000 offers", run: offers },
    Scenario { name: "ndjson-100", about: "100 posts a request, as lines", run: ndjson_100 },
    Scenario { name: "ndjson-8000", about: "8,000 posts a request, as lines", run: ndjson_8000 },
    Scenario {
        name: "firehose",
        about: "a network's posts as lines: 1 in 100 matches an offer",
        run: firehose,
    },
    Scenario { name: "engine", about: "commands without HTTP, 64 and 1,024 under way", run: engine::run },
    Scenario { name: "idle", about: "the tick among many holds, none of them due", run: idle },
    Scenario {
        name: "expiry",
        about: "a tenth of many holds is due at once, while buyers go on",
        run: expiry::run,
    },
    Scenario { name: "growth", about: "the hot offer with more and more purchases in the file", run: growth },
];

fn hot(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    selling(setup, wanted, rows, "hot", 1, wanted.connections, one_by_one)
}

fn offers(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    selling(setup, wanted, rows, "offers", OFFERS, wanted.connections, one_by_one)
}

fn ndjson_100(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    selling(setup, wanted, rows, "ndjson-100", 1, wanted.connections, |crowd| {
        Box::new(Lines::new(crowd, 100))
    })
}

fn ndjson_8000(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let few = wanted.connections.min(LARGE_CONNECTIONS);
    selling(setup, wanted, rows, "ndjson-8000", 1, few, |crowd| Box::new(Lines::new(crowd, 8000)))
}

fn firehose(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let few = wanted.connections.min(LARGE_CONNECTIONS);
    let hose = |crowd: Crowd| -> Box<dyn Traffic> { Box::new(Firehose::new(&crowd, FIREHOSE_LINES)) };
    selling(setup, wanted, rows, "firehose", OFFERS, few, hose)
}

fn one_by_one(crowd: Crowd) -> Box<dyn Traffic> {
    Box::new(OneByOne::new(crowd))
}

/// Posts in one request of a scenario.
fn lines(name: &str) -> usize {
    match name {
        "ndjson-100" => 100,
        "ndjson-8000" => 8000,
        "firehose" => FIREHOSE_LINES,
        _ => 1,
    }
}

impl Wanted {
    /// So many accounts that nobody buys again while their purchase is under way.
    pub fn accounts(&self, connections: usize, posts_per_request: usize) -> u64 {
        self.accounts.max(4 * connections as u64 * posts_per_request as u64)
    }
}

/// A fresh file with a shop, and a till on it that sells for some rounds.
fn selling(
    setup: &Setup<'_>,
    wanted: &Wanted,
    rows: &mut Vec<Row>,
    name: &'static str,
    offers: u64,
    connections: usize,
    talk: fn(Crowd) -> Box<dyn Traffic>,
) -> Result<(), Failure> {
    let crowd = Crowd::new(wanted.accounts(connections, lines(name)), offers);
    let data = setup.site.file(name);
    Filler::open(&data, &crowd)?.shop(offers, setup.progress)?;
    let till = setup.site.start(&data, connections, &[])?;
    for round in 1..=wanted.rounds {
        let mut row = setup.begin(name, round)?;
        row.posts_per_request = lines(name);
        setup.run(&till, &mut row, (0..connections).map(|_| talk(crowd.clone())).collect())?;
        rows.push(row);
    }
    till.stop()?;
    setup.site.remove(&data);
    Ok(())
}

/// Nothing but ticks, among holds of which none is due.
fn idle(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let data = setup.site.file("idle");
    let crowd = expiry::crowd(wanted);
    let mut filler = Filler::open(&data, &crowd)?;
    filler.shop(expiry::OFFERS, setup.progress)?;
    filler.window(expiry::LONG_WINDOW_SECONDS)?;
    filler.holds(wanted.holds, setup.progress)?;
    drop(filler);
    let till = setup.site.start(&data, 1, &["--tick-ms", &TICK_MS.to_string()])?;
    // The first ticks after a start free nothing: every buyer gets the grace of the network.
    till.advance_clock(60)?;
    for round in 1..=wanted.rounds {
        let mut row = setup.begin("idle", round)?;
        ticks(setup, &till, &mut row)?;
        row.more.holds = Some(wanted.holds);
        rows.push(row);
    }
    till.stop()?;
    setup.site.remove(&data);
    Ok(())
}

fn ticks(setup: &Setup<'_>, till: &Till, row: &mut Row) -> Result<(), Failure> {
    let (before, usage) = (till.figures()?, till.usage());
    setup.progress.pause(setup.time.max(Duration::from_millis(20 * TICK_MS)))?;
    let (after, used) = (till.figures()?, till.usage());
    let grown = |name: &str| after.since(&before, &format!("tick_seconds_{name}"));
    let ticks = grown("count").max(1.0);
    row.seconds = setup.time.as_secs_f64();
    row.more.tick_ms = Some(1000.0 * grown("sum") / ticks);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
    {
        row.more.ticks = Some(ticks as u64);
        row.more.ticks_over_1_ms = Some((grown("count") - grown("bucket{le=\"0.001\"}")) as u64);
    }
    row.commits_per_second = Some(after.since(&before, "commits_total") / row.seconds);
    row.take_usage(0, (&usage, &used), setup.time);
    Ok(())
}

/// The hot offer, with more and more purchases in the file; then kill -9 under load, and how long the file takes to
/// open again.
fn growth(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let data = setup.site.file("growth");
    let most = wanted.growth.iter().copied().max().unwrap_or(0);
    let crowd = Crowd::new(wanted.accounts(wanted.connections, 1).max(most / 20), OFFERS);
    Filler::open(&data, &crowd)?.shop(OFFERS, setup.progress)?;
    let mut purchases = 0;
    for &size in &wanted.growth {
        Filler::open(&data, &crowd)?.purchases(size.saturating_sub(purchases), setup.progress)?;
        purchases = purchases.max(size);
        let till = setup.site.start(&data, wanted.connections, &[])?;
        for round in 1..=wanted.rounds {
            let mut row = setup.begin(&format!("growth-{}", short(size)), round)?;
            let talk = |_| one_by_one(crowd.at_offer(0));
            setup.run(&till, &mut row, (0..wanted.connections).map(talk).collect())?;
            row.more.purchases = Some(purchases);
            row.more.file_bytes = Some(std::fs::metadata(&data).map_err(failure)?.len());
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
            {
                purchases += (row.flows_per_second.unwrap_or(0.0) * row.seconds) as u64;
            }
            rows.push(row);
        }
        let opened = crash(setup, till, &data, wanted.connections, &crowd)?;
        for row in rows.iter_mut().filter(|row| row.scenario == format!("growth-{}", short(size))) {
            row.more.open_ms = Some(1000.0 * opened.as_secs_f64());
        }
    }
    setup.site.remove(&data);
    Ok(())
}

/// Kills a till under load; returns how long the next one takes to open the file.
fn crash(
    setup: &Setup<'_>,
    till: Till,
    data: &Path,
    connections: usize,
    crowd: &Crowd,
) -> Result<Duration, Failure> {
    let talk = |_| one_by_one(crowd.at_offer(0));
    let load = setup.load(&till, (0..connections).map(talk).collect())?;
    till.kill_9()?;
    // Every connection is broken off: that is what is meant to happen.
    drop(load.finish());
    let again = setup.site.start(data, connections, &[])?;
    let opened = again.opened;
    // What the crash left on hold is freed, so that those buyers can come again.
    again.advance_clock(3600)?;
    again.stop()?;
    Ok(opened)
}

/// A size as people write it: `10k`, `1M`.
pub fn short(size: u64) -> String {
    match size {
        size if size >= 1_000_000 && size.is_multiple_of(1_000_000) => format!("{}M", size / 1_000_000),
        size if size >= 1000 && size.is_multiple_of(1000) => format!("{}k", size / 1000),
        size => size.to_string(),
    }
}

/// Reads a size as people write it.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    let number: u64 = digits.parse().map_err(|_| "must be a number, as in 500, 10k or 1M".to_owned())?;
    match number.checked_mul(factor) {
        Some(size) if (1..=100_000_000).contains(&size) => Ok(size),
        _ => Err("must be 1 to 100M".to_owned()),
    }
}

/// Bytes that the scenarios may need: what a purchase, a hold and an account take in the file, by measurement, and
/// half as much again.
pub fn bytes_needed(wanted: &Wanted) -> u64 {
    const BASE: u64 = 2_000_000_000;
    const PURCHASE: u64 = 4000;
    const HOLD: u64 = 3000;
    let grown = wanted.growth.iter().copied().max().unwrap_or(0).saturating_mul(PURCHASE);
    let held = wanted.holds.saturating_mul(HOLD);
    BASE.saturating_add(grown.max(held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_they_are_written() {
        for (text, number) in [("500", 500), ("10k", 10_000), ("1M", 1_000_000), ("1500", 1500)] {
            assert_eq!(size(text), Ok(number));
            assert_eq!(short(number), text);
        }
        for text in ["", "k", "0", "-1", "1G", "999M", "99999999999999999999M"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
