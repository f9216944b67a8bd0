//! Writes that are not in the file yet: one sorted map, and the merge of such maps with what lies below.

use super::snapshot::name_of;
use crate::till::state::{Direction, Span, StateError, Table};
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::{Bound, ControlFlow};

/// A value, or `None` for a key that was deleted.
pub type Write = Option<Vec<u8>>;

/// Where something lies: the table's place among all, and the key in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The table's place.
    pub place: u8,
    /// The key's bytes.
    pub key: Vec<u8>,
}

impl Slot {
    /// Before everything else of a table.
    fn first(place: u8) -> Self {
        Self { place, key: Vec::new() }
    }

    /// Where the next table begins.
    fn end(place: u8) -> Bound<Self> {
        place.checked_add(1).map_or(Bound::Unbounded, |next| Bound::Excluded(Self::first(next)))
    }
}

/// Writes by table and key.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    writes: BTreeMap<Slot, Write>,
}

impl Layer {
    /// What was written to a slot, if anything was.
    pub fn get(&self, slot: &Slot) -> Option<&Write> {
        self.writes.get(slot)
    }

    /// Writes to a slot.
    pub fn set(&mut self, slot: Slot, write: Write) {
        self.writes.insert(slot, write);
    }

    /// Takes in all writes of `upper`, which are newer.
    pub fn absorb(&mut self, upper: Self) {
        if self.writes.is_empty() {
            self.writes = upper.writes;
        } else {
            self.writes.extend(upper.writes);
        }
    }

    /// All writes: tables by name, and the writes of each sorted by key.
    pub fn by_table(&self) -> Result<BTreeMap<&'static str, Range<'_, Slot, Write>>, StateError> {
        let mut tables = BTreeMap::new();
        let mut place = 0;
        while let Some((slot, _)) = self.writes.range(Slot::first(place)..).next() {
            let range = (Bound::Included(Slot::first(slot.place)), Slot::end(slot.place));
            tables.insert(name_of(slot.place)?, self.writes.range(range));
            let Some(next) = slot.place.checked_add(1) else { break };
            place = next;
        }
        Ok(tables)
    }

    /// Whether anything was written to a table.
    pub fn touches<T: Table>(&self) -> bool {
        self.writes.range((Bound::Included(Slot::first(T::PLACE)), Slot::end(T::PLACE))).next().is_some()
    }

    /// Whether anything was written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes within `span` of a table, in order.
    pub fn range<'a>(&'a self, place: u8, span: &Span, direction: Direction) -> Source<'a> {
        let backwards = span.end.as_ref().is_some_and(|end| *end <= span.start);
        if backwards || self.writes.is_empty() {
            return Box::new(std::iter::empty());
        }
        let start = Slot { place, key: span.start.clone() };
        let end = span.end.clone().map_or(Slot::end(place), |key| Bound::Excluded(Slot { place, key }));
        let range = self.writes.range((Bound::Included(start), end));
        let range = range.map(|(slot, write)| Ok((slot.key.clone(), write.clone())));
        match direction {
            Direction::Up => Box::new(range),
            Direction::Down => Box::new(range.rev()),
        }
    }
}

/// Keys and writes in order.
pub type Source<'a> = Box<dyn Iterator<Item = Result<(Vec<u8>, Write), StateError>> + 'a>;

/// Shows what is visible through several sources, the newest first among them, in order.
pub fn merge(
    sources: Vec<Source<'_>>,
    direction: Direction,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StateError>,
) -> Result<(), StateError> {
    let mut heads: Vec<_> = sources.into_iter().map(Iterator::peekable).collect();
    loop {
        let mut next: Option<Vec<u8>> = None;
        for head in &mut heads {
            match head.peek() {
                None => {}
                Some(Err(error)) => return Err(error.clone()),
                Some(Ok((key, _))) => {
                    let nearer = next.as_ref().is_none_or(|best| match direction {
                        Direction::Up => key < best,
                        Direction::Down => key > best,
                    });
                    if nearer {
                        next = Some(key.clone());
                    }
                }
            }
        }
        let Some(key) = next else { return Ok(()) };
        let mut newest: Option<Write> = None;
        for head in &mut heads {
            let same = head.next_if(|item| item.as_ref().is_ok_and(|(at, _)| *at == key));
            if let Some(Ok((_, write))) = same {
                newest = newest.or(Some(write));
            }
        }
        if let Some(Some(value)) = newest
            && visit(&key, &value)?.is_break()
        {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::till::table::{Accounts, Events};

    const PLACE: u8 = 7;

    fn slot(key: u8) -> Slot {
        Slot { place: PLACE, key: vec![key] }
    }

    fn keys(layers: &[&Layer], span: &Span, direction: Direction) -> Vec<(u8, u8)> {
        let mut seen = Vec::new();
        let sources = layers.iter().map(|layer| layer.range(PLACE, span, direction)).collect();
        merge(sources, direction, |key, value| {
            seen.push((key[0], value[0]));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
        seen
    }

    #[test]
    fn the_newest_write_wins_and_deletions_hide() {
        let (mut upper, mut lower) = (Layer::default(), Layer::default());
        for key in [1, 2, 3, 5] {
            lower.set(slot(key), Some(vec![10]));
        }
        // Neighbours of other tables are not seen.
        for place in [PLACE - 1, PLACE + 1] {
            lower.set(Slot { place, key: vec![3] }, Some(vec![30]));
        }
        upper.set(slot(2), None);
        upper.set(slot(3), Some(vec![20]));
        upper.set(slot(4), Some(vec![20]));
        let up = vec![(1, 10), (3, 20), (4, 20), (5, 10)];
        assert_eq!(keys(&[&upper, &lower], &Span::all(), Direction::Up), up);
        let down: Vec<_> = up.into_iter().rev().collect();
        assert_eq!(keys(&[&upper, &lower], &Span::all(), Direction::Down), down);
        let span = Span { start: vec![3], end: Some(vec![5]) };
        assert_eq!(keys(&[&upper, &lower], &span, Direction::Up), [(3, 20), (4, 20)]);
        let nothing = Span { start: vec![5], end: Some(vec![3]) };
        assert!(keys(&[&upper, &lower], &nothing, Direction::Up).is_empty());
    }

    #[test]
    fn a_layer_touches_the_tables_that_it_writes_to() {
        let mut layer = Layer::default();
        layer.set(Slot { place: Events::PLACE, key: Vec::new() }, None);
        assert!(layer.touches::<Events>());
        assert!(!layer.touches::<Accounts>());
    }
}
