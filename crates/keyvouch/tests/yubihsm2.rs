//! YubiHSM 2 attestation on emulated devices: every container, and one failure for every check.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic: that is how they fail")]

use std::collections::BTreeSet;

use keyvouch::appraisal::Appraisal;
use keyvouch::reference::anchors::AnchorKind;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Certificate, Extension, Text};
use keyvouch_emulator::yubihsm2::{
    Attestation, Device, Hierarchy, Maker, Object, Signed, capability as can, oid,
};
use keyvouch_emulator::{bundle, der, pem, samples};

use Authenticity::{Authentic, NotAuthentic, Undecided};

const AT: &str = "2026-06-01T00:00:00Z";
const SERIAL: u32 = 31_650_425;

/// An emulated YubiHSM 2 of firmware 2.4.0 with a signing key, and the anchors that vouch for it.
struct Bench {
    maker: Maker,
    attestation: Attestation,
    reference: Reference,
    at: &'static str,
    nonce: Option<Vec<u8>>,
    extra: Vec<File>,
    without_device: bool,
    options: Vec<(&'static str, serde_json::Value)>,
}

fn object() -> Object {
    Object::generated(0x1234, can::SIGN_ECDSA)
}

impl Bench {
    fn new() -> Self {
        Self::of(&object())
    }

    fn of(object: &Object) -> Self {
        Self::with(Maker::new(Hierarchy::SubCa).unwrap(), &Device::new([2, 4, 0], SERIAL).unwrap(), object)
    }

    fn with(maker: Maker, device: &Device, object: &Object) -> Self {
        let key = Key::shared("yubihsm2 test: subject", KeyKind::P256).unwrap();
        let attestation = maker.attest(device, object, &key).unwrap();
        let mut bench = Self {
            maker,
            attestation,
            reference: Reference::builtin().unwrap(),
            at: AT,
            nonce: None,
            extra: Vec::new(),
            without_device: false,
            options: Vec::new(),
        };
        bench.trust(usize::MAX);
        bench
    }

    /// Gives the verifier the first authorities of the maker, root first.
    fn trust(&mut self, count: usize) {
        self.reference = Reference::builtin().unwrap();
        for file in self.maker.anchors().iter().take(count) {
            self.reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
        }
    }

    fn signed(&self) -> Signed {
        self.attestation.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        let signed = self.signed();
        let mut files = vec![File::new("attestation.der", signed.leaf)];
        if !self.without_device {
            files.push(File::new("device.der", signed.device));
        }
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.nonce = self.nonce;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        appraise(self.reference, &submission)
    }
}

fn appraise(reference: Reference, submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(reference).appraise(submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    report.appraisals.pop().unwrap()
}

/// The failed checks, each once.
fn failed(appraisal: &Appraisal) -> Vec<String> {
    let mut ids: Vec<String> = appraisal.failed().map(|c| c.id.to_string()).collect();
    ids.dedup();
    ids
}

fn found(appraisal: &Appraisal) -> Vec<String> {
    appraisal.findings().map(|c| c.id.to_string()).collect()
}

#[track_caller]
fn is(appraisal: &Appraisal, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let got = failed(appraisal);
    assert_eq!(got, ids, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.format, "yubihsm2");
    assert_eq!(appraisal.authenticity, authenticity);
    if authenticity != Authentic {
        assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "claims without authenticity");
    }
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

/// Changes the attestation before it is signed.
fn altered(change: impl FnOnce(&mut Attestation)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench.attestation);
    bench
}

fn value<'a>(certificate: &'a mut Certificate, oid: &str) -> &'a mut Vec<u8> {
    &mut certificate.extension_mut(oid).unwrap().value
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("yubihsm2").unwrap();
    assert!(samples.len() >= 12);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        let appraisal = appraise(reference, &submission);
        is(&appraisal, Authentic, &[]);
        assert_eq!(found(&appraisal), [""; 0], "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("never"));
        let mode = match sample.variant.as_str() {
            "2.4.1-fips-mode-on" => Value::Bool(true),
            "2.4.1-fips-mode-off" => Value::Bool(false),
            _ => Value::Unknown,
        };
        assert_eq!(appraisal.claims.value(ClaimName::DeviceFipsMode), &mode, "{}", sample.variant);
    }
}

