//! What is authentic, and what it claims.

use keyvouch::{Authenticity, Basis, ClaimName, Freshness};
use keyvouch_emulator::android::tag;
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::samples;

use crate::bench::{Bench, key};
use crate::support::cases::of_sample;
use crate::support::judging::{failed, found, judge, text};

#[test]
fn every_sample_is_authentic() {
    for sample in samples("android").unwrap() {
        let case = of_sample(&sample);
        let appraisal = judge(case.reference, &case.submission);
        let what = &sample.variant;
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{what}: {:#?}", appraisal.checks);
        assert_eq!(failed(&appraisal), Vec::<String>::new(), "{what}");
        if what == "provisioning-request" {
            assert_eq!(text(&appraisal, ClaimName::KeyExportable), "unknown");
            assert_eq!(text(&appraisal, ClaimName::DeviceModel), "Emulator 1");
            continue;
        }
        assert_eq!(text(&appraisal, ClaimName::KeyGeneratedInDevice), "true", "{what}");
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), "never", "{what}");
        assert_eq!(text(&appraisal, ClaimName::KeyEverExportable), "false", "{what}");
        assert_eq!(text(&appraisal, ClaimName::DeviceFirmware), "16.0.0 2026-05", "{what}");
        let wanted: &[&str] = if what == "attest-key" { &["attest-key-chain"] } else { &[] };
        assert_eq!(found(&appraisal), wanted, "{what}");
        if sample.request.is_some() {
            assert_eq!(appraisal.binding.as_str(), "csr", "{what}");
        }
    }
}

#[test]
fn claims_are_those_of_the_hardware() {
    let appraisal = Bench::of_remote(&key("rsa", KeyKind::Rsa2048), |said| {
        said.hardware.numbers(tag::PURPOSE, &[3, 2, 1, 0]);
        said.hardware.remove(tag::NO_AUTH_REQUIRED);
        said.hardware.integer(tag::USER_AUTH_TYPE, 2);
        said.hardware.integer(tag::AUTH_TIMEOUT, 30);
        said.hardware.flag(tag::TRUSTED_USER_PRESENCE);
        said.hardware.text(tag::ID_MANUFACTURER, "Maker");
        said.hardware.text(tag::ID_MODEL, "Model");
        said.hardware.text(tag::ID_SERIAL, "S1");
        // What the operating system says is no claim.
        said.software.text(tag::ID_MODEL, "another");
    })
    .judge();
    let claim = |name| text(&appraisal, name);
    assert_eq!(claim(ClaimName::KeyAlgorithm), "RSA-2048");
    assert_eq!(claim(ClaimName::KeyPurposes), "sign, decrypt");
    assert_eq!(claim(ClaimName::AuthUserVerification), "cached");
    assert_eq!(claim(ClaimName::AuthTouch), "always");
    assert_eq!(claim(ClaimName::AuthPin), "unknown");
    assert_eq!(claim(ClaimName::DeviceClass), "tee");
    assert_eq!(claim(ClaimName::DeviceVendor), "Maker");
    assert_eq!(claim(ClaimName::DeviceModel), "Model");
    assert_eq!(claim(ClaimName::DeviceSerial), "S1");
    assert_eq!(claim(ClaimName::KeyCreatedAt), "unknown");
    let details: Vec<_> = appraisal.claims.details().collect();
    let detail = |name: &str| {
        details.iter().find(|(n, _)| *n == name).map(|(_, claim)| (claim.value.to_string(), claim.basis))
    };
    assert_eq!(detail("provisioning"), Some(("rkp".to_owned(), Basis::Attested)));
    assert_eq!(detail("certificates_issued_in_30_days"), Some(("8".to_owned(), Basis::Attested)));
    assert_eq!(detail("application"), Some(("com.example.enrol 7".to_owned(), Basis::Declared)));
    assert_eq!(detail("verified_boot_state"), Some(("verified".to_owned(), Basis::Attested)));
}

#[test]
fn a_key_that_was_not_generated_is_not_called_so() {
    let claims = |origin: Option<u64>| {
        let appraisal = Bench::saying(|said| match origin {
            Some(origin) => said.hardware.integer(tag::ORIGIN, origin),
            None => said.hardware.remove(tag::ORIGIN),
        })
        .judge();
        [ClaimName::KeyGeneratedInDevice, ClaimName::KeyExportable, ClaimName::KeyEverExportable]
            .map(|name| text(&appraisal, name))
    };
    for origin in [1, 2, 4] {
        assert_eq!(claims(Some(origin)), ["false", "unknown", "unknown"], "{origin}");
    }
    assert_eq!(claims(Some(3)), ["unknown", "unknown", "unknown"]);
    assert_eq!(claims(None), ["unknown", "unknown", "unknown"]);
    let exportable = Bench::saying(|said| said.software.flag(tag::EXPORTABLE)).judge();
    assert_eq!(text(&exportable, ClaimName::KeyExportable), "yes");
    assert_eq!(text(&exportable, ClaimName::KeyEverExportable), "unknown");
    let software = Bench::saying(|said| (said.attestation_level, said.key_level) = (0, 0)).judge();
    assert_eq!(text(&software, ClaimName::KeyGeneratedInDevice), "unknown");
    assert_eq!(text(&software, ClaimName::DeviceClass), "software");
}

