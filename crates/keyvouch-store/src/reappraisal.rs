//! What would be said today of what was recorded?
//!
//! A re-appraisal is a list of records, in the store itself: it goes on after a crash, and workers on several nodes
//! share it. A worker claims some records for a while; when it dies, others take them after that.

use std::sync::Arc;

use keyvouch_record::Bundle;
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::append::Store;
use crate::db::{Db, reading, writing};
use crate::error::StoreError;
use crate::index::storable;
use crate::search::{Filter, narrow};

/// How long a claim holds, in milliseconds.
const CLAIM: i64 = 60_000;
/// How many records a worker claims at once.
const BATCH: i64 = 16;

/// A re-appraisal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// What it is about, as its starter said.
    pub about: String,
}

/// How far a re-appraisal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// How many records there are.
    pub total: u64,
    /// How many were judged again.
    pub done: u64,
}

/// What is said of a record today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One word, such as `same` or `changed`.
    pub answer: &'static str,
    /// The verdict of today.
    pub verdict: Option<String>,
    /// More, as JSON or text.
    pub detail: String,
}

impl Outcome {
    /// It could not be judged.
    fn failed(why: String) -> Self {
        Self { answer: "failed", verdict: None, detail: why }
    }
}

/// A record that was judged again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// Its place in the log.
    pub leaf: u64,
    /// The id of the record.
    pub id: String,
    /// Milliseconds since 1970.
    pub recorded_at: i64,
    /// The verdict on record.
    pub recorded_verdict: String,
    /// One word; nothing while it waits.
    pub answer: Option<String>,
    /// The verdict of today.
    pub verdict: Option<String>,
    /// More.
    pub detail: Option<String>,
}

