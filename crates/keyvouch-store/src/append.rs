//! Appending: records are collected while the disk is busy, and committed together.

use std::collections::BTreeMap;

use keyvouch_record::log::{LogKey, Proof};
use keyvouch_record::{Bundle, Parts, trust_data_of};
use sqlx::QueryBuilder;
use tokio::sync::{mpsc, oneshot, watch};

use crate::batch::Batch;
use crate::db::{Db, Location, reading, writing};
use crate::error::StoreError;
use crate::index::storable;
use crate::record::{Record, Stored};
use crate::tree::{self, Known, LogState};

/// The most records in one commit.
const BATCH: usize = 256;
/// The most rows in one statement: the databases have a limit on its values.
const ROWS: usize = 1_000;
/// The most bytes of a content that is written in one statement with others.
const SMALL: usize = 64 << 10;
/// The most records that wait for a commit; whoever comes later waits to wait.
const QUEUE: usize = 256;

/// The record that a service keeps. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) db: Db,
    queue: mpsc::Sender<Waiting>,
    /// Tells the writer to stop. It holds the other end until it has written everything.
    stop: watch::Sender<bool>,
}

/// A record is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the record.
    pub id: String,
    /// Its place in the log.
    pub leaf: u64,
}

struct Waiting {
    record: Record,
    done: oneshot::Sender<Result<Receipt, StoreError>>,
}

impl Store {
    /// Opens the store, and makes or updates its tables. Call it in a tokio runtime: a task of its own writes.
    ///
    /// # Errors
    /// When the database does not answer, or was made by a later version.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        let db = Db::open(location).await?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(write_all(db.clone(), waiting, stopped));
        Ok(Self { db, queue, stop })
    }

    /// Keeps a record. Returns when it is on disk.
    ///
    /// # Errors
    /// When the database does not answer or is full: then the record is not in the store, and not in the log. Only when
    /// the connection broke at the very moment of the commit is that not known; the record then has no reader.
    pub async fn append(&self, record: Record) -> Result<Receipt, StoreError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Waiting { record, done }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// The state of the log: its size and root.
    ///
    /// # Errors
    /// When the database does not answer or is damaged.
    pub async fn log(&self) -> Result<LogState, StoreError> {
        tree::state(&self.db).await
    }

    /// Proof that the record is in the log as it is now.
    ///
    /// # Errors
    /// When the database does not answer or is damaged.
    pub async fn prove(&self, leaf: u64, key: &LogKey) -> Result<Proof, StoreError> {
        let state = self.log().await?;
        let path = tree::path(&self.db, state.size, leaf).await?;
        let checkpoint = key.sign(&state).map_err(|e| StoreError::Damaged(e.to_string()))?;
        Ok(Proof { index: leaf, path, checkpoint })
    }

    /// The record of that id.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stored(&self, id: &str) -> Result<Stored, StoreError> {
        let row: Option<(i64, i64, Option<Vec<u8>>)> = reading!(&self.db, pool => {
            sqlx::query_as("SELECT leaf, recorded_at, manifest FROM records WHERE id = $1")
                .bind(storable(id))
                .fetch_optional(pool)
                .await
        })?;
        let (leaf, recorded_at, manifest) = row.ok_or_else(|| StoreError::NoRecord(id.to_owned()))?;
        Ok(Stored { id: id.to_owned(), leaf: leaf.unsigned_abs(), recorded_at, manifest })
    }

    /// The whole record of that id.
    ///
    /// # Errors
    /// When there is none, or it was pruned or damaged.
    pub async fn bundle(&self, id: &str) -> Result<Bundle, StoreError> {
        let stored = self.stored(id).await?;
        let manifest = stored.manifest.ok_or_else(|| StoreError::Pruned(id.to_owned()))?;
        self.assemble(&manifest, stored.leaf).await
    }

    /// The record of a manifest: its contents, and the trust data of the version that wrote it.
    pub(crate) async fn assemble(&self, manifest: &[u8], leaf: u64) -> Result<Bundle, StoreError> {
        let blobs = self.blobs_of(leaf).await?;
        // Two files can have the same content.
        let mut bundle = Bundle::from_parts(manifest, |_, sha256| blobs.get(sha256).cloned())?;
        bundle.case.trust_data = self.trust_data(&trust_data_of(manifest)?).await?;
        Ok(bundle)
    }

    /// The record of that id as it was kept: what its bundle is written from, with the manifest that the log has.
    ///
    /// # Errors
    /// When there is none, or it was pruned or damaged.
    pub async fn parts(&self, id: &str) -> Result<Parts, StoreError> {
        let stored = self.stored(id).await?;
        let manifest = stored.manifest.ok_or_else(|| StoreError::Pruned(id.to_owned()))?;
        let blobs = self.blobs_of(stored.leaf).await?;
        Ok(Parts::of(manifest, |_, sha256| blobs.get(sha256).cloned())?)
    }

    /// The contents of a record by their SHA-256.
    pub(crate) async fn blobs_of(&self, leaf: u64) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let leaf = i64::try_from(leaf).map_err(|_| StoreError::NoRecord(leaf.to_string()))?;
        let rows: Vec<(String, Vec<u8>)> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT b.sha256, b.bytes FROM record_blobs r JOIN blobs b ON b.id = r.blob WHERE r.leaf = $1",
            )
            .bind(leaf)
            .fetch_all(pool)
            .await
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        tree::size(&self.db).await.map(drop)
    }

    /// Takes no more records, writes those that wait, and closes the connections: for every clone of this store.
    ///
    /// A store that is dropped writes what waits too, as long as the runtime lives; call this before it ends.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
        self.db.close().await;
    }
}

