//! When something came that a list shows: lists have the newest first, by what its author says of the time, and whoever
//! was not there at the last look came later.

use crate::till::time::Time;

/// From one look at the whole of what a slow clock may have put further down to the next.
const WHOLE_EVERY_MS: i64 = 30_000;
/// An AppView shows what it was told at most so much later.
const INDEX_MS: i64 = 10_000;
/// A server's time is its own only if it differs from what the author says by more than this.
const SAME_MS: i64 = 2000;

/// The looks at one list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks {
    /// When the last look at all of it began.
    whole: Option<Time>,
    /// When the last look at its top began, if later, and down to what.
    top: Option<(Time, Time)>,
}

impl Looks {
    /// Somebody looked then; not we.
    pub fn since(whole: Option<Time>) -> Self {
        Self { whole, top: None }
    }

    /// Whether it is time for a look at all of it.
    pub fn is_due(&self, now: Time) -> bool {
        self.whole.is_none_or(|at| now.ms_since(at) >= WHOLE_EVERY_MS)
    }

    /// When the last look at all of it began.
    pub fn whole(&self) -> Option<Time> {
        self.whole
    }

    /// A look has ended: when it began, and down to what it went, if that was not all.
    pub fn note(&mut self, begun: Time, reach: Option<Time>) {
        match reach {
            None => *self = Self::since(Some(begun)),
            Some(reach) => self.top = Some((begun, reach)),
        }
    }

    /// When something came that was not seen before: what the server says, unless that is only what its author says; then
    /// it was not there at the last look.
    pub fn came(&self, indexed_at: Option<Time>, said: Option<Time>) -> Option<Time> {
        let indexed_at = indexed_at?;
        if said.is_some_and(|said| said.ms_since(indexed_at).abs() > SAME_MS) {
            return Some(indexed_at);
        }
        let looked = match self.top {
            Some((begun, reach)) if indexed_at > reach => Some(begun),
            _ => self.whole,
        };
        Some(looked.map_or(indexed_at, |at| indexed_at.max(at.plus_ms(-INDEX_MS))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_ms(1_700_000_000_000).plus_seconds(seconds)
    }

    #[test]
    fn what_only_the_author_says_is_not_believed_before_the_last_look() {
        let mut looks = Looks::since(Some(at(0)));
        looks.note(at(100), None);
        // Backdated by years, by minutes, within what an AppView may need.
        for (said, came) in [(-700_000_000, 90), (-500, 90), (89, 90), (95, 95)] {
            assert_eq!(looks.came(Some(at(said)), Some(at(said))), Some(at(came)), "{said}");
        }
        // What cannot be compared is the author's, too.
        assert_eq!(looks.came(Some(at(-500)), None), Some(at(90)));
        assert_eq!(looks.came(None, Some(at(95))), None);
    }

    #[test]
    fn a_servers_own_time_is_believed() {
        let mut looks = Looks::default();
        looks.note(at(100), None);
        // Indexed late, long ago by its author's clock, or in the future.
        for said in [-700_000_000, 20, 47, 53, 900] {
            assert_eq!(looks.came(Some(at(50)), Some(at(said))), Some(at(50)), "{said}");
        }
    }

    #[test]
    fn a_look_at_the_top_says_nothing_of_what_is_below() {
        let mut looks = Looks::default();
        assert_eq!(looks.came(Some(at(-500)), Some(at(-500))), Some(at(-500)), "nobody has looked yet");
        looks.note(at(100), None);
        assert!(!looks.is_due(at(129)));
        looks.note(at(129), Some(at(60)));
        assert!(looks.is_due(at(130)), "the top alone is not all");
        assert_eq!(looks.came(Some(at(61)), Some(at(61))), Some(at(119)));
        assert_eq!(looks.came(Some(at(59)), Some(at(59))), Some(at(90)));
    }
}
