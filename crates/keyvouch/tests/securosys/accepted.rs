//! Genuine evidence in every container, what it claims, and what the operator can allow.

use keyvouch::File;
use keyvouch_emulator as emulator;
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::securosys::{Document, Evidence, Primus, policy};
use serde_json::{Value, json};

use super::common::*;

fn claim(appraisal: &keyvouch::Appraisal, name: &str) -> Value {
    shown(appraisal)["claims"][name]["value"].clone()
}

fn detail(appraisal: &keyvouch::Appraisal, name: &str) -> Value {
    shown(appraisal)["details"][name]["value"].clone()
}

#[test]
fn every_sample_is_authentic_and_bound() {
    for sample in emulator::samples("securosys").unwrap() {
        let case = Case {
            request: sample.request.map(|f| File::new(f.name, f.bytes)),
            at: sample.at,
            options: sample.options.into_iter().collect(),
            anchors: sample.anchors.into_iter().map(|f| f.bytes).collect(),
            ..Case::of(files(sample.evidence))
        };
        let mut reversed = case.clone();
        reversed.evidence.reverse();
        for case in [case, reversed] {
            let appraisal = case.one();
            let variant = &sample.variant;
            assert_eq!(appraisal.authenticity.as_str(), "authentic", "{variant}: {:?}", failed(&appraisal));
            assert!(failed(&appraisal).is_empty(), "{variant}: {:?}", failed(&appraisal));
            assert!(findings(&appraisal).is_empty(), "{variant}: {:?}", findings(&appraisal));
            assert_eq!(appraisal.binding.as_str(), "csr", "{variant}");
            let expected = [
                ("key.generated_in_device", json!(true)),
                ("key.exportable", json!("vendor-boundary")),
                ("key.ever_exportable", json!(false)),
                ("key.purposes", json!(["sign"])),
                ("key.created_at", json!("2026-05-18T08:31:53Z")),
                ("device.class", json!("hsm")),
                ("device.vendor", json!("Securosys")),
                ("device.model", json!("Primus HSM")),
                ("device.serial", json!("18380001")),
                ("device.firmware", json!("unknown")),
                ("device.fips_mode", json!("unknown")),
            ];
            for (name, value) in expected {
                assert_eq!(claim(&appraisal, name), value, "{variant}: {name}");
            }
            let algorithm = match sample.variant.as_str() {
                "ed25519-ska" => "Ed25519",
                v if v.starts_with("p384") => "EC-P384",
                _ => "RSA-3072",
            };
            assert_eq!(claim(&appraisal, "key.algorithm"), json!(algorithm), "{variant}");
            let signature = match sample.variant.as_str() {
                "rsa3072-pss" => "RSA-PSS with SHA-256, salt of 32 bytes",
                "p384-ecdsa" => "ECDSA with SHA-256, DER",
                "p384-ecdsa-raw" => "ECDSA with SHA-256, r and s side by side",
                _ => "RSA PKCS#1 v1.5 with SHA-256",
            };
            assert_eq!(detail(&appraisal, "signature"), json!(signature), "{variant}");
        }
    }
}

/// aws-lc-rs does not take r and s side by side with SHA-256 for every curve.
#[test]
fn attestation_keys_on_other_curves() {
    let primus = Primus::with_attestation_key(KeyKind::P521).unwrap();
    let mut evidence = Evidence::new(&document(), &primus, SignAlg::EcdsaSha256).unwrap();
    assert!(failed(&Case::from(evidence.clone()).one()).is_empty());
    evidence.signature = side_by_side(&evidence.signature, 66);
    assert!(failed(&Case::from(evidence).one()).is_empty());
    let primus = Primus::with_attestation_key(KeyKind::Secp256k1).unwrap();
    let evidence = Evidence::new(&document(), &primus, SignAlg::EcdsaSha256Raw).unwrap();
    assert!(failed(&Case::from(evidence).one()).is_empty());
}

