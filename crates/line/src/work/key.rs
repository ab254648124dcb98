//! What a step's output is found by.

use std::fmt;

use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use crate::digest::hex;
use crate::steps::StepName;

/// SHA-256 of everything that a step's output depends on, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key(String);

/// Characters that are enough to name a folder: 64 bits.
const SHORT: usize = 16;

impl Key {
    /// The key of a step: its inputs, our version, and what came before it.
    pub(crate) fn of(step: StepName, inputs: &Value, previous: Option<&Key>) -> Self {
        let all = json!({
            "step": step,
            "version": env!("CARGO_PKG_VERSION"),
            "inputs": inputs,
            "previous": previous,
        });
        Key(hex(&sha256(all.to_string().as_bytes())))
    }

    /// An identifier that belongs to what has this key: the same every time.
    pub(crate) fn identifier(&self, of_what: &str) -> Uuid {
        let digest = sha256(format!("{} {of_what}", self.0).as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        // Version 8 of RFC 9562 is for digests of one's own choice.
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// The part that names a folder.
    pub(crate) fn short(&self) -> &str {
        self.0.get(..SHORT).unwrap_or(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_the_step_its_inputs_and_what_came_before() {
        let key = |step, inputs, previous| Key::of(step, &inputs, previous);
        let base = key(StepName::Clean, json!({"skip": []}), None);
        assert_eq!(base, key(StepName::Clean, json!({"skip": []}), None));
        assert_ne!(base, key(StepName::Check, json!({"skip": []}), None));
        assert_ne!(base, key(StepName::Clean, json!({"skip": ["a"]}), None));
        assert_ne!(base, key(StepName::Clean, json!({"skip": []}), Some(&base)));
    }

    #[test]
    fn identifiers_are_the_same_for_a_key_and_differ_by_what_they_are_of() {
        let key = Key::of(StepName::Source, &json!(1), None);
        assert_eq!(key.identifier("disk"), key.identifier("disk"));
        assert_ne!(key.identifier("disk"), key.identifier("root"));
        assert_eq!(key.identifier("disk").get_version_num(), 8);
    }
}
