//! One statement for each request: device ← issuer ← root, and the request signed by the device and by its own key.

use std::fmt;

use super::checks as ck;
use super::gather::Found;
use super::{ID, SCHEME, statement};
use crate::authentic::{Authentic, TrustedKey};
use crate::checks::{Check, Checks};
use crate::crypto::{Curve, PublicKey};
use crate::formats::{Attested, Context, Statement};
use crate::input::PartId;
use crate::pki::cvc::path::{self, FaultKind, Rules};
use crate::pki::cvc::{CvCertificate, CvKeyError, CvRequest, name_of};
use crate::reference::anchors::{Anchor, AnchorKind};
use crate::verifier::DENIED;

/// Roles in the scheme.
const ROOT: u8 = 0xc0;
const ISSUER: u8 = 0x80;
const DEVICE: u8 = 0x00;
/// Of device and issuer, the end first.
const ROLES: &[u8] = &[DEVICE, ISSUER];

/// Authorities of devices that are no products: by their names, because nothing else is known of them.
const TEST_ROOT: &str = "UTSRCACC1";
const DEVELOPMENT: &str = "DECA00001";

const PATH: &str = "certificates";

fn rules(cx: &Context<'_>) -> Rules {
    Rules {
        at: cx.at,
        scheme: SCHEME,
        roles: ROLES,
        curve: Curve::BrainpoolP256r1,
        accept_expired: cx.options.is_on("accept_expired"),
    }
}

/// Judges a request, or what there is without one.
pub(super) fn judge(found: &Found, request: Option<&(PartId, CvRequest)>, cx: &Context<'_>) -> Statement {
    let mut statement = Statement::default();
    label(found, &mut statement);
    let checks = &mut statement.checks;
    for (id, why) in &found.faults {
        checks.fail(&ck::MALFORMED, cx.parts.place(*id).to_owned(), why.clone());
    }
    if found.faults.is_empty() {
        checks.pass(&ck::MALFORMED, "", "certificates and requests are well-formed");
    }
    match request {
        Some((id, _)) => {
            checks.pass(
                &ck::REQUEST_MISSING,
                cx.parts.place(*id).to_owned(),
                "the request of a key is there",
            );
        }
        // What cannot be read may be it.
        None if !found.faults.is_empty() => {
            checks.skip(&ck::REQUEST_MISSING, "", "no request among what can be read");
        }
        None => checks.fail(&ck::REQUEST_MISSING, "", "no request of a key: nothing is said of any key"),
    }
    let chain = Chain::choose(found, request.map(|(_, r)| r), cx);
    let trusted = chain.check(found, cx, checks);
    chain.deny(cx, checks);
    if let Some((id, request)) = request {
        let place = cx.parts.place(*id);
        let device = chain.device.map(|device| (device, path::key_of(device, &rules(cx)).ok()));
        check_request(request, device, place, checks);
        if let Some((key, certificate)) = trusted {
            statement.attested = attest(request, &key, certificate);
            if statement.attested.is_some() {
                let detail = "whether the key can be wrapped out of the device is not in the evidence";
                statement.checks.warn(&ck::EXPORTABILITY, place.to_owned(), detail);
            }
        }
    }
    statement
}

fn label(found: &Found, statement: &mut Statement) {
    let certificates =
        found.certificates.iter().map(|(id, c)| (*id, format!("certificate of {}", c.holder())));
    let requests = found.requests.iter().map(|(id, _)| (*id, "request of a key".to_owned()));
    statement.labels.extend(certificates.chain(requests).map(|(id, what)| (id, what.into())));
}

/// Device and issuer certificate that belong together, as far as they are there.
#[derive(Debug, Clone, Copy)]
struct Chain<'f> {
    device: Option<&'f CvCertificate>,
    issuer: Option<&'f CvCertificate>,
}

fn is_root(certificate: &CvCertificate) -> bool {
    certificate.is_self_issued() && has_role(certificate, ROOT)
}

fn has_role(certificate: &CvCertificate, role: u8) -> bool {
    certificate.role().is_some_and(|(scheme, actual)| scheme == SCHEME && actual == [role])
}

