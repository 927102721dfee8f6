//! Certification requests in every form, and what a statement is bound to by them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::sync::Arc;

use keyvouch::checks::Outcome;
use keyvouch::pki::CertificationRequest;
use keyvouch::{Appraisal, Authenticity, Binding, File, InputError, Reference, Submission, Verifier};
use keyvouch_emulator::csr::{self, Attribute, Request};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::yubikey_piv::{Carrier, Device, Hierarchy, Maker, Signed, pin, touch};
use keyvouch_emulator::{bundle, cms, der, pem, x509};

fn key(kind: KeyKind) -> Arc<Key> {
    Key::shared("csr", kind).unwrap()
}

fn request(kind: KeyKind, alg: SignAlg) -> Vec<u8> {
    let key = key(kind);
    Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap().sign(&key, alg).unwrap()
}

/// A YubiKey's statement about the key, and the verifier that trusts its maker.
fn attested(key: &Key) -> (Signed, Verifier) {
    let maker = Maker::new(Hierarchy::PivRoot).unwrap();
    let device = Device::new([5, 4, 3]).unwrap();
    let signed = maker.attest(&device, 0x9a, key, pin::ONCE, touch::NEVER).unwrap().sign().unwrap();
    let mut reference = Reference::empty();
    for file in maker.anchors() {
        reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
    }
    (signed, Verifier::new(reference))
}

fn try_bind(attested_key: &Key, request: impl Into<Vec<u8>>) -> Result<Appraisal, InputError> {
    let (signed, verifier) = attested(attested_key);
    let evidence = signed.carried(Carrier::TwoPems).unwrap();
    let evidence = evidence.into_iter().map(|file| File::new(file.name, file.bytes)).collect();
    let mut submission = Submission::new(evidence, "2026-06-01T00:00:00Z".parse().unwrap());
    submission.request = Some(File::new("request", request));
    let mut report = verifier.appraise(&submission)?;
    assert_eq!(report.appraisals.len(), 1);
    let appraisal = report.appraisals.remove(0);
    // A request says nothing of the evidence.
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    Ok(appraisal)
}

fn bind(attested_key: &Key, request: impl Into<Vec<u8>>) -> Appraisal {
    try_bind(attested_key, request).unwrap()
}

fn failed(appraisal: &Appraisal) -> Vec<&str> {
    appraisal.failed().map(|check| check.id.as_ref()).collect()
}

#[test]
fn requests_of_every_key_and_signature_are_bound() {
    for (kind, alg) in [
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256NoNull),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha384),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha512),
        (KeyKind::Rsa2048, SignAlg::RsaPssSha256),
        (KeyKind::Rsa3072, SignAlg::RsaPkcs1Sha256),
        (KeyKind::P256, SignAlg::EcdsaSha256),
        (KeyKind::P384, SignAlg::EcdsaSha384),
        (KeyKind::P521, SignAlg::EcdsaSha512),
        (KeyKind::P521, SignAlg::EcdsaSha384),
        (KeyKind::Secp256k1, SignAlg::EcdsaSha256),
        (KeyKind::Ed25519, SignAlg::Ed25519),
    ] {
        let appraisal = bind(&key(kind), request(kind, alg));
        assert_eq!(appraisal.binding, Binding::Csr, "{kind:?} {alg:?}: {:?}", failed(&appraisal));
        assert_eq!(failed(&appraisal), [""; 0], "{kind:?} {alg:?}");
    }
}

#[test]
fn requests_in_every_wrapping_are_bound() {
    let der = request(KeyKind::P256, SignAlg::EcdsaSha256);
    let text = pem::request(&der);
    let new = pem::encode("NEW CERTIFICATE REQUEST", &der);
    let json = serde_json::json!({ "csr": text });
    let zipped = [keyvouch_emulator::File::new("request.csr", text.clone())];
    let forms: [(&str, Vec<u8>); 13] = [
        ("DER", der.clone()),
        ("PEM", text.clone().into()),
        ("NEW CERTIFICATE REQUEST", new.clone().into()),
        ("CRLF", text.replace('\n', "\r\n").into()),
        ("BOM", format!("\u{feff}{text}").into()),
        ("BOM and CRLF", format!("\u{feff}{}", new.replace('\n', "\r\n")).into()),
        ("text around", format!("Certificate Request:\n    Data: …\n{text}\nend of file\n").into()),
        ("spaces at line ends", text.replace('\n', "  \n").into()),
        ("base64", bundle::base64(&der).into()),
        ("base64 of PEM", bundle::base64(text.as_bytes()).into()),
        ("gzip", bundle::gzip(&der).unwrap()),
        ("zip", bundle::zip(&zipped).unwrap()),
        ("JSON", bundle::json(&json).unwrap()),
    ];
    for (what, bytes) in forms {
        assert_eq!(bind(&key(KeyKind::P256), bytes).binding, Binding::Csr, "{what}");
    }
}

