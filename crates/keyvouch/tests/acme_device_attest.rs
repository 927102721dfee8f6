//! ACME device attestation: every inner format, and one failure for every check that is made for the answer itself.
//! What fails inside a statement is tested with its own format.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking, in their helpers too"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, Binding, ClaimName, File, Freshness, Reference, Submission, Verifier};
use keyvouch_emulator::acme_device_attest::{
    AT, AndroidKey, Step, THUMBPRINT, TOKEN, TPM_IDENTIFIER, Tpm, YUBIKEY_SERIAL, answer, hardware_module,
    key_authorization, object, permanent_identifier, x5c,
};
use keyvouch_emulator::android::EMPTY_STATUS_LIST;
use keyvouch_emulator::apple::{Chain, mda, oid};
use keyvouch_emulator::csr::{Attribute, Request};
use keyvouch_emulator::key::{Key, KeyKind, sha256};
use keyvouch_emulator::x509::{self, Extension};
use keyvouch_emulator::{bundle, der, pem, samples};
use serde_json::{Value as Json, json};
use support::cases;
use support::judging::{failed, found, judge, text};

const SERIAL: &str = mda::SERIAL;

fn key(kind: KeyKind) -> Arc<Key> {
    Key::shared("acme-device-attest test: subject", kind).unwrap()
}

