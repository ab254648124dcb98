//! What a caller may do.
//!
//! Each [`Action`] has a [`Rule`], a small tree of the checks that oslo.policy's language knows.
//! [`Policy::default`] holds Glance's; [`Policy::load`] puts an operator's files over them, and
//! [`Policy::watch`] follows these. A [`Target`] is the thing acted upon, as far as rules look at
//! it.
//!
//! Reference: "Policy rule expressions" and "Usage" of oslo.policy, and Glance's policies.

mod action;
mod defaults;
mod error;
mod facts;
mod files;
mod named;
mod rule;
mod rules;
mod settings;
mod target;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

pub use action::Action;
pub use error::Error;
pub use rule::{BadRule, Rule, Template};
pub use rules::Defaults;
pub use settings::Settings;
pub use target::Target;
pub use watch::Watch;

use crate::Caller;
use files::Files;
use rule::Question;
use rules::Rules;

/// The rule of every action. Clones are the same policy.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Arc<RwLock<Arc<Rules>>>,
    settings: Arc<Settings>,
}

/// The caller may not do this. The text is Glance's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("You are not authorized to complete {} action.", action.name())]
pub struct Forbidden {
    /// What was refused.
    pub action: Action,
}

impl Policy {
    /// Glance's rules, and over them those of the files that `settings` names. Rules that name
    /// others which do not exist admit nobody, which a warning tells. Errors: whatever is wrong
    /// with a file, and circles.
    pub fn load(settings: Settings) -> Result<Self, Error> {
        let files = Files::look(&settings)?;
        let rules = load(&settings, &files)?;
        if settings.file != Settings::default().file && settings.find(&settings.file).is_none() {
            tracing::warn!(
                "policy_file = {} is not there: Glance's own rules hold in its place",
                settings.file.display()
            );
        }
        tracing::info!(files = ?files.paths().collect::<Vec<_>>(), "policy read");
        Ok(Self { rules: Arc::new(RwLock::new(Arc::new(rules))), settings: Arc::new(settings) })
    }

    /// Refuses unless the action's rule admits `caller` to `target`.
    pub fn check(
        &self,
        action: Action,
        caller: &Caller,
        target: &Target<'_>,
    ) -> Result<(), Forbidden> {
        let rules = self.rules();
        let admitted = self.in_scope(action, caller)
            && rules.of(action).admits(Question { caller, target, rules: &rules });
        match admitted {
            true => Ok(()),
            false => Err(Forbidden { action }),
        }
    }

    /// Whether the rule `context_is_admin` takes the caller for an administrator of images.
    pub fn is_admin(&self, caller: &Caller) -> bool {
        let (rules, target) = (self.rules(), Target::default());
        rules.is_admin().admits(Question { caller, target: &target, rules: &rules })
    }

