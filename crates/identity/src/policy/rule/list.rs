//! The older form of rules: `[["role:admin"], ["role:member", "project_id:%(project_id)s"]]`.

use super::Rule;
use super::parse::{BadRule, check};

/// A rule in the older form: one of the outer list's, each of which is all of its inner list's. An
/// empty list admits everybody. Errors: one of the checks can't be read.
pub(in super::super) fn from_list(outer: &[Vec<String>]) -> Result<Rule, BadRule> {
    if outer.is_empty() {
        return Ok(Rule::Always);
    }
    let mut any = Vec::new();
    for inner in outer.iter().filter(|inner| !inner.is_empty()) {
        let all = inner.iter().map(|text| check(text, 0)).collect::<Result<Vec<_>, _>>()?;
        any.push(one_or(all, Rule::All));
    }
    Ok(if any.is_empty() { Rule::Never } else { one_or(any, Rule::Any) })
}

/// A single rule as it is; several of them joined.
pub(super) fn one_or(mut rules: Vec<Rule>, join: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.len() {
        1 => rules.remove(0),
        _ => join(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outer_lists_are_alternatives_and_inner_ones_conditions() {
        let cases: [(&[&[&str]], &str); 5] = [
            (&[], "@"),
            (&[&[]], "!"),
            (&[&["role:admin"]], "role:admin"),
            (&[&["role:a"], &[], &["role:b"]], "(role:a or role:b)"),
            (&[&["role:a"], &["role:b", "user_id:u"]], "(role:a or (role:b and user_id:u))"),
        ];
        for (list, expected) in cases {
            let list: Vec<Vec<String>> = list
                .iter()
                .map(|inner| inner.iter().map(|&text| text.to_owned()).collect())
                .collect();
            assert_eq!(from_list(&list).unwrap().to_string(), expected);
        }
        assert!(from_list(&[vec!["role:a or role:b".to_owned()]]).is_err());
    }
}
