//! The evidence to measure with: of every format the showcase of its emulator, and one real piece where the folder
//! of real evidence is there.

use std::path::{Path, PathBuf};

use keyvouch::{Authenticity, File, Reference, Submission, Verifier};

use crate::{Bare, Error, bare};

/// A submission, ready to be appraised.
pub struct Subject {
    /// Format and sample.
    pub name: String,
    /// What is appraised.
    pub submission: Submission,
    /// Remembers no issuer certificate.
    pub cold: Verifier,
    /// Remembers them.
    pub warm: Verifier,
    /// The signatures in it.
    pub signatures: Vec<Bare>,
}

impl Subject {
    fn new(name: String, submission: Submission, reference: &Reference) -> Result<Self, Error> {
        let cold = Verifier::new(reference.clone()).with_issuer_cache(0);
        let warm = Verifier::new(reference.clone());
        let report = cold.appraise(&submission)?;
        if !report.appraisals.iter().any(|a| a.authenticity == Authenticity::Authentic) {
            return Err(format!("{name} is not authentic: {:?}", report.appraisals).into());
        }
        let signatures = bare::signatures(&submission, reference)?;
        Ok(Self { name, submission, cold, warm, signatures })
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn size(&self) -> usize {
        self.submission.evidence.iter().chain(&self.submission.request).map(|f| f.bytes.len()).sum()
    }
}

/// Everything to measure with.
///
/// # Errors
/// When evidence cannot be read or is not authentic.
pub fn subjects() -> Result<Vec<Subject>, Error> {
    let mut subjects = Vec::new();
    for format in keyvouch::formats::about().map(|about| about.id) {
        if keyvouch_emulator::formats().contains(&format) {
            subjects.extend(showcase(format)?);
        }
        subjects.extend(real(format)?);
    }
    Ok(subjects)
}

fn showcase(format: &str) -> Result<Option<Subject>, Error> {
    let Some(sample) = keyvouch_emulator::samples(format)?.into_iter().next() else { return Ok(None) };
    let mut reference = Reference::builtin()?;
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes)?;
    }
    let file = |file: keyvouch_emulator::File| File::new(file.name, file.bytes);
    let mut submission = Submission::new(sample.evidence.into_iter().map(file).collect(), sample.at.parse()?);
    submission.request = sample.request.map(file);
    for (name, value) in sample.options {
        submission.options.set_inline(name, value);
    }
    Subject::new(format!("{format}, emulated {}", sample.variant), submission, &reference).map(Some)
}

/// The first real case that is authentic under the built-in anchors; preferably one with a request.
fn real(format: &str) -> Result<Option<Subject>, Error> {
    let folder = std::env::var_os("KEYVOUCH_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), PathBuf::from);
    let folder = folder.join(format);
    let Ok(text) = std::fs::read_to_string(folder.join("cases.toml")) else { return Ok(None) };
    let cases: toml::Table = text.parse()?;
    let mut cases: Vec<&toml::Table> = cases
        .get("case")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_table)
        .filter(|case| is_plain(case))
        .collect();
    cases.sort_by_key(|case| !case.contains_key("request"));
    let Some(case) = cases.first() else { return Ok(None) };
    let text = |key: &str| case.get(key).and_then(toml::Value::as_str).unwrap_or_default();
    let read = |name: &str| Ok::<_, Error>(File::new(name, std::fs::read(folder.join(name))?));
    let evidence = texts(case, "evidence").map(read).collect::<Result<_, _>>()?;
    let mut submission = Submission::new(evidence, text("at").parse()?);
    if case.contains_key("request") {
        submission.request = Some(read(text("request"))?);
    }
    Subject::new(format!("{}, real", text("id")), submission, &Reference::builtin()?).map(Some)
}

fn is_plain(case: &toml::Table) -> bool {
    case.get("expect").and_then(toml::Value::as_str) == Some("authentic")
        && texts(case, "anchors").eq(["default"])
        && texts(case, "failing").next().is_none()
        && case.get("options").and_then(toml::Value::as_table).is_none_or(toml::Table::is_empty)
        && !case.contains_key("nonce")
        // Evidence inside a request is unwrapped by the format's own rules; it is not taken apart here.
        && case.get("request").is_none_or(|r| !texts(case, "evidence").any(|e| Some(e) == r.as_str()))
}

fn texts<'c>(case: &'c toml::Table, key: &str) -> impl Iterator<Item = &'c str> {
    case.get(key).and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_str)
}
