//! The root must grow to an instance's disk.

use super::{Operation, Preparation};
use serde_json::{Value, json};

use crate::Result;
use crate::system::cloud_init::{DROP_INS, is_installed, module_names, settings};
/// In the order in which they run: first the partition, then the file system in it.
pub(crate) const MODULES: &[&str] = &["growpart", "resizefs"];

const LIST: &str = "cloud_init_modules";

const FILE: &str = "99-tintype-growth.cfg";

/// See [`Operation::summary`].
pub(super) struct RootGrowth;

impl Operation for RootGrowth {
    fn name(&self) -> &'static str {
        "root_growth"
    }

    fn summary(&self) -> &'static str {
        "Let cloud-init grow the root to the disk"
    }

    fn apply(&self, preparation: &mut Preparation<'_>) -> Result<()> {
        if !is_installed(preparation.edit.root)? {
            return Ok(());
        }
        let (settings, _) = settings(preparation.edit.root)?;
        let mut text = String::new();
        if is_off(&settings) {
            text.push_str("growpart: {mode: auto, devices: [/]}\n");
        }
        if let Some(list) = completed(&settings) {
            // JSON is YAML, too.
            text.push_str(&format!("{LIST}: {list}\n"));
        }
        if text.is_empty() {
            return Ok(());
        }
        preparation.edit.write(format!("{DROP_INS}/{FILE}"), text)
    }
}

/// Whether growing is switched off: `mode: false` is YAML's reading of `mode: off`.
pub(crate) fn is_off(settings: &Value) -> bool {
    let mode = &settings["growpart"]["mode"];
    *mode == "off" || *mode == json!(false)
}

/// The modules that no list has.
pub(crate) fn missing(settings: &Value) -> Vec<&'static str> {
    let names = module_names(settings);
    MODULES.iter().copied().filter(|module| !names.contains(module)).collect()
}

/// The first list with the modules that are missing, at its start: a list in a file replaces the
/// one before it.
fn completed(settings: &Value) -> Option<Value> {
    let missing = missing(settings);
    let list = settings[LIST].as_array().filter(|_| !missing.is_empty())?;
    let modules = missing.into_iter().map(Value::from).chain(list.iter().cloned());
    Some(modules.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_added() {
        let settings = json!({"cloud_init_modules": ["growpart", ["ssh", "always"]]});
        assert_eq!(completed(&settings), Some(json!(["resizefs", "growpart", ["ssh", "always"]])));
        let settings = json!({"cloud_init_modules": ["growpart", "resizefs"]});
        assert_eq!(completed(&settings), None);
        assert!(is_off(&json!({"growpart": {"mode": false}})));
    }
}
