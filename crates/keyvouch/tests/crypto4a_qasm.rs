//! Crypto4A QASM attestation messages of emulated modules: every form, and one failure for every check.

// Helpers outside of test functions may panic as these do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::crypto4a_qasm::{
    Claim, Message, Module, PEM_LABEL, Signer, complement, hss_spki, oid,
};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg, ec_spki, sha256};
use keyvouch_emulator::lms::{HssKey, lms_type, ots_type};
use keyvouch_emulator::x509::{self, Certificate, usage};
use keyvouch_emulator::{der, pem, samples};

use Authenticity::{Authentic, NotAuthentic, Undecided};

const AT: &str = "2026-06-01T00:00:00Z";

fn key() -> Arc<Key> {
    Key::shared("crypto4a test: subject", KeyKind::P256).unwrap()
}

fn stranger() -> Arc<Key> {
    Key::shared("crypto4a test: stranger", KeyKind::P384).unwrap()
}

/// An emulated module with a message about a key, and the anchor that vouches for it.
struct Bench {
    module: Module,
    message: Message,
    reference: Reference,
    at: &'static str,
    /// In place of the message.
    bytes: Option<Vec<u8>>,
    request: Option<File>,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn new() -> Self {
        Self::of(Module::new().unwrap())
    }

    fn of(module: Module) -> Self {
        let message = module.attest(&key()).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for file in Module::new().unwrap().anchors() {
            reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
        }
        Self { module, message, reference, at: AT, bytes: None, request: None, options: Vec::new() }
    }

    /// Changes the message before it is signed.
    fn altered(mut self, change: impl FnOnce(&mut Message)) -> Self {
        change(&mut self.message);
        self
    }

    /// Changes the certificate of the first signer before it is signed.
    fn signer(self, change: impl FnOnce(&mut Certificate)) -> Self {
        self.altered(|m| change(m.blocks[0].certificate.as_mut().unwrap()))
    }

    /// Changes the message after it was signed.
    fn spoilt(mut self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        self.bytes = Some(change(self.message.sign().unwrap()));
        self
    }

    fn with_option(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.options.push((name, value.into()));
        self
    }

    fn requesting(mut self, key: &Key) -> Self {
        self.request = Some(File::new("key.pem", pem::public_key(&key.spki_der().unwrap())));
        self
    }

    fn at(mut self, at: &'static str) -> Self {
        self.at = at;
        self
    }

