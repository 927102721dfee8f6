//! Where a chain ends, and the path from the attestation key up to there.

use super::ID;
use super::checks as ck;
use super::rkp;
use super::shape::{self, Provisioning};
use super::switches::Switches;
use crate::checks::{Check, Checks};
use crate::formats::Context;
use crate::pki::path::{self, Fault, FaultKind, Rules, Signs, Validation};
use crate::pki::{Certificate, EcdsaForm, name};
use crate::reference::anchors::{Anchor, AnchorKind};

pub(super) const SAMSUNG: &str = "samsung-knox";

/// An anchor, and whether its own certificate is the last of the chain.
pub(super) struct Anchored<'a> {
    pub(super) anchor: &'a Anchor,
    pub(super) included: bool,
}

/// Where a certificate is, for reports.
pub(super) fn at(place: &str, position: usize) -> String {
    format!("{place}, certificate {position}")
}

/// Adds intermediates that the operator configured to a chain that stops short.
pub(super) fn complete(chain: &mut Vec<Certificate>, cx: &Context<'_>) {
    const MOST: usize = 4;
    for _ in 0..MOST {
        let Some(top) = chain.last() else { return };
        if cx.reference.anchors.by_subject(top.issuer()).next().is_some() {
            return;
        }
        let issuer = cx.reference.intermediates.iter().find(|c| {
            name::same_values(top.issuer(), c.subject())
                && !chain.contains(c)
                && c.key().is_ok_and(|k| cx.signatures.check(top, k).is_ok())
        });
        let Some(issuer) = issuer.cloned() else { return };
        chain.push(issuer);
    }
}

/// Finds the anchor by its key, or records why there is none.
pub(super) fn find<'a>(
    chain: &[Certificate],
    place: &str,
    switches: &Switches,
    cx: &Context<'a>,
    checks: &mut Checks,
) -> Option<Anchored<'a>> {
    let anchors = &cx.reference.anchors;
    let (top, position) = (chain.last()?, chain.len().saturating_sub(1));
    let where_ = at(place, position);
    if refuse_untrusted(chain, place, cx, checks) {
        return None;
    }
    let may_end = |a: &&Anchor| {
        a.kind == AnchorKind::Root
            && a.applies_to(ID)
            && (switches.samsung || a.role.as_deref() != Some(SAMSUNG))
            && a.role.as_deref() != Some(rkp::UDS)
    };
    let keyed: Vec<&Anchor> =
        top.key().map(|k| anchors.by_spki(k.spki_der()).filter(may_end).collect()).unwrap_or_default();
    let by_name = |a: &&&Anchor| a.subject == top.subject();
    if let Some(anchor) = keyed.iter().find(by_name).or(keyed.first()).copied() {
        let published = anchor.certificates.iter().any(|c| c.sha256 == *top.sha256());
        if !published && cx.signatures.check(top, &anchor.key).is_err() {
            let detail =
                "the root certificate has the anchor's key but is neither published nor signed by it";
            checks.fail(&ck::SIGNATURE_INVALID, where_, detail);
            return None;
        }
        if anchor.subject != top.subject() {
            let detail = "the root certificate has the anchor's key under another name";
            checks.fail(&ck::NAME_MISMATCH, where_, detail);
            return None;
        }
        pass(anchor, where_, checks);
        return Some(Anchored { anchor, included: true });
    }
    let named: Vec<&Anchor> = anchors.by_subject(top.issuer()).filter(may_end).collect();
    if let Some(anchor) = named.iter().find(|a| cx.signatures.check(top, &a.key).is_ok()).copied() {
        pass(anchor, where_, checks);
        return Some(Anchored { anchor, included: false });
    }
    let self_signed = is_self_signed(top, cx);
    let issuer = name::display(top.issuer());
    if !named.is_empty() && self_signed {
        let detail = format!("the root is called {issuer} like a known one, and its key is another");
        checks.fail(&ck::ROOT_UNTRUSTED, where_, detail);
    } else if !named.is_empty() {
        let detail = format!("it names {issuer} as its issuer and is not signed by its key");
        checks.fail(&ck::SIGNATURE_INVALID, where_, detail);
    } else if !self_signed && shape::is_missing_intermediate(top.issuer_name()) {
        checks.fail(&ck::CHAIN_INCOMPLETE, where_, format!("the certificate of {issuer} is missing"));
    } else {
        checks.fail(&ck::ANCHOR_UNKNOWN, where_, format!("the chain ends at {issuer}, which is not known"));
    }
    None
}

fn pass(anchor: &Anchor, place: String, checks: &mut Checks) {
    checks.pass(&ck::ANCHOR_UNKNOWN, place.clone(), format!("the chain ends at {}", anchor.name));
    checks.pass(&ck::ROOT_SOFTWARE, place.clone(), "no key of the Android source is in it");
    checks.pass(&ck::ROOT_UNTRUSTED, place, "its root is not one that is known and refused");
}

pub(super) fn is_self_signed(certificate: &Certificate, cx: &Context<'_>) -> bool {
    certificate.is_self_issued()
        && certificate
            .key()
            .is_ok_and(|k| cx.signatures.check_with(certificate, k, EcdsaForm::NullParameters).is_ok())
}

