//! Properties: no input makes the verifier panic, the same input gives the same report byte for byte, and what is
//! written in an encoding is read back from it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

use std::sync::LazyLock;

use keyvouch::crypto::hygiene::{self, Residues};
use keyvouch::crypto::{PublicKey, Scheme};
use keyvouch::formats::Proof;
use keyvouch::input::{decode_base64, find_pem};
use keyvouch::pki::{Certificate, CertificationRequest, cms, name};
use keyvouch::{File, InputError, Reference, Submission, Time, Verifier};
use keyvouch_emulator::{bundle, der, pem};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::cases::{self, Case};
use support::views;

/// Reads bytes in every way that takes DER.
fn read_as_der(bytes: &[u8]) {
    let _ = Certificate::from_der(bytes);
    let _ = CertificationRequest::from_der(bytes);
    let _ = PublicKey::from_spki_der(bytes).map(|key| (key.algorithm(), key.is_on_curve()));
    let _ = Scheme::from_algorithm_identifier(bytes);
    let _ = cms::certificates(bytes);
    let _ = (cms::looks_like_signed_data(bytes), name::display(bytes), name::rdn_count(bytes));
    let _ = (name::common_name(bytes), name::organization(bytes), name::attributes(bytes).len());
}

/// DER that is well-formed and says anything.
fn any_der() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop::sample::select(vec![1_u8, 2, 3, 4, 5, 6, 12, 19, 23, 24, 0x80, 0x81]);
    let leaf = (tags, vec(any::<u8>(), 0..20)).prop_map(|(tag, content)| der::tlv(tag, &content));
    leaf.prop_recursive(6, 60, 8, |inner| {
        let tags = prop::sample::select(vec![0x30_u8, 0x31, 0xa0, 0xa1, 0xa3, 4, 3]);
        (tags, vec(inner, 0..8)).prop_map(|(tag, parts)| der::tlv(tag, &parts.concat()))
    })
}

/// Changes to bytes: at a place between 0 and 1, what.
#[derive(Debug, Clone)]
enum Edit {
    Flip(f64, u8),
    Remove(f64, usize),
    Insert(f64, Vec<u8>),
    Repeat(f64, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0.0..1.0, 1..=255_u8).prop_map(|(at, mask)| Edit::Flip(at, mask)),
        (0.0..1.0, 1..40_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        (0.0..1.0, vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (0.0..1.0, 1..40_usize).prop_map(|(at, count)| Edit::Repeat(at, count)),
    ]
}

#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a short file"
)]
fn place(at: f64, length: usize) -> usize {
    ((at * length as f64) as usize).min(length)
}

