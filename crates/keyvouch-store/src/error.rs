//! Why the store could not do what it was asked.

use keyvouch_record::{BundleError, CaseError};
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The place is not one that a store can be at.
    #[error("{0:?} is no database: write a file name, or postgres://user@host/database")]
    Location(String),
    /// The database does not answer, is full, or lost its disk. Nothing was recorded; it may be asked again.
    #[error("the database cannot be used: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Records that were to be written together could not be. None of them was recorded.
    #[error("the record could not be kept: {why}")]
    NotKept {
        /// The first reason.
        why: String,
        /// Whether the same request may succeed later.
        temporary: bool,
    },
    /// The database was made by a later version, or altered.
    #[error("the tables of the database are not those of this version: {0}")]
    Migration(#[source] MigrateError),
    /// The database refuses what it was told to do, and will again.
    #[error("the database refuses: {0}")]
    Refused(#[source] sqlx::Error),
    /// What is in the database does not fit together.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// There is no such record.
    #[error("there is no record {0}")]
    NoRecord(String),
    /// The record was pruned: its contents are gone, its leaf is still in the log.
    #[error("record {0} was pruned: only its place in the log is left")]
    Pruned(String),
    /// A record cannot be put together.
    #[error("the record cannot be put together: {0}")]
    Bundle(#[from] BundleError),
    /// What is to be recorded is no report.
    #[error("the report of the record is none that this version reads")]
    NoReport,
    /// A record cannot be judged.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// Records are younger than the rule demands to keep them.
    #[error("records must be kept for at least {minimum} days; say so if you mean to break that rule")]
    TooYoung {
        /// The least number of days.
        minimum: u32,
    },
    /// It is asked of an SQLite database what another kind does with tools of its own.
    #[error("the record is on PostgreSQL: its own tools, such as pg_dump, make backups of it")]
    NotSqlite,
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// This machine gives no random bytes.
    #[error("this machine gives no random bytes")]
    Random,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if passes(&error) { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            // The error of a statement, and not of the tables it found.
            MigrateError::ExecuteMigration(error, _) if passes(&error) => error.into(),
            error => Self::Migration(error),
        }
    }
}

/// Whether the same may go well later: the fault is in the database's place, and not in what it was told.
fn passes(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    let Error::Database(fault) = error else {
        return matches!(
            error,
            Error::Io(_)
                | Error::Tls(_)
                | Error::PoolTimedOut
                | Error::PoolClosed
                | Error::WorkerCrashed
                | Error::BeginFailed
                // Half of an answer, when the server goes away.
                | Error::Protocol(_)
        );
    };
    let code = fault.code().unwrap_or_default();
    if fault.try_downcast_ref::<PgDatabaseError>().is_some() {
        // Connection, rollback for another's sake, resources, lock, shutdown, disk; and a standby that only reads.
        return ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
            || code == "25006";
    }
    // SQLite: permission, busy, locked, memory, read-only, interrupted, input and output, full, cannot open.
    let primary = code.parse::<u32>().map_or(0, |code| code & 0xff);
    [3, 5, 6, 7, 8, 9, 10, 13, 14].contains(&primary)
}

impl StoreError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Closed | Self::NotKept { temporary: true, .. })
    }
}
