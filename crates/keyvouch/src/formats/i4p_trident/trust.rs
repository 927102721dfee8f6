//! Who vouches for the signer. No root of I4P is public, and nothing in a certificate is known to tell an attestation
//! key from any other: so only anchors count that the operator named for this format.

use super::ID;
use super::checks as ck;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::Checks;
use crate::formats::Context;
use crate::pki::path::{self, Found, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::Anchor;

/// The signer's key on a valid path.
pub(super) struct Trusted {
    pub(super) key: TrustedKey,
    pub(super) certificate: Authentic<Certificate>,
}

/// The anchors that the operator named: by `formats` in an anchor file, or by the SHA-256 of the root's certificate.
pub(super) fn roots<'r>(cx: &Context<'r>) -> Vec<&'r Anchor> {
    let named = |anchor: &Anchor| {
        let listed = |digest: String| cx.options.list("i4p_roots").any(|d| d.eq_ignore_ascii_case(&digest));
        anchor.formats.iter().any(|f| f == ID)
            || (anchor.every_format && anchor.certificates.iter().any(|c| listed(hex::encode(c.sha256))))
    };
    let reference = cx.reference;
    reference.anchors.roots_for(ID).filter(|a| named(a)).collect()
}

/// Validates the path of the signer's certificate.
pub(super) fn check(
    certificate: &Certificate,
    pool: &[Certificate],
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Option<Trusted> {
    let roots = roots(cx);
    if roots.is_empty() {
        let detail = "this format is known only as CMS: no root of I4P is public, and none is configured";
        checks.fail(&ck::ANCHOR_NOT_CONFIGURED, place.to_owned(), detail);
        return None;
    }
    checks.pass(
        &ck::ANCHOR_NOT_CONFIGURED,
        place.to_owned(),
        "the operator has named a root for this format",
    );
    let Found { chain, top } = path::find(certificate, pool, &roots, cx.signatures);
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        report_no_anchor(&chain, &top, &roots, place, checks);
        return None;
    };
    let rules = Rules::strict(cx.at, Signs::Statements);
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    for fault in &validation.faults {
        let check = if fault.kind.is_validity() { &ck::EXPIRED } else { &ck::UNTRUSTED_ROOT };
        checks.fail(check, place.to_owned(), fault.to_string());
    }
    if validation.faults.is_empty() {
        let detail = format!("the signer chains to {}", anchor.name);
        checks.pass(&ck::UNTRUSTED_ROOT, place.to_owned(), detail);
    }
    Some(Trusted { key: validation.trusted?, certificate: validation.certificate? })
}

fn report_no_anchor(
    chain: &[Certificate],
    top: &Top<'_>,
    roots: &[&Anchor],
    place: &str,
    checks: &mut Checks,
) {
    let last = chain.last();
    let issuer = last.map(|c| name::display(c.issuer())).unwrap_or_default();
    let named_like_root = last.is_some_and(|c| roots.iter().any(|a| a.subject == c.issuer()));
    let place = place.to_owned();
    match top {
        Top::NotSignedByAnchor(_) | Top::NotSignedByIssuer => {
            checks.fail(
                &ck::UNTRUSTED_ROOT,
                place,
                format!("is not signed by {issuer}, which it names as issuer"),
            );
        }
        Top::SelfSigned if named_like_root => {
            let detail =
                format!("ends at a self-signed {issuer} with another key than the root of that name");
            checks.fail(&ck::UNTRUSTED_ROOT, place, detail);
        }
        Top::Budget => checks.fail(&ck::UNTRUSTED_ROOT, place, "no path was found in bounded time"),
        Top::SelfSigned | Top::IssuerMissing | Top::Anchor(_) => {
            let detail = format!("the issuer {issuer} is neither a root named for this format nor at hand");
            checks.fail(&ck::ANCHOR_UNKNOWN, place, detail);
        }
    }
}
