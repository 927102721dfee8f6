//! PKIX Evidence of emulated modules: every container and encoding, and one failure for every check.

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
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::pkix_evidence::{
    Block, Claim, Element, Encoding, Evidence, Maker, OLDER_ARC, Statement, capability, certificate, claim,
    key_id, spki,
};
use keyvouch_emulator::x509::{self, Authority, usage};
use keyvouch_emulator::{csr, der, pem, samples};
use serde_json::{Value, json};

const AT: &str = "2026-06-01T00:00:00Z";
const NONCE: [u8; 4] = [0xbe, 0xef, 0xca, 0xfe];
const E: Encoding = Encoding::Current;

/// Evidence of an emulated module about a P-256 key, the request with that key, and the anchor that vouches.
struct Bench {
    maker: Maker,
    evidence: Evidence,
    reference: Reference,
    request: Option<File>,
    nonce: Option<Vec<u8>>,
    at: &'static str,
    beside: Vec<File>,
    options: Vec<(&'static str, Value)>,
    /// Changes the signed evidence.
    spoil: fn(Vec<u8>) -> Vec<u8>,
}

fn subject() -> Arc<Key> {
    Key::shared("pkix-evidence test: subject", KeyKind::P256).unwrap()
}

fn request(key: &Key) -> Option<File> {
    Some(File::new("request.csr", pem::request(&csr::plain("A", key).unwrap())))
}

impl Bench {
    fn new() -> Self {
        Self::of(E)
    }

    fn of(encoding: Encoding) -> Self {
        let maker = Maker::new("test maker").unwrap();
        let statement = Statement::of(encoding, &maker.ak_key, &subject()).unwrap();
        let mut bench = Self {
            evidence: maker.attest(statement).unwrap(),
            maker,
            reference: Reference::builtin().unwrap(),
            request: request(&subject()),
            nonce: None,
            at: AT,
            beside: Vec::new(),
            options: vec![("accept_placeholder_oids", json!(true))],
            spoil: |der| der,
        };
        bench.trust(&bench.maker.root.der.clone());
        bench
    }

    fn trust(&mut self, der: &[u8]) {
        self.reference.load_operator_certificates("root.pem", pem::certificate(der).as_bytes()).unwrap();
    }

    fn trust_nobody(&mut self) {
        self.reference = Reference::builtin().unwrap();
    }

    /// Changes the certificate of the attestation key before it is signed.
    fn with_ak(mut self, change: impl FnOnce(&mut x509::Certificate)) -> Self {
        change(&mut self.maker.ak);
        self.evidence.blocks[0].signer = vec![certificate(&self.maker.ak_der().unwrap())];
        self
    }

    /// Changes the certificate of the intermediate before the root signs it.
    fn with_intermediate(mut self, change: impl FnOnce(&mut x509::Certificate)) -> Self {
        let mut template = self.maker.intermediate.certificate.clone();
        change(&mut template);
        self.evidence.intermediates =
            vec![template.sign(&self.maker.root.key, SignAlg::EcdsaSha256).unwrap()];
        self
    }

