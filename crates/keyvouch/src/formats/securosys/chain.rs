//! The certificates: attestation key (leaf) ← device ← root, exactly.
//!
//! The root comes from the anchors only. Securosys's own sample code validates against the root that it finds
//! in the chain; whoever makes a chain can put his own root there.

use der::Decode;
use der::asn1::ObjectIdentifier;

use super::checks as ck;
use super::gather::Bundle;
use super::{DEVICE_CN, ID, skip};
use crate::authentic::TrustedKey;
use crate::checks::{Check, Checks};
use crate::formats::Context;
use crate::input::PartId;
use crate::pki::path::{self, Fault, FaultKind, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::Anchor;
use crate::wire::der::sequence;

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
/// In the arc of Securosys: a device.
const DEVICE_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.44668.4.1.3");

/// The root of developer and sandbox systems.
const DEVELOPMENT_ROOT_CN: &str = "SECUROSYS_ROOTKEY_DEV";

/// Leaf and device, below the anchor.
const LENGTH: usize = 2;

/// More policies than any device certificate has.
const MAX_POLICIES: usize = 16;

/// What is known of the chain.
pub(super) struct Chain {
    pub(super) leaf: Certificate,
    /// The attestation key, when the chain holds.
    pub(super) trusted: Option<TrustedKey>,
    /// Leaf first, without the root.
    pub(super) certificates: Vec<Certificate>,
}

/// Judges the certificates of a bundle. None: there is no leaf.
pub(super) fn judge(bundle: &Bundle<'_>, cx: &Context<'_>, checks: &mut Checks) -> Option<Chain> {
    let (id, leaf) = match pick_leaf(&bundle.certificates) {
        Ok(found) => found,
        Err((check, why)) => {
            let first = bundle.certificates.first().map_or("", |(id, _)| cx.parts.place(*id));
            checks.fail(check, first.to_owned(), why);
            let why = "which certificate is the attestation key's is not known";
            skip(checks, ck::OF_THE_PATH, check, why);
            skip(checks, ck::OF_THE_PROFILE, check, why);
            return None;
        }
    };
    let place = cx.parts.place(id);
    let good_leaf = check_leaf(leaf, place, checks);
    let anchors: Vec<&Anchor> = cx.reference.anchors.roots_for(ID).collect();
    let pool: Vec<Certificate> = bundle
        .certificates
        .iter()
        .map(|(_, c)| *c)
        .chain(&cx.reference.intermediates)
        .filter(|c| *c != leaf)
        .cloned()
        .collect();
    let path::Found { chain, top } = path::find(leaf, &pool, &anchors, cx.signatures);
    let trusted = match top {
        Top::Anchor(anchor) => check_path(&chain, anchor, place, cx, checks),
        other => {
            report_no_anchor(&chain, &other, place, checks);
            None
        }
    };
    match chain.get(1) {
        Some(device) => check_device(device, place, checks),
        None => checks.skip(&ck::DEVICE_PROFILE, place.to_owned(), "the device certificate is not there"),
    }
    Some(Chain { leaf: leaf.clone(), trusted: trusted.filter(|_| good_leaf), certificates: chain })
}

type Candidate<'c> = (PartId, &'c Certificate);

/// The certificate that issued none of the others and is no authority.
fn pick_leaf<'c>(all: &[Candidate<'c>]) -> Result<Candidate<'c>, (&'static Check, String)> {
    let issues = |c: &Certificate| all.iter().any(|(_, other)| *other != c && other.issuer() == c.subject());
    let bottom: Vec<Candidate<'c>> = all.iter().copied().filter(|(_, c)| !issues(c)).collect();
    let plain: Vec<Candidate<'c>> = bottom.iter().copied().filter(|(_, c)| !is_ca(c)).collect();
    // An authority in the leaf's place, unless it is only that the leaf was not handed in.
    let in_place = |c: &Certificate| !c.is_self_issued() && device_serial(c.common_name()).is_none();
    let leaves =
        if plain.is_empty() { bottom.into_iter().filter(|(_, c)| in_place(c)).collect() } else { plain };
    match leaves.as_slice() {
        [only] => Ok(*only),
        [] => Err((&ck::CHAIN_INCOMPLETE, "the certificate of the attestation key is not there".to_owned())),
        several => {
            let names: Vec<String> = several.iter().map(|(_, c)| c.display_name()).collect();
            Err((
                &ck::CHAIN_MALFORMED,
                format!("several certificates could be the attestation key's: {}", names.join(", ")),
            ))
        }
    }
}

fn is_ca(certificate: &Certificate) -> bool {
    matches!(certificate.basic_constraints(), Some(Ok(c)) if c.ca)
}

