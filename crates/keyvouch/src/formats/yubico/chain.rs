//! From the attester up to an anchor.

use super::{Applet, Found, INTERMEDIATE_CN};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Checks, OnFail};
use crate::formats::Context;
use crate::pki::path::{self, FaultKind, Rules, Signs, Top, Validation};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// An attester as trusted: its key, itself, and under whom.
pub(in super::super) struct Trusted {
    pub(in super::super) key: TrustedKey,
    pub(in super::super) attester: Authentic<Certificate>,
    pub(in super::super) ca: AttestationCa,
    /// Whether it chains to Root 1; `None` under an operator's anchor.
    pub(in super::super) new_hierarchy: Option<bool>,
}

/// For the detail `attestation_ca`.
#[derive(Clone, Copy)]
pub(in super::super) enum AttestationCa {
    Yubico,
    Custom,
}

impl AttestationCa {
    pub(in super::super) const fn text(self) -> &'static str {
        match self {
            Self::Yubico => "Yubico",
            Self::Custom => "custom: genuineness rests on the operator of that authority",
        }
    }
}

/// Checks the path from the attester to an anchor. Every certificate it rests on is added to `used`.
pub(in super::super) fn check_path(
    found: &Found<'_>,
    attester: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Option<Trusted> {
    let applet = found.applet;
    if issued_by_untrusted(applet, attester, place, cx, checks) {
        return None;
    }
    let anchors: Vec<&Anchor> = cx
        .reference
        .anchors
        .by_subject(attester.issuer())
        .chain(cx.reference.anchors.roots_for(applet.format))
        .filter(|a| a.kind != AnchorKind::Untrusted && a.applies_to(applet.format))
        .collect();
    let pool: Vec<Certificate> = found
        .all
        .iter()
        .map(|(_, c)| *c)
        .chain(&cx.reference.intermediates)
        .filter(|c| !(applet.is_leaf)(c) && !(applet.is_attester)(c))
        .cloned()
        .collect();
    let path::Found { chain, top } = path::find(attester, &pool, &anchors, cx.signatures);
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        report_no_anchor(applet, attester, &chain, &top, place, checks);
        return None;
    };
    let cn = name::common_name(&anchor.subject).unwrap_or_default();
    let yubico = cn.starts_with("Yubico ");
    if !check_application(applet, &chain, anchor, yubico, place, checks) {
        return None;
    }
    let rules = Rules {
        issuers_without_basic_constraints: &[0],
        // A root pinned directly above the attester is pinned for that.
        ignore_anchor_path_len: applet.old_roots_understate_path_len
            && anchor.kind == AnchorKind::Root
            && chain.len() == 1,
        accept_expired: cx.options.is_on("accept_expired"),
        ..Rules::strict(cx.at, Signs::Certificates)
    };
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    report_validation(applet, &validation, attester, anchor, place, cx, checks);
    Some(Trusted {
        key: validation.trusted?,
        attester: validation.certificate?,
        ca: if yubico { AttestationCa::Yubico } else { AttestationCa::Custom },
        new_hierarchy: yubico.then(|| !applet.old_roots.contains(&cn)),
    })
}

fn report_validation(
    applet: &Applet,
    validation: &Validation,
    attester: &Certificate,
    anchor: &Anchor,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let ids = applet.checks;
    for (faults, tolerated) in [(&validation.faults, false), (&validation.tolerated, true)] {
        for fault in faults {
            let check = match &fault.kind {
                FaultKind::NotYetValid(_) => ids.not_yet_valid,
                FaultKind::Expired(_) => ids.expired,
                FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
                    ids.not_yet_valid
                }
                FaultKind::AnchorOutsideValidity(_) => ids.expired,
                FaultKind::NameChaining => ids.name_chaining,
                FaultKind::DuplicateExtension(_) => ids.duplicate_extension,
                _ if fault.certificate == attester.display_name() => ids.attester_shape,
                _ => ids.untrusted_root,
            };
            if tolerated {
                checks.warn(check, place.to_owned(), fault.to_string());
            } else {
                checks.fail(check, place.to_owned(), fault.to_string());
            }
        }
    }
    if validation.faults.is_empty() {
        let detail = format!("{} chains to {}", applet.attester, anchor.name);
        checks.pass(ids.untrusted_root, place.to_owned(), detail);
        if validation.tolerated.is_empty() {
            checks.pass(ids.expired, place.to_owned(), "every certificate is valid at the time");
        }
    }
}

