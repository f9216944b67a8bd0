//! A tenth of many holds is due at once, while buyers go on buying: how long the till takes to free them, and what
//! the buyers notice.

use super::crowd::Crowd;
use super::fill::Filler;
use super::load::Load;
use super::measure::{Moment, Setup};
use super::report::Row;
use super::scenario::Wanted;
use super::site::Till;
use super::traffic::{OneByOne, Traffic};
use crate::cli::Failure;
use crate::engine::wall_ms;
use crate::till::time::Time;
use std::time::{Duration, Instant};

/// Offers that the holds are on; buyers buy the last one, which nothing is held of before.
pub const OFFERS: u64 = 11;
/// A window that no bench sees the end of: a week.
pub const LONG_WINDOW_SECONDS: u32 = 7 * 86_400;
/// The window of what is due in the first round; each round has one an hour longer.
const WINDOW_SECONDS: u32 = 900;
/// The network's grace, after which a hold is freed.
const GRACE_SECONDS: i64 = 30;
/// How long freeing may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who holds: each account one unit of each offer but the last, at most.
pub fn crowd(wanted: &Wanted) -> Crowd {
    let accounts = wanted.accounts(wanted.connections, 1);
    Crowd::new(accounts.max(wanted.holds.div_ceil(OFFERS - 1)), OFFERS - 1)
}

/// Every round frees a tenth of all holds.
pub fn run(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let data = setup.site.file("expiry");
    let crowd = crowd(wanted);
    let mut filler = Filler::open(&data, &crowd)?;
    filler.shop(OFFERS, setup.progress)?;
    let share = (wanted.holds / 10).max(1);
    let mut due = Vec::new();
    for round in 0..wanted.rounds {
        let window = WINDOW_SECONDS.saturating_add(3600 * round).min(LONG_WINDOW_SECONDS);
        filler.window(window)?;
        let sent_at = filler.holds(share, setup.progress)?;
        due.push(sent_at.plus_seconds(i64::from(window) + GRACE_SECONDS));
    }
    filler.window(LONG_WINDOW_SECONDS)?;
    filler.holds(wanted.holds.saturating_sub(share * u64::from(wanted.rounds)).max(1), setup.progress)?;
    drop(filler);
    let till = setup.site.start(&data, wanted.connections, &[])?;
    let mut offset_ms = 0;
    for (round, due) in (1..).zip(due) {
        let mut row = setup.begin("expiry", round)?;
        row.connections = wanted.connections;
        row.more.holds = Some(wanted.holds - share * u64::from(round - 1));
        let scene = Scene { setup, till: &till, crowd: &crowd, share };
        scene.play(&mut row, due, &mut offset_ms)?;
        rows.push(row);
    }
    till.stop()?;
    setup.site.remove(&data);
    Ok(())
}

/// One round.
struct Scene<'a> {
    setup: &'a Setup<'a>,
    till: &'a Till,
    crowd: &'a Crowd,
    share: u64,
}

impl Scene<'_> {
    /// Moves the clock to shortly before the holds are due; from then on it runs as clocks do.
    fn play(&self, row: &mut Row, due: Time, offset_ms: &mut i64) -> Result<(), Failure> {
        let time_ms = i64::try_from(self.setup.time.as_millis()).unwrap_or(i64::MAX);
        // Warming up, what is measured before, and a second for a slow start.
        let lead_ms = time_ms.saturating_add(2000);
        let ahead_ms = due.ms() - wall_ms() - *offset_ms - lead_ms;
        if ahead_ms >= 1000 {
            self.till.advance_clock(ahead_ms / 1000)?;
            *offset_ms += ahead_ms / 1000 * 1000;
        }
        let freed_before = self.freed()?;
        let talks: Vec<_> = (0..row.connections).map(|_| self.talk()).collect();
        let load = self.setup.load(self.till, talks)?;
        load.phase(1);
        let until_due_ms = u64::try_from(due.ms() - wall_ms() - *offset_ms).unwrap_or(0);
        self.setup.wait(&load, Duration::from_millis(until_due_ms))?;
        let before = Moment::now(self.till)?;
        let freed_in = self.watch(&load, freed_before)?;
        load.phase(3);
        let after = Moment::now(self.till)?;
        let [_, calm, busy, _] = &self.setup.finish(load)?;
        row.count(busy, freed_in);
        row.take_moments(busy, &before, &after);
        row.more.p99_before_ms = calm.answers.percentile_ms(0.99);
        row.more.freed = Some(self.share);
        row.more.freed_in_ms = Some(1000.0 * freed_in.as_secs_f64());
        Ok(())
    }

    fn talk(&self) -> Box<dyn Traffic> {
        Box::new(OneByOne::new(self.crowd.at_offer(OFFERS - 1)))
    }

    /// Watches until all are free; what buyers notice from the first one on counts for phase 2.
    fn watch(&self, load: &Load, before: u64) -> Result<Duration, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut begun = None;
        loop {
            let asked = Instant::now();
            let freed = self.freed()? - before;
            if freed == 0 {
                begun = Some(asked);
            } else {
                load.phase(2);
            }
            if freed >= self.share {
                return Ok(begun.unwrap_or(asked).elapsed());
            }
            if load.failed() || asked > deadline {
                return Err(Failure::from(format!("{freed} of {} due holds were freed", self.share)));
            }
            self.setup.progress.pause(Duration::from_millis(2))?;
        }
    }

    fn freed(&self) -> Result<u64, Failure> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        Ok(self.till.figures()?.get("holds_expired_total") as u64)
    }
}
