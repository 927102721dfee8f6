//! YubiKey PIV attestation on emulated devices: every container, and one failure for every check.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Authority, Certificate, Extension};
use keyvouch_emulator::yubikey_piv::{Attestation, Device, Hierarchy, Maker, Signed, oid, pin, touch};
use keyvouch_emulator::{pem, samples};

const AT: &str = "2026-06-01T00:00:00Z";

/// An emulated YubiKey of firmware 5.4.3 with a key in slot 9a, and the anchor that vouches for it.
struct Bench {
    maker: Maker,
    attestation: Attestation,
    reference: Reference,
    at: &'static str,
    extra: Vec<File>,
    without_f9: bool,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Maker::new(Hierarchy::PivRoot).unwrap(), &Device::new([5, 4, 3]).unwrap())
    }

    fn with(maker: Maker, device: &Device) -> Self {
        let key = Key::shared("yubikey test: subject", KeyKind::P256).unwrap();
        let attestation = maker.attest(device, 0x9a, &key, pin::ONCE, touch::NEVER).unwrap();
        let mut bench = Self {
            maker,
            attestation,
            reference: Reference::builtin().unwrap(),
            at: AT,
            extra: Vec::new(),
            without_f9: false,
            options: Vec::new(),
        };
        bench.trust_maker();
        bench
    }

    fn trust_maker(&mut self) {
        for file in self.maker.anchors() {
            self.reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
        }
    }

    fn signed(&self) -> Signed {
        self.attestation.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        let signed = self.signed();
        let mut files = vec![File::new("attestation.der", signed.leaf)];
        if !self.without_f9 {
            files.push(File::new("f9.der", signed.f9));
        }
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
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

fn failed(appraisal: &Appraisal) -> Vec<String> {
    appraisal.failed().map(|c| c.id.to_string()).collect()
}

#[track_caller]
fn fails(bench: Bench, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let appraisal = bench.judge();
    let got = failed(&appraisal);
    assert_eq!(got, ids, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, authenticity);
    if authenticity != Authenticity::Authentic {
        assert!(
            appraisal.claims.is_empty() && appraisal.trust.is_none(),
            "claims of unauthenticated evidence"
        );
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
    let samples = samples("yubikey-piv").unwrap();
    assert!(samples.len() >= 8);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        for (name, value) in &sample.options {
            submission.options.set(name.clone(), value.clone());
        }
        let appraisal = appraise(reference, &submission);
        assert_eq!(failed(&appraisal), [""; 0], "{}", sample.variant);
        assert_eq!(appraisal.format, "yubikey-piv", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("never"));
    }
}

#[test]
fn claims_of_a_plain_device() {
    let mut bench = Bench::new();
    bench.attestation.leaf.extension_mut(oid::POLICY).unwrap().value = vec![pin::ALWAYS, touch::CACHED];
    let appraisal = bench.judge();
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::AuthPin), "always");
    assert_eq!(claim(ClaimName::AuthTouch), "cached");
    assert_eq!(claim(ClaimName::DeviceVendor), "Yubico");
    assert_eq!(claim(ClaimName::DeviceModel), "YubiKey 5");
    assert_eq!(claim(ClaimName::DeviceFirmware), "5.4.3");
    assert_eq!(claim(ClaimName::DeviceFipsMode), "unknown");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
    assert!(appraisal.advisories.iter().any(|a| a.id == "eucleak" && a.effect == "finding"));
    assert_eq!(appraisal.trust.unwrap().path().len(), 2);
}

#[test]
fn unknown_policy_bytes_are_unknown_claims() {
    let appraisal = altered(|a| *value(&mut a.leaf, oid::POLICY) = vec![0, 9]).judge();
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    assert!(appraisal.claims.value(ClaimName::AuthPin).is_unknown());
    assert!(appraisal.claims.value(ClaimName::AuthTouch).is_unknown());
}

