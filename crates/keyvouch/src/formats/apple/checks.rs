//! The checks that both families of leaves have in common.

use crate::checks::Check;

pub(super) const AGAIN: &str = "Hand over what the device or Apple's API returned, unchanged and whole.";
pub(super) const FINDING: &str = "For the CA to consider.";
const ROOTS: &str = "Only Apple's root for this kind of attestation counts. For test evidence, the operator can add its root (--anchors).";

pub(crate) const MALFORMED: Check =
    Check::authenticity("malformed", "the evidence is well-formed, in one way only", AGAIN);
pub(crate) const LEAF_INVALID: Check = Check::authenticity(
    "leaf-invalid",
    "the first certificate is an end certificate for a key that a Secure Enclave can hold",
    AGAIN,
);
pub(crate) const CHAIN_INCOMPLETE: Check = Check::completeness(
    "chain-incomplete",
    "the certificate of Apple's intermediate is there",
    "Hand over all certificates that the device sent, not the first alone: the intermediate comes with it.",
);
pub(crate) const ANCHOR_UNKNOWN: Check =
    Check::completeness("anchor-unknown", "the path ends at the name of an anchor", ROOTS);
pub(crate) const CHAIN_UNTRUSTED: Check = Check::authenticity(
    "chain-untrusted",
    "the leaf has an unbroken path to Apple's root for this kind of attestation",
    ROOTS,
);
pub(crate) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is still valid at the time of the appraisal",
    "Leaves live days to months: judge evidence at the time at which it was received (--at), or make a new attestation.",
);
pub(crate) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(crate) const UNHANDLED_CRITICAL_EXTENSION: Check = Check::authenticity(
    "unhandled-critical-extension",
    "no certificate has a critical extension that is not known here",
    "Apple writes none. Ask where the certificate comes from.",
);
pub(crate) const SUBJECT_KEY_HASH: Check = Check::fitness(
    "subject-key-hash",
    "the leaf's common name is the SHA-256 of its key's point, as in every leaf of Apple's that is known",
    FINDING,
);
