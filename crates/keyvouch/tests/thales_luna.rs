//! Thales Luna public key confirmations of emulated HSMs: every container, and one failure for every check.

// Helpers outside of test functions may panic as these do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::thales_luna::{Confirmation, Device, Maker, oid, printable, purpose, word};
use keyvouch_emulator::x509::{self, Certificate, Extension, usage};
use keyvouch_emulator::{cms, der, pem, samples};
use num_bigint::BigUint;

const AT: &str = "2026-06-01T00:00:00Z";

fn key(kind: KeyKind) -> Arc<Key> {
    Key::shared("thales-luna test: subject", kind).unwrap()
}

fn stranger() -> Arc<Key> {
    Key::shared("thales-luna test: stranger", KeyKind::Rsa2048).unwrap()
}

/// An emulated Luna with a PKC, and the anchors that vouch for it.
struct Bench {
    maker: Maker,
    confirmation: Confirmation,
    reference: Reference,
    at: &'static str,
    /// In place of the PKCS#7 file.
    files: Option<Vec<File>>,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn of(kind: KeyKind) -> Self {
        let maker = Maker::new().unwrap();
        let confirmation = maker.confirm(&Device::default(), &key(kind)).unwrap();
        let reference = trusting(&maker);
        Self { maker, confirmation, reference, at: AT, files: None, options: Vec::new() }
    }

    fn rsa() -> Self {
        Self::of(KeyKind::Rsa2048)
    }

    fn ecc() -> Self {
        Self::of(KeyKind::P256)
    }

    /// Changes the chain before it is signed.
    fn altered(mut self, change: impl FnOnce(&mut Confirmation)) -> Self {
        change(&mut self.confirmation);
        self
    }

    /// Changes one certificate of the chain before it is signed.
    fn at_height(self, height: usize, change: impl FnOnce(&mut Certificate)) -> Self {
        self.altered(|c| change(&mut c.links[height].certificate))
    }

    /// Hands over these bytes instead of the PKCS#7 file.
    fn handing(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.get_or_insert_default().push(File::new(name, bytes));
        self
    }

    fn with_option(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    fn at(mut self, at: &'static str) -> Self {
        self.at = at;
        self
    }

    fn judge(self) -> Appraisal {
        let p7b = || vec![File::new("attestation.p7b", self.confirmation.p7b().unwrap())];
        let files = self.files.unwrap_or_else(p7b);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        appraise(self.reference, &submission)
    }
}

fn trusting(maker: &Maker) -> Reference {
    let mut reference = Reference::builtin().unwrap();
    for file in maker.anchors() {
        reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
    }
    reference
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
    assert_eq!(appraisal.format, "thales-luna");
    assert_eq!(appraisal.authenticity, authenticity);
    assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "claims of unauthenticated evidence");
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

fn value<'a>(certificate: &'a mut Certificate, oid: &str) -> &'a mut Vec<u8> {
    &mut certificate.extension_mut(oid).unwrap().value
}

fn set_purposes(certificate: &mut Certificate, purposes: &[&str]) {
    *value(certificate, oid::PURPOSE) = x509::extended_key_usage(purposes).unwrap().value;
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("thales-luna").unwrap();
    assert!(samples.len() >= 15);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        let appraisal = appraise(reference, &submission);
        assert_eq!(failed(&appraisal), [""; 0], "{}", sample.variant);
        assert_eq!(appraisal.format, "thales-luna", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));
        assert_eq!(appraisal.claims.value(ClaimName::KeyEverExportable), &Value::Bool(false));
        assert_eq!(appraisal.claims.text(ClaimName::DeviceSerial), Some("600123"));
        assert_eq!(appraisal.findings().count(), 0, "{}: {:#?}", sample.variant, appraisal.checks);
    }
}

#[test]
fn claims_of_both_types() {
    let rsa = Bench::rsa().judge();
    let claim = |name| rsa.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "RSA-2048");
    assert_eq!(claim(ClaimName::KeyPurposes), "unknown");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Thales");
    assert_eq!(claim(ClaimName::DeviceModel), "Luna K7");
    assert_eq!(claim(ClaimName::DeviceFirmware), "7.8.4");
    assert_eq!(claim(ClaimName::DeviceFipsMode), "unknown");
    assert_eq!(rsa.freshness, Freshness::NotAsked);
    assert!(rsa.certifications.iter().any(|c| c.id == "4684" && c.status == "active"));
    assert_eq!(rsa.trust.unwrap().path().len(), 4);

    let ecc = Bench::ecc().judge();
    assert!(ecc.claims.value(ClaimName::DeviceModel).is_unknown());
    assert!(ecc.claims.value(ClaimName::DeviceFirmware).is_unknown());
    assert_eq!(ecc.claims.text(ClaimName::DeviceSerial), Some("600123"));
    assert_eq!(ecc.trust.unwrap().path().len(), 2);
}