impl<'f> Chain<'f> {
    /// The certificate that the request names, else one that issued none of the others; and its issuer. Names are not
    /// unique, so of several the signed one is taken. Nothing is trusted by being chosen, and roots never are.
    fn choose(found: &'f Found, request: Option<&CvRequest>, cx: &Context<'_>) -> Self {
        let all: Vec<&CvCertificate> =
            found.certificates.iter().map(|(_, c)| c).filter(|c| !is_root(c)).collect();
        let named: Vec<_> =
            all.iter().copied().filter(|c| request.is_some_and(|r| r.authority == c.holder())).collect();
        let issues =
            |c: &CvCertificate| all.iter().any(|other| *other != c && other.authority() == Some(c.holder()));
        let leaf: Vec<_> = all.iter().copied().filter(|c| !issues(c)).collect();
        let candidates = if named.is_empty() { leaf } else { named };
        let rules = rules(cx);
        let mut best: Option<(bool, Self)> = None;
        for device in candidates {
            let issuers =
                all.iter().copied().filter(|c| *c != device && device.authority() == Some(c.holder()));
            let mut pairs: Vec<(bool, Self)> = issuers
                .map(|issuer| {
                    let signed = match (path::key_of(issuer, &rules), issuer.scheme()) {
                        (Ok(key), Ok(scheme)) => device.verify(scheme, &key).is_ok(),
                        _ => false,
                    };
                    (signed, Self { device: Some(device), issuer: Some(issuer) })
                })
                .collect();
            if pairs.is_empty() {
                // An issuer of another name, so that the fault can be named.
                let issuer = all.iter().copied().find(|c| *c != device && has_role(c, ISSUER));
                pairs.push((false, Self { device: Some(device), issuer }));
            }
            for (signed, pair) in pairs {
                if best.is_none_or(|(highest, _)| signed && !highest) {
                    best = Some((signed, pair));
                }
            }
        }
        best.map_or(Self { device: None, issuer: None }, |(_, chain)| chain)
    }

    /// Makes the checks of the path; the device's key and certificate when nothing is wrong with it.
    fn check(
        &self,
        found: &Found,
        cx: &Context<'_>,
        checks: &mut Checks,
    ) -> Option<(TrustedKey, Authentic<CvCertificate>)> {
        let Some(device) = self.device else {
            if found.faults.is_empty() {
                checks.fail(&ck::DEVICE_MISSING, PATH, "no certificate of a device");
            } else {
                checks.skip(&ck::DEVICE_MISSING, PATH, "no device certificate among what can be read");
            }
            return None;
        };
        checks.pass(&ck::DEVICE_MISSING, PATH, format!("the certificate of {} is there", device.holder()));
        if device.is_self_issued() {
            let detail = format!("{} certifies itself", device.holder());
            checks.fail(&ck::SELF_SIGNED, PATH, detail);
            checks.skip(&ck::DICA_MISSING, PATH, "a device that certifies itself has no issuer");
            report(&path::validate(&[device], None, &rules(cx)), 1, checks);
            return None;
        }
        checks.pass(&ck::SELF_SIGNED, PATH, "the device does not certify itself");
        let mut chain = vec![device];
        match self.issuer {
            Some(issuer) => {
                chain.push(issuer);
                checks.pass(
                    &ck::DICA_MISSING,
                    PATH,
                    format!("the issuer's certificate, {}", issuer.holder()),
                );
            }
            None => {
                let authority = device.authority().unwrap_or_default();
                checks.fail(&ck::DICA_MISSING, PATH, format!("no certificate of the issuer {authority}"));
            }
        }
        let anchor = self.anchor(cx, checks);
        let validation = path::validate(&chain, anchor, &rules(cx));
        report(&validation, chain.len(), checks);
        if anchor.is_some_and(|a| a.kind == AnchorKind::Untrusted) {
            return None;
        }
        Some((validation.trusted?, validation.certificate?))
    }

