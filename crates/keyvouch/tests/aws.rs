//! AWS KMS: what the provider says to the operator, and what is wrong with everything else; AWS CloudHSM: whose HSM a
//! cluster has. None of it is ever attestation.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

use keyvouch::appraisal::Appraisal;
use keyvouch::provider::aws_kms::{Ready, redacted};
use keyvouch::{Authenticity, Basis, Binding, ClaimName, File, Freshness, Reference, Route, Submission};
use keyvouch_emulator::aws::cloudhsm::Cluster;
use keyvouch_emulator::aws::{self, KmsKey, NONCE, Request, SIGNED_AT, Signer};
use keyvouch_emulator::key::{Key, KeyKind};
use serde_json::{Value, json};
use support::judging::{Seen, failed, judge, text};

/// Everything that can be changed about an order.
struct Bench {
    key: KmsKey,
    requests: Vec<Request>,
    /// Changes of the envelope after it was signed.
    envelope: Option<Value>,
    answers: Files,
    csr: Option<Emulated>,
    nonce: Option<Vec<u8>>,
    at: &'static str,
    fetched: bool,
    options: Vec<&'static str>,
}

impl Bench {
    fn new() -> Self {
        let key = KmsKey::new(KeyKind::Rsa3072).unwrap();
        Self {
            requests: key.requests(NONCE, SIGNED_AT).to_vec(),
            envelope: None,
            answers: key.answers(),
            csr: Some(key.csr().unwrap()),
            nonce: Some(hex(NONCE)),
            at: aws::AT,
            fetched: true,
            options: Vec::new(),
            key,
        }
    }

    /// With other members in the answer to DescribeKey.
    fn described(changes: &[(&str, Value)]) -> Self {
        let mut bench = Self::new();
        for (name, value) in changes {
            bench.key.metadata[*name] = value.clone();
        }
        bench.answers = bench.key.answers();
        bench
    }

    /// With other members in both answers.
    fn both(name: &str, value: &str) -> Self {
        let mut bench = Self::new();
        bench.key.metadata[name] = value.into();
        bench.key.published[name] = value.into();
        bench.answers = bench.key.answers();
        bench
    }

    fn requested(change: impl Fn(&mut Request)) -> Self {
        let mut bench = Self::new();
        bench.requests.iter_mut().for_each(change);
        bench
    }

    fn signed(&self) -> Value {
        let requests: Vec<Value> = self.requests.iter().map(|r| r.sign(&Signer::temporary())).collect();
        self.envelope.clone().unwrap_or_else(|| aws::envelope(NONCE, &requests))
    }

    fn edited(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut envelope = self.signed();
        edit(&mut envelope);
        self.envelope = Some(envelope);
        self
    }

    fn submission(&self) -> Submission {
        let mut evidence = vec![File::new("envelope.json", self.signed().to_string())];
        evidence.extend(self.answers.iter().map(file));
        self.with(evidence)
    }

    fn with(&self, evidence: Vec<File>) -> Submission {
        let mut submission = Submission::new(evidence, self.at.parse().unwrap());
        submission.request = self.csr.as_ref().map(file);
        submission.nonce = self.nonce.clone();
        if self.fetched {
            submission.options.set("provider_fetched", true);
        }
        for option in &self.options {
            submission.options.set(*option, true);
        }
        submission
    }

