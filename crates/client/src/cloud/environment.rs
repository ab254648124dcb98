//! The variables and directories that a search for a cloud depends on.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables and the working directory, of this process or made up.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    working_directory: PathBuf,
}

/// Variables that say by themselves where a cloud is.
const PLACES: [&str; 3] = ["OS_AUTH_URL", "OS_IMAGE_ENDPOINT_OVERRIDE", "OS_ENDPOINT_OVERRIDE"];

impl Environment {
    /// That of this process. Variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(utf8).collect(),
            working_directory: PathBuf::from("."),
        }
    }

    /// One with these variables and this working directory.
    pub fn of<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        working_directory: impl Into<PathBuf>,
    ) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            variables: variables.into_iter().map(owned).collect(),
            working_directory: working_directory.into(),
        }
    }

    /// A variable; one that is set to nothing counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the variables alone say where a cloud is.
    pub(super) fn means_a_cloud(&self) -> bool {
        PLACES.iter().any(|name| self.get(name).is_some())
    }

    /// The places of a `clouds.yaml`, in openstacksdk's order.
    pub(super) fn clouds_files(&self) -> Vec<PathBuf> {
        let configured = self.get("OS_CLIENT_CONFIG_FILE").map(PathBuf::from);
        configured.into_iter().chain(self.files_named("clouds.yaml", "clouds.yml")).collect()
    }

    /// The places of a `secure.yaml`.
    pub(super) fn secure_files(&self) -> Vec<PathBuf> {
        let configured = self.get("OS_CLIENT_SECURE_FILE").map(PathBuf::from);
        configured.into_iter().chain(self.files_named("secure.yaml", "secure.yml")).collect()
    }

    fn files_named(&self, yaml: &str, yml: &str) -> Vec<PathBuf> {
        let user = self.home("XDG_CONFIG_HOME", ".config").map(|config| config.join("openstack"));
        let directories =
            [Some(self.working_directory.clone()), user, Some(PathBuf::from("/etc/openstack"))];
        let both = |directory: PathBuf| [directory.join(yaml), directory.join(yml)];
        directories.into_iter().flatten().flat_map(both).collect()
    }

    /// The file that `tintype serve` writes into its own state directory.
    pub(super) fn own_clouds_file(&self) -> Option<PathBuf> {
        Some(self.home("XDG_STATE_HOME", ".local/state")?.join("tintype/clouds.yaml"))
    }

    fn home(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(PathBuf::from);
        named.or_else(|| Some(PathBuf::from(self.get("HOME")?).join(below_home)))
    }
}
