//! From a certificate of a TPM up to an anchor: of an attestation key (mode A), or of an endorsement key (mode B).

use der::asn1::ObjectIdentifier;

use super::checks as ck;
use super::identity::{IssuerName, SUBJECT_ALT_NAME};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks, OnFail};
use crate::formats::Context;
use crate::input::Content;
use crate::pki::path::{self, FaultKind, Rules, Signs, Top};
use crate::pki::{Certificate, RevocationList, name};
use crate::reference::anchors::{Anchor, AnchorKind, Confirmed, Origin, PublishedCertificate};

/// Read here, and so no reason to refuse a certificate where they are critical.
const PROCESSED: &[ObjectIdentifier] = &[SUBJECT_ALT_NAME];

/// Kinds of anchors, as their `role` in the reference data says. One without a role is the operator's own.
pub(crate) mod role {
    /// TPMs in software.
    pub(crate) const VIRTUAL: &str = "virtual";
    /// Roots for tests.
    pub(crate) const TEST: &str = "test";
    /// An authority that certifies attestation keys after it has looked at the endorsement key.
    pub(crate) const ATTESTATION_CA: &str = "attestation-ca";
}

/// What is asked of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The format whose anchors count.
    pub(crate) format: &'static str,
    /// Which of them do.
    pub(crate) serves: fn(&Anchor) -> bool,
    pub(crate) signs: Signs,
    /// A key usage of the end certificate that does not allow it fails this check.
    pub(crate) usage: &'static Check,
    pub(crate) accept_expired: bool,
    /// Leniency: names may differ in their string types (see `ek`).
    pub(crate) names_by_value: bool,
}

/// A certificate on a path that holds.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) key: TrustedKey,
    pub(crate) certificate: Authentic<Certificate>,
    pub(crate) anchor: Anchor,
    /// Everything that the path rests on, the end first.
    pub(crate) chain: Vec<Certificate>,
}

impl Path {
    /// The kind of the anchor, for reports.
    pub(crate) fn anchor_kind(&self) -> &str {
        self.anchor.role.as_deref().unwrap_or("operator")
    }

    /// Whether the anchor is the one of Microsoft's attestation authority.
    pub(crate) fn is_microsofts(&self) -> bool {
        self.anchor.role.as_deref() == Some(role::ATTESTATION_CA)
            && name::common_name(&self.anchor.subject)
                == Some("Microsoft TPM Root Certificate Authority 2014")
    }

    /// Whether the anchor is one of Google's for its virtual TPMs, whose certificates have a form of their own.
    pub(crate) fn is_googles(&self) -> bool {
        self.anchor.role.as_deref() == Some(role::VIRTUAL)
            && name::organization(&self.anchor.subject) == Some("Google LLC")
    }
}