    fn judge(self) -> Appraisal {
        let signed = (self.spoil)(self.evidence.sign().unwrap());
        let mut files = vec![File::new("evidence.pem", pem::encode("EVIDENCE", &signed))];
        files.extend(self.beside);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.request = self.request;
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

/// The ids of failed checks; a check that failed for several reasons in a row is told once.
fn failed(appraisal: &Appraisal) -> Vec<String> {
    let mut ids: Vec<String> = appraisal.failed().map(|c| c.id.to_string()).collect();
    ids.dedup();
    ids
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
    assert_eq!(appraisal.format, "pkix-evidence");
    if authenticity != Authenticity::Authentic {
        assert!(
            appraisal.claims.is_empty() && appraisal.trust.is_none(),
            "claims of unauthenticated evidence"
        );
        assert_ne!(appraisal.freshness, Freshness::NonceMatched);
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

/// Changes the statement before it is signed.
fn altered(change: impl FnOnce(&mut Statement)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench.evidence.statement);
    bench
}

fn changed(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench);
    bench
}

/// The elements of the statement.
const TRANSACTION: usize = 0;
const PLATFORM: usize = 1;
const KEY: usize = 2;

fn stranger() -> Arc<Key> {
    Key::shared("pkix-evidence test: stranger", KeyKind::P256).unwrap()
}

fn second_key(statement: &mut Statement, identifier: &str, key: &Key) {
    let mut element = statement.elements[KEY].clone();
    element.set(claim::IDENTIFIER, E.text(identifier));
    element.set(claim::SPKI, E.octets(&key.spki_der().unwrap()));
    statement.elements.push(element);
}

fn twice(element: &mut Element, claim: usize) {
    element.claims.push(element.claims[claim].clone());
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("pkix-evidence").unwrap();
    assert!(samples.len() >= 12);
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
        assert_eq!(appraisal.format, "pkix-evidence", "{}", sample.variant);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}", sample.variant);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(claim(ClaimName::KeyGeneratedInDevice), "true");
        assert_eq!(claim(ClaimName::KeyExportable), "vendor-boundary");
        assert_eq!(claim(ClaimName::KeyEverExportable), "false");
        assert_eq!(claim(ClaimName::DeviceFipsMode), "true");
    }
}

#[test]
fn claims_of_a_plain_module() {
    let appraisal = passes(Bench::new());
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "EC-P256");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign");
    assert_eq!(claim(ClaimName::DeviceClass), "hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Emulated HSM Ltd");
    assert_eq!(claim(ClaimName::DeviceModel), "HSM-9000");
    assert_eq!(claim(ClaimName::DeviceSerial), "0000-1234");
    assert_eq!(claim(ClaimName::DeviceFirmware), "7.4.1");
    assert_eq!(appraisal.freshness, Freshness::NotAsked);
    let details: Vec<_> = appraisal.details.details().map(|(name, c)| (name, c.value.to_string())).collect();
    assert!(details.contains(&("fips_operation", "FIPS 140-3, level 3".to_owned())), "{details:?}");
    assert!(details.contains(&("key_identifiers", "signing key 1".to_owned())));
    assert_eq!(appraisal.trust.unwrap().path().len(), 3);
}

#[test]
fn claims_follow_the_attributes_of_the_key() {
    let claims = |change: &dyn Fn(&mut Element)| {
        let appraisal = passes(altered(|s| change(&mut s.elements[KEY])));
        [ClaimName::KeyGeneratedInDevice, ClaimName::KeyExportable, ClaimName::KeyEverExportable]
            .map(|name| appraisal.claims.value(name).to_string())
    };
    let flag = |claim, value| move |key: &mut Element| key.set(claim, E.flag(value));
    assert_eq!(claims(&flag(claim::LOCAL, false)), ["false", "vendor-boundary", "false"]);
    assert_eq!(claims(&flag(claim::EXTRACTABLE, true)), ["true", "wrapped", "false"]);
    assert_eq!(claims(&flag(claim::NEVER_EXTRACTABLE, false)), ["true", "vendor-boundary", "true"]);
    // What is not sensitive can be read in the clear, whatever else is said.
    assert_eq!(claims(&flag(claim::SENSITIVE, false)), ["true", "yes", "true"]);
    assert_eq!(claims(&|key| key.remove(claim::LOCAL)), ["unknown", "vendor-boundary", "false"]);
    assert_eq!(claims(&|key| key.remove(claim::EXTRACTABLE)), ["true", "unknown", "false"]);
    assert_eq!(claims(&|key| key.remove(claim::NEVER_EXTRACTABLE)), ["true", "vendor-boundary", "unknown"]);
    assert_eq!(claims(&|key| key.remove(claim::SENSITIVE)), ["true", "vendor-boundary", "false"]);
    let purposes = |capabilities: &[u32]| {
        let value = E.purposes(capabilities).unwrap();
        let appraisal = passes(altered(|s| s.elements[KEY].set(claim::PURPOSE, value)));
        appraisal.claims.value(ClaimName::KeyPurposes).to_string()
    };
    assert_eq!(
        purposes(&[capability::UNWRAP, capability::DERIVE, capability::DECRYPT, capability::SIGN]),
        "sign, decrypt, agree, wrap"
    );
    assert_eq!(purposes(&[capability::VERIFY, 0, 7, 99]), "");
}

