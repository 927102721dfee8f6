//! Making requests that carry their evidence.

use std::sync::Arc;

use keyvouch::pki::CertificationRequest;
use keyvouch::requests::{Bundle, EmbedError, Template, VENDOR_NUMBERS, assemble, name};
use keyvouch::{Authenticity, File, Submission, Verifier};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::pem;

use crate::bench::*;
use crate::support::cases::of_sample;

/// The key of an emulated subscriber, by the public key of his request.
fn subscriber(format: &str, request: &[u8]) -> Option<Arc<Key>> {
    let text = std::str::from_utf8(request).ok()?;
    let der = keyvouch::input::find_pem(text).into_iter().next()?.der?;
    let wanted = CertificationRequest::from_der(&der).ok()?.key().clone();
    let kind = match wanted.algorithm().as_str() {
        "RSA-2048" => KeyKind::Rsa2048,
        "RSA-3072" => KeyKind::Rsa3072,
        "RSA-4096" => KeyKind::Rsa4096,
        "EC-P256" => KeyKind::P256,
        "EC-P384" => KeyKind::P384,
        "EC-P521" => KeyKind::P521,
        "Ed25519" => KeyKind::Ed25519,
        _ => return None,
    };
    let key = Key::shared(&format!("{format}: subscriber"), kind).ok()?;
    (key.spki_der().ok()?.as_slice() == wanted.spki_der()).then_some(key)
}

fn embedded(
    verifier: &Verifier,
    submission: &Submission,
    key: &Key,
) -> Result<(Vec<u8>, Bundle), EmbedError> {
    let bundle = Bundle::of(verifier, submission)?;
    let spki = keyvouch::crypto::PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
    let info = Template::new(spki, name("CN=embedded").unwrap()).info(&bundle)?;
    let signature = key.sign(key.default_alg(), &info).unwrap();
    Ok((assemble(&info, &signature)?.der, bundle))
}

#[test]
fn evidence_of_every_format_goes_into_a_request_and_is_judged_there() {
    let mut carried = Vec::new();
    for (_, id) in VENDOR_NUMBERS {
        let Ok(samples) = keyvouch_emulator::samples(id) else { continue };
        // The showcase, and one more.
        for sample in samples.iter().take(2) {
            let Some(key) = sample.request.as_ref().and_then(|r| subscriber(id, &r.bytes)) else { continue };
            let case = of_sample(sample);
            let verifier = case.verifier();
            let beside = verifier.appraise(&case.submission).unwrap();
            let mut alone = case.submission.clone();
            alone.request = None;
            let (request, bundle) = embedded(&verifier, &alone, &key).unwrap();
            let mut inside = Submission::new(vec![File::new("new.csr", pem::request(&request))], alone.at);
            inside.options = alone.options.clone();
            let report = verifier.appraise(&inside).unwrap();
            let format = if bundle.statements()[0].kind == "2.23.133.20.1" { "csr-attestation" } else { id };
            let inside = report.appraisals.iter().find(|a| a.format == format);
            let inside = inside.unwrap_or_else(|| panic!("{}: {:#?}", case.id, report.appraisals));
            assert_eq!(inside.authenticity, Authenticity::Authentic, "{}: {:#?}", case.id, inside.checks);
            assert_eq!(inside.binding.as_str(), "csr", "{}", case.id);
            // It says the same as beside the request.
            assert_eq!(inside.claims, beside.appraisals[0].claims, "{}", case.id);
            assert_eq!(failed(inside), failed(&beside.appraisals[0]), "{}", case.id);
            carried.push(*id);
        }
    }
    carried.dedup();
    for id in ["yubikey-piv", "thales-luna", "securosys", "tpm", "nshield", "fortanix", "pkix-evidence"] {
        assert!(carried.contains(&id), "{id} was not tried: {carried:?}");
    }
}

#[test]
fn a_tpms_statement_goes_in_as_tcg_has_it() {
    let files = tpm(&own(), |_| {}).files();
    let files = files.into_iter().map(|f| File::new(f.name, f.bytes)).collect();
    let submission = Submission::new(files, AT.parse().unwrap());
    let (request, bundle) = embedded(&Verifier::new(reference()), &submission, &own()).unwrap();
    assert_eq!(bundle.statements()[0].kind, "2.23.133.20.1");
    assert_eq!(bundle.certificates(), 2);
    let appraisal = judge(request);
    assert_eq!(appraisal.format, "csr-attestation");
    accepts(&appraisal);
}