#[test]
fn a_request_with_attributes_or_without_the_field_is_read() {
    let key = key(KeyKind::P256);
    let plain = Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap();
    let extension = x509::extended_key_usage(&["1.3.6.1.5.5.7.3.3"]).unwrap();
    let full = plain
        .clone()
        .with(Attribute::extension_request(&[extension]).unwrap())
        .with(Attribute::new("1.2.840.113549.1.9.7", der::utf8_string("challenge")));
    assert_eq!(bind(&key, full.sign(&key, SignAlg::EcdsaSha256).unwrap()).binding, Binding::Csr);
    // Some makers leave the empty attributes out.
    let info = der::sequence(&[der::integer(&[0]), plain.subject.clone(), plain.spki.clone()]);
    let signature = key.sign(SignAlg::EcdsaSha256, &info).unwrap();
    let algorithm = SignAlg::EcdsaSha256.algorithm_identifier().unwrap();
    let bare = der::sequence(&[info, algorithm, der::bit_string(&signature)]);
    assert_eq!(bind(&key, bare).binding, Binding::Csr);
}

#[test]
fn what_is_no_request_is_an_error() {
    let good = request(KeyKind::P256, SignAlg::EcdsaSha256);
    let key = key(KeyKind::P256);
    let spoilt = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap();
        change(&mut request);
        request.sign(&key, SignAlg::EcdsaSha256).unwrap()
    };
    let cases: [(&str, Vec<u8>); 7] = [
        ("trailing byte", [good.clone(), vec![0]].concat()),
        ("cut", good[..good.len() - 1].to_vec()),
        ("version 2", spoilt(&|r| r.version = 1)),
        ("no key", spoilt(&|r| r.spki = der::null())),
        ("subject that is no name", spoilt(&|r| r.subject = der::null())),
        ("text", b"please certify my key".to_vec()),
        ("PEM of something else", pem::encode("CERTIFICATE REQUEST", &der::null()).into()),
    ];
    for (what, bytes) in cases {
        let error = try_bind(&key, bytes.clone()).unwrap_err();
        assert!(matches!(error, InputError::BadRequest { .. }), "{what}: {error}");
        assert!(CertificationRequest::from_der(&bytes).is_err(), "{what}");
    }
    for cut in 0..good.len() {
        assert!(CertificationRequest::from_der(&good[..cut]).is_err(), "cut to {cut}");
    }
}

#[test]
fn a_signature_by_another_key_proves_nothing() {
    for (kind, alg) in [
        (KeyKind::P256, SignAlg::EcdsaSha256),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
        (KeyKind::Ed25519, SignAlg::Ed25519),
    ] {
        let (own, other) = (key(kind), Key::shared("csr: other", kind).unwrap());
        let request = Request::new(x509::common_name("subscriber").unwrap(), &own).unwrap();
        let appraisal = bind(&own, request.sign(&other, alg).unwrap());
        assert_eq!(appraisal.binding, Binding::None, "{kind:?}");
        assert_eq!(failed(&appraisal), ["csr-signature"], "{kind:?}");
    }
}

#[test]
fn a_request_that_was_changed_after_signing_proves_nothing() {
    let good = request(KeyKind::P256, SignAlg::EcdsaSha256);
    for at in 0..good.len() {
        let mut spoilt = good.clone();
        spoilt[at] ^= 1;
        if let Ok(appraisal) = try_bind(&key(KeyKind::P256), spoilt) {
            assert_eq!(appraisal.binding, Binding::None, "byte {at}");
        }
    }
}

#[test]
fn weak_and_foreign_algorithms_prove_nothing() {
    let key = key(KeyKind::Rsa2048);
    let sha1 = der::sequence(&[der::oid("1.2.840.113549.1.1.5").unwrap(), der::null()]);
    let unknown = der::sequence(&[der::oid("1.2.840.113549.1.1.4").unwrap(), der::null()]);
    let foreign = SignAlg::EcdsaSha256.algorithm_identifier().unwrap();
    let no_parameters = der::sequence(&[der::oid("1.2.840.113549.1.1.10").unwrap()]);
    for (algorithm, says) in
        [(sha1, "SHA-1"), (unknown, "not supported"), (foreign, "cannot make"), (no_parameters, "SHA-1")]
    {
        let mut request = Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap();
        request.algorithm = Some(algorithm);
        let appraisal = bind(&key, request.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap());
        assert_eq!(appraisal.binding, Binding::None);
        assert_eq!(failed(&appraisal), ["csr-signature"]);
        let detail = &appraisal.failed().next().unwrap().detail;
        assert!(detail.contains(says), "{detail}");
    }
}

