//! Instants as the Image API writes them and the database keeps them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::UnknownName;

/// An instant of whole microseconds, in UTC. The API shows whole seconds of it:
/// `2026-11-24T09:30:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Now.
    pub fn now() -> Self {
        Self::from_microsecond(jiff::Timestamp::now().as_microsecond())
    }

    /// From microseconds since 1970-01-01T00:00:00Z. Instants outside the years -9999 to 9999 are
    /// brought to the nearest of these.
    pub fn from_microsecond(microsecond: i64) -> Self {
        let (min, max) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        let nearest = if microsecond < 0 { min } else { max };
        Self(jiff::Timestamp::from_microsecond(microsecond).unwrap_or(nearest))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_microsecond(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The same instant without the fraction of its second.
    fn whole_second(self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(self.0.as_second()).unwrap_or(self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole_second().fmt(f)
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
            .map(|instant| Self::from_microsecond(instant.as_microsecond()))
            .map_err(|_| UnknownName { kind: "ISO 8601 time", found: text.to_owned() })
    }
}

/// As the API writes it; formats that nobody reads get its microseconds.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_i64(self.as_microsecond()),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self::from_microsecond);
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset() {
        let expected = Timestamp::from_microsecond(1_700_000_000_000_000);
        for text in ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20", "2023-11-14T23:13:20+01:00"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn times_are_written_in_whole_seconds() {
        let late = Timestamp::from_microsecond(1_700_000_000_999_999);
        assert_eq!(late.to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(
            Timestamp::from_microsecond(1_700_000_000_000_000).to_string(),
            "2023-11-14T22:13:20Z"
        );
    }

    #[test]
    fn absurd_seconds_are_brought_into_range() {
        assert!(Timestamp::from_microsecond(i64::MAX).to_string().starts_with("9999-"));
    }
}
