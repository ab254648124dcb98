//! A page of images: the statement, and how the images are found.
//!
//! Glance's indexes serve a list in the order of creation, and what few images match. With the
//! further ones of [`super::indexes`] a page costs the same among a thousand images and a million:
//! each way to images that the viewer sees is walked by an index in the list's order, as far as the
//! page goes, and what is found is merged.

use image::ImageId;

use super::dialect::{Connection, Query, Row};
use super::filters::{self, MANY};
use super::indexes::Indexes;
use super::order::{self, Place, Plan};
use super::readable::readable;
use super::rows;
use super::visibility::{self, Way};
use crate::{Error, Filter, ListQuery, Order, Result, SortKey, Viewer};

/// What a list asks for, in the shape that statements are made of.
pub(super) struct Page<'a> {
    viewer: &'a Viewer,
    list: &'a ListQuery,
    filters: Vec<Filter>,
    order: Vec<Order>,
    approach: Approach,
}

/// How images are found.
enum Approach {
    /// Along an index of the order; each is checked.
    Walk,
    /// By the filter at this place, and brought into order so.
    Filter(usize, Plan),
    /// By each way that shows images to the viewer.
    Ways(Vec<Way>),
}

impl<'a> Page<'a> {
    /// Where a list begins, and how its images are found; in one query, where it asks the database
    /// at all. Errors: `BadMarker`.
    pub(super) async fn begin(
        db: &mut Connection,
        viewer: &'a Viewer,
        list: &'a ListQuery,
        indexes: Indexes,
    ) -> Result<(Self, Option<Place>)> {
        let filters = filters::single(list);
        let order = order::complete(list);
        let probes = probes(&filters, indexes);
        let row = ask(db, viewer, list.marker, &filters, &probes).await?;
        let few = few(row.as_ref(), &probes)?;
        let approach = match indexes {
            Indexes::Glances => plain(&filters),
            Indexes::Further => further(viewer, &filters, &order, few),
        };
        let place = match (list.marker, &row) {
            (Some(id), Some(row)) => {
                let unknown = || Error::BadMarker(id.to_string());
                Some(readable(Place::of(row, &order)).ok_or_else(unknown)?)
            }
            _ => None,
        };
        Ok((Self { viewer, list, filters, order, approach }, place))
    }

    /// Where a page goes on that ends with this row.
    pub(super) fn place(&self, last: &Row) -> Result<Place> {
        Place::of(last, &self.order)
    }

    /// The rows behind a place.
    pub(super) async fn rows(
        &self,
        db: &mut Connection,
        place: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query = Query::new("");
        match &self.approach {
            Approach::Walk => self.select(&mut query, None, Plan::Walk, place, limit),
            Approach::Filter(finder, plan) => {
                self.select(&mut query, Some(*finder), *plan, place, limit);
            }
            Approach::Ways(ways) if ways.is_empty() => return Ok(Vec::new()),
            Approach::Ways(ways) => self.merge(&mut query, ways, place, limit),
        }
        Ok(query.fetch_all(db).await?)
    }

    fn select(
        &self,
        query: &mut Query,
        finder: Option<usize>,
        plan: Plan,
        place: Option<&Place>,
        limit: i64,
    ) {
        self.all_images(query);
        visibility::in_list(query, self.viewer, self.list);
        self.finish(query, finder, plan, place, limit);
    }

    /// As many of each way as the page may need, in order.
    fn merge(&self, query: &mut Query, ways: &[Way], place: Option<&Place>, limit: i64) {
        query.push("SELECT ").push(rows::COLUMNS).push(" FROM (");
        for (i, way) in ways.iter().enumerate() {
            query.push(if i == 0 { "" } else { " UNION ALL " }).push("SELECT * FROM (");
            self.all_images(query);
            way.add(query, self.viewer, self.list, first(&self.order));
            let plan = if way.leads_to_few() { Plan::Sort } else { Plan::Walk };
            self.finish(query, None, plan, place, limit);
            query.push(") AS way").push(i.to_string());
        }
        query.push(") AS images");
        order::add(query, &self.order, Plan::Walk);
        query.push(" LIMIT ").push_bind(limit);
    }

