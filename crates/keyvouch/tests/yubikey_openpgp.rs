//! YubiKey OpenPGP attestation on emulated devices: every container, and one failure for every check.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, Binding, ClaimName, File, InputError, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Authority, Certificate};
use keyvouch_emulator::yubikey_openpgp::{Attestation, Attested, Device, Maker, Signed, oid, touch};
use keyvouch_emulator::{der, openpgp, pem, samples, yubikey_piv};

const AT: &str = "2026-06-01T00:00:00Z";

/// An emulated YubiKey of firmware 5.2.7 with a SIG key, and the anchor that vouches for it.
struct Bench {
    maker: Maker,
    attestation: Attestation,
    reference: Reference,
    at: &'static str,
    extra: Vec<File>,
    without_att: bool,
    request: Option<File>,
    options: Vec<(&'static str, serde_json::Value)>,
}

fn subject(kind: KeyKind) -> Arc<Key> {
    Key::shared("yubikey-openpgp test: subject", kind).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self::of(&Attested::new("SIG", &subject(KeyKind::Ed25519)))
    }

    fn of(attested: &Attested) -> Self {
        Self::with(Maker::old().unwrap(), &Device::new([5, 2, 7]).unwrap(), attested)
    }

    fn with(maker: Maker, device: &Device, attested: &Attested) -> Self {
        let attestation = maker.attest(device, attested).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for file in maker.anchors() {
            reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
        }
        Self {
            maker,
            attestation,
            reference,
            at: AT,
            extra: Vec::new(),
            without_att: false,
            request: None,
            options: Vec::new(),
        }
    }

    fn new_hierarchy() -> Self {
        let key = Attested::new("SIG", &subject(KeyKind::Ed25519));
        Self::with(Maker::new().unwrap(), &Device::new([5, 7, 4]).unwrap(), &key)
    }

    fn signed(&self) -> Signed {
        self.attestation.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        self.try_judge().unwrap()
    }

    fn try_judge(self) -> Result<Appraisal, InputError> {
        let signed = self.signed();
        let mut files = vec![File::new("attest-sig.der", signed.leaf)];
        if !self.without_att {
            files.push(File::new("att.der", signed.att));
        }
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request = self.request;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        appraise(self.reference, &submission)
    }
}

fn appraise(reference: Reference, submission: &Submission) -> Result<Appraisal, InputError> {
    let mut report = Verifier::new(reference).appraise(submission)?;
    assert_eq!(report.appraisals.len(), 1);
    let appraisal = report.appraisals.pop().unwrap();
    assert_eq!(appraisal.format, "yubikey-openpgp");
    Ok(appraisal)
}

fn failed(appraisal: &Appraisal) -> Vec<String> {
    appraisal.failed().map(|c| c.id.to_string()).collect()
}

fn found(appraisal: &Appraisal) -> Vec<String> {
    appraisal.findings().map(|c| c.id.to_string()).collect()
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

/// A finding, on evidence that is authentic all the same.
#[track_caller]
fn finds(bench: Bench, ids: &[&str]) -> Vec<String> {
    let appraisal = bench.judge();
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec![], Authenticity::Authentic));
    assert_eq!(found(&appraisal), ids);
    found(&appraisal)
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
    let samples = samples("yubikey-openpgp").unwrap();
    assert!(samples.len() >= 8);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
        let evidence = sample.evidence.iter().map(file).collect();
        let mut submission = Submission::new(evidence, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(file);
        let appraisal = appraise(reference, &submission).unwrap();
        assert_eq!(failed(&appraisal), [""; 0], "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}", sample.variant);
        let bound = if sample.variant.starts_with("openpgp-key") { Binding::PublicKey } else { Binding::Csr };
        assert_eq!(appraisal.binding, bound, "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("never"));
        assert!(!found(&appraisal).contains(&"fingerprint-mismatch".to_owned()), "{}", sample.variant);
    }
}

