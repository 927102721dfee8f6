//! Apple App Attest with an emulated app: attestation, assertion, receipts, and one failure for every check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking, in their helpers too"
)]

mod support;

use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, Binding, ClaimName, File, Freshness, Reference, Submission};
use keyvouch_emulator::apple::app_attest::{
    APP_ID, Attestation, DEVELOPMENT, Receipt, Signed, assertion, key_description, samples,
};
use keyvouch_emulator::apple::{AT, oid};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg, sha256};
use keyvouch_emulator::x509::{self, Extension};
use keyvouch_emulator::{bundle, csr};
use serde_json::{Value as Json, json};
use support::cases;
use support::judging::{Seen, failed, found, judge, text};

const CLIENT_DATA: &[u8] = b"client data of the emulated app";
const ASSERTED: &[u8] = b"client data of an assertion";

fn app_key() -> Arc<Key> {
    Key::shared("apple-app-attest test: app", KeyKind::P256).unwrap()
}

fn other_key() -> Arc<Key> {
    Key::shared("apple-app-attest test: other", KeyKind::P256).unwrap()
}

/// An attestation with what a server asks of it.
struct Bench {
    attestation: Attestation,
    reference: Reference,
    at: String,
    nonce: Option<Vec<u8>>,
    options: Vec<(&'static str, Json)>,
    files: Vec<(&'static str, Vec<u8>)>,
    request: Option<Vec<u8>>,
    extra: Vec<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        Self::over(CLIENT_DATA)
    }

    fn over(client_data: &[u8]) -> Self {
        let attestation = Attestation::new(&app_key(), &sha256(client_data)).unwrap();
        let mut reference = Reference::builtin().unwrap();
        for anchor in attestation.sign().unwrap().anchors {
            reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        Self {
            attestation,
            reference,
            at: AT.to_owned(),
            nonce: None,
            options: vec![("app_id", APP_ID.into())],
            files: vec![("client_data", client_data.to_vec())],
            request: None,
            extra: Vec::new(),
        }
    }

    fn altered(change: impl FnOnce(&mut Attestation)) -> Self {
        let mut bench = Self::new();
        change(&mut bench.attestation);
        bench
    }

    fn with_receipt(change: impl FnOnce(&mut Receipt)) -> Self {
        Self::altered(|a| change(a.receipt.as_mut().unwrap()))
    }

    fn option(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.options.retain(|(known, _)| *known != name);
        self.options.push((name, value.into()));
        self
    }

    fn without_client_data(mut self) -> Self {
        self.files.retain(|(name, _)| *name != "client_data");
        self
    }

    /// With an assertion by this key for this app.
    fn asserting(mut self, key: &Key, app: &str, counter: u32, data: &[u8]) -> Self {
        self.extra.push(assertion(key, app, counter, data).unwrap());
        self.files.push(("assertion_client_data", data.to_vec()));
        self
    }

    fn for_key(mut self, key: &Key) -> Self {
        self.request = Some(csr::plain("subscriber", key).unwrap());
        self
    }

    fn signed(&self) -> Signed {
        self.attestation.sign().unwrap()
    }

    fn judge(self) -> Appraisal {
        let object = self.signed().object;
        self.judge_files(vec![object])
    }

    fn judge_files(self, mut files: Vec<Vec<u8>>) -> Appraisal {
        files.extend(self.extra);
        let files = (1..).zip(files).map(|(number, bytes)| File::new(format!("file {number}"), bytes));
        let mut submission = Submission::new(files.collect(), self.at.parse().unwrap());
        submission.nonce = self.nonce;
        submission.request = self.request.map(|der| File::new("request.csr", der));
        for (name, value) in self.options {
            submission.options.set(name, value);
        }
        for (name, bytes) in self.files {
            submission.options.set_file(name, bytes);
        }
        let appraisal = judge(self.reference, &submission);
        assert_eq!((appraisal.format, appraisal.binding), ("apple-app-attest", Binding::None));
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
}

#[test]
fn samples_are_authentic() {
    for sample in samples().unwrap() {
        let case = cases::of_sample(&sample);
        let appraisal = judge(case.reference.clone(), &case.submission);
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{}: {:#?}", case.id, appraisal.checks);
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{}", case.id);
        assert_eq!(appraisal.binding, Binding::None);
        for (name, value) in [
            (ClaimName::KeyAlgorithm, "EC-P256"),
            (ClaimName::KeyGeneratedInDevice, "true"),
            (ClaimName::KeyExportable, "never"),
            (ClaimName::DeviceClass, "secure-element"),
            (ClaimName::DeviceVendor, "Apple"),
            (ClaimName::DeviceSerial, "unknown"),
            (ClaimName::DeviceModel, "unknown"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{}: {name}", case.id);
        }
        let detail = |name: &str| {
            appraisal.details.details().find(|(n, _)| *n == name).map(|(_, c)| c.value.to_string()).unwrap()
        };
        assert_eq!((detail("app_id"), detail("environment")), (APP_ID.to_owned(), "production".to_owned()));
        assert_eq!((detail("os_version"), detail("os_build")), ("26.1".to_owned(), "23B85".to_owned()));
    }
}

#[test]
fn the_nonce_is_the_client_data_or_the_raw_challenge() {
    let mut bench = Bench::new();
    bench.nonce = Some(CLIENT_DATA.to_vec());
    assert_eq!(bench.judge().freshness, Freshness::NonceMatched);

    let raw = |given: &str| {
        let mut bench = Bench::altered(|a| a.client_data_hash = b"raw".to_vec()).without_client_data();
        bench.nonce = Some(b"raw".to_vec());
        bench.option("client_data_hash", given).judge()
    };
    assert_eq!(raw("726177").freshness, Freshness::NonceMatched);
    // Hashing it first would be a guess.
    assert_eq!(failed(&raw(&hex::encode(sha256(b"raw")))), ["nonce-mismatch", "challenge-mismatch"]);
}

#[test]
fn an_object_may_be_text() {
    for text in [bundle::base64(&Bench::new().signed().object), hex::encode(Bench::new().signed().object)] {
        is_clean(&Bench::new().judge_files(vec![text.into_bytes()]));
    }
}

#[test]
fn a_receipt_may_be_der_and_refreshed() {
    is_clean(&Bench::with_receipt(|r| r.is_der = true).judge());
    for is_der in [true, false] {
        let mut bench = Bench::new();
        let mut receipt = Receipt::new().unwrap();
        receipt.is_der = is_der;
        receipt.set(6, "RECEIPT");
        receipt.set(17, "3");
        receipt.set(4, "mangled");
        let signed = bench.signed();
        bench.extra.push(receipt.sign(&signed.leaf, &[]).unwrap());
        let appraisal = bench.judge_files(vec![signed.object]);
        is_clean(&appraisal);
        assert!(appraisal.checks.iter().any(|c| c.detail.contains("risk metric 3")));
    }
}

#[test]
fn a_second_key_is_claimed_by_the_app_and_never_bound() {
    let second = other_key();
    let spki = second.spki_der().unwrap();
    let point = second.point().unwrap();
    for data in [
        spki.clone(),
        [b"key: ", point].concat(),
        format!("{{\"key\":\"{}\"}}", bundle::base64url(point)).into_bytes(),
        bundle::base64(&spki).into_bytes(),
    ] {
        let appraisal = Bench::over(&data).for_key(&second).judge();
        assert_eq!(
            (failed(&appraisal), found(&appraisal)),
            (vec![], vec!["second-key-app-claimed".to_owned()])
        );
    }
    for data in [&spki[..], point] {
        let appraisal = Bench::new().asserting(&app_key(), APP_ID, 1, data).for_key(&second).judge();
        assert_eq!(
            (failed(&appraisal), found(&appraisal)),
            (vec![], vec!["second-key-app-claimed".to_owned()])
        );
    }
    // A replayed assertion names nothing.
    let replayed = Bench::new().asserting(&app_key(), APP_ID, 1, &spki).for_key(&second);
    let replayed = replayed.option("stored_counter", 1).judge();
    assert_eq!(failed(&replayed), ["assertion-counter", "second-key-unbound"]);
}

#[test]
fn every_check_can_fail() {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let mut seen = Seen::default();

    // Form
    let mut cut = Bench::new().signed().object;
    cut.pop();
    seen.fails(&Bench::new().judge_files(vec![cut]), NotAuthentic, &["malformed"]);
    let changes: [fn(&mut Attestation); 5] = [
        |a| a.receipt = None,
        |a| a.trailing = vec![0],
        |a| a.flags = 0xc0,
        |a| a.credential_id.push(0),
        |a| a.cose_key[0] = 0xa4,
    ];
    for change in changes {
        seen.fails(&Bench::altered(change).judge(), NotAuthentic, &["malformed"]);
    }
    let container = json!({ "typ": "ios-appattest", "attestation": "!" });
    let container = Bench::new().judge_files(vec![bundle::json(&container).unwrap()]);
    seen.fails(&container, NotAuthentic, &["malformed"]);
    let mut short = assertion(&app_key(), APP_ID, 1, ASSERTED).unwrap();
    let at = short.windows(2).position(|w| w == [0x58, 37]).unwrap();
    short.truncate(short.len() - 1);
    short[at + 1] = 36;
    let mut bench = Bench::new();
    bench.extra.push(short);
    seen.fails(&bench.judge(), NotAuthentic, &["malformed"]);

    path(&mut seen);

    // What was attested
    seen.fails(&Bench::new().without_client_data().judge(), Undecided, &["client-data-missing"]);
    let odd = Bench::new().option("client_data_hash", "odd").judge();
    seen.fails(&odd, Undecided, &["client-data-missing"]);
    let mut bench = Bench::new().asserting(&app_key(), APP_ID, 1, ASSERTED);
    bench.files.retain(|(name, _)| *name == "client_data");
    seen.fails(&bench.judge(), Undecided, &["client-data-missing"]);
    let mut bench = Bench::new();
    bench.nonce = Some(b"another".to_vec());
    let other = bench.judge();
    seen.fails(&other, Authentic, &["challenge-mismatch"]);
    assert_eq!(other.freshness, Freshness::NonceMismatch);
    let changes: [fn(&mut Attestation); 3] = [
        |a| a.client_data_hash = sha256(b"other client data"),
        |a| a.nonce_extension = Some(vec![0x30, 0]),
        |a| a.nonce_extension = Some(keyvouch_emulator::der::octet_string(&[0; 32])),
    ];
    for change in changes {
        seen.fails(&Bench::altered(change).judge(), NotAuthentic, &["nonce-mismatch"]);
    }
    let other_id = Bench::altered(|a| a.credential_id = vec![0; 32]);
    seen.fails(&other_id.judge(), NotAuthentic, &["key-id-mismatch"]);
    for stated in ["AAAA", "?"] {
        seen.fails(&Bench::new().option("key_id", stated).judge(), NotAuthentic, &["key-id-mismatch"]);
    }
    let other = Attestation::new(&other_key(), &[]).unwrap().cose_key;
    seen.fails(&Bench::altered(|a| a.cose_key = other).judge(), NotAuthentic, &["key-mismatch"]);
    seen.fails(&Bench::altered(|a| a.counter = 1).judge(), NotAuthentic, &["counter-not-zero"]);

    // App and environment
    seen.fails(&Bench::new().option("app_id", "OTHER.app").judge(), Authentic, &["app-id-mismatch"]);
    let inconsistent = Bench::altered(|a| a.rp_id_hash = sha256(b"OTHER.app"));
    seen.fails(&inconsistent.judge(), Authentic, &["app-id-mismatch"]);
    let unnamed = Bench::altered(|a| a.chain.leaf.remove_extension(&oid("5")));
    seen.fails(&unnamed.judge(), Authentic, &["app-id-mismatch"]);
    let sandbox = || {
        Bench::altered(|a| {
            a.aaguid = DEVELOPMENT.to_vec();
            a.receipt.as_mut().unwrap().set(7, "sandbox");
        })
    };
    seen.fails(&sandbox().judge(), Authentic, &["wrong-environment"]);
    for environment in ["development", "any"] {
        is_clean(&sandbox().option("environment", environment).judge());
    }
    let neither = Bench::altered(|a| a.aaguid = vec![0; 16]).option("environment", "any");
    seen.fails(&neither.judge(), Authentic, &["wrong-environment"]);

    // Assertions
    let good = || Bench::new().asserting(&app_key(), APP_ID, 7, ASSERTED).option("stored_counter", 6);
    is_clean(&good().judge());
    seen.fails(&good().option("stored_counter", 7).judge(), Authentic, &["assertion-counter"]);
    let zero = Bench::new().asserting(&app_key(), APP_ID, 0, ASSERTED).judge();
    seen.fails(&zero, Authentic, &["assertion-counter"]);
    let forged = Bench::new().asserting(&other_key(), APP_ID, 7, ASSERTED).judge();
    seen.fails(&forged, NotAuthentic, &["assertion-signature"]);
    let of_other_app = Bench::new().asserting(&app_key(), "OTHER.app", 7, ASSERTED).judge();
    seen.fails(&of_other_app, Authentic, &["app-id-mismatch"]);

    // Without the attestation object
    let receipt = Receipt::new().unwrap().sign(&[], &[]).unwrap();
    seen.fails(&Bench::new().judge_files(vec![receipt]), Undecided, &["attestation-missing"]);
    let alone = assertion(&app_key(), APP_ID, 1, ASSERTED).unwrap();
    seen.fails(&Bench::new().judge_files(vec![alone]), Undecided, &["attestation-missing"]);

    receipts(&mut seen);

    // The request's key
    seen.fails(&Bench::new().for_key(&other_key()).judge(), Authentic, &["second-key-unbound"]);
    // The attested key itself cannot have signed a request; if it did, that binds nothing either.
    seen.fails(&Bench::new().for_key(&app_key()).judge(), Authentic, &["second-key-unbound"]);
    let named = other_key().spki_der().unwrap();
    seen.warns(&Bench::over(&named).for_key(&other_key()).judge(), &["second-key-app-claimed"]);

    seen.are_all_of("apple-app-attest", &[]);
}

fn path(seen: &mut Seen) {
    use Authenticity::{Authentic, NotAuthentic, Undecided};
    let p384 = Key::shared("apple-app-attest test: P-384", KeyKind::P384).unwrap();
    let wrong_curve = Bench::altered(|a| a.chain.leaf.spki = p384.spki_der().unwrap()).judge();
    let with_it = ["leaf-invalid", "key-id-mismatch", "key-mismatch"];
    seen.fails(&wrong_curve, NotAuthentic, &with_it);
    let strange = Bench { reference: Reference::builtin().unwrap(), ..Bench::new() };
    seen.fails(&strange.judge(), Undecided, &["anchor-unknown"]);
    let forged = Bench::altered(|a| a.chain.leaf_signer = Some(app_key()));
    let forged = forged.judge();
    assert_eq!(failed(&forged), ["chain-untrusted"]);
    let wrong = Bench::altered(|a| {
        a.chain.intermediate_key = Key::shared("apple-app-attest test: P-521", KeyKind::P521).unwrap();
        a.chain.intermediate.spki = a.chain.intermediate_key.spki_der().unwrap();
        a.chain.leaf_alg = SignAlg::EcdsaSha512;
    });
    seen.fails(&wrong.judge(), NotAuthentic, &["chain-untrusted"]);
    let alone = Bench::altered(|a| a.certificates = 1);
    seen.fails(&alone.judge(), Undecided, &["chain-incomplete"]);
    seen.fails(&Bench::altered(|a| a.certificates = 0).judge(), NotAuthentic, &["malformed"]);
    for (at, id) in [("2026-06-05T00:00:00Z", "expired"), ("2026-05-01T00:00:00Z", "not-yet-valid")] {
        let bench = Bench { at: at.to_owned(), ..Bench::new() };
        seen.fails(&bench.judge(), NotAuthentic, &[id]);
    }
    let critical =
        Bench::altered(|a| a.chain.leaf.extensions.push(Extension::new("1.2.3", [5, 0]).critical()));
    seen.fails(&critical.judge(), NotAuthentic, &["unhandled-critical-extension"]);
    let named = Bench::altered(|a| a.chain.leaf.subject = x509::common_name("an app").unwrap());
    seen.warns(&named.judge(), &["subject-key-hash"]);
    let other_app = Bench::altered(|a| {
        a.chain.leaf.extension_mut(&oid("5")).unwrap().value = key_description("OTHER.app");
    });
    seen.fails(&other_app.judge(), Authentic, &["app-id-mismatch"]);
}

fn receipts(seen: &mut Seen) {
    let changes: [fn(&mut Receipt); 12] = [
        |r| r.set(2, "OTHER.app"),
        |r| r.set(3, "another leaf"),
        |r| r.set(4, "other client data"),
        |r| r.set(6, "RECEIPT"),
        |r| r.set(6, "OTHER"),
        |r| r.set(7, "sandbox"),
        |r| r.set(12, "2030-01-01T00:00:00Z"),
        |r| r.set(12, "yesterday"),
        |r| r.fields.retain(|(number, _)| *number != 12),
        |r| r.fields.push((7, b"production".to_vec())),
        |r| r.signer.remove_extension("1.2.840.113635.100.12.15"),
        |r| r.signer_key = other_key(),
    ];
    for change in changes {
        seen.warns(&Bench::with_receipt(change).judge(), &["receipt-invalid"]);
    }
    // A receipt of the wrong root.
    let mut bench = Bench::new();
    bench.reference = Reference::builtin().unwrap();
    let root = &bench.signed().anchors[0];
    bench.reference.load_operator_certificates(&root.name, &root.bytes).unwrap();
    seen.warns(&bench.judge(), &["receipt-invalid"]);
    // Another key's refreshed receipt.
    let mut bench = Bench::new();
    let mut receipt = Receipt::new().unwrap();
    receipt.set(6, "RECEIPT");
    let other = Attestation::new(&other_key(), &[]).unwrap().sign().unwrap().leaf;
    bench.extra.push(receipt.sign(&other, &[]).unwrap());
    seen.warns(&bench.judge(), &["receipt-invalid"]);
}