    fn judge(self) -> Appraisal {
        let bytes = self.bytes.unwrap_or_else(|| self.message.sign().unwrap());
        let mut submission =
            Submission::new(vec![File::new("attestation.der", bytes)], self.at.parse().unwrap());
        submission.request = self.request;
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
    assert_eq!(appraisal.format, "crypto4a-qasm");
    assert_eq!(appraisal.authenticity, authenticity);
    let claimless = appraisal.claims.is_empty() && appraisal.trust.is_none();
    assert_eq!(claimless, authenticity != Authentic, "claims go with authenticity");
    assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
    got
}

#[test]
fn every_sample_is_authentic() {
    let samples = samples("crypto4a-qasm").unwrap();
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
        assert_eq!(failed(&appraisal), [""; 0], "{}: {:#?}", sample.variant, appraisal.checks);
        assert_eq!(appraisal.format, "crypto4a-qasm", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authentic, "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("never"));
        assert_eq!(appraisal.claims.value(ClaimName::KeyEverExportable), &Value::Bool(false));
        assert_eq!(appraisal.findings().count(), 0, "{}", sample.variant);
        let fips = appraisal.claims.value(ClaimName::DeviceFipsMode).to_string();
        assert_eq!(fips, if sample.variant == "fips-mode" { "true" } else { "unknown" });
    }
}

#[test]
fn claims_of_a_plain_message() {
    let appraisal = Bench::new().judge();
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Crypto4A");
    assert_eq!(claim(ClaimName::DeviceModel), "QASM");
    assert_eq!(claim(ClaimName::DeviceSerial), "QSM000777");
    assert_eq!(claim(ClaimName::DeviceFirmware), "4.0.2.493");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
    assert!(appraisal.certifications.iter().any(|c| c.id == "4250"));
    assert_eq!(appraisal.trust.unwrap().path().len(), 3);
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);
    encodings(&mut note);
    shapes_of_claims(&mut note);
    signatures(&mut note);
    chains(&mut note);
    conflicts(&mut note);
    times(&mut note);
    missing_claims(&mut note);
    // signer-device-mismatch, a finding: another serial number, two modules, no serial number, a name of another kind
    let other_serial = |m: &mut Message| {
        m.module_claim_mut(1).unwrap().complement = Some(complement::text("QSM000778"));
    };
    let nameless = |m: &mut Message| m.remove("1.3.6.1.4.1.39901.6.1.1");
    let renamed =
        |c: &mut Certificate| c.subject = x509::common_name("C4A000778 Assertion Authority EC").unwrap();
    let odd = |c: &mut Certificate| c.subject = x509::common_name("Assertion Authority").unwrap();
    for bench in [
        Bench::new().altered(other_serial),
        Bench::new().altered(nameless),
        Bench::new().signer(renamed),
        Bench::new().signer(odd),
    ] {
        let appraisal = bench.judge();
        assert_eq!(appraisal.authenticity, Authentic);
        let findings: Vec<String> = appraisal.findings().map(|c| c.id.to_string()).collect();
        assert_eq!(findings, ["signer-device-mismatch"]);
        note(findings);
    }
    let about = keyvouch::formats::about().find(|a| a.id == "crypto4a-qasm").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

type Note<'a> = &'a mut dyn FnMut(Vec<String>);

fn encodings(note: Note<'_>) {
    // malformed: cut off, bytes after the end, versions, BER
    let faults: [fn(Vec<u8>) -> Vec<u8>; 6] = [
        |mut m| {
            m.pop();
            m
        },
        |mut m| {
            m.push(0);
            m
        },
        // The outer length in one byte more than needed, and indefinite.
        |m| [&[0x30, 0x83, 0], &m[2..]].concat(),
        |m| [&[0x30, 0x80], &m[4..], &[0, 0]].concat(),
        // BOOLEAN TRUE as 01, in an attached certificate.
        |m| replaced(m, &[1, 1, 0xff, 4], &[1, 1, 1, 4]),
        |m| m[..40].to_vec(),
    ];
    for fault in faults {
        note(fails(Bench::new().spoilt(fault), NotAuthentic, &["malformed"]));
    }
    for version in [0, 2] {
        note(fails(Bench::new().altered(|m| m.version = version), NotAuthentic, &["malformed"]));
        note(fails(Bench::new().altered(|m| m.claims_version = version), NotAuthentic, &["malformed"]));
    }
    let armoured = |text: &'static str| {
        Bench::new()
            .spoilt(|_| format!("-----BEGIN {PEM_LABEL}-----\n{text}\n-----END {PEM_LABEL}-----\n").into())
    };
    note(fails(armoured("!!!"), NotAuthentic, &["malformed"]));
    note(fails(armoured("AQID"), NotAuthentic, &["malformed"]));
    // Too many of everything, and no certificate where one should be.
    let many = |m: &mut Message| m.blocks = vec![m.blocks[0].clone(); 9];
    note(fails(Bench::new().altered(many), NotAuthentic, &["malformed"]));
    let many = |m: &mut Message| m.related = vec![m.related[0].clone(); 17];
    note(fails(Bench::new().altered(many), NotAuthentic, &["malformed"]));
    let many = |m: &mut Message| m.claims = vec![m.claims[0].clone(); 1025];
    note(fails(Bench::new().altered(many), NotAuthentic, &["malformed"]));
    let none = |m: &mut Message| m.related[1] = der::null();
    note(fails(Bench::new().altered(none), NotAuthentic, &["malformed"]));
}

