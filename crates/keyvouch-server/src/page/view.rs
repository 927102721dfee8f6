//! A report as it was recorded: the JSON contract, read back.
//!
//! What is shown is what was recorded. A record may be older or newer than this version: members that are not known are
//! passed over, and members that are not there are empty.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::problem::Problem;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Report {
    pub(super) verifier: Verifier,
    pub(super) at: String,
    pub(super) inputs: Vec<Input>,
    pub(super) verdict: Option<String>,
    pub(super) appraisals: Vec<Appraisal>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Verifier {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    pub(super) recognised: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Appraisal {
    pub(super) format: String,
    pub(super) authenticity: String,
    pub(super) route: String,
    pub(super) claims: BTreeMap<String, Claim>,
    pub(super) details: BTreeMap<String, Claim>,
    pub(super) binding: String,
    pub(super) freshness: String,
    pub(super) checks: Vec<Check>,
    pub(super) certifications: Vec<Certification>,
    pub(super) uncertified: bool,
    pub(super) advisories: Vec<Advisory>,
    pub(super) limits: Vec<String>,
    pub(super) trust: Option<Trust>,
    pub(super) decisions: Vec<Decision>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claim {
    pub(super) value: Value,
    pub(super) basis: String,
    pub(super) from: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Check {
    pub(super) id: String,
    pub(super) outcome: String,
    pub(super) means: Option<String>,
    pub(super) detail: String,
    #[serde(rename = "where")]
    pub(super) place: String,
    pub(super) advice: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Certification {
    pub(super) scheme: String,
    pub(super) id: String,
    pub(super) module: String,
    pub(super) standard: String,
    pub(super) level: String,
    pub(super) status: String,
    pub(super) matched: String,
    pub(super) fips_mode_required: bool,
    pub(super) source: String,
    pub(super) looked_up: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Advisory {
    pub(super) id: String,
    pub(super) effect: String,
    pub(super) detail: String,
    pub(super) advice: String,
    pub(super) references: Vec<String>,
    pub(super) source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Trust {
    pub(super) anchor: Anchor,
    pub(super) path: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Anchor {
    pub(super) name: String,
    pub(super) spki_sha256: String,
    pub(super) origin: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decision {
    pub(super) policy: String,
    pub(super) verdict: String,
    pub(super) requirements: Vec<Requirement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requirement {
    pub(super) id: String,
    pub(super) met: bool,
    pub(super) severity: String,
    pub(super) unknown: bool,
    pub(super) reason: String,
    pub(super) cite: Option<String>,
}

impl Report {
    /// Reads a recorded report.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(json: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(json).map_err(|why| Problem::internal(&why))
    }
}

impl Appraisal {
    /// The checks that failed.
    pub(super) fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == "fail")
    }

    /// The checks whose outcome somebody should look at.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == "warning")
    }

    /// The claim of that name, unless nobody proved it.
    pub(super) fn known(&self, name: &str) -> Option<&Claim> {
        self.claims.get(name).filter(|claim| claim.is_known())
    }
}

impl Claim {
    /// Whether somebody proved it.
    pub(super) fn is_known(&self) -> bool {
        self.basis != "unknown" && self.value != "unknown" && !self.value.is_null()
    }

    /// The value for people.
    pub(super) fn text(&self) -> String {
        words(&self.value)
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => "not known".to_owned(),
        Value::String(text) if text == "unknown" => "not known".to_owned(),
        Value::String(text) => super::text::clean(text),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => super::text::clean(&other.to_string()),
    }
}
