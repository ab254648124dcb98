//! GridFS at the server that `TEST_MONGODB_URI` names. `tests/services/mongodb` is one of our own,
//! which follows MongoDB's protocol and shares nothing with the store.

mod failing;
mod foreign;
mod secure;

use std::env::var;

use futures::{FutureExt, TryStreamExt};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};

use crate::conformance::{Held, Subject, suite};

/// A connection string in its parts.
struct Server {
    uri: String,
    user: String,
    password: String,
    address: String,
}

impl Server {
    fn found() -> Option<Self> {
        let uri = var("TEST_MONGODB_URI").ok()?;
        let (account, rest) = uri.strip_prefix("mongodb://").unwrap().split_once('@').unwrap();
        let (user, password) = account.split_once(':').unwrap();
        let address = rest.split('/').next().unwrap();
        let [user, password, address] = [user, password, address].map(str::to_owned);
        Some(Self { uri, user, password, address })
    }

    fn options(&self, database: &str, password: &str) -> String {
        let user = &self.user;
        format!(
            "mongodb_store_uri = mongodb://{user}:{password}@{{server}}/?authSource=admin&{SEARCH}\n\
             mongodb_store_db = {database}"
        )
    }

    /// The database of that name, as others see it.
    async fn database(&self, name: &str) -> Database {
        Client::with_uri_str(&self.uri).await.unwrap().database(name)
    }

    fn subject(&self, database: &str, options: String) -> Subject {
        Subject {
            server: Some(self.address.parse().unwrap()),
            secrets: vec![self.password.clone(), "not-this-one".to_owned()],
            held: Some(held(self.uri.clone(), database.to_owned())),
            ..Subject::new("gridfs", options)
        }
    }
}

/// A server that is away is not looked for as long as usual.
const SEARCH: &str = "serverSelectionTimeoutMS=1000";

/// Databases of the tests; each subject has one of its own.
fn unique() -> String {
    format!("tintype-{}", image::ImageId::random())
}

/// Every file and every chunk of a database.
fn held(uri: String, database: String) -> Held {
    Box::new(move || {
        let (uri, database) = (uri.clone(), database.clone());
        let held = async move {
            let database = Client::with_uri_str(&uri).await.unwrap().database(&database);
            let mut held = Vec::new();
            for (collection, id) in [("fs.files", "_id"), ("fs.chunks", "files_id")] {
                let collection = database.collection::<Document>(collection);
                let all = collection.find(doc! {}).projection(doc! { "data": 0 }).await.unwrap();
                let all: Vec<Document> = all.try_collect().await.unwrap();
                held.extend(all.iter().map(|one| format!("{} {:?}", one[id], one.get("n"))));
            }
            held.sort();
            held
        };
        held.boxed()
    })
}

async fn usual() -> Option<Subject> {
    let (server, database) = (Server::found()?, unique());
    let odd = format!("n\u{e4}me,%({})", &database[8..]);
    Some(Subject {
        wrong_credentials: Some(server.options(&database, "not-this-one")),
        odd_names: Some(server.options(&odd, &server.password)),
        ..server.subject(&database, server.options(&database, &server.password))
    })
}

/// With the log-in that servers had first, and the database in the connection string.
async fn older() -> Option<Subject> {
    let (server, database) = (Server::found()?, unique());
    let Server { user, password, .. } = &server;
    let how = format!("authSource=admin&authMechanism=SCRAM-SHA-1&{SEARCH}");
    let options = |password: &str| {
        format!("mongodb_store_uri = mongodb://{user}:{password}@{{server}}/{database}?{how}")
    };
    Some(Subject {
        wrong_credentials: Some(options("not-this-one")),
        ..server.subject(&database, options(password))
    })
}

mod plain {
    use super::*;
    suite!(usual);
}

mod sha_1 {
    use super::*;
    suite!(older);
}