/// Keys for other uses (timestamps) hang under the same device certificate; only an attestation key's
/// certificate looks like this.
fn check_leaf(leaf: &Certificate, place: &str, checks: &mut Checks) -> bool {
    let mut wrong = Vec::new();
    if !matches!(leaf.basic_constraints(), Some(Ok(c)) if !c.ca) {
        wrong.push("basicConstraints does not say that it is no authority");
    }
    if !matches!(leaf.key_usage(), Some(Ok(usage)) if usage.digital_signature) {
        wrong.push("keyUsage does not have digitalSignature");
    }
    if leaf.extension(EXTENDED_KEY_USAGE).is_some() {
        wrong.push("it has an extendedKeyUsage, so it is for another purpose");
    }
    checks.test(
        &ck::LEAF_PROFILE,
        place.to_owned(),
        wrong.is_empty(),
        "the certificate is that of an attestation key",
        || format!("{}: {}", leaf.display_name(), wrong.join("; ")).into(),
    )
}

fn check_device(device: &Certificate, place: &str, checks: &mut Checks) {
    let mut wrong = Vec::new();
    if !has_device_policy(device) {
        wrong.push("lacks Securosys's certificate policy for devices");
    }
    let serial = device_serial(device.common_name());
    if serial.is_none() {
        wrong.push("is not named like a device, so the serial number is not known");
    }
    if wrong.is_empty() {
        let detail = format!("device with serial number {}", serial.unwrap_or_default());
        checks.pass(&ck::DEVICE_PROFILE, place.to_owned(), detail);
    } else {
        let detail = format!("{}: {}", device.display_name(), wrong.join("; "));
        checks.warn(&ck::DEVICE_PROFILE, place.to_owned(), detail);
    }
}

/// certificatePolicies (RFC 5280, 4.2.1.4).
fn has_device_policy(device: &Certificate) -> bool {
    let Some(extension) = device.extension(CERTIFICATE_POLICIES) else { return false };
    let identifier = |policy: &[u8]| {
        let members = sequence(policy, 2)?;
        ObjectIdentifier::from_der(members.first()?).ok()
    };
    let policies = sequence(extension.value, MAX_POLICIES).unwrap_or_default();
    policies.iter().any(|policy| identifier(policy) == Some(DEVICE_POLICY))
}

/// The digits in `PRIMUS HSM KEY (SN: digits)`.
pub(super) fn device_serial(common_name: Option<&str>) -> Option<&str> {
    let serial = common_name?.strip_prefix(DEVICE_CN)?.strip_suffix(')')?;
    (!serial.is_empty() && serial.bytes().all(|b| b.is_ascii_digit())).then_some(serial)
}

fn is_development(issuer: &[u8]) -> bool {
    name::common_name(issuer) == Some(DEVELOPMENT_ROOT_CN)
}

