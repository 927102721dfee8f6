//! A record on its way into the store, and out of it.

use keyvouch::Time;
use keyvouch_policy::Policy;
use keyvouch_record::{Bundle, Parts};
use uuid::Uuid;

use crate::error::StoreError;
use crate::index::{Index, storable};

/// An appraisal on its way into the store.
#[derive(Debug)]
pub struct Record {
    pub(crate) id: String,
    pub(crate) recorded_at: i64,
    pub(crate) submitter: String,
    pub(crate) policies: String,
    pub(crate) index: Index,
    pub(crate) parts: Parts,
}

impl Record {
    /// A record of an appraisal. `now` is milliseconds since 1970; `submitter` names who asked.
    ///
    /// The id, the time and the submitter become labels of the record, so that the log vouches for them too.
    ///
    /// # Errors
    /// When the bundle's trust data or report cannot be read.
    pub fn new(mut bundle: Bundle, submitter: &str, now: i64) -> Result<Self, StoreError> {
        let id = Uuid::now_v7().to_string();
        let recorded = Time::from_unix(now.div_euclid(1000));
        bundle.labels.insert("id".to_owned(), id.clone());
        bundle.labels.insert("recorded_at".to_owned(), recorded.to_string());
        bundle.labels.insert("submitter".to_owned(), submitter.to_owned());
        let policies: Vec<&str> = bundle.case.policies.iter().map(Policy::name).collect();
        Ok(Self {
            id,
            recorded_at: now,
            submitter: storable(submitter),
            policies: storable(&policies.join(" ")),
            index: Index::of(&bundle.report).ok_or(StoreError::NoReport)?,
            parts: bundle.parts()?,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A record as it is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Its place in the log.
    pub leaf: u64,
    /// Milliseconds since 1970.
    pub recorded_at: i64,
    /// The leaf of the log: the manifest. Nothing once the record was pruned.
    pub manifest: Option<Vec<u8>>,
}
