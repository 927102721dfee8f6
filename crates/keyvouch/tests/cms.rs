//! CMS SignedData: what is signed, by which key, and every way in which it can be wrong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic: that is how they fail"
)]

use std::sync::Arc;

use keyvouch::crypto::{PublicKey, SignatureError};
use keyvouch::pki::Certificate;
use keyvouch::pki::cms::{CmsFault, SignedData};
use keyvouch_emulator::cms::{self, Attribute, Signer};
use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
use keyvouch_emulator::{der, x509};

const TYPE: &str = "1.3.6.1.4.1.99999.7";
const DATA: &str = "1.2.840.113549.1.7.1";
const CONTENT: &[u8] = b"what is said";
const TIME: &str = "2026-05-01T12:00:00Z";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";

fn key(kind: KeyKind) -> Arc<Key> {
    Key::shared("cms test", kind).unwrap()
}

fn certificate(kind: KeyKind) -> x509::Certificate {
    let key = key(kind);
    let name = x509::common_name("signer").unwrap();
    let mut certificate =
        x509::Certificate::new(name, &key, "2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z").unwrap();
    certificate.extensions = vec![x509::subject_key_identifier(&[1, 2, 3])];
    certificate
}

fn message(kind: KeyKind) -> cms::SignedData {
    let certificate = certificate(kind);
    cms::SignedData {
        content_type: TYPE.to_owned(),
        content: CONTENT.to_vec(),
        detached: false,
        certificates: vec![certificate.sign(&key(kind), key(kind).default_alg()).unwrap()],
        signers: vec![Signer::new(&certificate, &key(kind), TYPE, CONTENT, TIME).unwrap()],
    }
}

fn public(kind: KeyKind) -> PublicKey {
    PublicKey::from_spki_der(&key(kind).spki_der().unwrap()).unwrap()
}

fn verify_as(message: &cms::SignedData, kind: KeyKind) -> Result<(), CmsFault> {
    let signed = message.sign().unwrap();
    let read = SignedData::read(&signed).unwrap();
    let content = read.content.octets.unwrap_or(CONTENT);
    read.signers[0].verify(read.content.kind, content, &public(kind))
}

fn verify(change: impl FnOnce(&mut cms::SignedData)) -> Result<(), CmsFault> {
    let mut message = message(KeyKind::P256);
    change(&mut message);
    verify_as(&message, KeyKind::P256)
}

#[test]
fn good_messages_verify() {
    let algorithms = [
        (KeyKind::P256, SignAlg::EcdsaSha256),
        (KeyKind::P384, SignAlg::EcdsaSha384),
        (KeyKind::P521, SignAlg::EcdsaSha512),
        (KeyKind::Rsa2048, SignAlg::RsaPkcs1Sha256),
        (KeyKind::Ed25519, SignAlg::Ed25519),
    ];
    for (kind, alg) in algorithms {
        assert_eq!(verify_as(&message(kind), kind), Ok(()), "{alg:?}");
    }
    let mut pss = message(KeyKind::Rsa2048);
    pss.signers[0].alg = SignAlg::RsaPssSha256;
    assert_eq!(verify_as(&pss, KeyKind::Rsa2048), Ok(()));
    // rsaEncryption with the digest named beside it.
    let mut old = message(KeyKind::Rsa2048);
    let rsa_encryption = [der::oid("1.2.840.113549.1.1.1").unwrap(), der::null()];
    old.signers[0].signature_algorithm = Some(der::sequence(&rsa_encryption));
    assert_eq!(verify_as(&old, KeyKind::Rsa2048), Ok(()));
    assert_eq!(verify(|m| m.detached = true), Ok(()));
    // Plain data needs no attributes.
    let plain = |m: &mut cms::SignedData| {
        m.content_type = DATA.to_owned();
        m.signers[0].attributes = None;
    };
    assert_eq!(verify(plain), Ok(()));
}

#[test]
fn signers_are_found_by_either_name_and_say_when() {
    let mut message = message(KeyKind::P256);
    let der = message.sign().unwrap();
    let own = Certificate::from_der(&message.certificates[0]).unwrap();
    let mut other = certificate(KeyKind::P256);
    (other.serial, other.extensions) = (vec![9], Vec::new());
    let other =
        Certificate::from_der(&other.sign(&key(KeyKind::P256), SignAlg::EcdsaSha256).unwrap()).unwrap();
    let read = SignedData::read(&der).unwrap();
    assert!(read.signers[0].is_by(&own) && !read.signers[0].is_by(&other));
    assert_eq!(read.signers[0].signing_time().unwrap().to_string(), TIME);
    assert_eq!(read.certificates, [own.der()]);
    assert_eq!(read.signers[0].has_digest_of(CONTENT), Some(true));
    assert_eq!(read.signers[0].has_digest_of(b"other"), Some(false));
    (message.signers[0].version, message.signers[0].id) = (3, cms::key_id(&[1, 2, 3]));
    let der = message.sign().unwrap();
    let read = SignedData::read(&der).unwrap();
    assert!(read.signers[0].is_by(&own) && !read.signers[0].is_by(&other));
}

#[test]
fn the_content_is_the_one_that_was_signed() {
    assert_eq!(verify(|m| m.content = b"something else".to_vec()), Err(CmsFault::Digest));
    let stranger = Key::shared("cms test: stranger", KeyKind::P256).unwrap();
    let invalid = Err(CmsFault::Signature(SignatureError::Invalid));
    assert_eq!(verify(|m| m.signers[0].key = stranger), invalid);
    assert!(matches!(verify_as(&message(KeyKind::P256), KeyKind::Rsa2048), Err(CmsFault::Signature(_))));
}

