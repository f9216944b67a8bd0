//! What the gate's thread does for one client: reads, passes on, refuses, sends what is left of an answer, ends.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::answer::{Outgoing, Sent, Terms};
use super::conn::{Complete, Conn, Peek, Reading, Stage, Step, Watch, peek};
use super::keeper::Keeper;
use super::lanes::Passage;
use super::lock;
use super::refusal::Refusal;
use super::slots::{Exchange, Holder, Left, Meanwhile, Phase, age};

/// How long and how much a client may go on sending after its answer, so that it comes to reading it: closing
/// a socket with bytes unread resets it, and a reset can overtake the answer.
const DRAIN: Duration = Duration::from_secs(2);
const DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;

const LATE_HEAD: Refusal = Refusal::timeout("The request's head was not complete in time.");
const LATE_BODY: Refusal = Refusal::timeout("The request was not complete in time.");
const SHED: Refusal = Refusal::overloaded("The place was needed for others before the request was complete.");
const UNREACHED: Refusal = Refusal::overloaded("The server is starting over. Try again soon.");

impl Keeper {
    /// Puts a client in a free slot.
    pub fn seat(&mut self, slot: usize, stream: TcpStream, peer: SocketAddr, now: Instant) {
        let conn = Conn::new(stream, peer);
        let ready = conn.stream.set_nodelay(true).is_ok();
        self.enter(slot, Phase::Fresh, now);
        if let Some(place) = self.shared.place(slot) {
            lock(place).client = Some(conn.stream.clone());
        }
        if let Some(seat) = self.conns.get_mut(slot) {
            *seat = Some(conn);
        }
        if !ready || !self.watch(slot, Watch::Bytes) {
            self.close(slot);
        }
    }

    /// Something happened on a client's socket.
    pub fn on_client(&mut self, slot: usize, now: Instant) {
        self.notice_answer(slot);
        let Some(conn) = self.conns.get(slot).and_then(Option::as_ref) else { return };
        match conn.stage {
            Stage::Handled => self.look_away(slot),
            Stage::Writing { .. } => self.write(slot, now),
            _ => self.read(slot, now),
        }
    }

