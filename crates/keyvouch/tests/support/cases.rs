//! Evidence with what a verifier needs to judge it: emulated samples of every format, and the real cases.

use std::path::{Path, PathBuf};

use keyvouch::{File, OptionKind, Reference, Report, Submission, Verifier};
use serde_json::Value as Json;

/// Evidence to be judged.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) format: String,
    pub(crate) submission: Submission,
    pub(crate) reference: Reference,
}

impl Case {
    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(self.reference.clone())
    }
}

/// The formats that have both a reader and an emulator.
pub(crate) fn formats() -> Vec<&'static str> {
    let emulated = keyvouch_emulator::formats();
    keyvouch::formats::about().map(|about| about.id).filter(|id| emulated.contains(id)).collect()
}

fn file(file: &keyvouch_emulator::File) -> File {
    File::new(file.name.clone(), file.bytes.clone())
}

/// A sample as a case: its throw-away roots are the operator's anchors.
pub(crate) fn of_sample(sample: &keyvouch_emulator::Sample) -> Case {
    let mut reference = Reference::builtin().unwrap();
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    let evidence = sample.evidence.iter().map(file).collect();
    let mut submission = Submission::new(evidence, sample.at.parse().unwrap());
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in &sample.options {
        submission.options.set_inline(name.clone(), value.clone());
    }
    let id = format!("{}/emulated/{}", sample.format, sample.variant);
    Case { id, format: sample.format.to_owned(), submission, reference }
}

/// Every emulated sample of every format that the verifier reads.
pub(crate) fn emulated() -> Vec<Case> {
    formats()
        .into_iter()
        .flat_map(|format| keyvouch_emulator::samples(format).unwrap())
        .map(|sample| of_sample(&sample))
        .collect()
}

/// The folder of real evidence, when it is there.
pub(crate) fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("KEYVOUCH_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The real cases of the formats that the verifier reads. None, and a word about it, without the folder.
pub(crate) fn real() -> Vec<Case> {
    let Some(folder) = vectors() else {
        eprintln!("NO REAL EVIDENCE: set KEYVOUCH_VECTORS to its folder; only emulated evidence is tried");
        return Vec::new();
    };
    keyvouch::formats::about()
        .flat_map(|about| {
            let folder = folder.join(about.id);
            match std::fs::read_to_string(folder.join("cases.toml")) {
                Ok(text) => read_cases(&folder, &text.parse().unwrap()),
                Err(_) => Vec::new(),
            }
        })
        .collect()
}

fn read_cases(folder: &Path, cases: &toml::Table) -> Vec<Case> {
    cases["case"].as_array().unwrap().iter().filter_map(|case| read_case(folder, case)).collect()
}

fn read_case(folder: &Path, case: &toml::Value) -> Option<Case> {
    let text = |key: &str| case.get(key).and_then(toml::Value::as_str);
    let texts = |key: &str| -> Vec<&str> {
        case.get(key)
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
            .collect()
    };
    let read = |name: &str| File::new(name, std::fs::read(folder.join(name)).unwrap());
    let mut reference = Reference::empty();
    if texts("anchors").contains(&"default") {
        reference = Reference::builtin().unwrap();
    }
    for name in texts("anchors").into_iter().filter(|name| *name != "default") {
        let bytes = read(name).bytes;
        if name.ends_with(".toml") {
            reference.load_operator_file(name, std::str::from_utf8(&bytes).unwrap()).unwrap();
        } else {
            reference.load_operator_certificates(name, &bytes).unwrap();
        }
    }
    let evidence = texts("evidence").into_iter().map(read).collect();
    let mut submission = Submission::new(evidence, text("at")?.parse().unwrap());
    submission.request = text("request").map(read);
    submission.nonce = text("nonce").map(hex_bytes);
    for (name, value) in case.get("options").and_then(toml::Value::as_table).into_iter().flatten() {
        let kind =
            keyvouch::formats::about().flat_map(|a| a.options).find(|o| o.name == name).map(|o| o.kind);
        match (kind, value) {
            (Some(OptionKind::File), toml::Value::String(path)) => {
                submission.options.set_file(name.clone(), read(path).bytes);
            }
            _ => submission.options.set(name.clone(), json(value)),
        }
    }
    Some(Case {
        id: text("id")?.to_owned(),
        format: text("format").unwrap_or_default().to_owned(),
        submission,
        reference,
    })
}

fn hex_bytes(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn json(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::from(text.as_str()),
        toml::Value::Boolean(yes) => Json::from(*yes),
        toml::Value::Integer(number) => Json::from(*number),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(members) => members.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
        other => panic!("{other:?} has no meaning as an option"),
    }
}

/// What a report claims: format, claims and details of every authentic statement, without a statement twice.
pub(crate) fn claims_of(report: &Report) -> Vec<Json> {
    let mut found = Vec::new();
    for appraisal in &report.appraisals {
        let json = serde_json::to_value(appraisal).unwrap();
        if json["authenticity"] == "authentic" {
            let claimed = serde_json::json!([json["format"], json["claims"], json["details"]]);
            if !found.contains(&claimed) {
                found.push(claimed);
            }
        }
    }
    found.sort_by_key(Json::to_string);
    found
}

/// What the verifier claims of a submission; nothing when it cannot be appraised at all.
pub(crate) fn claimed(verifier: &Verifier, submission: &Submission) -> Vec<Json> {
    verifier.appraise(submission).map(|report| claims_of(&report)).unwrap_or_default()
}