#[test]
fn attributes_are_what_they_must_be() {
    let faulty = |change: &dyn Fn(&mut cms::SignedData)| {
        assert!(matches!(verify(change), Err(CmsFault::Attributes(_))), "{:?}", verify(change));
    };
    let remove = |oid: &'static str| {
        move |m: &mut cms::SignedData| m.signers[0].attributes.as_mut().unwrap().retain(|a| a.oid != oid)
    };
    let repeat = |at: usize| {
        move |m: &mut cms::SignedData| {
            let attributes = m.signers[0].attributes.as_mut().unwrap();
            attributes.push(attributes[at].clone());
        }
    };
    faulty(&remove(CONTENT_TYPE));
    faulty(&remove(MESSAGE_DIGEST));
    faulty(&repeat(0));
    faulty(&repeat(1));
    // Another attribute twice is no better.
    faulty(&|m| {
        let attribute = Attribute { oid: "1.2.3".to_owned(), values: vec![der::null()] };
        m.signers[0].attributes.as_mut().unwrap().extend([attribute.clone(), attribute]);
    });
    // The type that was signed is another; several values; none; not an OCTET STRING.
    faulty(&|m| m.content_type = DATA.to_owned());
    for oid in [CONTENT_TYPE, MESSAGE_DIGEST] {
        faulty(&|m| m.signers[0].attribute_mut(oid).unwrap().push(der::null()));
        faulty(&|m| m.signers[0].attribute_mut(oid).unwrap().clear());
        faulty(&|m| *m.signers[0].attribute_mut(oid).unwrap() = vec![der::null()]);
    }
    // Absent, where the content is no plain data.
    faulty(&|m| m.signers[0].attributes = None);
}

/// The attributes of a signed message, handed over as the content of another.
#[test]
fn attributes_do_not_become_content() {
    let attributes = message(KeyKind::P256).signers[0].attributes.clone().unwrap();
    let each: Vec<_> = attributes
        .iter()
        .map(|a| der::sequence(&[der::oid(&a.oid).unwrap(), der::set_of(&a.values)]))
        .collect();
    let forged = |m: &mut cms::SignedData| {
        m.content_type = DATA.to_owned();
        m.content = der::set_of(&each);
        m.signers[0].attributes = None;
    };
    assert!(matches!(verify(forged), Err(CmsFault::Attributes(_))));
    // A SET of something else is a content like any other: no member begins as an attribute does.
    let set = |members: &[Vec<u8>]| {
        let content = der::set(members);
        verify(move |m: &mut cms::SignedData| {
            m.content_type = DATA.to_owned();
            m.content = content.clone();
            m.signers[0].attributes = None;
        })
    };
    let field = der::sequence(&[der::integer(&[1]), der::octet_string(b"x")]);
    assert_eq!(set(&[field.clone(), field.clone()]), Ok(()));
    for members in [vec![], vec![field.clone(), each[0].clone()], vec![der::null()], vec![field; 40]] {
        assert!(matches!(set(&members), Err(CmsFault::Attributes(_))), "{}", members.len());
    }
}

#[test]
fn algorithms_are_known_and_belong_together() {
    let digest = |oid: &str| Some(der::sequence(&[der::oid(oid).unwrap()]));
    let faulty = |change: &dyn Fn(&mut Signer)| verify(|m| change(&mut m.signers[0]));
    // SHA-384 beside ECDSA with SHA-256; SHA-224; parameters; no algorithm at all.
    for other in [digest("2.16.840.1.101.3.4.2.2"), digest("2.16.840.1.101.3.4.2.4"), Some(der::null())] {
        // The digest comes first: with another the content is not the one that was signed.
        let fault = faulty(&|s| s.digest_algorithm.clone_from(&other));
        assert!(matches!(fault, Err(CmsFault::Algorithm(_) | CmsFault::Digest)), "{fault:?}");
    }
    for other in ["1.2.840.10045.4.3.3", "1.2.840.10045.4.3.1", "1.2.3"] {
        let fault = faulty(&|s| s.signature_algorithm = digest(other));
        assert!(matches!(fault, Err(CmsFault::Algorithm(_))), "{fault:?}");
    }
    let weak = Err(CmsFault::Signature(SignatureError::WeakDigest));
    assert_eq!(faulty(&|s| s.digest_algorithm = digest("1.3.14.3.2.26")), weak);
    assert_eq!(faulty(&|s| s.signature_algorithm = digest("1.2.840.10045.4.1")), weak);
}

#[test]
fn what_is_no_signed_data_is_not_read() {
    let good = message(KeyKind::P256).sign().unwrap();
    for cut in 0..good.len() {
        assert!(SignedData::read(&good[..cut]).is_err());
    }
    assert!(SignedData::read(&[&good[..], &[0]].concat()).is_err());
    let changed = |change: &dyn Fn(&mut cms::SignedData)| {
        let mut message = message(KeyKind::P256);
        change(&mut message);
        SignedData::read(&message.sign().unwrap()).map(|_| ())
    };
    assert!(changed(&|m| m.signers[0].version = 3).is_err());
    assert!(changed(&|m| m.signers[0].version = 0).is_err());
    assert!(changed(&|m| m.signers[0].id = der::null()).is_err());
    assert!(changed(&|m| m.signers[0].id = cms::key_id(&[1])).is_err());
    assert_eq!(changed(&|m| m.signers.clear()), Ok(()));
}