#[test]
fn models_are_text_or_hexadecimal_and_fips_hangs_on_fipsboot() {
    let appraisal = |change: &dyn Fn(&mut Element)| passes(altered(|s| change(&mut s.elements[PLATFORM])));
    let model = |bytes: &[u8]| {
        let appraisal = appraisal(&|p| p.set(claim::HWMODEL, E.octets(bytes)));
        appraisal.claims.value(ClaimName::DeviceModel).to_string()
    };
    assert_eq!(
        (model(&[1, 2, 0xff]), model(b"A\n"), model(&[])),
        ("0102ff".into(), "410a".into(), "unknown".into())
    );
    for (change, mode) in [(Some(false), "false"), (None, "unknown")] {
        let appraisal = appraisal(&|p| match change {
            Some(flag) => p.set(claim::FIPSBOOT, E.flag(flag)),
            None => p.remove(claim::FIPSBOOT),
        });
        assert_eq!(appraisal.claims.value(ClaimName::DeviceFipsMode).to_string(), mode);
        let level = appraisal.details.details().find(|(name, _)| *name == "fips_operation").unwrap().1;
        assert!(level.value.is_unknown(), "a level without FIPS mode");
    }
}

#[test]
fn the_older_encoding_has_its_own_numbers() {
    let mut bench = Bench::of(Encoding::Older);
    // usermods has the number that fipsboot has today: it is passed over, and fipsboot is not taken for fipsver.
    bench.evidence.statement.elements[PLATFORM].claims.push(Claim {
        claim: claim::FIPSBOOT,
        oid: Some(format!("{OLDER_ARC}.1.1.10")),
        value: Some(Encoding::Older.text("module")),
    });
    let appraisal = passes(bench);
    assert_eq!(appraisal.claims.value(ClaimName::DeviceFipsMode).to_string(), "true");
    assert_eq!(appraisal.claims.value(ClaimName::KeyPurposes).to_string(), "sign");
}

#[test]
fn the_key_is_the_requests_or_the_only_one() {
    // Without a request, of several keys none is meant; the module's claims stand.
    let mut bench = altered(|s| second_key(s, "2", &stranger()));
    bench.request = None;
    let appraisal = passes(bench);
    assert!(appraisal.claims.value(ClaimName::KeyAlgorithm).is_unknown());
    assert!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice).is_unknown());
    assert_eq!(appraisal.claims.text(ClaimName::DeviceModel), Some("HSM-9000"));
    // With one, the claims are those of its key.
    let mut bench = altered(|s| {
        second_key(s, "2", &stranger());
        s.elements[3].set(claim::LOCAL, E.flag(false));
    });
    bench.request = request(&stranger());
    assert_eq!(passes(bench).claims.value(ClaimName::KeyGeneratedInDevice).to_string(), "false");
    // A key that is named without its value cannot be bound, and is spoken of only when nobody asks for another.
    let mut bench = altered(|s| s.elements[KEY].remove(claim::SPKI));
    bench.request = None;
    let appraisal = passes(bench);
    assert!(appraisal.claims.value(ClaimName::KeyAlgorithm).is_unknown());
    assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice).to_string(), "true");
}

#[test]
fn requests_with_another_key_are_refused_without_claims_about_a_key() {
    use Authenticity::Authentic;
    let unbound = |bench: Bench| {
        let appraisal = bench.judge();
        assert_eq!(
            (failed(&appraisal), appraisal.authenticity),
            (vec!["csr-key-mismatch".to_owned()], Authentic)
        );
        assert_eq!(appraisal.binding.as_str(), "none");
        assert!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice).is_unknown());
    };
    unbound(changed(|b| b.request = request(&stranger())));
    unbound(altered(|s| s.elements[KEY].remove(claim::SPKI)));
    unbound(altered(|s| drop(s.elements.pop())));
    // Two elements about one key, which may say different things.
    unbound(altered(|s| second_key(s, "2", &subject())));
}

