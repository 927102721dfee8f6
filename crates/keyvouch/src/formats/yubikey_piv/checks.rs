//! The checks of YubiKey PIV attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export both certificates again (`ykman piv keys attest SLOT attestation.pem`, `ykman piv certificates export f9 f9.pem`) and hand them over unchanged.";
const REPLACED: &str = "Slot F9 must hold the key and certificate from the factory; they cannot be restored. Use another YubiKey, or have the operator configure the authority that issued this F9 (--anchors).";

pub(super) const MALFORMED: Check =
    Check::authenticity("malformed-certificate", "every certificate is well-formed", EXPORT_AGAIN);
pub(super) const DUPLICATE_EXTENSION: Check = Check::authenticity(
    "duplicate-extension",
    "no certificate has an extension twice",
    "No YubiKey writes such a certificate. Export it again.",
);
pub(crate) const NO_LEAF: Check = Check::completeness(
    "no-leaf",
    "the attestation certificate of the key is there",
    "Add the attestation certificate of the key's slot: `ykman piv keys attest SLOT attestation.pem`.",
);
pub(super) const LEAF_EXTENSION_MISSING: Check = Check::authenticity(
    "leaf-extension-missing",
    "the leaf has the firmware version (.3.3) and the key policy (.3.8)",
    EXPORT_AGAIN,
);
pub(super) const LEAF_EXTENSION_BAD: Check = Check::authenticity(
    "leaf-extension-bad",
    "the leaf's extensions have the form that a YubiKey gives them",
    EXPORT_AGAIN,
);
pub(super) const F9_MISSING: Check = Check::completeness(
    "f9-missing",
    "the F9 certificate of the device is there",
    "Add the certificate of slot F9 of the same YubiKey: `ykman piv certificates export f9 f9.pem`.",
);
pub(super) const NAME_CHAINING: Check = Check::authenticity(
    "name-chaining",
    "each certificate's issuer is the subject of the next, byte for byte",
    "The F9 certificate object in the device may have been overwritten. Export F9 from the device that made the attestation; if it was overwritten, that device cannot attest any more.",
);
pub(super) const LEAF_SIGNATURE: Check = Check::authenticity(
    "leaf-signature",
    "the leaf is signed by the key of F9",
    "Attestation and F9 must come from the same YubiKey, unchanged. Export both again.",
);
pub(super) const F9_SHAPE: Check = Check::authenticity(
    "f9-not-an-attestation-ca",
    "the issuer of the leaf has the form of an F9 certificate",
    "Hand over the certificate of slot F9 (`ykman piv certificates export f9 f9.pem`), not of another slot.",
);
pub(super) const UNTRUSTED_ROOT: Check =
    Check::authenticity("untrusted-root", "F9 chains to an anchor of Yubico's or the operator's", REPLACED);
pub(super) const F9_REPLACED: Check =
    Check::authenticity("f9-replaced", "F9 is the certificate from the factory", REPLACED);
pub(super) const PREVIEW_DEVICE: Check = Check::authenticity(
    "preview-device",
    "the device is not an engineering sample",
    "Preview devices are never trusted. Use a YubiKey that was sold.",
);
pub(super) const WRONG_APPLICATION_CA: Check = Check::authenticity(
    "wrong-application-ca",
    "F9 was issued by an authority for PIV",
    "Hand over the PIV attestation; those of FIDO, OpenPGP or YubiHSM are other statements.",
);
pub(super) const INTERMEDIATE_MISSING: Check = Check::completeness(
    "intermediate-missing",
    "the intermediates between F9 and Yubico's root are known",
    "The operator should update the intermediates from Yubico's PKI page (developers.yubico.com/PKI), or the subscriber can add them to the evidence.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is still valid at the time of the appraisal",
    "Check the time of the appraisal (--at). All known chains are valid until 2050 or later.",
);
pub(super) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const FIRMWARE_MISMATCH: Check = Check::authenticity(
    "firmware-mismatch",
    "leaf and F9 name the same firmware",
    "All genuine devices agree. Ask the subscriber how the certificates were exported.",
);
pub(super) const UNEXPECTED_HIERARCHY: Check = Check::authenticity(
    "unexpected-hierarchy",
    "firmware and root belong together",
    "Devices from firmware 5.7.4 on chain to Root 1, older ones to the older roots. Look at the device.",
);
pub(super) const IMPOSSIBLE_FIRMWARE: Check = Check::authenticity(
    "impossible-firmware",
    "the firmware is one that can attest",
    "PIV attestation exists from firmware 4.3.0 on.",
);
pub(super) const BAD_SLOT: Check = Check::authenticity(
    "bad-slot",
    "the slot is one whose key a YubiKey attests",
    "Attest the key in slot 9a, 9c, 9d, 9e, or 82 to 95.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &DUPLICATE_EXTENSION,
    &NO_LEAF,
    &LEAF_EXTENSION_MISSING,
    &LEAF_EXTENSION_BAD,
    &F9_MISSING,
    &NAME_CHAINING,
    &LEAF_SIGNATURE,
    &F9_SHAPE,
    &UNTRUSTED_ROOT,
    &F9_REPLACED,
    &PREVIEW_DEVICE,
    &WRONG_APPLICATION_CA,
    &INTERMEDIATE_MISSING,
    &EXPIRED,
    &NOT_YET_VALID,
    &FIRMWARE_MISMATCH,
    &UNEXPECTED_HIERARCHY,
    &IMPOSSIBLE_FIRMWARE,
    &BAD_SLOT,
];