/// Writes all records that come, as many at once as wait; after `stop`, those that came before it.
async fn write_all(db: Db, mut queue: mpsc::Receiver<Waiting>, mut stop: watch::Receiver<bool>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut stopping = false;
    loop {
        let came = tokio::select! {
            biased;
            // Also when every store is gone.
            _ = stop.changed(), if !stopping => {
                queue.close();
                stopping = true;
                continue;
            }
            came = queue.recv_many(&mut batch, BATCH) => came,
        };
        if came == 0 {
            return;
        }
        let (records, waiting): (Vec<Record>, Vec<_>) = batch.drain(..).map(|w| (w.record, w.done)).unzip();
        write_batch(&db, records, waiting).await;
    }
}

async fn write_batch(
    db: &Db,
    records: Vec<Record>,
    waiting: Vec<oneshot::Sender<Result<Receipt, StoreError>>>,
) {
    match commit(db, &records).await {
        Ok(first) => {
            for ((leaf, record), done) in (first..).zip(records).zip(waiting) {
                // Whoever asked may have gone; the record stays.
                let _ = done.send(Ok(Receipt { id: record.id, leaf }));
            }
        }
        // One of them may be at fault, and the others not.
        Err(error) if !error.is_temporary() && records.len() > 1 => {
            for (record, done) in records.into_iter().zip(waiting) {
                let kept = commit(db, std::slice::from_ref(&record)).await;
                if let Err(error) = &kept {
                    tracing::error!(id = record.id, %error, "a record could not be kept");
                }
                let _ = done.send(kept.map(|leaf| Receipt { id: record.id, leaf }));
            }
        }
        Err(error) => {
            tracing::error!(records = records.len(), %error, "records could not be kept");
            let temporary = error.is_temporary();
            for done in waiting {
                let _ = done.send(Err(StoreError::NotKept { why: error.to_string(), temporary }));
            }
        }
    }
}

