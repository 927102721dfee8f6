//! Azure Key Vault: what a vault says to the operator, and what is wrong with everything else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, Basis, Binding, ClaimName, File, Freshness, Reference, Route, Submission};
use keyvouch_emulator::azure_key_vault::{FORMAT, VaultKey};
use keyvouch_emulator::key::KeyKind;
use serde_json::{Value, json};
use support::judging::{Seen, failed, found, judge, text};

fn submission(answer: impl Into<Vec<u8>>, key: &VaultKey, fetched: bool) -> Submission {
    let at = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut submission = Submission::new(vec![File::new("key.json", answer)], at);
    submission.request = Some(File::new("request.csr", key.csr().unwrap().bytes));
    if fetched {
        submission.options.set("provider_fetched", true);
    }
    submission
}

fn appraise(submission: &Submission) -> Appraisal {
    let appraisal = judge(Reference::builtin().unwrap(), submission);
    assert_eq!((appraisal.format, appraisal.authenticity), (FORMAT, Authenticity::NotAttestable));
    appraisal
}

/// With other members, by JSON pointer.
fn changed(changes: &[(&str, Value)]) -> Appraisal {
    let mut key = VaultKey::premium(KeyKind::Rsa3072).unwrap();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        key.bundle.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    appraise(&submission(key.answer().bytes, &key, true))
}

#[track_caller]
fn silent(appraisal: &Appraisal) {
    assert_eq!((appraisal.route, appraisal.binding), (Route::None, Binding::None));
    assert!(appraisal.claims.named().all(|(_, claim)| claim.basis == Basis::Unknown));
}

