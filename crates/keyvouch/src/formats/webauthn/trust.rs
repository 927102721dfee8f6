//! From an attestation certificate up to an anchor. Which anchors count depends on the statement: those of the very
//! model where the metadata know it, and never a pool of all makers'.

use super::super::Context;
use super::super::tpm::chain::impostor;
use super::checks as ck;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::pki::path::{self, FaultKind, Rules, Signs, Top, Validation};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind, Origin};

/// The built-in anchors of makers, for models that no metadata know.
pub(super) const MAKERS: &[&str] = &["yubico-u2f-root-457200631"];
/// Apple's anonymous authority.
pub(super) const APPLE: &[&str] = &["apple-webauthn-root"];
/// The authority that certifies attestation keys of TPMs.
pub(super) const TPM: &[&str] = &["tpm-microsoft-tpm-root-certificate-authority-2014"];

/// Whether an anchor is one of these built-in ones, or the operator's.
pub(super) fn serves(anchor: &Anchor, built_in: &[&str]) -> bool {
    match anchor.origin {
        Origin::BuiltIn => built_in.contains(&anchor.id.as_str()),
        Origin::Operator(_) => true,
    }
}

/// The anchors for statements of unknown models and of Apple.
pub(super) fn anchors<'a>(cx: &Context<'a>, built_in: &[&str]) -> Vec<&'a Anchor> {
    let roots = cx.reference.anchors.roots_for(super::ID);
    roots.filter(|anchor| serves(anchor, built_in)).collect()
}

/// Anchors to end at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) anchors: &'w [&'w Anchor],
    /// Whether the anchors are those of the one model that it must be: then every other end is wrong. They count as
    /// name and key, whatever the dates of the certificate that the metadata hold.
    pub(super) of_model: bool,
    /// Issuers that are known and not handed over: the chain only lacks them.
    pub(super) known_issuers: &'w [&'w str],
}

/// A trusted attestation key.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) key: TrustedKey,
    pub(super) certificate: Authentic<Certificate>,
    pub(super) chain: Vec<Certificate>,
}

/// Looks for a path from the first certificate of `x5c` to an anchor, and judges it. `None`: every fault is recorded.
pub(super) fn establish(
    x5c: &[Certificate],
    wanted: &Wanted<'_>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Trusted> {
    let leaf = x5c.first()?;
    let fail = |checks: &mut Checks, detail: String| {
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
    };
    let rules = Rules { ignore_anchor_validity: wanted.of_model, ..Rules::strict(cx.at, Signs::Statements) };
    let published = wanted.anchors.iter().filter(|_| wanted.of_model && x5c.len() == 1);
    if let Some(validation) = published.into_iter().find_map(|a| path::validate_published(leaf, a, &rules)) {
        report(&validation, "the attestation certificate itself is published", place, checks);
        return trusted(validation, vec![leaf.clone()]);
    }
    if let Some(stray) = stray(x5c, cx) {
        fail(
            checks,
            format!("{} did not issue the certificate before it in the array", stray.display_name()),
        );
        return None;
    }
    let path::Found { chain, top } = path::find(leaf, x5c, wanted.anchors, cx.signatures);
    if let Some(detail) = impostor(chain.get(1..).unwrap_or_default(), wanted.anchors) {
        fail(checks, detail);
        return None;
    }
    let last = chain.last()?;
    let issuer = name::display(last.issuer());
    let distrusted = cx.reference.anchors.by_subject(last.issuer()).find(|anchor| {
        // Other applications' authorities may be the right ones here.
        anchor.kind == AnchorKind::Untrusted
            && anchor.applies_to(super::ID)
            && cx.signatures.check(last, &anchor.key).is_ok()
    });
    if let Some(anchor) = distrusted {
        fail(checks, format!("the path ends at {}, which is known and never trusted", anchor.name));
        return None;
    }
    match top {
        Top::Anchor(anchor) => {
            let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
            report(&validation, &anchor.name, place, checks);
            trusted(validation, chain)
        }
        Top::NotSignedByAnchor(_) | Top::NotSignedByIssuer => {
            let detail = format!("{} names {issuer} as issuer and is not signed by it", last.display_name());
            fail(checks, detail);
            None
        }
        Top::Budget => {
            fail(checks, "too many certificates to find a path through".to_owned());
            None
        }
        Top::SelfSigned | Top::IssuerMissing if wanted.of_model => {
            let detail = format!("the path ends at {issuer}, which is no anchor of this model");
            fail(checks, detail);
            None
        }
        Top::IssuerMissing
            if name::common_name(last.issuer()).is_some_and(|cn| wanted.known_issuers.contains(&cn)) =>
        {
            let detail = format!("the certificate of {issuer} is missing");
            checks.fail(&ck::CHAIN_INCOMPLETE, place.to_owned(), detail);
            None
        }
        Top::SelfSigned | Top::IssuerMissing => {
            let detail = format!("the path ends at {issuer}, which is no anchor");
            checks.fail(&ck::ANCHOR_UNKNOWN, place.to_owned(), detail);
            None
        }
    }
}

fn trusted(validation: Validation, chain: Vec<Certificate>) -> Option<Trusted> {
    Some(Trusted { key: validation.trusted?, certificate: validation.certificate?, chain })
}

/// The first certificate of the array that did not issue the one before it.
fn stray<'c>(x5c: &'c [Certificate], cx: &Context<'_>) -> Option<&'c Certificate> {
    x5c.windows(2).find_map(|pair| match pair {
        [lower, upper] => {
            let issued = lower.issuer() == upper.subject()
                && upper.key().is_ok_and(|key| cx.signatures.check(lower, key).is_ok());
            (!issued).then_some(upper)
        }
        _ => None,
    })
}

fn report(validation: &Validation, anchor: &str, place: &str, checks: &mut Checks) {
    for fault in &validation.faults {
        let check = match &fault.kind {
            FaultKind::NotYetValid(_) => &ck::NOT_YET_VALID,
            FaultKind::Expired(_) | FaultKind::AnchorOutsideValidity(_) => &ck::EXPIRED,
            _ => &ck::CHAIN_UNTRUSTED,
        };
        checks.fail(check, place.to_owned(), fault.to_string());
    }
    if validation.faults.is_empty() {
        checks.pass(&ck::CHAIN_UNTRUSTED, place.to_owned(), format!("the path ends at {anchor}"));
        checks.pass(&ck::EXPIRED, place.to_owned(), "every certificate is valid at the time");
    }
}