#[test]
fn models_by_firmware_form_and_f9() {
    let model = |firmware: [u8; 3], form: u8, fips: bool, cspn: bool| {
        let hierarchy = if firmware >= [5, 7, 4] { Hierarchy::Root1 } else { Hierarchy::PivRoot };
        let mut device = Device::new(firmware).unwrap();
        device.form_factor = Some(form);
        device.fips = fips.then_some(7);
        device.cspn = cspn.then_some(1);
        let appraisal = Bench::with(Maker::new(hierarchy).unwrap(), &device).judge();
        appraisal.claims.value(ClaimName::DeviceModel).to_string()
    };
    assert_eq!(model([5, 4, 3], 0x81, true, false), "YubiKey 5 FIPS");
    assert_eq!(model([5, 4, 3], 0x01, true, false), "YubiKey 5 FIPS");
    assert_eq!(model([5, 4, 3], 0x81, false, false), "YubiKey 5 FIPS");
    assert_eq!(model([5, 4, 3], 0x03, false, true), "YubiKey 5 CSPN");
    assert_eq!(model([5, 7, 4], 0x07, false, false), "YubiKey Bio");
    assert_eq!(model([4, 4, 5], 0x01, false, false), "YubiKey 4 FIPS");
    assert_eq!(model([4, 3, 5], 0x01, false, false), "YubiKey 4");
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);

    // malformed-certificate: bytes after the leaf, and something that a request announces as one
    let mut bench = Bench::new();
    let mut trailing = bench.signed().leaf;
    trailing.push(0);
    bench.extra.push(File::new("trailing.der", trailing));
    note(fails(bench, NotAuthentic, &["malformed-certificate"]));

    // duplicate-extension, in leaf and in F9
    let twice = |c: &mut Certificate, oid: &str| {
        let extension = c.extension_mut(oid).unwrap().clone();
        c.extensions.push(extension);
    };
    note(fails(altered(|a| twice(&mut a.leaf, oid::SERIAL)), NotAuthentic, &["duplicate-extension"]));
    note(fails(altered(|a| twice(&mut a.f9, oid::FIRMWARE)), NotAuthentic, &["duplicate-extension"]));

    // leaf-extension-missing
    for oid in [oid::FIRMWARE, oid::POLICY] {
        note(fails(altered(|a| a.leaf.remove_extension(oid)), NotAuthentic, &["leaf-extension-missing"]));
    }

    // leaf-extension-bad: lengths, forms, and extensions that only F9 has
    let bad: [fn(&mut Attestation); 9] = [
        |a| *value(&mut a.leaf, oid::FIRMWARE) = vec![5, 4, 3, 0],
        |a| *value(&mut a.leaf, oid::POLICY) = vec![2],
        |a| *value(&mut a.leaf, oid::SERIAL) = vec![0x02, 0x01, 0xff],
        |a| *value(&mut a.leaf, oid::SERIAL) = vec![0x02, 0x05, 0x01, 0, 0, 0, 0],
        |a| *value(&mut a.leaf, oid::FORM_FACTOR) = vec![],
        |a| *value(&mut a.leaf, oid::FORM_FACTOR) = vec![0x41],
        |a| a.leaf.extensions.push(Extension::new(oid::FIPS, vec![2, 1, 7])),
        |a| a.leaf.extensions.push(Extension::new(oid::CSPN_OR_LEAF, vec![2, 1, 7])),
        |a| a.leaf.extensions.push(x509::basic_constraints(true, None)),
    ];
    for change in bad {
        note(fails(altered(change), NotAuthentic, &["leaf-extension-bad"]));
    }

    // bad-slot: F9 itself, and a number that is no slot
    for slot in ["f9", "96", "81", "9b"] {
        let name = format!("YubiKey PIV Attestation {slot}");
        let change = |a: &mut Attestation| a.leaf.subject = x509::common_name(&name).unwrap();
        note(fails(altered(change), NotAuthentic, &["bad-slot"]));
    }

    // f9-missing
    let mut bench = Bench::new();
    bench.without_f9 = true;
    note(fails(bench, Undecided, &["f9-missing"]));

    // no-leaf: F9 alone
    let bench = Bench::new();
    let alone = Submission::new(vec![File::new("f9.der", bench.signed().f9)], AT.parse().unwrap());
    let appraisal = appraise(bench.reference, &alone);
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["no-leaf".to_owned()], Undecided));
    note(failed(&appraisal));

    // name-chaining: the key of F9 signed a leaf that names another issuer
    let other = |a: &mut Attestation| a.leaf.issuer = x509::common_name("Somebody else").unwrap();
    note(fails(altered(other), NotAuthentic, &["name-chaining"]));

    // leaf-signature: another key; an algorithm that no YubiKey uses
    let stranger = Key::shared("yubikey test: stranger", KeyKind::Rsa2048).unwrap();
    note(fails(altered(|a| a.f9_key = stranger.clone()), NotAuthentic, &["leaf-signature"]));
    note(fails(altered(|a| a.leaf_signature = SignAlg::RsaPkcs1Sha512), NotAuthentic, &["leaf-signature"]));

    // f9-not-an-attestation-ca: not a CA; leaf extensions; more than one RDN; no firmware
    let shapes: [fn(&mut Attestation); 3] = [
        |a| a.f9.extension_mut("2.5.29.19").unwrap().value = vec![0x30, 0x00],
        |a| a.f9.extensions.push(Extension::new(oid::POLICY, vec![2, 1])),
        |a| a.f9.remove_extension(oid::FIRMWARE),
    ];
    for change in shapes {
        let appraisal = altered(change).judge();
        assert!(
            failed(&appraisal).contains(&"f9-not-an-attestation-ca".to_owned()),
            "{:#?}",
            appraisal.checks
        );
        assert_eq!(appraisal.authenticity, NotAuthentic);
        note(failed(&appraisal));
    }

    // untrusted-root: named like the anchor and signed by another; issuer unknown
    note(fails(altered(|a| a.issuer_key = stranger.clone()), NotAuthentic, &["untrusted-root"]));
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    note(fails(bench, Undecided, &["untrusted-root"]));

    // f9-replaced: self-signed
    let self_signed = |a: &mut Attestation| {
        a.f9.issuer = a.f9.subject.clone();
        a.issuer_key = a.f9_key.clone();
    };
    note(fails(altered(self_signed), NotAuthentic, &["untrusted-root", "f9-replaced"]));

    // intermediate-missing: only the root of the new hierarchy is known
    let mut bench = Bench::with(Maker::new(Hierarchy::Root1).unwrap(), &Device::new([5, 7, 4]).unwrap());
    bench.reference = Reference::builtin().unwrap();
    let root = pem::certificate(&bench.maker.root().unwrap().der);
    bench.reference.load_operator_certificates("root.pem", root.as_bytes()).unwrap();
    note(fails(bench, Undecided, &["intermediate-missing"]));

    // wrong-application-ca
    let fido = Maker::of_application(Hierarchy::Root1, "FIDO").unwrap();
    let bench = Bench::with(fido, &Device::new([5, 7, 4]).unwrap());
    note(fails(bench, NotAuthentic, &["wrong-application-ca"]));

    // preview-device: the operator's data says that this root is one of preview devices
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let data = untrusted(bench.maker.root().unwrap(), "preview");
    bench.reference.load_operator_file("preview.toml", &data).unwrap();
    note(fails(bench, NotAuthentic, &["preview-device"]));

    // expired, not-yet-valid: leaf and F9 have the same dates, and the root's end earlier
    let mut bench = Bench::new();
    bench.at = "2053-01-01T00:00:00Z";
    note(fails(bench, NotAuthentic, &["expired", "expired", "expired"]));
    let mut bench = Bench::new();
    bench.at = "2010-01-01T00:00:00Z";
    note(fails(bench, NotAuthentic, &["not-yet-valid", "not-yet-valid", "not-yet-valid"]));

    // impossible-firmware
    let old = |a: &mut Attestation| {
        *value(&mut a.leaf, oid::FIRMWARE) = vec![4, 2, 9];
        *value(&mut a.f9, oid::FIRMWARE) = vec![4, 2, 9];
    };
    note(fails(altered(old), NotAuthentic, &["impossible-firmware"]));

    // Findings: firmware-mismatch and unexpected-hierarchy
    let mismatch = altered(|a| *value(&mut a.f9, oid::FIRMWARE) = vec![5, 2, 7]).judge();
    assert_eq!(mismatch.authenticity, Authentic);
    note(mismatch.findings().map(|c| c.id.to_string()).collect());
    let mut device = Device::new([5, 7, 4]).unwrap();
    device.f9_key = Key::shared("yubikey test: f9", KeyKind::Rsa2048).unwrap();
    let unexpected = Bench::with(named_like_the_old_root(), &device).judge();
    assert_eq!(unexpected.authenticity, Authentic, "{:#?}", unexpected.checks);
    note(unexpected.findings().map(|c| c.id.to_string()).collect());

    let about = keyvouch::formats::about().find(|a| a.id == "yubikey-piv").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