    /// The anchor above the issuer. Known roots that must not be trusted are told by their own checks.
    fn anchor<'c>(&self, cx: &Context<'c>, checks: &mut Checks) -> Option<&'c Anchor> {
        let above = self.issuer.or(self.device)?;
        let authorities =
            [self.device, self.issuer].into_iter().flatten().filter_map(CvCertificate::authority);
        if authorities.clone().any(|a| a == DEVELOPMENT) {
            checks.fail(&ck::DEVELOPMENT_DEVICE, PATH, format!("certified by {DEVELOPMENT}"));
            return None;
        }
        checks.pass(&ck::DEVELOPMENT_DEVICE, PATH, "not certified by the authority of development devices");
        // Without its issuer nothing of the device leads to a root.
        let issuer = self.issuer?;
        let authority = above.authority().unwrap_or_default();
        let subject = name_of(authority);
        let anchors = &cx.reference.anchors;
        let named: Vec<&Anchor> = anchors
            .by_subject(&subject)
            .filter(|a| a.applies_to(ID) && a.kind != AnchorKind::Intermediate)
            .collect();
        let signs = |a: &&&Anchor| issuer.verify(path::ANCHOR_SCHEME, &a.key).is_ok();
        let anchor = named.iter().find(signs).or_else(|| named.first()).copied();
        let untrusted = anchor.is_some_and(|a| a.kind == AnchorKind::Untrusted);
        if untrusted || (anchor.is_none() && authority.starts_with(TEST_ROOT)) {
            checks.fail(&ck::TEST_ROOT, PATH, format!("{} was certified by {authority}", issuer.holder()));
            return None;
        }
        checks.pass(&ck::TEST_ROOT, PATH, "not certified by a test root");
        match anchor {
            Some(anchor) => {
                checks.pass(&ck::UNTRUSTED_ROOT, PATH, format!("the root {} is an anchor", anchor.name));
            }
            None => {
                let detail = format!("{} names the root {authority}, which is no anchor", issuer.holder());
                checks.fail(&ck::UNTRUSTED_ROOT, PATH, detail);
            }
        }
        anchor
    }

    /// The operator's deny-lists: by holder, by certificate, by key.
    fn deny(&self, cx: &Context<'_>, checks: &mut Checks) {
        let listed = &cx.reference.deny;
        for certificate in [self.device, self.issuer].into_iter().flatten() {
            let holder = certificate.holder();
            let digest = certificate.sha256();
            let key = path::key_of(certificate, &rules(cx)).ok();
            let shown = hex::encode(digest);
            let reason = if cx.options.list("deny_holders").any(|h| h == holder) {
                Some("deny_holders")
            } else if cx.options.list("deny_certificates").any(|d| d.eq_ignore_ascii_case(&shown)) {
                Some("deny_certificates")
            } else {
                listed.certificate(&digest).or_else(|| listed.spki(&key?.spki_sha256()))
            };
            if let Some(reason) = reason {
                checks.fail(&DENIED, PATH, format!("{holder} is denied: {reason}"));
            }
        }
    }
}

/// Records what is wrong with a path of that many certificates, and what is not.
fn report(validation: &path::Validation, length: usize, checks: &mut Checks) {
    for fault in &validation.faults {
        checks.fail(check_of(fault), PATH, fault.to_string());
    }
    for fault in &validation.tolerated {
        checks.warn(&ck::EXPIRED, PATH, format!("accept_expired is on: {fault}"));
    }
    let all: &[(&Check, &str)] = &[
        (&ck::WRONG_ROLE, "each certificate has the role of its place"),
        (&ck::BAD_DATE, "the dates are dates"),
        (&ck::NOT_YET_VALID, "every certificate is already valid"),
        (&ck::EXPIRED, "every certificate is still valid"),
    ];
    let linked: &[(&Check, &str)] = &[
        (&ck::NAME_CHAINING, "the device names its issuer"),
        (&ck::DEVICE_SIGNATURE, "the issuer signed the device certificate"),
    ];
    let complete = if length > 1 { linked } else { &[] };
    for (check, right) in all.iter().chain(complete) {
        let recorded = |f: &path::Fault| check_of(f).id == check.id;
        if !validation.faults.iter().chain(&validation.tolerated).any(recorded) {
            checks.pass(by_id(check.id), PATH, *right);
        }
    }
    if validation.trusted.is_some() {
        checks.pass(&ck::DICA_SIGNATURE, PATH, "the root signed the issuer's certificate");
    }
}