#[test]
fn a_nonce_finds_no_place() {
    let bench = Bench::rsa();
    let p7b = bench.confirmation.p7b().unwrap();
    let mut submission = Submission::new(vec![File::new("a.p7b", p7b)], AT.parse().unwrap());
    submission.nonce = Some(vec![1, 2, 3]);
    let appraisal = appraise(bench.reference, &submission);
    assert_eq!(appraisal.freshness, Freshness::NoNonceInEvidence);
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);
    containers(&mut note);
    leaves(&mut note);
    purposes(&mut note);
    chains(&mut note);
    roots(&mut note);
    roles(&mut note);
    dates(&mut note);
    identities(&mut note);
    denials(&mut note);
    let about = keyvouch::formats::about().find(|a| a.id == "thales-luna").unwrap();
    let mut all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    // The core's own, seen beside `revoked`.
    all.insert("denied".to_owned());
    assert_eq!(seen, all);
}

type Note<'a> = &'a mut dyn FnMut(Vec<String>);
use Authenticity::{Authentic, NotAuthentic, Undecided};

fn containers(note: Note<'_>) {
    let p7b = Bench::rsa().confirmation.p7b().unwrap();
    let bare = Bench::rsa().confirmation.sign().unwrap();

    // input-malformed: cut off, BER, too many certificates, a certificate that is none, an extension twice
    let cut = &p7b[..p7b.len() - 1];
    note(fails(Bench::rsa().handing("a.p7b", cut), NotAuthentic, &["input-malformed"]));
    let pem = pem::encode("PKCS7", cut);
    note(fails(Bench::rsa().handing("a.pem", pem), NotAuthentic, &["input-malformed"]));
    let indefinite = [&[0x30, 0x80], &p7b[4..], &[0, 0]].concat();
    note(fails(Bench::rsa().handing("a.p7b", indefinite), NotAuthentic, &["input-malformed"]));
    let mut many = bare.clone();
    for number in 0..12_u8 {
        let name = x509::common_name(&format!("filler {number}")).unwrap();
        let filler = Certificate::new(name, &stranger(), "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z");
        let mut filler = filler.unwrap();
        filler.issuer = x509::common_name("issuer of fillers").unwrap();
        many.push(filler.sign(&stranger(), SignAlg::RsaPkcs1Sha256).unwrap());
    }
    let many = cms::certs_only(&many).unwrap();
    note(fails(Bench::rsa().handing("a.p7b", many), NotAuthentic, &["input-malformed"]));
    let mut spoilt = bare.clone();
    spoilt.push(der::sequence(&[der::null()]));
    let spoilt = cms::certs_only(&spoilt).unwrap();
    note(fails(Bench::rsa().handing("a.p7b", spoilt), NotAuthentic, &["input-malformed"]));
    let twice = |c: &mut Certificate| {
        let extension = c.extension_mut(oid::SERIAL).unwrap().clone();
        c.extensions.push(extension);
    };
    note(fails(Bench::rsa().at_height(0, twice), NotAuthentic, &["input-malformed"]));
    note(fails(Bench::rsa().at_height(1, twice), NotAuthentic, &["input-malformed"]));
    let long = |c: &mut Certificate| c.extensions.push(Extension::new("1.2.3", vec![0; 60_000]));
    let long = Bench::rsa().at_height(0, long).at_height(1, long);
    note(fails(long, NotAuthentic, &["input-malformed"]));
    let compressed = |c: &mut Certificate| {
        c.spki = keyvouch_emulator::key::ec_spki("1.2.840.10045.3.1.7", &[2; 33]).unwrap();
    };
    note(fails(Bench::ecc().at_height(0, compressed), NotAuthentic, &["input-malformed"]));

    // container-trailing-data
    let trailing = [&p7b[..], &[0]].concat();
    note(fails(Bench::rsa().handing("a.p7b", trailing), NotAuthentic, &["container-trailing-data"]));

    // container-unexpected: content, a signer, a digest algorithm, another content type
    let data = "1.2.840.113549.1.7.1";
    let content = der::explicit(0, &der::octet_string(b"signed?"));
    let null = vec![der::null()];
    let version_3 = {
        let mut p7b = p7b.clone();
        p7b[25] = 3;
        p7b
    };
    for odd in [
        version_3,
        signed_data(&bare, data, &[], &content, &[]),
        signed_data(&bare, data, &[], &[], &null),
        signed_data(&bare, data, &null, &[], &[]),
        signed_data(&bare, "1.2.840.113549.1.9.16.1.4", &[], &[], &[]),
    ] {
        note(fails(Bench::rsa().handing("a.p7b", odd), NotAuthentic, &["container-unexpected"]));
    }
}