#[test]
fn a_request_keeps_what_it_had() {
    let files = yubikey(&own()).into_iter().map(|der| File::new("c.der", der)).collect();
    let submission = Submission::new(files, AT.parse().unwrap());
    let bundle = Bundle::of(&Verifier::new(reference()), &submission).unwrap();
    let asked = keyvouch_emulator::x509::key_usage(&[0]);
    let asked = keyvouch_emulator::csr::Attribute::extension_request(&[asked]).unwrap();
    let first =
        keyvouch_emulator::csr::Request::new(keyvouch_emulator::x509::common_name("kept").unwrap(), &own());
    // Evidence that it had is replaced.
    let first = first.unwrap().with(asked).with(crate::bench::bundle().attribute());
    let first = first.sign(&own(), SignAlg::EcdsaSha256).unwrap();
    let template = Template::like(&CertificationRequest::from_der(&first).unwrap()).unwrap();
    let info = template.info(&bundle).unwrap();
    let new = assemble(&info, &own().sign(SignAlg::EcdsaSha256, &info).unwrap()).unwrap();
    let read = CertificationRequest::from_der(&new.der).unwrap();
    assert_eq!(keyvouch::pki::name::common_name(read.subject()), Some("kept"));
    assert_eq!((read.requested_extensions().len(), read.attributes().count()), (1, 2));
    assert!(read.verify().is_ok());
    let appraisal = judge(new.der);
    assert_eq!(appraisal.format, "yubikey-piv");
    accepts(&appraisal);
}

#[test]
fn every_usual_signature_is_taken_and_no_other() {
    let submission =
        Submission::new(vec![File::new("c.der", yubikey(&own()).remove(0))], AT.parse().unwrap());
    let bundle = Bundle::of(&Verifier::new(reference()), &submission).unwrap();
    for (kind, algs) in [
        (KeyKind::P256, &[SignAlg::EcdsaSha256, SignAlg::EcdsaSha256Raw][..]),
        (KeyKind::P384, &[SignAlg::EcdsaSha384]),
        (KeyKind::Rsa2048, &[SignAlg::RsaPkcs1Sha256, SignAlg::RsaPkcs1Sha384, SignAlg::RsaPssSha256]),
        (KeyKind::Ed25519, &[SignAlg::Ed25519]),
    ] {
        let key = key("signer", kind);
        let spki = keyvouch::crypto::PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        let info = Template::new(spki, name("CN=a").unwrap()).info(&bundle).unwrap();
        for alg in algs {
            let made = assemble(&info, &key.sign(*alg, &info).unwrap()).unwrap();
            assert!(CertificationRequest::from_der(&made.der).unwrap().verify().is_ok(), "{alg:?}");
        }
        let wrong = key.sign(algs[0], b"something else").unwrap();
        assert!(matches!(assemble(&info, &wrong), Err(EmbedError::Signature { .. })));
        assert!(matches!(assemble(&info[1..], &wrong), Err(EmbedError::NotInfo)));
    }
}

#[test]
fn what_is_no_evidence_is_not_embedded() {
    let verifier = Verifier::new(reference());
    let embed =
        |files: Vec<File>| Bundle::of(&verifier, &Submission::new(files, AT.parse().unwrap())).map(|_| ());
    assert_eq!(embed(vec![File::new("notes", "nothing")]), Err(EmbedError::NotEvidence("notes".to_owned())));
    let root = keyvouch_emulator::tpm::AkAuthority::new().unwrap().root.der;
    let root = File::new("root.der", root);
    assert_eq!(embed(vec![root]), Err(EmbedError::NotEvidence("root.der".to_owned())));
    // A request that has evidence in it already.
    assert!(matches!(
        embed(vec![File::new("a.csr", request(&bundle()))]),
        Err(EmbedError::NotCarried("csr-attestation"))
    ));
}
