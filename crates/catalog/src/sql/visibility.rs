//! Which images a viewer sees, as conditions. Source: `_select_images_query` and `is_image_visible`
//! of Glance's SQLAlchemy API.

use super::dialect::Query;
use crate::{Filter, ListQuery, MemberFilter, Viewer};

/// Adds the condition for one image by its id: members see it whatever they answered. An image
/// that nobody owns is seen by all unless it is private, which Glance's policy forbids.
pub(super) fn by_id(query: &mut Query, viewer: &Viewer) {
    if !viewer.is_admin {
        query.push(" AND (");
        visible(query, viewer, MemberFilter::All);
        query.push(" OR (images.owner IS NULL AND images.visibility = 'shared'))");
    }
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
