//! A till under siege: the well-behaved clients beside the attack, and what the process holds before and after.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::raw::{Raw, news, post};
use crate::support::{Site, Till, wait_for};

/// Answers that each well-behaved client must get while an attack is on.
const ANSWERS_MIN: usize = 5;
/// How much more memory the process may hold after an attack, in KiB: what an allocator keeps for the next time.
const MEMORY_MARGIN_KIB: usize = 32 * 1024;

pub struct Fort {
    _site: Site,
    till: Till,
    pub addr: SocketAddr,
    before: Footprint,
}

/// What a process holds.
#[derive(Debug, Clone, Copy)]
struct Footprint {
    threads: usize,
    descriptors: usize,
    memory_kib: usize,
}

/// What an attack sees of the defence.
pub struct Siege<'a> {
    pub addr: SocketAddr,
    over: &'a AtomicBool,
    rounds: &'a AtomicUsize,
}

impl Siege<'_> {
    /// Whether the attack may end.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Repeats something until the attack may end, at least once.
    pub fn repeat(&self, mut attack: impl FnMut()) {
        loop {
            attack();
            self.rounds.fetch_add(1, Ordering::Relaxed);
            if self.is_over() {
                return;
            }
        }
    }
}

impl Fort {
    /// With so many slots.
    pub fn new(slots: usize) -> Fort {
        let site = Site::new();
        let till = site.start(&["--slots", &slots.to_string()]);
        Fort::of(site, till)
    }

    /// Around a till that runs.
    pub fn of(site: Site, till: Till) -> Fort {
        let addr = till.client.url.trim_start_matches("http://").parse().unwrap();
        let id = till.id();
        let before = Footprint::of(id);
        // Some requests first, so that what is allocated once is there.
        for _ in 0..20 {
            assert_eq!(fresh(addr), Some(200));
        }
        let before = Footprint { memory_kib: Footprint::of(id).memory_kib, ..before };
        Fort { _site: site, till, addr, before }
    }

    /// Attacks in several threads, each until the well-behaved clients have had their answers; then the process
    /// must hold no more than before. Returns the most memory it ever held beyond that, in KiB.
    pub fn stands(mut self, attackers: usize, attack: impl Fn(&Siege<'_>) + Sync) -> usize {
        let (over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (kept, anew) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let siege = Siege { addr: self.addr, over: &over, rounds: &rounds };
        let (addr, at_peace) = (self.addr, &AtomicBool::new(false));
        thread::scope(|scope| {
            // Also when something below panics, or the scope would wait for ever.
            let _ends = (Ends(&over), Ends(at_peace));
            scope.spawn(|| keeps_its_connection(addr, at_peace, &kept));
            scope.spawn(|| comes_anew(addr, at_peace, &anew));
            let fighting: Vec<_> = (0..attackers).map(|_| scope.spawn(|| attack(&siege))).collect();
            wait_for("a round of each attacker", || {
                let ended = fighting.iter().any(thread::ScopedJoinHandle::is_finished);
                (ended || rounds.load(Ordering::Relaxed) >= attackers).then_some(())
            });
            for (name, answered) in [("who keeps a connection", &kept), ("who comes anew", &anew)] {
                let goal = answered.load(Ordering::Relaxed) + ANSWERS_MIN;
                wait_for(&format!("answers to one {name}"), || {
                    (answered.load(Ordering::Relaxed) >= goal).then_some(())
                });
            }
            over.store(true, Ordering::Relaxed);
            for attacker in fighting {
                attacker.join().unwrap();
            }
        });
        self.recovers();
        peak_kib(self.till.id()).saturating_sub(self.before.memory_kib)
    }

    /// The process holds no more than before, and stops in good order.
    fn recovers(&mut self) {
        assert!(self.till.runs(), "the till has died");
        assert_eq!(fresh(self.addr), Some(200));
        let (id, before) = (self.till.id(), self.before);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let now = Footprint::of(id);
            if now.threads <= before.threads
                && now.descriptors <= before.descriptors
                && now.memory_kib <= before.memory_kib + MEMORY_MARGIN_KIB
            {
                return;
            }
            assert!(Instant::now() < deadline, "left behind: {now:?}, before: {before:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Ends what runs, however the scope is left.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Footprint {
    fn of(process: u32) -> Footprint {
        let count = |what: &str| std::fs::read_dir(format!("/proc/{process}/{what}")).unwrap().count();
        let memory_kib = status_kib(process, "VmRSS:");
        Footprint { threads: count("task"), descriptors: count("fd"), memory_kib }
    }
}

/// The most memory that a process ever held.
fn peak_kib(process: u32) -> usize {
    status_kib(process, "VmHWM:")
}

fn status_kib(process: u32, field: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The status of a post on a connection of its own; `None` if it ends without an answer.
pub fn fresh(addr: SocketAddr) -> Option<u16> {
    let mut raw = Raw::connect(addr);
    raw.send(post(&news()));
    raw.answer().map(|answer| answer.status)
}

fn comes_anew(addr: SocketAddr, over: &AtomicBool, answered: &AtomicUsize) {
    while !over.load(Ordering::Relaxed) {
        // A connection may be closed for want of room before it was used; then one tries again.
        if let Some(status) = fresh(addr) {
            assert_eq!(status, 200);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn keeps_its_connection(addr: SocketAddr, over: &AtomicBool, answered: &AtomicUsize) {
    let mut raw = Raw::connect(addr);
    while !over.load(Ordering::Relaxed) {
        raw.send(post(&news()));
        match raw.answer() {
            Some(answer) => {
                assert_eq!(answer.status, 200);
                answered.fetch_add(1, Ordering::Relaxed);
                if answer.closes {
                    raw = Raw::connect(addr);
                }
            }
            // An idle connection may be closed when its place is needed.
            None => raw = Raw::connect(addr),
        }
    }
}
