//! I4P Trident on synthetic messages: the general road of a CMS with an anchor and a mapping of the operator's, and one
//! failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic: that is how they fail"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Verifier};
use keyvouch_emulator::cms::{SignedData, certs_only};
use keyvouch_emulator::i4p_trident::{DER_CONTENT, JSON_CONTENT, MAPPING, Maker, Statement};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Authority, Text, usage};
use keyvouch_emulator::{csr, der, pem, samples};
use serde_json::{Map, Value, json};

const AT: &str = "2026-06-01T00:00:00Z";

/// A message of an emulated module about a P-256 key, the request with that key, the anchor and the mapping.
struct Bench {
    maker: Maker,
    message: SignedData,
    reference: Reference,
    request: Option<File>,
    at: &'static str,
    beside: Vec<File>,
    options: Map<String, Value>,
    spoil: fn(Vec<u8>) -> Vec<u8>,
}

fn subject() -> Arc<Key> {
    Key::shared("i4p test: subject", KeyKind::P256).unwrap()
}

fn stranger() -> Arc<Key> {
    Key::shared("i4p test: stranger", KeyKind::P256).unwrap()
}

fn request(key: &Key) -> Option<File> {
    Some(File::new("request.csr", pem::request(&csr::plain("A", key).unwrap())))
}

impl Bench {
    fn new() -> Self {
        Self::of(DER_CONTENT, Statement::of(&subject()).unwrap().der())
    }

    fn of(kind: &str, content: Vec<u8>) -> Self {
        let maker = Maker::new(KeyKind::P256).unwrap();
        let mut bench = Self {
            message: maker.attest(kind, content).unwrap(),
            options: maker.options(),
            maker,
            reference: Reference::builtin().unwrap(),
            request: request(&subject()),
            at: AT,
            beside: Vec::new(),
            spoil: |der| der,
        };
        bench.trust(&bench.maker.root.der.clone());
        bench
    }

    fn trust(&mut self, der: &[u8]) {
        self.reference.load_operator_certificates("root.pem", pem::certificate(der).as_bytes()).unwrap();
    }

    /// Trusts another root and names it for the format.
    fn trust_instead(&mut self, root: &Authority) {
        self.reference = Reference::builtin().unwrap();
        self.trust(&root.der);
        let digest = hex(&keyvouch::crypto::sha256(&root.der));
        self.options.insert("i4p_roots".to_owned(), json!([digest]));
    }

    fn with_certificate(mut self, change: impl FnOnce(&mut x509::Certificate)) -> Self {
        change(&mut self.maker.certificate);
        self.message.certificates = vec![self.maker.certificate_der().unwrap()];
        self
    }

