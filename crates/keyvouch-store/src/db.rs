//! The two databases.
//!
//! Statements are written once, in the SQL that both know, and compiled for each: [`reading!`] and [`writing!`] run the
//! same code on either pool.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::StoreError;

/// How long to wait for a connection, or for another process that writes, before the database counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a page of a new SQLite database. A record has some tens of kilobytes: few pages of this size, and many of the
/// usual one, each of which is written by itself, to the journal and then to its place.
const PAGE: u32 = 16 << 10;
/// Connections for reading, of one node.
const READERS: u32 = 8;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server: `postgres://…`. It may hold a password and is never printed.
    Postgres(Secret),
}

/// Text that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(not shown)")
    }
}

impl Location {
    /// The place that the text names: `postgres://…`, `postgresql://…`, `sqlite:FILE`, or a file.
    ///
    /// # Errors
    /// When it is empty or names another kind of database.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        match text.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Secret(text.to_owned()))),
            Some(("sqlite", file)) => Self::file(file.strip_prefix("//").unwrap_or(file)),
            // The text may hold a password, so only its kind is told.
            Some((kind, rest)) if rest.starts_with("//") => Err(StoreError::Location(format!("{kind}://…"))),
            _ => Self::file(text),
        }
    }

    /// To SQLite, the empty name and `:memory:` are databases that are gone with their connection, and `file:` begins
    /// an address with options: of all these nobody may think that a record is kept there.
    fn file(name: &str) -> Result<Self, StoreError> {
        let is_none = name.trim().is_empty() || name.starts_with(':') || name.starts_with("file:");
        if is_none { Err(StoreError::Location(name.to_owned())) } else { Ok(Self::Sqlite(name.into())) }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// One connection writes, so that no two wait for each other; others read beside it (WAL).
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

impl Db {
    pub(crate) async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(path) => Self::sqlite(path).await,
            Location::Postgres(url) => Self::postgres(&url.0).await,
        }
    }

    async fn sqlite(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .page_size(PAGE)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .journal_mode(SqliteJournalMode::Wal)
            // Every commit is on disk before it is acknowledged.
            .synchronous(SqliteSynchronous::Full);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE.saturating_mul(2))
            // When the disk is full, SQLite itself rolls back, and sqlx (0.9) takes the connection to be in a transaction
            // for ever after. Another one takes its place.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // Answered after what was sent before it, which may be a rollback.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("migrations/sqlite").run(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        Ok(Self::Sqlite { write, read })
    }

    async fn postgres(url: &str) -> Result<Self, StoreError> {
        // What is wrong with it is not told: it may hold a password.
        let options = PgConnectOptions::from_str(url);
        let options = options.map_err(|_| StoreError::Location("postgres://…".to_owned()))?;
        // Every commit is on disk before it is acknowledged, whatever the server does for others.
        let options = options.options([("synchronous_commit", "on")]);
        let pool = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        sqlx::migrate!("migrations/postgres").run(&pool).await?;
        Ok(Self::Postgres(pool))
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Runs the same code on the pool for reading. `$sql` names the database's type.
macro_rules! reading {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { read: $pool, .. } => $body,
            $crate::db::Db::Postgres($pool) => $body,
        }
    };
    ($db:expr, $pool:ident, $sql:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { read: $pool, .. } => {
                type $sql = sqlx::Sqlite;
                $body
            }
            $crate::db::Db::Postgres($pool) => {
                type $sql = sqlx::Postgres;
                $body
            }
        }
    };
}

/// Runs the same code on the pool for writing. `$sql` names the database's type, `$begin` the words that begin a
/// transaction which will write.
macro_rules! writing {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { write: $pool, .. } => $body,
            $crate::db::Db::Postgres($pool) => $body,
        }
    };
    ($db:expr, $pool:ident, $sql:ident, $begin:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { write: $pool, .. } => {
                type $sql = sqlx::Sqlite;
                // At once for writing: a transaction that begins by reading can find that it may not write.
                let $begin = "BEGIN IMMEDIATE";
                $body
            }
            $crate::db::Db::Postgres($pool) => {
                type $sql = sqlx::Postgres;
                let $begin = "BEGIN";
                $body
            }
        }
    };
}

pub(crate) use {reading, writing};