/// tpm2-openssl writes NULL parameters with ECDSA. They are let pass, told, and no way around anything else.
#[test]
fn null_parameters_of_ecdsa_are_let_pass_and_told() {
    let (own, other) = (key(KeyKind::P256), Key::shared("csr: other", KeyKind::P256).unwrap());
    let with = |parameters: Vec<u8>, signer: &Key| {
        let mut request = Request::new(x509::common_name("subscriber").unwrap(), &own).unwrap();
        request.algorithm = Some(der::sequence(&[der::oid("1.2.840.10045.4.3.2").unwrap(), parameters]));
        request.sign(signer, SignAlg::EcdsaSha256).unwrap()
    };
    let told = |appraisal: &Appraisal| {
        let infos = appraisal.checks.iter().filter(|c| c.id == "csr-signature" && c.outcome == Outcome::Info);
        infos.map(|c| c.detail.to_string()).collect::<Vec<_>>()
    };
    let request = with(der::null(), &own);
    let appraisal = bind(&own, request.clone());
    assert_eq!((appraisal.binding, failed(&appraisal)), (Binding::Csr, vec![]));
    assert!(told(&appraisal).iter().any(|detail| detail.contains("RFC 5758")));
    let request = CertificationRequest::from_der(&request).unwrap();
    assert!(request.has_ecdsa_null_parameters() && request.verify().is_err());

    // As it should be, nothing is told.
    let standard = bind(&own, csr::plain("subscriber", &own).unwrap());
    assert_eq!((standard.binding, told(&standard)), (Binding::Csr, vec![]));
    // Another key; other parameters.
    for request in [with(der::null(), &other), with(der::integer(&[1]), &own)] {
        let appraisal = bind(&own, request);
        assert_eq!((appraisal.binding, failed(&appraisal)), (Binding::None, vec!["csr-signature"]));
    }
    // Not with Ed25519, which has no parameters either.
    let own = key(KeyKind::Ed25519);
    let mut request = Request::new(x509::common_name("subscriber").unwrap(), &own).unwrap();
    request.algorithm = Some(der::sequence(&[der::oid("1.3.101.112").unwrap(), der::null()]));
    assert_eq!(failed(&bind(&own, request.sign(&own, SignAlg::Ed25519).unwrap())), ["csr-signature"]);
}

#[test]
fn a_request_for_another_key_is_not_bound() {
    let other = Key::shared("csr: other", KeyKind::P256).unwrap();
    let appraisal = bind(&key(KeyKind::P256), csr::plain("subscriber", &other).unwrap());
    assert_eq!(appraisal.binding, Binding::None);
    assert_eq!(failed(&appraisal), ["csr-key-mismatch"]);
    // Both wrong, both told.
    let request = Request::new(x509::common_name("subscriber").unwrap(), &other).unwrap();
    let request = request.sign(&key(KeyKind::P256), SignAlg::EcdsaSha256).unwrap();
    assert_eq!(failed(&bind(&key(KeyKind::P256), request)), ["csr-signature", "csr-key-mismatch"]);
}

#[test]
fn one_key_in_two_encodings_is_one_key() {
    // RSA with absent instead of NULL parameters in the request's SubjectPublicKeyInfo.
    let key = key(KeyKind::Rsa2048);
    let (n, e) = key.rsa_public().unwrap();
    let bits = der::sequence(&[der::integer(n), der::integer(e)]);
    let algorithm = der::sequence(&[der::oid("1.2.840.113549.1.1.1").unwrap()]);
    let mut request = Request::new(x509::common_name("subscriber").unwrap(), &key).unwrap();
    request.spki = der::sequence(&[algorithm, der::bit_string(&bits)]);
    let appraisal = bind(&key, request.sign(&key, SignAlg::RsaPkcs1Sha256).unwrap());
    assert_eq!(appraisal.binding, Binding::Csr);
}

#[test]
fn a_key_for_agreement_cannot_prove_possession_by_a_request() {
    let agreement = Key::generate(KeyKind::X25519).unwrap();
    let signer = key(KeyKind::Ed25519);
    let request = Request::new(x509::common_name("subscriber").unwrap(), &agreement).unwrap();
    let appraisal = bind(&agreement, request.sign(&signer, SignAlg::Ed25519).unwrap());
    assert_eq!(appraisal.binding, Binding::None);
    assert_eq!(failed(&appraisal), ["no-pop"]);
    // Its public key can be bound all the same, as can anything that asks for no proof.
    let appraisal = bind(&agreement, pem::public_key(&agreement.spki_der().unwrap()));
    assert_eq!((appraisal.binding, failed(&appraisal)), (Binding::PublicKey, vec![]));
}

