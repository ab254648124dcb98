//! Rules that something else than an action refers to.

use super::rule::Question;
use super::{Action, Policy, Target};
use crate::Caller;

impl Policy {
    /// Whether the rule of this name admits the caller, nothing being acted upon. A rule that does
    /// not exist admits nobody.
    pub fn admits(&self, name: &str, caller: &Caller) -> bool {
        if let Some(action) = Action::ALL.iter().find(|action| action.name() == name) {
            return self.check(*action, caller, &Target::default()).is_ok();
        }
        let (rules, target) = (self.rules(), Target::default());
        let question = Question { caller, target: &target, rules: &rules };
        rules.get(name).is_some_and(|rule| rule.admits(question))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::caller;
    use super::*;

    #[test]
    fn a_rule_is_found_by_its_name() {
        let (policy, admin) = (Policy::default(), caller("p", &["admin"]));
        assert!(policy.admits("publicize_image", &admin));
        assert!(!policy.admits("publicize_image", &caller("p", &["member"])));
        assert!(!policy.admits("no such rule", &admin));
    }
}
