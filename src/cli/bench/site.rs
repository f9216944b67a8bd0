//! Where a bench happens: a folder of its own, which goes with it, and the till under test as a process of its own.

use super::machine;
use super::usage::{self, Usage};
use crate::cli::{Failure, failure};
use crate::client::Client;
use crate::http::new_secret;
use crate::store::Scratch;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a till may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder for one bench; removed with it unless it is kept.
pub struct Site {
    folder: PathBuf,
    token: String,
    /// `None` where it is kept.
    scratch: Option<Scratch>,
}

impl Site {
    /// Makes a folder in `within`, where at least `needed_bytes` must be free.
    pub fn new(within: &Path, needed_bytes: u64, keep: bool) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| Failure::from(format!("{}: {error}", within.display()));
        let free = machine::free_bytes(within).map_err(cannot)?;
        if free < needed_bytes {
            return Err(Failure::from(format!(
                "{} has {} MB free, and this bench may need {} MB. Name another folder with --dir, or ask for less \
                 with --growth and --holds.",
                within.display(),
                free / 1_000_000,
                needed_bytes / 1_000_000
            )));
        }
        let (folder, scratch) = if keep {
            let unique = getrandom::u64().map_err(failure)?;
            let folder = within.join(format!("tagtill-bench-kept-{unique:016x}"));
            std::fs::create_dir(&folder).map_err(cannot)?;
            (folder, None)
        } else {
            let scratch = Scratch::new(within, "tagtill-bench").map_err(cannot)?;
            (scratch.path().to_owned(), Some(scratch))
        };
        let site = Self { folder, token: new_secret().map_err(failure)?, scratch };
        std::fs::write(site.token_file(), &site.token).map_err(failure)?;
        Ok(site)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A data file of this name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.redb"))
    }

    /// Removes a data file and what lies beside it, unless it is kept.
    pub fn remove(&self, data: &Path) {
        if self.scratch.is_none() {
            return;
        }
        for ending in ["", ".lock", ".sandbox-ledger", ".erased"] {
            let mut name = data.as_os_str().to_owned();
            name.push(ending);
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }

    fn token_file(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// Starts a till on a data file of this site.
    pub fn start(&self, data: &Path, connections: usize, extra: &[&str]) -> Result<Till, Failure> {
        let binary = std::env::current_exe().map_err(failure)?;
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .args(["serve", "--sandbox", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--admin-token-file")
            .arg(self.token_file())
            .arg("--slots")
            .arg((connections + 16).clamp(128, 4096).to_string())
            .args(extra)
            .env("TAGTILL_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failure)?;
        let out = child.stdout.take();
        let mut till = Till {
            child,
            out: out.map(BufReader::new),
            client: Client::new("http://127.0.0.1:1", &self.token),
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            token: self.token.clone(),
            ledger: crate::store::beside(data, "sandbox-ledger"),
            opened: Duration::ZERO,
        };
        let mut line = String::new();
        if let Some(out) = &mut till.out {
            out.read_line(&mut line).map_err(failure)?;
        }
        let url = line.trim().strip_prefix("tagtill listens on ").unwrap_or_default().to_owned();
        let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            return Err(Failure::from("the till under test did not start; see above"));
        };
        till.client = Client::new(&url, &self.token);
        till.address = address;
        till.client.get("/readyz").map_err(failure)?;
        till.opened = begun.elapsed();
        Ok(till)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.scratch.is_none() {
            eprintln!("kept: {}", self.folder.display());
        }
    }
}

/// A till under test.
pub struct Till {
    child: Child,
    /// Held open: the till may still say something.
    out: Option<BufReader<ChildStdout>>,
    /// A client with an admin token.
    pub client: Client,
    /// Where it listens.
    pub address: SocketAddr,
    /// An admin token.
    pub token: String,
    ledger: PathBuf,
    /// From starting the process to its first answer that it sells.
    pub opened: Duration,
}

impl Till {
    /// What the till has used so far.
    pub fn usage(&self) -> Usage {
        usage::of(self.child.id())
    }

    /// The till's own figures, by name and labels.
    pub fn figures(&self) -> Result<Figures, Failure> {
        let text = self.client.get_text("/metrics").map_err(failure)?;
        Ok(Figures::read(&text))
    }

    /// Moves the till's clock forward.
    pub fn advance_clock(&self, seconds: i64) -> Result<(), Failure> {
        let body = json!({"advance_seconds": seconds});
        self.client.post("/v1/sandbox/clock", &body).map(drop).map_err(failure)
    }

    /// How long the gateway's ledger is now.
    pub fn ledger_bytes(&self) -> u64 {
        std::fs::metadata(&self.ledger).map_or(0, |found| found.len())
    }

    /// How many charges stand in the gateway's ledger behind its first `from` bytes.
    pub fn charged_since(&self, from: u64) -> u64 {
        let mut text = Vec::new();
        let read = std::fs::File::open(&self.ledger).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut text)
        });
        if read.is_err() {
            return 0;
        }
        let begins = |line: &&[u8]| line.starts_with(br#"{"entry":"charged""#);
        text.split(|&byte| byte == b'\n').filter(begins).count() as u64
    }

    /// As a crash would.
    pub fn kill_9(mut self) -> Result<(), Failure> {
        self.child.kill().map_err(failure)?;
        self.child.wait().map(drop).map_err(failure)
    }

    /// Tells the till to stop and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(process) = process {
            rustix::process::kill_process(process, rustix::process::Signal::TERM).map_err(failure)?;
        }
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().map_err(failure)?.is_none() {
            if Instant::now() > deadline {
                return Err(Failure::from("the till under test did not stop"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What `/metrics` said at one moment.
#[derive(Clone, Debug, Default)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(pairs.collect())
    }

    /// A figure by its name, without `tagtill_`; 0 where there is none.
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(&format!("tagtill_{name}")).copied().unwrap_or(0.0)
    }

    /// How much a counter grew since `earlier`.
    pub fn since(&self, earlier: &Self, name: &str) -> f64 {
        self.get(name) - earlier.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_figures_with_and_without_labels() {
        let text = "# HELP tagtill_a b\ntagtill_a 7\ntagtill_b{le=\"+Inf\"} 2.5\n";
        let figures = Figures::read(text);
        assert!((figures.get("a") - 7.0).abs() < 1e-9);
        assert!((figures.get("b{le=\"+Inf\"}") - 2.5).abs() < 1e-9);
        assert!(figures.get("c").abs() < 1e-9);
    }

    #[test]
    fn a_folder_without_room_is_refused_and_a_used_one_removed() {
        let within = tempfile::tempdir().unwrap();
        let refused = Site::new(within.path(), u64::MAX, false).err().unwrap();
        assert!(refused.sentence.contains("--dir"), "{}", refused.sentence);
        let kept = Site::new(within.path(), 1, true).unwrap().folder().to_owned();
        let left = within.path().join("tagtill-bench-0123456789abcdef");
        std::fs::create_dir(&left).unwrap();
        let site = Site::new(within.path(), 1, false).unwrap();
        assert!(site.folder().join("token").exists());
        assert!(!left.exists(), "what a bench that was killed has left goes");
        drop(site);
        assert_eq!(std::fs::read_dir(within.path()).unwrap().count(), 1);
        assert!(kept.join("token").exists());
    }
}
