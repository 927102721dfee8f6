//! What somebody might try, and files that are no statements.

use keyvouch::Authenticity::NotAuthentic;
use keyvouch::{File, Reference, Submission, Verifier};
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::tpm::{Maker, Public, alg, name_of, tpm2b};

use crate::bench::{AT, Bench, altered, fails, hex, key, only};
use crate::refused::activation::Activated;

/// The owner of a genuine TPM lets an ordinary key of it sign a forged attestation of a key made in software.
#[test]
fn an_unrestricted_key_forges_and_is_refused() {
    let forged = || {
        let mut bench = Bench::new();
        bench.statement.ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
        bench
    };
    // Nothing but its public area tells it: given beside, or pinned.
    let mut beside = forged();
    beside.extra.push(File::new("ak.pub", tpm2b(&beside.statement.ak.public.bytes())));
    fails(beside, NotAuthentic, &["ak-not-restricted"]);
    let mut pinned = forged();
    pinned.pin();
    fails(pinned, NotAuthentic, &["ak-not-restricted"]);
}

/// A second public area of the attestation key with better attributes helps nothing: every one is looked at.
#[test]
fn a_false_public_area_of_the_attestation_key_does_not_hide_the_true_one() {
    let mut activated = Activated::new();
    let ak = &mut activated.bench.statement.ak;
    let better = ak.public.clone();
    ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
    activated.record["ak_name"] = hex(&ak.public.name()).into();
    let files = [&ak.public, &better].map(|p| File::new("ak.pub", tpm2b(&p.bytes())));
    activated.bench.extra = files.to_vec();
    fails(activated.bench(), NotAuthentic, &["ak-not-restricted"]);
}

#[test]
fn a_signature_of_another_statement_is_no_use() {
    let first = Bench::new().statement.sign().unwrap();
    let mut second = altered(|s| s.nonce = vec![1; 32]);
    second.spoil = Box::new(move |s| s.signature = first.signature);
    fails(second, NotAuthentic, &["attest-signature"]);
}

#[test]
fn more_structures_than_one_key_needs_are_refused() {
    let mut bench = Bench::new();
    for number in 0..8_u8 {
        let mut public = Public::of(&key("stranger", KeyKind::P256), 0x0004_0072).unwrap();
        public.auth_policy = vec![number; 32];
        bench.extra.push(File::new("other.pub", tpm2b(&public.bytes())));
    }
    fails(bench, NotAuthentic, &["malformed"]);
}

#[test]
fn names_are_over_the_bytes_received() {
    // The same key with exponent 65537 written out has another name: the digest decides, not the meaning.
    let mut bench = Bench::of(KeyKind::Rsa2048, KeyKind::P256);
    bench.spoil = Box::new(|s| s.public[16..20].copy_from_slice(&[0, 1, 0, 1]));
    fails(bench, NotAuthentic, &["name-mismatch"]);
    let name = name_of(alg::SHA256, &[b"x"]);
    assert_eq!(name.len(), 34);
}

/// Statements of other kinds of devices, and TPM files beside them, are nobody's but their own.
#[test]
fn an_endorsement_key_alone_is_not_of_this_format() {
    let maker = Maker::new().unwrap();
    let ek = key("EK", KeyKind::Rsa2048);
    let certificate = maker.sign(&maker.certificate(&ek).unwrap()).unwrap();
    let public = Public::of(&ek, keyvouch_emulator::tpm::ENDORSEMENT_KEY).unwrap();
    let files = vec![File::new("ek.der", certificate), File::new("ek.pub", tpm2b(&public.bytes()))];
    let report = Verifier::new(Reference::builtin().unwrap())
        .appraise(&Submission::new(files, AT.parse().unwrap()))
        .unwrap();
    assert!(report.appraisals.iter().all(|a| a.format != "tpm"));
}

/// Blobs of other makers begin with small numbers too.
#[test]
fn what_merely_begins_like_a_structure_is_not_claimed() {
    for start in [&[0, 0, 0, 4][..], &[0, 0x14, 0, 4], &[0, 1, 0, 0x0b], &[0x10, 0, 0, 0, 0, 1]] {
        let mut bytes = start.to_vec();
        bytes.extend([0xa5; 400]);
        let submission = Submission::new(vec![File::new("blob.dat", bytes)], AT.parse().unwrap());
        let report = Verifier::new(Reference::builtin().unwrap()).appraise(&submission).unwrap();
        assert_eq!(only(report).format, "", "{start:?}");
    }
}
