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
use super::order::{self, Plan};
use super::place::Place;
use super::reach::Reach;
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
    /// Whether nulls are looked for apart, where they come behind all values.
    in_legs: bool,
    /// The first of several keys, where it is found out how far a page goes by it.
    bounded: Option<Order>,
    /// Whether images are passed over by their ids alone.
    passes: bool,
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
        let in_legs = in_legs(indexes, db.dialect());
        let bounded = bounded(list, indexes, db.dialect());
        let passes = passes(&filters, indexes, db.dialect());
        let page = Self { viewer, list, filters, order, approach, in_legs, bounded, passes };
        Ok((page, place))
    }

    /// What the page is ordered by.
    pub(super) fn order(&self) -> &[Order] {
        &self.order
    }

    /// Where a page goes on that ends with this row.
    pub(super) fn place(&self, last: &Row) -> Result<Place> {
        Place::of(last, &self.order)
    }

    /// How far the page behind a place goes at first; `None` where that is as far as there are images.
    /// By several keys it takes a statement.
    pub(super) async fn reach(
        &self,
        db: &mut Connection,
        place: Option<&Place>,
        limit: usize,
    ) -> Result<Option<Reach>> {
        let is_before_nulls = place.is_some_and(|place| place.is_before_nulls(&self.order));
        let values = || (self.in_legs && is_before_nulls).then_some(Reach::AllValues);
        let Some(first) = self.bounded else { return Ok(values()) };
        let (by_first, values) = ([first], values());
        let stretch = Stretch { place, limit, reach: values.as_ref(), keys: &by_first };
        let Some(mut query) = self.found(&stretch) else { return Ok(None) };
        let rows = query.fetch_all(db).await?;
        // What can't be read bounds nothing.
        Ok(readable(Reach::of(&rows, first, limit)).flatten())
    }

    /// The query for the images behind a place: their ids, and what they are ordered by. `None` where
    /// no way leads to any.
    pub(super) fn query(
        &self,
        place: Option<&Place>,
        reach: Option<&Reach>,
        limit: usize,
    ) -> Option<Query> {
        self.found(&Stretch { place, limit, reach, keys: &self.order })
    }

    fn found(&self, stretch: &Stretch<'_>) -> Option<Query> {
        let mut query = Query::new("");
        match &self.approach {
            Approach::Walk => self.select(&mut query, &Walk::of_all(), stretch),
            Approach::Filter(finder, plan) => {
                let walk = Walk { way: None, finder: Some(*finder), plan: *plan };
                self.select(&mut query, &walk, stretch);
            }
            Approach::Ways(ways) if ways.is_empty() => return None,
            Approach::Ways(ways) => self.merge(&mut query, ways, stretch),
        }
        Some(query)
    }

    /// As many of each way as the page may need, in order.
    fn merge(&self, query: &mut Query, ways: &[Way], stretch: &Stretch<'_>) {
        order::columns(query.push("SELECT "), stretch.keys, "images");
        query.push(" FROM (");
        for (i, way) in ways.iter().enumerate() {
            query.push(if i == 0 { "" } else { " UNION ALL " }).push("SELECT * FROM (");
            let plan = if way.leads_to_few() { Plan::Sort } else { Plan::Walk };
            self.select(query, &Walk { way: Some(*way), finder: None, plan }, stretch);
            query.push(") AS way").push(i.to_string());
        }
        query.push(") AS images");
        stretch.end(query, Plan::Walk, "images");
    }

    fn select(&self, query: &mut Query, walk: &Walk, stretch: &Stretch<'_>) {
        if self.passes && walk.plan == Plan::Walk {
            return self.select_passing(query, walk, stretch);
        }
        order::columns(query.push("SELECT "), stretch.keys, "images");
        query.push(" FROM images WHERE {not}images.deleted");
        self.seen(query, walk);
        filters::add(query, &self.filters, walk.finder);
        self.stretch(query, walk, stretch);
        stretch.end(query, walk.plan, "images");
    }

    /// The same where most images are not what a filter asks for: their ids, which the index has that
    /// is walked by, are enough to pass them over.
    fn select_passing(&self, query: &mut Query, walk: &Walk, stretch: &Stretch<'_>) {
        order::columns(query.push("SELECT "), stretch.keys, "walked");
        query.push(" FROM (SELECT images.id AS walked_id, ");
        order::columns(query, stretch.keys, "images");
        query.push(" FROM images WHERE 1 = 1");
        if walk.way.is_some() {
            self.seen(query, walk);
        }
        filters::pass(query, &self.filters, walk.finder);
        self.stretch(query, walk, stretch);
        query.push(") AS walked {joined to} images WHERE images.id = walked.walked_id");
        query.push(" AND {not}images.deleted");
        if walk.way.is_none() {
            self.seen(query, walk);
        }
        filters::add_others(query, &self.filters, walk.finder);
        stretch.end(query, walk.plan, "walked");
    }

    /// Adds the condition that the viewer is shown an image, by this way.
    fn seen(&self, query: &mut Query, walk: &Walk) {
        match walk.way {
            Some(way) => way.add(query, self.viewer, self.list, first(&self.order)),
            None => visibility::in_list(query, self.viewer, self.list),
        }
    }

    /// Adds the condition that an image is one of the stretch.
    fn stretch(&self, query: &mut Query, walk: &Walk, stretch: &Stretch<'_>) {
        if let Some(place) = stretch.place {
            place.after(query, &self.order, stretch.reach);
        }
        if let (Some(reach), Some(first)) = (stretch.reach, self.order.first()) {
            reach.add(query, *first, walk.plan);
        }
    }
}

