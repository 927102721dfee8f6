//! Records of emulated evidence: they say the same again, and what was altered is found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};

use keyvouch::{File, Submission};
use keyvouch_emulator::Sample;
use keyvouch_policy::Policy;
use keyvouch_record::{Answer, Bundle, BundleError, Case, Parts, TrustData, recheck};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

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

fn example() -> Bundle {
    let mut case = case(&keyvouch_emulator::samples("yubikey-piv").unwrap()[0]);
    let own = Policy::builtin("device-identity").unwrap();
    case.policies.push(Policy::from_source("our own/rule.cedar", own.source()).unwrap());
    case.settings.set("advisories", "refuse").unwrap();
    case.submission.nonce = Some(vec![1, 2, 3]);
    let mut bundle = Bundle::of(case).unwrap();
    bundle.labels.insert("order".into(), "4711".into());
    bundle
}

/// The members of a ZIP file, changed, and the ZIP file of them.
fn changed(bundle: &Bundle, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bundle.write().unwrap())).unwrap();
    let mut members = BTreeMap::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(member.name().unwrap().into_owned(), bytes);
    }
    change(&mut members);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn manifest(members: &mut BTreeMap<String, Vec<u8>>, change: impl FnOnce(&mut Value)) {
    let bytes = members.get_mut("record.json").unwrap();
    let mut manifest = serde_json::from_slice(bytes).unwrap();
    change(&mut manifest);
    *bytes = serde_json::to_vec(&manifest).unwrap();
}

/// Puts another report into the record, with its digest, as a forger would.
fn other_report(bundle: &Bundle, from: &str, to: &str) -> Bundle {
    let report = String::from_utf8(bundle.report.clone()).unwrap();
    assert!(report.contains(from));
    let forged = Bundle { report: report.replace(from, to).into_bytes(), ..bundle.clone() };
    Bundle::read(&forged.write().unwrap()).unwrap()
}

#[test]
fn a_record_of_every_format_says_the_same_again() {
    for format in keyvouch_emulator::formats() {
        let bundle = Bundle::of(case(&keyvouch_emulator::samples(format).unwrap()[0])).unwrap();
        let written = bundle.write().unwrap();
        let read = Bundle::read(&written).unwrap();
        assert_eq!(read.case.submission, bundle.case.submission, "{format}");
        assert_eq!(read.report, bundle.report);
        assert_eq!(recheck(&read).unwrap().answer, Answer::Identical, "{format}");
        assert_eq!(read.write().unwrap(), written, "{format}: the same bundle, the same bytes");
    }
}

#[test]
fn everything_that_the_answer_rests_on_is_in_the_record() {
    let bundle = example();
    let read = Bundle::read(&bundle.write().unwrap()).unwrap();
    assert_eq!(read.case.operator_data, bundle.case.operator_data);
    assert_eq!(read.case.settings, bundle.case.settings);
    assert_eq!(read.labels, bundle.labels);
    let policies = |b: &Bundle| -> Vec<(String, String)> {
        b.case.policies.iter().map(|p| (p.name().to_owned(), p.source().to_owned())).collect()
    };
    assert_eq!(policies(&read), policies(&bundle));
    assert_eq!(recheck(&read).unwrap().answer, Answer::Identical);
    // And nothing else decides: without one of its parts the answer is another.
    for spoil in [
        |case: &mut Case| case.operator_data.clear(),
        |case: &mut Case| case.submission.request = None,
        |case: &mut Case| case.submission.nonce = None,
        |case: &mut Case| drop(case.policies.pop()),
        |case: &mut Case| case.submission.at = "2001-01-01T00:00:00Z".parse().unwrap(),
    ] {
        let mut other = read.clone();
        spoil(&mut other.case);
        assert!(matches!(recheck(&other).unwrap().answer, Answer::Different { .. }));
    }
}

