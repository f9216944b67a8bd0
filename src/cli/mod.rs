//! The command line: one file a subcommand. What it does with data it does through the API of a running till, or on
//! the file when none runs.

mod backup;
mod bench;
mod bridge;
mod completions;
pub mod demo;
mod explain;
mod export;
mod listen;
mod playground;
mod reconcile;
mod rehearse;
mod restore;
mod resume;
pub mod running;
mod serve;
mod target;
mod token;
mod trigger;
mod verify;
pub mod words;

use clap::{Parser, Subcommand};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Sell with a post, buy with a reply: a till for social networks.
///
/// Somebody posts an offer's hashtag; the till answers with a confirmation hashtag; they post it within 15 minutes;
/// their linked card is charged, and the merchant is told what to ship.
///
/// Try it: `tagtill demo`. Run it: `tagtill serve --sandbox`.
#[derive(Debug, Parser)]
#[command(name = "tagtill", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    // What each does is said at its arguments: the short and the long of it.
    Demo(demo::Args),
    Serve(serve::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Verify(verify::Args),
    Explain(explain::Args),
    Export(export::Args),
    Token(token::Args),
    Listen(listen::Args),
    Trigger(trigger::Args),
    Rehearse(rehearse::Args),
    Bench(bench::Args),
    Resume(resume::Args),
    Bridge(bridge::Args),
    Reconcile(reconcile::Args),
    Words(words::Args),
    Completions(completions::Args),
}

/// Why a command ended: the sentence for people, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// What is wrong and what to do.
    pub sentence: String,
    /// 0: nobody wants to know any more; 1: it failed; 2: it was called wrongly; 3: what was checked does not hold.
    pub code: u8,
}

impl<T: Into<String>> From<T> for Failure {
    fn from(sentence: T) -> Self {
        Self { sentence: sentence.into(), code: 1 }
    }
}

/// What a command comes to.
pub type Outcome = Result<(), Failure>;

/// A failure of anything that can say what is wrong.
pub fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::from(error.to_string())
}

/// Digits in groups of three.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Makes a file of our own, or empties it.
pub fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| unwritable(path, &error))
}

/// A file of our own cannot be written.
pub fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::from(format!("Cannot write {}: {error}", path.display()))
}

/// Writes a line to standard output. Where nobody reads any more, the command ends quietly.
pub fn say(line: impl std::fmt::Display) -> Outcome {
    writeln!(std::io::stdout().lock(), "{line}").map_err(unwritten)
}

/// Standard output could not be written: that nobody reads any more is no failure.
pub fn unwritten(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure { sentence: String::new(), code: 0 },
        _ => failure(error),
    }
}

/// Parses the command line and carries it out.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Data files, backups and exports hold addresses: whatever is written is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    env_logger::Builder::from_env(env_logger::Env::new().filter_or("TAGTILL_LOG", "info"))
        .filter_module(crate::http::server::LIBRARY, log::LevelFilter::Off)
        .format_timestamp_millis()
        .init();
    let outcome = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Listen(args) => listen::run(&args),
        Command::Trigger(args) => trigger::run(&args),
        Command::Rehearse(args) => rehearse::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Resume(args) => resume::run(&args),
        Command::Bridge(args) => bridge::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Words(args) => words::run(&args),
        Command::Completions(args) => {
            completions::run(&args);
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.sentence.is_empty() {
                eprintln!("tagtill: {}", failure.sentence);
            }
            ExitCode::from(failure.code)
        }
    }
}
