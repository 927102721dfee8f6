//! The judgement of one leaf, whatever it came in.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::checks as ck;
use super::device::{self, Device};
use super::gather::Chain;
use super::{FORMAT, claims};
use crate::appraisal::Freshness;
use crate::checks::{Check, Checks};
use crate::crypto::{Curve, sha256};
use crate::formats::apple::chain::{Above, Family};
use crate::formats::apple::leaf;
use crate::formats::{Context, Statement};
use crate::pki::Certificate;

const FAMILY: Family =
    Family { format: FORMAT, role: None, intermediates: &["Apple Enterprise Attestation Sub CA 1"] };

/// What the leaf must answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Token of the ACME challenge: the freshness code is its SHA-256.
    pub(crate) token: Option<&'a str>,
    /// Nonce given to an MDM server: the freshness code itself.
    pub(crate) nonce: Option<&'a [u8]>,
}

/// Makes every check of a leaf except those of its identity, which the caller makes with what this returns.
pub(crate) fn judge(
    chain: &Chain,
    wanted: Wanted<'_>,
    place: &str,
    cx: &Context<'_>,
    statement: &mut Statement,
) -> Option<Vec<Identifier>> {
    let Chain { leaf, above, in_order } = chain;
    let checks = &mut statement.checks;
    statement.certificates.push(leaf.clone());
    let key = leaf::check(leaf, &[Curve::P256, Curve::P384], place, checks);
    if !device::is_leaf(leaf) {
        let detail = "it has none of the extensions of Managed Device Attestation";
        checks.fail(&ck::LEAF_INVALID, place.to_owned(), detail);
    }
    let above = Above { certificates: above, in_order: *in_order };
    let path = FAMILY.check(leaf, &above, place, cx, checks, &mut statement.certificates);
    statement.freshness = Some(check_freshness(leaf, wanted, place, checks));
    let device = match Device::read(leaf) {
        Ok(device) => device,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return None;
        }
    };
    if !checks.failed(&ck::MALFORMED) {
        checks.pass(&ck::MALFORMED, place.to_owned(), "the evidence is well-formed");
    }
    check_posture(&device, place, cx, checks);
    if let (Some(path), Some(_)) = (path, key) {
        statement.attested = claims::attest(path);
    }
    Some(device.identifiers().map(|(from, value)| Identifier { from, value: value.to_owned() }).collect())
}

/// A name of the device in the evidence, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identifier {
    pub(crate) from: &'static str,
    pub(crate) value: String,
}

/// Octet for octet. Nothing is equal to nothing.
pub(super) fn check_identity(wanted: &str, identifiers: &[Identifier], place: &str, checks: &mut Checks) {
    let place = place.to_owned();
    if identifiers.is_empty() {
        let detail = "the leaf has neither serial number (8.9.1) nor UDID (8.9.2)";
        checks.fail(&ck::DEVICE_IDENTITY_ABSENT, place, detail);
        return;
    }
    checks.pass(&ck::DEVICE_IDENTITY_ABSENT, place.clone(), "the leaf names the device");
    match identifiers.iter().find(|i| i.value == wanted) {
        Some(found) => checks.pass(&ck::IDENTIFIER_MISMATCH, place, format!("it is the {}", found.from)),
        None => {
            let own: Vec<&str> = identifiers.iter().map(|i| i.value.as_str()).collect();
            let detail = format!("expected is {wanted:?}, the leaf names {}", own.join(" and "));
            checks.fail(&ck::IDENTIFIER_MISMATCH, place, detail);
        }
    }
}

fn check_freshness(leaf: &Certificate, wanted: Wanted<'_>, place: &str, checks: &mut Checks) -> Freshness {
    let digest = wanted.token.map(|token| sha256(token.as_bytes()));
    let all: Vec<&[u8]> = digest.iter().map(|d| d.as_slice()).chain(wanted.nonce).collect();
    if all.is_empty() {
        return Freshness::NotAsked;
    }
    let place = place.to_owned();
    let Some(code) = device::freshness(leaf) else {
        let detail = "the leaf has no freshness code (8.11.1): it answers no challenge";
        checks.fail(&ck::FRESHNESS_MISSING, place, detail);
        return Freshness::NoNonceInEvidence;
    };
    checks.pass(&ck::FRESHNESS_MISSING, place.clone(), "the leaf has a freshness code");
    if all.iter().all(|one| !one.is_empty() && verify_slices_are_equal(one, code).is_ok()) {
        checks.pass(&ck::FRESHNESS_MISMATCH, place, "the freshness code is the one of this challenge");
        return Freshness::NonceMatched;
    }
    let detail = format!("the freshness code is {}, that of another challenge", hex::encode(code));
    checks.fail(&ck::FRESHNESS_MISMATCH, place, detail);
    Freshness::NonceMismatch
}

fn check_posture(device: &Device, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    if let Some(least) = cx.options.text("mda_min_os_version") {
        let os = device.os.as_deref();
        checks.test(
            &ck::POSTURE_OS_VERSION,
            place.to_owned(),
            os.is_some_and(|os| is_at_least(os, least)),
            format!("version {}", os.unwrap_or_default()),
            || match os {
                Some(os) => format!("version {os}, at least {least} is demanded").into(),
                None => "the leaf does not name the version of the operating system".into(),
            },
        );
    }
    let required = cx.options.text("mda_posture") == Some("require");
    let mut check = |check: &'static Check, good: Option<bool>, right: &'static str, wrong: String| {
        let place = place.to_owned();
        match good {
            Some(true) => checks.pass(check, place, right),
            Some(false) if required => checks.fail(check, place, wrong),
            Some(false) => checks.warn(check, place, wrong),
            None if required => checks.fail(check, place, "the leaf does not say it"),
            None => checks.skip(check, place, "the leaf does not say it: it is no Mac, or an old one"),
        }
    };
    check(&ck::POSTURE_SIP, device.sip, "it is enabled", "it is disabled".to_owned());
    let boot = device.secure_boot.as_deref();
    let wrong = format!("the boot policy is {:?}", boot.unwrap_or_default());
    check(&ck::POSTURE_SECURE_BOOT, boot.map(|b| b == "Full Security"), "Full Security", wrong);
    let kext = device.kext.map(|allowed| !allowed);
    check(&ck::POSTURE_KEXT, kext, "they are not allowed", "they are allowed".to_owned());
}

/// Dotted decimal numbers, compared one by one; a number that is not there is zero. What is in no such form is less
/// than anything, and nothing is at least it.
fn is_at_least(version: &str, least: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u32>> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?;
        let mut numbers: Vec<u32> = text.split('.').map(digits).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(numbers)
    };
    numbers(version).zip(numbers(least)).is_some_and(|(version, least)| version >= least)
}

#[cfg(test)]
mod tests {
    use super::is_at_least;

    #[test]
    fn versions_are_compared_by_number() {
        for (version, least) in
            [("15.5", "15.5"), ("15.10", "15.9"), ("26", "15.6.1"), ("17.0", "17"), ("17", "17.0.0")]
        {
            assert!(is_at_least(version, least), "{version} {least}");
        }
        for (version, least) in [
            ("15.5", "15.5.1"),
            ("9.9", "10"),
            ("", "1"),
            ("1", ""),
            ("15.x", "1"),
            ("15", "x"),
            ("+15", "1"),
        ] {
            assert!(!is_at_least(version, least), "{version} {least}");
        }
    }
}