fn certificate_of(subject: &Key) -> Vec<u8> {
    let issuer = key(KeyKind::Ed25519);
    let name = x509::common_name("subscriber").unwrap();
    let certificate =
        x509::Certificate::new(name, subject, "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z").unwrap();
    certificate.sign(&issuer, SignAlg::Ed25519).unwrap()
}

#[test]
fn certificates_and_public_keys_are_bound_by_their_key_alone() {
    let (own, other) = (key(KeyKind::P256), Key::shared("csr: other", KeyKind::P256).unwrap());
    let spki = |key: &Key| key.spki_der().unwrap();
    for (what, bytes, binding) in [
        ("certificate, PEM", pem::certificate(&certificate_of(&own)).into_bytes(), Binding::Certificate),
        ("certificate, DER", certificate_of(&own), Binding::Certificate),
        ("public key, PEM", pem::public_key(&spki(&own)).into_bytes(), Binding::PublicKey),
        ("public key, DER", spki(&own), Binding::PublicKey),
        ("other certificate", certificate_of(&other), Binding::None),
        ("other public key", spki(&other), Binding::None),
    ] {
        let appraisal = bind(&own, bytes);
        assert_eq!(appraisal.binding, binding, "{what}");
        let expected: &[&str] = if binding == Binding::None { &["csr-key-mismatch"] } else { &[] };
        assert_eq!(failed(&appraisal), expected, "{what}");
    }
}

#[test]
fn more_than_one_request_is_an_error() {
    let own = request(KeyKind::P256, SignAlg::EcdsaSha256);
    let other = request(KeyKind::Ed25519, SignAlg::Ed25519);
    let key = key(KeyKind::P256);
    let spki = pem::public_key(&key.spki_der().unwrap());
    for (what, text) in [
        ("two requests", pem::request(&own) + &pem::request(&other)),
        ("one request twice", pem::request(&own) + &pem::request(&own)),
        ("two certificates", pem::certificates(&[certificate_of(&key), certificate_of(&key)])),
        ("a certificate and a key", pem::certificate(&certificate_of(&key)) + &spki),
    ] {
        let error = try_bind(&key, text).unwrap_err();
        assert!(matches!(error, InputError::ManyRequests { count: 2, .. }), "{what}: {error}");
    }
    // A request with certificates beside it is one request.
    let text = pem::request(&own) + &pem::certificate(&certificate_of(&key));
    assert_eq!(bind(&key, text).binding, Binding::Csr);
}

#[test]
fn what_a_request_carries_is_not_the_request() {
    // A request that carries certificates of another key in a CMS attribute and an extension.
    let (own, other) = (key(KeyKind::P256), key(KeyKind::Ed25519));
    let carried = certificate_of(&other);
    let request = Request::new(x509::common_name("subscriber").unwrap(), &own)
        .unwrap()
        .with(Attribute::new("1.3.6.1.4.1.37623.26.4", cms::certs_only(&[&carried]).unwrap()))
        .with(
            Attribute::extension_request(&[x509::Extension::new("1.3.6.1.4.1.41482.3.1", carried.clone())])
                .unwrap(),
        );
    let request = request.sign(&own, SignAlg::EcdsaSha256).unwrap();
    assert_eq!(bind(&own, request.clone()).binding, Binding::Csr);
    assert_eq!(failed(&bind(&other, request)), ["csr-key-mismatch"]);
}

#[test]
fn without_a_request_nothing_is_bound() {
    let (signed, verifier) = attested(&key(KeyKind::P256));
    let evidence = signed.carried(Carrier::PemChain).unwrap();
    let evidence = evidence.into_iter().map(|file| File::new(file.name, file.bytes)).collect();
    let report =
        verifier.appraise(&Submission::new(evidence, "2026-06-01T00:00:00Z".parse().unwrap())).unwrap();
    assert_eq!(report.appraisals[0].binding, Binding::None);
    assert_eq!(failed(&report.appraisals[0]), [""; 0]);
}

#[test]
fn evidence_that_is_not_authentic_is_not_bound() {
    let key = key(KeyKind::P256);
    let (signed, _) = attested(&key);
    let evidence = signed.carried(Carrier::PemChain).unwrap();
    let evidence = evidence.into_iter().map(|file| File::new(file.name, file.bytes)).collect();
    let mut submission = Submission::new(evidence, "2026-06-01T00:00:00Z".parse().unwrap());
    submission.request = Some(File::new("request", csr::plain("subscriber", &key).unwrap()));
    let report = Verifier::new(Reference::empty()).appraise(&submission).unwrap();
    assert_ne!(report.appraisals[0].authenticity, Authenticity::Authentic);
    assert_eq!(report.appraisals[0].binding, Binding::None);
}
