//! What `keyvouch::witness` writes is what the format reads, whatever the key; the keys are those of the emulator.

use keyvouch::File;
use keyvouch::crypto::{PublicKey, Scheme};
use keyvouch::pki::Certificate;
use keyvouch::witness::sign::{Form, SignError, Unsigned};
use keyvouch::witness::{SCHEMA, template};
use keyvouch_emulator::key::{KeyKind, SignAlg};
use keyvouch_emulator::witness_statement::{Auditor, SIGNED};

use super::{Bench, STANDS, erika, failed, subject};

const FORMS: [Form; 4] = [Form::Cms, Form::CmsDetached, Form::Jws, Form::JwsJson];

/// The algorithm of an emulated key for what must be signed.
fn algorithm(scheme: Scheme, kind: KeyKind) -> SignAlg {
    match (scheme, kind) {
        (Scheme::RsaPkcs1(_), _) => SignAlg::RsaPkcs1Sha256,
        (Scheme::Ed25519, _) => SignAlg::Ed25519,
        (Scheme::Ecdsa(_), KeyKind::P384) => SignAlg::EcdsaSha384,
        (Scheme::Ecdsa(_), KeyKind::P521) => SignAlg::EcdsaSha512,
        (Scheme::EcdsaFixed(_), KeyKind::P256) => SignAlg::EcdsaSha256Raw,
        (Scheme::EcdsaFixed(_), KeyKind::P384) => SignAlg::EcdsaSha384Raw,
        (Scheme::EcdsaFixed(_), KeyKind::P521) => SignAlg::EcdsaSha512Raw,
        _ => SignAlg::EcdsaSha256,
    }
}

fn certificates(auditor: &Auditor) -> Vec<Certificate> {
    [auditor.der().unwrap(), auditor.root.der.clone()]
        .iter()
        .map(|der| Certificate::from_der(der).unwrap())
        .collect()
}

#[test]
fn every_form_with_every_key_is_read_back() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Rsa2048, KeyKind::Ed25519] {
        let auditor = Auditor::new("Erika Mustermann", kind).unwrap();
        let certificates = certificates(&auditor);
        for form in FORMS {
            let bench = Bench::new();
            let text = bench.text();
            let unsigned = Unsigned::new(&text, &certificates, form, SIGNED.parse().unwrap()).unwrap();
            let algorithm = algorithm(unsigned.scheme(), kind);
            let signature = auditor.key.sign(algorithm, unsigned.to_be_signed()).unwrap();
            let signed = unsigned.finish(&signature).unwrap();
            let mut files = vec![File::new("signed", signed)];
            if form == Form::CmsDetached {
                files.push(File::new("statement.json", text.clone()));
            }
            let appraisal = bench.judge_files(files);
            let what = format!("{kind:?} {form:?} {:#?}", appraisal.checks);
            assert_eq!((appraisal.authenticity, failed(&appraisal)), (STANDS, vec![]), "{what}");
        }
    }
}

#[test]
fn either_form_of_an_ecdsa_signature_is_taken() {
    let (auditor, text) = (erika(), Bench::new().text());
    let certificates = certificates(&auditor);
    for (form, algorithm) in [(Form::Cms, SignAlg::EcdsaSha256Raw), (Form::Jws, SignAlg::EcdsaSha256)] {
        let unsigned = Unsigned::new(&text, &certificates, form, SIGNED.parse().unwrap()).unwrap();
        let signature = auditor.key.sign(algorithm, unsigned.to_be_signed()).unwrap();
        let appraisal =
            Bench::new().judge_files(vec![File::new("signed", unsigned.finish(&signature).unwrap())]);
        assert_eq!(appraisal.authenticity, STANDS, "{form:?}");
    }
}

#[test]
fn nothing_is_made_of_a_wrong_signature_or_a_wrong_statement() {
    let (auditor, text) = (erika(), Bench::new().text());
    let certificates = certificates(&auditor);
    let at = SIGNED.parse().unwrap();
    let unsigned = Unsigned::new(&text, &certificates, Form::Cms, at).unwrap();
    let signature = subject().sign(SignAlg::EcdsaSha256, unsigned.to_be_signed()).unwrap();
    assert!(matches!(unsigned.finish(&signature), Err(SignError::Signature(_))));
    assert!(matches!(unsigned.finish(b""), Err(SignError::Signature(_))));
    let key = PublicKey::from_spki_der(&subject().spki_der().unwrap()).unwrap();
    let unread = template(Some(&key), None).to_string();
    assert!(unread.contains(SCHEMA));
    let why = Unsigned::new(unread.as_bytes(), &certificates, Form::Cms, at).unwrap_err();
    assert!(why.to_string().contains("not filled in"), "{why}");
    assert_eq!(Unsigned::new(&text, &[], Form::Cms, at).unwrap_err(), SignError::NoCertificate);
    let late = "2030-01-01T00:00:00Z".parse().unwrap();
    assert!(matches!(Unsigned::new(&text, &certificates, Form::Cms, late), Err(SignError::NotValid(_))));
}
