//! Glance's default rules, by the names that its sources give them (`glance/policies/base.py`).

/// Rules that are no action's, with their texts; others refer to them.
pub(super) const BASE: &[(&str, &str)] = &[
    ("default", ""),
    ("context_is_admin", "role:admin"),
    ("service_api", "role:service or role:admin"),
    ("metadef_default", ""),
    ("metadef_admin", ADMIN),
];

/// Who decides about everything.
pub(super) const ADMIN: &str = "rule:context_is_admin";
/// What is everybody's unless said otherwise.
pub(super) const DEFAULT: &str = "rule:default";
/// Services that act for users.
pub(super) const SERVICE: &str = "rule:service_api";
/// Both.
pub(super) const ADMIN_OR_SERVICE_ROLE: &str = "rule:context_is_admin or rule:service_api";
/// Who decides about the definitions of metadata.
pub(super) const METADEF_ADMIN: &str = "rule:metadef_admin";
/// Who reads definitions of metadata, before.
pub(super) const METADEF_DEFAULT: &str = "rule:metadef_default";
/// Who works the cache, before.
pub(super) const MANAGE_IMAGE_CACHE: &str = "rule:manage_image_cache";
/// Who may write in the project.
pub(super) const ADMIN_OR_PROJECT_MEMBER: &str =
    "rule:context_is_admin or (role:member and project_id:%(project_id)s)";
/// Who may read in the project.
pub(super) const ADMIN_OR_PROJECT_READER: &str =
    "rule:context_is_admin or (role:reader and project_id:%(project_id)s)";
/// As a member, and for the own project only.
pub(super) const ADMIN_OR_PROJECT_MEMBER_CREATE_IMAGE: &str =
    "rule:context_is_admin or (role:member and project_id:%(project_id)s and project_id:%(owner)s)";
/// Services, and members for the own project.
pub(super) const SERVICE_OR_PROJECT_MEMBER: &str =
    "rule:service_api or (role:member and project_id:%(project_id)s and project_id:%(owner)s)";
/// Readers see their own images and those which others show them. That a `shared` image is shown
/// to its members only is the catalog's part, as in Glance.
pub(super) const ADMIN_OR_PROJECT_READER_GET_IMAGE: &str = "rule:context_is_admin or \
     (role:reader and (project_id:%(project_id)s or project_id:%(member_id)s or \
     'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s))";
/// Members read the bytes of the images that they see.
pub(super) const ADMIN_OR_PROJECT_MEMBER_DOWNLOAD_IMAGE: &str = "rule:context_is_admin or \
     (role:member and (project_id:%(project_id)s or project_id:%(member_id)s or \
     'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s))";
/// Readers see their own namespaces and public ones.
pub(super) const ADMIN_OR_PROJECT_READER_GET_NAMESPACE: &str = "rule:context_is_admin or \
     (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))";
/// Only the project that an image is offered to accepts or rejects it.
pub(super) const ADMIN_OR_SHARED_MEMBER: &str =
    "rule:context_is_admin or (role:member and project_id:%(member_id)s)";
/// Who the image belongs to, and whom it is offered to.
pub(super) const ADMIN_OR_PROJECT_READER_OR_SHARED_MEMBER: &str = "rule:context_is_admin or \
     role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)";
/// The owner of an image, and administrators.
pub(super) const OWNER: &str = "is_admin:True or project_id:%(owner)s";
