//! What every catalog must do, in every kind of database. MySQL and PostgreSQL are found by
//! `TEST_MYSQL_ADMIN_URL` or `TEST_MYSQL_URL`, and `TEST_POSTGRES_URL`; the account may create
//! databases, or schemas. Without these, the tests of that kind say so and do nothing.

#![allow(clippy::unwrap_used, clippy::duplicate_mod, clippy::print_stderr)]

#[path = "all/certificates.rs"]
mod certificates;
#[path = "all/fresh.rs"]
mod fresh;
#[path = "all/suite.rs"]
mod mysql;
#[path = "all/suite.rs"]
mod postgres;
#[path = "all/suite.rs"]
mod registry;
#[path = "all/suite.rs"]
mod registry_mysql;
#[path = "all/suite.rs"]
mod registry_postgres;
#[path = "all/suite.rs"]
mod sqlite;
#[path = "all/version.rs"]
mod version;
#[path = "all/wire.rs"]
mod wire;
