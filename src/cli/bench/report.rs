//! What was measured, for people and for programs.
//!
//! A row is one scenario in one round. People see the row in the middle of all rounds, with the spread beside it;
//! programs see every row.

use crate::cli::thousands;
use serde::Serialize;

/// One scenario in one round. What a scenario does not measure is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// The scenario.
    pub scenario: String,
    /// From 1.
    pub round: u32,
    /// Connections, or commands under way where there is no HTTP.
    pub connections: usize,
    /// Posts in a request.
    pub posts_per_request: usize,
    /// How long was measured.
    pub seconds: f64,
    /// Purchases confirmed a second: both posts answered after their commits.
    pub flows_per_second: Option<f64>,
    /// Posts answered a second.
    pub posts_per_second: Option<f64>,
    /// From sending a request to the end of its answer: half of them took no longer.
    pub p50_ms: Option<f64>,
    /// The same for 99 of 100.
    pub p99_ms: Option<f64>,
    /// The same for 999 of 1,000.
    pub p999_ms: Option<f64>,
    /// From sending a purchase post to the end of the answer to its confirmation.
    pub flow_p50_ms: Option<f64>,
    /// The same for 99 of 100.
    pub flow_p99_ms: Option<f64>,
    /// Durable commits a second, those with the gateway's answers included.
    pub commits_per_second: Option<f64>,
    /// Posts answered by a commit.
    pub posts_per_commit: Option<f64>,
    /// Bytes that the till had the disk write, by flow.
    pub bytes_per_flow: Option<f64>,
    /// The till's time on all cores, in percent of one.
    pub cpu_percent: Option<f64>,
    /// The load generator's, the same way.
    pub load_cpu_percent: Option<f64>,
    /// The most memory that the till had.
    pub rss_bytes: Option<u64>,
    /// Cards charged while it was measured, in percent of the flows.
    pub captured_percent: Option<f64>,
    /// What else a scenario measures.
    #[serde(flatten)]
    pub more: More,
    /// What the disk does alone: 4 KiB written and made durable, per second, just before.
    pub disk_syncs_per_second: f64,
    /// The machine's load average of the last minute, just before.
    pub load_average: Option<f64>,
}

/// What only some scenarios measure.
#[derive(Clone, Debug, Default, Serialize)]
pub struct More {
    /// Purchases in the file when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchases: Option<u64>,
    /// Holds in the file when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<u64>,
    /// The data file's size in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// From starting a till on the file, after kill -9 under load, to its answer that it sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_ms: Option<f64>,
    /// How long a tick took that found nothing due, in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tick_ms: Option<f64>,
    /// Ticks measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks: Option<u64>,
    /// Ticks that took longer than a millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticks_over_1_ms: Option<u64>,
    /// Holds that were freed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freed: Option<u64>,
    /// From the first of them to the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freed_in_ms: Option<f64>,
    /// Buyers' 99th percentile before any was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_before_ms: Option<f64>,
}

impl Row {
    /// What a row is ranked by among the rounds of its scenario.
    fn rank(&self) -> f64 {
        let more = &self.more;
        more.freed_in_ms.or(more.tick_ms).or(self.flows_per_second).unwrap_or(0.0)
    }

    /// What only this scenario measures, in words.
    fn remark(&self) -> Option<String> {
        let more = &self.more;
        let mut words = Vec::new();
        if let (Some(freed), Some(ms)) = (more.freed, more.freed_in_ms) {
            words.push(format!("freed {} holds in {} ms", thousands(freed), short(ms)));
        }
        if let Some(p99) = more.p99_before_ms {
            words.push(format!("buyers' p99 was {} ms before", short(p99)));
        }
        if let (Some(ms), Some(ticks), Some(over)) = (more.tick_ms, more.ticks, more.ticks_over_1_ms) {
            words.push(format!("a tick takes {ms:.3} ms ({over} of {ticks} over 1 ms)"));
        }
        words.extend(more.holds.map(|holds| format!("{} holds in the file", thousands(holds))));
        words.extend(more.purchases.map(|count| format!("{} purchases in the file", thousands(count))));
        words.extend(more.file_bytes.map(|bytes| format!("file {} MB", bytes / 1_000_000)));
        words.extend(more.open_ms.map(|ms| format!("open after kill -9: {} ms", short(ms))));
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// One column of the table.
struct Column {
    title: &'static str,
    cell: fn(&Row) -> String,
}

fn or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), short)
}

