//! The device certificate: which it is, whether it signed the leaf, and whether Yubico issued it.

use super::checks as ck;
use super::leaf::{Device, number_in_device_name};
use super::{Found, ID, is_device, is_leaf};
use crate::authentic::{Authentic, SignatureValid, TrustedKey};
use crate::checks::{Check, Checks, OnFail};
use crate::crypto::{Hash, Scheme};
use crate::formats::Context;
use crate::input::PartId;
use crate::pki::path::{self, Fault, FaultKind, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// Certificates of one device's name that are tried; more are a crafted set.
const MAX_CANDIDATES: usize = 16;

/// The part of authorities that issue device certificates.
const ROLE: &str = "hsm-attestation";

/// Whether a name is that of an authority for YubiHSM 2 devices: `Yubico YubiHSM … Sub-CA` or
/// `YubiHSM Attestation …`, the latter not being a device or a leaf.
fn is_hsm_authority(cn: &str) -> bool {
    let sub_ca = cn.starts_with("Yubico YubiHSM ") && cn.ends_with(" Sub-CA");
    let attestation = cn
        .strip_prefix("YubiHSM Attestation ")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['(']) && !rest.starts_with("id:"));
    sub_ca || attestation
}

/// The certificate of the leaf's issuer and, of several, the one whose key verifies the leaf.
pub(super) fn pick<'c>(
    found: &Found<'c>,
    leaf: &Certificate,
    place: &str,
    cx: &Context<'c>,
    checks: &mut Checks,
) -> Option<(Option<PartId>, &'c Certificate)> {
    let issuer = name::common_name(leaf.issuer()).unwrap_or_default();
    if number_in_device_name(issuer).is_none() || leaf.issuer_name().rdn_count() != 1 {
        let detail = format!(
            "the leaf was signed under the name {}, which is not that of a device's built-in key",
            name::display(leaf.issuer())
        );
        checks.fail(&ck::CUSTOM_KEY, place.to_owned(), detail);
        return None;
    }
    checks.pass(&ck::CUSTOM_KEY, place.to_owned(), "the leaf names the built-in key of a device");
    let own = found.all.iter().map(|(id, c)| (Some(*id), *c));
    // The certificate of a device that the operator has seen before serves as well.
    let known = cx.reference.intermediates.iter().map(|c| (None, c));
    let named: Vec<_> = own
        .chain(known)
        .filter(|(_, c)| *c != leaf && c.subject() == leaf.issuer())
        .take(MAX_CANDIDATES)
        .collect();
    let signs = |c: &Certificate| c.key().is_ok_and(|k| leaf.verify_signed_by(k).is_ok());
    let picked = named.iter().copied().find(|(_, c)| signs(c)).or_else(|| named.first().copied());
    checks.test(
        &ck::DEVICE_MISSING,
        place.to_owned(),
        picked.is_some(),
        "the certificate of the device is there",
        || format!("no certificate of {} is there", name::display(leaf.issuer())).into(),
    );
    picked
}

/// By the device's key, with the algorithms that a YubiHSM 2 signs attestations with.
pub(super) fn check_leaf_signature<'l>(
    leaf: &'l Certificate,
    device: &Certificate,
    place: &str,
    checks: &mut Checks,
) -> Option<SignatureValid<'l>> {
    let verified = match (leaf.scheme(), device.key()) {
        (Err(error), _) => Err(error.to_string()),
        (_, Err(error)) => Err(format!("key of the device: {error}")),
        (Ok(Scheme::RsaPkcs1(Hash::Sha256) | Scheme::Ecdsa(Hash::Sha256)), Ok(key)) => {
            leaf.verify_signed_by(key).map_err(|e| e.to_string())
        }
        (Ok(other), _) => Err(format!("{other} is not an algorithm of a YubiHSM 2")),
    };
    match verified {
        Ok(valid) => {
            checks.pass(&ck::LEAF_SIGNATURE, place.to_owned(), "the leaf is signed by the device's key");
            Some(valid)
        }
        Err(why) => {
            let detail = format!("signature of the leaf by the device's key: {why}");
            checks.fail(&ck::LEAF_SIGNATURE, place.to_owned(), detail);
            None
        }
    }
}