/// r ‖ s of a DER signature whose lengths are written in at most two bytes.
fn side_by_side(der: &[u8], field_len: usize) -> Vec<u8> {
    let mut rest = if der[1] == 0x81 { &der[3..] } else { &der[2..] };
    let mut out = Vec::new();
    while !rest.is_empty() {
        let len = usize::from(rest[1]);
        let number: Vec<u8> = rest[2..2 + len].iter().copied().skip_while(|b| *b == 0).collect();
        out.extend(vec![0; field_len - number.len()]);
        out.extend(number);
        rest = &rest[2 + len..];
    }
    out
}

#[test]
fn details_say_what_the_vocabulary_has_no_word_for() {
    let mut document = Document::of("it's <mine>", &key(KeyKind::Ed25519)).unwrap();
    let approver = key(KeyKind::P384).spki_der().unwrap();
    document.root.push(policy(1, &approver));
    document.set("attributes/modifiable", "true").unwrap();
    document.set("attributes/copyable", "true").unwrap();
    document
        .insert_before(
            "label",
            emulator::securosys::Element::text("uuid", "F6474FFA-F68EC585-383412B7-41EDAA40"),
        )
        .unwrap();
    document.set_root_attribute("storage", "external");
    let appraisal = Case::from(sign(&document)).one();
    assert!(failed(&appraisal).is_empty(), "{:?}", failed(&appraisal));
    let rule = "1 of 1 approvals, timelock 0 s, timeout 600 s";
    let expected = [
        ("label", json!("it's <mine>")),
        ("uuid", json!("F6474FFA-F68EC585-383412B7-41EDAA40")),
        ("creation", json!("generated")),
        ("storage", json!("external")),
        ("attested_at", json!("2026-05-20T14:19:33Z")),
        ("key_use_count", json!("1")),
        ("sensitive", json!(true)),
        ("always_sensitive", json!(true)),
        ("extractable", json!(false)),
        ("never_extractable", json!(true)),
        ("modifiable", json!(true)),
        ("copyable", json!(true)),
        ("destroyable", json!(true)),
        ("unique", json!(true)),
        ("eka_sign", json!("unknown")),
        ("approvals_needed", json!(true)),
        ("approvals_use", json!(rule)),
        ("approvals_block", json!(rule)),
        ("approvals_unblock", json!(rule)),
        ("approvals_modify", json!(rule)),
        ("blocked", json!(false)),
        ("attestation_key", json!("attestation-key")),
    ];
    for (name, value) in expected {
        assert_eq!(detail(&appraisal, name), value, "{name}");
    }
}

/// The user chooses the label; no reader may be led astray by it.
#[test]
fn a_label_is_only_a_label() {
    for label in [
        "public_key",
        "<public_key>AAAA</public_key>",
        "x</label><extractable>true</extractable><label>",
        "two\nlines",
        "&lt;extractable&gt;",
        "-----BEGIN CERTIFICATE-----",
        "<attest_time>",
        "<!DOCTYPE x>",
    ] {
        let document = Document::of(label, &key(KeyKind::Rsa3072)).unwrap();
        let mut evidence = sign(&document);
        evidence.label = "file".to_owned();
        let appraisal = Case::from(evidence).one();
        assert!(failed(&appraisal).is_empty(), "{label}: {:?}", failed(&appraisal));
        assert_eq!(detail(&appraisal, "label"), json!(label));
        assert_eq!(detail(&appraisal, "extractable"), json!(false));
    }
}

#[test]
fn the_unsigned_copy_counts_for_nothing() {
    let evidence = sign(&document());
    let mut lie = document();
    lie.set("attributes/extractable", "true").unwrap();
    lie.set("attributes/always_sensitive", "false").unwrap();
    for copy in [lie.unsigned_copy(), Value::Null, json!("x")] {
        let json = emulator::bundle::json(&evidence.tsb_json(copy)).unwrap();
        let case =
            Case::of(vec![File::new("key.json", json), File::new("chain.pem", evidence.chain_pem(true))]);
        assert!(failed(&case.one()).is_empty());
        assert_eq!(claim(&case.one(), "key.exportable"), json!("vendor-boundary"));
    }
}

