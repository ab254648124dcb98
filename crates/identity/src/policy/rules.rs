//! The rules of a policy by name.

use std::collections::{BTreeMap, HashMap};

use super::{Action, Error, Rule, defaults};

/// Rules may refer to each other over this many steps: evaluation must not exhaust the stack.
const STEPS: usize = 64;

/// What holds where a policy file says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// Glance's defaults of today.
    New,
    /// Also whom Glance's deprecated defaults admit; images are changed by their owner alone, as
    /// Glance then demands beside all rules: `enforce_new_defaults = false`.
    NewOrDeprecated,
}

/// The rules of a policy by name: Glance's defaults, under those that were given.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    named: HashMap<String, Rule>,
    /// In the order of [`Action::ALL`].
    actions: Vec<Rule>,
    is_admin: Option<Rule>,
    /// What holds where a rule names one that does not exist.
    missing: Option<Rule>,
}

impl Rules {
    /// Glance's defaults, under those that were given. A name that nobody gave stands for
    /// `default_rule`, if the operator gave that. Errors: `Circle`, `TooDeep`.
    pub(super) fn new(
        given: BTreeMap<String, Rule>,
        defaults: Defaults,
        default_rule: &str,
    ) -> Result<Self, Error> {
        let chosen = default_rule != "default" || given.contains_key(default_rule);
        let mut named = built_in(defaults);
        named.extend(given);
        let missing = named.get(default_rule).filter(|_| chosen).cloned();
        let actions = Action::ALL.iter().map(|&action| rule_of(action, &named, defaults)).collect();
        let is_admin = named.get("context_is_admin").cloned();
        let rules = Self { named, actions, is_admin, missing };
        rules.check()?;
        Ok(rules)
    }

    /// A rule by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Rule> {
        self.named.get(name).or(self.missing.as_ref())
    }

    pub(super) fn of(&self, action: Action) -> &Rule {
        self.actions.get(action as usize).unwrap_or(&Rule::Never)
    }

    /// Who is an administrator of images.
    pub(super) fn is_admin(&self) -> &Rule {
        self.is_admin.as_ref().unwrap_or(&Rule::Never)
    }

    /// Rules that name others which do not exist, as `rule` and `name`.
    pub(super) fn dangling(&self) -> Vec<(&str, &str)> {
        let mut dangling: Vec<_> = self
            .named
            .iter()
            .flat_map(|(rule, body)| body.names().into_iter().map(|name| (rule.as_str(), name)))
            .filter(|(_, name)| !self.named.contains_key(*name))
            .collect();
        dangling.sort_unstable();
        dangling
    }

    fn check(&self) -> Result<(), Error> {
        let mut checked = HashMap::new();
        let mut names: Vec<_> = self.named.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
            .into_iter()
            .try_for_each(|name| self.follow(name, &mut Vec::new(), &mut checked).map(drop))
    }

    /// How many steps a rule is away from the last that it leads to.
    fn follow<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        checked: &mut HashMap<&'a str, usize>,
    ) -> Result<usize, Error> {
        if let Some(&steps) = checked.get(name) {
            return Ok(steps);
        }
        if let Some(start) = path.iter().position(|&step| step == name) {
            let circle = [&path[start..], &[name]].concat().join(" -> ");
            return Err(Error::Circle { circle });
        }
        if path.len() == STEPS {
            return Err(Error::TooDeep { rule: path[0].to_owned(), most: STEPS });
        }
        path.push(name);
        let mut most = 0;
        for next in self.get(name).map(Rule::names).unwrap_or_default() {
            most = most.max(self.follow(next, path, checked)? + 1);
        }
        path.pop();
        if most > STEPS {
            return Err(Error::TooDeep { rule: name.to_owned(), most: STEPS });
        }
        checked.insert(name, most);
        Ok(most)
    }
}

