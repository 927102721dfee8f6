//! The certificate of an endorsement key, as far as an activation rests on it.

use super::chain::{self, Path, Wanted};
use super::checks as ck;
use super::identity::{EKU_EK, TpmIdentity, is_authority};
use super::statement::Material;
use super::trust::check_vendor;
use crate::checks::Checks;
use crate::crypto::hygiene::Residues;
use crate::crypto::{Material as Numbers, PublicKey};
use crate::formats::Context;
use crate::pki::Certificate;
use crate::pki::path::Signs;

/// Judges it. `None` when no path to an anchor holds.
pub(super) fn check(
    certificate: &Certificate,
    place: &str,
    material: &Material<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Path> {
    let wanted = Wanted {
        format: material.format,
        signs: Signs::Nothing,
        usage: &ck::EK_USAGE,
        accept_expired: cx.options.is_on("accept_expired"),
    };
    let path = chain::check(certificate, place, &material.pool(), &wanted, cx, checks)?;
    check_usage(certificate, place, path.is_googles(), checks);
    let identity = TpmIdentity::of(certificate);
    if !path.is_googles() {
        let named = identity.as_ref().is_some_and(|i| i.model.is_some());
        checks.test(&ck::EK_SAN, place.to_owned(), named, "it names maker and model", || {
            "its subjectAltName names no maker and model".into()
        });
    }
    check_vendor(identity.as_ref(), place, checks);
    if let Ok(key) = certificate.key() {
        let weak = weakness(key);
        checks.test(&ck::EK_KEY_STRENGTH, place.to_owned(), weak.is_none(), "the key is strong", || {
            weak.unwrap_or_default().into()
        });
    }
    Some(path)
}

fn check_usage(certificate: &Certificate, place: &str, googles: bool, checks: &mut Checks) {
    let rsa = matches!(certificate.key().map(PublicKey::material), Ok(Numbers::Rsa { .. }));
    let fault = match certificate.key_usage() {
        _ if is_authority(certificate) => Some("it is the certificate of an authority"),
        _ if !googles && !certificate.has_extended_key_usage(EKU_EK) => {
            Some("it lacks the extended key usage of an endorsement key (2.23.133.8.1)")
        }
        Some(Ok(usage)) if usage.digital_signature => Some("its key may sign: it is no endorsement key"),
        Some(Ok(usage)) if rsa && !usage.key_encipherment => Some("its keyUsage lacks keyEncipherment"),
        Some(Ok(usage)) if !rsa && !usage.key_agreement => Some("its keyUsage lacks keyAgreement"),
        _ => None,
    };
    checks.test(&ck::EK_USAGE, place.to_owned(), fault.is_none(), "it is one of an endorsement key", || {
        fault.unwrap_or_default().into()
    });
}

/// Why a key is too weak to rest trust on; `None` when it is not.
pub(super) fn weakness(key: &PublicKey) -> Option<String> {
    match key.material() {
        Numbers::Rsa { n, .. } => {
            let bits = key.rsa_bits().unwrap_or(0);
            if bits < 2048 {
                Some(format!("it has only {bits} bits"))
            } else if Residues::of(n).has_roca_fingerprint() {
                Some(
                    "it has the fingerprint of the broken Infineon library (ROCA): it can be factored"
                        .to_owned(),
                )
            } else {
                None
            }
        }
        Numbers::Ec { .. } if key.is_on_curve() != Some(true) => {
            Some("its point is not on its curve".to_owned())
        }
        Numbers::Ec { .. } => None,
        _ => Some(format!("{} is no key of a TPM", key.algorithm())),
    }
}
