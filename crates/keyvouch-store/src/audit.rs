//! Has anybody altered, dropped or reordered a record?

use std::collections::BTreeMap;
use std::fmt::Debug;

use aws_lc_rs::digest;
use keyvouch::Time;
use keyvouch_record::log::{Checkpoint, leaf_hash};
use serde_json::Value;

use crate::append::Store;
use crate::db::reading;
use crate::error::StoreError;
use crate::index::{Index, Statement, storable};
use crate::tree::{self, Known};

/// The most faults that are named.
const MAX_FAULTS: usize = 100;
/// Records that are read at once.
const BATCH: u64 = 200;

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

type Row = (i64, String, i64, i64, String, String, String, Option<String>, String, String, Option<Vec<u8>>);
type StatementRow = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// A record as its rows have it.
struct Kept {
    id: String,
    recorded_at: i64,
    submitter: String,
    policies: String,
    index: Index,
    manifest: Option<Vec<u8>>,
}

/// Records that are read at once, by their places in the log.
#[derive(Default)]
struct Batch {
    records: BTreeMap<u64, Kept>,
    hashes: BTreeMap<u64, [u8; 32]>,
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
            let end = size.min(at.saturating_add(BATCH));
            let mut batch = self.batch(at, end).await?;
            for leaf in at..end {
                for checkpoint in checkpoints.iter().filter(|c| c.size == leaf) {
                    compare(&mut audit, &known, checkpoint)?;
                }
                self.record(leaf, &mut batch, &mut known, &mut audit).await?;
            }
            at = end;
            known.keep_edge(at);
            progress(at, size);
        }
        for checkpoint in checkpoints {
            if checkpoint.size == size {
                compare(&mut audit, &known, checkpoint)?;
            } else if checkpoint.size > size {
                audit.fault(
                    None,
                    format!(
                        "the log has {size} records, and a checkpoint was signed for {}",
                        checkpoint.size
                    ),
                );
            }
        }
        let beyond: i64 = reading!(&self.db, pool => {
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

    /// The records at these places.
    async fn batch(&self, from: u64, to: u64) -> Result<Batch, StoreError> {
        let mut batch = Batch { hashes: self.hashes(from, to).await?, ..Batch::default() };
        let place = |leaf: u64| i64::try_from(leaf).unwrap_or(i64::MAX);
        let rows: Vec<Row> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT leaf, id, recorded_at, judged_at, submitter, verdict, policies, request_sha256, version, data,
                        manifest
                 FROM records WHERE leaf >= $1 AND leaf < $2",
            )
            .bind(place(from))
            .bind(place(to))
            .fetch_all(pool)
            .await
        })?;
        for row in rows {
            let (
                leaf,
                id,
                recorded_at,
                judged_at,
                submitter,
                verdict,
                policies,
                request,
                version,
                data,
                manifest,
            ) = row;
            let index =
                Index { judged_at, verdict, request_sha256: request, version, data, statements: Vec::new() };
            let kept = Kept { id, recorded_at, submitter, policies, index, manifest };
            batch.records.insert(leaf.unsigned_abs(), kept);
        }
        let rows: Vec<StatementRow> = reading!(&self.db, pool => {
            sqlx::query_as(
                "SELECT leaf, format, authenticity, spki_sha256, vendor, model, serial, firmware, firmware_order
                 FROM statements WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf, number",
            )
            .bind(place(from))
            .bind(place(to))
            .fetch_all(pool)
            .await
        })?;
        for (leaf, format, authenticity, spki_sha256, vendor, model, serial, firmware, firmware_order) in rows
        {
            let statement = Statement {
                format,
                authenticity,
                spki_sha256,
                vendor,
                model,
                serial,
                firmware,
                firmware_order,
            };
            if let Some(kept) = batch.records.get_mut(&leaf.unsigned_abs()) {
                kept.index.statements.push(statement);
            }
        }
        Ok(batch)
    }

    /// The hashes that were stored when these records were added.
    async fn hashes(&self, from: u64, to: u64) -> Result<BTreeMap<u64, [u8; 32]>, StoreError> {
        let place = |leaf| i64::try_from(tlog_tiles::stored_hash_index(0, leaf)).unwrap_or(i64::MAX);
        let rows: Vec<(i64, Vec<u8>)> = reading!(&self.db, pool => {
            sqlx::query_as("SELECT place, hash FROM hashes WHERE place >= $1 AND place < $2")
                .bind(place(from))
                .bind(place(to))
                .fetch_all(pool)
                .await
        })?;
        // One that has not its length is as good as none.
        Ok(rows
            .into_iter()
            .filter_map(|(place, hash)| Some((place.unsigned_abs(), hash.try_into().ok()?)))
            .collect())
    }

    /// Adds a record to the tree that is computed anew, and compares everything about it.
    async fn record(
        &self,
        leaf: u64,
        batch: &mut Batch,
        known: &mut Known,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let Some(logged) = batch.hashes.get(&tlog_tiles::stored_hash_index(0, leaf)).copied() else {
            audit.fault(Some(leaf), "the hash of this record is missing from the log");
            // Something must stand in its place for the rest to be looked at.
            known.append_hash(leaf, [0; 32])?;
            return Ok(());
        };
        match &batch.records.remove(&leaf) {
            None => audit.fault(Some(leaf), "the record is missing"),
            Some(Kept { manifest: None, .. }) => audit.pruned = audit.pruned.saturating_add(1),
            Some(Kept { manifest: Some(manifest), id, .. }) if leaf_hash(manifest) != logged => {
                audit.fault(Some(leaf), format!("record {id} is not the one that was logged here"));
            }
            Some(kept) => self.contents(leaf, kept, audit).await?,
        }
        let computed = known.append_hash(leaf, logged)?;
        if computed.iter().any(|(place, hash)| batch.hashes.get(place) != Some(hash)) {
            audit.fault(Some(leaf), "the log's hashes above this record are not those of its records");
        }
        Ok(())
    }

    /// The contents of a record, and what its rows say of it.
    async fn contents(&self, leaf: u64, kept: &Kept, audit: &mut Audit) -> Result<(), StoreError> {
        let blobs = self.blobs_of(leaf).await?;
        let faults = compare_contents(kept, &blobs);
        // It may have been pruned since its row was read.
        if !faults.is_empty() && self.stored(&kept.id).await.is_ok_and(|now| now.manifest.is_none()) {
            audit.pruned = audit.pruned.saturating_add(1);
            return Ok(());
        }
        for fault in faults {
            audit.fault(Some(leaf), fault);
        }
        Ok(())
    }
}

