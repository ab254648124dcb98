//! Instants as the Image API writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::UnknownName;

/// An instant of whole seconds, in UTC, written `2026-11-24T09:30:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The current second.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_second())
    }

    /// From seconds since 1970-01-01T00:00:00Z. Seconds outside the years -9999 to 9999 are
    /// brought to the nearest of these.
    pub fn from_second(second: i64) -> Self {
        let (min, max) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        Self(second.clamp(min, max))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn as_second(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clamped at construction: always representable.
        let instant = jiff::Timestamp::from_second(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        instant.fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = UnknownName;

    /// ISO 8601 with or without an offset (none means UTC), as Glance's `timeutils` reads it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let civil = || {
            let civil: jiff::civil::DateTime = text.parse()?;
            jiff::tz::TimeZone::UTC.to_timestamp(civil)
        };
        text.parse::<jiff::Timestamp>()
            .or_else(|_| civil())
            .map(|instant| Self(instant.as_second()))
            .map_err(|_| UnknownName { kind: "ISO 8601 time", found: text.to_owned() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset() {
        let expected = Timestamp::from_second(1_700_000_000);
        for text in ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20", "2023-11-14T23:13:20+01:00"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn times_are_written_in_whole_seconds() {
        assert_eq!(Timestamp::from_second(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn absurd_seconds_are_brought_into_range() {
        assert!(Timestamp::from_second(i64::MAX).to_string().starts_with("9999-"));
    }
}
