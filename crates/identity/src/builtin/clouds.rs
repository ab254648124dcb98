//! `clouds.yaml`: how clients log in as the administrator that the first start makes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::OpenError;
use super::endpoints::{Endpoints, REGION};
use super::secret::Secret;

/// The cloud's name in the file.
const CLOUD: &str = "tintype";

pub(crate) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("clouds.yaml")
}

/// Writes a file that logs `user` in to `project` with `password`, readable by its owner only.
pub(crate) fn write(
    state_dir: &Path,
    endpoints: &Endpoints,
    user: &str,
    project: &str,
    password: &Secret,
) -> Result<(), OpenError> {
    let text = format!(
        "# Made by tintype's first start. Use it with OS_CLIENT_CONFIG_FILE=<this file> or copy it
# to ~/.config/openstack/; then: openstack --os-cloud {CLOUD} image list
clouds:
  {CLOUD}:
    auth:
      auth_url: {url}
      username: {user}
      password: {password}
      project_name: {project}
      user_domain_name: Default
      project_domain_name: Default
    region_name: {REGION}
    identity_api_version: 3
",
        url = endpoints.auth_url(),
        // Quoted: random text may look like a number or begin with a dash.
        password = format_args!("\"{}\"", password.reveal()),
    );
    replace(&path(state_dir), &text)
}

/// Corrects the address in an existing file, and leaves the rest as its owner has it.
pub(crate) fn point_at(state_dir: &Path, endpoints: &Endpoints) -> Result<(), OpenError> {
    let path = path(state_dir);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(OpenError::File { path, source }),
    };
    let corrected = with_auth_url(&text, &endpoints.auth_url());
    if corrected == text { Ok(()) } else { replace(&path, &corrected) }
}

fn with_auth_url(text: &str, url: &str) -> String {
    let mut ours = false;
    let mut corrected = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let indent = content.len() - content.trim_start().len();
        if indent <= 2 && !content.is_empty() {
            ours = content.trim_start() == format!("{CLOUD}:");
        }
        if ours && content.trim_start().starts_with("auth_url:") {
            corrected.push_str(&format!("{}auth_url: {url}\n", &content[..indent]));
        } else {
            corrected.push_str(line);
        }
    }
    corrected
}

/// Either the old file or the new one is there, whenever the machine stops.
fn replace(path: &Path, text: &str) -> Result<(), OpenError> {
    try_replace(path, text).map_err(|source| OpenError::File { path: path.into(), source })
}

fn try_replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    // Mode 0600 is what NamedTempFile makes.
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_for_its_owner_only_and_follows_the_port() {
        let dir = tempfile::tempdir().unwrap();
        let password = Secret::random().unwrap();
        let first = Endpoints::at("http://127.0.0.1:9292");
        write(dir.path(), &first, "admin", "admin", &password).unwrap();
        let mode = path(dir.path()).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read_to_string(path(dir.path())).unwrap();
        assert!(before.contains(password.reveal()));

        point_at(dir.path(), &Endpoints::at("http://127.0.0.1:9393")).unwrap();
        let after = std::fs::read_to_string(path(dir.path())).unwrap();
        assert_eq!(after, before.replace("9292", "9393"));
        assert_eq!(path(dir.path()).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn other_clouds_are_left_alone() {
        let text = "clouds:\n  other:\n    auth:\n      auth_url: http://o\n  \
                    tintype:\n    auth: # mine\n      auth_url: http://t\n  last:\n    auth:\n      \
                    auth_url: http://l\n";
        assert_eq!(with_auth_url(text, "http://new"), text.replace("http://t\n", "http://new\n"));
    }

    #[test]
    fn a_missing_file_stays_missing() {
        let dir = tempfile::tempdir().unwrap();
        point_at(dir.path(), &Endpoints::at("http://x")).unwrap();
        assert!(!path(dir.path()).exists());
    }
}