    /// Once the answer has gone out, what comes is the next request.
    fn notice_answer(&mut self, slot: usize) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        if matches!(conn.stage, Stage::Handled)
            && self.shared.place(slot).is_some_and(|place| lock(place).phase == Phase::Idle)
        {
            conn.next_request();
        }
    }

    /// A client who is not heard now has sent more, or is gone: whoever answers says when to listen again.
    fn look_away(&mut self, slot: usize) {
        let Some(place) = self.shared.place(slot) else { return };
        let mut place = lock(place);
        let seen = place.client.as_ref().map_or(Peek::Gone, |client| peek(client));
        // Who only closed his sending half looks gone as well. An answer that comes soon is still sent to
        // him; a slot is not kept for him.
        let mut leaves = false;
        if let Some(exchange) = place.exchange.as_mut() {
            exchange.client = if seen == Peek::Gone { Meanwhile::Gone } else { Meanwhile::Sends };
            leaves = exchange.holder == Holder::Parked && seen == Peek::Gone;
        } else if place.phase == Phase::Idle {
            // Answered just now: the poll will tell again.
            return;
        }
        drop(place);
        self.watch(slot, Watch::Off);
        if leaves {
            self.close(slot);
        }
    }

    fn read(&mut self, slot: usize, now: Instant) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let conn = self.conns.get(slot).and_then(Option::as_ref);
        let received = conn.map(|conn| recv(&conn.stream, &mut *scratch, RecvFlags::DONTWAIT));
        match received {
            None | Some(Err(Errno::AGAIN | Errno::INTR)) => {}
            Some(Ok((_, 0)) | Err(_)) => self.close(slot),
            Some(Ok((_, count))) => self.take_in(slot, scratch.get(..count).unwrap_or_default(), now),
        }
        self.scratch = scratch;
    }

    fn take_in(&mut self, slot: usize, bytes: &[u8], now: Instant) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        if let Stage::Draining { drained, .. } = &mut conn.stage {
            *drained += bytes.len();
            if *drained >= DRAIN_BYTES_MAX {
                self.close(slot);
            }
            return;
        }
        let first = conn.begun.is_none();
        conn.begun.get_or_insert(now);
        let reading = Reading { config: &self.shared.config, budget: &self.shared.budget };
        let step = conn.feed(bytes, &reading);
        if let (true, Ok(Step::More | Step::GoOn)) = (first, &step) {
            self.enter(slot, Phase::Reading, now);
        }
        match step {
            Ok(Step::More) => {}
            Ok(Step::GoOn) => self.tell_to_go_on(slot, now),
            Ok(Step::Complete(complete)) => self.pass_on(slot, *complete, now),
            Err(refusal) => self.refuse(slot, &refusal, now),
        }
    }

    fn tell_to_go_on(&mut self, slot: usize, now: Instant) {
        let Some(conn) = self.conns.get(slot).and_then(Option::as_ref) else { return };
        let mut go_on = Outgoing::last(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), now, now);
        if go_on.send(&conn.stream, now) != Sent::All {
            self.close(slot);
        }
    }

    /// Hands a complete request to the backend. From here on the connection is not shed any more.
    fn pass_on(&mut self, slot: usize, complete: Complete, now: Instant) {
        let Complete { head, upload, early } = complete;
        let (Some(conn), Some(place)) =
            (self.conns.get_mut(slot).and_then(Option::as_mut), self.shared.place(slot))
        else {
            return;
        };
        let terms = Terms {
            head_only: head.method == "HEAD",
            old: head.old,
            // Who sends the next request before he has read this answer gets no more than this answer.
            keep: head.keep_alive && !early,
            patience: self.shared.config.request_deadline,
        };
        let (body, share) = upload.into_parts();
        self.exchanges += 1;
        let id = self.ids.next();
        let exchange = Exchange {
            number: self.exchanges,
            terms,
            share: Some(share),
            holder: Holder::Lane,
            client: Meanwhile::Waits,
        };
        {
            let mut place = lock(place);
            place.enter(Phase::Busy, now);
            place.exchange = Some(exchange);
        }
        let passage = Passage { slot, exchange: self.exchanges, id: &id, peer: conn.peer };
        if !self.lanes.pass(self.shared.secret, &passage, &head, body) {
            self.shared.abandon(&mut lock(place));
            self.refuse(slot, &UNREACHED, now);
        }
    }

    /// Does what was left to do by whoever answered.
    pub fn go_on(&mut self, slot: usize, now: Instant) {
        let Some(left) = self.shared.place(slot).and_then(|place| lock(place).left.take()) else { return };
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        match left {
            Left::Resume => self.listen_again(slot, now),
            Left::Send(outgoing) => {
                let drain = conn.may_still_send();
                conn.stage = Stage::Writing { outgoing, drain };
                self.write(slot, now);
            }
            Left::End => {
                let drain = conn.may_still_send();
                self.end(slot, drain, now);
            }
            Left::Cut => self.close(slot),
        }
    }

    fn listen_again(&mut self, slot: usize, now: Instant) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        conn.next_request();
        self.enter(slot, Phase::Idle, now);
        if !self.watch(slot, Watch::Bytes) {
            self.close(slot);
        }
    }

    fn write(&mut self, slot: usize, now: Instant) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        let Stage::Writing { outgoing, drain } = &mut conn.stage else { return };
        let (sent, keep, drain) = (outgoing.send(&conn.stream, now), outgoing.keep, *drain);
        let moved = outgoing.moved;
        match sent {
            Sent::All if keep => self.listen_again(slot, now),
            Sent::All => self.end(slot, drain, now),
            Sent::Some => {
                self.enter(slot, Phase::Writing, moved);
                if !self.watch(slot, Watch::Room) {
                    self.close(slot);
                }
            }
            Sent::Failed => self.close(slot),
        }
    }

    /// Answers that a request goes no further, after which the connection ends.
    pub fn refuse(&mut self, slot: usize, refusal: &Refusal, now: Instant) {
        let id = self.ids.next();
        let deadline = now + self.shared.config.write_timeout;
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        log::debug!("request {id} of {} refused: {} {}", conn.peer, refusal.status(), refusal.detail);
        self.shared.count_refusal(refusal.status());
        let outgoing = Outgoing::last(refusal.answer(&id, conn.is_head_only()), deadline, now);
        conn.stage = Stage::Writing { outgoing, drain: true };
        self.write(slot, now);
    }

    /// Ends a connection whose place is needed, with a word if a request has begun.
    pub fn shed(&mut self, slot: usize, now: Instant) {
        let Some(conn) = self.conns.get(slot).and_then(Option::as_ref) else { return };
        if conn.begun.is_some() && matches!(conn.stage, Stage::Head { .. } | Stage::Body { .. }) {
            let id = self.ids.next();
            self.shared.count_refusal(SHED.status());
            let mut word = Outgoing::last(SHED.answer(&id, conn.is_head_only()), now, now);
            word.send(&conn.stream, now);
        }
        self.close(slot);
    }

    /// Ends a connection after its last answer.
    fn end(&mut self, slot: usize, drain: bool, now: Instant) {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return };
        if !drain || self.shared.is_stopping() || conn.stream.shutdown(Shutdown::Write).is_err() {
            return self.close(slot);
        }
        conn.rest = Vec::new();
        conn.stage = Stage::Draining { until: now + DRAIN, drained: 0 };
        self.enter(slot, Phase::Draining, now);
        if !self.watch(slot, Watch::Bytes) {
            self.close(slot);
        }
    }

    /// Closes a connection and frees its slot.
    pub fn close(&mut self, slot: usize) {
        self.watch(slot, Watch::Off);
        if self.conns.get_mut(slot).and_then(Option::take).is_none() {
            return;
        }
        if let Some(place) = self.shared.place(slot) {
            self.shared.vacate(&mut lock(place));
        }
        self.freed(slot);
    }

    /// Looks at a client's deadlines.
    pub fn look_after(&mut self, slot: usize, now: Instant) {
        let Some(conn) = self.conns.get(slot).and_then(Option::as_ref) else { return };
        let Some(place) = self.shared.place(slot) else { return };
        let (phase, resting) = {
            let place = lock(place);
            (place.phase, age(now, place.since))
        };
        let config = &self.shared.config;
        let begun = conn.begun.map_or(Duration::ZERO, |begun| age(now, begun));
        match (&conn.stage, phase) {
            (_, Phase::Fresh) if resting >= config.head_deadline => self.close(slot),
            (_, Phase::Idle) if resting >= config.idle_timeout => self.close(slot),
            (Stage::Head { .. }, Phase::Reading) if begun >= config.head_deadline => {
                self.refuse(slot, &LATE_HEAD, now);
            }
            (Stage::Body { .. }, Phase::Reading) if begun >= config.request_deadline => {
                self.refuse(slot, &LATE_BODY, now);
            }
            (Stage::Writing { outgoing, .. }, _)
                if resting >= config.write_timeout || now >= outgoing.deadline =>
            {
                self.close(slot);
            }
            (Stage::Draining { until, .. }, _) if now >= *until => self.close(slot),
            _ => {}
        }
    }

    fn enter(&self, slot: usize, phase: Phase, since: Instant) {
        if let Some(place) = self.shared.place(slot) {
            lock(place).enter(phase, since);
        }
    }

    /// Asks the poll for a socket's events; `false` if that cannot be done.
    fn watch(&mut self, slot: usize, wanted: Watch) -> bool {
        let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) else { return false };
        let data = EventData::new_u64(slot as u64);
        let flags = |watch| if watch == Watch::Room { EventFlags::OUT } else { EventFlags::IN };
        let result = match (conn.watch, wanted) {
            (before, after) if before == after => Ok(()),
            (Watch::Off, _) => epoll::add(&self.poll, &conn.stream, data, flags(wanted)),
            (_, Watch::Off) => epoll::delete(&self.poll, &conn.stream),
            _ => epoll::modify(&self.poll, &conn.stream, data, flags(wanted)),
        };
        conn.watch = wanted;
        if let Err(error) = &result {
            log::error!("the gate cannot poll a client's socket: {error}");
        }
        result.is_ok()
    }
}
