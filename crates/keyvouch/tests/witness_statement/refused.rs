//! One failure for every check, and attacks.

use keyvouch::{Authenticity, File, Reference, Route};
use keyvouch_emulator::crl::RevocationList;
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::witness_statement::{Auditor, SIGNED, SIGNED_UNIX, statement};
use keyvouch_emulator::x509::{self, Authority, Certificate, usage};
use keyvouch_emulator::{bundle, pem, yubikey_piv};
use serde_json::{Value, json};

use super::support::judging::{Seen, found, judge};
use super::{Bench, STANDS, erika, max, subject};

const NOT: Authenticity = Authenticity::NotAuthentic;
const OPEN: Authenticity = Authenticity::Undecided;
const SIGNED_AT_DISTRUST: &[&str] = &["signer-untrusted"];

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    statements(&mut seen);
    signatures(&mut seen);
    signers(&mut seen);
    facts(&mut seen);
    seen.are_all_of("witness-statement", &["csr-key-mismatch", "nonce-mismatch"]);
}

/// Nothing is claimed of what does not stand.
#[track_caller]
fn fails(seen: &mut Seen, bench: Bench, authenticity: Authenticity, ids: &[&str]) {
    let appraisal = bench.judge();
    seen.fails(&appraisal, authenticity, ids);
    assert_eq!(appraisal.format, "witness-statement");
    if authenticity == STANDS {
        assert_eq!(appraisal.route, Route::WitnessStatement);
    } else {
        assert_eq!(appraisal.route, Route::None);
        assert!(appraisal.claims.is_empty() && appraisal.details.is_empty() && appraisal.trust.is_none());
    }
}

fn statements(seen: &mut Seen) {
    for (pointer, value) in [
        ("/schema", json!("keyvouch.witness/2")),
        ("/stray", json!(1)),
        ("/key/stray", json!("x")),
        ("/ceremony/started", json!("<when the ceremony began>")),
        ("/ceremony/started", json!("yesterday")),
        ("/ceremony/report", json!("")),
        ("/ceremony/report_sha256", json!("00")),
        ("/ceremony/place", Value::Null),
        ("/witnesses", json!([])),
        ("/witnesses/0/name", json!("Erika\u{202e}Mustermann")),
        ("/device", json!("an HSM")),
        ("/device/model", json!(7)),
        ("/device/model", json!("x".repeat(501))),
        ("/device/class", json!("tee")),
        ("/device/fips_mode", json!("yes")),
        ("/key/spki", json!("?")),
        ("/key/spki", json!("AAAA")),
        ("/key/generated_in_device", json!("true")),
        ("/key/exportable", json!("perhaps")),
        ("/key/purposes", json!(["sign", "fly"])),
        ("/key/purposes", json!([])),
        ("/nonce", json!("xyz")),
    ] {
        let bench = Bench::new().saying(pointer, value.clone());
        fails(seen, bench, NOT, &["statement-malformed"]);
    }
    for pointer in [
        "/ceremony",
        "/ceremony/report",
        "/witnesses",
        "/device/serial",
        "/key/spki_sha256",
        "/key/exportable",
    ] {
        fails(seen, Bench::new().without(pointer), NOT, &["statement-malformed"]);
    }
    // The template as it is: nobody read what he signed.
    let mut unread = Bench::new();
    unread.said = keyvouch::witness::template(None, None);
    fails(seen, unread, NOT, &["statement-malformed"]);
    // A member twice: readers differ in which one they take.
    let bench = Bench::new();
    let twice = String::from_utf8(bench.text()).unwrap().replacen(
        "\"exportable\"",
        "\"exportable\": \"yes\", \"exportable\"",
        1,
    );
    let cms = bench.auditor.cms(twice.as_bytes(), SIGNED).unwrap().sign().unwrap();
    seen.fails(&bench.judge_files(vec![File::new("a", cms)]), NOT, &["statement-malformed"]);
    // Unsigned, in itself and broken.
    let bench = Bench::new();
    let text = bench.text();
    seen.fails(&bench.judge_files(vec![File::new("a", text.clone())]), OPEN, &["statement-unsigned"]);
    let bench = Bench::new();
    let broken = text[..text.len() - 3].to_vec();
    let ids = ["statement-unsigned", "statement-malformed"];
    seen.fails(&bench.judge_files(vec![File::new("a", broken)]), NOT, &ids);
    // CMS that cannot be read.
    let bench = Bench::new();
    let mut cms = bench.cms();
    let version = cms.windows(3).position(|w| w == [2, 1, 3]).unwrap();
    cms[version + 2] = 9;
    seen.fails(&bench.judge_files(vec![File::new("a", cms)]), NOT, &["statement-malformed"]);
}

