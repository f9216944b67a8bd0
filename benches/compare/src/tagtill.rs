//! tagtill, measured by its own bench.

use crate::result::{Figures, Round};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// A row of `tagtill bench --json`.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which scenario it is.
    pub scenario: String,
    /// What it did.
    pub figures: Figures,
    /// 4 KiB writes, each synced, that the disk did in a second just before.
    pub syncs_per_second: f64,
}

/// One round of a scenario on a fresh file.
pub fn run(binary: &Path, round: &Round, scenario: &str) -> Result<Vec<Row>, String> {
    let output = Command::new(binary)
        .args(["bench", scenario, "--json", "--connections", &round.connections.to_string()])
        .args(["--seconds", &round.seconds.to_string(), "--accounts", &round.accounts.to_string(), "--dir"])
        .arg(&round.folder)
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    if !output.status.success() {
        return Err(format!("tagtill bench {scenario}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8_lossy(&output.stdout).lines().map(read).collect()
}

fn read(line: &str) -> Result<Row, String> {
    let row: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    let number = |name: &str| row.get(name).and_then(Value::as_f64).ok_or(format!("no {name}: {line}"));
    let scenario = row.get("scenario").and_then(Value::as_str).unwrap_or_default().to_owned();
    let figures = Figures {
        flows_per_second: number("flows_per_second")?,
        p50_ms: number("flow_p50_ms")?,
        p99_ms: number("flow_p99_ms")?,
    };
    Ok(Row { scenario, figures, syncs_per_second: number("disk_syncs_per_second")? })
}