pub(super) fn check_shape(device: &Certificate, place: &str, checks: &mut Checks) -> Option<Device> {
    match Device::read(device) {
        Ok(read) => {
            checks.pass(
                &ck::NOT_A_DEVICE,
                place.to_owned(),
                "the leaf's issuer has the form of a device certificate",
            );
            Some(read)
        }
        Err(why) => {
            checks.fail(&ck::NOT_A_DEVICE, place.to_owned(), format!("the leaf's issuer {why}"));
            None
        }
    }
}

/// The device's key as trusted, and its certificate.
pub(super) struct Trusted {
    pub(super) key: TrustedKey,
    pub(super) certificate: Authentic<Certificate>,
}

pub(super) fn check_path(
    found: &Found<'_>,
    device: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Option<Trusted> {
    if issued_by_another(device, place, cx, checks) {
        return None;
    }
    let known = &cx.reference.anchors;
    let anchors: Vec<&Anchor> = known.intermediates_for(ID).chain(known.roots_for(ID)).collect();
    let pool: Vec<Certificate> = found
        .all
        .iter()
        .map(|(_, c)| *c)
        .chain(&cx.reference.intermediates)
        .filter(|c| !is_leaf(c) && !is_device(c))
        .cloned()
        .collect();
    let path::Found { chain, top } = path::find(device, &pool, &anchors, cx.signatures);
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        report_no_anchor(device, &chain, &top, place, checks);
        return None;
    };
    if !check_application(&chain, anchor, place, checks) {
        return None;
    }
    let rules = Rules {
        accept_expired: cx.options.is_on("accept_expired"),
        ..Rules::strict(cx.at, Signs::Certificates)
    };
    let validation = path::validate(&chain, anchor, known, &rules, cx.signatures);
    for fault in &validation.faults {
        checks.fail(check_of(fault, device, anchor, cx), place.to_owned(), fault.to_string());
    }
    for fault in &validation.tolerated {
        checks.warn(check_of(fault, device, anchor, cx), place.to_owned(), fault.to_string());
    }
    if validation.faults.is_empty() {
        let detail = format!("the device certificate chains to {}", anchor.name);
        checks.pass(&ck::UNTRUSTED_ROOT, place.to_owned(), detail);
        if validation.tolerated.is_empty() {
            checks.pass(&ck::EXPIRED, place.to_owned(), "every certificate is valid at the time");
        }
    }
    Some(Trusted { key: validation.trusted?, certificate: validation.certificate? })
}

fn check_of(fault: &Fault, device: &Certificate, anchor: &Anchor, cx: &Context<'_>) -> &'static Check {
    match &fault.kind {
        FaultKind::NotYetValid(_) => &ck::NOT_YET_VALID,
        FaultKind::Expired(_) => &ck::EXPIRED,
        FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
            &ck::NOT_YET_VALID
        }
        FaultKind::AnchorOutsideValidity(_) => &ck::EXPIRED,
        FaultKind::DuplicateExtension(_) => &ck::DUPLICATE_EXTENSION,
        FaultKind::NotCa
        | FaultKind::MayNotIssue
        | FaultKind::UnreadableExtension
        | FaultKind::CriticalExtension(_)
        | FaultKind::ShortKey(_)
        | FaultKind::Key(_)
            if fault.certificate == device.display_name() =>
        {
            &ck::NOT_A_DEVICE
        }
        _ => &ck::UNTRUSTED_ROOT,
    }
}

/// Whether a known authority issued the certificate that does not issue those of YubiHSM 2 devices.
fn issued_by_another(device: &Certificate, place: &str, cx: &Context<'_>, checks: &mut Checks) -> bool {
    let other = cx
        .reference
        .anchors
        .by_subject(device.issuer())
        .filter(|a| a.kind == AnchorKind::Untrusted || a.role.as_deref().is_some_and(|role| role != ROLE))
        .find(|a| cx.signatures.check(device, &a.key).is_ok());
    let Some(anchor) = other else { return false };
    let name = &anchor.name;
    if anchor.role.as_deref().is_some_and(|role| role != ROLE) {
        let detail = format!("issued by {name}, which does not issue device certificates of YubiHSM 2");
        checks.fail(&ck::WRONG_APPLICATION_CA, place.to_owned(), detail);
    } else {
        checks.fail(&ck::UNTRUSTED_ROOT, place.to_owned(), format!("issued by {name}, which is not trusted"));
    }
    true
}