/// A root with the name of a real one and another key: an operator may pin such a thing in a test set-up.
fn named_like_the_old_root() -> Maker {
    let mut maker = Maker::new(Hierarchy::PivRoot).unwrap();
    let key = maker.authorities[0].key.clone();
    let mut certificate = maker.authorities[0].certificate.clone();
    certificate.subject = x509::common_name("Yubico PIV Root CA Serial 263751").unwrap();
    certificate.issuer = certificate.subject.clone();
    maker.authorities = vec![Authority::root(certificate, key, SignAlg::RsaPkcs1Sha256).unwrap()];
    maker
}

fn untrusted(authority: &Authority, role: &str) -> String {
    use keyvouch::pki::Certificate;
    let certificate = Certificate::from_der(&authority.der).unwrap();
    let key = certificate.key().unwrap();
    let base64 = |bytes: &[u8]| keyvouch_emulator::bundle::base64(bytes).replace('\n', "");
    format!(
        "[[anchor]]\nid = 'emulated-{role}'\nname = 'emulated {role}'\nkind = 'untrusted'\nrole = '{role}'\n\
         formats = ['yubikey-piv']\nsubject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
         [[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\nnot_before = '{}'\nnot_after = '{}'\n",
        base64(certificate.subject()),
        base64(key.spki_der()),
        hex(&key.spki_sha256()),
        hex(certificate.sha256()),
        certificate.not_before(),
        certificate.not_after(),
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The owner of a real YubiKey signs a false leaf with an attested key: false leaf ← real leaf ← F9 ← root.
#[test]
fn an_attested_key_cannot_attest() {
    let rsa = Key::shared("yubikey test: attested RSA", KeyKind::Rsa2048).unwrap();
    let maker = Maker::new(Hierarchy::PivRoot).unwrap();
    let device = Device::new([5, 4, 3]).unwrap();
    let real = maker.attest(&device, 0x9a, &rsa, pin::ONCE, touch::NEVER).unwrap();
    let mut bench = Bench::with(maker, &device);
    // As the device made it, and dressed up as F9 (which breaks its signature).
    bench.extra.push(File::new("real-leaf.der", real.sign().unwrap().leaf));
    bench.attestation.leaf.issuer = real.leaf.subject.clone();
    bench.attestation.f9_key = rsa;
    let signed = bench.signed();
    let mut files = vec![File::new("false.der", signed.leaf), File::new("f9.der", real.sign().unwrap().f9)];
    files.append(&mut bench.extra);
    let report =
        Verifier::new(bench.reference).appraise(&Submission::new(files, AT.parse().unwrap())).unwrap();
    // Two leaves: the real one is authentic, the false one is not.
    let of_key = |a: &&Appraisal| a.claims.text(ClaimName::KeyAlgorithm) == Some("EC-P256");
    assert!(report.appraisals.iter().find(of_key).is_none(), "the false leaf was believed");
    let false_leaf = report.appraisals.iter().find(|a| a.authenticity != Authenticity::Authentic).unwrap();
    assert!(failed(false_leaf).contains(&"f9-not-an-attestation-ca".to_owned()));
}

#[test]
fn accept_expired_makes_dates_a_finding() {
    let mut bench = Bench::new();
    bench.at = "2053-01-01T00:00:00Z";
    bench.options.push(("accept_expired", true.into()));
    let appraisal = bench.judge();
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    assert!(appraisal.findings().any(|c| c.id == "expired"));
}

#[test]
fn deny_lists_hit_certificate_serial_firmware_and_key() {
    let hits = |data: &str| {
        let mut bench = Bench::new();
        bench.reference.load_operator_file("deny.toml", data).unwrap();
        failed(&bench.judge())
    };
    let signed = Bench::new().signed();
    let f9 = keyvouch::pki::Certificate::from_der(&signed.f9).unwrap();
    let leaf = keyvouch::pki::Certificate::from_der(&signed.leaf).unwrap();
    let serial = {
        let appraisal = Bench::new().judge();
        appraisal.claims.text(ClaimName::DeviceSerial).unwrap().to_owned()
    };
    let denied = ["denied".to_owned()];
    let digest = hex(f9.sha256());
    assert_eq!(
        hits(&format!(
            "[[deny]]\nspki_sha256 = '{}'\nreason = 'leaked'\n",
            hex(&f9.key().unwrap().spki_sha256())
        )),
        denied
    );
    assert_eq!(
        hits(&format!(
            "[[deny]]\nspki_sha256 = '{}'\nreason = 'x'\n",
            hex(&leaf.key().unwrap().spki_sha256())
        )),
        denied
    );
    assert_eq!(hits(&format!("[[deny]]\nserial = '{serial}'\nreason = 'lost'\n")), denied);
    assert_eq!(
        hits(
            "[[deny]]\nvendor = 'Yubico'\nmodel = 'YubiKey 5'\nfirmware_min = '5.4'\nfirmware_below = '5.5'\nreason = 'x'\n"
        ),
        denied
    );
    let none: [String; 0] = [];
    assert_eq!(hits("[[deny]]\nserial = '1'\nreason = 'x'\n"), none);
    // F9 keys are shared in this process, but the certificate differs with each signature only if RSA were
    // randomised; PKCS#1 v1.5 is not, so its digest can be denied by option.
    let mut bench = Bench::new();
    bench.options.push(("deny_certificates", serde_json::json!([digest])));
    assert_eq!(failed(&bench.judge()), denied);
}

#[test]
fn several_leaves_are_judged_each_or_by_the_request() {
    let bench = Bench::new();
    let signed = bench.signed();
    let second = Key::shared("yubikey test: second", KeyKind::P384).unwrap();
    let device = Device::new([5, 4, 3]).unwrap();
    let other = bench.maker.attest(&device, 0x9c, &second, pin::ONCE, touch::NEVER).unwrap().sign().unwrap();
    let files = vec![
        File::new("a.der", signed.leaf),
        File::new("b.der", other.leaf),
        File::new("f9.der", signed.f9),
        File::new("f9-again.der", other.f9),
    ];
    let mut submission = Submission::new(files, AT.parse().unwrap());
    let verifier = Verifier::new(bench.reference);
    assert_eq!(verifier.appraise(&submission).unwrap().appraisals.len(), 2);
    submission.request = Some(File::new("key.pem", pem::public_key(&second.spki_der().unwrap())));
    let report = verifier.appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    assert_eq!(report.appraisals[0].binding.as_str(), "public-key");
}
