//! What the gate's thread shares with those who answer: who is in which slot, and what is under way there.
//!
//! The gate's thread alone reads requests, sheds, and closes. Whoever answers writes to the client's socket
//! himself, as far as that takes bytes without waiting, and tells the gate's thread only if there is something
//! left for it to do. After the common answer there is not: the client's next request wakes it.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::event::{EventfdFlags, eventfd};

use super::answer::{Answer, Outgoing, Sent, Terms, send_file};
use super::body::{Budget, Share};
use super::{GateConfig, GateStats, lock};

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
    /// A request that is being handled.
    Busy,
    /// An answer that the client has not taken yet.
    Writing,
    /// An answer is out; what the client still sends is thrown away.
    Draining,
}

/// A request under way, as whoever answers has to know it.
#[derive(Debug)]
pub struct Exchange {
    /// Never used twice.
    pub number: u64,
    /// How the answer is to go out.
    pub terms: Terms,
    /// Share of the budget that the request's body takes.
    pub share: Option<Share>,
    /// Who has it.
    pub holder: Holder,
    /// What the client is doing meanwhile.
    pub client: Meanwhile,
}

/// Who has a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// It is on its way to the backend.
    Lane,
    /// A worker took it.
    Worker,
    /// It waits for something to happen.
    Parked,
}

/// What a client does while its request is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// It waits.
    Waits,
    /// It has sent more; the gate's thread no longer listens.
    Sends,
    /// It has sent the end of its bytes, or a reset; the gate's thread no longer listens.
    Gone,
}

/// What is left for the gate's thread to do.
#[derive(Debug)]
pub enum Left {
    /// Listen to the client again.
    Resume,
    /// Send the rest.
    Send(Outgoing),
    /// End the connection, in good order.
    End,
    /// End it at once.
    Cut,
}

/// One slot.
#[derive(Debug)]
pub struct Place {
    /// Where it stands.
    pub phase: Phase,
    /// Since when; while writing, since bytes were last taken.
    pub since: Instant,
    /// Who is in it.
    pub client: Option<Arc<TcpStream>>,
    /// What is under way.
    pub exchange: Option<Exchange>,
    /// What whoever answered has left to do.
    pub left: Option<Left>,
}

impl Place {
    /// Moves it to a phase.
    pub fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }

    fn current(&mut self, number: u64) -> Option<&mut Exchange> {
        self.exchange.as_mut().filter(|exchange| exchange.number == number)
    }
}

/// All that the gate's thread shares with others.
pub struct Shared {
    /// What the gate bears.
    pub config: GateConfig,
    /// What large bodies may still take.
    pub budget: Arc<Budget>,
    /// By this, the backend knows that a request comes from the gate.
    pub secret: u64,
    places: Vec<Mutex<Place>>,
    /// Slots in which something is left to do.
    notes: Mutex<Vec<usize>>,
    bell: OwnedFd,
    pressed: AtomicBool,
    stopping: AtomicBool,
    parked: AtomicUsize,
    orphans: AtomicUsize,
    shed_total: AtomicU64,
    refused: Mutex<BTreeMap<u16, u64>>,
}

impl Shared {
    /// All slots free.
    pub fn new(config: GateConfig) -> io::Result<Shared> {
        let free =
            || Place { phase: Phase::Free, since: Instant::now(), client: None, exchange: None, left: None };
        Ok(Shared {
            budget: Arc::new(Budget::new(config.body_budget_bytes)),
            secret: getrandom::u64().map_err(io::Error::other)?,
            places: (0..config.slots).map(|_| Mutex::new(free())).collect(),
            config,
            notes: Mutex::default(),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            pressed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            parked: AtomicUsize::new(0),
            orphans: AtomicUsize::new(0),
            shed_total: AtomicU64::new(0),
            refused: Mutex::default(),
        })
    }

    /// A slot.
    pub fn place(&self, slot: usize) -> Option<&Mutex<Place>> {
        self.places.get(slot)
    }

    /// All slots.
    pub fn places(&self) -> impl Iterator<Item = &Mutex<Place>> {
        self.places.iter()
    }

    /// Rings when there is a note, or when the gate has to close.
    pub fn bell(&self) -> &OwnedFd {
        &self.bell
    }

    /// Slots in which something is left to do, each given once.
    pub fn take_notes(&self) -> Vec<usize> {
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        std::mem::take(&mut *lock(&self.notes))
    }

    /// Wakes the gate's thread.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Tells all to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// Whether all is to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Whether others wait for a slot.
    pub fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Says whether others wait for a slot.
    pub fn set_pressed(&self, pressed: bool) {
        self.pressed.store(pressed, Ordering::Relaxed);
    }

    /// Counts a refusal by the gate itself.
    pub fn count_refusal(&self, status: u16) {
        *lock(&self.refused).entry(status).or_default() += 1;
    }

