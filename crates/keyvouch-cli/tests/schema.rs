//! What `keyvouch verify --output json` prints obeys docs/result.schema.json, for every emulated sample, and is the
//! same every time.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keyvouch_emulator::{File, Sample, samples};
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/result.schema.json");

struct Schema(jsonschema::Validator);

impl Schema {
    fn new() -> Self {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "the schema is not a JSON Schema");
        Self(jsonschema::draft202012::new(&schema).unwrap())
    }

    /// The report, when it obeys.
    fn report(&self, output: &Output, what: &str) -> Value {
        let text = std::str::from_utf8(&output.stdout).unwrap();
        assert!(
            text.ends_with("}\n"),
            "{what}: no line feed at the end: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report: Value = serde_json::from_str(text).unwrap();
        let mut sorted = report.clone();
        sorted.sort_all_objects();
        assert_eq!(
            text,
            serde_json::to_string_pretty(&sorted).unwrap() + "\n",
            "{what}: keys are not sorted"
        );
        let faults: Vec<String> =
            self.0.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{text}");
        report
    }
}

fn keyvouch(args: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyvouch")).args(args).output().unwrap()
}

fn write(dir: &Path, files: &[File]) -> Vec<PathBuf> {
    std::fs::create_dir_all(dir).unwrap();
    let paths = files.iter().map(|file| dir.join(&file.name));
    paths.zip(files).map(|(path, file)| std::fs::write(&path, &file.bytes).map(|()| path).unwrap()).collect()
}

/// The command line that verifies a sample.
fn command(sample: &Sample, dir: &Path) -> Vec<String> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut args = vec!["verify".to_owned(), "--output=json".to_owned(), format!("--at={}", sample.at)];
    args.extend(write(&dir.join("evidence"), &sample.evidence).iter().map(|p| text(p)));
    for request in write(&dir.join("request"), sample.request.as_slice()) {
        args.extend(["--request".to_owned(), text(&request)]);
    }
    write(&dir.join("anchors"), &sample.anchors);
    args.extend(["--anchors".to_owned(), text(&dir.join("anchors"))]);
    for (name, value) in &sample.options {
        let mut value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut known = keyvouch::formats::about().flat_map(|a| a.options);
        if known.any(|o| o.name == name && o.kind == keyvouch::OptionKind::File) {
            let file = File::new(name.clone(), value);
            value = write(&dir.join("options"), &[file]).iter().map(|p| text(p)).collect();
        }
        args.extend(["--option".to_owned(), format!("{name}={value}")]);
    }
    args.extend(["hardware-key", "cabf-code-signing"].map(|policy| format!("--policy={policy}")));
    args
}

#[test]
fn every_sample() {
    let schema = Schema::new();
    let known: Vec<&str> = keyvouch::formats::about().map(|a| a.id).collect();
    for format in keyvouch_emulator::formats() {
        for sample in samples(format).unwrap() {
            let what = format!("{format}/{}", sample.variant);
            let dir = tempfile::tempdir().unwrap();
            // An emulator may be there before its format is: then nobody recognises the evidence.
            let sample = if known.contains(format) {
                sample
            } else {
                Sample { options: Default::default(), ..sample }
            };
            let args = command(&sample, dir.path());
            let output = keyvouch(&args);
            let report = schema.report(&output, &what);
            let status = match report["verdict"].as_str().unwrap() {
                "accept" | "accept-with-findings" => 0,
                "refuse" => 1,
                _ => 3,
            };
            assert_eq!(output.status.code(), Some(status), "{what}");
            assert_eq!(keyvouch(&args).stdout, output.stdout, "{what}: not the same twice");
            if known.contains(format) {
                let appraisal = &report["appraisals"][0];
                let (route, authenticity) = match appraisal["route"].as_str().unwrap() {
                    "attestation" => ("attestation", "authentic"),
                    other => (other, "not-attestable"),
                };
                assert_eq!(appraisal["authenticity"], authenticity, "{what}: {report:#}");
                assert_ne!(route, "none", "{what}");
            }
        }
    }
}

