//! Stores to try things with, on every database that there is.

use std::sync::OnceLock;

use keyvouch::{File, Submission};
use keyvouch_policy::Policy;
use keyvouch_record::{Bundle, Case};
use keyvouch_store::{Location, Record, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

/// Milliseconds since 1970: 2026-06-01.
pub(crate) const NOW: i64 = 1_780_272_000_000;
pub(crate) const DAY: i64 = 86_400_000;

/// The bundle of a sample.
pub(crate) fn bundle(format: &str, number: usize) -> Bundle {
    let sample = &keyvouch_emulator::samples(format).unwrap()[number];
    let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
    let mut submission =
        Submission::new(sample.evidence.iter().map(file).collect(), sample.at.parse().unwrap());
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in &sample.options {
        submission.options.set(name, value.clone());
    }
    let mut case = Case::new(submission, Policy::builtin("hardware-key").unwrap());
    case.operator_data = sample.anchors.iter().map(file).collect();
    Bundle::of(case).unwrap()
}

/// A record, cheap to make, and different for every number.
pub(crate) fn record(number: u64) -> Record {
    static ONE: OnceLock<Bundle> = OnceLock::new();
    let bundle = ONE.get_or_init(|| bundle("yubikey-piv", 0));
    let now = NOW + i64::try_from(number).unwrap();
    Record::new(bundle.clone(), &format!("client {number}"), now).unwrap()
}

/// A place for a store of its own.
pub(crate) struct Place {
    location: Location,
    url: String,
    dir: tempfile::TempDir,
}

impl Place {
    /// One on every database.
    pub(crate) async fn all() -> Vec<Self> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("store.db");
        let mut places = vec![Self {
            location: Location::Sqlite(file.clone()),
            url: format!("sqlite:{}", file.display()),
            dir,
        }];
        match std::env::var("KEYVOUCH_TEST_POSTGRES") {
            Ok(server) => places.push(Self::postgres(&server).await),
            Err(_) => eprintln!(
                "\n*** NO POSTGRESQL: set KEYVOUCH_TEST_POSTGRES to postgres://user@host. Only SQLite was tried. ***\n"
            ),
        }
        places
    }

    async fn postgres(server: &str) -> Self {
        let name = format!("keyvouch_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let url = format!("{server}/{name}");
        Self { location: Location::parse(&url).unwrap(), url, dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn open_again(&self) -> Store {
        self.open().await
    }

    pub(crate) async fn try_open(&self) -> Result<Store, StoreError> {
        Store::open(&self.location).await
    }

    /// Runs SQL, as somebody with the password could.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if let Some(file) = self.url.strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::connect(file).await.unwrap();
            connection.execute(AssertSqlSafe("PRAGMA foreign_keys = OFF".to_owned())).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection
                .execute(AssertSqlSafe("SET session_replication_role = replica".to_owned()))
                .await
                .unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// Makes the database refuse the records of somebody.
    pub(crate) async fn refuse_records_of(&self, submitter: &str) {
        if self.url.starts_with("sqlite:") {
            self.run(&format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON records WHEN NEW.submitter = '{submitter}'
                 BEGIN SELECT RAISE(ABORT, 'refused'); END"
            ))
            .await;
        } else {
            self.run(&format!("ALTER TABLE records ADD CHECK (submitter <> '{submitter}')")).await;
        }
    }

    /// Copies every table.
    pub(crate) async fn save(&self) {
        for table in TABLES {
            self.run(&format!("DROP TABLE IF EXISTS saved_{table}")).await;
            self.run(&format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}")).await;
        }
    }

    /// Puts the copies back.
    pub(crate) async fn restore(&self) {
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!("INSERT INTO {table} SELECT * FROM saved_{table}")).await;
        }
        assert!(self.dir.path().exists());
    }
}

const TABLES: &[&str] = &["blobs", "log", "hashes", "records", "statements", "record_blobs"];

/// Runs a test on every database.
pub(crate) fn on_each(test: impl AsyncFn(&Place)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for place in Place::all().await {
            test(&place).await;
        }
    });
}
