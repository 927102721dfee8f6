//! Records judged by what is known later.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use keyvouch::{File, Options, Submission, Verifier};
use keyvouch_emulator::Sample;
use keyvouch_policy::{Policy, Settings};
use keyvouch_record::{Bundle, Case, Change, Reappraisal, Today, reappraise};

/// An advisory about the device of the sample.
const ADVISORY: &str = r#"
[[advisory]]
id = "weak-rng-2026"
title = "Weak random numbers"
vendor = "Yubico"
effect = "refusal"
detail = "Keys of firmware 5.7 can be computed."
advice = "Make a new key on another device."
source = "a test"

[[advisory.affected]]
models = ["YubiKey 5"]
firmware_min = "5.7.0"
firmware_max = "5.7.9"
"#;

fn file(file: &keyvouch_emulator::File) -> File {
    File::new(file.name.clone(), file.bytes.clone())
}

fn case(sample: &Sample) -> Case {
    let mut submission =
        Submission::new(sample.evidence.iter().map(file).collect(), sample.at.parse().unwrap());
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in &sample.options {
        submission.options.set_inline(name.clone(), value.clone());
    }
    let mut case = Case::new(submission, Policy::builtin("hardware-key").unwrap());
    case.operator_data = sample.anchors.iter().map(file).collect();
    case
}

fn serial(case: &Case) -> String {
    let report = case.judge().unwrap();
    report.appraisals[0].claims.text(keyvouch::ClaimName::DeviceSerial).unwrap().to_owned()
}

fn bundle() -> Bundle {
    Bundle::of(case(&keyvouch_emulator::samples("yubikey-piv").unwrap()[0])).unwrap()
}

/// Today, when nothing is other than then.
fn unchanged(case: &Case) -> Today {
    Today {
        verifier: Verifier::new(case.reference().unwrap()),
        at: None,
        options: Options::default(),
        submitted: Vec::new(),
        policies: Vec::new(),
        known: Vec::new(),
        settings: Settings::default(),
    }
}

/// Today, when the operator has one more file of trust data.
fn with_data(bundle: &Bundle, name: &str, text: &str) -> Today {
    let mut case = bundle.case.clone();
    case.operator_data.push(File::new(name, text));
    unchanged(&case)
}

fn of_piv(found: &Reappraisal) -> &keyvouch_record::StatementChange {
    assert_eq!(found.statements.len(), 1);
    assert_eq!((found.statements[0].format.as_str(), found.statements[0].number), ("yubikey-piv", 1));
    &found.statements[0]
}

#[test]
fn a_record_of_every_format_is_the_same_when_nothing_changed() {
    for format in keyvouch_emulator::formats() {
        let case = case(&keyvouch_emulator::samples(format).unwrap()[0]);
        let today = Today { options: case.submission.options.clone(), ..unchanged(&case) };
        let report = case.judge_with(&today.verifier).unwrap().to_json().unwrap().into_bytes();
        let bundle = Bundle { case, report, labels: BTreeMap::new(), proofs: Vec::new() };
        let found = reappraise(&bundle, &today).unwrap();
        assert_eq!(found.change, Change::Same, "{format}: {found:?}");
        assert_eq!(found.recorded, found.today);
        assert!(found.statements.is_empty() && !found.is_worse());
    }
}

#[test]
fn a_denied_serial_is_found() {
    let bundle = bundle();
    let mut today = unchanged(&bundle.case);
    today.options.set("deny_serials", vec![serial(&bundle.case)]);
    let found = reappraise(&bundle, &today).unwrap();
    assert_eq!(found.change, Change::Changed);
    assert_eq!((found.recorded.as_deref(), found.today.as_deref()), (Some("accept"), Some("refuse")));
    assert!(found.is_worse());
    let piv = of_piv(&found);
    assert_eq!(piv.new.failed.iter().collect::<Vec<_>>(), ["denied"]);
    assert!(piv.gone.failed.is_empty());
    assert_eq!(piv.spki_sha256.as_ref().unwrap().len(), 64);
}

