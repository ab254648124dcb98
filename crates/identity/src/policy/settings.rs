//! What the configuration says of policies: `[oslo_policy]`.

use std::path::{Path, PathBuf};

use config::Config;

use super::Defaults;

/// What the configuration says of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `policy_file`: a file of rules. One that does not exist says nothing.
    pub file: PathBuf,
    /// `policy_dirs`: folders of such files, each of which overrules those before it.
    pub folders: Vec<PathBuf>,
    /// Where relative paths are looked for, in this order.
    pub search: Vec<PathBuf>,
    /// `policy_default_rule`: stands for rules that are named and do not exist.
    pub default_rule: String,
    /// `enforce_scope`: refuses tokens of systems and domains, which Glance's actions are not for.
    pub enforce_scope: bool,
    /// `enforce_new_defaults`.
    pub defaults: Defaults,
}

impl Settings {
    /// Reads `[oslo_policy]`. Relative paths are looked for in `search`.
    pub fn from_config(config: &Config, search: Vec<PathBuf>) -> config::Result<Self> {
        let options = config.section("oslo_policy");
        let default = Self::default();
        let defaults = match options.or("enforce_new_defaults", true)? {
            true => Defaults::New,
            false => Defaults::NewOrDeprecated,
        };
        let folders: Vec<PathBuf> = options.all("policy_dirs")?;
        Ok(Self {
            file: options.or("policy_file", default.file)?,
            folders: if folders.is_empty() { default.folders } else { folders },
            search,
            default_rule: options.or("policy_default_rule", default.default_rule)?,
            enforce_scope: options.or("enforce_scope", default.enforce_scope)?,
            defaults,
        })
    }

    /// The path where a file or folder of the configuration is, if it exists anywhere.
    pub(super) fn find(&self, path: &Path) -> Option<PathBuf> {
        if path.is_absolute() {
            return path.exists().then(|| path.to_owned());
        }
        self.search.iter().map(|folder| folder.join(path)).find(|path| path.exists())
    }
}

/// oslo.policy's defaults; nothing is looked for anywhere.
impl Default for Settings {
    fn default() -> Self {
        Self {
            file: "policy.yaml".into(),
            folders: vec!["policy.d".into()],
            search: Vec::new(),
            default_rule: "default".to_owned(),
            enforce_scope: true,
            defaults: Defaults::New,
        }
    }
}