/// ContentInfo with SignedData of these members.
fn signed_data(
    certificates: &[Vec<u8>],
    content_type: &str,
    digests: &[Vec<u8>],
    content: &[u8],
    signers: &[Vec<u8>],
) -> Vec<u8> {
    let signed_data = der::sequence(&[
        der::integer(&[1]),
        der::set(digests),
        der::sequence(&[der::oid(content_type).unwrap(), content.to_vec()]),
        der::explicit(0, &der::join(certificates)),
        der::set(signers),
    ]);
    der::sequence(&[der::oid("1.2.840.113549.1.7.2").unwrap(), der::explicit(0, &signed_data)])
}

fn leaves(note: Note<'_>) {
    // leaf-missing: the chain without PKC; a PKC whose purpose is another, or none; a key of a kind that has no PKC
    let bare = Bench::rsa().confirmation.sign().unwrap();
    let chain = cms::certs_only(&bare[1..]).unwrap();
    note(fails(Bench::rsa().handing("a.p7b", chain), Undecided, &["leaf-missing"]));
    let as_dac = |c: &mut Certificate| set_purposes(c, &[oid::DAC]);
    note(fails(Bench::rsa().at_height(0, as_dac), Undecided, &["leaf-missing"]));
    let no_purpose = |c: &mut Certificate| c.remove_extension(oid::PURPOSE);
    note(fails(Bench::rsa().at_height(0, no_purpose), Undecided, &["leaf-missing"]));
    note(fails(Bench::ecc().at_height(0, no_purpose), Undecided, &["leaf-missing"]));
    note(fails(Bench::of(KeyKind::Ed25519), Undecided, &["leaf-missing"]));

    // leaf-ambiguous: two in one container; two files are two statements
    let two = cms::certs_only(&[bare.clone(), Bench::ecc().confirmation.sign().unwrap()].concat()).unwrap();
    note(fails(Bench::rsa().handing("a.p7b", two), NotAuthentic, &["leaf-ambiguous"]));

    // pkctype-tctrust-unsupported: three RSA certificates of other purposes, with and without the purpose of a PKC
    for leaf in [oid::PKC, "1.3.6.1.4.1.12383.1.4"] {
        let bench = Bench::rsa().altered(|c| {
            c.links.truncate(3);
            c.root = None;
            for (link, purpose) in
                c.links.iter_mut().zip([leaf, "1.3.6.1.4.1.12383.1.3", "1.3.6.1.4.1.12383.1.2"])
            {
                set_purposes(&mut link.certificate, &[purpose]);
            }
        });
        note(fails(bench, Undecided, &["pkctype-tctrust-unsupported"]));
    }

    // flags-unexpected: one not set, too few, not a BIT STRING
    for flags in [&[3, 2, 4, 0x70][..], &[3, 2, 4, 0xe0], &[3, 2, 5, 0xe0], &[2, 1, 0x0f], &[]] {
        let unset = |c: &mut Certificate| *value(c, oid::FLAGS) = flags.to_vec();
        note(fails(Bench::rsa().at_height(0, unset), Undecided, &["flags-unexpected"]));
    }
}

fn purposes(note: Note<'_>) {
    // eku-mismatch: another, none, two, the same twice, unreadable, at every place
    for height in 0..4 {
        for purposes in [
            &[oid::ROOT][..],
            &[],
            &[oid::PKC, oid::DAC],
            &["1.3.6.1.5.5.7.3.3", oid::HOC],
            &[oid::MIC, oid::MIC],
        ] {
            let other = |c: &mut Certificate| set_purposes(c, purposes);
            let bench = Bench::rsa().at_height(height, other);
            if height == 0 && !purposes.contains(&oid::PKC) {
                note(fails(bench, Undecided, &["leaf-missing"]));
            } else if height > 0 && purposes.contains(&oid::PKC) {
                // It calls itself a PKC as well.
                note(fails(bench, NotAuthentic, &["leaf-ambiguous"]));
            } else {
                note(fails(bench, NotAuthentic, &["eku-mismatch"]));
            }
        }
        if height > 0 {
            let none = |c: &mut Certificate| c.remove_extension(oid::PURPOSE);
            note(fails(Bench::rsa().at_height(height, none), NotAuthentic, &["eku-mismatch"]));
        }
    }
    let of_rsa = |c: &mut Certificate| set_purposes(c, &[oid::HOC]);
    note(fails(Bench::ecc().at_height(1, of_rsa), NotAuthentic, &["eku-mismatch"]));

    // The PKC issued by the MIC: a place is skipped, and the root stands in the place of a HOC.
    let skipped = Bench::rsa().altered(|c| {
        c.links[0].certificate.issuer = c.links[3].certificate.subject.clone();
        c.links[0].signer = c.links[2].signer.clone();
        c.links.drain(1..3);
    });
    note(fails(skipped, NotAuthentic, &["eku-mismatch", "eku-mismatch"]));
    // … by the root itself.
    let root = Maker::new().unwrap().root;
    let direct = Bench::rsa().altered(|c| {
        c.links.truncate(1);
        c.links[0].certificate.issuer = root.certificate.subject.clone();
        c.links[0].signer = root.key.clone();
    });
    note(fails(direct, NotAuthentic, &["eku-mismatch"]));
    // An EC key below a DAC, an RSA key below an ECC HOC.
    let spki = key(KeyKind::P256).spki_der().unwrap();
    let crossed = Bench::rsa().at_height(0, |c| c.spki = spki);
    let appraisal = crossed.judge();
    assert_eq!(appraisal.authenticity, NotAuthentic);
    assert!(failed(&appraisal).contains(&"eku-mismatch".to_owned()), "{:#?}", appraisal.checks);
}

