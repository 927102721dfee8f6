//! The chain above a statement: its roles, its anchor, its time, and its profile.

use super::checks as ck;
use super::response::Response;
use super::statement::oid;
use super::{AUTHORITY_CN, ID};
use crate::checks::Checks;
use crate::crypto::{Hash, PublicKey, Scheme, sha1};
use crate::formats::Context;
use crate::pki::path::{self, Rules, Signs, Validation};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};
use crate::time::Time;

/// How long before its authority's certificate a statement may have been signed. The certificate is renewed
/// every 30 days over the same key, and the newest one comes with older statements.
const RENEWAL_DAYS: i64 = 30;

const CRL_HOST: &str = "https://pki.fortanix.com/";

/// The certificates of a chain by their roles.
pub(super) struct Roles<'r> {
    pub(super) authority: &'r Certificate,
    pub(super) ca: &'r Certificate,
    pub(super) root: Option<&'r Certificate>,
}

impl<'r> Roles<'r> {
    pub(super) fn of(response: &'r Response, place: &str, checks: &mut Checks) -> Option<Self> {
        let found = Self::sort(&response.chain);
        match &found {
            Ok(_) => checks.pass(
                &ck::CHAIN_SHAPE,
                place.to_owned(),
                "one authority, one Key Attestation CA, at most one root",
            ),
            Err(why) => checks.fail(&ck::CHAIN_SHAPE, place.to_owned(), why.clone()),
        }
        found.ok()
    }

    fn sort(chain: &'r [Certificate]) -> Result<Self, String> {
        let is_ca = |c: &Certificate| matches!(c.basic_constraints(), Some(Ok(b)) if b.ca);
        let (cas, authorities): (Vec<_>, Vec<_>) = chain.iter().partition(|c| is_ca(c));
        let (roots, cas): (Vec<_>, Vec<_>) = cas.into_iter().partition(|c| c.is_self_issued());
        let names = |of: &[&Certificate]| of.iter().map(|c| c.display_name()).collect::<Vec<_>>().join(", ");
        let authority = match authorities.as_slice() {
            [] => return Err("no Key Attestation Authority in the chain".to_owned()),
            [one] => one,
            many => return Err(format!("more than one certificate that is no CA: {}", names(many))),
        };
        let ca = match cas.as_slice() {
            [] => return Err("no Key Attestation CA in the chain".to_owned()),
            [one] => one,
            many => return Err(format!("more than one CA besides the root: {}", names(many))),
        };
        let root = match roots.as_slice() {
            [] => None,
            [one] => Some(*one),
            many => return Err(format!("more than one root: {}", names(many))),
        };
        if let Some(stranger) = root.filter(|r| !name::same_values(r.subject(), ca.issuer())) {
            return Err(format!("{} is not the issuer of the Key Attestation CA", stranger.display_name()));
        }
        Ok(Self { authority, ca, root })
    }
}

/// The anchor that issued the CA. A root inside the evidence is compared with it and not used.
pub(super) fn anchor<'c>(
    roles: &Roles<'_>,
    place: &str,
    cx: &Context<'c>,
    checks: &mut Checks,
) -> Option<&'c Anchor> {
    let place = place.to_owned();
    let issuer = roles.ca.issuer();
    let known = &cx.reference.anchors;
    let untrusted = known
        .untrusted()
        .filter(|a| a.applies_to(ID) && name::same_values(&a.subject, issuer))
        .find(|a| cx.signatures.check(roles.ca, &a.key).is_ok());
    if let Some(untrusted) = untrusted {
        let detail = format!("the Key Attestation CA was issued by {}, which is not trusted", untrusted.name);
        checks.fail(&ck::UNTRUSTED_ROOT, place, detail);
        return None;
    }
    let named: Vec<&Anchor> = known.roots_for(ID).filter(|a| name::same_values(&a.subject, issuer)).collect();
    if named.is_empty() {
        let detail = format!("no anchor has the name {}", name::display(issuer));
        checks.fail(&ck::ANCHOR_UNKNOWN, place, detail);
        return None;
    }
    checks.pass(
        &ck::ANCHOR_UNKNOWN,
        place.clone(),
        "the issuer of the Key Attestation CA is an anchor's name",
    );
    if let Some(root) = roles.root {
        let pinned = named.iter().any(|a| a.certificates.iter().any(|c| c.sha256 == *root.sha256()));
        checks.test(&ck::UNTRUSTED_ROOT, place, pinned, "the root that came along is the anchor", || {
            format!(
                "the root that came along has the name of an anchor and is another certificate (SHA-256 {})",
                hex::encode(root.sha256())
            )
            .into()
        });
    } else {
        checks.pass(&ck::UNTRUSTED_ROOT, place, "no root came along; the anchor is pinned");
    }
    // Of several anchors of that name, the one that signed; none: the path says so.
    let signer = named.iter().find(|a| cx.signatures.check(roles.ca, &a.key).is_ok());
    signer.or(named.first()).copied()
}