    /// Glance's actions are for tokens of projects; those of the system and of domains stay out.
    fn in_scope(&self, action: Action, caller: &Caller) -> bool {
        let other = match (&caller.system_scope, &caller.domain_id) {
            (Some(_), _) => "system",
            (None, Some(_)) => "domain",
            (None, None) => return true,
        };
        if self.settings.enforce_scope {
            tracing::debug!(
                "{} requires a scope of project, request was made with {other} scope",
                action.name()
            );
        }
        !self.settings.enforce_scope
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, rules: Rules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}

/// Glance's own rules.
impl Default for Policy {
    fn default() -> Self {
        let settings = Settings::default();
        let rules = Rules::new(Default::default(), settings.defaults, &settings.default_rule)
            .unwrap_or_default();
        Self { rules: Arc::new(RwLock::new(Arc::new(rules))), settings: Arc::new(settings) }
    }
}

fn load(settings: &Settings, files: &Files) -> Result<Rules, Error> {
    let rules = Rules::new(files.read()?, settings.defaults, &settings.default_rule)?;
    for (rule, name) in rules.dangling() {
        tracing::warn!(
            "the policy's rule \"{rule}\" names the rule \"{name}\", which does not exist: {}",
            match rules.get(name) {
                Some(_) => "policy_default_rule holds instead",
                None => "it admits nobody",
            }
        );
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    pub(super) fn caller(project: &str, roles: &[&str]) -> Caller {
        Caller {
            user_id: "u".to_owned(),
            user_name: "user".to_owned(),
            user_domain_id: "default".to_owned(),
            project_id: Some(project.to_owned()),
            project_name: Some(project.to_owned()),
            project_domain_id: Some("default".to_owned()),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            is_admin: roles.contains(&"admin"),
            is_admin_project: true,
            expires_at: Timestamp::MAX,
            ..Caller::default()
        }
    }

    /// Which of administrator elsewhere, member, reader, member elsewhere are admitted.
    fn admitted(action: Action, target: Target<'_>) -> [bool; 4] {
        let policy = Policy::default();
        [
            caller("elsewhere", &["admin", "member", "reader"]),
            caller("p", &["member", "reader"]),
            caller("p", &["reader"]),
            caller("elsewhere", &["member", "reader"]),
        ]
        .map(|caller| policy.check(action, &caller, &target).is_ok())
    }

    #[test]
    fn glances_defaults_admit_whom_glance_admits() {
        use Action::*;
        let private = Target::owned_by(Some("p")).seen_as("private");
        let public = Target::owned_by(Some("p")).seen_as("public");
        let offered = private.shared_with("elsewhere");
        let cases = [
            (AddImage, private, [true, true, false, false]),
            (AddImage, Target { owner: Some("other"), ..private }, [true, false, false, false]),
            (GetImage, private, [true, true, true, false]),
            (GetImage, public, [true, true, true, true]),
            (GetImage, offered, [true, true, true, true]),
            (GetImages, private, [true, true, true, false]),
            (DownloadImage, private, [true, true, false, false]),
            (DownloadImage, public, [true, true, false, true]),
            (ModifyImage, public, [true, true, false, false]),
            (PublicizeImage, private, [true, false, false, false]),
            (CommunitizeImage, private, [true, true, false, false]),
            (DeleteImage, private, [true, true, false, false]),
            (UploadImage, private, [true, true, false, false]),
            (Deactivate, private, [true, true, false, false]),
            (AddMember, private, [true, true, false, false]),
            (GetMembers, offered, [true, true, true, true]),
            (ModifyMember, offered, [true, false, false, true]),
            (TasksApiAccess, private, [true, false, false, false]),
            (GetTasks, private, [true, true, true, true]),
            (GetMetadefNamespace, public, [true, true, true, true]),
            (AddImageLocation, private, [true, true, false, false]),
            (FetchImageLocation, private, [true, false, false, false]),
        ];
        for (action, target, expected) in cases {
            assert_eq!(admitted(action, target), expected, "{action:?} {target:?}");
        }
    }

    #[test]
    fn tokens_of_the_system_and_of_domains_are_out_of_scope() {
        let target = Target::owned_by(Some("p"));
        let system = Caller { system_scope: Some("all".to_owned()), ..caller("p", &["admin"]) };
        let domain = Caller { domain_id: Some("d".to_owned()), ..caller("p", &["admin"]) };
        let options = |text: &str| {
            let mut config = config::Config::default();
            let text = format!("[oslo_policy]\n{text}\n");
            config.add_text(&text, std::path::Path::new("glance-api.conf")).unwrap();
            Settings::from_config(&config, Vec::new()).unwrap()
        };
        for (settings, expected) in [
            (options(""), false),
            (options("enforce_scope = true"), false),
            (options("enforce_scope = false"), true),
        ] {
            let policy = Policy::load(settings).unwrap();
            for caller in [&system, &domain] {
                let checked = policy.check(Action::GetImages, caller, &target);
                assert_eq!(checked.is_ok(), expected);
                assert!(policy.is_admin(caller), "Glance's rule of administrators has no scope");
            }
        }
    }

    #[test]
    fn deprecated_defaults_admit_all_but_change_only_what_is_ones_own() {
        let settings = Settings { defaults: Defaults::NewOrDeprecated, ..Settings::default() };
        let policy = Policy::load(settings).unwrap();
        let target = Target::owned_by(Some("p")).seen_as("private");
        let cases = [
            (Action::GetImages, "elsewhere", &["x"][..], true),
            (Action::DownloadImage, "elsewhere", &["x"], true),
            (Action::PublicizeImage, "p", &["member"], false),
            (Action::ModifyImage, "p", &["x"], true),
            (Action::ModifyImage, "elsewhere", &["member"], false),
            (Action::ModifyImage, "elsewhere", &["admin"], true),
            (Action::CacheList, "p", &["member"], false),
            (Action::GetMetadefObjects, "elsewhere", &["x"], true),
        ];
        for (action, project, roles, expected) in cases {
            let checked = policy.check(action, &caller(project, roles), &target);
            assert_eq!(checked.is_ok(), expected, "{action:?} {project} {roles:?}");
        }
    }

    #[test]
    fn whoever_is_an_administrator_by_the_file_is_one_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p.json"), "{\"context_is_admin\": \"role:boss\"}")
            .unwrap();
        let search = vec![folder.path().to_owned()];
        let settings = Settings { file: "p.json".into(), search, ..Settings::default() };
        let policy = Policy::load(settings).unwrap();
        for (role, expected) in [("boss", true), ("admin", false)] {
            let caller = caller("elsewhere", &[role]);
            assert_eq!(policy.is_admin(&caller), expected);
            let checked = policy.check(Action::DeleteImage, &caller, &Target::owned_by(Some("p")));
            assert_eq!(checked.is_ok(), expected);
        }
    }

    #[test]
    fn refusals_read_as_glances() {
        let target = Target::owned_by(Some("p"));
        let refused =
            Policy::default().check(Action::PublicizeImage, &caller("p", &["member"]), &target);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "You are not authorized to complete publicize_image action."
        );
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = Action::ALL.iter().map(|a| a.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
    }
}