fn chains(note: Note<'_>) {
    // chain-incomplete: each place empty
    for height in 1..4 {
        let without = |c: &mut Confirmation| drop(c.links.remove(height));
        note(fails(Bench::rsa().altered(without), Undecided, &["chain-incomplete"]));
        let up_to = |c: &mut Confirmation| {
            c.links.truncate(height);
            c.root = None;
        };
        note(fails(Bench::rsa().altered(up_to), Undecided, &["chain-incomplete"]));
    }
    note(fails(Bench::ecc().altered(|c| drop(c.links.remove(1))), Undecided, &["chain-incomplete"]));

    // chain-signature: another key, or another algorithm, at every place
    for height in 0..3 {
        let other = |c: &mut Confirmation| c.links[height].signer = stranger();
        note(fails(Bench::rsa().altered(other), NotAuthentic, &["chain-signature"]));
    }
    for height in 0..4 {
        for algorithm in [SignAlg::RsaPkcs1Sha1, SignAlg::RsaPkcs1Sha256, SignAlg::RsaPkcs1Sha512] {
            let bench = Bench::rsa().altered(|c| c.links[height].algorithm = algorithm);
            let id = if height == 3 { "root-unknown" } else { "chain-signature" };
            note(fails(bench, NotAuthentic, &[id]));
        }
    }
    let other_ec = Key::shared("thales-luna test: stranger", KeyKind::P384).unwrap();
    let other = |c: &mut Confirmation| c.links[0].signer = other_ec.clone();
    note(fails(Bench::ecc().altered(other), NotAuthentic, &["chain-signature"]));

    // A factory signature without sign padding: the HSM writes such, the factory does not.
    let bench = Bench::ecc();
    let unpadded = |c: &mut Confirmation| c.links[1].algorithm = SignAlg::EcdsaSha384NullFixed;
    let mut unpadded = bench.altered(unpadded);
    let hoc = unpadded.confirmation.links[1].clone();
    let certificates = loop {
        let der = hoc.certificate.sign(&hoc.signer, hoc.algorithm).unwrap();
        if der[der.len() - 48] >= 0x80 {
            let mut certificates = unpadded.confirmation.sign().unwrap();
            certificates[1] = der;
            break cms::certs_only(&certificates).unwrap();
        }
    };
    unpadded = unpadded.handing("a.p7b", certificates);
    note(fails(unpadded, NotAuthentic, &["root-unknown"]));

    // r or s zero, or as large as the field: not a number below the order
    for numbers in [[vec![0; 48], vec![1; 48]], [vec![1; 48], vec![0xff; 48]], [vec![1; 49], vec![1; 48]]] {
        let mut certificates = Bench::ecc().confirmation.sign().unwrap();
        let link = &Bench::ecc().confirmation.links[0];
        let signature = der::sequence(&numbers.map(|n| der::tlv(0x02, &n)));
        certificates[0] = with_signature(&link.certificate, link.algorithm, &signature);
        let forged = Bench::ecc().handing("a.p7b", cms::certs_only(&certificates).unwrap());
        note(fails(forged, NotAuthentic, &["chain-signature"]));
    }
}

fn with_signature(certificate: &Certificate, algorithm: SignAlg, signature: &[u8]) -> Vec<u8> {
    let tbs = certificate.tbs(algorithm).unwrap();
    der::sequence(&[tbs, algorithm.algorithm_identifier().unwrap(), der::bit_string(signature)])
}