fn replaced(bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

fn shapes_of_claims(note: Note<'_>) {
    let uuid = [7; 16];
    let module = |number: u8, complement| Claim::module(number, complement);
    let bad = [
        // A subject where none belongs, none where one does.
        Claim { subject: Some(uuid), ..module(1, Some(complement::text("QSM000777"))) },
        Claim { subject: None, ..Claim::key(7, uuid, None) },
        Claim { subject: None, ..Claim::key(16, uuid, None) },
        // Complements of another kind, missing, or too many.
        module(1, Some(complement::int(5))),
        module(1, None),
        module(4, Some(complement::int(1))),
        module(2, Some(complement::text("20260501120000Z"))),
        Claim::key(4, uuid, Some(complement::bytes(&[4]))),
        Claim::key(9, uuid, Some(complement::int(0))),
        // Values that are none of their kind.
        module(0, Some(complement::bytes(&[1; 15]))),
        module(1, Some(der::implicit(1, &[0xff]))),
        module(2, Some(complement::time("20260501120000"))),
        module(2, Some(complement::time("20261301120000Z"))),
        Claim::key(1, uuid, Some(complement::bytes(b"no key"))),
        Claim::key(1, uuid, Some(complement::bytes(&ec_spki("1.2.840.10045.3.1.7", &[2; 33]).unwrap()))),
        Claim::key(3, uuid, Some(complement::bytes(&[1; 31]))),
        Claim::key(4, uuid, Some(der::implicit(3, &[0, 4]))),
        Claim::key(4, uuid, Some(der::implicit(3, &[]))),
        Claim::key(4, uuid, Some(der::implicit(4, &[4]))),
        Claim::key(4, uuid, Some(der::join(&[complement::int(4), complement::int(4)]))),
    ];
    for claim in bad {
        let bench = Bench::new().altered(|m| m.claims.push(claim));
        note(fails(bench, NotAuthentic, &["malformed"]));
    }
}

fn signatures(note: Note<'_>) {
    // unsigned
    note(fails(Bench::new().altered(|m| m.blocks.clear()), NotAuthentic, &["unsigned"]));

    // no-signer-certificate: a key id or a bare key is not enough, and a good block beside it does not help
    let anonymous = |m: &mut Message| m.blocks[1].certificate = None;
    note(fails(Bench::new().altered(anonymous), NotAuthentic, &["no-signer-certificate"]));
    let bare_key = |m: &mut Message| {
        m.blocks[0].certificate = None;
        m.blocks[0].spki = Some(key().spki_der().unwrap());
    };
    note(fails(Bench::new().altered(bare_key), NotAuthentic, &["no-signer-certificate"]));

    // signature-invalid: other bytes, at either block
    for block in 0..2 {
        let other = |m: &mut Message| m.blocks[block].signed = Some(b"other claims".to_vec());
        note(fails(Bench::new().altered(other), NotAuthentic, &["signature-invalid"]));
        let unknown = der::sequence(&[der::oid("1.2.3.4").unwrap()]);
        let unknown = |m: &mut Message| m.blocks[block].algorithm = Some(unknown);
        note(fails(Bench::new().altered(unknown), NotAuthentic, &["signature-invalid"]));
    }
    // … without the header of the claims
    let content = Bench::new().message.claims_der().unwrap()[4..].to_vec();
    let content = |m: &mut Message| m.blocks[0].signed = Some(content);
    note(fails(Bench::new().altered(content), NotAuthentic, &["signature-invalid"]));
    // … the algorithms exchanged, and one that no module uses
    let exchanged = |m: &mut Message| {
        let (ec, hss) = (m.blocks[0].signer.clone(), m.blocks[1].signer.clone());
        (m.blocks[0].signer, m.blocks[1].signer) = (hss, ec);
    };
    note(fails(Bench::new().altered(exchanged), NotAuthentic, &["signature-invalid"; 2]));
    let p256 = |m: &mut Message| {
        m.blocks[0].signer = Signer::Ec(key(), SignAlg::EcdsaSha256);
        m.blocks[0].certificate.as_mut().unwrap().spki = key().spki_der().unwrap();
    };
    note(fails(Bench::new().altered(p256), NotAuthentic, &["signature-invalid"]));
    let null = |m: &mut Message| {
        m.blocks[0].signer = Signer::Ec(Module::new().unwrap().ec, SignAlg::EcdsaSha384Null)
    };
    note(fails(Bench::new().altered(null), NotAuthentic, &["signature-invalid"]));
    // … another HSS key, other parameters than those of the key, a claim taken away or changed after signing
    let hss = |types| Arc::new(HssKey::new("crypto4a test: stranger", types).unwrap());
    for types in [&[(lms_type::H5, ots_type::W8); 3][..], &[(lms_type::H5, ots_type::W4)]] {
        let other = |m: &mut Message| m.blocks[1].signer = Signer::Hss(hss(types));
        note(fails(Bench::new().altered(other), NotAuthentic, &["signature-invalid"]));
    }
    let changed = Bench::new().spoilt(|m| replaced(m, b"QSM000777", b"QSM000778"));
    note(fails(changed, NotAuthentic, &["signature-invalid"; 2]));
    let fewer = {
        let mut message = Bench::new().message;
        message.claims.pop();
        message.claims_der().unwrap()
    };
    let fewer = |m: &mut Message| m.blocks.iter_mut().for_each(|block| block.signed = Some(fewer.clone()));
    note(fails(Bench::new().altered(fewer), NotAuthentic, &["signature-invalid"; 2]));

    // hss-required
    let ecdsa_only = Bench::new().altered(|m| m.blocks.truncate(1)).with_option("require_hss", true);
    note(fails(ecdsa_only, NotAuthentic, &["hss-required"]));
    assert_eq!(Bench::new().with_option("require_hss", true).judge().authenticity, Authentic);
    // A block that calls itself HSS/LMS and is not does not count.
    let hss_by_name = Bench::new().altered(|m| m.blocks[1].signed = Some(Vec::new()));
    let ids = fails(
        hss_by_name.with_option("require_hss", true),
        NotAuthentic,
        &["signature-invalid", "hss-required"],
    );
    note(ids);
}

fn chains(note: Note<'_>) {
    // chain-invalid: a certificate that is not one of an assertion authority
    let unfit: [fn(&mut Certificate); 6] = [
        |c| c.remove_extension("2.5.29.37"),
        |c| {
            c.extension_mut("2.5.29.37").unwrap().value =
                x509::extended_key_usage(&["1.3.6.1.5.5.7.3.3"]).unwrap().value
        },
        |c| c.remove_extension("2.5.29.15"),
        |c| c.extension_mut("2.5.29.15").unwrap().value = x509::key_usage(&[usage::KEY_CERT_SIGN]).value,
        |c| c.extensions.push(x509::basic_constraints(true, None)),
        |c| c.extensions.push(x509::Extension::new("1.2.3", [5, 0]).critical()),
    ];
    for change in unfit {
        note(fails(Bench::new().signer(change), NotAuthentic, &["chain-invalid"]));
    }
    // … signed by another key, or not valid at the time
    let forged = |m: &mut Message| m.blocks[0].issuer = stranger();
    note(fails(Bench::new().altered(forged), NotAuthentic, &["chain-invalid"]));
    let expired = |c: &mut Certificate| c.not_after = "2026-01-01T00:00:00Z".to_owned();
    note(fails(Bench::new().signer(expired), NotAuthentic, &["chain-invalid"]));
    // … at both signers: the issuing authority has ended
    note(fails(Bench::new().at("2043-01-01T00:00:00Z"), NotAuthentic, &["chain-invalid"; 2]));
    // … below an assertion authority: its issuer allows no further authority, and it is none
    let below = Bench::new().altered(|m| {
        let signer = m.blocks[0].certificate.clone().unwrap();
        let signed = signer.sign(&m.blocks[0].issuer, SignAlg::EcdsaSha384).unwrap();
        let mut false_signer = signer.clone();
        false_signer.subject = x509::common_name("C4A000777 Assertion Authority EC 2").unwrap();
        false_signer.issuer = signer.subject;
        false_signer.spki = stranger().spki_der().unwrap();
        m.blocks[0].certificate = Some(false_signer);
        m.blocks[0].issuer = Module::new().unwrap().ec;
        m.blocks[0].signer = Signer::Ec(stranger(), SignAlg::EcdsaSha384);
        m.related.push(signed);
    });
    note(fails(below, NotAuthentic, &["chain-invalid"; 3]));
    // … a root of the anchor's name and another key, attached or not
    let namesake = Bench::of(Module::under(&stranger()).unwrap());
    note(fails(namesake, NotAuthentic, &["chain-invalid"; 2]));
    let namesake = Bench::of(Module::under(&stranger()).unwrap()).altered(|m| m.related.truncate(1));
    note(fails(namesake, NotAuthentic, &["chain-invalid"; 2]));

    // anchor-unknown: no anchor of the name although the root is attached; nothing attached
    let mut strange = Bench::new();
    strange.reference = Reference::builtin().unwrap();
    note(fails(strange, Undecided, &["anchor-unknown"; 2]));
    note(fails(Bench::new().altered(|m| m.related.clear()), Undecided, &["anchor-unknown"; 2]));
    // A good block beside does not help.
    let one = Bench::new().signer(|c| c.issuer = x509::common_name("somebody").unwrap());
    note(fails(one, Undecided, &["anchor-unknown"]));
}

fn conflicts(note: Note<'_>) {
    let uuid = Bench::new().module.uuid("key");
    let other = stranger().spki_der().unwrap();
    let conflicting = [
        Claim::key(1, uuid, Some(complement::bytes(&other))),
        Claim::key(3, uuid, Some(complement::bytes(&sha256(&other)))),
        Claim::key(4, uuid, Some(complement::int(3))),
        Claim::key(14, uuid, Some(complement::int(261))),
        Claim::key(13, uuid, Some(complement::int(263))),
        Claim::module(1, Some(complement::text("QSM000778"))),
        Claim::module(2, Some(complement::time("20260501120001Z"))),
    ];
    for claim in conflicting {
        let bench = Bench::new().altered(|m| m.claims.push(claim));
        note(fails(bench, NotAuthentic, &["conflicting-claims"]));
    }
    let managed = Bench::new().altered(|m| {
        m.claims.extend([Claim::key(10, uuid, None), Claim::key(11, uuid, None)]);
    });
    note(fails(managed, NotAuthentic, &["conflicting-claims"]));
    // The digest of the same key, and the same values for another object, contradict nothing.
    let fine = Bench::new().altered(|m| {
        m.claims.push(Claim::key(3, uuid, Some(complement::bytes(&sha256(&key().spki_der().unwrap())))));
        m.claims.push(Claim::key(14, [9; 16], Some(complement::int(261))));
    });
    assert_eq!(fine.judge().authenticity, Authentic);
}

fn times(note: Note<'_>) {
    // time-in-future, to the second
    note(fails(Bench::new().at("2026-05-01T11:59:59Z"), NotAuthentic, &["time-in-future"]));
    assert_eq!(Bench::new().at("2026-05-01T12:00:00Z").judge().authenticity, Authentic);
    // stale, to the second: 31 days less 12 hours lie between
    note(fails(Bench::new().with_option("max_age_days", 30), Authentic, &["stale"]));
    let fresh = Bench::new().with_option("max_age_days", 31).judge();
    assert_eq!(failed(&fresh), [""; 0]);
    let late = Bench::new().with_option("max_age_days", 30).at("2026-05-31T12:00:01Z");
    note(fails(late, Authentic, &["stale"]));
    assert_eq!(
        failed(&Bench::new().with_option("max_age_days", 30).at("2026-05-31T12:00:00Z").judge()),
        [""; 0]
    );
    assert_eq!(failed(&Bench::new().with_option("max_age_days", u64::MAX).judge()), [""; 0]);
    // missing-claim:attestation-time, only when an age is demanded
    let timeless = |m: &mut Message| m.remove("1.3.6.1.4.1.39901.6.1.2");
    let ids = ["missing-claim:attestation-time"];
    note(fails(Bench::new().altered(timeless).with_option("max_age_days", 9999), Authentic, &ids));
    assert_eq!(failed(&Bench::new().altered(timeless).judge()), [""; 0]);
}

fn missing_claims(note: Note<'_>) {
    type Claims = keyvouch::ClaimSet;
    let unknown = |claims: &Claims, name| claims.value(name).is_unknown();
    for (oid, id) in [
        ("1.3.6.1.4.1.39901.6.1.4", "missing-claim:qasm-certified-production"),
        ("1.3.6.1.4.1.39901.6.2.0", "missing-claim:attestation-keys-are-unique"),
        ("1.3.6.1.4.1.39901.6.2.4", "missing-claim:object-class"),
        ("1.3.6.1.4.1.39901.6.2.7", "missing-claim:key-is-confined"),
        ("1.3.6.1.4.1.39901.6.2.8", "missing-claim:key-is-hardware-generated"),
        ("1.3.6.1.4.1.39901.6.2.9", "missing-claim:key-never-extracted"),
    ] {
        note(fails(Bench::new().altered(|m| m.remove(oid)), Authentic, &[id]));
        let claims = Bench::new().altered(|m| m.remove(oid)).judge().claims;
        let arc = oid.strip_prefix("1.3.6.1.4.1.39901.6.").unwrap();
        let generated = !matches!(arc, "1.4" | "2.4" | "2.7" | "2.8");
        assert_eq!(unknown(&claims, ClaimName::KeyGeneratedInDevice), !generated, "{arc}");
        assert_eq!(unknown(&claims, ClaimName::KeyExportable), matches!(arc, "2.4" | "2.7"), "{arc}");
        assert_eq!(unknown(&claims, ClaimName::KeyEverExportable), matches!(arc, "2.4" | "2.9"), "{arc}");
    }
    // A public key, whatever else is claimed of it.
    let public = |m: &mut Message| m.key_claim_mut(4).unwrap().complement = Some(complement::int(3));
    note(fails(Bench::new().altered(public), Authentic, &["missing-claim:object-class"]));
    // The number as the page of the PKI Consortium prints it is not that claim.
    let printed = |m: &mut Message| m.key_claim_mut(7).unwrap().oid = "1.3.6.1.4.1.39901.6.1.2.7".to_owned();
    note(fails(Bench::new().altered(printed), Authentic, &["missing-claim:key-is-confined"]));
}

#[test]
fn an_archived_key_is_not_only_here() {
    let bench = Bench::new();
    let archived = Claim::key(16, bench.module.uuid("key"), Some(complement::bytes(&[1])));
    let appraisal = bench.altered(|m| m.claims.push(archived)).judge();
    assert_eq!(appraisal.authenticity, Authentic);
    assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));
}

