//! What a record can be found by.
//!
//! All of it is read from the record itself, when it is written and again when the log is audited: a row that says
//! something else was altered.

use std::collections::BTreeMap;

use keyvouch::Time;
use serde::Deserialize;

use crate::firmware;

/// The most bytes of a text that is searched for: PostgreSQL has no room for more in an index.
const MAX_KEY: usize = 256;

/// What a record can be found by, beside its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) judged_at: i64,
    pub(crate) verdict: String,
    pub(crate) request_sha256: Option<String>,
    pub(crate) version: String,
    pub(crate) data: String,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) format: String,
    pub(crate) authenticity: String,
    pub(crate) spki_sha256: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) firmware_order: Option<String>,
}

/// As much of the JSON contract as is needed.
#[derive(Deserialize)]
struct Report {
    at: String,
    verifier: Verifier,
    inputs: Vec<Input>,
    verdict: Option<String>,
    appraisals: Vec<Appraisal>,
}

#[derive(Deserialize)]
struct Verifier {
    version: String,
    data: String,
}

#[derive(Deserialize)]
struct Input {
    role: String,
    sha256: String,
}

#[derive(Deserialize)]
struct Appraisal {
    format: String,
    authenticity: String,
    claims: BTreeMap<String, Claim>,
}

#[derive(Deserialize)]
struct Claim {
    value: serde_json::Value,
}

impl Index {
    /// Reads the report of a record. Nothing when it is no report.
    pub(crate) fn of(report: &[u8]) -> Option<Self> {
        let report: Report = serde_json::from_slice(report).ok()?;
        let statements = report.appraisals.iter().map(|appraisal| {
            let text = |name| {
                let claim = appraisal.claims.get(name)?.value.as_str();
                // What nobody proved is not what the device is called.
                claim.filter(|value| *value != "unknown").map(key)
            };
            let firmware = text("device.firmware");
            Statement {
                format: key(&appraisal.format),
                authenticity: key(&appraisal.authenticity),
                spki_sha256: text("key.spki_sha256"),
                vendor: text("device.vendor"),
                model: text("device.model"),
                serial: text("device.serial"),
                firmware_order: firmware.as_deref().and_then(firmware::order),
                firmware,
            }
        });
        let request = report.inputs.iter().find(|input| input.role == "request");
        Some(Self {
            judged_at: report.at.parse::<Time>().ok()?.unix(),
            verdict: storable(report.verdict.as_deref().unwrap_or("none")),
            request_sha256: request.map(|input| key(&input.sha256)),
            version: storable(&report.verifier.version),
            data: storable(&report.verifier.data),
            statements: statements.collect(),
        })
    }
}

/// The text without the one character that PostgreSQL cannot keep. The record itself is kept as it is.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The text as it is searched for.
pub(crate) fn key(text: &str) -> String {
    let mut text = storable(text);
    let end = (0..=MAX_KEY.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_are_short_and_have_no_nul() {
        assert_eq!(key("a\0b"), "a\u{fffd}b");
        assert_eq!(key(&"ä".repeat(200)), "ä".repeat(128));
        assert_eq!(key(&format!("x{}", "ä".repeat(200))).len(), 255);
    }
}
