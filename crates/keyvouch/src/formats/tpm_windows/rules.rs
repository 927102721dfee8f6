//! What is to be said of a Windows request beside its statement.

use der::Tag;

use super::aik;
use super::blob::Kads;
use super::checks as ck;
use crate::checks::Checks;
use crate::formats::Context;
use crate::pki::CertificationRequest;
use crate::verifier::NONCE_MISMATCH;
use crate::wire::der::content;
use crate::wire::tpm::{Attest, PublicArea, hash};

/// The provider that the request names: unsigned but for the request's own signature.
pub(super) fn check_ksp_name(request: Option<&CertificationRequest>, place: &str, checks: &mut Checks) {
    const KNOWN: [&str; 2] =
        ["Microsoft Platform Crypto Provider", "Microsoft Smart Card Key Storage Provider"];
    let attributes = request.iter().flat_map(|request| request.attributes());
    let values = attributes.filter(|(oid, _)| *oid == super::KSP_NAME).flat_map(|(_, values)| values);
    for value in values {
        let name = content(value, Tag::BmpString).map(|text| {
            let units = text.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>()
        });
        match name.as_deref() {
            Some(known) if KNOWN.contains(&known) => {
                checks.pass(&ck::KSP_NAME, place.to_owned(), known.to_owned());
            }
            other => {
                let detail = format!("the request names {:?}", other.unwrap_or("something that is no text"));
                checks.warn(&ck::KSP_NAME, place.to_owned(), detail);
            }
        }
    }
}

/// Windows answers no nonce, but a value that seems to be made of the CA's exchange certificate.
pub(super) fn note_exchange_certificate(kads: &Kads<'_>, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let Some(digest) = aik::exchange_certificate_digest(cx) else { return };
    let Ok(attest) = Attest::read(kads.attest) else { return };
    let detail = if attest.extra_data == digest {
        "the statement holds the SHA-1 of the exchange certificate: it was made for this CA, whenever that was"
    } else {
        "the statement does not hold the SHA-1 of the exchange certificate"
    };
    checks.info(&NONCE_MISMATCH, place.to_owned(), detail);
}

/// The branches are unsigned: they say something only when their PolicyOR is the key's policy.
pub(super) fn check_policy(branches: &[&[u8]], public: &PublicArea<'_>, place: &str, checks: &mut Checks) {
    /// TPM_CC_PolicyOR.
    const POLICY_OR: [u8; 4] = [0, 0, 1, 0x71];
    /// By Microsoft's order the branch for duplication is the fifth, and empty in keys that are not to be duplicated.
    /// Empty branches leave no trace in the policy, so the fifth of those that are not empty must be the next one:
    /// PolicyCommandCode(Certify).
    const DUPLICATION: usize = 4;
    const CERTIFY: &str = "048e9a3ace08583f79f344ff785bbea9f07ac7fa3325b3d49a21dd5194c65850";
    if branches.is_empty() {
        checks.skip(&ck::PCP_POLICY, place.to_owned(), "the key blob lists no policy branches");
        return;
    }
    let policy = hash(public.name_alg).filter(|_| (2..=8).contains(&branches.len())).map(|hash| {
        let zero = vec![0; hash.output_len()];
        hash.digest(&[zero.as_slice(), &POLICY_OR, &branches.concat()].concat())
    });
    let holds = policy.as_deref() == Some(public.auth_policy);
    checks.test(
        &ck::PCP_POLICY,
        place.to_owned(),
        holds,
        format!("the policy of the key is one of {} branches", branches.len()),
        || "the branches in the key blob do not make up the policy of the key".into(),
    );
    let fifth = branches.iter().filter(|branch| !branch.is_empty()).nth(DUPLICATION);
    if holds && fifth.is_some_and(|branch| hex::encode(branch) != CERTIFY) {
        let detail = "the key was made to be duplicated: whether it can be, its attribute fixedTPM decides";
        checks.warn(&ck::PCP_DUPLICATION_BRANCH, place.to_owned(), detail);
    }
}