/// Looks for a path from `end` and judges it. Every fault is recorded; `None` when there is one.
pub(crate) fn check(
    end: &Certificate,
    place: &str,
    pool: &[Certificate],
    wanted: &Wanted,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Path> {
    let known = &cx.reference.anchors;
    let anchors: Vec<&Anchor> = known
        .roots_for(wanted.format)
        .chain(known.intermediates_for(wanted.format))
        .filter(|a| !a.is_bare_key() && (wanted.serves)(a))
        .collect();
    let pool: Vec<Certificate> = pool.iter().chain(&cx.reference.intermediates).cloned().collect();
    let find = if wanted.names_by_value { path::find_by_values } else { path::find };
    let path::Found { chain, top } = find(end, &pool, &anchors, cx.signatures);
    if let Some(detail) = impostor(&chain, &anchors) {
        checks.fail(&ck::CHAIN_UNTRUSTED, place.to_owned(), detail);
        return None;
    }
    // An authority that the operator handed over is his anchor although another issued it: he need not trust that.
    let own = operators_authority(&chain, cx);
    let (chain, anchor) = match (top, own) {
        (Top::Anchor(anchor), _) => (chain, anchor.clone()),
        (_, Some((chain, anchor))) => (chain, anchor),
        (top, None) => {
            report_no_anchor(&chain, &top, place, cx, checks);
            return None;
        }
    };
    let rules = Rules {
        processed_extensions: PROCESSED,
        accept_expired: wanted.accept_expired,
        names_by_value: wanted.names_by_value,
        ..Rules::strict(cx.at, wanted.signs)
    };
    let validation = path::validate(&chain, &anchor, known, &rules, cx.signatures);
    for (faults, tolerated) in [(&validation.faults, false), (&validation.tolerated, true)] {
        for fault in faults {
            let check = match &fault.kind {
                FaultKind::NotYetValid(_) => &ck::NOT_YET_VALID,
                FaultKind::Expired(_) => &ck::EXPIRED,
                FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
                    &ck::NOT_YET_VALID
                }
                FaultKind::AnchorOutsideValidity(_) => &ck::EXPIRED,
                FaultKind::MayNotSign => wanted.usage,
                _ => &ck::CHAIN_UNTRUSTED,
            };
            if tolerated {
                checks.warn(check, place.to_owned(), fault.to_string());
            } else {
                checks.fail(check, place.to_owned(), fault.to_string());
            }
        }
    }
    check_revocation(&chain, &anchor, cx, checks);
    if validation.faults.is_empty() {
        checks.pass(&ck::CHAIN_UNTRUSTED, place.to_owned(), format!("the path ends at {}", anchor.name));
        if validation.tolerated.is_empty() {
            checks.pass(&ck::EXPIRED, place.to_owned(), "every certificate is valid at the time");
        }
    }
    let (key, certificate) = (validation.trusted?, validation.certificate?);
    (!checks.failed(&ck::REVOKED)).then_some(Path { key, certificate, anchor, chain })
}

/// A certificate of the path that is named like an anchor and has another key.
pub(crate) fn impostor(chain: &[Certificate], anchors: &[&Anchor]) -> Option<String> {
    chain.iter().find_map(|certificate| {
        let subject = certificate.subject();
        let mut named = anchors.iter().filter(|a| a.subject == subject && !is_empty_name(subject)).peekable();
        named.peek()?;
        let same = |a: &&Anchor| certificate.key().is_ok_and(|key| *key == a.key);
        (!named.any(same))
            .then(|| format!("{} is named like an anchor and has another key", certificate.display_name()))
    })
}

fn is_empty_name(name: &[u8]) -> bool {
    name == [0x30, 0x00]
}

/// The lowest authority on the path that the operator himself handed over, as an anchor, and the path below it.
fn operators_authority(chain: &[Certificate], cx: &Context<'_>) -> Option<(Vec<Certificate>, Anchor)> {
    let is_his = |c: &Certificate| {
        cx.reference.intermediates.contains(c)
            && matches!(c.basic_constraints(), Some(Ok(constraints)) if constraints.ca)
    };
    let (index, authority) = chain.iter().enumerate().skip(1).find(|(_, c)| is_his(c))?;
    let published = PublishedCertificate {
        sha256: *authority.sha256(),
        serial: hex::encode(authority.serial()),
        not_before: authority.not_before(),
        not_after: authority.not_after(),
        source: "the operator's certificates".to_owned(),
        looked_up: None,
        confirmed: Confirmed::Operator,
    };
    let anchor = Anchor::from_operator(
        "the operator's certificates",
        &authority.display_name(),
        AnchorKind::Root,
        authority.subject(),
        authority.key().ok()?.spki_der(),
        authority.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len),
        published,
    )
    .ok()?;
    Some((chain.get(..index)?.to_vec(), anchor))
}

