//! Asking whether a character belongs to one of the classes in `tables.rs`. The classes themselves never live here.

/// Whether `point` lies in one of the sorted `ranges`, whose first and last members are included.
pub(super) fn within(ranges: &[(u32, u32)], point: u32) -> bool {
    let at = ranges.partition_point(|&(_, last)| last < point);
    ranges.get(at).is_some_and(|&(first, _)| first <= point)
}

#[cfg(test)]
mod tests {
    use super::within;
    use crate::till::text::tables;

    #[test]
    fn the_ends_of_a_range_belong_to_it() {
        let ranges = [(3, 5), (9, 9)];
        let found: Vec<u32> = (0..12).filter(|&point| within(&ranges, point)).collect();
        assert_eq!(found, [3, 4, 5, 9]);
        assert!(!within(&[], 0));
    }

    #[test]
    fn tables_are_sorted_and_do_not_overlap() {
        for table in [
            tables::HASHTAG_LETTERS,
            tables::HASHTAG_OTHERS,
            tables::DOMAIN_BREAKS,
            tables::NEVER_BEFORE_URL,
            tables::ASCII_DOMAIN,
            tables::PATH,
            tables::PATH_END,
            tables::EMOJI,
        ] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
