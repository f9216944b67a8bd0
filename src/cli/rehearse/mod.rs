//! `tagtill rehearse`: a drop with simulated buyers against a copy of an offer, on a sandbox till of its own.
//!
//! `copy` reads what is copied, `stage` puts up the till and plays on it, `summary` says in the terminal what it came
//! to, `host` does the same for the API of a running till. The till that is copied from is never written to.

mod copy;
mod host;
mod stage;
mod summary;

pub use host::Host;

use super::demo::Style;
use super::target::Target;
use super::{Failure, Outcome, create, failure, say, unwritable};
use crate::engine::wall_ms;
use crate::rehearsal::{Broken, Progress, Rehearsal, Sale, Settings, Watch, Wrong, page};
use crate::till::id::OfferId;
use crate::till::time::Time;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one word about progress to the next.
const PAUSE: Duration = Duration::from_millis(200);

/// Rehearse a drop: simulated buyers against a copy of an offer, on a sandbox till of its own.
///
/// Shares are percent of the buyers, as in 10%; a buyer is of one kind, and who is left confirms in time. A window of 15
/// minutes takes seconds: the till of a rehearsal has a clock that is moved. The offer is read from the till that runs,
/// or from the data file where none does, and neither is changed. The same seed comes to the same.
///
/// Exit code 3: something that must hold does not, as that nothing is oversold.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The offer to copy, with its network's settings and the till's limits; without it, one is made up
    #[arg(long, value_name = "OFFER")]
    offer: Option<String>,
    /// How many people want one
    #[arg(long, value_name = "N", default_value_t = 1000)]
    buyers: u32,
    /// How many units there are; without it, as many as the offer has, or one for five buyers
    #[arg(long, value_name = "N")]
    units: Option<u64>,
    /// How many one account may buy; without it, as many as the offer says
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How long a buyer has to confirm, in seconds; without it, as long as the offer says
    #[arg(long, value_name = "SECONDS")]
    window: Option<u32>,
    /// With a waiting list (`--waitlist false`: without one); left out, as the offer has it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    waitlist: Option<bool>,
    /// The network of all posts, with what the till knows of it
    #[arg(long, value_name = "NETWORK", default_value = "sandbox")]
    network: String,
    /// From the first wish to the last, in seconds; half of all come in the first thirteenth of it
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    spread: u32,
    #[command(flatten)]
    people: People,
    #[command(flatten)]
    way: Way,
    /// Everything is drawn from this
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write what it came to as a page (HTML), to keep, to print or to send
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print what it came to as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// What buyers are like.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Buyers")]
struct People {
    /// Confirm after their window
    #[arg(long, value_name = "SHARE", default_value = "8%", value_parser = percent)]
    late: u32,
    /// Never confirm
    #[arg(long, value_name = "SHARE", default_value = "12%", value_parser = percent)]
    undecided: u32,
    /// Post their wish twice
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = percent)]
    twice: u32,
    /// Confirm by reposting the reply
    #[arg(long, value_name = "SHARE", default_value = "15%", value_parser = percent)]
    repost: u32,
    /// Let it go again before they confirm
    #[arg(long, value_name = "SHARE", default_value = "3%", value_parser = percent)]
    changed: u32,
    /// Have a card that is declined
    #[arg(long, value_name = "SHARE", default_value = "3%", value_parser = percent)]
    declined: u32,
    /// Have a card whose first charge is answered by nobody
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = percent)]
    slow_cards: u32,
    /// Have linked no account
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = percent)]
    unlinked: u32,
}

/// What the network is like.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Network")]
struct Way {
    /// Replies that never get out
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = percent)]
    lost_replies: u32,
    /// Replies that are out, but of which the till hears a minute or two later
    #[arg(long, value_name = "SHARE", default_value = "3%", value_parser = percent)]
    late_answers: u32,
    /// Posts that the network delivers a second time
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = percent)]
    redelivered: u32,
    /// How long a reply takes to get out, about
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    reply_seconds: u32,
    /// How many replies the network takes in 15 minutes; left out, as many as the till knows of it; 0: no limit
    #[arg(long, value_name = "N")]
    replies_per_15_minutes: Option<u32>,
    /// How many replies it takes in a day; left out, as many as the till knows of it; 0: no limit
    #[arg(long, value_name = "N")]
    replies_per_day: Option<u32>,
}

/// Reads a share: `10%` or `10`.
fn percent(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix('%').unwrap_or(text).trim();
    let share = digits.parse().ok().filter(|share| *share <= 100);
    share.ok_or_else(|| "must be a whole number of percent from 0% to 100%, as in 10%".to_owned())
}

/// The flag that sets what [`Settings`] calls so.
fn flag(field: &str) -> String {
    let name = match field {
        "window_seconds" => "window",
        "spread_seconds" => "spread",
        other => other.strip_suffix("_percent").unwrap_or(other),
    };
    format!("--{}", name.replace('_', "-"))
}

/// A setting that cannot be, as the command line names it.
fn wrong(Wrong { field, detail }: Wrong) -> Failure {
    Failure { sentence: format!("{} {detail}.", flag(field)), code: 2 }
}

