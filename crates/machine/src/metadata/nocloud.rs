//! The NoCloud seed: `meta-data` and `user-data`.

use serde_json::json;

use super::{Instance, SeedFile};

/// The files of the seed. JSON is YAML, so `meta-data` needs no other writer.
pub(super) fn files(instance: &Instance) -> Vec<SeedFile> {
    let meta_data = json!({
        "instance-id": instance.id,
        "local-hostname": instance.hostname,
        "public-keys": instance.public_keys,
    });
    vec![
        SeedFile { path: "meta-data", content: meta_data.to_string() },
        SeedFile { path: "user-data", content: instance.user_data.clone() },
    ]
}