/// Whether a key that is known and never trusted is in the chain, or signed its top.
fn refuse_untrusted(chain: &[Certificate], place: &str, cx: &Context<'_>, checks: &mut Checks) -> bool {
    let anchors = &cx.reference.anchors;
    let refused = |a: &&Anchor| a.kind == AnchorKind::Untrusted && a.applies_to(ID);
    let in_chain = chain.iter().enumerate().rev().find_map(|(position, certificate)| {
        let key = certificate.key().ok()?;
        anchors.by_spki(key.spki_der()).find(refused).map(|a| (position, a))
    });
    let above = || {
        let top = chain.last()?;
        let signed = |a: &&Anchor| {
            // Under 1024 bits no signature is verified: the name must do to refuse it.
            a.key.rsa_bits().is_some_and(|bits| bits < 2048) || cx.signatures.check(top, &a.key).is_ok()
        };
        let anchor = anchors.by_subject(top.issuer()).filter(refused).find(signed)?;
        Some((chain.len().saturating_sub(1), anchor))
    };
    let Some((position, anchor)) = in_chain.or_else(above) else { return false };
    let software = anchor.role.as_deref() == Some("software");
    let check = if software { &ck::ROOT_SOFTWARE } else { &ck::ROOT_UNTRUSTED };
    checks.fail(check, at(place, position), format!("the chain rests on {}", anchor.name));
    true
}

/// Validates the path from the attestation key (the first of `path`) up to the anchor.
pub(super) fn validate(
    path: &[Certificate],
    anchor: &Anchor,
    provisioning: Provisioning,
    switches: &Switches,
    cx: &Context<'_>,
) -> Validation {
    let factory = provisioning == Provisioning::Factory;
    // Batch certificates of 2016 say that they are no CA and have nonsense for name constraints; the position decides.
    let batch: &[usize] = if factory { &[0] } else { &[] };
    let rules = Rules {
        issuers_that_deny_it: batch,
        ignored_name_constraints: batch,
        names_by_value: true,
        accept_expired: factory && !switches.expired_factory_fails,
        ..Rules::strict(cx.at, Signs::Certificates)
    };
    path::validate(path, anchor, &cx.reference.anchors, &rules, cx.signatures)
}

/// The checks of the path, each with what is wrong or that nothing is.
pub(super) fn report(validation: &Validation, place: &str, anchor_is_new: bool, checks: &mut Checks) {
    let all: [&'static Check; 5] = [
        &ck::CA_FLAG,
        &ck::CRITICAL_EXTENSION,
        &ck::CERT_NOT_YET_VALID,
        &ck::CERT_EXPIRED,
        &ck::FACTORY_CERT_EXPIRED,
    ];
    let mut wrong: Vec<&'static str> = Vec::new();
    for fault in &validation.faults {
        let check = check_of(&fault.kind, anchor_is_new);
        wrong.push(check.id);
        checks.fail(check, place.to_owned(), fault.to_string());
    }
    for Fault { certificate, kind } in &validation.tolerated {
        let check = check_of(kind, anchor_is_new);
        wrong.push(check.id);
        if check == &ck::CERT_EXPIRED {
            wrong.push(ck::FACTORY_CERT_EXPIRED.id);
            let detail = format!("{certificate}: {kind}; phones cannot renew it");
            checks.warn(&ck::FACTORY_CERT_EXPIRED, place.to_owned(), detail);
        } else {
            // Only what has run out is tolerated.
            checks.fail(check, place.to_owned(), format!("{certificate}: {kind}"));
        }
    }
    for check in all.iter().filter(|c| !wrong.contains(&c.id)) {
        checks.pass(check, place.to_owned(), check.about);
    }
}

/// `anchor_is_new`: the anchor's first certificate is later than the time of the appraisal.
fn check_of(kind: &FaultKind, anchor_is_new: bool) -> &'static Check {
    match kind {
        FaultKind::NameChaining => &ck::NAME_MISMATCH,
        FaultKind::Signature(_) | FaultKind::ShortKey(_) | FaultKind::Key(_) => &ck::SIGNATURE_INVALID,
        FaultKind::NotYetValid(_) => &ck::CERT_NOT_YET_VALID,
        FaultKind::AnchorOutsideValidity(_) if anchor_is_new => &ck::CERT_NOT_YET_VALID,
        FaultKind::Expired(_) | FaultKind::AnchorOutsideValidity(_) => &ck::CERT_EXPIRED,
        FaultKind::NotCa | FaultKind::MayNotIssue | FaultKind::MayNotSign | FaultKind::PathLen => {
            &ck::CA_FLAG
        }
        FaultKind::CriticalExtension(_) | FaultKind::NameConstraints => &ck::CRITICAL_EXTENSION,
        FaultKind::DuplicateExtension(_) | FaultKind::UnreadableExtension => &ck::CERT_PARSE,
        FaultKind::TooDeep => &ck::CHAIN_SHAPE,
    }
}
