//! Times as SQLAlchemy writes them into SQLite: `2026-11-24 15:01:22.668048`, in UTC.

use image::Timestamp;

/// The text of an instant.
pub(super) fn to_text(instant: Timestamp) -> String {
    let instant = jiff::Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or_default();
    let civil = jiff::tz::TimeZone::UTC.to_datetime(instant);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.subsec_nanosecond() / 1000
    )
}

/// The instant of a text; with or without a fraction, with a space or a `T`.
pub(super) fn from_text(text: &str) -> Option<Timestamp> {
    instant(text.parse().ok()?)
}

/// The instant of a civil time, in UTC.
pub(super) fn instant(civil: jiff::civil::DateTime) -> Option<Timestamp> {
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Timestamp::from_microsecond(instant.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_sqlalchemy() {
        let instant = Timestamp::from_microsecond(1_700_000_000_000_042);
        assert_eq!(to_text(instant), "2023-11-14 22:13:20.000042");
        assert_eq!(from_text("2023-11-14 22:13:20.000042"), Some(instant));
        assert!(from_text("2023-11-14 22:13:20").is_some());
        assert!(from_text("soon").is_none());
    }
}
