//! Measures a till over HTTP: warms up, then counts for a while what it answers and what it uses.

use super::load::{Counted, Load};
use super::machine;
use super::progress::Progress;
use super::report::Row;
use super::site::{Figures, Site, Till};
use super::traffic::Traffic;
use super::usage::{self, Usage};
use crate::cli::Failure;
use std::time::{Duration, Instant};

/// How long a load runs before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the disk is probed before each round.
const PROBE: Duration = Duration::from_secs(1);
/// A machine on which no flow ends in this time is not measured.
pub const FIRST_FLOW: Duration = Duration::from_secs(60);

/// What is measured, and how.
pub struct Setup<'a> {
    /// Where.
    pub site: &'a Site,
    /// Tells how far it is.
    pub progress: &'a Progress,
    /// How long is measured.
    pub time: Duration,
    /// Threads of the load generator.
    pub threads: usize,
}

impl Setup<'_> {
    /// A row with what the disk and the machine do before a round.
    pub fn begin(&self, scenario: &str, round: u32) -> Result<Row, Failure> {
        self.progress.check()?;
        self.progress.say(&format!("{scenario}, round {round}"));
        let probe = PROBE.min(self.time);
        let syncs = machine::syncs_per_second(self.site.folder(), probe)
            .map_err(|error| Failure::from(format!("{}: {error}", self.site.folder().display())))?;
        Ok(Row {
            scenario: scenario.to_owned(),
            round,
            posts_per_request: 1,
            disk_syncs_per_second: syncs,
            load_average: machine::load_average(),
            ..Row::default()
        })
    }

    /// Begins a load on a till; nothing counts yet.
    pub fn load(&self, till: &Till, talks: Vec<Box<dyn Traffic>>) -> Result<Load, Failure> {
        let load = Load::start(till.address, &till.token, self.threads, talks)?;
        self.wait(&load, WARM_UP.min(self.time))?;
        Ok(load)
    }

    /// Waits while a load runs.
    pub fn wait(&self, load: &Load, time: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline && !load.failed() {
            let rest = deadline.saturating_duration_since(Instant::now());
            self.progress.pause(rest.min(Duration::from_millis(50)))?;
        }
        Ok(())
    }

    /// Measures a till under these talks, and fills the row with what came of it.
    pub fn run(&self, till: &Till, row: &mut Row, talks: Vec<Box<dyn Traffic>>) -> Result<(), Failure> {
        row.connections = talks.len();
        let load = self.load(till, talks)?;
        let before = Moment::now(till)?;
        let begun = Instant::now();
        load.phase(1);
        let flows = load.flows();
        self.wait(&load, self.time)?;
        // On a slow machine with large requests, a round lasts until something is there to be counted.
        while load.flows() == flows && begun.elapsed() < FIRST_FLOW && !load.failed() {
            self.wait(&load, Duration::from_millis(10))?;
        }
        load.phase(2);
        let time = begun.elapsed();
        let after = Moment::now(till)?;
        let captured = till.charged_since(before.ledger_bytes);
        let [_, measured, ..] = &self.finish(load)?;
        row.count(measured, time);
        row.take_moments(measured, &before, &after);
        if measured.flows > 0 {
            row.captured_percent = Some(100.0 * count(captured) / count(measured.flows));
        }
        Ok(())
    }

    /// Ends a load; where somebody wants the bench to end, that is why it failed.
    pub fn finish(&self, load: Load) -> Result<[Counted; super::load::PHASES], Failure> {
        let counted = load.finish();
        self.progress.check()?;
        counted.map_err(Failure::from)
    }
}

/// How till and load generator stood at one moment.
pub struct Moment {
    at: Instant,
    till: Usage,
    own: Usage,
    figures: Figures,
    ledger_bytes: u64,
}

impl Moment {
    /// Now.
    pub fn now(till: &Till) -> Result<Self, Failure> {
        let (figures, ledger_bytes) = (till.figures()?, till.ledger_bytes());
        Ok(Self { figures, ledger_bytes, at: Instant::now(), till: till.usage(), own: usage::own() })
    }
}

impl Row {
    /// Takes in what till and load generator did between two moments.
    pub fn take_moments(&mut self, counted: &Counted, before: &Moment, after: &Moment) {
        let time = after.at.saturating_duration_since(before.at);
        let commits = after.figures.since(&before.figures, "commits_total") / time.as_secs_f64().max(1e-9);
        self.commits_per_second = Some(commits);
        if commits > 0.0 {
            self.posts_per_commit = self.posts_per_second.map(|posts| posts / commits);
        }
        self.take_usage(counted.flows, (&before.till, &after.till), time);
        self.load_cpu_percent = after.own.cpu_percent_since(&before.own, time);
    }

    /// Takes in how much was answered, and how fast.
    pub fn count(&mut self, counted: &Counted, time: Duration) {
        let seconds = time.as_secs_f64().max(1e-9);
        self.seconds = seconds;
        self.flows_per_second = Some(count(counted.flows) / seconds);
        self.posts_per_second = Some(count(counted.posts) / seconds);
        self.p50_ms = counted.answers.percentile_ms(0.5);
        self.p99_ms = counted.answers.percentile_ms(0.99);
        self.p999_ms = counted.answers.percentile_ms(0.999);
        self.flow_p50_ms = counted.whole_flows.percentile_ms(0.5);
        self.flow_p99_ms = counted.whole_flows.percentile_ms(0.99);
    }

    /// Takes in what the till used.
    pub fn take_usage(&mut self, flows: u64, (before, after): (&Usage, &Usage), time: Duration) {
        self.cpu_percent = after.cpu_percent_since(before, time);
        self.rss_bytes = after.rss_peak_bytes;
        if flows > 0 {
            self.bytes_per_flow = after.written_since(before).map(|bytes| count(bytes) / count(flows));
        }
    }
}

/// A count as a number to divide.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn count(value: u64) -> f64 {
    value as f64
}