#[test]
fn capabilities_that_are_not_known_are_reported_and_not_claimed() {
    let decrypt_only = |m: &mut Message| m.key_claim_mut(13).unwrap().complement = Some(complement::int(260));
    let appraisal = Bench::new().altered(decrypt_only).judge();
    assert!(appraisal.claims.value(ClaimName::KeyPurposes).is_unknown());
    let detail = appraisal.details.details().find(|(name, _)| *name == "capabilities").unwrap();
    assert_eq!(detail.1.value.as_text(), Some("260"));
}

/// Another key of the same module, with every claim: none of them is the requested key's.
#[test]
fn claims_of_another_object_are_not_credited() {
    let bench = Bench::new();
    let own = Key::shared("crypto4a test: imported", KeyKind::P256).unwrap();
    let uuid = bench.module.uuid("imported");
    let imported = vec![
        Claim::key(1, uuid, Some(complement::bytes(&own.spki_der().unwrap()))),
        Claim::key(4, uuid, Some(complement::int(4))),
    ];
    let appraisal = bench.altered(|m| m.claims.extend(imported)).requesting(&own).judge();
    assert_eq!(appraisal.authenticity, Authentic);
    assert_eq!(appraisal.binding.as_str(), "public-key");
    for name in [ClaimName::KeyGeneratedInDevice, ClaimName::KeyExportable, ClaimName::KeyEverExportable] {
        assert!(appraisal.claims.value(name).is_unknown(), "{name}");
    }
    assert!(failed(&appraisal).contains(&"missing-claim:key-is-confined".to_owned()));
}

