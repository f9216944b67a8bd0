//! What the gate's threads share: who is in which slot, who waits for one, who has to leave.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, recv};

use super::body::Budget;
use super::{GateConfig, GateStats, lock};

/// How often a listener without a free slot looks around.
const LOOK_AROUND: Duration = Duration::from_millis(5);

/// Where a slot's connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No client.
    Free,
    /// A new client that has sent nothing yet.
    Fresh,
    /// A client between two requests.
    Idle,
    /// A request that is not complete.
    Reading,
    /// A request that is being handled or answered.
    Busy,
    /// An answer is out; what the client still sends is thrown away.
    Draining,
    /// Told to leave.
    Shed,
}

/// One slot, as others see it.
pub struct Slot {
    place: Mutex<Place>,
    /// The exchange under way, 0 without one. Never used twice within a slot.
    exchange: AtomicU64,
    /// The exchange that is parked.
    parked: AtomicU64,
    /// The exchange whose answer could not be written whole.
    broken: AtomicU64,
}

struct Place {
    phase: Phase,
    since: Instant,
    client: Option<Arc<TcpStream>>,
    backend: Option<Arc<UnixStream>>,
}

/// Clients that were accepted, and slots that wait for one.
#[derive(Default)]
struct Door {
    waiting: VecDeque<(TcpStream, SocketAddr)>,
    free: usize,
}

/// All that the listener, the slots and the responders share.
pub struct Shared {
    pub config: GateConfig,
    pub budget: Arc<Budget>,
    slots: Vec<Slot>,
    door: Mutex<Door>,
    arrived: Condvar,
    freed: Condvar,
    pressed: AtomicBool,
    stopping: AtomicBool,
    forced: AtomicBool,
    parked: AtomicUsize,
    orphans: AtomicUsize,
    shed_in_a_row: AtomicUsize,
    shed_total: AtomicU64,
    refused: Mutex<BTreeMap<u16, u64>>,
}

impl Slot {
    fn new() -> Slot {
        let place = Place { phase: Phase::Free, since: Instant::now(), client: None, backend: None };
        Slot {
            place: Mutex::new(place),
            exchange: AtomicU64::new(0),
            parked: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        }
    }

    /// Marks an exchange as under way.
    pub fn begin(&self, exchange: u64) {
        self.exchange.store(exchange, Ordering::Release);
    }

    /// Marks it as over, for the slot.
    pub fn end(&self) {
        self.exchange.store(0, Ordering::Release);
    }

    /// Whether the slot no longer waits for this exchange's answer.
    pub fn has_left(&self, exchange: u64) -> bool {
        self.exchange.load(Ordering::Acquire) != exchange
    }

    /// Whether this exchange is parked.
    pub fn is_parked(&self, exchange: u64) -> bool {
        self.parked.load(Ordering::Acquire) == exchange
    }

    /// Says that no more will come of this exchange's answer.
    pub fn set_broken(&self, exchange: u64) {
        self.broken.store(exchange, Ordering::Release);
    }

    /// Whether that was said.
    pub fn is_broken(&self, exchange: u64) -> bool {
        self.broken.load(Ordering::Acquire) == exchange
    }

    /// Notes the private connection, which a forced shutdown closes.
    pub fn set_backend(&self, backend: Option<Arc<UnixStream>>) {
        lock(&self.place).backend = backend;
    }

    /// Empties the place.
    pub fn close(&self) {
        let mut place = lock(&self.place);
        place.phase = Phase::Free;
        place.client = None;
    }

    fn phase(&self) -> (Phase, Instant) {
        let place = lock(&self.place);
        (place.phase, place.since)
    }
}

