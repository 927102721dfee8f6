//! The certificate of an endorsement key, as far as an activation rests on it.

use super::chain::{self, Path, Wanted};
use super::checks as ck;
use super::identity::{EKU_EK, TpmIdentity, is_authority};
use super::trust::check_vendor;
use crate::checks::Checks;
use crate::crypto::hygiene::Residues;
use crate::crypto::{Material as Numbers, PublicKey};
use crate::formats::Context;
use crate::pki::Certificate;
use crate::pki::path::Signs;
use crate::reference::anchors::Anchor;

/// The format whose anchors certify endorsement keys.
pub(crate) const FORMAT: &str = "tpm-ek";

/// Judges it. `None` when no path to an anchor holds.
///
/// Names are compared by value: authorities of STMicroelectronics and AMD write them as UTF8String where the
/// authority above them has PrintableString.
pub(crate) fn check(
    certificate: &Certificate,
    place: &str,
    pool: &[Certificate],
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Path> {
    let wanted = Wanted {
        format: FORMAT,
        serves: |_| true,
        signs: Signs::Nothing,
        usage: &ck::EK_USAGE,
        accept_expired: cx.options.is_on("accept_expired"),
        names_by_value: true,
    };
    let path = chain::check(certificate, place, pool, &wanted, cx, checks);
    let googles = path.as_ref().is_some_and(Path::is_googles);
    let identity = TpmIdentity::of(certificate);
    // What is no certificate of an endorsement key need not name a TPM.
    if check_usage(certificate, place, googles, checks) {
        check_names(identity.as_ref(), place, googles, path.as_ref().map(|p| &p.anchor), checks);
    }
    if let Ok(key) = certificate.key() {
        let weak = weakness(key);
        checks.test(&ck::EK_KEY_STRENGTH, place.to_owned(), weak.is_none(), "the key is strong", || {
            weak.unwrap_or_default().into()
        });
    }
    path
}

/// Maker and model, and whether the maker is the one whose anchor it is.
fn check_names(
    identity: Option<&TpmIdentity>,
    place: &str,
    googles: bool,
    anchor: Option<&Anchor>,
    checks: &mut Checks,
) {
    if !googles || identity.is_some() {
        let named = identity.is_some_and(|i| i.model.is_some());
        checks.test(&ck::EK_SAN, place.to_owned(), named, "it names maker and model", || {
            "its subjectAltName names no maker and model".into()
        });
    }
    check_vendor(identity, place, checks);
    let makers = anchor.and_then(|anchor| makers(&anchor.id));
    let (Some(makers), Some(identity)) = (makers, identity) else { return };
    let agrees = identity.maker.is_some_and(|maker| makers.contains(&maker));
    checks.test(
        &ck::EK_MAKER_MISMATCH,
        place.to_owned(),
        agrees,
        "the maker is one whose TPMs are certified below this anchor",
        || {
            let (text, anchor) = (&identity.maker_text, anchor.map_or("", |a| a.name.as_str()));
            format!("TPMs of {text:?} are not certified below {anchor}").into()
        },
    );
}

/// Identifiers of the makers whose TPMs are certified below an anchor of the reference data: its id says whose it
/// is. `None` for an operator's own.
fn makers(anchor: &str) -> Option<&'static [u32]> {
    const AMD: u32 = 0x414d_4400;
    const INTEL: u32 = 0x494e_5443;
    const MICROSOFT: u32 = 0x4d53_4654;
    const QUALCOMM: u32 = 0x5143_4f4d;
    const BELOW: &[(&str, &[u32])] = &[
        // Pluton is a design of Microsoft's in processors of others, who certify with it.
        ("tpm-amd-", &[AMD, MICROSOFT]),
        ("tpm-atmel-", &[0x4154_4d4c]),
        ("tpm-google-", &[0x474f_4f47]),
        ("tpm-infineon-", &[0x4946_5800]),
        ("tpm-intel-", &[INTEL]),
        ("tpm-microsoft-", &[MICROSOFT, AMD, INTEL, QUALCOMM]),
        // Nations Technologies writes both its identifiers; NSING is its firm abroad.
        ("tpm-nationz-", &[0x4e54_5a00, 0x4e53_4700]),
        ("tpm-nsing-", &[0x4e53_4700, 0x4e54_5a00]),
        // Nuvoton took over the TPMs of Winbond.
        ("tpm-nuvoton-", &[0x4e54_4300, 0x5745_4300]),
        ("tpm-qualcomm-", &[QUALCOMM, MICROSOFT]),
        ("tpm-stmicro-", &[0x5354_4d20]),
    ];
    BELOW.iter().find(|(prefix, _)| anchor.starts_with(prefix)).map(|(_, makers)| *makers)
}

fn check_usage(certificate: &Certificate, place: &str, googles: bool, checks: &mut Checks) -> bool {
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
    })
}

/// Why a key is too weak to rest trust on; `None` when it is not.
pub(crate) fn weakness(key: &PublicKey) -> Option<String> {
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
