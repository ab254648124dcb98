//! Which bytes a download asks for: `Range` and the conditional headers of RFC 9110.

use std::ops::Range;

use http::{HeaderMap, header};

/// What to answer to a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All bytes: 200.
    All,
    /// These bytes: 206.
    Part(Range<u64>),
    /// No byte of the range exists: 416.
    Unsatisfiable,
    /// It is no range: 416, as Glance has it; RFC 9110 would let it be ignored.
    Malformed,
    /// Several ranges at once: 400, as Glance has it.
    Several,
    /// The client has these bytes: 304.
    NotModified,
    /// The client wanted other bytes than these: 412.
    PreconditionFailed,
}

/// Decides by the request's headers, for `size` bytes with the entity tag `etag`.
pub(crate) fn wanted(headers: &HeaderMap, size: u64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    if text(header::IF_MATCH).is_some_and(|tags| !matches(tags, etag)) {
        return Wanted::PreconditionFailed;
    }
    if text(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, etag)) {
        return Wanted::NotModified;
    }
    // A range of other bytes than the client has is worthless to it: it gets all of them.
    if text(header::IF_RANGE).is_some_and(|tag| tag.trim() != etag) {
        return Wanted::All;
    }
    match (text(header::RANGE), text(header::CONTENT_RANGE)) {
        (Some(range), _) => part(range, size),
        (None, Some(range)) => content_part(range, size),
        (None, None) => Wanted::All,
    }
}

fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}

/// One range of bytes.
fn part(range: &str, size: u64) -> Wanted {
    let (unit, range) = range.trim().split_once('=').unwrap_or_default();
    if !unit.eq_ignore_ascii_case("bytes") {
        return Wanted::Malformed;
    }
    if range.contains(',') {
        return Wanted::Several;
    }
    bounded(range, size)
}

/// The range of a request's `Content-Range`, which Glance took for a `Range` before it knew
/// better, and still takes.
fn content_part(range: &str, size: u64) -> Wanted {
    let range = range.trim().strip_prefix("bytes ").and_then(|range| range.split_once('/'));
    let Some((range, _)) = range else { return Wanted::Malformed };
    let last = range.split_once('-').and_then(|(_, last)| last.trim().parse::<u64>().ok());
    match last {
        Some(last) if last >= size => Wanted::Unsatisfiable,
        _ => bounded(range, size),
    }
}

/// `first-last`, `first-` or `-suffix`.
fn bounded(range: &str, size: u64) -> Wanted {
    let Some((first, last)) = range.split_once('-') else { return Wanted::Malformed };
    let range = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..size,
        (Err(_), Ok(suffix)) if first.trim().is_empty() => size.saturating_sub(suffix)..size,
        _ => return Wanted::Malformed,
    };
    if range.start < range.end { Wanted::Part(range) } else { Wanted::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(headers: &[(header::HeaderName, &'static str)]) -> Wanted {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        wanted(&headers.collect(), 100, "\"tag\"")
    }

    #[test]
    fn ranges_are_cut_to_the_size() {
        let cases = [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=50-18446744073709551615", Wanted::Part(50..100)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=9-0", Wanted::Malformed),
            ("bytes=0-1,5-6", Wanted::Several),
            ("lines=1-2", Wanted::Malformed),
            ("bytes=x", Wanted::Malformed),
        ];
        for (range, expected) in cases {
            assert_eq!(with(&[(header::RANGE, range)]), expected, "{range}");
        }
    }

    #[test]
    fn a_content_range_is_taken_for_a_range() {
        let cases = [
            ("bytes 0-9/*", Wanted::Part(0..10)),
            ("bytes 50-1000/100", Wanted::Unsatisfiable),
            ("bytes */100", Wanted::Malformed),
            ("x", Wanted::Malformed),
        ];
        for (range, expected) in cases {
            assert_eq!(with(&[(header::CONTENT_RANGE, range)]), expected, "{range}");
        }
    }

    #[test]
    fn conditions_come_first() {
        let range = (header::RANGE, "bytes=0-9");
        let cases = [
            (header::IF_NONE_MATCH, "\"tag\"", Wanted::NotModified),
            (header::IF_NONE_MATCH, "\"a\", W/\"tag\"", Wanted::NotModified),
            (header::IF_NONE_MATCH, "\"other\"", Wanted::Part(0..10)),
            (header::IF_MATCH, "\"other\"", Wanted::PreconditionFailed),
            (header::IF_MATCH, "*", Wanted::Part(0..10)),
            (header::IF_RANGE, "\"other\"", Wanted::All),
            (header::IF_RANGE, "\"tag\"", Wanted::Part(0..10)),
        ];
        for (name, value, expected) in cases {
            assert_eq!(with(&[range.clone(), (name.clone(), value)]), expected, "{name} {value}");
        }
    }
}