fn roots(note: Note<'_>) {
    // root-unknown: no anchor and a root in the evidence; no anchor and none; the anchor's name and another key
    for bench in [Bench::rsa(), Bench::ecc()] {
        let unpinned = Bench { reference: Reference::builtin().unwrap(), ..bench };
        note(fails(unpinned, NotAuthentic, &["root-unknown"]));
    }
    for bench in [Bench::rsa(), Bench::ecc()] {
        let unpinned = Bench { reference: Reference::builtin().unwrap(), ..bench };
        let bare = unpinned.altered(|c| c.root = None);
        note(fails(bare, Undecided, &["root-unknown"]));
    }
    let ecc = Key::shared("thales-luna test: stranger", KeyKind::P384).unwrap();
    let namesake = Maker::with_keys(&stranger(), &ecc).unwrap();
    for kind in [KeyKind::Rsa2048, KeyKind::P256] {
        let forged = namesake.confirm(&Device::default(), &key(kind)).unwrap();
        let bench = Bench::of(kind).altered(|c| *c = forged);
        note(fails(bench, NotAuthentic, &["root-unknown"]));
    }
    // The chain of the real root's name.
    let mut bench = Bench::rsa();
    let real = printable(&[
        ("C", "CA"),
        ("ST", "Ontario"),
        ("L", "Ottawa"),
        ("O", "Chrysalis-ITS Inc."),
        ("CN", "Chrysalis-ITS Root"),
    ]);
    bench.confirmation.links[3].certificate.issuer = real.unwrap();
    note(fails(bench, NotAuthentic, &["root-unknown"]));
    // One more authority between the MIC and the root.
    let bench = Bench::rsa();
    let root = &bench.maker.root;
    let middle = Certificate::new(
        x509::common_name("one more").unwrap(),
        &stranger(),
        "2020-01-01T00:00:00Z",
        "2030-01-01T00:00:00Z",
    );
    let middle = root.subordinate(middle.unwrap(), stranger(), SignAlg::RsaPkcs1Sha384).unwrap();
    let bench = bench.altered(|c| {
        c.links[3].certificate.issuer = middle.certificate.subject.clone();
        c.links[3].signer = stranger();
        c.root = Some(middle.der);
    });
    note(fails(bench, NotAuthentic, &["root-unknown"]));
    // A root in the container that is not the pinned one, of its name or of another; it is not even needed.
    let ecc = Key::shared("thales-luna test: stranger", KeyKind::P384).unwrap();
    let namesake = Maker::with_keys(&stranger(), &ecc).unwrap();
    for other in [namesake.root.der, namesake.old_root] {
        note(fails(Bench::rsa().altered(|c| c.root = Some(other)), NotAuthentic, &["root-unknown"]));
    }
    let mut certificates = Bench::ecc().confirmation.sign().unwrap();
    let own =
        Certificate::new(x509::common_name("own").unwrap(), &stranger(), AT, "2030-01-01T00:00:00Z").unwrap();
    certificates.push(own.sign(&stranger(), SignAlg::RsaPkcs1Sha384).unwrap());
    let beside = Bench::ecc().handing("a.p7b", cms::certs_only(&certificates).unwrap());
    note(fails(beside, NotAuthentic, &["root-unknown"]));
    // A self-made DAC.
    let own = Bench::rsa().altered(|c| {
        c.links.truncate(2);
        c.root = None;
        c.links[1].certificate.issuer = c.links[1].certificate.subject.clone();
        c.links[1].signer = c.links[0].signer.clone();
    });
    note(fails(own, NotAuthentic, &["root-unknown"]));
    note(fails(forged_under_exponent_3(), NotAuthentic, &["root-unknown"]));
}

/// A MIC that nobody signed, under a root key with e = 3: the cube root of a block whose padding is short and whose
/// tail is free (Bleichenbacher, 2006). A verifier that reads the padding instead of comparing the whole block takes it.
fn forged_under_exponent_3() -> Bench {
    let bench = Bench::rsa();
    let mic = bench.confirmation.links[3].certificate.clone();
    let tbs = mic.tbs(SignAlg::RsaPkcs1Sha384).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, &tbs);
    let sha384 = der::sequence(&[der::oid("2.16.840.1.101.3.4.2.2").unwrap(), der::null()]);
    let info = der::sequence(&[sha384, der::octet_string(digest.as_ref())]);
    let head = [&[0, 1], &[0xff; 8][..], &[0], &info].concat();
    let block = [&head[..], &vec![0xff; 256 - head.len()]].concat();
    let forged = BigUint::from_bytes_be(&block).cbrt();
    // As good as a forgery gets: the block that it opens to begins as it should.
    let opened = (&forged * &forged * &forged).to_bytes_be();
    assert_eq!(opened[..head.len() - 1], head[1..]);
    let mut signature = forged.to_bytes_be();
    signature.splice(0..0, vec![0; 256 - signature.len()]);
    let mut certificates = bench.confirmation.sign().unwrap();
    certificates[3] = with_signature(&mic, SignAlg::RsaPkcs1Sha384, &signature);
    bench.handing("a.p7b", cms::certs_only(&certificates).unwrap())
}