impl Shared {
    pub fn new(config: GateConfig) -> Shared {
        Shared {
            budget: Arc::new(Budget::new(config.body_budget_bytes)),
            slots: (0..config.slots).map(|_| Slot::new()).collect(),
            config,
            door: Mutex::default(),
            arrived: Condvar::new(),
            freed: Condvar::new(),
            pressed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            forced: AtomicBool::new(false),
            parked: AtomicUsize::new(0),
            orphans: AtomicUsize::new(0),
            shed_in_a_row: AtomicUsize::new(0),
            shed_total: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }

    pub fn slot(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether even requests being handled have to be given up.
    pub fn is_forced(&self) -> bool {
        self.forced.load(Ordering::SeqCst)
    }

    /// Whether a connection should end with its answer: others wait for the slot, or all is ending.
    pub fn wants_slots_back(&self) -> bool {
        self.pressed.load(Ordering::Relaxed) || self.is_stopping()
    }

    pub fn count_refusal(&self, status: u16) {
        *lock(&self.refused).entry(status).or_default() += 1;
    }

    /// Puts a client in a slot.
    pub fn seat(&self, slot: &Slot, client: Arc<TcpStream>) -> bool {
        lock(&slot.place).client = Some(client);
        self.enter(slot, Phase::Fresh)
    }

    /// Moves a slot to a phase, unless it was shed or all is ending and the phase is one of waiting.
    pub fn enter(&self, slot: &Slot, phase: Phase) -> bool {
        let mut place = lock(&slot.place);
        if place.phase == Phase::Shed || (self.is_stopping() && phase != Phase::Busy) {
            return false;
        }
        place.phase = phase;
        place.since = Instant::now();
        true
    }

    /// Waits for a client. `None` when the gate closes.
    pub fn next_client(&self) -> Option<(TcpStream, SocketAddr)> {
        let mut door = lock(&self.door);
        door.free += 1;
        // Some slots to spare again: connections may be kept. Not at the first one, or all would be taken
        // back at once by those who keep theirs.
        if door.free > door.waiting.len() + self.slots.len() / 16 {
            self.pressed.store(false, Ordering::Relaxed);
            self.shed_in_a_row.store(0, Ordering::Relaxed);
        }
        self.freed.notify_one();
        loop {
            if self.is_stopping() {
                door.free -= 1;
                return None;
            }
            if let Some(client) = door.waiting.pop_front() {
                door.free -= 1;
                return Some(client);
            }
            door = self.arrived.wait(door).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Hands a client to a free slot; waits for one, and makes one free where that can be done.
    pub fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let mut door = lock(&self.door);
        while door.free <= door.waiting.len() {
            if self.is_stopping() {
                return;
            }
            self.pressed.store(true, Ordering::Relaxed);
            self.shed_one();
            let waited = self.freed.wait_timeout(door, LOOK_AROUND);
            door = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        door.waiting.push_back((stream, peer));
        self.arrived.notify_one();
    }

    /// Tells the oldest idle connection to leave, or else the oldest one with an incomplete request. The
    /// longer it goes on, the less time those are given: an honest client's request is there at once when it
    /// had to queue, a dawdler's is not.
    pub fn shed_one(&self) -> bool {
        let rounds = self.shed_in_a_row.load(Ordering::Relaxed) / (self.slots.len() / 4).max(1);
        let grace = self.config.shed_grace / (1 << rounds.min(5));
        let now = Instant::now();
        let oldest = |wanted: &dyn Fn(Phase, Duration) -> bool| {
            let placed = self.slots.iter().map(|slot| (slot.phase(), slot));
            placed
                .filter(|((phase, since), _)| wanted(*phase, now.saturating_duration_since(*since)))
                .filter(|(_, slot)| !slot.has_unread())
                .min_by_key(|((_, since), _)| *since)
        };
        let idle = |phase, _| phase == Phase::Idle;
        let dawdling =
            |phase, age| matches!(phase, Phase::Fresh | Phase::Reading | Phase::Draining) && age >= grace;
        let Some(((phase, since), slot)) = oldest(&idle).or_else(|| oldest(&dawdling)) else {
            return false;
        };
        let shed = slot.shed(|place| place.phase == phase && place.since == since);
        if shed {
            self.shed_in_a_row.fetch_add(1, Ordering::Relaxed);
            self.shed_total.fetch_add(1, Ordering::Relaxed);
        }
        shed
    }

    /// Marks an exchange as parked, if not too many are. Those whose client has left count apart, up to as
    /// many again, until they are answered: each holds a descriptor of the backend's.
    pub fn park(&self, slot: &Slot, exchange: u64) -> bool {
        let half = self.slots.len() / 2;
        if slot.has_left(exchange) || self.orphans.load(Ordering::Relaxed) >= half {
            return false;
        }
        let more = |parked| (parked < half).then_some(parked + 1);
        if self.parked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return false;
        }
        slot.parked.store(exchange, Ordering::Release);
        true
    }

    /// The client of a parked exchange is gone.
    pub fn orphan(&self, slot: &Slot, exchange: u64) {
        // First this, so that the sum of both counts is never too small.
        self.orphans.fetch_add(1, Ordering::Relaxed);
        if slot.unpark(exchange) {
            self.parked.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.orphans.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A parked exchange is about to be answered.
    pub fn unpark(&self, slot: &Slot, exchange: u64) {
        let count = if slot.unpark(exchange) { &self.parked } else { &self.orphans };
        count.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends all waiting: for clients, and for what clients have not sent.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        {
            let mut door = lock(&self.door);
            door.waiting.clear();
            self.arrived.notify_all();
            self.freed.notify_all();
        }
        for slot in &self.slots {
            slot.shed(|place| !matches!(place.phase, Phase::Free | Phase::Busy | Phase::Shed));
        }
    }

    /// Ends also what is being handled.
    pub fn force(&self) {
        self.forced.store(true, Ordering::SeqCst);
        for slot in &self.slots {
            let place = lock(&slot.place);
            let _ = place.client.as_ref().map(|client| client.shutdown(Shutdown::Both));
            let _ = place.backend.as_ref().map(|backend| backend.shutdown(Shutdown::Both));
        }
    }

    pub fn stats(&self) -> GateStats {
        let mut stats = GateStats {
            slots: self.slots.len(),
            parked: self.parked.load(Ordering::Relaxed),
            shed_total: self.shed_total.load(Ordering::Relaxed),
            refused_total: lock(&self.refused).clone(),
            ..GateStats::default()
        };
        for slot in &self.slots {
            match slot.phase().0 {
                Phase::Free => {}
                Phase::Busy => stats.busy += 1,
                Phase::Fresh | Phase::Idle => stats.idle += 1,
                Phase::Reading | Phase::Draining | Phase::Shed => stats.reading += 1,
            }
        }
        stats
    }
}

impl Slot {
    /// Tells the client's thread to leave if its place is still as expected; it wakes with an end of file.
    fn shed(&self, expected: impl Fn(&Place) -> bool) -> bool {
        let mut place = lock(&self.place);
        if !expected(&place) {
            return false;
        }
        place.phase = Phase::Shed;
        let _ = place.client.as_ref().map(|client| client.shutdown(Shutdown::Read));
        true
    }

    pub fn is_shed(&self) -> bool {
        lock(&self.place).phase == Phase::Shed
    }

    fn unpark(&self, exchange: u64) -> bool {
        self.parked.compare_exchange(exchange, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Whether bytes have arrived that the slot's thread has not come to yet; such a slot only looks idle.
    /// While a request is being read, or thrown away, bytes are no excuse.
    fn has_unread(&self) -> bool {
        let place = lock(&self.place);
        let Some(client) = place.client.as_ref() else { return false };
        matches!(place.phase, Phase::Idle | Phase::Fresh) && peek(client) == Peek::Bytes
    }
}

/// What a look at a socket shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Peek {
    Nothing,
    Bytes,
    Gone,
}

/// Looks whether bytes have arrived, without taking them and without waiting.
pub fn peek(client: &TcpStream) -> Peek {
    let mut byte = [0_u8; 1];
    match recv(client, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, 0)) => Peek::Gone,
        Ok(_) => Peek::Bytes,
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Peek::Nothing,
        Err(_) => Peek::Gone,
    }
}
