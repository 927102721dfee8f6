//! Which certificate counts.
//!
//! An attested key that may sign is in the hands of an app: it can sign a false certificate with a false statement below
//! the real one. So the statement that is believed is the one that the device's attestation key signed, found by its
//! position under the root, and nothing may follow it but a key that was attested by a proper attest key.

use super::checks as ck;
use super::keydesc::{KeyDescription, ORIGIN_GENERATED, oid, purpose};
use super::shape::{self, Provisioning};
use super::switches::AttestKey;
use super::tags;
use super::trust::at;
use crate::checks::Checks;
use crate::pki::Certificate;

/// The position of the target, by the chain's shape. `below` is the chain without the root.
pub(super) fn find(
    below: &[Certificate],
    provisioning: Provisioning,
    place: &str,
    checks: &mut Checks,
) -> Option<usize> {
    let needed = provisioning.between().saturating_add(1);
    let Some(target) = below.len().checked_sub(needed) else {
        let detail = format!(
            "{} certificates without the root; a chain of this kind ({}) has {needed}",
            below.len(),
            provisioning.as_str()
        );
        checks.fail(&ck::CHAIN_SHAPE, place.to_owned(), detail);
        return None;
    };
    let signer = below.get(target.saturating_add(1))?;
    if provisioning == Provisioning::Remote && !shape::is_remote_attestation(signer) {
        let detail = format!(
            "{} is no attestation key of a TEE or StrongBox: this path also issues certificates of other kinds",
            signer.display_name()
        );
        checks.fail(&ck::CHAIN_SHAPE, at(place, target.saturating_add(1)), detail);
        return None;
    }
    checks.pass(&ck::CHAIN_SHAPE, place.to_owned(), format!("{} provisioning", provisioning.as_str()));
    Some(target)
}

fn has(certificate: &Certificate) -> bool {
    certificate.extension(oid::KEY_DESCRIPTION).is_some()
}

/// Whether there is a statement at all; what can be said without knowing which certificate counts.
pub(super) fn check_presence(chain: &[Certificate], place: &str, checks: &mut Checks) -> bool {
    let eat = |c: &Certificate| c.extension(oid::EAT).is_some();
    let both = (0_usize..).zip(chain).find(|(_, c)| has(c) && eat(c));
    match both {
        Some((position, _)) => {
            let detail = "the certificate has a KeyDescription and an EAT statement";
            checks.fail(&ck::EXT_AMBIGUOUS, at(place, position), detail);
        }
        None => checks.pass(&ck::EXT_AMBIGUOUS, place.to_owned(), "no certificate speaks in two forms"),
    }
    if chain.iter().any(has) {
        checks.pass(&ck::EXT_MISSING, place.to_owned(), "there is a KeyDescription");
        return true;
    }
    match (0_usize..).zip(chain).find(|(_, c)| eat(c)) {
        Some((position, _)) => {
            let detail = "the statement is in the EAT form, of which no released device is known";
            checks.fail(&ck::UNSUPPORTED_EAT, at(place, position), detail);
        }
        None => {
            checks.fail(&ck::EXT_MISSING, place.to_owned(), "no certificate has the attestation extension")
        }
    }
    false
}

/// Whether the statement stands where the attestation key put it.
pub(super) fn check_position(below: &[Certificate], target: usize, place: &str, checks: &mut Checks) {
    let mut extended = false;
    let mut extend = |position: usize, why: &'static str, checks: &mut Checks| {
        extended = true;
        checks.fail(&ck::CHAIN_EXTENDED, at(place, position), why);
    };
    let above: Vec<usize> =
        (0_usize..).zip(below).filter(|(i, c)| *i > target && has(c)).map(|(i, _)| i).collect();
    for position in &above {
        let detail = "a certificate of the attestation key or above it has a KeyDescription";
        checks.fail(&ck::EXT_WRONG_POSITION, at(place, *position), detail);
    }
    if above.is_empty() {
        let detail = "no certificate above the key's has a KeyDescription";
        checks.pass(&ck::EXT_WRONG_POSITION, place.to_owned(), detail);
    }
    for (position, pair) in (0_usize..).zip(below.windows(2)) {
        let [lower, upper] = pair else { continue };
        if upper.extension(oid::PROVISIONING).is_some() && !has(lower) {
            let why = "the certificate below the provisioned attestation key has no KeyDescription";
            extend(position, why, checks);
        }
    }
    if !below.get(target).is_some_and(has) {
        let why =
            "the certificate that the attestation key signed has no KeyDescription, and one below it has";
        extend(target, why, checks);
    }
    if target > 1 {
        extend(0, "more than one certificate was appended below the attestation key's", checks);
    }
    if target == 1 && !below.first().is_some_and(has) {
        extend(0, "a key that an app controls signed a certificate without a KeyDescription", checks);
    }
    if !extended && target == 0 {
        let detail = "the device's attestation key signed the certificate of the key";
        checks.pass(&ck::CHAIN_EXTENDED, place.to_owned(), detail);
    }
}

