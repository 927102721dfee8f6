//! Fortanix DSM key attestation on an emulated cluster: every container, and one failure for every check.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic: that is how they fail")]

use std::collections::BTreeSet;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, ClaimName, File, Freshness, Reference, Submission, Value, Verifier};
use keyvouch_emulator::crl::RevocationList;
use keyvouch_emulator::fortanix::{
    Attestation, Carrier, Signed, cluster_policy, crl_point, date, key_id, oid,
};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::x509::{self, Certificate, Extension, usage};
use keyvouch_emulator::{bundle, pem, samples};
use serde_json::json;

const AT: &str = "2026-06-01T00:00:00Z";

const KEY_USAGE: &str = "2.5.29.15";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const SUBJECT_KEY_ID: &str = "2.5.29.14";
const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const POLICIES: &str = "2.5.29.32";

/// A statement of an emulated cluster, and the anchor that vouches for it.
struct Bench {
    attestation: Attestation,
    reference: Reference,
    at: &'static str,
    nonce: Option<Vec<u8>>,
    extra: Vec<File>,
    options: Vec<(&'static str, serde_json::Value)>,
}

impl Bench {
    fn new() -> Self {
        let key = Key::shared("fortanix test: subject", KeyKind::Rsa3072).unwrap();
        let attestation = Attestation::new(&key).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for anchor in attestation.sign().unwrap().anchors() {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        Self { attestation, reference, at: AT, nonce: None, extra: Vec::new(), options: Vec::new() }
    }

    fn signed(&self) -> Signed {
        self.attestation.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        let evidence = self.signed().carried(Carrier::Json).unwrap();
        self.judge_files(evidence.into_iter().map(|f| File::new(f.name, f.bytes)).collect())
    }

    /// The same with other evidence.
    fn judge_files(self, mut files: Vec<File>) -> Appraisal {
        files.extend(self.extra);
        let mut submission = Submission::new(files, self.at.parse().unwrap());
        submission.nonce = self.nonce;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        appraise(self.reference, &submission)
    }

    /// The response with another chain.
    fn judge_chain(self, chain: &[&[u8]]) -> Appraisal {
        let response = self.signed().response(chain);
        self.judge_files(vec![File::new("response.json", bundle::json(&response).unwrap())])
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
    assert_eq!(appraisal.format, "fortanix");
    assert_eq!(appraisal.authenticity, authenticity);
    if authenticity != Authenticity::Authentic {
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

fn replace(certificate: &mut Certificate, extension: Extension) {
    let place = certificate.extension_mut(&extension.oid).unwrap();
    *place = extension;
}

#[test]
fn every_sample_is_authentic_in_its_container() {
    let samples = samples("fortanix").unwrap();
    assert!(samples.len() >= 11);
    for sample in samples {
        let mut reference = Reference::builtin().unwrap();
        for anchor in &sample.anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let files = sample.evidence.iter().map(|f| File::new(f.name.clone(), f.bytes.clone())).collect();
        let mut submission = Submission::new(files, sample.at.parse().unwrap());
        submission.request = sample.request.as_ref().map(|f| File::new(f.name.clone(), f.bytes.clone()));
        let appraisal = appraise(reference, &submission);
        is(&appraisal, Authenticity::Authentic, &[]);
        assert_eq!(appraisal.binding.as_str(), "csr", "{}", sample.variant);
        assert_eq!(appraisal.claims.value(ClaimName::KeyGeneratedInDevice), &Value::Bool(true));
        assert_eq!(appraisal.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));
        let findings: &[&str] = match sample.variant.as_str() {
            "renewed-authority" => &["statement-predates-authority"],
            "expired-authority" => &["issuer-expired-now"],
            _ => &[],
        };
        assert_eq!(found(&appraisal), findings, "{}", sample.variant);
    }
}

#[test]
fn claims_of_a_plain_statement() {
    let mut bench = Bench::new();
    bench.nonce = Some(vec![1; 16]);
    let all = x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_ENCIPHERMENT, 3, 4]).critical();
    replace(&mut bench.attestation.statement, all);
    bench.attestation.statement.extensions.push(Extension::new("1.3.6.1.4.1.49690.2.4.1.99", vec![5, 0]));
    let appraisal = bench.judge();
    is(&appraisal, Authenticity::Authentic, &[]);
    let claim = |name| appraisal.claims.value(name).to_string();
    assert_eq!(claim(ClaimName::KeyAlgorithm), "RSA-3072");
    assert_eq!(claim(ClaimName::KeyEverExportable), "false");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign, decrypt, agree, wrap");
    assert_eq!(claim(ClaimName::DeviceClass), "cloud-hsm");
    assert_eq!(claim(ClaimName::DeviceVendor), "Fortanix");
    assert_eq!(claim(ClaimName::DeviceModel), "FX2200");
    for name in [
        ClaimName::KeyCreatedAt,
        ClaimName::DeviceSerial,
        ClaimName::DeviceFirmware,
        ClaimName::DeviceFipsMode,
    ] {
        assert_eq!(claim(name), "unknown", "{name}");
    }
    let detail = |wanted: &str| {
        appraisal.details.details().find(|(name, _)| *name == wanted).map(|(_, c)| c.value.to_string())
    };
    assert_eq!(detail("other_extensions").as_deref(), Some("1.3.6.1.4.1.49690.2.4.1.99"));
    assert_eq!(detail("signed_at").as_deref(), Some(date::STATEMENT));
    assert_eq!(
        detail("cluster_policy").as_deref(),
        Some("minimum protection profile (Fortanix FX2200), site operator approval required")
    );
    assert_eq!(appraisal.freshness, Freshness::NoNonceInEvidence);
    assert_eq!(appraisal.certifications.len(), 3);
    assert_eq!(appraisal.trust.unwrap().path().len(), 3);
}

/// One failure for every check of the format; the last assertion proves that none is missing.
#[test]
fn every_check_can_fail() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut note = |ids: Vec<String>| seen.extend(ids);
    note(malformed());
    note(chain_shape());
    note(anchors());
    note(chain_invalid());
    note(time());
    note(authority_profile());
    note(statement());
    note(said());
    note(revoked());
    let about = keyvouch::formats::about().find(|a| a.id == "fortanix").unwrap();
    let all: BTreeSet<String> = about.checks.iter().map(|c| c.id.to_owned()).collect();
    assert_eq!(seen, all);
}

use Authenticity::{Authentic, NotAuthentic, Undecided};

fn malformed() -> Vec<String> {
    let mut ids = Vec::new();
    let mut text = |text: String| {
        let appraisal = Bench::new().judge_files(vec![File::new("response.json", text)]);
        ids.extend(is(&appraisal, NotAuthentic, &["malformed"]));
    };
    let signed = Bench::new().signed();
    let response = signed.response(&signed.chain());
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut response = response.clone();
        change(&mut response);
        response.to_string()
    };
    text(changed(&|r| r["more"] = json!(1)));
    text(changed(&|r| r["attestation_statement"]["more"] = json!(1)));
    text(changed(&|r| r["attestation_statement"]["format"] = json!("jws")));
    text(changed(&|r| r["attestation_statement"]["format"] = json!(null)));
    text(changed(&|r| r["attestation_statement"]["statement"] = json!([1])));
    text(changed(&|r| r["attestation_statement"] = json!("x")));
    text(changed(&|r| {
        r["attestation_statement"].as_object_mut().unwrap().remove("statement");
    }));
    text(changed(&|r| r["authority_chain"] = json!({})));
    text(changed(&|r| r["authority_chain"][0] = json!("MIIC")));
    // base64 with a line break, without padding, of the other alphabet; bytes after a certificate
    let authority = bundle::base64(&signed.authority);
    text(changed(&|r| {
        r["authority_chain"][0] = json!(format!("{}\n{}", &authority[..64], &authority[64..]))
    }));
    let unpadded = bundle::base64(&signed.statement).trim_end_matches('=').to_owned();
    assert_ne!(unpadded, bundle::base64(&signed.statement));
    text(changed(&|r| r["attestation_statement"]["statement"] = json!(unpadded)));
    text(changed(&|r| r["authority_chain"][0] = json!(bundle::base64url(&signed.authority))));
    let trailing = bundle::base64(&[&signed.authority[..], &[0]].concat());
    text(changed(&|r| r["authority_chain"][0] = json!(trailing)));
    // cut off; a member twice; too long
    let whole = response.to_string();
    text(whole.strip_suffix("}").unwrap().to_owned());
    text(whole.replacen('{', "{\"authority_chain\":[],", 1));
    text(format!("{}{}", whole, " ".repeat(64 * 1024)));

