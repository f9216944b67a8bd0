//! A batch on its way: applied, then sealed to be committed, then answered.
//!
//! What is applied and when it is committed is decided elsewhere, in `core` and by whoever drives it.

use super::job::Unavailable;
use crate::store::{Batch, Sealed, Store};
use crate::till::state::StateError;
use crate::till::time::Time;

/// Hands out one answer.
pub(super) type Delivery = Box<dyn FnOnce() + Send>;

/// What a job came to before the commit; delivered after it.
pub(super) type Pending = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

/// A batch that is being applied.
pub(super) struct Applied {
    pub batch: Option<Batch>,
    /// The time of what was applied last.
    pub now: Time,
    /// Who waits for it.
    pub pending: Vec<Pending>,
    /// How many commands it has, ticks aside.
    pub commands: usize,
    /// Whether it holds a full slice of what is due.
    pub sliced: bool,
    /// How many holds it frees because they were not confirmed in time.
    pub freed: u64,
    /// Whether the clock of a sandbox was moved by it, and how far.
    pub clock_moved: Option<i64>,
}

impl Default for Applied {
    fn default() -> Self {
        let now = Time::from_ms(0);
        Self {
            batch: None,
            now,
            pending: Vec::new(),
            commands: 0,
            sliced: false,
            freed: 0,
            clock_moved: None,
        }
    }
}

impl Applied {
    /// Whether nobody waits for it and nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.batch.as_ref().is_none_or(Batch::is_empty)
    }

    /// Its time: the next command is not before it. Where nothing is in it, none was.
    pub fn time(&self) -> Time {
        if self.is_empty() { Time::from_ms(0) } else { self.now }
    }

    /// Its batch, begun on top of the file, and of `under`, where it has none yet.
    pub fn on(&mut self, store: &Store, under: Option<&Sealed>) -> Result<&mut Batch, StateError> {
        let begun = match self.batch.take() {
            Some(batch) => batch,
            None => under.map_or_else(|| store.batch(), |sealed| store.batch_on(sealed))?,
        };
        Ok(self.batch.insert(begun))
    }

    /// Takes no more jobs.
    pub fn seal(self) -> Ready {
        let Self { batch, now, pending, freed, clock_moved, .. } = self;
        Ready { sealed: batch.map(Batch::seal), now, pending, freed, clock_moved }
    }
}

/// A batch that is to be committed and answered.
pub(super) struct Ready {
    /// What it wrote.
    pub sealed: Option<Sealed>,
    /// When.
    pub now: Time,
    pending: Vec<Pending>,
    /// How many holds it frees because they were not confirmed in time.
    pub freed: u64,
    /// Whether the clock of a sandbox was moved by it, and how far.
    pub clock_moved: Option<i64>,
}

impl Ready {
    /// Takes in what was applied on top of it.
    pub fn follow(&mut self, later: Self) {
        self.sealed = match (self.sealed.take(), later.sealed) {
            (Some(earlier), Some(later)) => Some(earlier.followed_by(later)),
            (earlier, later) => later.or(earlier),
        };
        self.now = self.now.max(later.now);
        self.pending.extend(later.pending);
        self.freed += later.freed;
        self.clock_moved = later.clock_moved.or(self.clock_moved);
    }