/// A path to an anchor was found: its length and its certificates.
fn check_path(
    chain: &[Certificate],
    anchor: &Anchor,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<TrustedKey> {
    let place = || place.to_owned();
    // Also when the operator made an anchor of it: a development system holds its keys for nobody.
    if is_development(&anchor.subject) {
        report_development(place(), checks);
        return None;
    }
    checks.pass(&ck::ROOT_DEVELOPMENT, place(), "not the root of development systems");
    checks.pass(&ck::ROOT_UNKNOWN, place(), format!("the chain ends at {}", anchor.name));
    checks.pass(&ck::CHAIN_INCOMPLETE, place(), "no certificate is missing");
    let mut found: Vec<(&'static Check, String)> = Vec::new();
    if chain.len() != LENGTH {
        let path = path::describe(chain);
        found.push((&ck::CHAIN_MALFORMED, format!("the chain is not attestation key, device, root: {path}")));
    }
    // RFC 5280 asks for keyUsage in every authority's certificate (4.2.1.3), the validation of a path does not.
    if let Some(device) = chain.get(1).filter(|d| d.key_usage().is_none()) {
        found.push((&ck::CHAIN_CA_FLAG, format!("{}: has no keyUsage", device.display_name())));
    }
    let rules = Rules {
        accept_expired: cx.options.is_on("accept_expired"),
        ..Rules::strict(cx.at, Signs::Statements)
    };
    let validation = path::validate(chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    found.extend(validation.faults.iter().filter_map(|f| Some((of_fault(f, anchor, cx)?, f.to_string()))));
    let mut expired = false;
    for fault in &validation.tolerated {
        match of_fault(fault, anchor, cx) {
            // The option is about certificates that were valid once.
            Some(check) if check.id == ck::TIME_EXPIRED.id => {
                expired = true;
                checks.warn(check, place(), fault.to_string());
            }
            Some(check) => found.push((check, fault.to_string())),
            None => {}
        }
    }
    let holds: [(&'static Check, &'static str); 5] = [
        (&ck::CHAIN_MALFORMED, "attestation key, device, root"),
        (&ck::CHAIN_SIGNATURE, "each certificate is signed by the next one"),
        (&ck::CHAIN_CA_FLAG, "device and root may issue"),
        (&ck::TIME_NOT_YET_VALID, "every certificate is already valid"),
        (&ck::TIME_EXPIRED, "every certificate is still valid"),
    ];
    for (check, right) in holds {
        let warned = expired && check.id == ck::TIME_EXPIRED.id;
        if !warned && !found.iter().any(|(c, _)| c.id == check.id) {
            checks.pass(check, place(), right);
        }
    }
    let whole = found.is_empty();
    for (check, why) in found {
        checks.fail(check, place(), why);
    }
    validation.trusted.filter(|_| whole)
}

/// Which check a fault of the path belongs to; none when another reports it already.
fn of_fault(fault: &Fault, anchor: &Anchor, cx: &Context<'_>) -> Option<&'static Check> {
    Some(match &fault.kind {
        FaultKind::NotYetValid(_) => &ck::TIME_NOT_YET_VALID,
        FaultKind::Expired(_) => &ck::TIME_EXPIRED,
        FaultKind::AnchorOutsideValidity(_) if anchor.not_before().is_some_and(|t| cx.at < t) => {
            &ck::TIME_NOT_YET_VALID
        }
        FaultKind::AnchorOutsideValidity(_) => &ck::TIME_EXPIRED,
        FaultKind::NameChaining | FaultKind::Signature(_) => &ck::CHAIN_SIGNATURE,
        FaultKind::NotCa | FaultKind::MayNotIssue | FaultKind::PathLen => &ck::CHAIN_CA_FLAG,
        // By `leaf-profile`.
        FaultKind::MayNotSign => return None,
        FaultKind::CriticalExtension(_)
        | FaultKind::NameConstraints
        | FaultKind::DuplicateExtension(_)
        | FaultKind::UnreadableExtension
        | FaultKind::ShortKey(_)
        | FaultKind::Key(_)
        | FaultKind::TooDeep => &ck::CHAIN_MALFORMED,
    })
}

fn report_development(place: String, checks: &mut Checks) {
    checks.fail(
        &ck::ROOT_DEVELOPMENT,
        place,
        format!("the chain ends at {DEVELOPMENT_ROOT_CN}: a developer or sandbox system, never trusted"),
    );
    skip(checks, ck::OF_THE_PATH, &ck::ROOT_DEVELOPMENT, "the root is that of development systems");
}

/// No path to an anchor was found: why not, and whether a missing piece can explain it.
fn report_no_anchor(chain: &[Certificate], top: &Top<'_>, place: &str, checks: &mut Checks) {
    let issuer = chain.last().map(Certificate::issuer).unwrap_or_default();
    let place = place.to_owned();
    if is_development(issuer) {
        return report_development(place, checks);
    }
    let issuer = name::display(issuer);
    let check = match top {
        Top::NotSignedByAnchor(anchor) => {
            let why = format!("names {} as issuer and is not signed by it", anchor.name);
            checks.fail(&ck::ROOT_UNKNOWN, place, why);
            &ck::ROOT_UNKNOWN
        }
        Top::SelfSigned => {
            let why = format!("ends at a self-signed certificate of {issuer}, which is not an anchor");
            checks.fail(&ck::ROOT_UNKNOWN, place, why);
            &ck::ROOT_UNKNOWN
        }
        Top::NotSignedByIssuer => {
            let why = format!("is not signed by the certificate of {issuer} that is there");
            checks.fail(&ck::CHAIN_SIGNATURE, place, why);
            &ck::CHAIN_SIGNATURE
        }
        Top::Budget => {
            checks.fail(&ck::CHAIN_MALFORMED, place, "too many certificates of the same name");
            &ck::CHAIN_MALFORMED
        }
        Top::Anchor(_) | Top::IssuerMissing if chain.len() < LENGTH => {
            checks.fail(&ck::CHAIN_INCOMPLETE, place, format!("no certificate of {issuer} is there"));
            &ck::CHAIN_INCOMPLETE
        }
        Top::Anchor(_) | Top::IssuerMissing if chain.len() > LENGTH => {
            let path = path::describe(chain);
            checks.fail(
                &ck::CHAIN_MALFORMED,
                place,
                format!("is longer than attestation key, device, root: {path}"),
            );
            &ck::CHAIN_MALFORMED
        }
        Top::Anchor(_) | Top::IssuerMissing => {
            checks.lacking(
                &ck::ROOT_UNKNOWN,
                place,
                format!("the root {issuer} is neither built in nor configured"),
            );
            &ck::ROOT_UNKNOWN
        }
    };
    skip(checks, ck::OF_THE_PATH, check, "the chain does not reach an anchor");
}