#[test]
fn claims_of_a_plain_key() {
    let mut bench = Bench::of(&Object {
        domains: 0b1000_0000_1001_0000,
        label: b"\xffkey".to_vec(),
        capabilities: can::SIGN_ECDSA | can::DERIVE_ECDH,
        ..object()
    });
    bench.nonce = Some(vec![7; 16]);
    let appraisal = bench.judge();
    is(&appraisal, Authentic, &[]);
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyEverExportable), "false");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign, agree");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Yubico");
    assert_eq!(claim(ClaimName::DeviceModel), "YubiHSM 2");
    assert_eq!(claim(ClaimName::DeviceSerial), "31650425");
    assert_eq!(claim(ClaimName::DeviceFirmware), "2.4.0");
    let detail = |wanted: &str| {
        let found = appraisal.details.details().find(|(name, _)| *name == wanted);
        found.map(|(_, claim)| claim.value.to_string()).unwrap()
    };
    assert_eq!(detail("object_id"), "0x1234");
    assert_eq!(detail("domains"), "5, 8, 16");
    assert_eq!(detail("label"), "\u{fffd}key");
    assert_eq!(detail("origin"), "generated (0x01)");
    assert_eq!(detail("capabilities"), "sign-ecdsa, derive-ecdh");
    assert_eq!(appraisal.freshness, Freshness::NoNonceInEvidence);
    assert!(appraisal.uncertified && appraisal.certifications.is_empty() && appraisal.advisories.is_empty());
    assert_eq!(appraisal.trust.unwrap().path().len(), 3);
}

#[test]
fn reference_data_by_model_and_firmware() {
    let fips = Device { fips_unit: Some(5), ..Device::new([2, 2, 0], 20_783_176).unwrap() };
    let appraisal = Bench::with(Maker::new(Hierarchy::SubCa).unwrap(), &fips, &object()).judge();
    assert_eq!(appraisal.claims.text(ClaimName::DeviceModel), Some("YubiHSM 2 FIPS"));
    assert!(appraisal.certifications.iter().any(|c| c.id == "3916") && !appraisal.uncertified);
    assert!(appraisal.advisories.iter().any(|a| a.id == "eucleak" && a.effect == "finding"));
}

/// What the origin and the capabilities say, in claims.
#[test]
fn origins_and_capabilities() {
    let claims = |origin: u8, capabilities: u64| {
        let appraisal = Bench::of(&Object { origin, capabilities, ..object() }).judge();
        assert_eq!(appraisal.authenticity, Authentic);
        let claim = |name| appraisal.claims.value(name).to_string();
        (
            failed(&appraisal).join(" "),
            claim(ClaimName::KeyGeneratedInDevice),
            claim(ClaimName::KeyExportable),
            claim(ClaimName::KeyEverExportable),
        )
    };
    let of = |ids: &str, generated: &str, exportable: &str, ever: &str| {
        (ids.to_owned(), generated.to_owned(), exportable.to_owned(), ever.to_owned())
    };
    let (sign, wrap) = (can::SIGN_ECDSA, can::SIGN_ECDSA | can::EXPORTABLE_UNDER_WRAP);
    for (origin, capabilities, wanted) in [
        (0x01, sign, of("", "true", "never", "false")),
        (0x01, wrap, of("exportable-under-wrap", "true", "wrapped", "true")),
        (0x02, sign, of("imported", "false", "never", "unknown")),
        (0x02, wrap, of("imported exportable-under-wrap", "false", "wrapped", "true")),
        (0x11, sign, of("imported-wrapped", "false", "never", "true")),
        (0x12, sign, of("imported imported-wrapped", "false", "never", "true")),
        (0x00, sign, of("unknown-origin", "unknown", "never", "unknown")),
        (0x03, sign, of("imported unknown-origin", "unknown", "never", "unknown")),
        (0x10, sign, of("imported-wrapped unknown-origin", "unknown", "never", "true")),
        (0x21, sign, of("unknown-origin", "unknown", "never", "unknown")),
        (0x81, wrap, of("unknown-origin exportable-under-wrap", "unknown", "wrapped", "true")),
    ] {
        assert_eq!(claims(origin, capabilities), wanted, "{origin:#04x} {capabilities:#x}");
    }
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);
    note(form());
    note(device());
    note(path());
    note(dates());
    note(said());
    let about = keyvouch::formats::about().find(|a| a.id == "yubihsm2").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

