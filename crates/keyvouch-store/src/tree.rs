//! The Merkle tree over the manifests (RFC 9162, section 2.1), stored as the hashes of its complete subtrees.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use keyvouch_record::log::{Checkpoint, leaf_hash};
use sqlx::{Database, Encode, QueryBuilder, Type};
use tlog_tiles::{Error as TreeError, Hash, HashReader};

use crate::batch::number;
use crate::db::{Db, reading};
use crate::error::StoreError;

/// The log as it is now.
pub type LogState = Checkpoint;

/// Hashes by their places in the store.
#[derive(Debug, Default)]
pub(crate) struct Known {
    hashes: BTreeMap<u64, [u8; 32]>,
    missing: RefCell<BTreeSet<u64>>,
}

impl HashReader for Known {
    fn read_hashes(&self, places: &[u64]) -> Result<Vec<Hash>, TreeError> {
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            match self.hashes.get(place) {
                Some(hash) => found.push(Hash(*hash)),
                None => drop(self.missing.borrow_mut().insert(*place)),
            }
        }
        if found.len() == places.len() { Ok(found) } else { Err(TreeError::IndexesNotInTree) }
    }
}

impl Known {
    pub(crate) fn insert(&mut self, place: u64, hash: [u8; 32]) {
        self.hashes.insert(place, hash);
    }

    /// Takes hashes in as the database has them, with their places.
    pub(crate) fn learn(&mut self, rows: Vec<(i64, Vec<u8>)>) -> Result<(), StoreError> {
        for (place, hash) in rows {
            self.insert(place.unsigned_abs(), digest(&hash)?);
        }
        Ok(())
    }

    /// Adds a leaf at the end of a tree of `size` leaves: the new hashes and their places.
    pub(crate) fn append(&mut self, size: u64, manifest: &[u8]) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
        self.append_hash(size, leaf_hash(manifest))
    }

    /// The same by the hash of the leaf.
    pub(crate) fn append_hash(
        &mut self,
        size: u64,
        leaf: [u8; 32],
    ) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
        let first = tlog_tiles::stored_hash_index(0, size);
        let hashes =
            tlog_tiles::stored_hashes_for_record_hash(size, Hash(leaf), self).map_err(|e| self.damage(&e))?;
        let placed: Vec<(u64, [u8; 32])> = (first..).zip(hashes.into_iter().map(|h| h.0)).collect();
        self.hashes.extend(placed.iter().copied());
        Ok(placed)
    }

    /// Forgets all but what the tree of `size` leaves goes on from.
    pub(crate) fn keep_edge(&mut self, size: u64) {
        let edge = edge(size);
        self.hashes.retain(|place, _| edge.contains(place));
    }

    pub(crate) fn root(&self, size: u64) -> Result<[u8; 32], StoreError> {
        tlog_tiles::tree_hash(size, self).map(|h| h.0).map_err(|e| self.damage(&e))
    }

    fn damage(&self, error: &TreeError) -> StoreError {
        let missing: Vec<String> = self.missing.borrow().iter().take(5).map(u64::to_string).collect();
        StoreError::Damaged(format!("the log's hashes {} are not there ({error})", missing.join(", ")))
    }
}

/// The places that the root of a tree of `size` leaves is computed from, and that appending to it needs.
pub(crate) fn edge(size: u64) -> Vec<u64> {
    if size == 0 { Vec::new() } else { tlog_tiles::sub_tree_index(0, size, Vec::new()) }
}

/// The state of the log.
pub(crate) async fn state(db: &Db) -> Result<LogState, StoreError> {
    let size = size(db).await?;
    let mut known = Known::default();
    fetch(db, &edge(size), &mut known).await?;
    Ok(LogState { size, root: known.root(size)? })
}

pub(crate) async fn size(db: &Db) -> Result<u64, StoreError> {
    let size: i64 =
        reading!(db, pool => sqlx::query_scalar("SELECT size FROM log WHERE id = 1").fetch_one(pool).await)?;
    u64::try_from(size).map_err(|_| StoreError::Damaged("the log has a negative size".to_owned()))
}

/// The path from the leaf at `index` to the root of the tree of `size` leaves.
pub(crate) async fn path(db: &Db, size: u64, index: u64) -> Result<Vec<[u8; 32]>, StoreError> {
    let mut known = Known::default();
    // The first try finds out what it needs.
    loop {
        match tlog_tiles::prove_record(size, index, &known) {
            Ok(path) => return Ok(path.into_iter().map(|h| h.0).collect()),
            Err(error) => {
                let needed: Vec<u64> = known.missing.take().into_iter().collect();
                if needed.is_empty() {
                    return Err(StoreError::Damaged(format!("no proof for record {index}: {error}")));
                }
                let before = known.hashes.len();
                fetch(db, &needed, &mut known).await?;
                if known.hashes.len() == before {
                    return Err(StoreError::Damaged(format!("the log's hash {needed:?} is not there")));
                }
            }
        }
    }
}

/// Reads hashes. Those that are not there stay unknown.
async fn fetch(db: &Db, places: &[u64], known: &mut Known) -> Result<(), StoreError> {
    if places.is_empty() {
        return Ok(());
    }
    let rows = reading!(db, pool, Sql => select::<Sql>(places).build_query_as().fetch_all(pool).await)?;
    known.learn(rows)
}

/// The statement that reads the hashes at some places: all at once, for every statement is a way to the database and back.
pub(crate) fn select<DB>(places: &[u64]) -> QueryBuilder<DB>
where
    DB: Database,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut select = QueryBuilder::new("SELECT place, hash FROM hashes WHERE place IN (");
    let mut list = select.separated(", ");
    for place in places {
        list.push_bind(number(*place));
    }
    select.push(")");
    select
}

pub(crate) fn digest(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Damaged("a hash of the log has not 32 bytes".to_owned()))
}
