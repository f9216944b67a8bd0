//! The gate's thread: polls all sockets, and moves each connection on as far as its bytes allow.
//!
//! One thread reads for all clients, because most of what a request costs is waking threads: under load, one
//! wakeup serves many connections. Nothing here waits for anything but the poll.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use super::conn::{Conn, Peek, peek};
use super::ids::Ids;
use super::lanes::Lanes;
use super::refusal::Refusal;
use super::slots::{Holder, Phase, Shared, age};
use super::{Dial, lock};

/// From one look at all deadlines to the next, while there is a client.
const TICK: Duration = Duration::from_millis(50);
/// How often a client without a slot has us look around for one.
const LOOK_AROUND: Duration = Duration::from_millis(5);
/// A pause after an accept that failed, most likely for want of descriptors.
const BACK_OFF: Duration = Duration::from_millis(20);
/// Events taken at once.
const EVENTS_MAX: usize = 128;
/// Bytes read at once.
const SCRATCH_BYTES: usize = 64 * 1024;
/// What the poll calls the listener; clients go by their slot.
const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;
const LANE: u64 = u64::MAX - 2;

/// All that the gate's thread has for itself. What it does for one client is in `serve`.
pub struct Keeper {
    pub(super) shared: Arc<Shared>,
    pub(super) poll: OwnedFd,
    listener: Option<TcpListener>,
    listening: bool,
    accept_after: Option<Instant>,
    /// A client for whom no slot is free.
    waiting: Option<(TcpStream, SocketAddr)>,
    pub(super) conns: Vec<Option<Conn>>,
    free: Vec<usize>,
    pub(super) lanes: Lanes,
    pub(super) ids: Ids,
    pub(super) exchanges: u64,
    shed_in_a_row: usize,
    ticked: Instant,
    stop_by: Option<Instant>,
    pub(super) scratch: Vec<u8>,
}

