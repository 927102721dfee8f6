//! The state of the record, and copies of it.

use std::path::Path;

use crate::append::Store;
use crate::db::{Db, reading};
use crate::error::StoreError;
use crate::prune::before;

/// The state of a record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// How many bytes the database takes.
    pub bytes: u64,
    /// How many records the log has.
    pub records: u64,
    /// How many of them were pruned.
    pub pruned: u64,
    /// How many different contents there are.
    pub contents: u64,
    /// When the oldest record that was not pruned was made, in milliseconds since 1970.
    pub oldest: Option<i64>,
    /// When the newest record was made, in milliseconds since 1970.
    pub newest: Option<i64>,
    /// The root of the log, hexadecimal.
    pub root: String,
}

impl Store {
    /// The state of the record.
    ///
    /// # Errors
    /// When the database does not answer or is damaged.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let log = self.log().await?;
        let (pruned, oldest, newest): (i64, Option<i64>, Option<i64>) = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT COUNT(*) - COUNT(manifest),
                        MIN(CASE WHEN manifest IS NULL THEN NULL ELSE recorded_at END), MAX(recorded_at)
                 FROM records",
            )
            .fetch_one(pool)
            .await
        })?;
        let contents: i64 = reading!(&self.db, pool => {
            sqlx::query_scalar("SELECT COUNT(*) FROM blobs").fetch_one(pool).await
        })?;
        let (database, bytes): (_, i64) = match &self.db {
            Db::Sqlite { read, .. } => {
                let bytes = sqlx::query_scalar(
                    "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
                );
                ("sqlite", bytes.fetch_one(read).await?)
            }
            Db::Postgres(pool) => {
                let bytes = sqlx::query_scalar("SELECT pg_database_size(current_database())");
                ("postgresql", bytes.fetch_one(pool).await?)
            }
        };
        Ok(Status {
            database,
            bytes: bytes.unsigned_abs(),
            records: log.size,
            pruned: pruned.unsigned_abs(),
            contents: contents.unsigned_abs(),
            oldest,
            newest,
            root: hex::encode(log.root),
        })
    }

    /// How many records a prune would let go of. `now` is milliseconds since 1970.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prunable(&self, days: u32, now: i64) -> Result<u64, StoreError> {
        let count: i64 = reading!(&self.db, pool => {
            sqlx::query_scalar("SELECT COUNT(*) FROM records WHERE recorded_at < $1 AND manifest IS NOT NULL")
                .bind(before(days, now))
                .fetch_one(pool)
                .await
        })?;
        Ok(count.unsigned_abs())
    }

    /// Writes the record as it is at this moment into a file, a whole SQLite database of its own. Others can go on
    /// writing. The file must not be there, or be empty; it is on disk when this returns.
    ///
    /// # Errors
    /// When the record is on PostgreSQL, which has its own tools for this; or when the file cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let Db::Sqlite { read, .. } = &self.db else {
            return Err(StoreError::NotSqlite);
        };
        let Some(name) = file.to_str() else {
            return Err(StoreError::Location(file.to_string_lossy().into_owned()));
        };
        sqlx::query("VACUUM INTO $1").bind(name).execute(read).await?;
        let written = tokio::fs::OpenOptions::new().write(true).open(file).await;
        let synced = match written {
            Ok(written) => written.sync_all().await,
            Err(why) => Err(why),
        };
        Ok(synced.map_err(sqlx::Error::Io)?)
    }
}