    // an extension twice
    let twice = |c: &mut Certificate, oid: &str| {
        let extension = c.extension_mut(oid).unwrap().clone();
        c.extensions.push(extension);
    };
    ids.extend(is(
        &altered(|a| twice(&mut a.statement, oid::GENERATED)).judge(),
        NotAuthentic,
        &["malformed"],
    ));
    ids.extend(is(
        &altered(|a| twice(&mut a.authority, oid::CLUSTER_POLICY)).judge(),
        NotAuthentic,
        &["malformed"],
    ));

    // PEM: two statements; a statement with bytes after it; an authority alone, which is a piece too few
    let other = Key::shared("fortanix test: other", KeyKind::P256).unwrap();
    let second = Attestation::new(&other).unwrap().sign().unwrap().statement;
    let files = |more: Vec<u8>| {
        let carried = signed.carried(Carrier::Der).unwrap();
        let mut files: Vec<_> = carried.into_iter().map(|f| File::new(f.name, f.bytes)).collect();
        files.push(File::new("more.der", more));
        files
    };
    ids.extend(is(&Bench::new().judge_files(files(second)), NotAuthentic, &["malformed"]));
    let trailing = [&signed.statement[..], &[0]].concat();
    ids.extend(is(
        &Bench::new().judge_files(vec![File::new("statement.der", trailing.clone())]),
        NotAuthentic,
        &["malformed"],
    ));
    ids.extend(is(&Bench::new().judge_files(files(trailing)), NotAuthentic, &["malformed"]));
    let alone = vec![File::new("authority.der", signed.authority)];
    ids.extend(is(&Bench::new().judge_files(alone), Undecided, &["malformed"]));
    ids
}

