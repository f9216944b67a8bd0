//! The replies that wait, posted one after the other, each exactly once.
//!
//! What is in doubt is looked for before it is posted again; what the network refuses is given up; what it has no room
//! for now waits. The till says which reply goes first and how many may go.

use super::desk::SharedDesk;
use super::{Backoff, Kind, Network, Reply, Trouble};
use crate::till::id::ReplyId;
use crate::till::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Replies asked for at once.
const REPLIES_AT_ONCE: usize = 50;
/// How long one question for replies waits: not longer, because a bridge that is to end waits for it.
const WAIT_SECONDS: u64 = 2;
/// The till is told again why a reply still waits, once in so many tries.
const TELL_EVERY: u32 = 10;

/// The tries at one reply.
#[derive(Debug, Default)]
struct Tries {
    count: u32,
    backoff: Backoff,
    not_before: Option<Instant>,
    maybe_out: bool,
}

/// The outbox of one network.
pub struct Outbox {
    desk: SharedDesk,
    network: Arc<dyn Network>,
    tries: BTreeMap<String, Tries>,
    /// For what stands in the way of all of them.
    backoff: Backoff,
}

impl Outbox {
    pub fn new(desk: SharedDesk, network: Arc<dyn Network>) -> Self {
        Self { desk, network, tries: BTreeMap::new(), backoff: Backoff::default() }
    }

    /// Posts until the bridge is to end.
    pub fn run(mut self) {
        while !self.desk.stopping() {
            if let Err(trouble) = self.round()
                && trouble.kind != Kind::Stopped
            {
                log::error!("{}: replies wait: {trouble}", self.network.slug());
                let _ = self.desk.nap(self.backoff.next(trouble.wait));
            }
        }
    }

    fn round(&mut self) -> Result<(), Trouble> {
        let replies = self.desk.replies(REPLIES_AT_ONCE, WAIT_SECONDS)?;
        self.tries.retain(|id, _| replies.iter().any(|reply| reply.id == *id));
        if self.desk.dry_run() {
            for reply in &replies {
                log::info!(
                    "{}: would post {} in reply to {}",
                    self.network.slug(),
                    reply.id,
                    reply.in_reply_to
                );
            }
            return self.desk.nap(Duration::from_secs(10));
        }
        let mut tried = false;
        for reply in &replies {
            if self.desk.stopping() {
                return Ok(());
            }
            let rests = self.tries.get(&reply.id).and_then(|tries| tries.not_before);
            if rests.is_none_or(|until| until <= Instant::now()) {
                tried = true;
                self.attempt(reply)?;
            }
        }
        // All that is there rests: it would be handed out again at once.
        if tried || replies.is_empty() { Ok(()) } else { self.desk.nap(Duration::from_millis(200)) }
    }

    fn attempt(&mut self, reply: &Reply) -> Result<(), Trouble> {
        let older = queued_at(reply).is_none_or(|at| self.desk.is_older_than_us(at));
        let tries = self.tries.entry(reply.id.clone()).or_default();
        let maybe_out = older || tries.maybe_out;
        let trouble = match self.network.post(reply, maybe_out) {
            Ok(posted) => {
                self.backoff.reset();
                self.desk.sent(&reply.id, &posted)?;
                self.desk.counts.reply();
                log::info!("{}: {} is out as {}", self.network.slug(), reply.id, posted.post_id);
                return Ok(());
            }
            Err(trouble) => trouble,
        };
        self.desk.counts.error(trouble.kind);
        match trouble.kind {
            Kind::Stopped => return Err(trouble),
            Kind::Refused => {
                log::warn!("{}: {} is given up: {trouble}", self.network.slug(), reply.id);
                return self.desk.failed(&reply.id, &trouble.why, false);
            }
            _ => {}
        }
        tries.maybe_out |= trouble.kind.leaves_doubt();
        let wait = tries.backoff.next(trouble.wait);
        tries.not_before = Some(Instant::now() + wait);
        let tell = tries.count.is_multiple_of(TELL_EVERY);
        tries.count += 1;
        log::warn!("{}: {} waits {:.1} s: {trouble}", self.network.slug(), reply.id, wait.as_secs_f32());
        if tell {
            self.desk.failed(&reply.id, &trouble.why, true)?;
        }
        match trouble.kind {
            // One reply's own trouble; others may go.
            Kind::Server | Kind::Protocol => Ok(()),
            Kind::Credentials => {
                self.network.sign_in()?;
                Ok(())
            }
            // It would be the same for all.
            _ => self.desk.nap(wait),
        }
    }
}

/// When a reply was queued: its id says so.
fn queued_at(reply: &Reply) -> Option<Time> {
    let ReplyId(id) = ReplyId::parse(&reply.id)?;
    Some(Time::from_ms(i64::try_from(id >> 80).unwrap_or(i64::MAX)))
}