#[test]
fn a_forged_answer_is_found_and_its_place_named() {
    let bundle = example();
    let forged = other_report(&bundle, "\"EC-P384\"", "\"RSA-3072\"");
    let Answer::Different { differences, more } = recheck(&forged).unwrap().answer else { panic!() };
    assert!(!more);
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].place, "/appraisals/0/claims/key.algorithm/value");
    assert_eq!(
        differences[0].to_string(),
        "/appraisals/0/claims/key.algorithm/value: recorded \"RSA-3072\", today \"EC-P384\""
    );
    // The same JSON in other bytes is not the same answer either.
    let spaced = other_report(&bundle, "\"schema\": ", "\"schema\":");
    let Answer::Different { differences, .. } = recheck(&spaced).unwrap().answer else { panic!() };
    assert!(differences.is_empty());
}

#[test]
fn another_version_that_says_the_same_is_told_apart() {
    let bundle = example();
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = other_report(&bundle, &version, "\"version\": \"0.0.1\"");
    let Answer::SameFindings(differences) = recheck(&older).unwrap().answer else { panic!() };
    assert_eq!(differences[0].place, "/verifier/version");
}

#[test]
fn the_trust_data_of_the_day_can_be_taken_along() {
    let mut bundle = example();
    bundle.include_trust_data();
    let mut read = Bundle::read(&bundle.write().unwrap()).unwrap();
    assert_eq!(recheck(&read).unwrap().answer, Answer::Identical);
    // It is used: with less of it the data has another digest.
    let TrustData::Files(files) = &mut read.case.trust_data else { panic!() };
    files.retain(|f| !f.name.ends_with("nshield.toml"));
    let other = changed(&bundle, |members| drop(members.remove("trust-data/data/anchors/nshield.toml")));
    assert!(matches!(Bundle::read(&other), Err(BundleError::TrustData)));
    let Answer::SameFindings(differences) = recheck(&read).unwrap().answer else { panic!() };
    assert_eq!(differences[0].place, "/verifier/data");
}

#[test]
fn what_was_altered_added_or_lost_is_named() {
    let bundle = example();
    let fault = |bytes: &[u8]| Bundle::read(bytes).unwrap_err();
    let paths: Vec<String> = {
        let mut paths = Vec::new();
        changed(&bundle, |members| paths.extend(members.keys().cloned()));
        paths.into_iter().filter(|p| p != "README.txt" && p != "record.json").collect()
    };
    assert!(paths.contains(&"policies/002-rule.cedar".to_owned()), "{paths:?}");
    for path in &paths {
        let altered = changed(&bundle, |members| members.get_mut(path).unwrap().push(b' '));
        assert!(matches!(fault(&altered), BundleError::Altered(p) if p == *path));
        let lost = changed(&bundle, |members| drop(members.remove(path)));
        assert!(matches!(fault(&lost), BundleError::Missing(p) if p == *path));
    }
    let added = changed(&bundle, |members| drop(members.insert("evidence/x".into(), vec![1])));
    assert!(matches!(fault(&added), BundleError::Unlisted(p) if p == "evidence/x"));
    let no_manifest = changed(&bundle, |members| drop(members.remove("record.json")));
    assert!(matches!(fault(&no_manifest), BundleError::Missing(p) if p == "record.json"));
    // Proofs came after the record and are no part of it.
    let proof = changed(&bundle, |members| drop(members.insert("result/001-x.jwt".into(), vec![1])));
    assert_eq!(Bundle::read(&proof).unwrap().proofs, [File::new("x.jwt", [1])]);
    // The README is for people.
    let no_readme = changed(&bundle, |members| drop(members.remove("README.txt")));
    assert!(Bundle::read(&no_readme).is_ok());
}

