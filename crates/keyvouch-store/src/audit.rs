//! Has anybody altered, dropped or reordered a record?

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use keyvouch_record::log::{Checkpoint, leaf_hash};
use serde_json::Value;

use crate::append::Store;
use crate::db::read;
use crate::error::StoreError;
use crate::tree::{self, Known};

/// The most faults that are named.
const MAX_FAULTS: usize = 100;
/// Records that are read at once.
const BATCH: i64 = 200;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Audit {
    /// How many records the log has.
    pub records: u64,
    /// How many of them were pruned: of these only the leaf is there.
    pub pruned: u64,
    /// The root over all, hexadecimal.
    pub root: String,
    /// What is wrong; empty when the log is whole.
    pub faults: Vec<AuditFault>,
    /// Whether there are more faults than are named.
    pub more: bool,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditFault {
    /// Place in the log; nothing when the fault is in the log as a whole.
    pub leaf: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl Audit {
    fn fault(&mut self, leaf: Option<u64>, what: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(AuditFault { leaf, what: what.into() });
        } else {
            self.more = true;
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

type Row = (i64, String, String, String, Option<Vec<u8>>);

/// A record as its row has it.
struct Kept {
    leaf: i64,
    id: String,
    submitter: String,
    verdict: String,
    manifest: Option<Vec<u8>>,
}

impl Store {
    /// Computes the whole log anew, from the contents up, and compares it with what is stored and with checkpoints
    /// that were signed earlier. `progress` is told how many records were done.
    ///
    /// Whoever can write to the database can make a log anew that is whole in itself: that is found by a checkpoint
    /// which was kept elsewhere, and by nothing else.
    ///
    /// # Errors
    /// When the database does not answer. What is wrong with the log is no error but a fault in the answer.
    pub async fn audit(
        &self,
        checkpoints: &[Checkpoint],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Audit, StoreError> {
        let size = tree::size(&self.db).await?;
        let mut audit = Audit { records: size, ..Audit::default() };
        let mut known = Known::default();
        let mut at: u64 = 0;
        while at < size {
            let rows = self.rows(at).await?;
            let mut rows: BTreeMap<u64, Kept> = rows.into_iter().map(|r| (r.leaf.unsigned_abs(), r)).collect();
            let end = size.min(at.saturating_add(BATCH.unsigned_abs()));
            for leaf in at..end {
                for checkpoint in checkpoints.iter().filter(|c| c.size == leaf) {
                    compare(&mut audit, &known, checkpoint)?;
                }
                self.record(leaf, rows.remove(&leaf), &mut known, &mut audit).await?;
            }
            at = end;
            known.keep_edge(at);
            progress(at, size);
        }
        for checkpoint in checkpoints {
            if checkpoint.size == size {
                compare(&mut audit, &known, checkpoint)?;
            } else if checkpoint.size > size {
                audit.fault(None, format!("the log has {size} records, and a checkpoint was signed for {}", checkpoint.size));
            }
        }
        let beyond: i64 = read!(&self.db, pool => {
            sqlx::query_scalar("SELECT COUNT(*) FROM records WHERE leaf >= $1 OR leaf < 0")
                .bind(i64::try_from(size).unwrap_or(i64::MAX))
                .fetch_one(pool)
                .await
        })?;
        // Records may have been added meanwhile.
        if beyond > 0 && tree::size(&self.db).await? == size {
            audit.fault(None, format!("{beyond} records are there that the log does not count"));
        }
        audit.root = hex::encode(known.root(size)?);
        Ok(audit)
    }

    async fn rows(&self, from: u64) -> Result<Vec<Kept>, StoreError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows: Vec<Row> = read!(&self.db, pool => {
            sqlx::query_as(
                "SELECT leaf, id, submitter, verdict, manifest FROM records
                 WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf",
            )
            .bind(from)
            .bind(from.saturating_add(BATCH))
            .fetch_all(pool)
            .await
        })?;
        let kept = |(leaf, id, submitter, verdict, manifest): Row| Kept { leaf, id, submitter, verdict, manifest };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// Adds a record to the tree that is computed anew, and compares everything about it.
    async fn record(
        &self,
        leaf: u64,
        kept: Option<Kept>,
        known: &mut Known,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let stored = self.stored_hashes(leaf).await?;
        let Some(logged) = stored.first().copied().flatten() else {
            audit.fault(Some(leaf), "the hash of this record is missing from the log");
            // Something must stand in its place for the rest to be looked at.
            known.append_hash(leaf, [0; 32])?;
            return Ok(());
        };
        match &kept {
            None => audit.fault(Some(leaf), "the record is missing"),
            Some(Kept { manifest: None, .. }) => audit.pruned = audit.pruned.saturating_add(1),
            Some(Kept { manifest: Some(manifest), id, .. }) if leaf_hash(manifest) != logged => {
                audit.fault(Some(leaf), format!("record {id} is not the one that was logged here"));
            }
            Some(kept) => self.contents(leaf, kept, audit).await?,
        }
        let computed = known.append_hash(leaf, logged)?;
        if computed.iter().map(|(_, hash)| Some(*hash)).ne(stored) {
            audit.fault(Some(leaf), "the log's hashes above this record are not those of its records");
        }
        Ok(())
    }

    /// The hashes that were stored when the record was added: its own and those of the subtrees that it completed.
    async fn stored_hashes(&self, leaf: u64) -> Result<Vec<Option<[u8; 32]>>, StoreError> {
        let places = tlog_tiles::stored_hash_index(0, leaf)..tlog_tiles::stored_hash_index(0, leaf.saturating_add(1));
        let mut hashes = Vec::new();
        for place in places {
            let hash: Option<Vec<u8>> = read!(&self.db, pool => {
                sqlx::query_scalar("SELECT hash FROM hashes WHERE place = $1")
                    .bind(i64::try_from(place).unwrap_or(i64::MAX))
                    .fetch_optional(pool)
                    .await
            })?;
            hashes.push(hash.and_then(|hash| hash.try_into().ok()));
        }
        Ok(hashes)
    }

    /// The contents of a record, and what its row says of it.
    async fn contents(&self, leaf: u64, kept: &Kept, audit: &mut Audit) -> Result<(), StoreError> {
        let blobs = self.blobs_of(leaf).await?;
        let manifest: Value = serde_json::from_slice(kept.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
        let files = manifest.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut report = None;
        for file in &files {
            let (path, sha256) = (text(file, "path"), text(file, "sha256"));
            match blobs.get(&sha256) {
                None => audit.fault(Some(leaf), format!("{path} of record {} is missing", kept.id)),
                Some(bytes) if hex::encode(digest::digest(&digest::SHA256, bytes)) != sha256 => {
                    audit.fault(Some(leaf), format!("{path} of record {} was altered", kept.id));
                }
                Some(bytes) if text(file, "role") == "report" => report = serde_json::from_slice::<Value>(bytes).ok(),
                Some(_) => {}
            }
        }
        let labels = manifest.get("labels").cloned().unwrap_or_default();
        let report = report.unwrap_or_default();
        let verdict = report.get("verdict").and_then(Value::as_str).unwrap_or("none");
        for (what, row, logged) in [
            ("id", &kept.id, text(&labels, "id")),
            ("submitter", &kept.submitter, text(&labels, "submitter")),
            ("verdict", &kept.verdict, verdict.to_owned()),
        ] {
            if *row != logged {
                audit.fault(Some(leaf), format!("the {what} of record {} was altered: {row:?}, logged {logged:?}", kept.id));
            }
        }
        Ok(())
    }
}

/// Compares the tree so far with a checkpoint of its size.
fn compare(audit: &mut Audit, known: &Known, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    if known.root(checkpoint.size)? != checkpoint.root {
        audit.fault(
            None,
            format!("the first {} records are not those that a checkpoint was signed for", checkpoint.size),
        );
    }
    Ok(())
}