fn roles(note: Note<'_>) {
    // chain-ca-flag: the PKC a CA, or not for signing; an issuer no CA, or not for issuing
    let leaf: [fn(&mut Certificate); 5] = [
        |c| c.extensions.push(x509::basic_constraints(true, None).critical()),
        |c| c.extensions.push(Extension::new(oid::BASIC_CONSTRAINTS, vec![5, 0])),
        |c| c.remove_extension(oid::KEY_USAGE),
        |c| *value(c, oid::KEY_USAGE) = x509::key_usage(&[usage::KEY_ENCIPHERMENT]).value,
        |c| {
            let bits = [usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN];
            *value(c, oid::KEY_USAGE) = x509::key_usage(&bits).value;
        },
    ];
    for change in leaf {
        note(fails(Bench::rsa().at_height(0, change), NotAuthentic, &["chain-ca-flag"]));
        note(fails(Bench::ecc().at_height(0, change), NotAuthentic, &["chain-ca-flag"]));
    }
    let issuer: [fn(&mut Certificate); 4] = [
        |c| c.remove_extension(oid::BASIC_CONSTRAINTS),
        |c| *value(c, oid::BASIC_CONSTRAINTS) = x509::basic_constraints(false, None).value,
        |c| c.remove_extension(oid::KEY_USAGE),
        |c| *value(c, oid::KEY_USAGE) = x509::key_usage(&[usage::CRL_SIGN]).value,
    ];
    for change in issuer {
        for height in 1..4 {
            note(fails(Bench::rsa().at_height(height, change), NotAuthentic, &["chain-ca-flag"]));
        }
        note(fails(Bench::ecc().at_height(1, change), NotAuthentic, &["chain-ca-flag"]));
    }
    // CA:FALSE in a PKC says nothing new.
    let plain = |c: &mut Certificate| c.extensions.push(x509::basic_constraints(false, None));
    assert_eq!(Bench::rsa().at_height(0, plain).judge().authenticity, Authentic);

    // ext-unknown-critical, also one of the maker's own
    for height in 0..4 {
        let unknown = |c: &mut Certificate| c.extensions.push(Extension::new("1.2.3.4", [5, 0]).critical());
        note(fails(Bench::rsa().at_height(height, unknown), NotAuthentic, &["ext-unknown-critical"]));
    }
    let own = |c: &mut Certificate| {
        c.remove_extension(oid::SERIAL);
        c.extensions.push(word(oid::SERIAL, 600_123).critical());
    };
    note(fails(Bench::ecc().at_height(0, own), NotAuthentic, &["ext-unknown-critical"]));
}

fn dates(note: Note<'_>) {
    // time-expired, time-not-yet-valid: RSA certificates end after their root
    note(fails(Bench::rsa().at("2032-02-01T00:00:00Z"), NotAuthentic, &["time-expired"]));
    note(fails(Bench::rsa().at("2033-01-01T00:00:00Z"), NotAuthentic, &["time-expired"; 5]));
    note(fails(Bench::ecc().at("2031-01-01T00:00:00Z"), NotAuthentic, &["time-expired"; 3]));
    note(fails(Bench::rsa().at("2020-02-01T00:00:00Z"), NotAuthentic, &["time-not-yet-valid"; 4]));
    note(fails(Bench::ecc().at("2009-01-01T00:00:00Z"), NotAuthentic, &["time-not-yet-valid"; 3]));
    let accepted = Bench::rsa().at("2033-01-01T00:00:00Z").with_option("accept_expired", true).judge();
    assert_eq!(accepted.authenticity, Authentic);
    assert!(accepted.findings().any(|c| c.id == "time-expired"));
}

