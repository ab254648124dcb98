//! Application credentials that may make certain requests only.
//!
//! Reference: "Access Rules" of Keystone's application credentials, and `auth_token` of
//! keystonemiddleware.

use serde::Deserialize;

use super::Asked;

/// The requests that a token is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct AccessRules(Vec<AccessRule>);

#[derive(Debug, Clone, Deserialize)]
struct AccessRule {
    method: String,
    path: String,
    service: String,
}

impl AccessRules {
    /// Whether a request is one of them, at a service of this type.
    pub(super) fn allow(&self, asked: Asked<'_>, service_type: &str) -> bool {
        self.0.iter().any(|rule| {
            rule.service == service_type
                && rule.method == asked.method
                && matches(&steps(&rule.path), asked.path)
        })
    }
}

/// A step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Exactly(char),
    /// One character that is no slash.
    Within,
    /// As many of these as there are.
    RestOfPart,
    /// Whatever there is.
    Anything,
}

/// `{name}` and `*` stand for a part of the path between slashes, `**` for any number of them.
fn steps(pattern: &str) -> Vec<Step> {
    let (mut steps, mut rest) = (Vec::new(), pattern);
    while let Some(next) = rest.chars().next() {
        let named = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        if let Some((_, after)) = named {
            steps.extend([Step::Within, Step::RestOfPart]);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            steps.push(Step::Anything);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('*') {
            steps.extend([Step::Within, Step::RestOfPart]);
            rest = after;
        } else {
            steps.push(Step::Exactly(next));
            rest = &rest[next.len_utf8()..];
        }
    }
    steps
}

/// Follows all ways through the pattern at once: users write patterns, so the time that one takes
/// must not explode.
fn matches(steps: &[Step], path: &str) -> bool {
    let mut reached = vec![false; steps.len() + 1];
    reached[0] = true;
    skip(steps, &mut reached);
    for c in path.chars() {
        let mut next = vec![false; steps.len() + 1];
        for (at, step) in steps.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match step {
                Step::Exactly(expected) => next[at + 1] |= c == *expected,
                Step::Within => next[at + 1] |= c != '/',
                Step::RestOfPart => next[at] |= c != '/',
                Step::Anything => next[at] = true,
            }
        }
        skip(steps, &mut next);
        reached = next;
    }
    reached[steps.len()]
}

/// Steps that may stand for nothing are passed over.
fn skip(steps: &[Step], reached: &mut [bool]) {
    for (at, step) in steps.iter().enumerate() {
        if reached[at] && matches!(step, Step::RestOfPart | Step::Anything) {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_paths() {
        let cases = [
            ("/v2/images", "/v2/images", true),
            ("/v2/images", "/v2/images/1", false),
            ("/v2/images/{image_id}", "/v2/images/1", true),
            ("/v2/images/{image_id}", "/v2/images/", false),
            ("/v2/images/{image_id}", "/v2/images/1/file", false),
            ("/v2/images/*/file", "/v2/images/1/file", true),
            ("/v2/**", "/v2/images/1/file", true),
            ("/v2/**", "/v3/images", false),
            ("/v2/**/file", "/v2/images/1/file", true),
            ("/v2/**/file", "/v2/images/1/files", false),
            ("/v2.images", "/v2/images", false),
            ("**", "", true),
            ("", "/", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(&steps(pattern), path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_forever() {
        let pattern = "**a".repeat(40);
        assert!(!matches(&steps(&pattern), &"a".repeat(39)));
        assert!(matches(&steps(&pattern), &"a".repeat(4000)));
    }

    #[test]
    fn method_service_and_path_have_to_fit() {
        let rules: AccessRules = serde_json::from_str(
            r#"[{"id": "x", "service": "image", "method": "GET", "path": "/v2/images"}]"#,
        )
        .unwrap();
        let asked = |method| Asked { method, path: "/v2/images" };
        assert!(rules.allow(asked("GET"), "image"));
        assert!(!rules.allow(asked("POST"), "image"));
        assert!(!rules.allow(asked("GET"), "compute"));
    }
}