/// What is walked by for a page, or for a part of it.
struct Walk {
    way: Option<Way>,
    finder: Option<usize>,
    plan: Plan,
}

impl Walk {
    fn of_all() -> Self {
        Self { way: None, finder: None, plan: Plan::Walk }
    }
}

/// Where a page begins, how long it is, and by what it is brought into order. The length is part of
/// the text: with a value in its place PostgreSQL takes a tenth of all images for a page, and plans
/// each one anew.
struct Stretch<'a> {
    place: Option<&'a Place>,
    limit: usize,
    reach: Option<&'a Reach>,
    keys: &'a [Order],
}

impl Stretch<'_> {
    /// Adds the end of a query for it.
    fn end(&self, query: &mut Query, plan: Plan, table: &str) {
        order::add(query, self.keys, plan, table);
        query.push(" LIMIT ").push(self.limit.to_string());
    }
}

/// Whether an index is walked twice for what is in two places of it. MySQL does so by itself.
fn in_legs(indexes: Indexes, dialect: Dialect) -> bool {
    indexes == Indexes::Further && dialect != Dialect::MySql
}

/// The first of several keys, by which a walk goes as far as the page does. PostgreSQL does so by
/// itself.
fn bounded(list: &ListQuery, indexes: Indexes, dialect: Dialect) -> Option<Order> {
    let first = list.order.first().filter(|_| list.order.len() > 1)?;
    let helps = indexes == Indexes::Further && dialect != Dialect::Postgres;
    (helps && !is_unique(first.key)).then_some(*first)
}

/// Whether hardly any two images have the same.
fn is_unique(key: SortKey) -> bool {
    matches!(key, SortKey::CreatedAt | SortKey::Id)
}

/// Whether images are passed over by their ids, before their rows are looked at. To PostgreSQL the longer
/// statement costs more than that saves.
fn passes(filters: &[Filter], indexes: Indexes, dialect: Dialect) -> bool {
    let helps = indexes == Indexes::Further && dialect != Dialect::Postgres;
    helps && filters.iter().any(filters::is_of_a_part)
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
        Some(_) => order::columns(&mut query, order, "images"),
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