fn chain_shape() -> Vec<String> {
    let signed = Bench::new().signed();
    let Signed { root, ca, authority, statement } = &signed;
    let key = Key::shared("fortanix test: stranger", KeyKind::Rsa2048).unwrap();
    let mut stranger =
        Certificate::new(x509::common_name("Stranger").unwrap(), &key, date::PKI, date::CA_END).unwrap();
    let leaf = stranger.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap();
    stranger.extensions = vec![x509::basic_constraints(true, None).critical()];
    let other_root = stranger.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap();
    stranger.issuer = x509::common_name("Another stranger").unwrap();
    let other_ca = stranger.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap();
    let chains: [&[&[u8]]; 12] = [
        &[],
        &[authority],
        &[authority, root],
        &[ca, root],
        &[authority, authority, ca, root],
        &[authority, ca, ca, root],
        &[authority, ca, root, root],
        &[authority, ca, root, &leaf],
        &[authority, ca, root, &other_ca],
        &[authority, ca, root, &other_root],
        &[authority, ca, &other_root],
        &[authority, ca, statement],
    ];
    chains
        .iter()
        .flat_map(|chain| is(&Bench::new().judge_chain(chain), NotAuthentic, &["chain-shape"]))
        .collect()
}

fn anchors() -> Vec<String> {
    let mut ids = Vec::new();
    // untrusted-root: another root of the same name comes along, and the true one signed
    let stranger = Key::shared("fortanix test: false root", KeyKind::Rsa2048).unwrap();
    let bench = Bench::new();
    let mut false_root = bench.attestation.root.clone();
    false_root.spki = stranger.spki_der().unwrap();
    let false_root = false_root.sign(&stranger, SignAlg::RsaPkcs1Sha256).unwrap();
    let Signed { ca, authority, .. } = bench.signed();
    ids.extend(is(&bench.judge_chain(&[&authority, &ca, &false_root]), NotAuthentic, &["untrusted-root"]));

    // The false root signed: its name is an anchor's, its key is not.
    let forged = |a: &mut Attestation| {
        a.root.spki = stranger.spki_der().unwrap();
        a.root_key = stranger.clone();
        replace(&mut a.ca, x509::authority_key_identifier(&key_id(&stranger).unwrap()));
    };
    ids.extend(is(
        &altered(forged).judge(),
        NotAuthentic,
        &["untrusted-root", "chain-invalid", "authority-profile"],
    ));

    // untrusted-root: known, and not to be trusted
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let root = keyvouch::pki::Certificate::from_der(&bench.signed().root).unwrap();
    bench.reference.load_operator_file("test.toml", &untrusted(&root)).unwrap();
    ids.extend(is(&bench.judge(), NotAuthentic, &["untrusted-root"]));

    // anchor-unknown, with and without a root in the evidence
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    ids.extend(is(&bench.judge(), Undecided, &["anchor-unknown"]));
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let Signed { ca, authority, .. } = bench.signed();
    ids.extend(is(&bench.judge_chain(&[&authority, &ca]), Undecided, &["anchor-unknown"]));
    // The CA as operator's certificate is no anchor.
    let mut bench = Bench::new();
    bench.reference = Reference::empty();
    bench.reference.load_operator_certificates("ca.der", &ca).unwrap();
    ids.extend(is(&bench.judge(), Undecided, &["anchor-unknown"]));
    ids
}

fn untrusted(root: &keyvouch::pki::Certificate) -> String {
    let base64 = |bytes: &[u8]| bundle::base64(bytes);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let key = root.key().unwrap();
    format!(
        "[[anchor]]\nid = 'emulated-test-root'\nname = 'emulated test root'\nkind = 'untrusted'\nrole = 'test'\n\
         formats = ['fortanix']\nsubject = '{}'\nspki = '{}'\nspki_sha256 = '{}'\n\
         [[anchor.certificate]]\nsha256 = '{}'\nserial = '01'\nnot_before = '{}'\nnot_after = '{}'\n",
        base64(root.subject()),
        base64(key.spki_der()),
        hex(&key.spki_sha256()),
        hex(root.sha256()),
        root.not_before(),
        root.not_after(),
    )
}