#[test]
fn a_manifest_is_read_strictly() {
    let bundle = example();
    let says = |change: &dyn Fn(&mut Value)| {
        Bundle::read(&changed(&bundle, |members| manifest(members, change))).unwrap_err().to_string()
    };
    let twice = |m: &mut Value| {
        let first = m["files"][1].clone();
        m["files"].as_array_mut().unwrap().push(first);
    };
    let second_report = |m: &mut Value| m["files"][1]["role"] = "report".into();
    type Fault<'a> = (&'a dyn Fn(&mut Value), &'a str);
    let faults: [Fault<'_>; 7] = [
        (&twice, "is listed twice"),
        (&second_report, "more than one file of the role"),
        (&|m| m["schema"] = "keyvouch.record/2".into(), "keyvouch.record/2"),
        (&|m| m["at"] = "yesterday".into(), "at: not a time"),
        (&|m| m["nonce"] = "xyz".into(), "nonce: not hexadecimal"),
        (&|m| m["colour"] = "red".into(), "unknown field"),
        (&|m| m["policy_settings"]["colour"] = "red".into(), "no policy setting"),
    ];
    for (change, what) in faults {
        assert!(says(change).contains(what), "{what}: {}", says(change));
    }
    for bytes in [&b""[..], b"PK\x03\x04", &[0; 1000]] {
        assert!(matches!(Bundle::read(bytes), Err(BundleError::Zip(_))));
    }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = changed(&example(), |members| drop(members.insert("bomb".into(), vec![0; (128 << 20) + 1])));
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(Bundle::read(&bomb), Err(BundleError::TooLarge(_))));
}

#[test]
fn names_lead_nowhere() {
    let mut bundle = example();
    bundle.case.submission.evidence[0].name = "../../etc/passwd\u{202e}.der".to_owned();
    let mut bundle = Bundle::of(bundle.case).unwrap();
    bundle.proofs.push(File::new("..\\..\\result.jwt", *b"x"));
    let written = bundle.write().unwrap();
    let mut paths = Vec::new();
    changed(&bundle, |members| paths.extend(members.keys().cloned()));
    assert!(paths.iter().all(|p| !p.contains("..") && p.is_ascii()), "{paths:?}");
    let read = Bundle::read(&written).unwrap();
    assert_eq!(read.case.submission.evidence[0].name, bundle.case.submission.evidence[0].name);
    assert_eq!(read.proofs, [File::new("result.jwt", *b"x")]);
    assert_eq!(recheck(&read).unwrap().answer, Answer::Identical);
}

#[test]
fn a_record_that_was_kept_in_parts_keeps_its_manifest() {
    let bundle = Bundle { proofs: vec![File::new("proof.tlog-proof", *b"proof")], ..example() };
    let mut parts = bundle.parts().unwrap();
    assert_eq!(bundle.write_parts(&parts).unwrap(), bundle.write().unwrap());

    // As another version wrote it: a knob was not there then.
    let manifest = String::from_utf8(parts.manifest).unwrap();
    let knob = manifest.lines().find(|line| line.contains("\"advisories\": ")).unwrap();
    parts.manifest = manifest.replace(&format!("{knob}\n"), "").into_bytes();
    let zip = bundle.write_parts(&parts).unwrap();
    assert_eq!(Bundle::manifest(&zip).unwrap(), parts.manifest);
    let read = Bundle::read(&zip).unwrap();
    assert_ne!(read.parts().unwrap().manifest, parts.manifest);
    assert_eq!(read.proofs, bundle.proofs);

    let files: BTreeMap<_, _> = parts.files.iter().map(|f| (f.sha256.clone(), f.bytes.to_vec())).collect();
    let again = Parts::of(parts.manifest.clone(), |_, sha256| files.get(sha256).cloned()).unwrap();
    assert_eq!(again, parts);
    assert!(matches!(Parts::of(parts.manifest.clone(), |_, _| None), Err(BundleError::Missing(_))));
    let other = Parts::of(parts.manifest, |_, _| Some(b"other".to_vec()));
    assert!(matches!(other, Err(BundleError::Altered(_))));
}
