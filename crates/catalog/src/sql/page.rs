//! A page of images: the statement, and how the images are found.
//!
//! Glance's indexes serve a list in the order of creation, and what few images match. With the
//! further ones of [`super::indexes`] a page costs the same among a thousand images and a million:
//! each way to images that the viewer sees is walked by an index in the list's order, as far as the
//! page goes, and what is found is merged.

use image::ImageId;

use super::dialect::{Connection, Dialect, Query, Row};
use super::filters::{self, MANY};
use super::indexes::Indexes;
use super::order::{self, Place, Plan};
use super::readable::readable;
use super::visibility::{self, Way};
use crate::{Error, Filter, ListQuery, Order, Result, SortKey, Viewer};

/// What a list asks for, in the shape that statements are made of.
pub(super) struct Page<'a> {
    viewer: &'a Viewer,
    list: &'a ListQuery,
    filters: Vec<Filter>,
    order: Vec<Order>,
    approach: Approach,
    edge: Option<Order>,
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
        let row = ask(db, viewer, list.marker, &order, &filters, &probes).await?;
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
        let edge = edge(list, indexes, db.dialect());
        Ok((Self { viewer, list, filters, order, approach, edge }, place))
    }

    /// What the page is ordered by.
    pub(super) fn order(&self) -> &[Order] {
        &self.order
    }

    /// Where a page goes on that ends with this row.
    pub(super) fn place(&self, last: &Row) -> Result<Place> {
        Place::of(last, &self.order)
    }

    /// The query for the images behind a place: their ids, and what they are ordered by. `None` where
    /// no way leads to any.
    pub(super) fn query(&self, place: Option<&Place>, limit: usize) -> Option<Query> {
        let behind = Behind { place, limit };
        let mut query = Query::new("");
        match &self.approach {
            Approach::Walk => self.select(&mut query, &Walked::all(), &behind),
            Approach::Filter(finder, plan) => {
                let walked = Walked { way: None, finder: Some(*finder), plan: *plan };
                self.select(&mut query, &walked, &behind);
            }
            Approach::Ways(ways) if ways.is_empty() => return None,
            Approach::Ways(ways) => self.merge(&mut query, ways, &behind),
        }
        Some(query)
    }

    /// As many of each way as the page may need, in order.
    fn merge(&self, query: &mut Query, ways: &[Way], behind: &Behind<'_>) {
        order::columns(query.push("SELECT "), &self.order);
        query.push(" FROM (");
        for (i, way) in ways.iter().enumerate() {
            query.push(if i == 0 { "" } else { " UNION ALL " }).push("SELECT * FROM (");
            let plan = if way.leads_to_few() { Plan::Sort } else { Plan::Walk };
            self.select(query, &Walked { way: Some(*way), finder: None, plan }, behind);
            query.push(") AS way").push(i.to_string());
        }
        query.push(") AS images");
        order::add(query, &self.order, Plan::Walk);
        query.push(" LIMIT ").push(behind.limit.to_string());
    }

    fn select(&self, query: &mut Query, walked: &Walked, behind: &Behind<'_>) {
        order::columns(query.push("SELECT "), &self.order);
        query.push(" FROM ");
        let edge = self.edge.filter(|_| walked.plan == Plan::Walk);
        if let Some(key) = edge {
            self.find_edge(query, key, walked, behind);
        }
        query.push("images WHERE ");
        if let Some(key) = edge {
            order::within_edge(query, key);
        }
        self.conditions(query, walked, behind);
        order::add(query, &self.order, walked.plan);
        query.push(" LIMIT ").push(behind.limit.to_string());
    }

    /// Adds a table of one row: how far a walk by the first key goes for a page. No index has the
    /// order of several keys, and most databases would sort all images; these are few.
    fn find_edge(&self, query: &mut Query, key: Order, walked: &Walked, behind: &Behind<'_>) {
        order::farthest(query, key);
        query.push(" FROM images WHERE ");
        self.conditions(query, walked, behind);
        order::add(query, &[key], Plan::Walk);
        query.push(" LIMIT ").push(behind.limit.to_string());
        query.push(") AS page) AS brink {joined to} ");
    }

    fn conditions(&self, query: &mut Query, walked: &Walked, behind: &Behind<'_>) {
        query.push("{not}images.deleted");
        match walked.way {
            Some(way) => way.add(query, self.viewer, self.list, first(&self.order)),
            None => visibility::in_list(query, self.viewer, self.list),
        }
        filters::add(query, &self.filters, walked.finder);
        if let Some(place) = behind.place {
            place.after(query, &self.order);
        }
    }
}

/// What is walked by for a page, or for a part of it.
struct Walked {
    way: Option<Way>,
    finder: Option<usize>,
    plan: Plan,
}

impl Walked {
    fn all() -> Self {
        Self { way: None, finder: None, plan: Plan::Walk }
    }
}

/// Where a page begins, and how long it is. The length is part of the text: with a value in its place
/// PostgreSQL takes a tenth of all images for a page, and plans each one anew.
struct Behind<'a> {
    place: Option<&'a Place>,
    limit: usize,
}

/// The first of several keys, by which a walk goes as far as the page does. PostgreSQL does so by
/// itself.
fn edge(list: &ListQuery, indexes: Indexes, dialect: Dialect) -> Option<Order> {
    let first = list.order.first().filter(|_| list.order.len() > 1)?;
    let is_unique = matches!(first.key, SortKey::CreatedAt | SortKey::Id);
    let helps = indexes == Indexes::Further && dialect != Dialect::Postgres && !is_unique;
    helps.then_some(*first)
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
    order: &[Order],
    filters: &[Filter],
    probes: &[usize],
) -> Result<Option<Row>> {
    if marker.is_none() && probes.is_empty() {
        return Ok(None);
    }
    let mut query = Query::new("SELECT ");
    match marker {
        Some(_) => order::columns(&mut query, order),
        None => drop(query.push("1")),
    }
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
