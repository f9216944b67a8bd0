//! Points in time and spans, as the rules see them: UTC, whole milliseconds. Never asks a clock.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use std::fmt;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// RFC 3339 with milliseconds in JSON (`2013-02-12T14:00:00.000Z`), an integer in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// The latest time that the till accepts: the end of the year 9999 (the last that RFC 3339 can write).
pub const TIME_MAX_MS: i64 = 253_402_300_799_999;

impl Time {
    /// The latest time there is.
    pub const MAX: Self = Self(TIME_MAX_MS);

    /// From milliseconds since the epoch, brought into the range 1970 to 9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, TIME_MAX_MS))
    }

    /// Milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, unsigned: for keys that sort by time.
    pub fn key_ms(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// This time moved by `seconds`, never out of the range 1970 to 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_ms(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This time moved by `ms` milliseconds, never out of the range 1970 to 9999.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; negative where `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The UTC day, counted from 1970-01-01.
    pub fn day(self) -> u32 {
        u32::try_from(self.0 / 86_400_000).unwrap_or(0)
    }

    /// Reads an RFC 3339 time with an offset or `Z`.
    ///
    /// # Errors
    /// A sentence for people when `text` is not such a time or lies outside 1970 to 9999.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stamp: Timestamp = text
            .parse()
            .map_err(|_| "must be a time as in RFC 3339, for example 2013-02-12T14:00:00.000Z".to_owned())?;
        let ms = stamp.as_millisecond();
        if (0..=TIME_MAX_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err("must lie between 1970 and 9999".to_owned())
        }
    }

    /// The UTC day: year, month and day of the month.
    pub fn date(self) -> (i32, u8, u8) {
        let date = self.stamp().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let small = |number: i8| u8::try_from(number).unwrap_or(1);
        (i32::from(date.year()), small(date.month()), small(date.day()))
    }

    fn stamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(24);
        DateTimePrinter::new()
            .precision(Some(3))
            .print_timestamp(&self.stamp(), &mut text)
            .map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = Cow::<str>::deserialize(deserializer)?;
            Self::parse(&text).map_err(D::Error::custom)
        } else {
            let ms = i64::deserialize(deserializer)?;
            if (0..=TIME_MAX_MS).contains(&ms) {
                Ok(Self(ms))
            } else {
                Err(D::Error::custom("a time outside 1970 to 9999"))
            }
        }
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "format": "date-time",
            "description": "RFC 3339, UTC, with milliseconds",
            "examples": ["2013-02-12T14:00:00.000Z"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339_with_milliseconds() {
        let time = Time::parse("2013-02-12T09:00:00-05:00").unwrap();
        assert_eq!(time.to_string(), "2013-02-12T14:00:00.000Z");
        assert_eq!(Time::parse(&time.to_string()).unwrap(), time);
        assert_eq!(time.date(), (2013, 2, 12));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in ["", "yesterday", "2013-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "2013-02-12"] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn never_leaves_its_range() {
        assert_eq!(Time::from_ms(5).plus_seconds(i64::MAX).ms(), TIME_MAX_MS);
        assert_eq!(Time::from_ms(5).plus_seconds(i64::MIN).ms(), 0);
    }
}
