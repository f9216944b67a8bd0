//! Rehearsals beside a running till, for its API: one at a time, on a thread of its own, the last few kept in memory.

use super::copy::copied;
use super::stage;
use crate::http::{
    NotBegun, RehearsalProgress, RehearsalStatus, RehearsalView, RehearsalWish, Rehearsals, SaleShown,
};
use crate::rehearsal::{Broken, Progress, Rehearsal, Sale, Settings, Watch, Wrong, page};
use crate::till::time::Time;
use serde_json::Value;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Rehearsals that are remembered.
const KEPT: usize = 5;
/// More buyers than this are not rehearsed beside a till that sells.
const BUYERS_MAX: u32 = 20_000;
/// How far the rehearsal's threads stand back behind the till's own.
const NICE: i32 = 10;

/// One rehearsal.
struct One {
    view: RehearsalView,
    result: Option<Rehearsal>,
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct Kept {
    /// The newest first.
    all: VecDeque<One>,
    begun: u64,
    thread: Option<JoinHandle<()>>,
    closed: bool,
}

/// Plays rehearsals beside a till.
#[derive(Clone, Default)]
pub struct Host {
    kept: Arc<Mutex<Kept>>,
}

/// Tells the host how far one is.
struct Teller {
    host: Host,
    id: String,
    stop: Arc<AtomicBool>,
}

impl Watch for Teller {
    fn progress(&self, progress: Progress) {
        self.host.change(&self.id, |one| one.view.progress = shown(progress));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn shown(Progress { step, done, of }: Progress) -> RehearsalProgress {
    RehearsalProgress { step: step.to_owned(), done, of }
}

impl Host {
    /// Ends what is under way, and begins nothing any more.
    pub fn stop(&self) {
        let thread = {
            let mut kept = self.kept();
            kept.closed = true;
            for one in &kept.all {
                one.stop.store(true, Ordering::Relaxed);
            }
            kept.thread.take()
        };
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread of a rehearsal panicked");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut One)) {
        if let Some(one) = self.kept().all.iter_mut().find(|one| one.view.id == id) {
            change(one);
        }
    }

    fn end(&self, id: &str, played: Result<Rehearsal, Broken>) {
        self.change(id, |one| {
            "ended".clone_into(&mut one.view.progress.step);
            match played {
                Ok(rehearsal) => {
                    one.view.status = RehearsalStatus::Done;
                    one.view.holds = Some(rehearsal.holds());
                    one.result = Some(rehearsal);
                }
                Err(Broken::Stopped) => one.view.status = RehearsalStatus::Cancelled,
                Err(Broken::Failed(sentence)) => {
                    one.view.status = RehearsalStatus::Failed;
                    one.view.trouble = Some(sentence);
                }
            }
        });
    }

    fn run(&self, id: &str, sale: &Sale, settings: &Settings, stop: Arc<AtomicBool>) {
        // On Linux this is the thread's own, and its children's.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            log::warn!("a rehearsal runs with the till's own priority: {error}");
        }
        let within: PathBuf = std::env::temp_dir();
        let teller = Teller { host: self.clone(), id: id.to_owned(), stop };
        let played = catch_unwind(AssertUnwindSafe(|| stage::play(sale, settings, &teller, &within)));
        let panicked = || Err(Broken::Failed("it came to a fault of its own; the log says which".to_owned()));
        self.end(id, played.unwrap_or_else(|_| panicked()));
    }
}

fn settings(wish: RehearsalWish) -> Settings {
    let usual = Settings::default();
    Settings {
        buyers: wish.buyers.unwrap_or(usual.buyers),
        units: wish.units,
        limit: wish.limit,
        window_seconds: wish.window_seconds,
        waitlist: wish.waitlist,
        network: wish.network.unwrap_or(usual.network),
        seed: wish.seed.unwrap_or(usual.seed),
        spread_seconds: wish.spread_seconds.unwrap_or(usual.spread_seconds),
        late_percent: wish.late_percent.unwrap_or(usual.late_percent),
        undecided_percent: wish.undecided_percent.unwrap_or(usual.undecided_percent),
        twice_percent: wish.twice_percent.unwrap_or(usual.twice_percent),
        repost_percent: wish.repost_percent.unwrap_or(usual.repost_percent),
        changed_percent: wish.changed_percent.unwrap_or(usual.changed_percent),
        declined_percent: wish.declined_percent.unwrap_or(usual.declined_percent),
        slow_cards_percent: wish.slow_cards_percent.unwrap_or(usual.slow_cards_percent),
        unlinked_percent: wish.unlinked_percent.unwrap_or(usual.unlinked_percent),
        lost_replies_percent: wish.lost_replies_percent.unwrap_or(usual.lost_replies_percent),
        late_answers_percent: wish.late_answers_percent.unwrap_or(usual.late_answers_percent),
        redelivered_percent: wish.redelivered_percent.unwrap_or(usual.redelivered_percent),
        reply_seconds: wish.reply_seconds.unwrap_or(usual.reply_seconds),
        replies_per_15_minutes: wish.replies_per_15_minutes,
        replies_per_day: wish.replies_per_day,
    }
}

fn wrong(Wrong { field, detail }: Wrong) -> NotBegun {
    NotBegun::Wrong(field, detail)
}

impl Rehearsals for Host {
    fn start(
        &self,
        wish: RehearsalWish,
        sale: Option<SaleShown>,
        now: Time,
    ) -> Result<RehearsalView, NotBegun> {
        let settings = settings(wish);
        settings.check().map_err(wrong)?;
        if settings.buyers > BUYERS_MAX {
            return Err(wrong(Wrong::new("buyers", format!("must be from 1 to {BUYERS_MAX}"))));
        }
        let sale = match sale {
            Some(shown) => Sale::of(&copied(shown), &settings, now).map_err(wrong)?,
            None => Sale::made_up(&settings, now),
        };
        let mut kept = self.kept();
        if kept.closed {
            return Err(NotBegun::Failed("The till is stopping.".to_owned()));
        }
        if let Some(busy) = kept.all.iter().find(|one| one.view.status == RehearsalStatus::Running) {
            return Err(NotBegun::Busy(busy.view.id.clone()));
        }
        kept.begun += 1;
        let id = format!("reh_{}", kept.begun);
        let view = RehearsalView {
            id: id.clone(),
            status: RehearsalStatus::Running,
            title: sale.offer.get("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
            offer: sale.copied_from.clone(),
            buyers: settings.buyers,
            created_at: now,
            progress: RehearsalProgress { step: "starting".to_owned(), ..RehearsalProgress::default() },
            trouble: None,
            holds: None,
            result: None,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (host, stopping) = (self.clone(), Arc::clone(&stop));
        let run = move || host.run(&id, &sale, &settings, stopping);
        let thread = std::thread::Builder::new().name("rehearsal".to_owned()).spawn(run);
        kept.thread =
            Some(thread.map_err(|error| {
                NotBegun::Failed(format!("There is no thread for a rehearsal: {error}."))
            })?);
        kept.all.push_front(One { view: view.clone(), result: None, stop });
        kept.all.truncate(KEPT);
        Ok(view)
    }

    fn list(&self) -> Vec<RehearsalView> {
        self.kept().all.iter().map(|one| one.view.clone()).collect()
    }

    fn get(&self, id: &str) -> Option<RehearsalView> {
        let kept = self.kept();
        let one = kept.all.iter().find(|one| one.view.id == id)?;
        let result = one.result.as_ref().and_then(|result| serde_json::to_value(result).ok());
        let result =
            result.and_then(|value| if let Value::Object(fields) = value { Some(fields) } else { None });
        Some(RehearsalView { result, ..one.view.clone() })
    }

    fn report(&self, id: &str) -> Option<String> {
        let result = self.kept().all.iter().find(|one| one.view.id == id)?.result.clone()?;
        Some(page(&result))
    }

    fn cancel(&self, id: &str) -> Option<RehearsalView> {
        let kept = self.kept();
        let one = kept.all.iter().find(|one| one.view.id == id)?;
        one.stop.store(true, Ordering::Relaxed);
        Some(one.view.clone())
    }
}
