//! What is authentic, and what it claims.

use keyvouch::{Authenticity, Basis, ClaimName, File, Freshness, Value};
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::tpm::{
    AkAuthority, Command, Creation, SignatureForm, attribute, hierarchy, san, tpm2b,
};
use keyvouch_emulator::x509::{self, Text};
use keyvouch_emulator::{csr, pem, samples};

use crate::bench::{Bench, ak, altered, anchor_toml, certified, key, only, with_option};
use crate::refused::activation::Activated;
use crate::refused::certificates::keyid;
use crate::refused::statement::sha1;
use crate::support::judging::{failed, found};

#[test]
fn every_sample_is_authentic() {
    for format in ["tpm", "tpm-windows"] {
        for sample in samples(format).unwrap() {
            let mut reference = keyvouch::Reference::builtin().unwrap();
            for anchor in &sample.anchors {
                reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
            }
            let file = |f: &keyvouch_emulator::File| File::new(f.name.clone(), f.bytes.clone());
            let mut files: Vec<File> = sample.evidence.iter().map(file).collect();
            for _ in 0..2 {
                let mut submission = keyvouch::Submission::new(files.clone(), sample.at.parse().unwrap());
                submission.request = sample.request.as_ref().map(file);
                for (name, value) in &sample.options {
                    submission.options.set(name.clone(), value.clone());
                }
                let report = keyvouch::Verifier::new(reference.clone()).appraise(&submission).unwrap();
                let appraisal = only(report);
                assert_eq!(appraisal.format, format, "{}", sample.variant);
                assert_eq!(
                    appraisal.authenticity,
                    Authenticity::Authentic,
                    "{}: {:#?}",
                    sample.variant,
                    appraisal.checks
                );
                assert_eq!(failed(&appraisal), Vec::<String>::new(), "{}", sample.variant);
                let bound = if sample.request.is_some() { "csr" } else { "none" };
                assert_eq!(appraisal.binding.as_str(), bound, "{}", sample.variant);
                // Whatever the order of the files.
                files.reverse();
            }
        }
    }
}

fn text(appraisal: &keyvouch::Appraisal, name: ClaimName) -> String {
    appraisal.claims.value(name).to_string()
}

#[test]
fn claims_of_a_key_with_a_certified_attestation_key() {
    let mut bench = Bench::new();
    let subject = key("subject", KeyKind::P256);
    bench.request = Some(File::new("request.csr", pem::request(&csr::plain("test", &subject).unwrap())));
    bench.nonce = Some(bench.statement.nonce.clone());
    let ak_key = bench.statement.ak.key.spki_der().unwrap();
    let appraisal = bench.judge();
    let claims: Vec<(ClaimName, String, Basis)> = appraisal
        .claims
        .named()
        .filter(|(_, c)| !c.value.is_unknown())
        .map(|(n, c)| (n, c.value.to_string(), c.basis))
        .collect();
    let spki = |der: &[u8]| crate::bench::hex(&keyvouch::crypto::sha256(der));
    let wanted = [
        (ClaimName::DeviceClass, "tpm".to_owned(), Basis::Implied),
        (ClaimName::DeviceFirmware, "15.23".to_owned(), Basis::Attested),
        (ClaimName::DeviceModel, "SLB9672".to_owned(), Basis::Attested),
        (ClaimName::DeviceSerial, spki(&ak_key), Basis::Attested),
        (ClaimName::DeviceVendor, "Infineon".to_owned(), Basis::Attested),
        (ClaimName::KeyAlgorithm, "EC-P256".to_owned(), Basis::Attested),
        (ClaimName::KeyEverExportable, "false".to_owned(), Basis::Attested),
        (ClaimName::KeyExportable, "never".to_owned(), Basis::Attested),
        (ClaimName::KeyGeneratedInDevice, "true".to_owned(), Basis::Attested),
        (ClaimName::KeyPurposes, "sign".to_owned(), Basis::Attested),
        (ClaimName::KeySpkiSha256, spki(&subject.spki_der().unwrap()), Basis::Attested),
    ];
    assert_eq!(claims, wanted);
    assert_eq!((appraisal.binding.as_str(), appraisal.freshness), ("csr", Freshness::NonceMatched));
}

