//! cloud-init: whether it is there, and what it is told.

use serde_json::Value;

use crate::formats::yaml;
use crate::{Result, Root};

const PROGRAMS: &[&str] = &["/usr/bin/cloud-init", "/usr/local/bin/cloud-init"];

/// A file with this name, empty or not, makes cloud-init do nothing.
pub(crate) const DISABLED: &str = "/etc/cloud/cloud-init.disabled";

/// Settings that add to those of `/etc/cloud/cloud.cfg`; later names win.
pub(crate) const DROP_INS: &str = "/etc/cloud/cloud.cfg.d";

/// Whether the program is installed.
pub(crate) fn is_installed(root: &Root) -> Result<bool> {
    for program in PROGRAMS {
        if root.link_metadata(program)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it runs at boot and sets up the network cards.
pub(crate) fn rules_network(root: &Root) -> Result<bool> {
    if !is_installed(root)? || root.exists(DISABLED)? {
        return Ok(false);
    }
    // A file that it cannot read either: it goes on without it.
    let network = &settings(root)?.0["network"]["config"];
    Ok(network != "disabled")
}

/// All its settings, merged as it does, and what is wrong with which file.
pub(crate) fn settings(root: &Root) -> Result<(Value, Vec<String>)> {
    let mut merged = Value::Object(Default::default());
    let mut problems = Vec::new();
    let mut files = root.glob(&format!("{DROP_INS}/*.cfg"))?;
    files.reverse();
    files.push("/etc/cloud/cloud.cfg".into());
    for file in files {
        match yaml::parse(&root.text(&file)?) {
            Ok(value @ Value::Object(_)) => merge(&mut merged, value),
            Ok(Value::Null) => {}
            Ok(_) => problems.push(format!("{} is not a mapping", file.display())),
            Err(why) => problems.push(format!("{}: {why}", file.display())),
        }
    }
    Ok((merged, problems))
}

/// The modules of all its stages. A module stands there as its name, or as a list of that and how
/// often it runs; `set-hostname` is another spelling of `set_hostname`.
pub(crate) fn module_names(settings: &Value) -> Vec<&str> {
    ["cloud_init_modules", "cloud_config_modules", "cloud_final_modules"]
        .iter()
        .filter_map(|list| settings[list].as_array())
        .flatten()
        .filter_map(|module| module.as_str().or_else(|| module[0].as_str()))
        .collect()
}

/// cloud-init's `mergemanydict`: what is there stays, mappings are merged, lists are not.
fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    for (key, value) in from {
        match into.get_mut(&key) {
            Some(there) => merge(there, value),
            None => {
                into.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_mappings_are_merged() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::open(directory.path()).unwrap();
        root.write("/etc/cloud/cloud.cfg", "a: 1\nuser: {name: debian, lock: true}\nlist: [1]\n")
            .unwrap();
        root.write("/etc/cloud/cloud.cfg.d/90_dpkg.cfg", "a: 2\nlist: [2]\n").unwrap();
        root.write("/etc/cloud/cloud.cfg.d/99-x.cfg", "a: 3\nuser: {lock: false}\n").unwrap();
        root.write("/etc/cloud/cloud.cfg.d/README", "not: read\n").unwrap();
        root.write("/etc/cloud/cloud.cfg.d/50-bad.cfg", "a: [\n").unwrap();
        let (settings, problems) = settings(&root).unwrap();
        let expected = serde_json::json!({
            "a": 3, "list": [2], "user": {"name": "debian", "lock": false}
        });
        assert_eq!(settings, expected);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("50-bad.cfg"));
    }
}
