//! What is written in one commit: the rows of some records.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::StoreError;
use crate::index::Statement;
use crate::record::Record;
use crate::tree::Known;

/// Rows of some records, which follow each other in the log.
pub(crate) struct Batch<'r> {
    /// By their places in the log.
    pub(crate) records: Vec<(i64, &'r Record)>,
    /// The statement's record, its number there, and itself.
    pub(crate) statements: Vec<(i64, i64, &'r Statement)>,
    /// The new hashes of the tree, and their places.
    pub(crate) hashes: Vec<(i64, [u8; 32])>,
    /// Every content once, by its SHA-256.
    pub(crate) contents: BTreeMap<&'r str, &'r [u8]>,
}

impl<'r> Batch<'r> {
    /// The rows of records that come at the place `first` of the log; `known` has what the tree goes on from.
    pub(crate) fn of(first: u64, records: &'r [Record], known: &mut Known) -> Result<Self, StoreError> {
        let mut hashes = Vec::new();
        for (leaf, record) in (first..).zip(records) {
            let new = known.append(leaf, &record.parts.manifest)?;
            hashes.extend(new.into_iter().map(|(place, hash)| (number(place), hash)));
        }
        let records: Vec<(i64, &Record)> = (first..).map(number).zip(records).collect();
        let statements = records.iter().flat_map(|(leaf, record)| {
            let numbered = (0_i64..).zip(&record.index.statements);
            numbered.map(|(at, statement)| (*leaf, at, statement))
        });
        let files = records.iter().flat_map(|(_, record)| &record.parts.files);
        Ok(Self {
            statements: statements.collect(),
            hashes,
            contents: files.map(|f| (f.sha256.as_str(), &*f.bytes)).collect(),
            records,
        })
    }

    /// Which record needs which content, by the numbers of the contents.
    pub(crate) fn uses(&self, numbers: &BTreeMap<String, i64>) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut uses = BTreeSet::new();
        for (leaf, record) in &self.records {
            for file in &record.parts.files {
                let number = numbers.get(&file.sha256);
                let number = number
                    .ok_or_else(|| StoreError::Damaged(format!("content {} has no number", file.sha256)))?;
                uses.insert((*leaf, *number));
            }
        }
        Ok(uses.into_iter().collect())
    }
}

/// A place as the databases have it. They have no room for a log that long.
pub(crate) fn number(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
