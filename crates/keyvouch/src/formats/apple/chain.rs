//! From a leaf up to Apple's root for its kind of attestation.

use super::checks as ck;
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks};
use crate::crypto::{Hash, Scheme};
use crate::formats::Context;
use crate::pki::path::{self, FaultKind, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// A hierarchy of Apple's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// The format whose anchors count.
    pub(super) format: &'static str,
    /// The role of its root in the reference data, where the format has more than one. An operator's root has none.
    pub(super) role: Option<&'static str>,
    /// Common names of Apple's intermediates.
    pub(super) intermediates: &'static [&'static str],
}

/// A certificate on a path that holds.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) key: TrustedKey,
    pub(super) certificate: Authentic<Certificate>,
}

/// What is wrong with a path, by the check that says so.
pub(super) type Fault = (&'static Check, String);

impl Family {
    fn anchors<'a>(&'a self, cx: &Context<'a>) -> Vec<&'a Anchor> {
        let of_role = |a: &&Anchor| a.role.is_none() || a.role.as_deref() == self.role;
        let known = &cx.reference.anchors;
        known.roots_for(self.format).chain(known.intermediates_for(self.format)).filter(of_role).collect()
    }

    /// Checks the path from `end` through `above`, which is in order when it came as an array, and records every
    /// fault. Every certificate that it rests on is added to `used`.
    pub(super) fn check(
        &self,
        end: &Certificate,
        above: &Above<'_>,
        place: &str,
        cx: &Context<'_>,
        checks: &mut Checks,
        used: &mut Vec<Certificate>,
    ) -> Option<Path> {
        match self.judge(end, above, &Rules::strict(cx.at, Signs::Statements), cx, used) {
            Ok((path, anchor)) => {
                checks.pass(&ck::CHAIN_UNTRUSTED, place.to_owned(), format!("the path ends at {anchor}"));
                checks.pass(&ck::EXPIRED, place.to_owned(), "every certificate is valid at the time");
                Some(path)
            }
            Err(faults) => {
                for (check, detail) in faults {
                    checks.fail(check, place.to_owned(), detail);
                }
                None
            }
        }
    }

    /// The same without a record, by other rules.
    pub(super) fn judge(
        &self,
        end: &Certificate,
        above: &Above<'_>,
        rules: &Rules,
        cx: &Context<'_>,
        used: &mut Vec<Certificate>,
    ) -> Result<(Path, String), Vec<Fault>> {
        if let Some(detail) = above.out_of_order(end, cx) {
            return Err(vec![(&ck::CHAIN_UNTRUSTED, detail)]);
        }
        let anchors = self.anchors(cx);
        let pool: Vec<Certificate> =
            above.certificates.iter().chain(&cx.reference.intermediates).cloned().collect();
        let path::Found { chain, top } = path::find(end, &pool, &anchors, cx.signatures);
        used.extend(chain.iter().skip(1).cloned());
        let Top::Anchor(anchor) = top else {
            return Err(vec![self.no_anchor(&chain, &top, &anchors, cx)]);
        };
        let validation = path::validate(&chain, anchor, &cx.reference.anchors, rules, cx.signatures);
        let mut faults: Vec<Fault> = Vec::new();
        for fault in &validation.faults {
            let of_end = fault.certificate == end.display_name();
            let check = match &fault.kind {
                FaultKind::NotYetValid(_) => &ck::NOT_YET_VALID,
                FaultKind::Expired(_) => &ck::EXPIRED,
                FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| rules.at < t) => {
                    &ck::NOT_YET_VALID
                }
                FaultKind::AnchorOutsideValidity(_) => &ck::EXPIRED,
                FaultKind::CriticalExtension(_) => &ck::UNHANDLED_CRITICAL_EXTENSION,
                FaultKind::DuplicateExtension(_) => &ck::MALFORMED,
                FaultKind::MayNotSign | FaultKind::Key(_) | FaultKind::UnreadableExtension if of_end => {
                    &ck::LEAF_INVALID
                }
                _ => &ck::CHAIN_UNTRUSTED,
            };
            faults.push((check, fault.to_string()));
        }
        for certificate in &chain {
            if !matches!(certificate.scheme(), Ok(Scheme::Ecdsa(Hash::Sha256 | Hash::Sha384))) {
                let how = certificate.scheme().map_or_else(|e| e.to_string(), |s| s.to_string());
                let detail =
                    format!("{}: signed with {how}, which Apple does not", certificate.display_name());
                faults.push((&ck::CHAIN_UNTRUSTED, detail));
            }
        }
        match (validation.trusted, validation.certificate) {
            (Some(key), Some(certificate)) if faults.is_empty() => {
                Ok((Path { key, certificate }, anchor.name.clone()))
            }
            _ => Err(faults),
        }
    }

    /// Why a path that ends at no anchor does.
    fn no_anchor(
        &self,
        chain: &[Certificate],
        top: &Top<'_>,
        anchors: &[&Anchor],
        cx: &Context<'_>,
    ) -> Fault {
        let Some(last) = chain.last() else { return (&ck::CHAIN_UNTRUSTED, String::new()) };
        let issuer = name::display(last.issuer());
        if let Top::NotSignedByAnchor(anchor) = top {
            let detail = format!("names {} as its issuer and is not signed by it", anchor.name);
            return (&ck::CHAIN_UNTRUSTED, detail);
        }
        if matches!(top, Top::NotSignedByIssuer | Top::Budget) {
            let detail = format!("is not signed by the certificate of {issuer} that is there");
            return (&ck::CHAIN_UNTRUSTED, detail);
        }
        if chain.len() == 1 && matches!(top, Top::SelfSigned) {
            return (&ck::CHAIN_UNTRUSTED, "the leaf is signed by its own key".to_owned());
        }
        if anchors.iter().any(|a| a.subject == last.issuer()) {
            let detail = format!("ends at a certificate named {issuer}, like an anchor, with another key");
            return (&ck::CHAIN_UNTRUSTED, detail);
        }
        let mut known = cx.reference.anchors.by_subject(last.issuer());
        if let Some(other) = known.find(|a| cx.signatures.check(last, &a.key).is_ok()) {
            let why = match other.kind {
                AnchorKind::Untrusted => "which is not trusted",
                _ => "which is not for this kind of attestation",
            };
            return (&ck::CHAIN_UNTRUSTED, format!("ends at {}, {why}", other.name));
        }
        let cn = last.issuer_common_name().unwrap_or_default();
        if last.issuer_name().organization() == Some("Apple Inc.") && self.intermediates.contains(&cn) {
            return (&ck::CHAIN_INCOMPLETE, format!("the certificate of {cn} is not there"));
        }
        (&ck::ANCHOR_UNKNOWN, format!("ends at {issuer}, which is no anchor"))
    }
}

/// The certificates that came with a leaf.
#[derive(Debug, Clone, Copy)]
pub(super) struct Above<'c> {
    pub(super) certificates: &'c [Certificate],
    /// Whether each must have issued the one before it, as in an array.
    pub(super) in_order: bool,
}

impl Above<'_> {
    fn out_of_order(&self, leaf: &Certificate, cx: &Context<'_>) -> Option<String> {
        if !self.in_order {
            return None;
        }
        let lower = std::iter::once(leaf).chain(self.certificates);
        for ((lower, upper), number) in lower.zip(self.certificates).zip(2_usize..) {
            let signed = || upper.key().is_ok_and(|key| cx.signatures.check(lower, key).is_ok());
            if lower.issuer() != upper.subject() || !signed() {
                return Some(format!("certificate {number} of the array did not issue the one before it"));
            }
        }
        None
    }
}