/// Certificates, and the extensions of the leaf.
fn form() -> Vec<String> {
    let mut ids = Vec::new();
    // malformed-certificate: bytes after a leaf, beside a good one and alone
    let mut bench = Bench::new();
    let trailing = [bench.signed().leaf, vec![0]].concat();
    bench.extra.push(File::new("trailing.der", trailing.clone()));
    ids.extend(is(&bench.judge(), NotAuthentic, &["malformed-certificate"]));
    let alone = Submission::new(vec![File::new("trailing.der", trailing)], AT.parse().unwrap());
    ids.extend(is(
        &appraise(Reference::builtin().unwrap(), &alone),
        NotAuthentic,
        &["malformed-certificate"],
    ));

    // duplicate-extension, in leaf and device certificate
    let twice = |c: &mut Certificate, oid: &str| {
        let extension = c.extension_mut(oid).unwrap().clone();
        c.extensions.push(extension);
    };
    ids.extend(is(
        &altered(|a| twice(&mut a.leaf, oid::ORIGIN)).judge(),
        NotAuthentic,
        &["duplicate-extension"],
    ));
    ids.extend(is(
        &altered(|a| twice(&mut a.device, oid::SERIAL)).judge(),
        NotAuthentic,
        &["duplicate-extension"],
    ));

    // attestation-incomplete
    for oid in
        [oid::FIRMWARE, oid::SERIAL, oid::ORIGIN, oid::DOMAINS, oid::CAPABILITIES, oid::OBJECT_ID, oid::LABEL]
    {
        let appraisal = altered(|a| a.leaf.remove_extension(oid)).judge();
        ids.extend(is(&appraisal, NotAuthentic, &["attestation-incomplete"]));
    }

    // bad-extension: types, lengths, unused bits, others
    let bit_string = |unused: u8, octets: &[u8]| der::tlv(3, &[&[unused], octets].concat());
    let bad: Vec<(&str, Vec<u8>)> = vec![
        (oid::FIRMWARE, der::octet_string(&[2, 4])),
        (oid::FIRMWARE, vec![2, 4, 0]),
        (oid::SERIAL, vec![2, 1, 0xff]),
        (oid::SERIAL, vec![2, 5, 1, 0, 0, 0, 0]),
        (oid::SERIAL, vec![4, 1, 1]),
        (oid::ORIGIN, bit_string(0, &[1, 0])),
        (oid::ORIGIN, bit_string(0, &[])),
        (oid::ORIGIN, bit_string(1, &[2])),
        (oid::ORIGIN, der::octet_string(&[1])),
        (oid::ORIGIN, [bit_string(0, &[1]), vec![0]].concat()),
        (oid::DOMAINS, bit_string(0, &[1])),
        (oid::DOMAINS, bit_string(1, &[0, 2])),
        (oid::CAPABILITIES, bit_string(0, &[0; 7])),
        (oid::CAPABILITIES, bit_string(0, &[0; 9])),
        (oid::CAPABILITIES, bit_string(7, &[0, 0, 0, 0, 0, 0, 0, 0x80])),
        (oid::CAPABILITIES, der::integer(&[0x80])),
        (oid::OBJECT_ID, vec![2, 3, 1, 0, 0]),
        (oid::LABEL, der::tlv(0x0c, &[b'a'; 41])),
        (oid::LABEL, der::printable_string("codesign")),
    ];
    for (oid, bad) in bad {
        let appraisal = altered(|a| *value(&mut a.leaf, oid) = bad.clone()).judge();
        assert_eq!(failed(&appraisal), ["bad-extension"], "{oid} {bad:?}");
        ids.extend(is(&appraisal, NotAuthentic, &["bad-extension"]));
    }
    let more: [fn(&mut Attestation); 5] = [
        |a| a.leaf.extensions.push(x509::basic_constraints(true, None)),
        |a| a.leaf.extensions.push(Extension::new(oid::FIPS_UNIT, vec![2, 1, 5])),
        |a| a.leaf.extensions.push(Extension::new(oid::FIPS_MODE, vec![4, 1, 1])),
        |a| a.leaf.extensions.push(Extension::new(oid::FIPS_MODE, vec![1, 0])),
        |a| a.leaf.extension_mut(oid::DOMAINS).unwrap().critical = true,
    ];
    for change in more {
        ids.extend(is(&altered(change).judge(), NotAuthentic, &["bad-extension"]));
    }

    // object-id-mismatch: another number, another name
    for name in ["YubiHSM Attestation id:0x1235", "YubiHSM Attestation id:0x123", "Code signing key"] {
        let appraisal = altered(|a| a.leaf.subject = x509::common_name(name).unwrap()).judge();
        ids.extend(is(&appraisal, NotAuthentic, &["object-id-mismatch"]));
    }

    // no-leaf: the device certificate alone
    let bench = Bench::new();
    let alone = Submission::new(vec![File::new("device.der", bench.signed().device)], AT.parse().unwrap());
    ids.extend(is(&appraise(bench.reference, &alone), Undecided, &["no-leaf"]));
    ids
}