/// Three digits that count, no more.
fn short(value: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "far below 2^52, not negative"
    )]
    let whole = || thousands(value.round().max(0.0) as u64);
    match value {
        value if value >= 100.0 => whole(),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
const COLUMNS: &[Column] = &[
    Column { title: "scenario", cell: |row| row.scenario.clone() },
    Column { title: "conns", cell: |row| row.connections.to_string() },
    Column { title: "flows/s", cell: |row| or_dash(row.flows_per_second) },
    Column { title: "min–max", cell: |_| String::new() },
    Column { title: "posts/s", cell: |row| or_dash(row.posts_per_second) },
    Column { title: "p50 ms", cell: |row| or_dash(row.p50_ms) },
    Column { title: "p99 ms", cell: |row| or_dash(row.p99_ms) },
    Column { title: "p99.9 ms", cell: |row| or_dash(row.p999_ms) },
    Column { title: "commits/s", cell: |row| or_dash(row.commits_per_second) },
    Column { title: "posts/commit", cell: |row| or_dash(row.posts_per_commit) },
    Column { title: "KB/flow", cell: |row| or_dash(row.bytes_per_flow.map(|bytes| bytes / 1000.0)) },
    Column { title: "CPU %", cell: |row| or_dash(row.cpu_percent) },
    Column { title: "load CPU %", cell: |row| or_dash(row.load_cpu_percent) },
    Column { title: "RSS MB", cell: |row| or_dash(row.rss_bytes.map(|bytes| bytes as f64 / 1e6)) },
    Column { title: "captured %", cell: |row| or_dash(row.captured_percent) },
    Column { title: "syncs/s", cell: |row| short(row.disk_syncs_per_second) },
    Column { title: "load", cell: |row| or_dash(row.load_average) },
];

/// Where the spread of the rounds goes.
const SPREAD: &str = "min–max";

/// The rows in the middle of their rounds: one a scenario, in order, with the least and the most flows per second.
fn middles(rows: &[Row]) -> Vec<(&Row, f64, f64)> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.scenario.as_str()) {
            names.push(&row.scenario);
        }
    }
    let middle = |name: &str| {
        let mut rounds: Vec<&Row> = rows.iter().filter(|row| row.scenario == name).collect();
        rounds.sort_by(|a, b| a.rank().total_cmp(&b.rank()));
        let flows = |row: &&Row| row.flows_per_second.unwrap_or(0.0);
        let least = rounds.iter().map(flows).fold(f64::INFINITY, f64::min);
        let most = rounds.iter().map(flows).fold(0.0, f64::max);
        rounds.get(rounds.len() / 2).map(|row| (*row, least, most))
    };
    names.into_iter().filter_map(middle).collect()
}

fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    let titles = COLUMNS.iter().map(|column| column.title.to_owned()).collect();
    let lines = middles(rows).into_iter().map(|(row, least, most)| {
        let cell = |column: &Column| match column.title {
            SPREAD if row.flows_per_second.is_none() => "–".to_owned(),
            SPREAD => format!("{}–{}", short(least), short(most)),
            _ => (column.cell)(row),
        };
        COLUMNS.iter().map(cell).collect()
    });
    std::iter::once(titles).chain(lines).collect()
}

fn remarks(rows: &[Row]) -> Vec<String> {
    let all = middles(rows);
    all.iter().filter_map(|(row, ..)| Some(format!("{}: {}", row.scenario, row.remark()?))).collect()
}

/// A table for a terminal.
pub fn table(rows: &[Row]) -> String {
    let cells = cells(rows);
    let width = |place: usize| {
        cells.iter().filter_map(|line| line.get(place)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for line in &cells {
        let padded: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(place, (cell, width))| match place {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    for remark in remarks(rows) {
        text.push_str(&remark);
        text.push('\n');
    }
    text
}

/// A table for a Markdown page.
pub fn markdown(rows: &[Row]) -> String {
    let mut lines: Vec<String> = cells(rows).iter().map(|line| format!("| {} |", line.join(" | "))).collect();
    let rule = format!("|---|{}", "--:|".repeat(COLUMNS.len() - 1));
    lines.insert(1, rule);
    lines.push(String::new());
    lines.extend(remarks(rows).iter().map(|remark| format!("- {remark}")));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &str, round: u32, flows: f64) -> Row {
        Row { scenario: scenario.to_owned(), round, flows_per_second: Some(flows), ..Row::default() }
    }

    #[test]
    fn people_see_the_middle_round_and_the_spread() {
        let mut rows = vec![row("hot", 1, 900.0), row("hot", 2, 12_345.6), row("hot", 3, 1000.4)];
        rows.push(Row {
            scenario: "idle".to_owned(),
            more: More {
                tick_ms: Some(0.1234),
                ticks: Some(10),
                ticks_over_1_ms: Some(0),
                ..More::default()
            },
            ..Row::default()
        });
        let table = table(&rows);
        let hot = table.lines().nth(1).unwrap();
        assert!(hot.contains(" 1,000 ") && hot.contains("900–12,346"), "{table}");
        assert!(table.contains("idle: a tick takes 0.123 ms (0 of 10 over 1 ms)"), "{table}");
        let markdown = markdown(&rows);
        let bars: Vec<usize> = markdown.lines().take(4).map(|line| line.matches('|').count()).collect();
        assert_eq!(bars, [COLUMNS.len() + 1; 4]);
    }

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, 0.126, 9.996, 12.34, 99.96, 1234.5, 1_234_567.0].map(short);
        assert_eq!(numbers, ["0.00", "0.13", "10.00", "12.3", "100.0", "1,235", "1,234,567"]);
        assert_eq!(thousands(999), "999");
    }
}
