//! The checks of Managed Device Attestation.

use crate::checks::Check;
use crate::formats::apple::checks as shared;

pub(crate) use shared::{
    ANCHOR_UNKNOWN, CHAIN_INCOMPLETE, CHAIN_UNTRUSTED, EXPIRED, LEAF_INVALID, MALFORMED, NOT_YET_VALID,
    SUBJECT_KEY_HASH, UNHANDLED_CRITICAL_EXTENSION,
};

const CHALLENGE: &str = "Let the device attest again for the challenge or nonce that was given out. An MDM server gets a new DeviceInformation attestation only about every seven days; until then it gets the old one.";
const IDENTITY: &str = "Apple leaves serial number and UDID out for User Enrolment. Enrol the device by Device Enrolment or Automated Device Enrolment.";
const POSTURE: &str = "Update or reconfigure the device, let it report to its MDM server, and attest again.";

pub(crate) const FRESHNESS_MISSING: Check =
    Check::fitness("freshness-missing", "the leaf has a freshness code (8.11.1)", CHALLENGE);
pub(crate) const FRESHNESS_MISMATCH: Check = Check::fitness(
    "freshness-mismatch",
    "the freshness code is the one of this challenge: SHA-256 of the ACME token, or the nonce itself",
    CHALLENGE,
);
pub(crate) const DEVICE_IDENTITY_ABSENT: Check =
    Check::fitness("device-identity-absent", "the evidence names the device", IDENTITY);
pub(crate) const IDENTIFIER_MISMATCH: Check = Check::fitness(
    "identifier-mismatch",
    "the device is the one that is expected",
    "The attestation is of another device than the order or the operator names. Compare serial number and UDID with the inventory.",
);
pub(crate) const POSTURE_OS_VERSION: Check =
    Check::fitness("posture-os-version", "the operating system is not older than demanded", POSTURE);
pub(crate) const POSTURE_SIP: Check =
    Check::fitness("posture-sip", "System Integrity Protection is enabled (Mac)", POSTURE);
pub(crate) const POSTURE_SECURE_BOOT: Check =
    Check::fitness("posture-secure-boot", "the boot policy is Full Security (Mac)", POSTURE);
pub(crate) const POSTURE_KEXT: Check =
    Check::fitness("posture-kext", "kernel extensions of third parties are not allowed (Mac)", POSTURE);

/// All of them.
pub(crate) const ALL: &[&Check] = &[
    &MALFORMED,
    &LEAF_INVALID,
    &CHAIN_INCOMPLETE,
    &ANCHOR_UNKNOWN,
    &CHAIN_UNTRUSTED,
    &EXPIRED,
    &NOT_YET_VALID,
    &UNHANDLED_CRITICAL_EXTENSION,
    &SUBJECT_KEY_HASH,
    &FRESHNESS_MISSING,
    &FRESHNESS_MISMATCH,
    &DEVICE_IDENTITY_ABSENT,
    &IDENTIFIER_MISMATCH,
    &POSTURE_OS_VERSION,
    &POSTURE_SIP,
    &POSTURE_SECURE_BOOT,
    &POSTURE_KEXT,
];
