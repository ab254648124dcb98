//! Metadata definitions.

use catalog::Records;
use catalog::metadefs::{
    Association, Contents, Document, Existing, Fault, Kind, Loaded, Namespace, NamespaceKey,
    NamespaceQuery, Object, Others, Property, Reach, Tag, TagKey, TagQuery, Times,
};
use serde_json::json;

use super::*;

async fn records() -> Option<(Fresh, Arc<dyn Records>)> {
    let fresh = Fresh::of(module_path!()).await?;
    let records = fresh.records(module_path!()).await;
    Some((fresh, records))
}

/// Whole seconds, which is what MySQL keeps.
fn now() -> Times {
    let now = Timestamp::from_microsecond(1_700_000_000_000_000);
    Times { created_at: now, updated_at: Some(now) }
}

fn viewer(project: &str) -> Viewer {
    Viewer { project: Some(project.to_owned()), is_admin: false }
}

fn namespace(name: &str, owner: &str) -> Namespace {
    Namespace {
        name: name.to_owned(),
        display_name: None,
        description: None,
        reach: Reach::Private,
        protected: false,
        owner: owner.to_owned(),
        times: now(),
    }
}

fn tag(name: &str) -> Tag {
    Tag { name: name.to_owned(), times: now() }
}

fn association(resource_type: &str, prefix: Option<&str>) -> Association {
    Association {
        resource_type: resource_type.to_owned(),
        prefix: prefix.map(str::to_owned),
        properties_target: None,
        times: now(),
    }
}

fn everything() -> Contents {
    let definition = json!({ "type": "string", "title": "P" });
    Contents {
        associations: vec![association("OS::A", Some("a_")), association("OS::B", None)],
        objects: vec![Object {
            name: "object".to_owned(),
            description: Some("words".to_owned()),
            required: vec!["p".to_owned(), "q".to_owned()],
            properties: [("p".to_owned(), definition.as_object().unwrap().clone())].into(),
            times: now(),
        }],
        properties: vec![Property {
            name: "property".to_owned(),
            definition: definition.as_object().unwrap().clone(),
        }],
        tags: vec![tag("one"), tag("two")],
    }
}

fn query() -> NamespaceQuery {
    NamespaceQuery {
        reach: None,
        resource_types: None,
        key: NamespaceKey::Name,
        direction: Direction::Ascending,
        marker: None,
        limit: 100,
    }
}

async fn names(catalog: &dyn Records, viewer: &Viewer, query: &NamespaceQuery) -> Vec<String> {
    let found = catalog.namespaces(viewer, query).await.unwrap();
    found.into_iter().map(|(namespace, _)| namespace.name).collect()
}

