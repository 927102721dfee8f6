//! The quality of an attested key, both ways, through the whole verifier: authentic statements about bad keys.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;

use keyvouch::checks::{OnFail, Outcome};
use keyvouch::{Appraisal, Authenticity, File, Reference, Submission, Verifier};
use keyvouch_emulator::key::{self, Key, KeyKind};
use keyvouch_emulator::yubikey_piv::{Carrier, Device, Hierarchy, Maker, pin, touch};
use num_bigint::BigUint;

const E: &[u8] = &[1, 0, 1];

/// The appraisal of a YubiKey's authentic statement about any SubjectPublicKeyInfo.
fn appraise(spki: Vec<u8>) -> Appraisal {
    let maker = Maker::new(Hierarchy::Root1).unwrap();
    let device = Device::new([5, 7, 4]).unwrap();
    let any = Key::shared("key quality", KeyKind::P256).unwrap();
    let mut attestation = maker.attest(&device, 0x9a, &any, pin::ONCE, touch::NEVER).unwrap();
    attestation.leaf.spki = spki;
    let files = attestation.sign().unwrap().carried(Carrier::PemFullChain).unwrap();
    let mut reference = Reference::empty();
    for file in maker.anchors() {
        reference.load_operator_certificates(&file.name, &file.bytes).unwrap();
    }
    let files = files.into_iter().map(|file| File::new(file.name, file.bytes)).collect();
    let submission = Submission::new(files, "2026-06-01T00:00:00Z".parse().unwrap());
    let mut report = Verifier::new(reference).appraise(&submission).unwrap();
    assert_eq!(report.appraisals.len(), 1);
    report.appraisals.remove(0)
}

/// Exactly these checks fail, and the statement is authentic all the same.
#[track_caller]
fn fails(spki: Vec<u8>, expected: &[&str]) {
    let appraisal = appraise(spki);
    assert_eq!(appraisal.authenticity, Authenticity::Authentic);
    let failed: BTreeSet<&str> = appraisal.failed().map(|check| check.id.as_ref()).collect();
    assert_eq!(failed, expected.iter().copied().collect());
    assert!(appraisal.failed().all(|check| check.means == Some(OnFail::Unfit) && check.advice.is_some()));
}

fn passes(appraisal: &Appraisal, id: &str) -> bool {
    appraisal.checks.iter().any(|check| check.id == id && check.outcome == Outcome::Pass)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    key::rsa_spki(modulus, exponent).unwrap()
}

/// A real modulus of 2048 bits.
fn modulus() -> Vec<u8> {
    Key::shared("key quality", KeyKind::Rsa2048).unwrap().rsa_public().unwrap().0.to_vec()
}

fn number(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_be(bytes)
}

#[test]
fn sound_keys_pass_every_check() {
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096] {
        let key = Key::shared("key quality", kind).unwrap();
        let appraisal = appraise(key.spki_der().unwrap());
        for id in ["weak-key", "roca-key", "rsa-modulus", "rsa-close-primes", "rsa-exponent"] {
            assert!(passes(&appraisal, id), "{kind:?} {id}");
        }
    }
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Secp256k1] {
        let key = Key::shared("key quality", kind).unwrap();
        let appraisal = appraise(key.spki_der().unwrap());
        assert!(passes(&appraisal, "ec-point"), "{kind:?}");
        assert_eq!(appraisal.failed().count(), 0, "{kind:?}");
    }
    for kind in [KeyKind::Ed25519, KeyKind::X25519] {
        let key = Key::shared("key quality", kind).unwrap();
        fails(key.spki_der().unwrap(), &[]);
    }
}

#[test]
fn short_rsa_keys_are_weak() {
    let short = Key::shared("key quality", KeyKind::Rsa1024).unwrap();
    fails(short.spki_der().unwrap(), &["weak-key"]);
    // One bit short, and just long enough.
    let n = number(&modulus());
    let shorter: BigUint = (&n >> 1_u32) | BigUint::from(1_u32);
    let appraisal = appraise(rsa(&shorter.to_bytes_be(), E));
    assert!(appraisal.failed().any(|check| check.id == "weak-key"));
    let (long, _) = (n, ());
    assert!(passes(&appraise(rsa(&long.to_bytes_be(), E)), "weak-key"));
}

#[test]
fn moduli_with_the_roca_fingerprint_are_found() {
    for octets in [256, 384, 512] {
        let modulus = key::roca_modulus(octets);
        let appraisal = appraise(rsa(&modulus, E));
        let failed: Vec<_> = appraisal.failed().map(|check| check.id.as_ref()).collect();
        assert!(failed.contains(&"roca-key"), "{octets}: {failed:?}");
        assert!(!failed.contains(&"weak-key"), "{octets}: {failed:?}");
        // Its neighbour but one has it no more.
        let neighbour = (number(&modulus) + 2_u32).to_bytes_be();
        assert!(passes(&appraise(rsa(&neighbour, E)), "roca-key"), "{octets}");
    }
}