/// The device certificate and the leaf's signature.
fn device() -> Vec<String> {
    let mut ids = Vec::new();
    let stranger = Key::shared("yubihsm2 test: stranger", KeyKind::Rsa2048).unwrap();

    // device-certificate-missing: none, and that of another device
    let mut bench = Bench::new();
    bench.without_device = true;
    ids.extend(is(&bench.judge(), Undecided, &["device-certificate-missing"]));
    let mut bench = Bench::new();
    bench.without_device = true;
    let key = Key::shared("yubihsm2 test: subject", KeyKind::P256).unwrap();
    let other = Device::new([2, 4, 0], 1).unwrap();
    let other = bench.maker.attest(&other, &object(), &key).unwrap().sign().unwrap();
    bench.extra.push(File::new("other.der", other.device));
    ids.extend(is(&bench.judge(), Undecided, &["device-certificate-missing"]));

    // custom-attestation-key: an attested key, a template of the owner's
    for issuer in ["YubiHSM Attestation id:0x0005", "Example attestation CA", "YubiHSM Attestation ()"] {
        let appraisal = altered(|a| a.leaf.issuer = x509::common_name(issuer).unwrap()).judge();
        ids.extend(is(&appraisal, NotAuthentic, &["custom-attestation-key"]));
    }
    let more = [("O", Text::Utf8, "Example"), ("CN", Text::Utf8, "YubiHSM Attestation (31650425)")];
    let appraisal = altered(|a| a.leaf.issuer = x509::name(&more).unwrap()).judge();
    ids.extend(is(&appraisal, NotAuthentic, &["custom-attestation-key"]));

    // leaf-signature: another key; an algorithm that no YubiHSM 2 uses
    ids.extend(is(&altered(|a| a.device_key = stranger.clone()).judge(), NotAuthentic, &["leaf-signature"]));
    let sha512 = |a: &mut Attestation| a.leaf_signature = SignAlg::RsaPkcs1Sha512;
    ids.extend(is(&altered(sha512).judge(), NotAuthentic, &["leaf-signature"]));

    // not-a-device-certificate
    let shapes: [fn(&mut Attestation); 6] = [
        |a| a.device.remove_extension(oid::FIRMWARE),
        |a| a.device.remove_extension(oid::SERIAL),
        |a| *value(&mut a.device, oid::SERIAL) = vec![4, 1, 1],
        |a| a.device.remove_extension("2.5.29.19"),
        |a| *value(&mut a.device, "2.5.29.19") = vec![0x30, 0],
        |a| *a.device.extension_mut("2.5.29.19").unwrap() = x509::basic_constraints(true, None),
    ];
    for change in shapes {
        ids.extend(is(&altered(change).judge(), NotAuthentic, &["not-a-device-certificate"]));
    }
    // With the extensions of a leaf it is a second leaf, and the device of the first.
    let mut bench = Bench::new();
    let origin = bench.attestation.leaf.extension_mut(oid::ORIGIN).unwrap().clone();
    bench.attestation.device.extensions.push(origin);
    let signed = bench.signed();
    let files = vec![File::new("leaf.der", signed.leaf), File::new("device.der", signed.device)];
    let report =
        Verifier::new(bench.reference).appraise(&Submission::new(files, AT.parse().unwrap())).unwrap();
    assert!(report.appraisals.iter().all(|a| a.authenticity == NotAuthentic));
    assert!(failed(&report.appraisals[0]).contains(&"not-a-device-certificate".to_owned()));

    // serial-mismatch: leaf, device certificate, its name; a leaf of older firmware
    let mismatches: [fn(&mut Attestation); 4] = [
        |a| *value(&mut a.leaf, oid::SERIAL) = der::integer_u32(1),
        |a| *value(&mut a.device, oid::SERIAL) = der::integer_u32(1),
        |a| {
            let name = x509::common_name("YubiHSM Attestation (1)").unwrap();
            a.device.subject = name.clone();
            a.leaf.issuer = name;
        },
        |a| *value(&mut a.leaf, oid::FIRMWARE) = der::octet_string(&[2, 3, 9]),
    ];
    for change in mismatches {
        ids.extend(is(&altered(change).judge(), NotAuthentic, &["serial-mismatch"]));
    }
    // firmware-mismatch: a finding
    let newer = altered(|a| *value(&mut a.leaf, oid::FIRMWARE) = der::octet_string(&[2, 4, 1])).judge();
    is(&newer, Authentic, &[]);
    ids.extend(found(&newer));
    ids
}

