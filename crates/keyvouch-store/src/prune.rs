//! Letting go of what need not be kept any longer.

use crate::append::Store;
use crate::db::writing;
use crate::error::StoreError;

/// How long a CA keeps the records of a certificate at least: two years (CA/Browser Forum Baseline Requirements for
/// Code-Signing Certificates, 5.5.2), and a day for leap years.
pub const MIN_RETENTION_DAYS: u32 = 731;

/// Records in one transaction. Nobody can append meanwhile.
const BATCH: i64 = 100;
const DAY: i64 = 86_400_000;

/// What was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    /// Records whose contents are gone. Their leaves stay in the log.
    pub records: u64,
    /// Contents that no other record needs, and that are gone.
    pub contents: u64,
}

/// The time before which records are older than these days.
pub(crate) fn before(days: u32, now: i64) -> i64 {
    now.saturating_sub(i64::from(days).saturating_mul(DAY))
}

impl Store {
    /// Removes the contents and manifests of records that are older than `days`. The leaf of each stays in the log,
    /// so that proofs of the others hold, and so do who asked, when, and the verdict. `now` is milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// When `days` is less than [`MIN_RETENTION_DAYS`] and not `forced`, or the database does not answer.
    pub async fn prune(&self, days: u32, forced: bool, now: i64) -> Result<Pruned, StoreError> {
        if days < MIN_RETENTION_DAYS && !forced {
            return Err(StoreError::TooYoung { minimum: MIN_RETENTION_DAYS });
        }
        let before = before(days, now);
        let mut all = Pruned::default();
        loop {
            let some = self.prune_some(before).await?;
            if some.records == 0 {
                return Ok(all);
            }
            all.records = all.records.saturating_add(some.records);
            all.contents = all.contents.saturating_add(some.contents);
        }
    }

    async fn prune_some(&self, before: i64) -> Result<Pruned, StoreError> {
        writing!(&self.db, pool, Sql, begin => {
            let mut tx = pool.begin_with(begin).await?;
            // Nobody may add a record that needs a content which is about to go.
            let _: i64 = sqlx::query_scalar("UPDATE log SET size = size WHERE id = 1 RETURNING size")
                .fetch_one(&mut *tx)
                .await?;
            let leaves: Vec<i64> = sqlx::query_scalar::<Sql, i64>(
                "SELECT leaf FROM records WHERE recorded_at < $1 AND manifest IS NOT NULL ORDER BY leaf LIMIT $2",
            )
            .bind(before)
            .bind(BATCH)
            .fetch_all(&mut *tx)
            .await?;
            let mut pruned = Pruned::default();
            for leaf in leaves {
                let contents: Vec<i64> =
                    sqlx::query_scalar("DELETE FROM record_blobs WHERE leaf = $1 RETURNING blob")
                        .bind(leaf)
                        .fetch_all(&mut *tx)
                        .await?;
                for blob in contents {
                    let gone = sqlx::query(
                        "DELETE FROM blobs WHERE id = $1
                         AND NOT EXISTS (SELECT 1 FROM record_blobs r WHERE r.blob = $1)",
                    )
                    .bind(blob)
                    .execute(&mut *tx)
                    .await?;
                    pruned.contents = pruned.contents.saturating_add(gone.rows_affected());
                }
                sqlx::query("UPDATE records SET manifest = NULL WHERE leaf = $1").bind(leaf).execute(&mut *tx).await?;
                pruned.records = pruned.records.saturating_add(1);
            }
            tx.commit().await?;
            Ok(pruned)
        })
    }
}
