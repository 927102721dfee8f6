//! What is given out to be answered once: nonces, and credentials for TPMs.

use crate::append::Store;
use crate::db::writing;
use crate::error::StoreError;

/// What became of a challenge that was to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    /// It is used now, and cannot be used again. What was kept with it.
    Now(String),
    /// It was used before.
    Before,
    /// It came too late.
    Expired,
    /// It was never given out.
    Unknown,
}

impl Store {
    /// Keeps a challenge. `state` is what its answer is checked with. Times are milliseconds since 1970.
    ///
    /// # Errors
    /// When the database does not answer, or the id was given out before.
    pub async fn issue(
        &self,
        kind: &'static str,
        id: &str,
        now: i64,
        expires_at: i64,
        state: &str,
    ) -> Result<(), StoreError> {
        writing!(&self.db, pool => {
            sqlx::query("INSERT INTO challenges (id, kind, issued_at, expires_at, state) VALUES ($1, $2, $3, $4, $5)")
                .bind(id)
                .bind(kind)
                .bind(now)
                .bind(expires_at)
                .bind(state)
                .execute(pool)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Uses a challenge: once, whoever asks first, on whatever node.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_once(&self, kind: &'static str, id: &str, now: i64) -> Result<Used, StoreError> {
        // The condition and the change are one statement: of two that come at once, one changes nothing.
        let state: Option<String> = writing!(&self.db, pool => {
            sqlx::query_scalar(
                "UPDATE challenges SET used_at = $3
                 WHERE id = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3 RETURNING state",
            )
            .bind(id)
            .bind(kind)
            .bind(now)
            .fetch_optional(pool)
            .await
        })?;
        if let Some(state) = state {
            return Ok(Used::Now(state));
        }
        let known: Option<(Option<i64>,)> = writing!(&self.db, pool => {
            sqlx::query_as("SELECT used_at FROM challenges WHERE id = $1 AND kind = $2")
                .bind(id)
                .bind(kind)
                .fetch_optional(pool)
                .await
        })?;
        Ok(match known {
            None => Used::Unknown,
            Some((Some(_),)) => Used::Before,
            Some((None,)) => Used::Expired,
        })
    }

    /// Forgets challenges that expired before the time: they can be used no more anyway.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_challenges(&self, before: i64) -> Result<u64, StoreError> {
        Ok(writing!(&self.db, pool => {
            sqlx::query("DELETE FROM challenges WHERE expires_at < $1")
                .bind(before)
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
        })?)
    }
}