#[test]
fn requests_with_other_keys_get_no_key_claims() {
    let no_key_claims = |appraisal: &Appraisal| {
        assert_eq!(appraisal.authenticity, Authentic);
        assert_eq!(appraisal.binding.as_str(), "none");
        for name in [ClaimName::KeyAlgorithm, ClaimName::KeySpkiSha256, ClaimName::KeyGeneratedInDevice] {
            assert!(appraisal.claims.value(name).is_unknown(), "{name}");
        }
        assert_eq!(appraisal.claims.text(ClaimName::DeviceSerial), Some("QSM000777"));
    };
    // Another key; no key in the message; the key in two objects, of which it is not clear which is meant.
    let other = Bench::new().requesting(&stranger()).judge();
    let keyless = Bench::new().altered(|m| m.remove("1.3.6.1.4.1.39901.6.2.1")).requesting(&key()).judge();
    let twin = Claim::key(1, [9; 16], Some(complement::bytes(&key().spki_der().unwrap())));
    let twins = Bench::new().altered(|m| m.claims.push(twin)).requesting(&key()).judge();
    for appraisal in [other, keyless, twins] {
        assert_eq!(failed(&appraisal), ["csr-key-mismatch"], "{:#?}", appraisal.checks);
        no_key_claims(&appraisal);
    }
    // Without a request: several keys, and nobody said which.
    let bench = Bench::new();
    let more = bench.module.key_claims([9; 16], &stranger().spki_der().unwrap());
    let several = bench.altered(|m| m.claims.extend(more)).judge();
    assert_eq!(failed(&several), [""; 0]);
    no_key_claims(&several);
}