    fn all_images(&self, query: &mut Query) {
        query.push("SELECT ").push(rows::COLUMNS).push(" FROM images WHERE {not}images.deleted");
    }

    fn finish(
        &self,
        query: &mut Query,
        finder: Option<usize>,
        plan: Plan,
        place: Option<&Place>,
        limit: i64,
    ) {
        filters::add(query, &self.filters, finder);
        if let Some(place) = place {
            place.after(query, &self.order);
        }
        order::add(query, &self.order, plan);
        query.push(" LIMIT ").push_bind(limit);
    }
}

fn first(order: &[Order]) -> SortKey {
    order.first().map_or(SortKey::CreatedAt, |order| order.key)
}

/// The filters whose images are counted, before one of them finds them.
fn probes(filters: &[Filter], indexes: Indexes) -> Vec<usize> {
    match indexes {
        Indexes::Glances => Vec::new(),
        Indexes::Further if filters.iter().any(filters::finds_few) => Vec::new(),
        Indexes::Further => {
            (0..filters.len()).filter(|place| filters::is_probed(&filters[*place])).collect()
        }
    }
}

/// Asks for the marker, and for the probes. As in Glance, an administrator may name a marker that
/// was deleted meanwhile.
async fn ask(
    db: &mut Connection,
    viewer: &Viewer,
    marker: Option<ImageId>,
    filters: &[Filter],
    probes: &[usize],
) -> Result<Option<Row>> {
    if marker.is_none() && probes.is_empty() {
        return Ok(None);
    }
    let mut query = Query::new("SELECT ");
    query.push(if marker.is_some() { rows::COLUMNS } else { "1" });
    for probe in probes {
        query.push(", ");
        filters::probe(&mut query, &filters[*probe]);
        query.push(" AS probe").push(probe.to_string());
    }
    let Some(id) = marker else { return Ok(query.fetch_optional(db).await?) };
    query.push(" FROM images WHERE images.id = ").push_bind(id.to_string());
    if !viewer.is_admin {
        query.push(" AND NOT images.deleted");
    }
    visibility::by_id(&mut query, viewer);
    let row = query.fetch_optional(db).await?;
    Ok(Some(row.ok_or_else(|| Error::BadMarker(id.to_string()))?))
}

/// The filter that finds the fewest images, where one finds few.
fn few(row: Option<&Row>, probes: &[usize]) -> Result<Option<usize>> {
    let Some(row) = row else { return Ok(None) };
    let count = |place: &usize| Ok((row.try_get::<i64>(&*format!("probe{place}"))?, *place));
    let counts = probes.iter().map(count).collect::<Result<Vec<_>>>()?;
    Ok(counts.into_iter().min().filter(|(count, _)| *count < MANY).map(|(_, place)| place))
}

/// With Glance's indexes alone.
fn plain(filters: &[Filter]) -> Approach {
    let finds = |filter: &Filter| filters::finds_few(filter) || filters::is_of_few(filter);
    match filters.iter().position(finds) {
        Some(finder) => Approach::Filter(finder, Plan::Sort),
        None => Approach::Walk,
    }
}

fn further(viewer: &Viewer, filters: &[Filter], order: &[Order], few: Option<usize>) -> Approach {
    let in_order = |filter: &Filter| filters::is_in_order(filter, first(order));
    if let Some(finder) = filters.iter().position(filters::finds_few).or(few) {
        let plan = if in_order(&filters[finder]) { Plan::Walk } else { Plan::Sort };
        return Approach::Filter(finder, plan);
    }
    if !viewer.is_admin {
        return Approach::Ways(visibility::ways(viewer, filters));
    }
    match filters.iter().position(in_order) {
        Some(finder) => Approach::Filter(finder, Plan::Walk),
        None => Approach::Walk,
    }
}
