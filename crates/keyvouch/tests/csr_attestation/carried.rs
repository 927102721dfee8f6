//! Evidence of makers inside requests, under keyvouch's own identifiers.

use keyvouch::Authenticity::{Authentic, Undecided};
use keyvouch::InputError;
use keyvouch::requests::{VENDOR_ARC, VENDOR_NUMBERS};
use keyvouch_emulator::csr_attestation::{Bundle, Statement};
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::{bundle as carriers, der, pem};

use crate::bench::*;

/// A request with files under a number.
fn carrying(number: u32, files: &[&[u8]]) -> Vec<u8> {
    request(&Bundle::new(vec![Statement::of_maker(number, files)], Vec::new()))
}

#[test]
fn evidence_counts_as_if_handed_over_beside_the_request() {
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let pems = format!("{}{}", pem::certificate(&leaf), pem::certificate(&f9));
    let zip = carriers::zip(&[keyvouch_emulator::File::new("a.pem", pems.clone())]).unwrap();
    for request in [
        carrying(YUBIKEY_PIV, &[&leaf, &f9]),
        carrying(YUBIKEY_PIV, &[&f9, &leaf]),
        carrying(YUBIKEY_PIV, &[pems.as_bytes()]),
        carrying(YUBIKEY_PIV, &[&zip]),
        request(&Bundle::new(vec![Statement::of_maker(YUBIKEY_PIV, &[&leaf])], vec![f9.clone()])),
    ] {
        let appraisal = judge(request);
        assert_eq!(appraisal.format, "yubikey-piv");
        accepts(&appraisal);
        // Its own checks, after those of the envelope.
        let ids: Vec<&str> = appraisal.checks.iter().map(|c| &*c.id).collect();
        assert!(ids.contains(&"attribute-count") && ids.contains(&"leaf-signature"), "{ids:?}");
    }
}

#[test]
fn evidence_of_another_key_binds_nothing() {
    let [leaf, f9] = yubikey(&key("other", KeyKind::P256)).try_into().unwrap();
    let appraisal = judge(carrying(YUBIKEY_PIV, &[&leaf, &f9]));
    assert_eq!((appraisal.authenticity, appraisal.binding.as_str()), (Authentic, "none"));
    assert_eq!(failed(&appraisal), ["csr-key-mismatch"]);
}

#[test]
fn what_its_type_does_not_say_is_not_evaluated() {
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let mut seen = Seen::default();
    // Another format's number, none's, and one below a number.
    for number in [TPM, 2, 16, 17, 999] {
        seen.fails(&judge(carrying(number, &[&leaf, &f9])), Undecided, &["statement-unknown"]);
    }
    seen.fails(&judge(carrying(YUBIKEY_PIV, &[b"nothing of a YubiKey"])), Undecided, &["statement-unknown"]);
    let mut below = Statement::of_maker(YUBIKEY_PIV, &[&leaf, &f9]);
    below.kind.push(1);
    below.kind[1] += 1;
    let appraisal = judge(request(&Bundle::new(vec![below], Vec::new())));
    seen.fails(&appraisal, Undecided, &["statement-unknown"]);
    // Not in an OCTET STRING, and no evidence as it stands.
    let mut bare = Statement::of_maker(YUBIKEY_PIV, &[&leaf]);
    bare.body = der::null();
    let appraisal = judge(request(&Bundle::new(vec![bare], Vec::new())));
    seen.fails(&appraisal, Undecided, &["statement-unknown"]);
}

#[test]
fn the_operator_can_turn_it_off() {
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let request = carrying(YUBIKEY_PIV, &[&leaf, &f9]);
    let off = only(report_of(request.clone(), |s| s.options.set("csr_vendor_evidence", false)));
    assert_eq!((off.authenticity, failed(&off)), (Undecided, vec!["statement-unknown".to_owned()]));
    accepts(&only(report_of(request, |s| s.options.set("csr_vendor_evidence", true))));
}

#[test]
fn a_private_key_inside_ends_everything() {
    let text = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let report = report_of(carrying(YUBIKEY_PIV, &[text.as_bytes()]), |_| {});
    assert!(
        matches!(&report, Err(InputError::PrivateKey(place)) if place.contains("statement 1")),
        "{report:?}"
    );
}

#[test]
fn an_envelope_in_an_envelope_is_nobodys_evidence() {
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let mut inner = carrying(YUBIKEY_PIV, &[&leaf, &f9]);
    for _ in 0..12 {
        inner = carrying(YUBIKEY_PIV, &[&inner]);
        let appraisal = judge(inner.clone());
        assert_eq!(
            (appraisal.authenticity, failed(&appraisal)),
            (Undecided, vec!["statement-unknown".to_owned()])
        );
    }
}

#[test]
fn statements_of_several_formats_are_each_judged() {
    let [leaf, f9] = yubikey(&own()).try_into().unwrap();
    let mut bundle = bundle();
    bundle.statements.push(Statement::of_maker(YUBIKEY_PIV, &[&leaf]));
    bundle.certificates.push(f9);
    // Of one key: that it is in a TPM and in a YubiKey is no contradiction in what is compared.
    let report = report_of(request(&bundle), |_| {}).unwrap();
    let formats: Vec<&str> = report.appraisals.iter().map(|a| a.format).collect();
    assert_eq!(formats, ["csr-attestation", "yubikey-piv"]);
    report.appraisals.iter().for_each(accepts);
}

#[test]
fn numbers_are_for_formats_that_anybody_may_hand_in() {
    assert!(VENDOR_ARC.starts_with("2.25."));
    let ids: Vec<&str> = VENDOR_NUMBERS.iter().map(|(_, id)| *id).collect();
    for operators in ["aws", "azure-key-vault", "without-attestation", "csr-attestation", "tpm-ek"] {
        assert!(!ids.contains(&operators), "{operators}");
    }
}
