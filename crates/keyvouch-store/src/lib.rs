//! The record that a service keeps.
//!
//! Every appraisal is kept with all that it rested on: the contents once each, by SHA-256; a manifest that names them
//! ([`keyvouch_record`]); and a leaf of an append-only Merkle tree over all manifests, so that nobody can alter, drop or
//! reorder a record without being found out ([`audit`]). [`Store::append`] returns when the record is on disk.
//!
//! SQLite serves one node. With PostgreSQL several nodes share one store and keep nothing of their own.

#![forbid(unsafe_code)]

mod append;
pub mod audit;
mod batch;
mod challenges;
mod content;
mod db;
mod error;
mod firmware;
mod index;
mod prune;
mod reappraisal;
mod record;
mod search;
mod tokens;
mod tree;
mod trust;
mod upkeep;

pub use append::{Receipt, Store};
pub use challenges::Used;
pub use db::{Location, Secret};
pub use error::StoreError;
pub use prune::{MIN_RETENTION_DAYS, Pruned};
pub use reappraisal::{Item, Job, Outcome, Progress};
pub use record::{Record, Stored};
pub use search::{Filter, Found, FoundStatement, Page};
pub use tokens::{NewToken, Role, Token};
pub use tree::LogState;
pub use upkeep::Status;
