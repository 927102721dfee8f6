//! Evidence in conceptual message wrappers (CMW): in JSON, in CBOR, in an extension, one in another.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use keyvouch::wire::cmw::{Cmw, Collection, Label, Media, Record, indicator};
use keyvouch::{Authenticity, Binding, File, InputError, Reference, Report, Submission, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::{Sample, csr, der, samples, x509};
use serde_json::{Value, json};

const CMW: &str = "1.3.6.1.5.5.7.1.35";

fn sample() -> Sample {
    samples("yubikey-piv").unwrap().into_iter().next().unwrap()
}

fn record(value: &[u8], indicator: Option<u32>) -> Cmw {
    Cmw::Record(Record {
        media: Media::Type("application/octet-stream".into()),
        value: value.to_vec(),
        indicator,
    })
}

fn collection(members: impl IntoIterator<Item = (&'static str, Cmw)>) -> Cmw {
    let members = members.into_iter().map(|(name, cmw)| (Label::Text(name.into()), cmw)).collect();
    Cmw::Collection(Collection { kind: None, members })
}

/// The files of the sample, by their places in it.
fn wrapped(indicator: Option<u32>) -> Cmw {
    let files = sample().evidence;
    collection([("a", record(&files[0].bytes, indicator)), ("b", record(&files[1].bytes, indicator))])
}

fn try_judge(files: Vec<File>, request: Option<File>) -> Result<Report, InputError> {
    let sample = sample();
    let mut reference = Reference::builtin().unwrap();
    for anchor in &sample.anchors {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    let mut submission = Submission::new(files, sample.at.parse().unwrap());
    submission.request = request;
    Verifier::new(reference).appraise(&submission)
}

fn judge(bytes: Vec<u8>) -> Report {
    let request = sample().request.map(|r| File::new(r.name, r.bytes));
    try_judge(vec![File::new("evidence", bytes)], request).unwrap()
}

#[track_caller]
fn is_authentic(report: &Report) {
    let [appraisal] = report.appraisals.as_slice() else { panic!("{:#?}", report.appraisals) };
    assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.binding, Binding::Csr);
}

fn json_of(cmw: &Cmw) -> Vec<u8> {
    cmw.to_json().unwrap().to_string().into_bytes()
}

#[test]
fn evidence_is_taken_out_of_every_form() {
    let all = [None, Some(indicator::EVIDENCE), Some(indicator::ENDORSEMENTS | indicator::EVIDENCE)];
    for cmw in all.map(wrapped) {
        is_authentic(&judge(json_of(&cmw)));
        is_authentic(&judge(cmw.to_cbor()));
        // One in another, and a wrapper as the content of a record.
        let inner = collection([("outer", cmw.clone())]);
        is_authentic(&judge(json_of(&inner)));
        is_authentic(&judge(record(&inner.to_cbor(), None).to_cbor()));
        is_authentic(&judge(record(&json_of(&cmw), None).to_cbor()));
    }
    let report = judge(json_of(&wrapped(None)));
    let mut recognised: Vec<&str> = report.inputs[0].recognised.split("; ").collect();
    recognised.sort_unstable();
    assert_eq!(recognised, ["yubikey-piv: F9", "yubikey-piv: leaf"]);
    let places: Vec<&str> = report.appraisals[0].checks.iter().map(|c| c.place.as_ref()).collect();
    assert!(places.iter().any(|p| p.starts_with("evidence › a")), "{places:?}");
}

#[test]
fn a_tag_stands_for_a_content_format() {
    let files = sample().evidence;
    let tagged = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        // The tag of content-format 0, and bytes.
        [&[0xda, 0x63, 0x74, 0x01, 0x01, 0x59][..], &length, bytes].concat()
    };
    let request = sample().request.map(|r| File::new(r.name, r.bytes));
    let files = files.iter().map(|f| File::new(f.name.clone(), tagged(&f.bytes))).collect();
    is_authentic(&try_judge(files, request).unwrap());
}

#[test]
fn a_request_may_be_in_a_wrapper_too() {
    let sample = sample();
    let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
    let request = record(&sample.request.unwrap().bytes, None);
    is_authentic(&try_judge(files, Some(File::new("request", request.to_cbor()))).unwrap());
}

#[test]
fn the_extension_of_certificates_and_requests() {
    let key = Key::shared("wrappers", KeyKind::P256).unwrap();
    let name = x509::common_name("somebody").unwrap();
    let contents = [der::tlv(0x0c, &json_of(&wrapped(None))), der::tlv(0x04, &wrapped(None).to_cbor())];
    for content in contents {
        let extension = x509::Extension::new(CMW, content);
        let mut template =
            x509::Certificate::new(name.clone(), &key, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
                .unwrap();
        template.extensions = vec![extension.clone()];
        is_authentic(&judge(template.sign(&key, SignAlg::EcdsaSha256).unwrap()));

        let attribute = csr::Attribute::extension_request(&[extension]).unwrap();
        let request = csr::Request::new(name.clone(), &key).unwrap().with(attribute);
        let request = request.sign(&key, SignAlg::EcdsaSha256).unwrap();
        is_authentic(&judge(request));
    }
}

#[test]
fn other_messages_stay_closed() {
    for closed in [indicator::ATTESTATION_RESULTS, indicator::APPRAISAL_POLICY, indicator::REFERENCE_VALUES] {
        let report = judge(json_of(&wrapped(Some(closed))));
        let [appraisal] = report.appraisals.as_slice() else { panic!() };
        assert_eq!(appraisal.authenticity, Authenticity::Undecided);
        let said = appraisal.checks.iter().find(|c| c.id == "not-recognised").unwrap();
        assert_eq!(said.detail, "this is conceptual message wrapper (CMW)");
    }
}

#[test]
fn a_private_key_in_a_wrapper_ends_everything() {
    // PKCS#8 by its form alone: version, algorithm, octets.
    let pkcs8 = b"\x30\x0d\x02\x01\x00\x30\x03\x06\x01\x2a\x04\x03\x04\x01\x00";
    let error = try_judge(vec![File::new("evidence", record(pkcs8, None).to_cbor())], None).unwrap_err();
    assert!(matches!(error, InputError::PrivateKey(_)), "{error}");
}

#[test]
fn broken_wrappers_say_what_is_wrong() {
    let mut deep = json!(["a/b", "AQ"]);
    for _ in 0..6 {
        deep = json!({ "a": deep });
    }
    for (value, why) in [
        (json!(["application/x", "AQ=="]), "base64url"),
        (json!(["application/x", "AQ", 0]), "indicator"),
        (json!({"__cmwc_t": "?", "a": ["application/x", "AQ"]}), "__cmwc_t"),
        (deep, "deeper"),
    ] {
        let value: Value = value;
        let report = judge(value.to_string().into_bytes());
        let said = report.appraisals[0].checks.iter().find(|c| c.id == "not-recognised").unwrap();
        assert!(said.detail.contains("broken conceptual message wrapper"), "{}", said.detail);
        assert!(said.detail.contains(why), "{}", said.detail);
    }
}