/// From the device certificate to the anchor.
fn path() -> Vec<String> {
    let mut ids = Vec::new();
    let stranger = Key::shared("yubihsm2 test: stranger", KeyKind::Rsa2048).unwrap();

    // untrusted-root: named like an anchor and signed by another
    ids.extend(is(&altered(|a| a.issuer_key = stranger.clone()).judge(), NotAuthentic, &["untrusted-root"]));
    // self-signed
    let self_signed = |a: &mut Attestation| {
        a.device.issuer = a.device.subject.clone();
        a.issuer_key = a.device_key.clone();
    };
    ids.extend(is(&altered(self_signed).judge(), NotAuthentic, &["untrusted-root"]));
    // an issuer nobody knows
    let unknown = |a: &mut Attestation| {
        a.device.issuer = x509::common_name("Example CA").unwrap();
        a.issuer_key = stranger.clone();
    };
    ids.extend(is(&altered(unknown).judge(), Undecided, &["untrusted-root"]));
    // more certificates than a path length allows
    let too_long = authority_of_path_length_0();
    ids.extend(is(&too_long, NotAuthentic, &["untrusted-root"]));
    assert!(too_long.failed().all(|c| c.detail.contains("pathLenConstraint")), "{:#?}", too_long.checks);
    // known and not trusted
    let mut bench = Bench::new();
    bench.trust(1);
    let sub_ca = keyvouch::pki::Certificate::from_der(&bench.maker.authorities[1].der).unwrap();
    bench.reference.load_operator_file("untrusted.toml", &untrusted(&sub_ca, None)).unwrap();
    ids.extend(is(&bench.judge(), NotAuthentic, &["untrusted-root"]));

    // intermediate-missing: only the root is known, of either hierarchy
    for hierarchy in [Hierarchy::SubCa, Hierarchy::Root1] {
        let device = Device::new([2, 4, 1], SERIAL).unwrap();
        let mut bench = Bench::with(Maker::new(hierarchy).unwrap(), &device, &object());
        bench.trust(1);
        ids.extend(is(&bench.judge(), Undecided, &["intermediate-missing"]));
    }

    // wrong-application-ca: by name, and by what is known of the authority
    for name in ["Yubico FIDO Attestation emulated 1", "Yubico PIV Attestation emulated 1", "Example"] {
        let device = Device::new([2, 4, 1], SERIAL).unwrap();
        let bench = Bench::with(Maker::under_root_1(name).unwrap(), &device, &object());
        ids.extend(is(&bench.judge(), NotAuthentic, &["wrong-application-ca"]));
    }
    let mut bench = Bench::new();
    bench.trust(1);
    bench
        .reference
        .load_operator_file("untrusted.toml", &untrusted(&sub_ca, Some("other-application")))
        .unwrap();
    ids.extend(is(&bench.judge(), NotAuthentic, &["wrong-application-ca"]));
    // the root itself issued the device certificate
    let mut bench = Bench::new();
    let root = bench.maker.authorities[0].clone();
    bench.attestation.device.issuer = root.certificate.subject;
    bench.attestation.issuer_key = root.key;
    ids.extend(is(&bench.judge(), NotAuthentic, &["wrong-application-ca"]));
    ids
}