fn signatures(seen: &mut Seen) {
    let judged = |files: Vec<File>| Bench::new().judge_files(files);
    let bench = Bench::new();
    let text = bench.text();
    // One changed letter of the statement, in each form.
    let mut cms = bench.cms();
    let at = cms.windows(6).position(|w| w == b"vendor").unwrap();
    cms[at..at + 6].copy_from_slice(b"VENDOR");
    let ids = ["signature-invalid", "statement-malformed"];
    seen.fails(&judged(vec![File::new("a", cms.clone())]), NOT, &ids);
    let at = cms.windows(8).position(|w| w == b"CS700142").unwrap();
    let mut cms = bench.cms();
    cms[at] = b'D';
    seen.fails(&judged(vec![File::new("a", cms)]), NOT, &["signature-invalid"]);
    let mut detached = bench.auditor.cms(&text, SIGNED).unwrap();
    detached.detached = true;
    let signature = File::new("statement.p7s", detached.sign().unwrap());
    let other = String::from_utf8(text.clone()).unwrap().replace("CS700142", "CS700143");
    seen.fails(&judged(vec![File::new("a", other), signature]), NOT, &["signature-invalid"]);
    let header = bench.auditor.header(SIGNED_UNIX).unwrap();
    let [protected, payload, signature] = bench.auditor.jws(&header, &text).unwrap();
    let forged =
        bundle::base64url(String::from_utf8(text.clone()).unwrap().replace("CS70", "CS71").as_bytes());
    for jws in [format!("{protected}.{forged}.{signature}"), format!("{protected}.{payload}.AAAA")] {
        seen.fails(&judged(vec![File::new("a", jws)]), NOT, &["signature-invalid"]);
    }
    // Headers: no algorithm, none, one for another key, a critical one that nobody knows.
    for change in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "x5c": ["AAAA"] }),
    ] {
        let mut header = header.clone();
        header.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let parts = bench.auditor.jws(&header, &text).unwrap();
        seen.fails(&judged(vec![File::new("a", parts.join("."))]), NOT, &["signature-invalid"]);
    }
    // An unprotected certificate does not count, nor one that the digest in the header does not name.
    let mut bare = header.clone();
    bare.as_object_mut().unwrap().remove("x5c");
    let [protected, payload, signature] = bench.auditor.jws(&bare, &text).unwrap();
    let jws = json!({ "payload": payload, "protected": protected, "signature": signature, "header": { "x5c": header["x5c"] } });
    seen.fails(&judged(vec![File::new("a", jws.to_string())]), OPEN, SIGNED_AT_DISTRUST);
    let mut wrong = header.clone();
    wrong["x5t#S256"] = bundle::base64url(&[7; 32]).into();
    let parts = bench.auditor.jws(&wrong, &text).unwrap();
    seen.fails(&judged(vec![File::new("a", parts.join("."))]), OPEN, SIGNED_AT_DISTRUST);
    times(seen);
}

