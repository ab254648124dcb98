//! systemd's units, as files: what would be started.

use std::path::Path;

use crate::formats::ini;
use crate::{Edit, Result, Root};

const UNITS: &[&str] = &["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

const MASKED: &str = "/dev/null";

/// The text of a unit, or `None` if there is none or it is masked.
pub(crate) fn unit(root: &Root, name: &str) -> Result<Option<String>> {
    for directory in UNITS {
        let path = format!("{directory}/{name}");
        if root.read_link(&path)?.is_some_and(|link| link == Path::new(MASKED)) {
            return Ok(None);
        }
        if root.is_file(&path)? {
            return root.text(&path).map(Some);
        }
    }
    Ok(None)
}

/// Whether a unit is there and starts at boot: some target wants it, or it needs nobody who does.
pub(crate) fn is_enabled(root: &Root, name: &str) -> Result<bool> {
    let Some(text) = unit(root, name)? else { return Ok(false) };
    let is_static = ini::words(&text, "Install", "WantedBy").is_empty()
        && ini::words(&text, "Install", "RequiredBy").is_empty()
        && ini::words(&text, "Install", "Alias").is_empty();
    Ok(is_static || is_wanted(root, name)?)
}

/// Whether a target wants a unit.
pub(crate) fn is_wanted(root: &Root, name: &str) -> Result<bool> {
    for directory in UNITS {
        for kind in ["wants", "requires"] {
            if !root.glob(&format!("{directory}/*.{kind}/{name}"))?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Lets targets want a unit, as `systemctl enable` does. A masked unit stays so.
pub(crate) fn enable(edit: &mut Edit<'_>, name: &str) -> Result<()> {
    let Some(text) = unit(edit.root, name)? else { return Ok(()) };
    if is_wanted(edit.root, name)? {
        return Ok(());
    }
    let Some(path) = path(edit.root, name)? else { return Ok(()) };
    for target in ini::words(&text, "Install", "WantedBy") {
        edit.symlink(&path, format!("/etc/systemd/system/{target}.wants/{name}"))?;
    }
    Ok(())
}

fn path(root: &Root, name: &str) -> Result<Option<String>> {
    for directory in UNITS {
        let path = format!("{directory}/{name}");
        if root.is_file(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