/// An answer with what an ACME server asks of it.
struct Bench {
    evidence: Vec<u8>,
    reference: Reference,
    options: Vec<(&'static str, Json)>,
    files: Vec<(&'static str, Vec<u8>)>,
    request: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

impl Bench {
    fn of(evidence: Vec<u8>, anchors: &[keyvouch_emulator::File], identifier: &str) -> Self {
        let mut reference = Reference::builtin().unwrap();
        for anchor in anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        let options = vec![
            ("token", TOKEN.into()),
            ("account_thumbprint", THUMBPRINT.into()),
            ("identifier_type", "permanent-identifier".into()),
            ("identifier_value", identifier.into()),
        ];
        Self { evidence, reference, options, files: Vec::new(), request: None, nonce: None }
    }

    fn apple() -> Self {
        Self::of_apple(|_| {})
    }

    fn of_apple(change: impl FnOnce(&mut Chain)) -> Self {
        let mut chain = mda::chain(&key(KeyKind::P384), &mda::freshness_of(TOKEN)).unwrap();
        change(&mut chain);
        let signed = chain.sign().unwrap();
        Self::of(answer(&mda::attestation_object(&signed.array())).unwrap(), &signed.anchors(), SERIAL)
    }

    fn step(change: impl FnOnce(&mut Step)) -> Self {
        let mut step = Step::new(&key(KeyKind::P256)).unwrap();
        change(&mut step);
        Self::of(answer(&step.object().unwrap()).unwrap(), &step.anchors, &YUBIKEY_SERIAL.to_string())
    }

    fn android(change: impl FnOnce(&mut AndroidKey)) -> Self {
        let mut android = AndroidKey::new(&key(KeyKind::P256), "PHONE1");
        change(&mut android);
        let (object, root) = android.object().unwrap();
        let mut bench = Self::of(answer(&object).unwrap(), &[root], "PHONE1");
        bench.files.push(("android_status_list", EMPTY_STATUS_LIST.as_bytes().to_vec()));
        bench
    }

    fn tpm(change: impl FnOnce(&mut Tpm)) -> Self {
        let names = [permanent_identifier(TPM_IDENTIFIER, None).unwrap()];
        Self::tpm_named(&names, change)
    }

    fn tpm_named(names: &[Vec<u8>], change: impl FnOnce(&mut Tpm)) -> Self {
        let mut tpm = Tpm::new(&key(KeyKind::P256), names).unwrap();
        change(&mut tpm);
        Self::of(answer(&tpm.object().unwrap()).unwrap(), &tpm.anchors, TPM_IDENTIFIER)
    }

    fn option(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, value.into()));
        self
    }

    fn without(mut self, names: &[&str]) -> Self {
        self.options.retain(|(known, _)| !names.contains(known));
        self
    }

    /// The order names a hardware module.
    fn hardware(self, value: &str) -> Self {
        self.option("identifier_type", "hardware-module").option("identifier_value", value)
    }

    fn evidence(mut self, evidence: impl Into<Vec<u8>>) -> Self {
        self.evidence = evidence.into();
        self
    }

    /// A request for the key of the Apple device that asks for these names.
    fn requesting(mut self, names: &[Vec<u8>]) -> Self {
        let key = key(KeyKind::P384);
        let san = Extension::new("2.5.29.17", der::sequence(names));
        let request = Request::new(x509::common_name(SERIAL).unwrap(), &key).unwrap();
        let request = request.with(Attribute::extension_request(&[san]).unwrap());
        self.request = Some(request.sign(&key, key.default_alg()).unwrap());
        self
    }

    fn judge(self) -> Appraisal {
        let mut submission =
            Submission::new(vec![File::new("answer.json", self.evidence)], AT.parse().unwrap());
        submission.request = self.request.map(|der| File::new("request.csr", der));
        submission.nonce = self.nonce;
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        for (name, bytes) in self.files {
            submission.options.set_file(name, bytes);
        }
        let appraisal = judge(self.reference, &submission);
        assert_eq!(appraisal.format, "acme-device-attest");
        if appraisal.authenticity != Authenticity::Authentic {
            assert!(appraisal.claims.is_empty() && appraisal.trust.is_none(), "claims without authenticity");
            assert_ne!(appraisal.freshness, Freshness::NonceMatched);
        }
        assert!(appraisal.failed().all(|c| c.advice.is_some()), "a failure without advice");
        appraisal
    }
}

#[track_caller]
fn is_clean(appraisal: &Appraisal) {
    assert_eq!((failed(appraisal), found(appraisal)), (vec![], vec![]), "{:#?}", appraisal.checks);
    assert_eq!(
        (appraisal.authenticity, appraisal.freshness),
        (Authenticity::Authentic, Freshness::NonceMatched)
    );
}

#[test]
fn samples_are_authentic_and_bound() {
    for sample in samples("acme-device-attest").unwrap() {
        let case = cases::of_sample(&sample);
        let appraisal = judge(case.reference.clone(), &case.submission);
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{}: {:#?}", case.id, appraisal.checks);
        assert_eq!((appraisal.binding, appraisal.freshness), (Binding::Csr, Freshness::NonceMatched));
        let class = match sample.variant.split('-').next().unwrap() {
            "apple" => "secure-element",
            "step" => "token",
            "android" => "tee",
            _ => "tpm",
        };
        for (name, value) in [
            (ClaimName::DeviceClass, class),
            (ClaimName::KeyGeneratedInDevice, "true"),
            (ClaimName::KeyExportable, "never"),
            (ClaimName::KeyEverExportable, "false"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{}: {name}", case.id);
        }
    }
}

#[test]
fn identifiers_of_every_kind_are_compared_whole() {
    let oid = "1.3.6.1.4.1.99999.1";
    let assigned = [permanent_identifier("A", Some(oid)).unwrap()];
    for (value, fails) in
        [("A", false), ("A/1.3.6.1.4.1.99999.1", false), ("A/1.3.6.1.4.1.99999.2", true), ("a", true)]
    {
        let appraisal = Bench::tpm_named(&assigned, |_| {}).option("identifier_value", value).judge();
        assert_eq!(!failed(&appraisal).is_empty(), fails, "{value}");
    }
    let module = [hardware_module(oid, b"B").unwrap()];
    let of_module = || Bench::tpm_named(&module, |_| {});
    is_clean(&of_module().hardware("B/1.3.6.1.4.1.99999.1").judge());
    for value in ["B/1.3.6.1.4.1.99999.2", "C/1.3.6.1.4.1.99999.1"] {
        assert_eq!(failed(&of_module().hardware(value).judge()), ["identifier-mismatch"]);
    }
    // A permanent identifier is no hardware module, nor the other way round.
    assert_eq!(failed(&of_module().option("identifier_value", "B").judge()), ["identifier-mismatch"]);
    // Without an order nothing is compared.
    is_clean(&Bench::tpm_named(&[], |_| {}).without(&["identifier_type", "identifier_value"]).judge());
}

#[test]
fn the_key_authorization_may_be_given_whole() {
    let given = || Bench::step(|_| {}).without(&["account_thumbprint"]);
    is_clean(&given().option("key_authorization", key_authorization()).judge());
    // The nonce of the command line plays no part: the challenge is what freshness is measured by.
    let mut bench = Bench::apple();
    bench.nonce = Some(b"another".to_vec());
    assert_eq!(bench.judge().freshness, Freshness::NonceMatched);
}

#[test]
fn an_android_key_signs_what_it_was_made_for() {
    let appraisal = Bench::android(|_| {}).judge();
    is_clean(&appraisal);
    assert_eq!(text(&appraisal, ClaimName::DeviceSerial), "PHONE1");
    assert_eq!(text(&appraisal, ClaimName::DeviceClass), "tee");
    let other = Key::shared("acme-device-attest test: other", KeyKind::P256).unwrap();
    let changes: [fn(&mut AndroidKey, Arc<Key>); 2] =
        [|a, _| a.text = TOKEN.to_owned(), |a, other| a.signer = Some(other)];
    for change in changes {
        let appraisal = Bench::android(|a| change(a, other.clone())).judge();
        assert_eq!(failed(&appraisal), ["attestation-signature-invalid"]);
        assert_eq!(appraisal.authenticity, Authenticity::NotAuthentic);
    }
    let appraisal = Bench::android(|a| a.said.challenge = TOKEN.as_bytes().to_vec()).judge();
    assert_eq!(failed(&appraisal), ["challenge-mismatch"]);
    assert_eq!(appraisal.freshness, Freshness::NonceMismatch);
    let nameless = Bench::android(|a| a.said.hardware.remove(keyvouch_emulator::android::tag::ID_SERIAL));
    assert_eq!(failed(&nameless.judge()), ["device-identity-absent"]);
    let lacking = Bench::android(|_| {}).without(&["account_thumbprint"]).judge();
    assert!(failed(&lacking).contains(&"challenge-missing".to_owned()));
    assert_ne!(lacking.authenticity, Authenticity::Authentic);
}

#[test]
fn roots_of_one_format_are_none_of_another() {
    let root = |bench: &Bench| bench.reference.anchors.roots_for("acme-device-attest").next().map(|_| ());
    type Case = (fn() -> Bench, &'static str, [&'static str; 2]);
    let formats: [Case; 3] = [
        (Bench::apple, "roots_apple", ["roots_step", "roots_tpm"]),
        (|| Bench::step(|_| {}), "roots_step", ["roots_apple", "roots_tpm"]),
        (|| Bench::tpm(|_| {}), "roots_tpm", ["roots_apple", "roots_step"]),
    ];
    for (make, own, others) in formats {
        assert!(root(&make()).is_some());
        let anchors = match own {
            "roots_apple" => {
                let chain = mda::chain(&key(KeyKind::P384), &mda::freshness_of(TOKEN)).unwrap();
                chain.sign().unwrap().anchors()
            }
            "roots_step" => Step::new(&key(KeyKind::P256)).unwrap().anchors,
            _ => Tpm::new(&key(KeyKind::P256), &[]).unwrap().anchors,
        };
        let with = |option: &'static str| {
            let mut bench = make();
            bench.reference = Reference::builtin().unwrap();
            bench.files.push((option, anchors.iter().flat_map(|a| a.bytes.clone()).collect()));
            bench.judge()
        };
        is_clean(&with(own));
        for other in others {
            let appraisal = with(other);
            assert_ne!(appraisal.authenticity, Authenticity::Authentic, "{other} for {own}");
        }
    }
    let mut bench = Bench::apple();
    bench.files.push(("roots_apple", b"not a certificate".to_vec()));
    assert_eq!(failed(&bench.judge()), ["anchor-unknown"]);
}

/// The ids that were seen to fail or to warn.
#[derive(Default)]
struct Ids(BTreeSet<String>);

impl Ids {
    #[track_caller]
    fn fails(&mut self, bench: Bench, authenticity: Authenticity, ids: &[&str]) {
        let appraisal = bench.judge();
        let got = failed(&appraisal);
        assert_eq!(got, ids, "{:#?}", appraisal.checks);
        assert_eq!(appraisal.authenticity, authenticity);
        self.0.extend(got);
    }
}

#[test]
fn every_check_of_the_answer_can_fail() {
    use Authenticity::{NotAuthentic, Undecided};
    let mut seen = Ids::default();

    // The envelope
    let error = || Bench::apple().evidence(r#"{"error": "no attestation"}"#);
    seen.fails(error(), Undecided, &["client-error"]);
    let both = Bench::apple().evidence(r#"{"error": "no", "attObj": "AA"}"#);
    seen.fails(both, Undecided, &["client-error"]);
    for payload in [
        r#"{"attObj": ""}"#,
        r#"{"attObj": "e30"}"#,
        r#"{"attObj": 1}"#,
        r#"{"attObj": "a+/="}"#,
        r#"{"attObj": "AA AA"}"#,
        r#"{"attObj": "#,
    ] {
        seen.fails(Bench::apple().evidence(payload), NotAuthentic, &["bad-attobj"]);
    }
    let jws =
        json!({ "protected": "e30", "signature": "", "payload": bundle::base64url(br#"{"attObj": ""}"#) });
    seen.fails(Bench::apple().evidence(jws.to_string()), NotAuthentic, &["bad-attobj"]);
    let with_object = |object: &[u8]| Bench::apple().evidence(answer(object).unwrap());
    seen.fails(with_object(&[0xa2, 0x63]), NotAuthentic, &["malformed"]);
    seen.fails(with_object(&object("apple", &[])), NotAuthentic, &["x5c"]);
    seen.fails(with_object(&object("apple", &[("x5c", x5c(&[]))])), NotAuthentic, &["x5c"]);
    let garbage = [("x5c", x5c(&[vec![0x30, 0]]))];
    seen.fails(with_object(&object("apple", &garbage)), NotAuthentic, &["malformed"]);
    for fmt in ["none", "packed", "fido-u2f", "apple-appattest"] {
        seen.fails(with_object(&object(fmt, &garbage)), Undecided, &["unsupported-format"]);
    }
    for listed in [json!(["tpm"]), json!([])] {
        seen.fails(Bench::apple().option("formats", listed), Undecided, &["format-disabled"]);
    }

    challenges(&mut seen);
    orders(&mut seen);

    // The statement inside
    let unwrapped = Bench::step(|s| s.is_wrapped = false);
    seen.fails(unwrapped, NotAuthentic, &["malformed"]);
    let other = Key::shared("acme-device-attest test: other", KeyKind::P256).unwrap();
    let by_other = Bench::step(|s| s.key = other.clone());
    seen.fails(by_other, NotAuthentic, &["attestation-signature-invalid"]);
    let forged = Bench::tpm(|t| t.statement.ak.key = other.clone());
    seen.fails(forged, NotAuthentic, &["attestation-signature-invalid"]);
    let version = Bench::tpm(|t| t.version = "1.2".to_owned());
    seen.fails(version, NotAuthentic, &["tpm-version"]);
    seen.fails(Bench::tpm(|t| t.algorithm = -8), NotAuthentic, &["malformed"]);

    let about = keyvouch::formats::about().find(|a| a.id == "acme-device-attest").unwrap();
    let inner = ["apple-mda", "yubikey-piv", "tpm", "android"];
    let of_inner: BTreeSet<&str> = keyvouch::formats::about()
        .filter(|a| inner.contains(&a.id))
        .flat_map(|a| a.checks.iter().map(|c| c.id))
        .collect();
    let own: BTreeSet<&str> = about.checks.iter().map(|c| c.id).filter(|id| !of_inner.contains(id)).collect();
    let lacking: Vec<_> = own.iter().filter(|id| !seen.0.contains(**id)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    let declared: BTreeSet<&str> = about.checks.iter().map(|c| c.id).collect();
    assert_eq!(declared.len(), about.checks.len(), "an id is declared twice");
    assert!(seen.0.iter().all(|id| declared.contains(id.as_str()) || id == "csr-key-mismatch"));
}

fn challenges(seen: &mut Ids) {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    for bench in [
        Bench::apple().without(&["token"]),
        Bench::step(|_| {}).without(&["account_thumbprint"]),
        Bench::tpm(|_| {}).without(&["account_thumbprint"]),
        Bench::step(|_| {}).option("key_authorization", format!("other.{THUMBPRINT}")),
        Bench::step(|_| {}).option("key_authorization", format!("{TOKEN}.other")),
        Bench::step(|_| {}).without(&["account_thumbprint"]).option("key_authorization", format!("{TOKEN}.")),
        Bench::step(|_| {}).without(&["token"]).option("key_authorization", key_authorization()),
    ] {
        seen.fails(bench, Undecided, &["challenge-missing"]);
    }
    // Apple's statements cover the token alone.
    is_clean(&Bench::apple().without(&["account_thumbprint"]).judge());

    let over_token = Bench::tpm(|t| t.statement.nonce = sha256(TOKEN.as_bytes()));
    seen.fails(over_token, Authentic, &["challenge-mismatch"]);
    let over_nothing = Bench::tpm(|t| t.statement.nonce.clear());
    seen.fails(over_nothing, Authentic, &["challenge-mismatch"]);
    let over_token = Bench::step(|s| s.text = TOKEN.to_owned());
    seen.fails(over_token, NotAuthentic, &["attestation-signature-invalid"]);
    let of_other_account = Bench::step(|_| {}).option("account_thumbprint", "b3RoZXI");
    seen.fails(of_other_account, NotAuthentic, &["attestation-signature-invalid"]);
    let missing = Bench::of_apple(|c| c.leaf.remove_extension(&oid("11.1")));
    seen.fails(missing, Authentic, &["freshness-missing"]);
    let authorization = sha256(key_authorization().as_bytes());
    let other = Bench::of_apple(|c| c.leaf.extension_mut(&oid("11.1")).unwrap().value = authorization);
    seen.fails(other, Authentic, &["freshness-mismatch"]);
}

fn orders(seen: &mut Ids) {
    use Authenticity::Authentic;
    for value in ["", "A/", "/1.2.3", "A/1.2.03"] {
        let bench = Bench::apple().option("identifier_value", value);
        seen.fails(bench, Authentic, &["identifier-syntax"]);
    }
    seen.fails(Bench::apple().without(&["identifier_value"]), Authentic, &["identifier-syntax"]);
    seen.fails(Bench::apple().hardware("A"), Authentic, &["identifier-syntax"]);
    for value in ["OTHER", "kvemulated", "KVEMULATED/1.2.3"] {
        let bench = Bench::apple().option("identifier_value", value);
        seen.fails(bench, Authentic, &["identifier-mismatch"]);
    }
    seen.fails(Bench::step(|_| {}).option("identifier_value", "1"), Authentic, &["identifier-mismatch"]);
    let nameless = || {
        Bench::of_apple(|c| {
            c.leaf.remove_extension(&oid("9.1"));
            c.leaf.extension_mut(&oid("9.2")).unwrap().value.clear();
        })
    };
    seen.fails(nameless(), Authentic, &["device-identity-absent"]);
    let blank = nameless().option("identifier_value", "");
    seen.fails(blank, Authentic, &["identifier-syntax", "device-identity-absent"]);
    seen.fails(Bench::tpm_named(&[], |_| {}), Authentic, &["device-identity-absent"]);

    // Names in the request
    let named = |value: &str| permanent_identifier(value, None).unwrap();
    is_clean(&Bench::apple().requesting(&[named(SERIAL)]).judge());
    seen.fails(Bench::apple().requesting(&[named("OTHER")]), Authentic, &["csr-identifiers"]);
    let both = Bench::apple().requesting(&[named(SERIAL), named("OTHER")]);
    seen.fails(both, Authentic, &["csr-identifiers"]);
    let module = hardware_module("1.2.3", SERIAL.as_bytes()).unwrap();
    seen.fails(Bench::apple().requesting(&[module]), Authentic, &["csr-identifiers"]);
    seen.fails(Bench::apple().requesting(&[vec![0xa0, 1, 0]]), Authentic, &["csr-identifiers"]);
    let dns = Bench::apple().requesting(&[named(SERIAL), der::implicit(2, b"example.com")]).judge();
    assert_eq!((failed(&dns), found(&dns)), (vec![], vec!["csr-identifiers".to_owned()]));
    let other = Key::shared("acme-device-attest test: other", KeyKind::P384).unwrap();
    let mut bench = Bench::apple();
    bench.request = Some(pem::request(&keyvouch_emulator::csr::plain("other", &other).unwrap()).into_bytes());
    seen.fails(bench, Authentic, &["csr-key-mismatch"]);
}

#[test]
fn only_the_first_certificate_is_the_statement() {
    // The leaf of another device behind the attested one, or before it.
    let victim = Step::new(&Key::shared("acme-device-attest test: victim", KeyKind::P256).unwrap()).unwrap();
    let before = Bench::step(|s| s.x5c.insert(0, victim.x5c[1].clone()));
    assert_ne!(before.judge().authenticity, Authenticity::Authentic);
    let behind = Bench::step(|s| s.x5c.push(victim.x5c[0].clone())).judge();
    assert_eq!(text(&behind, ClaimName::KeySpkiSha256), {
        hex::encode(sha256(&key(KeyKind::P256).spki_der().unwrap()))
    });
    // A certificate of a FIDO or PIV hierarchy in the place of an attestation key's certificate.
    let mut tpm = Tpm::new(&key(KeyKind::P256), &[]).unwrap();
    let (mut certificate, signer) = tpm.statement.ak_certificate.clone().unwrap();
    certificate.extensions.retain(|e| e.oid != "2.5.29.37");
    tpm.statement.ak_certificate = Some((certificate, signer));
    let bench = Bench::of(answer(&tpm.object().unwrap()).unwrap(), &tpm.anchors, TPM_IDENTIFIER);
    assert_eq!(failed(&bench.judge())[0], "tpm-aik-profile");
}

#[test]
fn other_json_is_not_claimed() {
    for text in [r#"{"error": "x", "code": 1}"#, r#"{"attestation": "x"}"#, r#"{"error": null}"#, "[]"] {
        let submission = Submission::new(vec![File::new("a.json", text)], AT.parse().unwrap());
        let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
        assert_ne!(report.appraisals[0].format, "acme-device-attest", "{text}");
    }
}