#[test]
fn nonces() {
    use Authenticity::{Authentic, NotAuthentic};
    let appraisal = passes(changed(|b| b.nonce = Some(NONCE.to_vec())));
    assert_eq!(appraisal.freshness, Freshness::NonceMatched);
    let bench = changed(|b| b.nonce = Some(vec![1, 2, 3]));
    fails(bench, Authentic, &["nonce-mismatch"]);
    // The nonce is there, and nobody authenticated it.
    let mut bench = changed(|b| b.nonce = Some(NONCE.to_vec()));
    bench.evidence.blocks[0].key = stranger();
    fails(bench, NotAuthentic, &["signature-invalid"]);
}

/// Certificates in the evidence, or beside it, give no trust; neither do those that may not issue.
#[test]
fn trust_is_the_operators() {
    use Authenticity::{NotAuthentic, Undecided};
    let root_in_evidence = |b: &mut Bench| {
        b.trust_nobody();
        b.evidence.intermediates.push(b.maker.root.der.clone());
        b.beside.push(File::new("root.pem", pem::certificate(&b.maker.root.der)));
    };
    fails(changed(root_in_evidence), Undecided, &["anchor-unknown"]);
    // The operator may end paths at an intermediate, as long as he has no anchor above it.
    let mut bench = Bench::new();
    bench.trust_nobody();
    bench.trust(&bench.maker.intermediate.der.clone());
    assert_eq!(passes(bench).trust.unwrap().path().len(), 2);
    // A certificate of the operator's that is no authority ends no path.
    let mut bench = Bench::new();
    bench.trust_nobody();
    bench.trust(&bench.maker.ak_der().unwrap());
    fails(bench, Undecided, &["anchor-unknown"]);
    // A subscriber's certificate from the same authority is no attestation key, whatever it signs.
    let user = |c: &mut x509::Certificate| c.remove_extension("2.5.29.37");
    fails(Bench::new().with_ak(user), NotAuthentic, &["ak-profile"]);
    // The real attestation key cannot vouch for another by a certificate.
    let bench = Bench::new();
    let mut forged = bench.maker.ak.clone();
    forged.issuer = bench.maker.ak.subject.clone();
    forged.subject = x509::common_name("forged").unwrap();
    forged.spki = stranger().spki_der().unwrap();
    let forged = forged.sign(&bench.maker.ak_key, SignAlg::EcdsaSha256).unwrap();
    let mut bench = altered(|s| s.elements[TRANSACTION].remove(claim::AK_SPKI));
    bench.evidence.intermediates.push(bench.maker.ak_der().unwrap());
    bench.evidence.blocks = vec![Block::new(vec![certificate(&forged)], &stranger())];
    let appraisal = bench.judge();
    assert!(failed(&appraisal).iter().all(|id| id == "untrusted-root"), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.authenticity, NotAuthentic);
}

#[test]
fn what_is_not_known_is_passed_over() {
    let appraisal = passes(altered(|s| {
        s.elements[KEY].claims.push(Claim { claim: (2, 77), oid: None, value: None });
        s.elements[KEY].claims.push(Claim {
            claim: (2, 0),
            oid: Some("1.2.3.4".into()),
            value: Some(E.text("x")),
        });
        s.elements.push(Element { kind: 9, oid: None, claims: s.elements[PLATFORM].claims.clone() });
    }));
    let ignored =
        appraisal.details.details().find(|(name, _)| *name == "ignored").unwrap().1.value.to_string();
    assert_eq!(ignored, "claim 1.3.6.1.5.5.999.1.2.77, claim 1.2.3.4, element 1.3.6.1.5.5.999.0.9");
}