/// Rules for a key that an attest key of the app attested.
pub(super) fn check_attest_key(
    leaf: &KeyDescription,
    target: &KeyDescription,
    switch: AttestKey,
    place: &str,
    checks: &mut Checks,
) {
    if let Some(why) = not_an_attest_key(leaf, target, switch) {
        checks.fail(&ck::CHAIN_EXTENDED, at(place, 0), why);
        return;
    }
    checks.pass(&ck::CHAIN_EXTENDED, at(place, 0), "it was signed by a key that may do nothing but attest");
    let differing = disagreements(leaf, target, switch == AttestKey::AnyChallenge);
    if differing.is_empty() {
        checks.pass(&ck::ATTEST_KEY_MISMATCH, at(place, 0), "key and attest key say the same");
        let detail = "an attest key of the app signed for the key, and was itself attested";
        checks.warn(&ck::ATTEST_KEY_CHAIN, at(place, 1), detail);
    } else {
        let detail = format!("key and attest key disagree: {}", differing.join(", "));
        checks.fail(&ck::ATTEST_KEY_MISMATCH, at(place, 0), detail);
    }
}

fn not_an_attest_key(
    leaf: &KeyDescription,
    target: &KeyDescription,
    switch: AttestKey,
) -> Option<&'static str> {
    let purposes = |kd: &KeyDescription| kd.hardware.set(tags::PURPOSE).value();
    if switch == AttestKey::Off {
        Some("the operator accepts no key that an attest key attested (android_attest_key=off)")
    } else if purposes(target) != Some(vec![purpose::ATTEST_KEY]) {
        Some("the key that signed it is not for attesting alone: an app could sign anything with it")
    } else if target.hardware.integer(tags::ORIGIN).value() != Some(ORIGIN_GENERATED) {
        Some("the attest key was not generated in the device: it may be known elsewhere")
    } else if purposes(leaf).is_some_and(|p| p.contains(&purpose::ATTEST_KEY)) {
        Some("an attest key attested another attest key, which no device does")
    } else {
        None
    }
}

fn disagreements(leaf: &KeyDescription, target: &KeyDescription, any_challenge: bool) -> Vec<&'static str> {
    let hardware = [
        (tags::ROOT_OF_TRUST, "rootOfTrust"),
        (tags::OS_VERSION, "osVersion"),
        (tags::OS_PATCH_LEVEL, "osPatchLevel"),
        (tags::VENDOR_PATCH_LEVEL, "vendorPatchLevel"),
        (tags::BOOT_PATCH_LEVEL, "bootPatchLevel"),
    ];
    let app = tags::ATTESTATION_APPLICATION_ID;
    let mut differing = Vec::new();
    let mut compare = |same: bool, what: &'static str| {
        if !same {
            differing.push(what);
        }
    };
    compare(leaf.version == target.version, "attestationVersion");
    compare(leaf.attestation_level == target.attestation_level, "attestationSecurityLevel");
    compare(leaf.component_version == target.component_version, "keyMintVersion");
    compare(leaf.key_level == target.key_level, "keyMintSecurityLevel");
    compare(any_challenge || leaf.challenge == target.challenge, "attestationChallenge");
    compare(leaf.software.raw(app) == target.software.raw(app), "attestationApplicationId");
    for (tag, what) in hardware {
        compare(leaf.hardware.raw(tag) == target.hardware.raw(tag), what);
    }
    differing
}