/// The authority directly above the device must be one for YubiHSM 2: those of YubiKeys are below the same root.
fn check_application(chain: &[Certificate], anchor: &Anchor, place: &str, checks: &mut Checks) -> bool {
    let above: Vec<&str> = chain
        .iter()
        .skip(1)
        .map(|c| c.common_name().unwrap_or_default())
        .chain([name::common_name(&anchor.subject).unwrap_or_default()])
        .collect();
    let pinned = anchor.kind == AnchorKind::Intermediate;
    let right = match above.as_slice() {
        [hsm] => pinned && is_hsm_authority(hsm),
        [hsm, _] if hsm.ends_with(" Sub-CA") => is_hsm_authority(hsm),
        [hsm, intermediate] => pinned && is_hsm_authority(hsm) && is_intermediate(intermediate),
        [hsm, intermediate, _] => is_hsm_authority(hsm) && is_intermediate(intermediate),
        _ => false,
    };
    checks.test(
        &ck::WRONG_APPLICATION_CA,
        place.to_owned(),
        right,
        "the device certificate was issued by an authority for YubiHSM 2",
        || {
            format!(
                "the path from the device certificate to {} does not go through an authority for YubiHSM 2: {}",
                anchor.name,
                path::describe(chain)
            )
            .into()
        },
    )
}

fn is_intermediate(cn: &str) -> bool {
    cn.starts_with("Yubico Attestation Intermediate ")
}

fn report_no_anchor(
    device: &Certificate,
    chain: &[Certificate],
    top: &Top<'_>,
    place: &str,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    let issuer = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    match top {
        Top::NotSignedByAnchor(anchor) => {
            let detail = format!("names {} as issuer and is not signed by it", anchor.name);
            checks.fail(&ck::UNTRUSTED_ROOT, place, detail);
        }
        Top::SelfSigned => {
            let detail = format!("ends at a self-signed certificate of {issuer}, which is not an anchor");
            checks.fail(&ck::UNTRUSTED_ROOT, place, detail);
        }
        Top::NotSignedByIssuer | Top::Budget => {
            let detail = format!("is not signed by the certificate of {issuer} that is there");
            checks.fail(&ck::UNTRUSTED_ROOT, place, detail);
        }
        Top::Anchor(_) | Top::IssuerMissing => {
            let named = device.issuer_common_name().is_some_and(is_hsm_authority);
            if named && chain.len() == 1 {
                let detail = format!("the certificate of {issuer} is neither configured nor in the evidence");
                checks.fail(&ck::INTERMEDIATE_MISSING, place, detail);
            } else {
                checks.fail_as(
                    &ck::UNTRUSTED_ROOT,
                    OnFail::Undecided,
                    place,
                    format!("the issuer {issuer} is neither an anchor nor in the evidence"),
                    "Export the device certificate again (opaque object 0). If Yubico has a new authority, the operator must configure it (--anchors).",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_hsm_authority;

    #[test]
    fn authorities_by_name() {
        for cn in ["Yubico YubiHSM 6742036 Sub-CA", "YubiHSM Attestation B2 1", "YubiHSM Attestation A 1"] {
            assert!(is_hsm_authority(cn), "{cn}");
        }
        for cn in [
            "Yubico YubiHSM Root CA",
            "YubiHSM Attestation (31650425)",
            "YubiHSM Attestation id:0x7e57",
            "YubiHSM Attestation ",
            "Yubico FIDO Attestation B 1",
            "Yubico Attestation Intermediate B 1",
            "",
        ] {
            assert!(!is_hsm_authority(cn), "{cn}");
        }
    }
}