fn settings(args: &Args) -> Settings {
    let (people, way) = (&args.people, &args.way);
    Settings {
        buyers: args.buyers,
        units: args.units,
        limit: args.limit,
        window_seconds: args.window,
        waitlist: args.waitlist,
        network: args.network.clone(),
        seed: args.seed,
        spread_seconds: args.spread,
        late_percent: people.late,
        undecided_percent: people.undecided,
        twice_percent: people.twice,
        repost_percent: people.repost,
        changed_percent: people.changed,
        declined_percent: people.declined,
        slow_cards_percent: people.slow_cards,
        unlinked_percent: people.unlinked,
        lost_replies_percent: way.lost_replies,
        late_answers_percent: way.late_answers,
        redelivered_percent: way.redelivered,
        reply_seconds: way.reply_seconds,
        replies_per_15_minutes: way.replies_per_15_minutes,
        replies_per_day: way.replies_per_day,
    }
}

/// Tells how far it is, on a terminal, and notices that somebody wants it to end.
struct Teller {
    stop: Arc<AtomicBool>,
    told: Mutex<Option<Instant>>,
    quiet: bool,
}

impl Watch for Teller {
    fn progress(&self, Progress { step, done, of }: Progress) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.quiet || told.is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        *told = Some(Instant::now());
        let words = match step {
            "linking" => format!("linking accounts: {done} of {of}"),
            "selling" => format!("selling: {done} of {of} buyers have come"),
            _ => "waiting for the last holds".to_owned(),
        };
        eprint!("\r  {words:<60}");
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Teller {
    fn new() -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        ctrlc::set_handler(move || stopping.store(true, Ordering::Relaxed)).map_err(failure)?;
        Ok(Self { stop, told: Mutex::new(None), quiet: !std::io::stderr().is_terminal() })
    }

    /// Leaves nothing behind on the terminal.
    fn done(&self) {
        if !self.quiet {
            eprint!("\r{:<64}\r", "");
        }
    }
}

/// Rehearses, and says what it came to.
///
/// # Errors
/// A flag that cannot be, a till or a file that cannot be read; code 3 where something does not hold.
pub fn run(args: &Args) -> Outcome {
    // What it comes to is what should be read here, not the log of a till that nobody knows.
    log::set_max_level(log::LevelFilter::Warn);
    let settings = settings(args);
    settings.check().map_err(wrong)?;
    let sale = match &args.offer {
        Some(offer) => {
            let offer = OfferId::parse(offer)
                .ok_or_else(|| wrong(Wrong::new("offer", "must be an offer's id, which begins with off_")))?;
            copy::sale(&args.target, offer, &settings)?
        }
        None => Sale::made_up(&settings, Time::from_ms(wall_ms())),
    };
    if let Some(path) = &args.report {
        // Before anything is played: what is there stays as it is until there is something to put in its place.
        let probed = std::fs::OpenOptions::new().create(true).append(true).open(path);
        probed.map_err(|error| unwritable(path, &error))?;
    }
    let teller = Teller::new()?;
    let played = stage::play(&sale, &settings, &teller, &std::env::temp_dir());
    teller.done();
    let rehearsal = played.map_err(|broken| match broken {
        Broken::Stopped => Failure::from("Interrupted."),
        Broken::Failed(sentence) => Failure::from(format!("The rehearsal could not be played: {sentence}")),
    })?;
    if let Some(path) = &args.report {
        write(path, &rehearsal)?;
    }
    if args.json {
        say(format_args!("{:#}", serde_json::to_value(&rehearsal).map_err(failure)?))?;
    } else {
        say(summary::words(Style::of_stdout(), &rehearsal).trim_end())?;
        if let Some(path) = &args.report {
            say(format_args!("\nThe page of it: {}", path.display()))?;
        }
    }
    let wrong: Vec<&str> =
        rehearsal.checks.iter().filter(|check| !check.holds).map(|check| check.name.as_str()).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let sentence =
        format!("does not hold: {}. Please report this, with the seed and the flags.", wrong.join(", "));
    Err(Failure { sentence, code: 3 })
}

fn write(path: &Path, rehearsal: &Rehearsal) -> Outcome {
    let mut file = create(path)?;
    file.write_all(page(rehearsal).as_bytes()).map_err(|error| unwritable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_percent_with_or_without_the_sign() {
        assert_eq!(percent("10%"), Ok(10));
        assert_eq!(percent("0"), Ok(0));
        assert_eq!(percent("100 %"), Ok(100));
        for bad in ["101%", "-1", "2.5%", "%", "ten"] {
            assert!(percent(bad).unwrap_err().contains("as in 10%"), "{bad}");
        }
    }

    #[test]
    fn a_setting_is_named_as_its_flag() {
        assert_eq!(flag("late_percent"), "--late");
        assert_eq!(flag("slow_cards_percent"), "--slow-cards");
        assert_eq!(flag("replies_per_15_minutes"), "--replies-per-15-minutes");
        assert_eq!(flag("window_seconds"), "--window");
        assert_eq!(flag("reply_seconds"), "--reply-seconds");
    }
}