fn report_no_anchor(
    chain: &[Certificate],
    top: &Top<'_>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    let Some(last) = chain.last() else { return };
    let issuer = name::display(last.issuer());
    let distrusted = cx
        .reference
        .anchors
        .by_subject(last.issuer())
        .find(|a| a.kind == AnchorKind::Untrusted && cx.signatures.check(last, &a.key).is_ok());
    if let Some(anchor) = distrusted {
        let detail = format!("the path ends at {}, which is known and never trusted", anchor.name);
        checks.fail(&ck::CHAIN_UNTRUSTED, place, detail);
        return;
    }
    match top {
        Top::NotSignedByAnchor(_) | Top::NotSignedByIssuer => {
            let detail = format!("{} names {issuer} as issuer and is not signed by it", last.display_name());
            checks.fail(&ck::CHAIN_UNTRUSTED, place, detail);
        }
        Top::Budget => {
            checks.fail(&ck::CHAIN_UNTRUSTED, place, "too many certificates to find a path through");
        }
        Top::IssuerMissing
            if IssuerName::read(name::common_name(last.issuer()).unwrap_or_default()).is_some() =>
        {
            let detail = format!("the certificate of the attestation authority {issuer} is missing");
            checks.fail(&ck::CHAIN_INCOMPLETE, place, detail);
        }
        Top::Anchor(_) | Top::SelfSigned | Top::IssuerMissing => {
            checks.fail(&ck::ANCHOR_UNKNOWN, place, format!("the path ends at {issuer}, which is no anchor"));
        }
    }
}

/// Lists that came with the evidence or that the operator configured, of every issuer of the path.
fn check_revocation(chain: &[Certificate], anchor: &Anchor, cx: &Context<'_>, checks: &mut Checks) {
    const OPERATOR: &str = "the operator's revocation lists";
    let own = cx.parts.evidence().filter_map(|(id, part)| match &part.content {
        Content::RevocationList(list) => Some((cx.parts.place(id), list)),
        _ => None,
    });
    let lists: Vec<(&str, &RevocationList)> =
        own.chain(cx.reference.revocation_lists.iter().map(|list| (OPERATOR, list))).collect();
    let mut used = false;
    for (index, certificate) in chain.iter().enumerate() {
        let upper = chain.get(index.saturating_add(1));
        let (issuer, key) = match upper {
            Some(upper) => (upper.subject(), upper.key().ok()),
            None => (anchor.subject.as_slice(), Some(&anchor.key)),
        };
        let Some(key) = key else { continue };
        for (place, list) in lists.iter().filter(|(_, list)| list.issuer() == issuer) {
            used = true;
            check_list(certificate, key, list, place, cx, checks);
        }
    }
    if !used {
        checks.skip(&ck::REVOKED, "", "no revocation list of these issuers was handed over");
    }
}

fn check_list(
    certificate: &Certificate,
    issuer: &crate::crypto::PublicKey,
    list: &RevocationList,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let (place, name) = (place.to_owned(), certificate.display_name());
    if let Err(why) = list.verify_signed_by(issuer) {
        checks.warn(&ck::REVOKED, place, format!("the list of {name}'s issuer was not used: {why}"));
    } else if list.unprocessed_extension().is_some() {
        let detail = format!("the list of {name}'s issuer was not used: a critical extension is not known");
        checks.warn(&ck::REVOKED, place, detail);
    } else if list.lists(certificate.serial()) {
        checks.fail(&ck::REVOKED, place, format!("{name} is revoked by the list of {}", list.this_update()));
    } else if list.next_update().is_some_and(|next| cx.at > next) {
        let detail = format!("{name} is not on the list of {}, but a newer one is due", list.this_update());
        checks.warn(&ck::REVOKED, place, detail);
    } else {
        checks.pass(&ck::REVOKED, place, format!("{name} is not on the list of {}", list.this_update()));
    }
}

/// Whether the anchor came with the verifier, and was not given by the operator.
pub(crate) fn is_built_in(anchor: &Anchor) -> bool {
    anchor.origin == Origin::BuiltIn
}

/// Whether a failure of this set of checks is one of authenticity.
pub(crate) fn holds(checks: &Checks) -> bool {
    checks.worst() < Some(OnFail::Undecided)
}
