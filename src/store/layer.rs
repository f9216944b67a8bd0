//! Writes that are not in the file yet: a sorted map a table, and the merge of such maps with what lies below.

use crate::till::state::{Direction, Span, StateError};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// A value, or `None` for a key that was deleted.
pub type Write = Option<Vec<u8>>;

/// Writes by table and key.
#[derive(Debug, Default)]
pub struct Layer {
    tables: BTreeMap<&'static str, BTreeMap<Vec<u8>, Write>>,
}

impl Layer {
    /// What was written under a key, if anything was.
    pub fn get(&self, table: &str, key: &[u8]) -> Option<&Write> {
        self.tables.get(table)?.get(key)
    }

    /// Writes under a key.
    pub fn set(&mut self, table: &'static str, key: Vec<u8>, write: Write) {
        self.tables.entry(table).or_default().insert(key, write);
    }

    /// Takes in all writes of `upper`, which are newer.
    pub fn absorb(&mut self, upper: Self) {
        for (table, writes) in upper.tables {
            self.tables.entry(table).or_default().extend(writes);
        }
    }

    /// All writes, by table, sorted by key.
    pub fn into_tables(self) -> impl Iterator<Item = (&'static str, BTreeMap<Vec<u8>, Write>)> {
        self.tables.into_iter()
    }

    /// Whether anything was written to `table`.
    pub fn touches(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Whether anything was written.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The writes within `span`, in order.
    pub fn range<'a>(&'a self, table: &str, span: &Span, direction: Direction) -> Source<'a> {
        let backwards = span.end.as_ref().is_some_and(|end| *end <= span.start);
        let Some(writes) = self.tables.get(table).filter(|_| !backwards) else {
            return Box::new(std::iter::empty());
        };
        let end = span.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = writes
            .range::<[u8], _>((Bound::Included(span.start.as_slice()), end))
            .map(|(key, write)| Ok((key.clone(), write.clone())));
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

    fn keys(layers: &[&Layer], span: &Span, direction: Direction) -> Vec<(u8, u8)> {
        let mut seen = Vec::new();
        let sources = layers.iter().map(|layer| layer.range("t", span, direction)).collect();
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
            lower.set("t", vec![key], Some(vec![10]));
        }
        upper.set("t", vec![2], None);
        upper.set("t", vec![3], Some(vec![20]));
        upper.set("t", vec![4], Some(vec![20]));
        let up = vec![(1, 10), (3, 20), (4, 20), (5, 10)];
        assert_eq!(keys(&[&upper, &lower], &Span::all(), Direction::Up), up);
        let down: Vec<_> = up.into_iter().rev().collect();
        assert_eq!(keys(&[&upper, &lower], &Span::all(), Direction::Down), down);
        let span = Span { start: vec![3], end: Some(vec![5]) };
        assert_eq!(keys(&[&upper, &lower], &span, Direction::Up), [(3, 20), (4, 20)]);
        let nothing = Span { start: vec![5], end: Some(vec![3]) };
        assert!(keys(&[&upper, &lower], &nothing, Direction::Up).is_empty());
    }
}