fn times(seen: &mut Seen) {
    let mut early = Bench::new();
    early.at = "2026-05-20T14:59:59Z";
    fails(seen, early, NOT, &["signing-time"]);
    let bench = Bench::new();
    let mut cms = bench.auditor.cms(&bench.text(), SIGNED).unwrap();
    cms.signers[0].attributes.as_mut().unwrap().retain(|a| a.oid != "1.2.840.113549.1.9.5");
    let cms = cms.sign().unwrap();
    seen.fails(&bench.judge_files(vec![File::new("a", cms)]), OPEN, &["signing-time"]);
    let bench = Bench::new();
    let mut header = bench.auditor.header(SIGNED_UNIX).unwrap();
    header.as_object_mut().unwrap().remove("iat");
    let parts = bench.auditor.jws(&header, &bench.text()).unwrap();
    seen.fails(&bench.judge_files(vec![File::new("a", parts.join("."))]), OPEN, &["signing-time"]);
    // Without signed attributes there is no time either, and so no way to sign attributes as a content.
    let bench = Bench::new();
    let mut cms = bench.auditor.cms(&bench.text(), SIGNED).unwrap();
    cms.signers[0].attributes = None;
    let cms = cms.sign().unwrap();
    seen.fails(&bench.judge_files(vec![File::new("a", cms)]), OPEN, &["signing-time"]);
}

/// A certificate of the auditor, changed before it is signed.
fn with(change: impl FnOnce(&mut Certificate)) -> Bench {
    let mut bench = Bench::new();
    change(&mut bench.auditor.certificate);
    bench
}

