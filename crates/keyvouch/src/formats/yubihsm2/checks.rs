//! The checks of YubiHSM 2 attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export both certificates again (`yubihsm-shell -a sign-attestation-certificate -i ID --attestation-id 0 --out attestation.pem`, `yubihsm-shell -a get-opaque -i 0 --outformat=PEM --out device.pem`) and hand them over unchanged.";
const DEVICE: &str = "Add the certificate of the built-in attestation key of the same YubiHSM 2; it is only in the device: `yubihsm-shell -a get-opaque -i 0 --outformat=PEM --out device.pem`.";
const GENERATE: &str =
    "Generate a new key in this YubiHSM 2 (`yubihsm-shell -a generate-asymmetric-key`) and attest that one.";

pub(super) const MALFORMED: Check =
    Check::authenticity("malformed-certificate", "every certificate is well-formed", EXPORT_AGAIN);
pub(super) const DUPLICATE_EXTENSION: Check = Check::authenticity(
    "duplicate-extension",
    "no certificate has an extension twice",
    "No YubiHSM 2 writes such a certificate. Export it again.",
);
pub(super) const NO_LEAF: Check = Check::completeness(
    "no-leaf",
    "the attestation certificate of the key is there",
    "Add the attestation certificate of the key: `yubihsm-shell -a sign-attestation-certificate -i ID --attestation-id 0 --out attestation.pem`.",
);
pub(super) const INCOMPLETE: Check = Check::authenticity(
    "attestation-incomplete",
    "the leaf has the seven extensions that every YubiHSM 2 writes",
    EXPORT_AGAIN,
);
pub(super) const BAD_EXTENSION: Check = Check::authenticity(
    "bad-extension",
    "the leaf's extensions have the form that a YubiHSM 2 gives them, and there are no others",
    EXPORT_AGAIN,
);
pub(super) const OBJECT_ID_MISMATCH: Check = Check::authenticity(
    "object-id-mismatch",
    "the object ID in the leaf's subject is that of its extension",
    EXPORT_AGAIN,
);
pub(super) const CUSTOM_KEY: Check = Check::authenticity(
    "custom-attestation-key",
    "the leaf was signed by the built-in attestation key of the device",
    "Attest with the built-in key (`--attestation-id 0`): an attestation key of the owner proves nothing to others.",
);
pub(super) const DEVICE_MISSING: Check = Check::completeness(
    "device-certificate-missing",
    "the certificate of the device's attestation key is there",
    DEVICE,
);
pub(super) const NOT_A_DEVICE: Check = Check::authenticity(
    "not-a-device-certificate",
    "the issuer of the leaf has the form of a device certificate",
    DEVICE,
);
pub(super) const LEAF_SIGNATURE: Check = Check::authenticity(
    "leaf-signature",
    "the leaf is signed by the device's attestation key",
    "Attestation and device certificate must come from the same YubiHSM 2, unchanged. Export both again.",
);
pub(super) const WRONG_APPLICATION_CA: Check = Check::authenticity(
    "wrong-application-ca",
    "the device certificate was issued by an authority for YubiHSM 2",
    "Hand over the attestation of a YubiHSM 2; those of a YubiKey's PIV, FIDO or OpenPGP application are other statements.",
);
pub(super) const INTERMEDIATE_MISSING: Check = Check::completeness(
    "intermediate-missing",
    "the authority that issued the device certificate is known",
    "The operator should add the intermediates from Yubico's pages (developers.yubico.com/PKI, YubiHSM2/Concepts/Attestation), or the subscriber can add them to the evidence.",
);
pub(super) const UNTRUSTED_ROOT: Check = Check::authenticity(
    "untrusted-root",
    "the device certificate chains to an anchor of Yubico's or the operator's",
    "The device certificate is not Yubico's. Export it from the device (opaque object 0); a simulator or another maker's device cannot be accepted.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is still valid at the time of the appraisal",
    "Check the time of the appraisal (--at). All known chains are valid until 2071 or later.",
);
pub(super) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const SERIAL_MISMATCH: Check = Check::authenticity(
    "serial-mismatch",
    "leaf and device certificate are of the same device",
    "Attestation and device certificate must come from the same YubiHSM 2. Export both again.",
);
pub(super) const FIRMWARE_MISMATCH: Check = Check::authenticity(
    "firmware-mismatch",
    "leaf and device certificate name the same firmware",
    "All genuine devices seen agree. Ask the subscriber how the certificates were exported.",
);
pub(super) const IMPORTED: Check =
    Check::fitness("imported", "the key was not imported into the device", GENERATE);
pub(super) const IMPORTED_WRAPPED: Check = Check::fitness(
    "imported-wrapped",
    "the key did not come into the device as a wrapped copy",
    "A copy of this key is, or was, elsewhere. Generate a new key in this YubiHSM 2 and attest that one.",
);
pub(super) const UNKNOWN_ORIGIN: Check = Check::fitness(
    "unknown-origin",
    "the origin of the key is one that is known",
    "This device says something about the key's origin that this verifier does not know. Generate a new key and attest that one; if it stays so, ask Yubico.",
);
pub(super) const EXPORTABLE: Check = Check::fitness(
    "exportable-under-wrap",
    "the key has not the capability exportable-under-wrap",
    "Capabilities cannot be changed later. Generate a new key without exportable-under-wrap and attest that one.",
);
pub(super) const ODD_CAPABILITY: Check = Check::fitness(
    "odd-capability",
    "the key has no capability that belongs to wrap keys",
    "Generate keys only with the capabilities that they need.",
);
pub(super) const UNKNOWN_CAPABILITY: Check = Check::fitness(
    "unknown-capability",
    "every capability of the key is one that is known",
    "The device has capabilities that this verifier does not know. Look for a newer version of it, or generate keys only with the capabilities that they need.",
);
pub(super) const SELF_CERTIFYING: Check = Check::fitness(
    "self-certifying-key",
    "the key cannot sign both attestations and other data",
    "A key that signs anything can sign what looks like an attestation. Generate signing keys without sign-attestation-certificate.",
);
pub(super) const CANNOT_SIGN: Check = Check::fitness(
    "cannot-sign",
    "the key has a capability to sign",
    "Generate a key with sign-pkcs, sign-pss, sign-ecdsa or sign-eddsa.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &DUPLICATE_EXTENSION,
    &NO_LEAF,
    &INCOMPLETE,
    &BAD_EXTENSION,
    &OBJECT_ID_MISMATCH,
    &CUSTOM_KEY,
    &DEVICE_MISSING,
    &NOT_A_DEVICE,
    &LEAF_SIGNATURE,
    &WRONG_APPLICATION_CA,
    &INTERMEDIATE_MISSING,
    &UNTRUSTED_ROOT,
    &EXPIRED,
    &NOT_YET_VALID,
    &SERIAL_MISMATCH,
    &FIRMWARE_MISMATCH,
    &IMPORTED,
    &IMPORTED_WRAPPED,
    &UNKNOWN_ORIGIN,
    &EXPORTABLE,
    &ODD_CAPABILITY,
    &UNKNOWN_CAPABILITY,
    &SELF_CERTIFYING,
    &CANNOT_SIGN,
];