fn built_in(defaults: Defaults) -> HashMap<String, Rule> {
    let base = defaults::BASE.iter().map(|&(name, text)| (name, text, None));
    let actions = Action::ALL
        .iter()
        .map(|action| (action.name(), action.default_text(), action.deprecated_text()));
    let rule = |(name, text, old): (&str, &str, Option<&str>)| {
        let rule = match old.filter(|_| defaults == Defaults::NewOrDeprecated) {
            Some(old) => Rule::Any(vec![compiled(text), compiled(old)]),
            None => compiled(text),
        };
        (name.to_owned(), rule)
    };
    base.chain(actions).map(rule).collect()
}

/// A text of this program; a test reads them all.
fn compiled(text: &str) -> Rule {
    text.parse().unwrap_or(Rule::Never)
}

fn rule_of(action: Action, named: &HashMap<String, Rule>, defaults: Defaults) -> Rule {
    let rule = named.get(action.name()).cloned().unwrap_or(Rule::Never);
    match defaults == Defaults::NewOrDeprecated && OWNERS_ONLY.contains(&action) {
        true => Rule::All(vec![rule, compiled(defaults::OWNER)]),
        false => rule,
    }
}

/// What Glance leaves to owners and administrators whatever the rules say, as long as its deprecated
/// defaults hold (`glance/api/v2/policy.py`).
const OWNERS_ONLY: &[Action] = &[
    Action::AddImage,
    Action::DeleteImage,
    Action::DeleteImageLocation,
    Action::ModifyImage,
    Action::UploadImage,
    Action::Deactivate,
    Action::Reactivate,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(given: &[(&str, &str)], default_rule: &str) -> Result<Rules, Error> {
        let given = given.iter().map(|&(name, text)| (name.to_owned(), text.parse().unwrap()));
        Rules::new(given.collect(), Defaults::New, default_rule)
    }

    #[test]
    fn every_default_is_a_rule() {
        let base = defaults::BASE.iter().map(|&(_, text)| text);
        let actions = Action::ALL.iter().map(|action| action.default_text());
        let old = Action::ALL.iter().filter_map(|action| action.deprecated_text());
        for text in base.chain(actions).chain(old).chain([defaults::OWNER]) {
            assert!(text.parse::<Rule>().is_ok(), "{text}");
        }
        assert_eq!(rules(&[], "default").unwrap().dangling(), []);
    }

    #[test]
    fn circles_are_told_with_their_way() {
        let error =
            rules(&[("a", "role:x or rule:b"), ("b", "not rule:c"), ("c", "rule:b")], "default");
        assert_eq!(
            error.unwrap_err().to_string(),
            "rules refer to each other in a circle: b -> c -> b; let one of them stand for itself"
        );
        assert!(rules(&[("a", "rule:a")], "default").is_err());
    }

    #[test]
    fn a_chain_without_end_is_refused() {
        let chain = |length: usize| {
            let link = |n: usize| (format!("r{n}"), format!("rule:r{}", n + 1).parse().unwrap());
            Rules::new((0..length).map(link).collect(), Defaults::New, "default")
        };
        assert!(chain(STEPS - 1).is_ok());
        assert!(matches!(chain(10_000), Err(Error::TooDeep { .. })));
    }

    #[test]
    fn what_does_not_exist_is_the_default_rule_only_where_an_operator_gave_one() {
        let of = |given: &[(&str, &str)], default_rule: &str| {
            rules(given, default_rule).unwrap().get("nowhere").map(ToString::to_string)
        };
        assert_eq!(of(&[], "default"), None);
        assert_eq!(of(&[("default", "role:x")], "default").as_deref(), Some("role:x"));
        assert_eq!(of(&[], "context_is_admin").as_deref(), Some("role:admin"));
        assert_eq!(of(&[], "nowhere_either"), None);
        assert_eq!(rules(&[("a", "rule:b")], "default").unwrap().dangling(), [("a", "b")]);
    }
}
