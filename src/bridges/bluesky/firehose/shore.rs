//! Whether a firehose is read to its end. Only then does what comes have to be new, whatever its server says of the time:
//! in what piled up while we were away, an honest post is old.

use crate::till::time::Time;
use std::collections::{HashSet, VecDeque};

/// Nothing came for so long after a commit of the last seconds: there is nothing left.
const SILENCE_MS: i64 = 500;
/// Nothing came for so long after anything else: a server that sends what piled up pauses at times, and before it begins.
const LONG_SILENCE_MS: i64 = 5000;
/// One read follows the other if there is no more between them; else something may have come meanwhile.
const BETWEEN_MS: i64 = 50;
/// A commit of the last seconds.
const NEAR_MS: i64 = 10_000;
/// So many people's commits in a row, all of them near: one server's clock alone says nothing.
const PEOPLE: usize = 20;
/// What comes once the stream was read to its end is not older than so much before that.
const LATE_MS: i64 = 60_000;
/// Of so many commits, the one in the middle says how far we have read.
const LATEST: usize = 9;

/// What is known of the stream's end.
#[derive(Debug, Default)]
pub struct Shore {
    /// When the stream was known to be read to its end, last.
    caught_up: Option<Time>,
    /// Since when nothing has come, and until when that is known.
    silent: Option<(Time, Time)>,
    /// Whose commits were near, one after the other.
    near: HashSet<String>,
    /// What the latest commits say of their time.
    latest: VecDeque<Time>,
}

impl Shore {
    /// It was read to its end then, if ever.
    pub fn since(caught_up: Option<Time>) -> Self {
        Self { caught_up, ..Self::default() }
    }

    /// When the stream was known to be read to its end, last.
    pub fn caught_up(&self) -> Option<Time> {
        self.caught_up
    }

    /// A read that began and ended then found nothing. When the stream is known to be read to its end, if that says so.
    pub fn nothing(&mut self, begun: Time, ended: Time) -> Option<Time> {
        let since = match self.silent {
            Some((since, until)) if begun.ms_since(until) <= BETWEEN_MS => since,
            _ => begun,
        };
        self.silent = Some((since, ended));
        let near = self.latest.back().is_some_and(|said| since.ms_since(*said).abs() <= NEAR_MS);
        let enough = if near { SILENCE_MS } else { LONG_SILENCE_MS };
        (ended.ms_since(since) >= enough).then(|| {
            self.reach(begun);
            begun
        })
    }

    /// Something came.
    pub fn something(&mut self) {
        self.silent = None;
    }

    /// A commit came that says this of its time.
    pub fn commit(&mut self, repo: &str, said: Time, now: Time) {
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(said);
        if now.ms_since(said).abs() > NEAR_MS {
            self.near.clear();
            return;
        }
        if !self.near.contains(repo) {
            self.near.insert(repo.to_owned());
        }
        if self.near.len() >= PEOPLE {
            self.near.clear();
            self.reach(now);
        }
    }

    fn reach(&mut self, at: Time) {
        self.caught_up = Some(self.caught_up.map_or(at, |was| was.max(at)));
    }

    /// How far the stream is read, as the latest commits say; no single one of them is believed.
    pub fn read_to(&self) -> Option<Time> {
        let mut latest: Vec<Time> = self.latest.iter().copied().collect();
        latest.sort_unstable();
        latest.get(latest.len() / 2).copied()
    }

    /// When something was made that comes now.
    pub fn made_at(&self, said: Time, now: Time) -> Time {
        let earliest = self.caught_up.map(|at| at.plus_ms(-LATE_MS));
        earliest.map_or(said, |earliest| said.max(earliest)).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds after some moment.
    fn at(ms: i64) -> Time {
        Time::from_ms(1_700_000_000_000).plus_ms(ms)
    }

    #[test]
    fn what_piled_up_is_believed() {
        let mut shore = Shore::since(None);
        // Away for two hours; the reads between find nothing for moments, and handing in takes its time.
        let now = at(7_200_000);
        for i in 0..100 {
            shore.something();
            let said = at(i * 1000);
            shore.commit(&format!("did:plc:{i}"), said, now);
            assert_eq!(shore.made_at(said, now), said);
            assert_eq!(shore.nothing(now.plus_ms(i), now.plus_ms(i + 5)), None);
            assert_eq!(
                shore.nothing(now.plus_ms(i + 60_000), now.plus_ms(i + 60_005)),
                None,
                "a pause between"
            );
        }
        assert_eq!(shore.caught_up(), None);
        assert!(shore.read_to() < Some(at(100_000)));
    }

    #[test]
    fn after_a_silence_nothing_is_old() {
        let mut shore = Shore::since(None);
        shore.commit("did:plc:a", at(-2000), at(0));
        assert_eq!(shore.nothing(at(0), at(250)), None);
        assert_eq!(shore.nothing(at(251), at(501)), Some(at(251)), "the read that found nothing began then");
        shore.something();
        assert_eq!(shore.made_at(at(-500_000), at(600)), at(251 - 60_000));
        assert_eq!(shore.made_at(at(550), at(600)), at(550));
        assert_eq!(shore.made_at(at(9_000), at(600)), at(600), "nor of the future");
        // We were gone for an hour: what was made then and comes now is not old.
        assert_eq!(shore.nothing(at(700), at(1199)), None);
        assert_eq!(shore.made_at(at(1_800_000), at(3_600_000)), at(1_800_000));
    }

    #[test]
    fn a_pause_in_what_piled_up_is_not_its_end() {
        let mut shore = Shore::since(None);
        let reads = |shore: &mut Shore, from: i64| {
            let read = |i: i64| shore.nothing(at(from + 501 * i), at(from + 501 * i + 500));
            (0..10).filter_map(read).count()
        };
        assert_eq!(shore.nothing(at(0), at(500)), None, "nor is what is before its beginning");
        shore.something();
        shore.commit("did:plc:a", at(-3_600_000), at(500));
        assert_eq!(shore.nothing(at(500), at(1000)), None);
        shore.something();
        assert_eq!(reads(&mut shore, 1000), 1, "after five seconds it is");
        assert_eq!(shore.caught_up(), Some(at(1000 + 501 * 9)));
    }

    #[test]
    fn many_people_say_that_it_is_now() {
        let mut shore = Shore::since(None);
        let now = at(1_000_000);
        for i in 0..200 {
            shore.commit("did:plc:alone", now, now);
            shore.commit(&format!("did:plc:{}", i % 19), now, now);
            shore.commit("did:plc:honest", at(0), now);
        }
        assert_eq!(shore.caught_up(), None, "neither one who says so nor some among others");
        for i in 0..20 {
            assert_eq!(shore.caught_up(), None);
            shore.commit(&format!("did:plc:{i}"), now.plus_ms(-9000), now);
        }
        assert_eq!(shore.caught_up(), Some(now));
        assert_eq!(shore.made_at(at(0), now), now.plus_ms(-60_000));
    }

    #[test]
    fn one_clock_does_not_say_how_far_we_are() {
        let mut shore = Shore::since(None);
        assert_eq!(shore.read_to(), None);
        for i in 0..9 {
            shore.commit("did:plc:a", at(i), at(1_000_000));
        }
        shore.commit("did:plc:b", at(1_000_000), at(1_000_000));
        shore.commit("did:plc:b", at(-1_000_000), at(1_000_000));
        assert_eq!(shore.read_to(), Some(at(5)));
    }
}