#[test]
fn an_assigned_arc_can_be_configured() {
    let assigned = |b: &mut Bench| {
        b.evidence.statement.arc = Some("1.3.6.1.5.5.42".to_owned());
        b.evidence.statement.elements[KEY].remove(claim::PURPOSE);
        b.options =
            vec![("evidence_arc", json!("1.3.6.1.5.5.42")), ("ak_eku", json!(["1.3.6.1.5.5.7.3.42"]))];
    };
    let eku = x509::extended_key_usage(&["1.3.6.1.5.5.7.3.42"]).unwrap().value;
    passes(changed(assigned).with_ak(|c| c.extension_mut("2.5.29.37").unwrap().value = eku));
}

/// Only this format's evidence is taken for it; broken evidence still is.
#[test]
fn recognition() {
    let format = |bytes: &[u8]| {
        let submission = Submission::new(vec![File::new("file", bytes)], AT.parse().unwrap());
        appraise(Reference::builtin().unwrap(), &submission).format
    };
    let good = Bench::new().evidence.sign().unwrap();
    assert_eq!(format(&good), "pkix-evidence");
    assert_eq!(format(&good[..good.len() - 1]), "pkix-evidence");
    assert_eq!(format(&[&good[..], &[0]].concat()), "pkix-evidence");
    assert_eq!(format(pem::encode("EVIDENCE", b"anything").as_bytes()), "pkix-evidence");
    assert_eq!(format(pem::encode("EVIDENCE RECORD", &[0x30, 0]).as_bytes()), "");
    let other = altered(|s| s.arc = Some("1.3.6.1.4.1.99999".to_owned())).evidence.sign().unwrap();
    assert_eq!(format(&other), "");
    assert_eq!(format(&Bench::new().maker.root.der), "");
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);

    // malformed: the statement
    let statements: [fn(&mut Statement); 19] = [
        |s| s.version = 2,
        |s| s.elements.push(s.elements[PLATFORM].clone()),
        |s| s.elements.push(s.elements[TRANSACTION].clone()),
        |s| twice(&mut s.elements[PLATFORM], 0),
        |s| twice(&mut s.elements[KEY], 2),
        |s| s.elements[KEY].set(claim::HWSERIAL, E.text("1")),
        |s| s.elements[KEY].set(claim::EXTRACTABLE, E.number(0)),
        |s| s.elements[KEY].set(claim::EXTRACTABLE, vec![1, 1, 1]),
        |s| s.elements[KEY].set(claim::EXTRACTABLE, vec![1, 2, 0, 0]),
        |s| s.elements[KEY].claim_mut(claim::EXTRACTABLE).unwrap().value = None,
        |s| s.elements[KEY].set(claim::SPKI, E.octets(&[0x30, 0])),
        |s| s.elements[KEY].set(claim::EXPIRY, E.time("tomorrow")),
        |s| s.elements[KEY].remove(claim::IDENTIFIER),
        |s| second_key(s, "signing key 1", &stranger()),
        |s| s.elements[PLATFORM].set(claim::FIPSLEVEL, E.number(5)),
        |s| s.elements[PLATFORM].set(claim::UPTIME, vec![2, 1, 0xff]),
        |s| s.elements[PLATFORM].set(claim::VENDOR, Encoding::Older.text("Acme Corp")),
        |s| s.elements[PLATFORM].oid = Some(format!("{OLDER_ARC}.0.1")),
        |s| s.elements[PLATFORM].claims.clear(),
    ];
    for change in statements {
        note(fails(altered(change), NotAuthentic, &["malformed"]));
    }
    // … what is around it
    let spoils: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |der| der[..der.len() - 1].to_vec(),
        |der| [der, vec![0]].concat(),
        |der| [&[0x30, 0x83, 0, der[2], der[3]], &der[4..]].concat(),
        |_| b"nothing".to_vec(),
    ];
    for spoil in spoils {
        note(fails(changed(|b| b.spoil = spoil), NotAuthentic, &["malformed"]));
    }
    // … and the signer: nobody named, members that do not agree, an algorithm that is none
    let other = stranger().spki_der().unwrap();
    let ak = Bench::new().maker.ak_der().unwrap();
    let mut signers = vec![
        Vec::new(),
        vec![key_id(&[1, 2, 3]), certificate(&ak)],
        vec![key_id(&[1, 2, 3]), spki(&other)],
        vec![spki(&other), certificate(&ak)],
        vec![certificate(&ak), spki(&other)],
        vec![certificate(&other)],
    ];
    for signer in signers.drain(..) {
        note(fails(changed(|b| b.evidence.blocks[0].signer = signer), NotAuthentic, &["malformed"]));
    }
    let algorithm = |bytes: Vec<u8>| changed(|b| b.evidence.blocks[0].algorithm = Some(bytes));
    note(fails(algorithm(der::sequence(&[der::null()])), NotAuthentic, &["malformed"]));
    note(fails(
        changed(|b| b.evidence.intermediates.push(der::sequence(&[der::null()]))),
        NotAuthentic,
        &["malformed"],
    ));

    // placeholder-oids: the arc and the purpose; the purpose alone
    let bench = changed(|b| b.options.clear());
    note(fails(bench, Undecided, &["placeholder-oids"]));
    let bench = changed(|b| {
        b.options = vec![("evidence_arc", json!("1.3.6.1.5.5.42"))];
        b.evidence.statement.arc = Some("1.3.6.1.5.5.42".to_owned());
    });
    note(fails(bench, Undecided, &["placeholder-oids"]));

    // unsigned
    note(fails(changed(|b| b.evidence.blocks.clear()), NotAuthentic, &["unsigned"]));

    // unknown-signer: also when another signature is good
    let unknown = |b: &mut Bench| b.evidence.blocks[0].signer = vec![key_id(&[7; 20])];
    note(fails(changed(unknown), Undecided, &["unknown-signer"]));
    let beside = |b: &mut Bench| b.evidence.blocks.push(Block::new(vec![key_id(&[7; 20])], &stranger()));
    note(fails(changed(beside), Undecided, &["unknown-signer"]));

    // signature-invalid: another key, also in a second block; another digest than declared; SHA-1, openly or by the
    // defaults of RSA-PSS; a key that cannot make such a signature
    note(fails(changed(|b| b.evidence.blocks[0].key = stranger()), NotAuthentic, &["signature-invalid"]));
    let second = |b: &mut Bench| {
        let mut block = b.evidence.blocks[0].clone();
        block.key = stranger();
        b.evidence.blocks.push(block);
    };
    note(fails(changed(second), NotAuthentic, &["signature-invalid"]));
    for oid in ["1.2.840.10045.4.3.4", "1.2.840.10045.4.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.11"]
    {
        let bench = algorithm(der::sequence(&[der::oid(oid).unwrap()]));
        note(fails(bench, NotAuthentic, &["signature-invalid"]));
    }

    // unknown-algorithm: of the signature, of the key
    let bench = algorithm(der::sequence(&[der::oid("2.16.840.1.101.3.4.3.20").unwrap()]));
    note(fails(bench, Undecided, &["unknown-algorithm"]));
    let brainpool = keyvouch_emulator::key::ec_spki("1.3.36.3.3.2.8.1.1.8", &[4; 65]).unwrap();
    let mut bench = altered(|s| s.elements[TRANSACTION].remove(claim::AK_SPKI));
    bench.evidence.blocks[0].signer = vec![spki(&brainpool)];
    note(fails(bench, Undecided, &["unknown-algorithm", "anchor-unknown"]));

    // ak-profile: keyUsage and purpose, absent or another
    let usages: [fn(&mut x509::Certificate); 4] = [
        |c| c.remove_extension("2.5.29.15"),
        |c| c.extension_mut("2.5.29.15").unwrap().value = x509::key_usage(&[usage::NON_REPUDIATION]).value,
        |c| c.extension_mut("2.5.29.15").unwrap().value = x509::key_usage(&[usage::KEY_CERT_SIGN]).value,
        |c| {
            let server = x509::extended_key_usage(&["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"]).unwrap();
            c.extension_mut("2.5.29.37").unwrap().value = server.value;
        },
    ];
    for change in usages {
        note(fails(Bench::new().with_ak(change), NotAuthentic, &["ak-profile"]));
    }

    // untrusted-root: not signed by the issuer at hand; the anchor's name with another key; issuers that are none
    let other_issuer = |b: &mut Bench| {
        let der = b.maker.ak.sign(&stranger(), SignAlg::EcdsaSha256).unwrap();
        b.evidence.blocks[0].signer = vec![certificate(&der)];
    };
    note(fails(changed(other_issuer), NotAuthentic, &["untrusted-root"]));
    let same_name = |b: &mut Bench| {
        b.trust_nobody();
        let mut template = b.maker.root.certificate.clone();
        template.spki = stranger().spki_der().unwrap();
        b.trust(&Authority::root(template, stranger(), SignAlg::EcdsaSha256).unwrap().der);
    };
    note(fails(changed(same_name), NotAuthentic, &["untrusted-root"]));
    let with_root = changed(|b| {
        same_name(b);
        b.evidence.intermediates.push(b.maker.root.der.clone());
    });
    note(fails(with_root, NotAuthentic, &["untrusted-root"]));
    let issuers: [fn(&mut x509::Certificate); 4] = [
        |c| c.extension_mut("2.5.29.19").unwrap().value = x509::basic_constraints(false, None).value,
        |c| c.remove_extension("2.5.29.19"),
        |c| c.remove_extension("2.5.29.15"),
        |c| c.extension_mut("2.5.29.15").unwrap().value = x509::key_usage(&[usage::DIGITAL_SIGNATURE]).value,
    ];
    for change in issuers {
        note(fails(Bench::new().with_intermediate(change), NotAuthentic, &["untrusted-root"]));
    }

    // anchor-unknown: no anchor; no intermediate; a bare key that nobody pinned
    note(fails(changed(Bench::trust_nobody), Undecided, &["anchor-unknown"]));
    note(fails(changed(|b| b.evidence.intermediates.clear()), Undecided, &["anchor-unknown"]));
    let bare = |b: &mut Bench| b.evidence.blocks[0].signer = vec![spki(&b.maker.ak_key.spki_der().unwrap())];
    note(fails(changed(bare), Undecided, &["anchor-unknown"]));

    // expired: the whole chain and its anchor; before its time
    for at in ["2036-06-01T00:00:00Z", "2025-12-31T00:00:00Z"] {
        note(fails(changed(|b| b.at = at), NotAuthentic, &["expired"]));
    }

    // extra-signature-untrusted: a finding
    let counter_signed = |b: &mut Bench| {
        let other = Maker::new("another maker").unwrap();
        let own = Claim {
            claim: claim::AK_SPKI,
            oid: None,
            value: Some(E.octets(&other.ak_key.spki_der().unwrap())),
        };
        b.evidence.statement.elements[TRANSACTION].claims.push(own);
        b.evidence.blocks.insert(0, Block::new(vec![certificate(&other.ak_der().unwrap())], &other.ak_key));
    };
    let appraisal = passes(changed(counter_signed));
    assert_eq!(found(&appraisal), ["extra-signature-untrusted"]);
    note(found(&appraisal));

    // ak-spki-mismatch: the evidence names another key
    let named = E.octets(&stranger().spki_der().unwrap());
    let bench = altered(|s| s.elements[TRANSACTION].set(claim::AK_SPKI, named));
    note(fails(bench, NotAuthentic, &["ak-spki-mismatch"]));

    // nonce-missing: no nonce, no transaction
    let asked = |mut bench: Bench| {
        bench.nonce = Some(NONCE.to_vec());
        bench
    };
    note(fails(
        asked(altered(|s| s.elements[TRANSACTION].remove(claim::NONCE))),
        Authentic,
        &["nonce-missing"],
    ));
    note(fails(asked(altered(|s| drop(s.elements.remove(TRANSACTION)))), Authentic, &["nonce-missing"]));

    let about = keyvouch::formats::about().find(|a| a.id == "pkix-evidence").unwrap();
    let declared: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, declared);
}
