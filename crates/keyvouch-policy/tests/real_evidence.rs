//! Real evidence, and the answer it must get.
//!
//! The evidence of makers and users is not part of this repository. It is looked for in the folder that
//! `KEYVOUCH_VECTORS` names, else in `shared/vectors` beside the checkout. Each folder there has a `cases.toml`
//! with what to feed and what must come out. Without the folder the test says loudly that it did nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use keyvouch::appraisal::Appraisal;
use keyvouch::{File, OptionKind, Reference, Report, Submission, Verifier};
use keyvouch_policy::{Policy, Settings, judge};
use serde::Deserialize;
use serde_json::Value as Json;

/// Formats that are still to come: their folders are counted, so that nobody forgets them.
const NOT_YET: &[&str] = &["rats-results"];

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    format: String,
    evidence: Vec<String>,
    request: Option<String>,
    nonce: Option<String>,
    at: String,
    anchors: Vec<String>,
    #[serde(default)]
    options: BTreeMap<String, Json>,
    expect: String,
    failing: Vec<String>,
    findings: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, Json>,
    #[serde(default)]
    policy: BTreeMap<String, String>,
    #[serde(rename = "why")]
    _why: String,
}

#[test]
fn every_case_gets_its_answer() {
    let Some(root) = vectors() else {
        eprintln!(
            "\n*** NO REAL EVIDENCE: set KEYVOUCH_VECTORS to its folder. Nothing was checked against real devices. ***\n"
        );
        return;
    };
    let mut wrong = String::new();
    let (mut passed, mut later) = (0, 0);
    for folder in folders(&root) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(folder.join("cases.toml")).unwrap();
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}/cases.toml: {e}"));
        if NOT_YET.contains(&name.as_str()) {
            later += cases.case.len();
            continue;
        }
        for case in cases.case {
            if !case.format.is_empty() && !keyvouch::formats::about().any(|a| a.id == case.format) {
                later += 1;
                continue;
            }
            match run(&folder, &case) {
                problems if problems.is_empty() => passed += 1,
                problems => writeln!(wrong, "{}: {}", case.id, problems.join("; ")).unwrap(),
            }
        }
    }
    println!("real evidence: {passed} cases right, {later} of formats that are still to come");
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(passed > 0, "no case in {}", root.display());
}

fn vectors() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = std::env::var_os("KEYVOUCH_VECTORS").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|p| p.join("cases.toml").is_file()).collect();
    folders.sort();
    folders
}

/// Everything in which the answer differs from the expected one.
fn run(folder: &Path, case: &Case) -> Vec<String> {
    let mut report = match appraise(folder, case) {
        Ok(report) => report,
        Err(error) => return vec![error],
    };
    let of_format: Vec<&Appraisal> = report.appraisals.iter().filter(|a| a.format == case.format).collect();
    let mut problems = match of_format.as_slice() {
        [] => vec![format!(
            "recognised as {:?}",
            report.appraisals.iter().map(|a| a.format).collect::<Vec<_>>()
        )],
        // Several statements: the case speaks of one of them.
        several => several.iter().map(|a| differences(a, case)).min_by_key(Vec::len).unwrap_or_default(),
    };
    for (name, verdict) in &case.policy {
        let policy = Policy::builtin(name).unwrap_or_else(|| panic!("no policy {name}"));
        for appraisal in &mut report.appraisals {
            appraisal.decisions.clear();
        }
        judge(&mut report, &[policy], case.request.is_some(), &Settings::default());
        let got = report.verdict.map_or("none", keyvouch::Verdict::as_str);
        if got != verdict {
            problems.push(format!("{name} says {got}, not {verdict}"));
        }
    }
    problems
}

fn appraise(folder: &Path, case: &Case) -> Result<Report, String> {
    let read = |name: &String| std::fs::read(folder.join(name)).map_err(|e| format!("{name}: {e}"));
    let file = |name: &String| read(name).map(|bytes| File::new(name.as_str(), bytes));
    let mut reference = Reference::empty();
    if case.anchors.iter().any(|a| a == "default") {
        reference = Reference::builtin().map_err(|e| e.to_string())?;
    }
    for anchor in case.anchors.iter().filter(|a| *a != "default") {
        reference.load_operator_certificates(anchor, &read(anchor)?).map_err(|e| e.to_string())?;
    }
    let mut submission = Submission::new(
        case.evidence.iter().map(file).collect::<Result<_, _>>()?,
        case.at.parse().map_err(|e| format!("{e}"))?,
    );
    submission.request = case.request.as_ref().map(file).transpose()?;
    submission.nonce = case.nonce.as_ref().map(|hex| unhex(hex)).transpose()?;
    for (name, value) in &case.options {
        let kind =
            keyvouch::formats::about().flat_map(|a| a.options).find(|o| o.name == name).map(|o| o.kind);
        match (kind, value) {
            (Some(OptionKind::File), Json::String(path)) => submission.options.set_file(name, read(path)?),
            _ => submission.options.set(name, value.clone()),
        }
    }
    Verifier::new(reference).appraise(&submission).map_err(|e| e.to_string())
}

fn differences(appraisal: &Appraisal, case: &Case) -> Vec<String> {
    let mut problems = Vec::new();
    let authenticity = appraisal.authenticity.as_str();
    let failed: Vec<&str> = appraisal.failed().map(|c| &*c.id).collect();
    if authenticity != case.expect {
        problems.push(format!("{authenticity}, not {} (failed: {failed:?})", case.expect));
    }
    for id in case.failing.iter().filter(|id| !failed.contains(&id.as_str())) {
        problems.push(format!("{id} did not fail (failed: {failed:?})"));
    }
    // An authentic case names everything that is wrong with it, and a key that is too short once: by the check of
    // its format where there is one, else by that of every format.
    if case.expect == "authentic" {
        let named = |id: &str| case.failing.iter().any(|f| f == id);
        // Of a model that no metadata knows, nothing says either how it keeps its keys.
        let unknown_model =
            |id: &str| id == "key-protection" && case.findings.iter().any(|f| f == "model-unknown");
        let short = named("key-strength") || named("key-too-small");
        let short_key = |id: &str| id == "weak-key" && short;
        for id in failed.iter().filter(|id| !named(id) && !short_key(id) && !unknown_model(id)) {
            problems.push(format!("{id} failed"));
        }
    }
    for id in &case.findings {
        let found =
            appraisal.findings().any(|c| c.id == *id) || appraisal.advisories.iter().any(|a| a.id == *id);
        if !found {
            problems.push(format!("no finding {id}"));
        }
    }
    let json = serde_json::to_value(appraisal).unwrap();
    for (name, value) in &case.claims {
        let got = match name.as_str() {
            "binding" | "freshness" => &json[name],
            _ => &json["claims"][name]["value"],
        };
        if !same(got, value) {
            problems.push(format!("{name} is {got}, not {value}"));
        }
    }
    problems
}

/// Sets are compared as sets.
fn same(a: &Json, b: &Json) -> bool {
    let sorted = |v: &Json| {
        let mut items: Vec<String> = v.as_array()?.iter().map(ToString::to_string).collect();
        items.sort();
        Some(items)
    };
    a == b || (a.is_array() && sorted(a) == sorted(b))
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|t| u8::from_str_radix(t, 16).ok());
    (0..text.len()).step_by(2).map(|at| digit(at).ok_or_else(|| format!("nonce {text}"))).collect()
}
