//! What a caller may do.
//!
//! Each [`Action`] has a [`Rule`], a small tree of the checks that oslo.policy's language knows;
//! [`Policy::default`] holds Glance's. A [`Target`] is the thing acted upon, as far as rules look
//! at it.

mod action;
mod defaults;
mod rule;
mod target;

pub use action::Action;
pub use rule::{Fact, Rule};
pub use target::Target;

use crate::Caller;

/// The rule of every action.
#[derive(Debug, Clone)]
pub struct Policy {
    /// In the order of [`Action::ALL`].
    rules: Vec<Rule>,
}

/// The caller may not do this. The text is Glance's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("You are not authorized to complete {} action.", action.name())]
pub struct Forbidden {
    /// What was refused.
    pub action: Action,
}

impl Policy {
    /// Refuses unless the action's rule admits `caller` to `target`.
    pub fn check(
        &self,
        action: Action,
        caller: &Caller,
        target: &Target<'_>,
    ) -> Result<(), Forbidden> {
        match self.rules[action as usize].admits(caller, target) {
            true => Ok(()),
            false => Err(Forbidden { action }),
        }
    }
}

/// Glance's own rules.
impl Default for Policy {
    fn default() -> Self {
        Self { rules: Action::ALL.iter().map(|action| action.default_rule()).collect() }
    }
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
            domain_id: None,
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            is_admin: roles.contains(&"admin"),
            expires_at: Timestamp::MAX,
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
