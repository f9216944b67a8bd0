//! The writer applies a batch while the one before is committed: what that must never change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tagtill::engine::{Engine, EngineConfig, Handle, Job, Render, Rendered, Reply, Unavailable, Verdicted};
use tagtill::store::{Disk, Store};
use tagtill::till::command::{Command, NewOffer, Outcome};
use tagtill::till::id::{MerchantId, PurchaseId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{IdempotencyRecord, SettingsRecord};
use tagtill::till::state::{Direction, Read, Span, Write as _};
use tagtill::till::table::{Counter, Counters, Events, Hash, Idempotency, IdempotencyAges, Merchants};
use tagtill::till::time::Time;

const FRESH: SettingsRecord = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };

/// What a sync does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Syncs {
    #[default]
    Pass,
    Wait,
    Fail,
}

#[derive(Debug, Default)]
struct Door {
    syncs: Mutex<(Syncs, usize)>,
    moved: Condvar,
}

/// A mock: a disk in memory whose syncs wait for the test, because no real one does.
#[derive(Clone, Debug, Default)]
struct Slow {
    bytes: Arc<Mutex<Vec<u8>>>,
    door: Arc<Door>,
}

impl Slow {
    fn let_syncs(&self, syncs: Syncs) {
        self.door.syncs.lock().unwrap().0 = syncs;
        self.door.moved.notify_all();
    }

    /// Returns once a commit waits in its sync.
    fn wait_for_a_sync(&self) {
        let syncs = self.door.syncs.lock().unwrap();
        let (_syncs, late) = self
            .door
            .moved
            .wait_timeout_while(syncs, Duration::from_secs(20), |(_, waiting)| *waiting == 0)
            .unwrap();
        assert!(!late.timed_out(), "nothing is being committed");
    }
}

