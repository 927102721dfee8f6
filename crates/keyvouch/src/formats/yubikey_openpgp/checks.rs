//! The checks of YubiKey OpenPGP attestation.

use crate::checks::Check;

const EXPORT_AGAIN: &str = "Export both certificates again (`ykman openpgp keys attest SIG attest-sig.pem`, `ykman openpgp certificates export ATT att.pem`) and hand them over unchanged.";
const REPLACED: &str = "The ATT key and certificate must be those from the factory; they cannot be restored. Use another YubiKey, or have the operator configure the authority that issued this ATT (--anchors).";
const GENERATE: &str = "Generate the key in the device: `gpg --card-edit`, then `admin` and `generate` without a backup; or `key-attr` and `generate` for another algorithm. Do not use `keytocard`, which imports.";

pub(super) const MALFORMED: Check =
    Check::authenticity("malformed-certificate", "every certificate is well-formed", EXPORT_AGAIN);
pub(super) const DUPLICATE_EXTENSION: Check = Check::authenticity(
    "duplicate-extension",
    "no certificate has an extension twice",
    "No YubiKey writes such a certificate. Export it again.",
);
pub(super) const NO_LEAF: Check = Check::completeness(
    "no-leaf",
    "the attestation certificate of the key is there",
    "Add the attestation certificate of the key: `ykman openpgp keys attest SIG attest-sig.pem` (or AUT).",
);
pub(super) const LEAF_EXTENSION_MISSING: Check = Check::authenticity(
    "leaf-extension-missing",
    "the leaf has key source (.5.2), firmware version (.5.3), serial number (.5.7) and touch setting (.5.8)",
    EXPORT_AGAIN,
);
pub(super) const BAD_EXTENSION: Check = Check::authenticity(
    "bad-extension",
    "the leaf's subject and extensions have the form that a YubiKey gives them",
    EXPORT_AGAIN,
);
pub(super) const ATT_MISSING: Check = Check::completeness(
    "att-certificate-missing",
    "the ATT certificate of the device is there",
    "Add the ATT certificate of the same YubiKey: `ykman openpgp certificates export ATT att.pem`. Only the device has it.",
);
pub(super) const NAME_CHAINING: Check = Check::authenticity(
    "name-chaining",
    "each certificate's issuer is the subject of the next, byte for byte",
    "The ATT certificate in the device may have been overwritten. Export it from the device that made the attestation; if it was overwritten, that device cannot attest any more.",
);
pub(super) const LEAF_SIGNATURE: Check = Check::authenticity(
    "leaf-signature",
    "the leaf is signed by the ATT key",
    "Attestation and ATT certificate must come from the same YubiKey, unchanged. Export both again.",
);
pub(super) const ATT_SHAPE: Check = Check::authenticity(
    "att-not-an-attestation-ca",
    "the issuer of the leaf has the form of an ATT certificate",
    "Hand over the ATT certificate (`ykman openpgp certificates export ATT att.pem`), not that of another key.",
);
pub(super) const UNTRUSTED_ROOT: Check =
    Check::authenticity("untrusted-root", "ATT chains to an anchor of Yubico's or the operator's", REPLACED);
pub(super) const ATT_REPLACED: Check =
    Check::authenticity("att-replaced", "ATT is the certificate from the factory", REPLACED);
pub(super) const PREVIEW_DEVICE: Check = Check::authenticity(
    "preview-device",
    "the device is not an engineering sample",
    "Preview devices are never trusted. Use a YubiKey that was sold.",
);
pub(super) const WRONG_APPLICATION_CA: Check = Check::authenticity(
    "wrong-application-ca",
    "ATT was issued by an authority for OpenPGP",
    "Hand over the OpenPGP attestation; those of PIV, FIDO or YubiHSM are other statements.",
);
pub(super) const INTERMEDIATE_MISSING: Check = Check::completeness(
    "intermediate-missing",
    "the intermediates between ATT and Yubico's root are known",
    "The operator should update the intermediates from Yubico's PKI page (developers.yubico.com/PKI), or the subscriber can add them to the evidence.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "expired",
    "every certificate is still valid at the time of the appraisal",
    "Check the time of the appraisal (--at). All known chains are valid until 2046 or later.",
);
pub(super) const NOT_YET_VALID: Check = Check::authenticity(
    "not-yet-valid",
    "every certificate is already valid at the time of the appraisal",
    "Check the time of the appraisal (--at).",
);
pub(super) const IMPORTED: Check =
    Check::fitness("imported", "the key was generated in the device, not imported", GENERATE);
pub(super) const UNKNOWN_SOURCE: Check = Check::fitness(
    "unknown-source",
    "the leaf says of the key that it was generated or imported, and nothing else",
    GENERATE,
);
pub(super) const WRONG_SLOT: Check = Check::fitness(
    "wrong-slot",
    "the key is one that signs (SIG or AUT)",
    "A decryption key (DEC) is not for a certificate that signs. Attest the signature key: `ykman openpgp keys attest SIG attest-sig.pem`.",
);
pub(super) const FINGERPRINT_MISMATCH: Check = Check::fitness(
    "fingerprint-mismatch",
    "the OpenPGP fingerprint in the leaf is that of the key",
    "The holder of the admin PIN can write any fingerprint and creation time. Compare the key itself, not its fingerprint.",
);
pub(super) const KEY_ALREADY_USED: Check = Check::fitness(
    "key-already-used",
    "the signature counter says that the key has signed nothing yet",
    "A key generated for this request has signed only that. Ask the subscriber what else it has signed, or for a new key.",
);
pub(super) const FIRMWARE_MISMATCH: Check = Check::authenticity(
    "firmware-mismatch",
    "leaf and ATT name the same firmware",
    "All genuine devices seen agree. Ask the subscriber how the certificates were exported.",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &DUPLICATE_EXTENSION,
    &NO_LEAF,
    &LEAF_EXTENSION_MISSING,
    &BAD_EXTENSION,
    &ATT_MISSING,
    &NAME_CHAINING,
    &LEAF_SIGNATURE,
    &ATT_SHAPE,
    &UNTRUSTED_ROOT,
    &ATT_REPLACED,
    &PREVIEW_DEVICE,
    &WRONG_APPLICATION_CA,
    &INTERMEDIATE_MISSING,
    &EXPIRED,
    &NOT_YET_VALID,
    &IMPORTED,
    &UNKNOWN_SOURCE,
    &WRONG_SLOT,
    &FINGERPRINT_MISMATCH,
    &KEY_ALREADY_USED,
    &FIRMWARE_MISMATCH,
];
