//! X's ids: numbers that grow with time and hold it.

use crate::till::time::Time;

/// When X's ids began, in milliseconds since 1970.
const BEGUN_MS: i64 = 1_288_834_974_657;
/// The bits below the time.
const BITS: u32 = 22;

/// When an id was made.
pub fn time(id: &str) -> Option<Time> {
    let id: i64 = id.parse().ok()?;
    (id > 0).then(|| Time::from_ms((id >> BITS) + BEGUN_MS))
}

/// The least id made at or after a time.
pub fn least(at: Time) -> String {
    (at.ms().saturating_sub(BEGUN_MS).max(0) << BITS).to_string()
}

/// The later of two ids, which may differ in length.
pub fn later<'i>(one: &'i str, other: &'i str) -> &'i str {
    if (other.len(), other) > (one.len(), one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_their_time() {
        // A post of the documentation: 2026-07-24T21:05:48.000Z.
        let made = time("2080761390344937796").unwrap();
        assert!(made.to_string().starts_with("2026-07-24T21:05:4"), "{made}");
        assert!(time(&least(made)).unwrap() == made);
        assert_eq!(least(Time::from_ms(0)), "0");
        assert_eq!((time(""), time("x"), time("-1")), (None, None, None));
    }

    #[test]
    fn the_later_id_is_the_greater_number() {
        assert_eq!(later("99", "100"), "100");
        assert_eq!(later("200", "199"), "200");
    }
}