fn apply(edits: &[Edit], bytes: &mut Vec<u8>) {
    for edit in edits {
        let length = bytes.len();
        match edit {
            Edit::Flip(at, mask) => {
                if let Some(byte) = bytes.get_mut(place(*at, length)) {
                    *byte ^= mask;
                }
            }
            Edit::Remove(at, count) => {
                let from = place(*at, length);
                bytes.drain(from..(from + count).min(length));
            }
            Edit::Insert(at, inserted) => {
                let at = place(*at, length);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Edit::Repeat(at, count) => {
                let from = place(*at, length);
                let repeated = bytes[from..(from + count).min(length)].to_vec();
                bytes.splice(from..from, repeated);
            }
        }
    }
}

static SAMPLES: LazyLock<Vec<Case>> = LazyLock::new(cases::emulated);

/// The report twice, by one verifier and by another with no memory; and a look without judgement.
fn appraise(reference: &Reference, submission: &Submission) -> Result<String, InputError> {
    let verifier = Verifier::new(reference.clone());
    let first = verifier.appraise(submission).map(|report| report.to_json().unwrap());
    let again = verifier.appraise(submission).map(|report| report.to_json().unwrap());
    let fresh = Verifier::new(reference.clone()).with_issuer_cache(0);
    assert_eq!(first, again);
    assert_eq!(first, fresh.appraise(submission).map(|report| report.to_json().unwrap()));
    assert_eq!(first.is_ok(), verifier.inspect(submission).is_ok());
    assert_eq!(verifier.inspect(submission), fresh.inspect(submission));
    first
}

fn at() -> Time {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_as_der(bytes in vec(any::<u8>(), 0..300)) {
        read_as_der(&bytes);
    }

    #[test]
    fn any_der_as_der(bytes in any_der(), cut in 0.0..1.0) {
        read_as_der(&bytes);
        read_as_der(&bytes[..place(cut, bytes.len())]);
    }

    #[test]
    fn keys_are_judged_whatever_their_numbers(n in vec(any::<u8>(), 0..600), e in vec(any::<u8>(), 0..10)) {
        let residues = Residues::of(&n);
        let _ = (residues.small_factor(), residues.has_roca_fingerprint());
        let _ = (hygiene::exponent_is_sound(&e), hygiene::exponent_is_usual(&e));
        if let Ok(key) = PublicKey::rsa(&n, &e) {
            prop_assert_eq!(PublicKey::from_spki_der(key.spki_der()), Ok(key));
        }
    }

    #[test]
    fn close_factors_are_found(n in vec(any::<u8>(), 1..40), distance in 0..1000_u32) {
        let p = num_bigint::BigUint::from_bytes_be(&n) * 2_u32 + 1_u32;
        let q = &p + 2 * distance;
        let product = &p * &q;
        // Fermat's method needs about distance² ÷ 2p rounds.
        if p > num_bigint::BigUint::from(1_000_000_u32) {
            prop_assert!(hygiene::close_primes(&product.to_bytes_be()));
        }
    }

    #[test]
    fn base64_is_read_back(bytes in vec(any::<u8>(), 1..200), breaks in vec(0..300_usize, 0..6)) {
        for text in [bundle::base64(&bytes), bundle::base64url(&bytes)] {
            let mut text = text.into_bytes();
            for at in &breaks {
                let at = at % (text.len() + 1);
                text.splice(at..at, *b"\r\n");
            }
            prop_assert_eq!(decode_base64(&text), Some(bytes.clone()));
        }
    }

    #[test]
    fn base64_of_anything(bytes in vec(any::<u8>(), 0..200)) {
        if let Some(decoded) = decode_base64(&bytes) {
            prop_assert!(decoded.len() <= bytes.len());
        }
    }

    #[test]
    fn pem_is_read_back(
        blocks in vec(("[A-Z][A-Z0-9 ]{0,20}[A-Z]", vec(any::<u8>(), 1..200)), 0..5),
        text in "[ -,.-~\n]{0,60}",
        crlf in any::<bool>(),
    ) {
        let mut file = text.clone();
        for (label, bytes) in &blocks {
            file += &pem::encode(label, bytes);
            file += &text;
        }
        if crlf {
            file = file.replace('\n', "\r\n");
        }
        let found: Vec<_> = find_pem(&file).into_iter().map(|b| (b.label.to_owned(), b.der.unwrap())).collect();
        prop_assert_eq!(found, blocks);
    }

    #[test]
    fn pem_of_anything(text in "(-----BEGIN |-----END |-----|CERT|\n|[a-z:]|AQI=|\r){0,40}") {
        for block in find_pem(&text) {
            prop_assert!(text.contains(block.label));
        }
    }

    #[test]
    fn times_are_read_back(seconds in -62_167_219_200_i64..253_402_300_800) {
        let time = Time::from_unix(seconds);
        prop_assert_eq!(time.to_string().parse(), Ok(time));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn random_files_are_judged_and_judged_alike(
        files in vec(vec(any::<u8>(), 0..400), 0..4),
        request in prop::option::of(vec(any::<u8>(), 0..200)),
        head in prop::sample::select(vec![&b""[..], b"\x30", b"\x30\x82", b"\x1f\x8b\x08", b"PK\x03\x04", b"{", b"<", b"-----BEGIN "]),
    ) {
        let file = |bytes: &Vec<u8>| File::new("file", [head, bytes.as_slice()].concat());
        let mut submission = Submission::new(files.iter().map(file).collect(), at());
        submission.request = request.as_ref().map(file);
        let _ = appraise(&Reference::builtin().unwrap(), &submission);
    }

    #[test]
    fn any_der_is_judged_and_judged_alike(files in vec(any_der(), 1..4)) {
        let files = files.into_iter().map(|bytes| File::new("file", bytes)).collect();
        let _ = appraise(&Reference::empty(), &Submission::new(files, at()));
    }

    #[test]
    fn spoilt_samples_are_judged_alike_and_claim_nothing_else(
        sample in any::<prop::sample::Index>(),
        file in any::<prop::sample::Index>(),
        view in any::<prop::sample::Index>(),
        edits in vec(edit(), 0..4),
    ) {
        let case = sample.get(&SAMPLES);
        let mut submission = case.submission.clone();
        let file = file.get_mut(&mut submission.evidence);
        let views = views::of(&file.bytes);
        let view = view.get(&views);
        let mut bytes = view.bytes.clone();
        apply(&edits, &mut bytes);
        file.bytes = view.with(&bytes);
        let verifier = case.verifier();
        let honest = cases::claimed(&verifier, &case.submission);
        for claim in cases::claimed(&verifier, &submission) {
            prop_assert!(honest.contains(&claim), "{} {}: {}", case.id, view.name, claim);
        }
        let _ = appraise(&case.reference, &submission);
    }
}

#[test]
fn every_sample_is_judged_alike() {
    for case in SAMPLES.iter() {
        appraise(&case.reference, &case.submission).unwrap();
    }
}

#[test]
fn every_format_has_an_emulator_and_a_fuzz_target() {
    // Of a device that signs nothing there is nothing to spoil.
    let signing = keyvouch::formats::about()
        .filter(|about| !matches!(about.proof, Proof::NoEvidence | Proof::ProviderStatement));
    for format in signing.map(|about| about.id) {
        assert!(keyvouch_emulator::formats().contains(&format), "{format} has no emulator");
        let target = format!("../../fuzz/fuzz_targets/{}.rs", format.replace('-', "_"));
        let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(target.is_file(), "{format} has no fuzz target {}", target.display());
    }
}
