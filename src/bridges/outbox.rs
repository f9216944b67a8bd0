//! The replies that wait, posted one after the other, each exactly once.
//!
//! What is in doubt is looked for before it is posted again; what the network refuses is given up; what it has no room
//! for now waits. The till says which reply goes first and how many may go.

use super::desk::SharedDesk;
use super::{Backoff, Kind, Network, Reply, Trouble};
use crate::till::id::ReplyId;
use crate::till::time::Time;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Replies asked for at once.
const REPLIES_AT_ONCE: usize = 50;
/// How long one question for replies waits: not longer, because a bridge that is to end waits for it.
const WAIT_SECONDS: u64 = 2;
/// A list of replies is not worked on for longer: the next one may begin with what is more urgent.
const ROUND_MAX: Duration = Duration::from_secs(10);
/// A reply that is out rests for so long where the till still lists it.
const UNHEARD_WAIT: Duration = Duration::from_secs(60);
/// The till is told again why a reply still waits, once in so many tries.
const TELL_EVERY: u32 = 10;

/// The tries at one reply.
#[derive(Debug, Default)]
struct Tries {
    count: u32,
    backoff: Backoff,
    not_before: Option<Instant>,
    maybe_out: bool,
    /// Of the till's clock: nothing is posted after it, so that nothing has to be remembered either.
    not_after: Option<Time>,
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
            let round = catch_unwind(AssertUnwindSafe(|| self.round())).unwrap_or_else(|_| {
                // Whatever was under way may be out.
                self.tries.values_mut().for_each(|tries| tries.maybe_out = true);
                Err(Trouble::protocol("posting ended in a panic: please report this"))
            });
            if let Err(trouble) = round
                && trouble.kind != Kind::Stopped
            {
                log::error!("{}: replies wait: {trouble}", self.network.slug());
                let _ = self.desk.nap(self.backoff.next(trouble.wait));
            }
        }
    }

    fn round(&mut self) -> Result<(), Trouble> {
        let replies = self.desk.replies(REPLIES_AT_ONCE, WAIT_SECONDS)?;
        forget(&mut self.tries, &replies, |at| self.desk.is_over(at));
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
        let (mut tried, begun) = (false, Instant::now());
        for reply in &replies {
            // Meanwhile somebody may have opted out, or something more urgent may have come.
            if self.desk.stopping() || begun.elapsed() > ROUND_MAX {
                return Ok(());
            }
            if self.desk.is_over(reply.not_after) {
                continue;
            }
            let rests = self.tries.get(&reply.id).and_then(|tries| tries.not_before);
            if rests.is_none_or(|until| until <= Instant::now()) {
                tried = true;
                if !self.attempt(reply)? {
                    return Ok(());
                }
            }
        }
        // All that is there rests: it would be handed out again at once.
        if tried || replies.is_empty() { Ok(()) } else { self.desk.nap(Duration::from_millis(200)) }
    }

    /// Tries to post a reply; whether the round goes on.
    fn attempt(&mut self, reply: &Reply) -> Result<bool, Trouble> {
        let older = queued_at(reply).is_none_or(|at| self.desk.is_older_than_us(at));
        let tries = self.tries.entry(reply.id.clone()).or_default();
        tries.not_after = Some(reply.not_after);
        tries.maybe_out |= older;
        let maybe_out = tries.maybe_out;
        let trouble = match self.network.post(reply, maybe_out) {
            Ok(posted) => {
                self.backoff.reset();
                log::info!("{}: {} is out as {}", self.network.slug(), reply.id, posted.post_id);
                // Until the till has heard of it.
                tries.maybe_out = true;
                tries.not_before = Some(Instant::now() + UNHEARD_WAIT);
                self.desk.sent(&reply.id, &posted)?;
                self.desk.counts.reply();
                return Ok(true);
            }
            Err(trouble) => trouble,
        };
        self.desk.counts.error(trouble.kind);
        match trouble.kind {
            Kind::Stopped => return Err(trouble),
            Kind::Refused => {
                log::warn!("{}: {} is given up: {trouble}", self.network.slug(), reply.id);
                return self.desk.failed(&reply.id, &trouble.why, false).map(|()| true);
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
            Kind::Server | Kind::Protocol => Ok(true),
            // It would be the same for all.
            Kind::Credentials => {
                self.desk.nap(wait)?;
                let own = self.network.sign_in()?;
                self.desk.sign_in(own);
                Ok(false)
            }
            _ => self.desk.nap(wait).map(|()| false),
        }
    }
}

/// Forgets the tries at what is not listed any more; not those in doubt, which a budget that is used up only hides.
fn forget(tries: &mut BTreeMap<String, Tries>, listed: &[Reply], is_over: impl Fn(Time) -> bool) {
    tries.retain(|id, tries| {
        let over = tries.not_after.is_none_or(&is_over);
        listed.iter().any(|reply| reply.id == *id) || tries.maybe_out && !over
    });
}

/// When a reply was queued: its id says so.
fn queued_at(reply: &Reply) -> Option<Time> {
    let ReplyId(id) = ReplyId::parse(&reply.id)?;
    Some(Time::from_ms(i64::try_from(id >> 80).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_is_kept_while_a_reply_is_not_listed() {
        let at = |seconds| Time::from_ms(1_764_000_000_000).plus_seconds(seconds);
        let doubtful = |not_after| Tries { maybe_out: true, not_after: Some(not_after), ..Tries::default() };
        let mut tries = BTreeMap::from([
            ("doubtful".to_owned(), doubtful(at(10))),
            ("over".to_owned(), doubtful(at(-10))),
            ("sure".to_owned(), Tries { not_after: Some(at(10)), ..Tries::default() }),
        ]);
        forget(&mut tries, &[], |time| time < at(0));
        assert_eq!(tries.keys().collect::<Vec<_>>(), ["doubtful"]);
    }
}
