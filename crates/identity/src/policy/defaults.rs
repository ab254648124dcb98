//! Glance's default rules, by the names that its sources give them (`glance/policies/base.py`).

use super::{Fact, Rule};

/// `role:admin`.
pub(super) fn admin() -> Rule {
    role("admin")
}

/// The empty rule.
pub(super) fn everybody() -> Rule {
    Rule::Always
}

/// Services that act for users, and administrators: `rule:service_api`.
pub(super) fn service() -> Rule {
    Rule::Any(vec![role("service"), admin()])
}

/// Who may write in the project.
pub(super) fn admin_or_member() -> Rule {
    admin_or([role("member"), own_project()])
}

/// Services, and members for the own project.
pub(super) fn service_or_member() -> Rule {
    let member = Rule::All(vec![role("member"), own_project(), is_callers_project("owner")]);
    Rule::Any(vec![service(), member])
}

/// Who may read in the project.
pub(super) fn admin_or_reader() -> Rule {
    admin_or([role("reader"), own_project()])
}

/// As a member, and for the own project only.
pub(super) fn create_image() -> Rule {
    admin_or([role("member"), own_project(), is_callers_project("owner")])
}

/// Readers see their own images and those which others show them.
pub(super) fn get_image() -> Rule {
    admin_or([role("reader"), shown_to_project()])
}

/// Members read the bytes of the images that they see.
pub(super) fn download_image() -> Rule {
    admin_or([role("member"), shown_to_project()])
}

/// Only the project that an image is offered to accepts or rejects it.
pub(super) fn admin_or_shared_member() -> Rule {
    admin_or([role("member"), is_callers_project("member_id")])
}

/// Who the image belongs to, and whom it is offered to.
pub(super) fn admin_or_reader_or_shared_member() -> Rule {
    admin_or([role("reader"), Rule::Any(vec![own_project(), is_callers_project("member_id")])])
}

/// Readers see their own namespaces and public ones.
pub(super) fn get_namespace() -> Rule {
    admin_or([role("reader"), Rule::Any(vec![own_project(), visible_as("public")])])
}

fn role(name: &'static str) -> Rule {
    Rule::Role(name.into())
}

fn admin_or<const N: usize>(all: [Rule; N]) -> Rule {
    Rule::Any(vec![admin(), Rule::All(all.into())])
}

fn own_project() -> Rule {
    is_callers_project("project_id")
}

fn is_callers_project(of_target: &'static str) -> Rule {
    Rule::Same(Fact::Caller("project_id".into()), Fact::Target(of_target.into()))
}

fn visible_as(visibility: &'static str) -> Rule {
    Rule::Same(Fact::Text(visibility.into()), Fact::Target("visibility".into()))
}

/// That a `shared` image is shown to its members only is the catalog's part, as in Glance.
fn shown_to_project() -> Rule {
    Rule::Any(vec![
        own_project(),
        is_callers_project("member_id"),
        visible_as("community"),
        visible_as("public"),
        visible_as("shared"),
    ])
}