/// Whether the attester was issued by an authority that is known and must not be trusted here: one of preview
/// devices, one of another applet, or one that the operator does not trust.
fn issued_by_untrusted(
    applet: &Applet,
    attester: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> bool {
    let noun = applet.attester;
    let foreign = |a: &Anchor| {
        let role = a.role.as_deref().is_some_and(|role| role != applet.role);
        a.kind == AnchorKind::Untrusted || role || !a.applies_to(applet.format)
    };
    let known = cx.reference.anchors.by_subject(attester.issuer());
    let issuer = known.filter(|a| foreign(a)).find(|a| cx.signatures.check(attester, &a.key).is_ok());
    let Some(anchor) = issuer else {
        checks.pass(applet.checks.preview_device, place.to_owned(), "not a preview device");
        return false;
    };
    let name = &anchor.name;
    let distrusted = || format!("{noun} was issued by {name}, which is not trusted");
    let (check, detail) = match anchor.role.as_deref() {
        Some("preview") => {
            (applet.checks.preview_device, format!("{noun} was issued by {name}: an engineering sample"))
        }
        Some(role) if role == applet.role => (applet.checks.untrusted_root, distrusted()),
        None if anchor.kind == AnchorKind::Untrusted => (applet.checks.untrusted_root, distrusted()),
        _ => (
            applet.checks.wrong_application_ca,
            format!("{noun} was issued by {name}, which does not issue {noun} certificates"),
        ),
    };
    checks.fail(check, place.to_owned(), detail);
    true
}

/// Below Root 1 only the intermediates for this applet may issue attesters.
fn check_application(
    applet: &Applet,
    chain: &[Certificate],
    anchor: &Anchor,
    yubico: bool,
    place: &str,
    checks: &mut Checks,
) -> bool {
    let cn = |index: usize| chain.get(index).and_then(Certificate::common_name);
    let is = |index: usize, prefix: &str| cn(index).is_some_and(|cn| cn.starts_with(prefix));
    let pinned = anchor.kind == AnchorKind::Intermediate;
    let old_root = applet.old_roots.contains(&name::common_name(&anchor.subject).unwrap_or_default());
    // An operator's own hierarchy is his to arrange, as long as nothing in it is named after Yubico.
    let own = !yubico && !is(1, "Yubico ");
    let right = match chain.len() {
        _ if own => true,
        // Directly below: a pinned intermediate of this applet, or one of the roots of old firmware.
        0 | 1 => pinned || old_root,
        2 => pinned && is(1, applet.authority_cn),
        3 => is(1, applet.authority_cn) && is(2, INTERMEDIATE_CN),
        _ => false,
    };
    let (noun, name) = (applet.attester, applet.name);
    checks.test(
        applet.checks.wrong_application_ca,
        place.to_owned(),
        right,
        format!("{noun} was issued by an authority for {name}"),
        || {
            let path = path::describe(chain);
            let anchor = &anchor.name;
            format!("the path from {noun} to {anchor} does not go through the authorities for {name}: {path}")
                .into()
        },
    )
}

fn report_no_anchor(
    applet: &Applet,
    attester: &Certificate,
    chain: &[Certificate],
    top: &Top<'_>,
    place: &str,
    checks: &mut Checks,
) {
    let (ids, noun) = (applet.checks, applet.attester);
    let issuer = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    match top {
        Top::NotSignedByAnchor(anchor) => {
            let detail = format!("names {} as issuer and is not signed by it", anchor.name);
            checks.fail(ids.untrusted_root, place.to_owned(), detail);
        }
        Top::SelfSigned => {
            let detail = format!("ends at a self-signed certificate of {issuer}, which is not an anchor");
            checks.fail(ids.untrusted_root, place.to_owned(), detail);
            let detail = format!("{noun} was replaced: it was not issued by Yubico");
            checks.fail(ids.attester_replaced, place.to_owned(), detail);
        }
        Top::NotSignedByIssuer | Top::Budget => {
            let detail = format!("is not signed by the certificate of {issuer} that is there");
            checks.fail(ids.untrusted_root, place.to_owned(), detail);
        }
        Top::Anchor(_) | Top::IssuerMissing => {
            let own = attester.issuer_common_name().is_some_and(|cn| cn.starts_with(applet.authority_cn));
            if own && chain.len() == 1 {
                let detail = format!("the certificate of {issuer} is neither configured nor in the evidence");
                checks.fail(ids.intermediate_missing, place.to_owned(), detail);
            } else {
                checks.fail_as(
                    ids.untrusted_root,
                    OnFail::Undecided,
                    place.to_owned(),
                    format!("the issuer {issuer} is neither an anchor nor in the evidence"),
                    format!(
                        "If this YubiKey belongs to a fleet with its own attestation authority, the operator must configure that root (--anchors). Otherwise slot {noun} was replaced, and this device cannot attest for Yubico any more."
                    ),
                );
            }
        }
    }
}