/// Attributes, and what follows for origin and export.
#[test]
fn attributes_say_where_a_key_may_go() {
    use attribute::{
        ENCRYPTED_DUPLICATION, FIXED_PARENT, FIXED_TPM, SENSITIVE_DATA_ORIGIN, SIGN, USER_WITH_AUTH,
    };
    const BASE: u32 = SIGN | USER_WITH_AUTH;
    let cases = [
        (FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN, "true", "never", "false"),
        (FIXED_TPM | FIXED_PARENT, "unknown", "never", "false"),
        // Travels with its parent.
        (FIXED_PARENT | SENSITIVE_DATA_ORIGIN, "unknown", "wrapped", "true"),
        (ENCRYPTED_DUPLICATION | SENSITIVE_DATA_ORIGIN, "unknown", "wrapped", "true"),
        // TPM2_Import takes an outside key that says it was generated inside.
        (SENSITIVE_DATA_ORIGIN, "unknown", "yes", "true"),
        (0, "false", "yes", "true"),
    ];
    for (attributes, generated, exportable, ever) in cases {
        let appraisal = altered(|s| s.public.attributes = BASE | attributes).judge();
        assert_eq!(appraisal.authenticity, Authenticity::Authentic);
        assert_eq!(text(&appraisal, ClaimName::KeyGeneratedInDevice), generated, "{attributes:x}");
        assert_eq!(text(&appraisal, ClaimName::KeyExportable), exportable, "{attributes:x}");
        assert_eq!(text(&appraisal, ClaimName::KeyEverExportable), ever, "{attributes:x}");
    }
    let derived = altered(|s| s.public.attributes = BASE | FIXED_TPM | FIXED_PARENT);
    let derived = with_option(derived, "derived_keys", "allow").judge();
    let claim = derived.claims.get(ClaimName::KeyGeneratedInDevice).unwrap();
    assert_eq!((&claim.value, claim.basis), (&Value::Bool(true), Basis::Implied));
}

#[test]
fn purposes() {
    use attribute::{DECRYPT, RESTRICTED, SIGN};
    let rest = keyvouch_emulator::tpm::SUBJECT_KEY & !SIGN;
    for (kind, bits, purposes) in [
        (KeyKind::P256, SIGN, "sign"),
        (KeyKind::P256, SIGN | DECRYPT, "sign, agree"),
        (KeyKind::Rsa2048, SIGN | DECRYPT, "sign, decrypt"),
        (KeyKind::Rsa2048, DECRYPT, "decrypt"),
        (KeyKind::Rsa2048, DECRYPT | RESTRICTED, "wrap"),
    ] {
        let mut bench = Bench::of(kind, KeyKind::P256);
        bench.statement.public.attributes = rest | bits;
        assert_eq!(text(&bench.judge(), ClaimName::KeyPurposes), purposes);
    }
}

#[test]
fn a_pinned_attestation_key_names_no_maker() {
    let spki = key_spki();
    let forms: [fn(&Bench) -> Vec<u8>; 4] = [
        |b| b.statement.ak.public.bytes(),
        |b| tpm2b(&b.statement.ak.public.bytes()),
        |_| key_spki(),
        |_| pem::public_key(&key_spki()).into_bytes(),
    ];
    for form in forms {
        let mut bench = Bench::new();
        bench.pin();
        bench.distrust();
        bench.pinned = Some(form(&bench));
        let appraisal = bench.judge();
        assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
        assert_eq!(text(&appraisal, ClaimName::DeviceVendor), "unknown");
        assert_eq!(appraisal.claims.get(ClaimName::DeviceClass).unwrap().basis, Basis::Operator);
        let serial = crate::bench::hex(&keyvouch::crypto::sha256(&spki));
        assert_eq!(text(&appraisal, ClaimName::DeviceSerial), serial);
    }
}

fn key_spki() -> Vec<u8> {
    ak(KeyKind::P256).key.spki_der().unwrap()
}

#[test]
fn an_activated_attestation_key_is_of_the_tpm_of_the_endorsement_key() {
    let ek = key("EK", KeyKind::Rsa2048).spki_der().unwrap();
    let appraisal = Activated::new().bench().judge();
    assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
    let vendor = appraisal.claims.get(ClaimName::DeviceVendor).unwrap();
    assert_eq!((vendor.value.as_text(), vendor.basis), (Some("STMicroelectronics"), Basis::Operator));
    let serial = crate::bench::hex(&keyvouch::crypto::sha256(&ek));
    assert_eq!(text(&appraisal, ClaimName::DeviceSerial), serial);
    let path = appraisal.trust.unwrap().path().to_vec();
    assert_eq!(path.last().map(String::as_str), Some("attestation key, by activation"));
    // An EK certificate may outlive its dates by the operator's leave.
    let mut late = Activated::new().bench();
    late.at = "2046-01-01T00:00:00Z";
    late.options.retain(|(name, _)| *name != "activation");
    let record = serde_json::json!({
        "ek_spki_sha256": serial,
        "ak_name": crate::bench::hex(&late.statement.ak.public.name()),
        "expires": "2046-01-01T01:00:00Z",
    });
    let late = with_option(with_option(late, "activation", record), "accept_expired", true).judge();
    assert_eq!(failed(&late), Vec::<String>::new());
    assert!(found(&late).iter().any(|f| f == "expired"));
}