/// An authority of path length 0 issued the device certificate, which is that of a CA.
fn authority_of_path_length_0() -> Appraisal {
    let device = Device::new([2, 4, 1], SERIAL).unwrap();
    let mut bench = Bench::with(Maker::new(Hierarchy::Root1).unwrap(), &device, &object());
    bench.trust(2);
    let mut authority = bench.maker.authorities[2].certificate.clone();
    *value(&mut authority, "2.5.29.19") = x509::basic_constraints(true, Some(0)).value;
    let authority = authority.sign(&bench.maker.authorities[1].key, SignAlg::RsaPkcs1Sha256).unwrap();
    bench.extra.push(File::new("authority.der", authority));
    bench.judge()
}

fn untrusted(certificate: &keyvouch::pki::Certificate, role: Option<&str>) -> String {
    let base64 = |bytes: &[u8]| bundle::base64(bytes);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let key = certificate.key().unwrap();
    let role = role.map(|role| format!("role = '{role}'\n")).unwrap_or_default();
    format!(
        "[[anchor]]\nid = 'emulated'\nname = 'emulated'\nkind = 'untrusted'\n{role}formats = ['yubihsm2']\n\
         subject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
         [[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\nnot_before = '{}'\nnot_after = '{}'\n",
        base64(certificate.subject()),
        base64(key.spki_der()),
        hex(&key.spki_sha256()),
        hex(certificate.sha256()),
        certificate.not_before(),
        certificate.not_after(),
    )
}

fn dates() -> Vec<String> {
    let mut ids = Vec::new();
    for (at, id) in [("2071-12-01T00:00:00Z", "expired"), ("2016-12-31T00:00:00Z", "not-yet-valid")] {
        let mut bench = Bench::new();
        bench.at = at;
        ids.extend(is(&bench.judge(), NotAuthentic, &[id]));
        let mut bench = Bench::new();
        bench.at = at;
        bench.options.push(("accept_expired", true.into()));
        let accepted = bench.judge();
        is(&accepted, Authentic, &[]);
        assert!(found(&accepted).iter().all(|finding| finding == id));
    }
    // The leaf alone
    let appraisal = altered(|a| a.leaf.not_after = "2026-05-01T00:00:00Z".to_owned()).judge();
    ids.extend(is(&appraisal, NotAuthentic, &["expired"]));
    ids
}

/// What an authentic leaf says and a policy may not take.
fn said() -> Vec<String> {
    let mut ids = Vec::new();
    let mut fails = |origin: u8, capabilities: u64, id: &str| {
        let appraisal = Bench::of(&Object { origin, capabilities, ..object() }).judge();
        ids.extend(is(&appraisal, Authentic, &[id]));
    };
    fails(0x02, can::SIGN_ECDSA, "imported");
    fails(0x11, can::SIGN_ECDSA, "imported-wrapped");
    fails(0x00, can::SIGN_ECDSA, "unknown-origin");
    fails(0x01, can::SIGN_ECDSA | can::EXPORTABLE_UNDER_WRAP, "exportable-under-wrap");
    fails(0x01, can::DERIVE_ECDH, "cannot-sign");
    fails(0x01, can::SIGN_ATTESTATION, "cannot-sign");
    fails(0x01, 0, "cannot-sign");
    let mut finds = |capabilities: u64, id: &str| {
        let appraisal = Bench::of(&Object::generated(1, capabilities)).judge();
        is(&appraisal, Authentic, &[]);
        assert_eq!(found(&appraisal), [id]);
        ids.extend(found(&appraisal));
    };
    finds(can::SIGN_ECDSA | can::EXPORT_WRAPPED, "odd-capability");
    finds(can::SIGN_ECDSA | 1 << 0x0d, "odd-capability");
    finds(can::SIGN_ECDSA | 1 << 0x38, "unknown-capability");
    finds(can::SIGN_ECDSA | 1 << 63, "unknown-capability");
    finds(can::SIGN_ECDSA | can::SIGN_ATTESTATION, "self-certifying-key");
    ids
}

/// The owner signs a false leaf with an attested key: false leaf ← real leaf ← device certificate.
#[test]
fn an_attested_key_cannot_attest() {
    let attested = Key::shared("yubihsm2 test: attested RSA", KeyKind::Rsa2048).unwrap();
    let bench = Bench::new();
    let device = Device::new([2, 4, 0], SERIAL).unwrap();
    let rsa = Object::generated(5, can::SIGN_PKCS | can::SIGN_ATTESTATION);
    let real = bench.maker.attest(&device, &rsa, &attested).unwrap();
    let real_signed = real.sign().unwrap();
    for name in [real.leaf.subject.clone(), real.device.subject.clone()] {
        let mut forged = bench.attestation.clone();
        forged.leaf.issuer = name;
        forged.device_key = attested.clone();
        let files = vec![
            File::new("forged.der", forged.sign().unwrap().leaf),
            File::new("real.der", real_signed.leaf.clone()),
            File::new("device.der", real_signed.device.clone()),
        ];
        let submission = Submission::new(files, AT.parse().unwrap());
        let report = Verifier::new(bench.reference.clone()).appraise(&submission).unwrap();
        let authentic: Vec<_> = report.appraisals.iter().filter(|a| a.authenticity == Authentic).collect();
        assert_eq!(authentic.len(), 1);
        assert_eq!(authentic[0].claims.text(ClaimName::KeyAlgorithm), Some("RSA-2048"));
    }
}

/// A YubiKey's and a YubiHSM's authorities are below one root, and neither serves for the other.
#[test]
fn anchors_of_the_two_kinds_of_device_stay_apart() {
    let reference = Reference::builtin().unwrap();
    let hsm = reference.anchors.by_id("yubihsm-attestation-b2-1").unwrap();
    assert!(hsm.applies_to("yubihsm2") && !hsm.applies_to("yubikey-piv"));
    assert_eq!((hsm.kind, hsm.role.as_deref()), (AnchorKind::Intermediate, Some("hsm-attestation")));
    let root = reference.anchors.by_id("yubico-attestation-root-1").unwrap();
    assert!(root.applies_to("yubihsm2") && root.applies_to("yubikey-piv"));
    for anchor in reference.anchors.iter().filter(|a| a.role.as_deref() == Some("piv-attestation")) {
        assert!(!anchor.applies_to("yubihsm2"), "{}", anchor.id);
    }
}

#[test]
fn deny_lists_hit_device_and_serial() {
    let hits = |data: &str| {
        let mut bench = Bench::new();
        bench.reference.load_operator_file("deny.toml", data).unwrap();
        failed(&bench.judge())
    };
    assert_eq!(hits("[[deny]]\nserial = '31650425'\nvendor = 'Yubico'\nreason = 'lost'\n"), ["denied"]);
    assert_eq!(hits("[[deny]]\nserial = '1'\nreason = 'x'\n"), [""; 0]);
    let device = keyvouch::pki::Certificate::from_der(&Bench::new().signed().device).unwrap();
    let digest: String = device.sha256().iter().map(|b| format!("{b:02x}")).collect();
    let mut bench = Bench::new();
    bench.options.push(("deny_certificates", serde_json::json!([digest])));
    assert_eq!(failed(&bench.judge()), ["denied"]);
}

#[test]
fn several_leaves_are_judged_each_or_by_the_request() {
    let bench = Bench::new();
    let signed = bench.signed();
    let second = Key::shared("yubihsm2 test: second", KeyKind::P384).unwrap();
    let device = Device::new([2, 4, 0], SERIAL).unwrap();
    let other = Object::generated(2, can::SIGN_ECDSA);
    let other = bench.maker.attest(&device, &other, &second).unwrap().sign().unwrap();
    let files = vec![
        File::new("a.der", signed.leaf),
        File::new("b.der", other.leaf),
        File::new("device.der", signed.device),
    ];
    let mut submission = Submission::new(files, AT.parse().unwrap());
    let verifier = Verifier::new(bench.reference);
    assert_eq!(verifier.appraise(&submission).unwrap().appraisals.len(), 2);
    submission.request = Some(File::new("key.pem", pem::public_key(&second.spki_der().unwrap())));
    let report = verifier.appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    assert_eq!(report.appraisals[0].binding.as_str(), "public-key");
}

#[test]
fn inspect_shows_leaf_and_device() {
    let bench = Bench::new();
    let signed = bench.signed();
    let files = vec![File::new("a.der", signed.leaf), File::new("d.der", signed.device)];
    let submission = Submission::new(files, AT.parse().unwrap());
    let view = Verifier::new(bench.reference).inspect(&submission).unwrap();
    let fields = |n: usize| view["statements"][n]["view"]["fields"].clone();
    assert_eq!(fields(0)["object_id"], "0x1234");
    assert_eq!(fields(0)["capabilities"][0], "sign-ecdsa");
    assert_eq!(fields(1)["serial"], SERIAL);
}