/// In objects that approvers get, the pair has other names, and lies deep inside.
#[test]
fn approval_objects_hold_documents_too() {
    let evidence = sign(&document());
    let object = json!({"approvalToBeSigned": "x", "data": [{"keyAttributes":
        String::from_utf8(evidence.xml.clone()).unwrap(),
        "keyAttributesSignature": emulator::bundle::base64(&evidence.signature)}]});
    let json = emulator::bundle::json(&object).unwrap();
    let case =
        Case::of(vec![File::new("approval.json", json), File::new("chain.pem", evidence.chain_pem(false))]);
    assert!(failed(&case.one()).is_empty(), "{:?}", failed(&case.one()));
}

#[test]
fn a_signature_can_be_base64_text() {
    let mut evidence = sign(&document());
    evidence.signature = emulator::bundle::base64(&evidence.signature).into_bytes();
    assert!(failed(&Case::from(evidence).one()).is_empty());
}

/// Two archives of two devices: each document goes with the chain that it came with, and one appraisal each.
#[test]
fn each_archive_is_judged_by_itself() {
    let first = sign(&document());
    let other = Document::of("other", &key(KeyKind::P384)).unwrap();
    let second =
        Evidence::new(&other, &Primus::with_attestation_key(KeyKind::P256).unwrap(), SignAlg::EcdsaSha256);
    let second = second.unwrap();
    let mut case = Case::of(vec![
        File::new("first.zip", first.tsb_zip().unwrap()),
        File::new("second.zip", second.tsb_zip().unwrap()),
    ]);
    let all = case.all();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|a| failed(a).is_empty()));
    // The same once more beside the archive is no third.
    let case_with_copy = case.clone().file("first.xml", first.xml.clone());
    assert_eq!(case_with_copy.all().len(), 2);
    // With a request, only the document of its key counts.
    let request = emulator::csr::plain("x", &key(KeyKind::P384)).unwrap();
    case.request = Some(File::new("request.csr", emulator::pem::request(&request)));
    assert_eq!(claim(&case.one(), "key.algorithm"), json!("EC-P384"));
    assert_eq!(case.one().binding.as_str(), "csr");
}

/// A key out of the external key store is called imported, with flags as good as those of a generated one.
#[test]
fn the_external_store_can_be_allowed() {
    let external = |change: &dyn Fn(&mut Document)| {
        let mut document = document();
        document.set_root_attribute("creation", "imported");
        document.set_root_attribute("storage", "external");
        change(&mut document);
        Case::from(sign(&document))
    };
    let imported = external(&|_| {}).one();
    assert_eq!(failed(&imported), ["key-imported".to_owned()].into());
    assert_eq!(claim(&imported, "key.generated_in_device"), json!(false));
    assert_eq!(claim(&imported, "key.ever_exportable"), json!("unknown"));

    let allowed = external(&|_| {}).option("allow_external_store", true).one();
    assert!(failed(&allowed).is_empty());
    assert_eq!(findings(&allowed), ["key-imported".to_owned()].into());
    assert_eq!(claim(&allowed, "key.generated_in_device"), json!("unknown"));

    let one_flag_bad = external(&|d| d.set("attributes/always_sensitive", "false").unwrap());
    let one_flag_bad = one_flag_bad.option("allow_external_store", true).one();
    assert!(failed(&one_flag_bad).contains("key-imported"));
    let in_store = external(&|d| d.root.attributes.retain(|(name, _)| name != "storage"));
    assert!(failed(&in_store.option("allow_external_store", true).one()).contains("key-imported"));
}

#[test]
fn the_operator_sets_the_age() {
    let case = Case::from(sign(&document()));
    let too_old = |case: Case| failed(&case.one()).contains("time-attest-too-old");
    // Attested on 2026-05-20 at 14:19:33.
    assert!(!too_old(case.clone().at("2026-06-19T14:19:33Z")));
    assert!(too_old(case.clone().at("2026-06-19T14:19:34Z")));
    assert!(!too_old(case.clone().at("2026-06-19T14:19:34Z").option("max_age_days", 31)));
    assert!(too_old(case.clone().option("max_age_days", 11)));
    assert!(too_old(case.clone().option("max_age_days", 0)));
    assert!(!too_old(case.option("max_age_days", u64::MAX)));
}

