//! Devices without attestation: a plain answer for each, by what they wrote or by what the subscriber declares.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use keyvouch::appraisal::Appraisal;
use keyvouch::checks::{OnFail, Outcome};
use keyvouch::{Authenticity, Binding, File, Reference, Submission, Verifier};
use keyvouch_emulator::csr::{self, Attribute, Request};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Certificate, Extension};
use keyvouch_emulator::{pem, samples};

const AT: &str = "2026-06-01T00:00:00Z";

fn submission(evidence: Vec<File>, declared: Option<&str>) -> Submission {
    let mut submission = Submission::new(evidence, AT.parse().unwrap());
    if let Some(declared) = declared {
        submission.options.set("declared_device", declared);
    }
    submission
}

fn judge(submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(Reference::builtin().unwrap()).appraise(submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    report.appraisals.pop().unwrap()
}

fn key() -> std::sync::Arc<Key> {
    Key::shared("without-attestation", KeyKind::P256).unwrap()
}

fn certificate(name: &str, extensions: Vec<Extension>) -> File {
    let key = key();
    let subject = x509::common_name(name).unwrap();
    let mut certificate =
        Certificate::new(subject, &key, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z").unwrap();
    certificate.extensions = extensions;
    let der = certificate.sign(&key, SignAlg::EcdsaSha256).unwrap();
    File::new("certificate.pem", pem::certificate(&der))
}

fn request() -> File {
    File::new("request.csr", pem::request(&csr::plain("subscriber", &key()).unwrap()))
}

/// Fails with exactly these ids and is of this kind; nothing is claimed.
#[track_caller]
fn answers(submission: &Submission, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let appraisal = judge(submission);
    let failed: Vec<String> = appraisal.failed().map(|c| c.id.to_string()).collect();
    assert_eq!((appraisal.format, appraisal.authenticity), ("without-attestation", authenticity));
    assert_eq!(failed, ids, "{:#?}", appraisal.checks);
    assert!(appraisal.claims.is_empty() && appraisal.details.is_empty() && appraisal.trust.is_none());
    assert_eq!(appraisal.binding, Binding::None);
    assert!(appraisal.failed().all(|c| c.advice.is_some()));
    failed
}

#[test]
fn every_check_can_fail() {
    use Authenticity::{NotAttestable, Undecided};
    let mut seen = BTreeSet::new();
    // no-attestation-format: by what was declared, by a name, by an extension of a certificate, by one of a request
    let declared = submission(vec![request()], Some("Utimaco u.trust Anchor"));
    seen.extend(answers(&declared, NotAttestable, &["no-attestation-format"]));
    for name in ["PIVApplet Attestation", "PIVApplet Attestation 9a"] {
        let evidence = submission(vec![certificate(name, vec![])], None);
        seen.extend(answers(&evidence, NotAttestable, &["no-attestation-format"]));
    }
    for oid in ["1.3.6.1.4.1.54392.5.1567", "1.3.6.1.4.1.45724.1.1.4"] {
        let extension = Extension::new(oid, vec![4, 1, 0]);
        let evidence = submission(vec![certificate("some device", vec![extension])], None);
        seen.extend(answers(&evidence, NotAttestable, &["no-attestation-format"]));
    }
    let bundle = Extension::new("1.3.6.1.4.1.54392.5.1571", vec![0x30, 0]);
    let carrying = Request::new(x509::common_name("subscriber").unwrap(), &key()).unwrap();
    let carrying = carrying.with(Attribute::extension_request(&[bundle]).unwrap());
    let der = carrying.sign(&key(), SignAlg::EcdsaSha256).unwrap();
    let evidence = submission(vec![File::new("request.csr", pem::request(&der))], None);
    seen.extend(answers(&evidence, NotAttestable, &["no-attestation-format"]));

    // declared-device-unknown, declared-device-attests
    let declared = submission(vec![request()], Some("Umbrella Box 3000"));
    seen.extend(answers(&declared, Undecided, &["declared-device-unknown"]));
    for device in ["YubiKey 5C", "Thales Luna Network HSM 7", "entrust nShield"] {
        let declared = submission(vec![request()], Some(device));
        seen.extend(answers(&declared, Undecided, &["declared-device-attests"]));
    }

    // unsigned-document: alone it is not enough; beside a device that cannot attest it is only named
    let pdf = || File::new("ceremony.pdf", *b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n1 0 obj");
    let png = || File::new("screen.png", *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    for document in [pdf(), png()] {
        let evidence = submission(vec![document], None);
        seen.extend(answers(&evidence, Undecided, &["unsigned-document"]));
    }
    let both = submission(vec![pdf()], Some("Utimaco"));
    seen.extend(answers(&both, NotAttestable, &["no-attestation-format"]));
    let named = judge(&both).checks;
    assert!(named.iter().any(|c| c.id == "unsigned-document" && c.outcome == Outcome::Info));

    let about = keyvouch::formats::about().find(|a| a.id == "without-attestation").unwrap();
    assert_eq!(seen, about.checks.iter().map(|c| c.id.to_owned()).collect());
}

#[test]
fn the_answer_says_what_is_left_to_do() {
    let mut submission = submission(vec![request()], Some("Utimaco CryptoServer CP5"));
    submission.request = Some(request());
    let appraisal = judge(&submission);
    let check = appraisal.failed().find(|c| c.id == "no-attestation-format").unwrap();
    assert_eq!(check.means, Some(OnFail::NotAttestable));
    assert_eq!(check.place, "declared device");
    let advice = check.advice.as_deref().unwrap();
    assert!(advice.contains("(method 4)") && advice.contains("(method 6)") && !advice.contains("(method 1)"));
    // The request is checked all the same, and bound to nothing.
    assert!(appraisal.checks.iter().any(|c| c.id == "csr-signature" && c.outcome == Outcome::Pass));
    assert_eq!(appraisal.binding, Binding::None);
}

#[test]
fn a_denied_certificate_is_refused_as_such() {
    let file = certificate("PIVApplet Attestation", vec![]);
    let der = keyvouch::input::find_pem(std::str::from_utf8(&file.bytes).unwrap()).remove(0).der.unwrap();
    let certificate = keyvouch::pki::Certificate::from_der(&der).unwrap();
    let digest: String = certificate.sha256().iter().map(|b| format!("{b:02x}")).collect();
    let mut submission = submission(vec![file], None);
    submission.options.set("deny_certificates", serde_json::json!([digest]));
    answers(&submission, Authenticity::NotAuthentic, &["no-attestation-format", "denied"]);
}

/// What another format knows is judged there, whatever is declared: a software YubiHSM or a forged YubiKey under a
/// root of its own is no "device without attestation", and it is not believed.
#[test]
fn look_alikes_are_judged_by_their_own_format() {
    for format in keyvouch_emulator::formats() {
        let sample = samples(format).unwrap().remove(0);
        let evidence = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = submission(evidence, Some("Utimaco"));
        submission.at = sample.at.parse().unwrap();
        let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
        for appraisal in &report.appraisals {
            assert_ne!(appraisal.format, "without-attestation", "{format}");
            assert_ne!(appraisal.authenticity, Authenticity::Authentic, "{format}");
            assert_ne!(appraisal.authenticity, Authenticity::NotAttestable, "{format}");
        }
    }
    // Named like a YubiKey's and signed by itself.
    let forged =
        ["YubiKey PIV Attestation 9a", "Yubico PIV Attestation"].map(|name| certificate(name, vec![]));
    let report = Verifier::new(Reference::builtin().unwrap());
    let report = report.appraise(&submission(forged.into(), Some("PivApplet"))).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    assert_eq!(report.appraisals[0].format, "yubikey-piv");
    assert_eq!(report.appraisals[0].authenticity, Authenticity::NotAuthentic);
}

#[test]
fn what_nobody_knows_stays_unrecognised() {
    for evidence in [request(), certificate("nobody", vec![]), File::new("notes.txt", "not evidence")] {
        let appraisal = judge(&submission(vec![evidence], None));
        assert_eq!((appraisal.format, appraisal.authenticity), ("", Authenticity::Undecided));
    }
}

#[test]
fn formats_of_last_resort_come_last() {
    let ids: Vec<_> = keyvouch::formats::about().map(|a| a.id).collect();
    assert_eq!(ids.last(), Some(&"without-attestation"));
}