#[test]
fn the_message_of_the_requested_key_is_judged() {
    let bench = Bench::new();
    let other = bench.module.attest(&stranger()).unwrap().sign().unwrap();
    let own = bench.message.sign().unwrap();
    let files = vec![
        File::new("other.der", other),
        File::new("own.der", own.clone()),
        File::new("own again.pem", pem::encode(PEM_LABEL, &own)),
    ];
    let mut submission = Submission::new(files, AT.parse().unwrap());
    let verifier = Verifier::new(bench.reference);
    assert_eq!(verifier.appraise(&submission).unwrap().appraisals.len(), 2);
    submission.request = Some(File::new("key.pem", pem::public_key(&key().spki_der().unwrap())));
    let report = verifier.appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    assert_eq!(report.appraisals[0].binding.as_str(), "public-key");
}

#[test]
fn denied_signers_and_devices() {
    let bench = Bench::new();
    let signer = bench.message.blocks[0].certificate.clone().unwrap();
    let issuer = keyvouch::pki::Certificate::from_der(&bench.module.issuer.der).unwrap();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    let list = |text: String| serde_json::json!([text]);
    let of_issuer = bench.with_option("deny_certificates", list(hex(issuer.sha256())));
    fails(of_issuer, NotAuthentic, &["denied"]);
    let of_device = Bench::new().with_option("deny_serials", list("QSM000777".to_owned()));
    fails(of_device, NotAuthentic, &["denied"]);
    let mut of_key = Bench::new();
    let deny = format!("[[deny]]\nspki_sha256 = '{}'\nreason = 'leaked'\n", hex(&sha256(&signer.spki)));
    of_key.reference.load_operator_file("deny.toml", &deny).unwrap();
    fails(of_key, NotAuthentic, &["denied"]);
}