fn identities(note: Note<'_>) {
    // identity-mismatch: each place names another HSM, or none that can be
    let dac_name = |c: &mut Confirmation| {
        let name = printable(&[("CN", "Luna K7-600124")]).unwrap();
        c.links[1].certificate.subject = name.clone();
        c.links[0].certificate.issuer = name;
    };
    note(fails(Bench::rsa().altered(dac_name), NotAuthentic, &["identity-mismatch"]));
    let ouid: fn(&mut Certificate) = |c| {
        c.subject = printable(&[("CN", "41000000ae000002d6f30700")]).unwrap();
    };
    let other: fn(&mut Certificate) = |c| *value(c, oid::SERIAL) = vec![1, 2, 3, 4];
    let short: fn(&mut Certificate) = |c| *value(c, oid::SERIAL) = vec![1, 2, 3];
    for (height, change) in [(0, ouid), (0, other), (0, short), (1, other), (1, short)] {
        note(fails(Bench::rsa().at_height(height, change), NotAuthentic, &["identity-mismatch"]));
    }
    let serial = |c: &mut Certificate| c.serial = vec![0x20, 0x04, 0xee, 0x1d, 0, 7, 0xf3, 0xd6];
    note(fails(Bench::rsa().at_height(2, serial), NotAuthentic, &["identity-mismatch"]));
    note(fails(Bench::ecc().at_height(1, serial), NotAuthentic, &["identity-mismatch"]));
    note(fails(Bench::ecc().at_height(0, other), NotAuthentic, &["identity-mismatch"]));
    let hoc_name = |name: &'static str| {
        move |c: &mut Confirmation| {
            let name = printable(&[("CN", name)]).unwrap();
            c.links[1].certificate.subject = name.clone();
            c.links[0].certificate.issuer = name;
        }
    };
    note(fails(Bench::ecc().altered(hoc_name("600124")), NotAuthentic, &["identity-mismatch"]));
    note(fails(Bench::ecc().altered(hoc_name("+600123")), NotAuthentic, &["identity-mismatch"]));

    // identity-incomplete, a finding: the serial number is then not claimed
    let without = Bench::rsa().at_height(0, |c| c.remove_extension(oid::SERIAL)).judge();
    assert_eq!(without.authenticity, Authentic);
    assert!(without.claims.value(ClaimName::DeviceSerial).is_unknown());
    note(without.findings().map(|c| c.id.to_string()).collect());
    let unnamed = Bench::ecc().at_height(0, |c| c.subject = x509::common_name("my key").unwrap()).judge();
    assert!(unnamed.findings().any(|c| c.id == "identity-incomplete"));
}

fn denials(note: Note<'_>) {
    // revoked: by serial number, certificate, firmware in both notations
    let list = |text: &str| serde_json::json!([text]);
    let serial = Bench::rsa().with_option("deny_serials", list("600123"));
    note(fails(serial, NotAuthentic, &["revoked"]));
    for version in ["7.8.4", "7.84"] {
        let firmware = Bench::rsa().with_option("deny_firmware", list(version));
        note(fails(firmware, NotAuthentic, &["revoked"]));
    }
    let mic = Bench::rsa().confirmation.sign().unwrap().swap_remove(3);
    let digest = keyvouch::pki::Certificate::from_der(&mic).unwrap();
    let digest: String = digest.sha256().iter().map(|b| format!("{b:02X}")).collect();
    let certificate = Bench::rsa().with_option("deny_certificates", list(&digest));
    note(fails(certificate, NotAuthentic, &["revoked", "denied"]));
    let others =
        Bench::rsa().with_option("deny_serials", list("1")).with_option("deny_firmware", list("7.7.0"));
    assert_eq!(others.judge().authenticity, Authentic);
    // An ECC PKC does not name the firmware: that the list says nothing of it is a finding.
    let silent = Bench::ecc().with_option("deny_firmware", list("7.8.4")).judge();
    assert_eq!(silent.authenticity, Authentic);
    assert!(silent.findings().any(|c| c.id == "revoked"));
}

/// The owner of a Luna signs a false PKC with the key of a real one: false PKC ← real PKC ← DAC ← HOC ← MIC.
#[test]
fn a_confirmed_key_cannot_confirm() {
    let own = key(KeyKind::Rsa2048);
    let bench = Bench::rsa();
    let real = bench.confirmation.clone();
    let mut false_pkc = real.links[0].clone();
    false_pkc.certificate.issuer = real.links[0].certificate.subject.clone();
    false_pkc.certificate.subject = printable(&[("CN", "42000000ae0000023b280900")]).unwrap();
    false_pkc.certificate.spki = stranger().spki_der().unwrap();
    false_pkc.signer = own;
    let false_der = false_pkc.certificate.sign(&false_pkc.signer, false_pkc.algorithm).unwrap();
    let mut submission = Submission::new(
        vec![File::new("false.der", false_der), File::new("real.p7b", real.p7b().unwrap())],
        AT.parse().unwrap(),
    );
    let spki = pem::public_key(&stranger().spki_der().unwrap());
    submission.request = Some(File::new("key.pem", spki));
    let appraisal = appraise(bench.reference, &submission);
    assert_eq!(appraisal.authenticity, NotAuthentic);
    assert!(failed(&appraisal).contains(&"eku-mismatch".to_owned()), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.binding.as_str(), "none");
}