fn compare_contents(kept: &Kept, blobs: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = &kept.id;
    let manifest: Value =
        serde_json::from_slice(kept.manifest.as_deref().unwrap_or_default()).unwrap_or_default();
    let mut faults = Vec::new();
    let (mut policies, mut report) = (Vec::new(), None);
    for file in manifest.get("files").and_then(Value::as_array).into_iter().flatten() {
        let (path, sha256) = (text(file, "path"), text(file, "sha256"));
        match blobs.get(&sha256) {
            None => faults.push(format!("{path} of record {id} is missing")),
            Some(bytes) if hex::encode(digest::digest(&digest::SHA256, bytes)) != sha256 => {
                faults.push(format!("{path} of record {id} was altered"));
            }
            Some(bytes) if text(file, "role") == "report" => report = Index::of(bytes),
            Some(_) => {}
        }
        if text(file, "role") == "policy" {
            policies.push(text(file, "name"));
        }
    }
    let labels = manifest.get("labels").cloned().unwrap_or_default();
    let mut compare = |what: &str, row: &dyn Debug, logged: &dyn Debug| {
        let (row, logged) = (format!("{row:?}"), format!("{logged:?}"));
        if row != logged {
            faults.push(format!("the {what} of record {id} was altered: {row}, logged {logged}"));
        }
    };
    compare("id", id, &text(&labels, "id"));
    compare("submitter", &kept.submitter, &storable(&text(&labels, "submitter")));
    compare("policies", &kept.policies, &storable(&policies.join(" ")));
    let recorded = Time::from_unix(kept.recorded_at.div_euclid(1000));
    compare("time", &recorded.to_string(), &text(&labels, "recorded_at"));
    // Without a report there is a fault already.
    if let Some(logged) = report {
        let row = &kept.index;
        compare("verdict", &row.verdict, &logged.verdict);
        compare("time of judgement", &row.judged_at, &logged.judged_at);
        compare("request", &row.request_sha256, &logged.request_sha256);
        compare("version", &row.version, &logged.version);
        compare("trust data", &row.data, &logged.data);
        compare("statements", &row.statements, &logged.statements);
    }
    faults
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