#[test]
fn virtual_tpms_are_software() {
    let swtpm =
        certified(|c| *c.extension_mut("2.5.29.17").unwrap() = san("id:00001014", "swtpm", "1").unwrap());
    let appraisal = swtpm.judge();
    assert_eq!(text(&appraisal, ClaimName::DeviceClass), "software");
    assert_eq!(text(&appraisal, ClaimName::DeviceVendor), "swtpm");
    let mut bench = Bench::new();
    bench.distrust();
    let data = anchor_toml(&bench.authority.root, "virtual");
    bench.reference.load_operator_file("virtual.toml", &data).unwrap();
    assert_eq!(text(&bench.judge(), ClaimName::DeviceClass), "software");
}

/// Google's certificates of attestation keys have no purpose and no names of maker and model; under Google's own
/// roots only.
#[test]
fn the_exception_for_google_is_for_google() {
    let plain = |role: &str, organization: &str| {
        let mut authority = AkAuthority::new().unwrap();
        let name =
            x509::name(&[("O", Text::Utf8, organization), ("CN", Text::Utf8, "EK/AK CA Root")]).unwrap();
        let mut root = authority.root.certificate.clone();
        (root.subject, root.issuer) = (name.clone(), name);
        authority.root =
            x509::Authority::root(root, authority.root.key.clone(), SignAlg::EcdsaSha384).unwrap();
        let issuer = authority.issuer.clone();
        authority.issuer =
            authority.root.subordinate(issuer.certificate, issuer.key, SignAlg::EcdsaSha384).unwrap();
        let mut bench = Bench::with(authority, KeyKind::P256, ak(KeyKind::P256));
        bench.distrust();
        let data = anchor_toml(&bench.authority.root, role);
        bench.reference.load_operator_file("google.toml", &data).unwrap();
        let certificate = &mut bench.statement.ak_certificate.as_mut().unwrap().0;
        certificate.remove_extension("2.5.29.37");
        certificate.remove_extension("2.5.29.17");
        bench.judge()
    };
    let google = plain("virtual", "Google LLC");
    assert_eq!(google.authenticity, Authenticity::Authentic, "{:#?}", google.checks);
    assert_eq!(text(&google, ClaimName::DeviceVendor), "Google");
    assert_eq!(text(&google, ClaimName::DeviceClass), "software");
    assert_eq!(failed(&plain("virtual", "Somebody LLC")), ["tpm-aik-profile"]);
    assert_eq!(failed(&plain("discrete", "Google LLC")), ["tpm-aik-profile"]);
}

/// SHA-1 is let pass below Microsoft's root, and nowhere else by default.
#[test]
fn sha1_below_microsofts_root_is_a_finding() {
    let below = |name: &str, role: &str| {
        let authority = AkAuthority::named(name, "EUS-IFX-KEYID-00112233445566778899").unwrap();
        let ak = ak(KeyKind::Rsa2048).signing(SignAlg::RsaPkcs1Sha1);
        let mut bench = Bench::with(authority, KeyKind::P256, ak);
        bench.distrust();
        let data = anchor_toml(&bench.authority.root, role);
        bench.reference.load_operator_file("roots.toml", &data).unwrap();
        bench
    };
    const ROOT: &str = "Microsoft TPM Root Certificate Authority 2014";
    let microsofts = below(ROOT, "attestation-ca").judge();
    assert_eq!(failed(&microsofts), Vec::<String>::new());
    assert!(found(&microsofts).iter().any(|f| f == "weak-signature"));
    let details: Vec<_> = microsofts.details.details().filter(|(n, _)| *n == "ek_issuer").collect();
    assert_eq!(details[0].1.value.as_text(), Some("KEYID-00112233445566778899"));
    assert_eq!(failed(&below(ROOT, "discrete").judge()), ["weak-signature"]);
    assert_eq!(failed(&below("Another Root", "attestation-ca").judge()), ["weak-signature"]);
    let refused = with_option(below(ROOT, "attestation-ca"), "sha1_attestation", "refuse").judge();
    assert_eq!(failed(&refused), ["weak-signature"]);
    // Without any trust the answer is undecided anyhow, and SHA-1 only a finding.
    let mut alone = sha1();
    alone.statement.ak_certificate = None;
    alone.extra.push(File::new("ak.pub", tpm2b(&alone.statement.ak.public.bytes())));
    let alone = alone.judge();
    assert_eq!(failed(&alone), ["ak-unknown"]);
    assert!(found(&alone).iter().any(|f| f == "weak-signature"));
    // ECDSA with SHA-1, as Google's attestation keys sign.
    let ecdsa = ak(KeyKind::P256).signing(SignAlg::EcdsaSha1);
    let ecdsa = Bench::with(AkAuthority::new().unwrap(), KeyKind::P256, ecdsa);
    let ecdsa = with_option(ecdsa, "sha1_attestation", "allow").judge();
    assert_eq!(failed(&ecdsa), Vec::<String>::new());
}

