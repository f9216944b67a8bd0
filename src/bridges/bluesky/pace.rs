//! How often we ask: all together stays under half of what the network allows one address, so that whoever shares ours
//! has room, too. Searches take what the rest leaves.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the network counts in: 3,000 requests in five minutes are allowed.
const SPAN: Duration = Duration::from_secs(300);
/// Ours: half of it is 1,500, less something for what comes all at once.
const OURS: u32 = 1400;
/// What comes faster than before is noticed within so much.
const SOON: Duration = Duration::from_secs(30);
/// [`SPAN`] in [`SOON`]s.
const SOONS: u32 = 10;
/// Of ours, what is kept for everything but searches: notifications, posts under watch, replies.
const OTHERS_MIN: u32 = 500;
/// Of ours, what searches have however much the rest asks for.
const SEARCHES_MIN: u32 = 200;
/// From one look at the notifications to the next.
const LOOK: Duration = Duration::from_secs(2);
/// The same where we ask for too much.
const LOOK_SLOWLY: Duration = Duration::from_secs(10);

/// The requests of the last five minutes.
#[derive(Debug, Default)]
pub struct Pace {
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    all: VecDeque<Instant>,
    searches: VecDeque<Instant>,
}

impl Asked {
    /// How many requests in five minutes are no searches, if it goes on like this; how many there were of all.
    fn lately(&mut self, now: Instant) -> (u32, u32) {
        for times in [&mut self.all, &mut self.searches] {
            while times.front().is_some_and(|at| now.saturating_duration_since(*at) >= SPAN) {
                times.pop_front();
            }
        }
        let count = |times: &VecDeque<Instant>, within: Duration| {
            let old = times.partition_point(|at| now.saturating_duration_since(*at) >= within);
            u32::try_from(times.len() - old).unwrap_or(u32::MAX)
        };
        let others = |within| count(&self.all, within).saturating_sub(count(&self.searches, within));
        (others(SPAN).max(others(SOON).saturating_mul(SOONS)), count(&self.all, SPAN))
    }
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request goes out.
    pub fn asks(&self, now: Instant) {
        let mut asked = self.lock();
        asked.lately(now);
        asked.all.push_back(now);
    }

    /// How many requests went out lately.
    #[cfg(test)]
    pub fn lately(&self) -> usize {
        self.lock().all.len()
    }

    /// The request that comes next is a search.
    pub fn searches(&self, now: Instant) {
        self.lock().searches.push_back(now);
    }

    /// How long to wait before the next search.
    pub fn search_pause(&self, now: Instant) -> Duration {
        let (others, _) = self.lock().lately(now);
        SPAN / OURS.saturating_sub(others.max(OTHERS_MIN)).max(SEARCHES_MIN)
    }

    /// How long to wait before the next look at the notifications.
    pub fn look_pause(&self, now: Instant) -> Duration {
        let (others, all) = self.lock().lately(now);
        if all >= OURS || others >= OURS - SEARCHES_MIN { LOOK_SLOWLY } else { LOOK }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bridge runs for half an hour: it searches without end; each look at the notifications takes so many requests;
    /// so many requests in a minute are replies' and retries'. The most requests in any five minutes, and the searches
    /// of the last five.
    fn run(per_look: u32, replies_a_minute: u32) -> (u32, u32) {
        let (pace, begun) = (Pace::default(), Instant::now());
        let (mut search, mut look, mut reply) = (begun, begun, begun);
        let mut most = 0;
        loop {
            let now = search.min(look).min(reply);
            if now.saturating_duration_since(begun) > Duration::from_secs(1800) {
                let searches = u32::try_from(pace.lock().searches.len()).unwrap();
                return (most, searches);
            }
            if now == search {
                pace.searches(now);
                pace.asks(now);
                search = now + pace.search_pause(now);
            } else if now == look {
                (0..per_look).for_each(|_| pace.asks(now));
                look = now + pace.look_pause(now);
            } else {
                pace.asks(now);
                reply = now + Duration::from_secs(60) / replies_a_minute;
            }
            most = most.max(pace.lock().lately(now).1);
        }
    }

    #[test]
    fn all_together_is_half_of_what_is_allowed() {
        // A quiet shop: the look alone, at times a post and what is under watch. The two hundred hashtags of a hundred
        // offers take little more than a minute.
        let (most, searches) = run(2, 10);
        assert!(most <= 1500, "{most}");
        assert!(searches >= 880, "{searches}: each of two hundred hashtags is asked for after 68 s");
        // A busy one.
        let (most, searches) = run(4, 60);
        assert!(most <= 1500, "{most}");
        assert!(searches >= SEARCHES_MIN - 1, "{searches}");
        // Looks alone would take all that is allowed to us.
        let (most, searches) = run(10, 10);
        assert!(most <= 1500, "{most}");
        assert!(searches >= SEARCHES_MIN - 1, "{searches}");
    }

    #[test]
    fn what_is_long_ago_counts_no_more() {
        let (pace, now) = (Pace::default(), Instant::now());
        (0..OURS).for_each(|_| pace.asks(now));
        assert_eq!((pace.look_pause(now), pace.search_pause(now)), (LOOK_SLOWLY, SPAN / SEARCHES_MIN));
        let later = now + SPAN;
        assert_eq!((pace.look_pause(later), pace.search_pause(later)), (LOOK, SPAN / (OURS - OTHERS_MIN)));
    }
}