    /// The answers, to be handed out now.
    pub fn answer(self, answer: &Result<(), Unavailable>) -> Vec<Delivery> {
        let deliver = |done: Pending| {
            let answer = answer.clone();
            Box::new(move || done(answer)) as Delivery
        };
        self.pending.into_iter().map(deliver).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::TimeSource;
    use super::super::core::Core;
    use super::super::job::Job;
    use super::super::writer::EngineConfig;
    use super::*;
    use crate::till::command::{Command, NewOffer, Outcome, PostAnswer};
    use crate::till::money::{Currency, Money};
    use crate::till::record::SettingsRecord;
    use crate::till::samples;
    use crate::till::state::{Read as _, Span};
    use crate::till::table::Deadlines;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    const START_MS: i64 = 1_360_677_600_000;

    /// A wall clock that somebody sets, and a monotonic one.
    #[derive(Clone, Default)]
    struct Clocks(Arc<(AtomicI64, AtomicI64)>);

    impl Clocks {
        fn set(&self, wall_ms: i64, elapsed_ms: i64) {
            self.0.0.store(START_MS + wall_ms, Ordering::Relaxed);
            self.0.1.store(elapsed_ms, Ordering::Relaxed);
        }
    }

    impl TimeSource for Clocks {
        fn wall_ms(&self) -> i64 {
            self.0.0.load(Ordering::Relaxed)
        }
        fn elapsed_ms(&self) -> i64 {
            self.0.1.load(Ordering::Relaxed)
        }
    }

    fn till(clocks: &Clocks) -> Core {
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store = Store::in_memory(&fresh).unwrap();
        Core::new(store, &EngineConfig::default(), Box::new(clocks.clone())).unwrap()
    }

    fn call(core: &mut Core, command: Command) -> Outcome {
        let (answer, answered) = std::sync::mpsc::channel();
        let done = Box::new(move |result: Result<Vec<_>, _>| answer.send(result.unwrap().remove(0)).unwrap());
        let (answers, result) = core.work_off(vec![Job::Many { commands: vec![command], done }]);
        for deliver in answers {
            deliver();
        }
        result.unwrap();
        answered.recv().unwrap().unwrap()
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    /// One hold, whose reply is out: the scan may free it 930 s after the start, window 900 and grace 30.
    fn hold(core: &mut Core) {
        let Outcome::Merchant(merchant) = call(core, Command::CreateMerchant { name: text("Shop") }) else {
            panic!("no merchant")
        };
        let price = Money { amount: 900, currency: Currency::USD };
        call(core, Command::CreateOffer(Box::new(NewOffer::new(merchant, "#BuyTea", "Tea", price))));
        call(core, Command::CreateAccount(Box::new(samples::buyer("sandbox", "u1"))));
        let post = samples::post("sandbox", "u1", "p1", "buytea");
        let Outcome::Post(PostAnswer { reply: Some((id, _)), .. }) = call(core, Command::JudgePost(post))
        else {
            panic!("no reply")
        };
        call(core, Command::ReplySent { id, network: None, post_id: text("r1"), sent_at: None });
    }

    fn held(core: &Core) -> usize {
        core.shared.store.snapshot().unwrap().first::<Deadlines>(&Span::all(), 9).unwrap().len()
    }

    #[test]
    fn a_batch_that_nothing_was_written_to_remembers_no_time() {
        let clocks = Clocks::default();
        clocks.set(0, 0);
        let mut core = till(&clocks);
        hold(&mut core);
        let mut open = Applied::default();
        let mut tick = |wall_ms, elapsed_ms| {
            clocks.set(wall_ms, elapsed_ms);
            assert!(!core.tick_on(None, Time::from_ms(0), &mut open).unwrap());
            assert_eq!(open.freed, 0, "at {wall_ms}");
            assert!(open.is_empty());
        };
        tick(40_000, 40_000);
        // The wall clock jumps ahead by an hour, and is set right again.
        tick(3_641_000, 41_000);
        tick(42_000, 42_000);
        assert_eq!(held(&core), 1);
        clocks.set(930_000, 930_000);
        core.tick_on(None, Time::from_ms(0), &mut open).unwrap();
        assert_eq!(open.freed, 1, "and at its time the hold is freed");
    }

    #[test]
    fn what_is_applied_to_a_batch_is_not_before_what_is_in_it() {
        let clocks = Clocks::default();
        clocks.set(0, 0);
        let mut core = till(&clocks);
        hold(&mut core);
        let mut open = Applied::default();
        clocks.set(930_000, 930_000);
        core.tick_on(None, Time::from_ms(0), &mut open).unwrap();
        assert_eq!(open.freed, 1);
        clocks.set(928_000, 931_000);
        let command = Command::CreateMerchant { name: text("Other") };
        let job = Job::Many { commands: vec![command], done: Box::new(drop) };
        core.apply_on(None, Time::from_ms(0), &mut open, vec![job]).unwrap();
        assert_eq!(open.now, Time::from_ms(START_MS + 930_000));
    }
}