#[test]
fn an_hss_key_bare_or_in_an_octet_string() {
    for wrapped in [false, true] {
        let bench = Bench::new();
        let hss = Arc::clone(&bench.module.hss);
        let spki = hss_spki(&hss, wrapped).unwrap();
        let appraisal = bench
            .altered(|m| m.blocks[1].certificate.as_mut().unwrap().spki = spki)
            .with_option("require_hss", true)
            .judge();
        assert_eq!(failed(&appraisal), [""; 0]);
    }
}

#[test]
fn certificates_of_a_module_are_no_message() {
    let bench = Bench::new();
    let block = &bench.message.blocks[1];
    let signer = block.certificate.as_ref().unwrap().sign(&block.issuer, SignAlg::EcdsaSha384).unwrap();
    let submission = Submission::new(vec![File::new("aa.der", signer)], AT.parse().unwrap());
    assert_eq!(appraise(bench.reference, &submission).format, "");
}

#[test]
fn inspect_shows_the_claims_without_judgement() {
    let bytes = Bench::new().message.sign().unwrap();
    let submission = Submission::new(vec![File::new("a.der", bytes)], AT.parse().unwrap());
    let view = Verifier::new(Reference::builtin().unwrap()).inspect(&submission).unwrap();
    let message = &view["statements"][0]["view"]["message"];
    assert_eq!(message["module"]["qasm-serial"][0], "QSM000777");
    assert_eq!(message["blocks"][1]["algorithm"], "HSS/LMS");
    assert_eq!(message["objects"].as_object().unwrap().len(), 1);
    assert_eq!(oid::KEY, "1.3.6.1.4.1.39901.6.2");
}