#[test]
fn claims_of_a_plain_device() {
    let key = Attested {
        touch: touch::CACHED,
        cardholder: "Doe<<Jane".to_owned(),
        ..Attested::new("AUT", &subject(KeyKind::P256))
    };
    let appraisal = Bench::of(&key).judge();
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign");
    assert_eq!(claim(ClaimName::KeyEverExportable), "false");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::AuthPin), "unknown");
    assert_eq!(claim(ClaimName::AuthTouch), "cached");
    assert_eq!(claim(ClaimName::DeviceVendor), "Yubico");
    assert_eq!(claim(ClaimName::DeviceModel), "YubiKey 5");
    assert_eq!(claim(ClaimName::DeviceSerial), "15422467");
    assert_eq!(claim(ClaimName::DeviceFirmware), "5.2.7");
    assert_eq!(claim(ClaimName::DeviceFipsMode), "unknown");
    assert!(appraisal.advisories.iter().any(|a| a.id == "eucleak" && a.effect == "finding"));
    let detail = |name| {
        let mut details = appraisal.details.details();
        details.find(|(n, _)| *n == name).map(|(_, claim)| claim.value.to_string()).unwrap()
    };
    assert_eq!(detail("slot"), "AUT");
    assert_eq!(detail("touch_policy_changeable"), "true");
    assert_eq!(detail("signature_counter"), "unknown");
    assert_eq!(detail("cardholder_claimed"), "Doe<<Jane");
    assert_eq!(detail("created_claimed"), "2026-05-01T00:00:00Z");
    assert_eq!(detail("attestation_ca"), "custom: genuineness rests on the operator of that authority");
}