/// What is tolerated here is tolerated nowhere else, also not when it was once found valid here.
#[test]
fn tolerated_signatures_are_not_valid_elsewhere() {
    let bench = Bench::ecc();
    let certificates = bench.confirmation.sign_until(|_, s| s[0] >= 0x80).unwrap();
    let read = |der: &[u8]| keyvouch::pki::Certificate::from_der(der).unwrap();
    let (pkc, hoc) = (read(&certificates[0]), read(&certificates[1]));
    let cache = keyvouch::signatures::IssuerCache::new(16);
    let signatures = keyvouch::signatures::Signatures::new(&cache);
    use keyvouch::pki::EcdsaForm::{NullAndUnsigned, NullParameters};
    let hoc = hoc.key().unwrap();
    assert!(signatures.check(&pkc, hoc).is_err());
    assert!(signatures.check_with(&pkc, hoc, NullParameters).is_err());
    assert!(signatures.check_with(&pkc, hoc, NullAndUnsigned).is_ok());
    assert!(signatures.check_with(&pkc, hoc, NullParameters).is_err());
    assert!(signatures.check(&pkc, hoc).is_err());
}

#[test]
fn two_files_are_judged_each_or_by_the_request() {
    let bench = Bench::rsa();
    let ecc = Bench::ecc().confirmation.p7b().unwrap();
    let rsa = bench.confirmation.p7b().unwrap();
    let files = vec![
        File::new("rsa.p7b", rsa.clone()),
        File::new("ecc.p7b", ecc),
        // The same statement once more.
        File::new("again.pem", pem::encode("PKCS7", &rsa)),
    ];
    let mut submission = Submission::new(files, AT.parse().unwrap());
    let verifier = Verifier::new(bench.reference);
    let report = verifier.appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 2);
    assert!(report.appraisals.iter().all(|a| a.authenticity == Authentic));
    let spki = key(KeyKind::P256).spki_der().unwrap();
    submission.request = Some(File::new("key.pem", pem::public_key(&spki)));
    let report = verifier.appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    assert_eq!(report.appraisals[0].binding.as_str(), "public-key");
}

/// Certificates of one Luna do not complete the chain of another: all HOCs have one name, and the signature decides.
#[test]
fn hardware_origin_certificates_share_a_name() {
    let bench = Bench::rsa();
    let other_hoc = {
        let mut hoc = bench.confirmation.links[2].clone();
        hoc.certificate.spki = stranger().spki_der().unwrap();
        hoc.certificate.sign(&hoc.signer, hoc.algorithm).unwrap()
    };
    let p7b = bench.confirmation.p7b().unwrap();
    let bench = bench.handing("other-hoc.der", other_hoc).handing("a.p7b", p7b);
    let appraisal = bench.judge();
    assert_eq!(failed(&appraisal), [""; 0]);
    assert_eq!(appraisal.authenticity, Authentic);
}

#[test]
fn certificates_without_the_makers_arc_are_not_claimed() {
    let plain = purpose("1.3.6.1.5.5.7.3.3").unwrap();
    let mut certificate =
        Certificate::new(x509::common_name("x").unwrap(), &stranger(), AT, "2030-01-01T00:00:00Z").unwrap();
    certificate.extensions = vec![plain];
    let der = certificate.sign(&stranger(), SignAlg::RsaPkcs1Sha256).unwrap();
    let p7b = cms::certs_only(&[&der, &der, &der]).unwrap();
    let submission = Submission::new(vec![File::new("a.p7b", p7b)], AT.parse().unwrap());
    let appraisal = appraise(Reference::builtin().unwrap(), &submission);
    assert_eq!(appraisal.format, "");
}

#[test]
fn inspect_shows_the_words_without_judgement() {
    let bench = Bench::rsa();
    let p7b = bench.confirmation.p7b().unwrap();
    let submission = Submission::new(vec![File::new("a.p7b", p7b)], AT.parse().unwrap());
    let view = Verifier::new(Reference::builtin().unwrap()).inspect(&submission).unwrap();
    let views: Vec<_> = view["statements"].as_array().unwrap().iter().map(|s| &s["view"]).collect();
    assert_eq!(views.len(), 5);
    assert_eq!(views[0]["role"], "public key confirmation (PKC)");
    assert_eq!(views[0]["fields"]["firmware"], "7.8.4");
    assert_eq!(views[0]["fields"]["serial"], 600_123);
    assert_eq!(views[4]["role"], "root");
}