impl Store {
    /// Begins a re-appraisal of the records that the filter names and that were not pruned.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn start_reappraisal(&self, filter: &Filter, about: &str, now: i64) -> Result<Job, StoreError> {
        let job = Job { id: Uuid::now_v7().to_string(), started_at: now, about: about.to_owned() };
        writing!(&self.db, pool, Sql, begin => {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query::<Sql>("INSERT INTO reappraisals (id, started_at, about) VALUES ($1, $2, $3)")
                .bind(&job.id)
                .bind(now)
                .bind(about)
                .execute(&mut *tx)
                .await?;
            let mut sql = QueryBuilder::<Sql>::new("INSERT INTO reappraisal_items (reappraisal, leaf) SELECT CAST(");
            sql.push_bind(&job.id).push(" AS TEXT), r.leaf FROM records r WHERE r.manifest IS NOT NULL");
            narrow(&mut sql, filter);
            sql.build().execute(&mut *tx).await?;
            tx.commit().await?;
            Ok::<(), StoreError>(())
        })?;
        Ok(job)
    }

    /// Every re-appraisal, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reappraisals(&self) -> Result<Vec<Job>, StoreError> {
        let rows: Vec<(String, i64, String)> = reading!(&self.db, pool => {
            sqlx::query_as("SELECT id, started_at, about FROM reappraisals ORDER BY started_at DESC, id DESC")
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(|(id, started_at, about)| Job { id, started_at, about }).collect())
    }

    /// How far it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reappraisal_progress(&self, job: &str) -> Result<Progress, StoreError> {
        let (total, done): (i64, i64) = reading!(&self.db, pool => {
            sqlx::query_as("SELECT COUNT(*), COUNT(done_at) FROM reappraisal_items WHERE reappraisal = $1")
                .bind(job)
                .fetch_one(pool)
                .await
        })?;
        Ok(Progress { total: total.unsigned_abs(), done: done.unsigned_abs() })
    }

    /// Judges some of the records that nobody else has in hand. One that makes `judge` panic is answered `failed`. How many they were: none means that all are done or
    /// in other hands. `now` is milliseconds since 1970.
    ///
    /// # Errors
    /// When the database does not answer. What was claimed can be claimed again after a minute.
    pub async fn reappraise_some<J>(&self, job: &str, now: i64, judge: J) -> Result<usize, StoreError>
    where
        J: Fn(Bundle) -> Outcome + Send + Sync + 'static,
    {
        let leaves = self.claim(job, now).await?;
        let judge = Arc::new(judge);
        let mut judged = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            let outcome = match self.bundle_at(*leaf).await {
                Ok(bundle) => {
                    let judge = Arc::clone(&judge);
                    let judging = tokio::task::spawn_blocking(move || judge(bundle)).await;
                    // One record that cannot be judged must not keep the others from it.
                    judging.unwrap_or_else(|why| Outcome::failed(why.to_string()))
                }
                Err(why) if why.is_temporary() => return Err(why),
                Err(why) => Outcome::failed(why.to_string()),
            };
            judged.push((*leaf, outcome));
        }
        writing!(&self.db, pool, Sql, begin => {
            let mut tx = pool.begin_with(begin).await?;
            for (leaf, outcome) in &judged {
                sqlx::query::<Sql>(
                    "UPDATE reappraisal_items SET done_at = $3, answer = $4, verdict = $5, detail = $6
                     WHERE reappraisal = $1 AND leaf = $2 AND done_at IS NULL",
                )
                .bind(job)
                .bind(leaf)
                .bind(now)
                .bind(outcome.answer)
                .bind(outcome.verdict.as_deref().map(storable))
                .bind(storable(&outcome.detail))
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok::<(), StoreError>(())
        })?;
        Ok(leaves.len())
    }

    async fn claim(&self, job: &str, now: i64) -> Result<Vec<i64>, StoreError> {
        macro_rules! claim {
            ($pool:expr, $lock:literal) => {
                // The list is made once: as a subquery, PostgreSQL may run it again and claim more.
                sqlx::query_scalar(concat!(
                    "WITH free AS MATERIALIZED (
                         SELECT leaf FROM reappraisal_items
                         WHERE reappraisal = $1 AND done_at IS NULL AND (claimed_until IS NULL OR claimed_until < $2)
                         ORDER BY leaf LIMIT $4",
                    $lock,
                    ") UPDATE reappraisal_items SET claimed_until = $3
                     WHERE reappraisal = $1 AND leaf IN (SELECT leaf FROM free) RETURNING leaf"
                ))
                .bind(job)
                .bind(now)
                .bind(now.saturating_add(CLAIM))
                .bind(BATCH)
                .fetch_all($pool)
                .await
            };
        }
        // SQLite has one writer at a time anyway.
        let mut leaves: Vec<i64> = match &self.db {
            Db::Sqlite { write, .. } => claim!(write, ""),
            Db::Postgres(pool) => claim!(pool, " FOR UPDATE SKIP LOCKED"),
        }?;
        leaves.sort_unstable();
        Ok(leaves)
    }

    async fn bundle_at(&self, leaf: i64) -> Result<Bundle, StoreError> {
        let manifest: Option<Option<Vec<u8>>> = reading!(&self.db, pool => {
            sqlx::query_scalar("SELECT manifest FROM records WHERE leaf = $1").bind(leaf).fetch_optional(pool).await
        })?;
        let name = || format!("at place {leaf} of the log");
        let manifest = manifest.ok_or_else(|| StoreError::NoRecord(name()))?;
        let manifest = manifest.ok_or_else(|| StoreError::Pruned(name()))?;
        self.assemble(&manifest, leaf.unsigned_abs()).await
    }

    /// The records of a re-appraisal after a place in the log, in its order: at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reappraisal_items(
        &self,
        job: &str,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        type Row = (i64, String, i64, String, Option<String>, Option<String>, Option<String>);
        let after = after.map_or(-1, |leaf| i64::try_from(leaf).unwrap_or(i64::MAX));
        let rows: Vec<Row> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT i.leaf, r.id, r.recorded_at, r.verdict, i.answer, i.verdict, i.detail
                 FROM reappraisal_items i JOIN records r ON r.leaf = i.leaf
                 WHERE i.reappraisal = $1 AND i.leaf > $2 ORDER BY i.leaf LIMIT $3",
            )
            .bind(job)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
        })?;
        let item = |(leaf, id, recorded_at, recorded_verdict, answer, verdict, detail): Row| Item {
            leaf: leaf.unsigned_abs(),
            id,
            recorded_at,
            recorded_verdict,
            answer,
            verdict,
            detail,
        };
        Ok(rows.into_iter().map(item).collect())
    }
}
