//! A database of its own for each test, gone after it.

use std::sync::Arc;
use std::time::Duration;

use catalog::Records;
use catalog::registry::{Address, Client, Keys, Registry, Way};
use catalog::sql::{Database, SqlCatalog};
use image::ImageId;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

/// A database that nobody else uses.
pub(crate) enum Fresh {
    Sqlite(TempDir),
    MySql { server: String, name: String },
    Postgres { server: String, name: String },
}

impl Fresh {
    /// In the kind of database that the test's module is named after; `None` where there is none.
    pub(crate) async fn of(module: &str) -> Option<Self> {
        let name = format!("tintype_test_{}", ImageId::random().to_string().replace('-', ""));
        let fresh = match module.split("::").nth(1).map(|kind| kind.trim_start_matches("registry_"))
        {
            Some("mysql") => {
                let server = server(&["TEST_MYSQL_ADMIN_URL", "TEST_MYSQL_URL"])?;
                Self::MySql { server, name }
            }
            Some("postgres") => Self::Postgres { server: server(&["TEST_POSTGRES_URL"])?, name },
            _ => return Some(Self::Sqlite(tempfile::tempdir().unwrap())),
        };
        fresh.on_server("CREATE").await;
        Some(fresh)
    }

    pub(crate) fn database(&self) -> Database {
        match self {
            Self::Sqlite(dir) => dir.path().join("glance.db").as_path().into(),
            _ => self.url().parse().unwrap(),
        }
    }

    pub(crate) async fn catalog(&self) -> SqlCatalog {
        SqlCatalog::connect(&self.database()).await.unwrap()
    }

    /// The catalog, behind a registry where the module is one of `registry`s.
    pub(crate) async fn records(&self, module: &str) -> Arc<dyn Records> {
        let catalog = Arc::new(self.catalog().await);
        match module.split("::").nth(1).is_some_and(|kind| kind.starts_with("registry")) {
            true => Arc::new(behind_a_registry(catalog).await),
            false => catalog,
        }
    }

    /// Runs a statement beside the catalog.
    pub(crate) async fn run(&self, sql: &'static str) {
        match self {
            Self::Sqlite(_) => {
                let mut db = sqlx::SqliteConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.unwrap();
            }
            Self::MySql { .. } => {
                let mut db = sqlx::MySqlConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.unwrap();
            }
            Self::Postgres { .. } => {
                let mut db = sqlx::PgConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.unwrap();
            }
        }
    }

    /// A connection beside the catalog; `None` where there is one writer at a time.
    pub(crate) async fn beside(&self) -> Option<Beside> {
        match self {
            Self::Sqlite(_) => None,
            Self::MySql { .. } => {
                Some(Beside::MySql(sqlx::MySqlConnection::connect(&self.url()).await.unwrap()))
            }
            Self::Postgres { .. } => {
                Some(Beside::Postgres(sqlx::PgConnection::connect(&self.url()).await.unwrap()))
            }
        }
    }

    /// Ends all other connections to the database; says how many. Of SQLite there are none.
    pub(crate) async fn disconnect(&self) -> usize {
        match self {
            Self::Sqlite(_) => 0,
            Self::MySql { server, name } => {
                let mut db = sqlx::MySqlConnection::connect(server).await.unwrap();
                kill(&mut db, name).await
            }
            Self::Postgres { server, name } => {
                let mut db = sqlx::PgConnection::connect(server).await.unwrap();
                sqlx::query(TERMINATE).bind(name).fetch_all(&mut db).await.unwrap().len()
            }
        }
    }

    /// The same database, as connections of which none may write; `None` where a connection can't
    /// be made so: the files of SQLite are everybody's to the superuser, and MySQL says it of the
    /// whole server. `tests/side_by_side` tries those.
    pub(crate) fn read_only(&self) -> Option<Database> {
        match self {
            Self::Postgres { .. } => {
                let url = format!("{}&options[default_transaction_read_only]=on", self.url());
                Some(url.parse().unwrap())
            }
            _ => None,
        }
    }

