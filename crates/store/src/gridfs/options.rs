//! The options of a store in GridFS, as glance_store's `gridfs` driver had them.

use std::sync::Arc;

use client::Secret;
use mongodb::options::ConnectionString;

use super::GridfsStore;
use super::bucket::Bucket;
use super::server::Server;
use crate::kind::{Kind, Options};
use crate::remote::Writers;
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "gridfs", open };

const URI: &str = "mongodb_store_uri";
const DATABASE: &str = "mongodb_store_db";

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let uri = uri(&given(options, URI)?.unwrap_or_default());
    let named = ConnectionString::parse(&uri).map(|parsed| parsed.default_database);
    let Ok(named) = named else {
        let expected = "expected a MongoDB connection string, mongodb://USER:PASSWORD@HOST:PORT";
        return Err(options.wrong(URI, expected).into());
    };
    let Some(database) = given(options, DATABASE)?.or(named) else {
        let expected = "expected the name of a database: a store of kind gridfs needs it";
        return Err(options.wrong(DATABASE, expected).into());
    };
    let server = Server::at(options.section(), Secret::new(uri));
    Ok(Arc::new(GridfsStore {
        bucket: Arc::new(Bucket::of(server, database)),
        writers: Writers::default(),
    }))
}

/// A host alone is one of a connection string, too.
fn uri(given: &str) -> String {
    match given.is_empty() || given.contains("://") {
        true => given.to_owned(),
        false => format!("mongodb://{given}"),
    }
}

fn given(options: &Options<'_>, name: &str) -> Result<Option<String>, SettingsError> {
    let given: Option<String> = options.get(name)?;
    Ok(given.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_alone_are_connection_strings() {
        for (given, expected) in [
            ("mongo.example", "mongodb://mongo.example"),
            ("10.0.0.1:27018,[::1]", "mongodb://10.0.0.1:27018,[::1]"),
            ("mongodb://u:p@h/db", "mongodb://u:p@h/db"),
            ("mongodb+srv://h", "mongodb+srv://h"),
        ] {
            assert_eq!(uri(given), expected);
            assert!(ConnectionString::parse(uri(given)).is_ok(), "{given}");
        }
        assert!(ConnectionString::parse(uri("")).is_err());
    }
}