fn chain_invalid() -> Vec<String> {
    let stranger = Key::shared("fortanix test: stranger", KeyKind::Rsa2048).unwrap();
    let other_policy = || x509::certificate_policies(&[oid::OTHER_POLICY]).unwrap();
    let any_policy = || x509::certificate_policies(&["2.5.29.32.0"]).unwrap();
    let cases: [&dyn Fn(&mut Attestation); 12] = [
        &|a| a.root_key = stranger.clone(),
        &|a| a.ca_key = stranger.clone(),
        &|a| a.ca_signature = SignAlg::RsaPkcs1Sha512,
        &|a| a.authority_signature = SignAlg::RsaPssSha256,
        &|a| a.authority_signature = SignAlg::RsaPkcs1Sha384,
        &|a| a.authority.issuer = x509::common_name("Somebody else").unwrap(),
        &|a| replace(&mut a.ca, other_policy()),
        &|a| replace(&mut a.authority, other_policy()),
        &|a| replace(&mut a.authority, any_policy()),
        &|a| a.authority.remove_extension(POLICIES),
        &|a| a.authority.extensions.push(Extension::new("1.2.3.4", vec![5, 0]).critical()),
        &|a| a.ca.extensions.push(Extension::new("2.5.29.30", vec![0x30, 0]).critical()),
    ];
    let mut ids = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        // A root with its own key comes along: left out, so that only the path is wrong.
        let bench = altered(case);
        let Signed { ca, authority, .. } = bench.signed();
        let appraisal = bench.judge_chain(&[&authority, &ca]);
        assert!(
            failed(&appraisal).iter().all(|id| id == "chain-invalid"),
            "{number}: {:#?}",
            appraisal.checks
        );
        assert_eq!(appraisal.authenticity, NotAuthentic, "{number}");
        ids.extend(failed(&appraisal));
    }
    // A CA that may not issue: also not the CA that the profile wants.
    let may_not = |a: &mut Attestation| {
        replace(&mut a.ca, x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::CRL_SIGN]).critical());
    };
    ids.extend(is(&altered(may_not).judge(), NotAuthentic, &["chain-invalid", "authority-profile"]));
    ids
}

fn time() -> Vec<String> {
    let mut ids = Vec::new();
    let mut at = |at: &'static str, change: &dyn Fn(&mut Attestation)| {
        let mut bench = altered(change);
        bench.at = at;
        ids.extend(is(&bench.judge(), NotAuthentic, &["time"]));
    };
    // before it was signed; after the authority's end; more than 30 days before its start
    at("2026-05-20T18:11:50Z", &|_| {});
    at("2026-09-01T00:00:00Z", &|a| a.statement.not_before = "2026-06-04T14:08:14Z".to_owned());
    at(AT, &|a| a.statement.not_before = "2026-04-05T14:08:12Z".to_owned());
    // signed before an authority that begins in the future of the appraisal
    at("2026-05-05T00:00:00Z", &|a| a.statement.not_before = "2026-05-04T00:00:00Z".to_owned());
    // a statement with an end
    at(AT, &|a| a.statement.not_after = "2026-05-31T00:00:00Z".to_owned());
    // a CA that began after the statement, or had ended by then
    at(AT, &|a| a.ca.not_before = "2026-05-21T00:00:00Z".to_owned());
    at(AT, &|a| a.ca.not_after = "2026-05-20T00:00:00Z".to_owned());
    // the operator wants issuers that are valid now
    let mut bench = Bench::new();
    (bench.at, bench.options) = ("2026-07-01T00:00:00Z", vec![("issuer_valid_now", true.into())]);
    ids.extend(is(&bench.judge(), NotAuthentic, &["time"]));
    let mut bench = Bench::new();
    bench.options = vec![("issuer_valid_now", true.into())];
    is(&bench.judge(), Authentic, &[]);

    // findings
    let predates = altered(|a| a.statement.not_before = "2026-04-05T14:08:13Z".to_owned()).judge();
    is(&predates, Authentic, &[]);
    ids.extend(found(&predates));
    let mut bench = Bench::new();
    bench.at = "2026-07-01T00:00:00Z";
    let expired = bench.judge();
    is(&expired, Authentic, &[]);
    ids.extend(found(&expired));

    // stale: the last second of 12 days, and the next
    for (at, failing) in [("2026-06-01T18:11:51Z", &[][..]), ("2026-06-01T18:11:52Z", &["stale"][..])] {
        let mut bench = Bench::new();
        (bench.at, bench.options) = (at, vec![("max_age_days", 12.into())]);
        ids.extend(is(&bench.judge(), Authentic, failing));
    }
    let mut bench = Bench::new();
    bench.options = vec![("max_age_days", u64::MAX.into())];
    is(&bench.judge(), Authentic, &[]);
    ids
}