#[test]
fn an_anchor_that_is_no_longer_trusted_is_found() {
    let bundle = bundle();
    let mut case = bundle.case.clone();
    case.operator_data.clear();
    let found = reappraise(&bundle, &unchanged(&case)).unwrap();
    assert_eq!(found.change, Change::Changed);
    assert_ne!(found.today.as_deref(), Some("accept"));
    let piv = of_piv(&found);
    assert!(piv.new.failed.contains("intermediate-missing"), "{piv:?}");
    assert_eq!((piv.recorded.as_deref(), piv.today.as_deref()), (Some("authentic"), Some("undecided")));
    assert!(piv.spki_sha256.is_some(), "the key that the record spoke of");
}

#[test]
fn an_advisory_that_came_later_is_found() {
    let bundle = bundle();
    let found = reappraise(&bundle, &with_data(&bundle, "later.toml", ADVISORY)).unwrap();
    assert_eq!(found.change, Change::Changed);
    assert_eq!(of_piv(&found).new.advisories.iter().collect::<Vec<_>>(), ["refusal: weak-rng-2026"]);
    assert_eq!(found.today.as_deref(), Some("refuse"));
}

#[test]
fn what_only_became_old_is_told_apart() {
    let mut aged = 0;
    for format in ["google-cloud-hsm", "securosys", "azure-managed-hsm"] {
        let bundle = Bundle::of(case(&keyvouch_emulator::samples(format).unwrap()[0])).unwrap();
        let later = Some(bundle.case.submission.at.plus_seconds(100 * 365 * 86_400));
        let today =
            Today { at: later, options: bundle.case.submission.options.clone(), ..unchanged(&bundle.case) };
        let found = reappraise(&bundle, &today).unwrap();
        assert_ne!(found.change, Change::Changed, "{format}: {found:?}");
        if found.change == Change::Aged {
            aged += 1;
            assert!(found.is_worse() && !found.statements.is_empty());
            // When there is another reason too, that is what counts.
            let mut case = bundle.case.clone();
            case.operator_data.clear();
            let untrusted = Today { at: later, ..unchanged(&case) };
            assert_eq!(reappraise(&bundle, &untrusted).unwrap().change, Change::Changed);
        }
    }
    assert!(aged > 0, "no certificate of these ends within a hundred years");
}

#[test]
fn the_policies_of_today_judge() {
    let bundle = bundle();
    let mut today = unchanged(&bundle.case);
    today.policies = vec![Policy::builtin("eidas-qscd").unwrap()];
    let found = reappraise(&bundle, &today).unwrap();
    assert_eq!(found.change, Change::Changed);
    assert!(of_piv(&found).new.unmet.iter().all(|r| r.starts_with("eidas-qscd: ")));

    // Without any named: those of the record, as they are today.
    let stricter = Policy::builtin("eidas-qscd").unwrap();
    let stricter = Policy::from_source("hardware-key", stricter.source()).unwrap();
    let known = Today { known: vec![stricter], ..unchanged(&bundle.case) };
    assert_ne!(reappraise(&bundle, &known).unwrap().today.as_deref(), Some("accept"));
}

#[test]
fn options_are_those_of_today_but_for_what_the_submitter_said() {
    let mut case = bundle().case;
    let serial = serial(&case);
    case.submission.options.set("deny_serials", vec![serial]);
    let bundle = Bundle::of(case).unwrap();
    let mut today = unchanged(&bundle.case);
    let found = reappraise(&bundle, &today).unwrap();
    assert_eq!((found.recorded.as_deref(), found.today.as_deref()), (Some("refuse"), Some("accept")));
    assert!(of_piv(&found).gone.failed.contains("denied") && !found.is_worse());
    today.submitted = vec!["deny_serials".to_owned()];
    assert_eq!(reappraise(&bundle, &today).unwrap().change, Change::Same);
}