#[test]
fn even_moduli_and_small_factors_are_found() {
    let n = number(&modulus());
    fails(rsa(&(&n - 1_u32).to_bytes_be(), E), &["rsa-modulus"]);
    for prime in [3_u32, 5, 17, 251, 509, 743, 751] {
        let multiple = number(&modulus()) * prime;
        let appraisal = appraise(rsa(&multiple.to_bytes_be(), E));
        let failed: Vec<_> = appraisal.failed().collect();
        assert_eq!(failed.len(), 1, "{prime}: {failed:?}");
        assert_eq!(
            (failed[0].id.as_ref(), failed[0].detail.contains(&prime.to_string())),
            ("rsa-modulus", true)
        );
    }
    // The first prime above the bound of the rule.
    fails(rsa(&(number(&modulus()) * 757_u32).to_bytes_be(), E), &[]);
}

#[test]
fn close_primes_are_found() {
    // Not primes: what Fermat's method finds are close factors, whether prime or not.
    let half = Key::shared("key quality", KeyKind::Rsa2048).unwrap();
    let p = number(&half.rsa_public().unwrap().0[..128]) | BigUint::from(1_u32);
    for distance in [0_u32, 2, 100, 65_536] {
        let q = &p + distance;
        let appraisal = appraise(rsa(&(&p * &q).to_bytes_be(), E));
        assert!(appraisal.failed().any(|check| check.id == "rsa-close-primes"), "{distance}");
    }
    assert!(passes(&appraise(rsa(&modulus(), E)), "rsa-close-primes"));
}

#[test]
fn exponents_are_judged() {
    let big = |bytes: usize| {
        let mut exponent = vec![0; bytes];
        (exponent[0], exponent[bytes - 1]) = (1, 1);
        exponent
    };
    for unsound in [&[1][..], &[2], &[4], &[1, 0, 0], &[0xff, 0xfe]] {
        fails(rsa(&modulus(), unsound), &["rsa-exponent"]);
    }
    // Sound and unusual: a finding.
    for unusual in [vec![3], vec![17], vec![0xff, 0xff], big(33)] {
        let appraisal = appraise(rsa(&modulus(), &unusual));
        assert_eq!(appraisal.failed().count(), 0, "{unusual:?}");
        assert!(appraisal.findings().any(|check| check.id == "rsa-exponent"), "{unusual:?}");
    }
    for usual in [vec![1, 0, 1], vec![1, 0, 3], big(32)] {
        let appraisal = appraise(rsa(&modulus(), &usual));
        assert!(passes(&appraisal, "rsa-exponent"), "{usual:?}");
    }
}

#[test]
fn points_off_their_curve_are_found() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Secp256k1] {
        let curve = key::curve_oid(kind).unwrap();
        let point = Key::shared("key quality", kind).unwrap().point().unwrap().to_vec();
        let length = point.len();
        let mut off = point.clone();
        off[length - 1] ^= 1;
        fails(key::ec_spki(curve, &off).unwrap(), &["ec-point"]);
        // Coordinates that are not below the field's prime; all zero.
        let mut large = vec![0xff; length];
        large[0] = 4;
        fails(key::ec_spki(curve, &large).unwrap(), &["ec-point"]);
        let mut zero = vec![0; length];
        zero[0] = 4;
        fails(key::ec_spki(curve, &zero).unwrap(), &["ec-point"]);
    }
}

#[test]
fn keys_out_of_form_are_no_statement() {
    // Nothing can be claimed of a key that cannot be read.
    let point = Key::shared("key quality", KeyKind::P256).unwrap().point().unwrap().to_vec();
    let compressed = [&[2][..], &point[1..33]].concat();
    for spki in [
        rsa(&[0], E),
        rsa(&modulus(), &[0]),
        rsa(&vec![0xff; 1025], E),
        key::ec_spki("1.2.840.10045.3.1.7", &compressed).unwrap(),
        key::ec_spki("1.2.840.10045.3.1.7", &[0]).unwrap(),
        key::ec_spki("1.2.840.10045.3.1.7", &point[..64]).unwrap(),
    ] {
        let appraisal = appraise(spki);
        assert_eq!(appraisal.authenticity, Authenticity::NotAuthentic);
        assert!(appraisal.claims.is_empty());
    }
}