    /// Counts a connection that had to leave.
    pub fn count_shed(&self) {
        self.shed_total.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives a request to the worker that asks, unless the gate has given it up.
    pub fn take(&self, slot: usize, number: u64) -> bool {
        let Some(place) = self.place(slot) else { return false };
        let mut place = lock(place);
        let free = place.current(number).filter(|exchange| exchange.holder == Holder::Lane);
        free.map(|exchange| exchange.holder = Holder::Worker).is_some()
    }

    /// Whether nobody waits for this exchange's answer any more.
    pub fn has_left(&self, slot: usize, number: u64) -> bool {
        self.place(slot).is_none_or(|place| lock(place).current(number).is_none())
    }

    /// Marks an exchange as parked, if not too many are. Those whose client has left count apart, up to as
    /// many again, until they are answered: each takes memory.
    pub fn park(&self, slot: usize, number: u64) -> bool {
        let half = self.places.len() / 2;
        let Some(place) = self.place(slot) else { return false };
        let mut place = lock(place);
        let here = |exchange: &&mut Exchange| exchange.client != Meanwhile::Gone;
        let Some(exchange) = place.current(number).filter(here) else { return false };
        let more = |parked| (parked < half).then_some(parked + 1);
        if self.orphans.load(Ordering::Relaxed) >= half
            || self.parked.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err()
        {
            return false;
        }
        exchange.holder = Holder::Parked;
        true
    }

    /// Gives up on an exchange; whoever answers it later is not heard.
    pub fn abandon(&self, place: &mut Place) {
        if place.exchange.take().is_some_and(|exchange| exchange.holder == Holder::Parked) {
            self.orphans.fetch_add(1, Ordering::Relaxed);
            self.parked.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Answers an exchange: sends what the socket takes at once, leaves the rest to the gate's thread, and a
    /// file to a thread of its own, of which there can be as many as slots. Says nothing to a client who left.
    pub fn answer(self: &Arc<Shared>, slot: usize, number: u64, was_parked: bool, answer: Answer) {
        let Some(place) = self.place(slot) else { return };
        let mut place = lock(place);
        let exchange = place.exchange.take_if(|exchange| exchange.number == number);
        if was_parked {
            let count = if exchange.is_some() { &self.parked } else { &self.orphans };
            count.fetch_sub(1, Ordering::Relaxed);
        }
        let Some(mut exchange) = exchange else { return };
        let Some(client) = place.client.clone() else { return };
        drop(exchange.share.take());
        exchange.terms.keep &= !self.is_pressed() && !self.is_stopping();
        let Exchange { terms, client: meanwhile, .. } = exchange;
        let now = Instant::now();
        let (mut outgoing, file) = answer.begin(terms, now);
        if let Some((file, length)) = file {
            exchange.holder = Holder::Worker;
            place.exchange = Some(exchange);
            drop(place);
            let (shared, timeout) = (self.clone(), self.config.write_timeout);
            let sender = thread::Builder::new().name("http-sender".to_owned());
            let spawned = sender.spawn(move || {
                let sent = send_file(&client, &outgoing, file, length, timeout);
                shared.finish(slot, number, sent.then_some(terms.keep));
            });
            if let Err(error) = spawned {
                log::error!("no thread to be had for sending a file: {error}");
                self.finish(slot, number, None);
            }
            return;
        }
        let left = match outgoing.send(&client, now) {
            Sent::All => left_after(terms.keep, meanwhile),
            Sent::Some => Some(Left::Send(outgoing)),
            Sent::Failed => Some(Left::Cut),
        };
        self.leave(slot, &mut place, left);
    }

    /// Ends an exchange that sent a file; `kept` is `None` if it broke off.
    fn finish(&self, slot: usize, number: u64, kept: Option<bool>) {
        let Some(place) = self.place(slot) else { return };
        let mut place = lock(place);
        let Some(exchange) = place.exchange.take_if(|exchange| exchange.number == number) else { return };
        let left = kept.map_or(Some(Left::Cut), |keep| left_after(keep, exchange.client));
        self.leave(slot, &mut place, left);
    }

    fn leave(&self, slot: usize, place: &mut Place, left: Option<Left>) {
        if left.is_none() {
            place.enter(Phase::Idle, Instant::now());
        } else {
            place.enter(Phase::Writing, Instant::now());
            place.left = left;
            lock(&self.notes).push(slot);
            self.ring();
        }
    }

    /// Ends a client's connection and empties his place.
    pub fn vacate(&self, place: &mut Place) {
        self.abandon(place);
        place.left = None;
        place.enter(Phase::Free, Instant::now());
        if let Some(client) = place.client.take() {
            // A socket that others still hold for a moment would keep the client waiting for its end.
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// How the gate stands.
    pub fn stats(&self) -> GateStats {
        let mut stats = GateStats {
            slots: self.places.len(),
            parked: self.parked.load(Ordering::Relaxed),
            shed_total: self.shed_total.load(Ordering::Relaxed),
            refused_total: lock(&self.refused).clone(),
            ..GateStats::default()
        };
        for place in &self.places {
            match lock(place).phase {
                Phase::Free => {}
                Phase::Busy | Phase::Writing => stats.busy += 1,
                Phase::Fresh | Phase::Idle => stats.idle += 1,
                Phase::Reading | Phase::Draining => stats.reading += 1,
            }
        }
        stats
    }
}

/// What is left to do when all was sent.
fn left_after(keep: bool, meanwhile: Meanwhile) -> Option<Left> {
    match (keep, meanwhile) {
        (true, Meanwhile::Waits) => None,
        (true, _) => Some(Left::Resume),
        (false, _) => Some(Left::End),
    }
}

/// How long ago that was.
pub fn age(now: Instant, since: Instant) -> Duration {
    now.saturating_duration_since(since)
}
