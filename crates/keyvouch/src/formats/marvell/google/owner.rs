//! The owner's chain: Google's root certifies the card and the partition, each on its own.

use super::super::chain::{anchor_of, is_owner, outside_validity, place, untrusted};
use super::super::checks as core;
use super::super::found::{Found, Held};
use super::super::judge::Judged;
use super::super::statement::Gathering;
use super::checks as ck;
use crate::authentic::TrustedKey;
use crate::checks::{Check, Checks};
use crate::formats::Context;
use crate::pki::path::{self, FaultKind, Rules, Signs};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// The owner's roots, and known roots that must not be trusted.
pub(super) fn roots<'a>(cx: &Context<'a>, format: &'a str) -> Vec<&'a Anchor> {
    let anchors = &cx.reference.anchors;
    anchors.roots_for(format).chain(untrusted(cx, format)).filter(|a| is_owner(a)).collect()
}

/// Card and partition as Google vouches for them.
#[derive(Debug)]
pub(super) struct Operator {
    partition: TrustedKey,
    card: TrustedKey,
}

impl Operator {
    /// Whether it is the very partition and card of the manufacturer's chain.
    pub(super) fn certified(&self, judged: &Judged<'_>) -> bool {
        let card = judged.chosen.and_then(|c| c.card).map(|c| c.certificate.key());
        judged.trusted.as_ref().is_some_and(|t| t.key.key() == self.partition.key())
            && matches!(card, Some(Ok(key)) if key == self.card.key())
    }

    pub(super) fn claims<'s, 'b>(&self, claims: Gathering<'s, 'b>) -> Gathering<'s, 'b> {
        const CHAIN: &str = "owner's certificates of card and partition";
        claims
            .detail("provider", CHAIN, |_| "Google Cloud HSM")
            .detail("operator", CHAIN, |_| "Google")
            .detail("operator_root", CHAIN, |_| self.partition.trust().anchor().name.as_str())
            .detail("protection_level", CHAIN, |_| "HSM")
    }
}

/// One of the owner's two certificates: whose key it must hold, and the check that says so.
struct Role<'a> {
    what: &'static str,
    check: &'static Check,
    made: Option<Held<'a>>,
    owned: Vec<Held<'a>>,
}

/// Makes the checks of the owner's chain.
pub(super) fn check<'b>(
    found: &'b Found<'b>,
    judged: &mut Judged<'b>,
    owners: &[&'b Anchor],
    cx: &Context<'b>,
) -> Option<Operator> {
    let owned: Vec<Held<'b>> =
        found.named.iter().copied().filter(|h| !judged.is_makers(h.certificate)).collect();
    let of = |partition: bool| owned.iter().copied().filter(|h| h.name.is_partition() == partition).collect();
    let roles = [
        Role {
            what: "partition",
            check: &ck::OWNER_PARTITION,
            made: judged.chosen.map(|c| c.partition),
            owned: of(true),
        },
        Role {
            what: "card",
            check: &ck::OWNER_CARD,
            made: judged.chosen.and_then(|c| c.card),
            owned: of(false),
        },
    ];
    let [partition, card] = roles.map(|role| {
        let checks = &mut judged.statement.checks;
        let (trusted, certificate) = role.judge(owners, cx, checks)?;
        judged.statement.certificates.push(certificate);
        trusted
    });
    Some(Operator { partition: partition?, card: card? })
}

impl Role<'_> {
    /// The owner's certificate with the manufacturer's key, and its key when nothing is wrong with it.
    fn judge(
        &self,
        owners: &[&Anchor],
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<(Option<TrustedKey>, Certificate)> {
        let what = self.what;
        if self.owned.is_empty() {
            checks.fail(&ck::NO_OWNER, "", format!("no certificate by Google for the {what}"));
            return None;
        }
        checks.pass(&ck::NO_OWNER, "", format!("a certificate by the owner for a {what} is there"));
        let Some(made) = &self.made else {
            let why = format!(
                "the manufacturer's {what} certificate is not known, so there is nothing to compare with"
            );
            checks.skip(self.check, "", why);
            return None;
        };
        let same =
            |h: &&Held<'_>| h.certificate.key().is_ok() && h.certificate.key() == made.certificate.key();
        let matching: Vec<&Held<'_>> = self.owned.iter().filter(same).collect();
        let rooted = |h: &&&Held<'_>| {
            anchor_of(h.certificate, owners, cx)
                .is_some_and(|a| cx.signatures.check(h.certificate, &a.key).is_ok())
        };
        let Some(held) = matching.iter().find(rooted).or_else(|| matching.first()).copied() else {
            let at = self.owned.first().map(|h| place(h, cx)).unwrap_or_default();
            let detail = format!("the owner's certificate is for another {what}: it holds another key");
            checks.fail(self.check, at, detail);
            return None;
        };
        let trusted = self.judge_path(held, owners, cx, checks);
        let fits = self.check_profile(held, made, &place(held, cx), checks);
        Some((trusted.filter(|_| fits), held.certificate.clone()))
    }

    fn judge_path(
        &self,
        held: &Held<'_>,
        owners: &[&Anchor],
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<TrustedKey> {
        let (what, certificate, at) = (self.what, held.certificate, place(held, cx));
        let Some(anchor) = anchor_of(certificate, owners, cx) else {
            let detail = format!(
                "the issuer of the owner's {what} certificate, {}, is no anchor",
                name::display(certificate.issuer())
            );
            checks.fail(&core::ANCHOR_UNKNOWN, at.clone(), detail);
            if let Some(kind) = outside_validity(certificate, cx) {
                checks.fail(&core::EXPIRED, at, format!("owner's {what} certificate: {kind}"));
            }
            return None;
        };
        if anchor.kind == AnchorKind::Untrusted {
            let detail = format!("certified by {}, which is known and not trusted", anchor.name);
            checks.fail(self.check, at, detail);
            return None;
        }
        let rules = Rules::strict(cx.at, Signs::Statements);
        let chain = [certificate.clone()];
        let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
        for fault in &validation.faults {
            let check = match fault.kind {
                FaultKind::Signature(_) | FaultKind::NameChaining => self.check,
                ref kind if kind.is_validity() => &core::EXPIRED,
                _ => &ck::OWNER_PROFILE,
            };
            checks.fail(check, at.clone(), format!("owner's {what} certificate: {fault}"));
        }
        if validation.faults.is_empty() {
            checks.pass(self.check, at.clone(), format!("the {what} is certified by {}", anchor.name));
            checks.pass(&core::EXPIRED, at, format!("the owner's {what} certificate is valid at the time"));
        }
        validation.trusted
    }

    /// The form of the owner's certificates: no CA, may sign, the manufacturer's name.
    fn check_profile(&self, held: &Held<'_>, made: &Held<'_>, at: &str, checks: &mut Checks) -> bool {
        let certificate = held.certificate;
        let no_ca = matches!(certificate.basic_constraints(), Some(Ok(c)) if !c.ca);
        let signs = matches!(certificate.key_usage(), Some(Ok(usage)) if usage.digital_signature);
        let fault = if !no_ca {
            Some("it does not say that it is no CA")
        } else if !signs {
            Some("its key usage lacks digitalSignature")
        } else if certificate.common_name() != made.certificate.common_name() {
            Some("its name is not that of the manufacturer's certificate")
        } else {
            None
        };
        let what = self.what;
        checks.test(
            &ck::OWNER_PROFILE,
            at.to_owned(),
            fault.is_none(),
            format!("the owner's {what} certificate has the right form and name"),
            || format!("the owner's {what} certificate: {}", fault.unwrap_or_default()).into(),
        )
    }
}