fn authority_profile() -> Vec<String> {
    let short = Key::shared("fortanix test: short", KeyKind::Rsa2048).unwrap();
    let curve = Key::shared("fortanix test: P-256", KeyKind::P256).unwrap();
    let shorter_ca = Key::shared("fortanix test: short CA", KeyKind::Rsa3072).unwrap();
    let with_key = |a: &mut Attestation, key: &std::sync::Arc<Key>| {
        a.authority.spki = key.spki_der().unwrap();
        a.authority_key = key.clone();
        replace(&mut a.authority, x509::subject_key_identifier(&key_id(key).unwrap()));
        replace(&mut a.statement, x509::authority_key_identifier(&key_id(key).unwrap()));
    };
    let cases: [&dyn Fn(&mut Attestation); 15] = [
        &|a| with_key(a, &short),
        &|a| {
            let name = x509::common_name("Fortanix DSM Key Attestation Authority").unwrap();
            a.authority.subject = name.clone();
            a.statement.issuer = name;
        },
        &|a| {
            let both = [usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN];
            replace(&mut a.authority, x509::key_usage(&both).critical());
        },
        &|a| replace(&mut a.authority, x509::key_usage(&[usage::NON_REPUDIATION]).critical()),
        &|a| a.authority.remove_extension(KEY_USAGE),
        &|a| replace(&mut a.authority, x509::extended_key_usage(&["1.3.6.1.5.5.7.3.8"]).unwrap()),
        &|a| a.authority.remove_extension("2.5.29.37"),
        &|a| a.authority.remove_extension(oid::CRL_POINTS),
        &|a| replace(&mut a.authority, crl_point("https://pki.example.com/a.crl")),
        &|a| replace(&mut a.authority, x509::authority_key_identifier(&[1; 20])),
        &|a| a.authority.remove_extension(AUTHORITY_KEY_ID),
        // the usual key identifier instead of this PKI's
        &|a| {
            let usual = x509::key_id(&a.authority_key).unwrap();
            replace(&mut a.authority, x509::subject_key_identifier(&usual));
            replace(&mut a.statement, x509::authority_key_identifier(&usual));
        },
        &|a| replace(&mut a.ca, x509::basic_constraints(true, Some(1)).critical()),
        &|a| replace(&mut a.ca, x509::authority_key_identifier(&[1; 20])),
        &|a| {
            a.ca.spki = shorter_ca.spki_der().unwrap();
            a.ca_key = shorter_ca.clone();
            replace(&mut a.ca, x509::subject_key_identifier(&key_id(&shorter_ca).unwrap()));
            replace(&mut a.authority, x509::authority_key_identifier(&key_id(&shorter_ca).unwrap()));
        },
    ];
    let mut ids = Vec::new();
    for case in cases {
        ids.extend(is(&altered(case).judge(), NotAuthentic, &["authority-profile"]));
    }
    // an authority with an EC key signs with an algorithm that this PKI does not use
    let ec = |a: &mut Attestation| {
        with_key(a, &curve);
        a.statement_signature = SignAlg::EcdsaSha256;
    };
    ids.extend(is(&altered(ec).judge(), NotAuthentic, &["authority-profile", "statement-signature"]));
    // an authority that is a CA: then there are two, and no authority
    let ca = |a: &mut Attestation| *value(&mut a.authority, BASIC_CONSTRAINTS) = vec![0x30, 3, 1, 1, 0xff];
    ids.extend(is(&altered(ca).judge(), NotAuthentic, &["chain-shape"]));
    let unreadable = |a: &mut Attestation| *value(&mut a.authority, BASIC_CONSTRAINTS) = vec![5, 0];
    ids.extend(is(&altered(unreadable).judge(), NotAuthentic, &["chain-invalid", "authority-profile"]));
    let no_key_id = |a: &mut Attestation| a.authority.remove_extension(SUBJECT_KEY_ID);
    ids.extend(is(&altered(no_key_id).judge(), NotAuthentic, &["statement-profile", "authority-profile"]));
    ids
}

