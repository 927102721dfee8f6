//! Requests with evidence in them, and the verifier that judges them.

use std::sync::Arc;

use keyvouch::appraisal::Appraisal;
use keyvouch::{Authenticity, File, InputError, Reference, Report, Submission, Verifier};
use keyvouch_emulator::csr_attestation::Bundle;
use keyvouch_emulator::key::{Key, KeyKind};
use keyvouch_emulator::tpm::{Ak, AkAuthority, SignatureForm, Signed, Statement};
use keyvouch_emulator::yubikey_piv::{Carrier, Device, Hierarchy, Maker, pin, touch};

pub(crate) use crate::support::judging::{Seen, failed};

pub(crate) const AT: &str = "2026-06-01T00:00:00Z";

/// Numbers that keyvouch gave to formats.
pub(crate) const YUBIKEY_PIV: u32 = 1;
pub(crate) const TPM: u32 = 14;

pub(crate) fn key(label: &str, kind: KeyKind) -> Arc<Key> {
    Key::shared(&format!("csr-attestation test: {label}"), kind).unwrap()
}

pub(crate) fn own() -> Arc<Key> {
    key("own", KeyKind::P256)
}

/// A TPM's statement about a key.
pub(crate) fn tpm(key: &Key, change: impl FnOnce(&mut Statement)) -> Signed {
    let mut statement =
        Statement::new(key, Ak::new("AK", KeyKind::P256).unwrap(), &AkAuthority::new().unwrap()).unwrap();
    statement.form = SignatureForm::Bare;
    change(&mut statement);
    statement.sign().unwrap()
}

pub(crate) fn bundle() -> Bundle {
    Bundle::of_tpm(&tpm(&own(), |_| {})).unwrap()
}

/// The leaf and F9 of a YubiKey that attests a key, DER.
pub(crate) fn yubikey(key: &Key) -> Vec<Vec<u8>> {
    let maker = Maker::new(Hierarchy::PivRoot).unwrap();
    let signed = maker
        .attest(&Device::new([5, 4, 3]).unwrap(), 0x9a, key, pin::ONCE, touch::NEVER)
        .unwrap()
        .sign()
        .unwrap();
    let files = signed.carried(Carrier::TwoPems).unwrap();
    let der = |text: &[u8]| {
        let text = std::str::from_utf8(text).unwrap();
        keyvouch::input::find_pem(text).remove(0).der.unwrap()
    };
    files.iter().map(|file| der(&file.bytes)).collect()
}

/// What trusts the emulated authorities for attestation keys, and the emulated YubiKeys.
pub(crate) fn reference() -> Reference {
    let mut reference = Reference::builtin().unwrap();
    let anchors = AkAuthority::new().unwrap().anchors().into_iter();
    for anchor in anchors.chain(Maker::new(Hierarchy::PivRoot).unwrap().anchors()) {
        reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
    }
    reference
}

/// Judges a file as evidence, which is the request by itself.
pub(crate) fn report_of(
    file: impl Into<Vec<u8>>,
    change: impl FnOnce(&mut Submission),
) -> Result<Report, InputError> {
    let mut submission = Submission::new(vec![File::new("request.csr", file)], AT.parse().unwrap());
    change(&mut submission);
    Verifier::new(reference()).appraise(&submission)
}

#[track_caller]
pub(crate) fn only(report: Result<Report, InputError>) -> Appraisal {
    let mut report = report.unwrap();
    assert_eq!(report.appraisals.len(), 1, "{:#?}", report.appraisals);
    report.appraisals.remove(0)
}

#[track_caller]
pub(crate) fn judge(file: impl Into<Vec<u8>>) -> Appraisal {
    only(report_of(file, |_| {}))
}

/// The request of the own key with this bundle in it.
pub(crate) fn request(bundle: &Bundle) -> Vec<u8> {
    bundle.request(&own()).unwrap()
}

#[track_caller]
pub(crate) fn accepts(appraisal: &Appraisal) {
    assert_eq!(appraisal.authenticity, Authenticity::Authentic, "{:#?}", appraisal.checks);
    assert_eq!(failed(appraisal), Vec::<String>::new(), "{:#?}", appraisal.checks);
    assert_eq!(appraisal.binding.as_str(), "csr");
}
