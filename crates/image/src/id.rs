//! The identifier of an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::UnknownName;

/// The identifier of an image: a UUID, always written with hyphens and in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(Uuid);

impl ImageId {
    /// A new random identifier (UUID version 4).
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ImageId {
    type Err = UnknownName;

    /// Takes only the hyphenated spelling, as Glance's schema does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownName { kind: "image id", found: text.to_owned() };
        if text.len() != 36 {
            return Err(unknown());
        }
        Uuid::try_parse(text).map(Self).map_err(|_| unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hyphenated_uuids_are_ids() {
        let id = ImageId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "x", "../../etc/passwd", "6f1a2c3d4e5f40718293a4b5c6d7e8f9"] {
            assert!(bad.parse::<ImageId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_are_written_in_lower_case() {
        let id: ImageId = "6F1A2C3D-4E5F-4071-8293-A4B5C6D7E8F9".parse().unwrap();
        assert_eq!(id.to_string(), "6f1a2c3d-4e5f-4071-8293-a4b5c6d7e8f9");
    }
}