#[test]
fn the_challenge_is_the_nonce() {
    let mut bench = Bench::factory();
    assert_eq!(bench.judge().freshness, Freshness::NotAsked);
    bench.nonce = Some(b"challenge".to_vec());
    assert_eq!(bench.judge().freshness, Freshness::NonceMatched);
    bench.nonce = Some(b"Challenge".to_vec());
    assert_eq!(bench.judge().freshness, Freshness::NonceMismatch);
    let mut empty = Bench::saying(|said| said.challenge.clear());
    empty.nonce = Some(b"challenge".to_vec());
    assert_eq!(empty.judge().freshness, Freshness::NoNonceInEvidence);
    assert_eq!(failed(&empty.judge()), ["challenge-mismatch"]);
}

#[test]
fn batch_certificates_of_2016_may_issue() {
    use keyvouch_emulator::der;
    use keyvouch_emulator::x509::{self, Extension, usage};
    let old = |critical: bool| {
        Bench::factory().changed(|chain| {
            let names = der::sequence(&[der::implicit(0, &der::sequence(&[der::implicit(2, b"invalid")]))]);
            let names = Extension { critical, ..Extension::new("2.5.29.30", names) };
            chain.links[1].certificate.extensions = vec![
                x509::basic_constraints(false, None).critical(),
                x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
                names,
            ];
        })
    };
    assert_eq!(failed(&old(false).judge()), Vec::<String>::new());
    // Only what real devices do is tolerated, and only there.
    assert_eq!(failed(&old(true).judge()), ["critical-extension"]);
    let remote = Bench::remote().changed(|chain| {
        let certificate = &mut chain.links[1].certificate;
        *certificate.extension_mut("2.5.29.19").unwrap() = x509::basic_constraints(false, None).critical();
    });
    assert_eq!(failed(&remote.judge()), ["ca-flag"]);
}

/// Evidence inside a request, in the two forms in which apps put it there.
#[test]
fn a_request_may_carry_the_chain() {
    use keyvouch::File;
    use keyvouch_emulator::csr::{Attribute, Request};
    use keyvouch_emulator::{bundle, cms, der, x509};
    let mut bench = Bench::factory();
    let ders = bench.chain.sign().unwrap();
    let x5c: Vec<String> = ders.iter().map(|der| bundle::base64(der)).collect();
    let json = serde_json::json!({ "typ": "android-key", "x5c": x5c }).to_string();
    let bag = cms::certs_only(&ders).unwrap();
    let key = bench.chain.links[0].key.clone();
    for value in [der::utf8_string(&json), der::octet_string(&bag), bag] {
        let name = x509::common_name("subscriber").unwrap();
        let request = Request::new(name, &key).unwrap().with(Attribute::new("1.2.3.4", value));
        let request = request.sign(&key, key.default_alg()).unwrap();
        bench.files = Some(vec![File::new("request.csr", request)]);
        let appraisal = bench.judge();
        assert_eq!(failed(&appraisal), Vec::<String>::new());
        // The request in which it came is the one that is bound.
        assert_eq!(appraisal.binding.as_str(), "csr");
    }
}

#[test]
fn files_that_do_not_belong_there_are_left_aside() {
    use keyvouch::File;
    use keyvouch_emulator::pem;
    let bench = Bench::factory();
    let ders = bench.chain.sign().unwrap();
    let stranger = key("stranger", KeyKind::P256);
    let name = keyvouch_emulator::x509::common_name("Stranger").unwrap();
    let stranger = keyvouch_emulator::x509::Certificate::new(
        name,
        &stranger,
        "2020-01-01T00:00:00Z",
        "2040-01-01T00:00:00Z",
    )
    .unwrap()
    .sign(&stranger, stranger.default_alg())
    .unwrap();
    let file = |(n, der): (usize, &Vec<u8>)| File::new(format!("{n}.der"), der.clone());
    let separate: Vec<File> = ders.iter().enumerate().map(file).collect();
    let whole = vec![File::new("chain.pem", pem::certificates(&ders))];
    let split =
        vec![File::new("lower.pem", pem::certificates(&ders[..2])), File::new("upper.der", ders[2].clone())];
    for files in [separate, whole, split] {
        for first in [true, false] {
            let mut bench = bench.clone();
            let mut files = files.clone();
            files.insert(if first { 0 } else { files.len() }, File::new("stranger.der", stranger.clone()));
            bench.files = Some(files.clone());
            assert_eq!((failed(&bench.judge()), found(&bench.judge())), (Vec::new(), Vec::new()));
            // Each file twice changes no claim.
            files.extend(files.clone());
            bench.files = Some(files);
            assert_eq!(bench.judge().authenticity, Authenticity::Authentic);
        }
    }
    // In one container with the chain it is part of what is claimed to be the chain.
    let mut mixed = bench;
    let all: Vec<_> = ders.iter().chain([&stranger]).collect();
    mixed.files = Some(vec![File::new("chain.pem", pem::certificates(&all))]);
    assert_eq!(failed(&mixed.judge()), ["chain-ambiguous"]);
}

#[test]
fn two_keys_in_two_files_are_two_statements() {
    use keyvouch::{File, Verifier};
    let (one, two) = (Bench::factory(), Bench::of_key(&key("other", KeyKind::P256), |_| {}));
    let mut submission = one.submission();
    submission.evidence.push(File::new("two.pem", two.chain.pem().unwrap().bytes));
    let report = Verifier::new(one.reference.clone()).appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 2);
    assert!(report.appraisals.iter().all(|a| a.authenticity == Authenticity::Authentic));
}