/// What the document does not say is not claimed.
#[test]
fn missing_flags_leave_claims_unknown() {
    let without = |path: &str| {
        let mut document = document();
        document.remove(path).unwrap();
        Case::from(sign(&document)).one()
    };
    for purpose in ["sign", "decrypt", "derive", "unwrap"] {
        let appraisal = without(&format!("attributes/{purpose}"));
        assert!(failed(&appraisal).is_empty(), "{purpose}");
        assert_eq!(claim(&appraisal, "key.purposes"), json!("unknown"), "{purpose}");
    }
    assert_eq!(claim(&without("attributes/extractable"), "key.exportable"), json!("unknown"));
    assert_eq!(claim(&without("attributes/never_extractable"), "key.ever_exportable"), json!("unknown"));
    assert_eq!(claim(&without("attributes/always_sensitive"), "key.generated_in_device"), json!("unknown"));
    assert_eq!(claim(&without("create_time"), "key.created_at"), json!("unknown"));
}

#[test]
fn purposes_and_exportability_follow_the_flags() {
    let mut document = document();
    for flag in ["decrypt", "derive", "unwrap", "extractable"] {
        document.set(&format!("attributes/{flag}"), "true").unwrap();
    }
    document.set("attributes/never_extractable", "false").unwrap();
    let appraisal = Case::from(sign(&document)).one();
    assert_eq!(claim(&appraisal, "key.purposes"), json!(["sign", "decrypt", "agree", "wrap"]));
    assert_eq!(claim(&appraisal, "key.exportable"), json!("yes"));
    assert_eq!(claim(&appraisal, "key.ever_exportable"), json!(true));
    assert_eq!(claim(&appraisal, "key.generated_in_device"), json!("unknown"));
}

/// A chain and nothing else is recognised; certificates of others in the same files do not disturb.
#[test]
fn other_files_do_not_disturb() {
    let evidence = sign(&document());
    let piv = emulator::samples("yubikey-piv").unwrap().remove(0);
    let mut case = Case::from(evidence.clone());
    case.evidence.extend(files(piv.evidence));
    let ours: Vec<_> = case.all().into_iter().filter(|a| a.format == "securosys").collect();
    assert_eq!(ours.len(), 1);
    assert!(failed(&ours[0]).is_empty(), "{:?}", failed(&ours[0]));
    let readme = Case::from(evidence).file("README.md", "# About these files\n".repeat(20));
    assert!(failed(&readme.one()).is_empty());
}

#[test]
fn a_request_must_hold_the_attested_key() {
    let mut case = Case::from(sign(&document()));
    let mut judged = |der: &[u8]| {
        case.request = Some(File::new("request.csr", emulator::pem::request(der)));
        let appraisal = case.one();
        assert_eq!(appraisal.authenticity.as_str(), "authentic");
        assert_eq!(appraisal.binding.as_str(), "none");
        failed(&appraisal)
    };
    let other = emulator::csr::plain("x", &key(KeyKind::P384)).unwrap();
    assert_eq!(judged(&other), ["csr-key-mismatch".to_owned()].into());
    let mut bad = emulator::csr::plain("x", &key(KeyKind::Rsa3072)).unwrap();
    *bad.last_mut().unwrap() ^= 1;
    assert_eq!(judged(&bad), ["csr-signature".to_owned()].into());
}

#[test]
fn inspection_shows_without_judging() {
    let mut document = document();
    document.set("attributes/extractable", "maybe").unwrap();
    let mut evidence = sign(&document);
    evidence.signature.pop();
    let submission = keyvouch::Submission::new(files(evidence.jce_files()), AT.parse().unwrap());
    let shown = keyvouch::Verifier::new(keyvouch::Reference::empty()).inspect(&submission).unwrap();
    let view = &shown["statements"][0]["view"];
    assert_eq!(view["document"]["label"], "code_signing");
    assert_eq!(view["document"]["attributes"]["sensitive"], true);
    assert_eq!(
        view["document"]["faults"][0],
        "/private_key/attributes/extractable is \"maybe\", neither true nor false"
    );
    assert_eq!(view["signatures"][0]["bytes"], 383);
    assert_eq!(view["certificates"][1]["device_serial"], "18380001");
}
