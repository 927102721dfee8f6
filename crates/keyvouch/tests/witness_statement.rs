//! Witness statements of emulated auditors: every form, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

#[path = "witness_statement/refused.rs"]
mod refused;
#[path = "witness_statement/signing.rs"]
mod signing;

use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{
    Authenticity, Basis, Binding, ClaimName, File, Freshness, Reference, Route, Submission, Verifier,
};
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::witness_statement::{Auditor, SIGNED, SIGNED_UNIX, samples, statement};
use keyvouch_emulator::{bundle, csr, pem};
use serde_json::{Value, json};
use support::cases::of_sample;
use support::judging::{failed, found, judge, text};

const AT: &str = "2026-06-01T00:00:00Z";
/// No attestation, and nothing wrong with it.
const STANDS: Authenticity = Authenticity::NotAttestable;

fn subject() -> Arc<Key> {
    Key::shared("witness test: subject", KeyKind::P256).unwrap()
}

fn erika() -> Auditor {
    Auditor::new("Erika Mustermann", KeyKind::P256).unwrap()
}

fn max() -> Auditor {
    Auditor::new("Max Mustermann", KeyKind::P384).unwrap()
}

/// A statement that Erika signs, and what it is judged against.
struct Bench {
    said: Value,
    auditor: Auditor,
    signed: &'static str,
    auditors: Option<Vec<u8>>,
    at: &'static str,
    request: Arc<Key>,
    nonce: Option<Vec<u8>>,
    options: Vec<(&'static str, Value)>,
    beside: Vec<File>,
    reference: Reference,
}

impl Bench {
    fn new() -> Self {
        Self {
            said: statement(&subject()).unwrap(),
            auditor: erika(),
            signed: SIGNED,
            auditors: Some(erika().list().bytes),
            at: AT,
            request: subject(),
            nonce: None,
            options: Vec::new(),
            beside: Vec::new(),
            reference: Reference::builtin().unwrap(),
        }
    }

    /// With another value at a place of the statement.
    fn saying(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.said.pointer_mut(parent).unwrap()[name] = value.into();
        self
    }

    fn without(mut self, pointer: &str) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.said.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        self
    }