fn statement() -> Vec<String> {
    let mut ids = Vec::new();
    let stranger = Key::shared("fortanix test: stranger", KeyKind::Rsa2048).unwrap();
    let signatures: [&dyn Fn(&mut Attestation); 4] = [
        &|a| a.authority_key = stranger.clone(),
        // the CA of the same PKI signed, not the authority
        &|a| a.authority_key = a.ca_key.clone(),
        &|a| a.statement_signature = SignAlg::RsaPkcs1Sha512,
        &|a| a.statement_signature = SignAlg::RsaPssSha256,
    ];
    for change in signatures {
        ids.extend(is(&altered(change).judge(), NotAuthentic, &["statement-signature"]));
    }
    let name = |cn: &str, id: &str| {
        use x509::Text::Utf8;
        x509::name(&[("CN", Utf8, cn), (oid::KEY_ID, Utf8, id)]).unwrap()
    };
    const CN: &str = "Fortanix DSM Key Attestation";
    const ID: &str = "18ec8b96-8845-4ce3-9fd1-50407b4b1fc0";
    let bits = |bits: &[u8]| x509::key_usage(bits).critical();
    let profiles: [&dyn Fn(&mut Attestation); 18] = [
        &|a| a.statement.subject = name("Fortanix DSM Attestation", ID),
        &|a| a.statement.subject = x509::common_name(CN).unwrap(),
        &|a| a.statement.subject = name(CN, "18ec8b96"),
        &|a| a.statement.subject = name(CN, &ID.replace('-', "0")),
        &|a| {
            use x509::Text::Utf8;
            let parts = [("CN", Utf8, CN), (oid::KEY_ID, Utf8, ID), (oid::KEY_ID, Utf8, ID)];
            a.statement.subject = x509::name(&parts).unwrap();
        },
        &|a| a.statement.issuer = x509::common_name("Somebody else").unwrap(),
        &|a| replace(&mut a.statement, x509::authority_key_identifier(&[1; 20])),
        &|a| a.statement.remove_extension(AUTHORITY_KEY_ID),
        &|a| a.statement.remove_extension(KEY_USAGE),
        &|a| *value(&mut a.statement, KEY_USAGE) = vec![5, 0],
        &|a| replace(&mut a.statement, bits(&[usage::DIGITAL_SIGNATURE, usage::NON_REPUDIATION])),
        &|a| replace(&mut a.statement, bits(&[usage::KEY_CERT_SIGN])),
        &|a| replace(&mut a.statement, bits(&[usage::DIGITAL_SIGNATURE, 8])),
        &|a| a.statement.extensions.push(Extension::new("1.2.3.4", vec![5, 0]).critical()),
        &|a| a.statement.extensions.push(x509::basic_constraints(true, None)),
        &|a| *value(&mut a.statement, oid::GENERATED) = vec![1, 1, 0xff],
        &|a| *value(&mut a.statement, oid::NEVER_EXPORTABLE) = vec![0x30, 2, 5, 0],
        &|a| *value(&mut a.statement, oid::NEVER_EXPORTABLE) = Vec::new(),
    ];
    for (number, change) in profiles.iter().enumerate() {
        let bench = altered(change);
        // With another common name the certificate is still the statement of this response.
        let appraisal = bench.judge();
        assert_eq!(failed(&appraisal), ["statement-profile"], "{number}: {:#?}", appraisal.checks);
        ids.extend(is(&appraisal, NotAuthentic, &["statement-profile"]));
    }
    ids
}

/// What an authentic statement says and a policy may not take.
fn said() -> Vec<String> {
    let mut ids = Vec::new();
    let policy = |items: &[(&str, Option<&str>)]| cluster_policy(items).unwrap();
    let (profile, fx2200) = (oid::MINIMUM_PROTECTION, Some(oid::FX2200));
    let approval = (oid::SITE_OPERATOR_APPROVAL, None);
    let bad = [
        policy(&[(profile, Some("1.3.6.1.4.1.49690.2.5.1.2")), approval]),
        policy(&[(profile, None), approval]),
        policy(&[(profile, fx2200)]),
        policy(&[approval]),
        policy(&[(profile, fx2200), (oid::SITE_OPERATOR_APPROVAL, fx2200)]),
        policy(&[(profile, fx2200), (profile, Some("1.3.6.1.4.1.49690.2.5.1.2")), approval]),
        policy(&[]),
        vec![5, 0],
        Vec::new(),
    ];
    for value in bad {
        let appraisal = altered(|a| *self::value(&mut a.authority, oid::CLUSTER_POLICY) = value).judge();
        ids.extend(is(&appraisal, Authentic, &["cluster-policy"]));
        assert!(appraisal.claims.value(ClaimName::DeviceClass).is_unknown());
        assert!(appraisal.claims.value(ClaimName::DeviceModel).is_unknown());
        assert!(appraisal.certifications.is_empty());
    }
    let none = altered(|a| a.authority.remove_extension(oid::CLUSTER_POLICY)).judge();
    ids.extend(is(&none, Authentic, &["cluster-policy"]));
    // Order does not matter, and further items only narrow.
    let more = policy(&[approval, ("1.3.6.1.4.1.49690.2.5.9", None), (profile, fx2200)]);
    is(&altered(|a| *value(&mut a.authority, oid::CLUSTER_POLICY) = more).judge(), Authentic, &[]);

    let imported = altered(|a| a.statement.remove_extension(oid::GENERATED)).judge();
    ids.extend(is(&imported, Authentic, &["not-generated"]));
    assert!(imported.claims.value(ClaimName::KeyGeneratedInDevice).is_unknown());
    assert_eq!(imported.claims.text(ClaimName::KeyExportable), Some("vendor-boundary"));

    let exportable = altered(|a| a.statement.remove_extension(oid::NEVER_EXPORTABLE)).judge();
    ids.extend(is(&exportable, Authentic, &["exportable"]));
    assert!(exportable.claims.value(ClaimName::KeyExportable).is_unknown());
    assert!(exportable.claims.value(ClaimName::KeyEverExportable).is_unknown());
    ids
}

