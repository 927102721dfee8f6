//! The checks of what has no attestation.

use crate::checks::Check;

pub(super) const NO_FORMAT: Check = Check::attestability(
    "no-attestation-format",
    "the device signs statements about its keys that a third party can verify",
    "Use a device that attests (`keyvouch formats` lists them), or ask the CA which other way it accepts.",
);
pub(super) const DECLARED_UNKNOWN: Check = Check::completeness(
    "declared-device-unknown",
    "the declared device is one of which something is known",
    "Whether this device attests its keys is not known here. Ask its maker, and hand over what its tool writes; `keyvouch formats` lists what can be read.",
);
pub(super) const DECLARED_ATTESTS: Check = Check::completeness(
    "declared-device-attests",
    "an attestation is there, of a declared device that can make one",
    "Hand over the attestation that the device or its tool writes; the page of the device says how to get it.",
);
pub(super) const DOCUMENT: Check = Check::completeness(
    "unsigned-document",
    "what was handed in is signed by a device, not a document or a picture",
    "A document or picture proves nothing to a verifier. Hand over the attestation that the device or its tool writes; a report of an auditor goes to the CA itself.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[&NO_FORMAT, &DECLARED_UNKNOWN, &DECLARED_ATTESTS, &DOCUMENT];