#[test]
fn nonces() {
    let asked = |own: Vec<u8>| {
        let mut bench = altered(|s| s.nonce = own);
        bench.nonce = Some(vec![7; 32]);
        let appraisal = bench.judge();
        assert_eq!(appraisal.authenticity, Authenticity::Authentic);
        (appraisal.freshness, failed(&appraisal))
    };
    let mismatch = || vec!["nonce-mismatch".to_owned()];
    assert_eq!(asked(vec![7; 32]), (Freshness::NonceMatched, vec![]));
    assert_eq!(asked(vec![7; 31]), (Freshness::NonceMismatch, mismatch()));
    assert_eq!(asked(vec![]), (Freshness::NoNonceInEvidence, mismatch()));
    assert_eq!(asked(vec![0, 0xff, 0x55, 0xaa]), (Freshness::NoNonceInEvidence, mismatch()));
}

#[test]
fn an_issuer_agrees_with_the_maker() {
    let appraisal = keyid("EUS-IFX-KeyId-00112233445566778899").judge();
    assert_eq!(failed(&appraisal), Vec::<String>::new());
    assert!(appraisal.checks.iter().any(|c| c.id == "device-maker-mismatch"));
}

/// An authority that the operator handed over is his anchor, whoever issued it.
#[test]
fn an_intermediate_of_the_operator_is_an_anchor() {
    let mut bench = Bench::new();
    bench.distrust();
    let issuer = pem::certificate(&bench.authority.issuer.der);
    bench.reference.load_operator_certificates("issuer.pem", issuer.as_bytes()).unwrap();
    assert_eq!(bench.judge().authenticity, Authenticity::Authentic);
}

#[test]
fn two_statements_are_two_appraisals_whatever_the_order() {
    let first = Bench::new();
    let mut second = Bench::new();
    second.statement.public =
        keyvouch_emulator::tpm::Public::of(&key("second", KeyKind::P384), 0x0004_0072).unwrap();
    second.statement.form = SignatureForm::Bare;
    let other = second.statement.sign().unwrap();
    let mut both = first;
    for file in other.files().into_iter().filter(|f| f.name.starts_with("key.")) {
        both.extra.push(File::new(format!("second-{}", file.name), file.bytes));
    }
    let (reference, mut submission) = both.submission();
    let verifier = keyvouch::Verifier::new(reference);
    for _ in 0..2 {
        let report = verifier.appraise(&submission).unwrap();
        let mut algorithms: Vec<String> =
            report.appraisals.iter().map(|a| text(a, ClaimName::KeyAlgorithm)).collect();
        algorithms.sort();
        assert_eq!(algorithms, ["EC-P256", "EC-P384"]);
        submission.evidence.reverse();
    }
}

/// Counters and firmware are true when the attestation key is in the endorsement hierarchy.
#[test]
fn firmware_is_told_only_where_it_is_not_scrambled() {
    let of = |parent: Vec<u8>, with_public: bool| {
        let mut bench = Bench::new();
        bench.statement.ak.parent = parent;
        bench.statement.change = |a| a.firmware_version = 0x000f_0017_0001_0002;
        bench.pin();
        if !with_public {
            bench.pinned = Some(key_spki());
        }
        text(&bench.judge(), ClaimName::DeviceFirmware)
    };
    let endorsement = hierarchy::ENDORSEMENT.to_be_bytes().to_vec();
    assert_eq!(of(endorsement.clone(), true), "15.23.1.2");
    assert_eq!(of(endorsement, false), "unknown");
    assert_eq!(of(keyvouch_emulator::tpm::storage_key(), true), "unknown");
}

#[test]
fn creation_data_tells_the_parent() {
    let mut bench = altered(|s| {
        s.command = Command::CertifyCreation;
        s.creation = Creation::primary(hierarchy::OWNER);
        s.creation.outside_info = vec![1, 2, 3];
    });
    bench.nonce = Some(bench.statement.nonce.clone());
    let appraisal = bench.judge();
    let detail =
        |name: &str| appraisal.details.details().find(|(n, _)| *n == name).map(|(_, c)| c.value.to_string());
    assert_eq!(detail("hierarchy").as_deref(), Some("owner (primary key)"));
    assert_eq!(detail("creation_outside_info").as_deref(), Some("010203"));
}

#[test]
fn inspection_decodes_without_judging() {
    let (reference, submission) = altered(|s| s.command = Command::CertifyCreation).submission();
    let view = keyvouch::Verifier::new(reference).inspect(&submission).unwrap();
    let kinds: Vec<String> = view["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["view"]["is"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds, ["TPMS_ATTEST", "TPMT_PUBLIC", "TPMT_SIGNATURE", "TPMS_CREATION_DATA"]);
}