    fn judge(self) -> Appraisal {
        let signed = (self.spoil)(self.message.sign().unwrap());
        let mut files = vec![File::new("attestation.p7m", signed)];
        files.extend(self.beside);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request = self.request;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        appraise(self.reference, &submission)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn appraise(reference: Reference, submission: &Submission) -> Appraisal {
    let mut report = Verifier::new(reference).appraise(submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    report.appraisals.pop().unwrap()
}

fn failed(appraisal: &Appraisal) -> Vec<String> {
    let mut ids: Vec<String> = appraisal.failed().map(|c| c.id.to_string()).collect();
    ids.dedup();
    ids
}

#[track_caller]
fn fails(bench: Bench, authenticity: Authenticity, ids: &[&str]) -> Vec<String> {
    let appraisal = bench.judge();
    let got = failed(&appraisal);
    assert_eq!(got, ids, "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, authenticity);
    assert_eq!(appraisal.format, "i4p-trident");
    if authenticity != Authenticity::Authentic {
        assert!(
            appraisal.claims.is_empty() && appraisal.trust.is_none(),
            "claims of unauthenticated evidence"
        );
    }
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

#[track_caller]
fn passes(bench: Bench) -> Appraisal {
    let appraisal = bench.judge();
    assert_eq!(failed(&appraisal), [""; 0], "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    appraisal
}

fn changed(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench);
    bench
}

fn mapped(mapping: &[&str]) -> Bench {
    changed(|b| drop(b.options.insert("i4p_mapping".to_owned(), json!(mapping))))
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("i4p-trident").unwrap();
    assert!(samples.len() >= 7);
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
        let claim = |name| appraisal.claims.value(name).to_string();
        assert_eq!(failed(&appraisal), [""; 0], "{}: {:#?}", sample.variant, appraisal.checks);
        assert_eq!(appraisal.format, "i4p-trident", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(claim(ClaimName::KeyGeneratedInDevice), "true");
        assert_eq!(claim(ClaimName::KeyExportable), "vendor-boundary");
        assert_eq!(claim(ClaimName::KeyCreatedAt), "2026-05-01T12:00:00Z");
        assert_eq!(claim(ClaimName::DeviceSerial), "TEST-0001");
    }
}

#[test]
fn claims_are_those_of_the_mapped_fields() {
    let appraisal = passes(Bench::new());
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::DeviceVendor), "I4P");
    assert_eq!(claim(ClaimName::DeviceModel), "Trident");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceFirmware), "unknown");
    assert_eq!(claim(ClaimName::KeyEverExportable), "unknown");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
    // What the operator does not map is not known, whatever the content says.
    let appraisal = passes(mapped(&["1.3.6.1.4.1.99999.1 public-key=2"]));
    for name in [ClaimName::KeyGeneratedInDevice, ClaimName::KeyExportable, ClaimName::KeyCreatedAt] {
        assert!(appraisal.claims.value(name).is_unknown());
    }
    // What is mapped and not there is not known either.
    let appraisal = passes(mapped(&["1.3.6.1.4.1.99999.1 public-key=2 generated=9"]));
    assert!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice).is_unknown());
    let statement = Statement { generated: false, exportable: true, ..Statement::of(&subject()).unwrap() };
    for bench in [Bench::of(DER_CONTENT, statement.der()), Bench::of(JSON_CONTENT, statement.json().unwrap())]
    {
        let appraisal = passes(bench);
        let claim = |name| appraisal.claims.value(name).to_string();
        assert_eq!(claim(ClaimName::KeyGeneratedInDevice), "false");
        assert_eq!(claim(ClaimName::KeyExportable), "yes");
        assert_eq!(claim(ClaimName::KeyEverExportable), "true");
    }
    // A path goes on inside an OCTET STRING.
    let wrapped = der::sequence(&[der::octet_string(&Statement::of(&subject()).unwrap().der())]);
    let mut bench = Bench::of(DER_CONTENT, wrapped);
    bench
        .options
        .insert("i4p_mapping".to_owned(), json!(["1.3.6.1.4.1.99999.1 public-key=0.0.2 generated=0.0.3"]));
    assert_eq!(passes(bench).claims.value(ClaimName::KeyGeneratedInDevice).to_string(), "true");
}

#[test]
fn another_request_is_refused() {
    let bench = changed(|b| b.request = request(&stranger()));
    fails(bench, Authenticity::Authentic, &["csr-key-mismatch"]);
    let mut bench = Bench::new();
    bench.options.insert("deny_serials".to_owned(), json!(["TEST-0001"]));
    fails(bench, Authenticity::NotAuthentic, &["denied"]);
}

/// An anchor of the operator's for other devices vouches for no module of I4P's.
#[test]
fn anchors_are_named_for_the_format() {
    let bench = changed(|b| drop(b.options.remove("i4p_roots")));
    fails(bench, Authenticity::Undecided, &["anchor-not-configured"]);
    // By the formats of an anchor file.
    let mut bench = changed(|b| drop(b.options.remove("i4p_roots")));
    bench.reference = Reference::builtin().unwrap();
    let root = &bench.maker.root;
    let file = format!(
        "[[anchor]]\nid = \"i4p-test\"\nname = \"I4P test root\"\nkind = \"root\"\nformats = [\"i4p-trident\"]\n\
         subject = \"{}\"\nspki = \"{}\"\nspki_sha256 = \"{}\"\n[[anchor.certificate]]\nsha256 = \"{}\"\nserial = \"01\"\n\
         not_before = \"2026-01-01T00:00:00Z\"\nnot_after = \"2036-01-01T00:00:00Z\"\n",
        keyvouch_emulator::bundle::base64(&root.certificate.subject),
        keyvouch_emulator::bundle::base64(&root.certificate.spki),
        hex(&keyvouch::crypto::sha256(&root.certificate.spki)),
        hex(&keyvouch::crypto::sha256(&root.der)),
    );
    bench.reference.load_operator_file("i4p.toml", &file).unwrap();
    passes(bench);
}

