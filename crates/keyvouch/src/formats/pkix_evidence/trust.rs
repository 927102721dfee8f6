//! Who vouches for an attestation key's certificate. No root is built in: all anchors are the operator's.

use super::ID;
use super::checks as ck;
use super::envelope::Envelope;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Check;
use crate::formats::Context;
use crate::pki::path::{self, FaultKind, Found, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed, PublishedCertificate};

/// An attestation key on a valid path.
pub(super) struct Trusted {
    pub(super) key: TrustedKey,
    pub(super) certificate: Authentic<Certificate>,
}

/// Every certificate that is at hand, from wherever: for looking up signers and building paths. None gives trust.
pub(super) fn at_hand(envelope: &Envelope<'_>, cx: &Context<'_>) -> Vec<Certificate> {
    let beside = cx.parts.certificates().into_iter().map(|(_, c)| c);
    envelope.certificates.iter().chain(beside).chain(&cx.reference.intermediates).cloned().collect()
}

/// Validates the path of the attestation key's certificate.
pub(super) fn check(
    certificate: &Certificate,
    envelope: &Envelope<'_>,
    cx: &Context<'_>,
    faults: &mut Vec<(&'static Check, String)>,
    used: &mut Vec<Certificate>,
) -> Option<Trusted> {
    let known = &cx.reference.anchors;
    let pool = at_hand(envelope, cx);
    let roots: Vec<&Anchor> = known.roots_for(ID).chain(known.intermediates_for(ID)).collect();
    let authorities = operators_authorities(cx);
    let mut found = path::find(certificate, &pool, &roots, cx.signatures);
    if !matches!(found.top, Top::Anchor(_)) {
        let more: Vec<&Anchor> = authorities.iter().collect();
        let other = path::find(certificate, &pool, &more, cx.signatures);
        if matches!(other.top, Top::Anchor(_)) {
            found = other;
        }
    }
    let Found { chain, top } = found;
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        faults.push(no_anchor(&chain, &top, &roots));
        return None;
    };
    let before = faults.len();
    let validation =
        path::validate(&chain, anchor, known, &Rules::strict(cx.at, Signs::Statements), cx.signatures);
    for fault in &validation.faults {
        let check = match fault.kind {
            // Said, more strictly, by the profile of the certificate.
            FaultKind::MayNotSign => continue,
            FaultKind::NotYetValid(_) | FaultKind::Expired(_) | FaultKind::AnchorOutsideValidity(_) => {
                &ck::EXPIRED
            }
            _ => &ck::UNTRUSTED_ROOT,
        };
        faults.push((check, fault.to_string()));
    }
    // RFC 5280 lets a CA without keyUsage issue; the format asks that it says so.
    let silent = chain.iter().skip(1).find(|c| c.key_usage().is_none());
    if let Some(issuer) = silent {
        let detail =
            format!("{}: issued a certificate and has no keyUsage keyCertSign", issuer.display_name());
        faults.push((&ck::UNTRUSTED_ROOT, detail));
    }
    if faults.len() > before {
        return None;
    }
    Some(Trusted { key: validation.trusted?, certificate: validation.certificate? })
}

/// The certification authorities among the certificates that the operator handed over. One of them ends a path when
/// no anchor has the name of its issuer: then the operator means it as his anchor, for he has no other above it.
fn operators_authorities(cx: &Context<'_>) -> Vec<Anchor> {
    let anchors = &cx.reference.anchors;
    let is_authority = |c: &Certificate| {
        let constraints = c.basic_constraints().and_then(Result::ok);
        let usage = c.key_usage().and_then(Result::ok);
        constraints.is_some_and(|c| c.ca) && usage.is_some_and(|u| u.key_cert_sign)
    };
    let has_no_anchor_above = |c: &Certificate| anchors.by_subject(c.issuer()).next().is_none();
    let is_distrusted = |c: &Certificate| {
        let own = |a: &Anchor| c.key().is_ok_and(|key| a.key == *key);
        anchors.untrusted().any(own)
    };
    cx.reference
        .intermediates
        .iter()
        .filter(|c| is_authority(c) && has_no_anchor_above(c) && !is_distrusted(c))
        .filter_map(|c| {
            let published = PublishedCertificate {
                sha256: *c.sha256(),
                serial: hex::encode(c.serial()),
                not_before: c.not_before(),
                not_after: c.not_after(),
                source: "the operator's certificate".to_owned(),
                looked_up: None,
                confirmed: Confirmed::Operator,
            };
            let path_len = c.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len);
            let spki = c.key().ok()?.spki_der();
            let name = c.display_name();
            Anchor::from_operator(
                "operator's certificates",
                &name,
                AnchorKind::Intermediate,
                c.subject(),
                spki,
                path_len,
                published,
            )
            .ok()
        })
        .collect()
}

/// Why no anchor was reached. A top that has the name of an anchor and another key, or is not signed by the issuer
/// at hand, is wrong; a name that no anchor has is only not known.
fn no_anchor(chain: &[Certificate], top: &Top<'_>, anchors: &[&Anchor]) -> (&'static Check, String) {
    let last = chain.last();
    let issuer = last.map(|c| name::display(c.issuer())).unwrap_or_default();
    let named_like_anchor = last.is_some_and(|c| anchors.iter().any(|a| a.subject == c.issuer()));
    match top {
        Top::NotSignedByAnchor(anchor) => {
            (&ck::UNTRUSTED_ROOT, format!("names {} as issuer and is not signed by it", anchor.name))
        }
        Top::SelfSigned if named_like_anchor => (
            &ck::UNTRUSTED_ROOT,
            format!("ends at a self-signed {issuer} with another key than the anchor of that name"),
        ),
        Top::NotSignedByIssuer => {
            (&ck::UNTRUSTED_ROOT, format!("is not signed by the certificate of {issuer} that is there"))
        }
        Top::Budget => {
            (&ck::UNTRUSTED_ROOT, format!("no path was found in bounded time: {}", path::describe(chain)))
        }
        Top::SelfSigned => {
            (&ck::ANCHOR_UNKNOWN, format!("ends at a self-signed {issuer}, which is no anchor"))
        }
        Top::Anchor(_) | Top::IssuerMissing => {
            (&ck::ANCHOR_UNKNOWN, format!("the issuer {issuer} is neither an anchor nor at hand"))
        }
    }
}
