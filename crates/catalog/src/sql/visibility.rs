//! Which images a viewer sees, as conditions. Source: `_select_images_query` and `is_image_visible`
//! of Glance's SQLAlchemy API.

use image::{Image, Visibility};

use super::dialect::Query;
use crate::{Filter, ListQuery, MemberFilter, SortKey, Viewer};

/// Adds the condition for one image by its id: members see it whatever they answered. An image
/// that nobody owns is seen by all unless it is private, which Glance's policy forbids.
pub(super) fn by_id(query: &mut Query, viewer: &Viewer) {
    if !viewer.is_admin {
        query.push(" AND (");
        visible(query, viewer, MemberFilter::All);
        query.push(" OR (images.owner IS NULL AND images.visibility = 'shared'))");
    }
}

/// Whether an image that was read is one that [`by_id`] shows, for sure. It may show others besides:
/// those of which the viewer is a member, and those whose owner is the same by the database's rules of
/// comparison alone.
pub(super) fn is_certain(viewer: &Viewer, image: &Image) -> bool {
    let is_everybodys = match image.visibility {
        Visibility::Public | Visibility::Community => true,
        Visibility::Shared => image.owner.is_none(),
        Visibility::Private => false,
    };
    let is_own = viewer.project.is_some() && viewer.project == image.owner;
    viewer.is_admin || is_everybodys || is_own
}

/// Adds the condition for a list: also, community images of others only when asked for.
pub(super) fn in_list(query: &mut Query, viewer: &Viewer, list: &ListQuery) {
    if !viewer.is_admin {
        query.push(" AND (");
        visible(query, viewer, list.member_status);
        query.push(")");
    }
    let asked = list.filters.iter().any(|filter| matches!(filter, Filter::Visibility(_)));
    if !asked {
        query.push(" AND (images.visibility <> 'community'");
        own(query, viewer);
        query.push(")");
    }
}

/// A way to images that a viewer sees. No image is found by two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Everybody's.
    Public,
    /// Everybody's who asks for them.
    Community,
    /// The viewer's own.
    Own,
    /// Other projects', which they share with the viewer.
    Shared,
}

/// The ways to all that a list shows to a viewer who is no administrator.
pub(super) fn ways(viewer: &Viewer, filters: &[Filter]) -> Vec<Way> {
    let asked = filters.iter().find_map(|filter| match filter {
        Filter::Visibility(asked) => Some(*asked),
        _ => None,
    });
    let leads = |way: &Way| match (way, asked) {
        (Way::Public, asked) => matches!(asked, None | Some(None | Some(Visibility::Public))),
        (Way::Community, asked) => matches!(asked, Some(None | Some(Visibility::Community))),
        (Way::Own, Some(Some(Visibility::Public | Visibility::Community))) => false,
        (Way::Own, _) => viewer.project.is_some(),
        (Way::Shared, asked) => {
            let shared = matches!(asked, None | Some(None | Some(Visibility::Shared)));
            viewer.project.is_some() && shared
        }
    };
    [Way::Public, Way::Community, Way::Own, Way::Shared].into_iter().filter(leads).collect()
}

impl Way {
    /// Whether few images are found by it, as a rule: those of a project, and not of all.
    pub(super) fn leads_to_few(self) -> bool {
        matches!(self, Self::Own | Self::Shared)
    }

    /// Adds the condition that an image is found by this way of [`ways`].
    pub(super) fn add(self, query: &mut Query, viewer: &Viewer, list: &ListQuery, by: SortKey) {
        let project = || viewer.project.clone().unwrap_or_default();
        match self {
            Self::Public => of_all(query, "'public'", by),
            Self::Community => of_all(query, "'community'", by),
            Self::Own => {
                let asked = list.filters.iter().any(|f| matches!(f, Filter::Visibility(_)));
                let others = if asked { "('public', 'community')" } else { "('public')" };
                query.push(" AND {unindexed}images.visibility NOT IN ").push(others);
                query.push(" AND images.owner = ").push_bind(project());
            }
            Self::Shared => {
                query.push(" AND {unindexed}images.visibility = 'shared'");
                query.push(" AND ({unindexed}images.owner IS NULL OR {unindexed}images.owner <> ");
                query.push_bind(project()).push(") AND images.id IN (SELECT m.image_id");
                query.push(" FROM image_members m WHERE NOT m.deleted AND m.member = ");
                query.push_bind(project());
                if let MemberFilter::Only(status) = list.member_status {
                    query.push(" AND m.status = ").push_bind(status.as_str());
                }
                query.push(")");
            }
        }
    }
}

/// Images of all projects, which are many. Their indexes have them in some orders; in others, it is
/// all images that are walked by.
fn of_all(query: &mut Query, visibility: &str, by: SortKey) {
    query.push(if is_in_order(by) { " AND " } else { " AND {unindexed}" });
    query.push("images.visibility = ").push(visibility);
}

/// Whether an index has the images of a visibility in the order of this key.
pub(super) fn is_in_order(by: SortKey) -> bool {
    matches!(by, SortKey::CreatedAt | SortKey::Name | SortKey::Size | SortKey::UpdatedAt)
}

fn visible(query: &mut Query, viewer: &Viewer, members: MemberFilter) {
    query.push("{unindexed}images.visibility").push(" IN ('public', 'community')");
    own(query, viewer);
    let Some(project) = &viewer.project else { return };
    query.push(
        " OR (images.visibility = 'shared' AND EXISTS (SELECT 1 FROM image_members m \
         WHERE m.image_id = images.id AND NOT m.deleted AND m.member = ",
    );
    query.push_bind(project.clone());
    if let MemberFilter::Only(status) = members {
        query.push(" AND m.status = ").push_bind(status.as_str());
    }
    query.push("))");
}

fn own(query: &mut Query, viewer: &Viewer) {
    if let Some(project) = &viewer.project {
        query.push(" OR {unindexed}images.owner = ");
        query.push_bind(project.clone());
    }
}
