//! A record on its way into the store, and out of it.

use keyvouch::appraisal::Report;
use keyvouch::{ClaimName, Time, Verdict};
use keyvouch_record::{Bundle, Parts};
use uuid::Uuid;

use crate::error::StoreError;
use crate::firmware;

/// An appraisal on its way into the store.
#[derive(Debug)]
pub struct Record {
    pub(crate) id: String,
    pub(crate) recorded_at: i64,
    pub(crate) judged_at: i64,
    pub(crate) submitter: String,
    pub(crate) verdict: &'static str,
    pub(crate) policies: String,
    pub(crate) request_sha256: Option<String>,
    pub(crate) version: String,
    pub(crate) data: String,
    pub(crate) statements: Vec<Statement>,
    pub(crate) parts: Parts,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) format: &'static str,
    pub(crate) authenticity: &'static str,
    pub(crate) spki_sha256: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) firmware_order: Option<String>,
}

impl Record {
    /// A record of an appraisal. `now` is milliseconds since 1970; `submitter` names who asked.
    ///
    /// The id, the time and the submitter become labels of the record, so that the log vouches for them too.
    ///
    /// # Errors
    /// When the bundle's trust data cannot be read.
    pub fn new(mut bundle: Bundle, report: &Report, submitter: &str, now: i64) -> Result<Self, StoreError> {
        let id = Uuid::now_v7().to_string();
        let recorded = Time::from_unix(now.div_euclid(1000));
        bundle.labels.insert("id".to_owned(), id.clone());
        bundle.labels.insert("recorded_at".to_owned(), recorded.to_string());
        bundle.labels.insert("submitter".to_owned(), submitter.to_owned());
        let text = |a: &keyvouch::Appraisal, name| a.claims.text(name).map(str::to_owned);
        let statements = report.appraisals.iter().map(|a| {
            let firmware = text(a, ClaimName::DeviceFirmware);
            Statement {
                format: a.format,
                authenticity: a.authenticity.as_str(),
                spki_sha256: text(a, ClaimName::KeySpkiSha256),
                vendor: text(a, ClaimName::DeviceVendor),
                model: text(a, ClaimName::DeviceModel),
                serial: text(a, ClaimName::DeviceSerial),
                firmware_order: firmware.as_deref().and_then(firmware::order),
                firmware,
            }
        });
        let request = report.inputs.iter().find(|i| i.role == "request");
        let policies: Vec<&str> = bundle.case.policies.iter().map(keyvouch_policy::Policy::name).collect();
        Ok(Self {
            id,
            recorded_at: now,
            judged_at: report.at.unix(),
            submitter: submitter.to_owned(),
            verdict: report.verdict.map_or("none", Verdict::as_str),
            policies: policies.join(" "),
            request_sha256: request.map(|i| hex::encode(i.sha256)),
            version: report.verifier.version.to_owned(),
            data: report.verifier.data.clone(),
            statements: statements.collect(),
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