#[test]
fn touch_settings() {
    let setting = |uif: u8| {
        let appraisal = altered(|a| *value(&mut a.leaf, oid::TOUCH) = der::octet_string(&[uif])).judge();
        let changeable =
            appraisal.details.details().find(|(n, _)| *n == "touch_policy_changeable").unwrap().1;
        (appraisal.claims.value(ClaimName::AuthTouch).to_string(), changeable.value.to_string())
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(setting(touch::OFF), pair("never", "true"));
    assert_eq!(setting(touch::ON), pair("always", "true"));
    assert_eq!(setting(touch::FIXED), pair("always", "false"));
    assert_eq!(setting(touch::CACHED), pair("cached", "true"));
    assert_eq!(setting(touch::CACHED_FIXED), pair("cached", "false"));
    assert_eq!(setting(9), pair("unknown", "unknown"));
}

#[test]
fn models_by_form_and_att() {
    let model = |form: u8, fips: bool, cspn: bool| {
        let device = Device { form_factor: form, fips, cspn, ..Device::new([5, 4, 3]).unwrap() };
        let key = Attested::new("SIG", &subject(KeyKind::Ed25519));
        let appraisal = Bench::with(Maker::old().unwrap(), &device, &key).judge();
        appraisal.claims.value(ClaimName::DeviceModel).to_string()
    };
    assert_eq!(model(0x01, false, false), "YubiKey 5");
    assert_eq!(model(0x81, false, false), "YubiKey 5 FIPS");
    assert_eq!(model(0x01, true, false), "YubiKey 5 FIPS");
    assert_eq!(model(0x03, false, true), "YubiKey 5 CSPN");
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);

    // malformed-certificate: bytes after the leaf
    let mut bench = Bench::new();
    let mut trailing = bench.signed().leaf;
    trailing.push(0);
    bench.extra.push(File::new("trailing.der", trailing));
    note(fails(bench, NotAuthentic, &["malformed-certificate"]));

    // duplicate-extension, in leaf and in ATT
    let twice = |c: &mut Certificate, oid: &str| {
        let extension = c.extension_mut(oid).unwrap().clone();
        c.extensions.push(extension);
    };
    note(fails(altered(|a| twice(&mut a.leaf, oid::SERIAL)), NotAuthentic, &["duplicate-extension"]));
    note(fails(altered(|a| twice(&mut a.att, oid::FIRMWARE)), NotAuthentic, &["duplicate-extension"]));

    // leaf-extension-missing: also the one by which a leaf of another name is recognised
    for oid in [oid::SOURCE, oid::FIRMWARE, oid::SERIAL, oid::TOUCH] {
        note(fails(altered(|a| a.leaf.remove_extension(oid)), NotAuthentic, &["leaf-extension-missing"]));
    }

    // bad-extension: raw bytes as the PIV applet writes them, lengths, numbers, forms, names
    let bad: [fn(&mut Attestation); 14] = [
        |a| *value(&mut a.leaf, oid::SOURCE) = vec![4, 1, 1],
        |a| *value(&mut a.leaf, oid::SOURCE) = vec![2, 0],
        |a| *value(&mut a.leaf, oid::FIRMWARE) = vec![5, 2, 7],
        |a| *value(&mut a.leaf, oid::FIRMWARE) = der::octet_string(&[5, 2, 7, 0]),
        |a| *value(&mut a.leaf, oid::SERIAL) = vec![2, 1, 0xff],
        |a| *value(&mut a.leaf, oid::SERIAL) = vec![2, 5, 1, 0, 0, 0, 0],
        |a| *value(&mut a.leaf, oid::TOUCH) = der::octet_string(&[0, 0]),
        |a| *value(&mut a.leaf, oid::FORM_FACTOR) = der::octet_string(&[]),
        |a| *value(&mut a.leaf, oid::FORM_FACTOR) = der::octet_string(&[0x41]),
        |a| *value(&mut a.leaf, oid::COUNTER) = vec![2, 1, 0x80],
        |a| *value(&mut a.leaf, oid::FINGERPRINT) = der::octet_string(&[1; 19]),
        |a| *value(&mut a.leaf, oid::CARDHOLDER) = vec![0x0c, 1, 0xff],
        |a| a.leaf.extensions.push(x509::basic_constraints(true, None)),
        |a| a.leaf.subject = x509::common_name("YubiKey OPGP Attestation ENC").unwrap(),
    ];
    for change in bad {
        note(fails(altered(change), NotAuthentic, &["bad-extension"]));
    }

    // att-certificate-missing; one whose name differs in the case of a letter is another one
    let mut bench = Bench::new();
    bench.without_att = true;
    note(fails(bench, Undecided, &["att-certificate-missing"]));
    let other_k = |a: &mut Attestation| {
        a.att.subject = x509::common_name("YubiKey OPGP Attestation").unwrap();
        a.att_key = Key::shared("yubikey-openpgp test: stranger", KeyKind::Rsa2048).unwrap();
    };
    fails(altered(other_k), Undecided, &["att-certificate-missing"]);

    // no-leaf: ATT alone
    let bench = Bench::new();
    let alone = Submission::new(vec![File::new("att.der", bench.signed().att)], AT.parse().unwrap());
    let appraisal = appraise(bench.reference, &alone).unwrap();
    assert_eq!((failed(&appraisal), appraisal.authenticity), (vec!["no-leaf".to_owned()], Undecided));
    note(failed(&appraisal));

    // name-chaining: the ATT key signed a leaf that names another issuer
    let other = |a: &mut Attestation| a.leaf.issuer = x509::common_name("Somebody else").unwrap();
    note(fails(altered(other), NotAuthentic, &["name-chaining"]));

    // leaf-signature: another key; an algorithm that no YubiKey uses
    let stranger = Key::shared("yubikey-openpgp test: stranger", KeyKind::Rsa2048).unwrap();
    note(fails(altered(|a| a.att_key = stranger.clone()), NotAuthentic, &["leaf-signature"]));
    note(fails(altered(|a| a.leaf_signature = SignAlg::RsaPkcs1Sha512), NotAuthentic, &["leaf-signature"]));

    // att-not-an-attestation-ca: not a CA; extensions of a leaf; no firmware, or raw; two names; a weak key
    let shapes: [fn(&mut Attestation); 6] = [
        |a| a.att.extension_mut("2.5.29.19").unwrap().value = vec![0x30, 0x00],
        |a| a.att.extensions.push(x509::Extension::new(oid::SOURCE, vec![2, 1, 1])),
        |a| a.att.extensions.push(x509::Extension::new(oid::SERIAL, vec![2, 1, 1])),
        |a| a.att.remove_extension(oid::FIRMWARE),
        |a| *value(&mut a.att, oid::FIRMWARE) = vec![5, 2, 7],
        |a| {
            let text = x509::Text::Utf8;
            a.att.subject =
                x509::name(&[("O", text, "x"), ("CN", text, "Yubikey OPGP Attestation")]).unwrap();
            a.leaf.issuer = a.att.subject.clone();
        },
    ];
    for change in shapes {
        let appraisal = altered(change).judge();
        let ids = failed(&appraisal);
        assert!(ids.contains(&"att-not-an-attestation-ca".to_owned()), "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, NotAuthentic);
        note(ids);
    }

    // untrusted-root: named like the anchor and signed by another; issuer unknown
    note(fails(altered(|a| a.issuer_key = stranger.clone()), NotAuthentic, &["untrusted-root"]));
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    note(fails(bench, Undecided, &["untrusted-root"]));
    // An anchor that the operator does not trust
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let data = untrusted(bench.maker.root().unwrap(), "openpgp-attestation");
    bench.reference.load_operator_file("distrust.toml", &data).unwrap();
    note(fails(bench, NotAuthentic, &["untrusted-root"]));

    // att-replaced: self-signed
    let self_signed = |a: &mut Attestation| {
        a.att.issuer = a.att.subject.clone();
        a.issuer_key = a.att_key.clone();
    };
    note(fails(altered(self_signed), NotAuthentic, &["untrusted-root", "att-replaced"]));

    // intermediate-missing: only the root of the new hierarchy is known
    let mut bench = Bench::new_hierarchy();
    bench.reference = Reference::builtin().unwrap();
    let root = pem::certificate(&bench.maker.root().unwrap().der);
    bench.reference.load_operator_certificates("root.pem", root.as_bytes()).unwrap();
    note(fails(bench, Undecided, &["intermediate-missing"]));

    // wrong-application-ca: an authority for PIV, by its place in the hierarchy and by what the data says of it
    let key = Attested::new("SIG", &subject(KeyKind::Ed25519));
    let piv = Maker::of_application("PIV").unwrap();
    let bench = Bench::with(piv, &Device::new([5, 7, 4]).unwrap(), &key);
    note(fails(bench, NotAuthentic, &["wrong-application-ca"]));
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let data = untrusted(bench.maker.root().unwrap(), "other-application");
    bench.reference.load_operator_file("other.toml", &data).unwrap();
    note(fails(bench, NotAuthentic, &["wrong-application-ca"]));

    // preview-device: the operator's data says that this root is one of preview devices
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let data = untrusted(bench.maker.root().unwrap(), "preview");
    bench.reference.load_operator_file("preview.toml", &data).unwrap();
    note(fails(bench, NotAuthentic, &["preview-device"]));

    // expired, not-yet-valid: of leaf, ATT and root
    let mut bench = Bench::new();
    bench.at = "2047-01-01T00:00:00Z";
    note(fails(bench, NotAuthentic, &["expired", "expired", "expired"]));
    let mut bench = Bench::new();
    bench.at = "2019-07-01T00:00:00Z";
    note(fails(bench, NotAuthentic, &["not-yet-valid", "not-yet-valid", "not-yet-valid"]));

    // imported, unknown-source: authentic, and no policy accepts it
    let source = |number: u8| Bench::of(&Attested { source: number, ..key.clone() });
    let appraisal = source(0).judge();
    assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(false));
    assert!(appraisal.claims.value(ClaimName::KeyEverExportable).is_unknown());
    note(fails(source(0), Authentic, &["imported"]));
    for number in [2, 0x7f] {
        let appraisal = source(number).judge();
        assert!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice).is_unknown());
        assert!(appraisal.claims.value(ClaimName::KeyEverExportable).is_unknown());
        note(fails(source(number), Authentic, &["unknown-source"]));
    }

    // wrong-slot
    for (kind, purpose) in
        [(KeyKind::X25519, "agree"), (KeyKind::P384, "agree"), (KeyKind::Rsa2048, "decrypt")]
    {
        let bench = || Bench::of(&Attested::new("DEC", &subject(kind)));
        note(fails(bench(), Authentic, &["wrong-slot"]));
        let appraisal = bench().judge();
        assert_eq!(appraisal.claims.value(ClaimName::KeyPurposes).to_string(), purpose);
        assert!(found(&appraisal).is_empty(), "the fingerprint is that of the key");
    }

    // Findings: firmware-mismatch, fingerprint-mismatch, key-already-used
    let mismatch = altered(|a| *value(&mut a.att, oid::FIRMWARE) = der::octet_string(&[5, 4, 3]));
    note(finds(mismatch, &["firmware-mismatch"]));
    let mismatch = altered(|a| *value(&mut a.leaf, oid::FINGERPRINT) = der::octet_string(&[7; 20]));
    note(finds(mismatch, &["fingerprint-mismatch"]));
    let mismatch = altered(|a| *value(&mut a.leaf, oid::CREATED) = der::octet_string(&[0; 4]));
    note(finds(mismatch, &["fingerprint-mismatch"]));
    // A key whose host wrote no fingerprint has zeros.
    finds(altered(|a| *value(&mut a.leaf, oid::FINGERPRINT) = der::octet_string(&[0; 20])), &[]);
    note(finds(Bench::of(&Attested { counter: 6, ..key.clone() }), &["key-already-used"]));

    let about = keyvouch::formats::about().find(|a| a.id == "yubikey-openpgp").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