fn signers(seen: &mut Seen) {
    let nobody = Bench { auditors: None, ..Bench::new() };
    fails(seen, nobody, OPEN, &["signer-untrusted"]);
    for useless in [&b"no certificate"[..], b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"]
    {
        let bench = Bench { auditors: Some(useless.to_vec()), ..Bench::new() };
        let appraisal = bench.judge();
        seen.fails(&appraisal, OPEN, &["signer-untrusted"]);
        assert!(!format!("{:?}", appraisal.checks).contains("MIIB"), "a secret is not repeated");
    }
    // Another authority; and one with the name of the real one.
    let key = Key::shared("witness test: impostor", KeyKind::P256).unwrap();
    let mut other = erika().root.certificate;
    other.spki = key.spki_der().unwrap();
    let impostor = Authority::root(other.clone(), key.clone(), SignAlg::EcdsaSha256).unwrap();
    let mut bench = Bench::new();
    bench.auditor.root = impostor;
    fails(seen, bench, NOT, &["signer-untrusted"]);
    other.subject = x509::common_name("Somebody else").unwrap();
    other.issuer = other.subject.clone();
    let stranger = Authority::root(other, key, SignAlg::EcdsaSha256).unwrap();
    fails(seen, Bench::new().trusting(&[&stranger.der]), OPEN, &["signer-untrusted"]);
    // The anchors of device makers are no auditors, whoever they are.
    let mut bench = Bench { auditors: None, ..Bench::new() };
    let root = pem::certificate(&bench.auditor.root.der);
    bench.reference.load_operator_certificates("root.pem", root.as_bytes()).unwrap();
    fails(seen, bench, OPEN, &["signer-untrusted"]);
    // A witness who is pinned vouches for nobody else, though his certificate says that he is no CA only by silence.
    let bench = with(|c| c.extensions.clear());
    let pinned = bench.auditor.der().unwrap();
    let mut forger = max();
    forger.root.key = bench.auditor.key.clone();
    forger.certificate.issuer = bench.auditor.certificate.subject.clone();
    let mut bench = Bench::new().trusting(&[&pinned]);
    bench.auditor = forger;
    fails(seen, bench, OPEN, &["signer-untrusted"]);
    fails(seen, Bench::new().option("auditor_names", json!(["Max Mustermann"])), OPEN, &["signer-untrusted"]);
    let named = Bench::new().option("auditor_names", json!(["Erika Mustermann"])).judge();
    assert_eq!(named.authenticity, STANDS);
    // Certificates for other purposes.
    let server = x509::extended_key_usage(&["1.3.6.1.5.5.7.3.1"]).unwrap();
    fails(seen, with(|c| c.extensions[2] = server), NOT, &["signer-purpose"]);
    let agrees = x509::key_usage(&[usage::KEY_ENCIPHERMENT]);
    fails(seen, with(|c| c.extensions[1] = agrees), NOT, &["signer-purpose"]);
    // Validity, when it was signed and now.
    let ended = |c: &mut Certificate| c.not_after = "2026-05-20T14:59:59Z".to_owned();
    fails(seen, with(ended), NOT, &["signer-expired"]);
    fails(seen, with(|c| c.not_before = "2026-05-20T15:00:01Z".to_owned()), NOT, &["signer-expired"]);
    let bench = with(ended);
    let own = bench.auditor.der().unwrap();
    fails(seen, bench.trusting(&[&own]), NOT, &["signer-expired"]);
    let since = with(|c| c.not_after = "2026-05-25T00:00:00Z".to_owned()).judge();
    assert_eq!((since.authenticity, found(&since)), (STANDS, vec!["signer-expired".to_owned()]));
    revoked(seen);
    // The key signs for itself.
    let mut bench = Bench::new();
    bench.auditor.key = subject();
    bench.auditor.certificate.spki = subject().spki_der().unwrap();
    fails(seen, bench, NOT, &["signer-is-key"]);
}

fn revoked(seen: &mut Seen) {
    let list = |bench: &Bench, key: &Key| {
        let root = &bench.auditor.root;
        let list = RevocationList::new(
            root.certificate.subject.clone(),
            "2026-05-30T00:00:00Z",
            "2026-06-30T00:00:00Z",
        )
        .with(&bench.auditor.certificate.serial, "2026-05-29T00:00:00Z");
        list.sign(key, SignAlg::EcdsaSha256).unwrap()
    };
    let mut bench = Bench::new();
    let der = list(&bench, &bench.auditor.root.key);
    bench.beside.push(File::new("list.pem", pem::encode("X509 CRL", &der)));
    fails(seen, bench, NOT, &["signer-revoked"]);
    // The operator's list counts, too; one that another key signed does not.
    let mut bench = Bench::new();
    let der = list(&bench, &bench.auditor.root.key);
    bench.reference.load_operator_certificates("list", pem::encode("X509 CRL", &der).as_bytes()).unwrap();
    fails(seen, bench, NOT, &["signer-revoked"]);
    let mut bench = Bench::new();
    let der = list(&bench, &subject());
    bench.beside.push(File::new("list.pem", pem::encode("X509 CRL", &der)));
    assert_eq!(bench.judge().authenticity, STANDS);
}

fn facts(seen: &mut Seen) {
    let by = |name: &str| Bench::new().saying("/witnesses/0/name", name).without("/witnesses/0/organisation");
    fails(seen, by("Somebody Else"), STANDS, &["signer-not-witness"]);
    assert_eq!(by("erika  MUSTERMANN").judge().authenticity, STANDS);
    fails(seen, Bench::new().option("min_witnesses", 2), OPEN, &["too-few-witnesses"]);
    twice_the_same(seen);
    let other = Key::shared("witness test: another", KeyKind::P384).unwrap();
    let other = statement(&other).unwrap();
    for member in ["spki_sha256", "algorithm"] {
        let bench = Bench::new().saying(&format!("/key/{member}"), other["key"][member].clone());
        fails(seen, bench, NOT, &["statement-key-mismatch"]);
    }
    for (pointer, value) in [
        ("/ceremony/ended", "2026-05-20T08:59:59Z"),
        ("/ceremony/ended", "2026-05-20T15:00:01Z"),
        ("/key/created_at", "2026-05-20T11:30:01Z"),
        ("/key/created_at", "2026-05-20T08:59:59Z"),
    ] {
        fails(seen, Bench::new().saying(pointer, value), STANDS, &["ceremony-time"]);
    }
    fails(seen, Bench::new().option("max_ceremony_age_days", 11), STANDS, &["ceremony-time"]);
    assert!(super::failed(&Bench::new().option("max_ceremony_age_days", 12).judge()).is_empty());
    fails(seen, Bench::new().saying("/key/generated_in_device", false), STANDS, &["key-imported"]);
    fails(seen, Bench::new().saying("/key/exportable", "wrapped"), STANDS, &["key-exportable"]);
    fails(seen, Bench::new().saying("/key/ever_exportable", true), STANDS, &["key-exportable"]);
    let mut bench = Bench::new();
    bench.request = Key::shared("witness test: another", KeyKind::P256).unwrap();
    fails(seen, bench, STANDS, &["csr-key-mismatch"]);
    let mut bench = Bench::new().saying("/nonce", "00");
    bench.nonce = Some(vec![1]);
    fails(seen, bench, STANDS, &["nonce-mismatch"]);
    // Somebody beside the witness, for whom nobody vouches: good to know, and not counted.
    let bench = Bench::new();
    let mut cms = bench.auditor.cms(&bench.text(), SIGNED).unwrap();
    let mut stranger = Auditor::new("A stranger", KeyKind::P384).unwrap();
    stranger.certificate.issuer = x509::common_name("Another authority").unwrap();
    let more = stranger.cms(&bench.text(), SIGNED).unwrap();
    cms.certificates.extend(more.certificates);
    cms.signers.extend(more.signers);
    let signed = cms.sign().unwrap();
    let appraisal = bench.judge_files(vec![File::new("a", signed)]);
    assert_eq!((appraisal.authenticity, found(&appraisal)), (STANDS, vec!["signer-untrusted".to_owned()]));
}

/// One person with two certificates, and one key with two names, count once.
fn twice_the_same(seen: &mut Seen) {
    let second_certificate = Auditor::new("Erika Mustermann", KeyKind::P384).unwrap();
    let mut second_name = max();
    second_name.key = erika().key;
    second_name.certificate.spki = erika().certificate.spki;
    for second in [erika(), second_certificate, second_name] {
        let bench = Bench::new().option("min_witnesses", 2);
        let mut cms = bench.auditor.cms(&bench.text(), SIGNED).unwrap();
        let more = second.cms(&bench.text(), SIGNED).unwrap();
        cms.certificates.extend(more.certificates);
        cms.signers.extend(more.signers);
        let signed = cms.sign().unwrap();
        seen.fails(&bench.judge_files(vec![File::new("a", signed)]), OPEN, &["too-few-witnesses"]);
    }
}

#[test]
fn an_auditor_is_no_anchor_of_a_device() {
    // The same root as auditors: evidence of a device under it is not vouched for.
    let sample = yubikey_piv::samples().unwrap().remove(0);
    let case = super::of_sample(&sample);
    let mut submission = case.submission;
    submission.options.set_file("auditors", sample.anchors[0].bytes.clone());
    let appraisal = judge(Reference::builtin().unwrap(), &submission);
    assert_eq!((appraisal.format, appraisal.authenticity), ("yubikey-piv", OPEN));
    assert_eq!(appraisal.route, Route::None);
}

#[test]
fn what_is_denied_is_denied_here_too() {
    let bench = Bench::new().option("deny_serials", json!(["CS700142"]));
    let appraisal = bench.judge();
    assert_eq!((appraisal.authenticity, super::failed(&appraisal)), (NOT, vec!["denied".to_owned()]));
    assert!(appraisal.claims.is_empty());
    let bench = Bench::new();
    let own = bench.auditor.der().unwrap();
    let digest = hex(&keyvouch_emulator::key::sha256(&own));
    let appraisal = bench.trusting(&[&own]).option("deny_certificates", json!([digest])).judge();
    assert_eq!(super::failed(&appraisal), ["denied"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