    /// Runs a statement that the database may refuse; says whether it did not.
    pub(crate) async fn tries(&self, sql: &str) -> bool {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => {
                let mut db = sqlx::SqliteConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.is_ok()
            }
            Self::MySql { .. } => {
                let mut db = sqlx::MySqlConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.is_ok()
            }
            Self::Postgres { .. } => {
                let mut db = sqlx::PgConnection::connect(&self.url()).await.unwrap();
                db.execute(sql).await.is_ok()
            }
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("sqlite://{}", dir.path().join("glance.db").display()),
            Self::MySql { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
            Self::Postgres { server, name } => format!("{server}?options[search_path]={name}"),
        }
    }

    async fn on_server(&self, what: &str) {
        match self {
            Self::Sqlite(_) => {}
            Self::MySql { server, name } => {
                let mut db = sqlx::MySqlConnection::connect(server).await.unwrap();
                kill(&mut db, name).await;
                db.execute(AssertSqlSafe(format!("{what} DATABASE {name}"))).await.unwrap();
            }
            Self::Postgres { server, name } => {
                let all = if what == "DROP" { "CASCADE" } else { "" };
                let mut db = sqlx::PgConnection::connect(server).await.unwrap();
                sqlx::query(TERMINATE).bind(name).execute(&mut db).await.unwrap();
                db.execute(AssertSqlSafe(format!("{what} SCHEMA {name} {all}"))).await.unwrap();
            }
        }
    }
}

/// A connection to a database that others use too.
pub(crate) enum Beside {
    MySql(sqlx::MySqlConnection),
    Postgres(sqlx::PgConnection),
}

impl Beside {
    pub(crate) async fn run(&mut self, sql: &'static str) {
        match self {
            Self::MySql(db) => sqlx::raw_sql(sql).execute(db).await.map(drop),
            Self::Postgres(db) => sqlx::raw_sql(sql).execute(db).await.map(drop),
        }
        .unwrap();
    }

    /// Waits until another connection waits for a lock. MySQL looks anew only where it was not asked
    /// for a tenth of a second.
    pub(crate) async fn until_somebody_waits(&mut self) {
        let waiting = async {
            while self.waiting().await == 0 {
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
    }

    async fn waiting(&mut self) -> i64 {
        match self {
            Self::MySql(db) => sqlx::query_scalar(
                "SELECT COUNT(*) FROM information_schema.innodb_trx t \
                 JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                 WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'",
            )
            .fetch_one(db)
            .await
            .unwrap(),
            Self::Postgres(db) => sqlx::query_scalar(
                "SELECT COUNT(*) FROM pg_stat_activity \
                 WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))",
            )
            .fetch_one(db)
            .await
            .unwrap(),
        }
    }
}

/// A client of a registry of its own, which ends with the test's runtime.
pub(crate) async fn behind_a_registry(catalog: Arc<dyn Records>) -> Client {
    let keys = Keys::secret("the secret of the tests, which is long").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let way = Way::tls(listener, &keys).unwrap();
    tokio::spawn(Registry::new(catalog).serve(way, std::future::pending()));
    let client = Client::new(Address::Tls("127.0.0.1".into(), port), Some(&keys)).unwrap();
    client.reached(Duration::from_secs(10)).await.unwrap();
    client
}

impl Drop for Fresh {
    /// From a thread of its own: the test's is in a runtime already.
    fn drop(&mut self) {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(self.on_server("DROP"));
            });
        });
    }
}

/// Ends the connections that still hold something in a schema.
const TERMINATE: &str = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l \
     JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND l.pid <> pg_backend_pid()";

/// Ends the connections to a database; says how many.
async fn kill(db: &mut sqlx::MySqlConnection, name: &str) -> usize {
    let mut ended = 0;
    for id in users(db, name).await {
        let gone_meanwhile = db.execute(AssertSqlSafe(format!("KILL {id}"))).await.is_err();
        ended += usize::from(!gone_meanwhile);
    }
    ended
}

/// The connections to a database.
async fn users(db: &mut sqlx::MySqlConnection, name: &str) -> Vec<i64> {
    let sql = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?";
    sqlx::query_scalar(sql).bind(name).fetch_all(db).await.unwrap()
}

fn server(names: &[&str]) -> Option<String> {
    let found = names.iter().find_map(|name| std::env::var(name).ok());
    if found.is_none() {
        eprintln!("skipped: {} is not set", names[names.len() - 1]);
    }
    found
}
