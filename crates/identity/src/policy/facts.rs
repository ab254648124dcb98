//! What rules may ask of a caller, by the names of oslo.context's policy values.

use crate::Caller;

/// Whether a fact of the caller is this text. One that has several values, as `roles`, holds for
/// each of them; one that is not known holds for none.
pub(super) fn holds(caller: &Caller, name: &str, text: &str) -> bool {
    let service = caller.service.as_deref();
    let known = match name {
        "user_id" => Some(caller.user_id.as_str()).filter(|id| !id.is_empty()),
        "user_domain_id" => Some(caller.user_domain_id.as_str()).filter(|id| !id.is_empty()),
        "project_id" => caller.project_id.as_deref(),
        "project_domain_id" => caller.project_domain_id.as_deref(),
        "domain_id" => caller.domain_id.as_deref(),
        "system_scope" | "system" => caller.system_scope.as_deref(),
        "is_admin" => Some(python(caller.is_admin)),
        "is_admin_project" => Some(python(caller.is_admin_project)),
        "roles" => return caller.roles.iter().any(|role| role == text),
        "service_user_id" => service.map(|service| service.user_id.as_str()),
        "service_user_domain_id" => service.map(|service| service.user_domain_id.as_str()),
        "service_project_id" => service.and_then(|service| service.project_id.as_deref()),
        "service_project_domain_id" => {
            service.and_then(|service| service.project_domain_id.as_deref())
        }
        "service_roles" => {
            return service.is_some_and(|service| service.roles.iter().any(|role| role == text));
        }
        _ => None,
    };
    known == Some(text)
}

/// How Python spells it: rules say `True`.
pub(super) fn python(yes: bool) -> &'static str {
    if yes { "True" } else { "False" }
}