impl Disk for Slow {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes.lock().unwrap()[from..from + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        self.bytes.lock().unwrap()[from..from + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut syncs = self.door.syncs.lock().unwrap();
        syncs.1 += 1;
        self.door.moved.notify_all();
        let mut syncs = self.door.moved.wait_while(syncs, |(syncs, _)| *syncs == Syncs::Wait).unwrap();
        syncs.1 -= 1;
        if syncs.0 == Syncs::Fail { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
    }
}

fn start() -> (Slow, Engine) {
    let disk = Slow::default();
    let store = Store::on_disk(disk.clone(), 16 * 1024 * 1024, &FRESH).unwrap();
    let config = EngineConfig { tick: Duration::from_secs(3600), ..EngineConfig::default() };
    (disk, Engine::start(store, &config).unwrap())
}

type Answers = Receiver<Result<Vec<Verdicted>, Unavailable>>;

fn submit(handle: &Handle, commands: Vec<Command>) -> Answers {
    let (answer, answers) = channel();
    handle.submit(Job::Many { commands, done: Box::new(move |result| drop(answer.send(result))) }).unwrap();
    answers
}

/// Waits until so many commands more than `before` were applied.
fn wait_for_commands(handle: &Handle, commands: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while handle.stats().commands < commands {
        assert!(Instant::now() < deadline, "{:?}", handle.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn merchant(name: &str) -> Command {
    Command::CreateMerchant { name: name.to_owned() }
}

fn offer(merchant: MerchantId, tag: &str) -> Command {
    let price = Money { amount: 1500, currency: Currency::USD };
    Command::CreateOffer(Box::new(NewOffer::new(merchant, tag, "A thing", price)))
}

fn merchants(handle: &Handle) -> Vec<String> {
    let mut names = Vec::new();
    let visit = |_, merchant: tagtill::till::record::MerchantRecord| {
        names.push(merchant.name);
        ControlFlow::Continue(())
    };
    handle.snapshot().unwrap().scan::<Merchants>(&Span::all(), Direction::Up, visit).unwrap();
    names
}

/// One batch is being committed; on top of it lie one that writes and a command that is refused.
fn two_on_top_of_one(disk: &Slow, handle: &Handle) -> [Answers; 3] {
    handle.call(merchant("first")).unwrap().unwrap();
    let before = handle.stats().commands;
    disk.let_syncs(Syncs::Wait);
    let below = submit(handle, vec![merchant("below")]);
    disk.wait_for_a_sync();
    let above = submit(handle, vec![merchant("above")]);
    let refused = submit(handle, vec![Command::CancelPurchase { id: PurchaseId(1) }]);
    wait_for_commands(handle, before + 3);
    [below, above, refused]
}

#[test]
fn what_is_applied_meanwhile_is_answered_once_all_below_it_is_on_the_disk() {
    let (disk, engine) = start();
    let handle = engine.handle();
    let answers = two_on_top_of_one(&disk, &handle);
    for answer in &answers {
        assert_eq!(answer.try_recv().unwrap_err(), TryRecvError::Empty, "answered before its commit");
    }
    assert_eq!(merchants(&handle), ["first"], "nobody sees what is not on the disk");
    disk.let_syncs(Syncs::Pass);
    let [below, above, refused] = answers.map(|answer| answer.recv().unwrap().unwrap().pop().unwrap());
    assert!(below.is_ok() && above.is_ok());
    assert!(refused.is_err());
    assert_eq!(merchants(&handle), ["first", "below", "above"]);
    engine.stop();
}

#[test]
fn where_a_commit_fails_nothing_of_it_and_on_top_of_it_is_acknowledged() {
    let (disk, engine) = start();
    let handle = engine.handle();
    let answers = two_on_top_of_one(&disk, &handle);
    disk.let_syncs(Syncs::Fail);
    for answer in answers {
        let failed = answer.recv().unwrap().unwrap_err();
        assert!(failed.0.contains("the disk is gone"), "{failed:?}");
    }
    assert!(handle.failure().unwrap().contains("the disk is gone"));
    engine.stop();
}

#[test]
fn a_batch_sees_the_newest_of_what_lies_below_also_after_a_clock_was_moved() {
    let (disk, engine) = start();
    let handle = engine.handle();
    let Ok(Outcome::Merchant(shop)) = handle.call(merchant("first")).unwrap() else { panic!("no merchant") };
    let before = handle.stats().commands;
    disk.let_syncs(Syncs::Wait);
    let below = submit(&handle, vec![offer(shop, "#BuyOne")]);
    disk.wait_for_a_sync();
    let moved = submit(&handle, vec![offer(shop, "#BuyTwo"), Command::AdvanceClock { seconds: 60 }]);
    wait_for_commands(&handle, before + 3);
    disk.let_syncs(Syncs::Pass);
    for answers in [below, moved] {
        assert!(answers.recv().unwrap().unwrap().iter().all(Result::is_ok));
    }
    handle.call(offer(shop, "#BuyThree")).unwrap().unwrap();
    let snapshot = handle.snapshot().unwrap();
    let events = snapshot.first::<Events>(&Span::all(), 10).unwrap();
    let numbers: Vec<_> = events.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, [1, 2, 3], "an offer's event each, and none in place of another");
    assert_eq!(snapshot.get::<Counters>(&Counter::LastEvent).unwrap(), Some(3));
    drop(snapshot);
    engine.stop();
}

/// Answers to keyed requests that are kept, and how many of them.
fn left<S: Read>(state: &S) -> usize {
    state.first::<IdempotencyAges>(&Span::all(), usize::MAX).unwrap().len()
}

#[test]
fn buyers_have_their_turn_after_each_slice_of_what_is_due() {
    const DUE: u32 = 500;
    let disk = Slow::default();
    let store = Store::on_disk(disk.clone(), 16 * 1024 * 1024, &FRESH).unwrap();
    let mut batch = store.batch().unwrap();
    let mut tx = batch.begin();
    for n in 0..DUE {
        let mut hash = Hash([0; 32]);
        hash.0[..4].copy_from_slice(&n.to_be_bytes());
        let record = IdempotencyRecord { body_hash: [0; 32], status: 200, body: None, account: None };
        tx.put::<Idempotency>(&hash, &record).unwrap();
        tx.put::<IdempotencyAges>(&(Time::from_ms(n.into()), hash), &()).unwrap();
    }
    tx.keep();
    store.commit(batch).unwrap();
    disk.let_syncs(Syncs::Wait);
    let config = EngineConfig { tick: Duration::from_secs(3600), tick_slice: 1, ..EngineConfig::default() };
    let engine = Engine::start(store, &config).unwrap();
    let handle = engine.handle();
    // The first slice is being committed, the second lies on top of it, and the writer waits.
    disk.wait_for_a_sync();
    let (answer, answers) = channel();
    let look: Render =
        Box::new(|tx, _, _| Ok(Rendered { status: 200, body: Some(left(tx).to_string().into()) }));
    let call = Job::Call {
        command: merchant("first"),
        render: look,
        keyed: None,
        account: None,
        done: Box::new(move |result| drop(answer.send(result))),
    };
    handle.submit(call).unwrap();
    disk.let_syncs(Syncs::Pass);
    let Reply::Rendered(rendered) = answers.recv().unwrap().unwrap() else { panic!("no answer") };
    let seen: u32 = String::from_utf8(rendered.body.unwrap()).unwrap().parse().unwrap();
    assert!(seen >= DUE - 4, "{} of {DUE} slices came first", DUE - seen);
    // And the rest follows without anybody asking.
    let deadline = Instant::now() + Duration::from_secs(20);
    while left(&handle.snapshot().unwrap()) > 0 {
        assert!(Instant::now() < deadline, "the slices have stopped");
        std::thread::sleep(Duration::from_millis(1));
    }
    engine.stop();
}