#[test]
fn what_nobody_recognises_and_what_is_not_authentic() {
    let schema = Schema::new();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv");
    for (files, authenticity, status) in [
        (vec![format!("{data}/notes.txt")], "undecided", 3),
        (vec![format!("{data}/tampered/attestation.pem"), format!("{example}/f9.pem")], "not-authentic", 1),
        (vec![format!("{example}/attestation.pem")], "undecided", 3),
    ] {
        let mut args = ["verify", "--output=json", "--at=2026-06-01T00:00:00Z"].map(str::to_owned).to_vec();
        args.extend(["--anchors".to_owned(), format!("{example}/anchors")]);
        args.extend(files);
        let output = keyvouch(&args);
        let report = schema.report(&output, &args.join(" "));
        assert_eq!(report["appraisals"][0]["authenticity"], authenticity, "{report:#}");
        assert_eq!(output.status.code(), Some(status));
    }
}

/// docs/witness.schema.json, the template, what the emulator signs, and what the verifier reads are one.
#[test]
fn statements_of_witnesses_obey_their_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/witness.schema.json")).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema is not a JSON Schema");
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let faults = |statement: &Value| -> Vec<String> {
        schema.iter_errors(statement).map(|e| format!("{}: {e}", e.instance_path())).collect()
    };
    let request = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv/request.csr");
    let args = |more: &[&str]| {
        [&["witness", "template"], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut places = Vec::new();
    for args in [args(&[]), args(&["--request", request, "--device", "Model 7"])] {
        let printed = keyvouch(&args).stdout;
        let template: Value = serde_json::from_slice(&printed).unwrap();
        assert_eq!(faults(&template), Vec::<String>::new());
        // Whoever signs it unread signs nothing that counts.
        let certificates = [];
        let at = "2026-06-01T00:00:00Z".parse().unwrap();
        let form = keyvouch::witness::sign::Form::Cms;
        let unread = keyvouch::witness::sign::Unsigned::new(&printed, &certificates, form, at).unwrap_err();
        assert!(unread.to_string().contains("not filled in"), "{unread}");
        objects(&template, String::new(), &mut places);
    }
    let key = keyvouch_emulator::key::Key::shared("schema", keyvouch_emulator::key::KeyKind::P256).unwrap();
    let mut said = keyvouch_emulator::witness_statement::statement(&key).unwrap();
    said["nonce"] = "00ff".into();
    said["remarks"] = "none".into();
    assert_eq!(faults(&said), Vec::<String>::new());
    // A statement has no member that the template or the schema lacks.
    for place in &places {
        let template = said.pointer(place).unwrap().as_object().unwrap();
        assert!(!template.is_empty(), "{place}");
        let mut spoilt = said.clone();
        spoilt.pointer_mut(place).unwrap()["stray"] = true.into();
        assert!(!faults(&spoilt).is_empty(), "{place} takes a stray member");
    }
    for (place, value) in [
        ("/schema", Value::from("keyvouch.witness/2")),
        ("/key/exportable", "perhaps".into()),
        ("/key/generated_in_device", "true".into()),
        ("/key/spki_sha256", "00".into()),
        ("/device/class", "tee".into()),
        ("/ceremony/started", "yesterday".into()),
        ("/witnesses", Value::Array(Vec::new())),
    ] {
        let mut spoilt = said.clone();
        *spoilt.pointer_mut(place).unwrap() = value;
        assert!(!faults(&spoilt).is_empty(), "{place}");
    }
}

#[test]
fn the_schema_is_strict() {
    let schema = Schema::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/yubikey-piv");
    let args = ["verify", "--output=json", "--trust-submission", example].map(str::to_owned);
    let report = schema.report(&keyvouch(&args), "example");
    // Every object must be closed: a stray member anywhere is refused.
    let mut places = Vec::new();
    objects(&report, String::new(), &mut places);
    assert!(places.len() > 20);
    for place in places.iter().filter(|p| !p.ends_with("/details")) {
        let mut spoilt = report.clone();
        spoilt.pointer_mut(place).unwrap()["stray"] = true.into();
        assert!(!schema.0.is_valid(&spoilt), "{place} takes a stray member");
    }
}

fn objects(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                objects(value, format!("{place}/{name}"), found);
            }
            found.push(place);
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                objects(value, format!("{place}/{n}"), found);
            }
        }
        _ => {}
    }
}