fn revocation_list(issuer: &Certificate) -> RevocationList {
    RevocationList::new(issuer.subject.clone(), "2026-05-28T00:00:00Z", "2026-06-28T00:00:00Z")
}

fn revoked() -> Vec<String> {
    const RSA: SignAlg = SignAlg::RsaPkcs1Sha256;
    const SINCE: &str = "2026-05-27T00:00:00Z";
    let mut ids = Vec::new();
    let plain = Bench::new().attestation;
    let of_ca = revocation_list(&plain.ca).with(&plain.authority.serial, SINCE);
    let of_root = revocation_list(&plain.root).with(&plain.ca.serial, SINCE);
    let list = |der: Vec<u8>| {
        let mut bench = Bench::new();
        bench.extra.push(File::new("list.crl", der));
        bench.judge()
    };
    let signed = of_ca.sign(&plain.ca_key, RSA).unwrap();
    let pem = pem::encode("X509 CRL", &signed).into_bytes();
    for der in [signed.clone(), pem, of_root.sign(&plain.root_key, RSA).unwrap()] {
        ids.extend(is(&list(der), NotAuthentic, &["revoked"]));
    }
    // of the operator
    let mut bench = Bench::new();
    bench.reference.load_operator_certificates("list.crl", &signed).unwrap();
    ids.extend(is(&bench.judge(), NotAuthentic, &["revoked"]));
    // critical and processed: where the list is published
    let mut partial = of_ca.clone();
    partial.extensions.push(Extension::new("2.5.29.28", vec![0x30, 3, 0x81, 1, 0xff]).critical());
    ids.extend(is(&list(partial.sign(&plain.ca_key, RSA).unwrap()), NotAuthentic, &["revoked"]));

    // Lists that do not count, and are told: forged, with an extension that is not known, too old, broken.
    let stranger = Key::shared("fortanix test: stranger", KeyKind::Rsa2048).unwrap();
    let mut unknown = of_ca.clone();
    unknown.extensions.push(Extension::new("1.2.3.4", vec![5, 0]).critical());
    let mut indirect = of_ca.clone();
    indirect.extensions.push(Extension::new("2.5.29.28", vec![0x30, 3, 0x84, 1, 0xff]).critical());
    let mut entry = of_ca.clone();
    entry.entries[0].extensions.push(Extension::new("2.5.29.29", vec![0x30, 0]).critical());
    let empty = revocation_list(&plain.ca);
    let mut old = empty.clone();
    old.next_update = Some("2026-05-31T00:00:00Z".to_owned());
    let sign = |list: &RevocationList| list.sign(&plain.ca_key, RSA).unwrap();
    for der in [
        of_ca.sign(&stranger, RSA).unwrap(),
        sign(&unknown),
        sign(&indirect),
        sign(&entry),
        sign(&old),
        pem::encode("X509 CRL", &[0x30, 0]).into_bytes(),
    ] {
        let appraisal = list(der);
        is(&appraisal, Authentic, &[]);
        assert_eq!(found(&appraisal), ["revoked"], "{:#?}", appraisal.checks);
    }
    // Lists that say nothing bad, or are of somebody else.
    let other = RevocationList::new(x509::common_name("Other").unwrap(), SINCE, "2026-06-28T00:00:00Z")
        .with(&plain.authority.serial, SINCE);
    let elsewhere = revocation_list(&plain.ca).with(&plain.ca.serial, SINCE);
    for der in [sign(&empty), sign(&elsewhere), other.sign(&stranger, RSA).unwrap()] {
        let appraisal = list(der);
        is(&appraisal, Authentic, &[]);
        assert_eq!(found(&appraisal), [""; 0]);
    }
    ids
}

/// The owner of a DSM account makes a false statement with an attested key: its statement takes the authority's place.
#[test]
fn an_attested_key_cannot_attest() {
    let real = Bench::new();
    let attested = Key::shared("fortanix test: subject", KeyKind::Rsa3072).unwrap();
    let victim = Key::shared("fortanix test: imported", KeyKind::P256).unwrap();
    let mut forged = Attestation::new(&victim).unwrap();
    forged.authority_key = attested.clone();
    let Signed { ca, root, statement: as_authority, .. } = real.signed();
    replace(&mut forged.statement, x509::authority_key_identifier(&key_id(&attested).unwrap()));
    forged.statement.issuer = real.attestation.statement.subject.clone();
    let response = forged.sign().unwrap().response(&[&as_authority, &ca, &root]);
    let appraisal = real.judge_files(vec![File::new("r.json", response.to_string())]);
    assert_eq!(appraisal.authenticity, NotAuthentic);
    let failed = failed(&appraisal);
    assert!(failed.contains(&"chain-invalid".to_owned()) && failed.contains(&"authority-profile".to_owned()));
}

