//! Texts that a kind of database can't hold: they are named, and never changed.

use catalog::BadText;

use super::*;

/// Four bytes of UTF-8.
const CRAB: &str = "🦀 x";

/// Whether the tests' database has Glance's tables of three-byte characters.
fn is_mysql() -> bool {
    module_path!().contains("mysql::")
}

fn is_postgres() -> bool {
    module_path!().contains("postgres::")
}

fn why<T: std::fmt::Debug>(refused: Result<T, Error>) -> BadText {
    match refused {
        Err(Error::BadText(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn characters_of_four_bytes_are_kept_or_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let mut with = [image(CRAB), image("value"), image("name"), image("tag")];
    with[1].properties = [("p".into(), CRAB.into())].into();
    with[2].properties = [(CRAB.into(), "v".into())].into();
    with[3].tags = [CRAB.into()].into();
    for (image, column) in with.iter().zip(["name", "value", "name", "value"]) {
        let created = catalog.create(image).await;
        if is_mysql() {
            assert_eq!(why(created), BadText::FourBytes(Some(column.into())));
        } else {
            created.unwrap();
            assert_eq!(catalog.get(&Viewer::service(), image.id).await.unwrap(), *image);
        }
    }
}

#[tokio::test]
async fn characters_of_four_bytes_are_searched_for_or_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let filters = [
        Filter::Name(vec![CRAB.into()]),
        Filter::Name(vec![CRAB.into(), "x".into()]),
        Filter::Tags([CRAB.into()].into()),
        Filter::Property("p".into(), CRAB.into()),
        Filter::Property(CRAB.into(), "v".into()),
        Filter::Owner(CRAB.into()),
    ];
    for filter in filters {
        let query = ListQuery { filters: vec![filter.clone()], ..ListQuery::default() };
        let found = catalog.list(&Viewer::service(), &query).await;
        if is_mysql() {
            assert_eq!(why(found), BadText::FourBytes(None), "{filter:?}");
        } else {
            assert_eq!(found.unwrap(), [], "{filter:?}");
        }
    }
}

#[tokio::test]
async fn zeros_are_kept_or_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image("a\0b");
    let created = catalog.create(&image).await;
    if is_postgres() {
        assert_eq!(why(created), BadText::Character);
    } else {
        created.unwrap();
        assert_eq!(catalog.get(&Viewer::service(), image.id).await.unwrap().name, image.name);
    }
}

/// Also where the server would cut them without a word.
#[tokio::test]
async fn texts_that_are_too_long_are_kept_or_refused() {
    let Some((_fresh, catalog)) = catalog().await else { return };
    let image = image(&"ü".repeat(256));
    let created = catalog.create(&image).await;
    match (is_mysql(), is_postgres()) {
        (true, _) => assert_eq!(why(created), BadText::TooLong(Some("name".into()))),
        (_, true) => assert_eq!(why(created), BadText::TooLong(None)),
        _ => created.unwrap(),
    }
}

/// An administrator may want the server's own mode.
#[tokio::test]
async fn texts_are_cut_where_the_server_does_so_and_may() {
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    if !is_mysql() {
        return;
    }
    let mut database = fresh.database();
    database.sql_mode = Some("NO_ENGINE_SUBSTITUTION".into());
    let catalog = SqlCatalog::connect(&database).await.unwrap();
    let image = image(&"x".repeat(300));
    catalog.create(&image).await.unwrap();
    let cut = catalog.get(&Viewer::service(), image.id).await.unwrap();
    assert_eq!(cut.name, Some("x".repeat(255)));
}
