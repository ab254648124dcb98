//! Rules: the checks of oslo.policy's language as a tree.

use std::borrow::Cow;

use super::Target;
use crate::Caller;

/// Who is admitted. Written in oslo.policy's language as the example of each variant shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Everybody: the empty rule, or `@`.
    Always,
    /// Nobody: `!`.
    Never,
    /// Holders of a role: `role:member`.
    Role(Cow<'static, str>),
    /// Where two facts are known and the same: `project_id:%(project_id)s`.
    Same(Fact, Fact),
    /// `not role:reader`.
    Not(Box<Rule>),
    /// `role:member and project_id:%(project_id)s`.
    All(Vec<Rule>),
    /// `role:admin or role:service`.
    Any(Vec<Rule>),
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Of the caller: `project_id`, `user_id`, `domain_id`.
    Caller(Cow<'static, str>),
    /// Of the target: `%(visibility)s`.
    Target(Cow<'static, str>),
    /// As it stands: `"public"`.
    Text(Cow<'static, str>),
}

impl Rule {
    /// Whether `caller` may do to `target` what this rule guards.
    pub fn admits(&self, caller: &Caller, target: &Target<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Role(name) => caller.has_role(name),
            Self::Same(one, other) => {
                let known = one.of(caller, target);
                known.is_some() && known == other.of(caller, target)
            }
            Self::Not(rule) => !rule.admits(caller, target),
            Self::All(rules) => rules.iter().all(|rule| rule.admits(caller, target)),
            Self::Any(rules) => rules.iter().any(|rule| rule.admits(caller, target)),
        }
    }
}

impl Fact {
    fn of<'a>(&'a self, caller: &'a Caller, target: &Target<'a>) -> Option<&'a str> {
        match self {
            Self::Caller(name) => fact_of_caller(caller, name),
            Self::Target(name) => target.fact(name),
            Self::Text(text) => Some(text),
        }
    }
}

fn fact_of_caller<'a>(caller: &'a Caller, name: &str) -> Option<&'a str> {
    match name {
        "user_id" => Some(&caller.user_id),
        "user_domain_id" => Some(&caller.user_domain_id),
        "project_id" => caller.project_id.as_deref(),
        "project_domain_id" => caller.project_domain_id.as_deref(),
        "domain_id" => caller.domain_id.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::caller;

    fn role(name: &'static str) -> Rule {
        Rule::Role(name.into())
    }

    fn own_project() -> Rule {
        Rule::Same(Fact::Caller("project_id".into()), Fact::Target("project_id".into()))
    }

    #[test]
    fn each_kind_of_rule_admits_and_refuses() {
        let cases = [
            (Rule::Always, true),
            (Rule::Never, false),
            (role("member"), true),
            (role("MEMBER"), true),
            (role("admin"), false),
            (own_project(), true),
            (Rule::Same(Fact::Caller("user_id".into()), Fact::Text("u".into())), true),
            (Rule::Same(Fact::Caller("user_id".into()), Fact::Text("v".into())), false),
            (Rule::Not(Box::new(role("member"))), false),
            (Rule::All(vec![role("member"), role("admin")]), false),
            (Rule::Any(vec![role("member"), role("admin")]), true),
            (Rule::All(vec![]), true),
            (Rule::Any(vec![]), false),
        ];
        let (caller, target) = (caller("p", &["member"]), Target::owned_by(Some("p")));
        for (rule, expected) in cases {
            assert_eq!(rule.admits(&caller, &target), expected, "{rule:?}");
        }
    }

    #[test]
    fn unknown_facts_are_never_the_same() {
        let mut unscoped = caller("p", &["member"]);
        unscoped.project_id = None;
        assert!(!own_project().admits(&unscoped, &Target::owned_by(None)));
    }
}