fn by_id(id: &str) -> &'static Check {
    ck::ALL.iter().copied().find(|c| c.id == id).unwrap_or(&ck::MALFORMED)
}

fn check_of(fault: &path::Fault) -> &'static Check {
    match (&fault.kind, fault.position) {
        (FaultKind::NameChaining(_), _) => &ck::NAME_CHAINING,
        (FaultKind::Signature(_) | FaultKind::Key(_), 0) => &ck::DEVICE_SIGNATURE,
        (FaultKind::Signature(_) | FaultKind::Key(_), _) => &ck::DICA_SIGNATURE,
        (FaultKind::Role(_), _) => &ck::WRONG_ROLE,
        (FaultKind::BadDate, _) => &ck::BAD_DATE,
        (FaultKind::NotYetValid(_), _) => &ck::NOT_YET_VALID,
        (FaultKind::Expired(_), _) => &ck::EXPIRED,
    }
}

fn check_request(
    request: &CvRequest,
    device: Option<(&CvCertificate, Option<PublicKey>)>,
    place: &str,
    checks: &mut Checks,
) {
    let at = || place.to_owned();
    match device {
        None => {
            checks.skip(&ck::NOT_THIS_DEVICE, at(), "no device certificate to compare with");
            checks.skip(&ck::OUTER_SIGNATURE, at(), "no device certificate to verify it with");
        }
        Some((device, key)) => {
            let signer = &request.authority;
            let holder = device.holder();
            checks.test(
                &ck::NOT_THIS_DEVICE,
                at(),
                signer == holder,
                format!("the request names {holder} as its signer"),
                || format!("the request names {signer} as its signer, the certificate is of {holder}").into(),
            );
            let verified = match (&key, device.scheme()) {
                (Some(key), Ok(scheme)) => request.verify(scheme, key).map(|_| ()).map_err(|e| e.to_string()),
                (None, _) => Err("the device's key cannot be used".to_owned()),
                (_, Err(why)) => Err(why.to_string()),
            };
            record(&ck::OUTER_SIGNATURE, place, verified, "signed by the device", checks);
        }
    }
    let inner = &request.certificate;
    match (inner.public_key(None), inner.scheme()) {
        (Ok(key), Ok(scheme)) => {
            checks.pass(
                &ck::BAD_PUBLIC_KEY,
                at(),
                format!("the numbers are those of a key, {}", key.algorithm()),
            );
            let verified = inner.verify(scheme, &key).map(|_| ());
            record(&ck::INNER_SIGNATURE, place, verified, "signed by the new key", checks);
        }
        (Err(why), _) | (_, Err(why)) => {
            match why {
                // Nothing is held against a key that is only not known here.
                CvKeyError::Unsupported(_) => checks.lacking(&ck::BAD_PUBLIC_KEY, at(), why.to_string()),
                CvKeyError::Wrong(_) => checks.fail(&ck::BAD_PUBLIC_KEY, at(), why.to_string()),
            }
            checks.skip(&ck::INNER_SIGNATURE, at(), "no key to verify it with");
        }
    }
}

fn record<E: fmt::Display>(
    check: &'static Check,
    place: &str,
    verified: Result<(), E>,
    right: &'static str,
    checks: &mut Checks,
) {
    match verified {
        Ok(()) => checks.pass(check, place.to_owned(), right),
        Err(why) => checks.fail(check, place.to_owned(), why.to_string()),
    }
}

/// Reads the request anew, from bytes that the trusted device signed.
fn attest(
    request: &CvRequest,
    device: &TrustedKey,
    certificate: Authentic<CvCertificate>,
) -> Option<Attested> {
    let scheme = certificate.get().scheme().ok()?;
    let signed = request.verify(scheme, device.key()).ok()?;
    let inner = device.authenticate(signed)?.parse(CvRequest::read_signed).ok()?;
    let both = inner.join(certificate)?;
    let statement = both
        .parse(|((request, signer), device)| {
            // The request counts only as what this very device signed for itself.
            (signer == device.holder()).then_some(statement::Statement { request, device }).ok_or(())
        })
        .ok()?;
    Some(Attested::new(&statement, statement::Statement::key, statement::claims(&statement)))
}
