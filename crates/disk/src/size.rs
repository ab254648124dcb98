//! Sizes of disks and files, as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The suffixes of `qemu-img` (its manual, "Notes" on sizes): powers of 1024; `b` is bytes.
const SUFFIXES: &[(char, u32)] =
    &[('b', 0), ('k', 10), ('m', 20), ('g', 30), ('t', 40), ('p', 50), ('e', 60)];

/// A number of bytes.
///
/// Written as `qemu-img` takes it: `10G`, `1.5T`, `512` (bytes), `64k`; `GiB` and `GB` are taken for
/// `G`. Shown with the largest unit that leaves a number of at least one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// A text that is no size.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SizeError {
    /// It does not read as a number and a unit.
    #[error("`{0}` is not a size; write a number and a unit, as 10G or 512M")]
    Malformed(String),
    /// More than 2^63 - 1 bytes, which no file can have.
    #[error("`{0}` is more than a file can hold")]
    TooLarge(String),
}

impl ByteSize {
    /// That many bytes.
    pub const fn new(bytes: u64) -> Self {
        ByteSize(bytes)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The next multiple of `unit` bytes.
    pub const fn round_up(self, unit: u64) -> Self {
        ByteSize(self.0.div_ceil(unit).saturating_mul(unit))
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let malformed = || SizeError::Malformed(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let shift = shift(unit).ok_or_else(malformed)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        // Whole numbers stay exact; a fraction is one of a unit, and small.
        let whole: u64 = whole.parse().map_err(|_| malformed())?;
        let fraction: f64 = format!("0.{fraction}").parse().map_err(|_| malformed())?;
        let bytes = (u128::from(whole) << shift) + (fraction * (1_u64 << shift) as f64) as u128;
        match i64::try_from(bytes) {
            Ok(bytes) => Ok(ByteSize(bytes.unsigned_abs())),
            Err(_) => Err(SizeError::TooLarge(text.to_owned())),
        }
    }
}

fn shift(unit: &str) -> Option<u32> {
    let mut letters = unit.chars();
    let Some(letter) = letters.next() else { return Some(0) };
    let shift = SUFFIXES.iter().find(|(suffix, _)| suffix.eq_ignore_ascii_case(&letter))?.1;
    match letters.as_str() {
        "" => Some(shift),
        "iB" | "B" if shift > 0 => Some(shift),
        _ => None,
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((unit, shift)) = SUFFIXES.iter().rev().find(|(_, shift)| self.0 >> shift > 0)
        else {
            return f.pad("0 bytes");
        };
        let text = match shift {
            0 if self.0 == 1 => "1 byte".to_owned(),
            0 => format!("{} bytes", self.0),
            _ => {
                let value = self.0 as f64 / (1_u64 << shift) as f64;
                let digits = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 1 };
                format!("{value:.digits$} {}iB", unit.to_ascii_uppercase())
            }
        };
        f.pad(&text)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// From a text as above, or a number of bytes.
impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size, as \"10G\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                u64::try_from(bytes).map(ByteSize).map_err(|_| E::custom("a size is not negative"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_qemu_img_reads_them() {
        let cases = [
            ("0", 0),
            ("512", 512),
            ("512b", 512),
            ("64k", 64 << 10),
            ("64K", 64 << 10),
            ("10G", 10 << 30),
            ("10GiB", 10 << 30),
            ("1.5T", 3 << 39),
            ("0.5M", 1 << 19),
            ("9007199254740993", 9_007_199_254_740_993),
        ];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "G", "2X", "-1", "1.2.3G", "1 G", "0x10", "1bB", "1GG", "NaN", "1e3"] {
            assert!(matches!(text.parse::<ByteSize>(), Err(SizeError::Malformed(_))), "{text}");
        }
        for text in ["8E", "9223372036854775808", "99999999999G"] {
            assert!(matches!(text.parse::<ByteSize>(), Err(SizeError::TooLarge(_))), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_with_a_fitting_unit() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1000, "1000 bytes"),
            (1 << 30, "1 GiB"),
            (3 << 29, "1.5 GiB"),
            ((434 << 20) + 12345, "434 MiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