impl Keeper {
    /// Registers listener and lanes, so that the thread only has to run.
    pub fn new(shared: &Arc<Shared>, listener: TcpListener, dial: &Arc<dyn Dial>) -> io::Result<Keeper> {
        listener.set_nonblocking(true)?;
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&poll, shared.bell(), EventData::new_u64(BELL), EventFlags::IN)?;
        let slots = shared.config.slots;
        let mut keeper = Keeper {
            shared: shared.clone(),
            poll,
            listener: Some(listener),
            listening: false,
            accept_after: None,
            waiting: None,
            conns: (0..slots).map(|_| None).collect(),
            free: (0..slots).rev().collect(),
            lanes: Lanes::open(dial)?,
            ids: Ids::default(),
            exchanges: 0,
            shed_in_a_row: 0,
            ticked: Instant::now(),
            stop_by: None,
            scratch: vec![0; SCRATCH_BYTES],
        };
        keeper.watch_lanes()?;
        keeper.listen(true)?;
        Ok(keeper)
    }

    /// Runs until the gate closes.
    pub fn run(mut self) {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        loop {
            events.clear();
            let patience = self.patience();
            match epoll::wait(&self.poll, spare_capacity(&mut events), patience.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => {
                    log::error!("the gate cannot poll: {error}");
                    thread::sleep(TICK);
                }
            }
            let now = Instant::now();
            for event in &events {
                self.on_event(event, now);
            }
            if age(now, self.ticked) >= TICK {
                self.tick(now);
            }
            self.admit(now);
            self.flush_lanes(now);
            if self.shared.is_stopping() && self.closed(now) {
                return;
            }
        }
    }

    /// How long nothing has to be looked after if nothing happens.
    fn patience(&self) -> Option<Timespec> {
        let patience = if self.waiting.is_some() {
            LOOK_AROUND
        } else if self.free.len() < self.conns.len()
            || self.accept_after.is_some()
            || self.lanes.open.is_empty()
        {
            TICK
        } else {
            return None;
        };
        Some(Timespec { tv_sec: 0, tv_nsec: patience.subsec_nanos().into() })
    }

    fn on_event(&mut self, event: &Event, now: Instant) {
        let (data, flags) = (event.data, event.flags);
        match data.u64() {
            BELL => {
                for slot in self.shared.take_notes() {
                    self.guarded(slot, |it| it.go_on(slot, now));
                }
                if self.lanes.take_reached() && self.watch_lanes().is_err() {
                    self.lanes.reopen(&self.shared);
                }
            }
            // The backend never says anything there, unless it is its last word.
            LANE if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) => {
                self.give_lanes_up(now);
            }
            LANE | LISTENER => {}
            slot => {
                let slot = usize::try_from(slot).unwrap_or(usize::MAX);
                self.guarded(slot, |it| it.on_client(slot, now));
            }
        }
    }

    /// A bug met while serving one client must not end the gate.
    fn guarded(&mut self, slot: usize, work: impl FnOnce(&mut Keeper)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            log::error!("slot {slot} panicked; its connection is closed");
            self.close(slot);
        }
    }

    fn listen(&mut self, wanted: bool) -> io::Result<()> {
        if let Some(listener) = self.listener.as_ref().filter(|_| wanted != self.listening) {
            if wanted {
                epoll::add(&self.poll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
            } else {
                epoll::delete(&self.poll, listener)?;
            }
            self.listening = wanted;
        }
        Ok(())
    }

    /// Takes clients in while there are slots; with none left, makes room where that can be done.
    fn admit(&mut self, now: Instant) {
        if self.shared.is_stopping() || self.accept_after.is_some_and(|after| now < after) {
            return;
        }
        self.accept_after = None;
        while let Some((stream, peer)) = self.waiting.take().or_else(|| self.accept(now)) {
            if let Some(slot) = self.free.pop() {
                self.seat(slot, stream, peer, now);
                continue;
            }
            self.waiting = Some((stream, peer));
            self.shared.set_pressed(true);
            if !self.shed_one(now) {
                break;
            }
        }
        let wanted = self.waiting.is_none() && self.accept_after.is_none();
        if let Err(error) = self.listen(wanted) {
            log::error!("the gate cannot poll its listener: {error}");
            self.accept_after = Some(now + BACK_OFF);
        }
    }

    fn accept(&mut self, now: Instant) -> Option<(TcpStream, SocketAddr)> {
        loop {
            match self.listener.as_ref()?.accept() {
                Ok(client) => return Some(client),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return None,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => {
                        log::warn!("cannot accept a connection, trying again: {error}");
                        // Most likely there are no descriptors left, and an idle client holds one.
                        self.shed_one(now);
                        self.accept_after = Some(now + BACK_OFF);
                        return None;
                    }
                },
            }
        }
    }

    /// Tells the client to leave who has kept a place longest without using it. The longer that goes on, the
    /// less time is given: an honest client's request is there at once when it had to queue, a dawdler's is not.
    fn shed_one(&mut self, now: Instant) -> bool {
        let rounds = self.shed_in_a_row / (self.conns.len() / 4).max(1);
        let whole = self.shared.config.shed_grace;
        let grace = whole / (1 << rounds.min(5));
        let oldest = self.shared.places().enumerate().filter_map(|(slot, place)| {
            let place = lock(place);
            let spared = match place.phase {
                Phase::Free | Phase::Busy => return None,
                Phase::Idle => grace / 4,
                Phase::Fresh | Phase::Reading | Phase::Draining => grace,
                Phase::Writing => whole * 4,
            };
            // Bytes that this thread has not come to yet: such a client only looks idle.
            let unread = || {
                matches!(place.phase, Phase::Idle | Phase::Fresh)
                    && place.client.as_ref().is_some_and(|client| peek(client) == Peek::Bytes)
            };
            (age(now, place.since) >= spared && !unread()).then_some((place.since, slot))
        });
        let Some((_, slot)) = oldest.min() else { return false };
        self.shed_in_a_row += 1;
        self.shared.count_shed();
        self.shed(slot, now);
        true
    }

    /// A slot is free again.
    pub fn freed(&mut self, slot: usize) {
        self.free.push(slot);
        // Some slots to spare again: connections may be kept. Not at the first one, or all would be taken
        // back at once by those who keep theirs.
        if self.waiting.is_none() && self.free.len() > self.conns.len() / 16 {
            self.shared.set_pressed(false);
            self.shed_in_a_row = 0;
        }
    }

    fn watch_lanes(&self) -> io::Result<()> {
        for lane in &self.lanes.open {
            epoll::add(&self.poll, &lane.stream, EventData::new_u64(LANE), EventFlags::IN)?;
        }
        Ok(())
    }

    fn flush_lanes(&mut self, now: Instant) {
        let mut sound = true;
        for lane in self.lanes.open.iter_mut().filter(|lane| lane.has_more()) {
            sound &= lane.flush();
            if lane.has_more() != lane.wants_room {
                lane.wants_room = lane.has_more();
                let room = if lane.wants_room { EventFlags::OUT } else { EventFlags::empty() };
                let flags = EventFlags::IN | room;
                sound &= epoll::modify(&self.poll, &lane.stream, EventData::new_u64(LANE), flags).is_ok();
            }
        }
        self.lanes.next_turn();
        if !sound {
            self.give_lanes_up(now);
        }
    }

    /// The backend has broken off: what no worker has yet is lost, and answered so.
    fn give_lanes_up(&mut self, now: Instant) {
        log::error!("the private connections broke off; opening new ones");
        self.lanes.reopen(&self.shared);
        for slot in 0..self.conns.len() {
            let Some(place) = self.shared.place(slot) else { continue };
            let mut place = lock(place);
            if place.exchange.as_ref().is_some_and(|exchange| exchange.holder == Holder::Lane) {
                self.shared.abandon(&mut place);
                drop(place);
                self.refuse(slot, &Refusal::internal(), now);
            }
        }
    }

    /// Looks at all deadlines.
    fn tick(&mut self, now: Instant) {
        self.ticked = now;
        for slot in 0..self.conns.len() {
            self.guarded(slot, |it| it.look_after(slot, now));
        }
        if self.lanes.open.is_empty() && !self.lanes.is_dialling() {
            self.lanes.reopen(&self.shared);
        }
    }

    /// Ends all that waits for a client; what is being handled has until the end of the grace.
    fn closed(&mut self, now: Instant) -> bool {
        self.listener = None;
        self.waiting = None;
        let stop_by = *self.stop_by.get_or_insert(now + self.shared.config.shutdown_grace);
        for slot in 0..self.conns.len() {
            let Some(place) = self.shared.place(slot) else { continue };
            let phase = lock(place).phase;
            match phase {
                Phase::Free => {}
                Phase::Busy | Phase::Writing if now < stop_by => {}
                Phase::Busy | Phase::Writing => self.close(slot),
                _ => self.shed(slot, now),
            }
        }
        self.free.len() == self.conns.len()
    }
}