/// Somebody signs, and is named like the maker; a bag of certificates is never taken for an attestation.
#[test]
fn recognition() {
    let format = |bytes: &[u8]| {
        let submission = Submission::new(vec![File::new("file", bytes)], AT.parse().unwrap());
        appraise(Reference::builtin().unwrap(), &submission).format
    };
    let message = Bench::new().message;
    assert_eq!(format(&message.sign().unwrap()), "i4p-trident");
    assert_eq!(format(&certs_only(&message.certificates).unwrap()), "");
    let other = |c: &mut x509::Certificate| {
        let name = x509::name(&[("O", Text::Utf8, "Somebody"), ("CN", Text::Utf8, "else")]).unwrap();
        (c.subject, c.issuer) = (name.clone(), name);
    };
    let mut bench = Bench::new().with_certificate(other);
    bench.message.signers[0].id = keyvouch_emulator::cms::issuer_and_serial(&bench.maker.certificate);
    assert_eq!(format(&bench.message.sign().unwrap()), "");
    // By the name of the signer's issuer alone.
    let mut bare = Bench::new().message;
    bare.certificates.clear();
    assert_eq!(format(&bare.sign().unwrap()), "i4p-trident");
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    use Authenticity::{NotAuthentic, Undecided};
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);

    // malformed: a SignerInfo of another version
    note(fails(changed(|b| b.message.signers[0].version = 3), NotAuthentic, &["malformed"]));

    // anchor-not-configured: no anchor, one of another root's
    note(fails(
        changed(|b| b.reference = Reference::builtin().unwrap()),
        Undecided,
        &["anchor-not-configured"],
    ));
    let other = |b: &mut Bench| drop(b.options.insert("i4p_roots".to_owned(), json!(["00"])));
    note(fails(changed(other), Undecided, &["anchor-not-configured"]));

    // cms-signers: two
    let twice = |b: &mut Bench| b.message.signers.push(b.message.signers[0].clone());
    note(fails(changed(twice), NotAuthentic, &["cms-signers"]));

    // cms-content-missing: detached and alone; among files of which none is it
    note(fails(changed(|b| b.message.detached = true), Undecided, &["cms-content-missing"]));
    let among = |b: &mut Bench| {
        b.message.detached = true;
        b.beside = vec![File::new("a.txt", *b"one"), File::new("b.txt", *b"two")];
    };
    note(fails(changed(among), Undecided, &["cms-content-missing"]));

    // cms-signer-certificate
    note(fails(changed(|b| b.message.certificates.clear()), Undecided, &["cms-signer-certificate"]));

    // cms-algorithm: of the signature, of the digest, of the key
    let algorithm = |oid: &str| Some(der::sequence(&[der::oid(oid).unwrap()]));
    let change =
        |b: &mut Bench| b.message.signers[0].signature_algorithm = algorithm("2.16.840.1.101.3.4.3.18");
    note(fails(changed(change), Undecided, &["cms-algorithm"]));
    let change = |b: &mut Bench| b.message.signers[0].digest_algorithm = algorithm("2.16.840.1.101.3.4.2.4");
    note(fails(changed(change), Undecided, &["cms-algorithm"]));
    for kind in [KeyKind::Ed25519, KeyKind::Secp256k1] {
        let mut bench = Bench::new();
        let maker = Maker::new(kind).unwrap();
        bench.message = maker.attest(DER_CONTENT, bench.message.content).unwrap();
        bench.maker = maker;
        note(fails(bench, Undecided, &["cms-algorithm"]));
    }

    // cms-attributes
    note(fails(changed(|b| b.message.signers[0].attributes = None), NotAuthentic, &["cms-attributes"]));
    let change = |b: &mut Bench| b.message.signers[0].attributes.as_mut().unwrap().truncate(1);
    note(fails(changed(change), NotAuthentic, &["cms-attributes"]));

    // cms-digest: another content, encapsulated or beside
    let key = Statement::of(&subject()).unwrap();
    let imported = Statement { generated: false, ..key.clone() }.der();
    note(fails(changed(|b| b.message.content.clone_from(&imported)), NotAuthentic, &["cms-digest"]));
    let beside = |b: &mut Bench| {
        b.message.detached = true;
        b.beside = vec![File::new("content.der", imported.clone())];
    };
    note(fails(changed(beside), NotAuthentic, &["cms-digest"]));

    // cms-signature: another key; SHA-1
    note(fails(changed(|b| b.message.signers[0].key = stranger()), NotAuthentic, &["cms-signature"]));
    let sha1 = |b: &mut Bench| b.message.signers[0].digest_algorithm = algorithm("1.3.14.3.2.26");
    note(fails(changed(sha1), NotAuthentic, &["cms-signature"]));

    // untrusted-root: the root's name with another key; a signer that may not sign; an issuer that is none
    let mut template = Bench::new().maker.root.certificate.clone();
    template.spki = stranger().spki_der().unwrap();
    let same_name = Authority::root(template, stranger(), SignAlg::EcdsaSha256).unwrap();
    note(fails(changed(|b| b.trust_instead(&same_name)), NotAuthentic, &["untrusted-root"]));
    let usage = x509::key_usage(&[usage::KEY_CERT_SIGN]).value;
    let bench = Bench::new().with_certificate(|c| c.extension_mut("2.5.29.15").unwrap().value = usage);
    note(fails(bench, NotAuthentic, &["untrusted-root"]));
    let mut bench = Bench::new();
    let mut forged = bench.maker.certificate.clone();
    forged.issuer = bench.maker.certificate.subject.clone();
    forged.spki = stranger().spki_der().unwrap();
    let module = bench.maker.certificate_der().unwrap();
    let certificate = forged.sign(&bench.maker.key, SignAlg::EcdsaSha256).unwrap();
    bench.message.certificates = vec![module, certificate];
    bench.message.signers[0].key = stranger();
    bench.message.signers[0].id = keyvouch_emulator::cms::issuer_and_serial(&forged);
    note(fails(bench, NotAuthentic, &["untrusted-root"]));

    // anchor-unknown: another root
    let key = Key::shared("i4p test: other root", KeyKind::P256).unwrap();
    let name = x509::common_name("other root").unwrap();
    let mut root =
        x509::Certificate::new(name, &key, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z").unwrap();
    root.extensions = vec![x509::basic_constraints(true, None)];
    let root = Authority::root(root, key, SignAlg::EcdsaSha256).unwrap();
    note(fails(changed(|b| b.trust_instead(&root)), Undecided, &["anchor-unknown"]));

    // expired
    for at in ["2036-06-01T00:00:00Z", "2025-12-31T00:00:00Z"] {
        note(fails(changed(|b| b.at = at), NotAuthentic, &["expired"]));
    }

    // claims-unmapped: no mapping; of another type; that cannot be read, or is ambiguous
    let mappings: [&[&str]; 12] = [
        &[],
        &[MAPPING[1]],
        &[MAPPING[0], MAPPING[0]],
        &["public-key=2"],
        &["1.3.6.1.4.1.99999.1"],
        &["1.3.6.1.4.1.99999.1 generated=3"],
        &["1.3.6.1.4.1.99999.1 public-key=2 public-key=2"],
        &["1.3.6.1.4.1.99999.1 public-key=2 generated=/a"],
        &["1.3.6.1.4.1.99999.1 public-key=x"],
        &["1.3.6.1.4.1.99999.1 public-key=2 colour=3"],
        &["1.3.6.1.4.1.99999.1 public-key"],
        &[MAPPING[0], "nothing"],
    ];
    for mapping in mappings {
        note(fails(mapped(mapping), Undecided, &["claims-unmapped"]));
    }

    // claims-unreadable: no such field, or of another form; no JSON, no DER
    for paths in [
        "public-key=9",
        "public-key=0",
        "public-key=2.0.0.0.0",
        "public-key=2 generated=1",
        "public-key=2 exportable=5",
        "public-key=2 created=1",
        "public-key=2 serial=3",
        "public-key=/key",
    ] {
        let mapping = format!("1.3.6.1.4.1.99999.1 {paths}");
        note(fails(mapped(&[&mapping]), Undecided, &["claims-unreadable"]));
    }
    note(fails(Bench::of(DER_CONTENT, b"not DER".to_vec()), Undecided, &["claims-unreadable"]));

    let about = keyvouch::formats::about().find(|a| a.id == "i4p-trident").unwrap();
    let declared: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, declared);
}