/// An authority of another cluster, of another emulated CA, beside a true statement.
#[test]
fn an_authority_of_another_cluster_does_not_serve() {
    let bench = Bench::new();
    let other_key = Key::shared("fortanix test: other authority", KeyKind::Rsa3072).unwrap();
    let mut other = bench.attestation.clone();
    other.authority.spki = other_key.spki_der().unwrap();
    let id = key_id(&other_key).unwrap();
    replace(&mut other.authority, x509::subject_key_identifier(&id));
    let authority = other.sign().unwrap().authority;
    let Signed { ca, root, .. } = bench.signed();
    let appraisal = bench.judge_chain(&[&authority, &ca, &root]);
    is(&appraisal, NotAuthentic, &["statement-profile", "statement-signature"]);
}

#[test]
fn two_responses_are_two_statements() {
    let bench = Bench::new();
    let other = Key::shared("fortanix test: other", KeyKind::P256).unwrap();
    let first = bench.signed().carried(Carrier::Json).unwrap();
    let second = Attestation::new(&other).unwrap().sign().unwrap().carried(Carrier::Json).unwrap();
    let files = first.into_iter().chain(second).map(|f| File::new(f.name, f.bytes)).collect();
    let report =
        Verifier::new(bench.reference).appraise(&Submission::new(files, AT.parse().unwrap())).unwrap();
    assert_eq!(report.appraisals.len(), 2);
    assert!(report.appraisals.iter().all(|a| a.authenticity == Authentic));
}

/// Loose certificates: strangers among them do not matter, two of one name do.
#[test]
fn loose_certificates_are_taken_by_their_names() {
    let bench = Bench::new();
    let signed = bench.signed();
    let mut renewed = bench.attestation.clone();
    renewed.authority.not_before = "2026-05-06T00:00:00Z".to_owned();
    let renewed = renewed.sign().unwrap().authority;
    let key = Key::shared("fortanix test: stranger", KeyKind::Rsa2048).unwrap();
    let stranger =
        Certificate::new(x509::common_name("Stranger").unwrap(), &key, date::PKI, date::CA_END).unwrap();
    let stranger = stranger.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap();
    let with = |more: Vec<u8>| {
        let files = signed.carried(Carrier::Der).unwrap();
        let mut files: Vec<_> = files.into_iter().map(|f| File::new(f.name, f.bytes)).collect();
        files.insert(1, File::new("more.der", more));
        Bench::new().judge_files(files)
    };
    is(&with(stranger), Authentic, &[]);
    is(&with(renewed), NotAuthentic, &["chain-shape"]);
}

#[test]
fn json_of_others_is_not_taken() {
    for text in [
        r#"{"authority_chain":[]}"#,
        r#"{"attestation_statement":{"format":"x509_certificate","statement":""}}"#,
        r#"{"result":{"authority_chain":[],"attestation_statement":{}}}"#,
        r#"["authority_chain","attestation_statement"]"#,
        r#"["authority_chain","attestation_statement""#,
    ] {
        let submission = Submission::new(vec![File::new("x.json", text)], AT.parse().unwrap());
        assert_eq!(appraise(Reference::builtin().unwrap(), &submission).format, "", "{text}");
    }
}

#[test]
fn inspect_shows_statement_policy_and_chain() {
    let bench = Bench::new();
    let files: Vec<_> = bench
        .signed()
        .carried(Carrier::Json)
        .unwrap()
        .into_iter()
        .map(|f| File::new(f.name, f.bytes))
        .collect();
    let submission = Submission::new(files, AT.parse().unwrap());
    let view = Verifier::new(bench.reference).inspect(&submission).unwrap();
    let view = &view["statements"][0]["view"];
    assert_eq!(view["fields"]["generated_in_dsm"], json!(true));
    assert_eq!(view["cluster_policy"]["items"][0]["qualifier"], json!("Fortanix FX2200"));
    assert_eq!(view["authority_chain"].as_array().unwrap().len(), 3);
}

#[test]
fn deny_lists_hit_authority_and_key() {
    let hits = |data: &str| {
        let mut bench = Bench::new();
        bench.reference.load_operator_file("deny.toml", data).unwrap();
        failed(&bench.judge())
    };
    let signed = Bench::new().signed();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let authority = keyvouch::pki::Certificate::from_der(&signed.authority).unwrap();
    let statement = keyvouch::pki::Certificate::from_der(&signed.statement).unwrap();
    let deny = |field: &str, digest: &[u8]| format!("[[deny]]\n{field} = '{}'\nreason = 'x'\n", hex(digest));
    assert_eq!(hits(&deny("certificate_sha256", authority.sha256())), ["denied"]);
    assert_eq!(hits(&deny("spki_sha256", &statement.key().unwrap().spki_sha256())), ["denied"]);
    assert_eq!(hits("[[deny]]\nvendor = 'Yubico'\nreason = 'x'\n"), [""; 0]);
}