fn fault<T: std::fmt::Debug>(result: catalog::Result<T>) -> Fault {
    match result.unwrap_err() {
        Error::Metadef(fault) => fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_is_put_in_comes_out() {
    let Some((_fresh, catalog)) = records().await else { return };
    let (made, contents) = (namespace("n", "p"), everything());
    catalog.create_namespace(&made, &contents).await.unwrap();
    assert_eq!(catalog.namespace(&viewer("p"), "n").await.unwrap(), made);
    let mut found = catalog.contents("n").await.unwrap();
    found.tags.reverse();
    assert_eq!(found, contents);
}

#[tokio::test]
async fn a_namespace_that_cannot_be_filled_is_not_made() {
    let Some((_fresh, catalog)) = records().await else { return };
    let contents = Contents { tags: vec![tag("one"), tag("one")], ..everything() };
    let refused = catalog.create_namespace(&namespace("n", "p"), &contents).await;
    assert!(matches!(fault(refused), Fault::Duplicate { kind: Kind::Tag, .. }));
    assert!(catalog.resource_types().await.unwrap().is_empty());
    let gone = catalog.namespace(&Viewer::service(), "n").await;
    assert_eq!(fault(gone), Fault::NamespaceNotFound("n".to_owned()));
}

#[tokio::test]
async fn others_see_what_is_public() {
    let Some((_fresh, catalog)) = records().await else { return };
    for (name, owner, reach) in
        [("a", "p", Reach::Private), ("b", "p", Reach::Public), ("c", "q", Reach::Private)]
    {
        let namespace = Namespace { reach, ..namespace(name, owner) };
        catalog.create_namespace(&namespace, &Contents::default()).await.unwrap();
    }
    assert_eq!(names(catalog.as_ref(), &viewer("p"), &query()).await, ["a", "b"]);
    assert_eq!(names(catalog.as_ref(), &viewer("q"), &query()).await, ["b", "c"]);
    assert_eq!(names(catalog.as_ref(), &Viewer::service(), &query()).await, ["a", "b", "c"]);
    assert!(catalog.namespace(&viewer("q"), "a").await.is_err());
    let hidden = NamespaceQuery { marker: Some("a".to_owned()), ..query() };
    assert!(catalog.namespaces(&viewer("q"), &hidden).await.is_err());
}

#[tokio::test]
async fn pages_hold_every_namespace_once_whatever_the_key() {
    let Some((_fresh, catalog)) = records().await else { return };
    let times = now();
    for (number, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let display_name = (number % 2 == 0).then(|| format!("name {}", number % 3));
        let namespace = Namespace { display_name, times, ..namespace(name, "p") };
        catalog.create_namespace(&namespace, &Contents::default()).await.unwrap();
    }
    for key in NamespaceKey::ALL {
        for direction in [Direction::Ascending, Direction::Descending] {
            let whole = NamespaceQuery { key: *key, direction, ..query() };
            let all = names(catalog.as_ref(), &Viewer::service(), &whole).await;
            let mut page = NamespaceQuery { limit: 2, ..whole };
            let mut seen: Vec<String> = Vec::new();
            loop {
                let found = names(catalog.as_ref(), &Viewer::service(), &page).await;
                page.marker = found.last().cloned();
                seen.extend(found);
                if page.marker.is_none() {
                    break;
                }
            }
            assert_eq!(seen, all, "{key:?} {direction:?}");
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_by_resource_type_and_visibility() {
    let Some((_fresh, catalog)) = records().await else { return };
    catalog.create_namespace(&namespace("a", "p"), &everything()).await.unwrap();
    let public = Namespace { reach: Reach::Public, ..namespace("b", "p") };
    catalog.create_namespace(&public, &Contents::default()).await.unwrap();
    let of = |types: &[&str]| NamespaceQuery {
        resource_types: Some(types.iter().map(|name| (*name).to_owned()).collect()),
        ..query()
    };
    let everyone = Viewer::service();
    assert_eq!(names(catalog.as_ref(), &everyone, &of(&["OS::A", "OS::B"])).await, ["a"]);
    assert_eq!(names(catalog.as_ref(), &everyone, &of(&["OS::C"])).await, [""; 0]);
    let public = NamespaceQuery { reach: Some(Reach::Public), ..query() };
    assert_eq!(names(catalog.as_ref(), &everyone, &public).await, ["b"]);
    let listed = catalog.namespaces(&everyone, &of(&["OS::A"])).await.unwrap();
    let types: Vec<_> = listed[0].1.iter().map(|a| a.resource_type.as_str()).collect();
    assert_eq!(types, ["OS::A", "OS::B"]);
}

#[tokio::test]
async fn nothing_leaves_a_protected_namespace() {
    let Some((_fresh, catalog)) = records().await else { return };
    let protected = Namespace { protected: true, ..namespace("n", "p") };
    catalog.create_namespace(&protected, &everything()).await.unwrap();
    for (kind, name) in [
        (Kind::Object, "object"),
        (Kind::Property, "property"),
        (Kind::Tag, "one"),
        (Kind::Association, "OS::A"),
    ] {
        let refused = fault(catalog.remove("n", kind, name).await);
        assert_eq!(refused, Fault::Protected { kind, name: name.to_owned() });
        let refused = fault(catalog.clear("n", kind).await);
        assert_eq!(refused, Fault::NamespaceProtected("n".to_owned()));
    }
    let refused = fault(catalog.delete_namespace("n").await);
    assert_eq!(refused, Fault::NamespaceProtected("n".to_owned()));
    catalog.change_namespace("n", &namespace("n", "p")).await.unwrap();
    catalog.delete_namespace("n").await.unwrap();
    assert_eq!(catalog.resource_types().await.unwrap().len(), 2);
}

#[tokio::test]
async fn names_stay_unique() {
    let Some((_fresh, catalog)) = records().await else { return };
    for name in ["n", "m"] {
        catalog.create_namespace(&namespace(name, "p"), &everything()).await.unwrap();
    }
    let again = catalog.create_namespace(&namespace("n", "p"), &Contents::default()).await;
    assert_eq!(fault(again), Fault::DuplicateNamespace("n".to_owned()));
    let renamed = catalog.change_namespace("m", &namespace("n", "p")).await;
    assert_eq!(fault(renamed), Fault::DuplicateNamespaceByUpdate("n".to_owned()));
    let renamed = catalog.change_tag("n", "one", "two").await;
    assert!(matches!(fault(renamed), Fault::DuplicateByUpdate { kind: Kind::Tag, .. }));
    let again = catalog.associate("n", &association("OS::A", None)).await;
    assert!(matches!(fault(again), Fault::Duplicate { kind: Kind::Association, .. }));
}

#[tokio::test]
async fn tags_are_replaced_or_added_to() {
    let Some((_fresh, catalog)) = records().await else { return };
    catalog.create_namespace(&namespace("n", "p"), &everything()).await.unwrap();
    let by_name =
        TagQuery { key: TagKey::Name, direction: Direction::Ascending, ..TagQuery::default() };
    let listed = async |query: &TagQuery| {
        let tags = catalog.tags("n", query).await.unwrap();
        tags.into_iter().map(|tag| tag.name).collect::<Vec<_>>()
    };
    catalog.add_tags("n", &[tag("three")], Others::Keep).await.unwrap();
    assert_eq!(listed(&by_name).await, ["one", "three", "two"]);
    let page = TagQuery { marker: Some("one".to_owned()), limit: Some(1), ..by_name.clone() };
    assert_eq!(listed(&page).await, ["three"]);
    let refused = catalog.add_tags("n", &[tag("four"), tag("four")], Others::Remove).await;
    assert!(refused.is_err());
    assert_eq!(listed(&by_name).await, ["one", "three", "two"]);
    catalog.add_tags("n", &[], Others::Remove).await.unwrap();
    assert_eq!(listed(&by_name).await.len(), 3);
    catalog.add_tags("n", &[tag("four")], Others::Remove).await.unwrap();
    assert_eq!(listed(&by_name).await, ["four"]);
}

fn document(fields: serde_json::Value) -> Document {
    serde_json::from_value(fields).unwrap()
}

fn first() -> Document {
    document(json!({
        "namespace": "n",
        "display_name": "First",
        "visibility": "public",
        "protected": true,
        "resource_type_associations": [{ "name": "OS::A", "prefix": "a_" }],
        "properties": { "p": { "type": "string", "title": "First" } },
        "objects": [{ "name": "o", "properties": { "q": { "type": "string", "title": "Q" } } }],
        "tags": [{ "name": "t" }],
    }))
}

fn second() -> Document {
    document(json!({
        "namespace": "n",
        "display_name": "Second",
        "resource_type_associations": [{ "name": "OS::A", "prefix": "b_" }, { "name": "OS::B" }],
        "properties": {
            "p": { "type": "string", "title": "Second" },
            "r": { "type": "string", "title": "R" },
        },
    }))
}

#[tokio::test]
async fn loading_does_to_what_exists_as_it_is_told() {
    let cases = [
        (Existing::Skip, Loaded::Skipped, "First", "First", 1, "a_", 1),
        (Existing::Merge, Loaded::Merged, "First", "First", 2, "a_", 1),
        (Existing::MergeNewer, Loaded::Merged, "Second", "Second", 2, "b_", 1),
        (Existing::Overwrite, Loaded::Overwritten, "Second", "Second", 2, "b_", 0),
    ];
    for (existing, loaded, display_name, title, properties, prefix, objects) in cases {
        let Some((_fresh, catalog)) = records().await else { return };
        let created = catalog.load(&first(), existing).await.unwrap();
        assert_eq!(created, Loaded::Created);
        assert_eq!(catalog.load(&second(), existing).await.unwrap(), loaded);
        let namespace = catalog.namespace(&Viewer::service(), "n").await.unwrap();
        let contents = catalog.contents("n").await.unwrap();
        assert_eq!(namespace.display_name.as_deref(), Some(display_name), "{existing:?}");
        assert_eq!(contents.properties[0].definition["title"], title, "{existing:?}");
        assert_eq!(contents.properties.len(), properties, "{existing:?}");
        assert_eq!(contents.associations[0].prefix.as_deref(), Some(prefix), "{existing:?}");
        assert_eq!(contents.objects.len(), objects, "{existing:?}");
    }
}

#[tokio::test]
async fn what_is_exported_loads_as_the_same() {
    let Some((_fresh, catalog)) = records().await else { return };
    catalog.load(&first(), Existing::Skip).await.unwrap();
    let exported = catalog.export().await.unwrap();
    assert_eq!(exported, [first()]);
    catalog.unload().await.unwrap();
    assert!(catalog.export().await.unwrap().is_empty());
    assert!(catalog.resource_types().await.unwrap().is_empty());
    catalog.load(&exported[0], Existing::Skip).await.unwrap();
    assert_eq!(catalog.export().await.unwrap(), exported);
}

#[tokio::test]
async fn what_glances_loader_leaves_open_has_glances_defaults() {
    let Some((fresh, catalog)) = records().await else { return };
    let bare = document(json!({ "namespace": "n", "objects": [{ "name": "o" }] }));
    catalog.load(&bare, Existing::Skip).await.unwrap();
    // Glance writes null where a file says nothing.
    for statement in [
        "UPDATE metadef_namespaces SET visibility = NULL, protected = NULL",
        "UPDATE metadef_objects SET json_schema = 'null'",
    ] {
        assert!(fresh.tries(statement).await);
    }
    let namespace = catalog.namespace(&Viewer::service(), "n").await.unwrap();
    assert_eq!((namespace.reach, namespace.protected), (Reach::Private, false));
    let private = NamespaceQuery { reach: Some(Reach::Private), ..query() };
    assert_eq!(names(catalog.as_ref(), &Viewer::service(), &private).await, ["n"]);
    assert!(catalog.object("n", "o").await.unwrap().properties.is_empty());
    catalog.delete_namespace("n").await.unwrap();
}