#[test]
fn what_a_vault_says_of_keys_of_every_kind() {
    for (kind, algorithm) in [
        (KeyKind::Rsa2048, "RSA-2048"),
        (KeyKind::Rsa3072, "RSA-3072"),
        (KeyKind::Rsa4096, "RSA-4096"),
        (KeyKind::P256, "EC-P256"),
        (KeyKind::P384, "EC-P384"),
        (KeyKind::P521, "EC-P521"),
        (KeyKind::Secp256k1, "EC-secp256k1"),
    ] {
        let key = VaultKey::premium(kind).unwrap();
        let appraisal = appraise(&submission(key.answer().bytes, &key, true));
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{:#?}", appraisal.checks);
        assert_eq!((appraisal.route, appraisal.binding), (Route::ProviderStatement, Binding::Csr));
        assert!(appraisal.claims.named().all(|(_, c)| matches!(c.basis, Basis::Operator | Basis::Unknown)));
        for (name, value) in [
            (ClaimName::KeyAlgorithm, algorithm),
            (ClaimName::KeyGeneratedInDevice, "unknown"),
            (ClaimName::KeyExportable, "vendor-boundary"),
            (ClaimName::DeviceClass, "cloud-hsm"),
            (ClaimName::DeviceVendor, "Microsoft"),
            (ClaimName::DeviceModel, "Azure Key Vault"),
        ] {
            assert_eq!(text(&appraisal, name), value, "{name}");
        }
    }
}

#[test]
fn every_check_fails_where_it_must() {
    let mut seen = Seen::default();
    let key = VaultKey::premium(KeyKind::Rsa3072).unwrap();
    let handed_in = appraise(&submission(key.answer().bytes, &key, false));
    seen.fails(&handed_in, Authenticity::NotAttestable, &["unsigned-answer"]);
    silent(&handed_in);
    // Worthless as a whole.
    for (id, changes) in [
        ("json-malformed", &[("/key/n", json!(7))][..]),
        ("json-malformed", &[("/key/n", json!("!"))]),
        ("json-malformed", &[("/key/kty", json!("RSA-2"))]),
        ("json-malformed", &[("/key/d", json!("AQAB"))]),
        ("json-malformed", &[("/attributes/exportable", json!("false"))]),
        ("json-malformed", &[("/attributes/enabled", json!(1))]),
        ("json-malformed", &[("/attributes/hsmPlatform", json!(2))]),
        ("json-malformed", &[("/release_policy", json!("none"))]),
        (
            "kid-host",
            &[(
                "/key/kid",
                json!(
                    "https://emulated-vault.vault.azure.net.evil.example/keys/k/0123456789abcdef0123456789abcdef"
                ),
            )],
        ),
        (
            "kid-host",
            &[(
                "/key/kid",
                json!("http://emulated-vault.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef"),
            )],
        ),
    ] {
        let appraisal = changed(changes);
        seen.fails(&appraisal, Authenticity::NotAttestable, &[id]);
        silent(&appraisal);
    }
    let twice = key.bundle.to_string().replacen("\"kty\":", "\"kty\":\"RSA\",\"kty\":", 1);
    let appraisal = appraise(&submission(twice, &key, true));
    seen.fails(&appraisal, Authenticity::NotAttestable, &["json-malformed"]);
    silent(&appraisal);
    // Said of the key, and against it.
    for (ids, changes, class, exportable) in [
        (&["software-key"][..], &[("/key/kty", json!("RSA"))][..], "software", "unknown"),
        (&["software-key"], &[("/attributes/hsmPlatform", json!("0"))], "unknown", "unknown"),
        (&["exportable-key"], &[("/attributes/exportable", json!(true))], "cloud-hsm", "wrapped"),
        (&["exportable-key"], &[("/release_policy", json!({"data": "x"}))], "cloud-hsm", "wrapped"),
        (&["exportable-key"], &[("/releasePolicy", json!({"data": "x"}))], "cloud-hsm", "wrapped"),
        (&["hsm-platform-unknown"], &[("/attributes/hsmPlatform", Value::Null)], "cloud-hsm", "unknown"),
        (&["hsm-platform-unknown"], &[("/attributes/hsmPlatform", json!("3"))], "cloud-hsm", "unknown"),
        (&["key-disabled"], &[("/attributes/enabled", json!(false))], "cloud-hsm", "vendor-boundary"),
        (&["key-disabled"], &[("/attributes/enabled", Value::Null)], "cloud-hsm", "vendor-boundary"),
    ] {
        let appraisal = changed(changes);
        seen.fails(&appraisal, Authenticity::NotAttestable, ids);
        assert_eq!(appraisal.route, Route::ProviderStatement);
        assert_eq!(text(&appraisal, ClaimName::DeviceClass), class, "{changes:?}");
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), exportable, "{changes:?}");
    }
    let symmetric = changed(&[("/key/kty", json!("oct-HSM"))]);
    seen.fails(&symmetric, Authenticity::NotAttestable, &["symmetric-key"]);
    assert_eq!(symmetric.binding, Binding::None);
    // A finding.
    let old = changed(&[("/attributes/hsmPlatform", json!("1"))]);
    assert_eq!((failed(&old), found(&old)), (vec![], vec!["hsm-platform-old".to_owned()]));
    // Of those declared all but the finding failed above.
    let about = keyvouch::formats::about().find(|a| a.id == FORMAT).unwrap();
    for check in about.checks.iter().filter(|c| c.id != "hsm-platform-old") {
        let source = include_str!("azure_key_vault.rs");
        assert!(source.contains(&format!("\"{}\"", check.id)), "{} never fails here", check.id);
    }
}

#[test]
fn another_key_is_not_bound_and_a_nonce_is_not_answered() {
    let (key, other) =
        (VaultKey::premium(KeyKind::Rsa3072).unwrap(), VaultKey::premium(KeyKind::P256).unwrap());
    let appraisal = appraise(&submission(key.answer().bytes, &other, true));
    assert_eq!((failed(&appraisal), appraisal.binding), (vec!["csr-key-mismatch".to_owned()], Binding::None));
    let mut asked = submission(key.answer().bytes, &key, true);
    asked.nonce = Some(vec![1; 16]);
    assert_eq!(appraise(&asked).freshness, Freshness::NoNonceInEvidence);
}

#[test]
fn a_managed_hsm_is_not_a_vault() {
    let mut key = VaultKey::premium(KeyKind::Rsa3072).unwrap();
    key.bundle["key"]["kid"] = "https://p.managedhsm.azure.net/keys/k/1".into();
    let appraisal = judge(Reference::builtin().unwrap(), &submission(key.answer().bytes, &key, true));
    assert_eq!(appraisal.format, "azure-managed-hsm");
}
