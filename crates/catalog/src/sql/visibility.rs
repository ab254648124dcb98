//! Which images a viewer sees, as conditions. Source: `_select_images_query` and `is_image_visible`
//! of Glance's SQLAlchemy API.

use image::Visibility;
use sqlx::{QueryBuilder, Sqlite};

use crate::{Filter, ListQuery, MemberFilter, Viewer};

/// Adds the condition for one image by its id: members see it whatever they answered.
pub(super) fn by_id(query: &mut QueryBuilder<Sqlite>, viewer: &Viewer) {
    if !viewer.is_admin {
        query.push(" AND (");
        visible(query, viewer, MemberFilter::All);
        query.push(")");
    }
}

/// Adds the condition for a list: also, community images of others only when asked for.
pub(super) fn in_list(query: &mut QueryBuilder<Sqlite>, viewer: &Viewer, list: &ListQuery) {
    if !viewer.is_admin {
        query.push(" AND (");
        visible(query, viewer, list.member_status);
        query.push(")");
    }
    let asked = list
        .filters
        .iter()
        .any(|filter| matches!(filter, Filter::Visibility(None | Some(Visibility::Community))));
    if !asked {
        query.push(" AND (images.visibility <> 'community'");
        if let Some(project) = &viewer.project {
            query.push(" OR images.owner = ").push_bind(project.clone());
        }
        query.push(")");
    }
}

fn visible(query: &mut QueryBuilder<Sqlite>, viewer: &Viewer, members: MemberFilter) {
    query.push("images.visibility IN ('public', 'community')");
    let Some(project) = &viewer.project else { return };
    query.push(" OR images.owner = ").push_bind(project.clone());
    query.push(
        " OR (images.visibility = 'shared' AND EXISTS (SELECT 1 FROM image_members m \
         WHERE m.image_id = images.id AND m.deleted = 0 AND m.member = ",
    );
    query.push_bind(project.clone());
    if let MemberFilter::Only(status) = members {
        query.push(" AND m.status = ").push_bind(status.as_str());
    }
    query.push("))");
}