    fn option(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    /// With other certificates of auditors.
    fn trusting(mut self, ders: &[&[u8]]) -> Self {
        self.auditors = Some(pem::certificates(ders).into_bytes());
        self
    }

    fn text(&self) -> Vec<u8> {
        bundle::json(&self.said).unwrap()
    }

    fn cms(&self) -> Vec<u8> {
        self.auditor.cms(&self.text(), self.signed).unwrap().sign().unwrap()
    }

    fn submission(&self, mut files: Vec<File>) -> Submission {
        files.extend(self.beside.iter().cloned());
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request =
            Some(File::new("request.csr", pem::request(&csr::plain("A", &self.request).unwrap())));
        submission.nonce = self.nonce.clone();
        if let Some(auditors) = &self.auditors {
            submission.options.set_file("auditors", auditors.clone());
        }
        for (name, value) in &self.options {
            submission.options.set(*name, value.clone());
        }
        submission
    }

    /// The statement, signed in CMS.
    fn judge(self) -> Appraisal {
        let cms = self.cms();
        self.judge_files(vec![File::new("statement.cms", cms)])
    }

    fn judge_files(self, files: Vec<File>) -> Appraisal {
        let submission = self.submission(files);
        judge(self.reference, &submission)
    }
}

#[test]
fn every_sample_stands_and_is_no_attestation() {
    for sample in samples().unwrap() {
        let case = of_sample(&sample);
        let appraisal = judge(case.reference, &case.submission);
        let what = &sample.variant;
        assert_eq!(appraisal.authenticity, STANDS, "{what}: {:#?}", appraisal.checks);
        assert_eq!((appraisal.route, appraisal.binding), (Route::WitnessStatement, Binding::Csr), "{what}");
        assert_eq!((failed(&appraisal), found(&appraisal)), (vec![], vec![]), "{what}");
        assert!(appraisal.stands() && appraisal.trust.is_some() && !appraisal.certifications.is_empty());
        for (name, claim) in appraisal.claims.named() {
            let unknown = claim.value.is_unknown();
            assert_eq!(
                claim.basis,
                if unknown { Basis::Unknown } else { Basis::Witnessed },
                "{what}: {name}"
            );
            assert!(unknown || claim.from.contains("Erika Mustermann (SPKI SHA-256 "), "{}", claim.from);
        }
        assert!(
            appraisal.details.details().all(|(_, c)| matches!(c.basis, Basis::Witnessed | Basis::Unknown))
        );
    }
}

#[test]
fn the_claims_are_those_of_the_statement() {
    let appraisal = Bench::new().saying("/key/purposes", json!(["decrypt", "sign"])).judge();
    use ClaimName as N;
    for (name, value) in [
        (N::KeyAlgorithm, "EC-P256"),
        (N::KeyGeneratedInDevice, "true"),
        (N::KeyExportable, "vendor-boundary"),
        (N::KeyEverExportable, "false"),
        (N::KeyPurposes, "sign, decrypt"),
        (N::KeyCreatedAt, "2026-05-20T10:15:00Z"),
        (N::DeviceVendor, "Utimaco"),
        (N::DeviceModel, "u.trust Anchor"),
        (N::DeviceSerial, "CS700142"),
        (N::DeviceFirmware, "4.49.0"),
        (N::DeviceClass, "hsm"),
        (N::DeviceFipsMode, "true"),
        (N::AuthPin, "unknown"),
    ] {
        assert_eq!(text(&appraisal, name), value, "{name}");
    }
    let details: Vec<String> =
        appraisal.details.details().map(|(name, claim)| format!("{name}: {}", claim.value)).collect();
    for detail in [
        "ceremony.report: Key ceremony report EX-2026-017",
        "statement.signed_at: 2026-05-20T15:00:00Z",
        "witnesses: Erika Mustermann, Example Audit AG, auditor, CISA 1234567",
    ] {
        assert!(details.iter().any(|d| d == detail), "{detail}: {details:#?}");
    }
    let certification = &appraisal.certifications[0];
    assert_eq!((certification.id.as_str(), certification.matched), ("4151", "model"));
}

#[test]
fn what_may_be_left_out_becomes_unknown() {
    let appraisal = Bench::new()
        .without("/key/ever_exportable")
        .without("/key/purposes")
        .without("/key/created_at")
        .without("/device/fips_mode")
        .without("/ceremony/place")
        .judge();
    assert_eq!((appraisal.authenticity, failed(&appraisal)), (STANDS, vec![]));
    for name in [ClaimName::KeyEverExportable, ClaimName::KeyPurposes, ClaimName::DeviceFipsMode] {
        assert!(appraisal.claims.value(name).is_unknown());
    }
}

#[test]
fn a_witness_may_be_pinned_himself() {
    let bench = Bench::new();
    let own = bench.auditor.der().unwrap();
    let appraisal = bench.trusting(&[&own]).judge();
    assert_eq!((appraisal.authenticity, failed(&appraisal)), (STANDS, vec![]));
    assert_eq!(appraisal.trust.unwrap().anchor().name, "Erika Mustermann");
    // As it stands: whatever else its extended key usage is for.
    let mut bench = Bench::new();
    bench.auditor.certificate.extension_mut("2.5.29.37").unwrap().value =
        keyvouch_emulator::x509::extended_key_usage(&["1.3.6.1.5.5.7.3.1"]).unwrap().value;
    let own = bench.auditor.der().unwrap();
    assert_eq!(failed(&bench.trusting(&[&own]).judge()), Vec::<String>::new());
}

#[test]
fn signatures_beside_the_statement_are_taken_together() {
    let bench = Bench::new().option("min_witnesses", 2);
    let mut bench = bench.saying("/witnesses/0/organisation", "Example Audit AG");
    let more = json!({ "name": "max  mustermann", "role": "second witness" });
    bench.said["witnesses"].as_array_mut().unwrap().push(more);
    let text_of = bench.text();
    let mut files = vec![File::new("statement.json", text_of.clone())];
    for (name, auditor) in [("erika.p7s", erika()), ("max.p7s", max())] {
        let mut signature = auditor.cms(&text_of, SIGNED).unwrap();
        signature.detached = true;
        files.push(File::new(name, pem::encode("PKCS7", &signature.sign().unwrap())));
    }
    files.reverse();
    let appraisal = bench.judge_files(files);
    assert_eq!((appraisal.authenticity, failed(&appraisal)), (STANDS, vec![]), "{:#?}", appraisal.checks);
    let from = &appraisal.claims.get(ClaimName::KeyExportable).unwrap().from;
    assert!(from.contains("Erika Mustermann (") && from.contains("Max Mustermann ("), "{from}");
}

#[test]
fn a_nonce_in_the_statement_is_compared() {
    let freshness = |said: Option<&str>, given: Option<&[u8]>| {
        let mut bench = Bench::new();
        bench.nonce = given.map(<[u8]>::to_vec);
        if let Some(said) = said {
            bench = bench.saying("/nonce", said);
        }
        let appraisal = bench.judge();
        (appraisal.freshness, failed(&appraisal))
    };
    assert_eq!(freshness(Some("00ff"), Some(&[0, 255])), (Freshness::NonceMatched, vec![]));
    assert_eq!(freshness(Some("00ff"), None), (Freshness::NotAsked, vec![]));
    assert_eq!(freshness(None, Some(&[1])), (Freshness::NoNonceInEvidence, vec![]));
    let mismatch = (Freshness::NonceMismatch, vec!["nonce-mismatch".to_owned()]);
    assert_eq!(freshness(Some("00ff"), Some(&[1])), mismatch);
}

#[test]
fn two_statements_are_two_appraisals() {
    let (bench, mut other) = (Bench::new(), Bench::new());
    other.said = statement(&Key::shared("witness test: other", KeyKind::P384).unwrap()).unwrap();
    let files = vec![File::new("one.cms", bench.cms()), File::new("two.cms", other.cms())];
    let submission = bench.submission(files);
    let report = Verifier::new(bench.reference).appraise(&submission).unwrap();
    let bound: Vec<Binding> = report.appraisals.iter().map(|a| a.binding).collect();
    assert_eq!(bound, [Binding::Csr, Binding::None]);
}

#[test]
fn what_only_mentions_the_schema_is_not_taken_for_a_statement() {
    for other in [
        r#"{"note": "keyvouch.witness/1"}"#,
        r#"["keyvouch.witness/1"]"#,
        r#"{"schema": "keyvouch.result/1"}"#,
        "keyvouch.witness/1",
    ] {
        let bench = Bench::new();
        let submission = bench.submission(vec![File::new("other.json", other)]);
        let appraisal = judge(bench.reference, &submission);
        assert_eq!((appraisal.format, appraisal.authenticity), ("", Authenticity::Undecided), "{other}");
    }
    // Nor a bag of certificates, or a signature over something else.
    let bench = Bench::new();
    let other = bench.auditor.cms(b"{\"schema\": 1}", SIGNED).unwrap().sign().unwrap();
    let submission = bench.submission(vec![File::new("other.cms", other)]);
    assert_eq!(judge(bench.reference, &submission).format, "");
}

#[test]
fn inspection_shows_statement_and_signatures() {
    let bench = Bench::new();
    let submission = bench.submission(vec![File::new("statement.cms", bench.cms())]);
    let view = Verifier::new(bench.reference).inspect(&submission).unwrap();
    let view = &view["statements"][0]["view"];
    assert_eq!(view["statement"]["device"]["model"], "u.trust Anchor");
    assert_eq!(view["signatures"][0]["signing_time"], SIGNED);
    assert_eq!(view["signatures"][0]["certificates"], json!(["Erika Mustermann"]));
}

#[test]
fn the_signing_time_of_a_jws_is_the_same() {
    let bench = Bench::new();
    let header = bench.auditor.header(SIGNED_UNIX).unwrap();
    let parts = bench.auditor.jws(&header, &bench.text()).unwrap();
    let appraisal = bench.judge_files(vec![File::new("statement.jws", parts.join("."))]);
    assert_eq!((appraisal.authenticity, failed(&appraisal)), (STANDS, vec![]));
}
