//! The kinds of values (oslo.config's `types.py`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A kind of value.
pub trait Value: Sized {
    /// The kind in words, as in "expected a whole number".
    const KIND: &'static str;

    /// Whether an option without a text has no value. For oslo.config that is so of numbers, and for
    /// Glance of texts and paths: templates leave `cafile =` behind where there is none.
    const EMPTY_IS_NONE: bool = false;

    /// The value that a text stands for; `None` when it is not of this kind.
    fn parse(text: &str) -> Option<Self>;
}

impl Value for String {
    const KIND: &'static str = "a text";
    const EMPTY_IS_NONE: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "a path";
    const EMPTY_IS_NONE: bool = true;

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

impl Value for bool {
    const KIND: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Some(true),
            "false" | "0" | "off" | "no" => Some(false),
            _ => None,
        }
    }
}

macro_rules! numbers {
    ($($number:ty: $kind:literal),*) => {$(
        impl Value for $number {
            const KIND: &'static str = $kind;
            const EMPTY_IS_NONE: bool = true;

            fn parse(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }
        }
    )*};
}

numbers! {
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 on",
    u64: "a whole number from 0 on",
    usize: "a whole number from 0 on",
    i64: "a whole number"
}

/// Seconds.
impl Value for Duration {
    const KIND: &'static str = "a number of seconds";
    const EMPTY_IS_NONE: bool = true;

    fn parse(text: &str) -> Option<Self> {
        Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()
    }
}

/// Values between commas; empty ones don't count. oslo.config allows brackets around them.
impl<T: Value> Value for Vec<T> {
    const KIND: &'static str = "values between commas";

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        inner.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::parse).collect()
    }
}

/// `key:value` between commas; a value may hold colons.
impl<T: Value> Value for BTreeMap<String, T> {
    const KIND: &'static str = "pairs as key:value between commas";

    fn parse(text: &str) -> Option<Self> {
        let pairs = Vec::<String>::parse(text)?;
        let pair = |pair: &String| {
            let (key, value) = pair.split_once(':')?;
            Some((key.trim().to_owned(), T::parse(value.trim())?))
        };
        pairs.iter().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_oslo_config_takes_them_for() {
        assert_eq!(["Yes", "0", "maybe"].map(bool::parse), [Some(true), Some(false), None]);
        assert_eq!(u16::parse("9292"), Some(9292));
        assert_eq!(u16::parse("-1"), None);
        assert_eq!(Duration::parse("2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(Duration::parse("-1"), None);
        assert_eq!(Vec::parse("[a, b,,c]"), Some(["a", "b", "c"].map(str::to_owned).to_vec()));
        assert_eq!(Vec::<u32>::parse("1,x"), None);
        let pairs = BTreeMap::parse("fast:file, far:s3").unwrap();
        assert_eq!(
            pairs,
            [("fast", "file"), ("far", "s3")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
        assert_eq!(BTreeMap::<String, String>::parse("fast"), None);
    }
}
