//! Rules: the checks of oslo.policy's language as a tree.

mod list;
mod parse;
mod print;
mod template;

pub(super) use list::from_list;
pub use parse::BadRule;
pub use template::Template;

use super::{Rules, Target, facts};
use crate::Caller;

/// Who is admitted. Written in oslo.policy's language as the example of each variant shows; text
/// is read by `parse` and written by `to_string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Everybody: the empty rule, or `@`.
    Always,
    /// Nobody: `!`.
    Never,
    /// Holders of a role: `role:member`.
    Role(Template),
    /// Whom another rule admits: `rule:context_is_admin`.
    Named(String),
    /// Whose fact is that of the target: `project_id:%(project_id)s`.
    Caller(String, Template),
    /// Where the target has this fact: `'public':%(visibility)s`, `True:%(protected)s`.
    Literal(String, Template),
    /// `not role:reader`.
    Not(Box<Rule>),
    /// `role:member and project_id:%(project_id)s`.
    All(Vec<Rule>),
    /// `role:admin or role:service`.
    Any(Vec<Rule>),
}

/// What a rule is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) caller: &'a Caller,
    pub(super) target: &'a Target<'a>,
    /// Those that `rule:` may name.
    pub(super) rules: &'a Rules,
}

impl Rule {
    /// Whether the caller may do to the target what this rule guards. Facts that are not known are
    /// never the same, a rule that does not exist admits nobody.
    pub(super) fn admits(&self, asked: Question<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Role(name) => name.render(asked.target, |name| asked.caller.has_role(name)),
            Self::Named(name) => asked.rules.get(name).is_some_and(|rule| rule.admits(asked)),
            Self::Caller(fact, wanted) => {
                wanted.render(asked.target, |wanted| facts::holds(asked.caller, fact, wanted))
            }
            Self::Literal(text, wanted) => wanted.is(asked.target, text),
            Self::Not(rule) => !rule.admits(asked),
            Self::All(rules) => rules.iter().all(|rule| rule.admits(asked)),
            Self::Any(rules) => rules.iter().any(|rule| rule.admits(asked)),
        }
    }

    /// Every rule that this one names.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Named(name) => vec![name],
            Self::Not(rule) => rule.names(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::names).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::caller;

    fn admitted(text: &str, caller: &Caller, target: &Target<'_>) -> bool {
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        rule.admits(Question { caller, target, rules: &Rules::default() })
    }

    #[test]
    fn each_kind_of_rule_admits_and_refuses() {
        let mut caller = caller("p", &["member", "Compute:Admin"]);
        caller.service = Some(Box::new(crate::ServiceCaller {
            user_id: "nova".to_owned(),
            roles: vec!["service".to_owned()],
            ..Default::default()
        }));
        let target = Target::owned_by(Some("p")).seen_as("public");
        let cases = [
            ("", true),
            ("@", true),
            ("!", false),
            ("role:member", true),
            ("role:MEMBER", true),
            ("role:compute:admin", true),
            ("role:admin", false),
            ("role:%(visibility)s", false),
            ("role:%(unknown)s", false),
            ("project_id:%(project_id)s", true),
            ("project_id:p", true),
            ("project_id:%(visibility)s", false),
            ("user_id:u", true),
            ("user_id:v", false),
            ("tenant:p", false),
            ("roles:member", true),
            ("roles:MEMBER", false),
            ("service_roles:service", true),
            ("service_user_id:nova", true),
            ("is_admin:True", false),
            ("is_admin:False", true),
            ("is_admin_project:True", true),
            ("system_scope:all", false),
            ("'public':%(visibility)s", true),
            ("\"private\":%(visibility)s", false),
            ("'pub%':pub%%", true),
            ("'is-public-p':is-%(visibility)s-%(owner)s", true),
            ("None:%(member_id)s", false),
            ("not role:member", false),
            ("role:member and role:admin", false),
            ("role:member or role:admin", true),
            ("role:admin and role:admin or role:member", true),
            ("role:member or role:admin and role:admin", true),
            ("(role:member or role:admin) and role:admin", false),
            ("not role:admin and not (role:admin or role:x)", true),
            ("NOT role:admin AND role:member", true),
            ("rule:nowhere", false),
            ("not rule:nowhere", true),
        ];
        for (text, expected) in cases {
            assert_eq!(admitted(text, &caller, &target), expected, "{text}");
        }
    }

    #[test]
    fn unknown_facts_are_never_the_same() {
        let mut unscoped = caller("p", &["member"]);
        unscoped.project_id = None;
        let nobodys = Target::owned_by(None);
        assert!(!admitted("project_id:%(project_id)s", &unscoped, &nobodys));
        assert!(!admitted("project_id:None", &unscoped, &nobodys));
    }
}