fn untrusted(authority: &Authority, role: &str) -> String {
    use keyvouch::pki::Certificate;
    let certificate = Certificate::from_der(&authority.der).unwrap();
    let key = certificate.key().unwrap();
    let base64 = |bytes: &[u8]| keyvouch_emulator::bundle::base64(bytes).replace('\n', "");
    format!(
        "[[anchor]]\nid = 'emulated-{role}'\nname = 'emulated {role}'\nkind = 'untrusted'\nrole = '{role}'\n\
         formats = ['yubikey-openpgp']\nsubject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
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

/// The owner of a real YubiKey signs a false leaf with an attested key: false leaf ← real leaf ← ATT ← root.
#[test]
fn an_attested_key_cannot_attest() {
    let rsa = Key::shared("yubikey-openpgp test: attested RSA", KeyKind::Rsa2048).unwrap();
    let real = Bench::of(&Attested::new("SIG", &rsa));
    let mut bench = Bench::new();
    bench.attestation.leaf.issuer = real.attestation.leaf.subject.clone();
    bench.attestation.att_key = rsa;
    let (false_leaf, real_chain) = (bench.signed().leaf, real.signed());
    let files = vec![
        File::new("false.der", false_leaf),
        File::new("real-leaf.der", real_chain.leaf),
        File::new("att.der", real_chain.att),
    ];
    let submission = Submission::new(files, AT.parse().unwrap());
    let report = Verifier::new(bench.reference).appraise(&submission).unwrap();
    let believed = |a: &Appraisal| a.claims.text(ClaimName::KeyAlgorithm) == Some("Ed25519");
    assert!(!report.appraisals.iter().any(believed), "the false leaf was believed");
    let refused = report.appraisals.iter().find(|a| a.authenticity != Authenticity::Authentic).unwrap();
    assert!(failed(refused).contains(&"att-not-an-attestation-ca".to_owned()));
}

/// The applets share root and intermediates, and neither takes the other's authority or certificates.
#[test]
fn piv_and_openpgp_are_kept_apart() {
    use yubikey_piv::Hierarchy;
    let key = subject(KeyKind::P256);
    let mut reference = Reference::builtin().unwrap();
    let maker = yubikey_piv::Maker::of_application(Hierarchy::Root1, "OPGP").unwrap();
    for file in maker.anchors() {
        reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
    }
    let device = yubikey_piv::Device::new([5, 7, 4]).unwrap();
    let signed = maker.attest(&device, 0x9a, &key, 2, 1).unwrap().sign().unwrap();
    let files = vec![File::new("leaf.der", signed.leaf), File::new("f9.der", signed.f9)];
    let report = Verifier::new(reference).appraise(&Submission::new(files, AT.parse().unwrap())).unwrap();
    assert_eq!(report.appraisals[0].format, "yubikey-piv");
    assert_eq!(failed(&report.appraisals[0]), ["wrong-application-ca"]);

    // What is built in says so too.
    let anchors = Reference::builtin().unwrap().anchors;
    for id in ["yubico-opgp-attestation-a-1", "yubico-opgp-attestation-b-1", "yubico-opgp-attestation-b2-1"] {
        let anchor = anchors.by_id(id).unwrap();
        assert!(anchor.applies_to("yubikey-openpgp") && !anchor.applies_to("yubikey-piv"));
    }
    assert!(anchors.by_id("yubico-attestation-root-1").unwrap().applies_to("yubikey-openpgp"));
}

#[test]
fn openpgp_keys_are_bound_by_their_primary_key_only() {
    let key = subject(KeyKind::Ed25519);
    let other = Key::shared("yubikey-openpgp test: other", KeyKind::Ed25519).unwrap();
    let created = 1_777_593_600;
    let packet =
        |tag, key: &Key| openpgp::packet(tag, &openpgp::key_body(key, created, false).unwrap()).unwrap();
    let judged = |bytes: Vec<u8>| {
        let mut bench = Bench::new();
        bench.request = Some(File::new("key.pgp", bytes));
        bench.try_judge()
    };
    let primary = packet(openpgp::tag::PUBLIC_KEY, &key);
    let appraisal = judged(primary.clone()).unwrap();
    assert_eq!(appraisal.binding, Binding::PublicKey);

    // Of another key; and with the attested key as a subkey, which anybody can add to his own.
    let stranger = packet(openpgp::tag::PUBLIC_KEY, &other);
    let subkey = packet(openpgp::tag::PUBLIC_SUBKEY, &key);
    for bytes in [stranger.clone(), [stranger.clone(), subkey].concat()] {
        let appraisal = judged(bytes).unwrap();
        assert_eq!(
            (appraisal.binding, failed(&appraisal)),
            (Binding::None, vec!["csr-key-mismatch".to_owned()])
        );
    }
    // Two keys; and a private key, armored or not.
    assert!(matches!(judged([primary.clone(), stranger].concat()), Err(InputError::BadRequest { .. })));
    let secret = packet(openpgp::tag::SECRET_KEY, &key);
    assert!(matches!(judged(secret.clone()), Err(InputError::PrivateKey(_))));
    let armored = pem::encode("PGP PRIVATE KEY BLOCK", &primary);
    assert!(matches!(judged(armored.into_bytes()), Err(InputError::PrivateKey(_))));
    let mislabelled = pem::encode("PGP PUBLIC KEY BLOCK", &secret);
    assert!(matches!(judged(mislabelled.into_bytes()), Err(InputError::PrivateKey(_))));
}

#[test]
fn accept_expired_makes_dates_a_finding() {
    let mut bench = Bench::new();
    bench.at = "2047-01-01T00:00:00Z";
    bench.options.push(("accept_expired", true.into()));
    let appraisal = bench.judge();
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    assert!(found(&appraisal).contains(&"expired".to_owned()));
}

#[test]
fn a_denied_device_or_certificate_is_refused() {
    let with = |name, value| {
        let mut bench = Bench::new();
        bench.options.push((name, value));
        bench
    };
    fails(with("deny_serials", serde_json::json!(["15422467"])), Authenticity::NotAuthentic, &["denied"]);
    let att = keyvouch::pki::Certificate::from_der(&Bench::new().signed().att).unwrap();
    let digest = serde_json::json!([hex(att.sha256())]);
    fails(with("deny_certificates", digest), Authenticity::NotAuthentic, &["denied"]);
}

#[test]
fn a_request_picks_its_leaf() {
    let second = Key::shared("yubikey-openpgp test: second", KeyKind::P384).unwrap();
    let other = Bench::of(&Attested::new("AUT", &second)).signed();
    let mut bench = Bench::new();
    bench.extra.push(File::new("attest-aut.der", other.leaf));
    bench.request = Some(File::new("key.pem", pem::public_key(&second.spki_der().unwrap())));
    let appraisal = bench.judge();
    assert_eq!(appraisal.binding, Binding::PublicKey);
    assert_eq!(appraisal.claims.text(ClaimName::KeyAlgorithm), Some("EC-P384"));
}
