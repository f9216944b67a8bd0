//! PostgreSQL with its durable defaults, asked by its own pgbench with prepared statements.

use crate::result::{FIRST_POST, Figures, Round, STRIDE};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCHEMA: &str = include_str!("postgres.sql");

/// How the stock is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    /// On one row, which is hot.
    OneRow,
    /// On 16 rows.
    Split,
}

/// Where the newest installed PostgreSQL has its programs.
fn programs() -> Result<PathBuf, String> {
    let root = Path::new("/usr/lib/postgresql");
    let versions = fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let with_number = |entry: io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
        path.join("bin/pgbench").exists().then_some((version, path.join("bin")))
    };
    let newest = versions.filter_map(with_number).max();
    newest.map(|(_, bin)| bin).ok_or_else(|| "PostgreSQL with pgbench is not installed".to_owned())
}

/// PostgreSQL's version.
pub fn version() -> Result<String, String> {
    let output = Command::new(programs()?.join("postgres")).arg("--version").output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split_whitespace().nth(2).unwrap_or("?").to_owned())
}

/// A server on a cluster of its own.
struct Server {
    bin: PathBuf,
    cluster: PathBuf,
    port: u16,
}

impl Server {
    /// PostgreSQL refuses to run as root: then it runs as the user that its package made.
    fn as_its_user(program: &Path) -> Command {
        if !rustix::process::geteuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
        command
    }

    fn start(round: &Round) -> Result<Self, String> {
        let bin = programs()?;
        let cluster = round.folder.join("cluster");
        fs::create_dir(&cluster).map_err(|error| error.to_string())?;
        if rustix::process::geteuid().is_root() {
            succeed(Command::new("chown").arg("postgres:").arg(&cluster))?;
        }
        let mut init = Self::as_its_user(&bin.join("initdb"));
        succeed(
            init.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-D"]).arg(&cluster),
        )?;
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        // fsync, synchronous_commit and full_page_writes are on by default and stay on.
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c max_connections=1100 \
             -c shared_buffers=512MB -c max_wal_size=8GB"
        );
        let mut start = Self::as_its_user(&bin.join("pg_ctl"));
        succeed(
            start
                .args(["start", "-w", "-s", "-D"])
                .arg(&cluster)
                .arg("-l")
                .arg(cluster.join("log"))
                .args(["-o", &options]),
        )?;
        Ok(Self { bin, cluster, port })
    }

    fn psql(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.bin.join("psql"));
        command.args([
            "-q",
            "-X",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
        ]);
        let output = succeed(command.arg(self.port.to_string()).args(arguments).arg("postgres"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs the flow for some time; returns how long each took, in microseconds.
    fn bench(&self, round: &Round, script: &Path, seconds: u64, from: u64) -> Result<Vec<u64>, String> {
        let logs = round.folder.join(format!("logs-{from}"));
        fs::create_dir(&logs).map_err(|error| error.to_string())?;
        let mut command = Command::new(self.bin.join("pgbench"));
        command.args(["-n", "-M", "prepared", "-j", "2", "-h", "127.0.0.1", "-U", "postgres", "-p"]);
        command.arg(self.port.to_string()).arg("-c").arg(round.connections.to_string());
        command.arg("-T").arg(seconds.to_string()).arg("-f").arg(script);
        for (name, value) in
            [("clients", round.connections as u64), ("accounts", round.accounts), ("n", from)]
        {
            command.arg("-D").arg(format!("{name}={value}"));
        }
        command.arg("-l").arg("--log-prefix").arg(logs.join("log")).arg("postgres");
        succeed(&mut command)?;
        let mut micros = Vec::new();
        for entry in fs::read_dir(&logs).map_err(|error| error.to_string())?.flatten() {
            let text = fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
            // client, transaction, microseconds, …
            micros.extend(text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()));
        }
        Ok(micros)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = Self::as_its_user(&self.bin.join("pg_ctl"));
        let _ = succeed(stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(&self.cluster));
    }
}

/// One round on a fresh cluster.
pub fn run(round: &Round, stock: Stock) -> Result<Figures, String> {
    let server = Server::start(round)?;
    let schema = round.folder.join("schema.sql");
    fs::write(&schema, SCHEMA).map_err(|error| error.to_string())?;
    let accounts = format!("accounts={}", round.accounts);
    server.psql(&["-v", &accounts, "-f", &schema.to_string_lossy()])?;
    let script = round.folder.join("flow.sql");
    fs::write(&script, flow(stock)).map_err(|error| error.to_string())?;
    server.bench(round, &script, 1, 0)?;
    let micros = server.bench(round, &script, round.seconds, 100_000_000)?;
    let flows = micros.len();
    let told = server.psql(&[
        "-c",
        "SELECT count(*), 1000000000 - min(available) FROM captures, offers",
        "-c",
        "SELECT 1000000000 - sum(available) FROM shelves",
    ])?;
    let numbers: Vec<usize> = told.split(['|', '\n']).filter_map(|word| word.trim().parse().ok()).collect();
    let [captures, of_one_row, of_shelves] = numbers.as_slice() else {
        return Err(format!("PostgreSQL counted {told:?}"));
    };
    let taken = if stock == Stock::OneRow { of_one_row } else { of_shelves };
    if *captures < flows || taken < captures {
        return Err(format!(
            "PostgreSQL holds {captures} captures and took {taken} units after {flows} flows"
        ));
    }
    Figures::of(micros, round.seconds as f64)
}

/// What each of pgbench's clients does, over and over.
fn flow(stock: Stock) -> String {
    let buy = if stock == Stock::OneRow { "buy" } else { "buy_split" };
    format!(
        "\\set n :n + 1\n\
         \\set flow :client_id + :clients * :n\n\
         \\set post {FIRST_POST} + 2 * :flow\n\
         \\set confirmation :post + 1\n\
         \\set account (:flow * {STRIDE}) % :accounts\n\
         SELECT {buy}(:post, :account, 1);\n\
         SELECT confirm(:confirmation, :account, 1);\n"
    )
}

fn succeed(command: &mut Command) -> Result<Output, String> {
    let name = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
