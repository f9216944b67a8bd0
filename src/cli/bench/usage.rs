//! What a process has used, from the system's own books: the till's apart from the load generator's.

use std::time::Duration;

/// What a process has used so far. Each is `None` where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on any core, in the kernel or not.
    pub cpu: Option<Duration>,
    /// Bytes that it caused to be written to the disk.
    pub written_bytes: Option<u64>,
    /// The most memory that it ever had, in bytes.
    pub rss_peak_bytes: Option<u64>,
}

/// What a process has used so far.
pub fn of(process: u32) -> Usage {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default();
    Usage {
        cpu: cpu(&read("stat")),
        written_bytes: field(&read("io"), "write_bytes:"),
        rss_peak_bytes: field(&read("status"), "VmHWM:").map(|kib| kib * 1024),
    }
}

/// What this process has used so far.
pub fn own() -> Usage {
    of(std::process::id())
}

impl Usage {
    /// Percent of one core between `earlier` and now, `time` after it.
    pub fn cpu_percent_since(&self, earlier: &Self, time: Duration) -> Option<f64> {
        let used = self.cpu?.saturating_sub(earlier.cpu?);
        Some(100.0 * used.as_secs_f64() / time.as_secs_f64().max(1e-9))
    }

    /// Bytes written between `earlier` and now.
    pub fn written_since(&self, earlier: &Self) -> Option<u64> {
        Some(self.written_bytes?.saturating_sub(earlier.written_bytes?))
    }
}

/// User and system time from `stat`: fields 14 and 15, counted behind the name, which may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut ticks = behind_name.split_whitespace().skip(11).map(str::parse::<u64>);
    let used = ticks.next()?.ok()?.saturating_add(ticks.next()?.ok()?);
    let second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(used.saturating_mul(1000) / second))
}

fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_lines() {
        let stat = "77 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        let second = rustix::param::clock_ticks_per_second();
        assert_eq!(cpu(stat), Some(Duration::from_millis(300_000 / second)));
        assert_eq!(field("rchar: 1\nwrite_bytes: 8192\n", "write_bytes:"), Some(8192));
        assert_eq!(field("VmPeak:\t 9 kB\nVmHWM:\t 1024 kB\n", "VmHWM:"), Some(1024));
        assert_eq!(cpu("nothing"), None);
    }
}