    #[track_caller]
    fn judge(&self) -> Appraisal {
        let appraisal = judge(Reference::builtin().unwrap(), &self.submission());
        assert_eq!((appraisal.format, appraisal.authenticity), ("aws", Authenticity::NotAttestable));
        appraisal
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

use keyvouch_emulator::File as Emulated;
type Files = Vec<Emulated>;

fn file(file: &Emulated) -> File {
    File::new(file.name.clone(), file.bytes.clone())
}

/// Nothing is claimed, and every claim says so.
#[track_caller]
fn silent(appraisal: &Appraisal) {
    assert_eq!((appraisal.route, appraisal.binding), (Route::None, Binding::None), "{:#?}", appraisal.checks);
    assert!(appraisal.claims.named().all(|(_, claim)| claim.basis == Basis::Unknown));
    assert!(appraisal.trust.is_none() && appraisal.claims.details().next().is_none());
}

/// The operator's word and no other stands behind what is claimed.
#[track_caller]
fn told(appraisal: &Appraisal) {
    assert_eq!(appraisal.route, Route::ProviderStatement, "{:#?}", appraisal.checks);
    assert!(appraisal.trust.is_none());
    let all = appraisal.claims.named().map(|(_, c)| c).chain(appraisal.claims.details().map(|(_, c)| c));
    assert!(all.into_iter().all(|c| matches!(c.basis, Basis::Operator | Basis::Unknown)));
}

#[test]
fn what_kms_says_of_keys_of_every_kind() {
    for (kind, algorithm) in [
        (KeyKind::Rsa2048, "RSA-2048"),
        (KeyKind::Rsa3072, "RSA-3072"),
        (KeyKind::Rsa4096, "RSA-4096"),
        (KeyKind::P256, "EC-P256"),
        (KeyKind::P384, "EC-P384"),
        (KeyKind::P521, "EC-P521"),
        (KeyKind::Secp256k1, "EC-secp256k1"),
        (KeyKind::Ed25519, "Ed25519"),
    ] {
        let key = KmsKey::new(kind).unwrap();
        let bench = Bench {
            requests: key.requests(NONCE, SIGNED_AT).to_vec(),
            answers: key.answers(),
            csr: Some(key.csr().unwrap()),
            key,
            ..Bench::new()
        };
        let appraisal = bench.judge();
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{algorithm}: {:#?}", appraisal.checks);
        told(&appraisal);
        for (name, value) in [
            (ClaimName::KeyAlgorithm, algorithm),
            (ClaimName::KeyGeneratedInDevice, "true"),
            (ClaimName::KeyExportable, "vendor-boundary"),
            (ClaimName::KeyPurposes, "sign"),
            (ClaimName::KeyCreatedAt, "2026-05-28T20:26:40Z"),
            (ClaimName::DeviceClass, "cloud-hsm"),
            (ClaimName::DeviceVendor, "AWS"),
            (ClaimName::DeviceModel, "KMS"),
            (ClaimName::DeviceSerial, "unknown"),
            (ClaimName::KeyEverExportable, "unknown"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{name}");
        }
        assert_eq!((appraisal.binding, appraisal.freshness), (Binding::Csr, Freshness::NonceMatched));
    }
}

#[test]
fn answers_count_only_for_whom_fetched_them() {
    let mut seen = Seen::default();
    let handed_in = Bench { fetched: false, ..Bench::new() }.judge();
    seen.fails(&handed_in, Authenticity::NotAttestable, &["unsigned-answer"]);
    silent(&handed_in);
    // Without an envelope: asked with the operator's own credentials.
    let bench = Bench::new();
    let own = judge(Reference::builtin().unwrap(), &bench.with(bench.answers.iter().map(file).collect()));
    told(&own);
    assert_eq!((own.binding, own.freshness), (Binding::Csr, Freshness::NoNonceInEvidence));
    // An envelope alone is ready to be sent, and says nothing.
    let only = vec![File::new("e.json", bench.signed().to_string())];
    let ready = judge(Reference::builtin().unwrap(), &bench.with(only));
    assert_eq!(failed(&ready), Vec::<String>::new());
    silent(&ready);
}

#[test]
fn the_operators_switch_is_no_way_to_attestation() {
    // Whatever is switched on, an answer of a provider is never authentic.
    for options in [vec![], vec!["allow_multi_region", "allow_china_regions"]] {
        let appraisal = Bench { options, ..Bench::new() }.judge();
        assert_eq!(appraisal.authenticity, Authenticity::NotAttestable);
        assert_ne!(appraisal.route, Route::Attestation);
    }
}

/// Every check of the envelope, and that a bad envelope is not healed by good answers.
#[test]
fn envelopes_that_are_not_sent() {
    let mut seen = Seen::default();
    let other = "arn:aws:kms:eu-west-1:111122223333:key/ffffabcd-12ab-34cd-56ef-1234567890ab";
    let cases: Vec<(&str, Bench)> = vec![
        ("envelope", Bench::new().edited(|e| e["version"] = 2.into())),
        ("envelope", Bench::new().edited(|e| e["version"] = json!(1.0))),
        ("envelope", Bench::new().edited(|e| e["version"] = "1".into())),
        ("envelope", Bench::new().edited(|e| e["more"] = 1.into())),
        ("envelope", Bench::new().edited(|e| e["requests"][0]["more"] = "x".into())),
        ("envelope", Bench::new().edited(|e| drop(e["requests"].as_array_mut().unwrap().pop()))),
        ("envelope", Bench::new().edited(|e| e["requests"][0]["headers"]["Content-Type"] = 1.into())),
        ("envelope", Bench::new().edited(|e| e["requests"][0]["body"] = "x".repeat(4097).into())),
        ("host", Bench::requested(|r| r.method = "GET".into())),
        ("host", Bench::requested(|r| r.url = "https://kms.eu-west-1.amazonaws.com.evil.example/".into())),
        ("host", Bench::requested(|r| r.url = "https://evil.example/".into())),
        ("host", Bench::requested(|r| r.url = "http://kms.eu-west-1.amazonaws.com/".into())),
        ("host", Bench::requested(|r| r.url = "https://kms.eu-west-1.amazonaws.com:444/".into())),
        ("host", Bench::requested(|r| r.url = "https://a@kms.eu-west-1.amazonaws.com/".into())),
        ("host", Bench::requested(|r| r.url = "https://kms.eu-west-1.amazonaws.com/x".into())),
        ("host", Bench::requested(|r| r.url = "https://kms.eu-west-1.amazonaws.com/?x".into())),
        ("host", Bench::requested(|r| r.url = "https://169.254.169.254/".into())),
        ("header", Bench::requested(|r| r.set("Accept", "text/html"))),
        ("header", Bench::requested(|r| r.set("Transfer-Encoding", "chunked"))),
        ("header", Bench::requested(|r| r.set("Host", "evil.example"))),
        ("header", Bench::requested(|r| r.set("Content-Type", "application/json"))),
        ("header", Bench::requested(|r| r.set("X-Amz-Content-Sha256", &"0".repeat(64)))),
        (
            "header",
            Bench::new().edited(|e| {
                e["requests"][1]["headers"]["content-TYPE"] = "application/x-amz-json-1.1".into()
            }),
        ),
        ("signed-headers", Bench::requested(|r| r.unsigned = vec!["x-rka-nonce".into()])),
        ("signed-headers", Bench::requested(|r| r.unsigned = vec!["host".into()])),
        ("signed-headers", Bench::requested(|r| r.unsigned = vec!["x-amz-security-token".into()])),
        ("signed-headers", Bench::requested(|r| r.service = "sts".into())),
        ("signed-headers", Bench::requested(|r| r.region = "us-east-1".into())),
        ("signed-headers", Bench::requested(|r| r.day = "20260531".into())),
        (
            "signed-headers",
            Bench::new().edited(|e| e["requests"][0]["headers"]["Authorization"] = "Bearer x".into()),
        ),
        ("target", Bench::requested(|r| r.set("X-Amz-Target", "TrentService.DescribeKey"))),
        ("target", Bench::requested(|r| r.set("X-Amz-Target", "TrentService.ScheduleKeyDeletion"))),
        ("key-id", Bench::requested(|r| r.body = json!({"KeyId": "alias/code-signing"}).to_string())),
        ("key-id", Bench::requested(|r| r.body = r.body.replace('}', r#","GrantTokens":[]}"#))),
        ("key-id", Bench::requested(|r| r.body = format!(r#"{{"KeyId":"x",{}"#, &r.body[1..]))),
        ("key-id", {
            let mut bench = Bench::new();
            bench.requests[1].body = json!({ "KeyId": other }).to_string();
            bench
        }),
        ("nonce", Bench { nonce: None, ..Bench::new() }),
        ("nonce", Bench { nonce: Some(vec![1, 2]), ..Bench::new() }),
        ("nonce", Bench::requested(|r| r.set("X-RKA-Nonce", "00"))),
        ("stale", Bench { at: "2026-06-01T00:05:01Z", ..Bench::new() }),
        ("stale", Bench { at: "2026-05-31T23:54:59Z", ..Bench::new() }),
    ];
    for (id, bench) in cases {
        let appraisal = bench.judge();
        seen.fails(&appraisal, Authenticity::NotAttestable, &[id]);
        silent(&appraisal);
        let mismatch = id == "nonce" && bench.nonce.is_some();
        assert_eq!(appraisal.freshness == Freshness::NonceMismatch, mismatch, "{id}");
        // What the verifier refuses is never sent.
        let bytes = bench.signed().to_string();
        let nonce = bench.nonce.clone().unwrap_or_else(|| vec![9]);
        let refused = Ready::judge(bytes.as_bytes(), &nonce, bench.at.parse().unwrap()).unwrap_err();
        assert_eq!(refused.iter().map(|c| c.id.as_ref()).collect::<Vec<_>>(), [id]);
    }
    // Another key than the one the requests go for; JSON that readers read in two ways; two envelopes.
    let text = Bench::new().signed().to_string();
    let twice = text.replacen("\"nonce\":", "\"nonce\":\"00\",\"nonce\":", 1);
    let bench = Bench::new();
    for files in [
        vec![File::new("e.json", twice)],
        vec![File::new("a.json", text.clone()), File::new("b.json", text.clone())],
    ] {
        let mut all: Vec<File> = bench.answers.iter().map(file).collect();
        all.extend(files);
        let appraisal = judge(Reference::builtin().unwrap(), &bench.with(all));
        seen.fails(&appraisal, Authenticity::NotAttestable, &["envelope"]);
        silent(&appraisal);
    }
    // The edges of the window.
    for at in ["2026-06-01T00:05:00Z", "2026-05-31T23:55:00Z"] {
        assert_eq!(failed(&Bench { at, ..Bench::new() }.judge()), Vec::<String>::new());
    }
    // A Region in the scope of the signature, the address and the ARN.
    let mut bench = Bench::new();
    for request in &mut bench.requests {
        request.region = "us-east-1".into();
        request.url = "https://kms.us-east-1.amazonaws.com/".into();
        request.host = "kms.us-east-1.amazonaws.com".into();
    }
    seen.fails(&bench.judge(), Authenticity::NotAttestable, &["key-id"]);
}

#[test]
fn what_may_be_sent_is_exactly_what_was_signed() {
    let bench = Bench::new();
    let bytes = bench.signed().to_string();
    let ready = Ready::judge(bytes.as_bytes(), &hex(NONCE), bench.at.parse().unwrap()).unwrap();
    assert_eq!((ready.host(), ready.region()), ("kms.eu-west-1.amazonaws.com", "eu-west-1"));
    assert_eq!(ready.key_arn(), bench.key.arn);
    let names: Vec<&str> = ready.describe().headers().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "authorization",
            "content-type",
            "x-amz-date",
            "x-amz-security-token",
            "x-amz-target",
            "x-rka-nonce"
        ]
    );
    assert!(ready.describe().headers().any(|h| h == ("x-amz-target", "TrentService.DescribeKey")));
    assert!(ready.publish().headers().any(|h| h == ("x-amz-target", "TrentService.GetPublicKey")));
    assert_ne!(ready.signatures()[0], ready.signatures()[1]);
    // Nothing secret is printed by accident, and the order of the requests does not matter.
    let token = Signer::temporary().session_token.unwrap();
    assert!(!format!("{:?}", ready.describe()).contains(&token));
    let turned = Bench::new().edited(|e| e["requests"].as_array_mut().unwrap().reverse());
    let turned = Ready::judge(turned.signed().to_string().as_bytes(), &hex(NONCE), bench.at.parse().unwrap());
    assert_eq!(turned.unwrap(), ready);
}

#[test]
fn a_kept_envelope_has_nothing_in_it_that_could_be_used_again() {
    let bench = Bench::new();
    let bytes = bench.signed().to_string();
    let kept = redacted(bytes.as_bytes()).unwrap();
    let (text, token) = (kept.to_string(), Signer::temporary().session_token.unwrap());
    let ready = Ready::judge(bytes.as_bytes(), &hex(NONCE), bench.at.parse().unwrap()).unwrap();
    for secret in [&token, &ready.signatures()[0], &ready.signatures()[1]] {
        assert!(bytes.contains(secret.as_str()) && !text.contains(secret.as_str()));
    }
    let again = Bench { envelope: Some(kept), ..Bench::new() }.judge();
    assert_eq!(failed(&again), Vec::<String>::new());
    assert_eq!(again.claims, bench.judge().claims);
    assert_eq!(redacted(b"{}"), None);
}

/// Every check of the answers.
#[test]
fn answers_that_do_not_speak_for_the_key() {
    let mut seen = Seen::default();
    let published = |name: &str, value: Value| {
        let mut bench = Bench::new();
        bench.key.published[name] = value;
        bench.answers = bench.key.answers();
        bench
    };
    let p256 = KmsKey::new(KeyKind::P256).unwrap();
    let trailing = {
        let der = Key::shared("aws: subscriber", KeyKind::Rsa3072).unwrap().spki_der().unwrap();
        keyvouch_emulator::bundle::base64(&[der, vec![0]].concat())
    };
    let other = "arn:aws:kms:eu-west-1:111122223333:key/ffffabcd-12ab-34cd-56ef-1234567890ab";
    // What makes the answers worthless: nothing is claimed.
    for (id, bench) in [
        ("response", Bench::described(&[("Enabled", "true".into())])),
        ("response", Bench::described(&[("Origin", 1.into())])),
        ("response", Bench::described(&[("CreationDate", "yesterday".into())])),
        ("response", Bench::described(&[("CustomerMasterKeySpec", "RSA_4096".into())])),
        ("response", Bench::described(&[("Arn", Value::Null)])),
        ("response", published("PublicKey", 7.into())),
        ("arn", Bench::described(&[("Arn", other.into()), ("KeyId", other[44..].into())])),
        ("arn", Bench::described(&[("AWSAccountId", "999999999999".into())])),
        ("arn", Bench::described(&[("KeyId", "ffffabcd-12ab-34cd-56ef-1234567890ab".into())])),
        ("arn", published("KeyId", other.into())),
        ("arn", published("KeyUsage", "ENCRYPT_DECRYPT".into())),
        ("public-key", published("PublicKey", "!".into())),
        ("public-key", published("PublicKey", trailing.into())),
        ("public-key", published("PublicKey", p256.published["PublicKey"].clone())),
    ] {
        let appraisal = bench.judge();
        seen.fails(&appraisal, Authenticity::NotAttestable, &[id]);
        silent(&appraisal);
    }
    // The key of another answer throughout: both agree, and neither is what the envelope asked for.
    let mut bench = Bench::described(&[("Arn", other.into()), ("KeyId", other[other.len() - 36..].into())]);
    bench.key.published["KeyId"] = other.into();
    bench.answers = bench.key.answers();
    let appraisal = bench.judge();
    seen.fails(&appraisal, Authenticity::NotAttestable, &["arn"]);
    silent(&appraisal);
    let file_of = |bench: &Bench, keep: usize| vec![bench.answers[keep].clone()];
    for keep in [0, 1] {
        let mut bench = Bench::new();
        bench.answers = file_of(&bench, keep);
        let appraisal = bench.judge();
        seen.fails(&appraisal, Authenticity::NotAttestable, &["answer-missing"]);
        silent(&appraisal);
    }
    let mut twice = Bench::new();
    twice.answers.push(Emulated::new("again.json", twice.answers[0].bytes.clone()));
    seen.fails(&twice.judge(), Authenticity::NotAttestable, &["response"]);
    let mut broken = Bench::new();
    let text = String::from_utf8(broken.answers[0].bytes.clone()).unwrap();
    let text = text.replacen("\"Origin\":", "\"Origin\":\"EXTERNAL\",\"Origin\":", 1);
    broken.answers[0].bytes = text.into_bytes();
    let appraisal = broken.judge();
    seen.fails(&appraisal, Authenticity::NotAttestable, &["response"]);
    silent(&appraisal);
    let mut refused = Bench::new();
    let refusal = json!({"__type": "com.amazonaws.kms#AccessDeniedException", "Message": "User secret-name"});
    refused.answers = Files::from([Emulated::new("error.json", refusal.to_string())]);
    let appraisal = refused.judge();
    seen.fails(&appraisal, Authenticity::NotAttestable, &["provider-error-answer"]);
    assert!(!serde_json::to_string(&appraisal).unwrap().contains("secret-name"));
    silent(&appraisal);
}

/// What the answers say may still be against the key.
#[test]
fn keys_that_no_policy_accepts() {
    let mut seen = Seen::default();
    let imported: &[(&str, Value)] = &[("Origin", "EXTERNAL".into())];
    let store: &[(&str, Value)] = &[("Origin", "AWS_CLOUDHSM".into())];
    for (ids, changes, generated, exportable) in [
        (&["imported"][..], imported, "false", "unknown"),
        (&["imported"], &[("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE".into())], "unknown", "unknown"),
        (&["imported"], &[("ValidTo", 1_800_000_000.into())], "unknown", "unknown"),
        (&["custom-store"], store, "unknown", "unknown"),
        (&["custom-store"], &[("Origin", "EXTERNAL_KEY_STORE".into())], "unknown", "unknown"),
        (&["custom-store"], &[("CustomKeyStoreId", "cks-1".into())], "unknown", "unknown"),
        (&["custom-store"], &[("XksKeyConfiguration", json!({"Id": "x"}))], "unknown", "unknown"),
        (&["origin-unknown"], &[("Origin", Value::Null)], "unknown", "unknown"),
        (&["origin-unknown"], &[("Origin", "AWS_KMS_2".into())], "unknown", "unknown"),
        (&["key-manager"], &[("KeyManager", "AWS".into())], "true", "vendor-boundary"),
        (&["key-manager"], &[("KeyManager", Value::Null)], "true", "vendor-boundary"),
        (&["key-state"], &[("KeyState", "PendingDeletion".into())], "true", "vendor-boundary"),
        (&["key-state"], &[("Enabled", false.into())], "true", "vendor-boundary"),
        (&["key-state"], &[("Enabled", Value::Null)], "true", "vendor-boundary"),
        (&["multi-region"], &[("MultiRegion", true.into())], "true", "vendor-boundary"),
        (&["multi-region"], &[("MultiRegionConfiguration", json!({}))], "true", "vendor-boundary"),
    ] {
        let appraisal = Bench::described(changes).judge();
        seen.fails(&appraisal, Authenticity::NotAttestable, ids);
        told(&appraisal);
        assert_eq!(text(&appraisal, ClaimName::KeyGeneratedInDevice), generated, "{changes:?}");
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), exportable, "{changes:?}");
    }
    let appraisal = Bench::both("KeyUsage", "ENCRYPT_DECRYPT").judge();
    seen.fails(&appraisal, Authenticity::NotAttestable, &["key-usage"]);
    assert_eq!(text(&appraisal, ClaimName::KeyPurposes), "decrypt");
    // A kind of key that is not known has no public key either.
    for name in ["KeySpec", "CustomerMasterKeySpec"] {
        let mut bench = Bench::both("KeySpec", "SYMMETRIC_DEFAULT");
        bench.key.metadata["CustomerMasterKeySpec"] = Value::Null;
        bench.key.published["CustomerMasterKeySpec"] = Value::Null;
        if name == "CustomerMasterKeySpec" {
            for answer in [&mut bench.key.metadata, &mut bench.key.published] {
                answer["KeySpec"] = Value::Null;
            }
        }
        bench.answers = bench.key.answers();
        seen.fails(&bench.judge(), Authenticity::NotAttestable, &["key-spec", "public-key"]);
    }
    // China.
    let key = KmsKey::in_region(KeyKind::Rsa3072, "cn-north-1", "aws-cn").unwrap();
    let mut requests = key.requests(NONCE, SIGNED_AT).to_vec();
    for request in &mut requests {
        request.host = "kms.cn-north-1.amazonaws.com.cn".into();
        request.url = format!("https://{}/", request.host);
    }
    let china =
        Bench { requests, answers: key.answers(), csr: Some(key.csr().unwrap()), key, ..Bench::new() };
    seen.fails(&china.judge(), Authenticity::NotAttestable, &["region"]);
    let allowed = Bench { options: vec!["allow_china_regions"], ..china }.judge();
    assert_eq!(failed(&allowed), Vec::<String>::new());
    let mut several = Bench::described(&[("MultiRegion", true.into())]);
    several.options = vec!["allow_multi_region"];
    assert_eq!(failed(&several.judge()), Vec::<String>::new());
    // The request of somebody else, who knows the key and has it not.
    let other = Key::shared("aws: somebody else", KeyKind::Rsa3072).unwrap();
    let csr = keyvouch_emulator::csr::plain("somebody else", &other).unwrap();
    let csr = Emulated::new("request.csr", keyvouch_emulator::pem::request(&csr));
    let appraisal = Bench { csr: Some(csr), ..Bench::new() }.judge();
    seen.fails(&appraisal, Authenticity::NotAttestable, &["csr-key-mismatch"]);
    assert_eq!(appraisal.binding, Binding::None);
}

#[test]
fn a_denied_key_is_silent() {
    let bench = Bench::new();
    let spki = text(&bench.judge(), ClaimName::KeySpkiSha256);
    let mut reference = Reference::builtin().unwrap();
    let deny = format!("[[deny]]\nspki_sha256 = '{spki}'\nreason = 'leaked'\n");
    reference.load_operator_file("deny.toml", &deny).unwrap();
    let appraisal = judge(reference, &bench.submission());
    assert_eq!(appraisal.authenticity, Authenticity::NotAttestable);
    assert_eq!(failed(&appraisal), ["denied"]);
    silent(&appraisal);
}

fn cluster(change: impl FnOnce(&mut Cluster)) -> (Reference, Cluster) {
    let mut cluster = Cluster::new().unwrap();
    change(&mut cluster);
    let mut reference = Reference::builtin().unwrap();
    for anchor in Cluster::new().unwrap().anchors() {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    (reference, cluster)
}

fn judge_cluster(reference: Reference, files: &Files) -> Appraisal {
    let mut submission = Submission::new(files.iter().map(file).collect(), aws::AT.parse().unwrap());
    submission.options.set("provider_fetched", true);
    let appraisal = judge(reference, &submission);
    assert_eq!(appraisal.format, "aws");
    appraisal
}

#[test]
fn a_cluster_proves_its_hsm_and_no_key() {
    let mut seen = Seen::default();
    let (reference, whole) = cluster(|_| {});
    let files = whole.files().unwrap();
    for turn in 0..files.len() {
        let mut turned = files.clone();
        turned.rotate_left(turn);
        let appraisal = judge_cluster(reference.clone(), &turned);
        seen.fails(&appraisal, Authenticity::NotAttestable, &["no-attestation-format"]);
        assert_eq!(appraisal.route, Route::None);
        for (name, value) in [
            (ClaimName::DeviceVendor, "AWS"),
            (ClaimName::DeviceModel, "CloudHSM"),
            (ClaimName::DeviceClass, "cloud-hsm"),
            (ClaimName::DeviceSerial, "3.0G1804-EMU000042"),
            (ClaimName::KeyAlgorithm, "unknown"),
            (ClaimName::KeyGeneratedInDevice, "unknown"),
            (ClaimName::KeyExportable, "unknown"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{name}");
        }
    }
    // Without the request of the cluster the chains still hold.
    let appraisal = judge_cluster(reference, &files[1..].to_vec());
    assert_eq!(text(&appraisal, ClaimName::DeviceModel), "CloudHSM");
}

#[test]
fn clusters_that_prove_nothing() {
    let mut seen = Seen::default();
    let none = "no-attestation-format";
    // A certificate missing; the root alone.
    let (reference, whole) = cluster(|_| {});
    for missing in [1, 3] {
        let mut files = whole.files().unwrap();
        files.remove(missing);
        let appraisal = judge_cluster(reference.clone(), &files);
        seen.fails(&appraisal, Authenticity::NotAttestable, &[none, "cloudhsm-chain"]);
        silent(&appraisal);
    }
    // Signed by somebody else under the right names; expired; a card that another partition issued; no anchor.
    let forged = Key::shared("aws: forger", KeyKind::Rsa2048).unwrap();
    let changes: Vec<Box<dyn FnOnce(&mut Cluster)>> = vec![
        Box::new(|c| c.root.key = forged),
        Box::new(|c| c.aws_card.not_after = "2026-01-01T00:00:00Z".into()),
        Box::new(|c| c.hsm.partition.not_after = "2026-01-01T00:00:00Z".into()),
    ];
    for change in changes {
        let (reference, cluster) = cluster(change);
        let appraisal = judge_cluster(reference, &cluster.files().unwrap());
        seen.fails(&appraisal, Authenticity::NotAttestable, &[none, "cloudhsm-chain"]);
        silent(&appraisal);
    }
    let appraisal = judge_cluster(Reference::builtin().unwrap(), &whole.files().unwrap());
    seen.fails(&appraisal, Authenticity::NotAttestable, &[none, "cloudhsm-chain"]);
    // The request of another HSM.
    let other = Key::shared("aws: another HSM", KeyKind::Rsa2048).unwrap();
    let (reference, cluster) = cluster(|c| c.request_key = other);
    let appraisal = judge_cluster(reference, &cluster.files().unwrap());
    seen.fails(&appraisal, Authenticity::NotAttestable, &[none, "cloudhsm-key"]);
    silent(&appraisal);
}

/// The ids that the tests above make fail, against those that the format declares.
#[test]
fn no_check_is_without_a_failing_test() {
    let source = include_str!("aws.rs");
    let about = keyvouch::formats::about().find(|a| a.id == "aws").unwrap();
    for check in about.checks {
        assert!(source.contains(&format!("\"{}\"", check.id)), "{} never fails here", check.id);
        assert!(!check.advice.is_empty() && !check.about.is_empty());
    }
}
