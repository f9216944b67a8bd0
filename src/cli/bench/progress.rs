//! Says on standard error what takes long, and notices that somebody wants the bench to end.

use crate::cli::{Failure, failure};
use std::cell::Cell;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// From one word about progress to the next.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells how far something is.
#[derive(Clone, Debug)]
pub struct Progress {
    stop: Arc<AtomicBool>,
    quiet: bool,
    what: &'static str,
    total: u64,
    begun: Instant,
    told: Cell<Instant>,
}

impl Progress {
    /// Ends the bench in good order on Ctrl-C and SIGTERM.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn new() -> Result<Self, Failure> {
        let progress = Self { quiet: false, ..Self::quiet() };
        let stop = Arc::clone(&progress.stop);
        ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).map_err(failure)?;
        Ok(progress)
    }

    /// Says nothing.
    pub fn quiet() -> Self {
        let now = Instant::now();
        let stop = Arc::new(AtomicBool::new(false));
        Self { stop, quiet: true, what: "", total: 0, begun: now, told: Cell::new(now) }
    }

    /// Tells about `total` of `what`.
    #[must_use]
    pub fn of(&self, what: &'static str, total: u64) -> Self {
        let now = Instant::now();
        Self { what, total, begun: now, told: Cell::new(now), ..self.clone() }
    }

    /// A line of its own.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// `done` are done.
    ///
    /// # Errors
    /// Where somebody wants the bench to end.
    pub fn go_on(&self, done: u64) -> Result<(), Failure> {
        self.check()?;
        if self.quiet || self.told.get().elapsed() < PAUSE {
            return Ok(());
        }
        self.told.set(Instant::now());
        #[allow(clippy::cast_precision_loss, reason = "for people")]
        let rate = done as f64 / self.begun.elapsed().as_secs_f64();
        let line = format!("  {}: {done} of {}, {rate:.0} a second", self.what, self.total);
        if std::io::stderr().is_terminal() {
            eprint!("{line}   \r");
        } else {
            eprintln!("{line}");
        }
        Ok(())
    }

    /// All are done.
    pub fn done(&self) {
        let took = self.begun.elapsed();
        if !self.quiet && took > PAUSE {
            eprintln!("  {}: {} in {:.0} s                    ", self.what, self.total, took.as_secs_f64());
        }
    }

    /// Waits, unless somebody wants the bench to end.
    ///
    /// # Errors
    /// Where somebody does.
    pub fn pause(&self, time: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + time;
        loop {
            self.check()?;
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            std::thread::sleep(rest.min(Duration::from_millis(50)));
        }
    }

    /// # Errors
    /// Where somebody wants the bench to end.
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::from("Interrupted."));
        }
        Ok(())
    }
}