/// Validates the path at the time of the statement. `Err`: there is no such time.
pub(super) fn check_path(
    roles: &Roles<'_>,
    anchor: &Anchor,
    at: Time,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Validation> {
    debug_assert_ne!(anchor.kind, AnchorKind::Untrusted);
    let place = place.to_owned();
    let before = checks.failed(&ck::CHAIN_INVALID);
    for certificate in [roles.ca, roles.authority] {
        let name = certificate.display_name();
        match certificate.scheme() {
            Ok(Scheme::RsaPkcs1(Hash::Sha256)) => {}
            Ok(other) => checks.fail(
                &ck::CHAIN_INVALID,
                place.clone(),
                format!("{name} is signed with {other}, which this PKI does not use"),
            ),
            // Told by the validation below.
            Err(_) => {}
        }
        if !certificate.has_policy(oid::KEY_ATTESTATION_POLICY) {
            let detail = format!(
                "{name} is not issued under the key attestation policy {}",
                oid::KEY_ATTESTATION_POLICY
            );
            checks.fail(&ck::CHAIN_INVALID, place.clone(), detail);
        }
    }
    let chain = [roles.authority.clone(), roles.ca.clone()];
    // The authority is no CA and signs the statement all the same: here the statement is data, not a certificate.
    let rules = Rules { names_by_value: true, ..Rules::strict(at, Signs::Statements) };
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    for fault in &validation.faults {
        let check = if fault.kind.is_validity() { &ck::TIME } else { &ck::CHAIN_INVALID };
        checks.fail(check, place.clone(), format!("at {at}: {fault}"));
    }
    if !before && !checks.failed(&ck::CHAIN_INVALID) {
        checks.pass(
            &ck::CHAIN_INVALID,
            place.clone(),
            format!("{} ← {}", path::describe(&chain), anchor.name),
        );
    }
    check_valid_now(&chain, anchor, &place, cx, checks);
    Some(validation)
}

/// Whether the issuers are still valid now is a finding, or a failure by the operator's choice.
fn check_valid_now(
    chain: &[Certificate],
    anchor: &Anchor,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let mut ended: Vec<String> = chain
        .iter()
        .filter(|c| cx.at > c.not_after())
        .map(|c| format!("{} (until {})", c.display_name(), c.not_after()))
        .collect();
    if !anchor.valid_at(cx.at) {
        ended.push(format!("{} ({})", anchor.name, anchor.period()));
    }
    let place = place.to_owned();
    if ended.is_empty() {
        checks.pass(&ck::ISSUER_EXPIRED_NOW, place, "every issuer is valid at the time of the appraisal");
    } else if cx.options.is_on("issuer_valid_now") {
        checks.fail(
            &ck::TIME,
            place,
            format!("not valid any more, and issuer_valid_now is on: {}", ended.join(", ")),
        );
    } else {
        checks.warn(&ck::ISSUER_EXPIRED_NOW, place, format!("not valid any more: {}", ended.join(", ")));
    }
}

/// The time at which the path must be valid: when the statement was signed, or when the authority's certificate
/// was renewed after that.
pub(super) fn validation_time(
    statement: &Certificate,
    authority: &Certificate,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Time {
    let place = place.to_owned();
    let (signed, from, to) = (statement.not_before(), authority.not_before(), authority.not_after());
    let predates = signed < from;
    let at = signed.max(from);
    let fault = if signed > cx.at {
        Some(format!("signed at {signed}, after the time of the appraisal"))
    } else if cx.at > statement.not_after() {
        Some(format!("the statement ended at {}", statement.not_after()))
    } else if signed > to {
        Some(format!("signed at {signed}, after the authority's end at {to}"))
    } else if signed.plus_days(RENEWAL_DAYS) < from {
        Some(format!(
            "signed at {signed}, more than {RENEWAL_DAYS} days before the authority's certificate of {from}"
        ))
    } else if at > cx.at {
        Some(format!("the authority's certificate begins at {from}, after the time of the appraisal"))
    } else {
        None
    };
    match fault {
        Some(why) => checks.fail(&ck::TIME, place, why),
        None => {
            checks.pass(&ck::TIME, place.clone(), format!("signed at {signed}; path validated at {at}"));
            if predates {
                checks.warn(
                    &ck::PREDATES_AUTHORITY,
                    place,
                    format!("signed at {signed}, before the authority's certificate of {from}"),
                );
            } else {
                checks.pass(
                    &ck::PREDATES_AUTHORITY,
                    place,
                    "signed after the authority's certificate was issued",
                );
            }
        }
    }
    at
}

/// The forms of authority and CA. Only the first departure is told.
pub(super) fn check_profile(roles: &Roles<'_>, anchor: Option<&Anchor>, place: &str, checks: &mut Checks) {
    let fault =
        authority_fault(roles).or_else(|| ca_fault(roles.ca)).or_else(|| anchor_fault(roles.ca, anchor?));
    match fault {
        None => checks.pass(
            &ck::AUTHORITY_PROFILE,
            place.to_owned(),
            "authority and CA have the form of a DSM SaaS Key Attestation Authority and of its CA",
        ),
        Some(why) => checks.fail(&ck::AUTHORITY_PROFILE, place.to_owned(), why),
    }
}

fn rsa_bits(certificate: &Certificate) -> usize {
    certificate.key().ok().and_then(PublicKey::rsa_bits).unwrap_or(0)
}

fn authority_fault(Roles { authority, ca, .. }: &Roles<'_>) -> Option<&'static str> {
    let usage = authority.key_usage().and_then(Result::ok);
    // The key identifiers of this PKI are SHA-1 over the whole SubjectPublicKeyInfo.
    let key_id = authority.key().ok().map(|key| sha1(key.spki_der()));
    let identifier = authority.subject_key_identifier();
    let checks: [(bool, &str); 9] = [
        (authority.version() == 3, "the authority's certificate is not X.509 v3"),
        (
            authority.common_name() == Some(AUTHORITY_CN),
            "the authority's name is not that of a DSM SaaS Key Attestation Authority",
        ),
        (rsa_bits(authority) >= 3072, "the authority's key is not RSA with at least 3072 bits"),
        (
            usage.is_some_and(|u| u.digital_signature && !u.key_cert_sign),
            "the authority's keyUsage is not one for signing statements",
        ),
        (
            authority.has_extended_key_usage(oid::KEY_ATTESTATION_PURPOSE),
            "the authority's extKeyUsage lacks key attestation (1.3.6.1.4.1.49690.8.1)",
        ),
        (has_crl_uri(authority), "the authority names no revocation list of pki.fortanix.com"),
        (
            authority.authority_key_identifier().is_some()
                && authority.authority_key_identifier() == ca.subject_key_identifier(),
            "the authority's authorityKeyIdentifier is not the CA's key identifier",
        ),
        (
            identifier.is_some() && identifier == key_id.as_ref().map(<[u8; 20]>::as_slice),
            "the authority's subjectKeyIdentifier is not the SHA-1 of its SubjectPublicKeyInfo",
        ),
        (
            matches!(authority.basic_constraints(), None | Some(Ok(_))),
            "the authority's basicConstraints cannot be read",
        ),
    ];
    checks.iter().find(|(holds, _)| !holds).map(|(_, why)| *why)
}

fn ca_fault(ca: &Certificate) -> Option<&'static str> {
    let usage = ca.key_usage().and_then(Result::ok);
    let path_len = ca.basic_constraints().and_then(Result::ok).and_then(|c| c.path_len);
    let checks: [(bool, &str); 4] = [
        (rsa_bits(ca) >= 4096, "the CA's key is not RSA with at least 4096 bits"),
        (
            usage.is_some_and(|u| u.digital_signature && u.key_cert_sign && u.crl_sign),
            "the CA's keyUsage is not digitalSignature, keyCertSign and cRLSign",
        ),
        (path_len.is_none(), "the CA has a pathLenConstraint, which no Key Attestation CA has"),
        (has_crl_uri(ca), "the CA names no revocation list of pki.fortanix.com"),
    ];
    checks.iter().find(|(holds, _)| !holds).map(|(_, why)| *why)
}

fn anchor_fault(ca: &Certificate, anchor: &Anchor) -> Option<&'static str> {
    if anchor.key.rsa_bits().unwrap_or(0) < 4096 {
        return Some("the root's key is not RSA with at least 4096 bits");
    }
    if anchor.path_len.is_some() {
        return Some("the root has a pathLenConstraint, which Fortanix's has not");
    }
    let key_id = sha1(anchor.key.spki_der());
    (ca.authority_key_identifier() != Some(key_id.as_slice()))
        .then_some("the CA's authorityKeyIdentifier is not the root's key identifier")
}

fn has_crl_uri(certificate: &Certificate) -> bool {
    certificate.crl_uris().iter().any(|uri| uri.starts_with(CRL_HOST) && uri.ends_with(".crl"))
}