/// Writes the records in one transaction. The place of the first in the log.
async fn commit(db: &Db, records: &[Record]) -> Result<u64, StoreError> {
    let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
    writing!(db, pool, Sql, begin => {
        let mut tx = pool.begin_with(begin).await?;
        // The row is locked until the end: other nodes wait here, and go on from our size.
        let size: i64 = sqlx::query_scalar("UPDATE log SET size = size + $1 WHERE id = 1 RETURNING size")
            .bind(count)
            .fetch_one(&mut *tx)
            .await?;
        let first = size.checked_sub(count).and_then(|n| u64::try_from(n).ok());
        let first = first.ok_or_else(|| StoreError::Damaged("the log has a negative size".to_owned()))?;

        let mut known = Known::default();
        let edge = tree::edge(first);
        if !edge.is_empty() {
            let mut select = tree::select::<Sql>(&edge);
            known.learn(select.build_query_as().fetch_all(&mut *tx).await?)?;
        }
        let batch = Batch::of(first, records, &mut known)?;

        // Most contents are known: policies, anchors, certificates of makers. Only what is new is sent. Nobody else adds
        // or removes any meanwhile: whoever does locks the row of the log first.
        let mut numbers: BTreeMap<String, i64> = BTreeMap::new();
        let names: Vec<&str> = batch.contents.keys().copied().collect();
        for some in names.chunks(ROWS) {
            let mut select = QueryBuilder::<Sql>::new("SELECT sha256, id FROM blobs WHERE sha256 IN (");
            let mut list = select.separated(", ");
            for sha256 in some {
                list.push_bind(*sha256);
            }
            select.push(")");
            numbers.extend(select.build_query_as::<(String, i64)>().fetch_all(&mut *tx).await?);
        }
        let new: Vec<(&str, &[u8])> =
            batch.contents.iter().filter(|(sha256, _)| !numbers.contains_key(**sha256)).map(|(s, b)| (*s, *b)).collect();
        // Large ones alone: a statement has its limits too.
        let small = |content: &(&str, &[u8])| content.1.len() <= SMALL;
        for some in new.chunk_by(|a, b| small(a) && small(b)).flat_map(|run| run.chunks(ROWS)) {
            let mut insert = QueryBuilder::<Sql>::new("INSERT INTO blobs (sha256, bytes) ");
            insert.push_values(some, |mut row, (sha256, bytes)| {
                row.push_bind(*sha256).push_bind(*bytes);
            });
            insert.push(" RETURNING sha256, id");
            numbers.extend(insert.build_query_as::<(String, i64)>().fetch_all(&mut *tx).await?);
        }
        let uses = batch.uses(&numbers)?;

        /// Inserts all rows, so many in one statement.
        macro_rules! insert {
            ($into:literal, $rows:expr, $row:expr) => {
                for some in $rows.chunks(ROWS) {
                    let mut insert = QueryBuilder::<Sql>::new(concat!("INSERT INTO ", $into, " "));
                    insert.push_values(some, $row);
                    insert.build().execute(&mut *tx).await?;
                }
            };
        }
        insert!("hashes (place, hash)", batch.hashes, |mut row, (place, hash)| {
            row.push_bind(*place).push_bind(hash.as_slice());
        });
        insert!(
            "records (leaf, id, recorded_at, judged_at, submitter, verdict, policies, request_sha256, version, data, manifest)",
            batch.records,
            |mut row, (leaf, r)| {
                row.push_bind(*leaf)
                    .push_bind(&r.id)
                    .push_bind(r.recorded_at)
                    .push_bind(r.index.judged_at)
                    .push_bind(&r.submitter)
                    .push_bind(&r.index.verdict)
                    .push_bind(&r.policies)
                    .push_bind(&r.index.request_sha256)
                    .push_bind(&r.index.version)
                    .push_bind(&r.index.data)
                    .push_bind(r.parts.manifest.as_slice());
            }
        );
        insert!(
            "statements (leaf, number, format, authenticity, spki_sha256, vendor, model, serial, firmware, firmware_order)",
            batch.statements,
            |mut row, (leaf, at, s)| {
                row.push_bind(*leaf)
                    .push_bind(*at)
                    .push_bind(&s.format)
                    .push_bind(&s.authenticity)
                    .push_bind(&s.spki_sha256)
                    .push_bind(&s.vendor)
                    .push_bind(&s.model)
                    .push_bind(&s.serial)
                    .push_bind(&s.firmware)
                    .push_bind(&s.firmware_order);
            }
        );
        insert!("record_blobs (leaf, blob)", uses, |mut row, (leaf, blob)| {
            row.push_bind(*leaf).push_bind(*blob);
        });
        tx.commit().await?;
        Ok(first)
    })
}
